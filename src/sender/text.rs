//! The plan of a text body: its URLs, without the punctuation around them, and the links that they get. A URL that the HTML has,
//! too, gets the HTML's link: the same reader sees one body or the other.

use std::collections::BTreeMap;

use encoding_rs::Encoding;
use linkify::{LinkFinder, LinkKind};

use super::charset::{Decoded, takes_links};
use super::clean::{Marker, tidy};
use super::decide::{Decision, Signs, decide, own_token};
use super::edit::{Edit, Hrefs, PlannedLink, With, splice, splices};
use super::html::HtmlPlan;
use super::left::{Left, Part, Reason};
use super::options::Options;
use super::splice::Splice;
use crate::record::Kind;

/// How far the end of a URL is sought, bytes: one of more than half that is refused anyway.
const MOST: usize = 8_192;

/// What is replaced in a text body, for any recipient.
pub struct TextPlan {
    text: Vec<u8>,
    edits: Vec<Edit>,
    links: Vec<PlannedLink>,
    left: Vec<Left>,
    tokens: Vec<String>,
    warnings: Vec<String>,
}

impl TextPlan {
    /// Reads a text body in its charset, beside the plan of its mail's HTML.
    #[must_use]
    pub fn new(text: &[u8], encoding: &'static Encoding, options: &Options, html: Option<&HtmlPlan>) -> Self {
        let mut plan = Self {
            text: text.to_vec(),
            edits: Vec::new(),
            links: Vec::new(),
            left: Vec::new(),
            tokens: Vec::new(),
            warnings: Vec::new(),
        };
        if takes_links(encoding) {
            plan.read(&Decoded::new(text, encoding), options, html);
        } else {
            let name = encoding.name();
            plan.warnings.push(format!("text: links cannot be written into {name}: write the body as UTF-8"));
        }
        plan
    }

    /// The body that was read.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The links that each copy gets beside those of the HTML. Their numbers follow the HTML's.
    pub(crate) fn links(&self) -> &[PlannedLink] {
        &self.links
    }

    /// The links that stay in each copy.
    pub(crate) fn left(&self) -> &[Left] {
        &self.left
    }

    /// Tokens of clicks that stand in it already.
    pub(crate) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// What may go wrong with it.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// A copy.
    pub(crate) fn splice(&self, hrefs: &Hrefs) -> Vec<u8> {
        splice(&self.text, &self.edits, hrefs)
    }

    /// What makes a copy of it.
    pub(crate) fn splices(&self, hrefs: &Hrefs) -> Vec<Splice> {
        splices(&self.edits, hrefs)
    }

    fn read(&mut self, decoded: &Decoded, options: &Options, html: Option<&HtmlPlan>) {
        let text = decoded.text.as_str();
        let mut repeats = BTreeMap::<String, usize>::new();
        let mut position = 0;
        let mut at = 0;
        // Each URL and each marker has a colon behind its scheme.
        for (colon, _) in text.match_indices(':') {
            let Some((start, is_marker)) = scheme_before(text, colon).filter(|(start, _)| *start >= at)
            else {
                continue;
            };
            if is_marker {
                let end = start + marker_length(&text[start..]);
                if end == colon + 1 {
                    continue;
                }
                at = end;
                if let Some(link) = self.mark(&text[start..end], options, html) {
                    self.edits.push(Edit { range: decoded.bytes(start..end), with: With::Link(link) });
                }
                continue;
            }
            position += 1;
            let rest = &text[start..];
            let Some(length) = url_length(rest) else {
                let run = run(rest);
                at = start + run.len();
                self.leave(run, Reason::EndsOddly);
                continue;
            };
            let url = &rest[..length];
            at = start + length;
            let number = self.links.len() + html.map_or(0, |html| html.links().len());
            match decide(url, Signs { opts_out: options.leaves_text, ..Signs::default() }, options) {
                Decision::Track { target, plain } => {
                    let known = html.and_then(|html| html.known(&plain));
                    if let Some(reason) = known.and_then(|known| known.left.clone()) {
                        self.leave(url, reason);
                        continue;
                    }
                    let shared = known.filter(|known| !known.links.is_empty()).map(|known| {
                        let repeat = repeats.entry(plain).or_default();
                        let link = known.links[(*repeat).min(known.links.len() - 1)];
                        *repeat += 1;
                        link
                    });
                    let link = shared.unwrap_or_else(|| {
                        let id = if html.is_some() { format!("t{position}") } else { position.to_string() };
                        self.links.push(PlannedLink { id, kind: Kind::Click, url: Some(target), tail: "" });
                        number
                    });
                    self.edits.push(Edit { range: decoded.bytes(start..at), with: With::Link(link) });
                }
                Decision::Leave { reason, plain } => {
                    let tracked =
                        plain.and_then(|plain| html?.known(&plain)).filter(|known| known.left.is_none());
                    match (reason, tracked.and_then(|known| known.links.first())) {
                        // The HTML's author said that it is to be tracked although it looks as if it should not.
                        (Reason::Unsubscribe, Some(link)) => {
                            self.edits
                                .push(Edit { range: decoded.bytes(start..at), with: With::Link(*link) });
                        }
                        (reason, _) => {
                            if let Some(("c", token)) = own_token(url, &options.base_url) {
                                self.tokens.push(token.to_owned());
                            }
                            self.leave(url, reason);
                        }
                    }
                }
                Decision::Marker(_) => {}
            }
        }
    }

    /// The number of the link for a marker: the HTML's where that has the same.
    fn mark(&mut self, value: &str, options: &Options, html: Option<&HtmlPlan>) -> Option<usize> {
        let (kind, url) = match decide(&tidy(value), Signs::default(), options) {
            Decision::Marker(Marker::Unsubscribe) => (Kind::Unsubscribe, None),
            Decision::Marker(Marker::Confirm(url)) => (Kind::Confirm, url),
            Decision::Leave { reason, .. } => {
                self.leave(value, reason);
                return None;
            }
            _ => {
                self.warnings.push(format!(
                    "text: {value:?} is no marker for text, which takes clickproof:unsubscribe, clickproof:confirm and \
                     clickproof:confirm?to=…"
                ));
                self.leave(value, Reason::Scheme);
                return None;
            }
        };
        let before = html.map_or(&[][..], HtmlPlan::links);
        let is_same = |link: &PlannedLink| link.kind == kind && link.url == url;
        let same = before.iter().chain(&self.links).position(is_same);
        Some(same.unwrap_or_else(|| {
            let others = self.links.iter().chain(before).filter(|link| link.kind == kind).count();
            let id = if others == 0 { kind.name().to_owned() } else { format!("{}-t{others}", kind.name()) };
            self.links.push(PlannedLink { id, kind, url, tail: "" });
            before.len() + self.links.len() - 1
        }))
    }

    fn leave(&mut self, url: &str, reason: Reason) {
        if let Reason::Refused(why) = &reason {
            self.warnings.push(format!("text: {url:?} is left: {why}"));
        }
        self.left.push(Left { part: Part::Text, url: url.to_owned(), reason });
    }
}

/// Where the scheme before a colon begins, if it is one of those that are looked for and no part of a longer word; and
/// whether it is that of markers.
fn scheme_before(text: &str, colon: usize) -> Option<(usize, bool)> {
    let (before, after) = (&text.as_bytes()[..colon], &text.as_bytes()[colon + 1..]);
    let ends = |scheme: &[u8]| {
        let start = before.len().checked_sub(scheme.len())?;
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
        let fits =
            before[start..].eq_ignore_ascii_case(scheme) && !before[..start].last().is_some_and(is_word);
        fits.then_some(start)
    };
    if after.starts_with(b"//") {
        return ends(b"https").or_else(|| ends(b"http")).map(|start| (start, false));
    }
    ends(b"clickproof").map(|start| (start, true))
}

/// How long a marker is.
fn marker_length(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "?=%&:/._~#+-".contains(c);
    text.find(|c| !is_part(c))
        .map_or(text, |end| &text[..end])
        .trim_end_matches(['.', '?', ':', '/'])
        .len()
        .max(
            // A marker without a name is a word with a colon.
            "clickproof:".len(),
        )
}

/// All up to the next white space.
fn run(text: &str) -> &str {
    text.split(char::is_whitespace).next().unwrap_or_default()
}

/// How long the URL at the start of a text is; nothing where what follows it may belong to it.
fn url_length(text: &str) -> Option<usize> {
    let end = break_in(text)?;
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let link = finder.links(&text[..end]).next().filter(|link| link.start() == 0)?;
    ends_well(&text[link.end()..]).then_some(link.end())
}

/// Where a URL in text ends at the latest: before white space, and before what is no letter outside ASCII, such as `…`, `»` or
/// `。`. Nothing where letters of a script without spaces follow those of ASCII directly: the sentence may go on there.
fn break_in(text: &str) -> Option<usize> {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let is_mark = matches!(c, '\u{300}'..='\u{36f}');
        if at > MOST
            || c.is_whitespace()
            || c.is_control()
            || !(c.is_ascii() || c.is_alphanumeric() || is_mark)
        {
            return Some(at);
        }
        if has_no_spaces(c) && before.is_ascii_alphanumeric() {
            return None;
        }
        before = c;
    }
    Some(text.len())
}

/// Thai, Lao, Burmese, Khmer, and what is written in East Asia.
fn has_no_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff10}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a URL may end before this: white space or closing punctuation follows, and no word directly behind that.
fn ends_well(rest: &str) -> bool {
    let mut closed = false;
    for c in rest.chars() {
        match c {
            c if c.is_whitespace() => return true,
            '.' | ',' | ';' | ':' | '!' | '?' | ')' | ']' | '}' | '>' | '\'' | '"' | '*' | '_' | '~' => {
                closed = true;
            }
            '(' | '[' | '{' | '<' => return closed,
            c if c.is_ascii() => return false,
            c => return closed || !c.is_alphanumeric(),
        }
    }
    true
}
