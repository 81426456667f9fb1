//! A request with all that its answer needs: what handlers take.

use futures_util::StreamExt;
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use worker::{Context, Env, Request, Result};

use super::problem::Problem;
use super::{batch, log};
use crate::config::Config;
use crate::event::line;
use crate::link::keys::Keyring;
use crate::link::place::Place;
use crate::link::{Link, token};
use crate::record::{self, EventId, Kind, Record, Verb};

/// A request that came in.
pub(super) struct Incoming<'a> {
    request: Request,
    pub(super) verb: Verb,
    pub(super) place: Place<'a>,
    pub(super) config: &'a Config,
    pub(super) env: &'a Env,
    context: &'a Context,
}

impl<'a> Incoming<'a> {
    /// A request to a URL. workers-rs reads a method that it does not know as `GET`, so the name is asked for.
    pub(super) fn new(
        request: Request,
        url: &'a str,
        config: &'a Config,
        env: &'a Env,
        context: &'a Context,
    ) -> Self {
        let verb = Verb::named(&request.inner().method());
        Self { request, verb, place: Place::of(url), config, env, context }
    }

    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    /// Whether the visitor asks not to be tracked (Global Privacy Control): no cookie then, and no reference.
    pub(super) fn refuses_tracking(&self) -> bool {
        self.header("sec-gpc").as_deref() == Some("1")
    }

    /// The `Cookie` header, where it may be read: the cookie is on, and the visitor lets us.
    pub(super) fn cookies(&self, refuses_tracking: bool) -> Option<String> {
        if self.config.cookie && !refuses_tracking { self.header("cookie") } else { None }
    }

    /// `Sec-Purpose`, or what older browsers send for it.
    pub(super) fn purpose(&self) -> Option<String> {
        let said = |name| self.header(name).filter(|purpose| !purpose.is_empty());
        ["sec-purpose", "purpose", "x-moz"].into_iter().find_map(said)
    }

    /// The body; `None` where it has more than `most` bytes.
    pub(super) async fn body(&mut self, most: usize) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        if self.request.inner().body().is_none() {
            return Ok(Some(bytes));
        }
        let mut chunks = self.request.stream()?;
        while let Some(chunk) = chunks.next().await {
            bytes.extend(chunk?);
            if bytes.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(bytes))
    }

    /// The link at the start of a path's tail, where it is of one of these kinds, with the keys that opened it. What is
    /// refused is logged.
    pub(super) fn link(
        &self,
        tail: &str,
        kinds: &[Kind],
    ) -> std::result::Result<(&'a Keyring, Link), Problem> {
        let keys = self.config.keys.as_ref().ok_or(Problem::TryLater)?;
        let reason = match token::open(token::leading(tail), keys) {
            Ok(link) if kinds.contains(&link.kind) => return Ok((keys, link)),
            Ok(_) => "wrong_kind",
            Err(refusal) => refusal.name(),
        };
        log::line(&line::refused(reason));
        Err(Problem::NoSuchPage)
    }

    /// What the request shows, without the cookie.
    pub(super) fn record(&self, link: &Link, id: EventId) -> Record {
        let text = |name: &str| self.header(name).and_then(record::cut);
        let cf = Cf::of(&self.request);
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
            method: self.request.inner().method(),
            ip: text("cf-connecting-ip"),
            asn: cf.number("asn"),
            country: cf.text("country"),
            user_agent: text("user-agent"),
            referer: self.header("referer").and_then(record::cut_referer),
            accept: text("accept"),
            accept_language: text("accept-language"),
            sec_fetch_site: text("sec-fetch-site"),
            sec_fetch_mode: text("sec-fetch-mode"),
            sec_fetch_dest: text("sec-fetch-dest"),
            sec_fetch_user: text("sec-fetch-user"),
            sec_purpose: self.purpose().and_then(record::cut),
            sec_ch_ua: text("sec-ch-ua"),
            x_forwarded_for: text("x-forwarded-for"),
            http_protocol: cf.text("httpProtocol"),
            secure: Some(self.place.is_secure()),
            ..Record::default()
        }
    }

    /// Does something once the answer is out.
    pub(super) fn afterwards(&self, work: impl Future<Output = ()> + 'static) {
        self.context.wait_until(work);
    }

    /// Gives the record to its message's object once the answer is out.
    pub(super) fn ingest(&self, object: &str, record: &Record) {
        batch::take(self.context, self.env, object, record);
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
