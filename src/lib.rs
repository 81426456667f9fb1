//! Clickproof: a click domain that says of every click whether a person or a mail scanner made it.
//!
//! The house follows the way of a click:
//!
//! | step | where | what |
//! | --- | --- | --- |
//! | facts | [`record`] | the click record and its ids: what every part speaks of |
//! | a mail carries it | [`link`] | signed, self-contained links and the keys that sign them |
//! | a mail is written | [`sender`] | a mail's bodies, rewritten for a recipient: links lead over the click domain |
//! | a request shows | [`signals`] | whose network it came from, what its agent and headers say |
//! | a browser proves | [`proof`] | who came back, who looked at the landing page, who waited before a button |
//! | what it means | [`verdict`] | the tables of rules, what depends on what, the windows and bursts, why they decided |
//! | what leaves | [`event`] | the lines that warehouses read, packs of them, what the queue carries |
//! | what is counted | [`report`] | counts and diagnosis |
//! | its message's life | [`message`] | clicks, opens and acts arrive, settle, are amended and leave |
//! | what is shown | [`act`], [`demo`] | pages with one button; a first look |
//! | what is set | [`config`] | the settings, and what is wrong with them |
//!
//! Arrows run down this table: a part knows those above it in the list and none below, and no files import each other in a
//! circle; `tests/house` reads all imports and keeps it so. All of that is pure: no clock, no randomness, nothing of
//! Workers. Two thin shells stand around it: `edge` is the Worker, `cli` (the binary's) the native commands. [`compile`] is
//! the build script's, and the native commands': it reads the data files that [`signals`] looks things up in. [`json`], which
//! all may use, reads what others write.

pub mod act;
#[cfg(not(target_arch = "wasm32"))]
pub mod compile;
pub mod config;
pub mod demo;
pub mod event;
pub mod json;
pub mod link;
pub mod message;
pub mod proof;
pub mod record;
pub mod report;
#[cfg(not(target_arch = "wasm32"))]
pub mod sender;
pub mod signals;
pub mod verdict;

#[cfg(any(test, target_arch = "wasm32"))]
mod edge;
