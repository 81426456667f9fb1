//! What differs between the warehouses' dialects: types, a regular expression's match, a part of a text, inline rows. All
//! other SQL here is written once, in what the six have in common.

use clap::ValueEnum;
use clickproof::event::schema::Shape;

/// A warehouse's SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    #[value(name = "duckdb")]
    DuckDb,
    #[value(name = "clickhouse")]
    ClickHouse,
    #[value(name = "postgres")]
    Postgres,
    #[value(name = "bigquery")]
    BigQuery,
    #[value(name = "snowflake")]
    Snowflake,
    #[value(name = "redshift")]
    Redshift,
}

impl Dialect {
    /// What its vendor calls it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::DuckDb => "DuckDB",
            Self::ClickHouse => "ClickHouse",
            Self::Postgres => "PostgreSQL",
            Self::BigQuery => "BigQuery",
            Self::Snowflake => "Snowflake",
            Self::Redshift => "Redshift",
        }
    }

    /// What the flag calls it.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The value as text that is compared byte by byte, as the rules compare ids.
    pub(super) fn text(self, value: &str) -> String {
        match self {
            Self::DuckDb | Self::Snowflake => format!("CAST({value} AS VARCHAR)"),
            Self::ClickHouse => format!("CAST({value} AS Nullable(String))"),
            // A database sorts as its locale says.
            Self::Postgres => format!("CAST({value} AS TEXT) COLLATE \"C\""),
            Self::BigQuery => format!("CAST({value} AS STRING)"),
            // Without a length it would be 256 bytes.
            Self::Redshift => format!("CAST({value} AS VARCHAR(65535))"),
        }
    }

    /// The value as a whole number of 64 bits.
    pub(super) fn integer(self, value: &str) -> String {
        match self {
            Self::ClickHouse => format!("CAST({value} AS Nullable(Int64))"),
            Self::BigQuery => format!("CAST({value} AS INT64)"),
            _ => format!("CAST({value} AS BIGINT)"),
        }
    }

    /// The value as a whole number that may say a place in a text.
    pub(super) fn place(self, value: &str) -> String {
        match self {
            Self::ClickHouse => format!("CAST({value} AS Nullable(Int32))"),
            Self::BigQuery => format!("CAST({value} AS INT64)"),
            _ => format!("CAST({value} AS INTEGER)"),
        }
    }

    /// Whether the text has a match of the pattern somewhere. A pattern that is the same in all six has neither backslashes
    /// nor quotes, only plain groups, and no counts in braces.
    pub(super) fn matches(self, text: &str, pattern: &str) -> String {
        match self {
            Self::DuckDb => format!("REGEXP_MATCHES({text}, '{pattern}')"),
            Self::ClickHouse => format!("match({text}, '{pattern}')"),
            Self::Postgres | Self::Redshift => format!("{text} ~ '{pattern}'"),
            Self::BigQuery => format!("REGEXP_CONTAINS({text}, '{pattern}')"),
            // REGEXP_LIKE would want all of the text to match.
            Self::Snowflake => format!("REGEXP_INSTR({text}, '{pattern}') > 0"),
        }
    }

    /// The part of the text with that number, from 1, between separators of one character.
    pub(super) fn part(self, text: &str, separator: char, number: &str) -> String {
        match self {
            // An array is never null there.
            Self::ClickHouse => format!("splitByChar('{separator}', COALESCE({text}, ''))[{number}]"),
            Self::BigQuery => format!("SPLIT({text}, '{separator}')[SAFE_OFFSET({number} - 1)]"),
            _ => format!("SPLIT_PART({text}, '{separator}', {number})"),
        }
    }

    /// The ASCII character of that code.
    pub(super) fn character(self, code: u8) -> String {
        let function = if self == Self::ClickHouse { "char" } else { "CHR" };
        format!("{function}({code})")
    }

    /// The moment, from Unix milliseconds, in UTC.
    pub(super) fn moment(self, ms: &str) -> String {
        match self {
            Self::DuckDb => format!("EPOCH_MS({ms})"),
            Self::ClickHouse => format!("fromUnixTimestamp64Milli({ms}, 'UTC')"),
            Self::Postgres => format!("TO_TIMESTAMP({ms} / 1000.0)"),
            Self::BigQuery => format!("TIMESTAMP_MILLIS({ms})"),
            Self::Snowflake => format!("TO_TIMESTAMP_NTZ({ms}, 3)"),
            // To the second.
            Self::Redshift => format!("TIMESTAMP 'epoch' + {ms} / 1000 * INTERVAL '1 second'"),
        }
    }

    /// A column's name where it may be a word of the language.
    pub(super) fn quoted(self, name: &str) -> String {
        match self {
            Self::ClickHouse | Self::BigQuery => format!("`{name}`"),
            _ => format!("\"{name}\""),
        }
    }

    /// The type of a column.
    pub(super) const fn column(self, shape: Shape) -> &'static str {
        match shape {
            Shape::Text => match self {
                Self::DuckDb | Self::Snowflake => "VARCHAR",
                Self::ClickHouse => "Nullable(String)",
                Self::Postgres => "TEXT",
                Self::BigQuery => "STRING",
                Self::Redshift => "VARCHAR(4096)",
            },
            Shape::Integer => match self {
                Self::ClickHouse => "Nullable(Int64)",
                Self::BigQuery => "INT64",
                _ => "BIGINT",
            },
            Shape::Boolean => match self {
                Self::ClickHouse => "Nullable(Bool)",
                Self::BigQuery => "BOOL",
                _ => "BOOLEAN",
            },
            Shape::Texts => match self {
                Self::DuckDb => "VARCHAR[]",
                Self::ClickHouse => "Array(String)",
                Self::Postgres => "TEXT[]",
                Self::BigQuery => "ARRAY<STRING>",
                Self::Snowflake => "ARRAY",
                Self::Redshift => "SUPER",
            },
            Shape::Json => match self {
                Self::DuckDb | Self::BigQuery => "JSON",
                Self::ClickHouse => "Nullable(String)",
                Self::Postgres => "JSONB",
                Self::Snowflake => "VARIANT",
                Self::Redshift => "SUPER",
            },
        }
    }

    /// Rows of two texts, as what stands behind `FROM`.
    pub(super) fn rows(self, [one, other]: [&str; 2], rows: &[[String; 2]]) -> String {
        let tuples = |between: &str| {
            let tuples: Vec<_> = rows.iter().map(|[a, b]| format!("('{a}', '{b}')")).collect();
            // Six of them fit a line.
            tuples.chunks(6).map(|line| line.join(", ")).collect::<Vec<_>>().join(between)
        };
        let between = ",\n    ";
        match self {
            Self::DuckDb | Self::Postgres | Self::Snowflake => {
                format!("(VALUES\n    {}\n  ) AS cp_rows ({one}, {other})", tuples(between))
            }
            Self::ClickHouse => {
                format!("VALUES('{one} String, {other} String',\n    {})", tuples(between))
            }
            Self::BigQuery => {
                let tuples = tuples(between);
                format!("UNNEST(ARRAY<STRUCT<{one} STRING, {other} STRING>>[\n    {tuples}])")
            }
            // It has VALUES for INSERT alone.
            Self::Redshift => {
                let selects: Vec<_> = rows
                    .iter()
                    .enumerate()
                    .map(|(at, [a, b])| match at {
                        0 => format!("SELECT '{a}' AS {one}, '{b}' AS {other}"),
                        _ => format!("SELECT '{a}', '{b}'"),
                    })
                    .collect();
                let lines: Vec<_> = selects.chunks(3).map(|line| line.join(" UNION ALL ")).collect();
                format!("(\n    {}\n  ) cp_rows", lines.join(" UNION ALL\n    "))
            }
        }
    }
}
