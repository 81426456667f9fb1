//! What must be bound to the Worker, by name.

use crate::config::BadSetting;

/// The Durable Object namespace of messages.
pub(super) const MESSAGES: &str = "MESSAGES";
/// The queue that settled events leave by.
pub(super) const EVENTS: &str = "EVENTS";
/// The queue that clicks wait in for which their object has no time.
pub(super) const SPILL: &str = "SPILL";
/// The bucket that events end in.
pub(super) const ARCHIVE: &str = "ARCHIVE";

/// Each binding, and what it must be.
const ALL: [(&str, &str); 4] = [
    (MESSAGES, "a Durable Object namespace of class MessageObject"),
    (EVENTS, "a queue"),
    (SPILL, "a queue"),
    (ARCHIVE, "an R2 bucket"),
];

/// The bindings that are not there, or are of another kind.
pub(super) fn missing(is_there: impl Fn(&str) -> bool) -> impl Iterator<Item = BadSetting> {
    ALL.into_iter().filter(move |(name, _)| !is_there(name)).map(|(name, what)| BadSetting {
        name: name.to_owned(),
        words: format!("missing; bind {what} to it"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_that_is_not_there_is_named_with_what_it_must_be() {
        let lines = |bound: &[&str]| -> Vec<String> {
            missing(|name| bound.contains(&name)).map(|bad| bad.to_string()).collect()
        };
        assert!(lines(&["ARCHIVE", "EVENTS", "MESSAGES", "SPILL"]).is_empty());
        assert_eq!(lines(&["MESSAGES", "SPILL", "EVENTS"]), ["ARCHIVE: missing; bind an R2 bucket to it"]);
        assert_eq!(
            lines(&[]),
            [
                "MESSAGES: missing; bind a Durable Object namespace of class MessageObject to it",
                "EVENTS: missing; bind a queue to it",
                "SPILL: missing; bind a queue to it",
                "ARCHIVE: missing; bind an R2 bucket to it",
            ]
        );
    }
}
