//! Which methods a route takes.

use crate::record::Verb;

/// The methods of a route; any other is refused with these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Methods {
    Read,
    ReadOrPost,
    ReadPutOrDelete,
    Post,
    Delete,
}

impl Methods {
    pub(super) const fn take(self, verb: Verb) -> bool {
        match self {
            Self::Read => verb.reads(),
            Self::ReadOrPost => verb.reads() || matches!(verb, Verb::Post),
            Self::ReadPutOrDelete => verb.reads() || matches!(verb, Verb::Put | Verb::Delete),
            Self::Post => matches!(verb, Verb::Post),
            Self::Delete => matches!(verb, Verb::Delete),
        }
    }

    /// The value of `Allow`.
    pub(super) const fn allow(self) -> &'static str {
        match self {
            Self::Read => "GET, HEAD",
            Self::ReadOrPost => "GET, HEAD, POST",
            Self::ReadPutOrDelete => "GET, HEAD, PUT, DELETE",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_takes_what_it_says_that_it_allows() {
        for methods in
            [Methods::Read, Methods::ReadOrPost, Methods::ReadPutOrDelete, Methods::Post, Methods::Delete]
        {
            let allowed: Vec<&str> = methods.allow().split(", ").collect();
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"] {
                let takes = methods.take(Verb::named(method));
                assert_eq!(takes, allowed.contains(&method), "{methods:?} {method}");
            }
        }
    }
}
