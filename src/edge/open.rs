//! `/o/{token}`, with or without `.gif`: the open pixel. The image goes out at once, whatever fails behind it; the open is
//! handed to its message's object afterwards, which ships it with its verdict.

use worker::{Context, Env, Request, Response, Result};

use super::incoming;
use super::routes::{Place, Verb};
use super::{log, respond};
use crate::config::Config;
use crate::event;
use crate::link::{Kind, shard};
use crate::signals::Signals;
use crate::verdict::opens;

/// Answers an open. `tail` is the path behind `/o/`.
pub(super) fn pixel(
    request: &Request,
    verb: Verb,
    env: &Env,
    context: &Context,
    config: &Config,
    place: &Place,
    tail: &str,
) -> Result<Response> {
    let Some(keys) = &config.keys else { return respond::try_later() };
    let Some(link) = incoming::link(tail, keys, &[Kind::Open]) else { return respond::not_found() };
    let record = opens::without_proxys_place(incoming::record(request, place, &link, incoming::next_id()));
    log::line(&event::received(&record, &Signals::of(&record)));
    // Whoever asks for headers alone has shown nothing to anybody.
    if verb != Verb::Head {
        let object = shard::object_name(&link.message_id, shard::shard(&link.recipient_id, link.shards));
        let env = env.clone();
        context.wait_until(async move { incoming::hand_over(&env, &object, record).await });
    }
    respond::pixel()
}
