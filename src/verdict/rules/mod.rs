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
use crate::record::{Kind, Way};
use crate::signals::votes;
use rule::{HUMAN, probable};

pub use rule::{Carries, Condition, Fact, Found, Reason, Rule};

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
        (Kind::Open, Ruleset::Full) => Some(opens::judge(&case.click.signals, case.delta_ms)),
        // The provider's machine asks because its user pressed the provider's own button (RFC 8058).
        (_, Ruleset::Full) if case.click.signals.is_one_click => Some(Finding {
            click_type: Some(ClickType::Human),
            rule: Cow::Borrowed(Way::OneClick.name()),
            reasons: vec![Cow::Borrowed(ONE_CLICK)],
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
        reasons: reasons(case),
        paired_with: if rule.id == defender::PAIR { case.pair.map(|(_, other)| other.into()) } else { None },
    }
}

/// What a reason is, in words.
#[must_use]
pub fn words_of(reason: &str) -> &'static str {
    let by_rules = Ruleset::ALL.into_iter().flat_map(Ruleset::rules).flat_map(|rule| rule.reasons);
    let by_rules = by_rules.map(|reason| (reason.name, reason.words));
    let by_votes = votes::TABLE.iter().map(|vote| (vote.reason, vote.words));
    let one_click = (ONE_CLICK, "a mail provider asks because its user pressed the provider's own button");
    let all = by_rules.chain(by_votes).chain([opens::BY_AGENT, opens::BY_NETWORK, one_click]);
    all.into_iter().find(|(name, _)| *name == reason).map_or("", |(_, words)| words)
}

/// The reason of an act that a mail provider asked for.
const ONE_CLICK: &str = "-one_click";

/// Every signal that spoke: first what rules look at, in their order, then in `full` the votes. `+` for a scanner, `-` for
/// a person.
fn reasons(case: &Case) -> Vec<Cow<'static, str>> {
    let told = case.ruleset.rules().iter().flat_map(|rule| rule.reasons);
    let spoken = told.filter(|reason| (reason.spoke)(case)).map(|reason| reason.name);
    let votes = Some(case.votes()).filter(|_| case.ruleset == Ruleset::Full);
    let votes = votes.into_iter().flat_map(|votes| votes.seen().map(|vote| vote.reason));
    spoken.chain(votes).map(Cow::Borrowed).collect()
}

/// What a finding of ruleset `full` on a link of that kind carries over to its source's other clicks.
fn carries(finding: &Finding) -> Carries {
    let rule = full::RULES.iter().find(|rule| rule.id == finding.rule);
    rule.map_or(Carries::Nothing, |rule| rule.carries)
}

/// What a finding on a link of that kind convicts its source of, if it does: clicks alone do.
#[must_use]
pub fn conviction(kind: Kind, finding: &Finding) -> Option<ClickType> {
    let found = finding.click_type.filter(|found| kind == Kind::Click && found.is_bot());
    found.filter(|_| match carries(finding) {
        Carries::Conviction => true,
        Carries::WhatIsCertain => finding.confidence == Confidence::Certain,
        Carries::Nothing | Carries::Undecided => false,
    })
}

/// Whether the finding would be another one beside a conviction: nothing else has decided. Opens stand by themselves.
#[must_use]
pub fn is_undecided(kind: Kind, finding: &Finding) -> bool {
    kind != Kind::Open && carries(finding) == Carries::Undecided
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_look_at_requests_and_bursts_convict() {
        let finding = |rule: &'static str, kind: ClickType| Finding {
            click_type: Some(kind),
            rule: rule.into(),
            ..Finding::not_a_click()
        };
        let sweep = ClickType::ScannerSweep;
        for rule in [
            "safe_attachments",
            "campaign_view",
            "gateway",
            "scanner_network",
            "sweep",
            "fanout",
            "headless",
            "no_agent",
            "repeat",
        ] {
            assert_eq!(conviction(Kind::Click, &finding(rule, sweep)), Some(sweep), "{rule}");
            assert_eq!(conviction(Kind::Open, &finding(rule, sweep)), None, "{rule}: an open");
            assert_eq!(conviction(Kind::Click, &finding(rule, ClickType::Human)), None, "{rule}: a person");
        }
        for rule in ["safelinks_delivery", "timeofclick_pair", "air_or_mbi", "carry_over", "human"] {
            assert_eq!(conviction(Kind::Click, &finding(rule, sweep)), None, "{rule}");
            let undecided = matches!(rule, "carry_over" | "human");
            assert_eq!(is_undecided(Kind::Click, &finding(rule, sweep)), undecided, "{rule}");
        }
        let declared = |confidence| Finding { confidence, ..finding("declared", ClickType::ScannerDeclared) };
        let convicted = |confidence| conviction(Kind::Click, &declared(confidence));
        assert_eq!(convicted(Confidence::Certain), Some(ClickType::ScannerDeclared), "a HEAD");
        assert_eq!(convicted(Confidence::Probable), None, "a prefetch is the person's own browser's");
    }
}
