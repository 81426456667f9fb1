//! A message's life: clicks arrive, settle when their windows have closed, are amended by late evidence, and leave.
//!
//! Pure and synchronous: rows come from a [`Database`], time is an argument, nothing waits. The Durable Object is a thin
//! shell around it, the tests run it with any order of arrival, any crash and any clock. Each call is one transaction: what
//! fails in the middle has written nothing.
//!
//! # Words
//!
//! The field's, as stream processors (Beam, Flink) use them:
//!
//! | word | what it is here |
//! | --- | --- |
//! | event time | a click's `ts_ms`: when the edge saw it |
//! | window | the latest clicks, in memory, from its start on |
//! | watermark | the moment before which every click is settled |
//! | late | what comes when somebody who would have looked at it has settled |
//! | early, on-time, late pane | revision 0, which is provisional; revision 1; the amendments |
//! | retraction | what an amendment says the revision before had said |
//! | dependency | what a verdict looks at ([`crate::verdict::reach`]); mirrored, its dependents |
//! | sweep | alarms that settle what came late, from the first of it to the last |
//! | stretch | what lies around late clicks, in memory while an alarm settles them |
//! | touched | settled, and more has become known since: to be judged again |
//! | orphan | what a landing page showed of a click that has not come |
//! | batch | here a pack: verdicts that are committed and shipped together |
//! | outbox | packs and acts that the queue has not taken |
//! | timer | when something in here is due; an alarm runs what is |
//!
//! # Rows
//!
//! - A click row is the fact that a link was requested; it is written once. Opens and acts are rows like clicks and settle
//!   with them, but only clicks have windows, convict and are counted in the report.
//! - A verification is the fact that a click's landing page was shown, or touched: a row, written again only for more.
//! - A press row is an event that may stand for an act, and whether its sender is told ([`acts`]).
//! - A pack row is the one commit point of a verdict. Packs are numbered without gaps.
//!
//! # Parts
//!
//! What is in memory is a copy of rows: after an error it is thrown away and loaded again, by the same functions that
//! arriving and settling use. What each part holds ([`Message::check`] tests it):
//!
//! 1. The window holds every stored click from its start on, which lies at least twice the longest reach before the
//!    watermark.
//! 2. A click is settled if and only if it stands in a pack. The window's verdict on it is its highest revision's.
//! 3. The timers hold exactly the unsettled clicks and the touched ones of the window, none of these later than the window
//!    holds its click. Touched clicks from before the window are the revisits' rows.
//! 4. The people, where they are known, name the packs of every click but opens.
//! 5. The convictions are those of settled clicks that reach the window, the views those of the rows that do.
//! 6. The outbox knows the last pack and the last that the queue has taken; the acts in it are those of the rows, where there
//!    is a receiver.
//! 7. Every click before the watermark is settled, or not older than the late mark.
//! 8. The sums are those of their packs, from the first that is there on, without a gap.

mod acts;
mod answers;
mod blocks;
pub mod board;
mod by_id;
pub mod call;
mod carry;
#[cfg(not(target_arch = "wasm32"))]
mod check;
pub mod deliveries;
mod ends;
mod erase;
pub mod exchange;
mod explain;
pub mod group;
mod handover;
mod history;
mod ingest;
mod late;
pub mod list;
mod load;
mod mend;
mod outbox;
mod people;
mod read;
pub mod replay;
mod retention;
mod revisit;
pub mod rows;
mod said;
mod settle;
mod settled;
mod settlement;
mod shard;
mod ship;
mod slice;
pub mod sql;
mod sweep;
mod tally;
mod through;
mod timers;
mod verify;
pub mod wanted;
mod watermark;
mod window;

use outbox::Outbox;
use people::People;
use rows::{Meta, Rows};
use shard::Shard;
use sql::Database;
use timers::Timers;
use watermark::Watermark;
use window::{Held, Window};

use crate::record::EventId;
use crate::verdict::Judging;
use crate::verdict::convictions::Convictions;

pub use acts::Acted;
pub use call::Page;
pub use erase::Erasure;
pub use ingest::Arrival;
pub use retention::Gone;
pub use settle::MAX_ROUNDS;
pub use settlement::Settlement;
pub use ship::{Item, Outcome, Outgoing};
pub use timers::TICK_MS;
pub use verify::Seen;
pub use window::{FLOOD_CLICKS, FLOOD_MS};

/// One message, or one shard of it.
pub struct Message<D> {
    rows: Rows<D>,
    /// Which part of the message this is.
    shard: Shard,
    judging: Judging,
    window: Window,
    people: People,
    timers: Timers,
    convictions: Convictions,
    outbox: Outbox,
    watermark: Watermark,
}

impl<D: Database> Message<D> {
    /// Loads a message; `None`, and nothing created, when there is no such message. `rests` says that no alarm is set and none
    /// runs: the last one came to its end, so everything has left ([`ship`]).
    ///
    /// # Errors
    /// When storage fails.
    pub fn load(db: D, judging: Judging, rests: bool) -> Result<Option<Self>, D::Error> {
        let rows = Rows::new(db);
        let Some(meta) = rows.meta()? else { return Ok(None) };
        let marks = rows.marks(shard::MARKS)?;
        let mut message = Self::new(rows, judging, meta, &marks);
        message.rows.count_lost_clicks()?;
        message.outbox.letters = message.rows.has_letters()?;
        let last_pack = message.rows.pack_bounds()?.map_or(0, |(last_pack, ..)| last_pack);
        message.outbox.resume(last_pack, message.rows.pack_sent_before()?, rests);
        message.fill()?;
        message.mend_rows()?;
        message.load_shard(rests);
        Ok(Some(message))
    }

    /// Begins a message: its first click or its first delivery time has come.
    ///
    /// # Errors
    /// When storage fails.
    pub fn create(db: D, judging: Judging, name: &str) -> Result<Self, D::Error> {
        Self::begin(db, judging, name, 0)
    }

    /// The same at a moment, Unix milliseconds, from which on it is kept so long at least ([`Self::goes_ms`]).
    ///
    /// # Errors
    /// When storage fails.
    pub fn begin(db: D, judging: Judging, name: &str, began_ms: i64) -> Result<Self, D::Error> {
        let (rows, name) = (Rows::new(db), name.to_owned());
        let meta = Meta { name, late_from_ms: i64::MAX, began_ms, ..Meta::default() };
        rows.create(&meta)?;
        Ok(Self::new(rows, judging, meta, &[]))
    }

    fn new(rows: Rows<D>, judging: Judging, meta: Meta, marks: &[u64]) -> Self {
        Self {
            rows,
            judging,
            window: Window::default(),
            people: People::default(),
            timers: Timers::default(),
            convictions: Convictions::default(),
            watermark: Watermark::new(meta.late_from_ms),
            outbox: Outbox::new(&meta),
            shard: Shard::new(meta, marks),
        }
    }

    /// Writes what the message keeps about itself.
    fn put_meta(&self) -> Result<(), D::Error> {
        let mark = Meta {
            name: self.shard.name.clone(),
            late_from_ms: self.watermark.late_from_ms,
            began_ms: self.shard.began_ms,
            kept_from_ms: self.shard.kept_from_ms,
            ..self.outbox.mark()
        };
        self.rows.put_meta(&mark)
    }

    /// When the message wants to be woken, if at all: something is due, or waits to be shipped.
    #[must_use]
    pub fn wake_ms(&self, now_ms: i64) -> Option<i64> {
        let ship = self.outbox.letters || self.outbox.has_packs() || self.due_act().is_some();
        let ship_ms = ship.then_some(self.outbox.retry_at_ms());
        let others_ms = ship_ms.into_iter().chain(self.shard.due_ms()).min();
        self.timers.next_ms(&self.judging, others_ms.map(|ms| ms.max(now_ms)), now_ms)
    }

    /// A settled click of the window is to be judged again, from a moment on.
    fn touch(&mut self, id: EventId, due_ms: i64) {
        if self.window.get(id).is_some_and(|entry| entry.settled.is_some_and(|settled| !settled.is_foreign()))
        {
            self.timers.touched.insert(id, due_ms);
        }
    }

    /// Where the window begins when everything before a moment is settled: a late click looks back one reach at clicks
    /// that look back one reach themselves.
    fn window_from_ms(&self, settled_ms: i64) -> i64 {
        settled_ms.saturating_sub(2 * self.judging.reach_ms().max(FLOOD_MS)).max(0)
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shard.name
    }

    /// Where its rows are.
    #[must_use]
    pub fn db(&self) -> &D {
        self.rows.db()
    }

    /// Clicks that wait for their windows to close.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.timers.unsettled.len()
    }

    /// Rows that could not be read, each counted once in this life of the message; 0 unless rows are damaged.
    #[must_use]
    pub fn unreadable(&self) -> usize {
        self.rows.unreadable() + usize::from(self.rows.broken.get() > 0)
    }

    /// What was found damaged, and mended, since this was asked last: words for the log.
    #[must_use]
    pub fn take_notes(&self) -> Vec<String> {
        self.rows.take_notes()
    }

    /// Takes its name, where its row could not say it.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn take_name(&mut self, name: &str) -> Result<(), D::Error> {
        if !self.shard.name.is_empty() {
            return Ok(());
        }
        name.clone_into(&mut self.shard.name);
        self.put_meta()
    }

    /// How many clicks are held in memory.
    #[must_use]
    pub fn in_memory(&self) -> usize {
        self.window.len()
    }
}
