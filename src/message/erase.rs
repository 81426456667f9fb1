//! Erasure: of one recipient's records, or of the whole message.
//!
//! Both are one transaction: rows are written again without what is to go, and what must leave for it waits as letters: packs
//! without those lines, under the keys that they left under; objects that are to be empty; acts that the sender has not heard of;
//! and the event `erased`. A crash finds all of it or nothing, and the same again finds nothing to do but to tell it once more.
//!
//! Letters are the queue's messages, made with the erasure, so that nothing needs to be remembered of what is gone. They leave in
//! their order and before any pack: what blanks objects of a message must not come behind what begins anew under the same keys.
//!
//! What was found of others stands: it is judged again only where something else asks for it, and then by what is left. The board of
//! shards is told of it ([`super::exchange`]). A pack that has not left leaves without the lines. What is in memory is not mended
//! but read again.

use super::Message;
use super::by_id::Ids;
use super::deliveries;
use super::outbox::Outbox;
use super::rows::Meta;
use super::shard::Shard;
use super::ship::Outcome;
use super::sql::Database;
use super::watermark::Watermark;
use crate::event::erased::Erased;
use crate::event::pack;
use crate::event::parcel::{self, Letter};
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
    /// Erases every record of a recipient, or without one the message, asked for at a moment in Unix milliseconds. All rows are gone
    /// through; those that hold any of a recipient's are written again. Of a message nothing is left, and the next click begins it
    /// anew.
    ///
    /// # Errors
    /// When storage fails; the message must then be loaded again.
    pub fn erase(&mut self, recipient_id: Option<&str>, ts_ms: i64) -> Result<Erasure, D::Error> {
        let message_id = self.shard.name.split('#').next().unwrap_or_default();
        let letter = Erased { message_id, recipient_id, ts_ms }.letter();
        let shards = self.shards();
        // It leaves first, and is there when letters that are older are forgotten.
        let number = self.rows.next_letter()?;
        self.rows.put_letter(0, letter)?;
        let erasure = match recipient_id {
            Some(recipient_id) => self.erase_recipient(recipient_id, number)?,
            None => self.erase_all(number)?,
        };
        self.outbox.letters = true;
        self.fill()?;
        // Another object may not have answered: whoever asks again asks the first for all.
        self.set_shards(shards)?;
        Ok(erasure)
    }

    fn erase_recipient(&mut self, recipient_id: &str, letter: u64) -> Result<Erasure, D::Error> {
        let recipient = Key::of(recipient_id);
        let mut ids = Ids::default();
        let (rows, mut unreadable) = self.rows.rows_of(recipient_id, &mut ids)?;
        self.let_acts_go(&|id| ids.contains(&id))?;
        let stays = |id: EventId, owner: u64| owner != recipient.short() && !ids.contains(&id);
        let mut packs = Vec::new();
        self.rows.pack_keys(i64::MIN, i64::MAX, &mut |number, keys| {
            if pack::keys(keys).any(|(id, owner)| !stays(id, owner)) {
                packs.push(number);
            }
        })?;
        let mut again = Vec::new();
        for number in &packs {
            let Some(row) = self.rows.pack(*number)? else { continue };
            let parts = self.parts(*number)?;
            let Ok(kept) = row.keeping(&stays) else {
                unreadable += 1;
                continue;
            };
            self.rows.put_pack(&kept, parts)?;
            // The queue may be taking the next one at this moment.
            if *number <= self.outbox.sent_pack() + 1 {
                again.push((*number, row.first_ms, parts));
            }
        }
        for first in rows {
            self.rows.rewrite_batch(first, &|id| !ids.contains(&id))?;
        }
        self.rows.remove_events(&ids)?;
        let bucket = deliveries::bucket(recipient);
        let told = self.rows.deliveries(bucket)?;
        let left = deliveries::without(&told, recipient);
        if left.len() < told.len() {
            self.rows.put_deliveries(bucket, &left)?;
        }
        for (first, last) in self.rows.spans()? {
            if packs.first().is_some_and(|pack| *pack <= last) {
                self.rows.forget_sums(first)?;
                break;
            }
        }
        for (number, first_ms, parts) in again {
            // What waits of it from an earlier erasure says too much.
            self.rows.forget_letters((number, number), letter)?;
            self.leave_again(number, first_ms, parts)?;
        }
        for id in ids.iter() {
            self.mark(id.ts_ms());
        }
        self.save_shard()?;
        self.outbox.forget_made();
        self.put_meta()?;
        Ok(Erasure { records: ids.len(), unreadable })
    }

    fn erase_all(&mut self, letter: u64) -> Result<Erasure, D::Error> {
        self.let_acts_go(&|_| true)?;
        let mut packs = Vec::new();
        for (number, first_ms, _) in self.rows.places(1, self.outbox.sent_pack() + 1)? {
            packs.push((number, first_ms, 0..self.parts(number)?));
        }
        self.rows.forget_letters((1, u64::MAX), letter)?;
        self.rows.wipe()?;
        // It began before all time, so it is over as soon as the letters have left.
        let name = self.shard.name.clone();
        let meta = Meta { name, late_from_ms: i64::MAX, began_ms: i64::MIN, ..Meta::default() };
        self.rows.create(&meta)?;
        let acts = self.outbox.acts.take();
        self.outbox = Outbox::new(&meta);
        self.outbox.acts = acts;
        self.watermark = Watermark::new(meta.late_from_ms);
        for letter in parcel::of_blanks(&self.shard.name, &packs) {
            self.rows.put_letter(0, letter)?;
        }
        self.shard = Shard::new(meta, &[]);
        Ok(Erasure::default())
    }

    /// Acts whose records go are told now, by what is known of them: a sender must hear of them.
    fn let_acts_go(&mut self, goes: &dyn Fn(EventId) -> bool) -> Result<(), D::Error> {
        let Some(acts) = self.outbox.acts.take() else { return Ok(()) };
        let mut left = Vec::new();
        for act in acts {
            if !goes(act.id) {
                left.push(act);
            } else if let Outcome::Send(letters) = self.telling(act)?.outcome {
                for letter in letters {
                    self.rows.put_letter(0, letter)?;
                }
            }
        }
        self.outbox.acts = Some(left);
        Ok(())
    }

    /// How many objects a pack is.
    fn parts(&self, number: u64) -> Result<usize, D::Error> {
        let known = self.rows.parts(number)?;
        // A version before 4 did not say.
        Ok(if known > 0 { known } else { self.letters_of(number)?.len() })
    }

    fn letters_of(&self, number: u64) -> Result<Vec<Letter>, D::Error> {
        Ok(match self.read_pack(number)? {
            Some((Outcome::Send(letters), _)) => letters,
            _ => Vec::new(),
        })
    }

    /// A pack leaves again as it is now; of its objects those that it does not fill any more are blanked.
    fn leave_again(&self, number: u64, first_ms: i64, parts: usize) -> Result<(), D::Error> {
        let mut letters = self.letters_of(number)?;
        let blanks = letters.len()..parts;
        letters.append(&mut parcel::of_blanks(&self.shard.name, &[(number, first_ms, blanks)]));
        for letter in letters {
            self.rows.put_letter(number, letter)?;
        }
        Ok(())
    }
}
