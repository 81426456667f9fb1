//! Messages of the queue that wait beside the packs ([`super::super::letters`]).

use super::Rows;
use crate::event::parcel::Letter;
use crate::message::sql::{Database, Mismatch, Table, Value};

impl<D: Database> Rows<D> {
    /// Adds a letter behind all that wait: of a pack that leaves again its number, 0 for any other.
    pub(in crate::message) fn put_letter(&self, pack: u64, letter: Letter) -> Result<(), D::Error> {
        self.make(Table::Letters)?;
        let body = match letter {
            Letter::Text(text) => Value::Text(text),
            Letter::Bytes(bytes) => Value::Blob(bytes),
        };
        let statement = "INSERT INTO letters SELECT coalesce(max(number), 0) + 1, ?, ? FROM letters";
        self.write(statement, vec![pack.into(), body]).map(|_| ())
    }

    /// The number that the next letter gets.
    pub(in crate::message) fn next_letter(&self) -> Result<u64, D::Error> {
        let mut next = 1;
        if self.has(Table::Letters)? {
            self.query("SELECT coalesce(max(number), 0) + 1 FROM letters", Vec::new(), &mut |columns| {
                next = columns.natural()?;
                Ok(())
            })?;
        }
        Ok(next)
    }

    /// Forgets the letters of a pack that are older than a number.
    pub(in crate::message) fn forget_letters(&self, pack: u64, before: u64) -> Result<(), D::Error> {
        if !self.has(Table::Letters)? {
            return Ok(());
        }
        for statement in [
            "UPDATE letters SET body = zeroblob(length(CAST(body AS BLOB))) WHERE pack = ? AND number < ?",
            "DELETE FROM letters WHERE pack = ? AND number < ?",
        ] {
            self.write(statement, vec![pack.into(), before.into()])?;
        }
        Ok(())
    }

    /// Forgets the letters of all packs.
    pub(in crate::message) fn forget_pack_letters(&self) -> Result<(), D::Error> {
        if !self.has(Table::Letters)? {
            return Ok(());
        }
        self.write("DELETE FROM letters WHERE pack > 0", Vec::new()).map(|_| ())
    }

    /// The first letter that waits, under its number. There need be no message.
    pub(in crate::message) fn letter(&self) -> Result<Option<(u64, Letter)>, D::Error> {
        let mut letter = None;
        if !self.has_any("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'letters'")? {
            return Ok(letter);
        }
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
        // What is deleted stays in its page until that is written again: it is overwritten where it stands.
        for statement in [
            "UPDATE letters SET body = zeroblob(length(CAST(body AS BLOB))) WHERE number = ?",
            "DELETE FROM letters WHERE number = ?",
        ] {
            self.write(statement, vec![number.into()])?;
        }
        Ok(())
    }
}
