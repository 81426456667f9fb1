//! A whole mail for one recipient: what the mail filter and the lines with `eml` do.

use super::left::{Left, Part, Reason};
use super::mail::{Envelope, LeftPart, Mail};
use super::options::Options;
use super::rewrite::{NewLink, Plan, Track};
use crate::link::copy::MailCopy;
use crate::link::keys::Keyring;
use crate::link::text_id::{self, TextIdError};
use crate::record::moment;

/// A recipient's copy of a mail.
#[derive(Debug, PartialEq, Eq)]
pub struct RewrittenMail {
    /// The mail.
    pub mail: Vec<u8>,
    /// The links that were minted.
    pub links: Vec<NewLink>,
    /// The links that stay as they are, and the parts whose links all stay.
    pub left: Vec<Left>,
    /// What may go wrong with the mail.
    pub warnings: Vec<String>,
}

/// Rewrites a mail for one recipient. What its `X-Clickproof-*` fields do not say, `given` says.
///
/// # Errors
/// Why the mail is refused, and the remedy: it is signed, nothing says whose copy it is, or the two say different things.
pub fn rewrite_mail(
    mail: &[u8],
    given: &Envelope,
    keys: &Keyring,
    options: &Options,
) -> Result<RewrittenMail, String> {
    let mail = Mail::read(mail).map_err(|error| error.to_string())?;
    let envelope = mail.envelope().clone().or(given)?;
    let copy = copy(&envelope)?;
    let track = Track { clicks: envelope.clicks.unwrap_or(true), opens: envelope.opens.unwrap_or(true) };
    let own_unsubscribe = mail.list_unsubscribe();
    let ours = format!("{}/u/", options.base_url);
    let has_ours = own_unsubscribe.iter().any(|url| url.starts_with(&ours));
    let options = Options {
        unsubscribe_urls: [&options.unsubscribe_urls[..], &own_unsubscribe].concat(),
        ..options.clone()
    };
    let plan = Plan::new(mail.html(), mail.text(), &options);
    let (mut rewritten, splices) = plan.splices(&copy, track, keys, &options);
    let unsubscribe = rewritten.headers.list_unsubscribe.trim_matches(['<', '>']);
    let unsubscribe = Some(unsubscribe).filter(|_| !has_ours);
    let written = mail.write(&splices.html, &splices.text, unsubscribe).map_err(|error| error.to_string())?;
    rewritten.left.extend(mail.left().iter().map(left));
    rewritten.warnings.extend(written.warnings);
    Ok(RewrittenMail {
        mail: written.mail,
        links: rewritten.links,
        left: rewritten.left,
        warnings: rewritten.warnings,
    })
}

/// Whose copy it is.
fn copy(envelope: &Envelope) -> Result<MailCopy, String> {
    let id =
        |value: &Option<String>, header: &str, given: &str, check: fn(&str) -> Result<(), TextIdError>| {
            let missing = || format!("the mail has no {header}: add that field, or give {given}");
            let value = value.as_ref().ok_or_else(missing)?;
            check(value).map_err(|error| format!("{header}: {error}"))?;
            Ok::<_, String>(value.clone())
        };
    let sent_at_ms = envelope.sent_at_ms.or(envelope.date_ms).ok_or(
        "the mail has neither X-Clickproof-Sent-At nor a Date that can be read: add one of the fields, or give sent_at_ms",
    )?;
    moment::check("X-Clickproof-Sent-At", sent_at_ms)?;
    let group = envelope.group.clone();
    if let Some(group) = &group {
        text_id::check_group(group).map_err(|error| format!("X-Clickproof-Group: {error}"))?;
    }
    Ok(MailCopy {
        message_id: id(
            &envelope.message_id,
            "X-Clickproof-Message",
            "message_id",
            text_id::check_message_id,
        )?,
        recipient_id: id(
            &envelope.recipient_id,
            "X-Clickproof-Recipient",
            "recipient_id",
            text_id::check_recipient_id,
        )?,
        sent_at_ms: sent_at_ms.cast_unsigned(),
        group,
        shards: envelope.shards.unwrap_or(1),
        sent: envelope.sent,
    })
}

fn left(part: &LeftPart) -> Left {
    let stands = match part.media_type.as_str() {
        "text/html" => Part::Html,
        "text/plain" => Part::Text,
        "text/x-amp-html" => Part::Amp,
        _ => Part::Other,
    };
    Left { part: stands, url: String::new(), reason: Reason::WholePart(part.reason) }
}
