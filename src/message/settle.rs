//! Clicks settle when their windows have closed, and late ones amend what was settled before.
//!
//! This is the one place that judges and the one that writes packs. It judges a slice of the history: the clicks that are
//! due, those whose verdict they may change, and all that these depend on ([`super::slice`]). The rules themselves are
//! [`crate::verdict::judge`], the same that judges a whole history.

use std::collections::BTreeMap;

use super::Message;
use super::by_id::{ById, Ids};
use super::history::{Ask, Clicks};
use super::settled::{Findings, Settled};
use super::settlement::Settlement;
use super::slice::{Panel, Slice};
use super::sql::Database;
use crate::event::pack::{self, Draft};
use crate::event::parcel::{self, Leaving};
use crate::record::{EventId, Record, Sighting, Verified};
use crate::verdict::{Key, Look};

/// The most clicks on time that are settled at a stretch, some tens of milliseconds: for so long nobody else is answered.
const MAX_TIMELY: usize = pack::MAX_ENTRIES;

/// So often an alarm goes on with what is due, others having had their turn: a burst of thousands is spread over several alarms.
pub const MAX_ROUNDS: usize = 5;

/// The same where some are late: what lies around those is read for all of them at once, so that fewer would cost more.
const MAX_DUE: usize = 4_096;

/// About how many settled clicks one alarm judges again because their recipients' clocks moved.
const MAX_REVISITED: usize = 2_048;

/// What is found of clicks, the verdicts that stood before, and how many clicks were looked at.
pub(super) type Found = (Vec<(EventId, Findings)>, ById<Settled>, usize);

/// A verdict that is new or changed.
pub(super) struct Ruling {
    id: EventId,
    findings: Findings,
    revision: u32,
    repeats: i64,
    /// The verdict that it retracts.
    retracts: Option<Settled>,
    /// The landing page showed more than the revision before says.
    shows_more: bool,
}

impl Ruling {
    /// What is said of a click of which that was said before.
    pub(super) fn new(id: EventId, findings: Findings, repeats: i64, old: Option<&Settled>) -> Self {
        Self {
            id,
            revision: old.map_or(0, |old| old.revision) + 1,
            repeats,
            retracts: old.copied(),
            shows_more: findings.verified > old.map_or(Verified::None, |old| old.verified),
            findings,
        }
    }
}

impl<D: Database> Message<D> {
    /// What an alarm does: settles what is due, as much as goes at a stretch; where that goes on it is called again, at most
    /// [`MAX_ROUNDS`] times. Calling it once more than that changes nothing; after a crash it starts over from the rows.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn settle(&mut self, now_ms: i64) -> Result<Settlement, D::Error> {
        self.timers.fired(now_ms);
        self.outbox.fired();
        self.know_people()?;
        let (start_ms, verdicts) = (self.window.start_ms(), self.people.verdicts());
        let mut due = self.timers.due(&self.judging, now_ms, (MAX_TIMELY, MAX_DUE), (start_ms, verdicts));
        let goes_on = due.first().is_some_and(|id| id.ts_ms() >= start_ms) && due.len() >= MAX_TIMELY;
        let is_full = goes_on || due.len() >= MAX_DUE;
        self.read_stretches(&mut due)?;
        let touched = self.timers.due_touched(now_ms);
        let mut settlement = Settlement::default();
        if !due.is_empty() || !touched.is_empty() {
            let mut clicks = self.affected(&due, &touched)?;
            let window = &self.window;
            clicks.extend(due.iter().filter_map(|id| Some((*id, window.get(*id)?.click.clone()))));
            settlement += self.issue(clicks, &due, self.judging.cutoff_ms(now_ms) + 1)?;
            for id in touched {
                self.timers.touched.remove(&id);
            }
        }
        self.timers.settled(settlement.settled, is_full || self.timers.sweep.is_under_way());
        settlement += if goes_on { Settlement::default() } else { self.revisit_next(MAX_REVISITED)? };
        self.close()?;
        Ok(Settlement { goes_on, ..settlement })
    }

    /// The settled clicks that the ones now due may change, and those of which more is known now.
    fn affected(&self, due: &Ids, touched: &[EventId]) -> Result<Clicks, D::Error> {
        let mut asks: Vec<Ask> = Vec::new();
        let mut came =
            due.iter().filter_map(|id| self.window.get(*id)).map(|held| (&*held.click, held.came_ms));
        let old = self.ask_dependents(&mut came, |_| true, &mut asks)?;
        let known = |id: &EventId| Some((*id, &self.window.get(*id)?.click));
        for (_, click) in due.iter().chain(touched).filter_map(known) {
            self.ask_who_saw(click, &mut asks)?;
        }
        let mut clicks = self.fetch(&asks)?;
        clicks.extend(self.stored(&old)?);
        clicks.extend(touched.iter().filter_map(known).map(|(id, click)| (id, click.clone())));
        clicks.retain(|id, _| !self.timers.unsettled.contains(&id));
        Ok(clicks)
    }

    /// Judges `clicks` and writes the verdicts that are new or changed. `due` are those without a settled one; every click
    /// before `open_from_ms` is settled then, but for those that are not due yet.
    pub(super) fn issue(
        &mut self,
        clicks: Clicks,
        due: &Ids,
        open_from_ms: i64,
    ) -> Result<Settlement, D::Error> {
        let before = self.settled_of(clicks.ids())?;
        let (found, before, seen) = self.find(clicks, before)?;
        self.issue_found(found, &before, due, open_from_ms, seen)
    }

    /// What is found of clicks and of those that this reaches, with the verdicts that stood before of both, and how many clicks were
    /// looked at.
    pub(super) fn find(&mut self, clicks: Clicks, mut before: ById<Settled>) -> Result<Found, D::Error> {
        let judging = self.judging.clone();
        let slice = self.slice(clicks, false)?;
        let panel = Panel::of(&slice, &judging, Look::Whole);
        let mut found = panel.base();
        let mut seen = slice.len();
        if judging.asks_full() {
            let mut changed = self.convict(&slice, &mut found, &before);
            let reached = self.reached(&changed, &slice)?;
            before.extend(self.settled_of(reached.ids())?);
            let others = self.slice(reached, false)?;
            let other_panel = Panel::of(&others, &judging, Look::Whole);
            let mut others_found = other_panel.base();
            // They, too, may see what came since they settled, and what they were convicted of may have ended or begun by that:
            // whom that reaches is judged in rounds of its own, of which there is hardly ever one.
            let mut known = changed.len();
            changed.extend(self.convict(&others, &mut others_found, &before));
            let (mut rounds, mut rounds_found): (Vec<Slice>, Vec<Vec<(EventId, Findings)>>) =
                Default::default();
            while known < changed.len() {
                let mut reached = self.reached(&changed[known..], &slice)?;
                for (id, _) in rounds.iter().chain([&others]).flat_map(Slice::wanted) {
                    reached.remove(id);
                }
                before.extend(self.settled_of(reached.ids())?);
                let news = self.slice(reached, false)?;
                let mut news_found = Panel::of(&news, &judging, Look::Whole).base();
                known = changed.len();
                changed.extend(self.convict(&news, &mut news_found, &before));
                rounds.push(news);
                rounds_found.push(news_found);
            }
            let more: Vec<Panel> =
                rounds.iter().map(|slice| Panel::of(slice, &judging, Look::Whole)).collect();
            let mut panels = vec![(&panel, &mut found), (&other_panel, &mut others_found)];
            panels.extend(more.iter().zip(&mut rounds_found));
            self.carry_over(&mut panels, &changed)?;
            for others_found in [others_found].into_iter().chain(rounds_found) {
                found = in_order(found, others_found);
            }
            seen += rounds.iter().chain([&others]).map(Slice::len).sum::<usize>();
        }
        Ok((found, before, seen))
    }

    /// Writes what is new or changed of what was found.
    fn issue_found(
        &mut self,
        found: Vec<(EventId, Findings)>,
        before: &ById<Settled>,
        due: &Ids,
        open_from_ms: i64,
        seen: usize,
    ) -> Result<Settlement, D::Error> {
        let counted = self.repeats_of(found.iter().map(|(id, _)| *id))?;
        let mut settlement = Settlement { judged: found.len(), seen, ..Settlement::default() };
        let (mut first, mut again) = (Vec::new(), Vec::new());
        for (id, findings) in found {
            let repeats = counted.get(&id).copied().unwrap_or_default();
            match before.get(id) {
                None if due.contains(&id) => first.push(Ruling::new(id, findings, repeats, None)),
                Some(old) if old.differs_from(&findings, repeats) => {
                    again.push(Ruling::new(id, findings, repeats, Some(old)));
                }
                _ => {}
            }
        }
        (settlement.settled, settlement.amended) = (first.len(), again.len());
        // Amendments and late clicks may lie hours back: in packs of their own they do not stretch the others over those hours.
        let start = EventId::first_of(self.window.start_ms());
        let timely = first.split_off(first.partition_point(|ruling| ruling.id < start));
        let packs: Vec<Vec<Ruling>> = [again, first, timely].into_iter().flat_map(packed).collect();
        settlement.packs = packs.len();
        for (left, rulings) in (0..packs.len()).rev().zip(packs) {
            // Only the last pack of the call may say that everything before the cut-off is settled.
            let open_from_ms = if left == 0 { open_from_ms } else { self.watermark.ms };
            let settles = |id: &EventId| rulings.binary_search_by_key(id, |ruling| ruling.id).is_ok();
            let still_open = self.timers.unsettled.iter().find(|id| !settles(id));
            let open_from_ms = still_open.map_or(open_from_ms, |id| open_from_ms.min(id.ts_ms()));
            self.write_pack(rulings, open_from_ms.max(self.watermark.ms))?;
        }
        self.save_shard()?;
        Ok(settlement)
    }

    fn write_pack(&mut self, rulings: Vec<Ruling>, open_from_ms: i64) -> Result<(), D::Error> {
        let mut records: ById<Record> = ById::default();
        let mut missing: Vec<EventId> = Vec::new();
        for Ruling { id, .. } in &rulings {
            match self.window.take_record(*id) {
                Some(record) => records.insert(*id, *record),
                None => missing.push(*id),
            }
        }
        self.rows
            .clicks_by_id(&missing, &mut |id, record| records.extend(record.map(|record| (id, record))))?;
        self.write_rulings(rulings, records, open_from_ms)
    }

    /// Writes a pack of rulings, or several where their links would not go into one row.
    fn write_rulings(
        &mut self,
        mut rulings: Vec<Ruling>,
        mut records: ById<Record>,
        open_from_ms: i64,
    ) -> Result<(), D::Error> {
        let link_bytes: usize =
            records.iter().map(|(_, record)| record.link().len() + record.destination().len()).sum();
        if link_bytes > pack::MAX_LINK_BYTES && rulings.len() > 1 {
            let others = rulings.split_off(rulings.len() / 2);
            let theirs = others.first().map_or_else(ById::default, |first| records.split_off(first.id));
            // Nobody may say yet that what the second half holds is settled.
            self.write_rulings(rulings, records, self.watermark.ms)?;
            return self.write_rulings(others, theirs, open_from_ms);
        }
        let (drafts, events) = self.drafted(&rulings, records)?;
        let mut delays: ById<u8> = ById::default();
        delays.extend(drafts.iter().filter_map(|draft| Some((draft.id, draft.entry.delay?))));
        // Where all records are gone there is nothing to say.
        if !drafts.is_empty() {
            let row = pack::pack(self.outbox.last_pack() + 1, open_from_ms, drafts);
            let letters = parcel::of_pack(&self.shard.name, row.number, row.first_ms, &events);
            self.rows.put_pack(&row, letters.len())?;
            self.people.add(row.number, &row.keys);
            self.watermark.pass(&row);
            self.outbox.push(row.number, letters);
        }
        for Ruling { id, findings, revision, repeats, .. } in rulings {
            self.timers.unsettled.remove(&id);
            let delay = delays.get(id).copied();
            self.note_late(id);
            self.window.settle(id, Settled::new(findings, &self.judging, revision, repeats, delay));
        }
        Ok(())
    }

    /// Rulings as they stand in a pack, and as they leave; what has no record is left out.
    pub(super) fn drafted(
        &self,
        rulings: &[Ruling],
        mut records: ById<Record>,
    ) -> Result<(Vec<Draft>, Vec<Leaving>), D::Error> {
        let shown = rulings.iter().filter(|ruling| ruling.shows_more).map(|ruling| ruling.id);
        let mut sightings: Vec<(EventId, Sighting)> = Vec::new();
        self.sightings(&shown.collect::<Vec<_>>(), &mut |id, sighting| sightings.push((id, sighting)))?;
        let (mut drafts, mut events) = (Vec::with_capacity(rulings.len()), Vec::with_capacity(rulings.len()));
        let mut later = self.later();
        for Ruling { id, findings, revision, repeats, retracts, .. } in rulings {
            let Some(record) = records.remove(*id) else { continue };
            let delivery = later.delivery(Key::of(&record.recipient_id))?;
            let mut draft = Draft::new(*id, &record, findings.verdict(&self.judging, *revision), delivery);
            if let Some(old) = retracts {
                (draft.entry.was, draft.entry.was_shadow) = (old.click_type, old.shadow_type);
                draft.entry.past = old.past();
            }
            let at = sightings.iter().position(|(known, _)| known == id);
            draft.entry.sighting = at.map(|at| sightings.swap_remove(at).1);
            draft.entry.repeats = Some(*repeats).filter(|repeats| *repeats > 0);
            events.push((*id, record, draft.entry.clone()));
            drafts.push(draft);
        }
        Ok((drafts, events))
    }

    /// The clicks counted on these, which ascend.
    pub(super) fn repeats_of(
        &self,
        mut ids: impl DoubleEndedIterator<Item = EventId>,
    ) -> Result<BTreeMap<EventId, i64>, D::Error> {
        let Some(first) = ids.next() else { return Ok(BTreeMap::new()) };
        let last = ids.next_back().unwrap_or(first);
        let mut repeats = BTreeMap::new();
        repeats.extend(self.rows.repeats(first, last.successor())?);
        Ok(repeats)
    }

    /// Moves on: the window lets go of what no open window reaches any more.
    fn close(&mut self) -> Result<(), D::Error> {
        // Late clicks look around themselves in rows: the window does not wait for them.
        let (start, end) = (EventId::first_of(self.window.start_ms()), EventId::first_of(i64::MAX));
        let open = self.timers.unsettled.range(start..end).next();
        let open_ms = open.map_or(self.watermark.ms, |id| self.watermark.ms.min(id.ts_ms()));
        let from_ms = self.window_from_ms(open_ms);
        let touched = &self.timers.touched;
        let moves = self.window.forget_before(from_ms, &|id| touched.contains_key(&id));
        if moves && self.judging.asks_full() {
            self.convictions.forget_before(self.convictions_from_ms());
        }
        if moves {
            self.shard.forget_before(self.convictions_from_ms());
            // What the window held until now it says nothing of any more.
            self.save_shard()?;
        }
        Ok(())
    }
}

/// Two lists of findings as one, in the order of their ids, in which both are.
fn in_order(some: Vec<(EventId, Findings)>, others: Vec<(EventId, Findings)>) -> Vec<(EventId, Findings)> {
    let mut all = Vec::with_capacity(some.len() + others.len());
    let mut others = others.into_iter().peekable();
    for (id, findings) in some {
        while let Some(other) = others.next_if(|(other, _)| *other < id) {
            all.push(other);
        }
        all.push((id, findings));
    }
    all.extend(others);
    all
}

/// Rulings by the pack.
fn packed(mut rulings: Vec<Ruling>) -> Vec<Vec<Ruling>> {
    let mut packs = Vec::with_capacity(rulings.len().div_ceil(pack::MAX_ENTRIES));
    while !rulings.is_empty() {
        let rest = rulings.split_off(rulings.len().min(pack::MAX_ENTRIES));
        packs.push(std::mem::replace(&mut rulings, rest));
    }
    packs
}
