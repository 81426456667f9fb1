//! Why a message's object did not answer, and whether to ask again.

use std::fmt;

use crate::message::call::{SEVERAL, UNKNOWN_CALL};

/// What a call of an object fails with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The call did not arrive, or its answer did not.
    Unreachable { words: String, is_passing: bool },
    /// The object answered with an error.
    Refused { status: u16, words: String },
    /// The answer is not what was asked for.
    Unreadable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { words, .. } => write!(f, "unreachable: {words}"),
            Self::Refused { status, words } => write!(f, "refused with {status}: {words}"),
            Self::Unreadable(words) => write!(f, "unreadable: {words}"),
        }
    }
}

impl Failure {
    /// The runtime could not reach the object, and says whether it may soon.
    pub(super) const fn unreachable(words: String, is_passing: bool) -> Self {
        Self::Unreachable { words, is_passing }
    }

    /// Whether a second try may succeed: storage may be back, the object may have moved.
    pub(super) const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { is_passing, .. } => *is_passing,
            Self::Refused { status, .. } => *status >= 500,
            Self::Unreadable(_) => false,
        }
    }

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
    fn what_may_pass_is_asked_again_and_nothing_else() {
        let words = || "words".to_owned();
        let refused = |status| Failure::Refused { status, words: words() };
        for (failure, is_passing, text) in [
            (Failure::unreachable(words(), true), true, "unreachable: words"),
            (Failure::unreachable(words(), false), false, "unreachable: words"),
            (refused(500), true, "refused with 500: words"),
            (refused(503), true, "refused with 503: words"),
            (refused(499), false, "refused with 499: words"),
            (refused(400), false, "refused with 400: words"),
            (Failure::Unreadable(words()), false, "unreadable: words"),
        ] {
            assert_eq!(
                (failure.is_passing(), failure.to_string().as_str()),
                (is_passing, text),
                "{failure:?}"
            );
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
            (Failure::unreachable("words".to_owned(), false), false),
            (Failure::Unreadable("<html>".to_owned()), false),
        ] {
            assert_eq!(failure.is_refusal(), is_refusal, "{failure:?}");
        }
    }
}
