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
//! | bits | 127–120 | 119–56 | 55–40 | 39–0 |
//! | --- | --- | --- | --- | --- |
//! | page: a click | crowd | key | time in the block | gap, all ones without one |
//! | page, view: a conviction | 255 | source or origin | time in the block | type |
//! | view: a hot span of starts | crowd | key | first in the block | shape << 32, last in the block |

use std::rc::Rc;

use super::reach::{Crowd, Dependency};
use super::{ClickType, Judging};

/// How long a block of time is, milliseconds. It bounds what is sent again when one click comes.
pub const BLOCK_MS: i64 = 15_000;

/// The tag of a conviction.
const CONVICTION: u8 = u8::MAX;

/// The gap of a click that has no other before it in reach.
const NO_GAP: u64 = (1 << 40) - 1;

/// Of a crowd's clicks in so long time only the first and the last few are told where they are many, milliseconds.
const MOMENT_MS: i64 = 1_000;

/// A word.
pub type Word = u128;

/// The block of a time, Unix milliseconds.
#[must_use]
pub fn block_of(ms: i64) -> u32 {
    u32::try_from(ms.div_euclid(BLOCK_MS)).unwrap_or(if ms < 0 { 0 } else { u32::MAX })
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

fn word(tag: u8, key: u64, ms: i64, rest: u64) -> Word {
    let at = u128::from(ms.rem_euclid(BLOCK_MS).cast_unsigned());
    u128::from(tag) << 120 | u128::from(key) << 56 | at << 40 | u128::from(rest)
}

/// Tag and key as one number: what words are told apart by.
#[must_use]
pub fn group(word: Word) -> u128 {
    word >> 56
}

fn tag(word: Word) -> u8 {
    (word >> 120) as u8
}

/// When it is, of a word of a block, Unix milliseconds.
fn time(block: u32, word: Word) -> i64 {
    start_of(block) + i64::from((word >> 40) as u16)
}

fn rest(word: Word) -> u64 {
    (word & u128::from(NO_GAP)) as u64
}

/// A key of the table of dependencies as it stands in a word.
#[must_use]
pub fn folded(key: u128) -> u64 {
    (key >> 64) as u64 ^ key as u64
}

/// A click that counts towards a crowd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// When, Unix milliseconds.
    pub ts_ms: i64,
    /// How long after the same recipient's last one, milliseconds; `None` where there is none in reach.
    pub gap_ms: Option<i64>,
}

impl Hit {
    /// As a word of its block.
    #[must_use]
    pub fn word(&self, crowd: &Crowd, key: u64) -> Word {
        word(crowd.number, key, self.ts_ms, self.gap_ms.map_or(NO_GAP, i64::cast_unsigned))
    }

    /// Reads a word of a block.
    #[must_use]
    pub fn of(block: u32, word: Word) -> Self {
        let gap = Some(rest(word)).filter(|gap| *gap < NO_GAP);
        Self { ts_ms: time(block, word), gap_ms: gap.map(u64::cast_signed) }
    }

    /// The starts of windows of a length that it adds its recipient to: from, and to.
    fn starts(&self, within_ms: i64) -> (i64, i64) {
        let back_ms = self.gap_ms.map_or(within_ms, |gap_ms| within_ms.min(gap_ms - 1));
        (self.ts_ms - back_ms, self.ts_ms)
    }
}

/// A conviction, as a word of its block.
#[must_use]
pub fn conviction(place: u64, ts_ms: i64, kind: ClickType) -> Word {
    word(CONVICTION, place, ts_ms, kind as u64)
}

/// A conviction of a word, where it is one: source or origin, when, what of.
#[must_use]
pub fn convicted(block: u32, word: Word) -> Option<(u64, i64, ClickType)> {
    let kind = ClickType::CLICKS.into_iter().find(|kind| *kind as u64 == rest(word))?;
    (tag(word) == CONVICTION).then_some(((word >> 56) as u64, time(block, word), kind))
}

/// Whether words of a group are convictions.
#[must_use]
pub fn is_conviction(group: u128) -> bool {
    (group >> 64) as u8 == CONVICTION
}

/// The row of the table whose crowd a group of words is of.
#[must_use]
pub fn row_of(group: u128, judging: &Judging) -> Option<(&'static Dependency, &'static Crowd)> {
    let number = (group >> 64) as u8;
    let crowds = judging.crowds().into_iter();
    crowds.filter(|(_, crowd)| crowd.number == number).last()
}

/// Leaves out what many others say already: of the clicks of one moment without a gap only the first and the last that are `enough`
/// stay. `hits` are one key's, by time. What is left out lies wherever a window may start between as many others.
pub fn thin(hits: &mut Vec<Hit>, enough: usize) {
    if hits.len() <= 2 * enough {
        return;
    }
    let mut kept = Vec::with_capacity(hits.len());
    let moment = |hit: &Hit| hit.ts_ms.div_euclid(MOMENT_MS);
    for many in hits.chunk_by(|a, b| moment(a) == moment(b)) {
        let full = many.iter().filter(|hit| hit.gap_ms.is_none()).count();
        let mut at = 0;
        for hit in many {
            let is_needed = hit.gap_ms.is_some() || at < enough || at + enough >= full;
            at += usize::from(hit.gap_ms.is_none());
            kept.extend(is_needed.then_some(*hit));
        }
    }
    *hits = kept;
}

/// Where the windows of a shape start that hold enough recipients: spans of starts (both ends included), apart and ascending.
#[must_use]
pub fn hot(hits: &[Hit], within_ms: i64, count: u32) -> Vec<(i64, i64)> {
    let mut spans: Vec<(i64, i64)> = Vec::new();
    if hits.len() < count as usize {
        return spans;
    }
    // Up at a start's beginning, down behind its end: ends come in the order of the clicks' times.
    let mut ups: Vec<i64> = Vec::with_capacity(hits.len());
    let mut downs: Vec<i64> = Vec::with_capacity(hits.len());
    for (from_ms, until_ms) in
        hits.iter().map(|hit| hit.starts(within_ms)).filter(|(from, until)| from <= until)
    {
        ups.push(from_ms);
        downs.push(until_ms + 1);
    }
    let ups = in_time(&ups);
    let downs = in_time(&downs);
    let (mut up, mut down, mut now, mut since) = (0, 0, 0_u32, None);
    while down < downs.len() {
        let at_ms = ups.get(up).copied().unwrap_or(i64::MAX).min(downs[down]);
        while ups.get(up) == Some(&at_ms) {
            (up, now) = (up + 1, now + 1);
        }
        while downs.get(down) == Some(&at_ms) {
            (down, now) = (down + 1, now - 1);
        }
        match since {
            None if now >= count => since = Some(at_ms),
            Some(from_ms) if now < count => {
                spans.push((from_ms, at_ms - 1));
                since = None;
            }
            _ => {}
        }
    }
    spans
}

fn in_time(times: &[i64]) -> Vec<i64> {
    super::order::arranged(times, &|ms| (0, u128::from(ms.cast_unsigned() ^ 1 << 63)))
}

/// The words for a hot span of starts, by the blocks that it lies in.
pub fn hot_words(
    crowd: &Crowd,
    key: u64,
    shape: usize,
    (from_ms, until_ms): (i64, i64),
    each: &mut dyn FnMut(u32, Word),
) {
    for block in block_of(from_ms)..=block_of(until_ms) {
        let (first, last) = (from_ms.max(start_of(block)), until_ms.min(end_of(block)));
        let last = last.rem_euclid(BLOCK_MS).cast_unsigned();
        each(block, word(crowd.number, key, first, (shape as u64) << 32 | last));
    }
}

/// The shape of a hot span, and its first and last start, Unix milliseconds.
#[must_use]
pub fn hot_span(block: u32, word: Word) -> (usize, (i64, i64)) {
    let shape = usize::try_from(rest(word) >> 32).unwrap_or(usize::MAX);
    (shape, (time(block, word), start_of(block) + i64::from(rest(word) as u32)))
}

/// Of one place's convictions in a block, by time, those that say all: of a run of one type the first and the last.
///
/// Exact, because a block is shorter than a conviction reaches either way: whoever looked at one between them finds one of the same type.
pub fn ends_of_runs(words: &[Word], each: &mut dyn FnMut(Word)) {
    for run in words.chunk_by(|a, b| rest(*a) == rest(*b)) {
        for (at, word) in run.iter().enumerate() {
            if at == 0 || at + 1 == run.len() {
                each(*word);
            }
        }
    }
}

/// The board's views of some blocks.
#[derive(Clone, Debug, Default)]
pub struct Views(Vec<(u32, Rc<[Word]>)>);

impl Views {
    /// Whether nothing is known from elsewhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The view of a block.
    #[must_use]
    pub fn get(&self, block: u32) -> Option<&Rc<[Word]>> {
        let at = self.0.binary_search_by_key(&block, |(known, _)| *known).ok()?;
        self.0.get(at).map(|(_, words)| words)
    }

    /// Takes in the view of a block, in place of an earlier one.
    pub fn set(&mut self, block: u32, words: Rc<[Word]>) {
        match self.0.binary_search_by_key(&block, |(known, _)| *known) {
            Ok(at) => self.0[at].1 = words,
            Err(at) => self.0.insert(at, (block, words)),
        }
    }

    /// Lets go of the blocks before one; returns them.
    pub fn take_before(&mut self, block: u32) -> Vec<(u32, Rc<[Word]>)> {
        let rest = self.0.split_off(self.0.partition_point(|(known, _)| *known < block));
        std::mem::replace(&mut self.0, rest)
    }

    /// All of them, by block.
    pub fn iter(&self) -> impl Iterator<Item = &(u32, Rc<[Word]>)> {
        self.0.iter()
    }

    /// Whether some window of a crowd's shape that holds a moment is hot.
    #[must_use]
    pub fn is_hot(&self, crowd: &Crowd, key: u64, shape: usize, within_ms: i64, ts_ms: i64) -> bool {
        let group = u128::from(crowd.number) << 64 | u128::from(key);
        (block_of(ts_ms - within_ms)..=block_of(ts_ms)).any(|block| {
            let words = self.get(block).map_or(&[][..], |words| words);
            let from = words.partition_point(|word| self::group(*word) < group);
            let mut theirs = words[from..].iter().take_while(|word| self::group(**word) == group);
            theirs.any(|word| {
                let (of, (first_ms, last_ms)) = hot_span(block, *word);
                of == shape && first_ms <= ts_ms && last_ms >= ts_ms - within_ms
            })
        })
    }
}

/// The words that stand in one of two lists and not in the other; both ascend.
#[must_use]
pub fn difference(old: &[Word], new: &[Word]) -> Vec<Word> {
    let (mut old, mut new, mut changed) = (old, new, Vec::new());
    loop {
        match (old.split_first(), new.split_first()) {
            (None, _) => {
                changed.extend_from_slice(new);
                return changed;
            }
            (_, None) => {
                changed.extend_from_slice(old);
                return changed;
            }
            (Some((a, olds)), Some((b, news))) => {
                if a != b {
                    changed.push(*a.min(b));
                }
                (old, new) = (if a <= b { olds } else { old }, if b <= a { news } else { new });
            }
        }
    }
}
