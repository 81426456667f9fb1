//! The board of a message that several objects share: what crosses recipients, added up over all of them.
//!
//! Each shard reports its pages ([`crate::verdict::evidence`]), the board makes a view of each block from everybody's and answers with
//! the views that have changed. There is no order between shards and no common watermark: whatever comes late changes a view, and
//! shards amend what they have settled by the old one. A shard whose verdicts may be concerned and that does not come by itself is
//! told to.
//!
//! - **Soft**: everything in here is made from the shards' rows. It is in rows of its own only so that nobody has to be woken after each pause;
//!   where these are gone the board has another epoch, all shards are told, and each reports from its rows anew. For half
//!   the time in which clicks settle it gathers these and shows none: views of half of the pages would take verdicts back, only to give
//!   them again. Meanwhile shards settle by the views that they have.
//! - **Exact again**: a page replaces the one before it. Twice the same is once, what comes of pages does not depend on whose came first, and
//!   a call that a later one of the same shard has overtaken is not heeded.
//! - **Rows**: see [`super::sql`]; `words`, and under `board` in `marks` its epoch, its last version and three numbers for each shard: its
//!   first and its last block, and whether it comes.

use std::rc::Rc;

use super::rows::{Rows, VIEW};
use super::said::Said;
use super::sql::Database;
use crate::link::shard;
use crate::verdict::Judging;
use crate::verdict::evidence::{
    CONVICTION, Word, block_of, difference, end_of, ends_of_runs, group, hot, hot_words, in_order, start_of,
    time,
};
use crate::verdict::order::arranged;
use crate::verdict::reach::{CARRY_AFTER_MS, CARRY_BEFORE_MS};

/// The name of the board's marks in its rows.
const MARKS: &str = "board";

/// About so many words of views are one answer.
const MOST_WORDS: usize = 65_536;

/// So many blocks of pages are kept in memory: a call looks at those that its page's clicks may share windows with, some ten.
const KEPT_BLOCKS: usize = 12;

/// The longest pause between two times that a shard is told, milliseconds.
const MAX_PAUSE_MS: i64 = 300_000;

/// What the board knows of a shard: the first and the last block in which it has reported something, and whether it comes.
type Seat = [u64; 3];

/// Nothing is owed to a shard; it is to be told to ask; it will ask by itself, as it has said; it is being told; it is to be told once
/// views are shown.
const IDLE: u64 = 0;
const OWED: u64 = 1;
const COMING: u64 = 2;
const CALLED: u64 = 3;
const WAITING: u64 = 4;

/// All shards' pages of a block.
type Pages = Vec<(i64, Rc<[Word]>)>;

/// The board of a message.
pub struct Board<D> {
    rows: Rows<D>,
    name: String,
    judging: Judging,
    epoch: u64,
    /// The last change of a view.
    version: u64,
    seats: Vec<Seat>,
    /// When each shard asked last, by its own clock, as far as this life of the board has heard: no call outlives that.
    asked_ms: Vec<u64>,
    /// Pages of the blocks asked for last, a copy of rows.
    kept: Vec<(u32, Pages)>,
    failures: u32,
    /// Until when it gathers, Unix milliseconds. One that dies meanwhile shows what it has.
    gathers_until_ms: i64,
}

impl<D: Database> Board<D> {
    /// Loads the board, or begins its first life at a moment, Unix milliseconds.
    ///
    /// # Errors
    /// When storage fails.
    pub fn load(db: D, judging: Judging, name: &str, now_ms: i64) -> Result<Self, D::Error> {
        let rows = Rows::new(db);
        let marks = rows.marks(MARKS)?;
        let (head, seats) = marks.split_at(marks.len().min(2));
        Ok(Self {
            epoch: head.first().copied().unwrap_or(now_ms.cast_unsigned()),
            version: head.last().copied().filter(|_| head.len() == 2).unwrap_or_default(),
            seats: seats.as_chunks().0.to_vec(),
            asked_ms: vec![0; shard::MOST_SHARDS as usize],
            rows,
            name: name.to_owned(),
            judging,
            kept: Vec::new(),
            failures: 0,
            gathers_until_ms: i64::MIN,
        })
    }

    fn save(&self) -> Result<(), D::Error> {
        let mut marks = vec![self.epoch, self.version];
        self.seats.iter().for_each(|seat| marks.extend(seat));
        self.rows.put_marks(MARKS, &marks)
    }

    /// Forgets what was from before a moment, Unix milliseconds: it is too old to be kept.
    ///
    /// # Errors
    /// When storage fails; the board must then be loaded again.
    pub fn forget_before(&mut self, ms: i64) -> Result<(), D::Error> {
        self.rows.forget_words(block_of(ms))
    }

    /// Answers a shard's call at a moment, Unix milliseconds; `None` where it cannot be read, or a later one has overtaken it.
    ///
    /// # Errors
    /// When storage fails; the board must then be loaded again.
    pub fn exchange(&mut self, body: &[u8], now_ms: i64) -> Result<Option<Vec<u8>>, D::Error> {
        let Some(said) = Said::decode(body)
            .filter(|said| said.shard < said.shards && said.shards <= shard::MOST_SHARDS.into())
        else {
            return Ok(None);
        };
        let (before, version) = (self.seats.clone(), self.version);
        let [shards, at] =
            [said.shards, said.shard].map(|number| usize::try_from(number).unwrap_or_default());
        if said.asked_ms < self.asked_ms[at] {
            return Ok(None);
        }
        self.asked_ms[at] = said.asked_ms;
        if self.seats.is_empty() && ![0, self.epoch].contains(&said.epoch) {
            self.gathers_until_ms = now_ms.saturating_add(self.judging.settle_ms / 2);
        }
        let gathers = now_ms < self.gathers_until_ms;
        while self.seats.len() < shards {
            // Whoever is heard of for the first time may have clicks from before.
            self.seats.push([u64::MAX, 0, OWED]);
        }
        self.seats[at][2] = match (said.goes_on, gathers) {
            (true, _) => COMING,
            (false, true) => WAITING,
            (false, false) => IDLE,
        };
        let mut changed: Vec<u32> = Vec::new();
        for (block, words) in said.pages {
            let [first, last, comes] = self.seats[at];
            self.seats[at] = [first.min(block.into()), last.max(block.into()), comes];
            self.take_page(said.shard.cast_signed(), block, &words, &mut changed)?;
        }
        if !gathers {
            self.tell_others(at, &changed);
        }
        if before != self.seats || version != self.version {
            self.save()?;
        }
        let since = if said.epoch == self.epoch { said.version } else { 0 };
        let mut answer = Said { epoch: self.epoch, version: since, ..Said::default() };
        if gathers {
            return Ok(Some(answer.encode()));
        }
        (answer.from, answer.until) = (said.from, said.until);
        let mut count = 0;
        self.rows.words((said.from, said.until), true, since, &mut |block, _, version, words| {
            answer.goes_on = count > MOST_WORDS;
            if !answer.goes_on {
                (count, answer.version) = (count + words.len(), version);
                answer.pages.push((block, words));
            }
            !answer.goes_on
        })?;
        if !answer.goes_on {
            answer.version = self.version;
        }
        Ok(Some(answer.encode()))
    }

    /// Takes in a shard's page of a block, and makes the views anew that it changes.
    fn take_page(
        &mut self,
        shard: i64,
        block: u32,
        words: &[Word],
        changed: &mut Vec<u32>,
    ) -> Result<(), D::Error> {
        let pages = self.pages(block)?;
        let at = pages.iter().position(|(known, _)| *known == shard).unwrap_or(pages.len());
        if at == pages.len() {
            pages.push((shard, Rc::from([])));
        }
        let mut groups: Vec<(u64, u8)> = difference(&pages[at].1, words).into_iter().map(group).collect();
        groups.dedup();
        if groups.is_empty() {
            return Ok(());
        }
        pages[at].1 = words.into();
        self.rows.put_words(block, shard, 1, words)?;
        // A click is seen from the starts of all windows that hold it, and each of those sees as far on.
        let reach_ms = self.judging.crowd_reach_ms();
        let first = block_of(start_of(block).saturating_sub(reach_ms));
        let mut found: Vec<(u32, Word)> = Vec::new();
        for of in first..=block_of(end_of(block).saturating_add(reach_ms)) {
            for (_, words) in self.pages(of)?.iter() {
                let mut wanted = groups.iter().peekable();
                for word in words.iter() {
                    while wanted.next_if(|wanted| **wanted < group(*word)).is_some() {}
                    if wanted.peek().is_some_and(|wanted| **wanted == group(*word)) {
                        found.push((of, *word));
                    }
                }
            }
        }
        let found = arranged(&found, &|(of, (key, rest))| {
            let (tag, at) = (rest >> 56, time(*of, (*key, *rest)).cast_unsigned());
            (u128::from(*key) << 8 | u128::from(tag), u128::from(at) << 64 | u128::from(*rest))
        });
        let mut made: Vec<(u32, Word)> = Vec::new();
        for theirs in found.chunk_by(|a, b| group(a.1) == group(b.1)) {
            self.view_of(theirs, (first, block), &mut |of, word| made.push((of, word)));
        }
        for of in first..=block {
            let mut old: Vec<Word> = Vec::new();
            self.rows.words((of.into(), u64::from(of) + 1), true, 0, &mut |_, _, _, words| {
                old = words;
                true
            })?;
            let is_made = |word: &Word| {
                (of == block || group(*word).1 != CONVICTION) && groups.binary_search(&group(*word)).is_ok()
            };
            let mut new: Vec<Word> = old.iter().copied().filter(|word| !is_made(word)).collect();
            new.extend(made.iter().filter(|(known, _)| *known == of).map(|(_, word)| *word));
            new = in_order(&new);
            new.dedup();
            if old != new {
                self.version = self.version.saturating_add(1);
                self.rows.put_words(of, VIEW, self.version, &new)?;
                changed.push(of);
            }
        }
        Ok(())
    }

    /// What words of one group come to in the views between two blocks (both included); of convictions those of the last.
    fn view_of(&self, theirs: &[(u32, Word)], (first, last): (u32, u32), each: &mut dyn FnMut(u32, Word)) {
        let group = group(theirs[0].1);
        if group.1 == CONVICTION {
            let there: Vec<(u32, Word)> =
                theirs.iter().filter(|(block, _)| *block == last).copied().collect();
            ends_of_runs(&there, each);
        }
        let crowds = self.judging.crowds();
        let Some((_, crowd)) = crowds.iter().find(|(_, crowd)| crowd.number == group.1) else { return };
        for (at, shape) in (crowd.shapes)(&self.judging.thresholds).into_iter().enumerate() {
            for (from_ms, until_ms) in hot(theirs, shape) {
                let span = (from_ms.max(start_of(first)), until_ms.min(end_of(last)));
                if span.0 <= span.1 {
                    hot_words(group, at, span, each);
                }
            }
        }
    }

    /// Everybody's pages of a block.
    fn pages(&mut self, block: u32) -> Result<&mut Pages, D::Error> {
        let known = self.kept.iter().position(|(known, _)| *known == block);
        if known.is_none() {
            let mut pages = Vec::new();
            self.rows.words((block.into(), u64::from(block) + 1), false, 0, &mut |_, whose, _, words| {
                pages.push((whose, words.into()));
                true
            })?;
            if self.kept.len() >= KEPT_BLOCKS {
                self.kept.remove(0);
            }
            self.kept.push((block, pages));
        }
        let at = known.unwrap_or(self.kept.len() - 1);
        Ok(&mut self.kept[at].1)
    }

    /// Takes note of the shards whose verdicts changed views may concern, and that do not come by themselves.
    fn tell_others(&mut self, but: usize, changed: &[u32]) {
        let Some((first, last)) = changed.iter().min().zip(changed.iter().max()) else { return };
        let reach_ms = CARRY_BEFORE_MS.max(self.judging.crowd_reach_ms());
        let first = u64::from(block_of(start_of(*first).saturating_sub(CARRY_AFTER_MS)));
        let last = u64::from(block_of(end_of(*last).saturating_add(reach_ms)));
        for (at, seat) in self.seats.iter_mut().enumerate() {
            if at != but && seat[0] <= last && seat[1] >= first && seat[2] != COMING {
                seat[2] = OWED;
            }
        }
    }

    /// The objects that are to be told at a moment, Unix milliseconds, that there is something to hear: numbers and addresses.
    #[must_use]
    pub fn owed(&self, now_ms: i64) -> Vec<(u32, String)> {
        let message_id = self.name.split('#').next().unwrap_or_default();
        let shards = u32::try_from(self.seats.len()).unwrap_or(u32::MAX);
        let owed =
            (0..).zip(&self.seats).filter(|(_, seat)| self.due_of(seat).is_some_and(|ms| ms <= now_ms));
        owed.map(|(number, _)| (number, shard::address(message_id, number, shards))).collect()
    }

    /// When a shard is to be told, Unix milliseconds.
    fn due_of(&self, seat: &Seat) -> Option<i64> {
        match seat[2] {
            // Of one that was being told nobody knows any more whether it was.
            OWED | CALLED => Some(i64::MIN),
            WAITING => Some(self.gathers_until_ms),
            _ => None,
        }
    }

    /// When the first of them is to be told, Unix milliseconds.
    #[must_use]
    pub fn due_ms(&self) -> Option<i64> {
        self.seats.iter().filter_map(|seat| self.due_of(seat)).min()
    }

    /// A shard is being told. What it asks meanwhile, and what becomes known meanwhile, is newer than what it will have been told.
    pub fn calls(&mut self, shard: u32) {
        if let Some(seat) = self.seats.get_mut(shard as usize) {
            seat[2] = CALLED;
        }
    }

    /// A shard has been told and will ask, or where it could not be, returns when to try again, Unix milliseconds.
    ///
    /// # Errors
    /// When storage fails; the board must then be loaded again.
    pub fn told(&mut self, shard: u32, is_told: bool, now_ms: i64) -> Result<Option<i64>, D::Error> {
        if !is_told {
            let pause_ms = (1_000_i64 << self.failures.min(16)).min(MAX_PAUSE_MS);
            self.failures += 1;
            return Ok(Some(now_ms + pause_ms));
        }
        self.failures = 0;
        if let Some(seat) = self.seats.get_mut(shard as usize).filter(|seat| seat[2] == CALLED) {
            // It comes by an alarm of its own, which stands.
            seat[2] = COMING;
            self.save()?;
        }
        Ok(None)
    }
}
