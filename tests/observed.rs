//! Real requests, quoted in public threads with what they turned out to be, each with our verdict and why. What a source does
//! not say is not in the record. Those whose network or agent is known are found; the others, which one request cannot
//! settle, are never certain.

mod common;

use clickproof::record::Kind;
use clickproof::record::Record;
use clickproof::signals::Signals;
use clickproof::verdict::rules::opens;
use clickproof::verdict::{Confidence, Finding};
use common::hits::{AZURE, Hit, history, told};
use common::record;

/// About when a source was written, Unix milliseconds: the middle of the month, off by two days at most.
fn month(year: i64, month: i64) -> i64 {
    (year - 1970) * 31_556_952_000 + (2 * month - 1) * 1_314_873_000
}

/// A request of that month, with no more than its source tells. It came two minutes after the send where nothing is told.
fn seen((year, of_year): (i64, i64)) -> Hit {
    let ts_ms = month(year, of_year);
    Hit(record("", "r", "l", ts_ms)).with(|record| record.sent_at_ms = ts_ms - 120_000)
}

fn windows(version: &str, products: &str) -> String {
    format!("Mozilla/5.0 (Windows NT {version}) AppleWebKit/537.36 (KHTML, like Gecko) {products}")
}

/// Chrome on Windows 10, as most sources quote it.
fn chrome(version: &str) -> String {
    windows("10.0; Win64; x64", &format!("Chrome/{version} Safari/537.36"))
}

fn agent(hit: Hit, agent: &str) -> Hit {
    hit.with(|record| record.user_agent = Some(agent.to_owned()))
}

fn later(hit: Hit, ms: i64) -> Hit {
    hit.with(|record| record.ts_ms += ms)
}

fn since_send(hit: Hit, ms: i64) -> Hit {
    hit.with(|record| record.sent_at_ms = record.ts_ms - ms)
}

/// What our verdict is of each of a source's clicks: the rule, `!` behind it where it is certain; whose scanner; and the
/// reason that matters.
type Verdict = (&'static str, Option<&'static str>, &'static str);

fn hold(source: &str, hits: Vec<Hit>, (verdict, vendor, reason): Verdict) {
    for told in told(&history(hits)) {
        assert_eq!(told.verdict(), verdict, "{source}: {:?}", told.finding);
        assert_eq!(told.finding.vendor.as_deref(), vendor, "{source}");
        assert!(told.finding.reasons.iter().any(|spoken| spoken == reason), "{source}: {:?}", told.finding);
    }
}

const FILTER: Verdict = ("scanner_network!", Some("microsoft"), "+microsoft_network");

#[test]
fn microsofts_filter_is_found_by_its_network() {
    let february = || {
        agent(seen((2018, 2)).from("40.107.218.12"), &windows("6.1", "Chrome/57.0.2987.133 Safari/537.36"))
    };
    let february = || february().with(|record| record.http_protocol = Some("HTTP/2.0".to_owned()));
    // The second came to the link with %27 behind it: a token ends before that, so both are clicks on one link.
    hold("gophish #973: two GETs in one second", vec![february(), later(february(), 600)], FILTER);
    hold(
        "gophish #973: Chrome 57 was seven versions old",
        vec![february()],
        ("scanner_network!", Some("microsoft"), "+aged_browser"),
    );
    for (ip, version) in [("40.94.16.9", "72.0.3626.109"), ("40.107.235.4", "64.0.3282.140")] {
        let hit = agent(seen((2020, 11)).from(ip), &chrome(version));
        hold("opencollective #3656: it runs JavaScript", vec![hit.clone()], FILTER);
        let aged = if version.starts_with("72") { "+aged_browser" } else { "+stale_browser" };
        hold("opencollective #3656: an old Chrome", vec![hit], ("scanner_network!", Some("microsoft"), aged));
    }
    hold(
        "mautic #9400: 21 of 21 addresses were Microsoft's",
        vec![seen((2023, 3)).from("40.94.29.84")],
        FILTER,
    );
}

#[test]
fn single_addresses_of_azure_that_scan_are_probable() {
    for ip in ["40.64.100.180", "40.64.64.110"] {
        hold(
            "phinsec.io's list of addresses to ignore",
            vec![seen((2026, 11)).from(ip)],
            ("scanner_network", Some("microsoft"), "+microsoft_network"),
        );
    }
}

#[test]
fn what_says_so_itself_is_found_by_its_agent() {
    hold(
        "Crawler-Detect, Braze's documentation: Barracuda",
        vec![agent(seen((2026, 11)), "Barracuda Sentinel (EE)")],
        ("declared!", Some("barracuda"), "+declared"),
    );
    let outlook = agent(
        seen((2023, 10)),
        &windows(
            "10.0; Win64; x64",
            "Chrome/117.0.0.0 Safari/537.36 Edg/117.0.2045.47 OneOutlook/1.2023.927.100",
        ),
    );
    hold(
        "next-auth #1840: the new Outlook asked ahead with HEAD",
        vec![outlook.clone().method("HEAD")],
        ("declared!", None, "+declared"),
    );
    let told = told(&history([outlook]));
    assert_eq!(told[0].verdict(), "human", "next-auth #1840: its web view shows the page to a person");
}

#[test]
fn many_recipients_at_once_from_one_address_are_found_by_that() {
    // 4,000 clicks in 29 min 18 s, from one address.
    let click = |n: i64| later(seen((2018, 5)).from("198.51.100.7"), n * 1_758_000 / 4_000);
    let of_all = (0..4_000).map(|n| click(n).by(&format!("r{n}"))).collect();
    hold("gophish #1061: 4,000 people's link", of_all, ("fanout", None, "+fanout"));
    // Of one person's link nothing but the number tells.
    let of_one = told(&history((0..4_000).map(click)));
    assert!(of_one.iter().all(|told| told.finding.confidence == Confidence::Probable));
}

/// What one request cannot settle, and nothing else is told: probable at most.
#[test]
fn what_one_request_cannot_settle_is_never_certain() {
    let (azure, elsewhere) = ((2022, 5), (2022, 4));
    let rows: Vec<(&str, Vec<Hit>)> = vec![
        (
            "laravel-passwordless-login #79: plain Azure, outside the filter's ranges",
            vec![agent(seen(azure).from("20.72.100.79").asn(AZURE), &chrome("97.0.4692.99"))],
        ),
        (
            "gophish #2446: before the delivery",
            ["80.0.3987.132", "96.0.4664.110", "79.0.3945.136"]
                .into_iter()
                .map(|version| since_send(agent(seen(elsewhere), &chrome(version)), -5_000).by(version))
                .collect(),
        ),
        (
            "fleet #26976: it runs JavaScript and calls the API",
            vec![agent(seen((2025, 3)), &chrome("125.0.0.0"))],
        ),
        (
            "warmbly #410: Microsoft's AS, whose open and click name two browsers",
            vec![agent(seen((2026, 9)).asn(AZURE), &chrome("140.0.0.0"))],
        ),
        (
            "resend-node #901: twelve seconds behind the person, from elsewhere",
            vec![
                agent(
                    seen((2026, 3)),
                    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36",
                ),
                later(agent(seen((2026, 3)).from("168.90.91.133"), &chrome("146.0.0.0")), 12_000),
            ],
        ),
        (
            "gophish #2938: a cloud's address right after the send",
            vec![since_send(
                agent(seen((2023, 8)).from("35.192.0.1").asn(396_982), &chrome("115.0.0.0")),
                1_000,
            )],
        ),
    ];
    for (source, hits) in rows {
        for told in told(&history(hits)) {
            assert_eq!(told.verdict(), "human", "{source}: {:?}", told.finding);
        }
    }
}

#[test]
fn the_same_requests_are_found_once_their_headers_are_seen() {
    // None of these sources logged headers. Over https, without what their browser sends, the hosted ones contradict it.
    let over_https = |hit: Hit| {
        hit.with(|record| {
            record.secure = Some(true);
            record.accept = Some("*/*".to_owned());
        })
    };
    let azure = agent(seen((2022, 5)).from("20.72.100.79").asn(AZURE), &chrome("97.0.4692.99"));
    let cloud = agent(seen((2023, 8)).from("35.192.0.1").asn(396_982), &chrome("115.0.0.0"));
    for hit in [azure, cloud] {
        hold("Azure and Google's cloud", vec![over_https(hit)], ("headless", None, "+no_fetch_metadata"));
    }
}

fn open(agent: &str, asn: Option<i64>, lag_ms: i64) -> Finding {
    let Hit(record) = seen((2026, 8));
    let ts_ms = record.sent_at_ms + lag_ms;
    opens::judge(
        &Signals::of(&Record { kind: Kind::Open, user_agent: Some(agent.to_owned()), asn, ts_ms, ..record }),
        lag_ms,
    )
}

#[test]
fn googles_opens_are_nobodys() {
    let prefetch = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0";
    let proxy = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
    for (source, agent, lag_ms) in [
        ("mautic #10245, SparkPost, Bird: Gmail's prefetch", prefetch, 5_000),
        ("a calibration of 2026-08: the proxy after 9 s", proxy, 9_000),
        ("after 14 s", proxy, 14_000),
        ("after 26 s", proxy, 26_000),
        // The person's own reading comes through the same proxy.
        ("and for a person, after 203 s", proxy, 203_000),
    ] {
        for asn in [None, Some(15_169)] {
            let found = open(agent, asn, lag_ms);
            let said = (found.click_type.unwrap().name(), found.vendor.as_deref(), found.rule.as_ref());
            assert_eq!(said, ("proxy_open", Some("google"), "image_proxy"), "{source}");
            assert!(found.reasons.iter().any(|reason| reason == "+image_proxy_agent"), "{source}");
        }
    }
}

#[test]
fn an_open_from_microsofts_as_is_no_ones_scanner() {
    let found = open(&chrome("139.0.0.0"), Some(AZURE), 30_000);
    assert_eq!(
        found.click_type.unwrap().name(),
        "human",
        "warmbly #410: Exchange Online shows people's mail too"
    );
    assert_eq!(found.confidence, Confidence::Probable);
}
