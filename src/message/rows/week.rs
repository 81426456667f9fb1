//! How a week's table is called. The table that is written to bears its name alone. Now and then it is closed: from then on it is called
//! by the moment before which all of its clicks lie, as `batches_1795348800000`, and another is made.

use crate::message::sql::Table;

/// The tables that weeks are closed of.
pub(super) const WEEKLY: [&str; 2] = ["batches", Table::Verifications.name()];

/// The open table that a statement, or a week, is of; none where it has no weeks.
pub(super) fn open_of(statement: &str) -> &'static str {
    WEEKLY.into_iter().find(|open| statement.contains(open)).unwrap_or_default()
}

/// The moment that a closed week ends at, Unix milliseconds; `None` of any other table.
pub(super) fn end_ms(table: &str) -> Option<i64> {
    table.strip_prefix(open_of(table))?.strip_prefix('_')?.parse().ok()
}

/// A statement about an open table, about one of its weeks.
pub(super) fn of_week(statement: &str, week: &str) -> String {
    statement.replacen(open_of(week), week, 1)
}
