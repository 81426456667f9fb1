//! The rows of what the shards of a message exchange: marks, which are numbers under a name, and words by the block of time
//! ([`crate::verdict::evidence`]). A shard keeps its marks and the board's views; the board its own marks, these and every shard's
//! pages.

use super::Rows;
use crate::message::said::{bytes_of, numbers_of, words_of};
use crate::message::sql::{Database, Table, Value};
use crate::verdict::evidence::Word;

/// Whose words a view is.
pub(in crate::message) const VIEW: i64 = -1;

/// So many words are one row, below the 2 MB of a value: more than four times what an object takes in a block's time.
const MOST_WORDS: usize = 120_000;

impl<D: Database> Rows<D> {
    /// The marks of a name; none where there are none.
    pub(in crate::message) fn marks(&self, name: &str) -> Result<Vec<u64>, D::Error> {
        let mut marks = Vec::new();
        if self.has(Table::Marks)? {
            self.query("SELECT numbers FROM marks WHERE name = ?", vec![name.into()], &mut |columns| {
                marks = numbers_of(&columns.blob()?);
                Ok(())
            })?;
        }
        Ok(marks)
    }

    pub(in crate::message) fn put_marks(&self, name: &str, marks: &[u64]) -> Result<(), D::Error> {
        self.make(Table::Marks)?;
        let values = vec![name.into(), Value::Blob(bytes_of(marks))];
        self.write("INSERT OR REPLACE INTO marks VALUES (?, ?)", values).map(|_| ())
    }

    /// Keeps the words of a block, a shard's page or a view, in place of what was there.
    pub(in crate::message) fn put_words(
        &self,
        block: u32,
        whose: i64,
        version: u64,
        words: &[Word],
    ) -> Result<(), D::Error> {
        self.make(Table::Words)?;
        let mut numbers = Vec::with_capacity(2 * words.len());
        for (key, rest) in words.iter().take(MOST_WORDS) {
            numbers.push(*key);
            numbers.push(*rest);
        }
        let words = Value::Blob(bytes_of(&numbers));
        let values = vec![u64::from(block).into(), whose.into(), version.into(), words];
        self.write("INSERT OR REPLACE INTO words VALUES (?, ?, ?, ?)", values).map(|_| ())
    }

    /// Forgets the words of the blocks before one.
    pub(in crate::message) fn forget_words(&self, before: u32) -> Result<(), D::Error> {
        if self.has(Table::Words)? {
            self.write("DELETE FROM words WHERE block < ?", vec![u64::from(before).into()])?;
        }
        Ok(())
    }

    /// Hands over words that have changed since a version, the oldest version first, until somebody has enough: of blocks from one on up
    /// to another that is left out, of views or of pages; block, whose, version, words.
    pub(in crate::message) fn words(
        &self,
        (from, until): (u64, u64),
        views: bool,
        since: u64,
        each: &mut dyn FnMut(u32, i64, u64, Vec<Word>) -> bool,
    ) -> Result<(), D::Error> {
        if !self.has(Table::Words)? {
            return Ok(());
        }
        let statement = "SELECT block, whose, version, words FROM words WHERE block >= ? AND block < ? AND whose < 0 = ? \
                         AND version > ? ORDER BY version, block, whose";
        let mut goes_on = true;
        let values = vec![from.into(), until.into(), i64::from(views).into(), since.into()];
        self.query(statement, values, &mut |columns| {
            if goes_on {
                let block = u32::try_from(columns.natural()?).unwrap_or_default();
                let (whose, version) = (columns.integer()?, columns.natural()?);
                goes_on = each(block, whose, version, words_of(&numbers_of(&columns.blob()?)));
            }
            Ok(())
        })
    }
}
