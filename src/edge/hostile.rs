//! Hostile requests, as the entry hands them over, from their line to their answer: what a request comes to before any object or body is
//! asked. The generator and the corpora are those of `tests/hostile`, and so are `ROUNDS` and `SEED`.

#![expect(clippy::disallowed_methods, reason = "a test reads what is asked of it")]

use std::env;

use fastrand::Rng;

#[path = "../../tests/hostile/generate.rs"]
mod generate;

use super::reply::Reply;
use super::request::{Header, Incoming};
use super::routes::{self, Route};
use super::v1::{self, Listing, Messages, Wanted};
use super::{click, open};
use crate::config::{Config, Value};
use crate::link::keys::Keyring;
use crate::link::url::Target;
use crate::link::{Link, token};
use crate::message::call::Call;
use crate::proof::cookie::Visitor;
use crate::record::{EventId, Kind, packed};
use generate::{corpus, input};

/// How many requests there are where nobody says.
const ROUNDS: usize = 50_000;

const NOW_MS: i64 = 1_795_348_800_000;

const DESTINATION: &str = "https://shop.example/a?b=%20&c#d";

const OURS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const THEIRS: &str = "k1:7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u4=";

fn ring(keys: &str) -> Keyring {
    Keyring::parse(keys).0.unwrap()
}

/// Links of each kind.
fn minted(keys: &str) -> Vec<String> {
    let link = |kind: Kind| Link {
        kind,
        shards: 1,
        links_total: 3,
        sent_at_ms: NOW_MS.cast_unsigned(),
        message_id: "spring".to_owned(),
        recipient_id: "r1".to_owned(),
        link_id: kind.name().to_owned(),
        group: None,
        url: matches!(kind, Kind::Click | Kind::Confirm).then(|| Target::parse(DESTINATION).unwrap()),
    };
    Kind::ALL.iter().map(|kind| token::seal(&link(*kind), &ring(keys))).collect()
}

/// Requests of strangers, and of those who have good links.
fn requests() -> Vec<Vec<u8>> {
    let mut requests = corpus("requests");
    requests.extend(corpus("senders"));
    let visitor = Visitor::new([7; 16]).seal(&ring(OURS));
    for token in minted(OURS).into_iter().chain(minted(THEIRS)) {
        for route in ["c", "o", "u"] {
            requests.push(format!("GET /{route}/{token}\nCookie: __Host-cp={visitor}").into_bytes());
        }
    }
    requests
}

/// A request as the entry hands it over: no part of it has a line break.
fn shown(rng: &mut Rng, request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let (head, _body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let (method, path) = line.split_once(' ').unwrap_or(("GET", line));
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut lines = vec![method.to_owned(), format!("https://click.example{slash}{path}")];
    for (_, name) in Header::ALL {
        let is_it = |line: &&str| line.split(':').next().is_some_and(|it| it.eq_ignore_ascii_case(name));
        let value =
            headers.split('\n').find(is_it).and_then(|line| line.split_once(": ")).map(|(_, value)| value);
        lines.push(value.unwrap_or_default().to_owned());
    }
    lines.extend(
        ["8075", "HTTP/2", "IE"].map(|value| if rng.bool() { value.to_owned() } else { String::new() }),
    );
    lines.join("\n")
}

/// What is wrong with a reply is told; a good one has one line for each of its parts.
fn check_reply(reply: &Reply, kind: Kind, token: &str) {
    assert!(minted(OURS).iter().any(|good| good == token), "nobody has minted {token}");
    assert_eq!(reply.text().split('\n').count(), 2 + 2 * reply.answer.headers.len(), "{}", reply.text());
    let line = reply.line.as_deref().unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    if let Some(arrival) = &reply.arrival {
        let records = packed::all(&arrival.record).unwrap();
        assert_eq!((&*arrival.object, records.len(), records[0].1.kind), ("spring", 1, kind));
    }
    let location = reply.answer.header("location").map(str::to_owned);
    assert_eq!(location, (kind == Kind::Click).then(|| DESTINATION.to_owned()));
}

/// Answers a request as far as that goes without an object; says whether it got somewhere.
fn answer(shown: &str, config: &Config) -> bool {
    let incoming = Incoming::of(shown, config);
    let id = EventId::first_of(NOW_MS);
    match routes::route(incoming.verb, &incoming.place, config) {
        Ok(Route::Click(tail)) => {
            let reply = click::redirect(&incoming, tail, id, [7; 16]);
            reply.is_ok_and(|reply| {
                check_reply(&reply, Kind::Click, token::leading(tail));
                true
            })
        }
        Ok(Route::Open(tail)) => {
            let reply = open::pixel(&incoming, tail, id);
            reply.is_ok_and(|reply| {
                check_reply(&reply, Kind::Open, token::leading(tail));
                true
            })
        }
        Ok(Route::Act(tail)) => incoming.link(tail, &[Kind::Unsubscribe, Kind::Confirm]).is_ok(),
        Ok(Route::Api) => api(&incoming),
        Ok(_) => true,
        Err(_) => false,
    }
}

fn api(incoming: &Incoming) -> bool {
    let query = incoming.place.query;
    let Ok(route) = v1::Route::of(incoming.verb, incoming.place.path) else { return false };
    match route {
        v1::Route::Message(_, Wanted::Clicks) => {
            let Ok(Listing { after, limit, filter }) = Listing::of(query) else { return false };
            assert!((1..=10_000).contains(&limit));
            let call = Call::Page { after, limit: limit.min(1_000), filter };
            let (path, body) = call.encode();
            assert_eq!(
                Call::decode(path, body),
                Ok(call),
                "the object is asked what the call asked: {query}"
            );
            true
        }
        v1::Route::Messages => Messages::of(query).is_ok(),
        _ => v1::no_parameters(query).is_ok(),
    }
}

#[test]
fn no_hostile_request_redirects_or_breaks_anything() {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    let rounds = number("ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    println!("seed {seed}");
    let config = Config::read([("LINK_KEYS".to_owned(), Value::Text(OURS.to_owned()))]);
    let (corpus, mut rng) = (requests(), Rng::with_seed(seed));
    let mut got_somewhere = 0;
    for _ in 0..rounds {
        let request = input(&mut rng, &corpus);
        got_somewhere += usize::from(answer(&shown(&mut rng, &request), &config));
    }
    println!("| requests, from line to answer | {rounds} | {got_somewhere} | |");
    assert!(got_somewhere > 0 && got_somewhere < rounds);
}
