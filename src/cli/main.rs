//! The native commands: the library's minting and judging over files and pipes.
//!
//! Every command that judges or mints reads NDJSON and writes NDJSON, one result line per input line in input order. What they
//! share is [`streams`] (the flags and the opening), [`lines`] (reading) and [`output`] (writing); [`client`] is what those share
//! that ask a Worker.

mod classify;
mod clicks;
mod client;
mod columns;
mod compact;
mod complaints;
mod completions;
mod eml;
mod evaluate;
mod form;
mod import;
mod learned;
mod lines;
mod man;
mod merge;
mod mint;
mod networks;
mod notes;
mod output;
mod plain;
mod report;
mod rewrite;
mod say;
mod secrets;
mod sent;
mod simulate;
mod sql;
mod stop;
mod streams;
mod summary;
mod talk;
mod thresholds;
mod unpack;
mod verdicts;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use say::say;
use stop::Stop;

/// Some input lines were bad.
const BAD_LINES: u8 = 1;

/// The command could not do its work; clap ends with the same status on a bad flag.
const REFUSED: u8 = 2;

#[derive(Parser)]
#[command(
    version,
    max_term_width = 100,
    about = "Mints tracked links, and says of every click whether a person or a mail scanner made it"
)]
#[command(
    after_help = "Exit status: 0 when every line got its result, 1 when some lines were bad (one error line each on \
                  stderr), 2 when a flag, a key or a file cannot be used."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Mint links: bodies of POST /v1/links in, its answers out.
    Mint(mint::Args),
    /// Rewrite mails, one for each recipient: their links lead over the click domain, every other byte stays
    Rewrite(rewrite::Args),
    /// Judge click records, in any order: each one's verdict out.
    Classify(classify::Args),
    /// Read a mail provider's export of events: click records out
    Import(import::Args),
    /// Write labelled traffic of a send that never was, or play it against a Worker
    Simulate(simulate::Args),
    /// Read what objects and queues keep as bytes: click records, or events as they are shipped, out
    Unpack(unpack::Args),
    /// Pack shipped events into Parquet: one file for each event and day, each event's last revision alone
    Compact(compact::Args),
    /// Print the published table of rules, and reports of shipped events, as a warehouse's SQL
    Sql(sql::Args),
    /// The catalogue of networks: list it, look an address up, refresh it from the vendors' feeds
    Networks(networks::Args),
    /// Ask a running Worker for the report of a message, as tables
    Report(report::Args),
    /// Ask a running Worker for the clicks of a message, all of them
    Clicks(clicks::Args),
    /// Print what completes commands and flags in a shell
    Completions(completions::Args),
    /// Write the manual's pages
    Man(man::Args),
}

fn main() -> ExitCode {
    let end = match Cli::parse().command {
        Command::Mint(args) => mint::run(&args),
        Command::Rewrite(args) => rewrite::run(&args),
        Command::Classify(args) => classify::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Unpack(args) => unpack::run(&args),
        Command::Compact(args) => compact::run(&args),
        Command::Sql(args) => sql::run(&args).map(|()| 0),
        Command::Networks(args) => networks::run(&args),
        Command::Report(args) => report::run(&args).map(|()| 0),
        Command::Clicks(args) => clicks::run(&args).map(|()| 0),
        Command::Completions(args) => completions::run(&args, &mut Cli::command()).map(|()| 0),
        Command::Man(args) => man::run(&args, Cli::command()).map(|()| 0),
    };
    match end {
        Ok(0) | Err(Stop::Closed) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(BAD_LINES),
        Err(Stop::Refused(problem)) => {
            say(&format!("error: {problem}"));
            ExitCode::from(REFUSED)
        }
    }
}
