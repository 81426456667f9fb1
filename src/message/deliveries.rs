//! Delivery times and bounces, packed: 256 buckets of sixteen bytes an entry.
//!
//! A message with a million recipients has a million delivery times; a row each would double the price of a click.
//! A recipient's bucket is the first byte of its key, an entry the key's first eight bytes and the time (both
//! big-endian), sorted, so that one row is read to know one time. The entry of a bounce has the key's last bit turned: where nothing
//! bounces, rows are what they were before bounces were known. 2 MB a row are room for 30 million recipients.

use super::call::Told;
use crate::json::Json;
use crate::link::text_id;
use crate::record::{Delivery, moment};
use crate::verdict::Key;
use crate::verdict::order::arranged;

/// Bytes of one entry.
pub(super) const ENTRY: usize = 16;

/// What is turned in the key of a bounce.
pub(super) const BOUNCED: u64 = 1;

/// The bucket of a recipient.
#[must_use]
pub const fn bucket(recipient: Key) -> u8 {
    (recipient.short() >> 56) as u8
}

/// What was told of a recipient's mail, in its bucket's bytes.
#[must_use]
pub fn find(entries: &[u8], recipient: Key) -> Delivery {
    let (entries, _) = entries.as_chunks::<ENTRY>();
    let time = |short: u64| {
        let wanted = short.to_be_bytes();
        let at = entries.binary_search_by(|entry| entry[..8].cmp(&wanted)).ok()?;
        entries.get(at).map(time)
    };
    Delivery { delivered_at_ms: time(recipient.short()), bounced_at_ms: time(recipient.short() ^ BOUNCED) }
}

/// A bucket's bytes with `news` put in; a recipient's later time replaces its earlier one.
#[must_use]
pub fn merge(entries: &[u8], news: &[(Key, Delivery)]) -> Vec<u8> {
    let (old, _) = entries.as_chunks::<ENTRY>();
    let mut all = old.to_vec();
    for (recipient, told) in news {
        let short = recipient.short();
        all.extend(told.delivered_at_ms.map(|ms| entry(short, ms)));
        all.extend(told.bounced_at_ms.map(|ms| entry(short ^ BOUNCED, ms)));
    }
    // What came last stands last among its recipient's.
    last_of_each(&all)
}

/// A bucket's bytes with other entries put in where it has none of that recipient.
pub(super) fn fill(entries: &[u8], others: &[[u8; ENTRY]]) -> Vec<u8> {
    let (old, _) = entries.as_chunks::<ENTRY>();
    let mut all = others.to_vec();
    all.extend(old);
    last_of_each(&all)
}

/// Entries in their order; of those of one recipient what stands last.
fn last_of_each(entries: &[[u8; ENTRY]]) -> Vec<u8> {
    let all = arranged(entries, &|entry| (0, u128::from_be_bytes(*entry) >> 64));
    all.chunk_by(|a, b| a[..8] == b[..8]).filter_map(|theirs| theirs.last()).flatten().copied().collect()
}

/// A bucket's bytes without what was told of a recipient's mail.
#[must_use]
pub fn without(entries: &[u8], recipient: Key) -> Vec<u8> {
    let theirs = [recipient.short(), recipient.short() ^ BOUNCED].map(u64::to_be_bytes);
    kept(entries, &|entry| !theirs.iter().any(|short| entry.starts_with(short)))
}

/// A bucket's bytes without times from before a moment, Unix milliseconds.
#[must_use]
pub fn since(entries: &[u8], from_ms: i64) -> Vec<u8> {
    kept(entries, &|entry| time(entry) >= from_ms)
}

fn kept(entries: &[u8], keeps: &dyn Fn(&[u8; ENTRY]) -> bool) -> Vec<u8> {
    let mut left = Vec::new();
    for entry in entries.as_chunks::<ENTRY>().0 {
        if keeps(entry) {
            left.extend_from_slice(entry);
        }
    }
    left
}

/// Reads the body of `POST …/deliveries`: a list of `{recipient_id, delivered_at_ms?, bounced_at_ms?}`.
///
/// # Errors
/// A message that names the first bad entry and field, one that is not known or stands twice too; nothing is taken then.
pub fn read(body: &Json) -> Result<Vec<Told>, String> {
    let entries =
        body.list().ok_or("the body: must be a list of {recipient_id, delivered_at_ms, bounced_at_ms}")?;
    let read = |(at, entry): (usize, &Json)| {
        entry.only(&format!("[{at}]."), &["recipient_id", "delivered_at_ms", "bounced_at_ms"])?;
        let recipient_id =
            entry.get("recipient_id").text().ok_or(format!("[{at}].recipient_id: must be a string"))?;
        text_id::check_recipient_id(recipient_id).map_err(|error| format!("[{at}]: {error}"))?;
        let time = |name: &str| match entry.get(name) {
            Json::Null => Ok(None),
            value => {
                let name = format!("[{at}].{name}");
                let ms = value
                    .integer()
                    .ok_or_else(|| format!("{name}: must be a whole number of Unix milliseconds"))?;
                moment::check(&name, ms).map(|()| Some(ms))
            }
        };
        let (delivered_at_ms, bounced_at_ms) = (time("delivered_at_ms")?, time("bounced_at_ms")?);
        if delivered_at_ms.or(bounced_at_ms).is_none() {
            return Err(format!("[{at}].delivered_at_ms: missing; tell that or bounced_at_ms"));
        }
        Ok(Told { recipient_id: recipient_id.to_owned(), delivered_at_ms, bounced_at_ms })
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
    use serde_json::json;

    use super::*;

    fn told(delivered_at_ms: Option<i64>, bounced_at_ms: Option<i64>) -> Delivery {
        Delivery { delivered_at_ms, bounced_at_ms }
    }

    #[test]
    fn the_last_time_counts() {
        let keys: Vec<Key> = (0..200).map(|n| Key::of(&format!("r{n}"))).collect();
        let first: Vec<_> = keys.iter().copied().zip((0..).map(|ms| told(Some(ms), None))).collect();
        let entries = merge(&merge(&[], &first), &[(keys[7], told(Some(-1), None))]);
        assert_eq!(entries.len(), 200 * ENTRY);
        for (n, key) in (0_i64..).zip(&keys) {
            assert_eq!(find(&entries, *key), told(Some(if n == 7 { -1 } else { n }), None));
        }
        assert_eq!(find(&entries, Key::of("stranger")), Delivery::default());
    }

    #[test]
    fn a_delivery_and_a_bounce_leave_each_other_alone() {
        let (key, mut entries) = (Key::of("r"), Vec::new());
        for (news, known) in [
            (told(None, Some(1)), told(None, Some(1))),
            (told(Some(1), None), told(Some(1), Some(1))),
            (told(None, Some(2)), told(Some(1), Some(2))),
            (told(Some(4), None), told(Some(4), Some(2))),
            (told(Some(5), Some(6)), told(Some(5), Some(6))),
        ] {
            entries = merge(&entries, &[(Key::of("other"), told(Some(9), Some(9))), (key, news)]);
            assert_eq!(
                (find(&entries, key), find(&entries, Key::of("stranger"))),
                (known, Delivery::default())
            );
        }
    }

    #[test]
    fn a_bad_entry_is_named() {
        let read = |body: serde_json::Value| read(&Json::parse(&body.to_string()).unwrap());
        let ms = 1_795_348_800_000_i64;
        let good = json!({"recipient_id": "r", "delivered_at_ms": ms});
        let one = |delivered_at_ms, bounced_at_ms| Told {
            recipient_id: "r".to_owned(),
            delivered_at_ms,
            bounced_at_ms,
        };
        for (entry, expected) in [
            (good.clone(), one(Some(ms), None)),
            (json!({"recipient_id": "r", "bounced_at_ms": ms}), one(None, Some(ms))),
            (json!({"recipient_id": "r", "delivered_at_ms": null, "bounced_at_ms": ms}), one(None, Some(ms))),
            (
                json!({"recipient_id": "r", "delivered_at_ms": ms, "bounced_at_ms": ms}),
                one(Some(ms), Some(ms)),
            ),
        ] {
            assert_eq!(read(json!([entry])), Ok(vec![expected]));
        }
        assert_eq!(read(json!([])), Ok(vec![]));
        for (bad, words) in [
            (json!({"delivered_at_ms": ms}), "[1].recipient_id: must be a string"),
            (json!({"recipient_id": "a@b", "delivered_at_ms": ms}), "[1]: recipient_id"),
            (json!({"recipient_id": "r"}), "[1].delivered_at_ms: missing; tell that or bounced_at_ms"),
            (json!({"recipient_id": "r", "delivered_at_ms": 1.5}), "[1].delivered_at_ms: must be"),
            (json!({"recipient_id": "r", "bounced_at_ms": "5"}), "[1].bounced_at_ms: must be"),
            (
                json!({"recipient_id": "r", "delivered_at_ms": 1_795_348_800}),
                "`[1].delivered_at_ms` is 1795348800, which looks like seconds: give Unix milliseconds",
            ),
            (
                json!({"recipient_id": "r", "bounced_at_ms": -1}),
                "`[1].bounced_at_ms` is -1, which is before 2000",
            ),
            (json!("r"), "[1].recipient_id: must be a string"),
            (
                json!({"recipient_id": "r", "delivered_at": ms, "bounced_at_ms": ms}),
                "[1].delivered_at: no such field; there are recipient_id, delivered_at_ms, bounced_at_ms",
            ),
        ] {
            let error = read(json!([good, bad])).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
        assert!(read(json!({})).is_err());
        let text = format!(r#"[{{"recipient_id":"r","delivered_at_ms":{ms},"delivered_at_ms":{}}}]"#, ms + 1);
        let twice = super::read(&Json::parse(&text).unwrap());
        assert_eq!(twice, Err("[0].delivered_at_ms: stands twice; leave one".to_owned()));
    }

    #[test]
    fn what_is_handed_over_fills_gaps_and_replaces_nothing() {
        let (known, other) = (Key::of("known"), Key::of("other"));
        let here = merge(&[], &[(known, told(Some(5), None))]);
        let handed = merge(&[], &[(known, told(Some(1), Some(2))), (other, told(None, Some(3)))]);
        let filled = fill(&here, handed.as_chunks::<ENTRY>().0);
        assert_eq!(find(&filled, known), told(Some(5), Some(2)));
        assert_eq!(find(&filled, other), told(None, Some(3)));
        assert_eq!(filled.len(), 3 * ENTRY);
    }

    /// Frozen: rows written by one deploy are read by the next.
    #[test]
    fn the_bytes_are_frozen() {
        let entries = merge(&[], &[(Key::of("abc"), told(Some(0x0102_0304), None))]);
        assert_eq!(entries, [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0, 0, 0, 0, 1, 2, 3, 4]);
        assert_eq!(bucket(Key::of("abc")), 0xba);
        let both = merge(&entries, &[(Key::of("abc"), told(None, Some(5)))]);
        let bounced = [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xeb, 0, 0, 0, 0, 0, 0, 0, 5];
        assert_eq!(both, [&entries[..], &bounced].concat());
    }
}
