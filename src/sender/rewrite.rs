//! A mail's bodies for one recipient: planned once, minted and spliced for each copy.

use std::collections::BTreeSet;

use encoding_rs::Encoding;
use serde::Serialize;

use super::edit::{Hrefs, PlannedLink};
use super::html::HtmlPlan;
use super::left::{Left, Part, Reason};
use super::options::Options;
use super::splice::Splice;
use super::text::TextPlan;
use crate::link::copy::MailCopy;
use crate::link::keys::Keyring;
use crate::link::mint::{Bases, MailHeaders, href, warning};
use crate::link::url::Target;
use crate::link::{Link, token};
use crate::record::Kind;

/// What of a recipient may be tracked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// Clicks: else links stay as they are.
    pub clicks: bool,
    /// Opens: else there is no pixel.
    pub opens: bool,
}

/// A body and its charset.
pub type Body<'a> = (&'a [u8], &'static Encoding);

/// A mail's bodies, read: what is to be replaced in them, for any recipient.
pub struct Plan {
    html: Option<HtmlPlan>,
    text: Option<TextPlan>,
}

/// A recipient's copy.
#[derive(Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The HTML body, where there is one.
    pub html: Option<Vec<u8>>,
    /// The text body, where there is one.
    pub text: Option<Vec<u8>>,
    /// What goes into the mail's head where it says nothing of unsubscribing yet.
    pub headers: MailHeaders,
    /// The links that were minted: those of the HTML first, a twin or the text's repetition of one not again.
    pub links: Vec<NewLink>,
    /// The links that stay as they are.
    pub left: Vec<Left>,
    /// What may go wrong with the mail.
    pub warnings: Vec<String>,
}

/// What to do to a mail's bodies to make a recipient's copy of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Splices {
    /// To the HTML, in order.
    pub html: Vec<Splice>,
    /// To the text, in order.
    pub text: Vec<Splice>,
}

/// A link that was minted.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct NewLink {
    /// Its name in events and reports.
    pub link_id: String,
    /// What stands in the mail now.
    pub href: String,
    /// Where it leads; null for a link that acts and leads nowhere.
    pub url: Option<String>,
    /// Where it stands.
    pub part: Part,
}

/// Rewrites a mail's bodies for one recipient.
#[must_use]
pub fn rewrite_bodies(
    html: Option<Body>,
    text: Option<Body>,
    copy: &MailCopy,
    track: Track,
    keys: &Keyring,
    options: &Options,
) -> Rewritten {
    Plan::new(html, text, options).rewrite(copy, track, keys, options)
}

/// The name of an unsubscribe link that no body has: the one in the head.
const UNSUBSCRIBE: &str = Kind::Unsubscribe.name();

/// The name of the pixel.
const PIXEL: &str = "open";

/// Gmail shows this much of a mail's HTML and cuts the rest off, bytes.
const CLIPPED: usize = 102_400;

impl Plan {
    /// Reads a mail's bodies.
    #[must_use]
    pub fn new(html: Option<Body>, text: Option<Body>, options: &Options) -> Self {
        let html = html.map(|(html, encoding)| HtmlPlan::new(html, encoding, options));
        let text = text.map(|(text, encoding)| TextPlan::new(text, encoding, options, html.as_ref()));
        Self { html, text }
    }

    /// Whether it is the plan of these bodies.
    #[must_use]
    pub fn is_of(&self, html: Option<&[u8]>, text: Option<&[u8]>) -> bool {
        self.html.as_ref().map(HtmlPlan::html) == html && self.text.as_ref().map(TextPlan::text) == text
    }

    /// The copy of a recipient.
    #[must_use]
    pub fn rewrite(&self, copy: &MailCopy, track: Track, keys: &Keyring, options: &Options) -> Rewritten {
        let (mut rewritten, minted) = self.mint(copy, track, keys, options);
        let hrefs = minted.hrefs();
        rewritten.html = self.html.as_ref().map(|plan| plan.splice(&hrefs));
        rewritten.text = self.text.as_ref().map(|plan| plan.splice(&hrefs));
        rewritten.warnings.extend(rewritten.html.as_ref().and_then(|html| self.clipped(html.len())));
        rewritten
    }

    /// The same copy as what to do to the bodies, for who knows how they stand in a mail: it has none itself.
    #[must_use]
    pub fn splices(
        &self,
        copy: &MailCopy,
        track: Track,
        keys: &Keyring,
        options: &Options,
    ) -> (Rewritten, Splices) {
        let (mut rewritten, minted) = self.mint(copy, track, keys, options);
        let hrefs = minted.hrefs();
        let splices = Splices {
            html: self.html.as_ref().map(|plan| plan.splices(&hrefs)).unwrap_or_default(),
            text: self.text.as_ref().map(|plan| plan.splices(&hrefs)).unwrap_or_default(),
        };
        let grown: usize = splices.html.iter().map(|splice| splice.new.len()).sum();
        let gone: usize = splices.html.iter().map(|splice| splice.range.len()).sum();
        let html = self.html.as_ref().map(|plan| plan.html().len() + grown - gone);
        rewritten.warnings.extend(html.and_then(|html| self.clipped(html)));
        (rewritten, splices)
    }

    fn mint(
        &self,
        copy: &MailCopy,
        track: Track,
        keys: &Keyring,
        options: &Options,
    ) -> (Rewritten, MintedHrefs) {
        let is_second_time = self.was_rewritten_for(copy, keys);
        let tracks = Track { clicks: track.clicks && !is_second_time, opens: track.opens && !is_second_time };
        let stay_again = is_second_time && self.links().any(|(_, link)| link.kind == Kind::Click);
        let mut mint = Mint::new(copy, self.links_total(), keys, options.bases());
        let mut rewritten = Rewritten {
            html: None,
            text: None,
            headers: MailHeaders::unsubscribing(""),
            links: Vec::with_capacity(self.links().count()),
            left: self.left(),
            warnings: self.warnings().into_iter().chain(copy.advice()).collect(),
        };
        if stay_again {
            rewritten.warnings.push(
                "this copy has links of its recipient already, so its other links stay: rewrite each copy once".to_owned(),
            );
        }
        let mut unsubscribe = None;
        let mut hrefs = Vec::with_capacity(self.links().count());
        for (part, link) in self.links() {
            let url = link.url.as_ref().map(Target::as_str);
            if link.kind == Kind::Click && !tracks.clicks {
                let reason = if is_second_time { Reason::AlreadyTracked } else { Reason::OptedOut };
                rewritten.left.push(Left { part, url: url.unwrap_or_default().to_owned(), reason });
                hrefs.push(None);
                continue;
            }
            let mut href = mint.href(link.kind, &link.id, link.url.as_ref());
            rewritten.warnings.extend(
                warning(link.kind, &options.base_url, &href)
                    .map(|words| format!("link {}: {words}", link.id)),
            );
            if link.kind == Kind::Unsubscribe {
                unsubscribe.get_or_insert_with(|| href.clone());
            }
            href.push_str(link.tail);
            let url = url.map(str::to_owned);
            rewritten.links.push(NewLink { link_id: link.id.clone(), href: href.clone(), url, part });
            hrefs.push(Some(href));
        }
        let unsubscribe = unsubscribe.unwrap_or_else(|| mint.href(Kind::Unsubscribe, UNSUBSCRIBE, None));
        rewritten.headers = MailHeaders::unsubscribing(&unsubscribe);
        let pixel = self.html.as_ref().is_some_and(|html| tracks.opens && html.takes_pixel());
        let pixel = pixel.then(|| mint.href(Kind::Open, PIXEL, None));
        (rewritten, MintedHrefs { links: hrefs, pixel })
    }

    fn links(&self) -> impl Iterator<Item = (Part, &PlannedLink)> {
        let html = self.html.as_ref().map_or(&[][..], HtmlPlan::links);
        let text = self.text.as_ref().map_or(&[][..], TextPlan::links);
        html.iter().map(|link| (Part::Html, link)).chain(text.iter().map(|link| (Part::Text, link)))
    }

    fn left(&self) -> Vec<Left> {
        let html = self.html.as_ref().map_or(&[][..], HtmlPlan::left);
        let text = self.text.as_ref().map_or(&[][..], TextPlan::left);
        [html, text].concat()
    }

    fn warnings(&self) -> Vec<String> {
        let html = self.html.as_ref().map_or(&[][..], HtmlPlan::warnings);
        let text = self.text.as_ref().map_or(&[][..], TextPlan::warnings);
        [html, text].concat()
    }

    /// How many click links a reader of the HTML has, or a reader of the text where the HTML has none: a scanner that opens
    /// them all has opened the whole copy.
    fn links_total(&self) -> u32 {
        let count = |wanted| {
            let clicks = self.links().filter(|(part, link)| *part == wanted && link.kind == Kind::Click);
            clicks.map(|(_, link)| link.id.as_str()).collect::<BTreeSet<_>>().len()
        };
        let total = Some(count(Part::Html)).filter(|html| *html > 0).unwrap_or_else(|| count(Part::Text));
        u32::try_from(total).unwrap_or(u32::MAX)
    }

    /// Whether these bodies are a copy that this recipient's links stand in already: what its first rewriting left, such as a
    /// link whose opting out went with it, the second may not touch.
    fn was_rewritten_for(&self, copy: &MailCopy, keys: &Keyring) -> bool {
        let html = self.html.as_ref().map_or(&[][..], HtmlPlan::tokens);
        let text = self.text.as_ref().map_or(&[][..], TextPlan::tokens);
        html.iter().chain(text).any(|token| {
            token::open(token, keys).is_ok_and(|link| {
                link.message_id == copy.message_id && link.recipient_id == copy.recipient_id
            })
        })
    }

    fn clipped(&self, after: usize) -> Option<String> {
        let before = self.html.as_ref()?.html().len();
        (after > CLIPPED).then(|| {
            format!("html: {after} bytes, {before} before: Gmail cuts mails off behind {CLIPPED}; shorten the HTML")
        })
    }
}

/// What a copy's planned links and its pixel are.
struct MintedHrefs {
    links: Vec<Option<String>>,
    pixel: Option<String>,
}

impl MintedHrefs {
    fn hrefs(&self) -> Hrefs<'_> {
        Hrefs { links: &self.links, pixel: self.pixel.as_deref() }
    }
}

/// Mints the links of one copy.
struct Mint<'a> {
    /// The link that was minted last: the next one differs in little.
    link: Link,
    keys: &'a Keyring,
    bases: Bases<'a>,
}

impl<'a> Mint<'a> {
    fn new(copy: &MailCopy, links_total: u32, keys: &'a Keyring, bases: Bases<'a>) -> Self {
        Self { link: copy.link(Kind::Click, String::new(), None, links_total), keys, bases }
    }

    fn href(&mut self, kind: Kind, id: &str, url: Option<&Target>) -> String {
        self.link.kind = kind;
        self.link.link_id.clear();
        self.link.link_id.push_str(id);
        self.link.url = url.cloned();
        href(self.bases.of(kind), &self.link, self.keys)
    }
}
