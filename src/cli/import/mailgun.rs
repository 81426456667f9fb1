//! Mailgun's events: pages of the Events API (`items`), or webhooks (`event-data`), times in Unix seconds with a fraction.
//!
//! Source: the Events and Webhooks chapters on documentation.mailgun.com, and payloads in django-anymail's tests, read
//! 2026-11-28.

use clickproof::json::Json;

use super::event::{Found, What};
use super::shape::{Shape, at, word};

const SHAPE: Shape = Shape {
    time: &[&["timestamp"]],
    recipient: &[&["recipient"]],
    copy: &[&["message", "headers", "message-id"]],
    campaign: &[
        &["campaigns", "id"],
        &["user-variables", "campaign_id"],
        &["user-variables", "campaign-id"],
        &["user-variables", "campaign"],
        &["tags"],
    ],
    mail: &[&["message", "headers", "message-id"]],
    id: &[&["id"]],
    sent: &[],
    fields: &[
        ("url", &["url"]),
        ("ip", &["ip"]),
        ("country", &["geolocation", "country"]),
        ("user_agent", &["client-info", "user-agent"]),
    ],
    kept: &[
        ("mailgun_id", &["id"]),
        // What Mailgun thinks of it: apple, gmail, generic.
        ("mailgun_bot", &["client-info", "bot"]),
        ("mailgun_client_type", &["client-info", "client-type"]),
    ],
};

/// Reads an item.
pub(super) fn read(item: &Json, into: &mut Vec<Found>) -> Result<(), String> {
    if let Some(page) = item.get("items").list() {
        return page.iter().try_for_each(|item| read(item, into));
    }
    if item.get("event-data").fields().is_some() {
        return read(item.get("event-data"), into);
    }
    let name = word(at(item, &["event"])).ok_or("`event`: missing; a Mailgun event has it")?;
    let is_temporary = word(at(item, &["severity"])).is_some_and(|severity| severity == "temporary");
    match What::named(&name) {
        Some(What::Bounced) if is_temporary => into.push(Found::Other(format!("{name} (temporary)"))),
        Some(what) => into.push(Found::Event(Box::new(SHAPE.event(item, what)?))),
        None => into.push(Found::Other(name)),
    }
    Ok(())
}
