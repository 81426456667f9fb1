//! `/report`: web pages of what messages' clicks come to, for people. They ask for a token as the password behind any name
//! (HTTP Basic).

use percent_encoding::percent_decode_str;

use super::answer::Answer;
use super::messages::{self, Listed};
use super::problem::Problem;
use super::raw::Raw;
use super::request::Incoming;
use super::v1::{self, Messages};
use super::{access, clock, log, stub};
use crate::link::{shard, text_id};
use crate::message::call::Call;
use crate::message::wanted::{Form, View};
use crate::report::page;

/// Answers a path at or below `/report`: `tail` is what stands behind it.
pub(super) async fn answer(incoming: &Incoming<'_>, raw: &Raw, tail: &str) -> Result<Answer, Problem> {
    if !access::is_visitor(incoming.config, raw) {
        return Err(Problem::NoPassword);
    }
    let Some(escaped) = tail.strip_prefix('/').filter(|id| !id.is_empty()) else {
        return list(incoming, raw).await;
    };
    v1::no_parameters(incoming.place.query)?;
    let (escaped, form) = match escaped.strip_suffix(".csv") {
        Some(id) => (id, Form::Csv),
        None => (escaped, Form::Html),
    };
    let message_id = percent_decode_str(escaped).decode_utf8_lossy().into_owned();
    if text_id::check_message_id(&message_id).is_err() {
        return Err(Problem::NoSuchPage);
    }
    let past = messages::past(&raw.env, &message_id).await;
    let object = shard::object_name(&message_id, 0);
    let view = View { form, message_id, now_ms: clock::now_ms(), past };
    let text = stub::ask_text(&raw.env, &object, &Call::View(view)).await;
    let text = text.map_err(|failure| failed("report", &failure))?;
    Ok(match form {
        Form::Csv => Answer::text(200, "text/csv; charset=utf-8", text.into()),
        _ => Answer::page(200, text.into(), page::POLICY.into()),
    })
}

async fn list(incoming: &Incoming<'_>, raw: &Raw) -> Result<Answer, Problem> {
    let Messages { after, limit } = Messages::of(incoming.place.query)?;
    let Listed { ids, next } =
        messages::listed(&raw.env, &after, limit).await.map_err(|failure| failed("list", &failure))?;
    let rows: Vec<String> = messages::views(&raw.env, &ids, Form::Row).await?.into_iter().flatten().collect();
    Ok(Answer::page(200, page::list(&rows, next.as_deref()).into(), page::POLICY.into()))
}

/// What is said where an object does not answer; why goes to the log.
fn failed(part: &str, why: &dyn std::fmt::Display) -> Problem {
    log::failure("report.failed", part, why);
    Problem::TryLater
}
