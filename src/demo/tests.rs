//! The mail's links lead to the Worker, and pages are made of what it knows.

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

#[test]
fn a_mails_links_are_its_own_and_lead_to_the_landing_page() {
    let mail: Value = serde_json::from_str(&mail(id(), ORIGIN, &keys(), 60_000).unwrap()).unwrap();
    let message = format!("demo-{}", id());
    assert_eq!((&mail["message"], &mail["final_after_ms"]), (&json!(message), &json!(60_000)));
    for (name, kind) in [
        ("tea", Kind::Click),
        ("cups", Kind::Click),
        ("shop", Kind::Click),
        ("pixel", Kind::Open),
        ("confirm", Kind::Confirm),
        ("unsubscribe", Kind::Unsubscribe),
    ] {
        let href = mail[name].as_str().unwrap().strip_prefix(ORIGIN).unwrap();
        let (route, rest) = href.trim_start_matches('/').split_once('/').unwrap();
        let link = token::open(token::leading(rest), &keys()).unwrap();
        assert_eq!((link.kind, mint::route(link.kind)), (kind, route));
        assert_eq!((link.message_id.as_str(), link.sent_at_ms), (message.as_str(), 1_795_348_800_000));
        if kind == Kind::Click {
            let url = link.url.unwrap();
            let (path, query) = url.as_str().strip_prefix(ORIGIN).unwrap().split_once('?').unwrap();
            assert_eq!((path, message_in(query)), ("/demo/landing", Some(message.as_str())));
        }
    }
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
fn what_pages_are_made_of_is_json() {
    assert_eq!(landing(Some("demo-x")), r#"{"message":"demo-x"}"#);
    assert_eq!(landing(None), r#"{"message":""}"#);
    for (lines, records) in [("", json!([])), ("{\"a\":1}\n{\"a\":2}\n", json!([{"a": 1}, {"a": 2}]))] {
        let told: Value = serde_json::from_str(&story("demo-x", lines, true, 60_000)).unwrap();
        assert_eq!(
            told,
            json!({"message": "demo-x", "final_after_ms": 60_000, "more": true, "records": records})
        );
    }
}
