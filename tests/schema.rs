//! The table of fields, the files that are made of it and the lines that it describes say the same.

mod common;

use std::path::Path;
use std::{env, fs};

use clickproof::event::erased::Erased;
use clickproof::event::line;
use clickproof::event::schema::{Event, FIELDS, Presence, Shape, Words, json, table};
use clickproof::event::sink::alert::{Alert, Code};
use clickproof::link::keys::Keyring;
use clickproof::record::EventId;
use clickproof::record::{Kind, Record, Sighting, Verified};
use clickproof::signals::privacy::Privacy;
use clickproof::verdict::{ClickType, Confidence, Finding, Ruleset, Verdict};
use common::NOON_MS;
use common::json_schema::violation;
use serde_json::Value;

/// The page that has the table, and where it stands there.
const PAGE: &str = "static/docs/data.md";
const BEGIN: &str = "<!-- fields: made of the table in src/event/schema, see there -->\n\n";
const END: &str = "<!-- /fields -->\n";

/// Holds a file to what it should be; with `UPDATE` in the environment, writes it.
fn hold(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{file} is not what the table makes: run UPDATE=1 cargo test --test schema");
}

#[test]
fn the_schemas_file_is_made_of_the_table() {
    hold("static/schema/events.json", &json());
}

#[test]
fn the_pages_table_is_made_of_it_too() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has the table's first comment");
    let (_, after) = rest.split_once(END).expect("the page has the table's last comment");
    hold(PAGE, &format!("{before}{BEGIN}{}\n{END}{after}", table()));
}

#[test]
fn every_field_has_one_row_and_says_what_it_is() {
    for (at, field) in FIELDS.iter().enumerate() {
        assert!(FIELDS[..at].iter().all(|other| other.name != field.name), "{}", field.name);
        assert!(field.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", field.name);
        assert!(!field.about.is_empty() && !field.about.ends_with('.'), "{}", field.name);
        assert!(Event::ALL.iter().any(|event| field.presence(*event).is_some()), "{}", field.name);
        assert!(matches!(field.words, Words::Any) || field.shape == Shape::Text, "{}", field.name);
        assert!(!field.name.ends_with("_ms") || field.shape == Shape::Integer, "{}", field.name);
    }
}

fn id(place: u64) -> EventId {
    EventId::parse(&format!("01a20320-a200-7000-8000-{place:012}")).unwrap()
}

/// Records of every kind: with the least that one has, and with all that it may have.
fn records() -> Vec<Record> {
    let least = Record {
        event_id: id(0).to_string(),
        message_id: "m".to_owned(),
        recipient_id: "r".to_owned(),
        link_id: Some("l".to_owned()),
        ts_ms: NOON_MS,
        sent_at_ms: NOON_MS,
        method: "GET".to_owned(),
        ..Record::default()
    };
    let full = {
        let mut object = serde_json::to_value(&least).unwrap();
        let fields = object.as_object_mut().unwrap();
        for field in FIELDS.iter().filter(|field| field.presence(Event::Click).is_some()) {
            let value = match field.shape {
                Shape::Text if field.name == "ip" => "40.92.1.1".into(),
                Shape::Text => "full".into(),
                Shape::Integer => NOON_MS.into(),
                Shape::Boolean => true.into(),
                Shape::Texts | Shape::Json => continue,
            };
            if fields.get(field.name).is_none_or(Value::is_null) && field.name != "verified" {
                fields.insert(field.name.to_owned(), value);
            }
        }
        Record::parse(&object.to_string()).unwrap()
    };
    let by_url = Record { link_id: None, url: Some("https://brand.example/".to_owned()), ..least.clone() };
    let keys = Keyring::parse(&format!("k:{}", "A".repeat(43))).0.unwrap();
    let least_kept = Privacy::Verdict.keep(full.clone(), &keys);
    let of_kind =
        |kind| [&least, &by_url, &full, &least_kept].map(|record| Record { kind, ..record.clone() });
    Kind::ALL.into_iter().flat_map(of_kind).collect()
}

/// Verdicts: of a person, of each kind of scanner with all that one may have, of a record that no rule judges.
fn verdicts() -> Vec<Verdict> {
    let none = Finding::not_a_click();
    let scanner = |click_type| Finding {
        click_type: Some(click_type),
        vendor: Some("microsoft".into()),
        confidence: Confidence::Probable,
        rule: "rule".into(),
        reasons: vec!["+one".into(), "-other".into()],
        paired_with: Some(id(1).to_string().into()),
    };
    let mut verdicts: Vec<_> =
        ClickType::ALL.into_iter().map(|kind| Verdict::new(scanner(kind), Ruleset::Full, 2)).collect();
    verdicts.push(Verdict::new(none.clone(), Ruleset::Defender, 1));
    verdicts.push(
        Verdict::new(scanner(ClickType::Human), Ruleset::Full, 7)
            .with_verified(Verified::Interacted)
            .with_shadow(Some((none, Ruleset::Defender))),
    );
    verdicts
}

/// Every kind of line that leaves.
fn lines() -> Vec<String> {
    let records = records();
    let mut lines: Vec<_> = records
        .iter()
        .flat_map(|record| {
            verdicts().into_iter().map(|verdict| {
                let was = Some(ClickType::Human).filter(|_| verdict.revision > 1);
                line::shipped(record, &verdict, was)
            })
        })
        .collect();
    for since_load_ms in [None, Some(700)] {
        let sighting = Sighting { event_id: id(2), verified: Verified::Rendered, since_load_ms };
        lines.extend(records.iter().map(|record| line::verified(record, &sighting)));
    }
    let report =
        r#"{"message_id":"m","first_ms":1,"diagnosis":[{"code":"c","severity":"warning","text":"t"}]}"#;
    Alert::of_report(report, NOON_MS, &mut |alert| lines.push(alert.line()));
    for recipient_id in [None, Some("r")] {
        lines.push(Erased { message_id: "m", recipient_id, ts_ms: NOON_MS }.line());
    }
    lines.push(Alert::own(Code::DeadLetters, NOON_MS).line());
    lines
}

#[test]
fn what_leaves_obeys_the_schema_and_has_no_field_that_the_table_does_not_know() {
    let schema: Value = serde_json::from_str(&json()).unwrap();
    let lines = lines();
    assert!(lines.len() > 100);
    for line in lines {
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(violation(&schema, &event), None, "{line}");
        let kind = Event::named(event["event"].as_str().unwrap()).unwrap();
        for name in event.as_object().unwrap().keys() {
            let field = FIELDS.iter().find(|field| field.name == name);
            assert!(field.is_some_and(|field| field.presence(kind).is_some()), "{name} in {line}");
        }
    }
}

#[test]
fn what_the_table_says_of_a_field_is_what_the_lines_show() {
    let lines: Vec<Value> = lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in Event::ALL {
        let of_event: Vec<_> = lines.iter().filter(|line| line["event"] == event.name()).collect();
        for field in FIELDS {
            let shown = of_event.iter().map(|line| line.get(field.name)).map(|value| match value {
                None => Presence::Optional,
                Some(Value::Null) => Presence::Nullable,
                Some(_) => Presence::Always,
            });
            let shown: Vec<_> = shown.collect();
            let is_known = field.presence(event).is_some();
            assert_eq!(shown.contains(&Presence::Always), is_known, "{} in {}", field.name, event.name());
            assert_eq!(
                shown.iter().max().copied().filter(|_| is_known),
                field.presence(event),
                "{} in {}",
                field.name,
                event.name()
            );
        }
    }
}

#[test]
fn a_line_that_breaks_the_schema_is_told_so() {
    let schema: Value = serde_json::from_str(&json()).unwrap();
    let good: Value = serde_json::from_str(&lines()[0]).unwrap();
    let broken = |name: &str, value: Option<Value>| {
        let mut event = good.clone();
        match value {
            Some(value) => event.as_object_mut().unwrap().insert(name.to_owned(), value),
            None => event.as_object_mut().unwrap().remove(name),
        };
        violation(&schema, &event)
    };
    for field in FIELDS.iter().filter(|field| field.presence(Event::Click).is_some()) {
        let presence = field.presence(Event::Click);
        assert_eq!(
            broken(field.name, None).is_some(),
            presence != Some(Presence::Optional),
            "{}",
            field.name
        );
        assert_eq!(
            broken(field.name, Some(Value::Null)).is_some(),
            presence == Some(Presence::Always),
            "{}",
            field.name
        );
        assert!(broken(field.name, Some(1.5.into())).is_some(), "{}", field.name);
        let closed = matches!(field.words, Words::Closed(_)) || field.shape != Shape::Text;
        assert_eq!(broken(field.name, Some("other".into())).is_some(), closed, "{}", field.name);
    }
    assert_eq!(broken("a_later_version", Some(1.into())), None);
}
