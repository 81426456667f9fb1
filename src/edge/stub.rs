//! How the edge reaches a message's object: typed calls, asked again where that can help (`runtime.mjs`).

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::failure::Failure;
use super::runtime::{self, Asked, Env};
use super::v1::Listing;
use crate::message::call::{ARRIVALS, Call, REPLAY};

/// So many objects are asked at once: a run of the Worker has no more connections (Workers limits, 2026-11).
const AT_ONCE: u32 = 6;

/// Sends an object something: that it took it is all there is to hear.
pub(super) async fn send(env: &Env, object: &str, call: &Call) -> Result<(), Failure> {
    nothing(ask_text(env, object, call).await?)
}

/// Tells an object of clicks: the batches of their records.
pub(super) async fn deliver(env: &Env, object: &str, records: &[u8]) -> Result<(), Failure> {
    nothing(text(runtime::ask(env, object, ARRIVALS, Uint8Array::from(records).into())).await?)
}

/// Says something to a board, once: it answers within some milliseconds, or nobody waits for it.
pub(super) async fn exchange(
    env: &Env,
    board: &str,
    said: &[u8],
    within_ms: u32,
) -> Result<Vec<u8>, Failure> {
    let answer = runtime::exchange(env, board, said, within_ms).await;
    answer.map_err(|error| Failure::Unreachable(error.to_string()))
}

/// Asks an object.
pub(super) async fn ask_text(env: &Env, object: &str, call: &Call) -> Result<String, Failure> {
    text(promise(env, object, call)).await
}

/// Promises what an object answers.
pub(super) fn promise(env: &Env, object: &str, call: &Call) -> Promise {
    let (path, body) = call.encode();
    runtime::ask(env, object, path, body.into())
}

/// Brings an object records: promises how many of them were new to it.
pub(super) fn replay(env: &Env, object: &str, records: &[u8]) -> Promise {
    runtime::ask(env, object, REPLAY, Uint8Array::from(records).into())
}

/// The same in words of the caller's own.
pub(super) async fn ask(env: &Env, object: &str, path: &str, body: &str) -> Result<String, Failure> {
    text(runtime::ask(env, object, path, body.into())).await
}

/// What the message's first object answers, which was asked; where there are others, too, what all those answer that are asked then:
/// `ask` adds their calls, by how many there are.
pub(super) async fn all(
    env: &Env,
    first: Promise,
    ask: &mut dyn FnMut(u32, &Calls),
) -> Result<Vec<String>, Failure> {
    let calls = Calls::default();
    match text(first).await {
        Ok(answer) => return Ok(vec![answer]),
        Err(failure) => ask(failure.several().ok_or(failure)?, &calls),
    }
    calls.ask(env).await
}

/// The clicks of the message whose first object this is, as bytes that come by and by.
pub(super) async fn list(env: &Env, object: &str, listing: &Listing) -> Result<JsValue, Failure> {
    let Listing { after, limit, filter } = listing;
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let filter = if filter.wants_all() { String::new() } else { filter.encode() };
    let limit = u32::try_from(*limit).unwrap_or(u32::MAX);
    Ok(asked(runtime::list(env, object, &after, limit, &filter, AT_ONCE)).await?.lines())
}

/// Calls to objects, each to its own.
#[derive(Default)]
pub(super) struct Calls(Array);

impl Calls {
    /// Adds one.
    pub(super) fn add(&self, address: &str, call: &Call) {
        let (path, body) = call.encode();
        self.0.push(&Array::of3(&address.into(), &path.into(), &body.into()));
    }

    /// Adds records that are brought along.
    pub(super) fn add_replay(&self, address: &str, records: &[u8]) {
        self.0.push(&Array::of3(&address.into(), &REPLAY.into(), &Uint8Array::from(records).into()));
    }

    /// What all objects answer, each in the place of its call; or what is wrong with one.
    pub(super) async fn ask(&self, env: &Env) -> Result<Vec<String>, Failure> {
        let asked = asked(runtime::ask_all(env, &self.0, AT_ONCE)).await?;
        Ok(asked.texts().iter().map(|text| text.as_string().unwrap_or_default()).collect())
    }
}

/// That nothing was answered, where there is nothing to hear.
fn nothing(answer: String) -> Result<(), Failure> {
    if answer.is_empty() { Ok(()) } else { Err(Failure::Unreadable(answer)) }
}

/// What is answered.
async fn text(promise: Promise) -> Result<String, Failure> {
    Ok(asked(promise).await?.text())
}

/// An answer that is none of an error.
async fn asked(promise: Promise) -> Result<Asked, Failure> {
    let asked = runtime::wait(promise).await.map_err(|error| Failure::Unreachable(error.to_string()))?;
    let asked: Asked = asked.unchecked_into();
    match asked.status() {
        200 | 204 => Ok(asked),
        0 => Err(Failure::Unreachable(asked.text())),
        status => Err(Failure::Refused { status, words: asked.text() }),
    }
}
