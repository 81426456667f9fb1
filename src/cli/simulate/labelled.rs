//! The results: click records, each with the label that says what the click should be found to be.

use clickproof::record::{Record, Verified};
use serde::Serialize;
use serde_json::Value;

use super::scene::Hit;
use crate::output::Output;
use crate::stop::Stop;

/// How much of each record is written.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Shape {
    /// All that the edge takes down, and what the landing page showed
    Edge,
    /// What a mail provider exports: ids, times, address, agent and URL, and no other header
    Esp,
}

/// The fields that mail providers export.
const ESP: [&str; 13] = [
    "event_id",
    "message_id",
    "recipient_id",
    "link_id",
    "url",
    "kind",
    "ts_ms",
    "sent_at_ms",
    "delivered_at_ms",
    "bounced_at_ms",
    "ip",
    "user_agent",
    "label",
];

/// A record with what it is known to be.
#[derive(Serialize)]
struct Labelled<'a> {
    #[serde(flatten)]
    record: &'a Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<Verified>,
    label: &'a str,
}

/// Writes a visit as its record with a label.
pub(super) fn write(hit: &Hit, shape: Shape, output: &mut Output) -> Result<(), Stop> {
    let Hit { record, label, .. } = hit;
    let verified = Some(record.verified).filter(|verified| *verified != Verified::None);
    let labelled = Labelled { record, verified, label };
    output.line(|block| match shape {
        Shape::Edge => serde_json::to_writer(block, &labelled),
        Shape::Esp => {
            let mut line = serde_json::to_value(&labelled)?;
            if let Value::Object(fields) = &mut line {
                fields.retain(|name, value| ESP.contains(&name.as_str()) && !value.is_null());
                // An export has the column, and nothing in it where no agent was sent.
                fields.entry("user_agent").or_insert_with(|| "".into());
            }
            serde_json::to_writer(block, &line)
        }
    })
}
