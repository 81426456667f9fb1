//! From the text of `networks.txt` to sorted, disjoint ranges: the part of the catalogue's compiler that touches neither
//! files nor generated code. The build script runs it; natively it is part of the library, for the command that lists and
//! refreshes the file, and for the tests, which hold the lookup against it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::class::{Class, Feed, Scope};
use super::sections::{self, Draft, Mistake};

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
    /// The longest prefixes, IPv4 then IPv6, that the section takes: longer ones are widened to this.
    pub blocks: (u8, u8),
}

impl FeedPart {
    /// A prefix of the feed as the section writes it.
    #[must_use]
    pub fn widen(&self, prefix: IpNet) -> IpNet {
        let widened = match prefix {
            IpNet::V4(net) => Ipv4Net::new(net.addr(), net.prefix_len().min(self.blocks.0)).map(IpNet::V4),
            IpNet::V6(net) => Ipv6Net::new(net.addr(), net.prefix_len().min(self.blocks.1)).map(IpNet::V6),
        };
        widened.unwrap_or(prefix).trunc()
    }
}

/// Numbers (addresses or AS numbers) `first` to `last`, both included, and the number of their section. IPv4 and IPv6 are
/// never mixed in one list, so an address is only its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first of them.
    pub first: u128,
    /// The last of them.
    pub last: u128,
    /// The index among the sections.
    pub section: usize,
}

/// The ranges of one scope.
#[derive(Debug, PartialEq, Eq)]
pub struct Ranges {
    /// IPv4 addresses.
    pub v4: Vec<Range>,
    /// IPv6 addresses.
    pub v6: Vec<Range>,
    /// AS numbers.
    pub systems: Vec<Range>,
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
        let scope = draft.word("scope", Scope::ALL, Scope::as_str)?;
        let (mut prefixes, mut systems) = (Vec::new(), Vec::new());
        for &(line, text) in &draft.entries {
            let entry = parse_entry(text).map_err(|text| Mistake::new(line, text))?;
            if let Some(earlier) = lines.insert((scope.as_str(), entry), line) {
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
            class: draft.word("class", Class::ALL, Class::as_str)?,
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
        sections::word("feed", name, Feed::ALL, Feed::as_str).map_err(|text| Mistake::new(line, text))?;
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
        None => (32, MAX_V6_LEN),
        Some((line, text)) => parse_blocks(text).ok_or_else(|| {
            let text =
                format!("`blocks` is two lengths, IPv4 up to 32 and IPv6 up to {MAX_V6_LEN}, not `{text}`");
            Mistake::new(line, text)
        })?,
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

/// What the sections of one scope hold, as ascending ranges that do not overlap: where prefixes are nested, the longest
/// wins. A scope other than `all` has only the ranges that differ from it: there its section's prefix is the longest of its
/// own and those of `all`, or as long.
#[must_use]
pub fn flatten(sections: &[Section], scope: Scope) -> Ranges {
    let [mut v4, mut v6, mut systems] = [Vec::new(), Vec::new(), Vec::new()];
    let of = |wanted: Scope| (0..).zip(sections).filter(move |(_, section)| section.scope == wanted);
    // The scope's own come last, so that they win where prefixes are equal.
    let own = of(scope).filter(|_| scope != Scope::All);
    for (section, Section { prefixes, systems: numbers, .. }) in of(Scope::All).chain(own) {
        for prefix in prefixes {
            match prefix {
                IpNet::V4(net) => v4.push(Range {
                    first: u32::from(net.network()).into(),
                    last: u32::from(net.broadcast()).into(),
                    section,
                }),
                IpNet::V6(net) => {
                    v6.push(Range { first: net.network().into(), last: net.broadcast().into(), section });
                }
            }
        }
        for &number in numbers {
            systems.push(Range { first: number.into(), last: number.into(), section });
        }
    }
    let flat = |ranges: Vec<Range>| {
        let mut flat = flatten_family(ranges);
        flat.retain(|range| sections.get(range.section).is_some_and(|section| section.scope == scope));
        flat
    };
    Ranges { v4: flat(v4), v6: flat(v6), systems: flat(systems) }
}

/// Two prefixes are either nested or apart, so the open ones form a stack whose top is the longest: it owns every address up
/// to the next prefix's first or its own last, whichever comes first. Of equal ones the later counts as the longer.
fn flatten_family(mut prefixes: Vec<Range>) -> Vec<Range> {
    prefixes.sort_by_key(|range| (range.first, std::cmp::Reverse(range.last)));
    let mut flat = Vec::new();
    let mut open: Vec<Range> = Vec::new();
    let mut next = 0; // the first address not yet given to a range
    for prefix in prefixes {
        while let Some(inner) = open.pop_if(|inner| inner.last < prefix.first) {
            push(&mut flat, next, inner.last, inner.section);
            next = next.max(inner.last + 1);
        }
        if let Some(outer) = open.last()
            && next < prefix.first
        {
            push(&mut flat, next, prefix.first - 1, outer.section);
        }
        next = prefix.first;
        open.push(prefix);
    }
    while let Some(inner) = open.pop() {
        push(&mut flat, next, inner.last, inner.section);
        let Some(following) = inner.last.checked_add(1) else { break };
        next = next.max(following);
    }
    flat
}

/// Adds a range unless it is empty, joined to its neighbour where both are of one section.
fn push(flat: &mut Vec<Range>, first: u128, last: u128, section: usize) {
    match flat.last_mut() {
        _ if first > last => {}
        Some(previous) if previous.section == section && previous.last + 1 == first => previous.last = last,
        _ => flat.push(Range { first, last, section }),
    }
}

/// Ranges as the Worker searches them: the number at which each stretch begins, ascending, and its section's index plus one,
/// or 0 where the stretch is nobody's.
#[must_use]
pub fn stretches(ranges: &[Range]) -> Vec<(u128, usize)> {
    let mut stretches = Vec::with_capacity(ranges.len() * 2);
    for (at, range) in ranges.iter().enumerate() {
        stretches.push((range.first, range.section + 1));
        let following = ranges.get(at + 1).map(|next| next.first);
        if let Some(end) = range.last.checked_add(1)
            && following != Some(end)
        {
            stretches.push((end, 0));
        }
    }
    stretches
}
