//! Which part of its message an object keeps: all of it, or one of several shards.

use super::Message;
use super::rows::{Meta, ShardRow};
use super::sql::Database;

/// What an object knows of its part.
pub(super) struct Shard {
    /// The object's name.
    pub name: String,
    /// When it began, and from when on all its clicks are there, Unix milliseconds; 0 where that is not known, or they all are.
    pub began_ms: i64,
    pub kept_from_ms: i64,
    /// Its row; `None` while it is not known to be one of several.
    row: Option<ShardRow>,
}

impl Shard {
    pub(super) fn new(meta: Meta, row: Option<ShardRow>) -> Self {
        let Meta { name, began_ms, kept_from_ms, .. } = meta;
        Self { name, began_ms, kept_from_ms, row }
    }

    /// How many objects share the message.
    pub(super) fn count(&self) -> u32 {
        self.row.map_or(1, |row| row.shards)
    }
}

impl<D: Database> Message<D> {
    /// How many objects share the message, as far as this one has been told.
    #[must_use]
    pub fn shards(&self) -> u32 {
        self.shard.count()
    }

    /// Takes in that so many objects share the message. Links of one message may disagree: the largest count stands, so that
    /// no object is forgotten.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn set_shards(&mut self, shards: u32) -> Result<(), D::Error> {
        if shards <= self.shard.count() {
            return Ok(());
        }
        let row = ShardRow { shards };
        self.rows.put_shard(&row)?;
        self.shard.row = Some(row);
        Ok(())
    }
}
