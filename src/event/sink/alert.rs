//! What an operator should look at, as events: what a message's report warns of, and what the Worker cannot get rid of.
//!
//! Of one message and one thing there is one alert, of the Worker's own troubles one an hour: its id and the key of its object go by
//! the message's first click, or by the hour. So the bucket knows what was told.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::facts::Facts;
use super::feed::Post;
use crate::event::parcel;
use crate::event::webhook::enclosed;
use crate::event::writer::Fields;
use crate::json::Json;
use crate::record::EventId;
use crate::verdict::ClickType;

const HOUR_MS: i64 = 3_600_000;

/// A sink or a webhook that has not taken something for so long is told of, milliseconds.
pub const STALLED_MS: i64 = 15 * 60_000;

/// What of the Worker itself somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Packs cannot be written to the bucket.
    PacksUnwritten,
    /// An act has not reached its webhook.
    ActsUnsent,
    /// A sink does not take its feed.
    FeedsUnsent,
    /// The dead-letter queue has something.
    DeadLetters,
}

impl Code {
    /// Its stable name, how much it matters, and what was seen and what to do.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::PacksUnwritten => {
                ("packs_unwritten", "critical", "The bucket takes no events. Look at ARCHIVE.")
            }
            Self::ActsUnsent => {
                ("acts_unsent", "critical", "UNSUBSCRIBE_WEBHOOK_URL takes no acts. Look at its receiver.")
            }
            Self::FeedsUnsent => (
                "feeds_unsent",
                "warning",
                "A sink takes no events. Look at its receiver, and at feed.unsent in the log.",
            ),
            Self::DeadLetters => (
                "dead_letters",
                "critical",
                "The dead-letter queue has events or acts. Look at what takes none, within four days.",
            ),
        }
    }
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its stable name.
    pub code: Cow<'static, str>,
    severity: Cow<'static, str>,
    text: Cow<'static, str>,
    /// The message that it is about; the Worker itself without one.
    message_id: Option<String>,
    /// What its id goes by, Unix milliseconds: the message's first click, or its hour.
    since_ms: i64,
    /// When it was seen, Unix milliseconds.
    ts_ms: i64,
}

impl Alert {
    /// One about the Worker itself.
    #[must_use]
    pub fn own(code: Code, now_ms: i64) -> Self {
        let (code, severity, text) = code.words();
        let [code, severity, text] = [code, severity, text].map(Cow::Borrowed);
        let since_ms = now_ms.div_euclid(HOUR_MS) * HOUR_MS;
        Self { code, severity, text, message_id: None, since_ms, ts_ms: since_ms }
    }

    /// Those of a message, by its report in JSON: what is more than good to know.
    pub fn of_report(report: &str, now_ms: i64, each: &mut dyn FnMut(Self)) {
        let report = Json::parse(report).unwrap_or(Json::Null);
        let message_id = report.get("message_id").text();
        for finding in report.get("diagnosis").list().unwrap_or_default() {
            let [code, severity, text] =
                ["code", "severity", "text"].map(|name| finding.get(name).text().unwrap_or_default());
            if severity != "info" {
                let [code, severity, text] = [code, severity, text].map(|text| Cow::Owned(text.to_owned()));
                let since_ms = report.get("first_ms").integer().unwrap_or_default();
                each(Self {
                    code,
                    severity,
                    text,
                    message_id: message_id.map(str::to_owned),
                    since_ms,
                    ts_ms: now_ms,
                });
            }
        }
    }

    /// The message that a pack brings news of which its report may warn of: clicks that no person made. A verdict that says again
    /// what the revision before said is no news.
    #[must_use]
    pub fn worth_a_look<'a>(events: &'a [(&str, Facts)]) -> Option<&'a str> {
        let is_news =
            |facts: &Facts| facts.click_type != facts.previous && facts.click_type != Some(ClickType::Human);
        let mut clicks = events.iter().filter(|(_, facts)| facts.event == "click");
        clicks.find(|(_, facts)| is_news(facts)).map(|(_, facts)| facts.message_id.as_str())
    }

    /// Its id, the same of whoever sees it.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        let about = format!("{} {}", self.code, self.message_id.as_deref().unwrap_or_default());
        let digest = Sha256::digest(about.as_bytes());
        EventId::of_digest(self.since_ms, digest.first_chunk().copied().unwrap_or_default())
    }

    /// Its line, as it is shipped.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = Fields::of_event("alert");
        line.text("event_id", Some(&self.event_id().to_string()));
        line.integer("revision", Some(1));
        line.integer("ts_ms", Some(self.ts_ms));
        line.text("message_id", self.message_id.as_deref());
        line.text("code", Some(&self.code));
        line.text("severity", Some(&self.severity));
        line.text("text", Some(&self.text));
        line.end()
    }

    /// The key of its object in the bucket.
    #[must_use]
    pub fn key(&self) -> String {
        parcel::key(&format!("alert {}", self.event_id()), 0, 0, self.since_ms)
    }

    /// Its webhook.
    #[must_use]
    pub fn post(&self) -> Post {
        let body = enclosed("alert.raised", self.ts_ms, &self.line());
        Post { id: format!("{}.1", self.event_id()), body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"message_id":"abc","first_ms":1795354496007,"diagnosis":[
        {"code":"air_or_mbi","severity":"critical","text":"Crawled."},
        {"code":"gateway","severity":"info","text":"Good to know."},
        {"code":"machine_share","severity":"warning","text":"More."}]}"#;

    fn of_report(report: &str, now_ms: i64) -> Vec<Alert> {
        let mut alerts = Vec::new();
        Alert::of_report(report, now_ms, &mut |alert| alerts.push(alert));
        alerts
    }

    /// Frozen: receivers know it by its id, the bucket by its key.
    #[test]
    fn an_alert_of_a_message_is_one_whenever_it_is_seen() {
        let (first, later) = (of_report(REPORT, 1_795_400_000_000), of_report(REPORT, 1_795_500_000_000));
        let codes: Vec<_> = first.iter().map(|alert| (&*alert.code, &*alert.severity)).collect();
        assert_eq!(codes, [("air_or_mbi", "critical"), ("machine_share", "warning")]);
        assert_eq!(first[0].event_id().to_string(), "01a20377-8c07-7691-8ec1-a758400119d3");
        assert!(first[0].key().starts_with("events/dt=2026-11-22/hh=13/"), "{}", first[0].key());
        for (alert, again) in first.iter().zip(&later) {
            assert_eq!((alert.event_id(), alert.key()), (again.event_id(), again.key()));
        }
        assert_ne!(first[0].event_id(), first[1].event_id());
        let other = of_report(&REPORT.replace("abc", "abd"), 1_795_400_000_000);
        assert_ne!(first[0].event_id(), other[0].event_id());
        let Post { id, body } = first[1].post();
        assert_eq!(id, format!("{}.1", first[1].event_id()));
        let line = format!(
            "{{\"event\":\"alert\",\"event_id\":\"{}\",\"revision\":1,\"ts_ms\":1795400000000,\"message_id\":\"abc\",\
             \"code\":\"machine_share\",\"severity\":\"warning\",\"text\":\"More.\"}}",
            first[1].event_id()
        );
        assert_eq!(first[1].line(), line);
        let about = r#""type":"alert.raised","timestamp":"2026-11-23T02:13:20.000Z""#;
        assert_eq!(body, format!("{{{about},\"data\":{line}}}"));
        for nothing in ["", "{}", r#"{"diagnosis":[]}"#] {
            assert_eq!(of_report(nothing, 0), []);
        }
    }

    #[test]
    fn an_alert_of_the_worker_itself_is_the_hours() {
        let at = |now_ms| Alert::own(Code::DeadLetters, now_ms);
        let alert = at(1_795_354_496_007);
        assert_eq!(alert, at(1_795_354_499_999));
        assert_ne!(alert.event_id(), at(1_795_354_496_007 + HOUR_MS).event_id());
        assert_ne!(alert.event_id(), Alert::own(Code::ActsUnsent, 1_795_354_496_007).event_id());
        assert!(alert.line().contains(r#""ts_ms":1795352400000,"message_id":null,"code":"dead_letters""#));
    }

    #[test]
    fn a_pack_is_worth_a_look_for_machines_clicks_and_not_again_for_what_was_told() {
        let late = Some(ClickType::ScannerAirOrMbi);
        for (event, click_type, previous, expected) in [
            ("click", Some(ClickType::Human), None, None),
            ("click", late, None, Some("m")),
            ("click", late, Some(ClickType::Human), Some("m")),
            ("click", late, late, None),
            ("click", Some(ClickType::Human), late, None),
            ("open", Some(ClickType::ProxyOpen), None, None),
        ] {
            let (event, message_id) = (event.to_owned(), "m".to_owned());
            let events = [("", Facts { event, message_id, click_type, previous, ..Facts::default() })];
            assert_eq!(Alert::worth_a_look(&events), expected, "{events:?}");
        }
    }
}
