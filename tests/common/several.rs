//! A message over several objects with their board, called as the objects call each other: calls get lost before or after they are
//! heard, and shards and board die at any time.

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
    /// Bytes that shards have sent to the board.
    pub sent_bytes: usize,
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
        }
    }

    /// The object that keeps a recipient's clicks.
    pub fn of(&mut self, recipient_id: &str) -> &mut World {
        let shards = u32::try_from(self.shards.len()).unwrap();
        &mut self.shards[shard::shard(recipient_id, shards) as usize]
    }

    pub fn arrive(&mut self, record: &Record) {
        self.of(&record.recipient_id).ingest(record);
    }

    /// The board answers a call, or dies of it.
    fn heard(&mut self, body: &[u8], now_ms: i64) -> Option<Vec<u8>> {
        let rows = self.board_rows.clone();
        let judging = self.judging.clone();
        let board = &mut self.board;
        let answer: Result<_, Failure> = rows.transaction(|| {
            if board.is_none() {
                *board = Some(Board::load(rows.clone(), judging, "m#board", now_ms)?);
            }
            board.as_mut().unwrap().exchange(body)
        });
        let answer = answer.unwrap();
        if answer.is_none() {
            self.board = None;
        } else if !self.board.as_ref().unwrap().owed().is_empty() {
            self.alarm_ms = self.alarm_ms.or(Some(now_ms + 1));
        }
        answer
    }

    fn exchange(&mut self, at: usize, now_ms: i64) {
        let mut heard: Option<Option<Vec<u8>>> = None;
        for round in 0..=16 {
            let answer = heard.take();
            let answer = answer.as_ref().map(|answer| answer.as_deref());
            let said = self.shards[at].call(|message| message.exchange(answer, round < 16, now_ms)).unwrap();
            let Some(body) = said else { return };
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

    fn alarm(&mut self, at: usize, now_ms: i64) {
        if self.faults.death > 0 && self.dice.one_in(self.faults.death) {
            self.shards[at].crash();
        }
        self.exchange(at, now_ms);
        self.shards[at].settle(now_ms);
        self.shards[at].ship(now_ms);
        self.exchange(at, now_ms);
        let world = &mut self.shards[at];
        world.alarm_set = world.message().wake_ms(now_ms).is_some();
    }

    /// The board tells whom it owes something.
    fn tell(&mut self, now_ms: i64) {
        self.alarm_ms = None;
        let Some(board) = self.board.as_mut() else { return };
        for (number, _) in board.owed() {
            board.calls(number);
            if self.faults.loss > 0 && self.dice.one_in(self.faults.loss) {
                self.alarm_ms = board.told(number, false, now_ms).unwrap();
                return;
            }
            let shard = &mut self.shards[number as usize];
            shard.message().poked();
            shard.alarm_set = true;
            board.told(number, true, now_ms).unwrap();
        }
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
                self.board.get_or_insert_with(|| {
                    Board::load(self.board_rows.clone(), self.judging.clone(), "m#board", now_ms).unwrap()
                });
                self.tell(now_ms);
            } else {
                self.alarm(at, now_ms);
            }
        }
    }
}
