//! A request with all that most answers need: what handlers take. The entry hands it over as one text, so that it costs one
//! crossing and can be tested without a runtime; who needs its body as well takes [`super::raw`].

use super::problem::Problem;
use crate::config::Config;
use crate::link::keys::Keyring;
use crate::link::place::Place;
use crate::link::{Link, token};
use crate::record::{self, EventId, Kind, Record, Verb};

/// The protocol where the platform tells none: a record that has one knows headers (contract §4), and here they are always
/// known.
const SOME_PROTOCOL: &str = "HTTP";

/// A header that an answer or a record looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    Ip,
    UserAgent,
    Referer,
    Accept,
    AcceptLanguage,
    SecFetchSite,
    SecFetchMode,
    SecFetchDest,
    SecFetchUser,
    SecPurpose,
    Purpose,
    XMoz,
    SecChUa,
    XForwardedFor,
    SecGpc,
    Cookie,
}

impl Header {
    /// All of them with their names, in the order in which the entry hands over their values.
    pub(super) const ALL: [(Self, &'static str); 16] = [
        (Self::Ip, "cf-connecting-ip"),
        (Self::UserAgent, "user-agent"),
        (Self::Referer, "referer"),
        (Self::Accept, "accept"),
        (Self::AcceptLanguage, "accept-language"),
        (Self::SecFetchSite, "sec-fetch-site"),
        (Self::SecFetchMode, "sec-fetch-mode"),
        (Self::SecFetchDest, "sec-fetch-dest"),
        (Self::SecFetchUser, "sec-fetch-user"),
        (Self::SecPurpose, "sec-purpose"),
        (Self::Purpose, "purpose"),
        (Self::XMoz, "x-moz"),
        (Self::SecChUa, "sec-ch-ua"),
        (Self::XForwardedFor, "x-forwarded-for"),
        (Self::SecGpc, "sec-gpc"),
        (Self::Cookie, "cookie"),
    ];
}

/// A request that came in.
pub(super) struct Incoming<'a> {
    pub(super) verb: Verb,
    pub(super) place: Place<'a>,
    pub(super) config: &'a Config,
    method: &'a str,
    headers: [&'a str; Header::ALL.len()],
    asn: &'a str,
    http_protocol: &'a str,
    country: &'a str,
}

impl<'a> Incoming<'a> {
    /// Reads what the entry hands over, a line each: method, URL, the values of [`Header::ALL`], then what the platform says
    /// of the connection: AS number, protocol, country. What is not there is an empty line.
    pub(super) fn of(shown: &'a str, config: &'a Config) -> Self {
        // No method, URL or header holds a line break.
        let mut lines = shown.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        let method = next();
        Self {
            verb: Verb::named(method),
            method,
            place: Place::of(next()),
            config,
            headers: std::array::from_fn(|_| next()),
            asn: next(),
            http_protocol: next(),
            country: next(),
        }
    }

    /// A header's value, where there is one that is not empty.
    pub(super) fn header(&self, header: Header) -> Option<&'a str> {
        self.headers.get(header as usize).copied().filter(|value| !value.is_empty())
    }

    /// Whether the visitor asks not to be tracked (Global Privacy Control): no cookie then, and no reference.
    pub(super) fn refuses_tracking(&self) -> bool {
        self.header(Header::SecGpc) == Some("1")
    }

    /// The `Cookie` header, where it may be read: the cookie is on, and the visitor lets us.
    pub(super) fn cookies(&self) -> Option<&'a str> {
        if self.config.cookie && !self.refuses_tracking() { self.header(Header::Cookie) } else { None }
    }

    /// Whether a page of another site asks.
    pub(super) fn is_cross_site(&self) -> bool {
        self.header(Header::SecFetchSite) == Some("cross-site")
    }

    /// `Sec-Purpose`, or what older browsers send for it.
    pub(super) fn purpose(&self) -> Option<&'a str> {
        [Header::SecPurpose, Header::Purpose, Header::XMoz].into_iter().find_map(|header| self.header(header))
    }

    /// The link at the start of a path's tail, where it is of one of these kinds, with the keys that opened it.
    ///
    /// # Errors
    /// There are no keys, or the link is none of ours.
    pub(super) fn link(&self, tail: &str, kinds: &[Kind]) -> Result<(&'a Keyring, Link), Problem> {
        let keys = self.config.keys.as_ref().ok_or(Problem::TryLater)?;
        match token::open(token::leading(tail), keys) {
            Ok(link) if kinds.contains(&link.kind) => Ok((keys, link)),
            Ok(_) => Err(Problem::BadLink("wrong_kind")),
            Err(refusal) => Err(Problem::BadLink(refusal.name())),
        }
    }

    /// What the request shows, without the cookie.
    pub(super) fn record(&self, link: &Link, id: EventId) -> Record {
        let cut = |value: &str| record::cut(value.to_owned());
        let text = |header| self.header(header).and_then(cut);
        Record {
            event_id: id.to_string(),
            message_id: link.message_id.clone(),
            recipient_id: link.recipient_id.clone(),
            link_id: Some(link.link_id.clone()),
            url: link.url.as_ref().map(|url| url.as_str().to_owned()),
            kind: link.kind,
            ts_ms: id.ts_ms(),
            sent_at_ms: i64::try_from(link.sent_at_ms).unwrap_or(i64::MAX),
            group: link.group.clone(),
            links_total: Some(link.links_total.into()),
            method: self.method.to_owned(),
            ip: text(Header::Ip),
            asn: self.asn.parse().ok(),
            country: cut(self.country),
            user_agent: text(Header::UserAgent),
            referer: self.header(Header::Referer).map(str::to_owned).and_then(record::cut_referer),
            accept: text(Header::Accept),
            accept_language: text(Header::AcceptLanguage),
            sec_fetch_site: text(Header::SecFetchSite),
            sec_fetch_mode: text(Header::SecFetchMode),
            sec_fetch_dest: text(Header::SecFetchDest),
            sec_fetch_user: text(Header::SecFetchUser),
            sec_purpose: self.purpose().and_then(cut),
            sec_ch_ua: text(Header::SecChUa),
            x_forwarded_for: text(Header::XForwardedFor),
            http_protocol: cut(self.http_protocol).or_else(|| cut(SOME_PROTOCOL)),
            secure: Some(self.place.is_secure()),
            ..Record::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;
    use crate::link::url::Target;

    const ID: &str = "019a0000-0000-7000-8000-000000000000";

    fn config(settings: &[(&str, &str)]) -> Config {
        Config::read(
            settings.iter().map(|(name, value)| ((*name).to_owned(), Value::Text((*value).to_owned()))),
        )
    }

    /// A request as the entry hands it over.
    fn shown(method: &str, url: &str, headers: &[(&str, &str)], cf: [&str; 3]) -> String {
        let value = |wanted| headers.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value);
        let mut lines = vec![method, url];
        lines.extend(Header::ALL.iter().map(|(_, name)| value(*name)));
        lines.extend(cf);
        lines.join("\n")
    }

    fn link() -> Link {
        Link {
            kind: Kind::Click,
            shards: 1,
            links_total: 7,
            sent_at_ms: 5,
            message_id: "m".to_owned(),
            recipient_id: "r".to_owned(),
            link_id: "l".to_owned(),
            group: Some("de".to_owned()),
            url: Some(Target::parse("https://shop.example/").unwrap()),
        }
    }

    fn record(shown: &str) -> Record {
        Incoming::of(shown, &config(&[])).record(&link(), EventId::parse(ID).unwrap())
    }

    #[test]
    fn every_header_stands_where_it_is_looked_for() {
        for (at, (header, name)) in Header::ALL.into_iter().enumerate() {
            assert_eq!(header as usize, at, "{name}");
            let shown = shown("GET", "https://c.example/", &[(name, "x")], [""; 3]);
            let config = config(&[]);
            let incoming = Incoming::of(&shown, &config);
            for (other, _) in Header::ALL {
                assert_eq!(incoming.header(other), (other == header).then_some("x"), "{name} {other:?}");
            }
        }
    }

    #[test]
    fn a_record_has_what_the_request_shows() {
        let headers = [
            ("cf-connecting-ip", "192.0.2.1"),
            ("user-agent", "Ü"),
            ("referer", "https://x.example/a?address#b"),
            ("accept", "1"),
            ("accept-language", "2"),
            ("sec-fetch-site", "3"),
            ("sec-fetch-mode", "4"),
            ("sec-fetch-dest", "5"),
            ("sec-fetch-user", "6"),
            ("sec-purpose", "7"),
            ("sec-ch-ua", "8"),
            ("x-forwarded-for", "9"),
        ];
        let some = |text: &str| Some(text.to_owned());
        let cf = ["8075", "HTTP/2", "IE"];
        let expected = Record {
            event_id: ID.to_owned(),
            message_id: "m".to_owned(),
            recipient_id: "r".to_owned(),
            link_id: some("l"),
            url: some("https://shop.example/"),
            ts_ms: EventId::parse(ID).unwrap().ts_ms(),
            sent_at_ms: 5,
            group: some("de"),
            links_total: Some(7),
            method: "PROPFIND".to_owned(),
            ip: some("192.0.2.1"),
            asn: Some(8_075),
            country: some("IE"),
            user_agent: some("Ü"),
            referer: some("https://x.example/a"),
            accept: some("1"),
            accept_language: some("2"),
            sec_fetch_site: some("3"),
            sec_fetch_mode: some("4"),
            sec_fetch_dest: some("5"),
            sec_fetch_user: some("6"),
            sec_purpose: some("7"),
            sec_ch_ua: some("8"),
            x_forwarded_for: some("9"),
            http_protocol: some("HTTP/2"),
            secure: Some(true),
            ..Record::default()
        };
        assert_eq!(record(&shown("PROPFIND", "https://c.example/c/x", &headers, cf)), expected);
    }

    #[test]
    fn what_is_not_there_or_odd_is_nothing() {
        for asn in ["", "x", "1.5", "99999999999999999999"] {
            let record = record(&shown("GET", "http://c.example/", &[], [asn, "", ""]));
            assert_eq!((record.asn, record.country), (None, None), "{asn}");
            assert_eq!(record.http_protocol.as_deref(), Some(SOME_PROTOCOL), "headers are known here");
            assert_eq!((record.user_agent, record.secure), (None, Some(false)));
        }
        // Nothing at all is a request of no method to nowhere.
        assert_eq!(record("").method, "");
        assert_eq!(Incoming::of("", &config(&[])).verb, Verb::Other);
    }

    #[test]
    fn a_header_is_cut_where_a_record_holds_it_and_nowhere_else() {
        let long = "x".repeat(2_000);
        let shown =
            shown("GET", "https://c.example/", &[("user-agent", &long), ("cookie", &long)], ["", "", &long]);
        let record = record(&shown);
        assert_eq!(record.user_agent.unwrap().len(), record::MAX_FIELD_BYTES);
        assert_eq!(record.country.unwrap().len(), record::MAX_FIELD_BYTES);
        assert_eq!(Incoming::of(&shown, &config(&[])).cookies(), Some(long.as_str()));
    }

    #[test]
    fn older_words_for_a_purpose_count_where_the_new_one_is_not_there() {
        for (headers, expected) in [
            (&[("sec-purpose", "a"), ("purpose", "b"), ("x-moz", "c")][..], Some("a")),
            (&[("purpose", "b"), ("x-moz", "c")], Some("b")),
            (&[("x-moz", "c")], Some("c")),
            (&[], None),
        ] {
            let shown = shown("GET", "https://c.example/", headers, [""; 3]);
            assert_eq!(Incoming::of(&shown, &config(&[])).purpose(), expected);
            assert_eq!(record(&shown).sec_purpose.as_deref(), expected);
        }
    }

    #[test]
    fn the_cookie_is_read_where_settings_and_visitor_let_us() {
        for (cookie, gpc, expected) in [
            ("on", "", Some("a=b")),
            ("on", "0", Some("a=b")),
            ("on", "1", None),
            ("off", "", None),
            ("off", "1", None),
        ] {
            let shown = shown("GET", "https://c.example/", &[("cookie", "a=b"), ("sec-gpc", gpc)], [""; 3]);
            let config = config(&[("COOKIE", cookie)]);
            let incoming = Incoming::of(&shown, &config);
            assert_eq!((incoming.cookies(), incoming.refuses_tracking()), (expected, gpc == "1"));
        }
    }

    #[test]
    fn a_link_is_refused_by_the_name_of_what_is_wrong_with_it() {
        let keyed = config(&[("LINK_KEYS", &format!("k:{}", "A".repeat(43)))]);
        let keys = keyed.keys.as_ref().unwrap();
        let open = token::seal(&link(), keys);
        let refusal = |tail: &str, kind, config: &Config| {
            let shown = shown("GET", "https://c.example/", &[], [""; 3]);
            Incoming::of(&shown, config).link(tail, &[kind]).err().map(|problem| format!("{problem:?}"))
        };
        assert_eq!(refusal(&open, Kind::Click, &keyed), None);
        assert_eq!(refusal(&format!("{open}.&amp;"), Kind::Click, &keyed), None);
        assert_eq!(refusal(&open, Kind::Open, &keyed).as_deref(), Some("BadLink(\"wrong_kind\")"));
        assert_eq!(refusal("AQ", Kind::Click, &keyed).as_deref(), Some("BadLink(\"malformed\")"));
        assert_eq!(refusal(&open, Kind::Click, &config(&[])).as_deref(), Some("TryLater"));
    }
}
