//! The copy of a message that one recipient gets: what all its links say alike.

use super::fields::Fields;
use super::url::Target;
use super::{Link, text_id};
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
}

impl MailCopy {
    /// The fields of an object that say which copy it is.
    pub const FIELDS: [&str; 4] = ["message_id", "recipient_id", "sent_at_ms", "group"];

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
        Ok(Self { message_id, recipient_id, sent_at_ms: sent_at_ms.cast_unsigned(), group })
    }

    /// A link of the copy, which has so many click links.
    #[must_use]
    pub fn link(&self, kind: Kind, link_id: String, url: Option<Target>, links_total: u32) -> Link {
        Link {
            kind,
            shards: 1,
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
