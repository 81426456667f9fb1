//! JSON written by hand: of every click there is a line, and the way that a serialiser goes through a struct in a struct costs a tenth
//! of all that a click takes. Where it is not that, it is code that is not loaded.

use std::fmt::Write as _;

use serde::Serialize;

/// What most lines are smaller than.
const MOST_BYTES: usize = 2_048;

/// An object, field by field.
#[derive(Default)]
pub(super) struct Fields(String);

impl Fields {
    /// An object that begins with its event's name.
    pub(super) fn of_event(name: &str) -> Self {
        let mut fields = Self(String::with_capacity(MOST_BYTES));
        fields.text("event", Some(name));
        fields
    }

    /// A field's name: its value follows.
    fn name(&mut self, name: &str) {
        self.0.push_str(if self.0.is_empty() { "{\"" } else { ",\"" });
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    /// A text, or null.
    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        self.name(name);
        match value {
            Some(text) => push_text(&mut self.0, text),
            None => self.0.push_str("null"),
        }
    }

    /// A text, left out where there is none.
    pub(super) fn known_text(&mut self, name: &str, value: Option<&str>) {
        if value.is_some() {
            self.text(name, value);
        }
    }

    /// A number, or null.
    pub(super) fn integer(&mut self, name: &str, value: Option<i64>) {
        self.name(name);
        match value {
            // To write into a text does not fail.
            Some(number) => _ = write!(self.0, "{number}"),
            None => self.0.push_str("null"),
        }
    }

    /// Whether, or null.
    pub(super) fn boolean(&mut self, name: &str, value: Option<bool>) {
        self.name(name);
        self.0.push_str(value.map_or("null", |value| if value { "true" } else { "false" }));
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &str, values: &mut dyn Iterator<Item = &str>) {
        self.name(name);
        push_texts(&mut self.0, values);
    }

    /// An object in this one.
    pub(super) fn object(&mut self, name: &str, object: Self) {
        self.name(name);
        self.0.push_str(&object.end());
    }

    /// The object.
    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Appends a string of JSON. Few texts hold what must be escaped.
fn push_text(line: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        line.push('"');
        line.push_str(text);
        line.push('"');
    } else {
        line.push_str(&json(&text));
    }
}

/// Appends a list of strings of JSON.
pub(super) fn push_texts(line: &mut String, texts: &mut dyn Iterator<Item = &str>) {
    let mut between = "[";
    for text in texts {
        line.push_str(between);
        push_text(line, text);
        between = ",";
    }
    line.push_str(if between == "[" { "[]" } else { "]" });
}

/// One line of JSON. Structs of strings, numbers and lists always serialise.
#[must_use]
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
