//! The lines that leave: one JSON object an event, in the contract's names. What warehouses and logs read is written here and
//! nowhere else.

use std::fmt::Write as _;

use serde::Serialize;

use crate::proof::view::{Credit, NoCredit};
use crate::record::{Record, Sighting, UNRECORDED, Verified};
use crate::signals::Signals;
use crate::verdict::{ClickType, Verdict};

/// A record with its verdict; `event` is absent where a click is listed and not shipped.
#[derive(Serialize)]
pub(super) struct Judged<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<&'static str>,
    #[serde(flatten)]
    pub(super) record: &'a Record,
    #[serde(flatten)]
    pub(super) verdict: &'a Verdict,
}

/// What is shipped of a click, an open or an act: the record, what the edge's line says of where it came from, the verdict, and
/// what the revision before said, so that a reader who only appends can subtract it.
#[derive(Serialize)]
struct Shipped<'a> {
    event: &'static str,
    #[serde(flatten)]
    record: &'a Record,
    network: Option<&'static str>,
    network_vendor: Option<&'static str>,
    network_class: Option<&'static str>,
    safelinks_referer: bool,
    #[serde(flatten)]
    verdict: &'a Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_click_type: Option<&'static str>,
}

/// What the landing page of a click showed. It has an id of its own, which dates it.
#[derive(Serialize)]
struct Verification<'a> {
    event: &'static str,
    event_id: String,
    revision: u32,
    message_id: &'a str,
    recipient_id: &'a str,
    link_id: Option<&'a str>,
    url: Option<&'a str>,
    ts_ms: i64,
    verified: Verified,
    since_load_ms: Option<i64>,
    click_event_id: &'a str,
    click_ts_ms: i64,
}

/// A click that could not be recorded: the whole record, so that it can be replayed from the log.
#[derive(Serialize)]
struct Unrecorded<'a> {
    event: &'static str,
    reason: &'a str,
    record: &'a Record,
}

/// A token or a page view that was refused, so that a lost key shows.
#[derive(Serialize)]
struct Refused {
    event: &'static str,
    reason: &'static str,
}

/// What a landing page showed, at the edge.
#[derive(Serialize)]
struct Viewed<'a> {
    event: &'static str,
    event_id: String,
    verified: Verified,
    by: &'a str,
    since_load_ms: Option<i64>,
}

/// What became of a form that was sent to a link that acts.
#[derive(Serialize)]
struct Submitted<'a> {
    event: &'static str,
    event_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Events that lie in R2 now.
#[derive(Serialize)]
struct Written<'a> {
    event: &'static str,
    key: &'a str,
    events: u64,
}

/// The line that ships a click, an open or an act from revision 1 on: the event bears the name of its kind. `was` is the type
/// that the revision before named. Whose network it came from is looked up here, and so is the catalogue's of the day.
#[must_use]
pub fn shipped(record: &Record, verdict: &Verdict, was: Option<ClickType>) -> String {
    let Signals { place, safelinks_referer, .. } = Signals::of(record);
    json(&Shipped {
        event: record.kind.name(),
        record,
        network: place.map(|network| network.name),
        network_vendor: place.map(|network| network.vendor),
        network_class: place.map(|network| network.class.name()),
        safelinks_referer,
        verdict,
        previous_click_type: was.map(ClickType::name),
    })
}

/// The line that ships what the landing page of a click showed.
#[must_use]
pub fn verified(click: &Record, sighting: &Sighting) -> String {
    json(&Verification {
        event: "verify",
        event_id: sighting.event_id.to_string(),
        revision: 1,
        message_id: &click.message_id,
        recipient_id: &click.recipient_id,
        link_id: click.link_id.as_deref(),
        url: click.url.as_deref(),
        ts_ms: sighting.event_id.ts_ms(),
        verified: sighting.verified,
        since_load_ms: sighting.since_load_ms,
        click_event_id: &click.event_id,
        click_ts_ms: click.ts_ms,
    })
}

/// The line that lists a click with its current verdict.
#[must_use]
pub fn listed(record: &Record, verdict: &Verdict) -> String {
    json(&Judged { event: None, record, verdict })
}

/// The edge's line for a request, written before anything else can fail.
#[must_use]
pub fn received(record: &Record, signals: &Signals) -> String {
    let network = signals.place;
    let mut line = Fields(String::with_capacity(2_048));
    line.text("event", Some("click.received"));
    line.record(record);
    line.text("network", network.map(|network| network.name));
    line.text("network_vendor", network.map(|network| network.vendor));
    line.text("network_class", network.map(|network| network.class.name()));
    line.text("agent", signals.agent.map(|agent| agent.name));
    line.boolean("safelinks_referer", Some(signals.safelinks_referer));
    line.name("votes");
    let mut between = '[';
    for vote in signals.votes.seen() {
        line.0.push(between);
        push_text(&mut line.0, vote.reason);
        between = ',';
    }
    line.0.push_str(if between == '[' { "[]}" } else { "]}" });
    line.0
}

/// An object of JSON, written field by field: of every click there is one, and the way that a serialiser goes through a struct in
/// a struct costs a tenth of all that a click takes.
struct Fields(String);

impl Fields {
    fn name(&mut self, name: &str) {
        self.0.push_str(if self.0.is_empty() { "{\"" } else { ",\"" });
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        self.name(name);
        match value {
            Some(text) => push_text(&mut self.0, text),
            None => self.0.push_str("null"),
        }
    }

    fn integer(&mut self, name: &str, value: Option<i64>) {
        self.name(name);
        match value {
            // To write into a text does not fail.
            Some(number) => _ = write!(self.0, "{number}"),
            None => self.0.push_str("null"),
        }
    }

    fn boolean(&mut self, name: &str, value: Option<bool>) {
        self.name(name);
        self.0.push_str(value.map_or("null", |value| if value { "true" } else { "false" }));
    }

    /// A record's fields, in its order.
    fn record(&mut self, record: &Record) {
        self.text("event_id", Some(&record.event_id));
        self.text("message_id", Some(&record.message_id));
        self.text("recipient_id", Some(&record.recipient_id));
        self.text("link_id", record.link_id.as_deref());
        self.text("url", record.url.as_deref());
        self.text("kind", Some(record.kind.name()));
        self.integer("ts_ms", Some(record.ts_ms));
        self.integer("sent_at_ms", Some(record.sent_at_ms));
        self.integer("delivered_at_ms", record.delivered_at_ms);
        if record.bounced_at_ms.is_some() {
            self.integer("bounced_at_ms", record.bounced_at_ms);
        }
        if record.group.is_some() {
            self.text("group", record.group.as_deref());
        }
        self.integer("links_total", record.links_total);
        self.text("method", Some(&record.method));
        self.text("ip", record.ip.as_deref());
        self.integer("asn", record.asn);
        for (name, value) in [
            ("country", &record.country),
            ("user_agent", &record.user_agent),
            ("referer", &record.referer),
            ("accept", &record.accept),
            ("accept_language", &record.accept_language),
            ("sec_fetch_site", &record.sec_fetch_site),
            ("sec_fetch_mode", &record.sec_fetch_mode),
            ("sec_fetch_dest", &record.sec_fetch_dest),
            ("sec_fetch_user", &record.sec_fetch_user),
            ("sec_purpose", &record.sec_purpose),
            ("sec_ch_ua", &record.sec_ch_ua),
            ("x_forwarded_for", &record.x_forwarded_for),
            ("http_protocol", &record.http_protocol),
        ] {
            self.text(name, value.as_deref());
        }
        self.boolean("secure", record.secure);
        self.text("cookie", record.cookie.as_deref());
        self.text("visitor_id", record.visitor_id.as_deref());
        self.integer("repeats", record.repeats);
        if record.act.is_some() {
            self.text("act", record.act.as_deref());
        }
    }
}

/// Appends a string of JSON. Few texts hold what must be escaped.
fn push_text(line: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        line.push('"');
        line.push_str(text);
        line.push('"');
    } else {
        line.push_str(&json(&text));
    }
}

/// The edge's line for a token that it did not open.
#[must_use]
pub fn refused(reason: &'static str) -> String {
    json(&Refused { event: "link.refused", reason })
}

/// The edge's line for a page view that proves something of a click.
#[must_use]
pub fn viewed(credit: &Credit, since_load_ms: Option<i64>) -> String {
    json(&Viewed {
        event: "verify.received",
        event_id: credit.click.event_id.to_string(),
        verified: credit.verified,
        by: credit.by,
        since_load_ms,
    })
}

/// The edge's line for a page view that proves nothing.
#[must_use]
pub fn not_viewed(why: NoCredit) -> String {
    json(&Refused { event: "verify.refused", reason: why.name() })
}

/// The edge's line for a click that its message's object did not take.
#[must_use]
pub fn unrecorded(record: &Record, reason: &str) -> String {
    json(&Unrecorded { event: UNRECORDED, reason, record })
}

/// The edge's line for a form that acted.
#[must_use]
pub fn acted(record: &Record) -> String {
    json(&Submitted {
        event: "act.stored",
        event_id: &record.event_id,
        act: record.act.as_deref(),
        reason: None,
    })
}

/// The edge's line for a form that did nothing.
#[must_use]
pub fn not_acted(record: &Record, reason: &'static str) -> String {
    json(&Submitted { event: "act.refused", event_id: &record.event_id, act: None, reason: Some(reason) })
}

/// The consumer's line for an object that it wrote.
#[must_use]
pub fn written(key: &str, events: u64) -> String {
    json(&Written { event: "events.written", key, events })
}

/// One line of JSON. Structs of strings, numbers and lists always serialise.
#[must_use]
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by hand, it says what a serialiser would: every field of a record, in its order, whatever it holds.
    #[test]
    fn the_edges_line_is_the_record_with_what_the_request_showed() {
        let odd = |word: &str| Some(format!("{word} \"quoted\" \\ \u{1} \u{7f} \n é \u{1f600}"));
        let least = Record { event_id: "e".to_owned(), ..Record::default() };
        let full = Record {
            link_id: odd("link"),
            url: odd("url"),
            ts_ms: i64::MAX,
            sent_at_ms: -1,
            delivered_at_ms: Some(2),
            bounced_at_ms: Some(5),
            group: odd("group"),
            links_total: Some(3),
            method: "POST".to_owned(),
            ip: Some("40.92.1.1".to_owned()),
            asn: Some(8075),
            country: odd("country"),
            user_agent: odd("curl/8.5.0"),
            referer: odd("referer"),
            accept: odd("accept"),
            accept_language: odd("language"),
            sec_fetch_site: odd("site"),
            sec_fetch_mode: odd("mode"),
            sec_fetch_dest: odd("dest"),
            sec_fetch_user: odd("user"),
            sec_purpose: odd("purpose"),
            sec_ch_ua: odd("brands"),
            x_forwarded_for: odd("forwarded"),
            http_protocol: odd("protocol"),
            secure: Some(false),
            cookie: odd("cookie"),
            visitor_id: odd("visitor"),
            repeats: Some(4),
            act: odd("act"),
            ..least.clone()
        };
        for record in [least, full] {
            let signals = Signals::of(&record);
            let line = received(&record, &signals);
            let fields = json(&record);
            assert!(
                line.starts_with(&format!("{{\"event\":\"click.received\",{}", &fields[1..fields.len() - 1])),
                "{line}"
            );
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            let network = signals.place.map(|network| network.name);
            assert_eq!(read["network"].as_str(), network);
            assert_eq!(read["safelinks_referer"], signals.safelinks_referer);
            assert_eq!(read["votes"].as_array().unwrap().len(), signals.votes.seen().count());
        }
    }
}
