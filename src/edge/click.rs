//! `/c/{token}`: the redirect. It waits for nothing: the answer goes out, and the click is ingested by its message's object
//! afterwards. Whatever fails behind it, a valid link redirects; an invalid one never does.

use std::borrow::Cow;

use super::answer::{Answer, NO_STORE};
use super::problem::Problem;
use super::reply::{Arrival, Reply};
use super::request::Incoming;
use crate::config::{Config, SameSite};
use crate::demo;
use crate::event::line;
use crate::link::url;
use crate::proof::cookie::{self, ClickRef, Visitor};
use crate::proof::reference::Reference;
use crate::record::{CookieState, EventId, Kind, Record, Verb};
use crate::signals::Signals;

/// Answers a click on a link. `tail` is the path behind `/c/`, `id` the click's; `fresh` names the visitor if it is new.
///
/// # Errors
/// The link is none of ours, or cannot be told.
pub(super) fn redirect(
    incoming: &Incoming,
    tail: &str,
    id: EventId,
    fresh: [u8; 16],
) -> Result<Reply, Problem> {
    let (keys, link) = incoming.link(tail, &[Kind::Click])?;
    let config = incoming.config;

    let refuses_tracking = incoming.refuses_tracking();
    let may_set = config.cookie && !refuses_tracking && incoming.verb != Verb::Head;
    let known = incoming.cookies().and_then(|cookies| Visitor::open(cookies, keys));
    // A strict cookie does not come along from another site: that it is not there says nothing.
    let hides = config.same_site == SameSite::Strict && incoming.is_cross_site();
    let state = match &known {
        Some(_) => CookieState::Returning,
        None if may_set && !hides => CookieState::New,
        None => CookieState::None,
    };
    let visitor = known.or_else(|| may_set.then(|| Visitor::new(fresh)));

    let record = Record {
        cookie: Some(state.name().to_owned()),
        visitor_id: visitor.as_ref().map(Visitor::hex),
        ..incoming.record(&link, id)
    };
    let record = config.privacy.keep(record, keys);
    let told = config.logs_requests.then(|| line::received(&record, &Signals::of(&record)));

    let destination = link.url.as_ref().map_or("", url::Target::as_str);
    let object = link.object();
    let of_demo = || {
        let place = incoming.place;
        if config.demo && place.is_local() {
            demo::reference_parameter(destination, place.origin)
        } else {
            None
        }
    };
    let location = match (&link.url, config.click_ref_param.as_deref().or_else(of_demo)) {
        (Some(url), Some(name)) if !refuses_tracking => {
            let reference = Reference { event_id: id, object: object.clone() };
            url.with_parameter(name, &reference.seal(keys))
        }
        _ => destination.to_owned(),
    };
    let mut headers = vec![
        ("location", Cow::Owned(location)),
        ("cache-control", Cow::Borrowed(NO_STORE)),
        ("x-robots-tag", Cow::Borrowed("noindex, nofollow")),
    ];
    if let Some(mut visitor) = visitor.filter(|_| may_set) {
        let host = url::host(destination).unwrap_or_default();
        visitor.clicked(ClickRef::new(id, &host, object.clone()));
        headers.push(("set-cookie", set_cookie(&visitor.seal(keys), config).into()));
    }
    let answer = Answer { status: 302, headers, body: None };
    Ok(Reply { answer, line: told, arrival: Some(Arrival::new(object, id, &record)) })
}

fn set_cookie(value: &str, config: &Config) -> String {
    let (name, max_age, same_site) = (cookie::NAME, cookie::MAX_AGE_S, config.same_site.name());
    format!("{name}={value}; Secure; HttpOnly; Path=/; SameSite={same_site}; Max-Age={max_age}")
}
