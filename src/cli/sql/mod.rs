//! `sql`: the published table of rules and the reports as SQL, for warehouses that have the events, or click records
//! from anywhere, and no wish to send them through a program.

mod address;
mod core;
mod dbt;
mod dialect;
mod events;
mod files;
mod ranges;
mod referer;

use std::path::PathBuf;

use clap::ValueEnum;
use clickproof::verdict::Thresholds;

use dialect::Dialect;
use ranges::Ranges;

use crate::stop::Stop;
use crate::streams::open_output;
use crate::thresholds::Flags;

#[derive(clap::Args)]
#[command(after_help = "\
All parts but `source` and `compact` are one SELECT without a semicolon: it stands alone, in brackets, or behind CREATE VIEW … AS:
  (echo 'CREATE VIEW verdicts AS'; clickproof sql --dialect duckdb --table clicks) | duckdb clicks.db

`defender` reads click records of any kind and yields event_id, click_type, rule, paired_with and is_defender_bot, one row for \
each event_id, as `classify --ruleset defender` would. It reads these columns, which must be there and may be null where a record \
may lack them (times are Unix milliseconds): event_id, message_id, recipient_id, link_id, url, kind, ts_ms, sent_at_ms, \
delivered_at_ms, ip, referer. Rows that lack what every record has (other events, say) get no verdict. Over shipped events name a \
view of `current`.

`current`, `report`, `check` and `compact` read the table that `source` makes. `check` compares what the ruleset `defender` has \
shipped, by the windows and counts given here, and yields no row where all is well.")]
pub(crate) struct Args {
    /// The warehouse whose SQL it is
    #[arg(long)]
    dialect: Dialect,
    /// What it does
    #[arg(long, default_value = "defender", conflicts_with = "dbt")]
    part: Part,
    /// The table, or what else may stand behind FROM, as the dialect writes it; `source` creates it
    #[arg(long, value_name = "NAME", default_value = "clickproof_events", value_parser = table, conflicts_with = "dbt")]
    table: String,
    /// Write a dbt project into this folder instead: events, clicks, messages, links, the recomputed table, and their tests
    #[arg(long, value_name = "DIR")]
    dbt: Option<PathBuf>,
    #[command(flatten)]
    thresholds: Flags,
}

/// What the SQL does.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The table of events, or how the dialect reads the shipped files
    Source,
    /// The highest revision of each event
    Current,
    /// The published table of Defender's click patterns, recomputed from the records
    Defender,
    /// People's clicks per message, link, group and hour
    Report,
    /// The highest revisions, written as Parquet
    Compact,
    /// The events whose shipped verdict is not the recomputed one
    Check,
}

/// Prints.
pub(crate) fn run(args: &Args) -> Result<(), Stop> {
    let ranges = ranges::microsoft()?;
    let thresholds = &args.thresholds.0;
    if let Some(folder) = &args.dbt {
        return dbt::write(folder, args.dialect, thresholds, &ranges);
    }
    let text = header(args, &ranges) + &statement(args.dialect, args.part, &args.table, thresholds, &ranges);
    let mut output = open_output(None)?;
    output.line(|block| {
        block.extend_from_slice(text.as_bytes());
        Ok(())
    })?;
    output.flush()
}

fn statement(dialect: Dialect, part: Part, table: &str, thresholds: &Thresholds, ranges: &Ranges) -> String {
    match part {
        Part::Source => files::source(dialect, table),
        Part::Current => events::current(dialect, table),
        Part::Defender => core::defender(dialect, table, thresholds, ranges),
        Part::Report => events::report(dialect, table),
        Part::Compact => files::compact(dialect, table),
        Part::Check => events::check(dialect, table, thresholds, ranges),
    }
}

/// What the text is and what it was made from.
fn header(args: &Args, ranges: &Ranges) -> String {
    let name = args.part.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let title = format!("-- clickproof {}: {name}, for {}", env!("CARGO_PKG_VERSION"), args.dialect.title());
    if !matches!(args.part, Part::Defender | Part::Check) {
        return format!("{title}\n");
    }
    format!(
        "{title}\n{}-- Reads of {}: {}\n",
        core::provenance(&args.thresholds.0, ranges),
        args.table,
        core::COLUMNS.join(", ")
    )
}

/// A table's name goes into the text as it is: what would end the statement, or the line, is none.
fn table(name: &str) -> Result<String, String> {
    if name.trim().is_empty() {
        return Err("is empty: name the table".to_owned());
    }
    if name.contains([';', '\n', '\r']) || name.contains("--") {
        return Err("must be one table's name, without `;`, `--` or line breaks".to_owned());
    }
    Ok(name.to_owned())
}
