//! base64 bodies: decoded strictly, and written again in lines as long as they were.

use std::ops::Range;

use base64ct::{Base64, Encoding};

use super::head::{content, ending};

/// The longest line of a base64 body, characters (RFC 2045, 6.8).
const LONGEST_LINE: usize = 76;

/// How a body's lines are laid out.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    line_length: usize,
    /// From the first character to the last; what stands around them stays.
    data: Range<usize>,
}

/// The octets; `None` when something that is neither base64 nor white space stands among it.
pub(super) fn decode(body: &[u8]) -> Option<(Vec<u8>, Layout)> {
    let start = body.len() - body.trim_ascii_start().len();
    let data = start..start + body[start..].trim_ascii_end().len();
    let text: Vec<u8> =
        body[data.clone()].iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let octets = Base64::decode_vec(std::str::from_utf8(&text).ok()?).ok()?;
    let mut lines = body[data.clone()].split_inclusive(|&byte| byte == b'\n').map(|line| content(line).len());
    let first = lines.next().unwrap_or_default();
    let several = lines.next().is_some();
    let line_length = if several && (1..LONGEST_LINE).contains(&first) { first } else { LONGEST_LINE };
    Some((octets, Layout { line_length, data }))
}

impl Layout {
    /// `body` with other octets in it; `line_end` ends lines where the body has no ending of its own.
    pub(super) fn encode(&self, body: &[u8], octets: &[u8], line_end: &[u8]) -> Vec<u8> {
        let line_end = ending(&body[self.data.clone()]).unwrap_or(line_end);
        let mut out = body[..self.data.start].to_vec();
        let text = Base64::encode_string(octets);
        for (at, line) in text.as_bytes().chunks(self.line_length).enumerate() {
            if at > 0 {
                out.extend_from_slice(line_end);
            }
            out.extend_from_slice(line);
        }
        out.extend_from_slice(&body[self.data.end..]);
        out
    }
}
