//! `/c/{token}`: the redirect. It waits for nothing: the line is logged, the answer goes out, and the click is handed
//! to its message's object afterwards. Whatever fails behind it, a valid link redirects; an invalid one never does.

use std::cell::RefCell;

use js_sys::Reflect;
use wasm_bindgen::JsValue;
use worker::{Context, Date, Env, Headers, Request, Response, Result};

use super::routes::{Place, Verb};
use super::{log, respond, stub};
use crate::config::Config;
use crate::event;
use crate::link::token::{self, Refusal};
use crate::link::{Kind, Link, shard, url};
use crate::message::call::Call;
use crate::signals::cookie::{self, ClickRef, Visitor};
use crate::signals::event_id::EventIds;
use crate::signals::record::{self, Record};
use crate::signals::{EventId, Signals};

thread_local! {
    /// The ids that one isolate makes ascend.
    static IDS: RefCell<EventIds> = RefCell::default();
}

/// Answers a click on a link. `tail` is the path behind `/c/`.
pub(super) fn redirect(
    request: &Request,
    verb: Verb,
    env: &Env,
    context: &Context,
    config: &Config,
    place: &Place,
    tail: &str,
) -> Result<Response> {
    let Some(keys) = &config.keys else { return respond::try_later() };
    let opened = token::open(token::leading(tail), keys).and_then(|link| match link.kind {
        Kind::Click => Ok(link),
        _ => Err(Refusal::WrongKind),
    });
    let link = match opened {
        Ok(link) => link,
        Err(refusal) => {
            log::line(&event::refused(refusal));
            return respond::not_found();
        }
    };

    let headers = request.headers();
    let may_read = config.cookie && header(headers, "sec-gpc").as_deref() != Some("1");
    let may_set = may_read && verb != Verb::Head;
    let known = if may_read {
        header(headers, "cookie").and_then(|cookies| Visitor::open(&cookies, keys))
    } else {
        None
    };
    let state = match &known {
        Some(_) => "returning",
        None if may_set => "new",
        None => "none",
    };
    let visitor = known.or_else(|| may_set.then(|| Visitor::new(random())));

    let now_ms = i64::try_from(Date::now().as_millis()).unwrap_or_default();
    let id = IDS.with_borrow_mut(|ids| ids.next(now_ms, random()));
    let record = Record {
        cookie: Some(state.to_owned()),
        visitor_id: visitor.as_ref().map(Visitor::hex),
        ..record(request, place, &link, id)
    };
    log::line(&event::received(&record, &Signals::of(&record)));

    let destination = link.url.as_ref().map_or("", url::Target::as_str);
    let object = shard::object_name(&link.message_id, shard::shard(&link.recipient_id, link.shards));
    let answer = Headers::new();
    answer.set("location", destination)?;
    answer.set("cache-control", "no-store, private")?;
    answer.set("x-robots-tag", "noindex, nofollow")?;
    if let Some(mut visitor) = visitor.filter(|_| may_set) {
        let host = url::host(destination).unwrap_or_default();
        visitor.clicked(ClickRef::new(id, &host, object.clone()));
        answer.set("set-cookie", &set_cookie(&visitor.seal(keys), config))?;
    }
    let env = env.clone();
    context.wait_until(async move { hand_over(&env, &object, record).await });
    Ok(Response::empty()?.with_status(302).with_headers(answer))
}

/// Gives the click to its message's object. A loss is logged with the whole record, so that it can be replayed.
async fn hand_over(env: &Env, object: &str, record: Record) {
    let json = match serde_json::to_string(&record) {
        Ok(json) => json,
        Err(error) => return log::failure("click.unrecorded", &record.event_id, &error),
    };
    // The object knows an event_id that it has: asking again is harmless.
    if let Err(failure) = stub::tell(env, object, &Call::Arrive(json)).await {
        log::alarm(&event::unrecorded(&record, &failure.to_string()));
    }
}

/// What the request shows, without the cookie.
fn record(request: &Request, place: &Place, link: &Link, id: EventId) -> Record {
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
        sec_purpose: text("sec-purpose").or_else(|| text("purpose")).or_else(|| text("x-moz")),
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

fn header(headers: &Headers, name: &str) -> Option<String> {
    headers.get(name).ok().flatten()
}

fn set_cookie(value: &str, config: &Config) -> String {
    let (name, max_age, same_site) = (cookie::NAME, cookie::MAX_AGE_S, config.same_site.name());
    format!("{name}={value}; Secure; HttpOnly; Path=/; SameSite={same_site}; Max-Age={max_age}")
}

/// Random bytes. Without randomness ids still ascend, and a visitor of zeros is better than no redirect.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let _ = getrandom::fill(&mut bytes);
    bytes
}
