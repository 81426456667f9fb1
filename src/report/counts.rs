//! Small things that counts are made of: by type, by a name, by a place in a list.

use serde::{Serialize, Serializer};

use crate::verdict::ClickType;

/// Clicks by their type: the type is the place.
pub type Counts = [i64; ClickType::COUNT];

/// Numbers by name, in an order of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByName(pub Vec<(String, i64)>);

/// Clicks by their type's name, in the types' order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByType(pub Vec<(ClickType, i64)>);

impl ByType {
    /// Every type that a click can have, those without a click included.
    #[must_use]
    pub fn all(counts: &Counts) -> Self {
        Self(ClickType::CLICKS.into_iter().map(|kind| (kind, counts[kind as usize])).collect())
    }

    /// The types of which there is one, an open's included.
    #[must_use]
    pub fn some(counts: &Counts) -> Self {
        let kinds = ClickType::ALL.into_iter().map(|kind| (kind, counts[kind as usize]));
        Self(kinds.filter(|(_, count)| *count != 0).collect())
    }

    /// How many of a type there are.
    #[must_use]
    pub fn of(&self, kind: ClickType) -> i64 {
        self.0.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count)
    }

    /// How many there are of all types for which a test holds.
    #[must_use]
    pub fn sum(&self, test: fn(ClickType) -> bool) -> i64 {
        self.0.iter().filter(|(kind, _)| test(*kind)).map(|(_, count)| count).sum()
    }
}

impl Serialize for ByType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(kind, count)| (kind.name(), *count)))
    }
}

impl Serialize for ByName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, count)| (name.as_str(), *count)))
    }
}

/// The value of a key in a list that stands in their order; a new one where there is none. Lists grow by one minute now and
/// then, and a tree for each kind of them would be eight kilobytes of wasm.
pub(super) fn value_of<'a, K: Ord + Clone, V: Default>(list: &'a mut Vec<(K, V)>, key: &K) -> &'a mut V {
    let place = list.binary_search_by(|(known, _)| known.cmp(key)).unwrap_or_else(|place| {
        list.insert(place, (key.clone(), V::default()));
        place
    });
    &mut list[place].1
}

/// Names, each with the place at which it first came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// In the order of the names.
    places: Vec<(Option<String>, u32)>,
}

impl Names {
    /// The place of a name; the next one where it is new.
    pub(super) fn place(&mut self, name: Option<&str>) -> u32 {
        let found = self.places.binary_search_by(|(known, _)| known.as_deref().cmp(&name));
        match found {
            Ok(at) => self.places[at].1,
            Err(at) => {
                let place = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
                self.places.insert(at, (name.map(str::to_owned), place));
                place
            }
        }
    }

    /// All of them with their places, in the order of the names.
    pub(super) fn by_name(&self) -> impl Iterator<Item = (Option<&str>, usize)> {
        self.places.iter().map(|(name, place)| (name.as_deref(), *place as usize))
    }

    /// All of them, at their places.
    pub(super) fn listed(&self) -> Vec<Option<String>> {
        let mut listed = vec![None; self.places.len()];
        for (name, place) in &self.places {
            if let Some(at) = listed.get_mut(*place as usize) {
                at.clone_from(name);
            }
        }
        listed
    }
}
