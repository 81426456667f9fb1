//! When the message wants to be woken, and for which clicks.

use std::collections::{BTreeMap, VecDeque};

use super::by_id::Ids;
use super::rows::Revisit;
use super::sweep::Sweep;
use crate::record::EventId;
use crate::verdict::Judging;

/// The tick: the shortest time between two alarms. It bounds what they cost, which is three rows, a message of the queue and an
/// object of R2 for all the clicks that settle together.
pub const TICK_MS: i64 = 1_000;

/// The longest that the tick becomes where clicks are many: what is due is settled five seconds later at most, and an alarm
/// takes its time, too.
pub(super) const MAX_TICK_MS: i64 = 4_000;

/// How long a click that is due waits for company, milliseconds: four seconds at the usual settling time, less where that is
/// short. A click a second would pay for an alarm each otherwise.
fn company_ms(judging: &Judging) -> i64 {
    (judging.settle_ms / 15).clamp(0, MAX_TICK_MS)
}

/// By so much a click that settles stretches the tick.
const STRETCH_MS: i64 = 250;

/// The timers: exactly the clicks that have not settled, and the settled ones of which more has become known since.
#[derive(Default)]
pub(super) struct Timers {
    /// Clicks that wait for their windows to close.
    pub unsettled: Ids,
    /// Settled clicks of the window that are to be judged again, and from when on, Unix milliseconds. None is due later than
    /// the window holds its click.
    pub touched: BTreeMap<EventId, i64>,
    /// Recipients whose clocks moved, while there are packs of theirs to go through; a copy of the rows.
    pub revisits: VecDeque<Revisit>,
    /// How the unsettled clicks from before the window wait for each other.
    pub sweep: Sweep,
    last_ms: Option<i64>,
    /// 0 before the first alarm.
    tick_ms: i64,
}

impl Timers {
    /// Forgets what waits, which is read again from the rows.
    pub(super) fn forget(&mut self) {
        *self = Self { last_ms: self.last_ms, tick_ms: self.tick_ms, ..Self::default() };
    }

    /// Takes note of an alarm.
    pub(super) fn fired(&mut self, now_ms: i64) {
        self.last_ms = Some(now_ms);
    }

    /// An alarm has settled so many clicks: the more they are, the longer the next one waits for company. An alarm that could
    /// not settle all is followed by one at once.
    pub(super) fn settled(&mut self, clicks: usize, is_behind: bool) {
        let clicks = i64::try_from(clicks).unwrap_or(i64::MAX);
        let stretched_ms = clicks.saturating_mul(STRETCH_MS).clamp(TICK_MS, MAX_TICK_MS);
        self.tick_ms = if is_behind { TICK_MS } else { stretched_ms };
    }

    /// Of the unsettled clicks those whose windows have closed, oldest first from a window's start on, at most so many; where they are
    /// fewer than that, of the late ones before it, too, where so many verdicts stand, what the sweep says, at most so many in all.
    pub(super) fn due(
        &mut self,
        judging: &Judging,
        now_ms: i64,
        (most_timely, most): (usize, usize),
        (start_ms, verdicts): (i64, usize),
    ) -> Ids {
        let end = EventId::first_of(judging.cutoff_ms(now_ms) + 1);
        let start = EventId::first_of(start_ms).min(end);
        let mut due = Ids::default();
        due.extend(self.unsettled.range(start..end).take(most_timely).copied());
        let (late, room) = (self.unsettled.range(EventId::first_of(0)..start).count(), most - due.len());
        if late > 0
            && due.len() < most_timely
            && let Some(from) = self.sweep.start(late, verdicts)
        {
            let left = self.unsettled.range(from.min(start)..start);
            self.sweep.goes_on(left.clone().nth(room).copied());
            due.extend(left.take(room).copied());
        }
        due
    }

    /// The touched clicks whose time has come.
    pub(super) fn due_touched(&self, now_ms: i64) -> Vec<EventId> {
        self.touched.iter().filter(|(_, due_ms)| **due_ms <= now_ms).map(|(id, _)| *id).collect()
    }

    /// When the next alarm is due, Unix milliseconds, if something waits in here or for `others_ms`; not before a
    /// tick has passed since the last one.
    pub(super) fn next_ms(&self, judging: &Judging, others_ms: Option<i64>, now_ms: i64) -> Option<i64> {
        let settle_ms = self.unsettled.first().map(|id| judging.due_ms(id.ts_ms()) + company_ms(judging));
        let touched_ms = self.touched.values().min().copied();
        let revisit_ms = self.revisits.front().map(|_| now_ms);
        let due_ms = [settle_ms, touched_ms, revisit_ms, others_ms].into_iter().flatten().min()?;
        Some(
            self.last_ms
                .map_or(due_ms, |last_ms| due_ms.max(last_ms.saturating_add(self.tick_ms.max(TICK_MS)))),
        )
    }
}
