//! What a mail carries: signed, self-contained links.
//!
//! [`mint`] makes them for the [`copy`] of a message that [`fields`] of an object tell of, [`token`] is their form, [`keys`]
//! signs and checks them, [`url`] and [`text_id`] say what may stand in them, [`shard`] which object keeps their clicks.
//! [`place`] is where a request for one goes, [`one_click`] what a mail provider presses, [`envelope`] the form of what else is
//! signed.

pub mod base64;
pub mod copy;
pub mod envelope;
pub mod fields;
pub mod keys;
pub mod mint;
pub mod one_click;
pub mod place;
pub mod shard;
pub mod text_id;
pub mod token;
pub mod url;

use crate::record::Kind;

/// The last moment that JavaScript's dates can hold, Unix milliseconds.
pub const MAX_TIME_MS: u64 = 8_640_000_000_000_000;

/// All that a token says: enough to redirect and to record without asking anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What the link is for; it must fit the route.
    pub kind: Kind,
    /// How many objects share the message's clicks.
    pub shards: u32,
    /// Click links in the recipient's copy.
    pub links_total: u32,
    /// When the message was sent, Unix milliseconds.
    pub sent_at_ms: u64,
    /// The send.
    pub message_id: String,
    /// The addressee.
    pub recipient_id: String,
    /// The link of the message.
    pub link_id: String,
    /// The part of the list that the addressee belongs to, where the sender told of one.
    pub group: Option<String>,
    /// Where to go, for kinds that go somewhere.
    pub url: Option<url::Target>,
}

impl Link {
    /// The address of the object that keeps the recipient's part of the message.
    #[must_use]
    pub fn object(&self) -> String {
        // A signed link may say more than any is minted with: nobody asks more objects than there may be.
        let shards = self.shards.min(shard::MOST_SHARDS);
        shard::address(&self.message_id, shard::shard(&self.recipient_id, shards), shards)
    }
}
