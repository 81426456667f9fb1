//! `clickproof unpack`: what objects and queues keep as bytes, as NDJSON.
//!
//! A line of the input is such bytes in hexadecimal digits, as `SQLite` writes them (`SELECT hex(records) FROM batches`): a row of
//! clicks becomes their records, a pack's message of the queue its events as they are shipped, a message of the second queue
//! its clicks' records.

use clickproof::event::line;
use clickproof::event::parcel::{Letter, Parcel};
use clickproof::event::spilled::Spilled;
use clickproof::record::packed;

use crate::form::Wanted;
use crate::stop::Stop;
use crate::streams::Streams;

#[derive(clap::Args)]
#[command(
    after_help = "An object's rows: sqlite3 FILE 'SELECT hex(records) FROM batches' | clickproof unpack | clickproof \
                        classify"
)]
pub(crate) struct Args {
    #[command(flatten)]
    streams: Streams,
}

/// Unpacks every line; returns how many were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    let (mut lines, mut output) = args.streams.open(Wanted::Lines)?;
    loop {
        if lines.may_wait() {
            output.flush()?;
        }
        let Some(line) = lines.next()? else { break };
        let unpacked = line.and_then(|digits| {
            let bytes = bytes(digits).ok_or("not hexadecimal digits: write them as hex() of SQLite does")?;
            texts(bytes)
        });
        match unpacked {
            Ok(texts) => {
                for text in texts {
                    output.line(|block| {
                        block.extend_from_slice(text.as_bytes());
                        Ok(())
                    })?;
                }
            }
            Err(problem) => lines.complain(&problem),
        }
    }
    lines.finish();
    output.flush()?;
    Ok(lines.bad())
}

fn texts(bytes: Vec<u8>) -> Result<Vec<String>, String> {
    if bytes.first() == Some(&packed::MAGIC) {
        return records(&bytes);
    }
    if Spilled::is_one(&bytes) {
        return records(Spilled::open(&bytes)?.records);
    }
    match Letter::Bytes(bytes).open()? {
        Parcel::Pack { lines, .. } => Ok(lines.lines().map(str::to_owned).collect()),
        Parcel::Act { body, .. } => Ok(vec![body.to_owned()]),
        Parcel::Blank { .. } => Ok(Vec::new()),
    }
}

fn records(batches: &[u8]) -> Result<Vec<String>, String> {
    Ok(packed::all(batches)?.iter().map(|(_, record)| line::record(record)).collect())
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
