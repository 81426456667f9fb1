//! What commands say to people, on stderr: stdout is for results alone.

use std::io::Write;

/// Writes a line to stderr. Nothing is left to tell when stderr itself is closed.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
