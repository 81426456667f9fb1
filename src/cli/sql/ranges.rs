//! Microsoft's networks as ranges of keys that any warehouse can compare: texts of hexadecimal digits.
//!
//! An IPv4 address is the eight digits of its number, an IPv6 address the sixteen of its upper half: no network of the
//! catalogue is smaller than a /64. Half of a key is its bucket, by which addresses and ranges are joined; a range that runs
//! through several is cut.

use std::net::IpAddr;

use clickproof::compile::networks::{Section, parse};
use clickproof::signals::catalogue::{Network, Request, lookup};
use ipnet::IpNet;

use crate::stop::Stop;

/// The text that the catalogue's tables are compiled from.
const TEXT: &str = include_str!("../../signals/catalogue/networks.txt");

/// Where Microsoft is.
pub(super) struct Ranges {
    /// The first and the last key of each, in one bucket; ascending.
    pub(super) keys: Vec<[String; 2]>,
    /// The newest date of what they come from.
    pub(super) date: String,
}

/// The ranges that the ruleset `defender` takes for Microsoft's when a link is clicked.
pub(super) fn microsoft() -> Result<Ranges, Stop> {
    let sections = parse(TEXT).map_err(|mistake| Stop::Refused(format!("the catalogue: {mistake}")))?;
    let dates = sections.iter().filter(|section| is_microsoft(section)).map(|section| &section.date);
    let date = dates.max().cloned().unwrap_or_default();
    let prefixes: Vec<IpNet> = sections.iter().flat_map(|section| &section.prefixes).copied().collect();
    let v4 = within(&V4, &prefixes);
    let v6 = within(&V6, &prefixes);
    Ok(Ranges { keys: v4.into_iter().chain(v6).collect(), date })
}

fn is_microsoft(section: &Section) -> bool {
    section.vendor.starts_with("microsoft")
}

/// Addresses as numbers of so many bits: all of IPv4, of IPv6 the upper half.
struct Family {
    bits: u32,
    /// The first and the last number of a prefix of the family.
    numbers: fn(&IpNet) -> Option<(u128, u128)>,
    /// The first address of a number.
    address: fn(u128) -> IpAddr,
}

const V4: Family = Family {
    bits: 32,
    numbers: |prefix| match prefix {
        IpNet::V4(net) => Some((u32::from(net.network()).into(), u32::from(net.broadcast()).into())),
        IpNet::V6(_) => None,
    },
    address: |number| IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
};

const V6: Family = Family {
    bits: 64,
    numbers: |prefix| match prefix {
        IpNet::V4(_) => None,
        IpNet::V6(net) => Some((u128::from(net.network()) >> 64, u128::from(net.broadcast()) >> 64)),
    },
    address: |number| IpAddr::V6((number << 64).into()),
};

/// Microsoft's ranges of a family. Whose an address is changes only where some prefix begins or has ended, so it is enough to
/// look up what stands there, by the function that judges clicks.
fn within(family: &Family, prefixes: &[IpNet]) -> Vec<[String; 2]> {
    let most = (1_u128 << family.bits) - 1;
    let mut starts: Vec<u128> = prefixes
        .iter()
        .filter_map(family.numbers)
        .flat_map(|(first, last)| [first, last + 1])
        .filter(|start| *start <= most)
        .collect();
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([most]);
    let mut ranges: Vec<(u128, u128)> = Vec::new();
    for (&first, last) in starts.iter().zip(ends) {
        let network = lookup((family.address)(first), Request::Click);
        if !network.is_some_and(Network::is_microsoft) {
            continue;
        }
        match ranges.last_mut() {
            Some(previous) if previous.1 + 1 == first => previous.1 = last,
            _ => ranges.push((first, last)),
        }
    }
    let bucket = family.bits / 2;
    let digits = family.bits as usize / 4;
    let key = |number: u128| format!("{number:0digits$x}");
    let mut keys = Vec::new();
    for (first, last) in ranges {
        for at in first >> bucket..=last >> bucket {
            let (from, to) = (at << bucket, ((at + 1) << bucket) - 1);
            keys.push([key(first.max(from)), key(last.min(to))]);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address's key.
    fn key(address: IpAddr) -> String {
        match address {
            IpAddr::V4(v4) => format!("{:08x}", u32::from(v4)),
            IpAddr::V6(v6) => format!("{:016x}", u128::from(v6) >> 64),
        }
    }

    #[test]
    fn every_prefix_and_what_stands_beside_it_is_whose_the_catalogue_says() {
        let Ok(Ranges { keys, date }) = microsoft() else { panic!("the catalogue is read") };
        assert!(date.as_str() >= "2026-11-22", "{date}");
        let sections = parse(TEXT).unwrap();
        let (mut asked, mut found) = (0, 0);
        for prefix in sections.iter().flat_map(|section| &section.prefixes) {
            let family = if prefix.addr().is_ipv4() { V4 } else { V6 };
            let (first, last) = (family.numbers)(prefix).unwrap();
            for number in [first.saturating_sub(1), first, last, last + 1] {
                let address = (family.address)(number);
                let expected = lookup(address, Request::Click).is_some_and(Network::is_microsoft);
                let key = key(address);
                let is_inside = keys.iter().any(|[from, to]| {
                    key.len() == from.len() && (from.as_str()..=to.as_str()).contains(&key.as_str())
                });
                assert_eq!(is_inside, expected, "{address}");
                asked += 1;
                found += usize::from(is_inside);
            }
        }
        assert!(asked > 5_000 && found > 300, "{found} of {asked}");
    }

    #[test]
    fn a_range_stays_in_its_bucket_and_none_meet() {
        let Ok(Ranges { keys, .. }) = microsoft() else { panic!("the catalogue is read") };
        assert!(keys.contains(&["285c0000".to_owned(), "285cffff".to_owned()]), "40.92.0.0/16");
        assert!(keys.contains(&["2a01011100000000".to_owned(), "2a010111ffffffff".to_owned()]));
        for pair in keys.windows(2) {
            let [[_, last], [first, _]] = pair else { unreachable!() };
            assert!(last.len() < first.len() || last < first, "{last} {first}");
        }
        for [first, last] in &keys {
            assert_eq!(first.len(), last.len());
            assert_eq!(first[..first.len() / 2], last[..last.len() / 2]);
        }
    }
}
