//! The rows of what the shards of a message exchange: which shard this is and how far it is with the board, and words by the block of
//! time ([`crate::verdict::evidence`]). A shard keeps the board's views, the board these and every shard's pages.

use super::Rows;
use crate::message::sql::{Database, Table, Value};
use crate::verdict::evidence::Word;

/// A view's place beside the shards' pages.
pub(in crate::message) const VIEW: i64 = -1;

/// So many words are one row: it stays below the 2 MB of a value.
const MOST_WORDS: usize = 65_536;

/// What a shard keeps about itself: one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::message) struct ShardRow {
    /// How many objects share the message.
    pub shards: u32,
    /// The board's life that it has told what it has.
    pub epoch: i64,
    /// It has every view from a block on, as of a version.
    pub known_from: u32,
    pub version: u64,
    /// Nothing from before this block is unreported, but for what the window holds; `u32::MAX` where nothing is.
    pub unreported_from: u32,
}

/// What the board keeps about itself: one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::message) struct BoardRow {
    /// Its life: when it began, Unix milliseconds.
    pub epoch: i64,
    pub shards: u32,
    /// The last change of a view.
    pub version: u64,
}

impl<D: Database> Rows<D> {
    /// The shard's row; none where the message has one object.
    pub(in crate::message) fn shard(&self) -> Result<Option<ShardRow>, D::Error> {
        let mut shard = None;
        if !self.has(Table::Shard)? {
            return Ok(shard);
        }
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let row = "SELECT shards, epoch, known_from, version, unreported_from FROM shard";
        self.query(row, Vec::new(), &mut |columns| {
            shard = Some(ShardRow {
                shards: small(columns.natural()?),
                epoch: columns.integer()?,
                known_from: small(columns.natural()?),
                version: columns.natural()?,
                unreported_from: small(columns.natural()?),
            });
            Ok(())
        })?;
        Ok(shard)
    }

    pub(in crate::message) fn put_shard(&self, shard: &ShardRow) -> Result<(), D::Error> {
        self.make(Table::Shard)?;
        let ShardRow { shards, epoch, known_from, version, unreported_from } = *shard;
        let small = |number: u32| Value::from(u64::from(number));
        let values =
            vec![small(shards), epoch.into(), small(known_from), version.into(), small(unreported_from)];
        self.write("INSERT OR REPLACE INTO shard VALUES (1, ?, ?, ?, ?, ?)", values).map(|_| ())
    }

    /// The board's row, where there is one.
    pub(in crate::message) fn board(&self) -> Result<Option<BoardRow>, D::Error> {
        let mut board = None;
        if !self.has(Table::Board)? {
            return Ok(board);
        }
        self.query("SELECT epoch, shards, version FROM board", Vec::new(), &mut |columns| {
            let (epoch, shards) = (columns.integer()?, columns.natural()?);
            let shards = u32::try_from(shards).unwrap_or(u32::MAX);
            board = Some(BoardRow { epoch, shards, version: columns.natural()? });
            Ok(())
        })?;
        Ok(board)
    }

    pub(in crate::message) fn put_board(&self, board: &BoardRow) -> Result<(), D::Error> {
        self.make(Table::Board)?;
        let BoardRow { epoch, shards, version } = *board;
        let values = vec![epoch.into(), u64::from(shards).into(), version.into()];
        self.write("INSERT OR REPLACE INTO board VALUES (1, ?, ?, ?)", values).map(|_| ())
    }

    /// Keeps the words of a block, a shard's page or the [`VIEW`], in place of what was there.
    pub(in crate::message) fn put_words(
        &self,
        block: u32,
        whose: i64,
        version: u64,
        words: &[Word],
    ) -> Result<(), D::Error> {
        self.make(Table::Words)?;
        let parts = words.len().div_ceil(MOST_WORDS).max(1);
        for part in 0..parts {
            let words = words.chunks(MOST_WORDS).nth(part).unwrap_or_default();
            let bytes = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            let (block, part) = (u64::from(block).into(), (part as u64).into());
            let values = vec![block, whose.into(), part, version.into(), Value::Blob(bytes)];
            self.write("INSERT OR REPLACE INTO words VALUES (?, ?, ?, ?, ?)", values)?;
        }
        let values = vec![u64::from(block).into(), whose.into(), (parts as u64).into()];
        self.write("DELETE FROM words WHERE block = ? AND whose = ? AND part >= ?", values).map(|_| ())
    }

    /// Hands over the words of blocks from one on up to another that is left out that have changed since a version, as long as they are
    /// taken: block, version and bytes, a block in parts, the oldest version first.
    pub(in crate::message) fn words(
        &self,
        (from, until): (u32, u32),
        whose: i64,
        since: u64,
        each: &mut dyn FnMut(u32, u64, &[u8]) -> bool,
    ) -> Result<(), D::Error> {
        if !self.has(Table::Words)? {
            return Ok(());
        }
        let statement = "SELECT block, version, words FROM words WHERE block >= ? AND block < ? AND whose = ? \
                         AND version > ? ORDER BY version, block, part";
        let values = vec![u64::from(from).into(), u64::from(until).into(), whose.into(), since.into()];
        let mut goes_on = true;
        self.query(statement, values, &mut |columns| {
            if goes_on {
                let block = u32::try_from(columns.natural()?).unwrap_or(u32::MAX);
                let version = columns.natural()?;
                goes_on = each(block, version, &columns.blob()?);
            }
            Ok(())
        })
    }

    /// The shards that have a page between two blocks (the second left out).
    pub(in crate::message) fn shards_between(&self, from: u32, until: u32) -> Result<Vec<u32>, D::Error> {
        let mut shards = Vec::new();
        if !self.has(Table::Words)? {
            return Ok(shards);
        }
        let statement = "SELECT DISTINCT whose FROM words WHERE block >= ? AND block < ? AND whose >= 0";
        self.query(statement, vec![u64::from(from).into(), u64::from(until).into()], &mut |columns| {
            shards.push(u32::try_from(columns.natural()?).unwrap_or(u32::MAX));
            Ok(())
        })?;
        Ok(shards)
    }

    /// Takes note that a shard is to be told to ask, or that it has asked.
    pub(in crate::message) fn owe(&self, shard: u32, owes: bool) -> Result<(), D::Error> {
        let statement = if owes {
            self.make(Table::Owed)?;
            "INSERT OR IGNORE INTO owed VALUES (?)"
        } else if self.has(Table::Owed)? {
            "DELETE FROM owed WHERE shard = ?"
        } else {
            return Ok(());
        };
        self.write(statement, vec![u64::from(shard).into()]).map(|_| ())
    }

    /// The shards that are to be told to ask.
    pub(in crate::message) fn owed(&self) -> Result<Vec<u32>, D::Error> {
        let mut owed = Vec::new();
        if self.has(Table::Owed)? {
            self.query("SELECT shard FROM owed ORDER BY shard", Vec::new(), &mut |columns| {
                owed.push(u32::try_from(columns.natural()?).unwrap_or(u32::MAX));
                Ok(())
            })?;
        }
        Ok(owed)
    }
}
