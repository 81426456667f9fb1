//! The network catalogue: whose network an address is in. The facts stand in `networks.txt`, each section with its source
//! and date; `compile.rs` makes constant tables of them when the crate is built, and here an address is looked up in those
//! by binary search, without allocating.

use std::net::IpAddr;

mod class;
#[cfg(test)]
mod tables;

pub use class::Class;

include!(concat!(env!("OUT_DIR"), "/networks.rs"));

/// A section of the catalogue: networks of one owner, from one source.
#[derive(Debug, PartialEq, Eq)]
pub struct Network {
    /// What the section is called, for people.
    pub name: &'static str,
    /// Whose machines these are, as the verdict says it: lower-case letters, digits and `-`.
    pub vendor: &'static str,
    /// What a click from there is worth as evidence.
    pub class: Class,
    /// Where the prefixes come from.
    pub source: &'static str,
    /// The source's own date, or else the day it was read: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub date: &'static str,
}

impl Network {
    /// Whether the ruleset `defender` counts this as a Microsoft network: by the vendor alone, never by AS number.
    #[must_use]
    pub fn is_microsoft(&self) -> bool {
        self.vendor.starts_with("microsoft")
    }
}

/// The addresses `first` to `last`, both included, and the index of theirs in `NETWORKS`.
struct Range<Address> {
    first: Address,
    last: Address,
    network: u16,
}

/// The network that an address is in: where prefixes are nested, the longest one's. An IPv4-mapped IPv6 address is its
/// IPv4 address. `None` for an address that the catalogue says nothing about.
#[must_use]
pub fn lookup(ip: IpAddr) -> Option<&'static Network> {
    let network = match ip.to_canonical() {
        IpAddr::V4(v4) => find(&V4, v4.into()),
        IpAddr::V6(v6) => find(&V6, v6.into()),
    }?;
    NETWORKS.get(usize::from(network))
}

fn find<Address: Copy + Ord>(ranges: &[Range<Address>], address: Address) -> Option<u16> {
    let following = ranges.partition_point(|range| range.first <= address);
    let range = ranges.get(following.checked_sub(1)?)?;
    (address <= range.last).then_some(range.network)
}

/// Reads an address as `CF-Connecting-IP` gives it, an IPv4-mapped IPv6 address as its IPv4 address. `None` for anything
/// else: a port, brackets, a zone, spaces or leading zeros in IPv4 make it unreadable.
#[must_use]
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests;
