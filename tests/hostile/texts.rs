//! What strangers and senders write: URLs, headers, JSON, bodies of the API, calls of objects. What is taken says again what it said.

use std::fmt::Write;
use std::rc::Rc;

use clickproof::config::{Config, Value as Setting};
use clickproof::event::line;
use clickproof::json::Json;
use clickproof::link::keys::Keyring;
use clickproof::link::mint::mint;
use clickproof::link::place::Place;
use clickproof::link::url::{self, Target};
use clickproof::link::{text_id, token};
use clickproof::message::call::{Call, Page};
use clickproof::message::{deliveries, replay};
use clickproof::proof::view::{self, View};
use clickproof::record::{self, Delivery, EventId, MAX_FIELD_BYTES, Record, Verb, packed};
use clickproof::report::About;
use clickproof::signals::{Signals, stored};
use clickproof::verdict::{Click, Look, Ruleset, Thresholds, judge};
use fastrand::Rng;
use serde_json::Value;

use super::{NOW_MS, Target as Parser, text};

pub(crate) const PARSERS: [Parser; 15] = [
    Parser { name: "places of requests", corpus: || super::corpus("urls"), try_one: place },
    Parser { name: "destinations", corpus: || super::corpus("urls"), try_one: destination },
    Parser { name: "page views", corpus: || super::corpus("views"), try_one: page_view },
    Parser { name: "headers of a click", corpus: || super::corpus("clicks"), try_one: click },
    Parser { name: "JSON", corpus: || super::corpus("json"), try_one: json },
    Parser { name: "mint calls", corpus: || super::corpus("mint"), try_one: mint_call },
    Parser { name: "deliveries", corpus: || super::corpus("deliveries"), try_one: told },
    Parser { name: "what a message is called", corpus: || super::corpus("about"), try_one: about },
    Parser { name: "records brought along", corpus: || super::corpus("records"), try_one: brought },
    Parser { name: "records, line by line", corpus: || super::corpus("records"), try_one: record_line },
    Parser { name: "calls of objects", corpus: || super::corpus("calls"), try_one: call },
    Parser { name: "pages of objects", corpus: || super::corpus("pages"), try_one: page },
    Parser { name: "ids of events", corpus: || super::corpus("ids"), try_one: event_id },
    Parser { name: "signals as they are stored", corpus: signals, try_one: stored_signals },
    Parser { name: "how long a message is kept", corpus: || super::corpus("days"), try_one: retention },
];

fn place(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let url = text(input);
    let Place { origin, host, path, query } = Place::of(&url);
    assert!(url.starts_with(origin) && origin.contains(host) && url.contains(query), "{url}");
    assert!(path.starts_with('/') && !path.contains(['?', '#']) && !query.contains('#'), "{url}: {path}");
    !host.is_empty()
}

/// A redirect's target is where a browser would go, by another's parser.
fn destination(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let host = url::host(&given).map(std::borrow::Cow::into_owned);
    let Ok(target) = Target::parse(&given) else { return false };
    assert_eq!(target.as_str(), given);
    assert!(given.len() <= Target::MAX_LEN && given.bytes().all(|byte| byte.is_ascii_graphic()), "{given}");
    let with = target.with_parameter("cp", "value");
    assert_eq!(Target::parse(&with).is_ok(), with.len() <= Target::MAX_LEN, "{with}");
    // Only labels that say they are Punycode are not checked here.
    if let Ok(theirs) = ::url::Url::parse(&given) {
        assert_eq!(theirs.host_str().map(str::to_owned), host, "{given}");
        assert!(matches!(theirs.scheme(), "http" | "https") && theirs.username().is_empty(), "{given}");
    } else {
        assert!(host.is_some_and(|host| host.contains("xn--")), "{given}");
    }
    true
}

/// A page view: its query, a tab, its cookies, a tab, its referer, a tab, its body.
fn page_view(input: &[u8], _: &[Vec<u8>], random: &mut Rng) -> bool {
    let mut parts = input.splitn(4, |byte| *byte == b'\t');
    let mut part = || parts.next().unwrap_or_default();
    let (query, cookies, page, body) = (text(part()), text(part()), text(part()), part());
    let view = View {
        verb: if random.bool() { Verb::Get } else { Verb::Post },
        query: &query,
        cookies: Some(&cookies),
        page: [Some(&page), None],
        ..View::default()
    };
    // None of the corpus is signed by these.
    let keys = Keyring::parse(&format!("k1:{}", "Q".repeat(43))).0.unwrap();
    assert!(view.credit(Some(&keys), NOW_MS).is_err(), "{view:?}");
    let ms = view::since_load_ms(body);
    assert!(ms.is_none_or(|ms| (0..=86_400_000).contains(&ms)), "{ms:?}");
    ms.is_some()
}

/// A click: its headers, a line each, by the names of a record.
fn click(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let shown = text(input);
    let mut record = Record {
        event_id: EventId::first_of(NOW_MS).to_string(),
        message_id: "m".to_owned(),
        recipient_id: "r".to_owned(),
        link_id: Some("l".to_owned()),
        ts_ms: NOW_MS,
        sent_at_ms: NOW_MS,
        http_protocol: Some("HTTP/2".to_owned()),
        secure: Some(true),
        ..Record::default()
    };
    let mut known = 0;
    for (name, value) in shown.split('\n').filter_map(|line| line.split_once(": ")) {
        let field = match name {
            "ip" => &mut record.ip,
            "user_agent" => &mut record.user_agent,
            "referer" => &mut record.referer,
            "accept" => &mut record.accept,
            "accept_language" => &mut record.accept_language,
            "sec_fetch_site" => &mut record.sec_fetch_site,
            "sec_fetch_mode" => &mut record.sec_fetch_mode,
            "sec_fetch_dest" => &mut record.sec_fetch_dest,
            "sec_fetch_user" => &mut record.sec_fetch_user,
            "sec_purpose" => &mut record.sec_purpose,
            "sec_ch_ua" => &mut record.sec_ch_ua,
            "x_forwarded_for" => &mut record.x_forwarded_for,
            "method" => {
                value.clone_into(&mut record.method);
                continue;
            }
            "asn" => {
                record.asn = value.parse().ok();
                continue;
            }
            _ => continue,
        };
        let cut = if name == "referer" { record::cut_referer } else { record::cut };
        *field = cut(value.to_owned());
        assert!(
            field.as_ref().is_none_or(|field| field.len() <= MAX_FIELD_BYTES && value.starts_with(&**field))
        );
        known += 1;
    }
    let signals = Signals::of(&record);
    assert_eq!(signals, Signals::of(&record));
    let told = line::received(&record, &signals);
    assert!(!told.contains(['\n', '\r', '\0']), "a line of the log is one line: {told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        told["user_agent"].as_str().unwrap_or_default(),
        record.user_agent.as_deref().unwrap_or_default()
    );
    let id = EventId::first_of(NOW_MS);
    assert_eq!(packed::all(&packed::seal(&[(id, &record)])), Ok(vec![(id, record.clone())]));
    let clicks = [Rc::new(Click::of(&record, Delivery::default()))];
    for ruleset in [Ruleset::Full, Ruleset::Defender] {
        assert_eq!(judge(&clicks, ruleset, &Thresholds::default(), Look::Whole).len(), 1);
    }
    known > 0
}

/// Whether a library that the world reads JSON with says the same.
fn json(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let theirs = serde_json::from_str::<Value>(&given);
    let ours = Json::parse(&given);
    match (&ours, theirs) {
        (Ok(json), Ok(theirs)) => assert!(is_same(json, &theirs), "{given}"),
        // Half a pair of surrogates, or a number beyond a float.
        (Ok(json), Err(_)) => assert!(is_odd(json), "{given}"),
        (Err(_), Ok(_)) => panic!("refused: {given}"),
        (Err(_), Err(_)) => {}
    }
    ours.is_ok()
}

fn is_same(json: &Json, theirs: &Value) -> bool {
    match json {
        Json::Null => theirs.is_null(),
        Json::Boolean(boolean) => theirs.as_bool() == Some(*boolean),
        Json::Number(digits) => serde_json::from_str::<Value>(digits).is_ok_and(|number| number == *theirs),
        Json::Text(text) => theirs.as_str() == Some(text),
        Json::Broken => false,
        Json::List(values) => theirs.as_array().is_some_and(|theirs| {
            theirs.len() == values.len()
                && values.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs))
        }),
        // Of a name that stands twice the last counts, with both.
        Json::Object(fields) => theirs.as_object().is_some_and(|theirs| {
            theirs.iter().all(|(name, theirs)| is_same(json.get(name), theirs))
                && fields.iter().all(|(name, _)| theirs.contains_key(&**name))
        }),
    }
}

fn is_odd(json: &Json) -> bool {
    match json {
        Json::Broken => true,
        Json::Number(digits) => serde_json::from_str::<Value>(digits).is_err(),
        Json::List(values) => values.iter().any(is_odd),
        // A name may be broken, too.
        Json::Object(fields) => fields.iter().any(|(name, value)| name.contains('\u{fffd}') || is_odd(value)),
        _ => false,
    }
}

fn mint_call(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let Ok(body) = Json::parse(&given) else { return false };
    let ring = Keyring::parse(&format!("k1:{}", "A".repeat(43))).0.unwrap();
    let minted = match mint(&body, "https://click.example", &ring) {
        Ok(minted) => minted,
        Err(words) => {
            assert!(words.contains(": "), "it names the field: {words}");
            return false;
        }
    };
    assert_eq!(minted.links.len(), body.get("links").list().unwrap().len());
    for minted in &minted.links {
        let link = token::open(minted.href.rsplit('/').next().unwrap(), &ring).unwrap();
        assert_eq!(
            (Some(&*link.message_id), &link.link_id),
            (body.get("message_id").text(), &minted.link_id)
        );
        assert!(minted.href.bytes().all(|byte| byte.is_ascii_graphic()), "{}", minted.href);
    }
    true
}

fn told(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let Ok(body) = Json::parse(&given) else { return false };
    let Ok(told) = deliveries::read(&body) else { return false };
    for one in &told {
        assert!(text_id::check_recipient_id(&one.recipient_id).is_ok() && *one != one_without_news(one));
    }
    let call = Call::Deliver(told);
    let (path, body) = call.encode();
    assert_eq!(Call::decode(path, body), Ok(call));
    true
}

fn one_without_news(one: &clickproof::message::call::Told) -> clickproof::message::call::Told {
    clickproof::message::call::Told { delivered_at_ms: None, bounced_at_ms: None, ..one.clone() }
}

fn about(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let check = |group: &str| text_id::check_group(group).map_err(|error| error.to_string());
    let read = |text: &str| Json::parse(text).ok().and_then(|body| About::read(&body, &check).ok());
    let Some(about) = read(&given) else { return false };
    assert_eq!(read(&line::json(&about)), Some(about), "{given}");
    true
}

fn brought(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let Ok(brought) = replay::read(&text(input), &|record| record) else { return false };
    for share in &brought.messages {
        let records = packed::all(&share.records).unwrap();
        assert_eq!(records.len(), share.count);
        for (id, record) in records {
            assert_eq!((id.ts_ms(), &record.message_id), (record.ts_ms, &share.message_id));
        }
    }
    !brought.messages.is_empty()
}

fn record_line(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let read = Record::given(&given, &mut |_| {});
    let parsed = Json::parse(&given);
    let is_once = parsed
        .as_ref()
        .is_ok_and(|value| value.once("").and_then(|()| value.get("record").once("record.")).is_ok());
    let tree = parsed.map_err(|_| String::new()).and_then(Record::of);
    if is_once {
        assert_eq!(read.as_ref().ok(), tree.as_ref().ok(), "read at once and as a tree: {given}");
    } else {
        assert!(tree.is_err(), "a field stands twice, or it is no JSON: {given}");
    }
    let Ok(record) = read else { return false };
    let written = line::record(&record);
    assert!(!written.contains('\n'), "{written}");
    // What a landing page showed is the verdict's to write.
    assert_eq!(
        Record::parse(&written),
        Ok(Record { verified: Record::default().verified, ..record }),
        "{given}"
    );
    true
}

/// A call: its path, a tab, its body.
fn call(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let (path, body) = given.split_once('\t').unwrap_or((&given, ""));
    let Ok(call) = Call::decode(path, body.to_owned()) else { return false };
    let (path, body) = call.encode();
    assert_eq!(Call::decode(path, body), Ok(call), "{given}");
    true
}

fn page(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let (next, lines) = Page::decode(given.clone());
    assert!(lines.is_empty() || format!("{given}\n").ends_with(&lines), "{given}");
    next.is_some()
}

/// The bytes of stored signals, which are kept in hexadecimal digits.
fn signals() -> Vec<Vec<u8>> {
    let byte = |digits: &[u8]| u8::from_str_radix(&text(digits), 16).unwrap();
    super::corpus("signals").iter().map(|digits| digits.chunks(2).map(byte).collect()).collect()
}

fn stored_signals(input: &[u8], _: &[Vec<u8>], rng: &mut Rng) -> bool {
    let mut digits = String::with_capacity(2 * input.len());
    for byte in input {
        write!(digits, "{byte:02x}").unwrap();
    }
    let given = if rng.u8(..8) == 0 { text(input) } else { digits };
    let record = Record { signals: Some(given.clone()), ..Record::default() };
    let Some(signals) = stored::open(&given) else {
        assert!(stored::check(&record).is_err_and(|words| words.starts_with("signals: ")), "{given}");
        return false;
    };
    assert_eq!(stored::check(&record).is_ok(), given.len() <= MAX_FIELD_BYTES, "{given}");
    // Names that no catalogue has are nobody's: what is written again says the same from then on.
    let again = stored::open(&stored::seal(&signals, &|number| number)).unwrap();
    assert_eq!(stored::open(&stored::seal(&again, &|number| number)), Some(again));
    let click = Rc::new(Click { signals, ..Click::of(&Record::default(), Delivery::default()) });
    for ruleset in [Ruleset::Full, Ruleset::Defender] {
        assert_eq!(
            judge(std::slice::from_ref(&click), ruleset, &Thresholds::default(), Look::Whole).len(),
            1
        );
    }
    true
}

fn retention(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let read = |value: Setting| Config::read([("RETENTION_DAYS".to_owned(), value)]);
    let (default_ms, config) = (read(Setting::Other).retention_ms, read(Setting::Text(text(input))));
    let is_bad = config.bad_settings.iter().any(|bad| bad.name == "RETENTION_DAYS");
    assert!((1..=36_500 * 86_400_000).contains(&config.retention_ms), "{}", config.retention_ms);
    assert!(!is_bad || config.retention_ms == default_ms, "what is refused sets nothing");
    if let Ok(days) = text(input).trim().parse::<f64>() {
        let ms = read(Setting::Number(days)).retention_ms;
        assert!(is_bad || (ms - config.retention_ms).abs() <= 1, "{days}: {ms} and {}", config.retention_ms);
    }
    !is_bad
}

fn event_id(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let given = text(input);
    let Some(id) = EventId::parse(&given) else { return false };
    assert_eq!((id.to_string(), EventId::from_bytes(id.bytes())), (given, id));
    true
}
