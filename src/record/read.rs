//! Reads a record from JSON text, field by field: what is missing or of another type is named.

use super::{Kind, Record, Verified, moment};
use crate::json::Json;

impl Record {
    /// Reads a record from JSON text; extra fields are ignored. Of a name that stands twice, the last counts.
    ///
    /// # Errors
    /// A message that says what is wrong with the text or the field.
    pub fn parse(json: &str) -> Result<Self, String> {
        read(json, &mut |_| {})
    }

    /// Reads a record that comes from outside: as [`Self::parse`], and hands over the names of extra fields.
    ///
    /// # Errors
    /// As [`Self::parse`], and where a time is none in milliseconds. What is stored already is read for ever, so `parse` does
    /// not ask.
    pub fn given(json: &str, extra: &mut dyn FnMut(&str)) -> Result<Self, String> {
        let record = read(json, extra)?;
        let times = [
            ("ts_ms", Some(record.ts_ms)),
            ("sent_at_ms", Some(record.sent_at_ms)),
            ("delivered_at_ms", record.delivered_at_ms),
        ];
        for (name, ms) in times {
            ms.map_or(Ok(()), |ms| moment::check(name, ms))?;
        }
        Ok(record)
    }
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
        Ok(false) => Err("a click record is a JSON object".to_owned()),
        Err(problem) => Err(format!("not a JSON object: {problem}")),
    }
}

/// A record as far as it is read.
#[derive(Default)]
struct Fields {
    record: Record,
    ts_ms: Option<i64>,
    sent_at_ms: Option<i64>,
    method: Option<String>,
}

impl Fields {
    /// Takes a field; says whether a record has one of that name.
    fn put(&mut self, name: &str, value: Json) -> Result<bool, String> {
        let record = &mut self.record;
        match name {
            "event_id" => record.event_id = text(name, value)?.unwrap_or_default(),
            "message_id" => record.message_id = text(name, value)?.unwrap_or_default(),
            "recipient_id" => record.recipient_id = text(name, value)?.unwrap_or_default(),
            "link_id" => record.link_id = text(name, value)?,
            "url" => record.url = text(name, value)?,
            "kind" => record.kind = word(name, value, Kind::named, Kind::MUST_BE)?.unwrap_or_default(),
            "ts_ms" => self.ts_ms = integer(name, &value)?,
            "sent_at_ms" => self.sent_at_ms = integer(name, &value)?,
            "delivered_at_ms" => record.delivered_at_ms = integer(name, &value)?,
            "bounced_at_ms" => record.bounced_at_ms = integer(name, &value)?,
            "links_total" => record.links_total = integer(name, &value)?,
            "method" => self.method = text(name, value)?,
            "ip" => record.ip = text(name, value)?,
            "asn" => record.asn = integer(name, &value)?,
            "country" => record.country = text(name, value)?,
            // An empty one says that there was none.
            "user_agent" => record.user_agent = whole_text(name, value)?,
            "referer" => record.referer = text(name, value)?,
            "accept" => record.accept = text(name, value)?,
            "accept_language" => record.accept_language = text(name, value)?,
            "sec_fetch_site" => record.sec_fetch_site = text(name, value)?,
            "sec_fetch_mode" => record.sec_fetch_mode = text(name, value)?,
            "sec_fetch_dest" => record.sec_fetch_dest = text(name, value)?,
            "sec_fetch_user" => record.sec_fetch_user = text(name, value)?,
            "sec_purpose" => record.sec_purpose = text(name, value)?,
            "sec_ch_ua" => record.sec_ch_ua = text(name, value)?,
            "x_forwarded_for" => record.x_forwarded_for = text(name, value)?,
            "http_protocol" => record.http_protocol = text(name, value)?,
            "secure" => record.secure = boolean(name, &value)?,
            "cookie" => record.cookie = text(name, value)?,
            "visitor_id" => record.visitor_id = text(name, value)?,
            "repeats" => record.repeats = integer(name, &value)?,
            "act" => record.act = text(name, value)?,
            "verified" => {
                let verified = word(name, value, Verified::named, Verified::MUST_BE)?;
                record.verified = verified.unwrap_or_default();
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn record(self) -> Result<Record, String> {
        let Self { mut record, ts_ms, sent_at_ms, method } = self;
        record.ts_ms = ts_ms.ok_or_else(|| missing("ts_ms"))?;
        record.sent_at_ms = sent_at_ms.ok_or_else(|| missing("sent_at_ms"))?;
        record.method = method.unwrap_or_else(|| "GET".to_owned());
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
