//! The fault table of a message: every step of its life, its erasures and its end among them, and every statement and every message of the
//! queue in it. Each fails before it
//! is done, fails behind that, is answered late or twice, or is never asked for again. Whatever it is, what was acknowledged is there in
//! the end, judged and shipped as if nothing had been, and nothing is there twice by its id and revision.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use clickproof::event::parcel::{Letter, Parcel};
use clickproof::message::wanted::Filter;
use clickproof::message::{Gone, Message, Outcome};
use clickproof::record::{Delivery, EventId, EventIds, Kind, Record, Sighting, Verified};
use clickproof::verdict::{Judging, Key, Ruleset, Thresholds};
use common::sqlite::{Failure, Sqlite};
use common::{NOON_MS, record};
use serde_json::Value;

const HOME: &str = "203.0.113.9";
const EXCHANGE: &str = "40.92.1.1";

/// Windows close so long after a click.
const SETTLE_MS: i64 = 60_000;

/// An alarm that failed comes back so much later.
const RETRY_MS: i64 = 5_000;

/// Records are kept so long, where a script lets them go.
const KEPT_MS: i64 = 300_000;

/// All that an object may have, as deleting it leaves it.
const NO_TABLES: &str = "DROP TABLE IF EXISTS message; DROP TABLE IF EXISTS batches; DROP TABLE IF EXISTS packs; \
    DROP TABLE IF EXISTS repeats; DROP TABLE IF EXISTS deliveries; DROP TABLE IF EXISTS verifications; \
    DROP TABLE IF EXISTS presses; DROP TABLE IF EXISTS revisits; DROP TABLE IF EXISTS sums; DROP TABLE IF EXISTS about; \
    DROP TABLE IF EXISTS letters; DROP TABLE IF EXISTS marks; DROP TABLE IF EXISTS words";

/// What a message is asked or told, at its time.
#[derive(Clone, Debug)]
enum Step {
    Arrive(Vec<Record>),
    Replay(Vec<Record>),
    Act(Box<Record>),
    Verify(EventId, Sighting),
    Deliver(Vec<(Key, Delivery)>),
    Tell(&'static str),
    Reship,
    Read(EventId),
    Alarm(i64),
    /// A recipient is erased, or without one the message.
    Erase(Option<&'static str>, i64),
    /// What is older than [`KEPT_MS`] goes; as it follows upon an alarm, it comes back as one does.
    LetGo(i64),
}

impl Step {
    /// Whether it says something of a recipient.
    fn is_of(&self, recipient: &str) -> bool {
        let is_theirs = |record: &Record| record.recipient_id == recipient;
        match self {
            Self::Arrive(records) | Self::Replay(records) => records.iter().any(is_theirs),
            Self::Act(record) => is_theirs(record),
            Self::Deliver(news) => news.iter().any(|(key, _)| *key == Key::of(recipient)),
            _ => false,
        }
    }

    /// Whether it is what the platform brings back where it fails.
    const fn comes_back(&self) -> bool {
        matches!(self, Self::Alarm(_) | Self::LetGo(_))
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Arrive(_) => "clicks arrive",
            Self::Replay(_) => "records are brought along",
            Self::Act(_) => "somebody acts",
            Self::Verify(..) => "a page is touched",
            Self::Deliver(_) => "deliveries are told",
            Self::Tell(_) => "the message is named",
            Self::Reship => "all is shipped again",
            Self::Read(_) => "it is read",
            Self::Alarm(_) => "an alarm",
            Self::Erase(Some(_), _) => "a recipient is erased",
            Self::Erase(None, _) => "the message is erased",
            Self::LetGo(_) => "what is too old goes",
        }
    }
}

/// What a queue does with its *n*th message from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    /// It refuses: it fails before.
    Refuses,
    /// It takes it, and says that it has not: it fails behind.
    TakesInSilence,
    /// It takes it, and the object is gone when it says so: it answers too late.
    TakesTooLate,
    /// It brings it twice.
    Repeats,
}

const QUEUES: [Queue; 4] = [Queue::Refuses, Queue::TakesInSilence, Queue::TakesTooLate, Queue::Repeats];

/// A message, its rows, and all that has left it.
struct Life {
    rows: Sqlite,
    message: Option<Message<Sqlite>>,
    alarm_set: bool,
    /// R2's objects, by their keys: what is written again must be the same.
    bucket: BTreeMap<String, String>,
    /// The acts that their sender heard of, by `webhook-id`.
    told: BTreeSet<String>,
    queue: Option<(usize, Queue)>,
    /// What comes while a message is on its way to the queue.
    meanwhile: Option<Step>,
    /// Who was erased, and has not been heard of since.
    erased: BTreeSet<&'static str>,
    /// Something was erased: objects of the bucket may be written anew.
    rewrites: bool,
    /// When what is too old was to go: where something had not left by then, it goes in the end.
    lets_go: Option<Step>,
}

impl Life {
    fn new() -> Self {
        Self {
            rows: Sqlite::default(),
            message: None,
            alarm_set: false,
            bucket: BTreeMap::new(),
            told: BTreeSet::new(),
            queue: None,
            meanwhile: None,
            erased: BTreeSet::new(),
            rewrites: false,
            lets_go: None,
        }
    }

    fn load(&mut self) -> Result<(), Failure> {
        if self.message.is_some() {
            return Ok(());
        }
        let judging = Judging {
            ruleset: Ruleset::Full,
            shadow: Some(Ruleset::Defender),
            thresholds: Thresholds { sandbox_clicks: 3, ..Thresholds::default() },
            settle_ms: SETTLE_MS,
        };
        let (rows, rests) = (self.rows.clone(), !self.alarm_set);
        let message = self.rows.transaction(|| {
            let mut message = match Message::load(rows.clone(), judging.clone(), rests)? {
                Some(message) => message,
                None => Message::create(rows, judging, "m")?,
            };
            message.set_receiver()?;
            Ok::<_, Failure>(message)
        })?;
        self.message = Some(message);
        Ok(())
    }

    /// One transaction; after a failure all that memory knew is forgotten.
    fn call<T>(
        &mut self,
        act: impl FnOnce(&mut Message<Sqlite>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let done = self.load().and_then(|()| {
            let message = self.message.as_mut().unwrap();
            let done = self.rows.transaction(|| act(message));
            self.alarm_set |= message.wake_ms(0).is_some();
            done
        });
        if done.is_err() {
            self.message = None;
        }
        done
    }

    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        self.erased.retain(|recipient| !step.is_of(recipient));
        match step.clone() {
            Step::Arrive(records) => self.call(|message| message.arrive(records).map(|_| ())),
            Step::Replay(records) => self.call(|message| message.replay(records).map(|_| ())),
            Step::Act(record) => self.call(|message| message.act(*record).map(|_| ())),
            Step::Verify(id, sighting) => self.call(|message| message.verify(id, &sighting).map(|_| ())),
            Step::Deliver(news) => self.call(|message| message.deliver(&news).map(|_| ())),
            Step::Tell(words) => self.call(|message| message.tell(words)),
            Step::Reship => self.call(|message| message.reship().map(|_| ())),
            Step::Read(id) => self.call(|message| {
                message.page(None, 3, &Filter::default())?;
                message.explain(id)?;
                message.report("m").map(|_| ())
            }),
            Step::Alarm(now_ms) => self.alarm(now_ms),
            Step::Erase(recipient, now_ms) => {
                // What fails has erased nothing, and what is not known to have may have.
                self.rewrites = true;
                self.call(|message| message.erase(recipient, now_ms))?;
                self.erased.extend(recipient);
                Ok(())
            }
            Step::LetGo(now_ms) => {
                self.lets_go = Some(step.clone());
                if self.call(|message| message.let_go(KEPT_MS, now_ms))? == Gone::All {
                    self.rows.change(NO_TABLES);
                    (self.message, self.alarm_set) = (None, false);
                }
                Ok(())
            }
        }
    }

    /// As the object's alarm goes.
    fn alarm(&mut self, now_ms: i64) -> Result<(), Failure> {
        self.call(|message| message.settle(now_ms))?;
        while let Some(next) = self.call(|message| message.next(now_ms))? {
            let letters = match next.outcome {
                Outcome::Send(letters) => letters,
                Outcome::Superseded => Vec::new(),
                Outcome::Blocked(words) => panic!("{words}"),
            };
            if let Some(step) = self.meanwhile.take() {
                self.step(&step)?;
            }
            if !letters.iter().all(|letter| self.send(letter)) {
                self.alarm_set = true;
                // Nobody is there to be told.
                if self.message.is_none() {
                    return Err(Failure::Blown);
                }
                self.call(|message| message.refused(now_ms))?;
                break;
            }
            self.call(|message| message.sent(next.item))?;
        }
        self.call(|message| message.rest(now_ms))?;
        self.alarm_set = self.message.as_ref().is_some_and(|message| message.wake_ms(now_ms).is_some());
        Ok(())
    }

    /// Gives the queue a message, and says whether the object hears that it has it.
    fn send(&mut self, letter: &Letter) -> bool {
        let trouble = match &mut self.queue {
            Some((0, _)) => self.queue.take().map(|(_, trouble)| trouble),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        if trouble == Some(Queue::Refuses) {
            return false;
        }
        for _ in 0..=usize::from(trouble == Some(Queue::Repeats)) {
            match letter.open().unwrap() {
                Parcel::Pack { key, lines, .. } => {
                    let before = self.bucket.insert(key.clone(), lines.clone().into_owned());
                    assert!(
                        self.rewrites || before.is_none_or(|before| before == lines),
                        "{key} is written anew and not the same"
                    );
                }
                Parcel::Act { id, .. } => _ = self.told.insert(id),
                Parcel::Blank { keys } => {
                    assert!(self.rewrites, "nothing is erased here");
                    self.bucket.extend(keys.lines().map(|key| (key.to_owned(), String::new())));
                }
            }
        }
        if trouble == Some(Queue::TakesTooLate) {
            self.message = None;
        }
        !matches!(trouble, Some(Queue::TakesInSilence | Queue::TakesTooLate))
    }

    /// Lets alarms do all that is left.
    fn end(mut self) -> End {
        let mut now_ms = 0;
        self.load().unwrap();
        while let Some(wake_ms) = self.message.as_ref().unwrap().wake_ms(now_ms) {
            now_ms = now_ms.max(wake_ms).max(NOON_MS + 400_000);
            self.alarm(now_ms).unwrap();
            self.load().unwrap();
            assert!(now_ms < NOON_MS + 400_000_000, "it does not come to rest");
        }
        if let Some(step) = self.lets_go.take() {
            self.step(&step).unwrap();
        }
        self.load().unwrap();
        let message = self.message.as_mut().unwrap();
        assert_eq!(message.check().unwrap(), Ok(()));
        let page = message.page(None, 1_000, &Filter::default()).unwrap();
        let parsed = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let listed: Vec<Value> = page.lines.iter().map(|line| parsed(line)).collect();
        let mut report = serde_json::to_value(message.report("m").unwrap()).unwrap();
        // Counts are the clicks' own, whenever they were made.
        report.as_object_mut().unwrap().remove("diagnosis");

        let mut shipped: BTreeSet<(String, u64)> = BTreeSet::new();
        for event in self.bucket.values().flat_map(|lines| lines.lines()).map(parsed) {
            let key = (event["event_id"].as_str().unwrap().to_owned(), event["revision"].as_u64().unwrap());
            assert!(shipped.insert(key.clone()), "{key:?} has left in two packs");
        }
        for click in &listed {
            for revision in 1..=click["revision"].as_u64().unwrap() {
                let key = (click["event_id"].as_str().unwrap().to_owned(), revision);
                assert!(shipped.contains(&key), "{key:?} has not left");
            }
        }
        let bytes = self.rows.bytes();
        for recipient in self.erased {
            let is_in = |text: &[u8]| text.windows(recipient.len()).any(|part| part == recipient.as_bytes());
            assert!(!is_in(&bytes), "{recipient} is in the rows");
            assert!(
                !self.bucket.values().any(|lines| is_in(lines.as_bytes())),
                "{recipient} is in the bucket"
            );
        }
        let fact = |click: &Value, name: &str| click[name].to_string();
        let facts = [
            "event_id",
            "click_type",
            "rule",
            "confidence",
            "verified",
            "final",
            "delivered_at_ms",
            "shadow",
        ];
        let judged = listed
            .iter()
            .map(|click| facts.iter().map(|name| without_revision(&fact(click, name))).collect())
            .collect();
        let left = shipped.into_iter().map(|(id, _)| id).collect();
        End { judged, left, told: self.told, report: report.to_string() }
    }
}

/// A fact without the number of the revision that told it: evidence that comes later is told by a later one.
fn without_revision(fact: &str) -> String {
    let Some((before, behind)) = fact.split_once("\"revision\":") else { return fact.to_owned() };
    format!("{before}{}", behind.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}

/// What a life comes to.
#[derive(Debug, PartialEq, Eq)]
struct End {
    judged: Vec<Vec<String>>,
    /// Whatever the bucket has of it.
    left: BTreeSet<String>,
    told: BTreeSet<String>,
    report: String,
}

fn id(ts_ms: i64, n: u8) -> EventId {
    EventIds::default().next(ts_ms, [n; 12])
}

fn click(at_ms: i64, n: u8, recipient: &str, link: &str, ip: &str) -> Record {
    let ts_ms = NOON_MS + at_ms;
    Record { ip: Some(ip.to_owned()), ..record(&id(ts_ms, n).to_string(), recipient, link, ts_ms) }
}

fn act(at_ms: i64, n: u8, recipient: &str, kind: Kind) -> Step {
    let click = click(at_ms, n, recipient, "u", HOME);
    let act = Record { kind, url: None, method: "POST".to_owned(), act: Some("form".to_owned()), ..click };
    Step::Act(Box::new(act))
}

/// A message's life with something of everything: people and scanners, a pair, acts, a late click, a touched page, deliveries.
fn script() -> Vec<Step> {
    let sweep = (0..4).map(|n| click(10_000 + i64::from(n) * 50, n, "swept", &format!("l{n}"), EXCHANGE));
    let touched = click(120_000, 20, "person", "l1", HOME);
    let touched_id = EventId::parse(&touched.event_id).unwrap();
    let seen = Sighting {
        event_id: id(NOON_MS + 125_000, 21),
        verified: Verified::Interacted,
        since_load_ms: Some(700),
    };
    let delivered = Delivery { delivered_at_ms: Some(NOON_MS + 60_000), bounced_at_ms: None };
    vec![
        Step::Tell(r#"{"title":"Spring","sent":100}"#),
        Step::Arrive(sweep.collect()),
        Step::Arrive(vec![click(11_000, 9, "person", "l0", HOME)]),
        Step::Alarm(NOON_MS + 80_000),
        // Early: it mends what was lost before.
        Step::Reship,
        Step::Alarm(NOON_MS + 95_000),
        Step::Arrive(vec![touched, click(120_100, 22, "person", "l1", EXCHANGE)]),
        act(121_000, 23, "person", Kind::Unsubscribe),
        act(122_000, 24, "other", Kind::Confirm),
        Step::Verify(touched_id, seen),
        Step::Alarm(NOON_MS + 130_000),
        Step::Read(touched_id),
        Step::Alarm(NOON_MS + 200_000),
        Step::Deliver(vec![(Key::of("swept"), delivered), (Key::of("nobody"), delivered)]),
        Step::Replay(vec![click(-1_000, 30, "early", "l2", HOME), click(11_000, 9, "person", "l0", HOME)]),
        Step::Alarm(NOON_MS + 290_000),
        act(310_000, 31, "person", Kind::Unsubscribe),
        Step::Alarm(NOON_MS + 399_000),
    ]
}

/// Two are erased, one of them while an act of theirs waits and the queue has some of their clicks; then what is old goes.
fn erasing() -> Vec<Step> {
    let swept = (0..4).map(|n| click(10_000 + i64::from(n) * 50, n, "walrus", &format!("l{n}"), EXCHANGE));
    let delivered = Delivery { delivered_at_ms: Some(NOON_MS + 9_000), bounced_at_ms: None };
    vec![
        Step::Arrive(swept.chain([click(11_000, 9, "person", "l0", HOME)]).collect()),
        Step::Deliver(vec![(Key::of("walrus"), delivered), (Key::of("quokka"), delivered)]),
        Step::Alarm(NOON_MS + 95_000),
        // A week ends here, so to speak.
        Step::LetGo(NOON_MS + 96_000),
        Step::Arrive(vec![
            click(110_000, 10, "walrus", "l1", EXCHANGE),
            click(110_100, 11, "quokka", "l1", EXCHANGE),
            click(110_200, 12, "person", "l1", HOME),
        ]),
        act(121_000, 23, "walrus", Kind::Confirm),
        Step::Erase(Some("walrus"), NOON_MS + 122_000),
        Step::Alarm(NOON_MS + 200_000),
        act(310_000, 31, "person", Kind::Unsubscribe),
        Step::Erase(Some("quokka"), NOON_MS + 320_000),
        Step::Alarm(NOON_MS + 389_000),
        Step::LetGo(NOON_MS + 403_000),
        Step::Alarm(NOON_MS + 409_000),
    ]
}

/// The message is erased and goes, and a click on one of its links begins it anew.
fn forgetting() -> Vec<Step> {
    let clicks = |at_ms: i64, n: u8| {
        Step::Arrive((0..3).map(|of| click(at_ms, n + of, &format!("r{of}"), "l", HOME)).collect())
    };
    vec![
        Step::Tell(r#"{"title":"Spring","sent":100}"#),
        clicks(10_000, 1),
        Step::Alarm(NOON_MS + 95_000),
        clicks(100_000, 11),
        act(110_000, 21, "r1", Kind::Confirm),
        Step::Erase(None, NOON_MS + 120_000),
        Step::Alarm(NOON_MS + 125_000),
        Step::LetGo(NOON_MS + 126_000),
        clicks(200_000, 31),
        Step::Alarm(NOON_MS + 300_000),
    ]
}

/// What becomes of a script where one step goes as `trouble` has it.
fn lived(script: &[Step], at: usize, trouble: impl FnOnce(&mut Life, &Step)) -> End {
    let mut life = Life::new();
    for step in &script[..at] {
        life.step(step).unwrap();
    }
    trouble(&mut life, &script[at]);
    for step in &script[at + 1..] {
        life.step(step).unwrap();
    }
    life.end()
}

fn as_ever(script: &[Step]) -> End {
    lived(script, 0, |life, step| life.step(step).unwrap())
}

/// Of those who were erased nothing is left, nor of what was too old; whoever clicked behind that is there.
#[test]
fn scripts_that_erase_leave_what_they_are_to() {
    assert_eq!(as_ever(&erasing()).judged.len(), 2);
    assert_eq!(as_ever(&forgetting()).judged.len(), 3);
}

/// The step as it comes once more: an alarm a while later.
fn again(step: &Step) -> Step {
    match step {
        Step::Alarm(now_ms) => Step::Alarm(now_ms + RETRY_MS),
        Step::LetGo(now_ms) => Step::LetGo(now_ms + RETRY_MS),
        step => step.clone(),
    }
}

/// How many statements a step is where the object was asleep.
fn statements(script: &[Step], at: usize) -> u64 {
    let mut left = None;
    lived(script, at, |life, step| {
        life.message = None;
        life.rows.set_fuse_of_all(Some(u64::MAX));
        life.step(step).unwrap();
        left = life.rows.set_fuse_of_all(None);
    });
    u64::MAX - left.unwrap()
}

#[test]
fn any_statement_of_any_step_may_fail_and_the_step_be_asked_for_again() {
    for (script, least) in [(script(), 150), (erasing(), 150), (forgetting(), 60)] {
        let expected = as_ever(&script);
        let mut faults = 0;
        for at in 0..script.len() {
            for statement in 0..statements(&script, at) {
                let end = lived(&script, at, |life, step| {
                    // The object was asleep: to load it is a part of the step.
                    life.message = None;
                    life.rows.set_fuse_of_all(Some(statement));
                    assert!(life.step(step).is_err());
                    life.rows.set_fuse_of_all(None);
                    life.message = None;
                    life.step(&again(step)).unwrap();
                });
                assert_eq!(end, expected, "step {at}, {}, statement {statement}", script[at].name());
                faults += 1;
            }
        }
        println!("{faults} faults");
        assert!(faults > least, "{faults}");
    }
}

/// The caller gave up before it was done, as the edge does where a click is spilled or told of in the log: it is as if it had never been
/// asked. Alarms are the platform's: those come back.
#[test]
fn any_statement_of_any_call_may_fail_for_good() {
    for script in [script(), erasing(), forgetting()] {
        for at in 0..script.len() {
            let without: Vec<Step> = [&script[..at], &script[at + 1..]].concat();
            let expected = as_ever(&without);
            if script[at].comes_back() {
                continue;
            }
            for statement in 0..statements(&script, at) {
                let end = lived(&script, at, |life, step| {
                    life.message = None;
                    life.rows.set_fuse_of_all(Some(statement));
                    assert!(life.step(step).is_err());
                    life.rows.set_fuse_of_all(None);
                });
                assert_eq!(end, expected, "step {at}, {}, statement {statement}", script[at].name());
            }
        }
    }
}

/// It is done, and nobody hears of it: the object dies with the answer, and the caller asks again, at once or long after; or the answer
/// came, and the caller asks again all the same.
#[test]
fn any_step_may_be_done_in_silence_late_or_twice() {
    for script in [script(), erasing(), forgetting()] {
        let expected = as_ever(&script);
        let erases = script.iter().any(|step| matches!(step, Step::Erase(..)));
        for at in 0..script.len() {
            let silent = lived(&script, at, |life, step| {
                life.step(step).unwrap();
                life.message = None;
                life.step(&again(step)).unwrap();
            });
            assert_eq!(silent, expected, "step {at}, {}, in silence", script[at].name());
            let twice = lived(&script, at, |life, step| {
                life.step(step).unwrap();
                life.step(&again(step)).unwrap();
            });
            assert_eq!(twice, expected, "step {at}, {}, twice", script[at].name());
            // Until the last alarm: by then it was asked for again wherever it stood. What comes again behind an erasure is there again.
            if !erases && !script[at].comes_back() {
                let mut late = script.clone();
                late.insert(script.len() - 1, script[at].clone());
                assert_eq!(
                    as_ever(&late),
                    expected,
                    "step {at}, {}, once more at the end",
                    script[at].name()
                );
            }
        }
    }
}

#[test]
fn any_message_of_the_queue_may_be_refused_lost_late_or_brought_twice() {
    let mut troubles = 0;
    for script in [script(), erasing(), forgetting()] {
        let expected = as_ever(&script);
        for at in (0..script.len()).filter(|at| matches!(script[*at], Step::Alarm(_))) {
            for queue in QUEUES {
                for message in 0.. {
                    let mut met = false;
                    let end = lived(&script, at, |life, step| {
                        life.queue = Some((message, queue));
                        let done = life.step(step);
                        met = life.queue.take().is_none();
                        if done.is_err() {
                            life.step(&again(step)).unwrap();
                        }
                    });
                    if !met {
                        break;
                    }
                    assert_eq!(end, expected, "alarm {at}, message {message}: {queue:?}");
                    troubles += 1;
                }
            }
        }
    }
    println!("{troubles} troubles");
    assert!(troubles >= 4 * 12, "{troubles}");
}

/// While the queue takes its time everything else goes on.
#[test]
fn any_call_may_come_while_a_message_is_on_its_way() {
    for script in [script(), erasing(), forgetting()] {
        for at in (0..script.len()).filter(|at| matches!(script[*at], Step::Alarm(_))) {
            for (other, step) in script.iter().enumerate().skip(at + 1) {
                if step.comes_back() {
                    continue;
                }
                // The same, one behind the other.
                let (mut before, mut moved) = (script.clone(), script.clone());
                before.remove(other);
                moved.remove(other);
                before.insert(at + 1, step.clone());
                let expected = as_ever(&before);
                let end = lived(&moved, at, |life, alarm| {
                    life.meanwhile = Some(step.clone());
                    life.step(alarm).unwrap();
                    if let Some(step) = life.meanwhile.take() {
                        life.step(&step).unwrap();
                    }
                });
                assert_eq!(end, expected, "alarm {at}, {}", step.name());
            }
        }
    }
}
