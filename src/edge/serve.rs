//! What the entry (`entry.mjs`) calls: a request comes in, the queue brings a batch.
//!
//! Most answers are made in one call and without waiting: everything about the request comes in as one text, everything
//! about its answer goes out together. Where that is not enough the entry calls again, with the request itself.

#![expect(unreachable_pub, reason = "wasm-bindgen exports only what is pub")]

use std::cell::Cell;

use wasm_bindgen::JsValue;
use wasm_bindgen::handler::{schedule_reinit, set_on_abort};
use wasm_bindgen::prelude::wasm_bindgen;

use super::answer::{Answer, PLAIN_TEXT};
use super::problem::Problem;
use super::raw::Raw;
use super::request::{Header, Incoming};
use super::respond::{self, Outgoing};
use super::routes::{self, Route};
use super::runtime::{Batch, Context, Env, Request};
use super::{act, api, click, clock, consumer, demo, health, home, log, loss, open, pages, settings, verify};
use crate::config::Config;
use crate::event::line;
use crate::record::Verb;
use crate::signals::votes;
use crate::verdict::{ClickType, Ruleset};

thread_local! {
    static IS_AWAKE: Cell<bool> = const { Cell::new(false) };
}

/// Has whatever panics or breaks be replaced: the next call makes a new instance.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        log::failure("worker.panicked", "wasm", info);
        schedule_reinit();
    }));
    set_on_abort(schedule_reinit);
}

/// Whether this is the first call of its instance. Whatever is called after a panic meets a new one; the entry calls this
/// first, so that nothing it then hands over is left in the old one's memory.
#[wasm_bindgen]
#[must_use]
pub fn wake() -> bool {
    !IS_AWAKE.replace(true)
}

/// The headers that the entry hands over, in order, separated by commas.
#[wasm_bindgen(js_name = headerNames)]
#[must_use]
pub fn header_names() -> String {
    Header::ALL.map(|(_, name)| name).join(",")
}

/// The words of pages, a line each: what kind of thing, its name, and what it says. Types of clicks, rules by their ruleset, and
/// what signals saw.
#[wasm_bindgen]
#[must_use]
pub fn words() -> String {
    let mut lines = String::new();
    let mut tell = |kind, name: [&str; 3], words| {
        lines.push_str(&[kind, " ", &name.concat(), " ", words, "\n"].concat());
    };
    for kind in ClickType::ALL {
        tell("type", [kind.name(), "", ""], kind.words());
    }
    for ruleset in [Ruleset::Full, Ruleset::Defender] {
        for rule in ruleset.rules() {
            tell("rule", [ruleset.name(), "/", rule.id], rule.words);
        }
    }
    for vote in votes::TABLE {
        tell("reason", [vote.reason, "", ""], vote.words);
    }
    lines
}

/// Reads the environment, once an instance: no request brings it along.
#[wasm_bindgen]
pub fn configure(env: &Env) {
    settings::config(env);
}

/// Answers a request by what it shows; undefined where that is not enough, and [`serve`] must have it.
#[wasm_bindgen]
#[must_use]
pub fn answer(shown: &str) -> JsValue {
    let Some(config) = settings::known() else { return JsValue::UNDEFINED };
    let incoming = Incoming::of(shown, &config);
    let route = routes::route(incoming.verb, &incoming.place, &config);
    // A click is the one route that says itself what HEAD means: a click by another method.
    let wants_body = incoming.verb != Verb::Head || matches!(route, Ok(Route::Click(_)));
    let reply = match route {
        Ok(Route::Click(tail)) => click::redirect(&incoming, tail, clock::next_id(), clock::random()),
        Ok(Route::Open(tail)) => open::pixel(&incoming, tail, clock::next_id()),
        Ok(Route::Home) => Ok(home::answer(&config).into()),
        Ok(Route::Health) => Ok(health::answer(&config).into()),
        Ok(Route::Act(_) | Route::Verify | Route::Api | Route::Report(_) | Route::Demo) => {
            return JsValue::UNDEFINED;
        }
        Err(problem) => Err(problem),
    };
    let mut reply = reply.unwrap_or_else(|problem| refuse(problem, &config).into());
    if !wants_body {
        reply.answer.body = None;
    }
    respond::whole(&reply)
}

/// Answers a request that [`answer`] leaves.
#[wasm_bindgen]
pub async fn serve(shown: String, request: Request, env: Env, context: Context) -> JsValue {
    let config = settings::config(&env);
    let incoming = Incoming::of(&shown, &config);
    let raw = Raw::new(request, env, context);
    let outgoing = match routes::route(incoming.verb, &incoming.place, &config) {
        Ok(Route::Act(tail)) => act::answer(&incoming, &raw, tail).await.map(Outgoing::from),
        Ok(Route::Verify) => Ok(verify::answer(&incoming, &raw).await.into()),
        Ok(Route::Api) => api::answer(&incoming, &raw).await,
        Ok(Route::Report(tail)) => pages::answer(&incoming, &raw, tail).await,
        Ok(Route::Demo) => demo::answer(&incoming, &raw).await,
        Ok(Route::Click(_) | Route::Open(_) | Route::Home | Route::Health) => Err(Problem::NoSuchPage),
        Err(problem) => Err(problem),
    };
    let outgoing = outgoing.unwrap_or_else(|problem| refuse(problem, &config).into());
    outgoing.hand_over(incoming.verb != Verb::Head)
}

/// Tells of a click that no object took, by the bytes that it was to be told.
///
/// # Errors
/// They cannot be read.
#[wasm_bindgen]
pub fn unrecorded(record: &[u8], reason: &str) -> Result<(), JsValue> {
    Ok(loss::unrecorded(record, reason)?)
}

/// Stores and posts what the queue brings.
#[wasm_bindgen]
pub async fn queue(batch: Batch, env: Env) {
    consumer::consume(&batch, &env).await;
}

/// The answer to what is not answered as it wants to be.
fn refuse(problem: Problem, config: &Config) -> Answer {
    if let Problem::BadLink(reason) = problem {
        log::request_line(config, || line::refused(reason));
    }
    problem.answer().unwrap_or_else(|error| {
        log::failure("worker.failed", "answer", &error);
        Answer::text(500, PLAIN_TEXT, "INTERNAL SERVER ERROR".into())
    })
}
