//! Lookups at the borders of what the contract names and against a plain scan of the data files; the compiler's own part.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proptest::prelude::*;

use super::{Class, Feed, Network, Request, Scope, lookup, parse_ip, system, wrapper, wrapper_in_referer};
use crate::compile::networks::{FeedPart, Section, parse};
use crate::compile::ranges::{Range, Ranges, flatten, stretches};
use crate::compile::{Mistake, wrappers};

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
        // Azure, where anybody's machines are.
        ("20.72.100.79", false),
        ("40.64.64.91", false),
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
    assert!(network_of("::ffff:52.112.0.0").is_none());
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
        let network = Network { name: "microsoft", vendor, class, scope: Scope::All, source: "", date: "" };
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

    let found = |asn, request| system(asn, request).map(|network| (network.vendor, network.class));
    assert_eq!(found(15169, Request::Click), Some(("google", Class::Hosting)));
    assert_eq!(found(15169, Request::Open), Some(("google", Class::ImageProxy)));
    assert_eq!(found(36646, Request::Click), None);
    assert_eq!(found(36646, Request::Open), Some(("yahoo", Class::ImageProxy)));
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
    let Network { name, vendor, class, scope, source, date } = *network;
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

fn section(prefixes: &[&str]) -> Section {
    Section {
        name: String::new(),
        vendor: String::new(),
        class: Class::ScannerCertain,
        scope: Scope::All,
        source: String::new(),
        date: String::new(),
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
    /// Prefixes from a small space nest and touch in every way.
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
        for octet in 0..=255 {
            let ip = Ipv4Addr::new(10, 0, 0, octet);
            let bits = u128::from(u32::from(ip));
            let found = flat.iter().find(|range| range.first <= bits && bits <= range.last).map(|range| range.section);
            let expected = scan(&sections, ip.into(), Scope::All).map(|expected| {
                sections.iter().position(|section| std::ptr::eq(section, expected)).unwrap()
            });
            prop_assert_eq!(found, expected, "{}", ip);
        }
    }
}

#[test]
fn a_section_is_read_with_its_comments() {
    let text = "# for people\n\n [ Some name ] # a note\nvendor = some-vendor2\nclass=scanner-probable\n\
                scope = opens\nsource = issue #7 of a=b\ndate = 2026-09\nfeed = azure SomeTag\nblocks = 24 40\n\
                192.0.2.0/24 # why = this\nAS64496\n2001:db8::/32\n";
    let expected = Section {
        name: "Some name".to_owned(),
        vendor: "some-vendor2".to_owned(),
        class: Class::ScannerProbable,
        scope: Scope::Opens,
        source: "issue #7 of a=b".to_owned(),
        date: "2026-09".to_owned(),
        feed: Some(FeedPart { feed: Feed::Azure, parts: vec!["SomeTag".to_owned()], blocks: Some((24, 40)) }),
        prefixes: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        systems: vec![64496],
    };
    assert_eq!(parse(text), Ok(vec![expected]));
}

#[test]
fn mistakes_are_named_with_their_line() {
    let good =
        "[One]\nvendor = v\nclass = scanner-certain\nsource = s\ndate = 2026\nscope = all\n192.0.2.0/24\n";
    assert!(parse(good).is_ok());
    let with = |from: &str, to: &str| good.replace(from, to);
    let and = |more: &str| format!("{good}{more}\n");
    let cases = [
        (and("192.0.2.0/33"), 8, "`192.0.2.0/33` is neither a setting, a prefix"),
        (and("192.0.2.1"), 8, "is neither a setting, a prefix"),
        (and("2001:db8::g/32"), 8, "is neither a setting, a prefix"),
        (and("40.92.1.0/16"), 8, "has bits set beyond its length: is 40.92.0.0/16 meant?"),
        (and("2001:db8::1/32"), 8, "has bits set beyond its length: is 2001:db8::/32 meant?"),
        (and("2001:DB8::/32"), 8, "write 2001:DB8::/32 as 2001:db8::/32"),
        (and("::ffff:192.0.2.0/120"), 8, "write it as an IPv4 prefix"),
        (and("192.0.2.0/24"), 8, "`192.0.2.0/24` already stands on line 7"),
        (and("[Two]\nscope = all\n192.0.2.0/24"), 10, "already stands on line 7"),
        (and("AS0"), 8, "`AS0` is no AS number such as AS64496"),
        (and("AS064496"), 8, "is no AS number"),
        (and("AS4294967296"), 8, "is no AS number"),
        (and("as64496"), 8, "is neither a setting, a prefix"),
        (and("AS64496\nAS64496"), 9, "`AS64496` already stands on line 8"),
        (and("2001:db8::/65"), 8, "2001:db8::/65 is longer than /64"),
        (and("feed = bing"), 8, "there is no feed `bing`, only azure, microsoft365, apple, google, aws"),
        (and("feed = azure"), 8, "name one tag"),
        (and("feed = azure One Two"), 8, "name one tag"),
        (and("feed = microsoft365"), 8, "name its sets"),
        (and("feed = microsoft365 nine"), 8, "name its sets"),
        (and("feed = aws"), 8, "name one service"),
        (and("feed = apple v4"), 8, "it is taken as a whole"),
        (and("blocks = 24 40"), 8, "add `feed = …`"),
        (and("feed = apple\nblocks = 24"), 9, "`blocks` is two lengths"),
        (and("feed = apple\nblocks = 33 40"), 9, "`blocks` is two lengths"),
        (and("feed = apple\nblocks = 24 65"), 9, "`blocks` is two lengths"),
        (and("[One]"), 8, "there is already a section `One`"),
        (and("[]"), 8, "a section begins with"),
        (and("[Two"), 8, "a section begins with"),
        (
            and("[Two]\nvendor = v\nclass = scanner-certain\nscope = all\nsource = s\ndate = 2026"),
            8,
            "section `Two` has no prefixes or AS numbers",
        ),
        (
            and("note = n"),
            8,
            "`note` is no setting of a section: those are vendor, class, scope, source, date, feed, blocks",
        ),
        (and("date = 2026"), 8, "`date` is set twice"),
        (with("vendor = v\n", ""), 1, "section `One` has no `vendor = …`"),
        (with("class = scanner-certain\n", ""), 1, "section `One` has no `class = …`"),
        (with("source = s\n", ""), 1, "section `One` has no `source = …`"),
        (with("date = 2026\n", ""), 1, "section `One` has no `date = …`"),
        (with("source = s", "source ="), 4, "`source` is empty"),
        (with("vendor = v", "vendor = Vendor"), 2, "a vendor is lower-case letters"),
        (
            with("scanner-certain", "scanner"),
            3,
            "there is no class `scanner`, only scanner-certain, scanner-probable, threat-intelligence, human-proxy",
        ),
        (with("scope = all", "scope = clicked"), 6, "there is no scope `clicked`, only all, clicks, opens"),
        (with("scope = all\n", ""), 1, "section `One` has no `scope = …`"),
        (with("2026", "n/a"), 5, "a date is YYYY, YYYY-MM or YYYY-MM-DD, not `n/a`"),
        (with("2026", "2026-13"), 5, "a date is"),
        (with("2026", "2026-12-32"), 5, "a date is"),
        (with("2026", "2026-12-31-1"), 5, "a date is"),
        (with("2026", "2026-1"), 5, "a date is"),
        (with("2026", "+026"), 5, "a date is"),
        (with("[One]\n", ""), 1, "`vendor = v` stands before the first `[section]`"),
    ];
    for (text, expected_line, expected_text) in cases {
        let Mistake { line, text: message } = parse(&text).expect_err(&text);
        assert_eq!(line, expected_line, "{message}\n{text}");
        assert!(message.contains(expected_text), "{message}\n{text}");
    }
}

#[test]
fn a_feed_is_widened_to_its_sections_blocks() {
    let widened = |blocks, prefixes: &[&str]| -> Vec<_> {
        let part = FeedPart { feed: Feed::Apple, parts: Vec::new(), blocks };
        let prefixes = prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect();
        part.widen(prefixes).iter().map(ToString::to_string).collect()
    };
    let feed = [
        "2001:db8:aabb:ccdd::/64",
        "2001:db8:aa00:1::7/128",
        "192.0.3.1/32",
        "192.0.2.77/32",
        "192.0.2.0/28",
        "10.0.0.0/16",
        "10.0.0.0/16",
    ];
    assert_eq!(widened(Some((24, 40)), &feed), ["10.0.0.0/16", "192.0.2.0/23", "2001:db8:aa00::/40"]);
    let plain = [
        "10.0.0.0/16",
        "192.0.2.0/28",
        "192.0.2.77/32",
        "192.0.3.1/32",
        "2001:db8:aa00:1::/64",
        "2001:db8:aabb:ccdd::/64",
    ];
    assert_eq!(widened(None, &feed), plain);
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

#[test]
fn mistakes_in_a_wrapper_are_named_with_their_line() {
    let good = "[One]\nvendor = v\nstatus = seen\nsource = s\ndate = 2026\nlink.example.com\n";
    assert!(wrappers::parse(good).is_ok());
    let and = |more: &str| format!("{good}{more}\n");
    let cases = [
        (and("Link.example.com"), 7, "is neither a setting nor a host in lower case"),
        (and("example"), 7, "is neither a setting nor a host"),
        (and("*.com.."), 7, "is neither a setting nor a host"),
        (and("a.*.example.com"), 7, "is neither a setting nor a host"),
        (and("https://link.example.com"), 7, "is neither a setting nor a host"),
        (and("link.example.com"), 7, "already stands on line 6"),
        (
            and("class = relay"),
            7,
            "`class` is no setting of a section: those are vendor, status, source, date",
        ),
        (good.replace("seen", "sene"), 3, "there is no status `sene`, only documented, seen, believed"),
        (good.replace("link.example.com\n", ""), 1, "section `One` has no hosts"),
    ];
    for (text, expected_line, expected_text) in cases {
        let Mistake { line, text: message } = wrappers::parse(&text).expect_err(&text);
        assert_eq!(line, expected_line, "{message}\n{text}");
        assert!(message.contains(expected_text), "{message}\n{text}");
    }
}
