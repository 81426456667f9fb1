//! What `networks.txt` says: sections of prefixes and AS numbers, one spelling and one place for each of them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::sections::{self, Draft, Mistake};
use crate::signals::catalogue::{Class, Feed, Scope};

/// One section of the data file.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// What the section is called, for people.
    pub name: String,
    /// Whose machines these are.
    pub vendor: String,
    /// What a request from there is worth as evidence.
    pub class: Class,
    /// Which requests it speaks of.
    pub scope: Scope,
    /// Where the facts come from.
    pub source: String,
    /// The source's own date, or else the day it was read.
    pub date: String,
    /// Where the prefixes can be had anew.
    pub feed: Option<FeedPart>,
    /// In the file's order.
    pub prefixes: Vec<IpNet>,
    /// AS numbers, in the file's order.
    pub systems: Vec<u32>,
}

/// The part of a live feed that a section takes.
#[derive(Debug, PartialEq, Eq)]
pub struct FeedPart {
    /// Which feed.
    pub feed: Feed,
    /// What of it: a tag, a service, the numbers of sets; empty where all of it is taken.
    pub parts: Vec<String>,
    /// The longest prefixes, IPv4 then IPv6, that the section takes: longer ones are widened to this, and joined.
    pub blocks: Option<(u8, u8)>,
}

impl FeedPart {
    /// A feed's prefixes as the section writes them: ascending, each once, none longer than may be.
    #[must_use]
    pub fn widen(&self, prefixes: Vec<IpNet>) -> Vec<IpNet> {
        let (most_v4, most_v6) = self.blocks.unwrap_or((32, MAX_V6_LEN));
        let shorten = |prefix: IpNet| {
            let most = if prefix.addr().is_ipv4() { most_v4 } else { most_v6 };
            IpNet::new(prefix.addr(), prefix.prefix_len().min(most)).unwrap_or(prefix).trunc()
        };
        let mut widened: Vec<_> = prefixes.into_iter().map(shorten).collect();
        widened.sort_unstable();
        widened.dedup();
        // A list that is widened anyway need not stand as its vendor writes it.
        if self.blocks.is_some() { IpNet::aggregate(&widened) } else { widened }
    }
}

/// As the file writes it.
impl fmt::Display for FeedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.feed.name())?;
        self.parts.iter().try_for_each(|part| write!(f, " {part}"))
    }
}

/// The longest IPv6 prefix: the Worker compares the upper half of an address alone. The other half is an interface's, in
/// networks of this kind.
pub const MAX_V6_LEN: u8 = 64;

const SETTINGS: [&str; 7] = ["vendor", "class", "scope", "source", "date", "feed", "blocks"];

/// What stands on a line of a section.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Prefix(IpNet),
    System(u32),
}

/// Reads the data file.
///
/// # Errors
///
/// The first mistake ends it.
pub fn parse(text: &str) -> Result<Vec<Section>, Mistake> {
    let mut lines: BTreeMap<(&str, Entry), usize> = BTreeMap::new();
    let mut sections = Vec::new();
    for mut draft in sections::read(text, &SETTINGS)? {
        let scope = draft.word("scope", &Scope::ALL, Scope::name)?;
        let (mut prefixes, mut systems) = (Vec::new(), Vec::new());
        for &(line, text) in &draft.entries {
            let entry = parse_entry(text).map_err(|text| Mistake::new(line, text))?;
            if let Some(earlier) = lines.insert((scope.name(), entry), line) {
                return Err(Mistake::new(line, format!("{text} already stands on line {earlier}")));
            }
            match entry {
                Entry::Prefix(prefix) => prefixes.push(prefix),
                Entry::System(number) => systems.push(number),
            }
        }
        if draft.entries.is_empty() {
            let text = format!("section `{}` has neither prefixes nor AS numbers", draft.name);
            return Err(Mistake::new(draft.line, text));
        }
        sections.push(Section {
            name: draft.name.to_owned(),
            vendor: draft.vendor()?,
            class: draft.word("class", &Class::ALL, Class::name)?,
            scope,
            source: draft.required("source")?.1.to_owned(),
            date: draft.date()?,
            feed: feed(&mut draft)?,
            prefixes,
            systems,
        });
    }
    Ok(sections)
}

fn feed(draft: &mut Draft) -> Result<Option<FeedPart>, Mistake> {
    let (feed, blocks) = (draft.optional("feed"), draft.optional("blocks"));
    let Some((line, text)) = feed else {
        return match blocks {
            Some((line, _)) => Err(Mistake::new(line, "`blocks` says how a feed is read: add `feed = …`")),
            None => Ok(None),
        };
    };
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let feed =
        sections::word("feed", name, &Feed::ALL, Feed::name).map_err(|text| Mistake::new(line, text))?;
    let parts: Vec<_> = words.map(str::to_owned).collect();
    let (is_right, remedy) = match feed {
        Feed::Azure => (parts.len() == 1, "name one tag, such as `feed = azure EOPExtPublished`"),
        Feed::Microsoft365 => (
            !parts.is_empty() && parts.iter().all(|part| part.parse::<u32>().is_ok()),
            "name its sets, such as `feed = microsoft365 9 10`",
        ),
        Feed::Aws => (parts.len() == 1, "name one service, such as `feed = aws CLOUDFRONT_ORIGIN_FACING`"),
        Feed::Apple | Feed::Google => (parts.is_empty(), "it is taken as a whole: write its name alone"),
    };
    if !is_right {
        return Err(Mistake::new(line, format!("`feed = {text}`: {remedy}")));
    }
    let blocks = match blocks {
        None => None,
        Some((line, text)) => Some(parse_blocks(text).ok_or_else(|| {
            let text =
                format!("`blocks` is two lengths, IPv4 up to 32 and IPv6 up to {MAX_V6_LEN}, not `{text}`");
            Mistake::new(line, text)
        })?),
    };
    Ok(Some(FeedPart { feed, parts, blocks }))
}

fn parse_blocks(text: &str) -> Option<(u8, u8)> {
    let (v4, v6) = text.split_once(' ')?;
    let (v4, v6) = (v4.parse().ok()?, v6.trim().parse().ok()?);
    ((1..=32).contains(&v4) && (1..=MAX_V6_LEN).contains(&v6)).then_some((v4, v6))
}

fn parse_entry(text: &str) -> Result<Entry, String> {
    match text.strip_prefix("AS") {
        // A sign or leading zeros would be a second spelling; AS0 is nobody's.
        Some(digits) => match digits.parse() {
            Ok(number) if number > 0 && format!("AS{number}") == text => Ok(Entry::System(number)),
            _ => Err(format!("`{text}` is no AS number such as AS64496")),
        },
        None => parse_prefix(text).map(Entry::Prefix),
    }
}

fn parse_prefix(text: &str) -> Result<IpNet, String> {
    let prefix: IpNet = text.parse().map_err(|_| {
        format!(
            "`{text}` is neither a setting, a prefix such as 192.0.2.0/24 or 2001:db8::/32, nor an AS number such as AS64496"
        )
    })?;
    if prefix.trunc() != prefix {
        return Err(format!("{text} has bits set beyond its length: is {} meant?", prefix.trunc()));
    }
    // One spelling for each prefix, so that a difference between two versions of the file is a difference in fact.
    if prefix.to_string() != text {
        return Err(format!("write {text} as {prefix}"));
    }
    if let IpAddr::V6(address) = prefix.addr() {
        if prefix.prefix_len() >= 96 && address.to_ipv4_mapped().is_some() {
            return Err(format!("{text} is looked up as IPv4 addresses: write it as an IPv4 prefix"));
        }
        if prefix.prefix_len() > MAX_V6_LEN {
            return Err(format!(
                "{text} is longer than /{MAX_V6_LEN}: write its /{MAX_V6_LEN}, or leave it out"
            ));
        }
    }
    Ok(prefix)
}
