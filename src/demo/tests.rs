//! The mail's links lead to the Worker, and the story says only what the clicks show.

use serde_json::{Value, json};

use super::*;
use crate::link::token;
use crate::record::Kind;

const ORIGIN: &str = "http://127.0.0.1:8787";

fn keys() -> Keyring {
    Keyring::parse(&format!("k1:{}", "A".repeat(43))).0.unwrap()
}

fn id() -> EventId {
    EventId::first_of(1_795_348_800_000)
}

fn listed(values: &[(&str, Value)]) -> String {
    let mut record = json!({
        "kind": "click",
        "ts_ms": 1_795_348_804_567_i64,
        "sent_at_ms": 1_795_348_800_000_i64,
        "link_id": "tea",
        "method": "GET",
        "ip": "192.0.2.1",
        "user_agent": "Mozilla/5.0",
        "click_type": "human",
        "confidence": "probable",
        "vendor": null,
        "rule": "human",
        "ruleset": "full@3",
        "reasons": ["+first_seconds", "-navigated"],
        "verified": "none",
        "revision": 0,
        "final": false,
    });
    for (name, value) in values {
        record[*name] = value.clone();
    }
    format!("{record}\n")
}

#[test]
fn a_mails_links_are_its_own_and_lead_to_the_landing_page() {
    let mail = mail(id(), ORIGIN, &keys(), 60_000).unwrap();
    let message = format!("demo-{}", id());
    let kinds: Vec<Kind> = mail
        .split("=\"")
        .filter_map(|text| text.strip_prefix(ORIGIN))
        .map(|href| {
            let (route, rest) = href.trim_start_matches('/').split_once('/').unwrap();
            let link = token::open(token::leading(rest), &keys()).unwrap();
            assert_eq!(mint::route(link.kind), route);
            assert_eq!((link.message_id.as_str(), link.sent_at_ms), (message.as_str(), 1_795_348_800_000));
            if link.kind == Kind::Click {
                let url = link.url.unwrap();
                let (path, query) = url.as_str().strip_prefix(ORIGIN).unwrap().split_once('?').unwrap();
                assert_eq!((path, message_in(query)), ("/demo/landing", Some(message.as_str())));
            }
            link.kind
        })
        .collect();
    assert_eq!(kinds, [Kind::Click, Kind::Click, Kind::Click, Kind::Confirm, Kind::Unsubscribe, Kind::Open]);
    assert!(mail.contains(&format!("/demo/story?message={message}\"")));
    assert!(mail.contains("the final one 60 s later"));
    assert!(!mail.contains("{{"));
}

#[test]
fn only_a_message_of_the_demo_has_a_story() {
    let message = format!("demo-{}", id());
    let upper = message.to_uppercase();
    for (query, expected) in [
        (format!("message={message}"), true),
        (format!("a=b&message={message}&page=tea"), true),
        (String::new(), false),
        ("message=".to_owned(), false),
        ("message=demo-".to_owned(), false),
        ("message=spring-1".to_owned(), false),
        (format!("message={}", id()), false),
        (format!("message={message}%22%3E"), false),
        (format!("message={message}x"), false),
        (format!("message={upper}"), false),
        (format!("xmessage={message}"), false),
        ("message=demo-campaign".to_owned(), true),
        ("message=demo-campaigns".to_owned(), false),
    ] {
        assert_eq!(message_in(&query).is_some(), expected, "{query}");
    }
}

#[test]
fn a_reference_leads_to_the_demos_own_landing_page_alone() {
    for (url, has_one) in [
        (format!("{ORIGIN}/demo/landing?message=m&page=tea"), true),
        (format!("{ORIGIN}/demo/landing"), false),
        (format!("{ORIGIN}/demo/story?message=m"), false),
        (format!("{ORIGIN}0/demo/landing?page=tea"), false),
        ("https://shop.example/demo/landing?page=tea".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(reference_parameter(&url, ORIGIN).is_some(), has_one, "{url}");
    }
}

#[test]
fn a_landing_page_leads_to_its_story_or_back_to_a_mail() {
    assert!(landing(Some("demo-x")).contains("href=\"/demo/story?message=demo-x\""));
    assert!(landing(None).contains("class=\"button\" href=\"/demo\""));
}

#[test]
fn a_story_says_who_it_was_how_sure_and_why() {
    for (changes, expected) in [
        (
            vec![],
            vec![
                "<b class=\"person\">A person</b>",
                "<code>human</code>",
                "probable, provisional, revision 0",
                "final 1.5 s after its request",
                "click of <code>tea</code> at 12:00:04 UTC, 4.5 s after the send",
                "Nothing is known of the page behind it yet.",
                "Rule <code>human</code>: no rule for a scanner holds.",
                "<b class=\"scanner\">for a scanner</b> within ten seconds of the clock",
                "<b class=\"person\">for a person</b> Sec-Fetch headers as a person&#39;s click on a link leaves them",
                "GET from 192.0.2.1 by Mozilla/5.0",
            ],
        ),
        (
            vec![("verified", json!("rendered")), ("final", json!(true)), ("revision", json!(2))],
            vec!["probable, final, revision 2", "was shown; nobody has touched it yet"],
        ),
        (vec![("verified", json!("interacted"))], vec!["Somebody touched the page behind it."]),
        (
            vec![
                ("click_type", json!("scanner_safe_attachments")),
                ("vendor", json!("microsoft")),
                ("confidence", json!("certain")),
                ("rule", json!("safe_attachments")),
                ("reasons", json!(["+sandbox_burst"])),
            ],
            vec![
                "<b class=\"scanner\">A scanner</b>",
                "<code>scanner_safe_attachments</code>",
                "microsoft",
                "certain, provisional",
                "<b class=\"scanner\">for a scanner</b> sandbox burst",
            ],
        ),
        (
            vec![
                ("kind", json!("open")),
                ("click_type", json!("proxy_open")),
                ("vendor", json!("google")),
                ("rule", json!("image_proxy")),
            ],
            vec![
                "<b class=\"nobody\">An image proxy, for somebody or for nobody</b>",
                "open of",
                "Rule <code>image_proxy</code>: an image proxy, or a privacy prefetch",
            ],
        ),
        (
            vec![("click_type", json!(null)), ("rule", json!("not_a_click")), ("reasons", json!([]))],
            vec!["<b class=\"nobody\">Not judged</b>", "judges clicks alone"],
        ),
    ] {
        let story = story("demo-x", &listed(&changes), false, 1_500);
        for words in expected {
            assert!(story.contains(words), "{words}: {story}");
        }
    }
    let open = story("demo-x", &listed(&[("kind", json!("open"))]), false, 0);
    assert!(!open.contains("the page behind it"), "an open leads nowhere");
}

#[test]
fn a_story_tells_every_request_in_order_and_when_there_are_none() {
    let lines =
        listed(&[("link_id", json!("first"))]) + "not json\n" + &listed(&[("link_id", json!("second"))]);
    let told = story("demo-x", &lines, false, 0);
    assert_eq!(told.matches("<li class=\"record\">").count(), 2);
    assert!(told.find("first").unwrap() < told.find("second").unwrap());
    assert!(story("demo-x", &lines, true, 0).contains("The first hundred requests"));
    let none = story("demo-x", "", false, 0);
    assert!(none.contains("Nothing has come yet") && none.contains("href=\"/demo/story?message=demo-x\""));
}

/// A term of a list of counts and its number.
fn has_count(page: &str, term: &str, count: &str) -> bool {
    let (_, behind) = page.split_once(term).unwrap_or_default();
    behind.trim_start().starts_with(&format!("</dt>\n        <dd>{count}</dd>"))
}

#[test]
fn a_story_has_totals() {
    let kinds = [
        ("click", "human"),
        ("click", "scanner_sweep"),
        ("click", "scanner_gateway"),
        ("open", "human"),
        ("unsubscribe", "human"),
        ("confirm", "scanner_sweep"),
    ];
    let lines: String =
        kinds.map(|(kind, its)| listed(&[("kind", json!(kind)), ("click_type", json!(its))])).concat();
    let story = story("demo-x", &lines, false, 0);
    for (term, count) in [
        ("Clicks, as a naive tracker counts", "3"),
        ("People’s", "1"),
        ("Scanners’", "2"),
        ("Opens", "1"),
        ("Buttons pressed", "2"),
    ] {
        assert!(has_count(&story, term, count), "{term}: {story}");
    }
}

/// Every browser speaks HTTP/1 to this machine.
#[test]
fn what_is_only_this_machines_speaks_against_nobody() {
    let reasons = json!(["+old_protocol", "-navigated"]);
    let story = story("demo-x", &listed(&[("reasons", reasons)]), false, 0);
    assert!(!story.contains(">for a scanner<") && story.contains(">for a person<"), "{story}");
    assert!(votes::TABLE.iter().any(|vote| vote.reason == OF_PLAIN_HTTP));
}

#[test]
fn a_campaign_is_told_as_a_naive_tracker_counts_and_as_people_clicked() {
    let report = json!({
        "sent": 8000, "clicks": 3839, "recipients": 1583, "human_clicks": 1237, "human_recipients": 1038, "unsettled": 0,
    });
    let told = |changes: &[(&str, Value)]| {
        let mut report = report.clone();
        for (name, value) in changes {
            report[*name] = value.clone();
        }
        campaign(&Json::parse(&report.to_string()).unwrap())
    };
    let page = told(&[]);
    for words in [
        "8,000 people got",
        ">48.0 %<",
        ">13.0 %<",
        ">3,839<",
        ">1,237<",
        ">1,583<",
        ">1,038<",
        "2,602 clicks were machines’",
        "href=\"/demo/report\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for words in ["provisional", NOTHING, "{{"] {
        assert!(!page.contains(words), "{words}: {page}");
    }
    assert!(told(&[("unsettled", json!(1500))]).contains("1,500 verdicts are provisional still."));
    let nothing = told(&[("clicks", json!(0)), ("sent", json!(null))]);
    assert!(nothing.contains(NOTHING) && nothing.contains("not known"), "{nothing}");
}

#[test]
fn counts_have_their_thousands_apart() {
    for (count, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
        assert_eq!(grouped(count), expected);
    }
    for (part, whole, expected) in [
        (0, 7, "0.0 %"),
        (1, 3, "33.3 %"),
        (2, 3, "66.7 %"),
        (3, 3, "100.0 %"),
        (9, 3, "300.0 %"),
        (1, 0, "not known"),
    ] {
        assert_eq!(percent(part, whole), expected);
    }
}

#[test]
fn what_visitors_sent_is_text() {
    const EVIL: &str = "<script>alert('\"{{&records}}\"')</script>";
    for name in ["ip", "user_agent", "method", "link_id", "kind", "vendor", "rule", "click_type"] {
        let mut values = vec![("reasons", json!([EVIL])), (name, json!(EVIL))];
        if name == "vendor" {
            values.push(("click_type", json!("scanner_gateway")));
        }
        let told = story("demo-x", &listed(&values), false, 0);
        assert!(!told.contains("<script>"), "{name}: {told}");
        assert!(told.contains("alert("), "{name}");
    }
}

#[test]
fn times_are_a_clocks() {
    for (ms, expected) in [(0, "0 s"), (60_000, "60 s"), (4_567, "4.5 s"), (99, "0 s"), (-1_500, "-1.5 s")] {
        assert_eq!(seconds(ms), expected);
    }
    assert_eq!(clock(1_795_391_999_999), "23:59:59 UTC");
    assert_eq!(clock(-1), "23:59:59 UTC");
}
