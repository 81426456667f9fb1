//! Where simulated visitors come from: some prefixes of each network, with the AS number that Cloudflare would give.
//!
//! What a scanner's network is, the catalogue says (`src/signals/catalogue`); these are draws from it and, for people,
//! from access providers, read from public routing tables in 2026-11.

/// A network: its AS number, its country, some of its prefixes.
#[derive(Clone)]
pub(super) struct Network(pub(super) u32, pub(super) &'static str, pub(super) &'static [&'static str]);

/// Exchange Online Protection, Microsoft's mail filter (Azure service tag `EOPExtPublished`).
pub(super) const EOP: &[Network] = &[
    Network(
        8075,
        "US",
        &["40.92.0.0/16", "40.94.16.0/24", "40.94.29.0/24", "40.107.218.0/24", "40.107.235.0/24"],
    ),
    Network(8075, "IE", &["40.93.64.0/18", "52.101.64.0/20", "40.107.20.0/22"]),
    Network(8075, "NL", &["52.100.128.0/18", "52.103.32.0/20"]),
];

/// The ranges that the published Defender table names.
pub(super) const DEFENDER: &[Network] = &[
    Network(8075, "US", &["40.92.0.0/16", "52.100.0.0/16", "52.102.0.0/16"]),
    Network(8075, "IE", &["40.92.64.0/18", "2a01:111:f400::/48"]),
    Network(8075, "NL", &["40.92.32.0/20", "2a01:111:f403::/48"]),
];

/// Exchange Online, where Safe Links' check at the click comes from.
pub(super) const EXCHANGE_ONLINE: &[Network] = &[
    Network(8075, "US", &["52.96.0.0/16", "52.97.128.0/17", "52.100.0.0/16"]),
    Network(8075, "IE", &["52.98.0.0/16", "40.92.0.0/16"]),
];

/// Azure addresses that threads name as Defender's, outside the filter's ranges.
pub(super) const AZURE_SCANNERS: &[Network] =
    &[Network(8075, "US", &["20.72.100.0/24", "40.64.64.90", "40.64.64.110", "40.64.100.180"])];

/// Azure as it is rented: Defender detonates from here too, and people's cloud PCs browse from here.
pub(super) const AZURE: &[Network] = &[
    Network(8075, "US", &["20.98.0.0/16", "52.151.0.0/18", "13.82.0.0/18"]),
    Network(8075, "NL", &["20.61.0.0/16", "51.145.128.0/17"]),
    Network(8075, "IE", &["20.67.0.0/16", "52.169.0.0/16"]),
];

pub(super) const PROOFPOINT: &[Network] = &[
    Network(22843, "US", &["148.163.136.0/21", "205.220.172.0/22", "66.159.250.0/23"]),
    Network(26211, "US", &["66.159.240.0/23", "67.231.158.0/23", "148.163.156.0/23"]),
    Network(13916, "US", &["208.83.136.0/24", "148.163.128.0/23"]),
    Network(52129, "DE", &["62.209.50.0/24", "91.209.104.0/24"]),
];

pub(super) const MIMECAST: &[Network] = &[
    Network(30031, "US", &["207.211.31.0/25", "205.139.110.0/24", "170.10.129.0/24", "170.10.133.0/24"]),
    Network(42427, "GB", &["146.101.78.0/24", "195.130.217.0/24", "185.58.86.0/24", "91.220.42.0/24"]),
    Network(37235, "ZA", &["41.74.200.0/23", "41.74.206.0/24"]),
];

/// Barracuda Email Gateway Defense, which stands in AWS: the AS number does not show it.
pub(super) const BARRACUDA: &[Network] = &[
    Network(16509, "GB", &["18.133.136.128/26", "18.133.136.96/27", "35.176.92.96/27"]),
    Network(16509, "DE", &["35.157.190.224/27", "18.184.203.224/27"]),
    Network(16509, "AU", &["3.24.133.128/25"]),
    Network(15324, "US", &["209.222.82.0/24", "64.235.144.0/22"]),
];

pub(super) const CISCO: &[Network] = &[
    Network(16417, "US", &["68.232.128.0/22", "139.138.24.0/22", "184.94.248.0/22", "23.90.96.0/22"]),
    Network(16417, "NL", &["194.165.196.0/24"]),
];

/// Its own networks and Trend Micro Email Security in AWS.
pub(super) const TREND_MICRO: &[Network] = &[
    Network(16880, "US", &["66.180.80.0/20", "216.104.0.0/19", "150.70.176.0/20"]),
    Network(14618, "US", &["18.208.22.64/26", "18.208.22.128/25"]),
    Network(16509, "DE", &["18.185.115.128/26"]),
    Network(16509, "AU", &["13.238.202.0/25"]),
];

pub(super) const SYMANTEC: &[Network] = &[
    Network(21345, "GB", &["85.158.136.0/22", "46.226.48.0/21", "95.131.104.0/21", "193.109.254.0/23"]),
    Network(26282, "US", &["130.119.1.0/24", "130.119.2.0/24"]),
];

/// Further gateways, each with some of its prefixes.
pub(super) const OTHER_GATEWAYS: &[Network] = &[
    Network(48328, "DE", &["94.199.88.0/22", "185.93.140.0/22"]),
    Network(401_943, "DE", &["185.140.204.0/23"]),
    Network(46484, "US", &["38.109.230.0/23", "103.245.44.0/22"]),
    Network(17330, "US", &["199.16.196.0/22"]),
    Network(16633, "US", &["38.22.105.0/24", "38.64.88.0/23", "208.70.88.0/23"]),
    Network(13380, "US", &["8.19.116.0/23", "63.71.8.0/21"]),
    Network(53780, "US", &["8.31.232.0/23", "207.195.184.0/21"]),
    Network(25046, "IL", &["91.90.128.0/20", "194.29.32.0/20"]),
    Network(59657, "DE", &["84.39.152.0/24"]),
    Network(33151, "US", &["204.13.200.0/23", "208.90.239.0/24"]),
    Network(58976, "IN", &["103.29.28.0/24", "103.250.31.0/24"]),
    Network(14618, "US", &["35.174.145.124"]),
    Network(16509, "IE", &["52.212.19.177"]),
];

/// Who looks at links for its own feeds, not for a mailbox.
pub(super) const THREAT_INTELLIGENCE: &[Network] = &[
    Network(212_329, "GB", &["91.236.64.0/23", "185.216.48.0/24"]),
    Network(210_111, "GB", &["185.88.72.0/22"]),
    Network(200_107, "RU", &["77.74.176.0/21", "93.159.228.0/22"]),
    Network(50881, "SK", &["91.228.164.0/22", "38.90.226.0/23"]),
    Network(34523, "GB", &["195.2.244.0/23"]),
    Network(43839, "RO", &["91.195.194.0/24"]),
];

/// Rented machines: sandboxes and headless browsers, and people's VPNs.
pub(super) const HOSTING: &[Network] = &[
    Network(14618, "US", &["3.84.0.0/16", "34.201.0.0/16", "54.152.0.0/16", "44.204.0.0/16"]),
    Network(16509, "US", &["54.188.0.0/16", "35.160.0.0/16", "52.13.0.0/16", "18.222.0.0/16"]),
    Network(16509, "IE", &["54.170.0.0/16", "34.244.0.0/16"]),
    Network(396_982, "US", &["34.122.0.0/16", "35.192.0.0/16", "34.86.0.0/16"]),
    Network(24940, "DE", &["116.202.0.0/16", "95.216.0.0/16"]),
    Network(16276, "FR", &["51.75.0.0/16", "54.36.0.0/16"]),
    Network(14061, "US", &["159.65.0.0/16", "167.99.0.0/16", "143.198.0.0/16"]),
    Network(63949, "US", &["172.104.0.0/16", "139.162.0.0/16"]),
    Network(20473, "US", &["45.76.0.0/16", "149.28.0.0/16"]),
];

/// Where consumer VPNs leave: hosting too.
pub(super) const VPN: &[Network] = &[
    Network(9009, "GB", &["185.225.0.0/24", "89.238.130.0/24", "194.35.232.0/24"]),
    Network(212_238, "DE", &["138.199.36.0/24", "169.150.201.0/24"]),
    Network(60068, "NL", &["185.107.44.0/24", "89.187.174.0/24"]),
    Network(60781, "NL", &["95.211.0.0/16"]),
    Network(16276, "FR", &["51.77.0.0/16"]),
    Network(14061, "US", &["104.131.0.0/16"]),
];

/// Web gateways: people browse through them.
pub(super) const ZSCALER: &[Network] = &[
    Network(22616, "US", &["137.83.128.0/18", "165.225.0.0/17"]),
    Network(53813, "US", &["167.106.0.0/16"]),
    Network(62044, "DE", &["165.225.192.0/18", "185.46.212.0/22"]),
    Network(62044, "GB", &["194.9.96.0/20"]),
];

/// iCloud Private Relay's exits.
pub(super) const APPLE_RELAY: &[Network] = &[
    Network(36183, "US", &["172.225.84.128/26", "172.225.188.0/23", "2a02:26f7:ca0c:df00::/58"]),
    Network(13335, "US", &["104.28.115.64/27", "104.28.118.0/29", "104.28.28.0/26"]),
    Network(54113, "US", &["2a04:4e41:3a10::/48"]),
    Network(36183, "DE", &["172.225.187.32/27", "2a02:26f7:d6cc:6980::/59"]),
];

/// Access providers: where people are. None of it stands in the catalogue.
pub(super) const HOME: &[Network] = &[
    Network(7922, "US", &["73.162.0.0/16", "98.45.0.0/16", "2601:640::/32"]),
    Network(7018, "US", &["99.40.0.0/16", "107.201.0.0/16", "2600:1700::/32"]),
    Network(701, "US", &["71.163.0.0/16", "108.31.0.0/16"]),
    Network(20001, "US", &["76.81.0.0/16", "104.32.0.0/16"]),
    Network(3320, "DE", &["87.140.0.0/16", "91.11.0.0/16", "2003:e4::/32"]),
    Network(3209, "DE", &["88.70.0.0/16", "178.202.0.0/16"]),
    Network(2856, "GB", &["86.140.0.0/16", "109.150.0.0/16"]),
    Network(5607, "GB", &["90.200.0.0/16", "2a02:c7c::/32"]),
    Network(3215, "FR", &["90.20.0.0/16", "86.200.0.0/16", "2a01:cb00::/32"]),
    Network(12322, "FR", &["82.65.0.0/16", "78.200.0.0/16"]),
    Network(1136, "NL", &["84.83.0.0/16", "77.160.0.0/16"]),
    Network(3352, "ES", &["83.33.0.0/16", "88.5.0.0/16"]),
    Network(3269, "IT", &["79.20.0.0/16", "87.7.0.0/16"]),
    Network(5617, "PL", &["83.10.0.0/16", "79.185.0.0/16"]),
    Network(28573, "BR", &["177.33.0.0/16", "189.60.0.0/16"]),
    Network(1221, "AU", &["1.121.0.0/16", "101.160.0.0/16"]),
];

/// Mobile carriers.
pub(super) const MOBILE: &[Network] = &[
    Network(21928, "US", &["172.58.0.0/16", "2607:fb90::/32"]),
    Network(6167, "US", &["174.200.0.0/16", "2600:1000::/32"]),
    Network(3320, "DE", &["80.187.0.0/16"]),
    Network(12576, "GB", &["31.94.0.0/16"]),
    Network(20810, "FR", &["37.168.0.0/16"]),
    Network(55836, "IN", &["49.36.0.0/16", "2409:4000::/32"]),
    Network(12430, "ES", &["47.58.0.0/16"]),
];

/// Companies' own lines.
pub(super) const OFFICE: &[Network] = &[
    Network(3320, "DE", &["62.157.0.0/16", "217.6.0.0/16"]),
    Network(7018, "US", &["12.186.0.0/16", "12.230.0.0/16"]),
    Network(2856, "GB", &["81.130.0.0/16"]),
    Network(3215, "FR", &["193.252.40.0/21"]),
    Network(7922, "US", &["50.233.0.0/16"]),
];

/// Google's image proxy and prefetch.
pub(super) const GOOGLE_PROXY: &[Network] =
    &[Network(15169, "US", &["66.249.84.0/24", "66.249.93.0/24", "74.125.210.0/24"])];

/// Yahoo's image proxy.
pub(super) const YAHOO_PROXY: &[Network] = &[Network(36646, "US", &["69.147.90.0/24", "98.137.200.0/24"])];

#[cfg(test)]
mod tests {
    use clickproof::signals::catalogue::{self, Class, Request, lookup, parse_ip};

    use super::super::draw::Draw;
    use super::*;

    /// An address of each prefix, by chance, with its AS number.
    fn addresses(networks: &[Network]) -> Vec<(String, u32)> {
        let mut draw = Draw::new(1, "networks");
        let prefixes =
            networks.iter().flat_map(|Network(asn, _, all)| all.iter().map(move |one| (one, *asn)));
        prefixes.map(|(prefix, asn)| (draw.address(prefix), asn)).collect()
    }

    fn entry(address: &str) -> Option<&'static catalogue::Network> {
        lookup(parse_ip(address).unwrap(), Request::Click)
    }

    #[test]
    fn microsofts_networks_are_on_file() {
        for (address, _) in [EOP, DEFENDER, EXCHANGE_ONLINE].into_iter().flat_map(addresses) {
            assert!(
                entry(&address).is_some_and(|network| network.vendor.starts_with("microsoft")),
                "{address}"
            );
        }
    }

    #[test]
    fn gateways_and_relays_are_on_file() {
        use Class::{HumanProxy, Relay, ScannerCertain, ScannerProbable, ThreatIntelligence};
        let scanners = &[ScannerCertain, ScannerProbable, ThreatIntelligence][..];
        let vendors = [PROOFPOINT, MIMECAST, BARRACUDA, CISCO, TREND_MICRO, SYMANTEC, OTHER_GATEWAYS];
        let vendors = vendors.into_iter().chain([THREAT_INTELLIGENCE]).map(|networks| (networks, scanners));
        for (networks, classes) in vendors.chain([(ZSCALER, &[HumanProxy][..]), (APPLE_RELAY, &[Relay])]) {
            for (address, asn) in addresses(networks) {
                let found = entry(&address).or_else(|| catalogue::system(asn.into(), Request::Click));
                let class = found.map(|network| network.class);
                assert!(
                    class.is_some_and(|class| classes.contains(&class)),
                    "{address} of AS{asn}: {class:?}"
                );
            }
        }
    }

    #[test]
    fn people_come_from_no_network_on_file() {
        for (address, asn) in [HOME, MOBILE, OFFICE].into_iter().flat_map(addresses) {
            assert!(entry(&address).is_none(), "{address}");
            assert!(catalogue::system(asn.into(), Request::Click).is_none(), "AS{asn}");
        }
    }
}
