//! What a landing page shows of whoever clicked: the word that beacons, verdicts and events say it by.

use serde::Serialize;

use super::EventId;
use super::named::named;

named! {
    /// What the landing page showed of whoever clicked, the weakest first.
    #[derive(Default)]
    pub enum Verified: serde {
        /// Nothing.
        #[default]
        None = "none",
        /// It was shown: a browser ran its script, or loaded its pixel.
        Rendered = "rendered",
        /// Somebody touched it.
        Interacted = "interacted",
    }
}

/// One report of a landing page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// Its own id, which dates it.
    pub event_id: EventId,
    /// What the page showed.
    pub verified: Verified,
    /// How long after the page was shown it was touched, as the page tells, milliseconds.
    pub since_load_ms: Option<i64>,
}
