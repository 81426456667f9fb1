//! Messages of the queue that wait to leave beside the packs: what an erasure ships again, blanks or tells.
//!
//! They are made with the erasure, in one transaction with it, so that nothing needs to be remembered of what is gone. They leave
//! in their order and before any pack: what blanks objects of a message must not come behind what begins anew under the same
//! keys. Each leaves at least once, as everything does. They may outlive their message: so this is no part of [`super::Message`].

use super::rows::Rows;
use super::sql::Database;
use crate::event::parcel::Letter;

/// When the last has left, tables of at most so many rows are written anew: that much is a fifth of a cent.
const MOST_REBUILT: u64 = 2_000;

/// The letters of an object, in whatever runs `SQLite`.
pub struct Letters<D>(Rows<D>);

impl<D: Database> Letters<D> {
    /// The letters in a database.
    pub fn new(db: D) -> Self {
        Self(Rows::new(db))
    }

    /// Whether any wait, or have left without what follows upon that.
    ///
    /// # Errors
    /// When storage fails.
    pub fn wait(&self) -> Result<bool, D::Error> {
        self.0.has_letters()
    }

    /// The first that waits, under its number. Once none does, pages that may hold pieces of what is erased are given back: a turn later
    /// than the erasure, whose own pages have been by then.
    ///
    /// # Errors
    /// When storage fails.
    pub fn next(&self) -> Result<Option<(u64, Letter)>, D::Error> {
        if !self.0.has_letters()? {
            return Ok(None);
        }
        let letter = self.0.letter()?;
        if letter.is_none() {
            self.0.rebuild(MOST_REBUILT)?;
        }
        Ok(letter)
    }

    /// The queue has taken the one of that number.
    ///
    /// # Errors
    /// When storage fails.
    pub fn sent(&self, number: u64) -> Result<(), D::Error> {
        self.0.remove_letter(number)
    }
}
