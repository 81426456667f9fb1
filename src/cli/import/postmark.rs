//! Postmark's webhooks, one object an event, and pages of its Messages API (`Clicks`, `Opens`, `Bounces`), times in ISO 8601.
//! It has no event for the sending: the delivery says when that was.
//!
//! Source: the webhook and Messages API pages on postmarkapp.com/developer, and payloads in django-anymail's tests, read
//! 2026-11-28.

use clickproof::json::Json;
use clickproof::record::Kind;

use super::event::{Found, What};
use super::shape::{Shape, at, word};

const SHAPE: Shape = Shape {
    time: &[&["ReceivedAt"], &["DeliveredAt"], &["BouncedAt"], &["ChangedAt"]],
    recipient: &[&["Recipient"], &["Email"]],
    copy: &[&["MessageID"]],
    campaign: &[
        &["Metadata", "campaign_id"],
        &["Metadata", "campaign-id"],
        &["Metadata", "campaign"],
        &["Tag"],
    ],
    mail: &[&["MessageID"]],
    id: &[],
    sent: &[],
    fields: &[
        ("url", &["OriginalLink"]),
        ("ip", &["Geo", "IP"]),
        ("country", &["Geo", "CountryISOCode"]),
        ("user_agent", &["UserAgent"]),
    ],
    kept: &[("postmark_message_id", &["MessageID"]), ("postmark_click_location", &["ClickLocation"])],
};

/// Bounces after which the mail is not there; the others are answers, delays and complaints.
const LOST: [&str; 6] =
    ["HardBounce", "SoftBounce", "Blocked", "DnsError", "BadEmailAddress", "SpamNotification"];

/// Reads an item.
pub(super) fn read(item: &Json, into: &mut Vec<Found>) -> Result<(), String> {
    for (page, kind) in [("Clicks", "Click"), ("Opens", "Open"), ("Bounces", "Bounce")] {
        if let Some(page) = item.get(page).list() {
            return page.iter().try_for_each(|item| read_as(item, kind, into));
        }
    }
    let kind = word(at(item, &["RecordType"])).ok_or("`RecordType`: missing; a Postmark webhook has it")?;
    read_as(item, &kind, into)
}

fn read_as(item: &Json, kind: &str, into: &mut Vec<Found>) -> Result<(), String> {
    let detail = |name: &str| word(item.get(name)).unwrap_or_default();
    let what = match kind {
        "Bounce" => Some(What::Bounced).filter(|_| LOST.contains(&detail("Type").as_str())),
        // Postmark also stops sending by itself, and starts again.
        "SubscriptionChange" => {
            let is_persons =
                item.get("SuppressSending") == &Json::Boolean(true) && detail("Origin") == "Recipient";
            Some(What::Request(Kind::Unsubscribe)).filter(|_| is_persons)
        }
        _ => What::named(kind),
    };
    into.push(match what {
        Some(what) => Found::Event(Box::new(SHAPE.event(item, what)?)),
        None if kind == "Bounce" => Found::Other(format!("Bounce ({})", detail("Type"))),
        None => Found::Other(kind.to_owned()),
    });
    Ok(())
}
