//! Lookups at the borders of what the contract names and against a plain scan of the data file; the compiler's own part.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proptest::prelude::*;

use super::tables::{Mistake, Range, Section, flatten, parse};
use super::{Class, Network, lookup, parse_ip};

const DATA: &str = include_str!("networks.txt");

fn network_of(text: &str) -> Option<&'static Network> {
    lookup(parse_ip(text)?)
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
    assert!(lookup(uncanonical).is_some_and(Network::is_microsoft));
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
fn only_the_vendor_makes_a_network_microsofts() {
    let with_vendor =
        |vendor| Network { name: "microsoft", vendor, class: Class::ScannerCertain, source: "", date: "" };
    for (vendor, expected) in
        [("microsoft", true), ("microsoft-eop", true), ("not-microsoft", false), ("mimecast", false)]
    {
        assert_eq!(with_vendor(vendor).is_microsoft(), expected, "{vendor}");
    }
}

/// The section of the longest prefix that holds an address, by looking at every prefix.
fn scan(sections: &[Section], ip: IpAddr) -> Option<&Section> {
    let prefixes =
        sections.iter().flat_map(|section| section.prefixes.iter().map(move |prefix| (prefix, section)));
    prefixes
        .filter(|(prefix, _)| prefix.contains(&ip))
        .max_by_key(|(prefix, _)| prefix.prefix_len())
        .map(|(_, s)| s)
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

fn assert_lookup_is_scan(sections: &[Section], ip: IpAddr) {
    let found =
        lookup(ip).map(|network| (network.name, network.vendor, network.class, network.source, network.date));
    let expected = scan(sections, ip.to_canonical()).map(|section| {
        let Section { name, vendor, class, source, date, .. } = section;
        (name.as_str(), vendor.as_str(), *class, source.as_str(), date.as_str())
    });
    assert_eq!(found, expected, "{ip}");
}

#[test]
fn lookup_is_a_scan_at_every_border() {
    let sections = parse(DATA).unwrap();
    for ip in sections.iter().flat_map(|section| &section.prefixes).flat_map(borders) {
        assert_lookup_is_scan(&sections, ip);
    }
}

#[test]
fn lookup_is_a_scan_anywhere() {
    let sections = parse(DATA).unwrap();
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
        source: String::new(),
        date: String::new(),
        prefixes: prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect(),
    }
}

fn flat_v4(sections: &[Section]) -> Vec<(String, String, usize)> {
    let text = |bits: u128| u32::try_from(bits).map(|bits| Ipv4Addr::from(bits).to_string()).unwrap();
    let [v4, v6] = flatten(sections);
    assert!(v6.is_empty());
    v4.iter().map(|range| (text(range.first), text(range.last), range.section)).collect()
}

/// The prefixes of each section.
type Prefixes<'a> = &'a [&'a [&'a str]];
/// First address, last address, number of the section.
type Ranges<'a> = &'a [(&'a str, &'a str, usize)];

#[test]
fn flattening_cuts_the_inner_prefix_out_of_the_outer() {
    let cases: [(Prefixes, Ranges); 9] = [
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
    let [v4, v6] = flatten(&[section(&["::/0", "0.0.0.0/8"]), section(&["ffff::/16", "::/128"])]);
    assert_eq!(v4, [Range { first: 0, last: 0x00ff_ffff, section: 0 }]);
    let inner = 0xffff << 112;
    assert_eq!(
        v6,
        [
            Range { first: 0, last: 0, section: 1 },
            Range { first: 1, last: inner - 1, section: 0 },
            Range { first: inner, last: u128::MAX, section: 1 },
        ]
    );
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
        let [flat, _] = flatten(&sections);
        prop_assert!(flat.is_sorted_by(|a, b| a.last < b.first), "{:?}", flat);
        for octet in 0..=255 {
            let ip = Ipv4Addr::new(10, 0, 0, octet);
            let bits = u128::from(u32::from(ip));
            let found = flat.iter().find(|range| range.first <= bits && bits <= range.last).map(|range| range.section);
            let expected = scan(&sections, ip.into()).map(|expected| {
                sections.iter().position(|section| std::ptr::eq(section, expected)).unwrap()
            });
            prop_assert_eq!(found, expected, "{}", ip);
        }
    }
}

#[test]
fn a_section_is_read_with_its_comments() {
    let text = "# for people\n\n [ Some name ] # a note\nvendor = some-vendor2\nclass=scanner-probable\n\
                source = issue #7 of a=b\ndate = 2026-09\n192.0.2.0/24 # why = this\n2001:db8::/32\n";
    let expected = Section {
        name: "Some name".to_owned(),
        vendor: "some-vendor2".to_owned(),
        class: Class::ScannerProbable,
        source: "issue #7 of a=b".to_owned(),
        date: "2026-09".to_owned(),
        prefixes: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
    };
    assert_eq!(parse(text), Ok(vec![expected]));
}

#[test]
fn mistakes_are_named_with_their_line() {
    let good = "[One]\nvendor = v\nclass = scanner-certain\nsource = s\ndate = 2026\n192.0.2.0/24\n";
    assert!(parse(good).is_ok());
    let with = |from: &str, to: &str| good.replace(from, to);
    let and = |more: &str| format!("{good}{more}\n");
    let cases = [
        (and("192.0.2.0/33"), 7, "`192.0.2.0/33` is neither a setting nor a prefix"),
        (and("192.0.2.1"), 7, "is neither a setting nor a prefix"),
        (and("2001:db8::g/32"), 7, "is neither a setting nor a prefix"),
        (and("40.92.1.0/16"), 7, "has bits set beyond its length: is 40.92.0.0/16 meant?"),
        (and("2001:db8::1/32"), 7, "has bits set beyond its length: is 2001:db8::/32 meant?"),
        (and("2001:DB8::/32"), 7, "write 2001:DB8::/32 as 2001:db8::/32"),
        (and("::ffff:192.0.2.0/120"), 7, "write it as an IPv4 prefix"),
        (and("192.0.2.0/24"), 7, "192.0.2.0/24 already stands on line 6"),
        (and("[Two]\n192.0.2.0/24"), 8, "already stands on line 6"),
        (and("[One]"), 7, "there is already a section `One`"),
        (and("[]"), 7, "a section begins with"),
        (and("[Two"), 7, "a section begins with"),
        (
            and("[Two]\nvendor = v\nclass = scanner-certain\nsource = s\ndate = 2026"),
            7,
            "section `Two` has no prefixes",
        ),
        (and("note = n"), 7, "`note` is no setting of a section: those are vendor, class, source, date"),
        (and("date = 2026"), 7, "`date` is set twice"),
        (with("vendor = v\n", ""), 1, "section `One` has no `vendor = …`"),
        (with("class = scanner-certain\n", ""), 1, "section `One` has no `class = …`"),
        (with("source = s\n", ""), 1, "section `One` has no `source = …`"),
        (with("date = 2026\n", ""), 1, "section `One` has no `date = …`"),
        (with("source = s", "source ="), 4, "`source` is empty"),
        (with("vendor = v", "vendor = Vendor"), 2, "a vendor is lower-case letters"),
        (
            with("scanner-certain", "scanner"),
            3,
            "there is no class `scanner`, only scanner-certain, scanner-probable",
        ),
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
