//! What a shard and the board of its message say to each other ([`super::board`]): a call and its answer, in one form.
//!
//! Bytes: the version of this form, then numbers of eight bytes, the higher first; then pages: block, how many words, the words.

use crate::verdict::evidence::Word;

/// Where the board is called.
pub const EXCHANGE: &str = "/exchange";

/// The version of the form.
const FORM: u8 = 1;

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
    /// Which shard of how many asks.
    pub shard: u64,
    pub shards: u64,
    /// Views are wanted from a block on, up to another that is left out.
    pub from: u64,
    pub until: u64,
    /// A shard's pages that may have changed, or the board's views that have.
    pub pages: Vec<Page>,
}

impl Said {
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { epoch, version, goes_on, shard, shards, from, until, pages } = self;
        let mut numbers = vec![*epoch, *version, u64::from(*goes_on), *shard, *shards, *from, *until];
        for (block, words) in pages {
            numbers.extend([u64::from(*block), words.len() as u64]);
            words.iter().for_each(|(key, rest)| numbers.extend([*key, *rest]));
        }
        let mut bytes = vec![FORM];
        numbers.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.strip_prefix(&[FORM])?.as_chunks();
        let mut numbers = numbers.iter().map(|number| u64::from_be_bytes(*number));
        let mut next = || numbers.next();
        let (epoch, version, goes_on) = (next()?, next()?, next()? != 0);
        let (shard, shards, from, until) = (next()?, next()?, next()?, next()?);
        let mut pages: Vec<Page> = Vec::new();
        while let Some(block) = next() {
            let mut words = Vec::new();
            for _ in 0..next()? {
                words.push((next()?, next()?));
            }
            pages.push((u32::try_from(block).ok().filter(|_| words.is_sorted())?, words));
        }
        rest.is_empty().then_some(Self { epoch, version, goes_on, shard, shards, from, until, pages })
    }
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
            from: 5,
            until: u64::MAX,
            pages: vec![(9, vec![(1, 2), (u64::MAX, 0)]), (10, vec![])],
        };
        let bytes = said.encode();
        assert_eq!(Said::decode(&bytes), Some(said.clone()));
        for end in 0..bytes.len() {
            // Cut between two pages it is a call with fewer of them.
            assert!(Said::decode(&bytes[..end]).is_none_or(|cut| cut.pages.len() < 2), "{end}");
        }
        let unsorted = Said { pages: vec![(9, vec![(2, 0), (1, 0)])], ..said };
        assert_eq!(Said::decode(&unsorted.encode()), None);
    }
}
