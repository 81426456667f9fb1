//! What an export says, gathered: requests, which become records, and of each copy of the mail when it was sent and what became
//! of it. Both may stand anywhere, so nothing is written before all is read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use clickproof::record::{EventId, Kind, Way};
use serde::Serialize;
use serde_json::Value;

use super::event::{Event, Found, Times, What};
use super::names::{self, Recipients};
use crate::complaints::Complaints;
use crate::output::Output;
use crate::say::{said, say};
use crate::stop::Stop;

/// What the command's flags say of all records.
pub(super) struct Given {
    /// Whose export it is.
    pub(super) from: &'static str,
    pub(super) recipients: Recipients,
    /// The message of what names no campaign.
    pub(super) message_id: Option<String>,
    /// When that was sent of which the export does not say it, Unix milliseconds.
    pub(super) sent_at_ms: Option<i64>,
    /// Whether two events that say the same are two: a table has a row for each, a webhook may be called twice for one.
    pub(super) counts_alike: bool,
}

/// What was read so far.
pub(super) struct Gathered {
    given: Given,
    requests: Vec<Request>,
    copies: HashMap<u64, Copy>,
    /// How often an event came that says the same.
    alike: HashMap<EventId, u32>,
    /// The campaigns, each name kept once.
    campaigns: HashSet<Rc<str>>,
    /// Events that no record comes of, by name.
    left: BTreeMap<String, usize>,
}

/// A record as far as it is known.
struct Request {
    line: u64,
    id: EventId,
    kind: Kind,
    ts_ms: i64,
    recipient: Box<str>,
    campaign: Option<Rc<str>>,
    /// What stands for the campaign where none is named.
    mail: Option<Rc<str>>,
    copy: u64,
    times: Times,
    /// The other fields, as JSON between the braces of an object.
    fields: Box<str>,
}

/// What events say of one copy of the mail.
#[derive(Default)]
struct Copy {
    times: Times,
    campaign: Option<Rc<str>>,
}

impl Gathered {
    pub(super) fn new(given: Given) -> Self {
        Self {
            given,
            requests: Vec::new(),
            copies: HashMap::new(),
            alike: HashMap::new(),
            campaigns: HashSet::new(),
            left: BTreeMap::new(),
        }
    }

    /// Takes in what was found on a line.
    ///
    /// # Errors
    /// What it lacks.
    pub(super) fn take(&mut self, line: u64, found: Found) -> Result<(), Bad> {
        match found {
            Found::Event(event) => self.add(line, *event),
            Found::Other(name) => {
                *self.left.entry(name).or_default() += 1;
                Ok(())
            }
        }
    }

    fn add(&mut self, line: u64, event: Event) -> Result<(), Bad> {
        let Event { what, ts_ms, recipient, copy, campaign, mail, id, times, fields } = event;
        let recipient = self.given.recipients.name(&recipient).ok_or(Bad::Keyless)?;
        let campaign = campaign.map(|name| self.keep(name));
        let mut key = DefaultHasher::new();
        // A copy is one recipient's; what has no name for it is the one of its campaign.
        (&recipient, &copy, campaign.as_ref().filter(|_| copy.is_none())).hash(&mut key);
        let key = key.finish();
        let What::Request(kind) = what else {
            let known = self.copies.entry(key).or_default();
            known.times.learn(what, ts_ms);
            known.campaign = known.campaign.take().or(campaign);
            return Ok(());
        };
        let fields = text_of(kind, &fields)?;
        let id = self.name(
            ts_ms,
            kind,
            id.as_deref(),
            &[&recipient, copy.as_deref().unwrap_or_default(), &fields],
        );
        let mail = mail.map(|name| self.keep(name));
        let recipient = recipient.into();
        self.requests.push(Request {
            line,
            id,
            kind,
            ts_ms,
            recipient,
            campaign,
            mail,
            copy: key,
            times,
            fields,
        });
        Ok(())
    }

    /// The event's id, from its own name where it has one, else from what it says.
    fn name(&mut self, ts_ms: i64, kind: Kind, id: Option<&str>, says: &[&str]) -> EventId {
        let from = self.given.from;
        if let Some(id) = id {
            return names::event_id(ts_ms, &[from, "id", id]);
        }
        let parts = [&[from, "says", kind.name()], says].concat();
        let id = names::event_id(ts_ms, &parts);
        if !self.given.counts_alike {
            return id;
        }
        let count = self.alike.entry(id).or_default();
        *count += 1;
        if *count == 1 { id } else { names::event_id(ts_ms, &[&parts[..], &[&count.to_string()]].concat()) }
    }

    fn keep(&mut self, name: String) -> Rc<str> {
        if let Some(known) = self.campaigns.get(name.as_str()) {
            return Rc::clone(known);
        }
        let name: Rc<str> = name.into();
        self.campaigns.insert(Rc::clone(&name));
        name
    }

    /// Writes the records in the order of the input, complains of those that lack something, and tells what was left out.
    pub(super) fn write(self, output: &mut Output, complaints: &mut Complaints) -> Result<(), Stop> {
        let (mut nameless, mut ids) = (0, HashMap::new());
        for request in &self.requests {
            let copy = self.copies.get(&request.copy);
            let times = request.times.or(copy.map(|copy| copy.times).unwrap_or_default());
            // A mail that came back was sent shortly before, if nothing says more.
            let sent = times.sent.or(times.delivered).or(self.given.sent_at_ms).or(times.bounced);
            let Some(sent) = sent else {
                complaints.add(
                    request.line,
                    "sent_at_ms: nothing in the input says when this mail was sent or delivered; export those events \
                     too, or give the time as --sent-at",
                );
                continue;
            };
            let campaign = request.campaign.as_ref().or(copy.and_then(|copy| copy.campaign.as_ref()));
            let message_id = match (campaign, &self.given.message_id, &request.mail) {
                (Some(campaign), ..) => {
                    ids.entry(Rc::clone(campaign)).or_insert_with(|| names::message_id(campaign)).clone()
                }
                (None, Some(message_id), _) => message_id.clone(),
                (None, None, Some(mail)) => {
                    nameless += 1;
                    names::message_id(mail)
                }
                (None, None, None) => {
                    complaints
                        .add(request.line, "message_id: no campaign is named; give one as --message-id");
                    continue;
                }
            };
            output.line(|block| request.write(block, &message_id, sent, times))?;
        }
        output.flush()?;
        if nameless > 0 {
            say(&format!(
                "{} records name no campaign, so each mail is a message of its own; --message-id NAME makes them one",
                said(nameless)
            ));
        }
        let mut left: Vec<(String, usize)> = self.left.into_iter().collect();
        left.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let left: Vec<String> = left.iter().map(|(name, count)| format!("{} {name}", said(*count))).collect();
        if !left.is_empty() {
            say(&format!("left out: {}", left.join(", ")).replace(char::is_control, "\u{fffd}"));
        }
        Ok(())
    }
}

/// Why an event is none.
pub(super) enum Bad {
    /// It has an address, and there is no key to name it by.
    Keyless,
    /// It lacks something.
    Lacks(String),
}

impl From<String> for Bad {
    fn from(words: String) -> Self {
        Self::Lacks(words)
    }
}

/// How a record begins.
#[derive(Serialize)]
struct Head<'a> {
    event_id: EventId,
    message_id: &'a str,
    recipient_id: &'a str,
    kind: Kind,
    ts_ms: i64,
    sent_at_ms: i64,
    delivered_at_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bounced_at_ms: Option<i64>,
}

impl Request {
    fn write(
        &self,
        block: &mut Vec<u8>,
        message_id: &str,
        sent_at_ms: i64,
        times: Times,
    ) -> serde_json::Result<()> {
        let head = Head {
            event_id: self.id,
            message_id,
            recipient_id: &self.recipient,
            kind: self.kind,
            ts_ms: self.ts_ms,
            sent_at_ms,
            delivered_at_ms: times.delivered,
            bounced_at_ms: times.bounced,
        };
        serde_json::to_writer(&mut *block, &head)?;
        block.pop();
        block.push(b',');
        block.extend_from_slice(self.fields.as_bytes());
        block.push(b'}');
        Ok(())
    }
}

/// The fields as they stand in a record. What is no click has no link of its own, and needs one.
fn text_of(kind: Kind, fields: &[(&'static str, Value)]) -> Result<Box<str>, String> {
    let is_there = |wanted: &str| fields.iter().any(|(name, value)| *name == wanted && !value.is_null());
    let mut texts = Vec::new();
    if !is_there("url") && !is_there("link_id") {
        if kind == Kind::Click {
            return Err("url: missing; a click needs it".to_owned());
        }
        texts.push(format!("\"link_id\":\"{}\"", kind.name()));
    }
    // Which link it was is known or not told of.
    let told = fields.iter().filter(|(name, value)| !value.is_null() || !matches!(*name, "url" | "link_id"));
    texts.extend(told.map(|(name, value)| format!("\"{name}\":{value}")));
    // Who is unsubscribed has pressed something: a page that was only looked at makes no such event.
    if kind == Kind::Unsubscribe && !is_there("act") {
        texts.push(format!("\"act\":\"{}\"", Way::Page.name()));
    }
    if !is_there("links_total") {
        texts.push("\"links_total\":null".to_owned());
    }
    Ok(texts.join(",").into())
}
