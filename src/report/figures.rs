//! What a report says, in the contract's names (§8): plain numbers, and how they are written.

use serde::{Serialize, Serializer};

use super::counts::{ByName, ByType, Counts};
use super::finding::Diagnosis;
use crate::verdict::{ClickType, delay};

/// The report of a message (contract §8).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The message.
    pub message_id: String,
    /// What its sender calls it.
    pub title: Option<String>,
    /// To how many recipients it was sent, as its sender tells.
    pub sent: Option<i64>,
    /// Whether there is such a message: something was clicked, or its sender has told of it.
    pub known: bool,
    /// When the first event came, Unix milliseconds.
    pub first_ms: Option<i64>,
    /// When the last one came, Unix milliseconds.
    pub last_ms: Option<i64>,
    /// From when on its clicks are known, Unix milliseconds, where there may have been earlier ones: what is older than
    /// `RETENTION_DAYS` is dropped. `None` where all are known.
    pub known_from_ms: Option<i64>,
    /// Clicks stored.
    pub clicks: i64,
    /// Clicks of each type, those without any included.
    pub by_type: ByType,
    /// Clicks that people made.
    pub human_clicks: i64,
    /// Distinct recipients with such a click.
    pub human_recipients: i64,
    /// Distinct recipients with any click.
    pub recipients: i64,
    /// Those of them with machines' clicks alone: whom a naive tracker takes for readers.
    pub machine_only_recipients: i64,
    /// Those with a click that Safe Links checked as it was made: they are on Microsoft 365.
    pub safe_links_recipients: i64,
    /// Clicks of the published table's five scanner types.
    pub is_defender_bot: i64,
    /// Clicks whose verdict is still provisional.
    pub unsettled: i64,
    /// What storage holds of the message and nobody can read: verdicts, each of a click that may be in no count, and other rows. 0
    /// unless storage is damaged, or a later version wrote there.
    pub unreadable: i64,
    /// Clicks counted and not stored.
    pub repeats: i64,
    /// Shares, where what they are shares of is known.
    pub rates: Rates,
    /// Clicks by whose scanner made them, in the order of the names.
    pub by_vendor: ByName,
    /// Clicks by how sure the verdict is.
    pub by_confidence: ByName,
    /// By the parts of the list that the sender names.
    pub by_group: Groups,
    /// By link, the most clicked first.
    pub links: Vec<LinkCount>,
    /// By minute, those without a click left out.
    pub timeline: Vec<Minute>,
    /// By the time since the mail was delivered, else sent: 24 steps that grow. By the clock of the verdict that stands.
    pub delay: Vec<Delay>,
    /// Opens.
    pub opens: Opens,
    /// Unsubscriptions and confirmations.
    pub acts: Acts,
    /// Clicks whose landing page has answered.
    pub verified: Verifieds,
    /// What to do next.
    pub diagnosis: Vec<Diagnosis>,
    /// Where the shadow ruleset differs, once it has judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Difference>,
}

/// What a list of messages says of one.
#[derive(Debug, PartialEq, Serialize)]
pub struct Summary<'a> {
    message_id: &'a str,
    title: Option<&'a str>,
    sent: Option<i64>,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    clicks: i64,
    human_clicks: i64,
    recipients: i64,
    human_recipients: i64,
    rates: Rates,
}

impl Report {
    /// What a list of messages says of it.
    #[must_use]
    pub fn summary(&self) -> Summary<'_> {
        Summary {
            message_id: &self.message_id,
            title: self.title.as_deref(),
            sent: self.sent,
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            clicks: self.clicks,
            human_clicks: self.human_clicks,
            recipients: self.recipients,
            human_recipients: self.human_recipients,
            rates: self.rates,
        }
    }
}

/// Shares of a message's clicks and recipients, from 0 on; `None` where what they are shares of is not known, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rates {
    /// Clicks by recipients sent to: the click rate as a naive tracker reports it. May exceed 1.
    pub clicks_per_sent: Option<f64>,
    /// Recipients of whom a person clicked, by recipients sent to: the click rate.
    pub human_recipients_per_sent: Option<f64>,
    /// The share of clicks that machines made.
    pub machine_share: Option<f64>,
}

impl Rates {
    pub(super) fn of(clicks: i64, human_clicks: i64, human_recipients: i64, sent: Option<i64>) -> Self {
        let of_sent = |count: i64| sent.and_then(|sent| share(count, sent));
        Self {
            clicks_per_sent: of_sent(clicks),
            human_recipients_per_sent: of_sent(human_recipients),
            machine_share: share(clicks - human_clicks, clicks),
        }
    }
}

/// One number by another, to six decimal places; `None` by nothing.
#[expect(clippy::cast_precision_loss, reason = "a share needs six digits")]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1e6).round() / 1e6)
}

/// Parts of the list by name, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups(pub Vec<(String, Group)>);

impl Serialize for Groups {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, group)| (name.as_str(), group)))
    }
}

/// A part of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// To how many of it the message was sent, as its sender tells.
    pub sent: Option<i64>,
    /// Its clicks.
    pub clicks: i64,
    /// Those that people made.
    pub human_clicks: i64,
    /// Distinct recipients with such a click.
    pub human_recipients: i64,
    /// Its clicks by type; types without one are left out.
    pub by_type: ByType,
}

/// A step of the time since the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delay {
    /// Where it begins, seconds since the clock.
    pub from_s: i64,
    /// Where it ends (and the next begins); the last has no end.
    pub until_s: Option<i64>,
    /// Clicks by type; types without one are left out.
    pub by_type: ByType,
}

impl Delay {
    pub(super) fn all(counts: &[Counts; delay::STEPS]) -> Vec<Self> {
        let end = |at: usize| delay::ENDS_S.get(at).copied();
        let begin = |at: usize| at.checked_sub(1).and_then(end).unwrap_or(0);
        let one = |(at, counts)| Self { from_s: begin(at), until_s: end(at), by_type: ByType::some(counts) };
        counts.iter().enumerate().map(one).collect()
    }
}

/// Opens: what fetched the pixel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Opens {
    /// All of them.
    pub total: i64,
    /// By type: a mail provider's proxy says nothing of a person.
    pub by_type: ByType,
}

/// Unsubscriptions and confirmations: how often somebody acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Acts {
    /// Unsubscriptions.
    pub unsubscribe: i64,
    /// Confirmations.
    pub confirm: i64,
    /// Those among them that machines made.
    pub machines: i64,
}

/// Clicks whose landing page has answered, by the most that it showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verifieds {
    /// It was rendered, and no more.
    pub rendered: i64,
    /// A person touched it.
    pub interacted: i64,
}

/// What would change if the shadow ruleset were the active one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The shadow ruleset that judged last.
    pub ruleset: String,
    /// Clicks that both rulesets have judged.
    pub clicks: i64,
    /// Those to which they give different types.
    pub differ: i64,
    /// People's by the active ruleset that the shadow calls scanners'.
    pub human_to_scanner: i64,
    /// Scanners' by the active ruleset that the shadow calls people's.
    pub scanner_to_human: i64,
    /// Every change of type, in the order of the types.
    pub changes: Vec<Change>,
}

/// Clicks that change from one type to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What the active ruleset says.
    pub active: &'static str,
    /// What the shadow says.
    pub shadow: &'static str,
    /// How many.
    pub clicks: i64,
}

/// Clicks of one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkCount {
    /// The link.
    pub link_id: Option<String>,
    /// Where it leads: the first URL seen, where they differ by recipient.
    pub url: Option<String>,
    /// Clicks stored.
    pub clicks: i64,
    /// Clicks that people made.
    pub human_clicks: i64,
    /// Distinct recipients with such a click.
    pub human_recipients: i64,
}

/// Clicks of one minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// Its beginning, Unix milliseconds.
    pub ts_ms: i64,
    /// Clicks by type; types without one are left out.
    pub by_type: ByType,
}

impl Difference {
    pub(super) fn of(ruleset: String, opinions: &[Counts; ClickType::COUNT]) -> Option<Self> {
        let (mut clicks, mut differ, mut human_to_scanner, mut scanner_to_human) = (0, 0, 0, 0);
        let mut changes = Vec::new();
        for active in ClickType::CLICKS {
            for shadow in ClickType::CLICKS {
                let count = opinions[active as usize][shadow as usize];
                clicks += count;
                if active == shadow || count == 0 {
                    continue;
                }
                differ += count;
                human_to_scanner += if active == ClickType::Human { count } else { 0 };
                scanner_to_human += if shadow == ClickType::Human { count } else { 0 };
                changes.push(Change { active: active.name(), shadow: shadow.name(), clicks: count });
            }
        }
        (clicks > 0).then_some(Self { ruleset, clicks, differ, human_to_scanner, scanner_to_human, changes })
    }
}
