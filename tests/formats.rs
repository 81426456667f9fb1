//! What outlives a deploy, frozen: the record, the rows of packs, the events that warehouses read. A change here is a
//! new version beside the old one, never a mended test. (Tokens, cookies, keys of R2 objects and delivery rows are
//! frozen where they are made.)

mod common;

use clickproof::event::line;
use clickproof::event::pack::{self, Draft};
use clickproof::record::Kind;
use clickproof::record::Sighting;
use clickproof::record::Verified;
use clickproof::record::{EventId, Record};
use clickproof::verdict::{ClickType, Confidence, Finding, Ruleset, Verdict};
use common::NOON_MS;

const RECORD: &str = r#"{"event_id":"01a20320-a200-7000-8000-000000000000","message_id":"spring","recipient_id":"u42","link_id":"cta","url":"https://brand.example/","kind":"click","ts_ms":1795348800000,"sent_at_ms":1795348799000,"delivered_at_ms":null,"links_total":2,"method":"GET","ip":"40.92.1.1","asn":8075,"country":"IE","user_agent":"UA","referer":"https://nam02.safelinks.protection.outlook.com/","accept":"*/*","accept_language":"en","sec_fetch_site":"none","sec_fetch_mode":"navigate","sec_fetch_dest":"document","sec_fetch_user":"?1","sec_purpose":null,"sec_ch_ua":"\"Chromium\";v=\"140\"","x_forwarded_for":"192.0.2.1","http_protocol":"HTTP/2","secure":true,"cookie":"new","visitor_id":"07070707070707070707070707070707","repeats":null}"#;

const VERDICT: &str = r#""click_type":"scanner_timeofclick","vendor":"microsoft","confidence":"probable","rule":"timeofclick_pair","reasons":["+safelinks_referer","+first_of_pair"],"paired_with":"01a20320-a201-7000-8000-000000000000","is_bot":true,"is_defender_bot":true,"verified":"none","ruleset":"defender@1","revision":2,"final":true"#;

fn record() -> Record {
    Record::parse(RECORD).unwrap()
}

fn verdict() -> Verdict {
    let finding = Finding {
        click_type: Some(ClickType::ScannerTimeOfClick),
        vendor: Some("microsoft".into()),
        confidence: Confidence::Probable,
        rule: "timeofclick_pair".into(),
        reasons: vec!["+safelinks_referer".into(), "+first_of_pair".into()],
        paired_with: Some("01a20320-a201-7000-8000-000000000000".into()),
    };
    Verdict::new(finding, Ruleset::Defender, 2)
}

#[test]
fn a_record_is_written_as_ever() {
    assert_eq!(serde_json::to_string(&record()).unwrap(), RECORD);
}

#[test]
fn an_event_is_written_as_ever() {
    let fields = &RECORD[1..RECORD.len() - 1];
    let shipped = format!("{{\"event\":\"click\",{fields},{VERDICT}}}");
    assert_eq!(line::shipped(&record(), &verdict()), shipped);
    assert_eq!(line::listed(&record(), &verdict()), format!("{{{fields},{VERDICT}}}"));
}

#[test]
fn a_pack_is_written_and_read_as_ever() {
    let id = EventId::parse(&record().event_id).unwrap();
    let mut draft = Draft::new(id, &record(), verdict(), Some(ClickType::Human));
    draft.entry.delivered_at_ms = Some(NOON_MS);
    draft.entry.repeats = Some(3);
    let row = pack::pack(7, NOON_MS + 1, vec![draft]);
    let body = format!(
        r#"{{"v":1,"links":[["cta","https://brand.example/"]],"entries":[{{"event_id":"01a20320-a200-7000-8000-000000000000","link":0,"verdict":{{{VERDICT}}},"was":"human","delivered_at_ms":1795348800000,"repeats":3}}]}}"#
    );
    assert_eq!(row.body, body);
    assert_eq!((row.number, row.first_ms, row.last_ms, row.open_from_ms), (7, NOON_MS, NOON_MS, NOON_MS + 1));
    let keys = row.keys.iter().fold(String::new(), |keys, byte| format!("{keys}{byte:02x}"));
    assert_eq!(keys, "01a20320a20070008000000000000000d472ef773520c931");
    let opened = row.open().unwrap();
    assert_eq!(
        (opened.entries[0].verdict.clone(), opened.entries[0].was),
        (verdict(), Some(ClickType::Human))
    );
}

/// What an entry has at times: its kind where it is no click, and the verification that it is the first to tell.
#[test]
fn what_an_entry_has_at_times_is_written_and_read_as_ever() {
    let click = record();
    let id = EventId::parse(&click.event_id).unwrap();
    let sighting = Sighting {
        event_id: EventId::parse("01a20321-0000-7000-8000-000000000001").unwrap(),
        verified: Verified::Interacted,
        since_load_ms: Some(700),
    };
    let mut draft = Draft::new(id, &click, verdict().with_verified(Verified::Interacted), None);
    draft.entry.sighting = Some(sighting.clone());
    let open = Record { kind: Kind::Open, ..click.clone() };
    let row = pack::pack(1, 0, vec![draft, Draft::new(id, &open, verdict(), None)]);
    let seen = r#""sighting":{"event_id":"01a20321-0000-7000-8000-000000000001","verified":"interacted","since_load_ms":700}"#;
    assert!(row.body.contains(&format!("\"repeats\":null,{seen}}}")), "{}", row.body);
    assert!(row.body.contains(r#""kind":"open","link":0"#) && row.body.matches("kind").count() == 1);
    assert_eq!(row.keys[40..48], [0; 8], "nobody looks for opens by their recipient");
    let entries = row.open().unwrap().entries;
    assert_eq!((entries[0].kind, &entries[0].sighting), (Kind::Click, &Some(sighting.clone())));
    assert_eq!((entries[1].kind, &entries[1].sighting), (Kind::Open, &None));

    let event = r#"{"event":"verify","event_id":"01a20321-0000-7000-8000-000000000001","revision":1,"message_id":"spring","recipient_id":"u42","link_id":"cta","url":"https://brand.example/","ts_ms":1795348824064,"verified":"interacted","since_load_ms":700,"click_event_id":"01a20320-a200-7000-8000-000000000000","click_ts_ms":1795348800000}"#;
    assert_eq!(line::verified(&click, &sighting), event);
}

#[test]
fn a_pack_of_a_later_version_is_not_guessed_at() {
    let mut row = pack::pack(1, 0, vec![]);
    row.body = row.body.replace("\"v\":1", "\"v\":2");
    assert!(row.open().unwrap_err().contains("version 2"));
    row.body =
        r#"{"v":1,"links":[],"entries":[{"event_id":"e","link":0,"verdict":{"click_type":"scanner_new"}}]}"#
            .into();
    assert!(row.open().is_err());
}
