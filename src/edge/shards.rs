//! Calls that all objects of a message must answer. Most messages have one object: it is asked by the message's id and answers. The
//! first of several answers with their number instead, and then each is asked by its address.

use super::failure::Failure;
use super::runtime::Env;
use super::stub;
use crate::json::Json;
use crate::link::shard;
use crate::message::call::Call;

/// What a message's object answers; where it has several, what each of them does.
pub(super) async fn ask(env: &Env, message_id: &str, call: &Call) -> Result<Vec<String>, Failure> {
    ask_for(env, message_id, call, call).await
}

/// What a message's object answers; where it has several, what each of them does to another call.
pub(super) async fn ask_for(
    env: &Env,
    message_id: &str,
    call: &Call,
    of_each: &Call,
) -> Result<Vec<String>, Failure> {
    let first = stub::promise(env, &shard::object_name(message_id, 0), call);
    stub::all(env, first, &mut |shards, calls| {
        for address in shard::addresses(message_id, shards) {
            calls.add(&address, of_each);
        }
    })
    .await
}

/// Hands each object of a message the places of what is its: by the recipients, in their order. Those that have none are left out.
pub(super) fn split(
    message_id: &str,
    shards: u32,
    recipients: &mut dyn Iterator<Item = &str>,
    each: &mut dyn FnMut(&str, &[usize]),
) {
    let mut places = vec![Vec::new(); shards as usize];
    for (at, recipient_id) in recipients.enumerate() {
        if let Some(theirs) = places.get_mut(shard::shard(recipient_id, shards) as usize) {
            theirs.push(at);
        }
    }
    for (address, theirs) in shard::addresses(message_id, shards).into_iter().zip(places) {
        if !theirs.is_empty() {
            each(&address, &theirs);
        }
    }
}

/// The sum of the numbers that answers are, or that each has under a name.
///
/// # Errors
/// An answer without it.
pub(super) fn sum(answers: &[String], name: &str) -> Result<usize, Failure> {
    let mut sum = 0;
    for answer in answers {
        let count = Json::parse(answer).ok().and_then(|answer| {
            let value = if name.is_empty() { &answer } else { answer.get(name) };
            value.integer::<usize>()
        });
        sum += count.ok_or_else(|| Failure::Unreadable(answer.clone()))?;
    }
    Ok(sum)
}
