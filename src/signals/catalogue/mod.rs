//! The catalogue: whose network an address or an AS number belongs to, and which gateway's link a referer is. The facts
//! stand in `networks.txt` and `wrappers.txt`, each section with its source and date; [`compile`](crate::compile) makes
//! constant tables of them when the crate is built, and here they are searched by halving, without allocating.

use std::net::IpAddr;

mod class;
pub mod learned;
mod wrapper;

pub use class::{Class, Feed, Scope, Status};
pub use wrapper::{Wrapper, wrapper, wrapper_in_referer};

include!(concat!(env!("OUT_DIR"), "/networks.rs"));

/// A section of the catalogue: networks of one owner, from one source.
#[derive(Debug, PartialEq, Eq)]
pub struct Network {
    /// What the section is called, for people.
    pub name: &'static str,
    /// Whose machines these are, as the verdict says it: lower-case letters, digits and `-`.
    pub vendor: &'static str,
    /// What a request from there is worth as evidence.
    pub class: Class,
    /// Which requests the section speaks of.
    pub scope: Scope,
    /// People come from there beside what its class says, behind browser isolation for example.
    pub has_people: bool,
    /// Where the facts come from.
    pub source: &'static str,
    /// The source's own date, or else the day it was read: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub date: &'static str,
}

impl Network {
    /// Whether the ruleset `defender` counts this as a Microsoft network, where it was found by the address: an AS number
    /// never says so.
    #[must_use]
    pub fn is_microsoft(&self) -> bool {
        self.vendor.starts_with("microsoft")
    }

    /// Whether this is the network of a mail gateway other than Microsoft's.
    #[must_use]
    pub fn is_gateway(&self) -> bool {
        self.class.is_scanner() && !self.is_microsoft()
    }
}

/// What a request asks for: a network may be known for one thing alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A link, or what a link leads to.
    Click,
    /// The image that tells of an opened mail.
    Open,
}

impl Request {
    fn tables(self) -> &'static Tables {
        match self {
            Self::Click => &CLICKS,
            Self::Open => &OPENS,
        }
    }
}

/// What the sections of one scope hold; of `CLICKS` and `OPENS` only what differs from `ALL`.
struct Tables {
    v4: Table<u32>,
    /// By the upper half of the address.
    v6: Table<u64>,
    systems: Table<u32>,
}

/// Stretches of numbers: where each begins, ascending, and whose it is, the index in `NETWORKS` plus one; 0 is nobody's. Two
/// arrays, because a pair would be padded.
struct Table<Number: 'static> {
    starts: &'static [Number],
    owners: &'static [u8],
}

impl<Number: Ord> Table<Number> {
    fn find(&self, number: &Number) -> Option<&'static Network> {
        let following = self.starts.partition_point(|start| start <= number);
        let owner = self.owners.get(following.checked_sub(1)?)?;
        NETWORKS.get(usize::from(*owner).checked_sub(1)?)
    }
}

/// The network that an address is in: where prefixes are nested, the longest one's, and of two equally long ones that which
/// speaks of this kind of request alone. An IPv4-mapped IPv6 address is its IPv4 address. `None` for an address that the
/// catalogue says nothing about.
#[must_use]
pub fn lookup(ip: IpAddr, request: Request) -> Option<&'static Network> {
    let ip = ip.to_canonical();
    let find = |tables: &Tables| match ip {
        IpAddr::V4(v4) => tables.v4.find(&v4.into()),
        IpAddr::V6(v6) => tables.v6.find(&upper_half(v6)),
    };
    find(request.tables()).or_else(|| find(&ALL))
}

fn upper_half(address: std::net::Ipv6Addr) -> u64 {
    let [a, b, c, d, ..] = address.segments();
    [a, b, c, d].into_iter().fold(0, |half, segment| half << 16 | u64::from(segment))
}

/// The network that an AS number stands for. It says less than an address: ask for the address first. `None` for a number
/// that the catalogue says nothing about.
#[must_use]
pub fn system(asn: i64, request: Request) -> Option<&'static Network> {
    let asn = u32::try_from(asn).ok()?;
    request.tables().systems.find(&asn).or_else(|| ALL.systems.find(&asn))
}

/// The section of that name; `None` where there is none, as when it has been taken out.
#[must_use]
pub fn named(name: &str) -> Option<&'static Network> {
    NETWORKS.iter().find(|network| network.name == name)
}

/// Reads an address as `CF-Connecting-IP` gives it, an IPv4-mapped IPv6 address as its IPv4 address. `None` for anything
/// else: a port, brackets, a zone, spaces or leading zeros in IPv4 make it unreadable.
#[must_use]
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests;
