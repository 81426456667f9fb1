//! Standard Webhooks: one request each, a few at once. What the receiver did not take is left, and nothing else: so nothing is
//! posted again that was taken.

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::sink::{Failure, Freight, Left, Outcome, Sink, TIMEOUT_MS, strange};
use crate::edge::runtime::{Answers, Env, Posted, Requests};
use crate::edge::{clock, log};
use crate::event::sink::feed::{self, Post};
use crate::event::webhook;

/// So many go out at once. A run of the Worker has six connections (2026-11): those that are left are the other sinks'.
const MOST: u32 = 4;

/// No further one is begun so late in a run, milliseconds: the other sinks' next feeds wait for its end.
const BUDGET_MS: u32 = 10_000;

/// "Gone" (Standard Webhooks 1.0.0): the receiver wants no more. What it was told of is told no more.
const GONE: u16 = 410;

/// A receiver, and what its webhooks are signed with.
pub(super) struct Webhooks<'a> {
    pub url: &'a str,
    pub secret: &'a [u8],
}

impl Sink for Webhooks<'_> {
    fn begin(&self, freight: &Freight, _: &Env) -> Result<Promise, String> {
        let Freight::Posts(posts) = freight else { return strange() };
        let timestamp_s = clock::now_ms() / 1_000;
        let timestamp = timestamp_s.to_string();
        let requests = Requests::default();
        for Post { id, body } in *posts {
            let signature = webhook::signature(self.secret, id, timestamp_s, body);
            requests.add(body).all(&webhook::headers(id, &timestamp, &signature));
        }
        Ok(requests.post(self.url, MOST, TIMEOUT_MS, BUDGET_MS))
    }

    fn end(&self, freight: &Freight, answer: JsValue) -> Outcome {
        let Freight::Posts(posts) = freight else { return Outcome::TAKEN };
        let answers = Answers::of(answer);
        let (mut left, mut failure) = (Vec::new(), None);
        for (at, post) in posts.iter().enumerate() {
            match answers.get(at) {
                Posted::Status(200..=299, _) => {}
                Posted::Status(GONE, _) => log::alarm(&feed::gone(&post.id)),
                posted => {
                    // What ended the run says more than what was refused before.
                    let why = Failure::of(posted);
                    if failure.is_none() || why.as_ref().is_some_and(|why| why.is_out) {
                        failure = why;
                    }
                    left.push(post.clone());
                }
            }
        }
        let left = match left.len() {
            0 => Left::Nothing,
            all if all == posts.len() => Left::All,
            _ => Left::Posts(left),
        };
        Outcome { left, failure }
    }
}
