//! Clicks settle when their windows have closed, and late ones amend what was settled before.
//!
//! The object judges a slice of the history: the clicks that are due, those whose verdict they may change, and all
//! that these depend on. The rules themselves are [`crate::verdict::judge`], the same that judges a whole history.

use std::collections::{BTreeMap, BTreeSet};

use super::history::around;
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
        self.know_elders()?;
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
        let counted = self.repeats_of(&tree(clicks.keys().copied()))?;
        let (mut first, mut again) = (Vec::new(), Vec::new());
        for (id, finding) in self.judge(clicks, Look::Whole)? {
            let repeats = counted.get(&id).copied().unwrap_or_default();
            match before.get(&id) {
                None if due.contains(&id) => {
                    first.push(News { id, finding, revision: 1, repeats, was: None });
                }
                Some(old) if old.is_overtaken_by(&finding, repeats) => {
                    let (revision, was) = (old.revision + 1, old.click_type);
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
        let mut records: BTreeMap<EventId, Record> = BTreeMap::new();
        self.store.clicks_by_id(&ids, &mut |id, json| {
            records.extend(Record::parse(&json).ok().map(|record| (id, record)));
        })?;
        let mut drafts = Vec::with_capacity(news.len());
        let mut clocks = self.clocks();
        for News { id, finding, revision, repeats, was } in &news {
            let Some(record) = records.remove(id) else { continue };
            let delivered_at_ms = clocks.delivered_at_ms(Key::of(&record.recipient_id))?;
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
                recent.settled = Some(Settled::new(&finding, revision, repeats));
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
        self.has_forgotten()
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
        let open = self.recent.split_off(&from);
        let forgotten = std::mem::replace(&mut self.recent, open);
        if let Some(elders) = &mut self.elders {
            for recent in forgotten.values() {
                elders.add(recent.click.recipient.short());
            }
        }
        self.counted = self.counted.split_off(&from);
        self.floods.retain(|_, ids| {
            ids.retain(|id| *id >= from);
            !ids.is_empty()
        });
        self.covered_from_ms = from_ms;
    }
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
