//! `GET /v1/messages`, and what else needs to know which messages there are: the list knows, each message's own object says what
//! its clicks come to.

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::failure::Failure;
use super::runtime::{self, Env, Result};
use super::v1::Messages;
use super::{log, shards, stub};
use crate::event::line;
use crate::message::call::Call;
use crate::message::list;
use crate::message::wanted::{Form, View};
use crate::report::Part;

/// How many sends before one its report is compared with: each is asked for.
const PAST: usize = 5;

/// The report of a message, as JSON.
pub(super) async fn report(env: &Env, message_id: String) -> std::result::Result<String, Failure> {
    let past = past(env, &message_id).await;
    view(env, View { form: Form::Json, message_id, past }).await
}

/// What is wanted of a message: its object says it; of several each says what it has counted.
async fn view(env: &Env, view: View) -> std::result::Result<String, Failure> {
    let call = Call::View(view.clone());
    let part = Call::View(View { form: Form::Part, message_id: view.message_id.clone(), past: Vec::new() });
    let mut answers = shards::ask_for(env, &view.message_id, &call, &part).await?;
    if answers.len() == 1 {
        return Ok(answers.pop().unwrap_or_default());
    }
    let mut counted = Part::default();
    for text in answers {
        counted.merge(Part::decode(&text).map_err(|_| Failure::Unreadable("a damaged part".to_owned()))?);
    }
    Ok(view.of(counted))
}

/// A page of the list of messages, the newest first, as JSON. Of one whose object does not answer its id is all there is to say.
pub(super) async fn page(env: &Env, wanted: &Messages) -> std::result::Result<String, Failure> {
    let places =
        stub::ask(env, list::NAME, list::LIST, &format!("{} {}", wanted.limit, wanted.after)).await?;
    let ids = ids_of(&places);
    let views = views(env, &ids, Form::Summary).await.unwrap_or_default();
    let mut text = String::from("{\"messages\":[");
    for (at, id) in ids.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "," });
        if let Some(view) = views.get(at).and_then(Option::as_deref) {
            text.push_str(view);
        } else {
            text.push_str("{\"message_id\":");
            text.push_str(&line::json(id));
            text.push('}');
        }
    }
    text.push(']');
    if let Some(next) = places.lines().last().filter(|_| ids.len() == wanted.limit) {
        text.push_str(",\"next\":");
        text.push_str(&line::json(&next));
    }
    text.push('}');
    Ok(text)
}

fn ids_of(places: &str) -> Vec<String> {
    places.lines().filter_map(|place| place.split_once('.')).map(|(_, id)| id.to_owned()).collect()
}

/// What the sends before one came to, a line each: what its report is compared with. Where that cannot be had there is nothing to
/// compare with, and the log says why.
async fn past(env: &Env, message_id: &str) -> Vec<String> {
    let before = stub::ask(env, list::NAME, list::BEFORE, &format!("{PAST} {message_id}")).await;
    let places = before.unwrap_or_else(|failure| {
        log::failure("api.unavailable", "messages", &failure);
        String::new()
    });
    let ids = ids_of(&places);
    views(env, &ids, Form::Past).await.unwrap_or_default().into_iter().flatten().collect()
}

/// What the objects of messages say of them, in the order of the ids; nothing where one does not answer.
async fn views(env: &Env, ids: &[String], form: Form) -> Result<Vec<Option<String>>> {
    let asked: Array = ids
        .iter()
        .map(|id| -> Promise {
            let (env, id) = (env.clone(), id.clone());
            future_to_promise(async move {
                Ok(match view(&env, View { form, message_id: id, past: Vec::new() }).await {
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
