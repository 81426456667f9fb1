//! Gives messages to a queue.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use super::bindings::FEEDS;
use super::log;
use super::runtime::{self, Env, Result};
use crate::event::parcel::Letter;
use crate::event::sink::feed::Feed;

/// So long the queue may take. A send that never ends would hold up the alarm, which nothing settles beside, for the quarter
/// of an hour that the platform lets it run.
const TIMEOUT_MS: u32 = 30_000;

/// Sends a message; it is there once this returns.
pub(super) async fn send(env: &Env, binding: &str, letter: &Letter) -> Result<()> {
    let message = match letter {
        Letter::Text(text) => (JsValue::from_str(text), "text"),
        Letter::Bytes(bytes) => of_bytes(bytes),
    };
    runtime::send(env, binding, message, 0, TIMEOUT_MS).await
}

/// Sends what is for a sink, which is to wait for some seconds.
pub(super) async fn send_feed(env: &Env, feed: &Feed, delay_s: u32) -> Result<()> {
    runtime::send(env, FEEDS, of_bytes(&feed.seal()), delay_s, TIMEOUT_MS).await
}

/// Sends what is for sinks; whether all of it is there.
pub(super) async fn send_feeds(env: &Env, feeds: &[Feed]) -> bool {
    for feed in feeds {
        if let Err(error) = send_feed(env, feed, 0).await {
            log::failure("feed.unqueued", feed.sink.name(), &error);
            return false;
        }
    }
    true
}

fn of_bytes(bytes: &[u8]) -> (JsValue, &'static str) {
    (Uint8Array::from(bytes).into(), "bytes")
}
