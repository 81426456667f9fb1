//! `man`: the manual's pages, made of the commands' own help.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Command;
use clap_mangen::{Man, generate_to};

use crate::stop::Stop;

#[derive(clap::Args)]
#[command(after_help = "\
To read one without installing it:  clickproof man | man -l -
To install all for yourself:        clickproof man ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// Write a page for each command into this directory; without it the page that names them all goes to stdout
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Writes them.
pub(crate) fn run(args: &Args, command: Command) -> Result<(), Stop> {
    let Some(directory) = &args.directory else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(|error| unprintable(&error))?;
        return print(&page);
    };
    let made = std::fs::create_dir_all(directory).and_then(|()| generate_to(command, directory));
    made.map_err(|error| {
        Stop::Refused(format!("{}: {error}; name a directory that can be written", directory.display()))
    })
}

/// Writes all of it to stdout.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| unprintable(&error))
}

fn unprintable(error: &io::Error) -> Stop {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Stop::Closed,
        _ => Stop::Refused(format!("stdout cannot be written: {error}; make room and start again")),
    }
}
