//! What shipped events tell of each click: where it came from, and what it was found to be. Of several revisions of an event
//! the highest counts, and what a landing page showed counts whenever it was told.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use clickproof::record::{CookieState, Kind, Record, Verified};
use clickproof::signals::Signals;
use clickproof::signals::catalogue::{Class, parse_ip};
use clickproof::verdict::Key;
use serde::Deserialize;

/// The rules that look at what requests do. The others know a network or an agent by name, so what they find teaches nothing.
pub(super) const BEHAVIOUR: [&str; 8] =
    ["safe_attachments", "campaign_view", "sweep", "fanout", "headless", "repeat", "no_agent", "bounced"];

/// What a click was found to be, as far as it speaks of its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Was {
    /// A scanner's, by what it did: the rule's place in [`BEHAVIOUR`].
    Convicted(usize),
    /// Nothing was found, so a person's.
    Human,
    /// A scanner's by something else.
    Other,
}

/// A click.
pub(super) struct Seen {
    pub(super) message: u32,
    pub(super) recipient: Key,
    pub(super) ts_ms: i64,
    pub(super) address: IpAddr,
    pub(super) asn: Option<u32>,
    /// A number that [`History::agent`] knows.
    pub(super) agent: Option<u32>,
    pub(super) was: Was,
    pub(super) cookie: Option<CookieState>,
    pub(super) visitor: Option<Key>,
    pub(super) verified: Verified,
    /// Machines are rented there.
    pub(super) is_rented: bool,
    revision: u32,
}

/// All clicks that can teach something.
#[derive(Default)]
pub(super) struct History {
    clicks: HashMap<Key, Option<Seen>>,
    pages: HashMap<Key, Verified>,
    messages: Names,
    agents: Names,
    /// The time of the newest event, Unix milliseconds.
    pub(super) newest_ms: Option<i64>,
}

/// Texts, each kept once.
#[derive(Default)]
struct Names {
    places: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    fn place(&mut self, text: &str) -> u32 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.places.insert(text.to_owned(), place);
        self.texts.push(text.to_owned());
        place
    }

    fn text(&self, place: u32) -> &str {
        usize::try_from(place).ok().and_then(|place| self.texts.get(place)).map_or("", String::as_str)
    }
}

/// What an event says beside its record.
#[derive(Deserialize)]
struct Said<'a> {
    event: Option<&'a str>,
    rule: Option<String>,
    click_type: Option<String>,
    revision: Option<u32>,
}

/// What a landing page showed of a click.
#[derive(Deserialize)]
struct Shown {
    click_event_id: String,
    verified: String,
}

impl History {
    /// Takes in a line.
    pub(super) fn take(&mut self, line: &str) -> Result<(), String> {
        let said: Said = serde_json::from_str(line).map_err(|error| {
            // The line has a number of its own already.
            format!("not an event: {}", error.to_string().replace(" at line 1 column ", " at byte "))
        })?;
        match said.event {
            Some("verify") => return self.take_page(line),
            None | Some("click") => {}
            // Opens and acts say nothing of who follows links, other lines nothing of anybody.
            Some(_) => return Ok(()),
        }
        let record = Record::parse(line)?;
        if record.kind != Kind::Click {
            return Ok(());
        }
        let Some(rule) = said.rule else {
            return Err("rule: missing; these are records without verdicts: `clickproof classify --with-record` adds them"
                .to_owned());
        };
        self.newest_ms = self.newest_ms.max(Some(record.ts_ms));
        let key = Key::of(&record.event_id);
        let revision = said.revision.unwrap_or(1);
        let was = match BEHAVIOUR.iter().position(|known| *known == rule) {
            Some(at) => Was::Convicted(at),
            None if said.click_type.as_deref() == Some("human") => Was::Human,
            None => Was::Other,
        };
        match self.clicks.entry(key) {
            Entry::Occupied(mut known) => {
                if let Some(seen) = known.get_mut() {
                    seen.verified = seen.verified.max(record.verified);
                    if revision >= seen.revision {
                        (seen.was, seen.revision) = (was, revision);
                    }
                }
            }
            Entry::Vacant(new) => {
                new.insert(seen(&record, was, revision, &mut self.messages, &mut self.agents));
            }
        }
        Ok(())
    }

    fn take_page(&mut self, line: &str) -> Result<(), String> {
        let shown: Shown =
            serde_json::from_str(line).map_err(|error| format!("not what a landing page showed: {error}"))?;
        let verified =
            Verified::named(&shown.verified).ok_or_else(|| format!("verified: {}", Verified::MUST_BE))?;
        let known = self.pages.entry(Key::of(&shown.click_event_id)).or_default();
        *known = (*known).max(verified);
        Ok(())
    }

    /// The agent of that number.
    pub(super) fn agent(&self, place: u32) -> &str {
        self.agents.text(place)
    }

    /// All is read: what landing pages showed goes to their clicks.
    pub(super) fn finish(&mut self) {
        for (key, verified) in self.pages.drain() {
            if let Some(Some(seen)) = self.clicks.get_mut(&key) {
                seen.verified = seen.verified.max(verified);
            }
        }
    }

    /// The clicks from networks of which the lists say nothing, or that machines are rented there; in no order.
    pub(super) fn clicks(&self) -> impl Iterator<Item = &Seen> {
        self.clicks.values().flatten()
    }
}

/// What is kept of a click; nothing where its address cannot be read or its network is known.
fn seen(record: &Record, was: Was, revision: u32, messages: &mut Names, agents: &mut Names) -> Option<Seen> {
    let address = record.ip.as_deref().and_then(parse_ip)?;
    let place = Signals::of(record).place;
    if place.is_some_and(|network| network.class != Class::Hosting) {
        return None;
    }
    Some(Seen {
        message: messages.place(&record.message_id),
        recipient: Key::of(&record.recipient_id),
        ts_ms: record.ts_ms,
        address,
        asn: record.asn.and_then(|asn| u32::try_from(asn).ok()),
        agent: record.agent().map(|agent| agents.place(agent)),
        was,
        cookie: record.cookie.as_deref().and_then(CookieState::named),
        visitor: record.visitor_id.as_deref().map(Key::of),
        verified: record.verified,
        is_rented: place.is_some(),
        revision,
    })
}
