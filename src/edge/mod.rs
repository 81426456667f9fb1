//! The Worker: everything that knows the runtime, and nothing that decides.
//!
//! [`routes`] answers requests, [`click`] the redirect among them, [`open`] the pixel, [`verify`] what landing pages say,
//! [`act`] the links that act, [`api`] what senders ask, and [`demo`] whoever takes a first look; [`incoming`] is what every
//! request to a link shows. [`object`] is the Durable Object around a message, [`rows`] its storage, [`stub`] how the edge
//! reaches it; [`consumer`] writes and tells what the queue brings; [`settings`] reads the environment, [`respond`] and
//! [`log`] speak to the outside.

// A panic takes the isolate's other requests along.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod act;
mod api;
mod click;
mod consumer;
mod demo;
mod incoming;
mod log;
mod object;
mod open;
mod respond;
mod routes;
mod rows;
mod settings;
mod stub;
mod verify;

use worker::{Context, Env, MessageBatch, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    routes::answer(request, &env, &context).await
}

#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    consumer::consume(&batch, &env).await
}
