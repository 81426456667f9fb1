//! quoted-printable bodies (RFC 2045, 6.7): where each octet stands, so that a change touches no character beside it.

use std::ops::Range;

use super::head::{content, ending, line_at};
use crate::sender::splice::Splice;

/// The longest line, characters without its ending; a soft break's `=` counts.
const LONGEST_LINE: usize = 76;

/// A body's octets and where in the body each of them stands.
#[derive(Clone, Debug)]
pub(super) struct Quoted {
    octets: Vec<u8>,
    /// For each octet.
    stands: Vec<Range<u32>>,
}

impl Quoted {
    /// Decodes leniently, as mail software does: `=` before what is no hexadecimal pair stands for itself.
    pub(super) fn decode(body: &[u8]) -> Self {
        let mut decoded =
            Self { octets: Vec::with_capacity(body.len()), stands: Vec::with_capacity(body.len()) };
        let mut at = 0;
        while at < body.len() {
            let line = line_at(body, at, body.len());
            decoded.line(body, &line);
            at = line.end;
        }
        decoded
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn line(&mut self, body: &[u8], line: &Range<usize>) {
        let whole = content(&body[line.clone()]);
        let text = trim_blank_end(whole);
        let (text, is_soft) = text.strip_suffix(b"=").map_or((text, false), |text| (text, true));
        let mut at = 0;
        while at < text.len() {
            let pair = (text[at] == b'=').then(|| text.get(at + 1..at + 3).and_then(octet)).flatten();
            let length = if pair.is_some() { 3 } else { 1 };
            let from = line.start + at;
            self.push(pair.unwrap_or(text[at]), from..from + length);
            at += length;
        }
        if is_soft {
            return;
        }
        // White space before the ending is not the sender's: it belongs to the ending.
        let ending = line.start + whole.len()..line.end;
        let mut from = line.start + text.len();
        for (at, &octet) in ending.clone().zip(&body[ending]) {
            self.push(octet, from..at + 1);
            from = at + 1;
        }
    }

    fn push(&mut self, octet: u8, stands: Range<usize>) {
        self.octets.push(octet);
        self.stands.push(place(stands.start)..place(stands.end));
    }

    /// `body` with edits made to its octets; what is not edited keeps its characters and its line breaks, but where a line
    /// would become too long.
    pub(super) fn splice(&self, body: &[u8], edits: &[Splice], line_end: &[u8]) -> Vec<u8> {
        let mut out = Writer::new(ending(body).unwrap_or(line_end), body.len());
        let mut at = 0;
        for edit in edits {
            let stands = self.range(&edit.range);
            out.keep(&body[at..stands.start]);
            out.put(&edit.new);
            at = stands.end;
        }
        out.keep(&body[at..]);
        out.out
    }

    /// The characters of these octets, or the place between them.
    fn range(&self, octets: &Range<usize>) -> Range<usize> {
        let start = |at: usize| self.stands.get(at).map(|stands| stands.start as usize);
        let end = |at: usize| self.stands.get(at).map_or(0, |stands| stands.end as usize);
        let before = |at: usize| at.checked_sub(1).map_or(0, end);
        if octets.is_empty() {
            let at = start(octets.start).unwrap_or_else(|| before(octets.start));
            return at..at;
        }
        start(octets.start).unwrap_or_default()..before(octets.end)
    }
}

/// All of these octets, encoded; line endings among them stay what they are.
pub(super) fn encode(octets: &[u8], line_end: &[u8]) -> Vec<u8> {
    let mut out = Writer::new(ending(octets).unwrap_or(line_end), octets.len() * 5 / 4);
    for line in octets.split_inclusive(|&byte| byte == b'\n') {
        let text = content(line);
        out.put(text);
        out.keep(&line[text.len()..]);
    }
    out.out
}

/// Writes lines, and knows how long the last one is.
struct Writer<'a> {
    out: Vec<u8>,
    line_end: &'a [u8],
    /// Characters on the line.
    column: usize,
}

impl<'a> Writer<'a> {
    fn new(line_end: &'a [u8], capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity), line_end, column: 0 }
    }

    /// Encodes octets, none of them a line's ending.
    fn put(&mut self, octets: &[u8]) {
        for &octet in octets {
            let literal = matches!(octet, b' '..=b'~' | b'\t') && octet != b'=';
            self.room(if literal { 1 } else { 3 });
            if literal {
                self.out.push(octet);
                self.column += 1;
            } else {
                self.escape(octet);
            }
        }
    }

    /// Takes characters over as they are. They follow what was changed, so that their line may have become too long.
    fn keep(&mut self, characters: &[u8]) {
        let line = &characters[..line_at(characters, 0, characters.len()).end];
        let first = content(line);
        // A line that goes on needs room for the = of a soft break.
        let longest = if line.ends_with(b"\n") { LONGEST_LINE } else { LONGEST_LINE - 1 };
        if trim_blank_end(first).is_empty() {
            // A line's last octet may not be white space: the next server may take it away.
            if let Some(&blank) = self.out.last().filter(|byte| matches!(byte, b' ' | b'\t')) {
                self.out.pop();
                self.column -= 1;
                self.room(3);
                self.escape(blank);
            }
        } else if self.column > 0 && self.column + first.len() > longest {
            self.soft_break();
        }
        self.out.extend_from_slice(characters);
        match characters.iter().rposition(|&byte| byte == b'\n') {
            Some(newline) => self.column = characters.len() - newline - 1,
            None => self.column += characters.len(),
        }
    }

    /// A soft break, unless so many characters and its `=` fit on the line.
    fn room(&mut self, characters: usize) {
        if self.column + characters >= LONGEST_LINE {
            self.soft_break();
        }
    }

    fn soft_break(&mut self) {
        self.out.push(b'=');
        self.out.extend_from_slice(self.line_end);
        self.column = 0;
    }

    fn escape(&mut self, octet: u8) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        self.out.extend([b'=', DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
        self.column += 3;
    }
}

/// What two hexadecimal digits stand for.
fn octet(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(pair[0])? * 16 + digit(pair[1])?;
    u8::try_from(value).ok()
}

fn trim_blank_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    &line[..end]
}

fn place(at: usize) -> u32 {
    u32::try_from(at).expect("a mail is smaller than 4 GiB")
}
