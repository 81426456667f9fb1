//! What the queue has not taken: packs, in the order of their number, and acts, in the order in which they came.
//!
//! The policy of an alarm is here: acts go first, then packs, so many of each at most; a queue that refuses is asked again
//! later and later. What a mark means, and when it is written, is in [`super::ship`].

use std::collections::VecDeque;

use super::rows::Meta;
use super::timers::TICK_MS;
use crate::event::parcel::Letter;
use crate::record::EventId;
use crate::verdict::Key;

/// Packs that one alarm ships: the rest waits for the next.
const MAX_PACKS: usize = 64;

/// Acts that one alarm tells.
const MAX_ACTS: usize = 256;

/// The longest pause between two tries, milliseconds.
const MAX_PAUSE_MS: i64 = 300_000;

/// A press that the queue has not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    /// The act that it may stand for.
    pub act: Key,
    pub id: EventId,
    /// It waits for its verdict.
    pub waits: bool,
}

/// The outbox.
#[derive(Default)]
pub(super) struct Outbox {
    last_pack: u64,
    /// Packs leave in the order of their number; it never goes back.
    sent_pack: u64,
    /// The packs that leave once more: from, and to.
    again: (u64, u64),
    /// The marks are ahead of the message's row.
    is_ahead: bool,
    /// The row says that the queue refuses, or that packs leave again.
    is_in_doubt: bool,
    failures: u32,
    retry_at_ms: i64,
    /// Letters wait ([`super::erase`]).
    pub letters: bool,
    /// `None` while there is nobody to tell acts to: rows wait then.
    pub acts: Option<Vec<Pending>>,
    /// The messages of the packs written last, so that what an alarm has just made it does not read again.
    fresh: VecDeque<(u64, Vec<Letter>)>,
    /// How many packs and acts this alarm has taken out.
    packs_taken: usize,
    acts_taken: usize,
}

impl Outbox {
    pub(super) fn new(meta: &Meta) -> Self {
        let Meta { sent_pack, again, failures, retry_at_ms, .. } = *meta;
        let mut outbox = Self { sent_pack, again, failures, retry_at_ms, ..Self::default() };
        outbox.is_in_doubt = outbox.is_unwell();
        outbox
    }

    /// Its part of the message's row.
    pub(super) fn mark(&self) -> Meta {
        let Self { sent_pack, again, failures, retry_at_ms, .. } = *self;
        Meta { sent_pack, again, failures, retry_at_ms, ..Meta::default() }
    }

    /// Goes on behind the last pack in the rows, or one that has left and is gone ([`super::mend`]). Of those before it one is known to
    /// have left with the last clicks that came, and all where the message rests and the queue had refused nothing.
    pub(super) fn resume(&mut self, last_pack: u64, known_pack: u64, rests: bool) {
        let sent_pack = self.sent_pack.max(known_pack);
        // A mark far beyond the last pack is damaged, and holds up none of those to come.
        self.last_pack = sent_pack.clamp(last_pack, last_pack + MAX_PACKS as u64);
        self.sent_pack =
            if rests && self.failures == 0 { self.last_pack } else { sent_pack.min(self.last_pack) };
    }

    /// The row is to say when this alarm ends what has left by then.
    pub(super) fn owe_mark(&mut self) {
        (self.is_ahead, self.is_in_doubt) = (true, true);
    }

    /// An alarm begins.
    pub(super) fn fired(&mut self) {
        (self.packs_taken, self.acts_taken) = (0, 0);
    }

    /// A pack is written.
    pub(super) fn push(&mut self, number: u64, messages: Vec<Letter>) {
        self.last_pack = number;
        self.fresh.push_back((number, messages));
        if self.fresh.len() > MAX_PACKS {
            // The queue is behind by more than an alarm: these are read when their turn comes.
            self.fresh.pop_front();
        }
    }

    /// Forgets the messages that it has made: their packs are others now.
    pub(super) fn forget_made(&mut self) {
        self.fresh.clear();
    }

    pub(super) fn last_pack(&self) -> u64 {
        self.last_pack
    }

    /// The last pack that the queue has taken.
    pub(super) fn sent_pack(&self) -> u64 {
        self.sent_pack
    }

    pub(super) fn retry_at_ms(&self) -> i64 {
        self.retry_at_ms
    }

    pub(super) fn has_packs(&self) -> bool {
        self.sent_pack < self.last_pack || self.leaves_again()
    }

    fn leaves_again(&self) -> bool {
        0 < self.again.0 && self.again.0 <= self.again.1
    }

    fn is_unwell(&self) -> bool {
        self.failures > 0 || self.leaves_again()
    }

    /// Whether the row must say where the marks are: they have moved, and an alarm follows or the row says more than that
    /// everything has left. It is taken for written then.
    pub(super) fn owes_mark(&mut self, alarm_follows: bool) -> bool {
        let owes = self.is_ahead && (alarm_follows || self.is_in_doubt);
        if owes {
            self.is_ahead = false;
            self.is_in_doubt = self.is_unwell();
        }
        owes
    }

    /// The pack that is due at a moment, with its messages where they are still at hand.
    pub(super) fn next_pack(&mut self, now_ms: i64) -> Option<(u64, Option<Vec<Letter>>)> {
        if !self.has_packs() || now_ms < self.retry_at_ms || self.packs_taken >= MAX_PACKS {
            return None;
        }
        self.packs_taken += 1;
        if self.sent_pack >= self.last_pack {
            return Some((self.again.0, None));
        }
        let number = self.sent_pack + 1;
        while self.fresh.front().is_some_and(|(fresh, _)| *fresh < number) {
            self.fresh.pop_front();
        }
        let is_next = self.fresh.front().is_some_and(|(fresh, _)| *fresh == number);
        let messages = if is_next { self.fresh.pop_front() } else { None };
        Some((number, messages.map(|(_, messages)| messages)))
    }

    /// Whether an act may leave at a moment.
    pub(super) fn may_tell(&mut self, now_ms: i64) -> bool {
        let may = now_ms >= self.retry_at_ms && self.acts_taken < MAX_ACTS;
        self.acts_taken += usize::from(may);
        may
    }

    /// The queue has taken a pack; its mark moves unless somebody has set it back meanwhile, or erased the message with it.
    pub(super) fn sent(&mut self, number: u64) {
        if self.sent_pack + 1 == number && number <= self.last_pack {
            self.sent_pack = number;
        } else if self.again.0 == number {
            self.again.0 += 1;
        } else {
            return;
        }
        self.recover();
        self.is_ahead = true;
    }

    /// The queue takes something again; says whether it had refused.
    pub(super) fn recover(&mut self) -> bool {
        let had = self.failures > 0;
        (self.failures, self.retry_at_ms) = (0, 0);
        had
    }

    /// The queue has refused: the next try waits twice as long as the one before.
    pub(super) fn refused(&mut self, now_ms: i64) {
        let pause_ms = (TICK_MS << self.failures.min(16)).min(MAX_PAUSE_MS);
        self.failures = self.failures.saturating_add(1);
        self.is_in_doubt = true;
        self.retry_at_ms = now_ms + pause_ms;
    }

    /// Everything that has left, from a pack on, is to leave again; says whether there is something.
    pub(super) fn rewind(&mut self, first_pack: u64) -> bool {
        let has = self.sent_pack > 0;
        if has {
            self.again = (first_pack, self.sent_pack);
            self.is_in_doubt = true;
            self.recover();
        }
        has
    }
}
