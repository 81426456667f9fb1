//! A click arrives: it is stored, or counted where one link is flooded, or known already.

use super::Message;
use super::sql::Database;
use super::window::Absent;
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

impl<D: Database> Message<D> {
    /// Takes a click in; `json` is its record as it is stored. The same click twice is the same as once.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn ingest(&mut self, record: Record, json: &str) -> Result<Arrival, D::Error> {
        let Some(id) = EventId::parse(&record.event_id).filter(|id| id.ts_ms() == record.ts_ms) else {
            return Ok(Arrival::Refused);
        };
        if self.window.get(id).is_some() || self.window.absent(id) == Some(Absent::Counted) {
            return Ok(Arrival::Known);
        }
        // The window holds every click from its start on; before that, rows do.
        if record.ts_ms < self.window.start_ms() && self.is_stored(id)? {
            return Ok(Arrival::Known);
        }
        let mut click = Click::of(&record, None);
        if let Some(delivered_at_ms) = self.later().delivered_at_ms(click.recipient)? {
            click.clock_ms = delivered_at_ms;
        }
        if let Some(bearer) = self.window.flooded(&click) {
            self.count_on(bearer, id)?;
            return Ok(Arrival::Counted);
        }
        click.verified = self.verified(id)?;
        if self.watermark.is_late(record.ts_ms) {
            self.put_meta()?;
        }
        if !self.rows.insert_click(id, json)? {
            return Ok(Arrival::Known);
        }
        self.window.insert(id, click, record, self.watermark.settled_to_ms);
        self.timers.unsettled.insert(id);
        Ok(Arrival::Stored)
    }

    /// Counts a click on another of the same link and recipient.
    fn count_on(&mut self, bearer: EventId, id: EventId) -> Result<(), D::Error> {
        self.rows.add_repeat(bearer)?;
        self.window.set_absent(id, Absent::Counted);
        if let Some(entry) = self.window.get_mut(bearer) {
            entry.repeats += 1;
            if entry.settled.is_some() {
                self.touch(bearer, self.judging.due_ms(id.ts_ms()));
            }
        }
        Ok(())
    }

    /// Whether there is a row of that id.
    pub(super) fn is_stored(&self, id: EventId) -> Result<bool, D::Error> {
        let mut is_stored = false;
        self.rows.clicks_by_id(&[id], &mut |_, _| is_stored = true)?;
        Ok(is_stored)
    }
}
