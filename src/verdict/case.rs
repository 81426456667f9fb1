//! A case: one click with all that was found around it, as the rules see it.

use std::rc::Rc;

use super::bursts;
use super::convictions::Carried;
use super::windows::{Around, Role, Windows};
use super::{Click, Ruleset, Thresholds};
use crate::record::Verified;
use crate::signals::votes::{FIRST_MINUTE_MS, Sign, UNKNOWN_HEADERS, Votes};

/// One click with all that the rules look at.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The click itself.
    pub click: &'a Click,
    /// Its time since the clock, never negative, milliseconds.
    pub delta_ms: i64,
    /// Its place in a pair, with the other's `event_id`.
    pub pair: Option<(Role, &'a str)>,
    /// What was seen around it.
    pub around: Around,
    /// The conviction of its source that reaches it, once those are known (ruleset `full`).
    pub carried: Option<Carried>,
    /// What the landing page showed, as far as the rule that asks may see it.
    pub page: Verified,
    /// The rules that ask.
    pub ruleset: Ruleset,
    /// The windows and counts in force.
    pub thresholds: &'a Thresholds,
}

impl Windows {
    /// The click at `at` with all that was found around it.
    #[must_use]
    pub fn case<'a>(&self, clicks: &'a [Rc<Click>], at: usize, thresholds: &'a Thresholds) -> Case<'a> {
        let around = self.around(at);
        Case {
            click: &clicks[at],
            delta_ms: clicks[at].delta_ms(),
            pair: around.pair.map(|pair| (pair.role, clicks[pair.other].event_id.as_ref())),
            around,
            carried: None,
            page: clicks[at].verified,
            ruleset: self.ruleset(),
            thresholds,
        }
    }
}

impl Case<'_> {
    /// Every vote on the click: its signals', and what the clock says.
    #[must_use]
    pub fn votes(&self) -> Votes {
        let mut votes = self.click.signals.votes;
        if self.around.has_fresh_cookie {
            votes = votes.without(Sign::ReturningCookie);
        }
        votes.note(Sign::ReturnWithoutCookie, self.around.returns_without_cookie);
        votes.note(Sign::Interacted, self.page == Verified::Interacted);
        votes.note(Sign::Rendered, self.page == Verified::Rendered);
        votes.note(Sign::FirstSeconds, self.delta_ms < 10_000);
        votes.note(Sign::FirstMinute, (10_000..=FIRST_MINUTE_MS).contains(&self.delta_ms));
        votes.note(Sign::BeforeDelivery, self.click.is_before_delivery());
        votes
    }

    /// The benefit of the doubt where no headers are known.
    fn doubt(&self) -> i32 {
        if self.click.signals.knows_headers { 0 } else { UNKNOWN_HEADERS }
    }

    /// The points of its sweep with what speaks beside it.
    #[must_use]
    pub fn sweep_points(&self) -> i32 {
        let tabs = if self.click.signals.knows_headers { 0 } else { self.around.sweep.tabs() };
        self.around.sweep.points - tabs + self.votes().sum().min(bursts::MAX_VOTES) + self.doubt()
    }

    /// The points of its fan-out with what speaks beside it.
    #[must_use]
    pub fn fanout_points(&self) -> i32 {
        self.around.fanout.points + self.votes().sum().min(bursts::MAX_VOTES) + self.doubt()
    }

    /// Whether a person is proven, so that what is only probable does not stand. The published table knows no proof.
    #[must_use]
    pub fn has_proof(&self) -> bool {
        let by_cookie = !self.around.has_fresh_cookie && self.click.signals.is_proof();
        self.ruleset == Ruleset::Full && (self.click.is_touched() || by_cookie)
    }
}
