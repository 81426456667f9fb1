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
//! - To take an unsubscription back is an act of its own, told as a confirmation is. Each of the two ends the other: a press is behind
//!   those alone since which the other was not pressed, so whoever changes their mind again is heard again. What was taken back is not
//!   told behind which a person unsubscribed once more: it would arrive later than that.
//! - The mark that a press is told moves after the queue has taken the message. A crash before that tells it again under
//!   the same `webhook-id`; nothing is left untold.
//! - In memory are the untold presses, a copy of their rows. Without a receiver none are: rows wait until there is one.

use super::outbox::Pending;
use super::ship::{Item, Outcome, Outgoing};
use super::sql::Database;
use super::{Arrival, Message};
use crate::event::parcel::{Letter, Parcel};
use crate::event::webhook;
use crate::record::{EventId, Kind, Record, Way};
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
        let (act, kind) = (Act::of(&record), record.kind);
        for (press, _) in self.presses(act, id)? {
            if press == id {
                return Ok(Acted::Stands);
            }
            let mut judged = self.judged(press)?;
            if judged.is_none() && self.rebuild_of(press)? {
                judged = self.judged(press)?;
            }
            // What is not known here stands until it is.
            if judged.is_none_or(|(_, verdict)| !verdict.is_bot && (verdict.is_final || !waits(kind))) {
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
        self.rows.put_press(act.key, id, kind)?;
        if let Some(acts) = &mut self.outbox.acts {
            acts.push(Pending { act: act.key, id, waits: waits(kind) });
        }
        Ok(Acted::Stands)
    }

    /// A press on its way to the queue; blocked where its verdict cannot be read here.
    pub(super) fn telling(&mut self, Pending { act, id, .. }: Pending) -> Result<Outgoing, D::Error> {
        let (mut outcome, mut unreadable) = (Outcome::Superseded, 0);
        match self.judged(id)? {
            Some((record, verdict)) if self.is_superseded(Act::of(&record), id, verdict.is_bot)? => {}
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
    /// person's that will be. For what was taken back, a person's who unsubscribed after it, too.
    fn is_superseded(&mut self, act: Act, id: EventId, is_bot: bool) -> Result<bool, D::Error> {
        for (press, told) in self.presses(act, id)?.into_iter().filter(|(press, _)| *press != id) {
            if is_bot && press > id || (told || is_bot) && self.is_persons(press)? {
                return Ok(true);
            }
        }
        if act.undoes {
            for press in self.turns(act)?.into_iter().filter(|press| *press > id) {
                if self.is_persons(press)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether a person pressed, as far as it is known.
    fn is_persons(&mut self, press: EventId) -> Result<bool, D::Error> {
        Ok(self.judged(press)?.is_some_and(|(_, verdict)| !verdict.is_bot))
    }

    /// The newest presses of an act between which and this one nothing ended it, and whether each is told; of scanners there may be
    /// many.
    fn presses(&self, act: Act, id: EventId) -> Result<Vec<(EventId, bool)>, D::Error> {
        let turns = self.turns(act)?;
        let round = |press: EventId| turns.partition_point(|turn| *turn < press);
        let mut presses = self.rows.presses(act.key)?;
        presses.retain(|(press, _)| round(*press) == round(id));
        let old = presses.len().saturating_sub(MAX_PRESSES);
        presses.drain(..old);
        Ok(presses)
    }

    /// The presses that ended an act, oldest first.
    fn turns(&self, act: Act) -> Result<Vec<EventId>, D::Error> {
        let Some(ends) = act.ends else { return Ok(Vec::new()) };
        Ok(self.rows.presses(ends)?.into_iter().map(|(press, _)| press).collect())
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

/// The act that a record is of.
#[derive(Clone, Copy)]
struct Act {
    key: Key,
    /// The act that ends it, and that it ends: an unsubscription is taken back, and made again.
    ends: Option<Key>,
    /// Whether it takes an unsubscription back.
    undoes: bool,
}

impl Act {
    fn of(record: &Record) -> Self {
        // Ids hold no line ends.
        let key = |word: &str| Key::of(&format!("{word}\n{}\n{}", record.recipient_id, record.link()));
        let (unsubscribe, undo) = (Kind::Unsubscribe.name(), Way::Undo.name());
        let undoes = record.kind == Kind::Confirm && record.act.as_deref() == Some(undo);
        match record.kind {
            Kind::Unsubscribe => Self { key: key(unsubscribe), ends: Some(key(undo)), undoes },
            _ if undoes => Self { key: key(undo), ends: Some(key(unsubscribe)), undoes },
            kind => Self { key: key(kind.name()), ends: None, undoes },
        }
    }
}
