//! The queues' consumer: each pack becomes one object in R2, each act one request to its sender's webhook.
//!
//! Safe to repeat: a pack names its object, so a second delivery overwrites the first; an act has one `webhook-id`. In whatever order
//! they come: of two for one object the one that was sent later stays. What cannot be
//! written or posted is tried again by the queue, then goes to the dead-letter queue, whose consumer is this one too: it tries
//! for days. Nothing is acknowledged that was not done; the object keeps everything and `reship` sends packs again.
//!
//! What comes from the queue of clicks is [`spill`]'s, from that of the sinks [`feeds`]'.
//!
//! The bucket comes first: every pack of a batch is written before anything else is done. Then what further sinks are to
//! have of them is sent to their queue, and webhooks go out beside each other: a slow receiver holds up nobody's events. A pack is
//! acknowledged once the bucket has it and that queue what the sinks are to have.

use js_sys::{Promise, Uint8Array};

use super::bindings::ARCHIVE;
use super::runtime::{self, Answers, Batch, Env, Message, Posted, Requests, Work};
use super::sinks::bucket::{Bucket, LINES};
use super::sinks::feeds::Feeds;
use super::sinks::sink::{Failure, Freight, TIMEOUT_MS, deliver};
use super::{alerts, clock, log, queue, settings, spill};
use crate::config::Config;
use crate::event::parcel::{Letter, Parcel};
use crate::event::sink::Sink;
use crate::event::sink::alert::{Alert, Code, STALLED_MS};
use crate::event::sink::facts::Facts;
use crate::event::sink::feed::{Feed, Load};
use crate::event::sink::webhook as verdicts;
use crate::event::spilled::Spilled;
use crate::event::{line, webhook};

/// What the names of dead-letter queues end with.
const DEAD: &str = "-dead";

/// Writes a batch's packs, posts its acts, and gives what waits for others to them.
pub(super) async fn consume(batch: &Batch, env: &Env) {
    let config = settings::config(env);
    let (mut work, mut feeds): (Vec<Work>, Feeds) = Default::default();
    if batch.queue().ends_with(DEAD) {
        alerts::note_own(Code::DeadLetters);
    }
    for message in batch.messages() {
        let body = message.body();
        let letter = match body.as_string() {
            Some(text) => Letter::Text(text),
            None => Letter::Bytes(Uint8Array::new(&body).to_vec()),
        };
        match &letter {
            Letter::Bytes(bytes) if Spilled::is_one(bytes) => {
                spill::deliver(&message, bytes, env).await;
                continue;
            }
            Letter::Bytes(bytes) if Feed::is_one(bytes) => {
                feeds.add(message, bytes);
                continue;
            }
            _ => {}
        }
        let written = match letter.open() {
            Ok(Parcel::Act { id, body }) => {
                let (env, body) = (env.clone(), body.to_owned());
                work.push(Box::pin(async move { post_or_retry(&message, &id, &body, &env).await }));
                continue;
            }
            Ok(Parcel::Blank { keys }) => {
                let blanks = runtime::blank(env, ARCHIVE, &keys, LINES, clock::number(message.sent_ms()));
                match runtime::wait(blanks).await {
                    Ok(_) => {
                        message.ack();
                        continue;
                    }
                    Err(error) => Err(error.to_string()),
                }
            }
            Ok(Parcel::Pack { key, events, lines }) => {
                let sent_ms = message.sent_ms();
                let freight = Freight::Pack { key: &key, lines: &lines, done: 0, sent_ms };
                match deliver(&Bucket, &freight, env).await.failure {
                    None => Ok((key, events, for_others(&config, &letter, &lines))),
                    Some(failure) => {
                        alerts::note_own(Code::PacksUnwritten);
                        Err(failure.reason)
                    }
                }
            }
            Err(words) => Err(words),
        };
        match written {
            Ok((key, events, waiting)) => {
                log::request_line(&config, || line::written(&key, events));
                let env = env.clone();
                work.push(Box::pin(async move {
                    if queue::send_feeds(&env, &waiting).await { message.ack() } else { message.retry() }
                }));
            }
            Err(reason) => {
                let head: String = match &letter {
                    Letter::Text(text) => text.chars().take(200).collect(),
                    Letter::Bytes(bytes) => format!("{} bytes", bytes.len()),
                };
                log::failure("events.unwritten", &format!("{}: {head}", batch.queue()), &reason);
                message.retry();
            }
        }
    }
    feeds.deliver(env, &mut work);
    runtime::together(work).await;
    alerts::raise(env).await;
}

/// What further sinks are to have of a pack; what it shows that somebody should look at is noted.
fn for_others(config: &Config, letter: &Letter, lines: &str) -> Vec<Feed> {
    let since_ms = clock::now_ms();
    let mut waiting = Vec::new();
    let reads = config.sinks.iter().any(|sink| matches!(sink, Sink::Webhook | Sink::Alerts));
    // Lines that are no events' cannot be told; the bucket has them.
    let events = if reads { Facts::of_all(lines).unwrap_or_default() } else { Vec::new() };
    for sink in &config.sinks {
        match sink {
            Sink::Webhook => {
                let posts = verdicts::posts(&events, config.events_webhook_types);
                waiting.extend(Feed::of_posts(*sink, since_ms, posts));
            }
            Sink::Alerts => {
                if let Some(message_id) = Alert::worth_a_look(&events) {
                    alerts::note_news(message_id);
                }
            }
            Sink::Http | Sink::Stats | Sink::Stream => {
                waiting.push(Feed { sink: *sink, since_ms, done: 0, load: Load::Pack(letter.clone()) });
            }
        }
    }
    waiting
}

/// Posts an act; it is tried again until its receiver has taken it.
async fn post_or_retry(message: &Message, id: &str, body: &str, env: &Env) {
    let config = settings::config(env);
    let (reason, status) = match begin_post(id, body, &config) {
        Ok(promise) => {
            let posted = Answers::of(runtime::wait(promise).await.unwrap_or_default()).get(0);
            let Some(Failure { reason, status, .. }) = Failure::of(posted) else {
                if let Posted::Status(status, _) = posted {
                    log::request_line(&config, || webhook::sent(id, status));
                }
                return message.ack();
            };
            (reason, status)
        }
        Err(words) => (words.to_owned(), None),
    };
    log::alarm(&webhook::unsent(id, &reason, status));
    let age_ms = clock::now_ms() - message.sent_ms();
    if age_ms >= STALLED_MS {
        alerts::note_own(Code::ActsUnsent);
    }
    match webhook::pause_s(age_ms) {
        Some(pause_s) => message.retry_after(pause_s),
        None => message.retry(),
    }
}

/// Begins to post a body.
fn begin_post(id: &str, body: &str, config: &Config) -> Result<Promise, &'static str> {
    let url = config.unsubscribe_webhook_url.as_deref().ok_or("UNSUBSCRIBE_WEBHOOK_URL is not set")?;
    let secret = config.webhook_secret.as_deref().ok_or("WEBHOOK_SECRET is not set")?;
    let timestamp_s = clock::now_ms() / 1_000;
    let signature = webhook::signature(secret, id, timestamp_s, body);
    let request = Requests::default();
    request.add(body).all(&webhook::headers(id, &timestamp_s.to_string(), &signature));
    Ok(request.post(url, 1, TIMEOUT_MS, TIMEOUT_MS))
}
