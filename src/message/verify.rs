//! A click's landing page was shown, or touched: a fact about the click, which may come before the click does, and long
//! after its verdict.
//!
//! There is one row for each click that was verified, written again only when the page showed more: ten thousand beacons are
//! one fact. An unsettled click settles with it. A settled one is judged again: a recent one two seconds later, together with
//! others of which there is news, and no later than a restart would still find it in the window; an older one at once.

use super::Message;
use super::by_id::Ids;
use super::sql::Database;
use super::window::Absent;
use crate::record::{EventId, Kind, Sighting, Verified};
use crate::verdict::judging::RECORDING_LAG_MS;

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It says more than what was known.
    Taken,
    /// It says no more than what was known: nothing changed.
    Known,
    /// Its click was counted on another and not stored: nothing changed.
    Counted,
}

impl<D: Database> Message<D> {
    /// Takes in what a landing page showed of a click. Whoever calls has checked that the page may speak for it.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn verify(&mut self, id: EventId, sighting: &Sighting) -> Result<Seen, D::Error> {
        if self.window.absent(id) == Some(Absent::Counted) {
            return Ok(Seen::Counted);
        }
        if self.verified(id)? >= sighting.verified {
            return Ok(Seen::Known);
        }
        self.rows.put_verification(id, sighting)?;
        self.mark_click(id);
        let now_ms = sighting.event_id.ts_ms();
        // So long a restart finds the click in the window, and what its page showed beside it.
        let kept_ms = self.judging.due_ms(id.ts_ms()).saturating_add(self.judging.reach_ms());
        if let Some(entry) = self.window.get_mut(id) {
            entry.know().verified = sighting.verified;
            // An unsettled one settles with it.
            if entry.settled.is_some() && now_ms < kept_ms {
                self.touch(id, now_ms.saturating_add(RECORDING_LAG_MS).min(kept_ms));
            } else if entry.settled.is_some() {
                self.amend(id)?;
            }
        } else if id.ts_ms() < self.window.start_ms() {
            self.amend(id)?;
        } else {
            // A click that has not come yet finds its verification when it does.
            self.window.set_absent(id, Absent::Seen(sighting.verified));
        }
        self.save_shard()?;
        Ok(Seen::Taken)
    }

    /// What the landing page of a click has shown so far: in the reach of memory no row is asked for it.
    pub(super) fn verified(&self, id: EventId) -> Result<Verified, D::Error> {
        let mut verified = Verified::None;
        if let Some(entry) = self.window.get(id) {
            verified = entry.click.verified;
        } else if let Some(Absent::Seen(seen)) = self.window.absent(id) {
            verified = seen;
        } else if id.ts_ms() < self.window.start_ms() {
            self.sightings(&[id], &mut |_, sighting| verified = sighting.verified)?;
        }
        Ok(verified)
    }

    /// Judges a settled click from before the window again, and those that see it no longer.
    fn amend(&mut self, id: EventId) -> Result<(), D::Error> {
        let mut clicks = self.stored(&[id])?;
        clicks.retain(|_, click| click.kind == Kind::Click);
        let mut asks = Vec::new();
        for (_, click) in clicks.iter() {
            self.ask_who_saw(click, &mut asks)?;
        }
        self.know_people()?;
        clicks.extend(self.fetch(&asks)?);
        clicks.retain(|id, _| !self.timers.unsettled.contains(&id));
        self.issue(clicks, &Ids::default(), self.watermark.ms)?;
        Ok(())
    }
}
