//! The log: one JSON line an event, shipped to analytics by the platform. The event's name comes first.

use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::config::Config;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn log(line: &str);

    #[wasm_bindgen(js_namespace = console)]
    fn error(line: &str);
}

/// Writes a line that is already JSON: of a request, or of what went well. It is made only where the settings want it.
pub(super) fn request_line(config: &Config, json: impl FnOnce() -> String) {
    if config.logs_requests {
        log(&json());
    }
}

/// Writes a line that is already JSON and that somebody should look at.
pub(super) fn alarm(json: &str) {
    error(json);
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
