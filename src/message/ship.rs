//! Packs, acts and letters leave by the queue, each at least once.
//!
//! One protocol for all: [`Message::next`] says what is due, the shell gives it to the queue and says [`Message::sent`] or
//! [`Message::refused`]. A mark moves only after the queue has taken what it stands for, a pack's only from where the
//! shipment began: a `reship` in between sets it back and is not undone by a shipment that was under way. To send something
//! twice is harmless: a pack names its object in R2, a press its `webhook-id`.
//!
//! To write a pack's mark is a row, and a message with a click now and then would pay it for each. So it is written when the
//! alarm ends and another is to follow ([`Message::rest`]). Where none is to follow, that no alarm is set says it: an alarm
//! stands until it has come to its end, and there everything has left. The next click's row holds the mark that is known by
//! then.

use super::Message;
use super::by_id::ById;
use super::sql::Database;
use crate::event::body::Unread;
use crate::event::pack::Stored;
use crate::event::parcel::{self, Letter};
use crate::record::EventId;
use crate::verdict::Key;

/// The most sums that one alarm writes: each reads some packs.
const MAX_SUMS: usize = 4;

/// What leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A letter, by its number ([`super::erase`]).
    Letter(u64),
    /// A pack, by its number.
    Pack(u64),
    /// A press.
    Act {
        /// The act that it may stand for.
        act: Key,
        /// Its event.
        id: EventId,
    },
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The queue's messages, each below its size limit.
    Send(Vec<Letter>),
    /// Another press of the act is told in its place, or the pack is too old to be there: there is nothing to send.
    Superseded,
    /// It cannot be read here, for this reason: a later version wrote it, and it waits for that version to be back.
    Blocked(String),
}

/// Something on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What it is.
    pub item: Item,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Events of it that could not be read; 0 unless rows are damaged.
    pub unreadable: usize,
}

impl<D: Database> Message<D> {
    /// What is to leave next, letters first, then acts; nothing while the queue's pause lasts, or once this alarm has taken out its share.
    /// A pack that is damaged is made anew.
    ///
    /// # Errors
    /// When storage fails.
    pub fn next(&mut self, now_ms: i64) -> Result<Option<Outgoing>, D::Error> {
        if self.outbox.letters && now_ms >= self.outbox.retry_at_ms() {
            if let Some((number, letter)) = self.rows.letter()? {
                let outcome = Outcome::Send(vec![letter]);
                return Ok(Some(Outgoing { item: Item::Letter(number), outcome, unreadable: 0 }));
            }
            self.rows.drop_letters()?;
            self.outbox.letters = false;
        }
        if let Some(act) = self.due_act()
            && self.outbox.may_tell(now_ms)
        {
            let telling = self.telling(act)?;
            // Its verdict's pack is made anew where it is damaged: it may have to wait for its verdict once more.
            let is_anew = matches!(telling.outcome, Outcome::Blocked(_)) && self.rebuild_of(act.id)?;
            return if is_anew { self.next(now_ms) } else { Ok(Some(telling)) };
        }
        let Some((number, messages)) = self.outbox.next_pack(now_ms) else { return Ok(None) };
        let (outcome, unreadable) = match messages {
            Some(messages) => (Outcome::Send(messages), 0),
            None => match self.read_pack(number)? {
                Some(read) => read,
                None if self.rebuild(number)? => self.read_pack(number)?.unwrap_or((Outcome::Superseded, 0)),
                None => (Outcome::Superseded, 0),
            },
        };
        Ok(Some(Outgoing { item: Item::Pack(number), outcome, unreadable }))
    }

    /// A pack as it was when it was written; `None` where it is gone or damaged.
    pub(super) fn read_pack(&self, number: u64) -> Result<Option<(Outcome, usize)>, D::Error> {
        let Some(row) = self.rows.pack(number)? else { return Ok(None) };
        let body = match row.open() {
            Ok(body) => body,
            Err(unread @ Unread::Later(_)) => {
                return Ok(Some((Outcome::Blocked(format!("pack {number}: {unread}")), 0)));
            }
            Err(Unread::Damaged) => return Ok(None),
        };
        let ids = row.ids();
        let mut records = ById::default();
        self.rows.clicks_by_id(&ids, &mut |id, record| records.extend(record.map(|record| (id, record))))?;
        let (mut events, mut unreadable) = (Vec::with_capacity(ids.len()), ids.len());
        for (id, entry) in ids.iter().zip(body.entries) {
            if let Some(record) = records.remove(*id) {
                events.push((*id, record, entry));
                unreadable -= 1;
            }
        }
        let messages = match row.body {
            Stored::Bytes(_) => parcel::of_pack(&self.shard.name, row.number, row.first_ms, &events),
            Stored::Json(_) => {
                let lines = |(_, record, entry): parcel::Leaving| {
                    entry.lines(&entry.as_judged(record)).collect::<Vec<_>>()
                };
                let lines: Vec<String> = events.into_iter().flat_map(lines).collect();
                parcel::of_lines(&self.shard.name, row.number, row.first_ms, &lines)
            }
        };
        Ok(Some((Outcome::Send(messages), unreadable)))
    }

    /// The queue has taken it, or there is nothing to take.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn sent(&mut self, item: Item) -> Result<(), D::Error> {
        match item {
            Item::Pack(number) => {
                self.outbox.sent(number);
                return Ok(());
            }
            Item::Letter(number) => self.rows.remove_letter(number)?,
            Item::Act { act, id } => {
                self.rows.mark_told(act, id)?;
                if let Some(acts) = &mut self.outbox.acts {
                    acts.retain(|pending| pending.act != act || pending.id != id);
                }
            }
        }
        if self.outbox.recover() { self.put_meta() } else { Ok(()) }
    }

    /// An alarm ends here: packs are added up where there are enough of them. Marks that have moved are written where another
    /// alarm is to follow, or where that none is set would not say it; and where no late click waits any more.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn rest(&mut self, now_ms: i64) -> Result<(), D::Error> {
        self.add_up(MAX_SUMS)?;
        if self.has_caught_up() {
            self.outbox.owe_mark();
        }
        let alarm_follows = self.wake_ms(now_ms).is_some();
        if self.outbox.owes_mark(alarm_follows) { self.put_meta() } else { Ok(()) }
    }

    /// The queue has refused, or it could not be read: everything waits, longer each time.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn refused(&mut self, now_ms: i64) -> Result<(), D::Error> {
        self.outbox.refused(now_ms);
        self.put_meta()
    }

    /// Sends every settled event again, under the same keys; returns how many.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn reship(&mut self) -> Result<usize, D::Error> {
        let mut events = 0;
        self.rows.packs(i64::MIN, i64::MAX, &mut |row| events += row.events())?;
        if self.outbox.rewind(self.rows.first_pack()?) {
            self.put_meta()?;
        }
        Ok(events)
    }
}
