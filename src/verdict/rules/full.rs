//! Ruleset `full` (contract §6): the published table's core, and around it the scanners that the table does not know.
//!
//! Most of its rules weigh: their own evidence, in points, and the votes of the request
//! ([`crate::signals::votes`]) must come to [`ENOUGH`] together. So a person behind a scanner's network is a person when the
//! headers say so, and a scanner behind a person's network is found when its burst says so.

use std::borrow::Cow;

use super::super::ClickType;
use super::super::case::Case;
use super::super::convictions::Carried;
use super::super::windows::{Role, is_delivery_check};
use super::defender::{
    AIR_OR_MBI, CAMPAIGN_VIEW, SAFE_ATTACHMENTS, SAFELINKS_DELIVERY, TIMEOFCLICK_PAIR, is_sandbox_burst,
};
use super::rule::{Condition, Fact, Found, HUMAN, Rule, certain, probable, spoken};
use crate::signals::catalogue::{Class, Network};
use crate::signals::votes::{ENOUGH, Sign};

/// What a network that only scanners use is worth as evidence.
const CERTAIN_NETWORK: i32 = 20;

/// What a network is worth that scanners use, and somebody who may be a person: browser isolation, a vendor's office.
const PROBABLE_NETWORK: i32 = 10;

/// From so many points on a sweep is certain, five links of one copy inside a second, where nothing in the request
/// speaks for a person.
const CERTAIN_SWEEP: i32 = 20;

/// The rules in the order in which they are asked.
pub(super) const RULES: [Rule; 13] = [
    SAFELINKS_DELIVERY,
    TIMEOFCLICK_PAIR,
    SAFE_ATTACHMENTS,
    CAMPAIGN_VIEW,
    AIR_OR_MBI,
    DECLARED,
    GATEWAY,
    SWEEP,
    FANOUT,
    SCANNER_NETWORK,
    HEADLESS,
    CARRY_OVER,
    HUMAN,
];

const DECLARED: Rule = Rule {
    id: "declared",
    words: "it says so itself: by its agent, by a method that no link click has, or as a prefetch",
    settings: &[],
    needs: &[Condition {
        words: "what it says of itself",
        fact: |case| Fact::Named(case.click.signals.declares().map(|(name, _)| name)),
    }],
    yields: true,
    found: |case| {
        let signals = &case.click.signals;
        let certainly = signals.declares().is_some_and(|(_, certainly)| certainly);
        let vendor = signals.agent.and_then(|agent| agent.vendor);
        let found = if certainly { certain } else { probable };
        Found { vendor: vendor.or(vendor_of(case)), ..found(ClickType::ScannerDeclared) }
    },
};

const GATEWAY: Rule = Rule {
    id: "gateway",
    words: "from a mail gateway's network, and the request does not look like a person behind it",
    settings: &[],
    needs: &[
        Condition {
            words: "the network is a mail gateway's",
            fact: |case| Fact::Named(gateway(case).map(|network| network.name)),
        },
        Condition {
            words: "points of the network and votes",
            fact: |case| enough(network_points(gateway(case)) + case.votes().sum()),
        },
    ],
    yields: true,
    found: by_network,
};

const SCANNER_NETWORK: Rule = Rule {
    id: "scanner_network",
    words: "a single hit from another network of scanners: Microsoft's filter, threat intelligence",
    settings: &[],
    needs: &[
        Condition {
            words: "the network is a scanner's",
            fact: |case| Fact::Named(other_scanner(case).map(|network| network.name)),
        },
        Condition {
            words: "points of the network and votes",
            fact: |case| enough(network_points(other_scanner(case)) + case.votes().sum()),
        },
    ],
    yields: true,
    found: by_network,
};

const SWEEP: Rule = Rule {
    id: "sweep",
    words: "several different links of one copy in one burst, whoever did it",
    settings: &[],
    needs: &[
        Condition { words: "points of the burst", fact: |case| Fact::Over(case.sweep.points.into(), 0) },
        Condition { words: "points of the burst and votes", fact: |case| enough(case.sweep_points()) },
    ],
    // Proof weighs as a vote here: no cookie makes five links a second a person's.
    yields: false,
    found: |case| {
        let nobodys = case.votes().seen().all(|vote| vote.weight > 0);
        let found = if case.sweep.points >= CERTAIN_SWEEP && nobodys { certain } else { probable };
        Found { vendor: vendor_of(case), ..found(ClickType::ScannerSweep) }
    },
};

const FANOUT: Rule = Rule {
    id: "fanout",
    words: "one source, many recipients, a short time",
    settings: &[],
    needs: &[
        Condition { words: "points of the burst", fact: |case| Fact::Over(case.fanout.points.into(), 0) },
        Condition { words: "points of the burst and votes", fact: |case| enough(case.fanout_points()) },
    ],
    yields: true,
    found: |case| Found { vendor: vendor_of(case), ..probable(ClickType::ScannerFanout) },
};

const HEADLESS: Rule = Rule {
    id: "headless",
    words: "headers that contradict the agent, from a hosting network",
    settings: &[],
    needs: &[
        Condition {
            words: "a hosting network",
            fact: |case| Fact::Named(hosting(case).map(|network| network.name)),
        },
        Condition {
            words: "headers that contradict the agent",
            fact: |case| Fact::Is(CONTRADICTIONS.iter().any(|sign| case.click.signals.votes.has(*sign))),
        },
        Condition { words: "votes", fact: |case| enough(case.votes().sum()) },
    ],
    yields: true,
    found: |case| Found { vendor: vendor_of(case), ..probable(ClickType::ScannerHeadless) },
};

const CARRY_OVER: Rule = Rule {
    id: "carry_over",
    words: "the same source has just been convicted on this message",
    settings: &[],
    needs: &[
        Condition {
            words: "what its source was convicted of",
            fact: |case| Fact::Named(case.carried.map(|carried| carried.click_type.name())),
        },
        Condition {
            words: "points of the conviction and votes",
            fact: |case| enough(case.carried.map_or(0, Carried::points) + case.votes().sum()),
        },
    ],
    yields: true,
    found: |case| {
        let kind = case.carried.map_or(ClickType::Human, |carried| carried.click_type);
        // The table's types are Microsoft's own: a neighbour outside its networks is somebody's scanner.
        let is_foreign = kind.is_defender_bot() && !case.click.signals.is_microsoft();
        let kind = if is_foreign { ClickType::ScannerGateway } else { kind };
        Found { vendor: vendor_of(case), ..probable(kind) }
    },
};

/// What no real browser of that name does. A stale version or a missing gesture is no contradiction.
const CONTRADICTIONS: [Sign; 10] = [
    Sign::NoUserAgent,
    Sign::ImpossibleBrowser,
    Sign::NoFetchMetadata,
    Sign::NoClientHints,
    Sign::ForeignClientHints,
    Sign::ForeignFetchUser,
    Sign::ClientHintsDisagree,
    Sign::NotANavigation,
    Sign::NoAcceptLanguage,
    Sign::AcceptNotHtml,
];

fn enough(points: i32) -> Fact {
    Fact::AtLeast(points.into(), ENOUGH.into())
}

/// The network that the click came from, where it is of such a class.
fn place(case: &Case, of: impl Fn(&Network) -> bool) -> Option<&'static Network> {
    case.click.signals.place.filter(|network| of(network))
}

/// The mail gateway's network that the click came from.
fn gateway(case: &Case) -> Option<&'static Network> {
    place(case, Network::is_gateway)
}

/// Another scanner's network that the click came from: Microsoft's filter, threat intelligence.
fn other_scanner(case: &Case) -> Option<&'static Network> {
    place(case, |network| {
        network.class == Class::ThreatIntelligence || network.class.is_scanner() && network.is_microsoft()
    })
}

fn hosting(case: &Case) -> Option<&'static Network> {
    place(case, |network| network.class == Class::Hosting)
}

fn network_points(network: Option<&Network>) -> i32 {
    match network.map(|network| network.class) {
        Some(Class::ScannerCertain) => CERTAIN_NETWORK,
        Some(Class::ScannerProbable | Class::ThreatIntelligence) => PROBABLE_NETWORK,
        _ => 0,
    }
}

/// Certain where only scanners come from there.
fn by_network(case: &Case) -> Found {
    let found = if case.click.signals.is_scanner_for_certain() { certain } else { probable };
    Found { vendor: vendor_of(case), ..found(ClickType::ScannerGateway) }
}

/// Whose scanner it is, as far as the network tells: a hoster's name says nothing of its customer.
fn vendor_of(case: &Case) -> Option<&'static str> {
    let is_scanners =
        |network: &Network| network.class.is_scanner() || network.class == Class::ThreatIntelligence;
    place(case, is_scanners).map(|network| network.vendor)
}

/// Every signal that spoke: first what rules look at, then the votes. `+` for a scanner, `-` for a person.
pub(super) fn reasons(case: &Case) -> Vec<Cow<'static, str>> {
    let (signals, thresholds) = (&case.click.signals, case.thresholds);
    let microsoft = signals.is_microsoft();
    let mut reasons = spoken(&[
        (signals.safelinks_referer, "+safelinks_referer"),
        (is_delivery_check(case.click, thresholds), "+at_delivery"),
        (matches!(case.pair, Some((Role::Scanner, _))), "+scanner_of_pair"),
        (matches!(case.pair, Some((Role::Person, _))), "-person_of_pair"),
        (microsoft, "+microsoft_network"),
        (microsoft && is_sandbox_burst(case), "+sandbox_burst"),
        (microsoft && case.in_burst, "+campaign_burst"),
        (microsoft && case.delta_ms > thresholds.late_ms, "+long_after_send"),
        (microsoft && !signals.has_referer, "+no_referer"),
        (signals.declares().is_some(), "+declared"),
        (gateway(case).is_some(), "+gateway_network"),
        (other_scanner(case).is_some(), "+scanner_network"),
        (signals.is_microsoft_system && !microsoft, "+microsoft_as"),
        (signals.is_office, "+office_agent"),
        (case.sweep.points > 0, "+sweep"),
        (case.fanout.points > 0, "+fanout"),
        (case.carried.is_some(), "+convicted_source"),
        (case.has_proof(), "-proof_of_person"),
    ]);
    reasons.extend(case.votes().seen().map(|vote| Cow::Borrowed(vote.reason)));
    reasons
}
