//! What is known of clicks, by their ids and so in the order of time; and sets of ids.
//!
//! One tree of ids says where each value lies: a tree for each kind of value would bring eight kilobytes of its own into the
//! wasm, ten times over, and so would a set's.

use std::collections::BTreeMap;
use std::collections::btree_map::IntoIter;
use std::ops::RangeBounds;

use crate::record::EventId;

/// Values by id.
pub(super) struct ById<V> {
    /// Where the value of an id lies.
    places: BTreeMap<EventId, i64>,
    values: Vec<Option<V>>,
    free: Vec<i64>,
}

impl<V> Default for ById<V> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), values: Vec::new(), free: Vec::new() }
    }
}

fn slot(place: i64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

impl<V> ById<V> {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn last(&self) -> Option<EventId> {
        self.places.last_key_value().map(|(id, _)| *id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn contains(&self, id: EventId) -> bool {
        self.places.contains_key(&id)
    }

    fn at(&self, place: i64) -> Option<&V> {
        self.values.get(slot(place))?.as_ref()
    }

    pub(super) fn get(&self, id: EventId) -> Option<&V> {
        self.places.get(&id).and_then(|place| self.at(*place))
    }

    pub(super) fn get_mut(&mut self, id: EventId) -> Option<&mut V> {
        let place = self.places.get(&id)?;
        self.values.get_mut(slot(*place))?.as_mut()
    }

    /// Puts a value in, in place of an earlier one.
    pub(super) fn insert(&mut self, id: EventId, value: V) {
        if let Some(known) = self.get_mut(id) {
            *known = value;
            return;
        }
        let place = self.free.pop().unwrap_or(i64::try_from(self.values.len()).unwrap_or(i64::MAX));
        match self.values.get_mut(slot(place)) {
            Some(free) => *free = Some(value),
            None => self.values.push(Some(value)),
        }
        self.places.insert(id, place);
    }

    /// Puts a value in where there is none.
    pub(super) fn insert_new(&mut self, id: EventId, value: impl FnOnce() -> V) {
        if !self.contains(id) {
            self.insert(id, value());
        }
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, id: EventId) -> Option<V> {
        let place = self.places.remove(&id)?;
        self.free.push(place);
        self.values.get_mut(slot(place))?.take()
    }

    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = (EventId, V)>) {
        for (id, value) in values {
            self.insert(id, value);
        }
    }

    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (EventId, &V)> {
        self.range(..)
    }

    pub(super) fn range(
        &self,
        ids: impl RangeBounds<EventId>,
    ) -> impl DoubleEndedIterator<Item = (EventId, &V)> {
        self.places.range(ids).filter_map(|(id, place)| Some((*id, self.at(*place)?)))
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = EventId> {
        self.places.keys().copied()
    }

    pub(super) fn retain(&mut self, mut keeps: impl FnMut(EventId, &V) -> bool) {
        let gone: Vec<EventId> =
            self.iter().filter(|(id, value)| !keeps(*id, value)).map(|(id, _)| id).collect();
        for id in gone {
            self.remove(id);
        }
    }

    /// Takes out all from an id on.
    pub(super) fn split_off(&mut self, from: EventId) -> Self {
        let mut others = Self::default();
        let ids: Vec<EventId> = self.places.range(from..).map(|(id, _)| *id).collect();
        others.extend(ids.into_iter().filter_map(|id| Some((id, self.remove(id)?))));
        others
    }
}

impl<V> IntoIterator for ById<V> {
    type Item = (EventId, V);
    type IntoIter = Taken<V>;

    /// All of them, oldest first.
    fn into_iter(self) -> Taken<V> {
        Taken { places: self.places.into_iter(), values: self.values }
    }
}

/// Values that are taken out one after the other.
pub(super) struct Taken<V> {
    places: IntoIter<EventId, i64>,
    values: Vec<Option<V>>,
}

impl<V> Iterator for Taken<V> {
    type Item = (EventId, V);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, place) = self.places.next()?;
        Some((id, self.values.get_mut(slot(place))?.take()?))
    }
}

/// Ids, each once, oldest first. In its tree a number that says nothing stands with each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids(BTreeMap<EventId, i64>);

impl Ids {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, id: &EventId) -> bool {
        self.0.contains_key(id)
    }

    pub(super) fn first(&self) -> Option<&EventId> {
        self.0.first_key_value().map(|(id, _)| id)
    }

    pub(super) fn last(&self) -> Option<&EventId> {
        self.0.last_key_value().map(|(id, _)| id)
    }

    /// Puts an id in; says whether it was not there.
    pub(super) fn insert(&mut self, id: EventId) -> bool {
        self.0.insert(id, 0).is_none()
    }

    /// Takes an id out; says whether it was there.
    pub(super) fn remove(&mut self, id: &EventId) -> bool {
        self.0.remove(id).is_some()
    }

    pub(super) fn extend(&mut self, ids: impl IntoIterator<Item = EventId>) {
        for id in ids {
            self.insert(id);
        }
    }

    /// Takes out all from an id on.
    pub(super) fn split_off(&mut self, from: &EventId) -> Self {
        Self(self.0.split_off(from))
    }

    pub(super) fn to_vec(&self) -> Vec<EventId> {
        self.iter().copied().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &EventId> {
        self.0.keys()
    }

    pub(super) fn range(
        &self,
        ids: impl RangeBounds<EventId>,
    ) -> impl DoubleEndedIterator<Item = &EventId> + Clone {
        self.0.range(ids).map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: u8) -> EventId {
        EventId::first_of(i64::from(n))
    }

    proptest! {
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0..4_u8, 0..12_u8, any::<u16>()), 0..60)) {
            let (mut ours, mut map) = (ById::default(), BTreeMap::new());
            for (step, n, value) in steps {
                match step {
                    0 => {
                        ours.insert(id(n), value);
                        map.insert(id(n), value);
                    }
                    1 => prop_assert_eq!(ours.remove(id(n)), map.remove(&id(n))),
                    2 => {
                        ours.retain(|_, kept| kept % 3 > 0);
                        map.retain(|_, kept| *kept % 3 > 0);
                    }
                    _ => {
                        ours.insert_new(id(n), || value);
                        map.entry(id(n)).or_insert(value);
                    }
                }
                prop_assert_eq!(ours.get(id(n)), map.get(&id(n)));
                prop_assert_eq!((ours.len(), ours.is_empty()), (map.len(), map.is_empty()));
                prop_assert!(ours.iter().eq(map.iter().map(|(id, value)| (*id, value))));
                prop_assert!(ours.values.len() <= 12, "places are used again");
            }
            let late = ours.split_off(id(6));
            let mut all: Vec<_> = ours.into_iter().collect();
            all.extend(late);
            prop_assert_eq!(all, map.into_iter().collect::<Vec<_>>());
        }
    }
}
