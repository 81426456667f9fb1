//! The fields of every event that is shipped: one table ([`FIELDS`]) for the JSON Schema ([`json`]), the data page ([`table`]),
//! warehouses' DDL and the columns of Parquet. It describes what [`line`](super::line) writes, and tests hold the two together;
//! the Worker itself has no use for it.

mod fields;
mod json;
mod table;

pub use fields::FIELDS;
pub use json::json;
pub use table::table;

use crate::record::named::named;

named! {
    /// What happened: the value of the field `event`.
    pub enum Event {
        /// A tracked link was requested.
        Click = "click",
        /// The open pixel was requested.
        Open = "open",
        /// The unsubscribe page, or its button.
        Unsubscribe = "unsubscribe",
        /// The confirmation page, or its button.
        Confirm = "confirm",
        /// A landing page told what it saw.
        Verify = "verify",
        /// A recipient's records, or all of a message's, were erased.
        Erased = "erased",
        /// Somebody should look at a message, or at the Worker.
        Alert = "alert",
    }
}

named! {
    /// What a field holds.
    pub enum Shape {
        /// A string.
        Text = "text",
        /// A whole number within 64 bits.
        Integer = "integer",
        /// True or false.
        Boolean = "boolean",
        /// A list of strings, none of them null.
        Texts = "list of texts",
        /// An object of its own.
        Json = "object",
    }
}

/// Whether a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// In every line, and never null.
    Always,
    /// In every line, null where nothing is known.
    Nullable,
    /// Left out of lines that have nothing to say, or null there.
    Optional,
}

/// What a field of text may say.
#[derive(Clone, Copy, Debug)]
pub enum Words {
    /// Anything.
    Any,
    /// These words for ever.
    Closed(fn() -> Vec<&'static str>),
    /// These words today: a later version may know more.
    Open(fn() -> Vec<&'static str>),
}

/// A field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in the line.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// What it may say.
    pub words: Words,
    /// What it is, one sentence without its full stop.
    pub about: &'static str,
    events: &'static [(&'static [Event], Presence)],
}

impl Field {
    /// Whether it is there in that event; nothing where it never is.
    #[must_use]
    pub fn presence(&self, event: Event) -> Option<Presence> {
        let (_, presence) = self.events.iter().find(|(events, _)| events.contains(&event))?;
        Some(*presence)
    }

    /// Whether every line of every event has a value for it.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        Event::ALL.iter().all(|event| self.presence(*event) == Some(Presence::Always))
    }

    /// It says one of these words, for ever.
    const fn one_of(mut self, words: fn() -> Vec<&'static str>) -> Self {
        self.words = Words::Closed(words);
        self
    }

    /// It says one of these words today.
    const fn such_as(mut self, words: fn() -> Vec<&'static str>) -> Self {
        self.words = Words::Open(words);
        self
    }
}

/// Which events have a field, and how surely.
type At = &'static [(&'static [Event], Presence)];
