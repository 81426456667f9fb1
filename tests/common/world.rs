//! A message with the storage that outlives it, called as the object calls it.

use std::collections::{BTreeMap, BTreeSet};

use clickproof::event::parcel::{Letter, Parcel};
use clickproof::message::wanted::Filter;
use clickproof::message::{Arrival, Erasure, Item, MAX_ROUNDS, Message, Outcome, Seen, Settlement};
use clickproof::record::{Delivery, EventId, EventIds, Record, Sighting};
use clickproof::verdict::{Judging, Key};
use serde_json::Value;

use super::sqlite::{Failure, Sqlite};
use super::{NOON_MS, record};

/// A message and the storage that outlives it.
pub struct World {
    pub rows: Sqlite,
    pub judging: Judging,
    /// The object's name, and how many share its message.
    pub name: String,
    pub shards: u32,
    pub message: Option<Message<Sqlite>>,
    /// Whether an alarm is set: that none is says to the next life that everything has left.
    pub alarm_set: bool,
    /// Every event that the queue has taken, by its id and its revision.
    pub shipped: BTreeSet<(String, u64)>,
    /// What alarms have judged and looked at.
    pub work: Settlement,
}

impl World {
    pub fn new(judging: Judging) -> Self {
        let (rows, work) = (Sqlite::default(), Settlement::default());
        let (name, shards) = ("m".to_owned(), 1);
        Self { rows, judging, name, shards, message: None, alarm_set: false, shipped: BTreeSet::new(), work }
    }

    pub fn message(&mut self) -> &mut Message<Sqlite> {
        if self.message.is_none() {
            let (rows, judging, rests) = (self.rows.clone(), self.judging.clone(), !self.alarm_set);
            let message = self.rows.transaction(|| {
                let mut message = match Message::load(rows.clone(), judging.clone(), rests)? {
                    Some(message) => message,
                    None => Message::create(rows, judging, &self.name)?,
                };
                message.set_shards(self.shards)?;
                Ok::<_, Failure>(message)
            });
            self.message = Some(message.unwrap());
        }
        self.message.as_mut().unwrap()
    }

    /// A call of the object: one transaction, and a message that is loaded anew after a failure. What holds between calls
    /// is tested.
    pub fn call<T>(
        &mut self,
        call: impl FnOnce(&mut Message<Sqlite>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.message();
        let message = self.message.as_mut().unwrap();
        let result = self.rows.transaction(|| call(message));
        if result.is_err() {
            self.message = None;
        } else {
            // As the object does after each call. While an alarm runs the one that fired still stands.
            self.alarm_set |= message.wake_ms(0).is_some();
        }
        result
    }

    pub fn check(&mut self) {
        assert_eq!(self.message().check().unwrap(), Ok(()));
    }

    pub fn ingest(&mut self, record: &Record) -> Arrival {
        self.call(|message| message.ingest(record.clone())).unwrap()
    }

    /// Clicks that come together.
    pub fn arrive(&mut self, records: Vec<Record>) -> Vec<Arrival> {
        self.call(|message| message.arrive(records)).unwrap()
    }

    /// Records that somebody brings along.
    pub fn replay(&mut self, records: Vec<Record>) -> Vec<Arrival> {
        self.call(|message| message.replay(records)).unwrap()
    }

    pub fn deliver(&mut self, times: &[(Key, i64)]) -> usize {
        let delivered = |ms: i64| Delivery { delivered_at_ms: Some(ms), ..Delivery::default() };
        self.tell(&times.iter().map(|(recipient, ms)| (*recipient, delivered(*ms))).collect::<Vec<_>>())
    }

    pub fn tell(&mut self, news: &[(Key, Delivery)]) -> usize {
        self.call(|message| message.deliver(news)).unwrap()
    }

    pub fn verify(&mut self, click: EventId, sighting: &Sighting) -> Seen {
        self.call(|message| message.verify(click, sighting)).unwrap()
    }

    /// Erases a recipient, as the object does.
    pub fn erase(&mut self, recipient_id: &str, now_ms: i64) -> Erasure {
        self.call(|message| message.erase(Some(recipient_id), now_ms)).unwrap()
    }

    /// The letters that wait, which leave.
    pub fn letters(&mut self) -> Vec<Letter> {
        let mut all = Vec::new();
        while let Some(next) = self.call(|message| message.next(i64::MAX)).unwrap()
            && let (Item::Letter(_), Outcome::Send(letters)) = (next.item, next.outcome)
        {
            all.extend(letters);
            self.call(|message| message.sent(next.item)).unwrap();
        }
        all
    }

    pub fn settle(&mut self, now_ms: i64) -> Settlement {
        let mut settlement = Settlement::default();
        for _ in 0..MAX_ROUNDS {
            settlement += self.call(|message| message.settle(now_ms)).unwrap();
            if !settlement.goes_on {
                break;
            }
        }
        self.work += settlement;
        settlement
    }

    /// Gives the queue what is due, and ends the alarm; returns the queue's messages.
    pub fn ship(&mut self, now_ms: i64) -> Vec<Letter> {
        self.try_ship(now_ms).unwrap()
    }

    /// The same where storage may fail.
    pub fn try_ship(&mut self, now_ms: i64) -> Result<Vec<Letter>, Failure> {
        let mut messages = Vec::new();
        let ended = self.leave(now_ms, &mut |letters| messages.extend(letters));
        let revision =
            |line: Value| (line["event_id"].as_str().unwrap().to_owned(), line["revision"].as_u64().unwrap());
        self.shipped.extend(messages.iter().flat_map(lines_of).map(revision));
        ended.map(|()| messages)
    }

    /// The same where somebody else looks at what leaves.
    pub fn leave(&mut self, now_ms: i64, take: &mut dyn FnMut(Vec<Letter>)) -> Result<(), Failure> {
        while let Some(next) = self.call(|message| message.next(now_ms))? {
            let Outcome::Send(letters) = next.outcome else { panic!("{:?}", next.outcome) };
            take(letters);
            self.call(|message| message.sent(next.item))?;
        }
        self.call(|message| message.rest(now_ms))?;
        self.alarm_set = self.message().wake_ms(now_ms).is_some();
        Ok(())
    }

    pub fn crash(&mut self) {
        self.message = None;
    }

    /// Wakes the message whenever it wants to be, up to a moment.
    pub fn run_until(&mut self, until_ms: i64) {
        let mut now_ms = 0;
        while let Some(wake_ms) = self.message().wake_ms(now_ms).filter(|wake_ms| *wake_ms <= until_ms) {
            now_ms = now_ms.max(wake_ms);
            self.settle(now_ms);
            self.ship(now_ms);
        }
    }

    /// Every click with its current verdict, as the API lists it.
    pub fn listed(&mut self) -> Vec<Value> {
        let mut lines = Vec::new();
        let mut after = None;
        loop {
            let page = self.message().page(after, 7, &Filter::default()).unwrap();
            lines.extend(page.lines.iter().map(|line| serde_json::from_str(line).unwrap()));
            after = page.next;
            if after.is_none() {
                return lines;
            }
        }
    }

    /// Every revision of every click, in the order of the packs.
    pub fn revisions(&self) -> BTreeMap<String, Vec<u32>> {
        let mut revisions: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for pack in self.rows.packs() {
            for entry in pack.open().unwrap().entries {
                revisions.entry(entry.event_id).or_default().push(entry.verdict.revision);
            }
        }
        revisions
    }
}

/// The events of a message of the queue; of an act there are none.
pub fn lines_of(letter: &Letter) -> Vec<Value> {
    let Parcel::Pack { lines, .. } = letter.open().unwrap() else { return Vec::new() };
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A hundred clicks a second, from a minute and a half after the send on.
pub fn clicks(count: u32, each: impl Fn(u32, &mut Record)) -> impl Iterator<Item = Record> {
    (0..count).map(move |n| {
        let ts_ms = NOON_MS + 90_000 + i64::from(n) * 10;
        let mut random = [0; 12];
        random[4..8].copy_from_slice(&n.to_be_bytes());
        let id = EventIds::default().next(ts_ms, random);
        let mut click = record(&id.to_string(), "", &format!("l{}", n % 4), ts_ms);
        each(n, &mut click);
        click
    })
}
