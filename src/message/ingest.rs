//! Clicks arrive: they are stored, or counted where one link is flooded, or known already.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Message;
use super::by_id::Ids;
use super::sql::Database;
use super::window::Absent;
use crate::record::{Delivery, EventId, Record};
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

/// What a call with clicks writes.
#[derive(Default)]
struct Arrivals {
    /// Ids from before the window that there are already.
    known: Ids,
    /// Of a flood the last are counted and not stored.
    counts: bool,
    stored: Vec<(EventId, Record)>,
    /// How many clicks are counted on which.
    counted: BTreeMap<EventId, i64>,
    /// The mark for late ones has moved.
    is_late: bool,
}

impl<D: Database> Message<D> {
    /// Takes clicks in, in as few rows as hold them. The same click twice is the same as once.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn arrive(&mut self, records: Vec<Record>) -> Result<Vec<Arrival>, D::Error> {
        self.take(records, true)
    }

    /// Takes records in that somebody brings along, with times of their own. All are stored, those of a flood, too: nothing would
    /// know a counted one again when it is brought a second time.
    ///
    /// # Errors
    /// As [`Self::arrive`].
    pub fn replay(&mut self, records: Vec<Record>) -> Result<Vec<Arrival>, D::Error> {
        self.take(records, false)
    }

    fn take(&mut self, records: Vec<Record>, counts: bool) -> Result<Vec<Arrival>, D::Error> {
        let mut arrivals = Arrivals { counts, ..Arrivals::default() };
        // The window holds every click from its start on; before that, rows do.
        let start_ms = self.window.start_ms();
        let old = records.iter().filter(|record| record.ts_ms < start_ms);
        let old: Vec<EventId> = old.filter_map(|record| EventId::parse(&record.event_id)).collect();
        self.rows.clicks_by_id(&old, &mut |id, _| _ = arrivals.known.insert(id))?;
        let mut what = Vec::with_capacity(records.len());
        for record in records {
            what.push(self.arrival(record, &mut arrivals)?);
        }
        let Arrivals { stored, counted, is_late, .. } = arrivals;
        let rows: Vec<(EventId, &Record)> = stored.iter().map(|(id, record)| (*id, record)).collect();
        self.rows.insert_clicks(&rows, self.outbox.sent_pack())?;
        for (id, record) in stored {
            self.window.keep(id, record);
        }
        for (bearer, count) in counted {
            self.rows.add_repeats(bearer, count)?;
        }
        if is_late {
            self.put_meta()?;
        }
        self.save_shard()?;
        Ok(what)
    }

    /// Takes one click in.
    ///
    /// # Errors
    /// As [`Self::arrive`].
    pub fn ingest(&mut self, record: Record) -> Result<Arrival, D::Error> {
        Ok(self.arrive(vec![record])?.pop().unwrap_or(Arrival::Refused))
    }

    fn arrival(&mut self, record: Record, arrivals: &mut Arrivals) -> Result<Arrival, D::Error> {
        let Some(id) = EventId::parse(&record.event_id).filter(|id| id.ts_ms() == record.ts_ms) else {
            return Ok(Arrival::Refused);
        };
        if self.window.get(id).is_some()
            || self.window.absent(id) == Some(Absent::Counted)
            || arrivals.known.contains(&id)
        {
            return Ok(Arrival::Known);
        }
        let mut click = Click::of(&record, Delivery::default());
        click.learn(self.later().delivery(click.recipient)?);
        if let Some(bearer) = self.window.flooded(&click).filter(|_| arrivals.counts) {
            self.count_on(bearer, id);
            *arrivals.counted.entry(bearer).or_default() += 1;
            return Ok(Arrival::Counted);
        }
        click.verified = self.verified(id)?;
        arrivals.is_late |= self.watermark.is_late(record.ts_ms);
        self.timers.sweep.came += usize::from(record.ts_ms < self.window.start_ms());
        self.window.insert(id, Rc::new(click), self.watermark.settled_to_ms);
        self.mark_click(id);
        self.timers.unsettled.insert(id);
        arrivals.stored.push((id, record));
        Ok(Arrival::Stored)
    }

    /// Counts a click on another of the same link and recipient.
    fn count_on(&mut self, bearer: EventId, id: EventId) {
        self.window.set_absent(id, Absent::Counted);
        if let Some(entry) = self.window.get_mut(bearer) {
            entry.repeats += 1;
            if entry.settled.is_some() {
                self.touch(bearer, self.judging.due_ms(id.ts_ms()));
            }
        }
    }

    /// Whether there is a row of that id.
    pub(super) fn is_stored(&self, id: EventId) -> Result<bool, D::Error> {
        let mut is_stored = false;
        self.rows.clicks_by_id(&[id], &mut |_, _| is_stored = true)?;
        Ok(is_stored)
    }
}
