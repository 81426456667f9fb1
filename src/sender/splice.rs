//! Changes to bytes: ranges and what stands there instead. Every byte outside of them stays.

use std::ops::Range;

/// One range of bytes and what replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// What goes, in bytes; empty where something is only put in.
    pub range: Range<usize>,
    /// What comes; empty where something is only taken out.
    pub new: Vec<u8>,
}

impl Splice {
    /// Replaces `range` by `new`.
    #[must_use]
    pub fn new(range: Range<usize>, new: impl Into<Vec<u8>>) -> Self {
        Self { range, new: new.into() }
    }
}

/// `old` with the edits made.
///
/// # Panics
/// When edits are out of order, overlap or reach beyond the end.
#[must_use]
pub(super) fn apply(old: &[u8], edits: &[Splice]) -> Vec<u8> {
    let grown: usize = edits.iter().map(|edit| edit.new.len()).sum();
    let mut out = Vec::with_capacity(old.len() + grown);
    let mut at = 0;
    for edit in edits {
        out.extend_from_slice(&old[at..edit.range.start]);
        out.extend_from_slice(&edit.new);
        at = edit.range.end;
    }
    out.extend_from_slice(&old[at..]);
    out
}
