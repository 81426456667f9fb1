//! What only our keys can make: links, cookies, references, stamps. Whatever is done to one of them opens as what it was or not at
//! all; and behind a good signature each has one spelling.

use base64ct::{Base64UrlUnpadded, Encoding};
use clickproof::act::{self, Form};
use clickproof::link::envelope::Refusal;
use clickproof::link::keys::{Keyring, Purpose};
use clickproof::link::url::Target;
use clickproof::link::{Link, one_click, token};
use clickproof::proof::cookie::{self, ClickRef, Visitor};
use clickproof::proof::reference::{self, Reference};
use clickproof::proof::stamp;
use clickproof::record::{EventId, Kind};
use fastrand::Rng;

use super::generate::pick;
use super::{NOW_MS, Target as Parser, text};

const OURS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,k0:7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7g==";

/// The same key ids, and secrets of somebody else's.
const THEIRS: &str = "k1:7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u4=,k0:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn ring(keys: &str) -> Keyring {
    let (ring, problems) = Keyring::parse(keys);
    assert!(problems.is_empty(), "{problems:?}");
    ring.unwrap()
}

thread_local! {
    static RINGS: [Keyring; 2] = [ring(OURS), ring(THEIRS)];
}

/// What somebody does with our keys, or with those of an attacker who knows the key ids.
fn with<T>(act: impl FnOnce(&Keyring, &Keyring) -> T) -> T {
    RINGS.with(|[ours, theirs]| act(ours, theirs))
}

pub(crate) const PARSERS: [Parser; 7] = [
    Parser { name: "links, sent as they are", corpus: links, try_one: link },
    Parser { name: "links, signed", corpus: link_bytes, try_one: signed_link },
    Parser { name: "cookies, sent as they are", corpus: cookies, try_one: cookie_header },
    Parser { name: "references, sent as they are", corpus: references, try_one: sent_reference },
    Parser { name: "envelopes, signed", corpus: contents, try_one: signed_envelope },
    Parser { name: "stamps, sent as they are", corpus: stamps, try_one: sent_stamp },
    Parser { name: "one-click forms", corpus: || super::corpus("forms"), try_one: one_click_form },
];

fn some_links() -> Vec<Link> {
    let uuid = "0190163d-8694-739b-aea5-966c26f8ad91";
    let link = |kind, [message, recipient, link]: [&str; 3], group: Option<&str>, url: Option<&str>| Link {
        kind,
        shards: 1,
        links_total: 3,
        sent_at_ms: u64::try_from(NOW_MS).unwrap(),
        message_id: message.to_owned(),
        recipient_id: recipient.to_owned(),
        link_id: link.to_owned(),
        group: group.map(str::to_owned),
        url: url.map(|url| Target::parse(url).unwrap()),
    };
    let long = format!("https://shop.example/{}", "a".repeat(Target::MAX_LEN - 21));
    let (message, recipient) = ("m".repeat(128), "r".repeat(64));
    vec![
        link(Kind::Click, ["spring", "r1", "cta"], None, Some("https://shop.example/a?b=%20&c#d")),
        link(Kind::Click, [uuid, uuid, uuid], Some(uuid), Some("http://192.0.2.1:8080/")),
        link(Kind::Click, [&message, &recipient, &recipient], Some(&recipient), Some(&long)),
        link(Kind::Open, ["spring", "r1", "o"], None, None),
        link(Kind::Unsubscribe, ["spring", "r1", "u"], Some("de"), None),
        link(Kind::Confirm, ["spring", "r1", "c"], None, Some("https://shop.example/thanks")),
        link(Kind::Confirm, ["spring", "r1", "c"], None, None),
    ]
}

/// Each kind by our keys, by somebody else's and by one of ours that signs no more.
fn links() -> Vec<Vec<u8>> {
    let old = ring(OURS.split_once(',').unwrap().1);
    with(|ours, theirs| {
        let sealed =
            |keys| some_links().iter().map(|link| token::seal(link, keys).into_bytes()).collect::<Vec<_>>();
        [sealed(ours), sealed(theirs), sealed(&old)].concat()
    })
}

fn link_bytes() -> Vec<Vec<u8>> {
    let bytes = |link| Base64UrlUnpadded::decode_vec(&with(|ours, _| token::seal(link, ours))).unwrap();
    some_links().iter().map(|link| without_signature(bytes(link))).collect()
}

fn without_signature(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 16);
    bytes
}

/// Whether one of these begins so that what is glued on behind it is not its own.
fn is_one_of(token: &str, known: &[Vec<u8>]) -> bool {
    known.iter().any(|known| known == token.as_bytes())
}

fn link(input: &[u8], corpus: &[Vec<u8>], _: &mut Rng) -> bool {
    let tail = text(input);
    let token = token::leading(&tail);
    assert!(
        tail.starts_with(token) && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    );
    let opened = with(|ours, _| token::open(token, ours));
    if let Ok(link) = &opened {
        assert!(is_one_of(token, corpus), "a link that nobody has minted: {link:?}");
        assert!(some_links().contains(link), "{link:?}");
    }
    opened.is_ok()
}

/// An attacker who has a key is none; but whoever mints in another language may make a slip, and that must not be a second spelling.
fn signed_link(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    with(|ours, theirs| {
        let signed = |keys: &Keyring, purpose| {
            Base64UrlUnpadded::encode_string(&[input, &keys.sign(purpose, input)].concat())
        };
        for forged in
            [signed(theirs, Purpose::Token), signed(ours, Purpose::Cookie), signed(ours, Purpose::Stamp)]
        {
            assert!(token::open(&forged, ours).is_err(), "{forged}");
        }
        let token = signed(ours, Purpose::Token);
        let opened = token::open(&token, ours);
        if let Ok(link) = &opened {
            assert_eq!(token::seal(link, ours), token, "one spelling");
            let url = link.url.as_ref().map(Target::as_str);
            assert!(url.is_none_or(|url| Target::parse(url).is_ok()), "{url:?}");
        }
        opened.is_ok()
    })
}

fn visitors() -> Vec<Visitor> {
    let mut visitor = Visitor::new([7; 16]);
    let mut visitors = vec![visitor.clone()];
    for (host, object) in [("a.example", "spring"), ("b.example", "spring#7"), ("", &*"m".repeat(139))] {
        visitor.clicked(ClickRef::new(EventId::first_of(NOW_MS), host, object.to_owned()));
        visitors.push(visitor.clone());
    }
    visitors
}

fn cookies() -> Vec<Vec<u8>> {
    with(|ours, theirs| {
        let value = |visitor: &Visitor, keys| {
            format!("a=b; {}={}; c=d", cookie::NAME, visitor.seal(keys)).into_bytes()
        };
        visitors().iter().flat_map(|visitor| [value(visitor, ours), value(visitor, theirs)]).collect()
    })
}

fn cookie_header(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let found = with(|ours, _| Visitor::open(&text(input), ours));
    let Some(visitor) = found else { return false };
    assert!(visitors().contains(&visitor), "a cookie that nobody has set: {visitor:?}");
    true
}

fn some_references() -> Vec<Reference> {
    let of = |object: &str| Reference { event_id: EventId::first_of(NOW_MS), object: object.to_owned() };
    vec![of("spring"), of("spring#255"), of(&"m".repeat(139))]
}

fn references() -> Vec<Vec<u8>> {
    with(|ours, theirs| {
        let sealed = |one: &Reference| [one.seal(ours).into_bytes(), one.seal(theirs).into_bytes()];
        some_references().iter().flat_map(sealed).collect()
    })
}

fn sent_reference(input: &[u8], corpus: &[Vec<u8>], rng: &mut Rng) -> bool {
    let sent = text(input);
    let later_ms = *pick(rng, &[i64::MIN, -1, 0, 1, reference::MAX_AGE_MS, i64::MAX]);
    with(|ours, _| {
        let taken = Reference::open(&sent, ours, NOW_MS);
        if let Ok(reference) = &taken {
            assert!(is_one_of(&sent, corpus) && some_references().contains(reference), "{reference:?}");
        }
        let later = Reference::open(&sent, ours, NOW_MS.saturating_add(later_ms));
        assert!(later.is_err() || later == taken, "{later:?}");
        taken.is_ok()
    })
}

/// What stands in envelopes of each kind, with their heads.
fn contents() -> Vec<Vec<u8>> {
    let sealed = [
        visitors().iter().map(|visitor| with(|ours, _| visitor.seal(ours))).collect::<Vec<_>>(),
        some_references().iter().map(|reference| with(|ours, _| reference.seal(ours))).collect(),
        vec![with(|ours, _| stamp::seal("token", NOW_MS, ours))],
    ];
    let bytes = |text: &String| without_signature(Base64UrlUnpadded::decode_vec(text).unwrap());
    sealed.concat().iter().map(bytes).collect()
}

fn signed_envelope(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    with(|ours, _| {
        let signed = |purpose, bound_to: &[u8]| {
            let signature = ours.sign(purpose, &[input, bound_to].concat());
            Base64UrlUnpadded::encode_string(&[input, &signature].concat())
        };
        let value = signed(Purpose::Cookie, b"");
        let visitor = Visitor::open(&format!("{}={value}", cookie::NAME), ours);
        if let Some(visitor) = &visitor {
            assert_eq!(visitor.seal(ours), value, "one spelling");
        }
        let value = signed(Purpose::Reference, b"");
        let reference = Reference::open(&value, ours, NOW_MS);
        if let Ok(reference) = &reference {
            assert_eq!(reference.seal(ours), value, "one spelling");
        }
        let stamped = stamp::check(&signed(Purpose::Stamp, b"token"), "token", NOW_MS + 5_000, ours);
        visitor.is_some() || reference.is_ok() || stamped.is_ok()
    })
}

const STAMPED: &str = "AQgCazE";

fn stamps() -> Vec<Vec<u8>> {
    with(|ours, theirs| {
        let sealed = |keys| {
            let bound = [STAMPED.to_owned(), act::undoing(STAMPED), "other".to_owned()];
            bound.map(|token| stamp::seal(&token, NOW_MS, keys).into_bytes())
        };
        [sealed(ours), sealed(theirs)].concat()
    })
}

fn sent_stamp(input: &[u8], corpus: &[Vec<u8>], rng: &mut Rng) -> bool {
    let sent = text(input);
    let age_ms = *pick(rng, &[i64::MIN, -1, 0, 999, 1_000, 5_000, stamp::MAX_AGE_MS, i64::MAX]);
    with(|ours, _| {
        let now_ms = NOW_MS.saturating_add(age_ms);
        let taken = stamp::check(&sent, STAMPED, now_ms, ours);
        assert!(
            taken.is_err() || (sent.as_bytes() == corpus[0] && (1_000..=stamp::MAX_AGE_MS).contains(&age_ms))
        );
        let form = Form { one_click: None, stamp: Some(&sent), undo: None };
        let undo = Form { one_click: None, stamp: None, undo: Some(&sent) };
        for kind in Kind::ALL {
            let acts = act::consent(kind, STAMPED, form, now_ms, ours);
            assert_eq!(acts.is_ok(), taken.is_ok());
            let undone = act::consent(kind, STAMPED, undo, now_ms, ours);
            assert!(
                undone.is_err() || (kind == Kind::Unsubscribe && sent.as_bytes() == corpus[1]),
                "{undone:?}"
            );
        }
        assert!(!matches!(taken, Err(Refusal::Expired)) || age_ms > stamp::MAX_AGE_MS);
        taken.is_ok()
    })
}

/// A form: its type, a tab, its body.
fn one_click_form(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let at = input.iter().position(|byte| *byte == b'\t').unwrap_or(input.len());
    let (content_type, body) = (text(&input[..at]), input.get(at + 1..).unwrap_or_default());
    let is_one_click = one_click::is_one_click(&content_type, body);
    if is_one_click {
        let body = text(body);
        assert!(body.contains(one_click::ONE_CLICK) && body.contains(one_click::ONE_CLICK_VALUE), "{body}");
    }
    is_one_click
}
