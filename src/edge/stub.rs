//! How the edge reaches a message's object: typed calls, asked again where that can help.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use super::failure::Failure;
use super::runtime::{self, Env};
use crate::message::call::{ARRIVALS, Call, REPLAY};

/// The pauses before further tries, milliseconds: well inside the 30 s that work after an answer may take.
const PAUSES_MS: [u32; 3] = [50, 400, 2_000];

/// Sends an object something: that it took it is all there is to hear.
pub(super) async fn send(env: &Env, object: &str, call: &Call) -> Result<(), Failure> {
    nothing(ask_text(env, object, call).await?)
}

/// Tells an object of clicks: the batches of their records.
pub(super) async fn deliver(env: &Env, object: &str, records: &[u8]) -> Result<(), Failure> {
    nothing(ask_bytes(env, object, ARRIVALS, records).await?)
}

/// Brings an object records; answers how many of them were new to it.
pub(super) async fn replay(env: &Env, object: &str, records: &[u8]) -> Result<usize, Failure> {
    let answer = ask_bytes(env, object, REPLAY, records).await?;
    answer.parse().map_err(|_| Failure::Unreadable(answer))
}

/// Asks an object.
pub(super) async fn ask_text(env: &Env, object: &str, call: &Call) -> Result<String, Failure> {
    let (path, body) = call.encode();
    repeated(env, object, path, &|| body.as_str().into()).await
}

/// The same in words of the caller's own.
pub(super) async fn ask(env: &Env, object: &str, path: &str, body: &str) -> Result<String, Failure> {
    repeated(env, object, path, &|| body.into()).await
}

/// The same in bytes.
pub(super) async fn ask_bytes(
    env: &Env,
    object: &str,
    path: &str,
    records: &[u8],
) -> Result<String, Failure> {
    repeated(env, object, path, &|| Uint8Array::from(records).into()).await
}

/// That nothing was answered, where there is nothing to hear.
fn nothing(answer: String) -> Result<(), Failure> {
    if answer.is_empty() { Ok(()) } else { Err(Failure::Unreadable(answer)) }
}

/// Makes a call until it is answered, or cannot be. Every call may be repeated: what it does twice is done once.
async fn repeated(
    env: &Env,
    object: &str,
    path: &str,
    body: &dyn Fn() -> JsValue,
) -> Result<String, Failure> {
    let mut pauses = PAUSES_MS.into_iter();
    loop {
        match once(env, object, path, body()).await {
            Err(failure) if failure.is_passing() => match pauses.next() {
                Some(ms) => runtime::pause(ms).await,
                None => return Err(failure),
            },
            answer => return answer,
        }
    }
}

/// One try.
async fn once(env: &Env, object: &str, path: &str, body: JsValue) -> Result<String, Failure> {
    let answer = runtime::ask(env, object, path, body).await;
    let answer = answer.map_err(|error| Failure::unreachable(error.to_string(), false))?;
    match (answer.status(), answer.text()) {
        (0, words) => Err(Failure::unreachable(words, answer.may_pass())),
        (200 | 204, text) => Ok(text),
        (status, words) => Err(Failure::Refused { status, words }),
    }
}
