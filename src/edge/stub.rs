//! How the edge reaches a message's object: typed calls, asked again where that can help.

use std::time::Duration;

use js_sys::{Reflect, Uint8Array};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::{Delay, Env, Error, Method, Request, RequestInit};

use super::bindings::MESSAGES;
use super::failure::Failure;
use crate::message::call::{ARRIVALS, Call};

/// The pauses before further tries, milliseconds: well inside the 30 s that work after an answer may take.
const PAUSES_MS: [u64; 3] = [50, 400, 2_000];

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let says = |name: &str| match &error {
            Error::UnknownJsError { original, .. } | Error::Internal(original) => {
                Reflect::get(original, &name.into()).is_ok_and(|value| value.is_truthy())
            }
            _ => false,
        };
        Self::unreachable(error.to_string(), says("retryable"), says("overloaded"))
    }
}

/// Asks an object and reads its answer as JSON.
pub(super) async fn ask<T: DeserializeOwned>(env: &Env, object: &str, call: &Call) -> Result<T, Failure> {
    let text = ask_text(env, object, call).await?;
    serde_json::from_str(&text).map_err(|error| Failure::Unreadable(error.to_string()))
}

/// Sends an object something: that it took it is all there is to hear.
pub(super) async fn send(env: &Env, object: &str, call: &Call) -> Result<(), Failure> {
    nothing(ask_text(env, object, call).await?)
}

/// Tells an object of clicks: the batches of their records.
pub(super) async fn deliver(env: &Env, object: &str, records: &[u8]) -> Result<(), Failure> {
    let body = || Uint8Array::from(records).into();
    nothing(repeated(env, object, ARRIVALS, &body).await?)
}

/// Asks an object.
pub(super) async fn ask_text(env: &Env, object: &str, call: &Call) -> Result<String, Failure> {
    let (path, body) = call.encode();
    repeated(env, object, path, &|| body.as_str().into()).await
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
    body: &impl Fn() -> JsValue,
) -> Result<String, Failure> {
    let mut pauses = PAUSES_MS.into_iter();
    loop {
        match once(env, object, path, body()).await {
            Err(failure) if failure.is_passing() => match pauses.next() {
                Some(ms) => Delay::from(Duration::from_millis(ms)).await,
                None => return Err(failure),
            },
            answer => return answer,
        }
    }
}

/// One try, with a stub of its own: after an exception a stub stays broken.
async fn once(env: &Env, object: &str, path: &str, body: JsValue) -> Result<String, Failure> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body));
    let request = Request::new_with_init(&format!("https://object{path}"), &init)?;
    let stub = env.durable_object(MESSAGES)?.get_by_name(object)?;
    let mut response = stub.fetch_with_request(request).await?;
    let status = response.status_code();
    if status == 204 {
        // To read a body that is not there costs as much as the rest of the call.
        return Ok(String::new());
    }
    let text = response.text().await?;
    if status == 200 { Ok(text) } else { Err(Failure::Refused { status, words: text }) }
}
