//! What the alarm does: it settles, gives the queue what the outbox says, and lets go of what is too old.

use serde::Serialize;

use super::{Knows, MessageObject, tell_notes};
use crate::edge::bindings::EVENTS;
use crate::edge::clock::now_ms;
use crate::edge::runtime::{self, Error, Result};
use crate::edge::{log, queue, settings, stub};
use crate::event::line;
use crate::message::list;
use crate::message::{Gone, Item, MAX_ROUNDS, Outcome, Outgoing, Settlement};

impl MessageObject {
    /// Settles what is due, then gives the queue what the outbox says. Logs what that came to.
    pub(super) async fn settle_and_ship(&self) -> Result<()> {
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
    pub(super) async fn let_go(&self) -> Result<()> {
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
    pub(super) async fn delete(&self) -> Result<()> {
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

    /// Gives something to the queue, where there is something to give.
    pub(super) async fn give(&self, next: Outgoing) -> std::result::Result<(), String> {
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
