//! Acts: an unsubscription or a confirmation takes effect once, however often it is asked for, and its sender is told.
//!
//! An act is one kind on one link by one recipient. Each press that may count is a row of the act: which event it is and
//! whether the queue has taken the message that tells the sender. The event itself is a row like a click's, and settles and
//! ships like one.
//!
//! What holds:
//!
//! - The event is written before its press, so whatever is to be told can be. A crash in between leaves an event without
//!   effect: it was answered with an error, and the next try acts.
//! - A press behind a person's is answered as that one was and writes nothing. A scanner's is in nobody's way: behind it
//!   the next press counts too, and so does every press behind a confirmation whose verdict is not final yet.
//! - An unsubscription is told at once, a confirmation when its verdict is final. Of several presses the first person's is
//!   told; the last scanner's where there is no person.
//! - The mark that a press is told moves after the queue has taken the message. A crash before that tells it again under
//!   the same `webhook-id`; nothing is left untold.
//! - In memory are the untold presses, a copy of their rows. Without a receiver none are: rows wait until there is one.

use super::{Arrival, Message, Store};
use crate::event::parcel::Parcel;
use crate::event::webhook;
use crate::record::Kind;
use crate::record::{EventId, Record};
use crate::verdict::{ClickType, Key};

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It stands, from now on or since before.
    Stands,
    /// No act, or its `event_id` is no UUID of its `ts_ms`: nothing changed.
    Refused,
    /// Too many events on one link in a minute: nothing changed.
    Flooded,
}

/// How many presses of one act are looked at, the newest: behind a person's final one there are no more.
const MAX_PRESSES: usize = 16;

/// A press that the queue has not taken.
#[derive(Clone, Copy)]
pub(super) struct Untold {
    act: Key,
    id: EventId,
    /// It waits for its verdict.
    waits: bool,
}

/// What the queue is to take next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    act: Key,
    /// The press.
    pub id: EventId,
    /// What becomes of it.
    pub word: Word,
}

/// What becomes of a press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The queue's message.
    Send(String),
    /// Another press of the act is told in its place.
    Superseded,
    /// The event cannot be read: rows are damaged.
    Unreadable,
}

impl<S: Store> Message<S> {
    /// Says that there is somebody to tell acts to, from now on and those of before.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn set_receiver(&mut self) -> Result<(), S::Error> {
        let rows = self.store.untold()?;
        let untold = |(act, id, kind)| Untold { act, id, waits: waits(kind) };
        self.untold = Some(rows.into_iter().map(untold).collect());
        Ok(())
    }

    /// Takes an act in. The same one twice is the same as once.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn act(&mut self, record: &Record, json: &str) -> Result<Acted, S::Error> {
        let Some(id) = EventId::parse(&record.event_id).filter(|_| record.kind.acts()) else {
            return Ok(Acted::Refused);
        };
        let act = key(record);
        for (press, _) in self.presses(act)? {
            if press == id {
                return Ok(Acted::Stands);
            }
            // What is not known here stands until it is.
            let stands = self
                .judged(press)?
                .is_none_or(|(_, verdict)| !verdict.is_bot && (verdict.is_final || !waits(record.kind)));
            if stands {
                return Ok(Acted::Stands);
            }
        }
        match self.arrive(record, json)? {
            Arrival::Stored => {}
            Arrival::Refused => return Ok(Acted::Refused),
            Arrival::Counted => return Ok(Acted::Flooded),
            Arrival::Known => {
                // It was stored before a crash; or counted, and then there is nothing that could stand.
                let mut stored = false;
                self.store.clicks_by_id(&[id], &mut |_, _| stored = true)?;
                if !stored {
                    return Ok(Acted::Flooded);
                }
            }
        }
        self.store.put_press(act, id, record.kind)?;
        if let Some(untold) = &mut self.untold {
            untold.push(Untold { act, id, waits: waits(record.kind) });
        }
        Ok(Acted::Stands)
    }

    /// The next press that is to be told, once the queue's pause is over; the inner error says why its verdict cannot be
    /// read here: a later version wrote it, and it waits for that version to be back.
    ///
    /// # Errors
    /// When storage fails.
    pub fn telling(&self, now_ms: i64) -> Result<Option<Result<Telling, String>>, S::Error> {
        let Some(Untold { act, id, .. }) = self.due_press().filter(|_| now_ms >= self.meta.retry_at_ms)
        else {
            return Ok(None);
        };
        let word = match self.judged(id)? {
            Some((_, verdict)) if self.is_superseded(act, id, verdict.is_bot)? => Word::Superseded,
            Some((record, verdict)) => {
                let body = webhook::body(&record, &verdict);
                Word::Send(Parcel::Act { id: record.event_id, body: &body }.seal())
            }
            None => {
                let mut is_readable = false;
                self.store.clicks_by_id(&[id], &mut |_, json| is_readable = Record::parse(&json).is_ok())?;
                if is_readable {
                    return Ok(Some(Err(format!("act {id}: its verdict is of a later version"))));
                }
                Word::Unreadable
            }
        };
        Ok(Some(Ok(Telling { act, id, word })))
    }

    /// Whether another press is told in place of one: a person's that is told, and for a scanner's any later one, or a
    /// person's that will be.
    fn is_superseded(&self, act: Key, id: EventId, is_bot: bool) -> Result<bool, S::Error> {
        for (press, told) in self.presses(act)?.into_iter().filter(|(press, _)| *press != id) {
            let is_person =
                || self.judged(press).map(|judged| judged.is_some_and(|(_, other)| !other.is_bot));
            if is_bot && press > id || (told || is_bot) && is_person()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The newest presses of an act, and whether each is told; of scanners there may be many.
    fn presses(&self, act: Key) -> Result<Vec<(EventId, bool)>, S::Error> {
        let mut presses = self.store.presses(act)?;
        let old = presses.len().saturating_sub(MAX_PRESSES);
        presses.drain(..old);
        Ok(presses)
    }

    /// The queue has taken the message, or there is none to take.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn told(&mut self, telling: &Telling) -> Result<(), S::Error> {
        self.store.mark_told(telling.act, telling.id)?;
        if let Some(untold) = &mut self.untold {
            untold.retain(|untold| untold.act != telling.act || untold.id != telling.id);
        }
        self.not_refused()
    }

    /// The first press that may be told.
    pub(super) fn due_press(&self) -> Option<Untold> {
        let mut untold = self.untold.iter().flatten();
        untold
            .find(|untold| !untold.waits || !self.unsettled.contains(&untold.id) && !self.is_held(untold))
            .copied()
    }

    /// Whether a scanner's confirmation waits for another press that may be a person's.
    fn is_held(&self, press: &Untold) -> bool {
        let settled = self.recent.get(&press.id).and_then(|recent| recent.settled);
        let is_scanners = settled.and_then(|settled| settled.click_type).is_some_and(ClickType::is_bot);
        let may_be_a_persons = |other: &&Untold| other.act == press.act && self.unsettled.contains(&other.id);
        is_scanners && self.untold.iter().flatten().any(|other| may_be_a_persons(&other))
    }
}

/// A sender must stop mailing at once; what a confirmation sets off cannot be taken back.
fn waits(kind: Kind) -> bool {
    kind == Kind::Confirm
}

/// The act that a record is of: ids hold no line ends.
fn key(record: &Record) -> Key {
    Key::of(&format!("{}\n{}\n{}", record.kind.name(), record.recipient_id, record.link()))
}
