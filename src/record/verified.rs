//! What a landing page shows of whoever clicked: the word that beacons, verdicts and events say it by.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::EventId;

/// What the landing page showed of whoever clicked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verified {
    /// Nothing.
    #[default]
    None,
    /// It was shown: a browser ran its script, or loaded its pixel.
    Rendered,
    /// Somebody touched it.
    Interacted,
}

impl Verified {
    /// Every level, the weakest first.
    pub const ALL: [Self; 3] = [Self::None, Self::Rendered, Self::Interacted];

    /// The name in verdicts and events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Rendered => "rendered",
            Self::Interacted => "interacted",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verified| verified.name() == name)
    }
}

impl Serialize for Verified {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Verified {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| D::Error::custom("verified: must be none, rendered or interacted"))
    }
}

/// One report of a landing page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Its own id, which dates it.
    pub event_id: EventId,
    /// What the page showed.
    pub verified: Verified,
    /// How long after the page was shown it was touched, as the page tells, milliseconds.
    pub since_load_ms: Option<i64>,
}
