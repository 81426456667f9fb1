//! Clicks, and the packs that their verdicts stand in.
//!
//! A row of clicks ([`packed`]) spans at most [`SPAN_MS`], and its key is its first id: the clicks of some time are found by
//! the key alone. Rows overlap where clicks came late. Of an object of schema 2 those that it had are rows of their own.

use std::collections::BTreeSet;

use super::{Rows, values};
use crate::event::pack::{PackRow, Stored};
use crate::message::by_id::ById;
use crate::message::sql::{Columns, Database, Mismatch, Table, Value};
use crate::record::{EventId, Record, packed};

/// The longest time between the first and the last click of a row, milliseconds.
const SPAN_MS: i64 = 10_000;

/// So many bytes of records may become one row before they are packed: it stays far below the 2 MB of a value.
const MAX_ROW_BYTES: usize = 1_000_000;

/// The most rows that are read at once where clicks are asked for in order.
const MAX_ROWS: usize = 16;

/// What is handed over of a click: nothing where it cannot be read.
pub(in crate::message) type Each<'a> = &'a mut dyn FnMut(EventId, Option<Record>);

impl<D: Database> Rows<D> {
    /// Adds clicks that are not there yet, in as few rows as hold them, with the last pack that has left by now.
    pub(in crate::message) fn insert_clicks(
        &self,
        clicks: &[(EventId, &Record)],
        sent_pack: u64,
    ) -> Result<(), D::Error> {
        let mut sorted: ById<&Record> = ById::default();
        sorted.extend(clicks.iter().copied());
        let mut row: Vec<(EventId, &Record)> = Vec::new();
        let mut bytes = 0;
        for (id, record) in sorted {
            let first = row.first().map_or(id, |(first, _)| *first);
            bytes += packed::text_bytes(record);
            if id.ts_ms() - first.ts_ms() > SPAN_MS || bytes > MAX_ROW_BYTES && !row.is_empty() {
                self.insert_row(&row, sent_pack)?;
                row.clear();
                bytes = packed::text_bytes(record);
            }
            row.push((id, record));
        }
        self.insert_row(&row, sent_pack)
    }

    fn insert_row(&self, row: &[(EventId, &Record)], sent_pack: u64) -> Result<(), D::Error> {
        let (Some((first, _)), Some((last, _))) = (row.first(), row.last()) else { return Ok(()) };
        let records = Value::Blob(packed::seal(row));
        let values = vec![(*first).into(), (*last).into(), sent_pack.into(), records];
        self.write("INSERT INTO batches VALUES (?, ?, ?, ?)", values).map(|_| ())
    }

    /// The last pack that had left when clicks were stored last; 0 where there are none.
    pub(in crate::message) fn pack_sent_before(&self) -> Result<u64, D::Error> {
        let (mut sent, statement) = (0, "SELECT sent_pack FROM batches ORDER BY first DESC LIMIT 1");
        self.query(statement, Vec::new(), &mut |columns| {
            sent = columns.natural()?;
            Ok(())
        })?;
        Ok(sent)
    }

    /// Hands over the clicks from an id on, up to but without another, oldest first, at most `limit`.
    pub(in crate::message) fn clicks(
        &self,
        mut from: EventId,
        until: EventId,
        limit: usize,
        each: Each,
    ) -> Result<(), D::Error> {
        let (mut left, mut rows) = (limit, 2);
        while from < until && left > 0 {
            let mut found = ById::default();
            // What comes behind the last row that was read may stand before its last click.
            let end = self.read_batches(from, until, rows, &mut found)?;
            let end = self.read_old(from, end, &mut found)?;
            for (id, record) in found.split_off(from).into_iter().take_while(|(id, _)| *id < end).take(left) {
                left -= 1;
                each(id, record);
            }
            // Rows that all begin before that moment say nothing of where to go on: more of them do.
            rows = if end > from { (2 * rows).min(MAX_ROWS) } else { 2 * rows };
            from = end;
        }
        Ok(())
    }

    /// Reads so many rows with clicks from an id on; returns the id up to which these are all there are.
    fn read_batches(
        &self,
        from: EventId,
        until: EventId,
        rows: usize,
        found: &mut ById<Option<Record>>,
    ) -> Result<EventId, D::Error> {
        let statement = "SELECT first, records FROM batches WHERE first >= ? AND first < ? AND last >= ? \
                         ORDER BY first LIMIT ?";
        let values = vec![before(from).into(), until.into(), from.into(), (rows as u64).into()];
        let (mut read, mut last) = (0, until);
        self.query(statement, values, &mut |columns| {
            (read, last) = (read + 1, columns.id()?);
            take(last, &columns.blob()?, &|id| from <= id && id < until, found);
            Ok(())
        })?;
        Ok(if read < rows { until } else { last.max(from) })
    }

    /// The same of an object's oldest rows.
    fn read_old(
        &self,
        from: EventId,
        until: EventId,
        found: &mut ById<Option<Record>>,
    ) -> Result<EventId, D::Error> {
        const MOST: usize = 256;
        if !self.has(Table::Clicks)? {
            return Ok(until);
        }
        let statement = "SELECT event_id, record FROM clicks WHERE event_id >= ? AND event_id < ? \
                         ORDER BY event_id LIMIT ?";
        let (mut read, mut last) = (0, until);
        self.query(statement, vec![from.into(), until.into(), (MOST as u64).into()], &mut |columns| {
            (read, last) = (read + 1, columns.id()?);
            found.insert(last, Record::parse(&columns.text()?).ok());
            Ok(())
        })?;
        Ok(if read < MOST { until } else { last.successor() })
    }

    /// Hands over the clicks of these ids, in any order; an id that is not there is left out.
    pub(in crate::message) fn clicks_by_id(&self, ids: &[EventId], each: Each) -> Result<(), D::Error> {
        let mut wanted: BTreeSet<EventId> = BTreeSet::new();
        wanted.extend(ids.iter().copied());
        let mut runs: Vec<(EventId, EventId)> = Vec::new();
        for id in &wanted {
            match runs.last_mut() {
                // What lies between is read in any case.
                Some((_, last)) if id.ts_ms() - last.ts_ms() <= SPAN_MS => *last = *id,
                _ => runs.push((*id, *id)),
            }
        }
        let statement =
            "SELECT first, last, records FROM batches WHERE first >= ? AND first <= ? AND last >= ?";
        for (from, until) in runs {
            let mut found = ById::default();
            self.query(statement, vec![before(from).into(), until.into(), from.into()], &mut |columns| {
                let (first, last) = (columns.id()?, columns.id()?);
                if wanted.range(first..=last).next().is_some() {
                    take(first, &columns.blob()?, &|id| wanted.contains(&id), &mut found);
                }
                Ok(())
            })?;
            for (id, record) in found {
                wanted.remove(&id);
                each(id, record);
            }
        }
        if !self.has(Table::Clicks)? {
            return Ok(());
        }
        let statement = "SELECT event_id, record FROM clicks WHERE event_id IN ({marks})";
        self.query_any(statement, values(&wanted.into_iter().collect::<Vec<_>>()), &mut |columns| {
            each(columns.id()?, Record::parse(&columns.text()?).ok());
            Ok(())
        })
    }

    /// Adds a pack that is so many objects of R2.
    pub(in crate::message) fn insert_pack(&self, pack: &PackRow, parts: usize) -> Result<(), D::Error> {
        let values = vec![
            pack.number.into(),
            pack.first_ms.into(),
            pack.last_ms.into(),
            pack.open_from_ms.into(),
            Value::Blob(pack.keys.clone()),
            match &pack.body {
                Stored::Json(text) => text.as_str().into(),
                Stored::Bytes(bytes) => Value::Blob(bytes.clone()),
            },
            (parts as u64).into(),
        ];
        self.write("INSERT INTO packs VALUES (?, ?, ?, ?, ?, ?, ?)", values).map(|_| ())
    }

    /// Hands over the packs whose clicks lie between two moments (both included), in order of their number.
    pub(in crate::message) fn packs(
        &self,
        from_ms: i64,
        until_ms: i64,
        each: &mut dyn FnMut(PackRow),
    ) -> Result<(), D::Error> {
        let statement = "SELECT * FROM packs WHERE last_ms >= ? AND first_ms <= ? ORDER BY number";
        self.query(statement, vec![from_ms.into(), until_ms.into()], &mut |columns| {
            each(pack(columns)?);
            Ok(())
        })
    }

    pub(in crate::message) fn pack(&self, number: u64) -> Result<Option<PackRow>, D::Error> {
        let mut found = None;
        self.query("SELECT * FROM packs WHERE number = ?", vec![number.into()], &mut |columns| {
            found = Some(pack(columns)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Number and `open_from_ms` of the last pack, and `first_ms` of the earliest.
    pub(in crate::message) fn pack_bounds(&self) -> Result<Option<(u64, i64, i64)>, D::Error> {
        let statement = "SELECT number, open_from_ms, (SELECT min(first_ms) FROM packs) FROM packs \
                         ORDER BY number DESC LIMIT 1";
        let mut bounds = None;
        self.query(statement, Vec::new(), &mut |columns| {
            bounds = Some((columns.natural()?, columns.integer()?, columns.integer()?));
            Ok(())
        })?;
        Ok(bounds)
    }

    /// Hands over number and keys of the packs whose clicks lie between two moments (both included), in order.
    pub(in crate::message) fn pack_keys(
        &self,
        from_ms: i64,
        until_ms: i64,
        each: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<(), D::Error> {
        let statement = "SELECT number, keys FROM packs WHERE last_ms >= ? AND first_ms <= ? ORDER BY number";
        self.query(statement, vec![from_ms.into(), until_ms.into()], &mut |columns| {
            each(columns.natural()?, &columns.blob()?);
            Ok(())
        })
    }

    /// Hands over the keys of the packs of these numbers, in any order.
    pub(in crate::message) fn keys_of_packs(
        &self,
        numbers: &[u64],
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<(), D::Error> {
        let statement = "SELECT keys FROM packs WHERE number IN ({marks})";
        self.query_any(statement, values(numbers), &mut |columns| {
            each(&columns.blob()?);
            Ok(())
        })
    }
}

fn pack(columns: &mut Columns) -> Result<PackRow, Mismatch> {
    Ok(PackRow {
        number: columns.natural()?,
        first_ms: columns.integer()?,
        last_ms: columns.integer()?,
        open_from_ms: columns.integer()?,
        keys: columns.blob()?,
        body: match columns.value() {
            Some(Value::Text(text)) => Stored::Json(text),
            Some(Value::Blob(bytes)) => Stored::Bytes(bytes),
            _ => return Err(Mismatch("text or bytes")),
        },
    })
}

/// Before this no row begins that holds an id.
pub(super) fn before(id: EventId) -> EventId {
    EventId::first_of(id.ts_ms() - SPAN_MS)
}

/// Reads those clicks of a row that are wanted. Of a row that is damaged its first stands for what cannot be read.
fn take(first: EventId, records: &[u8], wanted: &dyn Fn(EventId) -> bool, found: &mut ById<Option<Record>>) {
    let read = packed::open(records, wanted, &mut |id, record| found.insert(id, Some(record)));
    if read.is_err() && wanted(first) {
        found.insert(first, None);
    }
}
