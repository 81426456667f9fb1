//! The click record (contract §4): one JSON object that the edge logs, the object stores, `classify` reads and the
//! warehouse receives.

pub mod columns;
mod delivery;
mod event_id;
mod fields;
pub mod hex;
mod kind;
pub mod moment;
pub(crate) mod named;
pub mod packed;
pub(crate) mod read;
mod verb;
mod verified;
mod words;

use serde::Serialize;

pub use delivery::Delivery;
pub use event_id::{EventId, EventIds};
pub use kind::Kind;
pub use verb::Verb;
pub use verified::{Sighting, Verified};
pub use words::{CookieState, Way};

/// The longest that any free text of a request may be, bytes. What is longer is cut, so that no record outgrows a
/// queue message.
pub const MAX_FIELD_BYTES: usize = 1_024;

/// The event of the log whose `record` is one that no object took.
pub const UNRECORDED: &str = "click.unrecorded";

/// One request to a tracked link. Absent and empty text mean the same, `None`, but for `user_agent`: where it stands and is
/// empty, somebody has looked and there was none.
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
    /// When it came back, Unix milliseconds, where it is known to have: few do, so where it is absent no line names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounced_at_ms: Option<i64>,
    /// The part of the list that the addressee belongs to, in the sender's own word, from the token: not every sender tells, so
    /// where it is absent no line names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Tracked links in that recipient's copy, where known.
    pub links_total: Option<i64>,
    /// The HTTP method; empty, which is written as null, where `PRIVACY` keeps none.
    #[serde(serialize_with = "null_where_empty")]
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
    /// What the rules have seen of the request, where less of it is kept: `signals::stored`. It goes with the record where that is to
    /// be judged, and nowhere else.
    #[serde(skip_serializing)]
    pub signals: Option<String>,
    /// What the landing page showed, where the record comes with a verdict: the verdict writes it.
    #[serde(skip_serializing)]
    pub verified: Verified,
}

impl Record {
    /// Which link of the message: `link_id`, or `url` where that is absent.
    #[must_use]
    pub fn link(&self) -> &str {
        self.link_id.as_deref().or(self.url.as_deref()).unwrap_or_default()
    }

    /// The agent, where there is one.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.user_agent.as_deref().filter(|agent| !agent.trim_ascii().is_empty())
    }

    /// Whether the record knows headers other than agent and referer, which logs without any others hold too: what is missing
    /// of them was not sent. A record that holds none knows nothing of them.
    #[must_use]
    pub fn knows_headers(&self) -> bool {
        self.http_protocol.is_some()
            || self.accept.is_some()
            || self.accept_language.is_some()
            || self.sec_fetch_site.is_some()
            || self.sec_fetch_mode.is_some()
            || self.sec_fetch_dest.is_some()
            || self.sec_fetch_user.is_some()
            || self.sec_purpose.is_some()
            || self.sec_ch_ua.is_some()
            || self.x_forwarded_for.is_some()
    }

    /// Whether the request is known to have come without an agent.
    #[must_use]
    pub fn has_no_agent(&self) -> bool {
        self.agent().is_none() && (self.user_agent.is_some() || self.knows_headers())
    }

    /// Where it leads: `url`, or `link_id` where that is absent.
    #[must_use]
    pub fn destination(&self) -> &str {
        self.url.as_deref().or(self.link_id.as_deref()).unwrap_or_default()
    }
}

#[expect(clippy::ptr_arg, reason = "the field's type, which serde hands over")]
fn null_where_empty<S: serde::Serializer>(text: &String, serializer: S) -> Result<S::Ok, S::Error> {
    if text.is_empty() { serializer.serialize_none() } else { serializer.serialize_str(text) }
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
            ("group", "7"),
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
    fn a_group_is_as_it_is_given_and_empty_is_none() {
        for (value, group) in [("null", None), ("\"\"", None), ("\"Orange France\"", Some("Orange France"))] {
            assert_eq!(with("group", value).unwrap().group.as_deref(), group, "{value}");
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
    fn a_record_from_outside_has_times_in_milliseconds() {
        let given = |json: &str| Record::given(json, &mut |_| {});
        let json = LEAST
            .replace(":2,", ":1795348860000,")
            .replace(":1}", ":1795348800000,\"delivered_at_ms\":null}");
        assert_eq!(given(&json), Record::parse(&json));
        for (name, from, to) in [
            ("ts_ms", "1795348860000", "1795348860"),
            ("sent_at_ms", "1795348800000", "1795348800"),
            ("delivered_at_ms", "null", "1795348801"),
        ] {
            let json = json.replace(from, to);
            let words = format!("`{name}` is {to}, which looks like seconds: give Unix milliseconds");
            assert_eq!(given(&json), Err(words));
            assert!(Record::parse(&json).is_ok(), "what is stored is read for ever");
        }
    }

    #[test]
    fn the_names_of_extra_fields_are_handed_over() {
        let json = LEAST.replacen(
            '{',
            r#"{"useragent":"curl/8","\u0069p":null,"verified":"none","x":[{"ip":1}],"#,
            1,
        );
        let mut names = Vec::new();
        assert!(
            Record::given(&json, &mut |name| names.push(name.to_owned())).is_err(),
            "its times are of 1970"
        );
        assert_eq!(names, ["useragent", "x"]);
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
            ("{} x", "not a JSON object: trailing characters at byte 4"),
        ] {
            let error = Record::parse(json).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn a_record_reads_what_it_wrote() {
        let group = Some("de".to_owned());
        let record = Record { repeats: Some(3), secure: Some(true), group, ..Record::parse(LEAST).unwrap() };
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
