//! Lookups at the borders of what the contract names and against a plain scan of the data files.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proptest::prelude::*;

use super::{Class, Network, Request, Scope, lookup, parse_ip, system, wrapper, wrapper_in_referer};
use crate::compile::networks::{Section, parse};
use crate::compile::wrappers;

const NETWORKS_TEXT: &str = include_str!("networks.txt");

fn network_of(text: &str) -> Option<&'static Network> {
    lookup(parse_ip(text)?, Request::Click)
}

#[test]
fn the_published_ranges_are_microsofts_to_their_last_address() {
    let cases = [
        ("40.91.255.255", false),
        ("40.92.0.0", true),
        ("40.92.255.255", true),
        // The filter's service tag goes on to here.
        ("40.93.0.0", true),
        ("40.95.255.255", true),
        ("52.95.255.255", false),
        ("52.96.0.0", true),
        ("52.99.255.255", true),
        ("52.100.0.0", true),
        ("52.103.255.255", true),
        ("52.104.0.0", true),
        ("52.111.255.255", true),
        ("52.112.0.0", false),
        ("2a01:110:ffff:ffff:ffff:ffff:ffff:ffff", false),
        ("2a01:111::", true),
        ("2a01:111:ffff:ffff:ffff:ffff:ffff:ffff", true),
        ("2a01:112::", false),
        ("0.0.0.0", false),
        ("255.255.255.255", false),
        ("::", false),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false),
        // Azure, where anybody's machines are; Teams and Bing, which the published table does not know.
        ("20.72.100.79", false),
        ("40.64.64.91", false),
        ("52.123.190.36", false),
        ("40.77.167.67", false),
    ];
    for (text, expected) in cases {
        assert_eq!(network_of(text).is_some_and(Network::is_microsoft), expected, "{text}");
    }
}

#[test]
fn nested_prefixes_give_the_longest_ones_network() {
    let cases = [
        ("40.92.0.1", "Defender table: mail filter", Class::ScannerCertain),
        ("40.94.16.1", "Exchange Online Protection: service tag", Class::ScannerCertain),
        ("40.96.0.1", "Exchange Online: endpoint list", Class::ScannerProbable),
        ("52.96.0.1", "Exchange Online: endpoint list", Class::ScannerProbable),
        ("52.100.0.1", "Exchange Online Protection: service tag", Class::ScannerCertain),
        ("52.104.0.1", "Defender table: wide ranges", Class::ScannerProbable),
        ("104.47.47.1", "Exchange Online Protection: service tag", Class::ScannerCertain),
        ("104.47.126.1", "Exchange Online Protection: endpoint list", Class::ScannerCertain),
        ("2a01:111:f400::1", "Exchange Online Protection: service tag", Class::ScannerCertain),
        ("2a01:111:f401::1", "Defender table: wide ranges", Class::ScannerProbable),
        (
            "2a01:111:f400:0:ffff:ffff:ffff:ffff",
            "Exchange Online Protection: service tag",
            Class::ScannerCertain,
        ),
    ];
    for (text, name, class) in cases {
        let network = network_of(text);
        assert_eq!(network.map(|network| (network.name, network.class)), Some((name, class)), "{text}");
    }
}

#[test]
fn a_mapped_address_is_its_ipv4_address() {
    for text in ["::ffff:40.92.1.2", "::FFFF:285c:102", "0:0:0:0:0:ffff:40.92.1.2"] {
        assert_eq!(parse_ip(text), Some(IpAddr::V4(Ipv4Addr::new(40, 92, 1, 2))), "{text}");
    }
    let uncanonical = IpAddr::V6(Ipv4Addr::new(40, 92, 1, 2).to_ipv6_mapped());
    assert!(lookup(uncanonical, Request::Click).is_some_and(Network::is_microsoft));
    assert!(!network_of("::ffff:52.112.0.0").is_some_and(Network::is_microsoft));
    assert!(network_of("::ffff:52.95.255.255").is_none());
    // Other ways to embed an IPv4 address are not mapped ones.
    assert!(network_of("::40.92.1.2").is_none());
    assert!(network_of("64:ff9b::40.92.1.2").is_none());
}

#[test]
fn what_is_no_plain_address_is_unreadable() {
    let texts = [
        "",
        " ",
        "40.92.1",
        "40.92.1.1.",
        "40.92.1.256",
        "040.92.1.1",
        "0x28.92.1.1",
        "40.92.1.1 ",
        " 40.92.1.1",
        "1.2.3.4:80",
        "40.92.0.0/16",
        "[::1]",
        "fe80::1%eth0",
        "2a01:111::1::",
        "2a01:111:",
        "unknown",
        "40.92.1.1,40.92.1.2",
    ];
    for text in texts {
        assert_eq!(parse_ip(text), None, "{text:?}");
    }
}

#[test]
fn vendor_and_class_make_a_network_microsofts_or_a_gateways() {
    let cases = [
        ("microsoft", Class::ScannerCertain, true, false),
        ("microsoft-eop", Class::ScannerProbable, true, false),
        ("not-microsoft", Class::ScannerCertain, false, true),
        ("mimecast", Class::ScannerProbable, false, true),
        ("mimecast", Class::HumanProxy, false, false),
        ("netcraft", Class::ThreatIntelligence, false, false),
        ("ovh", Class::Hosting, false, false),
    ];
    for (vendor, class, is_microsoft, is_gateway) in cases {
        let network = Network {
            name: "microsoft",
            vendor,
            class,
            scope: Scope::All,
            has_people: false,
            source: "",
            date: "",
        };
        assert_eq!((network.is_microsoft(), network.is_gateway()), (is_microsoft, is_gateway), "{network:?}");
    }
}

#[test]
fn a_section_speaks_of_its_own_requests_alone() {
    let found = |text: &str, request| {
        lookup(text.parse().unwrap(), request).map(|network| (network.vendor, network.class))
    };
    // Outlook on the web: a click is not the recipient's browser, an open may be the recipient's.
    assert_eq!(found("52.96.0.1", Request::Click), Some(("microsoft", Class::ScannerProbable)));
    assert_eq!(found("52.96.0.1", Request::Open), Some(("microsoft", Class::ImageProxy)));
    assert_eq!(found("40.100.3.4", Request::Open), Some(("microsoft", Class::ImageProxy)));
    // The filter is one, whatever it asks for.
    assert_eq!(found("52.100.0.1", Request::Open), Some(("microsoft", Class::ScannerCertain)));
    // Gmail's proxy makes no clicks.
    assert_eq!(found("66.249.84.1", Request::Open), Some(("google", Class::ImageProxy)));
    assert_eq!(found("66.249.84.1", Request::Click), None);
    // Apple's own network asks for iCloud's images; of clicks it says nothing, save where its crawler is.
    assert_eq!(found("17.1.2.3", Request::Open), Some(("apple", Class::ImageProxy)));
    assert_eq!(found("2620:149:a44::1", Request::Open), Some(("apple", Class::ImageProxy)));
    assert_eq!(found("2620:149:a44::1", Request::Click), None);

    let found = |asn, request| system(asn, request).map(|network| (network.vendor, network.class));
    assert_eq!(found(15169, Request::Click), Some(("google", Class::Hosting)));
    assert_eq!(found(15169, Request::Open), Some(("google", Class::ImageProxy)));
    assert_eq!(found(36646, Request::Click), None);
    assert_eq!(found(36646, Request::Open), Some(("yahoo", Class::ImageProxy)));
    assert_eq!(found(714, Request::Open), Some(("apple", Class::ImageProxy)));
}

#[test]
fn each_class_has_its_networks() {
    let cases = [
        ("209.222.82.1", "barracuda", Class::ScannerCertain),
        ("209.222.81.1", "barracuda", Class::ScannerProbable),
        ("67.231.144.1", "proofpoint", Class::ScannerProbable),
        ("91.220.42.1", "mimecast", Class::ScannerProbable),
        ("68.232.129.1", "cisco", Class::ScannerProbable),
        ("85.158.136.1", "symantec", Class::ScannerProbable),
        ("66.180.80.1", "trendmicro", Class::ScannerProbable),
        ("91.236.64.1", "netcraft", Class::ThreatIntelligence),
        ("96.45.36.1", "fortinet", Class::Hosting),
        ("87.58.64.1", "zscaler", Class::HumanProxy),
        ("104.28.28.1", "apple", Class::Relay),
        ("2a09:bac2:1234:5678::1", "apple", Class::Relay),
    ];
    for (text, vendor, class) in cases {
        let network = network_of(text).map(|network| (network.vendor, network.class));
        assert_eq!(network, Some((vendor, class)), "{text}");
    }
}

/// What an export without AS numbers needs, each with an address beside it that is somebody else's.
#[test]
fn an_address_alone_tells_whose_it_is() {
    let cases = [
        // Gateways and crawlers in clouds, where the AS number would say hosting.
        ("67.219.246.1", Some(("symantec", Class::ScannerProbable))),
        ("195.245.230.1", Some(("symantec", Class::ScannerProbable))),
        ("195.245.232.1", None),
        ("64.74.215.51", Some(("paloalto", Class::ThreatIntelligence))),
        ("64.74.214.51", None),
        ("65.154.226.101", Some(("paloalto", Class::ThreatIntelligence))),
        ("70.42.131.106", Some(("paloalto", Class::ThreatIntelligence))),
        ("74.217.90.250", Some(("paloalto", Class::ThreatIntelligence))),
        ("74.217.90.249", None),
        ("35.203.211.255", Some(("paloalto", Class::ThreatIntelligence))),
        ("35.203.212.0", None),
        ("2604:a940:301:225::1", Some(("paloalto", Class::ThreatIntelligence))),
        ("18.97.5.127", Some(("crowdstrike", Class::ThreatIntelligence))),
        ("18.97.5.128", None),
        // The same house's firewalls and its people's VPN stay where they were.
        ("66.232.32.1", Some(("paloalto", Class::Hosting))),
        // Single addresses that click, and their neighbours.
        ("54.70.53.60", Some(("unnamed", Class::ScannerProbable))),
        ("54.70.53.61", None),
        // Barracuda's, and what it has sold to an access provider.
        ("64.235.150.252", Some(("barracuda", Class::ScannerProbable))),
        ("64.235.148.1", None),
        // On Adobe's list too, and people's all the same: a university, a hospital, an access provider, Google's proxies.
        ("128.220.160.1", None),
        ("162.129.251.14", None),
        ("60.28.2.248", None),
        ("66.249.91.149", None),
        // People behind proxies, some of them in Google's cloud.
        ("82.145.222.200", Some(("opera", Class::HumanProxy))),
        ("82.145.224.0", None),
        ("77.111.246.93", Some(("opera", Class::HumanProxy))),
        ("107.178.47.255", Some(("puffin", Class::HumanProxy))),
        ("107.178.48.0", None),
        ("148.64.14.164", Some(("symantec-wss", Class::HumanProxy))),
        ("148.64.32.0", None),
        ("163.116.200.1", Some(("netskope", Class::HumanProxy))),
        ("146.112.1.1", Some(("cisco-umbrella", Class::HumanProxy))),
        ("208.87.239.1", Some(("forcepoint", Class::HumanProxy))),
        // Fetchers are worth a hoster's vote.
        ("52.112.103.113", Some(("teams", Class::Hosting))),
        ("52.116.0.0", None),
        ("40.77.167.67", Some(("bing", Class::Hosting))),
        ("66.249.66.1", Some(("google", Class::Hosting))),
        ("17.241.208.161", Some(("apple", Class::Hosting))),
        ("17.1.2.3", None),
        ("149.154.161.1", Some(("telegram", Class::Hosting))),
    ];
    for (text, expected) in cases {
        let network = network_of(text).map(|network| (network.vendor, network.class));
        assert_eq!(network, expected, "{text}");
    }
}

#[test]
fn every_number_of_microsofts_is_a_vote_and_no_more() {
    let numbers =
        (8068..=8075).chain([3598, 12076, 6584, 23468, 45139, 58862, 59067, 63314, 200_517, 396_463]);
    for number in numbers {
        let network = system(number, Request::Click).map(|network| (network.vendor, network.class));
        assert_eq!(network, Some(("microsoft", Class::Hosting)), "AS{number}");
    }
    // Neighbours, and the numbers of houses that Microsoft bought and left apart.
    for number in [8067, 8076, 3597, 12077] {
        assert_eq!(system(number, Request::Click), None, "AS{number}");
    }
    assert_eq!(system(14413, Request::Click).map(|network| network.vendor), Some("linkedin"));
}

#[test]
fn a_system_is_known_by_its_very_number() {
    let cases = [
        (22843, Some(("proofpoint", Class::ScannerProbable))),
        (22842, None),
        (22844, None),
        (8075, Some(("microsoft", Class::Hosting))),
        (55256, Some(("netskope", Class::HumanProxy))),
        (36183, Some(("apple", Class::Relay))),
        (16276, Some(("ovh", Class::Hosting))),
        (39832, Some(("opera", Class::HumanProxy))),
        (32934, Some(("meta", Class::Hosting))),
        (398_324, Some(("censys", Class::ThreatIntelligence))),
        (398_325, None),
        // People and machines alike.
        (13335, None),
        (714, None),
        // Numbers that circulate as mail scanners' and are not.
        (34440, None),
        (60067, None),
        (19740, None),
        (395_747, None),
        (0, None),
        (-1, None),
        (i64::MAX, None),
        (i64::from(u32::MAX) + 1 + 22843, None),
    ];
    for (asn, expected) in cases {
        let found = system(asn, Request::Click).map(|network| (network.vendor, network.class));
        assert_eq!(found, expected, "AS{asn}");
    }
}

#[test]
fn a_relay_and_a_human_proxy_come_before_everything() {
    let sections = parse(NETWORKS_TEXT).unwrap();
    let people = |class| matches!(class, Class::Relay | Class::HumanProxy);
    for section in sections.iter().filter(|section| people(section.class)) {
        for ip in section.prefixes.iter().flat_map(|prefix| [prefix.network(), prefix.broadcast()]) {
            for request in [Request::Click, Request::Open] {
                assert!(lookup(ip, request).is_some_and(|network| people(network.class)), "{ip} {request:?}");
            }
        }
    }
}

const fn scope_of(request: Request) -> Scope {
    match request {
        Request::Click => Scope::Clicks,
        Request::Open => Scope::Opens,
    }
}

/// The section of the longest prefix that holds an address, and of two the one with the request's own scope, by looking at
/// every prefix.
fn scan(sections: &[Section], ip: IpAddr, scope: Scope) -> Option<&Section> {
    let sections = sections.iter().filter(|section| section.scope == Scope::All || section.scope == scope);
    let prefixes = sections.flat_map(|section| section.prefixes.iter().map(move |prefix| (prefix, section)));
    prefixes
        .filter(|(prefix, _)| prefix.contains(&ip))
        .max_by_key(|(prefix, section)| (prefix.prefix_len(), section.scope == scope))
        .map(|(_, section)| section)
}

/// The first and last address of every prefix, and their neighbours outside it.
fn borders(prefix: &IpNet) -> Vec<IpAddr> {
    match prefix {
        IpNet::V4(net) => {
            let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
            let all = [first.wrapping_sub(1), first, last, last.wrapping_add(1)];
            all.map(|bits| Ipv4Addr::from(bits).into()).to_vec()
        }
        IpNet::V6(net) => {
            let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
            let all = [first.wrapping_sub(1), first, last, last.wrapping_add(1)];
            all.map(|bits| Ipv6Addr::from(bits).into()).to_vec()
        }
    }
}

type Facts<'a> = (&'a str, &'a str, Class, Scope, &'a str, &'a str);

fn facts(network: &Network) -> Facts<'_> {
    let Network { name, vendor, class, scope, has_people: _, source, date } = *network;
    (name, vendor, class, scope, source, date)
}

fn facts_of(section: &Section) -> Facts<'_> {
    let Section { name, vendor, class, scope, source, date, .. } = section;
    (name, vendor, *class, *scope, source, date)
}

fn assert_lookup_is_scan(sections: &[Section], ip: IpAddr) {
    for request in [Request::Click, Request::Open] {
        let expected = scan(sections, ip.to_canonical(), scope_of(request)).map(facts_of);
        assert_eq!(lookup(ip, request).map(facts), expected, "{ip} {request:?}");
    }
}

#[test]
fn lookup_is_a_scan_at_every_border() {
    let sections = parse(NETWORKS_TEXT).unwrap();
    for ip in sections.iter().flat_map(|section| &section.prefixes).flat_map(borders) {
        assert_lookup_is_scan(&sections, ip);
    }
}

#[test]
fn a_system_is_found_as_the_file_has_it() {
    let sections = parse(NETWORKS_TEXT).unwrap();
    for number in sections.iter().flat_map(|section| &section.systems).flat_map(|n| [n - 1, *n, n + 1]) {
        for request in [Request::Click, Request::Open] {
            let of = |scope| {
                let holds = |section: &&Section| section.scope == scope && section.systems.contains(&number);
                sections.iter().find(holds)
            };
            let expected = of(scope_of(request)).or_else(|| of(Scope::All)).map(facts_of);
            assert_eq!(system(number.into(), request).map(facts), expected, "AS{number} {request:?}");
        }
    }
}

#[test]
fn lookup_is_a_scan_anywhere() {
    let sections = parse(NETWORKS_TEXT).unwrap();
    let prefixes: Vec<_> = sections.iter().flat_map(|section| section.prefixes.clone()).collect();
    // An address inside a prefix, or near it when some of the prefix's bits are turned over too.
    let near =
        (prop::sample::select(prefixes), any::<u128>(), 0..=8_u32).prop_map(|(prefix, random, above)| {
            let host_bits =
                (u32::from(prefix.max_prefix_len()) - u32::from(prefix.prefix_len()) + above).min(127);
            let noise = random & ((1 << host_bits) - 1);
            match prefix.addr() {
                #[expect(clippy::cast_possible_truncation, reason = "IPv4 takes the low bits of the noise")]
                IpAddr::V4(v4) => IpAddr::from(Ipv4Addr::from(u32::from(v4) ^ noise as u32)),
                IpAddr::V6(v6) => IpAddr::from(Ipv6Addr::from(u128::from(v6) ^ noise)),
            }
        });
    let anywhere = prop_oneof![8 => near, 1 => any::<Ipv4Addr>().prop_map(IpAddr::from), 1 => any::<Ipv6Addr>().prop_map(IpAddr::from)];
    proptest!(ProptestConfig::with_cases(20_000), |(ip in anywhere)| {
        assert_lookup_is_scan(&sections, ip);
    });
}

#[test]
fn a_wrapper_is_a_host_and_not_a_word() {
    let cases = [
        ("https://nam02.safelinks.protection.outlook.com/?url=x", Some("microsoft")),
        ("https://NAM02.SafeLinks.Protection.Outlook.com.:443", Some("microsoft")),
        ("https://urldefense.com/v3/__https://a.example/__;!!x", Some("proofpoint")),
        ("https://www.urldefense.com/", None),
        ("https://evilurldefense.com/", None),
        ("https://urldefense.com.evil.example/", None),
        ("https://evil.example/urldefense.com", None),
        ("https://url.us.m.mimecastprotect.com/s/abc", Some("mimecast")),
        ("https://evil.example@secure-web.cisco.com/", Some("cisco")),
        ("https://secure-web.cisco.com@evil.example/", None),
        ("https://www.cisco.com/", None),
        // Hosts that serve other things too: by the path, whole segments of it.
        ("https://www.google.com/url", Some("google")),
        ("https://www.google.com/url?q=https://a.example/", Some("google")),
        ("https://www.google.com/url/", Some("google")),
        ("https://www.google.com/urls", None),
        ("https://www.google.com/", None),
        ("https://www.google.com", None),
        ("https://www.google.com/?/url", None),
        ("https://x.trendmicro.com/wis/clicktime/v1/query?url=y", Some("trendmicro")),
        ("https://www.trendmicro.com/", None),
        ("https://hes32-ctp.trendmicro.com/", Some("trendmicro")),
        // Parts before and after the vendor's own name.
        ("https://outlook.office.com.mcas.ms/mail/", Some("microsoft")),
        ("https://mcas.ms.evil.example/", None),
        ("https://links.eu1.defend.egress.com/Warning?crId=1", Some("knowbe4")),
        ("https://www.egress.com/", None),
        ("https://0a1b2c3d.isolation.zscaler.com/profile/", Some("zscaler")),
        ("https://www.zscaler.com/", None),
        ("https://link.zixcentral.com/u/0/1?u=x", Some("zix")),
        ("https://scanner.topsec.com/?d=1&u=x", Some("topsec")),
        ("android-app://com.google.android.gm/", None),
        ("urldefense.com", None),
        ("", None),
    ];
    for (referer, vendor) in cases {
        assert_eq!(wrapper_in_referer(referer).map(|wrapper| wrapper.vendor), vendor, "{referer}");
    }
    assert_eq!(wrapper("Link.EdgePilot.com.", "").map(|wrapper| wrapper.vendor), Some("zix"));
}

#[test]
fn every_wrapper_of_the_file_is_found() {
    for section in wrappers::parse(include_str!("wrappers.txt")).unwrap() {
        for host in &section.hosts {
            let below = format!("a.{}", host.name);
            let of = |name: &str| wrapper(name, &host.path).map(|wrapper| wrapper.name);
            assert_eq!(of(&host.name), Some(section.name.as_str()), "{host:?}");
            assert_eq!(of(&below) == Some(section.name.as_str()), host.below, "{host:?}");
        }
    }
}
