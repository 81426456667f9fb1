//! What an export tells of, whoever wrote it, and the words that providers have for it.

use clickproof::record::Kind;
use serde_json::Value;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Somebody asked for a tracked link or the open pixel: a record.
    Request(Kind),
    /// The provider took the mail.
    Sent,
    /// The recipient's server took it.
    Delivered,
    /// It came back, or was refused for good.
    Bounced,
}

impl What {
    /// What a provider's or a table's word for an event means, whatever its case; nothing where records know no such event.
    pub(super) fn named(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace([' ', '-', '.'], "_");
        let word = word.strip_prefix("email_").unwrap_or(&word);
        Some(match word {
            "click" | "clicks" | "clicked" | "amp_click" => Self::Request(Kind::Click),
            "open" | "opens" | "opened" | "initial_open" | "amp_open" | "amp_initial_open" => {
                Self::Request(Kind::Open)
            }
            "unsubscribe" | "unsubscribed" | "group_unsubscribe" | "list_unsubscribe"
            | "link_unsubscribe" => Self::Request(Kind::Unsubscribe),
            "confirm" => Self::Request(Kind::Confirm),
            "processed" | "accepted" | "send" | "sent" | "injection" => Self::Sent,
            "delivered" | "delivery" => Self::Delivered,
            "bounce" | "bounced" | "failed" | "out_of_band" => Self::Bounced,
            _ => return None,
        })
    }
}

/// When a copy of the mail was sent and what became of it, Unix milliseconds, where known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) sent: Option<i64>,
    pub(super) delivered: Option<i64>,
    pub(super) bounced: Option<i64>,
}

impl Times {
    /// These where they are known, else the others.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            sent: self.sent.or(other.sent),
            delivered: self.delivered.or(other.delivered),
            bounced: self.bounced.or(other.bounced),
        }
    }

    /// Takes in what an event says; of several that say the same the first in time counts.
    pub(super) fn learn(&mut self, what: What, ts_ms: i64) {
        let time = match what {
            What::Request(_) => return,
            What::Sent => &mut self.sent,
            What::Delivered => &mut self.delivered,
            What::Bounced => &mut self.bounced,
        };
        *time = Some(time.map_or(ts_ms, |known| known.min(ts_ms)));
    }
}

/// One event.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) what: What,
    /// When, Unix milliseconds.
    pub(super) ts_ms: i64,
    /// To whom the mail went: an address, or already a name for one.
    pub(super) recipient: String,
    /// What its events call this recipient's copy of the mail.
    pub(super) copy: Option<String>,
    /// The campaign.
    pub(super) campaign: Option<String>,
    /// What may stand for the campaign where none is named.
    pub(super) mail: Option<String>,
    /// The event's own id.
    pub(super) id: Option<String>,
    /// What the event itself says of the mail's times.
    pub(super) times: Times,
    /// Further fields of the record, in their order.
    pub(super) fields: Vec<(&'static str, Value)>,
}

/// What was found in an item of an export.
#[derive(Debug)]
pub(super) enum Found {
    /// An event.
    Event(Box<Event>),
    /// An event that records know nothing of, by its name.
    Other(String),
}
