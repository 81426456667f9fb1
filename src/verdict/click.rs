//! The little of a click that rules look at: small enough to keep in memory while windows are open.

use std::rc::Rc;

use super::Key;
use crate::record::Kind;
use crate::record::{Delivery, Record, Verified};
use crate::signals::Signals;

/// One click as the rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Click {
    /// The click's own id; the second part of the order.
    pub event_id: Rc<str>,
    /// When the edge saw it, Unix milliseconds; the first part of the order.
    pub ts_ms: i64,
    /// The delivery where it is known, else the send, Unix milliseconds.
    pub clock_ms: i64,
    /// Who.
    pub recipient: Key,
    /// Which link of the message: `link_id`, or `url` where that is absent.
    pub link: Key,
    /// Where it leads: `url`, or `link_id` where that is absent.
    pub url: Key,
    /// Tracked links in the copy, where known.
    pub links_total: Option<u32>,
    /// What kind of link it is: only clicks on links that lead somewhere have windows.
    pub kind: Kind,
    /// What the request showed by itself.
    pub signals: Signals,
    /// What the landing page showed.
    pub verified: Verified,
    /// What is known of the mail's delivery.
    pub delivery: Delivery,
    /// The mail came back, and no later try went through.
    pub bounced: bool,
}

impl Click {
    /// The click of a record. What is known of its delivery from elsewhere wins over the record's own.
    #[must_use]
    pub fn of(record: &Record, known: Delivery) -> Self {
        let delivery = known.or(record.delivery());
        Self {
            event_id: record.event_id.as_str().into(),
            ts_ms: record.ts_ms,
            clock_ms: delivery.delivered_at_ms.unwrap_or(record.sent_at_ms),
            recipient: Key::of(&record.recipient_id),
            link: Key::of(record.link()),
            url: Key::of(record.destination()),
            links_total: record.links_total.and_then(|total| u32::try_from(total).ok()),
            kind: record.kind,
            signals: Signals::of(record),
            verified: record.verified,
            delivery,
            bounced: delivery.is_bounced(),
        }
    }

    /// Takes in what was told of its mail's delivery later.
    pub fn learn(&mut self, told: Delivery) {
        self.delivery = told.or(self.delivery);
        self.clock_ms = self.delivery.delivered_at_ms.unwrap_or(self.clock_ms);
        self.bounced = self.delivery.is_bounced();
    }

    /// Milliseconds since the clock; a click before it (clock skew) counts as 0.
    #[must_use]
    pub const fn delta_ms(&self) -> i64 {
        let delta = self.ts_ms.saturating_sub(self.clock_ms);
        if delta < 0 { 0 } else { delta }
    }

    /// Whether it came before the mail was delivered, as far as that is known.
    #[must_use]
    pub fn is_before_delivery(&self) -> bool {
        self.delivery.delivered_at_ms.is_some_and(|delivered_ms| self.ts_ms < delivered_ms)
    }

    /// Whether it takes part in the sweep of its copy: a link that was followed, or a link that acts, whether its page was
    /// looked at or its button pressed. What a mail provider asks for is nobody's there, nor is an export's act: the press
    /// may stand in it as a click as well.
    #[must_use]
    pub fn sweeps(&self) -> bool {
        let is_visit = !self.signals.has_acted || self.signals.knows_headers && !self.signals.is_one_click;
        self.kind == Kind::Click || self.kind.acts() && is_visit
    }

    /// Whether somebody touched the landing page.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.verified == Verified::Interacted
    }

    /// Whether a person is proven: by a touch on the landing page, or by what the request brought back.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        self.is_touched() || self.signals.is_proof()
    }

    /// The order of a message's clicks: by time, then by id.
    #[must_use]
    pub fn order(&self) -> (i64, &str) {
        (self.ts_ms, &self.event_id)
    }
}
