//! Which part of its message an object keeps: all of it, or one of several shards; and a shard's side of the exchange with their board
//! ([`super::board`]).
//!
//! What crosses recipients ([`crate::verdict::evidence`]) a shard reports by blocks of time: whatever changes something there marks its
//! block, and the next exchange sends the whole of it anew. So to report twice, late or in another order is harmless. What the board
//! answers is kept in rows. A view that changes says whose verdicts may: these are judged again in the same transaction. Nobody
//! waits for a board that does not answer: the shard settles by what it knows and amends later.
//!
//! | what | where it is after a restart |
//! | --- | --- |
//! | marks of the window's blocks | every block of the window is marked |
//! | marks of older blocks | every block from `unreported_from` of the shard's row on is marked |
//! | views | in rows; memory has those that reach the window |

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::Message;
use super::exchange::{Answer, Ask, Page, words_of};
use super::history::{Clicks, merged};
use super::rows::{ShardRow, VIEW};
use super::sql::Database;
use crate::link::shard;
use crate::record::{Delivery, EventId, Kind};
use crate::verdict::Click;
use crate::verdict::convictions::Convictions;
use crate::verdict::evidence::{
    self, Hit, Views, Word, block_of, convicted, difference, end_of, group, hot_span, is_conviction, start_of,
};
use crate::verdict::order::arranged;
use crate::verdict::reach::{CARRY_AFTER_MS, CARRY_BEFORE_MS};

/// How long after a click its block is reported, milliseconds: others settle a minute after theirs.
const REPORT_MS: i64 = 5_000;

/// The most blocks that one exchange reports, and about how many words.
const MOST_BLOCKS: usize = 32;
const MOST_WORDS: usize = 65_536;

/// The longest pause after exchanges that failed, milliseconds.
const MAX_PAUSE_MS: i64 = 60_000;

/// What an object knows of its part.
pub(super) struct Shard {
    /// The object's name.
    pub name: String,
    /// Its row; `None` while it is not known to be one of several.
    row: Option<ShardRow>,
    /// Blocks to report, ascending.
    marked: Vec<u32>,
    /// All blocks from here on that have clicks are to be reported, too, one after the other.
    rebuild_from: Option<u32>,
    /// From when on the marked ones are to be reported, Unix milliseconds.
    report_ms: i64,
    /// What was reported of a block: a digest, by block, ascending.
    reported: Vec<(u32, u64)>,
    /// The exchange that is under way.
    asked: Option<Asked>,
    /// There is more to hear.
    is_told: bool,
    /// Of older views than are known, the version up to which they have come.
    older_version: u64,
    /// When it heard the board last, Unix milliseconds.
    heard_ms: i64,
    failures: u32,
    /// After exchanges that failed: not before, Unix milliseconds.
    pause_until_ms: i64,
    /// The board's views that reach the window.
    views: Views,
    /// The convictions in them.
    pub others: Convictions,
}

/// An exchange under way.
struct Asked {
    digests: Vec<(u32, u64)>,
    /// It asks for older views than are known: from here on.
    older_from: Option<u32>,
}

impl Shard {
    pub(super) fn new(name: String, row: Option<ShardRow>) -> Self {
        Self {
            name,
            row,
            marked: Vec::new(),
            rebuild_from: None,
            report_ms: i64::MAX,
            reported: Vec::new(),
            asked: None,
            is_told: false,
            older_version: 0,
            heard_ms: i64::MIN,
            failures: 0,
            pause_until_ms: i64::MIN,
            views: Views::default(),
            others: Convictions::default(),
        }
    }

    /// How many objects share the message.
    pub(super) fn count(&self) -> u32 {
        self.row.map_or(1, |row| row.shards)
    }

    /// When it wants to exchange something, Unix milliseconds.
    pub(super) fn due_ms(&self) -> Option<i64> {
        let is_due = self.is_told || self.rebuild_from.is_some();
        let due_ms = if is_due { i64::MIN } else { self.report_ms };
        (self.count() > 1 && due_ms < i64::MAX).then_some(due_ms.max(self.pause_until_ms))
    }

    /// Something has changed that others may look at, from a moment on and as long as it reaches.
    pub(super) fn mark(&mut self, ts_ms: i64, reach_ms: i64) {
        if self.count() < 2 {
            return;
        }
        for block in block_of(ts_ms)..=block_of(ts_ms.saturating_add(reach_ms)) {
            if let Err(at) = self.marked.binary_search(&block) {
                self.marked.insert(at, block);
            }
        }
        self.report_ms = self.report_ms.min(ts_ms.saturating_add(REPORT_MS));
    }

    /// A click's conviction has begun or ended.
    pub(super) fn mark_convicted(&mut self, ts_ms: i64) {
        self.mark(ts_ms, 0);
    }

    /// Lets go of what does not reach back to a moment any more.
    pub(super) fn forget_before(&mut self, ms: i64) {
        let block = block_of(ms);
        for (block, words) in self.views.take_before(block) {
            each_conviction(block, &words, &mut |place, ms, kind| self.others.remove_at(place, ms, kind));
        }
        self.reported.drain(..self.reported.partition_point(|(known, _)| *known < block));
    }

    fn set_view(&mut self, block: u32, words: Rc<[Word]>) {
        let old = self.views.get(block).cloned();
        if let Some(old) = old {
            each_conviction(block, &old, &mut |place, ms, kind| self.others.remove_at(place, ms, kind));
        }
        each_conviction(block, &words, &mut |place, ms, kind| self.others.add_at(place, ms, kind));
        self.views.set(block, words);
    }
}

fn each_conviction(block: u32, words: &[Word], each: &mut dyn FnMut(u64, i64, crate::verdict::ClickType)) {
    for (place, ms, kind) in words.iter().filter_map(|word| convicted(block, *word)) {
        each(place, ms, kind);
    }
}

fn digest(words: &[Word]) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

impl<D: Database> Message<D> {
    /// How many objects share the message, as far as this one has been told.
    #[must_use]
    pub fn shards(&self) -> u32 {
        self.shard.count()
    }

    /// The name of the board, where the message has one.
    #[must_use]
    pub fn board(&self) -> Option<String> {
        let (message_id, _) = shard::of_name(&self.shard.name)?;
        (self.shard.count() > 1).then(|| shard::board_name(message_id))
    }

    /// Takes in that so many objects share the message. Links of one message may disagree: the largest count stands, so that
    /// no object is forgotten.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn set_shards(&mut self, shards: u32) -> Result<(), D::Error> {
        if shards <= self.shard.count() {
            return Ok(());
        }
        let known = self.shard.row;
        let row = known.unwrap_or(ShardRow {
            known_from: u32::MAX,
            unreported_from: u32::MAX,
            ..ShardRow::default()
        });
        let row = ShardRow { shards, ..row };
        self.shard.row = Some(row);
        if known.is_none() && self.window.len() + self.outbox.last_pack() as usize > 0 {
            // So far nobody had to be told.
            self.shard.rebuild_from = Some(0);
        }
        self.rows.put_shard(&row)?;
        self.save_shard()
    }

    /// Loads what a shard knows; the window has been.
    pub(super) fn load_shard(&mut self, rests: bool) -> Result<(), D::Error> {
        let Some(row) = self.shard.row else { return Ok(()) };
        let start = block_of(self.window.start_ms());
        let from = block_of(self.convictions_from_ms());
        for (block, words) in self.read_views((from, u32::MAX))? {
            self.shard.set_view(block, words.into());
        }
        if !rests {
            // Whoever rests has reported all, and heard all that it was told to ask for.
            self.shard.is_told = true;
            let times: Vec<i64> = self.window.iter().map(|(id, _)| id.ts_ms()).collect();
            times.into_iter().for_each(|ts_ms| self.shard.mark(ts_ms, 0));
        }
        if row.unreported_from < start {
            self.shard.rebuild_from = Some(row.unreported_from);
        }
        Ok(())
    }

    /// A click has come, or what it counts for has changed: it and the recipient's next ones may count differently.
    pub(super) fn mark(&mut self, ts_ms: i64) {
        if self.shard.count() > 1 {
            let last_ms = self.window.last_ms().max(self.watermark.settled_to_ms);
            let reach_ms = self.judging.crowd_reach_ms().min(last_ms.saturating_sub(ts_ms).max(0));
            self.shard.mark(ts_ms, reach_ms);
        }
    }

    /// Writes how far back unreported blocks lie, where the window does not say it.
    pub(super) fn save_shard(&mut self) -> Result<(), D::Error> {
        let Some(mut row) = self.shard.row else { return Ok(()) };
        let start = block_of(self.window.start_ms());
        let under_way = self.shard.asked.iter().flat_map(|asked| &asked.digests).map(|(block, _)| *block);
        let marked = self.shard.marked.iter().copied().chain(under_way).chain(self.shard.rebuild_from);
        let unreported_from = marked.filter(|block| *block < start).min().unwrap_or(u32::MAX);
        if unreported_from == row.unreported_from {
            return Ok(());
        }
        row.unreported_from = unreported_from;
        self.shard.row = Some(row);
        self.rows.put_shard(&row)
    }

    /// The views in rows between two blocks (the second left out).
    fn read_views(&self, span: (u32, u32)) -> Result<Vec<Page>, D::Error> {
        let mut views: Vec<Page> = Vec::new();
        self.rows.words(span, VIEW, 0, &mut |block, _, words| {
            join(&mut views, block, words);
            true
        })?;
        Ok(views)
    }

    /// What others show around moments, from memory or from rows.
    pub(super) fn views_of(&self, times: impl Iterator<Item = i64>) -> Result<Views, D::Error> {
        let mut views = Views::default();
        if self.shard.count() < 2 {
            return Ok(views);
        }
        let (kept, reach_ms) = (block_of(self.convictions_from_ms()), self.judging.crowd_reach_ms());
        let mut old: Vec<(i64, i64)> = Vec::new();
        let mut last = None;
        for ts_ms in times {
            let span = (block_of(ts_ms.saturating_sub(reach_ms)), block_of(ts_ms));
            if last == Some(span) {
                continue;
            }
            last = Some(span);
            for block in span.0..=span.1 {
                if let Some(words) = self.shard.views.get(block) {
                    views.set(block, Rc::clone(words));
                } else if block < kept {
                    old.push((i64::from(block), i64::from(block) + 1));
                }
            }
        }
        for (from, until) in merged(&old) {
            for (block, words) in self.read_views((narrow(from), narrow(until)))? {
                views.set(block, words.into());
            }
        }
        Ok(views)
    }

    /// Adds the convictions of others in spans (both ends included) that lie before those in memory.
    pub(super) fn others_in(&self, spans: &[(i64, i64)], others: &mut Convictions) -> Result<(), D::Error> {
        if self.shard.count() < 2 {
            return Ok(());
        }
        for (from_ms, until_ms) in spans {
            for (block, words) in self.read_views((block_of(*from_ms), block_of(*until_ms) + 1))? {
                each_conviction(block, &words, &mut |place, ms, kind| others.add_at(place, ms, kind));
            }
        }
        Ok(())
    }

    /// The board has something to tell.
    pub fn poked(&mut self) {
        self.shard.is_told = true;
    }

    /// What is to be said to the board now, if anything is: a call's body. It is answered by [`Self::heed`] or
    /// [`Self::unheard`].
    ///
    /// # Errors
    /// When storage fails.
    pub fn exchange(&mut self, now_ms: i64) -> Result<Option<Vec<u8>>, D::Error> {
        let Some(row) = self.shard.row.filter(|row| row.shards > 1) else { return Ok(None) };
        let settles =
            self.timers.unsettled.first().is_some_and(|id| self.judging.due_ms(id.ts_ms()) <= now_ms);
        let is_due = self.shard.due_ms().is_some_and(|due_ms| due_ms <= now_ms);
        if now_ms < self.shard.pause_until_ms || !is_due && !(settles && self.shard.heard_ms < now_ms) {
            return Ok(None);
        }
        let (mut digests, mut pages, mut words) = (Vec::new(), Vec::new(), 0);
        while digests.len() < MOST_BLOCKS && words < MOST_WORDS {
            let Some(block) = self.next_marked()? else { break };
            let page = self.words_in(block)?;
            let digest = digest(&page);
            if self.shard.reported.binary_search(&(block, digest)).is_ok() {
                continue;
            }
            words += page.len();
            digests.push((block, digest));
            pages.push((block, page));
        }
        if self.shard.marked.is_empty() {
            self.shard.report_ms = i64::MAX;
        }
        let wanted_from = self.wanted_from();
        let (mut from, mut until, mut version, mut older_from) =
            (row.known_from, u32::MAX, row.version, None);
        if row.version == 0 {
            // Nothing is known yet: all of it is asked for at once.
            from = from.min(wanted_from);
            self.shard.row = Some(ShardRow { known_from: from, ..row });
        } else if wanted_from < row.known_from {
            (from, until, version) = (wanted_from, row.known_from, self.shard.older_version);
            older_from = Some(wanted_from);
        }
        self.shard.is_told = false;
        // Those that are due now settle next: nobody asks for their sake again.
        let last = self.timers.unsettled.last();
        let waits = last.is_some_and(|id| self.judging.due_ms(id.ts_ms()) > now_ms);
        let comes_again = waits || !self.shard.marked.is_empty() || self.shard.rebuild_from.is_some();
        self.shard.asked = Some(Asked { digests, older_from });
        let number = shard::of_name(&self.shard.name).map_or(0, |(_, shard)| shard);
        let ask = Ask {
            shard: number,
            shards: row.shards.max(number + 1),
            epoch: row.epoch,
            version,
            from,
            until,
            comes_again,
            pages,
        };
        Ok(Some(ask.encode()))
    }

    /// From which block on views say something of clicks in memory.
    fn wanted_from(&self) -> u32 {
        let first_ms = self.timers.unsettled.first().map_or(i64::MAX, |id| id.ts_ms());
        block_of(first_ms.min(self.window.start_ms()).saturating_sub(CARRY_BEFORE_MS))
    }

    /// Takes out the next block that is to be reported.
    fn next_marked(&mut self) -> Result<Option<u32>, D::Error> {
        if !self.shard.marked.is_empty() {
            return Ok(Some(self.shard.marked.remove(0)));
        }
        let Some(from) = self.shard.rebuild_from else { return Ok(None) };
        let mut next = None;
        let (first, end) = (EventId::first_of(start_of(from)), EventId::first_of(i64::MAX));
        self.rows.clicks(first, end, 1, &mut |id, _| next = next.or(Some(block_of(id.ts_ms()))))?;
        self.shard.rebuild_from = next.map(|block| block + 1);
        Ok(next)
    }

    /// What this shard has in a block of time.
    fn words_in(&self, block: u32) -> Result<Vec<Word>, D::Error> {
        let reach_ms = self.judging.crowd_reach_ms();
        let (from_ms, until_ms) = (start_of(block).saturating_sub(reach_ms), end_of(block));
        let mut clicks: Vec<Click> = Vec::new();
        if self.window.holds(from_ms, until_ms) {
            clicks.extend(self.window.between(from_ms, until_ms).map(|(_, entry)| entry.click.clone()));
        } else {
            let mut read = Clicks::default();
            let (from, until) = (EventId::first_of(from_ms), EventId::first_of(until_ms + 1));
            self.rows.clicks(from, until, usize::MAX, &mut |id, record| {
                read.extend(record.map(|record| (id, Click::of(&record, Delivery::default()))));
            })?;
            self.later().set(&mut read)?;
            clicks.extend(read.into_iter().map(|(_, click)| click));
        }
        let mut words = Vec::new();
        let thresholds = &self.judging.thresholds;
        for (row, crowd) in self.judging.crowds() {
            let seen =
                clicks.iter().filter(|click| click.kind == Kind::Click && (row.is_seen)(click, thresholds));
            let keyed = seen.filter_map(|click| row.by.key(click).map(|key| (evidence::folded(key), click)));
            let keyed: Vec<(u64, &Click)> = keyed.collect();
            let by_recipient = arranged(&keyed, &|(key, click)| (u128::from(*key), click.recipient.number()));
            let mut hits: Vec<(u64, Hit)> = Vec::with_capacity(keyed.len());
            let mut last: Option<(u64, &Click)> = None;
            for (key, click) in by_recipient {
                let before =
                    last.filter(|(known, other)| (*known, other.recipient) == (key, click.recipient));
                let gap_ms =
                    before.map(|(_, other)| click.ts_ms - other.ts_ms).filter(|gap_ms| *gap_ms <= reach_ms);
                // At the same moment it is no further one.
                if click.ts_ms >= start_of(block) && gap_ms != Some(0) {
                    hits.push((key, Hit { ts_ms: click.ts_ms, gap_ms }));
                }
                last = Some((key, click));
            }
            let hits =
                arranged(&hits, &|(key, hit)| (u128::from(*key), u128::from(hit.ts_ms.cast_unsigned())));
            for of_key in hits.chunk_by(|a, b| a.0 == b.0) {
                let mut theirs: Vec<Hit> = of_key.iter().map(|(_, hit)| *hit).collect();
                evidence::thin(&mut theirs, crowd.enough(thresholds));
                words.extend(theirs.iter().map(|hit| hit.word(crowd, of_key[0].0)));
            }
        }
        if self.judging.asks_full() {
            let mut convictions = Convictions::default();
            self.convictions_in(&[(start_of(block), end_of(block))], &mut convictions)?;
            convictions.each(&mut |place, ms, kind| words.push(evidence::conviction(place, ms, kind)));
        }
        Ok(arranged(&words, &|word| (0, *word)))
    }

    /// The board did not answer.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn unheard(&mut self, now_ms: i64) -> Result<(), D::Error> {
        for (block, _) in self.shard.asked.take().into_iter().flat_map(|asked| asked.digests) {
            if let Err(at) = self.shard.marked.binary_search(&block) {
                self.shard.marked.insert(at, block);
            }
        }
        if !self.shard.marked.is_empty() {
            self.shard.report_ms = now_ms;
        }
        self.shard.is_told = true;
        let pause_ms = (1_000_i64 << self.shard.failures.min(16)).min(MAX_PAUSE_MS);
        self.shard.failures = self.shard.failures.saturating_add(1);
        self.shard.pause_until_ms = now_ms + pause_ms;
        self.save_shard()
    }

    /// Takes in what the board answers: keeps its views, and judges again what they change. Says whether it was an answer.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn heed(&mut self, answer: &str, now_ms: i64) -> Result<bool, D::Error> {
        let Some((mut row, asked)) = self.shard.row.zip(self.shard.asked.take()) else { return Ok(true) };
        let Some(Answer { epoch, version, more, views }) = Answer::decode(answer) else {
            self.shard.asked = Some(asked);
            self.unheard(now_ms)?;
            return Ok(false);
        };
        (self.shard.failures, self.shard.pause_until_ms) = (0, i64::MIN);
        let mut views = views;
        if row.epoch == 0 {
            row.epoch = epoch;
        }
        if epoch == row.epoch {
            for (block, digest) in asked.digests {
                match self.shard.reported.binary_search_by_key(&block, |(known, _)| *known) {
                    Ok(at) => self.shard.reported[at].1 = digest,
                    Err(at) => self.shard.reported.insert(at, (block, digest)),
                }
            }
            match asked.older_from {
                None => row.version = version,
                Some(_) if more => self.shard.older_version = version,
                Some(from) => (row.known_from, self.shard.older_version) = (from, 0),
            }
            // What has changed of the later ones is asked for behind the older.
            let is_all = !more && asked.older_from.is_none();
            self.shard.is_told |= !is_all;
            if is_all {
                self.shard.heard_ms = now_ms;
            }
        } else {
            // Another life of the board: it knows nothing of what this shard has, and its versions are others.
            row = ShardRow { epoch, version: 0, known_from: u32::MAX, ..row };
            views.clear();
            self.shard.reported.clear();
            self.shard.rebuild_from = Some(0);
            self.shard.is_told = true;
        }
        let first = block_of(self.convictions_from_ms());
        let mut changed: Vec<(u32, Word)> = Vec::new();
        for (block, words) in views {
            let old = match self.shard.views.get(block) {
                Some(known) => Rc::clone(known),
                None if block >= first => Rc::from([]),
                None => {
                    self.read_views((block, block + 1))?.pop().map_or(Rc::from([]), |(_, old)| old.into())
                }
            };
            changed.extend(difference(&old, &words).into_iter().map(|word| (block, word)));
            self.rows.put_words(block, VIEW, 1, &words)?;
            if block >= first {
                self.shard.set_view(block, words.into());
            }
        }
        if self.shard.row != Some(row) {
            self.shard.row = Some(row);
            self.rows.put_shard(&row)?;
        }
        self.judge_changed(&changed)?;
        self.save_shard()?;
        Ok(true)
    }

    /// Judges the settled clicks again that changed words of views may concern.
    fn judge_changed(&mut self, changed: &[(u32, Word)]) -> Result<(), D::Error> {
        // What shares which group of words, and when it is concerned.
        let mut spans: Vec<(u128, (i64, i64))> = Vec::new();
        for (block, word) in changed {
            let of = group(*word);
            let span = if let Some((_, ms, _)) = convicted(*block, *word) {
                (ms.saturating_sub(CARRY_AFTER_MS), ms.saturating_add(CARRY_BEFORE_MS))
            } else if let Some((_, crowd)) = evidence::row_of(of, &self.judging) {
                let (shape, (first_ms, last_ms)) = hot_span(*block, *word);
                let shapes = (crowd.shapes)(&self.judging.thresholds);
                let within_ms = shapes.get(shape).map_or(0, |(within_ms, _)| *within_ms);
                (first_ms, last_ms.saturating_add(within_ms))
            } else {
                continue;
            };
            // No click later than that is settled.
            let span = (span.0, span.1.min(self.watermark.settled_to_ms));
            spans.extend((span.0 <= span.1).then_some((of, span)));
        }
        if spans.is_empty() {
            return Ok(());
        }
        let spans = arranged(&spans, &|(of, _)| (0, *of));
        let crowds = self.judging.crowds();
        let thresholds = self.judging.thresholds.clone();
        let is_in = |of: u128, ts_ms: i64| {
            let from = spans.partition_point(|(known, _)| *known < of);
            let mut theirs = spans[from..].iter().take_while(|(known, _)| *known == of);
            theirs.any(|(_, (from_ms, until_ms))| (*from_ms..=*until_ms).contains(&ts_ms))
        };
        let has_convictions = spans.iter().any(|(of, _)| is_conviction(*of));
        let concerns = |click: &Click| {
            let in_crowd = crowds.iter().any(|(row, crowd)| {
                let key = row.by.key(click).filter(|_| (row.looks)(click, &thresholds));
                key.is_some_and(|key| {
                    is_in(u128::from(crowd.number) << 64 | u128::from(evidence::folded(key)), click.ts_ms)
                })
            });
            let reached = || {
                let places = click.signals.own_source().map(|source| [source.exact, source.origin]);
                let mut places = places.into_iter().flatten();
                places.any(|place| {
                    is_in(
                        group(evidence::conviction(place, 0, crate::verdict::ClickType::Human)),
                        click.ts_ms,
                    )
                })
            };
            in_crowd || has_convictions && click.kind != Kind::Open && reached()
        };
        let all: Vec<(i64, i64)> = spans.iter().map(|(_, span)| *span).collect();
        let mut clicks = Clicks::default();
        for (from_ms, until_ms) in merged(&all) {
            if from_ms < self.window.start_ms() {
                let end_ms = until_ms.min(self.window.start_ms() - 1);
                let (from, until) = (EventId::first_of(from_ms.max(0)), EventId::first_of(end_ms + 1));
                self.rows.clicks(from, until, usize::MAX, &mut |id, record| {
                    let click = record.map(|record| Click::of(&record, Delivery::default()));
                    clicks.extend(click.filter(|click| concerns(click)).map(|click| (id, click)));
                })?;
            }
        }
        self.later().set(&mut clicks)?;
        for (from_ms, until_ms) in merged(&all) {
            let from_ms = from_ms.max(self.window.start_ms());
            let held = self.window.between(from_ms, until_ms.max(from_ms));
            let held = held.filter(|(_, entry)| entry.settled.is_some() && concerns(&entry.click));
            let held: Vec<_> = held.map(|(id, entry)| (id, entry.click.clone())).collect();
            clicks.extend(held);
        }
        clicks.retain(|id, _| !self.timers.unsettled.contains(&id));
        if clicks.is_empty() {
            return Ok(());
        }
        self.know_people()?;
        self.issue(clicks, &std::collections::BTreeSet::new(), self.watermark.ms)?;
        Ok(())
    }
}

/// Adds a part of a block's words to the pages.
pub(super) fn join(pages: &mut Vec<Page>, block: u32, words: &[u8]) {
    match pages.last_mut() {
        Some((known, before)) if *known == block => before.extend(words_of(words)),
        _ => pages.push((block, words_of(words))),
    }
}

/// A block's number again.
fn narrow(block: i64) -> u32 {
    u32::try_from(block).unwrap_or(u32::MAX)
}
