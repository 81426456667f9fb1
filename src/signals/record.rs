//! The click record (contract §4): one JSON object that the edge logs, the object stores, `classify` reads and the
//! warehouse receives.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

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
}

impl Record {
    /// Reads a record from a JSON object and takes its fields out of it: what is left is extra.
    ///
    /// # Errors
    /// A message that names the first field that is missing or of a wrong type.
    pub fn take(object: &mut Map<String, Value>) -> Result<Self, String> {
        let mut fields = Fields(object);
        let record = Self {
            event_id: fields.required_text("event_id")?,
            message_id: fields.required_text("message_id")?,
            recipient_id: fields.required_text("recipient_id")?,
            link_id: fields.text("link_id")?,
            url: fields.text("url")?,
            kind: match fields.text("kind")? {
                None => Kind::Click,
                Some(name) => {
                    Kind::named(&name).ok_or("kind: must be click, open, unsubscribe or confirm")?
                }
            },
            ts_ms: fields.required_integer("ts_ms")?,
            sent_at_ms: fields.required_integer("sent_at_ms")?,
            delivered_at_ms: fields.integer("delivered_at_ms")?,
            links_total: fields.integer("links_total")?,
            method: fields.text("method")?.unwrap_or_else(|| "GET".to_owned()),
            ip: fields.text("ip")?,
            asn: fields.integer("asn")?,
            country: fields.text("country")?,
            user_agent: fields.text("user_agent")?,
            referer: fields.text("referer")?,
            accept: fields.text("accept")?,
            accept_language: fields.text("accept_language")?,
            sec_fetch_site: fields.text("sec_fetch_site")?,
            sec_fetch_mode: fields.text("sec_fetch_mode")?,
            sec_fetch_dest: fields.text("sec_fetch_dest")?,
            sec_fetch_user: fields.text("sec_fetch_user")?,
            sec_purpose: fields.text("sec_purpose")?,
            sec_ch_ua: fields.text("sec_ch_ua")?,
            x_forwarded_for: fields.text("x_forwarded_for")?,
            http_protocol: fields.text("http_protocol")?,
            secure: fields.boolean("secure")?,
            cookie: fields.text("cookie")?,
            visitor_id: fields.text("visitor_id")?,
            repeats: fields.integer("repeats")?,
        };
        if record.link_id.is_none() && record.url.is_none() {
            return Err("link_id: missing; a record needs link_id or url".to_owned());
        }
        Ok(record)
    }

    /// Reads a record from JSON text; extra fields are ignored.
    ///
    /// # Errors
    /// A message that says what is wrong with the text or the field.
    pub fn parse(json: &str) -> Result<Self, String> {
        let mut object: Map<String, Value> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Self::take(&mut object)
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

/// A JSON object whose fields are taken out one by one, by name and type.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => Err(format!("{name}: must be a string")),
        }
    }

    fn required_text(&mut self, name: &str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| format!("{name}: missing; a record needs it"))
    }

    fn integer(&mut self, name: &str) -> Result<Option<i64>, String> {
        self.take(name)
            .map(|value| value.as_i64().ok_or_else(|| format!("{name}: must be a whole number")))
            .transpose()
    }

    fn required_integer(&mut self, name: &str) -> Result<i64, String> {
        self.integer(name)?.ok_or_else(|| format!("{name}: missing; a record needs it"))
    }

    fn boolean(&mut self, name: &str) -> Result<Option<bool>, String> {
        self.take(name)
            .map(|value| value.as_bool().ok_or_else(|| format!("{name}: must be true or false")))
            .transpose()
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
    use super::*;

    const LEAST: &str =
        r#"{"event_id":"e","message_id":"m","recipient_id":"r","link_id":"l","ts_ms":2,"sent_at_ms":1}"#;

    fn with(field: &str, value: &str) -> Result<Record, String> {
        let mut object: Map<String, Value> = serde_json::from_str(LEAST).unwrap();
        object.insert(field.to_owned(), serde_json::from_str(value).unwrap());
        Record::take(&mut object)
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
        object.insert("campaign".to_owned(), "spring".into());
        let record = Record::take(&mut object).unwrap();
        assert_eq!((record.link(), record.destination()), ("https://x.example/", "https://x.example/"));
        assert_eq!(object.keys().collect::<Vec<_>>(), ["campaign"], "extra fields are left");
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
