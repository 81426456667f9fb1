//! Reads a record from JSON text, field by field: what is missing or of another type is named.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Kind, Record, Verified};

impl Record {
    /// Reads a record from JSON text; extra fields are ignored. Of a name that stands twice, the last counts.
    ///
    /// # Errors
    /// A message that says what is wrong with the text or the field.
    pub fn parse(json: &str) -> Result<Self, String> {
        let record: Self = serde_json::from_str(json).map_err(|error| problem(&error))?;
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

/// What the parser says. Where a field is named its place in the text says nothing more; elsewhere it is told without
/// the line, which of a record in NDJSON is always the first.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    if error.is_data() {
        text.strip_suffix(&place).unwrap_or(&text).to_owned()
    } else {
        format!("not a JSON object: {}", text.replace(" at line 1 column ", " at byte "))
    }
}

/// Reads the text field by field: a million records are no place for a tree of each.
impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Record;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a click record, which is a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Record, A::Error> {
                Fields(map).read()
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// The fields of a JSON object, read one after the other by name and type; errors name the field.
struct Fields<A>(A);

impl<'de, A: MapAccess<'de>> Fields<A> {
    fn read(mut self) -> Result<Record, A::Error> {
        let (mut record, mut ts_ms, mut sent_at_ms, mut method) = (Record::default(), None, None, None);
        while let Some(Text(name)) = self.0.next_key()? {
            match name.as_ref() {
                "event_id" => record.event_id = self.text("event_id")?.unwrap_or_default(),
                "message_id" => record.message_id = self.text("message_id")?.unwrap_or_default(),
                "recipient_id" => record.recipient_id = self.text("recipient_id")?.unwrap_or_default(),
                "link_id" => record.link_id = self.text("link_id")?,
                "url" => record.url = self.text("url")?,
                "kind" => record.kind = self.kind()?,
                "ts_ms" => ts_ms = self.integer("ts_ms")?,
                "sent_at_ms" => sent_at_ms = self.integer("sent_at_ms")?,
                "delivered_at_ms" => record.delivered_at_ms = self.integer("delivered_at_ms")?,
                "links_total" => record.links_total = self.integer("links_total")?,
                "method" => method = self.text("method")?,
                "ip" => record.ip = self.text("ip")?,
                "asn" => record.asn = self.integer("asn")?,
                "country" => record.country = self.text("country")?,
                "user_agent" => record.user_agent = self.text("user_agent")?,
                "referer" => record.referer = self.text("referer")?,
                "accept" => record.accept = self.text("accept")?,
                "accept_language" => record.accept_language = self.text("accept_language")?,
                "sec_fetch_site" => record.sec_fetch_site = self.text("sec_fetch_site")?,
                "sec_fetch_mode" => record.sec_fetch_mode = self.text("sec_fetch_mode")?,
                "sec_fetch_dest" => record.sec_fetch_dest = self.text("sec_fetch_dest")?,
                "sec_fetch_user" => record.sec_fetch_user = self.text("sec_fetch_user")?,
                "sec_purpose" => record.sec_purpose = self.text("sec_purpose")?,
                "sec_ch_ua" => record.sec_ch_ua = self.text("sec_ch_ua")?,
                "x_forwarded_for" => record.x_forwarded_for = self.text("x_forwarded_for")?,
                "http_protocol" => record.http_protocol = self.text("http_protocol")?,
                "secure" => record.secure = self.boolean("secure")?,
                "cookie" => record.cookie = self.text("cookie")?,
                "visitor_id" => record.visitor_id = self.text("visitor_id")?,
                "repeats" => record.repeats = self.integer("repeats")?,
                "act" => record.act = self.text("act")?,
                "verified" => record.verified = self.verified()?,
                _ => {
                    self.0.next_value::<IgnoredAny>()?;
                }
            }
        }
        record.ts_ms = ts_ms.ok_or_else(|| A::Error::custom(missing("ts_ms")))?;
        record.sent_at_ms = sent_at_ms.ok_or_else(|| A::Error::custom(missing("sent_at_ms")))?;
        record.method = method.unwrap_or_else(|| "GET".to_owned());
        Ok(record)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, A::Error> {
        match self.0.next_value()? {
            Scalar::Null => Ok(None),
            Scalar::Text(text) => Ok(Some(text.into_owned()).filter(|text| !text.is_empty())),
            _ => Err(A::Error::custom(format_args!("{name}: must be a string"))),
        }
    }

    fn integer(&mut self, name: &str) -> Result<Option<i64>, A::Error> {
        match self.0.next_value()? {
            Scalar::Null => Ok(None),
            Scalar::Integer(number) => Ok(Some(number)),
            _ => Err(A::Error::custom(format_args!("{name}: must be a whole number"))),
        }
    }

    fn boolean(&mut self, name: &str) -> Result<Option<bool>, A::Error> {
        match self.0.next_value()? {
            Scalar::Null => Ok(None),
            Scalar::Boolean(boolean) => Ok(Some(boolean)),
            _ => Err(A::Error::custom(format_args!("{name}: must be true or false"))),
        }
    }

    fn verified(&mut self) -> Result<Verified, A::Error> {
        self.text("verified")?.map_or(Ok(Verified::None), |name| {
            Verified::named(&name)
                .ok_or_else(|| A::Error::custom(format_args!("verified: {}", Verified::MUST_BE)))
        })
    }

    fn kind(&mut self) -> Result<Kind, A::Error> {
        self.text("kind")?.map_or(Ok(Kind::Click), |name| {
            Kind::named(&name).ok_or_else(|| A::Error::custom(format_args!("kind: {}", Kind::MUST_BE)))
        })
    }
}

/// A field's name, copied only where it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A field's value: what the fields of a record may be, and all else as one.
enum Scalar<'a> {
    Null,
    Text(Cow<'a, str>),
    Integer(i64),
    Boolean(bool),
    Other,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Null)
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_bool<E>(self, boolean: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Boolean(boolean))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Integer(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Integer))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}
