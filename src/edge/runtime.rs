//! The runtime as the edge sees it: what it hands in, and what `runtime.mjs` does for it. Nothing of workers-rs: that brings
//! what every Worker may need, three times as much code as this one uses.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::clock::whole;
use crate::message::sql::Mismatch;

#[wasm_bindgen]
extern "C" {
    /// The environment: settings, secrets and bindings by name.
    #[derive(Clone)]
    pub type Env;

    /// What a request's work may outlive its answer by.
    pub type Context;

    #[wasm_bindgen(method, js_name = waitUntil)]
    pub fn wait_until(this: &Context, work: &Promise);

    /// A request.
    pub type Request;

    #[wasm_bindgen(method, getter)]
    pub fn headers(this: &Request) -> Headers;

    /// A request's headers.
    pub type Headers;

    #[wasm_bindgen(method)]
    pub fn get(this: &Headers, name: &str) -> Option<String>;

    /// What an object is and has.
    pub type State;

    #[wasm_bindgen(method, getter)]
    pub fn id(this: &State) -> Id;

    #[wasm_bindgen(method, getter)]
    pub fn storage(this: &State) -> Storage;

    /// Who an object is.
    pub type Id;

    #[wasm_bindgen(method, getter)]
    pub fn name(this: &Id) -> Option<String>;

    /// What an object keeps.
    pub type Storage;

    #[wasm_bindgen(method, getter)]
    pub fn sql(this: &Storage) -> Sql;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    pub fn transaction_sync(
        this: &Storage,
        call: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<JsValue, JsValue>;

    /// To null where no alarm is set.
    #[wasm_bindgen(method, catch, js_name = getAlarm)]
    pub fn get_alarm(this: &Storage) -> Result<Promise, JsValue>;

    /// For a moment, Unix milliseconds.
    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    pub fn set_alarm(this: &Storage, at_ms: f64) -> Result<Promise, JsValue>;

    /// Deletes all that there is, the alarm included.
    #[wasm_bindgen(method, catch, js_name = deleteAll)]
    pub fn delete_all(this: &Storage) -> Result<Promise, JsValue>;

    /// An object's database.
    pub type Sql;

    /// Its size, bytes.
    #[wasm_bindgen(method, getter, js_name = databaseSize)]
    pub fn database_size(this: &Sql) -> f64;

    /// Messages of a queue.
    pub type Batch;

    #[wasm_bindgen(method, getter)]
    pub fn queue(this: &Batch) -> String;

    #[wasm_bindgen(method, getter)]
    pub fn messages(this: &Batch) -> Vec<Message>;

    /// One of them.
    pub type Message;

    #[wasm_bindgen(method, getter)]
    pub fn id(this: &Message) -> String;

    #[wasm_bindgen(method, getter)]
    pub fn body(this: &Message) -> JsValue;

    #[wasm_bindgen(method, getter)]
    fn timestamp(this: &Message) -> js_sys::Date;

    #[wasm_bindgen(method, getter)]
    pub fn attempts(this: &Message) -> u32;

    #[wasm_bindgen(method)]
    pub fn ack(this: &Message);

    #[wasm_bindgen(method)]
    pub fn retry(this: &Message);

}

#[wasm_bindgen(module = "/src/edge/runtime.mjs")]
extern "C" {
    #[wasm_bindgen(js_name = words)]
    fn words_of(error: &JsValue) -> String;

    /// What an object answers.
    pub type Asked;

    #[wasm_bindgen(method, getter)]
    pub fn status(this: &Asked) -> u16;

    #[wasm_bindgen(method, getter)]
    pub fn text(this: &Asked) -> String;

    /// Where several were asked, all that they answer.
    #[wasm_bindgen(method, getter)]
    pub fn texts(this: &Asked) -> Array;

    /// Of a listing, its bytes.
    #[wasm_bindgen(method, getter)]
    pub fn lines(this: &Asked) -> JsValue;

    /// Promises what an object answers.
    pub fn ask(env: &Env, address: &str, path: &str, body: JsValue) -> Promise;

    /// Promises what objects answer, `most` of them asked at a time.
    #[wasm_bindgen(js_name = askAll)]
    pub fn ask_all(env: &Env, calls: &Array, most: u32) -> Promise;

    #[wasm_bindgen(js_name = exchange)]
    fn promise_to_exchange(env: &Env, board: &str, said: &[u8], within_ms: u32) -> Promise;

    #[wasm_bindgen(js_name = pause)]
    fn promise_to_pause(ms: u32) -> Promise;

    #[wasm_bindgen(js_name = retryAfter)]
    fn retry_message_after(message: &Message, seconds: u32);

    /// The name of a binding's class; empty where nothing is bound.
    pub fn kind(env: &Env, name: &str) -> String;

    #[wasm_bindgen(js_name = read)]
    fn promise_to_read(request: &Request, most: u32) -> Promise;

    #[wasm_bindgen(js_name = fields)]
    fn promise_of_fields(content_type: &str, body: &[u8], one: &str, other: &str, third: &str) -> Promise;

    #[wasm_bindgen(js_name = send)]
    fn promise_to_send(
        env: &Env,
        binding: &str,
        body: JsValue,
        content_type: &str,
        delay_s: u32,
        timeout_ms: u32,
    ) -> Promise;

    /// Promises to say whether R2 has an object.
    pub fn exists(env: &Env, binding: &str, key: &str) -> Promise;

    /// Promises to write an object of R2, unless what lies there was sent later than this moment, Unix milliseconds.
    pub fn write(
        env: &Env,
        binding: &str,
        key: &str,
        body: &str,
        content_type: &str,
        sent_ms: f64,
    ) -> Promise;

    /// Promises to empty objects of R2 by their keys, a line each, likewise.
    pub fn blank(env: &Env, binding: &str, keys: &str, content_type: &str, sent_ms: f64) -> Promise;

    #[wasm_bindgen(js_name = post)]
    fn promise_to_post(url: &str, requests: &Array, most: u32, timeout_ms: u32, budget_ms: u32) -> Promise;

    /// Promises to write points to Analytics Engine, a list of JSON.
    pub fn count(env: &Env, binding: &str, points: &str) -> Promise;

    /// Promises to send a stream the records of lines of JSON.
    #[wasm_bindgen(js_name = sendRecords)]
    pub fn send_records(env: &Env, binding: &str, lines: &str, timeout_ms: u32) -> Promise;

    /// Runs statements of a database: hands over what they find row by row, and returns how many rows they wrote.
    #[wasm_bindgen(catch)]
    pub fn run(
        sql: &Sql,
        statements: &str,
        values: &Array,
        each: &mut dyn FnMut(Array) -> Result<(), JsValue>,
    ) -> Result<f64, JsValue>;
}

#[wasm_bindgen(module = "/src/edge/listing.mjs")]
extern "C" {
    /// Promises the clicks of a message as bytes that come by and by, at most `most` objects being asked at a time.
    pub fn list(env: &Env, address: &str, after: &str, limit: u32, filter: &str, most: u32) -> Promise;
}

/// What the runtime throws, or what is wrong with what it hands in.
#[derive(Clone, Debug)]
pub(super) enum Error {
    Thrown(JsValue),
    Words(String),
}

pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

impl From<JsValue> for Error {
    fn from(thrown: JsValue) -> Self {
        Self::Thrown(thrown)
    }
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        match error {
            Error::Thrown(thrown) => thrown,
            Error::Words(words) => js_sys::Error::new(&words).into(),
        }
    }
}

impl From<Mismatch> for Error {
    fn from(Mismatch(wanted): Mismatch) -> Self {
        Self::Words(format!("storage: {wanted} expected"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thrown(thrown) => f.write_str(&words_of(thrown)),
            Self::Words(words) => f.write_str(words),
        }
    }
}

impl Message {
    /// When it was sent, Unix milliseconds.
    pub(super) fn sent_ms(&self) -> i64 {
        whole(self.timestamp().get_time())
    }

    /// Tries it again so many seconds later.
    pub(super) fn retry_after(&self, seconds: u32) {
        retry_message_after(self, seconds);
    }
}

/// Waits for a promise.
#[inline(never)]
pub(super) async fn wait(promise: Promise) -> Result<JsValue> {
    JsFuture::from(promise).await.map_err(Error::from)
}

/// Says something to a board; what it answers in some milliseconds.
pub(super) async fn exchange(env: &Env, board: &str, said: &[u8], within_ms: u32) -> Result<Vec<u8>> {
    let answer = wait(promise_to_exchange(env, board, said, within_ms)).await?;
    Ok(answer.unchecked_into::<Uint8Array>().to_vec())
}

/// Waits so long.
pub(super) async fn pause(ms: u32) {
    // It never rejects.
    let _ = wait(promise_to_pause(ms)).await;
}

/// A request's body; `None` where it has more than `most` bytes.
pub(super) async fn read(request: &Request, most: u32) -> Result<Option<Vec<u8>>> {
    let body = wait(promise_to_read(request, most)).await?;
    Ok((!body.is_undefined()).then(|| body.unchecked_into::<Uint8Array>().to_vec()))
}

/// The first text under each of three names in a form.
pub(super) async fn fields(content_type: &str, body: &[u8], names: [&str; 3]) -> Result<[Option<String>; 3]> {
    let [one, other, third] = names;
    let found: Array = wait(promise_of_fields(content_type, body, one, other, third)).await?.unchecked_into();
    Ok([0, 1, 2].map(|at| found.get(at).as_string()))
}

/// Sends a message to a queue, text or bytes, which is to keep it for some seconds. It is there once this returns.
pub(super) async fn send(
    env: &Env,
    binding: &str,
    (body, content_type): (JsValue, &str),
    delay_s: u32,
    timeout_ms: u32,
) -> Result<()> {
    wait(promise_to_send(env, binding, body, content_type, delay_s, timeout_ms)).await.map(|_| ())
}

/// What a receiver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Posted {
    /// A status, and for how many seconds it wants to be left alone.
    Status(u16, u32),
    /// Nothing, as long as it was given.
    TooLate,
    /// Nothing: it was not reached.
    Unreachable,
    /// Nothing: it was not asked, after what it said to others, or because the time was over.
    Unasked,
}

/// Requests to one receiver.
#[derive(Default)]
pub(super) struct Requests(Array);

/// The headers of a request.
pub(super) struct Header(Array);

impl Header {
    /// Adds one.
    pub(super) fn one(&self, name: &str, value: &str) {
        self.0.push(&JsValue::from_str(name));
        self.0.push(&JsValue::from_str(value));
    }

    /// Adds some.
    pub(super) fn all(&self, headers: &[[&str; 2]]) {
        for [name, value] in headers {
            self.one(name, value);
        }
    }
}

impl Requests {
    /// Adds one with that body; its headers are to come.
    pub(super) fn add(&self, body: &str) -> Header {
        let request = Array::of1(&JsValue::from_str(body));
        self.0.push(&request);
        Header(request)
    }

    /// Promises their [`Answers`]: `most` go out at a time, none of them is `timeout_ms` long or begins after `budget_ms`.
    pub(super) fn post(&self, url: &str, most: u32, timeout_ms: u32, budget_ms: u32) -> Promise {
        promise_to_post(url, &self.0, most, timeout_ms, budget_ms)
    }
}

/// What became of requests, by their place.
pub(super) struct Answers(Array);

impl Answers {
    /// What was promised.
    pub(super) fn of(answers: JsValue) -> Self {
        Self(answers.unchecked_into())
    }

    /// What the receiver said of one.
    pub(super) fn get(&self, at: usize) -> Posted {
        let number = |place: usize| {
            let number = u32::try_from(place).map(|place| self.0.get(place).as_f64());
            number.ok().flatten().map(whole).and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
        };
        match number(2 * at) {
            0 => Posted::Unreachable,
            1 => Posted::TooLate,
            2 => Posted::Unasked,
            status => Posted::Status(u16::try_from(status).unwrap_or_default(), number(2 * at + 1)),
        }
    }
}

/// Work that goes on beside other work.
pub(super) type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Does all of it, each beside the other.
pub(super) async fn together(work: Vec<Work>) {
    let all = Array::new();
    for one in work {
        all.push(&future_to_promise(async move {
            one.await;
            Ok(JsValue::UNDEFINED)
        }));
    }
    // It never rejects.
    let _ = wait(Promise::all_settled(&all)).await;
}
