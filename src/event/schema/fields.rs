//! The table itself. A new field of a line is one row here; then `UPDATE=1 cargo test --test schema` writes the files that
//! are made of it.

use super::Presence::{Always, Nullable, Optional};
use super::{At, Event, Field, Shape, Words};
use crate::record::{CookieState, Kind, Verified, Way};
use crate::signals::catalogue::Class;
use crate::verdict::{ClickType, Confidence};

/// The events that are a record with its verdict.
const RECORDS: &[Event] = &[Event::Click, Event::Open, Event::Unsubscribe, Event::Confirm];

/// The events of one recipient's copy of a message.
const COPIES: &[Event] = &[Event::Click, Event::Open, Event::Unsubscribe, Event::Confirm, Event::Verify];

const VERIFY: &[Event] = &[Event::Verify];
const ERASED: &[Event] = &[Event::Erased];
const ALERT: &[Event] = &[Event::Alert];

const EVERYWHERE: At = &[(&Event::ALL, Always)];
const COPY: At = &[(COPIES, Always)];
const COPY_OR_NULL: At = &[(COPIES, Nullable)];
const RECORD: At = &[(RECORDS, Always)];
const RECORD_OR_NULL: At = &[(RECORDS, Nullable)];
const RECORD_AT_TIMES: At = &[(RECORDS, Optional)];

const fn field(name: &'static str, shape: Shape, events: At, about: &'static str) -> Field {
    Field { name, shape, words: Words::Any, about, events }
}

const fn text(name: &'static str, events: At, about: &'static str) -> Field {
    field(name, Shape::Text, events, about)
}

const fn integer(name: &'static str, events: At, about: &'static str) -> Field {
    field(name, Shape::Integer, events, about)
}

const fn boolean(name: &'static str, events: At, about: &'static str) -> Field {
    field(name, Shape::Boolean, events, about)
}

/// Every field, each once: what all events have, what the link says, what the request showed, whose network it came from,
/// the verdict, and what `verify`, `erased` and `alert` have for themselves.
pub const FIELDS: &[Field] = &[
    text("event", EVERYWHERE, "What happened").one_of(|| Event::ALL.map(Event::name).to_vec()),
    text(
        "event_id",
        EVERYWHERE,
        "UUIDv7 of `ts_ms`; with `revision` the key: of one id the highest revision counts",
    ),
    integer("revision", EVERYWHERE, "1 is the settled verdict, higher ones amend it"),
    integer("ts_ms", EVERYWHERE, "When it happened, Unix milliseconds"),
    text(
        "message_id",
        &[(COPIES, Always), (ERASED, Always), (ALERT, Nullable)],
        "The send, as its sender names it; null for an alert about the Worker itself",
    ),
    text("recipient_id", COPY, "The addressee, opaque"),
    text("link_id", COPY_OR_NULL, "The link of the message; where it is null `url` stands for it"),
    text("url", COPY_OR_NULL, "Where the link leads"),
    text("group", RECORD_AT_TIMES, "The part of the list, in the sender's own word"),
    text("kind", RECORD, "What kind of link was requested: the same word as `event`")
        .one_of(|| Kind::ALL.map(Kind::name).to_vec()),
    integer("sent_at_ms", RECORD, "When the mail was sent, Unix milliseconds"),
    integer(
        "delivered_at_ms",
        RECORD_OR_NULL,
        "When it was delivered, Unix milliseconds: the clock, where known",
    ),
    integer("bounced_at_ms", RECORD_AT_TIMES, "When it came back, Unix milliseconds"),
    integer("links_total", RECORD_OR_NULL, "Tracked links in that recipient's copy"),
    text("method", RECORD_OR_NULL, "The HTTP method"),
    text("ip", RECORD_OR_NULL, "The client's address"),
    integer("asn", RECORD_OR_NULL, "Its AS number"),
    text("country", RECORD_OR_NULL, "Its country, two letters"),
    text("user_agent", RECORD_OR_NULL, "`User-Agent`; empty where it is known that there was none"),
    text("referer", RECORD_OR_NULL, "`Referer` without query and fragment"),
    text("accept", RECORD_OR_NULL, "`Accept`"),
    text("accept_language", RECORD_OR_NULL, "`Accept-Language`"),
    text("sec_fetch_site", RECORD_OR_NULL, "`Sec-Fetch-Site`"),
    text("sec_fetch_mode", RECORD_OR_NULL, "`Sec-Fetch-Mode`"),
    text("sec_fetch_dest", RECORD_OR_NULL, "`Sec-Fetch-Dest`"),
    text("sec_fetch_user", RECORD_OR_NULL, "`Sec-Fetch-User`"),
    text("sec_purpose", RECORD_OR_NULL, "`Sec-Purpose`, or its older forms"),
    text("sec_ch_ua", RECORD_OR_NULL, "`Sec-CH-UA`"),
    text("x_forwarded_for", RECORD_OR_NULL, "`X-Forwarded-For`"),
    text("http_protocol", RECORD_OR_NULL, "Such as `HTTP/2`"),
    boolean("secure", RECORD_OR_NULL, "Whether it came by https, or to a host that browsers trust like it"),
    text("cookie", RECORD_OR_NULL, "What the click host's cookie said")
        .such_as(|| CookieState::ALL.map(CookieState::name).to_vec()),
    text("visitor_id", RECORD_OR_NULL, "The visitor, from the cookie"),
    integer("repeats", RECORD_OR_NULL, "Further clicks of a flood, counted here and not stored"),
    text("act", RECORD_AT_TIMES, "How a link that acts was told to")
        .such_as(|| Way::ALL.map(Way::name).to_vec()),
    text("network", RECORD_OR_NULL, "Whose network the request came from, as the catalogue names it"),
    text("network_vendor", RECORD_OR_NULL, "That network's owner"),
    text("network_class", RECORD_OR_NULL, "What a request from there is worth as evidence")
        .such_as(|| Class::ALL.map(Class::name).to_vec()),
    boolean("safelinks_referer", RECORD_OR_NULL, "Whether the referer is a Safe Links page"),
    text(
        "click_type",
        RECORD_OR_NULL,
        "Who made it: `human`, or which scanner; null where no rule judges that kind",
    )
    .such_as(|| ClickType::ALL.map(ClickType::name).to_vec()),
    text("vendor", RECORD_OR_NULL, "Whose scanner it was"),
    text("confidence", RECORD, "How sure that is").one_of(|| Confidence::ALL.map(Confidence::name).to_vec()),
    text("rule", RECORD, "The rule that decided"),
    field("reasons", Shape::Texts, RECORD, "Every signal that spoke: `+` for a scanner, `-` for a person"),
    text("paired_with", RECORD_OR_NULL, "The `event_id` of the other click of a pair"),
    boolean("is_bot", RECORD, "`click_type` begins with `scanner_`"),
    boolean("is_defender_bot", RECORD, "It is one of the published Defender table's five scanner types"),
    text("verified", COPY, "What the landing page showed")
        .one_of(|| Verified::ALL.map(Verified::name).to_vec()),
    text("ruleset", RECORD, "Name and version of the rules, such as `full@3`"),
    boolean("final", RECORD, "Whether the windows have closed: true in all that is shipped"),
    text(
        "previous_click_type",
        RECORD_AT_TIMES,
        "From revision 2 on what the revision before said, to subtract it",
    )
    .such_as(|| ClickType::ALL.map(ClickType::name).to_vec()),
    field("shadow", Shape::Json, RECORD_AT_TIMES, "What `SHADOW_RULESET` says of it: a verdict's fields"),
    integer(
        "since_load_ms",
        &[(VERIFY, Nullable)],
        "How long after the page was shown it was touched, milliseconds",
    ),
    text("click_event_id", &[(VERIFY, Always)], "The click whose page it was"),
    integer("click_ts_ms", &[(VERIFY, Always)], "That click's `ts_ms`"),
    text(
        "recipient_digest",
        &[(ERASED, Nullable)],
        "Whose records were erased: SHA-256 of `recipient_id`, hexadecimal; null where all of the message were",
    ),
    text("code", &[(ALERT, Always)], "What the alert is about, a stable name"),
    text("severity", &[(ALERT, Always)], "How much it matters")
        .such_as(|| vec!["info", "warning", "critical"]),
    text("text", &[(ALERT, Always)], "What was seen and what to do, for people"),
];
