//! The demo, for a first look on one's own machine: a mail, the page that its links lead to, the story of what Clickproof
//! made of both, and a finished campaign's numbers. Pure rendering: the shell says who may see it and brings what the
//! message's object lists and reports.
//!
//! Each load of the mail is a send of its own, to one recipient, under an id that only the demo mints: whoever holds it
//! has loaded that mail, so the story asks for nothing else. The campaign's records are invented
//! (`src/dev/campaign.mjs`, which `npm start` brings in by `POST /v1/records`), and so nobody's.

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
const FINISHED: &str = include_str!("../../static/demo/campaign.html");

const REASON: &str = r#"<li><b class="{{side}}">for a {{side}}</b> {{said}}</li>"#;

/// What a campaign's page says where there are no records.
const NOTHING: &str = "There is no campaign here yet: npm start brings one in.";

/// The look of all pages.
pub const STYLE: &str = include_str!("../../static/demo/style.css");

/// What the landing page does when somebody is there, how the story keeps up, and what plays a scanner.
pub const SCRIPT: &str = include_str!("../../static/demo/demo.js");

/// What the ids of the demo's messages begin with.
const PREFIX: &str = "demo-";

/// How much of a story is shown, requests.
pub const MAX_STORY: usize = 100;

/// The message of the finished campaign.
pub const CAMPAIGN: &str = "demo-campaign";

/// The reference's parameter in the redirect to the demo's own landing page.
const REFERENCE: &str = "click";

/// The signal that says nothing on this machine: browsers speak newer versions of HTTP by TLS alone.
const OF_PLAIN_HTTP: &str = "+old_protocol";

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
    let (mut records, mut totals) = (String::new(), Totals::default());
    for line in lines.split('\n') {
        if let Ok(listed) = Json::parse(line) {
            totals.count(&listed);
            record(&listed, &mut records);
        }
    }
    let state = match (records.is_empty(), more) {
        (true, _) => "Nothing has come yet: open the mail, or follow one of its links.",
        (false, true) => "The first hundred requests, oldest first:",
        (false, false) => "Every request to the mail's links, oldest first:",
    };
    let settle = seconds(final_after_ms);
    let values = [
        ("message", message),
        ("settle", &settle),
        ("clicks", &grouped(totals.clicks)),
        ("people", &grouped(totals.people)),
        ("scanners", &grouped(totals.clicks - totals.people)),
        ("opens", &grouped(totals.opens)),
        ("acts", &grouped(totals.acts)),
        ("state", state),
        ("records", &records),
    ];
    fill(STORY, &values, &Json::Null)
}

/// What a story's requests come to.
#[derive(Default)]
struct Totals {
    clicks: i64,
    people: i64,
    opens: i64,
    acts: i64,
}

impl Totals {
    fn count(&mut self, listed: &Json) {
        match text(listed, "kind") {
            "click" => {
                self.clicks += 1;
                self.people += i64::from(text(listed, "click_type") == "human");
            }
            "open" => self.opens += 1,
            _ => self.acts += 1,
        }
    }
}

/// What a campaign comes to, by its report in JSON: as a naive tracker counts, and as Clickproof does.
#[must_use]
pub fn campaign(report: &Json) -> String {
    let count = |name| number(report, name);
    let [clicks, recipients, people, readers, sent] =
        ["clicks", "recipients", "human_clicks", "human_recipients", "sent"].map(count);
    let state = match (clicks, count("unsettled")) {
        (0, _) => NOTHING.to_owned(),
        (_, 0) => String::new(),
        (_, unsettled) => format!("{} verdicts are provisional still.", grouped(unsettled)),
    };
    let values = [
        ("message", CAMPAIGN),
        ("state", &state),
        ("sent", &grouped(sent)),
        ("clicks", &grouped(clicks)),
        ("recipients", &grouped(recipients)),
        ("naive_rate", &percent(clicks, sent)),
        ("people", &grouped(people)),
        ("readers", &grouped(readers)),
        ("rate", &percent(readers, sent)),
        ("machines", &grouped(clicks - people)),
    ];
    fill(FINISHED, &values, &Json::Null)
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
        let name = name.text().unwrap_or_default();
        if name != OF_PLAIN_HTTP {
            reason(name, &mut reasons);
        }
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

/// A count with its thousands apart.
fn grouped(count: i64) -> String {
    let digits = count.to_string();
    let mut apart = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

/// A share in percent, to tenths, as the report has it.
fn percent(part: i64, whole: i64) -> String {
    match (part * 1_000 + whole / 2).checked_div(whole) {
        Some(share) => format!("{}.{} %", share / 10, share % 10),
        None => "not known".to_owned(),
    }
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
