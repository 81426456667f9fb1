//! `GET /v1/messages`, and what else needs to know which messages there are: the list knows, each message's own object says what
//! its clicks come to.

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::failure::Failure;
use super::runtime::{self, Env, Result};
use super::{clock, log, stub};
use crate::link::shard;
use crate::message::call::Call;
use crate::message::list;
use crate::message::wanted::{Form, View};

/// How many sends before one its report is compared with: each is asked for.
const PAST: usize = 5;

/// Messages of a list, the newest first.
pub(super) struct Listed {
    /// Their ids.
    pub(super) ids: Vec<String>,
    /// Where to go on, if there may be more.
    pub(super) next: Option<String>,
}

/// Messages behind a place, or the newest.
pub(super) async fn listed(env: &Env, after: &str, limit: usize) -> std::result::Result<Listed, Failure> {
    let text = stub::ask(env, list::NAME, list::LIST, &format!("{limit} {after}")).await?;
    let places: Vec<&str> = text.lines().collect();
    let next = places.last().filter(|_| places.len() == limit).map(|place| (*place).to_owned());
    Ok(Listed { ids: ids_of(&text), next })
}

fn ids_of(places: &str) -> Vec<String> {
    places.lines().filter_map(|place| place.split_once('.')).map(|(_, id)| id.to_owned()).collect()
}

/// What the sends before one came to, a line each: what its report is compared with. Where that cannot be had there is nothing to
/// compare with, and the log says why.
pub(super) async fn past(env: &Env, message_id: &str) -> Vec<String> {
    let before = stub::ask(env, list::NAME, list::BEFORE, &format!("{PAST} {message_id}")).await;
    let places = before.unwrap_or_else(|failure| {
        log::failure("api.unavailable", "messages", &failure);
        String::new()
    });
    let ids = ids_of(&places);
    views(env, &ids, Form::Past).await.unwrap_or_default().into_iter().flatten().collect()
}

/// What the objects of messages say of them, in the order of the ids; nothing where one does not answer.
pub(super) async fn views(env: &Env, ids: &[String], form: Form) -> Result<Vec<Option<String>>> {
    let asked: Array = ids
        .iter()
        .map(|id| -> Promise {
            let (env, id) = (env.clone(), id.clone());
            future_to_promise(async move {
                let object = shard::object_name(&id, 0);
                let view = View { form, message_id: id, now_ms: clock::now_ms(), past: Vec::new() };
                Ok(match stub::ask_text(&env, &object, &Call::View(view)).await {
                    Ok(text) => text.into(),
                    Err(failure) => {
                        log::failure("api.unavailable", "message", &failure);
                        JsValue::NULL
                    }
                })
            })
        })
        .collect();
    let answers: Array = runtime::wait(Promise::all(&asked)).await?.into();
    Ok(answers.iter().map(|answer| answer.as_string()).collect())
}
