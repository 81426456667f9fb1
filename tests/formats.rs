//! What outlives a deploy, frozen: the record, the rows of packs, the events that warehouses read. A change here is a
//! new version beside the old one, never a mended test. (Tokens, cookies, keys of R2 objects and delivery rows are
//! frozen where they are made.)

mod common;

use clickproof::event::body::{Entry, Past, Unread};
use clickproof::event::line;
use clickproof::event::pack::{self, Draft, PackRow, Stored};
use clickproof::record::Kind;
use clickproof::record::Sighting;
use clickproof::record::Verified;
use clickproof::record::{Delivery, EventId, Record};
use clickproof::verdict::{ClickType, Confidence, Finding, Ruleset, Verdict};
use common::NOON_MS;

const RECORD: &str = r#"{"event_id":"01a20320-a200-7000-8000-000000000000","message_id":"spring","recipient_id":"u42","link_id":"cta","url":"https://brand.example/","kind":"click","ts_ms":1795348800000,"sent_at_ms":1795348799000,"delivered_at_ms":null,"links_total":2,"method":"GET","ip":"40.92.1.1","asn":8075,"country":"IE","user_agent":"UA","referer":"https://nam02.safelinks.protection.outlook.com/","accept":"*/*","accept_language":"en","sec_fetch_site":"none","sec_fetch_mode":"navigate","sec_fetch_dest":"document","sec_fetch_user":"?1","sec_purpose":null,"sec_ch_ua":"\"Chromium\";v=\"140\"","x_forwarded_for":"192.0.2.1","http_protocol":"HTTP/2","secure":true,"cookie":"new","visitor_id":"07070707070707070707070707070707","repeats":null}"#;

const VERDICT: &str = r#""click_type":"scanner_timeofclick","vendor":"microsoft","confidence":"probable","rule":"timeofclick_pair","reasons":["+safelinks_referer","+first_of_pair"],"paired_with":"01a20320-a201-7000-8000-000000000000","is_bot":true,"is_defender_bot":true,"verified":"none","ruleset":"defender@1","revision":2,"final":true"#;

const NETWORK: &str = r#""network":"Defender table: mail filter","network_vendor":"microsoft","network_class":"scanner-certain","safelinks_referer":true"#;

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
    let shipped = format!("{{\"event\":\"click\",{fields},{NETWORK},{VERDICT}}}");
    assert_eq!(line::shipped(&record(), &verdict(), None), shipped);
    let amended =
        format!("{{\"event\":\"click\",{fields},{NETWORK},{VERDICT},\"previous_click_type\":\"human\"}}");
    assert_eq!(line::shipped(&record(), &verdict(), Some(ClickType::Human)), amended);
    assert_eq!(line::listed(&record(), &verdict()), format!("{{{fields},{VERDICT}}}"));
}

/// Of what few records have a line says nothing where there is none: a group stands in its place where there is one.
#[test]
fn a_record_of_a_group_is_written_as_ever() {
    let grouped = RECORD
        .replace(r#""links_total""#, r#""bounced_at_ms":1795348800002,"group":"gmail.com","links_total""#);
    let record = Record::parse(&grouped).unwrap();
    assert_eq!(serde_json::to_string(&record).unwrap(), grouped);
    let fields = &grouped[1..grouped.len() - 1];
    let shipped = format!("{{\"event\":\"click\",{fields},{NETWORK},{VERDICT}}}");
    assert_eq!(line::shipped(&record, &verdict(), None), shipped);
    assert_eq!(line::listed(&record, &verdict()), format!("{{{fields},{VERDICT}}}"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn bytes(row: &PackRow) -> &[u8] {
    let Stored::Bytes(bytes) = &row.body else { panic!("{:?}", row.body) };
    bytes
}

/// What version 3 and before could say.
fn uncounted() -> Vec<Draft> {
    drafts().into_iter().map(|draft| Draft { entry: draft.entry.leaving(), ..draft }).collect()
}

/// An entry with all that it may have: kind, shadow, delivery, repeats, verification, what a tally counts by.
fn drafts() -> Vec<Draft> {
    let id = EventId::parse(&record().event_id).unwrap();
    let sighting = Sighting {
        event_id: EventId::parse("01a20321-0000-7000-8000-000000000001").unwrap(),
        verified: Verified::Interacted,
        since_load_ms: Some(700),
    };
    let shadow = Finding { rule: "human".into(), click_type: Some(ClickType::Human), ..verdict().finding };
    let seen = verdict().with_verified(Verified::Interacted).with_shadow(Some((shadow, Ruleset::Full)));
    let mut click = Draft::new(id, &record(), seen, Delivery::default());
    click.entry.was = Some(ClickType::Human);
    click.entry.was_shadow = Some(ClickType::ScannerSweep);
    click.entry.past = Some(Box::new(Past {
        vendor: Some("proofpoint".into()),
        confidence: Confidence::Certain,
        verified: Verified::Rendered,
        delay: Some(9),
    }));
    click.entry.group = Some("gmail.com".into());
    click.entry.delivery.delivered_at_ms = Some(NOON_MS);
    click.entry.repeats = Some(3);
    click.entry.sighting = Some(sighting);
    let open = Record { kind: Kind::Open, ..record() };
    let finding = Finding { click_type: Some(ClickType::ProxyOpen), ..Finding::not_a_click() };
    vec![
        click,
        Draft::new(id.successor(), &open, Verdict::new(finding, Ruleset::Full, 1), Delivery::default()),
    ]
}

#[test]
fn a_pack_is_written_and_read_as_ever() {
    let row = pack::pack(7, NOON_MS + 1, drafts());
    assert_eq!(hex(bytes(&row)), format!("04{}00{COUNTED}", &PACK_2[2..]));
    assert_eq!(hex(bytes(&pack::pack(7, NOON_MS + 1, uncounted()))), PACK_2, "what leaves is of version 2");
    assert_eq!((row.number, row.first_ms, row.last_ms, row.open_from_ms), (7, NOON_MS, NOON_MS, NOON_MS + 1));
    assert_eq!(
        hex(&row.keys),
        "01a20320a20070008000000000000000d472ef773520c93101a20320a200700080000000000000010000000000000000",
        "nobody looks for opens by their recipient"
    );
    let opened = row.open().unwrap();
    assert_eq!(opened.links, [(Some("cta".to_owned()), Some("https://brand.example/".to_owned()))]);
    let written: Vec<Entry> = drafts().into_iter().map(|draft| draft.entry).collect();
    let read: Vec<Entry> = opened
        .entries
        .into_iter()
        .zip(&written)
        .map(|(read, draft)| Entry { event_id: draft.event_id.clone(), ..read })
        .collect();
    assert_eq!(read, written);
    assert_eq!(row.events(), 3, "two verdicts and a verification");
}

const PACK_2: &str = "0203010101186374610101b00168747470733a2f2f6272616e642e6578616d706c652f020128636c69636b01206f70656e01\
    0002012868756d616e000201687363616e6e65725f737765657000020150646566656e6465724031013066756c6c40330204\
    01020150696e746572616374656401206e6f6e65020198017363616e6e65725f74696d656f66636c69636b015070726f7879\
    5f6f70656e0201486d6963726f736f66740002014070726f6261626c6501386365727461696e0201800174696d656f66636c\
    69636b5f7061697201586e6f745f615f636c69636b020188022b736166656c696e6b735f726566657265720a2b6669727374\
    5f6f665f70616972000201830101a20320a201700080000000000000000002013066756c6c40330002012868756d616e0002\
    01486d6963726f736f66740002014070726f6261626c650002012868756d616e00020188022b736166656c696e6b735f7265\
    66657265720a2b66697273745f6f665f70616972000201830101a20320a20170008000000000000000000301808885b2c068\
    00030106000201830101a2032100007000800000000000000100020150696e7465726163746564000301f80a00";

/// Version 4 is version 3 with six columns more: delay, group, and of the revision before vendor, confidence, verified, delay.
const COUNTED: &str = "0102020148676d61696c2e636f6d0002015070726f6f66706f696e74000201386365727461696e00020140\
    72656e64657265640003011200";

/// Version 3 is written where version 2 cannot say it: of a mail that bounced.
#[test]
fn a_pack_that_tells_of_a_bounce_is_version_2_with_one_column_more() {
    let mut drafts = uncounted();
    drafts[1].entry.delivery.bounced_at_ms = Some(NOON_MS + 1);
    let expected: Vec<_> = drafts.iter().map(|draft| draft.entry.delivery).collect();
    let row = pack::pack(7, NOON_MS + 1, drafts);
    assert_eq!(hex(bytes(&row)), format!("03{}030001828885b2c068", &PACK_2[2..]));
    let opened = row.open().unwrap();
    assert_eq!(opened.entries.iter().map(|entry| entry.delivery).collect::<Vec<_>>(), expected);
    assert_eq!((opened.v, row.events()), (3, 3));
    let record = Record { delivered_at_ms: Some(5), ..record() };
    assert_eq!(
        opened.entries[1].as_judged(record).delivery(),
        expected[1].or(Delivery { delivered_at_ms: Some(5), ..expected[1] })
    );
}

/// Version 1 was JSON: rows of it are read for ever.
#[test]
fn a_pack_of_version_1_is_read_as_ever() {
    let entry = format!(
        r#"{{"event_id":"01a20320-a200-7000-8000-000000000000","link":0,"verdict":{{{VERDICT}}},"was":"human","delivered_at_ms":1795348800000,"repeats":3,"sighting":{{"event_id":"01a20321-0000-7000-8000-000000000001","verified":"interacted","since_load_ms":700}}}}"#
    );
    let body = format!(r#"{{"v":1,"links":[["cta","https://brand.example/"]],"entries":[{entry}]}}"#);
    let row = PackRow { body: Stored::Json(body), keys: vec![0; 24], ..pack::pack(7, 0, vec![]) };
    let entries = row.open().unwrap().entries;
    assert_eq!((&entries[0].verdict, entries[0].was), (&verdict(), Some(ClickType::Human)));
    assert_eq!(
        (entries[0].kind, entries[0].delivery.delivered_at_ms, entries[0].repeats),
        (Kind::Click, Some(NOON_MS), Some(3))
    );
    assert_eq!(entries[0].sighting, drafts()[0].entry.sighting);
    assert_eq!(row.events(), 2);
}

#[test]
fn a_landing_pages_event_is_written_as_ever() {
    let event = r#"{"event":"verify","event_id":"01a20321-0000-7000-8000-000000000001","revision":1,"message_id":"spring","recipient_id":"u42","link_id":"cta","url":"https://brand.example/","ts_ms":1795348824064,"verified":"interacted","since_load_ms":700,"click_event_id":"01a20320-a200-7000-8000-000000000000","click_ts_ms":1795348800000}"#;
    assert_eq!(line::verified(&record(), drafts()[0].entry.sighting.as_ref().unwrap()), event);
}

#[test]
fn a_pack_of_a_later_version_is_not_guessed_at() {
    let row = pack::pack(1, 0, drafts());
    let mut later = bytes(&row).to_vec();
    later[0] = 5;
    let later = PackRow { body: Stored::Bytes(later), ..row.clone() };
    assert_eq!(later.open(), Err(Unread::Later(5)));
    // A type that is not known here, in bytes and in JSON.
    let at = bytes(&row).windows(5).position(|five| five == b"sweep").unwrap();
    let mut strange = bytes(&row).to_vec();
    strange[at..at + 5].copy_from_slice(b"swept");
    assert_eq!(PackRow { body: Stored::Bytes(strange.clone()), ..row.clone() }.open(), Err(Unread::Later(4)));
    // What is no word, no version, or no whole body is nobody's: it is damaged.
    strange[at] = b'!';
    let whole = bytes(&row);
    for damaged in [strange, whole[..whole.len() - 1].to_vec(), vec![], vec![0], b"text".to_vec()] {
        let row = PackRow { body: Stored::Bytes(damaged.clone()), ..row.clone() };
        assert_eq!(row.open(), Err(Unread::Damaged), "{damaged:?}");
    }
    let keys = row.keys[..row.keys.len() - 1].to_vec();
    assert_eq!(PackRow { keys, ..row.clone() }.open(), Err(Unread::Damaged), "a key too short");
    for json in [
        r#"{"v":2,"links":[],"entries":[]}"#,
        r#"{"v":1,"links":[],"entries":[{"event_id":"e","link":0,"verdict":{"click_type":"scanner_new"}}]}"#,
    ] {
        assert!(PackRow { body: Stored::Json(json.to_owned()), ..row.clone() }.open().is_err());
    }
}
