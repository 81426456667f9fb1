//! Erasure: of one recipient's records, or of the whole message.
//!
//! Both are one transaction: rows are written again without what is to go, and what must leave for it waits as letters
//! ([`super::letters`]): packs without those lines, under the keys that they left under; objects that are to be empty; acts
//! that the sender has not heard of; and the event `erased`. A crash finds all of it or nothing, and the same again finds
//! nothing to do but to tell it once more.
//!
//! What was found of others stands: it is judged again only where something else asks for it, and then by what is left. A pack that
//! has not left leaves without the lines. What is in memory is not mended but loaded again.

use std::collections::BTreeSet;

use super::Message;
use super::deliveries;
use super::outbox::Pending;
use super::ship::Outcome;
use super::sql::Database;
use crate::event::erased::Erased;
use crate::event::pack;
use crate::event::parcel;
use crate::record::EventId;
use crate::verdict::Key;

/// What an erasure came upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Records that are gone.
    pub records: usize,
    /// Rows that cannot be read, and so may hold more: 0 unless rows are damaged, or a later version wrote them.
    pub unreadable: usize,
}

impl<D: Database> Message<D> {
    /// Erases every record of a recipient, asked for at a moment in Unix milliseconds. All rows are gone through; those that hold
    /// any are written again. The message must then be loaded again.
    ///
    /// # Errors
    /// When storage fails.
    pub fn erase(&mut self, recipient_id: &str, ts_ms: i64) -> Result<Erasure, D::Error> {
        let recipient = Key::of(recipient_id);
        let mut ids = BTreeSet::new();
        let (rows, mut unreadable) = self.rows.rows_of(recipient_id, &mut ids)?;
        self.let_acts_go(&|id| ids.contains(&id))?;
        let stays = |id: EventId, owner: u64| owner != recipient.short() && !ids.contains(&id);
        let packs = self.rows.packs_with(&|keys| pack::keys(keys).any(|(id, owner)| !stays(id, owner)))?;
        // The queue may be taking the next one at this moment.
        let may_have_left = self.outbox.sent_pack() + 1;
        let mut again = Vec::new();
        for number in &packs {
            let Some(row) = self.rows.pack(*number)? else { continue };
            let parts = self.parts(*number)?;
            let Ok(kept) = row.keeping(&stays) else {
                unreadable += 1;
                continue;
            };
            self.rows.rewrite_pack(&kept, parts)?;
            again.extend((*number <= may_have_left).then_some((*number, row.first_ms, parts)));
        }
        for first in rows {
            self.rows.rewrite_batch(first, &|id| !ids.contains(&id))?;
        }
        self.rows.remove_events(&ids)?;
        self.erase_what_was_told(recipient)?;
        let spans = self.rows.spans()?;
        if let Some((first, _)) =
            spans.iter().find(|(_, last)| packs.first().is_some_and(|pack| pack <= last))
        {
            self.rows.erase_sums(*first)?;
        }
        for (number, first_ms, parts) in again {
            self.leave_again(number, first_ms, parts)?;
        }
        let erased = Erased { message_id: self.message_id(), recipient_id: Some(recipient_id), ts_ms };
        self.rows.put_letter(0, erased.letter())?;
        self.put_meta()?;
        Ok(Erasure { records: ids.len(), unreadable })
    }

    /// Erases the message, asked for at a moment in Unix milliseconds: there is none afterwards, and the next click begins one.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn forget(&mut self, ts_ms: i64) -> Result<(), D::Error> {
        self.let_acts_go(&|_| true)?;
        let mut packs = Vec::new();
        for (number, first_ms, _) in self.rows.places(1, self.outbox.sent_pack() + 1)? {
            packs.push((number, first_ms, 0..self.parts(number)?));
        }
        self.rows.forget_pack_letters()?;
        self.rows.wipe()?;
        for letter in parcel::of_blanks(&self.shard.name, &packs) {
            self.rows.put_letter(0, letter)?;
        }
        let erased = Erased { message_id: self.message_id(), recipient_id: None, ts_ms };
        self.rows.put_letter(0, erased.letter())
    }

    /// The message that this is all or a shard of.
    fn message_id(&self) -> &str {
        self.shard.name.split('#').next().unwrap_or_default()
    }

    /// Acts whose records go are told now, by what is known of them: a sender must hear of them.
    fn let_acts_go(&mut self, goes: &dyn Fn(EventId) -> bool) -> Result<(), D::Error> {
        let acts: Vec<Pending> =
            self.outbox.acts.iter().flatten().filter(|act| goes(act.id)).copied().collect();
        for act in acts {
            if let Outcome::Send(letters) = self.telling(act)?.outcome {
                for letter in letters {
                    self.rows.put_letter(0, letter)?;
                }
            }
        }
        Ok(())
    }

    /// How many objects a pack is.
    fn parts(&self, number: u64) -> Result<usize, D::Error> {
        let known = self.rows.places(number, number)?.first().map_or(0, |(.., parts)| *parts);
        if known > 0 {
            return Ok(known);
        }
        // A version before 4 wrote it.
        Ok(match self.read_pack(number)?.0 {
            Outcome::Send(letters) => letters.len(),
            _ => 0,
        })
    }

    /// A pack leaves again as it is now; of its objects those that it does not fill any more are blanked.
    fn leave_again(&self, number: u64, first_ms: i64, parts: usize) -> Result<(), D::Error> {
        let next = self.rows.next_letter()?;
        let letters = match self.read_pack(number)?.0 {
            Outcome::Send(letters) => letters,
            _ => Vec::new(),
        };
        let blanks = parcel::of_blanks(&self.shard.name, &[(number, first_ms, letters.len()..parts)]);
        for letter in letters.into_iter().chain(blanks) {
            self.rows.put_letter(number, letter)?;
        }
        // What waited there from an earlier erasure says too much.
        self.rows.forget_letters(number, next)
    }

    /// Erases what was told of a recipient's mail, and that it is to be judged again.
    fn erase_what_was_told(&self, recipient: Key) -> Result<(), D::Error> {
        let bucket = deliveries::bucket(recipient);
        let told = self.rows.deliveries(bucket)?;
        let left = deliveries::without(&told, recipient);
        if left.len() < told.len() {
            self.rows.put_deliveries(bucket, &left)?;
        }
        for revisit in self.rows.revisits()? {
            let others = revisit.recipients.iter().copied().filter(|short| *short != recipient.short());
            let others: Vec<u64> = others.collect();
            if others.len() < revisit.recipients.len() {
                self.rows.put_recipients(revisit.number, &others)?;
            }
        }
        Ok(())
    }
}
