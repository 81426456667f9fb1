//! The list of messages: which there are, the newest first. It is an object of its own, under a name that no message has; what a
//! message's clicks come to is its own object's to say.
//!
//! A message's object tells of it with its first click and whenever its sender tells something: to hear of it again changes
//! nothing. The list is soft: what is lost of it comes back with what is told next.
//!
//! One table, made by the first call: `messages`, a row for each, by its id; an index puts them in the order of time.

use std::fmt::Write;

use super::rows::Rows;
use super::sql::Database;

/// The object's name.
pub const NAME: &str = "#messages";

/// Where it hears of a message: the body is the time, Unix milliseconds, and the id behind a space.
pub const HEARD: &str = "/heard";

/// Where it is asked: the body is the most messages that are wanted and behind a space the place to go on from, which may be
/// empty. The answer is a line for each: its place, and behind a space its id.
pub const LIST: &str = "/list";

/// Where it is asked for those that came before one: the body is the most that are wanted and behind a space its id. The answer is as
/// that of [`LIST`].
pub const BEFORE: &str = "/before";

/// Where it hears that a message is gone: the body is a number that says nothing, and the id behind a space. There is nothing to answer.
pub const GONE: &str = "/gone";

/// The list, in whatever runs `SQLite`.
pub struct List<D>(Rows<D>);

impl<D: Database> List<D> {
    /// The list in a database.
    pub fn new(db: D) -> Self {
        Self(Rows::new(db))
    }

    /// Answers a call; the inner error says what is wrong with it.
    ///
    /// # Errors
    /// When storage fails.
    pub fn answer(&self, path: &str, body: &str) -> Result<Result<String, &'static str>, D::Error> {
        let Some((number, rest)) = body.split_once(' ') else { return Ok(Err("no number")) };
        let Ok(number) = number.parse::<i64>() else { return Ok(Err("bad number")) };
        match path {
            HEARD => self.0.add_message(number, rest).map(|()| Ok(String::new())),
            GONE => self.0.remove_message(rest).map(|()| Ok(String::new())),
            LIST => {
                let after = match rest.split_once('.') {
                    None if rest.is_empty() => None,
                    None => return Ok(Err("bad place")),
                    Some((ms, id)) => match ms.parse::<i64>() {
                        Ok(ms) => Some((ms, id)),
                        Err(_) => return Ok(Err("bad place")),
                    },
                };
                let mut text = String::new();
                self.lines(after, number, &mut text)?;
                Ok(Ok(text))
            }
            BEFORE => {
                let mut text = String::new();
                if let Some(ms) = self.0.heard_ms(rest)? {
                    self.lines(Some((ms, rest)), number, &mut text)?;
                }
                Ok(Ok(text))
            }
            _ => Ok(Err("no such call")),
        }
    }

    fn lines(&self, after: Option<(i64, &str)>, most: i64, text: &mut String) -> Result<(), D::Error> {
        self.0.messages(after, most, &mut |ms, id| {
            // To write into a text does not fail.
            _ = writeln!(text, "{ms}.{id}");
        })
    }
}
