//! The second queue's consumer: clicks for which their object had no time are given to it again.
//!
//! A message is acknowledged when its object has every click of it. Until then the queue brings it again, after pauses that grow;
//! after three days, before the queue would forget it, its clicks are told of in the log with their whole records. So is a
//! record that the object will not have, at once; it takes no others along.

use super::failure::Failure;
use super::runtime::{Env, Message};
use super::{clock, log, loss, stub};
use crate::event::spilled::{self, Spilled};
use crate::event::{line, webhook};
use crate::record::packed;

/// Gives a message's clicks to their object.
pub(super) async fn deliver(message: &Message, bytes: &[u8], env: &Env) {
    let spilled = match Spilled::open(bytes) {
        Ok(spilled) => spilled,
        Err(words) => {
            // A later deploy wrote it, or will read it.
            log::failure("spill.unread", &message.id(), &words);
            return message.retry();
        }
    };
    let age_ms = clock::now_ms() - message.sent_ms();
    match all(&spilled, env).await {
        Ok(()) => message.ack(),
        Err(failure) if spilled::is_given_up(age_ms) => {
            if let Err(words) = loss::unrecorded(spilled.records, &failure.to_string()) {
                log::failure("click.unrecorded", spilled.object, &words);
            }
            message.ack();
        }
        Err(failure) => {
            log::failure("spill.undelivered", spilled.object, &failure);
            match webhook::pause_s(age_ms) {
                Some(pause_s) => message.retry_after(pause_s),
                None => message.retry(),
            }
        }
    }
}

/// Gives an object all clicks of a message; where it refuses them, each by itself.
async fn all(spilled: &Spilled<'_>, env: &Env) -> Result<(), Failure> {
    match stub::deliver(env, spilled.object, spilled.records).await {
        Err(failure) if failure.is_refusal() => {}
        answer => return answer,
    }
    // What is not read here may be a later version's, which is back some day.
    for (id, record) in packed::all(spilled.records).map_err(Failure::Unreadable)? {
        match stub::deliver(env, spilled.object, &packed::seal(&[(id, &record)])).await {
            Err(failure) if failure.is_refusal() => {
                log::alarm(&line::unrecorded(&record, &failure.to_string()));
            }
            answer => answer?,
        }
    }
    Ok(())
}
