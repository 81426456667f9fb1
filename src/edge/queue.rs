//! Gives messages to a queue. workers-rs 0.8.7 has no bytes, and brings a serialiser for what is only text.

use std::time::Duration;

use futures_util::future::{Either, select};
use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Delay, Env, Error, Result};

use crate::event::parcel::Letter;

/// So long the queue may take. A send that never ends would hold up the alarm, which nothing settles beside, for the quarter
/// of an hour that the platform lets it run.
const TIMEOUT_MS: u64 = 30_000;

#[wasm_bindgen]
extern "C" {
    type Producer;

    #[wasm_bindgen(method, catch)]
    fn send(this: &Producer, body: &JsValue, options: &JsValue) -> std::result::Result<Promise, JsValue>;
}

/// Sends a message; it is there once this returns.
pub(super) async fn send(env: &Env, binding: &str, letter: &Letter) -> Result<()> {
    let (body, content_type) = match letter {
        Letter::Text(text) => (JsValue::from_str(text), "text"),
        Letter::Bytes(bytes) => (Uint8Array::from(bytes.as_slice()).into(), "bytes"),
    };
    let options = Object::new();
    Reflect::set(&options, &"contentType".into(), &content_type.into())?;
    let queue = Reflect::get(env, &binding.into())?;
    if !queue.is_object() {
        return Err(Error::BindingError(binding.to_owned()));
    }
    let sent = JsFuture::from(queue.unchecked_ref::<Producer>().send(&body, &options)?);
    match select(sent, Delay::from(Duration::from_millis(TIMEOUT_MS))).await {
        Either::Left((sent, _)) => sent.map(|_| ()).map_err(Error::from),
        Either::Right(_) => Err(Error::RustError("the queue does not answer".to_owned())),
    }
}
