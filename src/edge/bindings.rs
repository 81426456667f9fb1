//! What must be bound to the Worker, by name.

use crate::config::BadSetting;
use crate::event::sink::Sink;

/// The Durable Object namespace of messages.
pub(super) const MESSAGES: &str = "MESSAGES";
/// The queue that settled events leave by.
pub(super) const EVENTS: &str = "EVENTS";
/// The queue that clicks wait in for which their object has no time.
pub(super) const SPILL: &str = "SPILL";
/// The bucket that events end in.
pub(super) const ARCHIVE: &str = "ARCHIVE";

/// The queue that further sinks are fed by.
pub(super) const FEEDS: &str = "FEEDS";
/// Where counts go, if it is bound: Analytics Engine.
pub(super) const STATS: &str = "STATS";
/// Where records go, if it is bound: a stream.
pub(super) const STREAM: &str = "STREAM";

/// Each binding that must be there, the runtime's class for it, and what it must be.
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

/// The sinks that are fed: those that the settings name, and those that are bound. Without the queue that feeds them there are none,
/// and that is said.
pub(super) fn sinks(set: &[Sink], kind: impl Fn(&str) -> String) -> (Vec<Sink>, Option<BadSetting>) {
    let bound = [(Sink::Stats, STATS), (Sink::Stream, STREAM)];
    let bound = bound.into_iter().filter(|(_, name)| !kind(name).is_empty()).map(|(sink, _)| sink);
    let sinks: Vec<Sink> = set.iter().copied().chain(bound).collect();
    if sinks.is_empty() || kind(FEEDS) == "WorkerQueue" {
        return (sinks, None);
    }
    let words = "missing; bind a queue to it: only the bucket gets events without it".to_owned();
    (Vec::new(), Some(BadSetting { name: FEEDS.to_owned(), words }))
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

    #[test]
    fn sinks_need_the_queue_that_feeds_them_and_nothing_else_does() {
        let fed = |set: &[Sink], names: &[(&str, &str)]| {
            let kind =
                |name: &str| names.iter().find(|(known, _)| *known == name).map_or("", |(_, kind)| kind);
            let (fed, bad) = sinks(set, |name| kind(name).to_owned());
            (fed, bad.map(|bad| bad.name))
        };
        let (queue, stats) = ((FEEDS, "WorkerQueue"), (STATS, "AnalyticsEngine"));
        assert_eq!(fed(&[], &[]), (vec![], None), "none is fed, so nothing is missed");
        assert_eq!(fed(&[Sink::Http], &[queue]), (vec![Sink::Http], None));
        let all = (vec![Sink::Http, Sink::Stats, Sink::Stream], None);
        assert_eq!(fed(&[Sink::Http], &[queue, stats, (STREAM, "Object")]), all);
        for names in [&[stats][..], &[stats, (FEEDS, "R2Bucket")]] {
            assert_eq!(fed(&[], names), (vec![], Some("FEEDS".to_owned())));
        }
    }
}
