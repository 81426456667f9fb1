//! The clicks of a message that several objects share, as one listing: pages of each, merged by the ids and so by the time. A page of
//! each is held at a time.

use super::call::{MAX_PAGE, Page};
use crate::record::EventId;

/// The least clicks of a page: more objects than there is room for pages are rare.
const MIN_PAGE: usize = 16;

/// What precedes a click's id in its line; nothing that a visitor wrote stands before it.
const ID: &str = "\"event_id\":\"";

/// The length of an id.
const ID_CHARS: usize = 36;

/// The pages of several objects.
pub struct Merged(Vec<Source>);

/// What one object has given and is not listed yet.
struct Source {
    lines: String,
    /// Where the next line begins.
    at: usize,
    /// The click behind which there may be more; the outer is `None` when there is no more.
    rest: Option<Option<EventId>>,
}

impl Source {
    /// The line that comes next, with its end.
    fn line(&self) -> Option<&str> {
        self.lines.get(self.at..)?.split_inclusive('\n').next()
    }
}

impl Merged {
    /// Listings of so many objects behind a click, of which nothing is known yet.
    #[must_use]
    pub fn new(objects: usize, after: Option<EventId>) -> Self {
        Self((0..objects).map(|_| Source { lines: String::new(), at: 0, rest: Some(after) }).collect())
    }

    /// Which objects are to be asked next, and behind which click: without their pages it is not known what comes next.
    #[must_use]
    pub fn wanting(&self) -> Vec<(usize, Option<EventId>)> {
        let wants = |source: &Source| source.rest.filter(|_| source.line().is_none());
        self.0.iter().enumerate().filter_map(|(at, source)| Some((at, wants(source)?))).collect()
    }

    /// How many clicks to ask one of them for, where so many are wanted in all.
    #[must_use]
    pub fn page(&self, limit: usize) -> usize {
        (2 * MAX_PAGE / self.0.len().max(1)).clamp(MIN_PAGE, MAX_PAGE).min(limit)
    }

    /// Takes an object's page.
    pub fn give(&mut self, object: usize, page: String) {
        let (next, lines) = Page::decode(page);
        if let Some(source) = self.0.get_mut(object) {
            *source = Source { lines, at: 0, rest: next.map(Some) };
        }
    }

    /// The next lines, up to so many, and how many they are: oldest first, as far as is known what comes next. None where
    /// objects are to be asked, or there are no more.
    #[must_use]
    pub fn take(&mut self, limit: usize) -> (String, usize) {
        let (mut lines, mut count) = (String::new(), 0);
        let lacks = |source: &Source| source.rest.is_some() && source.line().is_none();
        while count < limit && !self.0.iter().any(lacks) {
            let heads = self.0.iter_mut().filter(|source| source.line().is_some());
            let Some(first) = heads.min_by(|one, other| id(one).cmp(id(other))) else { break };
            let Some(line) = first.line() else { break };
            lines.push_str(line);
            first.at += line.len();
            count += 1;
        }
        (lines, count)
    }

    /// Whether everything is listed.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0.iter().all(|source| source.rest.is_none() && source.line().is_none())
    }
}

/// The id of a source's next line. In lower case ids stand in the order of their texts.
fn id(source: &Source) -> &str {
    let rest = source.line().and_then(|line| line.split_once(ID));
    rest.and_then(|(_, rest)| rest.get(..ID_CHARS)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: u8) -> EventId {
        EventId::first_of(i64::from(n))
    }

    fn line(n: u8) -> String {
        format!("{{\"event_id\":\"{}\",\"url\":\"/?\\\"event_id\\\":\"}}", id(n))
    }

    /// The page behind a click of an object that has these, of which each page looks at so many.
    fn page(clicks: &[u8], after: Option<EventId>, limit: usize, odd: bool) -> String {
        let behind = clicks.iter().filter(|n| after.is_none_or(|after| id(**n) > after));
        let seen: Vec<u8> = behind.copied().take(limit).collect();
        let next = seen.last().filter(|_| seen.len() == limit).map(|n| id(*n));
        let lines = seen.iter().filter(|n| !odd || **n % 2 > 0).map(|n| line(*n)).collect();
        Page { lines, next }.encode()
    }

    proptest! {
        /// Whichever object has which click, however long its pages are, and though a filter may leave some of them empty.
        #[test]
        fn the_clicks_of_all_come_in_their_order(
            owners in prop::collection::vec(0..5_usize, 0..60),
            sizes in prop::collection::vec(1..9_usize, 5),
            after in prop::option::of(0..60_u8),
            takes in 1..20_usize,
            odd: bool,
        ) {
            let clicks = |object| {
                let theirs = (0_u8..).zip(&owners).filter(move |(_, owner)| **owner == object);
                theirs.map(|(n, _)| n).collect::<Vec<u8>>()
            };
            let after = after.map(id);
            let mut merged = Merged::new(5, after);
            let mut listed = String::new();
            while !merged.is_done() {
                for (object, after) in merged.wanting() {
                    merged.give(object, page(&clicks(object), after, sizes[object], odd));
                }
                let (lines, count) = merged.take(takes);
                prop_assert_eq!(lines.matches('\n').count(), count);
                prop_assert!(count <= takes);
                listed += &lines;
            }
            let wanted = (0_u8..).zip(&owners).map(|(n, _)| n);
            let wanted = wanted.filter(|n| after.is_none_or(|after| id(*n) > after) && (!odd || n % 2 > 0));
            prop_assert_eq!(listed, wanted.map(|n| line(n) + "\n").collect::<String>());
        }
    }

    #[test]
    fn more_objects_are_asked_for_shorter_pages() {
        for (objects, limit, page) in [
            (1, 10_000, 1_000),
            (1, 7, 7),
            (2, 10_000, 1_000),
            (16, 10_000, 125),
            (16, 5, 5),
            (256, 10_000, 16),
        ] {
            assert_eq!(Merged::new(objects, None).page(limit), page, "{objects} {limit}");
        }
    }
}
