//! Which Durable Object keeps a recipient's clicks.
//!
//! A message with millions of recipients needs several objects, and its links are in mailboxes by then: the token
//! carries the count. An object cannot know it from its own name, so whoever calls one of several tells it: an address is an object's
//! name with the count behind a slash, which no name has.

use sha2::{Digest, Sha256};

/// The most shards of a message (contract §3).
pub const MOST_SHARDS: u32 = 256;

/// How many recipients one object serves at ease: of ten million some five thousand click a second at most, soon after the send,
/// and an object takes some hundred clicks a second.
pub const RECIPIENTS_A_SHARD: u64 = 500_000;

/// More than so many times the shards that a message needs are too many: each that idles costs calls and rows of its own.
const TOO_MANY: u32 = 4;

/// How many shards a message to so many recipients needs.
#[must_use]
pub fn needed(sent: u64) -> u32 {
    let needed = u32::try_from(sent.div_ceil(RECIPIENTS_A_SHARD)).unwrap_or(u32::MAX);
    needed.clamp(1, MOST_SHARDS)
}

/// What to say of a message to so many recipients that is minted with so many shards; nothing where they fit.
#[must_use]
pub fn advice(sent: u64, shards: u32) -> Option<String> {
    let needed = needed(sent);
    let words = if shards < needed {
        "too few for"
    } else if shards / TOO_MANY > needed {
        "more than pays for"
    } else {
        return None;
    };
    Some(format!(
        "shards: {shards} are {words} {sent} recipients; mint all links of the message with {needed}"
    ))
}

/// The shard of a recipient: the first four bytes (big-endian) of SHA-256 of the id, modulo the count.
#[must_use]
pub fn shard(recipient_id: &str, shards: u32) -> u32 {
    let digest = Sha256::digest(recipient_id.as_bytes());
    let head = digest.iter().take(4).fold(0, |head, byte| head << 8 | u32::from(*byte));
    head % shards.max(1)
}

/// The name of the object that keeps a shard: `{message_id}` for the first, `{message_id}#n` for the others.
#[must_use]
pub fn object_name(message_id: &str, shard: u32) -> String {
    if shard == 0 { message_id.to_owned() } else { format!("{message_id}#{shard}") }
}

/// How the name of a board ends.
pub const BOARD: &str = "#board";

/// The name of the object through which the shards of a message exchange what crosses recipients.
#[must_use]
pub fn board_name(message_id: &str) -> String {
    format!("{message_id}{BOARD}")
}

/// How an object is called: its name, and where it is one of several their count, `spring#3/16`.
#[must_use]
pub fn address(message_id: &str, shard: u32, shards: u32) -> String {
    let name = object_name(message_id, shard);
    if shards > 1 { format!("{name}/{shards}") } else { name }
}

/// The addresses of all objects that keep a message, its first shard's first.
#[must_use]
pub fn addresses(message_id: &str, shards: u32) -> Vec<String> {
    (0..shards.max(1)).map(|shard| address(message_id, shard, shards)).collect()
}

/// The message and the shard of an object's name; none for a name that no shard has.
#[must_use]
pub fn of_name(name: &str) -> Option<(&str, u32)> {
    match name.split_once('#') {
        None => Some((name, 0)),
        Some((message_id, shard)) => {
            shard.parse().ok().filter(|shard| *shard > 0).map(|shard| (message_id, shard))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: a recipient that moves to another shard loses its history.
    #[test]
    fn recipients_stay_where_they_are() {
        // The heads of the digests, from FIPS 180's examples.
        let cases = [("", 0xe3b0_c442_u32), ("abc", 0xba78_16bf)];
        for (recipient, head) in cases {
            for shards in [1, 2, 7, 64] {
                assert_eq!(shard(recipient, shards), head % shards, "{recipient} of {shards}");
            }
        }
    }

    #[test]
    fn the_first_shard_bears_the_messages_name() {
        assert_eq!(object_name("spring", 0), "spring");
        assert_eq!(object_name("spring", 3), "spring#3");
        assert_eq!(board_name("spring"), "spring#board");
        assert_eq!(address("spring", 0, 1), "spring");
        assert_eq!(address("spring", 3, 16), "spring#3/16");
        assert_eq!(addresses("spring", 2), ["spring/2", "spring#1/2"]);
        assert_eq!(addresses("spring", 1), ["spring"]);
    }

    #[test]
    fn a_message_needs_a_shard_for_each_half_million() {
        for (sent, shards) in [
            (0, 1),
            (500_000, 1),
            (500_001, 2),
            (10_000_000, 20),
            (128_000_000, 256),
            (128_000_001, 256),
            (u64::MAX, 256),
        ] {
            assert_eq!(needed(sent), shards, "{sent}");
            assert_eq!(advice(sent, shards), None, "{sent}");
        }
        let few = "shards: 19 are too few for 10000000 recipients; mint all links of the message with 20";
        assert_eq!(advice(10_000_000, 19).as_deref(), Some(few));
        let many = "shards: 8 are more than pays for 500 recipients; mint all links of the message with 1";
        assert_eq!(advice(500, 8).as_deref(), Some(many));
        assert_eq!(advice(500, 7), None, "whoever tries a few shards is left alone");
    }

    #[test]
    fn a_name_says_which_shard_it_is() {
        let cases =
            [("spring", Some(("spring", 0))), ("spring#3", Some(("spring", 3))), ("spring#board", None)];
        for (name, expected) in cases {
            assert_eq!(of_name(name), expected, "{name}");
        }
        assert_eq!((of_name("#messages"), of_name("spring#0")), (None, None));
    }
}
