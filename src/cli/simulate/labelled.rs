//! The results: click records, each with the label that says what the click should be found to be.

use clickproof::record::Record;
use serde::Serialize;

use crate::output::Output;
use crate::stop::Stop;

/// A record with what it is known to be.
#[derive(Serialize)]
struct Labelled<'a> {
    #[serde(flatten)]
    record: &'a Record,
    label: &'a str,
}

/// Writes a record with its label.
pub(super) fn write(record: &Record, label: &str, output: &mut Output) -> Result<(), Stop> {
    output.line(|block| serde_json::to_writer(block, &Labelled { record, label }))
}
