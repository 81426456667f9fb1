//! What a tracked link is made of.

pub mod text_id;
pub mod url;
