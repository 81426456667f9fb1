//! Deliveries and bounces that were told before anybody knew that several objects share the message: the first has them all. A shard
//! that begins asks it for its own.
//!
//! What is handed over are the entries of [`deliveries`](super::deliveries): a recipient's shard is the first four bytes of
//! their key, so no id is needed to know whose they are.

use super::Message;
use super::deliveries::{self, BOUNCED, ENTRY};
use super::sql::Database;
use crate::record::Delivery;
use crate::verdict::Key;

/// About so many bytes are handed over at once. As many times as there are shards are looked at for them.
const MOST_BYTES: usize = 64 << 10;

impl<D: Database> Message<D> {
    /// What was told of a shard's recipients, from a bucket on; and the bucket to go on from, where there may be more.
    ///
    /// # Errors
    /// When storage fails.
    pub fn told_of(&self, shard: u32, from: u8) -> Result<(Vec<u8>, Option<u8>), D::Error> {
        let mut theirs = Vec::new();
        if !self.rows.has_deliveries()? {
            return Ok((theirs, None));
        }
        for bucket in from..=u8::MAX {
            if theirs.len() >= MOST_BYTES {
                return Ok((theirs, Some(bucket)));
            }
            let entries = self.rows.deliveries(bucket)?;
            for entry in entries.as_chunks::<ENTRY>().0 {
                let [a, b, c, d, ..] = *entry;
                if u32::from_be_bytes([a, b, c, d]) % self.shards() == shard {
                    theirs.extend(entry);
                }
            }
        }
        Ok((theirs, None))
    }

    /// Takes in what was told to the first object. What was told here came later: it stays.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn hear(&mut self, handed: &[u8]) -> Result<(), D::Error> {
        self.people.load(&self.rows)?;
        let mut known: Vec<Key> = self.window.iter().map(|(_, held)| held.click.recipient).collect();
        for entry in handed.as_chunks::<ENTRY>().0 {
            // Of whom only settled clicks are left the half of the key is known that all look-ups go by.
            let short = (u128::from_be_bytes(*entry) >> 64) as u64;
            for short in [short, short ^ BOUNCED] {
                if self.people.packs(short).next().is_some() {
                    known.push(Key::from_number(u128::from(short) << 64));
                }
            }
        }
        let mut moved: Vec<(Key, Delivery)> = Vec::new();
        for theirs in handed.as_chunks::<ENTRY>().0.chunk_by(|one, other| one[0] == other[0]) {
            let bucket = theirs[0][0];
            let before = self.rows.deliveries(bucket)?;
            let after = deliveries::fill(&before, theirs);
            self.rows.put_deliveries(bucket, &after)?;
            for recipient in known.iter().filter(|recipient| deliveries::bucket(**recipient) == bucket) {
                let now = deliveries::find(&after, *recipient);
                if deliveries::find(&before, *recipient) != now {
                    moved.push((*recipient, now));
                }
            }
        }
        self.learn(moved).map(|_| ())
    }
}
