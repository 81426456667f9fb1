//! What judging costs beside checking a token, in one run on one thread, compiled as the Worker is: `cargo bench --profile wasm
//! --bench cost`, a part of `npm run bench`. Prints a markdown table; fails where signals and rules cost more than twice the
//! token check.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use clickproof::json::Json;
use clickproof::link::keys::Keyring;
use clickproof::link::mint::mint;
use clickproof::link::token;
use clickproof::record::Delivery;
use clickproof::record::EventIds;
use clickproof::record::Record;
use clickproof::signals::Signals;
use clickproof::verdict::{Click, Look, Ruleset, Thresholds, judge};

/// The most that signals and rules together may cost, in token checks.
const BOUND: f64 = 2.0;

/// Each measurement is the best of so many: the machine does other things too.
const ROUNDS: usize = 9;

/// Clicks of one message, judged together as an object judges those of some seconds.
const CLICKS: i64 = 1_000;

const SENT_MS: i64 = 1_795_348_800_000;

const AGENTS: [(&str, Option<&str>); 4] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36",
        Some("\"Chromium\";v=\"158\", \"Google Chrome\";v=\"158\", \"Not?A_Brand\";v=\"24\""),
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 \
         Mobile/15E148 Safari/604.1",
        None,
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:159.0) Gecko/20100101 Firefox/159.0", None),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/97.0.4692.99 \
         Safari/537.36",
        None,
    ),
];

/// People and scanners by turns, a hundred a second.
fn records() -> Vec<Record> {
    let mut ids = EventIds::default();
    (0..CLICKS)
        .map(|n| {
            let ts_ms = SENT_MS + 90_000 + n * 10;
            let (agent, hints) = AGENTS[usize::try_from(n % 4).unwrap_or_default()];
            Record {
                event_id: ids.next(ts_ms, [7; 12]).to_string(),
                message_id: "spring".to_owned(),
                recipient_id: format!("r{}", n / 2),
                link_id: Some(format!("l{}", n % 7)),
                url: Some(format!("https://brand.example/spring/{}", n % 7)),
                ts_ms,
                sent_at_ms: SENT_MS,
                links_total: Some(7),
                method: "GET".to_owned(),
                ip: Some(if n % 4 == 3 {
                    format!("40.92.{}.7", n % 250)
                } else {
                    format!("203.0.113.{}", n % 250)
                }),
                asn: Some(if n % 4 == 3 { 8075 } else { 3320 }),
                user_agent: Some(agent.to_owned()),
                accept: Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8".to_owned()),
                accept_language: Some("en-GB,en;q=0.9".to_owned()),
                sec_fetch_site: Some("none".to_owned()),
                sec_fetch_mode: Some("navigate".to_owned()),
                sec_fetch_dest: Some("document".to_owned()),
                sec_fetch_user: Some("?1".to_owned()),
                sec_ch_ua: hints.map(str::to_owned),
                http_protocol: Some("HTTP/2".to_owned()),
                secure: Some(true),
                cookie: Some("new".to_owned()),
                ..Record::default()
            }
        })
        .collect()
}

/// Nanoseconds for each of `count` steps that `work` takes, the best of some rounds.
fn nanoseconds(count: usize, mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "the counts are small")]
    let count = count as f64;
    best * 1e9 / count
}

fn main() -> ExitCode {
    let (Some(keys), _) = Keyring::parse(&format!("k1:{}", "A".repeat(43))) else {
        println!("the benchmark's own key is refused");
        return ExitCode::FAILURE;
    };
    let body = serde_json::json!({
        "message_id": "spring", "recipient_id": "r42", "sent_at_ms": SENT_MS,
        "links": [{"link_id": "cta", "url": "https://brand.example/spring/offers?utm_source=mail&utm_campaign=spring"}],
    });
    let body = body.to_string();
    let body = Json::parse(&body).expect("it is JSON");
    let minted =
        mint(&body, "https://click.brand.example", &keys).expect("the benchmark's own link is minted");
    let token = minted.links[0].href.rsplit('/').next().unwrap_or_default().to_owned();

    let records = records();
    let click = |record: &Record| Rc::new(Click::of(record, Delivery::default()));
    let clicks: Vec<Rc<Click>> = records.iter().map(click).collect();
    let thresholds = Thresholds::default();
    let count = records.len();
    let check = nanoseconds(count, || {
        for _ in 0..count {
            _ = black_box(token::open(black_box(&token), &keys));
        }
    });
    let signals = nanoseconds(count, || {
        for record in &records {
            black_box(Signals::of(black_box(record)));
        }
    });
    let rules = nanoseconds(count, || {
        black_box(judge(black_box(&clicks), Ruleset::Full, &thresholds, Look::Whole));
    });
    println!("| a click's | ns | token checks |\n| --- | ---: | ---: |");
    for (name, ns) in [
        ("token check", check),
        ("signals", signals),
        ("rules of `full`", rules),
        ("signals and rules", signals + rules),
    ] {
        println!("| {name} | {ns:.0} | {:.2} |", ns / check);
    }
    if signals + rules > BOUND * check {
        println!("signals and rules cost more than {BOUND} token checks");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
