//! The board of a message that several objects share: what crosses recipients, added up over all of them.
//!
//! Each shard reports its pages ([`crate::verdict::evidence`]), the board makes a view of each block from everybody's and answers with
//! the views that have changed. There is no order between shards and no common watermark: whatever comes late changes a view, and
//! shards amend what they have settled by the old one. A shard whose verdicts may be concerned and that does not come by itself is
//! told to.
//!
//! - **Soft**: everything in here is made from the shards' rows. It is in rows of its own only so that nobody has to be woken after each pause;
//!   where these are gone the board has another epoch, all shards are told, and each reports from its rows anew.
//! - **Exact again**: a page replaces the one before it. Twice the same is once, and what comes of pages does not depend on their order.
//! - **Rows**: see [`super::sql`]; `words`, `board`, `owed`.

use std::rc::Rc;

use super::exchange::{Answer, Ask, Page};
use super::rows::{BoardRow, Rows, VIEW};
use super::shard::join;
use super::sql::Database;
use crate::link::shard;
use crate::verdict::Judging;
use crate::verdict::evidence::{
    Hit, Word, block_of, difference, end_of, ends_of_runs, group, hot, hot_words, is_conviction, row_of,
    start_of,
};
use crate::verdict::order::{arranged, ascending};
use crate::verdict::reach::{CARRY_AFTER_MS, CARRY_BEFORE_MS};

/// About so many words of views are one answer.
const MOST_WORDS: usize = 65_536;

/// So many blocks of pages are kept in memory.
const KEPT_BLOCKS: usize = 16;

/// The longest pause between two times that a shard is told, milliseconds.
const MAX_PAUSE_MS: i64 = 300_000;

/// All shards' pages of a block.
type Pages = Vec<(u32, Rc<[Word]>)>;

/// The board of a message.
pub struct Board<D> {
    rows: Rows<D>,
    name: String,
    judging: Judging,
    row: BoardRow,
    /// Pages of the blocks asked for last, a copy of rows.
    kept: Vec<(u32, Pages)>,
    /// Shards that will ask without being told, as they have said.
    coming: Vec<u32>,
    failures: u32,
}

impl<D: Database> Board<D> {
    /// Loads the board, or begins its first life at a moment, Unix milliseconds.
    ///
    /// # Errors
    /// When storage fails.
    pub fn load(db: D, judging: Judging, name: &str, now_ms: i64) -> Result<Self, D::Error> {
        let rows = Rows::new(db);
        let row = match rows.board()? {
            Some(row) => row,
            None => {
                let row = BoardRow { epoch: now_ms, shards: 1, version: 0 };
                rows.put_board(&row)?;
                row
            }
        };
        let (kept, coming) = (Vec::new(), Vec::new());
        Ok(Self { rows, name: name.to_owned(), judging, row, kept, coming, failures: 0 })
    }

    /// Where its rows are.
    #[must_use]
    pub fn db(&self) -> &D {
        self.rows.db()
    }

    /// Answers a shard's call; `None` where that cannot be read.
    ///
    /// # Errors
    /// When storage fails; the board must then be loaded again.
    pub fn exchange(&mut self, body: &[u8]) -> Result<Option<String>, D::Error> {
        let Some(ask) = Ask::decode(body) else { return Ok(None) };
        let before = self.row;
        if ask.shards > self.row.shards {
            // Whoever is heard of for the first time may have clicks from before.
            for other in (0..ask.shards).filter(|other| *other != ask.shard) {
                self.rows.owe(other, true)?;
            }
            self.row.shards = ask.shards;
        }
        self.rows.owe(ask.shard, false)?;
        self.coming.retain(|shard| *shard != ask.shard);
        self.coming.extend(ask.comes_again.then_some(ask.shard));
        let mut changed: Vec<u64> = Vec::new();
        for (block, words) in ask.pages {
            self.take_page(ask.shard, block, words, &mut changed)?;
        }
        self.tell_others(ask.shard, &changed)?;
        if self.row != before {
            self.rows.put_board(&self.row)?;
        }
        let since = if ask.epoch == self.row.epoch || ask.epoch == 0 { ask.version } else { 0 };
        let answer = self.answer((ask.from, ask.until), since)?;
        while self.kept.len() > KEPT_BLOCKS {
            self.kept.remove(0);
        }
        Ok(Some(answer.encode()))
    }

    /// The views between two blocks that have changed since a version, as many as fit.
    fn answer(&self, span: (u32, u32), since: u64) -> Result<Answer, D::Error> {
        let mut answer = Answer { epoch: self.row.epoch, version: since, more: false, views: Vec::new() };
        let mut words = 0;
        self.rows.words(span, VIEW, since, &mut |block, version, bytes| {
            // All views of one version are of one answer.
            answer.more = words > MOST_WORDS && version > answer.version;
            if !answer.more {
                words += bytes.len() / size_of::<Word>();
                answer.version = version;
                join(&mut answer.views, block, bytes);
            }
            !answer.more
        })?;
        if !answer.more {
            answer.version = self.row.version;
        }
        Ok(answer)
    }

    /// Takes in a shard's page of a block, and makes the views anew that it changes.
    fn take_page(
        &mut self,
        shard: u32,
        block: u32,
        words: Vec<Word>,
        changed: &mut Vec<u64>,
    ) -> Result<(), D::Error> {
        let pages = self.pages(block)?;
        let at = pages.iter().position(|(known, _)| *known == shard);
        let old: Rc<[Word]> = at.map_or(Rc::from([]), |at| Rc::clone(&pages[at].1));
        let news = difference(&old, &words);
        if news.is_empty() {
            return Ok(());
        }
        self.rows.put_words(block, shard.into(), 1, &words)?;
        let pages = self.pages(block)?;
        match at {
            Some(at) => pages[at].1 = words.into(),
            None => pages.push((shard, words.into())),
        }
        let mut groups: Vec<u128> = news.iter().map(|word| group(*word)).collect();
        groups.dedup();
        // A click is seen from the starts of all windows that hold it.
        let reach_ms = self.judging.crowd_reach_ms();
        let first = block_of(start_of(block).saturating_sub(reach_ms));
        let mut views: Vec<Page> = Vec::new();
        for of in first..=block {
            let mut view: Vec<Word> = Vec::new();
            self.rows.words((of, of + 1), VIEW, 0, &mut |_, _, words| {
                view.extend(super::exchange::words_of(words));
                true
            })?;
            views.push((of, view));
        }
        let before = views.clone();
        let convictions = groups.partition_point(|of| !is_conviction(*of));
        if convictions < groups.len() {
            let mut all = self.collect((block, block), &groups[convictions..])?;
            all.dedup();
            replace(&mut views, (block, block), &groups[convictions..], &mut |each| {
                for place in all.chunk_by(|a, b| group(a.1) == group(b.1)) {
                    let place: Vec<Word> = place.iter().map(|(_, word)| *word).collect();
                    ends_of_runs(&place, &mut |word| each(block, word));
                }
            });
        }
        let groups = &groups[..convictions];
        if !groups.is_empty() {
            let last = block_of(end_of(block).saturating_add(reach_ms));
            let all = self.collect((first, last), groups)?;
            let judging = &self.judging;
            replace(&mut views, (first, block), groups, &mut |each| {
                for of_key in all.chunk_by(|a, b| group(a.1) == group(b.1)) {
                    let of = group(of_key[0].1);
                    let Some((_, crowd)) = row_of(of, judging) else { continue };
                    let hits: Vec<Hit> = of_key.iter().map(|(block, word)| Hit::of(*block, *word)).collect();
                    for (shape, (within_ms, count)) in
                        (crowd.shapes)(&judging.thresholds).into_iter().enumerate()
                    {
                        for (from_ms, until_ms) in hot(&hits, within_ms, count) {
                            let span = (from_ms.max(start_of(first)), until_ms.min(end_of(block)));
                            if span.0 <= span.1 {
                                hot_words(crowd, of as u64, shape, span, each);
                            }
                        }
                    }
                }
            });
        }
        for ((block, old), (_, new)) in before.into_iter().zip(views) {
            if old != new {
                self.row.version += 1;
                self.rows.put_words(block, VIEW, self.row.version, &new)?;
                changed.push(block.into());
            }
        }
        Ok(())
    }

    /// The words of some groups, which ascend, in everybody's pages between two blocks (both included), by group and time.
    fn collect(&mut self, (first, last): (u32, u32), groups: &[u128]) -> Result<Vec<(u32, Word)>, D::Error> {
        let mut found: Vec<(u32, Word)> = Vec::new();
        for block in first..=last {
            for (_, words) in self.pages(block)?.iter() {
                let mut groups = groups.iter().peekable();
                for word in words.iter() {
                    while groups.next_if(|of| **of < group(*word)).is_some() {}
                    match groups.peek() {
                        None => break,
                        Some(of) if **of == group(*word) => found.push((block, *word)),
                        Some(_) => {}
                    }
                }
            }
        }
        Ok(arranged(&found, &|(block, word)| {
            (group(*word), u128::from(*block) << 64 | *word & u128::from(u64::MAX >> 8))
        }))
    }

    /// Everybody's pages of a block.
    fn pages(&mut self, block: u32) -> Result<&mut Pages, D::Error> {
        let at = self.kept.iter().position(|(known, _)| *known == block);
        let at = match at {
            Some(at) => at,
            None => {
                let mut pages = Vec::new();
                for shard in self.rows.shards_between(block, block + 1)? {
                    let mut page: Vec<Page> = Vec::new();
                    self.rows.words((block, block + 1), shard.into(), 0, &mut |block, _, words| {
                        join(&mut page, block, words);
                        true
                    })?;
                    pages.extend(page.pop().map(|(_, words)| (shard, words.into())));
                }
                self.kept.push((block, pages));
                self.kept.len() - 1
            }
        };
        Ok(&mut self.kept[at].1)
    }

    /// Takes note of the shards whose verdicts changed views may concern, and that do not come by themselves.
    fn tell_others(&self, but: u32, changed: &[u64]) -> Result<(), D::Error> {
        let changed = ascending(changed);
        let (Some(first), Some(last)) = (changed.first(), changed.last()) else { return Ok(()) };
        let narrow = |block: u64| u32::try_from(block).unwrap_or(u32::MAX);
        // A conviction reaches a minute back, a crowd its window on, a conviction further.
        let from_ms = start_of(narrow(*first)).saturating_sub(CARRY_AFTER_MS);
        let until = block_of(
            end_of(narrow(*last)).saturating_add(CARRY_BEFORE_MS.max(self.judging.crowd_reach_ms())),
        );
        for shard in self.rows.shards_between(block_of(from_ms), until + 1)? {
            if shard != but && !self.coming.contains(&shard) {
                self.rows.owe(shard, true)?;
            }
        }
        Ok(())
    }

    /// The objects that are to be told that there is something to hear.
    ///
    /// # Errors
    /// When storage fails.
    pub fn owed(&self) -> Result<Vec<(u32, String)>, D::Error> {
        let message_id = self.name.split('#').next().unwrap_or_default();
        let owed = self.rows.owed()?.into_iter();
        Ok(owed.map(|number| (number, shard::address(message_id, number, self.row.shards))).collect())
    }

    /// A shard has been told: it will ask.
    ///
    /// # Errors
    /// When storage fails; the board must then be loaded again.
    pub fn told(&mut self, shard: u32) -> Result<(), D::Error> {
        self.failures = 0;
        self.rows.owe(shard, false)
    }

    /// Somebody could not be told; returns when to try again, Unix milliseconds.
    pub fn untold(&mut self, now_ms: i64) -> i64 {
        let pause_ms = (1_000_i64 << self.failures.min(16)).min(MAX_PAUSE_MS);
        self.failures = self.failures.saturating_add(1);
        now_ms + pause_ms
    }
}

/// Puts new words of some groups in place of the old ones, in the views between two blocks (both included).
fn replace(
    views: &mut [Page],
    (first, last): (u32, u32),
    groups: &[u128],
    make: &mut dyn FnMut(&mut dyn FnMut(u32, Word)),
) {
    let mut made: Vec<(u32, Word)> = Vec::new();
    make(&mut |block, word| made.push((block, word)));
    for (block, words) in views.iter_mut().filter(|(block, _)| (first..=last).contains(block)) {
        let kept = words.iter().copied().filter(|word| groups.binary_search(&group(*word)).is_err());
        let news = made.iter().filter(|(of, _)| of == block).map(|(_, word)| *word);
        let all: Vec<Word> = kept.chain(news).collect();
        *words = arranged(&all, &|word| (0, *word));
        words.dedup();
    }
}
