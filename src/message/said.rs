//! What a shard and the board of its message say to each other ([`super::board`]): a call and its answer, in one form.
//!
//! Bytes: numbers of eight bytes, the higher first, then pages: block, how many words, the words; last the version of this form.

use crate::verdict::evidence::Word;

/// The version of the form.
const FORM: u8 = 3;

/// Words of a block, in order.
pub(super) type Page = (u32, Vec<Word>);

/// What one says to the other; times and versions are the board's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The board's life; 0 where a shard knows of none.
    pub epoch: u64,
    /// The last version of a view that is known, or among the answer's.
    pub version: u64,
    /// A shard will ask again without being told to; an answer has more than fits.
    pub goes_on: bool,
    /// Which shard of how many asks, and when, Unix milliseconds by its clock.
    pub shard: u64,
    pub shards: u64,
    pub asked_ms: u64,
    /// Views are wanted from a block on, up to another that is left out, or an answer is about these: about none, 0 and 0, where it is
    /// too early to say anything.
    pub from: u64,
    pub until: u64,
    /// A shard's pages that may have changed, or the board's views that have.
    pub pages: Vec<Page>,
}

impl Said {
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { epoch, version, goes_on, shard, shards, asked_ms, from, until, pages } = self;
        let mut numbers =
            vec![*epoch, *version, u64::from(*goes_on), *shard, *shards, *asked_ms, *from, *until];
        for (block, words) in pages {
            numbers.push((*block).into());
            numbers.push(words.len() as u64);
            for (key, rest) in words {
                numbers.push(*key);
                numbers.push(*rest);
            }
        }
        let mut bytes = bytes_of(&numbers);
        bytes.push(FORM);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (form, bytes) = bytes.split_last()?;
        let numbers = numbers_of(bytes);
        let [epoch, version, goes_on, shard, shards, asked_ms, from, until, ref rest @ ..] = numbers[..]
        else {
            return None;
        };
        let mut pages: Vec<Page> = Vec::new();
        let mut rest = rest;
        while let [block, count, tail @ ..] = rest {
            let (words, tail) = tail.split_at_checked(usize::try_from(*count).ok()?.checked_mul(2)?)?;
            let words = words_of(words);
            if !words.is_sorted() {
                return None;
            }
            pages.push((u32::try_from(*block).ok()?, words));
            rest = tail;
        }
        let is_whole = *form == FORM && rest.is_empty() && bytes.len() % size_of::<u64>() == 0;
        is_whole.then_some(Self {
            epoch,
            version,
            goes_on: goes_on != 0,
            shard,
            shards,
            asked_ms,
            from,
            until,
            pages,
        })
    }
}

/// Numbers as bytes, the higher first.
pub(super) fn bytes_of(numbers: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_val(numbers));
    for number in numbers {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes
}

/// The numbers of bytes.
pub(super) fn numbers_of(bytes: &[u8]) -> Vec<u64> {
    let mut numbers = Vec::with_capacity(bytes.len() / size_of::<u64>());
    for number in bytes.as_chunks().0 {
        numbers.push(u64::from_be_bytes(*number));
    }
    numbers
}

/// The words of numbers.
pub(super) fn words_of(numbers: &[u64]) -> Vec<Word> {
    let mut words = Vec::with_capacity(numbers.len() / 2);
    for [key, rest] in numbers.as_chunks().0 {
        words.push((*key, *rest));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_as_it_was_said() {
        let said = Said {
            epoch: 1_795_348_800_000,
            version: 7,
            goes_on: true,
            shard: 3,
            shards: 16,
            asked_ms: 1_795_348_800_001,
            from: 5,
            until: u64::MAX,
            pages: vec![(9, vec![(1, 2), (u64::MAX, 0)]), (10, vec![])],
        };
        let bytes = said.encode();
        assert_eq!(Said::decode(&bytes), Some(said.clone()));
        for end in 0..bytes.len() {
            assert_eq!(Said::decode(&bytes[..end]), None, "{end}");
        }
        let unsorted = Said { pages: vec![(9, vec![(2, 0), (1, 0)])], ..said };
        assert_eq!(Said::decode(&unsorted.encode()), None);
    }
}
