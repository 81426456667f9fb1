//! Delivery times arrive: they move the clock of their recipients' clicks, and what changes is issued again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Message, Store, deliveries, tree};
use crate::verdict::Key;

impl<S: Store> Message<S> {
    /// Takes delivery times in (Unix milliseconds); returns how many settled clicks got a new revision. The same
    /// times again change nothing.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn deliver(&mut self, times: &[(Key, i64)]) -> Result<usize, S::Error> {
        let mut buckets = vec![Vec::new(); usize::from(u8::MAX) + 1];
        for (recipient, ms) in times {
            buckets[usize::from(deliveries::bucket(*recipient))].push((*recipient, *ms));
        }
        let mut moved = BTreeSet::new();
        for (bucket, news) in (0..=u8::MAX).zip(buckets).filter(|(_, news)| !news.is_empty()) {
            let before = self.store.deliveries(bucket)?;
            let after = deliveries::merge(&before, &news);
            if after != before {
                self.store.put_deliveries(bucket, &after)?;
                let changed = |recipient: &Key| {
                    deliveries::find(&before, *recipient) != deliveries::find(&after, *recipient)
                };
                moved.extend(news.iter().map(|(recipient, _)| *recipient).filter(changed));
            }
        }
        if moved.is_empty() {
            return Ok(0);
        }
        self.has_deliveries = true;
        self.know_elders()?;
        let told: BTreeMap<Key, i64> = tree(times.iter().copied());
        for recent in self.recent.values_mut() {
            if let Some(clock_ms) = told.get(&recent.click.recipient) {
                recent.click.clock_ms = *clock_ms;
            }
        }
        // Only their own clicks can change: nobody else's verdict looks at their clock.
        let mut clicks = self.history_of(&moved)?;
        clicks.retain(|id, _| !self.unsettled.contains(id));
        if clicks.is_empty() {
            return Ok(0);
        }
        Ok(self.issue(clicks, &BTreeSet::new(), self.open_from_ms)?.amended)
    }
}
