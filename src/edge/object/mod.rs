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
//! Here are the object itself, which call goes where, and its transactions; [`arrive`] takes clicks in, [`calls`] carries other calls
//! out, [`due`] is the alarm, [`board`] the exchange between shards, [`told`] says to others that it is there.
//!
//! What holds:
//!
//! - Clicks of a busy second wait for each other ([`Group`]): each call that brings some waits its own time, and whoever is
//!   through first stores all. A call is answered once its clicks are stored; what waits when the object dies was not answered,
//!   and its edge sends it again. Any other call has what waits stored before it, but for what a landing page showed: that finds its
//!   click whichever comes first, and to store would be a row more.
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
//! - Nobody waits for the board longer than [`board::EXCHANGE_MS`]: without it the shard settles by what it knows.
//! - An alarm settles some hundred clicks at a stretch and lets others have their turn in between.

mod answer;
mod arrive;
mod board;
mod calls;
mod due;
mod told;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use answer::Answer;

use super::clock::{now_ms, number, whole};
use super::rows::{Rows, transaction};
use super::runtime::{self, Env, Error, Result, State};
use super::{log, settings};
use crate::config::Config;
use crate::message::board::Board;
use crate::message::call::{ARRIVALS, Call, REPLAY, SEVERAL};
use crate::message::exchange::EXCHANGE;
use crate::message::group::Group;
use crate::message::{Message, list};

/// How soon an alarm that failed is tried again, milliseconds. The runtime's own retries end after six.
const RETRY_MS: i64 = 5_000;

/// An alarm further ahead than this is set for what is too old to be kept, milliseconds: clicks settle within an hour and some seconds,
/// and the queue is tried again within minutes.
const RESTS_MS: i64 = 86_400_000;

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
            Ok(None) => self.before(&call).and_then(|()| self.answer(call)),
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

    /// Stores what waits, where a call may ask for it.
    fn before(&self, call: &Call) -> Result<()> {
        if matches!(call, Call::Verify(..)) { Ok(()) } else { self.commit() }
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

    /// What follows every call: the alarm is set, and then whoever must know of this object is told.
    async fn finish(&self) -> Result<()> {
        self.arm().await?;
        self.tell_first(false).await
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
