//! The stamp in the page's form: signed proof that this link's page was fetched some time before its button was
//! pressed. What submits every form the moment it sees it has a stamp that is too young.
//!
//! It names no visitor and needs no cookie. Version 1, before base64url without padding:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | version, 1 |
//! | 1 + n | key id |
//! | 8 | issued at, Unix milliseconds, big-endian |
//! | 16 | HMAC-SHA-256 over all bytes before and the link's token as it stands in the path, cut to 128 bits |

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::link::keys::{Keyring, MAC_BYTES, Purpose};
use crate::link::token::put_text;

/// A stamp younger than this was not pressed by a hand, milliseconds.
pub const MIN_AGE_MS: i64 = 1_000;

/// A stamp older than this is nobody's open page any more: a day, milliseconds.
pub const MAX_AGE_MS: i64 = 86_400_000;

/// The version that is written.
const VERSION: u8 = 1;

/// No stamp is longer: a key id has at most 16 characters.
const MAX_CHARS: usize = 64;

/// Why a stamp does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not the form of a stamp.
    Malformed,
    /// A version that this build does not know.
    UnknownVersion,
    /// Signed by a key that is not in `LINK_KEYS`.
    UnknownKey,
    /// The signature does not fit: somebody made it up, or it is another link's.
    Forged,
    /// Younger than [`MIN_AGE_MS`].
    TooYoung,
    /// Older than [`MAX_AGE_MS`].
    Expired,
}

impl Refusal {
    /// The name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "stamp_malformed",
            Self::UnknownVersion => "stamp_unknown_version",
            Self::UnknownKey => "stamp_unknown_key",
            Self::Forged => "stamp_forged",
            Self::TooYoung => "stamp_too_young",
            Self::Expired => "stamp_expired",
        }
    }
}

/// The stamp of a page that is made now for the link of that token.
#[must_use]
pub fn seal(token: &str, now_ms: i64, keys: &Keyring) -> String {
    let mut bytes = vec![VERSION];
    put_text(&mut bytes, keys.signer().as_bytes());
    bytes.extend_from_slice(&now_ms.to_be_bytes());
    let signature = keys.sign(Purpose::Stamp, &[&bytes, token.as_bytes()].concat());
    bytes.extend_from_slice(&signature);
    Base64UrlUnpadded::encode_string(&bytes)
}

/// Checks a stamp that came with a form for the link of that token.
///
/// # Errors
/// Why it does not hold.
pub fn check(stamp: &str, token: &str, now_ms: i64, keys: &Keyring) -> Result<(), Refusal> {
    if stamp.len() > MAX_CHARS {
        return Err(Refusal::Malformed);
    }
    let bytes = Base64UrlUnpadded::decode_vec(stamp).map_err(|_| Refusal::Malformed)?;
    let (signed, signature) = bytes
        .len()
        .checked_sub(MAC_BYTES)
        .and_then(|end| bytes.split_at_checked(end))
        .ok_or(Refusal::Malformed)?;
    let (version, rest) = signed.split_first().ok_or(Refusal::Malformed)?;
    if *version != VERSION {
        return Err(Refusal::UnknownVersion);
    }
    let (length, rest) = rest.split_first().ok_or(Refusal::Malformed)?;
    let (kid, issued) = rest.split_at_checked(usize::from(*length)).ok_or(Refusal::Malformed)?;
    let issued_ms = i64::from_be_bytes(issued.try_into().map_err(|_| Refusal::Malformed)?);
    match keys.verify(Purpose::Stamp, kid, &[signed, token.as_bytes()].concat(), signature) {
        None => Err(Refusal::UnknownKey),
        Some(false) => Err(Refusal::Forged),
        Some(true) => match now_ms.saturating_sub(issued_ms) {
            ..MIN_AGE_MS => Err(Refusal::TooYoung),
            MIN_AGE_MS..=MAX_AGE_MS => Ok(()),
            _ => Err(Refusal::Expired),
        },
    }
}

#[cfg(test)]
mod tests {
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
