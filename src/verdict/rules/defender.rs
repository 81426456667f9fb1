//! The published decision table for Microsoft Defender for Office 365 (contract §5), to the letter.

use std::borrow::Cow;

use super::super::ClickType;
use super::super::case::Case;
use super::super::windows::{Role, is_delivery_check};
use super::rule::{Condition, Fact, Found, HUMAN, Rule, certain, probable, spoken};

/// The rule that names the other click.
pub(super) const PAIR: &str = "timeofclick_pair";

/// The table.
pub(super) const RULES: [Rule; 6] =
    [SAFELINKS_DELIVERY, TIMEOFCLICK_PAIR, SAFE_ATTACHMENTS, CAMPAIGN_VIEW, AIR_OR_MBI, HUMAN];

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
            fact: |case| Fact::AtLeast(case.early_clicks, case.thresholds.sandbox_clicks),
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
};

/// Rule 4.
pub(super) const CAMPAIGN_VIEW: Rule = Rule {
    id: "campaign_view",
    words: "Microsoft's network, while many recipients' copies of the URL are clicked at once",
    settings: &["CAMPAIGN_MS", "CAMPAIGN_RECIPIENTS"],
    needs: &[
        MICROSOFT,
        Condition { words: "inside a campaign burst on its URL", fact: |case| Fact::Is(case.in_burst) },
    ],
    yields: true,
    found: |_| probable(ClickType::ScannerCampaignView),
};

/// Rule 5.
pub(super) const AIR_OR_MBI: Rule = Rule {
    id: "air_or_mbi",
    words: "Microsoft's network, long after the send, without a referer: an investigation",
    settings: &["LATE_MS"],
    needs: &[
        MICROSOFT,
        Condition {
            words: "milliseconds since the clock",
            fact: |case| Fact::Over(case.delta_ms, case.thresholds.late_ms),
        },
        Condition { words: "no referer", fact: |case| Fact::Is(!case.click.signals.has_referer) },
    ],
    yields: true,
    found: |_| probable(ClickType::ScannerAirOrMbi),
};

const MICROSOFT: Condition = Condition {
    words: "the address is in a Microsoft network",
    fact: |case| {
        let network = case.click.signals.network.filter(|network| network.is_microsoft());
        Fact::Named(network.map(|network| network.name))
    },
};

/// Whether the recipient's clicks came as the sandbox's do: many, early, and this one among them.
pub(super) fn is_sandbox_burst(case: &Case) -> bool {
    case.delta_ms < case.thresholds.sandbox_ms && case.early_clicks >= case.thresholds.sandbox_clicks
}

/// Every signal that spoke, in the order of the rules: `+` for a scanner, `-` for a person.
pub(super) fn reasons(case: &Case) -> Vec<Cow<'static, str>> {
    let (signals, thresholds) = (&case.click.signals, case.thresholds);
    let microsoft = signals.is_microsoft();
    spoken(&[
        (signals.safelinks_referer, "+safelinks_referer"),
        (is_delivery_check(case.click, thresholds), "+at_delivery"),
        (matches!(case.pair, Some((Role::Scanner, _))), "+first_of_pair"),
        (matches!(case.pair, Some((Role::Person, _))), "-second_of_pair"),
        (microsoft, "+microsoft_network"),
        // Bursts speak only of Microsoft's clicks: around others nobody looks for them.
        (microsoft && is_sandbox_burst(case), "+sandbox_burst"),
        (microsoft && case.in_burst, "+campaign_burst"),
        (microsoft && case.delta_ms > thresholds.late_ms, "+long_after_send"),
        (microsoft && !signals.has_referer, "+no_referer"),
        (signals.has_address && !microsoft, "-other_network"),
    ])
}
