//! `import` as people run it: exports in the shapes that mail providers write, of one send that never was, in all of which the
//! same happened. Ann clicks after twenty minutes, a scanner follows all of Bob's links at once, Cai's mail came back and its
//! link was requested all the same.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use clickproof::link::text_id::{check_message_id, check_recipient_id};
use clickproof::record::{EventId, Kind, Record};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

const NOON_MS: i64 = 1_795_348_800_000;
const KEY: [&str; 2] = ["--recipient-key", "list-key"];

/// What the key makes of the addresses: Python's `hmac` says so, too.
const ANN: &str = "cc23e142aab1c199bebdbc6f21138971";
const BOB: &str = "a65c1321ce991ec521a8b65ab28efaf7";
const CAI: &str = "642c1646661b024f8f53058dcd5aefaf";

fn run(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_clickproof"))
        .args(args)
        .env_remove("RECIPIENT_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that refuses its flags does not read.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

fn import(from: &str, flags: &[&str], input: &[u8]) -> Output {
    run(&[&["import", "--from", from][..], &KEY, flags].concat(), input)
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/import/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn stderr(output: &Output) -> Vec<&str> {
    std::str::from_utf8(&output.stderr).unwrap().lines().collect()
}

fn lines(output: &Output) -> Vec<Value> {
    std::str::from_utf8(&output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The records, each of which the commands and the API would take.
fn records(output: &Output) -> Vec<Record> {
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    let records: Vec<Record> = lines.map(|line| Record::given(line, &mut |_| {}).unwrap()).collect();
    for record in &records {
        assert_eq!(EventId::parse(&record.event_id).unwrap().ts_ms(), record.ts_ms, "{record:?}");
        assert_eq!(check_message_id(&record.message_id), Ok(()));
        assert_eq!(check_recipient_id(&record.recipient_id), Ok(()));
    }
    let ids: BTreeSet<&str> = records.iter().map(|record| record.event_id.as_str()).collect();
    assert_eq!(ids.len(), records.len(), "each has an id of its own");
    records
}

/// One provider's export of the send.
struct Export {
    from: &'static str,
    file: &'static str,
    message_id: &'static str,
    /// When Bob's mail was sent and delivered, in milliseconds from noon on, and when his last click was.
    bob: (i64, Option<i64>, i64),
    /// When Cai's mail came back.
    bounced: i64,
    /// The other kinds of requests, in order.
    others: &'static [Kind],
    left: &'static str,
}

const EXPORTS: [Export; 6] = [
    Export {
        from: "sendgrid",
        file: "sendgrid.json",
        message_id: "7f1c5e0a-83a1-11f0-9a6b-2e1d5c0f7a11",
        bob: (0, Some(3_000), 42_000),
        bounced: 4_000,
        others: &[Kind::Open, Kind::Unsubscribe],
        left: "left out: 2 deferred, 1 dropped",
    },
    Export {
        from: "mailgun",
        file: "mailgun.ndjson.gz",
        message_id: "spring-1",
        bob: (310, Some(3_400), 41_633),
        bounced: 900_000,
        others: &[Kind::Open, Kind::Unsubscribe],
        left: "left out: 1 complained, 1 failed (temporary)",
    },
    Export {
        from: "postmark",
        file: "postmark.ndjson",
        message_id: "Spring-1~7e389b07",
        bob: (3_153, Some(3_153), 41_633),
        bounced: 4_000,
        others: &[Kind::Open, Kind::Unsubscribe],
        left: "left out: 1 Bounce (AutoResponder), 1 SpamComplaint, 1 SubscriptionChange",
    },
    Export {
        from: "ses",
        file: "ses.ndjson",
        message_id: "spring-1",
        bob: (250, None, 41_633),
        bounced: 4_000,
        others: &[Kind::Open, Kind::Unsubscribe],
        left: "left out: 1 Bounce (Transient), 1 DeliveryDelay, 1 SubscriptionConfirmation",
    },
    Export {
        from: "sparkpost",
        file: "sparkpost.json",
        message_id: "Spring-1~7e389b07",
        bob: (0, Some(3_000), 42_000),
        bounced: 4_000,
        others: &[Kind::Open, Kind::Unsubscribe],
        left: "left out: 1 delay, 1 out_of_band (class 60), 1 ping",
    },
    Export {
        from: "sparkpost",
        file: "sparkpost-events.json",
        message_id: "Spring-1~7e389b07",
        bob: (0, Some(3_000), 42_000),
        bounced: 4_000,
        others: &[Kind::Open, Kind::Unsubscribe],
        left: "left out: 1 delay, 1 out_of_band (class 60)",
    },
];

#[test]
fn every_providers_export_becomes_the_records_of_its_send() {
    for Export { from, file, message_id, bob, bounced, others, left } in EXPORTS {
        let output = import(from, &[], &fixture(file));
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), vec![left]), "{file}");
        let records = records(&output);
        assert!(records.iter().all(|record| record.message_id == message_id), "{file}: {records:?}");

        let clicks = |recipient: &str| -> Vec<&Record> {
            let of = |record: &&Record| record.kind == Kind::Click && record.recipient_id == recipient;
            records.iter().filter(of).collect()
        };
        let swept = clicks(BOB);
        let urls: Vec<&str> = swept.iter().filter_map(|click| click.url.as_deref()).collect();
        let site = ["new", "sale", "help", "jobs"].map(|page| format!("https://brand.example/{page}"));
        assert_eq!(urls, site, "{file}");
        let (sent, delivered, last) = bob;
        for click in &swept {
            assert_eq!(
                (click.sent_at_ms, click.delivered_at_ms),
                (NOON_MS + sent, delivered.map(|ms| NOON_MS + ms)),
                "{file}"
            );
            assert_eq!((click.ip.as_deref(), &click.link_id), (Some("198.51.100.20"), &None), "{file}");
            assert!(click.user_agent.as_deref().unwrap().contains("Chrome/158"), "{file}");
        }
        assert_eq!((swept[0].ts_ms, swept[3].ts_ms), (NOON_MS + 41_000, NOON_MS + last), "{file}");

        let [person] = clicks(ANN)[..] else { panic!("{file}: {records:?}") };
        assert_eq!(
            (person.ts_ms / 1_000, person.ip.as_deref()),
            (NOON_MS / 1_000 + 1_320, Some("203.0.113.9"))
        );

        let came_back: Vec<Value> =
            lines(&output).into_iter().filter(|line| line.get("bounced_at_ms").is_some()).collect();
        // Postmark told of no request to that mail.
        if from == "postmark" {
            assert_eq!(came_back, [json!(null); 0]);
        } else {
            assert_eq!(came_back.len(), 1, "{file}");
            assert_eq!(
                (&came_back[0]["recipient_id"], &came_back[0]["kind"]),
                (&json!(CAI), &json!("click")),
                "{file}"
            );
            assert_eq!(came_back[0]["bounced_at_ms"], json!(NOON_MS + bounced), "{file}");
        }

        let mut kinds: Vec<Kind> =
            records.iter().map(|record| record.kind).filter(|kind| *kind != Kind::Click).collect();
        kinds.sort();
        assert_eq!(kinds, others, "{file}");

        assert_eq!(import(from, &[], &fixture(file)).stdout, output.stdout, "{file}: the same bytes again");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains("example.com"), "{file}: no address stands in a record: {text}");
    }
}

/// The backfill: what a provider's export says of who clicked.
#[test]
fn an_export_goes_straight_into_classify() {
    for Export { from, file, .. } in EXPORTS {
        let imported = import(from, &[], &fixture(file));
        let judged = run(&["classify", "--with-record"], &imported.stdout);
        assert_eq!(judged.status.code(), Some(0), "{:?}", stderr(&judged));
        let verdicts = lines(&judged);
        assert_eq!(verdicts.len(), lines(&imported).len());
        for verdict in verdicts.iter().filter(|verdict| verdict["kind"] == "click") {
            let recipient = verdict["recipient_id"].as_str().unwrap();
            match recipient {
                BOB => assert_eq!(verdict["click_type"], "scanner_sweep", "{file}: {verdict}"),
                ANN => assert_eq!(verdict["click_type"], "human", "{file}: {verdict}"),
                _ => assert_eq!(recipient, CAI, "{file}"),
            }
            assert_ne!(
                (&verdict["is_bot"], &verdict["confidence"]),
                (&json!(true), &json!("certain")),
                "{file}"
            );
        }
        assert!(
            stderr(&judged).iter().any(|line| line.ends_with("headers were not judged")),
            "{:?}",
            stderr(&judged)
        );
    }
}

#[test]
fn what_providers_think_themselves_is_kept() {
    let bots = |from: &str, file: &str, field: &str| -> Vec<Value> {
        let lines = lines(&import(from, &[], &fixture(file)));
        lines.into_iter().filter_map(|mut line| line.as_object_mut()?.remove(field)).collect()
    };
    assert_eq!(
        bots("mailgun", "mailgun.ndjson.gz", "mailgun_bot"),
        [json!("generic"), json!("generic"), json!("generic"), json!("generic")]
    );
    assert_eq!(bots("sendgrid", "sendgrid.json", "sg_machine_open"), [json!(false)]);
    assert_eq!(bots("sendgrid", "sendgrid.json", "sg_event_id").len(), 8);
}

#[test]
fn an_empty_cell_is_unknown_and_says_nothing() {
    let lines = lines(&import("sendgrid", &[], &fixture("sendgrid.json")));
    let cais = lines.iter().find(|line| line["recipient_id"] == CAI).unwrap();
    assert_eq!((cais.get("user_agent"), cais.get("links_total")), (Some(&Value::Null), Some(&Value::Null)));
    assert_eq!(cais.get("link_id"), None);
}

/// The same events in other wrappings are the same records.
#[test]
fn one_export_comes_in_many_wrappings() {
    let text = |file: &str| String::from_utf8(fixture(file)).unwrap();
    let said = |from: &str, input: &str| {
        let output = import(from, &[], input.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{:?}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };

    let events: Vec<Value> = serde_json::from_str(&text("sendgrid.json")).unwrap();
    let array = said("sendgrid", &text("sendgrid.json"));
    let by_line: String = events.iter().map(|event| event.to_string() + "\n").collect();
    assert_eq!(said("sendgrid", &by_line), array);
    // Webhook bodies as a log keeps them, an array a line.
    let bodies: String = events.chunks(3).map(|body| json!(body).to_string() + "\n").collect();
    assert_eq!(said("sendgrid", &bodies), array);
    assert_eq!(said("sendgrid", &format!("\n{bodies}")), array);

    let mut pages = String::new();
    GzDecoder::new(&fixture("mailgun.ndjson.gz")[..]).read_to_string(&mut pages).unwrap();
    let expected = said("mailgun", &pages);
    let items = pages.lines().flat_map(|page| {
        let page: Value = serde_json::from_str(page).unwrap();
        page["items"].as_array().unwrap().clone()
    });
    let hooks: String = items
        .map(|event| {
            json!({"signature": {"token": "t", "timestamp": "1"}, "event-data": event}).to_string() + "\n"
        })
        .collect();
    assert_eq!(said("mailgun", &hooks), expected);

    // SES: a notification's message is the event that Firehose, Lambda and EventBridge bring, too.
    let events: Vec<Value> = text("ses.ndjson")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter_map(|line: Value| match line.get("Message") {
            None => Some(line),
            Some(message) => serde_json::from_str(message.as_str()?).ok(),
        })
        .collect();
    let expected = said("ses", &text("ses.ndjson"));
    assert_eq!(said("ses", &json!(events).to_string()), expected);
    let bridged = events.iter().map(|event| json!({"source": "aws.ses", "detail": event}).to_string() + "\n");
    assert_eq!(said("ses", &bridged.collect::<String>()), expected);
    let lambda: Vec<Value> = events
        .iter()
        .map(|event| json!({"Sns": {"Type": "Notification", "Message": event.to_string()}}))
        .collect();
    assert_eq!(said("ses", &json!({"Records": lambda}).to_string()), expected);

    // SparkPost's times are seconds in a webhook, ISO 8601 in the API.
    assert_eq!(said("sparkpost", &text("sparkpost.json")), said("sparkpost", &text("sparkpost-events.json")));

    // Postmark's Messages API.
    let clicks: Vec<Value> = text("postmark.ndjson")
        .trim_start_matches('\u{feff}')
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let page = json!({"TotalCount": 4, "Clicks": clicks[2..6]}).to_string();
    let others: String = clicks[..2].iter().map(|event| event.to_string() + "\n").collect();
    assert_eq!(said("postmark", &(others + &page)).lines().count(), 4);
}

#[test]
fn a_click_whose_mail_has_no_time_is_told_with_the_remedy() {
    let export: Vec<Value> = serde_json::from_slice(&fixture("sendgrid.json")).unwrap();
    let clicks: String = export
        .iter()
        .filter(|event| event["event"] == "click")
        .map(|event| event.to_string() + "\n")
        .collect();
    let output = import("sendgrid", &[], clicks.as_bytes());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let said = stderr(&output);
    assert_eq!(said.len(), 6);
    for (at, line) in said.iter().enumerate() {
        assert!(
            line.starts_with(&format!("stdin:{}: sent_at_ms: nothing in the input says when", at + 1)),
            "{line}"
        );
        assert!(line.contains("--sent-at"), "{line}");
    }
    for time in ["1795348800000", "1795348800", "2026-11-22T12:00:00Z"] {
        let output = import("sendgrid", &["--sent-at", time], clicks.as_bytes());
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), vec![]));
        assert!(records(&output).iter().all(|record| record.sent_at_ms == NOON_MS));
    }
    // A time that the export knows stands.
    let given = import("sendgrid", &["--sent-at", "1795348700000"], &fixture("sendgrid.json"));
    assert_eq!(given.stdout, import("sendgrid", &[], &fixture("sendgrid.json")).stdout);
}

#[test]
fn of_events_that_tell_the_same_the_first_in_time_counts() {
    let mut export: Vec<Value> = serde_json::from_slice(&fixture("sendgrid.json")).unwrap();
    let expected = import("sendgrid", &[], &fixture("sendgrid.json")).stdout;
    // A webhook that was called again, and a server that said yes twice.
    let again: Vec<Value> = export.iter().filter(|event| event["event"] != "click").cloned().collect();
    for mut event in again
        .into_iter()
        .filter(|event| ["processed", "delivered"].map(Value::from).contains(&event["event"]))
    {
        let later = event["timestamp"].as_i64().unwrap() + 900;
        event["timestamp"] = json!(later);
        export.push(event);
    }
    let text = String::from_utf8(expected).unwrap();
    let mut expected: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..2 {
        let output = import("sendgrid", &[], json!(export).to_string().as_bytes());
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), expected);
        // And the other way round.
        export.reverse();
        expected.reverse();
    }
}

#[test]
fn what_names_no_campaign_is_a_message_by_itself_or_by_name() {
    let mut export: Vec<Value> = serde_json::from_slice(&fixture("sendgrid.json")).unwrap();
    for event in &mut export {
        let event = event.as_object_mut().unwrap();
        event.retain(|name, _| !matches!(name.as_str(), "category" | "singlesend_id" | "singlesend_name"));
    }
    let input = json!(export).to_string();
    let output = import("sendgrid", &[], input.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output)[0],
        "8 records name no campaign, so each mail is a message of its own; --message-id NAME makes them one"
    );
    assert!(records(&output).iter().all(|record| record.message_id == "Kx3vQn81T6a"));
    let output = import("sendgrid", &["--message-id", "spring"], input.as_bytes());
    assert_eq!(stderr(&output), ["left out: 2 deferred, 1 dropped"]);
    assert!(records(&output).iter().all(|record| record.message_id == "spring"));
    // What names one keeps it.
    let named = import("sendgrid", &["--message-id", "spring"], &fixture("sendgrid.json"));
    assert!(records(&named).iter().all(|record| record.message_id.starts_with("7f1c5e0a")));
    // Where only the sending names it, its clicks are the campaign's, too.
    for event in export.iter_mut().filter(|event| event["event"] == "processed") {
        event["category"] = json!("newsletter");
    }
    let output = import("sendgrid", &[], json!(export).to_string().as_bytes());
    assert!(records(&output).iter().all(|record| record.message_id == "newsletter"));
}

#[test]
fn a_bad_event_is_told_by_its_line_and_the_rest_goes_on() {
    let click = |more: Value| {
        let mut event = json!({
            "event": "click", "email": "ann@example.com", "timestamp": NOON_MS / 1_000, "url": "https://brand.example/",
            "sg_message_id": "m.1", "sg_event_id": "e", "category": "c",
        });
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        event.to_string()
    };
    let input = [
        click(json!({"sg_event_id": "good"})),
        "{".to_owned(),
        click(json!({"timestamp": null})),
        click(json!({"timestamp": "soon"})),
        click(json!({"email": ""})),
        click(json!({"url": null})),
        r#"{"type":"click"}"#.to_owned(),
        "7".to_owned(),
        click(json!({"sg_event_id": "good too"})),
    ]
    .join("\n");
    let output = import("sendgrid", &["--sent-at", "1795348800000"], input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(records(&output).len(), 2);
    let expected = [
        (2, "not a JSON object"),
        (3, "`timestamp`: missing"),
        (4, "`timestamp` is `soon`: no time"),
        (5, "`email`: missing"),
        (6, "url: missing"),
        (7, "`event`: missing; a SendGrid event has it"),
        (8, "`event`: missing"),
    ];
    let said = stderr(&output);
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (line, (number, words)) in said.iter().zip(expected) {
        assert!(line.starts_with(&format!("stdin:{number}: ")) && line.contains(words), "{line}");
    }
}

#[test]
fn flags_that_cannot_be_used_are_refused_with_a_remedy() {
    let csv = b"ts_ms,recipient_id,url\n1795348860000,ann@example.com,https://brand.example/\n";
    for (args, words) in [
        (&["--from", "sendgrid"][..], "--recipient-key: missing; recipients are e-mail addresses"),
        (&["--from", "csv", "--message-id", "m"], "--recipient-key: missing"),
        (&["--from", "sendgrid", "--recipient-key", " "], "must not be empty"),
        (&["--from", "mailchimp"], "possible values: sendgrid, mailgun, postmark, ses, sparkpost, csv"),
        (&[], "--from <PROVIDER>"),
        (&["--from", "ses", "--recipient-key", "k", "--map", "ip=x"], "only with --from csv"),
        (
            &["--from", "csv", "--map", "useragent=x"],
            "`useragent` is no field of a record; there are event_id",
        ),
        (&["--from", "csv", "--map", "ip"], "must be FIELD=COLUMN"),
        (
            &["--from", "csv", "--message-id", "m", "--map", "ip=address"],
            "--map ip=address: there is no such column; the columns are ts_ms, recipient_id, url",
        ),
        (
            &["--from", "csv"],
            "no column for message_id: --map message_id=COLUMN (or --message-id NAME); the columns are",
        ),
        (&["--from", "csv", "--message-id", "a b"], "message_id is 1 to 128"),
        (&["--from", "csv", "--sent-at", "noon"], "`sent-at` is `noon`: no time"),
        (&["--from", "csv", "--sent-at", "1795348"], "neither Unix seconds nor milliseconds"),
        (&["--from", "csv", "--zone", "Berlin"], "must be Z or such as +02:00"),
    ] {
        let output = run(&[&["import"], args].concat(), csv);
        let said = stderr(&output).join("\n");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
    let json = import("csv", &["--message-id", "m"], &fixture("sendgrid.json"));
    assert_eq!(stderr(&json), ["error: stdin: this is JSON: name the provider that wrote it as --from"]);
    let unmapped = import("csv", &["--message-id", "m"], b"Time,Email\n");
    assert!(
        stderr(&unmapped)[0].ends_with(
            "no column for recipient_id, ts_ms, url: --map recipient_id=COLUMN --map ts_ms=COLUMN --map url=COLUMN; the \
             columns are Time, Email"
        ),
        "{:?}",
        stderr(&unmapped)
    );
    for from in ["csv", "ses"] {
        let nothing = import(from, &[], b"");
        assert_eq!((nothing.status.code(), stderr(&nothing)), (Some(0), vec![]), "nothing in is nothing out");
    }
}

// CSV

const MAPS: [&str; 14] = [
    "--map",
    "ts_ms=Time",
    "--map",
    "recipient_id=Email",
    "--map",
    "kind=What",
    "--map",
    "url=Link",
    "--map",
    "ip=IP address",
    "--map",
    "user_agent=Client",
    "--message-id",
    "spring",
];

/// A spreadsheet's CSV: semicolons, a byte order mark, CRLF, a cell of two lines, times of Central Europe.
#[test]
fn a_table_is_read_by_its_map() {
    let flags = [&MAPS[..], &["--zone", "+01:00"]].concat();
    let output = import("csv", &flags, &fixture("clicks.csv"));
    assert_eq!(
        (output.status.code(), stderr(&output)),
        (Some(0), vec!["left out: 1 Forwarded", "columns that are no field and were left out: Note"])
    );
    let records = records(&output);
    let who: Vec<&str> = records.iter().map(|record| record.recipient_id.as_str()).collect();
    assert_eq!(who, [BOB, BOB, BOB, BOB, ANN, ANN, ANN]);
    for record in &records {
        assert_eq!((record.sent_at_ms, record.delivered_at_ms), (NOON_MS, Some(NOON_MS + 3_000)));
    }
    assert_eq!(records[4].ts_ms, NOON_MS + 1_320_000);
    assert_eq!((&records[6].ip, &records[6].user_agent), (&None, &None), "empty cells are unknown");
    assert_ne!(records[4].event_id, records[5].event_id, "rows that say the same are two clicks");

    let judged = lines(&run(&["classify"], &output.stdout));
    let types: Vec<&str> = judged.iter().map(|verdict| verdict["click_type"].as_str().unwrap()).collect();
    assert_eq!(types, [["scanner_sweep"; 4].as_slice(), &["human"; 3]].concat());

    let zoneless = import("csv", &MAPS, &fixture("clicks.csv"));
    assert_eq!((zoneless.status.code(), zoneless.stdout.len()), (Some(1), 0));
    assert!(stderr(&zoneless)[0].starts_with(
        "stdin:2: `ts_ms` is `2026-11-22 13:00:00`, which has no zone: say whose time it is, such as `--zone Z`"
    ));
}

#[test]
fn columns_under_a_fields_name_need_no_map() {
    let csv = "event_id,message_id,recipient_id,ts_ms,sent_at_ms,link_id,asn,secure,method,accept,links_total,label,group\n\
               x1,spring,u42,1795348860,2026-11-22T12:00:00Z,cta,AS64496,true,HEAD,text/html,4,human,de\n\
               x2,spring,u43,1795348860000,1795348800,cta,,,,,,,\n";
    let output = run(&["import", "--from", "csv"], csv.as_bytes());
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), vec![]));
    let read = records(&output);
    assert_eq!((read[0].recipient_id.as_str(), read[0].message_id.as_str()), ("u42", "spring"));
    assert_eq!((read[0].asn, read[0].secure, read[0].method.as_str()), (Some(64_496), Some(true), "HEAD"));
    assert_eq!((read[0].links_total, read[1].links_total), (Some(4), None));
    assert_eq!((read[1].asn, read[1].method.as_str(), read[1].accept.as_deref()), (None, "GET", None));
    assert!(read.iter().all(|record| (record.ts_ms, record.sent_at_ms) == (NOON_MS + 60_000, NOON_MS)));
    assert_eq!((read[0].group.as_deref(), read[1].group.as_deref()), (Some("de"), None));
    assert_eq!(lines(&output)[0]["label"], json!("human"));
    assert_eq!(lines(&output)[1].get("label"), None);
    // An id of its own tells an event apart, whatever else it says.
    let later = csv.replace("cta", "other");
    let ids = |csv: &str| -> Vec<String> {
        let output = run(&["import", "--from", "csv"], csv.as_bytes());
        records(&output).into_iter().map(|record| record.event_id).collect()
    };
    assert_eq!(ids(csv), ids(&later));
    assert_ne!(ids(csv), ids(&csv.replace("x1", "x3")));
}

#[test]
fn a_bad_row_is_told_by_its_line() {
    let csv = "ts_ms,recipient_id,url,asn\n\
               1795348860,u1,https://brand.example/,1\n\
               1795348860,u1\n\
               \"1795348860\",\"u\n1\",https://brand.example/,1\n\
               soon,u1,https://brand.example/,1\n\
               1795348860,,https://brand.example/,1\n\
               1795348860,u1,,1\n\
               1795348860,u1,https://brand.example/,many\n\
               1795348860,u1,https://brand.example/,2\n";
    let flags =
        ["import", "--from", "csv", "--message-id", "m", "--sent-at", "1795348800", "--recipient-key", "k"];
    let output = run(&flags, csv.as_bytes());
    assert_eq!((output.status.code(), records(&output).len()), (Some(1), 3));
    let expected = [
        (3, "2 cells, and the header has 4"),
        (6, "`ts_ms` is `soon`: no time"),
        (7, "recipient_id: the cell is empty"),
        (8, "url: missing"),
        (9, "asn: `many` is no whole number"),
    ];
    let said = stderr(&output);
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (line, (number, words)) in said.iter().zip(expected) {
        assert!(line.starts_with(&format!("stdin:{number}: ")) && line.contains(words), "{line}");
    }
}

#[test]
fn the_separator_is_seen_and_a_unit_holds() {
    let flags = ["import", "--from", "csv", "--message-id", "m", "--sent-at", "1795348800"];
    for separator in [",", ";", "\t"] {
        let csv =
            ["ts_ms", "recipient_id", "\"url\"\n1795348860", "u1", "\"https://brand.example/?a,b;c\"\n"]
                .join(separator);
        let output = run(&flags, csv.as_bytes());
        assert_eq!(records(&output)[0].url.as_deref(), Some("https://brand.example/?a,b;c"), "{separator:?}");
    }
    let csv = b"ts_ms,recipient_id,url\n1795348860,u1,https://brand.example/\n";
    let output = run(&[&flags[..], &["--time", "ms"]].concat(), csv);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output)[0].contains("looks like seconds"), "{:?}", stderr(&output));
}

#[test]
fn the_key_may_stand_in_the_environment() {
    let output = Command::new(env!("CARGO_BIN_EXE_clickproof"))
        .args(["import", "--from", "ses", "--input", "tests/import/ses.ndjson"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RECIPIENT_KEY", KEY[1])
        .output()
        .unwrap();
    assert_eq!(output.stdout, import("ses", &[], &fixture("ses.ndjson")).stdout);
}
