//! The signing keys: any of them verifies, the first signs, and each use has a key of its own derived by label.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::base64;

/// The fewest bytes that a secret may have.
pub const MIN_KEY_BYTES: usize = 32;

/// How many bytes of HMAC-SHA-256 a signature keeps: 128 bits.
pub const MAC_BYTES: usize = 16;

/// The longest key id, characters.
const MAX_KID: usize = 16;

/// What a derived key is for. The labels are part of the formats: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Links in mail.
    Token,
    /// The visitor's cookie.
    Cookie,
    /// References of landing pages to their clicks.
    Reference,
    /// Stamps in the forms of links that act.
    Stamp,
    /// Numbers that stand for addresses and visitors where these are not kept.
    Signals,
}

impl Purpose {
    const ALL: [Self; 5] = [Self::Token, Self::Cookie, Self::Reference, Self::Stamp, Self::Signals];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::Token => b"clickproof token 1",
            Self::Cookie => b"clickproof cookie 1",
            Self::Reference => b"clickproof reference 1",
            Self::Stamp => b"clickproof stamp 1",
            Self::Signals => b"clickproof signals 1",
        }
    }
}

struct Key {
    kid: String,
    derived: [Hmac<Sha256>; Purpose::ALL.len()],
}

/// The keys of `LINK_KEYS`, in their order.
pub struct Keyring {
    keys: Vec<Key>,
}

impl Keyring {
    /// Reads `kid:base64,kid:base64…`, the signing key first. What cannot be used is left out and named, so that one
    /// slip does not break the links that the other keys have signed; without any usable key there is no ring.
    #[must_use]
    pub fn parse(text: &str) -> (Option<Self>, Vec<String>) {
        let (mut keys, mut problems) = (Vec::<Key>::new(), Vec::new());
        for (at, entry) in text.split(',').map(str::trim).enumerate() {
            match Key::parse(entry) {
                Ok(key) if keys.iter().any(|other| other.kid == key.kid) => {
                    problems.push(format!("entry {}: key id {} stands twice", at + 1, key.kid));
                }
                Ok(key) => keys.push(key),
                Err(problem) => problems.push(format!("entry {}: {problem}", at + 1)),
            }
        }
        (Some(Self { keys }).filter(|ring| !ring.keys.is_empty()), problems)
    }

    /// The id of the key that signs.
    #[must_use]
    pub fn signer(&self) -> &str {
        self.keys.first().map_or("", |key| &key.kid)
    }

    /// The signature of `bytes` under the signing key.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, bytes: &[u8]) -> [u8; MAC_BYTES] {
        let mut signature = [0; MAC_BYTES];
        if let Some(key) = self.keys.first() {
            let full = key.derived[purpose as usize].clone().chain_update(bytes).finalize().into_bytes();
            signature.copy_from_slice(&full[..MAC_BYTES]);
        }
        signature
    }

    /// Whether the key of that id signed `bytes`, compared in constant time; nothing when there is no such key.
    #[must_use]
    pub fn verify(&self, purpose: Purpose, kid: &[u8], bytes: &[u8], signature: &[u8]) -> Option<bool> {
        let key = self.keys.iter().find(|key| key.kid.as_bytes() == kid)?;
        let mac = key.derived[purpose as usize].clone().chain_update(bytes);
        Some(signature.len() == MAC_BYTES && mac.verify_truncated_left(signature).is_ok())
    }
}

impl Key {
    fn parse(entry: &str) -> Result<Self, String> {
        let (kid, secret) = entry.split_once(':').ok_or("must be a key id, a colon and the key in base64")?;
        if kid.is_empty()
            || kid.len() > MAX_KID
            || !kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        {
            return Err(format!("the key id must be 1 to {MAX_KID} of A-Z a-z 0-9 . _ -"));
        }
        let secret = base64::decode(secret).ok_or_else(|| format!("key {kid} is not base64"))?;
        if secret.len() < MIN_KEY_BYTES {
            return Err(format!("key {kid} has {} bytes; it needs at least {MIN_KEY_BYTES}", secret.len()));
        }
        Ok(Self { kid: kid.to_owned(), derived: Purpose::ALL.map(|purpose| derive(&secret, purpose)) })
    }
}

/// One step of HKDF-Expand (RFC 5869): the secret is uniform already, so there is nothing to extract.
fn derive(secret: &[u8], purpose: Purpose) -> Hmac<Sha256> {
    let key = keyed(secret).chain_update(purpose.label()).chain_update([1]).finalize().into_bytes();
    keyed(&key)
}

/// HMAC-SHA-256 under a secret of any length.
pub(crate) fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    // The constructor's error belongs to MACs that are choosy about their keys.
    Hmac::new_from_slice(secret).expect("HMAC takes a key of any length")
}

/// Whether two secrets are the same, in constant time: their MACs under one key are compared, so that neither their
/// bytes nor their lengths show in the time it takes.
#[must_use]
pub fn same_secret(one: &str, other: &str) -> bool {
    let label = keyed(b"clickproof compare");
    let mac = label.clone().chain_update(one).finalize().into_bytes();
    label.chain_update(other).verify_slice(&mac).is_ok()
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding};

    use super::*;

    fn secret(byte: u8) -> String {
        Base64::encode_string(&[byte; 32])
    }

    #[test]
    fn any_key_verifies_and_the_first_signs() {
        let (old, _) = Keyring::parse(&format!("old:{}", secret(1)));
        let (ring, problems) = Keyring::parse(&format!("new:{}, old:{}", secret(2), secret(1)));
        let (old, ring) = (old.unwrap(), ring.unwrap());
        assert!(problems.is_empty());
        assert_eq!(ring.signer(), "new");
        let signature = old.sign(Purpose::Token, b"link");
        assert_eq!(ring.verify(Purpose::Token, b"old", b"link", &signature), Some(true));
        assert_eq!(ring.verify(Purpose::Token, b"new", b"link", &signature), Some(false));
        assert_eq!(ring.verify(Purpose::Token, b"gone", b"link", &signature), None);
        assert_eq!(ring.verify(Purpose::Token, b"old", b"link", &signature[..15]), Some(false));
        assert_eq!(ring.verify(Purpose::Token, b"old", b"link", b""), Some(false));
        assert_ne!(ring.sign(Purpose::Token, b"link"), signature);
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let ring = Keyring::parse(&format!("k:{}", secret(1))).0.unwrap();
        let signature = ring.sign(Purpose::Token, b"x");
        assert_eq!(ring.verify(Purpose::Cookie, b"k", b"x", &signature), Some(false));
    }

    #[test]
    fn a_bad_entry_is_named_and_the_others_stand() {
        let text = format!("nocolon,:{0},a b:{0},short:AAAA,bad:!!!!,k:{0},k:{0}", secret(1));
        let (ring, problems) = Keyring::parse(&text);
        assert_eq!(ring.unwrap().signer(), "k");
        let expected = ["must be a key id", "1 to 16", "1 to 16", "at least 32", "not base64", "twice"];
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for ((number, problem), words) in problems.iter().enumerate().zip(expected) {
            assert!(problem.contains(words), "{problem}");
            let entry = if number == 5 { 7 } else { number + 1 };
            assert!(problem.starts_with(&format!("entry {entry}: ")), "{problem}");
        }
        assert!(Keyring::parse("").0.is_none());
    }

    #[test]
    fn keys_come_in_any_base64() {
        let bytes = [0xfb_u8; 33];
        for text in [
            Base64::encode_string(&bytes),
            Base64Url::encode_string(&bytes),
            Base64UrlUnpadded::encode_string(&[0xfb; 32]),
            Base64Unpadded::encode_string(&[0xfb; 32]),
        ] {
            assert!(Keyring::parse(&format!("k:{text}")).0.is_some(), "{text}");
        }
    }

    #[test]
    fn secrets_are_the_same_only_when_they_are() {
        assert!(same_secret("s3cret", "s3cret"));
        assert!(!same_secret("s3cret", "s3cre"));
        assert!(!same_secret("", "s3cret"));
    }
}
