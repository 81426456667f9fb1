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
//! | marks of older blocks | every block from `unreported_from` on is marked |
//! | views | in rows; memory has those that reach the window |

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::Message;
use super::exchange::{Page, Said};
use super::history::{Clicks, merged};
use super::rows::VIEW;
use super::sql::Database;
use crate::link::shard;
use crate::record::{Delivery, EventId, Kind};
use crate::verdict::convictions::Convictions;
use crate::verdict::evidence::{
    CONVICTION, Views, Word, block_of, convicted, difference, end_of, group, groups_of, hit, hot_span,
    in_order, start_of, thin, word,
};
use crate::verdict::order::{arrange, arranged, ascending};
use crate::verdict::reach::{CARRY_AFTER_MS, CARRY_BEFORE_MS};
use crate::verdict::{Click, Key};

/// The name of a shard's marks in its rows.
const MARKS: &str = "shard";

/// No block.
const NONE: u64 = u32::MAX as u64;

/// How long after a click its block is reported, milliseconds: others settle a minute after theirs.
const REPORT_MS: i64 = 5_000;

/// The most blocks that one exchange reports, and about how many words.
const MOST_BLOCKS: usize = 32;
const MOST_WORDS: usize = 65_536;

/// The longest pause after exchanges that failed, milliseconds.
const MAX_PAUSE_MS: i64 = 60_000;

/// What is kept of an exchange in the shard's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marks {
    /// How many objects share the message.
    shards: u64,
    /// The board's life that it has told what it has.
    epoch: u64,
    /// It has every view from a block on, as of a version.
    known_from: u64,
    version: u64,
    /// Nothing from before this block is unreported, but for what the window holds.
    unreported_from: u64,
}

/// What an object knows of its part.
pub(super) struct Shard {
    /// The object's name.
    pub name: String,
    marks: Marks,
    /// Blocks to report, ascending.
    marked: Vec<u64>,
    /// All blocks from here on that have clicks are to be reported, too, one after the other.
    rebuild_from: u64,
    /// From when on the marked ones are to be reported, Unix milliseconds.
    report_ms: i64,
    /// What was reported: blocks with digests.
    reported: Vec<(u64, u64)>,
    /// The exchange that is under way: what it reports, and where it asks for older views than are known, from where on.
    asked: Option<(Vec<(u64, u64)>, u64)>,
    /// There is more to hear.
    is_told: bool,
    /// Of older views than are known, the version up to which they have come.
    older_version: u64,
    /// When it heard all of the board last, Unix milliseconds.
    heard_ms: i64,
    failures: u32,
    /// After exchanges that failed: not before, Unix milliseconds.
    pause_until_ms: i64,
    /// The board's views that reach the window.
    views: Views,
}

impl Shard {
    pub(super) fn new(name: String, marks: &[u64]) -> Self {
        let [shards, epoch, known_from, version, unreported_from] = *marks else {
            return Self::new(name, &[1, 0, NONE, 0, NONE]);
        };
        Self {
            name,
            marks: Marks { shards, epoch, known_from, version, unreported_from },
            marked: Vec::new(),
            rebuild_from: NONE,
            report_ms: i64::MAX,
            reported: Vec::new(),
            asked: None,
            is_told: false,
            older_version: 0,
            heard_ms: i64::MIN,
            failures: 0,
            pause_until_ms: i64::MIN,
            views: Views::default(),
        }
    }

    /// Whether it is one of several.
    pub(super) fn is_one_of_several(&self) -> bool {
        self.marks.shards > 1
    }

    /// When it wants to exchange something, Unix milliseconds.
    pub(super) fn due_ms(&self) -> Option<i64> {
        let due_ms = if self.is_told || self.rebuild_from < NONE { i64::MIN } else { self.report_ms };
        (self.is_one_of_several() && due_ms < i64::MAX).then_some(due_ms.max(self.pause_until_ms))
    }

    /// Something has changed that others may look at, from a moment on and as long as it reaches.
    pub(super) fn mark(&mut self, ts_ms: i64, reach_ms: i64) {
        if self.is_one_of_several() {
            let blocks = block_of(ts_ms)..=block_of(ts_ms.saturating_add(reach_ms));
            self.mark_blocks(blocks.map(u64::from), ts_ms.saturating_add(REPORT_MS));
        }
    }

    fn mark_blocks(&mut self, blocks: impl Iterator<Item = u64>, report_ms: i64) {
        let known = self.marked.len();
        for block in blocks.filter(|block| *block < NONE) {
            // The last ones most of the time.
            if !self.marked.iter().rev().any(|marked| *marked == block) {
                self.marked.push(block);
            }
        }
        if self.marked.len() > known {
            self.marked = ascending(&self.marked);
        }
        if !self.marked.is_empty() {
            self.report_ms = self.report_ms.min(report_ms);
        }
    }

    /// Lets go of what does not reach back to a moment any more.
    pub(super) fn forget_before(&mut self, ms: i64) {
        let block = block_of(ms);
        self.views.0.drain(..self.views.0.partition_point(|(known, _)| *known < block));
        self.reported = self.reported.iter().copied().filter(|(known, _)| *known >= block.into()).collect();
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
        u32::try_from(self.shard.marks.shards).unwrap_or(1)
    }

    /// The name of the message's board.
    #[must_use]
    pub fn board(&self) -> String {
        shard::board_name(shard::of_name(&self.shard.name).unwrap_or_default().0)
    }

    /// Takes in that so many objects share the message. Links of one message may disagree: the largest count stands, so that
    /// no object is forgotten.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn set_shards(&mut self, shards: u32) -> Result<(), D::Error> {
        if shards <= self.shards() {
            return Ok(());
        }
        let has_clicks = self.window.len() > 0 || self.outbox.last_pack() > 0;
        if has_clicks && !self.shard.is_one_of_several() {
            // So far nobody had to be told.
            self.shard.rebuild_from = 0;
        }
        self.put_shard(Marks { shards: u64::from(shards), ..self.shard.marks })?;
        self.save_shard()
    }

    fn put_shard(&mut self, marks: Marks) -> Result<(), D::Error> {
        if marks == self.shard.marks {
            return Ok(());
        }
        self.shard.marks = marks;
        let Marks { shards, epoch, known_from, version, unreported_from } = marks;
        self.rows.put_marks(MARKS, &[shards, epoch, known_from, version, unreported_from])
    }

    /// What a shard keeps about itself.
    pub(super) fn load_shard(&mut self, rests: bool) -> Result<(), D::Error> {
        self.shard = Shard::new(std::mem::take(&mut self.shard.name), &self.rows.marks(MARKS)?);
        if !self.shard.is_one_of_several() {
            return Ok(());
        }
        let from = block_of(self.convictions_from_ms()).into();
        let views = &mut self.shard.views;
        self.rows.words((from, NONE), true, 0, &mut |block, _, _, words| {
            views.set(block, words.into());
            true
        })?;
        if !rests {
            // Whoever rests has reported all, and heard all that it was told to ask for.
            self.shard.is_told = true;
            let times: Vec<i64> = self.window.iter().map(|(id, _)| id.ts_ms()).collect();
            times.into_iter().for_each(|ts_ms| self.shard.mark(ts_ms, 0));
        }
        self.shard.rebuild_from = self.shard.marks.unreported_from;
        Ok(())
    }

    /// A click has come, or what it counts for has changed: it and the recipient's next ones may count differently.
    pub(super) fn mark(&mut self, ts_ms: i64) {
        if self.shard.is_one_of_several() {
            let last_ms = self.window.last_ms().max(self.watermark.settled_to_ms);
            let reach_ms = self.judging.crowd_reach_ms().min(last_ms.saturating_sub(ts_ms).max(0));
            self.shard.mark(ts_ms, reach_ms);
        }
    }

    /// Writes how far back unreported blocks lie, where the window does not say it.
    pub(super) fn save_shard(&mut self) -> Result<(), D::Error> {
        if !self.shard.is_one_of_several() {
            return Ok(());
        }
        let under_way =
            self.shard.asked.iter().flat_map(|(reports, _)| reports.iter().map(|(block, _)| block));
        let marked = under_way.chain(&self.shard.marked).copied().fold(self.shard.rebuild_from, u64::min);
        let is_old = marked < u64::from(block_of(self.window.start_ms()));
        let unreported_from = if is_old { marked } else { NONE };
        self.put_shard(Marks { unreported_from, ..self.shard.marks })
    }

    /// What others show around moments, from memory or from rows.
    pub(super) fn views_of(&self, times: &mut dyn Iterator<Item = i64>) -> Result<Views, D::Error> {
        if !self.shard.is_one_of_several() {
            return Ok(Views::default());
        }
        let mut views = self.shard.views.clone();
        let kept_ms = self.convictions_from_ms();
        let reach_ms = self.judging.crowd_reach_ms();
        let old: Vec<(i64, i64)> = times
            .map(|ts_ms| (ts_ms - reach_ms, ts_ms))
            .filter(|(from_ms, _)| *from_ms < kept_ms + reach_ms)
            .collect();
        for (from_ms, until_ms) in merged(&old) {
            let span = (block_of(from_ms).into(), u64::from(block_of(until_ms)) + 1);
            self.rows.words(span, true, 0, &mut |block, _, _, words| {
                views.set(block, words.into());
                true
            })?;
        }
        Ok(views)
    }

    /// Adds the convictions of others between two moments (both included).
    pub(super) fn others_in(&self, span: (i64, i64), convictions: &mut Convictions) -> Result<(), D::Error> {
        if !self.shard.is_one_of_several() {
            return Ok(());
        }
        let blocks = (block_of(span.0).into(), u64::from(block_of(span.1)) + 1);
        self.rows.words(blocks, true, 0, &mut |block, _, _, words| {
            for word in words {
                if let Some((ms, kind)) =
                    convicted(block, word).filter(|(ms, _)| (span.0..=span.1).contains(ms))
                {
                    convictions.add_at(word.0, ms, kind);
                }
            }
            true
        })
    }

    /// The board has something to tell.
    pub fn poked(&mut self) {
        self.shard.is_told = true;
    }

    /// Goes on with the exchange: takes in what the board has answered, nothing where it has not, and returns what is to be said to it
    /// next, if anything is and somebody `may` ask.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn exchange(
        &mut self,
        heard: Option<Option<&[u8]>>,
        may: bool,
        now_ms: i64,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        if let Some(answer) = heard {
            match answer.and_then(Said::decode) {
                Some(answer) => self.heed(answer, now_ms)?,
                None => self.unheard(now_ms),
            }
            self.save_shard()?;
        }
        let first_ms = self.timers.unsettled.first().map_or(i64::MAX, |id| id.ts_ms());
        let settles = self.judging.due_ms(first_ms.min(now_ms)) <= now_ms && self.shard.heard_ms < now_ms;
        let is_due = self.shard.due_ms().is_some_and(|due_ms| due_ms <= now_ms);
        let may = may && self.shard.is_one_of_several() && now_ms >= self.shard.pause_until_ms;
        if !may || !is_due && !settles {
            return Ok(None);
        }
        let (mut reports, mut pages, mut count): (Vec<(u64, u64)>, Vec<Page>, usize) = Default::default();
        while reports.len() < MOST_BLOCKS
            && count < MOST_WORDS
            && let Some(block) = self.next_marked()?
        {
            let words = self.words_in(block)?;
            let report = (u64::from(block), digest(&words));
            if !self.shard.reported.contains(&report) {
                count += words.len();
                reports.push(report);
                pages.push((block, words));
            }
        }
        if self.shard.marked.is_empty() {
            self.shard.report_ms = i64::MAX;
        }
        // From there on views say something of clicks in memory.
        let wanted_ms = first_ms.min(self.window.start_ms()).saturating_sub(CARRY_BEFORE_MS);
        let wanted_from = u64::from(block_of(wanted_ms));
        let Marks { shards, epoch, known_from, version, .. } = self.shard.marks;
        let (mut from, mut until, mut since, mut older_from) = (known_from, NONE, version, NONE);
        if version == 0 {
            // Nothing is known yet: all of it is asked for at once.
            from = from.min(wanted_from);
            self.shard.marks.known_from = from;
        } else if wanted_from < known_from {
            (from, until, since, older_from) =
                (wanted_from, known_from, self.shard.older_version, wanted_from);
        }
        // Those that are due now settle next: nobody asks for their sake again.
        let waits = self.timers.unsettled.last().is_some_and(|id| self.judging.due_ms(id.ts_ms()) > now_ms);
        let goes_on = waits || !self.shard.marked.is_empty() || self.shard.rebuild_from < NONE;
        (self.shard.is_told, self.shard.asked) = (false, Some((reports, older_from)));
        let shard = shard::of_name(&self.shard.name).map_or(0, |(_, shard)| u64::from(shard));
        Ok(Some(Said { epoch, version: since, goes_on, shard, shards, from, until, pages }.encode()))
    }

    /// Takes out the next block that is to be reported.
    fn next_marked(&mut self) -> Result<Option<u32>, D::Error> {
        let narrow = |block: u64| u32::try_from(block).unwrap_or(u32::MAX);
        if !self.shard.marked.is_empty() {
            return Ok(Some(narrow(self.shard.marked.remove(0))));
        }
        if self.shard.rebuild_from >= NONE {
            return Ok(None);
        }
        let first = EventId::first_of(start_of(narrow(self.shard.rebuild_from)));
        let mut next = None;
        self.rows
            .clicks(first, EventId::first_of(i64::MAX), 1, &mut |id, _| next = Some(block_of(id.ts_ms())))?;
        self.shard.rebuild_from = next.map_or(NONE, |block| u64::from(block) + 1);
        Ok(next)
    }

    /// The clicks between two moments (both included), oldest first, from memory or from rows.
    fn clicks_between(
        &self,
        from_ms: i64,
        until_ms: i64,
        wants: &dyn Fn(&Click) -> bool,
    ) -> Result<Clicks, D::Error> {
        let mut clicks = Clicks::default();
        if self.window.holds(from_ms, until_ms) {
            let held = self.window.between(from_ms, until_ms).filter(|(_, entry)| wants(&entry.click));
            clicks.extend(held.map(|(id, entry)| (id, entry.click.clone())));
            return Ok(clicks);
        }
        let (from, until) = (EventId::first_of(from_ms.max(0)), EventId::first_of(until_ms + 1));
        self.rows.clicks(from, until, usize::MAX, &mut |id, record| {
            let click = record.map(|record| Click::of(&record, Delivery::default()));
            clicks.extend(click.filter(wants).map(|click| (id, click)));
        })?;
        self.later().set(&mut clicks)?;
        Ok(clicks)
    }

    /// What this shard has in a block of time.
    fn words_in(&self, block: u32) -> Result<Vec<Word>, D::Error> {
        let reach_ms = self.judging.crowd_reach_ms();
        let start_ms = start_of(block);
        let clicks =
            self.clicks_between(start_ms - reach_ms, end_of(block), &|click| click.kind == Kind::Click)?;
        let mut seen: Vec<((u64, u8), Key, i64)> = Vec::new();
        for (_, click) in clicks.iter() {
            groups_of(click, &self.judging, &mut |_, group| {
                if group.1 != CONVICTION {
                    seen.push((group, click.recipient, click.ts_ms));
                }
            });
        }
        let mut order: Vec<usize> = (0..seen.len()).collect();
        arrange(&mut order, &|at| {
            let ((key, tag), recipient, _) = seen[at];
            (u128::from(key) << 8 | u128::from(tag), recipient.number())
        });
        let mut words = Vec::new();
        for (place, at) in order.iter().enumerate() {
            let (group, recipient, ts_ms) = seen[*at];
            let last = place.checked_sub(1).map(|place| seen[order[place]]);
            let last = last.filter(|(of, whose, _)| (*of, *whose) == (group, recipient));
            let gap_ms = last.map(|(.., last_ms)| ts_ms - last_ms).filter(|gap_ms| *gap_ms <= reach_ms);
            // At the same moment it is no further one.
            if ts_ms >= start_ms && gap_ms != Some(0) {
                words.push(hit(group, ts_ms, gap_ms));
            }
        }
        // Two recipients' clicks at one moment are two.
        words = in_order(&words);
        let crowds = self.judging.crowds().into_iter();
        thin(
            &mut words,
            crowds.map(|(_, crowd)| crowd.enough(&self.judging.thresholds)).max().unwrap_or_default(),
        );
        if self.judging.asks_full() {
            let mut convictions = Convictions::default();
            self.own_convictions_in(&[(start_ms, end_of(block))], &mut convictions)?;
            let mut theirs = Vec::new();
            convictions.each(&mut |place, ms, kind| theirs.push(word(CONVICTION, place, ms, kind as u64)));
            words.extend(theirs);
            words = in_order(&words);
        }
        Ok(words)
    }

    /// The board did not answer.
    fn unheard(&mut self, now_ms: i64) {
        let (reports, _) = self.shard.asked.take().unwrap_or_default();
        self.shard.mark_blocks(reports.into_iter().map(|(block, _)| block), now_ms);
        self.shard.is_told = true;
        self.shard.pause_until_ms = now_ms + (1_000_i64 << self.shard.failures.min(16)).min(MAX_PAUSE_MS);
        self.shard.failures += 1;
    }

    /// Takes in what the board answers: keeps its views, and judges again what they change.
    fn heed(&mut self, answer: Said, now_ms: i64) -> Result<(), D::Error> {
        let Some((reports, older_from)) = self.shard.asked.take() else { return Ok(()) };
        let Said { epoch, version, goes_on: more, mut pages, .. } = answer;
        (self.shard.failures, self.shard.pause_until_ms) = (0, i64::MIN);
        let mut marks = self.shard.marks;
        if marks.epoch == 0 || marks.epoch == epoch {
            marks.epoch = epoch;
            let others = self.shard.reported.iter().copied();
            let others = others.filter(|(known, _)| !reports.iter().any(|(block, _)| block == known));
            self.shard.reported = others.chain(reports.iter().copied()).collect();
            match (older_from, more) {
                (NONE, _) => marks.version = version,
                (_, true) => self.shard.older_version = version,
                (from, false) => (marks.known_from, self.shard.older_version) = (from, 0),
            }
            // What has changed of the later ones is asked for behind the older.
            if more || older_from < NONE {
                self.shard.is_told = true;
            } else {
                self.shard.heard_ms = now_ms;
            }
        } else {
            // Another life of the board: it knows nothing of what this shard has, and its versions are others.
            marks = Marks { epoch, version: 0, known_from: NONE, ..marks };
            pages.clear();
            self.shard.reported.clear();
            (self.shard.rebuild_from, self.shard.is_told) = (0, true);
        }
        self.put_shard(marks)?;
        let kept = block_of(self.convictions_from_ms());
        // Whom what changes concerns: by group, and when.
        let mut spans: Vec<((u64, u8), (i64, i64))> = Vec::new();
        for (block, words) in pages {
            let words: Rc<[Word]> = words.into();
            let mut old = self.shard.views.get(block);
            if block < kept {
                self.rows.words((block.into(), u64::from(block) + 1), true, 0, &mut |_, _, _, words| {
                    old = words.into();
                    true
                })?;
            }
            self.rows.put_words(block, VIEW, 1, &words)?;
            for changed in difference(&old, &words) {
                let span = match convicted(block, changed) {
                    Some((ms, kind)) => {
                        if block >= kept && words.binary_search(&changed).is_ok() {
                            self.convictions.add_at(changed.0, ms, kind);
                        } else if block >= kept {
                            self.convictions.remove_at(changed.0, ms, kind);
                        }
                        (ms.saturating_sub(CARRY_AFTER_MS), ms.saturating_add(CARRY_BEFORE_MS))
                    }
                    None => {
                        let (_, (first_ms, last_ms)) = hot_span(block, changed);
                        (first_ms, last_ms.saturating_add(self.judging.crowd_reach_ms()))
                    }
                };
                // No click later than that is settled.
                let until_ms = span.1.min(self.watermark.settled_to_ms);
                spans.extend((span.0 <= until_ms).then_some((group(changed), (span.0, until_ms))));
            }
            if block >= kept {
                self.shard.views.set(block, words);
            }
        }
        self.judge_changed(&spans)
    }

    /// Judges the settled clicks again that changes of groups may concern, each at some time.
    fn judge_changed(&mut self, spans: &[((u64, u8), (i64, i64))]) -> Result<(), D::Error> {
        if spans.is_empty() {
            return Ok(());
        }
        let key = |(key, tag): (u64, u8)| u128::from(key) << 8 | u128::from(tag);
        let sorted = arranged(spans, &|(of, _)| (0, key(*of)));
        let concerns = |click: &Click| {
            let mut is_concerned = false;
            groups_of(click, &self.judging, &mut |_, group| {
                let from = sorted.partition_point(|(of, _)| key(*of) < key(group));
                let mut theirs = sorted[from..].iter().take_while(|(of, _)| *of == group);
                is_concerned |=
                    theirs.any(|(_, (from_ms, until_ms))| (*from_ms..=*until_ms).contains(&click.ts_ms));
            });
            is_concerned
        };
        let all: Vec<(i64, i64)> = spans.iter().map(|(_, span)| *span).collect();
        let mut clicks = Clicks::default();
        for (from_ms, until_ms) in merged(&all) {
            clicks.extend(self.clicks_between(from_ms, until_ms, &concerns)?);
        }
        clicks.retain(|id, _| !self.timers.unsettled.contains(&id));
        if !clicks.is_empty() {
            self.know_people()?;
            self.issue(clicks, &BTreeSet::new(), self.watermark.ms)?;
        }
        Ok(())
    }
}
