//! The time, randomness and ids: what everything that is pure takes as arguments.

use std::cell::RefCell;

use js_sys::Date;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::record::{EventId, EventIds};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn fill(bytes: &mut [u8]) -> Result<JsValue, JsValue>;
}

thread_local! {
    /// The ids that one isolate makes ascend.
    static IDS: RefCell<EventIds> = RefCell::default();
}

/// The time, Unix milliseconds.
pub(super) fn now_ms() -> i64 {
    whole(Date::now())
}

/// A number of JavaScript's that is whole.
#[expect(clippy::cast_possible_truncation, reason = "it is whole, and below 2^53")]
pub(super) const fn whole(number: f64) -> i64 {
    number as i64
}

/// A whole number as JavaScript has it.
#[expect(clippy::cast_precision_loss, reason = "times and what rows hold are below 2^53")]
pub(super) const fn number(whole: i64) -> f64 {
    whole as f64
}

/// The id of a request that comes now.
pub(super) fn next_id() -> EventId {
    IDS.with_borrow_mut(|ids| ids.next(now_ms(), random()))
}

/// Random bytes. Without randomness ids still ascend, and a visitor of zeros is better than no redirect.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let _ = fill(&mut bytes);
    bytes
}
