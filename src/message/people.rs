//! Past recipients: who stands in which packs, so that nobody's older clicks are looked for where there are none.
//!
//! An index of recipients' short keys, eight bytes a click. Two recipients in four billion share one: what is found is
//! checked against the packs' own keys.

use super::rows::Rows;
use super::sql::Database;
use crate::event::pack;
use crate::verdict::order::arranged;

/// The longest tail: it is gone through from end to end.
const TAIL: usize = 1_024;

/// The index.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Half a short key, then the pack's number; ascending.
    sorted: Vec<u64>,
    /// What has come since.
    tail: Vec<u64>,
    /// Whether all packs of the rows are in here: they are read when somebody asks for the first time.
    is_loaded: bool,
}

impl People {
    /// Reads what the rows hold.
    pub(super) fn load<D: Database>(&mut self, rows: &Rows<D>) -> Result<(), D::Error> {
        if !self.is_loaded {
            let mut all = Vec::new();
            rows.pack_keys(i64::MIN, i64::MAX, &mut |number, keys| all.extend(entries(number, keys)))?;
            *self = Self {
                sorted: arranged(&all, &|entry| (0, u128::from(*entry))),
                tail: Vec::new(),
                is_loaded: true,
            };
        }
        Ok(())
    }

    /// Adds the recipients of a pack that has just been written.
    pub(super) fn add(&mut self, number: u64, keys: &[u8]) {
        if !self.is_loaded {
            return;
        }
        self.tail.extend(entries(number, keys));
        if self.tail.len() > TAIL {
            self.tail = arranged(&self.tail, &|entry| (0, u128::from(*entry)));
            self.merge();
        }
    }

    /// Merges the sorted tail in, from the back, so that nothing but the list itself grows.
    fn merge(&mut self) {
        let mut old = self.sorted.len();
        let mut at = old + self.tail.len();
        self.sorted.resize(at, 0);
        while let Some(new) = self.tail.last().copied() {
            at -= 1;
            if old > 0 && self.sorted[old - 1] > new {
                old -= 1;
                self.sorted[at] = self.sorted[old];
            } else {
                self.sorted[at] = new;
                self.tail.pop();
            }
        }
    }

    /// The packs that may hold clicks of a recipient, by its short key; those that hold more than one, or a further
    /// revision of one, stand there more than once.
    pub(super) fn packs(&self, recipient: u64) -> impl Iterator<Item = u64> {
        let head = recipient >> 32;
        let from = self.sorted.partition_point(|entry| entry >> 32 < head);
        let sorted = self.sorted[from..].iter().take_while(move |entry| **entry >> 32 == head);
        let tail = self.tail.iter().filter(move |entry| **entry >> 32 == head);
        sorted.chain(tail).map(|entry| entry & u64::from(u32::MAX))
    }

    /// How many verdicts of clicks and acts the packs hold, where they have been read.
    pub(super) fn verdicts(&self) -> usize {
        self.sorted.len() + self.tail.len()
    }

    /// Every entry, ascending; none where nobody has asked.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn all(&self) -> Option<Vec<u64>> {
        let mut all = [self.sorted.as_slice(), &self.tail].concat();
        all.sort_unstable();
        self.is_loaded.then_some(all)
    }
}

/// The entries of a pack, opens left out: they are nobody's there.
pub(super) fn entries(number: u64, keys: &[u8]) -> impl Iterator<Item = u64> {
    let owned = pack::keys(keys).filter(|(_, recipient)| *recipient != 0);
    owned.map(move |(_, recipient)| recipient >> 32 << 32 | number & u64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_added_is_found_in_each_pack() {
        let mut people = People { is_loaded: true, ..People::default() };
        // Every recipient in every seventh pack, with an id that does not matter.
        for number in 1..=400_u64 {
            let recipients = (0..20_u64).filter(|n| n % 7 == number % 7).map(|n| (n + 1) << 32);
            let keys: Vec<u8> =
                recipients.flat_map(|key| [[0; 16].as_slice(), &key.to_be_bytes()].concat()).collect();
            people.add(number, &keys);
        }
        assert!(!people.sorted.is_empty() && !people.tail.is_empty());
        assert!(people.sorted.is_sorted());
        for n in 0..20_u64 {
            let mut packs: Vec<u64> = people.packs((n + 1) << 32 | 5).collect();
            packs.sort_unstable();
            assert_eq!(packs, (1..=400).filter(|number| n % 7 == number % 7).collect::<Vec<_>>(), "{n}");
        }
        assert_eq!(people.packs(999 << 32).count(), 0);
    }
}
