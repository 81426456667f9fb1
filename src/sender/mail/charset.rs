//! The charset of a part: its text as a parser can read it, and changes to that text put back.
//!
//! In most charsets a byte below 128 that a parser looks for is that character, and the octets are parsed as they are. In
//! ISO-2022-JP the bytes of two-byte text look like markup: it is decoded, with the place of each character.

use std::ops::Range;

use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::sender::edit::{Edit, apply};

/// A part's text, ready for a parser.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// What is parsed.
    pub(super) bytes: Vec<u8>,
    /// What these bytes are in.
    pub(super) encoding: &'static Encoding,
    /// Where each character of ISO-2022-JP stands, when it was decoded.
    decoded: Option<Vec<Character>>,
}

/// One character of a decoded text.
#[derive(Clone, Debug)]
struct Character {
    /// Where it begins in the decoded text.
    at: usize,
    /// Its octets, without escape sequences before it.
    octets: Range<usize>,
}

impl Text {
    /// The text of `octets`, which the part says to be in `label`. `None` where no parser can read it, or where it is not what
    /// the part says.
    pub(super) fn read(label: Option<&str>, octets: &[u8]) -> Option<Self> {
        let label = label.unwrap_or("us-ascii").trim();
        let named = Encoding::for_label(label.as_bytes())?;
        let encoding = match named {
            encoding if encoding == ISO_2022_JP => return Self::decode(octets),
            encoding if [REPLACEMENT, UTF_16BE, UTF_16LE].contains(&encoding) => return None,
            // Who says ASCII, or nothing, and writes more, writes UTF-8 today.
            encoding
                if encoding == WINDOWS_1252 && is_ascii(label) && std::str::from_utf8(octets).is_ok() =>
            {
                UTF_8
            }
            encoding => encoding,
        };
        Some(Self { bytes: octets.to_vec(), encoding, decoded: None })
    }

    fn decode(octets: &[u8]) -> Option<Self> {
        let mut decoder = ISO_2022_JP.new_decoder_without_bom_handling();
        let mut text = Vec::with_capacity(octets.len() * 2);
        let mut characters = Vec::new();
        let mut buffer = [0; 16];
        for at in decoded_octets(octets) {
            let last = at + 1 == octets.len();
            let (_, _, written, malformed) = decoder.decode_to_utf8(&octets[at..=at], &mut buffer, last);
            if malformed {
                return None;
            }
            if written > 0 {
                let length = if is_one_byte(&buffer[..written]) { 1 } else { 2 };
                characters.push(Character { at: text.len(), octets: at + 1 - length..at + 1 });
                text.extend_from_slice(&buffer[..written]);
            }
        }
        Some(Self { bytes: text, encoding: UTF_8, decoded: Some(characters) })
    }

    /// Edits of the text as edits of its octets; `None` when the charset cannot say what is put in.
    pub(super) fn edits(&self, octets: &[u8], edits: &[Edit]) -> Option<Vec<Edit>> {
        let Some(characters) = &self.decoded else { return Some(edits.to_vec()) };
        let wanted = apply(&self.bytes, edits);
        let moved: Vec<Edit> =
            edits.iter().map(|edit| Edit::new(place(characters, &edit.range), edit.new.clone())).collect();
        // A change within two-byte text would be read as two-byte text: then all is encoded anew.
        if decodes_to(&apply(octets, &moved), &wanted) {
            return Some(moved);
        }
        let (new, _, unmappable) = ISO_2022_JP.encode(std::str::from_utf8(&wanted).ok()?);
        (!unmappable && decodes_to(&new, &wanted)).then(|| vec![Edit::new(0..octets.len(), new)])
    }
}

/// The octets of a range of the text. The place between two characters is where one byte is one character, if either side is.
fn place(characters: &[Character], text: &Range<usize>) -> Range<usize> {
    let from = characters.partition_point(|character| character.at < text.start);
    let to = characters.partition_point(|character| character.at < text.end);
    let before = to.checked_sub(1).map(|last| &characters[last].octets);
    let end = before.map_or(0, |octets| octets.end);
    if from < to {
        return characters[from].octets.start..end;
    }
    match (before, characters.get(to)) {
        (Some(before), Some(next)) if before.len() > 1 && next.octets.len() == 1 => {
            next.octets.start..next.octets.start
        }
        _ => end..end,
    }
}

/// The places of all octets but escape sequences before other ones. They say nothing, but the WHATWG's decoder takes them for
/// an attack, and mail software writes them.
fn decoded_octets(octets: &[u8]) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let [0x1B, b'$' | b'(', _, 0x1B, ..] = octets.get(at..)? {
            at += 3;
        }
        at += 1;
        (at <= octets.len()).then_some(at - 1)
    })
}

fn decodes_to(octets: &[u8], text: &[u8]) -> bool {
    let octets: Vec<u8> = decoded_octets(octets).map(|at| octets[at]).collect();
    let (decoded, malformed) = ISO_2022_JP.decode_without_bom_handling(&octets);
    !malformed && decoded.as_bytes() == text
}

fn is_ascii(label: &str) -> bool {
    ["us-ascii", "ascii"].iter().any(|name| label.eq_ignore_ascii_case(name))
}

/// Whether ISO-2022-JP has one byte for this character: ASCII, JIS-Roman or half-width katakana.
fn is_one_byte(utf8: &[u8]) -> bool {
    let character = std::str::from_utf8(utf8).ok().and_then(|text| text.chars().next());
    matches!(character, Some('\0'..='\x7f' | '¥' | '‾' | '\u{FF61}'..='\u{FF9F}'))
}
