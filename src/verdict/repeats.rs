//! Repetition: one link of one copy requested again and again by one source, faster or longer than a person does.
//!
//! A reload, a double click and a person who comes back some times a day make a handful of requests. Ten in ten seconds,
//! fifteen in half an hour, or eight at one beat are a program's: gophish #1061 saw one address ask four thousand times in half an
//! hour, every 439 ms. Who forwards a mail to a whole company has one copy clicked by many; they are many sources.

use std::rc::Rc;

use super::Click;
use super::order::arrange;

/// How long repetition is looked for, milliseconds.
pub const REACH_MS: i64 = 1_800_000;

/// So many requests within so many milliseconds.
const SHAPES: [(i64, usize); 2] = [(10_000, 10), (REACH_MS, 15)];

/// So many requests one after the other whose gaps are alike are a beat.
const BEATS: usize = 8;

/// Gaps are alike where the longest is at most this much longer than the shortest: a tenth of it, or the jitter of a network,
/// milliseconds.
const JITTER_MS: i64 = 40;

/// No fewer requests are repetition.
pub const FEWEST: usize = BEATS;

/// So many requests by one source one after the other, within [`REACH_MS`], are repetition, whatever else it asks for between them
/// or beside them. No shape asks for more: of the others on either side of a request the nearest so many say all.
pub const SURE: usize = 15;

const _: () = {
    let mut at = 0;
    while at < SHAPES.len() {
        assert!(SHAPES[at].1 <= SURE && BEATS <= SURE, "a shape asks for more requests than are looked at");
        at += 1;
    }
    assert!(SHAPES[1].0 == REACH_MS && SHAPES[1].1 == SURE, "the longest shape is what is sure");
};

/// Whose request it is: its source, or the agent where that is everybody's.
#[must_use]
pub fn source(click: &Click) -> u64 {
    click.signals.source.map_or(click.signals.browser, |source| source.group)
}

/// Calls `mark` for each place of `group` that is part of a repetition. The group is the clicks on one link of one copy by
/// time; looking back, only what came before a click counts.
pub(super) fn find(clicks: &[Rc<Click>], group: &[usize], back: bool, mark: &mut dyn FnMut(usize)) {
    if group.len() < FEWEST {
        return;
    }
    let by = |at: usize| source(&clicks[at]);
    let mut group = group.to_vec();
    arrange(&mut group, &|at| (by(at).into(), 0));
    for theirs in group.chunk_by(|&a, &b| by(a) == by(b)) {
        for (within_ms, count) in SHAPES {
            runs(theirs, count, back, mark, &|run| span_ms(clicks, run) <= within_ms);
        }
        runs(theirs, BEATS, back, mark, &|run| span_ms(clicks, run) <= REACH_MS && is_steady(clicks, run));
    }
}

/// Marks each run of so many that passes; looking back, its last one.
fn runs(
    group: &[usize],
    count: usize,
    back: bool,
    mark: &mut dyn FnMut(usize),
    passes: &dyn Fn(&[usize]) -> bool,
) {
    let mut marked = 0;
    for (start, run) in group.windows(count).enumerate() {
        if passes(run) {
            let end = start + count;
            let from = if back { end - 1 } else { marked.max(start) };
            group[from..end].iter().for_each(|at| mark(*at));
            marked = end;
        }
    }
}

fn span_ms(clicks: &[Rc<Click>], run: &[usize]) -> i64 {
    match (run.first(), run.last()) {
        (Some(first), Some(last)) => clicks[*last].ts_ms.saturating_sub(clicks[*first].ts_ms),
        _ => 0,
    }
}

fn is_steady(clicks: &[Rc<Click>], run: &[usize]) -> bool {
    let gaps = || run.windows(2).map(|pair| span_ms(clicks, pair));
    let (shortest, longest) = (gaps().min().unwrap_or_default(), gaps().max().unwrap_or_default());
    longest - shortest <= (shortest / 10).max(JITTER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Delivery, Record};

    const HOME: &str = "203.0.113.9";

    /// Which of the requests at these times, from one address where none is told, are repetition.
    fn found(times: &[i64], back: bool, ip: impl Fn(usize) -> &'static str) -> Vec<bool> {
        let click = |(n, ts_ms): (usize, &i64)| {
            let ip = Some(ip(n).to_owned());
            let event_id = format!("e{n:04}");
            let record = Record { ts_ms: *ts_ms, ip, event_id, ..Record::default() };
            Rc::new(Click::of(&record, Delivery::default()))
        };
        let clicks: Vec<Rc<Click>> = times.iter().enumerate().map(click).collect();
        let group: Vec<usize> = (0..clicks.len()).collect();
        let mut marked = vec![false; clicks.len()];
        find(&clicks, &group, back, &mut |at| marked[at] = true);
        marked
    }

    fn all(times: &[i64]) -> Option<bool> {
        let marked = found(times, false, |_| HOME);
        marked.iter().all(|is| *is == marked[0]).then_some(marked[0])
    }

    /// So many requests with gaps that are no beat.
    fn uneven(count: i64, span_ms: i64) -> Vec<i64> {
        (0..count)
            .map(|n| n * span_ms / (count - 1) + if n % 2 == 1 { span_ms / count / 3 } else { 0 })
            .collect()
    }

    #[test]
    fn a_handful_is_a_persons() {
        for times in
            [&[0, 180][..], &[0, 5_000, 11_000, 600_000, 1_500_000], &[0, 200, 400, 600, 800, 1_000, 1_200]]
        {
            assert_eq!(all(times), Some(false), "{times:?}");
        }
    }

    #[test]
    fn ten_in_ten_seconds_and_fifteen_in_half_an_hour_are_a_programs() {
        for (count, span_ms) in [(11, 10_000), (15, 1_800_000)] {
            assert_eq!(all(&uneven(count, span_ms)), Some(true), "{count}");
        }
        assert_eq!(all(&uneven(9, 10_000)), Some(false));
        assert_eq!(all(&uneven(15, 1_860_000)), Some(false));
        assert_eq!(all(&uneven(14, 1_800_000)), Some(false));
    }

    #[test]
    fn eight_at_one_beat_are_a_programs() {
        let beat = |count: i64, gap_ms: i64| (0..count).map(|n| n * gap_ms).collect::<Vec<_>>();
        for gap_ms in [439, 30_000, 257_000] {
            assert_eq!(all(&beat(8, gap_ms)), Some(true), "{gap_ms}");
            assert_eq!(all(&beat(7, gap_ms)), Some(false), "{gap_ms}");
        }
        assert_eq!(all(&beat(8, 258_000)), Some(false), "longer than half an hour");
        // A tenth of jitter is a beat still, a fifth is a hand.
        let jittered = |parts: i64| -> Vec<i64> {
            (0..8).map(|n| n * 30_000 + if n % 2 == 1 { 30_000 / parts } else { 0 }).collect()
        };
        assert_eq!(all(&jittered(25)), Some(true));
        assert_eq!(all(&jittered(10)), Some(false));
    }

    #[test]
    fn many_sources_on_one_copy_are_a_mailing_list() {
        let times = uneven(30, 60_000);
        let office = ["203.0.113.9", "198.51.100.7", "192.0.2.4"];
        assert_eq!(all(&times), Some(true));
        assert!(found(&times, false, |n| office[n % 3]).iter().all(|is| !is));
    }

    #[test]
    fn looking_back_the_first_ones_do_not_know_yet() {
        let marked = found(&uneven(20, 10_000), true, |_| HOME);
        assert_eq!(marked.iter().position(|is| *is), Some(9));
        assert!(marked[9..].iter().all(|is| *is));
    }
}
