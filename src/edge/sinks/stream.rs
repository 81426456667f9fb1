//! A stream of Basin: the shipped line as a record. A send that is repeated is a second record; `event_id` and `revision` tell.

use js_sys::Promise;

use super::sink::{Freight, Sink, TIMEOUT_MS, strange};
use crate::edge::bindings::STREAM;
use crate::edge::runtime::{self, Env};

/// The binding `STREAM`.
pub(super) struct Stream;

impl Sink for Stream {
    fn begin(&self, freight: &Freight, env: &Env) -> Result<Promise, String> {
        let Freight::Pack { lines, .. } = freight else { return strange() };
        Ok(runtime::send_records(env, STREAM, lines, TIMEOUT_MS))
    }
}
