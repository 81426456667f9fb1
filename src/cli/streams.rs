//! The flags that every command has, and the opening of what they name.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::form::Wanted;
use crate::lines::Lines;
use crate::output::Output;
use crate::stop::Stop;

/// Where the lines come from and the results go to.
#[derive(clap::Args)]
pub(crate) struct Streams {
    /// Read from this file instead of stdin
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write to this file instead of stdout; what it held is lost
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// An input, its name, and its size where it has one.
struct Source {
    bytes: Box<dyn Read>,
    name: String,
    size: Option<u64>,
}

impl Streams {
    /// Opens both ends. The input comes first: an output that exists is emptied only when there is something to read.
    pub(crate) fn open(&self, wanted: Wanted) -> Result<(Lines, Output), Stop> {
        let Source { bytes: source, name, size } = self.source()?;
        let (sink, sink_name) = self.sink()?;
        let bar = bar(size);
        let by_bytes = size.is_some();
        Ok((Lines::new(source, name, bar.clone(), by_bytes, wanted), Output::new(sink, sink_name, bar)))
    }

    /// All of the input as it comes, at most so many bytes and one more.
    pub(crate) fn read(&self, most: u64) -> Result<Vec<u8>, Stop> {
        let Source { bytes: source, name, .. } = self.source()?;
        let mut bytes = Vec::new();
        source.take(most + 1).read_to_end(&mut bytes).map_err(|error| {
            Stop::Refused(format!("{name} cannot be read: {error}; mend it and start again"))
        })?;
        Ok(bytes)
    }

    /// The output alone, when the result is there.
    pub(crate) fn open_output(&self) -> Result<Output, Stop> {
        let (sink, name) = self.sink()?;
        Ok(Output::new(sink, name, ProgressBar::hidden()))
    }

    fn source(&self) -> Result<Source, Stop> {
        let Some(path) = &self.input else {
            return Ok(Source { bytes: Box::new(io::stdin().lock()), name: "stdin".to_owned(), size: None });
        };
        let (file, size) = open_input(path)?;
        Ok(Source { bytes: Box::new(file), name: path.display().to_string(), size })
    }

    fn sink(&self) -> Result<(Box<dyn Write>, String), Stop> {
        match &self.output {
            None => Ok(stdout()),
            Some(path) => {
                self.refuse_same_file(path)?;
                create(path)
            }
        }
    }

    /// Emptying the output would empty the input.
    fn refuse_same_file(&self, output: &Path) -> Result<(), Stop> {
        let Some(input) = &self.input else { return Ok(()) };
        match (fs::canonicalize(input), fs::canonicalize(output)) {
            (Ok(one), Ok(other)) if one == other && other.is_file() => {
                Err(refused("output", output, "it is the input; name another file"))
            }
            _ => Ok(()),
        }
    }
}

/// Opens one of several files that a command reads.
pub(crate) fn open_lines(path: &Path, wanted: Wanted) -> Result<Lines, Stop> {
    let (file, size) = open_input(path)?;
    Ok(Lines::new(Box::new(file), path.display().to_string(), bar(size), size.is_some(), wanted))
}

/// Opens the output of a command that reads nothing.
pub(crate) fn open_output(path: Option<&Path>) -> Result<Output, Stop> {
    let (sink, name) = path.map_or_else(|| Ok(stdout()), create)?;
    Ok(Output::new(sink, name, ProgressBar::hidden()))
}

fn stdout() -> (Box<dyn Write>, String) {
    (Box::new(io::stdout().lock()), "stdout".to_owned())
}

fn create(path: &Path) -> Result<(Box<dyn Write>, String), Stop> {
    let file = File::create(path)
        .map_err(|error| refused("output", path, &format!("{error}; name a file that can be written")))?;
    Ok((Box::new(file), path.display().to_string()))
}

/// The file, and its size where it has one.
fn open_input(path: &Path) -> Result<(File, Option<u64>), Stop> {
    let readable =
        |error: io::Error| refused("input", path, &format!("{error}; name a file that can be read"));
    let file = File::open(path).map_err(readable)?;
    let about = file.metadata().map_err(readable)?;
    if about.is_dir() {
        return Err(refused("input", path, "it is a directory; name a file"));
    }
    Ok((file, about.is_file().then_some(about.len())))
}

fn refused(flag: &str, path: &Path, problem: &str) -> Stop {
    Stop::Refused(format!("--{flag} {}: {problem}", path.display()))
}

/// The progress bar: only where somebody watches; by bytes where the end is known, else by lines.
fn bar(size: Option<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match size {
        Some(bytes) => {
            (ProgressBar::new(bytes), "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left")
        }
        None => (ProgressBar::no_length(), "{spinner} {human_pos} lines {elapsed}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
