//! A message's rows: what is asked of the database, one method a question.
//!
//! Rows written are the price ($1 a million), so a click is inserted once and never updated, and everything else is packed.
//! Every call is synchronous and belongs to one transaction with all that its message's call does.
//!
//! Here are the message's own row and what all questions share; [`clicks`] has clicks and packs, [`later`] what becomes known
//! of them afterwards.

mod clicks;
mod later;

use std::cell::Cell;

use super::sql::{Columns, Database, Mismatch, SCHEMA, VERSION, Value};

pub(super) use later::Revisit;

/// Parameters that one statement may bind (Durable Objects limits, 2026-11).
const MAX_PARAMETERS: usize = 100;

/// What a message keeps about itself: one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    /// The object's name: the message's id, with its shard behind `#` from the second shard on.
    pub name: String,
    /// The last pack that the queue has taken; 0 before the first.
    pub sent_pack: u64,
    /// How often in a row the queue has refused.
    pub failures: u32,
    /// Not before this moment is the next try, Unix milliseconds.
    pub retry_at_ms: i64,
    /// The time of the oldest unsettled click that came late; `i64::MAX` when there is none.
    pub late_from_ms: i64,
}

/// The rows, in whatever runs `SQLite`.
pub struct Rows<D> {
    db: D,
    /// Whether there are delivery times, and verifications: most messages have none, and every click would ask.
    has_deliveries: Cell<Option<bool>>,
    has_verifications: Cell<Option<bool>>,
}

impl<D: Database> Rows<D> {
    pub(super) fn new(db: D) -> Self {
        Self { db, has_deliveries: Cell::new(None), has_verifications: Cell::new(None) }
    }

    /// Where they are.
    pub fn db(&self) -> &D {
        &self.db
    }

    fn write(&self, statement: &str, values: Vec<Value>) -> Result<usize, D::Error> {
        self.db.run(statement, values, &mut |_| Ok(()))
    }

    fn query(
        &self,
        statement: &str,
        values: Vec<Value>,
        each: &mut dyn FnMut(&mut Columns) -> Result<(), Mismatch>,
    ) -> Result<(), D::Error> {
        self.db.run(statement, values, &mut |columns| Ok(each(columns)?)).map(|_| ())
    }

    /// A query for rows with one of many values: `{marks}` in the statement stands for them.
    fn query_any(
        &self,
        statement: &str,
        mut values: Vec<Value>,
        each: &mut dyn FnMut(&mut Columns) -> Result<(), Mismatch>,
    ) -> Result<(), D::Error> {
        while !values.is_empty() {
            let rest = values.split_off(values.len().min(MAX_PARAMETERS));
            let marks = vec!["?"; values.len()].join(", ");
            self.query(&statement.replace("{marks}", &marks), std::mem::replace(&mut values, rest), each)?;
        }
        Ok(())
    }

    fn has_table(&self, name: &str) -> Result<bool, D::Error> {
        let mut there = false;
        let statement = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?";
        self.query(statement, vec![name.into()], &mut |_| {
            there = true;
            Ok(())
        })?;
        Ok(there)
    }

    fn has_any(&self, statement: &str) -> Result<bool, D::Error> {
        let mut there = false;
        self.query(statement, Vec::new(), &mut |_| {
            there = true;
            Ok(())
        })?;
        Ok(there)
    }

    /// The message's own row, in this version's schema; `None`, and nothing created, when there is no such message.
    pub(super) fn meta(&self) -> Result<Option<Meta>, D::Error> {
        if !self.has_table("message")? {
            return Ok(None);
        }
        let (mut meta, mut found) = (None, VERSION);
        let row = "SELECT schema, name, sent_pack, failures, retry_at_ms, late_from_ms FROM message";
        self.query(row, Vec::new(), &mut |columns| {
            found = usize::try_from(columns.natural()?).unwrap_or(usize::MAX);
            if found > VERSION {
                return Err(Mismatch("a schema that is known here, not one of a later version"));
            }
            meta = Some(Meta {
                name: columns.text()?,
                sent_pack: columns.natural()?,
                failures: u32::try_from(columns.natural()?).unwrap_or(u32::MAX),
                retry_at_ms: columns.integer()?,
                late_from_ms: columns.number()?.unwrap_or(i64::MAX),
            });
            Ok(())
        })?;
        if found < VERSION {
            self.migrate(found)?;
            self.write("UPDATE message SET schema = ?", vec![(VERSION as u64).into()])?;
        }
        Ok(meta)
    }

    fn migrate(&self, from: usize) -> Result<(), D::Error> {
        SCHEMA.iter().skip(from).try_for_each(|statements| self.write(statements, Vec::new()).map(|_| ()))
    }

    /// Creates the schema and the message's own row.
    pub(super) fn create(&self, meta: &Meta) -> Result<(), D::Error> {
        self.migrate(0)?;
        self.put_meta(meta)
    }

    pub(super) fn put_meta(&self, meta: &Meta) -> Result<(), D::Error> {
        let late = meta.late_from_ms;
        let values = vec![
            (VERSION as u64).into(),
            meta.name.as_str().into(),
            meta.sent_pack.into(),
            u64::from(meta.failures).into(),
            meta.retry_at_ms.into(),
            if late == i64::MAX { Value::Null } else { late.into() },
        ];
        self.write("INSERT OR REPLACE INTO message VALUES (1, ?, ?, ?, ?, ?, ?)", values).map(|_| ())
    }
}

/// Values to bind, of ids or numbers.
fn values<T: Copy + Into<Value>>(items: &[T]) -> Vec<Value> {
    items.iter().map(|item| (*item).into()).collect()
}
