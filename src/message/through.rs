//! Going through the clicks of recipients that have very many, once, for the few that matter ([`super::ends`]).

use super::Message;
use super::ends::{Gone, Known, MOST, group};
use super::history::{Clicks, click_of};
use super::sql::Database;
use crate::event::pack;
use crate::record::EventId;
use crate::verdict::order::ascending;
use crate::verdict::reach::{ALWAYS, By, Dependency, Ends};
use crate::verdict::{Click, Key, repeats};

/// A recipient of so few clicks is gone through each time.
const FEW: usize = 64;

/// Packs that are read at once, from either end.
const PACKS: usize = 4;

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
        let packs: Vec<u64> =
            if left_ms < until_ms { self.people.packs_in(short, left_ms, until_ms - 1) } else { Vec::new() };
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
            clicks.extend(record.map(|record| (id, click_of(&record))));
        })?;
        self.later().set(&mut clicks)?;
        Ok(clicks)
    }

    /// A click has settled: where it is late and its recipient's have been gone through, it is one of them.
    pub(super) fn note_late(&self, id: EventId) {
        let late = self.window.get(id).filter(|_| id.ts_ms() < self.window.start_ms());
        let Some(click) = late.map(|entry| &entry.click) else { return };
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

    /// From when to when settled requests by somebody for one link may be judged otherwise for one that has come: none where all
    /// are too few, and none on a side where so many lie so close together that they are repetition whatever comes. `ends` are
    /// those from before the window that matter, where they are known.
    pub(super) fn unsure(
        &self,
        key: u128,
        at_ms: i64,
        (from_ms, until_ms): (i64, i64),
        ends: Option<&[EventId]>,
    ) -> (i64, i64) {
        let ids = |from_ms, until_ms| self.window.ids(By::Requests, key, from_ms, until_ms);
        if let Some(ends) = ends {
            let before = ends.iter().filter(|id| id.ts_ms() >= from_ms).count();
            let around = ids(from_ms, at_ms.saturating_add(repeats::REACH_MS)).take(repeats::FEWEST).count();
            if before + around < repeats::FEWEST {
                return (at_ms, at_ms);
            }
        }
        let is_sure = |ids: &mut dyn Iterator<Item = EventId>| {
            let mut ids = ids.map(EventId::ts_ms);
            let nearest = ids.next();
            let last = ids.nth(repeats::SURE - 2);
            nearest.zip(last).is_some_and(|(nearest, last)| (nearest - last).abs() <= repeats::REACH_MS)
        };
        let is_settled = |id: &EventId| self.window.get(*id).is_some_and(|entry| entry.settled.is_some());
        let old = ends.into_iter().flatten().rev().copied();
        let mut before = ids(from_ms, at_ms).rev().filter(is_settled).chain(old);
        let from_ms = if is_sure(&mut before) { at_ms } else { from_ms };
        let is_after = until_ms > at_ms && is_sure(&mut ids(at_ms, until_ms).filter(is_settled));
        (from_ms, if is_after { at_ms } else { until_ms })
    }
}
