//! Delivery times and bounces arrive: they move the clocks of their recipients' clicks, or say that nobody has the mail, and what
//! changes is issued again.
//!
//! Only their own clicks can change: nobody else's verdict looks at that. Clicks in memory learn it at once and settle by it. What has settled is judged again pack by pack: the first few clicks with the call, which is all of them
//! for a usual one, the others by alarms. How far that has come is a row, written in one transaction with the verdicts.

use super::Message;
use super::by_id::Ids;
use super::deliveries;
use super::history::Clicks;
use super::rows::Revisit;
use super::settlement::Settlement;
use super::sql::Database;
use crate::event::pack;
use crate::record::{Delivery, EventId};
use crate::verdict::Key;
use crate::verdict::order::ascending;

/// About how many settled clicks are judged again before a call is answered.
const MAX_AT_ONCE: usize = 256;

impl<D: Database> Message<D> {
    /// Takes in what is told of recipients' mails; returns how many settled clicks got a new revision, those included that
    /// alarms will look at and that may. The same again changes nothing.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn deliver(&mut self, news: &[(Key, Delivery)]) -> Result<usize, D::Error> {
        let moved = self.put_deliveries(news)?;
        self.learn(moved)
    }

    /// Judges again what changes by what is stored of recipients' mails now; returns what [`Self::deliver`] does.
    pub(super) fn learn(&mut self, moved: Vec<(Key, Delivery)>) -> Result<usize, D::Error> {
        for (recipient, delivery) in &moved {
            self.people.ends.get_mut().forget(*recipient);
            let theirs: Vec<EventId> = self.window.of_recipient(*recipient).map(|(id, _)| id).collect();
            for id in theirs {
                if let Some(entry) = self.window.get_mut(id) {
                    entry.know().learn(*delivery);
                }
            }
        }
        if moved.is_empty() || self.outbox.last_pack() == 0 {
            return Ok(0);
        }
        self.people.load(&self.rows)?;
        let settled = |recipient: &Key| self.people.packs(recipient.short()).next().is_some();
        let recipients: Vec<Key> =
            moved.into_iter().map(|(recipient, _)| recipient).filter(settled).collect();
        let recipients = ascending(&recipients.into_iter().map(Key::short).collect::<Vec<_>>());
        let last_pack = self.outbox.last_pack();
        let mut revisit = Revisit { number: 0, recipients, done_pack: 0, last_pack };
        let mut reissued = self.revisit(&mut revisit, MAX_AT_ONCE)?.amended;
        if revisit.done_pack < revisit.last_pack {
            let left = revisit.recipients.iter().flat_map(|recipient| self.people.packs(*recipient));
            reissued += left.filter(|pack| (revisit.done_pack + 1..=last_pack).contains(pack)).count();
            self.rows.put_revisit(&mut revisit)?;
            self.timers.revisits.push_back(revisit);
        }
        Ok(reissued)
    }

    /// Stores what is told; returns of whom it is news, and what is known of them now.
    fn put_deliveries(&mut self, news: &[(Key, Delivery)]) -> Result<Vec<(Key, Delivery)>, D::Error> {
        let mut buckets = vec![Vec::new(); usize::from(u8::MAX) + 1];
        for (recipient, told) in news {
            if let Some(bucket) = buckets.get_mut(usize::from(deliveries::bucket(*recipient))) {
                bucket.push((*recipient, *told));
            }
        }
        let mut moved = Vec::new();
        for (bucket, news) in (0..=u8::MAX).zip(buckets).filter(|(_, news)| !news.is_empty()) {
            let before = self.rows.deliveries(bucket)?;
            let after = deliveries::merge(&before, &news);
            if after == before {
                continue;
            }
            self.rows.put_deliveries(bucket, &after)?;
            for (recipient, _) in news {
                let now = deliveries::find(&after, recipient);
                if deliveries::find(&before, recipient) != now {
                    moved.push((recipient, now));
                }
            }
        }
        Ok(moved)
    }

    /// Goes on where alarms have come to: about so many clicks.
    pub(super) fn revisit_next(&mut self, most: usize) -> Result<Settlement, D::Error> {
        let Some(mut revisit) = self.timers.revisits.pop_front() else { return Ok(Settlement::default()) };
        self.people.load(&self.rows)?;
        let settlement = self.revisit(&mut revisit, most)?;
        self.rows.put_revisit(&mut revisit)?;
        if revisit.done_pack < revisit.last_pack {
            self.timers.revisits.push_front(revisit);
        }
        Ok(settlement)
    }

    /// Judges at most so many clicks again, but a pack at least, pack by pack: a pack's clicks lie close together, and so does
    /// what they look at.
    fn revisit(&mut self, revisit: &mut Revisit, most: usize) -> Result<Settlement, D::Error> {
        let left = revisit.done_pack + 1..=revisit.last_pack;
        let packs: Vec<u64> = if revisit.is_of_all() {
            left.collect()
        } else {
            let theirs = revisit.recipients.iter().flat_map(|recipient| self.people.packs(*recipient));
            theirs.filter(|pack| left.contains(pack)).collect()
        };
        revisit.done_pack = revisit.last_pack;
        let mut ids = Ids::default();
        for number in ascending(&packs) {
            let mut more = Vec::new();
            self.rows.keys_of_packs(&[number], &mut |keys| {
                let theirs =
                    |owner: &u64| revisit.is_of_all() || revisit.recipients.binary_search(owner).is_ok();
                more.extend(pack::keys(keys).filter(|(_, owner)| theirs(owner)).map(|(id, _)| id));
            })?;
            if !ids.is_empty() && ids.len() + more.len() > most {
                revisit.done_pack = number - 1;
                break;
            }
            ids.extend(more);
        }
        if ids.is_empty() {
            return Ok(Settlement::default());
        }
        let (mut clicks, mut old) = (Clicks::default(), Vec::new());
        for id in ids.to_vec() {
            match self.window.get(id) {
                Some(entry) => clicks.insert(id, entry.click.clone()),
                None => old.push(id),
            }
        }
        clicks.extend(self.stored(&old)?);
        self.issue(clicks, &Ids::default(), self.watermark.ms)
    }
}
