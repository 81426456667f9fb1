//! What leaves the house.
//!
//! [`line`] is an event as warehouses read it (`writer` writes it), [`pack`] the settled verdicts that are kept and shipped together, [`body`] how
//! they are written, [`webhook`] what a sender hears of an act, [`parcel`] how both travel through the queue and where they end.
//! [`erased`] is what everybody hears of an erasure, [`sink`] what further sinks are given of it all, [`spilled`] how clicks wait for
//! their object that it had no time for, `schema` the table of a line's fields for those who read them elsewhere.

pub mod body;
pub mod erased;
pub mod line;
pub mod pack;
pub mod parcel;
#[cfg(not(target_arch = "wasm32"))]
pub mod schema;
pub mod sink;
pub mod spilled;
pub mod webhook;
mod writer;
