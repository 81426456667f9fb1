//! The Worker: everything that knows the runtime, and nothing that decides what a click was.
//!
//! The runtime calls `entry.mjs`, which calls [`serve`]. A request is an [`Incoming`](request::Incoming), and a
//! [`Raw`](raw::Raw) where its body is needed; [`routes`] gives it to one handler: [`click`] is the redirect, [`open`] the
//! pixel, [`verify`] what landing pages say, [`act`] the links that act, [`api`] what senders ask, by the routes of [`v1`],
//! [`demo`] for whoever takes a first look, [`health`] how the settings are, [`home`] what
//! is at the root; [`visitor`] what pages for visitors are made of. What a handler refuses or fails with is a
//! [`problem`], which becomes an [`answer`] or such a page in one place; with what follows it that is a [`reply`], which [`respond`] hands
//! over; [`log`] speaks to the operator.
//!
//! [`object`] is the Durable Object around a message, [`rows`] its storage, [`stub`] how the edge reaches it, [`shards`] how all where
//! several share a message (`listing.mjs` merges what they list), and [`failure`] why it does not. Clicks go there many at once by `batch.mjs`, and where it has no time for them by the second
//! queue, whose consumer is [`spill`]; [`loss`] tells of those that nobody took. [`queue`] takes what leaves, [`consumer`] writes
//! and posts what it brings, [`sinks`] are what events are given to beside the bucket, [`alerts`] tells of what should be looked at; [`runtime`] is what the runtime hands in and does; [`settings`] reads the environment, [`bindings`]
//! says what must be in it, [`clock`] has the time and the dice.
//!
//! What needs no runtime is compiled natively too, for its tests.

// A panic takes the isolate's other requests along. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice
    )
)]
#![cfg_attr(test, allow(dead_code, reason = "handlers use it, and they need the runtime"))]

mod answer;
mod bindings;
mod click;
mod failure;
mod health;
mod home;
#[cfg(test)]
mod hostile;
mod methods;
mod open;
mod problem;
mod reply;
mod request;
mod routes;
mod v1;
mod visitor;

#[cfg(target_arch = "wasm32")]
mod access;
#[cfg(target_arch = "wasm32")]
mod act;
#[cfg(target_arch = "wasm32")]
mod alerts;
#[cfg(target_arch = "wasm32")]
mod api;
#[cfg(target_arch = "wasm32")]
mod clock;
#[cfg(target_arch = "wasm32")]
mod consumer;
#[cfg(target_arch = "wasm32")]
mod demo;
#[cfg(target_arch = "wasm32")]
mod log;
#[cfg(target_arch = "wasm32")]
mod loss;
#[cfg(target_arch = "wasm32")]
mod messages;
#[cfg(target_arch = "wasm32")]
mod object;
#[cfg(target_arch = "wasm32")]
mod pages;
#[cfg(target_arch = "wasm32")]
mod queue;
#[cfg(target_arch = "wasm32")]
mod raw;
#[cfg(target_arch = "wasm32")]
mod respond;
#[cfg(target_arch = "wasm32")]
mod rows;
#[cfg(target_arch = "wasm32")]
mod runtime;
#[cfg(target_arch = "wasm32")]
mod serve;
#[cfg(target_arch = "wasm32")]
mod settings;
#[cfg(target_arch = "wasm32")]
mod shards;
#[cfg(target_arch = "wasm32")]
mod sinks;
#[cfg(target_arch = "wasm32")]
mod spill;
#[cfg(target_arch = "wasm32")]
mod stub;
#[cfg(target_arch = "wasm32")]
mod verify;
