//! Clicks that no object took: each is told of in the log with its whole record, so that it can be replayed.

use super::log;
use crate::event::line;
use crate::record::packed;

/// Logs the records of clicks that no object took, and why.
///
/// # Errors
/// They cannot be read.
pub(super) fn unrecorded(records: &[u8], reason: &str) -> Result<(), String> {
    for (_, record) in packed::all(records)? {
        log::alarm(&line::unrecorded(&record, reason));
    }
    Ok(())
}
