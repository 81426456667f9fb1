//! Takes rows out: those of one recipient, those from before a moment, or all.

use super::super::by_id::Ids;
use super::Rows;
use super::clicks::before;
use crate::message::sql::{Database, Table, Value};
use crate::record::{EventId, Record, packed};

/// Where a pack's objects lie: its number, the time of its first click in Unix milliseconds, and how many they are; 0 where
/// that is not known.
pub(in crate::message) type Place = (u64, i64, usize);

impl<D: Database> Rows<D> {
    /// What a statement finds, an id a row.
    fn ids(&self, statement: &str, values: &[Value]) -> Result<Vec<EventId>, D::Error> {
        let mut ids = Vec::new();
        self.query_weeks(statement, i64::MIN, values, &mut |columns| {
            ids.push(columns.id()?);
            Ok(())
        })?;
        Ok(ids)
    }

    /// What a statement finds, a number a row.
    pub(super) fn numbers(&self, statement: &str, values: Vec<Value>) -> Result<Vec<u64>, D::Error> {
        let mut numbers = Vec::new();
        self.query(statement, values, &mut |columns| {
            numbers.push(columns.natural()?);
            Ok(())
        })?;
        Ok(numbers)
    }

    /// Runs those of some statements whose tables have rows, each with one value.
    fn write_each(&self, statements: &[(Table, &str)], value: EventId) -> Result<(), D::Error> {
        for (table, statement) in statements {
            if self.has(*table)? {
                self.write_weeks(statement, value)?;
            }
        }
        Ok(())
    }

    /// The rows of clicks that hold a recipient's, by their first ids; the ids of these clicks are added to `ids`. Rows that cannot
    /// be read are counted.
    pub(in crate::message) fn rows_of(
        &self,
        recipient_id: &str,
        ids: &mut Ids,
    ) -> Result<(Vec<EventId>, usize), D::Error> {
        let (mut rows, mut unreadable) = (Vec::new(), 0);
        self.query_weeks("SELECT first, records FROM batches", i64::MIN, &[], &mut |columns| {
            let (first, records) = (columns.id()?, columns.blob()?);
            let known = ids.len();
            if packed::ids_of(&records, recipient_id, &mut |id| _ = ids.insert(id)).is_err() {
                unreadable += 1;
            }
            if ids.len() > known {
                rows.push(first);
            }
            Ok(())
        })?;
        if self.has(Table::Clicks)? {
            // An id has no character that JSON would write in another way.
            let field = format!("\"recipient_id\":\"{recipient_id}\"");
            let statement = "SELECT event_id FROM clicks WHERE instr(record, ?) > 0";
            for id in self.ids(statement, &[field.as_str().into()])? {
                ids.insert(id);
            }
        }
        Ok((rows, unreadable))
    }

    /// Writes a row of clicks again without those that nobody keeps.
    pub(in crate::message) fn rewrite_batch(
        &self,
        first: EventId,
        keeps: &dyn Fn(EventId) -> bool,
    ) -> Result<(), D::Error> {
        let (mut sent_pack, mut records) = (0, Vec::new());
        let statement = "SELECT sent_pack, records FROM batches WHERE first = ?";
        self.query_weeks(statement, first.ts_ms(), &[first.into()], &mut |columns| {
            (sent_pack, records) = (columns.natural()?, columns.blob()?);
            Ok(())
        })?;
        let mut kept: Vec<(EventId, Record)> = Vec::new();
        if packed::open(&records, keeps, &mut |id, record| kept.push((id, record))).is_err() {
            // It is counted where it is read; to write it again would lose it.
            return Ok(());
        }
        self.write_weeks("DELETE FROM batches WHERE first = ?", first)?;
        let mut left = Vec::new();
        for (id, record) in &kept {
            left.push((*id, record));
        }
        self.insert_clicks(&left, sent_pack)
    }

    /// Takes the oldest rows of clicks, and what hangs on clicks, out.
    pub(in crate::message) fn remove_events(&self, ids: &Ids) -> Result<(), D::Error> {
        let statements = [
            (Table::Clicks, "DELETE FROM clicks WHERE event_id = ?"),
            (Table::Repeats, "DELETE FROM repeats WHERE event_id = ?"),
            (Table::Verifications, "DELETE FROM verifications WHERE click = ?"),
            (Table::Presses, "DELETE FROM presses WHERE event_id = ?"),
        ];
        ids.iter().try_for_each(|id| self.write_each(&statements, *id))
    }

    /// Where the packs' objects lie, from a number to another, both included.
    pub(in crate::message) fn places(&self, from: u64, last: u64) -> Result<Vec<Place>, D::Error> {
        let mut places = Vec::new();
        let statement =
            "SELECT number, first_ms, parts FROM packs WHERE number >= ? AND number <= ? ORDER BY number";
        self.query(statement, vec![from.into(), last.into()], &mut |columns| {
            let (number, first_ms, parts) = (columns.natural()?, columns.integer()?, columns.natural()?);
            places.push((number, first_ms, usize::try_from(parts).unwrap_or_default()));
            Ok(())
        })?;
        Ok(places)
    }

    /// How many objects a pack is; 0 where that is not known.
    pub(in crate::message) fn parts(&self, number: u64) -> Result<usize, D::Error> {
        let statement = "SELECT CAST(parts AS INTEGER) FROM packs WHERE number = ?";
        let parts = self.numbers(statement, vec![number.into()])?;
        Ok(parts.first().map_or(0, |parts| usize::try_from(*parts).unwrap_or_default()))
    }

    /// The first click of all; none where there is none.
    pub(in crate::message) fn first_click(&self) -> Result<Option<EventId>, D::Error> {
        let [batches, clicks] = [
            "SELECT first FROM batches ORDER BY first LIMIT 1",
            "SELECT event_id FROM clicks ORDER BY event_id LIMIT 1",
        ];
        let ids = self.outermost(batches, clicks)?;
        Ok(ids.iter().min().copied())
    }

    /// The last click but for a few seconds; none where there is none.
    pub(in crate::message) fn last_click(&self) -> Result<Option<EventId>, D::Error> {
        let [batches, clicks] = [
            "SELECT last FROM batches ORDER BY first DESC LIMIT 1",
            "SELECT event_id FROM clicks ORDER BY event_id DESC LIMIT 1",
        ];
        let ids = self.outermost(batches, clicks)?;
        Ok(ids.iter().max().copied())
    }

    fn outermost(&self, batches: &str, clicks: &str) -> Result<Vec<EventId>, D::Error> {
        let mut ids = self.ids(batches, &[])?;
        if self.has(Table::Clicks)? {
            ids.append(&mut self.ids(clicks, &[])?);
        }
        Ok(ids)
    }

    /// Drops every click from before an id, and what hangs on it.
    pub(in crate::message) fn drop_clicks(&self, end: EventId) -> Result<(), D::Error> {
        self.drop_weeks(end.ts_ms())?;
        self.write_weeks("DELETE FROM batches WHERE last < ?", end)?;
        let statement = "SELECT first FROM batches WHERE first >= ? AND first < ?";
        for first in self.ids(statement, &[before(end).into(), end.into()])? {
            self.rewrite_batch(first, &|id| id >= end)?;
        }
        let statements = [
            (Table::Clicks, "DELETE FROM clicks WHERE event_id < ?"),
            (Table::Repeats, "DELETE FROM repeats WHERE event_id < ?"),
            (Table::Verifications, "DELETE FROM verifications WHERE click < ?"),
            (Table::Presses, "DELETE FROM presses WHERE event_id < ?"),
        ];
        self.write_each(&statements, end)
    }

    /// Drops the packs before the first one that holds a later click than a moment's, or is the last: numbers go on behind it, and what
    /// is between packs is lost. Returns the numbers of those that hold some from before the moment.
    pub(in crate::message) fn drop_packs(&self, end_ms: i64, last_pack: u64) -> Result<Vec<u64>, D::Error> {
        let statement = "DELETE FROM packs WHERE number < \
                         (SELECT min(number) FROM packs WHERE last_ms >= ? OR number = ?)";
        self.write(statement, vec![end_ms.into(), last_pack.into()])?;
        self.numbers("SELECT number FROM packs WHERE first_ms < ?", vec![end_ms.into()])
    }

    /// The number of the first pack that is there; 1 where there is none.
    pub(in crate::message) fn first_pack(&self) -> Result<u64, D::Error> {
        let first = self.numbers("SELECT number FROM packs ORDER BY number LIMIT 1", Vec::new())?;
        Ok(first.first().copied().unwrap_or(1))
    }

    /// Takes the message out, letters left out: what is asked for next finds none.
    pub(in crate::message) fn wipe(&self) -> Result<(), D::Error> {
        self.drop_weeks(i64::MAX)?;
        for table in Table::ALL {
            self.drop_table(table.name())?;
        }
        self.tables.set(None);
        ["packs", "batches", "message"].iter().try_for_each(|table| self.drop_table(table))
    }

    pub(super) fn drop_table(&self, name: &str) -> Result<(), D::Error> {
        self.write(&format!("DROP TABLE IF EXISTS {name}"), Vec::new()).map(|_| ())
    }
}
