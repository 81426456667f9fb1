//! `simulate` and `classify --evaluate` as people run them: who comes, how they click, and what is counted of it.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;

use clickproof::record::{EventId, Kind, Record, Verified};
use clickproof::signals::Signals;
use common::command::{run, stderr};
use common::{NOON_MS, record};
use serde_json::{Value, json};

fn simulate(flags: &[&str]) -> String {
    let output = run(&[&["simulate"], flags].concat(), "");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""), "{flags:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a run with these flags wrote, each record with its label.
fn labelled(flags: &[&str]) -> Vec<(String, Record)> {
    simulate(flags)
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            (value["label"].as_str().unwrap().to_owned(), Record::parse(line).unwrap())
        })
        .collect()
}

/// The records of one label.
fn only(name: &str, label: &str, flags: &[&str]) -> Vec<Record> {
    let all = labelled(&[&["--only", name], flags].concat());
    all.into_iter().filter(|(it, _)| it == label).map(|(_, record)| record).collect()
}

/// The records of each recipient, in the order of time.
fn by_recipient(records: &[Record]) -> Vec<Vec<&Record>> {
    let mut copies: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        copies.entry(&record.recipient_id).or_default().push(record);
    }
    copies.into_values().collect()
}

fn delta(record: &Record) -> i64 {
    record.ts_ms - record.sent_at_ms
}

fn lasts(copy: &[&Record]) -> i64 {
    copy[copy.len() - 1].ts_ms - copy[0].ts_ms
}

fn microsoft(record: &Record) -> bool {
    Signals::of(record).is_microsoft()
}

#[expect(clippy::cast_precision_loss, reason = "shares of some thousands")]
fn share(values: &[i64], from: i64, to: i64) -> f64 {
    100.0 * values.iter().filter(|value| (from..to).contains(value)).count() as f64 / values.len() as f64
}

#[test]
fn the_same_flags_write_the_same_bytes() {
    let flags = ["--seed", "7", "--recipients", "500"];
    let written = simulate(&flags);
    assert_eq!(written, simulate(&flags));
    assert_ne!(written, simulate(&["--seed", "8", "--recipients", "500"]));

    let file = std::env::temp_dir().join(format!("clickproof-{}-simulated", std::process::id()));
    let named = simulate(&[&flags[..], &["--output", file.to_str().unwrap()]].concat());
    assert_eq!((named.as_str(), std::fs::read_to_string(&file).unwrap()), ("", written));
    std::fs::remove_file(file).unwrap();
}

#[test]
fn every_kind_comes_fifty_times_and_more_in_good_records() {
    let listed = simulate(&["--list"]);
    let kinds: BTreeSet<&str> = listed.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let records = labelled(&["--message-id", "spring", "--sent-at", "1700000000000"]);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for (label, record) in &records {
        *counts.entry(label).or_default() += 1;
        assert_eq!((record.message_id.as_str(), record.sent_at_ms), ("spring", 1_700_000_000_000));
        assert_eq!(EventId::parse(&record.event_id).unwrap().ts_ms(), record.ts_ms, "{label}");
        assert!(ids.insert(&record.event_id), "{label}: {}", record.event_id);
        assert!(record.ts_ms > record.sent_at_ms, "{label}");
        assert!(record.ip.as_deref().unwrap().parse::<std::net::IpAddr>().is_ok(), "{label}");
        assert!(record.asn.is_some() && record.secure.is_some() && record.http_protocol.is_some(), "{label}");
        assert_eq!(record.kind == Kind::Open, record.cookie.is_none(), "{label}");
        let visited = matches!(record.cookie.as_deref(), Some("new" | "returning"));
        assert_eq!(record.visitor_id.is_some(), visited, "{label}");
        let small = label.ends_with(":small_sweep") || label.ends_with(":single_link");
        assert!(record.links_total == Some(10) || small && record.links_total < Some(4), "{label}");
    }
    assert!(records.is_sorted_by_key(|(_, record)| record.ts_ms));
    assert_eq!(kinds, counts.keys().copied().collect());
    for (label, count) in counts {
        assert!(count >= 50, "{label}: {count}");
    }
}

#[test]
fn sweeps_start_when_they_were_measured_to_start() {
    let sweeps = only("pool_sweep", "scanner_sweep:pool_sweep", &["--recipients", "533400"]);
    let copies = by_recipient(&sweeps);
    for copy in &copies {
        assert!((9..=10).contains(&copy.len()) && lasts(copy) < 1_000, "{copy:?}");
        let addresses: BTreeSet<_> = copy.iter().map(|click| &click.ip).collect();
        assert!(addresses.len() > 1);
    }
    let mut starts: Vec<i64> = copies.iter().map(|copy| delta(copy[0]) / 1_000).collect();
    for (from, to, percent) in [
        (0, 10, 0.5),
        (10, 20, 2.2),
        (20, 60, 66.4),
        (60, 300, 28.3),
        (300, 1_800, 1.9),
        (3_600, 86_400, 0.7),
    ] {
        let found = share(&starts, from, to);
        let tolerance = 3.0 * (percent * (100.0 - percent) / 4_000.0_f64).sqrt();
        assert!((found - percent).abs() < tolerance, "{from} to {to} s: {found:.2} %, not {percent} %");
    }
    starts.sort_unstable();
    let median = starts[starts.len() / 2];
    assert!((40..=47).contains(&median), "{median} s");
}

#[test]
fn people_click_when_people_were_measured_to_click() {
    let readers = only("desktop", "human:desktop", &["--recipients", "40000"]);
    let firsts: Vec<i64> = by_recipient(&readers).iter().map(|copy| delta(copy[0]) / 1_000).collect();
    for (within, percent) in [(60, 11.0), (300, 25.0), (3_600, 52.0)] {
        let found = share(&firsts, 0, within);
        assert!((found - percent).abs() < 2.5, "within {within} s: {found:.1} %, not {percent} %");
    }
}

#[test]
fn defenders_layers_look_as_published() {
    for copy in by_recipient(&only("safe_attachments", "scanner_safe_attachments:safe_attachments", &[])) {
        let links: BTreeSet<_> = copy.iter().map(|click| &click.link_id).collect();
        assert!(links.len() >= 9 && lasts(&copy) <= 10_000, "{copy:?}");
        assert!(copy.iter().all(|click| microsoft(click) && delta(click) < 60_000));
    }
    for check in only("safelinks_delivery", "scanner_safelinks_delivery:safelinks_delivery", &[]) {
        assert!(Signals::of(&check).safelinks_referer && delta(&check) < 5_000, "{check:?}");
    }
    for crawl in only("air_crawl", "scanner_air_or_mbi:air_crawl", &[]) {
        assert!(microsoft(&crawl) && delta(&crawl) > 3_600_000 && crawl.referer.is_none(), "{crawl:?}");
    }
    let bursts = only("campaign_burst", "scanner_campaign_view:campaign_burst", &[]);
    let mut by_link: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for click in &bursts {
        assert!(microsoft(click) && delta(click) > 3_600_000 && click.referer.is_none(), "{click:?}");
        by_link.entry((&click.link_id, delta(click) / 1_800_000)).or_default().insert(&click.recipient_id);
    }
    assert!(by_link.values().any(|recipients| recipients.len() >= 30), "{by_link:?}");
}

#[test]
fn safe_links_stands_beside_a_person_both_ways_round() {
    for (name, scanner_first) in [("safelinks_first", true), ("safelinks_second", false)] {
        let all = labelled(&["--only", name]);
        let records: Vec<Record> = all.iter().map(|(_, record)| record.clone()).collect();
        let scanners: BTreeSet<&str> = all
            .iter()
            .filter(|(label, _)| *label == format!("scanner_timeofclick:{name}"))
            .map(|(_, record)| record.event_id.as_str())
            .collect();
        for pair in by_recipient(&records) {
            assert_eq!(pair.len(), 2, "{name}");
            assert!(pair[0].link_id == pair[1].link_id && lasts(&pair) <= 500, "{pair:?}");
            assert_eq!(scanners.contains(pair[0].event_id.as_str()), scanner_first, "{pair:?}");
            assert_ne!(scanners.contains(pair[1].event_id.as_str()), scanner_first, "{pair:?}");
        }
    }
}

#[test]
fn people_look_like_people_where_it_is_hard_to_tell() {
    let all = |name: &str| only(name, &format!("human:{name}"), &[]);
    for (name, holds) in [
        ("cloud_pc", (|it| it.asn == Some(8075) && it.sec_fetch_user.is_some()) as fn(&Record) -> bool),
        ("isolation", |it| it.sec_ch_ua.is_some() && it.sec_fetch_user.is_some()),
        ("cubot", |it| it.user_agent.as_deref().is_some_and(|agent| agent.contains("CUBOT"))),
        ("gpc", |it| it.cookie.as_deref() == Some("none") && it.method == "GET"),
        ("returning", |it| it.cookie.as_deref() == Some("returning")),
        ("plain_http", |it| {
            it.secure == Some(false) && it.sec_fetch_mode.is_none() && it.sec_ch_ua.is_none()
        }),
        ("stripped", |it| it.secure == Some(true) && it.sec_fetch_mode.is_none()),
        ("fast", |it| delta(it) <= 60_000),
        ("wrapper", |it| it.referer.is_some()),
        ("esr", |it| it.user_agent.as_deref().is_some_and(|agent| agent.ends_with("Firefox/153.0"))),
        ("bot_phone", |it| {
            it.user_agent.as_deref().is_some_and(|agent| agent.to_ascii_lowercase().contains("bot;"))
        }),
    ] {
        assert!(all(name).iter().all(holds), "{name}");
    }
    let popular = all("popular");
    let minute: BTreeSet<_> = popular.iter().map(|click| (&click.link_id, &click.recipient_id)).collect();
    assert!(minute.len() > 30 && popular[popular.len() - 1].ts_ms - popular[0].ts_ms <= 60_000);
    for copy in by_recipient(&all("double_click")) {
        assert!(copy.len() == 2 && lasts(&copy) < 1_000 && copy[0].link_id == copy[1].link_id);
        assert_eq!(copy[0].visitor_id, copy[1].visitor_id);
    }
    for copy in by_recipient(&all("tabs")) {
        let links: BTreeSet<_> = copy.iter().map(|click| &click.link_id).collect();
        assert!((2..=3).contains(&links.len()) && lasts(&copy) <= 16_000);
    }
    let doors: BTreeSet<_> = all("office").into_iter().map(|click| (click.ip, click.user_agent)).collect();
    assert_eq!(doors.len(), 2, "two offices, one address and one agent each");
}

#[test]
fn who_asks_more_than_once_looks_as_reported() {
    for copy in by_recipient(&only("head_get", "scanner_declared:head_get", &[])) {
        let methods: Vec<&str> = copy.iter().map(|click| click.method.as_str()).collect();
        assert_eq!(methods, ["HEAD", "GET"]);
        assert!(copy[0].ip == copy[1].ip && copy[0].user_agent == copy[1].user_agent, "{copy:?}");
    }
    for person in only("head_before", "human:head_before", &[]) {
        assert!(
            person.method == "GET" && Signals::of(&person).looks_like_a_person()
                || person.sec_fetch_mode.is_none()
        );
    }
    for copy in by_recipient(&only("act_sweep", "scanner_sweep:act_sweep", &[])) {
        assert!(
            copy.len() == 2 && lasts(&copy) < 2_000 && copy.iter().any(|click| click.kind.acts()),
            "{copy:?}"
        );
    }
    for (name, label, links) in [
        ("small_sweep", "scanner_sweep:small_sweep", 2..=3),
        ("single_link", "scanner_headless:single_link", 1..=1),
    ] {
        for copy in by_recipient(&only(name, label, &[])) {
            let distinct: BTreeSet<_> = copy.iter().map(|click| &click.link_id).collect();
            assert_eq!(i64::try_from(distinct.len()).ok(), copy[0].links_total, "{copy:?}");
            assert!(links.contains(&distinct.len()) && copy[0].sec_fetch_mode.is_none(), "{copy:?}");
        }
    }
    for (name, least, longest) in
        [("repeat_fast", 60, 300_000), ("repeat_steady", 30, 1_800_000), ("repeat_long", 50, 2_700_000)]
    {
        for copy in by_recipient(&only(name, &format!("scanner_repeat:{name}"), &[])) {
            assert!(copy.len() >= least && lasts(&copy) <= longest, "{name}: {}", lasts(&copy));
            assert!(
                copy.iter().all(|click| click.link_id == copy[0].link_id && click.ip == copy[0].ip),
                "{name}"
            );
        }
    }
    for (name, most) in [("reload", 6), ("comes_back", 5)] {
        for copy in by_recipient(&only(name, &format!("human:{name}"), &[])) {
            assert!((3..=most).contains(&copy.len()), "{name}");
            assert!(copy.iter().all(|click| click.visitor_id == copy[0].visitor_id), "{name}");
        }
    }
}

#[test]
fn deliveries_lag_and_fail() {
    for (name, label) in
        [("clock_lag", "human:clock_lag"), ("before_delivery", "scanner_headless:before_delivery")]
    {
        for click in only(name, label, &[]) {
            assert!(click.delivered_at_ms.is_some_and(|delivered| click.ts_ms < delivered), "{click:?}");
        }
    }
    for line in simulate(&["--only", "bounced"]).lines() {
        let bounced: Value = serde_json::from_str(line).unwrap();
        assert!(bounced["bounced_at_ms"].as_i64() > bounced["sent_at_ms"].as_i64(), "{line}");
    }
}

#[test]
fn landing_pages_show_people_and_hardly_any_scanner() {
    let mut shown: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for (label, record) in labelled(&[]).into_iter().filter(|(_, record)| record.kind == Kind::Click) {
        assert!(
            record.method == "GET" && record.sec_purpose.is_none() || record.verified == Verified::None,
            "{label}"
        );
        *shown.entry((label.starts_with("human"), record.verified.name())).or_default() += 1;
    }
    let of = |human: bool, name: &'static str| shown.get(&(human, name)).copied().unwrap_or(0);
    let people = of(true, "none") + of(true, "rendered") + of(true, "interacted");
    assert!((people * 2 / 5..people * 3 / 5).contains(&of(true, "interacted")), "{shown:?}");
    assert!(of(false, "rendered") > 100 && (1..20).contains(&of(false, "interacted")), "{shown:?}");
}

/// Who keeps a mailbox is so of every copy that goes there, and its machines come to no other.
#[test]
fn every_recipient_is_of_one_group_that_fits_what_comes() {
    for flags in [&[][..], &["--sends", "3"]] {
        let records = labelled(flags);
        let mut groups: BTreeMap<&str, &str> = BTreeMap::new();
        let mut people: BTreeMap<&str, usize> = BTreeMap::new();
        for (label, record) in &records {
            let group = record.group.as_deref().unwrap();
            assert_eq!(*groups.entry(&record.recipient_id).or_insert(group), group, "{label}: {record:?}");
            assert!(group == "m365" || !microsoft(record), "{label}: {record:?}");
            *people.entry(group).or_default() += usize::from(label.starts_with("human:"));
        }
        let names: Vec<&str> = people.keys().copied().collect();
        assert_eq!(names, ["gmail", "m365", "other", "yahoo"], "{flags:?}");
        assert!(people.values().all(|count| *count > 20), "{people:?}");
        let gmail = records.iter().filter(|(label, _)| label.starts_with("proxy_open:gmail"));
        let stray = gmail.filter(|(_, record)| record.group.as_deref() != Some("gmail")).count();
        assert!(stray < 20, "a recipient has one, whatever comes: {stray}");
    }
}

#[test]
fn a_providers_export_is_the_same_traffic_with_less_of_each_record() {
    let export = simulate(&["--shape", "esp"]);
    let full = simulate(&[]);
    assert_eq!(export.lines().count(), full.lines().count());
    let known = ["delivered_at_ms", "bounced_at_ms"];
    let always = [
        "event_id",
        "ip",
        "kind",
        "label",
        "link_id",
        "message_id",
        "recipient_id",
        "sent_at_ms",
        "ts_ms",
        "user_agent",
    ];
    for (line, whole) in export.lines().zip(full.lines()) {
        let (line, whole): (Value, Value) =
            (serde_json::from_str(line).unwrap(), serde_json::from_str(whole).unwrap());
        let fields = line.as_object().unwrap();
        for name in fields.keys() {
            assert!(
                always.contains(&name.as_str()) || known.contains(&name.as_str()) || name == "url",
                "{name}"
            );
        }
        for name in always {
            let absent = name == "user_agent" && whole[name].is_null();
            assert!(if absent { line[name] == "" } else { line[name] == whole[name] }, "{name}: {line}");
        }
    }
}

#[test]
fn a_history_is_so_many_sends_over_months() {
    let flags = ["--sends", "40", "--message-id", "weekly"];
    let written = simulate(&flags);
    assert_eq!(written, simulate(&flags));
    let listed = simulate(&["--list", "--sends", "1"]);
    let labels: BTreeSet<&str> = listed.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let records = labelled(&flags);
    let mut sends: BTreeMap<&str, i64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (label, record) in &records {
        sends.insert(&record.message_id, record.sent_at_ms);
        seen.insert(label.as_str());
    }
    assert!(records.is_sorted_by_key(|(_, record)| record.ts_ms));
    assert_eq!((sends.len(), seen), (40, labels.clone()));
    assert!(sends.contains_key("weekly-1") && sends.contains_key("weekly-40"));
    assert!(sends["weekly-40"] - sends["weekly-1"] > 15 * 86_400_000);
    assert_eq!(labels.iter().filter(|label| label.starts_with("human:")).count(), 20);
}

#[test]
fn a_sandbox_that_keeps_its_profile_brings_its_cookie_back() {
    for copy in by_recipient(&only("profile_sweep", "scanner_sweep:profile_sweep", &[])) {
        let cookies: Vec<&str> = copy.iter().map(|click| click.cookie.as_deref().unwrap()).collect();
        assert_eq!(cookies[0], "new");
        assert!(cookies[1..].iter().all(|cookie| *cookie == "returning"), "{cookies:?}");
        assert!(copy.iter().all(|click| click.visitor_id == copy[0].visitor_id));
    }
}

#[test]
fn only_picks_kinds_with_who_belongs_to_them() {
    let labels = |names: &str| -> BTreeSet<String> {
        labelled(&["--only", names, "--recipients", "50"]).into_iter().map(|(label, _)| label).collect()
    };
    let set = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
    assert_eq!(labels("human:tabs"), set(&["human:tabs"]));
    assert_eq!(labels("tabs,head"), set(&["human:tabs", "scanner_declared:head"]));
    assert_eq!(labels("recheck"), set(&["scanner_sweep:recheck", "scanner_sweep:source_sweep"]));
    assert_eq!(labels("after_sweep"), set(&["human:after_sweep", "scanner_sweep:pool_sweep"]));
}

#[test]
fn a_bad_flag_is_refused_with_a_remedy() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{free}");
    for (flags, words) in [
        (&["--only", "tab"][..], "there is no kind \"tab\"; --list names them all"),
        (&["--recipients", "49"], "must be a whole number from 50 to 1000000"),
        (&["--sent-at", "noon"], "must be a whole number of Unix milliseconds"),
        (&["--message-id", "a b"], "message_id is 1 to 128"),
        (&["--seed", "-1"], "must be a whole number from 0"),
        (&["--speed-up", "2"], "--send <URL>"),
        (&["--sends", "0"], "must be a whole number from 1 to 10000"),
        (&["--sends", "2", "--recipients", "1499"], "--sends needs --recipients of at least 1500"),
        (&["--sends", "2", "--only", "tabs"], "cannot be used with"),
        (&["--shape", "esp", "--send", "http://a.example"], "cannot be used with"),
        (&["--shape", "csv"], "edge, esp"),
        (&["--send", "http://a.example", "--speed-up", "0"], "must be a number from 0.001"),
        (&["--send", "http://a.example", "--sent-at", "1"], "cannot be used with"),
        (&["--send", "a.example"], "begin it with http:// or https://"),
        (&["--send", &nobody], "start the Worker, or name where it listens"),
    ] {
        let output = run(&[&["simulate"], flags].concat(), "");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{flags:?}");
        assert!(stderr(&output).contains(words), "{flags:?}: {}", stderr(&output));
    }
}

/// The rows of `--evaluate`: name and the numbers behind it.
fn rows(told: &str) -> Vec<(String, Vec<String>)> {
    told.lines()
        .map(|line| {
            let (name, rest) = line.split_at(line.len().min(48));
            (name.trim().to_owned(), rest.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn evaluate_counts_what_was_found_beside_what_was_known() {
    let microsoft = |id: &str, link: &str, after_ms: i64| Record {
        ip: Some("40.92.1.1".to_owned()),
        asn: Some(8075),
        ..record(id, "swept", link, NOON_MS + after_ms)
    };
    let person = |id: &str| record(id, id, "l1", NOON_MS + 600_000);
    let mut lines = String::new();
    let mut add = |record: &Record, label: Value| {
        let mut value = serde_json::to_value(record).unwrap();
        value["label"] = label;
        lines += &value.to_string();
        lines.push('\n');
    };
    // Five clicks from Microsoft inside a minute are Safe Attachments' by the table, whatever the labels say.
    add(&microsoft("a1", "l1", 10_000), json!("scanner_safe_attachments:sandbox"));
    add(&microsoft("a2", "l2", 10_100), json!("scanner_safe_attachments:sandbox"));
    add(&microsoft("a3", "l3", 10_200), json!("scanner_sweep:pool"));
    add(&microsoft("a4", "l4", 10_300), json!("bot/mine"));
    add(&microsoft("a5", "l5", 10_400), json!("human:office"));
    // The table takes all of these for people.
    add(&person("b1"), json!("human:office"));
    add(&person("b2"), json!("human:office"));
    add(&person("b3"), json!("person"));
    add(&person("b4"), json!("scanner_sweep:pool"));
    add(&person("b5"), json!("scanner_sweep:pool"));
    // Told twice is one click, and the first line counts.
    add(&person("b5"), json!("human:office"));
    add(&person("c1"), json!("ambiguous"));
    add(&person("c2"), json!("ambiguous"));
    add(&person("c3"), json!("scanner?"));
    add(&person("c4"), json!(7));
    add(&person("d1"), json!(null));
    add(&person("d2"), json!(""));
    add(&Record { kind: Kind::Open, ..person("e1") }, json!("proxy_open:apple_mpp"));

    let output = run(&["classify", "--ruleset", "defender", "--evaluate"], &lines);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, run(&["classify", "--ruleset", "defender"], &lines).stdout);
    let told = rows(stderr(&output));
    let row = |name: &str| told.iter().find(|(it, _)| it == name).map(|(_, numbers)| numbers.join(" "));
    for (name, numbers) in [
        ("scanners found", "4 of 6 66.67 %"),
        ("people flagged", "1 of 4 25.00 %"),
        ("people flagged as certain", "1 of 4 25.00 %"),
        ("proxies' opens found", "0 of 0 -"),
        ("not judged", "1"),
        ("without a label", "2"),
        ("label not understood", "4"),
        ("ambiguous", "2"),
        ("scanner?", "1"),
        ("7", "1"),
        ("scanner_safe_attachments:sandbox", "2 100.00 % 100.00 %"),
        ("scanner_sweep:pool", "3 33.33 % 0.00 %"),
        ("bot/mine", "1 100.00 % -"),
        ("human:office", "3 33.33 % 1"),
        ("person", "1 0.00 % 0"),
    ] {
        assert_eq!(row(name).as_deref(), Some(numbers), "{name}\n{}", stderr(&output));
    }
    let matrix = "\
expected down, found across            1       2       5
  1 human                              3       .       1
  2 not judged                         .       .       .
  3 proxy_open                         .       1       .
  4 scanner                            .       .       1
  5 scanner_safe_attachments           .       .       2
  6 scanner_sweep                      2       .       1
";
    assert!(stderr(&output).contains(matrix), "{}", stderr(&output));

    let unlabelled = run(&["classify", "--evaluate"], &(serde_json::to_string(&person("x")).unwrap() + "\n"));
    assert!(stderr(&unlabelled).contains("without a label                                         1"));
    assert!(
        stderr(&unlabelled).contains("scanners found                                          0 of        0")
    );
}
