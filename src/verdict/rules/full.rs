//! Ruleset `full` (contract §6): the published table's core, and around it the scanners that the table does not know.
//!
//! Most of its rules weigh: their own evidence, in points, and the votes of the request
//! ([`crate::signals::votes`]) must come to [`ENOUGH`] together. So a person behind a scanner's network is a person when the
//! headers say so, and a scanner behind a person's network is found when its burst says so.

use super::super::ClickType;
use super::super::case::Case;
use super::super::convictions::Carried;
use super::super::windows::Role;
use super::defender::{
    AIR_OR_MBI, CAMPAIGN_VIEW, LONG_AFTER_SEND, MICROSOFT, SAFE_ATTACHMENTS, SAFELINKS_DELIVERY,
    TIMEOFCLICK_PAIR,
};
use super::rule::{Carries, Condition, Fact, Found, HUMAN, Reason, Rule, certain, probable};
use crate::signals::catalogue::{Class, Network};
use crate::signals::votes::{ENOUGH, FIRST_MINUTE_MS, Sign, TEN_MINUTES_MS, UNKNOWN_HEADERS};

/// What a network that only scanners use is worth as evidence.
const CERTAIN_NETWORK: i32 = 20;

/// What a network is worth that scanners use, and somebody who may be a person: browser isolation, a vendor's office.
const PROBABLE_NETWORK: i32 = 10;

/// What Microsoft's AS number is worth beside the vote of a hosting network, in the first minute: Defender detonates links
/// there as a mail comes in, and cloud PCs browse.
const MICROSOFT_SYSTEM: i32 = 4;

/// What a network is worth that history convicts: more than every header of a modern browser and a page that was shown, for
/// those are what its lone fetches have. A cookie that came back, a touch, a gateway's link outweigh it.
const LEARNED_NETWORK: i32 = 17;

/// From so many points on a sweep is certain, five links of one copy inside a second, where nothing in the request
/// speaks for a person.
const CERTAIN_SWEEP: i32 = 20;

/// What it is worth that all links of a small copy were followed at once.
const SMALL_COPY: i32 = 3;

/// The rules in the order in which they are asked.
pub(super) const RULES: [Rule; 17] = [
    SAFELINKS_DELIVERY,
    PAIR,
    SAFE_ATTACHMENTS,
    CAMPAIGN_VIEW,
    LATE,
    DECLARED,
    BOUNCED,
    REPEAT,
    GATEWAY,
    SWEEP,
    FANOUT,
    HEADLESS,
    SCANNER_NETWORK,
    NO_AGENT,
    LEARNED,
    CARRY_OVER,
    NO_SCANNER,
];

/// The table's, which here goes by the evidence and not by the order of arrival.
const PAIR: Rule = Rule {
    reasons: &[
        Reason {
            name: "+scanner_of_pair",
            words: "the check that a person's click sets off",
            spoke: |case| matches!(case.pair, Some((Role::Scanner, _))),
        },
        Reason {
            name: "-person_of_pair",
            words: "the person's click beside a check of it",
            spoke: |case| matches!(case.pair, Some((Role::Person, _))),
        },
    ],
    ..TIMEOFCLICK_PAIR
};

/// The table's, which here asks for what is known: a record without headers does not say that there was no referer, and from
/// Microsoft's wide ranges people come as well.
const LATE: Rule = Rule {
    needs: &[
        MICROSOFT,
        LONG_AFTER_SEND,
        Condition {
            words: "known to have no referer, or from where only scanners are",
            fact: |case| {
                let signals = &case.click.signals;
                Fact::Is(signals.lacks_referer || !signals.has_referer && signals.is_scanner_for_certain())
            },
        },
    ],
    ..AIR_OR_MBI
};

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
    // Who sends a HEAD and then a GET is one visitor.
    carries: Carries::WhatIsCertain,
    reasons: &[Reason {
        name: "+declared",
        words: "it says itself that it is no person's click",
        spoke: |case| case.click.signals.declares().is_some(),
    }],
};

const BOUNCED: Rule = Rule {
    id: "bounced",
    words: "the mail to this recipient bounced, and its link was requested all the same",
    settings: &[],
    needs: &[Condition { words: "the mail bounced", fact: |case| Fact::Is(case.click.bounced) }],
    yields: true,
    found: |case| Found { vendor: vendor_of(case), ..probable(ClickType::ScannerGateway) },
    carries: Carries::Nothing,
    reasons: &[Reason {
        name: "+bounced",
        words: "the mail had bounced: nobody has it",
        spoke: |case| case.click.bounced,
    }],
};

const REPEAT: Rule = Rule {
    id: "repeat",
    words: "one link of one copy requested again and again, faster or longer than a person does",
    settings: &[],
    needs: &[Condition {
        words: "one of many requests for its link by its source",
        fact: |case| Fact::Is(case.around.is_repeated),
    }],
    // Whoever asks a hundred times has the cookie of the first.
    yields: false,
    found: |case| Found { vendor: vendor_of(case), ..probable(ClickType::ScannerRepeat) },
    carries: Carries::Conviction,
    reasons: &[Reason {
        name: "+repeat",
        words: "one of many requests for this link by the same source",
        spoke: |case| case.around.is_repeated,
    }],
};

const NO_AGENT: Rule = Rule {
    id: "no_agent",
    words: "no User-Agent at all: no browser does that",
    settings: &[],
    needs: &[Condition {
        words: "known to have no User-Agent",
        fact: |case| Fact::Is(case.click.signals.votes.has(Sign::NoUserAgent)),
    }],
    yields: true,
    found: |case| Found { vendor: vendor_of(case), ..probable(ClickType::ScannerHeadless) },
    carries: Carries::Conviction,
    reasons: &[],
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
            fact: |case| enough(network_points(gateway(case)) + beside_network(case)),
        },
    ],
    yields: true,
    found: by_network,
    carries: Carries::Conviction,
    reasons: &[
        // What is known of the sender, for all rules that ask, stands before what bursts show.
        Reason {
            name: "+gateway_network",
            words: "a mail gateway's network",
            spoke: |case| gateway(case).is_some(),
        },
        Reason {
            name: "+scanner_network",
            words: "a network that scanners use",
            spoke: |case| other_scanner(case).is_some_and(|network| network.class != Class::Hosting),
        },
        Reason {
            name: "+microsoft_as",
            words: "Microsoft's cloud, by its AS number",
            spoke: |case| case.click.signals.is_microsoft_system && !case.click.signals.is_microsoft(),
        },
        Reason {
            name: "+office_agent",
            words: "Office's own agent, which checks links",
            spoke: |case| case.click.signals.is_office,
        },
    ],
};

const SCANNER_NETWORK: Rule = Rule {
    id: "scanner_network",
    words: "a single hit from another network of scanners: Microsoft's filter, its clouds in the first minute, threat \
            intelligence",
    settings: &[],
    needs: &[
        Condition {
            words: "the network is a scanner's",
            fact: |case| Fact::Named(other_scanner(case).map(|network| network.name)),
        },
        Condition {
            words: "points of the network and votes",
            fact: |case| enough(network_points(other_scanner(case)) + beside_network(case)),
        },
    ],
    yields: true,
    found: by_network,
    carries: Carries::Conviction,
    reasons: &[],
};

const SWEEP: Rule = Rule {
    id: "sweep",
    words: "several different links of one copy in one burst, whoever did it",
    settings: &[],
    needs: &[
        Condition {
            words: "points of the burst",
            fact: |case| Fact::Over(case.around.sweep.points.into(), 0),
        },
        Condition { words: "points of the burst and votes", fact: |case| enough(case.sweep_points()) },
    ],
    // Proof weighs as a vote here: no cookie makes five links a second a person's.
    yields: false,
    found: |case| {
        // What no headers are known of is never certain by a burst alone.
        let nobodys = case.click.signals.knows_headers && case.votes().seen().all(|vote| vote.weight > 0);
        let found = if case.around.sweep.points >= CERTAIN_SWEEP && nobodys { certain } else { probable };
        Found { vendor: vendor_of(case), ..found(ClickType::ScannerSweep) }
    },
    carries: Carries::Conviction,
    reasons: &[Reason {
        name: "+sweep",
        words: "several links of this copy were opened at once",
        spoke: |case| case.around.sweep.points > 0,
    }],
};

const FANOUT: Rule = Rule {
    id: "fanout",
    words: "one source, many recipients, a short time",
    settings: &[],
    needs: &[
        Condition {
            words: "points of the burst",
            fact: |case| Fact::Over(case.around.fanout.points.into(), 0),
        },
        Condition { words: "points of the burst and votes", fact: |case| enough(case.fanout_points()) },
    ],
    yields: true,
    found: |case| Found { vendor: vendor_of(case), ..probable(ClickType::ScannerFanout) },
    carries: Carries::Conviction,
    reasons: &[Reason {
        name: "+fanout",
        words: "one source opened many recipients' links at once",
        spoke: |case| case.around.fanout.points > 0,
    }],
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
        Condition {
            words: "votes, and points of a small copy whose links were all followed",
            fact: |case| enough(small_copy_points(case) + case.votes().sum()),
        },
    ],
    yields: true,
    found: |case| Found { vendor: vendor_of(case), ..probable(ClickType::ScannerHeadless) },
    carries: Carries::Conviction,
    reasons: &[Reason {
        name: "+small_copy",
        words: "all of the few links of this copy were opened at once",
        spoke: |case| small_copy_points(case) > 0,
    }],
};

/// It stands behind every rule that looks at what a request does: what those find teaches it anew.
const LEARNED: Rule = Rule {
    id: "learned",
    words: "a single hit from a network that this sender's own history convicts",
    settings: &[],
    needs: &[
        Condition {
            words: "the network is one that history convicts",
            fact: |case| Fact::Named(case.click.signals.learned.map(|learned| learned.name)),
        },
        Condition {
            words: "points of the network and votes",
            fact: |case| {
                let points = if case.click.signals.learned.is_some() { LEARNED_NETWORK } else { 0 };
                enough(points + case.votes().sum())
            },
        },
    ],
    yields: true,
    found: |case| Found {
        vendor: case.click.signals.learned.and_then(|learned| learned.vendor),
        ..probable(ClickType::ScannerGateway)
    },
    carries: Carries::Nothing,
    reasons: &[Reason {
        name: "+learned_network",
        words: "this sender's own history convicts the network",
        spoke: |case| case.click.signals.learned.is_some(),
    }],
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
    carries: Carries::Undecided,
    reasons: &[Reason {
        name: "+convicted_source",
        words: "the same source has just been convicted on this message",
        spoke: |case| case.carried.is_some(),
    }],
};

/// The rest.
const NO_SCANNER: Rule = Rule {
    reasons: &[Reason {
        name: "-proof_of_person",
        words: "a person is proven, by a touch of the landing page or a cookie that came back",
        spoke: |case| case.has_proof(),
    }],
    ..HUMAN
};

/// What no real browser of that name does. A stale version or a missing gesture is no contradiction.
const CONTRADICTIONS: [Sign; 10] = [
    Sign::UnreducedVersion,
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

/// Another scanner's network that the click came from: Microsoft's filter and its clouds, threat intelligence.
fn other_scanner(case: &Case) -> Option<&'static Network> {
    let is_microsofts = |network: &Network| {
        let is_early = case.delta_ms <= FIRST_MINUTE_MS;
        network.is_microsoft() && (network.class.is_scanner() || network.class == Class::Hosting && is_early)
    };
    place(case, |network| network.class == Class::ThreatIntelligence || is_microsofts(network))
}

fn hosting(case: &Case) -> Option<&'static Network> {
    place(case, |network| network.class == Class::Hosting)
}

fn network_points(network: Option<&Network>) -> i32 {
    match network.map(|network| network.class) {
        Some(Class::ScannerCertain) => CERTAIN_NETWORK,
        Some(Class::ScannerProbable | Class::ThreatIntelligence) => PROBABLE_NETWORK,
        Some(Class::Hosting) => MICROSOFT_SYSTEM,
        _ => 0,
    }
}

/// What speaks beside a network. In the first minute, when most gateways look at a mail and few people do, nobody gets the
/// benefit of the doubt, in the first ten half of it.
fn beside_network(case: &Case) -> i32 {
    let has_people = place(case, |network| network.has_people).is_some();
    let benefit = if case.click.signals.knows_headers || !has_people || case.delta_ms <= FIRST_MINUTE_MS {
        0
    } else if case.delta_ms <= TEN_MINUTES_MS {
        UNKNOWN_HEADERS / 2
    } else {
        UNKNOWN_HEADERS
    };
    case.votes().sum() + benefit
}

/// Of a small copy all links were followed within seconds, or the only one was, from rented machines: a sandbox does that, and
/// no shape of a sweep is so small.
fn small_copy_points(case: &Case) -> i32 {
    if case.around.in_small_copy && hosting(case).is_some() { SMALL_COPY } else { 0 }
}

/// Certain where only scanners come from there.
fn by_network(case: &Case) -> Found {
    let found = if case.click.signals.is_scanner_for_certain() { certain } else { probable };
    let vendor = vendor_of(case).or(other_scanner(case).map(|network| network.vendor));
    Found { vendor, ..found(ClickType::ScannerGateway) }
}

/// Whose scanner it is, as far as the network tells: a hoster's name says nothing of its customer.
fn vendor_of(case: &Case) -> Option<&'static str> {
    let is_scanners =
        |network: &Network| network.class.is_scanner() || network.class == Class::ThreatIntelligence;
    place(case, is_scanners).map(|network| network.vendor)
}
