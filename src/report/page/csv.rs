//! The report's numbers as CSV (RFC 4180): one table for all of them, in which `section` says what a line is about.
//!
//! | section | name | detail | numbers |
//! | --- | --- | --- | --- |
//! | `message` | `message_id` | the title | all |
//! | `time` | `first`, `last` | the minute, UTC | |
//! | `count` | the report's field | | `clicks`, or `recipients` where the name says so |
//! | `type` | click type | | `clicks` |
//! | `vendor` | vendor | | `clicks` |
//! | `confidence` | `certain`, `probable` | | `clicks` |
//! | `group` | group | | `sent`, `human_recipients`, `clicks`, `human_clicks` |
//! | `group_type` | group | click type | `clicks` |
//! | `link` | `link_id` | URL | `human_recipients`, `clicks`, `human_clicks` |
//! | `minute` | its beginning, UTC | click type | `clicks` |
//! | `delay` | seconds since the clock from which the step counts | click type | `clicks` |
//! | `open` | `total`, or the open's type | | `clicks`: how many opens |
//! | `act` | `unsubscribe`, `confirm`, `machines` | | `clicks`: how many acts |
//! | `verified` | `rendered`, `interacted` | | `clicks` |
//!
//! A cell that is not known is empty. One that a spreadsheet would take for a formula (it begins with `=`, `+`, `-` or `@`, a
//! tab or a line's end) begins with an apostrophe in front of that: `message_id`s and titles are senders' own.

use super::super::counts::ByType;
use super::super::figures::Report;
use super::html::Html;

/// The first line.
const COLUMNS: &str = "section,name,detail,sent,recipients,human_recipients,clicks,human_clicks";

/// The numbers of a line, where there are any.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    sent: Option<i64>,
    recipients: Option<i64>,
    human_recipients: Option<i64>,
    clicks: Option<i64>,
    human_clicks: Option<i64>,
}

impl Numbers {
    fn clicks(count: i64) -> Self {
        Self { clicks: Some(count), ..Self::default() }
    }
}

/// The numbers of a report as CSV.
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut csv = String::from(COLUMNS);
    csv.push_str("\r\n");
    let to = &mut csv;
    let all = Numbers {
        sent: report.sent,
        recipients: Some(report.recipients),
        human_recipients: Some(report.human_recipients),
        clicks: Some(report.clicks),
        human_clicks: Some(report.human_clicks),
    };
    line(to, "message", &report.message_id, report.title.as_deref().unwrap_or_default(), all);
    for (name, ms) in [("first", report.first_ms), ("last", report.last_ms)] {
        if let Some(ms) = ms {
            line(to, "time", name, &minute(ms), Numbers::default());
        }
    }
    for (name, count) in [
        ("unsettled", report.unsettled),
        ("repeats", report.repeats),
        ("is_defender_bot", report.is_defender_bot),
    ] {
        line(to, "count", name, "", Numbers::clicks(count));
    }
    for (name, count) in [
        ("machine_only_recipients", report.machine_only_recipients),
        ("safe_links_recipients", report.safe_links_recipients),
    ] {
        line(to, "count", name, "", Numbers { recipients: Some(count), ..Numbers::default() });
    }
    for (kind, count) in &report.by_type.0 {
        line(to, "type", kind.name(), "", Numbers::clicks(*count));
    }
    for (section, names) in [("vendor", &report.by_vendor), ("confidence", &report.by_confidence)] {
        for (name, count) in &names.0 {
            line(to, section, name, "", Numbers::clicks(*count));
        }
    }
    for (name, group) in &report.by_group.0 {
        let numbers = Numbers {
            sent: group.sent,
            recipients: None,
            human_recipients: Some(group.human_recipients),
            clicks: Some(group.clicks),
            human_clicks: Some(group.human_clicks),
        };
        line(to, "group", name, "", numbers);
        by_type(to, "group_type", name, &group.by_type);
    }
    for link in &report.links {
        let numbers = Numbers {
            human_recipients: Some(link.human_recipients),
            clicks: Some(link.clicks),
            human_clicks: Some(link.human_clicks),
            ..Numbers::default()
        };
        let [link_id, url] = [&link.link_id, &link.url].map(|text| text.as_deref().unwrap_or_default());
        line(to, "link", link_id, url, numbers);
    }
    for step in &report.timeline {
        by_type(to, "minute", &minute(step.ts_ms), &step.by_type);
    }
    for step in &report.delay {
        by_type(to, "delay", &step.from_s.to_string(), &step.by_type);
    }
    line(to, "open", "total", "", Numbers::clicks(report.opens.total));
    for (kind, count) in &report.opens.by_type.0 {
        line(to, "open", kind.name(), "", Numbers::clicks(*count));
    }
    for (section, name, count) in [
        ("act", "unsubscribe", report.acts.unsubscribe),
        ("act", "confirm", report.acts.confirm),
        ("act", "machines", report.acts.machines),
        ("verified", "rendered", report.verified.rendered),
        ("verified", "interacted", report.verified.interacted),
    ] {
        line(to, section, name, "", Numbers::clicks(count));
    }
    csv
}

/// A time to the minute, UTC.
fn minute(ms: i64) -> String {
    let mut text = Html::default();
    text.iso(ms);
    text.0
}

/// A line for each type.
fn by_type(to: &mut String, section: &str, name: &str, counts: &ByType) {
    for (kind, count) in &counts.0 {
        line(to, section, name, kind.name(), Numbers::clicks(*count));
    }
}

fn line(to: &mut String, section: &str, name: &str, detail: &str, numbers: Numbers) {
    to.push_str(section);
    for text in [name, detail] {
        to.push(',');
        cell(to, text);
    }
    let Numbers { sent, recipients, human_recipients, clicks, human_clicks } = numbers;
    for number in [sent, recipients, human_recipients, clicks, human_clicks] {
        to.push(',');
        if let Some(number) = number {
            to.push_str(&number.to_string());
        }
    }
    to.push_str("\r\n");
}

/// A text: quoted where it must be, and never a formula.
fn cell(to: &mut String, text: &str) {
    let is_quoted = text.contains([',', '"', '\r', '\n']);
    if is_quoted {
        to.push('"');
    }
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        to.push('\'');
    }
    for character in text.chars() {
        if character == '"' {
            to.push('"');
        }
        to.push(character);
    }
    if is_quoted {
        to.push('"');
    }
}
