//! What a flood costs, counted and not timed: one recipient, one address, one link or one scanner that clicks very often. Each
//! further click costs what the first ones did, whatever there is already, and the verdicts are those of the whole history.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "the tests' numbers are small")]

mod common;

use std::collections::BTreeMap;
use std::rc::Rc;

use clickproof::message::Settlement;
use clickproof::message::group::{Group, MAX_CLICKS};
use clickproof::record::{Delivery, EventId, EventIds, Record};
use clickproof::verdict::{Click, Finding, Judging, Key, Look, Ruleset, Thresholds, judge};
use common::world::World;
use common::{NOON_MS, record};

/// An agent that only says what it is.
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36";

fn judging() -> Judging {
    Judging {
        ruleset: Ruleset::Full,
        shadow: Some(Ruleset::Defender),
        thresholds: Thresholds::default(),
        settle_ms: 60_000,
    }
}

/// What some clicks cost.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    clicks: usize,
    /// Statements that were run, and rows that they found.
    read: usize,
    seen: usize,
    judged: usize,
    /// The most that one alarm looked at.
    most_seen: usize,
}

impl Cost {
    /// Statements, rows and clicks that were looked at, for each click.
    fn each(&self) -> f64 {
        (self.read + self.seen + self.judged) as f64 / self.clicks as f64
    }
}

/// A shape of traffic: what its nth click is; how many milliseconds lie between two.
struct Flood {
    step_ms: fn(usize) -> i64,
    click: fn(usize, &mut Record),
}

impl Flood {
    fn records(&self, count: usize) -> Vec<Record> {
        let mut ts_ms = NOON_MS + 20_000;
        let record = |n: usize| {
            let mut bytes = [0; 12];
            bytes[4..].copy_from_slice(&n.to_be_bytes());
            ts_ms += (self.step_ms)(n);
            let id = EventIds::default().next(ts_ms, bytes).to_string();
            let mut click = record(&id, "r", "l", ts_ms);
            click.ip = Some("203.0.113.9".to_owned());
            click.user_agent = Some(CHROME.to_owned());
            click.http_protocol = Some("HTTP/2".to_owned());
            click.cookie = Some("new".to_owned());
            click.visitor_id = Some(format!("v{n}"));
            (self.click)(n, &mut click);
            click
        };
        (0..count).map(record).collect()
    }

    /// Plays it as the object does, in groups and with alarms as soon as they are due; returns what each of so many parts cost.
    fn play(&self, count: usize, parts: usize) -> (World, Vec<Cost>) {
        let (mut world, mut costs) = (World::new(judging()), vec![Cost::default(); parts]);
        let (mut group, mut due_ms) = (Group::default(), None::<i64>);
        let mut read = 0;
        let records = self.records(count);
        let end_ms = records.last().unwrap().ts_ms;
        for (n, record) in records.into_iter().enumerate() {
            let cost = &mut costs[n * parts / count];
            let now_ms = record.ts_ms;
            cost.clicks += 1;
            if due_ms.take_if(|due_ms| *due_ms <= now_ms).is_some() {
                world.arrive(group.take());
            }
            // A message that nothing has come to yet is none.
            while n > MAX_CLICKS && world.message().wake_ms(now_ms).is_some_and(|wake_ms| wake_ms <= now_ms) {
                alarm(&mut world, now_ms, cost);
            }
            match group.join(vec![record], now_ms) {
                0 => _ = world.arrive(group.take()),
                hold_ms => due_ms = due_ms.or(Some(now_ms + hold_ms)),
            }
            if n + 1 == count || (n + 1) * parts / count > n * parts / count {
                let ran = world.rows.ran("");
                let cost = &mut costs[n * parts / count];
                cost.read = ran.times + ran.rows - read;
                read = ran.times + ran.rows;
            }
        }
        world.arrive(group.take());
        let mut now_ms = end_ms;
        while let Some(wake_ms) = world.message().wake_ms(now_ms) {
            now_ms = now_ms.max(wake_ms);
            alarm(&mut world, now_ms, &mut Cost::default());
        }
        assert_eq!(world.message().unsettled(), 0);
        (world, costs)
    }
}

fn alarm(world: &mut World, now_ms: i64, cost: &mut Cost) {
    let Settlement { seen, judged, .. } = world.settle(now_ms);
    cost.seen += seen;
    cost.judged += judged;
    cost.most_seen = cost.most_seen.max(seen);
    world.ship(now_ms);
}

/// Prints what each part cost.
fn print(world: &World, costs: &[Cost]) {
    println!("{:?}, {} events", world.work, world.shipped.len());
    for cost in costs {
        println!("  {:.1} a click, {cost:?}", cost.each());
    }
}

/// One recipient asks for two hundred links in turns, without ever bringing the cookie back.
const MANY_LINKS: Flood = Flood {
    step_ms: |_| 100,
    click: |n, click| {
        click.link_id = Some(format!("l{}", n % 200));
        click.url = Some(format!("https://brand.example/{}", n % 200));
    },
};

/// The same from Microsoft's network, slowly, each on the clock of a send of its own.
const SENDS: Flood = Flood {
    step_ms: |_| 3_000,
    click: |n, click| {
        click.link_id = Some(format!("l{}", n % 500));
        click.ip = Some("40.92.1.7".to_owned());
        click.sent_at_ms = click.ts_ms - 1_000;
    },
};

/// As many as are stored of one link.
const ONE_LINK: Flood = Flood { step_ms: |_| 600, click: |_, _| {} };

/// Another agent each time.
const AGENTS: Flood =
    Flood { step_ms: |_| 600, click: |n, click| click.user_agent = Some(format!("{CHROME} {n}")) };

/// An image that is loaded again and again.
const OPENS: Flood =
    Flood { step_ms: |_| 600, click: |_, click| click.kind = clickproof::record::Kind::Open };

/// One address clicks for everybody.
const ONE_SOURCE: Flood = Flood { step_ms: |_| 10, click: |n, click| click.recipient_id = format!("r{n}") };

/// Everybody's copy of one link is looked at in Microsoft's network.
const VIRAL: Flood = Flood {
    step_ms: |_| 10,
    click: |n, click| {
        click.recipient_id = format!("r{n}");
        click.ip = Some(format!("40.92.{}.{}", n / 250 % 250, n % 250));
    },
};

/// A scanner takes fifty links of each of many copies, as fast as it can.
const SCANNER: Flood = Flood {
    step_ms: |_| 4,
    click: |n, click| {
        click.recipient_id = format!("r{}", n / 50);
        click.link_id = Some(format!("l{}", n % 50));
        click.url = Some(format!("https://brand.example/{}", n % 50));
        click.ip = Some("40.92.1.7".to_owned());
    },
};

/// The verdicts that stand are those of the whole history of what is stored, of both rulesets.
fn check_verdicts(world: &World, records: &[Record], told: Delivery) {
    let mut stand: BTreeMap<String, (Finding, Finding)> = BTreeMap::new();
    for entry in world.rows.packs().iter().flat_map(|pack| pack.open().unwrap().entries) {
        let shadow = entry.verdict.shadow.unwrap().finding;
        stand.insert(entry.event_id, (entry.verdict.finding, shadow));
    }
    let stored = records.iter().filter(|record| stand.contains_key(&record.event_id));
    let mut clicks: Vec<Rc<Click>> = stored.map(|record| Rc::new(Click::of(record, told))).collect();
    clicks.sort_by(|a, b| a.order().cmp(&b.order()));
    assert_eq!(stand.len(), clicks.len());
    let judged = |ruleset| judge(&clicks, ruleset, &world.judging.thresholds, Look::Whole);
    let expected = judged(Ruleset::Full).into_iter().zip(judged(Ruleset::Defender));
    for (click, expected) in clicks.iter().zip(expected) {
        assert_eq!(stand[&*click.event_id], expected, "{}", click.event_id);
    }
}

/// That the last clicks of a flood cost what those in its middle did: what is stored, looked up and judged for each.
fn costs_the_same(flood: &Flood, count: usize) -> World {
    const PARTS: usize = 6;
    let (world, costs) = flood.play(count, PARTS);
    print(&world, &costs);
    check_verdicts(&world, &flood.records(count), Delivery::default());
    let (middle, last) = (costs[PARTS / 2 - 1].each(), costs[PARTS - 1].each());
    assert!(last <= 1.2 * middle + 0.5, "{middle:.1} a click in the middle, {last:.1} at the end");
    world
}

#[test]
fn one_recipient_on_one_link() {
    let world = costs_the_same(&ONE_LINK, 6_000);
    assert!(world.work.seen <= 60 * world.work.settled, "{:?}", world.work);
}

#[test]
fn one_recipient_on_very_many_links() {
    let world = costs_the_same(&MANY_LINKS, 9_000);
    assert!(world.work.seen <= 90 * world.work.settled, "{:?}", world.work);
}

#[test]
fn one_recipient_by_very_many_agents() {
    costs_the_same(&AGENTS, 6_000);
}

#[test]
fn one_recipient_who_opens() {
    costs_the_same(&OPENS, 6_000);
}

/// Each visit is early on the clock of a send of its own: all of them are looked for, however many there are.
#[test]
fn one_recipient_of_very_many_sends() {
    costs_the_same(&SENDS, 6_000);
}

#[test]
fn one_source_for_very_many_recipients() {
    costs_the_same(&ONE_SOURCE, 24_000);
}

#[test]
fn one_link_that_very_many_recipients_follow_from_microsofts_network() {
    costs_the_same(&VIRAL, 24_000);
}

#[test]
fn a_scanner_that_takes_fifty_links_of_very_many_copies() {
    costs_the_same(&SCANNER, 60_000);
}

/// A recipient of some thousand clicks, a tenth of which come up to an hour late, while the object dies and the mail's delivery is told.
#[test]
fn whatever_comes_late_of_one_recipient_is_judged_by_all_that_there_is() {
    for seed in 1..=4 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut arrivals: Vec<(i64, Record)> = Vec::new();
        for (n, mut click) in MANY_LINKS.records(2_400).into_iter().enumerate() {
            // Bursts, hours between them, and a day that goes by.
            click.ts_ms = NOON_MS + random.i64(0..12) * 7_200_000 + random.i64(0..600_000);
            let mut bytes = [0; 12];
            bytes[4..].copy_from_slice(&n.to_be_bytes());
            click.event_id = EventIds::default().next(click.ts_ms, bytes).to_string();
            click.link_id = Some(format!("l{}", random.u8(0..20)));
            click.user_agent = Some(format!("{CHROME} {}", random.u8(0..3)));
            let is_known = random.u8(0..50) == 0;
            click.cookie = Some(if is_known { "returning" } else { "new" }.to_owned());
            click.visitor_id = Some(format!("v{}", random.u8(0..9)));
            click.accept_language = Some("en".to_owned()).filter(|_| random.u8(0..20) == 0);
            click.sec_fetch_mode = Some("navigate".to_owned()).filter(|_| is_known);
            if random.bool() {
                click.ip = Some("40.92.1.7".to_owned());
            }
            if random.u8(0..40) == 0 {
                click.sent_at_ms = click.ts_ms - 1_000;
            }
            let late_ms = if random.u8(0..10) == 0 { random.i64(0..3_600_000) } else { 0 };
            arrivals.push((click.ts_ms + late_ms, click));
        }
        arrivals.sort_by_key(|(at_ms, _)| *at_ms);
        let mut world = World::new(judging());
        for (n, (now_ms, click)) in arrivals.iter().enumerate() {
            while n > 0 && world.message().wake_ms(*now_ms).is_some_and(|wake_ms| wake_ms <= *now_ms) {
                world.settle(*now_ms);
                world.ship(*now_ms);
            }
            if n % 700 == 699 {
                world.crash();
            }
            world.arrive(vec![click.clone()]);
        }
        // Told when all has settled, it has all judged again.
        let told = Delivery { delivered_at_ms: Some(NOON_MS + 7_200_000), ..Delivery::default() };
        let records: Vec<Record> = arrivals.into_iter().map(|(_, click)| click).collect();
        world.run_until(i64::MAX);
        check_verdicts(&world, &records, Delivery::default());
        world.deliver(&[(Key::of("r"), NOON_MS + 7_200_000)]);
        world.run_until(i64::MAX);
        world.check();
        check_verdicts(&world, &records, told);
    }
}

/// One recipient asks for fifty links in turns, once a second.
const STEADY: Flood = Flood {
    step_ms: |_| 1_000,
    click: |n, click| {
        click.link_id = Some(format!("l{}", n % 50));
        click.url = Some(format!("https://brand.example/{}", n % 50));
    },
};

/// What it costs to explain a click in the middle of so many: statements and rows that they find.
fn explained(count: usize) -> usize {
    let records = STEADY.records(count);
    let mut world = World::new(judging());
    for some in records.chunks(1_000) {
        world.replay(some.to_vec());
        world.run_until(some.last().unwrap().ts_ms + 60_000);
    }
    world.run_until(i64::MAX);
    let mut cost = 0;
    for n in 0..4 {
        let id = EventId::parse(&records[count / 2 + n].event_id).unwrap();
        let before = world.rows.ran("");
        assert!(world.call(|message| message.explain(id)).unwrap().is_some());
        let after = world.rows.ran("");
        cost = after.times + after.rows - before.times - before.rows;
        println!("one of {count} explained: {cost} statements and rows");
    }
    cost
}

#[test]
fn a_click_of_a_recipient_with_very_many_is_explained_as_one_of_some_thousands_is() {
    let (few, many) = (explained(8_000), explained(40_000));
    assert!(many as f64 <= 1.2 * few as f64, "{few} statements and rows, {many} with five times as many");
}
