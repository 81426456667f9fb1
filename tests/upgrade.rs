//! What an earlier version wrote is taken over. The fixture is an object's database as the version before wrote it in workerd,
//! with what its API said of it: settled and unsettled clicks, a pair, a sandbox, a sweep, a flood, an open, an act, amendments
//! by a delivery and by landing pages.

mod common;

use std::path::Path;

use clickproof::event::parcel::Parcel;
use clickproof::message::wanted::Filter;
use clickproof::message::{Arrival, Message, Outcome};
use clickproof::record::{EventIds, Record};
use clickproof::verdict::{Judging, Ruleset, Thresholds};
use common::sqlite::Sqlite;
use serde_json::Value;

const CLICKS: &str = include_str!("fixtures/object/schema-2.clicks.ndjson");
const REPORT: &str = include_str!("fixtures/object/schema-2.report.json");

fn database() -> Sqlite {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/object/schema-2.sqlite");
    Sqlite::copy_of(Path::new(file))
}

fn load(rows: &Sqlite) -> Message<Sqlite> {
    let (ruleset, shadow) = (Ruleset::Full, Some(Ruleset::Defender));
    let judging = Judging { ruleset, shadow, thresholds: Thresholds::default(), settle_ms: 2_000 };
    let mut message = Message::load(rows.clone(), judging, false).unwrap().unwrap();
    message.set_receiver().unwrap();
    assert_eq!(message.check().unwrap(), Ok(()));
    message
}

fn listed(message: &mut Message<Sqlite>) -> String {
    let page = message.page(None, 10_000, &Filter::default()).unwrap();
    page.lines.join("\n") + "\n"
}

#[test]
fn an_object_of_the_version_before_says_what_it_said() {
    let mut message = load(&database());
    assert_eq!(message.name(), "spring");
    let settled = |lines: &str| -> Vec<String> {
        lines.lines().filter(|line| line.contains("\"final\":true")).map(str::to_owned).collect()
    };
    // What is provisional yet is judged by the rules of today.
    assert_eq!(settled(&listed(&mut message)), settled(CLICKS));
    let report = serde_json::to_value(message.report("spring").unwrap()).unwrap();
    let before: Value = serde_json::from_str(REPORT).unwrap();
    for field in
        ["message_id", "clicks", "recipients", "is_defender_bot", "unsettled", "repeats", "human_recipients"]
    {
        assert_eq!(report[field], before[field], "{field}");
    }
}

#[test]
fn and_goes_on_where_it_was() {
    let rows = database();
    let mut message = load(&rows);
    let packs = rows.packs().len();
    let now_ms = message.wake_ms(0).unwrap();
    assert_eq!(message.settle(now_ms + 60_000).unwrap().settled, unsettled());
    assert_eq!(message.unsettled(), 0);
    // One for what settles, one for what the rules of today say otherwise of those that were looked at again.
    assert_eq!(rows.packs().len(), packs + 2);
    assert_eq!(message.check().unwrap(), Ok(()));
    let again = listed(&mut message);
    for (before, after) in CLICKS.lines().zip(again.lines()) {
        let (before, after): (Value, Value) =
            (serde_json::from_str(before).unwrap(), serde_json::from_str(after).unwrap());
        // A sweep of which no headers are known gives way to the touch of its landing page now.
        let is_touched = before["verified"] == "interacted";
        assert!(is_touched || before["click_type"] == after["click_type"], "{before} {after}");
        assert_eq!((&after["final"], after["revision"].as_u64() > Some(0)), (&true.into(), true));
        let stands = before == after || before["ruleset"] != after["ruleset"];
        assert!(before["final"] == false || stands, "what had settled stands, or a new version amends it");
    }
    // Everything leaves again under the same keys, the act's message included.
    let events = message.reship().unwrap();
    let mut lines = 0;
    while let Some(next) = message.next(now_ms + 60_000).unwrap() {
        let Outcome::Send(letters) = &next.outcome else { panic!("{next:?}") };
        for letter in letters {
            if let Parcel::Pack { lines: text, .. } = letter.open().unwrap() {
                lines += text.lines().count();
            }
        }
        message.sent(next.item).unwrap();
    }
    assert_eq!(lines, events);
}

/// Its rows stay as they are; new clicks lie beside them, and all are one list.
#[test]
fn new_clicks_stand_among_the_old_ones() {
    let rows = database();
    let mut message = load(&rows);
    let old = rows.rows_of("clicks");
    let first: Record = Record::parse(CLICKS.lines().next().unwrap()).unwrap();
    let last: Record = Record::parse(CLICKS.lines().last().unwrap()).unwrap();
    let new = |ts_ms: i64, n: u8| Record {
        event_id: EventIds::default().next(ts_ms, [n; 12]).to_string(),
        ts_ms,
        recipient_id: format!("new-{n}"),
        ..first.clone()
    };
    let clicks = vec![new(first.ts_ms - 5, 1), new(first.ts_ms + 1, 2), new(last.ts_ms + 5, 3)];
    assert_eq!(message.arrive(clicks.clone()).unwrap(), [Arrival::Stored; 3]);
    assert_eq!(message.arrive(clicks).unwrap(), [Arrival::Known; 3]);
    let old_again = vec![Record::parse(CLICKS.lines().nth(3).unwrap()).unwrap()];
    assert_eq!(message.arrive(old_again).unwrap(), [Arrival::Known]);
    assert_eq!(message.check().unwrap(), Ok(()));
    assert_eq!((rows.rows_of("clicks"), rows.rows_of("batches")), (old, 2), "two lie within ten seconds");
    let again = listed(&mut message);
    let ids: Vec<String> = again
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.is_sorted());
    assert_eq!(ids.len(), CLICKS.lines().count() + 3);
    drop(message);
    assert_eq!(listed(&mut load(&rows)), again, "and so a restart finds them");
}

/// How many clicks had not settled.
fn unsettled() -> usize {
    CLICKS.lines().filter(|line| line.contains("\"revision\":0")).count()
}

/// Version 1 of the schema had no table for landing pages and none for acts: they are added.
#[test]
fn an_object_of_the_first_schema_gets_what_it_lacks() {
    let rows = database();
    rows.change("DROP TABLE verifications; DROP TABLE presses; UPDATE message SET schema = 1");
    let mut message = load(&rows);
    assert_eq!(rows.rows_of("verifications") + rows.rows_of("presses"), 0);
    assert_eq!(listed(&mut message).lines().count(), CLICKS.lines().count());
}

#[test]
fn an_object_of_a_later_schema_is_left_alone() {
    let rows = database();
    rows.change("UPDATE message SET schema = 99");
    let judging =
        Judging { ruleset: Ruleset::Full, shadow: None, thresholds: Thresholds::default(), settle_ms: 2_000 };
    assert!(Message::load(rows.clone(), judging, true).is_err());
    assert_eq!(rows.written(), 0);
}
