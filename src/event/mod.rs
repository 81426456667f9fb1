//! What leaves the house.
//!
//! [`line`] is an event as warehouses read it, [`pack`] the settled verdicts that are kept and shipped together, [`parcel`]
//! how packs and acts travel through the queue and where they end, [`webhook`] how a sender is told of an act.

pub mod line;
pub mod pack;
pub mod parcel;
pub mod webhook;
