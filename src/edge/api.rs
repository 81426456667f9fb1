//! `/v1`: what senders ask. Every call needs a token.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::future_to_promise;

use super::answer::{Answer, JSON, NO_STORE};
use super::failure::Failure;
use super::messages;
use super::problem::{ApiProblem, Problem};
use super::raw::Raw;
use super::request::Incoming;
use super::respond::Outgoing;
use super::runtime::{self, Env, Error};
use super::v1::{self, Listing, Messages, Route, Wanted};
use super::{access, bindings, clock, health, log, stub};
use crate::config::BadSetting;
use crate::event::line;
use crate::json::Json;
use crate::link::mint::{self, Bases};
use crate::link::{shard, text_id};
use crate::message::call::{Call, Delivered, MAX_PAGE};
use crate::message::replay::{self, Bad, Brought, Share};
use crate::message::{Page, deliveries};
use crate::record::{EventId, Verb};
use crate::report::About;

/// The largest body, bytes.
const MAX_BODY: u32 = 1 << 20;

/// What a call needs of the settings and bindings: where it is bad, the call is not answered. Everything else works whatever
/// is bad beside it.
const MINTING: [&str; 3] = ["LINK_KEYS", "PUBLIC_URL", "PIXEL_URL"];
const ASKING: [&str; 1] = [bindings::MESSAGES];

/// Answers a call below `/v1`. How many settings are bad, if any, stands in a header: nobody is to rely on a default that they
/// did not mean.
pub(super) async fn answer(incoming: &Incoming<'_>, raw: &Raw) -> Result<Outgoing, Problem> {
    if !access::is_bearer(incoming.config, raw) {
        return Err(ApiProblem::Unauthorized.into());
    }
    let mut outgoing = answer_one(incoming, raw).await?;
    let problems = incoming.config.bad_settings.len();
    if problems > 0 {
        outgoing.add(("x-clickproof-problems", problems.to_string().into()));
    }
    Ok(outgoing)
}

async fn answer_one(incoming: &Incoming<'_>, raw: &Raw) -> Result<Outgoing, Problem> {
    let (query, config) = (incoming.place.query, incoming.config);
    let route = Route::of(incoming.verb, incoming.place.path)?;
    if !matches!(route, Route::Messages | Route::Message(_, Wanted::Clicks)) {
        v1::no_parameters(query)?;
    }
    let needed = if matches!(route, Route::Links) { &MINTING[..] } else { &ASKING[..] };
    let bad: Vec<BadSetting> =
        config.bad_settings.iter().filter(|bad| needed.contains(&bad.name.as_str())).cloned().collect();
    if !bad.is_empty() {
        return Err(ApiProblem::Misconfigured(health::listed(&bad, "; ")).into());
    }
    let (message_id, wanted) = match route {
        Route::Links => {
            let body = body(raw).await?;
            return Ok(links(&json(&body)?, incoming)?.into());
        }
        Route::Records => return Ok(records(&raw.env, &body(raw).await?).await?.into()),
        Route::Messages => return Ok(listed(&raw.env, &Messages::of(query)?).await?.into()),
        Route::Message(escaped, wanted) => {
            (percent_decode_str(escaped).decode_utf8_lossy().into_owned(), wanted)
        }
    };
    text_id::check_message_id(&message_id).map_err(|error| ApiProblem::bad(error.to_string()))?;
    let object = shard::object_name(&message_id, 0);
    let answer = match wanted {
        Wanted::Report if incoming.verb == Verb::Put => {
            let body = body(raw).await?;
            tell(&raw.env, &object, &json(&body)?).await
        }
        Wanted::Report if incoming.verb == Verb::Delete => erase(&raw.env, &[object], None).await,
        Wanted::Recipient(escaped) => {
            let recipient_id = percent_decode_str(escaped).decode_utf8_lossy().into_owned();
            text_id::check_recipient_id(&recipient_id).map_err(|error| ApiProblem::bad(error.to_string()))?;
            erase(&raw.env, &[object], Some(recipient_id)).await
        }
        Wanted::Report => reply(200, messages::report(&raw.env, message_id).await),
        Wanted::Clicks => return clicks(&raw.env, object, Listing::of(query)?).await,
        Wanted::Click(id) => explain(&raw.env, &object, id).await,
        Wanted::Deliveries => {
            let body = body(raw).await?;
            deliver(&raw.env, &object, &json(&body)?).await
        }
        Wanted::Reship => reply(202, stub::ask_text(&raw.env, &object, &Call::Reship).await),
    };
    Ok(answer?.into())
}

/// Takes in what a sender tells of a message.
async fn tell(env: &Env, object: &str, body: &Json<'_>) -> Result<Answer, Problem> {
    let check_group = |group: &str| text_id::check_group(group).map_err(|error| error.to_string());
    let about = About::read(body, &check_group).map_err(ApiProblem::bad)?;
    let told = stub::send(env, object, &Call::Tell(line::json(&about))).await;
    told.map_err(|failure| unavailable(&failure))?;
    Ok(Answer { status: 204, headers: vec![("cache-control", NO_STORE.into())], body: None })
}

/// Has a recipient's records, or all, erased in each of these objects. Where one does not answer the call may be made again.
async fn erase(env: &Env, objects: &[String], recipient_id: Option<String>) -> Result<Answer, Problem> {
    let call = Call::Erase(clock::now_ms(), recipient_id);
    for object in objects {
        stub::send(env, object, &call).await.map_err(|failure| unavailable(&failure))?;
    }
    Ok(Answer::text(202, JSON, "{}".into()))
}

/// The list of messages.
async fn listed(env: &Env, wanted: &Messages) -> Result<Answer, Problem> {
    reply(200, messages::page(env, wanted).await)
}

/// The body, which is text.
async fn body(raw: &Raw) -> Result<String, Problem> {
    let bytes = raw.body(MAX_BODY).await?.ok_or(ApiProblem::TooLarge)?;
    if bytes.is_empty() {
        return Err(ApiProblem::bad("the body is empty; send JSON").into());
    }
    let text = String::from_utf8(bytes);
    Ok(text.map_err(|error| ApiProblem::bad(format!("the body is not UTF-8: {error}")))?)
}

fn json(body: &str) -> Result<Json<'_>, Problem> {
    let body = Json::parse(body);
    Ok(body.map_err(|problem| ApiProblem::bad(format!("the body is not JSON: {problem}")))?)
}

fn links(body: &Json, incoming: &Incoming) -> Result<Answer, Problem> {
    let config = incoming.config;
    let missing = || ApiProblem::Misconfigured("LINK_KEYS: missing".to_owned());
    let keys = config.keys.as_ref().ok_or_else(missing)?;
    let links = config.public_url.as_deref().unwrap_or(incoming.place.origin);
    let pixels = config.pixel_url.as_deref().unwrap_or(links);
    let minted = mint::mint_on(body, Bases { links, pixels }, keys).map_err(ApiProblem::bad)?;
    Ok(Answer::json(200, &minted))
}

async fn deliver(env: &Env, object: &str, body: &Json<'_>) -> Result<Answer, Problem> {
    let told = deliveries::read(body).map_err(ApiProblem::bad)?;
    if told.is_empty() {
        return Ok(Answer::json(202, &Delivered { recipients: 0, reissued: 0 }));
    }
    reply(202, stub::ask_text(env, object, &Call::Deliver(told)).await)
}

/// Takes records in, message by message. Where an object does not answer the call may be made again: what is stored is known then.
async fn records(env: &Env, body: &str) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct Taken {
        stored: usize,
        known: usize,
        bad: Vec<Bad>,
    }
    let Brought { messages, bad } = replay::read(body).map_err(ApiProblem::bad)?;
    let mut taken = Taken { stored: 0, known: 0, bad };
    for Share { message_id, count, records } in messages {
        let object = shard::object_name(&message_id, 0);
        let stored = stub::replay(env, &object, &records).await.map_err(|failure| unavailable(&failure))?;
        taken.stored += stored;
        taken.known += count.saturating_sub(stored);
    }
    Ok(Answer::json(202, &taken))
}

/// Streams clicks page by page, so that neither the object nor the edge holds ten thousand at once.
async fn clicks(env: &Env, object: String, listing: Listing) -> Result<Outgoing, Problem> {
    // The first page is fetched before the answer begins: a failure is still an error then.
    let (first, rest) = page(env, &object, listing).await.map_err(|failure| unavailable(&failure))?;
    let next = Rc::new(RefCell::new((Some(first), rest)));
    let (env, object) = (env.clone(), Rc::<str>::from(object));
    let lines = Closure::<dyn FnMut() -> Promise>::new(move || {
        let (next, env, object) = (Rc::clone(&next), env.clone(), Rc::clone(&object));
        future_to_promise(async move {
            let (known, rest) = next.take();
            let listing = match (known, rest) {
                (Some(lines), rest) => {
                    next.borrow_mut().1 = rest;
                    return Ok(lines.into());
                }
                (None, None) => return Ok(JsValue::UNDEFINED),
                (None, Some(listing)) => listing,
            };
            match page(&env, &object, listing).await {
                Ok((lines, rest)) => {
                    next.borrow_mut().1 = rest;
                    Ok(lines.into())
                }
                Err(failure) => Err(Error::Words(failure.to_string()).into()),
            }
        })
    });
    let headers = vec![("content-type", "application/x-ndjson".into()), ("cache-control", NO_STORE.into())];
    let answer = Answer { status: 200, headers, body: None };
    Ok(Outgoing::Stream(answer, runtime::stream(lines.into_js_value())))
}

/// The first page of a listing that is not empty, and what is left of it, if anything is.
async fn page(env: &Env, object: &str, mut listing: Listing) -> Result<(String, Option<Listing>), Failure> {
    let (rest, lines) = loop {
        let Listing { after, limit, filter } = listing;
        let call = Call::Page { after, limit: limit.min(MAX_PAGE), filter: filter.clone() };
        let (next, lines) = Page::decode(stub::ask_text(env, object, &call).await?);
        let limit = limit.saturating_sub(lines.matches('\n').count());
        let rest = Listing { after: next, limit, filter };
        if !lines.is_empty() || rest.after.is_none() {
            break (rest, lines);
        }
        listing = rest;
    };
    Ok((lines, (rest.after.is_some() && rest.limit > 0).then_some(rest)))
}

/// One click with the rules that were asked about it.
async fn explain(env: &Env, object: &str, id: &str) -> Result<Answer, Problem> {
    let bad = || ApiProblem::bad("event_id: must be a UUIDv7 in lower case");
    let id = EventId::parse(id).ok_or_else(bad)?;
    match stub::ask_text(env, object, &Call::Explain(id)).await {
        Ok(json) if json.is_empty() => Err(ApiProblem::NotFound("no such click").into()),
        answer => reply(200, answer),
    }
}

/// An object's answer in JSON.
fn reply(status: u16, answer: Result<String, Failure>) -> Result<Answer, Problem> {
    let json = answer.map_err(|failure| unavailable(&failure))?;
    Ok(Answer::text(status, JSON, json.into()))
}

/// What is said where an object does not answer; why goes to the log.
fn unavailable(failure: &Failure) -> Problem {
    log::failure("api.unavailable", "message", failure);
    ApiProblem::Unavailable.into()
}
