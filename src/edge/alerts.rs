//! Tells the operator of what should be looked at: in the bucket and by the sink of alerts. What a run of the Worker sees is noted at
//! once and told at its end.

use std::cell::RefCell;

use super::runtime::Env;
use super::sinks::bucket::Bucket;
use super::sinks::sink::{Freight, deliver};
use super::{clock, log, queue, settings};
use crate::event::sink::Sink;
use crate::event::sink::alert::{Alert, Code};
use crate::event::sink::feed::Feed;

/// So many are remembered.
const MAX_TOLD: usize = 256;

/// Alerts that an isolate has seen.
struct Seen {
    /// What is to be told.
    noted: Vec<Alert>,
    /// What was told. Another isolate may tell it again, under the same id.
    told: Vec<Alert>,
}

thread_local! {
    static SEEN: RefCell<Seen> = const { RefCell::new(Seen { noted: Vec::new(), told: Vec::new() }) };
}

/// Notes an alert, once.
pub(super) fn note(alert: Alert) {
    SEEN.with_borrow_mut(|Seen { noted, told }| {
        if !told.contains(&alert) && !noted.contains(&alert) {
            noted.push(alert);
        }
    });
}

/// Notes something about the Worker itself.
pub(super) fn note_own(code: Code) {
    note(Alert::new(code, None, clock::now_ms()));
}

/// Tells what is noted, where there is somebody to tell. What cannot be told is told on the next occasion.
pub(super) async fn raise(env: &Env) {
    let noted = SEEN.with_borrow_mut(|seen| std::mem::take(&mut seen.noted));
    if noted.is_empty() || !settings::config(env).sinks.contains(&Sink::Alerts) {
        return;
    }
    let mut posts = Vec::new();
    for alert in &noted {
        let (key, lines) = (alert.key(), alert.line() + "\n");
        let written = deliver(&Bucket, &Freight::Pack { key: &key, lines: &lines, done: 0 }, env).await;
        if let Some(failure) = written.failure {
            log::failure("events.unwritten", &key, &failure.reason);
        }
        log::alarm(&lines);
        posts.push(alert.post());
    }
    if queue::send_feeds(env, &Feed::of_posts(Sink::Alerts, clock::now_ms(), posts)).await {
        SEEN.with_borrow_mut(|seen| {
            if seen.told.len() >= MAX_TOLD {
                seen.told.clear();
            }
            seen.told.extend(noted);
        });
    }
}
