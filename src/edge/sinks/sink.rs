//! What a sink is: what it is handed, what it says to that, and how it is asked.

use js_sys::Promise;
use wasm_bindgen::JsValue;

use crate::edge::runtime::{self, Env, Posted};
use crate::event::sink::feed::Post;

/// How long a receiver may take, milliseconds (Standard Webhooks 1.0.0 names 15 to 30 s as usual; a batch waits for it).
pub(in crate::edge) const TIMEOUT_MS: u32 = 10_000;

/// What a sink is handed.
pub(in crate::edge) enum Freight<'a> {
    /// A pack: the key of its object in the bucket, that object, how much of it is done, and when it was sent, Unix milliseconds.
    Pack { key: &'a str, lines: &'a str, done: usize, sent_ms: i64 },
    /// Webhooks.
    Posts(&'a [Post]),
}

/// What is left of it.
pub(in crate::edge) enum Left {
    /// Nothing: the sink has it.
    Nothing,
    /// All of it.
    All,
    /// These webhooks.
    Posts(Vec<Post>),
    /// The pack from there on.
    From(usize),
}

/// Why something is left.
pub(in crate::edge) struct Failure {
    pub reason: String,
    pub status: Option<u16>,
    /// For so many seconds the receiver wants to be left alone.
    pub pause_s: u32,
    /// Nothing more goes to it in this run.
    pub is_out: bool,
}

/// What came of handing it over. There may be something left without a failure: there was no time for it, or no room.
pub(in crate::edge) struct Outcome {
    pub left: Left,
    pub failure: Option<Failure>,
}

impl Outcome {
    pub(super) const TAKEN: Self = Self { left: Left::Nothing, failure: None };

    /// Nothing was taken, for this reason.
    pub(super) fn failed(reason: String) -> Self {
        Self { left: Left::All, failure: Some(Failure { reason, status: None, pause_s: 0, is_out: true }) }
    }
}

impl Failure {
    /// Why a receiver did not take something; `None` where it did, and where it was not asked.
    pub(in crate::edge) fn of(posted: Posted) -> Option<Self> {
        let (reason, status, pause_s) = match posted {
            Posted::Status(200..=299, _) | Posted::Unasked => return None,
            Posted::Status(status, pause_s) => ("the receiver did not take it", Some(status), pause_s),
            Posted::TooLate => ("no answer in 10 s", None, 0),
            Posted::Unreachable => ("the receiver cannot be reached", None, 0),
        };
        let is_out = matches!(status, None | Some(429 | 503));
        Some(Self { reason: reason.to_owned(), status, pause_s, is_out })
    }
}

/// Where events go. What comes twice is known by its key or its id.
pub(in crate::edge) trait Sink {
    /// Begins to hand something over.
    fn begin(&self, freight: &Freight, env: &Env) -> Result<Promise, String>;

    /// What came of it, once that is known.
    fn end(&self, _: &Freight, _: JsValue) -> Outcome {
        Outcome::TAKEN
    }
}

/// Hands something over.
pub(in crate::edge) async fn deliver(sink: &dyn Sink, freight: &Freight<'_>, env: &Env) -> Outcome {
    let begun = match sink.begin(freight, env) {
        Ok(promise) => runtime::wait(promise).await.map_err(|error| error.to_string()),
        Err(words) => Err(words),
    };
    begun.map_or_else(Outcome::failed, |answer| sink.end(freight, answer))
}

/// What is no matter of a sink: it is never given that.
pub(super) fn strange<T>() -> Result<T, String> {
    Err("it is not for this sink".to_owned())
}
