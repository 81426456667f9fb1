//! `rewrite --eml`: one mail in, the recipient's copy out, as a mail server's filter.

use std::collections::BTreeMap;

use clickproof::link::copy::check_shards;
use clickproof::link::keys::Keyring;
use clickproof::sender::eml::rewrite_mail;
use clickproof::sender::mail::{Envelope, LARGEST};
use clickproof::sender::options::Options;

use crate::say::say;
use crate::stop::Stop;
use crate::streams::Streams;

/// Whose copy it is, where the mail does not say.
#[derive(clap::Args)]
pub(crate) struct Ids {
    /// With --eml: the message, where the mail has no X-Clickproof-Message
    #[arg(long, value_name = "ID", requires = "eml")]
    message_id: Option<String>,
    /// With --eml: the recipient, where the mail has no X-Clickproof-Recipient
    #[arg(long, value_name = "ID", requires = "eml")]
    recipient_id: Option<String>,
    /// With --eml: when it was sent, where the mail has no X-Clickproof-Sent-At; else its Date counts
    #[arg(long, value_name = "MS", requires = "eml")]
    sent_at_ms: Option<i64>,
    /// With --eml: the recipient's group, where the mail has no X-Clickproof-Group
    #[arg(long, value_name = "ID", requires = "eml")]
    group: Option<String>,
    /// With --eml: how many objects share the message, where the mail has no X-Clickproof-Shards [default: 1]
    #[arg(long, value_name = "COUNT", requires = "eml", value_parser = shards)]
    shards: Option<u32>,
}

fn shards(text: &str) -> Result<u32, String> {
    check_shards(text.parse().ok())
}

/// Rewrites the mail; says how many were refused: it or none.
pub(crate) fn run(
    streams: &Streams,
    ids: &Ids,
    sent: Option<u64>,
    keys: &Keyring,
    options: &Options,
) -> Result<usize, Stop> {
    let mail = streams.read(LARGEST)?;
    let given = Envelope {
        message_id: ids.message_id.clone(),
        recipient_id: ids.recipient_id.clone(),
        sent_at_ms: ids.sent_at_ms,
        group: ids.group.clone(),
        shards: ids.shards,
        sent,
        ..Envelope::default()
    };
    match rewrite_mail(&mail, &given, keys, options) {
        Ok(rewritten) => {
            // What is said here goes to a mail server's log, and a link that is left may be a secret: reasons are enough.
            let mut reasons = BTreeMap::<String, usize>::new();
            for left in &rewritten.left {
                *reasons.entry(left.reason.to_string()).or_default() += 1;
            }
            for (reason, count) in reasons {
                say(&format!("left: {count} × {reason}"));
            }
            for warning in &rewritten.warnings {
                say(&format!("warning: {warning}"));
            }
            streams.open_output()?.bytes(&rewritten.mail)?;
            Ok(0)
        }
        Err(problem) => {
            say(&format!("error: {problem}"));
            Ok(1)
        }
    }
}
