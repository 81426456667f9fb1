//! The log: one JSON line an event, shipped to analytics by the platform. The event's name comes first.

use serde::Serialize;
use worker::{console_error, console_log};

use crate::config::Config;
use crate::event::line;
use crate::record::packed;

/// Writes a line that is already JSON: of a request, or of what went well. It is made only where the settings want it.
pub(super) fn request_line(config: &Config, json: impl FnOnce() -> String) {
    if config.logs_requests {
        console_log!("{}", json());
    }
}

/// Writes a line that is already JSON and that somebody should look at.
pub(super) fn alarm(json: &str) {
    console_error!("{json}");
}

/// Writes the records of clicks that no object took, so that they can be replayed.
///
/// # Errors
/// They cannot be read.
pub(super) fn unrecorded(records: &[u8], reason: &str) -> Result<(), String> {
    for (_, record) in packed::all(records)? {
        alarm(&line::unrecorded(&record, reason));
    }
    Ok(())
}

/// Writes a failure: what failed and where.
pub(super) fn failure(event: &'static str, subject: &str, error: &dyn std::fmt::Display) {
    #[derive(Serialize)]
    struct Failure<'a> {
        event: &'static str,
        subject: &'a str,
        error: String,
    }
    let failure = Failure { event, subject, error: error.to_string() };
    alarm(&serde_json::to_string(&failure).unwrap_or_default());
}
