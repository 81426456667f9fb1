//! Tables of a week: what a message that never ends writes for its clicks goes by whole tables, for which no row is written.
//!
//! A click that came late stands in a later table than its time's. Statements name the open table ([`super::week`]); each closed one is
//! asked the same before it, the oldest first.

use super::Rows;
use super::week::{WEEKLY, end_ms, of_week, open_of};
use crate::message::sql::{Columns, Database, Mismatch, Value};
use crate::record::EventId;

impl<D: Database> Rows<D> {
    /// The closed weeks of the table that a statement names, those alone that have clicks from a moment on, Unix milliseconds, the
    /// oldest first; then the table.
    pub(super) fn weeks(&self, statement: &str, from_ms: i64) -> Result<Vec<String>, D::Error> {
        self.known()?;
        let open = open_of(statement);
        let mut weeks = self.closed.borrow().clone();
        weeks.retain(|week| open_of(week) == open && end_ms(week) > Some(from_ms));
        weeks.push(open.to_owned());
        Ok(weeks)
    }

    /// Asks each week of the table that a statement names, from a moment on, Unix milliseconds.
    pub(super) fn query_weeks(
        &self,
        statement: &str,
        from_ms: i64,
        values: &[Value],
        each: &mut dyn FnMut(&mut Columns) -> Result<(), Mismatch>,
    ) -> Result<(), D::Error> {
        for week in self.weeks(statement, from_ms)? {
            self.query(&of_week(statement, &week), values.to_vec(), each)?;
        }
        Ok(())
    }

    /// Runs a statement on each week of the table that it names.
    pub(super) fn write_weeks(&self, statement: &str, value: EventId) -> Result<(), D::Error> {
        for week in self.weeks(statement, i64::MIN)? {
            self.write(&of_week(statement, &week), vec![value.into()])?;
        }
        Ok(())
    }

    /// The moments that closed weeks of clicks end at, ascending, Unix milliseconds.
    pub(in crate::message) fn week_ends(&self) -> Result<Vec<i64>, D::Error> {
        Ok(self.weeks(WEEKLY[0], i64::MIN)?.iter().filter_map(|week| end_ms(week)).collect())
    }

    /// Closes the tables that are written to. All of their clicks must lie before that moment, Unix milliseconds.
    pub(in crate::message) fn close_week(&self, end_ms: i64) -> Result<(), D::Error> {
        for open in WEEKLY {
            let mut made = None;
            let statement = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?";
            self.query(statement, vec![open.into()], &mut |columns| {
                made = Some(columns.text()?);
                Ok(())
            })?;
            if let Some(made) = made {
                self.write(&format!("ALTER TABLE {open} RENAME TO {open}_{end_ms}"), Vec::new())?;
                self.write(&made, Vec::new())?;
            }
        }
        self.tables.set(None);
        Ok(())
    }

    /// Drops the closed weeks that end at a moment or before it, Unix milliseconds.
    pub(super) fn drop_weeks(&self, until_ms: i64) -> Result<(), D::Error> {
        for open in WEEKLY {
            for week in self.weeks(open, i64::MIN)? {
                if end_ms(&week).is_some_and(|end_ms| end_ms <= until_ms) {
                    self.drop_table(&week)?;
                }
            }
        }
        self.tables.set(None);
        Ok(())
    }
}
