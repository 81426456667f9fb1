//! Clicks that come late: those from before the window, which holds them until they settle.
//!
//! They settle in sweeps ([`super::sweep`]). What lies around those that an alarm settles is read once, with its verdicts, and held beside
//! the window until the alarm ends: all that is asked of it then is asked of memory.

use super::Message;
use super::by_id::Ids;
use super::history::{Clicks, click_of, merged};
use super::sql::Database;
use crate::event::pack;
use crate::record::EventId;
use crate::verdict::reach::{CARRY_AFTER_MS, CARRY_BEFORE_MS};

/// The most clicks around late ones that are held in memory beside the window.
const MOST_HELD: usize = 32_768;

impl<D: Database> Message<D> {
    /// Reads what lies around late clicks that are due, once for all that is asked of it: stretches of the message, which the window
    /// holds until the alarm ends. Those for whose stretches there is no room are not due yet; where there is none for the first,
    /// all are due, and each question is asked of rows.
    pub(super) fn read_stretches(&mut self, due: &mut Ids) -> Result<(), D::Error> {
        let start_ms = self.window.start_ms();
        // Ranges of one form: each other one is code of its own in the wasm.
        let (oldest, start) = (EventId::first_of(0), EventId::first_of(start_ms));
        let around_ms = 2 * self.judging.reach_ms() + CARRY_BEFORE_MS + CARRY_AFTER_MS;
        let late = due.range(oldest..start).map(|id| id.ts_ms());
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
                read.extend(record.map(|record| (id, click_of(&record))));
            })?;
            if count < room {
                stretches.push((from_ms, until_ms));
                continue;
            }
            // The last moment may have more.
            stretches.extend((last_ms > from_ms).then_some((from_ms, last_ms - 1)));
            let end = EventId::first_of(last_ms.saturating_sub(around_ms));
            if due.range(oldest..end).next().is_some() {
                let later = due.split_off(&end);
                due.extend(later.range(start..EventId::first_of(i64::MAX)).copied());
                self.timers.sweep.goes_on(self.timers.unsettled.range(end..start).next().copied());
            } else {
                stretches.clear();
            }
            break;
        }
        self.later().set(&mut read)?;
        let mut settled = self.settled_in(&stretches, &|_| true)?;
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
        let (mut settled, mut ids) = (Ids::default(), Vec::new());
        self.rows.pack_keys(from_ms, until_ms - 1, &mut |_, keys| {
            settled.extend(pack::keys(keys).map(|(id, _)| id));
        })?;
        let (from, until) = (EventId::first_of(from_ms), EventId::first_of(until_ms));
        self.load_clicks((from, until), self.watermark.settled_to_ms, &mut |id| {
            let is_late = !settled.contains(&id);
            ids.extend(is_late.then_some(id));
            is_late.then_some(None)
        })?;
        let mut seen = Vec::new();
        self.sightings(&ids, &mut |id, sighting| seen.push((id, sighting.verified)))?;
        for (id, verified) in seen {
            if let Some(entry) = self.window.get_mut(id) {
                entry.know().verified = verified;
            }
        }
        Ok(())
    }
}
