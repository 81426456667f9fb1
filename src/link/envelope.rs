//! The envelope of what browsers keep for us: the cookie, the reference of a landing page, the stamp of a form.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | version |
//! | 1 + n | key id |
//! | n | what it holds |
//! | 16 | HMAC-SHA-256 over all bytes before, and over what it is bound to, cut to 128 bits |
//!
//! As base64url without padding, of which there is one spelling. Links have a form of their own ([`super::token`]), which is
//! older in mailboxes than anything could be here.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::keys::{Keyring, MAC_BYTES, Purpose};

/// Why something signed is not taken: an envelope, or a link. To the visitor all are the same; the log tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not the form of one, or another spelling of one.
    Malformed,
    /// A version that this build does not know.
    UnknownVersion,
    /// Signed by a key that is not in `LINK_KEYS`.
    UnknownKey,
    /// The signature does not fit.
    Forged,
    /// Younger than it may be: a stamp.
    TooYoung,
    /// Older than it may be: a stamp, a reference.
    Expired,
}

impl Refusal {
    /// The name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::UnknownKey => "unknown_key",
            Self::Forged => "forged",
            Self::TooYoung => "too_young",
            Self::Expired => "expired",
        }
    }
}

/// What an envelope is for: its key, its version, and how long its text may be, characters.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// Which key signs it.
    pub purpose: Purpose,
    /// The version that is written and read.
    pub version: u8,
    /// No text is longer.
    pub max_chars: usize,
}

impl Envelope {
    /// Signs what an envelope holds, bound to something that does not stand in it (or to nothing).
    #[must_use]
    pub fn seal(self, content: &[u8], bound_to: &[u8], keys: &Keyring) -> String {
        let mut bytes = Vec::with_capacity(64 + content.len());
        bytes.push(self.version);
        put_text(&mut bytes, keys.signer().as_bytes());
        bytes.extend_from_slice(content);
        let signature = keys.sign(self.purpose, &[&bytes, bound_to].concat());
        bytes.extend_from_slice(&signature);
        Base64UrlUnpadded::encode_string(&bytes)
    }

    /// Opens an envelope: what it holds.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn open(self, text: &str, bound_to: &[u8], keys: &Keyring) -> Result<Vec<u8>, Refusal> {
        let bytes = decode(text, self.max_chars)?;
        let (signed, signature) = split(&bytes)?;
        let (&version, rest) = signed.split_first().ok_or(Refusal::Malformed)?;
        if version != self.version {
            return Err(Refusal::UnknownVersion);
        }
        let (kid, content) = take_text(rest).ok_or(Refusal::Malformed)?;
        match keys.verify(self.purpose, kid, &[signed, bound_to].concat(), signature) {
            None => Err(Refusal::UnknownKey),
            Some(false) => Err(Refusal::Forged),
            Some(true) => Ok(content.to_vec()),
        }
    }
}

/// The bytes of a text of at most so many characters, in its one spelling.
pub(super) fn decode(text: &str, max_chars: usize) -> Result<Vec<u8>, Refusal> {
    if text.len() > max_chars {
        return Err(Refusal::Malformed);
    }
    Base64UrlUnpadded::decode_vec(text).map_err(|_| Refusal::Malformed)
}

/// What is signed, and its signature.
pub(super) fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let end = bytes.len().checked_sub(MAC_BYTES);
    end.and_then(|end| bytes.split_at_checked(end)).ok_or(Refusal::Malformed)
}

/// Puts text behind the byte of its length.
#[expect(
    clippy::cast_possible_truncation,
    reason = "ids and key ids have at most 128 bytes, object names 139"
)]
pub(crate) fn put_text(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.push(text.len() as u8);
    bytes.extend_from_slice(text);
}

/// Takes text from behind the byte of its length: the text and what follows it.
pub(crate) fn take_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(length.into())
}
