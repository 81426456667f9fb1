//! What is replaced in a body. All other bytes are copied.

use std::ops::Range;

use super::splice::Splice;
use crate::link::url::Target;
use crate::record::Kind;

/// The pixel's tag around its URL.
const PIXEL: (&str, &str) = ("<img src=\"", "\" alt=\"\" width=\"1\" height=\"1\">");

/// A link that each copy gets, with a token of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PlannedLink {
    /// Its name.
    pub(crate) id: String,
    /// What it is for.
    pub(crate) kind: Kind,
    /// Where it leads.
    pub(crate) url: Option<Target>,
    /// What stands behind its token, for apps that take links by their path: nothing, or a segment with its slash.
    pub(crate) tail: &'static str,
}

/// One replacement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// What goes.
    pub(crate) range: Range<usize>,
    /// What comes.
    pub(crate) with: With,
}

/// What comes in place of something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum With {
    /// The planned link of that number; without one for this copy nothing is replaced.
    Link(usize),
    /// Nothing.
    Nothing,
    /// The pixel's tag; without a pixel for this copy nothing.
    Pixel,
    /// The pixel's URL in the tag at a range; without a pixel the tag goes.
    PixelIn(Range<usize>),
}

/// What a copy puts in.
pub(crate) struct Hrefs<'a> {
    /// What the planned links are in this copy.
    pub(crate) links: &'a [Option<String>],
    /// The pixel's URL.
    pub(crate) pixel: Option<&'a str>,
}

/// A body with its replacements, which stand in order and apart.
pub(crate) fn splice(body: &[u8], edits: &[Edit], hrefs: &Hrefs) -> Vec<u8> {
    let grown: usize = hrefs.links.iter().flatten().map(String::len).sum();
    let mut spliced = Vec::with_capacity(body.len() + grown + hrefs.pixel.map_or(0, |url| url.len() + 64));
    let mut at = 0;
    for (range, with) in replacements(edits, hrefs) {
        spliced.extend_from_slice(&body[at..range.start]);
        for piece in with {
            spliced.extend_from_slice(piece.as_bytes());
        }
        at = range.end;
    }
    spliced.extend_from_slice(&body[at..]);
    spliced
}

/// The same replacements by themselves, for a body that stands in a mail.
pub(crate) fn splices(edits: &[Edit], hrefs: &Hrefs) -> Vec<Splice> {
    replacements(edits, hrefs).map(|(range, with)| Splice::new(range.clone(), with.concat())).collect()
}

/// What goes, and what comes in three pieces.
fn replacements<'a>(
    edits: &'a [Edit],
    hrefs: &'a Hrefs,
) -> impl Iterator<Item = (&'a Range<usize>, [&'a str; 3])> {
    let mut at = 0;
    edits.iter().filter_map(move |Edit { range, with }| {
        // A tag that went took its attributes with it.
        if range.start < at {
            return None;
        }
        let (range, with) = match (with, hrefs.pixel) {
            (With::Link(number), _) => (range, ["", hrefs.links.get(*number)?.as_deref()?, ""]),
            (With::Nothing, _) => (range, [""; 3]),
            (With::Pixel, Some(url)) => (range, [PIXEL.0, url, PIXEL.1]),
            (With::Pixel, None) => return None,
            (With::PixelIn(_), Some(url)) => (range, ["", url, ""]),
            (With::PixelIn(tag), None) => (tag, [""; 3]),
        };
        at = range.end;
        Some((range, with))
    })
}
