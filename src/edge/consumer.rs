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
use worker::wasm_bindgen_futures::{JsFuture, future_to_promise};
use worker::{
    AbortSignal, Env, Fetch, Headers, HttpMetadata, MessageBatch, MessageExt, Method,
    QueueRetryOptionsBuilder, RawMessage, Request, RequestInit, RequestRedirect, Result, web_sys,
};

use super::{clock, log, settings, spill};
use crate::config::Config;
use crate::event::parcel::{Letter, Parcel};
use crate::event::spilled::Spilled;
use crate::event::{line, webhook};

/// How long a receiver may take, seconds (Standard Webhooks 1.0.0 names 15 to 30 as usual; a batch waits for it).
const TIMEOUT_S: u32 = 10;

/// Writes a batch's packs and posts its acts.
pub(super) async fn consume(batch: &MessageBatch<String>, env: &Env) -> Result<()> {
    let config = settings::config(env);
    let mut acts = Vec::new();
    for message in batch.raw_iter() {
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
    JsFuture::from(Promise::all_settled(&posts)).await?;
    Ok(())
}

/// Writes an object of R2.
async fn write(key: &str, lines: &str, env: &Env) -> std::result::Result<(), String> {
    let metadata =
        HttpMetadata { content_type: Some("application/x-ndjson".to_owned()), ..HttpMetadata::default() };
    let bucket = settings::archive(env).map_err(|error| error.to_string())?;
    let put = bucket.put(key, lines.to_owned()).http_metadata(metadata);
    put.execute().await.map_err(|error| error.to_string())?;
    Ok(())
}

/// Posts an act; it is tried again until its receiver has taken it.
async fn post_or_retry(message: &RawMessage, id: &str, body: &str, env: &Env) {
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
    let sent_ms = i64::try_from(message.timestamp().as_millis()).unwrap_or_default();
    match webhook::pause_s(clock::now_ms() - sent_ms) {
        Some(pause_s) => {
            message.retry_with_options(&QueueRetryOptionsBuilder::new().with_delay_seconds(pause_s).build());
        }
        None => message.retry(),
    }
}

/// Posts a body; returns the receiver's status, or why there is none.
async fn post(id: &str, body: &str, config: &Config) -> std::result::Result<u16, &'static str> {
    let url = config.unsubscribe_webhook_url.as_deref().ok_or("UNSUBSCRIBE_WEBHOOK_URL is not set")?;
    let secret = config.webhook_secret.as_deref().ok_or("WEBHOOK_SECRET is not set")?;
    let request = signed(url, secret, id, body).map_err(|_| "the request cannot be made")?;
    let limit = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(TIMEOUT_S * 1_000));
    match Fetch::Request(request).send_with_signal(&limit).await {
        Ok(response) => Ok(response.status_code()),
        // What the runtime says may hold the address, which may hold a secret.
        Err(_) if limit.aborted() => Err("no answer in 10 s"),
        Err(_) => Err("the receiver cannot be reached"),
    }
}

fn signed(url: &str, secret: &[u8], id: &str, body: &str) -> Result<Request> {
    let timestamp_s = clock::now_ms() / 1_000;
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("user-agent", "Clickproof")?;
    headers.set("webhook-id", id)?;
    headers.set("webhook-timestamp", &timestamp_s.to_string())?;
    headers.set("webhook-signature", &webhook::signature(secret, id, timestamp_s, body))?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        .with_body(Some(body.into()));
    Request::new_with_init(url, &init)
}
