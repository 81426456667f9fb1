//! How late clicks wait for each other, to settle in one sweep in the order of time.
//!
//! A click from before the window is judged beside what lies around it in rows. Where records of days come in no order of time, an
//! alarm that settled what had come since the last one would read all of the message for a few clicks of each hour. So they wait,
//! while more of them come, until they are a share of what has settled; then alarms go from the first of them to the last and
//! not back to what comes meanwhile, which is the next sweep's. What a sweep reads is the message once, at most.
//!
//! Nothing of this is in rows: after a restart the next alarm begins a sweep.

use crate::record::EventId;

/// A message of so few verdicts is read in a moment: nobody waits.
const FEW: usize = 8_192;

/// One late click for so many verdicts is enough for a sweep.
const SHARE: usize = 2;

/// So many are enough in any case, because they are held in memory.
const ENOUGH: usize = 16_384;

/// The most alarms in a row that leave late clicks waiting.
const MOST_WAITS: u32 = 16;

/// The sweep, and what waits for it.
#[derive(Default)]
pub(super) struct Sweep {
    /// Late clicks that have come since the last alarm.
    pub came: usize,
    /// The alarms in a row that have left them waiting.
    waits: u32,
    /// Where the sweep goes on; `None` where none is under way.
    next: Option<EventId>,
}

impl Sweep {
    /// From where late clicks settle now, of which so many wait beside so many verdicts; `None` where they wait for more.
    pub(super) fn start(&mut self, waiting: usize, verdicts: usize) -> Option<EventId> {
        let came = std::mem::take(&mut self.came);
        let is_enough = verdicts < FEW || waiting >= ENOUGH.min(verdicts / SHARE);
        if came == 0 || is_enough || self.next.is_some() || self.waits >= MOST_WAITS {
            self.waits = 0;
            return Some(self.next.unwrap_or(EventId::first_of(0)));
        }
        self.waits += 1;
        None
    }

    /// Whether it has not come to its end.
    pub(super) fn is_under_way(&self) -> bool {
        self.next.is_some()
    }

    /// It goes on with a click, or with `None` it has come to its end.
    pub(super) fn goes_on(&mut self, next: Option<EventId>) {
        self.next = next;
    }
}
