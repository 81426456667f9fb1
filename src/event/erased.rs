//! That something was erased, as an event: so that whoever has copies can erase them, too.
//!
//! It says of whom by a digest, since the id itself is what was to be forgotten: SHA-256 of `recipient_id` in hexadecimal digits, which
//! a warehouse computes of its own rows to find theirs. Nobody finds the id by it who does not have it; who has a list of ids does.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::parcel::{self, Letter, Parcel};
use super::writer::Fields;
use crate::record::EventId;
use crate::record::hex::push_hex;

/// An erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased<'a> {
    /// The message.
    pub message_id: &'a str,
    /// Whose records; all without one.
    pub recipient_id: Option<&'a str>,
    /// When it was asked for, Unix milliseconds.
    pub ts_ms: i64,
}

impl Erased<'_> {
    /// What stands for the recipient.
    fn recipient(&self) -> Option<String> {
        self.recipient_id.map(|id| {
            let mut digits = String::with_capacity(64);
            push_hex(&mut digits, &Sha256::digest(id.as_bytes()));
            digits
        })
    }

    /// Its id: the same from every shard that is asked.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        let about = format!("erased {} {}", self.message_id, self.recipient().unwrap_or_default());
        let digest = Sha256::digest(about.as_bytes());
        EventId::of_digest(self.ts_ms, digest.first_chunk().copied().unwrap_or_default())
    }

    /// Its line, as it is shipped.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = Fields::of_event("erased");
        line.text("event_id", Some(&self.event_id().to_string()));
        line.integer("revision", Some(1));
        line.integer("ts_ms", Some(self.ts_ms));
        line.text("message_id", Some(self.message_id));
        line.text("recipient_digest", self.recipient().as_deref());
        line.end()
    }

    /// The message of the queue that tells of it: an object of R2 of its own.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let key = parcel::key(&format!("erased {}", self.event_id()), 0, 0, self.ts_ms);
        let lines = Cow::Owned(self.line() + "\n");
        Letter::Text(Parcel::Pack { key, events: 1, lines }.seal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: warehouses look for the digest.
    #[test]
    fn an_erasure_tells_of_whom_by_a_digest_alone() {
        let erased = Erased { message_id: "spring", recipient_id: Some("abc"), ts_ms: 1_795_354_496_007 };
        let id = erased.event_id();
        // The digest is FIPS 180's example.
        let line = format!(
            "{{\"event\":\"erased\",\"event_id\":\"{id}\",\"revision\":1,\"ts_ms\":1795354496007,\"message_id\":\"spring\",\
             \"recipient_digest\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}}"
        );
        assert_eq!(erased.line(), line);
        assert_eq!(id.ts_ms(), 1_795_354_496_007);
        let Letter::Text(text) = erased.letter() else { panic!("bytes") };
        assert!(!text.contains("abc"), "{text}");
        let Ok(Parcel::Pack { key, events: 1, lines }) = Letter::Text(text).open().map(own) else { panic!() };
        assert!(key.starts_with("events/dt=2026-11-22/hh=13/"), "{key}");
        assert_eq!(lines, line + "\n");
        let all = Erased { recipient_id: None, ..erased.clone() };
        assert!(all.line().ends_with(",\"recipient_digest\":null}"));
        let later = Erased { ts_ms: erased.ts_ms + 1, ..erased.clone() };
        assert!(id != all.event_id() && id != later.event_id());
    }

    fn own(parcel: Parcel) -> Parcel<'static> {
        match parcel {
            Parcel::Pack { key, events, lines } => {
                Parcel::Pack { key, events, lines: Cow::Owned(lines.into_owned()) }
            }
            other => panic!("{other:?}"),
        }
    }
}
