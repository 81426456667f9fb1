//! What an operator should look at, as events: what a pack shows of its message, and what the Worker cannot get rid of.
//!
//! Of one message and one thing there is one alert an hour: its id and its time are the hour's, so whoever remembers ids sees it
//! once, and its object in the bucket is written over.

use sha2::{Digest, Sha256};

use super::facts::Facts;
use super::feed::Post;
use crate::event::parcel;
use crate::event::webhook::enclosed;
use crate::event::writer::Fields;
use crate::record::EventId;
use crate::verdict::ClickType;

const HOUR_MS: i64 = 3_600_000;

/// A sink or a webhook that has not taken something for so long is told of, milliseconds.
pub const STALLED_MS: i64 = 15 * 60_000;

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A late crawl.
    LateCrawl,
    /// A campaign burst.
    CampaignBurst,
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
            Self::LateCrawl => (
                "late_crawl",
                "warning",
                "Microsoft opened links long after the send. Run a placement test before the next one.",
            ),
            Self::CampaignBurst => (
                "campaign_burst",
                "warning",
                "Microsoft fetched a link for many recipients at once. Watch for blocks.",
            ),
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
    /// Why.
    pub code: Code,
    /// The message that it is about; the Worker itself without one.
    pub message_id: Option<String>,
    /// The beginning of its hour, Unix milliseconds.
    ts_ms: i64,
}

impl Alert {
    /// The alert of something that happened at that time.
    #[must_use]
    pub fn new(code: Code, message_id: Option<&str>, at_ms: i64) -> Self {
        let ts_ms = at_ms.div_euclid(HOUR_MS) * HOUR_MS;
        Self { code, message_id: message_id.map(str::to_owned), ts_ms }
    }

    /// What a pack's events show. A verdict that says again what the revision before said is no news.
    pub fn of_pack(events: &[(&str, Facts)], each: &mut dyn FnMut(Self)) {
        for (_, facts) in events.iter().filter(|(_, facts)| facts.click_type != facts.previous) {
            let code = match facts.click_type {
                Some(ClickType::ScannerAirOrMbi) => Code::LateCrawl,
                Some(ClickType::ScannerCampaignView) => Code::CampaignBurst,
                _ => continue,
            };
            each(Self::new(code, Some(&facts.message_id), facts.ts_ms));
        }
    }

    fn event_id(&self) -> EventId {
        let (name, ..) = self.code.words();
        let about = format!("{name} {}", self.message_id.as_deref().unwrap_or_default());
        let digest = Sha256::digest(about.as_bytes());
        EventId::of_digest(self.ts_ms, digest.first_chunk().copied().unwrap_or_default())
    }

    /// Its line, as it is shipped.
    #[must_use]
    pub fn line(&self) -> String {
        let (code, severity, text) = self.code.words();
        let mut line = Fields::of_event("alert");
        line.text("event_id", Some(&self.event_id().to_string()));
        line.integer("revision", Some(1));
        line.integer("ts_ms", Some(self.ts_ms));
        line.text("message_id", self.message_id.as_deref());
        line.text("code", Some(code));
        line.text("severity", Some(severity));
        line.text("text", Some(text));
        line.end()
    }

    /// The key of its object in the bucket.
    #[must_use]
    pub fn key(&self) -> String {
        parcel::key(&format!("alert {}", self.event_id()), 0, 0, self.ts_ms)
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

    /// Frozen: receivers know it by its id.
    #[test]
    fn an_alert_is_the_hours() {
        let at = |ts_ms| Alert::new(Code::LateCrawl, Some("abc"), ts_ms);
        let alert = at(1_795_354_496_007);
        assert_eq!(alert, at(1_795_354_499_999));
        assert_ne!(alert.post().id, at(1_795_354_496_007 + HOUR_MS).post().id);
        assert_ne!(alert.post().id, Alert::new(Code::LateCrawl, Some("abd"), 1_795_354_496_007).post().id);
        let line = alert.line();
        let event_id = "01a20357-9080-75c1-9800-d9e2fed0b744";
        let begins =
            format!(r#"{{"event":"alert","event_id":"{event_id}","revision":1,"ts_ms":1795352400000,"#);
        assert!(line.starts_with(&begins), "{line}");
        assert!(alert.key().starts_with("events/dt=2026-11-22/hh=13/"), "{}", alert.key());
        let Post { id, body } = alert.post();
        assert_eq!(id, format!("{}.1", alert.event_id()));
        assert_eq!(
            body,
            format!(r#"{{"type":"alert.raised","timestamp":"2026-11-22T13:00:00.000Z","data":{line}}}"#)
        );
    }

    #[test]
    fn a_pack_tells_of_crawls_and_bursts_and_not_again_of_what_was_told() {
        let facts = |click_type, previous| Facts {
            message_id: "m".to_owned(),
            click_type: Some(click_type),
            previous,
            ..Facts::default()
        };
        let (late, burst) = (ClickType::ScannerAirOrMbi, ClickType::ScannerCampaignView);
        let events = [
            facts(ClickType::Human, None),
            facts(late, Some(ClickType::Human)),
            facts(late, None),
            facts(burst, Some(burst)),
        ];
        let mut alerts = Vec::new();
        Alert::of_pack(&events.map(|facts| ("", facts)), &mut |alert| alerts.push(alert));
        assert_eq!(
            alerts,
            [Alert::new(Code::LateCrawl, Some("m"), 0), Alert::new(Code::LateCrawl, Some("m"), 0)]
        );
    }
}
