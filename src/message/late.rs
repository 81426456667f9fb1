//! Clicks that come late settle in sweeps: they wait for each other, and go in the order of time then.
//!
//! A click from before the window is judged beside what lies around it in rows. Where records of days come in no order of time, an
//! alarm that settled what had come since the last one would read all of the message for a few clicks of each hour. So they wait,
//! while more of them come, until they are a share of what has settled; then alarms go from the first of them to the last and
//! not back to what comes meanwhile, which is the next sweep's. What a sweep reads is the message once, at most.

use std::collections::BTreeSet;

use super::Message;
use super::history::{Clicks, merged};
use super::sql::Database;
use crate::event::pack;
use crate::record::{Delivery, EventId};
use crate::verdict::Click;
use crate::verdict::reach::{CARRY_AFTER_MS, CARRY_BEFORE_MS};

/// A message of so few verdicts is read in a moment: nobody waits.
const FEW: usize = 8_192;

/// One late click for so many verdicts is enough for a sweep.
const SHARE: usize = 2;

/// So many are enough in any case, because they are held in memory.
const ENOUGH: usize = 16_384;

/// The most clicks around late ones that are held in memory beside the window.
const MOST_HELD: usize = 32_768;

/// The most alarms in a row that leave late clicks waiting.
const MOST_WAITS: u32 = 16;

/// The sweep, and what waits for it.
#[derive(Default)]
pub(super) struct Sweep {
    /// Late clicks that have come since the last alarm.
    pub came: usize,
    /// The alarms in a row that have left them waiting.
    waits: u32,
    /// Where the sweep goes on; `None` where none is under way.
    next: Option<EventId>,
}

impl Sweep {
    /// From where late clicks settle now, of which so many wait beside so many verdicts; `None` where they wait for more.
    pub(super) fn start(&mut self, waiting: usize, verdicts: usize) -> Option<EventId> {
        let came = std::mem::take(&mut self.came);
        let is_enough = verdicts < FEW || waiting >= ENOUGH.min(verdicts / SHARE);
        if came == 0 || is_enough || self.next.is_some() || self.waits >= MOST_WAITS {
            self.waits = 0;
            return Some(self.next.unwrap_or(EventId::first_of(0)));
        }
        self.waits += 1;
        None
    }

    /// Whether it has not come to its end.
    pub(super) fn is_under_way(&self) -> bool {
        self.next.is_some()
    }

    /// It goes on with a click, or with `None` it has come to its end.
    pub(super) fn goes_on(&mut self, next: Option<EventId>) {
        self.next = next;
    }
}

impl<D: Database> Message<D> {
    /// Reads what lies around late clicks that are due, once for all that is asked of it: stretches of the message, which the window
    /// holds until the alarm ends. Those for whose stretches there is no room are not due yet; where there is none for the first,
    /// all are due, and each question is asked of rows.
    pub(super) fn read_stretches(&mut self, due: &mut BTreeSet<EventId>) -> Result<(), D::Error> {
        let start_ms = self.window.start_ms();
        let around_ms = 2 * self.judging.reach_ms() + CARRY_BEFORE_MS + CARRY_AFTER_MS;
        let late = due.range(..EventId::first_of(start_ms)).map(|id| id.ts_ms());
        let around =
            late.map(|ms| (ms.saturating_sub(around_ms), ms.saturating_add(around_ms).min(start_ms - 1)));
        let spans = merged(&around.collect::<Vec<_>>());
        let mut stretches: Vec<(i64, i64)> = Vec::new();
        let mut read = Clicks::default();
        for (from_ms, until_ms) in spans {
            let (from, until) = (EventId::first_of(from_ms), EventId::first_of(until_ms + 1));
            let room = MOST_HELD.saturating_sub(read.len());
            let (mut count, mut last_ms) = (0, from_ms);
            self.rows.clicks(from, until, room, &mut |id, record| {
                (count, last_ms) = (count + 1, id.ts_ms());
                read.extend(record.map(|record| (id, Click::of(&record, Delivery::default()))));
            })?;
            if count < room {
                stretches.push((from_ms, until_ms));
                continue;
            }
            // The last moment may have more.
            stretches.extend((last_ms > from_ms).then_some((from_ms, last_ms - 1)));
            let end = EventId::first_of(last_ms.saturating_sub(around_ms));
            if due.range(..end).next().is_some() {
                let start = EventId::first_of(start_ms);
                due.retain(|id| *id < end || *id >= start);
                self.timers.sweep.goes_on(self.timers.unsettled.range(end..start).next().copied());
            } else {
                stretches.clear();
            }
            break;
        }
        self.later().set(&mut read)?;
        let mut settled = self.settled_in(&stretches)?;
        for (id, click) in read {
            if self.window.get(id).is_none()
                && let Some(verdict) = settled.remove(id)
            {
                self.window.insert(id, click, i64::MAX);
                self.window.settle(id, verdict);
            }
        }
        self.window.set_stretches(stretches);
        Ok(())
    }

    /// Loads the late clicks that have not settled: those from before the window that stand in no pack.
    pub(super) fn load_late(&mut self) -> Result<(), D::Error> {
        let (from_ms, until_ms) = (self.watermark.late_from_ms, self.window.start_ms());
        if from_ms >= until_ms {
            return Ok(());
        }
        let (mut settled, mut ids) = (BTreeSet::new(), Vec::new());
        self.rows.pack_keys(from_ms, until_ms - 1, &mut |_, keys| {
            settled.extend(pack::keys(keys).map(|(id, _)| id));
        })?;
        let (from, until) = (EventId::first_of(from_ms), EventId::first_of(until_ms));
        let (window, timers, came_ms) = (&mut self.window, &mut self.timers, self.watermark.settled_to_ms);
        self.rows.clicks(from, until, usize::MAX, &mut |id, record| {
            if settled.contains(&id) {
                return;
            }
            let Some(record) = record else {
                window.unreadable += 1;
                return;
            };
            window.insert(id, Click::of(&record, Delivery::default()), came_ms);
            window.keep(id, record);
            timers.unsettled.insert(id);
            ids.push(id);
        })?;
        for (id, repeats) in self.rows.repeats(from, until)? {
            if let Some(entry) = window.get_mut(id) {
                entry.repeats = repeats;
            }
        }
        let mut seen = Vec::new();
        self.sightings(&ids, &mut |id, sighting| seen.push((id, sighting.verified)))?;
        for (id, verified) in seen {
            if let Some(entry) = self.window.get_mut(id) {
                entry.click.verified = verified;
            }
        }
        Ok(())
    }
}
