//! The rows that a message lives in, and what it asks of whatever keeps them.
//!
//! The Durable Object keeps them in `SQLite`, the tests in memory. Rows written are the price ($1 a million), so a
//! click is inserted once and never updated, and everything else is packed. Every call is synchronous: nothing else
//! runs between two calls, and what they write is committed together.

use crate::event::pack::PackRow;
use crate::record::{EventId, Kind, Sighting};
use crate::verdict::Key;

/// What a message keeps about itself: one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The object's name: the message's id, with its shard behind `#` from the second shard on.
    pub name: String,
    /// The last pack that the queue has taken; 0 before the first.
    pub sent_pack: u64,
    /// How often in a row the queue has refused.
    pub failures: u32,
    /// Not before this moment is the next try, Unix milliseconds.
    pub retry_at_ms: i64,
    /// The time of the oldest click that arrived after its time had been settled; `i64::MAX` when there is none.
    pub late_from_ms: i64,
}

/// Keeps a message's rows.
pub trait Store {
    /// What may go wrong. After an error the message is loaded anew from its rows.
    type Error;

    /// The message's own row; `None`, and nothing created, when there is no such message.
    ///
    /// # Errors
    /// When storage fails, as with every call here.
    fn meta(&self) -> Result<Option<Meta>, Self::Error>;

    /// Creates the schema and the message's own row.
    ///
    /// # Errors
    /// When storage fails.
    fn create(&self, meta: &Meta) -> Result<(), Self::Error>;

    /// Replaces the message's own row.
    ///
    /// # Errors
    /// When storage fails.
    fn put_meta(&self, meta: &Meta) -> Result<(), Self::Error>;

    /// Adds a click; `false` and no change when its id is there.
    ///
    /// # Errors
    /// When storage fails.
    fn insert_click(&self, id: EventId, record: &str) -> Result<bool, Self::Error>;

    /// Hands over the clicks from an id on, up to but without another, oldest first, at most `limit`. One by one: all
    /// records of the open windows at once would be more than an object's memory.
    ///
    /// # Errors
    /// When storage fails.
    fn clicks(
        &self,
        from: EventId,
        until: EventId,
        limit: usize,
        each: &mut dyn FnMut(EventId, String),
    ) -> Result<(), Self::Error>;

    /// Hands over the clicks of these ids, in any order; an id that is not there is left out.
    ///
    /// # Errors
    /// When storage fails.
    fn clicks_by_id(&self, ids: &[EventId], each: &mut dyn FnMut(EventId, String))
    -> Result<(), Self::Error>;

    /// Adds a pack.
    ///
    /// # Errors
    /// When storage fails.
    fn insert_pack(&self, pack: &PackRow) -> Result<(), Self::Error>;

    /// Hands over the packs whose clicks lie between two moments (both included), in order of their number.
    ///
    /// # Errors
    /// When storage fails.
    fn packs(&self, from_ms: i64, until_ms: i64, each: &mut dyn FnMut(PackRow)) -> Result<(), Self::Error>;

    /// The pack of that number.
    ///
    /// # Errors
    /// When storage fails.
    fn pack(&self, number: u64) -> Result<Option<PackRow>, Self::Error>;

    /// Number and `open_from_ms` of the last pack, and `first_ms` of the earliest.
    ///
    /// # Errors
    /// When storage fails.
    fn pack_bounds(&self) -> Result<Option<(u64, i64, i64)>, Self::Error>;

    /// Hands over number and keys of the packs whose clicks lie between two moments (both included), in order.
    ///
    /// # Errors
    /// When storage fails.
    fn pack_keys(
        &self,
        from_ms: i64,
        until_ms: i64,
        each: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<(), Self::Error>;

    /// Counts a click on the record that stands for it.
    ///
    /// # Errors
    /// When storage fails.
    fn add_repeat(&self, id: EventId) -> Result<(), Self::Error>;

    /// The clicks counted on records between two ids, the second left out.
    ///
    /// # Errors
    /// When storage fails.
    fn repeats(&self, from: EventId, until: EventId) -> Result<Vec<(EventId, i64)>, Self::Error>;

    /// The delivery times of a bucket (see [`super::deliveries`]); empty when there are none.
    ///
    /// # Errors
    /// When storage fails.
    fn deliveries(&self, bucket: u8) -> Result<Vec<u8>, Self::Error>;

    /// Replaces the delivery times of a bucket.
    ///
    /// # Errors
    /// When storage fails.
    fn put_deliveries(&self, bucket: u8, entries: &[u8]) -> Result<(), Self::Error>;

    /// Whether there are any delivery times.
    ///
    /// # Errors
    /// When storage fails.
    fn has_deliveries(&self) -> Result<bool, Self::Error>;

    /// Keeps what the landing page of a click showed, in place of what it showed before.
    ///
    /// # Errors
    /// When storage fails.
    fn put_verification(&self, click: EventId, sighting: &Sighting) -> Result<(), Self::Error>;

    /// Hands over what the landing pages of these clicks showed, in any order; a click without one is left out.
    ///
    /// # Errors
    /// When storage fails.
    fn verifications(
        &self,
        clicks: &[EventId],
        each: &mut dyn FnMut(EventId, Sighting),
    ) -> Result<(), Self::Error>;

    /// Hands over what the landing pages of the clicks from an id on showed.
    ///
    /// # Errors
    /// When storage fails.
    fn verifications_from(
        &self,
        from: EventId,
        each: &mut dyn FnMut(EventId, Sighting),
    ) -> Result<(), Self::Error>;

    /// Whether any landing page has shown anything.
    ///
    /// # Errors
    /// When storage fails.
    fn has_verifications(&self) -> Result<bool, Self::Error>;

    /// The presses of an act (see [`super::act`]), oldest first, and whether each is told.
    ///
    /// # Errors
    /// When storage fails.
    fn presses(&self, act: Key) -> Result<Vec<(EventId, bool)>, Self::Error>;

    /// Adds a press to an act of that kind, untold.
    ///
    /// # Errors
    /// When storage fails.
    fn put_press(&self, act: Key, id: EventId, kind: Kind) -> Result<(), Self::Error>;

    /// Marks a press as told.
    ///
    /// # Errors
    /// When storage fails.
    fn mark_told(&self, act: Key, id: EventId) -> Result<(), Self::Error>;

    /// The presses that are not told yet, oldest first.
    ///
    /// # Errors
    /// When storage fails.
    fn untold(&self) -> Result<Vec<(Key, EventId, Kind)>, Self::Error>;
}
