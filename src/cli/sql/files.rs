//! How the shipped files become the table of events, and the table files of Parquet: what each warehouse has for that. Buckets,
//! stages and roles are the operator's own, so where they stand an example does.

use clickproof::event::schema::{FIELDS, Field};

use super::dialect::Dialect;
use super::events;

/// The table, or the view where the dialect reads the files as they lie, and how it is filled.
pub(super) fn source(dialect: Dialect, table: &str) -> String {
    match dialect {
        Dialect::DuckDb => {
            let columns = lines(|field| format!("'{}': '{}'", field.name, dialect.column(field.shape)));
            format!(
                "\
-- Reads a copy of the bucket's `events/`. R2 itself: CREATE SECRET (TYPE r2, KEY_ID '', SECRET '', ACCOUNT_ID ''), then
-- 'r2://BUCKET/events/*/*/*.ndjson'. The folders' `dt` and `hh` come with it.
CREATE OR REPLACE VIEW {table} AS
SELECT *
FROM read_json('events/*/*/*.ndjson', format = 'newline_delimited', hive_partitioning = true, columns = {{
  {columns}
}});"
            )
        }
        Dialect::ClickHouse => {
            let columns = lines(clickhouse);
            format!(
                "\
-- The engine keeps the highest revision; until it has merged, `current` does.
CREATE TABLE IF NOT EXISTS {table} (
  {columns}
) ENGINE = ReplacingMergeTree(revision) ORDER BY (message_id, event_id);
-- INSERT INTO {table}
-- SELECT * FROM s3('https://ACCOUNT.r2.cloudflarestorage.com/BUCKET/events/*/*/*.ndjson', 'KEY', 'SECRET', 'JSONEachRow')
-- SETTINGS input_format_skip_unknown_fields = 1, input_format_null_as_default = 1;
-- As it comes: a table of ENGINE = S3Queue, 'unordered', and a materialized view from it to this one."
            )
        }
        Dialect::Postgres => {
            let columns = lines(|field| column(dialect, field));
            format!(
                "\
CREATE TABLE IF NOT EXISTS {table} (
  {columns},
  PRIMARY KEY (event_id, revision)
);
-- CREATE TEMPORARY TABLE cp_lines (line JSONB);
-- \\copy cp_lines FROM PROGRAM 'cat events/*/*/*.ndjson' WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')
-- INSERT INTO {table} SELECT (JSONB_POPULATE_RECORD(NULL::{table}, line)).* FROM cp_lines ON CONFLICT DO NOTHING;"
            )
        }
        Dialect::BigQuery => {
            let columns = lines(|field| column(dialect, field));
            format!(
                "\
CREATE TABLE IF NOT EXISTS {table} (
  {columns}
) CLUSTER BY message_id, event_id;
-- LOAD DATA INTO {table}
-- FROM FILES (format = 'JSON', ignore_unknown_values = TRUE, uris = ['gs://BUCKET/events/*.ndjson']);"
            )
        }
        Dialect::Snowflake => {
            let columns = lines(snowflake);
            format!(
                "\
CREATE TABLE IF NOT EXISTS {table} (
  {columns}
) CLUSTER BY (message_id);
-- COPY INTO {table} FROM @STAGE/events/
-- FILE_FORMAT = (TYPE = JSON) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;"
            )
        }
        Dialect::Redshift => {
            let columns = lines(|field| column(dialect, field));
            format!(
                "\
CREATE TABLE IF NOT EXISTS {table} (
  {columns}
) DISTKEY (message_id) SORTKEY (message_id, ts_ms);
-- COPY {table} FROM 's3://BUCKET/events/' IAM_ROLE DEFAULT FORMAT JSON 'auto' TRUNCATECOLUMNS;"
            )
        }
    }
}

/// The highest revisions as Parquet, in the dialect's own statement.
pub(super) fn compact(dialect: Dialect, table: &str) -> String {
    let current = events::current(dialect, table).replace('\n', "\n  ");
    match dialect {
        Dialect::DuckDb => format!(
            "\
COPY (
  SELECT *, CAST(CAST(EPOCH_MS(ts_ms) AS DATE) AS VARCHAR) AS day
  FROM (
  {current}
  ) cp_current
  ORDER BY message_id, ts_ms, event_id
) TO 'clickproof_events' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (event, day), OVERWRITE_OR_IGNORE);"
        ),
        Dialect::ClickHouse => format!(
            "\
-- Into the server's user_files, a file a day; s3(...) in place of file(...) writes to a bucket.
INSERT INTO FUNCTION file('clickproof_events_{{_partition_id}}.parquet', 'Parquet')
PARTITION BY toString(toDate(intDiv(ts_ms, 1000), 'UTC'))
SELECT *
FROM (
  {current}
) cp_current
ORDER BY message_id, ts_ms, event_id
SETTINGS output_format_parquet_compression_method = 'zstd', engine_file_truncate_on_insert = 1;"
        ),
        Dialect::Postgres => format!(
            "\
-- PostgreSQL writes Parquet with the extension pg_parquet alone; `clickproof compact` makes it from the shipped files.
COPY (
  SELECT *
  FROM (
  {current}
  ) cp_current
  ORDER BY message_id, ts_ms, event_id
) TO 's3://BUCKET/clickproof_events.parquet' WITH (FORMAT 'parquet', COMPRESSION 'zstd');"
        ),
        Dialect::BigQuery => format!(
            "\
EXPORT DATA OPTIONS (
  uri = 'gs://BUCKET/clickproof_events/*.parquet', format = 'PARQUET', compression = 'ZSTD', overwrite = TRUE
) AS
SELECT *
FROM (
  {current}
) cp_current
ORDER BY message_id, ts_ms, event_id;"
        ),
        Dialect::Snowflake => format!(
            "\
COPY INTO @STAGE/clickproof_events/
FROM (
  SELECT *
  FROM (
  {current}
  ) cp_current
  ORDER BY message_id, ts_ms, event_id
)
PARTITION BY ('day=' || TO_VARCHAR(TO_TIMESTAMP_NTZ(ts_ms, 3), 'YYYY-MM-DD'))
FILE_FORMAT = (TYPE = PARQUET COMPRESSION = SNAPPY) HEADER = TRUE;"
        ),
        Dialect::Redshift => format!(
            "\
UNLOAD ($$
  {current}
  ORDER BY message_id, ts_ms, event_id
$$) TO 's3://BUCKET/clickproof_events/' IAM_ROLE DEFAULT FORMAT AS PARQUET ALLOWOVERWRITE;"
        ),
    }
}

/// A line for each column.
fn lines(line: impl Fn(&Field) -> String) -> String {
    FIELDS.iter().map(line).collect::<Vec<_>>().join(",\n  ")
}

/// A column's name and type, and that it has always a value where every event has one.
fn column(dialect: Dialect, field: &Field) -> String {
    let not_null = if field.is_everywhere() { " NOT NULL" } else { "" };
    format!("{} {}{not_null}", dialect.quoted(field.name), dialect.column(field.shape))
}

/// The columns of the key cannot be null there, nor can what says which row is newer have a sign.
fn clickhouse(field: &Field) -> String {
    let column = match field.name {
        "event_id" | "message_id" => "String",
        "event" => "LowCardinality(String)",
        "revision" => "UInt32",
        "ts_ms" => "Int64",
        _ => Dialect::ClickHouse.column(field.shape),
    };
    format!("`{}` {column}", field.name)
}

/// Only what is a word of the language is quoted there: a quoted name in lower case is another than the same without quotes.
fn snowflake(field: &Field) -> String {
    let quoted = Dialect::Snowflake.quoted(field.name);
    let name = if field.name == "group" { &quoted } else { field.name };
    format!("{name} {}", Dialect::Snowflake.column(field.shape))
}
