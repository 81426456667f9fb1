//! `SparkPost`'s events: webhooks (`msys`, one event under its class), or pages of the Events API (`results`), times in Unix seconds
//! as text or ISO 8601.
//!
//! Source: the Webhooks and Events pages on developers.sparkpost.com, and payloads in django-anymail's tests, read 2026-11-28.

use clickproof::json::Json;
use serde_json::Value;

use super::event::{Found, What};
use super::shape::{Shape, word};

const SHAPE: Shape = Shape {
    time: &[&["timestamp"]],
    recipient: &[&["rcpt_to"], &["raw_rcpt_to"]],
    copy: &[&["message_id"], &["transmission_id"]],
    campaign: &[&["campaign_id"]],
    // One call, and so one send to all its recipients.
    mail: &[&["transmission_id"], &["message_id"]],
    id: &[&["event_id"]],
    sent: &[&["injection_time"]],
    fields: &[
        ("url", &["target_link_url"]),
        ("ip", &["ip_address"]),
        ("country", &["geo_ip", "country"]),
        ("user_agent", &["user_agent"]),
    ],
    kept: &[
        ("sparkpost_event_id", &["event_id"]),
        ("sparkpost_link_name", &["target_link_name"]),
        ("sparkpost_is_prefetched", &["user_agent_parsed", "is_prefetched"]),
        ("sparkpost_is_proxy", &["user_agent_parsed", "is_proxy"]),
    ],
};

/// Bounce classes that are no loss of the mail: answers, delays, requests to subscribe or unsubscribe.
const NO_LOSS: [&str; 5] = ["60", "70", "80", "90", "100"];

/// Reads an item.
pub(super) fn read(item: &Json, into: &mut Vec<Found>) -> Result<(), String> {
    if let Some(page) = item.get("results").list() {
        return page.iter().try_for_each(|item| read(item, into));
    }
    if let Some(classes) = item.get("msys").fields() {
        if classes.is_empty() {
            into.push(Found::Other("ping".to_owned()));
        }
        return classes.iter().try_for_each(|(_, event)| read(event, into));
    }
    let name = word(item.get("type")).ok_or("`type`: missing; a SparkPost event has it")?;
    let class = word(item.get("bounce_class")).unwrap_or_default();
    match What::named(&name) {
        Some(What::Bounced) if NO_LOSS.contains(&class.as_str()) => {
            into.push(Found::Other(format!("{name} (class {class})")));
        }
        Some(what) => {
            let mut event = SHAPE.event(item, what)?;
            if name == "list_unsubscribe" {
                event.fields.push(("act", Value::from("one_click")));
            }
            into.push(Found::Event(Box::new(event)));
        }
        None => into.push(Found::Other(name)),
    }
    Ok(())
}
