//! `/report`: web pages of what messages' clicks come to, for people. They ask for a token as the password behind any name
//! (HTTP Basic), and show what the API says: `pages/render.mjs` makes them of it.

use percent_encoding::percent_decode_str;

use super::failure::Failure;
use super::problem::Problem;
use super::raw::Raw;
use super::request::Incoming;
use super::respond::Outgoing;
use super::v1::{self, Messages};
use super::{access, log, messages};
use crate::link::text_id;

/// Answers a path at or below `/report`: `tail` is what stands behind it.
pub(super) async fn answer(incoming: &Incoming<'_>, raw: &Raw, tail: &str) -> Result<Outgoing, Problem> {
    if !access::is_visitor(incoming.config, raw) {
        return Err(Problem::NoPassword);
    }
    let Some(escaped) = tail.strip_prefix('/').filter(|id| !id.is_empty()) else {
        let wanted = Messages::of(incoming.place.query)?;
        return page("list", messages::page(&raw.env, &wanted).await);
    };
    v1::no_parameters(incoming.place.query)?;
    let (escaped, form) = match escaped.strip_suffix(".csv") {
        Some(id) => (id, "csv"),
        None => (escaped, "html"),
    };
    let message_id = percent_decode_str(escaped).decode_utf8_lossy().into_owned();
    if text_id::check_message_id(&message_id).is_err() {
        return Err(Problem::NoSuchPage);
    }
    page(form, messages::report(&raw.env, message_id).await)
}

fn page(form: &'static str, json: Result<String, Failure>) -> Result<Outgoing, Problem> {
    match json {
        Ok(json) => Ok(Outgoing::Page(form, json)),
        Err(failure) => {
            log::failure("report.failed", form, &failure);
            Err(Problem::TryLater)
        }
    }
}
