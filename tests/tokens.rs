//! The form of links: frozen for ever, canonical, and closed to whatever nobody signed.

use base64ct::{Base64UrlUnpadded, Encoding};
use clickproof::link::Link;
use clickproof::link::envelope::Refusal;
use clickproof::link::keys::{Keyring, Purpose};
use clickproof::link::token::{leading, open, seal};
use clickproof::link::url::Target;
use clickproof::record::Kind;
use proptest::prelude::*;

/// Alphabet of tokens.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const K1: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const K2: &str = "k2:7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7g==";

fn ring(keys: &str) -> Keyring {
    let (ring, problems) = Keyring::parse(keys);
    assert!(problems.is_empty(), "{problems:?}");
    ring.unwrap()
}

fn link(kind: Kind, ids: [&str; 3], url: Option<&str>) -> Link {
    let [message_id, recipient_id, link_id] = ids.map(str::to_owned);
    Link {
        kind,
        shards: 1,
        links_total: 4,
        sent_at_ms: 1_795_348_800_000,
        message_id,
        recipient_id,
        link_id,
        group: None,
        url: url.map(|url| Target::parse(url).unwrap()),
    }
}

fn click() -> Link {
    link(Kind::Click, ["spring", "r1", "cta"], Some("https://brand.example/landing?x=1#top"))
}

fn grouped(group: &str, link: Link) -> Link {
    Link { group: Some(group.to_owned()), ..link }
}

/// Tokens as they were first made, computed by hand from the table at the head of `token.rs`. They stand in mailboxes: no change of
/// the code may change a character of them, or refuse one.
fn frozen() -> Vec<Vector> {
    [version_1(), version_2()].concat()
}

/// The keys, what a token says, and the token.
type Vector = (&'static str, Link, &'static str);

fn version_1() -> Vec<Vector> {
    let ids = |link_id| ["spring", "r1", link_id];
    vec![
        (
            K1,
            Link {
                links_total: 3,
                ..link(
                    Kind::Click,
                    ids("cta"),
                    Some("https://brand.example/landing?utm_source=mail&x=%C3%A9#top"),
                )
            },
            "AQgCazEBA4DEgpmgNAZzcHJpbmcCcjEDY3RhYnJhbmQuZXhhbXBsZS9sYW5kaW5nP3V0bV9zb3VyY2U9bWFpbCZ4PSVDMyVBOSN0b3DL\
             sFp6ZDqAm9JkN6j4osRv",
        ),
        (
            K1,
            Link {
                links_total: 1,
                sent_at_ms: 0,
                ..link(Kind::Click, ["~@+=$!:-._", "R.2~-_", "1"], Some("http://a"))
            },
            "AQQCazEBAQAKfkArPSQhOi0uXwZSLjJ-LV8BMWF_JcRgdKUmq7Z1l38S0l5b",
        ),
        (
            K1,
            Link {
                shards: 300,
                links_total: 128,
                sent_at_ms: 8_640_000_000_000_000,
                ..link(
                    Kind::Click,
                    [
                        "0197f6e0-1234-7abc-8def-0123456789ab",
                        "00000000-0000-0000-0000-000000000000",
                        "ffffffff-ffff-ffff-ffff-ffffffffffff",
                    ],
                    Some("https://[2001:db8::1]:8443/"),
                )
            },
            "AQgCazGsAoABgIDwlozBrA8AAZf24BI0eryN7wEjRWeJqwAAAAAAAAAAAAAAAAAAAAAAAP____________________9bMjAwMTpkYjg6\
             OjFdOjg0NDMvl0XHWsmuWfKcc1lGGEYmTQ",
        ),
        (
            // A UUID in capitals is no packed UUID: it comes back as it was given.
            K1,
            Link {
                links_total: 2,
                ..link(
                    Kind::Click,
                    ["0197F6E0-1234-7ABC-8DEF-0123456789AB", "r1", "l"],
                    Some("http://brand.example"),
                )
            },
            "AQQCazEBAoDEgpmgNCQwMTk3RjZFMC0xMjM0LTdBQkMtOERFRi0wMTIzNDU2Nzg5QUICcjEBbGJyYW5kLmV4YW1wbGX7uEFE5x78G5G4\
             Pi19zNp_",
        ),
        (
            K1,
            Link { links_total: 0, ..link(Kind::Open, ids("pixel"), None) },
            "AQECazEBAIDEgpmgNAZzcHJpbmcCcjEFcGl4ZWxiM3lGGsEoVrvDnI3qI6f3",
        ),
        (
            K1,
            link(Kind::Unsubscribe, ids("unsub"), None),
            "AQICazEBBIDEgpmgNAZzcHJpbmcCcjEFdW5zdWJI-5cOfNrV8S9tppQIDD-R",
        ),
        (
            K1,
            link(Kind::Confirm, ids("confirm"), None),
            "AQMCazEBBIDEgpmgNAZzcHJpbmcCcjEHY29uZmlybZ78h8iHyUuWITy8wDI4tIA",
        ),
        (
            K1,
            link(Kind::Confirm, ids("confirm"), Some("https://brand.example/thanks")),
            "AQsCazEBBIDEgpmgNAZzcHJpbmcCcjEHY29uZmlybWJyYW5kLmV4YW1wbGUvdGhhbmtzY_zsR_Mthl4TJADOCEXOsA",
        ),
        (
            K2,
            Link { links_total: 1, ..link(Kind::Click, ids("cta"), Some("https://brand.example/")) },
            "AQgCazIBAYDEgpmgNAZzcHJpbmcCcjEDY3RhYnJhbmQuZXhhbXBsZS_56R2YQtkO7crWG9lvdaLz",
        ),
    ]
}

fn version_2() -> Vec<Vector> {
    let ids = |link_id| ["spring", "r1", link_id];
    vec![
        (
            K1,
            Link {
                links_total: 3,
                ..grouped(
                    "gmail.com",
                    link(
                        Kind::Click,
                        ids("cta"),
                        Some("https://brand.example/landing?utm_source=mail&x=%C3%A9#top"),
                    ),
                )
            },
            "AggCazEBA4DEgpmgNAZzcHJpbmcCcjEDY3RhCWdtYWlsLmNvbWJyYW5kLmV4YW1wbGUvbGFuZGluZz91dG1fc291cmNlPW1haWwmeD0lQzMlQTkj\
             dG9wENPgn-jfI17ei_yCV0O-vg",
        ),
        (
            K2,
            Link {
                shards: 300,
                links_total: 128,
                sent_at_ms: 8_640_000_000_000_000,
                ..grouped(
                    "00000000-0000-0000-0000-000000000000",
                    link(
                        Kind::Click,
                        ["0197f6e0-1234-7abc-8def-0123456789ab", "R.2~-_", "1"],
                        Some("http://a"),
                    ),
                )
            },
            "AgQCazKsAoABgIDwlozBrA8AAZf24BI0eryN7wEjRWeJqwZSLjJ-LV8BMQAAAAAAAAAAAAAAAAAAAAAAYSS2BTYsJMJFSQSaFR-mOic",
        ),
        (
            K1,
            Link { links_total: 0, ..grouped("~", link(Kind::Open, ids("pixel"), None)) },
            "AgECazEBAIDEgpmgNAZzcHJpbmcCcjEFcGl4ZWwBfn9KezaI65wfRZRfn0MBHWc",
        ),
        (
            K1,
            grouped(&"g".repeat(64), link(Kind::Unsubscribe, ids("unsub"), None)),
            "AgICazEBBIDEgpmgNAZzcHJpbmcCcjEFdW5zdWJAZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dn\
             Z2dnZ2dnZ2dnZ0lJ47VCSa5ouzSXSyI6kEc",
        ),
        (
            K1,
            grouped(
                "0197F6E0-1234-7ABC-8DEF-0123456789AB",
                link(Kind::Confirm, ids("confirm"), Some("https://brand.example/thanks")),
            ),
            "AgsCazEBBIDEgpmgNAZzcHJpbmcCcjEHY29uZmlybSQwMTk3RjZFMC0xMjM0LTdBQkMtOERFRi0wMTIzNDU2Nzg5QUJicmFuZC5leGFtcGxlL3Ro\
             YW5rc6gNJdO_M76fa8Oz-HXjoIQ",
        ),
    ]
}

#[test]
fn both_versions_are_frozen() {
    for (keys, link, token) in frozen() {
        assert_eq!(seal(&link, &ring(keys)), token, "{link:?}");
        assert_eq!(open(token, &ring(&format!("{K1},{K2}"))), Ok(link), "{token}");
    }
}

#[test]
fn every_kind_and_scheme_is_among_the_frozen() {
    for vectors in [version_1(), version_2()] {
        for kind in Kind::ALL {
            assert!(vectors.iter().any(|(_, link, _)| link.kind == kind), "{kind:?}");
        }
        for scheme in ["http://", "https://"] {
            let has = |link: &Link| link.url.as_ref().is_some_and(|url| url.as_str().starts_with(scheme));
            assert!(vectors.iter().any(|(_, link, _)| has(link)), "{scheme}");
        }
    }
}

#[test]
fn a_link_outlives_the_rotation_of_its_key() {
    let (old, both, new) = (ring(K1), ring(&format!("{K2},{K1}")), ring(K2));
    let token = seal(&click(), &old);
    assert_eq!(open(&token, &both), Ok(click()));
    assert_eq!(open(&token, &new).unwrap_err().name(), "unknown_key");
    let renamed = ring(&K2.replace("k2:", "k1:"));
    assert_eq!(open(&token, &renamed).unwrap_err().name(), "forged");
    assert_eq!(open(&seal(&click(), &both), &new), Ok(click()), "the first key signs");
}

#[test]
fn a_cookies_signature_is_no_tokens() {
    let keys = ring(K1);
    let token = Base64UrlUnpadded::decode_vec(&seal(&click(), &keys)).unwrap();
    let (body, _) = token.split_at(token.len() - 16);
    let mixed = [body, &keys.sign(Purpose::Cookie, body)].concat();
    assert_eq!(open(&Base64UrlUnpadded::encode_string(&mixed), &keys).unwrap_err().name(), "forged");
}

#[test]
fn what_is_glued_on_behind_a_token_ends_it() {
    let token = seal(&click(), &ring(K1));
    for glued in [
        "",
        ".",
        ",",
        ")",
        ">",
        "]",
        ";",
        "%20",
        "/",
        "/more",
        "&amp;utm_source=x",
        "?utm_source=x",
        "#top",
        "=",
        "==",
        "\"",
        "'",
        " and",
        "é",
        "\u{200b}",
        ".gif",
        "*",
        "|",
    ] {
        assert_eq!(leading(&format!("{token}{glued}")), token, "{glued}");
    }
    assert_eq!(leading(""), "");
    assert_eq!(leading("/x"), "");
}

#[test]
fn the_longest_token_opens() {
    let keys = ring(&K2.replace("k2:", "sixteen-chars-id:"));
    let url = format!("https://{}", "a".repeat(Target::MAX_LEN - "https://".len()));
    let longest = Link {
        shards: u32::MAX,
        links_total: u32::MAX,
        sent_at_ms: 8_640_000_000_000_000,
        ..grouped(
            &"g".repeat(64),
            link(Kind::Click, [&"m".repeat(128), &"r".repeat(64), &"l".repeat(64)], Some(&url)),
        )
    };
    let token = seal(&longest, &keys);
    assert_eq!(open(&token, &keys), Ok(longest));
    assert!(token.len() > 5_900, "{}", token.len());
}

/// Every change of one character, every cut and every addition.
#[test]
fn every_single_alteration_fails() {
    let keys = ring(K1);
    for (_, _, token) in frozen() {
        for at in 0..token.len() {
            let mut altered = token.as_bytes().to_vec();
            for byte in (0..=127).filter(|byte| *byte != token.as_bytes()[at]) {
                altered[at] = byte;
                let text = std::str::from_utf8(&altered).unwrap();
                assert!(open(text, &keys).is_err(), "{text}");
            }
            assert!(open(&token[..at], &keys).is_err(), "cut to {at} of {token}");
            assert!(open(&token[at + 1..], &keys).is_err(), "from {} of {token}", at + 1);
        }
        for more in ALPHABET.iter().chain(b"=+/ \n.").map(|byte| char::from(*byte)) {
            assert!(open(&format!("{token}{more}"), &keys).is_err(), "{token}{more}");
            assert!(open(&format!("{more}{token}"), &keys).is_err(), "{more}{token}");
        }
        assert!(open(&format!("{token}=="), &keys).is_err(), "padded");
    }
}

/// The last character of a token whose bytes do not come in threes has bits that say nothing: only zeros are taken.
#[test]
fn another_spelling_of_the_same_bytes_fails() {
    let keys = ring(K1);
    let (mut stray, mut standard) = (0, 0);
    for (_, link, token) in frozen() {
        let (rest, last) = token.split_at(token.len() - 1);
        let value = ALPHABET.iter().position(|byte| *byte == last.as_bytes()[0]).unwrap();
        let unused = [0, 0, 4, 2][token.len() % 4];
        for bits in 1..1_usize << unused {
            stray += 1;
            let other = format!("{rest}{}", char::from(ALPHABET[value | bits]));
            assert!(open(&other, &keys).is_err(), "{other} for {link:?}");
        }
        let other = token.replace('-', "+").replace('_', "/");
        if other != token {
            standard += 1;
            assert!(open(&other, &keys).is_err(), "{other}");
        }
    }
    assert!(stray > 10 && standard > 2, "the frozen tokens have such spellings: {stray}, {standard}");
}

/// Signs a body as if minting had made it: what lies behind the signature is tried as well.
fn signed(body: &[u8], keys: &Keyring) -> String {
    Base64UrlUnpadded::encode_string(&[body, &keys.sign(Purpose::Token, body)].concat())
}

#[test]
fn a_signed_body_that_minting_would_not_make_is_refused() {
    let keys = ring(K1);
    // Version, kind and scheme, key id; shards, links, sent at; message, recipient, link; URL.
    let head = |byte: u8| [&[1, byte, 2][..], b"k1"].concat();
    let ids = b"\x01m\x01r\x01l";
    let good: [&[u8]; 4] = [&head(8), &[1, 1, 0], ids, b"brand.example/"];
    assert!(open(&signed(&good.concat(), &keys), &keys).is_ok());
    let uuid = [&[36][..], b"0197f6e0-1234-7abc-8def-0123456789ab", b"\x01r\x01l"].concat();
    let bad: [(&str, [&[u8]; 4]); 17] = [
        ("no shards", [&head(8), &[0, 1, 0], ids, b"a"]),
        ("a varint of two bytes for one", [&head(8), &[1, 0x81, 0, 0], ids, b"a"]),
        ("more shards than 32 bits", [&head(8), &[0xff, 0xff, 0xff, 0xff, 0x1f, 1, 0], ids, b"a"]),
        ("more links than 32 bits", [&head(8), &[1, 0xff, 0xff, 0xff, 0xff, 0x1f, 0], ids, b"a"]),
        (
            "a time over 64 bits",
            [&head(8), &[1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], ids, b"a"],
        ),
        ("a fourth scheme", [&head(12), &[1, 1, 0], ids, b"a"]),
        ("a high bit in the head", [&head(0x88), &[1, 1, 0], ids, b"a"]),
        ("a click without URL", [&head(0), &[1, 1, 0], ids, b""]),
        ("no scheme and yet a URL", [&head(3), &[1, 1, 0], ids, b"https://a"]),
        ("an open with URL", [&head(9), &[1, 1, 0], ids, b"a"]),
        ("an unsubscribe with URL", [&head(10), &[1, 1, 0], ids, b"a"]),
        ("a URL without host", [&head(8), &[1, 1, 0], ids, b"/a"]),
        ("a URL with user info", [&head(8), &[1, 1, 0], ids, b"a@b"]),
        ("a URL that no header may hold", [&head(8), &[1, 1, 0], ids, b"a/\r\nx: y"]),
        ("an id with a foreign character", [&head(8), &[1, 1, 0], b"\x01m\x01@\x01l", b"a"]),
        ("a UUID that is not packed", [&head(8), &[1, 1, 0], &uuid, b"a"]),
        ("an id that is cut off", [&head(8), &[1, 1, 0], b"\x01m\x01r\x40l", b"a"]),
    ];
    for (what, body) in bad {
        let token = signed(&body.concat(), &keys);
        assert_eq!(open(&token, &keys).unwrap_err().name(), "malformed", "{what}");
    }
    let version_3 = [&[3, 8, 2][..], b"k1", good[1], good[2], good[3]].concat();
    assert_eq!(open(&signed(&version_3, &keys), &keys).unwrap_err().name(), "unknown_version");
}

/// What is new in version 2: a link has one spelling, whether it has a group or not.
#[test]
fn a_signed_group_that_minting_would_not_write_is_refused() {
    let keys = ring(K1);
    let opened = |version: u8, scheme_and_kind: u8, rest: &[&[u8]]| {
        let body = [&[version, scheme_and_kind, 2][..], b"k1", &[1, 1, 0], b"\x01m\x01r\x01l"].concat();
        open(&signed(&[&body, &rest.concat()[..]].concat(), &keys), &keys).map_err(Refusal::name)
    };
    let group = opened(2, 8, &[b"\x02de", b"brand.example/"]).unwrap().group;
    assert_eq!(group.as_deref(), Some("de"));
    assert_eq!(opened(2, 1, &[b"\x02de"]).unwrap().group.as_deref(), Some("de"));
    let uuid = [&[36][..], b"0197f6e0-1234-7abc-8def-0123456789ab"].concat();
    let long = [&[65][..], &[b'g'; 65]].concat();
    for (what, version, head, rest) in [
        ("no group before the URL", 2, 8, [&b""[..], b"brand.example/"]),
        ("no group and nothing else", 2, 1, [b"", b""]),
        ("an empty one", 2, 1, [b"\0", b""]),
        ("an empty one before a URL", 2, 8, [b"\0", b"brand.example/"]),
        ("one that is cut off", 2, 1, [b"\x03de", b""]),
        ("a foreign character", 2, 8, [b"\x02d ", b"brand.example/"]),
        ("a character of message ids alone", 2, 8, [b"\x02d@", b"brand.example/"]),
        ("65 characters", 2, 8, [&long, b"brand.example/"]),
        ("a UUID that is not packed", 2, 8, [&uuid, b"brand.example/"]),
        ("one in version 1", 1, 1, [b"\x02de", b""]),
        ("one in version 1, before a URL", 1, 8, [b"\x02de", b"brand.example/"]),
        ("a second one", 2, 1, [b"\x02de", b"\x02fr"]),
    ] {
        assert_eq!(opened(version, head, &rest), Err("malformed"), "{what}");
    }
}

/// A million altered and random tokens, none of which opens.
#[test]
fn a_million_forgeries_fail() {
    let keys = ring(&format!("{K1},{K2}"));
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    let frozen = frozen();
    let mut tried = 0;
    while tried < 1_000_000 {
        let mut bytes = Base64UrlUnpadded::decode_vec(frozen[random.below(frozen.len())].2).unwrap();
        let honest = bytes.clone();
        match random.below(4) {
            // Some bits flipped, anywhere or in the signature alone.
            0 => (0..=random.below(3)).for_each(|_| {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }),
            1 => {
                let at = bytes.len() - 1 - random.below(16);
                bytes[at] ^= 1 << random.below(8);
            }
            // The body of one with the signature of another.
            2 => {
                let other = Base64UrlUnpadded::decode_vec(frozen[random.below(frozen.len())].2).unwrap();
                let end = bytes.len() - 16;
                bytes.splice(end.., other[other.len() - 16..].iter().copied());
            }
            // Random, behind a good head so that a key is asked.
            _ => {
                bytes.truncate(5);
                bytes.extend((0..random.below(80)).map(|_| random.byte()));
            }
        }
        if bytes != honest {
            tried += 1;
            let token = Base64UrlUnpadded::encode_string(&bytes);
            assert!(open(&token, &keys).is_err(), "{token}");
        }
    }
}

/// Marsaglia's generator: fast, and the same forgeries in every run.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

fn arbitrary_id(alphabet: &'static str, most: usize) -> impl Strategy<Value = String> {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let text = prop::collection::vec(prop::sample::select(alphabet), 1..=most);
    let uuid = any::<u128>().prop_map(|id| {
        let hex = format!("{id:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    });
    prop_oneof![3 => text.prop_map(String::from_iter), 1 => uuid]
}

fn arbitrary_url() -> impl Strategy<Value = Target> {
    ("https?://([a-z][a-z0-9-]{0,10}\\.)?[a-z]{1,8}(:[0-9]{1,4})?", "([/?#][!-~]{0,200})?")
        .prop_filter_map("a target", |(origin, rest)| Target::parse(&format!("{origin}{rest}")).ok())
}

fn arbitrary_link() -> impl Strategy<Value = Link> {
    const ID: &str = "abcXYZ019._~-";
    (
        (prop::sample::select(Kind::ALL.to_vec()), 1..=u32::MAX, any::<u32>(), 0..=8_640_000_000_000_000_u64),
        (arbitrary_id("abcXYZ019._~@+=$!:-", 128), arbitrary_id(ID, 64), arbitrary_id(ID, 64)),
        prop::option::of(arbitrary_id(ID, 64)),
        arbitrary_url(),
        any::<bool>(),
    )
        .prop_map(
            |(
                (kind, shards, links_total, sent_at_ms),
                (message_id, recipient_id, link_id),
                group,
                url,
                with_url,
            )| {
                let url = match kind {
                    Kind::Click => Some(url),
                    Kind::Confirm => Some(url).filter(|_| with_url),
                    Kind::Open | Kind::Unsubscribe => None,
                };
                Link { kind, shards, links_total, sent_at_ms, message_id, recipient_id, link_id, group, url }
            },
        )
}

/// Opening must not panic; what opens is spelled in the one way in which minting spells it.
fn canonical(token: &str, keys: &Keyring) -> Result<bool, TestCaseError> {
    let opened = open(token, keys);
    if let Ok(link) = &opened {
        prop_assert_eq!(&seal(link, keys), token);
    }
    Ok(opened.is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_link_opens_to_itself(link in arbitrary_link()) {
        let keys = ring(K1);
        let token = seal(&link, &keys);
        prop_assert!(token.bytes().all(|byte| ALPHABET.contains(&byte)));
        prop_assert_eq!(leading(&token), &token);
        prop_assert_eq!(&token[..2], if link.group.is_some() { "Ag" } else { "AQ" });
        prop_assert_eq!(open(&token, &keys), Ok(link));
    }

    #[test]
    fn an_altered_link_is_refused(link in arbitrary_link(), at in any::<prop::sample::Index>(), to in 0..64_usize) {
        let keys = ring(K1);
        let token = seal(&link, &keys);
        let at = at.index(token.len());
        let mut altered = token.clone().into_bytes();
        altered[at] = ALPHABET[to];
        let altered = String::from_utf8(altered).unwrap();
        prop_assert_eq!(open(&altered, &keys).is_ok(), altered == token);
        prop_assert!(open(&token[..at], &keys).is_err());
    }

    #[test]
    fn no_text_opens(text in ".{0,200}", token_like in "A[Qg][A-Za-z0-9_-]{0,200}") {
        prop_assert!(open(&text, &ring(K1)).is_err());
        prop_assert!(open(&token_like, &ring(K1)).is_err());
        let _ = leading(&text);
    }

    #[test]
    fn no_bytes_open(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open(&Base64UrlUnpadded::encode_string(&bytes), &ring(K1)).is_err());
    }

    #[test]
    fn signed_bytes_open_only_in_their_one_spelling(
        head in 0..16_u8,
        body in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let keys = ring(K1);
        canonical(&signed(&body, &keys), &keys)?;
        for version in [1, 2] {
            canonical(&signed(&[&[version, head, 2], b"k1".as_slice(), &body].concat(), &keys), &keys)?;
        }
    }

    /// The bytes of a good body with some of them changed, then signed: close to what the parser takes.
    #[test]
    fn signed_alterations_open_only_in_their_one_spelling(
        link in arbitrary_link(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let keys = ring(K1);
        let mut body = Base64UrlUnpadded::decode_vec(&seal(&link, &keys)).unwrap();
        body.truncate(body.len() - 16);
        for (at, byte, how) in changes {
            let at = at.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => { body.truncate(at.max(1)); }
            }
        }
        canonical(&signed(&body, &keys), &keys)?;
    }
}
