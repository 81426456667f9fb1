//! What the shards of a message and its board say to each other: the board's calls and its alarm, and a shard's exchange with it.

use super::MessageObject;
use super::answer::Answer;
use crate::edge::clock::now_ms;
use crate::edge::rows::{Rows, transaction};
use crate::edge::runtime::Result;
use crate::edge::{log, settings, stub};
use crate::link::shard;
use crate::message::board::Board;
use crate::message::call::POKE;

/// The longest that a shard waits for the board, milliseconds.
pub(super) const EXCHANGE_MS: u32 = 2_000;

/// The most exchanges of one alarm before it settles, and after.
const MOST_EXCHANGES: usize = 16;

impl MessageObject {
    pub(super) fn is_board(&self) -> bool {
        self.state.id().name().is_some_and(|name| name.ends_with(shard::BOARD))
    }

    /// Does something with the board: one transaction.
    pub(super) fn with_board(&self, act: &mut dyn FnMut(&mut Board<Rows>) -> Result<()>) -> Result<()> {
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
    pub(super) async fn answer_of_board(&self, body: &[u8]) -> Result<Answer> {
        let (mut answer, mut due_ms) = (None, None);
        self.with_board(&mut |board| {
            board.forget_before(now_ms().saturating_sub(settings::config(&self.env).retention_ms))?;
            answer = board.exchange(body, now_ms())?;
            due_ms = board.due_ms();
            Ok(())
        })?;
        if let Some(due_ms) = due_ms.filter(|_| self.armed_ms.get().is_none()) {
            self.set_alarm(due_ms).await?;
        }
        let refused = || Answer::Refused("exchange: it cannot be read".to_owned());
        Ok(answer.map_or_else(refused, Answer::Bytes))
    }

    /// The board's alarm: tells shards that there is something to ask for.
    pub(super) async fn tell_owed(&self) -> Result<()> {
        let (mut owed, mut due_ms) = (Vec::new(), None);
        self.with_board(&mut |board| {
            (owed, due_ms) = (board.owed(now_ms()), board.due_ms());
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
                due_ms = board.due_ms();
                Ok(())
            })?;
            if let Some(again_ms) = again_ms {
                return self.set_alarm(again_ms).await;
            }
        }
        match due_ms {
            Some(due_ms) => self.set_alarm(due_ms).await,
            None => Ok(()),
        }
    }

    /// Says to the board what has changed, and takes in what it answers.
    pub(super) async fn exchange(&self) -> Result<()> {
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
}
