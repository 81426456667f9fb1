//! How a message is judged, and when: the settings that the engine obeys.

use super::{Ruleset, Thresholds};

/// How long a click may take from the edge to the object: it is waited for this long beyond the windows.
pub const RECORDING_LAG_MS: i64 = 2_000;

/// How a message is judged.
#[derive(Clone, Debug)]
pub struct Judging {
    /// The rules.
    pub ruleset: Ruleset,
    /// The rules that judge beside them and decide nothing.
    pub shadow: Option<Ruleset>,
    /// Their windows and counts.
    pub thresholds: Thresholds,
    /// How long after a click its windows close, milliseconds.
    pub settle_ms: i64,
}

impl Judging {
    /// Whether ruleset `full` judges, as the active one or as the shadow.
    #[must_use]
    pub fn asks_full(&self) -> bool {
        self.ruleset == Ruleset::Full || self.shadow == Some(Ruleset::Full)
    }

    /// Every click up to this moment is due.
    #[must_use]
    pub fn cutoff_ms(&self, now_ms: i64) -> i64 {
        now_ms - self.settle_ms - RECORDING_LAG_MS
    }

    /// When a click of that time is due.
    #[must_use]
    pub fn due_ms(&self, ts_ms: i64) -> i64 {
        ts_ms + self.settle_ms + RECORDING_LAG_MS
    }
}
