//! Clicks, and the packs that their verdicts stand in.
//!
//! A row of clicks ([`packed`]) spans at most [`SPAN_MS`], and its key is its first id: the clicks of some time are found by
//! the key alone. Rows overlap where clicks came late. Of an object of schema 2 those that it had are rows of their own.

use super::super::by_id::Ids;
use super::week::of_week;
use super::{Rows, values};
use crate::event::pack::{self, PackRow, Stored};
use crate::message::by_id::ById;
use crate::message::sql::{Columns, Database, Mismatch, Table, Value};
use crate::record::{EventId, Record, packed};

/// The longest time between the first and the last click of a row, milliseconds.
pub(in crate::message) const SPAN_MS: i64 = 10_000;

/// So many bytes of records may become one row before they are packed: it stays far below the 2 MB of a value.
const MAX_ROW_BYTES: usize = 1_000_000;

/// That a row of clicks reaches an id. One whose last id is damaged may.
const REACHES: &str = "(last >= ? OR last < x'' OR length(last) <> 16)";

/// That a pack has clicks between two moments, the end first. One whose times are damaged may.
const TOUCHES: &str =
    "(last_ms >= ? AND first_ms <= ? OR typeof(last_ms) <> 'integer' OR typeof(first_ms) <> 'integer')";

/// The most rows that are read at once where clicks are asked for in order.
const MAX_ROWS: usize = 16;

/// The most records that are held at once where clicks are asked for by their ids.
const MOST_READ: usize = 1_024;

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
        self.query_weeks(statement, i64::MIN, &[], &mut |columns| {
            sent = columns.natural()?.max(sent);
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
        let statement = format!(
            "SELECT first, records FROM batches WHERE first >= ? AND first < ? AND {REACHES} ORDER BY first LIMIT ?"
        );
        let values = [before(from).into(), until.into(), from.into(), (rows as u64).into()];
        let mut end = until;
        for week in self.weeks(&statement, from.ts_ms())? {
            let (mut read, mut last) = (0, from);
            self.query(&of_week(&statement, &week), values.to_vec(), &mut |columns| {
                read += 1;
                last = columns.id()?;
                take(last, columns, &|id| from <= id && id < until, found)
            })?;
            if read >= rows {
                end = end.min(last.max(from));
            }
        }
        Ok(end)
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
            read += 1;
            last = columns.id()?;
            let record = columns.text().ok().and_then(|text| Record::parse(&text).ok());
            let is_read = record.is_some();
            found.insert(last, record);
            if is_read { Ok(()) } else { Err(Mismatch("a record")) }
        })?;
        Ok(if read < MOST { until } else { last.successor() })
    }

    /// Hands over the clicks of these ids, in any order; an id that is not there is left out.
    pub(in crate::message) fn clicks_by_id(&self, ids: &[EventId], each: Each) -> Result<(), D::Error> {
        let mut wanted = Ids::default();
        wanted.extend(ids.iter().copied());
        let mut runs: Vec<(EventId, EventId, usize)> = Vec::new();
        for id in wanted.iter() {
            match runs.last_mut() {
                // What lies between is read in any case.
                Some((_, last, count)) if id.ts_ms() - last.ts_ms() <= SPAN_MS && *count < MOST_READ => {
                    (*last, *count) = (*id, *count + 1);
                }
                _ => runs.push((*id, *id, 1)),
            }
        }
        let statement =
            format!("SELECT first, last, records FROM batches WHERE first >= ? AND first <= ? AND {REACHES}");
        for (from, until, _) in runs {
            let mut found = ById::default();
            let values = [before(from).into(), until.into(), from.into()];
            self.query_weeks(&statement, from.ts_ms(), &values, &mut |columns| {
                let first = columns.id()?;
                let last = columns.id().unwrap_or(until);
                if first <= last && wanted.range(first..=last).next().is_some() {
                    take(first, columns, &|id| wanted.contains(&id), &mut found)?;
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
        self.query_any(statement, values(&wanted.to_vec()), &mut |columns| {
            let (id, text) = (columns.id()?, columns.text());
            each(id, text.ok().and_then(|text| Record::parse(&text).ok()));
            Ok(())
        })
    }

    /// Writes a pack that is so many objects of R2, in place of one that has its number.
    pub(in crate::message) fn put_pack(&self, pack: &PackRow, parts: usize) -> Result<(), D::Error> {
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
        self.write("INSERT OR REPLACE INTO packs VALUES (?, ?, ?, ?, ?, ?, ?)", values).map(|_| ())
    }

    /// Hands over the packs whose clicks lie between two moments (both included), in order of their number.
    pub(in crate::message) fn packs(
        &self,
        from_ms: i64,
        until_ms: i64,
        each: &mut dyn FnMut(PackRow),
    ) -> Result<(), D::Error> {
        let statement = format!("SELECT * FROM packs WHERE {TOUCHES} ORDER BY number");
        self.query(&statement, vec![from_ms.into(), until_ms.into()], &mut |columns| {
            pack(columns).into_iter().for_each(&mut *each);
            Ok(())
        })
    }

    pub(in crate::message) fn pack(&self, number: u64) -> Result<Option<PackRow>, D::Error> {
        let mut found = None;
        self.query("SELECT * FROM packs WHERE number = ?", vec![number.into()], &mut |columns| {
            found = pack(columns).ok();
            Ok(())
        })?;
        Ok(found)
    }

    /// Number of the last pack, before which moment all is settled, and the time of the earliest click. Packs say no earlier moment
    /// than those before them.
    pub(in crate::message) fn pack_bounds(&self) -> Result<Option<(u64, i64, i64)>, D::Error> {
        let statement = "SELECT max(number), max(CASE typeof(open_from_ms) WHEN 'integer' THEN open_from_ms END), \
                         min(CASE typeof(first_ms) WHEN 'integer' THEN first_ms END) FROM packs";
        let mut bounds = None;
        self.query(statement, Vec::new(), &mut |columns| {
            let (last, open_from_ms, oldest_ms) = (columns.number()?, columns.number()?, columns.number()?);
            let last = last.and_then(|last| u64::try_from(last).ok());
            bounds = last.map(|last| (last, open_from_ms.unwrap_or_default(), oldest_ms.unwrap_or_default()));
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
        let statement = format!("SELECT number, keys FROM packs WHERE {TOUCHES} ORDER BY number");
        self.query(&statement, vec![from_ms.into(), until_ms.into()], &mut |columns| {
            let number = columns.natural()?;
            columns.blob().into_iter().for_each(|keys| each(number, &keys));
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
            columns.blob().into_iter().for_each(|keys| each(&keys));
            Ok(())
        })
    }
}

/// Reads a pack. Damaged times are those of its keys, and it says nothing of what was settled.
fn pack(columns: &mut Columns) -> Result<PackRow, Mismatch> {
    let number = columns.natural()?;
    let (first_ms, last_ms, open_from_ms) = (columns.integer(), columns.integer(), columns.integer());
    let keys = columns.blob()?;
    let (first, last) = pack::times(&keys);
    Ok(PackRow {
        number,
        first_ms: first_ms.unwrap_or(first),
        last_ms: last_ms.unwrap_or(last),
        open_from_ms: open_from_ms.unwrap_or_default(),
        keys,
        body: match columns.value() {
            Some(Value::Text(text)) => Stored::Json(text),
            Some(Value::Blob(bytes)) => Stored::Bytes(bytes),
            // Nothing is no body.
            _ => Stored::Bytes(Vec::new()),
        },
    })
}

/// Before this no row begins that holds an id.
pub(super) fn before(id: EventId) -> EventId {
    EventId::first_of(id.ts_ms() - SPAN_MS)
}

/// Reads those clicks of a row that are wanted, of which its id is read already. Of a row that is damaged its first stands for what
/// cannot be read.
fn take(
    first: EventId,
    columns: &mut Columns,
    wanted: &dyn Fn(EventId) -> bool,
    found: &mut ById<Option<Record>>,
) -> Result<(), Mismatch> {
    let put = &mut |id, record| found.insert(id, Some(record));
    let read = columns
        .blob()
        .and_then(|records| packed::open(&records, wanted, put).map_err(|_| Mismatch("records")));
    if read.is_err() && wanted(first) {
        found.insert(first, None);
    }
    read
}
