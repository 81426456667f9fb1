//! What the edge asks of a message's object: one definition for both sides, so that they cannot drift apart.
//!
//! A call is a path and a body. Deploys overlap, so an object may meet a call of another version: what it does not
//! know is an error and changes nothing. (What says more than it did has a path of its own, so that an older object does not take
//! half of it.) Clicks come by [`ARRIVALS`], as bytes; an edge of an earlier version brings each as
//! JSON.

use serde::Serialize;

pub use super::answers::{Delivered, Handed, Page, Reshipped};
use super::wanted::{Filter, View};
use crate::json::Json;
use crate::record::{Delivery, EventId, Sighting, Verified};

/// Where clicks arrive: the body is batches of records ([`packed`](crate::record::packed)), one after the other. There is
/// nothing to answer.
pub const ARRIVALS: &str = "/arrivals";

/// Where records are brought along ([`replay`](super::replay)): the body is as that of [`ARRIVALS`], the answer how many of them
/// were new, in digits.
pub const REPLAY: &str = "/replay";

/// Where the board of a message says that there is something to ask it for. There is nothing to bring and nothing to answer.
pub const POKE: &str = "/poke";

/// How an object answers a call that it does not know. Frozen: the edge may be of a later deploy than the object.
pub const UNKNOWN_CALL: &str = "no such call";

/// The status by which the first of several objects answers whoever does not know of the others; the text is how many they are. Nothing
/// was done.
pub const SEVERAL: u16 = 421;

/// The most clicks of one page: an object builds it in memory.
pub const MAX_PAGE: usize = 1_000;

/// A call to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A click arrives from an edge of an earlier version: its record as JSON. There is nothing to answer.
    Arrive(String),
    /// Somebody acts on a link: the record of it as JSON. There is nothing to answer.
    Act(String),
    /// It is told what became of mails.
    Deliver(Vec<Told>),
    /// Clicks behind one, at most so many.
    Page {
        /// The last click that the caller has.
        after: Option<EventId>,
        /// At most [`MAX_PAGE`].
        limit: usize,
        /// Which of them.
        filter: Filter,
    },
    /// One click, explained.
    Explain(EventId),
    /// The counts, for an edge of an earlier version; the body is the message's id.
    Report(String),
    /// The counts in some form.
    View(View),
    /// What the sender tells of the message, as JSON. There is nothing to answer.
    Tell(String),
    /// Several objects share the message, as many as its address says, and this one of them has begun. The answer is what was told of
    /// its recipients before, from a bucket on ([`Handed`]).
    Shards {
        /// Which one.
        shard: u32,
        /// The first bucket of [`deliveries`](super::deliveries).
        from: u8,
    },
    /// Everything settled is to be shipped again.
    Reship,
    /// The board has something to tell.
    Poke,
    /// A click's landing page was shown, or touched. There is nothing to answer.
    Verify(EventId, Sighting),
    /// Every record of a recipient is to be erased, or without one of the message, asked for at a moment in Unix milliseconds. There is
    /// nothing to answer.
    Erase(i64, Option<String>),
}

/// What is told of one recipient's mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Whose copy.
    pub recipient_id: String,
    /// When it was delivered, Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at_ms: Option<i64>,
    /// When it came back, Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounced_at_ms: Option<i64>,
}

impl Told {
    /// What became of it.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        Delivery { delivered_at_ms: self.delivered_at_ms, bounced_at_ms: self.bounced_at_ms }
    }
}

impl Call {
    /// The path and the body that carry it.
    #[must_use]
    pub fn encode(&self) -> (&'static str, String) {
        match self {
            Self::Arrive(record) => ("/arrive", record.clone()),
            Self::Act(record) => ("/act", record.clone()),
            Self::Deliver(told) => {
                let bounces = told.iter().any(|one| one.bounced_at_ms.is_some());
                // Strings and numbers always serialise.
                let json = serde_json::to_string(told).unwrap_or_default();
                (if bounces { "/bounce" } else { "/deliver" }, json)
            }
            Self::Page { after, limit, filter } => {
                let page = format!("{limit} {}", after.map(|id| id.to_string()).unwrap_or_default());
                if filter.wants_all() {
                    return ("/page", page);
                }
                ("/filter", format!("{page}\n{}", filter.encode()))
            }
            Self::Explain(id) => ("/explain", id.to_string()),
            Self::Report(message_id) => ("/report", message_id.clone()),
            Self::View(view) => ("/view", view.encode()),
            Self::Tell(told) => ("/tell", told.clone()),
            Self::Shards { shard, from } => ("/shards", format!("{shard} {from}")),
            Self::Reship => ("/reship", String::new()),
            Self::Poke => (POKE, String::new()),
            Self::Verify(click, Sighting { event_id, verified, since_load_ms }) => {
                let since_load_ms = since_load_ms.map(|ms| ms.to_string()).unwrap_or_default();
                ("/verify", format!("{click} {event_id} {} {since_load_ms}", verified.name()))
            }
            Self::Erase(ts_ms, Some(recipient_id)) => ("/erase", format!("{ts_ms} {recipient_id}")),
            Self::Erase(ts_ms, None) => ("/forget", format!("{ts_ms} ")),
        }
    }

    /// Whether every object of a message must answer it, each for itself.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        matches!(
            self,
            Self::Deliver(_)
                | Self::Page { .. }
                | Self::Explain(_)
                | Self::Report(_)
                | Self::View(_)
                | Self::Reship
                | Self::Erase(..)
        )
    }

    /// Reads a call.
    ///
    /// # Errors
    /// What is not understood.
    pub fn decode(path: &str, body: String) -> Result<Self, String> {
        match path {
            "/arrive" => Ok(Self::Arrive(body)),
            "/act" => Ok(Self::Act(body)),
            "/deliver" | "/bounce" => told(&body).map(Self::Deliver),
            "/page" => page(&body, Filter::default()),
            "/filter" => {
                let (first, filter) = body.split_once('\n').ok_or("filter: no lines")?;
                page(first, Filter::decode(filter)?)
            }
            "/explain" => {
                EventId::parse(&body).map(Self::Explain).ok_or_else(|| "explain: bad id".to_owned())
            }
            "/report" => Ok(Self::Report(body)),
            "/view" => View::decode(&body).map(Self::View).ok_or_else(|| "view: bad words".to_owned()),
            "/tell" => Ok(Self::Tell(body)),
            "/shards" => {
                let numbers = body.split_once(' ');
                let numbers =
                    numbers.and_then(|(shard, from)| Some((shard.parse().ok()?, from.parse().ok()?)));
                numbers
                    .map(|(shard, from)| Self::Shards { shard, from })
                    .ok_or_else(|| "shards: bad numbers".to_owned())
            }
            "/reship" => Ok(Self::Reship),
            POKE => Ok(Self::Poke),
            "/verify" => {
                let mut words = body.split(' ');
                let mut word = || words.next().unwrap_or_default();
                let (click, event_id) = (EventId::parse(word()), EventId::parse(word()));
                let verified = Verified::named(word());
                let since_load_ms = word().parse().ok();
                let sighting = |event_id, verified| Sighting { event_id, verified, since_load_ms };
                let call = click.zip(event_id.zip(verified));
                call.map(|(click, (event_id, verified))| Self::Verify(click, sighting(event_id, verified)))
                    .ok_or_else(|| "verify: bad ids or level".to_owned())
            }
            "/erase" | "/forget" => {
                let (ms, id) = body.split_once(' ').ok_or("erase: no time")?;
                let ms = ms.parse().map_err(|_| "erase: bad time")?;
                Ok(Self::Erase(ms, (path == "/erase").then(|| id.to_owned())))
            }
            other => Err(format!("{UNKNOWN_CALL}: {other}")),
        }
    }
}

/// A page behind a click, of as many clicks as the call says.
fn page(body: &str, filter: Filter) -> Result<Call, String> {
    let (limit, after) = body.split_once(' ').ok_or("page: no limit")?;
    let limit: usize = limit.parse().map_err(|_| "page: bad limit")?;
    let after = match after {
        "" => None,
        id => Some(EventId::parse(id).ok_or("page: bad id")?),
    };
    Ok(Call::Page { after, limit: limit.min(MAX_PAGE), filter })
}

/// What a call tells.
fn told(body: &str) -> Result<Vec<Told>, String> {
    let body = Json::parse(body).map_err(|problem| problem.to_string())?;
    let one = |one: &Json| {
        Some(Told {
            recipient_id: one.get("recipient_id").text()?.to_owned(),
            delivered_at_ms: one.get("delivered_at_ms").integer(),
            bounced_at_ms: one.get("bounced_at_ms").integer(),
        })
        .filter(|told| told.delivery() != Delivery::default())
    };
    let told = body.list().and_then(|all| all.iter().map(one).collect());
    told.ok_or_else(|| "deliver: no list of times".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::wanted::Form;
    use crate::record::Kind;
    use crate::verdict::ClickType;

    #[test]
    fn every_call_is_read_as_it_was_written() {
        let id = EventId::first_of(7);
        let told = |delivered_at_ms, bounced_at_ms| Told {
            recipient_id: "r".to_owned(),
            delivered_at_ms,
            bounced_at_ms,
        };
        for call in [
            Call::Arrive("{}".to_owned()),
            Call::Act("{}".to_owned()),
            Call::Deliver(vec![told(Some(-1), None), told(Some(7), None)]),
            Call::Deliver(vec![told(Some(-1), None), told(None, Some(7)), told(Some(7), Some(8))]),
            Call::Page { after: None, limit: 5, filter: Filter::default() },
            Call::Page { after: Some(id), limit: MAX_PAGE, filter: Filter::default() },
            Call::Page {
                after: Some(id),
                limit: 1,
                filter: Filter {
                    kind: Some(Kind::Open),
                    click_type: Some(ClickType::ProxyOpen),
                    recipient_id: Some("r".to_owned()),
                    link_id: Some("a link".to_owned()),
                },
            },
            Call::Page {
                after: None,
                limit: 1,
                filter: Filter { link_id: Some("l".to_owned()), ..Filter::default() },
            },
            Call::Explain(id),
            Call::Report("m".to_owned()),
            Call::View(View { form: Form::Json, message_id: "m".to_owned(), past: Vec::new() }),
            Call::View(View {
                form: Form::Summary,
                message_id: "m".to_owned(),
                past: vec!["1 2".to_owned(), "3".to_owned()],
            }),
            Call::Tell("{}".to_owned()),
            Call::Shards { shard: 255, from: 255 },
            Call::Reship,
            Call::Poke,
            Call::Verify(
                id,
                Sighting {
                    event_id: id.successor(),
                    verified: Verified::Interacted,
                    since_load_ms: Some(86_400_000),
                },
            ),
            Call::Verify(id, Sighting { event_id: id, verified: Verified::Rendered, since_load_ms: None }),
            Call::Erase(7, Some("a recipient".to_owned())),
            Call::Erase(-7, None),
        ] {
            let (path, body) = call.encode();
            assert_eq!(Call::decode(path, body), Ok(call));
        }
        for (path, body) in [
            ("/nothing", ""),
            ("/deliver", "{}"),
            ("/deliver", r#"[{"recipient_id":"r"}]"#),
            ("/page", ""),
            ("/page", "x "),
            ("/page", "5 x"),
            ("/filter", "5 \nclicks"),
            ("/filter", "5 \n\nrobot"),
            ("/view", "xml m"),
            ("/view", "json"),
            ("/explain", "x"),
            ("/shards", ""),
            ("/shards", "1"),
            ("/shards", "1 256"),
            ("/verify", ""),
            ("/verify", "x y interacted 5"),
            ("/erase", "7"),
            ("/erase", "x r"),
            ("/forget", ""),
        ] {
            assert!(Call::decode(path, body.to_owned()).is_err(), "{path} {body}");
        }
        assert_eq!(
            Call::decode("/nothing", String::new()),
            Err("no such call: /nothing".to_owned()),
            "frozen: src/edge/batch.mjs knows an older object by it"
        );
        assert_eq!(
            Call::decode("/page", "999999 ".to_owned()),
            Ok(Call::Page { after: None, limit: MAX_PAGE, filter: Filter::default() }),
            "a page is never longer"
        );
    }
}
