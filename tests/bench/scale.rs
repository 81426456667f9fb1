//! A send to ten million at its busiest: `cargo bench --profile release --bench scale`, or `npm run bench -- scale`. Five thousand clicks a second
//! for ten minutes over sixteen objects, while calls get lost, objects die and some clicks come hours late, all in virtual time. Every
//! verdict that stands at the end is compared with the whole history's, judged at once; what it took is counted and priced. Then what
//! a click costs in one object, by how many it has.
//!
//! `RECIPIENTS`, `CLICKS_PER_SECOND`, `SECONDS`, `SHARDS`, `ISOLATES`, `STRAGGLERS`, `SEED`, and `GROWTH`, the most clicks in one object, make it another
//! send. Ends with an error where a verdict is another, or a bound is not met.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and its settings")]
#![expect(clippy::cast_precision_loss, reason = "counts are small")]

#[path = "../common/mod.rs"]
mod common;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use common::scale::{Play, Setup, calls, play};
use common::several::Meter;
use common::traffic::Sending;
use peak_alloc::PeakAlloc;
use serde_json::Value;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Cloudflare's list prices, dollars a million.
const PRICES: &str = include_str!("prices.json");

/// What the edge's work for a click takes, milliseconds: nothing that a native run could measure. Plain workerd takes a third of that
/// (`npm run bench -- speed`).
const WORKER_CPU_MS: f64 = 0.3;

/// What a million clicks may cost, dollars.
const MOST_DOLLARS: f64 = 0.5;

/// By how much a click in an object of many may cost more than in one of few.
const MOST_GROWTH: f64 = 1.2;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}

/// What the processor has done for this thread: others' work on the machine is no part of it. Where the system does not say it, all time.
fn processor_time() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = said.and_then(|said| said.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| BEGAN.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

fn main() -> ExitCode {
    let meter = Meter {
        time: processor_time,
        held: || HEAP.current_usage(),
        most: || HEAP.peak_usage(),
        begin: || HEAP.reset_peak_usage(),
    };
    let clicks_per_second = setting("CLICKS_PER_SECOND", 5_000);
    let sending = Sending {
        recipients: setting("RECIPIENTS", 10_000_000),
        clicks: clicks_per_second * setting("SECONDS", 600),
        clicks_per_second,
        stragglers: setting("STRAGGLERS", 100_000),
        seed: setting("SEED", 1),
    };
    let shards = u32::try_from(setting("SHARDS", 16)).expect("SHARDS: 1 to 256");
    let setup = Setup { send: sending, shards, isolates: setting("ISOLATES", 64), has_faults: true };
    let is_exact = send(setup, meter);
    let is_flat = growth(setup, meter);
    if is_exact && is_flat { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays the send; says whether all is as it must be.
fn send(setup: Setup, meter: Meter) -> bool {
    let began = Instant::now();
    let play = play(setup, meter);
    let played = began.elapsed();
    report(&play, setup);
    let dollars = bill(&play);
    by_isolates(setup, &dollars);
    let verdicts = play.into_verdicts();
    let began = Instant::now();
    let (rules, wrong) = verdicts.compare(setup.send);
    println!(
        "\nPlayed in {:.0} s, judged at once in {:.0} s; verdicts that stand: {}, amended before: {}, **other than \
         the whole history's: {wrong}**.\n\n| ruleset | rule | clicks |\n| --- | --- | ---: |",
        played.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        setup.send.clicks,
        verdicts.amended
    );
    for ((ruleset, rule), count) in rules {
        println!("| `{ruleset}` | `{rule}` | {count} |");
    }
    let sum: f64 = dollars.iter().map(|(_, dollars)| dollars).sum();
    if sum > MOST_DOLLARS {
        println!("\nA million clicks cost ${sum:.3}, and may cost ${MOST_DOLLARS}.");
    }
    wrong == 0 && sum <= MOST_DOLLARS
}

fn report(play: &Play, setup: Setup) {
    let (counts, several) = (play.counts, &play.several);
    let clicks = counts.clicks as f64;
    let (taken, board) = (play.taken(), several.board_taken);
    let work = several.shards.iter().map(|world| world.work);
    let (settled, seen) =
        work.fold((0, 0), |(settled, seen), work| (settled + work.settled, seen + work.seen));
    let million = |count: usize| count as f64 / clicks * 1e6;
    let Setup { send, shards, isolates, .. } = setup;
    println!(
        "{} recipients, {} clicks a second over {shards} objects and {isolates} isolates, seed {}:\n",
        send.recipients, send.clicks_per_second, send.seed
    );
    println!("| what | in all | a million clicks |\n| --- | ---: | ---: |");
    let rows = [
        ("clicks", counts.clicks),
        ("… that came late, by the second queue", counts.late),
        ("… that came again", counts.again),
        ("calls with clicks", counts.calls),
        ("… bytes", counts.call_bytes),
        ("calls for what landing pages showed", counts.shown),
        ("alarms of the objects", counts.alarms),
        ("exchanges with the board", several.exchanges),
        ("… bytes said", several.sent_bytes),
        ("… bytes answered", several.answered_bytes),
        ("alarms of the board", several.board_alarms),
        ("… objects told", several.told),
        ("rows written by the objects", play.shard_rows()),
        ("… by the board", counts.board_rows),
        ("… by setting alarms", counts.alarms_set),
        ("messages of the queue, and objects in R2", several.left.letters),
        ("… chunks of 64 kB", several.left.chunks),
        ("… bytes", several.left.bytes),
        ("seconds in which an object was awake", counts.awake_seconds),
        ("deaths of objects", counts.deaths),
        ("… of the board", counts.deaths_of_board),
    ];
    for (name, count) in rows {
        println!("| {name} | {count} | {:.0} |", million(count));
    }
    let mb = |bytes: isize| bytes as f64 / f64::from(1 << 20);
    println!("\n| what | |\n| --- | ---: |");
    println!("| clicks a call | {:.2} |", (counts.clicks + counts.again) as f64 / counts.calls as f64);
    println!("| memory of an object at most, its work included, MB | {:.1} |", mb(taken.most));
    println!("| memory of the board at most, MB | {:.1} |", mb(board.most));
    println!("| CPU of the objects, µs a click | {:.1} |", taken.time.as_secs_f64() * 1e6 / clicks);
    println!("| CPU of the board, µs a click | {:.1} |", board.time.as_secs_f64() * 1e6 / clicks);
    println!("| clicks looked at to settle one | {:.2} |", seen as f64 / settled as f64);
}

fn price(name: &str) -> f64 {
    let all: Value = serde_json::from_str(PRICES).expect("prices.json is JSON");
    all[name].as_f64().unwrap_or_else(|| panic!("prices.json: {name}"))
}

/// What a million clicks cost by what was counted, dollars by what they are for; those that object requests are for come second.
fn bill(play: &Play) -> Vec<(&'static str, f64)> {
    let (counts, several) = (play.counts, &play.several);
    let each = |count: usize| count as f64 / counts.clicks as f64;
    let asked = counts.shown + counts.alarms + several.exchanges + several.board_alarms + several.told;
    let rows = play.shard_rows() + counts.board_rows + counts.alarms_set;
    // Landing pages that report are requests of the Worker's, too.
    let requests = 1.0 + each(counts.shown);
    vec![
        ("calls with clicks", price("objectRequest") * each(counts.calls)),
        ("other requests of the objects", price("objectRequest") * each(asked)),
        ("Worker requests", price("workerRequest") * requests),
        ("Worker CPU", price("workerCpuMs") * WORKER_CPU_MS * requests),
        ("rows written", price("rowWritten") * each(rows)),
        // An object is billed as 128 MB.
        ("object duration", price("objectGigabyteSecond") * 0.125 * each(counts.awake_seconds)),
        ("queue operations", price("queueOperation") * 3.0 * each(several.left.chunks)),
        ("R2 writes", price("r2Write") * each(several.left.letters)),
        ("Logpush, a line a request", price("logpushRequest") * requests),
    ]
}

/// What a million clicks cost; and what they would where they came to more isolates or to fewer, which nobody but the platform can tell.
fn by_isolates(setup: Setup, dollars: &[(&str, f64)]) {
    println!("\n| dollars a million clicks | |\n| --- | ---: |");
    for (name, dollars) in dollars {
        println!("| {name} | {dollars:.3} |");
    }
    let sum: f64 = dollars.iter().map(|(_, dollars)| dollars).sum();
    println!("| **sum** | **{sum:.3}** |");
    println!("\n| isolates | clicks a call | dollars a million clicks |\n| ---: | ---: | ---: |");
    let others = sum - dollars[0].1;
    for isolates in [1, 16, 64, 256, 1_024, 4_096] {
        let calls = calls(Setup { isolates, has_faults: false, ..setup }) as f64;
        let clicks = setup.send.clicks as f64;
        println!(
            "| {isolates} | {:.2} | {:.3} |",
            clicks / calls,
            others + price("objectRequest") * calls / clicks
        );
    }
}

/// What a click costs in one object, by how many it has: so few a second that even the smallest history is longer than its windows.
/// Says whether that is flat: what is run, found, written and looked at, for time is the machine's, too.
fn growth(setup: Setup, meter: Meter) -> bool {
    const CLICKS_PER_SECOND: u64 = 5;
    let most = setting("GROWTH", 1_000_000);
    println!(
        "\nOne object, {CLICKS_PER_SECOND} clicks a second, {} recipients:\n\n| clicks | statements a click | rows found | \
         rows written | looked at to settle it | all of these, to the first | CPU, µs | memory at most, MB |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        setup.send.recipients
    );
    let (mut first, mut is_flat) = (None, true);
    for clicks in [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|clicks| *clicks <= most) {
        let send = Sending { clicks, clicks_per_second: CLICKS_PER_SECOND, stragglers: 0, ..setup.send };
        let play = play(Setup { send, shards: 1, has_faults: false, ..setup }, meter);
        let (world, taken) = (&play.several.shards[0], play.taken());
        let ran = world.rows.ran("");
        let written = world.rows.written() + play.counts.alarms_set;
        let costs = [ran.times, ran.rows, written, world.work.seen].map(|count| count as f64 / clicks as f64);
        let sum = costs.iter().sum::<f64>();
        let growth = sum / *first.get_or_insert(sum);
        is_flat &= growth <= MOST_GROWTH;
        let [statements, rows, written, seen] = costs;
        println!(
            "| {clicks} | {statements:.3} | {rows:.3} | {written:.3} | {seen:.2} | {growth:.2} × | {:.1} | {:.1} |",
            taken.time.as_secs_f64() * 1e6 / clicks as f64,
            taken.most as f64 / f64::from(1 << 20)
        );
    }
    if !is_flat {
        println!("\nA click in an object of many costs more than {MOST_GROWTH} of one in an object of few.");
    }
    is_flat
}
