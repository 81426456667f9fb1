//! Past recipients: who stands in which packs, so that nobody's older clicks are looked for where there are none.
//!
//! An index of recipients' short keys, eight bytes a click. Two recipients in four billion share one: what is found is
//! checked against the packs' own keys.

use std::cell::RefCell;

use super::ends::Known;
use super::rows::Rows;
use super::sql::Database;
use crate::event::pack;
use crate::verdict::order::arranged;

/// The longest tail: it is gone through from end to end.
const TAIL: usize = 1_024;

/// The index.
#[derive(Default)]
pub(super) struct People {
    /// Half a short key, then the pack's number; ascending.
    sorted: Vec<u64>,
    /// What has come since.
    tail: Vec<u64>,
    /// From when to when each pack's clicks are, by its number, Unix milliseconds.
    spans: Vec<(i64, i64)>,
    /// Whether all packs of the rows are in here: they are read when somebody asks for the first time.
    is_loaded: bool,
    /// What those of very many clicks have left behind.
    pub ends: RefCell<Known>,
}

impl People {
    /// Reads what the rows hold.
    pub(super) fn load<D: Database>(&mut self, rows: &Rows<D>) -> Result<(), D::Error> {
        if !self.is_loaded {
            let mut all = Vec::new();
            rows.pack_keys(i64::MIN, i64::MAX, &mut |number, keys| {
                all.extend(entries(number, keys));
                self.set_span(number, keys);
            })?;
            self.sorted = arranged(&all, &|entry| (0, u128::from(*entry)));
            self.is_loaded = true;
        }
        Ok(())
    }

    /// Adds the recipients of a pack that has just been written.
    pub(super) fn add(&mut self, number: u64, keys: &[u8]) {
        if !self.is_loaded {
            return;
        }
        self.tail.extend(entries(number, keys));
        self.set_span(number, keys);
        if self.tail.len() > TAIL {
            self.tail = arranged(&self.tail, &|entry| (0, u128::from(*entry)));
            self.merge();
        }
    }

    /// A pack's clicks stand in the order of time.
    fn set_span(&mut self, number: u64, keys: &[u8]) {
        let mut ids = pack::keys(keys).map(|(id, _)| id.ts_ms());
        let first_ms = ids.next().unwrap_or(i64::MAX);
        let span = (first_ms, ids.last().unwrap_or(first_ms));
        let at = usize::try_from(number).unwrap_or_default();
        // A pack that is not there is nobody's.
        self.spans.resize(self.spans.len().max(at + 1), (i64::MAX, i64::MIN));
        if let Some(known) = self.spans.get_mut(at) {
            *known = span;
        }
    }

    /// Merges the sorted tail in, from the back, so that nothing but the list itself grows.
    fn merge(&mut self) {
        let mut old = self.sorted.len();
        let mut at = old + self.tail.len();
        if at > self.sorted.capacity() {
            // Not twice as much, as a list would take by itself: of millions that is what an object cannot spare.
            self.sorted.reserve_exact(self.tail.len() + old / 16);
        }
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

    /// Those of them with clicks between two moments (both included), the recipient's or others'. Whoever has very many clicks has
    /// many of them in a pack: each pack is looked at once.
    pub(super) fn packs_in(&self, recipient: u64, from_ms: i64, until_ms: i64) -> Vec<u64> {
        let head = recipient >> 32;
        let from = self.sorted.partition_point(|entry| entry >> 32 < head);
        let mut rest = &self.sorted[from..];
        let mut found = Vec::new();
        while let Some(entry) = rest.first().copied().filter(|entry| entry >> 32 == head) {
            found.push(entry);
            let is_last = rest.get(1).is_none_or(|next| *next != entry);
            rest = &rest[if is_last { 1 } else { rest.partition_point(|other| *other <= entry) }..];
        }
        found.extend(self.tail.iter().filter(|entry| **entry >> 32 == head));
        found.retain_mut(|entry| {
            *entry &= u64::from(u32::MAX);
            let span = usize::try_from(*entry).ok().and_then(|at| self.spans.get(at));
            span.is_some_and(|(first_ms, last_ms)| *first_ms <= until_ms && *last_ms >= from_ms)
        });
        found
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
    use crate::record::EventId;

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
        assert!(people.packs_in(999 << 32, i64::MIN, i64::MAX).is_empty());
    }

    #[test]
    fn of_very_many_clicks_in_a_pack_it_is_told_once_and_in_its_time() {
        let mut people = People { is_loaded: true, ..People::default() };
        for number in 1..=20_u64 {
            // Somebody with two hundred clicks in each pack, beside one who has one in every other and one who has none.
            let ms = i64::try_from(number).unwrap() * 1_000;
            let id = |n: u64| EventId::first_of(ms + i64::try_from(n).unwrap()).bytes();
            let owners = (0..200_u64).map(|_| 5_u64).chain((number % 2 == 0).then_some(6)).chain([7]);
            let keys = owners
                .zip(0..)
                .flat_map(|(owner, n)| [&id(n)[..], &(owner << 32_u64).to_be_bytes()].concat());
            people.add(number, &keys.collect::<Vec<_>>());
        }
        assert!(!people.sorted.is_empty() && !people.tail.is_empty());
        assert_eq!(people.packs(5 << 32).count(), 4_000);
        let distinct = |recipient: u64, from_ms, until_ms| {
            let mut packs = people.packs_in(recipient << 32, from_ms, until_ms);
            packs.sort_unstable();
            packs.dedup();
            packs
        };
        assert_eq!(distinct(5, i64::MIN, i64::MAX), (1..=20).collect::<Vec<_>>());
        assert_eq!(distinct(6, i64::MIN, i64::MAX), (2..=20).step_by(2).collect::<Vec<_>>());
        assert_eq!(distinct(5, 3_201, 6_000), [4, 5, 6]);
        let in_sorted = people.sorted.iter().filter(|entry| **entry >> 32 == 5).count();
        let told = people.packs_in(5 << 32, i64::MIN, i64::MAX).len();
        assert!(told <= in_sorted / 200 + 1 + people.tail.len(), "{told}");
    }
}
