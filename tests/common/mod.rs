//! What the native tests share: the contract's table written a second time, as plainly as it can be, and rows in
//! `SQLite`.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::cast_possible_wrap, reason = "the counts of tests are small")]

pub mod bucket;
pub mod command;
pub mod hits;
pub mod html;
pub mod json_schema;
pub mod mails;
pub mod naive;
pub mod naive_full;
pub mod scale;
pub mod several;
pub mod sqlite;
pub mod traffic;
pub mod world;

use clickproof::record::Record;

/// 2026-11-22, noon.
pub const NOON_MS: i64 = 1_795_348_800_000;

/// A record with the least that the tests need to say.
pub fn record(id: &str, recipient: &str, link: &str, ts_ms: i64) -> Record {
    Record {
        event_id: id.to_owned(),
        message_id: "m".to_owned(),
        recipient_id: recipient.to_owned(),
        link_id: Some(link.to_owned()),
        url: Some(format!("https://brand.example/{link}")),
        ts_ms,
        sent_at_ms: NOON_MS,
        method: "GET".to_owned(),
        ..Record::default()
    }
}
