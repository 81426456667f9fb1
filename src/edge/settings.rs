//! Reads the environment: its variables for [`crate::config`], and whether its bindings are there.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use worker::{Bucket, Env};

use super::bindings::{self, ARCHIVE, EVENTS, MESSAGES, SPILL};
use super::log;
use crate::config::{Config, Value};

thread_local! {
    /// An isolate runs one version of the Worker with one environment: it is read once.
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

/// The settings in force. What is bad is logged the first time that an isolate reads them.
pub(super) fn config(env: &Env) -> Rc<Config> {
    CONFIG.with(|cell| {
        Rc::clone(cell.get_or_init(|| {
            let mut config = Config::read(variables(env));
            config.bad_settings.extend(bindings::missing(|name| is_bound(env, name)));
            for bad in &config.bad_settings {
                log::failure("config.problem", &bad.name, &bad.words);
            }
            Rc::new(config)
        }))
    })
}

/// The settings in force, once they have been read.
pub(super) fn known() -> Option<Rc<Config>> {
    CONFIG.with(|cell| cell.get().cloned())
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

/// Whether a binding is there, and of the kind that it must be.
fn is_bound(env: &Env, name: &str) -> bool {
    // workers-rs asks a binding for its constructor, which null has not.
    Reflect::get(env, &name.into()).is_ok_and(|value| value.is_object())
        && match name {
            MESSAGES => env.durable_object(MESSAGES).is_ok(),
            EVENTS | SPILL => env.queue(name).is_ok(),
            ARCHIVE => archive(env).is_ok(),
            _ => false,
        }
}
