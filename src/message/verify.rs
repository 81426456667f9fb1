//! A click's landing page was shown, or touched: a fact about the click, which may come before the click does, and long
//! after its verdict.
//!
//! There is one row for each click that was verified, written again only when the page showed more: ten thousand beacons are
//! one fact. An unsettled click settles with it. A settled one is judged again: a recent one two seconds later, together with
//! others of which there is news, and no later than a restart would still find it among the open windows; an older one at
//! once.

use std::collections::{BTreeMap, BTreeSet};

use super::history::around;
use super::{Message, Store};
use crate::record::Kind;
use crate::record::Verified;
use crate::record::{EventId, Record, Sighting};
use crate::verdict::Click;

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

impl<S: Store> Message<S> {
    /// Takes in what a landing page showed of a click. Whoever calls has checked that the page may speak for it.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn verify(&mut self, id: EventId, sighting: &Sighting) -> Result<Seen, S::Error> {
        if self.counted.contains(&id) {
            return Ok(Seen::Counted);
        }
        if self.verified(id)? >= sighting.verified {
            return Ok(Seen::Known);
        }
        self.has_verifications = true;
        let now_ms = sighting.event_id.ts_ms();
        let kept_ms = self.judging.due_ms(id.ts_ms()).saturating_add(self.judging.reach_ms());
        let amends_at_once = match self.recent.get_mut(&id) {
            Some(recent) => {
                recent.click.verified = sighting.verified;
                let is_settled = recent.settled.is_some();
                if is_settled && now_ms < kept_ms {
                    self.grown.insert(
                        id,
                        now_ms.saturating_add(crate::verdict::judging::RECORDING_LAG_MS).min(kept_ms),
                    );
                }
                is_settled && now_ms >= kept_ms
            }
            None if id.ts_ms() < self.covered_from_ms => true,
            // A click that has not come yet finds its verification when it does.
            None => {
                self.early.retain(|(early, _)| *early != id);
                self.early.push((id, sighting.verified));
                false
            }
        };
        if amends_at_once {
            // The row comes last: where it is missing, the same report is told once more and changes nothing.
            self.unstored = Some((id, sighting.clone()));
            self.amend_at_once(id)?;
            self.unstored = None;
        }
        self.store.put_verification(id, sighting)?;
        Ok(Seen::Taken)
    }

    /// What the landing page of a click has shown so far: in the reach of memory no row is asked for it.
    pub(super) fn verified(&self, id: EventId) -> Result<Verified, S::Error> {
        let mut verified = Verified::None;
        if let Some(recent) = self.recent.get(&id) {
            verified = recent.click.verified;
        } else if id.ts_ms() >= self.covered_from_ms {
            let early = self.early.iter().find(|(early, _)| *early == id);
            verified = early.map_or(verified, |(_, early)| *early);
        } else if self.has_verifications {
            self.store.verifications(&[id], &mut |_, sighting| verified = sighting.verified)?;
        }
        Ok(verified)
    }

    /// Judges a settled click again, and those whose campaign it no longer counts in.
    fn amend_at_once(&mut self, id: EventId) -> Result<(), S::Error> {
        let mut click = None;
        self.store.clicks_by_id(&[id], &mut |_, json| {
            click = Record::parse(&json).ok().map(|record| Click::of(&record, None));
        })?;
        let Some(mut click) = click.filter(|click| click.kind == Kind::Click) else { return Ok(()) };
        self.later().set([(id, &mut click)])?;
        self.know_elders()?;
        let mut clicks = BTreeMap::new();
        if click.is_touched() && click.signals.is_microsoft() {
            let span = around(click.ts_ms, self.judging.thresholds.campaign_ms);
            clicks = self.clicks_in(&[span], &|_, other| {
                other.kind == Kind::Click && other.signals.is_microsoft() && other.url == click.url
            })?;
        }
        clicks.insert(id, click);
        clicks.retain(|id, _| !self.unsettled.contains(id));
        self.issue(clicks, &BTreeSet::new(), self.open_from_ms)?;
        Ok(())
    }
}
