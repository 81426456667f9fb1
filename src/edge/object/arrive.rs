//! Clicks come: they wait for each other, and are stored as one transaction.

use std::rc::Rc;

use super::answer::Answer;
use super::{MessageObject, count};
use crate::edge::clock::now_ms;
use crate::edge::runtime::{self, Result};
use crate::edge::{log, settings};
use crate::message::Arrival;
use crate::record::{Record, packed};

impl MessageObject {
    /// Takes clicks in and answers once they are stored.
    pub(super) async fn arrive(&self, clicks: &[u8]) -> Result<Answer> {
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
    pub(super) async fn replay(&self, records: &[u8]) -> Result<Answer> {
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
    pub(super) fn kept(&self, record: Record) -> Record {
        let config = settings::config(&self.env);
        match &config.keys {
            Some(keys) => config.privacy.keep(record, keys),
            None => record,
        }
    }

    /// Stores clicks, as one transaction: those that arrive, or those that somebody brings along.
    pub(super) fn store(&self, clicks: Vec<Record>, arrive: bool) -> Result<Vec<Arrival>> {
        let clicks = clicks.into_iter().map(|record| self.kept(record)).collect();
        let arrivals = self
            .with_message(|message| if arrive { message.arrive(clicks) } else { message.replay(clicks) })?;
        self.list_if_new();
        Ok(arrivals)
    }

    /// Stores the clicks that wait, as one transaction. Nothing waits in here.
    pub(super) fn commit(&self) -> Result<()> {
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
}
