//! The form of links: frozen for ever, canonical, and closed to whatever nobody signed.

use std::path::{Path, PathBuf};
use std::{env, fs};

use base64ct::{Base64UrlUnpadded, Encoding};
use clickproof::json::Json;
use clickproof::link::Link;
use clickproof::link::keys::{Keyring, Purpose};
use clickproof::link::mint::{Minted, mint, route};
use clickproof::link::token::{leading, open, seal};
use clickproof::link::url::Target;
use clickproof::record::Kind;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

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

/// The vectors that stand beside the minters for other languages. Their tokens were computed from the table at the head of
/// `token.rs` by other code than this. They stand in mailboxes: no change of the code may change a character of one, or
/// refuse one.
const VECTORS: &str = "static/vectors/token.json";

#[derive(Deserialize)]
struct Vectors {
    minted: Vec<Vector>,
    opened: Vec<Vector>,
    refused: Vec<Refused>,
    calls: Vec<Call>,
    unmintable: Vec<Unmintable>,
    bad_keys: Vec<BadKeys>,
}

/// A link, the keys, and the token.
#[derive(Deserialize)]
struct Vector {
    name: String,
    keys: String,
    link: Fields,
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    kind: String,
    shards: u32,
    links_total: u32,
    sent_at_ms: u64,
    message_id: String,
    recipient_id: String,
    link_id: String,
    group: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    keys: String,
    /// Where it is asked for, when that is what is wrong.
    route: Option<String>,
    reason: String,
    /// In hex, the bytes that the keys signed.
    signed: Option<String>,
    token: String,
}

#[derive(Deserialize)]
struct Call {
    name: String,
    keys: String,
    base_url: String,
    #[serde(rename = "call")]
    body: Value,
    answer: Value,
}

#[derive(Deserialize)]
struct Unmintable {
    name: String,
    call: Value,
    field: String,
}

#[derive(Deserialize)]
struct BadKeys {
    name: String,
    keys: String,
}

impl Vectors {
    fn read() -> Self {
        serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap()
    }

    /// What opens.
    fn frozen(&self) -> impl Iterator<Item = &Vector> {
        self.minted.iter().chain(&self.opened)
    }
}

impl Vector {
    fn link(&self) -> Link {
        let Fields { kind, shards, links_total, sent_at_ms, message_id, recipient_id, link_id, group, url } =
            &self.link;
        Link {
            kind: Kind::named(kind).unwrap(),
            shards: *shards,
            links_total: *links_total,
            sent_at_ms: *sent_at_ms,
            message_id: message_id.clone(),
            recipient_id: recipient_id.clone(),
            link_id: link_id.clone(),
            group: group.clone(),
            url: url.as_ref().map(|url| Target::parse(url).unwrap()),
        }
    }
}

impl Refused {
    /// The token that these bytes make.
    fn signed(&self) -> Option<String> {
        let hex = self.signed.as_ref()?;
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        Some(signed(&bytes, &ring(&self.keys)))
    }
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(VECTORS)
}

/// A new vector is written with an empty token and gets it by `UPDATE=1 cargo test --test tokens vectors`. One that has its token
/// keeps it.
#[test]
fn the_vectors_are_frozen() {
    let mut vectors = Vectors::read();
    if env::var_os("UPDATE").is_some() {
        let links =
            vectors.frozen().map(|vector| (vector.token.clone(), seal(&vector.link(), &ring(&vector.keys))));
        let bodies =
            vectors.refused.iter().filter_map(|refused| Some((refused.token.clone(), refused.signed()?)));
        let mut text = fs::read_to_string(file()).unwrap();
        for (_, token) in links.chain(bodies).filter(|(token, _)| token.is_empty()) {
            text = text.replacen(r#""token": ""}"#, &format!(r#""token": "{token}"}}"#), 1);
        }
        fs::write(file(), text).unwrap();
        vectors = Vectors::read();
    }
    for vector in vectors.frozen() {
        let (link, token) = (vector.link(), &vector.token);
        assert_eq!(seal(&link, &ring(&vector.keys)), *token, "{}", vector.name);
        assert_eq!(open(token, &ring(&vector.keys)), Ok(link), "{}", vector.name);
    }
}

#[test]
fn every_kind_and_scheme_is_among_the_frozen_of_both_versions() {
    let vectors = Vectors::read();
    for is_grouped in [false, true] {
        let links = || {
            vectors.minted.iter().map(|vector| &vector.link).filter(|link| link.group.is_some() == is_grouped)
        };
        for kind in Kind::ALL {
            assert!(links().any(|link| link.kind == kind.name()), "{kind:?}");
        }
        assert!(links().any(|link| link.url.as_ref().is_some_and(|url| url.starts_with("https://"))));
    }
    assert!(
        vectors.minted.iter().any(|vector| vector
            .link
            .url
            .as_ref()
            .is_some_and(|url| url.starts_with("http://")))
    );
}

/// Of those that the keys signed, minting would make none: what lies behind the signature is tried as well.
#[test]
fn the_refused_are_refused_for_their_reason() {
    for refused in Vectors::read().refused {
        let Refused { name, keys, route: asked, reason, token, .. } = &refused;
        assert_eq!(refused.signed().unwrap_or_else(|| token.clone()), *token, "{name}");
        match asked {
            None => assert_eq!(open(token, &ring(keys)).unwrap_err().name(), reason, "{name}"),
            Some(asked) => {
                assert_ne!(route(open(token, &ring(keys)).unwrap().kind), asked, "{name}");
                assert_eq!(reason, "wrong_kind");
            }
        }
    }
}

#[test]
fn calls_are_answered_as_the_vectors_say() {
    for Call { name, keys, base_url, body, answer } in Vectors::read().calls {
        let minted = minted(&body, &base_url, &keys).unwrap();
        assert_eq!(serde_json::to_value(minted).unwrap(), answer, "{name}");
    }
}

#[test]
fn nothing_unmintable_is_minted() {
    for Unmintable { name, call, field } in Vectors::read().unmintable {
        let error = minted(&call, "https://click.brand.example", K1).expect_err(&name);
        let (named, _) = error.split_once([':', ' ']).unwrap();
        let named = named.trim_matches('`').trim_start_matches("links[0].");
        assert_eq!(named, field, "{name}: {error}");
    }
    for BadKeys { name, keys } in Vectors::read().bad_keys {
        assert!(!Keyring::parse(&keys).1.is_empty(), "{name}");
    }
}

fn minted(call: &Value, base_url: &str, keys: &str) -> Result<Minted, String> {
    mint(
        &Json::parse(&call.to_string()).unwrap(),
        &clickproof::config::base_url(base_url).unwrap(),
        &ring(keys),
    )
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
        group: Some("g".repeat(64)),
        ..link(Kind::Click, [&"m".repeat(128), &"r".repeat(64), &"l".repeat(64)], Some(&url))
    };
    let token = seal(&longest, &keys);
    assert_eq!(open(&token, &keys), Ok(longest));
    assert!(token.len() > 5_900, "{}", token.len());
}

/// Every change of one character, every cut and every addition.
#[test]
fn every_single_alteration_fails() {
    let keys = ring(K1);
    // The longest would take minutes and show no more.
    for Vector { token, .. } in Vectors::read().minted.into_iter().filter(|vector| vector.token.len() < 200) {
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
    for Vector { name, token, .. } in Vectors::read().minted {
        let (rest, last) = token.split_at(token.len() - 1);
        let value = ALPHABET.iter().position(|byte| *byte == last.as_bytes()[0]).unwrap();
        let unused = [0, 0, 4, 2][token.len() % 4];
        for bits in 1..1_usize << unused {
            stray += 1;
            let other = format!("{rest}{}", char::from(ALPHABET[value | bits]));
            assert!(open(&other, &keys).is_err(), "{other} for {name}");
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

/// A million altered and random tokens, none of which opens.
#[test]
fn a_million_forgeries_fail() {
    let keys = ring(&format!("{K1},{K2}"));
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    let frozen = Vectors::read().minted;
    let mut tried = 0;
    while tried < 1_000_000 {
        let mut bytes = Base64UrlUnpadded::decode_vec(&frozen[random.below(frozen.len())].token).unwrap();
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
                let other = Base64UrlUnpadded::decode_vec(&frozen[random.below(frozen.len())].token).unwrap();
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
