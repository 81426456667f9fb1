//! Clicks settle when their windows have closed, and late ones amend what was settled before.
//!
//! The object judges a slice of the history: the clicks that are due, those whose verdict they may change, and all
//! that these depend on. The rules themselves are [`crate::verdict::judge`], the same that judges a whole history.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Moments, around, since};
use super::pack::{self, Draft};
use super::{Findings, Message, Recent, Settled, Store, tree};
use crate::record::Kind;
use crate::record::Verified;
use crate::record::{EventId, Record, Sighting};
use crate::verdict::bursts::REACH_MS;
use crate::verdict::order::arrange;
use crate::verdict::windows::{self, RETURN_MS};
use crate::verdict::{Click, ClickType, Judgement, Judging, Key, Look};

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
    findings: Findings,
    revision: u32,
    repeats: i64,
    was: Option<ClickType>,
    was_shadow: Option<ClickType>,
    /// The landing page showed more than the revision before says.
    shows_more: bool,
}

/// Clicks with all that those among them that are wanted depend on, in order.
pub(super) struct Slice {
    clicks: Vec<Click>,
    /// The wanted ones, ascending, with their places among the clicks.
    wanted: Vec<(EventId, usize)>,
}

impl Slice {
    /// The wanted clicks.
    pub(super) fn wanted(&self) -> impl Iterator<Item = (EventId, &Click)> {
        self.wanted.iter().map(|(id, at)| (*id, &self.clicks[*at]))
    }

    /// The place of a wanted click.
    fn place(&self, id: EventId) -> Option<usize> {
        let at = self.wanted.binary_search_by(|(wanted, _)| wanted.cmp(&id)).ok()?;
        self.wanted.get(at).map(|(_, place)| *place)
    }
}

/// What was found of some clicks, in their order.
pub(super) type Found = Vec<(EventId, Findings)>;

/// A slice as the rulesets in force see it.
pub(super) struct Court<'a> {
    slice: &'a Slice,
    active: Judgement<'a>,
    shadow: Option<Judgement<'a>>,
}

impl<'a> Court<'a> {
    pub(super) fn of(slice: &'a Slice, judging: &'a Judging, look: Look) -> Self {
        let judgement = |ruleset| Judgement::of(&slice.clicks, ruleset, &judging.thresholds, look);
        Self { slice, active: judgement(judging.ruleset), shadow: judging.shadow.map(judgement) }
    }

    /// What the wanted clicks show, convictions of their sources apart.
    pub(super) fn alone(&self) -> Found {
        let findings = |at: usize| Findings {
            kind: self.slice.clicks[at].kind,
            active: self.active.alone(at),
            shadow: self.shadow.as_ref().map(|shadow| shadow.alone(at)),
            verified: self.slice.clicks[at].verified,
        };
        self.slice.wanted.iter().map(|(id, at)| (*id, findings(*at))).collect()
    }

    /// The judgement of ruleset `full`, and the place of a wanted click in it.
    pub(super) fn full(&self, judging: &Judging, id: EventId) -> Option<(&Judgement<'a>, usize)> {
        let judgement = if judging.ruleset == crate::verdict::Ruleset::Full {
            Some(&self.active)
        } else {
            self.shadow.as_ref()
        };
        judgement.zip(self.slice.place(id))
    }

    /// The active ruleset's judgement, and the place of a wanted click in it.
    pub(super) fn active(&self, id: EventId) -> Option<(&Judgement<'a>, usize)> {
        Some((&self.active, self.slice.place(id)?))
    }
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
        let mut clicks: BTreeMap<EventId, Click> = self.affected(&due, &grown)?;
        for id in &due {
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
        let mut before = self.settled_of(&clicks)?;
        let judging = self.judging.clone();
        let slice = self.slice(clicks)?;
        let court = Court::of(&slice, &judging, Look::Whole);
        let mut found = court.alone();
        if judging.asks_full() {
            let mut changed = self.convict(&slice, &mut found, &before);
            let beside = self.beside(&changed, &slice)?;
            before.extend(self.settled_of(&beside)?);
            let others = self.slice(beside)?;
            let other_court = Court::of(&others, &judging, Look::Whole);
            let mut others_found = other_court.alone();
            // A change of rulesets may have convicted them or let them go.
            changed.extend(self.convict(&others, &mut others_found, &before));
            self.carry_over(&mut [(&court, &mut found), (&other_court, &mut others_found)], &changed)?;
            for (id, findings) in others_found {
                let at = found.partition_point(|(before, _)| *before < id);
                found.insert(at, (id, findings));
            }
        }
        let counted = self.repeats_of(&tree(found.iter().map(|(id, _)| *id)))?;
        let (mut first, mut again) = (Vec::new(), Vec::new());
        for (id, findings) in found {
            let repeats = counted.get(&id).copied().unwrap_or_default();
            match before.get(&id) {
                None if due.contains(&id) => {
                    let shows_more = findings.verified > Verified::None;
                    let (was, was_shadow) = (None, None);
                    first.push(News { id, findings, revision: 1, repeats, was, was_shadow, shows_more });
                }
                Some(old) if old.is_overtaken_by(&findings, repeats) => {
                    let shows_more = findings.verified > old.verified;
                    let (was, was_shadow, revision) = (old.click_type, old.shadow_type, old.revision + 1);
                    again.push(News { id, findings, revision, repeats, was, was_shadow, shows_more });
                }
                _ => {}
            }
        }
        let mut settlement = Settlement { settled: first.len(), amended: again.len(), packs: 0 };
        // Amendments may lie hours back: in packs of their own they do not stretch the others over those hours.
        let packs: Vec<Vec<_>> =
            [again, first].into_iter().flat_map(|news| chunks(news, pack::MAX_ENTRIES)).collect();
        let last = packs.len();
        for (number, news) in (1..).zip(packs) {
            // Only the last pack of the call may say that everything before the cut-off is settled.
            let open_from_ms = if number == last { open_from_ms } else { self.open_from_ms };
            let still_open = self.unsettled.iter().find(|id| !news.iter().any(|news| news.id == **id));
            let open_from_ms = still_open.map_or(open_from_ms, |id| open_from_ms.min(id.ts_ms()));
            self.write_pack(news, open_from_ms.max(self.open_from_ms))?;
            settlement.packs += 1;
        }
        Ok(settlement)
    }

    fn write_pack(&mut self, news: Vec<News>, open_from_ms: i64) -> Result<(), S::Error> {
        let ids: Vec<EventId> = news.iter().map(|news| news.id).collect();
        let mut records: Vec<(EventId, Record)> = Vec::with_capacity(ids.len());
        self.store.clicks_by_id(&ids, &mut |id, json| {
            records.extend(Record::parse(&json).ok().map(|record| (id, record)));
        })?;
        let mut drafts = Vec::with_capacity(news.len());
        let mut later = self.later();
        let shown: Vec<EventId> = news.iter().filter(|news| news.shows_more).map(|news| news.id).collect();
        let mut sightings: Vec<(EventId, Sighting)> = Vec::with_capacity(shown.len());
        self.sightings(&shown, &mut |id, sighting| sightings.push((id, sighting)))?;
        for News { id, findings, revision, repeats, was, was_shadow, .. } in &news {
            let Some(at) = records.iter().position(|(known, _)| known == id) else { continue };
            let (_, record) = records.swap_remove(at);
            let delivered_at_ms = later.delivered_at_ms(Key::of(&record.recipient_id))?;
            let verdict = findings.verdict(&self.judging, *revision);
            let mut draft = Draft::new(*id, record, verdict, *was);
            draft.entry.was_shadow = *was_shadow;
            draft.entry.sighting =
                sightings.iter().rfind(|(known, _)| known == id).map(|(_, sighting)| sighting.clone());
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
        for News { id, findings, revision, repeats, .. } in news {
            self.unsettled.remove(&id);
            if let Some(recent) = self.recent.get_mut(&id) {
                recent.settled = Some(Settled::new(findings, &self.judging, revision, repeats));
                recent.late = false;
            }
        }
        Ok(())
    }

    /// The settled clicks that the ones now due may change, and those of which more is known now.
    fn affected(
        &self,
        due: &BTreeSet<EventId>,
        grown: &[EventId],
    ) -> Result<BTreeMap<EventId, Click>, S::Error> {
        let thresholds = &self.judging.thresholds;
        let recent = |id: &EventId| self.recent.get(id).map(|recent| (*id, recent));
        let mut coming: Vec<(EventId, &Recent)> = due.iter().filter_map(recent).collect();
        // Opens and acts change nothing.
        coming.retain(|(_, recent)| recent.click.kind == Kind::Click);
        let is_early = |click: &Click| click.delta_ms() < thresholds.sandbox_ms;

        let mut affected = BTreeMap::new();
        // The recipient's own: early clicks count each other, a late click changes the pairs of its link.
        let recipients: BTreeSet<Key> = tree(
            coming
                .iter()
                .filter(|(_, recent)| recent.late || is_early(&recent.click))
                .map(|(_, recent)| recent.click.recipient),
        );
        let history: Vec<(EventId, Click)> = self.history_of(&recipients)?.into_iter().collect();
        let news = |at: &usize| due.contains(&history[*at].0);
        let mut positions: Vec<usize> = (0..history.len()).collect();
        arrange(&mut positions, &|at| (history[at].1.recipient.number(), history[at].1.link.number()));
        let mut reached: Vec<usize> = Vec::new();
        for copy in positions.chunk_by(|a, b| history[*a].1.recipient == history[*b].1.recipient) {
            if copy.iter().any(|at| news(at) && is_early(&history[*at].1)) {
                let counts =
                    |at: &&usize| is_early(&history[**at].1) && history[**at].1.signals.is_microsoft();
                reached.extend(copy.iter().filter(counts));
            }
            if self.judging.asks_full() {
                // A sweep holds the clicks around it.
                let mut late = Moments::default();
                copy.iter().filter(|at| news(at)).for_each(|at| late.add(0, history[*at].1.ts_ms));
                late.sort();
                reached.extend(copy.iter().filter(|at| late.has(0, around(history[**at].1.ts_ms, REACH_MS))));
                // And a cookie given once is missed for a day.
                reached.extend(copy.iter().filter(|at| {
                    let click = &history[**at].1;
                    windows::is_new(click) && late.has(0, since(click.ts_ms, RETURN_MS))
                }));
            }
            for link in copy.chunk_by(|a, b| history[*a].1.link == history[*b].1.link) {
                let close = |a: &usize, b: &usize| {
                    history[*b].1.ts_ms.saturating_sub(history[*a].1.ts_ms) <= thresholds.pair_ms
                };
                for chain in link.chunk_by(close).filter(|chain| chain.iter().any(news)) {
                    reached.extend(chain);
                }
            }
        }
        for at in reached.into_iter().filter(|at| !news(at)) {
            let (id, click) = &history[at];
            affected.insert(*id, click.clone());
        }
        // Others' clicks on the same URL, and of the same source, around a late one.
        let (mut urls, mut sources) = (Moments::default(), Moments::default());
        // A person who was proven since no longer counts in a campaign.
        for (_, Recent { click, .. }) in coming.iter().copied().chain(grown.iter().filter_map(recent)) {
            if click.is_touched() && click.signals.is_microsoft() {
                urls.add(click.url.number(), click.ts_ms);
            }
        }
        for click in coming.iter().filter(|(_, recent)| recent.late).map(|(_, recent)| &recent.click) {
            urls.add(click.url.number(), click.ts_ms);
            if let Some(source) = self.source_of(click) {
                sources.add(source.into(), click.ts_ms);
            }
        }
        urls.sort();
        sources.sort();
        let mut spans = urls.spans(thresholds.campaign_ms, thresholds.campaign_ms);
        spans.extend(sources.spans(REACH_MS, REACH_MS));
        for (id, click) in self.clicks_in(&spans, &|_, click| {
            let (url, source) = (click.url.number(), self.source_of(click));
            click.signals.is_microsoft() && urls.has(url, around(click.ts_ms, thresholds.campaign_ms))
                || source.is_some_and(|source| sources.has(source.into(), around(click.ts_ms, REACH_MS)))
        })? {
            if !due.contains(&id) {
                affected.insert(id, click);
            }
        }
        affected.extend(grown.iter().filter_map(recent).map(|(id, recent)| (id, recent.click.clone())));
        affected.retain(|id, _| !self.unsettled.contains(id));
        Ok(affected)
    }

    /// The source of a click, where fan-outs are looked for.
    fn source_of(&self, click: &Click) -> Option<u64> {
        click.signals.own_source().filter(|_| self.judging.asks_full()).map(|source| source.exact)
    }

    /// All that `wanted` depend on.
    pub(super) fn slice(&self, wanted: BTreeMap<EventId, Click>) -> Result<Slice, S::Error> {
        let thresholds = &self.judging.thresholds;
        let clicks = || wanted.values().filter(|click| click.kind == Kind::Click);
        // What a press of a button depends on is its recipient's, too.
        let theirs = || wanted.values().filter(|click| click.kind != Kind::Open);
        let recipients: BTreeSet<Key> = tree(theirs().map(|click| click.recipient));
        let mut slice: BTreeMap<EventId, Click> = if theirs().any(|click| self.looks_deep(click)) {
            self.history_of(&recipients)?
        } else {
            tree(self.recent_of(&recipients))
        };
        if self.judging.asks_full() {
            // Whether they come back without a cookie.
            let mut new = clicks().filter(|click| windows::is_new(click)).peekable();
            if let Some(first) = new.peek() {
                let from_ms = first.ts_ms.saturating_sub(RETURN_MS);
                slice.extend(self.history_since(from_ms, &tree(new.map(|click| click.recipient)))?);
            }
        }
        let mut spans = Vec::new();
        let mut urls = BTreeSet::new();
        for click in clicks().filter(|click| click.signals.is_microsoft()) {
            spans.push(around(click.ts_ms, thresholds.campaign_ms));
            urls.insert(click.url);
        }
        slice.extend(self.clicks_in(&spans, &|_, click| urls.contains(&click.url))?);
        if self.judging.asks_full() {
            slice.extend(self.of_their_sources(&wanted)?);
        }
        let ids: BTreeSet<EventId> = tree(wanted.keys().copied());
        slice.extend(wanted);
        let (mut clicks, mut places) = (Vec::with_capacity(slice.len()), Vec::with_capacity(ids.len()));
        for (at, (id, click)) in slice.into_iter().enumerate() {
            clicks.push(click);
            if ids.contains(&id) {
                places.push((id, at));
            }
        }
        Ok(Slice { clicks, wanted: places })
    }

    /// The provisional verdicts' findings: looking back, beside the convictions that stand.
    pub(super) fn look_back(&self, wanted: BTreeMap<EventId, Click>) -> Result<Found, S::Error> {
        let slice = self.slice(wanted)?;
        let court = Court::of(&slice, &self.judging, Look::Back);
        let mut found = court.alone();
        self.hold_against_convictions(&court, &mut found);
        Ok(found)
    }

    /// Whether a click may depend on clicks of its recipient that are no longer in memory: an early one on early
    /// ones of any age (a clock may be skewed), any other on a chain of pairs that reaches back.
    fn looks_deep(&self, click: &Click) -> bool {
        self.has_forgotten()
            && (click.delta_ms() < self.judging.thresholds.sandbox_ms
                || self.judging.asks_full() && click.ts_ms < self.covered_from_ms.saturating_add(REACH_MS)
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
            for recent in forgotten.values().filter(|recent| recent.click.kind != Kind::Open) {
                elders.add(recent.click.recipient.short());
            }
        }
        self.counted = self.counted.split_off(&from);
        self.early.retain(|(id, _)| *id >= from);
        self.floods.retain(|_, ids| {
            ids.retain(|id| *id >= from);
            !ids.is_empty()
        });
        self.covered_from_ms = from_ms;
        self.forget_convictions();
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
