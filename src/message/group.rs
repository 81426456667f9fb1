//! Group commit: clicks of a busy second wait for each other and become one row.
//!
//! Whoever brings clicks waits until they are stored. To hold a call keeps the object awake, which costs $1.56 a million
//! seconds, and a row costs $1 a million: to wait pays from about three clicks a second on. So the first clicks after a quiet
//! moment are stored at once, and so is a group that is large enough.

use std::collections::VecDeque;

use crate::record::Record;

/// The longest that a click waits for others, milliseconds.
pub const HOLD_MS: i64 = 1_000;

/// So many clicks within [`HOLD_MS`] are worth waiting for more.
pub const BUSY_CLICKS: usize = 4;

/// A group of so many waits no longer.
pub const MAX_CLICKS: usize = 256;

/// The clicks that wait.
#[derive(Default)]
pub struct Group {
    waiting: Vec<Record>,
    /// When the first of them came, Unix milliseconds.
    began_ms: i64,
    /// When the last [`BUSY_CLICKS`] clicks came, Unix milliseconds.
    latest: VecDeque<i64>,
}

impl Group {
    /// Adds clicks at a moment, Unix milliseconds; returns how long the group waits from then on, milliseconds: 0 where it is to
    /// be stored now.
    pub fn join(&mut self, clicks: Vec<Record>, now_ms: i64) -> i64 {
        if self.waiting.is_empty() {
            self.began_ms = now_ms;
        }
        self.latest.extend(std::iter::repeat_n(now_ms, clicks.len().min(BUSY_CLICKS)));
        let old = self.latest.len().saturating_sub(BUSY_CLICKS);
        self.latest.drain(..old);
        self.waiting.extend(clicks);
        let since = self.latest.front().filter(|_| self.latest.len() == BUSY_CLICKS);
        let is_busy = since.is_some_and(|since| now_ms - since < HOLD_MS);
        if !is_busy || self.waiting.len() >= MAX_CLICKS {
            return 0;
        }
        (self.began_ms + HOLD_MS - now_ms).clamp(0, HOLD_MS)
    }

    /// Takes them out, to be stored.
    pub fn take(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clicks(count: usize) -> Vec<Record> {
        vec![Record::default(); count]
    }

    /// Plays arrivals as the object does: `(moment, clicks)`; returns the sizes of the groups and the longest wait.
    fn play(arrivals: impl IntoIterator<Item = (i64, usize)>) -> (Vec<usize>, i64) {
        let (mut group, mut sizes, mut longest) = (Group::default(), Vec::new(), 0);
        let mut due: Option<i64> = None;
        for (now_ms, count) in arrivals {
            if due.is_some_and(|due| due <= now_ms) {
                sizes.push(group.take().len());
                due = None;
            }
            let hold_ms = group.join(clicks(count), now_ms);
            longest = longest.max(hold_ms);
            if hold_ms == 0 {
                sizes.push(group.take().len());
                due = None;
            } else {
                due = due.or(Some(now_ms + hold_ms));
            }
        }
        sizes.extend(due.map(|_| group.take().len()));
        (sizes, longest)
    }

    #[test]
    fn a_click_now_and_then_waits_for_nobody() {
        assert_eq!(play((0..20).map(|n| (n * 400, 1))), (vec![1; 20], 0));
        assert_eq!(play([(0, 1), (1, 1), (2, 1)]), (vec![1; 3], 0), "nor do the first of a quiet moment");
    }

    #[test]
    fn a_busy_second_is_one_row() {
        let (sizes, longest) = play((0..1_000).map(|n| (n * 10, 1)));
        assert_eq!(sizes.iter().sum::<usize>(), 1_000);
        assert!(sizes.len() <= 3 + 10, "{sizes:?}");
        assert_eq!(longest, HOLD_MS);
        // What comes together counts as what it is.
        let (sizes, _) = play((0..10).map(|n| (n * 200, 3)));
        assert_eq!(sizes, [3, 15, 12]);
    }

    #[test]
    fn a_group_that_is_large_enough_waits_no_longer() {
        let (sizes, longest) = play((0..20).map(|n| (n, 100)));
        assert_eq!((sizes, longest), (vec![300, 300, 300, 300, 300, 300, 200], HOLD_MS));
    }

    #[test]
    fn the_clock_may_step_back() {
        let mut group = Group::default();
        group.join(clicks(4), 10_000);
        assert!((0..=HOLD_MS).contains(&group.join(clicks(4), 5_000)));
    }
}
