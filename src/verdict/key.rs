//! Ids in comparisons: short, of one length, and equal where the ids are.

use sha2::{Digest, Sha256};

/// Stands for an id in comparisons: the first 128 bits of its SHA-256, so equal keys are equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u128);

impl Key {
    /// The key of `text`, compared as given: no case folding, no trimming.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        Self(digest.iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte)))
    }

    /// The key as a number.
    #[must_use]
    pub const fn number(self) -> u128 {
        self.0
    }

    /// The key that has been such a number.
    #[must_use]
    pub const fn from_number(number: u128) -> Self {
        Self(number)
    }

    /// The leading 64 bits: enough for an index whose hits are checked again.
    #[must_use]
    pub const fn short(self) -> u64 {
        (self.0 >> 64) as u64
    }
}
