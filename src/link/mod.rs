//! What a tracked link is made of.

pub mod url;
