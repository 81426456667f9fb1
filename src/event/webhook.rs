//! How a sender hears of an act: the request that the queue's consumer posts, as Standard Webhooks
//! (<https://www.standardwebhooks.com>, 2026-11) ask for it. How it travels there is [`super::parcel`]'s.

use chrono::DateTime;
use hmac::Mac;

use super::line;
use super::writer::Fields;
use crate::link::base64;
use crate::link::keys::keyed;
use crate::record::Record;
use crate::verdict::Verdict;

/// How soon the first pause is over, seconds: what `retry_delay` of the queue says in `wrangler.toml`.
const FIRST_PAUSE_S: i64 = 5;

/// The longest pause, seconds.
pub const MAX_PAUSE_S: u32 = 3_600;

/// The body that tells of an act.
#[must_use]
pub fn body(record: &Record, verdict: &Verdict) -> String {
    enclosed(record.kind.name(), record.ts_ms, &line::told(record, verdict))
}

/// A body: what it is about, when that happened, and the line that tells it.
pub(super) fn enclosed(name: &str, ts_ms: i64, line: &str) -> String {
    format!("{{\"type\":\"{name}\",\"timestamp\":\"{}\",\"data\":{line}}}", iso(ts_ms))
}

/// A moment as ISO 8601 has it, in UTC.
pub(super) fn iso(ts_ms: i64) -> String {
    let (whole_s, ms) = (ts_ms.div_euclid(1_000), ts_ms.rem_euclid(1_000));
    // Out of chrono's range (the year 262,142) there is no time to name.
    let time = DateTime::from_timestamp(whole_s, 0).unwrap_or_default();
    format!("{:?}.{ms:03}Z", time.naive_utc())
}

/// `webhook-signature` of a body that is posted now (`timestamp_s`, Unix seconds, stands in `webhook-timestamp`).
#[must_use]
pub fn signature(secret: &[u8], id: &str, timestamp_s: i64, body: &str) -> String {
    let mac = keyed(secret).chain_update(format!("{id}.{timestamp_s}.{body}")).finalize().into_bytes();
    format!("v1,{}", base64::encode(&mac))
}

/// The headers of a request, as names and values.
#[must_use]
pub const fn headers<'a>(id: &'a str, timestamp: &'a str, signature: &'a str) -> [[&'a str; 2]; 4] {
    [
        ["content-type", "application/json"],
        ["webhook-id", id],
        ["webhook-timestamp", timestamp],
        ["webhook-signature", signature],
    ]
}

/// How long a message of that age waits after a try that failed, seconds; `None` leaves it to the queue's own first
/// pause. A pause as long as the age makes every try's age twice the one before, with no count of tries.
#[must_use]
pub fn pause_s(age_ms: i64) -> Option<u32> {
    let seconds = age_ms / 1_000;
    (seconds >= FIRST_PAUSE_S)
        .then(|| u32::try_from(seconds).map_or(MAX_PAUSE_S, |seconds| seconds.min(MAX_PAUSE_S)))
}

/// The consumer's line for an act that its receiver took.
#[must_use]
pub fn sent(id: &str, status: u16) -> String {
    posted("webhook.sent", id, None, Some(status))
}

/// The consumer's line for one that it did not take, and that is tried again.
#[must_use]
pub fn unsent(id: &str, reason: &str, status: Option<u16>) -> String {
    posted("webhook.unsent", id, Some(reason), status)
}

fn posted(event: &str, id: &str, reason: Option<&str>, status: Option<u16>) -> String {
    let mut line = Fields::of_event(event);
    line.text("id", Some(id));
    line.known_text("reason", reason);
    if status.is_some() {
        line.integer("status", status.map(i64::from));
    }
    line.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;
    use crate::verdict::{Finding, Ruleset};

    fn act() -> (Record, Verdict) {
        let record = Record {
            event_id: "019a0000-0000-7000-8000-000000000000".to_owned(),
            message_id: "spring".to_owned(),
            recipient_id: "r1".to_owned(),
            link_id: Some("stop".to_owned()),
            kind: Kind::Unsubscribe,
            ts_ms: 1_795_354_496_007,
            method: "POST".to_owned(),
            ..Record::default()
        };
        (record, Verdict::new(Finding::not_a_click(), Ruleset::Full, 1))
    }

    /// Frozen: receivers read it.
    #[test]
    fn the_body_is_frozen() {
        let (record, verdict) = act();
        let body = body(&record, &verdict);
        let (head, tail) = body.split_at(body.find("\"message_id\"").unwrap());
        assert_eq!(
            head,
            "{\"type\":\"unsubscribe\",\"timestamp\":\"2026-11-22T13:34:56.007Z\",\"data\":{\"event\":\"unsubscribe\",\
             \"event_id\":\"019a0000-0000-7000-8000-000000000000\","
        );
        assert!(tail.contains("\"method\":\"POST\"") && tail.contains("\"click_type\":null"), "{tail}");
        assert!(tail.ends_with("}}"));
    }

    /// Computed with another implementation: `createHmac("sha256", secret)` of Node.
    #[test]
    fn the_signature_is_standard_webhooks() {
        let secret = b"0123456789abcdef0123456789abcdef";
        assert_eq!(
            signature(
                secret,
                "019a0000-0000-7000-8000-000000000000",
                1_795_354_500,
                "{\"type\":\"unsubscribe\"}"
            ),
            "v1,zWH27X1DpgbLj8CockNpkMYltOQ84dv26bYIeGKW/zY="
        );
    }

    #[test]
    fn times_are_iso_8601() {
        assert_eq!(iso(1_795_354_496_000), "2026-11-22T13:34:56.000Z");
        assert_eq!(iso(7), "1970-01-01T00:00:00.007Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let (mut age_ms, mut pauses) = (500, Vec::new());
        for _ in 0..16 {
            let pause = pause_s(age_ms);
            pauses.push(pause);
            age_ms += i64::from(pause.unwrap_or(5)) * 1_000;
        }
        let expected = [0, 5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600];
        assert_eq!(pauses[0], None);
        assert_eq!(pauses[1..13], expected[1..].iter().map(|s| Some(*s)).collect::<Vec<_>>());
        assert_eq!(pause_s(-1), None, "a clock that is behind");
    }

    #[test]
    fn the_log_tells_status_and_reason_alone() {
        assert_eq!(sent("x", 204), r#"{"event":"webhook.sent","id":"x","status":204}"#);
        assert_eq!(
            unsent("x", "refused", Some(500)),
            r#"{"event":"webhook.unsent","id":"x","reason":"refused","status":500}"#
        );
        assert_eq!(unsent("x", "timeout", None), r#"{"event":"webhook.unsent","id":"x","reason":"timeout"}"#);
    }
}
