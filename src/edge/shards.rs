//! Calls that all objects of a message must answer. Most messages have one object: it is asked by the message's id and answers. The
//! first of several answers with their number instead, and then each is asked by its address.

use std::cell::RefCell;
use std::rc::Rc;

use super::failure::Failure;
use super::runtime::{self, Env, Work};
use super::stub;
use crate::json::Json;
use crate::link::shard;
use crate::message::call::{Call, Told};

/// So many objects are asked at once: a run of the Worker has no more connections (Workers limits, 2026-11).
const AT_ONCE: usize = 6;

/// A call to one object: its address, the path and the body.
pub(super) type Asked = (String, &'static str, Vec<u8>);

/// Asks one object.
pub(super) fn asked(address: String, call: &Call) -> Asked {
    let (path, body) = call.encode();
    (address, path, body.into_bytes())
}

/// What a message's object answers; where it has several, what each of them does.
pub(super) async fn ask(env: &Env, message_id: &str, call: &Call) -> Result<Vec<String>, Failure> {
    match stub::ask_text(env, &shard::object_name(message_id, 0), call).await {
        Err(failure) => match failure.several() {
            Some(shards) => all(each(env, calls(message_id, shards, call)).await),
            None => Err(failure),
        },
        Ok(answer) => Ok(vec![answer]),
    }
}

/// The same call to every object of a message.
pub(super) fn calls(message_id: &str, shards: u32, call: &Call) -> Vec<Asked> {
    shard::addresses(message_id, shards).into_iter().map(|address| asked(address, call)).collect()
}

/// What objects answer, each in the place of its call.
pub(super) async fn each(env: &Env, calls: Vec<Asked>) -> Vec<Result<String, Failure>> {
    let mut answers = Vec::new();
    answers.resize_with(calls.len(), || Err(Failure::Unreadable("not asked".to_owned())));
    let (left, answers) =
        (Rc::new(RefCell::new(calls.into_iter().enumerate())), Rc::new(RefCell::new(answers)));
    let ask = || -> Work {
        let (env, left, answers) = (env.clone(), Rc::clone(&left), Rc::clone(&answers));
        Box::pin(async move {
            loop {
                let next = left.borrow_mut().next();
                let Some((at, (address, path, body))) = next else { return };
                let answer = stub::ask_bytes(&env, &address, path, &body).await;
                if let Some(place) = answers.borrow_mut().get_mut(at) {
                    *place = answer;
                }
            }
        })
    };
    runtime::together((0..AT_ONCE).map(|_| ask()).collect()).await;
    answers.take()
}

/// All answers, or why the first that is missing is.
pub(super) fn all(answers: Vec<Result<String, Failure>>) -> Result<Vec<String>, Failure> {
    answers.into_iter().collect()
}

/// What is told of recipients, each to the object that keeps theirs.
pub(super) fn split(message_id: &str, shards: u32, told: &[Told]) -> Vec<Asked> {
    by_shard(shards, told, &|one| &one.recipient_id)
        .into_iter()
        .map(|(shard, told)| asked(shard::address(message_id, shard, shards), &Call::Deliver(told)))
        .collect()
}

/// Things by their recipients' shards, those that have none left out.
pub(super) fn by_shard<T: Clone>(
    shards: u32,
    things: &[T],
    recipient_id: &dyn Fn(&T) -> &str,
) -> Vec<(u32, Vec<T>)> {
    let mut all: Vec<(u32, Vec<T>)> = (0..shards).map(|shard| (shard, Vec::new())).collect();
    for thing in things {
        let shard = shard::shard(recipient_id(thing), shards);
        if let Some((_, theirs)) = all.get_mut(shard as usize) {
            theirs.push(thing.clone());
        }
    }
    all.into_iter().filter(|(_, theirs)| !theirs.is_empty()).collect()
}

/// The sum of a number that each answer has under a name.
///
/// # Errors
/// An answer without it.
pub(super) fn sum(answers: &[String], name: &str) -> Result<usize, Failure> {
    let mut sum = 0;
    for answer in answers {
        let count = Json::parse(answer).ok().and_then(|answer| answer.get(name).integer::<usize>());
        sum += count.ok_or_else(|| Failure::Unreadable(answer.clone()))?;
    }
    Ok(sum)
}
