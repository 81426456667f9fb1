//! A shard's side of the exchange with the board of its message ([`super::board`]).
//!
//! What crosses recipients ([`crate::verdict::evidence`]) a shard reports by blocks of time: whatever changes something there marks its
//! block, and the next exchange sends the whole of it anew. So to report twice is harmless, and of what comes late the board knows that
//! it was overtaken. What the board answers is kept in rows. A view that changes says whose verdicts may: these are judged again in the same transaction. Nobody
//! waits for a board that does not answer: the shard settles by what it knows and amends later.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::Message;
use super::by_id::Ids;
use super::history::merged;
use super::rows::VIEW;
use super::said::{Page, Said};
use super::shard::{MARKS, Marks, NONE};
use super::sql::Database;
use crate::link::shard;
use crate::record::EventId;
use crate::verdict::Click;
use crate::verdict::evidence::{Word, block_of, convicted, difference, group, hot_span, start_of};
use crate::verdict::order::arranged;
use crate::verdict::reach::{By, CARRY_AFTER_MS, CARRY_BEFORE_MS};

/// Where the board is called.
pub const EXCHANGE: &str = "/exchange";

/// The most blocks that one exchange reports, and about how many words.
const MOST_BLOCKS: usize = 32;
const MOST_WORDS: usize = 65_536;

/// So many changes of views are held against clicks at once.
const MOST_CHANGES: usize = 131_072;

/// The longest pause after exchanges that failed, milliseconds.
const MAX_PAUSE_MS: i64 = 60_000;

/// A group of words, and from when to when a change of it concerns clicks, Unix milliseconds.
type Concerned = ((u64, u8), (i64, i64));

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
    pub(super) fn load_shard(&mut self, rests: bool) {
        if !self.shard.is_one_of_several() {
            return;
        }
        if !rests {
            // Whoever rests has reported all, and heard all that it was told to ask for.
            self.shard.is_told = true;
            let times: Vec<i64> = self.window.iter().map(|(id, _)| id.ts_ms()).collect();
            for ts_ms in times {
                self.shard.mark(ts_ms, 0);
            }
        }
        self.shard.rebuild_from = self.shard.marks.unreported_from;
    }

    /// A click has come, or what it counts for has changed: it and the recipient's next ones may count differently.
    pub(super) fn mark_click(&mut self, id: EventId) {
        let (ts_ms, reach_ms) = (id.ts_ms(), self.judging.crowd_reach_ms());
        let until_ms = ts_ms.saturating_add(reach_ms);
        match self.window.get(id).filter(|_| self.window.holds(ts_ms, until_ms)) {
            Some(held) => {
                let whose = held.click.recipient.number();
                let last = self.window.ids(By::Recipient, whose, ts_ms, until_ms).next_back();
                self.shard.mark(ts_ms, last.map_or(0, |last| last.ts_ms() - ts_ms));
            }
            None => self.mark(ts_ms),
        }
    }

    /// The same of somebody's click of that time.
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
            (from, until, since, older_from) = (wanted_from, known_from, 0, wanted_from);
        }
        if since == 0 && self.shard.anew.0 == from {
            since = self.shard.anew.1;
        }
        // Those that are due now settle next: nobody asks for their sake again.
        let waits = self.timers.unsettled.last().is_some_and(|id| self.judging.due_ms(id.ts_ms()) > now_ms);
        let goes_on = waits || !self.shard.marked.is_empty() || self.shard.rebuild_from < NONE;
        (self.shard.is_told, self.shard.asked) = (false, Some((reports, older_from)));
        let shard = shard::of_name(&self.shard.name).map_or(0, |(_, shard)| u64::from(shard));
        let (version, asked_ms) = (since, now_ms.cast_unsigned());
        Ok(Some(Said { epoch, version, goes_on, shard, shards, asked_ms, from, until, pages }.encode()))
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
        let Said { epoch, version, goes_on: more, from, until, mut pages, .. } = answer;
        (self.shard.failures, self.shard.pause_until_ms) = (0, i64::MIN);
        let mut marks = self.shard.marks;
        if marks.epoch == 0 || marks.epoch == epoch {
            marks.epoch = epoch;
            let others = self.shard.reported.iter().copied();
            let others = others.filter(|(known, _)| !reports.iter().any(|(block, _)| block == known));
            self.shard.reported = others.chain(reports.iter().copied()).collect();
            let is_anew = marks.version == 0 || older_from < NONE;
            if is_anew && more {
                self.shard.anew = (from, version);
            } else if is_anew && until > 0 {
                self.shard.anew = (NONE, 0);
                marks.known_from = marks.known_from.min(from);
                // What stands there of another life of the board, this one knows nothing of.
                self.rows.words((from, until), true, 0, &mut |block, _, of, words| {
                    if of != epoch && !words.is_empty() && pages.iter().all(|(known, _)| *known != block) {
                        pages.push((block, Vec::new()));
                    }
                    true
                })?;
            }
            if older_from == NONE && !(is_anew && more) {
                marks.version = version;
            }
            // What has changed of the later ones is asked for behind the older.
            if more || older_from < NONE && until > 0 {
                self.shard.is_told = true;
            } else {
                self.shard.heard_ms = now_ms;
            }
        } else {
            // Another life of the board: it knows nothing of what this shard has, and its versions are others.
            marks = Marks { epoch, version: 0, known_from: NONE, ..marks };
            pages.clear();
            self.shard.reported.clear();
            (self.shard.rebuild_from, self.shard.is_told, self.shard.anew) = (0, true, (NONE, 0));
        }
        self.put_shard(marks)?;
        let kept = block_of(self.convictions_from_ms());
        // Whom what changes concerns: by group, and when.
        let mut spans: Vec<Concerned> = Vec::new();
        for (block, words) in pages {
            let words: Rc<[Word]> = words.into();
            let mut old = self.shard.views.get(block);
            if block < kept {
                self.rows.words((block.into(), u64::from(block) + 1), true, 0, &mut |_, _, _, words| {
                    old = words.into();
                    true
                })?;
            }
            self.rows.put_words(block, VIEW, epoch, &words)?;
            for changed in difference(&old, &words) {
                let span = if let Some((ms, _)) = convicted(block, changed) {
                    (ms.saturating_sub(CARRY_AFTER_MS), ms.saturating_add(CARRY_BEFORE_MS))
                } else {
                    let (_, (first_ms, last_ms)) = hot_span(block, changed);
                    (first_ms, last_ms.saturating_add(self.judging.crowd_reach_ms()))
                };
                // No click later than that is settled.
                let until_ms = span.1.min(self.watermark.settled_to_ms);
                spans.extend((span.0 <= until_ms).then_some((group(changed), (span.0, until_ms))));
            }
            if block >= kept {
                self.shard.views.set(block, words);
            }
            if spans.len() >= MOST_CHANGES {
                self.judge_changed(&std::mem::take(&mut spans))?;
            }
        }
        self.judge_changed(&spans)
    }

    /// Judges the settled clicks again that changes of groups may concern, each at some time.
    fn judge_changed(&mut self, spans: &[Concerned]) -> Result<(), D::Error> {
        if spans.is_empty() {
            return Ok(());
        }
        let key = |(key, tag): (u64, u8)| u128::from(key) << 8 | u128::from(tag);
        let sorted = arranged(spans, &|(of, _)| (0, key(*of)));
        let judging = self.judging.clone();
        let crowds = judging.crowds();
        let concerns = |click: &Click| {
            let mut is_concerned = false;
            judging.groups_of(&crowds, click, &mut |_, group| {
                let from = sorted.partition_point(|(of, _)| key(*of) < key(group));
                let mut theirs = sorted[from..].iter().take_while(|(of, _)| *of == group);
                is_concerned |=
                    theirs.any(|(_, (from_ms, until_ms))| (*from_ms..=*until_ms).contains(&click.ts_ms));
            });
            is_concerned
        };
        let all: Vec<(i64, i64)> = spans.iter().map(|(_, span)| *span).collect();
        for (from_ms, until_ms) in merged(&all) {
            let (mut from, until) = (EventId::first_of(from_ms.max(0)), EventId::first_of(until_ms + 1));
            while from < until {
                let mut clicks = self.clicks_from(&mut from, until, &concerns)?;
                clicks.retain(|id, _| !self.timers.unsettled.contains(&id));
                if !clicks.is_empty() {
                    self.know_people()?;
                    self.issue(clicks, &Ids::default(), self.watermark.ms)?;
                }
            }
        }
        Ok(())
    }
}
