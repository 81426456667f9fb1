//! A click arrives: it is stored, or counted where one link is flooded, or known already.

use super::{FLOOD_CLICKS, FLOOD_MS, Message, Recent, Store};
use crate::record::{EventId, Record};
use crate::verdict::Click;

/// What became of a click that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was stored and will settle.
    Stored,
    /// It was counted on the last stored click of its link and recipient.
    Counted,
    /// It had arrived before: nothing changed.
    Known,
    /// Its `event_id` is no UUID of its `ts_ms`: nothing changed.
    Refused,
}

impl<S: Store> Message<S> {
    /// Takes a click in. The same click twice is the same as once.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn arrive(&mut self, record: &Record, json: &str) -> Result<Arrival, S::Error> {
        let Some(id) = EventId::parse(&record.event_id).filter(|id| id.ts_ms() == record.ts_ms) else {
            return Ok(Arrival::Refused);
        };
        if self.recent.contains_key(&id) || self.counted.contains(&id) {
            return Ok(Arrival::Known);
        }
        // Memory holds every click from there on; before that, rows do.
        if record.ts_ms < self.covered_from_ms {
            let mut known = false;
            self.store.clicks_by_id(&[id], &mut |_, _| known = true)?;
            if known {
                return Ok(Arrival::Known);
            }
        }
        let mut click = Click::of(record, None);
        if let Some(delivered_at_ms) = self.later().delivered_at_ms(click.recipient)? {
            click.clock_ms = delivered_at_ms;
        }
        click.verified = self.verified(id)?;

        if let Some(bearer) = self.flooded(&click, id) {
            self.store.add_repeat(bearer)?;
            self.counted.insert(id);
            if let Some(recent) = self.recent.get_mut(&bearer) {
                recent.repeats += 1;
                if recent.settled.is_some() {
                    self.grown.insert(bearer, self.judging.due_ms(record.ts_ms));
                }
            }
            return Ok(Arrival::Counted);
        }

        if record.ts_ms < self.open_from_ms.min(self.meta.late_from_ms) {
            self.meta.late_from_ms = record.ts_ms;
            self.store.put_meta(&self.meta)?;
        }
        if !self.store.insert_click(id, json)? {
            return Ok(Arrival::Known);
        }
        self.early.retain(|(early, _)| *early != id);
        let late = record.ts_ms.saturating_sub(self.judging.reach_ms()) <= self.settled_to_ms;
        self.floods.entry((click.recipient, click.link, click.kind)).or_default().push_back(id);
        self.recent.insert(id, Recent { click, late, repeats: 0, settled: None });
        self.unsettled.insert(id);
        Ok(Arrival::Stored)
    }

    /// The stored click that a further one of a flood is counted on: the last of its link and recipient.
    fn flooded(&self, click: &Click, id: EventId) -> Option<EventId> {
        let from_ms = click.ts_ms.saturating_sub(FLOOD_MS);
        let stored = self.floods.get(&(click.recipient, click.link, click.kind))?;
        let mut minute =
            stored.iter().filter(|other| other.ts_ms() > from_ms && other.ts_ms() <= id.ts_ms() + FLOOD_MS);
        let last = minute.clone().max()?;
        (minute.by_ref().count() >= FLOOD_CLICKS).then_some(*last)
    }
}
