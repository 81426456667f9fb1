//! Who is told of this object: the message's first object, and the list of messages.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;

use super::{Knows, MessageObject};
use crate::edge::clock::now_ms;
use crate::edge::failure::Failure;
use crate::edge::runtime::{Error, Result};
use crate::edge::{log, stub};
use crate::link::shard;
use crate::message::Message;
use crate::message::call::{Call, Handed};
use crate::message::list;
use crate::message::wanted::Filter;

impl MessageObject {
    /// Tells the list of a message that has settled once at most, where this life of the object has not: whether an earlier one
    /// has is not known.
    pub(super) fn list_if_new(&self) {
        let is_new = self.message.borrow().as_ref().is_some_and(Message::is_new);
        if is_new && !self.listed.get() {
            self.tell_list();
        }
    }

    /// Tells the message's first object how many share it, and asks it for what was told of the recipients of this one before: whoever
    /// has only the message's id asks there. A shard that begins does so, with its first call; where that fails, with each alarm.
    pub(super) async fn tell_first(&self, again: bool) -> Result<()> {
        let Some((first, shard)) = self.owed(again) else { return Ok(()) };
        self.first_knows.set(Knows::Yes);
        let mut next = Some(0);
        while let Some(from) = next {
            let answer = stub::ask_text(&self.env, &first, &Call::Shards { shard, from }).await;
            let handed = answer.and_then(|text| Handed::decode(&text).ok_or(Failure::Unreadable(text)));
            match handed {
                Ok(handed) => {
                    if !handed.entries.is_empty() {
                        self.in_transaction(true, &mut |message| message.hear(&handed.entries))?;
                    }
                    next = handed.next;
                }
                Err(failure) => {
                    self.first_knows.set(Knows::No);
                    log::failure("shards.untold", &self.name(), &failure);
                    return Ok(());
                }
            }
        }
        self.arm().await
    }

    /// The address of the message's first object, and which shard this is, where that may not be known there.
    pub(super) fn owed(&self, again: bool) -> Option<(String, u32)> {
        let slot = self.message.borrow();
        let message = slot.as_ref()?;
        let (id, shard) = shard::of_name(message.name()).filter(|(_, shard)| *shard > 0)?;
        let is_owed = match self.first_knows.get() {
            Knows::Perhaps => message.is_new(),
            Knows::Yes => false,
            Knows::No => again,
        };
        is_owed.then(|| (shard::address(id, 0, message.shards()), shard))
    }

    /// Tells the list of messages of this one, beside whatever else is done: nothing waits for it. What it does not hear is told with
    /// the next alarm, or with what the sender tells next.
    pub(super) fn tell_list(&self) {
        let slot = self.message.borrow();
        let Some(message) = slot.as_ref() else { return };
        let heard_ms = message.first_ms().unwrap_or_else(now_ms);
        // The shards of one message are one message.
        let id = message.name().split('#').next().unwrap_or_default();
        let (env, body, listed) = (self.env.clone(), format!("{heard_ms} {id}"), Rc::clone(&self.listed));
        listed.set(true);
        spawn_local(async move {
            if let Err(failure) = stub::ask(&env, list::NAME, list::HEARD, &body).await {
                listed.set(false);
                log::failure("list.untold", &body, &failure);
            }
        });
    }

    /// Whether this is the first object of several of which another has clicks: by the first all are known.
    pub(super) async fn has_others(&self) -> Result<bool> {
        let calls = stub::Calls::default();
        self.with_known(|message| {
            let addresses = shard::of_name(message.name())
                .filter(|(_, shard)| *shard == 0)
                .map_or_else(Vec::new, |(id, _)| shard::addresses(id, message.shards()));
            for address in addresses.iter().skip(1) {
                calls.add(address, &Call::Page { after: None, limit: 1, filter: Filter::default() });
            }
            Ok(())
        })?;
        let pages = calls.ask(&self.env).await.map_err(|failure| Error::Words(failure.to_string()))?;
        Ok(pages.iter().any(|page| !page.is_empty()))
    }
}
