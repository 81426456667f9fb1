//! Clicks that their object had no time for, as they wait in the second queue: for which object, and what it is to be told.
//! `edge/batch.mjs` writes it, the consumer reads it. Version 1:
//!
//! | bytes | what |
//! | --- | --- |
//! | 2 | `ff 01`: the first is in no text and begins nothing else here, the second is the version |
//! | 2 | how long the object's address is, the higher byte first |
//! | so many | the address ([`shard`](crate::link::shard)) |
//! | the rest | batches of [`packed`](crate::record::packed) records |

/// What a message begins with.
const MAGIC: u8 = 0xff;

const VERSION: u8 = 1;

/// How long clicks are given to their object before they are lost: the queue keeps a message for four days (Cloudflare
/// Queues' default, 2026-11), and forgets it in silence then.
const MAX_AGE_MS: i64 = 3 * 24 * 3_600_000;

/// Clicks of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spilled<'a> {
    /// The object's address.
    pub object: &'a str,
    /// The clicks' records.
    pub records: &'a [u8],
}

impl<'a> Spilled<'a> {
    /// Whether a message is one of these, of whatever version.
    #[must_use]
    pub fn is_one(message: &[u8]) -> bool {
        message.first() == Some(&MAGIC)
    }

    /// Opens a message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(message: &'a [u8]) -> Result<Self, String> {
        let (high, low, rest) = match *message {
            [MAGIC, VERSION, high, low, ref rest @ ..] => (high, low, rest),
            [MAGIC, version, ..] if version != VERSION => {
                return Err(format!("version {version} is not known here"));
            }
            _ => return Err("no spilled clicks".to_owned()),
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (name, records) = rest.split_at_checked(length).ok_or("the object's name is cut off")?;
        let object = std::str::from_utf8(name).map_err(|_| "the object's name is no text")?;
        Ok(Self { object, records })
    }
}

/// Whether a message of that age is tried no more.
#[must_use]
pub const fn is_given_up(age_ms: i64) -> bool {
    age_ms >= MAX_AGE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: messages of an earlier deploy lie in the queue for days. `tests/worker/batch.test.mjs` has the same bytes.
    #[test]
    fn what_the_edge_wrote_is_opened() {
        let message = b"\xff\x01\x00\x05m\xc3\xa9#1\x00\x07\x00";
        assert_eq!(Spilled::open(message), Ok(Spilled { object: "mé#1", records: &[0, 7, 0] }));
        let one_of_several = Spilled { object: "spring#3/16", records: &[7] };
        assert_eq!(Spilled::open(b"\xff\x01\x00\x0bspring#3/16\x07"), Ok(one_of_several));
        assert_eq!(Spilled::open(b"\xff\x01\x00\x01m"), Ok(Spilled { object: "m", records: &[] }));
        let name = "x".repeat(300);
        let long = [&[MAGIC, VERSION, 1, 44], name.as_bytes(), &[9]].concat();
        assert_eq!(Spilled::open(&long), Ok(Spilled { object: &name, records: &[9] }));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (message, words) in [
            (&b""[..], "no spilled clicks"),
            (b"\xff", "no spilled clicks"),
            (b"\xff\x01\x00", "no spilled clicks"),
            (b"{\"v\":2}\n", "no spilled clicks"),
            (b"\xff\x02\x00\x01m", "version 2 is not known here"),
            (b"\xff\x01\x00\x02m", "the object's name is cut off"),
            (b"\xff\x01\x00\x01\xff", "the object's name is no text"),
        ] {
            assert_eq!(Spilled::open(message), Err(words.to_owned()), "{message:?}");
            assert_eq!(Spilled::is_one(message), message.first() == Some(&0xff), "{message:?}");
        }
    }

    #[test]
    fn clicks_are_given_up_a_day_before_the_queue_forgets_them() {
        assert!(!is_given_up(3 * 86_400_000 - 1));
        assert!(is_given_up(3 * 86_400_000));
    }
}
