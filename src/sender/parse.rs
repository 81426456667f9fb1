//! Where things stand in HTML. A real parser finds them, because no expression knows what is a comment, a script or the end of
//! a value; it writes nothing: what it finds are ranges of bytes.

use std::cell::RefCell;
use std::ops::Range;

use encoding_rs::Encoding;
use lol_html::html_content::{Attribute, SourceLocation, TextType};
use lol_html::{AsciiCompatibleEncoding, HtmlRewriter, Settings, doc_comments, doc_text, doctype, element};

/// A tag behind the end of the HTML: where it is seen as one, what is put at the end is seen, too.
const PROBE: &[u8] = b"<img>";

/// A piece of HTML, in the order of the bytes. What lies between two pieces are end tags.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Where it stands.
    pub(crate) range: Range<usize>,
    /// What it is.
    pub(crate) kind: PieceKind,
}

/// What a piece is.
#[derive(Debug)]
pub(crate) enum PieceKind {
    /// A start tag, with the attributes of those that matter here.
    Tag(TagName, Vec<Attr>),
    /// Text, or a part of one.
    Text,
    /// What is text to the parser and to no reader: scripts, styles, the inside of `noscript`.
    Raw,
    /// A comment.
    Comment,
    /// A document type.
    Doctype,
}

/// The elements that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagName {
    /// `a`.
    A,
    /// `area`.
    Area,
    /// An element of VML, Outlook's drawings: `v:roundrect` and others.
    Vml,
    /// `img`.
    Img,
    /// `body`.
    Body,
    /// `noscript`.
    Noscript,
    /// Any other.
    Other,
}

/// An attribute.
#[derive(Debug)]
pub(crate) struct Attr {
    /// Where its name stands.
    pub(crate) name: Range<usize>,
    /// Where its value stands, without its quotes.
    pub(crate) value: Option<Range<usize>>,
}

/// HTML in pieces.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// Its pieces.
    pub(crate) pieces: Vec<Piece>,
    /// Whether a tag at its end would be one: no comment, tag or script is open there.
    pub(crate) ends_open: bool,
}

impl TagName {
    /// The name at the start of a tag.
    fn of(tag: &[u8]) -> Self {
        let name = tag.get(1..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b'/' | b'>') || byte.is_ascii_whitespace();
        let name = &name[..name.iter().position(ends).unwrap_or(name.len())];
        let known = [
            (&b"a"[..], Self::A),
            (b"area", Self::Area),
            (b"img", Self::Img),
            (b"body", Self::Body),
            (b"noscript", Self::Noscript),
        ];
        if name.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case(b"v:")) {
            return Self::Vml;
        }
        known
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known))
            .map_or(Self::Other, |(_, name)| *name)
    }
}

/// Reads HTML in a charset that has ASCII's bytes for ASCII's characters; in any other there is nothing to find.
pub(crate) fn parse(html: &[u8], encoding: &'static Encoding) -> Parsed {
    let Some(encoding) = AsciiCompatibleEncoding::new(encoding) else { return Parsed::default() };
    let found = RefCell::new(Vec::<Piece>::new());
    let add = |at: SourceLocation, kind| found.borrow_mut().push(Piece { range: at.bytes(), kind });
    let settings = Settings::new()
        .with_encoding(encoding)
        // Strictness would be an error where only a tree tells what a tag is; here nothing depends on it.
        .with_strict(false)
        .append_document_content_handler(doctype!(|doctype| {
            add(doctype.source_location(), PieceKind::Doctype);
            Ok(())
        }))
        .append_document_content_handler(doc_comments!(|comment| {
            add(comment.source_location(), PieceKind::Comment);
            Ok(())
        }))
        .append_document_content_handler(doc_text!(|text| {
            let is_shown =
                matches!(text.text_type(), TextType::Data | TextType::RCData | TextType::CDataSection);
            add(text.source_location(), if is_shown { PieceKind::Text } else { PieceKind::Raw });
            Ok(())
        }))
        .append_element_content_handler(element!("*", |element| {
            let at = element.source_location();
            let name = TagName::of(html.get(at.bytes()).unwrap_or_default());
            let attributes = match name {
                TagName::A | TagName::Area | TagName::Vml | TagName::Img => {
                    element.attributes().iter().filter_map(attr).collect()
                }
                _ => Vec::new(),
            };
            add(at, PieceKind::Tag(name, attributes));
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // It fails where a handler does, or where memory has a limit: neither is so here.
    let done = rewriter.write(html).and_then(|()| rewriter.write(PROBE)).and_then(|()| rewriter.end());
    debug_assert!(done.is_ok(), "{done:?}");
    let mut pieces = found.into_inner();
    let ends_open = pieces.last().is_some_and(|last| {
        last.range == (html.len()..html.len() + PROBE.len()) && matches!(last.kind, PieceKind::Tag(..))
    });
    // What the probe was taken into is not finished in the HTML: no tag at all, or a comment that ends with the mail.
    pieces.retain(|piece| piece.range.end <= html.len());
    Parsed { pieces, ends_open }
}

fn attr(attribute: &Attribute) -> Option<Attr> {
    let value = attribute.value_source_location().map(|at| at.bytes());
    Some(Attr { name: attribute.name_source_location()?.bytes(), value })
}
