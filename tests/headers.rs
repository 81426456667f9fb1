//! What a request's headers vote: nothing against real browsers of any version, something for each thing that is missing
//! or another browser's, and never enough to decide.

mod common;

use clickproof::record::Record;
use clickproof::signals::Signals;
use clickproof::signals::votes::{ENOUGH, Sign, Votes};
use common::hits::{
    BARRACUDA, ELSEWHERE, FILTER, HETZNER, HOME, Hit, chrome, edge, firefox, history, iphone, logged, nobody,
    pretender, program, safari, samsung, told,
};
use proptest::prelude::*;

fn votes(Hit(record): &Hit) -> Votes {
    Signals::of(record).votes
}

fn names(hit: &Hit) -> Vec<&'static str> {
    votes(hit).seen().map(|vote| vote.reason).collect()
}

/// A change to a request.
type Change = fn(&mut Record);

/// What speaks for a person by headers alone.
const PERSON: [&str; 2] = ["-navigated", "-coherent_headers"];

/// Browsers on both sides of every version that began to send a header, and the newest.
fn browsers() -> Vec<(&'static str, Hit)> {
    let chrome = [75, 76, 79, 80, 88, 89, 109, 158].map(|version| ("Chrome", chrome(version)));
    let edge = [79, 80, 88, 89, 158].map(|version| ("Edge", edge(version)));
    let firefox = [78, 89, 90, 115, 140, 160].map(|version| ("Firefox", firefox(version)));
    let safari =
        [(15, 6), (16, 3), (16, 4), (18, 5), (26, 1)].map(|(major, minor)| ("Safari", safari(major, minor)));
    let samsung = [(11, 75), (12, 79), (13, 83), (22, 111), (23, 115), (28, 130)]
        .map(|(version, chromium)| ("Samsung Internet", samsung(version, chromium)));
    let iphones = [
        ("Safari on an old iPhone", iphone(16, 3, "Version/16.3 Mobile/15E148 Safari/604.1")),
        ("Safari on an iPhone", iphone(16, 4, "Version/16.4 Mobile/15E148 Safari/604.1")),
        ("a frozen system's Safari", iphone(18, 6, "Version/26.1 Mobile/15E148 Safari/604.1")),
        ("Chrome on an iPhone", iphone(18, 6, "CriOS/158.0.7339.122 Mobile/15E148 Safari/604.1")),
        ("Chrome on an old iPhone", iphone(16, 3, "CriOS/110.0.5481.114 Mobile/15E148 Safari/604.1")),
        ("Firefox on an iPhone", iphone(18, 6, "FxiOS/160.0 Mobile/15E148 Safari/605.1.15")),
        ("an app's page on an iPhone", iphone(18, 6, "Mobile/15E148")),
    ];
    let all = chrome.into_iter().chain(edge).chain(firefox).chain(safari).chain(samsung);
    all.chain(iphones).collect()
}

#[test]
fn no_real_browser_contradicts_itself() {
    for (name, hit) in browsers() {
        let against: Vec<_> = names(&hit)
            .into_iter()
            .filter(|name| name.starts_with('+') && !["+aged_browser", "+stale_browser"].contains(name))
            .collect();
        assert!(against.is_empty(), "{name} {:?}: {against:?}", hit.0.user_agent);
    }
}

#[test]
fn who_sends_fetch_metadata_is_seen_as_a_person() {
    for (name, hit) in browsers() {
        let sends = hit.0.sec_fetch_mode.is_some();
        let person: Vec<_> = names(&hit).into_iter().filter(|name| name.starts_with('-')).collect();
        assert_eq!(person, if sends { PERSON.to_vec() } else { Vec::new() }, "{name} {:?}", hit.0.user_agent);
    }
}

#[test]
fn age_votes_by_chromes_and_firefoxs_releases() {
    for (hit, expected) in [
        (chrome(158), None),
        (chrome(152), None),
        (chrome(151), Some("+aged_browser")),
        (chrome(139), Some("+aged_browser")),
        (chrome(138), Some("+stale_browser")),
        (firefox(115), Some("+stale_browser")),
        // Kept up for companies, and its neighbour.
        (firefox(153), None),
        (firefox(152), Some("+aged_browser")),
        (safari(15, 6), None),
        (samsung(11, 75), None),
    ] {
        let age = names(&hit)
            .into_iter()
            .find(|name| name.ends_with("ed_browser") || name.ends_with("ale_browser"));
        assert_eq!(age, expected, "{:?}", hit.0.user_agent);
    }
}

/// One change at a time to a browser's headers: what it adds, and what it takes from the person.
#[test]
fn each_missing_or_foreign_header_is_a_vote() {
    let hints = |record: &mut Record| record.sec_ch_ua = chrome(158).0.sec_ch_ua;
    let new = || chrome(158);
    let rows: Vec<(&str, Hit, Change, &[&str])> = vec![
        ("nothing changed", new(), |_| (), &["-navigated", "-coherent_headers"]),
        ("no agent: nothing else counts", new(), |record| record.user_agent = None, &["+no_user_agent"]),
        (
            "fetch metadata stripped",
            new(),
            |record| {
                (record.sec_fetch_site, record.sec_fetch_mode) = (None, None);
                (record.sec_fetch_dest, record.sec_fetch_user) = (None, None);
            },
            &["+no_fetch_metadata"],
        ),
        (
            "client hints stripped",
            new(),
            |record| record.sec_ch_ua = None,
            &["+no_client_hints", "-navigated"],
        ),
        (
            "no language",
            new(),
            |record| record.accept_language = None,
            &["+no_accept_language", "-navigated"],
        ),
        ("no Accept", new(), |record| record.accept = None, &["+accept_not_html", "-navigated"]),
        (
            "another Accept",
            new(),
            |record| record.accept = Some("*/*".into()),
            &["+accept_not_html", "-navigated"],
        ),
        ("nobody's gesture", new(), |record| record.sec_fetch_user = None, &["+no_user_activation"]),
        (
            "a script's fetch",
            new(),
            |record| record.sec_fetch_mode = Some("cors".into()),
            &["+not_a_navigation"],
        ),
        ("an image", new(), |record| record.sec_fetch_dest = Some("image".into()), &["+not_a_navigation"]),
        ("a frame of a webmail", new(), |record| record.sec_fetch_dest = Some("iframe".into()), &PERSON),
        (
            "HTTP/1.1",
            new(),
            |record| record.http_protocol = Some("HTTP/1.1".into()),
            &["+old_protocol", "-navigated", "-coherent_headers"],
        ),
        ("HTTP/3", new(), |record| record.http_protocol = Some("HTTP/3".into()), &PERSON),
        (
            "the cookie back",
            new(),
            |record| record.cookie = Some("returning".into()),
            &["-navigated", "-coherent_headers", "-returning_cookie"],
        ),
        (
            "through a wrapper",
            new(),
            |record| record.referer = Some("https://urldefense.com/".into()),
            &["-navigated", "-coherent_headers", "-wrapper_referer"],
        ),
        ("another version's hints", chrome(157), hints, &["+client_hints_disagree"]),
        ("hints from Firefox", firefox(160), hints, &["+foreign_client_hints"]),
        ("hints from Safari", safari(26, 1), hints, &["+foreign_client_hints"]),
        (
            "a gesture from Safari",
            safari(26, 1),
            |record| record.sec_fetch_user = Some("?1".into()),
            &["+foreign_fetch_user"],
        ),
        (
            "a version nobody released",
            new(),
            |record| {
                let agent = record.user_agent.take().unwrap();
                record.user_agent = Some(agent.replace("158.0.0.0", "158.0.7149.1690"));
            },
            &["+impossible_browser"],
        ),
        (
            "a build that Chrome does not tell",
            new(),
            |record| {
                let agent = record.user_agent.take().unwrap();
                record.user_agent = Some(agent.replace("158.0.0.0", "158.0.7849.90"));
            },
            &["+unreduced_version", "-navigated", "-coherent_headers"],
        ),
        (
            "Samsung's gesture stripped",
            samsung(28, 130),
            |record| record.sec_fetch_user = None,
            &["+no_user_activation"],
        ),
    ];
    for (words, hit, change, expected) in rows {
        assert_eq!(names(&hit.with(change)), expected, "{words}");
    }
}

#[test]
fn over_plain_http_no_sec_header_is_missed() {
    for (name, hit) in browsers() {
        let plain = hit.stripped().with(|record| {
            record.secure = Some(false);
            record.http_protocol = Some("HTTP/1.1".to_owned());
        });
        let spoken: Vec<_> = names(&plain).into_iter().filter(|name| !name.ends_with("_browser")).collect();
        assert!(spoken.is_empty(), "{name}: {spoken:?}");
    }
}

#[test]
fn a_record_that_holds_only_an_agent_misses_nothing() {
    for (name, hit) in browsers() {
        let only = logged(hit.0.user_agent.as_deref().unwrap());
        let spoken: Vec<_> = names(&only).into_iter().filter(|name| !name.ends_with("_browser")).collect();
        assert!(spoken.is_empty(), "{name}: {spoken:?}");
        // Nor one that also kept the fetch metadata: whoever sends that sends an Accept.
        let kept = hit.with(|record| {
            (record.accept, record.accept_language, record.secure) = (None, None, None);
            record.http_protocol = None;
        });
        assert!(!names(&kept).contains(&"+no_accept_language"), "{name}: {:?}", names(&kept));
    }
}

#[test]
fn programs_miss_nothing_that_they_never_had() {
    for agent in ["curl/8.5.0", "ms-office", "Mozilla/5.0", "Barracuda Sentinel (EE)"] {
        assert!(names(&program(agent)).is_empty(), "{agent}");
    }
}

#[test]
fn forwarded_for_is_one_vote_at_most() {
    let spoken =
        |list: &str| names(&chrome(158).with(|record| record.x_forwarded_for = Some(list.to_owned())));
    let with_vote = ["+forwarded_for_scanner", "-navigated", "-coherent_headers"];
    let deep = format!("{}{FILTER}", format!("{HOME}, ").repeat(60));
    let many = format!("{FILTER},{BARRACUDA}, {FILTER}").repeat(20);
    for list in [
        FILTER,
        BARRACUDA,
        "198.51.100.7, 40.92.1.1",
        "unknown,  40.92.1.1 ",
        &deep,
        &many,
        "::ffff:40.92.1.1",
    ] {
        assert_eq!(spoken(list), with_vote, "{list}");
    }
    for list in
        [ELSEWHERE, "", ",,,", "40.92.1.1:443", "40.92.1", "unknown", "for=40.92.1.1", "104.28.28.1", "\u{0}"]
    {
        assert_eq!(spoken(list), PERSON, "{list}");
    }
}

#[test]
fn no_sign_is_enough_and_those_of_a_header_alone_need_hosting() {
    for sign in Sign::ALL {
        let mut votes = Votes::default();
        votes.note(*sign, true);
        assert!(votes.sum() < ENOUGH, "{sign:?}");
    }
    let verdict = |hit: Hit| told(&history([hit]))[0].verdict();
    assert_eq!(verdict(pretender()), "human", "votes without evidence are no verdict");
    assert_eq!(verdict(nobody()), "no_agent", "a rule of its own");
    assert_eq!(verdict(pretender().asn(HETZNER)), "headless", "a hosting network is evidence");
}

fn header(values: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        3 => prop::sample::select(values).prop_map(|value| Some(value.to_owned())),
        1 => "\\PC{0,40}".prop_map(Some),
    ]
}

/// Anything a request may say, by a browser's agent, as a GET that is no prefetch, from no network of the catalogue.
fn requests() -> impl Strategy<Value = Hit> {
    let agents: Vec<Option<String>> = browsers()
        .into_iter()
        .map(|(_, hit)| hit.0.user_agent)
        .chain([None, pretender().0.user_agent])
        .collect();
    let fetch = (
        header(&["none", "cross-site"]),
        header(&["navigate", "cors", "no-cors"]),
        header(&["document", "iframe", "image", "empty"]),
        header(&["?1", "?0"]),
    );
    let others = (
        header(&["text/html", "*/*"]),
        header(&["en"]),
        header(&[r#""Chromium";v="120""#, r#""Google Chrome";v="158""#]),
        header(&["HTTP/1.1", "HTTP/2", "HTTP/3"]),
        header(&["40.92.1.1", "10.0.0.1, 3.24.133.130, 40.92.1.1"]),
        header(&["https://urldefense.com/", "https://mail.example/"]),
        header(&["new", "returning", "none"]),
    );
    let place =
        prop::sample::select(vec![Some(HOME), Some(ELSEWHERE), Some("2001:db8::1"), Some("junk"), None]);
    let when = prop::sample::select(vec![-5_000, 0, 9_999, 10_000, 59_999, 60_000, 7_200_000]);
    (prop::sample::select(agents), fetch, others, place, when, any::<Option<bool>>()).prop_map(
        |(
            agent,
            (site, mode, dest, user),
            (accept, language, hints, protocol, forwarded, referer, cookie),
            ip,
            ms,
            secure,
        )| {
            nobody().at(ms).with(|record| {
                record.user_agent = agent;
                (record.sec_fetch_site, record.sec_fetch_mode) = (site, mode);
                (record.sec_fetch_dest, record.sec_fetch_user) = (dest, user);
                (record.accept, record.accept_language, record.sec_ch_ua) = (accept, language, hints);
                (record.http_protocol, record.x_forwarded_for) = (protocol, forwarded);
                (record.referer, record.cookie, record.secure) = (referer, cookie, secure);
                record.ip = ip.map(str::to_owned);
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_votes_together_make_a_scanner_without_evidence(hit in requests()) {
        let told = &told(&history([hit]))[0];
        let has_agent = told.finding.reasons.iter().all(|reason| reason != "+no_user_agent");
        let rule = if has_agent { "human" } else { "no_agent" };
        prop_assert_eq!(&told.finding.rule, rule, "{:?}", told);
        prop_assert!(told.held.len() <= usize::from(!has_agent));
    }

    /// A person's headers, whatever X-Forwarded-For says, from wherever one click comes: never certain.
    #[test]
    fn a_forged_list_decides_nothing(list in "([0-9a-f.:, ]|40\\.92\\.1\\.1){0,200}", asn in prop::option::of(prop::sample::select(vec![HETZNER, 8_075]))) {
        let hit = chrome(158).with(|record| (record.x_forwarded_for, record.asn) = (Some(list), asn));
        prop_assert_eq!(told(&history([hit]))[0].verdict(), "human");
    }
}
