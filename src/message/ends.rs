//! What a recipient of very many clicks has left behind: of its clicks from before the window the few that say all that a row of the
//! table of dependencies asks of them ([`Ends`]). So a further click of theirs costs the same, however many there are.
//!
//! They are found when they are asked for first, by going through the recipient's packs once, and from then on by what the window
//! has let go of since. Nothing of this is in rows.

use std::collections::BTreeSet;

use super::Message;
use super::history::Clicks;
use super::sql::Database;
use crate::event::pack;
use crate::record::{Delivery, EventId};
use crate::verdict::order::ascending;
use crate::verdict::reach::{ALWAYS, Dependency, Ends};
use crate::verdict::{Click, Key};

/// A recipient of so few clicks is gone through each time.
const FEW: usize = 64;

/// Packs that are read at once, from either end.
const PACKS: usize = 4;

/// The most ends that are in memory, some fifty bytes each; then it begins anew.
const MOST: usize = 65_536;

/// What has been gone through of a recipient for a row.
struct Gone {
    /// The row's place among those in force.
    row: usize,
    recipient: Key,
    /// All of its clicks from one moment up to but without another, Unix milliseconds.
    from_ms: i64,
    until_ms: i64,
}

/// The ends that are known.
#[derive(Default)]
pub(super) struct Known {
    gone: Vec<Gone>,
    /// A row's place, a group's key, a click.
    ends: BTreeSet<(usize, u128, EventId)>,
}

/// A recipient's group at a moment.
fn group(ends: &Ends, click: &Click, ms: i64) -> u128 {
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
    fn of(&self, row: usize, group: u128) -> impl Iterator<Item = EventId> {
        let (from, until) = (EventId::first_of(0), EventId::first_of(i64::MAX));
        self.ends.range((row, group, from)..(row, group, until)).map(|(_, _, id)| *id)
    }

    /// Takes a click in; says how many of its group there are.
    fn add(&mut self, row: usize, group: u128, id: EventId, (count, are_last): (usize, bool)) -> usize {
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

impl<D: Database> Message<D> {
    /// The clicks that say what all of a click's recipient's from before the window do to a row, which is the one at that place among
    /// those in force, oldest group last; `None` where the recipient has so few that they are asked for themselves, or the row asks for
    /// all.
    pub(super) fn ends(
        &self,
        (at, row): (usize, &Dependency),
        click: &Click,
    ) -> Result<Option<Vec<EventId>>, D::Error> {
        let Some(ends) = row.ends.filter(|_| self.has_forgotten()) else { return Ok(None) };
        if self.people.packs(click.recipient.short()).take(FEW + 1).count() <= FEW {
            return Ok(None);
        }
        if ends.are_last && click.ts_ms < self.window.start_ms() {
            return Ok(None);
        }
        let before_ms = (row.before_ms)(&self.judging.thresholds);
        // Whom it sees looks back as far itself.
        let before_ms = if ends.are_last { 2 * before_ms } else { before_ms };
        let from_ms = click.ts_ms.saturating_sub(before_ms).max(0);
        self.go_through((at, row, ends), click.recipient, from_ms)?;
        let known = self.people.ends.borrow();
        let mut found = Vec::new();
        let mut ms = click.ts_ms;
        // Their groups, from the click's own back to that where the look begins.
        loop {
            found.extend(known.of(at, group(&ends, click, ms)));
            if ms / ends.span_ms <= from_ms / ends.span_ms {
                break;
            }
            ms -= ends.span_ms;
        }
        Ok(Some(found))
    }

    /// Goes through what has not been gone through yet of a recipient's clicks from a moment on.
    fn go_through(
        &self,
        (at, row, ends): (usize, &Dependency, Ends),
        recipient: Key,
        from_ms: i64,
    ) -> Result<(), D::Error> {
        let until_ms = self.window.start_ms();
        let mut gone = Gone { row: at, recipient, from_ms, until_ms };
        let mut left_ms = from_ms;
        {
            let mut known = self.people.ends.borrow_mut();
            if known.ends.len() + known.gone.len() > MOST {
                *known = Known::default();
            }
            let place = known.gone.iter().position(|gone| gone.row == at && gone.recipient == recipient);
            let before = place.map(|place| known.gone.swap_remove(place));
            if let Some(before) = before.filter(|before| before.from_ms <= from_ms) {
                (gone.from_ms, left_ms) = (before.from_ms, before.until_ms);
                gone.until_ms = until_ms.max(before.until_ms);
            }
        }
        let (short, count) = (recipient.short(), (ends.count)(&self.judging.thresholds));
        let is_filled = |theirs: usize| ends.span_ms == ALWAYS && !ends.are_last && theirs >= count;
        let packs: Vec<u64> = if left_ms < until_ms {
            self.people.packs_in(short, left_ms, until_ms - 1).collect()
        } else {
            Vec::new()
        };
        let packs = ascending(&packs);
        let mut packs = packs.as_slice();
        while !packs.is_empty() && gone.until_ms < ALWAYS {
            // What is rare may stand at either end.
            let (first, rest) = packs.split_at(packs.len().min(PACKS));
            let (rest, last) = rest.split_at(rest.len().saturating_sub(PACKS));
            packs = rest;
            for (id, click) in self.theirs(&[first, last].concat(), short, (left_ms, until_ms))? {
                if click.recipient == recipient && (row.is_seen)(&click, &self.judging.thresholds) {
                    let group = group(&ends, &click, click.ts_ms);
                    let theirs = self.people.ends.borrow_mut().add(at, group, id, (count, ends.are_last));
                    if is_filled(theirs) {
                        // More of them say nothing more.
                        gone.until_ms = ALWAYS;
                    }
                }
            }
        }
        self.people.ends.borrow_mut().gone.push(gone);
        Ok(())
    }

    /// The clicks of a recipient, by its short key, in packs, from one moment up to but without another.
    fn theirs(&self, packs: &[u64], short: u64, (from_ms, until_ms): (i64, i64)) -> Result<Clicks, D::Error> {
        let mut ids = Vec::new();
        self.rows.keys_of_packs(packs, &mut |keys| {
            let theirs = pack::keys(keys)
                .filter(|(id, owner)| *owner == short && (from_ms..until_ms).contains(&id.ts_ms()));
            ids.extend(theirs.map(|(id, _)| id));
        })?;
        let mut clicks = Clicks::default();
        self.rows.clicks_by_id(&ids, &mut |id, record| {
            clicks.extend(record.map(|record| (id, Click::of(&record, Delivery::default()))));
        })?;
        self.later().set(&mut clicks)?;
        Ok(clicks)
    }

    /// A late click has settled: where its recipient's have been gone through, it is one of them.
    pub(super) fn note_late(&self, id: EventId, click: &Click) {
        let mut known = self.people.ends.borrow_mut();
        for (at, row) in self.judging.dependencies().into_iter().enumerate() {
            let Some(ends) = row.ends else { continue };
            let is_gone = known.gone.iter().any(|gone| {
                gone.row == at
                    && gone.recipient == click.recipient
                    && (gone.from_ms..gone.until_ms).contains(&click.ts_ms)
            });
            if is_gone && (row.is_seen)(click, &self.judging.thresholds) {
                let count = (ends.count)(&self.judging.thresholds);
                known.add(at, group(&ends, click, click.ts_ms), id, (count, ends.are_last));
            }
        }
    }
}
