//! What settling came to, in numbers.

/// What a call settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Clicks that got their first settled verdict.
    pub settled: usize,
    /// Clicks whose settled verdict was replaced.
    pub amended: usize,
    /// Packs written.
    pub packs: usize,
    /// Clicks that were judged, changed or not.
    pub judged: usize,
    /// Clicks that were looked at to judge those.
    pub seen: usize,
    /// More is due than was settled at a stretch.
    pub goes_on: bool,
}

impl std::ops::AddAssign for Settlement {
    fn add_assign(&mut self, more: Self) {
        self.settled += more.settled;
        self.amended += more.amended;
        self.packs += more.packs;
        self.judged += more.judged;
        self.seen += more.seen;
        self.goes_on = more.goes_on;
    }
}
