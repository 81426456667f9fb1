//! What the four Defender patterns mean for a deliverability team: one table.

use serde::Serialize;

use super::Report;
use crate::verdict::ClickType;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look into it before the next send.
    Warning,
    /// Act now.
    Critical,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Stable name.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen and what to do.
    pub text: String,
}

/// What the diagnosis is made from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// All clicks.
    pub clicks: i64,
    /// Distinct recipients with a click.
    pub recipients: i64,
    /// Those of whom Safe Links checked a click.
    pub safe_links_recipients: i64,
    /// Clicks of Safe Attachments.
    pub sandboxed: i64,
    /// Clicks of campaign correlation.
    pub correlated: i64,
    /// Clicks of an investigation.
    pub investigated: i64,
}

/// From this share of all clicks on, sandbox clicks are many, percent.
const MANY_SANDBOXED_PERCENT: i64 = 10;

/// One line of the table: when it speaks, and what it says.
struct Pattern {
    code: &'static str,
    speaks: fn(&Facts) -> Option<(Severity, String)>,
}

const PATTERNS: [Pattern; 4] = [
    Pattern {
        code: "safe_attachments",
        speaks: |facts| {
            let many = facts.sandboxed * 100 >= facts.clicks * MANY_SANDBOXED_PERCENT;
            (facts.sandboxed > 0).then(|| {
                (
                    if many { Severity::Warning } else { Severity::Info },
                    format!(
                        "Safe Attachments detonated links with {} of {} clicks: the HTML looks suspicious. Clean it: \
                         fewer heavy images and external resources, plain encoding.",
                        facts.sandboxed, facts.clicks
                    ),
                )
            })
        },
    },
    Pattern {
        code: "timeofclick",
        speaks: |facts| {
            (facts.safe_links_recipients > 0).then(|| {
                (
                    Severity::Info,
                    format!(
                        "Safe Links checked clicks of {} of {} recipients who clicked ({} %): that is normal, and about \
                         the share of the list on Microsoft 365.",
                        facts.safe_links_recipients,
                        facts.recipients,
                        facts.safe_links_recipients * 100 / facts.recipients.max(1)
                    ),
                )
            })
        },
    },
    Pattern {
        code: "campaign_view",
        speaks: |facts| {
            (facts.correlated > 0).then(|| {
                (
                    Severity::Warning,
                    format!(
                        "Microsoft fetched one link across many recipients at once ({} clicks): the messages were \
                         grouped, perhaps flagged. Watch for blocks.",
                        facts.correlated
                    ),
                )
            })
        },
    },
    Pattern {
        code: "air_or_mbi",
        speaks: |facts| {
            (facts.investigated > 0).then(|| {
                (
                    Severity::Critical,
                    format!(
                        "Microsoft crawled links long after delivery ({} clicks): an alert may have fired. Pause, and run \
                         a placement test before the next send.",
                        facts.investigated
                    ),
                )
            })
        },
    },
];

/// What a report means, in the table's order.
#[must_use]
pub fn of(report: &Report) -> Vec<Diagnosis> {
    let count = |kind| report.by_type.of(kind);
    speak(&Facts {
        clicks: report.clicks,
        recipients: report.recipients,
        safe_links_recipients: report.safe_links_recipients,
        sandboxed: count(ClickType::ScannerSafeAttachments),
        correlated: count(ClickType::ScannerCampaignView),
        investigated: count(ClickType::ScannerAirOrMbi),
    })
}

fn speak(facts: &Facts) -> Vec<Diagnosis> {
    PATTERNS
        .iter()
        .filter_map(|pattern| {
            (pattern.speaks)(facts).map(|(severity, text)| Diagnosis { code: pattern.code, severity, text })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_speaks_for_itself_alone() {
        let quiet = Facts { clicks: 100, recipients: 50, ..Facts::default() };
        assert_eq!(speak(&quiet), []);
        let cases = [
            (Facts { sandboxed: 9, ..quiet }, "safe_attachments", Severity::Info, "9 of 100"),
            (Facts { sandboxed: 10, ..quiet }, "safe_attachments", Severity::Warning, "Clean it"),
            (Facts { safe_links_recipients: 20, ..quiet }, "timeofclick", Severity::Info, "(40 %)"),
            (Facts { correlated: 30, ..quiet }, "campaign_view", Severity::Warning, "Watch for blocks"),
            (Facts { investigated: 1, ..quiet }, "air_or_mbi", Severity::Critical, "placement test"),
        ];
        for (facts, code, severity, words) in cases {
            let [only] = speak(&facts).try_into().unwrap();
            assert_eq!((only.code, only.severity), (code, severity));
            assert!(only.text.contains(words), "{}", only.text);
        }
    }
}
