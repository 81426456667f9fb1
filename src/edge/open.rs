//! `/o/{token}`, with or without `.gif`: the open pixel. The image goes out at once, whatever fails behind it; the open is
//! handed to its message's object afterwards, which ships it with its verdict.

use worker::{Context, Env, Request, Response, Result};

use super::incoming;
use super::routes::{Place, Verb};
use super::{log, respond};
use crate::config::Config;
use crate::event::line;
use crate::record::Kind;
use crate::signals::Signals;
use crate::verdict::rules::opens;

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
    let (_, link) = match incoming::link(tail, config, &[Kind::Open]) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    let record = incoming::record(request, place, &link, incoming::next_id());
    let signals = Signals::of(&record);
    let record = opens::without_proxys_place(record, &signals);
    log::line(&line::received(&record, &signals));
    // Whoever asks for headers alone has shown nothing to anybody.
    if verb != Verb::Head {
        let object = link.object();
        let env = env.clone();
        context.wait_until(async move { incoming::hand_over(&env, &object, record).await });
    }
    respond::pixel()
}
