//! The sender's side: a mail's bodies in, one recipient's copy out, whose links lead over the click domain.
//!
//! [`rewrite`] is the whole of it, by the [`options`] of a run. [`html`] and [`text`] plan a body: which ranges of bytes are
//! replaced, and with which links; every other byte stays, because nothing is written anew. [`left`] says of each link that
//! is not tracked why, and [`line`] is what the command reads and writes. [`eml`] does the same to a whole
//! mail, which [`mail`] takes apart and puts together again.

mod attributes;
mod charset;
mod clean;
mod decide;
mod edit;
pub mod eml;
mod found;
pub mod html;
pub mod left;
pub mod line;
pub mod mail;
pub mod options;
mod parse;
mod placeholder;
pub mod rewrite;
pub mod splice;
pub mod text;
