//! The head of a mail or of a part: where its fields stand, byte for byte.
//!
//! Mail software disagrees about heads that are damaged. Here a head ends at its first empty line, or at the first line that is
//! no field: an MTA puts the empty line in there itself.

use std::ops::Range;

/// One field with the lines that continue it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// In lower case.
    pub(super) name: String,
    /// Behind the colon, up to the last line's end.
    pub(super) value: Range<usize>,
    /// From the name to the end of its last line, line ending included.
    pub(super) lines: Range<usize>,
}

/// A head's fields, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) fields: Vec<Field>,
    /// Where one more field would stand.
    pub(super) end: usize,
    /// Where the body begins.
    pub(super) body: usize,
}

impl Head {
    /// Reads the head that `within` begins with.
    pub(super) fn read(mail: &[u8], within: &Range<usize>) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut at = within.start;
        while at < within.end {
            let line = line_at(mail, at, within.end);
            let content = content(&mail[line.clone()]);
            if content.is_empty() {
                return Self { fields, end: at, body: line.end };
            }
            if content[0] == b' ' || content[0] == b'\t' {
                let Some(last) = fields.last_mut() else { break };
                last.value.end = line.end;
                last.lines.end = line.end;
            } else if let Some((name, colon)) = name(content) {
                fields.push(Field { name, value: at + colon + 1..line.end, lines: line.clone() });
            } else if at > within.start || !content.starts_with(b"From ") {
                // A mailbox's own line may stand before the first field.
                break;
            }
            at = line.end;
        }
        Self { fields, end: at, body: at }
    }

    /// The first field of this name (lower case). Where one that may stand once stands twice, most readers take the first.
    pub(super) fn first(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The fields of this name (lower case).
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.name == name)
    }
}

impl Field {
    /// The value on one line, without white space around it; what is not UTF-8 is shown as U+FFFD.
    pub(super) fn text(&self, mail: &[u8]) -> String {
        let value = String::from_utf8_lossy(&mail[self.value.clone()]);
        value.replace(['\r', '\n'], "").trim().to_owned()
    }
}

/// The line that begins at `at`, its ending included.
pub(super) fn line_at(bytes: &[u8], at: usize, end: usize) -> Range<usize> {
    let length =
        bytes[at..end].iter().position(|&byte| byte == b'\n').map_or(end - at, |newline| newline + 1);
    at..at + length
}

/// A line without its ending.
pub(super) fn content(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The ending of the first line that has one.
pub(super) fn ending(bytes: &[u8]) -> Option<&'static [u8]> {
    let newline = bytes.iter().position(|&byte| byte == b'\n')?;
    Some(if newline > 0 && bytes[newline - 1] == b'\r' { b"\r\n" } else { b"\n" })
}

/// A field's name in lower case, and where its colon stands.
fn name(line: &[u8]) -> Option<(String, usize)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    let whole = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    whole.then(|| (String::from_utf8_lossy(name).to_ascii_lowercase(), colon))
}
