//! Which Durable Object keeps a recipient's clicks.
//!
//! A message with millions of recipients needs several objects, and its links are in mailboxes by then: the token
//! carries the count from the first day. Rules are not exact across shards yet, so the count is 1.

use sha2::{Digest, Sha256};

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
    }
}
