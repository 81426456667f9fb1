//! The rulesets: what a rule is, and how the first one that holds decides.
//!
//! [`defender`] is the published table, [`full`] the default around it. A rule is one item: its id, what it says, the
//! settings that it obeys, and the conditions that must all hold. A condition is a fact with its bound, so that the same
//! table decides a click and explains it ([`super::explain`]).

pub mod defender;
pub mod full;

use std::borrow::Cow;

use super::case::Case;
use super::{ClickType, Confidence, Finding, Verified, opens};
use crate::link::Kind;

/// A named, versioned, ordered list of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruleset {
    /// The published decision table, exactly (contract §5).
    Defender,
    /// The default (contract §6): the table's core, and the scanners that it does not know.
    Full,
}

impl Ruleset {
    /// The names that settings and flags take.
    pub const NAMES: [&'static str; 2] = ["defender", "full"];

    /// The ruleset of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "defender" => Some(Self::Defender),
            "full" => Some(Self::Full),
            _ => None,
        }
    }

    /// Name and version, as verdicts carry it. A change of a verdict is a change of the version.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Defender => "defender@1",
            Self::Full => "full@2",
        }
    }

    /// Its rules, in the order in which they are asked.
    #[must_use]
    pub const fn rules(self) -> &'static [Rule] {
        match self {
            Self::Defender => &defender::RULES,
            Self::Full => &full::RULES,
        }
    }
}

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
const fn certain(click_type: ClickType) -> Found {
    Found { click_type, confidence: Confidence::Certain, vendor: None }
}

/// Something probable.
const fn probable(click_type: ClickType) -> Found {
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
const HUMAN: Rule = Rule {
    id: "human",
    words: "no rule for a scanner holds",
    settings: &[],
    needs: &[],
    yields: false,
    found: |_| probable(ClickType::Human),
};

/// What is said of a request to a link that has no windows: an open, or an act that a mail provider asks for.
#[must_use]
pub fn by_kind(case: &Case) -> Option<Finding> {
    match (case.click.kind, case.ruleset) {
        (Kind::Click, _) => None,
        (_, Ruleset::Defender) => Some(Finding::not_a_click()),
        (Kind::Open, Ruleset::Full) => Some(opens::judge(&case.click.signals)),
        // The provider's machine asks because its user pressed the provider's own button (RFC 8058).
        (_, Ruleset::Full) if case.click.signals.is_one_click => Some(Finding {
            click_type: Some(ClickType::Human),
            rule: Cow::Borrowed("one_click"),
            reasons: vec![Cow::Borrowed("-one_click")],
            confidence: Confidence::Probable,
            ..Finding::not_a_click()
        }),
        // Whoever pressed the button on our page is judged by the request and by the convictions of its source.
        (_, Ruleset::Full) => None,
    }
}

/// Asks the ruleset's rules in order; the first that holds decides.
#[must_use]
pub fn decide(case: &Case) -> Finding {
    if let Some(finding) = by_kind(case) {
        return finding;
    }
    let held = case.ruleset.rules().iter().find_map(|rule| {
        let found = rule.holds(case).filter(|found| !rule.is_overturned(*found, case))?;
        Some((rule, found))
    });
    let (rule, found) = held.unwrap_or((&HUMAN, probable(ClickType::Human)));
    let vendor = if found.click_type.is_defender_bot() { Some("microsoft") } else { found.vendor };
    Finding {
        click_type: Some(found.click_type),
        vendor: vendor.map(Cow::Borrowed),
        confidence: found.confidence,
        rule: Cow::Borrowed(rule.id),
        reasons: match case.ruleset {
            Ruleset::Defender => defender::reasons(case),
            Ruleset::Full => full::reasons(case),
        },
        paired_with: if rule.id == defender::PAIR { case.pair.map(|(_, other)| other.into()) } else { None },
    }
}

/// The names of those that spoke.
fn spoken(named: &[(bool, &'static str)]) -> Vec<Cow<'static, str>> {
    named.iter().filter(|(spoke, _)| *spoke).map(|(_, name)| Cow::Borrowed(*name)).collect()
}
