//! Amazon SES' event publishing: events as Firehose stores them, in SNS notifications (`Message`), also as Lambda gets those
//! (`Records`), or in `EventBridge` events (`detail`), times in ISO 8601. Each event says when its mail was sent. None has an id:
//! what it says is one, whichever way it came.
//!
//! Source: "Contents of event data" and its examples in the Amazon SES developer guide, and payloads in django-anymail's tests,
//! read 2026-11-28.

use clickproof::json::Json;
use clickproof::record::Kind;
use serde_json::Value;

use super::event::{Found, What};
use super::shape::{Shape, at, word};

const SHAPE: Shape = Shape {
    time: &[
        &["click", "timestamp"],
        &["open", "timestamp"],
        &["delivery", "timestamp"],
        &["bounce", "timestamp"],
        &["subscription", "timestamp"],
        &["mail", "timestamp"],
    ],
    recipient: &[&["mail", "destination"]],
    copy: &[&["mail", "messageId"]],
    // Tags are the sender's own. The configuration set is there always, and says little; it is better than a message for each
    // mail.
    campaign: &[
        &["mail", "tags", "campaign_id"],
        &["mail", "tags", "campaign-id"],
        &["mail", "tags", "campaign"],
        &["mail", "tags", "Campaign"],
        &["mail", "tags", "ses:configuration-set"],
    ],
    mail: &[&["mail", "messageId"]],
    id: &[],
    sent: &[&["mail", "timestamp"]],
    fields: &[
        ("url", &["click", "link"]),
        ("ip", &["click", "ipAddress"]),
        ("user_agent", &["click", "userAgent"]),
    ],
    kept: &[("ses_message_id", &["mail", "messageId"])],
};

/// What differs where an open is told of.
const OPEN: Shape =
    Shape { fields: &[("ip", &["open", "ipAddress"]), ("user_agent", &["open", "userAgent"])], ..SHAPE };

/// Reads an item.
pub(super) fn read(item: &Json, into: &mut Vec<Found>) -> Result<(), String> {
    if let Some(records) = item.get("Records").list() {
        return records.iter().try_for_each(|record| read(record.get("Sns"), into));
    }
    if let Some(message) = item.get("Message").text() {
        // SNS says by itself that somebody subscribed, in words.
        if !message.trim_start().starts_with('{') {
            into.push(Found::Other(word(item.get("Type")).unwrap_or_else(|| "SNS message".to_owned())));
            return Ok(());
        }
        let event =
            Json::parse(message).map_err(|problem| format!("`Message`: not a JSON object: {problem}"))?;
        return read_event(&event, into);
    }
    let detail = item.get("detail");
    read_event(if detail.fields().is_some() { detail } else { item }, into)
}

fn read_event(item: &Json, into: &mut Vec<Found>) -> Result<(), String> {
    let name = word(item.get("eventType"))
        .or_else(|| word(item.get("notificationType")))
        .ok_or("`eventType`: missing; an SES event has it")?;
    let bounce = word(at(item, &["bounce", "bounceType"])).unwrap_or_default();
    let what = match name.as_str() {
        // The others are answers and delays.
        "Bounce" if bounce != "Permanent" => {
            into.push(Found::Other(format!("Bounce ({bounce})")));
            return Ok(());
        }
        "Subscription" => {
            let all = at(item, &["subscription", "newTopicPreferences", "unsubscribeAll"]);
            Some(What::Request(Kind::Unsubscribe)).filter(|_| all == &Json::Boolean(true))
        }
        _ => What::named(&name),
    };
    let Some(what) = what else {
        into.push(Found::Other(name));
        return Ok(());
    };
    let shape = if what == What::Request(Kind::Open) { &OPEN } else { &SHAPE };
    let mut event = shape.event(item, what)?;
    // A mail to several has one copy, and nobody knows whose click it was: they are one recipient.
    if let Some(all) = at(item, &["mail", "destination"]).list().filter(|all| all.len() > 1) {
        event.recipient = all.iter().filter_map(word).collect::<Vec<_>>().join(",");
        if what == What::Bounced {
            into.push(Found::Other("Bounce (of one of several recipients)".to_owned()));
            return Ok(());
        }
    }
    if word(at(item, &["subscription", "source"])).is_some_and(|source| source == "UnsubscribeHeader") {
        event.fields.push(("act", Value::from("one_click")));
    }
    into.push(Found::Event(Box::new(event)));
    Ok(())
}
