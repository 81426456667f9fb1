//! The names that imported records go by. All follow from the input and the key alone: the same export becomes the same bytes
//! wherever and whenever it is read, so that what was imported twice is there once.

use clickproof::link::text_id::{check_known_message_id, check_message_id, check_recipient_id};
use clickproof::record::EventId;
use clickproof::record::hex::push_hex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The greatest length of a message's name (contract §1), bytes.
const MAX_MESSAGE_ID: usize = 128;

/// How many bytes of a digest tell names apart that become the same text.
const TELLING_BYTES: usize = 4;

/// How many bytes of its keyed hash stand for an address: no two of a list ever have the same.
const RECIPIENT_BYTES: usize = 16;

/// Names recipients.
pub(super) struct Recipients(Option<Hmac<Sha256>>);

impl Recipients {
    pub(super) fn new(key: Option<&str>) -> Self {
        // HMAC takes a key of any length.
        Self(key.and_then(|key| Hmac::new_from_slice(key.as_bytes()).ok()))
    }

    /// The name of an address, whatever case and blanks it is written with: a keyed hash, 32 hexadecimal digits. What is no
    /// address and may be a name stays. Nothing where there is no key and it needs one.
    pub(super) fn name(&self, recipient: &str) -> Option<String> {
        let is_name = check_recipient_id(recipient).is_ok();
        if is_name {
            return Some(recipient.to_owned());
        }
        let mut hash = self.0.clone()?;
        hash.update(address(recipient).to_lowercase().as_bytes());
        let mut name = String::with_capacity(2 * RECIPIENT_BYTES);
        push_hex(&mut name, &hash.finalize().into_bytes()[..RECIPIENT_BYTES]);
        Some(name)
    }
}

/// The address of `Ann <ann@example.com>`.
fn address(recipient: &str) -> &str {
    let inside = recipient.trim().strip_suffix('>').and_then(|text| Some(text.rsplit_once('<')?.1));
    inside.unwrap_or(recipient).trim()
}

/// A campaign's name as a message's. One that may not stand as it is, with blanks or too long, gets dashes in their place and
/// eight digits of its digest behind them: two campaigns never become one message.
pub(super) fn message_id(campaign: &str) -> String {
    if check_message_id(campaign).is_ok() {
        return campaign.to_owned();
    }
    let mut name = String::new();
    for character in campaign.chars() {
        let is_allowed = check_known_message_id(character.encode_utf8(&mut [0; 4])).is_ok();
        if is_allowed {
            name.push(character);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(MAX_MESSAGE_ID - 1 - 2 * TELLING_BYTES);
    name.push('~');
    push_hex(&mut name, &Sha256::digest(campaign.as_bytes())[..TELLING_BYTES]);
    name
}

/// The id of an event at a time, from what tells it apart from all others. `parts` hold nothing that a keyed hash is to hide.
pub(super) fn event_id(ts_ms: i64, parts: &[&str]) -> EventId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.finalize()[..16]);
    EventId::of_digest(ts_ms, digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: what was imported before must be known again. Computed with another implementation: Python's `hmac`.
    #[test]
    fn an_address_has_one_name_under_a_key() {
        let names = Recipients::new(Some("list-key"));
        let name = names.name("ann@example.com").unwrap();
        assert_eq!(name, "cc23e142aab1c199bebdbc6f21138971");
        for same in [" Ann@Example.com ", "ann@example.COM", "\"Ann A.\" <ann@example.com>"] {
            assert_eq!(names.name(same).as_ref(), Some(&name), "{same}");
        }
        assert_ne!(names.name("bob@example.com"), Some(name.clone()));
        assert_ne!(Recipients::new(Some("other")).name("ann@example.com"), Some(name));
        assert_eq!(names.name("u-42").as_deref(), Some("u-42"), "what is no address stays");
        let keyless = Recipients::new(None);
        assert_eq!((keyless.name("u-42").as_deref(), keyless.name("ann@example.com")), (Some("u-42"), None));
    }

    #[test]
    fn every_campaign_has_a_name_of_its_own() {
        for kept in ["spring-1", "7af2c1d0-12ab", "20260101.1.AB@example.org", &"x".repeat(128)] {
            assert_eq!(message_id(kept), kept);
        }
        assert_eq!(message_id("Summer deals!"), "Summer-deals!~1ba8fa57");
        let long = "é".repeat(200) + &"x".repeat(200);
        let others = [
            "Summer deals",
            "Summer-deals",
            "Summer  deals",
            "Summer/deals",
            ".",
            "..",
            "/",
            &long,
            &(long.clone() + "x"),
        ];
        let names: std::collections::BTreeSet<String> = others.iter().map(|name| message_id(name)).collect();
        assert_eq!(names.len(), others.len());
        for name in names {
            assert_eq!(check_message_id(&name), Ok(()), "{name}");
        }
    }

    #[test]
    fn parts_that_only_look_alike_together_are_other_events() {
        assert_ne!(event_id(1, &["ab", "c"]), event_id(1, &["a", "bc"]));
        assert_eq!(event_id(1_795_348_860_000, &["a"]).ts_ms(), 1_795_348_860_000);
    }
}
