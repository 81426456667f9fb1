//! `networks`: the catalogue, for people: what it holds, what it says of an address, what its vendors say now, and what the
//! sender's own history teaches.

mod edit;
mod export;
mod feeds;
mod learn;
mod list;
mod lookup;
mod refresh;

use crate::stop::Stop;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// List the sections: class, vendor, scope, how many prefixes and AS numbers, date, source
    List(list::Args),
    /// Write the whole catalogue as rows, a prefix or an AS number each: for a warehouse to join
    Export(export::Args),
    /// Say whose an address or AS number is, and what that is worth
    Lookup(lookup::Args),
    /// Fetch the vendors' live feeds and show what changed; --write keeps it
    Refresh(refresh::Args),
    /// Find networks in shipped events that no list names and that sweep again and again; --write keeps them
    Learn(learn::Args),
}

/// Does what is asked; says how many lines were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    match &args.command {
        Command::List(args) => list::run(args).map(|()| 0),
        Command::Export(args) => export::run(args).map(|()| 0),
        Command::Lookup(args) => lookup::run(args),
        Command::Refresh(args) => refresh::run(args).map(|()| 0),
        Command::Learn(args) => learn::run(args),
    }
}
