//! What it costs to bring records along in no order of time, counted and not timed: a record costs what is around it in
//! time, however many there are already.

#![allow(clippy::cast_precision_loss, reason = "the tests' numbers are small")]

mod common;

use std::collections::BTreeMap;
use std::rc::Rc;

use clickproof::record::{Delivery, EventIds, Record};
use clickproof::verdict::{Click, Finding, Judging, Look, Ruleset, Thresholds, judge};
use common::world::World;
use common::{NOON_MS, record};

/// The days over which the clicks lie.
const SPAN_MS: i64 = 9 * 86_400_000;

/// Records of one call, about a megabyte.
const CALL: usize = 1_500;

fn judging() -> Judging {
    Judging {
        ruleset: Ruleset::Full,
        shadow: Some(Ruleset::Defender),
        thresholds: Thresholds::default(),
        settle_ms: 0,
    }
}

/// Clicks at random moments of a span, nine of ten from one address.
fn shuffled(count: usize, span_ms: i64) -> Vec<Record> {
    let mut random = fastrand::Rng::with_seed(7);
    let click = |n: usize| {
        let ts_ms = NOON_MS + random.i64(0..span_ms);
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&n.to_be_bytes());
        let id = EventIds::default().next(ts_ms, bytes).to_string();
        let mut click =
            record(&id, &format!("r{}", random.usize(0..count / 2)), &format!("l{}", n % 4), ts_ms);
        let mine = format!("100.{}.{}.{}", random.u8(64..128), random.u8(..), random.u8(..));
        click.ip = Some(if n.is_multiple_of(10) { mine } else { "203.0.113.9".to_owned() });
        click.user_agent = Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36".to_owned());
        click
    };
    (0..count).map(click).collect()
}

/// Brings records along, call after call, a second apart, with the alarms between them, until all is settled; before some calls
/// the object dies.
fn bring(records: &[Record], dies: fn(usize) -> bool) -> World {
    let mut world = World::new(judging());
    let mut now_ms = NOON_MS + SPAN_MS + 3_600_000;
    for (at, call) in records.chunks(CALL).enumerate() {
        if dies(at) {
            world.crash();
            world.check();
        }
        world.replay(call.to_vec());
        now_ms += 1_000;
        if world.message().wake_ms(now_ms).is_some_and(|wake_ms| wake_ms <= now_ms) {
            world.settle(now_ms);
            world.ship(now_ms);
        }
    }
    while let Some(wake_ms) = world.message().wake_ms(now_ms) {
        now_ms = now_ms.max(wake_ms);
        world.settle(now_ms);
        world.ship(now_ms);
    }
    assert_eq!(world.message().unsettled(), 0);
    world
}

/// That the verdicts that stand are those of the whole history, of both rulesets.
fn check_verdicts(world: &World, records: &[Record]) {
    let click = |record: &Record| Rc::new(Click::of(record, Delivery::default()));
    let mut clicks: Vec<Rc<Click>> = records.iter().map(click).collect();
    clicks.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut stand: BTreeMap<String, (Finding, Finding)> = BTreeMap::new();
    for entry in world.rows.packs().iter().flat_map(|pack| pack.open().unwrap().entries) {
        let shadow = entry.verdict.shadow.unwrap().finding;
        stand.insert(entry.event_id, (entry.verdict.finding, shadow));
    }
    assert_eq!(stand.len(), clicks.len());
    let judged = |ruleset| judge(&clicks, ruleset, &world.judging.thresholds, Look::Whole);
    let expected = judged(Ruleset::Full).into_iter().zip(judged(Ruleset::Defender));
    for (click, expected) in clicks.iter().zip(expected) {
        assert_eq!(stand[&*click.event_id], expected, "{}", click.event_id);
    }
}

/// Statements that were run and rows that they found, for each record.
fn read_per_record(count: usize) -> f64 {
    let records = shuffled(count, SPAN_MS);
    let world = bring(&records, |_| false);
    check_verdicts(&world, &records);
    let ran = world.rows.ran("");
    println!("{count}: {:?}, {ran:?}", world.work);
    (ran.times + ran.rows) as f64 / count as f64
}

/// Each alarm would read most of the message otherwise, for a few clicks of each hour.
#[test]
fn a_record_costs_the_same_however_many_there_are() {
    let (few, many) = (read_per_record(10_000), read_per_record(100_000));
    assert!(many < 10.0 && many < 3.0 * few, "{few:.1} of ten thousand, {many:.1} of a hundred thousand");
}

/// What waits for others, and the sweep that is under way, are found again after a restart.
#[test]
fn nothing_is_lost_when_the_object_dies_in_between() {
    let records = shuffled(24_000, 2 * 86_400_000);
    let world = bring(&records, |call| call % 3 == 1);
    check_verdicts(&world, &records);
}

/// A message has no more in memory than what waits and what lies around it: late clicks do not keep others there.
#[test]
fn what_has_settled_is_let_go_of_while_more_is_brought() {
    let records = shuffled(30_000, SPAN_MS);
    let mut world = World::new(judging());
    let mut now_ms = NOON_MS + SPAN_MS + 3_600_000;
    for call in records.chunks(CALL) {
        world.replay(call.to_vec());
        now_ms += 1_000;
        world.settle(now_ms);
        world.ship(now_ms);
        let (held, unsettled) = (world.message().in_memory(), world.message().unsettled());
        assert_eq!(held, unsettled, "nothing has settled lately");
    }
}
