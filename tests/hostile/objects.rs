//! What the objects of a message say to each other, and the rows that come of it. Nobody else should write there; whatever stands in it,
//! an object lives through it.

use base64ct::{Base64UrlUnpadded, Encoding};
use clickproof::message::Message;
use clickproof::message::board::Board;
use clickproof::message::call::Handed;
use clickproof::message::list::{self, List};
use clickproof::message::sql::{Database, Value};
use clickproof::record::{EventId, EventIds, Record};
use clickproof::report::Part;
use clickproof::verdict::{Judging, Ruleset, Thresholds};
use fastrand::Rng;

use super::common::sqlite::Sqlite;
use super::common::world::World;
use super::common::{NOON_MS, record};
use super::{Target as Parser, text};

pub(crate) const PARSERS: [Parser; 7] = [
    Parser { name: "calls to a board", corpus: || played().said, try_one: call_to_board },
    Parser { name: "answers of a board", corpus: || played().answered, try_one: answer_of_board },
    Parser { name: "rows of a board", corpus: || played().board, try_one: rows_of_board },
    Parser { name: "rows of a shard", corpus: || played().shard, try_one: rows_of_shard },
    Parser { name: "parts of a report", corpus: parts, try_one: part },
    Parser { name: "what a shard is handed over", corpus: handed, try_one: hand_over },
    Parser { name: "calls to the list", corpus: || super::corpus("list"), try_one: call_to_list },
];

/// When the clicks have been reported, Unix milliseconds.
const REPORTED_MS: i64 = NOON_MS + 10_000;

fn judging() -> Judging {
    let thresholds = Thresholds { campaign_recipients: 3, ..Thresholds::default() };
    Judging { ruleset: Ruleset::Full, shadow: None, thresholds, settle_ms: 60_000 }
}

/// One of two shards, with clicks that others may have seen, too.
fn shard(name: &str, recipients: &[&str]) -> World {
    let mut world = World { name: name.to_owned(), shards: 2, ..World::new(judging()) };
    let clicks = recipients.iter().zip(0_u8..).map(|(recipient, n)| {
        let ts_ms = NOON_MS + i64::from(n) * 100;
        let id = EventIds::default().next(ts_ms, [n; 12]);
        let ip = Some("40.92.1.1".to_owned());
        Record { ip, ..record(&id.to_string(), recipient, "l", ts_ms) }
    });
    world.arrive(clicks.collect());
    world
}

fn board(rows: &Sqlite) -> Board<Sqlite> {
    Board::load(rows.clone(), judging(), "m#board", NOON_MS).unwrap()
}

/// What two shards and their board come to say and to keep.
#[derive(Default)]
struct Played {
    said: Vec<Vec<u8>>,
    answered: Vec<Vec<u8>>,
    board: Vec<Vec<u8>>,
    shard: Vec<Vec<u8>>,
}

fn played() -> Played {
    let (mut played, rows) = (Played::default(), Sqlite::default());
    let mut board = board(&rows);
    let mut shards = [shard("m", &["a", "b"]), shard("m#1", &["c", "d", "e"])];
    for _ in 0..3 {
        for world in &mut shards {
            let mut heard: Option<Vec<u8>> = None;
            while let Some(said) =
                world.call(|message| message.exchange(heard.as_deref().map(Some), true, REPORTED_MS)).unwrap()
            {
                heard = board.exchange(&said, REPORTED_MS).unwrap();
                played.said.push(said);
                played.answered.extend(heard.clone());
            }
            world.message().poked();
        }
    }
    for (rows, blobs) in [(&rows, &mut played.board), (&shards[0].rows, &mut played.shard)] {
        for statement in ["SELECT numbers FROM marks", "SELECT words FROM words"] {
            blobs.extend(rows.blobs(statement));
        }
    }
    assert!([&played.said, &played.answered, &played.board, &played.shard].iter().all(|all| all.len() > 1));
    played
}

fn call_to_board(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let mut board = board(&Sqlite::default());
    let is_taken = board.exchange(input, REPORTED_MS).unwrap().is_some();
    assert_eq!(board.exchange(input, REPORTED_MS).unwrap().is_some(), is_taken, "twice is as once");
    let owed = board.owed(i64::MAX);
    assert!(owed.len() <= 256 && (is_taken || owed.is_empty()), "{} shards are told", owed.len());
    is_taken
}

fn answer_of_board(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let mut world = shard("m", &["a", "b"]);
    assert!(world.call(|message| message.exchange(None, true, REPORTED_MS)).unwrap().is_some());
    world.call(|message| message.exchange(Some(Some(input)), false, REPORTED_MS)).unwrap();
    // What cannot be read is as no answer: it asks again, a second later.
    let is_taken = world.message().wake_ms(REPORTED_MS) != Some(REPORTED_MS + 1_000);
    settles(&mut world);
    is_taken
}

/// A shard settles and ships what it has, before it has died and after.
fn settles(world: &mut World) {
    for _ in 0..2 {
        world.settle(NOON_MS + 200_000);
        world.ship(NOON_MS + 200_000);
        let listed = world.listed();
        assert!(listed.len() == 2 && listed.iter().all(|line| line["final"] == true), "{listed:?}");
        world.crash();
    }
}

/// Puts a blob in place of everything that an object keeps of an exchange.
fn put(rows: &Sqlite, blob: &[u8]) {
    for statement in ["UPDATE marks SET numbers = ?", "UPDATE words SET words = ?"] {
        rows.run(statement, vec![Value::Blob(blob.to_vec())], &mut |_| Ok(())).unwrap();
    }
}

/// Numbers of eight bytes each.
fn is_whole(input: &[u8]) -> bool {
    !input.is_empty() && input.len().is_multiple_of(size_of::<u64>())
}

/// A shard, what it says to a board that has heard the other, and what that answers.
fn acquainted() -> (World, Sqlite, Vec<u8>, Vec<u8>) {
    let (rows, mut world) = (Sqlite::default(), shard("m", &["a", "b"]));
    let said =
        |world: &mut World| world.call(|message| message.exchange(None, true, REPORTED_MS)).unwrap().unwrap();
    let mut board = board(&rows);
    board.exchange(&said(&mut shard("m#1", &["c", "d", "e"])), REPORTED_MS).unwrap();
    let said = said(&mut world);
    let answer = board.exchange(&said, REPORTED_MS).unwrap().unwrap();
    (world, rows, said, answer)
}

fn rows_of_board(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let (_, rows, said, _) = acquainted();
    put(&rows, input);
    let mut board = board(&rows);
    assert!(board.exchange(&said, REPORTED_MS).unwrap().is_some(), "it answers");
    board.forget_before(i64::MAX).unwrap();
    board.told(1, true, REPORTED_MS).unwrap();
    is_whole(input)
}

fn rows_of_shard(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let (mut world, _, _, answer) = acquainted();
    world.call(|message| message.exchange(Some(Some(&answer)), false, REPORTED_MS)).unwrap();
    put(&world.rows, input);
    world.crash();
    world.alarm_set = true;
    world.call(|message| message.exchange(None, true, REPORTED_MS)).unwrap();
    settles(&mut world);
    is_whole(input)
}

fn parts() -> Vec<Vec<u8>> {
    let mut some = shard("m", &["a", "b"]);
    some.call(|message| message.tell(r#"{"title":"Spring","sent":9}"#)).unwrap();
    settles(&mut some);
    let all = [Part::default(), some.call(Message::part).unwrap()];
    all.into_iter().map(|part| Base64UrlUnpadded::decode_vec(&part.encode()).unwrap()).collect()
}

/// As bytes, and as the text that carries them, which may be none.
fn part(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    assert!(Part::decode(&text(input)).is_err(), "no part begins as text does");
    let Ok(part) = Part::decode(&Base64UrlUnpadded::encode_string(input)) else { return false };
    let told = part.clone().report("m");
    assert_eq!(told.message_id, "m");
    true
}

fn handed() -> Vec<Vec<u8>> {
    let of = |entries: Vec<u8>, next| Handed { entries, next }.encode().into_bytes();
    vec![of(Vec::new(), None), of((0..32).collect(), Some(7)), of(vec![0xff; 48], Some(255))]
}

fn hand_over(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let Some(handed) = Handed::decode(&text(input)) else { return false };
    let mut world = shard("m#1", &["a", "b"]);
    world.call(|message| message.hear(&handed.entries)).unwrap();
    settles(&mut world);
    assert_eq!(Handed::decode(&handed.encode()), Some(handed));
    true
}

/// A call: its path, a tab, its body.
fn call_to_list(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let (path, body) = given.split_once('\t').unwrap_or((&given, ""));
    let list = List::new(Sqlite::default());
    let is_taken = list.answer(path, body).unwrap().is_ok();
    assert!(list.answer(list::HEARD, "1795348800000 m").unwrap().is_ok(), "it goes on");
    let _ = EventId::parse(body);
    is_taken
}
