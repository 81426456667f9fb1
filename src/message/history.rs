//! What a message remembers beyond its open windows: clicks and verdicts looked up in memory first, then in rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::elders::Elders;
use super::{Message, Settled, Store, deliveries, tree};
use crate::event::pack;
use crate::record::Kind;
use crate::record::{EventId, Record, Sighting};
use crate::verdict::bursts::{MOST_RECIPIENTS, REACH_MS};
use crate::verdict::order::arrange;
use crate::verdict::{Click, Key};

/// What became known of clicks after they came: delivery times, each bucket read once, and what landing pages showed.
pub(super) struct Later<'a, S> {
    message: &'a Message<S>,
    buckets: HashMap<u8, Vec<u8>>,
}

impl<S: Store> Later<'_, S> {
    /// The delivery time of a recipient, where one was told, Unix milliseconds.
    pub(super) fn delivered_at_ms(&mut self, recipient: Key) -> Result<Option<i64>, S::Error> {
        if !self.message.has_deliveries {
            return Ok(None);
        }
        let bucket = deliveries::bucket(recipient);
        if let Some(entries) = self.buckets.get(&bucket) {
            return Ok(deliveries::find(entries, recipient));
        }
        let entries = self.message.store.deliveries(bucket)?;
        let found = deliveries::find(&entries, recipient);
        self.buckets.insert(bucket, entries);
        Ok(found)
    }

    /// Sets clicks on the time of their delivery, where it was told, and on what their landing pages showed.
    pub(super) fn set<'c>(
        &mut self,
        clicks: impl IntoIterator<Item = (EventId, &'c mut Click)>,
    ) -> Result<(), S::Error> {
        let is_verified = self.message.has_verifications;
        if !self.message.has_deliveries && !is_verified {
            return Ok(());
        }
        let (mut ids, mut known) = (Vec::new(), Vec::new());
        for (id, click) in clicks {
            if let Some(delivered_at_ms) = self.delivered_at_ms(click.recipient)? {
                click.clock_ms = delivered_at_ms;
            }
            if is_verified && click.kind == Kind::Click {
                ids.push(id);
                known.push(click);
            }
        }
        self.message.sightings(&ids, &mut |id, sighting| {
            // Ids ascend, as clicks do everywhere.
            if let Some(click) = ids.binary_search(&id).ok().and_then(|at| known.get_mut(at)) {
                click.verified = sighting.verified;
            }
        })
    }
}

/// How often all clicks of one source are gone through before all of them are taken.
const MAX_STEPS: usize = 4;

impl<S: Store> Message<S> {
    /// What became known later, as this call reads it.
    pub(super) fn later(&self) -> Later<'_, S> {
        Later { message: self, buckets: HashMap::new() }
    }

    /// What the landing pages of these clicks, which ascend, have shown; of two reports on one the later counts.
    pub(super) fn sightings(
        &self,
        ids: &[EventId],
        each: &mut dyn FnMut(EventId, Sighting),
    ) -> Result<(), S::Error> {
        self.store.verifications(ids, each)?;
        if let Some((id, sighting)) = self.unstored.as_ref().filter(|(id, _)| ids.binary_search(id).is_ok()) {
            each(*id, sighting.clone());
        }
        Ok(())
    }

    /// All clicks of these recipients, of any age.
    pub(super) fn history_of(
        &self,
        recipients: &BTreeSet<Key>,
    ) -> Result<BTreeMap<EventId, Click>, S::Error> {
        self.history_since(i64::MIN, recipients)
    }

    /// The clicks of these recipients since a moment, and perhaps older ones.
    pub(super) fn history_since(
        &self,
        from_ms: i64,
        recipients: &BTreeSet<Key>,
    ) -> Result<BTreeMap<EventId, Click>, S::Error> {
        let mut history = self.forgotten_of(from_ms, recipients)?;
        history.extend(self.recent_of(recipients));
        Ok(history)
    }

    /// Those of their clicks that memory has let go of.
    fn forgotten_of(
        &self,
        from_ms: i64,
        recipients: &BTreeSet<Key>,
    ) -> Result<BTreeMap<EventId, Click>, S::Error> {
        let mut history = BTreeMap::new();
        if !self.has_forgotten() || from_ms >= self.covered_from_ms {
            return Ok(history);
        }
        let may_hold = |short: &u64| self.elders.as_ref().is_none_or(|elders| elders.may_hold(*short));
        let elders: BTreeSet<u64> =
            tree(recipients.iter().map(|recipient| recipient.short()).filter(may_hold));
        if elders.is_empty() {
            return Ok(history);
        }
        let end = EventId::first_of(self.covered_from_ms);
        let mut ids = BTreeSet::new();
        self.store.pack_keys(from_ms, self.covered_from_ms, &mut |_, keys| {
            let theirs = pack::keys(keys).filter(|(id, recipient)| *id < end && elders.contains(recipient));
            ids.extend(theirs.map(|(id, _)| id));
        })?;
        let ids: Vec<EventId> = ids.into_iter().collect();
        self.store.clicks_by_id(&ids, &mut |id, json| {
            history.extend(Record::parse(&json).ok().map(|record| (id, Click::of(&record, None))));
        })?;
        history.retain(|_, click| recipients.contains(&click.recipient));
        self.later().set(history.iter_mut().map(|(id, click)| (*id, click)))?;
        Ok(history)
    }

    /// Whether there are clicks that memory has let go of.
    pub(super) fn has_forgotten(&self) -> bool {
        self.oldest_ms < self.covered_from_ms
    }

    /// Builds the filter of recipients with forgotten clicks, where it is missing or full.
    pub(super) fn know_elders(&mut self) -> Result<(), S::Error> {
        if !self.has_forgotten() || self.elders.as_ref().is_some_and(|elders| !elders.is_full()) {
            return Ok(());
        }
        let mut count = 0;
        self.store
            .pack_keys(i64::MIN, self.covered_from_ms, &mut |_, keys| count += pack::count(keys.len()))?;
        let mut elders = Elders::with_room_for(count);
        self.store.pack_keys(i64::MIN, self.covered_from_ms, &mut |_, keys| {
            // Opens are nobody's there.
            let owned = pack::keys(keys).filter(|(_, recipient)| *recipient != 0);
            owned.for_each(|(_, recipient)| elders.add(recipient));
        })?;
        self.elders = Some(elders);
        Ok(())
    }

    /// The clicks between pairs of moments (both included) that pass a test, which must not ask for their clock.
    pub(super) fn clicks_in(
        &self,
        spans: &[(i64, i64)],
        passes: &dyn Fn(&EventId, &Click) -> bool,
    ) -> Result<BTreeMap<EventId, Click>, S::Error> {
        let mut found = BTreeMap::new();
        let covered = EventId::first_of(self.covered_from_ms);
        let spans = merged(spans);
        let bounds = |(from_ms, until_ms): &(i64, i64)| {
            (EventId::first_of(*from_ms), EventId::first_of(until_ms.saturating_add(1)))
        };
        for (from, until) in spans.iter().map(bounds).filter(|(from, _)| *from < covered) {
            self.store.clicks(from, until.min(covered), usize::MAX, &mut |id, json| {
                let click = Record::parse(&json).ok().map(|record| Click::of(&record, None));
                found.extend(click.filter(|click| passes(&id, click)).map(|click| (id, click)));
            })?;
        }
        self.later().set(found.iter_mut().map(|(id, click)| (*id, click)))?;
        for (from, until) in spans.iter().map(bounds) {
            let recent = self.recent.range(from.max(covered)..until.max(covered));
            let passing = recent.filter(|(id, recent)| passes(id, &recent.click));
            found.extend(passing.map(|(id, recent)| (*id, recent.click.clone())));
        }
        Ok(found)
    }

    /// Of the clicks that share a source with one of `wanted`, those that its fan-out can depend on.
    ///
    /// That is on either side the nearest with [`MOST_RECIPIENTS`] different recipients: whatever lies beyond
    /// them is in a longer window that says no more. One address may send hundreds of clicks a second.
    pub(super) fn of_their_sources(
        &self,
        wanted: &BTreeMap<EventId, Click>,
    ) -> Result<BTreeMap<EventId, Click>, S::Error> {
        let mut sources = Moments::default();
        for click in wanted.values().filter(|click| click.kind == Kind::Click) {
            if let Some(source) = click.signals.own_source() {
                sources.add(source.exact.into(), click.ts_ms);
            }
        }
        sources.sort();
        let spans = merged(&sources.spans(REACH_MS, REACH_MS));
        let theirs = |click: &Click| {
            // Opens and acts are nobody's neighbours.
            let source = click.signals.own_source().filter(|_| click.kind == Kind::Click);
            source.is_some_and(|source| sources.has(source.exact.into(), around(click.ts_ms, REACH_MS)))
        };
        // Before memory begins there are rows, for late clicks alone.
        let old_ms = self.covered_from_ms.saturating_sub(1);
        let old = spans.iter().filter(|(from_ms, _)| *from_ms <= old_ms);
        let old: Vec<(i64, i64)> =
            old.map(|(from_ms, until_ms)| (*from_ms, *until_ms.min(&old_ms))).collect();
        let mut found = self.clicks_in(&old, &|_, click| theirs(click))?;

        let covered = EventId::first_of(self.covered_from_ms);
        let mut near: Vec<(&EventId, &Click)> = Vec::new();
        for (from_ms, until_ms) in spans {
            let (from, until) = (EventId::first_of(from_ms), EventId::first_of(until_ms.saturating_add(1)));
            let inside = self.recent.range(from.max(covered)..until.max(covered));
            let inside = inside.map(|(id, recent)| (id, &recent.click));
            near.extend(inside.filter(|(_, click)| theirs(click)));
        }
        let mut order: Vec<usize> = (0..near.len()).collect();
        let source = |at: usize| near[at].1.signals.own_source().map_or(0, |source| source.exact);
        arrange(&mut order, &|at| (source(at).into(), 0));
        // A late click's neighbours in memory have nobody among them to be counted from.
        let is_deep = wanted.values().any(|click| click.ts_ms < self.covered_from_ms);
        for group in order.chunk_by(|a, b| source(*a) == source(*b)) {
            let mut taken = vec![is_deep; group.len()];
            let mut steps = 0;
            let take = |places: &mut dyn Iterator<Item = usize>, taken: &mut [bool]| {
                let (mut people, mut steps) = (Vec::with_capacity(MOST_RECIPIENTS), 0);
                for place in places {
                    steps += 1;
                    taken[place] = true;
                    let recipient = near[group[place]].1.recipient;
                    if !people.contains(&recipient) {
                        people.push(recipient);
                    }
                    if people.len() == MOST_RECIPIENTS {
                        break;
                    }
                }
                steps
            };
            for place in (0..group.len()).filter(|place| wanted.contains_key(near[group[*place]].0)) {
                // Few recipients who click much: to take all of them is less work than to look for more.
                if steps > MAX_STEPS * group.len() {
                    taken.fill(true);
                    break;
                }
                steps += take(&mut (0..=place).rev(), &mut taken);
                steps += take(&mut (place..group.len()), &mut taken);
            }
            let taken = group.iter().zip(taken).filter(|(_, taken)| *taken);
            found.extend(taken.map(|(at, _)| (*near[*at].0, near[*at].1.clone())));
        }
        Ok(found)
    }

    /// The clicks of these recipients that are in memory.
    pub(super) fn recent_of(&self, recipients: &BTreeSet<Key>) -> impl Iterator<Item = (EventId, Click)> {
        let theirs = self.recent.iter().filter(|(_, recent)| recipients.contains(&recent.click.recipient));
        theirs.map(|(id, recent)| (*id, recent.click.clone()))
    }

    /// The settled verdicts that these clicks have.
    pub(super) fn settled_of(
        &self,
        clicks: &BTreeMap<EventId, Click>,
    ) -> Result<BTreeMap<EventId, Settled>, S::Error> {
        let mut settled = BTreeMap::new();
        let mut forgotten = BTreeSet::new();
        for id in clicks.keys() {
            match self.recent.get(id) {
                Some(recent) => settled.extend(recent.settled.map(|verdict| (*id, verdict))),
                None => _ = forgotten.insert(*id),
            }
        }
        let (Some(first), Some(last)) = (forgotten.first(), forgotten.last()) else { return Ok(settled) };
        // The keys say which packs to read: their bodies are a hundred times larger.
        let mut numbers = Vec::new();
        self.store.pack_keys(first.ts_ms(), last.ts_ms(), &mut |number, keys| {
            if pack::keys(keys).any(|(id, _)| forgotten.contains(&id)) {
                numbers.push(number);
            }
        })?;
        for number in numbers {
            if let Some(row) = self.store.pack(number)? {
                settled.extend(Settled::all_in(&row, &self.judging).filter(|(id, _)| forgotten.contains(id)));
            }
        }
        Ok(settled)
    }

    /// The clicks counted on these.
    pub(super) fn repeats_of(&self, ids: &BTreeSet<EventId>) -> Result<BTreeMap<EventId, i64>, S::Error> {
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(BTreeMap::new()) };
        Ok(tree(self.store.repeats(*first, last.successor())?))
    }
}

/// Moments of several things, each by a number. They are added in any order and sorted once.
#[derive(Default)]
pub(super) struct Moments(Vec<(u128, i64)>);

impl Moments {
    /// Adds a moment of a thing, Unix milliseconds.
    pub(super) fn add(&mut self, thing: u128, ts_ms: i64) {
        self.0.push((thing, ts_ms));
    }

    /// Makes them ready to be asked.
    pub(super) fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        // No moment is before 1970: those of clicks are in their ids.
        arrange(&mut order, &|at| (self.0[at].0, self.0[at].1.cast_unsigned().into()));
        self.0 = order.into_iter().map(|at| self.0[at]).collect();
    }

    /// Whether the thing has a moment between two (both included).
    pub(super) fn has(&self, thing: u128, (from_ms, until_ms): (i64, i64)) -> bool {
        let first = self.0.partition_point(|moment| *moment < (thing, from_ms));
        self.0.get(first).is_some_and(|(other, ts_ms)| *other == thing && *ts_ms <= until_ms)
    }

    /// The spans around all of them.
    pub(super) fn spans(&self, before_ms: i64, after_ms: i64) -> Vec<(i64, i64)> {
        let span =
            |(_, ts_ms): &(u128, i64)| (ts_ms.saturating_sub(before_ms), ts_ms.saturating_add(after_ms));
        self.0.iter().map(span).collect()
    }
}

/// A span of so much time on both sides of a moment.
pub(super) fn around(ts_ms: i64, reach_ms: i64) -> (i64, i64) {
    (ts_ms.saturating_sub(reach_ms), ts_ms.saturating_add(reach_ms))
}

/// The span from so much time before a moment up to it.
pub(super) fn since(ts_ms: i64, reach_ms: i64) -> (i64, i64) {
    (ts_ms.saturating_sub(reach_ms), ts_ms)
}

/// Spans that overlap or touch become one.
pub(super) fn merged(spans: &[(i64, i64)]) -> Vec<(i64, i64)> {
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
