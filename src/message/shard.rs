//! Which part of its message an object keeps: all of it, or one of several shards; and how far that one is with their board
//! ([`super::exchange`]).
//!
//! | what | where it is after a restart |
//! | --- | --- |
//! | marks of the window's blocks | every block of the window is marked |
//! | marks of older blocks | every block from `unreported_from` on is marked |
//! | views | in rows; memory has those that reach the window |

use super::rows::Meta;
use crate::verdict::evidence::{Views, block_of};
use crate::verdict::order::ascending;

/// The name of a shard's marks in its rows.
pub(super) const MARKS: &str = "shard";

/// No block.
pub(super) const NONE: u64 = u32::MAX as u64;

/// How long after a click its block is reported, milliseconds: others settle a minute after theirs.
const REPORT_MS: i64 = 5_000;

/// What is kept of an exchange in the shard's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// How many objects share the message.
    pub shards: u64,
    /// The board's life that it has told what it has.
    pub epoch: u64,
    /// It has every view from a block on, as of a version.
    pub known_from: u64,
    pub version: u64,
    /// Nothing from before this block is unreported, but for what the window holds.
    pub unreported_from: u64,
}

/// What an object knows of its part.
pub(super) struct Shard {
    /// The object's name.
    pub name: String,
    /// When it began, and from when on all its clicks are there, Unix milliseconds; 0 where that is not known, or they all are.
    pub began_ms: i64,
    pub kept_from_ms: i64,
    pub marks: Marks,
    /// Blocks to report, ascending.
    pub marked: Vec<u64>,
    /// All blocks from here on that have clicks are to be reported, too, one after the other.
    pub rebuild_from: u64,
    /// From when on the marked ones are to be reported, Unix milliseconds.
    pub report_ms: i64,
    /// What was reported: blocks with digests.
    pub reported: Vec<(u64, u64)>,
    /// The exchange that is under way: what it reports, and where it asks for older views than are known, from where on.
    pub asked: Option<(Vec<(u64, u64)>, u64)>,
    /// There is more to hear.
    pub is_told: bool,
    /// Of views that are heard from the first version on: from which block on, and the version up to which they have come.
    pub anew: (u64, u64),
    /// When it heard all of the board last, Unix milliseconds.
    pub heard_ms: i64,
    pub failures: u32,
    /// After exchanges that failed: not before, Unix milliseconds.
    pub pause_until_ms: i64,
    /// The board's views that reach the window.
    pub views: Views,
}

impl Shard {
    pub(super) fn new(meta: Meta, marks: &[u64]) -> Self {
        let [shards, epoch, known_from, version, unreported_from] = *marks else {
            return Self::new(meta, &[1, 0, NONE, 0, NONE]);
        };
        let Meta { name, began_ms, kept_from_ms, .. } = meta;
        Self {
            name,
            began_ms,
            kept_from_ms,
            marks: Marks { shards, epoch, known_from, version, unreported_from },
            marked: Vec::new(),
            rebuild_from: NONE,
            report_ms: i64::MAX,
            reported: Vec::new(),
            asked: None,
            is_told: false,
            anew: (NONE, 0),
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

    pub(super) fn mark_blocks(&mut self, blocks: impl Iterator<Item = u64>, report_ms: i64) {
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
