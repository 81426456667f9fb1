//! A message over several objects against its whole history: whatever gets lost between shards and board, comes late, in another order
//! or twice, and whoever dies meanwhile, the verdicts that stand at the end are those of all clicks together.

#![allow(clippy::cast_possible_wrap, reason = "the tests' numbers are small")]

mod common;

use std::collections::BTreeMap;
use std::rc::Rc;

use clickproof::record::{Delivery, EventId, EventIds, Record, Sighting, Verified};
use clickproof::verdict::{Click, Judging, Look, Ruleset, Thresholds, judge};
use common::hits;
use common::several::{Dice, Faults, Several};
use common::sqlite::Sqlite;
use common::world::World;
use common::{NOON_MS, record};
use serde_json::Value;

const EXCHANGE: &str = "40.92.1.1";
const HOME: &str = "203.0.113.9";
const NEXT_DOOR: &str = "203.0.113.10";
const RENTED: &str = "198.51.100.7";

fn judging(ruleset: Ruleset, shadow: Option<Ruleset>) -> Judging {
    // Small enough to be met by a few clicks, and far enough apart for the bounds to be met as well.
    let thresholds = Thresholds { sandbox_clicks: 3, campaign_recipients: 4, ..Thresholds::default() };
    Judging { ruleset, shadow, thresholds, settle_ms: 60_000 }
}

/// What happens, and when.
enum Step {
    Click(Box<Record>),
    Verify(EventId, Verified),
    /// A shard dies, or the board; with its rows where it is to be another.
    Death(usize),
    BoardDies,
    BoardIsLost,
}

fn id(dice: &mut Dice, ts_ms: i64) -> EventId {
    let mut random = [0; 12];
    random[..8].copy_from_slice(&dice.next().to_be_bytes());
    EventIds::default().next(ts_ms, random)
}

/// A click near the bounds of windows, by few enough sources and URLs for crowds to come about.
fn click(dice: &mut Dice, recipients: u64) -> Record {
    let base = dice.one_of(&[61_000, 61_000, 70_000, 71_000, 121_000, 300_000, 970_000, 3_700_000]);
    let jitter = dice.one_of(&[0, 1, 9_999, 10_000, 10_001, 59_999, 60_000, 60_001, 500, 15_000, 30_000]);
    let ts_ms = NOON_MS + base + jitter + dice.below(3) as i64;
    let recipient = format!("r{}", dice.below(recipients));
    let link = format!("l{}", dice.below(3));
    let mut click = match dice.below(5) {
        0 => hits::chrome(158).0,
        1 => Record { user_agent: Some("python-requests/2.32".to_owned()), ..Record::default() },
        2 => Record { user_agent: Some("ms-office".to_owned()), ..Record::default() },
        3 => Record { user_agent: Some("Mozilla/5.0".to_owned()), ..hits::chrome(158).0 },
        _ => Record::default(),
    };
    let known = record(&id(dice, ts_ms).to_string(), &recipient, &link, ts_ms);
    let mut method = known.method;
    if dice.one_in(15) {
        "HEAD".clone_into(&mut method);
    }
    click = Record {
        event_id: known.event_id,
        message_id: known.message_id,
        recipient_id: known.recipient_id,
        link_id: known.link_id,
        url: Some(format!("https://brand.example/{}", dice.below(2))),
        ts_ms,
        sent_at_ms: NOON_MS,
        method,
        ip: Some(dice.one_of(&[EXCHANGE, EXCHANGE, HOME, HOME, NEXT_DOOR, RENTED]).to_owned()),
        ..click
    };
    if dice.one_in(4) {
        click.cookie = Some(dice.one_of(&["new", "returning"]).to_owned());
        click.visitor_id = Some(format!("v{}", dice.below(3)));
    }
    click
}

/// A history: what happens, by the time at which it does.
fn history(dice: &mut Dice, shards: u64) -> (Vec<Record>, BTreeMap<(i64, u64), Step>) {
    let (count, recipients) = (10 + dice.below(50), 6 + dice.below(20));
    let mut steps = BTreeMap::new();
    let mut clicks = Vec::new();
    for n in 0..count {
        let click = click(dice, recipients);
        let delay = dice.one_of(&[0, 0, 40, 1_500, 1_500, 30_000, 70_000, 4_000_000]);
        if dice.one_in(8) {
            let event = EventId::parse(&click.event_id).unwrap();
            let after = dice.one_of(&[50, 3_000, 61_900, 200_000, 4_000_000]);
            let verified = dice.one_of(&[Verified::Rendered, Verified::Interacted, Verified::Interacted]);
            steps.insert((click.ts_ms + after, 1_000 + n), Step::Verify(event, verified));
        }
        steps.insert((click.ts_ms + delay, n), Step::Click(Box::new(click.clone())));
        clicks.push(click);
    }
    for n in 0..dice.below(6) {
        let at_ms = NOON_MS + 61_000 + dice.below(400_000) as i64;
        let step = match dice.below(5) {
            0 => Step::BoardDies,
            1 => Step::BoardIsLost,
            _ => Step::Death(usize::try_from(dice.below(shards)).unwrap()),
        };
        steps.insert((at_ms, 2_000 + n), step);
    }
    (clicks, steps)
}

/// Plays a history; returns the objects once everything has come to rest.
fn play(judging: &Judging, shards: u32, seed: u64) -> (Several, Vec<Record>, BTreeMap<EventId, Verified>) {
    let mut dice = Dice(seed);
    let (clicks, steps) = history(&mut dice, shards.into());
    let mut several = Several::new(judging, shards, seed);
    several.faults = Faults {
        loss: dice.one_of(&[0, 0, 3, 10]),
        death: dice.one_of(&[0, 5, 20]),
        silent_until_ms: if dice.one_in(5) { NOON_MS + 400_000 } else { 0 },
    };
    let mut shown: BTreeMap<EventId, Verified> = BTreeMap::new();
    for ((at_ms, _), step) in steps {
        several.run_until(at_ms);
        match step {
            Step::Click(record) => several.arrive(&record),
            Step::Verify(event, verified) => {
                let click = clicks.iter().find(|click| click.event_id == event.to_string()).unwrap();
                let sighting = Sighting { event_id: id(&mut dice, at_ms), verified, since_load_ms: None };
                several.of(&click.recipient_id).verify(event, &sighting);
                let known = shown.entry(event).or_default();
                *known = verified.max(*known);
            }
            Step::Death(at) => several.shards[at].crash(),
            Step::BoardDies => several.board = None,
            Step::BoardIsLost => (several.board, several.board_rows) = (None, Sqlite::default()),
        }
    }
    several.faults = Faults::default();
    several.run_until(NOON_MS + 1_000_000_000);
    (several, clicks, shown)
}

fn check(judging: &Judging, shards: u32, seed: u64) -> usize {
    let (several, clicks, shown) = play(judging, shards, seed);
    compare(judging, several, clicks, &shown, seed)
}

/// Compares what stands with the whole history; returns how many verdicts crossed recipients.
fn compare(
    judging: &Judging,
    mut several: Several,
    mut clicks: Vec<Record>,
    shown: &BTreeMap<EventId, Verified>,
    seed: u64,
) -> usize {
    let shards = several.shards.len();
    clicks.sort_by(|a, b| (a.ts_ms, &a.event_id).cmp(&(b.ts_ms, &b.event_id)));
    let history: Vec<Rc<Click>> = clicks
        .iter()
        .map(|record| {
            let verified = shown.get(&EventId::parse(&record.event_id).unwrap()).copied().unwrap_or_default();
            Rc::new(Click { verified, ..Click::of(record, Delivery::default()) })
        })
        .collect();
    let mut listed: BTreeMap<String, Value> = BTreeMap::new();
    for world in &mut several.shards {
        world.check();
        for line in world.listed() {
            listed.insert(line["event_id"].as_str().unwrap().to_owned(), line);
        }
    }
    assert_eq!(listed.len(), clicks.len());
    let mut crowded = 0;
    let rulesets = [Some((judging.ruleset, false)), judging.shadow.map(|shadow| (shadow, true))];
    for (ruleset, is_shadow) in rulesets.into_iter().flatten() {
        for (click, finding) in history.iter().zip(judge(&history, ruleset, &judging.thresholds, Look::Whole))
        {
            let line = &listed[&*click.event_id];
            let said = if is_shadow { &line["shadow"] } else { line };
            assert_eq!(line["final"], true, "{line}");
            for (name, value) in serde_json::to_value(&finding).unwrap().as_object().unwrap() {
                assert_eq!(&said[name], value, "seed {seed}, {shards} shards, {ruleset:?}: {name} of {line}");
            }
            crowded += usize::from(matches!(&*finding.rule, "campaign_view" | "fanout" | "carry_over"));
        }
    }
    for world in &several.shards {
        for (id, revisions) in world.revisions() {
            let expected: Vec<u32> = (1..).take(revisions.len()).collect();
            assert_eq!(revisions, expected, "each revision of {id} once");
        }
    }
    crowded
}

/// So many histories for each count of shards and each ruleset: 2,400 in all, or as many as somebody asks for.
#[expect(clippy::disallowed_methods, reason = "how long it runs is the command's to say")]
fn histories() -> u64 {
    std::env::var("HISTORIES").map_or(300, |count| count.parse().unwrap())
}

fn check_all(judging: &Judging, salt: u64) {
    let mut crowded = 0;
    for shards in [1, 2, 7, 16] {
        for seed in 0..histories() {
            crowded += check(judging, shards, seed << 8 | u64::from(shards) << 40 | salt);
        }
    }
    assert!(crowded as u64 > histories(), "the histories must have crowds: {crowded}");
}

/// A click of something that calls itself a browser and is none, by one of some neighbours.
fn machine(dice: &mut Dice, recipient: &str, link: &str, host: u64, ts_ms: i64) -> Record {
    let known = record(&id(dice, ts_ms).to_string(), recipient, link, ts_ms);
    let Record { event_id, message_id, recipient_id, link_id, method, .. } = known;
    Record {
        event_id,
        message_id,
        recipient_id,
        link_id,
        url: Some(format!("https://brand.example/{link}")),
        method,
        ts_ms,
        sent_at_ms: NOON_MS,
        ip: Some(format!("203.0.{}.{}", 113 + host / 250, host % 250)),
        ..hits::pretender().0
    }
}

/// The board is not heard while thousands of clicks settle: neighbours of somebody whom another object convicts, most of which have
/// left the window when it is; and two networks whose sources fan out over both objects together, all in it.
#[test]
fn a_view_may_concern_more_clicks_than_are_judged_at_once() {
    const CLICKS: u64 = 10_800;
    let judging = Judging { thresholds: Thresholds::default(), ..judging(Ruleset::Full, None) };
    for (rule, step_ms, networks) in [("carry_over", 80, 1), ("fanout", 10, 2)] {
        let mut dice = Dice(step_ms);
        let mut clicks: Vec<Record> = Vec::new();
        for n in 0..6 {
            clicks.push(machine(&mut dice, "swept", &format!("l{n}"), 249, NOON_MS + 90_000 + 100 * n));
        }
        for n in 0..CLICKS {
            let (recipient, link) = (format!("r{n}"), format!("l{}", n % 1_000));
            let ts_ms = NOON_MS + 100_000 + (n * step_ms) as i64;
            clicks.push(machine(&mut dice, &recipient, &link, n % (250 * networks), ts_ms));
        }
        let mut several = Several::new(&judging, 2, step_ms);
        let last_ms = clicks.last().unwrap().ts_ms;
        several.faults.silent_until_ms = last_ms + 66_000;
        for record in &clicks {
            several.run_until(record.ts_ms);
            several.arrive(record);
        }
        several.run_until(NOON_MS + 1_000_000_000);
        let amended = several.shards.iter_mut().map(|world| {
            let is_amended = |line: &Value| line["rule"] == rule && line["revision"] != 1;
            world.listed().into_iter().filter(is_amended).count()
        });
        let amended: Vec<usize> = amended.collect();
        assert!(amended.iter().any(|amended| *amended > 4_300), "{rule}: {amended:?}");
        assert!(compare(&judging, several, clicks, &BTreeMap::new(), step_ms) > 9_000);
    }
}

/// Somebody's sweep convicts a source that others click from, and a campaign goes by all recipients. Then the board loses its rows.
fn swept() -> (Several, Vec<Record>) {
    let judging = judging(Ruleset::Full, None);
    let mut dice = Dice(7);
    let mut clicks: Vec<Record> = Vec::new();
    for n in 0..6 {
        clicks.push(machine(&mut dice, "swept", &format!("l{n}"), 9, NOON_MS + 90_000 + 100 * n));
    }
    for n in 0..12_u64 {
        let ts_ms = NOON_MS + 270_000 + 1_000 * n.cast_signed();
        let click = machine(&mut dice, &format!("r{n}"), "l9", 0, ts_ms);
        clicks.push(Record { ip: Some(EXCHANGE.to_owned()), ..click });
    }
    for n in 0..12_u64 {
        let ts_ms = NOON_MS + 370_000 + 20_000 * n.cast_signed();
        clicks.push(machine(&mut dice, &format!("r{n}"), &format!("l{}", 10 + n), 9, ts_ms));
    }
    let mut several = Several::new(&judging, 7, 7);
    for record in &clicks {
        several.run_until(record.ts_ms);
        several.arrive(record);
    }
    several.run_until(NOON_MS + 3_000_000);
    several.crash_board();
    several.board_rows = Sqlite::default();
    (several, clicks)
}

/// The board's next life hears of one shard after the other, and what it knew is there in part until it has heard all.
#[test]
fn a_board_that_is_made_anew_takes_no_verdict_back() {
    let (mut several, mut clicks) = swept();
    let before: Vec<_> = several.shards.iter().map(World::revisions).collect();
    let mut dice = Dice(8);
    for n in 0..12_i64 {
        let click = machine(&mut dice, &format!("r{n}"), "l40", 200, NOON_MS + 4_000_000 + n * 600_000);
        several.run_until(click.ts_ms);
        several.arrive(&click);
        clicks.push(click);
    }
    several.run_until(NOON_MS + 1_000_000_000);
    assert!(several.board.as_ref().is_some_and(|board| board.due_ms().is_none()), "all have been told");
    for (before, now) in before.iter().zip(several.shards.iter().map(World::revisions)) {
        for (id, revisions) in before {
            assert_eq!(&now[id], revisions, "the verdict on {id} stands");
        }
    }
    let judging = judging(Ruleset::Full, None);
    assert!(compare(&judging, several, clicks, &BTreeMap::new(), 8) > 20, "it concerns many");
}

/// Who convicted the source is erased, and the board is lost before anybody has heard of that: nobody reports that block again.
#[test]
fn what_only_a_lost_board_has_said_ends_with_it() {
    let (mut several, mut clicks) = swept();
    let erasure = several.of("swept").erase("swept", NOON_MS + 3_000_000);
    assert_eq!(erasure.records, 6);
    clicks.retain(|click| click.recipient_id != "swept");
    several.run_until(NOON_MS + 1_000_000_000);
    let judging = judging(Ruleset::Full, None);
    assert_eq!(compare(&judging, several, clicks, &BTreeMap::new(), 8), 12, "the campaign stands");
}

#[test]
fn the_published_table_is_exact_over_any_number_of_shards() {
    check_all(&judging(Ruleset::Defender, None), 1);
}

#[test]
fn ruleset_full_is_exact_over_any_number_of_shards() {
    check_all(&judging(Ruleset::Full, Some(Ruleset::Defender)), 2);
}
