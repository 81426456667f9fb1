//! Writing NDJSON: lines gather and leave in blocks.

use std::io::{ErrorKind, Write};

use indicatif::ProgressBar;

use crate::stop::Stop;

const BLOCK_BYTES: usize = 1 << 16;

/// Where the results go.
pub(crate) struct Output {
    sink: Box<dyn Write>,
    name: String,
    waiting: Vec<u8>,
    bar: ProgressBar,
}

impl Output {
    pub(crate) fn new(sink: Box<dyn Write>, name: String, bar: ProgressBar) -> Self {
        Self { sink, name, waiting: Vec::with_capacity(2 * BLOCK_BYTES), bar }
    }

    /// Adds a line, which `write` appends to the block that is waiting.
    pub(crate) fn line(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>,
    ) -> Result<(), Stop> {
        write(&mut self.waiting)?;
        self.waiting.push(b'\n');
        if self.waiting.len() >= BLOCK_BYTES { self.flush() } else { Ok(()) }
    }

    /// Sends off what is no line.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.waiting.extend_from_slice(bytes);
        self.flush()
    }

    /// Sends off all lines so far.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // Results and the bar may share a terminal.
        let sent = self.bar.suspend(|| self.sink.write_all(&self.waiting).and_then(|()| self.sink.flush()));
        self.waiting.clear();
        sent.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Stop::Closed,
            _ => {
                Stop::Refused(format!("{} cannot be written: {error}; make room and start again", self.name))
            }
        })
    }
}
