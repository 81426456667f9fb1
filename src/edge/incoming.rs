//! What a request to a link shows, whatever kind the link is of: its token opened, its record, its id.

use std::cell::RefCell;

use futures_util::StreamExt;
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use worker::{Date, Env, Headers, Request, Response, Result};

use super::routes::Place;
use super::{log, respond, stub};
use crate::config::Config;
use crate::event::line;
use crate::link::Link;
use crate::link::keys::Keyring;
use crate::link::token;
use crate::message::call::Call;
use crate::record::EventId;
use crate::record::EventIds;
use crate::record::Kind;
use crate::record::{self, Record};

thread_local! {
    /// The ids that one isolate makes ascend.
    static IDS: RefCell<EventIds> = RefCell::default();
}

/// The link at the start of a path's tail, where it is of one of these kinds, with the keys that opened it; else the
/// answer. What is refused is logged.
pub(super) fn link<'a>(
    tail: &str,
    config: &'a Config,
    kinds: &[Kind],
) -> std::result::Result<(&'a Keyring, Link), Result<Response>> {
    let Some(keys) = &config.keys else { return Err(respond::try_later()) };
    let refusal = match token::open(token::leading(tail), keys) {
        Ok(link) if kinds.contains(&link.kind) => return Ok((keys, link)),
        Ok(_) => "wrong_kind",
        Err(refusal) => refusal.name(),
    };
    log::line(&line::refused(refusal));
    Err(respond::not_found())
}

/// The clock, Unix milliseconds.
pub(super) fn now_ms() -> i64 {
    i64::try_from(Date::now().as_millis()).unwrap_or_default()
}

/// The id of a request that comes now.
pub(super) fn next_id() -> EventId {
    IDS.with_borrow_mut(|ids| ids.next(now_ms(), random()))
}

/// Whether the visitor asks not to be tracked (Global Privacy Control): no cookie then, and no reference.
pub(super) fn refuses_tracking(headers: &Headers) -> bool {
    header(headers, "sec-gpc").as_deref() == Some("1")
}

/// The `Cookie` header, where it may be read: the cookie is on, and the visitor lets us.
pub(super) fn cookies(headers: &Headers, config: &Config) -> Option<String> {
    if config.cookie && !refuses_tracking(headers) { header(headers, "cookie") } else { None }
}

/// `Sec-Purpose`, or what older browsers send for it.
pub(super) fn purpose(headers: &Headers) -> Option<String> {
    let said = |name| header(headers, name).filter(|purpose| !purpose.is_empty());
    ["sec-purpose", "purpose", "x-moz"].into_iter().find_map(said)
}

/// Gives the click to its message's object. A loss is logged with the whole record, so that it can be replayed.
pub(super) async fn hand_over(env: &Env, object: &str, record: Record) {
    let json = match serde_json::to_string(&record) {
        Ok(json) => json,
        Err(error) => return log::failure("click.unrecorded", &record.event_id, &error),
    };
    // The object knows an event_id that it has: asking again is harmless.
    if let Err(failure) = stub::tell(env, object, &Call::Arrive(json)).await {
        log::alarm(&line::unrecorded(&record, &failure.to_string()));
    }
}

/// What the request shows, without the cookie.
pub(super) fn record(request: &Request, place: &Place, link: &Link, id: EventId) -> Record {
    let headers = request.headers();
    let text = |name: &str| header(headers, name).and_then(record::cut);
    let cf = Cf::of(request);
    Record {
        event_id: id.to_string(),
        message_id: link.message_id.clone(),
        recipient_id: link.recipient_id.clone(),
        link_id: Some(link.link_id.clone()),
        url: link.url.as_ref().map(|url| url.as_str().to_owned()),
        kind: link.kind,
        ts_ms: id.ts_ms(),
        sent_at_ms: i64::try_from(link.sent_at_ms).unwrap_or(i64::MAX),
        delivered_at_ms: None,
        links_total: Some(link.links_total.into()),
        method: request.inner().method(),
        ip: text("cf-connecting-ip"),
        asn: cf.number("asn"),
        country: cf.text("country"),
        user_agent: text("user-agent"),
        referer: header(headers, "referer").and_then(record::cut_referer),
        accept: text("accept"),
        accept_language: text("accept-language"),
        sec_fetch_site: text("sec-fetch-site"),
        sec_fetch_mode: text("sec-fetch-mode"),
        sec_fetch_dest: text("sec-fetch-dest"),
        sec_fetch_user: text("sec-fetch-user"),
        sec_purpose: purpose(headers).and_then(record::cut),
        sec_ch_ua: text("sec-ch-ua"),
        x_forwarded_for: text("x-forwarded-for"),
        http_protocol: cf.text("httpProtocol"),
        secure: Some(place.is_secure()),
        ..Record::default()
    }
}

/// What the platform says of the connection. Any of it may be missing, where workers-rs' own getters would panic.
struct Cf(JsValue);

impl Cf {
    fn of(request: &Request) -> Self {
        Self(Reflect::get(request.inner(), &"cf".into()).unwrap_or_default())
    }

    fn get(&self, name: &str) -> JsValue {
        // Reading a property of nothing throws.
        Reflect::get(&self.0, &name.into()).unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).as_string().and_then(record::cut)
    }

    #[expect(clippy::cast_possible_truncation, reason = "AS numbers have 32 bits")]
    fn number(&self, name: &str) -> Option<i64> {
        self.get(name).as_f64().map(|number| number as i64)
    }
}

/// A header's value.
pub(super) fn header(headers: &Headers, name: &str) -> Option<String> {
    headers.get(name).ok().flatten()
}

/// A request's body; `None` where it has more than `most` bytes.
pub(super) async fn body(request: &mut Request, most: usize) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if request.inner().body().is_none() {
        return Ok(Some(bytes));
    }
    let mut chunks = request.stream()?;
    while let Some(chunk) = chunks.next().await {
        bytes.extend(chunk?);
        if bytes.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}

/// Random bytes. Without randomness ids still ascend, and a visitor of zeros is better than no redirect.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let _ = getrandom::fill(&mut bytes);
    bytes
}
