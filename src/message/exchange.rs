//! What a shard and the board of its message say to each other ([`super::board`]): a call and its answer.
//!
//! A call is bytes: the version of this form, then numbers of eight bytes, the higher first, then pages: block, count, words. An answer
//! is text: a line with epoch, version and whether there is more, then a line for each view: block, a space, its words in hex.

use std::fmt::Write;

use crate::verdict::evidence::Word;

/// Where the board is called.
pub const EXCHANGE: &str = "/exchange";

/// The version of a call's form.
const FORM: u8 = 1;

/// Words of a block, sorted.
pub(super) type Page = (u32, Vec<Word>);

/// What a shard says and asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ask {
    /// Which shard of how many.
    pub shard: u32,
    pub shards: u32,
    /// The board's life that it knows; 0 where none.
    pub epoch: i64,
    /// Views are wanted from a block on, up to another that is left out, that have changed since a version.
    pub version: u64,
    pub from: u32,
    pub until: u32,
    /// It will ask again without being told to.
    pub comes_again: bool,
    /// Its pages that may have changed.
    pub pages: Vec<Page>,
}

/// What the board answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// The board's life.
    pub epoch: i64,
    /// The last version that is among the views.
    pub version: u64,
    /// There are more views than fit.
    pub more: bool,
    pub views: Vec<Page>,
}

impl Ask {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        let numbers = [
            u64::from(self.shard),
            u64::from(self.shards),
            self.epoch.cast_unsigned(),
            self.version,
            u64::from(self.from),
            u64::from(self.until),
            u64::from(self.comes_again),
        ];
        numbers.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        for (block, words) in &self.pages {
            bytes.extend(u64::from(*block).to_be_bytes());
            bytes.extend((words.len() as u64).to_be_bytes());
            words.iter().for_each(|word| bytes.extend(word.to_be_bytes()));
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[FORM])?;
        let (shard, shards) = (small(&mut rest)?, small(&mut rest)?);
        let (epoch, version) = (number(&mut rest)?.cast_signed(), number(&mut rest)?);
        let (from, until, comes_again) = (small(&mut rest)?, small(&mut rest)?, small(&mut rest)? != 0);
        let mut pages = Vec::new();
        while !rest.is_empty() {
            let (block, count) = (small(&mut rest)?, small(&mut rest)?);
            let (words, tail) = rest.split_at_checked((count as usize).checked_mul(size_of::<Word>())?)?;
            rest = tail;
            pages.push((block, words_of(words)));
        }
        let is_sound = shard < shards && pages.iter().all(|(_, words)| words.is_sorted());
        is_sound.then_some(Self { shard, shards, epoch, version, from, until, comes_again, pages })
    }
}

/// Takes a number off the front.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(u64::from_be_bytes(*head))
}

fn small(rest: &mut &[u8]) -> Option<u32> {
    u32::try_from(number(rest)?).ok()
}

/// The words of bytes.
pub(super) fn words_of(bytes: &[u8]) -> Vec<Word> {
    bytes.as_chunks().0.iter().map(|word| Word::from_be_bytes(*word)).collect()
}

impl Answer {
    pub(super) fn encode(&self) -> String {
        let mut text = format!("{} {} {}", self.epoch, self.version, u8::from(self.more));
        for (block, words) in &self.views {
            // Writing into a string never fails.
            let _ = write!(text, "\n{block} ");
            for word in words {
                let _ = write!(text, "{word:032x}");
            }
        }
        text
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut head = lines.next()?.split(' ');
        let (epoch, version) = (head.next()?.parse().ok()?, head.next()?.parse().ok()?);
        let more = head.next()? == "1";
        let mut views = Vec::new();
        for line in lines {
            let (block, hex) = line.split_once(' ')?;
            let mut words = Vec::with_capacity(hex.len() / 32);
            let mut rest = hex;
            while !rest.is_empty() {
                let (word, tail) = rest.split_at_checked(32)?;
                words.push(Word::from_str_radix(word, 16).ok()?);
                rest = tail;
            }
            views.push((block.parse().ok()?, words));
        }
        Some(Self { epoch, version, more, views })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_as_it_was_said() {
        let ask = Ask {
            shard: 3,
            shards: 16,
            epoch: 1_795_348_800_000,
            version: 7,
            from: 5,
            until: u32::MAX,
            comes_again: true,
            pages: vec![(9, vec![1, 2, Word::MAX]), (10, vec![])],
        };
        let bytes = ask.encode();
        assert_eq!(Ask::decode(&bytes), Some(ask.clone()));
        for end in 0..bytes.len() {
            // Cut between two pages it is a call with fewer of them.
            let cut = Ask::decode(&bytes[..end]);
            assert!(cut.is_none_or(|cut| cut.pages.len() < ask.pages.len()), "{end}");
        }
        let unsorted = Ask { pages: vec![(9, vec![2, 1])], ..ask.clone() };
        assert_eq!(Ask::decode(&unsorted.encode()), None);
        assert_eq!(Ask::decode(&Ask { shard: 16, ..ask }.encode()), None, "no such shard");
        let answer =
            Answer { epoch: 5, version: 9, more: true, views: vec![(7, vec![0, Word::MAX]), (8, vec![])] };
        assert_eq!(Answer::decode(&answer.encode()), Some(answer));
        for bad in ["", "1 2", "x 2 0", "1 2 0\n7", "1 2 0\n7 00"] {
            assert_eq!(Answer::decode(bad), None, "{bad}");
        }
    }
}
