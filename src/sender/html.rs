//! The plan of an HTML body: which ranges of it each copy replaces, and with which links.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use encoding_rs::Encoding;

use super::charset::{Decoded, takes_links};
use super::clean::Marker;
use super::decide::{Decision, decide, own_token, shows_url};
use super::edit::{Edit, Hrefs, PlannedLink, With, splice, splices};
use super::found::{Found, FoundLink, find};
use super::left::{Left, Part, Reason};
use super::options::{Options, Pixel};
use super::splice::Splice;
use crate::link::text_id;
use crate::record::Kind;

/// The one segment that may stand behind a token: apps take `/c/*/app`.
const APP: (&str, &str) = ("app", "/app");

/// What a URL of the HTML is to the same URL in the text.
#[derive(Default)]
pub(crate) struct Known {
    /// Its planned links, in their order.
    pub(crate) links: Vec<usize>,
    /// Why one of it is left, where that holds for the text.
    pub(crate) left: Option<Reason>,
}

/// What is replaced in an HTML body, for any recipient.
pub struct HtmlPlan {
    html: Vec<u8>,
    edits: Vec<Edit>,
    links: Vec<PlannedLink>,
    known: BTreeMap<String, Known>,
    left: Vec<Left>,
    tokens: Vec<String>,
    warnings: Vec<String>,
}

impl HtmlPlan {
    /// Reads an HTML body in its charset.
    #[must_use]
    pub fn new(html: &[u8], encoding: &'static Encoding, options: &Options) -> Self {
        let mut plan = Self {
            html: html.to_vec(),
            edits: Vec::new(),
            links: Vec::new(),
            known: BTreeMap::new(),
            left: Vec::new(),
            tokens: Vec::new(),
            warnings: Vec::new(),
        };
        if encoding.is_ascii_compatible() {
            plan.read(find(html, encoding, options), options);
        } else if takes_links(encoding) {
            // The parser takes no such charset: it reads the text, and what it finds is sought in the bytes.
            let decoded = Decoded::new(html, encoding);
            plan.read(find(decoded.text.as_bytes(), encoding_rs::UTF_8, options), options);
            for Edit { range, with } in &mut plan.edits {
                *range = decoded.bytes(range.clone());
                if let With::PixelIn(tag) = with {
                    *tag = decoded.bytes(tag.clone());
                }
            }
        } else {
            plan.warn(&format!("links cannot be written into {}: write the body as UTF-8", encoding.name()));
        }
        plan
    }

    /// The body that was read.
    #[must_use]
    pub fn html(&self) -> &[u8] {
        &self.html
    }

    /// The links that each copy gets.
    pub(crate) fn links(&self) -> &[PlannedLink] {
        &self.links
    }

    /// The links that stay in each copy.
    pub(crate) fn left(&self) -> &[Left] {
        &self.left
    }

    /// Tokens of clicks and pixels that stand in it already.
    pub(crate) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// What may go wrong with it.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What it knows of a URL.
    pub(crate) fn known(&self, url: &str) -> Option<&Known> {
        self.known.get(url)
    }

    /// Whether it has a place for the pixel.
    pub(crate) fn takes_pixel(&self) -> bool {
        self.edits.iter().any(|edit| matches!(edit.with, With::Pixel | With::PixelIn(_)))
    }

    /// A copy.
    pub(crate) fn splice(&self, hrefs: &Hrefs) -> Vec<u8> {
        splice(&self.html, &self.edits, hrefs)
    }

    /// What makes a copy of it.
    pub(crate) fn splices(&self, hrefs: &Hrefs) -> Vec<Splice> {
        splices(&self.edits, hrefs)
    }

    fn warn(&mut self, words: &str) {
        self.warnings.push(format!("html: {words}"));
    }

    fn read(&mut self, found: Found, options: &Options) {
        self.warnings = found.warnings;
        self.tokens = found.tokens;
        self.edits.extend(found.removals.into_iter().map(|range| Edit { range, with: With::Nothing }));
        self.edits.extend(
            found
                .pixels
                .iter()
                .map(|(value, tag)| Edit { range: value.clone(), with: With::PixelIn(tag.clone()) }),
        );
        if options.pixel != Pixel::None && found.pixels.is_empty() && !found.has_pixel {
            match found.pixel_at {
                Some(at) => self.edits.push(Edit { range: at..at, with: With::Pixel }),
                None => self.warn(
                    "it breaks off in a tag, a comment or a script, where no pixel can follow: write it to its end",
                ),
            }
        }
        let decisions: Vec<Decision> = found.links.iter().map(|link| judge(link, options)).collect();
        self.plan(&found.links, decisions, options);
        self.edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    }

    fn plan(&mut self, links: &[FoundLink], decisions: Vec<Decision>, options: &Options) {
        // Where in the HTML that all read each tracked URL stands, and which of its URLs may be tracked nowhere.
        let mut stands = BTreeMap::<String, Vec<(Range<usize>, usize)>>::new();
        let mut out = BTreeSet::<String>::new();
        for (number, (link, decision)) in links.iter().zip(&decisions).enumerate() {
            match decision {
                Decision::Track { plain, .. } if !link.may_be_twin => {
                    stands.entry(plain.clone()).or_default().push((link.stands.clone(), number));
                }
                Decision::Leave { reason: Reason::OptedOut, plain: Some(plain) } => {
                    out.insert(plain.clone());
                }
                _ => {}
            }
        }
        let mut planned = vec![None; links.len()];
        let mut twins = Vec::new();
        let mut position = 0;
        for (number, (link, decision)) in links.iter().zip(decisions).enumerate() {
            let twin = match &decision {
                Decision::Track { plain, .. } if link.may_be_twin => nearest(stands.get(plain), &link.stands),
                _ => None,
            };
            if let Some(twin) = twin {
                twins.push((number, twin));
                continue;
            }
            match decision {
                Decision::Track { plain, .. } if link.may_be_twin && out.contains(&plain) => {
                    self.leave(link, Reason::OptedOut, None, options);
                }
                Decision::Track { target, plain } => {
                    position += 1;
                    let id = self.name(link).unwrap_or_else(|| position.to_string());
                    let tail = self.tail(link);
                    let index = self.add(PlannedLink { id, kind: Kind::Click, url: Some(target), tail });
                    self.known.entry(plain).or_default().links.push(index);
                    planned[number] = Some(index);
                }
                Decision::Marker(marker) => {
                    position += 1;
                    planned[number] = self.mark(link, marker, position);
                }
                Decision::Leave { reason, plain } => {
                    position += usize::from(!link.may_be_twin);
                    self.leave(link, reason, plain, options);
                }
            }
        }
        for (number, twin) in twins {
            planned[number] = planned[twin];
        }
        for (link, index) in links.iter().zip(planned) {
            if let (Some(range), Some(index)) = (&link.value_at, index) {
                self.edits.push(Edit { range: range.clone(), with: With::Link(index) });
            }
        }
        self.warn_of_names();
    }

    /// The number of a planned link; two that are alike are one.
    fn add(&mut self, link: PlannedLink) -> usize {
        // A position is no one's but this link's; only a name may be that of another.
        let same = if link.id.bytes().all(|byte| byte.is_ascii_digit()) {
            None
        } else {
            self.links.iter().position(|other| *other == link)
        };
        same.unwrap_or_else(|| {
            self.links.push(link);
            self.links.len() - 1
        })
    }

    fn mark(&mut self, link: &FoundLink, marker: Marker, position: usize) -> Option<usize> {
        let name = self.name(link);
        match marker {
            Marker::Unsubscribe => {
                let id = name.unwrap_or_else(|| Kind::Unsubscribe.name().to_owned());
                Some(self.add(PlannedLink { id, kind: Kind::Unsubscribe, url: None, tail: "" }))
            }
            Marker::Confirm(url) => {
                let kind = Kind::Confirm;
                let is_other = self
                    .links
                    .iter()
                    .any(|other| other.kind == kind && other.url != url && other.id == kind.name());
                let id = name.unwrap_or_else(|| {
                    if is_other { format!("{}-{position}", kind.name()) } else { kind.name().to_owned() }
                });
                Some(self.add(PlannedLink { id, kind, url, tail: "" }))
            }
            Marker::Open | Marker::Unknown | Marker::Refused(_) => {
                self.warn(&format!(
                    "{:?} is no marker for links: they take clickproof:unsubscribe, clickproof:confirm and \
                     clickproof:confirm?to=…",
                    link.value.as_deref().unwrap_or_default()
                ));
                self.left.push(Left {
                    part: Part::Html,
                    url: link.value.clone().unwrap_or_default(),
                    reason: Reason::Scheme,
                });
                None
            }
        }
    }

    fn leave(&mut self, link: &FoundLink, reason: Reason, plain: Option<String>, options: &Options) {
        let url = match &link.value {
            Ok(url) => url.clone(),
            Err(_) => self.raw(link.value_at.clone()),
        };
        match &reason {
            Reason::Relative => self.warn(&format!("{url:?} has no scheme: begin it with https://")),
            Reason::VisibleUrl => self.warn(&format!(
                "the text of the link to {url} is a URL, which mail filters compare with where it leads: show words instead"
            )),
            Reason::Xlink => self.warn(&format!("{url:?} stands in xlink:href: write href")),
            Reason::Refused(why) => self.warn(&format!("{url:?} is left: {why}")),
            Reason::AlreadyTracked => {
                if let Some(("c" | "o", token)) = own_token(&url, &options.base_url) {
                    self.tokens.push(token.to_owned());
                }
            }
            Reason::OptedOut | Reason::Unsubscribe => {
                if let Some(plain) = plain {
                    self.known.entry(plain).or_default().left.get_or_insert_with(|| reason.clone());
                }
            }
            _ => {}
        }
        self.left.push(Left { part: Part::Html, url, reason });
    }

    fn raw(&self, range: Option<Range<usize>>) -> String {
        let bytes = range.and_then(|range| self.html.get(range)).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// `data-cp-link`, where it may be a name.
    fn name(&mut self, link: &FoundLink) -> Option<String> {
        let name = link.name.as_deref()?;
        match text_id::check_link_id(name) {
            Ok(()) => Some(name.to_owned()),
            Err(error) => {
                self.warn(&format!("data-cp-link: {error}; the link goes by its position"));
                None
            }
        }
    }

    fn tail(&mut self, link: &FoundLink) -> &'static str {
        match link.path.as_deref() {
            None => "",
            Some(path) if path.eq_ignore_ascii_case(APP.0) => APP.1,
            Some(path) => {
                self.warn(&format!("data-cp-path is {path:?}: it must be {}", APP.0));
                ""
            }
        }
    }

    /// One name of two destinations makes one line of a report out of two links.
    fn warn_of_names(&mut self) {
        let mut named = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for link in &self.links {
            if *named.entry(&link.id).or_insert(link) != link {
                twice.insert(link.id.clone());
            }
        }
        for id in twice {
            self.warn(&format!("several links are called {id:?}: events cannot tell them apart"));
        }
    }
}

/// What becomes of a link, by what it leads to, says of itself and shows.
fn judge(link: &FoundLink, options: &Options) -> Decision {
    let leave = |reason| Decision::Leave { reason, plain: None };
    let Ok(value) = &link.value else {
        return leave(Reason::Refused(
            "the URL has bytes that are no characters of the body's charset: percent-encode them".to_owned(),
        ));
    };
    if link.is_xlink {
        return leave(Reason::Xlink);
    }
    let mut signs = link.signs;
    if !options.tracks_visible_urls && !link.shown.is_empty() {
        signs.shows_url = shows_url(&htmlize::unescape(&link.shown), &options.base_url);
    }
    decide(value, signs, options)
}

/// The link that stands nearest to another; of two as near the one behind, as buttons are written: Outlook's drawing first.
fn nearest(places: Option<&Vec<(Range<usize>, usize)>>, to: &Range<usize>) -> Option<usize> {
    let places = places?;
    let behind = places.partition_point(|(place, _)| place.start < to.start);
    let around =
        [Some(behind), behind.checked_sub(1)].into_iter().flatten().filter_map(|index| places.get(index));
    let gap = |place: &Range<usize>| {
        if place.start >= to.start {
            place.start.saturating_sub(to.end)
        } else {
            to.start.saturating_sub(place.end)
        }
    };
    around.min_by_key(|(place, _)| gap(place)).map(|(_, number)| *number)
}
