//! Packs: settled verdicts in rows of up to [`MAX_ENTRIES`], written once. They are the record of every revision and
//! the outbox at the same time.
//!
//! A pack's `keys` are 24 bytes an entry, in the order of its body: the click's id (16 bytes) and the first eight bytes of
//! the recipient's key, zeros for opens, which nothing looks for. They are what a recipient's older clicks are found by,
//! without an index row for every click. Its body is JSON, version 1.

use serde::{Deserialize, Serialize};

use super::line;
use crate::record::{EventId, Kind, Record, Sighting};
use crate::verdict::{ClickType, Key, Verdict};

/// Settled verdicts: written once, shipped in order of their number, the record of every revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackRow {
    /// 1, 2, 3, …
    pub number: u64,
    /// The time of the earliest click in it, Unix milliseconds.
    pub first_ms: i64,
    /// The time of the latest.
    pub last_ms: i64,
    /// Every click before this moment was settled when the pack was written, Unix milliseconds.
    pub open_from_ms: i64,
    /// Which clicks of whom: the index that finds a recipient's clicks (see [`Body`]).
    pub keys: Vec<u8>,
    /// The entries (see [`Body`]).
    pub body: String,
}

/// Entries of one pack. With URLs of 4,096 bytes, all different, a pack stays below the 2 MB of a row.
pub const MAX_ENTRIES: usize = 128;

/// The version of the body that is written.
const VERSION: u8 = 1;

/// Bytes of one entry's key.
const KEY: usize = 24;

/// A pack's body.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Version of this form.
    pub v: u8,
    /// The links that the entries name by position: `link_id` and `url`.
    pub links: Vec<(Option<String>, Option<String>)>,
    /// The verdicts.
    pub entries: Vec<Entry>,
}

/// One revision of one click.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The click.
    pub event_id: String,
    /// What kind of link it was.
    #[serde(default, skip_serializing_if = "is_click")]
    pub kind: Kind,
    /// The position of its link in [`Body::links`].
    pub link: usize,
    /// What it was found to be.
    pub verdict: Verdict,
    /// What the revision before said, so that counts can be corrected without looking for it.
    pub was: Option<ClickType>,
    /// What the shadow ruleset of the revision before said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_shadow: Option<ClickType>,
    /// The delivery time that this revision was judged by, where it came from the deliveries.
    pub delivered_at_ms: Option<i64>,
    /// Clicks counted on this one and not stored.
    pub repeats: Option<i64>,
    /// The verification that this revision is the first to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sighting: Option<Sighting>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_click(kind: &Kind) -> bool {
    *kind == Kind::Click
}

/// An entry with what the pack needs to know of its click.
pub struct Draft {
    /// The click.
    pub id: EventId,
    /// Whose it was.
    pub recipient: Key,
    /// Its `link_id`.
    pub link_id: Option<String>,
    /// Its `url`.
    pub url: Option<String>,
    /// The entry; its `link` is filled in here.
    pub entry: Entry,
}

impl Draft {
    /// The draft of a verdict on a stored record.
    #[must_use]
    pub fn new(id: EventId, record: &Record, verdict: Verdict, was: Option<ClickType>) -> Self {
        Self {
            id,
            recipient: Key::of(&record.recipient_id),
            link_id: record.link_id.clone(),
            url: record.url.clone(),
            entry: Entry {
                event_id: record.event_id.clone(),
                kind: record.kind,
                link: 0,
                verdict,
                was,
                was_shadow: None,
                delivered_at_ms: None,
                repeats: None,
                sighting: None,
            },
        }
    }
}

impl Entry {
    /// The record as it stood when the entry was written: a second shipment says the same as the first.
    #[must_use]
    pub fn as_judged(&self, mut record: Record) -> Record {
        record.delivered_at_ms = self.delivered_at_ms.or(record.delivered_at_ms);
        record.repeats = self.repeats.or(record.repeats);
        record
    }

    /// The lines that ship it.
    pub fn lines(&self, record: &Record) -> impl Iterator<Item = String> {
        let sighting = self.sighting.as_ref().map(|sighting| line::verified(record, sighting));
        std::iter::once(line::shipped(record, &self.verdict)).chain(sighting)
    }
}

/// Puts up to [`MAX_ENTRIES`] drafts, in the order of time, into a row.
#[must_use]
pub fn pack(number: u64, open_from_ms: i64, drafts: Vec<Draft>) -> PackRow {
    let first_ms = drafts.first().map_or(0, |draft| draft.id.ts_ms());
    let last_ms = drafts.last().map_or(0, |draft| draft.id.ts_ms());
    let mut keys = Vec::with_capacity(drafts.len() * KEY);
    let mut body = Body { v: VERSION, links: Vec::new(), entries: Vec::with_capacity(drafts.len()) };
    for Draft { id, recipient, link_id, url, mut entry } in drafts {
        keys.extend_from_slice(&id.bytes());
        let owner = if entry.kind == Kind::Open { 0 } else { recipient.short() };
        keys.extend_from_slice(&owner.to_be_bytes());
        let link = (link_id, url);
        entry.link = body.links.iter().position(|known| *known == link).unwrap_or_else(|| {
            body.links.push(link);
            body.links.len() - 1
        });
        body.entries.push(entry);
    }
    // Strings, numbers and lists always serialise.
    let body = serde_json::to_string(&body).unwrap_or_default();
    PackRow { number, first_ms, last_ms, open_from_ms, keys, body }
}

impl PackRow {
    /// How many events it is shipped as: its entries, and the verifications that they tell. Nothing is parsed: inside a
    /// JSON string there is no bare quote.
    #[must_use]
    pub fn events(&self) -> usize {
        count(self.keys.len()) + self.body.matches("\"sighting\":{").count()
    }

    /// Reads the body.
    ///
    /// # Errors
    /// When it is of a version, or holds a type, that this build does not know: a later deploy wrote it.
    pub fn open(&self) -> Result<Body, String> {
        let body: Body =
            serde_json::from_str(&self.body).map_err(|error| format!("pack {}: {error}", self.number))?;
        if body.v == VERSION {
            Ok(body)
        } else {
            Err(format!("pack {}: version {} is not known here", self.number, body.v))
        }
    }
}

/// The clicks and recipients of a pack's keys.
pub fn keys(bytes: &[u8]) -> impl Iterator<Item = (EventId, u64)> {
    bytes.as_chunks::<KEY>().0.iter().map(|key| {
        let (id, recipient) = key.split_at(16);
        let id = id.iter().fold(0_u128, |id, byte| id << 8 | u128::from(*byte));
        let recipient = recipient.iter().fold(0_u64, |short, byte| short << 8 | u64::from(*byte));
        (EventId::from_bytes(id.to_be_bytes()), recipient)
    })
}

/// How many entries a pack's keys stand for.
#[must_use]
pub const fn count(keys_bytes: usize) -> usize {
    keys_bytes / KEY
}
