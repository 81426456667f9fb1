//! The lines that leave: one JSON object an event, in the contract's names. What warehouses and logs read is written here and
//! nowhere else.

use serde::Serialize;

use crate::proof::view::{Credit, NoCredit};
use crate::record::{Record, Sighting, Verified};
use crate::signals::Signals;
use crate::verdict::Verdict;

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

/// A record as the edge logs it, with what the request showed.
#[derive(Serialize)]
struct Received<'a> {
    event: &'static str,
    #[serde(flatten)]
    record: &'a Record,
    network: Option<&'static str>,
    network_vendor: Option<&'static str>,
    network_class: Option<&'static str>,
    agent: Option<&'static str>,
    safelinks_referer: bool,
    votes: Vec<&'static str>,
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

/// The line that ships a click, an open or an act from revision 1 on: the event bears the name of its kind.
#[must_use]
pub fn shipped(record: &Record, verdict: &Verdict) -> String {
    json(&Judged { event: Some(record.kind.name()), record, verdict })
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
    json(&Received {
        event: "click.received",
        record,
        network: network.map(|network| network.name),
        network_vendor: network.map(|network| network.vendor),
        network_class: network.map(|network| network.class.name()),
        agent: signals.agent.map(|agent| agent.name),
        safelinks_referer: signals.safelinks_referer,
        votes: signals.votes.seen().map(|vote| vote.reason).collect(),
    })
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
    json(&Unrecorded { event: "click.unrecorded", reason, record })
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
