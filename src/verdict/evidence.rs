//! What crosses recipients, in the form in which the shards of a message exchange it: sorted words of 128 bits, by the block of time.
//!
//! A shard's page of a block says which clicks it has there that count towards a crowd ([`Crowd`]), by key and time, and what it
//! convicted. Who clicked does not stand in it: of a recipient's further click it says how long after the one before it
//! was, which is all that it takes to count distinct recipients. The board answers with a view of the block, for all shards the same:
//! where crowds are hot, and all convictions.
//!
//! # Why that is exact
//!
//! For a key let I(r) be the union of \[t − w, t\] over the clicks of recipient r: the starts of all windows of length w that hold r.
//! F(a) is the number of recipients with a ∈ I(r). A click at t lies in a window with n distinct recipients if and only if F(a) ≥ n for
//! some a in \[t − w, t\]: for a take the first click of the window; the clicks of \[a, a + w\] lie at most w apart. Recipients are
//! disjoint over shards, so F is the sum of the shards'. A click that comes a gap g after the recipient's last on that key adds
//! \[t − min(w, g − 1), t\] to what I(r) was, for every w at once.
//!
//! A word is two numbers: the key, and
//!
//! | bits | 63–56 | 55–40 | 39–0 |
//! | --- | --- | --- | --- |
//! | page: a click | crowd | time in the block | gap, all ones without one |
//! | page, view: a conviction; the key is a source or an origin | 255 | time in the block | type |
//! | view: a hot span of starts | crowd | first in the block | shape << 32, last in the block |

use std::rc::Rc;

use super::ClickType;
use super::order::arranged;

/// How long a block of time is, milliseconds. It bounds what is sent again when one click comes.
pub const BLOCK_MS: i64 = 15_000;

/// The tag of a conviction.
pub const CONVICTION: u8 = u8::MAX;

/// The gap of a click that has no other before it in reach.
const NO_GAP: u64 = (1 << 40) - 1;

/// Of a crowd's clicks in so long time only the first and the last few are told where they are many, milliseconds.
const MOMENT_MS: i64 = 1_000;

/// A word.
pub type Word = (u64, u64);

/// The block of a time, Unix milliseconds.
#[must_use]
pub fn block_of(ms: i64) -> u32 {
    u32::try_from(ms.clamp(0, i64::from(u32::MAX) * BLOCK_MS) / BLOCK_MS).unwrap_or(u32::MAX)
}

/// When a block begins, Unix milliseconds.
#[must_use]
pub fn start_of(block: u32) -> i64 {
    i64::from(block) * BLOCK_MS
}

/// When a block ends: its last moment, Unix milliseconds.
#[must_use]
pub fn end_of(block: u32) -> i64 {
    start_of(block) + BLOCK_MS - 1
}

/// What a word of a block says at a moment.
#[must_use]
pub fn word(tag: u8, key: u64, ms: i64, rest: u64) -> Word {
    (key, u64::from(tag) << 56 | (ms.rem_euclid(BLOCK_MS) as u64) << 40 | rest)
}

/// Key and tag: what words are told apart by.
#[must_use]
pub fn group((key, rest): Word) -> (u64, u8) {
    (key, (rest >> 56) as u8)
}

/// Words in order.
#[must_use]
pub fn in_order(words: &[Word]) -> Vec<Word> {
    arranged(words, &|(key, rest)| (u128::from(*key), u128::from(*rest)))
}

/// When it is, of a word of a block, Unix milliseconds.
#[must_use]
pub fn time(block: u32, (_, rest): Word) -> i64 {
    start_of(block) + (rest >> 40 & 0xffff).cast_signed()
}

fn rest((_, rest): Word) -> u64 {
    rest & NO_GAP
}

/// A click's word: a gap is how long after the same recipient's last one it was, milliseconds.
#[must_use]
pub fn hit((key, tag): (u64, u8), ts_ms: i64, gap_ms: Option<i64>) -> Word {
    word(tag, key, ts_ms, gap_ms.map_or(NO_GAP, i64::cast_unsigned))
}

/// A conviction of a word, where it is one: when, and what of.
#[must_use]
pub fn convicted(block: u32, word: Word) -> Option<(i64, ClickType)> {
    let kind = ClickType::CLICKS.into_iter().find(|kind| *kind as u64 == rest(word))?;
    (group(word).1 == CONVICTION).then_some((time(block, word), kind))
}

/// Leaves out what many others say already: of the clicks of one moment without a gap only the first and the last that are `enough`
/// stay. `words` are a block's, in order. What is left out lies wherever a window may start between as many others.
pub fn thin(words: &mut Vec<Word>, enough: usize) {
    let moment = |word: &Word| (word.1 >> 40 & 0xffff).cast_signed() / MOMENT_MS;
    let mut kept = Vec::with_capacity(words.len());
    for many in words.chunk_by(|a, b| (group(*a), moment(a)) == (group(*b), moment(b))) {
        let (mut at, full) = (0, many.iter().filter(|word| rest(**word) == NO_GAP).count());
        for word in many {
            let is_full = rest(*word) == NO_GAP;
            if !is_full || group(*word).1 == CONVICTION || at < enough || at + enough >= full {
                kept.push(*word);
            }
            at += usize::from(is_full);
        }
    }
    *words = kept;
}

/// Where the windows of a shape start that hold enough recipients: spans of starts (both ends included), apart and ascending. The
/// words are one group's clicks with their blocks.
#[must_use]
pub fn hot(words: &[(u32, Word)], (within_ms, count): (i64, u32)) -> Vec<(i64, i64)> {
    let mut spans: Vec<(i64, i64)> = Vec::new();
    // Up at the first start that a click adds its recipient to, down behind the last: twice the time, and one for up.
    let mut steps: Vec<Word> = Vec::with_capacity(2 * words.len());
    for (block, word) in words {
        let until_ms = time(*block, *word);
        let back_ms = within_ms.min(rest(*word).cast_signed().saturating_sub(1));
        if back_ms >= 0 {
            let from_ms = (until_ms - back_ms).max(0);
            steps.extend([(from_ms.cast_unsigned(), 1), ((until_ms + 1).cast_unsigned(), 0)]);
        }
    }
    let (mut now, mut since) = (0_u32, 0);
    for (ms, is_up) in arranged(&steps, &|(ms, is_up)| (u128::from(*ms), u128::from(*is_up))) {
        if is_up == 1 {
            now += 1;
            if now == count {
                since = ms;
            }
        } else {
            if now == count && since < ms {
                spans.push((since.cast_signed(), ms.cast_signed() - 1));
            }
            now -= 1;
        }
    }
    spans
}

/// The words for a hot span of starts, by the blocks that it lies in.
pub fn hot_words(
    (key, tag): (u64, u8),
    shape: usize,
    (from_ms, until_ms): (i64, i64),
    each: &mut dyn FnMut(u32, Word),
) {
    for block in block_of(from_ms)..=block_of(until_ms) {
        let (first, last) = (from_ms.max(start_of(block)), until_ms.min(end_of(block)));
        each(block, word(tag, key, first, (shape as u64) << 32 | last.rem_euclid(BLOCK_MS) as u64));
    }
}

/// The shape of a hot span, and its first and last start, Unix milliseconds.
#[must_use]
pub fn hot_span(block: u32, word: Word) -> (usize, (i64, i64)) {
    let shape = (rest(word) >> 32) as usize;
    (shape, (time(block, word), start_of(block) + (rest(word) & 0xffff_ffff).cast_signed()))
}

/// Of one place's convictions in a block, in order, those that say all: of a run of one type the first and the last.
///
/// Exact, because a block is shorter than a conviction reaches either way: whoever looked at one between them finds one of the same type.
pub fn ends_of_runs(words: &[(u32, Word)], each: &mut dyn FnMut(u32, Word)) {
    for (at, (block, word)) in words.iter().enumerate() {
        let is_same =
            |other: Option<&(u32, Word)>| other.is_some_and(|(_, other)| rest(*other) == rest(*word));
        let (before, after) = (at.checked_sub(1).and_then(|at| words.get(at)), words.get(at + 1));
        if !is_same(before) || !is_same(after) {
            each(*block, *word);
        }
    }
}

/// The board's views of some blocks, in order.
#[derive(Clone, Debug, Default)]
pub struct Views(pub Vec<(u32, Rc<[Word]>)>);

impl Views {
    /// The view of a block; empty where none is known.
    #[must_use]
    pub fn get(&self, block: u32) -> Rc<[Word]> {
        let found = self.0.iter().find(|(known, _)| *known == block);
        found.map_or(Rc::from([]), |(_, words)| Rc::clone(words))
    }

    /// Takes in the view of a block, in place of an earlier one.
    pub fn set(&mut self, block: u32, words: Rc<[Word]>) {
        let at = self.0.partition_point(|(known, _)| *known < block);
        match self.0.get_mut(at).filter(|(known, _)| *known == block) {
            Some((_, known)) => *known = words,
            None => self.0.insert(at, (block, words)),
        }
    }

    /// Hands over what a place is convicted of between two moments (both included), Unix milliseconds.
    pub fn convicted(
        &self,
        place: u64,
        (from_ms, until_ms): (i64, i64),
        each: &mut dyn FnMut(i64, ClickType),
    ) {
        let blocks = block_of(from_ms)..=block_of(until_ms);
        for (block, words) in self.0.iter().filter(|(block, _)| blocks.contains(block)) {
            let from = words.partition_point(|word| *word < (place, u64::from(CONVICTION) << 56));
            for word in words[from..].iter().take_while(|(key, _)| *key == place) {
                if let Some((ms, kind)) =
                    convicted(*block, *word).filter(|(ms, _)| (from_ms..=until_ms).contains(ms))
                {
                    each(ms, kind);
                }
            }
        }
    }

    /// Whether some window of a crowd's shape that holds a moment is hot.
    #[must_use]
    pub fn is_hot(&self, (key, tag): (u64, u8), shape: usize, within_ms: i64, ts_ms: i64) -> bool {
        let first = block_of(ts_ms - within_ms);
        let blocks = self.0.iter().filter(|(block, _)| (first..=block_of(ts_ms)).contains(block));
        for (block, words) in blocks {
            let from = words.partition_point(|word| *word < (key, u64::from(tag) << 56));
            for word in words[from..].iter().take_while(|word| group(**word) == (key, tag)) {
                let (of, (first_ms, last_ms)) = hot_span(*block, *word);
                if of == shape && first_ms <= ts_ms && last_ms >= ts_ms - within_ms {
                    return true;
                }
            }
        }
        false
    }
}

/// The words that stand in one of two lists and not in the other, as often as they do; both ascend.
#[must_use]
pub fn difference(old: &[Word], new: &[Word]) -> Vec<Word> {
    let (mut a, mut b, mut changed) = (0, 0, Vec::new());
    while let Some(next) = old.get(a).into_iter().chain(new.get(b)).min() {
        let (in_old, in_new) = (old.get(a) == Some(next), new.get(b) == Some(next));
        changed.extend((in_old != in_new).then_some(*next));
        (a, b) = (a + usize::from(in_old), b + usize::from(in_new));
    }
    changed
}
