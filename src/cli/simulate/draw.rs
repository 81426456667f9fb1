//! Chance, repeatable: the same seed draws the same, on every machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A source of chance. Each kind of visitor has one of its own: to change one kind leaves the others as they are.
pub(super) struct Draw(fastrand::Rng);

impl Draw {
    /// `topic` keeps apart what is drawn from one seed.
    pub(super) fn new(seed: u64, topic: &str) -> Self {
        // FNV-1a: a name's bits, spread.
        let spread = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(fastrand::Rng::with_seed(seed ^ topic.bytes().fold(0xcbf2_9ce4_8422_2325, spread)))
    }

    /// Any whole number of that range, both ends included.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0.i64(least..=most)
    }

    /// Likewise, small numbers more often: each doubling of the number has the same share.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "times of a send are far smaller"
    )]
    pub(super) fn scaled(&mut self, least: i64, most: i64) -> i64 {
        let (low, high) = (least.max(1) as f64, most.max(1) as f64);
        (low * (high / low).powf(self.0.f64())) as i64
    }

    /// True in that many of a hundred cases.
    pub(super) fn percent(&mut self, percent: f64) -> bool {
        self.0.f64() * 100.0 < percent
    }

    /// One of them.
    pub(super) fn one<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.0.usize(..all.len())].clone()
    }

    /// A number by a measured distribution: one of the bins `(share, from, to)` by its share, then [`Self::scaled`].
    pub(super) fn of_bins(&mut self, bins: &[(f64, i64, i64)]) -> i64 {
        let mut left = self.0.f64() * bins.iter().map(|(share, ..)| share).sum::<f64>();
        let fits = bins.iter().find(|(share, ..)| {
            left -= share;
            left < 0.0
        });
        let (_, from, to) = fits.unwrap_or(&bins[bins.len() - 1]);
        self.scaled(*from, to - 1)
    }

    /// The same in another order.
    pub(super) fn shuffled<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        self.0.shuffle(&mut all);
        all
    }

    /// Random bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }

    /// An address of a prefix such as `40.92.0.0/16` or `2003:e4::/32`; its first and last are left out where it has
    /// more than two.
    pub(super) fn address(&mut self, prefix: &str) -> String {
        let (base, bits) = prefix.split_once('/').unwrap_or((prefix, ""));
        match (base.parse(), bits.parse::<u32>()) {
            (Ok(IpAddr::V4(base)), Ok(bits @ 0..31)) => {
                let host = self.0.u32(1..u32::MAX >> bits);
                Ipv4Addr::from_bits(base.to_bits() | host).to_string()
            }
            (Ok(IpAddr::V6(base)), Ok(bits @ 0..127)) => {
                let host = self.0.u128(1..u128::MAX >> bits);
                Ipv6Addr::from_bits(base.to_bits() | host).to_string()
            }
            _ => base.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_topic_draw_the_same() {
        let drawn = |seed, topic| Draw::new(seed, topic).bytes::<16>();
        assert_eq!(drawn(1, "a"), drawn(1, "a"));
        assert_ne!(drawn(1, "a"), drawn(2, "a"));
        assert_ne!(drawn(1, "a"), drawn(1, "b"));
    }

    #[test]
    fn an_address_lies_in_its_prefix() {
        let mut draw = Draw::new(1, "addresses");
        for prefix in [
            "40.92.0.0/16",
            "18.133.136.96/27",
            "104.28.119.152/30",
            "2003:e4::/32",
            "2a02:26f7:ca0c:df00::/58",
        ] {
            let net: ipnet::IpNet = prefix.parse().unwrap();
            for _ in 0..200 {
                let address: IpAddr = draw.address(prefix).parse().unwrap();
                assert!(net.contains(&address) && address != net.network(), "{address} of {prefix}");
            }
        }
        assert_eq!(draw.address("40.64.64.90"), "40.64.64.90");
    }

    #[test]
    fn bins_get_their_shares() {
        let mut draw = Draw::new(1, "bins");
        let bins = [(1.0, 1, 10), (3.0, 10, 100)];
        let low = (0..10_000).filter(|_| draw.of_bins(&bins) < 10).count();
        assert!((2_350..2_650).contains(&low), "{low}");
    }
}
