//! The demo, for a first look on one's own machine: a mail, the page that its links lead to, and the story of what
//! Clickproof made of both. Pure rendering: the shell says who may see it and brings what the message's object lists.
//!
//! Each load of the mail is a send of its own, to one recipient, under an id that only the demo mints: whoever holds it
//! has loaded that mail, so the story asks for nothing else.

use crate::json::Json;
use crate::link::keys::Keyring;
use crate::link::mint;
use crate::record::EventId;
use crate::signals::votes;
use crate::template::{fill, text};
use crate::verdict::Ruleset;

/// What is asked of [`mint::mint`].
const LINKS: &str = r#"{
    "message_id": "{{message}}",
    "recipient_id": "you",
    "sent_at_ms": {{sent}},
    "links": [
        {"link_id": "tea", "url": "{{origin}}/demo/landing?message={{message}}&page=tea"},
        {"link_id": "cups", "url": "{{origin}}/demo/landing?message={{message}}&page=cups"},
        {"link_id": "shop", "url": "{{origin}}/demo/landing?message={{message}}&page=shop"},
        {"link_id": "pixel", "kind": "open"},
        {"link_id": "confirm", "kind": "confirm", "url": "{{origin}}/demo/story?message={{message}}"},
        {"link_id": "unsubscribe", "kind": "unsubscribe"}
    ]
}"#;
const MAIL: &str = include_str!("../../static/demo/mail.html");
const LANDING: &str = include_str!("../../static/demo/landing.html");
const STORY: &str = include_str!("../../static/demo/story.html");
const RECORD: &str = include_str!("../../static/demo/record.html");

const REASON: &str = r#"<li><b class="{{side}}">for a {{side}}</b> {{said}}</li>"#;

/// The look of all three pages.
pub const STYLE: &str = include_str!("../../static/demo/style.css");

/// What the landing page does when somebody is there, and how the story keeps up.
pub const SCRIPT: &str = include_str!("../../static/demo/demo.js");

/// What the ids of the demo's messages begin with.
const PREFIX: &str = "demo-";

/// How much of a story is shown, requests.
pub const MAX_STORY: usize = 100;

/// A message's id as it stands in a URL's query, where the demo has minted it.
#[must_use]
pub fn message_in(query: &str) -> Option<&str> {
    let message = query.split('&').find_map(|pair| pair.strip_prefix("message="))?;
    message.strip_prefix(PREFIX).and_then(EventId::parse).map(|_| message)
}

/// A mail that is sent now. `id` names the send and dates it; `origin` is what its links begin with; `final_after_ms`
/// is how long a verdict stays provisional.
///
/// # Errors
/// What `POST /v1/links` would answer; the ids and URLs of the demo are always good.
pub fn mail(id: EventId, origin: &str, keys: &Keyring, final_after_ms: i64) -> Result<String, String> {
    let (message, sent) = (format!("{PREFIX}{id}"), id.ts_ms().to_string());
    let call = fill(LINKS, &[("message", &message), ("sent", &sent), ("origin", origin)], &Json::Null);
    let call = Json::parse(&call).map_err(|problem| problem.to_string())?;
    let minted = mint::mint(&call, origin, keys)?;
    let settle = seconds(final_after_ms);
    let mut values = vec![("message", message.as_str()), ("settle", settle.as_str())];
    values.extend(minted.links.iter().map(|link| (link.link_id.as_str(), link.href.as_str())));
    Ok(fill(MAIL, &values, &Json::Null))
}

/// The page that the mail's links lead to; `message` is the mail's, where the URL names it.
#[must_use]
pub fn landing(message: Option<&str>) -> String {
    let back = message.map_or("/demo".to_owned(), |message| format!("/demo/story?message={message}"));
    fill(LANDING, &[("story", &back)], &Json::Null)
}

/// What became of a mail: `lines` is what the API lists of its message, `more` whether that is only the beginning.
#[must_use]
pub fn story(message: &str, lines: &str, more: bool, final_after_ms: i64) -> String {
    let mut records = String::new();
    for line in lines.split('\n') {
        if let Ok(listed) = Json::parse(line) {
            record(&listed, &mut records);
        }
    }
    let state = match (records.is_empty(), more) {
        (true, _) => "Nothing has come yet: open the mail, or follow one of its links.",
        (false, true) => "The first hundred requests, oldest first:",
        (false, false) => "Every request to the mail's links, oldest first:",
    };
    let settle = seconds(final_after_ms);
    let values = [("message", message), ("settle", &settle), ("state", state), ("records", &records)];
    fill(STORY, &values, &Json::Null)
}

/// Writes one request as the story tells it.
fn record(listed: &Json, to: &mut String) {
    let ts_ms = number(listed, "ts_ms");
    let (class, who) = match text(listed, "click_type") {
        "human" => ("person", "A person"),
        "proxy_open" => ("nobody", "An image proxy, for somebody or for nobody"),
        "" => ("nobody", "Not judged"),
        _ => ("scanner", "A scanner"),
    };
    let page = match (text(listed, "kind"), text(listed, "verified")) {
        ("click", "interacted") => "Somebody touched the page behind it.",
        ("click", "rendered") => "The page behind it was shown; nobody has touched it yet.",
        ("click", _) => "Nothing is known of the page behind it yet.",
        _ => "",
    };
    let is_final = *listed.get("final") == Json::Boolean(true);
    let mut reasons = String::new();
    for name in listed.get("reasons").list().unwrap_or_default() {
        reason(name.text().unwrap_or_default(), &mut reasons);
    }
    // What is not among these stands in the record under the slot's own name.
    let values = [
        ("class", class),
        ("who", who),
        ("state", if is_final { "final" } else { "provisional" }),
        ("number", &number(listed, "revision").to_string()),
        ("at", &clock(ts_ms)),
        ("after", &seconds(ts_ms.saturating_sub(number(listed, "sent_at_ms")))),
        ("page", page),
        ("because", because(text(listed, "ruleset"), text(listed, "rule"))),
        ("reasons", &reasons),
    ];
    to.push_str(&fill(RECORD, &values, listed));
}

fn number(listed: &Json, name: &str) -> i64 {
    listed.get(name).integer().unwrap_or_default()
}

/// What a rule says.
fn because(ruleset: &str, rule: &str) -> &'static str {
    match rule {
        "image_proxy" => "an image proxy, or a privacy prefetch, asks for its users before they read",
        "one_click" => "the mail provider asks, because its user pressed the provider's own button",
        "not_a_click" => "the published table judges clicks alone",
        _ => {
            let name = ruleset.split('@').next().unwrap_or_default();
            let rules = Ruleset::named(name).map(Ruleset::rules).unwrap_or_default();
            rules.iter().find(|known| known.id == rule).map_or("", |known| known.words)
        }
    }
}

/// Writes a signal that spoke, and for whom.
fn reason(name: &str, to: &mut String) {
    let side = if name.starts_with('-') { "person" } else { "scanner" };
    let vote = votes::TABLE.iter().find(|vote| vote.reason == name);
    let name = name.get(1..).unwrap_or_default().replace('_', " ");
    let said = vote.map_or(name.as_str(), |vote| vote.words);
    to.push_str(&fill(REASON, &[("side", side), ("said", said)], &Json::Null));
}

/// The time of a day, UTC, of Unix milliseconds.
fn clock(ts_ms: i64) -> String {
    let s = ts_ms.div_euclid(1_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02} UTC", s / 3_600, s / 60 % 60, s % 60)
}

/// Milliseconds as seconds, cut to tenths.
fn seconds(ms: i64) -> String {
    match ms / 100 % 10 {
        0 => format!("{} s", ms / 1_000),
        tenths => format!("{}.{} s", ms / 1_000, tenths.abs()),
    }
}

#[cfg(test)]
mod tests;
