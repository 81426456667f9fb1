//! A message's rows: what is asked of the database, one method a question.
//!
//! Rows written are the price ($1 a million), so clicks that come together are one row, which is never updated, and
//! everything else is packed.
//! Every call is synchronous and belongs to one transaction with all that its message's call does.
//!
//! A row with a column of another type than the schema says is damaged. It is set aside, which is to say that it is passed over and
//! counted: one row is never the end of a message. What that means for each table is in [`super::mend`].
//!
//! Here are the message's own row and what all questions share; [`clicks`] has clicks and packs, [`later`] what becomes known
//! of them afterwards, [`sums`] what they come to, [`damaged`] packs that are not as they were written, [`shard`] what one of several
//! objects knows of itself; [`erase`] takes rows out, [`weeks`] are tables that go as a whole, [`letters`] are what waits beside them. [`messages`] are the list's.

mod clicks;
mod damaged;
mod erase;
mod later;
mod letters;
mod messages;
mod shard;
mod sums;
mod week;
mod weeks;

use std::cell::{Cell, RefCell};

use super::sql::{Columns, Database, Mismatch, SCHEMA, Table, UPGRADE_TO_3, UPGRADE_TO_4, VERSION, Value};

pub(super) use clicks::SPAN_MS;
pub(super) use later::Revisit;
pub(super) use shard::VIEW;
pub(super) use sums::Span;

/// Parameters that one statement may bind (Durable Objects limits, 2026-11).
const MAX_PARAMETERS: usize = 100;

/// What a message keeps about itself: one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    /// The object's name: the message's id, with its shard behind `#` from the second shard on.
    pub name: String,
    /// The last pack that the queue is known to have taken; 0 before the first. It may have taken more since.
    pub sent_pack: u64,
    /// The packs that leave once more, from and to (both included).
    pub again: (u64, u64),
    /// How often in a row the queue has refused.
    pub failures: u32,
    /// Not before this moment is the next try, Unix milliseconds.
    pub retry_at_ms: i64,
    /// The time of the oldest unsettled click that came late; `i64::MAX` when there is none.
    pub late_from_ms: i64,
    /// When it was made, Unix milliseconds; 0 where a version before 4 made it.
    pub began_ms: i64,
    /// Clicks from before this moment have been dropped, Unix milliseconds; 0 where none was.
    pub kept_from_ms: i64,
}

/// What is known of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    NotThere,
    Empty,
    Filled,
}

/// The rows, in whatever runs `SQLite`.
pub struct Rows<D> {
    db: D,
    /// Of the tables that not every message has, once one has been asked for: most have none, and every click would ask.
    tables: Cell<Option<[Known; Table::ALL.len()]>>,
    /// The tables of closed weeks, in their order, as of then.
    closed: RefCell<Vec<String>>,
    /// What tells the rows apart that were set aside, in its order.
    aside: RefCell<Vec<u64>>,
    /// The first pack that could not be added up; 0 where there was none.
    pub(super) broken: Cell<u64>,
    /// What was found of packs, each once, and how much of it is told.
    notes: RefCell<Vec<String>>,
    told: Cell<usize>,
}

impl<D: Database> Rows<D> {
    pub(super) fn new(db: D) -> Self {
        Self {
            db,
            tables: Cell::new(None),
            closed: RefCell::default(),
            aside: RefCell::default(),
            broken: Cell::default(),
            notes: RefCell::default(),
            told: Cell::default(),
        }
    }

    /// Where they are.
    pub fn db(&self) -> &D {
        &self.db
    }

    fn write(&self, statement: &str, values: Vec<Value>) -> Result<usize, D::Error> {
        self.db.run(statement, values, &mut |_| Ok(()))
    }

    /// Asks for rows. One that whoever takes it cannot read is set aside, and the next is taken.
    fn query(
        &self,
        statement: &str,
        values: Vec<Value>,
        each: &mut dyn FnMut(&mut Columns) -> Result<(), Mismatch>,
    ) -> Result<(), D::Error> {
        let take = &mut |columns: &mut Columns| {
            if each(columns).is_err() {
                self.set_aside(columns);
            }
            Ok(())
        };
        self.db.run(statement, values, take).map(|_| ())
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

    fn known(&self) -> Result<[Known; Table::ALL.len()], D::Error> {
        if let Some(tables) = self.tables.get() {
            return Ok(tables);
        }
        let mut tables = [Known::NotThere; Table::ALL.len()];
        let (mut closed, statement) =
            (Vec::new(), "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
        self.query(statement, Vec::new(), &mut |columns| {
            let name = columns.text()?;
            for table in Table::ALL.into_iter().filter(|table| table.name() == name) {
                tables[table as usize] = Known::Empty;
            }
            closed.extend(week::end_ms(&name).map(|_| name));
            Ok(())
        })?;
        for table in Table::ALL {
            let known = &mut tables[table as usize];
            let any = format!("SELECT 1 FROM {} LIMIT 1", table.name());
            let is_closed = |week: &String| week.starts_with(table.name());
            if *known == Known::Empty && (closed.iter().any(is_closed) || self.has_any(&any)?) {
                *known = Known::Filled;
            }
        }
        self.closed.replace(closed);
        self.tables.set(Some(tables));
        Ok(tables)
    }

    /// Whether a table has, or had, a row.
    fn has(&self, table: Table) -> Result<bool, D::Error> {
        Ok(self.known()?[table as usize] == Known::Filled)
    }

    /// Sees to it that a table is there for a row.
    fn make(&self, table: Table) -> Result<(), D::Error> {
        let mut tables = self.known()?;
        if tables[table as usize] == Known::NotThere {
            self.write(table.statements(), Vec::new())?;
        }
        tables[table as usize] = Known::Filled;
        self.tables.set(Some(tables));
        Ok(())
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
        if !self.has_any("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'message'")? {
            return Ok(None);
        }
        // The table of schema 3 is there or not, whatever the row says.
        let is_old = !self.has_any("SELECT 1 FROM sqlite_master WHERE name = 'batches'")?;
        let mut found = if is_old { VERSION - 1 } else { VERSION };
        self.query("SELECT schema FROM message", Vec::new(), &mut |columns| {
            found = columns.natural()?;
            Ok(())
        })?;
        if found > VERSION {
            return Err(Mismatch("a schema that is known here, not one of a later version").into());
        }
        if found < 3 {
            self.write(UPGRADE_TO_3, Vec::new())?;
        }
        if found < VERSION {
            for statement in UPGRADE_TO_4 {
                self.write(statement, Vec::new())?;
            }
            self.write("UPDATE message SET schema = ?", vec![VERSION.into()])?;
        }
        let mut meta = None;
        let row = "SELECT name, sent_pack, failures, retry_at_ms, late_from_ms, again_pack, again_to_pack, \
                   began_ms, kept_from_ms FROM message WHERE typeof(schema) = 'integer'";
        self.query(row, Vec::new(), &mut |columns| {
            meta = Some(Meta {
                name: columns.text()?,
                sent_pack: columns.natural()?,
                failures: u32::try_from(columns.natural()?).unwrap_or(u32::MAX),
                retry_at_ms: columns.integer()?,
                late_from_ms: columns.number()?.unwrap_or(i64::MAX),
                again: (columns.natural()?, columns.natural()?),
                began_ms: columns.integer()?,
                kept_from_ms: columns.integer()?,
            });
            Ok(())
        })?;
        if meta.is_none() {
            // What has left leaves once more, and what came late is looked for from the beginning.
            self.put_meta(&Meta::default())?;
        }
        Ok(Some(meta.unwrap_or_default()))
    }

    /// Creates the schema and the message's own row.
    pub(super) fn create(&self, meta: &Meta) -> Result<(), D::Error> {
        self.write(SCHEMA, Vec::new())?;
        self.put_meta(meta)
    }

    pub(super) fn put_meta(&self, meta: &Meta) -> Result<(), D::Error> {
        let late = meta.late_from_ms;
        let values = vec![
            VERSION.into(),
            meta.name.as_str().into(),
            meta.sent_pack.into(),
            u64::from(meta.failures).into(),
            meta.retry_at_ms.into(),
            if late == i64::MAX { Value::Null } else { late.into() },
            meta.again.0.into(),
            meta.again.1.into(),
            meta.began_ms.into(),
            meta.kept_from_ms.into(),
        ];
        self.write("INSERT OR REPLACE INTO message VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            .map(|_| ())
    }
}

/// Values to bind, of ids or numbers.
fn values<T: Copy + Into<Value>>(items: &[T]) -> Vec<Value> {
    items.iter().map(|item| (*item).into()).collect()
}
