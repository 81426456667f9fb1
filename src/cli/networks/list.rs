//! `networks list`: the sections of the catalogue that this program was built with.

use std::io;

use clickproof::compile::networks::{Section, parse};
use indicatif::ProgressBar;
use serde::Serialize;

use crate::output::Output;
use crate::stop::Stop;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

/// The text that the catalogue's tables are compiled from.
const TEXT: &str = include_str!("../../signals/catalogue/networks.txt");

pub(crate) fn run(args: &Args) -> Result<(), Stop> {
    let sections = parse(TEXT).map_err(|mistake| Stop::Refused(format!("the catalogue: {mistake}")))?;
    let mut output = Output::new(Box::new(io::stdout().lock()), "stdout".to_owned(), ProgressBar::hidden());
    if args.json {
        for section in &sections {
            output.line(|block| serde_json::to_writer(block, &told(section)))?;
        }
    } else {
        for line in table(&sections) {
            output.line(|block| {
                block.extend_from_slice(line.as_bytes());
                Ok(())
            })?;
        }
    }
    output.flush()
}

/// A section as `--json` tells of it.
#[derive(Serialize)]
struct Told<'a> {
    section: &'a str,
    class: &'static str,
    vendor: &'a str,
    scope: &'static str,
    prefixes: usize,
    systems: usize,
    date: &'a str,
    feed: Option<String>,
    source: &'a str,
}

fn told(section: &Section) -> Told<'_> {
    Told {
        section: &section.name,
        class: section.class.name(),
        vendor: &section.vendor,
        scope: section.scope.name(),
        prefixes: section.prefixes.len(),
        systems: section.systems.len(),
        date: &section.date,
        feed: section.feed.as_ref().map(ToString::to_string),
        source: &section.source,
    }
}

fn table(sections: &[Section]) -> Vec<String> {
    let heads =
        ["section", "class", "vendor", "scope", "prefixes", "AS", "date", "source"].map(str::to_owned);
    let rows = sections.iter().map(|section| {
        [
            section.name.clone(),
            section.class.name().to_owned(),
            section.vendor.clone(),
            section.scope.name().to_owned(),
            section.prefixes.len().to_string(),
            section.systems.len().to_string(),
            section.date.clone(),
            section.source.clone(),
        ]
    });
    let rows: Vec<_> = std::iter::once(heads).chain(rows).collect();
    let widths: Vec<_> =
        (0..8).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 8]| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
