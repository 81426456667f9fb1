//! The engine: clicks in, findings out. [`Judgement`] sees a slice of a message, [`JudgedHistory`] a whole one with what its
//! convictions carry over. The object uses the first and keeps convictions itself, the CLI and the tests the second.

use std::rc::Rc;

use super::case::Case;
use super::convictions::{Carried, Convictions};
use super::evidence::Views;
use super::explain::{self, Explanation};
use super::{Click, Finding, Judging, Look, Ruleset, Thresholds, Windows, rules};

/// A slice of one message's clicks with all that was seen around them, ready to be judged.
///
/// A verdict is exact when the slice holds all that its click depends on: the recipient's clicks, and around it, for a
/// click from Microsoft's network those on its URL within [`Thresholds::campaign_ms`], in ruleset `full` those of its
/// source within [`REACH_MS`](super::bursts::REACH_MS).
pub struct Judgement<'a> {
    clicks: &'a [Rc<Click>],
    windows: Windows,
    thresholds: &'a Thresholds,
}

impl<'a> Judgement<'a> {
    /// Looks at `clicks`, which must be of one message and sorted by [`Click::order`].
    #[must_use]
    pub fn of(clicks: &'a [Rc<Click>], ruleset: Ruleset, thresholds: &'a Thresholds, look: Look) -> Self {
        Self { clicks, windows: Windows::of(clicks, ruleset, thresholds, look), thresholds }
    }

    /// The same beside what other objects of the message show.
    #[must_use]
    pub fn beside(mut self, judging: &Judging, views: &Views) -> Self {
        if !views.0.is_empty() {
            self.windows.see_elsewhere(self.clicks, judging, views);
        }
        self
    }

    /// What the click at `at` shows without its source's convictions.
    #[must_use]
    pub fn base(&self, at: usize) -> Finding {
        rules::decide(&self.case(at))
    }

    /// What it shows beside a conviction of its source.
    #[must_use]
    pub fn with_carry(&self, at: usize, carried: Carried) -> Finding {
        rules::decide(&Case { carried: Some(carried), ..self.case(at) })
    }

    /// The click at `at` with all that was found around it.
    #[must_use]
    pub fn case(&self, at: usize) -> Case<'_> {
        self.windows.case(self.clicks, at, self.thresholds)
    }
}

/// A whole history judged: all clicks of one message.
pub struct JudgedHistory<'a> {
    judgement: Judgement<'a>,
    convictions: Convictions,
    findings: Vec<Finding>,
}

impl<'a> JudgedHistory<'a> {
    /// Judges `clicks`, which must be all of one message's, sorted by [`Click::order`].
    #[must_use]
    pub fn of(clicks: &'a [Rc<Click>], ruleset: Ruleset, thresholds: &'a Thresholds) -> Self {
        let judgement = Judgement::of(clicks, ruleset, thresholds, Look::Whole);
        let mut findings: Vec<Finding> = (0..clicks.len()).map(|at| judgement.base(at)).collect();
        let mut convictions = Convictions::default();
        if ruleset == Ruleset::Full {
            for (click, finding) in clicks.iter().zip(&findings) {
                if let Some(kind) = rules::conviction(click.kind, finding) {
                    convictions.add(click, kind);
                }
            }
            let open = findings.iter_mut().zip(clicks).enumerate();
            for (at, (finding, click)) in
                open.filter(|(_, (finding, click))| rules::is_undecided(click.kind, finding))
            {
                if let Some(carried) = convictions.reaching(click) {
                    *finding = judgement.with_carry(at, carried);
                }
            }
        }
        Self { judgement, convictions, findings }
    }

    /// What was found, in the order of the clicks.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Why, for the click at `at`.
    #[must_use]
    pub fn explain(&self, at: usize) -> Explanation {
        let case = self.judgement.case(at);
        let carried = self.findings.get(at).filter(|finding| rules::is_undecided(case.click.kind, finding));
        let carried = carried.and_then(|_| self.convictions.reaching(case.click));
        explain::explain(&Case { carried, ..case })
    }
}

/// Judges every click of a whole history: `clicks` must be all of one message's, sorted by [`Click::order`].
#[must_use]
pub fn judge(clicks: &[Rc<Click>], ruleset: Ruleset, thresholds: &Thresholds, look: Look) -> Vec<Finding> {
    match look {
        Look::Whole => JudgedHistory::of(clicks, ruleset, thresholds).into_findings(),
        Look::Back => {
            let judgement = Judgement::of(clicks, ruleset, thresholds, look);
            (0..clicks.len()).map(|at| judgement.base(at)).collect()
        }
    }
}
