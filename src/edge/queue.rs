//! Gives messages to a queue.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use super::runtime::{self, Env, Result};
use crate::event::parcel::Letter;

/// So long the queue may take. A send that never ends would hold up the alarm, which nothing settles beside, for the quarter
/// of an hour that the platform lets it run.
const TIMEOUT_MS: u32 = 30_000;

/// Sends a message; it is there once this returns.
pub(super) async fn send(env: &Env, binding: &str, letter: &Letter) -> Result<()> {
    let (body, content_type) = match letter {
        Letter::Text(text) => (JsValue::from_str(text), "text"),
        Letter::Bytes(bytes) => (Uint8Array::from(bytes.as_slice()).into(), "bytes"),
    };
    runtime::send(env, binding, body, content_type, TIMEOUT_MS).await
}
