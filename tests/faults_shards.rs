//! The fault table of what several objects of a message say to each other: every call between a shard and their board, and every
//! statement that either of them runs for it. Each fails before it is done, fails behind that, comes late or twice, or is never answered.
//! Whatever it is, once all has come to rest the verdicts are those of the whole history, and no revision is there twice.
//!
//! What the objects' shell awaits (`src/edge/object`), and where it goes wrong:
//!
//! | await | test |
//! | --- | --- |
//! | a shard asks the board | [`any_exchange_may_be_lost_late_or_heard_twice`], live `tests/worker/board.test.mjs` |
//! | the board tells a shard to ask | [`any_word_to_a_shard_may_be_lost_late_or_heard_twice`] |
//! | what the board writes | [`any_statement_of_the_board_may_fail`] |
//! | what a shard writes of an answer | [`any_statement_of_a_shard_may_fail`] |
//! | what one object writes of clicks, verdicts, erasures and of what is too old; the queue | `tests/faults.rs`, live `tests/worker/faults.test.mjs` |
//! | a shard tells the first that it has begun | live `tests/worker/shards.test.mjs` |
//! | the list of messages is told; whether other shards have clicks; the board and the object are deleted | live `tests/worker/retention.test.mjs` and `messages.test.mjs` |
//! | an alarm is looked for and set | live `tests/worker/crash.test.mjs` |

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use clickproof::link::shard;
use clickproof::message::board::Board;
use clickproof::record::{Delivery, EventId, EventIds, Record, Sighting, Verified};
use clickproof::verdict::{Click, Judging, Look, Ruleset, Thresholds, judge};
use common::sqlite::{Failure, Sqlite};
use common::world::World;
use common::{NOON_MS, hits, record};
use serde_json::Value;

const EXCHANGE: &str = "40.92.1.1";
const HOME: &str = "203.0.113.9";
const RENTED: &str = "198.51.100.7";

const SHARDS: u32 = 3;

/// A board's alarm that failed comes back so much later, milliseconds.
const RETRY_MS: i64 = 2_000;

/// By when everything has come to rest, Unix milliseconds.
const END_MS: i64 = NOON_MS + 1_000_000_000;

fn judging() -> Judging {
    let thresholds = Thresholds { sandbox_clicks: 3, campaign_recipients: 8, ..Thresholds::default() };
    Judging { ruleset: Ruleset::Full, shadow: Some(Ruleset::Defender), thresholds, settle_ms: 60_000 }
}

/// What becomes of a call from one object to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ill {
    /// It is not heard, and whoever calls knows that it failed.
    Before,
    /// It is heard, and fails behind that.
    Behind,
    /// Whoever calls has given up when it is heard, so many other exchanges later.
    Late(usize),
    /// It is heard twice.
    Twice,
    /// It is heard and answered, and heard once more so many exchanges later.
    Again(usize),
    /// It is not heard and never answered: whoever calls dies as it waits.
    Never,
    /// It is heard and never answered.
    NeverBehind,
    /// Whoever hears it dies of it, when all is written.
    Deadly,
}

/// What goes wrong: one thing in a life, after so many of its kind that went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Exchange(Ill),
    Tell(Ill),
    BoardStatement,
    ShardStatement,
}

/// The objects of a message, one of which meets with trouble once.
struct Life {
    shards: Vec<World>,
    board: Option<Board<Sqlite>>,
    board_rows: Sqlite,
    /// When the board's alarm goes.
    board_ms: Option<i64>,
    /// Calls to the board that are under way for so many exchanges yet, and that nobody waits for.
    late: Vec<(usize, Vec<u8>)>,
    /// A shard has heard the board, which hears of that so many exchanges later and goes on to others.
    telling: Option<(usize, u32, Vec<u32>)>,
    now_ms: i64,
    trouble: Option<(u64, Trouble)>,
    exchanges: usize,
}

impl Life {
    fn new(trouble: Option<(u64, Trouble)>) -> Self {
        let one =
            |number| World { name: shard::object_name("m", number), shards: SHARDS, ..World::new(judging()) };
        Self {
            shards: (0..SHARDS).map(one).collect(),
            board: None,
            board_rows: Sqlite::default(),
            board_ms: None,
            late: Vec::new(),
            telling: None,
            now_ms: 0,
            trouble,
            exchanges: 0,
        }
    }

    fn of(&mut self, recipient_id: &str) -> &mut World {
        &mut self.shards[shard::shard(recipient_id, SHARDS) as usize]
    }

    /// What becomes of the next call of a kind.
    fn ill(&mut self, kind: fn(Ill) -> Trouble) -> Option<Ill> {
        let (left, trouble) = self.trouble?;
        let (Trouble::Exchange(ill) | Trouble::Tell(ill)) = trouble else { return None };
        if trouble != kind(ill) {
            return None;
        }
        self.trouble = left.checked_sub(1).map(|left| (left, trouble));
        self.trouble.is_none().then_some(ill)
    }

    /// Runs a call in which a statement fails, where that is the trouble and so many are behind it.
    fn fused<T>(
        &mut self,
        rows: &Sqlite,
        kind: Trouble,
        call: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        rows.set_fuse_of_all(self.trouble.filter(|(_, trouble)| *trouble == kind).map(|(left, _)| left));
        let done = call(self);
        if let Some(left) = rows.set_fuse_of_all(None) {
            self.trouble = done.is_ok().then_some((left, kind));
        }
        done
    }

    /// Something of the board, which forgets all where it fails.
    fn with_board<T>(&mut self, act: impl FnOnce(&mut Board<Sqlite>) -> Result<T, Failure>) -> Option<T> {
        let (rows, now_ms) = (self.board_rows.clone(), self.now_ms);
        let done = self.fused(&rows.clone(), Trouble::BoardStatement, |life| {
            rows.transaction(|| {
                if life.board.is_none() {
                    life.board = Some(Board::load(rows.clone(), judging(), "m#board", now_ms)?);
                }
                act(life.board.as_mut().unwrap())
            })
        });
        if done.is_err() {
            self.board = None;
        }
        done.ok()
    }

    /// The board hears a call.
    fn heard(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let long_ago_ms = self.now_ms - 90 * 86_400_000;
        let now_ms = self.now_ms;
        let answer = self.with_board(|board| {
            board.forget_before(long_ago_ms)?;
            board.exchange(body, now_ms)
        })?;
        self.sets_alarm_of_board();
        answer
    }

    /// A shard calls the board, and dies as it waits where that is the trouble.
    fn ask(&mut self, body: Vec<u8>) -> Result<Option<Vec<u8>>, Failure> {
        self.exchanges += 1;
        let ill = self.ill(Trouble::Exchange);
        let answer = match ill {
            None => Ok(self.heard(&body)),
            Some(Ill::Before) => Ok(None),
            Some(Ill::Behind) => Ok(self.heard(&body).and(None)),
            Some(Ill::Late(exchanges)) => {
                self.late.push((exchanges + 1, body));
                Ok(None)
            }
            Some(Ill::Twice) => {
                self.heard(&body);
                Ok(self.heard(&body))
            }
            Some(Ill::Again(exchanges)) => {
                self.late.push((exchanges + 1, body.clone()));
                Ok(self.heard(&body))
            }
            Some(Ill::Never) => Err(Failure::Blown),
            Some(Ill::NeverBehind) => {
                self.heard(&body);
                Err(Failure::Blown)
            }
            Some(Ill::Deadly) => {
                self.heard(&body);
                self.board = None;
                Ok(None)
            }
        };
        self.pass();
        answer
    }

    /// An exchange is over: what was under way comes nearer.
    fn pass(&mut self) {
        for (left, _) in &mut self.late {
            *left -= 1;
        }
        let (arrived, late) = std::mem::take(&mut self.late).into_iter().partition(|(left, _)| *left == 0);
        self.late = late;
        let arrived: Vec<(usize, Vec<u8>)> = arrived;
        for (_, body) in arrived {
            self.heard(&body);
        }
        if let Some((left, number, others)) = self.telling.take() {
            if left > 0 {
                self.telling = Some((left - 1, number, others));
            } else {
                self.told(number, true);
                self.tell(others);
            }
        }
    }

    fn exchange(&mut self, at: usize) -> Result<(), Failure> {
        let mut heard: Option<Option<Vec<u8>>> = None;
        for round in 0..=16 {
            let (answer, now_ms) = (heard.take(), self.now_ms);
            // To load it is another's test.
            self.shards[at].message();
            let rows = self.shards[at].rows.clone();
            let said = self.fused(&rows, Trouble::ShardStatement, |life| {
                let answer = answer.as_ref().map(|answer| answer.as_deref());
                life.shards[at].call(|message| message.exchange(answer, round < 16, now_ms))
            })?;
            let Some(body) = said else { return Ok(()) };
            heard = Some(self.ask(body)?);
        }
        Ok(())
    }

    /// A shard's alarm; one that fails, or dies, comes back.
    fn alarm(&mut self, at: usize) {
        let now_ms = self.now_ms;
        let done = self.exchange(at).and_then(|()| {
            self.shards[at].settle(now_ms);
            self.shards[at].ship(now_ms);
            self.exchange(at)
        });
        let world = &mut self.shards[at];
        if done.is_err() {
            world.crash();
            world.alarm_set = true;
        } else {
            world.alarm_set = world.message().wake_ms(now_ms).is_some();
        }
    }

    /// The board's alarm.
    fn board_alarm(&mut self) {
        self.board_ms = None;
        let now_ms = self.now_ms;
        match self.with_board(|board| Ok(board.owed(now_ms))) {
            Some(owed) => self.tell(owed.into_iter().map(|(number, _)| number).collect()),
            None => self.board_ms = Some(self.now_ms + RETRY_MS),
        }
    }

    /// The board tells shards that there is something to hear.
    fn tell(&mut self, mut numbers: Vec<u32>) {
        while !numbers.is_empty() {
            let number = numbers.remove(0);
            let called = self.with_board(|board| {
                board.calls(number);
                Ok(())
            });
            if called.is_none() {
                self.board_ms = Some(self.now_ms + RETRY_MS);
                return;
            }
            let ill = self.ill(Trouble::Tell);
            let times = match ill {
                Some(Ill::Before | Ill::Never) => 0,
                Some(Ill::Twice) => 2,
                _ => 1,
            };
            for _ in 0..times {
                let shard = &mut self.shards[number as usize];
                shard.message().poked();
                shard.alarm_set = true;
            }
            match ill {
                Some(Ill::Before | Ill::Behind) => return self.told(number, false),
                Some(Ill::Late(exchanges) | Ill::Again(exchanges)) => {
                    self.telling = Some((exchanges, number, numbers));
                    return;
                }
                Some(Ill::Never | Ill::NeverBehind) => {
                    self.board = None;
                    self.board_ms = Some(self.now_ms + RETRY_MS);
                    return;
                }
                Some(Ill::Deadly) => self.shards[number as usize].crash(),
                Some(Ill::Twice) | None => {}
            }
            self.told(number, true);
        }
        self.sets_alarm_of_board();
    }

    fn sets_alarm_of_board(&mut self) {
        let due_ms = self.board.as_ref().and_then(Board::due_ms);
        self.board_ms = self.board_ms.or(due_ms.map(|due_ms| due_ms.max(self.now_ms + 1)));
    }

    /// The board hears that a shard has heard it, or has not.
    fn told(&mut self, number: u32, is_told: bool) {
        let now_ms = self.now_ms;
        match self.with_board(|board| board.told(number, is_told, now_ms)) {
            Some(again_ms) => self.board_ms = again_ms.or(self.board_ms),
            None => self.board_ms = Some(now_ms + RETRY_MS),
        }
    }

    /// Everything that is due up to a moment happens, in order.
    fn run_until(&mut self, until_ms: i64) {
        for _ in 0..5_000 {
            let now_ms = self.now_ms;
            let wakes = self.shards.iter_mut().enumerate();
            let wakes = wakes.filter_map(|(at, shard)| Some((shard.message().wake_ms(now_ms)?, at)));
            let (wake_ms, at) = wakes.min().unwrap_or((i64::MAX, 0));
            // One alarm of an object at a time.
            let board_ms = self.board_ms.filter(|_| self.telling.is_none()).unwrap_or(i64::MAX);
            let next_ms = wake_ms.min(board_ms);
            if next_ms > until_ms {
                if until_ms < END_MS || self.late.is_empty() && self.telling.is_none() {
                    self.now_ms = until_ms;
                    return;
                }
                // Nobody else calls any more: what is under way comes all the same.
                self.pass();
                continue;
            }
            self.now_ms = now_ms.max(next_ms);
            if board_ms <= wake_ms { self.board_alarm() } else { self.alarm(at) }
        }
        panic!("it does not come to rest");
    }
}

/// What happens to the message, and when.
enum Step {
    Click(Box<Record>),
    Verify(String, EventId, Sighting),
    BoardIsLost,
}

fn id(ts_ms: i64, n: u8) -> EventId {
    EventIds::default().next(ts_ms, [n; 12])
}

/// A click of something that calls itself a browser and lacks what browsers send.
fn click(n: u8, recipient: u8, url: u8, at_ms: i64, ip: &str) -> Record {
    let ts_ms = NOON_MS + at_ms;
    let known = record(&id(ts_ms, n).to_string(), &format!("r{recipient}"), &format!("l{url}"), ts_ms);
    Record {
        event_id: known.event_id,
        message_id: known.message_id,
        recipient_id: known.recipient_id,
        link_id: known.link_id,
        url: known.url,
        ts_ms,
        sent_at_ms: known.sent_at_ms,
        method: known.method,
        ip: Some(ip.to_owned()),
        sec_fetch_site: None,
        sec_fetch_mode: None,
        sec_fetch_dest: None,
        accept_language: None,
        ..hits::chrome(158).0
    }
}

/// Clicks that are judged by what others' recipients do: a campaign's view, a fan-out of one source, what that was convicted of; some of
/// each come when the others have settled. And a page that proves a person where there is a crowd.
fn script() -> Vec<(i64, Step)> {
    let mut clicks: Vec<(Record, i64)> = Vec::new();
    let mut come = |recipient: u8, url: u8, at_ms: i64, ip: &str, delay_ms: i64| {
        let n = u8::try_from(clicks.len()).unwrap();
        clicks.push((click(n, recipient, url, at_ms, ip), delay_ms));
    };
    for wave in [61_000, 970_000] {
        // Just as many as make a crowd, while some have reported and others have not.
        for recipient in 0..8 {
            let delay_ms = if recipient == 3 { 130_000 } else { 0 };
            come(recipient, 0, wave + i64::from(recipient) * 1_300, EXCHANGE, delay_ms);
        }
    }
    // Before and behind the fan-out, from where it comes.
    come(9, 6, 280_000, HOME, 0);
    come(10, 6, 330_000, HOME, 0);
    for recipient in 0..5 {
        let delay_ms = if recipient == 4 { 400_000 } else { 0 };
        come(recipient, 1, 300_000 + i64::from(recipient) * 1_900, HOME, delay_ms);
    }
    // Far from all: it wakes nobody but its own shard.
    come(11, 2, 600_000, RENTED, 0);
    let (proven, shown_ms) = (&clicks[18].0, NOON_MS + 500_000);
    let (shown, recipient) = (EventId::parse(&proven.event_id).unwrap(), proven.recipient_id.clone());
    let sighting =
        Sighting { event_id: id(shown_ms, 200), verified: Verified::Interacted, since_load_ms: Some(700) };
    // While the first have settled and others have not.
    let lost_ms = NOON_MS + 1_040_000;
    let mut steps = vec![(shown_ms, Step::Verify(recipient, shown, sighting)), (lost_ms, Step::BoardIsLost)];
    let arrived = |(click, delay_ms): (Record, i64)| (click.ts_ms + delay_ms, Step::Click(Box::new(click)));
    steps.extend(clicks.into_iter().map(arrived));
    steps.sort_by_key(|(at_ms, _)| *at_ms);
    steps
}

/// Lives the script with one trouble, behind so many that did not come; says whether it came at all.
fn live(trouble: Option<(u64, Trouble)>) -> bool {
    let mut life = Life::new(trouble);
    let mut clicks: Vec<Record> = Vec::new();
    let mut shown: BTreeMap<String, Verified> = BTreeMap::new();
    for (at_ms, step) in script() {
        life.run_until(at_ms);
        match step {
            Step::Click(record) => {
                life.of(&record.recipient_id).ingest(&record);
                clicks.push(*record);
            }
            Step::Verify(recipient, click, sighting) => {
                life.of(&recipient).verify(click, &sighting);
                shown.insert(click.to_string(), sighting.verified);
            }
            Step::BoardIsLost => (life.board, life.board_rows) = (None, Sqlite::default()),
        }
    }
    life.run_until(END_MS);
    is_whole(&mut life, clicks, &shown, trouble);
    trouble.is_some() && life.trouble.is_none()
}

/// What stands in the end is what the whole history comes to.
fn is_whole(
    life: &mut Life,
    mut clicks: Vec<Record>,
    shown: &BTreeMap<String, Verified>,
    trouble: Option<(u64, Trouble)>,
) {
    clicks.sort_by_key(|click| (click.ts_ms, click.event_id.clone()));
    let verified = |record: &Record| shown.get(&record.event_id).copied().unwrap_or_default();
    let history: Vec<Rc<Click>> = clicks
        .iter()
        .map(|record| Click { verified: verified(record), ..Click::of(record, Delivery::default()) })
        .map(Rc::new)
        .collect();
    let mut listed: BTreeMap<String, Value> = BTreeMap::new();
    for world in &mut life.shards {
        world.check();
        let lines = world.listed().into_iter();
        listed.extend(lines.map(|line| (line["event_id"].as_str().unwrap().to_owned(), line)));
        let mut revisions = BTreeSet::new();
        for (id, theirs) in world.revisions() {
            for (expected, revision) in (1..).zip(theirs) {
                assert_eq!(revision, expected, "{trouble:?}: each revision of {id} once");
                revisions.insert((id.clone(), u64::from(revision)));
            }
        }
        // A page that was shown is an event of its own.
        let has_left = |known: &&(String, u64)| clicks.iter().any(|click| click.event_id == known.0);
        assert_eq!(
            world.shipped.iter().filter(has_left).collect::<Vec<_>>(),
            revisions.iter().collect::<Vec<_>>(),
            "{trouble:?}: what has left"
        );
    }
    assert_eq!(listed.len(), clicks.len(), "{trouble:?}");
    let mut crowded: BTreeSet<String> = BTreeSet::new();
    for (ruleset, is_shadow) in [(Ruleset::Full, false), (Ruleset::Defender, true)] {
        let found = judge(&history, ruleset, &judging().thresholds, Look::Whole);
        for (click, finding) in history.iter().zip(found) {
            let listing = &listed[&*click.event_id];
            let said = if is_shadow { &listing["shadow"] } else { listing };
            assert_eq!(listing["final"], true, "{trouble:?}: {listing}");
            for (name, value) in serde_json::to_value(&finding).unwrap().as_object().unwrap() {
                assert_eq!(&said[name], value, "{trouble:?}, {ruleset:?}: {name} of {listing}");
            }
            crowded.insert(finding.rule.to_string());
        }
    }
    for rule in ["campaign_view", "fanout", "carry_over"] {
        assert!(crowded.contains(rule), "the script has no {rule}: {crowded:?}");
    }
}

/// Lives with a trouble at each place of its kind; returns how many there were.
fn anywhere(trouble: Trouble) -> u64 {
    (0..10_000).find(|at| !live(Some((*at, trouble)))).unwrap()
}

#[test]
fn any_exchange_may_be_lost_late_or_heard_twice() {
    for ill in [
        Ill::Before,
        Ill::Behind,
        Ill::Late(1),
        Ill::Late(4),
        Ill::Twice,
        Ill::Again(1),
        Ill::Again(4),
        Ill::Never,
        Ill::NeverBehind,
        Ill::Deadly,
    ] {
        let met = anywhere(Trouble::Exchange(ill));
        println!("{ill:?}: {met} exchanges");
        assert!(met > 20, "{ill:?}: {met}");
    }
}

#[test]
fn any_word_to_a_shard_may_be_lost_late_or_heard_twice() {
    for ill in [
        Ill::Before,
        Ill::Behind,
        Ill::Late(0),
        Ill::Late(2),
        Ill::Twice,
        Ill::Never,
        Ill::NeverBehind,
        Ill::Deadly,
    ] {
        let met = anywhere(Trouble::Tell(ill));
        println!("{ill:?}: told {met} times");
        assert!(met > 2, "{ill:?}: {met}");
    }
}

#[test]
fn any_statement_of_the_board_may_fail() {
    let met = anywhere(Trouble::BoardStatement);
    println!("{met} statements");
    assert!(met > 100, "{met}");
}

#[test]
fn any_statement_of_a_shard_may_fail() {
    let met = anywhere(Trouble::ShardStatement);
    println!("{met} statements");
    assert!(met > 100, "{met}");
}
