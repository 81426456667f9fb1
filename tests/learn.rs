//! `networks learn` as people run it: what a history of sends teaches, what it must not, and what becomes of the file.

mod common;

use std::collections::BTreeSet;
use std::process::Output;

use clickproof::record::Record;
use common::command::{File, run, stderr};
use common::{NOON_MS, record};
use serde_json::{Value, json};

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// What a command writes that ends well.
fn piped(args: &[&str], input: &str) -> String {
    let output = run(args, input);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    stdout(&output).to_owned()
}

/// The networks that are proposed, with how the whole command ended.
fn learn(flags: &[&str], events: &str) -> (Vec<String>, Output) {
    let output = run(&[&["networks", "learn"], flags].concat(), events);
    let proposals = stdout(&output).lines().map(|line| {
        let told: Value = serde_json::from_str(line).unwrap();
        let agent = told["agent"].as_str().map_or_else(String::new, |agent| format!(" {agent}"));
        format!("{}{agent}", told["network"].as_str().unwrap())
    });
    (proposals.collect(), output)
}

const PINNED_LINUX: &str = "AS16509 Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36";
const PINNED_WINDOWS: &str = "AS396982 Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/151.0.0.0 Safari/537.36";

/// The five of `simulate --sends`.
const FIVE: [&str; 5] =
    ["62.154.32.0/23", "161.97.74.0/24", "2001:4c3c:7a10::/48", PINNED_LINUX, PINNED_WINDOWS];

#[test]
fn two_hundred_sends_teach_the_five_networks_and_none_that_people_share() {
    for seed in ["1", "2"] {
        let history = piped(&["simulate", "--sends", "200", "--seed", seed], "");
        let judged = piped(&["classify", "--with-record"], &history);
        let file = File::of(&format!("learned-{seed}"), "");
        let (found, output) = learn(&["--file", file.path(), "--write"], &judged);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(found, FIVE, "seed {seed}");

        let verdicts = |flags: &[&str]| -> Vec<(String, String)> {
            let judged = piped(&[&["classify", "--with-record"], flags].concat(), &history);
            let told = judged.lines().map(|line| {
                let told: Value = serde_json::from_str(line).unwrap();
                (told["label"].as_str().unwrap().to_owned(), told["rule"].as_str().unwrap().to_owned())
            });
            told.collect()
        };
        let (before, after) = (verdicts(&[]), verdicts(&["--learned", file.path()]));
        let lone = |all: &[(String, String)], rule: &str| {
            all.iter().filter(|(label, it)| label == "scanner_gateway:lone_fetch" && it == rule).count()
        };
        let all = lone(&before, "human") + lone(&before, "carry_over");
        assert!(all > 300 && lone(&before, "learned") == 0, "seed {seed}: {all}");
        assert!(
            lone(&after, "learned") * 100 >= all * 99,
            "seed {seed}: {} of {all}",
            lone(&after, "learned")
        );
        let people =
            after.iter().filter(|(label, rule)| label.starts_with("human") && rule == "learned").count();
        assert!(people <= 20, "seed {seed}: {people} people behind the cloud's agent");
    }
}

#[test]
fn proofs_are_what_keeps_a_gateway_with_people_behind_it_from_being_learned() {
    let history = piped(&["simulate", "--sends", "60"], "");
    let without = |kinds: &[&str]| -> String {
        let mut text = String::new();
        for line in history.lines() {
            let mut record: Value = serde_json::from_str(line).unwrap();
            if kinds.iter().any(|kind| record["label"] == *kind) {
                record["verified"] = json!("none");
                record["cookie"] = json!("new");
                record["visitor_id"] = Value::Null;
            }
            text += &record.to_string();
            text.push('\n');
        }
        piped(&["classify", "--with-record"], &text)
    };
    assert_eq!(learn(&[], &without(&[])).0, FIVE);
    let (found, _) = learn(&[], &without(&["human:nat_isolation"]));
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    assert!(found.contains("159.65.44.0/24") && found.len() == 6, "{found:?}");
}

/// A click that `classify` has judged so: by that rule, on send `send`, from 192.0.2.`host`.
fn judged(send: i64, host: i64, rule: &str, change: impl FnOnce(&mut Record)) -> Value {
    let mut click =
        record(&format!("e{send}-{host}"), &format!("r{host}"), "l1", NOON_MS + send * 86_400_000);
    click.message_id = format!("m{send}");
    click.ip = Some(format!("203.0.113.{host}"));
    change(&mut click);
    let mut line = serde_json::to_value(&click).unwrap();
    line["event"] = json!("click");
    line["rule"] = json!(rule);
    line["click_type"] = json!(if rule == "human" { "human" } else { "scanner_sweep" });
    line["revision"] = json!(1);
    line["verified"] = json!(click.verified.name());
    line
}

fn text(lines: &[Value]) -> String {
    lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n")
}

/// Somebody elsewhere who touches pages, so that people are seen.
fn somebody() -> Vec<Value> {
    let at_home = |send: i64| {
        judged(send, 200, "human", |click| {
            click.ip = Some("198.51.100.7".to_owned());
            click.verified = clickproof::record::Verified::Interacted;
        })
    };
    (0..10).map(at_home).collect()
}

/// Ten recipients' copies swept on each of that many sends.
fn swept(sends: i64) -> Vec<Value> {
    let all = (0..sends).flat_map(|send| (1..=10).map(move |host| judged(send, host, "sweep", |_| {})));
    all.chain(somebody()).collect()
}

fn is_learned(lines: &[Value]) -> bool {
    let (found, output) = learn(&["--file", "/no/such/file"], &text(lines));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    found.contains(&"203.0.113.0/24".to_owned())
}

#[test]
fn a_network_is_learned_from_its_bounds_on() {
    assert!(is_learned(&swept(5)));
    assert!(!is_learned(&swept(4)), "four sends");
    let with = |more: Vec<Value>| [swept(5), more].concat();
    let human = |count: i64, change: fn(&mut Record)| -> Vec<Value> {
        (0..count).map(|n| judged(n % 5, 11 + n, "human", change)).collect()
    };
    // 50 convicted: 12 undecided are 80.6 %, 13 are 79.4 %.
    assert!(is_learned(&with(human(12, |_| {}))));
    assert!(!is_learned(&with(human(13, |_| {}))), "too many undecided");
    assert!(is_learned(&with(human(6, |click| click.verified = clickproof::record::Verified::Rendered))));
    assert!(
        !is_learned(&with(human(7, |click| click.verified = clickproof::record::Verified::Rendered))),
        "a page that was shown counts twice"
    );
    assert!(!is_learned(&with(human(1, |click| click.verified = clickproof::record::Verified::Interacted))));
    assert!(!is_learned(&with(human(1, |click| click.cookie = Some("returning".to_owned())))));
    let few: Vec<_> = swept(5).into_iter().filter(|line| line["recipient_id"] != "r10").collect();
    assert!(!is_learned(&few), "nine recipients");
    let one_day = (0..5)
        .flat_map(|send| (1..=10).map(move |host| (send, host)))
        .map(|(send, host)| judged(send, host, "sweep", |click| click.ts_ms = NOON_MS + send * 1_000));
    assert!(!is_learned(&one_day.chain(somebody()).collect::<Vec<_>>()), "one day");
    for rule in ["gateway", "scanner_network", "declared", "learned", "carry_over", "human"] {
        let by_name: Vec<_> = (0..5).flat_map(|send| (1..=10).map(move |host| (send, host))).collect();
        let by_name = by_name.into_iter().map(|(send, host)| judged(send, host, rule, |_| {}));
        assert!(!is_learned(&by_name.chain(somebody()).collect::<Vec<_>>()), "{rule} looks at no behaviour");
    }
}

#[test]
fn one_request_in_rented_machines_teaches_its_agent_and_no_block() {
    let found = |asn: Option<i64>, rule: &str, one_block: bool| -> Vec<String> {
        let all = (0..6).flat_map(|send| (1..=12).map(move |host| (send, host))).map(|(send, host)| {
            judged(send, host, rule, |click| {
                click.asn = asn;
                click.user_agent = Some("Scan/7 # of ours".to_owned());
                if !one_block {
                    click.ip = Some(format!("203.0.{host}.7"));
                }
            })
        });
        learn(&["--file", "/no/such/file"], &text(&all.chain(somebody()).collect::<Vec<_>>())).0
    };
    let (rented, agent) = (Some(16_509), ["AS16509 Scan/7 # of ours"]);
    assert_eq!(found(rented, "headless", false), agent);
    assert_eq!(found(rented, "sweep", false), agent);
    assert!(found(rented, "headless", true).is_empty(), "other tenants' machines stand beside it");
    assert_eq!(found(rented, "sweep", true), ["203.0.113.0/24"]);
    assert_eq!(found(None, "no_agent", true), ["203.0.113.0/24"], "nobody else's");
    assert!(found(None, "sweep", false).is_empty(), "no AS number, and a block for each");
}

#[test]
fn who_came_back_is_somebody_unless_it_got_its_cookie_in_the_sweep() {
    let visitor = |cookie: &'static str, id: &'static str| {
        move |click: &mut Record| {
            click.cookie = Some(cookie.to_owned());
            click.visitor_id = Some(id.to_owned());
        }
    };
    let profile =
        [judged(0, 21, "sweep", visitor("new", "a")), judged(0, 22, "sweep", visitor("returning", "a"))];
    assert!(is_learned(&[swept(5), profile.to_vec()].concat()), "a profile that lives through a sweep");
    let fast =
        [judged(0, 21, "sweep", visitor("new", "a")), judged(1, 22, "sweep", visitor("returning", "a"))];
    assert!(!is_learned(&[swept(5), fast.to_vec()].concat()), "it has it from another send");
}

#[test]
fn known_networks_are_not_learned_again() {
    for (ip, asn) in
        [("40.92.1.", None), ("104.28.28.", None), ("203.0.113.", Some(22_616)), ("203.0.113.", Some(22_843))]
    {
        let all = (0..6).flat_map(|send| (1..=12).map(move |host| (send, host))).map(|(send, host)| {
            judged(send, host, "sweep", |click| {
                click.ip = Some(format!("{ip}{host}"));
                click.asn = asn;
            })
        });
        let lines: Vec<_> = all.chain(somebody()).collect();
        assert!(learn(&[], &text(&lines)).0.is_empty(), "{ip} {asn:?}");
    }
}

#[test]
fn the_highest_revision_counts_and_what_a_page_showed_whenever_it_was_told() {
    let mut lines = swept(5);
    for host in 1..=10 {
        for send in 0..5 {
            let mut amended = judged(send, host, "human", |_| {});
            amended["revision"] = json!(2);
            lines.insert(0, amended);
        }
    }
    assert!(!is_learned(&lines), "amended to people's, and told before");
    let page = json!({"event": "verify", "event_id": "v", "revision": 1, "message_id": "m0", "recipient_id": "r1",
        "link_id": "l1", "url": null, "ts_ms": NOON_MS, "verified": "interacted", "since_load_ms": 1,
        "click_event_id": "e0-1", "click_ts_ms": NOON_MS});
    let others = [json!({"event": "erased", "message_id": "m"}), json!({"event": "open", "event_id": "o"})];
    assert!(is_learned(&[&others[..], &swept(5)].concat()));
    assert!(!is_learned(&[&[page][..], &swept(5)].concat()));
}

#[test]
fn where_nobody_is_ever_seen_bursts_must_be_all_and_a_fan_out_is_none() {
    let unseen = |rule: &str, human: i64| -> (bool, String) {
        let swept = (0..5).flat_map(|send| (1..=10).map(move |host| judged(send, host, rule, |_| {})));
        let human = (0..human).map(|n| judged(n % 5, 11 + n, "human", |_| {}));
        let (found, output) = learn(&[], &text(&swept.chain(human).collect::<Vec<_>>()));
        (!found.is_empty(), stderr(&output).to_owned())
    };
    let (learned, said) = unseen("sweep", 2);
    assert!(learned && said.contains("people cannot be seen"), "{said}");
    assert!(!unseen("sweep", 3).0, "94 %");
    assert!(!unseen("fanout", 0).0, "a class of pupils does it, too");
}

#[test]
fn the_file_keeps_what_people_wrote_and_sections_hold_longer_or_go() {
    let known = "# mine\n[Their sandbox] # by hand\nvendor = theirs\nsource = s\ndate = 2026-01-01\nexpires = 2026-12-01\n\
                 203.0.113.0/25 # half of it\n198.18.0.0/24\n[Old]\nsource = s\ndate = 2026-01-01\nexpires = 2026-11-20\n\
                 198.18.1.0/24\n\n[Not yet]\nsource = s\ndate = 2026-01-01\nexpires = 2026-11-29\n198.18.2.0/24\n";
    let file = File::of("kept", known);
    let other = (0..5).flat_map(|send| (1..=10).map(move |host| (send, host))).map(|(send, host)| {
        judged(send, host + 100, "sweep", |click| click.ip = Some(format!("198.18.7.{host}")))
    });
    let beside = swept(5).into_iter().filter_map(|mut line| {
        let ip = line["ip"].as_str()?.replace("203.0.113.", "203.0.112.");
        let id = format!("{}-beside", line["event_id"].as_str()?);
        (line["ip"], line["event_id"]) = (json!(ip), json!(id));
        Some(line)
    });
    let events = text(&[swept(5), beside.collect(), other.collect()].concat());
    let flags = ["--file", file.path(), "--date", "2026-11-28"];
    let (_, output) = learn(&flags, &events);
    assert_eq!(file.text(), known, "nothing is written without --write");
    let difference = "~ Their sandbox: holds until 2027-02-26 instead of 2026-12-01, and 203.0.112.0/24\n\
                      - Old: expired 2026-11-20\n\
                      + 198.18.7.0/24: 5 sends, 10 recipients, 50 of 50 clicks convicted, 2026-11-22 to 2026-11-26; 0 undecided, \
                      0 touched, 0 came back\n";
    assert_eq!(stderr(&output), format!("{difference}nothing is written: add --write to keep this\n"));

    let (_, output) = learn(&[&flags[..], &["--write", "--days", "30"]].concat(), &events);
    assert!(stderr(&output).contains("build again to use it"), "{}", stderr(&output));
    let text = file.text();
    for words in [
        "# mine\n[Their sandbox] # by hand\nvendor = theirs\nsource = 5 sends, 10 recipients, 100 of 100",
        "203.0.112.0/24\n203.0.113.0/25 # half of it\n198.18.0.0/24",
        "date = 2026-11-28\nexpires = 2026-12-28\n",
        "198.18.0.0/24\n[Not yet]\nsource = s\ndate = 2026-01-01\nexpires = 2026-11-29\n",
        "\n\n[198.18.7.0/24]\nsource  = 5 sends",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("[Old]") && !text.contains("198.18.1.0/24"), "{text}");
    let (_, output) =
        learn(&["--file", file.path(), "--date", "2026-11-28", "--days", "30", "--write"], &events);
    assert_eq!(file.text(), text, "the same again changes nothing: {}", stderr(&output));
}

#[test]
fn what_cannot_be_used_is_refused_and_changes_nothing() {
    let file = File::of("refused", "[One]\nsource = s\n");
    let events = text(&swept(5));
    let (_, output) = learn(&["--file", file.path(), "--write"], &events);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("section `One` has no prefixes or AS numbers; mend it first"),
        "{}",
        stderr(&output)
    );

    let good = File::of("good", "");
    let bare = serde_json::to_string(&record("x", "r", "l", NOON_MS)).unwrap();
    let (found, output) = learn(&["--file", good.path(), "--write"], &format!("{events}{bare}\nnonsense\n"));
    assert_eq!((found.len(), output.status.code(), good.text().as_str()), (1, Some(2), ""));
    for words in [
        "stdin:61: rule: missing; these are records without verdicts: `clickproof classify --with-record` adds them",
        "stdin:62: not an event",
        "2 lines were bad, and one of them may tell of a person",
    ] {
        assert!(stderr(&output).contains(words), "{words}\n{}", stderr(&output));
    }
    for (flags, words) in [
        (&["--date", "22.11.2026"][..], "a day is YYYY-MM-DD"),
        (&["--days", "0"], "--days"),
        (&["--min-share", "50"], "--min-share"),
        (&["/no/such/events"], "name a file that can be read"),
        (&["a", "--input", "b"], "cannot be used with"),
    ] {
        let output = run(&[&["networks", "learn"], flags].concat(), "");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{flags:?}");
        assert!(stderr(&output).contains(words), "{flags:?}: {}", stderr(&output));
    }
    let (found, output) = learn(&[], "");
    assert_eq!((found.len(), stderr(&output)), (0, "no click was read: nothing to learn from\n"));

    for (text, words) in
        [("[One]\n", "section `One` has no prefixes or AS numbers; mend it first"), ("x", "before the first")]
    {
        let bad = File::of("bad", text);
        let output = run(&["classify", "--learned", bad.path()], "");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn several_files_are_one_history() {
    let lines = swept(5);
    let (one, other) = lines.split_at(25);
    let (one, other) = (File::of("one", &text(one)), File::of("other", &text(other)));
    assert!(learn(&[one.path()], "").0.is_empty());
    assert_eq!(learn(&[one.path(), other.path()], "").0, ["203.0.113.0/24"]);
}
