//! The bucket: the record of truth. A pack is an object, and what was sent last stays: a second delivery overwrites the first, and
//! an older one that comes late changes nothing.

use js_sys::Promise;

use super::sink::{Freight, Sink, strange};
use crate::edge::bindings::ARCHIVE;
use crate::edge::clock::number;
use crate::edge::runtime::{self, Env};

/// The type of what lies there.
pub(in crate::edge) const LINES: &str = "application/x-ndjson";

/// R2.
pub(in crate::edge) struct Bucket;

impl Sink for Bucket {
    fn begin(&self, freight: &Freight, env: &Env) -> Result<Promise, String> {
        let Freight::Pack { key, lines, sent_ms, .. } = freight else { return strange() };
        Ok(runtime::write(env, ARCHIVE, key, lines, LINES, number(*sent_ms)))
    }
}
