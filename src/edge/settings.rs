//! Reads the environment: its variables for [`crate::config`], and whether its bindings are there.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use worker::{Bucket, Env, Queue};

use super::log;
use crate::config::{Config, Problem, Value};

/// The Durable Object namespace of messages.
pub(super) const MESSAGES: &str = "MESSAGES";
/// The queue that settled events leave by.
const EVENTS: &str = "EVENTS";
/// The bucket that they end in.
const ARCHIVE: &str = "ARCHIVE";

thread_local! {
    /// An isolate runs one version of the Worker with one environment: it is read once.
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

/// The settings in force. What is bad is logged the first time that an isolate reads them.
pub(super) fn config(env: &Env) -> Rc<Config> {
    CONFIG.with(|cell| {
        Rc::clone(cell.get_or_init(|| {
            let mut config = Config::read(variables(env));
            config.problems.extend(missing_bindings(env));
            for problem in &config.problems {
                log::failure("config.problem", &problem.name, &problem.words);
            }
            Rc::new(config)
        }))
    })
}

/// The queue that settled events leave by.
pub(super) fn events(env: &Env) -> worker::Result<Queue> {
    env.queue(EVENTS)
}

/// The bucket that they end in.
pub(super) fn archive(env: &Env) -> worker::Result<Bucket> {
    env.bucket(ARCHIVE)
}

/// Everything in the environment by name, with its type: workers-rs reads numbers as missing, so it is asked directly.
fn variables(env: &Env) -> Vec<(String, Value)> {
    let values: JsValue = env.clone().into();
    let read = |name: JsValue| {
        let value = Reflect::get(&values, &name).ok()?;
        let value = match (value.as_string(), value.as_f64()) {
            (Some(text), _) => Value::Text(text),
            (None, Some(number)) => Value::Number(number),
            (None, None) if value.is_object() && !Array::is_array(&value) => Value::Binding,
            (None, None) => Value::Other,
        };
        Some((name.as_string()?, value))
    };
    Object::keys(values.unchecked_ref::<Object>()).iter().filter_map(read).collect()
}

fn missing_bindings(env: &Env) -> Vec<Problem> {
    // workers-rs asks a binding for its constructor, which null has not.
    let is_object = |name: &str| Reflect::get(env, &name.into()).is_ok_and(|value| value.is_object());
    let has = |name: &str, found: fn(&Env) -> bool| is_object(name) && found(env);
    let bindings = [
        (
            MESSAGES,
            has(MESSAGES, |env| env.durable_object(MESSAGES).is_ok()),
            "a Durable Object namespace of class MessageObject",
        ),
        (EVENTS, has(EVENTS, |env| events(env).is_ok()), "a queue"),
        (ARCHIVE, has(ARCHIVE, |env| archive(env).is_ok()), "an R2 bucket"),
    ];
    bindings
        .into_iter()
        .filter(|(_, there, _)| !there)
        .map(|(name, _, what)| Problem {
            name: name.to_owned(),
            words: format!("missing; bind {what} to it"),
        })
        .collect()
}
