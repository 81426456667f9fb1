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

use super::outbox::Pending;
use super::ship::{Item, Outcome, Outgoing};
use super::sql::Database;
use super::{Arrival, Message};
use crate::event::parcel::{Letter, Parcel};
use crate::event::webhook;
use crate::record::{EventId, Kind, Record};
use crate::verdict::{ClickType, Key};

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It stands, from now on or since before.
    Stands,
    /// No act, or its `event_id` is no UUID of its `ts_ms`: nothing changed.
    Refused,
    /// Too many events on one link in a minute: it is counted and does not stand.
    Flooded,
}

/// How many presses of one act are looked at, the newest: behind a person's final one there are no more.
const MAX_PRESSES: usize = 16;

impl<D: Database> Message<D> {
    /// Says that there is somebody to tell acts to, from now on and those of before.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn set_receiver(&mut self) -> Result<(), D::Error> {
        let rows = self.rows.untold()?;
        let pending = |(act, id, kind)| Pending { act, id, waits: waits(kind) };
        self.outbox.acts = Some(rows.into_iter().map(pending).collect());
        Ok(())
    }

    /// Takes an act in. The same one twice is the same as once.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn act(&mut self, record: Record) -> Result<Acted, D::Error> {
        let Some(id) = EventId::parse(&record.event_id).filter(|_| record.kind.acts()) else {
            return Ok(Acted::Refused);
        };
        let (act, kind) = (key(&record), record.kind);
        for (press, _) in self.presses(act)? {
            if press == id {
                return Ok(Acted::Stands);
            }
            // What is not known here stands until it is.
            let stands = self
                .judged(press)?
                .is_none_or(|(_, verdict)| !verdict.is_bot && (verdict.is_final || !waits(kind)));
            if stands {
                return Ok(Acted::Stands);
            }
        }
        match self.ingest(record)? {
            Arrival::Stored => {}
            Arrival::Refused => return Ok(Acted::Refused),
            Arrival::Counted => return Ok(Acted::Flooded),
            Arrival::Known => {
                // It was counted, or it is no act of its own: it stands with the press that was stored with it.
                if !self.is_stored(id)? {
                    return Ok(Acted::Flooded);
                }
            }
        }
        self.rows.put_press(act, id, kind)?;
        if let Some(acts) = &mut self.outbox.acts {
            acts.push(Pending { act, id, waits: waits(kind) });
        }
        Ok(Acted::Stands)
    }

    /// A press on its way to the queue; blocked where its verdict cannot be read here.
    pub(super) fn telling(&mut self, Pending { act, id, .. }: Pending) -> Result<Outgoing, D::Error> {
        let (mut outcome, mut unreadable) = (Outcome::Superseded, 0);
        match self.judged(id)? {
            Some((_, verdict)) if self.is_superseded(act, id, verdict.is_bot)? => {}
            Some((record, verdict)) => {
                let body = webhook::body(&record, &verdict);
                outcome = Outcome::Send(vec![Letter::Text(
                    Parcel::Act { id: record.event_id, body: &body }.seal(),
                )]);
            }
            None => {
                let mut is_readable = false;
                self.rows.clicks_by_id(&[id], &mut |_, record| is_readable = record.is_some())?;
                if is_readable {
                    outcome = Outcome::Blocked(format!("act {id}: its verdict is of a later version"));
                } else {
                    unreadable = 1;
                }
            }
        }
        Ok(Outgoing { item: Item::Act { act, id }, outcome, unreadable })
    }

    /// Whether another press is told in place of one: a person's that is told, and for a scanner's any later one, or a
    /// person's that will be.
    fn is_superseded(&mut self, act: Key, id: EventId, is_bot: bool) -> Result<bool, D::Error> {
        for (press, told) in self.presses(act)?.into_iter().filter(|(press, _)| *press != id) {
            let mut is_person =
                || self.judged(press).map(|judged| judged.is_some_and(|(_, other)| !other.is_bot));
            if is_bot && press > id || (told || is_bot) && is_person()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The newest presses of an act, and whether each is told; of scanners there may be many.
    fn presses(&self, act: Key) -> Result<Vec<(EventId, bool)>, D::Error> {
        let mut presses = self.rows.presses(act)?;
        let old = presses.len().saturating_sub(MAX_PRESSES);
        presses.drain(..old);
        Ok(presses)
    }

    /// The first press that may be told.
    pub(super) fn due_act(&self) -> Option<Pending> {
        let mut acts = self.outbox.acts.iter().flatten();
        let is_open = |press: &Pending| self.timers.unsettled.contains(&press.id);
        acts.find(|press| !press.waits || !is_open(press) && !self.is_held(press)).copied()
    }

    /// Whether a scanner's confirmation waits for another press that may be a person's.
    fn is_held(&self, press: &Pending) -> bool {
        let settled = self.window.get(press.id).and_then(|entry| entry.settled);
        let is_scanners = settled.and_then(|settled| settled.click_type).is_some_and(ClickType::is_bot);
        let may_be_a_persons =
            |other: &Pending| other.act == press.act && self.timers.unsettled.contains(&other.id);
        is_scanners && self.outbox.acts.iter().flatten().any(may_be_a_persons)
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
