//! The lines that leave: one JSON object an event, in the contract's names. What warehouses and logs read is written here and
//! nowhere else.

use super::writer::Fields;
pub use super::writer::json;
use crate::proof::view::{Credit, NoCredit};
use crate::record::{Record, Sighting, UNRECORDED};
use crate::signals::Signals;
use crate::verdict::{ClickType, Verdict};

/// The line that ships a click, an open or an act from revision 1 on: the event bears the name of its kind. `was` is the type that the
/// revision before named, so that a reader who only appends can subtract it. Whose network it came from this build's catalogue
/// says: after an update a second shipment may name another.
#[must_use]
pub fn shipped(record: &Record, verdict: &Verdict, was: Option<ClickType>) -> String {
    let mut line = Fields::of_event(record.kind.name());
    put_record(&mut line, record);
    put_place(&mut line, &Signals::of(record), false);
    put_verdict(&mut line, verdict);
    line.known_text("previous_click_type", was.map(ClickType::name));
    line.end()
}

/// A record with its verdict, as a webhook tells of an act.
pub(super) fn told(record: &Record, verdict: &Verdict) -> String {
    let mut line = Fields::of_event(record.kind.name());
    put_record(&mut line, record);
    put_verdict(&mut line, verdict);
    line.end()
}

/// The line that ships what the landing page of a click showed.
#[must_use]
pub fn verified(click: &Record, sighting: &Sighting) -> String {
    let mut line = Fields::of_event("verify");
    // It has an id of its own, which dates it.
    line.text("event_id", Some(&sighting.event_id.to_string()));
    line.integer("revision", Some(1));
    line.text("message_id", Some(&click.message_id));
    line.text("recipient_id", Some(&click.recipient_id));
    line.text("link_id", click.link_id.as_deref());
    line.text("url", click.url.as_deref());
    line.integer("ts_ms", Some(sighting.event_id.ts_ms()));
    line.text("verified", Some(sighting.verified.name()));
    line.integer("since_load_ms", sighting.since_load_ms);
    line.text("click_event_id", Some(&click.event_id));
    line.integer("click_ts_ms", Some(click.ts_ms));
    line.end()
}

/// A record alone, with the signals that it is kept with: an object is given it.
#[must_use]
pub fn record(record: &Record) -> String {
    let mut line = Fields::default();
    put_record(&mut line, record);
    line.known_text("signals", record.signals.as_deref());
    line.end()
}

/// The line that lists a click with its current verdict.
#[must_use]
pub fn listed(record: &Record, verdict: &Verdict) -> String {
    let mut line = Fields::default();
    put_record(&mut line, record);
    put_verdict(&mut line, verdict);
    line.end()
}

/// The edge's line for a request, written before anything else can fail.
#[must_use]
pub fn received(record: &Record, signals: &Signals) -> String {
    let mut line = Fields::of_event("click.received");
    put_record(&mut line, record);
    put_place(&mut line, signals, true);
    line.texts("votes", &mut signals.votes.seen().map(|vote| vote.reason));
    line.end()
}

/// A record's fields, in its order.
fn put_record(fields: &mut Fields, record: &Record) {
    fields.text("event_id", Some(&record.event_id));
    fields.text("message_id", Some(&record.message_id));
    fields.text("recipient_id", Some(&record.recipient_id));
    fields.text("link_id", record.link_id.as_deref());
    fields.text("url", record.url.as_deref());
    fields.text("kind", Some(record.kind.name()));
    fields.integer("ts_ms", Some(record.ts_ms));
    fields.integer("sent_at_ms", Some(record.sent_at_ms));
    fields.integer("delivered_at_ms", record.delivered_at_ms);
    if record.bounced_at_ms.is_some() {
        fields.integer("bounced_at_ms", record.bounced_at_ms);
    }
    fields.known_text("group", record.group.as_deref());
    fields.integer("links_total", record.links_total);
    fields.text("method", Some(record.method.as_str()).filter(|method| !method.is_empty()));
    fields.text("ip", record.ip.as_deref());
    fields.integer("asn", record.asn);
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
        fields.text(name, value.as_deref());
    }
    fields.boolean("secure", record.secure);
    fields.text("cookie", record.cookie.as_deref());
    fields.text("visitor_id", record.visitor_id.as_deref());
    fields.integer("repeats", record.repeats);
    fields.known_text("act", record.act.as_deref());
}

/// A verdict's fields, in its order.
fn put_verdict(fields: &mut Fields, verdict: &Verdict) {
    let finding = &verdict.finding;
    fields.text("click_type", finding.click_type.map(ClickType::name));
    fields.text("vendor", finding.vendor.as_deref());
    fields.text("confidence", Some(finding.confidence.name()));
    fields.text("rule", Some(&finding.rule));
    fields.texts("reasons", &mut finding.reasons.iter().map(AsRef::as_ref));
    fields.text("paired_with", finding.paired_with.as_deref());
    fields.boolean("is_bot", Some(verdict.is_bot));
    fields.boolean("is_defender_bot", Some(verdict.is_defender_bot));
    fields.text("verified", Some(verdict.verified.name()));
    fields.text("ruleset", Some(&verdict.ruleset));
    fields.integer("revision", Some(verdict.revision.into()));
    fields.boolean("final", Some(verdict.is_final));
    if let Some(shadow) = &verdict.shadow {
        let mut whole = Fields::default();
        put_verdict(&mut whole, shadow);
        fields.object("shadow", whole);
    }
}

/// What the catalogues say of where it came from; only the edge's line names the agent. What is withheld is its class alone.
fn put_place(fields: &mut Fields, signals: &Signals, with_agent: bool) {
    let is_told = !signals.is_withheld;
    let network = signals.place.filter(|_| is_told);
    fields.text("network", network.map(|network| network.name));
    fields.text("network_vendor", network.map(|network| network.vendor));
    fields.text("network_class", signals.place.map(|network| network.class.name()));
    if with_agent {
        fields.text("agent", signals.agent.filter(|_| is_told).map(|agent| agent.name));
    }
    fields.boolean("safelinks_referer", is_told.then_some(signals.safelinks_referer));
}

/// The edge's line for a token that it did not open.
#[must_use]
pub fn refused(reason: &'static str) -> String {
    refusal("link.refused", reason)
}

/// What was refused is told of, so that a lost key shows.
fn refusal(event: &str, reason: &str) -> String {
    let mut line = Fields::of_event(event);
    line.text("reason", Some(reason));
    line.end()
}

/// The edge's line for a page view that proves something of a click.
#[must_use]
pub fn viewed(credit: &Credit, since_load_ms: Option<i64>) -> String {
    let mut line = Fields::of_event("verify.received");
    line.text("event_id", Some(&credit.click.event_id.to_string()));
    line.text("verified", Some(credit.verified.name()));
    line.text("by", Some(credit.by));
    line.integer("since_load_ms", since_load_ms);
    line.end()
}

/// The edge's line for a page view that proves nothing.
#[must_use]
pub fn not_viewed(why: NoCredit) -> String {
    refusal("verify.refused", why.name())
}

/// The edge's line for a click that its message's object did not take: the whole record, so that it can be replayed from the log.
#[must_use]
pub fn unrecorded(record: &Record, reason: &str) -> String {
    let mut line = Fields::of_event(UNRECORDED);
    line.text("reason", Some(reason));
    let mut whole = Fields::default();
    put_record(&mut whole, record);
    whole.known_text("signals", record.signals.as_deref());
    line.object("record", whole);
    line.end()
}

/// The edge's line for a form that acted.
#[must_use]
pub fn acted(record: &Record) -> String {
    let mut line = Fields::of_event("act.stored");
    line.text("event_id", Some(&record.event_id));
    line.known_text("act", record.act.as_deref());
    line.end()
}

/// The edge's line for a form that did nothing.
#[must_use]
pub fn not_acted(record: &Record, reason: &'static str) -> String {
    let mut line = Fields::of_event("act.refused");
    line.text("event_id", Some(&record.event_id));
    line.text("reason", Some(reason));
    line.end()
}

/// The line for what failed and where.
#[must_use]
pub fn failure(event: &str, subject: &str, error: &str) -> String {
    let mut line = Fields::of_event(event);
    line.text("subject", Some(subject));
    line.text("error", Some(error));
    line.end()
}

/// The consumer's line for an object that it wrote.
#[must_use]
pub fn written(key: &str, events: u64) -> String {
    let mut line = Fields::of_event("events.written");
    line.text("key", Some(key));
    line.integer("events", i64::try_from(events).ok());
    line.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Verified;
    use crate::verdict::{Finding, Ruleset};

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

    /// So are a verdict's, a second opinion's among them.
    #[test]
    fn what_is_listed_and_shipped_is_the_record_with_its_verdict() {
        let record = Record { event_id: "e".to_owned(), ..Record::default() };
        let finding = Finding {
            click_type: Some(ClickType::ScannerTimeOfClick),
            vendor: Some("a \"vendor\"".into()),
            reasons: vec!["+pair".into(), "-touched".into()],
            paired_with: Some("other".into()),
            ..Finding::not_a_click()
        };
        let mut verdict = Verdict::new(finding, Ruleset::Full, 2).with_verified(Verified::Rendered);
        for shadow in [None, Some(Verdict::new(Finding::not_a_click(), Ruleset::Defender, 2))] {
            verdict.shadow = shadow.map(Box::new);
            let (fields, found) = (json(&record), json(&verdict));
            let whole = format!("{},{}", &fields[..fields.len() - 1], &found[1..]);
            assert_eq!(listed(&record, &verdict), whole);
            let told = format!("{{\"event\":\"click\",{}", &whole[1..]);
            assert_eq!(super::told(&record, &verdict), told);
            let place =
                "\"network\":null,\"network_vendor\":null,\"network_class\":null,\"safelinks_referer\":false";
            let shipped = shipped(&record, &verdict, Some(ClickType::Human));
            assert_eq!(
                shipped,
                format!(
                    "{{\"event\":\"click\",{},{place},{},\"previous_click_type\":\"human\"}}",
                    &fields[1..fields.len() - 1],
                    &found[1..found.len() - 1]
                )
            );
        }
    }
}
