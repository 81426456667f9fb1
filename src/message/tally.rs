//! The running tally: sums of packs in rows, so that a report reads a few of them and never all packs.
//!
//! Packs are never changed, so a sum of some stays true. Every [`FAN`] packs become one sum; every [`FAN`] sums of one width, one that
//! is so many times wider. So there are at most a few dozen, each click is added up once for each power of [`FAN`], and behind
//! them less than [`FAN`] packs are left to be read. A sum that cannot be read (another version wrote it) is made again.

use super::Message;
use super::by_id::ById;
use super::rows::Span;
use super::sql::Database;
use crate::event::body::{Body, Entry, Past};
use crate::event::pack::{self, PackRow};
use crate::record::EventId;
use crate::report::Tally;
use crate::report::tally::Counted;

/// So many packs make a sum, and so many sums a wider one.
const FAN: usize = 16;

impl<D: Database> Message<D> {
    /// Adds up packs that no sum holds, up to so many times; says how many sums were written.
    pub(super) fn add_up(&mut self, most: usize) -> Result<usize, D::Error> {
        let mut written = 0;
        let fan = FAN as u64;
        let done = |spans: &[Span]| spans.last().map_or(0, |(_, last)| *last);
        let mut spans: Option<Vec<Span>> = None;
        while written < most && self.outbox.last_pack() >= fan {
            let known = match &mut spans {
                Some(spans) => spans,
                None => spans.insert(self.rows.spans()?),
            };
            let from = if known.is_empty() { self.rows.first_pack()? } else { done(known) + 1 };
            if self.outbox.last_pack() < from + fan - 1 {
                break;
            }
            let mut span = (from, from + fan - 1);
            let mut tally = Tally::default();
            self.count_packs(span, &mut tally)?;
            // Those before it that are as wide as it is become one with it.
            while let Some(at) = known.len().checked_sub(FAN - 1) {
                let width = |(first, last): &Span| last - first;
                if known[at..].iter().any(|other| width(other) != width(&span)) {
                    break;
                }
                let mut wider = Tally::default();
                for other in known.split_off(at) {
                    span.0 = span.0.min(other.0);
                    wider.merge(self.sum(other)?);
                }
                wider.merge(tally);
                tally = wider;
            }
            self.rows.put_sum(span, &tally.seal())?;
            known.push(span);
            written += 1;
        }
        Ok(written)
    }

    /// What every pack comes to.
    pub(super) fn tally(&self) -> Result<Tally, D::Error> {
        let mut tally = Tally::default();
        let spans = self.rows.spans()?;
        let mut done = if spans.is_empty() { self.rows.first_pack()? - 1 } else { 0 };
        for span in spans {
            tally.merge(self.sum(span)?);
            done = span.1;
        }
        if done < self.outbox.last_pack() {
            self.count_packs((done + 1, self.outbox.last_pack()), &mut tally)?;
        }
        Ok(tally)
    }

    fn sum(&self, span: Span) -> Result<Tally, D::Error> {
        if let Ok(tally) = Tally::open(&self.rows.sum(span)?) {
            return Ok(tally);
        }
        let mut tally = Tally::default();
        self.count_packs(span, &mut tally)?;
        Ok(tally)
    }

    /// Counts what packs say, those included that begin and end the span.
    fn count_packs(&self, span: Span, tally: &mut Tally) -> Result<(), D::Error> {
        let (first, last) = span;
        for number in first..=last {
            let Some(row) = self.rows.pack(number)? else { continue };
            let Ok(mut body) = row.open() else { continue };
            self.fill_pasts(&row, &mut body)?;
            count_pack(&row, &body, tally);
        }
        Ok(())
    }

    /// Amendments of version 3 and before don't say all that the revision before had said: its pack does.
    fn fill_pasts(&self, row: &PackRow, body: &mut Body) -> Result<(), D::Error> {
        let lacks = |entry: &Entry| entry.verdict.revision > 1 && entry.past.is_none();
        let mut pasts: ById<Entry> = ById::default();
        let ids = row.ids().into_iter().zip(&body.entries).filter(|(_, entry)| lacks(entry));
        let wanted: Vec<EventId> = ids.map(|(id, _)| id).collect();
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(()) };
        self.rows.packs(first.ts_ms(), last.ts_ms(), &mut |earlier| {
            if earlier.number < row.number
                && let Ok(body) = earlier.open()
            {
                let theirs = pack::keys(&earlier.keys).map(|(id, _)| id).zip(body.entries);
                pasts.extend(theirs.filter(|(id, _)| wanted.binary_search(id).is_ok()));
            }
        })?;
        for (id, entry) in row.ids().into_iter().zip(&mut body.entries).filter(|(_, entry)| lacks(entry)) {
            entry.past = pasts.remove(id).map(|past| {
                Box::new(Past {
                    vendor: past.verdict.finding.vendor,
                    confidence: past.verdict.finding.confidence,
                    verified: past.verdict.verified,
                    delay: past.delay,
                })
            });
        }
        Ok(())
    }
}

/// Counts what a pack says.
fn count_pack(row: &PackRow, body: &Body, tally: &mut Tally) {
    for ((id, recipient), entry) in pack::keys(&row.keys).zip(&body.entries) {
        let link = body.links.get(entry.link);
        let link = link.map_or((None, None), |(link_id, url)| (link_id.as_deref(), url.as_deref()));
        tally.add(&Counted { id, recipient, link, entry });
    }
}
