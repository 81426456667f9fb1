//! What an object has of a block of time for the others, and what those have told it ([`super::exchange`]).

use std::rc::Rc;

use super::Message;
use super::history::{Clicks, click_of, merged};
use super::shard::NONE;
use super::sql::Database;
use crate::record::{EventId, Kind};
use crate::verdict::convictions::Convictions;
use crate::verdict::evidence::{
    CONVICTION, Views, Word, block_of, convicted, end_of, hit, in_order, start_of, thin, word,
};
use crate::verdict::order::arrange;
use crate::verdict::{Click, Key};

/// About so many clicks are held at once, and no fewer where there are more, because what lies around them is read for each portion: of
/// a busy message a view may concern tens of thousands.
const MOST_READ: usize = 4_096;

impl<D: Database> Message<D> {
    /// The views that reach the window, as they stand in rows.
    pub(super) fn stored_views(&self) -> Result<Views, D::Error> {
        let mut views = Views::default();
        if self.shard.is_one_of_several() {
            let from = block_of(self.convictions_from_ms()).into();
            self.rows.words((from, NONE), true, 0, &mut |block, _, _, words| {
                views.set(block, words.into());
                true
            })?;
        }
        Ok(views)
    }

    /// What others show around moments, from memory or from rows.
    pub(super) fn views_of(&self, times: &mut dyn Iterator<Item = i64>) -> Result<Views, D::Error> {
        if !self.shard.is_one_of_several() {
            return Ok(Views::default());
        }
        let mut views = self.shard.views.clone();
        let kept_ms = self.convictions_from_ms();
        let reach_ms = self.judging.crowd_reach_ms();
        let old: Vec<(i64, i64)> = times
            .map(|ts_ms| (ts_ms - reach_ms, ts_ms))
            .filter(|(from_ms, _)| *from_ms < kept_ms + reach_ms)
            .collect();
        for (from_ms, until_ms) in merged(&old) {
            let span = (block_of(from_ms).into(), u64::from(block_of(until_ms)) + 1);
            self.rows.words(span, true, 0, &mut |block, _, _, words| {
                views.set(block, words.into());
                true
            })?;
        }
        Ok(views)
    }

    /// Adds the convictions of others between two moments (both included).
    pub(super) fn others_in(&self, span: (i64, i64), convictions: &mut Convictions) -> Result<(), D::Error> {
        if !self.shard.is_one_of_several() {
            return Ok(());
        }
        let blocks = (block_of(span.0).into(), u64::from(block_of(span.1)) + 1);
        self.rows.words(blocks, true, 0, &mut |block, _, _, words| {
            for word in words {
                if let Some((ms, kind)) =
                    convicted(block, word).filter(|(ms, _)| (span.0..=span.1).contains(ms))
                {
                    convictions.add_at(word.0, ms, kind);
                }
            }
            true
        })
    }

    /// The clicks that somebody `wants` from a moment on up to another that is left out, from memory or from rows: some of them at a
    /// time. Moves the first moment behind what was looked at.
    pub(super) fn clicks_from(
        &self,
        from: &mut EventId,
        until: EventId,
        wants: &dyn Fn(&Click) -> bool,
    ) -> Result<Clicks, D::Error> {
        let mut clicks = Clicks::default();
        let is_held = self.window.holds(from.ts_ms(), until.ts_ms() - 1);
        while *from < until && clicks.len() < MOST_READ {
            let (mut seen, mut next) = (0, *from);
            let mut see = |id: EventId, click: Option<Rc<Click>>| {
                (seen, next) = (seen + 1, id.successor());
                clicks.extend(click.filter(|click| wants(click)).map(|click| (id, click)));
            };
            if is_held {
                let held = self.window.range(*from, until).take(MOST_READ);
                held.for_each(|(id, held)| see(id, Some(held.click.clone())));
            } else {
                self.rows.clicks(*from, until, MOST_READ, &mut |id, record| {
                    see(id, record.map(|record| click_of(&record)));
                })?;
            }
            *from = if seen < MOST_READ { until } else { next };
        }
        if !is_held {
            self.later().set(&mut clicks)?;
        }
        Ok(clicks)
    }

    /// What this shard has in a block of time.
    pub(super) fn words_in(&self, block: u32) -> Result<Vec<Word>, D::Error> {
        let reach_ms = self.judging.crowd_reach_ms();
        let start_ms = start_of(block);
        let crowds = self.judging.crowds();
        let mut seen: Vec<((u64, u8), Key, i64)> = Vec::new();
        let mut see = |click: &Click| {
            self.judging.groups_of(&crowds, click, &mut |_, group| {
                if group.1 != CONVICTION {
                    seen.push((group, click.recipient, click.ts_ms));
                }
            });
        };
        let (from_ms, until_ms) = (start_ms - reach_ms, end_of(block));
        let is_click = |click: &Click| click.kind == Kind::Click;
        if self.window.holds(from_ms, until_ms) {
            let held = self.window.between(from_ms, until_ms).map(|(_, held)| &*held.click);
            held.filter(|click| is_click(click)).for_each(&mut see);
        } else {
            let (mut from, until) = (EventId::first_of(from_ms.max(0)), EventId::first_of(until_ms + 1));
            while from < until {
                self.clicks_from(&mut from, until, &is_click)?.iter().for_each(|(_, click)| see(click));
            }
        }
        let mut order: Vec<usize> = (0..seen.len()).collect();
        arrange(&mut order, &|at| {
            let ((key, tag), recipient, _) = seen[at];
            (u128::from(key) << 8 | u128::from(tag), recipient.number())
        });
        let mut words = Vec::new();
        for (place, at) in order.iter().enumerate() {
            let (group, recipient, ts_ms) = seen[*at];
            let last = place.checked_sub(1).map(|place| seen[order[place]]);
            let last = last.filter(|(of, whose, _)| (*of, *whose) == (group, recipient));
            let gap_ms = last.map(|(.., last_ms)| ts_ms - last_ms).filter(|gap_ms| *gap_ms <= reach_ms);
            // At the same moment it is no further one.
            if ts_ms >= start_ms && gap_ms != Some(0) {
                words.push(hit(group, ts_ms, gap_ms));
            }
        }
        // Two recipients' clicks at one moment are two.
        words = in_order(&words);
        thin(
            &mut words,
            crowds.iter().map(|(_, crowd)| crowd.enough(&self.judging.thresholds)).max().unwrap_or_default(),
        );
        if self.judging.asks_full() {
            let mut convictions = Convictions::default();
            self.own_convictions_in(&[(start_ms, end_of(block))], &mut convictions)?;
            let mut theirs = Vec::new();
            convictions.each(&mut |place, ms, kind| theirs.push(word(CONVICTION, place, ms, kind as u64)));
            words.extend(theirs);
            words = in_order(&words);
        }
        Ok(words)
    }
}
