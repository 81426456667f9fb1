//! What the sender's own history taught: networks whose clicks its bursts convicted again and again, and where nobody ever
//! touched a landing page. The facts stand in `learned.txt`, which is empty until `clickproof networks learn --write` fills it.

use std::net::IpAddr;

use super::upper_half;

include!(concat!(env!("OUT_DIR"), "/learned.rs"));

/// A section of what was learned.
#[derive(Debug, PartialEq, Eq)]
pub struct Learned {
    /// What the section is called, for people.
    pub name: &'static str,
    /// Whose machines these are, as the verdict says it, where somebody knows.
    pub vendor: Option<&'static str>,
    /// What was seen there.
    pub source: &'static str,
    /// The day up to which was looked, `YYYY-MM-DD`.
    pub date: &'static str,
    /// From when on it no longer holds, Unix milliseconds.
    pub expires_ms: i64,
}

/// All that was learned, to be searched by halving: ranges that do not overlap, both ends included, and AS numbers each
/// with an agent; all ascending.
#[derive(Debug)]
pub struct Table {
    /// IPv4 addresses.
    pub v4: &'static [(u32, u32, &'static Learned)],
    /// IPv6 addresses, by their upper halves.
    pub v6: &'static [(u64, u64, &'static Learned)],
    /// AS numbers with the exact agent.
    pub systems: &'static [(u32, &'static str, &'static Learned)],
}

impl Table {
    /// The section that a request belongs to: by its address, else by its AS number and agent, as of the request's time in
    /// Unix milliseconds.
    #[must_use]
    pub fn find(
        &self,
        address: Option<IpAddr>,
        asn: Option<i64>,
        user_agent: Option<&str>,
        ts_ms: i64,
    ) -> Option<&'static Learned> {
        let by_address = || match address?.to_canonical() {
            IpAddr::V4(v4) => of_range(self.v4, u32::from(v4)),
            IpAddr::V6(v6) => of_range(self.v6, upper_half(v6)),
        };
        let by_system = || {
            let wanted = (u32::try_from(asn?).ok()?, user_agent?);
            let at = self.systems.binary_search_by(|(asn, agent, _)| (*asn, *agent).cmp(&wanted)).ok()?;
            self.systems.get(at).map(|(.., learned)| *learned)
        };
        let holds = |learned: &&Learned| ts_ms < learned.expires_ms;
        by_address().filter(holds).or_else(|| by_system().filter(holds))
    }

    /// The section of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'static Learned> {
        let of_v4 = self.v4.iter().map(|(.., learned)| *learned);
        let of_v6 = self.v6.iter().map(|(.., learned)| *learned);
        let of_systems = self.systems.iter().map(|(.., learned)| *learned);
        of_v4.chain(of_v6).chain(of_systems).find(|learned| learned.name == name)
    }
}

/// Whose range holds a number.
fn of_range<N: Ord + Copy>(ranges: &[(N, N, &'static Learned)], number: N) -> Option<&'static Learned> {
    let following = ranges.partition_point(|(first, ..)| *first <= number);
    let (_, last, learned) = ranges.get(following.checked_sub(1)?)?;
    Some(*learned).filter(|_| number <= *last)
}

#[cfg(test)]
mod tests {
    use super::super::parse_ip;
    use super::*;

    static BLOCK: Learned =
        Learned { name: "block", vendor: Some("v"), source: "s", date: "2026-11-22", expires_ms: 1_000 };
    static AGENT: Learned =
        Learned { name: "agent", vendor: None, source: "s", date: "2026-11-22", expires_ms: 2_000 };
    static TABLE: Table = Table {
        v4: &[(0xc000_0200, 0xc000_02ff, &BLOCK), (0xc633_6400, 0xc633_65ff, &BLOCK)],
        v6: &[(0x2001_0db8_0000_0000, 0x2001_0db8_0000_ffff, &BLOCK)],
        systems: &[(64_496, "a/1", &AGENT), (64_496, "b/1", &AGENT), (64_500, "a/1", &AGENT)],
    };

    #[test]
    fn a_request_is_found_by_its_address_else_by_its_system_and_agent_until_that_expires() {
        let find =
            |ip: &str, asn, agent, ts_ms| TABLE.find(parse_ip(ip), asn, agent, ts_ms).map(|found| found.name);
        for (words, ip, asn, agent, ts_ms, expected) in [
            ("the first of a block", "192.0.2.0", None, None, 0, Some("block")),
            ("the last", "192.0.2.255", None, Some("x"), 999, Some("block")),
            ("one before", "192.0.1.255", None, None, 0, None),
            ("one behind", "192.0.3.0", None, None, 0, None),
            ("in the second", "198.51.101.7", None, None, 0, Some("block")),
            ("expired", "192.0.2.7", None, None, 1_000, None),
            ("mapped", "::ffff:192.0.2.7", None, None, 0, Some("block")),
            ("IPv6", "2001:db8:0:ffff::1", None, None, 0, Some("block")),
            ("its neighbour", "2001:db8:1::1", None, None, 0, None),
            ("an AS number with its agent", "203.0.113.9", Some(64_496), Some("b/1"), 1_999, Some("agent")),
            ("expired", "203.0.113.9", Some(64_496), Some("b/1"), 2_000, None),
            ("with another agent", "203.0.113.9", Some(64_496), Some("b/10"), 0, None),
            ("with none", "203.0.113.9", Some(64_496), None, 0, None),
            ("another number with the agent", "203.0.113.9", Some(64_499), Some("a/1"), 0, None),
            ("no address", "junk", Some(64_500), Some("a/1"), 0, Some("agent")),
            (
                "the block has expired, the agent not",
                "192.0.2.7",
                Some(64_500),
                Some("a/1"),
                1_500,
                Some("agent"),
            ),
            ("no number of a system", "junk", Some(-1), Some("a/1"), 0, None),
        ] {
            assert_eq!(find(ip, asn, agent, ts_ms), expected, "{words}: {ip}");
        }
    }
}
