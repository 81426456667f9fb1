//! Settled packs leave by the queue, in order, each at least once.
//!
//! The mark that a pack is sent moves only after the queue has taken it, and only from where the shipment began: a
//! `reship` in between sets it back and is not undone by a shipment that was under way.

use std::collections::BTreeMap;

use super::pack::{self, Entry};
use super::{Message, Store};
use crate::event::{line, parcel};
use crate::record::{EventId, Record};

/// The longest pause between two tries, milliseconds.
const MAX_PAUSE_MS: i64 = 300_000;

/// One pack on its way.
#[derive(Debug, PartialEq, Eq)]
pub struct Shipment {
    /// The pack.
    pub pack: u64,
    /// What goes to the queue: messages below its size limit.
    pub messages: Vec<String>,
    /// Entries whose click could not be read; 0 unless rows are damaged.
    pub unreadable: usize,
}

impl<S: Store> Message<S> {
    /// The next pack that the queue has not taken, once its pause is over; the inner error says why it cannot be read
    /// here: a later version wrote it, and it waits for that version to be back.
    ///
    /// # Errors
    /// When storage fails.
    pub fn shipment(&self, now_ms: i64) -> Result<Option<Result<Shipment, String>>, S::Error> {
        if self.meta.sent_pack >= self.last_pack || now_ms < self.meta.retry_at_ms {
            return Ok(None);
        }
        let number = self.meta.sent_pack + 1;
        let Some(row) = self.store.pack(number)? else {
            return Ok(Some(Err(format!("pack {number}: no such row"))));
        };
        let body = match row.open() {
            Ok(body) => body,
            Err(words) => return Ok(Some(Err(words))),
        };
        let (mut lines, mut clicks) = (Vec::with_capacity(body.entries.len()), 0);
        let ids: Vec<EventId> = pack::keys(&row.keys).map(|(id, _)| id).collect();
        let mut records = BTreeMap::new();
        self.store.clicks_by_id(&ids, &mut |id, json| {
            records.extend(Record::parse(&json).ok().map(|record| (id, record)));
        })?;
        for (id, entry) in ids.iter().zip(&body.entries) {
            if let Some(record) = records.remove(id) {
                let record = as_judged(record, entry);
                lines.push(line::shipped(&record, &entry.verdict));
                lines.extend(entry.sighting.iter().map(|sighting| line::verified(&record, sighting)));
                clicks += 1;
            }
        }
        let messages = parcel::of_pack(&self.meta.name, row.number, row.first_ms, &lines);
        let unreadable = ids.len() - clicks;
        Ok(Some(Ok(Shipment { pack: number, messages, unreadable })))
    }

    /// The queue has taken a pack: the mark moves, unless a `reship` has set it back meanwhile.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn shipped(&mut self, pack: u64) -> Result<(), S::Error> {
        if self.meta.sent_pack + 1 != pack {
            return Ok(());
        }
        self.meta.sent_pack = pack;
        self.meta.failures = 0;
        self.meta.retry_at_ms = 0;
        self.store.put_meta(&self.meta)
    }

    /// The queue has taken something that has a mark of its own: the next refusal pauses as a first one does.
    pub(super) fn not_refused(&mut self) -> Result<(), S::Error> {
        if self.meta.failures == 0 {
            return Ok(());
        }
        self.meta.failures = 0;
        self.meta.retry_at_ms = 0;
        self.store.put_meta(&self.meta)
    }

    /// The queue has refused: the next try waits twice as long as the one before.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn not_shipped(&mut self, now_ms: i64) -> Result<(), S::Error> {
        let pause_ms = (super::TICK_MS << self.meta.failures.min(16)).min(MAX_PAUSE_MS);
        self.meta.failures = self.meta.failures.saturating_add(1);
        self.meta.retry_at_ms = now_ms + pause_ms;
        self.store.put_meta(&self.meta)
    }

    /// Sends every settled event again, under the same keys; returns how many.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn reship(&mut self) -> Result<usize, S::Error> {
        let mut events = 0;
        self.store.packs(i64::MIN, i64::MAX, &mut |row| events += row.events())?;
        if self.meta.sent_pack > 0 {
            self.meta.sent_pack = 0;
            self.meta.failures = 0;
            self.meta.retry_at_ms = 0;
            self.store.put_meta(&self.meta)?;
        }
        Ok(events)
    }
}

/// The record as it stood when the entry was written: a second shipment says the same as the first.
fn as_judged(mut record: Record, entry: &Entry) -> Record {
    record.delivered_at_ms = entry.delivered_at_ms.or(record.delivered_at_ms);
    record.repeats = entry.repeats.or(record.repeats);
    record
}
