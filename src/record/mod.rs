//! The click record's ground floor: what everything else may name and what itself names nothing.

pub(crate) mod named;
