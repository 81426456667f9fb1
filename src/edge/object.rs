//! The Durable Object of a message, or of one of its shards: a thin shell around [`Message`].
//!
//! - **Named** `{message_id}`, from the second shard on `{message_id}#n`. What shards exchange they do through `{message_id}#board`
//!   ([`crate::message::board`]). One more, [`list::NAME`], is no message but their list ([`crate::message::list`]). Both have calls of
//!   their own.
//! - **Schema**: see [`crate::message::sql`].
//! - **Calls**: see [`crate::message::call`]; `POST /arrivals`, `/replay`, `/arrive`, `/deliver`, `/bounce`, `/page`, `/explain`, `/report`,
//!   `/view`, `/filter`, `/tell`, `/shards`, `/reship`, `/verify`, `/act`, `/erase`, `/forget`; from the board `/poke`.
//! - **Several objects** of one message are each told by whoever calls how many they are. Whoever knows the message's id alone asks the
//!   first, which answers what all must answer with their number ([`SEVERAL`]).
//! - **Alarm**: one, for the earliest thing that is due; it asks the board, settles, then ships what the outbox says. The board's own
//!   tells shards that there is something to ask for.
//!
//! What holds:
//!
//! - Clicks of a busy second wait for each other ([`Group`]): each call that brings some waits its own time, and whoever is
//!   through first stores all. A call is answered once its clicks are stored; what waits when the object dies was not answered,
//!   and its edge sends it again. Any other call has what waits stored before it.
//! - Between two awaits everything is synchronous, so a call sees and leaves a consistent message. What a call writes is one
//!   transaction, and its answer leaves only when that is durable (the output gate).
//! - Memory is a copy of rows. After an error, which has written nothing, it is thrown away; the next call loads it again.
//! - The alarm is set from the message's own state after every call and every alarm, and on the first call after a
//!   restart, so there is none that only memory knows of.
//! - That no alarm is set, or one that is more than a day ahead, says that everything has left ([`crate::message::Message::rest`]):
//!   what waits to leave has an alarm within minutes. So an alarm that failed counts as a refusal of the queue before it is
//!   tried again, and while one runs its absence says nothing.
//! - Where nothing is due, the alarm is set for when something is too old to be kept ([`crate::message::Message::goes_ms`]): a row
//!   each time that an object comes to rest, and none while it is busy.
//! - Two awaits have effects, in the alarm: the queue's `send` and the exchange with the board. Others may call meanwhile; what a mark
//!   means then is the outbox's to know ([`crate::message::Item`]), and what was reported twice is the same as once.
//! - Nobody waits for the board longer than [`EXCHANGE_MS`]: without it the shard settles by what it knows.
//! - An alarm settles some hundred clicks at a stretch and lets others have their turn in between.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use super::bindings::EVENTS;
use super::clock::{now_ms, number, whole};
use super::failure::Failure;
use super::rows::{Rows, transaction};
use super::runtime::{self, Env, Error, Result, State};
use super::{log, queue, settings, stub};
use crate::config::Config;
use crate::event::line;
use crate::link::shard;
use crate::message::board::Board;
use crate::message::call::{ARRIVALS, Call, Delivered, Handed, POKE, REPLAY, Reshipped, SEVERAL};
use crate::message::exchange::EXCHANGE;
use crate::message::group::Group;
use crate::message::list::{self, List};
use crate::message::wanted::{Filter, Form, View};
use crate::message::{Acted, Arrival, Gone, Item, MAX_ROUNDS, Message, Outcome, Outgoing, Seen, Settlement};
use crate::record::{Delivery, Record, packed};
use crate::report::Part;
use crate::verdict::Key;
use crate::verdict::order::ascending;

/// How soon an alarm that failed is tried again, milliseconds. The runtime's own retries end after six.
const RETRY_MS: i64 = 5_000;

/// An alarm further ahead than this is set for what is too old to be kept, milliseconds: clicks settle within an hour and some seconds,
/// and the queue is tried again within minutes.
const RESTS_MS: i64 = 86_400_000;
/// The longest that a shard waits for the board, milliseconds.
const EXCHANGE_MS: u32 = 2_000;

/// The most exchanges of one alarm before it settles, and after.
const MOST_EXCHANGES: usize = 16;

/// The last moment that an alarm may be set for: JavaScript's dates end there, Unix milliseconds.
const LAST_MS: i64 = 8_640_000_000_000_000;

/// The object.
#[wasm_bindgen]
pub struct MessageObject {
    state: State,
    env: Env,
    message: RefCell<Option<Message<Rows>>>,
    /// Where this is no message but a board.
    board: RefCell<Option<Board<Rows>>>,
    /// When the alarm is set for, as far as this life of the object knows, Unix milliseconds.
    armed_ms: Cell<Option<i64>>,
    /// No alarm was set when this life began, and none runs.
    rests: Cell<bool>,
    in_alarm: Cell<bool>,
    /// It is being deleted: whoever calls waits for that, so that nothing which is stored goes with it.
    leaves: Cell<bool>,
    /// How many objects share the message, as whoever called last said.
    shards: Cell<u32>,
    group: RefCell<Group>,
    /// The list of messages knows of this one, as far as this life of the object knows.
    listed: Rc<Cell<bool>>,
    first_knows: Cell<Knows>,
    /// What becomes of the group that waits: every call that brought some of it holds on to this.
    fate: RefCell<Rc<Fate>>,
    counts: Counts,
}

/// Whether the message's first object knows of this one, as far as this life of it has told.
#[derive(Clone, Copy, Default)]
enum Knows {
    #[default]
    Perhaps,
    Yes,
    No,
}

/// What became of a group: nothing yet, stored, or why not.
type Fate = RefCell<Option<std::result::Result<(), String>>>;

/// What this life of the object has done: what it costs.
#[derive(Default)]
struct Counts {
    calls: Cell<usize>,
    clicks: Cell<usize>,
    groups: Cell<usize>,
    alarms_set: Cell<usize>,
}

fn count(cell: &Cell<usize>, more: usize) {
    cell.set(cell.get() + more);
}

#[wasm_bindgen]
impl MessageObject {
    /// An object's part in this instance of wasm.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            message: RefCell::new(None),
            board: RefCell::default(),
            armed_ms: Cell::new(None),
            rests: Cell::new(false),
            in_alarm: Cell::new(false),
            leaves: Cell::new(false),
            shards: Cell::new(1),
            group: RefCell::default(),
            listed: Rc::default(),
            first_knows: Cell::default(),
            fate: RefCell::default(),
            counts: Counts::default(),
        }
    }

    /// Answers a call: status and text, which may be empty, or a board's bytes. Where several objects share the message, whoever calls says how
    /// many.
    pub async fn call(&self, path: String, shards: String, body: Vec<u8>) -> Result<Vec<JsValue>, JsValue> {
        let count = shards.parse().unwrap_or_default();
        self.shards.set(self.shards.get().max(count));
        let (status, text) = match self.answer_to(&path, count > 0, body).await? {
            Answer::Done => (204, String::new()),
            Answer::Text(text) => (200, text),
            Answer::Bytes(bytes) => return Ok(vec![200.into(), Uint8Array::from(&bytes[..]).into()]),
            Answer::Refused(words) => (400, words),
            Answer::Failed(words) => (500, words),
            Answer::Several(shards) => (SEVERAL, shards.to_string()),
        };
        Ok(vec![status.into(), text.into()])
    }

    /// Does what is due. The runtime says of an alarm that has failed before that it is a retry.
    pub async fn alarm(&self, is_retry: bool) -> Result<(), JsValue> {
        self.armed_ms.set(None);
        if self.is_board() {
            return Ok(self.tell_owed().await?);
        }
        self.in_alarm.set(true);
        self.rests.set(false);
        let mut done = Ok(());
        if is_retry {
            // After some retries the runtime gives an alarm up: that it is gone must not say that everything has left.
            done = self.with_known(|message| message.refused(now_ms())).map(|_| ());
        }
        if done.is_ok() {
            done = self.settle_and_ship().await;
        }
        if done.is_ok() {
            done = self.let_go().await;
        }
        self.in_alarm.set(false);
        if let Err(error) = done {
            // What was settled is in rows; the rest is due still.
            self.forget();
            log::failure("message.alarm_failed", &self.name(), &error);
            self.set_alarm(now_ms() + RETRY_MS).await?;
        } else {
            self.arm().await?;
        }
        Ok(())
    }
}

/// What a call is answered with.
enum Answer {
    Done,
    Text(String),
    Bytes(Vec<u8>),
    Refused(String),
    Failed(String),
    /// The message has so many objects, which whoever asks did not know.
    Several(u32),
}

impl Answer {
    fn json(value: &impl Serialize) -> Self {
        Self::Text(line::json(value))
    }
}

impl MessageObject {
    /// `knows` says whether whoever calls knows how many objects share the message.
    async fn answer_to(&self, path: &str, knows: bool, body: Vec<u8>) -> Result<Answer> {
        count(&self.counts.calls, 1);
        while self.leaves.get() {
            runtime::pause(1).await;
        }
        if path == ARRIVALS {
            self.look_for_alarm().await?;
            return self.arrive(&body).await;
        }
        if path == REPLAY {
            self.look_for_alarm().await?;
            return match self.others(knows) {
                Ok(None) => self.replay(&body).await,
                Ok(Some(shards)) => Ok(Answer::Several(shards)),
                Err(error) => Ok(self.failed(&error)),
            };
        }
        if path == EXCHANGE {
            return self.answer_of_board(&body).await;
        }
        if self.is_board() && path == list::GONE {
            return self.delete().await.map(|()| Answer::Done);
        }
        if self.state.id().name().as_deref() == Some(list::NAME) {
            return self.answer_of_list(path, &body);
        }
        let call = match Call::decode(path, String::from_utf8_lossy(&body).into_owned()) {
            Ok(call) => call,
            Err(words) => return Ok(Answer::Refused(words)),
        };
        self.look_for_alarm().await?;
        let answer = match self.others(knows || !call.is_for_all()) {
            Ok(None) => self.commit().and_then(|()| self.answer(call)),
            Ok(Some(shards)) => Ok(Answer::Several(shards)),
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => {
                // A call that was refused may have counted, too.
                self.finish().await?;
                Ok(answer)
            }
            Err(error) => Ok(self.failed(&error)),
        }
    }

    /// How many objects share the message, where whoever asks does not know that there are others.
    fn others(&self, knows: bool) -> Result<Option<u32>> {
        if knows {
            return Ok(None);
        }
        let mut shards = 1;
        self.in_transaction(false, &mut |message| {
            shards = message.shards();
            Ok(())
        })?;
        Ok(Some(shards).filter(|shards| *shards > 1))
    }

    /// Answers a call to the list of messages.
    fn answer_of_list(&self, path: &str, body: &[u8]) -> Result<Answer> {
        let list = List::new(self.rows());
        let mut answer = Ok(String::new());
        transaction(&self.state, &mut || {
            answer = list.answer(path, &String::from_utf8_lossy(body))?;
            Ok(())
        })?;
        Ok(match answer {
            Ok(text) => Answer::Text(text),
            Err(words) => Answer::Refused(words.to_owned()),
        })
    }

    fn is_board(&self) -> bool {
        self.state.id().name().is_some_and(|name| name.ends_with(shard::BOARD))
    }

    /// Does something with the board: one transaction.
    fn with_board(&self, act: &mut dyn FnMut(&mut Board<Rows>) -> Result<()>) -> Result<()> {
        let ran = transaction(&self.state, &mut || {
            let mut slot = self.board.borrow_mut();
            if slot.is_none() {
                let judging = settings::config(&self.env).judging.clone();
                *slot = Some(Board::load(self.rows(), judging, &self.name(), now_ms())?);
            }
            slot.as_mut().map_or(Ok(()), &mut *act)
        });
        if let Err(error) = &ran {
            self.board.take();
            log::failure("board.failed", &self.name(), error);
        }
        ran
    }

    /// Answers a shard's call to the board.
    async fn answer_of_board(&self, body: &[u8]) -> Result<Answer> {
        let (mut answer, mut owes) = (None, false);
        self.with_board(&mut |board| {
            board.forget_before(now_ms().saturating_sub(settings::config(&self.env).retention_ms))?;
            answer = board.exchange(body)?;
            owes = !board.owed().is_empty();
            Ok(())
        })?;
        if owes && self.armed_ms.get().is_none() {
            self.set_alarm(now_ms()).await?;
        }
        let refused = || Answer::Refused("exchange: it cannot be read".to_owned());
        Ok(answer.map_or_else(refused, Answer::Bytes))
    }

    /// The board's alarm: tells shards that there is something to ask for.
    async fn tell_owed(&self) -> Result<()> {
        let mut owed = Vec::new();
        self.with_board(&mut |board| {
            owed = board.owed();
            Ok(())
        })?;
        for (shard, address) in owed {
            self.with_board(&mut |board| {
                board.calls(shard);
                Ok(())
            })?;
            let told = stub::ask(&self.env, &address, POKE, "").await;
            if let Err(failure) = &told {
                log::failure("board.untold", &address, failure);
            }
            let mut again_ms = None;
            self.with_board(&mut |board| {
                again_ms = board.told(shard, told.is_ok(), now_ms())?;
                Ok(())
            })?;
            if let Some(again_ms) = again_ms {
                return self.set_alarm(again_ms).await;
            }
        }
        Ok(())
    }

    /// Says to the board what has changed, and takes in what it answers.
    async fn exchange(&self) -> Result<()> {
        let (mut heard, mut left) = (None, MOST_EXCHANGES);
        loop {
            let said = self.with_known(|message| {
                let answer: Option<Option<Vec<u8>>> = heard.take();
                let answer = answer.as_ref().map(|answer| answer.as_deref());
                let said = message.exchange(answer, left > 0, now_ms())?;
                Ok(said.map(|said| (message.board(), said)))
            })?;
            let Some((board, said)) = said.flatten() else { return Ok(()) };
            left -= 1;
            let answer = stub::exchange(&self.env, &board, &said, EXCHANGE_MS).await;
            if let Err(failure) = &answer {
                log::failure("board.unheard", &board, failure);
            }
            heard = Some(answer.ok());
        }
    }

    /// Before the rows are read for the first time: whether an alarm is set says whether everything has left. One that has
    /// just fired is not set any more and may not have begun yet: it has when a timer comes back.
    async fn look_for_alarm(&self) -> Result<()> {
        if self.message.borrow().is_none() && !self.in_alarm.get() {
            let alarm_ms = runtime::wait(self.state.storage().get_alarm()?).await?.as_f64().map(whole);
            if !self.in_alarm.get() && self.armed_ms.get().is_none() {
                self.armed_ms.set(alarm_ms);
            }
            let mut rests = alarm_ms.is_none_or(|ms| ms > now_ms() + RESTS_MS);
            if alarm_ms.is_none() {
                runtime::pause(1).await;
                rests = !self.in_alarm.get() && self.armed_ms.get().is_none();
            }
            self.rests.set(rests);
        }
        Ok(())
    }

    /// Takes clicks in and answers once they are stored.
    async fn arrive(&self, clicks: &[u8]) -> Result<Answer> {
        let records: Vec<Record> = match packed::all(clicks) {
            Ok(records) => records.into_iter().map(|(_, record)| record).collect(),
            Err(words) => return Ok(Answer::Refused(words)),
        };
        count(&self.counts.clicks, records.len());
        let fate = Rc::clone(&self.fate.borrow());
        let hold_ms = self.group.borrow_mut().join(records, now_ms());
        if let Ok(hold_ms @ 1..) = u32::try_from(hold_ms) {
            runtime::pause(hold_ms).await;
        }
        if fate.borrow().is_none() {
            // Why not is the fate's to say.
            let _ = self.commit();
        }
        let failed = fate.borrow().as_ref().and_then(|stored| stored.clone().err());
        if let Some(words) = failed {
            return Ok(Answer::Failed(words));
        }
        self.finish().await?;
        Ok(Answer::Done)
    }

    /// Takes in records that somebody brings along, and answers how many were new.
    async fn replay(&self, records: &[u8]) -> Result<Answer> {
        let records: Vec<Record> = match packed::all(records) {
            Ok(records) => records.into_iter().map(|(_, record)| record).collect(),
            Err(words) => return Ok(Answer::Refused(words)),
        };
        count(&self.counts.clicks, records.len());
        match self.commit().and_then(|()| self.store(records, false)) {
            Ok(arrivals) => {
                self.finish().await?;
                let stored = arrivals.iter().filter(|arrival| **arrival == Arrival::Stored).count();
                Ok(Answer::Text(stored.to_string()))
            }
            Err(error) => Ok(self.failed(&error)),
        }
    }

    /// A record as it may be kept. The edge has seen to that; but one of an earlier deploy, or what spilled under it, knew of another
    /// setting.
    fn kept(&self, record: Record) -> Record {
        let config = settings::config(&self.env);
        match &config.keys {
            Some(keys) => config.privacy.keep(record, keys),
            None => record,
        }
    }

    /// Stores clicks, as one transaction: those that arrive, or those that somebody brings along.
    fn store(&self, clicks: Vec<Record>, arrive: bool) -> Result<Vec<Arrival>> {
        let clicks = clicks.into_iter().map(|record| self.kept(record)).collect();
        let arrivals = self
            .with_message(|message| if arrive { message.arrive(clicks) } else { message.replay(clicks) })?;
        self.list_if_new();
        Ok(arrivals)
    }

    /// Stores the clicks that wait, as one transaction. Nothing waits in here.
    fn commit(&self) -> Result<()> {
        let clicks = self.group.borrow_mut().take();
        if clicks.is_empty() {
            return Ok(());
        }
        count(&self.counts.groups, 1);
        let fate = self.fate.take();
        let stored = self.store(clicks, true);
        fate.replace(Some(stored.as_ref().map(|_| ()).map_err(ToString::to_string)));
        if let Err(error) = &stored {
            self.forget();
            log::failure("message.failed", &self.name(), error);
        }
        stored.map(|_| ())
    }

    /// A call has failed, and with it what memory knew.
    fn failed(&self, error: &Error) -> Answer {
        self.forget();
        log::failure("message.failed", &self.name(), error);
        Answer::Failed(error.to_string())
    }

    fn forget(&self) {
        self.message.take();
        self.rests.set(false);
    }

    /// Carries a call out. Nothing waits in here.
    fn answer(&self, call: Call) -> Result<Answer> {
        match call {
            Call::Arrive(json) => {
                let record = match Record::parse(&json) {
                    Ok(record) => record,
                    Err(words) => return Ok(Answer::Refused(words)),
                };
                if self.with_message(|message| message.ingest(self.kept(record)))? == Arrival::Refused {
                    return Ok(Answer::Refused("event_id: must be a UUIDv7 of ts_ms".to_owned()));
                }
                Ok(Answer::Done)
            }
            Call::Act(json) => {
                let record = match Record::parse(&json) {
                    Ok(record) => record,
                    Err(words) => return Ok(Answer::Refused(words)),
                };
                let refused = |words: &str| Ok(Answer::Refused(words.to_owned()));
                match self.with_message(|message| message.act(self.kept(record)))? {
                    Acted::Stands => Ok(Answer::Done),
                    Acted::Refused => refused("no act, or its event_id is no UUIDv7 of ts_ms"),
                    Acted::Flooded => refused("too many acts on one link"),
                }
            }
            Call::Deliver(told) => {
                let news: Vec<(Key, Delivery)> =
                    told.iter().map(|one| (Key::of(&one.recipient_id), one.delivery())).collect();
                let told: Vec<u64> = news.iter().map(|(recipient, _)| recipient.short()).collect();
                let recipients = ascending(&told).len();
                let reissued = self.with_message(|message| message.deliver(&news))?;
                Ok(Answer::json(&Delivered { recipients, reissued }))
            }
            Call::Page { after, limit, filter } => {
                let page =
                    self.with_known(|message| message.page(after, limit, &filter))?.unwrap_or_default();
                Ok(Answer::Text(page.encode()))
            }
            // No text says that there is no such click.
            Call::Explain(id) => {
                let explained = self.with_known(|message| message.explain(id))?.flatten();
                Ok(explained.map_or(Answer::Done, Answer::Text))
            }
            Call::Report(message_id) => {
                let view = View { form: Form::Json, message_id, past: Vec::new() };
                Ok(Answer::Text(view.of(self.counted()?)))
            }
            Call::View(view) => Ok(Answer::Text(view.of(self.counted()?))),
            // How many they are came with the call.
            Call::Shards { shard, from } => {
                let mut handed = Handed::default();
                self.in_transaction(true, &mut |message| {
                    (handed.entries, handed.next) = message.told_of(shard, from)?;
                    Ok(())
                })?;
                Ok(Answer::Text(handed.encode()))
            }
            Call::Tell(told) => {
                self.with_message(|message| message.tell(&told))?;
                self.tell_list();
                Ok(Answer::Done)
            }
            Call::Verify(id, sighting) => {
                if self.with_message(|message| message.verify(id, &sighting))? == Seen::Counted {
                    log::failure("verify.refused", &id.to_string(), &"its click was counted and not stored");
                }
                Ok(Answer::Done)
            }
            Call::Erase(ts_ms, recipient_id) => {
                let erased = self.with_known(|message| message.erase(recipient_id.as_deref(), ts_ms))?;
                if let Some(rows @ 1..) = erased.map(|erasure| erasure.unreadable) {
                    log::failure("message.unreadable", &self.name(), &rows);
                }
                Ok(Answer::Done)
            }
            Call::Poke => {
                self.with_known(|message| {
                    message.poked();
                    Ok(())
                })?;
                Ok(Answer::Done)
            }
            Call::Reship => {
                let events = self.with_known(Message::reship)?.unwrap_or_default();
                Ok(Answer::json(&Reshipped { events }))
            }
        }
    }

    /// What is counted: nothing of a message that is not there.
    fn counted(&self) -> Result<Part> {
        let retention_ms = settings::config(&self.env).retention_ms;
        let part = self.with_known(|message| {
            let known_from_ms = message.known_from_ms(retention_ms)?;
            Ok(Part { known_from_ms, ..message.part()? })
        })?;
        Ok(part.unwrap_or_default())
    }

    /// Tells the list of a message that has settled once at most, where this life of the object has not: whether an earlier one
    /// has is not known.
    fn list_if_new(&self) {
        let is_new = self.message.borrow().as_ref().is_some_and(Message::is_new);
        if is_new && !self.listed.get() {
            self.tell_list();
        }
    }

    /// What follows every call: the alarm is set, and then whoever must know of this object is told.
    async fn finish(&self) -> Result<()> {
        self.arm().await?;
        self.tell_first(false).await
    }

    /// Tells the message's first object how many share it, and asks it for what was told of the recipients of this one before: whoever
    /// has only the message's id asks there. A shard that begins does so, with its first call; where that fails, with each alarm.
    async fn tell_first(&self, again: bool) -> Result<()> {
        let Some((first, shard)) = self.owed(again) else { return Ok(()) };
        self.first_knows.set(Knows::Yes);
        let mut next = Some(0);
        while let Some(from) = next {
            let answer = stub::ask_text(&self.env, &first, &Call::Shards { shard, from }).await;
            let handed = answer.and_then(|text| Handed::decode(&text).ok_or(Failure::Unreadable(text)));
            match handed {
                Ok(handed) => {
                    if !handed.entries.is_empty() {
                        self.in_transaction(true, &mut |message| message.hear(&handed.entries))?;
                    }
                    next = handed.next;
                }
                Err(failure) => {
                    self.first_knows.set(Knows::No);
                    log::failure("shards.untold", &self.name(), &failure);
                    return Ok(());
                }
            }
        }
        self.arm().await
    }

    /// The address of the message's first object, and which shard this is, where that may not be known there.
    fn owed(&self, again: bool) -> Option<(String, u32)> {
        let slot = self.message.borrow();
        let message = slot.as_ref()?;
        let (id, shard) = shard::of_name(message.name()).filter(|(_, shard)| *shard > 0)?;
        let is_owed = match self.first_knows.get() {
            Knows::Perhaps => message.is_new(),
            Knows::Yes => false,
            Knows::No => again,
        };
        is_owed.then(|| (shard::address(id, 0, message.shards()), shard))
    }

    /// Tells the list of messages of this one, beside whatever else is done: nothing waits for it. What it does not hear is told with
    /// the next alarm, or with what the sender tells next.
    fn tell_list(&self) {
        let slot = self.message.borrow();
        let Some(message) = slot.as_ref() else { return };
        let heard_ms = message.first_ms().unwrap_or_else(now_ms);
        // The shards of one message are one message.
        let id = message.name().split('#').next().unwrap_or_default();
        let (env, body, listed) = (self.env.clone(), format!("{heard_ms} {id}"), Rc::clone(&self.listed));
        listed.set(true);
        spawn_local(async move {
            if let Err(failure) = stub::ask(&env, list::NAME, list::HEARD, &body).await {
                listed.set(false);
                log::failure("list.untold", &body, &failure);
            }
        });
    }

    /// Settles what is due, then gives the queue what the outbox says. Logs what that came to.
    async fn settle_and_ship(&self) -> Result<()> {
        self.in_transaction(false, &mut |_| Ok(()))?;
        self.tell_first(true).await?;
        self.exchange().await?;
        let mut settlement = Settlement::default();
        for _ in 0..MAX_ROUNDS {
            let Some(more) = self.with_known(|message| message.settle(now_ms()))? else { return Ok(()) };
            settlement += more;
            if !more.goes_on {
                break;
            }
            // Whoever calls meanwhile is answered now.
            runtime::pause(0).await;
        }
        let (mut acts_told, mut packs_shipped) = (0, 0);
        while let Some(next) = self.with_known(|message| message.next(now_ms()))?.flatten() {
            let item = next.item;
            if let Err(words) = self.give(next).await {
                let event = match item {
                    Item::Letter(_) | Item::Pack(_) => "message.unshipped",
                    Item::Act { .. } => "message.untold",
                };
                log::failure(event, &self.name(), &words);
                self.with_known(|message| message.refused(now_ms()))?;
                break;
            }
            self.with_known(|message| message.sent(item))?;
            match item {
                Item::Letter(_) => {}
                Item::Pack(_) => packs_shipped += 1,
                Item::Act { .. } => acts_told += 1,
            }
        }
        // What has been convicted now is told at once.
        self.exchange().await?;
        self.with_known(|message| message.rest(now_ms()))?;
        self.list_if_new();
        let slot = self.message.borrow();
        let Some(message) = slot.as_ref() else { return Ok(()) };
        tell_notes(message);
        let progress = Progress {
            event: "message.settled",
            object: message.name(),
            settled: settlement.settled,
            amended: settlement.amended,
            acts_told,
            packs_shipped,
            calls: self.counts.calls.get(),
            clicks: self.counts.clicks.get(),
            groups: self.counts.groups.get(),
            rows_written: message.db().written(),
            alarms_set: self.counts.alarms_set.get(),
            stored_bytes: message.db().bytes(),
            unreadable: message.unreadable(),
        };
        log::request_line(&settings::config(&self.env), || line::json(&progress));
        Ok(())
    }

    /// Lets go of what is too old to be kept: some of the message, or the whole object, which is then as one that never was. So is one
    /// whose message was erased, once all that follows upon that has left.
    async fn let_go(&self) -> Result<()> {
        let gone = || {
            let retention_ms = settings::config(&self.env).retention_ms;
            self.with_known(|message| message.let_go(retention_ms, now_ms()))
        };
        if gone()? != Some(Gone::All) || self.has_others().await? {
            return Ok(());
        }
        let name = self.name();
        // Of a message that several objects share the first speaks.
        if !name.contains('#') {
            let told = stub::ask(&self.env, list::NAME, list::GONE, &format!("0 {name}")).await;
            told.map_err(|failure| Error::Words(failure.to_string()))?;
        }
        if let Some(board) =
            self.with_known(|message| Ok((message.shards() > 1).then(|| message.board())))?.flatten()
        {
            let told = stub::ask(&self.env, &board, list::GONE, "").await;
            told.map_err(|failure| Error::Words(failure.to_string()))?;
        }
        self.listed.set(false);
        // Others may have called meanwhile.
        self.commit()?;
        if gone()? == Some(Gone::All) {
            log::request_line(&settings::config(&self.env), || {
                line::json(&Expired { event: "message.expired", object: &name })
            });
            self.delete().await?;
        } else {
            self.tell_list();
        }
        Ok(())
    }

    /// Deletes all that there is.
    async fn delete(&self) -> Result<()> {
        self.message.take();
        self.board.take();
        self.armed_ms.set(None);
        // What begins here anew tells the first object, which may have gone, too.
        self.first_knows.set(Knows::Perhaps);
        let all = self.state.storage().delete_all()?;
        self.leaves.set(true);
        let deleted = runtime::wait(all).await;
        self.leaves.set(false);
        deleted.map(|_| ())
    }

    /// Whether this is the first object of several of which another has clicks: by the first all are known.
    async fn has_others(&self) -> Result<bool> {
        let calls = stub::Calls::default();
        self.with_known(|message| {
            let addresses = shard::of_name(message.name())
                .filter(|(_, shard)| *shard == 0)
                .map_or_else(Vec::new, |(id, _)| shard::addresses(id, message.shards()));
            for address in addresses.iter().skip(1) {
                calls.add(address, &Call::Page { after: None, limit: 1, filter: Filter::default() });
            }
            Ok(())
        })?;
        let pages = calls.ask(&self.env).await.map_err(|failure| Error::Words(failure.to_string()))?;
        Ok(pages.iter().any(|page| !page.is_empty()))
    }

    /// Gives something to the queue, where there is something to give.
    async fn give(&self, next: Outgoing) -> std::result::Result<(), String> {
        let letters = match next.outcome {
            Outcome::Send(letters) => letters,
            Outcome::Superseded => Vec::new(),
            Outcome::Blocked(words) => return Err(words),
        };
        if next.unreadable > 0 {
            let what = match next.item {
                Item::Letter(pack) | Item::Pack(pack) => format!("{} clicks of pack {pack}", next.unreadable),
                Item::Act { id, .. } => format!("act {id}"),
            };
            log::failure("message.unreadable", &self.name(), &what);
        }
        for letter in &letters {
            queue::send(&self.env, EVENTS, letter).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Does something with the message, which begins here where there is none: one transaction.
    fn with_message<T>(&self, act: impl FnOnce(&mut Message<Rows>) -> Result<T>) -> Result<T> {
        let done = self.with(true, act)?;
        done.ok_or_else(|| Error::Words("storage: the transaction did not run".to_owned()))
    }

    /// Does something with the message, where there is one: nothing is created.
    fn with_known<T>(&self, act: impl FnOnce(&mut Message<Rows>) -> Result<T>) -> Result<Option<T>> {
        self.with(false, act)
    }

    fn with<T>(&self, creates: bool, act: impl FnOnce(&mut Message<Rows>) -> Result<T>) -> Result<Option<T>> {
        let (mut act, mut done) = (Some(act), None);
        self.in_transaction(creates, &mut |message| {
            done = act.take().map(|act| act(message)).transpose()?;
            Ok(())
        })?;
        Ok(done)
    }

    /// What is the same for all that is done: once in the wasm.
    fn in_transaction(
        &self,
        creates: bool,
        act: &mut dyn FnMut(&mut Message<Rows>) -> Result<()>,
    ) -> Result<()> {
        transaction(&self.state, &mut || {
            let mut slot = self.message.borrow_mut();
            if slot.is_none() {
                *slot = self.load()?;
            }
            if slot.is_none() && creates {
                let name = self.state.id().name();
                let name = name.ok_or_else(|| Error::Words("object without a name".to_owned()))?;
                let config = settings::config(&self.env);
                let message = Message::begin(self.rows(), config.judging.clone(), &name, now_ms())?;
                *slot = Some(with_receiver(message, &config)?);
            }
            let Some(message) = slot.as_mut() else { return Ok(()) };
            message.set_shards(self.shards.get())?;
            act(message)
        })
    }

    fn load(&self) -> Result<Option<Message<Rows>>> {
        let config = settings::config(&self.env);
        let message = Message::load(self.rows(), config.judging.clone(), self.rests.get())?;
        let Some(mut message) = message else { return Ok(None) };
        if let Some(name) = self.state.id().name() {
            message.take_name(&name)?;
        }
        tell_notes(&message);
        with_receiver(message, &config).map(Some)
    }

    fn rows(&self) -> Rows {
        Rows::new(self.state.storage().sql())
    }

    /// The name for the log. An alarm on an old compatibility date knows only the row's.
    fn name(&self) -> String {
        let stored =
            self.message.try_borrow().ok().and_then(|slot| slot.as_ref().map(|m| m.name().to_owned()));
        stored.or_else(|| self.state.id().name()).unwrap_or_default()
    }

    /// Sets the alarm for what is due next, unless one is set that is not later. To set it is a row: it is moved only
    /// to come sooner.
    async fn arm(&self) -> Result<()> {
        let (armed_ms, now_ms) = (self.armed_ms.get(), now_ms());
        let wake_ms = match self.message.borrow().as_ref() {
            None => None,
            Some(message) => match message.wake_ms(now_ms) {
                None if armed_ms.is_none() => {
                    Some(message.goes_ms(settings::config(&self.env).retention_ms, now_ms)?)
                }
                wake_ms => wake_ms,
            },
        };
        match wake_ms {
            Some(wake_ms) if armed_ms.is_none_or(|armed_ms| wake_ms < armed_ms) => {
                self.set_alarm(wake_ms).await
            }
            _ => Ok(()),
        }
    }

    /// An alarm that is set for now, in an alarm, can be lost (cloudflare/workerd#6866): it comes a moment later.
    async fn set_alarm(&self, at_ms: i64) -> Result<()> {
        let at_ms = at_ms.clamp(now_ms() + 1, LAST_MS);
        self.armed_ms.set(Some(at_ms));
        count(&self.counts.alarms_set, 1);
        let set = match self.state.storage().set_alarm(number(at_ms)) {
            Ok(promise) => runtime::wait(promise).await.map(|_| ()),
            Err(thrown) => Err(thrown.into()),
        };
        if set.is_err() {
            self.armed_ms.set(None);
        }
        set
    }
}

/// The log's line for an object that is gone.
#[derive(Serialize)]
struct Expired<'a> {
    event: &'static str,
    object: &'a str,
}

/// The log's line for an alarm. The counts of rows and alarms are this life's.
#[derive(Serialize)]
struct Progress<'a> {
    event: &'static str,
    object: &'a str,
    settled: usize,
    amended: usize,
    acts_told: usize,
    packs_shipped: usize,
    /// Calls answered, the clicks that they brought, the groups that those were stored in.
    calls: usize,
    clicks: usize,
    groups: usize,
    rows_written: usize,
    alarms_set: usize,
    stored_bytes: usize,
    unreadable: usize,
}

/// The message with somebody to tell its acts to, where the settings name one. Without the secret the consumer could tell
/// nobody: acts wait in their rows then.
fn with_receiver(mut message: Message<Rows>, config: &Config) -> Result<Message<Rows>> {
    if config.unsubscribe_webhook_url.is_some() && config.webhook_secret.is_some() {
        message.set_receiver()?;
    }
    Ok(message)
}

/// Tells the log what was found damaged.
fn tell_notes(message: &Message<Rows>) {
    for words in message.take_notes() {
        log::failure("message.unreadable", message.name(), &words);
    }
}
