//! The time, randomness and ids: what everything that is pure takes as arguments.

use std::cell::RefCell;

use worker::Date;

use crate::record::{EventId, EventIds};

thread_local! {
    /// The ids that one isolate makes ascend.
    static IDS: RefCell<EventIds> = RefCell::default();
}

/// The time, Unix milliseconds.
pub(super) fn now_ms() -> i64 {
    i64::try_from(Date::now().as_millis()).unwrap_or_default()
}

/// The id of a request that comes now.
pub(super) fn next_id() -> EventId {
    IDS.with_borrow_mut(|ids| ids.next(now_ms(), random()))
}

/// Random bytes. Without randomness ids still ascend, and a visitor of zeros is better than no redirect.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let _ = getrandom::fill(&mut bytes);
    bytes
}
