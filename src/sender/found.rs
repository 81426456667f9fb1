//! The links of HTML as they stand: in its body, in what only Outlook reads, in what only readers without scripts see.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::Encoding;

use super::attributes::{Attributes, Malformed};
use super::clean::{is_marker, tidy};
use super::decide::{Signs, own_token};
use super::options::{Options, Pixel};
use super::parse::{Attr, PieceKind, TagName, parse};

/// How deep HTML may stand in comments and `noscript`s of each other. What stands deeper nobody reads.
const MAX_DEPTH: usize = 4;

/// The longest text of a link that is looked at, bytes: more is no URL that somebody shows.
const MAX_SHOWN: usize = 4_096;

/// A link.
pub(crate) struct FoundLink {
    /// Where it stands, from its tag to its end; of what Outlook alone reads, the whole comment.
    pub(crate) stands: Range<usize>,
    /// Where the value of its `href` stands; nothing for one without a value.
    pub(crate) value_at: Option<Range<usize>>,
    /// That value, tidied.
    pub(crate) value: Result<String, Malformed>,
    /// Whether it may be the second rendering of another: Outlook's, of what others read.
    pub(crate) may_be_twin: bool,
    /// What its attributes say.
    pub(crate) signs: Signs,
    /// `data-cp-link`.
    pub(crate) name: Option<String>,
    /// `data-cp-path`.
    pub(crate) path: Option<String>,
    /// Its text, its character references not decoded.
    pub(crate) shown: String,
    /// Whether it is a link by SVG's older attribute alone.
    pub(crate) is_xlink: bool,
}

/// HTML as far as it is of concern.
#[derive(Default)]
pub(crate) struct Found {
    /// Its links, in their order.
    pub(crate) links: Vec<FoundLink>,
    /// Attributes that go.
    pub(crate) removals: Vec<Range<usize>>,
    /// Markers of the pixel: their values and their tags.
    pub(crate) pixels: Vec<(Range<usize>, Range<usize>)>,
    /// Whether it has a pixel of ours.
    pub(crate) has_pixel: bool,
    /// Tokens of pixels of ours.
    pub(crate) tokens: Vec<String>,
    /// Where the pixel would go: nowhere if the HTML breaks off.
    pub(crate) pixel_at: Option<usize>,
    /// What may go wrong.
    pub(crate) warnings: Vec<String>,
}

/// Finds the links.
pub(crate) fn find(html: &[u8], encoding: &'static Encoding, options: &Options) -> Found {
    let mut finder = Finder {
        html,
        encoding,
        options,
        found: Found::default(),
        body_start: None,
        body_end: None,
        ends_open: false,
    };
    finder.walk(0..html.len(), None, 0);
    let end = finder.body_end.or(Some(html.len()).filter(|_| finder.ends_open));
    finder.found.pixel_at = match options.pixel {
        Pixel::Top => finder.body_start.or(end),
        Pixel::Bottom | Pixel::None => end,
    };
    finder.found
}

struct Finder<'a> {
    html: &'a [u8],
    encoding: &'static Encoding,
    options: &'a Options,
    found: Found,
    body_start: Option<usize>,
    body_end: Option<usize>,
    ends_open: bool,
}

impl Finder<'_> {
    /// Reads a part of the HTML. `comment` is the one it stands in, where only Outlook reads it.
    fn walk(&mut self, part: Range<usize>, comment: Option<&Range<usize>>, depth: usize) {
        let html = &self.html[part.clone()];
        let parsed = parse(html, self.encoding);
        if depth == 0 {
            self.ends_open = parsed.ends_open;
        }
        // The link whose text is being read.
        let mut open = None;
        let mut seen = 0;
        let mut pieces = parsed.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            self.end_tags(part.start + seen..part.start + piece.range.start, &mut open, depth);
            seen = piece.range.end;
            let range = part.start + piece.range.start..part.start + piece.range.end;
            match &piece.kind {
                PieceKind::Tag(name @ (TagName::A | TagName::Area | TagName::Vml), attributes) => {
                    let may_be_twin = comment.is_some() || *name == TagName::Vml;
                    let stands = comment.cloned().unwrap_or(range);
                    let link = self.link(html, part.start, attributes, stands, may_be_twin);
                    if *name == TagName::A {
                        open = link;
                    }
                }
                PieceKind::Tag(TagName::Img, attributes) => self.image(html, part.start, attributes, range),
                PieceKind::Tag(TagName::Body, _) if depth == 0 => {
                    self.body_start.get_or_insert(range.end);
                }
                PieceKind::Tag(TagName::Noscript, _) => {
                    let mut inside = range.end..range.end;
                    while let Some(raw) = pieces.next_if(|next| matches!(next.kind, PieceKind::Raw)) {
                        inside.end = part.start + raw.range.end;
                        seen = raw.range.end;
                    }
                    self.walk_deeper(inside, comment, depth);
                }
                PieceKind::Text => self.text(open, range),
                PieceKind::Comment => {
                    if let Some(inside) = conditional(&self.html[range.clone()]) {
                        let inside = range.start + inside.start..range.start + inside.end;
                        self.walk_deeper(inside, Some(comment.unwrap_or(&range)), depth);
                    }
                }
                PieceKind::Tag(..) | PieceKind::Raw | PieceKind::Doctype => {}
            }
        }
        self.end_tags(part.start + seen..part.end, &mut open, depth);
    }

    fn walk_deeper(&mut self, part: Range<usize>, comment: Option<&Range<usize>>, depth: usize) {
        let inside = &self.html[part.clone()];
        // Most hold no link, and to begin a parser takes longer than to look.
        let may_hold = |word: &[u8]| inside.windows(word.len()).any(|bytes| bytes.eq_ignore_ascii_case(word));
        if depth < MAX_DEPTH && (may_hold(b"href") || may_hold(b"clickproof:") || may_hold(b"/o/")) {
            self.walk(part, comment, depth + 1);
        }
    }

    /// Reads the end tags that stand in a gap between pieces.
    fn end_tags(&mut self, gap: Range<usize>, open: &mut Option<usize>, depth: usize) {
        let mut at = gap.start;
        // Bytes that are no characters may stand before them.
        while at < gap.end && !self.html[at].is_ascii() {
            at += 1;
        }
        while let Some(rest) = self.html[at..gap.end].strip_prefix(b"</") {
            let Some(end) = rest.iter().position(|byte| *byte == b'>') else { return };
            let is_name = |byte: &&u8| !byte.is_ascii_whitespace() && **byte != b'/';
            let name = &rest[..rest[..end].iter().take_while(is_name).count()];
            if name.eq_ignore_ascii_case(b"a") {
                let closed = open.take().and_then(|open| self.found.links.get_mut(open));
                if let Some(link) = closed.filter(|link| !link.may_be_twin) {
                    link.stands.end = at + 2 + end + 1;
                }
            } else if name.eq_ignore_ascii_case(b"body") && depth == 0 {
                self.body_end = Some(at);
            }
            at += 2 + end + 1;
        }
    }

    fn text(&mut self, open: Option<usize>, range: Range<usize>) {
        let Some(link) = open.and_then(|open| self.found.links.get_mut(open)) else { return };
        if link.shown.len() <= MAX_SHOWN {
            link.shown += &self.encoding.decode_without_bom_handling(&self.html[range]).0;
        }
    }

    /// Takes a link: its number, where it is one.
    fn link(
        &mut self,
        html: &[u8],
        base: usize,
        attributes: &[Attr],
        stands: Range<usize>,
        may_be_twin: bool,
    ) -> Option<usize> {
        let attributes = Attributes::new(html, self.encoding, attributes);
        let moved = |range: Range<usize>| base + range.start..base + range.end;
        self.found.removals.extend(attributes.ours_to_remove().map(moved));
        let Some(href) = attributes.get(b"href") else {
            if attributes.get(b"xlink:href").is_some() {
                self.xlink(&attributes, stands);
            }
            return None;
        };
        let own = |name| attributes.ours(name).filter(|value| !value.is_empty()).map(Cow::into_owned);
        let track = own(b"data-cp-track");
        let opts_in = track.as_deref().is_some_and(|track| track.eq_ignore_ascii_case("on"));
        if let Some(track) = track.filter(|track| !opts_in && !track.eq_ignore_ascii_case("off")) {
            self.warn(&format!("data-cp-track is {track:?}: it must be on or off"));
        }
        self.found.links.push(FoundLink {
            stands,
            value_at: href.value.clone().map(moved),
            value: attributes
                .value(b"href")
                .unwrap_or(Ok(Cow::Borrowed("")))
                .map(|value| tidy(&value).into_owned()),
            may_be_twin,
            signs: Signs { opts_out: attributes.opts_out(), opts_in, shows_url: false },
            name: own(b"data-cp-link"),
            path: own(b"data-cp-path"),
            shown: String::new(),
            is_xlink: false,
        });
        Some(self.found.links.len() - 1)
    }

    /// A link of a drawing by SVG's older attribute: it is reported and stays.
    fn xlink(&mut self, attributes: &Attributes, stands: Range<usize>) {
        let Some(Ok(value)) = attributes.value(b"xlink:href") else { return };
        self.found.links.push(FoundLink {
            stands,
            value_at: None,
            value: Ok(tidy(&value).into_owned()),
            may_be_twin: false,
            signs: Signs::default(),
            name: None,
            path: None,
            shown: String::new(),
            is_xlink: true,
        });
    }

    fn image(&mut self, html: &[u8], base: usize, attributes: &[Attr], tag: Range<usize>) {
        let attributes = Attributes::new(html, self.encoding, attributes);
        let Some(src) = attributes.get(b"src").and_then(|src| src.value.clone()) else { return };
        let Some(Ok(value)) = attributes.value(b"src") else { return };
        let value = tidy(&value);
        if is_marker(&value) {
            if value[value.find(':').map_or(0, |colon| colon + 1)..] == *"open" {
                self.found.pixels.push((base + src.start..base + src.end, tag));
            } else {
                self.warn(&format!(
                    "an image is {value:?}: of the markers, images take clickproof:open alone"
                ));
            }
        } else if let Some(("o", token)) = own_token(&value, self.options.bases().pixels) {
            self.found.has_pixel = true;
            self.found.tokens.push(token.to_owned());
        }
    }

    fn warn(&mut self, words: &str) {
        self.found.warnings.push(format!("html: {words}"));
    }
}

/// Where in a comment HTML stands that Outlook reads: between `[if …]>` and `<![endif]`.
fn conditional(comment: &[u8]) -> Option<Range<usize>> {
    const IF: &[u8] = b"<!--[if";
    const ENDIF: &[u8] = b"<![endif]";
    if !comment.get(..IF.len())?.eq_ignore_ascii_case(IF) {
        return None;
    }
    let start = comment.windows(2).position(|bytes| bytes == b"]>")? + 2;
    let length =
        comment[start..].windows(ENDIF.len()).rposition(|bytes| bytes.eq_ignore_ascii_case(ENDIF))?;
    Some(start..start + length)
}
