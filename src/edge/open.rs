//! `/o/{token}`, with or without `.gif`: the open pixel. The image goes out at once, whatever fails behind it; the open is
//! ingested by its message's object afterwards, which ships it with its verdict.

use super::answer::Answer;
use super::problem::Problem;
use super::reply::{Arrival, Reply};
use super::request::Incoming;
use crate::event::line;
use crate::record::{EventId, Kind, Verb};
use crate::signals::Signals;
use crate::verdict::rules::opens;

/// Answers an open. `tail` is the path behind `/o/`, `id` the open's.
///
/// # Errors
/// The link is none of ours, or cannot be told.
pub(super) fn pixel(incoming: &Incoming, tail: &str, id: EventId) -> Result<Reply, Problem> {
    let (keys, link) = incoming.link(tail, &[Kind::Open])?;
    let record = incoming.record(&link, id);
    let signals = Signals::of(&record);
    let record = incoming.config.privacy.keep(opens::without_proxys_place(record, &signals), keys);
    let signals = if record.signals.is_some() { Signals::of(&record) } else { signals };
    let told = incoming.config.logs_requests.then(|| line::received(&record, &signals));
    // Whoever asks for headers alone has shown nothing to anybody.
    let arrival = (incoming.verb != Verb::Head).then(|| Arrival::new(link.object(), id, &record));
    Ok(Reply { answer: Answer::pixel(), line: told, arrival })
}
