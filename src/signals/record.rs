//! The click record (contract §4): one JSON object that the edge logs, the object stores, `classify` reads and the
//! warehouse receives.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest that any free text of a request may be, bytes. What is longer is cut, so that no record outgrows a
/// queue message.
pub const MAX_FIELD_BYTES: usize = 1_024;

/// What kind of link was requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A tracked link.
    #[default]
    Click,
    /// The open pixel.
    Open,
    /// The unsubscribe page.
    Unsubscribe,
    /// The confirmation page.
    Confirm,
}

impl Kind {
    /// Every kind; the position is its number in a token.
    pub const ALL: [Self; 4] = [Self::Click, Self::Open, Self::Unsubscribe, Self::Confirm];

    /// The name in records and in the body of `POST /v1/links`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Open => "open",
            Self::Unsubscribe => "unsubscribe",
            Self::Confirm => "confirm",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What the landing page showed of whoever clicked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verified {
    /// Nothing.
    #[default]
    None,
    /// It was shown: a browser ran its script, or loaded its pixel.
    Rendered,
    /// Somebody touched it.
    Interacted,
}

impl Verified {
    /// Every level, the weakest first.
    pub const ALL: [Self; 3] = [Self::None, Self::Rendered, Self::Interacted];

    /// The name in verdicts and events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Rendered => "rendered",
            Self::Interacted => "interacted",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verified| verified.name() == name)
    }
}

impl Serialize for Verified {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Verified {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(name) = Text::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| D::Error::custom("verified: must be none, rendered or interacted"))
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(name) = Text::deserialize(deserializer)?;
        Self::named(&name)
            .ok_or_else(|| D::Error::custom("kind: must be click, open, unsubscribe or confirm"))
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One request to a tracked link. Absent and empty text mean the same: `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Record {
    /// UUIDv7; its time is `ts_ms`.
    pub event_id: String,
    /// The send, as its sender names it.
    pub message_id: String,
    /// The addressee, opaque.
    pub recipient_id: String,
    /// The link of the message.
    pub link_id: Option<String>,
    /// Where it leads.
    pub url: Option<String>,
    /// What was requested.
    pub kind: Kind,
    /// When the edge saw it, Unix milliseconds.
    pub ts_ms: i64,
    /// When the message was sent, Unix milliseconds.
    pub sent_at_ms: i64,
    /// When it was delivered, Unix milliseconds, where known.
    pub delivered_at_ms: Option<i64>,
    /// Tracked links in that recipient's copy, where known.
    pub links_total: Option<i64>,
    /// The HTTP method.
    pub method: String,
    /// The client's address.
    pub ip: Option<String>,
    /// Its AS number.
    pub asn: Option<i64>,
    /// Its country, two letters.
    pub country: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Referer` without query and fragment: wrappers put addresses there.
    pub referer: Option<String>,
    /// `Accept`.
    pub accept: Option<String>,
    /// `Accept-Language`.
    pub accept_language: Option<String>,
    /// `Sec-Fetch-Site`.
    pub sec_fetch_site: Option<String>,
    /// `Sec-Fetch-Mode`.
    pub sec_fetch_mode: Option<String>,
    /// `Sec-Fetch-Dest`.
    pub sec_fetch_dest: Option<String>,
    /// `Sec-Fetch-User`.
    pub sec_fetch_user: Option<String>,
    /// `Sec-Purpose`, or its older forms.
    pub sec_purpose: Option<String>,
    /// `Sec-CH-UA`.
    pub sec_ch_ua: Option<String>,
    /// `X-Forwarded-For`, as sent: it can be forged.
    pub x_forwarded_for: Option<String>,
    /// Such as `HTTP/2`.
    pub http_protocol: Option<String>,
    /// Whether the browser treated the origin as secure, and so sent fetch metadata.
    pub secure: Option<bool>,
    /// `new`, `returning` or `none`.
    pub cookie: Option<String>,
    /// The visitor, from the cookie.
    pub visitor_id: Option<String>,
    /// Clicks that the object counted here and did not store.
    pub repeats: Option<i64>,
    /// How a link that acts was told to: `one_click` by a mail provider (RFC 8058), or `form` on its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<String>,
    /// What the landing page showed, where the record comes with a verdict: the verdict writes it.
    #[serde(skip_serializing)]
    pub verified: Verified,
}

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

    /// Which link of the message: `link_id`, or `url` where that is absent.
    #[must_use]
    pub fn link(&self) -> &str {
        self.link_id.as_deref().or(self.url.as_deref()).unwrap_or_default()
    }

    /// Where it leads: `url`, or `link_id` where that is absent.
    #[must_use]
    pub fn destination(&self) -> &str {
        self.url.as_deref().or(self.link_id.as_deref()).unwrap_or_default()
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
                .ok_or_else(|| A::Error::custom("verified: must be none, rendered or interacted"))
        })
    }

    fn kind(&mut self) -> Result<Kind, A::Error> {
        self.text("kind")?.map_or(Ok(Kind::Click), |name| {
            Kind::named(&name)
                .ok_or_else(|| A::Error::custom("kind: must be click, open, unsubscribe or confirm"))
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

/// A header's value as a record holds it: cut to [`MAX_FIELD_BYTES`] at a character's border, nothing where empty.
#[must_use]
pub fn cut(mut value: String) -> Option<String> {
    if value.len() > MAX_FIELD_BYTES {
        value.truncate(value.floor_char_boundary(MAX_FIELD_BYTES));
    }
    Some(value).filter(|value| !value.is_empty())
}

/// A referer as a record holds it: without query and fragment, then [`cut`].
#[must_use]
pub fn cut_referer(mut value: String) -> Option<String> {
    if let Some(end) = value.find(['?', '#']) {
        value.truncate(end);
    }
    cut(value)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    const LEAST: &str =
        r#"{"event_id":"e","message_id":"m","recipient_id":"r","link_id":"l","ts_ms":2,"sent_at_ms":1}"#;

    fn with(field: &str, value: &str) -> Result<Record, String> {
        let mut object: Map<String, Value> = serde_json::from_str(LEAST).unwrap();
        object.insert(field.to_owned(), serde_json::from_str(value).unwrap());
        parse(&object)
    }

    fn parse(object: &Map<String, Value>) -> Result<Record, String> {
        Record::parse(&serde_json::to_string(object).unwrap())
    }

    #[test]
    fn the_least_record_gets_its_defaults() {
        let record = Record::parse(LEAST).unwrap();
        assert_eq!((record.kind, record.method.as_str()), (Kind::Click, "GET"));
        assert_eq!((record.link(), record.destination()), ("l", "l"));
    }

    #[test]
    fn every_required_field_is_missed_by_name() {
        for field in ["event_id", "message_id", "recipient_id", "ts_ms", "sent_at_ms", "link_id"] {
            for missing in ["null", "\"\""] {
                if missing == "null" || !field.ends_with("_ms") {
                    let error = with(field, missing).unwrap_err();
                    assert!(error.starts_with(&format!("{field}: missing")), "{field}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_broken_type_is_named() {
        for (field, value) in [
            ("ts_ms", "1.5"),
            ("ts_ms", "\"1\""),
            ("ts_ms", "9223372036854775808"),
            ("sent_at_ms", "true"),
            ("ip", "7"),
            ("asn", "\"8075\""),
            ("secure", "\"yes\""),
            ("secure", "1"),
            ("ip", "{\"v\":4}"),
            ("asn", "1e3"),
            ("kind", "\"visit\""),
            ("referer", "[]"),
        ] {
            let error = with(field, value).unwrap_err();
            assert!(error.starts_with(&format!("{field}: must be")), "{field}: {error}");
        }
    }

    #[test]
    fn a_url_stands_for_an_absent_link_id() {
        let mut object: Map<String, Value> = serde_json::from_str(LEAST).unwrap();
        object.remove("link_id");
        object.insert("url".to_owned(), "https://x.example/".into());
        let record = parse(&object).unwrap();
        assert_eq!((record.link(), record.destination()), ("https://x.example/", "https://x.example/"));
    }

    #[test]
    fn extra_fields_are_ignored_whatever_they_hold() {
        for value in ["1e999", "{\"ts_ms\":[]}", "[{},[null]]", "\"\\ud800\""] {
            let json = LEAST.replacen('{', &format!("{{\"extra\":{value},"), 1);
            assert_eq!(Record::parse(&json), Record::parse(LEAST), "{json}");
        }
    }

    #[test]
    fn escaped_names_and_values_are_read_and_the_last_of_a_name_counts() {
        let json = LEAST.replacen('{', r#"{"ip":"1.1.1.1","\u0069p":"\u0031.2.3.4","#, 1);
        assert_eq!(Record::parse(&json).unwrap().ip.as_deref(), Some("1.2.3.4"));
        assert_eq!(Record::parse(&json.replace(r#""\u0031.2.3.4""#, "null")).unwrap().ip, None);
    }

    #[test]
    fn what_is_no_json_object_says_so() {
        for (json, words) in [
            ("[1]", "a JSON object"),
            ("7", "a JSON object"),
            ("{", "not a JSON object: EOF"),
            ("{} x", "missing"),
        ] {
            let error = Record::parse(json).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn a_record_reads_what_it_wrote() {
        let record = Record { repeats: Some(3), secure: Some(true), ..Record::parse(LEAST).unwrap() };
        assert_eq!(Record::parse(&serde_json::to_string(&record).unwrap()), Ok(record));
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(cut("a".repeat(1_024)).unwrap().len(), 1_024);
        assert_eq!(cut(format!("{}é", "a".repeat(1_023))).unwrap().len(), 1_023);
        assert_eq!(cut(String::new()), None);
        assert_eq!(cut_referer("https://x.example/p?to=a@b".into()).unwrap(), "https://x.example/p");
        assert_eq!(cut_referer("https://x.example/#a@b?c".into()).unwrap(), "https://x.example/");
    }
}
