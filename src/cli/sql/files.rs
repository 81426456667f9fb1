//! How the shipped files become the table of events, and the table files of Parquet: what each warehouse has for that. Buckets,
//! stages and roles are the operator's own, so where they stand an example does.

use super::columns::{COLUMNS, Holds};
use super::dialect::Dialect;
use super::events;

/// The table, or the view where the dialect reads the files as they lie, and how it is filled.
pub(super) fn source(dialect: Dialect, table: &str) -> String {
    match dialect {
        Dialect::DuckDb => {
            let columns = lines(|name, holds| format!("'{name}': '{}'", dialect.column(holds)));
            format!(
                "\
-- Reads a folder that has the bucket's `events/`. From R2 itself: INSTALL httpfs; CREATE SECRET (TYPE r2, KEY_ID '…', SECRET '…',
-- ACCOUNT_ID '…'); and 'r2://BUCKET/events/**/*.ndjson'. A `dt` and `hh` of the folders' names come with it.
CREATE OR REPLACE VIEW {table} AS
SELECT *
FROM read_json('events/**/*.ndjson', format = 'newline_delimited', hive_partitioning = true, columns = {{
  {columns}
}});"
            )
        }
        Dialect::ClickHouse => {
            let columns = lines(|name, holds| format!("`{name}` {}", clickhouse(name, holds)));
            format!(
                "\
-- The engine keeps the highest revision; until it has merged, `current` does.
CREATE TABLE IF NOT EXISTS {table} (
  {columns}
) ENGINE = ReplacingMergeTree(revision) ORDER BY (message_id, event_id);
-- INSERT INTO {table}
-- SELECT * FROM s3('https://ACCOUNT.r2.cloudflarestorage.com/BUCKET/events/**/*.ndjson', 'KEY', 'SECRET', 'JSONEachRow')
-- SETTINGS input_format_skip_unknown_fields = 1, input_format_null_as_default = 1;
-- Always on: a table of ENGINE = S3Queue(… , 'JSONEachRow') SETTINGS mode = 'unordered', and a materialized view to this one."
            )
        }
        Dialect::Postgres => {
            let columns =
                lines(|name, holds| format!("\"{name}\" {}{}", dialect.column(holds), not_null(name)));
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
            let columns =
                lines(|name, holds| format!("`{name}` {}{}", dialect.column(holds), not_null(name)));
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
            let columns = lines(|name, holds| {
                // Files are matched by name in any case, and so are names in other statements.
                let name = if matches!(name, "group") { dialect.quoted(name) } else { name.to_owned() };
                format!("{name} {}", dialect.column(holds))
            });
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
            let columns = lines(|name, holds| format!("\"{name}\" {}", dialect.column(holds)));
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
-- Below `user_files`; elsewhere s3('https://…/{{_partition_id}}.parquet', 'KEY', 'SECRET', 'Parquet') in place of file(…).
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
-- Needs the extension pg_parquet: PostgreSQL writes no Parquet of its own. `clickproof compact` makes it from the shipped files.
COPY (
  SELECT *
  FROM (
  {current}
  ) cp_current
  ORDER BY message_id, ts_ms, event_id
) TO '/tmp/clickproof_events.parquet' WITH (FORMAT 'parquet', COMPRESSION 'zstd');"
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
fn lines(line: impl Fn(&str, Holds) -> String) -> String {
    let lines: Vec<_> = COLUMNS.iter().map(|&(name, holds)| line(name, holds)).collect();
    lines.join(",\n  ")
}

/// What every event has.
fn not_null(name: &str) -> &'static str {
    if matches!(name, "event" | "event_id" | "revision" | "ts_ms") { " NOT NULL" } else { "" }
}

/// The key's columns cannot be null there, nor can what says which row is newer be signed.
fn clickhouse(name: &str, holds: Holds) -> &'static str {
    match name {
        "event" => "LowCardinality(String)",
        "event_id" | "message_id" => "String",
        "revision" => "UInt32",
        "ts_ms" => "Int64",
        _ => Dialect::ClickHouse.column(holds),
    }
}
