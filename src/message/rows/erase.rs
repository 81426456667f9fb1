//! Takes rows out: those of one recipient, those from before a moment, or all.
//!
//! `SQLite` leaves what it deletes in its page until that is written again, and the platform has no `secure_delete`. So what is
//! erased is overwritten with zeros of the same length first, which happens where it stands. (Pieces that were left where pages had
//! been split are [`super::letters`]' to take away.)

use std::collections::BTreeSet;

use super::Rows;
use super::clicks::before;
use crate::event::pack::{PackRow, Stored};
use crate::message::sql::{Database, Table, Value};
use crate::record::{EventId, Record, packed};

/// Where a pack's objects lie: its number, the time of its first click in Unix milliseconds, and how many they are; 0 where
/// that is not known.
pub(in crate::message) type Place = (u64, i64, usize);

impl<D: Database> Rows<D> {
    /// The rows of clicks that hold a recipient's, by their first ids, and the ids of these clicks. Rows that cannot be read are
    /// counted.
    pub(in crate::message) fn rows_of(
        &self,
        recipient_id: &str,
        ids: &mut BTreeSet<EventId>,
    ) -> Result<(Vec<EventId>, usize), D::Error> {
        let (mut rows, mut unreadable) = (Vec::new(), 0);
        self.query("SELECT first, records FROM batches", Vec::new(), &mut |columns| {
            let (first, records) = (columns.id()?, columns.blob()?);
            let known = ids.len();
            let read = packed::ids_of(&records, recipient_id, &mut |id| _ = ids.insert(id));
            unreadable += usize::from(read.is_err());
            rows.extend((ids.len() > known).then_some(first));
            Ok(())
        })?;
        if self.has(Table::Clicks)? {
            self.query("SELECT event_id, record FROM clicks", Vec::new(), &mut |columns| {
                let (id, record) = (columns.id()?, Record::parse(&columns.text()?));
                unreadable += usize::from(record.is_err());
                let is_theirs = record.is_ok_and(|record| record.recipient_id == recipient_id);
                ids.extend(is_theirs.then_some(id));
                Ok(())
            })?;
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
        self.query(
            "SELECT sent_pack, records FROM batches WHERE first = ?",
            vec![first.into()],
            &mut |columns| {
                (sent_pack, records) = (columns.natural()?, columns.blob()?);
                Ok(())
            },
        )?;
        let mut kept: Vec<(EventId, Record)> = Vec::new();
        if packed::open(&records, keeps, &mut |id, record| kept.push((id, record))).is_err() {
            // It is counted where it is read; to write it again would lose it.
            return Ok(());
        }
        self.write(
            "UPDATE batches SET records = zeroblob(length(records)) WHERE first = ?",
            vec![first.into()],
        )?;
        self.write("DELETE FROM batches WHERE first = ?", vec![first.into()])?;
        let kept: Vec<(EventId, &Record)> = kept.iter().map(|(id, record)| (*id, record)).collect();
        self.insert_clicks(&kept, sent_pack)
    }

    /// Takes the oldest rows of clicks, and what hangs on clicks, out.
    pub(in crate::message) fn remove_events(&self, ids: &BTreeSet<EventId>) -> Result<(), D::Error> {
        for (table, statements) in [
            (
                Table::Clicks,
                &[
                    "UPDATE clicks SET record = zeroblob(length(CAST(record AS BLOB))) WHERE event_id = ?",
                    "DELETE FROM clicks WHERE event_id = ?",
                ][..],
            ),
            (Table::Repeats, &["DELETE FROM repeats WHERE event_id = ?"]),
            (Table::Verifications, &["DELETE FROM verifications WHERE click = ?"]),
            (Table::Presses, &["DELETE FROM presses WHERE event_id = ?"]),
        ] {
            if self.has(table)? {
                for id in ids {
                    for statement in statements {
                        self.write(statement, vec![(*id).into()])?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The numbers of all packs that hold a verdict that somebody wants, by its click and the recipient's short key.
    pub(in crate::message) fn packs_with(
        &self,
        wanted: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Vec<u64>, D::Error> {
        let mut numbers = Vec::new();
        self.pack_keys(i64::MIN, i64::MAX, &mut |number, keys| {
            numbers.extend(wanted(keys).then_some(number))
        })?;
        Ok(numbers)
    }

    /// Where the packs' objects lie, up to a number.
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

    /// Writes a pack again in its place, of so many objects.
    pub(in crate::message) fn rewrite_pack(&self, pack: &PackRow, parts: usize) -> Result<(), D::Error> {
        let (number, body) = (
            pack.number.into(),
            match &pack.body {
                Stored::Json(text) => text.as_str().into(),
                Stored::Bytes(bytes) => Value::Blob(bytes.clone()),
            },
        );
        let zeros = "UPDATE packs SET keys = zeroblob(length(keys)), body = zeroblob(length(CAST(body AS BLOB))) \
                     WHERE number = ?";
        self.write(zeros, vec![pack.number.into()])?;
        let statement = "UPDATE packs SET keys = ?, body = ?, parts = ? WHERE number = ?";
        self.write(statement, vec![Value::Blob(pack.keys.clone()), body, (parts as u64).into(), number])
            .map(|_| ())
    }

    /// Forgets all sums from a pack on, and what they said.
    pub(in crate::message) fn erase_sums(&self, first: u64) -> Result<(), D::Error> {
        self.write(
            "UPDATE sums SET body = zeroblob(length(body)) WHERE first_pack >= ?",
            vec![first.into()],
        )?;
        self.forget_sums(first)
    }

    /// Takes one out of a revisit's recipients; without any it is gone.
    pub(in crate::message) fn put_recipients(&self, number: u64, recipients: &[u64]) -> Result<(), D::Error> {
        if recipients.is_empty() {
            return self.write("DELETE FROM revisits WHERE number = ?", vec![number.into()]).map(|_| ());
        }
        let recipients = Value::Blob(recipients.iter().flat_map(|short| short.to_be_bytes()).collect());
        let statement = "UPDATE revisits SET recipients = ? WHERE number = ?";
        self.write(statement, vec![recipients, number.into()]).map(|_| ())
    }

    /// The id of the last click but for a few seconds; none where there is no click.
    pub(in crate::message) fn last_click(&self) -> Result<Option<EventId>, D::Error> {
        let mut last = None;
        let mut statements = vec!["SELECT last FROM batches ORDER BY first DESC LIMIT 1"];
        if self.has(Table::Clicks)? {
            statements.push("SELECT event_id FROM clicks ORDER BY event_id DESC LIMIT 1");
        }
        for statement in statements {
            self.query(statement, Vec::new(), &mut |columns| {
                last = last.max(Some(columns.id()?));
                Ok(())
            })?;
        }
        Ok(last)
    }

    /// The first click of all.
    pub(in crate::message) fn first_click(&self) -> Result<Option<EventId>, D::Error> {
        let mut first: Option<EventId> = None;
        let mut statements = vec!["SELECT first FROM batches ORDER BY first LIMIT 1"];
        if self.has(Table::Clicks)? {
            statements.push("SELECT event_id FROM clicks ORDER BY event_id LIMIT 1");
        }
        for statement in statements {
            self.query(statement, Vec::new(), &mut |columns| {
                let id = columns.id()?;
                first = Some(first.map_or(id, |first| first.min(id)));
                Ok(())
            })?;
        }
        Ok(first)
    }

    /// Drops every click from before an id, and what hangs on it.
    pub(in crate::message) fn drop_clicks(&self, end: EventId) -> Result<(), D::Error> {
        self.write("DELETE FROM batches WHERE last < ?", vec![end.into()])?;
        let (mut split, statement) = (Vec::new(), "SELECT first FROM batches WHERE first >= ? AND first < ?");
        self.query(statement, vec![before(end).into(), end.into()], &mut |columns| {
            split.push(columns.id()?);
            Ok(())
        })?;
        for first in split {
            self.rewrite_batch(first, &|id| id >= end)?;
        }
        for (table, statement) in [
            (Table::Clicks, "DELETE FROM clicks WHERE event_id < ?"),
            (Table::Repeats, "DELETE FROM repeats WHERE event_id < ?"),
            (Table::Verifications, "DELETE FROM verifications WHERE click < ?"),
            (Table::Presses, "DELETE FROM presses WHERE event_id < ?"),
        ] {
            if self.has(table)? {
                self.write(statement, vec![end.into()])?;
            }
        }
        Ok(())
    }

    /// Drops the packs all of whose clicks are from before a moment, the last one left out: numbers go on behind it. Returns the
    /// numbers of those that hold some from before it.
    pub(in crate::message) fn drop_packs(&self, end_ms: i64, last_pack: u64) -> Result<Vec<u64>, D::Error> {
        let statement = "DELETE FROM packs WHERE last_ms < ? AND number < ?";
        self.write(statement, vec![end_ms.into(), last_pack.into()])?;
        let (mut split, statement) = (Vec::new(), "SELECT number FROM packs WHERE first_ms < ?");
        self.query(statement, vec![end_ms.into()], &mut |columns| {
            split.push(columns.natural()?);
            Ok(())
        })?;
        Ok(split)
    }

    /// The number of the first pack that is there; 1 where there is none.
    pub(in crate::message) fn first_pack(&self) -> Result<u64, D::Error> {
        let mut first = 1;
        self.query("SELECT number FROM packs ORDER BY number LIMIT 1", Vec::new(), &mut |columns| {
            first = columns.natural()?;
            Ok(())
        })?;
        Ok(first)
    }

    /// Takes the message out, letters left out: what is asked for next finds none.
    pub(in crate::message) fn wipe(&self) -> Result<(), D::Error> {
        let optional = Table::ALL.map(Table::name);
        for table in optional.into_iter().chain(["packs", "batches", "message"]) {
            self.write(&format!("DROP TABLE IF EXISTS {table}"), Vec::new())?;
        }
        Ok(())
    }
}
