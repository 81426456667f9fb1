//! Delivery times, packed: 256 buckets of sixteen bytes an entry.
//!
//! A message with a million recipients has a million delivery times; a row each would double the price of a click.
//! A recipient's bucket is the first byte of its key, an entry the key's first eight bytes and the time (both
//! big-endian), sorted, so that one row is read to know one time. 2 MB a row are room for 30 million recipients.

use super::call::Delivery;
use crate::json::Json;
use crate::link::{MAX_TIME_MS, text_id};
use crate::verdict::Key;
use crate::verdict::order::arranged;

/// Bytes of one entry.
const ENTRY: usize = 16;

/// The bucket of a recipient.
#[must_use]
pub const fn bucket(recipient: Key) -> u8 {
    (recipient.short() >> 56) as u8
}

/// The delivery time of a recipient in its bucket's bytes, Unix milliseconds.
#[must_use]
pub fn find(entries: &[u8], recipient: Key) -> Option<i64> {
    let (entries, _) = entries.as_chunks::<ENTRY>();
    let wanted = recipient.short().to_be_bytes();
    let at = entries.binary_search_by(|entry| entry[..8].cmp(&wanted)).ok()?;
    Some(time(&entries[at]))
}

/// A bucket's bytes with `news` put in; a recipient's later time replaces its earlier one.
#[must_use]
pub fn merge(entries: &[u8], news: &[(Key, i64)]) -> Vec<u8> {
    let (old, _) = entries.as_chunks::<ENTRY>();
    let news = news.iter().map(|(recipient, ms)| entry(recipient.short(), *ms));
    let all: Vec<[u8; ENTRY]> = old.iter().copied().chain(news).collect();
    let all = arranged(&all, &|entry| (0, u128::from_be_bytes(*entry) >> 64));
    // What came last stands last among its recipient's.
    all.chunk_by(|a, b| a[..8] == b[..8]).filter_map(|theirs| theirs.last()).flatten().copied().collect()
}

/// Reads the body of `POST …/deliveries`: a list of `{recipient_id, delivered_at_ms}`.
///
/// # Errors
/// A message that names the first bad entry and field; nothing is taken then.
pub fn read(body: &Json) -> Result<Vec<Delivery>, String> {
    let entries = body.list().ok_or("the body: must be a list of {recipient_id, delivered_at_ms}")?;
    let read = |(at, entry): (usize, &Json)| {
        let recipient_id =
            entry.get("recipient_id").text().ok_or(format!("[{at}].recipient_id: must be a string"))?;
        text_id::check_recipient_id(recipient_id).map_err(|error| format!("[{at}]: {error}"))?;
        let delivered_at_ms = entry
            .get("delivered_at_ms")
            .integer::<u64>()
            .filter(|ms| *ms <= MAX_TIME_MS)
            .and_then(|ms| i64::try_from(ms).ok())
            .ok_or(format!("[{at}].delivered_at_ms: must be a whole number of Unix milliseconds"))?;
        Ok(Delivery { recipient_id: recipient_id.to_owned(), delivered_at_ms })
    };
    entries.iter().enumerate().map(read).collect()
}

fn entry(short: u64, ms: i64) -> [u8; ENTRY] {
    (u128::from(short) << 64 | u128::from(ms.cast_unsigned())).to_be_bytes()
}

fn time(entry: &[u8; ENTRY]) -> i64 {
    i64::from_be_bytes(std::array::from_fn(|at| entry[8 + at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_time_counts() {
        let keys: Vec<Key> = (0..200).map(|n| Key::of(&format!("r{n}"))).collect();
        let first: Vec<_> = keys.iter().copied().zip(0..).collect();
        let entries = merge(&merge(&[], &first), &[(keys[7], -1)]);
        assert_eq!(entries.len(), 200 * ENTRY);
        for (n, key) in (0_i64..).zip(&keys) {
            assert_eq!(find(&entries, *key), Some(if n == 7 { -1 } else { n }));
        }
        assert_eq!(find(&entries, Key::of("stranger")), None);
    }

    #[test]
    fn a_bad_entry_is_named() {
        let read = |body: serde_json::Value| read(&Json::parse(&body.to_string()).unwrap());
        let good = serde_json::json!({"recipient_id": "r", "delivered_at_ms": 5});
        assert_eq!(read(serde_json::json!([good])).unwrap()[0].delivered_at_ms, 5);
        assert_eq!(read(serde_json::json!([])), Ok(vec![]));
        for (bad, words) in [
            (serde_json::json!({"delivered_at_ms": 5}), "[1].recipient_id: must be a string"),
            (serde_json::json!({"recipient_id": "a@b", "delivered_at_ms": 5}), "[1]: recipient_id"),
            (serde_json::json!({"recipient_id": "r"}), "[1].delivered_at_ms: must be"),
            (
                serde_json::json!({"recipient_id": "r", "delivered_at_ms": 1.5}),
                "[1].delivered_at_ms: must be",
            ),
            (serde_json::json!({"recipient_id": "r", "delivered_at_ms": -1}), "[1].delivered_at_ms: must be"),
            (serde_json::json!("r"), "[1].recipient_id: must be a string"),
        ] {
            let error = read(serde_json::json!([good, bad])).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
        assert!(read(serde_json::json!({})).is_err());
    }

    /// Frozen: rows written by one deploy are read by the next.
    #[test]
    fn the_bytes_are_frozen() {
        let entries = merge(&[], &[(Key::of("abc"), 0x0102_0304)]);
        assert_eq!(entries, [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0, 0, 0, 0, 1, 2, 3, 4]);
        assert_eq!(bucket(Key::of("abc")), 0xba);
    }
}
