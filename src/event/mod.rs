//! What leaves the house.
//!
//! [`line`] is an event as warehouses read it, [`pack`] the settled verdicts that are kept and shipped together, [`body`] how
//! they are written, [`webhook`] what a sender hears of an act, [`parcel`] how both travel through the queue and where they end.
//! [`spilled`] is how clicks wait for their object that it had no time for.

pub mod body;
pub mod line;
pub mod pack;
pub mod parcel;
pub mod spilled;
pub mod webhook;
