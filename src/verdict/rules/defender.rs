//! The published decision table for Microsoft Defender for Office 365 (contract §5), to the letter.

use super::super::ClickType;
use super::super::case::Case;
use super::super::windows::{Role, is_delivery_check};
use super::rule::{Carries, Condition, Fact, Found, HUMAN, Reason, Rule, certain, probable};

/// The rule that names the other click.
pub(super) const PAIR: &str = "timeofclick_pair";

/// The table.
pub(super) const RULES: [Rule; 6] =
    [SAFELINKS_DELIVERY, TIMEOFCLICK_PAIR, SAFE_ATTACHMENTS, CAMPAIGN_VIEW, AIR_OR_MBI, NOT_MICROSOFT];

/// Rule 1.
pub(super) const SAFELINKS_DELIVERY: Rule = Rule {
    id: "safelinks_delivery",
    words: "a Safe Links referer within seconds of the send: the check at delivery",
    settings: &["SAFELINKS_DELIVERY_MS"],
    needs: &[
        Condition {
            words: "the referer is Safe Links",
            fact: |case| Fact::Is(case.click.signals.safelinks_referer),
        },
        Condition {
            words: "milliseconds since the clock",
            fact: |case| Fact::Below(case.delta_ms, case.thresholds.safelinks_delivery_ms),
        },
    ],
    yields: true,
    found: |_| probable(ClickType::ScannerSafelinksDelivery),
    carries: Carries::Nothing,
    reasons: &[
        Reason {
            name: "+safelinks_referer",
            words: "it came from Safe Links",
            spoke: |case| case.click.signals.safelinks_referer,
        },
        Reason {
            name: "+at_delivery",
            words: "so soon after the send that Safe Links was delivering it",
            spoke: |case| is_delivery_check(case.click, case.thresholds),
        },
    ],
};

/// Rule 2.
pub(super) const TIMEOFCLICK_PAIR: Rule = Rule {
    id: PAIR,
    words: "two clicks on one link within half a second, one of them from Safe Links: one checked, the other is the \
            person",
    settings: &["PAIR_MS", "SAFELINKS_DELIVERY_MS"],
    needs: &[Condition {
        words: "a pair with a neighbouring click",
        fact: |case| Fact::Is(case.pair.is_some()),
    }],
    yields: false,
    found: |case| match case.pair {
        Some((Role::Scanner, _)) => probable(ClickType::ScannerTimeOfClick),
        _ => probable(ClickType::Human),
    },
    carries: Carries::Nothing,
    reasons: &[
        Reason {
            name: "+first_of_pair",
            words: "the first of two requests for one click",
            spoke: |case| matches!(case.pair, Some((Role::Scanner, _))),
        },
        Reason {
            name: "-second_of_pair",
            words: "the second of two requests for one click",
            spoke: |case| matches!(case.pair, Some((Role::Person, _))),
        },
    ],
};

/// Rule 3.
pub(super) const SAFE_ATTACHMENTS: Rule = Rule {
    id: "safe_attachments",
    words: "Microsoft's network in the first minute, with many clicks of the recipient: the sandbox",
    settings: &["SANDBOX_MS", "SANDBOX_CLICKS"],
    needs: &[
        MICROSOFT,
        Condition {
            words: "milliseconds since the clock",
            fact: |case| Fact::Below(case.delta_ms, case.thresholds.sandbox_ms),
        },
        Condition {
            words: "the recipient's clicks that early",
            fact: |case| Fact::AtLeast(case.around.early_clicks, case.thresholds.sandbox_clicks),
        },
    ],
    yields: true,
    // A network that also carries people is never enough to be certain.
    found: |case| -> Found {
        if case.click.signals.is_scanner_for_certain() {
            certain(ClickType::ScannerSafeAttachments)
        } else {
            probable(ClickType::ScannerSafeAttachments)
        }
    },
    carries: Carries::Conviction,
    reasons: &[
        Reason {
            name: "+microsoft_network",
            words: "one of Microsoft's networks",
            spoke: |case| case.click.signals.is_microsoft(),
        },
        Reason {
            name: "+sandbox_burst",
            words: "one of many clicks on this copy in its first minute",
            spoke: |case| case.click.signals.is_microsoft() && is_sandbox_burst(case),
        },
    ],
};

/// Rule 4.
pub(super) const CAMPAIGN_VIEW: Rule = Rule {
    id: "campaign_view",
    words: "Microsoft's network, while many recipients' copies of the URL are clicked at once",
    settings: &["CAMPAIGN_MS", "CAMPAIGN_RECIPIENTS"],
    needs: &[
        MICROSOFT,
        Condition {
            words: "inside a campaign burst on its URL",
            fact: |case| Fact::Is(case.around.in_burst),
        },
    ],
    yields: true,
    found: |_| probable(ClickType::ScannerCampaignView),
    carries: Carries::Conviction,
    reasons: &[Reason {
        name: "+campaign_burst",
        words: "many recipients' copies of the link were opened at once",
        spoke: |case| case.click.signals.is_microsoft() && case.around.in_burst,
    }],
};

/// Rule 5.
pub(super) const AIR_OR_MBI: Rule = Rule {
    id: "air_or_mbi",
    words: "Microsoft's network, long after the send, without a referer: an investigation",
    settings: &["LATE_MS"],
    needs: &[
        MICROSOFT,
        LONG_AFTER_SEND,
        Condition { words: "no referer", fact: |case| Fact::Is(!case.click.signals.has_referer) },
    ],
    yields: true,
    found: |_| probable(ClickType::ScannerAirOrMbi),
    carries: Carries::Nothing,
    reasons: &[
        Reason {
            name: "+long_after_send",
            words: "long after the send",
            spoke: |case| case.click.signals.is_microsoft() && case.delta_ms > case.thresholds.late_ms,
        },
        Reason {
            name: "+no_referer",
            words: "no page that it came from",
            spoke: |case| case.click.signals.is_microsoft() && !case.click.signals.has_referer,
        },
    ],
};

pub(super) const LONG_AFTER_SEND: Condition = Condition {
    words: "milliseconds since the clock",
    fact: |case| Fact::Over(case.delta_ms, case.thresholds.late_ms),
};

pub(super) const MICROSOFT: Condition = Condition {
    words: "the address is in a Microsoft network",
    fact: |case| {
        let network = case.click.signals.network.filter(|network| network.is_microsoft());
        Fact::Named(network.map(|network| network.name))
    },
};

/// The rest.
const NOT_MICROSOFT: Rule = Rule {
    reasons: &[Reason {
        name: "-other_network",
        words: "a network that is not Microsoft's",
        spoke: |case| case.click.signals.has_address && !case.click.signals.is_microsoft(),
    }],
    ..HUMAN
};

/// Whether the recipient's clicks came as the sandbox's do: many, early, and this one among them.
pub(super) fn is_sandbox_burst(case: &Case) -> bool {
    case.delta_ms < case.thresholds.sandbox_ms && case.around.early_clicks >= case.thresholds.sandbox_clicks
}
