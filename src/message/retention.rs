//! Retention: a message goes so long after its last click, and drops what is older while it goes on.
//!
//! Both happen when nothing else is due: all that there is has settled and left then. What is dropped is a week at a time, by whole
//! tables: every click from before the moment that one ends at, those that came late by themselves, and the verdicts on these in
//! whatever packs they stand; so what is left says the same of itself as a message that began then. The sums are made again from the
//! packs that are left.

use super::Message;
use super::deliveries;
use super::rows::SPAN_MS;
use super::sql::Database;
use crate::record::EventId;
use crate::verdict::evidence::block_of;

/// The longest time of one table, milliseconds: a week.
const MAX_WEEK_MS: i64 = 7 * 86_400_000;

/// What is too old to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Nothing yet.
    Nothing,
    /// Some of the message, which is gone.
    Some,
    /// All of it: its last click is so long ago, it began no later than that, and nothing is left to do.
    All,
}

/// The time of one table, and so how late what is kept so long may be dropped: an eighth of that where that is less than a week.
fn week_ms(retention_ms: i64) -> i64 {
    MAX_WEEK_MS.min(retention_ms / 8)
}

impl<D: Database> Message<D> {
    /// When something of it is to go next, or all of it, Unix milliseconds; not at once.
    ///
    /// # Errors
    /// When storage fails.
    pub fn goes_ms(&self, retention_ms: i64, now_ms: i64) -> Result<i64, D::Error> {
        let first_end_ms = self.rows.week_ends()?.first().copied().unwrap_or(i64::MAX);
        let goes_ms = self.ends_ms()?.1.min(first_end_ms).saturating_add(retention_ms);
        Ok(goes_ms.max(now_ms.saturating_add(week_ms(retention_ms))))
    }

    /// Lets go of what is too old, where all that has settled has left: of some of it here; all of it is whoever calls to delete.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn let_go(&mut self, retention_ms: i64, now_ms: i64) -> Result<Gone, D::Error> {
        let (first_ms, last_ms) = self.ends_ms()?;
        if self.wake_ms(now_ms).is_none() && last_ms.saturating_add(retention_ms) <= now_ms {
            return Ok(Gone::All);
        }
        let from_ms = self.rows.week_ends()?.last().map_or(first_ms, |end_ms| first_ms.max(*end_ms));
        if last_ms >= from_ms && from_ms.saturating_add(week_ms(retention_ms)) <= now_ms {
            // No row ends later than the one that begins last, but by that.
            self.rows.close_week(now_ms.max(last_ms + SPAN_MS) + 1)?;
        }
        Ok(if self.drop_old(retention_ms, now_ms)? { Gone::Some } else { Gone::Nothing })
    }

    /// The times of its first and last click, Unix milliseconds, neither before it began. Without a click it is when it began, and of
    /// one of an earlier version, which does not know that, never.
    fn ends_ms(&self) -> Result<(i64, i64), D::Error> {
        let began_ms = self.shard.began_ms;
        let none_ms = if began_ms == 0 { i64::MAX } else { began_ms };
        let ms = |id: Option<EventId>| id.map_or(none_ms, |id| id.ts_ms().max(began_ms));
        Ok((ms(self.rows.first_click()?), ms(self.rows.last_click()?)))
    }

    /// Drops what is older, where there is enough of it. Says whether it did.
    fn drop_old(&mut self, retention_ms: i64, now_ms: i64) -> Result<bool, D::Error> {
        let old_ms = now_ms.saturating_sub(retention_ms);
        let Some(end_ms) = self.rows.week_ends()?.into_iter().rfind(|end_ms| *end_ms <= old_ms) else {
            return Ok(false);
        };
        let end = EventId::first_of(end_ms);
        let open = self.timers.unsettled.first().is_some_and(|id| *id < end);
        let untold = self.outbox.acts.iter().flatten().any(|act| act.id < end);
        let is_at_rest = !self.outbox.letters
            && !self.outbox.has_packs()
            && self.timers.revisits.is_empty()
            && !open
            && !untold;
        if !is_at_rest {
            return Ok(false);
        }
        self.rows.drop_clicks(end)?;
        for number in self.rows.drop_packs(end_ms, self.outbox.last_pack())? {
            let Some(row) = self.rows.pack(number)? else { continue };
            if row.ids().iter().any(|id| *id < end)
                && let Ok(kept) = row.keeping(&|id, _| id >= end)
            {
                self.rows.put_pack(&kept, self.rows.parts(number)?)?;
            }
        }
        self.rows.forget_sums(0)?;
        if self.rows.has_deliveries()? {
            for bucket in 0..=u8::MAX {
                let told = self.rows.deliveries(bucket)?;
                let left = deliveries::since(&told, end_ms);
                if left.len() < told.len() {
                    self.rows.put_deliveries(bucket, &left)?;
                }
            }
        }
        self.shard.kept_from_ms = end_ms;
        self.put_meta()?;
        self.rows.forget_words(block_of(end_ms))?;
        self.shard.forget_before(end_ms);
        // Of the block that the end lies in others may know more than is left.
        self.mark(end_ms);
        self.save_shard()?;
        self.outbox.forget_made();
        self.fill()?;
        Ok(true)
    }

    /// From when on its clicks are known, Unix milliseconds, where there may have been earlier ones: it has dropped them, or its
    /// first click came so long after its mail was sent that it may have been there before. `None` where all are known.
    ///
    /// # Errors
    /// When storage fails.
    pub fn known_from_ms(&self, retention_ms: i64) -> Result<Option<i64>, D::Error> {
        let kept_from_ms = self.shard.kept_from_ms;
        if kept_from_ms > 0 {
            return Ok(Some(kept_from_ms));
        }
        let mut from_ms = None;
        let (first, end) = (EventId::first_of(0), EventId::first_of(i64::MAX));
        self.rows.clicks(first, end, 1, &mut |_, record| {
            let late = record.filter(|record| record.ts_ms.saturating_sub(record.sent_at_ms) > retention_ms);
            from_ms = late.map(|record| record.ts_ms);
        })?;
        Ok(from_ms)
    }
}
