//! `/demo`: the sample mail, its landing page and their story, and a finished campaign.

use super::answer::Answer;
use super::problem::Problem;
use super::raw::Raw;
use super::request::Incoming;
use super::respond::Outgoing;
use super::{clock, log, messages, pages, stub};
use crate::demo;
use crate::json::Json;
use crate::link::shard;
use crate::message::Page;
use crate::message::call::Call;
use crate::message::wanted::Filter;

/// What a page of the demo may load: the click host's own script, beacon, style and images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers a path at or below `/demo`.
pub(super) async fn answer(incoming: &Incoming<'_>, raw: &Raw) -> Result<Outgoing, Problem> {
    let config = incoming.config;
    let final_after_ms = config.judging.due_ms(0);
    let message = demo::message_in(incoming.place.query);
    let answer = match incoming.place.path {
        "/demo" => {
            let keys = config.keys.as_ref().ok_or(Problem::TryLater)?;
            let mail = demo::mail(clock::next_id(), incoming.place.origin, keys, final_after_ms);
            Answer::page(200, mail.map_err(|words| failed("mail", &words))?.into(), POLICY.into())
        }
        // It plays a shop's page: what it tells of itself is what browsers tell by themselves.
        "/demo/landing" => Answer::page(200, demo::landing(message).into(), POLICY.into())
            .with(("referrer-policy", "strict-origin-when-cross-origin".into())),
        "/demo/story" => {
            let message = message.ok_or(Problem::NoSuchPage)?;
            let call = Call::Page { after: None, limit: demo::MAX_STORY, filter: Filter::default() };
            let listed = stub::ask_text(&raw.env, &shard::object_name(message, 0), &call).await;
            let (next, lines) = Page::decode(listed.map_err(|failure| failed("story", &failure))?);
            Answer::page(
                200,
                demo::story(message, &lines, next.is_some(), final_after_ms).into(),
                POLICY.into(),
            )
        }
        "/demo/campaign" => {
            let report = messages::report(&raw.env, demo::CAMPAIGN.to_owned()).await;
            let report = report.map_err(|failure| failed("campaign", &failure))?;
            let report = Json::parse(&report).map_err(|problem| failed("campaign", &problem))?;
            Answer::page(200, demo::campaign(&report).into(), POLICY.into())
        }
        // It is invented, and this machine's own: who looks at it needs no password.
        "/demo/report" => return pages::show(incoming, raw, &format!("/{}", demo::CAMPAIGN)).await,
        "/demo/style.css" => Answer::text(200, "text/css; charset=utf-8", demo::STYLE.into()),
        "/demo/demo.js" => Answer::text(200, "text/javascript; charset=utf-8", demo::SCRIPT.into()),
        _ => return Err(Problem::NoSuchPage),
    };
    Ok(answer.into())
}

/// What is said where a part of the demo fails; why goes to the log.
fn failed(part: &str, why: &dyn std::fmt::Display) -> Problem {
    log::failure("demo.failed", part, why);
    Problem::TryLater
}
