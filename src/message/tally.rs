//! The running tally: sums of packs in rows, so that a report reads a few of them and never all packs.
//!
//! Packs are never changed, so a sum of some stays true. Every [`FAN`] packs become one sum; every [`FAN`] sums of one width, one that
//! is so many times wider. So there are at most a few dozen, each click is added up once for each power of [`FAN`], and behind
//! them less than [`FAN`] packs are left to be read. A sum that cannot be read (another version wrote it) is made again.
//!
//! A pack that cannot be read is never summed up, nor is what comes after it: what later packs say of its clicks tells some of what it
//! said, and that may grow. Until it is mended, or the version is back that wrote it, each report reads from there on.

use super::Message;
use super::by_id::{ById, Ids};
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
        let mut spans: Option<Vec<Span>> = None;
        while written < most && self.outbox.last_pack() >= fan {
            let known = match &mut spans {
                Some(spans) => spans,
                None => spans.insert(self.sound_spans()?),
            };
            let from = self.done(known)? + 1;
            let mut span = (from, from + fan - 1);
            if self.outbox.last_pack() < span.1 || (from..=span.1).contains(&self.rows.broken.get()) {
                break;
            }
            let mut tally = Tally::default();
            if !self.count_packs(span, &mut tally)? {
                break;
            }
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
            if tally.unreadable > 0 {
                // A sum had to be made again, and there is a pack in it that cannot be.
                self.rows.forget_sums(span.0)?;
                break;
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
        let spans = self.sound_spans()?;
        for span in &spans {
            tally.merge(self.sum(*span)?);
        }
        self.count_packs((self.done(&spans)? + 1, self.outbox.last_pack()), &mut tally)?;
        Ok(tally)
    }

    /// The spans that there are sums of, as far as they follow each other from the first pack that is kept on: a damaged one ends them.
    fn sound_spans(&self) -> Result<Vec<Span>, D::Error> {
        let mut spans = self.rows.spans()?;
        let last_pack = self.outbox.last_pack();
        let mut next = self.first_pack()?;
        let sound = spans.iter().take_while(|(first, last)| {
            let is_sound = *first == next && first <= last && *last <= last_pack;
            next = last.saturating_add(1);
            is_sound
        });
        spans.truncate(sound.count());
        Ok(spans)
    }

    /// The last pack that sums hold.
    fn done(&self, spans: &[Span]) -> Result<u64, D::Error> {
        spans.last().map_or_else(|| Ok(self.first_pack()? - 1), |(_, last)| Ok(*last))
    }

    /// The first pack that is kept: those before it were too old.
    pub(super) fn first_pack(&self) -> Result<u64, D::Error> {
        if self.shard.kept_from_ms == 0 { Ok(1) } else { self.rows.first_pack() }
    }

    fn sum(&self, span: Span) -> Result<Tally, D::Error> {
        if let Ok(tally) = Tally::open(&self.rows.sum(span)?) {
            return Ok(tally);
        }
        let mut tally = Tally::default();
        self.count_packs(span, &mut tally)?;
        Ok(tally)
    }

    /// Counts what packs say, those included that begin and end the span; says whether all could be read. Of one that could not, those
    /// clicks are unreadable that no later one speaks of.
    fn count_packs(&self, span: Span, tally: &mut Tally) -> Result<bool, D::Error> {
        let (first, last) = span;
        let (mut is_whole, mut unread): (bool, Ids) = (true, Ids::default());
        for number in first..=last {
            let row = self.rows.pack(number)?;
            let Some(row) = row else {
                self.rows.note(number, "gone, or without keys");
                self.rows.broken.set(number);
                (is_whole, tally.unreadable) = (false, tally.unreadable + 1);
                continue;
            };
            match row.open() {
                Ok(mut body) => {
                    for ((id, _), entry) in pack::keys(&row.keys).zip(&mut body.entries) {
                        if unread.remove(&id) {
                            // What it amends is counted nowhere: what stood before that is.
                            entry.past = None;
                        }
                    }
                    self.fill_pasts(&row, &mut body)?;
                    count_pack(&row, &body, tally);
                }
                Err(why) => {
                    self.rows.note(number, &why.to_string());
                    self.rows.broken.set(number);
                    is_whole = false;
                    unread.extend(row.ids());
                }
            }
        }
        tally.unreadable += i64::try_from(unread.len()).unwrap_or(i64::MAX);
        Ok(is_whole)
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
            let past = pasts.remove(id);
            if let Some(past) = &past {
                entry.was = past.verdict.finding.click_type;
                entry.was_shadow = past.verdict.shadow.as_ref().and_then(|shadow| shadow.finding.click_type);
            }
            entry.past = past.map(|past| {
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
