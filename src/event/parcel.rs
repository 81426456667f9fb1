//! How settled events travel: one pack as queue messages, each of which becomes one object in R2.
//!
//! A message is text: a header line of JSON, then the object's lines as they will stand there. Message and object
//! depend on the pack alone, so a second shipment overwrites the first. Version 1.

use chrono::{DateTime, Timelike};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::line;

/// The most bytes of a message: the platform takes 128 KB (Cloudflare Queues limits, 2026-11), with its own
/// envelope inside.
pub const MAX_MESSAGE_BYTES: usize = 120_000;

/// The version of the header that is written.
const VERSION: u8 = 1;

/// The first line of a message.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this form.
    pub v: u8,
    /// The object's key in R2.
    pub key: String,
    /// How many lines follow.
    pub events: usize,
}

/// The messages of a pack. `name` is the object's, `first_ms` the time of the pack's earliest click.
#[must_use]
pub fn messages(name: &str, pack: u64, first_ms: i64, lines: &[String]) -> Vec<String> {
    let mut parts: Vec<(usize, String)> = Vec::new();
    for line in lines {
        match parts.last_mut() {
            Some((count, part)) if part.len() + line.len() + 512 < MAX_MESSAGE_BYTES => {
                *count += 1;
                part.push_str(line);
                part.push('\n');
            }
            _ => parts.push((1, format!("{line}\n"))),
        }
    }
    let seal = |(at, (events, lines)): (usize, (usize, String))| {
        let header = Header { v: VERSION, key: key(name, pack, at, first_ms), events };
        format!("{}\n{lines}", line::json(&header))
    };
    parts.into_iter().enumerate().map(seal).collect()
}

/// Opens a message: its header and the object's lines.
///
/// # Errors
/// What is wrong with it.
pub fn open(message: &str) -> Result<(Header, &str), String> {
    let (header, lines) = message.split_once('\n').ok_or("no header line")?;
    let header: Header = serde_json::from_str(header).map_err(|error| format!("header: {error}"))?;
    if header.v != VERSION {
        return Err(format!("header: version {} is not known here", header.v));
    }
    Ok((header, lines))
}

/// `events/dt=YYYY-MM-DD/hh=HH/<id>.ndjson`: the hour of the pack's earliest click (UTC), and an id made of the
/// object's name (its digest: a name may hold characters that keys should not), the pack and the part.
fn key(name: &str, pack: u64, part: usize, first_ms: i64) -> String {
    // Out of chrono's range (the year 262,142) there is no hour to name.
    let hour = DateTime::from_timestamp_millis(first_ms).unwrap_or_default();
    let (date, hour) = (hour.date_naive(), hour.hour());
    let digest = Sha256::digest(name.as_bytes());
    let digest = digest.iter().take(12).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("events/dt={date}/hh={hour:02}/{digest}-{pack:08}-{part:03}.ndjson")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: a later deploy must overwrite what an earlier one wrote.
    #[test]
    fn the_key_is_frozen() {
        assert_eq!(
            key("abc", 7, 0, 1_795_354_496_000),
            "events/dt=2026-11-22/hh=13/ba7816bf8f01cfea414140de-00000007-000.ndjson"
        );
    }

    #[test]
    fn messages_stay_below_the_limit_and_lose_nothing() {
        let lines: Vec<String> = (0..128).map(|n| format!("{n}{}", "x".repeat(n * 300))).collect();
        let messages = messages("m", 1, 0, &lines);
        let mut all = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            assert!(message.len() <= MAX_MESSAGE_BYTES);
            let (header, body) = open(message).unwrap();
            assert!(header.key.ends_with(&format!("-00000001-{at:03}.ndjson")));
            assert_eq!(header.events, body.lines().count());
            all.extend(body.lines().map(str::to_owned));
        }
        assert!(messages.len() > 1);
        assert_eq!(all, lines);
    }

    #[test]
    fn what_is_not_a_message_is_refused() {
        for bad in ["", "{}", "{}\n", "{\"v\":2,\"key\":\"k\",\"events\":1}\nx\n"] {
            assert!(open(bad).is_err(), "{bad}");
        }
    }
}
