//! The stamp in the page's form: signed proof that this link's page was fetched some time before its button was
//! pressed. What submits every form the moment it sees it has a stamp that is too young.
//!
//! It names no visitor and needs no cookie. Version 1 is an [`envelope`](crate::link::envelope), bound to the link's token as it stands in the
//! path, that holds eight bytes: when it was issued, Unix milliseconds, big-endian.

use crate::link::envelope::{Envelope, Refusal};
use crate::link::keys::{Keyring, Purpose};

/// A stamp younger than this was not pressed by a hand, milliseconds.
pub const MIN_AGE_MS: i64 = 1_000;

/// A stamp older than this is nobody's open page any more: a day, milliseconds.
pub const MAX_AGE_MS: i64 = 86_400_000;

/// No stamp is longer: a key id has at most 16 characters.
const ENVELOPE: Envelope = Envelope { purpose: Purpose::Stamp, version: 1, max_chars: 64 };

/// The stamp of a page that is made now for the link of that token.
#[must_use]
pub fn seal(token: &str, now_ms: i64, keys: &Keyring) -> String {
    ENVELOPE.seal(&now_ms.to_be_bytes(), token.as_bytes(), keys)
}

/// Checks a stamp that came with a form for the link of that token.
///
/// # Errors
/// Why it does not hold.
pub fn check(stamp: &str, token: &str, now_ms: i64, keys: &Keyring) -> Result<(), Refusal> {
    let issued = ENVELOPE.open(stamp, token.as_bytes(), keys)?;
    let issued = issued.try_into().map_err(|_| Refusal::Malformed)?;
    match now_ms.saturating_sub(i64::from_be_bytes(issued)) {
        ..MIN_AGE_MS => Err(Refusal::TooYoung),
        MIN_AGE_MS..=MAX_AGE_MS => Ok(()),
        _ => Err(Refusal::Expired),
    }
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use proptest::prelude::*;

    use super::*;

    const ISSUED_MS: i64 = 1_795_348_800_000;

    fn keys(kid: &str, byte: u8) -> Keyring {
        let key = base64ct::Base64::encode_string(&[byte; 32]);
        Keyring::parse(&format!("{kid}:{key}")).0.unwrap()
    }

    /// Frozen: pages of an earlier deploy are open in browsers for a day.
    #[test]
    fn the_form_is_frozen() {
        let stamp = "AQJrMQAAAaIDIKIAap9ZkYPQq3W4gk78gVXfUQ";
        assert_eq!(seal("AQJrMQ", ISSUED_MS, &keys("k1", 7)), stamp);
        assert_eq!(check(stamp, "AQJrMQ", ISSUED_MS + 5_000, &keys("k1", 7)), Ok(()));
    }

    #[test]
    fn it_holds_from_a_second_to_a_day() {
        let keys = keys("k1", 7);
        let stamp = seal("token", ISSUED_MS, &keys);
        for (age_ms, expected) in [
            (-5_000, Err(Refusal::TooYoung)),
            (0, Err(Refusal::TooYoung)),
            (999, Err(Refusal::TooYoung)),
            (1_000, Ok(())),
            (86_400_000, Ok(())),
            (86_400_001, Err(Refusal::Expired)),
        ] {
            assert_eq!(check(&stamp, "token", ISSUED_MS + age_ms, &keys), expected, "{age_ms}");
        }
    }

    #[test]
    fn it_is_worth_nothing_elsewhere() {
        let (here, now_ms) = (keys("k1", 7), ISSUED_MS + 5_000);
        let stamp = seal("token", ISSUED_MS, &here);
        assert_eq!(check(&stamp, "other", now_ms, &here), Err(Refusal::Forged), "another link");
        assert_eq!(check(&stamp, "toke", now_ms, &here), Err(Refusal::Forged), "a part of the link");
        assert_eq!(check(&stamp, "token", now_ms, &keys("k1", 8)), Err(Refusal::Forged), "another secret");
        assert_eq!(check(&stamp, "token", now_ms, &keys("k2", 7)), Err(Refusal::UnknownKey));
        for bad in ["", "x", "====", &"A".repeat(65), &"A".repeat(1 << 20)] {
            assert_eq!(check(bad, "token", now_ms, &here), Err(Refusal::Malformed), "{} chars", bad.len());
        }
        let mut later = Base64UrlUnpadded::decode_vec(&stamp).unwrap();
        later[0] = 2;
        let later = Base64UrlUnpadded::encode_string(&later);
        assert_eq!(check(&later, "token", now_ms, &here), Err(Refusal::UnknownVersion));
    }

    proptest! {
        #[test]
        fn no_changed_byte_is_taken(at in 0_usize..28, flip in 1_u8..) {
            let keys = keys("k1", 7);
            let mut bytes = Base64UrlUnpadded::decode_vec(&seal("token", ISSUED_MS, &keys)).unwrap();
            prop_assert_eq!(bytes.len(), 28);
            bytes[at] ^= flip;
            let changed = Base64UrlUnpadded::encode_string(&bytes);
            prop_assert!(check(&changed, "token", ISSUED_MS + 5_000, &keys).is_err());
        }

        #[test]
        fn nothing_panics(stamp in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let keys = keys("k1", 7);
            let _ = check(&stamp, "token", ISSUED_MS, &keys);
            let _ = check(&Base64UrlUnpadded::encode_string(&bytes), "token", ISSUED_MS, &keys);
        }
    }
}
