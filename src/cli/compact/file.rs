//! Writes a Parquet file: typed columns, nullable each, in row groups that engines read one by one, compressed with zstd.
//!
//! Nothing in it goes by the clock or by the order of input, so the same rows give the same bytes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Error;
use std::mem;
use std::path::Path;
use std::sync::Arc;

use clickproof::event::schema::Shape;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use serde::Serialize;

use super::line::{Columns, Line, Value};
use crate::stop::Stop;

/// The rows of a group: as many as `DuckDB` writes, whose threads take a group each.
const GROUP_ROWS: usize = 122_880;

/// The column that is `ts_ms` once more, as a time.
const TIME: &str = "ts";

/// The column of what the table does not know.
const EXTRA: &str = "extra";

/// What was written.
#[derive(Serialize)]
pub(super) struct Written {
    pub(super) events: usize,
    bytes: u64,
}

/// What a file holds.
pub(super) struct Rows {
    pub(super) columns: Columns,
    /// Lines that make a row each, in the order of the rows.
    pub(super) lines: Vec<String>,
}

/// Writes the rows: beside the place, then over what lies there, so that no reader ever sees half of it.
pub(super) fn write(path: &Path, rows: &Rows) -> Result<Written, Stop> {
    let part = path.with_file_name(".events.parquet.part");
    let events = rows.lines.len();
    let written = make_directory(path).and_then(|()| fill(&part, rows));
    let moved = written.and_then(|bytes| fs::rename(&part, path).map(|()| bytes));
    moved.map(|bytes| Written { events, bytes }).map_err(|error| {
        // Where it was not made there is none.
        let _ = fs::remove_file(&part);
        Stop::Refused(format!("--output: {}: {error}; name a directory that can be written", path.display()))
    })
}

fn make_directory(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn fill(path: &Path, Rows { columns, lines }: &Rows) -> Result<u64, Error> {
    let schema = parse_message_type(&message_type(columns)).map_err(Error::other)?;
    let properties = properties(columns).map_err(Error::other)?;
    let file = File::create(path)?;
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), properties).map_err(Error::other)?;
    for lines in lines.chunks(GROUP_ROWS) {
        write_group(&mut writer, columns, lines).map_err(Error::other)?;
    }
    let file = writer.into_inner().map_err(Error::other)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn properties(columns: &Columns) -> Result<WriterPropertiesPtr, ParquetError> {
    // `ts` stands behind `ts_ms` and before the others.
    let place = |name: &str| {
        let at = columns.fields.iter().position(|field| field.name == name)?;
        let behind = columns.fields.iter().take(at).any(|field| field.name == "ts_ms");
        i32::try_from(at + usize::from(behind)).ok()
    };
    let sorted = ["message_id", "ts_ms", "event_id"].into_iter().filter_map(place);
    let sorted = sorted.map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true });
    let properties = WriterProperties::builder()
        .set_created_by(concat!("clickproof version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_sorting_columns(Some(sorted.collect()));
    Ok(Arc::new(properties.build()))
}

/// The schema, as Parquet's own text.
fn message_type(columns: &Columns) -> String {
    let mut text = "message event {".to_owned();
    for field in &columns.fields {
        let name = field.name;
        // To write into a text does not fail.
        let _ = match field.shape {
            Shape::Text | Shape::Json => write!(text, " optional binary {name} (STRING);"),
            Shape::Integer => write!(text, " optional int64 {name};"),
            Shape::Boolean => write!(text, " optional boolean {name};"),
            Shape::Texts => write!(
                text,
                " optional group {name} (LIST) {{ repeated group list {{ required binary element (STRING); }} }}"
            ),
        };
        if name == "ts_ms" {
            let _ = write!(text, " optional int64 {TIME} (TIMESTAMP(MILLIS,true));");
        }
    }
    let _ = write!(text, " optional binary {EXTRA} (STRING); }}");
    text
}

/// A column of a group: values that are not null, and for each row how far it is there.
enum Column {
    Text(Texts, Vec<i16>),
    Integer(Vec<i64>, Vec<i16>),
    Boolean(Vec<bool>, Vec<i16>),
    /// A list has as many levels as it has texts, at least one; whether each `continues` the row before it.
    Texts {
        texts: Texts,
        there: Vec<i16>,
        continues: Vec<i16>,
    },
}

impl Column {
    fn new(shape: Shape) -> Self {
        match shape {
            Shape::Text | Shape::Json => Self::Text(Texts::default(), Vec::new()),
            Shape::Integer => Self::Integer(Vec::new(), Vec::new()),
            Shape::Boolean => Self::Boolean(Vec::new(), Vec::new()),
            Shape::Texts => Self::Texts { texts: Texts::default(), there: Vec::new(), continues: Vec::new() },
        }
    }

    /// Adds a row's value: null where it is of another type, which no row that was checked has.
    fn push(&mut self, value: &Value) {
        match (self, value) {
            (Self::Text(texts, there), Value::Text(text)) => {
                texts.push(text);
                there.push(1);
            }
            (Self::Integer(values, there), Value::Integer(number)) => {
                values.push(*number);
                there.push(1);
            }
            (Self::Boolean(values, there), Value::Boolean(value)) => {
                values.push(*value);
                there.push(1);
            }
            (Self::Texts { texts, there, continues }, Value::Texts(list)) => {
                continues.push(0);
                continues.extend(list.iter().skip(1).map(|_| 1));
                if list.is_empty() {
                    there.push(1);
                }
                there.extend(list.iter().map(|_| 2));
                for text in list {
                    texts.push(text);
                }
            }
            (Self::Text(_, there) | Self::Integer(_, there) | Self::Boolean(_, there), _) => there.push(0),
            (Self::Texts { there, continues, .. }, _) => {
                there.push(0);
                continues.push(0);
            }
        }
    }

    /// Writes what it holds; its texts are gone then.
    fn write(&mut self, writer: &mut SerializedColumnWriter) -> Result<(), ParquetError> {
        match self {
            Self::Text(texts, there) => {
                writer.typed::<ByteArrayType>().write_batch(&texts.take(), Some(there), None)
            }
            Self::Integer(values, there) => {
                writer.typed::<Int64Type>().write_batch(values, Some(there), None)
            }
            Self::Boolean(values, there) => writer.typed::<BoolType>().write_batch(values, Some(there), None),
            Self::Texts { texts, there, continues } => {
                writer.typed::<ByteArrayType>().write_batch(&texts.take(), Some(there), Some(continues))
            }
        }
        .map(|_| ())
    }
}

/// Texts in one piece: millions of small ones cost more than all that is done with them.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.lengths.push(text.len());
    }

    /// Takes them, each by itself.
    fn take(&mut self) -> Vec<ByteArray> {
        let whole = ByteArray::from(mem::take(&mut self.bytes));
        let mut start = 0;
        let slice = |length| {
            let slice = whole.slice(start, length);
            start += length;
            slice
        };
        self.lengths.drain(..).map(slice).collect()
    }
}

fn write_group(
    writer: &mut SerializedFileWriter<File>,
    columns: &Columns,
    lines: &[String],
) -> Result<(), ParquetError> {
    let mut group: Vec<_> = columns.fields.iter().map(|field| Column::new(field.shape)).collect();
    let mut extras = Column::new(Shape::Json);
    let mut row: Vec<Value> = Vec::new();
    for line in lines {
        row.clear();
        row.resize_with(group.len(), || Value::Null);
        let put = |at: usize, value| {
            if let Some(place) = row.get_mut(at) {
                *place = value;
            }
        };
        let line = Line::read(line).map_err(ParquetError::General)?;
        let extra = columns.row(&line, put).map_err(ParquetError::General)?;
        for (column, value) in group.iter_mut().zip(&row) {
            column.push(value);
        }
        extras.push(&extra.map_or(Value::Null, |extra| Value::Text(extra.into())));
    }
    let mut row_group = writer.next_row_group()?;
    for (field, column) in columns.fields.iter().zip(&mut group) {
        // As it is, and once more as a time.
        let times = if field.name == "ts_ms" { 2 } else { 1 };
        for _ in 0..times {
            write_column(&mut row_group, column)?;
        }
    }
    write_column(&mut row_group, &mut extras)?;
    row_group.close()?;
    Ok(())
}

fn write_column(group: &mut SerializedRowGroupWriter<File>, column: &mut Column) -> Result<(), ParquetError> {
    let next = group.next_column()?;
    let mut place = next.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
    column.write(&mut place)?;
    place.close()
}
