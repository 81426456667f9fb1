//! The reference: which click led to a page view, for landing pages that our cookie does not reach.
//!
//! The redirect adds it to the destination, the page's beacon brings it back. It proves its own click and nothing else,
//! and that for a day. Version 1 is an [`envelope`](crate::link::envelope) that holds:
//!
//! | bytes | what |
//! | --- | --- |
//! | 16 | event id |
//! | 1 + n | object name |
//!
//! The beacon (`static/site/verify.js`), which knows no settings, finds it by this form.

use crate::link::envelope::{Envelope, Refusal, put_text, take_text};
use crate::link::keys::{Keyring, Purpose};
use crate::record::EventId;

/// How long after its click a reference is worth something, milliseconds: a day. The cookie's own are worth as long.
pub const MAX_AGE_MS: i64 = 86_400_000;

/// No reference is longer: the longest key id (16) and object name (139) come to 190 bytes.
const ENVELOPE: Envelope = Envelope { purpose: Purpose::Reference, version: 1, max_chars: 254 };

/// One click, and where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The click.
    pub event_id: EventId,
    /// The object that keeps it.
    pub object: String,
}

impl Reference {
    /// The reference's text.
    #[must_use]
    pub fn seal(&self, keys: &Keyring) -> String {
        let mut content = self.event_id.bytes().to_vec();
        put_text(&mut content, self.object.as_bytes());
        ENVELOPE.seal(&content, &[], keys)
    }

    /// Opens a reference at a time, Unix milliseconds.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn open(text: &str, keys: &Keyring, now_ms: i64) -> Result<Self, Refusal> {
        let content = ENVELOPE.open(text, &[], keys)?;
        let reference = Self::parse(&content).ok_or(Refusal::Malformed)?;
        if is_worth(reference.event_id, now_ms) { Ok(reference) } else { Err(Refusal::Expired) }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (event_id, rest) = bytes.split_first_chunk::<16>()?;
        let (object, rest) = take_text(rest)?;
        let object = std::str::from_utf8(object).ok()?.to_owned();
        rest.is_empty().then_some(Self { event_id: EventId::from_bytes(*event_id), object })
    }
}

/// Whether a click may still be proven: a clock that is behind the click's counts as its time.
#[must_use]
pub fn is_worth(click: EventId, now_ms: i64) -> bool {
    now_ms.saturating_sub(click.ts_ms()) <= MAX_AGE_MS
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use proptest::prelude::*;

    use super::*;
    use crate::proof::cookie::{self, Visitor};

    const THEN: i64 = 1_795_348_800_000;

    fn keys(byte: u8) -> Keyring {
        let key = base64ct::Base64::encode_string(&[byte; 32]);
        Keyring::parse(&format!("k{byte}:{key}")).0.unwrap()
    }

    fn reference() -> Reference {
        Reference { event_id: EventId::first_of(THEN), object: "spring-1".to_owned() }
    }

    /// `body` behind version and key id, signed for a purpose.
    fn signed(purpose: Purpose, version: u8, body: &[u8]) -> String {
        let signed = [&[version, 2], b"k1".as_slice(), body].concat();
        Base64UrlUnpadded::encode_string(&[&signed[..], &keys(1).sign(purpose, &signed)].concat())
    }

    /// Frozen: links followed before a deploy are proven after it.
    #[test]
    fn the_form_is_frozen() {
        assert_eq!(reference().seal(&keys(1)), FROZEN, "a reference of version 1 must be opened for a day");
        assert_eq!(Reference::open(FROZEN, &keys(1), THEN), Ok(reference()));
    }

    const FROZEN: &str = "AQJrMQGiAyCiAAAAAAAAAAAAAAAIc3ByaW5nLTHTjHoqKB13QcvmNoYp_u3J";

    #[test]
    fn it_is_worth_a_day_to_the_millisecond() {
        let text = reference().seal(&keys(1));
        for (words, now_ms, expected) in [
            ("at once", THEN, Ok(reference())),
            ("by a clock that is behind", THEN - 3_600_000, Ok(reference())),
            ("at the end of the day", THEN + 86_400_000, Ok(reference())),
            ("a millisecond later", THEN + 86_400_001, Err(Refusal::Expired)),
            ("years later", i64::MAX, Err(Refusal::Expired)),
        ] {
            assert_eq!(Reference::open(&text, &keys(1), now_ms), expected, "{words}");
        }
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let good = reference().seal(&keys(1));
        let body = [&[0; 16], b"\x01m".as_slice()].concat();
        let expired = Refusal::Expired;
        assert_eq!(Reference::open(&signed(Purpose::Reference, 1, &body), &keys(1), THEN), Err(expired));
        for (words, text, expected) in [
            ("nothing", String::new(), Refusal::Malformed),
            ("no base64url", "!!!!".to_owned(), Refusal::Malformed),
            ("padded", format!("{good}="), Refusal::Malformed),
            ("shorter than a signature", "AQ".to_owned(), Refusal::Malformed),
            ("overlong", "A".repeat(ENVELOPE.max_chars + 1), Refusal::Malformed),
            (
                "signed, with bytes left over",
                signed(Purpose::Reference, 1, &[&body[..], b"x"].concat()),
                Refusal::Malformed,
            ),
            (
                "signed, but no text",
                signed(Purpose::Reference, 1, &[&[0; 16], b"\x01\xff".as_slice()].concat()),
                Refusal::Malformed,
            ),
            ("the next version", signed(Purpose::Reference, 2, &body), Refusal::UnknownVersion),
            ("a key of others", reference().seal(&keys(2)), Refusal::UnknownKey),
            ("signed as a link", signed(Purpose::Token, 1, &body), Refusal::Forged),
            ("signed as a cookie", signed(Purpose::Cookie, 1, &body), Refusal::Forged),
            ("signed as a stamp", signed(Purpose::Stamp, 1, &body), Refusal::Forged),
            ("a cookie", Visitor::new([7; 16]).seal(&keys(1)), Refusal::Forged),
        ] {
            let refusal = Reference::open(&text, &keys(1), THEN).unwrap_err();
            assert_eq!((refusal, refusal.name()), (expected, expected.name()), "{words}");
        }
        let header = format!("{}={good}", cookie::NAME);
        assert_eq!(Visitor::open(&header, &keys(1)), None, "nor is it a cookie");
    }

    #[test]
    fn a_key_that_signs_no_more_still_verifies() {
        let text = |byte: u8| base64ct::Base64::encode_string(&[byte; 32]);
        let rotated = Keyring::parse(&format!("k2:{},k1:{}", text(2), text(1))).0.unwrap();
        assert_eq!(Reference::open(&reference().seal(&keys(1)), &rotated, THEN), Ok(reference()));
    }

    #[test]
    fn the_longest_fits() {
        let key = base64ct::Base64::encode_string(&[1; 32]);
        let keys = Keyring::parse(&format!("{}:{key}", "k".repeat(16))).0.unwrap();
        let longest = Reference { object: "m".repeat(139), ..reference() };
        let text = longest.seal(&keys);
        assert_eq!(text.len(), ENVELOPE.max_chars);
        assert_eq!(Reference::open(&text, &keys, THEN), Ok(longest));
    }

    proptest! {
        #[test]
        fn it_opens_to_itself_and_nothing_else_opens(
            event_id in any::<[u8; 16]>(),
            object in "[A-Za-z0-9._~@+=$!:#-]{1,139}",
            at in any::<prop::sample::Index>(),
            byte in "[A-Za-z0-9_-]",
            other in "[A-Za-z0-9_-]{1,300}",
        ) {
            let reference = Reference { event_id: EventId::from_bytes(event_id), object };
            let now_ms = reference.event_id.ts_ms();
            let text = reference.seal(&keys(1));
            prop_assert_eq!(Reference::open(&text, &keys(1), now_ms), Ok(reference));
            prop_assert!(Reference::open(&text, &keys(2), now_ms).is_err());
            let at = at.index(text.len());
            let (head, tail) = text.split_at(at);
            let altered = format!("{head}{byte}{}", &tail[1..]);
            for bad in [head, tail, &altered, &format!("{head}{byte}{tail}"), &format!("{head}{}", &tail[1..]), &other] {
                prop_assert!(bad == text || Reference::open(bad, &keys(1), now_ms).is_err(), "{}", bad);
            }
        }

        /// Behind a good signature the parser is the last guard: it must not panic, and it takes one spelling only.
        #[test]
        fn signed_bytes_open_only_in_their_one_spelling(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let text = signed(Purpose::Reference, ENVELOPE.version, &body);
            if let Ok(reference) = Reference::open(&text, &keys(1), 0) {
                prop_assert_eq!(reference.seal(&keys(1)), text);
            }
        }
    }
}
