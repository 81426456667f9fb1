//! What is damaged is set aside, and made anew where the rows of its clicks are there.
//!
//! Storage says nothing of it, and it is as rare as that: but one strange row must never be the end of a message. What that means for
//! a row of each table:
//!
//! | table | a row that cannot be read |
//! | --- | --- |
//! | `message` | its marks are none: packs leave once more, late clicks are looked for from the beginning; its name is the object's |
//! | `batches`, `clicks` | its clicks are counted as one that cannot be read; what was said of them stands |
//! | `packs` | below |
//! | `repeats`, `deliveries`, `verifications`, `presses`, `revisits`, `about`, `marks`, `words` | what it said is not known; what is told next is written in its place |
//! | `sums` | it is made again |
//!
//! A pack is a set of revisions, and every revision of a click stands in a pack of its own. So a pack whose keys are whole is made anew
//! under its number, so that it leaves under its key: its clicks are judged by the whole history as it is now, and where a later pack
//! amends one, that tells what it said; a click whose record is gone is left out, and then no later pack takes out of a tally what it
//! had said. It is done when the pack is to leave, for the first time or again ([`Message::reship`]); until
//! then its clicks' verdicts stand and are counted as unreadable. A pack that is gone, or has lost its keys, is made anew as soon as the
//! message is loaded, without clicks but those that a later pack amends: what stands in no pack is unsettled again. Whatever was judged
//! meanwhile may have looked past what was broken, so then all is judged again, by alarms, and what changes is amended. That the last
//! pack is gone is known by the mark of those that have left. Where it is not, the clicks of the window are unsettled again by
//! themselves, and late ones are looked for: that there are none any more is written together with that mark.
//!
//! What a later version wrote is not damaged: it waits.

use std::collections::BTreeMap;

use super::Message;
use super::by_id::{ById, Ids};
use super::rows::Revisit;
use super::settle::Ruling;
use super::settled::Settled;
use super::sql::Database;
use crate::event::body::{self, Entry, Unread};
use crate::event::pack::{self, Stored};
use crate::record::{EventId, Record};
use crate::verdict::{ClickType, Finding, Verdict};

impl<D: Database> Message<D> {
    /// Mends packs that are gone or have no keys; says whether there are any.
    pub(super) fn mend_rows(&mut self) -> Result<bool, D::Error> {
        let lost = self.rows.lost_packs(self.first_pack()?, self.outbox.last_pack())?;
        for number in &lost {
            let ids = self.lost_before(*number)?;
            self.make_anew(*number, &ids)?;
            self.rows.note(*number, "gone, or without keys; its clicks settle once more");
        }
        if !lost.is_empty() {
            self.looks_from(0)?;
        }
        Ok(!lost.is_empty())
    }

    /// Looks for clicks that stand in no pack from a moment on, Unix milliseconds, and has every settled one judged again.
    fn looks_from(&mut self, from_ms: i64) -> Result<(), D::Error> {
        self.watermark.late_from_ms = self.watermark.late_from_ms.min(from_ms);
        self.put_meta()?;
        self.fill()?;
        let last_pack = self.outbox.last_pack();
        if last_pack > 0 {
            let mut revisit = Revisit { number: 0, recipients: Vec::new(), done_pack: 0, last_pack };
            self.rows.put_revisit(&mut revisit)?;
            self.timers.revisits.push_back(revisit);
        }
        Ok(())
    }

    /// Makes a pack anew that is damaged; says whether it was.
    pub(super) fn rebuild(&mut self, number: u64) -> Result<bool, D::Error> {
        let Some(row) = self.rows.pack(number)?.filter(|row| pack::is_whole(&row.keys)) else {
            return self.mend_rows();
        };
        if row.open().err() != Some(Unread::Damaged) {
            return Ok(false);
        }
        self.make_anew(number, &row.ids())?;
        self.rows.note(number, "damaged; made anew of the rows of its clicks");
        self.looks_from(row.first_ms)?;
        Ok(true)
    }

    /// Makes the pack anew in which a verdict stands that cannot be read.
    pub(super) fn rebuild_of(&mut self, id: EventId) -> Result<bool, D::Error> {
        let mut last = 0;
        self.rows.pack_keys(id.ts_ms(), id.ts_ms(), &mut |number, keys| {
            if pack::keys(keys).any(|(known, _)| known == id) {
                last = number;
            }
        })?;
        self.rebuild(last)
    }

    /// Writes a pack of these clicks, which ascend, in place of what stood under its number.
    fn make_anew(&mut self, number: u64, ids: &[EventId]) -> Result<(), D::Error> {
        let (mut before, mut amended): (ById<Settled>, Vec<(EventId, u64, Entry)>) = Default::default();
        let (first_ms, last_ms) =
            (ids.first().map_or(0, |id| id.ts_ms()), ids.last().map_or(-1, |id| id.ts_ms()));
        let revision_before = |before: &ById<Settled>, id| before.get(id).map_or(0, |old| old.revision);
        // Every pack that speaks of them lies in their span of time.
        self.rows.packs(first_ms, last_ms, &mut |other| {
            let entries = other.open().map(|body| body.entries).unwrap_or_default();
            let mut entries = entries.into_iter();
            for (id, mut settled) in Settled::all_in(&other, &self.judging) {
                let entry = entries.next();
                if ids.binary_search(&id).is_err() {
                    continue;
                }
                if other.number < number {
                    settled.revision = settled.revision.max(revision_before(&before, id) + 1);
                    before.insert(id, settled);
                } else if other.number > number && !amended.iter().any(|(known, ..)| *known == id) {
                    amended.extend(entry.map(|entry| (id, other.number, entry)));
                }
            }
        })?;
        // Memory may know more than the rows do: what is judged now is to be what the next life would find.
        self.fill()?;
        self.know_people()?;
        let clicks = self.stored(ids)?;
        let (found, ..) = self.find(clicks, ById::default())?;
        let counted = self.repeats_of(found.iter().map(|(id, _)| *id))?;
        let mut rulings = Vec::with_capacity(found.len());
        for (id, findings) in found {
            // Others that these reach are judged again later.
            if ids.binary_search(&id).is_err() {
                continue;
            }
            let repeats = counted.get(&id).copied().unwrap_or_default();
            rulings.push(Ruling::new(id, findings, repeats, before.get(id)));
        }
        let mut records: ById<Record> = ById::default();
        self.rows.clicks_by_id(ids, &mut |id, record| records.extend(record.map(|record| (id, record))))?;
        let (mut drafts, _) = self.drafted(&rulings, records)?;
        for (id, later, amendment) in &amended {
            let draft = drafts.iter_mut().find(|draft| draft.id == *id).map(|draft| &mut draft.entry);
            match draft.filter(|entry| entry.verdict.revision + 1 == amendment.verdict.revision) {
                Some(entry) => say_before(entry, amendment),
                // The revision that it amends is no more.
                None => self.forget_past(*later, *id)?,
            }
        }
        self.rows.forget_sums(0)?;
        self.rows.broken.set(0);
        let mut row = pack::pack(number, 0, drafts);
        // Its objects lie where it began, though the record of that click may be gone.
        row.first_ms = first_ms;
        if row.keys.is_empty() {
            // It lies in no span of time.
            (row.first_ms, row.last_ms) = (i64::MAX, i64::MIN);
        }
        self.rows.put_pack(&row, self.rows.parts(number)?)
    }

    /// Has a pack tell a tally nothing of the revision before its own of a click: what is counted nowhere is not taken out.
    fn forget_past(&self, number: u64, id: EventId) -> Result<(), D::Error> {
        let Some((mut row, mut body)) =
            self.rows.pack(number)?.and_then(|row| row.open().ok().map(|body| (row, body)))
        else {
            return Ok(());
        };
        for (_, entry) in pack::keys(&row.keys).zip(&mut body.entries).filter(|((known, _), _)| *known == id)
        {
            entry.past = None;
        }
        row.body = Stored::Bytes(body::seal(&body));
        self.rows.put_pack(&row, self.rows.parts(number)?)
    }

    /// The clicks of which a revision is in no pack, but one of a pack behind it amends that: in order.
    fn lost_before(&self, number: u64) -> Result<Vec<EventId>, D::Error> {
        // The last pack that speaks of a click, and behind it the revision.
        let (mut seen, mut lost): (BTreeMap<EventId, i64>, _) = (BTreeMap::new(), Ids::default());
        let number = number.cast_signed();
        self.rows.packs(i64::MIN, i64::MAX, &mut |row| {
            if !pack::is_whole(&row.keys) {
                return;
            }
            for (id, settled) in Settled::all_in(&row, &self.judging) {
                let known = seen.get(&id).copied().unwrap_or_default();
                let (behind, next, here) = (known >> 32, (known & 0xffff_ffff) + 1, row.number.cast_signed());
                let revision = i64::from(settled.revision);
                if behind < number && number < here && revision > next {
                    lost.insert(id);
                }
                seen.insert(id, here << 32 | revision.max(next));
            }
        })?;
        Ok(lost.to_vec())
    }
}

/// Has an entry say what its amendment tells of it.
fn say_before(entry: &mut Entry, amendment: &Entry) {
    let Some(past) = amendment.past.as_deref() else { return };
    let said = |verdict: &Verdict, click_type: Option<ClickType>| {
        let vendor = past.vendor.clone();
        let finding = Finding { click_type, vendor, confidence: past.confidence, ..verdict.finding.clone() };
        Verdict::of(finding, verdict.ruleset.clone(), verdict.revision).with_verified(past.verified)
    };
    let shadow = entry.verdict.shadow.as_ref().map(|shadow| Box::new(said(shadow, amendment.was_shadow)));
    entry.verdict = said(&entry.verdict, amendment.was);
    entry.verdict.shadow = shadow;
    entry.delay = past.delay;
    // What the page showed since is told by whoever was the first to know.
    entry.sighting = entry.sighting.take().filter(|sighting| sighting.verified <= past.verified);
}
