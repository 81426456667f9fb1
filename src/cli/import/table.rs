//! Exports as CSV: what the columns are, the flags say, or their names where those are a record's.

use std::collections::BTreeMap;
use std::io::BufReader;

use clickproof::record::Kind;
use csv::{ByteRecord, ReaderBuilder};
use serde_json::Value;

use super::event::{Event, Found, Times, What};
use super::time::Clock;
use crate::form::MOST_BYTES;
use crate::plain::{Plain, look};
use crate::stop::Stop;

/// Every field that a column can be, and how its cells are read.
const FIELDS: [(&str, Cell); 34] = [
    ("event_id", Cell::Id),
    ("message_id", Cell::Message),
    ("recipient_id", Cell::Recipient),
    ("kind", Cell::Kind),
    ("ts_ms", Cell::Time),
    ("sent_at_ms", Cell::Sent),
    ("delivered_at_ms", Cell::Delivered),
    ("bounced_at_ms", Cell::Bounced),
    ("link_id", Cell::Text),
    ("url", Cell::Text),
    ("group", Cell::Text),
    ("links_total", Cell::Number),
    ("method", Cell::Text),
    ("ip", Cell::Text),
    ("asn", Cell::Number),
    ("country", Cell::Text),
    ("user_agent", Cell::Text),
    ("referer", Cell::Text),
    ("accept", Cell::Text),
    ("accept_language", Cell::Text),
    ("sec_fetch_site", Cell::Text),
    ("sec_fetch_mode", Cell::Text),
    ("sec_fetch_dest", Cell::Text),
    ("sec_fetch_user", Cell::Text),
    ("sec_purpose", Cell::Text),
    ("sec_ch_ua", Cell::Text),
    ("x_forwarded_for", Cell::Text),
    ("http_protocol", Cell::Text),
    ("secure", Cell::Boolean),
    ("cookie", Cell::Text),
    ("visitor_id", Cell::Text),
    ("repeats", Cell::Number),
    ("act", Cell::Text),
    // What the row is known to be, for `classify --evaluate`.
    ("label", Cell::Text),
];

/// What a cell holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Id,
    Message,
    Recipient,
    Kind,
    Time,
    Sent,
    Delivered,
    Bounced,
    Text,
    Number,
    Boolean,
}

/// Reads `--map`.
///
/// # Errors
/// What it must be.
pub(super) fn mapping(text: &str) -> Result<(String, String), String> {
    let (field, column) = text.split_once('=').ok_or("must be FIELD=COLUMN, such as ip=ip_address")?;
    if !FIELDS.iter().any(|(known, _)| *known == field) {
        let names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        return Err(format!("`{field}` is no field of a record; there are {}", names.join(", ")));
    }
    Ok((field.to_owned(), column.to_owned()))
}

/// What a row says.
pub(super) struct Row {
    /// The line where it begins, from 1.
    pub(super) line: u64,
    /// The event, or what is wrong with it.
    pub(super) found: Result<Found, String>,
}

/// A table whose columns are known.
pub(super) struct Table {
    rows: csv::Reader<BufReader<Plain>>,
    input: String,
    /// The fields that have a column, and which.
    columns: Vec<(&'static str, Cell, usize)>,
    /// How many cells a row has.
    width: usize,
    /// Columns that are no field.
    left: Vec<String>,
    clock: Clock,
}

impl Table {
    /// Reads the header and finds the columns.
    ///
    /// # Errors
    /// When there is no such column, or none for a field that records need.
    pub(super) fn open(
        mut bytes: BufReader<Plain>,
        input: &str,
        maps: &[(String, String)],
        clock: Clock,
        names_message: bool,
    ) -> Result<Self, Stop> {
        let refused = |words: String| Stop::Refused(format!("{input}: {words}"));
        let seen = look(&mut bytes, |begin, is_all| {
            let is_enough = is_all || begin.len() >= MOST_BYTES || begin.trim_ascii_start().contains(&b'\n');
            let is_json = || matches!(begin.trim_ascii_start().first(), Some(b'{' | b'['));
            is_enough.then(|| if is_json() { None } else { Some(separator(begin)) })
        });
        let seen = seen
            .map_err(|error| refused(format!("cannot be read: {error}; start again from a readable copy")))?;
        let separator = seen
            .ok_or_else(|| refused("this is JSON: name the provider that wrote it as --from".to_owned()))?;
        // What stands before a line feed is blank, and cells are trimmed: so lines are counted as editors count them.
        let line_feed = csv::Terminator::Any(b'\n');
        let mut rows =
            ReaderBuilder::new().delimiter(separator).terminator(line_feed).flexible(true).from_reader(bytes);
        let header = rows.byte_headers().map_err(|error| refused(error.to_string()))?;
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let shown = || format!("the columns are {}", names.join(", "));
        let mut columns = Vec::new();
        // Nothing in is nothing out.
        for (field, cell) in FIELDS.into_iter().filter(|_| !names.is_empty()) {
            let mapped: Vec<&String> =
                maps.iter().filter(|(name, _)| name == field).map(|(_, column)| column).collect();
            let column = match mapped[..] {
                [] => names.iter().position(|name| name == field),
                [column] => {
                    let place = names.iter().position(|name| name == column);
                    Some(place.ok_or_else(|| {
                        refused(format!("--map {field}={column}: there is no such column; {}", shown()))
                    })?)
                }
                _ => return Err(refused(format!("--map {field}: given twice"))),
            };
            columns.extend(column.map(|column| (field, cell, column)));
        }
        let has = |field: &str| columns.iter().any(|(name, _, _)| *name == field);
        let mut missing: Vec<&str> =
            ["recipient_id", "ts_ms"].into_iter().filter(|field| !has(field)).collect();
        if !has("url") && !has("link_id") {
            missing.push("url");
        }
        if !has("message_id") && !names_message {
            missing.push("message_id");
        }
        if !missing.is_empty() && !names.is_empty() {
            let remedy: Vec<String> = missing.iter().map(|field| format!("--map {field}=COLUMN")).collect();
            let or = if missing.contains(&"message_id") { " (or --message-id NAME)" } else { "" };
            return Err(refused(format!(
                "no column for {}: {}{or}; {}",
                missing.join(", "),
                remedy.join(" "),
                shown()
            )));
        }
        let left = (0..names.len())
            .filter(|at| columns.iter().all(|(_, _, column)| column != at))
            .map(|at| names[at].clone())
            .collect();
        Ok(Self { rows, input: input.to_owned(), columns, width: names.len(), left, clock })
    }

    /// The columns that no field of a record comes of.
    pub(super) fn left(&self) -> &[String] {
        &self.left
    }

    /// The next row and its line; nothing at the end.
    ///
    /// # Errors
    /// When the input cannot be read any further.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Stop> {
        let mut row = ByteRecord::new();
        loop {
            let line = self.rows.position().line();
            match self.rows.read_byte_record(&mut row) {
                Ok(false) => return Ok(None),
                Ok(true) if row.iter().all(|cell| cell.trim_ascii().is_empty()) && row.len() <= 1 => {}
                Ok(true) => {
                    let line = row.position().map_or(line, csv::Position::line);
                    return Ok(Some(Row { line, found: self.event(&row) }));
                }
                Err(error) => {
                    return Err(Stop::Refused(format!(
                        "{} cannot be read after line {line}: {error}; start again from a readable copy",
                        self.input
                    )));
                }
            }
        }
    }

    fn event(&self, row: &ByteRecord) -> Result<Found, String> {
        if row.len() != self.width {
            return Err(format!("{} cells, and the header has {}", row.len(), self.width));
        }
        let mut what = What::Request(Kind::Click);
        let mut texts = BTreeMap::new();
        let (mut ts_ms, mut times, mut fields) = (None, Times::default(), Vec::new());
        for &(field, cell, column) in &self.columns {
            let text = std::str::from_utf8(row.get(column).unwrap_or_default())
                .map_err(|_| format!("{field}: not UTF-8; write the file as UTF-8"))?
                .trim();
            let text = Some(text).filter(|text| !text.is_empty());
            let time = || text.map(|text| self.clock.read(field, text)).transpose();
            match cell {
                Cell::Id | Cell::Message | Cell::Recipient => {
                    texts.extend(text.map(|text| (field, text.to_owned())));
                }
                Cell::Kind => match text.map(|text| What::named(text).ok_or(text)) {
                    None => {}
                    Some(Ok(named)) => what = named,
                    Some(Err(name)) => return Ok(Found::Other(name.to_owned())),
                },
                Cell::Time => ts_ms = time()?,
                Cell::Sent => times.sent = time()?,
                Cell::Delivered => times.delivered = time()?,
                Cell::Bounced => times.bounced = time()?,
                // A cell without text says nothing: whether there was something, the export does not know.
                Cell::Text => fields.push((field, text.map_or(Value::Null, Value::from))),
                Cell::Number => {
                    fields.push((field, text.map(|text| number(field, text)).transpose()?.into()));
                }
                Cell::Boolean => {
                    fields.push((field, text.map(|text| boolean(field, text)).transpose()?.into()));
                }
            }
        }
        let campaign = texts.remove("message_id");
        let id = texts.remove("event_id");
        // Where these say nothing, a record does not have them.
        fields.retain(|(field, value)| {
            !value.is_null() || !matches!(*field, "method" | "label" | "links_total" | "act")
        });
        Ok(Found::Event(Box::new(Event {
            what,
            ts_ms: ts_ms.ok_or("ts_ms: the cell is empty")?,
            recipient: texts.remove("recipient_id").ok_or("recipient_id: the cell is empty")?,
            copy: None,
            campaign,
            mail: None,
            id,
            times,
            fields,
        })))
    }
}

/// What parts the cells of the header: what stands there most often of those that programs write.
fn separator(begin: &[u8]) -> u8 {
    let header = begin.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| {
        let mut is_quoted = false;
        header
            .iter()
            .filter(|byte| {
                is_quoted ^= **byte == b'"';
                **byte == separator && !is_quoted
            })
            .count()
    };
    // Of equals the last counts.
    *b"\t;,".iter().max_by_key(|separator| count(**separator)).unwrap_or(&b',')
}

fn number(field: &str, text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix("AS").unwrap_or(text);
    digits.parse().map_err(|_| format!("{field}: `{text}` is no whole number"))
}

fn boolean(field: &str, text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("{field}: `{text}` is neither true nor false")),
    }
}
