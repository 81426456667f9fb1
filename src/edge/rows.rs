//! A message's rows in the object's `SQLite` storage.
//!
//! Schema, version 2 (version 1 had no `verifications` and no `presses`):
//!
//! | table | a row is | key |
//! | --- | --- | --- |
//! | `message` | the message itself: name, marks, schema version | 1 |
//! | `clicks` | a click: its record as JSON, never updated | `event_id`, so in the order of time |
//! | `packs` | settled verdicts, in the order in which they were settled; the outbox | number |
//! | `repeats` | clicks counted on a click and not stored | its `event_id` |
//! | `deliveries` | delivery times of a bucket of recipients, packed | bucket |
//! | `verifications` | what the landing page of a click showed at most | the click's `event_id` |
//! | `presses` | an event that may stand for an act, and whether the sender is told | act, `event_id` |
//!
//! There is no index beside the keys: each would be one more row written for every click. Acts are rare, and those that
//! are untold must be found at every start: they have one.

use std::cell::Cell;

use worker::{Error, Result, SqlCursor, SqlStorage, SqlStorageValue};

use crate::event::pack::PackRow;
use crate::message::store::{Meta, Store};
use crate::record::EventId;
use crate::record::Kind;
use crate::record::Sighting;
use crate::record::Verified;
use crate::verdict::Key;

/// The schema's version. A later one adds its statements behind these and runs them where the version is lower.
const SCHEMA_VERSION: i64 = 2;

const SCHEMA: &str = "
    CREATE TABLE message (
        id INTEGER PRIMARY KEY CHECK (id = 1), schema INTEGER NOT NULL, name TEXT NOT NULL,
        sent_pack INTEGER NOT NULL, failures INTEGER NOT NULL, retry_at_ms INTEGER NOT NULL, late_from_ms INTEGER
    );
    CREATE TABLE clicks (event_id BLOB PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE packs (
        number INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
        open_from_ms INTEGER NOT NULL, keys BLOB NOT NULL, body TEXT NOT NULL
    );
    CREATE TABLE repeats (event_id BLOB PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE deliveries (bucket INTEGER PRIMARY KEY, entries BLOB NOT NULL);
";

/// What version 2 adds.
const SCHEMA_2: &str = "
    CREATE TABLE verifications (
        click BLOB PRIMARY KEY, event_id BLOB NOT NULL, verified INTEGER NOT NULL, since_load_ms INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE presses (
        act BLOB NOT NULL, event_id BLOB NOT NULL, kind INTEGER NOT NULL, told INTEGER NOT NULL,
        PRIMARY KEY (act, event_id)
    ) WITHOUT ROWID;
    CREATE INDEX untold ON presses (event_id) WHERE told = 0;
";

/// Parameters that one statement may bind (Durable Objects limits, 2026-11).
const MAX_PARAMETERS: usize = 100;

/// 2^53 - 1: numbers pass through JavaScript.
const MAX_SAFE: i64 = 9_007_199_254_740_991;

/// The rows in one object's storage.
pub(super) struct Rows {
    sql: SqlStorage,
    written: Cell<usize>,
}

impl Rows {
    pub(super) fn new(sql: SqlStorage) -> Self {
        Self { sql, written: Cell::new(0) }
    }

    /// Rows written so far, as they are billed; alarms are not among them.
    pub(super) fn written(&self) -> usize {
        self.written.get()
    }

    /// The size of the database, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.sql.database_size()
    }

    fn run(&self, statement: &str, values: Vec<SqlStorageValue>) -> Result<()> {
        let cursor = self.sql.exec(statement, values)?;
        self.count(&cursor);
        Ok(())
    }

    /// The rows of a query, each by its columns.
    fn query(
        &self,
        statement: &str,
        values: Vec<SqlStorageValue>,
        each: &mut dyn FnMut(&mut Columns) -> Result<()>,
    ) -> Result<()> {
        let cursor = self.sql.exec(statement, values)?;
        for row in cursor.raw() {
            each(&mut Columns(row?.into_iter()))?;
        }
        self.count(&cursor);
        Ok(())
    }

    /// Whether a query finds anything.
    fn has_any(&self, statement: &str) -> Result<bool> {
        let mut there = false;
        self.query(statement, Vec::new(), &mut |_| {
            there = true;
            Ok(())
        })?;
        Ok(there)
    }

    fn count(&self, cursor: &SqlCursor) {
        self.written.set(self.written.get() + cursor.rows_written());
    }
}

/// The columns of one row, read from the left.
struct Columns(std::vec::IntoIter<SqlStorageValue>);

impl Columns {
    fn number(&mut self) -> Result<Option<i64>> {
        match self.0.next() {
            Some(SqlStorageValue::Integer(number)) => Ok(Some(number)),
            Some(SqlStorageValue::Null) => Ok(None),
            _ => Err(mismatch("a number")),
        }
    }

    fn integer(&mut self) -> Result<i64> {
        self.number()?.ok_or_else(|| mismatch("a number"))
    }

    fn natural(&mut self) -> Result<u64> {
        u64::try_from(self.integer()?).map_err(|_| mismatch("a natural number"))
    }

    fn text(&mut self) -> Result<String> {
        match self.0.next() {
            Some(SqlStorageValue::String(text)) => Ok(text),
            _ => Err(mismatch("text")),
        }
    }

    fn blob(&mut self) -> Result<Vec<u8>> {
        match self.0.next() {
            Some(SqlStorageValue::Blob(bytes)) => Ok(bytes),
            _ => Err(mismatch("bytes")),
        }
    }

    fn id(&mut self) -> Result<EventId> {
        let bytes: [u8; 16] = self.blob()?.try_into().map_err(|_| mismatch("an event_id"))?;
        Ok(EventId::from_bytes(bytes))
    }

    fn act(&mut self) -> Result<Key> {
        let bytes: [u8; 16] = self.blob()?.try_into().map_err(|_| mismatch("an act"))?;
        Ok(Key::from_number(u128::from_be_bytes(bytes)))
    }

    fn verification(&mut self) -> Result<(EventId, Sighting)> {
        let (click, event_id, level) = (self.id()?, self.id()?, self.natural()?);
        let known = |verified: &Verified| *verified as u64 == level;
        let verified = Verified::ALL.into_iter().find(known).ok_or_else(|| mismatch("a level"))?;
        Ok((click, Sighting { event_id, verified, since_load_ms: self.number()? }))
    }

    fn pack(&mut self) -> Result<PackRow> {
        Ok(PackRow {
            number: self.natural()?,
            first_ms: self.integer()?,
            last_ms: self.integer()?,
            open_from_ms: self.integer()?,
            keys: self.blob()?,
            body: self.text()?,
        })
    }
}

fn mismatch(wanted: &str) -> Error {
    Error::RustError(format!("storage: {wanted} expected"))
}

fn id(id: EventId) -> SqlStorageValue {
    SqlStorageValue::Blob(id.bytes().to_vec())
}

fn act(act: Key) -> SqlStorageValue {
    SqlStorageValue::Blob(act.number().to_be_bytes().to_vec())
}

/// A number, kept inside what JavaScript holds exactly.
fn number(number: i64) -> SqlStorageValue {
    SqlStorageValue::Integer(number.clamp(-MAX_SAFE, MAX_SAFE))
}

fn natural(natural: u64) -> SqlStorageValue {
    number(i64::try_from(natural).unwrap_or(MAX_SAFE))
}

fn limit(limit: usize) -> SqlStorageValue {
    number(i64::try_from(limit).unwrap_or(MAX_SAFE))
}

impl Store for Rows {
    type Error = Error;

    fn meta(&self) -> Result<Option<Meta>> {
        if !self.has_any("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'message'")? {
            return Ok(None);
        }
        let (mut meta, mut found) = (None, SCHEMA_VERSION);
        let row = "SELECT schema, name, sent_pack, failures, retry_at_ms, late_from_ms FROM message";
        self.query(row, Vec::new(), &mut |columns| {
            let version = columns.integer()?;
            if version > SCHEMA_VERSION {
                return Err(Error::RustError(format!("storage: schema {version} is of a later version")));
            }
            found = version;
            meta = Some(Meta {
                name: columns.text()?,
                sent_pack: columns.natural()?,
                failures: u32::try_from(columns.natural()?).unwrap_or(u32::MAX),
                retry_at_ms: columns.integer()?,
                late_from_ms: columns.number()?.unwrap_or(i64::MAX),
            });
            Ok(())
        })?;
        if found < 2 {
            self.run(SCHEMA_2, Vec::new())?;
            self.run("UPDATE message SET schema = ?", vec![number(SCHEMA_VERSION)])?;
        }
        Ok(meta)
    }

    fn create(&self, meta: &Meta) -> Result<()> {
        self.run(SCHEMA, Vec::new())?;
        self.run(SCHEMA_2, Vec::new())?;
        self.put_meta(meta)
    }

    fn put_meta(&self, meta: &Meta) -> Result<()> {
        let late_from_ms =
            if meta.late_from_ms == i64::MAX { SqlStorageValue::Null } else { number(meta.late_from_ms) };
        let values = vec![
            number(SCHEMA_VERSION),
            meta.name.as_str().into(),
            natural(meta.sent_pack),
            number(meta.failures.into()),
            number(meta.retry_at_ms),
            late_from_ms,
        ];
        self.run("INSERT OR REPLACE INTO message VALUES (1, ?, ?, ?, ?, ?, ?)", values)
    }

    fn insert_click(&self, event_id: EventId, record: &str) -> Result<bool> {
        // What was written says whether it was new: to return a row and read it costs a seventh of a click.
        let before = self.written();
        self.run(
            "INSERT INTO clicks VALUES (?, ?) ON CONFLICT DO NOTHING",
            vec![id(event_id), record.into()],
        )?;
        Ok(self.written() > before)
    }

    fn clicks(
        &self,
        from: EventId,
        until: EventId,
        most: usize,
        each: &mut dyn FnMut(EventId, String),
    ) -> Result<()> {
        let statement = "SELECT event_id, record FROM clicks WHERE event_id >= ? AND event_id < ? ORDER BY event_id LIMIT ?";
        self.query(statement, vec![id(from), id(until), limit(most)], &mut |columns| {
            each(columns.id()?, columns.text()?);
            Ok(())
        })
    }

    fn clicks_by_id(&self, ids: &[EventId], each: &mut dyn FnMut(EventId, String)) -> Result<()> {
        for ids in ids.chunks(MAX_PARAMETERS) {
            let marks = vec!["?"; ids.len()].join(", ");
            let statement = format!("SELECT event_id, record FROM clicks WHERE event_id IN ({marks})");
            self.query(&statement, ids.iter().map(|event_id| id(*event_id)).collect(), &mut |columns| {
                each(columns.id()?, columns.text()?);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn insert_pack(&self, pack: &PackRow) -> Result<()> {
        let values = vec![
            natural(pack.number),
            number(pack.first_ms),
            number(pack.last_ms),
            number(pack.open_from_ms),
            pack.keys.clone().into(),
            pack.body.as_str().into(),
        ];
        self.run("INSERT INTO packs VALUES (?, ?, ?, ?, ?, ?)", values)
    }

    fn packs(&self, from_ms: i64, until_ms: i64, each: &mut dyn FnMut(PackRow)) -> Result<()> {
        let statement = "SELECT * FROM packs WHERE last_ms >= ? AND first_ms <= ? ORDER BY number";
        self.query(statement, vec![number(from_ms), number(until_ms)], &mut |columns| {
            each(columns.pack()?);
            Ok(())
        })
    }

    fn pack(&self, wanted: u64) -> Result<Option<PackRow>> {
        let mut pack = None;
        self.query("SELECT * FROM packs WHERE number = ?", vec![natural(wanted)], &mut |columns| {
            pack = Some(columns.pack()?);
            Ok(())
        })?;
        Ok(pack)
    }

    fn pack_bounds(&self) -> Result<Option<(u64, i64, i64)>> {
        let statement = "SELECT number, open_from_ms, (SELECT min(first_ms) FROM packs) FROM packs \
                         ORDER BY number DESC LIMIT 1";
        let mut bounds = None;
        self.query(statement, Vec::new(), &mut |columns| {
            bounds = Some((columns.natural()?, columns.integer()?, columns.integer()?));
            Ok(())
        })?;
        Ok(bounds)
    }

    fn pack_keys(&self, from_ms: i64, until_ms: i64, each: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        let statement = "SELECT number, keys FROM packs WHERE last_ms >= ? AND first_ms <= ? ORDER BY number";
        self.query(statement, vec![number(from_ms), number(until_ms)], &mut |columns| {
            each(columns.natural()?, &columns.blob()?);
            Ok(())
        })
    }

    fn add_repeat(&self, event_id: EventId) -> Result<()> {
        let statement = "INSERT INTO repeats VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1";
        self.run(statement, vec![id(event_id)])
    }

    fn repeats(&self, from: EventId, until: EventId) -> Result<Vec<(EventId, i64)>> {
        let mut repeats = Vec::new();
        let statement = "SELECT event_id, count FROM repeats WHERE event_id >= ? AND event_id < ?";
        self.query(statement, vec![id(from), id(until)], &mut |columns| {
            repeats.push((columns.id()?, columns.integer()?));
            Ok(())
        })?;
        Ok(repeats)
    }

    fn deliveries(&self, bucket: u8) -> Result<Vec<u8>> {
        let mut entries = Vec::new();
        self.query(
            "SELECT entries FROM deliveries WHERE bucket = ?",
            vec![number(bucket.into())],
            &mut |columns| {
                entries = columns.blob()?;
                Ok(())
            },
        )?;
        Ok(entries)
    }

    fn put_deliveries(&self, bucket: u8, entries: &[u8]) -> Result<()> {
        let values = vec![number(bucket.into()), entries.to_vec().into()];
        self.run("INSERT OR REPLACE INTO deliveries VALUES (?, ?)", values)
    }

    fn has_deliveries(&self) -> Result<bool> {
        self.has_any("SELECT 1 FROM deliveries LIMIT 1")
    }

    fn put_verification(&self, click: EventId, sighting: &Sighting) -> Result<()> {
        let level = number(sighting.verified as i64);
        let since_load_ms = sighting.since_load_ms.map_or(SqlStorageValue::Null, number);
        let values = vec![id(click), id(sighting.event_id), level, since_load_ms];
        self.run("INSERT OR REPLACE INTO verifications VALUES (?, ?, ?, ?)", values)
    }

    fn verifications(&self, clicks: &[EventId], each: &mut dyn FnMut(EventId, Sighting)) -> Result<()> {
        for clicks in clicks.chunks(MAX_PARAMETERS) {
            let marks = vec!["?"; clicks.len()].join(", ");
            let statement = format!("SELECT * FROM verifications WHERE click IN ({marks})");
            self.query(&statement, clicks.iter().map(|click| id(*click)).collect(), &mut |columns| {
                let (click, sighting) = columns.verification()?;
                each(click, sighting);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn verifications_from(&self, from: EventId, each: &mut dyn FnMut(EventId, Sighting)) -> Result<()> {
        self.query("SELECT * FROM verifications WHERE click >= ?", vec![id(from)], &mut |columns| {
            let (click, sighting) = columns.verification()?;
            each(click, sighting);
            Ok(())
        })
    }

    fn has_verifications(&self) -> Result<bool> {
        self.has_any("SELECT 1 FROM verifications LIMIT 1")
    }

    fn presses(&self, wanted: Key) -> Result<Vec<(EventId, bool)>> {
        let mut presses = Vec::new();
        let statement = "SELECT event_id, told FROM presses WHERE act = ? ORDER BY event_id";
        self.query(statement, vec![act(wanted)], &mut |columns| {
            presses.push((columns.id()?, columns.integer()? != 0));
            Ok(())
        })?;
        Ok(presses)
    }

    fn put_press(&self, key: Key, event_id: EventId, kind: Kind) -> Result<()> {
        let values = vec![act(key), id(event_id), number(kind as i64)];
        self.run("INSERT INTO presses VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING", values)
    }

    fn mark_told(&self, key: Key, event_id: EventId) -> Result<()> {
        let statement = "UPDATE presses SET told = 1 WHERE act = ? AND event_id = ?";
        self.run(statement, vec![act(key), id(event_id)])
    }

    fn untold(&self) -> Result<Vec<(Key, EventId, Kind)>> {
        let mut untold = Vec::new();
        let statement = "SELECT act, event_id, kind FROM presses WHERE told = 0 ORDER BY event_id";
        self.query(statement, Vec::new(), &mut |columns| {
            let (act, event_id, kind) = (columns.act()?, columns.id()?, columns.natural()?);
            let kind = Kind::ALL.into_iter().find(|known| *known as u64 == kind);
            untold.push((act, event_id, kind.ok_or_else(|| mismatch("a kind"))?));
            Ok(())
        })?;
        Ok(untold)
    }
}
