//! What one request shows by itself, before any other click of its message is looked at.

pub mod catalogue;
