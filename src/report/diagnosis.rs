//! What a report means for whoever looks after deliverability: what was seen, and what to do next.
//!
//! One table. Each line speaks of one group of scanners, where it is large enough to matter, and knows three grades: good to
//! know, to be looked into before the next send, to be acted on now. Bounds are shares, so that they grow with the send: one late
//! crawl in a million clicks is a note, one in six is an alarm. A share says what it is a share of. What compares with the sender's
//! sends before is [`super::change`]'s.

use super::change;
use super::figures::Report;
use super::finding::{Diagnosis, Severity};
use super::past::Past;
use super::share;
use crate::verdict::ClickType;

/// From this share of all clicks on sandbox clicks are many: a tenth. Every copy of some mails is detonated, whatever is in it.
const MANY_SANDBOXED: i64 = 10;

/// From this share of all clicks on a burst or a crawl is the campaign's and not one mailbox's: a thousandth.
const CAMPAIGN_WIDE: i64 = 1_000;

/// From this share of all clicks on other groups matter to whoever reads rates: a hundredth.
const MATTERS: i64 = 100;

/// From this share of the recipients who clicked on, and from so many on, those with machines' clicks alone bend segments: a tenth,
/// twenty.
const BENDS: (i64, i64) = (10, 20);

/// From this share of all opens on, and from so many on, a provider's own bend the open rate: a third, of thirty.
const MANY_OPENS: (i64, i64) = (3, 30);

/// From this share of unsubscriptions and confirmations on, and from so many on, machines press buttons as a rule: a tenth, three.
const PRESSED: (i64, i64) = (10, 3);

/// One line of the table: when it speaks, and what it says.
struct Pattern {
    code: &'static str,
    speaks: fn(&Report) -> Option<(Severity, String)>,
}

/// Whether a part is at least one in so many of a whole.
const fn is_share(part: i64, whole: i64, one_in: i64) -> bool {
    part > 0 && part.saturating_mul(one_in) >= whole
}

/// "12 of 300 clicks (4 %)".
fn of_clicks(part: i64, report: &Report) -> String {
    share::of(part, report.clicks, "clicks")
}

/// What a type's group says where it matters: a note.
fn note(report: &Report, kind: ClickType, begin: &str, next: &str) -> Option<(Severity, String)> {
    let count = report.by_type.of(kind);
    is_share(count, report.clicks, MATTERS)
        .then(|| (Severity::Info, format!("{begin} {}: {next}", of_clicks(count, report))))
}

const PATTERNS: [Pattern; 14] = [
    Pattern {
        code: "safe_attachments",
        speaks: |report| {
            let count = report.by_type.of(ClickType::ScannerSafeAttachments);
            let many = is_share(count, report.clicks, MANY_SANDBOXED);
            (count > 0).then(|| {
                let seen = of_clicks(count, report);
                (
                    if many { Severity::Warning } else { Severity::Info },
                    if many {
                        format!(
                            "Safe Attachments detonated links with {seen}: the HTML looks suspicious. Clean it: fewer \
                             heavy images and external resources, plain encoding."
                        )
                    } else {
                        format!(
                            "Safe Attachments detonated links with {seen}: some tenants have every mail opened. Where it \
                             becomes a tenth, clean the HTML."
                        )
                    },
                )
            })
        },
    },
    Pattern {
        code: "timeofclick",
        speaks: |report| {
            let (theirs, all) = (report.safe_links_recipients, report.recipients);
            (theirs > 0).then(|| {
                (
                    Severity::Info,
                    format!(
                        "Safe Links checked clicks of {}: that is normal, and \
                         about the share of the list on Microsoft 365.",
                        share::of(theirs, all, "recipients who clicked")
                    ),
                )
            })
        },
    },
    Pattern {
        code: "campaign_view",
        speaks: |report| {
            let count = report.by_type.of(ClickType::ScannerCampaignView);
            let is_wide = is_share(count, report.clicks, CAMPAIGN_WIDE);
            (count > 0).then(|| {
                (
                    if is_wide { Severity::Warning } else { Severity::Info },
                    format!(
                        "Microsoft fetched one link across many recipients at once, with {}: the messages were grouped, \
                         perhaps flagged. Watch for blocks.",
                        of_clicks(count, report)
                    ),
                )
            })
        },
    },
    Pattern {
        code: "air_or_mbi",
        speaks: |report| {
            let count = report.by_type.of(ClickType::ScannerAirOrMbi);
            let is_wide = is_share(count, report.clicks, CAMPAIGN_WIDE);
            (count > 0).then(|| {
                let seen = of_clicks(count, report);
                if is_wide {
                    (
                        Severity::Critical,
                        format!(
                            "Microsoft crawled links long after delivery, with {seen}: an alert may have fired. Pause, and run \
                             a placement test before the next send."
                        ),
                    )
                } else {
                    (
                        Severity::Info,
                        format!(
                            "Microsoft crawled links long after delivery, with {seen}: so few are a mailbox or two under \
                             investigation. Where they become one in a thousand, pause and run a placement test."
                        ),
                    )
                }
            })
        },
    },
    Pattern {
        code: "safelinks_delivery",
        speaks: |report| {
            let next = "tenants that have links checked before a mail is delivered. Nothing to do; a click in the first \
                        seconds is nobody's interest.";
            note(
                report,
                ClickType::ScannerSafelinksDelivery,
                "Safe Links checked links on delivery with",
                next,
            )
        },
    },
    Pattern {
        code: "gateway",
        speaks: |report| {
            let next = "companies that have mail checked at their own gateway. Nothing to do, but for a rate by mailbox \
                        provider: these are business addresses.";
            let (severity, mut text) =
                note(report, ClickType::ScannerGateway, "Mail gateways opened links with", next)?;
            let mut between = " Seen on this send: ";
            for (vendor, count) in report.by_vendor.0.iter().filter(|(vendor, _)| vendor != "microsoft") {
                text.push_str(between);
                text.push_str(vendor);
                text.push(' ');
                text.push_str(&count.to_string());
                between = ", ";
            }
            if between == ", " {
                text.push('.');
            }
            Some((severity, text))
        },
    },
    Pattern {
        code: "declared",
        speaks: |report| {
            let next = "previews, link checkers and prefetches. Nothing to do; they are no readers.";
            note(report, ClickType::ScannerDeclared, "Programs that say so themselves made", next)
        },
    },
    Pattern {
        code: "sweep",
        speaks: |report| {
            let next = "a gateway that nobody lists. The command networks learn names such networks from your own history.";
            note(
                report,
                ClickType::ScannerSweep,
                "Something opened several links of one mail at once with",
                next,
            )
        },
    },
    Pattern {
        code: "fanout",
        speaks: |report| {
            let next = "one machine in front of many mailboxes, a university's or a host's. A pixel or a reply from there \
                        says nothing either.";
            note(
                report,
                ClickType::ScannerFanout,
                "One source opened the links of many recipients with",
                next,
            )
        },
    },
    Pattern {
        code: "headless",
        speaks: |report| {
            let next = "scanners that pass for browsers. Do not let such a click start a flow.";
            note(report, ClickType::ScannerHeadless, "Programs from rented machines made", next)
        },
    },
    Pattern {
        code: "repeat",
        speaks: |report| {
            let asked = report.by_type.of(ClickType::ScannerRepeat) + report.repeats;
            let all = report.clicks + report.repeats;
            is_share(asked, all, MATTERS).then(|| {
                (
                    Severity::Info,
                    format!(
                        "One link of a copy was asked for again and again, with {}: a monitor or a \
                         broken client. Count recipients, not clicks.",
                        share::of(asked, all, "requests")
                    ),
                )
            })
        },
    },
    Pattern {
        code: "machine_only",
        speaks: |report| {
            let (theirs, all) = (report.machine_only_recipients, report.recipients);
            let (one_in, least) = BENDS;
            (theirs >= least && is_share(theirs, all, one_in)).then(|| {
                (
                    Severity::Warning,
                    format!(
                        "{} have machines' clicks alone: nobody read what they \
                         seem to have clicked. Leave them out of segments and flows that take a click for interest.",
                        share::of(theirs, all, "recipients with a click")
                    ),
                )
            })
        },
    },
    Pattern {
        code: "proxy_opens",
        speaks: |report| {
            let (count, all) = (report.opens.by_type.of(ClickType::ProxyOpen), report.opens.total);
            let (one_in, least) = MANY_OPENS;
            (all >= least && is_share(count, all, one_in)).then(|| {
                (
                    Severity::Info,
                    format!(
                        "{} were made by mail providers' own proxies: they say nothing of a \
                         reader. Decide by clicks.",
                        share::of(count, all, "opens")
                    ),
                )
            })
        },
    },
    Pattern {
        code: "machine_acts",
        speaks: |report| {
            let acts = report.acts;
            let (count, all) = (acts.machines, acts.unsubscribe + acts.confirm);
            let (one_in, least) = PRESSED;
            let is_rule = count >= least && is_share(count, all, one_in);
            (count > 0).then(|| {
                (
                    if is_rule { Severity::Warning } else { Severity::Info },
                    format!(
                        "{} were made by machines: nobody asked for them. \
                         Undo them in your list before the next send.",
                        share::of(count, all, "unsubscriptions and confirmations")
                    ),
                )
            })
        },
    },
];

/// What a report means, in the table's order, then how it differs from the sends before it.
#[must_use]
pub fn of(report: &Report, past: &[Past]) -> Vec<Diagnosis> {
    let speak = |pattern: &Pattern| {
        (pattern.speaks)(report).map(|(severity, text)| Diagnosis { code: pattern.code, severity, text })
    };
    let mut all: Vec<Diagnosis> = PATTERNS.iter().filter_map(speak).collect();
    all.extend(change::of(report, past));
    all
}

/// Compares a report with the sends before it.
pub fn compare(report: &mut Report, past: &[Past]) {
    report.diagnosis = of(report, past);
}
