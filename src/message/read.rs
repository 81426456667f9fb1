//! What the API shows of a message: its clicks page by page, and its report. Reading changes nothing.

use std::collections::{BTreeMap, HashMap};

use super::pack::{self, Draft};
use super::{Message, Store, deliveries, tree};
use crate::event;
use crate::report::{Report, Tally};
use crate::signals::{EventId, Record};
use crate::verdict::{Finding, Key, Look, Verdict};

/// Some clicks of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// NDJSON: each click's record with its current verdict, oldest first.
    pub lines: Vec<String>,
    /// The last click of the page, to go on behind it; `None` when there are no more.
    pub next: Option<EventId>,
}

impl<S: Store> Message<S> {
    /// Up to `limit` clicks behind `after`, or from the first one.
    ///
    /// # Errors
    /// When storage fails.
    pub fn page(&self, after: Option<EventId>, limit: usize) -> Result<Page, S::Error> {
        let from = after.map_or(EventId::first_of(0), EventId::successor);
        let rows = self.store.clicks(from, EventId::first_of(i64::MAX), limit)?;
        let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) else {
            return Ok(Page::default());
        };
        let mut verdicts: BTreeMap<EventId, Verdict> = BTreeMap::new();
        self.store.packs(first.ts_ms(), last.ts_ms(), &mut |row| {
            let entries = row.open().map(|body| body.entries).unwrap_or_default();
            verdicts
                .extend(pack::keys(&row.keys).map(|(id, _)| id).zip(entries.into_iter().map(|e| e.verdict)));
        })?;
        for (id, finding) in self.provisional(*first, last.successor())? {
            verdicts.insert(id, Verdict::new(finding, self.judging.ruleset, 0));
        }
        let repeats: BTreeMap<EventId, i64> = tree(self.store.repeats(*first, last.successor())?);
        let mut buckets: HashMap<u8, Vec<u8>> = HashMap::new();
        let next = (rows.len() == limit).then_some(*last);
        let mut lines = Vec::with_capacity(rows.len());
        for (id, json) in rows {
            let (Ok(mut record), Some(verdict)) = (Record::parse(&json), verdicts.get(&id)) else { continue };
            if self.has_deliveries {
                let recipient = Key::of(&record.recipient_id);
                let bucket = deliveries::bucket(recipient);
                if let std::collections::hash_map::Entry::Vacant(free) = buckets.entry(bucket) {
                    free.insert(self.store.deliveries(bucket)?);
                }
                let told = buckets.get(&bucket).and_then(|entries| deliveries::find(entries, recipient));
                record.delivered_at_ms = told.or(record.delivered_at_ms);
            }
            record.repeats = repeats.get(&id).copied().or(record.repeats);
            lines.push(event::listed(&record, verdict));
        }
        Ok(Page { lines, next })
    }

    /// Counts every click by its current verdict, provisional ones included.
    ///
    /// # Errors
    /// When storage fails.
    pub fn report(&self, message_id: &str) -> Result<Report, S::Error> {
        let mut tally = Tally::default();
        self.store.packs(i64::MIN, i64::MAX, &mut |row| {
            let Ok(body) = row.open() else { return };
            for ((id, recipient), entry) in pack::keys(&row.keys).zip(&body.entries) {
                let link = body.links.get(entry.link).cloned().unwrap_or_default();
                tally.add(id, recipient, &link, entry);
            }
        })?;
        let ids: Vec<EventId> = self.unsettled.iter().copied().collect();
        let records: BTreeMap<EventId, String> = tree(self.store.clicks_by_id(&ids)?);
        for (id, finding) in self.provisional(EventId::first_of(0), EventId::first_of(i64::MAX))? {
            let Some(Ok(record)) = records.get(&id).map(|json| Record::parse(json)) else { continue };
            let draft = Draft::new(id, record, Verdict::new(finding, self.judging.ruleset, 0), None);
            tally.add(id, draft.recipient.short(), &(draft.link_id, draft.url), &draft.entry);
        }
        let counted = self.store.repeats(EventId::first_of(0), EventId::first_of(i64::MAX))?;
        let repeats = counted.iter().map(|(_, repeats)| repeats).sum();
        Ok(tally.report(message_id, repeats))
    }

    /// The provisional verdicts of the unsettled clicks between two ids, the second left out.
    fn provisional(&self, from: EventId, until: EventId) -> Result<Vec<(EventId, Finding)>, S::Error> {
        let open = self.unsettled.range(from..until);
        let wanted =
            tree(open.filter_map(|id| self.recent.get(id).map(|recent| (*id, recent.click.clone()))));
        self.judge(wanted, Look::Back)
    }
}
