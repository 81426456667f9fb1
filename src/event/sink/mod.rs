//! What sinks beside the bucket are given of the events that are shipped, made without a runtime.
//!
//! The bucket is the record of truth. Once it has a pack, each further sink that is set gets a [`Feed`] by a queue of its own, so
//! that a sink that fails or is slow holds up neither the bucket nor another: [`feed`] is how that travels, [`types`] which verdicts a webhook is
//! told of, [`webhook`] how it is told, [`http`] the one request that brings a collector a pack, [`stats`] the counts for
//! Analytics Engine, [`alert`] what an operator should look at.

pub mod alert;
pub mod facts;
pub mod feed;
pub mod http;
pub mod stats;
pub mod types;
pub mod webhook;

pub use types::Types;

use crate::record::named::named;

named! {
    /// A sink beside the bucket. A letter names it by its word.
    pub enum Sink {
        /// Signed webhooks of verdicts: `EVENTS_WEBHOOK_URL`.
        Webhook = "webhook",
        /// A pack's lines in one request: `EVENTS_HTTP_URL`.
        Http = "http",
        /// Counts in Analytics Engine: the binding `STATS`.
        Stats = "stats",
        /// Records in a stream: the binding `STREAM`.
        Stream = "stream",
        /// Signed webhooks of alerts: `ALERT_WEBHOOK_URL`.
        Alerts = "alerts",
    }
}
