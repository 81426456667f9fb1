//! What an earlier send came to, as far as a later one is compared with it: a line of numbers that one message's object gives and
//! another's reads.

use super::figures::Report;
use crate::verdict::ClickType;

/// The version of the line.
const VERSION: &str = "1";

/// An earlier send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// To how many recipients it was sent, where that was told.
    pub sent: Option<i64>,
    /// Distinct recipients with a click.
    pub recipients: i64,
    /// Those with a person's.
    pub human_recipients: i64,
    /// Clicks by type.
    pub by_type: [i64; ClickType::COUNT],
}

impl Past {
    /// What a report comes to.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut by_type = [0; ClickType::COUNT];
        for (kind, count) in &report.by_type.0 {
            by_type[*kind as usize] = *count;
        }
        Self {
            sent: report.sent,
            recipients: report.recipients,
            human_recipients: report.human_recipients,
            by_type,
        }
    }

    /// All clicks.
    #[must_use]
    pub fn clicks(&self) -> i64 {
        self.by_type.iter().sum()
    }

    /// The line.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut line = VERSION.to_owned();
        let first = [self.sent.unwrap_or(-1), self.recipients, self.human_recipients];
        for number in first.iter().chain(&self.by_type) {
            line.push(' ');
            line.push_str(&number.to_string());
        }
        line
    }

    /// Reads a line; `None` where it is of another version. Types that are not known here are left out, those it lacks are none.
    #[must_use]
    pub fn decode(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        if words.next() != Some(VERSION) {
            return None;
        }
        let mut number = || words.next().and_then(|word| word.parse::<i64>().ok());
        let (sent, recipients, human_recipients) = (number()?, number()?, number()?);
        let mut past = Self {
            sent: Some(sent).filter(|sent| *sent >= 0),
            recipients,
            human_recipients,
            ..Self::default()
        };
        for count in &mut past.by_type {
            *count = number().unwrap_or_default();
        }
        Some(past)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let mut by_type = [0; ClickType::COUNT];
        (by_type[0], by_type[5]) = (7, 9);
        for sent in [None, Some(0), Some(12)] {
            let past = Past { sent, recipients: 5, human_recipients: 4, by_type };
            assert_eq!(Past::decode(&past.encode()), Some(past.clone()));
            assert_eq!(past.clicks(), 16);
        }
        let old = Past::decode("1 -1 2 1 3").unwrap();
        assert_eq!((old.sent, old.recipients, old.by_type[0], old.by_type[1]), (None, 2, 3, 0));
        for line in ["", "1", "1 x 2 3", "2 1 2 3", "1 5 6"] {
            assert_eq!(Past::decode(line), None, "{line}");
        }
    }
}
