//! Memory is a copy of rows: what a message loads when its object begins, and again when rows were mended or taken out.

use super::Message;
use super::history::click_of;
use super::people::People;
use super::settled::Settled;
use super::sql::Database;
use super::watermark::Watermark;
use super::window::{Absent, Window};
use crate::record::EventId;
use crate::verdict::convictions::Convictions;

impl<D: Database> Message<D> {
    /// Reads into memory what the rows hold, in place of what was there.
    pub(super) fn fill(&mut self) -> Result<(), D::Error> {
        self.people = People::default();
        self.timers.forget();
        self.convictions = Convictions::default();
        self.watermark = Watermark::new(self.watermark.late_from_ms);
        if let Some((_, open_from_ms, oldest_ms)) = self.rows.pack_bounds()? {
            let settled_to_ms = open_from_ms - 1;
            self.watermark = Watermark { ms: open_from_ms, oldest_ms, settled_to_ms, ..self.watermark };
        }
        let from_ms = self.window_from_ms(self.watermark.ms);
        self.window = Window::from(from_ms);
        self.load_window(EventId::first_of(from_ms), EventId::first_of(i64::MAX))?;
        self.load_late()?;
        self.load_deliveries()?;
        self.find_touched();
        if self.judging.asks_full() {
            let mut convictions = Convictions::default();
            self.own_convictions_in(&[(self.convictions_from_ms(), i64::MAX)], &mut convictions)?;
            self.convictions = convictions;
        }
        self.shard.views = self.stored_views()?;
        self.timers.revisits.extend(self.rows.revisits()?);
        Ok(())
    }

    pub(super) fn load_window(&mut self, from: EventId, until: EventId) -> Result<(), D::Error> {
        let mut settled = self.settled_in(&[(from.ts_ms(), i64::MAX)], &|_| true)?;
        let last_ms = settled.iter().next_back().map_or(i64::MIN, |(id, _)| id.ts_ms());
        self.watermark.settled_to_ms = self.watermark.settled_to_ms.max(last_ms);
        let came_ms = self.watermark.settled_to_ms;
        let window = &mut self.window;
        // Orphans come first: their clicks find them.
        if self.rows.has_verifications()? {
            self.rows.verifications_from(from, &mut |id, sighting| {
                window.set_absent(id, Absent::Seen(sighting.verified));
            })?;
        }
        self.load_clicks((from, until), came_ms, &mut |id| Some(settled.remove(id)))
    }

    /// Loads the stored clicks of a span into the window. Of each it is asked what verdict stands, if it is wanted at all; one of which
    /// none does came when no click later than `came_ms` was settled.
    pub(super) fn load_clicks(
        &mut self,
        (from, until): (EventId, EventId),
        came_ms: i64,
        asked: &mut dyn FnMut(EventId) -> Option<Option<Settled>>,
    ) -> Result<(), D::Error> {
        let (window, timers) = (&mut self.window, &mut self.timers);
        self.rows.clicks(from, until, usize::MAX, &mut |id, record| match (asked(id), record) {
            // What cannot be read is counted where it was read.
            (None, _) | (Some(_), None) => {}
            (Some(settled), Some(record)) => {
                window.insert(id, click_of(&record), came_ms);
                if let Some(settled) = settled {
                    window.settle(id, settled);
                } else {
                    window.keep(id, record);
                    timers.unsettled.insert(id);
                }
            }
        })?;
        for (id, repeats) in self.rows.repeats(from, until)? {
            if let Some(entry) = window.get_mut(id) {
                entry.repeats = repeats;
            }
        }
        Ok(())
    }

    /// Sees what is known beside the clicks that were loaded: whether late ones are among them, and which are to be judged again.
    pub(super) fn find_touched(&mut self) {
        // The row follows when it is written next.
        self.has_caught_up();
        let ahead: Vec<EventId> =
            self.window.iter().filter(|(_, entry)| entry.is_ahead()).map(|(id, _)| id).collect();
        for id in ahead {
            self.touch(id, self.judging.due_ms(id.ts_ms()));
        }
    }

    /// Whether the last late click has settled by now. Not before its pack has left: the row that says so names the pack as one that
    /// has, so that whoever looks for no late click sees when it is gone.
    pub(super) fn has_caught_up(&mut self) -> bool {
        let first_ms = self.timers.unsettled.first().map(|id| id.ts_ms());
        !self.outbox.has_packs() && self.watermark.caught_up(first_ms)
    }

    /// Lets the clicks of the window learn what was told of their mails.
    pub(super) fn load_deliveries(&mut self) -> Result<(), D::Error> {
        if !self.rows.has_deliveries()? {
            return Ok(());
        }
        let mut later = self.later();
        let mut told = Vec::new();
        for (id, entry) in self.window.iter() {
            told.push((id, later.delivery(entry.click.recipient)?));
        }
        for (id, delivery) in told {
            if let Some(entry) = self.window.get_mut(id) {
                entry.know().learn(delivery);
            }
        }
        Ok(())
    }
}
