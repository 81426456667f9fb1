//! What recipients of very many clicks have left behind: of their clicks from before the window the few that say all that a row of the
//! table of dependencies asks of them ([`Ends`]). So a further click of theirs costs the same, however many there are.
//!
//! They are found when they are asked for first, by going through the recipient's packs once, and from then on by what the window
//! has let go of since ([`super::through`]). Nothing of this is in rows.

use std::collections::BTreeSet;

use crate::record::EventId;
use crate::verdict::reach::Ends;
use crate::verdict::{Click, Key};

/// The most ends that are in memory, some fifty bytes each; then it begins anew.
pub(super) const MOST: usize = 65_536;

/// What has been gone through of a recipient for a row.
pub(super) struct Gone {
    /// The row's place among those in force.
    pub row: usize,
    pub recipient: Key,
    /// All of its clicks from one moment up to but without another, Unix milliseconds.
    pub from_ms: i64,
    pub until_ms: i64,
}

/// The ends that are known.
#[derive(Default)]
pub(super) struct Known {
    pub gone: Vec<Gone>,
    /// A row's place, a group's key, a click.
    pub ends: BTreeSet<(usize, u128, EventId)>,
}

/// A recipient's group at a moment.
pub(super) fn group(ends: &Ends, click: &Click, ms: i64) -> u128 {
    let span = u128::from(ms.max(0).cast_unsigned() / ends.span_ms.cast_unsigned());
    click.recipient.number() ^ u128::from((ends.group)(click)) << 64 ^ span
}

impl Known {
    /// Forgets all where it knows of a recipient, whose clocks have moved.
    pub(super) fn forget(&mut self, recipient: Key) {
        if self.gone.iter().any(|gone| gone.recipient == recipient) {
            *self = Self::default();
        }
    }

    /// The clicks of a group, oldest first.
    pub(super) fn of(&self, row: usize, group: u128) -> impl Iterator<Item = EventId> {
        let (from, until) = (EventId::first_of(0), EventId::first_of(i64::MAX));
        self.ends.range((row, group, from)..(row, group, until)).map(|(_, _, id)| *id)
    }

    /// Takes a click in; says how many of its group there are.
    pub(super) fn add(
        &mut self,
        row: usize,
        group: u128,
        id: EventId,
        (count, are_last): (usize, bool),
    ) -> usize {
        self.ends.insert((row, group, id));
        let theirs = self.of(row, group).count();
        // Of twice so many and one the one in the middle is at neither end.
        let (most, place) = if are_last { (count, 0) } else { (2 * count, count) };
        let beside = self.of(row, group).nth(place).filter(|_| theirs > most);
        if let Some(beside) = beside {
            self.ends.remove(&(row, group, beside));
        }
        theirs
    }
}
