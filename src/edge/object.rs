//! The Durable Object of a message, or of one of its shards: a thin shell around [`Message`].
//!
//! - **Named** `{message_id}`, from the second shard on `{message_id}#n`. One more, [`list::NAME`], is no message but their list
//!   ([`crate::message::list`]), with a schema and calls of its own.
//! - **Schema**: see [`crate::message::sql`].
//! - **Calls**: see [`crate::message::call`]; `POST /arrivals`, `/replay`, `/arrive`, `/deliver`, `/bounce`, `/page`, `/explain`, `/report`,
//!   `/view`, `/filter`, `/tell`, `/reship`, `/verify`, `/act`, `/erase`, `/forget`.
//! - **Alarm**: one, for the earliest thing that is due; it settles, then ships what the outbox says.
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
//! - The one await with effects is the queue's `send`, in the alarm. Others may call meanwhile; what a mark means then is
//!   the outbox's to know ([`crate::message::Item`]).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use super::bindings::EVENTS;
use super::clock::{now_ms, number, whole};
use super::rows::{Rows, transaction};
use super::runtime::{self, Env, Error, Result, State};
use super::{log, queue, settings, stub};
use crate::config::Config;
use crate::event::line;
use crate::message::call::{ARRIVALS, Call, Delivered, REPLAY, Reshipped};
use crate::message::group::Group;
use crate::message::list::{self, List};
use crate::message::wanted::{Form, View};
use crate::message::{Acted, Arrival, Erasure, Gone, Item, Message, Outcome, Outgoing, Seen};
use crate::record::{Delivery, Record, packed};
use crate::report::{Past, Report, Tally, diagnosis};
use crate::verdict::Key;
use crate::verdict::order::ascending;

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
    /// What becomes of the group that waits: every call that brought some of it holds on to this.
    fate: RefCell<Rc<Fate>>,
    counts: Counts,
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
            armed_ms: Cell::new(None),
            rests: Cell::new(false),
            in_alarm: Cell::new(false),
            leaves: Cell::new(false),
            shards: Cell::new(1),
            group: RefCell::default(),
            listed: Rc::default(),
            fate: RefCell::default(),
            counts: Counts::default(),
        }
    }

    /// Answers a call: status and text, which may be empty. Where several objects share the message, whoever calls says how
    /// many.
    pub async fn call(&self, path: String, shards: String, body: Vec<u8>) -> Result<Vec<JsValue>, JsValue> {
        if let Ok(shards) = shards.parse() {
            self.shards.set(shards);
        }
        let (status, text) = match self.answer_to(&path, body).await? {
            Answer::Done => (204, String::new()),
            Answer::Text(text) => (200, text),
            Answer::Refused(words) => (400, words),
            Answer::Failed(words) => (500, words),
        };
        Ok(vec![status.into(), text.into()])
    }

    /// Does what is due. The runtime says of an alarm that has failed before that it is a retry.
    pub async fn alarm(&self, is_retry: bool) -> Result<(), JsValue> {
        self.armed_ms.set(None);
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
    Refused(String),
    Failed(String),
}

impl Answer {
    fn json(value: &impl Serialize) -> Self {
        Self::Text(line::json(value))
    }
}

impl MessageObject {
    async fn answer_to(&self, path: &str, body: Vec<u8>) -> Result<Answer> {
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
            return self.replay(&body).await;
        }
        if self.state.id().name().as_deref() == Some(list::NAME) {
            return self.answer_of_list(path, &body);
        }
        let call = match Call::decode(path, String::from_utf8_lossy(&body).into_owned()) {
            Ok(call) => call,
            Err(words) => return Ok(Answer::Refused(words)),
        };
        self.look_for_alarm().await?;
        match self.commit().and_then(|()| self.answer(call)) {
            Ok(answer) => {
                // A call that was refused may have counted, too.
                self.arm().await?;
                Ok(answer)
            }
            Err(error) => Ok(self.failed(&error)),
        }
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
        self.arm().await?;
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
                self.arm().await?;
                let stored = arrivals.iter().filter(|arrival| **arrival == Arrival::Stored).count();
                Ok(Answer::Text(stored.to_string()))
            }
            Err(error) => Ok(self.failed(&error)),
        }
    }

    /// Stores clicks, as one transaction: those that arrive, or those that somebody brings along.
    fn store(&self, clicks: Vec<Record>, arrive: bool) -> Result<Vec<Arrival>> {
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

    /// What memory knew is rows' no more.
    fn load_again(&self) -> Result<()> {
        self.forget();
        self.in_transaction(false, &mut |_| Ok(()))
    }

    /// Carries a call out. Nothing waits in here.
    fn answer(&self, call: Call) -> Result<Answer> {
        match call {
            Call::Arrive(json) => {
                let record = match Record::parse(&json) {
                    Ok(record) => record,
                    Err(words) => return Ok(Answer::Refused(words)),
                };
                if self.with_message(|message| message.ingest(record))? == Arrival::Refused {
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
                match self.with_message(|message| message.act(record))? {
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
            Call::Report(message_id) => Ok(Answer::json(&self.report(&message_id)?)),
            Call::View(View { form, message_id, past }) => {
                let mut report = self.report(&message_id)?;
                let past: Vec<Past> = past.iter().filter_map(|line| Past::decode(line)).collect();
                diagnosis::compare(&mut report, &past);
                Ok(match form {
                    Form::Json => Answer::json(&report),
                    Form::Summary => Answer::json(&report.summary()),
                    Form::Past => Answer::Text(Past::of(&report).encode()),
                })
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
                if let Some(Erasure { unreadable: rows @ 1.., .. }) = erased {
                    log::failure("message.unreadable", &self.name(), &rows);
                }
                self.load_again()?;
                Ok(Answer::Done)
            }
            Call::Reship => {
                let events = self.with_known(Message::reship)?.unwrap_or_default();
                Ok(Answer::json(&Reshipped { events }))
            }
        }
    }

    /// The report; of a message that is not there its empty one.
    fn report(&self, message_id: &str) -> Result<Report> {
        let retention_ms = settings::config(&self.env).retention_ms;
        let report = self.with_known(|message| {
            let known_from_ms = message.known_from_ms(retention_ms)?;
            Ok(Report { known_from_ms, ..message.report(message_id)? })
        })?;
        Ok(report.unwrap_or_else(|| Tally::default().report(message_id, None, 0)))
    }

    /// Tells the list of a message that has settled once at most, where this life of the object has not: whether an earlier one
    /// has is not known.
    fn list_if_new(&self) {
        let is_new = self.message.borrow().as_ref().is_some_and(Message::is_new);
        if is_new && !self.listed.get() {
            self.tell_list();
        }
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
        let Some(settlement) = self.with_known(|message| message.settle(now_ms()))? else { return Ok(()) };
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
        self.with_known(|message| message.rest(now_ms()))?;
        self.list_if_new();
        let slot = self.message.borrow();
        let Some(message) = slot.as_ref() else { return Ok(()) };
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
        match gone()? {
            Some(Gone::Nothing) | None => return Ok(()),
            Some(Gone::Some) => return self.load_again(),
            Some(Gone::All) => {}
        }
        let name = self.name();
        // Of a message that several objects share the first speaks.
        if !name.contains('#') {
            let told = stub::ask(&self.env, list::NAME, list::GONE, &format!("0 {name}")).await;
            told.map_err(|failure| Error::Words(failure.to_string()))?;
        }
        self.listed.set(false);
        // Others may have called meanwhile.
        self.commit()?;
        if gone()? == Some(Gone::All) {
            log::request_line(&settings::config(&self.env), || {
                line::json(&Expired { event: "message.expired", object: &name })
            });
            self.message.take();
            let deletes = self.state.storage().delete_all()?;
            self.leaves.set(true);
            let deleted = runtime::wait(deletes).await;
            self.leaves.set(false);
            deleted?;
        } else {
            self.tell_list();
        }
        Ok(())
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
        message.map(|message| with_receiver(message, &config)).transpose()
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
