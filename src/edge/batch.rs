//! How a click reaches its message's object: `batch.mjs` sends many in one call, once their answers are out. Here is what it
//! is given, and what it needs of the wasm: to tell of a record that is lost.

use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::{Closure, JsValue, wasm_bindgen};
use worker::{Context, Env};

use super::log;
use crate::event::line;
use crate::record::{EventId, Record, packed};

#[wasm_bindgen(module = "/src/edge/batch.mjs")]
extern "C" {
    #[wasm_bindgen(js_name = take)]
    fn take_frame(context: &JsValue, env: &JsValue, object: &str, frame: Uint8Array, settings: &JsValue);
}

thread_local! {
    static SETTINGS: JsValue = settings();
}

/// Gives a record to its message's object once the answer is out. A loss is logged with the whole record, so that it can be
/// replayed.
pub(super) fn take(context: &Context, env: &Env, object: &str, record: &Record) {
    let Some(id) = EventId::parse(&record.event_id) else { return };
    let frame = Uint8Array::from(packed::seal(&[(id, record)]).as_slice());
    let env: JsValue = env.clone().into();
    SETTINGS.with(|settings| take_frame(context.as_ref(), &env, object, frame, settings));
}

/// Logs the records of clicks that no object took.
///
/// # Errors
/// They cannot be read.
pub(super) fn unrecorded(records: &[u8], reason: &str) -> Result<(), String> {
    for (_, record) in packed::all(records)? {
        log::alarm(&line::unrecorded(&record, reason));
    }
    Ok(())
}

fn settings() -> JsValue {
    let settings = Object::new();
    let unrecorded = |frame: Uint8Array, reason: String| Ok(unrecorded(&frame.to_vec(), &reason)?);
    let unrecorded: Closure<dyn Fn(Uint8Array, String) -> Result<(), JsValue>> = Closure::new(unrecorded);
    let _ = Reflect::set(&settings, &"unrecorded".into(), &unrecorded.into_js_value());
    settings.into()
}
