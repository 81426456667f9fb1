//! The two bursts of ruleset `full`: many links of one copy at once (a sweep), many recipients from one source at once
//! (a fan-out).
//!
//! A link that acts belongs to the sweep of its copy: what goes through a mail opens that, too.
//!
//! Each has a table of shapes: so many different ones within so many milliseconds are so many points. A click's points
//! are those of the best shape that holds it. Points are evidence, to which the click's votes are added: a person who
//! opens five tabs in ten seconds reaches what a slow sweep reaches, and only the headers tell them apart.

use std::rc::Rc;

use super::Click;

/// So many different ones within so much time are worth so many points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// First to last at most this far apart, milliseconds.
    pub within_ms: i64,
    /// At least so many different links, or recipients.
    pub count: u32,
    /// What that is worth.
    pub points: i32,
}

const fn shape(within_ms: i64, count: u32, points: i32) -> Shape {
    Shape { within_ms, count, points }
}

/// Different links of one copy, the fastest shapes first.
///
/// Sources: nine or ten links in under a second, a third of them a minute and more after the send (craft-campaign #546,
/// 836 bursts); every link within 10 s (Defender's published traces). Three within 10 s (twenty) and two within 5 s
/// (Warmbly) also meet people who open tabs: here they are worth less than a verdict, or nothing. From 16 points on a
/// burst is faster than hands, so that even a person's headers do not outweigh it.
pub const SWEEP: [Shape; 12] = [
    shape(100, 2, 10),
    shape(250, 2, 6),
    shape(300, 3, 16),
    shape(1_000, 5, 20),
    shape(1_000, 3, 12),
    shape(1_500, 4, 16),
    shape(3_000, 5, 16),
    shape(10_000, 8, 18),
    shape(10_000, 6, 13),
    shape(10_000, 5, 12),
    shape(10_000, 4, 6),
    shape(60_000, 8, 6),
];

/// What a slow shape is worth less where no headers are known: tabs are opened so, and nothing there tells hands.
const TABS: i32 = 2;

/// What it adds when every link of the copy is among them.
pub const WHOLE_COPY: i32 = 3;

/// A link that acts and another link of the copy within two seconds: nobody follows a link and unsubscribes at
/// once, or accepts and declines.
pub const ACT: Shape = shape(2_000, 2, 16);

/// The same where a button was pressed, milliseconds: somebody may think better of it.
const PRESSED_MS: i64 = 1_000;

/// A copy of at most so many links is small: all of them are no sweep by number.
const SMALL_COPY: u32 = 3;

/// All links of a small copy are looked for within this time, milliseconds.
const SMALL_COPY_MS: i64 = 10_000;

/// A shape of so many points leaves nothing to the slower ones: a person's click some seconds beside a sweep is not
/// counted together with it.
const CLAIMS: i32 = 12;

/// Shapes up to this long claim.
const FAST_MS: i64 = 3_000;

/// Different recipients from one source (the same address, the same agent), the fastest first.
///
/// An office behind one address sends some clicks a minute; the thirty a minute of the published campaign pattern, from
/// one address, is a machine. A web proxy's and a relay's addresses are no source: everybody shares them.
pub const FANOUT: [Shape; 4] =
    [shape(10_000, 30, 20), shape(10_000, 5, 8), shape(60_000, 20, 15), shape(60_000, 10, 11)];

/// Votes for a scanner add at most so much to a burst: somebody behind a proxy that strips headers opens tabs too.
pub const MAX_VOTES: i32 = 3;

/// How far from a click its sweep can be decided, milliseconds: the longest shape, and a fast one beside it.
pub const SWEEP_REACH_MS: i64 = 60_000 + FAST_MS;

/// How far from a click its fan-out can be decided, milliseconds: the longest shape.
pub const FANOUT_REACH_MS: i64 = 60_000;

/// What a click's burst came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Burst {
    /// Its points, 0 without a burst.
    pub points: i32,
    /// The best shape that holds it.
    pub shape: Option<Shape>,
    /// Whether every link of the copy was in it (sweeps only).
    pub whole_copy: bool,
}

impl Burst {
    /// What it is worth less where no headers are known.
    #[must_use]
    pub fn tabs(&self) -> i32 {
        if self.shape.is_some_and(|shape| shape.within_ms > FAST_MS) { TABS } else { 0 }
    }
}

/// Sees how many different ones of something a window holds.
struct Counter<'a> {
    /// Which one each click of the slice is.
    which: &'a [usize],
    seen: &'a mut [u32],
    distinct: u32,
}

impl Counter<'_> {
    fn enter(&mut self, at: usize) {
        let seen = &mut self.seen[self.which[at]];
        *seen += 1;
        self.distinct += u32::from(*seen == 1);
    }

    fn leave(&mut self, at: usize) {
        let seen = &mut self.seen[self.which[at]];
        *seen -= 1;
        self.distinct -= u32::from(*seen == 0);
    }
}

/// Gives the clicks of one copy (`group`: positions in `clicks`, by time) their sweep points. `link` numbers the links;
/// `seen` is all zero before and after. `back` looks only at what came before a click.
pub(super) fn sweep(
    clicks: &[Rc<Click>],
    group: &[usize],
    link: &[usize],
    seen: &mut [u32],
    back: bool,
    bursts: &mut [Burst],
) {
    let is_fast = |shape: &&Shape| shape.within_ms <= FAST_MS;
    let mut shapes = |group: &[usize], fast: bool, bursts: &mut [Burst]| {
        for shape in SWEEP.iter().filter(|shape| is_fast(shape) == fast) {
            mark(clicks, group, Counter { which: link, seen, distinct: 0 }, *shape, back, bursts, true);
        }
    };
    shapes(group, true, bursts);
    acts(clicks, group, link, back, bursts);
    let left: Vec<usize> = group.iter().copied().filter(|at| bursts[*at].points < CLAIMS).collect();
    if left.len() < group.len() {
        // A fast burst may lie in a slower one that is worth more; only those beside it are not counted with it.
        let beside: Vec<Burst> = left.iter().map(|at| bursts[*at]).collect();
        shapes(group, false, bursts);
        for (at, burst) in left.iter().zip(beside) {
            bursts[*at] = burst;
        }
    }
    shapes(&left, false, bursts);
}

/// Gives the pages of links that act, and what was followed beside them, their points.
fn acts(clicks: &[Rc<Click>], group: &[usize], link: &[usize], back: bool, bursts: &mut [Burst]) {
    let mut found = |at: usize| {
        if bursts[at].points < ACT.points {
            bursts[at] = Burst { points: ACT.points, shape: Some(ACT), whole_copy: false };
        }
    };
    for (place, &at) in group.iter().enumerate().filter(|(_, at)| clicks[**at].kind.acts()) {
        let is_near = |other: &&usize| {
            let (one, other) = (&clicks[at], &clicks[**other]);
            let is_press = one.signals.has_acted || other.signals.has_acted;
            let within_ms = if is_press { PRESSED_MS } else { ACT.within_ms };
            one.ts_ms.abs_diff(other.ts_ms) <= within_ms.unsigned_abs()
        };
        let before = group[..place].iter().rev().take_while(is_near);
        let after = group[place + 1..].iter().take_while(is_near);
        for (&other, is_after) in before.map(|at| (at, false)).chain(after.map(|at| (at, true))) {
            if link[other] != link[at] {
                // Looking back, the earlier of both has not seen the later yet.
                if !back || !is_after {
                    found(at);
                }
                if !back || is_after {
                    found(other);
                }
            }
        }
    }
}

/// Calls `mark` for the clicks of one copy (`group`, by time) that are among all the links of a small one within seconds.
pub(super) fn small_copies(
    clicks: &[Rc<Click>],
    group: &[usize],
    link: &[usize],
    seen: &mut [u32],
    back: bool,
    mark: &mut dyn FnMut(usize),
) {
    let total = |at: usize| clicks[at].links_total.filter(|total| (1..=SMALL_COPY).contains(total));
    let mut counter = Counter { which: link, seen, distinct: 0 };
    let (mut start, mut marked) = (0, 0);
    for (end, &at) in group.iter().enumerate() {
        counter.enter(at);
        while clicks[at].ts_ms.saturating_sub(clicks[group[start]].ts_ms) > SMALL_COPY_MS {
            counter.leave(group[start]);
            start += 1;
        }
        if total(at).is_some_and(|total| counter.distinct >= total) {
            let from = if back { end } else { marked.max(start) };
            group[from..=end].iter().for_each(|at| mark(*at));
            marked = end + 1;
        }
    }
    for &at in &group[start..] {
        counter.leave(at);
    }
}

/// Gives the clicks of one source their fan-out points. `person` numbers the recipients; `seen` is all zero before and
/// after.
pub(super) fn fanout(
    clicks: &[Rc<Click>],
    group: &[usize],
    person: &[usize],
    seen: &mut [u32],
    back: bool,
    bursts: &mut [Burst],
) {
    for shape in FANOUT {
        mark(clicks, group, Counter { which: person, seen, distinct: 0 }, shape, back, bursts, false);
    }
}

/// Marks the clicks that lie in some window of the shape's length with enough different ones.
fn mark(
    clicks: &[Rc<Click>],
    group: &[usize],
    mut counter: Counter,
    shape: Shape,
    back: bool,
    bursts: &mut [Burst],
    is_sweep: bool,
) {
    let (mut start, mut marked, mut marked_whole) = (0, 0, 0);
    for (end, &at) in group.iter().enumerate() {
        counter.enter(at);
        while clicks[at].ts_ms.saturating_sub(clicks[group[start]].ts_ms) > shape.within_ms {
            counter.leave(group[start]);
            start += 1;
        }
        if counter.distinct < shape.count {
            continue;
        }
        let whole_copy =
            is_sweep && clicks[at].links_total.is_some_and(|total| total > 1 && counter.distinct >= total);
        let points = shape.points + if whole_copy { WHOLE_COPY } else { 0 };
        let from = if back {
            end
        } else if whole_copy {
            marked_whole.max(start)
        } else {
            marked.max(start)
        };
        for &inside in &group[from..=end] {
            if bursts[inside].points < points {
                bursts[inside] = Burst { points, shape: Some(shape), whole_copy };
            }
        }
        marked = end + 1;
        if whole_copy {
            marked_whole = end + 1;
        }
    }
    for &at in &group[start..] {
        counter.leave(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Delivery, Record};
    use crate::verdict::{Judgement, Look, Ruleset, Thresholds};

    /// So many different ones, evenly from the first to the last.
    fn spread(count: u32, span_ms: i64, each: impl Fn(u32) -> Record) -> Vec<Rc<Click>> {
        let at = |n: u32| 100_000 + span_ms * i64::from(n) / i64::from(count - 1);
        (0..count)
            .map(|n| {
                let event_id = format!("e{n:04}");
                Rc::new(Click::of(&Record { ts_ms: at(n), event_id, ..each(n) }, Delivery::default()))
            })
            .collect()
    }

    fn bursts(clicks: &[Rc<Click>]) -> Vec<(Burst, Burst)> {
        let thresholds = Thresholds::default();
        let judgement = Judgement::of(clicks, Ruleset::Full, &thresholds, Look::Whole);
        (0..clicks.len())
            .map(|at| (judgement.case(at).around.sweep, judgement.case(at).around.fanout))
            .collect()
    }

    fn link(n: u32) -> Record {
        Record { link_id: Some(format!("l{n}")), ..Record::default() }
    }

    fn recipient(n: u32) -> Record {
        Record { recipient_id: format!("r{n}"), ip: Some("203.0.113.9".to_owned()), ..Record::default() }
    }

    #[test]
    fn each_shape_of_a_sweep_holds_up_to_its_bounds() {
        // Four evenly within a second and a half are three within a second too: those two have their own test.
        for shape in SWEEP.into_iter().filter(|shape| shape.within_ms != 1_500) {
            let within = bursts(&spread(shape.count, shape.within_ms, link));
            assert!(within.iter().all(|(sweep, _)| sweep.points == shape.points), "{shape:?}: {within:?}");
            assert!(within.iter().all(|(sweep, _)| sweep.shape == Some(shape)), "{shape:?}");
            let slower = bursts(&spread(shape.count, shape.within_ms + 1, link));
            assert!(slower.iter().any(|(sweep, _)| sweep.points < shape.points), "{shape:?}: {slower:?}");
            let same = bursts(&spread(shape.count, shape.within_ms, |_| link(0)));
            assert!(same.iter().all(|(sweep, _)| *sweep == Burst::default()), "{shape:?}: one link");
        }
    }

    #[test]
    fn two_and_two_links_within_a_second_and_a_half_are_four() {
        let points = |apart_ms: i64| -> Vec<i32> {
            let mut clicks = spread(2, 0, link);
            for n in 2..4 {
                let (event_id, ts_ms) = (format!("e{n:04}"), 100_000 + apart_ms);
                let record = Record { event_id, ts_ms, ..link(n) };
                clicks.push(Rc::new(Click::of(&record, Delivery::default())));
            }
            bursts(&clicks).iter().map(|(sweep, _)| sweep.points).collect()
        };
        assert_eq!(points(1_500), [16; 4]);
        assert_eq!(points(1_501), [10; 4], "two at once, twice");
    }

    #[test]
    fn each_shape_of_a_fan_out_holds_up_to_its_bounds() {
        for shape in FANOUT {
            let within = bursts(&spread(shape.count, shape.within_ms, recipient));
            assert!(within.iter().all(|(_, fanout)| fanout.points >= shape.points), "{shape:?}: {within:?}");
            let last = within.last().unwrap().1;
            assert_eq!((last.points, last.shape), (shape.points, Some(shape)));
            let slower = bursts(&spread(shape.count, shape.within_ms + 1, recipient));
            assert!(slower.iter().all(|(_, fanout)| fanout.points < shape.points), "{shape:?}: {slower:?}");
        }
    }

    #[test]
    fn the_whole_copy_is_worth_more_where_there_is_more_than_one_link() {
        let of = |total: i64| move |n: u32| Record { links_total: Some(total), ..link(n) };
        let points = |clicks: &[Rc<Click>]| bursts(clicks).iter().map(|(sweep, _)| sweep.points).max();
        assert_eq!(points(&spread(3, 900, of(3))), Some(12 + WHOLE_COPY));
        assert_eq!(points(&spread(3, 900, of(4))), Some(12));
        assert_eq!(points(&spread(2, 250, of(2))), Some(6 + WHOLE_COPY));
        assert_eq!(points(&spread(2, 250, of(1))), Some(6), "a copy of one link has no sweep");
        assert_eq!(points(&spread(2, 250, of(0))), Some(6));
        assert_eq!(points(&spread(2, 250, of(-1))), Some(6), "a number that cannot be");
        assert_eq!(points(&spread(2, 251, of(2))), Some(0), "no shape, no copy");
    }

    #[test]
    fn a_faster_burst_is_never_worth_less() {
        let points = |span_ms: i64, count: u32| {
            bursts(&spread(count, span_ms, link)).iter().map(|(sweep, _)| sweep.points).min().unwrap()
        };
        for count in 2..10 {
            let spans: Vec<i32> = (0..=60_000).step_by(100).map(|span_ms| points(span_ms, count)).collect();
            assert!(spans.is_sorted_by(|faster, slower| faster >= slower), "{count}: {spans:?}");
        }
    }

    #[test]
    fn a_fast_sweep_leaves_nothing_to_the_slow_ones() {
        // Three within a second, and a fourth four seconds later: four within ten seconds but for that.
        let mut clicks = spread(3, 900, link);
        let later = Record { ts_ms: 104_900, event_id: "later".to_owned(), ..link(3) };
        clicks.push(Rc::new(Click::of(&later, Delivery::default())));
        let points: Vec<i32> = bursts(&clicks).iter().map(|(sweep, _)| sweep.points).collect();
        assert_eq!(points, [12, 12, 12, 0]);
    }

    #[test]
    fn the_slowest_shape_that_claims_takes_three_seconds() {
        // Five links evenly, and three more that make eight within ten seconds.
        let points = |span_ms: i64| -> Vec<i32> {
            let mut clicks = spread(5, span_ms, link);
            for n in 5..8 {
                let (event_id, ts_ms) = (format!("e{n:04}"), 104_900 + 2_000 * i64::from(n - 5));
                let record = Record { event_id, ts_ms, ..link(n) };
                clicks.push(Rc::new(Click::of(&record, Delivery::default())));
            }
            bursts(&clicks).iter().map(|(sweep, _)| sweep.points).collect()
        };
        // The fast ones lie in the slower burst that is worth more; those beside them are counted without them.
        assert_eq!(points(FAST_MS), [18, 18, 18, 18, 18, 0, 0, 0]);
        assert_eq!(points(FAST_MS + 1), [18; 8]);
    }

    #[test]
    fn the_reach_is_the_longest_shape_and_a_fast_one_beside_it() {
        let fast = |shape: &&Shape| shape.within_ms <= FAST_MS;
        let longest = SWEEP.iter().map(|shape| shape.within_ms).max().unwrap();
        let beside = SWEEP.iter().filter(fast).map(|shape| shape.within_ms).max().unwrap();
        assert_eq!(SWEEP_REACH_MS, longest + beside);
        assert_eq!(FANOUT_REACH_MS, FANOUT.iter().map(|shape| shape.within_ms).max().unwrap());
    }
}
