//! Links that stay as they are, and why.

use std::fmt;

use serde::{Serialize, Serializer};

/// A body of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// `text/html`.
    Html,
    /// `text/plain`.
    Text,
    /// AMP for mail.
    Amp,
    /// Another part of a mail.
    Other,
}

/// A link that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Where it stands.
    pub part: Part,
    /// Where it leads, its character references decoded; empty where all links of a part stay.
    pub url: String,
    /// Why it stays.
    pub reason: Reason,
}

/// Why a link stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its author says so, the sender for its host, or the recipient for all.
    OptedOut,
    /// It leads to no web page.
    Scheme,
    /// It leads to another place of the mail.
    Fragment,
    /// It leads nowhere.
    Empty,
    /// It has no scheme, and none is guessed.
    Relative,
    /// A template that was not rendered.
    Placeholder,
    /// Its text is a URL on another host than the click domain's.
    VisibleUrl,
    /// It is on the click domain and has a token.
    AlreadyTracked,
    /// It unsubscribes.
    Unsubscribe,
    /// In text: what follows it may belong to it.
    EndsOddly,
    /// In a drawing: SVG's older way to link.
    Xlink,
    /// It may be no redirect's target: why not, and the remedy.
    Refused(String),
    /// Its part of the mail stays as a whole: in a word or two why.
    WholePart(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OptedOut => "opted out",
            Self::Scheme => "scheme",
            Self::Fragment => "fragment",
            Self::Empty => "empty",
            Self::Relative => "relative",
            Self::Placeholder => "placeholder",
            Self::VisibleUrl => "visible url",
            Self::AlreadyTracked => "already tracked",
            Self::Unsubscribe => "unsubscribe",
            Self::EndsOddly => "ends oddly",
            Self::Xlink => "xlink:href",
            Self::WholePart(why) => why,
            Self::Refused(why) => return write!(f, "refused: {why}"),
        })
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
