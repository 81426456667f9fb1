//! What one object of a message has counted: its tally, what the sender told, and what it counted and did not store. The parts of a
//! message that several objects share add up to its report, since no two of them have a recipient in common.
//!
//! A part travels from the object to the edge as text: base64url of version 1, in [`columns`](crate::record::columns).
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version |
//! | number, column | numbers: repeats, from when on clicks are known (0: all are), recipients, people, time-of-click, then people by group and by link |
//! | column | what the sender told, as JSON |
//! | the rest | the tally ([`super::stored`]), without its recipients |

use base64ct::{Base64UrlUnpadded, Encoding};

use super::about::About;
use super::figures::Report;
use super::tally::{People, Tally};
use crate::json::Json;
use crate::record::columns::{Damaged, Reader, Writer};

const VERSION: u8 = 1;

/// What an object has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The events by their current verdicts.
    pub tally: Tally,
    /// What the sender told of the message; the first object's alone has it.
    pub about: Option<About>,
    /// Clicks that were counted and not stored.
    pub repeats: i64,
    /// From when on its clicks are known, Unix milliseconds; `None` where all are.
    pub known_from_ms: Option<i64>,
}

impl Part {
    /// Adds another object's part.
    pub fn merge(&mut self, other: Self) {
        self.tally.merge(other.tally);
        self.repeats += other.repeats;
        self.known_from_ms = self.known_from_ms.max(other.known_from_ms);
        if self.about.is_none() {
            self.about = other.about;
        }
    }

    /// The report.
    #[must_use]
    pub fn report(self, message_id: &str) -> Report {
        let report = self.tally.report(message_id, self.about.as_ref(), self.repeats);
        Report { known_from_ms: self.known_from_ms, ..report }
    }

    /// The text that carries it.
    #[must_use]
    pub fn encode(mut self) -> String {
        self.tally.count_people();
        let People { all, human, time_of_click, by_group, by_link } = &self.tally.counted;
        let from_ms = self.known_from_ms.unwrap_or_default();
        let numbers =
            [&[self.repeats, from_ms, *all, *human, *time_of_click][..], by_group, by_link].concat();
        let about = self.about.as_ref().and_then(|about| serde_json::to_string(about).ok());
        let mut writer = Writer(vec![VERSION]);
        writer.number(numbers.len() as u64);
        writer.integers(numbers.len(), &|at| numbers.get(at).copied());
        writer.texts(1, &|_| about.as_deref());
        writer.0.extend(self.tally.seal());
        Base64UrlUnpadded::encode_string(&writer.0)
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is damaged, or of another version.
    pub fn decode(text: &str) -> Result<Self, Damaged> {
        let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| Damaged)?;
        let mut reader = Reader(&bytes);
        if reader.byte()? != VERSION {
            return Err(Damaged);
        }
        let count = reader.count()?;
        if count > reader.0.len() {
            return Err(Damaged);
        }
        let mut numbers = vec![0; count];
        reader.integers(count, &mut |at, number| numbers[at] = number)?;
        let mut about = None;
        reader.texts(1, &|_| true, &mut |_, text| {
            let told = Json::parse(&text).ok().map(|body| About::read(&body, &|_| Ok(())));
            about = told.and_then(Result::ok);
        })?;
        let mut tally = Tally::open(reader.0)?;
        let (groups, links) = (tally.per_group.len(), tally.per_link.len());
        let Some(([repeats, from_ms, all, human, time_of_click], people)) = numbers.split_first_chunk()
        else {
            return Err(Damaged);
        };
        if people.len() != groups + links {
            return Err(Damaged);
        }
        let (by_group, by_link) = people.split_at(groups);
        tally.counted = People {
            all: *all,
            human: *human,
            time_of_click: *time_of_click,
            by_group: by_group.to_vec(),
            by_link: by_link.to_vec(),
        };
        let known_from_ms = Some(*from_ms).filter(|ms| *ms != 0);
        Ok(Self { tally, about, repeats: *repeats, known_from_ms })
    }
}
