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

/// Each binding, the runtime's class for it, and what it must be.
const ALL: [(&str, &str, &str); 4] = [
    (MESSAGES, "DurableObjectNamespace", "a Durable Object namespace of class MessageObject"),
    (EVENTS, "WorkerQueue", "a queue"),
    (SPILL, "WorkerQueue", "a queue"),
    (ARCHIVE, "R2Bucket", "an R2 bucket"),
];

/// The bindings that are not there, or are of another kind. `kind` names the class of what is bound to a name.
pub(super) fn missing(kind: impl Fn(&str) -> String) -> impl Iterator<Item = BadSetting> {
    ALL.into_iter().filter(move |(name, class, _)| kind(name) != *class).map(|(name, _, what)| BadSetting {
        name: name.to_owned(),
        words: format!("missing; bind {what} to it"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_that_is_not_there_is_named_with_what_it_must_be() {
        let lines = |bound: &[(&str, &str)]| -> Vec<String> {
            let kind =
                |name: &str| bound.iter().find(|(known, _)| *known == name).map_or("", |(_, kind)| kind);
            missing(|name| kind(name).to_owned()).map(|bad| bad.to_string()).collect()
        };
        let [messages, events, spill, archive] = ALL.map(|(name, class, _)| (name, class));
        assert!(lines(&[archive, events, spill, messages]).is_empty());
        assert_eq!(lines(&[messages, spill, events]), ["ARCHIVE: missing; bind an R2 bucket to it"]);
        let swapped = [messages, spill, (EVENTS, archive.1), (ARCHIVE, events.1)];
        assert_eq!(lines(&swapped).len(), 2);
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
