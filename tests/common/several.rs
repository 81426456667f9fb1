//! A message over several objects with their board, called as the objects call each other: calls get lost before or after they are
//! heard, and shards and board die at any time.

use std::time::Duration;

use clickproof::event::parcel::Letter;
use clickproof::link::shard;
use clickproof::message::board::Board;
use clickproof::record::Record;
use clickproof::verdict::Judging;

use super::sqlite::{Failure, Sqlite};
use super::world::World;

/// Numbers that a seed decides (Steele's `SplitMix64`).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    /// One exchange in so many is lost, half of them once they were heard; 0 for none.
    pub loss: u64,
    /// Before one alarm in so many its object dies.
    pub death: u64,
    /// No exchange at all is heard up to this moment.
    pub silent_until_ms: i64,
}

/// How work is measured: the processor's time so far; what the heap holds now, and the most since that was asked to begin anew, bytes.
/// Nothing by default.
#[derive(Clone, Copy)]
pub struct Meter {
    pub time: fn() -> Duration,
    pub held: fn() -> usize,
    pub most: fn() -> usize,
    pub begin: fn(),
}

impl Default for Meter {
    fn default() -> Self {
        Self { time: || Duration::ZERO, held: || 0, most: || 0, begin: || {} }
    }
}

/// What the work of one object took.
#[derive(Clone, Copy, Default)]
pub struct Taken {
    pub time: Duration,
    /// Bytes that it holds between calls, and the most that it has held in one.
    pub held: isize,
    pub most: isize,
}

impl Taken {
    /// Does some work of the object's.
    pub fn during<T>(&mut self, meter: Meter, work: impl FnOnce() -> T) -> T {
        (meter.begin)();
        let (before, began) = ((meter.held)().cast_signed(), (meter.time)());
        let done = work();
        self.time += (meter.time)().saturating_sub(began);
        self.most = self.most.max(self.held + (meter.most)().cast_signed() - before);
        self.held += (meter.held)().cast_signed() - before;
        done
    }

    /// It has made something that it does not hold.
    fn hand_over(&mut self, bytes: &Vec<u8>) {
        self.held -= bytes.capacity().cast_signed();
    }
}

/// What has left for the queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Left {
    pub letters: usize,
    /// Of 64 kB each, which the queue is priced by.
    pub chunks: usize,
    pub bytes: usize,
}

impl Left {
    fn add(&mut self, letters: &[Letter]) {
        for size in letters.iter().map(Letter::size) {
            self.letters += 1;
            self.chunks += size.div_ceil(64 << 10);
            self.bytes += size;
        }
    }
}

/// The objects of a message.
pub struct Several {
    pub shards: Vec<World>,
    pub board: Option<Board<Sqlite>>,
    pub board_rows: Sqlite,
    judging: Judging,
    /// When the board tells whom it owes something, where it does.
    alarm_ms: Option<i64>,
    /// It never goes back, Unix milliseconds.
    now_ms: i64,
    pub faults: Faults,
    pub dice: Dice,
    pub exchanges: usize,
    /// Bytes that shards have sent to the board, and that it has answered.
    pub sent_bytes: usize,
    pub answered_bytes: usize,
    /// Times that the board has told somebody, and that it was woken for it.
    pub told: usize,
    pub board_alarms: usize,
    pub left: Left,
    pub meter: Meter,
    /// What each shard's work took, and the board's.
    pub taken: Vec<Taken>,
    pub board_taken: Taken,
}

impl Several {
    pub fn new(judging: &Judging, shards: u32, seed: u64) -> Self {
        let one = |number| {
            let name = shard::object_name("m", number);
            World { name, shards, ..World::new(judging.clone()) }
        };
        Self {
            shards: (0..shards).map(one).collect(),
            board: None,
            board_rows: Sqlite::default(),
            judging: judging.clone(),
            alarm_ms: None,
            now_ms: 0,
            faults: Faults::default(),
            dice: Dice(seed),
            exchanges: 0,
            sent_bytes: 0,
            answered_bytes: 0,
            told: 0,
            board_alarms: 0,
            left: Left::default(),
            meter: Meter::default(),
            taken: vec![Taken::default(); shards as usize],
            board_taken: Taken::default(),
        }
    }

    /// The number of the object that keeps a recipient's clicks.
    pub fn number_of(&self, recipient_id: &str) -> usize {
        shard::shard(recipient_id, u32::try_from(self.shards.len()).unwrap()) as usize
    }

    /// That object.
    pub fn of(&mut self, recipient_id: &str) -> &mut World {
        let at = self.number_of(recipient_id);
        &mut self.shards[at]
    }

    /// Does some work of a shard's, which is measured.
    pub fn work<T>(&mut self, at: usize, work: impl FnOnce(&mut World) -> T) -> T {
        let world = &mut self.shards[at];
        self.taken[at].during(self.meter, || work(world))
    }

    /// A shard dies, and with it what it held in memory.
    pub fn crash(&mut self, at: usize) {
        self.work(at, World::crash);
    }

    /// The board dies, and with it what it held in memory.
    pub fn crash_board(&mut self) {
        let board = &mut self.board;
        self.board_taken.during(self.meter, || *board = None);
    }

    pub fn arrive(&mut self, record: &Record) {
        self.of(&record.recipient_id).ingest(record);
    }

    /// The board answers a call, or dies of it.
    fn heard(&mut self, body: &[u8], now_ms: i64) -> Option<Vec<u8>> {
        let rows = self.board_rows.clone();
        let judging = self.judging.clone();
        let board = &mut self.board;
        let answer: Result<_, Failure> = self.board_taken.during(self.meter, || {
            rows.transaction(|| {
                if board.is_none() {
                    *board = Some(Board::load(rows.clone(), judging, "m#board", now_ms)?);
                }
                board.as_mut().unwrap().exchange(body, now_ms)
            })
        });
        let answer = answer.unwrap();
        if let Some(answer) = &answer {
            self.board_taken.hand_over(answer);
            self.answered_bytes += answer.len();
        }
        if answer.is_none() {
            self.board = None;
        } else if let Some(due_ms) = self.board.as_ref().unwrap().due_ms() {
            self.alarm_ms = self.alarm_ms.or(Some(due_ms.max(now_ms + 1)));
        }
        answer
    }

    fn exchange(&mut self, at: usize, now_ms: i64) {
        let mut heard: Option<Option<Vec<u8>>> = None;
        for round in 0..=16 {
            let answer = heard.take();
            let answer = answer.as_ref().map(|answer| answer.as_deref());
            let ask = |world: &mut World| world.call(|message| message.exchange(answer, round < 16, now_ms));
            let said = self.work(at, ask).unwrap();
            let Some(body) = said else { return };
            self.taken[at].hand_over(&body);
            (self.exchanges, self.sent_bytes) = (self.exchanges + 1, self.sent_bytes + body.len());
            let Faults { loss, silent_until_ms, .. } = self.faults;
            let is_lost = now_ms < silent_until_ms || loss > 0 && self.dice.one_in(loss);
            let answer = match is_lost.then(|| self.dice.one_in(2)) {
                Some(true) => None,
                Some(false) if now_ms < silent_until_ms => None,
                Some(false) => self.heard(&body, now_ms).and(None),
                None => self.heard(&body, now_ms),
            };
            heard = Some(answer);
        }
    }

    /// A shard's alarm.
    pub fn alarm(&mut self, at: usize, now_ms: i64) {
        if self.faults.death > 0 && self.dice.one_in(self.faults.death) {
            self.crash(at);
        }
        self.exchange(at, now_ms);
        let mut left = self.left;
        self.work(at, |world| {
            world.settle(now_ms);
            world.leave(now_ms, &mut |letters| left.add(&letters)).unwrap();
        });
        self.left = left;
        self.exchange(at, now_ms);
        self.work(at, |world| world.alarm_set = world.message().wake_ms(now_ms).is_some());
    }

    /// When the board's alarm is set for, Unix milliseconds.
    pub fn board_alarm_ms(&self) -> Option<i64> {
        self.alarm_ms
    }

    /// The board's alarm: it tells whom it owes something.
    pub fn board_alarm(&mut self, now_ms: i64) {
        self.alarm_ms = None;
        self.board_alarms += 1;
        if self.board.is_none() {
            let (rows, judging) = (self.board_rows.clone(), self.judging.clone());
            self.board = Some(Board::load(rows, judging, "m#board", now_ms).unwrap());
        }
        for (number, _) in self.board.as_ref().unwrap().owed(now_ms) {
            self.board.as_mut().unwrap().calls(number);
            let is_told = self.faults.loss == 0 || !self.dice.one_in(self.faults.loss);
            self.told += usize::from(is_told);
            if is_told {
                self.work(number as usize, |world| {
                    world.message().poked();
                    world.alarm_set = true;
                });
            }
            self.alarm_ms = self.board.as_mut().unwrap().told(number, is_told, now_ms).unwrap();
            if !is_told {
                return;
            }
        }
        self.alarm_ms = self.board.as_ref().unwrap().due_ms().map(|due_ms| due_ms.max(now_ms + 1));
    }

    /// Everything that is due up to a moment happens, in order; returns when the last was.
    pub fn run_until(&mut self, until_ms: i64) {
        let mut now_ms = self.now_ms;
        // An alarm that sets itself again for ever would hang the test.
        let mut alarms = 0;
        loop {
            alarms += 1;
            assert!(alarms < 20_000, "it never comes to rest");
            let wakes = self.shards.iter_mut().map(|shard| shard.message().wake_ms(now_ms));
            let wakes: Vec<Option<i64>> = wakes.collect();
            let next = wakes.iter().enumerate().filter_map(|(at, wake_ms)| wake_ms.map(|ms| (ms, at))).min();
            let board_ms = self.alarm_ms.unwrap_or(i64::MAX);
            let (wake_ms, at) = next.unwrap_or((i64::MAX, 0));
            if wake_ms.min(board_ms) > until_ms {
                self.now_ms = until_ms;
                return;
            }
            now_ms = now_ms.max(wake_ms.min(board_ms));
            if board_ms <= wake_ms {
                self.board_alarm(now_ms);
            } else {
                self.alarm(at, now_ms);
            }
        }
    }
}
