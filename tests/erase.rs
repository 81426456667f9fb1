//! What is erased is nowhere: neither in rows nor in what has left; and everybody else's clicks are where they were, judged and
//! shipped.

#![allow(clippy::cast_possible_wrap, reason = "the tests' numbers are small")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use clickproof::message::{Acted, Gone, Message};
use clickproof::record::{Delivery, EventId, EventIds, Kind, Record, Sighting, Verified};
use clickproof::verdict::{Click, Judging, Key, Look, Ruleset, Thresholds, judge};
use common::bucket::Bucket;
use common::sqlite::Sqlite;
use common::world::World;
use common::{NOON_MS, record};
use proptest::prelude::*;
use serde_json::{Value, json};

/// No two begin alike, and none is hexadecimal: so each stands in rows as it is.
const PEOPLE: [&str; 8] =
    ["quokka.1", "walrus.2", "ibex.3", "zebu.4", "okapi.5", "newt.6", "lynx.7", "tapir.8"];

fn judging(settle_ms: i64) -> Judging {
    let thresholds = Thresholds { sandbox_clicks: 3, campaign_recipients: 3, ..Thresholds::default() };
    Judging { ruleset: Ruleset::Full, shadow: Some(Ruleset::Defender), thresholds, settle_ms }
}

fn world(settle_ms: i64) -> World {
    World::new(judging(settle_ms))
}

/// A click, whose address tells of the recipient, too.
fn click(n: u32, recipient: &str, link: &str, ts_ms: i64) -> Record {
    let mut random = [0; 12];
    random[..4].copy_from_slice(&n.to_be_bytes());
    let id = EventIds::default().next(ts_ms, random);
    Record {
        url: Some(format!("https://brand.example/{link}?to={recipient}")),
        ip: Some(if n.is_multiple_of(3) { "40.92.1.1" } else { "203.0.113.9" }.to_owned()),
        user_agent: Some("Mozilla/5.0".to_owned()),
        ..record(&id.to_string(), recipient, link, ts_ms)
    }
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// Whether nothing is left of a recipient: neither the id nor what rows find it by.
fn is_nowhere(world: &World, bucket: &Bucket, recipient: &str) -> Result<(), TestCaseError> {
    let bytes = world.rows.bytes();
    prop_assert!(!has(&bytes, recipient.as_bytes()), "{} is in the rows", recipient);
    let short = Key::of(recipient).short().to_be_bytes();
    prop_assert!(!has(&bytes, &short), "what finds {} is in the rows", recipient);
    prop_assert!(!bucket.says(recipient), "{} is in the bucket", recipient);
    Ok(())
}

/// What the bucket says of clicks is what the API lists, and all of that is final.
fn is_shipped(world: &mut World, bucket: &Bucket) -> Result<(), TestCaseError> {
    let listed: BTreeMap<String, Value> = world
        .listed()
        .into_iter()
        .map(|line| (line["event_id"].as_str().unwrap().to_owned(), line))
        .collect();
    let kinds = ["click", "open", "unsubscribe"];
    let shipped: BTreeMap<String, Value> = kinds.iter().flat_map(|kind| bucket.events(kind)).collect();
    prop_assert_eq!(shipped.keys().collect::<Vec<_>>(), listed.keys().collect::<Vec<_>>());
    for (id, line) in &listed {
        prop_assert_eq!(&line["final"], true);
        for name in ["revision", "click_type", "rule", "recipient_id", "verified", "url"] {
            prop_assert_eq!(&shipped[id][name], &line[name], "{} of {}", name, line);
        }
    }
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    Clicks(Vec<(usize, usize, i64)>),
    Open(usize),
    Alarm,
    Crash,
    Delivered(usize, i64),
    Shown(usize),
    Erase(usize),
    Reship,
}

fn step() -> impl Strategy<Value = Step> {
    let person = 0..PEOPLE.len();
    prop_oneof![
        6 => proptest::collection::vec((person.clone(), 0..3_usize, 0..20_000_i64), 1..6).prop_map(Step::Clicks),
        1 => person.clone().prop_map(Step::Open),
        6 => Just(Step::Alarm),
        2 => Just(Step::Crash),
        1 => (person.clone(), -5_000..50_000_i64).prop_map(|(person, ms)| Step::Delivered(person, ms)),
        1 => any::<usize>().prop_map(Step::Shown),
        3 => person.prop_map(Step::Erase),
        1 => Just(Step::Reship),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn at_whatever_time_somebody_is_erased_all_else_stands(
        steps in proptest::collection::vec(step(), 1..60),
        settle_ms in prop_oneof![Just(0_i64), Just(2_000), Just(30_000)],
    ) {
        let (mut world, mut bucket) = (world(settle_ms), Bucket::default());
        let (mut now_ms, mut n) = (NOON_MS, 0);
        let (mut gone, mut erasures): (BTreeSet<usize>, usize) = Default::default();
        let mut ids: Vec<EventId> = Vec::new();
        for step in steps {
            now_ms += 700;
            match step {
                Step::Clicks(clicks) => {
                    let clicks = clicks.into_iter().map(|(person, link, ago_ms)| {
                        n += 1;
                        gone.remove(&person);
                        click(n, PEOPLE[person], &format!("l{link}"), now_ms - ago_ms)
                    });
                    let clicks: Vec<Record> = clicks.collect();
                    ids.extend(clicks.iter().filter_map(|click| EventId::parse(&click.event_id)));
                    world.arrive(clicks);
                }
                Step::Open(person) => {
                    n += 1;
                    gone.remove(&person);
                    world.ingest(&Record { kind: Kind::Open, ..click(n, PEOPLE[person], "o", now_ms) });
                }
                Step::Alarm => {
                    now_ms += 5_000;
                    bucket.alarm(&mut world, now_ms);
                }
                Step::Crash => world.crash(),
                Step::Delivered(person, ms) => {
                    gone.remove(&person);
                    world.deliver(&[(Key::of(PEOPLE[person]), NOON_MS + ms)]);
                }
                Step::Shown(at) if !ids.is_empty() => {
                    let id = ids[at % ids.len()];
                    let event_id = EventIds::default().next(now_ms, [7; 12]);
                    let sighting = Sighting { event_id, verified: Verified::Interacted, since_load_ms: None };
                    world.verify(id, &sighting);
                }
                Step::Reship => _ = world.call(Message::reship).unwrap(),
                Step::Erase(person) => {
                    let theirs = |line: &Value| line["recipient_id"] == PEOPLE[person];
                    let finals = |lines: Vec<Value>| {
                        let stays = |line: &Value| line["final"] == true && !theirs(line);
                        lines.into_iter().filter(stays).collect::<Vec<_>>()
                    };
                    let all = world.listed();
                    let records = all.iter().filter(|line| theirs(line)).count();
                    let before = finals(all);
                    let erasure = world.erase(PEOPLE[person], now_ms);
                    prop_assert_eq!((erasure.records, erasure.unreadable), (records, 0));
                    prop_assert_eq!(finals(world.listed()), before, "what was found of others stands");
                    prop_assert!(!world.listed().iter().any(theirs));
                    gone.insert(person);
                    erasures += 1;
                }
                Step::Shown(_) => {}
            }
            world.check();
        }
        bucket.run_until(&mut world, i64::MAX);
        is_shipped(&mut world, &bucket)?;
        for person in gone {
            is_nowhere(&world, &bucket, PEOPLE[person])?;
        }
        prop_assert_eq!(bucket.events("erased").len(), erasures);
    }

    /// Who is erased before anything has settled leaves a history that is judged as if they had never clicked.
    #[test]
    fn what_settles_later_is_judged_by_what_is_left(
        clicks in proptest::collection::vec((0..PEOPLE.len(), 0..3_usize, 0..90_000_i64), 1..40),
        person in 0..PEOPLE.len(),
    ) {
        let (mut world, mut bucket) = (world(60_000), Bucket::default());
        let records = |(n, (person, link, ms)): (usize, (usize, usize, i64))| {
            click(u32::try_from(n).unwrap(), PEOPLE[person], &format!("l{link}"), NOON_MS + ms)
        };
        let records: Vec<Record> = clicks.into_iter().enumerate().map(records).collect();
        world.arrive(records.clone());
        world.erase(PEOPLE[person], NOON_MS + 1);
        bucket.run_until(&mut world, i64::MAX);
        is_shipped(&mut world, &bucket)?;
        let mut left: Vec<Rc<Click>> = records
            .iter()
            .filter(|record| record.recipient_id != PEOPLE[person])
            .map(|record| Rc::new(Click::of(record, Delivery::default())))
            .collect();
        left.sort_by_key(|click| click.ts_ms);
        let listed = world.listed();
        prop_assert_eq!(listed.len(), left.len());
        let ids: BTreeMap<&str, &Value> =
            listed.iter().map(|line| (line["event_id"].as_str().unwrap(), line)).collect();
        let findings = judge(&left, Ruleset::Full, &world.judging.thresholds, Look::Whole);
        let kept = records.iter().filter(|record| record.recipient_id != PEOPLE[person]);
        let mut kept: Vec<&Record> = kept.collect();
        kept.sort_by_key(|record| record.ts_ms);
        for (record, finding) in kept.iter().zip(findings) {
            let finding = serde_json::to_value(finding).unwrap();
            prop_assert_eq!(&ids[record.event_id.as_str()]["rule"], &finding["rule"], "{}", record.event_id);
        }
    }
}

/// A message with many clicks of everybody, settled and shipped.
fn shipped(count: u32) -> (World, Bucket) {
    let (mut world, mut bucket) = (world(0), Bucket::default());
    for n in 0..count {
        world.ingest(&click(n, PEOPLE[n as usize % PEOPLE.len()], "l", NOON_MS + i64::from(n) * 100));
    }
    bucket.run_until(&mut world, i64::MAX);
    (world, bucket)
}

#[test]
fn a_pack_that_an_erasure_has_emptied_is_not_a_lost_one() {
    let (mut world, mut bucket) = (world(0), Bucket::default());
    for (n, who) in (0..).zip(["quokka.1", "ibex.3", "quokka.1"]) {
        let ts_ms = NOON_MS + i64::from(n) * 600_000;
        world.ingest(&click(n, who, "l", ts_ms));
        bucket.run_until(&mut world, ts_ms + 300_000);
    }
    world.erase("quokka.1", NOON_MS + 3_600_000);
    world.crash();
    assert_eq!(world.message().take_notes(), Vec::<String>::new());
    assert_eq!((world.message().unsettled(), world.message().report("m").unwrap().clicks), (0, 1));
    world.check();
}

#[test]
fn an_object_that_loses_all_its_lines_stays_and_is_empty() {
    let (mut world, mut bucket) = (world(0), Bucket::default());
    world.ingest(&click(1, "quokka.1", "l", NOON_MS));
    bucket.run_until(&mut world, i64::MAX);
    let keys: Vec<String> = bucket.objects.keys().cloned().collect();
    assert!(bucket.says("quokka.1"));
    world.erase("quokka.1", NOON_MS + 1);
    bucket.run_until(&mut world, i64::MAX);
    assert_eq!(keys.iter().map(|key| bucket.objects[key].as_str()).collect::<Vec<_>>(), [""]);
    assert_eq!(bucket.events("erased").len(), 1);
    // To ship all of it again brings nothing back.
    assert_eq!(world.call(Message::reship).unwrap(), 0);
    bucket.run_until(&mut world, i64::MAX);
    is_nowhere(&world, &bucket, "quokka.1").unwrap();
    assert_eq!(world.message().report("m").unwrap().clicks, 0);
}

/// What a version before schema 4 would have left of an object.
const AS_SCHEMA_3: &str = "
    ALTER TABLE packs DROP COLUMN parts;
    ALTER TABLE message DROP COLUMN began_ms;
    ALTER TABLE message DROP COLUMN kept_from_ms;
    UPDATE message SET schema = 3";

#[test]
fn of_a_pack_of_several_objects_none_keeps_a_line() {
    for (older, whole) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut world, mut bucket) = (world(0), Bucket::default());
        // Addresses of their own and so long that few go into one message.
        let clicks = (0..200_u32).map(|n| Record {
            url: Some(format!("https://brand.example/{}", format!("{n}-").repeat(900))),
            ..click(
                n,
                if n < 190 { "quokka.1" } else { "walrus.2" },
                &format!("l{n}"),
                NOON_MS + i64::from(n),
            )
        });
        world.arrive(clicks.collect());
        bucket.run_until(&mut world, i64::MAX);
        let before = bucket.objects.len();
        assert!(before > 2, "{before} objects");
        if older {
            world.rows.change(AS_SCHEMA_3);
            world.crash();
        }
        let recipient = Some("quokka.1").filter(|_| !whole);
        world.call(|message| message.erase(recipient, NOON_MS + 1)).unwrap();
        bucket.run_until(&mut world, i64::MAX);
        assert_eq!(bucket.objects.len(), before + 1, "and the event");
        is_nowhere(&world, &bucket, "quokka.1").unwrap();
        assert_eq!(bucket.events("click").len(), if whole { 0 } else { 10 });
        is_shipped(&mut world, &bucket).unwrap();
    }
}

#[test]
fn what_the_queue_is_taking_meanwhile_leaves_once_more() {
    let mut world = world(0);
    let mut bucket = Bucket::default();
    world.ingest(&click(1, "quokka.1", "l", NOON_MS));
    world.settle(NOON_MS + 10_000);
    // The alarm has taken the pack out and waits for the queue.
    let next = world.call(|message| message.next(NOON_MS + 10_000)).unwrap().unwrap();
    world.erase("quokka.1", NOON_MS + 10_000);
    let clickproof::message::Outcome::Send(letters) = next.outcome else { panic!() };
    for letter in &letters {
        bucket.take(letter);
    }
    assert!(bucket.says("quokka.1"));
    world.call(|message| message.sent(next.item)).unwrap();
    bucket.run_until(&mut world, i64::MAX);
    is_nowhere(&world, &bucket, "quokka.1").unwrap();
}

#[test]
fn a_second_erasure_leaves_nothing_of_the_first_ones_letters() {
    let (mut world, mut bucket) = shipped(40);
    world.erase("quokka.1", NOON_MS + 1);
    // The queue takes nothing in between.
    world.erase("walrus.2", NOON_MS + 2);
    for letter in world.letters() {
        let mut one = Bucket::default();
        one.take(&letter);
        assert!(!one.says("walrus.2") && !one.says("quokka.1"), "{letter:?}");
        bucket.take(&letter);
    }
    bucket.run_until(&mut world, i64::MAX);
    is_shipped(&mut world, &bucket).unwrap();
    for recipient in ["quokka.1", "walrus.2"] {
        is_nowhere(&world, &bucket, recipient).unwrap();
    }
}

#[test]
fn a_report_counts_what_is_left_even_where_it_was_added_up() {
    // Enough packs for sums of sums.
    let (mut world, mut bucket) = (world(0), Bucket::default());
    for n in 0..300_u32 {
        let at_ms = NOON_MS + i64::from(n) * 10_000;
        world.ingest(&click(n, PEOPLE[n as usize % PEOPLE.len()], "l", at_ms));
        bucket.alarm(&mut world, at_ms + 9_000);
    }
    bucket.run_until(&mut world, i64::MAX);
    assert!(world.rows.rows_of("sums") > 0);
    world.erase("quokka.1", NOON_MS);
    world.check();
    let report = world.message().report("m").unwrap();
    assert_eq!((report.clicks, report.recipients), (300 - 38, 7));
    world.check();
    bucket.run_until(&mut world, i64::MAX);
    is_nowhere(&world, &bucket, "quokka.1").unwrap();
}

#[test]
fn an_unsubscription_that_was_not_told_is_told_first() {
    let (mut world, mut bucket) = (world(60_000), Bucket::default());
    world.message().set_receiver().unwrap();
    let press =
        Record { kind: Kind::Unsubscribe, method: "POST".to_owned(), ..click(1, "quokka.1", "u", NOON_MS) };
    assert_eq!(world.call(|message| message.act(press)).unwrap(), Acted::Stands);
    world.erase("quokka.1", NOON_MS + 1);
    for letter in world.letters() {
        bucket.take(&letter);
    }
    assert_eq!(bucket.acts.len(), 1);
    assert!(bucket.acts[0].contains("quokka.1"), "the sender must know who");
    is_nowhere(&world, &bucket, "quokka.1").unwrap();
}

#[test]
fn the_same_again_finds_nothing_and_tells_it_again() {
    let (mut world, mut bucket) = shipped(16);
    let first = world.erase("quokka.1", NOON_MS + 1);
    let again = world.erase("quokka.1", NOON_MS + 2);
    assert_eq!((first.records, again.records), (2, 0));
    assert_eq!(world.erase("nobody", NOON_MS + 3).records, 0);
    bucket.run_until(&mut world, i64::MAX);
    let told = bucket.events("erased");
    assert_eq!(told.len(), 3, "whoever has copies may not have heard");
    for event in told.values() {
        assert_eq!((&event["message_id"], &event["revision"]), (&json!("m"), &json!(1)));
        assert_eq!(event["recipient_digest"].as_str().unwrap().len(), 64);
    }
    is_shipped(&mut world, &bucket).unwrap();
}

#[test]
fn a_crash_in_an_erasure_leaves_all_or_nothing() {
    for writes in 0..40 {
        let (mut world, mut bucket) = shipped(40);
        let before = world.listed();
        world.rows.set_fuse(Some(writes));
        let failed = world.call(|message| message.erase(Some("quokka.1"), NOON_MS + 1)).is_err();
        world.rows.set_fuse(None);
        if failed {
            assert_eq!(world.listed(), before, "{writes}");
            assert_eq!(world.rows.rows_of("letters"), 0);
            world.erase("quokka.1", NOON_MS + 1);
        }
        bucket.run_until(&mut world, i64::MAX);
        is_nowhere(&world, &bucket, "quokka.1").unwrap();
        is_shipped(&mut world, &bucket).unwrap();
    }
}

#[test]
fn of_a_message_that_is_forgotten_nothing_is_kept_once_all_has_left() {
    let (mut world, mut bucket) = shipped(9);
    world.call(|message| message.erase(None, NOON_MS + 300_000)).unwrap();
    bucket.run_until(&mut world, i64::MAX);
    let gone = |message: &mut Message<Sqlite>| message.let_go(1_000, NOON_MS + 300_000);
    assert_eq!(world.call(gone).unwrap(), Gone::All);
}

#[test]
fn one_of_several_objects_that_is_forgotten_knows_of_the_others() {
    let mut world = World { shards: 4, ..world(0) };
    world.ingest(&click(1, "quokka.1", "l", NOON_MS));
    world.call(|message| message.erase(None, NOON_MS + 1)).unwrap();
    // Another one has not answered, and this one dies before whoever asked asks again.
    world.shards = 1;
    world.crash();
    assert_eq!(world.message().shards(), 4);
}

#[test]
fn a_message_that_is_forgotten_is_nowhere_and_begins_anew() {
    let (mut world, mut bucket) = shipped(64);
    let keys: BTreeSet<String> = bucket.objects.keys().cloned().collect();
    world.deliver(&[(Key::of("ibex.3"), NOON_MS + 5)]);
    world.call(|message| message.tell(r#"{"title":"Spring"}"#)).unwrap();
    // Some have not settled, some have not left.
    world.ingest(&click(900, "quokka.1", "l", NOON_MS + 60_000));
    world.settle(NOON_MS + 200_000);
    world.ingest(&click(901, "walrus.2", "l", NOON_MS + 250_000));
    world.call(|message| message.erase(None, NOON_MS + 300_000)).unwrap();
    assert!(!world.message().report("m").unwrap().known);
    let gone = |message: &mut Message<Sqlite>| message.let_go(1_000, NOON_MS + 300_000);
    assert_eq!(world.call(gone).unwrap(), Gone::Nothing, "what must leave has not");
    // A click that comes before the letters have left is a new message's.
    world.ingest(&click(902, "tapir.8", "l", NOON_MS + 300_001));
    let objects = bucket.objects.len();
    bucket.run_until(&mut world, i64::MAX);
    for key in &keys {
        assert!(!bucket.objects[key].contains("quokka"), "{key}");
    }
    assert!(bucket.objects.len() > objects, "the new click and the event");
    for person in PEOPLE.iter().filter(|person| **person != "tapir.8") {
        is_nowhere(&world, &bucket, person).unwrap();
    }
    is_shipped(&mut world, &bucket).unwrap();
    assert_eq!(world.listed().len(), 1);
    let told: Vec<Value> = bucket.events("erased").into_values().collect();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["message_id"], &told[0]["recipient_digest"]), (&json!("m"), &Value::Null));
}
