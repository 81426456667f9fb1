//! The database of a message: its schema, and the one method that whatever runs `SQLite` has to offer.
//!
//! In the Durable Object that is the platform's storage, in the tests `SQLite` itself: the statements ([`super::rows`]) are
//! the same.
//!
//! Schema, version 4 (version 1 had no `verifications` and no `presses`; version 2 a row for each click, in `clicks`, whose
//! record was JSON: an object that began with it keeps those rows and reads them for ever; version 3 did not know when it began,
//! nor how many objects of R2 a pack is):
//!
//! | table | a row is | key |
//! | --- | --- | --- |
//! | `message` | the message itself: name, marks, schema version | 1 |
//! | `batches` | clicks that came together, [`packed`](crate::record::packed), and the last pack that had left by then; never updated | the first of their ids: they lie at most ten seconds apart |
//! | `packs` | settled verdicts, in the order in which they were settled; the outbox | number |
//! | `repeats` | clicks counted on a click and not stored | its `event_id` |
//! | `deliveries` | delivery times and bounces of a bucket of recipients, packed | bucket |
//! | `verifications` | what the landing page of a click showed at most | the click's `event_id` |
//! | `presses` | an event that may stand for an act, and whether the sender is told | act, `event_id` |
//! | `revisits` | recipients whose clocks moved, and how far their settled clicks are judged again | number |
//! | `sums` | what a span of packs comes to ([`super::tally`]), in parts | its first pack, part |
//! | `about` | what the sender tells of the message | 1 |
//! | `letters` | messages of the queue that wait to leave ahead of all packs, for an erasure ([`super::erase`]) | number |
//! | `marks` | what a shard, or the board, keeps of their exchange: numbers ([`super::shard`], [`super::board`]) | whose |
//! | `words` | what shards exchange of a block of time: a page of one, or what the board makes of all | block, whose |
//!
//! Of `batches` and `verifications` a message that goes on closes a table a week ([`super::rows`], `weeks`), which is called by the moment
//! that it ends at, as `batches_1795348800000`; what is too old goes by whole tables.
//!
//! The first three are made with the message, the others where one is needed: to make a table costs two or three rows, and
//! most messages never need it. There is no index beside the keys: each would be one more row written. Acts are rare, and
//! those that are untold must be found at every start: they have one.

use crate::record::EventId;
use crate::verdict::Key;

/// The schema's version.
pub(super) const VERSION: u64 = 4;

/// What a message begins with.
pub(super) const SCHEMA: &str = "
    CREATE TABLE message (
        id INTEGER PRIMARY KEY CHECK (id = 1), schema INTEGER NOT NULL, name TEXT NOT NULL,
        sent_pack INTEGER NOT NULL, failures INTEGER NOT NULL, retry_at_ms INTEGER NOT NULL, late_from_ms INTEGER,
        again_pack INTEGER NOT NULL, again_to_pack INTEGER NOT NULL, began_ms INTEGER NOT NULL,
        kept_from_ms INTEGER NOT NULL
    );
    CREATE TABLE batches (
        first BLOB PRIMARY KEY, last BLOB NOT NULL, sent_pack INTEGER NOT NULL, records BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE packs (
        number INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
        open_from_ms INTEGER NOT NULL, keys BLOB NOT NULL, body BLOB NOT NULL, parts INTEGER NOT NULL
    );
";

/// What makes a message of version 1 or 2 one of version 3. Its packs' column is text by its declaration, which bytes are not
/// changed by.
pub(super) const UPGRADE_TO_3: &str = "
    ALTER TABLE message ADD COLUMN again_pack INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE message ADD COLUMN again_to_pack INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE batches (
        first BLOB PRIMARY KEY, last BLOB NOT NULL, sent_pack INTEGER NOT NULL, records BLOB NOT NULL
    ) WITHOUT ROWID;
";

/// What makes one of version 3 one of version 4: of its packs it is not known how many objects they are, and is found out when
/// somebody asks.
pub(super) const UPGRADE_TO_4: [&str; 3] = [
    "ALTER TABLE message ADD COLUMN began_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE message ADD COLUMN kept_from_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE packs ADD COLUMN parts INTEGER NOT NULL DEFAULT 0",
];

/// A table that not every message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Of version 2 and before: it is not made any more.
    Clicks,
    Repeats,
    Deliveries,
    Verifications,
    Presses,
    Revisits,
    Sums,
    About,
    Marks,
    Words,
}

impl Table {
    pub(super) const ALL: [Self; 10] = [
        Self::Clicks,
        Self::Repeats,
        Self::Deliveries,
        Self::Verifications,
        Self::Presses,
        Self::Revisits,
        Self::Sums,
        Self::About,
        Self::Marks,
        Self::Words,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Clicks => "clicks",
            Self::Repeats => "repeats",
            Self::Deliveries => "deliveries",
            Self::Verifications => "verifications",
            Self::Presses => "presses",
            Self::Revisits => "revisits",
            Self::Sums => "sums",
            Self::About => "about",
            Self::Marks => "marks",
            Self::Words => "words",
        }
    }

    /// Makes it.
    pub(super) const fn statements(self) -> &'static str {
        match self {
            Self::Clicks => "",
            Self::Repeats => {
                "CREATE TABLE repeats (event_id BLOB PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID"
            }
            Self::Deliveries => {
                "CREATE TABLE deliveries (bucket INTEGER PRIMARY KEY, entries BLOB NOT NULL)"
            }
            Self::Verifications => {
                "CREATE TABLE verifications (
                    click BLOB PRIMARY KEY, event_id BLOB NOT NULL, verified INTEGER NOT NULL, since_load_ms INTEGER
                ) WITHOUT ROWID"
            }
            Self::Presses => {
                "CREATE TABLE presses (
                    act BLOB NOT NULL, event_id BLOB NOT NULL, kind INTEGER NOT NULL, told INTEGER NOT NULL,
                    PRIMARY KEY (act, event_id)
                ) WITHOUT ROWID;
                CREATE INDEX untold ON presses (event_id) WHERE told = 0"
            }
            Self::Revisits => {
                "CREATE TABLE revisits (
                    number INTEGER PRIMARY KEY, recipients BLOB NOT NULL, done_pack INTEGER NOT NULL,
                    last_pack INTEGER NOT NULL
                )"
            }
            Self::Sums => {
                "CREATE TABLE sums (
                    first_pack INTEGER NOT NULL, part INTEGER NOT NULL, last_pack INTEGER NOT NULL, body BLOB NOT NULL,
                    PRIMARY KEY (first_pack, part)
                ) WITHOUT ROWID"
            }
            Self::About => "CREATE TABLE about (id INTEGER PRIMARY KEY CHECK (id = 1), told TEXT NOT NULL)",
            Self::Marks => "CREATE TABLE marks (name TEXT PRIMARY KEY, numbers BLOB NOT NULL) WITHOUT ROWID",
            Self::Words => {
                "CREATE TABLE words (
                    block INTEGER NOT NULL, whose INTEGER NOT NULL, version INTEGER NOT NULL, words BLOB NOT NULL,
                    PRIMARY KEY (block, whose)
                ) WITHOUT ROWID"
            }
        }
    }
}

/// 2^53 - 1: on the platform numbers pass through JavaScript.
const MAX_SAFE: i64 = 9_007_199_254_740_991;

/// A value of a row, or one that a statement binds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A whole number that JavaScript holds exactly.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A row's column is not of the type that the schema says: the row is damaged, or a later version's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch(pub &'static str);

/// Runs `SQLite`.
pub trait Database {
    /// What may go wrong. After an error the message is loaded anew from its rows.
    type Error: From<Mismatch>;

    /// Runs a statement, or several where nothing is bound, and hands over the rows that it finds, one by one: all records of
    /// a window at once would be more than an object's memory. Returns how many rows were written.
    ///
    /// # Errors
    /// When storage fails, or whoever takes a row.
    fn run(
        &self,
        statement: &str,
        values: Vec<Value>,
        each: &mut dyn FnMut(&mut Columns) -> Result<(), Self::Error>,
    ) -> Result<usize, Self::Error>;
}

/// The columns of one row, read from the left.
pub struct Columns {
    values: Vec<Value>,
    at: usize,
}

impl Columns {
    /// The columns of a row.
    #[must_use]
    pub const fn new(values: Vec<Value>) -> Self {
        Self { values, at: 0 }
    }

    /// The first column, unless it was text or bytes and is read: by it a row is known again.
    pub(super) fn first(&self) -> Option<&Value> {
        self.values.first()
    }

    fn next(&mut self) -> Option<&mut Value> {
        self.at += 1;
        self.values.get_mut(self.at - 1)
    }

    pub(super) fn number(&mut self) -> Result<Option<i64>, Mismatch> {
        match self.next() {
            Some(Value::Integer(number)) => Ok(Some((*number).clamp(-MAX_SAFE, MAX_SAFE))),
            Some(Value::Null) => Ok(None),
            _ => Err(Mismatch("a number")),
        }
    }

    pub(super) fn integer(&mut self) -> Result<i64, Mismatch> {
        self.number()?.ok_or(Mismatch("a number"))
    }

    pub(super) fn natural(&mut self) -> Result<u64, Mismatch> {
        u64::try_from(self.integer()?).map_err(|_| Mismatch("a natural number"))
    }

    pub(super) fn text(&mut self) -> Result<String, Mismatch> {
        match self.value() {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(Mismatch("text")),
        }
    }

    /// Whatever it is: the body of a pack may be text or bytes.
    pub(super) fn value(&mut self) -> Option<Value> {
        self.next().map(|value| std::mem::replace(value, Value::Null))
    }

    pub(super) fn blob(&mut self) -> Result<Vec<u8>, Mismatch> {
        match self.value() {
            Some(Value::Blob(bytes)) => Ok(bytes),
            _ => Err(Mismatch("bytes")),
        }
    }

    fn sixteen(&mut self, what: &'static str) -> Result<[u8; 16], Mismatch> {
        match self.next() {
            Some(Value::Blob(bytes)) => bytes.as_slice().try_into().map_err(|_| Mismatch(what)),
            _ => Err(Mismatch(what)),
        }
    }

    pub(super) fn id(&mut self) -> Result<EventId, Mismatch> {
        self.sixteen("an event_id").map(EventId::from_bytes)
    }

    pub(super) fn key(&mut self) -> Result<Key, Mismatch> {
        self.sixteen("a key").map(|bytes| Key::from_number(u128::from_be_bytes(bytes)))
    }
}

impl From<EventId> for Value {
    fn from(id: EventId) -> Self {
        Self::Blob(id.bytes().to_vec())
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        Self::Blob(key.number().to_be_bytes().to_vec())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number.clamp(-MAX_SAFE, MAX_SAFE))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).map_or(MAX_SAFE, |number| number.min(MAX_SAFE)))
    }
}
