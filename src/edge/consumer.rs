//! The queue's consumer: each message becomes one object in R2.
//!
//! Safe to repeat: a message names its object, so a second delivery overwrites the first with the same bytes. What
//! cannot be written is tried again by the queue, then goes to the dead-letter queue, whose consumer is this one too:
//! it tries for days. Nothing is acknowledged that was not written; the object keeps everything and `reship` sends it
//! again.

use worker::{Env, HttpMetadata, MessageBatch, MessageExt, Result};

use super::{log, settings};
use crate::event::{self, packing};

/// Writes a batch.
pub(super) async fn consume(batch: &MessageBatch<String>, env: &Env) -> Result<()> {
    for message in batch.raw_iter() {
        let body = message.body().as_string().unwrap_or_default();
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
