//! A mail's bodies for one recipient: planned once, minted and spliced for each copy.

use encoding_rs::Encoding;
use serde::Serialize;

use super::html::HtmlPlan;
use super::left::{Left, Part};
use super::options::Options;
use super::text::TextPlan;
use crate::link::copy::MailCopy;
use crate::link::keys::Keyring;
use crate::link::mint::MailHeaders;

/// What of a recipient may be tracked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// Clicks: else links stay as they are.
    pub clicks: bool,
    /// Opens: else there is no pixel.
    pub opens: bool,
}

/// A body and its charset.
pub type Body<'a> = (&'a [u8], &'static Encoding);

/// A mail's bodies, read: what is to be replaced in them, for any recipient.
pub struct Plan {
    html: Option<HtmlPlan>,
    text: Option<TextPlan>,
}

/// A recipient's copy.
#[derive(Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The HTML body, where there is one.
    pub html: Option<Vec<u8>>,
    /// The text body, where there is one.
    pub text: Option<Vec<u8>>,
    /// What goes into the mail's head where it says nothing of unsubscribing yet.
    pub headers: MailHeaders,
    /// The links that were minted: those of the HTML first, a twin or the text's repetition of one not again.
    pub links: Vec<NewLink>,
    /// The links that stay as they are.
    pub left: Vec<Left>,
    /// What may go wrong with the mail.
    pub warnings: Vec<String>,
}

/// A link that was minted.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct NewLink {
    /// Its name in events and reports.
    pub link_id: String,
    /// What stands in the mail now.
    pub href: String,
    /// Where it leads; null for a link that acts and leads nowhere.
    pub url: Option<String>,
    /// Where it stands.
    pub part: Part,
}

/// Rewrites a mail's bodies for one recipient.
#[must_use]
pub fn rewrite_bodies(
    html: Option<Body>,
    text: Option<Body>,
    copy: &MailCopy,
    track: Track,
    keys: &Keyring,
    options: &Options,
) -> Rewritten {
    Plan::new(html, text, options).rewrite(copy, track, keys, options)
}
