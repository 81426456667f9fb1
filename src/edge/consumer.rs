//! The queue's consumer: each pack becomes one object in R2, each act one request to its sender's webhook.
//!
//! Safe to repeat: a pack names its object, so a second delivery overwrites the first with the same bytes; an act has one
//! `webhook-id`. What cannot be written or posted is tried again by the queue, then goes to the dead-letter queue, whose
//! consumer is this one too: it tries for days. Nothing is acknowledged that was not done; the object keeps everything and
//! `reship` sends packs again.
//!
//! What comes from the second queue is [`spill`]'s.
//!
//! Packs come first, and webhooks go out beside each other: a slow receiver holds up nobody's events.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::bindings::ARCHIVE;
use super::runtime::{self, Batch, Env, Message, Posted, Result};
use super::{clock, log, settings, spill};
use crate::config::Config;
use crate::event::parcel::{Letter, Parcel};
use crate::event::spilled::Spilled;
use crate::event::{line, webhook};

/// How long a receiver may take, milliseconds (Standard Webhooks 1.0.0 names 15 to 30 s as usual; a batch waits for it).
const TIMEOUT_MS: u32 = 10_000;

/// Writes a batch's packs and posts its acts.
pub(super) async fn consume(batch: &Batch, env: &Env) -> Result<()> {
    let config = settings::config(env);
    let mut acts = Vec::new();
    for message in batch.messages() {
        let body = message.body();
        let letter = match body.as_string() {
            Some(text) => Letter::Text(text),
            None => Letter::Bytes(Uint8Array::new(&body).to_vec()),
        };
        if let Letter::Bytes(bytes) = &letter
            && Spilled::is_one(bytes)
        {
            spill::deliver(&message, bytes, env).await;
            continue;
        }
        let written = match letter.open() {
            Ok(Parcel::Act { id, body }) => {
                acts.push((message, id, body.to_owned()));
                continue;
            }
            Ok(Parcel::Pack { key, events, lines }) => write(&key, &lines, env).await.map(|()| (key, events)),
            Err(words) => Err(words),
        };
        match written {
            Ok((key, events)) => {
                log::request_line(&config, || line::written(&key, events));
                message.ack();
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
    let posts = Array::new();
    for (message, id, body) in acts {
        let env = env.clone();
        posts.push(&future_to_promise(async move {
            post_or_retry(&message, &id, &body, &env).await;
            Ok(JsValue::UNDEFINED)
        }));
    }
    runtime::wait(Promise::all_settled(&posts)).await.map(|_| ())
}

/// Writes an object of R2.
async fn write(key: &str, lines: &str, env: &Env) -> std::result::Result<(), String> {
    let written = runtime::write(env, ARCHIVE, key, lines, "application/x-ndjson").await;
    written.map_err(|error| error.to_string())
}

/// Posts an act; it is tried again until its receiver has taken it.
async fn post_or_retry(message: &Message, id: &str, body: &str, env: &Env) {
    let config = settings::config(env);
    let (reason, status) = match post(id, body, &config).await {
        Ok(status @ 200..=299) => {
            log::request_line(&config, || webhook::sent(id, status));
            return message.ack();
        }
        Ok(status) => ("the receiver did not take it", Some(status)),
        Err(words) => (words, None),
    };
    log::alarm(&webhook::unsent(id, reason, status));
    match webhook::pause_s(clock::now_ms() - message.sent_ms()) {
        Some(pause_s) => message.retry_after(pause_s),
        None => message.retry(),
    }
}

/// Posts a body; returns the receiver's status, or why there is none.
async fn post(id: &str, body: &str, config: &Config) -> std::result::Result<u16, &'static str> {
    let url = config.unsubscribe_webhook_url.as_deref().ok_or("UNSUBSCRIBE_WEBHOOK_URL is not set")?;
    let secret = config.webhook_secret.as_deref().ok_or("WEBHOOK_SECRET is not set")?;
    let timestamp_s = clock::now_ms() / 1_000;
    let signature = webhook::signature(secret, id, timestamp_s, body);
    match runtime::post(url, [id, &timestamp_s.to_string(), &signature], body, TIMEOUT_MS).await {
        Posted::Status(status) => Ok(status),
        Posted::TooLate => Err("no answer in 10 s"),
        Posted::Unreachable => Err("the receiver cannot be reached"),
    }
}
