//! What a call is answered with.

use serde::Serialize;

use crate::event::line;

/// What a call is answered with.
pub(super) enum Answer {
    Done,
    Text(String),
    Bytes(Vec<u8>),
    Refused(String),
    Failed(String),
    /// The message has so many objects, which whoever asks did not know.
    Several(u32),
}

impl Answer {
    pub(super) fn json(value: &impl Serialize) -> Self {
        Self::Text(line::json(value))
    }
}
