//! Packs: settled verdicts in rows of up to [`MAX_ENTRIES`], written once. They are the record of every revision and
//! the outbox at the same time.
//!
//! A pack's `keys` are 24 bytes an entry, in the order of its body: the click's id (16 bytes) and the first eight bytes of
//! the recipient's key, zeros for opens, which nothing looks for. They are what a recipient's older clicks are found by,
//! without an index row for every click. Its body is [`super::body`]'s; that of version 1, which is read for ever, was JSON.

use super::body::{self, Body, Entry, Unread};
use crate::record::{Delivery, EventId, Kind, Record};
use crate::verdict::delay;
use crate::verdict::{Key, Verdict};

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
    pub body: Stored,
}

/// A body as its row holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Version 1.
    Json(String),
    /// Version 2 and later ones.
    Bytes(Vec<u8>),
}

/// Entries of one pack: what a message of the queue has room for, where records are a browser's.
pub const MAX_ENTRIES: usize = 800;

/// Bytes of links that one pack names at most: with its verdicts it stays below the 2 MB of a row.
pub const MAX_LINK_BYTES: usize = 1_000_000;

/// Bytes of one entry's key.
const KEY: usize = 24;

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
    /// The draft of a verdict on a stored record, of whose mail this was told beside what the record says.
    #[must_use]
    pub fn new(id: EventId, record: &Record, verdict: Verdict, delivery: Delivery) -> Self {
        let delivered_at_ms = delivery.or(record.delivery()).delivered_at_ms;
        let clock_ms = delivered_at_ms.unwrap_or(record.sent_at_ms);
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
                was: None,
                was_shadow: None,
                past: None,
                group: record.group.as_deref().map(Into::into),
                delay: Some(delay::step(record.ts_ms.saturating_sub(clock_ms))),
                delivery,
                repeats: None,
                sighting: None,
            },
        }
    }
}

/// Puts up to [`MAX_ENTRIES`] drafts, in the order of time, into a row.
#[must_use]
pub fn pack(number: u64, open_from_ms: i64, drafts: Vec<Draft>) -> PackRow {
    let first_ms = drafts.first().map_or(0, |draft| draft.id.ts_ms());
    let last_ms = drafts.last().map_or(0, |draft| draft.id.ts_ms());
    let mut keys = Vec::with_capacity(drafts.len() * KEY);
    let mut body = Body { v: body::VERSION, links: Vec::new(), entries: Vec::with_capacity(drafts.len()) };
    for Draft { id, recipient, link_id, url, entry } in drafts {
        let owner = if entry.kind == Kind::Open { 0 } else { recipient.short() };
        put_key(&mut keys, id, owner);
        body.push((link_id, url), entry);
    }
    PackRow { number, first_ms, last_ms, open_from_ms, keys, body: Stored::Bytes(body::seal(&body)) }
}

fn put_key(keys: &mut Vec<u8>, id: EventId, owner: u64) {
    keys.extend_from_slice(&id.bytes());
    keys.extend_from_slice(&owner.to_be_bytes());
}

impl PackRow {
    /// The pack with those of its entries that somebody keeps, by their clicks and the recipients' short keys. Its number and its
    /// times stay, as the keys of its objects do.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn keeping(&self, keeps: &dyn Fn(EventId, u64) -> bool) -> Result<Self, Unread> {
        let old = self.open()?;
        let (mut left, mut body) =
            (Vec::new(), Body { v: body::VERSION, links: Vec::new(), entries: Vec::new() });
        for ((id, owner), entry) in keys(&self.keys).zip(old.entries) {
            if keeps(id, owner) {
                put_key(&mut left, id, owner);
                body.push(old.links.get(entry.link).cloned().unwrap_or_default(), entry);
            }
        }
        let Self { number, first_ms, mut last_ms, open_from_ms, .. } = *self;
        if left.is_empty() {
            // It ends before it begins: no keys are lost. Where its objects lie is known by its beginning.
            last_ms = first_ms.saturating_sub(1);
        }
        let body = Stored::Bytes(body::seal(&body));
        Ok(Self { number, first_ms, last_ms, open_from_ms, keys: left, body })
    }

    /// How many events it is shipped as: its entries, and the verifications that they tell. Nothing is parsed: inside a
    /// JSON string there is no bare quote.
    #[must_use]
    pub fn events(&self) -> usize {
        match &self.body {
            Stored::Json(text) => count(self.keys.len()) + text.matches("\"sighting\":{").count(),
            Stored::Bytes(bytes) => match body::events_in(bytes) {
                // What cannot be read is made anew when it leaves.
                0 => count(self.keys.len()),
                events => events,
            },
        }
    }

    /// The clicks that it holds verdicts of.
    #[must_use]
    pub fn ids(&self) -> Vec<EventId> {
        keys(&self.keys).map(|(id, _)| id).collect()
    }

    /// Reads the body.
    ///
    /// # Errors
    /// When it is of a version, or holds a type, that this build does not know, so that a later deploy wrote it; or when it is
    /// damaged.
    pub fn open(&self) -> Result<Body, Unread> {
        let ids = self.ids();
        let body = match &self.body {
            Stored::Json(text) => body::open_json(text)?,
            Stored::Bytes(bytes) => body::open(bytes, &ids)?,
        };
        // Keys and body are one another's.
        if body.entries.len() == ids.len() && is_whole(&self.keys) { Ok(body) } else { Err(Unread::Damaged) }
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

/// The times of the first click and the last that keys name, Unix milliseconds.
#[must_use]
pub fn times(bytes: &[u8]) -> (i64, i64) {
    keys(bytes)
        .fold((i64::MAX, i64::MIN), |(first, last), (id, _)| (first.min(id.ts_ms()), last.max(id.ts_ms())))
}

/// Whether keys are as long as keys are.
#[must_use]
pub const fn is_whole(keys: &[u8]) -> bool {
    keys.len().is_multiple_of(KEY)
}

/// How many entries a pack's keys stand for.
#[must_use]
pub const fn count(keys_bytes: usize) -> usize {
    keys_bytes / KEY
}
