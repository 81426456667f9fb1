//! The row of a message that several objects share: which of them this is one of, and how far it is with the board.

use super::Rows;
use crate::message::sql::{Database, Table};

/// What a shard keeps about itself: one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::message) struct ShardRow {
    /// How many objects share the message.
    pub shards: u32,
}

impl<D: Database> Rows<D> {
    /// The shard's row; none where the message has one object.
    pub(in crate::message) fn shard(&self) -> Result<Option<ShardRow>, D::Error> {
        let mut shard = None;
        if !self.has(Table::Shard)? {
            return Ok(shard);
        }
        self.query("SELECT shards FROM shard", Vec::new(), &mut |columns| {
            shard = Some(ShardRow { shards: u32::try_from(columns.natural()?).unwrap_or(u32::MAX) });
            Ok(())
        })?;
        Ok(shard)
    }

    pub(in crate::message) fn put_shard(&self, shard: &ShardRow) -> Result<(), D::Error> {
        self.make(Table::Shard)?;
        let values = vec![u64::from(shard.shards).into()];
        self.write("INSERT OR REPLACE INTO shard VALUES (1, ?)", values).map(|_| ())
    }
}
