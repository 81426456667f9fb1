//! Messages of the queue that wait beside the packs ([`super::super::erase`]).

use super::Rows;
use crate::event::parcel::Letter;
use crate::message::sql::{Database, Mismatch, Value};

/// The table is there while something waits.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS letters (
    number INTEGER PRIMARY KEY, pack INTEGER NOT NULL, body BLOB NOT NULL
)";

impl<D: Database> Rows<D> {
    /// Adds a letter behind all that wait: of a pack that leaves again its number, 0 for any other.
    pub(in crate::message) fn put_letter(&self, pack: u64, letter: Letter) -> Result<(), D::Error> {
        self.write(SCHEMA, Vec::new())?;
        let body = match letter {
            Letter::Text(text) => Value::Text(text),
            Letter::Bytes(bytes) => Value::Blob(bytes),
        };
        let statement = "INSERT INTO letters SELECT coalesce(max(number), 0) + 1, ?, ? FROM letters";
        self.write(statement, vec![pack.into(), body]).map(|_| ())
    }

    /// Whether the table is there.
    pub(in crate::message) fn has_letters(&self) -> Result<bool, D::Error> {
        self.has_any("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'letters'")
    }

    /// The number that the next letter gets.
    pub(in crate::message) fn next_letter(&self) -> Result<u64, D::Error> {
        if !self.has_letters()? {
            return Ok(1);
        }
        let next = self.numbers("SELECT coalesce(max(number), 0) + 1 FROM letters", Vec::new())?;
        Ok(next.first().copied().unwrap_or(1))
    }

    /// Forgets the letters of packs, from and to (both included), that are older than one. That one is there: the queue may be taking an
    /// older one at this moment, whose number is not to be given away.
    pub(in crate::message) fn forget_letters(
        &self,
        (first, last): (u64, u64),
        before: u64,
    ) -> Result<(), D::Error> {
        let statement = "DELETE FROM letters WHERE pack >= ? AND pack <= ? AND number < ?";
        self.write(statement, vec![first.into(), last.into(), before.into()]).map(|_| ())
    }

    /// The first letter that waits, under its number. The table must be there.
    pub(in crate::message) fn letter(&self) -> Result<Option<(u64, Letter)>, D::Error> {
        let mut letter = None;
        let statement = "SELECT number, body FROM letters ORDER BY number LIMIT 1";
        self.query(statement, Vec::new(), &mut |columns| {
            let number = columns.natural()?;
            letter = match columns.value() {
                Some(Value::Text(text)) => Some((number, Letter::Text(text))),
                Some(Value::Blob(bytes)) => Some((number, Letter::Bytes(bytes))),
                _ => return Err(Mismatch("text or bytes")),
            };
            Ok(())
        })?;
        Ok(letter)
    }

    /// Takes a letter out.
    pub(in crate::message) fn remove_letter(&self, number: u64) -> Result<(), D::Error> {
        self.write("DELETE FROM letters WHERE number = ?", vec![number.into()]).map(|_| ())
    }

    /// Takes the table out.
    pub(in crate::message) fn drop_letters(&self) -> Result<(), D::Error> {
        self.drop_table("letters")
    }
}
