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
const MAX_SEEN: usize = 256;

thread_local! {
    /// Alerts that this isolate has seen, and whether they are told. Another may tell them again, under the same ids.
    static SEEN: RefCell<Vec<(Alert, bool)>> = const { RefCell::new(Vec::new()) };
}

/// Notes an alert, once.
pub(super) fn note(alert: Alert) {
    SEEN.with_borrow_mut(|seen| {
        if seen.iter().any(|(known, _)| *known == alert) {
            return;
        }
        if seen.len() >= MAX_SEEN {
            seen.retain(|(_, is_told)| !is_told);
        }
        seen.push((alert, false));
    });
}

/// Notes something about the Worker itself.
pub(super) fn note_own(code: Code) {
    note(Alert::new(code, None, clock::now_ms()));
}

/// Tells what is noted, where there is somebody to tell. What cannot be told is told on the next occasion.
pub(super) async fn raise(env: &Env) {
    let mut noted = Vec::new();
    SEEN.with_borrow_mut(|seen| {
        for (alert, is_told) in seen {
            if !std::mem::replace(is_told, true) {
                noted.push(alert.clone());
            }
        }
    });
    if noted.is_empty() || !settings::config(env).sinks.contains(&Sink::Alerts) {
        return;
    }
    let mut posts = Vec::new();
    for alert in noted {
        let (key, lines) = (alert.key(), alert.line() + "\n");
        let written = deliver(&Bucket, &Freight::Pack { key: &key, lines: &lines, done: 0 }, env).await;
        if let Some(failure) = written.failure {
            log::failure("events.unwritten", &key, &failure.reason);
        }
        log::alarm(&lines);
        posts.push(alert.post());
    }
    if !queue::send_feeds(env, &Feed::of_posts(Sink::Alerts, clock::now_ms(), posts)).await {
        SEEN.with_borrow_mut(Vec::clear);
    }
}
