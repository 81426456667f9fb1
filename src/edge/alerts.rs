//! Tells the operator of what should be looked at: in the bucket and by the sink of alerts. What a run of the Worker sees is noted at
//! once and told at its end; of messages with news their reports are asked.
//!
//! The bucket knows what was told: an alert's object is written once the queue has what its receiver is to get, and whoever finds it
//! there tells nothing. So a run that breaks off tells again, under the same id, rather than not at all.

use std::cell::RefCell;

use super::bindings::ARCHIVE;
use super::runtime::{self, Env};
use super::sinks::bucket::Bucket;
use super::sinks::sink::{Freight, deliver};
use super::{clock, log, messages, queue, settings};
use crate::event::sink::Sink;
use crate::event::sink::alert::{Alert, Code};
use crate::event::sink::feed::Feed;

/// So many alerts are remembered.
const MAX_SEEN: usize = 256;

thread_local! {
    /// Messages whose reports are to be asked.
    static NEWS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// Alerts that this isolate has seen, and whether they are told.
    static SEEN: RefCell<Vec<(Alert, bool)>> = const { RefCell::new(Vec::new()) };
}

/// Notes a message whose report may warn of something.
pub(super) fn note_news(message_id: &str) {
    NEWS.with_borrow_mut(|news| {
        if !news.iter().any(|known| known == message_id) {
            news.push(message_id.to_owned());
        }
    });
}

/// Notes something about the Worker itself.
pub(super) fn note_own(code: Code) {
    note(Alert::own(code, clock::now_ms()));
}

/// Notes an alert, once.
fn note(alert: Alert) {
    SEEN.with_borrow_mut(|seen| {
        let id = alert.event_id();
        if seen.iter().any(|(known, _)| known.event_id() == id) {
            return;
        }
        if seen.len() >= MAX_SEEN {
            seen.retain(|(_, is_told)| !is_told);
        }
        seen.push((alert, false));
    });
}

/// Tells what is noted, where there is somebody to tell. What cannot be told is told on the next occasion.
pub(super) async fn raise(env: &Env) {
    for message_id in NEWS.take() {
        match messages::report(env, message_id.clone()).await {
            Ok(report) => Alert::of_report(&report, clock::now_ms(), &mut note),
            Err(failure) => {
                log::failure("alert.unasked", &message_id, &failure);
                note_news(&message_id);
            }
        }
    }
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
    let mut untold = Vec::new();
    for alert in noted {
        // Where the bucket does not say, it is told: perhaps twice.
        let asked = runtime::wait(runtime::exists(env, ARCHIVE, &alert.key())).await;
        if !asked.is_ok_and(|found| found.is_truthy()) {
            posts.push(alert.post());
            untold.push(alert);
        }
    }
    if !queue::send_feeds(env, &Feed::of_posts(Sink::Alerts, clock::now_ms(), posts)).await {
        SEEN.with_borrow_mut(Vec::clear);
        return;
    }
    for alert in untold {
        let (key, lines) = (alert.key(), alert.line() + "\n");
        let freight = Freight::Pack { key: &key, lines: &lines, done: 0, sent_ms: clock::now_ms() };
        let written = deliver(&Bucket, &freight, env).await;
        if let Some(failure) = written.failure {
            log::failure("events.unwritten", &key, &failure.reason);
        }
        log::alarm(&lines);
    }
}
