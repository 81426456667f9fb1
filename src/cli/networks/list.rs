//! `networks list`: the sections of the catalogue that this program was built with, and those that were learned.

use std::io;

use clickproof::compile::learned;
use clickproof::compile::networks::{Section, parse};
use clickproof::signals::catalogue::Scope;
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
pub(super) const TEXT: &str = include_str!("../../signals/catalogue/networks.txt");

/// The text of what was learned.
pub(super) const LEARNED: &str = include_str!("../../signals/catalogue/learned.txt");

pub(crate) fn run(args: &Args) -> Result<(), Stop> {
    let refused = |mistake| Stop::Refused(format!("the catalogue: {mistake}"));
    let (sections, learned) = (parse(TEXT).map_err(refused)?, learned::parse(LEARNED).map_err(refused)?);
    let all: Vec<Told> = sections.iter().map(told).chain(learned.iter().map(told_of_learned)).collect();
    let mut output = Output::new(Box::new(io::stdout().lock()), "stdout".to_owned(), ProgressBar::hidden());
    if args.json {
        for told in &all {
            output.line(|block| serde_json::to_writer(block, told))?;
        }
    } else {
        for line in table(&all) {
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
    vendor: Option<&'a str>,
    scope: &'static str,
    prefixes: usize,
    systems: usize,
    date: &'a str,
    /// Only what was learned ends some day.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<&'a str>,
    feed: Option<String>,
    source: &'a str,
}

fn told(section: &Section) -> Told<'_> {
    Told {
        section: &section.name,
        class: section.class.name(),
        vendor: Some(&section.vendor),
        scope: section.scope.name(),
        prefixes: section.prefixes.len(),
        systems: section.systems.len(),
        date: &section.date,
        expires: None,
        feed: section.feed.as_ref().map(ToString::to_string),
        source: &section.source,
    }
}

fn told_of_learned(section: &learned::Section) -> Told<'_> {
    Told {
        section: &section.name,
        class: "learned",
        vendor: section.vendor.as_deref(),
        scope: Scope::Clicks.name(),
        prefixes: section.prefixes.len(),
        systems: section.systems.len(),
        date: &section.date,
        expires: Some(&section.expires),
        feed: None,
        source: &section.source,
    }
}

fn table(sections: &[Told]) -> Vec<String> {
    let heads =
        ["section", "class", "vendor", "scope", "prefixes", "AS", "date", "source"].map(str::to_owned);
    let rows = sections.iter().map(|section| {
        [
            section.section.to_owned(),
            section.class.to_owned(),
            section.vendor.unwrap_or("-").to_owned(),
            section.scope.to_owned(),
            section.prefixes.to_string(),
            section.systems.to_string(),
            section.date.to_owned(),
            section.source.to_owned(),
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
