//! Why a message's object did not answer.

use std::fmt;

use crate::message::call::{SEVERAL, UNKNOWN_CALL};

/// What a call of an object fails with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The call did not arrive, or its answer did not.
    Unreachable(String),
    /// The object answered with an error.
    Refused { status: u16, words: String },
    /// The answer is not what was asked for.
    Unreadable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(words) => write!(f, "unreachable: {words}"),
            Self::Refused { status, words } => write!(f, "refused with {status}: {words}"),
            Self::Unreadable(words) => write!(f, "unreadable: {words}"),
        }
    }
}

impl Failure {
    /// How many objects share the message, where the first of them says so in place of an answer.
    pub(super) fn several(&self) -> Option<u32> {
        match self {
            Self::Refused { status: SEVERAL, words } => words.parse().ok(),
            _ => None,
        }
    }

    /// Whether the object has read what it was told, and will not have it. One of an older deploy does not know the call:
    /// a later one will.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { status: 400..=499, words } if !words.starts_with(UNKNOWN_CALL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_objects_says_how_many_they_are() {
        let words = || "16".to_owned();
        for (failure, several, text) in [
            (Failure::Refused { status: 421, words: words() }, Some(16), "refused with 421: 16"),
            (Failure::Refused { status: 400, words: words() }, None, "refused with 400: 16"),
            (Failure::Refused { status: 421, words: "no".to_owned() }, None, "refused with 421: no"),
            (Failure::Unreachable(words()), None, "unreachable: 16"),
            (Failure::Unreadable(words()), None, "unreadable: 16"),
        ] {
            assert_eq!((failure.several(), failure.to_string().as_str()), (several, text));
        }
    }

    #[test]
    fn only_an_object_that_knows_the_call_refuses_it() {
        let refused = |status, words: &str| Failure::Refused { status, words: words.to_owned() };
        for (failure, is_refusal) in [
            (refused(400, "records: a damaged batch"), true),
            (refused(499, ""), true),
            (refused(400, "no such call: /arrivals"), false),
            (refused(500, "storage"), false),
            (Failure::Unreachable("words".to_owned()), false),
            (Failure::Unreadable("<html>".to_owned()), false),
        ] {
            assert_eq!(failure.is_refusal(), is_refusal, "{failure:?}");
        }
    }
}
