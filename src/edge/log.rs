//! The log: one JSON line an event, shipped to analytics by the platform. The event's name comes first.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::config::Config;
use crate::event::line;

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
    alarm(&line::failure(event, subject, &error.to_string()));
}
