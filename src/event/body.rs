//! The body of a pack: its verdicts, as [`columns`](crate::record::columns). Clicks of a pack have most of what was
//! found in common, so one takes some ten bytes. Version 2 (version 1 was JSON), which is written wherever it can say all there is:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version |
//! | number | how many events it is shipped as |
//! | number, 2 columns | the links that entries name by position: `link_id`, `url` |
//! | columns | for each entry, in the order of the pack's keys: kind, link, what it was before, that of the shadow; its verdict's ruleset, revision, what the landing page showed, its finding; its shadow's ruleset and finding; delivery time, repeats; the verification's id, level and time since load |
//!
//! Version 3 has one column more: when the mail bounced, where a call has told. Version 4 has that and six more, by which a tally
//! counts a pack without its records: the step of the time since the clock, the group, and of the revision before its vendor,
//! confidence, what the landing page had shown, its step. What leaves needs none of these and is of the versions before.
//!
//! A finding is six columns: type, vendor, confidence, rule, reasons (a line each), the other click of a pair.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use super::line;
use crate::json::Json;
use crate::record::columns::{Damaged, Reader, Writer};
use crate::record::{Delivery, EventId, Kind, Record, Sighting, Verified};
use crate::verdict::{ClickType, Confidence, Finding, Verdict};

/// The version that is written where no mail bounced.
pub const VERSION: u8 = 2;

/// The one where some did.
const BOUNCED: u8 = 3;

/// The one of packs, which are counted.
const COUNTED: u8 = 4;

/// The last that a later deploy may write: whatever begins with another byte is no body. No deploy is that far ahead, and what
/// text begins with lies behind it.
const FARTHEST: u8 = 31;

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is damaged.
    Damaged,
    /// A later deploy wrote it in this version, and it waits for that one.
    Later(u8),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("damaged"),
            Self::Later(version) => write!(f, "version {version} is not known here, or a word of it"),
        }
    }
}

/// A pack's body.
#[derive(Debug, PartialEq, Eq)]
pub struct Body {
    /// Version of this form.
    pub v: u8,
    /// The links that the entries name by position: `link_id` and `url`.
    pub links: Vec<(Option<String>, Option<String>)>,
    /// The verdicts.
    pub entries: Vec<Entry>,
}

impl Body {
    /// Adds an entry on a link.
    pub(super) fn push(&mut self, link: (Option<String>, Option<String>), mut entry: Entry) {
        entry.link = self.links.iter().position(|known| *known == link).unwrap_or_else(|| {
            self.links.push(link);
            self.links.len() - 1
        });
        self.entries.push(entry);
    }
}

/// One revision of one click.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The click.
    pub event_id: String,
    /// What kind of link it was.
    pub kind: Kind,
    /// The position of its link in [`Body::links`].
    pub link: usize,
    /// What it was found to be.
    pub verdict: Verdict,
    /// What the revision before said, so that counts can be corrected without looking for it.
    pub was: Option<ClickType>,
    /// What the shadow ruleset of the revision before said.
    pub was_shadow: Option<ClickType>,
    /// The rest of what the revision before said, where this one amends it.
    pub past: Option<Box<Past>>,
    /// The part of the list that its recipient is in.
    pub group: Option<Box<str>>,
    /// The step of the time since its clock ([`crate::verdict::delay`]); `None` in entries of version 3 and before.
    pub delay: Option<u8>,
    /// What this revision knew of the mail's delivery beside what the record says.
    pub delivery: Delivery,
    /// Clicks counted on this one and not stored.
    pub repeats: Option<i64>,
    /// The verification that this revision is the first to tell.
    pub sighting: Option<Sighting>,
}

/// What a revision said beside its types, for the one that amends it: counts are corrected by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Whose scanner it was.
    pub vendor: Option<Cow<'static, str>>,
    /// How sure the verdict was.
    pub confidence: Confidence,
    /// What the landing page had shown.
    pub verified: Verified,
    /// The step of the time since the clock.
    pub delay: Option<u8>,
}

impl Entry {
    /// Whether it says what a tally counts by.
    fn is_counted(&self) -> bool {
        self.delay.is_some() || self.group.is_some() || self.past.is_some()
    }

    /// The entry as it leaves: the record beside it says what a tally counts by.
    #[must_use]
    pub fn leaving(&self) -> Self {
        Self { past: None, group: None, delay: None, ..self.clone() }
    }

    /// The record as it stood when the entry was written: a second shipment says the same as the first.
    #[must_use]
    pub fn as_judged(&self, mut record: Record) -> Record {
        record.learn(self.delivery);
        record.repeats = self.repeats.or(record.repeats);
        record
    }

    /// The lines that ship it.
    pub fn lines(&self, record: &Record) -> impl Iterator<Item = String> {
        let sighting = self.sighting.as_ref().map(|sighting| line::verified(record, sighting));
        std::iter::once(line::shipped(record, &self.verdict, self.was)).chain(sighting)
    }
}

/// Writes a body.
#[must_use]
pub fn seal(body: &Body) -> Vec<u8> {
    let Body { links, entries, .. } = body;
    let count = entries.len();
    let entry = |at: usize| entries.get(at);
    let bounced = entries.iter().any(|entry| entry.delivery.bounced_at_ms.is_some());
    let counted = entries.iter().any(Entry::is_counted);
    let version = if counted {
        COUNTED
    } else if bounced {
        BOUNCED
    } else {
        VERSION
    };
    let mut writer = Writer(vec![version]);
    writer.number(events(entries) as u64);
    writer.number(links.len() as u64);
    writer.texts(links.len(), &|at| links.get(at).and_then(|(link_id, _)| link_id.as_deref()));
    writer.texts(links.len(), &|at| links.get(at).and_then(|(_, url)| url.as_deref()));

    let type_of = |kind: Option<ClickType>| kind.map(ClickType::name);
    writer.texts(count, &|at| entry(at).map(|entry| entry.kind.name()));
    writer.integers(count, &|at| i64::try_from(entry(at)?.link).ok());
    writer.texts(count, &|at| type_of(entry(at)?.was));
    writer.texts(count, &|at| type_of(entry(at)?.was_shadow));
    let verdict = |at: usize| entry(at).map(|entry| &entry.verdict);
    let shadow = |at: usize| verdict(at).and_then(|verdict| verdict.shadow.as_deref());
    writer.texts(count, &|at| verdict(at).map(|verdict| &*verdict.ruleset));
    writer.integers(count, &|at| verdict(at).map(|verdict| verdict.revision.into()));
    writer.texts(count, &|at| verdict(at).map(|verdict| verdict.verified.name()));
    put_findings(&mut writer, count, &|at| verdict(at).map(|verdict| &verdict.finding));
    writer.texts(count, &|at| shadow(at).map(|shadow| &*shadow.ruleset));
    put_findings(&mut writer, count, &|at| shadow(at).map(|shadow| &shadow.finding));

    writer.integers(count, &|at| entry(at)?.delivery.delivered_at_ms);
    writer.integers(count, &|at| entry(at)?.repeats);
    let sighting = |at: usize| entry(at).and_then(|entry| entry.sighting.as_ref());
    let ids: Vec<Option<String>> =
        (0..count).map(|at| sighting(at).map(|sighting| sighting.event_id.to_string())).collect();
    writer.texts(count, &|at| ids.get(at)?.as_deref());
    writer.texts(count, &|at| sighting(at).map(|sighting| sighting.verified.name()));
    writer.integers(count, &|at| sighting(at)?.since_load_ms);
    if version >= BOUNCED {
        writer.integers(count, &|at| entry(at)?.delivery.bounced_at_ms);
    }
    if counted {
        let past = |at: usize| entry(at).and_then(|entry| entry.past.as_deref());
        writer.integers(count, &|at| entry(at)?.delay.map(i64::from));
        writer.texts(count, &|at| entry(at)?.group.as_deref());
        writer.texts(count, &|at| past(at)?.vendor.as_deref());
        writer.texts(count, &|at| past(at).map(|past| past.confidence.name()));
        writer.texts(count, &|at| past(at).map(|past| past.verified.name()));
        writer.integers(count, &|at| past(at)?.delay.map(i64::from));
    }
    writer.0
}

/// How many events entries are shipped as: themselves, and the verifications that they tell.
fn events(entries: &[Entry]) -> usize {
    entries.len() + entries.iter().filter(|entry| entry.sighting.is_some()).count()
}

/// How many events a body is shipped as; 0 where it cannot be read.
#[must_use]
pub fn events_in(bytes: &[u8]) -> usize {
    let mut reader = Reader(bytes);
    match reader.byte() {
        Ok(VERSION..=COUNTED) => reader.count().unwrap_or_default(),
        _ => 0,
    }
}

fn put_findings<'a>(writer: &mut Writer, count: usize, finding: &dyn Fn(usize) -> Option<&'a Finding>) {
    let reasons: Vec<String> = (0..count)
        .map(|at| finding(at).map(|finding| finding.reasons.join("\n")).unwrap_or_default())
        .collect();
    writer.texts(count, &|at| finding(at)?.click_type.map(ClickType::name));
    writer.texts(count, &|at| finding(at)?.vendor.as_deref());
    writer.texts(count, &|at| Some(finding(at)?.confidence.name()));
    writer.texts(count, &|at| Some(&*finding(at)?.rule));
    writer.texts(count, &|at| reasons.get(at).map(String::as_str));
    writer.texts(count, &|at| finding(at)?.paired_with.as_deref());
}

/// Reads a body whose entries are of these clicks.
///
/// # Errors
/// When it is of a version, or holds a word, that this build does not know, or is damaged.
pub fn open(bytes: &[u8], ids: &[EventId]) -> Result<Body, Unread> {
    match bytes.first() {
        Some(version @ &(VERSION..=COUNTED)) => {
            let is_strange = Cell::new(false);
            read(bytes, ids, &is_strange)
                .map_err(|Damaged| if is_strange.get() { Unread::Later(*version) } else { Unread::Damaged })
        }
        Some(version) if (COUNTED..=FARTHEST).contains(version) => Err(Unread::Later(*version)),
        _ => Err(Unread::Damaged),
    }
}

/// Reads a body of version 1.
///
/// # Errors
/// As [`open`].
pub fn open_json(text: &str) -> Result<Body, Unread> {
    let body = Json::parse(text).map_err(|_| Unread::Damaged)?;
    match body.get("v").integer::<u64>() {
        Some(1) => from_json(&body).map_err(|Damaged| Unread::Damaged),
        Some(version) => Err(Unread::Later(u8::try_from(version).unwrap_or(u8::MAX))),
        None => Err(Unread::Damaged),
    }
}

fn from_json(body: &Json) -> Result<Body, Damaged> {
    let link = |link: &Json| match link.list() {
        Some([link_id, url]) => Ok((optional(link_id, &owned)?, optional(url, &owned)?)),
        _ => Err(Damaged),
    };
    let integer = |number: &Json| number.integer().ok_or(Damaged);
    let sighting = |seen: &Json| {
        Ok(Sighting {
            event_id: named(seen.get("event_id"), EventId::parse)?,
            verified: named(seen.get("verified"), Verified::named)?,
            since_load_ms: optional(seen.get("since_load_ms"), &integer)?,
        })
    };
    let click_type = |word: &Json| named(word, ClickType::named);
    let entry = |entry: &Json| {
        Ok(Entry {
            event_id: owned(entry.get("event_id"))?,
            kind: optional(entry.get("kind"), &|kind| named(kind, Kind::named))?.unwrap_or_default(),
            link: entry.get("link").integer().ok_or(Damaged)?,
            verdict: verdict(entry.get("verdict"))?,
            was: optional(entry.get("was"), &click_type)?,
            was_shadow: optional(entry.get("was_shadow"), &click_type)?,
            past: None,
            group: None,
            delay: None,
            delivery: Delivery {
                delivered_at_ms: optional(entry.get("delivered_at_ms"), &integer)?,
                bounced_at_ms: None,
            },
            repeats: optional(entry.get("repeats"), &integer)?,
            sighting: optional(entry.get("sighting"), &sighting)?,
        })
    };
    Ok(Body { v: 1, links: all(body.get("links"), &link)?, entries: all(body.get("entries"), &entry)? })
}

/// A verdict as events tell it: what follows from its finding is not read.
fn verdict(json: &Json) -> Result<Verdict, Damaged> {
    let finding = Finding {
        click_type: optional(json.get("click_type"), &|word| named(word, ClickType::named))?,
        vendor: optional(json.get("vendor"), &owned)?.map(Cow::Owned),
        confidence: named(json.get("confidence"), Confidence::named)?,
        rule: Cow::Owned(owned(json.get("rule"))?),
        reasons: all(json.get("reasons"), &|reason| owned(reason).map(Cow::Owned))?,
        paired_with: optional(json.get("paired_with"), &owned)?.map(Into::into),
    };
    let (ruleset, revision) = (owned(json.get("ruleset"))?, json.get("revision").integer().ok_or(Damaged)?);
    let verified = named(json.get("verified"), Verified::named)?;
    let mut judged = Verdict::of(finding, Cow::Owned(ruleset), revision).with_verified(verified);
    judged.shadow = optional(json.get("shadow"), &verdict)?.map(Box::new);
    Ok(judged)
}

fn owned(json: &Json) -> Result<String, Damaged> {
    json.text().map(str::to_owned).ok_or(Damaged)
}

/// A word that has a meaning here.
fn named<T>(json: &Json, named: fn(&str) -> Option<T>) -> Result<T, Damaged> {
    json.text().and_then(named).ok_or(Damaged)
}

/// What may be absent.
fn optional<T>(json: &Json, read: &dyn Fn(&Json) -> Result<T, Damaged>) -> Result<Option<T>, Damaged> {
    if *json == Json::Null { Ok(None) } else { read(json).map(Some) }
}

fn all<T>(json: &Json, read: &dyn Fn(&Json) -> Result<T, Damaged>) -> Result<Vec<T>, Damaged> {
    json.list().ok_or(Damaged)?.iter().map(read).collect()
}

/// Reads a body. It says whether it met a word that a later deploy may have written.
fn read(bytes: &[u8], ids: &[EventId], strange: &Cell<bool>) -> Result<Body, Damaged> {
    let mut reader = Reader(bytes);
    let version = reader.byte()?;
    reader.number()?;
    let links = reader.count()?;
    if links > bytes.len() {
        return Err(Damaged);
    }
    let link_ids = texts(&mut reader, links)?;
    let links = link_ids.into_iter().zip(texts(&mut reader, links)?).collect();

    let count = ids.len();
    let kinds = words(&mut reader, count, Kind::named, strange)?;
    let places = integers(&mut reader, count)?;
    let was = words(&mut reader, count, ClickType::named, strange)?;
    let was_shadow = words(&mut reader, count, ClickType::named, strange)?;
    let rulesets = texts(&mut reader, count)?;
    let revisions = integers(&mut reader, count)?;
    let shown = words(&mut reader, count, Verified::named, strange)?;
    let found = findings(&mut reader, count, strange)?;
    let shadow_rulesets = texts(&mut reader, count)?;
    let shadow_found = findings(&mut reader, count, strange)?;
    let delivered = integers(&mut reader, count)?;
    let repeats = integers(&mut reader, count)?;
    let sighting_ids = words(&mut reader, count, EventId::parse, strange)?;
    let levels = words(&mut reader, count, Verified::named, strange)?;
    let since_load = integers(&mut reader, count)?;
    let (mut bounced, mut counted) = (Vec::new(), None);
    if version >= BOUNCED {
        bounced = integers(&mut reader, count)?;
    }
    if version >= COUNTED {
        let (delays, groups) = (integers(&mut reader, count)?, texts(&mut reader, count)?);
        let (vendors, sure) =
            (texts(&mut reader, count)?, words(&mut reader, count, Confidence::named, strange)?);
        let (shown, past_delays) =
            (words(&mut reader, count, Verified::named, strange)?, integers(&mut reader, count)?);
        counted = Some((delays, groups, vendors, sure, shown, past_delays));
    }
    if !reader.0.is_empty() {
        return Err(Damaged);
    }

    let mut entries = Vec::with_capacity(count);
    let mut shadows = shadow_rulesets.into_iter().zip(shadow_found);
    for (at, ((id, ruleset), finding)) in ids.iter().zip(rulesets).zip(found).enumerate() {
        let revision = u32::try_from(revisions[at].ok_or(Damaged)?).map_err(|_| Damaged)?;
        let verified = shown[at].ok_or(Damaged)?;
        let verdict = |(ruleset, finding): (Option<String>, Option<Finding>)| {
            let ruleset = Cow::Owned(ruleset?);
            Some(Verdict::of(finding?, ruleset, revision).with_verified(verified))
        };
        let mut judged = verdict((ruleset, finding)).ok_or(Damaged)?;
        judged.shadow = shadows.next().and_then(verdict).map(Box::new);
        let sighting = |event_id, verified| Sighting { event_id, verified, since_load_ms: since_load[at] };
        let (mut delay, mut group, mut past) = (None, None, None);
        if let Some((delays, groups, vendors, sure, shown, past_delays)) = &mut counted {
            let step = |delay: Option<i64>| delay.and_then(|delay| u8::try_from(delay).ok());
            (delay, group) = (step(delays[at]), groups[at].take().map(Into::into));
            past = sure[at].zip(shown[at]).map(|(confidence, verified)| {
                let vendor = vendors[at].take().map(Cow::Owned);
                Box::new(Past { vendor, confidence, verified, delay: step(past_delays[at]) })
            });
        }
        entries.push(Entry {
            event_id: id.to_string(),
            kind: kinds[at].ok_or(Damaged)?,
            link: places[at].and_then(|place| usize::try_from(place).ok()).ok_or(Damaged)?,
            verdict: judged,
            was: was[at],
            was_shadow: was_shadow[at],
            past,
            group,
            delay,
            delivery: Delivery {
                delivered_at_ms: delivered[at],
                bounced_at_ms: bounced.get(at).copied().flatten(),
            },
            repeats: repeats[at],
            sighting: sighting_ids[at].zip(levels[at]).map(|(id, level)| sighting(id, level)),
        });
    }
    Ok(Body { v: version, links, entries })
}

fn findings(
    reader: &mut Reader,
    count: usize,
    strange: &Cell<bool>,
) -> Result<Vec<Option<Finding>>, Damaged> {
    let types = words(reader, count, ClickType::named, strange)?;
    let vendors = texts(reader, count)?;
    let confidences = words(reader, count, Confidence::named, strange)?;
    let rules = texts(reader, count)?;
    let reasons = texts(reader, count)?;
    let pairs = texts(reader, count)?;
    let mut rest = types.into_iter().zip(vendors).zip(confidences).zip(reasons).zip(pairs);
    let finding = |rule: Option<String>| {
        let ((((click_type, vendor), confidence), reasons), paired_with) = rest.next()?;
        Some(Finding {
            click_type,
            vendor: vendor.map(Cow::Owned),
            confidence: confidence?,
            rule: Cow::Owned(rule?),
            reasons: reasons
                .iter()
                .flat_map(|reasons| reasons.lines())
                .map(|one| Cow::Owned(one.to_owned()))
                .collect(),
            paired_with: paired_with.map(Into::into),
        })
    };
    Ok(rules.into_iter().map(finding).collect())
}

fn texts(reader: &mut Reader, count: usize) -> Result<Vec<Option<String>>, Damaged> {
    let mut found = vec![None; count];
    reader.texts(count, &|_| true, &mut |at, text| found[at] = Some(text))?;
    Ok(found)
}

/// A column of words that have a meaning here.
fn words<T: Clone>(
    reader: &mut Reader,
    count: usize,
    named: fn(&str) -> Option<T>,
    strange: &Cell<bool>,
) -> Result<Vec<Option<T>>, Damaged> {
    let (mut found, mut is_known) = (vec![None; count], true);
    reader.texts(count, &|_| true, &mut |at, text| {
        found[at] = named(&text);
        if found[at].is_none() {
            is_known = false;
            meet(&text, strange);
        }
    })?;
    if is_known { Ok(found) } else { Err(Damaged) }
}

/// Takes note of a word that is not known here: what a later deploy may call something is a word at least.
fn meet(word: &str, strange: &Cell<bool>) {
    strange.set(word.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()));
}

fn integers(reader: &mut Reader, count: usize) -> Result<Vec<Option<i64>>, Damaged> {
    let mut found = vec![None; count];
    reader.integers(count, &mut |at, number| found[at] = Some(number))?;
    Ok(found)
}
