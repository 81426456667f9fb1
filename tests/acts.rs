//! Acts: whatever is repeated, whatever crashes, an unsubscription or confirmation stands once and its sender is told.

mod common;

use clickproof::event::parcel::{Letter, Parcel};
use clickproof::message::{Acted, Arrival, Item, Message, Outcome, Outgoing, TICK_MS};
use clickproof::record::EventIds;
use clickproof::record::Kind;
use clickproof::record::{EventId, Record};
use clickproof::verdict::Judging;
use clickproof::verdict::judging::RECORDING_LAG_MS;
use clickproof::verdict::{Ruleset, Thresholds};
use common::NOON_MS;
use common::sqlite::{Failure, Sqlite};
use serde_json::Value;

const SETTLE_MS: i64 = 60_000;
const HOME: &str = "203.0.113.9";

/// A mail gateway's network: whoever presses the button from there is a scanner.
const BARRACUDA: &str = "209.222.82.5";

/// In no catalogue: only what comes from there gives it away.
const SWEEPER: &str = "198.51.100.77";

/// A message, the storage that outlives it, and a queue.
struct World {
    rows: Sqlite,
    message: Option<Message<Sqlite>>,
    ids: EventIds,
    has_receiver: bool,
    queue: Vec<Letter>,
    now_ms: i64,
}

impl World {
    fn new() -> Self {
        Self {
            rows: Sqlite::default(),
            message: None,
            ids: EventIds::default(),
            has_receiver: true,
            queue: Vec::new(),
            now_ms: NOON_MS + 100_000,
        }
    }

    fn load(&self) -> Result<Message<Sqlite>, Failure> {
        let judging = Judging {
            ruleset: Ruleset::Full,
            shadow: None,
            thresholds: Thresholds::default(),
            settle_ms: SETTLE_MS,
        };
        let mut message = match Message::load(self.rows.clone(), judging.clone(), false)? {
            Some(message) => message,
            None => Message::create(self.rows.clone(), judging, "m")?,
        };
        if self.has_receiver {
            message.set_receiver()?;
        }
        Ok(message)
    }

    /// A call of the object: one transaction, and a message that is loaded anew after a failure.
    fn call<T>(
        &mut self,
        call: impl FnOnce(&mut Message<Sqlite>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let rows = self.rows.clone();
        let mut message = self.message.take();
        let result = rows.transaction(|| {
            if message.is_none() {
                message = Some(self.load()?);
            }
            call(message.as_mut().unwrap())
        });
        self.message = message.filter(|_| result.is_ok());
        if let Some(message) = &self.message {
            assert_eq!(message.check().unwrap(), Ok(()));
        }
        result
    }

    fn settle(&mut self, now_ms: i64) -> Result<(), Failure> {
        self.call(|message| message.settle(now_ms)).map(|_| ())
    }

    fn next(&mut self, now_ms: i64) -> Option<Outgoing> {
        self.call(|message| message.next(now_ms)).unwrap()
    }

    fn wake_ms(&mut self, now_ms: i64) -> Option<i64> {
        self.call(|message| Ok(message.wake_ms(now_ms))).unwrap()
    }

    /// The record of somebody's act now.
    fn record(&mut self, kind: Kind, recipient: &str, ip: &str, way: &str) -> Record {
        let id = self.ids.next(self.now_ms, [7; 12]);
        Record {
            kind,
            method: "POST".to_owned(),
            ip: Some(ip.to_owned()),
            act: Some(way.to_owned()),
            url: None,
            ..common::record(&id.to_string(), recipient, "stop", id.ts_ms())
        }
    }

    fn take(&mut self, record: &Record) -> Result<Acted, Failure> {
        self.call(|message| message.act(record.clone()))
    }

    /// Acts, and returns the event's id.
    fn act(&mut self, kind: Kind, recipient: &str, ip: &str, way: &str) -> String {
        let record = self.record(kind, recipient, ip, way);
        assert_eq!(self.take(&record), Ok(Acted::Stands));
        record.event_id
    }

    /// What the object's alarm does. A failure is a crash.
    fn alarm(&mut self) -> Result<(), Failure> {
        let now_ms = self.now_ms;
        self.settle(now_ms)?;
        while let Some(next) = self.call(|message| message.next(now_ms))? {
            let Outcome::Send(letters) = next.outcome else {
                self.call(|message| message.sent(next.item))?;
                continue;
            };
            self.queue.extend(letters);
            self.call(|message| message.sent(next.item))?;
        }
        self.call(|message| message.rest(now_ms))
    }

    /// The alarm, and a clock that has gone on behind it.
    fn wake(&mut self, after_ms: i64) {
        self.now_ms += after_ms;
        self.alarm().unwrap();
    }

    /// The acts that the queue has taken: their ids and bodies.
    fn taken(&self) -> impl Iterator<Item = (String, &str)> {
        self.queue.iter().filter_map(|letter| match letter.open() {
            Ok(Parcel::Act { id, body }) => Some((id, body)),
            Ok(Parcel::Pack { .. }) => None,
            other => panic!("{other:?}"),
        })
    }

    fn told(&self) -> Vec<Value> {
        self.taken().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    fn told_ids(&self) -> Vec<String> {
        self.taken().map(|(id, _)| id).collect()
    }

    fn stored(&self) -> usize {
        self.rows.ids().len()
    }
}

#[test]
fn an_unsubscription_is_told_at_once_and_once() {
    let mut world = World::new();
    let id = world.act(Kind::Unsubscribe, "r1", HOME, "form");
    let now_ms = world.now_ms;
    assert_eq!(world.wake_ms(now_ms), Some(now_ms), "the alarm is due now");
    world.wake(0);
    assert_eq!(world.told_ids(), std::slice::from_ref(&id));
    let told = world.told().remove(0);
    assert_eq!((&told["type"], &told["data"]["event"]), (&"unsubscribe".into(), &"unsubscribe".into()));
    assert_eq!(told["data"]["event_id"], id.as_str());
    assert_eq!(told["data"]["recipient_id"], "r1");
    assert_eq!((&told["data"]["revision"], &told["data"]["final"]), (&0.into(), &false.into()));
    assert_eq!(told["data"]["act"], "form");

    let writes = world.rows.written();
    for way in ["form", "one_click", "form"] {
        world.act(Kind::Unsubscribe, "r1", HOME, way);
    }
    assert_eq!(world.rows.written(), writes, "a repetition writes nothing");
    for _ in 0..5 {
        world.wake(SETTLE_MS);
    }
    assert_eq!((world.told_ids(), world.stored()), (vec![id], 1));
    let now_ms = world.now_ms;
    assert_eq!(world.next(now_ms), None);
}

#[test]
fn every_recipient_kind_and_link_is_an_act_of_its_own() {
    let mut world = World::new();
    world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.act(Kind::Unsubscribe, "r2", HOME, "form");
    world.act(Kind::Confirm, "r1", HOME, "form");
    let other = Record {
        link_id: Some("stop-all".to_owned()),
        ..world.record(Kind::Unsubscribe, "r1", HOME, "form")
    };
    assert_eq!(world.take(&other), Ok(Acted::Stands));
    world.wake(SETTLE_MS + RECORDING_LAG_MS);
    assert_eq!((world.told().len(), world.stored()), (4, 4));
}

#[test]
fn a_confirmation_is_told_when_its_verdict_is_final() {
    let mut world = World::new();
    let id = world.act(Kind::Confirm, "r1", HOME, "form");
    let due_ms = world.now_ms + SETTLE_MS + RECORDING_LAG_MS;
    let now_ms = world.now_ms;
    assert_eq!(
        world.wake_ms(now_ms),
        Some(due_ms + 4_000),
        "nothing is due before, and it waits for company"
    );
    world.wake(SETTLE_MS + RECORDING_LAG_MS - 1);
    assert_eq!(world.told(), [] as [Value; 0]);
    world.wake(1);
    assert_eq!(world.told_ids(), [id]);
    let told = world.told().remove(0);
    assert_eq!((&told["type"], &told["data"]["final"]), (&"confirm".into(), &true.into()));
    assert_eq!(told["data"]["click_type"], "human");
}

#[test]
fn what_was_a_scanners_gives_way_to_the_next() {
    for settled in [false, true] {
        for (first, second, stands) in [
            (BARRACUDA, HOME, true),
            (HOME, BARRACUDA, false),
            (HOME, HOME, false),
            (BARRACUDA, BARRACUDA, true),
        ] {
            let mut world = World::new();
            let one = world.act(Kind::Unsubscribe, "r1", first, "form");
            world.wake(if settled { SETTLE_MS + RECORDING_LAG_MS } else { 0 });
            world.now_ms += 5_000;
            let other = world.act(Kind::Unsubscribe, "r1", second, "form");
            world.wake(TICK_MS);
            let expected = if stands { vec![one, other] } else { vec![one] };
            assert_eq!(world.told_ids(), expected, "{first} {second} {settled}");
            assert_eq!(world.told()[0]["data"]["is_bot"], first == BARRACUDA, "the verdict is told with it");
        }
    }
}

#[test]
fn a_scanners_confirmation_that_was_not_told_yet_is_not_told_beside_the_persons() {
    let mut world = World::new();
    world.act(Kind::Confirm, "r1", BARRACUDA, "form");
    world.wake(5_000);
    let person = world.act(Kind::Confirm, "r1", HOME, "form");
    world.wake(SETTLE_MS + RECORDING_LAG_MS);
    assert_eq!(world.told_ids(), [person]);
}

const FINAL_MS: i64 = SETTLE_MS + RECORDING_LAG_MS;

/// Takes back on that link what somebody unsubscribed from, and returns the event's id.
fn undo(world: &mut World, recipient: &str, ip: &str) -> String {
    world.act(Kind::Confirm, recipient, ip, "undo")
}

#[test]
fn what_is_taken_back_is_told_when_its_verdict_is_final_and_once() {
    let mut world = World::new();
    let unsubscribed = world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.wake(3_000);
    let undone = undo(&mut world, "r1", HOME);
    world.wake(1_000);
    undo(&mut world, "r1", HOME);
    assert_eq!(world.told_ids(), std::slice::from_ref(&unsubscribed), "nobody mails again before it is sure");
    for _ in 0..3 {
        world.wake(FINAL_MS);
    }
    assert_eq!(world.told_ids(), [unsubscribed, undone]);
    let told = world.told().remove(1);
    assert_eq!((&told["type"], &told["data"]["act"]), (&"confirm".into(), &"undo".into()));
    assert_eq!((&told["data"]["link_id"], &told["data"]["final"]), (&"stop".into(), &true.into()));
    assert_eq!(told["data"]["click_type"], "human");
    let writes = world.rows.written();
    undo(&mut world, "r1", HOME);
    assert_eq!(world.rows.written(), writes, "a repetition writes nothing");
}

#[test]
fn whoever_unsubscribes_again_is_heard_again() {
    // Before the sender has heard that it was taken back, and after.
    for (pause_ms, is_told) in [(3_000, false), (FINAL_MS, true)] {
        let mut world = World::new();
        let mut expected = Vec::new();
        for _ in 0..3 {
            expected.push(world.act(Kind::Unsubscribe, "r1", HOME, "form"));
            world.wake(3_000);
            let undone = undo(&mut world, "r1", HOME);
            world.wake(pause_ms);
            expected.extend(is_told.then_some(undone));
        }
        expected.push(world.act(Kind::Unsubscribe, "r1", HOME, "one_click"));
        for _ in 0..3 {
            world.wake(FINAL_MS);
        }
        assert_eq!(world.told_ids(), expected, "{pause_ms}: the last word is the person's last");
    }
}

#[test]
fn a_scanner_that_unsubscribes_afterwards_does_not_silence_a_person_who_took_it_back() {
    let mut world = World::new();
    let unsubscribed = world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.wake(3_000);
    let undone = undo(&mut world, "r1", HOME);
    world.wake(3_000);
    let scanned = world.act(Kind::Unsubscribe, "r1", BARRACUDA, "form");
    world.wake(0);
    world.wake(FINAL_MS);
    assert_eq!(world.told_ids(), [unsubscribed, scanned, undone]);
    let bots: Vec<Value> = world.told().into_iter().map(|told| told["data"]["is_bot"].clone()).collect();
    assert_eq!(bots, [false, true, false]);
}

#[test]
fn a_scanner_that_takes_back_gives_way_to_the_person() {
    let mut world = World::new();
    let unsubscribed = world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.wake(1_500);
    undo(&mut world, "r1", BARRACUDA);
    world.wake(2_000);
    let undone = undo(&mut world, "r1", HOME);
    for _ in 0..3 {
        world.wake(FINAL_MS);
    }
    assert_eq!(world.told_ids(), [unsubscribed, undone]);
}

#[test]
fn to_take_back_ends_nobody_elses_act_and_no_confirmation() {
    let mut world = World::new();
    world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.act(Kind::Unsubscribe, "r2", HOME, "form");
    world.act(Kind::Confirm, "r1", HOME, "form");
    world.wake(FINAL_MS);
    undo(&mut world, "r1", HOME);
    world.wake(FINAL_MS);
    assert_eq!((world.told().len(), world.stored()), (4, 4));
    world.act(Kind::Unsubscribe, "r2", HOME, "form");
    world.act(Kind::Confirm, "r1", HOME, "form");
    world.wake(FINAL_MS);
    assert_eq!((world.told().len(), world.stored()), (4, 4), "both stand");
}

/// Sweeps ten links at once, from the address that presses later.
fn sweep(world: &mut World) {
    for n in 0..10 {
        world.now_ms += 20;
        let id = world.ids.next(world.now_ms, [7; 12]);
        let mut click = common::record(&id.to_string(), "r1", &format!("l{n}"), id.ts_ms());
        click.ip = Some(SWEEPER.to_owned());
        assert_eq!(world.call(|message| message.ingest(click)), Ok(Arrival::Stored));
    }
}

/// What only its sweep gives away as a scanner looks like a person until that has settled.
#[test]
fn a_scanners_confirmation_never_swallows_a_persons() {
    for crash in [false, true] {
        for pause_ms in [20_000, SETTLE_MS, 600_000] {
            let mut world = World::new();
            sweep(&mut world);
            world.now_ms += 2_000;
            let scanner = world.act(Kind::Confirm, "r1", SWEEPER, "form");
            world.wake(pause_ms);
            let person = world.act(Kind::Confirm, "r1", HOME, "form");
            // An impatient one.
            world.now_ms += 700;
            world.act(Kind::Confirm, "r1", HOME, "form");
            if crash {
                world.message = None;
            }
            for _ in 0..3 {
                world.wake(SETTLE_MS);
            }
            let told = world.told_ids();
            let told = told.strip_prefix(std::slice::from_ref(&scanner)).unwrap_or(&told);
            assert_eq!(told, [person], "crash {crash}, {pause_ms} ms: the person's, once");
            assert!(world.told().last().unwrap()["data"]["is_bot"] == false);
        }
    }
}

#[test]
fn an_unsubscription_by_a_convicted_source_is_told_as_a_scanners() {
    let mut world = World::new();
    sweep(&mut world);
    world.wake(3 * SETTLE_MS);
    let scanner = world.act(Kind::Unsubscribe, "r1", SWEEPER, "form");
    world.wake(TICK_MS);
    assert_eq!(world.told_ids(), std::slice::from_ref(&scanner));
    assert_eq!(world.told()[0]["data"]["rule"], "carry_over");
    let person = world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.wake(TICK_MS);
    assert_eq!(world.told_ids(), [scanner, person]);
}

/// After a rollback: what a later version wrote is waited for, and no second act comes of it.
#[test]
fn an_act_whose_verdict_cannot_be_read_waits() {
    let mut world = World::new();
    let id = world.act(Kind::Confirm, "r1", HOME, "form");
    world.now_ms += SETTLE_MS + RECORDING_LAG_MS;
    let now_ms = world.now_ms;
    world.settle(now_ms).unwrap();
    // A body's first byte is its version.
    let version = |rows: &Sqlite, version: u8| {
        rows.change(&format!("UPDATE packs SET body = unhex('{version:02x}' || substr(hex(body), 3))"));
    };
    version(&world.rows, 5);
    world.message = None;
    let Outcome::Blocked(words) = world.next(now_ms).unwrap().outcome else { panic!("it cannot be told") };
    assert!(words.contains("later version"), "{words}");
    world.act(Kind::Confirm, "r1", HOME, "form");
    assert_eq!(world.stored(), 1, "it stands");
    version(&world.rows, 4);
    world.message = None;
    world.wake(TICK_MS);
    assert_eq!(world.told_ids(), [id]);
}

#[test]
fn one_click_from_a_providers_own_machines_stands() {
    let mut world = World::new();
    let one = world.act(Kind::Unsubscribe, "r1", BARRACUDA, "one_click");
    world.wake(SETTLE_MS + RECORDING_LAG_MS);
    world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.wake(TICK_MS);
    assert_eq!(world.told_ids(), [one]);
}

#[test]
fn without_a_receiver_acts_stand_and_wait_for_one() {
    let mut world = World::new();
    world.has_receiver = false;
    let id = world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.wake(SETTLE_MS + RECORDING_LAG_MS);
    let now_ms = world.now_ms;
    let shipped = common::world::lines_of(&world.queue[0]);
    assert_eq!(shipped[0]["event"], "unsubscribe", "it is shipped as an event");
    assert_eq!(world.queue.len(), 1);
    assert_eq!(world.wake_ms(now_ms), None, "and wakes nobody for nothing");
    (world.has_receiver, world.message) = (true, None);
    assert!(world.wake_ms(now_ms).is_some());
    world.wake(TICK_MS);
    assert_eq!(world.told_ids(), [id]);
}

#[test]
fn a_queue_that_refuses_is_asked_again_after_a_pause() {
    let mut world = World::new();
    world.act(Kind::Unsubscribe, "r1", HOME, "form");
    let now_ms = world.now_ms;
    assert!(world.next(now_ms).is_some());
    world.call(|message| message.refused(now_ms)).unwrap();
    assert_eq!(world.next(now_ms), None);
    let wake_ms = world.wake_ms(now_ms).unwrap();
    assert!(wake_ms > now_ms);
    assert!(world.next(wake_ms).is_some());
}

#[test]
fn a_crash_at_any_write_loses_nothing_and_tells_twice_at_most() {
    let mut crashes = 0;
    for fuse in 0.. {
        let mut world = World::new();
        let (stop, yes) = (
            world.record(Kind::Unsubscribe, "r1", HOME, "form"),
            world.record(Kind::Confirm, "r2", HOME, "form"),
        );
        world.rows.set_fuse(Some(fuse));
        let (mut blown, mut tries) = (false, 0);
        for record in [&stop, &yes] {
            // The edge tries the same event again.
            while world.take(record) != Ok(Acted::Stands) {
                (blown, tries) = (true, tries + 1);
                assert!(tries < 3);
                world.rows.set_fuse(None);
            }
        }
        for pause_ms in [0, SETTLE_MS + RECORDING_LAG_MS, TICK_MS] {
            world.now_ms += pause_ms;
            if world.alarm().is_err() {
                blown = true;
                world.rows.set_fuse(None);
                world.alarm().unwrap();
            }
        }
        let told = world.told_ids();
        for id in [&stop.event_id, &yes.event_id] {
            let times = told.iter().filter(|told| *told == id).count();
            assert!((1..=2).contains(&times), "fuse {fuse}: {id} told {times} times");
        }
        assert_eq!(world.stored(), 2, "fuse {fuse}");
        if !blown {
            assert_eq!(told.len(), 2, "without a crash each is told once");
            break;
        }
        crashes += 1;
    }
    assert!(crashes >= 6, "{crashes} writes");
}

#[test]
fn an_event_that_a_crash_left_without_an_act_is_in_nobodys_way() {
    let mut world = World::new();
    // As versions before transactions could leave it: the visitor saw an error and presses again.
    world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.rows.change("DELETE FROM presses");
    world.message = None;
    assert_eq!(world.stored(), 1);
    let second = world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.wake(0);
    assert_eq!(world.told_ids(), [second]);
}

#[test]
fn another_event_that_comes_to_stand_while_the_queue_is_awaited_is_told_too() {
    let mut world = World::new();
    let scanner = world.act(Kind::Unsubscribe, "r1", BARRACUDA, "form");
    let now_ms = world.now_ms;
    let under_way = world.next(now_ms).unwrap().item;
    assert!(matches!(under_way, Item::Act { id, .. } if Some(id) == EventId::parse(&scanner)));
    let person = world.act(Kind::Unsubscribe, "r1", HOME, "form");
    world.call(|message| message.sent(under_way)).unwrap();
    world.message = None;
    world.wake(0);
    assert_eq!(world.told_ids(), [person]);
}

#[test]
fn what_is_no_act_changes_nothing() {
    let mut world = World::new();
    for kind in [Kind::Click, Kind::Open] {
        let record = world.record(kind, "r1", HOME, "form");
        assert_eq!(world.take(&record), Ok(Acted::Refused));
    }
    let record = world.record(Kind::Unsubscribe, "r1", HOME, "form");
    for event_id in ["x".to_owned(), EventId::first_of(7).to_string()] {
        assert_eq!(world.take(&Record { event_id, ..record.clone() }), Ok(Acted::Refused));
    }
    assert_eq!((world.stored(), world.rows.rows_of("presses")), (0, 0));
}

#[test]
fn a_flood_of_scanners_is_bounded_and_never_stands_for_what_is_not_stored() {
    let mut world = World::new();
    let mut flooded = 0;
    for _ in 0..150 {
        let record = world.record(Kind::Unsubscribe, "r1", BARRACUDA, "form");
        let first = world.take(&record).unwrap();
        assert_eq!(world.take(&record).unwrap(), first, "asked again, it answers the same");
        flooded += usize::from(first == Acted::Flooded);
    }
    assert_eq!((world.stored(), flooded), (100, 50));
    world.wake(0);
    assert_eq!(world.told().len(), 1, "the last that stands");
}
