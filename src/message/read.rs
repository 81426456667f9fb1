//! What the API shows of a message: its clicks page by page, and its report. Reading changes nothing that is
//! said: a report may write sums of packs, which say the same ([`super::tally`]).

use std::collections::BTreeMap;

use super::Message;
use super::by_id::ById;
use super::call::{MAX_PAGE, Page};
use super::history::Clicks;
use super::settled::Findings;
use super::slice::Panel;
use super::sql::Database;
use super::wanted::Filter;
use crate::event::line;
use crate::event::pack::{self, Draft};
use crate::record::Kind;
use crate::record::{EventId, Record, packed};
use crate::report::tally::Counted;
use crate::report::{Part, Report, Tally};
use crate::verdict::convictions::Convictions;
use crate::verdict::{Key, Look, Verdict};

/// The most bytes of records on one page: an object builds it in memory.
const MAX_PAGE_BYTES: usize = 4 << 20;

impl<D: Database> Message<D> {
    /// Up to `limit` clicks behind `after`, or from the first one: of as many as a page looks at those that are wanted, so there
    /// may be fewer, or none, and more behind them.
    ///
    /// # Errors
    /// When storage fails.
    pub fn page(&mut self, after: Option<EventId>, limit: usize, filter: &Filter) -> Result<Page, D::Error> {
        self.page_from(after.map_or(EventId::first_of(0), EventId::successor), limit, filter)
    }

    /// Such a page from an id on.
    pub(super) fn page_from(
        &mut self,
        from: EventId,
        limit: usize,
        filter: &Filter,
    ) -> Result<Page, D::Error> {
        let (mut lines, mut last) = (Vec::new(), None);
        let look_at = if filter.wants_all() { limit } else { MAX_PAGE };
        let mut next = self.judged_from(from, look_at, &mut |record, verdict| {
            if !filter.wants(&record, verdict) {
                return;
            }
            if lines.len() < limit {
                lines.push(line::listed(&record, verdict));
                last = EventId::parse(&record.event_id);
            } else if lines.len() == limit {
                // What is wanted behind the last that has room is the next page's.
                lines.push(String::new());
            }
        })?;
        if lines.len() > limit {
            lines.truncate(limit);
            next = last;
        }
        Ok(Page { lines, next })
    }

    /// The record of one click with its current verdict.
    pub(super) fn judged(&mut self, id: EventId) -> Result<Option<(Record, Verdict)>, D::Error> {
        let mut found = None;
        self.judged_from(id, 1, &mut |record, verdict| found = Some((record, verdict.clone())))?;
        Ok(found.filter(|(record, _)| EventId::parse(&record.event_id) == Some(id)))
    }

    /// Hands over up to `limit` clicks from an id on with their current verdicts; returns the last of them where there may
    /// be more.
    fn judged_from(
        &mut self,
        from: EventId,
        limit: usize,
        each: &mut dyn FnMut(Record, &Verdict),
    ) -> Result<Option<EventId>, D::Error> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        self.rows.clicks(from, EventId::first_of(i64::MAX), limit, &mut |id, record| {
            // Names and all that is absent come to some 700 bytes more.
            bytes += 700 + record.as_ref().map_or(0, packed::text_bytes);
            // A page of long records is a shorter one; the first is always on it.
            if rows.is_empty() || bytes <= MAX_PAGE_BYTES {
                rows.push((id, record));
            }
        })?;
        let is_full = rows.len() == limit || bytes > MAX_PAGE_BYTES;
        let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) else {
            return Ok(None);
        };
        let mut verdicts: ById<Verdict> = ById::default();
        self.rows.packs(first.ts_ms(), last.ts_ms(), &mut |row| {
            let entries = row.open().map(|body| body.entries).unwrap_or_default();
            verdicts
                .extend(pack::keys(&row.keys).map(|(id, _)| id).zip(entries.into_iter().map(|e| e.verdict)));
        })?;
        for (id, findings) in self.provisional(*first, last.successor())? {
            verdicts.insert(id, findings.verdict(&self.judging, 0));
        }
        let mut repeats = BTreeMap::new();
        repeats.extend(self.rows.repeats(*first, last.successor())?);
        let mut later = self.later();
        let next = is_full.then_some(*last);
        for (id, record) in rows {
            let (Some(mut record), Some(verdict)) = (record, verdicts.get(id)) else { continue };
            record.learn(later.delivery(Key::of(&record.recipient_id))?);
            record.repeats = repeats.get(&id).copied().or(record.repeats);
            each(record, verdict);
        }
        Ok(next)
    }

    /// Counts every event by its current verdict, provisional ones included.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn report(&mut self, message_id: &str) -> Result<Report, D::Error> {
        Ok(self.part()?.report(message_id))
    }

    /// The same, to be added to what the message's other objects have counted.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn part(&mut self) -> Result<Part, D::Error> {
        self.add_up(usize::MAX)?;
        let mut tally = self.tally()?;
        self.count_open(&mut tally)?;
        tally.unreadable += i64::try_from(self.rows.unreadable()).unwrap_or(i64::MAX);
        let (about, repeats) = (self.rows.about()?, self.counted_repeats()?);
        Ok(Part { tally, about, repeats, known_from_ms: None })
    }

    /// Takes in what the sender tells of the message.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn tell(&mut self, told: &str) -> Result<(), D::Error> {
        self.rows.put_about(told)
    }

    /// Whether it has clicks, of which nothing has settled but once: the list of messages may not know of it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.outbox.last_pack() <= 1 && self.window.len() > 0
    }

    /// When its first click came, of those that are at hand, Unix milliseconds.
    #[must_use]
    pub fn first_ms(&self) -> Option<i64> {
        self.window.iter().next().map(|(id, _)| id.ts_ms())
    }

    /// Counts what has not settled.
    pub(super) fn count_open(&mut self, tally: &mut Tally) -> Result<(), D::Error> {
        let open = self.provisional(EventId::first_of(0), EventId::first_of(i64::MAX))?;
        let ids: Vec<EventId> = open.iter().map(|(id, _)| *id).collect();
        let mut records: ById<Record> = ById::default();
        self.rows.clicks_by_id(&ids, &mut |id, record| records.extend(record.map(|record| (id, record))))?;
        let mut later = self.later();
        for (id, findings) in open {
            let Some(record) = records.remove(id) else { continue };
            let delivery = later.delivery(Key::of(&record.recipient_id))?;
            let Draft { recipient, link_id, url, entry, .. } =
                Draft::new(id, &record, findings.verdict(&self.judging, 0), delivery);
            let link = (link_id.as_deref(), url.as_deref());
            tally.add(&Counted { id, recipient: recipient.short(), link, entry: &entry });
        }
        Ok(())
    }

    /// Clicks that were counted and not stored.
    pub(super) fn counted_repeats(&self) -> Result<i64, D::Error> {
        let mut counted = BTreeMap::new();
        counted.extend(self.rows.repeats(EventId::first_of(0), EventId::first_of(i64::MAX))?);
        let (floods, mut repeats): (Vec<EventId>, i64) = (counted.keys().copied().collect(), 0);
        self.rows.clicks_by_id(&floods, &mut |id, record| {
            let is_click = record.is_some_and(|record| record.kind == Kind::Click);
            repeats += counted.get(&id).filter(|_| is_click).copied().unwrap_or_default();
        })?;
        Ok(repeats)
    }

    /// The provisional verdicts of the unsettled clicks between two ids, the second left out.
    fn provisional(&mut self, from: EventId, until: EventId) -> Result<Vec<(EventId, Findings)>, D::Error> {
        let open = self.timers.unsettled.range(from..until);
        let mut clicks = Clicks::default();
        clicks.extend(open.filter_map(|id| Some((*id, self.window.get(*id)?.click.clone()))));
        if clicks.is_empty() {
            return Ok(Vec::new());
        }
        self.know_people()?;
        self.look_back(clicks)
    }

    /// The provisional verdicts' findings: looking back, beside the convictions that stand.
    fn look_back(&self, wanted: Clicks) -> Result<Vec<(EventId, Findings)>, D::Error> {
        let slice = self.slice(wanted, false)?;
        let panel = Panel::of(&slice, &self.judging, Look::Back);
        let mut found = panel.base();
        self.hold_against(&Convictions::default(), &panel, &mut found);
        Ok(found)
    }
}
