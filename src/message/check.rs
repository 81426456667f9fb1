//! What holds between calls, tested: each part of the message against the rows that it is a copy of. For tests: it reads
//! everything.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Message;
use super::by_id::ById;
use super::history::{Clicks, click_of};
use super::people;
use super::rows::Span;
use super::sql::Database;
use crate::event::body::Entry;
use crate::event::pack;
use crate::record::EventId;
use crate::report::Tally;
use crate::report::tally::Counted;
use crate::verdict::Click;
use crate::verdict::convictions::Convictions;
use crate::verdict::evidence::{Word, block_of};

/// The latest that a pack says of an event.
struct Found {
    recipient: u64,
    link: (Option<String>, Option<String>),
    entry: Entry,
}

/// Whether spans follow each other from the first pack that is there on, or from before it, and end before the last or with it.
fn follow(spans: &[Span], first_pack: u64, last_pack: u64) -> bool {
    let start = spans.first().map_or(first_pack, |(first, _)| first_pack.min(*first));
    let starts = std::iter::once(start).chain(spans.iter().map(|(_, last)| last + 1));
    spans.iter().zip(starts).all(|((first, last), start)| *first == start && first <= last)
        && spans.last().is_none_or(|(_, last)| *last <= last_pack)
}

impl<D: Database> Message<D> {
    /// Whether the views in memory are those of the rows that reach the window; an empty one is as good as none.
    fn has_views(&self) -> Result<bool, D::Error> {
        let (views, from) = (self.stored_views()?, block_of(self.convictions_from_ms()));
        let is_known = |(block, words): &&(u32, Rc<[Word]>)| *block >= from && !words.is_empty();
        Ok(self.shard.views.0.iter().filter(is_known).eq(views.0.iter().filter(is_known)))
    }

    /// Tests every invariant of the module's head; the inner error says which one does not hold.
    ///
    /// # Errors
    /// When storage fails.
    pub fn check(&self) -> Result<Result<(), String>, D::Error> {
        let mut clicks = Clicks::default();
        let (first, end) = (EventId::first_of(0), EventId::first_of(i64::MAX));
        self.rows.clicks(first, end, usize::MAX, &mut |id, record| {
            clicks.extend(record.map(|record| (id, click_of(&record))));
        })?;
        self.later().set(&mut clicks)?;
        let stored: BTreeMap<EventId, Rc<Click>> = clicks.into_iter().collect();
        let settled = self.settled_in(&[(i64::MIN, i64::MAX)], &|_| true)?;
        let mut index: Vec<u64> = Vec::new();
        let (mut last_pack, mut in_packs) = (0, BTreeSet::new());
        self.rows.pack_keys(i64::MIN, i64::MAX, &mut |number, keys| {
            last_pack = number;
            in_packs.extend(pack::keys(keys).map(|(id, _)| id));
            index.extend(people::entries(number, keys));
        })?;
        index.sort_unstable();

        let mut broken = Vec::new();
        let mut must = |holds: bool, words: &str| {
            if !holds {
                broken.push(words.to_owned());
            }
        };
        let from = EventId::first_of(self.window.start_ms());
        let in_window = || stored.range(from..);
        must(
            in_window().all(|(id, click)| self.window.get(*id).is_some_and(|entry| entry.click == *click)),
            "1: the window holds every stored click from its start on",
        );
        must(
            self.window.iter().all(|(id, _)| stored.contains_key(&id)),
            "1: the window holds stored clicks alone",
        );
        must(
            self.window.start_ms() <= self.window_from_ms(self.watermark.ms),
            "1: the window begins two reaches before the watermark",
        );
        must(
            self.window.iter().all(|(id, entry)| entry.settled == settled.get(id).copied()),
            "2: the window's verdicts are those of the highest revisions",
        );
        must(
            stored.keys().all(|id| in_packs.contains(id) != self.timers.unsettled.contains(id)),
            "3: what is unsettled stands in no pack, and the other way round",
        );
        let ahead = self.window.iter().filter(|(_, entry)| {
            entry.is_ahead() && !entry.settled.is_some_and(|settled| settled.is_foreign())
        });
        let ahead: BTreeSet<EventId> = ahead.map(|(id, _)| id).collect();
        must(
            ahead.iter().all(|id| self.timers.touched.contains_key(id)),
            "3: what is ahead of its verdict is touched",
        );
        must(
            self.timers.touched.keys().all(|id| self.window.get(*id).is_some()),
            "3: what is touched is in the window",
        );
        must(
            self.rows.revisits()? == self.timers.revisits.iter().cloned().collect::<Vec<_>>(),
            "3: the revisits are the rows'",
        );
        must(self.people.all().is_none_or(|all| all == index), "4: the people are those of the packs");
        let mut convictions = Convictions::default();
        if self.judging.asks_full() {
            let from_ms = self.convictions_from_ms();
            for (id, kind) in settled.iter().filter_map(|(id, settled)| Some((id, settled.conviction?))) {
                if let Some(click) = stored.get(&id).filter(|_| id.ts_ms() >= from_ms) {
                    convictions.add(click, kind);
                }
            }
        }
        must(
            self.convictions.all_from(self.convictions_from_ms()) == convictions,
            "5: the convictions are those of the packs",
        );
        must(self.has_views()?, "5: the views are those of the rows");
        must(self.outbox.last_pack() == last_pack, "6: the outbox knows the last pack");
        must(self.outbox.sent_pack() <= last_pack, "6: no pack is sent that is not there");
        let pending = self.outbox.acts.as_ref().map(|acts| {
            let mut pending: Vec<_> = acts.iter().map(|press| (press.id, press.act)).collect();
            pending.sort_unstable();
            pending
        });
        let untold: Vec<_> = self.rows.untold()?.into_iter().map(|(act, id, _)| (id, act)).collect();
        must(pending.is_none_or(|pending| pending == untold), "6: the acts are the rows'");
        let report = |tally: Tally| tally.report(&self.shard.name, None, 0);
        let (tally, whole) = (report(self.tally()?), report(self.count_all()?));
        must(tally == whole, &format!("8: the tally is a count over all packs: {tally:?} is not {whole:?}"));
        must(follow(&self.rows.spans()?, self.first_pack()?, last_pack), "8: sums follow each other");
        let first_ms = self.timers.unsettled.first().map(|id| id.ts_ms());
        must(
            first_ms.is_none_or(|ms| ms >= self.watermark.low_ms()),
            "7: every click before the watermark is settled, or not older than the late mark",
        );
        Ok(if broken.is_empty() { Ok(()) } else { Err(broken.join("; ")) })
    }

    /// Counts what the last pack that speaks of it says of each event, in the order in which they came.
    fn count_all(&self) -> Result<Tally, D::Error> {
        let (mut latest, mut came): (ById<Found>, Vec<EventId>) = (ById::default(), Vec::new());
        let mut unread = BTreeSet::new();
        self.rows.packs(i64::MIN, i64::MAX, &mut |row| {
            let Ok(body) = row.open() else { return unread.extend(row.ids()) };
            for ((id, recipient), entry) in pack::keys(&row.keys).zip(body.entries) {
                unread.remove(&id);
                if !latest.contains(id) {
                    came.push(id);
                }
                let link = body.links.get(entry.link).cloned().unwrap_or_default();
                latest.insert(id, Found { recipient, link, entry: Entry { past: None, ..entry } });
            }
        })?;
        let mut tally = Tally::default();
        tally.unreadable = i64::try_from(unread.len()).unwrap_or(i64::MAX);
        for id in came {
            if let Some(Found { recipient, link: (link_id, url), entry }) = latest.get(id) {
                let link = (link_id.as_deref(), url.as_deref());
                tally.add(&Counted { id, recipient: *recipient, link, entry });
            }
        }
        Ok(tally)
    }
}
