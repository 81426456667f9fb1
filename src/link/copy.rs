//! The copy of a message that one recipient gets: what all its links say alike.

use super::fields::Fields;
use super::url::Target;
use super::{Link, shard, text_id};
use crate::json::Json;
use crate::record::{Kind, moment};

/// A recipient's copy of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailCopy {
    /// The send.
    pub message_id: String,
    /// The addressee.
    pub recipient_id: String,
    /// When it was sent, Unix milliseconds.
    pub sent_at_ms: u64,
    /// The part of the list that the addressee belongs to, where the sender tells of one.
    pub group: Option<String>,
    /// How many objects share the message ([`shard`]): for all its copies the same.
    pub shards: u32,
    /// To how many recipients the message goes, where the sender tells.
    pub sent: Option<u64>,
}

impl MailCopy {
    /// The fields of an object that say which copy it is.
    pub const FIELDS: [&str; 6] = ["message_id", "recipient_id", "sent_at_ms", "group", "shards", "sent"];

    /// Reads those fields.
    ///
    /// # Errors
    /// A message that names the first bad one and says what it must be.
    pub fn read(call: &Fields) -> Result<Self, String> {
        let message_id = call.id("message_id", text_id::check_message_id)?;
        let recipient_id = call.id("recipient_id", text_id::check_recipient_id)?;
        let sent_at_ms = call
            .get("sent_at_ms")
            .and_then(Json::integer::<i64>)
            .ok_or("sent_at_ms: must be a whole number of Unix milliseconds")?;
        moment::check("sent_at_ms", sent_at_ms)?;
        let group = call.get("group").map(|_| call.id("group", text_id::check_group)).transpose()?;
        let shards = call.get("shards").map_or(Ok(1), |count| check_shards(count.integer()))?;
        let sent =
            call.get("sent").map(|sent| sent.integer().ok_or("sent: must be a whole number, 0 or more"));
        let (sent_at_ms, sent) = (sent_at_ms.cast_unsigned(), sent.transpose()?);
        Ok(Self { message_id, recipient_id, sent_at_ms, group, shards, sent })
    }

    /// What to say of the copy's shards, where the sender tells to how many the message goes.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        self.sent.and_then(|sent| shard::advice(sent, self.shards))
    }

    /// A link of the copy, which has so many click links.
    #[must_use]
    pub fn link(&self, kind: Kind, link_id: String, url: Option<Target>, links_total: u32) -> Link {
        Link {
            kind,
            shards: self.shards,
            links_total,
            sent_at_ms: self.sent_at_ms,
            message_id: self.message_id.clone(),
            recipient_id: self.recipient_id.clone(),
            link_id,
            group: self.group.clone(),
            url,
        }
    }
}

/// A count of shards that links may be minted with.
///
/// # Errors
/// What it must be.
pub fn check_shards(count: Option<u32>) -> Result<u32, String> {
    let fits = count.filter(|count| (1..=shard::MOST_SHARDS).contains(count));
    fits.ok_or_else(|| format!("shards: must be a whole number from 1 to {}", shard::MOST_SHARDS))
}
