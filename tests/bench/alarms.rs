//! What a message's alarms cost, timed: `cargo bench --bench alarms [-- clicks]`. Arrivals and alarms run in turns at a
//! hundred clicks a second, as live; `tests/work.rs` counts the same work. Prints markdown tables: ratios count, the machine
//! does other things too. Rows are `SQLite`'s, in memory.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and its flags")]
#![expect(clippy::cast_precision_loss, reason = "counts are small")]

#[path = "../common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use clickproof::message::Settlement;
use clickproof::record::Record;
use clickproof::verdict::{Judging, Key, Ruleset, Thresholds};
use common::NOON_MS;
use common::world::{World, clicks};

/// Each shape is played so often; the fastest counts.
const ROUNDS: usize = 3;

/// A kind of traffic: what its nth click of so many is.
type Shape = fn(u32, u32, &mut Record);

const SHAPES: [(&str, Shape); 5] = [
    ("many addresses, 8,000 recipients", |n, _, click| from(click, n % 8_000, n, None)),
    ("one address, 8,000 recipients", |n, _, click| from(click, n % 8_000, 0, None)),
    ("each recipient once", |n, _, click| from(click, n, n, Some("new"))),
    ("each three times, with the cookie", |n, count, click| {
        from(click, n % (count / 3), n % (count / 3), Some(if n < count / 3 { "new" } else { "returning" }));
    }),
    ("each three times, without it", |n, count, click| {
        from(click, n % (count / 3), n % (count / 3), Some("new"));
    }),
];

fn from(click: &mut Record, recipient: u32, address: u32, cookie: Option<&str>) {
    let text = |text: &str| Some(text.to_owned());
    click.recipient_id = format!("r{recipient}");
    click.ip = Some(format!("100.{}.{}.{}", 64 + address / 62_500 % 60, address / 250 % 250, address % 250));
    click.user_agent = text(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36",
    );
    (click.accept, click.accept_language) = (text("text/html,*/*;q=0.8"), text("en"));
    (click.sec_fetch_site, click.sec_fetch_mode) = (text("none"), text("navigate"));
    (click.sec_fetch_dest, click.sec_fetch_user) = (text("document"), text("?1"));
    (click.sec_ch_ua, click.secure) = (text("\"Chromium\";v=\"158\""), Some(true));
    click.cookie = cookie.map(str::to_owned);
    click.visitor_id = cookie.map(|_| format!("v{recipient}"));
}

/// Plays clicks; returns how long the alarms took, and all of it.
fn play(world: &mut World, clicks: impl Iterator<Item = Record>) -> (Duration, Duration) {
    let (mut armed_ms, mut alarms, mut all) = (None::<i64>, Duration::ZERO, Duration::ZERO);
    for click in clicks {
        let began = Instant::now();
        let now_ms = click.ts_ms;
        if armed_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            world.settle(now_ms);
            world.ship(now_ms);
            armed_ms = None;
            alarms += began.elapsed();
        }
        world.ingest(&click);
        armed_ms = armed_ms.or_else(|| world.message().wake_ms(now_ms));
        all += began.elapsed();
    }
    (alarms, all)
}

fn world() -> World {
    let (ruleset, thresholds) = (Ruleset::Full, Thresholds::default());
    World::new(Judging { ruleset, shadow: None, thresholds, settle_ms: 60_000 })
}

fn main() {
    let count: u32 = std::env::args().find_map(|flag| flag.parse().ok()).unwrap_or(60_000);
    println!(
        "| {count} clicks, 100 a second | µs a click in alarms | with its arrival | seen to judge one | older clicks read |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (name, shape) in SHAPES {
        let mut best = (Duration::MAX, Duration::MAX);
        let (mut work, mut read) = (Settlement::default(), 0);
        for _ in 0..if count > 200_000 { 1 } else { ROUNDS } {
            let mut world = world();
            let (alarms, all) = play(&mut world, clicks(count, |n, click| shape(n, count, click)));
            best = (best.0.min(alarms), best.1.min(all));
            (work, read) = (world.work, world.rows.ran("FROM clicks").rows);
        }
        let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(count);
        let per = |number: usize| number as f64 / work.settled as f64;
        println!(
            "| {name} | {:.1} | {:.1} | {:.2} | {:.2} |",
            each(best.0),
            each(best.1),
            per(work.seen),
            per(read)
        );
    }
    deliver(count);
}

/// What a call with the delivery times of 18,000 recipients costs, twice, and the alarms behind it.
fn deliver(count: u32) {
    const MOVED: u32 = 18_000;
    let shape: Shape = |n, count, click| {
        from(click, n % count, n, None);
        click.referer = Some("https://nam02.safelinks.protection.outlook.com/".to_owned());
    };
    let mut world = world();
    play(&mut world, clicks(count, |n, click| shape(n, count, click)));
    let end_ms = NOON_MS + 90_000 + i64::from(count) * 10 + 100_000;
    world.run_until(end_ms);
    println!(
        "\n| delivery times of {MOVED} recipients on {count} clicks | call, ms | alarms | longest, ms | revisions |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (round, offset_ms) in [("first", 10_000_000), ("second", 0)] {
        let times: Vec<(Key, i64)> =
            (0..MOVED).map(|n| (Key::of(&format!("r{n}")), NOON_MS + offset_ms)).collect();
        let before = world.work.amended;
        let began = Instant::now();
        world.deliver(&times);
        let call = began.elapsed();
        let (mut now_ms, mut alarms, mut longest) = (end_ms, 0, Duration::ZERO);
        while let Some(wake_ms) = world.message().wake_ms(now_ms) {
            now_ms = now_ms.max(wake_ms);
            let began = Instant::now();
            world.settle(now_ms);
            world.ship(now_ms);
            (alarms, longest) = (alarms + 1, longest.max(began.elapsed()));
        }
        println!(
            "| {round} | {} | {alarms} | {} | {} |",
            call.as_millis(),
            longest.as_millis(),
            world.work.amended - before
        );
    }
}
