//! Every call but those that bring clicks, carried out.

use super::MessageObject;
use super::answer::Answer;
use crate::edge::rows::transaction;
use crate::edge::runtime::Result;
use crate::edge::{log, settings};
use crate::message::call::{Call, Delivered, Handed, Reshipped};
use crate::message::list::List;
use crate::message::wanted::{Form, View};
use crate::message::{Acted, Arrival, Message, Seen};
use crate::record::{Delivery, Record};
use crate::report::Part;
use crate::verdict::Key;
use crate::verdict::order::ascending;

impl MessageObject {
    /// Carries a call out. Nothing waits in here.
    pub(super) fn answer(&self, call: Call) -> Result<Answer> {
        match call {
            Call::Arrive(json) => {
                let record = match Record::parse(&json) {
                    Ok(record) => record,
                    Err(words) => return Ok(Answer::Refused(words)),
                };
                if self.with_message(|message| message.ingest(self.kept(record)))? == Arrival::Refused {
                    return Ok(Answer::Refused("event_id: must be a UUIDv7 of ts_ms".to_owned()));
                }
                Ok(Answer::Done)
            }
            Call::Act(json) => {
                let record = match Record::parse(&json) {
                    Ok(record) => record,
                    Err(words) => return Ok(Answer::Refused(words)),
                };
                let refused = |words: &str| Ok(Answer::Refused(words.to_owned()));
                match self.with_message(|message| message.act(self.kept(record)))? {
                    Acted::Stands => Ok(Answer::Done),
                    Acted::Refused => refused("no act, or its event_id is no UUIDv7 of ts_ms"),
                    Acted::Flooded => refused("too many acts on one link"),
                }
            }
            Call::Deliver(told) => {
                let news: Vec<(Key, Delivery)> =
                    told.iter().map(|one| (Key::of(&one.recipient_id), one.delivery())).collect();
                let told: Vec<u64> = news.iter().map(|(recipient, _)| recipient.short()).collect();
                let recipients = ascending(&told).len();
                let reissued = self.with_message(|message| message.deliver(&news))?;
                Ok(Answer::json(&Delivered { recipients, reissued }))
            }
            Call::Page { after, limit, filter } => {
                let page =
                    self.with_known(|message| message.page(after, limit, &filter))?.unwrap_or_default();
                Ok(Answer::Text(page.encode()))
            }
            // No text says that there is no such click.
            Call::Explain(id) => {
                let explained = self.with_known(|message| message.explain(id))?.flatten();
                Ok(explained.map_or(Answer::Done, Answer::Text))
            }
            Call::Report(message_id) => {
                let view = View { form: Form::Json, message_id, past: Vec::new() };
                Ok(Answer::Text(view.of(self.counted()?)))
            }
            Call::View(view) => Ok(Answer::Text(view.of(self.counted()?))),
            // How many they are came with the call.
            Call::Shards { shard, from } => {
                let mut handed = Handed::default();
                self.in_transaction(true, &mut |message| {
                    (handed.entries, handed.next) = message.told_of(shard, from)?;
                    Ok(())
                })?;
                Ok(Answer::Text(handed.encode()))
            }
            Call::Tell(told) => {
                self.with_message(|message| message.tell(&told))?;
                self.tell_list();
                Ok(Answer::Done)
            }
            Call::Verify(id, sighting) => {
                if self.with_message(|message| message.verify(id, &sighting))? == Seen::Counted {
                    log::failure("verify.refused", &id.to_string(), &"its click was counted and not stored");
                }
                Ok(Answer::Done)
            }
            Call::Erase(ts_ms, recipient_id) => {
                let erased = self.with_known(|message| message.erase(recipient_id.as_deref(), ts_ms))?;
                if let Some(rows @ 1..) = erased.map(|erasure| erasure.unreadable) {
                    log::failure("message.unreadable", &self.name(), &rows);
                }
                Ok(Answer::Done)
            }
            Call::Poke => {
                self.with_known(|message| {
                    message.poked();
                    Ok(())
                })?;
                Ok(Answer::Done)
            }
            Call::Reship => {
                let events = self.with_known(Message::reship)?.unwrap_or_default();
                Ok(Answer::json(&Reshipped { events }))
            }
        }
    }

    /// What is counted: nothing of a message that is not there.
    pub(super) fn counted(&self) -> Result<Part> {
        let retention_ms = settings::config(&self.env).retention_ms;
        let part = self.with_known(|message| {
            let known_from_ms = message.known_from_ms(retention_ms)?;
            Ok(Part { known_from_ms, ..message.part()? })
        })?;
        Ok(part.unwrap_or_default())
    }

    /// Answers a call to the list of messages.
    pub(super) fn answer_of_list(&self, path: &str, body: &[u8]) -> Result<Answer> {
        let list = List::new(self.rows());
        let mut answer = Ok(String::new());
        transaction(&self.state, &mut || {
            answer = list.answer(path, &String::from_utf8_lossy(body))?;
            Ok(())
        })?;
        Ok(match answer {
            Ok(text) => Answer::Text(text),
            Err(words) => Answer::Refused(words.to_owned()),
        })
    }
}
