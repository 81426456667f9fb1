//! The attributes of a tag: what they say of tracking, and how one is taken out.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::Encoding;

use super::parse::Attr;

/// What `data-cp-*` attributes begin with: they are for us, and leave with us.
const OURS: &[u8] = b"data-cp-";

/// Attributes that switch tracking off by being there: Postmark's, SES's, Mandrill's, ahoy's, Mautic's.
const OFF: [&[u8]; 5] = [
    b"data-pm-no-track",
    b"ses:no-track",
    b"mc:disable-tracking",
    b"data-skip-click",
    b"mautic:disable-tracking",
];

/// Those that do so by their value: ours, `SendGrid`'s, `SparkPost`'s.
const OFF_BY_VALUE: [(&[u8], &str); 3] =
    [(b"data-cp-track", "off"), (b"clicktracking", "off"), (b"data-msys-clicktrack", "0")];

/// The class that does so: Customer.io's.
const OFF_CLASS: &str = "untracked";

/// A tag's attributes in their HTML.
pub(crate) struct Attributes<'a> {
    html: &'a [u8],
    encoding: &'static Encoding,
    list: &'a [Attr],
}

impl<'a> Attributes<'a> {
    pub(crate) fn new(html: &'a [u8], encoding: &'static Encoding, list: &'a [Attr]) -> Self {
        Self { html, encoding, list }
    }

    /// The first of that name: of two, browsers take the first.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&'a Attr> {
        self.list.iter().find(|attr| self.html[attr.name.clone()].eq_ignore_ascii_case(name))
    }

    /// The value of the first of that name, its character references decoded; without one it is empty. An error where it has
    /// bytes that its charset has no character for.
    pub(crate) fn value(&self, name: &[u8]) -> Option<Result<Cow<'a, str>, Malformed>> {
        let Some(range) = self.get(name)?.value.clone() else { return Some(Ok(Cow::Borrowed(""))) };
        let decoded = self.encoding.decode_without_bom_handling_and_without_replacement(&self.html[range]);
        Some(decoded.map(htmlize::unescape_attribute).ok_or(Malformed))
    }

    /// The value of one of ours, where it can be read.
    pub(crate) fn ours(&self, name: &[u8]) -> Option<Cow<'a, str>> {
        self.value(name)?.ok().map(|value| match value {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// Whether the link asks not to be tracked, in any of the senders' spellings.
    pub(crate) fn opts_out(&self) -> bool {
        let is = |name, off: &str| self.ours(name).is_some_and(|value| value.eq_ignore_ascii_case(off));
        OFF.iter().any(|name| self.get(name).is_some())
            || OFF_BY_VALUE.iter().any(|(name, off)| is(name, off))
            || self
                .ours(b"class")
                .is_some_and(|class| class.split_ascii_whitespace().any(|one| one == OFF_CLASS))
    }

    /// What is taken out: each of our attributes with the white space before it, if what stands behind stays apart from what
    /// stands before.
    pub(crate) fn ours_to_remove(&self) -> impl Iterator<Item = Range<usize>> {
        let ours = self.list.iter().filter(|attr| {
            let name = &self.html[attr.name.clone()];
            name.get(..OURS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(OURS))
        });
        ours.map(|attr| {
            let end = self.end_of(attr);
            let blanks =
                self.html[..attr.name.start].iter().rev().take_while(|byte| byte.is_ascii_whitespace());
            let ends_tag = self.html.get(end).is_none_or(|next| *next == b'>' || next.is_ascii_whitespace());
            attr.name.start - if ends_tag { blanks.count() } else { 0 }..end
        })
    }

    /// Where an attribute ends: behind its closing quote.
    fn end_of(&self, attr: &Attr) -> usize {
        let skip = |from: usize| {
            from + self.html[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
        };
        let next = |at: usize| self.html.get(at).copied();
        match &attr.value {
            Some(value) if !value.is_empty() => {
                let quote = self.html[..value.start].last().filter(|byte| matches!(byte, b'"' | b'\''));
                value.end + usize::from(quote.is_some() && next(value.end) == quote.copied())
            }
            _ => {
                let sign = skip(attr.name.end);
                if next(sign) != Some(b'=') {
                    return attr.name.end;
                }
                let quote = skip(sign + 1);
                match (next(quote), next(quote + 1)) {
                    (Some(b'"'), Some(b'"')) | (Some(b'\''), Some(b'\'')) => quote + 2,
                    _ => sign + 1,
                }
            }
        }
    }
}

/// Bytes that are no characters of their charset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;
