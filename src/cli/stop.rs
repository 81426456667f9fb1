//! Why commands end: what every step of one may return in place of its result.

/// Why a command ends before its input does.
pub(crate) enum Stop {
    /// Nobody reads the results any more (`| head`): no error, only no reason to go on.
    Closed,
    /// What went wrong and what to do about it.
    Refused(String),
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        Self::Refused(format!("a result cannot be written: {error}"))
    }
}
