//! What an object answers to calls of [`super::call`], where it is more than that it was done.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;

use crate::record::EventId;

/// The answer to [`Call::Deliver`](super::call::Call::Deliver), and the API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// Distinct recipients told.
    pub recipients: usize,
    /// Settled clicks that got a new revision.
    pub reissued: usize,
}

/// Some clicks of a message: the answer to [`Call::Page`](super::call::Call::Page).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// NDJSON: each click's record with its current verdict, oldest first.
    pub lines: Vec<String>,
    /// The last click of the page, to go on behind it; `None` when there are no more.
    pub next: Option<EventId>,
}

/// The answer to [`Call::Reship`](super::call::Call::Reship), and the API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reshipped {
    /// Events that go out again.
    pub events: usize,
}

/// What the first of several objects hands over to another: the answer to [`Call::Shards`](super::call::Call::Shards).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handed {
    /// Entries of [`deliveries`](super::deliveries).
    pub entries: Vec<u8>,
    /// The bucket to go on from, where there may be more.
    pub next: Option<u8>,
}

impl Handed {
    /// The answer.
    #[must_use]
    pub fn encode(&self) -> String {
        let next = self.next.map(|next| next.to_string()).unwrap_or_default();
        format!("{next} {}", Base64UrlUnpadded::encode_string(&self.entries))
    }

    /// Reads an answer.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let (next, entries) = text.split_once(' ')?;
        let entries = Base64UrlUnpadded::decode_vec(entries).ok()?;
        Some(Self { entries, next: next.parse().ok() })
    }
}

impl Page {
    /// The page as an answer: where to go on, then the lines.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = self.next.map(|id| id.to_string()).unwrap_or_default();
        for line in &self.lines {
            text.push('\n');
            text.push_str(line);
        }
        text
    }

    /// Where to go on, and the lines as NDJSON, of an answer.
    #[must_use]
    pub fn decode(mut text: String) -> (Option<EventId>, String) {
        let lines = match text.find('\n') {
            None => String::new(),
            Some(end) => {
                let mut lines = text.split_off(end).split_off(1);
                lines.push('\n');
                lines
            }
        };
        (EventId::parse(&text), lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_over_is_read_as_it_was_written() {
        for (entries, next) in [(vec![], None), (vec![7; 48], Some(0)), (vec![255; 16], Some(255))] {
            let handed = Handed { entries, next };
            assert_eq!(Handed::decode(&handed.encode()), Some(handed));
        }
        assert_eq!(Handed::decode(""), None);
        assert_eq!(Handed::decode(" !"), None);
    }

    #[test]
    fn every_page_is_read_as_it_was_written() {
        let id = EventId::first_of(7);
        for (next, lines, expected) in
            [(None, vec![], ""), (None, vec!["a"], "a\n"), (Some(id), vec!["a", "b"], "a\nb\n")]
        {
            let page = Page { lines: lines.into_iter().map(str::to_owned).collect(), next };
            assert_eq!(Page::decode(page.encode()), (next, expected.to_owned()));
        }
    }
}
