//! What a link is for: the word that tokens, records and events say it by.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What kind of link was requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A tracked link.
    #[default]
    Click,
    /// The open pixel.
    Open,
    /// The unsubscribe page.
    Unsubscribe,
    /// The confirmation page.
    Confirm,
}

impl Kind {
    /// Every kind; the position is its number in a token.
    pub const ALL: [Self; 4] = [Self::Click, Self::Open, Self::Unsubscribe, Self::Confirm];

    /// The name in records and in the body of `POST /v1/links`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Open => "open",
            Self::Unsubscribe => "unsubscribe",
            Self::Confirm => "confirm",
        }
    }

    /// Whether a press on its page does something.
    #[must_use]
    pub const fn acts(self) -> bool {
        matches!(self, Self::Unsubscribe | Self::Confirm)
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name)
            .ok_or_else(|| D::Error::custom("kind: must be click, open, unsubscribe or confirm"))
    }
}
