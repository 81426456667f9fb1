//! The queue's consumer: each pack becomes one object in R2, each act one request to its sender's webhook.
//!
//! Safe to repeat: a pack names its object, so a second delivery overwrites the first with the same bytes; an act has one
//! `webhook-id`. What cannot be written or told is tried again by the queue, then goes to the dead-letter queue, whose
//! consumer is this one too: it tries for days. Nothing is acknowledged that was not done; the object keeps everything and
//! `reship` sends packs again.
//!
//! Packs come first, and webhooks go out beside each other: a slow receiver holds up nobody's events.

use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use worker::{
    AbortController, Delay, Env, Fetch, Headers, HttpMetadata, MessageBatch, MessageExt, Method,
    QueueRetryOptionsBuilder, RawMessage, Request, RequestInit, RequestRedirect, Result,
};

use super::{incoming, log, settings};
use crate::event::{self, packing, webhook};

/// How long a receiver may take, seconds (Standard Webhooks 1.0.0 names 15 to 30 as usual; a batch waits for it).
const TIMEOUT_S: u64 = 10;

/// Writes and tells a batch.
pub(super) async fn consume(batch: &MessageBatch<String>, env: &Env) -> Result<()> {
    let messages = batch.raw_iter().map(|message| {
        let body = message.body().as_string().unwrap_or_default();
        (message, body)
    });
    let (webhooks, packs): (Vec<_>, Vec<_>) = messages.partition(|(_, body)| webhook::is_one(body));
    for (message, body) in packs {
        match write(&body, env).await {
            Ok(header) => {
                log::line(&event::written(&header));
                message.ack();
            }
            Err(reason) => {
                let head: String = body.chars().take(200).collect();
                log::failure("events.unwritten", &format!("{}: {head}", batch.queue()), &reason);
                message.retry();
            }
        }
    }
    join_all(webhooks.iter().map(|(message, body)| tell(message, body, env))).await;
    Ok(())
}

async fn write(body: &str, env: &Env) -> std::result::Result<packing::Header, String> {
    let (header, lines) = packing::open(body)?;
    let metadata =
        HttpMetadata { content_type: Some("application/x-ndjson".to_owned()), ..HttpMetadata::default() };
    let bucket = settings::archive(env).map_err(|error| error.to_string())?;
    let put = bucket.put(&header.key, lines.to_owned()).http_metadata(metadata);
    put.execute().await.map_err(|error| error.to_string())?;
    Ok(header)
}

/// Posts an act; it is tried again until its receiver has taken it.
async fn tell(message: &RawMessage, text: &str, env: &Env) {
    let (id, outcome) = match webhook::open(text) {
        Ok((header, body)) => {
            let outcome = post(&header.id, body, env).await;
            (header.id, outcome)
        }
        Err(words) => (String::new(), Err(words)),
    };
    let (reason, status) = match outcome {
        Ok(status @ 200..=299) => {
            log::line(&webhook::sent(&id, status));
            return message.ack();
        }
        Ok(status) => ("the receiver did not take it".to_owned(), Some(status)),
        Err(words) => (words, None),
    };
    log::alarm(&webhook::unsent(&id, &reason, status));
    let sent_ms = i64::try_from(message.timestamp().as_millis()).unwrap_or_default();
    match webhook::pause_s(incoming::now_ms() - sent_ms) {
        Some(pause_s) => {
            message.retry_with_options(&QueueRetryOptionsBuilder::new().with_delay_seconds(pause_s).build());
        }
        None => message.retry(),
    }
}

/// Posts a body; returns the receiver's status.
async fn post(id: &str, body: &str, env: &Env) -> std::result::Result<u16, String> {
    let config = settings::config(env);
    let url = config.unsubscribe_webhook_url.as_deref().ok_or("UNSUBSCRIBE_WEBHOOK_URL is not set")?;
    let secret = config.webhook_secret.as_deref().ok_or("WEBHOOK_SECRET is not set")?;
    let request = signed(url, secret, id, body).map_err(|error| error.to_string())?;
    let controller = AbortController::default();
    let signal = controller.signal();
    let fetch = Fetch::Request(request);
    let sending = Box::pin(fetch.send_with_signal(&signal));
    match select(sending, Delay::from(Duration::from_secs(TIMEOUT_S))).await {
        Either::Left((Ok(response), _)) => Ok(response.status_code()),
        // What the runtime says may hold the address, which may hold a secret.
        Either::Left((Err(_), _)) => Err("the receiver cannot be reached".to_owned()),
        Either::Right(_) => {
            controller.abort();
            Err(format!("no answer in {TIMEOUT_S} s"))
        }
    }
}

fn signed(url: &str, secret: &[u8], id: &str, body: &str) -> Result<Request> {
    let timestamp_s = incoming::now_ms() / 1_000;
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
