//! `/o/{token}`, with or without `.gif`: the open pixel. The image goes out at once, whatever fails behind it; the open is
//! ingested by its message's object afterwards, which ships it with its verdict.

use worker::Response;

use super::answer::Answer;
use super::problem::Problem;
use super::request::Incoming;
use super::{clock, log};
use crate::event::line;
use crate::record::{Kind, Verb};
use crate::signals::Signals;
use crate::verdict::rules::opens;

/// Answers an open. `tail` is the path behind `/o/`.
pub(super) fn pixel(incoming: &Incoming, tail: &str) -> Result<Response, Problem> {
    let (_, link) = incoming.link(tail, &[Kind::Open])?;
    let record = incoming.record(&link, clock::next_id());
    let signals = Signals::of(&record);
    let record = opens::without_proxys_place(record, &signals);
    log::line(&line::received(&record, &signals));
    // Whoever asks for headers alone has shown nothing to anybody.
    if incoming.verb != Verb::Head {
        incoming.ingest(&link.object(), &record);
    }
    Answer::pixel().send()
}
