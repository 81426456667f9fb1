//! Carry-over: what a convicted source does beside its conviction is the same machine's.
//!
//! A source is an address and an agent, an origin the address's network (/24, in IPv6 /48) and an agent. A click that no
//! other rule decides is held against the convictions of its source and origin within the message: up to
//! [`FORWARD_MS`] after one, and up to [`BACK_MS`] before one, which is as long as clicks wait unsettled by default.
//! Only rules that look at the request itself and its bursts convict: never a carry-over, so it cannot spread.

use super::windows::arrange;
use super::{Click, ClickType, Finding};

/// How long after a conviction its source is held for the same machine, milliseconds (Paminga: fifteen minutes on the
/// same address or agent).
pub const FORWARD_MS: i64 = 900_000;

/// How long before a conviction: the clicks that are unsettled when it comes, milliseconds.
pub const BACK_MS: i64 = 60_000;

/// What a conviction of the same address and agent is worth as evidence.
const SAME_SOURCE: i32 = 15;

/// What one of the same network and agent is worth.
const SAME_ORIGIN: i32 = 10;

/// The rules whose convictions are carried over. Not those that a person's own browser can set off beside the person
/// (prefetches, the pair), and not those that know a network anyway.
const CARRIED: [&str; 7] =
    ["safe_attachments", "campaign_view", "gateway", "scanner_network", "sweep", "fanout", "headless"];

/// What a finding convicts its source of, if it does.
#[must_use]
pub fn conviction(finding: &Finding) -> Option<ClickType> {
    finding.click_type.filter(|kind| kind.is_bot() && CARRIED.contains(&finding.rule.as_ref()))
}

/// Whether the finding would be another one beside a conviction: nothing else has decided.
#[must_use]
pub fn is_open(finding: &Finding) -> bool {
    matches!(finding.rule.as_ref(), "human" | "carry_over")
}

/// A conviction that reaches a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// What its click was.
    pub click_type: ClickType,
    /// When that was, Unix milliseconds.
    pub ts_ms: i64,
    /// Of the same address, not only of the same network.
    pub same_source: bool,
}

impl Carried {
    /// What it is worth as evidence.
    #[must_use]
    pub const fn points(self) -> i32 {
        if self.same_source { SAME_SOURCE } else { SAME_ORIGIN }
    }
}

/// The convictions of a message, by place (a source or an origin) and time. It is a multiset, so that one can be taken
/// back, and a list: a scanner with a thousand addresses leaves hundreds of thousands of them within a quarter of an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Convictions {
    /// Ascending, each place and moment once.
    sorted: Vec<Entry>,
    /// What came and went since they were sorted.
    changes: Vec<Entry>,
}

/// So many convictions of one place and moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    place: u64,
    /// The time, then the type in the lowest bits: of two at one moment the later type counts as the later.
    moment: u64,
    count: i32,
}

/// The bits of a moment that hold the type.
const KIND_BITS: u32 = 4;

const _: () = assert!(ClickType::COUNT <= 1 << KIND_BITS, "a type fits its bits");

/// A time with a type in the lowest bits. Times before 1970 count as 1970.
const fn moment(ts_ms: i64, kind: u64) -> u64 {
    let ts_ms = if ts_ms < 0 { 0 } else { ts_ms.cast_unsigned() };
    ts_ms << KIND_BITS | kind
}

impl Entry {
    const fn key(&self) -> (u64, u64) {
        (self.place, self.moment)
    }
}

impl Convictions {
    /// Adds the conviction of a click; [`Self::sort`] must follow.
    pub fn add(&mut self, click: &Click, kind: ClickType) {
        self.change(click, kind, 1);
    }

    /// Takes a conviction back; [`Self::sort`] must follow.
    pub fn remove(&mut self, click: &Click, kind: ClickType) {
        self.change(click, kind, -1);
    }

    fn change(&mut self, click: &Click, kind: ClickType, count: i32) {
        if let Some(source) = click.signals.own_source() {
            let moment = moment(click.ts_ms, kind as u64);
            let places = [source.exact, source.origin];
            self.changes.extend(places.map(|place| Entry { place, moment, count }));
        }
    }

    /// Adds all of another's, which must be sorted; [`Self::sort`] must follow.
    pub fn extend(&mut self, others: &Self) {
        self.changes.extend_from_slice(&others.sorted);
    }

    /// Brings what came and went in.
    pub fn sort(&mut self) {
        if self.changes.is_empty() {
            return;
        }
        let mut order: Vec<usize> = (0..self.changes.len()).collect();
        arrange(&mut order, &|at| (self.changes[at].place.into(), self.changes[at].moment.into()));
        let mut merged: Vec<Entry> = Vec::with_capacity(self.sorted.len() + order.len());
        let mut old = self.sorted.iter().peekable();
        let mut push = |entry: Entry| match merged.last_mut() {
            Some(last) if last.key() == entry.key() => last.count += entry.count,
            _ => merged.push(entry),
        };
        for at in order {
            let change = self.changes[at];
            while let Some(entry) = old.next_if(|entry| entry.key() <= change.key()) {
                push(*entry);
            }
            push(change);
        }
        old.for_each(|entry| push(*entry));
        merged.retain(|entry| entry.count > 0);
        self.sorted = merged;
        self.changes.clear();
    }

    /// Lets go of convictions before a moment, Unix milliseconds.
    pub fn forget_before(&mut self, ts_ms: i64) {
        self.sorted.retain(|entry| entry.moment >= moment(ts_ms, 0));
    }

    /// The conviction that reaches a click: its source's before its origin's, the last one before the click before the
    /// first one after it.
    #[must_use]
    pub fn reaching(&self, click: &Click) -> Option<Carried> {
        let near = |place: u64, same_source: bool| {
            let last = (1 << KIND_BITS) - 1;
            let here = (place, moment(click.ts_ms, last));
            let next = self.sorted.partition_point(|entry| entry.key() <= here);
            let from = (place, moment(click.ts_ms.saturating_sub(FORWARD_MS), 0));
            let until = (place, moment(click.ts_ms.saturating_add(BACK_MS), last));
            let before = next.checked_sub(1).and_then(|at| self.sorted.get(at));
            let before = before.filter(|entry| entry.key() >= from);
            let found = before.or_else(|| self.sorted.get(next).filter(|entry| entry.key() <= until))?;
            let kind = found.moment & last;
            let click_type = ClickType::CLICKS.into_iter().find(|known| *known as u64 == kind)?;
            let ts_ms = (found.moment >> KIND_BITS).cast_signed();
            Some(Carried { click_type, ts_ms, same_source })
        };
        let source = click.signals.own_source()?;
        near(source.exact, true).or_else(|| near(source.origin, false))
    }
}
