//! `/v1`: what senders ask. Every call needs the token; a deployment with a bad setting answers nothing here, so that
//! nobody relies on a default that they did not mean.

use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use worker::{Env, Headers, Request, Response, Result};

use super::incoming;
use super::respond::{self, Code};
use super::routes::{Place, Verb};
use super::stub::{self, Failure};
use crate::config::Config;
use crate::link::{keys, mint, shard, text_id};
use crate::message::call::{Call, Delivered, Delivery, MAX_PAGE, Reshipped};
use crate::message::{Page, deliveries};
use crate::record::EventId;

/// The largest body, bytes.
const MAX_BODY: usize = 1 << 20;

/// Clicks of a page where the call does not say.
const DEFAULT_LIMIT: usize = 1_000;

/// The most clicks that one call may ask for.
const MAX_LIMIT: usize = 10_000;

/// Answers a call below `/v1`.
pub(super) async fn answer(
    request: Request,
    verb: Verb,
    env: &Env,
    config: &Config,
    place: &Place,
) -> Result<Response> {
    if !authorized(request.headers(), config) {
        return respond::error(Code::Unauthorized, "send the API token: Authorization: Bearer <API_TOKEN>");
    }
    if !config.problems.is_empty() {
        let problems: Vec<String> = config.problems.iter().map(ToString::to_string).collect();
        return respond::error(Code::Misconfigured, &problems.join("; "));
    }
    let Some(route) = Route::of(&place.path) else {
        return respond::error(Code::NotFound, "no such route");
    };
    let reads = route.reads();
    if !(if reads { verb.reads() } else { verb == Verb::Post }) {
        let allow = if reads { "GET, HEAD" } else { "POST" };
        let response = respond::error(Code::MethodNotAllowed, &format!("use {allow}"))?;
        response.headers().set("allow", allow)?;
        return Ok(response);
    }
    match route {
        Route::Links => match body(request).await? {
            Err(refusal) => refusal,
            Ok(body) => links(&body, config, place),
        },
        Route::Message(escaped, wanted) => {
            let message_id = percent_decode_str(escaped).decode_utf8_lossy().into_owned();
            if let Err(error) = text_id::check_message_id(&message_id) {
                return respond::error(Code::BadRequest, &error.to_string());
            }
            let object = shard::object_name(&message_id, 0);
            match wanted {
                Wanted::Report => reply(stub::ask_text(env, &object, &Call::Report(message_id)).await, 200),
                Wanted::Clicks => clicks(env, object, &place.query).await,
                Wanted::Click(id) => explain(env, &object, id).await,
                Wanted::Deliveries => match body(request).await? {
                    Err(refusal) => refusal,
                    Ok(body) => deliver(env, &object, &body).await,
                },
                Wanted::Reship => {
                    let answer = stub::ask::<Reshipped>(env, &object, &Call::Reship).await;
                    reply(answer.and_then(as_json), 202)
                }
            }
        }
    }
}

enum Route<'a> {
    Links,
    /// The message's id as it stands in the path, and what is wanted of it.
    Message(&'a str, Wanted<'a>),
}

enum Wanted<'a> {
    Report,
    Clicks,
    /// The click's id as it stands in the path.
    Click(&'a str),
    Deliveries,
    Reship,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        if path == "/v1/links" {
            return Some(Self::Links);
        }
        let (message, wanted) = match path.strip_prefix("/v1/messages/")?.split_once('/') {
            None => (path.strip_prefix("/v1/messages/")?, Wanted::Report),
            Some((message, "clicks")) => (message, Wanted::Clicks),
            Some((message, "deliveries")) => (message, Wanted::Deliveries),
            Some((message, "reship")) => (message, Wanted::Reship),
            Some((message, rest)) => (message, Wanted::Click(rest.strip_prefix("clicks/")?)),
        };
        Some(Self::Message(message, wanted))
    }

    const fn reads(&self) -> bool {
        matches!(self, Self::Message(_, Wanted::Report | Wanted::Clicks | Wanted::Click(_)))
    }
}

fn authorized(headers: &Headers, config: &Config) -> bool {
    let sent = headers.get("authorization").ok().flatten().unwrap_or_default();
    let Some((scheme, token)) = sent.split_once(' ') else { return false };
    let expected = config.api_token.as_deref().unwrap_or_default();
    // An empty token refuses everything.
    scheme.eq_ignore_ascii_case("bearer") && keys::same_secret(expected, token.trim()) && !expected.is_empty()
}

/// The body as JSON, or the refusal that answers it.
async fn body(mut request: Request) -> Result<std::result::Result<Value, Result<Response>>> {
    let Some(bytes) = incoming::body(&mut request, MAX_BODY).await? else {
        return Ok(Err(respond::error(Code::TooLarge, "the body has more than 1 MiB; send it in parts")));
    };
    if bytes.is_empty() {
        return Ok(Err(respond::error(Code::BadRequest, "the body is empty; send JSON")));
    }
    Ok(serde_json::from_slice(&bytes)
        .map_err(|error| respond::error(Code::BadRequest, &format!("the body is not JSON: {error}"))))
}

fn links(body: &Value, config: &Config, place: &Place) -> Result<Response> {
    let Some(keys) = &config.keys else {
        return respond::error(Code::Misconfigured, "LINK_KEYS: missing");
    };
    match mint::mint(body, config.public_url.as_deref().unwrap_or(&place.origin), keys) {
        Ok(minted) => respond::json(200, &minted),
        Err(words) => respond::error(Code::BadRequest, &words),
    }
}

async fn deliver(env: &Env, object: &str, body: &Value) -> Result<Response> {
    let times: Vec<Delivery> = match deliveries::read(body) {
        Ok(times) => times,
        Err(words) => return respond::error(Code::BadRequest, &words),
    };
    if times.is_empty() {
        return respond::json(202, &Delivered { recipients: 0, reissued: 0 });
    }
    let answer = stub::ask::<Delivered>(env, object, &Call::Deliver(times)).await;
    reply(answer.and_then(as_json), 202)
}

/// Streams clicks page by page, so that neither the object nor the edge holds ten thousand at once.
async fn clicks(env: &Env, object: String, query: &str) -> Result<Response> {
    let (mut after, mut limit) = (None, DEFAULT_LIMIT);
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match name {
            "after" if value.is_empty() => {}
            "after" => match EventId::parse(value) {
                Some(id) => after = Some(id),
                None => return respond::error(Code::BadRequest, "after: must be the event_id of a click"),
            },
            "limit" => match value.parse() {
                Ok(wanted) if (1..=MAX_LIMIT).contains(&wanted) => limit = wanted,
                _ => return respond::error(Code::BadRequest, "limit: must be from 1 to 10000"),
            },
            _ => {}
        }
    }
    // The first page is fetched before the answer begins: a failure is still an error then.
    let (first, rest) = match page(env, &object, after, limit).await {
        Ok(found) => found,
        Err(failure) => return unavailable(&failure),
    };
    let env = env.clone();
    let others = stream::try_unfold(rest, move |rest| {
        let (env, object) = (env.clone(), object.clone());
        async move {
            let Some((after, limit)) = rest else { return Ok(None) };
            let found = page(&env, &object, Some(after), limit).await;
            found.map(Some).map_err(|failure| worker::Error::RustError(failure.to_string()))
        }
    });
    let lines = stream::once(async { Ok(first) }).chain(others).map_ok(String::into_bytes);
    let headers = Headers::new();
    headers.set("content-type", "application/x-ndjson")?;
    headers.set("cache-control", "no-store, private")?;
    Ok(Response::from_stream(lines)?.with_headers(headers))
}

/// One click with the rules that were asked about it.
async fn explain(env: &Env, object: &str, id: &str) -> Result<Response> {
    let Some(id) = EventId::parse(id) else {
        return respond::error(Code::BadRequest, "event_id: must be a UUIDv7 in lower case");
    };
    match stub::ask_text(env, object, &Call::Explain(id)).await {
        Ok(json) if json.is_empty() => respond::error(Code::NotFound, "no such click"),
        answer => reply(answer, 200),
    }
}

/// One page's lines, and where to go on with how many more, if there are more.
type Found = (String, Option<(EventId, usize)>);

async fn page(
    env: &Env,
    object: &str,
    after: Option<EventId>,
    limit: usize,
) -> std::result::Result<Found, Failure> {
    let most = limit.min(MAX_PAGE);
    let text = stub::ask_text(env, object, &Call::Page { after, limit: most }).await?;
    let (next, lines) = Page::decode(text);
    let left = limit - most;
    Ok((lines, next.filter(|_| left > 0).map(|next| (next, left))))
}

fn as_json(value: impl serde::Serialize) -> std::result::Result<String, Failure> {
    serde_json::to_string(&value).map_err(|error| Failure::Unreadable(error.to_string()))
}

/// An object's answer in JSON, or its failure.
fn reply(answer: std::result::Result<String, Failure>, status: u16) -> Result<Response> {
    match answer {
        Ok(json) => respond::text(status, "application/json", json),
        Err(failure) => unavailable(&failure),
    }
}

fn unavailable(failure: &Failure) -> Result<Response> {
    super::log::failure("api.unavailable", "message", failure);
    respond::error(Code::Unavailable, "the message's object does not answer; try again")
}
