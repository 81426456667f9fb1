//! The consumer of the queue that feeds sinks.
//!
//! Sinks are fed beside each other, what waits for one of them in its order. A run ends after some seconds even if a receiver
//! says nothing, so that no sink waits long for another. What a sink took in part goes back as a smaller message; what it did not
//! take at all waits in the queue. The pauses grow with the time that it has waited; after three days it is told of in the log
//! and left. The bucket has it, and `reship` sends it again.

use super::named;
use super::sink::{self, Failure, Freight, Left, Outcome, Sink};
use crate::edge::runtime::{Env, Message, Work};
use crate::edge::{alerts, clock, log, queue, settings};
use crate::event::parcel::Parcel;
use crate::event::sink::Sink as Name;
use crate::event::sink::alert::{Code, STALLED_MS};
use crate::event::sink::feed::{self, Feed, Load};
use crate::event::webhook;

/// No further message is begun so late in a run, milliseconds.
const RUN_MS: i64 = 10_000;

/// The queue forgets a message in silence after a hundred tries: before that it is sent anew.
const MANY_ATTEMPTS: u32 = 90;

/// Messages of the queue, by the sink that they are for.
#[derive(Default)]
pub(in crate::edge) struct Feeds(Vec<(Name, Vec<(Message, Feed)>)>);

impl Feeds {
    /// Takes a message.
    pub(in crate::edge) fn add(&mut self, message: Message, bytes: &[u8]) {
        let feed = match Feed::open(bytes) {
            Ok(feed) => feed,
            Err(words) => {
                // A later deploy wrote it, or will read it.
                log::failure("feed.unread", &message.id(), &words);
                return message.retry();
            }
        };
        match self.0.iter_mut().find(|(name, _)| *name == feed.sink) {
            Some((_, feeds)) => feeds.push((message, feed)),
            None => self.0.push((feed.sink, vec![(message, feed)])),
        }
    }

    /// Feeds the sinks, as work for each.
    pub(in crate::edge) fn deliver(self, env: &Env, work: &mut Vec<Work>) {
        for (name, feeds) in self.0 {
            let env = env.clone();
            work.push(Box::pin(async move { deliver(name, feeds, &env).await }));
        }
    }
}

/// Feeds one of them. Once it is out, or the run has taken long enough, the rest waits without a try.
async fn deliver(name: Name, feeds: Vec<(Message, Feed)>, env: &Env) {
    let config = settings::config(env);
    let sink = named(name, &config);
    let started_ms = clock::now_ms();
    let (mut is_out, mut has_taken) = (false, false);
    for (message, feed) in feeds {
        let now_ms = clock::now_ms();
        let outcome = match &sink {
            _ if is_out || now_ms - started_ms >= RUN_MS => Outcome { left: Left::All, failure: None },
            Ok(sink) => match hand_over(&**sink, &feed, env).await {
                Ok(outcome) => outcome,
                Err(words) => Outcome::failed(words),
            },
            Err(words) => Outcome::failed((*words).to_owned()),
        };
        let is_whole = matches!(outcome.left, Left::All);
        has_taken |= !is_whole;
        let rest = match outcome.left {
            Left::Nothing => {
                log::request_line(&config, || feed::sent(&feed));
                message.ack();
                continue;
            }
            Left::All => feed,
            Left::Posts(posts) => Feed { load: Load::Posts(posts), ..feed },
            Left::From(done) => Feed { done, ..feed },
        };
        let age_ms = rest.age_ms(clock::now_ms());
        let (mut wanted_s, has_failed) = (None, outcome.failure.is_some());
        if let Some(Failure { reason, status, pause_s, is_out: ends }) = outcome.failure {
            // Who has taken nothing in this run is not asked again in it.
            is_out |= ends || is_whole && !has_taken;
            wanted_s = Some(pause_s.min(webhook::MAX_PAUSE_S)).filter(|pause_s| *pause_s > 0);
            log::alarm(&feed::unsent(&rest, &reason, status));
            if age_ms >= STALLED_MS && name != Name::Alerts {
                alerts::note_own(Code::FeedsUnsent);
            }
            if feed::is_given_up(age_ms) {
                log::alarm(&feed::lost(&rest));
                message.ack();
                continue;
            }
        }
        // Without a failure there was no time for it, or no room.
        let waits = is_out || is_whole && has_failed;
        let pause_s = if waits { webhook::pause_s(age_ms).max(wanted_s) } else { wanted_s };
        if is_whole && message.attempts() < MANY_ATTEMPTS {
            match pause_s {
                Some(pause_s) => message.retry_after(pause_s),
                None => message.retry(),
            }
        } else if let Err(error) = queue::send_feed(env, &rest, pause_s.unwrap_or(1)).await {
            // Some of it is told twice then, under the same ids.
            log::failure("feed.unqueued", rest.sink.name(), &error);
            message.retry();
        } else {
            message.ack();
        }
    }
}

/// Hands a sink what waits for it.
async fn hand_over(receiver: &dyn Sink, feed: &Feed, env: &Env) -> Result<Outcome, String> {
    let letter = match &feed.load {
        Load::Posts(posts) => return Ok(sink::deliver(receiver, &Freight::Posts(posts), env).await),
        Load::Pack(letter) => letter.open()?,
    };
    let Parcel::Pack { key, lines, .. } = letter else { return Err("an act is for no sink".to_owned()) };
    let freight = Freight::Pack { key: &key, lines: &lines, done: feed.done, sent_ms: feed.since_ms };
    Ok(sink::deliver(receiver, &freight, env).await)
}
