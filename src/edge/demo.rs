//! `/demo`: the sample mail, its landing page and their story, and a finished campaign. `pages/demo.mjs` makes the pages.

use super::problem::Problem;
use super::raw::Raw;
use super::request::Incoming;
use super::respond::Outgoing;
use super::{clock, log, messages, stub};
use crate::demo;
use crate::link::shard;
use crate::message::Page;
use crate::message::call::Call;
use crate::message::wanted::Filter;

/// Answers a path at or below `/demo`.
pub(super) async fn answer(incoming: &Incoming<'_>, raw: &Raw) -> Result<Outgoing, Problem> {
    let config = incoming.config;
    let final_after_ms = config.judging.due_ms(0);
    let message = demo::message_in(incoming.place.query);
    let (form, json) = match incoming.place.path {
        "/demo" => {
            let keys = config.keys.as_ref().ok_or(Problem::TryLater)?;
            let mail = demo::mail(clock::next_id(), incoming.place.origin, keys, final_after_ms);
            ("mail", mail.map_err(|words| failed("mail", &words))?)
        }
        "/demo/landing" => ("landing", demo::landing(message)),
        "/demo/story" => {
            let message = message.ok_or(Problem::NoSuchPage)?;
            let call = Call::Page { after: None, limit: demo::MAX_STORY, filter: Filter::default() };
            let listed = stub::ask_text(&raw.env, &shard::object_name(message, 0), &call).await;
            let (next, lines) = Page::decode(listed.map_err(|failure| failed("story", &failure))?);
            ("story", demo::story(message, &lines, next.is_some(), final_after_ms))
        }
        // It is invented, and this machine's own: who looks at its report needs no password.
        path @ ("/demo/campaign" | "/demo/report" | "/demo/report.csv") => {
            let form = match path {
                "/demo/campaign" => "campaign",
                "/demo/report" => "campaign_report",
                _ => "csv",
            };
            let report = messages::report(&raw.env, demo::CAMPAIGN.to_owned()).await;
            (form, report.map_err(|failure| failed("campaign", &failure))?)
        }
        "/demo/style.css" => ("style", String::new()),
        "/demo/demo.js" => ("script", String::new()),
        _ => return Err(Problem::NoSuchPage),
    };
    Ok(Outgoing::Page(form, json))
}

/// What is said where a part of the demo fails; why goes to the log.
fn failed(part: &str, why: &dyn std::fmt::Display) -> Problem {
    log::failure("demo.failed", part, why);
    Problem::TryLater
}
