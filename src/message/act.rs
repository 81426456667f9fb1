//! Acts: an unsubscription or a confirmation takes effect once, however often it is asked for, and its sender is told.
//!
//! An act is one kind on one link by one recipient. Its row says which event stands for it and whether the queue has
//! taken the message that tells the sender; the event itself is a row like a click's, and settles and ships like one.
//!
//! What holds:
//!
//! - The event is written before the act that it stands for, so whatever stands can be told. A crash in between leaves
//!   an event without effect: it was answered with an error, and the next try acts.
//! - A repetition is answered as the first was and writes nothing, unless what stands is a scanner's by its current
//!   verdict: then the new event stands, and is told as one of its own.
//! - An unsubscription is told at once, a confirmation when its verdict is final.
//! - The mark that an act is told moves after the queue has taken the message, and only if the same event still stands.
//!   A crash before that tells it again under the same `webhook-id`; nothing is left untold.
//! - In memory are the untold acts, a copy of their rows. Without a receiver none are: rows wait until there is one.

use super::{Arrival, Message, Store};
use crate::event::webhook;
use crate::link::Kind;
use crate::signals::{EventId, Record};
use crate::verdict::Key;

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

/// An act that the queue has not taken.
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
    /// The event that stands for the act.
    pub id: EventId,
    /// The queue's message; `None` where the event cannot be read: rows are damaged.
    pub message: Option<String>,
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
        let Some(id) = EventId::parse(&record.event_id).filter(|_| acts(record.kind)) else {
            return Ok(Acted::Refused);
        };
        let act = key(record);
        let standing = self.store.act(act)?;
        if standing == Some(id) {
            return Ok(Acted::Stands);
        }
        if let Some(standing) = standing
            && self.judged(standing)?.is_some_and(|(_, verdict)| !verdict.is_bot)
        {
            return Ok(Acted::Stands);
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
        self.store.put_act(act, id, record.kind)?;
        if let Some(untold) = &mut self.untold {
            untold.retain(|untold| untold.act != act);
            untold.push(Untold { act, id, waits: waits(record.kind) });
        }
        Ok(Acted::Stands)
    }

    /// The next act that is to be told, once the queue's pause is over.
    ///
    /// # Errors
    /// When storage fails.
    pub fn telling(&self, now_ms: i64) -> Result<Option<Telling>, S::Error> {
        let Some(Untold { act, id, .. }) = self.due_act().filter(|_| now_ms >= self.meta.retry_at_ms) else {
            return Ok(None);
        };
        let message = self.judged(id)?.map(|(record, verdict)| webhook::message(&record, &verdict));
        Ok(Some(Telling { act, id, message }))
    }

    /// The queue has taken the message, or there is none.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn told(&mut self, telling: &Telling) -> Result<(), S::Error> {
        self.store.mark_told(telling.act, telling.id)?;
        if let Some(untold) = &mut self.untold {
            untold.retain(|untold| untold.act != telling.act || untold.id != telling.id);
        }
        Ok(())
    }

    /// The first act that may be told.
    pub(super) fn due_act(&self) -> Option<Untold> {
        let mut untold = self.untold.iter().flatten();
        untold.find(|untold| !untold.waits || !self.unsettled.contains(&untold.id)).copied()
    }
}

fn acts(kind: Kind) -> bool {
    matches!(kind, Kind::Unsubscribe | Kind::Confirm)
}

/// A sender must stop mailing at once; what a confirmation sets off cannot be taken back.
fn waits(kind: Kind) -> bool {
    kind == Kind::Confirm
}

/// The act that a record is of: ids hold no line ends.
fn key(record: &Record) -> Key {
    Key::of(&format!("{}\n{}\n{}", record.kind.name(), record.recipient_id, record.link()))
}
