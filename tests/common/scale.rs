//! A large send, played: its clicks come through isolates that gather them, to objects that store them in groups, and settle by alarms
//! and the exchange with their board, in virtual time, while calls get lost and objects die. Everything that is billed is counted.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use clickproof::message::Arrival;
use clickproof::message::group::Group;
use clickproof::record::{Delivery, EventId, Record, Sighting, Verified, packed};
use clickproof::verdict::{Click, Finding, Judging, Look, Ruleset, Thresholds, judge};

use super::NOON_MS;
use super::several::{Dice, Faults, Meter, Several, Taken};
use super::sqlite::Sqlite;
use super::traffic::{Planned, Sending, Traffic};

/// When everything has come to rest, at the latest.
const END_MS: i64 = NOON_MS + 1_000_000_000;

/// How long a call is under way beside what the object keeps it, and before it is tried again, milliseconds.
const ROUND_TRIP_MS: i64 = 10;
const RETRY_MS: i64 = 50;

/// How long after a call an isolate makes the next at the soonest, milliseconds (`src/edge/batch.mjs`).
const PACE_MS: i64 = 20;

/// One in so many: exchanges that are lost, half of them once they were heard; answers to calls with clicks that are lost, so that
/// these come again; alarms before which the object dies; exchanges before which the board dies.
const LOST_EXCHANGES: u64 = 50;
const LOST_ANSWERS: u64 = 500;
const DEATHS: u64 = 100;
const DEATHS_OF_BOARD: u64 = 1_000;

/// What is played.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub send: Sending,
    pub shards: u32,
    /// So many isolates of the Worker take the clicks.
    pub isolates: u64,
    /// Whether calls get lost, objects die, and the board loses even its rows, once.
    pub has_faults: bool,
}

impl Setup {
    /// The active ruleset judges, the other one beside it.
    pub fn judging() -> Judging {
        Judging {
            ruleset: Ruleset::Full,
            shadow: Some(Ruleset::Defender),
            thresholds: Thresholds::default(),
            settle_ms: 60_000,
        }
    }
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub clicks: usize,
    /// Those that objects have stored.
    pub stored: usize,
    /// Calls with clicks, and their bytes.
    pub calls: usize,
    pub call_bytes: usize,
    /// Clicks that came a second time, and such as came late, by the second queue.
    pub again: usize,
    pub late: usize,
    /// What landing pages showed: a call each.
    pub shown: usize,
    pub alarms: usize,
    pub alarms_set: usize,
    pub deaths: usize,
    pub deaths_of_board: usize,
    /// Rows that boards have written, those that were lost among them.
    pub board_rows: usize,
    /// Seconds in which an object did anything or kept a call, each counted as a whole one.
    pub awake_seconds: usize,
}

/// The clicks of an isolate for one object.
#[derive(Default)]
struct Pile {
    waiting: Vec<(EventId, Record)>,
    /// Those of the call that is under way, or to be tried again.
    sent: Vec<(EventId, Record)>,
    called_ms: i64,
    is_busy: bool,
}

/// An object beside its message.
#[derive(Default)]
struct Object {
    group: Group,
    /// The piles that wait for an answer, and since when.
    callers: Vec<usize>,
    /// What the second queue has brought and its consumer has no answer to.
    spilled: Vec<Vec<(EventId, Record)>>,
    since_ms: i64,
    /// When the group is to be stored, and when the alarm is set for, Unix milliseconds.
    due_ms: Option<i64>,
    armed_ms: Option<i64>,
    awake: Awake,
}

/// Seconds in which something was done.
#[derive(Default)]
struct Awake {
    last: i64,
    seconds: usize,
}

impl Awake {
    fn note(&mut self, from_ms: i64, until_ms: i64) {
        for second in (from_ms / 1_000).max(self.last + 1)..=until_ms / 1_000 {
            (self.last, self.seconds) = (second, self.seconds + 1);
        }
    }
}

/// What is still to come.
enum Event {
    /// A pile is sent.
    Call(usize),
    /// Clicks come by the second queue.
    Spilled(usize, Vec<(EventId, Record)>),
    /// A landing page shows something.
    Shown(usize, EventId, Verified),
}

/// A play.
pub struct Play {
    setup: Setup,
    pub several: Several,
    pub counts: Counts,
    objects: Vec<Object>,
    board_awake: Awake,
    piles: Vec<Pile>,
    events: BTreeMap<(i64, u64), Event>,
    spilled: BTreeMap<(i64, usize), Vec<(EventId, Record)>>,
    number: u64,
    dice: Dice,
    now_ms: i64,
    /// Nothing is kept and judged.
    is_dry: bool,
}

/// Plays a send until everything has come to rest.
pub fn play(setup: Setup, meter: Meter) -> Play {
    let mut play = Play::new(setup, meter);
    play.run();
    play
}

/// How many calls with clicks a send makes: nothing is kept and judged.
pub fn calls(setup: Setup) -> usize {
    let mut play = Play { is_dry: true, ..Play::new(setup, Meter::default()) };
    play.run();
    play.counts.calls
}

impl Play {
    fn new(setup: Setup, meter: Meter) -> Self {
        let mut several = Several::new(&Setup::judging(), setup.shards, setup.send.seed);
        several.meter = meter;
        if setup.has_faults {
            several.faults = Faults { loss: LOST_EXCHANGES, ..Faults::default() };
        }
        let (shards, isolates) = (setup.shards as usize, usize::try_from(setup.isolates).unwrap());
        Self {
            setup,
            several,
            counts: Counts::default(),
            objects: (0..shards).map(|_| Object::default()).collect(),
            board_awake: Awake::default(),
            piles: (0..shards * isolates).map(|_| Pile::default()).collect(),
            events: BTreeMap::new(),
            spilled: BTreeMap::new(),
            number: 0,
            dice: Dice(setup.send.seed ^ 0x5ca1e),
            now_ms: 0,
            is_dry: false,
        }
    }

    fn plan(&mut self, ms: i64, event: Event) {
        self.number += 1;
        self.events.insert((ms, self.number), event);
    }

    fn run(&mut self) {
        let mut traffic = Traffic::of(self.setup.send).peekable();
        let half_ms = super::traffic::START_MS
            + (500 * self.setup.send.clicks / self.setup.send.clicks_per_second).cast_signed();
        let mut board_is_to_be_lost = self.setup.has_faults;
        loop {
            let click_ms = traffic.peek().map_or(i64::MAX, |planned| planned.record.ts_ms);
            let event_ms = self.events.first_key_value().map_or(i64::MAX, |((ms, _), _)| *ms);
            let spilled_ms = self.spilled.first_key_value().map_or(i64::MAX, |((ms, _), _)| *ms);
            let board_ms = self.several.board_alarm_ms().unwrap_or(i64::MAX);
            let due = |time: fn(&Object) -> Option<i64>| {
                let times = self.objects.iter().enumerate();
                times.filter_map(|(at, object)| Some((time(object)?, at))).min().unwrap_or((i64::MAX, 0))
            };
            let ((store_ms, stores), (alarm_ms, alarmed)) =
                (due(|object| object.due_ms), due(|object| object.armed_ms));
            let next_ms = [click_ms, event_ms, spilled_ms, board_ms, store_ms, alarm_ms].into_iter().min();
            let next_ms = next_ms.unwrap_or(i64::MAX);
            if next_ms > END_MS {
                break;
            }
            self.now_ms = self.now_ms.max(next_ms);
            if board_is_to_be_lost && self.now_ms > half_ms {
                board_is_to_be_lost = false;
                self.counts.board_rows += self.several.board_rows.written();
                self.several.crash_board();
                self.several.board_rows = Sqlite::default();
            }
            if click_ms == i64::MAX && self.events.is_empty() && self.spilled.is_empty() {
                // What comes to rest does so undisturbed.
                self.several.faults = Faults::default();
                self.setup.has_faults = false;
            }
            if next_ms == store_ms {
                self.store(stores);
            } else if next_ms == click_ms {
                let planned = traffic.next().unwrap();
                self.click(planned);
            } else if next_ms == event_ms {
                let (_, event) = self.events.pop_first().unwrap();
                self.event(event);
            } else if next_ms == spilled_ms {
                let ((_, at), records) = self.spilled.pop_first().unwrap();
                self.event(Event::Spilled(at, records));
            } else if next_ms == board_ms {
                self.board_alarm();
            } else {
                self.alarm(alarmed);
            }
        }
        assert!(self.is_dry || self.counts.stored == self.counts.clicks, "{:?}", self.counts);
        self.counts.board_rows += self.several.board_rows.written();
        let seconds = self.objects.iter().map(|object| object.awake.seconds).sum::<usize>();
        self.counts.awake_seconds = seconds + self.board_awake.seconds;
    }

    /// A click meets an isolate, whose request makes the call, or leaves it to the one that does.
    fn click(&mut self, Planned { record, late_ms, shown }: Planned) {
        self.counts.clicks += 1;
        let at = self.several.number_of(&record.recipient_id);
        let id = EventId::parse(&record.event_id).unwrap();
        if let Some((ms, verified)) = shown {
            self.plan(ms, Event::Shown(at, id, verified));
        }
        if let Some(late_ms) = late_ms {
            self.counts.late += 1;
            self.spilled.entry((late_ms, at)).or_default().push((id, record));
            return;
        }
        let isolate = usize::try_from(self.dice.below(self.setup.isolates)).unwrap();
        let pile_at = isolate * self.objects.len() + at;
        let pile = &mut self.piles[pile_at];
        pile.waiting.push((id, record));
        if !pile.is_busy {
            pile.is_busy = true;
            let call_ms = self.now_ms.max(pile.called_ms + PACE_MS);
            self.plan(call_ms, Event::Call(pile_at));
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Call(pile_at) => {
                let pile = &mut self.piles[pile_at];
                if pile.sent.is_empty() {
                    std::mem::swap(&mut pile.sent, &mut pile.waiting);
                }
                pile.called_ms = self.now_ms;
                let bytes = sealed(&pile.sent);
                let at = pile_at % self.objects.len();
                self.objects[at].callers.push(pile_at);
                self.call(at, &bytes);
            }
            Event::Spilled(at, records) => {
                let bytes = sealed(&records);
                self.objects[at].spilled.push(records);
                self.call(at, &bytes);
            }
            Event::Shown(..) if self.is_dry => {}
            Event::Shown(at, click, verified) => {
                self.counts.shown += 1;
                let event_id = EventId::of_digest(self.now_ms, click.bytes());
                let sighting = Sighting { event_id, verified, since_load_ms: None };
                self.several.work(at, |world| world.verify(click, &sighting));
                self.finish(at);
            }
        }
    }

    /// Clicks come to an object, and wait for others.
    fn call(&mut self, at: usize, bytes: &[u8]) {
        let now_ms = self.now_ms;
        self.counts.calls += 1;
        self.counts.call_bytes += bytes.len();
        let group = &mut self.objects[at].group;
        let hold_ms = self.several.taken[at].during(self.several.meter, || {
            let records = packed::all(bytes).unwrap().into_iter().map(|(_, record)| record).collect();
            group.join(records, now_ms)
        });
        let object = &mut self.objects[at];
        if object.due_ms.is_none() {
            object.since_ms = now_ms;
        }
        object.due_ms = Some(object.due_ms.unwrap_or(i64::MAX).min(now_ms + hold_ms));
        if hold_ms == 0 {
            self.store(at);
        }
    }

    /// The group of an object is stored, and whoever brought some of it is answered.
    fn store(&mut self, at: usize) {
        let object = &mut self.objects[at];
        if object.due_ms.take().is_none() {
            return;
        }
        object.awake.note(object.since_ms, self.now_ms);
        let (group, now_ms) = (&mut object.group, self.now_ms);
        let (records, is_dry) = (group.take(), self.is_dry);
        let (new, again) = self.several.work(at, |world| {
            let arrivals = if is_dry { Vec::new() } else { world.arrive(records) };
            let is_new = |arrival: &Arrival| match arrival {
                Arrival::Stored => true,
                Arrival::Known => false,
                other => panic!("{other:?}"),
            };
            let new = arrivals.iter().filter(|arrival| is_new(arrival)).count();
            (new, arrivals.len() - new)
        });
        self.counts.stored += new;
        self.counts.again += again;
        self.objects[at].spilled.clear();
        for pile_at in std::mem::take(&mut self.objects[at].callers) {
            if self.setup.has_faults && self.dice.one_in(LOST_ANSWERS) {
                self.plan(now_ms + RETRY_MS, Event::Call(pile_at));
                continue;
            }
            let pile = &mut self.piles[pile_at];
            pile.sent.clear();
            pile.is_busy = !pile.waiting.is_empty();
            let call_ms = (now_ms + ROUND_TRIP_MS).max(pile.called_ms + PACE_MS);
            if pile.is_busy {
                self.plan(call_ms, Event::Call(pile_at));
            }
        }
        self.finish(at);
    }

    /// An object dies: what waits in it was not answered, and comes again.
    fn die(&mut self, at: usize) {
        self.counts.deaths += 1;
        let object = &mut self.objects[at];
        object.due_ms = None;
        let group = &mut object.group;
        self.several.work(at, |world| {
            *group = Group::default();
            world.crash();
        });
        for pile_at in std::mem::take(&mut self.objects[at].callers) {
            self.plan(self.now_ms + RETRY_MS, Event::Call(pile_at));
        }
        for records in std::mem::take(&mut self.objects[at].spilled) {
            self.plan(self.now_ms + RETRY_MS, Event::Spilled(at, records));
        }
    }

    fn alarm(&mut self, at: usize) {
        self.objects[at].armed_ms = None;
        if self.setup.has_faults && self.dice.one_in(DEATHS) {
            self.die(at);
        }
        if self.setup.has_faults && self.dice.one_in(DEATHS_OF_BOARD) {
            self.counts.deaths_of_board += 1;
            self.several.crash_board();
        }
        self.counts.alarms += 1;
        let before = self.several.exchanges;
        self.several.alarm(at, self.now_ms);
        if self.several.exchanges > before {
            self.board_awake.note(self.now_ms, self.now_ms);
        }
        self.finish(at);
    }

    fn board_alarm(&mut self) {
        self.counts.alarms_set += 1;
        self.several.board_alarm(self.now_ms);
        self.board_awake.note(self.now_ms, self.now_ms);
        for at in 0..self.objects.len() {
            self.finish(at);
        }
    }

    /// What follows every call and every alarm: the alarm is set, where it is to come sooner.
    fn finish(&mut self, at: usize) {
        if self.is_dry {
            return;
        }
        let now_ms = self.now_ms;
        let wake_ms = self.several.work(at, |world| world.message().wake_ms(now_ms));
        let object = &mut self.objects[at];
        object.awake.note(now_ms, now_ms);
        // One that has come to rest is woken when all of it is too old.
        let wake_ms = wake_ms.unwrap_or(i64::MAX).max(now_ms + 1);
        if object.armed_ms.is_none_or(|armed_ms| wake_ms < armed_ms) {
            object.armed_ms = Some(wake_ms);
            self.counts.alarms_set += 1;
        }
    }

    /// Rows that the shards have written, as the platform counts them, without those of alarms.
    pub fn shard_rows(&self) -> usize {
        self.several.shards.iter().map(|world| world.rows.written()).sum()
    }

    /// What the shards' work took together, and the most that one held.
    pub fn taken(&self) -> Taken {
        self.several.taken.iter().fold(Taken::default(), |sum, taken| Taken {
            time: sum.time + taken.time,
            held: sum.held + taken.held,
            most: sum.most.max(taken.most),
        })
    }

    /// The verdicts that stand at the end, from the rows alone; the objects are gone then.
    pub fn into_verdicts(mut self) -> Verdicts {
        let mut all: Vec<Standing> = Vec::with_capacity(self.counts.clicks);
        let mut amended = 0;
        for world in std::mem::take(&mut self.several.shards) {
            let first = all.len();
            world.rows.each_pack(&mut |pack| {
                all.extend(pack.open().unwrap().entries.into_iter().map(|entry| {
                    let shadow = entry.verdict.shadow.as_ref().unwrap();
                    let found = [digest(&entry.verdict.finding), digest(&shadow.finding)];
                    let id = EventId::parse(&entry.event_id).unwrap();
                    Standing { id, revision: entry.verdict.revision, found }
                }));
            });
            all[first..].sort_unstable_by_key(|standing| (standing.id, standing.revision));
            let theirs = all.split_off(first);
            for revisions in theirs.chunk_by(|a, b| a.id == b.id) {
                let counted = (1..).zip(revisions).all(|(number, standing)| standing.revision == number);
                assert!(counted, "each revision of {} once", revisions[0].id);
                amended += revisions.len() - 1;
                all.push(revisions[revisions.len() - 1]);
            }
        }
        all.sort_unstable_by_key(|standing| standing.id);
        Verdicts { all, amended }
    }
}

fn sealed(records: &[(EventId, Record)]) -> Vec<u8> {
    packed::seal(&records.iter().map(|(id, record)| (*id, record)).collect::<Vec<_>>())
}

/// The verdict of a click that stands: digests of what the two rulesets found.
#[derive(Clone, Copy)]
struct Standing {
    id: EventId,
    revision: u32,
    found: [u64; 2],
}

fn digest(finding: &Finding) -> u64 {
    let mut hasher = DefaultHasher::new();
    finding.hash(&mut hasher);
    hasher.finish()
}

/// All verdicts that stand, by the clicks' order.
pub struct Verdicts {
    all: Vec<Standing>,
    /// Revisions behind the first ones.
    pub amended: usize,
}

impl Verdicts {
    /// Compares them with what the rulesets say of the whole history, judged at once; returns how many clicks each rule decided, by
    /// ruleset and rule, and how many verdicts are others.
    pub fn compare(&self, send: Sending) -> (BTreeMap<(&'static str, String), usize>, usize) {
        let click = |Planned { record, shown, .. }| {
            let click = Click::of(&record, Delivery::default());
            Rc::new(Click { verified: shown.map_or(Verified::None, |(_, verified)| verified), ..click })
        };
        let history: Vec<Rc<Click>> = Traffic::of(send).map(click).collect();
        assert!(history.is_sorted_by(|a, b| a.order() < b.order()));
        assert_eq!(self.all.len(), history.len(), "each click has a verdict");
        let Judging { ruleset, shadow, thresholds, .. } = Setup::judging();
        let (mut rules, mut wrong) = (BTreeMap::new(), 0);
        for (at, ruleset) in [Some(ruleset), shadow].into_iter().flatten().enumerate() {
            let findings = judge(&history, ruleset, &thresholds, Look::Whole);
            for ((click, finding), standing) in history.iter().zip(findings).zip(&self.all) {
                assert_eq!(*click.event_id, *standing.id.to_string());
                if digest(&finding) != standing.found[at] {
                    wrong += 1;
                    if wrong <= 5 {
                        println!("{} {}: {finding:?}", ruleset.label(), standing.id);
                    }
                }
                *rules.entry((ruleset.label(), finding.rule.into_owned())).or_default() += 1;
            }
        }
        (rules, wrong)
    }
}
