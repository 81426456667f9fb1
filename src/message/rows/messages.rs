//! The rows of the list of messages ([`super::super::list`]), which are no message's.

use super::Rows;
use crate::message::sql::Database;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS messages (message_id TEXT PRIMARY KEY, heard_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS messages_by_time ON messages (heard_ms, message_id);
";

impl<D: Database> Rows<D> {
    /// Adds a message, where it is not there yet, or nobody can say since when.
    pub(in crate::message) fn add_message(&self, heard_ms: i64, message_id: &str) -> Result<(), D::Error> {
        self.write(SCHEMA, Vec::new())?;
        let statement = "INSERT INTO messages VALUES (?, ?) ON CONFLICT DO UPDATE SET heard_ms = excluded.heard_ms \
                         WHERE typeof(heard_ms) <> 'integer'";
        self.write(statement, vec![message_id.into(), heard_ms.into()]).map(|_| ())
    }

    /// Takes a message out.
    pub(in crate::message) fn remove_message(&self, message_id: &str) -> Result<(), D::Error> {
        if !self.has_list()? {
            return Ok(());
        }
        self.write("DELETE FROM messages WHERE message_id = ?", vec![message_id.into()]).map(|_| ())
    }

    /// When a message was heard of first, Unix milliseconds.
    pub(in crate::message) fn heard_ms(&self, message_id: &str) -> Result<Option<i64>, D::Error> {
        let mut heard_ms = None;
        if self.has_list()? {
            let statement = "SELECT heard_ms FROM messages WHERE message_id = ?";
            self.query(statement, vec![message_id.into()], &mut |columns| {
                heard_ms = Some(columns.integer()?);
                Ok(())
            })?;
        }
        Ok(heard_ms)
    }

    fn has_list(&self) -> Result<bool, D::Error> {
        self.has_any("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'messages'")
    }

    /// Hands over time and id of messages, the newest first, at most so many, behind one where it is given.
    pub(in crate::message) fn messages(
        &self,
        after: Option<(i64, &str)>,
        most: i64,
        each: &mut dyn FnMut(i64, String),
    ) -> Result<(), D::Error> {
        if !self.has_list()? {
            return Ok(());
        }
        let (ms, id) = after.unwrap_or((i64::MAX, ""));
        let statement = "SELECT heard_ms, message_id FROM messages WHERE (heard_ms, message_id) < (?, ?) \
                         ORDER BY heard_ms DESC, message_id DESC LIMIT ?";
        self.query(statement, vec![ms.into(), id.into(), most.into()], &mut |columns| {
            each(columns.integer()?, columns.text()?);
            Ok(())
        })
    }
}
