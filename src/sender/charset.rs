//! Bodies in their charsets: text that knows for each of its characters which bytes it was, so that what is found in the one
//! can be replaced in the other.

use std::ops::Range;

use encoding_rs::{Encoding, UTF_8};

/// The byte that begins an escape sequence of ISO-2022-JP, and how many bytes it has.
const ESCAPE: (u8, usize) = (0x1b, 3);

/// Whether links can be written into a charset: ASCII's characters are ASCII's bytes, at least between escape sequences. In
/// UTF-16, and in those that browsers refuse, they are not.
pub(crate) fn takes_links(encoding: &'static Encoding) -> bool {
    encoding.is_ascii_compatible() || encoding == encoding_rs::ISO_2022_JP
}

/// A decoded body.
pub(crate) struct Decoded {
    /// Its text; what is no character is U+FFFD.
    pub(crate) text: String,
    /// For each character where it begins in the text, and its bytes; nothing where text and bytes are the same.
    chars: Option<Vec<(usize, Range<usize>)>>,
    /// How many bytes there are.
    length: usize,
}

impl Decoded {
    pub(crate) fn new(bytes: &[u8], encoding: &'static Encoding) -> Self {
        if let Ok(text) = std::str::from_utf8(bytes)
            && (encoding == UTF_8 || (encoding.is_ascii_compatible() && text.is_ascii()))
        {
            return Self { text: text.to_owned(), chars: None, length: bytes.len() };
        }
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let (mut text, mut chars) = (String::with_capacity(bytes.len()), Vec::with_capacity(bytes.len()));
        let mut start = 0;
        let mut room = [0; 16];
        // Byte by byte, and once more for what the last one leaves open.
        for at in 0..=bytes.len() {
            let next = bytes.get(at..=at).unwrap_or_default();
            let (_, _, written, _) = decoder.decode_to_utf8(next, &mut room, next.is_empty());
            let new = std::str::from_utf8(&room[..written]).unwrap_or_default();
            let last = new.chars().count();
            for (n, c) in new.chars().enumerate() {
                // Where a byte ends what was no character and is one itself, the last character is its own.
                let from = if n > 0 { at } else { start };
                let to = if n + 1 == last { at + next.len() } else { at };
                chars.push((text.len(), from..to));
                text.push(c);
            }
            let is_escape = bytes.get(start) == Some(&ESCAPE.0) && at + 1 == start + ESCAPE.1;
            if written > 0 || is_escape {
                start = at + 1;
            }
        }
        Self { text, chars: Some(chars), length: bytes.len() }
    }

    /// The bytes of a range of the text.
    pub(crate) fn bytes(&self, range: Range<usize>) -> Range<usize> {
        let Some(chars) = &self.chars else { return range };
        let index = |at| chars.partition_point(|(begin, _)| *begin < at);
        let start = chars.get(index(range.start)).map_or(self.length, |(_, bytes)| bytes.start);
        if range.is_empty() {
            return start..start;
        }
        // Not where the next character begins: an escape sequence may stand between.
        let last = index(range.end).checked_sub(1).and_then(|last| chars.get(last));
        start..last.map_or(self.length, |(_, bytes)| bytes.end)
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, EUC_JP, GB18030, ISO_2022_JP, SHIFT_JIS, WINDOWS_1252};

    use super::*;

    #[test]
    fn each_character_knows_its_bytes() {
        let text = "a\u{e9}\u{65e5}\u{672c}b";
        for encoding in [UTF_8, WINDOWS_1252, SHIFT_JIS, EUC_JP, GB18030, BIG5, ISO_2022_JP] {
            let text: String = text.chars().filter(|c| !encoding.encode(&c.to_string()).2).collect();
            let bytes = encoding.encode(&text).0;
            let decoded = Decoded::new(&bytes, encoding);
            assert_eq!(decoded.text, text, "{}", encoding.name());
            let mut at = 0;
            for c in text.chars() {
                let range = decoded.bytes(at..at + c.len_utf8());
                at += c.len_utf8();
                if c.is_ascii() {
                    assert_eq!(bytes[range], [c as u8], "{}", encoding.name());
                }
            }
            assert_eq!(decoded.bytes(at..at), bytes.len()..bytes.len(), "{}", encoding.name());
        }
    }

    #[test]
    fn what_is_no_character_keeps_its_place() {
        let decoded = Decoded::new(b"a\xffb\xe6\x97", UTF_8);
        assert_eq!(decoded.text, "a\u{fffd}b\u{fffd}");
        assert_eq!((decoded.bytes(1..4), decoded.bytes(4..5), decoded.bytes(5..8)), (1..2, 2..3, 3..5));
    }
}
