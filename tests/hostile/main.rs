//! Hostile input at length: for every parser that strangers reach, some thousand inputs made of a corpus ([`generate`]), and none that
//! makes it panic, takes what nobody signed, says something else than it was told or grows out of proportion.
//!
//! `ROUNDS` is how many inputs there are in all, `SEED` makes those of another run once more: `ROUNDS=9500000 SEED=7 cargo test
//! --release --test hostile -- --nocapture`.

#![expect(clippy::disallowed_methods, reason = "a test reads the clock and what is asked of it")]

mod bytes;
#[path = "../common/mod.rs"]
mod common;
mod generate;
mod lives;
mod objects;
mod signed;
mod texts;

use std::any::Any;
use std::fmt::Write;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use fastrand::Rng;
use generate::corpus;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One test at a time: memory is the whole process's.
static ALONE: Mutex<()> = Mutex::new(());

/// How many inputs there are where nobody says.
const ROUNDS: usize = 200_000;

/// When all that is signed here was signed, Unix milliseconds.
const NOW_MS: i64 = 1_795_348_800_000;

/// A parser with what is thrown at it.
struct Target {
    name: &'static str,
    /// What is sent in earnest, and some of what is not.
    corpus: fn() -> Vec<Vec<u8>>,
    /// Tries one input and says whether the parser took it; panics where it must not have.
    try_one: fn(&[u8], &[Vec<u8>], &mut Rng) -> bool,
}

/// All of them.
fn targets() -> Vec<Target> {
    let signed = signed::PARSERS.into_iter();
    signed.chain(texts::PARSERS).chain(bytes::PARSERS).chain(objects::PARSERS).collect()
}

/// As text, as the runtime makes it of a body or a header.
fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// What became of a target's inputs.
#[derive(Default)]
struct Row {
    inputs: usize,
    taken: usize,
    longest: Duration,
}

#[test]
fn no_hostile_input_is_taken_or_breaks_anything() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (seed, rounds) = asked();
    println!("seed {seed}");
    let targets = targets();
    let each = rounds.div_ceil(targets.len());

    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            let row = run(target, each, seed);
            rows.lock().unwrap().push((target.name, row));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });

    let rows = rows.into_inner().unwrap();
    let mut table = String::from("| parser | inputs | taken | longest, ms |\n| --- | ---: | ---: | ---: |\n");
    for target in &targets {
        let (name, row) = rows.iter().find(|(name, _)| *name == target.name).expect("each has a row");
        let ms = row.longest.as_micros() / 1_000;
        writeln!(table, "| {name} | {} | {} | {ms} |", row.inputs, row.taken).unwrap();
        // Inputs that are refused at the first byte test nothing behind it, and those that are taken are none of an enemy.
        assert!(row.taken > 0 && row.taken < row.inputs, "{name}: {} of {} are taken", row.taken, row.inputs);
    }
    let inputs: usize = rows.iter().map(|(_, row)| row.inputs).sum();
    println!("{table}| all | {inputs} | | |");
}

/// One life of a message for so many inputs: it is some hundred times the work of one.
const INPUTS_A_LIFE: usize = 400;

#[test]
fn no_hostile_record_ends_a_message() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (seed, rounds) = asked();
    println!("seed {seed}");
    for life in 0..rounds.div_ceil(INPUTS_A_LIFE) as u64 {
        lives::live(&mut Rng::with_seed(seed.wrapping_add(life)));
    }
}

/// The seed, and how many inputs there are to be.
fn asked() -> (u64, usize) {
    let number =
        |name| env::var(name).ok().map(|text| text.parse::<u64>().expect("ROUNDS and SEED are numbers"));
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    (seed, number("ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap()))
}

/// Tries so many inputs. What panics is told with the input that did it.
fn run(target: &Target, rounds: usize, seed: u64) -> Row {
    let corpus = (target.corpus)();
    let mut rng =
        Rng::with_seed(target.name.bytes().fold(seed, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)));
    let mut row = Row { inputs: rounds, ..Row::default() };
    for _ in 0..rounds {
        let input = generate::input(&mut rng, &corpus);
        let began = Instant::now();
        let tried = panic::catch_unwind(AssertUnwindSafe(|| (target.try_one)(&input, &corpus, &mut rng)));
        row.longest = row.longest.max(began.elapsed());
        match tried {
            Ok(taken) => row.taken += usize::from(taken),
            Err(why) => panic!("{}, seed {seed}: {}\n{}", target.name, words(&*why), input.escape_ascii()),
        }
    }
    row
}

/// What a panic says.
fn words(why: &(dyn Any + Send)) -> &str {
    let text = why.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| why.downcast_ref::<&str>().copied()).unwrap_or("?")
}

/// How many bytes a parser and its test may hold at once for each byte that it is given, beside [`FREE_BYTES`]: a record of eleven bytes
/// is some seven hundred where it is read, and stands there twice.
const BYTES_PER_BYTE: usize = 192;

/// What it may hold whatever it is given.
const FREE_BYTES: usize = 1 << 20;

/// How much longer ten times the input may take, and how much no clock tells from nothing.
const TIMES_PER_TEN: u32 = 40;
const FREE_TIME: Duration = Duration::from_millis(30);
const TRIES: usize = 5;

/// What is ten times as long takes about ten times as long, and memory goes by length: nobody stops the Worker with one request.
#[test]
fn time_and_memory_go_by_the_length_of_an_input() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for target in targets() {
        let corpus = (target.corpus)();
        for (input, words) in corpus.iter().flat_map(|input| grown(input)) {
            let cost = |times: usize| {
                let long = input(times);
                let mut rng = Rng::with_seed(7);
                (0..3)
                    .map(|_| {
                        MEMORY.reset_peak_usage();
                        let (before, began) = (MEMORY.current_usage(), Instant::now());
                        (target.try_one)(&long, &corpus, &mut rng);
                        (began.elapsed(), MEMORY.peak_usage().saturating_sub(before), long.len())
                    })
                    .min()
                    .unwrap()
            };
            let (mut short, (mut long, memory, length)) = (cost(1_000).0, cost(10_000));
            let about = || format!("{}, {words}, {length} bytes", target.name);
            // A machine with something else to do is asked again: what goes by the square is too long each time.
            for _ in 0..TRIES {
                if long < FREE_TIME + short * TIMES_PER_TEN {
                    break;
                }
                (short, long) = (cost(1_000).0, cost(10_000).0);
            }
            assert!(long < FREE_TIME + short * TIMES_PER_TEN, "{}: {short:?}, then {long:?}", about());
            let most = FREE_BYTES + length * BYTES_PER_BYTE;
            assert!(memory < most, "{}: {memory} bytes of memory, {most} are enough", about());
        }
    }
}

/// An input grown in some way, by how much.
type Grown<'a> = Box<dyn Fn(usize) -> Vec<u8> + 'a>;

/// Ways in which an input grows: a part of it so many times, up to a megabyte.
fn grown(input: &[u8]) -> Vec<(Grown<'_>, &'static str)> {
    let (middle, end) = (input.len() / 2, input.len());
    let around = move |part: &'static [u8]| -> Grown<'_> {
        Box::new(move |times| [&input[..middle], &part.repeat(times), &input[middle..]].concat())
    };
    let most = move |times: usize| times.min((1 << 20) / end.max(1));
    vec![
        (Box::new(move |times| input.repeat(most(times))), "all of it again and again"),
        (Box::new(move |times| [&input[..middle], &input[middle..].repeat(most(times))].concat()), "its end"),
        (around(b"a"), "a long word"),
        (around(b"%41"), "escapes"),
        (around(b"0"), "a long number"),
        (around(b"[{\"a\":"), "depth"),
        (around(b"&a="), "parameters"),
        (around(b";a="), "parts of a header"),
        (around(b"../"), "steps up"),
        (around(b"\xf0\x9f\x98\x80"), "signs of four bytes"),
        (around(b"\n"), "empty lines"),
        (around(b"\0"), "zeros"),
        (around(b"\x01"), "ones"),
        (around(b"\xff"), "bytes that are no text"),
    ]
}
