//! A message goes so long after its last click, and one that never ends forgets what is older; what is left is whole.

#![allow(clippy::cast_possible_wrap, reason = "the tests' numbers are small")]

mod common;

use std::rc::Rc;

use clickproof::message::{Gone, Message};
use clickproof::record::{Delivery, EventId, EventIds, Record, Sighting, Verified};
use clickproof::verdict::{Click, Judging, Key, Look, Ruleset, Thresholds, judge};
use common::bucket::Bucket;
use common::sqlite::Sqlite;
use common::world::World;
use common::{NOON_MS, record};
use proptest::prelude::*;
use serde_json::Value;

const DAY_MS: i64 = 86_400_000;
const KEPT_MS: i64 = 90 * DAY_MS;

fn judging() -> Judging {
    Judging {
        ruleset: Ruleset::Full,
        shadow: Some(Ruleset::Defender),
        thresholds: Thresholds::default(),
        settle_ms: 2_000,
    }
}

fn click(n: u32, recipient: &str, ts_ms: i64) -> Record {
    let mut random = [0; 12];
    random[..4].copy_from_slice(&n.to_be_bytes());
    let id = EventIds::default().next(ts_ms, random);
    record(&id.to_string(), recipient, &format!("l{}", n % 3), ts_ms)
}

/// A message that began when the first mail was sent.
fn begun() -> World {
    let mut world = World::new(judging());
    let rows = world.rows.clone();
    let begin = || Message::begin(rows.clone(), judging(), "m", NOON_MS);
    world.message = Some(rows.transaction(begin).unwrap());
    world
}

impl World {
    fn known_from_ms(&mut self) -> Option<i64> {
        self.message().known_from_ms(KEPT_MS).unwrap()
    }

    fn is_over(&mut self, now_ms: i64) -> bool {
        self.call(|message| message.let_go(KEPT_MS, now_ms)).unwrap() == Gone::All
    }

    fn drops(&mut self, now_ms: i64) -> bool {
        self.call(|message| message.let_go(KEPT_MS, now_ms)).unwrap() == Gone::Some
    }
}

#[test]
fn a_message_is_over_so_long_after_its_last_click_and_not_before() {
    let (mut world, mut bucket) = (begun(), Bucket::default());
    let last_ms = NOON_MS + 3_600_000;
    world.ingest(&click(1, "a", NOON_MS + 1));
    world.ingest(&click(2, "b", last_ms));
    bucket.run_until(&mut world, last_ms + 60_000);
    let end_ms = last_ms + KEPT_MS;
    assert_eq!(world.message().goes_ms(KEPT_MS, last_ms + 60_000).unwrap(), end_ms);
    assert!(!world.is_over(end_ms - 1));
    assert!(world.is_over(end_ms));
    // A click in the last moment: it is not over, and not before that has settled and left.
    world.ingest(&click(3, "c", end_ms - 1));
    assert!(!world.is_over(end_ms));
    assert!(!world.is_over(end_ms + 2 * KEPT_MS), "what has not left stays");
    bucket.run_until(&mut world, end_ms + 60_000);
    assert!(world.is_over(end_ms - 1 + KEPT_MS));
    assert_eq!(bucket.events("click").len(), 3);
}

#[test]
fn what_only_was_told_of_is_kept_as_long() {
    let mut world = begun();
    world.call(|message| message.tell(r#"{"title":"Spring"}"#)).unwrap();
    assert_eq!(world.message().goes_ms(KEPT_MS, NOON_MS).unwrap(), NOON_MS + KEPT_MS);
    assert!(!world.is_over(NOON_MS + KEPT_MS - 1));
    assert!(world.is_over(NOON_MS + KEPT_MS));
}

#[test]
fn what_an_earlier_version_was_told_of_stays_until_it_has_a_click() {
    let mut world = World::new(judging());
    world.call(|message| message.tell(r#"{"title":"Spring"}"#)).unwrap();
    assert!(!world.is_over(NOON_MS + 10 * KEPT_MS));
    assert!(world.message().goes_ms(KEPT_MS, NOON_MS).unwrap() > NOON_MS + 10 * KEPT_MS);
}

#[test]
fn clicks_that_somebody_brings_along_are_kept_from_then_on() {
    let (mut world, mut bucket) = (begun(), Bucket::default());
    world.replay(vec![click(1, "a", NOON_MS - 5 * KEPT_MS)]);
    bucket.run_until(&mut world, NOON_MS);
    assert!(!world.is_over(NOON_MS + KEPT_MS - 1));
    assert!(!world.drops(NOON_MS + KEPT_MS - 1));
}

#[test]
fn an_object_that_is_overdue_is_not_woken_again_at_once() {
    let world = begun();
    let now_ms = NOON_MS + 10 * KEPT_MS;
    assert!(world.message.unwrap().goes_ms(KEPT_MS, now_ms).unwrap() > now_ms + 3_600_000);
}

#[test]
fn a_message_that_begins_long_after_its_mail_says_from_when_on_it_knows() {
    let (mut world, late_ms) = (begun(), NOON_MS + KEPT_MS + 1);
    world.ingest(&click(1, "a", late_ms));
    assert_eq!(world.known_from_ms(), Some(late_ms));
    let mut world = begun();
    world.ingest(&click(1, "a", late_ms - 1));
    world.ingest(&click(2, "b", late_ms + DAY_MS));
    assert_eq!(world.known_from_ms(), None);
}

#[test]
fn a_stream_keeps_what_is_young_enough() {
    let (mut world, mut bucket) = (begun(), Bucket::default());
    let mut now_ms = NOON_MS;
    let mut n = 0;
    let mut dropped = 0;
    // A click every two hours for half a year.
    while now_ms < NOON_MS + 2 * KEPT_MS {
        n += 1;
        world.ingest(&click(n, &format!("r{}", n % 40), now_ms));
        bucket.alarm(&mut world, now_ms + 60_000);
        dropped += u32::from(world.drops(now_ms + 60_000));
        now_ms += 7_200_000;
    }
    assert!((12..=13).contains(&dropped), "once a week: {dropped} times");
    assert_eq!(world.rows.weeks_of("batches").len(), 14, "thirteen weeks are closed, and one is open");
    world.check();
    world.crash();
    assert_eq!(world.message().take_notes(), Vec::<String>::new(), "what is too old is not lost");
    let rows = ["batches", "packs"].map(|table| world.rows.rows_of(table));
    assert!(rows.iter().all(|count| *count <= 98 * 12 + 1), "{rows:?}");
    let listed = world.listed();
    assert!((90 * 12..=98 * 12).contains(&listed.len()), "{}", listed.len());
    let report = world.message().report("m").unwrap();
    assert_eq!((report.clicks, report.recipients), (listed.len() as i64, 40));
    let from_ms = world.known_from_ms().unwrap();
    assert!(report.first_ms.unwrap() >= from_ms && from_ms > now_ms - KEPT_MS - 8 * DAY_MS);
    // What is left leaves again, and nothing else is asked for.
    assert_eq!(world.call(Message::reship).unwrap(), listed.len());
    let mut again = Bucket::default();
    for minute in 0..60 {
        again.alarm(&mut world, now_ms + minute * 60_000);
    }
    assert_eq!(again.events("click").len(), listed.len());
    assert_eq!(bucket.events("click").len(), n as usize, "the bucket has a rule of its own");
    world.check();
}

#[derive(Clone, Debug)]
enum Step {
    /// Who, and how many hours ago; some are older than what is kept.
    Click(usize, i64),
    Delivered(usize, i64),
    /// The page of one of the latest clicks, counted from the last one back.
    Seen(usize),
    Wait(i64),
    Alarm,
    Crash,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// What is left says the same of itself as the same clicks alone do: every one is there, judged, counted, and nothing older.
    #[test]
    fn whatever_is_dropped_the_rest_is_whole(
        steps in proptest::collection::vec(prop_oneof![
            6 => (0..5_usize, prop_oneof![8 => 0..3_i64, 1 => 0..200 * 24_i64]).prop_map(|(who, ago)| Step::Click(who, ago)),
            1 => (0..5_usize, 0..200 * 24_i64).prop_map(|(who, ago)| Step::Delivered(who, ago)),
            2 => (0..8_usize).prop_map(Step::Seen),
            4 => (1..20 * 24_i64).prop_map(Step::Wait),
            6 => Just(Step::Alarm),
            2 => Just(Step::Crash),
        ], 1..80),
    ) {
        let (mut world, mut bucket) = (begun(), Bucket::default());
        let (mut now_ms, mut n) = (NOON_MS, 0);
        let mut records: Vec<Record> = Vec::new();
        for step in steps {
            now_ms += 60_000;
            match step {
                Step::Click(who, hours) => {
                    n += 1;
                    let record = click(n, &format!("r{who}"), now_ms - hours * 3_600_000);
                    records.push(record.clone());
                    world.ingest(&record);
                }
                Step::Delivered(who, hours) => {
                    world.deliver(&[(Key::of(&format!("r{who}")), now_ms - hours * 3_600_000)]);
                }
                Step::Seen(back) => {
                    if let Some(record) = records.iter_mut().rev().nth(back) {
                        let event_id = EventId::parse(&record.event_id).unwrap();
                        record.verified = record.verified.max(Verified::Rendered);
                        let verified = Verified::Rendered;
                        world.verify(event_id, &Sighting { event_id, verified, since_load_ms: None });
                    }
                }
                Step::Wait(hours) => now_ms += hours * 3_600_000,
                Step::Crash => world.crash(),
                Step::Alarm => {
                    bucket.alarm(&mut world, now_ms);
                    if world.drops(now_ms) {
                        let end_ms = world.known_from_ms().unwrap();
                        prop_assert!(end_ms <= now_ms - KEPT_MS, "{}", end_ms);
                        records.retain(|record| record.ts_ms >= end_ms);
                    }
                }
            }
            world.check();
            prop_assert_eq!(world.message().report("m").unwrap().clicks, records.len() as i64);
        }
        for minute in 0..200 {
            bucket.alarm(&mut world, now_ms + minute * 60_000);
        }
        let listed = world.listed();
        prop_assert!(listed.iter().all(|line| line["final"] == true));
        let mut ids: Vec<&str> = records.iter().map(|record| record.event_id.as_str()).collect();
        ids.sort_unstable();
        let verified = |id: &str| records.iter().find(|record| record.event_id == id).unwrap().verified;
        let told = |line: &Value| line["verified"] == verified(line["event_id"].as_str().unwrap()).name();
        prop_assert!(listed.iter().all(told), "{:?}", listed);
        let found: Vec<&str> = listed.iter().map(|line| line["event_id"].as_str().unwrap()).collect();
        prop_assert_eq!(found, ids);
        let shipped = bucket.events("click");
        prop_assert!(listed.iter().all(|line| shipped[line["event_id"].as_str().unwrap()]["revision"] == line["revision"]));
    }
}

/// Every click is far from any other: so each is judged alike with and without those that are gone.
#[test]
fn a_verdict_stands_when_what_was_before_it_goes() {
    let (mut world, mut bucket) = (begun(), Bucket::default());
    for n in 0..20_u32 {
        let at_ms = NOON_MS + i64::from(n) * 5 * DAY_MS;
        world.ingest(&click(n, &format!("r{n}"), at_ms));
        bucket.alarm(&mut world, at_ms + 60_000);
        assert!(!world.drops(at_ms + 60_000) || n > 18);
    }
    let before = world.listed();
    assert!(world.drops(NOON_MS + KEPT_MS + 44 * DAY_MS));
    let from_ms = world.known_from_ms().unwrap();
    let left: Vec<Value> =
        before.into_iter().filter(|line| line["ts_ms"].as_i64() >= Some(from_ms)).collect();
    assert_eq!((world.listed().len(), world.listed()), (11, left.clone()));
    let history: Vec<Record> = left.iter().map(|line| Record::parse(&line.to_string()).unwrap()).collect();
    let click = |record: &Record| Rc::new(Click::of(record, Delivery::default()));
    let clicks: Vec<Rc<Click>> = history.iter().map(click).collect();
    let findings = judge(&clicks, Ruleset::Full, &judging().thresholds, Look::Whole);
    for (line, finding) in left.iter().zip(findings) {
        assert_eq!(line["rule"], serde_json::to_value(finding).unwrap()["rule"]);
    }
}

/// Packs are rows written once more when they go; clicks and what their pages showed go by whole tables, and a week is closed for a
/// few rows.
#[test]
fn what_it_costs_to_drop() {
    let (mut world, mut bucket) = (begun(), Bucket::default());
    let records: Vec<Record> =
        (0..1_000).map(|n| click(n, &format!("r{n}"), NOON_MS + i64::from(n) * 100)).collect();
    world.arrive(records.clone());
    for record in records.iter().take(500) {
        let event_id = EventId::parse(&record.event_id).unwrap();
        let sighting = Sighting { event_id, verified: Verified::Rendered, since_load_ms: None };
        world.verify(event_id, &sighting);
    }
    bucket.run_until(&mut world, NOON_MS + 600_000);
    let week_ms = NOON_MS + 7 * DAY_MS;
    let before = world.rows.written();
    assert!(!world.drops(week_ms));
    assert!(world.rows.written() - before <= 12, "{}", world.rows.written() - before);
    world.ingest(&click(5_000, "late", NOON_MS + KEPT_MS));
    bucket.run_until(&mut world, NOON_MS + KEPT_MS + 600_000);
    assert_eq!(world.rows.rows_of("verifications"), 500);
    let (packs, before) = (world.rows.rows_of("packs"), world.rows.written());
    assert!(world.drops(week_ms + KEPT_MS + DAY_MS));
    let written = world.rows.written() - before;
    assert!(written <= packs + 16, "{written} for {packs} packs");
    let left = ["batches", "packs", "verifications"].map(|table| world.rows.rows_of(table));
    assert_eq!(left, [1, 1, 0]);
}

#[test]
fn rows_of_an_earlier_schema_are_dropped_too() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/object/schema-2.sqlite");
    let mut world = World { rows: Sqlite::copy_of(std::path::Path::new(file)), ..World::new(judging()) };
    let mut bucket = Bucket::default();
    let last_ms = world.listed().last().unwrap()["ts_ms"].as_i64().unwrap();
    bucket.run_until(&mut world, last_ms + 600_000);
    assert!(world.is_over(last_ms + KEPT_MS) && !world.is_over(last_ms + KEPT_MS - 1));
    world.ingest(&click(1, "young", last_ms + KEPT_MS + DAY_MS));
    let now_ms = last_ms + 2 * KEPT_MS;
    bucket.run_until(&mut world, now_ms);
    assert!(world.drops(now_ms));
    assert_eq!((world.rows.rows_of("clicks"), world.listed().len()), (0, 1));
    world.check();
}
