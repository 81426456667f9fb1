//! The tables that decide. A rule is one item: its id, what it says, the settings it obeys, and when it holds.
//! The first rule that holds decides.

use std::borrow::Cow;

use super::windows::{Case, Role, is_delivery_check};
use super::{ClickType, Confidence, Finding};

/// A named, versioned, ordered list of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruleset {
    /// The published decision table, exactly (contract §5).
    Defender,
    /// The default (contract §6). At version 0 it equals the table.
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
            Self::Full => "full@0",
        }
    }

    /// Its rules, in the order in which they are asked.
    #[must_use]
    pub const fn rules(self) -> &'static [Rule] {
        match self {
            Self::Defender | Self::Full => &DEFENDER,
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
    /// What it finds, or nothing.
    pub holds: fn(&Case) -> Option<Found>,
}

/// What a rule found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the click was.
    pub click_type: ClickType,
    /// How sure.
    pub confidence: Confidence,
}

/// The published decision table for Microsoft Defender for Office 365.
pub const DEFENDER: [Rule; 6] = [
    Rule {
        id: "safelinks_delivery",
        words: "a Safe Links referer within seconds of the send: the check at delivery",
        settings: &["SAFELINKS_DELIVERY_MS"],
        holds: |case| {
            is_delivery_check(case.click, case.thresholds)
                .then(|| probable(ClickType::ScannerSafelinksDelivery))
        },
    },
    Rule {
        id: "timeofclick_pair",
        words: "two clicks on one link within half a second, one of them from Safe Links: the earlier checked, \
                the later is the person",
        settings: &["PAIR_MS", "SAFELINKS_DELIVERY_MS"],
        holds: |case| match case.pair?.0 {
            Role::Earlier => Some(probable(ClickType::ScannerTimeOfClick)),
            Role::Later => Some(probable(ClickType::Human)),
        },
    },
    Rule {
        id: "safe_attachments",
        words: "Microsoft's network in the first minute, with many clicks of the recipient: the sandbox",
        settings: &["SANDBOX_MS", "SANDBOX_CLICKS"],
        holds: |case| {
            let signals = &case.click.signals;
            (signals.is_microsoft() && is_sandbox_burst(case)).then(|| {
                let found = probable(ClickType::ScannerSafeAttachments);
                // A network that also carries people is never enough to be certain.
                if signals.is_scanner_for_certain() { certain(found) } else { found }
            })
        },
    },
    Rule {
        id: "campaign_view",
        words: "Microsoft's network, while many recipients' copies of the URL are clicked at once",
        settings: &["CAMPAIGN_MS", "CAMPAIGN_RECIPIENTS"],
        holds: |case| {
            (case.click.signals.is_microsoft() && case.in_burst)
                .then(|| probable(ClickType::ScannerCampaignView))
        },
    },
    Rule {
        id: "air_or_mbi",
        words: "Microsoft's network, long after the send, without a referer: an investigation",
        settings: &["LATE_MS"],
        holds: |case| {
            (case.click.signals.is_microsoft()
                && case.delta_ms > case.thresholds.late_ms
                && !case.click.signals.has_referer)
                .then(|| probable(ClickType::ScannerAirOrMbi))
        },
    },
    HUMAN,
];

/// The last rule of every table: it always holds.
const HUMAN: Rule = Rule {
    id: "human",
    words: "nothing speaks for a scanner",
    settings: &[],
    holds: |_| Some(probable(ClickType::Human)),
};

const fn certain(found: Found) -> Found {
    Found { confidence: Confidence::Certain, ..found }
}

const fn probable(click_type: ClickType) -> Found {
    Found { click_type, confidence: Confidence::Probable }
}

/// Asks the ruleset's rules in order; the first that holds decides.
#[must_use]
pub fn decide(ruleset: Ruleset, case: &Case) -> Finding {
    let held = ruleset.rules().iter().find_map(|rule| (rule.holds)(case).map(|found| (rule, found)));
    let (rule, found) = held.unwrap_or((&HUMAN, probable(ClickType::Human)));
    Finding {
        click_type: Some(found.click_type),
        vendor: found.click_type.is_defender_bot().then_some(Cow::Borrowed("microsoft")),
        confidence: found.confidence,
        rule: Cow::Borrowed(rule.id),
        reasons: reasons(case),
        paired_with: if rule.id == "timeofclick_pair" {
            case.pair.map(|(_, other)| other.into())
        } else {
            None
        },
    }
}

/// Whether the recipient's clicks came as the sandbox's do: many, early, and this one among them.
fn is_sandbox_burst(case: &Case) -> bool {
    case.delta_ms < case.thresholds.sandbox_ms && case.early_clicks >= case.thresholds.sandbox_clicks
}

/// Every signal that spoke, in the order of the rules: `+` for a scanner, `-` for a person.
fn reasons(case: &Case) -> Vec<Cow<'static, str>> {
    let (signals, thresholds) = (&case.click.signals, case.thresholds);
    let microsoft = signals.is_microsoft();
    let spoken = [
        (signals.safelinks_referer, "+safelinks_referer"),
        (is_delivery_check(case.click, thresholds), "+at_delivery"),
        (matches!(case.pair, Some((Role::Earlier, _))), "+first_of_pair"),
        (matches!(case.pair, Some((Role::Later, _))), "-second_of_pair"),
        (microsoft, "+microsoft_network"),
        // Bursts speak only of Microsoft's clicks: around others nobody looks for them.
        (microsoft && is_sandbox_burst(case), "+sandbox_burst"),
        (microsoft && case.in_burst, "+campaign_burst"),
        (microsoft && case.delta_ms > thresholds.late_ms, "+long_after_send"),
        (microsoft && !signals.has_referer, "+no_referer"),
        (signals.has_address && !microsoft, "-other_network"),
    ];
    spoken.into_iter().filter(|(spoke, _)| *spoke).map(|(_, name)| Cow::Borrowed(name)).collect()
}
