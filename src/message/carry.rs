//! Convictions of sources, and the clicks that they reach (ruleset `full`, [`crate::verdict::convictions`]).
//!
//! A settled verdict says whether it convicts, so packs hold every conviction; those that reach the window are kept in
//! memory. Those of other objects are looked up in the board's views, where they stand in any case. When a verdict begins or
//! ends to convict, the settled clicks that it reaches are judged again.

use std::rc::Rc;

use super::Message;
use super::by_id::ById;
use super::history::{Ask, Clicks, merged};
use super::settled::{Findings, Settled};
use super::slice::{Panel, Slice};
use super::sql::Database;
use crate::record::{EventId, Kind};
use crate::verdict::convictions::{Carried, Convicting, Convictions, places};
use crate::verdict::order::{arranged, ascending};
use crate::verdict::reach::{By, CARRY_AFTER_MS, CARRY_BEFORE_MS, Test};
use crate::verdict::{Click, ClickType, rules};

/// So many clicks of convictions are read at once: of a busy quarter of an hour there may be a hundred thousand.
const MOST_READ: usize = 1_024;

/// A conviction that began or ended.
pub(super) struct Changed {
    click: Rc<Click>,
    was: Option<ClickType>,
    is: Option<ClickType>,
}

impl Changed {
    /// Takes note of it.
    fn apply(&self, convictions: &mut Convictions) {
        self.was.inspect(|kind| convictions.remove(&self.click, *kind));
        self.is.inspect(|kind| convictions.add(&self.click, *kind));
    }
}

impl<D: Database> Message<D> {
    /// From where convictions are kept: as far back as they reach the clicks of the window.
    pub(super) fn convictions_from_ms(&self) -> i64 {
        self.window.start_ms().saturating_sub(CARRY_BEFORE_MS)
    }

    /// The convictions of some places in spans (both ends included) that are apart, others' among them, as they stand in rows.
    pub(super) fn convictions_at(
        &self,
        places: &[u64],
        spans: &[(i64, i64)],
    ) -> Result<Convictions, D::Error> {
        let mut old = Convictions::at(ascending(places));
        for span in spans {
            self.others_in(*span, &mut old)?;
        }
        self.own_convictions_in(spans, &mut old)?;
        Ok(old)
    }

    /// Adds the convictions of settled clicks in spans (both ends included) that are apart: from memory, or from rows, of which each
    /// pack is read once.
    pub(super) fn own_convictions_in(
        &self,
        spans: &[(i64, i64)],
        convictions: &mut Convictions,
    ) -> Result<(), D::Error> {
        let mut beyond = Vec::new();
        for (from_ms, until_ms) in spans.iter().copied() {
            if !self.window.holds(from_ms, until_ms) {
                beyond.push((from_ms, until_ms));
                continue;
            }
            for (_, entry) in self.window.between(from_ms, until_ms) {
                let kind = entry.settled.and_then(|settled| settled.conviction);
                kind.inspect(|kind| convictions.add(&entry.click, *kind));
            }
        }
        let mut settled = self.settled_in(&beyond, &|settled| settled.conviction.is_some())?;
        let mut old: Vec<EventId> = Vec::new();
        for (id, Settled { conviction, .. }) in settled.iter() {
            match self.window.get(id).zip(*conviction) {
                Some((entry, kind)) => convictions.add(&entry.click, kind),
                None => old.push(id),
            }
        }
        for ids in old.chunks(MOST_READ) {
            for (id, click) in self.stored(ids)? {
                if let Some(kind) = settled.remove(id).and_then(|settled| settled.conviction) {
                    convictions.add(&click, kind);
                }
            }
        }
        Ok(())
    }

    /// Takes note of the convictions that new findings bring or end, compared with those that stood before.
    pub(super) fn convict(
        &mut self,
        slice: &Slice,
        found: &mut [(EventId, Findings)],
        before: &ById<Settled>,
    ) -> Vec<Changed> {
        let (mut changed, from_ms) = (Vec::new(), self.convictions_from_ms());
        for ((id, click), (_, findings)) in slice.wanted().zip(found) {
            let Some(finding) = findings.full(&self.judging) else { continue };
            let (old, is) = (before.get(id), rules::conviction(click.kind, finding));
            let was = old.and_then(|settled| settled.conviction);
            // A verdict in words of a later version stands, and so does what it convicts of.
            if was == is || old.is_some_and(Settled::is_foreign) {
                continue;
            }
            let change = Changed { click: click.clone(), was, is };
            self.shard.mark(click.ts_ms, 0);
            if click.ts_ms >= from_ms {
                change.apply(&mut self.convictions);
            }
            changed.push(change);
        }
        changed
    }

    /// The settled clicks that changed convictions reach and nothing else decided, those already found apart.
    pub(super) fn reached(&self, changed: &[Changed], slice: &Slice) -> Result<Clicks, D::Error> {
        // Whoever shares a source shares its origin.
        let mut spans: Vec<(u128, (i64, i64))> = Vec::new();
        for Changed { click, .. } in changed {
            // No click later than that is settled.
            let until_ms = click.ts_ms.saturating_add(CARRY_BEFORE_MS).min(self.watermark.settled_to_ms);
            let from_ms = click.ts_ms.saturating_sub(CARRY_AFTER_MS);
            let origin = By::Origin.key(click).filter(|_| from_ms <= until_ms);
            spans.extend(origin.map(|origin| (origin, (from_ms, until_ms))));
        }
        let passes: Test = |click, _| click.kind != Kind::Open;
        let mut asks: Vec<Ask> = Vec::new();
        for group in arranged(&spans, &|(origin, _)| (0, *origin)).chunk_by(|a, b| a.0 == b.0) {
            let (key, spans) = (group[0].0, group.iter().map(|(_, span)| *span).collect::<Vec<_>>());
            let spans = merged(&spans).into_iter();
            asks.extend(spans.map(|(from_ms, until_ms)| Ask {
                by: By::Origin,
                key,
                recipient: 0,
                from_ms,
                until_ms,
                is_recent: false,
                passes,
            }));
        }
        let mut reached = self.fetch(&asks)?;
        for (id, _) in slice.wanted() {
            reached.remove(id);
        }
        reached.retain(|id, _| !self.timers.unsettled.contains(&id));
        let settled = self.settled_of(reached.ids())?;
        reached.retain(|id, _| settled.get(id).is_some_and(|settled| settled.is_undecided));
        Ok(reached)
    }

    /// Holds the clicks that nothing else decided against the convictions of their sources.
    pub(super) fn carry_over(
        &self,
        panels: &mut [(&Panel, &mut Vec<(EventId, Findings)>)],
        changed: &[Changed],
    ) -> Result<(), D::Error> {
        let judging = self.judging.clone();
        let kept_ms = self.convictions_from_ms();
        // Clicks from before the memory of convictions look for them in rows.
        let (mut spans, mut at): (Vec<(i64, i64)>, Vec<u64>) = Default::default();
        for (panel, found) in &mut *panels {
            for (id, findings) in found.iter_mut() {
                let kind = findings.kind;
                let is_undecided =
                    findings.full(&judging).is_some_and(|finding| rules::is_undecided(kind, finding));
                let from_ms = id.ts_ms().saturating_sub(CARRY_BEFORE_MS);
                if is_undecided && from_ms < kept_ms {
                    spans.push((from_ms, id.ts_ms().saturating_add(CARRY_AFTER_MS).min(kept_ms - 1)));
                    at.extend(panel.click(*id).into_iter().flat_map(places));
                }
            }
        }
        let spans = merged(&spans);
        let mut old =
            if spans.is_empty() { Convictions::default() } else { self.convictions_at(&at, &spans)? };
        for change in changed {
            // What this call changes stands in no row yet.
            if spans.iter().any(|(from_ms, until_ms)| (*from_ms..=*until_ms).contains(&change.click.ts_ms)) {
                change.apply(&mut old);
            }
        }
        for (panel, found) in panels {
            self.hold_against(&old, panel, found);
        }
        Ok(())
    }

    /// The convictions that reach a click: those in memory, and `old` ones from before them.
    pub(super) fn reaching(&self, old: &Convictions, click: &Click) -> Option<Carried> {
        let own = [(old, i64::MIN), (&self.convictions, self.convictions_from_ms())];
        Convicting { own: &own, others: &self.shard.views }.reaching(click)
    }

    /// Holds the clicks that nothing else decided against convictions: those in memory, and `old` ones from before them.
    pub(super) fn hold_against(&self, old: &Convictions, panel: &Panel, found: &mut [(EventId, Findings)]) {
        for (id, findings) in found {
            let Some((judgement, at)) = panel.full(&self.judging, *id) else { continue };
            let kind = findings.kind;
            let undecided = findings.full(&self.judging).filter(|finding| rules::is_undecided(kind, finding));
            let Some(finding) = undecided else { continue };
            if let Some(carried) = self.reaching(old, judgement.case(at).click) {
                *finding = judgement.with_carry(at, carried);
            }
        }
    }
}
