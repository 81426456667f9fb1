//! A message of the queue: a pack's events on their way to R2, or an act on its way to its sender.
//!
//! A pack is bytes, version 3: its records and its verdicts as the object keeps them, a tenth of the lines that they become
//! when the message is [`open`](Parcel::open)ed:
//!
//! | bytes | what |
//! | --- | --- |
//! | 2 | `c0 03`: the first is in no text, the second is the version |
//! | number, bytes | the key of the object in R2 |
//! | number, bytes | the records, [`packed`] |
//! | number, bytes | their verdicts, a [`body`] without links |
//!
//! An act is text, as everything was in version 2: one line of JSON that says what follows, then that.
//!
//! | first line | what follows |
//! | --- | --- |
//! | `{"v":2,"kind":"pack","key":…,"events":…}` | the lines of the object in R2, as they will stand there |
//! | `{"v":2,"kind":"act","id":…}` | the webhook's body, as it is posted |
//! | `{"v":2,"kind":"blank"}` | the keys of objects that are to have no line any more, a line each |
//!
//! Messages lie in the queue for days, so what an earlier version wrote is opened too. Version 1 was two forms: a pack began
//! with `{"v":1,"key":…,"events":…}`, an act with the line `webhook 1 <id>`.
//!
//! Message and object depend on the pack alone, so a second shipment overwrites the first: a pack that an earlier version wrote
//! is cut into the parts that it was cut into then. An act's id is its `event_id`: however often it is sent, the receiver
//! sees one.

use std::borrow::Cow;

use chrono::{DateTime, Timelike};
use sha2::{Digest, Sha256};

use super::body::{self, Body, Entry};
use super::writer::Fields;
use crate::json::Json;
use crate::record::columns::{Reader, Writer};
use crate::record::{EventId, Record, packed};

/// The most bytes of a message: the platform takes 128 KB (Cloudflare Queues limits, 2026-11), with its own
/// envelope inside.
pub const MAX_MESSAGE_BYTES: usize = 120_000;

/// Room for the header of a part, bytes.
const HEADER_BYTES: usize = 512;

/// The version of texts.
const VERSION: u64 = 2;

/// What a message of bytes begins with: this, then its version.
const MAGIC: u8 = 0xc0;
const PACKED: u8 = 3;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Letter {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// What an act of version 1 began with.
const ACT_1: &str = "webhook 1 ";

/// The kinds' names in headers.
const PACK: &str = "pack";
const ACT: &str = "act";
const BLANK: &str = "blank";

/// So many objects are blanked by one message: each is a call to R2.
const MAX_KEYS: usize = 100;

impl Letter {
    /// Opens it, whatever its version.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(&self) -> Result<Parcel<'_>, String> {
        match self {
            Self::Text(text) => Parcel::open(text),
            Self::Bytes(bytes) => Parcel::open_bytes(bytes),
        }
    }

    /// The key of its pack; `None` where it is none, or cannot be read.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        match self.open() {
            Ok(Parcel::Pack { key, .. }) => Some(key),
            _ => None,
        }
    }

    /// How large it is, bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

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
        lines: Cow<'a, str>,
    },
    /// An act: a request to its sender's webhook.
    Act {
        /// The `webhook-id`.
        id: String,
        /// The request's body.
        body: &'a str,
    },
    /// Objects of R2 that what was in them has been erased from: they stay, empty, so that what is still on its way to one finds
    /// that it comes too late.
    Blank {
        /// Their keys, a line each.
        keys: Cow<'a, str>,
    },
}

impl<'a> Parcel<'a> {
    /// The message as text.
    #[must_use]
    pub fn seal(&self) -> String {
        let mut header = Fields::default();
        header.integer("v", i64::try_from(VERSION).ok());
        let content = match self {
            Self::Pack { key, events, lines } => {
                header.text("kind", Some(PACK));
                header.text("key", Some(key));
                header.integer("events", i64::try_from(*events).ok());
                &**lines
            }
            Self::Act { id, body } => {
                header.text("kind", Some(ACT));
                header.text("id", Some(id));
                *body
            }
            Self::Blank { keys } => {
                header.text("kind", Some(BLANK));
                &**keys
            }
        };
        format!("{}\n{content}", header.end())
    }

    /// Opens a text of any version.
    ///
    /// # Errors
    /// What is wrong with it.
    fn open(message: &'a str) -> Result<Self, String> {
        let (header, content) = message.split_once('\n').ok_or("no header line")?;
        if let Some(id) = header.strip_prefix(ACT_1) {
            return Ok(Self::Act { id: id.to_owned(), body: content });
        }
        let header = Json::parse(header).map_err(|problem| format!("header: {problem}"))?;
        let text = |name| header.get(name).text();
        let kind = match header.get("v").integer() {
            Some(1) => PACK,
            Some(VERSION) => text("kind").unwrap_or_default(),
            Some(version) => return Err(format!("header: version {version} is not known here")),
            None => return Err("header: no version".to_owned()),
        };
        match (kind, text("key"), header.get("events").integer(), text("id")) {
            (PACK, Some(key), Some(events), _) => {
                Ok(Self::Pack { key: key.to_owned(), events, lines: Cow::Borrowed(content) })
            }
            (ACT, _, _, Some(id)) => Ok(Self::Act { id: id.to_owned(), body: content }),
            (BLANK, ..) => Ok(Self::Blank { keys: Cow::Borrowed(content) }),
            _ => Err("header: neither a pack's nor an act's".to_owned()),
        }
    }

    /// Opens bytes: the pack's lines are made here.
    ///
    /// # Errors
    /// What is wrong with them.
    fn open_bytes(message: &[u8]) -> Result<Self, String> {
        let mut reader = Reader(message);
        match (reader.byte(), reader.byte()) {
            (Ok(MAGIC), Ok(PACKED)) => {}
            (Ok(MAGIC), Ok(version)) => return Err(format!("version {version} is not known here")),
            _ => return Err("neither text nor a pack".to_owned()),
        }
        let (Ok(key), Ok(records), Ok(body)) = (reader.bytes(), reader.bytes(), reader.bytes()) else {
            return Err("a damaged pack".to_owned());
        };
        let key = std::str::from_utf8(key).map_err(|_| "a damaged key")?.to_owned();
        let records = packed::all(records)?;
        let ids: Vec<EventId> = records.iter().map(|(id, _)| *id).collect();
        let entries = body::open(body, &ids).map_err(|_| "damaged verdicts, or a later version's")?.entries;
        let (mut lines, mut events) = (String::new(), 0);
        for ((_, record), entry) in records.into_iter().zip(entries) {
            for line in entry.lines(&entry.as_judged(record)) {
                lines.push_str(&line);
                lines.push('\n');
                events += 1;
            }
        }
        Ok(Self::Pack { key, events, lines: Cow::Owned(lines) })
    }
}

/// An event that leaves: a click's record, as it is stored, and what was found of it.
pub type Leaving = (EventId, Record, Entry);

/// The messages of a pack, each an object of R2: as few as hold it. `name` is the Durable Object's, `first_ms` the time of the
/// pack's earliest click.
#[must_use]
pub fn of_pack(name: &str, pack: u64, first_ms: i64, events: &[Leaving]) -> Vec<Letter> {
    let mut parts = 1;
    loop {
        let each = events.len().div_ceil(parts).max(1);
        let seal = |(at, some): (usize, &[Leaving])| sealed(&key(name, pack, at, first_ms), some);
        let messages: Vec<Vec<u8>> = events.chunks(each).enumerate().map(seal).collect();
        let size = messages.iter().map(Vec::len).max().unwrap_or_default();
        if size <= MAX_MESSAGE_BYTES || each == 1 {
            return messages.into_iter().map(Letter::Bytes).collect();
        }
        parts = (parts * size.div_ceil(MAX_MESSAGE_BYTES)).max(parts + 1);
    }
}

/// The messages that leave these objects of packs empty. `name` is the Durable Object's; of each pack its number, the time of its
/// earliest click, and which of its parts.
#[must_use]
pub fn of_blanks(name: &str, packs: &[(u64, i64, std::ops::Range<usize>)]) -> Vec<Letter> {
    let (mut letters, mut keys, mut count) = (Vec::new(), String::new(), 0);
    let seal = |keys: &str| Letter::Text(Parcel::Blank { keys: Cow::Borrowed(keys) }.seal());
    for (pack, first_ms, parts) in packs {
        for part in parts.clone() {
            keys.push_str(&key(name, *pack, part, *first_ms));
            keys.push('\n');
            count += 1;
            if count % MAX_KEYS == 0 {
                letters.push(seal(&keys));
                keys.clear();
            }
        }
    }
    if !keys.is_empty() {
        letters.push(seal(&keys));
    }
    letters
}

fn sealed(key: &str, events: &[Leaving]) -> Vec<u8> {
    let records: Vec<(EventId, &Record)> = events.iter().map(|(id, record, _)| (*id, record)).collect();
    let entries = events.iter().map(|(.., entry)| entry.leaving()).collect();
    let body = body::seal(&Body { v: body::VERSION, links: Vec::new(), entries });
    let mut message = Writer(vec![MAGIC, PACKED]);
    for bytes in [key.as_bytes(), &packed::seal(&records), &body] {
        message.bytes(bytes);
    }
    message.0
}

/// The messages of a pack that version 2 wrote, cut as that did. `lines` are its events'.
#[must_use]
pub fn of_lines(name: &str, pack: u64, first_ms: i64, lines: &[String]) -> Vec<Letter> {
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
        let key = key(name, pack, at, first_ms);
        Letter::Text(Parcel::Pack { key, events, lines: Cow::Borrowed(&lines) }.seal())
    };
    parts.into_iter().enumerate().map(seal).collect()
}

/// `events/dt=YYYY-MM-DD/hh=HH/<id>.ndjson`: the hour of the pack's earliest click (UTC), and an id made of the
/// object's name (its digest: a name may hold characters that keys should not), the pack and the part.
pub(super) fn key(name: &str, pack: u64, part: usize, first_ms: i64) -> String {
    // Out of chrono's range (the year 262,142) there is no hour to name.
    let hour = DateTime::from_timestamp_millis(first_ms).unwrap_or_default();
    let (date, hour) = (hour.date_naive(), hour.hour());
    format!("events/dt={date}/hh={hour:02}/{}-{pack:08}-{part:03}.ndjson", digest(name))
}

/// 24 hexadecimal digits that stand for a name: a message's may be longer than what takes it, and of any characters.
pub(super) fn digest(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(12).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::pack::Draft;
    use crate::record::Delivery;
    use crate::verdict::{Finding, Ruleset, Verdict};

    const KEY: &str = "events/dt=2026-11-22/hh=13/ba7816bf8f01cfea414140de-00000007-000.ndjson";
    const ID: &str = "019a0000-0000-7000-8000-000000000000";

    /// Frozen: a later deploy must overwrite what an earlier one wrote.
    #[test]
    fn the_key_is_frozen() {
        assert_eq!(key("abc", 7, 0, 1_795_354_496_000), KEY);
    }

    fn text(message: impl Into<String>) -> Letter {
        Letter::Text(message.into())
    }

    /// A click with agents and links of its own, and its verdict.
    fn leaving(n: u16, bytes: usize) -> Leaving {
        let id = EventId::first_of(1_795_348_800_000 + i64::from(n));
        let record = Record {
            event_id: id.to_string(),
            message_id: "m".to_owned(),
            recipient_id: format!("r{n}"),
            link_id: Some("l".to_owned()),
            url: Some(format!("https://shop.example/{n}/{}", format!("{n}-").repeat(bytes / 5))),
            ts_ms: id.ts_ms(),
            method: "GET".to_owned(),
            ..Record::default()
        };
        let finding = Finding { rule: "human".into(), ..Finding::not_a_click() };
        let verdict = Verdict::new(finding, Ruleset::Full, 1);
        let entry = Draft::new(id, &record, verdict, Delivery::default()).entry;
        (id, record, entry)
    }

    fn lines_of(events: &[Leaving]) -> Vec<String> {
        let lines = |(_, record, entry): &Leaving| entry.lines(record).collect::<Vec<_>>();
        events.iter().flat_map(lines).collect()
    }

    /// Frozen: messages of an earlier deploy lie in the queue for days.
    #[test]
    fn what_any_version_wrote_is_opened() {
        let lines = "{\"a\":1}\n{\"b\":2}\n";
        let pack = Parcel::Pack { key: KEY.to_owned(), events: 2, lines: Cow::Borrowed(lines) };
        let act = Parcel::Act { id: ID.to_owned(), body: "{\"type\":\"unsubscribe\"}" };
        let body = "{\"type\":\"unsubscribe\"}";
        for (words, message, parcel) in [
            ("a pack, 1", format!("{{\"v\":1,\"key\":\"{KEY}\",\"events\":2}}\n{lines}"), &pack),
            (
                "a pack, 2",
                format!("{{\"v\":2,\"kind\":\"pack\",\"key\":\"{KEY}\",\"events\":2}}\n{lines}"),
                &pack,
            ),
            ("an act, 1", format!("webhook 1 {ID}\n{body}"), &act),
            ("an act, 2", format!("{{\"v\":2,\"kind\":\"act\",\"id\":\"{ID}\"}}\n{body}"), &act),
        ] {
            assert_eq!(text(message.clone()).open().as_ref(), Ok(parcel), "{words}");
            if words.ends_with('2') {
                assert_eq!(parcel.seal(), message, "{words}");
            }
        }
    }

    /// Frozen as well.
    #[test]
    fn what_blanks_objects_names_each_part_of_each_pack() {
        let letters = of_blanks("abc", &[(7, 1_795_354_496_000, 0..1), (8, 1_795_354_496_000, 1..3)]);
        let place = "events/dt=2026-11-22/hh=13/ba7816bf8f01cfea414140de-";
        let keys =
            ["00000007-000", "00000008-001", "00000008-002"].map(|part| format!("{place}{part}.ndjson"));
        assert_eq!(letters, [text(format!("{{\"v\":2,\"kind\":\"blank\"}}\n{}\n", keys.join("\n")))]);
        let [letter] = &letters[..] else { panic!("{letters:?}") };
        assert_eq!(letter.open(), Ok(Parcel::Blank { keys: Cow::Owned(keys.join("\n") + "\n") }));
        assert_eq!(of_blanks("abc", &[(1, 0, 0..101)]).len(), 2);
        assert_eq!(of_blanks("abc", &[(1, 0, 1..1)]), []);
    }

    /// Frozen, too: a pack of bytes.
    #[test]
    fn the_bytes_of_a_pack_are_frozen() {
        let messages = of_pack("abc", 7, 1_795_354_496_000, &[leaving(1, 5)]);
        let [Letter::Bytes(bytes)] = &messages[..] else { panic!("{messages:?}") };
        let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(
            hex,
            "c003476576656e74732f64743d323032362d31312d32322f68683d31332f626137383136626638663031636665613431\
             3431343064652d30303030303030372d3030302e6e646a736f6e64c1016101828885b2c0680000000000000000000001\
             0128636c69636b0101086d01011072310101086c0101c80168747470733a2f2f73686f702e6578616d706c652f312f31\
             2d010118474554000000000000000000000000000000000001000000000000450201000000010128636c69636b010000\
             0001013066756c6c403301020101206e6f6e6500000101386365727461696e01012868756d616e000000000000000000\
             0000000000"
        );
    }

    #[test]
    fn messages_stay_below_the_limit_and_lose_nothing() {
        for (clicks, bytes, messages) in [(800, 5, 1..=1), (128, 4_000, 5..=9), (1, 4_000, 1..=1)] {
            let events: Vec<Leaving> = (0..clicks).map(|n| leaving(n, bytes)).collect();
            let letters = of_pack("m", 1, 0, &events);
            assert!(messages.contains(&letters.len()), "{} of {bytes} bytes", letters.len());
            let mut all = Vec::new();
            for (at, letter) in letters.iter().enumerate() {
                assert!(letter.size() <= MAX_MESSAGE_BYTES);
                let Ok(Parcel::Pack { key, events, lines }) = letter.open() else { panic!("{letter:?}") };
                assert!(key.ends_with(&format!("-00000001-{at:03}.ndjson")));
                assert_eq!(usize::try_from(events), Ok(lines.lines().count()));
                all.extend(lines.lines().map(str::to_owned));
            }
            assert_eq!(all, lines_of(&events));
        }
    }

    /// Frozen: a part is an object, and a second shipment of what version 2 wrote must cut a pack where the first did.
    #[test]
    fn a_part_of_an_old_pack_ends_before_the_line_that_would_fill_it() {
        // With its line's end the first takes half of a message and what a header may.
        let half = MAX_MESSAGE_BYTES / 2;
        for (second, parts) in [(half - 514, 1), (half - 513, 2)] {
            let lines = ["x".repeat(half), "y".repeat(second)];
            assert_eq!(of_lines("m", 1, 0, &lines).len(), parts, "{second}");
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
            assert!(text(bad).open().is_err(), "{bad}");
        }
        let messages = of_pack("m", 1, 0, &[leaving(1, 5)]);
        let [Letter::Bytes(whole)] = &messages[..] else { panic!("{messages:?}") };
        for end in 0..whole.len() {
            assert!(Letter::Bytes(whole[..end].to_vec()).open().is_err(), "{end}");
        }
        let mut later = whole.clone();
        later[1] = 4;
        assert_eq!(Letter::Bytes(later).open(), Err("version 4 is not known here".to_owned()));
    }
}
