//! Reads the environment: its variables for [`crate::config`], and whether its bindings are there.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::bindings;
use super::log;
use super::runtime::{self, Env};
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
            config.bad_settings.extend(bindings::missing(|name| runtime::kind(env, name)));
            let (sinks, bad) = bindings::sinks(&config.sinks, |name| runtime::kind(env, name));
            config.sinks = sinks;
            config.bad_settings.extend(bad);
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

/// Everything in the environment by name, with its type.
fn variables(env: &Env) -> Vec<(String, Value)> {
    let read = |name: JsValue| {
        let value = Reflect::get(env, &name).ok()?;
        let value = match (value.as_string(), value.as_f64()) {
            (Some(text), _) => Value::Text(text),
            (None, Some(number)) => Value::Number(number),
            (None, None) if value.is_object() && !Array::is_array(&value) => Value::Binding,
            (None, None) => Value::Other,
        };
        Some((name.as_string()?, value))
    };
    Object::keys(env.unchecked_ref::<Object>()).iter().filter_map(read).collect()
}
