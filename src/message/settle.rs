//! Clicks settle when their windows have closed, and late ones amend what was settled before.
//!
//! The object judges a slice of the history: the clicks that are due, those whose verdict they may change, and all
//! that these depend on. The rules themselves are [`crate::verdict::judge`], the same that judges a whole history.

use std::collections::{BTreeMap, BTreeSet};

use super::pack::{self, Draft};
use super::{Message, Recent, Settled, Store, tree};
use crate::signals::{EventId, Record};
use crate::verdict::{self, Click, ClickType, Finding, Key, Look, Verdict};

/// The most clicks that one call settles: a burst of thousands is spread over several wakes.
const MAX_DUE: usize = 4_096;

/// What a call settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Clicks that got their first settled verdict.
    pub settled: usize,
    /// Clicks whose settled verdict was replaced.
    pub amended: usize,
    /// Packs written.
    pub packs: usize,
}

/// A verdict that is new or changed.
struct News {
    id: EventId,
    finding: Finding,
    revision: u32,
    repeats: i64,
    was: Option<ClickType>,
}

impl<S: Store> Message<S> {
    /// Settles what is due. Calling it again changes nothing; after a crash it starts over from the rows.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn settle(&mut self, now_ms: i64) -> Result<Settlement, S::Error> {
        self.last_tick_ms = now_ms;
        let cutoff_ms = self.judging.cutoff_ms(now_ms);
        let due: BTreeSet<EventId> =
            tree(self.unsettled.range(..EventId::first_of(cutoff_ms + 1)).take(MAX_DUE).copied());
        let grown: Vec<EventId> =
            self.grown.iter().filter(|(_, due_ms)| **due_ms <= now_ms).map(|(id, _)| *id).collect();
        if due.is_empty() && grown.is_empty() {
            return Ok(Settlement::default());
        }
        let mut clicks: BTreeMap<EventId, Click> = self.affected(&due)?;
        for id in due.iter().chain(&grown) {
            if let Some(recent) = self.recent.get(id) {
                clicks.insert(*id, recent.click.clone());
            }
        }
        let settlement = self.issue(clicks, &due, cutoff_ms + 1)?;
        for id in grown {
            self.grown.remove(&id);
        }
        if self.meta.late_from_ms < self.open_from_ms
            && self.unsettled.first().is_none_or(|id| id.ts_ms() >= self.open_from_ms)
        {
            self.meta.late_from_ms = i64::MAX;
            self.store.put_meta(&self.meta)?;
        }
        self.forget();
        Ok(settlement)
    }

    /// Judges `clicks` and writes the verdicts that are new or changed. `due` are those without a settled one.
    pub(super) fn issue(
        &mut self,
        clicks: BTreeMap<EventId, Click>,
        due: &BTreeSet<EventId>,
        open_from_ms: i64,
    ) -> Result<Settlement, S::Error> {
        let before = self.settled_of(&clicks)?;
        let (mut first, mut again) = (Vec::new(), Vec::new());
        for (id, finding) in self.judge(clicks, Look::Whole)? {
            let repeats = self.repeats_of(id)?;
            match before.get(&id).map(|old| (old, old.finding.as_ref())) {
                None if due.contains(&id) => {
                    first.push(News { id, finding, revision: 1, repeats, was: None });
                }
                Some((old, Some(said))) if !said.agrees_with(&finding) || old.repeats != repeats => {
                    let (revision, was) = (old.revision + 1, said.click_type);
                    again.push(News { id, finding, revision, repeats, was });
                }
                _ => {}
            }
        }
        let mut settlement = Settlement { settled: first.len(), amended: again.len(), packs: 0 };
        // Amendments may lie hours back: in packs of their own they do not stretch the others over those hours.
        let packs: Vec<Vec<_>> =
            [again, first].into_iter().flat_map(|news| chunks(news, pack::MAX_ENTRIES)).collect();
        let count = packs.len();
        for (at, news) in packs.into_iter().enumerate() {
            // Only the last pack of the call may say that everything before the cut-off is settled.
            let open_from_ms = if at + 1 == count { open_from_ms } else { self.open_from_ms };
            let still_open = self.unsettled.iter().find(|id| !news.iter().any(|news| news.id == **id));
            let open_from_ms = still_open.map_or(open_from_ms, |id| open_from_ms.min(id.ts_ms()));
            self.write_pack(news, open_from_ms.max(self.open_from_ms))?;
            settlement.packs += 1;
        }
        Ok(settlement)
    }

    fn write_pack(&mut self, news: Vec<News>, open_from_ms: i64) -> Result<(), S::Error> {
        let ids: Vec<EventId> = news.iter().map(|news| news.id).collect();
        let records: BTreeMap<EventId, String> = tree(self.store.clicks_by_id(&ids)?);
        let mut drafts = Vec::with_capacity(news.len());
        for News { id, finding, revision, repeats, was } in &news {
            let Some(Ok(record)) = records.get(id).map(|json| Record::parse(json)) else { continue };
            let delivered_at_ms = self.delivered_at_ms(Key::of(&record.recipient_id))?;
            let verdict = Verdict::new(finding.clone(), self.judging.ruleset, *revision);
            let mut draft = Draft::new(*id, record, verdict, *was);
            draft.entry.delivered_at_ms = delivered_at_ms;
            draft.entry.repeats = Some(*repeats).filter(|repeats| *repeats > 0);
            drafts.push(draft);
        }
        let row = pack::pack(self.last_pack + 1, open_from_ms, drafts);
        self.store.insert_pack(&row)?;
        self.last_pack = row.number;
        self.open_from_ms = open_from_ms;
        self.oldest_ms = self.oldest_ms.min(row.first_ms);
        self.settled_to_ms = self.settled_to_ms.max(row.last_ms);
        for News { id, finding, revision, repeats, .. } in news {
            self.unsettled.remove(&id);
            if let Some(recent) = self.recent.get_mut(&id) {
                // The pack has the reasons; memory keeps what is compared.
                let finding = Some(Finding { reasons: Vec::new(), ..finding });
                recent.settled = Some(Settled { finding, revision, repeats });
                recent.late = false;
            }
        }
        Ok(())
    }

    /// The settled clicks that the ones now due may change.
    fn affected(&self, due: &BTreeSet<EventId>) -> Result<BTreeMap<EventId, Click>, S::Error> {
        let thresholds = &self.judging.thresholds;
        let coming: Vec<(EventId, &Recent)> =
            due.iter().filter_map(|id| self.recent.get(id).map(|recent| (*id, recent))).collect();
        let is_early = |click: &Click| click.delta_ms() < thresholds.sandbox_ms;

        let mut affected = BTreeMap::new();
        // The recipient's own: early clicks count each other, a late click changes the pairs of its link.
        let recipients: BTreeSet<Key> = tree(
            coming
                .iter()
                .filter(|(_, recent)| recent.late || is_early(&recent.click))
                .map(|(_, recent)| recent.click.recipient),
        );
        let mut copies: BTreeMap<Key, Vec<(EventId, Click)>> = BTreeMap::new();
        for (id, click) in self.history_of(&recipients)? {
            copies.entry(click.recipient).or_default().push((id, click));
        }
        for copy in copies.values() {
            let news = |id: &EventId| due.contains(id);
            let counts = copy.iter().any(|(id, click)| news(id) && is_early(click));
            for (id, click) in copy {
                if counts && is_early(click) && click.signals.is_microsoft() && !news(id) {
                    affected.insert(*id, click.clone());
                }
            }
            let mut links: BTreeMap<Key, Vec<&(EventId, Click)>> = BTreeMap::new();
            for member in copy {
                links.entry(member.1.link).or_default().push(member);
            }
            for link in links.values() {
                let close = |a: &&(EventId, Click), b: &&(EventId, Click)| {
                    b.1.ts_ms.saturating_sub(a.1.ts_ms) <= thresholds.pair_ms
                };
                for chain in link.chunk_by(close).filter(|chain| chain.iter().any(|(id, _)| news(id))) {
                    affected.extend(chain.iter().filter(|(id, _)| !news(id)).map(|(id, c)| (*id, c.clone())));
                }
            }
        }
        // Others' clicks on the same URL, around a late one.
        let mut late: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
        for (_, recent) in coming.iter().filter(|(_, recent)| recent.late) {
            late.entry(recent.click.url).or_default().push(recent.click.ts_ms);
        }
        let spans: Vec<(i64, i64)> =
            late.values().flatten().map(|ts| around(*ts, thresholds.campaign_ms)).collect();
        for (id, click) in self.clicks_in(&spans, |click| {
            // The times ascend, as the clicks that are due do.
            let near = |times: &Vec<i64>| {
                let (from_ms, until_ms) = around(click.ts_ms, thresholds.campaign_ms);
                let first = times.partition_point(|ts| *ts < from_ms);
                times.get(first).is_some_and(|ts| *ts <= until_ms)
            };
            click.signals.is_microsoft() && late.get(&click.url).is_some_and(near)
        })? {
            if !due.contains(&id) {
                affected.insert(id, click);
            }
        }
        affected.retain(|id, _| !self.unsettled.contains(id));
        Ok(affected)
    }

    /// Judges `wanted` on all that they depend on.
    pub(super) fn judge(
        &self,
        wanted: BTreeMap<EventId, Click>,
        look: Look,
    ) -> Result<Vec<(EventId, Finding)>, S::Error> {
        let thresholds = &self.judging.thresholds;
        let recipients: BTreeSet<Key> = tree(wanted.values().map(|click| click.recipient));
        let mut slice: BTreeMap<EventId, Click> = if wanted.values().any(|click| self.looks_deep(click)) {
            self.history_of(&recipients)?
        } else {
            tree(self.recent_where(|click| recipients.contains(&click.recipient)))
        };
        let mut spans = Vec::new();
        let mut urls = BTreeSet::new();
        for click in wanted.values().filter(|click| click.signals.is_microsoft()) {
            spans.push(around(click.ts_ms, thresholds.campaign_ms));
            urls.insert(click.url);
        }
        slice.extend(self.clicks_in(&spans, |click| urls.contains(&click.url))?);
        let ids: Vec<EventId> = wanted.keys().copied().collect();
        slice.extend(wanted);

        let (order, clicks): (Vec<EventId>, Vec<Click>) = slice.into_iter().unzip();
        let findings = verdict::judge(&clicks, self.judging.ruleset, thresholds, look);
        let mut found: BTreeMap<EventId, Finding> = tree(order.into_iter().zip(findings));
        Ok(ids.into_iter().filter_map(|id| found.remove(&id).map(|finding| (id, finding))).collect())
    }

    /// Whether a click may depend on clicks of its recipient that are no longer in memory: an early one on early
    /// ones of any age (a clock may be skewed), any other on a chain of pairs that reaches back.
    fn looks_deep(&self, click: &Click) -> bool {
        self.oldest_ms < self.covered_from_ms
            && (click.delta_ms() < self.judging.thresholds.sandbox_ms
                || self.recent_before(click) < self.covered_from_ms + self.judging.thresholds.pair_ms)
    }

    /// How far back the chain of neighbours on the click's link goes in memory, Unix milliseconds.
    fn recent_before(&self, click: &Click) -> i64 {
        let mut reached = click.ts_ms;
        for (id, other) in self.recent.range(..EventId::first_of(click.ts_ms)).rev() {
            if reached.saturating_sub(id.ts_ms()) > self.judging.thresholds.pair_ms {
                break;
            }
            if other.click.recipient == click.recipient && other.click.link == click.link {
                reached = id.ts_ms();
            }
        }
        reached
    }

    /// All clicks of these recipients, of any age.
    pub(super) fn history_of(
        &self,
        recipients: &BTreeSet<Key>,
    ) -> Result<BTreeMap<EventId, Click>, S::Error> {
        let mut history = BTreeMap::new();
        if recipients.is_empty() {
            return Ok(history);
        }
        if self.oldest_ms < self.covered_from_ms {
            let short: BTreeSet<u64> = tree(recipients.iter().map(|recipient| recipient.short()));
            let end = EventId::first_of(self.covered_from_ms);
            let mut ids = BTreeSet::new();
            self.store.pack_keys(self.covered_from_ms, &mut |bytes| {
                ids.extend(
                    pack::keys(bytes).filter(|(id, who)| *id < end && short.contains(who)).map(|(id, _)| id),
                );
            })?;
            let ids: Vec<EventId> = ids.into_iter().collect();
            for (id, json) in self.store.clicks_by_id(&ids)? {
                if let Some(click) = self.click_of(&json)? {
                    history.insert(id, click);
                }
            }
            history.retain(|_, click| recipients.contains(&click.recipient));
        }
        history.extend(self.recent_where(|click| recipients.contains(&click.recipient)));
        Ok(history)
    }

    /// The clicks between pairs of moments (both included) that pass a test, from memory or, before that, storage.
    fn clicks_in(
        &self,
        spans: &[(i64, i64)],
        passes: impl Fn(&Click) -> bool,
    ) -> Result<BTreeMap<EventId, Click>, S::Error> {
        let mut found = BTreeMap::new();
        for (from_ms, until_ms) in merged(spans) {
            let (from, until) = (EventId::first_of(from_ms), EventId::first_of(until_ms.saturating_add(1)));
            let covered = EventId::first_of(self.covered_from_ms);
            if from < covered {
                for (id, json) in self.store.clicks(from, until.min(covered), usize::MAX)? {
                    if let Some(click) = self.click_of(&json)?.filter(|click| passes(click)) {
                        found.insert(id, click);
                    }
                }
            }
            let recent = self.recent.range(from.max(covered)..until.max(covered));
            found.extend(
                recent
                    .filter(|(_, recent)| passes(&recent.click))
                    .map(|(id, recent)| (*id, recent.click.clone())),
            );
        }
        Ok(found)
    }

    fn recent_where(&self, passes: impl Fn(&Click) -> bool) -> impl Iterator<Item = (EventId, Click)> {
        self.recent
            .iter()
            .filter(move |(_, recent)| passes(&recent.click))
            .map(|(id, recent)| (*id, recent.click.clone()))
    }

    /// The click of a stored record, on its current clock.
    fn click_of(&self, json: &str) -> Result<Option<Click>, S::Error> {
        let Ok(record) = Record::parse(json) else { return Ok(None) };
        let delivered_at_ms = self.delivered_at_ms(Key::of(&record.recipient_id))?;
        Ok(Some(Click::of(&record, delivered_at_ms)))
    }

    /// The settled verdicts that these clicks have.
    fn settled_of(&self, clicks: &BTreeMap<EventId, Click>) -> Result<BTreeMap<EventId, Settled>, S::Error> {
        let mut settled = BTreeMap::new();
        let mut old = Vec::new();
        for id in clicks.keys() {
            match self.recent.get(id) {
                Some(recent) => settled.extend(recent.settled.clone().map(|verdict| (*id, verdict))),
                None => old.push((id.ts_ms(), id.ts_ms())),
            }
        }
        for (from_ms, until_ms) in merged(&old) {
            let found = self.settled_between(from_ms, until_ms)?;
            settled.extend(
                found.into_iter().filter(|(id, _)| clicks.contains_key(id) && !self.recent.contains_key(id)),
            );
        }
        Ok(settled)
    }

    fn repeats_of(&self, id: EventId) -> Result<i64, S::Error> {
        if let Some(recent) = self.recent.get(&id) {
            return Ok(recent.repeats);
        }
        let counted = self.store.repeats(id, EventId::first_of(id.ts_ms() + 1))?;
        Ok(counted.into_iter().find(|(bearer, _)| *bearer == id).map_or(0, |(_, repeats)| repeats))
    }

    /// Lets go of clicks that no open window reaches any more.
    fn forget(&mut self) {
        let open_from_ms =
            self.unsettled.first().map_or(self.open_from_ms, |id| self.open_from_ms.min(id.ts_ms()));
        let from_ms = self.warm_from_ms(open_from_ms);
        // Splitting the tree costs by what stays, so it is done for some seconds at a time.
        if from_ms < self.covered_from_ms.saturating_add(5 * super::TICK_MS) {
            return;
        }
        let from = EventId::first_of(from_ms);
        self.recent = self.recent.split_off(&from);
        self.counted = self.counted.split_off(&from);
        self.floods.retain(|_, ids| {
            ids.retain(|id| *id >= from);
            !ids.is_empty()
        });
        self.covered_from_ms = from_ms;
    }
}

fn around(ts_ms: i64, reach_ms: i64) -> (i64, i64) {
    (ts_ms.saturating_sub(reach_ms), ts_ms.saturating_add(reach_ms))
}

/// Spans that overlap or touch become one.
fn merged(spans: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (from, until) in sorted {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

fn chunks<T>(mut items: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut chunks = Vec::with_capacity(items.len().div_ceil(size));
    while items.len() > size {
        let rest = items.split_off(size);
        chunks.push(std::mem::replace(&mut items, rest));
    }
    if !items.is_empty() {
        chunks.push(items);
    }
    chunks
}
