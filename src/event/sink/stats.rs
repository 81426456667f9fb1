//! The binding `STATS`: a pack as counts for Analytics Engine, one point for each message, event, type, vendor, type before and minute
//! of it. A point cannot be taken back, so what an amendment replaces is told in a point of its own, to be subtracted:
//!
//! | column | what it is |
//! | --- | --- |
//! | `index1` | 24 hexadecimal digits of the message's SHA-256, as object keys have them: an index has 96 bytes, an id up to 128 |
//! | `blob1` | `message_id` |
//! | `blob2` | `event` |
//! | `blob3` | `click_type`, empty where there is none |
//! | `blob4` | `vendor`, empty where there is none |
//! | `blob5` | empty for a first verdict; for an amendment the type before, `none` where there was none |
//! | `blob6` | the minute of the events, `2026-11-22T13:34Z` |
//! | `double1` | events |
//! | `double2` | distinct recipients among them |

use super::facts::Facts;
use crate::event::parcel;
use crate::event::webhook::iso;
use crate::event::writer::push_texts;
use crate::verdict::ClickType;

/// The most points that one run of the Worker may write (Analytics Engine limits, 2026-04-23).
pub const MAX_POINTS: usize = 250;

/// The points of a pack, each as JSON as the platform takes it, in the order of their first events. A pack has some hundred events:
/// what is looked for is never far.
#[must_use]
pub fn points(events: &[(&str, Facts)]) -> Vec<String> {
    let mut counts: Vec<(String, usize, Vec<&str>)> = Vec::new();
    for (_, facts) in events {
        let blobs = blobs(facts);
        let at = counts.iter().position(|(known, ..)| *known == blobs).unwrap_or(counts.len());
        if at == counts.len() {
            counts.push((blobs, 0, Vec::new()));
        }
        if let Some((_, events, recipients)) = counts.get_mut(at) {
            *events += 1;
            if !recipients.iter().any(|known| *known == facts.recipient_id) {
                recipients.push(&facts.recipient_id);
            }
        }
    }
    let mut points = Vec::with_capacity(counts.len());
    for (blobs, events, recipients) in counts {
        points.push(format!("{{{blobs},\"doubles\":[{events},{}]}}", recipients.len()));
    }
    points
}

/// What an event is counted by, as JSON.
fn blobs(facts: &Facts) -> String {
    let before = facts.previous.map_or(if facts.revision > 1 { "none" } else { "" }, ClickType::name);
    let click_type = facts.click_type.map_or("", ClickType::name);
    let minute = minute(facts.ts_ms);
    let mut blobs = format!("\"indexes\":[\"{}\"],\"blobs\":", parcel::digest(&facts.message_id));
    let texts = [&facts.message_id, &facts.event, click_type, &facts.vendor, before, &minute];
    push_texts(&mut blobs, &mut texts.into_iter());
    blobs
}

/// The minute of a time.
fn minute(ts_ms: i64) -> String {
    let mut text = iso(ts_ms);
    text.truncate("2026-11-22T13:34".len());
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_minute_are_counted_by_what_they_are_and_amendments_apart() {
        let facts = |recipient: &str, ts_ms: i64, now: ClickType, previous: Option<ClickType>| Facts {
            event: "click".to_owned(),
            message_id: "abc".to_owned(),
            recipient_id: recipient.to_owned(),
            revision: if previous.is_some() { 2 } else { 1 },
            ts_ms,
            click_type: Some(now),
            previous,
            ..Facts::default()
        };
        let at = 1_795_354_496_000;
        let (human, sweep) = (ClickType::Human, ClickType::ScannerSweep);
        let open =
            Facts { event: "open".to_owned(), click_type: None, revision: 2, ..facts("r1", at, human, None) };
        let events: Vec<(&str, Facts)> = [
            facts("r1", at, human, None),
            facts("r1", at + 1, human, None),
            facts("r2", at, human, None),
            facts("r2", at + 60_000, human, None),
            facts("r1", at, sweep, Some(human)),
            open,
        ]
        .map(|facts| ("", facts))
        .to_vec();
        let points = points(&events);
        let expected = [
            r#"["abc","click","human","","","2026-11-22T13:34Z"],"doubles":[3,2]"#,
            r#"["abc","click","human","","","2026-11-22T13:35Z"],"doubles":[1,1]"#,
            r#"["abc","click","scanner_sweep","","human","2026-11-22T13:34Z"],"doubles":[1,1]"#,
            r#"["abc","open","","","none","2026-11-22T13:34Z"],"doubles":[1,1]"#,
        ];
        let whole = |rest: &str| format!(r#"{{"indexes":["ba7816bf8f01cfea414140de"],"blobs":{rest}}}"#);
        assert_eq!(points, expected.map(whole));
    }
}
