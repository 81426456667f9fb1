//! A click's landing page was shown, or touched: a fact about the click, which may come before the click does, and long
//! after its verdict.
//!
//! There is one row for each click that was verified, written again only when the page showed more: ten thousand beacons are
//! one fact. An unsettled click settles with it. A settled one that is still in memory is judged again when the time for
//! late news is over, so that one revision tells both that its page was shown and that it was touched; an older one at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::history::around;
use super::{Message, Store};
use crate::link::Kind;
use crate::signals::{EventId, Record};
use crate::verdict::{Click, Verified};

/// One report of a landing page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Its own id, which dates it.
    pub event_id: EventId,
    /// What the page showed.
    pub verified: Verified,
    /// How long after the page was shown it was touched, as the page tells, milliseconds.
    pub since_load_ms: Option<i64>,
}

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
        let mut known = self.recent.get(&id).map(|recent| recent.click.verified);
        if known.is_none() {
            self.store.verifications(&[id], &mut |_, sighting| known = Some(sighting.verified))?;
        }
        if known.unwrap_or_default() >= sighting.verified {
            return Ok(Seen::Known);
        }
        self.store.put_verification(id, sighting)?;
        self.has_verifications = true;
        if let Some(recent) = self.recent.get_mut(&id) {
            recent.click.verified = sighting.verified;
            if recent.settled.is_some() {
                self.grown.insert(id, self.judging.due_ms(sighting.event_id.ts_ms()));
            }
        } else if id.ts_ms() < self.covered_from_ms {
            self.amend_old(id)?;
        }
        Ok(Seen::Taken)
    }

    /// Judges again a click that memory has let go of, and those whose campaign it no longer counts in.
    fn amend_old(&mut self, id: EventId) -> Result<(), S::Error> {
        let mut click = None;
        self.store.clicks_by_id(&[id], &mut |_, json| {
            click = Record::parse(&json).ok().map(|record| Click::of(&record, None));
        })?;
        // A click that has not come yet finds its verification when it does.
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
