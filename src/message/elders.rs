//! Who has clicks that memory has let go of: a Bloom filter, so that most clicks need no look into old packs.
//!
//! It may name somebody wrongly (then a look finds nothing), and never misses anybody.

/// Bits for each recipient: with six of them set, one stranger in a thousand is taken for an elder. A second's clicks
/// are asked for together, so one in a hundred would be a look every second.
const BITS: usize = 16;

/// Bits set for a recipient.
const PROBES: u64 = 6;

/// The smallest number of recipients that there is room for.
const MIN_ROOM: usize = 4_096;

/// The filter.
pub(super) struct Elders {
    bits: Vec<u64>,
    room: usize,
    count: usize,
}

impl Elders {
    /// An empty filter with room for so many recipients, and as many again.
    pub(super) fn with_room_for(count: usize) -> Self {
        let words = (2 * count.max(MIN_ROOM) * BITS / 64).next_power_of_two();
        Self { bits: vec![0; words], room: words * 64 / BITS, count: 0 }
    }

    /// Adds a recipient, by the first half of its key.
    pub(super) fn add(&mut self, recipient: u64) {
        for (word, bit) in self.places(recipient) {
            self.bits[word] |= bit;
        }
        self.count += 1;
    }

    /// Whether a recipient may have been added.
    pub(super) fn may_hold(&self, recipient: u64) -> bool {
        self.places(recipient).all(|(word, bit)| self.bits[word] & bit != 0)
    }

    /// Whether more have been added than there is room for: it is built anew then, with more room.
    pub(super) fn is_full(&self) -> bool {
        self.count > self.room
    }

    /// The two halves of a key are as good as two hashes: it is a digest.
    fn places(&self, recipient: u64) -> impl Iterator<Item = (usize, u64)> + use<> {
        let words = self.bits.len() as u64;
        let (start, step) = (recipient >> 32, recipient | 1);
        (0..PROBES).map(move |probe| {
            let place = start.wrapping_add(probe.wrapping_mul(step)) % (words * 64);
            ((place / 64) as usize, 1 << (place % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Key;

    #[test]
    fn nobody_is_missed_and_few_are_taken_for_others() {
        let mut elders = Elders::with_room_for(10_000);
        let key = |n: u32| Key::of(&format!("r{n}")).short();
        for n in 0..10_000 {
            elders.add(key(n));
        }
        assert!((0..10_000).all(|n| elders.may_hold(key(n))));
        let wrong = (10_000..20_000).filter(|n| elders.may_hold(key(*n))).count();
        assert!(wrong < 20, "{wrong} of 10,000 strangers");
        assert!(!elders.is_full());
    }

    #[test]
    fn it_says_when_it_is_full() {
        let mut elders = Elders::with_room_for(0);
        let room = elders.room;
        for n in 0..=room {
            assert!(!elders.is_full());
            elders.add(n as u64);
        }
        assert!(elders.is_full());
    }
}
