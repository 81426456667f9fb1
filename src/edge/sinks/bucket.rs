//! The bucket: the record of truth. A pack is an object, and a second delivery overwrites it.

use js_sys::Promise;

use super::sink::{Freight, Sink, strange};
use crate::edge::bindings::ARCHIVE;
use crate::edge::runtime::{self, Env};

/// R2.
pub(in crate::edge) struct Bucket;

impl Sink for Bucket {
    fn begin(&self, freight: &Freight, env: &Env) -> Result<Promise, String> {
        let Freight::Pack { key, lines, .. } = freight else { return strange() };
        Ok(runtime::write(env, ARCHIVE, key, lines, "application/x-ndjson"))
    }
}
