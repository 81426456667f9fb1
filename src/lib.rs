//! Clickproof: a click domain that says of every click whether a person or a mail scanner made it.
//!
//! The house follows the way of a click:
//!
//! | step | where | what |
//! | --- | --- | --- |
//! | a mail carries it | [`link`] | signed, self-contained links and the keys that sign them |
//! | a request shows | [`signals`] | the record, its id, the cookie, whose network it came from, what its agent and headers say |
//! | what it means | [`verdict`] | the tables of rules, the windows and bursts that they look at, why they decided |
//! | its message's life | [`message`] | clicks, opens and acts arrive, settle, are amended and leave |
//! | a link acts | [`act`] | the page with its one button, and what may press it |
//! | what leaves | [`event`], [`report`] | events and their packing; counts and diagnosis |
//!
//! [`config`] reads the settings, [`demo`] shows it all on one's own machine. All of that is pure: no clock, no
//! randomness, nothing of Workers. Two thin shells stand around it: `edge` is the Worker, `cli` (the binary's) the native
//! commands. [`compile`] is the build script's, and the native commands': it reads the data files that [`signals`] looks
//! things up in.

pub mod act;
#[cfg(not(target_arch = "wasm32"))]
pub mod compile;
pub mod config;
pub mod demo;
pub mod event;
mod html;
pub mod link;
pub mod message;
pub mod record;
pub mod report;
pub mod signals;
pub mod verdict;

#[cfg(target_arch = "wasm32")]
mod edge;
