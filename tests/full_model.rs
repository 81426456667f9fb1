//! Ruleset `full` against the naive model, dense around every bound: sweeps, fan-outs, convictions and whom they reach; and
//! what a verdict may depend on.

mod common;

use std::rc::Rc;

use clickproof::record::Delivery;
use clickproof::record::Record;
use clickproof::verdict::reach::{Dependency, TABLE};
use clickproof::verdict::{Click, ClickType, Finding, Judgement, Look, Ruleset, Thresholds, judge};
use common::hits::{
    FILTER, HETZNER, HOME, Hit, RELAY, SAFE_LINKS, WIDE, chrome, nobody, order, pretender, program,
};
use common::naive_full;
use proptest::prelude::*;

/// The clicks of a history in their order, with their records.
fn sorted(history: &[Record]) -> (Vec<&Record>, Vec<Rc<Click>>) {
    let records: Vec<&Record> = order(history).into_iter().map(|at| &history[at]).collect();
    let clicks = records.iter().map(|record| Rc::new(Click::of(record, Delivery::default()))).collect();
    (records, clicks)
}

/// Low counts, so that small histories reach the table's bursts too.
fn low() -> Thresholds {
    Thresholds { sandbox_clicks: 3, campaign_recipients: 3, ..Thresholds::default() }
}

/// Addresses whose sources and origins meet: two homes of one network, one of them in IPv6's clothes, a /64 and its /48,
/// what is shared, what cannot be read.
const ADDRESSES: [Option<&str>; 9] = [
    Some(HOME),
    Some(HOME),
    Some("203.0.113.200"),
    Some("::ffff:203.0.113.9"),
    Some("2001:db8:1:1::7"),
    Some("2001:db8:1:1:ffff::9"),
    Some("2001:db8:1:2::7"),
    Some(RELAY),
    Some("junk"),
];

/// When clicks come: near the edges of every shape and reach, counted from two minutes after the send.
#[derive(Clone, Copy)]
enum Pace {
    /// Inside some seconds.
    Fast,
    /// Inside some minutes.
    Slow,
    /// Inside half an hour.
    Long,
}

fn time(pace: Pace) -> impl Strategy<Value = i64> {
    let bases = match pace {
        Pace::Fast => vec![0, 250, 500, 750, 1_000, 1_500, 2_000, 10_000, 10_500, 11_000],
        Pace::Slow => vec![0, 500, 1_000, 5_000, 10_000, 11_000, 20_000, 60_000, 61_000, 70_000, 120_000],
        Pace::Long => {
            vec![0, 500, 1_000, 10_000, 60_000, 60_500, 61_000, 900_000, 901_000, 960_000, 1_800_000]
        }
    };
    (prop::sample::select(bases), prop_oneof![3 => Just(0_i64), 2 => -1_i64..=1, 1 => -400_i64..400])
        .prop_map(|(base, jitter)| 120_000 + base + jitter)
}

/// A click of some recipient's copy: of so many links as the recipient's number says.
fn click(pace: Pace, recipients: usize, visitor: impl Strategy<Value = Hit>) -> impl Strategy<Value = Hit> {
    let links_total = [None, Some(2), Some(3), Some(5), Some(1), Some(9)];
    (time(pace), 0..recipients, 0..9_usize, prop::sample::select(&ADDRESSES[..]), visitor).prop_map(
        move |(ms, recipient, link, ip, hit)| {
            hit.at(ms).by(&format!("r{recipient}")).on(&format!("l{link}")).with(|record| {
                record.ip = record.asn.map_or(ip, |_| record.ip.as_deref()).map(str::to_owned);
                record.links_total = links_total[recipient % links_total.len()];
            })
        },
    )
}

/// Ids in any order: of two clicks at one time either may come first.
fn with_ids(hits: impl Strategy<Value = Vec<Hit>>) -> impl Strategy<Value = Vec<Record>> {
    hits.prop_flat_map(|hits| {
        let ids: Vec<usize> = (0..hits.len()).collect();
        (Just(hits), Just(ids).prop_shuffle())
    })
    .prop_map(|(hits, ids)| {
        let hits = hits.into_iter().zip(ids);
        hits.map(|(Hit(record), id)| Record { event_id: format!("e{id:04}"), ..record }).collect()
    })
}

fn bursts(pace: Pace, recipients: usize) -> impl Strategy<Value = Vec<Record>> {
    let visitor = prop_oneof![Just(pretender()), Just(chrome(158))];
    with_ids(prop::collection::vec(click(pace, recipients, visitor), 1..60))
}

/// What else there is: Microsoft's networks, Safe Links, hosting, programs, cookies.
fn anything(pace: Pace) -> impl Strategy<Value = Vec<Record>> {
    // Where an AS number stands the address stays.
    let placed = |hit: Hit, ip: &str| hit.from(ip).asn(64_500);
    let visitor = prop_oneof![
        3 => Just(pretender()),
        3 => Just(chrome(158)),
        2 => Just(placed(chrome(151), WIDE)),
        2 => Just(placed(pretender(), FILTER)),
        1 => Just(placed(chrome(158).returning(), WIDE)),
        1 => Just(chrome(158).referer(SAFE_LINKS)),
        1 => Just(program("ms-office").referer(SAFE_LINKS)),
        1 => Just(pretender().asn(HETZNER)),
        1 => Just(chrome(158).returning()),
        1 => Just(nobody()),
        1 => Just(chrome(158).method("HEAD")),
    ];
    (
        with_ids(prop::collection::vec(click(pace, 6, visitor), 1..50)),
        prop::sample::select(vec![0, 70_000, -3_000_000]),
    )
        .prop_map(|(mut history, sent)| {
            // Early, as the sandbox is, or an hour late.
            for record in &mut history {
                record.sent_at_ms += sent;
            }
            history
        })
}

fn points(history: &[Record], look: Look) -> Vec<(i32, i32)> {
    let thresholds = Thresholds::default();
    let (_, clicks) = sorted(history);
    let judgement = Judgement::of(&clicks, Ruleset::Full, &thresholds, look);
    let case = |at| judgement.case(at);
    (0..clicks.len()).map(|at| (case(at).around.sweep.points, case(at).around.fanout.points)).collect()
}

fn bursts_agree(history: &[Record]) -> Result<(), TestCaseError> {
    let (records, _) = sorted(history);
    for (look, back) in [(Look::Whole, false), (Look::Back, true)] {
        for (x, found) in records.iter().zip(points(history, look)) {
            let expected =
                (naive_full::sweep_points(x, history, back), naive_full::fanout_points(x, history, back));
            prop_assert_eq!(found, expected, "sweep and fan-out, {:?}: {:?}", look, x);
        }
    }
    Ok(())
}

/// What each click shows by itself, and the verdicts.
fn convictions_agree(history: &[Record], thresholds: &Thresholds) -> Result<(), TestCaseError> {
    let (records, clicks) = sorted(history);
    let judgement = Judgement::of(&clicks, Ruleset::Full, thresholds, Look::Whole);
    let alone: Vec<Finding> = (0..clicks.len()).map(|at| judgement.base(at)).collect();
    let convicted = records.iter().zip(&alone).filter(|(_, finding)| naive_full::convicts(finding));
    let convictions: Vec<(&Record, ClickType)> =
        convicted.map(|(record, finding)| (*record, finding.click_type.unwrap())).collect();
    for (at, found) in judge(&clicks, Ruleset::Full, thresholds, Look::Whole).into_iter().enumerate() {
        let reached = naive_full::reaching(records[at], &convictions).filter(|_| alone[at].rule == "human");
        let Some(carried) = reached else {
            prop_assert_eq!(&found, &alone[at], "{:?}", records[at]);
            continue;
        };
        // Thirteen points for the same address, ten for its network, and the votes: from ten on it is the source's.
        let case = judgement.case(at);
        let points = if carried.same_source { 13 } else { 10 } + case.votes().sum();
        let is_carried = points >= 10 && !case.has_proof();
        let is_foreign = carried.click_type.is_defender_bot() && !clicks[at].signals.is_microsoft();
        let kind = if is_foreign { ClickType::ScannerGateway } else { carried.click_type };
        let expected = if is_carried { ("carry_over", kind) } else { ("human", ClickType::Human) };
        prop_assert_eq!((found.rule.as_ref(), found.click_type.unwrap()), expected, "{:?}", records[at]);
        prop_assert!(found.reasons.iter().any(|reason| reason == "+convicted_source"));
    }
    Ok(())
}

/// Whether y is among what the verdict of x may depend on, as the table of dependencies says.
fn matters(x: &Click, y: &Click, thresholds: &Thresholds) -> bool {
    let inside = |row: &Dependency| {
        let apart = y.ts_ms - x.ts_ms;
        // A chain goes on from neighbour to neighbour.
        row.chains || -(row.before_ms)(thresholds) <= apart && apart <= (row.after_ms)(thresholds)
    };
    x.event_id == y.event_id
        || TABLE.iter().filter(|row| row.rulesets.contains(&Ruleset::Full)).any(|row| {
            let is_shared = row.by.key(x).is_some() && row.by.key(x) == row.by.key(y);
            is_shared && (row.looks)(x, thresholds) && (row.is_seen)(y, thresholds) && inside(row)
        })
}

fn a_slice_is_enough(history: &[Record], thresholds: &Thresholds) -> Result<(), TestCaseError> {
    let (_, clicks) = sorted(history);
    let whole = Judgement::of(&clicks, Ruleset::Full, thresholds, Look::Whole);
    for (at, x) in clicks.iter().enumerate() {
        let slice: Vec<Rc<Click>> = clicks.iter().filter(|y| matters(x, y, thresholds)).cloned().collect();
        let there = slice.iter().position(|y| y.event_id == x.event_id).unwrap();
        let part = Judgement::of(&slice, Ruleset::Full, thresholds, Look::Whole);
        prop_assert_eq!(part.base(there), whole.base(at), "{:?}", x);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn sweeps_of_seconds_are_the_models(history in bursts(Pace::Fast, 2)) {
        bursts_agree(&history)?;
    }

    #[test]
    fn slow_sweeps_are_the_models(history in bursts(Pace::Slow, 3)) {
        bursts_agree(&history)?;
    }

    #[test]
    fn fan_outs_are_the_models(history in bursts(Pace::Slow, 40)) {
        bursts_agree(&history)?;
    }

    #[test]
    fn at_one_time_no_order_matters(history in bursts(Pace::Fast, 4)) {
        let mut renamed = history.clone();
        for record in &mut renamed {
            // The last is the first.
            record.event_id = format!("e{:04}", 9_999 - record.event_id[1..].parse::<i32>().unwrap());
        }
        let by_place = |history: &[Record]| -> Vec<(i32, i32)> {
            let mut all = vec![(0, 0); history.len()];
            for (at, points) in order(history).into_iter().zip(points(history, Look::Whole)) {
                all[at] = points;
            }
            all
        };
        prop_assert_eq!(by_place(&history), by_place(&renamed));
    }

    #[test]
    fn convictions_reach_as_the_model_says(history in anything(Pace::Long)) {
        convictions_agree(&history, &low())?;
        convictions_agree(&history, &Thresholds::default())?;
    }

    #[test]
    fn near_convictions_reach_as_the_model_says(history in anything(Pace::Slow)) {
        convictions_agree(&history, &low())?;
    }

    #[test]
    fn a_slice_that_holds_what_matters_is_enough(history in anything(Pace::Slow)) {
        a_slice_is_enough(&history, &low())?;
        a_slice_is_enough(&history, &Thresholds { campaign_ms: 500, ..low() })?;
    }

    #[test]
    fn so_is_one_of_seconds(history in anything(Pace::Fast)) {
        a_slice_is_enough(&history, &low())?;
    }
}
