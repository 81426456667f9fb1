//! Whatever takes NDJSON by HTTP: one request a pack.

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::sink::{Failure, Freight, Left, Outcome, Sink, TIMEOUT_MS, strange};
use crate::edge::runtime::{Answers, Env, Requests};
use crate::event::sink::http::filled;

/// `EVENTS_HTTP_URL` with `EVENTS_HTTP_HEADERS`.
pub(super) struct Collector<'a> {
    pub url: &'a str,
    pub headers: &'a [(String, String)],
}

impl Sink for Collector<'_> {
    fn begin(&self, freight: &Freight, _: &Env) -> Result<Promise, String> {
        let Freight::Pack { key, lines, .. } = freight else { return strange() };
        let request = Requests::default();
        let headers = request.add(lines);
        headers.one("content-type", "application/x-ndjson");
        for (name, value) in self.headers {
            headers.one(name, &filled(value, key));
        }
        Ok(request.post(&filled(self.url, key), 1, TIMEOUT_MS, TIMEOUT_MS))
    }

    fn end(&self, _: &Freight, answer: JsValue) -> Outcome {
        let failure = Failure::of(Answers::of(answer).get(0));
        Outcome { left: if failure.is_some() { Left::All } else { Left::Nothing }, failure }
    }
}
