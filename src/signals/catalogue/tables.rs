//! From the text of the data file to sorted, disjoint ranges: the part of the catalogue's compiler that touches neither
//! files nor generated code. The build script runs it; the catalogue's tests include it to hold the lookup against it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::class::Class;

/// What is wrong with the data file, and on which line (counted from 1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// One section of the data file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) vendor: String,
    pub(crate) class: Class,
    pub(crate) source: String,
    pub(crate) date: String,
    pub(crate) prefixes: Vec<IpNet>,
}

/// Addresses `first` to `last`, both included, and the number of their section. IPv4 and IPv6 are never mixed in one list,
/// so an address is only its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: u128,
    pub(crate) last: u128,
    pub(crate) section: usize,
}

/// A section while it is being read: settings may still be missing.
struct Draft {
    line: usize,
    name: String,
    /// Each with the line that it stands on.
    settings: BTreeMap<&'static str, (usize, String)>,
    prefixes: Vec<IpNet>,
}

const SETTINGS: [&str; 4] = ["vendor", "class", "source", "date"];

/// Reads the data file. The first mistake ends it.
pub(crate) fn parse(text: &str) -> Result<Vec<Section>, Mistake> {
    let mut sections: Vec<Section> = Vec::new();
    let mut draft: Option<Draft> = None;
    let mut lines_of_prefixes: BTreeMap<IpNet, usize> = BTreeMap::new();

    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        // A setting may hold a `#`: a source is often an issue's number.
        let bare = content.split('#').next().unwrap_or_default().trim();
        if bare.is_empty() {
            continue;
        }
        let mistake = |text: String| Mistake { line, text };

        if let Some(header) = bare.strip_prefix('[') {
            let name = header.strip_suffix(']').map(str::trim).filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| mistake("a section begins with `[its name]`".to_owned()))?;
            if let Some(finished) = draft.take() {
                sections.push(finish(finished)?);
            }
            if sections.iter().any(|section| section.name == name) {
                return Err(mistake(format!("there is already a section `{name}`")));
            }
            draft =
                Some(Draft { line, name: name.to_owned(), settings: BTreeMap::new(), prefixes: Vec::new() });
            continue;
        }

        let Some(draft) = draft.as_mut() else {
            return Err(mistake(format!("`{bare}` stands before the first `[section]`")));
        };
        if bare.contains('=')
            && let Some((key, value)) = content.split_once('=')
        {
            let (key, value) = (key.trim(), value.trim());
            let Some(key) = SETTINGS.into_iter().find(|known| *known == key) else {
                let known = SETTINGS.join(", ");
                return Err(mistake(format!("`{key}` is no setting of a section: those are {known}")));
            };
            if draft.settings.insert(key, (line, value.to_owned())).is_some() {
                return Err(mistake(format!("`{key}` is set twice in this section")));
            }
            check_setting(key, value).map_err(mistake)?;
        } else {
            let prefix = parse_prefix(bare).map_err(mistake)?;
            if let Some(earlier) = lines_of_prefixes.insert(prefix, line) {
                return Err(mistake(format!("{prefix} already stands on line {earlier}")));
            }
            draft.prefixes.push(prefix);
        }
    }
    if let Some(finished) = draft {
        sections.push(finish(finished)?);
    }
    Ok(sections)
}

fn finish(draft: Draft) -> Result<Section, Mistake> {
    let Draft { line, name, mut settings, prefixes } = draft;
    let mistake =
        |what: fmt::Arguments<'_>| Mistake { line, text: format!("section `{name}` has no {what}") };
    if prefixes.is_empty() {
        return Err(mistake(format_args!("prefixes")));
    }
    let mut take = |key: &str| settings.remove(key).ok_or_else(|| mistake(format_args!("`{key} = …`")));
    let ((_, vendor), (class_line, class)) = (take("vendor")?, take("class")?);
    let ((_, source), (_, date)) = (take("source")?, take("date")?);
    let class = Class::ALL.iter().copied().find(|known| known.as_str() == class).ok_or_else(|| {
        let known: Vec<_> = Class::ALL.iter().map(|known| known.as_str()).collect();
        Mistake { line: class_line, text: format!("there is no class `{class}`, only {}", known.join(", ")) }
    })?;
    Ok(Section { name, vendor, class, source, date, prefixes })
}

fn check_setting(key: &str, value: &str) -> Result<(), String> {
    match key {
        _ if value.is_empty() => Err(format!("`{key}` is empty")),
        "vendor" if !value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') => {
            Err(format!("a vendor is lower-case letters, digits and `-`, not `{value}`"))
        }
        "date" if !is_date(value) => Err(format!("a date is YYYY, YYYY-MM or YYYY-MM-DD, not `{value}`")),
        _ => Ok(()),
    }
}

fn is_date(text: &str) -> bool {
    let number = |part: &str, digits: usize, bounds: std::ops::RangeInclusive<u16>| {
        part.len() == digits
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse().is_ok_and(|n| bounds.contains(&n))
    };
    let mut parts = text.split('-');
    parts.next().is_some_and(|year| number(year, 4, 1990..=2199))
        && parts.next().is_none_or(|month| number(month, 2, 1..=12))
        && parts.next().is_none_or(|day| number(day, 2, 1..=31))
        && parts.next().is_none()
}

fn parse_prefix(text: &str) -> Result<IpNet, String> {
    let prefix: IpNet = text.parse().map_err(|_| {
        format!("`{text}` is neither a setting nor a prefix such as 192.0.2.0/24 or 2001:db8::/32")
    })?;
    if prefix.trunc() != prefix {
        return Err(format!("{text} has bits set beyond its length: is {} meant?", prefix.trunc()));
    }
    // One spelling for each prefix, so that a difference between two versions of the file is a difference in fact.
    if prefix.to_string() != text {
        return Err(format!("write {text} as {prefix}"));
    }
    if let IpAddr::V6(address) = prefix.addr()
        && prefix.prefix_len() >= 96
        && address.to_ipv4_mapped().is_some()
    {
        return Err(format!("{text} is looked up as IPv4 addresses: write it as an IPv4 prefix"));
    }
    Ok(prefix)
}

/// The sections' prefixes of each family as ascending ranges that do not overlap, IPv4 first: where prefixes are nested,
/// the longest wins.
pub(crate) fn flatten(sections: &[Section]) -> [Vec<Range>; 2] {
    let [mut v4, mut v6] = [Vec::new(), Vec::new()];
    for (section, prefixes) in sections.iter().map(|section| &section.prefixes).enumerate() {
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
    }
    [flatten_family(v4), flatten_family(v6)]
}

/// Two prefixes are either nested or apart, so the open ones form a stack whose top is the longest: it owns every address up
/// to the next prefix's first or its own last, whichever comes first.
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
