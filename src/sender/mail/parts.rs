//! The parts of a mail: which of them a reader sees as its body, and which nobody may touch.
//!
//! The fields' values are read by mail-parser; its walk over the parts is not used, because it takes a boundary for found
//! wherever its bytes stand, in the middle of a line or as the beginning of a longer one (0.11.9), and a byte that is cut at
//! the wrong place is a byte that changes.

use std::ops::Range;

use mail_parser::ContentType;
use mail_parser::parsers::MessageStream;

use super::head::{Head, content, line_at};

/// Deeper than mail software nests, and than the stack minds.
const MOST_NESTED: usize = 50;

/// Which kind of body a part shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `text/html`.
    Html,
    /// `text/plain`.
    Text,
}

impl Kind {
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Text => "text/plain",
        }
    }
}

/// One part with a text that readers see.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) head: Head,
    /// Without the line ending that belongs to the boundary after it.
    pub(super) body: Range<usize>,
    /// What the part calls its charset.
    pub(super) charset: Option<String>,
    /// Whether a line that ends in a space goes on in the next without it (RFC 3676, `DelSp=yes`).
    pub(super) joined_lines: bool,
}

/// A part that stays as it is although readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftPart {
    /// Its media type, such as `text/x-amp-html`.
    pub media_type: String,
    /// Why it stays, in a word or two.
    pub reason: &'static str,
}

impl LeftPart {
    /// The reason in full, with what the sender can do.
    pub(super) fn why(&self) -> &'static str {
        match self.reason {
            "amp" => "clicks in AMP are not tracked",
            "signed" => "a change would break its signature; rewrite first, sign after it",
            "encrypted" => "nobody but its reader can open it",
            "encoding" => "it is not what its Content-Transfer-Encoding says, or that is unknown",
            "charset" => "links cannot be written into the charset that it names; send it in UTF-8",
            "another charset" => "a part before it is in another charset; send both in UTF-8",
            "flowed" => "a URL goes on in the next line (DelSp=yes); send it without format=flowed",
            "structure" => "its boundary is missing, or it is nested too deep",
            _ => "only text/html and text/plain are rewritten",
        }
    }
}

/// What a walk over a mail found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) bodies: Vec<Part>,
    pub(super) left: Vec<LeftPart>,
}

/// How a part stands to the parts around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The mail itself.
    Alone,
    /// One of several that say the same.
    Alternative,
    /// One of several that are shown below each other.
    Listed,
}

/// Walks over the mail whose head is `head`.
pub(super) fn find(mail: &[u8], head: &Head) -> Found {
    let mut found = Found::default();
    let part = Raw::of(mail, head.clone(), mail.len(), false);
    found.walk(mail, part, Place::Alone, 0);
    found
}

/// A part as it stands, with the media type that it says or that follows from where it stands.
struct Raw {
    head: Head,
    body: Range<usize>,
    media: Option<ContentType<'static>>,
    /// Such as `text/html`.
    media_type: String,
}

impl Raw {
    fn of(mail: &[u8], head: Head, end: usize, in_digest: bool) -> Self {
        let media = structured(mail, &head, "content-type").filter(|media| media.subtype().is_some());
        let media_type = match &media {
            Some(media) => {
                format!("{}/{}", media.ctype(), media.subtype().unwrap_or_default()).to_ascii_lowercase()
            }
            None if in_digest => "message/rfc822".to_owned(),
            // RFC 2045, 5.2: so is what says nothing, or nothing that can be read.
            None => "text/plain".to_owned(),
        };
        let body = head.body..end;
        Self { head, body, media, media_type }
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.media.as_ref()?.attribute(name)
    }
}

impl Found {
    fn walk(&mut self, mail: &[u8], part: Raw, place: Place, depth: usize) {
        let disposition = structured(mail, &part.head, "content-disposition");
        if disposition.as_ref().is_some_and(ContentType::is_attachment) {
            return;
        }
        let kind = match part.media_type.as_str() {
            "text/html" => Kind::Html,
            "text/plain" => Kind::Text,
            "text/x-amp-html" => return self.leave(&part, "amp"),
            "multipart/signed" => return self.leave(&part, "signed"),
            "multipart/encrypted" => return self.leave(&part, "encrypted"),
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                let signed =
                    part.attribute("smime-type").is_some_and(|kind| kind.eq_ignore_ascii_case("signed-data"));
                return self.leave(&part, if signed { "signed" } else { "encrypted" });
            }
            other if other.starts_with("multipart/") => return self.walk_parts(mail, &part, depth),
            other if other.starts_with("text/") && place == Place::Alternative => {
                return self.leave(&part, "media type");
            }
            _ => return,
        };
        // A text with a file's name is a file, but for the one that is all there is to read.
        let named = part.attribute("name").is_some()
            || disposition.as_ref().is_some_and(|value| value.has_attribute("filename"));
        if named && place == Place::Listed && !self.bodies.is_empty() {
            return;
        }
        let yes =
            |name: &str, value: &str| part.attribute(name).is_some_and(|is| is.eq_ignore_ascii_case(value));
        self.bodies.push(Part {
            kind,
            charset: part.attribute("charset").map(ToOwned::to_owned),
            joined_lines: kind == Kind::Text && yes("format", "flowed") && yes("delsp", "yes"),
            head: part.head,
            body: part.body,
        });
    }

    fn walk_parts(&mut self, mail: &[u8], whole: &Raw, depth: usize) {
        let parts = whole
            .attribute("boundary")
            .map(|boundary| split(mail, &whole.body, boundary.trim_end().as_bytes()));
        let Some(parts) = parts.filter(|parts| !parts.is_empty() && depth < MOST_NESTED) else {
            return self.leave(whole, "structure");
        };
        let in_digest = whole.media_type == "multipart/digest";
        let mut parts: Vec<Raw> =
            parts.iter().map(|range| Raw::of(mail, Head::read(mail, range), range.end, in_digest)).collect();
        let mut place = Place::Listed;
        match whole.media_type.as_str() {
            "multipart/alternative" => place = Place::Alternative,
            "multipart/related" => {
                // One part is shown; the others are what it is made of (RFC 2387).
                let id = |part: &Raw| part.head.first("content-id").map(|field| field.text(mail));
                let start = whole.attribute("start");
                let root =
                    start.and_then(|start| parts.iter().position(|part| id(part).as_deref() == Some(start)));
                parts = vec![parts.swap_remove(root.unwrap_or(0))];
                place = Place::Alone;
            }
            _ => {}
        }
        for part in parts {
            self.walk(mail, part, place, depth + 1);
        }
    }

    fn leave(&mut self, part: &Raw, reason: &'static str) {
        self.left.push(LeftPart { media_type: part.media_type.clone(), reason });
    }
}

/// A field of the shape `value; name=value`.
fn structured(mail: &[u8], head: &Head, name: &str) -> Option<ContentType<'static>> {
    let mut value = mail[head.first(name)?.value.clone()].to_vec();
    // The reader goes to the end of a line.
    value.extend_from_slice(b"\n\n");
    let read = MessageStream::new(&value).parse_content_type().into_owned();
    read.into_content_type()
}

/// The parts between a boundary's lines; the line ending before one belongs to it (RFC 2046, 5.1.1).
fn split(mail: &[u8], within: &Range<usize>, boundary: &[u8]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = within.start;
    while at < within.end {
        let line = line_at(mail, at, within.end);
        let delimiter = content(&mail[line.clone()])
            .strip_prefix(b"--")
            .and_then(|rest| rest.strip_prefix(boundary))
            .map(<[u8]>::trim_ascii_end);
        if let Some(rest) = delimiter.filter(|rest| matches!(*rest, b"" | b"--")) {
            if let Some(start) = open.take() {
                parts.push(start..start.max(at - ending_before(mail, at)));
            }
            if rest == b"--" {
                return parts;
            }
            open = Some(line.end);
        }
        at = line.end;
    }
    // The mail breaks off: what is there is the last part.
    parts.extend(open.map(|start| start..within.end));
    parts
}

/// How many bytes the line ending before `at` has.
fn ending_before(mail: &[u8], at: usize) -> usize {
    match &mail[..at] {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}
