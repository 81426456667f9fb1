//! What was told of deliveries before the first click lies with a message's first object: a shard that begins gets its own of it,
//! whatever it has judged until then.

mod common;

use clickproof::link::shard;
use clickproof::message::Message;
use clickproof::record::{Delivery, EventIds};
use clickproof::verdict::{Judging, Key, Ruleset, Thresholds};
use common::NOON_MS;
use common::sqlite::Sqlite;
use common::world::{World, clicks};

const SHARDS: u32 = 4;
const SHARD: u32 = 2;
const RECIPIENTS: u32 = 20_000;
const HOUR_MS: i64 = 3_600_000;

fn judging() -> Judging {
    Judging { ruleset: Ruleset::Full, shadow: None, thresholds: Thresholds::default(), settle_ms: 60_000 }
}

fn told(n: u32) -> (Key, Delivery) {
    let at_ms = Some(NOON_MS - 5_000 + i64::from(n));
    let delivery = match n % 3 {
        0 => Delivery { delivered_at_ms: at_ms, bounced_at_ms: None },
        1 => Delivery { delivered_at_ms: None, bounced_at_ms: at_ms },
        _ => Delivery { delivered_at_ms: at_ms, bounced_at_ms: at_ms },
    };
    (Key::of(&format!("r{n}")), delivery)
}

fn theirs() -> Vec<u32> {
    (0..RECIPIENTS).filter(|n| shard::shard(&format!("r{n}"), SHARDS) == SHARD).collect()
}

/// A shard with clicks of its recipients: some that memory has left, some settled, some not.
fn begun() -> World {
    let (mut world, theirs) = (World::new(judging()), theirs());
    let share = |shard: &mut Message<Sqlite>| shard.set_shards(SHARDS);
    world.call(share).unwrap();
    for (at_ms, from, until_ms) in [
        (NOON_MS, 0, NOON_MS + 24 * HOUR_MS),
        (NOON_MS + 25 * HOUR_MS, 400, NOON_MS + 25 * HOUR_MS + 70_000),
        (NOON_MS + 25 * HOUR_MS + 71_000, 800, 0),
    ] {
        let some = clicks(400, |n, click| {
            click.recipient_id = format!("r{}", theirs[from + n as usize]);
            click.ts_ms = at_ms + 10 * i64::from(n);
            click.event_id = EventIds::default().next(click.ts_ms, [0; 12]).to_string();
            click.ip = Some(format!("100.{}.{}.1", 64 + n / 250, n % 250));
            click.referer = Some("https://nam02.safelinks.protection.outlook.com/".to_owned());
        });
        world.arrive(some.collect());
        world.run_until(until_ms);
    }
    world
}

/// All that the first object hands over to the shard; in how many parts.
fn hand_over(first: &mut World, shard: &mut World) -> usize {
    let (mut next, mut parts) = (Some(0), 0);
    while let Some(from) = next {
        let (entries, more) = first.message().told_of(SHARD, from).unwrap();
        shard.call(|message| message.hear(&entries)).unwrap();
        (next, parts) = (more, parts + 1);
    }
    parts
}

#[test]
fn a_shard_knows_after_the_handover_what_it_would_have_been_told() {
    let news: Vec<(Key, Delivery)> = (0..RECIPIENTS).map(told).collect();
    let mut first = World::new(judging());
    first.tell(&news);
    first.call(|message| message.set_shards(SHARDS)).unwrap();
    let own: Vec<(Key, Delivery)> = theirs().into_iter().map(told).collect();
    let (mut handed, mut direct, untold) = (begun(), begun(), begun().listed());
    assert_eq!(hand_over(&mut first, &mut handed), 2, "more than goes over at once");
    direct.tell(&own);
    for world in [&mut handed, &mut direct] {
        world.check();
        world.run_until(NOON_MS + 30 * HOUR_MS);
        world.check();
    }
    let listed = direct.listed();
    assert_eq!(handed.listed(), listed);
    assert_ne!(listed, untold, "it changes what clicks are found to be");
    assert_eq!(handed.revisions(), direct.revisions());
    // The other recipients' are no business of this shard.
    assert_eq!(handed.rows.rows_of("deliveries"), 256);
    assert_eq!(handed.message().told_of(SHARD, 0).unwrap(), direct.message().told_of(SHARD, 0).unwrap());
    let others = (0..SHARDS).filter(|shard| *shard != SHARD);
    for shard in others {
        assert_eq!(handed.message().told_of(shard, 0).unwrap(), (Vec::new(), None));
    }
}

#[test]
fn what_a_shard_was_told_itself_came_later_and_stays() {
    let own: Vec<(Key, Delivery)> = theirs().into_iter().take(9).map(told).collect();
    let mut first = World::new(judging());
    first.tell(&own);
    first.call(|message| message.set_shards(SHARDS)).unwrap();
    let mut shard = begun();
    let later = Delivery { delivered_at_ms: Some(NOON_MS + 7), bounced_at_ms: Some(NOON_MS + 8) };
    let told_here: Vec<(Key, Delivery)> = own.iter().map(|(key, _)| (*key, later)).collect();
    shard.tell(&told_here);
    let before = shard.listed();
    assert_eq!(hand_over(&mut first, &mut shard), 1);
    assert_eq!(hand_over(&mut first, &mut shard), 1, "and again");
    assert_eq!(shard.listed(), before);
}

#[test]
fn a_first_object_that_was_told_nothing_hands_over_nothing() {
    let mut first = World::new(judging());
    first.call(|message| message.set_shards(SHARDS)).unwrap();
    let mut shard = begun();
    let before = shard.listed();
    assert_eq!(hand_over(&mut first, &mut shard), 1);
    assert_eq!(shard.listed(), before);
}
