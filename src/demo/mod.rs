//! The demo, for a first look on one's own machine: a mail, the page that its links lead to, the story of what Clickproof
//! made of both, and a finished campaign's numbers. What they are made of is said here, in JSON; `src/edge/pages/demo.mjs`
//! makes pages of it. The shell says who may see them and brings what the message's object lists and reports.
//!
//! Each load of the mail is a send of its own, to one recipient, under an id that only the demo mints: whoever holds it
//! has loaded that mail, so the story asks for nothing else. The campaign's records are invented
//! (`src/dev/campaign.mjs`, which `npm start` brings in by `POST /v1/records`), and so nobody's.

use crate::json::Json;
use crate::link::keys::Keyring;
use crate::link::mint;
use crate::record::EventId;

/// What is asked of [`mint::mint`].
const LINKS: &str = r#"{
    "message_id": "{message}",
    "recipient_id": "you",
    "sent_at_ms": {sent},
    "links": [
        {"link_id": "tea", "url": "{origin}/demo/landing?message={message}&page=tea"},
        {"link_id": "cups", "url": "{origin}/demo/landing?message={message}&page=cups"},
        {"link_id": "shop", "url": "{origin}/demo/landing?message={message}&page=shop"},
        {"link_id": "pixel", "kind": "open"},
        {"link_id": "confirm", "kind": "confirm", "url": "{origin}/demo/story?message={message}"},
        {"link_id": "unsubscribe", "kind": "unsubscribe"}
    ]
}"#;

/// What the ids of the demo's messages begin with.
const PREFIX: &str = "demo-";

/// How much of a story is shown, requests.
pub const MAX_STORY: usize = 100;

/// The message of the finished campaign.
pub const CAMPAIGN: &str = "demo-campaign";

/// The reference's parameter in the redirect to the demo's own landing page.
const REFERENCE: &str = "click";

/// A message's id as it stands in a URL's query, where it is the demo's.
#[must_use]
pub fn message_in(query: &str) -> Option<&str> {
    let message = query.split('&').find_map(|pair| pair.strip_prefix("message="))?;
    let minted = message.strip_prefix(PREFIX).and_then(EventId::parse).is_some();
    (minted || message == CAMPAIGN).then_some(message)
}

/// The parameter that brings a reference along to a URL, where that is the demo's own landing page at `origin`. A browser that
/// keeps no `Secure` cookie over plain http (`WebKitGTK`, on this machine) has nothing else to show.
#[must_use]
pub fn reference_parameter(url: &str, origin: &str) -> Option<&'static str> {
    url.strip_prefix(origin)?.starts_with("/demo/landing?").then_some(REFERENCE)
}

/// A mail that is sent now: its message, and its links by their ids. `id` names the send and dates it; `origin` is what its
/// links begin with; `final_after_ms` is how long a verdict stays provisional.
///
/// # Errors
/// What `POST /v1/links` would answer; the ids and URLs of the demo are always good.
pub fn mail(id: EventId, origin: &str, keys: &Keyring, final_after_ms: i64) -> Result<String, String> {
    let message = format!("{PREFIX}{id}");
    let call = LINKS.replace("{message}", &message).replace("{origin}", origin);
    let call = call.replace("{sent}", &id.ts_ms().to_string());
    let call = Json::parse(&call).map_err(|problem| problem.to_string())?;
    let mut links = String::new();
    for link in mint::mint(&call, origin, keys)?.links {
        // Ids and URLs that are minted hold nothing that JSON would escape.
        links.push_str(&[",\"", &link.link_id, "\":\"", &link.href, "\""].concat());
    }
    Ok(format!(r#"{{"message":"{message}","final_after_ms":{final_after_ms}{links}}}"#))
}

/// The page that the mail's links lead to; `message` is the mail's, where the URL names it.
#[must_use]
pub fn landing(message: Option<&str>) -> String {
    format!(r#"{{"message":"{}"}}"#, message.unwrap_or_default())
}

/// What became of a mail: `lines` is what the API lists of its message, `more` whether that is only the beginning.
#[must_use]
pub fn story(message: &str, lines: &str, more: bool, final_after_ms: i64) -> String {
    let records = lines.trim_end().replace('\n', ",");
    format!(
        r#"{{"message":"{message}","final_after_ms":{final_after_ms},"more":{more},"records":[{records}]}}"#
    )
}

#[cfg(test)]
mod tests;
