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

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;
    use crate::signals::catalogue::Class;

    fn section(prefixes: &[&str]) -> Section {
        Section {
            name: String::new(),
            vendor: String::new(),
            class: Class::ScannerCertain,
            scope: Scope::All,
            source: String::new(),
            date: String::new(),
            people: None,
            feed: None,
            prefixes: prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect(),
            systems: Vec::new(),
        }
    }

    fn v4_text(ranges: &[Range]) -> Vec<(String, String, usize)> {
        let text = |bits: u128| u32::try_from(bits).map(|bits| Ipv4Addr::from(bits).to_string()).unwrap();
        ranges.iter().map(|range| (text(range.first), text(range.last), range.section)).collect()
    }

    fn flat_v4(sections: &[Section]) -> Vec<(String, String, usize)> {
        let Ranges { v4, v6, systems } = flatten(sections, Scope::All);
        assert!(v6.is_empty() && systems.is_empty());
        v4_text(&v4)
    }

    /// The prefixes of each section.
    type Prefixes<'a> = &'a [&'a [&'a str]];
    /// First address, last address, number of the section.
    type Expected<'a> = &'a [(&'a str, &'a str, usize)];

    #[test]
    fn flattening_cuts_the_inner_prefix_out_of_the_outer() {
        let cases: [(Prefixes, Expected); 9] = [
            (&[], &[]),
            (&[&["10.0.0.0/8"]], &[("10.0.0.0", "10.255.255.255", 0)]),
            // In the middle, at the start, at the end, and all of it.
            (
                &[&["10.0.0.0/8"], &["10.1.0.0/16"]],
                &[
                    ("10.0.0.0", "10.0.255.255", 0),
                    ("10.1.0.0", "10.1.255.255", 1),
                    ("10.2.0.0", "10.255.255.255", 0),
                ],
            ),
            (
                &[&["10.0.0.0/8"], &["10.0.0.0/16"]],
                &[("10.0.0.0", "10.0.255.255", 1), ("10.1.0.0", "10.255.255.255", 0)],
            ),
            (
                &[&["10.255.0.0/16"], &["10.0.0.0/8"]],
                &[("10.0.0.0", "10.254.255.255", 1), ("10.255.0.0", "10.255.255.255", 0)],
            ),
            (&[&["10.0.0.0/8"], &["10.0.0.0/9", "10.128.0.0/9"]], &[("10.0.0.0", "10.255.255.255", 1)]),
            // Three deep, the innermost two ending together; the outermost resumes after both.
            (
                &[&["10.0.0.0/8"], &["10.0.0.0/16"], &["10.0.255.0/24"]],
                &[
                    ("10.0.0.0", "10.0.254.255", 1),
                    ("10.0.255.0", "10.0.255.255", 2),
                    ("10.1.0.0", "10.255.255.255", 0),
                ],
            ),
            // One section's neighbours and its own nested prefix make one range; another's neighbour does not.
            (
                &[&["10.0.0.0/16", "10.0.7.0/24", "10.1.0.0/16"], &["10.2.0.0/16"]],
                &[("10.0.0.0", "10.1.255.255", 0), ("10.2.0.0", "10.2.255.255", 1)],
            ),
            // Every address there is.
            (
                &[&["0.0.0.0/0"], &["255.255.255.255/32"]],
                &[("0.0.0.0", "255.255.255.254", 0), ("255.255.255.255", "255.255.255.255", 1)],
            ),
        ];
        for (prefixes, expected) in cases {
            let sections: Vec<_> = prefixes.iter().map(|prefixes| section(prefixes)).collect();
            let expected: Vec<_> =
                expected.iter().map(|(first, last, s)| (first.to_string(), last.to_string(), *s)).collect();
            assert_eq!(flat_v4(&sections), expected, "{prefixes:?}");
        }
    }

    #[test]
    fn families_are_kept_apart_to_the_end_of_the_address_space() {
        let sections = [section(&["::/0", "0.0.0.0/8"]), section(&["ffff::/16", "::/64"])];
        let Ranges { v4, v6, .. } = flatten(&sections, Scope::All);
        assert_eq!(v4, [Range { first: 0, last: 0x00ff_ffff, section: 0 }]);
        let inner = 0xffff << 112;
        assert_eq!(
            v6,
            [
                Range { first: 0, last: u64::MAX.into(), section: 1 },
                Range { first: 1 << 64, last: inner - 1, section: 0 },
                Range { first: inner, last: u128::MAX, section: 1 },
            ]
        );
    }

    #[test]
    fn a_scope_has_what_differs_from_all() {
        let of = |scope, prefixes: &[&str]| Section { scope, ..section(prefixes) };
        let sections = [
            of(Scope::Clicks, &["10.0.0.0/16"]),
            of(Scope::All, &["10.0.0.0/16", "10.0.9.0/24", "10.2.0.0/16"]),
            of(Scope::Opens, &["10.0.0.0/8", "10.2.0.0/24"]),
        ];
        // As long as the one for all: the clicks' own wins; a longer one for all does not give way.
        let clicks = [("10.0.0.0", "10.0.8.255", 0), ("10.0.10.0", "10.0.255.255", 0)];
        let opens = [("10.1.0.0", "10.2.0.255", 2), ("10.3.0.0", "10.255.255.255", 2)];
        for (scope, expected) in [(Scope::Clicks, &clicks[..]), (Scope::Opens, &opens)] {
            let expected: Vec<_> =
                expected.iter().map(|(first, last, s)| (first.to_string(), last.to_string(), *s)).collect();
            assert_eq!(v4_text(&flatten(&sections, scope).v4), expected, "{scope:?}");
        }
    }

    #[test]
    fn stretches_name_what_is_nobodys() {
        let range = |first, last, section| Range { first, last, section };
        assert_eq!(stretches(&[]), []);
        let gaps = [range(2, 3, 0), range(4, 4, 1), range(6, 9, 0)];
        assert_eq!(stretches(&gaps), [(2, 1), (4, 2), (5, 0), (6, 1), (10, 0)]);
        assert_eq!(stretches(&[range(0, u128::MAX, 7)]), [(0, 8)]);
    }

    proptest! {
        /// Prefixes from a small space nest and touch in every way: each address is its longest prefix's, by looking at all.
        #[test]
        fn flattening_is_a_scan(owners in prop::collection::btree_map((0..=8_u8, any::<u8>()), 0..4_usize, 0..24)) {
            let mut sections = vec![section(&[]), section(&[]), section(&[]), section(&[])];
            for ((bits, octet), owner) in owners {
                let prefix: IpNet = format!("10.0.0.{octet}/{}", 24 + bits).parse().unwrap();
                if !sections.iter().any(|section| section.prefixes.contains(&prefix.trunc())) {
                    sections[owner].prefixes.push(prefix.trunc());
                }
            }
            let flat = flatten(&sections, Scope::All).v4;
            prop_assert!(flat.is_sorted_by(|a, b| a.last < b.first), "{:?}", flat);
            let prefixes: Vec<_> = (0..)
                .zip(&sections)
                .flat_map(|(at, section)| section.prefixes.iter().map(move |prefix| (at, prefix)))
                .collect();
            for octet in 0..=255 {
                let ip = Ipv4Addr::new(10, 0, 0, octet);
                let bits = u128::from(u32::from(ip));
                let found = flat.iter().find(|range| range.first <= bits && bits <= range.last);
                let around = prefixes.iter().filter(|(_, prefix)| prefix.contains(&IpAddr::V4(ip)));
                let expected = around.max_by_key(|(_, prefix)| prefix.prefix_len()).map(|(at, _)| *at);
                prop_assert_eq!(found.map(|range| range.section), expected, "{}", ip);
            }
        }
    }
}
