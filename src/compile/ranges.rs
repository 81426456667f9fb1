//! Whose every number is: the sections' nested prefixes and AS numbers as sorted ranges that do not overlap, which can be
//! searched by halving.

use std::cmp::Reverse;

use ipnet::IpNet;

use super::networks::Section;
use crate::signals::catalogue::Scope;

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
    prefixes.sort_by_key(|range| (range.first, Reverse(range.last)));
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
