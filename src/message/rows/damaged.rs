//! Rows that are not as they were written.

use super::Rows;
use crate::message::sql::{Columns, Database, Value};

impl<D: Database> Rows<D> {
    /// Counts a row that cannot be read, by its first column: each once, however often it is read.
    pub(super) fn set_aside(&self, columns: &Columns) {
        let digest = match columns.first() {
            Some(Value::Integer(number)) => number.cast_unsigned(),
            Some(Value::Blob(bytes)) => {
                bytes.iter().fold(0, |all: u64, byte| all.rotate_left(8) ^ u64::from(*byte))
            }
            _ => 0,
        };
        let mut aside = self.aside.borrow_mut();
        if let Err(at) = aside.binary_search(&digest) {
            aside.insert(at, digest);
        }
    }

    /// How many rows could not be read since this life of the message began, packs apart.
    pub(in crate::message) fn unreadable(&self) -> usize {
        self.aside.borrow().len()
    }

    /// Counts the rows of clicks whose id is no bytes: they stand before all ids, where nobody looks.
    pub(in crate::message) fn count_lost_clicks(&self) -> Result<(), D::Error> {
        self.query_weeks("SELECT first FROM batches WHERE first < x''", i64::MIN, &[], &mut |columns| {
            columns.id().map(|_| ())
        })
    }

    /// The packs from one on up to another that are gone or have lost their keys, in order. One that was made anew without a click has
    /// none, and ends before it begins: both as numbers, for text follows every number.
    pub(in crate::message) fn lost_packs(&self, first: u64, until: u64) -> Result<Vec<u64>, D::Error> {
        let statement = "SELECT number, typeof(keys) = 'blob' AND length(keys) % 24 = 0 \
                         AND (length(keys) > 0 OR (typeof(first_ms) = 'integer' AND typeof(last_ms) = 'integer' \
                         AND first_ms > last_ms)) FROM packs WHERE 0 < number ORDER BY number";
        let (mut lost, mut next) = (Vec::new(), first);
        self.query(statement, Vec::new(), &mut |columns| {
            let (number, is_whole) = (columns.natural()?, columns.integer()? == 1);
            while next < number {
                lost.push(next);
                next += 1;
            }
            if !is_whole {
                lost.push(number);
            }
            next = number + 1;
            Ok(())
        })?;
        lost.extend(next..=until);
        Ok(lost)
    }

    /// Takes note of a pack that cannot be read, or could not be until now, with words for the log: each once.
    pub(in crate::message) fn note(&self, number: u64, words: &str) {
        let (note, mut notes) = (format!("pack {number}: {words}"), self.notes.borrow_mut());
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// What is to be said in the log and is not said yet.
    pub(in crate::message) fn take_notes(&self) -> Vec<String> {
        let notes = self.notes.borrow();
        notes.iter().skip(self.told.replace(notes.len())).cloned().collect()
    }
}
