//! Reads a record from JSON text, field by field: what is missing or of another type is named.

use super::fields::{INTEGERS, TEXTS};
use super::{Kind, Record, UNRECORDED, Verified, moment};
use crate::json::{Json, Problem};

/// What is said of what is JSON and no record.
const NO_OBJECT: &str = "a click record is a JSON object";

impl Record {
    /// Reads a record from JSON text; extra fields are ignored. Of a name that stands twice, the last counts. A line of the log
    /// that tells of a record which no object took is that record.
    ///
    /// # Errors
    /// A message that says what is wrong with the text or the field.
    pub fn parse(json: &str) -> Result<Self, String> {
        whole(Json::parse(json).map_err(no_json)?)
    }

    /// Reads a record that comes from outside: as [`Self::parse`], without a tree of what it holds, as there may be millions; and
    /// hands over the names of extra fields.
    ///
    /// # Errors
    /// As [`Self::parse`], and where a time is none in milliseconds. What is stored already is read for ever, so `parse` does
    /// not ask.
    pub fn given(json: &str, extra: &mut dyn FnMut(&str)) -> Result<Self, String> {
        timely(read(json, extra)?)
    }

    /// The record that a value from outside is; extra fields are ignored, for lines of a listing, of the log and of an import have some.
    ///
    /// # Errors
    /// As [`Self::given`], and where a field stands twice.
    pub fn of(value: Json) -> Result<Self, String> {
        value.once("")?;
        value.get("record").once("record.")?;
        timely(whole(value)?)
    }
}

fn whole(value: Json) -> Result<Record, String> {
    let Json::Object(members) = value else { return Err(NO_OBJECT.to_owned()) };
    let mut fields = Fields::default();
    for (name, value) in members {
        fields.put(&name, value)?;
    }
    fields.record()
}

/// What is said of what is no JSON.
pub(crate) fn no_json(problem: Problem) -> String {
    format!("not a JSON object: {problem}")
}

/// A record whose times are in milliseconds.
fn timely(record: Record) -> Result<Record, String> {
    for (name, ms) in [
        ("ts_ms", Some(record.ts_ms)),
        ("sent_at_ms", Some(record.sent_at_ms)),
        ("delivered_at_ms", record.delivered_at_ms),
        ("bounced_at_ms", record.bounced_at_ms),
    ] {
        ms.map_or(Ok(()), |ms| moment::check(name, ms))?;
    }
    Ok(record)
}

fn read(json: &str, extra: &mut dyn FnMut(&str)) -> Result<Record, String> {
    let (mut fields, mut problem) = (Fields::default(), Ok(()));
    let is_object = Json::each(json, &mut |name, value| match fields.put(&name, value) {
        Ok(true) => {}
        Ok(false) => extra(&name),
        Err(words) => {
            // The first is told of.
            if problem.is_ok() {
                problem = Err(words);
            }
        }
    });
    match is_object {
        Ok(true) => problem.and_then(|()| fields.record()),
        Ok(false) => Err(NO_OBJECT.to_owned()),
        Err(problem) => Err(no_json(problem)),
    }
}

/// A record as far as it is read.
#[derive(Default)]
struct Fields {
    record: Record,
    ts_ms: Option<i64>,
    sent_at_ms: Option<i64>,
    is_unrecorded: bool,
}

impl Fields {
    /// Takes a field; says whether a record has one of that name.
    fn put(&mut self, name: &str, value: Json) -> Result<bool, String> {
        let record = &mut self.record;
        match name {
            "event_id" => record.event_id = text(name, value)?.unwrap_or_default(),
            "kind" => record.kind = word(name, value, Kind::named, Kind::MUST_BE)?.unwrap_or_default(),
            "ts_ms" => self.ts_ms = integer(name, &value)?,
            "sent_at_ms" => self.sent_at_ms = integer(name, &value)?,
            "bounced_at_ms" => record.bounced_at_ms = integer(name, &value)?,
            "group" => record.group = text(name, value)?,
            "signals" => record.signals = text(name, value)?,
            // An empty one says that there was none.
            "user_agent" => record.user_agent = whole_text(name, value)?,
            "secure" => record.secure = boolean(name, &value)?,
            "verified" => {
                let verified = word(name, value, Verified::named, Verified::MUST_BE)?;
                record.verified = verified.unwrap_or_default();
            }
            "event" => {
                self.is_unrecorded = value.text() == Some(UNRECORDED);
                return Ok(false);
            }
            "record" if self.is_unrecorded => {
                if let Json::Object(fields) = value {
                    for (name, value) in fields {
                        self.put(&name, value)?;
                    }
                }
            }
            _ => {
                if let Some((.., put)) = TEXTS.iter().find(|(known, ..)| *known == name) {
                    put(record, text(name, value)?);
                } else if let Some((.., put)) = INTEGERS.iter().find(|(known, ..)| *known == name) {
                    put(record, integer(name, &value)?);
                } else {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn record(self) -> Result<Record, String> {
        let Self { mut record, ts_ms, sent_at_ms, .. } = self;
        record.ts_ms = ts_ms.ok_or_else(|| missing("ts_ms"))?;
        record.sent_at_ms = sent_at_ms.ok_or_else(|| missing("sent_at_ms"))?;
        // Beside signals none is one that was not kept.
        if record.method.is_empty() && record.signals.is_none() {
            "GET".clone_into(&mut record.method);
        }
        for (name, text) in [
            ("event_id", &record.event_id),
            ("message_id", &record.message_id),
            ("recipient_id", &record.recipient_id),
        ] {
            if text.is_empty() {
                return Err(missing(name));
            }
        }
        if record.link_id.is_none() && record.url.is_none() {
            return Err("link_id: missing; a record needs link_id or url".to_owned());
        }
        Ok(record)
    }
}

fn missing(name: &str) -> String {
    format!("{name}: missing; a record needs it")
}

fn text(name: &str, value: Json) -> Result<Option<String>, String> {
    Ok(whole_text(name, value)?.filter(|text| !text.is_empty()))
}

fn whole_text(name: &str, value: Json) -> Result<Option<String>, String> {
    match value {
        Json::Null => Ok(None),
        Json::Text(text) => Ok(Some(text.into_owned())),
        _ => Err(format!("{name}: must be a string")),
    }
}

fn integer(name: &str, value: &Json) -> Result<Option<i64>, String> {
    match value {
        Json::Null => Ok(None),
        _ => value.integer().map(Some).ok_or_else(|| format!("{name}: must be a whole number")),
    }
}

fn boolean(name: &str, value: &Json) -> Result<Option<bool>, String> {
    match value {
        Json::Null => Ok(None),
        Json::Boolean(boolean) => Ok(Some(*boolean)),
        _ => Err(format!("{name}: must be true or false")),
    }
}

/// One of the words that may stand there.
fn word<T>(
    name: &str,
    value: Json,
    named: fn(&str) -> Option<T>,
    must_be: &str,
) -> Result<Option<T>, String> {
    text(name, value)?.map(|word| named(&word).ok_or_else(|| format!("{name}: {must_be}"))).transpose()
}
