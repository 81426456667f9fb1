//! `/c/{token}`: the redirect. It waits for nothing: the line is logged, the answer goes out, and the click is ingested
//! by its message's object afterwards. Whatever fails behind it, a valid link redirects; an invalid one never does.

use std::borrow::Cow;

use worker::{Headers, Response};

use super::answer::NO_STORE;
use super::problem::Problem;
use super::request::Incoming;
use super::{clock, log};
use crate::config::{Config, SameSite};
use crate::event::line;
use crate::link::url;
use crate::proof::cookie::{self, ClickRef, Visitor};
use crate::proof::reference::Reference;
use crate::record::{CookieState, Kind, Record, Verb};
use crate::signals::Signals;

/// Answers a click on a link. `tail` is the path behind `/c/`.
pub(super) fn redirect(incoming: &Incoming, tail: &str) -> Result<Response, Problem> {
    let (keys, link) = incoming.link(tail, &[Kind::Click])?;
    let config = incoming.config;

    let refuses_tracking = incoming.refuses_tracking();
    let may_set = config.cookie && !refuses_tracking && incoming.verb != Verb::Head;
    let known = incoming.cookies(refuses_tracking).and_then(|cookies| Visitor::open(&cookies, keys));
    // A strict cookie does not come along from another site: that it is not there says nothing.
    let hides = config.same_site == SameSite::Strict
        && incoming.header("sec-fetch-site").as_deref() == Some("cross-site");
    let state = match &known {
        Some(_) => CookieState::Returning,
        None if may_set && !hides => CookieState::New,
        None => CookieState::None,
    };
    let visitor = known.or_else(|| may_set.then(|| Visitor::new(clock::random())));

    let id = clock::next_id();
    let record = Record {
        cookie: Some(state.name().to_owned()),
        visitor_id: visitor.as_ref().map(Visitor::hex),
        ..incoming.record(&link, id)
    };
    log::line(&line::received(&record, &Signals::of(&record)));

    let destination = link.url.as_ref().map_or("", url::Target::as_str);
    let object = link.object();
    let location = match (&link.url, &config.click_ref_param) {
        (Some(url), Some(name)) if !refuses_tracking => {
            let reference = Reference { event_id: id, object: object.clone() };
            Cow::Owned(url.with_parameter(name, &reference.seal(keys)))
        }
        _ => Cow::Borrowed(destination),
    };
    let headers = Headers::new();
    headers.set("location", &location)?;
    headers.set("cache-control", NO_STORE)?;
    headers.set("x-robots-tag", "noindex, nofollow")?;
    if let Some(mut visitor) = visitor.filter(|_| may_set) {
        let host = url::host(destination).unwrap_or_default();
        visitor.clicked(ClickRef::new(id, &host, object.clone()));
        headers.set("set-cookie", &set_cookie(&visitor.seal(keys), config))?;
    }
    incoming.ingest(&object, &record);
    Ok(Response::empty()?.with_status(302).with_headers(headers))
}

fn set_cookie(value: &str, config: &Config) -> String {
    let (name, max_age, same_site) = (cookie::NAME, cookie::MAX_AGE_S, config.same_site.name());
    format!("{name}={value}; Secure; HttpOnly; Path=/; SameSite={same_site}; Max-Age={max_age}")
}
