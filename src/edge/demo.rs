//! `/demo`: the sample mail, its landing page and their story, on this machine alone and only where the settings ask for
//! it; anywhere else there is no such page.

use worker::{Env, Response, Result};

use super::routes::{Place, Verb};
use super::{incoming, log, respond, stub};
use crate::config::Config;
use crate::demo;
use crate::link::shard;
use crate::message::Page;
use crate::message::call::Call;

/// What a page of the demo may load: the click host's own script, beacon, style and images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers a path at or below `/demo`.
pub(super) async fn answer(verb: Verb, env: &Env, config: &Config, place: &Place) -> Result<Response> {
    if !config.demo || !place.is_local() {
        return respond::not_found();
    }
    if !verb.reads() {
        return respond::method_not_allowed("GET, HEAD");
    }
    let final_after_ms = config.judging.due_ms(0);
    let message = demo::message_in(&place.query);
    match place.path.as_str() {
        "/demo" => {
            let Some(keys) = &config.keys else { return respond::try_later() };
            match demo::mail(incoming::next_id(), &place.origin, keys, final_after_ms) {
                Ok(mail) => respond::page(200, mail, POLICY),
                Err(words) => {
                    log::failure("demo.failed", "mail", &words);
                    respond::try_later()
                }
            }
        }
        // It plays a shop's page: what it tells of itself is what browsers tell by themselves.
        "/demo/landing" => {
            let response = respond::page(200, demo::landing(message), POLICY)?;
            response.headers().set("referrer-policy", "strict-origin-when-cross-origin")?;
            Ok(response)
        }
        "/demo/story" => {
            let Some(message) = message else { return respond::not_found() };
            let call = Call::Page { after: None, limit: demo::MAX_STORY };
            match stub::ask_text(env, &shard::object_name(message, 0), &call).await {
                Ok(listed) => {
                    let (next, lines) = Page::decode(listed);
                    let story = demo::story(message, &lines, next.is_some(), final_after_ms);
                    respond::page(200, story, POLICY)
                }
                Err(failure) => {
                    log::failure("demo.failed", "story", &failure);
                    respond::try_later()
                }
            }
        }
        "/demo/style.css" => respond::text(200, "text/css; charset=utf-8", demo::STYLE.to_owned()),
        "/demo/demo.js" => respond::text(200, "text/javascript; charset=utf-8", demo::SCRIPT.to_owned()),
        _ => respond::not_found(),
    }
}
