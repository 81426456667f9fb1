//! What `PRIVACY` keeps is judged as all of it is: signals that are stored are those that a request showed, and whole histories get the
//! same verdicts in every mode, to the reason. (`common::hits` holds every case of ruleset `full` to that as well.)

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use clickproof::record::{Delivery, EventId, EventIds, Kind, Record, packed};
use clickproof::signals::agents::{self, Agent};
use clickproof::signals::privacy::Privacy;
use clickproof::signals::{Cookie, Signals};
use clickproof::verdict::{Click, Finding, Judging, Look, Ruleset, Thresholds, judge};
use common::command::{run, stderr};
use common::hits::{
    AZURE, BARRACUDA, FILTER, HETZNER, HOME, Hit, PROOFPOINT, RELAY, SAFE_LINKS, WIDE, ZSCALER, chrome, edge,
    firefox, iphone, kept, nobody, order, pretender, program, safari, samsung,
};
use common::world::World;
use serde_json::Value;

const MODES: [Privacy; 2] = [Privacy::Truncated, Privacy::Verdict];

/// Signals without the numbers that stand for somebody (what these are is the key's).
fn plain(signals: Signals) -> Signals {
    let cookie = match signals.cookie {
        Cookie::None => Cookie::None,
        Cookie::New(_) => Cookie::New(0),
        Cookie::Returning(_) => Cookie::Returning(0),
    };
    let is_grouped = signals.source.is_some_and(|source| source.group != source.exact);
    let source = signals.source.map(|mut source| {
        (source.exact, source.origin, source.group) = (0, 0, u64::from(is_grouped));
        source
    });
    // A name may stand in two lists: no rule asks which.
    let agent = signals.agent.map(|agent| Agent { source: "", date: "", ..agent });
    Signals { source, cookie, browser: 0, is_withheld: false, agent, ..signals }
}

#[track_caller]
fn hold(records: &[Record]) {
    let shown: Vec<Signals> = records.iter().map(Signals::of).collect();
    for privacy in MODES {
        let stored: Vec<Signals> = kept(records, privacy).iter().map(Signals::of).collect();
        for ((record, shown), stored) in records.iter().zip(&shown).zip(&stored) {
            assert_eq!(plain(*stored), plain(*shown), "{privacy:?} {record:?}");
            assert_eq!(stored.is_withheld, privacy == Privacy::Verdict);
        }
        // Whoever was the same is, and nobody else.
        let numbers = |signals: &Signals| {
            let source = signals.source.map_or([0; 3], |source| [source.exact, source.group, source.origin]);
            let visitor = match signals.cookie {
                Cookie::New(visitor) | Cookie::Returning(visitor) => visitor,
                Cookie::None => 0,
            };
            [source[0], source[1], source[2], visitor, signals.browser]
        };
        let (mut one, mut other) = (BTreeMap::new(), BTreeMap::new());
        for (shown, stored) in shown.iter().zip(&stored) {
            for (shown, stored) in numbers(shown).into_iter().zip(numbers(stored)) {
                assert_eq!((shown == 0), (stored == 0));
                assert!(shown == 0 || shown != stored, "a number that anybody can make");
                assert_eq!(*one.entry(shown).or_insert(stored), stored);
                assert_eq!(*other.entry(stored).or_insert(shown), shown);
            }
        }
    }
}

fn corpus(path: &str) -> Vec<String> {
    let path = format!("{}/node_modules/{path}", env!("CARGO_MANIFEST_DIR"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}: run `npm ci` first"));
    let all: Value = serde_json::from_str(&text).unwrap();
    let texts = |value: &Value| match value {
        Value::String(agent) => vec![agent.clone()],
        entry => {
            let instances = entry["instances"].as_array().cloned().unwrap_or_default();
            let agents = instances.iter().chain([&entry["userAgent"]]);
            agents.filter_map(|agent| agent.as_str().map(str::to_owned)).collect()
        }
    };
    all.as_array().unwrap().iter().flat_map(texts).collect()
}

#[test]
fn every_agent_of_the_corpora_shows_the_same_when_it_is_not_kept() {
    let agents: Vec<String> = [
        "crawler-user-agents/crawler-user-agents.json",
        "top-crawler-agents/index.json",
        "user-agents/dist/user-agents.json",
        "top-user-agents/src/index.json",
    ]
    .into_iter()
    .flat_map(corpus)
    .collect();
    assert!(agents.len() > 5_000, "{}", agents.len());
    let of = |kind: Kind, agent: &String| {
        let Hit(record) = chrome(158);
        Record { user_agent: Some(agent.clone()), kind, ..record }
    };
    for kind in [Kind::Click, Kind::Open, Kind::Unsubscribe] {
        let records: Vec<Record> = agents.iter().map(|agent| of(kind, agent)).collect();
        hold(&records);
        for (full, record) in agents.iter().zip(kept(&records, Privacy::Truncated)) {
            let agent = record.user_agent.unwrap();
            // Who reads what is kept without its signals takes no browser for a machine.
            let is_machine = agents::declared(full).is_some();
            assert_eq!(agents::declared(&agent).is_some(), is_machine, "{full}: {agent}");
            let versions = agent.split(|char: char| !char.is_ascii_digit() && char != '.');
            let has_minor = |version: &str| version.contains('.') && version != "5.0";
            assert!(is_machine || !versions.into_iter().any(has_minor), "{full}: {agent}");
        }
    }
}

#[test]
fn every_network_of_the_catalogue_is_the_same_when_its_address_is_not_kept() {
    let mut random = fastrand::Rng::with_seed(14);
    let Hit(least) = nobody();
    let systems = (0..402_000).map(|asn| Record { asn: Some(asn), ip: None, ..least.clone() });
    let systems = systems.filter(|record| Signals::of(record).place.is_some());
    let output = run(&["networks", "list"], "");
    let listed = String::from_utf8(output.stdout).unwrap();
    let words = listed.split(|char: char| char.is_whitespace() || char == ',' || char == '"');
    let blocks = words.filter_map(|word| word.split_once('/')).map(|(address, _)| address);
    let addresses: Vec<String> = blocks
        .map(str::to_owned)
        .chain((0..20_000).map(|_| std::net::Ipv4Addr::from_bits(random.u32(..)).to_string()))
        .collect();
    let placed = addresses.into_iter().map(|ip| Record { ip: Some(ip), ..least.clone() });
    let records: Vec<Record> = systems.chain(placed).collect();
    let opens = records.iter().map(|record| Record { kind: Kind::Open, ..record.clone() });
    let records: Vec<Record> = records.iter().cloned().chain(opens).collect();
    let known = records.iter().filter_map(|record| Signals::of(record).place);
    let names: std::collections::BTreeSet<&str> = known.map(|network| network.name).collect();
    assert!(names.len() > 60, "{names:?}");
    hold(&records);
}

/// A visitor of any kind.
fn visitor(random: &mut fastrand::Rng) -> Hit {
    let hit = match random.u8(0..16) {
        0..4 => pretender(),
        4..7 => chrome(random.u32(140..160)),
        7 => edge(158),
        8 => firefox(random.u32(88..150)),
        9 => safari(18, 5),
        10 => iphone(18, 5, "Version/18.5 Mobile/15E148 Safari/604.1"),
        11 => samsung(28, 130),
        12 => program("curl/8.5.0"),
        13 => program("ms-office"),
        14 => nobody(),
        _ => chrome(158).method(["HEAD", "OPTIONS"][random.usize(0..2)]),
    };
    let place = [HOME, "203.0.113.200", "198.51.100.7", "2001:db8:1:1::7", "2001:db8:1:2::7", RELAY, "junk"];
    let hit = match random.u8(0..12) {
        0 => hit.from(WIDE),
        1 => hit.from(FILTER),
        2 => hit.from(BARRACUDA),
        3 => hit.from(ZSCALER),
        4 => hit.asn([HETZNER, AZURE, PROOFPOINT][random.usize(0..3)]),
        5 => hit.with(|record| record.ip = None),
        _ => hit.from(place[random.usize(0..place.len())]),
    };
    let hit = match random.u8(0..10) {
        0 => hit.returning(),
        1 => hit.referer(SAFE_LINKS),
        2 => hit.referer("https://urldefense.com/v3/"),
        3 => hit.with(|record| record.x_forwarded_for = Some(FILTER.to_owned())),
        4 => hit.with(|record| record.sec_purpose = Some("prefetch".to_owned())),
        5 => hit.stripped(),
        _ => hit,
    };
    let visitor_id = format!("{:032x}", random.u8(0..4));
    hit.with(|record| record.visitor_id = record.cookie.is_some().then_some(visitor_id))
}

/// A history that is dense where rules look: few recipients, links and visitors, within seconds, minutes or an hour.
fn drawn(seed: u64) -> Vec<Record> {
    let mut random = fastrand::Rng::with_seed(seed);
    let pool: Vec<Hit> = (0..random.usize(1..7)).map(|_| visitor(&mut random)).collect();
    let spans = [2_000, 20_000, 120_000, 3_600_000];
    let (span, recipients) = (spans[random.usize(0..4)], random.usize(1..40));
    let mut ids = EventIds::default();
    let records = (0..random.usize(1..70)).map(|_| {
        let hit = pool[random.usize(0..pool.len())].clone();
        let hit = hit.at(120_000 * random.i64(0..2) + random.i64(0..span));
        let hit = hit.by(&format!("r{}", random.usize(0..recipients))).of(4);
        let Hit(mut record) = hit.on(&format!("l{}", random.usize(0..4)));
        let mut bytes = [0; 12];
        random.fill(&mut bytes);
        record.event_id = ids.next(record.ts_ms, bytes).to_string();
        record.ts_ms = EventId::parse(&record.event_id).unwrap().ts_ms();
        record.kind = match random.u8(0..20) {
            0 => Kind::Open,
            1 => Kind::Unsubscribe,
            _ => Kind::Click,
        };
        record
    });
    records.collect()
}

fn judged(history: &[Record], ruleset: Ruleset) -> Vec<Finding> {
    let click = |at: usize| Rc::new(Click::of(&history[at], Delivery::default()));
    let clicks: Vec<Rc<Click>> = order(history).into_iter().map(click).collect();
    judge(&clicks, ruleset, &Thresholds::default(), Look::Whole)
}

#[track_caller]
fn hold_verdicts(history: &[Record]) -> Vec<Finding> {
    let mut found = Vec::new();
    for ruleset in Ruleset::ALL {
        let full = judged(history, ruleset);
        for privacy in MODES {
            assert_eq!(judged(&kept(history, privacy), ruleset), full, "{ruleset:?} {privacy:?}");
        }
        found = full;
    }
    found
}

#[test]
fn whole_histories_are_judged_alike_to_the_reason() {
    let mut types = BTreeMap::new();
    for seed in 0..2_000 {
        for finding in hold_verdicts(&drawn(seed)) {
            *types.entry(finding.rule.to_string()).or_insert(0) += 1;
        }
    }
    assert!(types.len() > 8, "{types:?}");
}

#[test]
fn a_simulated_send_is_judged_alike_to_the_reason() {
    for seed in ["1", "2"] {
        let output = run(&["simulate", "--seed", seed], "");
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
        let text = String::from_utf8(output.stdout).unwrap();
        let history: Vec<Record> = text.lines().map(|line| Record::parse(line).unwrap()).collect();
        hold(&history);
        hold_verdicts(&history);
    }
}

/// As operators read what objects keep.
#[test]
fn rows_that_are_unpacked_are_classified_alike() {
    let history: Vec<Record> = (0..20).flat_map(|seed| drawn(20_000 + seed)).collect();
    let classified = |records: &[Record]| {
        let ids = records.iter().map(|record| (EventId::parse(&record.event_id).unwrap(), record));
        let bytes = packed::seal(&ids.collect::<Vec<_>>());
        let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let lines = run(&["unpack"], &hex);
        assert_eq!((lines.status.code(), stderr(&lines)), (Some(0), ""));
        let output = run(&["classify"], std::str::from_utf8(&lines.stdout).unwrap());
        assert_eq!(output.status.code(), Some(0));
        let notes = stderr(&output).to_owned();
        (String::from_utf8(output.stdout).unwrap(), notes)
    };
    let full = classified(&history);
    for privacy in MODES {
        let (verdicts, notes) = classified(&kept(&history, privacy));
        assert_eq!(verdicts, full.0, "{privacy:?}");
        assert!(!notes.contains("were not judged"), "{notes}");
    }
    let damaged = r#"{"event_id":"e","message_id":"m","recipient_id":"r","link_id":"l","ts_ms":1795348800000,"sent_at_ms":1795348800000,"signals":"00"}"#;
    let output = run(&["classify"], damaged);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("signals: must be as a line of the log has them"),
        "{}",
        stderr(&output)
    );
}

/// What is listed of a click that no mode takes away.
fn verdicts(world: &mut World) -> Vec<Value> {
    let names = [
        "event_id",
        "click_type",
        "vendor",
        "confidence",
        "rule",
        "reasons",
        "paired_with",
        "is_bot",
        "is_defender_bot",
        "verified",
        "ruleset",
        "revision",
        "final",
        "shadow",
    ];
    let of = |line: Value| names.map(|name| line[name].clone()).into_iter().collect();
    world.listed().into_iter().map(of).collect()
}

#[test]
fn a_message_judges_alike_over_rows_restarts_and_late_clicks() {
    let judging = Judging {
        ruleset: Ruleset::Full,
        shadow: Some(Ruleset::Defender),
        thresholds: Thresholds::default(),
        settle_ms: 60_000,
    };
    for seed in 0..60 {
        let history = drawn(10_000 + seed);
        let played = |privacy: Privacy| {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut records = kept(&history, privacy);
            records.sort_by_key(|record| record.ts_ms);
            // Some come late, and the object dies in between.
            for _ in 0..records.len() / 4 {
                let (from, to) = (random.usize(0..records.len()), random.usize(0..records.len()));
                let record = records.remove(from);
                records.insert(to, record);
            }
            let mut world = World::new(judging.clone());
            for record in records {
                world.run_until(record.ts_ms);
                if random.u8(0..5) == 0 {
                    world.crash();
                }
                world.ingest(&record);
            }
            world.run_until(i64::MAX);
            world.crash();
            world.check();
            verdicts(&mut world)
        };
        let full = played(Privacy::Full);
        for privacy in MODES {
            assert_eq!(played(privacy), full, "seed {seed}, {privacy:?}");
        }
    }
}
