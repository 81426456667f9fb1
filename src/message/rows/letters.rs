//! Messages of the queue that wait beside the packs ([`super::super::letters`]).

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
        let mut next = 1;
        if self.has_letters()? {
            self.query("SELECT coalesce(max(number), 0) + 1 FROM letters", Vec::new(), &mut |columns| {
                next = columns.natural()?;
                Ok(())
            })?;
        }
        Ok(next)
    }

    /// Forgets the letters of a pack that are older than a number.
    pub(in crate::message) fn forget_letters(&self, pack: u64, before: u64) -> Result<(), D::Error> {
        let statement = "DELETE FROM letters WHERE pack = ? AND number < ?";
        if self.has_letters()? {
            self.write(statement, vec![pack.into(), before.into()]).map(|_| ())
        } else {
            Ok(())
        }
    }

    /// Forgets the letters of all packs.
    pub(in crate::message) fn forget_pack_letters(&self) -> Result<(), D::Error> {
        let statement = "DELETE FROM letters WHERE pack > 0";
        if self.has_letters()? { self.write(statement, Vec::new()).map(|_| ()) } else { Ok(()) }
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
    /// leaves what it deletes or moves in its pages until these are written again; what is given back is cut off the file. Tables of
    /// more than so many rows stay as they are.
    pub(in crate::message) fn rebuild(&self, most: u64) -> Result<(), D::Error> {
        let mut former = vec!["letters".to_owned()];
        for table in ["batches", "packs", "clicks", "sums"] {
            let (mut made, mut rows) = (None, 0);
            let statement = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?";
            self.query(statement, vec![table.into()], &mut |columns| {
                made = Some(columns.text()?);
                Ok(())
            })?;
            let Some(made) = made else { continue };
            self.query(&format!("SELECT count(*) FROM {table}"), Vec::new(), &mut |columns| {
                rows = columns.natural()?;
                Ok(())
            })?;
            if rows <= most {
                let old = format!("former_{table}");
                self.write(&format!("ALTER TABLE {table} RENAME TO {old}"), Vec::new())?;
                self.write(&made, Vec::new())?;
                self.write(&format!("INSERT INTO {table} SELECT * FROM {old}"), Vec::new())?;
                former.push(old);
            }
        }
        // Not before all is written: a page that is given back and taken again keeps what stood in it.
        for table in former {
            self.write(&format!("DROP TABLE {table}"), Vec::new())?;
        }
        Ok(())
    }
}
