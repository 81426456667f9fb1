//! What a message's alarms cost, counted: how many clicks they judge, look at and read, while clicks arrive and alarms run
//! in turns as they do live. Nothing here is timed.

#![allow(clippy::cast_possible_wrap, reason = "the tests' numbers are small")]

mod common;

use std::collections::BTreeSet;

use clickproof::event::pack::PackRow;
use clickproof::message::group::Group;
use clickproof::record::{EventId, Record};
use clickproof::verdict::{Judging, Key, Ruleset, Thresholds};
use common::NOON_MS;
use common::world::{World, clicks, lines_of};

/// What a person's Chrome sends.
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36";

fn full() -> Judging {
    Judging { ruleset: Ruleset::Full, shadow: None, thresholds: Thresholds::default(), settle_ms: 60_000 }
}

/// Whether a pack gives a reason.
fn tells(pack: &PackRow, reason: &str) -> bool {
    let entries = pack.open().unwrap().entries;
    entries.iter().any(|entry| entry.verdict.finding.reasons.iter().any(|told| told == reason))
}

fn address(n: u32) -> String {
    format!("100.{}.{}.{}", 64 + n / 62_500, n / 250 % 250, n % 250)
}

/// Arrivals and alarms in turns, as the object takes them: clicks of a busy second are one group, and the alarm that is due runs
/// before the next click comes.
fn play(world: &mut World, clicks: impl Iterator<Item = Record>) {
    let (mut armed_ms, mut group, mut due_ms) = (None::<i64>, Group::default(), None::<i64>);
    let store = |world: &mut World, group: &mut Group, now_ms: i64, armed_ms: &mut Option<i64>| {
        world.arrive(group.take());
        *armed_ms = armed_ms.or_else(|| world.message().wake_ms(now_ms));
    };
    for click in clicks {
        let now_ms = click.ts_ms;
        if due_ms.take_if(|due_ms| *due_ms <= now_ms).is_some() {
            store(world, &mut group, now_ms, &mut armed_ms);
        }
        if armed_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            world.settle(now_ms);
            world.ship(now_ms);
            armed_ms = world.message().wake_ms(now_ms);
        }
        match group.join(vec![click], now_ms) {
            0 => store(world, &mut group, now_ms, &mut armed_ms),
            hold_ms => due_ms = due_ms.or(Some(now_ms + hold_ms)),
        }
    }
    world.arrive(group.take());
}

fn played(count: u32, each: impl Fn(u32, &mut Record)) -> World {
    let mut world = World::new(full());
    play(&mut world, clicks(count, each));
    world
}

/// The lateness of clicks is asked for each dependency: in dense traffic on time nothing is judged twice, whoever sends it.
#[test]
fn a_click_that_comes_on_time_costs_no_second_look() {
    let many = played(24_000, |n, click| {
        click.recipient_id = format!("r{}", n % 8_000);
        click.ip = Some(address(n));
    });
    let one = played(24_000, |n, click| {
        click.recipient_id = format!("r{}", n % 8_000);
        click.ip = Some("203.0.113.9".to_owned());
    });
    for world in [&many, &one] {
        assert!(world.work.settled > 17_000, "{:?}", world.work);
        assert_eq!((world.work.judged, world.work.amended), (world.work.settled, 0));
        assert_eq!(world.rows.ran("FROM batches WHERE first").rows, 0, "what is in memory is not read");
        let packs = world.rows.ran("INTO packs VALUES").times;
        let read = world.rows.ran("FROM packs WHERE number");
        // Sixteen packs at a time become a sum.
        assert_eq!(read.times, packs / 16 * 16, "what an alarm has made is read once more, to be added up");
    }
    assert_eq!(many.work.seen, many.work.settled, "nobody has neighbours");
    // Of an office or a carrier's NAT an alarm sees the nearest thirty recipients on either side of its second.
    let alarms = many.rows.ran("INTO packs VALUES").times;
    assert!(one.work.seen <= one.work.settled + 2 * 30 * alarms, "{:?} in {alarms} alarms", one.work);
}

/// Few recipients who click many links from one address: of each other's clicks an alarm sees the nearest, of their own
/// those of a sweep.
#[test]
fn a_few_busy_recipients_behind_one_address_are_not_squared() {
    let world = played(12_000, |n, click| {
        click.recipient_id = format!("r{}", n % 29);
        click.link_id = Some(format!("l{}", n / 29 % 500));
        click.ip = Some("203.0.113.9".to_owned());
    });
    assert!(world.work.settled > 5_000);
    let alarms = world.rows.ran("INTO packs VALUES").times;
    // A sweep looks 63 s back and ahead.
    assert!(world.work.seen <= alarms * 2 * 6_300 + world.work.judged, "{:?} in {alarms} alarms", world.work);
    assert_eq!(world.rows.ran("FROM batches WHERE first").rows, 0);
}

/// People who come back with their cookie are known by it: nothing older is read.
#[test]
fn who_comes_back_with_the_cookie_costs_what_a_stranger_costs() {
    let visits = |per_recipient: u32| {
        let recipients = 90_000 / per_recipient;
        played(90_000, move |n, click| {
            click.recipient_id = format!("r{}", n % recipients);
            click.ip = Some(address(n % recipients));
            as_a_person(click, if n < recipients { "new" } else { "returning" });
        })
    };
    let (once, thrice) = (visits(1), visits(3));
    for world in [&once, &thrice] {
        assert_eq!((world.work.judged, world.work.seen), (world.work.settled, world.work.settled));
        assert_eq!(world.rows.ran("FROM batches WHERE first").rows, 0);
    }
}

/// Somebody who comes back without it is looked up: their own older clicks are read, found by their packs, and nobody
/// else's.
#[test]
fn who_comes_back_without_the_cookie_is_looked_up_by_its_own_packs_alone() {
    let recipients = 30_000;
    let world = played(90_000, move |n, click| {
        click.recipient_id = format!("r{}", n % recipients);
        click.ip = Some(address(n % recipients));
        as_a_person(click, "new");
    });
    // Of three visits the second looks at one click, and the third at two.
    let looked_up = world.work.settled - recipients as usize + world.work.settled.saturating_sub(60_000);
    let (read, keys) =
        (world.rows.ran("FROM batches WHERE first").rows, world.rows.ran("WHERE number IN").rows);
    assert!(read <= looked_up, "{read} clicks read for {looked_up}");
    let alarms = world.rows.ran("INTO packs VALUES").times;
    assert!(keys <= 5 * alarms, "the keys of {keys} packs in {alarms} alarms");
    assert_eq!(world.rows.ran("keys FROM packs WHERE (last_ms").times, 1, "all keys are read once");
    let reasons = world.rows.packs().iter().filter(|pack| tells(pack, "+return_without_cookie")).count();
    assert!(reasons > 100, "and it is told: in {reasons} packs");
}

fn as_a_person(click: &mut Record, cookie: &str) {
    let text = |text: &str| Some(text.to_owned());
    click.user_agent = text(CHROME);
    (click.accept, click.accept_language) = (text("text/html,*/*;q=0.8"), text("en"));
    (click.sec_fetch_site, click.sec_fetch_mode) = (text("none"), text("navigate"));
    (click.sec_fetch_dest, click.sec_fetch_user) = (text("document"), text("?1"));
    (click.sec_ch_ua, click.secure) = (text("\"Chromium\";v=\"158\""), Some(true));
    (click.cookie, click.visitor_id) = (text(cookie), text(&click.recipient_id));
}

/// A call with many delivery times stores them, judges the first few clicks, and leaves the others to alarms, so many each.
#[test]
fn a_great_delivery_is_judged_by_alarms_in_shares() {
    let (count, recipients, moved) = (40_000_u32, 20_000_u32, 6_000_u32);
    let mut world = played(count, |n, click| {
        click.recipient_id = format!("r{}", n % recipients);
        click.ip = Some(address(n % recipients));
        // A check at delivery, once the delivery is known to have been late.
        click.referer = Some("https://nam02.safelinks.protection.outlook.com/".to_owned());
    });
    let end_ms = NOON_MS + 90_000 + i64::from(count) * 10 + 100_000;
    world.run_until(end_ms);
    assert_eq!(world.message().unsettled(), 0);
    let in_memory = world.message().in_memory();
    for (round, offset_ms) in [(1, 1_000_000), (2, 0)] {
        let times: Vec<(Key, i64)> =
            (0..moved).map(|n| (Key::of(&format!("r{n}")), NOON_MS + offset_ms)).collect();
        world.rows.forget_counts();
        let reissued = world.deliver(&times);
        // The first pack's clicks; the others are counted, two a recipient.
        assert!((10_000..=30_000).contains(&reissued), "{reissued}");
        // Those are looked at with what their sources sent within a minute of them.
        let read = world.rows.ran("FROM batches WHERE first").rows;
        assert!(read <= 150, "{read} rows of a second's clicks read by the call");
        assert_eq!(world.rows.rows_of("revisits"), 1, "the others are a row");
        world.check();

        let (mut now_ms, mut alarms) = (end_ms, 0);
        while let Some(wake_ms) = world.message().wake_ms(now_ms) {
            now_ms = now_ms.max(wake_ms);
            let settlement = world.settle(now_ms);
            assert!(settlement.judged <= 2_048, "{settlement:?}");
            world.ship(now_ms);
            alarms += 1;
            if alarms == 3 {
                // What is left is found again.
                world.crash();
            }
        }
        world.check();
        // In the second round each click stands in two packs, and is looked at once for each.
        assert!((6 * round - 1..=6 * round + 2).contains(&alarms), "{alarms} alarms in round {round}");
        assert_eq!(world.rows.rows_of("revisits"), 0);
        let moved: BTreeSet<String> = (0..moved).map(|n| format!("r{n}")).collect();
        for line in world.listed() {
            let recipient = line["recipient_id"].as_str().unwrap();
            let expected = if moved.contains(recipient) { round + 1 } else { 1 };
            assert_eq!(line["revision"], expected, "{line}");
            let is_check = moved.contains(recipient) && round == 1;
            assert_eq!(line["rule"] == "safelinks_delivery", is_check, "{line}");
        }
        assert!(world.message().in_memory() <= in_memory, "memory does not grow");
        assert_eq!(world.deliver(&times), 0, "told twice is told once");
    }
}

/// Every revision that a great delivery brings is shipped once.
#[test]
fn what_alarms_judge_again_is_shipped_once() {
    let mut world = played(3_000, |n, click| {
        click.recipient_id = format!("r{n}");
        click.referer = Some("https://nam02.safelinks.protection.outlook.com/".to_owned());
    });
    let end_ms = NOON_MS + 300_000;
    world.run_until(end_ms);
    let times: Vec<(Key, i64)> =
        (0..3_000).map(|n| (Key::of(&format!("r{n}")), NOON_MS + 1_000_000)).collect();
    world.deliver(&times);
    let mut told: Vec<(EventId, u64)> = Vec::new();
    let mut now_ms = end_ms;
    while let Some(wake_ms) = world.message().wake_ms(now_ms) {
        now_ms = now_ms.max(wake_ms);
        world.settle(now_ms);
        told.extend(world.ship(now_ms).iter().flat_map(lines_of).map(|line| {
            (EventId::parse(line["event_id"].as_str().unwrap()).unwrap(), line["revision"].as_u64().unwrap())
        }));
    }
    assert_eq!(told.len(), 3_000);
    assert!(told.iter().all(|(_, revision)| *revision == 2));
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), 3_000);
}
