//! What a message remembers: clicks and verdicts looked up in the window first, and before it in rows.

use std::rc::Rc;

use super::Message;
use super::by_id::{ById, Ids};
use super::deliveries;
use super::settled::Settled;
use super::sql::Database;
use crate::event::pack;
use crate::record::{Delivery, EventId, Kind, Record, Sighting};
use crate::verdict::order::{arranged, ascending};
use crate::verdict::reach::{By, Test};
use crate::verdict::{Click, Key};

/// Clicks by their ids, so in their order.
pub(super) type Clicks = ById<Rc<Click>>;

/// A stored click, of which nothing more is known yet.
pub(super) fn click_of(record: &Record) -> Rc<Click> {
    Rc::new(Click::of(record, Delivery::default()))
}

/// A question for clicks that share a key, between two moments (both included).
#[derive(Clone, Copy)]
pub(super) struct Ask {
    pub by: By,
    pub key: u128,
    /// The recipient's short key, where what is shared is one recipient's.
    pub recipient: u64,
    pub from_ms: i64,
    pub until_ms: i64,
    /// Of those from before the window what matters is known ([`super::ends`]).
    pub is_recent: bool,
    /// Which of them; the clock of older ones is not known yet where this is asked.
    pub passes: Test,
}

/// Questions of one row of the table, in the order of time: a key's become one where they overlap. A recipient of many clicks
/// would otherwise be gone through once for each.
pub(super) fn joined(asks: &[Ask]) -> Vec<Ask> {
    let mut asks = arranged(asks, &|ask| (0, ask.key));
    asks.dedup_by(|next, last| {
        let is_one = next.key == last.key && next.from_ms <= last.until_ms;
        if is_one {
            last.from_ms = last.from_ms.min(next.from_ms);
            last.until_ms = last.until_ms.max(next.until_ms);
        }
        is_one
    });
    asks
}

/// Questions in the order of what they ask for, so that many can be held against many clicks.
struct Asked<'a>(Vec<&'a Ask>);

impl<'a> Asked<'a> {
    fn of(asks: &'a [Ask]) -> Self {
        let all: Vec<&Ask> = asks.iter().collect();
        Self(arranged(&all, &|ask| (ask.by as u128, ask.key)))
    }

    /// Whether a click lies where one of them looks and passes.
    fn want(&self, click: &Click, passes: &dyn Fn(&Ask) -> bool) -> bool {
        By::ALL.into_iter().any(|by| {
            let Some(key) = by.key(click) else { return false };
            let from = self.0.partition_point(|ask| (ask.by, ask.key) < (by, key));
            let mut theirs = self.0.iter().skip(from).take_while(|ask| (ask.by, ask.key) == (by, key));
            theirs.any(|ask| (ask.from_ms..=ask.until_ms).contains(&click.ts_ms) && passes(ask))
        })
    }
}

/// What became known of clicks after they came: their mails' delivery, each bucket read once, and what landing pages showed.
pub(super) struct Later<'a, D> {
    message: &'a Message<D>,
    buckets: Vec<(u8, Vec<u8>)>,
}

impl<D: Database> Later<'_, D> {
    /// What was told of the mail of a recipient.
    pub(super) fn delivery(&mut self, recipient: Key) -> Result<Delivery, D::Error> {
        if !self.message.rows.has_deliveries()? {
            return Ok(Delivery::default());
        }
        let bucket = deliveries::bucket(recipient);
        if let Some((_, entries)) = self.buckets.iter().find(|(known, _)| *known == bucket) {
            return Ok(deliveries::find(entries, recipient));
        }
        let entries = self.message.rows.deliveries(bucket)?;
        let found = deliveries::find(&entries, recipient);
        self.buckets.push((bucket, entries));
        Ok(found)
    }

    /// Lets clicks from rows learn what was told of their mails, and what their landing pages showed.
    pub(super) fn set(&mut self, clicks: &mut Clicks) -> Result<(), D::Error> {
        let mut ids = Vec::new();
        let mut told = Vec::new();
        for (id, click) in clicks.iter() {
            told.push((id, self.delivery(click.recipient)?));
            if click.kind == Kind::Click {
                ids.push(id);
            }
        }
        for (id, delivery) in told {
            if let Some(click) = clicks.get_mut(id) {
                Rc::make_mut(click).learn(delivery);
            }
        }
        self.message.sightings(&ids, &mut |id, sighting| {
            if let Some(click) = clicks.get_mut(id) {
                Rc::make_mut(click).verified = sighting.verified;
            }
        })
    }
}

impl<D: Database> Message<D> {
    /// What became known later, as this call reads it.
    pub(super) fn later(&self) -> Later<'_, D> {
        Later { message: self, buckets: Vec::new() }
    }

    /// What the landing pages of these clicks have shown.
    pub(super) fn sightings(
        &self,
        ids: &[EventId],
        each: &mut dyn FnMut(EventId, Sighting),
    ) -> Result<(), D::Error> {
        if ids.is_empty() || !self.rows.has_verifications()? {
            return Ok(());
        }
        self.rows.verifications(ids, each)
    }

    /// The clicks of these ids from rows; what cannot be read is left out.
    pub(super) fn stored(&self, ids: &[EventId]) -> Result<Clicks, D::Error> {
        let mut clicks = Clicks::default();
        self.rows.clicks_by_id(ids, &mut |id, record| {
            clicks.extend(record.map(|record| (id, click_of(&record))));
        })?;
        self.later().set(&mut clicks)?;
        Ok(clicks)
    }

    /// The clicks that any of the questions asks for.
    pub(super) fn fetch(&self, asks: &[Ask]) -> Result<Clicks, D::Error> {
        let mut found = self.fetch_old(asks)?;
        let thresholds = &self.judging.thresholds;
        for ask in asks {
            for id in self.window.ids(ask.by, ask.key, ask.from_ms, ask.until_ms) {
                let Some(entry) = self.window.get(id) else { continue };
                if (ask.passes)(&entry.click, thresholds) {
                    found.insert_new(id, || entry.click.clone());
                }
            }
        }
        Ok(found)
    }

    /// Those from before the window: a recipient's by the index of past recipients, others by going through the rows of the
    /// time asked for.
    fn fetch_old(&self, asks: &[Ask]) -> Result<Clicks, D::Error> {
        let window_ms = self.window.start_ms();
        let mut old = Clicks::default();
        if !self.has_forgotten() {
            return Ok(old);
        }
        let (mut theirs, mut spans) = (Vec::new(), Vec::new());
        for ask in asks.iter().filter(|ask| !ask.is_recent && !self.window.holds(ask.from_ms, ask.until_ms)) {
            let until_ms = ask.until_ms.min(window_ms - 1);
            if ask.by.is_own() {
                theirs.push((ask.recipient, ask.from_ms, until_ms));
            } else {
                spans.push((ask.from_ms, until_ms));
            }
        }
        old.extend(self.past_of(&theirs)?);
        let asked = Asked::of(asks);
        for (from_ms, until_ms) in merged(&spans) {
            let (from, until) = (EventId::first_of(from_ms), EventId::first_of(until_ms + 1));
            self.rows.clicks(from, until, usize::MAX, &mut |id, record| {
                let click = record.map(|record| click_of(&record));
                let click = click.filter(|click| asked.want(click, &|_| true));
                old.extend(click.map(|click| (id, click)));
            })?;
        }
        self.later().set(&mut old)?;
        let thresholds = &self.judging.thresholds;
        old.retain(|_, click| asked.want(click, &|ask| (ask.passes)(click, thresholds)));
        Ok(old)
    }

    /// The clicks in packs of recipients, by their short keys, between moments (both included); perhaps others' with the same
    /// short key. Their clocks are not set.
    fn past_of(&self, spans: &[(u64, i64, i64)]) -> Result<Clicks, D::Error> {
        let known = |(short, ..): &&(u64, i64, i64)| self.people.packs(*short).next().is_some();
        let spans: Vec<(u64, i64, i64)> = spans.iter().filter(known).copied().collect();
        let spans = arranged(&spans, &|(short, ..)| (0, u128::from(*short)));
        let packs: Vec<u64> = spans
            .iter()
            .flat_map(|(short, from, until)| self.people.packs_in(*short, *from, *until))
            .collect();
        let mut ids = Ids::default();
        self.rows.keys_of_packs(&ascending(&packs), &mut |keys| {
            ids.extend(pack::keys(keys).filter_map(|(id, owner)| {
                let from = spans.partition_point(|(short, ..)| *short < owner);
                let mut theirs = spans.iter().skip(from).take_while(|(short, ..)| *short == owner);
                theirs.any(|(_, from, until)| (*from..=*until).contains(&id.ts_ms())).then_some(id)
            }));
        })?;
        let ids = ids.to_vec();
        let mut past = Clicks::default();
        self.rows.clicks_by_id(&ids, &mut |id, record| {
            past.extend(record.map(|record| (id, click_of(&record))));
        })?;
        Ok(past)
    }

    /// Whether there are clicks that the window has let go of.
    pub(super) fn has_forgotten(&self) -> bool {
        self.watermark.oldest_ms < self.window.start_ms()
    }

    /// Sees to it that past recipients are known, where there are any.
    pub(super) fn know_people(&mut self) -> Result<(), D::Error> {
        if self.has_forgotten() { self.people.load(&self.rows) } else { Ok(()) }
    }

    /// The verdicts of these clicks that stand, oldest first.
    pub(super) fn settled_of(&self, ids: impl Iterator<Item = EventId>) -> Result<ById<Settled>, D::Error> {
        let mut settled = ById::default();
        let mut forgotten = Ids::default();
        for id in ids {
            match self.window.get(id) {
                Some(entry) => settled.extend(entry.settled.map(|verdict| (id, verdict))),
                None => _ = forgotten.insert(id),
            }
        }
        let (Some(first), Some(last)) = (forgotten.first(), forgotten.last()) else { return Ok(settled) };
        // The keys say which packs to read: their bodies are a hundred times larger.
        let mut numbers = Vec::new();
        self.rows.pack_keys(first.ts_ms(), last.ts_ms(), &mut |number, keys| {
            if pack::keys(keys).any(|(id, _)| forgotten.contains(&id)) {
                numbers.push(number);
            }
        })?;
        for number in numbers {
            // Packs come in the order of their number: the last revision stays.
            if let Some(row) = self.rows.pack(number)? {
                settled.extend(Settled::all_in(&row, &self.judging).filter(|(id, _)| forgotten.contains(id)));
            }
        }
        Ok(settled)
    }

    /// The verdicts that stand of the clicks in spans (both ends included) that are apart and ascend, from rows, where somebody `wants`
    /// them.
    pub(super) fn settled_in(
        &self,
        spans: &[(i64, i64)],
        wants: &dyn Fn(&Settled) -> bool,
    ) -> Result<ById<Settled>, D::Error> {
        let mut settled = ById::default();
        let (Some((first_ms, _)), Some((_, last_ms))) = (spans.first(), spans.last()) else {
            return Ok(settled);
        };
        // A click beside the spans is left out: a pack that does not touch them may have a later revision of it.
        let is_inside = |id: &EventId| {
            let at = spans.partition_point(|(from_ms, _)| *from_ms <= id.ts_ms());
            at.checked_sub(1)
                .and_then(|at| spans.get(at))
                .is_some_and(|(_, until_ms)| id.ts_ms() <= *until_ms)
        };
        self.rows.packs(*first_ms, *last_ms, &mut |row| {
            if pack::keys(&row.keys).any(|(id, _)| is_inside(&id)) {
                for (id, found) in Settled::all_in(&row, &self.judging).filter(|(id, _)| is_inside(id)) {
                    if wants(&found) {
                        settled.insert(id, found);
                    } else {
                        settled.remove(id);
                    }
                }
            }
        })?;
        Ok(settled)
    }
}

/// Spans that overlap or touch become one.
pub(super) fn merged(spans: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let spans = arranged(spans, &|(from, _)| (0, ascending_key(*from)));
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (from, until) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

/// A time as a number whose order is the time's.
fn ascending_key(ms: i64) -> u128 {
    u128::from(ms.cast_unsigned() ^ 1 << 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_questions_for_one_recipient_are_one() {
        let ask = |key, from_ms, until_ms| Ask {
            by: By::Recipient,
            key,
            recipient: 0,
            from_ms,
            until_ms,
            is_recent: false,
            passes: |_, _| true,
        };
        let mut asks: Vec<Ask> = (0..1_000).map(|n| ask(1, n * 10, n * 10 + 60)).collect();
        // Another's between them; what lies apart stays apart; a chain may begin before the window.
        asks.insert(500, ask(2, 100, 200));
        asks.push(ask(1, 20_000, 20_010));
        asks.push(ask(1, i64::MIN, 20_020));
        let joined = joined(&asks);
        let spans: Vec<_> = joined.iter().map(|ask| (ask.key, ask.from_ms, ask.until_ms)).collect();
        assert_eq!(spans, [(1, 0, 10_050), (1, i64::MIN, 20_020), (2, 100, 200)]);
    }
}
