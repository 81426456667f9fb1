//! `EVENTS_WEBHOOK_URL`: a verdict as a Standard Webhook (<https://www.standardwebhooks.com>, 2026-11).
//!
//! One request tells of one revision of one click, and its `webhook-id` is `{event_id}.{revision}`, the key of the event: whoever
//! remembers ids consumes each once, however often it comes. A request for many would have to name a batch, and a batch that is
//! taken in part comes again in another cut. For ten thousand events a second there is [`super::http`], a request for each pack.

use super::facts::Facts;
use super::feed::Post;
use super::types::Types;
use crate::event::webhook::enclosed;

/// The event that something was erased.
const ERASED: &str = "erased";

/// The requests that tell of a pack's clicks, as far as their types are wanted, and of erasures, which every receiver must hear of.
#[must_use]
pub fn posts(events: &[(&str, Facts)], types: Types) -> Vec<Post> {
    let is_wanted = |facts: &Facts| match facts.event.as_str() {
        "click" => types.take(facts.click_type, facts.previous),
        event => event == ERASED,
    };
    events.iter().filter(|(_, facts)| is_wanted(facts)).map(|(line, facts)| post(line, facts)).collect()
}

fn post(line: &str, facts: &Facts) -> Post {
    let Facts { event_id, revision, ts_ms, .. } = facts;
    let name = match facts.event.as_str() {
        ERASED => "recipient.erased",
        _ if *revision > 1 => "click.amended",
        _ => "click.settled",
    };
    Post { id: format!("{event_id}.{revision}"), body: enclosed(name, *ts_ms, line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: receivers read it.
    #[test]
    fn what_a_receiver_is_told_is_frozen() {
        let lines = concat!(
            r#"{"event":"click","event_id":"a","revision":1,"ts_ms":1795354496007,"click_type":"human"}"#,
            "\n",
            r#"{"event":"click","event_id":"b","revision":1,"ts_ms":7,"click_type":"scanner_sweep"}"#,
            "\n",
            r#"{"event":"open","event_id":"c","revision":1,"ts_ms":7,"click_type":"human"}"#,
            "\n",
            r#"{"event":"click","event_id":"d","revision":2,"ts_ms":7,"click_type":"scanner_sweep","previous_click_type":"human"}"#,
            "\n",
            r#"{"event":"erased","event_id":"e","revision":1,"ts_ms":7,"message_id":"m","recipient_digest":null}"#,
            "\n",
        );
        let told = posts(&Facts::of_all(lines).unwrap(), Types::default());
        let lines: Vec<&str> = lines.lines().collect();
        let (first, last, erased) = (lines[0], lines[3], lines[4]);
        assert_eq!(
            told,
            [
                Post {
                    id: "a.1".to_owned(),
                    body: format!(
                        r#"{{"type":"click.settled","timestamp":"2026-11-22T13:34:56.007Z","data":{first}}}"#
                    ),
                },
                Post {
                    id: "d.2".to_owned(),
                    body: format!(
                        r#"{{"type":"click.amended","timestamp":"1970-01-01T00:00:00.007Z","data":{last}}}"#
                    ),
                },
                Post {
                    id: "e.1".to_owned(),
                    body: format!(
                        r#"{{"type":"recipient.erased","timestamp":"1970-01-01T00:00:00.007Z","data":{erased}}}"#
                    ),
                },
            ]
        );
    }
}
