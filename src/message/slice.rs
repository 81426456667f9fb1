//! The table of dependencies ([`crate::verdict::reach`]) asked of a message: forward, what clicks depend on; mirrored, who
//! depends on them. A slice is clicks with all that they depend on, as the rulesets in force see it.

use std::rc::Rc;

use super::history::{Ask, Clicks, joined};
use super::settled::Findings;
use super::sql::Database;
use super::timers::TICK_MS;
use super::{Held, Message};
use crate::event::pack;
use crate::record::{EventId, Kind, Verified};
use crate::verdict::evidence::Views;
use crate::verdict::order::{arranged, ascending};
use crate::verdict::reach::{ALWAYS, By, Dependency, Enough};
use crate::verdict::repeats;
use crate::verdict::{Click, Judgement, Judging, Key, Look, Ruleset};

/// So far on either side a chain is looked for first, milliseconds: most end long before.
const CHAIN_MS: i64 = 60_000;

/// Clicks with all that those among them that are wanted depend on, in order.
pub(super) struct Slice {
    clicks: Vec<Rc<Click>>,
    /// The wanted ones, ascending, with their places among the clicks.
    wanted: Vec<(EventId, usize)>,
    /// What other objects of the message show around them.
    views: Views,
}

impl Slice {
    /// The wanted clicks.
    pub(super) fn wanted(&self) -> impl Iterator<Item = (EventId, &Rc<Click>)> {
        self.wanted.iter().map(|(id, at)| (*id, &self.clicks[*at]))
    }

    /// How many clicks are looked at.
    pub(super) fn len(&self) -> usize {
        self.clicks.len()
    }

    /// The place of a wanted click.
    fn place(&self, id: EventId) -> Option<usize> {
        let at = self.wanted.binary_search_by(|(wanted, _)| wanted.cmp(&id)).ok()?;
        self.wanted.get(at).map(|(_, place)| *place)
    }
}

/// Both rulesets' judgements of a slice.
pub(super) struct Panel<'a> {
    slice: &'a Slice,
    active: Judgement<'a>,
    shadow: Option<Judgement<'a>>,
}

impl<'a> Panel<'a> {
    pub(super) fn of(slice: &'a Slice, judging: &'a Judging, look: Look) -> Self {
        let judgement = |ruleset| {
            let judgement = Judgement::of(&slice.clicks, ruleset, &judging.thresholds, look);
            // Who looks back has not seen yet what others show.
            if look == Look::Whole { judgement.beside(judging, &slice.views) } else { judgement }
        };
        Self { slice, active: judgement(judging.ruleset), shadow: judging.shadow.map(judgement) }
    }

    /// What the wanted clicks show, convictions of their sources apart.
    pub(super) fn base(&self) -> Vec<(EventId, Findings)> {
        let findings = |at: usize| Findings {
            kind: self.slice.clicks[at].kind,
            active: self.active.base(at),
            shadow: self.shadow.as_ref().map(|shadow| shadow.base(at)),
            verified: self.slice.clicks[at].verified,
        };
        self.slice.wanted.iter().map(|(id, at)| (*id, findings(*at))).collect()
    }

    /// A wanted click.
    pub(super) fn click(&self, id: EventId) -> Option<&Click> {
        Some(&self.slice.clicks[self.slice.place(id)?])
    }

    /// The judgement of ruleset `full`, and the place of a wanted click in it.
    pub(super) fn full(&self, judging: &Judging, id: EventId) -> Option<(&Judgement<'a>, usize)> {
        let judgement =
            if judging.ruleset == Ruleset::Full { Some(&self.active) } else { self.shadow.as_ref() };
        judgement.zip(self.slice.place(id))
    }

    /// The active ruleset's judgement, and the place of a wanted click in it.
    pub(super) fn active(&self, id: EventId) -> Option<(&Judgement<'a>, usize)> {
        Some((&self.active, self.slice.place(id)?))
    }
}

impl<D: Database> Message<D> {
    /// The span in which a row of the table lets a click see others, or others see it.
    fn span(
        &self,
        row: &Dependency,
        click: &Click,
        before_ms: i64,
        after_ms: i64,
    ) -> Result<(i64, i64), D::Error> {
        let (from_ms, until_ms) =
            if row.chains { self.chain(click, before_ms.max(after_ms))? } else { (click.ts_ms, click.ts_ms) };
        Ok((from_ms.saturating_sub(before_ms), until_ms.saturating_add(after_ms)))
    }

    /// From when to when neighbours of a click reach, of whom each lies at most `step_ms` from the next. Where the window does not hold
    /// them all, the recipient's on whatever link count: their times stand in the keys of packs.
    fn chain(&self, click: &Click, step_ms: i64) -> Result<(i64, i64), D::Error> {
        let chain = self.window.chain(click, step_ms);
        if chain.0 > i64::MIN && chain.1 < i64::MAX || !self.has_forgotten() {
            return Ok(chain);
        }
        let (short, at_ms) = (click.recipient.short(), click.ts_ms);
        let mut around_ms = CHAIN_MS.max(step_ms);
        loop {
            let (from_ms, until_ms) = (at_ms.saturating_sub(around_ms), at_ms.saturating_add(around_ms));
            let mut times = vec![at_ms.cast_unsigned()];
            for id in self.window.ids(By::Recipient, click.recipient.number(), from_ms, until_ms) {
                times.push(id.ts_ms().cast_unsigned());
            }
            let packs = self.people.packs_in(short, from_ms, until_ms);
            self.rows.keys_of_packs(&ascending(&packs), &mut |keys| {
                for (id, _) in pack::keys(keys).filter(|(_, owner)| *owner == short) {
                    times.push(id.ts_ms().cast_unsigned());
                }
            })?;
            let (mut first_ms, mut last_ms) = (at_ms, i64::MIN);
            for ms in ascending(&times) {
                let ms = ms.cast_signed();
                if ms.saturating_sub(last_ms) > step_ms {
                    if last_ms >= at_ms {
                        break;
                    }
                    first_ms = ms;
                }
                last_ms = ms;
            }
            // Beyond what was read there may be more.
            if first_ms.saturating_sub(step_ms) >= from_ms && last_ms.saturating_add(step_ms) <= until_ms {
                return Ok((first_ms, last_ms));
            }
            around_ms = around_ms.saturating_mul(8);
        }
    }

    /// Whether there are as many neighbours of a click as a row needs to show anything; those from before the window are
    /// counted by their recipient.
    fn has_enough(&self, row: &Dependency, key: u128, click: &Click) -> bool {
        if row.fewest == 0 {
            return true;
        }
        let here = self.window.ids(row.by, key, i64::MIN, i64::MAX).take(row.fewest).count();
        let past = self.people.packs(click.recipient.short()).take(row.fewest).count();
        here + past >= row.fewest
    }

    /// Who may depend on clicks: questions for settled clicks that have not seen them, because each came when no click later
    /// than some moment was settled. They are to be in the order of time. Those from long ago that no question is for are returned.
    pub(super) fn ask_dependents<'a>(
        &self,
        came: &mut dyn Iterator<Item = (&'a Click, i64)>,
        rows: fn(&Dependency) -> bool,
        asks: &mut Vec<Ask>,
    ) -> Result<Vec<EventId>, D::Error> {
        let thresholds = &self.judging.thresholds;
        let all = self.judging.dependencies();
        let rows: Vec<_> = all.into_iter().enumerate().filter(|(_, row)| rows(row)).collect();
        let (mut theirs, mut old) = (vec![Vec::new(); rows.len()], Vec::new());
        for (click, came_ms) in came {
            for ((at, row), theirs) in rows.iter().zip(&mut theirs) {
                let key = row.by.key(click).filter(|_| (row.is_seen)(click, thresholds));
                let Some(key) = key.filter(|key| self.has_enough(row, *key, click)) else { continue };
                let (before_ms, after_ms) = ((row.before_ms)(thresholds), (row.after_ms)(thresholds));
                // Late is what comes when somebody who might have looked at it has settled.
                if click.ts_ms.saturating_sub(after_ms) > came_ms {
                    continue;
                }
                let (mut from_ms, mut until_ms) = self.span(row, click, after_ms, before_ms)?;
                let is_request = row.by == By::Requests;
                // Where older ones could change, they are among the few that are known.
                let ends =
                    if is_request || before_ms == ALWAYS { self.ends((*at, row), click)? } else { None };
                let most = row.ends.map_or(usize::MAX, |ends| (ends.count)(thresholds));
                if !is_request && ends.as_ref().is_some_and(|ends| ends.len() >= most) {
                    // All have seen enough of them before.
                    continue;
                }
                if is_request {
                    let span = (from_ms, until_ms.min(came_ms));
                    (from_ms, until_ms) = self.unsure(key, click.ts_ms, span, ends.as_deref());
                }
                let (recipient, is_recent) = (click.recipient.short(), ends.is_some());
                old.extend(ends.into_iter().flatten().filter(|id| id.ts_ms() >= from_ms));
                let until_ms = until_ms.min(came_ms);
                theirs.push(Ask {
                    by: row.by,
                    key,
                    recipient,
                    from_ms,
                    until_ms,
                    is_recent,
                    passes: row.looks,
                });
            }
        }
        asks.extend(theirs.iter().flat_map(|theirs| joined(theirs)));
        Ok(old)
    }

    /// Who may have seen a click before it was proven a person's, and sees it no longer.
    pub(super) fn ask_who_saw(&self, click: &Click, asks: &mut Vec<Ask>) -> Result<(), D::Error> {
        if click.is_touched() {
            let unproven = Click { verified: Verified::None, ..click.clone() };
            let mut came = std::iter::once((&unproven, i64::MAX));
            self.ask_dependents(&mut came, |row| row.heeds_proof, asks)?;
        }
        Ok(())
    }

    /// All that `wanted` depend on. With `is_whole` they look for everything, as explanations tell of it, whether it could
    /// decide anything or not.
    pub(super) fn slice(&self, wanted: Clicks, is_whole: bool) -> Result<Slice, D::Error> {
        let thresholds = &self.judging.thresholds;
        let mut asks: Vec<Ask> = Vec::new();
        let mut found = Clicks::default();
        let mut old: Vec<EventId> = Vec::new();
        for (at, row) in self.judging.dependencies().into_iter().enumerate() {
            let looks =
                |click: &Click| is_whole && click.kind == Kind::Click || (row.looks)(click, thresholds);
            // Where the nearest few say all: clicks that look, by key and time.
            let (mut theirs, mut crowds) = (Vec::new(), Vec::new());
            for (id, click) in wanted.iter().filter(|(_, click)| looks(click)) {
                let Some(key) = row.by.key(click).filter(|key| self.has_enough(row, *key, click)) else {
                    continue;
                };
                let recipient = click.recipient.short();
                if row.enough.is_some() {
                    crowds.push((key, id, recipient));
                    continue;
                }
                let (before_ms, after_ms) = ((row.before_ms)(thresholds), (row.after_ms)(thresholds));
                let (from_ms, until_ms) = self.span(row, click, before_ms, after_ms)?;
                let ends = self.ends((at, row), click)?;
                let is_recent = ends.is_some();
                old.extend(ends.into_iter().flatten());
                theirs.push(Ask {
                    by: row.by,
                    key,
                    recipient,
                    from_ms,
                    until_ms,
                    is_recent,
                    passes: row.is_seen,
                });
            }
            let crowds = arranged(&crowds, &|(key, ..)| (0, *key));
            let is_near = |a: &(u128, EventId, u64), b: &(u128, EventId, u64)| {
                a.0 == b.0 && b.1.ts_ms() - a.1.ts_ms() <= TICK_MS
            };
            for crowd in crowds.chunk_by(is_near) {
                if let (Some(first), Some((_, last, _))) = (crowd.first(), crowd.last()) {
                    let ask = self.nearest(row, *first, *last, &mut found);
                    let click = wanted.get(first.1).filter(|_| row.ends.is_some() && ask.is_some());
                    match click.map(|click| self.ends((at, row), click)).transpose()?.flatten() {
                        Some(ends) => {
                            let from_ms = first.1.ts_ms().saturating_sub((row.before_ms)(thresholds));
                            let nearest = ends.into_iter().rev().take(repeats::SURE);
                            old.extend(nearest.filter(|id| id.ts_ms() >= from_ms));
                        }
                        None => theirs.extend(ask),
                    }
                }
            }
            asks.extend(joined(&theirs));
        }
        found.extend(self.stored(&old)?);
        found.extend(self.fetch(&asks)?);
        let (mut clicks, mut places) = (Vec::new(), Vec::with_capacity(wanted.len()));
        let mut others = found.into_iter().peekable();
        for (id, click) in wanted {
            while let Some((_, other)) = others.next_if(|(other, _)| *other < id) {
                clicks.push(other);
            }
            others.next_if(|(other, _)| *other == id);
            places.push((id, clicks.len()));
            clicks.push(click);
        }
        clicks.extend(others.map(|(_, click)| click));
        let views = self.views_of(&mut places.iter().map(|(id, _)| id.ts_ms()))?;
        Ok(Slice { clicks, wanted: places, views })
    }

    /// Of the clicks that share a key with those from `first` to `last`, the ones that a row lets them see: whatever lies
    /// between, and on either side the nearest so many, or of so many different recipients, as are enough. Whatever lies beyond
    /// those is in a longer window that says no more. What lies before the window is asked for.
    fn nearest(
        &self,
        row: &Dependency,
        (key, first, recipient): (u128, EventId, u64),
        last: EventId,
        found: &mut Clicks,
    ) -> Option<Ask> {
        let thresholds = &self.judging.thresholds;
        let (enough, are_different) = match &row.enough {
            Some(Enough::Recipients(crowd)) => (crowd.enough(thresholds), true),
            Some(Enough::Clicks(enough)) => (*enough, false),
            None => (usize::MAX, false),
        };
        let from_ms = first.ts_ms().saturating_sub((row.before_ms)(thresholds));
        let until_ms = last.ts_ms().saturating_add((row.after_ms)(thresholds));
        let seen = |id: &EventId| {
            let entry = self.window.get(*id)?;
            (row.is_seen)(&entry.click, thresholds).then_some((*id, entry))
        };
        let mut take = |ids: &mut dyn Iterator<Item = (EventId, &Held)>| {
            let (mut people, mut count): (Vec<Key>, usize) = (Vec::new(), 0);
            while count < enough
                && let Some((id, entry)) = ids.next()
            {
                let place = people.binary_search(&entry.click.recipient);
                if let Some(place) = place.err().filter(|_| are_different) {
                    people.insert(place, entry.click.recipient);
                } else if are_different {
                    continue;
                }
                count += 1;
                found.insert(id, entry.click.clone());
            }
            count >= enough
        };
        let ids = |from_ms, until_ms| self.window.ids(row.by, key, from_ms, until_ms);
        let before = ids(from_ms, first.ts_ms()).rev().filter(|id| *id < first);
        let is_enough = take(&mut before.filter_map(|id| seen(&id)));
        take(&mut ids(last.ts_ms(), until_ms).filter(|id| *id > last).filter_map(|id| seen(&id)));
        let between = ids(first.ts_ms(), last.ts_ms()).filter(|id| (first..=last).contains(id));
        found.extend(between.filter_map(|id| seen(&id)).map(|(id, entry)| (id, entry.click.clone())));
        let start_ms = self.window.start_ms();
        let until_ms = until_ms.min(start_ms.saturating_sub(1));
        let is_known = self.window.holds(from_ms, until_ms) || first.ts_ms() >= start_ms && is_enough;
        let goes_on = from_ms <= until_ms && !is_known;
        let passes = row.is_seen;
        goes_on.then_some(Ask { by: row.by, key, recipient, from_ms, until_ms, is_recent: false, passes })
    }
}
