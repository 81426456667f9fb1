//! Convictions of sources, and the clicks that they reach (ruleset `full`, [`crate::verdict::convictions`]).
//!
//! A settled verdict says whether it convicts, so packs hold every conviction; those of the last quarter of an hour are
//! kept in memory beside the open windows. When a verdict begins or ends to convict, the settled clicks that it reaches
//! are judged again.

use std::collections::BTreeMap;

use super::history::{Moments, merged};
use super::settle::{Court, Found, Slice};
use super::{Message, Settled, Store};
use crate::record::{EventId, Record};
use crate::verdict::convictions::{self, BACK_MS, Convictions, FORWARD_MS};
use crate::verdict::{Click, ClickType};

/// A conviction that began or ended.
pub(super) struct Changed {
    click: Click,
    was: Option<ClickType>,
    is: Option<ClickType>,
}

impl<S: Store> Message<S> {
    /// From where convictions are kept: as far back as they reach the clicks in memory.
    fn convictions_from_ms(&self) -> i64 {
        self.covered_from_ms.saturating_sub(FORWARD_MS)
    }

    /// Reads the convictions that may reach an open click.
    pub(super) fn load_convictions(&mut self) -> Result<(), S::Error> {
        if self.judging.asks_full() {
            self.convicted_from_ms = self.convictions_from_ms();
            self.convictions = self.convictions_between(&[(self.convicted_from_ms, i64::MAX)])?;
        }
        Ok(())
    }

    /// Lets go of convictions that reach nothing in memory any more.
    pub(super) fn forget_convictions(&mut self) {
        self.convicted_from_ms = self.convictions_from_ms();
        self.convictions.forget_before(self.convicted_from_ms);
    }

    /// The convictions of settled clicks between pairs of moments (both included), from rows.
    pub(super) fn convictions_between(&self, spans: &[(i64, i64)]) -> Result<Convictions, S::Error> {
        let mut convictions = Convictions::default();
        for (from_ms, until_ms) in spans {
            let mut settled = self.settled_between(*from_ms, *until_ms)?;
            settled.retain(|_, settled| settled.conviction.is_some());
            let ids: Vec<EventId> = settled.keys().copied().collect();
            self.store.clicks_by_id(&ids, &mut |id, json| {
                let kind = settled.get(&id).and_then(|settled| settled.conviction);
                if let (Ok(record), Some(kind)) = (Record::parse(&json), kind) {
                    convictions.add(&Click::of(&record, None), kind);
                }
            })?;
        }
        convictions.sort();
        Ok(convictions)
    }

    /// Takes note of the convictions that new findings bring or end, compared with those that stood before.
    pub(super) fn convict(
        &mut self,
        slice: &Slice,
        found: &mut Found,
        before: &BTreeMap<EventId, Settled>,
    ) -> Vec<Changed> {
        let mut changed = Vec::new();
        for ((id, click), (_, findings)) in slice.wanted().zip(found) {
            let Some(finding) = findings.full(&self.judging) else { continue };
            let (old, is) = (before.get(&id), convictions::conviction(click.kind, finding));
            let was = old.and_then(|settled| settled.conviction);
            // A verdict in words of a later version stands, and so does what it convicts of.
            let stands = old.is_some_and(|settled| settled.said.is_none());
            if was == is || stands {
                continue;
            }
            if click.ts_ms >= self.convicted_from_ms {
                was.inspect(|kind| self.convictions.remove(click, *kind));
                is.inspect(|kind| self.convictions.add(click, *kind));
            }
            changed.push(Changed { click: click.clone(), was, is });
        }
        self.convictions.sort();
        changed
    }

    /// The settled clicks that changed convictions reach, those already found apart.
    pub(super) fn beside(
        &self,
        changed: &[Changed],
        slice: &Slice,
    ) -> Result<BTreeMap<EventId, Click>, S::Error> {
        // Whoever shares a source shares its origin.
        let mut origins = Moments::default();
        for Changed { click, .. } in changed {
            if let Some(source) = click.signals.own_source() {
                origins.add(source.origin.into(), click.ts_ms);
            }
        }
        origins.sort();
        let mut spans = origins.spans(BACK_MS, FORWARD_MS);
        // No click later than that is settled.
        for span in &mut spans {
            span.1 = span.1.min(self.settled_to_ms);
        }
        spans.retain(|(from_ms, until_ms)| from_ms <= until_ms);
        let mut reached = self.clicks_in(&spans, &|id, click| {
            // Most of a scanner's are convicted themselves.
            let known = self.recent.get(id).and_then(|recent| recent.settled);
            if known.is_some_and(|settled| !settled.is_open) {
                return false;
            }
            let span = (click.ts_ms.saturating_sub(FORWARD_MS), click.ts_ms.saturating_add(BACK_MS));
            click.signals.own_source().is_some_and(|source| origins.has(source.origin.into(), span))
        })?;
        for (id, _) in slice.wanted() {
            reached.remove(&id);
        }
        reached.retain(|id, _| !self.unsettled.contains(id));
        let settled = self.settled_of(&reached)?;
        reached.retain(|id, _| settled.get(id).is_some_and(|settled| settled.is_open));
        Ok(reached)
    }

    /// Holds the clicks that nothing else decided against the convictions of their sources.
    pub(super) fn carry_over(
        &mut self,
        courts: &mut [(&Court, &mut Found)],
        changed: &[Changed],
    ) -> Result<(), S::Error> {
        let judging = self.judging.clone();
        // Clicks from before the memory of convictions look for them in rows.
        let mut spans = Vec::new();
        for (court, found) in &mut *courts {
            for (id, findings) in found.iter_mut() {
                let kind = findings.kind;
                let is_open =
                    findings.full(&judging).is_some_and(|finding| convictions::is_open(kind, finding));
                let from_ms = id.ts_ms().saturating_sub(FORWARD_MS);
                if is_open && from_ms < self.convicted_from_ms && court.full(&judging, *id).is_some() {
                    spans.push((from_ms, id.ts_ms().saturating_add(BACK_MS).min(self.convicted_from_ms - 1)));
                }
            }
        }
        let spans = merged(&spans);
        let mut old = self.convictions_between(&spans)?;
        for Changed { click, was, is } in changed {
            // What this call changes stands in no row yet.
            if spans.iter().any(|(from_ms, until_ms)| (*from_ms..=*until_ms).contains(&click.ts_ms)) {
                was.inspect(|kind| old.remove(click, *kind));
                is.inspect(|kind| old.add(click, *kind));
            }
        }
        old.sort();
        self.convictions.extend(&old);
        self.convictions.sort();
        for (court, found) in courts {
            self.hold_against_convictions(court, found);
        }
        if !spans.is_empty() {
            self.convictions.forget_before(self.convicted_from_ms);
        }
        Ok(())
    }

    /// Holds the clicks that nothing else decided against the convictions in memory.
    pub(super) fn hold_against_convictions(&self, court: &Court, found: &mut Found) {
        for (id, findings) in found {
            let Some((judgement, at)) = court.full(&self.judging, *id) else { continue };
            let kind = findings.kind;
            let open = findings.full(&self.judging).filter(|finding| convictions::is_open(kind, finding));
            let Some(finding) = open else { continue };
            if let Some(carried) = self.convictions.reaching(judgement.case(at).click) {
                *finding = judgement.beside(at, carried);
            }
        }
    }
}
