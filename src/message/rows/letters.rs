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

    /// Writes what may have held something that is erased anew, and gives all former pages back, those of letters included. `SQLite`
    /// leaves what it deletes or moves in its pages until these are written again, and the platform has no `secure_delete`; what is given
    /// back is cut off the file. Tables of more than so many rows stay as they are.
    pub(in crate::message) fn rebuild(&self, most: u64) -> Result<(), D::Error> {
        let mut statements = Vec::new();
        let made = "SELECT name, sql FROM sqlite_master WHERE name IN ('batches', 'packs', 'clicks', 'sums')";
        self.query(made, Vec::new(), &mut |columns| {
            let (name, sql) = (columns.text()?, columns.text()?);
            statements.push((name, sql));
            Ok(())
        })?;
        for (table, made) in &statements {
            let rows = self.numbers(&format!("SELECT count(*) FROM {table}"), Vec::new())?;
            if rows.first().is_some_and(|rows| *rows <= most) {
                self.write(&format!("ALTER TABLE {table} RENAME TO former_{table}"), Vec::new())?;
                self.write(made, Vec::new())?;
                self.write(&format!("INSERT INTO {table} SELECT * FROM former_{table}"), Vec::new())?;
            }
        }
        // Not before all is written: a page that is given back and taken again keeps what stood in it.
        for (table, _) in statements {
            self.drop_table(&format!("former_{table}"))?;
        }
        self.drop_table("letters")
    }
}
