//! A message of the queue: a pack's events on their way to R2, or an act on its way to its sender.
//!
//! It is text: one line of JSON that says what follows, then that. Version 2:
//!
//! | first line | what follows |
//! | --- | --- |
//! | `{"v":2,"kind":"pack","key":…,"events":…}` | the lines of the object in R2, as they will stand there |
//! | `{"v":2,"kind":"act","id":…}` | the webhook's body, as it is posted |
//!
//! Messages lie in the queue for days, so what an earlier version wrote is opened too. Version 1 was two forms: a pack began
//! with `{"v":1,"key":…,"events":…}`, an act with the line `webhook 1 <id>`.
//!
//! Message and object depend on the pack alone, so a second shipment overwrites the first. An act's id is its
//! `event_id`: however often it is sent, the receiver sees one.

use chrono::{DateTime, Timelike};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::line;

/// The most bytes of a message: the platform takes 128 KB (Cloudflare Queues limits, 2026-11), with its own
/// envelope inside.
pub const MAX_MESSAGE_BYTES: usize = 120_000;

/// Room for the header of a part, bytes.
const HEADER_BYTES: usize = 512;

/// The version that is written.
const VERSION: u64 = 2;

/// What an act of version 1 began with.
const ACT_1: &str = "webhook 1 ";

/// The kinds' names in headers.
const PACK: &str = "pack";
const ACT: &str = "act";

/// What one message of the queue brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parcel<'a> {
    /// A pack, or a part of one: an object of R2.
    Pack {
        /// The object's key.
        key: String,
        /// How many lines it has.
        events: u64,
        /// The object.
        lines: &'a str,
    },
    /// An act: a request to its sender's webhook.
    Act {
        /// The `webhook-id`.
        id: String,
        /// The request's body.
        body: &'a str,
    },
}

/// The first line. What a kind does not have is absent.
#[derive(Serialize)]
struct Header<'a> {
    v: u64,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl<'a> Parcel<'a> {
    /// The message.
    #[must_use]
    pub fn seal(&self) -> String {
        let (header, content) = match self {
            Self::Pack { key, events, lines } => {
                (Header { v: VERSION, kind: PACK, key: Some(key), events: Some(*events), id: None }, lines)
            }
            Self::Act { id, body } => {
                (Header { v: VERSION, kind: ACT, key: None, events: None, id: Some(id) }, body)
            }
        };
        format!("{}\n{content}", line::json(&header))
    }

    /// Opens a message of any version.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(message: &'a str) -> Result<Self, String> {
        let (header, content) = message.split_once('\n').ok_or("no header line")?;
        if let Some(id) = header.strip_prefix(ACT_1) {
            return Ok(Self::Act { id: id.to_owned(), body: content });
        }
        // From bytes, as the API reads bodies: one parser in the wasm.
        let header: Value =
            serde_json::from_slice(header.as_bytes()).map_err(|error| format!("header: {error}"))?;
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let number = |name: &str| header.get(name).and_then(Value::as_u64);
        let kind = match number("v") {
            Some(1) => Some(PACK),
            Some(VERSION) => text("kind"),
            version => {
                return Err(format!("header: version {} is not known here", version.unwrap_or_default()));
            }
        };
        match (kind, text("key"), number("events"), text("id")) {
            (Some(PACK), Some(key), Some(events), _) => {
                Ok(Self::Pack { key: key.to_owned(), events, lines: content })
            }
            (Some(ACT), _, _, Some(id)) => Ok(Self::Act { id: id.to_owned(), body: content }),
            _ => Err("header: neither a pack's nor an act's".to_owned()),
        }
    }
}

/// The messages of a pack, each an object of R2. `name` is the Durable Object's, `first_ms` the time of the pack's
/// earliest click.
#[must_use]
pub fn of_pack(name: &str, pack: u64, first_ms: i64, lines: &[String]) -> Vec<String> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    for line in lines {
        match parts.last_mut() {
            Some((events, part)) if part.len() + line.len() + HEADER_BYTES < MAX_MESSAGE_BYTES => {
                *events += 1;
                part.push_str(line);
                part.push('\n');
            }
            _ => parts.push((1, format!("{line}\n"))),
        }
    }
    let seal = |(at, (events, lines)): (usize, (u64, String))| {
        Parcel::Pack { key: key(name, pack, at, first_ms), events, lines: &lines }.seal()
    };
    parts.into_iter().enumerate().map(seal).collect()
}

/// `events/dt=YYYY-MM-DD/hh=HH/<id>.ndjson`: the hour of the pack's earliest click (UTC), and an id made of the
/// object's name (its digest: a name may hold characters that keys should not), the pack and the part.
fn key(name: &str, pack: u64, part: usize, first_ms: i64) -> String {
    // Out of chrono's range (the year 262,142) there is no hour to name.
    let hour = DateTime::from_timestamp_millis(first_ms).unwrap_or_default();
    let (date, hour) = (hour.date_naive(), hour.hour());
    let digest = Sha256::digest(name.as_bytes());
    let digest = digest.iter().take(12).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("events/dt={date}/hh={hour:02}/{digest}-{pack:08}-{part:03}.ndjson")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "events/dt=2026-11-22/hh=13/ba7816bf8f01cfea414140de-00000007-000.ndjson";
    const ID: &str = "019a0000-0000-7000-8000-000000000000";

    /// Frozen: a later deploy must overwrite what an earlier one wrote.
    #[test]
    fn the_key_is_frozen() {
        assert_eq!(key("abc", 7, 0, 1_795_354_496_000), KEY);
    }

    /// Frozen: messages of an earlier deploy lie in the queue for days.
    #[test]
    fn what_any_version_wrote_is_opened() {
        let pack = Parcel::Pack { key: KEY.to_owned(), events: 2, lines: "{\"a\":1}\n{\"b\":2}\n" };
        let act = Parcel::Act { id: ID.to_owned(), body: "{\"type\":\"unsubscribe\"}" };
        let lines = "\n{\"a\":1}\n{\"b\":2}\n";
        let body = "\n{\"type\":\"unsubscribe\"}";
        for (words, message, parcel) in [
            ("a pack, 1", format!("{{\"v\":1,\"key\":\"{KEY}\",\"events\":2}}{lines}"), &pack),
            (
                "a pack, 2",
                format!("{{\"v\":2,\"kind\":\"pack\",\"key\":\"{KEY}\",\"events\":2}}{lines}"),
                &pack,
            ),
            ("an act, 1", format!("webhook 1 {ID}{body}"), &act),
            ("an act, 2", format!("{{\"v\":2,\"kind\":\"act\",\"id\":\"{ID}\"}}{body}"), &act),
        ] {
            assert_eq!(Parcel::open(&message).as_ref(), Ok(parcel), "{words}");
            if words.ends_with('2') {
                assert_eq!(parcel.seal(), message, "{words}");
            }
        }
    }

    #[test]
    fn messages_stay_below_the_limit_and_lose_nothing() {
        let lines: Vec<String> = (0..128).map(|n| format!("{n}{}", "x".repeat(n * 300))).collect();
        let messages = of_pack("m", 1, 0, &lines);
        let mut all = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            assert!(message.len() <= MAX_MESSAGE_BYTES);
            let Ok(Parcel::Pack { key, events, lines }) = Parcel::open(message) else { panic!("{message}") };
            assert!(key.ends_with(&format!("-00000001-{at:03}.ndjson")));
            assert_eq!(usize::try_from(events), Ok(lines.lines().count()));
            all.extend(lines.lines().map(str::to_owned));
        }
        assert!(messages.len() > 1);
        assert_eq!(all, lines);
    }

    /// Frozen: a part is an object, and a second shipment must cut a pack where the first did.
    #[test]
    fn a_part_ends_before_the_line_that_would_fill_it() {
        // With its line's end the first takes half of a message and what a header may.
        let half = MAX_MESSAGE_BYTES / 2;
        for (second, parts) in [(half - 514, 1), (half - 513, 2)] {
            let lines = ["x".repeat(half), "y".repeat(second)];
            assert_eq!(of_pack("m", 1, 0, &lines).len(), parts, "{second}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bad in [
            "",
            "{}",
            "{}\n",
            "webhook 1 x",
            "webhook 2 x\n{}",
            "webhook 1\n{}",
            "webhooks 1 x\n{}",
            "{\"v\":1,\"key\":\"k\"}\nx\n",
            "{\"v\":2,\"key\":\"k\",\"events\":1}\nx\n",
            "{\"v\":2,\"kind\":\"act\",\"key\":\"k\",\"events\":1}\nx\n",
            "{\"v\":2,\"kind\":\"pack\",\"id\":\"x\"}\nx\n",
            "{\"v\":2,\"kind\":\"other\",\"id\":\"x\"}\nx\n",
            "{\"v\":3,\"kind\":\"act\",\"id\":\"x\"}\nx\n",
        ] {
            assert!(Parcel::open(bad).is_err(), "{bad}");
        }
    }
}
