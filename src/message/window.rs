//! The window: the message's latest clicks in memory, found by what they share with others.
//!
//! It holds every stored click from [`Window::start_ms`] on, and older ones that came late until they settle. Its indexes
//! answer [`By`] every key of the table of dependencies, so that to look around a click costs by what is there and not by
//! what the window holds. Ids without a click are held apart: of clicks that were counted and not stored, and of those
//! whose landing page was seen before they came.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::by_id::ById;
use super::settled::Settled;
use crate::record::{EventId, Kind, Record, Verified, packed};
use crate::verdict::reach::By;
use crate::verdict::{Click, Key};

/// Past so many clicks a minute on one link by one recipient, further ones are counted and not stored.
pub const FLOOD_CLICKS: usize = 100;

/// The minute of [`FLOOD_CLICKS`].
pub const FLOOD_MS: i64 = 60_000;

/// So many bytes of unsettled records are kept as they were parsed, one or two kB each, by all the messages and shards of an
/// isolate, of which there may be dozens in its 128 MB; those of a greater burst are read again when they settle.
const MAX_RECORD_BYTES: usize = 12 << 20;

thread_local! {
    /// What the records take that the windows of this isolate keep, about, bytes.
    static RECORD_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// The window lets go of some seconds at a time.
const STEP_MS: i64 = 5_000;

/// A click in memory.
pub(super) struct Held {
    /// The click.
    pub click: Rc<Click>,
    /// Its record, while it is to be shipped for the first time.
    pub record: Option<Box<Record>>,
    /// No click later than this was settled when it came: those have not seen it.
    pub came_ms: i64,
    /// Clicks counted on it.
    pub repeats: i64,
    /// Its verdict that stands, once it has settled: what an amendment retracts.
    pub settled: Option<Settled>,
}

impl Held {
    /// The click, of which more has become known.
    pub(super) fn know(&mut self) -> &mut Click {
        Rc::make_mut(&mut self.click)
    }

    /// Whether it has more to say than its verdict knows.
    pub(super) fn is_ahead(&self) -> bool {
        self.settled.is_some_and(|settled| settled.is_behind(self.click.verified, self.repeats))
    }
}

/// An id without a stored click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// It was counted on another click.
    Counted,
    /// Its landing page was seen before it came: an orphan.
    Seen(Verified),
}

impl Absent {
    const fn number(self) -> i64 {
        match self {
            Self::Counted => -1,
            Self::Seen(verified) => verified as i64,
        }
    }

    fn of(number: i64) -> Self {
        let verified = Verified::ALL.into_iter().find(|verified| *verified as i64 == number);
        verified.map_or(Self::Counted, Self::Seen)
    }
}

/// The window.
#[derive(Default)]
pub(super) struct Window {
    clicks: ById<Held>,
    /// What clicks share ([`place`]), the click.
    index: BTreeSet<(u64, EventId)>,
    /// As numbers ([`Absent::number`]): a map of that kind is in the wasm already.
    absent: BTreeMap<EventId, i64>,
    start_ms: i64,
    /// Stretches before the start of which it holds every stored click, too, while an alarm settles late ones there; from and to
    /// (both included), apart and ascending.
    stretches: Vec<(i64, i64)>,
    /// What the records that it keeps take, of [`RECORD_BYTES`].
    record_bytes: usize,
}

impl Window {
    /// A window that begins at a moment, Unix milliseconds.
    pub(super) fn from(start_ms: i64) -> Self {
        let mut window = Self::default();
        window.start_ms = start_ms;
        window
    }

    /// Every stored click from this moment on is in here, Unix milliseconds.
    pub(super) fn start_ms(&self) -> i64 {
        self.start_ms
    }

    /// Stretches before the start, every stored click of which is in here from now on, until it lets go of clicks next.
    pub(super) fn set_stretches(&mut self, stretches: Vec<(i64, i64)>) {
        self.stretches = stretches;
    }

    /// Whether every stored click between two moments (both included) is in here.
    pub(super) fn holds(&self, from_ms: i64, until_ms: i64) -> bool {
        from_ms >= self.start_ms || {
            let (from, until) = self.stretch(from_ms);
            from <= from_ms && until_ms <= until
        }
    }

    /// The stretch around a moment of which every stored click is in here; empty where there is none.
    fn stretch(&self, ms: i64) -> (i64, i64) {
        if ms >= self.start_ms {
            return (self.start_ms, i64::MAX);
        }
        let found = self.stretches.iter().copied().find(|(from, until)| (*from..=*until).contains(&ms));
        found.map_or((i64::MAX, i64::MIN), |(from, until)| {
            // One that ends where the window begins goes on in it.
            (from, if until + 1 >= self.start_ms { i64::MAX } else { until })
        })
    }

    /// How many clicks it holds.
    pub(super) fn len(&self) -> usize {
        self.clicks.len()
    }

    pub(super) fn get(&self, id: EventId) -> Option<&Held> {
        self.clicks.get(id)
    }

    pub(super) fn get_mut(&mut self, id: EventId) -> Option<&mut Held> {
        self.clicks.get_mut(id)
    }

    /// The time of the last click, Unix milliseconds; before all times where there is none.
    pub(super) fn last_ms(&self) -> i64 {
        self.clicks.last().map_or(i64::MIN, EventId::ts_ms)
    }

    /// All clicks, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EventId, &Held)> {
        self.clicks.iter()
    }

    /// The clicks between two moments (both included), oldest first.
    pub(super) fn between(&self, from_ms: i64, until_ms: i64) -> impl Iterator<Item = (EventId, &Held)> {
        self.range(EventId::first_of(from_ms), EventId::first_of(until_ms.saturating_add(1)))
    }

    /// The clicks from an id on, up to another that is left out, oldest first.
    pub(super) fn range(&self, from: EventId, until: EventId) -> impl Iterator<Item = (EventId, &Held)> {
        self.clicks.range(from..until)
    }

    /// What is known of an id without a click.
    pub(super) fn absent(&self, id: EventId) -> Option<Absent> {
        self.absent.get(&id).map(|number| Absent::of(*number))
    }

    /// Takes note of an id without a click.
    pub(super) fn set_absent(&mut self, id: EventId, absent: Absent) {
        self.absent.insert(id, absent.number());
    }

    /// Takes in a stored click, of which nothing has settled yet. Its orphan finds it.
    pub(super) fn insert(&mut self, id: EventId, mut click: Rc<Click>, came_ms: i64) {
        if let Some(Absent::Seen(verified)) = self.absent.remove(&id).map(Absent::of) {
            Rc::make_mut(&mut click).verified = verified;
        }
        for by in [By::Recipient, By::Link, By::Requests, By::Url, By::Source] {
            let is_for_all = matches!(by, By::Recipient | By::Link);
            if let Some(key) = by.key(&click).filter(|_| is_for_all || click.kind == Kind::Click) {
                self.index.insert((place(by, key), id));
            }
        }
        self.clicks.insert(id, Held { click, record: None, came_ms, repeats: 0, settled: None });
    }

    /// Keeps the record of a click that waits to settle, where there is room.
    pub(super) fn keep(&mut self, id: EventId, record: Record) {
        let bytes = bytes_of(&record);
        if RECORD_BYTES.get() + bytes <= MAX_RECORD_BYTES
            && let Some(entry) = self.clicks.get_mut(id)
        {
            entry.record = Some(Box::new(record));
            self.record_bytes += bytes;
            RECORD_BYTES.set(RECORD_BYTES.get() + bytes);
        }
    }

    /// Gives a click the verdict that stands from now on.
    pub(super) fn settle(&mut self, id: EventId, settled: Settled) {
        self.take_record(id);
        let Some(entry) = self.clicks.get_mut(id) else { return };
        entry.settled = Some(settled);
        // What other clicks' convictions may change is found by its origin.
        if let Some(origin) = By::Origin.key(&entry.click) {
            if settled.is_undecided {
                self.index.insert((place(By::Origin, origin), id));
            } else {
                self.index.remove(&(place(By::Origin, origin), id));
            }
        }
    }

    /// Takes out the record of a click that settles.
    pub(super) fn take_record(&mut self, id: EventId) -> Option<Box<Record>> {
        let record = self.clicks.get_mut(id).and_then(|entry| entry.record.take());
        let bytes = record.as_ref().map_or(0, |record| bytes_of(record));
        self.record_bytes -= bytes;
        RECORD_BYTES.set(RECORD_BYTES.get() - bytes);
        record
    }

    /// The ids of clicks with a key between two moments (both included), oldest first: by recipient and link those of every
    /// kind, by who requests it, URL and source clicks alone, by origin what has settled undecided.
    pub(super) fn ids(
        &self,
        by: By,
        key: u128,
        from_ms: i64,
        until_ms: i64,
    ) -> impl DoubleEndedIterator<Item = EventId> {
        let place = place(by, key);
        let from = (place, EventId::first_of(from_ms));
        let until = (place, EventId::first_of(until_ms.saturating_add(1)).max(from.1));
        self.index.range(from..until).map(|(_, id)| *id)
    }

    /// The ids of clicks on a click's own link of its copy between two moments (both included), of every kind, oldest first.
    fn of_link(
        &self,
        click: &Click,
        from_ms: i64,
        until_ms: i64,
    ) -> impl DoubleEndedIterator<Item = EventId> {
        let key = By::Link.key(click).unwrap_or_default();
        self.ids(By::Link, key, from_ms, until_ms)
    }

    /// The clicks of a recipient, oldest first.
    pub(super) fn of_recipient(&self, recipient: Key) -> impl DoubleEndedIterator<Item = (EventId, &Held)> {
        let ids = self.ids(By::Recipient, recipient.number(), i64::MIN, i64::MAX);
        ids.filter_map(|id| self.clicks.get(id).map(|entry| (id, entry)))
    }

    /// From when to when neighbours of a click on its own link reach, of whom each lies at most `step_ms` from the next;
    /// `i64::MIN` and `i64::MAX` where they may go on beyond what it holds.
    pub(super) fn chain(&self, click: &Click, step_ms: i64) -> (i64, i64) {
        let (start_ms, end_ms) = self.stretch(click.ts_ms);
        if end_ms < start_ms {
            return (i64::MIN, i64::MAX);
        }
        let (mut from_ms, mut until_ms) = (click.ts_ms, click.ts_ms);
        let link = |from_ms, until_ms| self.of_link(click, from_ms, until_ms).map(EventId::ts_ms);
        for ms in link(start_ms, click.ts_ms).rev() {
            if from_ms.saturating_sub(ms) > step_ms {
                break;
            }
            from_ms = ms;
        }
        for ms in link(click.ts_ms, end_ms) {
            if ms.saturating_sub(until_ms) > step_ms {
                break;
            }
            until_ms = ms;
        }
        let is_cut = from_ms.saturating_sub(step_ms) < start_ms;
        let goes_on = until_ms.saturating_add(step_ms) > end_ms;
        (if is_cut { i64::MIN } else { from_ms }, if goes_on { i64::MAX } else { until_ms })
    }

    /// The stored click that a further one of a flood is counted on: the last of its link and recipient.
    pub(super) fn flooded(&self, click: &Click) -> Option<EventId> {
        let (from_ms, until_ms) =
            (click.ts_ms.saturating_sub(FLOOD_MS - 1), click.ts_ms.saturating_add(FLOOD_MS));
        let is_same = |id: &EventId| self.clicks.get(*id).is_some_and(|other| other.click.kind == click.kind);
        let minute = || self.of_link(click, from_ms, until_ms).filter(is_same);
        let last = minute().next_back()?;
        (minute().take(FLOOD_CLICKS).count() >= FLOOD_CLICKS).then_some(last)
    }

    /// Begins at a moment, some seconds later than before at least; says whether it does. Of the clicks before its start those stay
    /// that have not settled, and those that somebody `keeps`.
    pub(super) fn forget_before(&mut self, from_ms: i64, keeps: &dyn Fn(EventId) -> bool) -> bool {
        let moves = from_ms >= self.start_ms.saturating_add(STEP_MS);
        self.stretches.clear();
        if moves {
            self.start_ms = from_ms;
            self.absent = self.absent.split_off(&EventId::first_of(from_ms));
        }
        let old = self.clicks.range(..EventId::first_of(self.start_ms));
        let old = old.filter(|(id, entry)| entry.settled.is_some() && !keeps(*id));
        for id in old.map(|(id, _)| id).collect::<Vec<_>>() {
            let Some(entry) = self.clicks.remove(id) else { continue };
            for by in By::ALL {
                if let Some(key) = by.key(&entry.click) {
                    self.index.remove(&(place(by, key), id));
                }
            }
        }
        moves
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        RECORD_BYTES.set(RECORD_BYTES.get() - self.record_bytes);
    }
}

/// Where clicks that share a key stand in the index: by 64 bits of it, which is all that sources have to begin with.
fn place(by: By, key: u128) -> u64 {
    let [upper, lower] = [key, key << 64].map(|key| Key::from_number(key).short());
    (upper ^ lower).rotate_left(8 * by as u32)
}

/// What a parsed record takes, about, bytes.
fn bytes_of(record: &Record) -> usize {
    size_of::<Record>() + packed::text_bytes(record)
}
