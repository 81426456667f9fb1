//! The routes below `/v1`, and what their queries ask for.

use super::methods::Methods;
use super::problem::ApiProblem;
use crate::record::{EventId, Verb};

/// Clicks of a listing where the call does not say.
const DEFAULT_LIMIT: usize = 1_000;

/// The most clicks that one call may ask for.
const MAX_LIMIT: usize = 10_000;

/// One call of the API. Ids stand as they do in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// Mints links.
    Links,
    /// Takes records in.
    Records,
    /// Something of a message.
    Message(&'a str, Wanted<'a>),
}

/// What is wanted of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// Its report.
    Report,
    /// Its clicks.
    Clicks,
    /// One of them, explained.
    Click(&'a str),
    /// That it was delivered.
    Deliveries,
    /// That everything is shipped again.
    Reship,
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
        let rest = path.strip_prefix("/v1/messages/")?;
        let (message, wanted) = rest.split_once('/').map_or((rest, None), |(id, wanted)| (id, Some(wanted)));
        let (wanted, methods) = match wanted {
            None => (Wanted::Report, Methods::Read),
            Some("clicks") => (Wanted::Clicks, Methods::Read),
            Some("deliveries") => (Wanted::Deliveries, Methods::Post),
            Some("reship") => (Wanted::Reship, Methods::Post),
            Some(wanted) => (Wanted::Click(wanted.strip_prefix("clicks/")?), Methods::Read),
        };
        Some((Self::Message(message, wanted), methods))
    }
}

/// Which clicks of a message are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    /// Those behind this one.
    pub(super) after: Option<EventId>,
    /// At most so many.
    pub(super) limit: usize,
}

impl Listing {
    /// Reads a query.
    ///
    /// # Errors
    /// Which parameter is bad.
    pub(super) fn of(query: &str) -> Result<Self, ApiProblem> {
        let mut listing = Self { after: None, limit: DEFAULT_LIMIT };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "after" if value.is_empty() => {}
                "after" => {
                    let id = EventId::parse(value);
                    listing.after =
                        Some(id.ok_or(ApiProblem::bad("after: must be the event_id of a click"))?);
                }
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                    listing.limit = limit.ok_or(ApiProblem::bad("limit: must be from 1 to 10000"))?;
                }
                _ => {}
            }
        }
        Ok(listing)
    }
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
            ("/v1/messages/m%20x", of(Wanted::Report), true),
            ("/v1/messages/m%20x/clicks", of(Wanted::Clicks), true),
            ("/v1/messages/m%20x/clicks/an-id", of(Wanted::Click("an-id")), true),
            ("/v1/messages/m%20x/clicks/", of(Wanted::Click("")), true),
            ("/v1/messages/m%20x/deliveries", of(Wanted::Deliveries), false),
            ("/v1/messages/m%20x/reship", of(Wanted::Reship), false),
            ("/v1/messages/", Route::Message("", Wanted::Report), true),
        ] {
            for verb in [Verb::Get, Verb::Head, Verb::Post, Verb::Other] {
                let taken = if reads { verb.reads() } else { verb == Verb::Post };
                let methods = if reads { Methods::Read } else { Methods::Post };
                let expected = if taken { Ok(route) } else { Err(ApiProblem::Method(methods)) };
                assert_eq!(Route::of(verb, path), expected, "{path}");
            }
        }
        for path in [
            "/v1",
            "/v1/",
            "/v1/links/",
            "/v1/records/",
            "/v1/messages",
            "/v1/messages/m/other",
            "/v1/messages/m/",
        ] {
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
            ("limit=10000&other=x", (None, 10_000)),
            (&after, (Some(id), 7)),
        ] {
            let Listing { after, limit } = Listing::of(query).unwrap();
            assert_eq!((after.map(|id| id.to_string()).as_deref(), limit), expected, "{query}");
        }
        for (query, words) in [
            ("after=x", "after: must be the event_id of a click"),
            ("limit=0", "limit: must be from 1 to 10000"),
            ("limit=10001", "limit: must be from 1 to 10000"),
            ("limit=", "limit: must be from 1 to 10000"),
            ("limit=7&limit=x", "limit: must be from 1 to 10000"),
        ] {
            assert_eq!(Listing::of(query), Err(ApiProblem::bad(words)), "{query}");
        }
    }
}
