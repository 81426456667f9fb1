//! Clicks, and the packs that their verdicts stand in.

use super::{Rows, values};
use crate::event::pack::PackRow;
use crate::message::sql::{Columns, Database, Mismatch, Value};
use crate::record::EventId;

impl<D: Database> Rows<D> {
    /// Adds a click; `false` and no change when its id is there.
    pub(in crate::message) fn insert_click(&self, id: EventId, record: &str) -> Result<bool, D::Error> {
        // What was written says whether it was new: to return a row and read it costs a seventh of a click.
        let statement = "INSERT INTO clicks VALUES (?, ?) ON CONFLICT DO NOTHING";
        Ok(self.write(statement, vec![id.into(), record.into()])? > 0)
    }

    /// Hands over the clicks from an id on, up to but without another, oldest first, at most `limit`.
    pub(in crate::message) fn clicks(
        &self,
        from: EventId,
        until: EventId,
        limit: usize,
        each: &mut dyn FnMut(EventId, String),
    ) -> Result<(), D::Error> {
        let statement = "SELECT event_id, record FROM clicks WHERE event_id >= ? AND event_id < ? ORDER BY event_id LIMIT ?";
        let values = vec![from.into(), until.into(), (limit as u64).into()];
        self.query(statement, values, &mut |columns| {
            each(columns.id()?, columns.text()?);
            Ok(())
        })
    }

    /// Hands over the clicks of these ids, in any order; an id that is not there is left out.
    pub(in crate::message) fn clicks_by_id(
        &self,
        ids: &[EventId],
        each: &mut dyn FnMut(EventId, String),
    ) -> Result<(), D::Error> {
        let statement = "SELECT event_id, record FROM clicks WHERE event_id IN ({marks})";
        self.query_any(statement, values(ids), &mut |columns| {
            each(columns.id()?, columns.text()?);
            Ok(())
        })
    }

    pub(in crate::message) fn insert_pack(&self, pack: &PackRow) -> Result<(), D::Error> {
        let values = vec![
            pack.number.into(),
            pack.first_ms.into(),
            pack.last_ms.into(),
            pack.open_from_ms.into(),
            Value::Blob(pack.keys.clone()),
            pack.body.as_str().into(),
        ];
        self.write("INSERT INTO packs VALUES (?, ?, ?, ?, ?, ?)", values).map(|_| ())
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
        body: columns.text()?,
    })
}
