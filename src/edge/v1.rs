//! The routes below `/v1`, and what their queries ask for.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::methods::Methods;
use super::problem::ApiProblem;
use crate::message::wanted::Filter;
use crate::record::{EventId, Kind, Verb};
use crate::verdict::ClickType;

/// Clicks of a listing where the call does not say.
const DEFAULT_LIMIT: usize = 1_000;

/// The most clicks that one call may ask for.
const MAX_LIMIT: usize = 10_000;

/// Messages of a list where the call does not say.
const DEFAULT_MESSAGES: usize = 50;

/// The most messages that one call may ask for: each is asked for itself.
const MAX_MESSAGES: usize = 200;

/// One call of the API. Ids stand as they do in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// Mints links.
    Links,
    /// Takes records in.
    Records,
    /// The list of messages.
    Messages,
    /// Something of a message.
    Message(&'a str, Wanted<'a>),
}

/// What is wanted of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// Its report; put, what its sender tells of it; deleted, that all of it is erased.
    Report,
    /// Its clicks.
    Clicks,
    /// One of them, explained.
    Click(&'a str),
    /// That it was delivered.
    Deliveries,
    /// That everything is shipped again.
    Reship,
    /// That a recipient is erased.
    Recipient(&'a str),
}

impl<'a> Route<'a> {
    /// The route of a call.
    ///
    /// # Errors
    /// There is none, or it takes other methods.
    pub(super) fn of(verb: Verb, path: &'a str) -> Result<Self, ApiProblem> {
        let (route, methods) = Self::find(path).ok_or(ApiProblem::NotFound("no such route"))?;
        if methods.take(verb) { Ok(route) } else { Err(ApiProblem::Method(methods)) }
    }

    fn find(path: &'a str) -> Option<(Self, Methods)> {
        if path == "/v1/links" {
            return Some((Self::Links, Methods::Post));
        }
        if path == "/v1/records" {
            return Some((Self::Records, Methods::Post));
        }
        if path == "/v1/messages" {
            return Some((Self::Messages, Methods::Read));
        }
        let rest = path.strip_prefix("/v1/messages/")?;
        let (message, wanted) = rest.split_once('/').map_or((rest, None), |(id, wanted)| (id, Some(wanted)));
        let (wanted, methods) = match wanted {
            None => (Wanted::Report, Methods::ReadPutOrDelete),
            Some("clicks") => (Wanted::Clicks, Methods::Read),
            Some("deliveries") => (Wanted::Deliveries, Methods::Post),
            Some("reship") => (Wanted::Reship, Methods::Post),
            Some(wanted) => match wanted.strip_prefix("recipients/") {
                Some(id) => (Wanted::Recipient(id), Methods::Delete),
                None => (Wanted::Click(wanted.strip_prefix("clicks/")?), Methods::Read),
            },
        };
        Some((Self::Message(message, wanted), methods))
    }
}

/// The parameters of a query: names and values, percent-decoded.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name, percent_decode_str(value).decode_utf8_lossy())
    })
}

/// That a call takes no parameters.
///
/// # Errors
/// The first that there is.
pub(super) fn no_parameters(query: &str) -> Result<(), ApiProblem> {
    parameters(query).next().map_or(Ok(()), |(name, _)| Err(unknown(name, "this call takes none")))
}

fn unknown(name: &str, words: &str) -> ApiProblem {
    ApiProblem::bad(format!("{name}: no such parameter; {words}"))
}

/// Which clicks of a message are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    /// Those behind this one.
    pub(super) after: Option<EventId>,
    /// At most so many.
    pub(super) limit: usize,
    /// Which of them.
    pub(super) filter: Filter,
}

impl Listing {
    /// Reads a query.
    ///
    /// # Errors
    /// Which parameter is bad.
    pub(super) fn of(query: &str) -> Result<Self, ApiProblem> {
        let mut listing = Self { after: None, limit: DEFAULT_LIMIT, filter: Filter::default() };
        let filter = &mut listing.filter;
        for (name, value) in parameters(query) {
            match name {
                "after" | "kind" | "click_type" | "recipient_id" | "link_id" if value.is_empty() => {}
                "after" => {
                    let id = EventId::parse(&value);
                    listing.after =
                        Some(id.ok_or(ApiProblem::bad("after: must be the event_id of a click"))?);
                }
                "limit" => listing.limit = limit(&value, MAX_LIMIT)?,
                "kind" => {
                    let kind = Kind::named(&value);
                    filter.kind =
                        Some(kind.ok_or_else(|| ApiProblem::bad(format!("kind: {}", Kind::MUST_BE)))?);
                }
                "click_type" => {
                    let kind = ClickType::named(&value);
                    filter.click_type = Some(
                        kind.ok_or(ApiProblem::bad("click_type: no such type; see by_type of the report"))?,
                    );
                }
                // The call to the object has a line for each.
                "recipient_id" | "link_id" if value.contains('\n') => {
                    return Err(ApiProblem::bad(format!("{name}: no id has a line break")));
                }
                "recipient_id" => filter.recipient_id = Some(value.into_owned()),
                "link_id" => filter.link_id = Some(value.into_owned()),
                _ => {
                    let known = "there are after, limit, kind, click_type, recipient_id, link_id";
                    return Err(unknown(name, known));
                }
            }
        }
        Ok(listing)
    }
}

/// Which messages are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Messages {
    /// Those behind this place.
    pub(super) after: String,
    /// At most so many.
    pub(super) limit: usize,
}

impl Messages {
    /// Reads a query.
    ///
    /// # Errors
    /// Which parameter is bad.
    pub(super) fn of(query: &str) -> Result<Self, ApiProblem> {
        let mut messages = Self { after: String::new(), limit: DEFAULT_MESSAGES };
        for (name, value) in parameters(query) {
            match name {
                "after" => {
                    let is_place = value.split_once('.').is_some_and(|(ms, _)| ms.parse::<i64>().is_ok());
                    if !value.is_empty() && !is_place {
                        return Err(ApiProblem::bad("after: must be what next of an answer said"));
                    }
                    messages.after = value.into_owned();
                }
                "limit" => messages.limit = limit(&value, MAX_MESSAGES)?,
                _ => return Err(unknown(name, "there are after, limit")),
            }
        }
        Ok(messages)
    }
}

fn limit(value: &str, most: usize) -> Result<usize, ApiProblem> {
    let limit = value.parse().ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| ApiProblem::bad(format!("limit: must be from 1 to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_its_route_and_its_methods() {
        let of = |wanted| Route::Message("m%20x", wanted);
        for (path, route, reads) in [
            ("/v1/links", Route::Links, false),
            ("/v1/records", Route::Records, false),
            ("/v1/messages", Route::Messages, true),
            ("/v1/messages/m%20x/clicks", of(Wanted::Clicks), true),
            ("/v1/messages/m%20x/clicks/an-id", of(Wanted::Click("an-id")), true),
            ("/v1/messages/m%20x/clicks/", of(Wanted::Click("")), true),
            ("/v1/messages/m%20x/deliveries", of(Wanted::Deliveries), false),
            ("/v1/messages/m%20x/reship", of(Wanted::Reship), false),
        ] {
            for verb in [Verb::Get, Verb::Head, Verb::Post, Verb::Other] {
                let taken = if reads { verb.reads() } else { verb == Verb::Post };
                let methods = if reads { Methods::Read } else { Methods::Post };
                let expected = if taken { Ok(route) } else { Err(ApiProblem::Method(methods)) };
                assert_eq!(Route::of(verb, path), expected, "{path}");
            }
        }
        for path in ["/v1", "/v1/", "/v1/links/", "/v1/records/", "/v1/messages/m/other", "/v1/messages/m/"] {
            for verb in [Verb::Get, Verb::Post, Verb::Other] {
                let found = Route::of(verb, path);
                assert_eq!(found, Err(ApiProblem::NotFound("no such route")), "{path}");
            }
        }
    }

    #[test]
    fn a_query_says_where_to_go_on_and_how_far() {
        let id = "019a0000-0000-7000-8000-000000000000";
        let after = format!("after={id}&limit=7");
        for (query, expected) in [
            ("", (None, 1_000)),
            ("after=&limit=1", (None, 1)),
            ("limit=10000&", (None, 10_000)),
            (&after, (Some(id), 7)),
        ] {
            let Listing { after, limit, filter } = Listing::of(query).unwrap();
            assert!(filter.wants_all());
            assert_eq!((after.map(|id| id.to_string()).as_deref(), limit), expected, "{query}");
        }
        for (query, words) in [
            ("after=x", "after: must be the event_id of a click"),
            ("limit=0", "limit: must be from 1 to 10000"),
            ("limit=10001", "limit: must be from 1 to 10000"),
            ("limit=", "limit: must be from 1 to 10000"),
            ("limit=7&limit=x", "limit: must be from 1 to 10000"),
            ("recipient_id=r%0Al", "recipient_id: no id has a line break"),
            ("link_id=%0A", "link_id: no id has a line break"),
            ("kind=clicks", "kind: must be click, open, unsubscribe or confirm"),
            ("click_type=robot", "click_type: no such type; see by_type of the report"),
            (
                "other",
                "other: no such parameter; there are after, limit, kind, click_type, recipient_id, link_id",
            ),
        ] {
            assert_eq!(Listing::of(query), Err(ApiProblem::bad(words)), "{query}");
        }
    }

    #[test]
    fn a_query_says_which_clicks() {
        let listing = Listing::of("kind=open&click_type=proxy_open&recipient_id=r%7E1&link_id=a%20b");
        let filter = Filter {
            kind: Some(Kind::Open),
            click_type: Some(ClickType::ProxyOpen),
            recipient_id: Some("r~1".to_owned()),
            link_id: Some("a b".to_owned()),
        };
        assert_eq!(listing, Ok(Listing { after: None, limit: 1_000, filter }));
        assert!(Listing::of("kind=&link_id=").unwrap().filter.wants_all(), "empty is as absent");
    }

    #[test]
    fn a_query_says_which_messages() {
        for (query, expected) in
            [("", ("", 50)), ("limit=200&after=7.m%3D1", ("7.m=1", 200)), ("after=", ("", 50))]
        {
            let Messages { after, limit } = Messages::of(query).unwrap();
            assert_eq!((after.as_str(), limit), expected, "{query}");
        }
        for (query, words) in [
            ("after=m", "after: must be what next of an answer said"),
            ("after=x.m", "after: must be what next of an answer said"),
            ("limit=201", "limit: must be from 1 to 200"),
            ("kind=open", "kind: no such parameter; there are after, limit"),
        ] {
            assert_eq!(Messages::of(query), Err(ApiProblem::bad(words)), "{query}");
        }
        assert_eq!(no_parameters("&"), Ok(()));
        assert_eq!(no_parameters("x=1"), Err(ApiProblem::bad("x: no such parameter; this call takes none")));
    }

    #[test]
    fn a_recipient_is_only_deleted() {
        let path = "/v1/messages/m/recipients/r%2F1";
        let route = Route::Message("m", Wanted::Recipient("r%2F1"));
        assert_eq!(Route::of(Verb::Delete, path), Ok(route));
        for verb in [Verb::Get, Verb::Post, Verb::Put, Verb::Other] {
            assert_eq!(Route::of(verb, path), Err(ApiProblem::Method(Methods::Delete)));
        }
    }

    #[test]
    fn a_report_is_read_and_what_it_says_of_the_message_is_put() {
        for path in ["/v1/messages/m%20x", "/v1/messages/"] {
            for verb in [Verb::Get, Verb::Head, Verb::Put, Verb::Delete] {
                let is_report = matches!(Route::of(verb, path), Ok(Route::Message(_, Wanted::Report)));
                assert!(is_report, "{verb:?} {path}");
            }
            for verb in [Verb::Post, Verb::Other] {
                assert_eq!(Route::of(verb, path), Err(ApiProblem::Method(Methods::ReadPutOrDelete)));
            }
        }
    }
}
