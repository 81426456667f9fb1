//! What a mail says of itself in `X-Clickproof-*` fields: whose copy of which message it is. They are for this program alone
//! and leave with it.

use std::fmt;

use mail_parser::parsers::MessageStream;

use super::head::{Field, Head};
use crate::link::copy::check_shards;

/// What all these fields begin with, in lower case.
const OURS: &str = "x-clickproof-";

/// What a mail's fields say; what none of them says is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `X-Clickproof-Message`: the message's id.
    pub message_id: Option<String>,
    /// `X-Clickproof-Recipient`: the recipient's id.
    pub recipient_id: Option<String>,
    /// `X-Clickproof-Sent-At`: Unix milliseconds.
    pub sent_at_ms: Option<i64>,
    /// `Date`: Unix milliseconds, whole seconds.
    pub date_ms: Option<i64>,
    /// `X-Clickproof-Group`: the recipient's group.
    pub group: Option<String>,
    /// `X-Clickproof-Shards`: how many objects share the message.
    pub shards: Option<u32>,
    /// To how many recipients the message goes: no field says it.
    pub sent: Option<u64>,
    /// `X-Clickproof-Track: clicks=off`: whether links are tracked.
    pub clicks: Option<bool>,
    /// `X-Clickproof-Track: opens=off`: whether opens are.
    pub opens: Option<bool>,
}

impl Envelope {
    pub(super) fn read(mail: &[u8], head: &Head) -> Result<Self, String> {
        let mut envelope = Self { date_ms: date(mail, head), ..Self::default() };
        for field in ours(head) {
            let shown = shown(mail, field);
            if head.all(&field.name).count() > 1 {
                return Err(format!("{shown} stands twice: leave one"));
            }
            let value = field.text(mail);
            match &field.name[OURS.len()..] {
                "message" => envelope.message_id = Some(value),
                "recipient" => envelope.recipient_id = Some(value),
                "group" => envelope.group = Some(value),
                "sent-at" => {
                    let ms = value.parse();
                    let problem = format!("{shown} must be a whole number of Unix milliseconds");
                    envelope.sent_at_ms = Some(ms.map_err(|_| problem)?);
                }
                "shards" => {
                    let count = check_shards(value.parse().ok());
                    envelope.shards = Some(count.map_err(|problem| format!("{shown}: {problem}"))?);
                }
                "track" => {
                    let problem =
                        format!("{shown} must be clicks=off, opens=off, or both with a comma between");
                    envelope.track(&value).ok_or(problem)?;
                }
                _ => {
                    return Err(format!(
                        "{shown} is unknown: Message, Recipient, Sent-At, Group, Shards and Track may follow X-Clickproof-"
                    ));
                }
            }
        }
        Ok(envelope)
    }

    /// What this says, and what `given` says where this is silent.
    ///
    /// # Errors
    /// When both speak and say different things: which field it is.
    pub fn or(self, given: &Self) -> Result<Self, String> {
        Ok(Self {
            message_id: one("X-Clickproof-Message", self.message_id, given.message_id.clone())?,
            recipient_id: one("X-Clickproof-Recipient", self.recipient_id, given.recipient_id.clone())?,
            sent_at_ms: one("X-Clickproof-Sent-At", self.sent_at_ms, given.sent_at_ms)?,
            date_ms: self.date_ms.or(given.date_ms),
            group: one("X-Clickproof-Group", self.group, given.group.clone())?,
            shards: one("X-Clickproof-Shards", self.shards, given.shards)?,
            sent: given.sent,
            clicks: one("X-Clickproof-Track: clicks", self.clicks, given.clicks)?,
            opens: one("X-Clickproof-Track: opens", self.opens, given.opens)?,
        })
    }

    fn track(&mut self, value: &str) -> Option<()> {
        for entry in value.split(',') {
            let (name, switch) = entry.split_once('=')?;
            let switch = match switch.trim() {
                "on" => true,
                "off" => false,
                _ => return None,
            };
            match name.trim() {
                "clicks" => self.clicks = Some(switch),
                "opens" => self.opens = Some(switch),
                _ => return None,
            }
        }
        Some(())
    }
}

/// The one value of two that may be given.
fn one<T: PartialEq + fmt::Debug>(
    field: &str,
    own: Option<T>,
    given: Option<T>,
) -> Result<Option<T>, String> {
    match (own, given) {
        (Some(own), Some(given)) if own != given => {
            Err(format!("{field}: the mail says {own:?}, and {given:?} is given beside it: leave one"))
        }
        (own, given) => Ok(own.or(given)),
    }
}

/// The fields that are for this program.
pub(super) fn ours(head: &Head) -> impl Iterator<Item = &Field> {
    head.fields.iter().filter(|field| field.name.starts_with(OURS))
}

/// A field's name as the mail writes it.
fn shown(mail: &[u8], field: &Field) -> String {
    String::from_utf8_lossy(&mail[field.lines.start..field.value.start - 1]).trim_end().to_owned()
}

fn date(mail: &[u8], head: &Head) -> Option<i64> {
    let mut value = mail[head.first("date")?.value.clone()].to_vec();
    value.extend_from_slice(b"\n\n");
    let date = MessageStream::new(&value).parse_date().into_datetime()?;
    date.is_valid().then(|| date.to_timestamp() * 1_000)
}
