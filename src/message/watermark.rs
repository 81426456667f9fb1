//! How far the message has settled.

use crate::event::pack::PackRow;

/// The watermark and what belongs to it; times in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Watermark {
    /// Every click before this moment is settled, but for late ones.
    pub ms: i64,
    /// The time of the oldest late click that has not settled, or whose pack has not left; `i64::MAX` when there is none. It stands
    /// in the message's row, so that a restart reads from there.
    pub late_from_ms: i64,
    /// No click later than this is settled.
    pub settled_to_ms: i64,
    /// The earliest click in a pack.
    pub oldest_ms: i64,
}

impl Watermark {
    /// Before the first pack.
    pub(super) const fn new(late_from_ms: i64) -> Self {
        Self { ms: 0, late_from_ms, settled_to_ms: i64::MIN, oldest_ms: i64::MAX }
    }

    /// A pack is written: it moves on.
    pub(super) fn pass(&mut self, pack: &PackRow) {
        self.ms = pack.open_from_ms;
        self.settled_to_ms = self.settled_to_ms.max(pack.last_ms);
        self.oldest_ms = self.oldest_ms.min(pack.first_ms);
    }

    /// Everything before this is settled, late clicks included.
    pub(super) fn low_ms(&self) -> i64 {
        self.ms.min(self.late_from_ms)
    }

    /// Takes note of the time of a click that comes; says whether the mark for late ones has moved.
    pub(super) fn is_late(&mut self, ts_ms: i64) -> bool {
        let is_late = ts_ms < self.low_ms();
        if is_late {
            self.late_from_ms = ts_ms;
        }
        is_late
    }

    /// Whether the last late click has settled by now, where the oldest unsettled one is of that time.
    pub(super) fn caught_up(&mut self, first_unsettled_ms: Option<i64>) -> bool {
        let has = self.late_from_ms < self.ms && first_unsettled_ms.is_none_or(|ms| ms >= self.ms);
        if has {
            self.late_from_ms = i64::MAX;
        }
        has
    }
}
