//! The report for people to read: web pages and a CSV, made from the same numbers as the JSON. Text from data: no script runs on
//! them, nothing is loaded, and what senders and visitors sent is only ever text.

mod class;
mod csv;
mod frame;
mod html;
mod list;
mod message;
mod plot;
mod timeline;

#[cfg(test)]
mod tests;

pub use csv::csv;
pub use frame::POLICY;
pub use list::{list, row};
pub use message::message;
