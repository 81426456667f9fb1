//! Analytics Engine: a pack as counts. It says of no point whether it took it; a run may write so many, and what is more waits for
//! another run.

use std::cell::Cell;

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::sink::{Freight, Left, Outcome, Sink, strange};
use crate::edge::bindings::STATS;
use crate::edge::runtime::{self, Env};
use crate::event::sink::facts::Facts;
use crate::event::sink::stats;

/// The binding `STATS`.
pub(super) struct Points {
    /// So many more this run may write.
    room: Cell<usize>,
    /// From there on those of the last pack are left.
    rest: Cell<Option<usize>>,
}

impl Default for Points {
    fn default() -> Self {
        Self { room: Cell::new(stats::MAX_POINTS), rest: Cell::new(None) }
    }
}

impl Sink for Points {
    fn begin(&self, freight: &Freight, env: &Env) -> Result<Promise, String> {
        let Freight::Pack { lines, done, .. } = freight else { return strange() };
        let points = stats::points(&Facts::of_all(lines)?);
        let to = points.len().min(done + self.room.get());
        self.rest.set((to < points.len()).then_some(to));
        let now = points.get(*done..to).unwrap_or_default();
        self.room.set(self.room.get() - now.len());
        Ok(runtime::count(env, STATS, &format!("[{}]", now.join(","))))
    }

    fn end(&self, freight: &Freight, _: JsValue) -> Outcome {
        let left = match (self.rest.get(), freight) {
            (None, _) => Left::Nothing,
            // There was no room for any.
            (Some(rest), Freight::Pack { done, .. }) if rest == *done => Left::All,
            (Some(rest), _) => Left::From(rest),
        };
        Outcome { left, failure: None }
    }
}
