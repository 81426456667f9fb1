//! The first-party cookie: a random visitor, and which clicks were the last three.
//!
//! A landing page on the same site brings it along, so that a page view can be credited to its click without a URL
//! parameter. Version 1 is an [`envelope`](crate::link::envelope) that holds:
//!
//! | bytes | what |
//! | --- | --- |
//! | 16 | visitor |
//! | up to 3 times | click: event id (16), head of SHA-256 of its URL's host (4), object name (1 + n) |

use sha2::{Digest, Sha256};

use super::reference;
use crate::link::envelope::{Envelope, put_text, take_text};
use crate::link::keys::{Keyring, Purpose};
use crate::record::EventId;
use crate::record::hex::push_hex;

/// The cookie's name: the prefix keeps it to this host and to secure origins.
pub const NAME: &str = "__Host-cp";

/// How many clicks it remembers.
const MAX_CLICKS: usize = 3;

/// How long it lives: a year, seconds.
pub const MAX_AGE_S: u32 = 31_536_000;

/// No value is longer: three clicks with the longest object names stay below it.
const ENVELOPE: Envelope = Envelope { purpose: Purpose::Cookie, version: 1, max_chars: 1_024 };

/// What the browser keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Random, made on the first click.
    pub id: [u8; 16],
    /// The last clicks, newest first.
    pub clicks: Vec<ClickRef>,
}

/// A click that the browser made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickRef {
    /// The click.
    pub event_id: EventId,
    /// The head of its URL's host: a page's own host tells which of the clicks led to it.
    pub host: [u8; 4],
    /// The object that keeps it.
    pub object: String,
}

impl ClickRef {
    /// The reference of a click whose URL has that host.
    #[must_use]
    pub fn new(event_id: EventId, host: &str, object: String) -> Self {
        Self { event_id, host: host_head(host), object }
    }
}

/// The head of a host's SHA-256: four bytes tell three clicks apart, and that is all they are for.
fn host_head(host: &str) -> [u8; 4] {
    let digest = Sha256::digest(host.as_bytes());
    [digest[0], digest[1], digest[2], digest[3]]
}

impl Visitor {
    /// Somebody new.
    #[must_use]
    pub const fn new(id: [u8; 16]) -> Self {
        Self { id, clicks: Vec::new() }
    }

    /// The visitor's id as records carry it: 32 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        let mut hex = String::with_capacity(32);
        push_hex(&mut hex, &self.id);
        hex
    }

    /// Remembers a click as the newest.
    pub fn clicked(&mut self, click: ClickRef) {
        self.clicks.insert(0, click);
        self.clicks.truncate(MAX_CLICKS);
    }

    /// The click that a page view belongs to: the newest of the last day that led to the page's host, else, for a page of
    /// our own site, the newest of the last day.
    #[must_use]
    pub fn credited(&self, page_host: Option<&str>, is_foreign: bool, now_ms: i64) -> Option<&ClickRef> {
        let head = page_host.map(host_head);
        let fresh = || self.clicks.iter().filter(|click| reference::is_worth(click.event_id, now_ms));
        fresh().find(|click| Some(click.host) == head).or_else(|| fresh().find(|_| !is_foreign))
    }

    /// The cookie's value.
    #[must_use]
    pub fn seal(&self, keys: &Keyring) -> String {
        let mut content = self.id.to_vec();
        for click in &self.clicks {
            content.extend_from_slice(&click.event_id.bytes());
            content.extend_from_slice(&click.host);
            put_text(&mut content, click.object.as_bytes());
        }
        ENVELOPE.seal(&content, &[], keys)
    }

    /// Finds and opens the cookie in a `Cookie` header; `None` where there is none that a key of ours has signed.
    #[must_use]
    pub fn open(header: &str, keys: &Keyring) -> Option<Self> {
        header
            .split(';')
            .filter_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
            .find_map(|value| Self::parse(value, keys))
    }

    fn parse(value: &str, keys: &Keyring) -> Option<Self> {
        let content = ENVELOPE.open(value, &[], keys).ok()?;
        let (id, mut rest) = content.split_first_chunk::<16>()?;
        let mut clicks = Vec::new();
        while let Some((event_id, tail)) = rest.split_first_chunk::<16>() {
            let (host, tail) = tail.split_first_chunk::<4>()?;
            let (object, tail) = take_text(tail)?;
            let object = std::str::from_utf8(object).ok()?.to_owned();
            clicks.push(ClickRef { event_id: EventId::from_bytes(*event_id), host: *host, object });
            rest = tail;
        }
        (rest.is_empty() && clicks.len() <= MAX_CLICKS).then_some(Self { id: *id, clicks })
    }
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use proptest::prelude::*;

    use super::*;

    fn keys(byte: u8) -> Keyring {
        let key = base64ct::Base64::encode_string(&[byte; 32]);
        Keyring::parse(&format!("k{byte}:{key}")).0.unwrap()
    }

    fn visitor(clicks: u8) -> Visitor {
        let mut visitor = Visitor::new([7; 16]);
        for n in 0..clicks {
            visitor.clicked(ClickRef::new(EventId::first_of(n.into()), "x.example", format!("m{n}")));
        }
        visitor
    }

    #[test]
    fn it_opens_to_itself_and_remembers_three() {
        for clicks in 0..6 {
            let visitor = visitor(clicks);
            let header = format!("a=b; {NAME}={}; c=d", visitor.seal(&keys(1)));
            assert_eq!(Visitor::open(&header, &keys(1)), Some(visitor.clone()));
            assert_eq!(visitor.clicks.len(), usize::from(clicks.min(3)));
            assert!(
                clicks == 0 || visitor.clicks[0].object == format!("m{}", clicks - 1),
                "the newest stands first"
            );
        }
    }

    #[test]
    fn the_longest_fits() {
        let mut visitor = visitor(0);
        for _ in 0..3 {
            visitor.clicked(ClickRef::new(EventId::first_of(0), "x", "m".repeat(139)));
        }
        let header = format!("{NAME}={}", visitor.seal(&keys(1)));
        assert_eq!(Visitor::open(&header, &keys(1)), Some(visitor));
    }

    #[test]
    fn an_altered_or_foreign_one_is_none() {
        let value = visitor(2).seal(&keys(1));
        assert_eq!(Visitor::open(&format!("{NAME}={value}"), &keys(2)), None);
        for at in 0..value.len() {
            let mut altered = value.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let header = format!("{NAME}={}", String::from_utf8(altered).unwrap());
            assert_eq!(Visitor::open(&header, &keys(1)), None, "{at}");
        }
        for bad in ["", "x", "__Host-cp=", "__Host-cp=!!!!", "__Host-cpx=AAAA"] {
            assert_eq!(Visitor::open(bad, &keys(1)), None, "{bad}");
        }
    }

    #[test]
    fn a_page_view_belongs_to_the_newest_click_that_led_to_its_host() {
        const DAY: i64 = 86_400_000;
        let mut visitor = Visitor::new([7; 16]);
        for (ts_ms, host) in [(1_000, "a.example"), (2_000, "b.example"), (3_000, "a.example")] {
            visitor.clicked(ClickRef::new(EventId::first_of(ts_ms), host, "m".to_owned()));
        }
        for (words, host, now_ms, expected) in [
            ("the newest of its host", Some("a.example"), 3_000, Some(3_000)),
            ("an older one of its host", Some("b.example"), 3_000, Some(2_000)),
            ("another host: the newest", Some("c.example"), 3_000, Some(3_000)),
            ("an unknown host: the newest", None, 3_000, Some(3_000)),
            ("the host's own is a day old", Some("b.example"), 2_000 + DAY, Some(2_000)),
            ("and older: the newest", Some("b.example"), 2_001 + DAY, Some(3_000)),
            ("all are older", Some("a.example"), 3_001 + DAY, None),
            ("a clock that is behind", Some("b.example"), 0, Some(2_000)),
        ] {
            let click = visitor.credited(host, false, now_ms).map(|click| click.event_id.ts_ms());
            assert_eq!(click, expected, "{words}");
        }
        assert_eq!(Visitor::new([7; 16]).credited(Some("a.example"), false, 0), None, "no click at all");
        // Another site is believed of its own clicks alone.
        for (host, expected) in [(Some("b.example"), Some(2_000)), (Some("c.example"), None), (None, None)] {
            let click = visitor.credited(host, true, 3_000).map(|click| click.event_id.ts_ms());
            assert_eq!(click, expected, "{host:?}");
        }
    }

    /// Frozen: browsers keep it for a year.
    #[test]
    fn the_form_is_frozen() {
        let value = visitor(1).seal(&keys(1));
        assert_eq!(value, FROZEN, "a cookie of version 1 must be opened for ever");
        assert_eq!(Visitor::open(&format!("{NAME}={FROZEN}"), &keys(1)), Some(visitor(1)));
    }

    const FROZEN: &str = "AQJrMQcHBwcHBwcHBwcHBwcHBwcAAAAAAAAAAAAAAAAAAAAAjXBEjwJtME1dWkAZTDIz5byob9dkDIA";

    proptest! {
        #[test]
        fn whatever_it_holds_opens_to_itself_and_nothing_else_opens(
            id in any::<[u8; 16]>(),
            clicks in prop::collection::vec(any::<([u8; 16], [u8; 4])>(), 0..=MAX_CLICKS),
            objects in prop::collection::vec("[A-Za-z0-9._~@+=$!:#-]{1,139}", MAX_CLICKS),
            at in any::<prop::sample::Index>(),
            other in "[A-Za-z0-9_-]{1,600}",
        ) {
            let clicks = clicks.into_iter().zip(objects).map(|((event_id, host), object)| ClickRef {
                event_id: EventId::from_bytes(event_id),
                host,
                object,
            });
            let visitor = Visitor { id, clicks: clicks.collect() };
            let value = visitor.seal(&keys(1));
            prop_assert_eq!(Visitor::open(&format!("{NAME}={value}"), &keys(1)), Some(visitor));
            let (head, tail) = value.split_at(at.index(value.len()));
            for bad in [head, tail, &format!("{head}_{tail}"), &format!("{head}{}", &tail[1..]), &other] {
                prop_assert!(bad == value || Visitor::open(&format!("{NAME}={bad}"), &keys(1)).is_none(), "{}", bad);
            }
        }

        /// Behind a good signature the parser is the last guard: it must not panic, and it takes one spelling only.
        #[test]
        fn signed_bytes_open_only_in_their_one_spelling(body in prop::collection::vec(any::<u8>(), 0..120)) {
            let keys = keys(1);
            let signed = [&[ENVELOPE.version, 2], b"k1".as_slice(), &body].concat();
            let value = Base64UrlUnpadded::encode_string(&[&signed[..], &keys.sign(Purpose::Cookie, &signed)].concat());
            if let Some(visitor) = Visitor::open(&format!("{NAME}={value}"), &keys) {
                prop_assert_eq!(visitor.seal(&keys), value);
            }
        }
    }
}
