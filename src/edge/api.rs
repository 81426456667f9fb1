//! `/v1`: what senders ask. Every call needs a token.

use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::answer::{Answer, JSON, NO_STORE};
use super::failure::Failure;
use super::messages;
use super::problem::{ApiProblem, Problem};
use super::raw::Raw;
use super::request::Incoming;
use super::respond::Outgoing;
use super::runtime::Env;
use super::v1::{self, Listing, Messages, Route, Wanted};
use super::{access, bindings, clock, health, log, shards, stub};
use crate::config::{BadSetting, Config};
use crate::event::line;
use crate::json::Json;
use crate::link::mint::{self, Bases};
use crate::link::{shard, text_id};
use crate::message::call::{Call, Delivered, Reshipped, Told};
use crate::message::deliveries;
use crate::message::replay::{self, Bad, Brought, Share};
use crate::record::{EventId, Verb, packed};
use crate::report::About;
use crate::signals::privacy::Privacy;

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
        Route::Records => return Ok(records(&raw.env, &body(raw).await?, config).await?.into()),
        Route::Messages => return Ok(listed(&raw.env, &Messages::of(query)?).await?.into()),
        Route::Message(escaped, wanted) => {
            (percent_decode_str(escaped).decode_utf8_lossy().into_owned(), wanted)
        }
    };
    text_id::check_message_id(&message_id).map_err(|error| ApiProblem::bad(error.to_string()))?;
    let answer = match wanted {
        Wanted::Report if incoming.verb == Verb::Put => {
            let body = body(raw).await?;
            tell(&raw.env, &message_id, &json(&body)?).await
        }
        Wanted::Report if incoming.verb == Verb::Delete => erase(&raw.env, &message_id, None).await,
        Wanted::Recipient(escaped) => {
            let recipient_id = percent_decode_str(escaped).decode_utf8_lossy().into_owned();
            text_id::check_recipient_id(&recipient_id).map_err(|error| ApiProblem::bad(error.to_string()))?;
            erase(&raw.env, &message_id, Some(recipient_id)).await
        }
        Wanted::Report => reply(200, messages::report(&raw.env, message_id).await),
        Wanted::Clicks => return listing(&raw.env, &message_id, Listing::of(query)?).await,
        Wanted::Click(id) => explain(&raw.env, &message_id, id).await,
        Wanted::Deliveries => {
            let body = body(raw).await?;
            deliver(&raw.env, &message_id, &json(&body)?).await
        }
        Wanted::Reship => reply(202, reship(&raw.env, &message_id).await),
    };
    Ok(answer?.into())
}

/// Takes in what a sender tells of a message: its first object keeps it.
async fn tell(env: &Env, message_id: &str, body: &Json<'_>) -> Result<Answer, Problem> {
    let check_group = |group: &str| text_id::check_group(group).map_err(|error| error.to_string());
    let about = About::read(body, &check_group).map_err(ApiProblem::bad)?;
    let object = shard::object_name(message_id, 0);
    let told = stub::send(env, &object, &Call::Tell(line::json(&about))).await;
    told.map_err(|failure| unavailable(&failure))?;
    Ok(Answer { status: 204, headers: vec![("cache-control", NO_STORE.into())], body: None })
}

/// Has a recipient's records, or all, erased in each object. Where one does not answer the call may be made again.
async fn erase(env: &Env, message_id: &str, recipient_id: Option<String>) -> Result<Answer, Problem> {
    let erased = shards::ask(env, message_id, &Call::Erase(clock::now_ms(), recipient_id)).await;
    reply(202, erased.map(|_| "{}".to_owned()))
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

async fn deliver(env: &Env, message_id: &str, body: &Json<'_>) -> Result<Answer, Problem> {
    let told = deliveries::read(body).map_err(ApiProblem::bad)?;
    if told.is_empty() {
        return Ok(Answer::json(202, &Delivered { recipients: 0, reissued: 0 }));
    }
    reply(202, deliver_all(env, message_id, told).await)
}

/// Tells each object of its recipients.
async fn deliver_all(env: &Env, message_id: &str, told: Vec<Told>) -> Result<String, Failure> {
    let call = Call::Deliver(told);
    let first = stub::promise(env, &shard::object_name(message_id, 0), &call);
    let answers = stub::all(env, first, &mut |shards, calls| {
        let Call::Deliver(told) = &call else { return };
        let mut recipients = told.iter().map(|one| one.recipient_id.as_str());
        shards::split(message_id, shards, &mut recipients, &mut |address, theirs| {
            let theirs = theirs.iter().filter_map(|at| told.get(*at)).cloned().collect();
            calls.add(address, &Call::Deliver(theirs));
        });
    })
    .await?;
    let sum = |name| shards::sum(&answers, name);
    Ok(line::json(&Delivered { recipients: sum("recipients")?, reissued: sum("reissued")? }))
}

/// Has everything shipped again.
async fn reship(env: &Env, message_id: &str) -> Result<String, Failure> {
    let answers = shards::ask(env, message_id, &Call::Reship).await?;
    Ok(line::json(&Reshipped { events: shards::sum(&answers, "events")? }))
}

/// Takes records in, message by message. Where an object does not answer the call may be made again: what is stored is known then.
async fn records(env: &Env, body: &str, config: &Config) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct Taken {
        stored: usize,
        known: usize,
        bad: Vec<Bad>,
    }
    let keep = |record| match &config.keys {
        Some(keys) => config.privacy.keep(record, keys),
        None => record,
    };
    if config.keys.is_none() && config.privacy != Privacy::Full {
        return Err(ApiProblem::Misconfigured("LINK_KEYS: missing; PRIVACY needs them".to_owned()).into());
    }
    let Brought { messages, bad } = replay::read(body, &keep).map_err(ApiProblem::bad)?;
    let mut taken = Taken { stored: 0, known: 0, bad };
    for share in messages {
        let count = share.count;
        let stored = bring(env, share).await.map_err(|failure| unavailable(&failure))?;
        taken.stored += stored;
        taken.known += count.saturating_sub(stored);
    }
    Ok(Answer::json(202, &taken))
}

/// Brings a message its records; answers how many were new to it.
async fn bring(env: &Env, share: Share) -> Result<usize, Failure> {
    let Share { message_id, records, .. } = share;
    let first = stub::replay(env, &shard::object_name(&message_id, 0), &records);
    let answers = stub::all(env, first, &mut |shards, calls| {
        // They were sealed by this call.
        let records = packed::all(&records).unwrap_or_default();
        let mut recipients = records.iter().map(|(_, record)| record.recipient_id.as_str());
        shards::split(&message_id, shards, &mut recipients, &mut |address, theirs| {
            let theirs = theirs.iter().filter_map(|at| records.get(*at)).map(|(id, record)| (*id, record));
            calls.add_replay(address, &packed::seal(&theirs.collect::<Vec<_>>()));
        });
    })
    .await?;
    shards::sum(&answers, "")
}

/// Streams clicks.
async fn listing(env: &Env, message_id: &str, listing: Listing) -> Result<Outgoing, Problem> {
    let lines = stub::list(env, &shard::object_name(message_id, 0), &listing).await;
    let lines = lines.map_err(|failure| unavailable(&failure))?;
    let headers = vec![("content-type", "application/x-ndjson".into()), ("cache-control", NO_STORE.into())];
    Ok(Outgoing::Stream(Answer { status: 200, headers, body: None }, lines))
}

/// One click with the rules that were asked about it.
async fn explain(env: &Env, message_id: &str, id: &str) -> Result<Answer, Problem> {
    let bad = || ApiProblem::bad("event_id: must be a UUIDv7 in lower case");
    let id = EventId::parse(id).ok_or_else(bad)?;
    let answers = shards::ask(env, message_id, &Call::Explain(id)).await;
    let found = answers.map(|answers| answers.into_iter().find(|answer| !answer.is_empty()));
    match found.transpose() {
        None => Err(ApiProblem::NotFound("no such click").into()),
        Some(answer) => reply(200, answer),
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
