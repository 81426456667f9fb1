//! The rules of each ruleset, and how the first one that holds decides.
//!
//! [`defender`] is the published table, [`full`] the default around it, [`opens`] what is asked of an open. A [`rule`] is one
//! item: its id, what it says, the settings that it obeys, and the conditions that must all hold. A condition is a fact with
//! its bound, so that the same table decides a click and explains it ([`super::explain`]).

pub mod defender;
pub mod full;
pub mod opens;
pub mod rule;

use std::borrow::Cow;

use super::case::Case;
use super::{ClickType, Confidence, Finding, Ruleset};
use crate::record::Kind;
use rule::{HUMAN, probable};

pub use rule::{Condition, Fact, Found, Rule};

impl Ruleset {
    /// Its rules, in the order in which they are asked.
    #[must_use]
    pub const fn rules(self) -> &'static [Rule] {
        match self {
            Self::Defender => &defender::RULES,
            Self::Full => &full::RULES,
        }
    }
}

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
