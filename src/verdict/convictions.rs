//! Carry-over: what a convicted source does beside its conviction is the same machine's.
//!
//! A source is an address and an agent, an origin the address's network (/24, in IPv6 /48) and an agent. A click that no
//! other rule decides is held against the convictions of its source and origin within the message: up to
//! [`FORWARD_MS`] after one, and up to [`BACK_MS`] before one, which is as long as clicks wait unsettled by default when it
//! comes; one that has settled before the conviction does gets a further revision.
//! Only rules that look at the request itself and its bursts convict: never a carry-over, so it cannot spread.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::evidence::Views;
use super::{Click, ClickType};

/// How long after a conviction its source is held for the same machine, milliseconds (Paminga: fifteen minutes on the
/// same address or agent).
pub const FORWARD_MS: i64 = 900_000;

/// How long before a conviction: the clicks that are unsettled when it comes, milliseconds.
pub const BACK_MS: i64 = 60_000;

/// What a conviction of the same address and agent is worth as evidence.
const SAME_SOURCE: i32 = 13;

/// What one of the same network and agent is worth.
const SAME_ORIGIN: i32 = 10;

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

/// The convictions of a message, by place (a source or an origin) and time: a multiset, so that one can be taken back.
#[derive(Clone, Debug, Default)]
pub struct Convictions {
    /// (place, moment) → how many. A moment is the time with the type in its lowest bits: of two at one time the later type
    /// counts as the later. (Pairs and numbers of 64 bits: such a tree is in the wasm already.)
    counts: BTreeMap<(u64, u64), i64>,
    /// How many there were when old ones were let go of last.
    kept: usize,
    /// The only places that are looked at, ascending; `None`: all are.
    only: Option<Vec<u64>>,
}

/// All that may reach a click: one's own convictions, and others'.
#[derive(Clone, Copy)]
pub struct Convicting<'a> {
    /// One's own, each from a moment on, Unix milliseconds.
    pub own: &'a [(&'a Convictions, i64)],
    /// What others show.
    pub others: &'a Views,
}

/// The bits of a moment that hold the type.
const KIND_BITS: u32 = 4;

/// The last type of a time.
const LAST: u64 = (1 << KIND_BITS) - 1;

const _: () = assert!(ClickType::COUNT <= 1 << KIND_BITS, "a type fits its bits");

/// A time with a type in the lowest bits. Times before 1970 count as 1970.
const fn moment(ts_ms: i64, kind: u64) -> u64 {
    let ts_ms = if ts_ms < 0 { 0 } else { ts_ms.cast_unsigned() };
    ts_ms << KIND_BITS | kind
}

/// Where a conviction of a click stands: under its source and its origin, where it has one.
pub fn places(click: &Click) -> impl Iterator<Item = u64> {
    click.signals.own_source().map(|source| [source.exact, source.origin]).into_iter().flatten()
}

/// The time and the type of a moment.
fn read_moment(moment: u64) -> Option<(i64, ClickType)> {
    let kind = ClickType::CLICKS.into_iter().find(|known| *known as u64 == moment & LAST)?;
    Some(((moment >> KIND_BITS).cast_signed(), kind))
}

impl PartialEq for Convictions {
    fn eq(&self, other: &Self) -> bool {
        self.counts == other.counts
    }
}

impl Eq for Convictions {}

impl Convictions {
    /// Those of some places, ascending: what is added elsewhere is left out.
    #[must_use]
    pub fn at(places: Vec<u64>) -> Self {
        Self { only: Some(places), ..Self::default() }
    }

    /// Adds one of a place, a source or an origin.
    pub fn add_at(&mut self, place: u64, ts_ms: i64, kind: ClickType) {
        if self.only.as_ref().is_some_and(|only| only.binary_search(&place).is_err()) {
            return;
        }
        *self.counts.entry((place, moment(ts_ms, kind as u64))).or_default() += 1;
    }

    /// Takes one of a place back.
    pub fn remove_at(&mut self, place: u64, ts_ms: i64, kind: ClickType) {
        if let Entry::Occupied(mut count) = self.counts.entry((place, moment(ts_ms, kind as u64))) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    /// Hands over each place with one of a type at a moment, Unix milliseconds, in order.
    pub fn each(&self, each: &mut dyn FnMut(u64, i64, ClickType)) {
        for (place, found) in self.counts.keys() {
            if let Some((ts_ms, kind)) = read_moment(*found) {
                each(*place, ts_ms, kind);
            }
        }
    }

    /// Adds the conviction of a click.
    pub fn add(&mut self, click: &Click, kind: ClickType) {
        for place in places(click) {
            self.add_at(place, click.ts_ms, kind);
        }
    }

    /// Takes a conviction back.
    pub fn remove(&mut self, click: &Click, kind: ClickType) {
        for place in places(click) {
            self.remove_at(place, click.ts_ms, kind);
        }
    }

    /// Adds all of another's from a moment on, Unix milliseconds.
    pub fn extend_from(&mut self, others: &Self, ts_ms: i64) {
        let from = moment(ts_ms, 0);
        for (place, count) in others.counts.iter().filter(|((_, at), _)| *at >= from) {
            *self.counts.entry(*place).or_default() += count;
        }
    }

    /// Lets go of convictions before a moment, Unix milliseconds, once they have become half as many again: each is gone
    /// through a few times and not every some seconds.
    pub fn forget_before(&mut self, ts_ms: i64) {
        if self.counts.len() > self.kept + self.kept / 2 {
            let old = self.counts.keys().copied().filter(|(_, at)| *at < moment(ts_ms, 0));
            for place in old.collect::<Vec<_>>() {
                self.counts.remove(&place);
            }
            self.kept = self.counts.len();
        }
    }

    /// Those from a moment on, Unix milliseconds.
    #[must_use]
    pub fn all_from(&self, ts_ms: i64) -> Self {
        let mut all = Self::default();
        all.extend_from(self, ts_ms);
        all
    }

    /// The conviction that reaches a click where there are no others.
    #[must_use]
    pub fn reaching(&self, click: &Click) -> Option<Carried> {
        Convicting { own: &[(self, i64::MIN)], others: &Views::default() }.reaching(click)
    }
}

impl Convicting<'_> {
    /// The conviction that reaches a click: its source's before its origin's, the last one before the click before the
    /// first one after it.
    #[must_use]
    pub fn reaching(&self, click: &Click) -> Option<Carried> {
        let source = click.signals.own_source()?;
        self.near(source.exact, click.ts_ms, true).or_else(|| self.near(source.origin, click.ts_ms, false))
    }

    fn near(&self, place: u64, ts_ms: i64, same_source: bool) -> Option<Carried> {
        let (from_ms, until_ms) = (ts_ms.saturating_sub(FORWARD_MS), ts_ms.saturating_add(BACK_MS));
        let (here, until) = (moment(ts_ms, LAST), moment(until_ms, LAST));
        let (mut before, mut after): (Option<u64>, Option<u64>) = (None, None);
        let mut see = |found: u64| {
            if found <= here {
                before = before.max(Some(found));
            } else if after.is_none_or(|after| found < after) {
                after = Some(found);
            }
        };
        for (own, own_from_ms) in self.own {
            let from = moment(from_ms.max(*own_from_ms), 0);
            let between =
                |from, until| own.counts.range((place, from)..=(place, until)).map(|((_, found), _)| *found);
            let last = if from <= here { between(from, here).next_back() } else { None };
            let first = || if from <= until { between(from.max(here), until).next() } else { None };
            if let Some(found) = last.or_else(first) {
                see(found);
            }
        }
        self.others.convicted(place, (from_ms, until_ms), &mut |ms, kind| see(moment(ms, kind as u64)));
        let (ts_ms, click_type) = read_moment(before.or(after)?)?;
        Some(Carried { click_type, ts_ms, same_source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Delivery, Record};
    use crate::verdict::evidence::{CONVICTION, Word, block_of, in_order, word};

    /// 2026-11-22, noon: times count from here.
    const NOON_MS: i64 = 1_795_348_800_000;
    const HOME: &str = "203.0.113.9";
    const NEIGHBOUR: &str = "203.0.113.200";

    fn click(ip: &str, ts_ms: i64) -> Click {
        let record = Record { ip: Some(ip.to_owned()), ts_ms: NOON_MS + ts_ms, ..Record::default() };
        Click::of(&record, Delivery::default())
    }

    fn of(convictions: &[(&str, i64, ClickType)]) -> Convictions {
        let mut all = Convictions::default();
        for (ip, ts_ms, kind) in convictions {
            all.add(&click(ip, *ts_ms), *kind);
        }
        all
    }

    #[test]
    fn a_conviction_reaches_fifteen_minutes_on_and_one_back() {
        let all = of(&[(HOME, 0, ClickType::ScannerSweep)]);
        for (ts_ms, reached) in
            [(0, true), (900_000, true), (900_001, false), (-60_000, true), (-60_001, false)]
        {
            let carried = all.reaching(&click(HOME, ts_ms));
            assert_eq!(carried.is_some(), reached, "{ts_ms}");
        }
    }

    #[test]
    fn the_source_goes_before_the_origin_and_the_past_before_the_future() {
        let (sweep, fanout) = (ClickType::ScannerSweep, ClickType::ScannerFanout);
        let reached = |convictions: &[(&str, i64, ClickType)]| {
            let carried = of(convictions).reaching(&click(HOME, 100_000))?;
            Some((carried.click_type, carried.ts_ms - NOON_MS, carried.same_source, carried.points()))
        };
        assert_eq!(reached(&[(HOME, 1, sweep), (NEIGHBOUR, 99_999, fanout)]), Some((sweep, 1, true, 13)));
        assert_eq!(reached(&[(NEIGHBOUR, 99_999, fanout)]), Some((fanout, 99_999, false, 10)));
        assert_eq!(reached(&[(HOME, 1, sweep), (HOME, 100_001, fanout)]), Some((sweep, 1, true, 13)), "past");
        assert_eq!(
            reached(&[(HOME, 1, sweep), (HOME, 2, fanout)]),
            Some((fanout, 2, true, 13)),
            "the latest"
        );
        assert_eq!(
            reached(&[(HOME, 100_002, sweep), (HOME, 100_001, fanout)]),
            Some((fanout, 100_001, true, 13)),
            "the next"
        );
        assert_eq!(reached(&[(HOME, 160_001, sweep)]), None);
        assert_eq!(reached(&[("203.0.114.9", 100_000, sweep)]), None, "another network");
    }

    /// The same as others show it.
    fn shown(convictions: &[(&str, i64, ClickType)]) -> Views {
        let mut blocks: BTreeMap<u32, Vec<Word>> = BTreeMap::new();
        for (ip, ts_ms, kind) in convictions {
            let click = click(ip, *ts_ms);
            for place in places(&click) {
                let word = word(CONVICTION, place, click.ts_ms, *kind as u64);
                blocks.entry(block_of(click.ts_ms)).or_default().push(word);
            }
        }
        let mut views = Views::default();
        for (block, words) in blocks {
            views.set(block, in_order(&words).into());
        }
        views
    }

    #[test]
    fn whose_convictions_they_are_makes_no_difference() {
        let (sweep, fanout) = (ClickType::ScannerSweep, ClickType::ScannerFanout);
        let all = [
            (HOME, 0, sweep),
            (HOME, 14_999, fanout),
            (NEIGHBOUR, 15_000, sweep),
            (HOME, 15_000, fanout),
            (NEIGHBOUR, 400_000, fanout),
            (HOME, 1_200_000, sweep),
            ("198.51.100.7", 0, sweep),
        ];
        let mut reached = 0;
        for split in 0..1 << all.len() {
            let is_own = move |at: &usize| split & 1 << at != 0;
            let some = |own: bool| (0..all.len()).filter(move |at| is_own(at) == own).map(|at| all[at]);
            let own = of(&some(true).collect::<Vec<_>>());
            let others = shown(&some(false).collect::<Vec<_>>());
            let both = Convicting { own: &[(&own, i64::MIN)], others: &others };
            for ts_ms in
                [-60_001, -60_000, 0, 14_998, 15_000, 339_999, 900_000, 914_999, 1_140_000, 2_100_001]
            {
                for ip in [HOME, NEIGHBOUR] {
                    let click = click(ip, ts_ms);
                    assert_eq!(both.reaching(&click), of(&all).reaching(&click), "{split:b}, {ip}, {ts_ms}");
                    reached += usize::from(both.reaching(&click).is_some());
                }
            }
        }
        assert_eq!(reached, 16 * 128);
    }

    #[test]
    fn ones_own_count_from_a_moment_on_and_at_some_places() {
        let own = of(&[(HOME, 100, ClickType::ScannerSweep)]);
        let from = |ms: i64| {
            let own = [(&own, NOON_MS + ms)];
            Convicting { own: &own, others: &Views::default() }.reaching(&click(HOME, 200)).is_some()
        };
        assert_eq!([100, 101, 201, 60_201].map(from), [true, false, false, false]);
        let mut some = Convictions::at(places(&click(HOME, 0)).collect());
        some.add(&click("198.51.100.7", 0), ClickType::ScannerSweep);
        assert_eq!(some.counts.len(), 0);
        some.add(&click(HOME, 0), ClickType::ScannerSweep);
        assert!(some.reaching(&click(HOME, 0)).is_some());
    }

    #[test]
    fn an_agent_belongs_to_the_source() {
        let all = of(&[(HOME, 0, ClickType::ScannerSweep)]);
        let agent = Some("curl/8.5.0".to_owned());
        let other =
            Record { user_agent: agent, ip: Some(HOME.to_owned()), ts_ms: NOON_MS, ..Record::default() };
        assert_eq!(all.reaching(&Click::of(&other, Delivery::default())), None);
    }

    #[test]
    fn what_everybody_shares_is_no_source() {
        for shared in ["104.28.28.1", "8.25.203.10", "junk"] {
            let all = of(&[(shared, 0, ClickType::ScannerSweep)]);
            assert_eq!(all, Convictions::default(), "{shared}");
            assert_eq!(
                of(&[(HOME, 0, ClickType::ScannerSweep)]).reaching(&click(shared, 0)),
                None,
                "{shared}"
            );
        }
    }

    #[test]
    fn ipv6_goes_by_the_64_and_the_48() {
        let all = of(&[("2001:db8:1:1::7", 0, ClickType::ScannerSweep)]);
        let same_source = |ip: &str| all.reaching(&click(ip, 0)).map(|carried| carried.same_source);
        assert_eq!(same_source("2001:db8:1:1:ffff::1"), Some(true));
        assert_eq!(same_source("2001:db8:1:2::7"), Some(false));
        assert_eq!(same_source("2001:db8:2:1::7"), None);
        let all = of(&[("::ffff:203.0.113.9", 0, ClickType::ScannerSweep)]);
        assert_eq!(all.reaching(&click(HOME, 0)).map(|carried| carried.same_source), Some(true), "mapped");
    }

    #[test]
    fn what_was_added_twice_is_taken_back_twice() {
        let once = of(&[(HOME, 0, ClickType::ScannerSweep)]);
        let mut all = once.clone();
        all.extend_from(&once, i64::MIN);
        assert_ne!(all, once);
        let mut take = |ts_ms: i64, kind: ClickType| {
            all.remove(&click(HOME, ts_ms), kind);
            all.clone()
        };
        assert_eq!(take(0, ClickType::ScannerSweep), once);
        assert_eq!(take(0, ClickType::ScannerFanout), once, "what was never added is not taken");
        assert_eq!(take(1, ClickType::ScannerSweep), once);
        assert_eq!(take(0, ClickType::ScannerSweep), Convictions::default());
    }

    #[test]
    fn what_is_past_is_forgotten() {
        let mut all = of(&[(HOME, 99, ClickType::ScannerSweep), (HOME, 100, ClickType::ScannerFanout)]);
        all.forget_before(NOON_MS + 100);
        assert_eq!(all, of(&[(HOME, 100, ClickType::ScannerFanout)]));
    }
}
