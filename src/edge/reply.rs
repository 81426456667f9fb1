//! What a request comes to: its answer, and what is done once that is out. It leaves as a whole, in one crossing.

use super::answer::Answer;
use crate::record::{EventId, Record, packed};

/// An answer with what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) answer: Answer,
    /// The request's line in the log, where it has one.
    pub(super) line: Option<String>,
    /// What a message's object is told.
    pub(super) arrival: Option<Arrival>,
}

/// A record on its way to its message's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The object's name.
    pub(super) object: String,
    /// The record, as the object reads it.
    pub(super) record: Vec<u8>,
}

impl Arrival {
    /// A record for an object, under its id.
    pub(super) fn new(object: String, id: EventId, record: &Record) -> Self {
        Self { object, record: packed::seal(&[(id, record)]) }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, line: None, arrival: None }
    }
}

impl Reply {
    /// Everything about it that is text, as `reply.mjs` takes it apart: the object's name, the log's line, then each header's
    /// name and value, a line each. None of them holds a line break: JSON escapes it, and a header cannot have one.
    pub(super) fn text(&self) -> String {
        let object = self.arrival.as_ref().map_or("", |arrival| &arrival.object);
        let line = self.line.as_deref().unwrap_or_default();
        let mut text = String::with_capacity(512 + line.len());
        text.push_str(object);
        text.push('\n');
        text.push_str(line);
        for (name, value) in &self.answer.headers {
            text.push('\n');
            text.push_str(name);
            text.push('\n');
            text.push_str(value);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_text_is_a_line_each() {
        let mut reply = Reply::from(Answer::nothing());
        let headers = "cache-control\nno-store, private\ncross-origin-resource-policy\ncross-origin";
        assert_eq!(reply.text(), format!("\n\n{headers}"));
        reply.line = Some(r#"{"event":"x\ny"}"#.to_owned());
        reply.arrival = Some(Arrival { object: "m#1".to_owned(), record: vec![1] });
        assert_eq!(reply.text(), format!("m#1\n{}\n{headers}", r#"{"event":"x\ny"}"#));
    }
}
