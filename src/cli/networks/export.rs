//! `networks export`: the catalogue as rows, a prefix or an AS number each, in the order of the files that it is compiled from.

use std::path::PathBuf;

use clickproof::compile::learned;
use clickproof::compile::networks::{Section, parse};
use clickproof::signals::catalogue::{Class, Scope};
use ipnet::IpNet;
use serde::Serialize;

use super::list::{LEARNED, TEXT};
use crate::stop::Stop;
use crate::streams::open_output;

#[derive(clap::Args)]
#[command(after_help = "\
A row is {network, vendor, class, scope, carries_people, people, cidr, asn, agent, date, expires, source}; `cidr` or `asn` is null. \
Prefixes lie in one another: of those that an address is in, the longest counts, and of two of one length that whose `scope` is \
`clicks` or `opens`; an AS number counts where no prefix does. Class `learned` holds up to `expires`, and with an `agent` for that \
agent alone. `people` says who comes from there beside what the class says.")]
pub(crate) struct Args {
    /// How rows are written
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Write to this file instead of stdout; what it held is lost
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// With a header; null is empty
    Csv,
    /// One JSON object a line
    Ndjson,
}

/// A prefix or an AS number. The order of the fields is that of the columns.
#[derive(Clone, Default, Serialize)]
struct Row<'a> {
    network: &'a str,
    vendor: Option<&'a str>,
    class: &'a str,
    scope: &'a str,
    carries_people: bool,
    people: Option<&'a str>,
    cidr: Option<String>,
    asn: Option<u32>,
    agent: Option<&'a str>,
    date: &'a str,
    expires: Option<&'a str>,
    source: &'a str,
}

pub(crate) fn run(args: &Args) -> Result<(), Stop> {
    let refused = |mistake| Stop::Refused(format!("the catalogue: {mistake}"));
    let (sections, learned) = (parse(TEXT).map_err(refused)?, learned::parse(LEARNED).map_err(refused)?);
    let listed = sections.iter().map(|section| (of_list(section), &section.prefixes, &section.systems));
    let found = learned.iter().map(|section| (of_learned(section), &section.prefixes, &section.systems));
    let rows = listed.chain(found).flat_map(|(about, prefixes, systems)| rows(&about, prefixes, systems));

    let mut output = open_output(args.output.as_deref())?;
    match args.format {
        Format::Ndjson => {
            for row in rows {
                output.line(|block| serde_json::to_writer(block, &row))?;
            }
        }
        Format::Csv => {
            let mut text = csv::Writer::from_writer(Vec::new());
            for row in rows {
                text.serialize(row).map_err(|error| unwritten(&error))?;
            }
            let text = text.into_inner().map_err(|error| unwritten(&error))?;
            output.line(|block| {
                // A line brings its own end.
                block.extend_from_slice(text.trim_ascii_end());
                Ok(())
            })?;
        }
    }
    output.flush()
}

fn unwritten(error: &dyn std::error::Error) -> Stop {
    Stop::Refused(format!("a row cannot be written: {error}"))
}

fn rows<'a>(about: &Row<'a>, prefixes: &[IpNet], systems: &[u32]) -> Vec<Row<'a>> {
    let prefixes = prefixes.iter().map(|prefix| Row { cidr: Some(prefix.to_string()), ..about.clone() });
    let systems = systems.iter().map(|number| Row { asn: Some(*number), ..about.clone() });
    prefixes.chain(systems).collect()
}

fn of_list(section: &Section) -> Row<'_> {
    Row {
        network: &section.name,
        vendor: Some(&section.vendor),
        class: section.class.name(),
        scope: section.scope.name(),
        carries_people: section.people.is_some() || matches!(section.class, Class::HumanProxy | Class::Relay),
        people: section.people.as_deref(),
        date: &section.date,
        source: &section.source,
        ..Row::default()
    }
}

fn of_learned(section: &learned::Section) -> Row<'_> {
    Row {
        network: &section.name,
        vendor: section.vendor.as_deref(),
        class: "learned",
        scope: Scope::Clicks.name(),
        agent: section.agent.as_deref(),
        date: &section.date,
        expires: Some(&section.expires),
        source: &section.source,
        ..Row::default()
    }
}
