//! What a rule is: one item with its id, its words, its settings and the conditions that must all hold.

use super::super::case::Case;
use super::super::{ClickType, Confidence};
use crate::record::Verified;

/// One rule of a table.
pub struct Rule {
    /// The name under which verdicts and events carry it.
    pub id: &'static str,
    /// When it holds, in words.
    pub words: &'static str,
    /// The settings that it obeys.
    pub settings: &'static [&'static str],
    /// What must hold together.
    pub needs: &'static [Condition],
    /// Whether it gives way to a returning cookie with coherent headers where it is only probable. To a touch of the
    /// landing page every rule does.
    pub yields: bool,
    /// What it finds where they do.
    pub found: fn(&Case) -> Found,
    /// What becomes of its source's other clicks.
    pub carries: Carries,
    /// What it looks at, as verdicts tell it, whether it holds or not: every signal of the table that spoke is told.
    pub reasons: &'static [Reason],
}

/// What a finding means for the other clicks of its source ([`super::super::convictions`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// It convicts the source: what looks at the request itself and its bursts.
    Conviction,
    /// Likewise where it is certain: what a person's browser does ahead of the person is not.
    WhatIsCertain,
    /// Nothing: what a person's own browser can set off beside the person, and what knows a network anyway.
    Nothing,
    /// It decides nothing: a conviction of the source may.
    Undecided,
}

/// A signal as a verdict tells it.
pub struct Reason {
    /// `+name` for a scanner, `-name` for a person.
    pub name: &'static str,
    /// What it is, in words.
    pub words: &'static str,
    /// Whether it spoke.
    pub spoke: fn(&Case) -> bool,
}

/// One condition of a rule.
pub struct Condition {
    /// What is looked at, in words.
    pub words: &'static str,
    /// What it is, and what it must be.
    pub fact: fn(&Case) -> Fact,
}

/// What a condition saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Something that is so or not.
    Is(bool),
    /// Something that has a name, or is not there.
    Named(Option<&'static str>),
    /// A number that must be smaller than a bound.
    Below(i64, i64),
    /// A number that must be larger than a bound.
    Over(i64, i64),
    /// A number that must reach a bound.
    AtLeast(i64, i64),
}

impl Fact {
    /// Whether it is what it must be.
    #[must_use]
    pub const fn holds(self) -> bool {
        match self {
            Self::Is(so) => so,
            Self::Named(name) => name.is_some(),
            Self::Below(is, bound) => is < bound,
            Self::Over(is, bound) => is > bound,
            Self::AtLeast(is, bound) => is >= bound,
        }
    }
}

/// What a rule found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the click was.
    pub click_type: ClickType,
    /// How sure.
    pub confidence: Confidence,
    /// Whose scanner it was, where that is known.
    pub vendor: Option<&'static str>,
}

/// Something certain.
pub(super) const fn certain(click_type: ClickType) -> Found {
    Found { click_type, confidence: Confidence::Certain, vendor: None }
}

/// Something probable.
pub(super) const fn probable(click_type: ClickType) -> Found {
    Found { click_type, confidence: Confidence::Probable, vendor: None }
}

impl Rule {
    /// The case as the rule looks at it: what is certain by the request and its neighbours stays so, whatever the landing
    /// page showed.
    #[must_use]
    pub fn view<'a>(&self, case: &Case<'a>) -> Case<'a> {
        let without_page = Case { page: Verified::None, ..*case };
        let is_certain = |found: Found| found.confidence == Confidence::Certain;
        if case.page != Verified::None && self.found_in(&without_page).is_some_and(is_certain) {
            without_page
        } else {
            *case
        }
    }

    /// What the rule finds, where it holds.
    #[must_use]
    pub fn holds(&self, case: &Case) -> Option<Found> {
        self.found_in(&self.view(case))
    }

    fn found_in(&self, case: &Case) -> Option<Found> {
        self.needs.iter().all(|condition| (condition.fact)(case).holds()).then(|| (self.found)(case))
    }

    /// Whether what it found gives way to the proof of a person.
    #[must_use]
    pub fn is_overturned(&self, found: Found, case: &Case) -> bool {
        (self.yields || case.click.is_touched())
            && found.confidence == Confidence::Probable
            && found.click_type.is_bot()
            && case.has_proof()
    }
}

/// The last rule of every table: it always holds.
pub(super) const HUMAN: Rule = Rule {
    id: "human",
    words: "no rule for a scanner holds",
    settings: &[],
    needs: &[],
    yields: false,
    found: |_| probable(ClickType::Human),
    carries: Carries::Undecided,
    reasons: &[],
};
