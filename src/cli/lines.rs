//! Reading NDJSON: line by line, numbered, each bad one told on stderr and counted.

use std::io::{self, BufRead, BufReader, Read};

use indicatif::ProgressBar;

use crate::say::say;
use crate::stop::Stop;

/// The longest line, bytes: the API's limit on a body, and far above any record. It bounds the memory that input
/// without line ends can take.
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;

const BUFFER_BYTES: usize = 1 << 16;

/// The lines of the input.
pub(crate) struct Lines {
    source: BufReader<Box<dyn Read>>,
    name: String,
    line: Vec<u8>,
    number: u64,
    bytes: u64,
    bad: usize,
    bar: ProgressBar,
    by_bytes: bool,
}

impl Lines {
    pub(crate) fn new(source: Box<dyn Read>, name: String, bar: ProgressBar, by_bytes: bool) -> Self {
        let source = BufReader::with_capacity(BUFFER_BYTES, source);
        Self { source, name, line: Vec::new(), number: 0, bytes: 0, bad: 0, bar, by_bytes }
    }

    /// Whether the next line may be long in coming: it is not wholly here yet.
    pub(crate) fn may_wait(&self) -> bool {
        !self.source.buffer().contains(&b'\n')
    }

    /// The next line that is not blank, or what is wrong with it; nothing at the end of the input.
    pub(crate) fn next(&mut self) -> Result<Option<Result<&str, String>>, Stop> {
        loop {
            if self.may_wait() {
                self.bar.set_position(if self.by_bytes { self.bytes } else { self.number });
            }
            self.line.clear();
            if self.read()? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.len() > MAX_LINE_BYTES {
                self.skip_rest()?;
                return Ok(Some(Err(format!("longer than {MAX_LINE_BYTES} bytes; split it"))));
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        Ok(Some(std::str::from_utf8(self.line.trim_ascii()).map_err(|error| {
            format!("not UTF-8 at byte {}; write the file as UTF-8", error.valid_up_to() + 1)
        })))
    }

    /// Tells of the last line on stderr that it is bad and why.
    pub(crate) fn complain(&mut self, problem: &str) {
        self.bad += 1;
        // What stands in the input may be quoted: it must neither break the line nor steer the terminal.
        let problem = problem.replace(char::is_control, "\u{fffd}");
        self.bar.suspend(|| say(&format!("{}:{}: {problem}", self.name, self.number)));
    }

    /// How many lines were bad.
    pub(crate) fn bad(&self) -> usize {
        self.bad
    }

    /// Takes the progress bar away: the input is read.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Reads up to the end of the line, its end left out, or one byte further than a line may be long.
    fn read(&mut self) -> Result<usize, Stop> {
        let most = MAX_LINE_BYTES as u64 + 1;
        let count = self.source.by_ref().take(most).read_until(b'\n', &mut self.line);
        let count = count.map_err(|error| self.unreadable(&error))?;
        self.bytes += count as u64;
        self.line.pop_if(|last| *last == b'\n');
        Ok(count)
    }

    fn skip_rest(&mut self) -> Result<(), Stop> {
        self.bytes += self.source.skip_until(b'\n').map_err(|error| self.unreadable(&error))? as u64;
        Ok(())
    }

    fn unreadable(&self, error: &io::Error) -> Stop {
        Stop::Refused(format!(
            "{} cannot be read after line {}: {error}; start again from a readable copy",
            self.name, self.number
        ))
    }
}
