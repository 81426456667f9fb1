//! A message's life against the whole history: whatever the order of arrival, the delays, the crashes and the
//! deliveries told late, the verdicts that stand at the end are those of the naive model on all that was stored.

#![allow(clippy::cast_possible_wrap, clippy::cast_precision_loss, reason = "the tests' numbers are small")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use clickproof::message::{Arrival, FLOOD_CLICKS, Item, Message, Seen};
use clickproof::record::Delivery;
use clickproof::record::EventIds;
use clickproof::record::Kind;
use clickproof::record::Sighting;
use clickproof::record::Verified;
use clickproof::record::{EventId, Record};
use clickproof::verdict::Judging;
use clickproof::verdict::judging::RECORDING_LAG_MS;
use clickproof::verdict::{Click, Key, Look, Ruleset, Thresholds, judge};
use common::naive;
use common::sqlite::Sqlite;
use common::world::World;
use common::world::lines_of;
use common::{NOON_MS, record};
use proptest::prelude::*;
use serde_json::{Value, json};

const EXCHANGE: &str = "40.92.1.1";
const HOME: &str = "203.0.113.9";
const NEXT_DOOR: &str = "203.0.113.10";
const SAFE_LINKS: &str = "https://nam02.safelinks.protection.outlook.com/";

/// Ruleset `full`, with the published table as its shadow.
fn full(settle_ms: i64) -> Judging {
    Judging { ruleset: Ruleset::Full, shadow: Some(Ruleset::Defender), ..judging(settle_ms) }
}

/// The published table, with ruleset `full` as its shadow.
fn shadowed(settle_ms: i64) -> Judging {
    Judging { shadow: Some(Ruleset::Full), ..judging(settle_ms) }
}

fn judging(settle_ms: i64) -> Judging {
    let thresholds = Thresholds { sandbox_clicks: 3, campaign_recipients: 3, ..Thresholds::default() };
    Judging { ruleset: Ruleset::Defender, shadow: None, thresholds, settle_ms }
}

impl World {
    fn check_settled(&mut self, stored: &[Record]) -> Result<(), TestCaseError> {
        let Judging { ruleset, shadow, thresholds, .. } = self.judging.clone();
        let listed = self.listed();
        prop_assert_eq!(listed.len(), stored.len());
        let history: Vec<Record> =
            listed.iter().map(|line| Record::parse(&line.to_string()).unwrap()).collect();
        // The table is the naive model's.
        let table = |line: &Value| match (ruleset, shadow) {
            (Ruleset::Defender, _) => Some(line.clone()),
            (_, Some(Ruleset::Defender)) => Some(line["shadow"].clone()),
            _ => None,
        };
        let clicks: Vec<Record> = history.iter().filter(|x| x.kind == Kind::Click).cloned().collect();
        for (line, x) in listed.iter().zip(&history) {
            prop_assert_eq!(&line["final"], &Value::Bool(true));
            let Some(said) = table(line) else { continue };
            if x.kind != Kind::Click {
                prop_assert_eq!((&said["click_type"], &said["rule"]), (&Value::Null, &json!("not_a_click")));
                continue;
            }
            let expected = naive::judge(x, &clicks, &thresholds);
            prop_assert_eq!(said["click_type"].as_str(), Some(expected.click_type), "{}", line);
            prop_assert_eq!(said["rule"].as_str(), Some(expected.rule), "{}", line);
            prop_assert_eq!(said["paired_with"].as_str(), expected.paired_with.as_deref(), "{}", line);
        }
        // Nothing else differs either: confidence, vendor and reasons are those of the whole history.
        let click = |record: &Record| Rc::new(Click::of(record, Delivery::default()));
        let clicks: Vec<Rc<Click>> = history.iter().map(click).collect();
        let lines = listed.iter().map(|line| (line, line));
        let shadows = listed.iter().map(|line| (line, &line["shadow"]));
        let active = lines.zip(judge(&clicks, ruleset, &thresholds, Look::Whole));
        let second = shadow.map(|shadow| shadows.zip(judge(&clicks, shadow, &thresholds, Look::Whole)));
        for ((line, said), finding) in active.chain(second.into_iter().flatten()) {
            for (name, value) in serde_json::to_value(&finding).unwrap().as_object().unwrap() {
                prop_assert_eq!(&said[name], value, "{} of {}", name, line);
            }
        }
        self.check_explained(&listed)?;
        for (id, revisions) in self.revisions() {
            let expected: Vec<u32> = (1..).take(revisions.len()).collect();
            prop_assert_eq!(revisions, expected, "each revision of {} once", id);
        }
        self.check_report(&listed)
    }

    /// What landing pages showed stands in the verdicts.
    fn check_verified(&mut self, shown: &BTreeMap<EventId, Verified>) -> Result<(), TestCaseError> {
        for line in self.listed() {
            let id = EventId::parse(line["event_id"].as_str().unwrap()).unwrap();
            let expected = shown.get(&id).copied().unwrap_or_default();
            prop_assert_eq!(&line["verified"], expected.name(), "{}", line);
        }
        Ok(())
    }

    /// What was told of a mail stands in its clicks' records, and what was not is as the records brought it.
    fn check_told(
        &mut self,
        told: &BTreeMap<String, Delivery>,
        stored: &[Record],
    ) -> Result<(), TestCaseError> {
        for line in self.listed() {
            let own = stored.iter().find(|record| line["event_id"] == record.event_id).unwrap();
            let known = told.get(&own.recipient_id).copied().unwrap_or_default().or(own.delivery());
            prop_assert_eq!(&line["delivered_at_ms"], &json!(known.delivered_at_ms), "{}", line);
            prop_assert_eq!(line["bounced_at_ms"].as_i64(), known.bounced_at_ms, "{}", line);
            if self.judging.ruleset == Ruleset::Full && line["kind"] == "click" {
                let speaks = line["reasons"].as_array().unwrap().contains(&json!("+bounced"));
                prop_assert_eq!(speaks, known.is_bounced(), "{}", line);
            }
        }
        Ok(())
    }

    /// A click explained is the click as it is listed, with the rule that decided it.
    fn check_explained(&mut self, listed: &[Value]) -> Result<(), TestCaseError> {
        for line in listed {
            let id = EventId::parse(line["event_id"].as_str().unwrap()).unwrap();
            let text = self.message().explain(id).unwrap().unwrap();
            let mut explained: Value = serde_json::from_str(&text).unwrap();
            let explanation = explained.as_object_mut().unwrap().remove("explanation").unwrap();
            prop_assert_eq!(&explained, line);
            let rules = explanation["rules"].as_array().unwrap();
            if rules.is_empty() {
                // No rule is asked about what has no windows.
                prop_assert_ne!(&line["kind"], "click");
                continue;
            }
            let decided: Vec<&Value> = rules.iter().filter(|rule| rule["decided"] == true).collect();
            prop_assert_eq!(decided.len(), 1);
            prop_assert_eq!(&decided[0]["rule"], &line["rule"], "{}", explanation);
        }
        Ok(())
    }

    fn check_report(&mut self, listed: &[Value]) -> Result<(), TestCaseError> {
        // Clicks alone are counted.
        let listed: Vec<Value> = listed.iter().filter(|line| line["kind"] == "click").cloned().collect();
        let report = serde_json::to_value(self.message().report("m").unwrap()).unwrap();
        let humans: Vec<&Value> = listed.iter().filter(|line| line["click_type"] == "human").collect();
        let people = |lines: &[&Value]| {
            lines.iter().map(|line| line["recipient_id"].to_string()).collect::<BTreeSet<_>>().len()
        };
        prop_assert_eq!(&report["clicks"], &Value::from(listed.len()));
        prop_assert_eq!(&report["human_clicks"], &Value::from(humans.len()));
        prop_assert_eq!(&report["human_recipients"], &Value::from(people(&humans)));
        prop_assert_eq!(&report["recipients"], &Value::from(people(&listed.iter().collect::<Vec<_>>())));
        let open = listed.iter().filter(|line| line["final"] == false).count();
        prop_assert_eq!(&report["unsettled"], &Value::from(open));
        let bots = listed.iter().filter(|line| line["is_defender_bot"] == true).count();
        prop_assert_eq!(&report["is_defender_bot"], &Value::from(bots));
        for (kind, count) in report["by_type"].as_object().unwrap() {
            let expected = listed.iter().filter(|line| line["click_type"] == kind.as_str()).count();
            prop_assert_eq!(count, &Value::from(expected), "{}", kind);
        }
        let sum = |list: &str, field: &str| -> i64 {
            report[list].as_array().unwrap().iter().map(|item| item[field].as_i64().unwrap()).sum()
        };
        prop_assert_eq!(sum("links", "clicks"), listed.len() as i64);
        prop_assert_eq!(sum("links", "human_clicks"), humans.len() as i64);
        let minutes: i64 = report["timeline"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|minute| minute["by_type"].as_object().unwrap().values())
            .map(|count| count.as_i64().unwrap())
            .sum();
        prop_assert_eq!(minutes, listed.len() as i64);
        if self.judging.shadow.is_some() && !listed.is_empty() {
            let differ =
                listed.iter().filter(|line| line["click_type"] != line["shadow"]["click_type"]).count();
            prop_assert_eq!(&report["shadow"]["differ"], &Value::from(differ));
            prop_assert_eq!(&report["shadow"]["clicks"], &Value::from(listed.len()));
        } else {
            prop_assert_eq!(&report["shadow"], &Value::Null);
        }
        Ok(())
    }
}

/// What happens to a message.
#[derive(Clone, Debug)]
enum Step {
    Click {
        record: Box<Record>,
        delay_ms: i64,
        twice: bool,
        /// It does not arrive, somebody brings it along.
        brought: bool,
    },
    /// It is told when a mail was delivered, that it bounced, or both.
    Deliver {
        recipient: usize,
        delivered_ms: Option<i64>,
        bounced_ms: Option<i64>,
        at_ms: i64,
    },
    /// The landing page of one of the clicks is shown, or touched; the news of it may take its time.
    Verify {
        which: prop::sample::Index,
        verified: Verified,
        after_ms: i64,
        delay_ms: i64,
    },
    Crash {
        at_ms: i64,
    },
}

impl Step {
    fn at_ms(&self, clicks: &[Record]) -> i64 {
        match self {
            Self::Click { record, delay_ms, .. } => record.ts_ms + delay_ms,
            Self::Deliver { at_ms, .. } | Self::Crash { at_ms } => NOON_MS + at_ms,
            Self::Verify { which, after_ms, delay_ms, .. } => {
                seen(*which, clicks).map_or(0, |(_, ms)| ms + after_ms + delay_ms)
            }
        }
    }
}

/// The clicks among the steps: of what else was requested no landing page tells.
fn clicks_of(steps: &[Step]) -> Vec<Record> {
    let click = |step: &Step| match step {
        Step::Click { record, .. } if record.kind == Kind::Click => Some((**record).clone()),
        _ => None,
    };
    steps.iter().filter_map(click).collect()
}

/// The click that a landing page tells of, with its time.
fn seen(which: prop::sample::Index, clicks: &[Record]) -> Option<(EventId, i64)> {
    let click = (!clicks.is_empty()).then(|| which.get(clicks))?;
    Some((EventId::parse(&click.event_id).unwrap(), click.ts_ms))
}

/// What a landing page says at a moment.
fn sighting(ts_ms: i64, verified: Verified) -> Sighting {
    let since_load_ms = (verified == Verified::Interacted).then_some(700);
    Sighting { event_id: id(ts_ms, 77), verified, since_load_ms }
}

/// What a person's Chrome sends.
fn as_a_person(record: &mut Record) {
    let text = |text: &str| Some(text.to_owned());
    record.user_agent = text(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36",
    );
    record.accept = text("text/html,*/*;q=0.8");
    record.accept_language = text("en");
    record.sec_fetch_site = text("none");
    record.sec_fetch_mode = text("navigate");
    record.sec_fetch_dest = text("document");
    record.sec_fetch_user = text("?1");
    record.sec_ch_ua = text("\"Chromium\";v=\"158\"");
    record.secure = Some(true);
}

const BASES: [i64; 13] =
    [-600, 0, 100, 5_000, 59_700, 60_000, 61_000, 120_000, 400_000, 960_000, 3_600_000, 3_660_000, 7_300_000];

fn click() -> impl Strategy<Value = Step> {
    (
        any::<[u8; 12]>(),
        prop::sample::select(BASES.to_vec()),
        prop_oneof![4 => -2_i64..=2, 2 => 498_i64..=502, 2 => -600_i64..600],
        (prop::sample::select(vec![0_usize, 0, 1, 1, 2, 3, 4, 5, 6]), 0..6_usize, 0..10_u8, kind()),
        prop::sample::select(vec![None, Some(SAFE_LINKS), Some(SAFE_LINKS)]),
        prop::sample::select(vec![
            None,
            Some(EXCHANGE),
            Some(EXCHANGE),
            Some(EXCHANGE),
            Some(HOME),
            Some(NEXT_DOOR),
        ]),
        prop::sample::select(vec![0, 0, 0, 30, 1_500, 70_000, 4_000_000]),
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(random, base, jitter, (recipient, link, odd, kind), referer, ip, delay_ms, twice)| {
                let ts_ms = NOON_MS + base + jitter;
                let id = EventIds::default().next(ts_ms, random);
                // Most are on two links, so that pairs come about; some on others, so that sweeps do.
                let link = if odd < 7 { link % 2 } else { link };
                let mut record =
                    record(&id.to_string(), &format!("r{recipient}"), &format!("l{link}"), ts_ms);
                record.user_agent = (odd % 2 == 0).then(|| "ms-office".to_owned());
                record.links_total = (odd % 3 == 0).then_some(3);
                record.cookie =
                    ["new", "returning"].get(usize::from(odd % 4)).map(|&cookie| cookie.to_owned());
                record.visitor_id = record.cookie.as_ref().map(|_| format!("v{}", odd % 3));
                if matches!(odd, 1 | 4 | 5) {
                    as_a_person(&mut record);
                }
                record.referer = referer.map(str::to_owned);
                record.ip = ip.map(str::to_owned);
                record.kind = kind;
                if matches!(kind, Kind::Unsubscribe | Kind::Confirm) {
                    "POST".clone_into(&mut record.method);
                    record.act = Some(if odd % 2 == 0 { "one_click" } else { "form" }.to_owned());
                }
                if odd == 7 {
                    record.bounced_at_ms = Some(NOON_MS + 500);
                }
                if odd == 0 {
                    // A clock ahead of its clicks: they are early for hours.
                    record.sent_at_ms = NOON_MS + 7_300_000;
                }
                Step::Click { record: Box::new(record), delay_ms, twice, brought: odd % 4 == 3 }
            },
        )
}

/// Mostly clicks.
fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![12 => Just(Kind::Click), 2 => Just(Kind::Open), 1 => Just(Kind::Unsubscribe), 1 => Just(Kind::Confirm)]
}

/// At once, about when its click settles, when memory has let go of it, and hours later.
fn verify() -> impl Strategy<Value = Step> {
    let after = vec![0_i64, 40, 3_000, 61_900, 62_100, 200_000, 4_000_000, 80_000_000];
    let verified = prop::sample::select(vec![Verified::Rendered, Verified::Interacted]);
    let delay = prop::sample::select(vec![0_i64, 0, 0, 5_000, 300_000]);
    (any::<prop::sample::Index>(), verified, prop::sample::select(after), delay).prop_map(
        |(which, verified, after_ms, delay_ms)| Step::Verify { which, verified, after_ms, delay_ms },
    )
}

/// In any order: the bounce of a mail may be told before its delivery, and a later try may go through.
fn deliver() -> impl Strategy<Value = Step> {
    let at = prop::sample::select(BASES.to_vec());
    let time = || {
        prop::sample::select(vec![
            None,
            Some(-1_000_i64),
            Some(0),
            Some(1_000),
            Some(59_500),
            Some(3_600_000),
        ])
    };
    let told = (time(), time())
        .prop_filter("something is told", |(delivered, bounced)| delivered.or(*bounced).is_some());
    (0..4_usize, told, at).prop_map(|(recipient, (delivered_ms, bounced_ms), at_ms)| Step::Deliver {
        recipient,
        delivered_ms,
        bounced_ms,
        at_ms,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let at = prop::sample::select(BASES.to_vec());
    prop_oneof![
        20 => click(),
        5 => verify(),
        3 => deliver(),
        2 => at.prop_map(|at_ms| Step::Crash { at_ms }),
    ]
}

fn live(steps: &[Step], judging: &Judging) -> Result<(), TestCaseError> {
    let mut world = World::new(judging.clone());
    let mut stored: Vec<Record> = Vec::new();
    let mut shown: BTreeMap<EventId, Verified> = BTreeMap::new();
    let mut told: BTreeMap<String, Delivery> = BTreeMap::new();
    let clicks = clicks_of(steps);
    let mut steps: Vec<&Step> = steps.iter().collect();
    steps.sort_by_key(|step| step.at_ms(&clicks));
    for step in steps {
        let now_ms = step.at_ms(&clicks);
        world.run_until(now_ms);
        match step {
            Step::Verify { which, verified, delay_ms, .. } => {
                let Some((click, _)) = seen(*which, &clicks) else { continue };
                let seen_ms = now_ms - delay_ms;
                let told = world.verify(click, &sighting(seen_ms, *verified));
                if told != Seen::Counted {
                    let most = shown.entry(click).or_default();
                    prop_assert_eq!(told, if *verified > *most { Seen::Taken } else { Seen::Known });
                    *most = (*most).max(*verified);
                    let written = world.rows.written();
                    let again = world.verify(click, &sighting(now_ms, *verified));
                    prop_assert_eq!((again, world.rows.written()), (Seen::Known, written));
                }
            }
            Step::Click { record, twice, brought, .. } => {
                let clicks = || vec![(**record).clone()];
                let what = if *brought { world.replay(clicks()) } else { world.arrive(clicks()) };
                if what == [Arrival::Stored] {
                    stored.push((**record).clone());
                }
                if *twice {
                    prop_assert_eq!(world.ingest(record), Arrival::Known);
                    prop_assert_eq!(world.replay(clicks()), [Arrival::Known]);
                }
            }
            Step::Deliver { recipient, delivered_ms, bounced_ms, .. } => {
                let recipient = format!("r{recipient}");
                let news = Delivery {
                    delivered_at_ms: delivered_ms.map(|ms| NOON_MS + ms),
                    bounced_at_ms: bounced_ms.map(|ms| NOON_MS + ms),
                };
                let before = world.revisions().values().map(Vec::len).sum::<usize>();
                let reissued = world.tell(&[(Key::of(&recipient), news)]);
                let after = world.revisions().values().map(Vec::len).sum::<usize>();
                prop_assert_eq!(after - before, reissued);
                prop_assert_eq!(world.tell(&[(Key::of(&recipient), news)]), 0, "told twice is told once");
                let known = told.entry(recipient).or_default();
                *known = news.or(*known);
            }
            Step::Crash { .. } => world.crash(),
        }
        world.check();
        let listed = world.listed();
        world.check_report(&listed)?;
        if judging.ruleset == Ruleset::Defender {
            check_provisional(&listed, &judging.thresholds)?;
        }
    }
    world.run_until(NOON_MS + 200_000_000);
    for _ in 0..2 {
        world.check_settled(&stored)?;
        world.check_verified(&shown)?;
        world.check_told(&told, &stored)?;
        world.crash();
    }
    Ok(())
}

/// A provisional verdict is what the model says of the clicks up to it.
fn check_provisional(listed: &[Value], thresholds: &Thresholds) -> Result<(), TestCaseError> {
    let listed = || listed.iter().filter(|line| line["kind"] == "click");
    let history: Vec<Record> = listed().map(|line| Record::parse(&line.to_string()).unwrap()).collect();
    for (line, x) in listed().zip(&history).filter(|(line, _)| line["revision"] == 0) {
        let expected = naive::look_back(x, &history, thresholds);
        prop_assert_eq!(line["rule"].as_str(), Some(expected.rule), "{}", line);
        prop_assert_eq!(line["click_type"].as_str(), Some(expected.click_type), "{}", line);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_settles_is_the_whole_historys_verdict(steps in prop::collection::vec(step(), 1..40)) {
        live(&steps, &judging(60_000))?;
    }

    #[test]
    fn a_short_settling_time_is_mended_by_amendments(steps in prop::collection::vec(step(), 1..40)) {
        live(&steps, &judging(500))?;
    }

    #[test]
    fn so_is_the_full_rulesets(steps in prop::collection::vec(step(), 1..40)) {
        live(&steps, &full(60_000))?;
    }

    #[test]
    fn so_is_the_full_rulesets_where_clicks_settle_before_their_windows_close(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        live(&steps, &full(500))?;
    }

    #[test]
    fn so_is_a_shadows(steps in prop::collection::vec(step(), 1..40)) {
        live(&steps, &shadowed(500))?;
    }

    /// Storage may die at any write: the next life starts from what was written and ends at the same verdicts.
    #[test]
    fn every_write_may_be_the_last(
        steps in prop::collection::vec(prop_oneof![4 => click(), 1 => verify()], 1..25),
        fuses in prop::collection::vec(0..12_u64, 1..12),
        is_full in any::<bool>(),
    ) {
        let judging = if is_full { full(500) } else { judging(500) };
        let mut world = World::new(judging.clone());
        let mut fuses = fuses.into_iter();
        let clicks = clicks_of(&steps);
        let mut steps: Vec<&Step> = steps.iter().collect();
        steps.sort_by_key(|step| step.at_ms(&clicks));
        let (mut stored, mut shown) = (BTreeMap::new(), BTreeMap::new());
        let mut now_ms = 0;
        for step in steps {
            now_ms = step.at_ms(&clicks);
            loop {
                world.message();
                world.rows.set_fuse(fuses.next());
                let taken = match step {
                    Step::Click { record, .. } => {
                        world.call(|message| message.ingest((**record).clone()).map(|_| ()))
                    }
                    Step::Verify { which, verified, .. } => seen(*which, &clicks).map_or(Ok(()), |(click, _)| {
                        world.call(|message| message.verify(click, &sighting(now_ms, *verified)).map(|_| ()))
                    }),
                    Step::Deliver { .. } | Step::Crash { .. } => Ok(()),
                };
                let done = taken
                    .and_then(|()| world.call(|message| message.settle(now_ms)))
                    .and_then(|_| world.try_ship(now_ms));
                world.rows.set_fuse(None);
                world.check();
                if done.is_ok() {
                    break;
                }
            }
            match step {
                Step::Click { record, .. } => _ = stored.insert(record.event_id.clone(), (**record).clone()),
                Step::Verify { which, verified, .. } => {
                    if let Some((click, _)) = seen(*which, &clicks) {
                        let most: &mut Verified = shown.entry(click).or_default();
                        *most = (*most).max(*verified);
                    }
                }
                Step::Deliver { .. } | Step::Crash { .. } => {}
            }
        }
        world.run_until(now_ms + 100_000_000);
        let stored: Vec<Record> = stored.into_values().collect();
        world.check_settled(&stored)?;
        world.check_verified(&shown)?;
        // Whatever was settled has left, though marks are not written after each.
        let revisions = world.revisions().into_iter();
        let settled = revisions.flat_map(|(id, all)| all.into_iter().map(move |one| (id.clone(), u64::from(one))));
        for revision in settled {
            prop_assert!(world.shipped.contains(&revision), "{:?} has not left", revision);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// One address and many recipients: the object looks only at the nearest of its clicks, and says what all of them say.
    #[test]
    fn a_fan_out_is_judged_on_its_nearest_clicks(
        clicks in prop::collection::vec(
            (prop::sample::select(vec![0_i64, 40, 300, 900, 2_100, 9_000]), 0..60_u32, kind()), 50..250),
        settle_ms in prop::sample::select(vec![500_i64, 60_000]),
        late in prop::sample::select(vec![0_i64, 0, 30_000]),
    ) {
        let mut ids = EventIds::default();
        let mut ts_ms = NOON_MS + 90_000;
        let steps: Vec<Step> = clicks
            .into_iter()
            .enumerate()
            .map(|(n, (gap_ms, recipient, kind))| {
                ts_ms += gap_ms;
                let mut record = record(&ids.next(ts_ms, [3; 12]).to_string(), &format!("r{recipient}"), "l", ts_ms);
                record.ip = Some(HOME.to_owned());
                record.kind = kind;
                let delay_ms = if n % 17 == 0 { late } else { 0 };
                Step::Click { record: Box::new(record), delay_ms, twice: false, brought: false }
            })
            .collect();
        live(&steps, &full(settle_ms))?;
    }
}

fn id(ts_ms: i64, n: u32) -> EventId {
    let mut random = [0; 12];
    random[4..8].copy_from_slice(&n.to_be_bytes());
    EventIds::default().next(ts_ms, random)
}

fn stream(count: u32, per_second: i64, recipients: u32) -> impl Iterator<Item = Record> {
    (0..count).map(move |n| {
        let ts_ms = NOON_MS + i64::from(n) * 1_000 / per_second;
        let mut click = record(&id(ts_ms, n).to_string(), &format!("r{}", n % recipients), "l", ts_ms);
        click.ip = Some(EXCHANGE.to_owned());
        click
    })
}

#[test]
fn a_flood_is_counted_on_its_last_stored_click() {
    let mut world = World::new(judging(500));
    let arrivals: Vec<Arrival> = stream(250, 10, 1).map(|click| world.ingest(&click)).collect();
    assert_eq!(arrivals[..FLOOD_CLICKS], [Arrival::Stored; FLOOD_CLICKS]);
    assert_eq!(arrivals[FLOOD_CLICKS..], [Arrival::Counted; 150]);
    let again: Vec<Arrival> = stream(250, 10, 1).map(|click| world.ingest(&click)).collect();
    assert_eq!(again, [Arrival::Known; 250], "a replay counts nothing");
    world.crash();
    world.run_until(NOON_MS + 1_000_000);
    let listed = world.listed();
    assert_eq!(listed.len(), FLOOD_CLICKS);
    assert_eq!(listed.last().unwrap()["repeats"], 150);
    assert_eq!(listed.iter().filter(|line| !line["repeats"].is_null()).count(), 1);
    assert_eq!(serde_json::to_value(world.message().report("m").unwrap()).unwrap()["repeats"], 150);
    // A minute later there is room again.
    let later = NOON_MS + 70_000;
    assert_eq!(world.ingest(&record(&id(later, 9).to_string(), "r0", "l", later)), Arrival::Stored);
}

#[test]
fn repeats_that_come_after_settling_are_told_by_a_revision() {
    let mut world = World::new(judging(500));
    for click in stream(100, 100, 1) {
        world.ingest(&click);
    }
    world.run_until(NOON_MS + 4_000);
    let late = NOON_MS + 5_000;
    assert_eq!(world.ingest(&record(&id(late, 1).to_string(), "r0", "l", late)), Arrival::Counted);
    world.run_until(NOON_MS + 20_000);
    let last = world.listed().pop().unwrap();
    assert_eq!((&last["repeats"], &last["revision"]), (&Value::from(1), &Value::from(2)));
}

/// The price: a click's row, and a second's pack, mark and alarm.
#[test]
fn a_hundred_clicks_a_second_cost_at_most_1_2_rows_each() {
    let mut world = World::new(judging(60_000));
    let mut alarms = 0;
    let mut armed: Option<i64> = None;
    let clicks = 30_000;
    for click in stream(clicks, 100, 2_000) {
        let now_ms = click.ts_ms;
        if armed.is_some_and(|at| at <= now_ms) {
            world.settle(now_ms);
            world.ship(now_ms);
            armed = None;
        }
        world.ingest(&click);
        if armed.is_none() {
            armed = world.message().wake_ms(now_ms);
            alarms += 1;
        }
    }
    let rows = world.rows.written() + alarms;
    let settled = clicks as usize - world.message().unsettled();
    assert!(settled > 20_000, "{settled}");
    assert!(rows as f64 / f64::from(clicks) <= 1.2, "{rows} rows for {clicks} clicks");
}

/// Memory and reading are bounded by the open windows and not by the message's size.
#[test]
fn a_long_message_keeps_only_its_open_windows_in_memory() {
    let mut world = World::new(judging(60_000));
    let mut most = 0;
    for click in stream(100_000, 100, 5_000) {
        world.run_until(click.ts_ms);
        world.ingest(&click);
        most = most.max(world.message().in_memory());
    }
    let open_s = (60_000 + RECORDING_LAG_MS + 2 * 60_000) / 1_000 + 10;
    assert!(most <= usize::try_from(open_s).unwrap() * 100, "{most} clicks in memory");
    world.rows.forget_counts();
    world.crash();
    world.message();
    let read = world.rows.ran("FROM clicks").rows;
    assert!(read <= most, "a restart reads {read} clicks");
}

/// Sends spread over hours: every click is early by its own clock, and none needs a look into old packs.
#[test]
fn strangers_need_no_look_into_old_packs() {
    let mut world = World::new(judging(60_000));
    for mut click in stream(60_000, 100, 60_000) {
        click.sent_at_ms = click.ts_ms - 2_000;
        world.run_until(click.ts_ms);
        world.ingest(&click);
    }
    let scans =
        world.rows.ran("keys FROM packs WHERE (last_ms").times + world.rows.ran("WHERE number IN").times;
    assert!(scans < 60, "{scans} scans in 600 seconds");
}

#[test]
fn a_replay_of_a_forgotten_click_changes_nothing() {
    let mut world = World::new(judging(60_000));
    for click in stream(60_000, 100, 60_000) {
        world.run_until(click.ts_ms);
        world.ingest(&click);
    }
    world.run_until(NOON_MS + 10_000_000);
    let written = world.rows.written();
    let first = stream(1, 100, 60_000).next().unwrap();
    assert_eq!(world.ingest(&first), Arrival::Known);
    assert_eq!(world.rows.written(), written);
    world.crash();
    assert!(world.message().in_memory() < 20_000);
}

/// What an import brings lies long past and comes in parts, perhaps twice: each click is there once, settles at once, and amends
/// what came before it.
#[test]
fn records_brought_along_settle_at_once_and_are_known_again() {
    let mut world = World::new(full(60_000));
    let now_ms = NOON_MS + 40 * 86_400_000;
    // Two of a sweep of six have arrived; the others are brought weeks later.
    let sweep: Vec<Record> = (0..6)
        .map(|n| {
            let ts_ms = NOON_MS + 3_000 + 200 * i64::from(n);
            record(&id(ts_ms, n).to_string(), "swept", &format!("l{n}"), ts_ms)
        })
        .collect();
    world.arrive(sweep[..2].to_vec());
    world.run_until(now_ms - 86_400_000);
    let verdicts = |world: &mut World| -> Vec<(String, u64, bool)> {
        let of = |line: &Value| line["recipient_id"] == "swept";
        let said = |line: Value| {
            let (rule, revision) = (line["rule"].as_str().unwrap(), line["revision"].as_u64().unwrap());
            (rule.to_owned(), revision, line["final"] == true)
        };
        world.listed().into_iter().filter(of).map(said).collect()
    };
    assert_eq!(verdicts(&mut world), vec![("human".to_owned(), 1, true); 2]);

    // A flood among them is stored whole.
    let mut brought: Vec<Record> = stream(300, 10, 1).collect();
    brought.extend(sweep.clone());
    let mut expected = vec![Arrival::Stored; 306];
    expected[300..302].fill(Arrival::Known);
    assert_eq!(world.replay(brought.clone()), expected);
    world.check();
    assert!(world.message().wake_ms(now_ms).is_some_and(|wake_ms| wake_ms <= now_ms), "due since long");
    world.run_until(now_ms);
    assert_eq!(world.message().unsettled(), 0);
    let swept = |revision| ("sweep".to_owned(), revision, true);
    assert_eq!(
        verdicts(&mut world),
        [swept(2), swept(2), swept(1), swept(1), swept(1), swept(1)],
        "late evidence amends"
    );
    assert_eq!(world.shipped.len(), 308, "each revision leaves");
    assert_eq!(world.rows.rows_of("repeats"), 0);

    let written = world.rows.written();
    for crash in [false, true] {
        if crash {
            world.crash();
        }
        assert_eq!(world.replay(brought.clone()), vec![Arrival::Known; 306]);
    }
    assert_eq!(world.rows.written(), written, "known is known for ever");
    world.check();
}

#[test]
fn reading_an_unknown_message_creates_nothing() {
    let rows = Sqlite::default();
    assert!(Message::load(rows.clone(), judging(500), true).unwrap().is_none());
    assert_eq!((rows.written(), rows.rows_of("sqlite_master")), (0, 0));
}

#[test]
fn an_id_that_is_not_of_its_time_is_refused() {
    let mut world = World::new(judging(500));
    let click = record("not-a-uuid", "r", "l", NOON_MS);
    assert_eq!(world.ingest(&click), Arrival::Refused);
    let click = record(&id(NOON_MS + 1, 0).to_string(), "r", "l", NOON_MS);
    assert_eq!(world.ingest(&click), Arrival::Refused);
}

#[test]
fn a_refusing_queue_is_asked_again_later_and_later_and_loses_nothing() {
    let mut world = World::new(judging(500));
    for click in stream(3, 1, 3) {
        world.ingest(&click);
    }
    let mut now_ms = NOON_MS + 10_000;
    world.settle(now_ms);
    let first = world.call(|message| message.next(now_ms)).unwrap().unwrap();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        world.call(|message| message.refused(now_ms)).unwrap();
        assert_eq!(world.call(|message| message.next(now_ms)), Ok(None), "not before its time");
        let wake_ms = world.message().wake_ms(now_ms).unwrap();
        pauses.push(wake_ms - now_ms);
        now_ms = wake_ms;
        world.check();
    }
    assert_eq!(pauses[..4], [1_000, 2_000, 4_000, 8_000]);
    assert_eq!(pauses.last(), Some(&300_000));
    world.crash();
    assert_eq!(world.call(|message| message.next(now_ms)), Ok(Some(first)), "read again, it is the same");
}

#[test]
fn reship_sends_everything_again_under_the_same_keys() {
    let mut world = World::new(judging(500));
    world.arrive(stream(1_700, 100, 300).collect());
    let now_ms = NOON_MS + 100_000;
    world.settle(now_ms);
    let first = world.ship(now_ms);
    assert!(first.len() >= 3, "{} messages", first.len());
    assert_eq!(world.ship(now_ms), []);

    // Delivery times that come later must not change what was said under the same revision.
    let quiet: Vec<(Key, i64)> = (0..300).map(|n| (Key::of(&format!("r{n}")), NOON_MS - 1)).collect();
    let reissued = world.deliver(&quiet);
    world.run_until(now_ms + 10_000);
    assert_eq!(
        world.revisions().values().map(Vec::len).max(),
        Some(1),
        "{reissued} were looked at, none changed"
    );
    let again = |world: &mut World| {
        // An alarm begins: it takes out its share anew.
        world.settle(now_ms + 20_000);
        world.ship(now_ms + 20_000)
    };
    assert_eq!(world.call(Message::reship), Ok(1_700));
    assert_eq!(again(&mut world), first);

    // A shipment that was under way when the mark was set back does not move it.
    world.call(Message::reship).unwrap();
    world.call(|message| message.sent(Item::Pack(2))).unwrap();
    assert_eq!(again(&mut world), first);
}

/// A click now and then, the message thrown out of memory between any two events, as the platform does after ten seconds: the
/// click's row, the alarm, the pack. That no alarm is set says that the pack has left; the next click's row says it to the
/// alarm that follows.
#[test]
fn a_click_now_and_then_costs_two_rows_and_an_alarm_and_leaves_once() {
    let mut world = World::new(full(60_000));
    let mut left = Vec::new();
    for n in 0..6_u8 {
        let at_ms = NOON_MS + 3_600_000 * (1 + i64::from(n));
        let click = record(&id(at_ms, 0).to_string(), "r1", "l", at_ms);
        world.crash();
        let before = world.rows.written();
        assert_eq!(world.ingest(&click), Arrival::Stored);
        assert!(world.alarm_set);
        world.crash();
        let now_ms = world.message().wake_ms(at_ms).unwrap();
        world.settle(now_ms);
        left.extend(world.ship(now_ms));
        assert!(!world.alarm_set);
        assert_eq!(world.rows.written() - before, if n == 0 { 3 } else { 2 }, "the first makes the message");
        assert_eq!(left.len(), usize::from(n) + 1, "each pack leaves once");
    }
}

/// A click that is due waits four seconds for others, and none longer than the five that are promised.
#[test]
fn a_click_a_second_shares_its_alarm_with_four_others() {
    let mut world = World::new(full(60_000));
    let (mut alarms, mut armed_ms) = (0, None::<i64>);
    for click in stream(200, 1, 200) {
        if let Some(now_ms) = armed_ms.take_if(|armed_ms| *armed_ms <= click.ts_ms) {
            let settled = world.settle(now_ms).settled;
            assert!((4..=5).contains(&settled), "{settled} settled");
            world.ship(now_ms);
            alarms += 1;
            armed_ms = world.message().wake_ms(now_ms);
        }
        world.ingest(&click);
        armed_ms = armed_ms.or_else(|| world.message().wake_ms(click.ts_ms));
        let oldest_ms = click.ts_ms - 62_000 - 5_000;
        let is_open = world.message().unsettled() as i64 * 1_000;
        assert!(click.ts_ms - is_open >= oldest_ms, "the oldest is due for more than five seconds");
    }
    assert!((25..=35).contains(&alarms), "{alarms} alarms");
}

/// An alarm that dies before it has come to its end still stands: nothing says that its pack has left.
#[test]
fn a_pack_whose_alarm_died_leaves_again() {
    for dies in [true, false] {
        let mut world = World::new(full(60_000));
        let click = stream(1, 1, 1).next().unwrap();
        world.ingest(&click);
        let now_ms = world.message().wake_ms(0).unwrap();
        world.settle(now_ms);
        if !dies {
            world.ship(now_ms);
        }
        world.crash();
        assert_eq!(world.ship(now_ms).len(), usize::from(dies));
    }
}

/// Where the queue refuses or packs leave again, the row says it, and no absent alarm is taken for an answer.
#[test]
fn what_the_row_says_is_left_is_left_whatever_alarm_there_is() {
    let mut world = World::new(full(60_000));
    world.ingest(&stream(1, 1, 1).next().unwrap());
    let now_ms = world.message().wake_ms(0).unwrap();
    world.settle(now_ms);
    world.call(|message| message.refused(now_ms)).unwrap();
    (world.alarm_set, world.message) = (false, None);
    assert_eq!(world.ship(now_ms + 300_000).len(), 1, "the runtime has given up an alarm that failed");
    world.crash();
    assert_eq!(world.ship(now_ms + 300_000).len(), 0, "and once it has left that stands in the row");
    world.call(Message::reship).unwrap();
    (world.alarm_set, world.message) = (false, None);
    world.settle(now_ms + 310_000);
    assert_eq!(world.ship(now_ms + 310_000).len(), 1);
    world.crash();
    world.settle(now_ms + 320_000);
    assert_eq!(world.ship(now_ms + 320_000).len(), 0);
}

/// A deploy may make the shadow the active ruleset: what it convicted before still counts.
#[test]
fn convictions_outlive_a_change_of_rulesets() {
    let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
    let click = |n: u32, recipient: &str, link: &str, ts_ms: i64| {
        let mut click = record(&id(ts_ms, n).to_string(), recipient, link, ts_ms);
        (click.ip, click.user_agent) = (Some(HOME.to_owned()), Some(agent.to_owned()));
        click
    };
    for (before, after) in [(shadowed(500), full(500)), (full(500), shadowed(500)), (full(500), full(500))] {
        let mut world = World::new(before);
        for n in 0..5 {
            let ts_ms = NOON_MS + 90_000 + 100 * i64::from(n);
            world.ingest(&click(n, "r0", &format!("l{n}"), ts_ms));
        }
        world.run_until(NOON_MS + 120_000);
        world.crash();
        world.judging = after;
        world.ingest(&click(9, "r1", "l0", NOON_MS + 390_000));
        world.run_until(NOON_MS + 500_000);
        let last = world.listed().pop().unwrap();
        let is_full = last["ruleset"] == Ruleset::Full.label();
        let said = if is_full { &last["rule"] } else { &last["shadow"]["rule"] };
        assert_eq!(said, "carry_over", "{last}");
    }
}

/// What the messages of all shipments say, line by line.
fn shipped(world: &mut World, now_ms: i64) -> Vec<Value> {
    world.ship(now_ms).iter().flat_map(lines_of).collect()
}

#[test]
fn ten_thousand_beacons_are_one_fact_and_one_row() {
    let mut world = World::new(full(60_000));
    let click = stream(1, 1, 1).next().unwrap();
    let click_id = EventId::parse(&click.event_id).unwrap();
    world.ingest(&click);
    let before = world.rows.written();
    for n in 0..10_000 {
        let told = world.verify(click_id, &sighting(NOON_MS + 1_000 + n, Verified::Interacted));
        assert_eq!(told, if n == 0 { Seen::Taken } else { Seen::Known });
        if n == 5_000 {
            world.crash();
        }
    }
    assert_eq!(world.rows.written() - before, 1);
    // Nor does a page that is only shown say more than one that was touched.
    let shown = sighting(NOON_MS + 20_000, Verified::Rendered);
    assert_eq!(world.verify(click_id, &shown), Seen::Known);
    world.settle(NOON_MS + 63_000);
    let events = shipped(&mut world, NOON_MS + 63_000);
    let said: Vec<_> = events.iter().map(|event| (&event["event"], &event["verified"])).collect();
    assert_eq!(said, [(&json!("click"), &json!("interacted")), (&json!("verify"), &json!("interacted"))]);
    let verify = json!({
        "event": "verify", "event_id": id(NOON_MS + 1_000, 77).to_string(), "revision": 1, "message_id": "m",
        "recipient_id": "r0", "link_id": "l", "url": "https://brand.example/l", "ts_ms": NOON_MS + 1_000,
        "verified": "interacted", "since_load_ms": 700, "click_event_id": click.event_id, "click_ts_ms": NOON_MS,
    });
    assert_eq!(events[1], verify);
    assert_eq!(world.call(Message::reship).unwrap(), events.len());
    assert_eq!(shipped(&mut world, NOON_MS + 63_000), events, "told again, it is told the same");
}

#[test]
fn a_touch_overturns_what_is_probable_whenever_it_comes() {
    for after_ms in [-1_000, 1_000, 61_000, 70_000, 300_000, 80_000_000] {
        let mut world =
            World::new(Judging { shadow: None, thresholds: Thresholds::default(), ..full(60_000) });
        // A sweep by what looks like nobody's browser, too slow to be certain.
        let clicks: Vec<Record> = (0..5)
            .map(|n| {
                let ts_ms = NOON_MS + 90_000 + 2_000 * i64::from(n);
                let mut click = record(&id(ts_ms, n).to_string(), "r", &format!("l{n}"), ts_ms);
                click.ip = Some(HOME.to_owned());
                click.http_protocol = Some("HTTP/2".to_owned());
                click
            })
            .collect();
        let click_id = EventId::parse(&clicks[2].event_id).unwrap();
        let verify = |world: &mut World| {
            let touched = sighting(click_id.ts_ms() + after_ms.max(0), Verified::Interacted);
            assert_eq!(world.verify(click_id, &touched), Seen::Taken);
        };
        if after_ms < 0 {
            // The beacon overtook its click.
            verify(&mut world);
        }
        for click in &clicks {
            world.ingest(click);
        }
        if after_ms >= 0 {
            world.run_until(click_id.ts_ms() + after_ms);
            verify(&mut world);
        }
        world.run_until(NOON_MS + 100_000_000);
        let listed = world.listed();
        let said: Vec<_> = listed.iter().map(|line| line["click_type"].as_str().unwrap()).collect();
        let sweep = "scanner_sweep";
        assert_eq!(said, [sweep, sweep, "human", sweep, sweep], "{after_ms}");
        let late = after_ms > 62_000;
        assert_eq!(listed[2]["revision"], if late { 2 } else { 1 }, "{after_ms}: {}", listed[2]);
        assert!(listed[2]["reasons"].as_array().unwrap().contains(&json!("-proof_of_person")));
    }
}

#[test]
fn who_is_proven_a_person_no_longer_counts_in_a_campaign() {
    for after_ms in [1_000, 40_000, 70_000, 4_000_000] {
        let mut world = World::new(Judging { shadow: None, ..full(60_000) });
        // Three of Microsoft's are a campaign here; the last comes as long behind the first as a campaign may take.
        let clicks: Vec<Record> = (0..3)
            .map(|n| {
                let ts_ms = NOON_MS + 90_000 + 30_000 * i64::from(n);
                let mut click = record(&id(ts_ms, n).to_string(), &format!("r{n}"), "l", ts_ms);
                click.ip = Some("52.110.1.1".to_owned());
                click
            })
            .collect();
        let last = EventId::parse(&clicks[2].event_id).unwrap();
        for click in &clicks {
            world.run_until(click.ts_ms);
            world.ingest(click);
        }
        world.run_until(last.ts_ms() + after_ms);
        world.verify(last, &sighting(last.ts_ms() + after_ms, Verified::Interacted));
        world.run_until(NOON_MS + 100_000_000);
        let rules: Vec<_> =
            world.listed().iter().map(|line| line["rule"].as_str().unwrap().to_owned()).collect();
        assert!(rules.iter().all(|rule| rule != "campaign_view"), "{after_ms}: {rules:?}");
    }
}

/// Most clicks are never asked about: what their pages showed is in memory before they come, or there is nothing.
#[test]
fn a_click_that_arrives_in_time_asks_for_no_verification() {
    let mut world = World::new(full(60_000));
    let clicks: Vec<Record> = stream(1_000, 100, 1_000).collect();
    let seen = EventId::parse(&clicks[500].event_id).unwrap();
    for (n, click) in clicks.iter().enumerate() {
        if n == 100 {
            // The beacon overtakes its click, and the object starts anew in between.
            world.verify(seen, &sighting(click.ts_ms, Verified::Interacted));
            world.crash();
        }
        world.ingest(click);
    }
    assert_eq!(world.rows.ran("FROM verifications WHERE click IN").times, 0);
    assert_eq!(world.listed()[500]["verified"], "interacted");
}

#[test]
fn a_beacon_of_a_counted_click_changes_nothing() {
    let mut world = World::new(judging(500));
    let flood: Vec<Record> = stream(102, 10, 1).collect();
    for click in &flood {
        world.ingest(click);
    }
    let counted = EventId::parse(&flood[101].event_id).unwrap();
    let before = world.rows.written();
    let told = world.verify(counted, &sighting(NOON_MS + 11_000, Verified::Rendered));
    assert_eq!((told, world.rows.written()), (Seen::Counted, before));
}

#[test]
fn opens_and_acts_settle_and_ship_under_their_own_names() {
    let mut world = World::new(Judging { shadow: None, ..full(500) });
    for (n, kind) in (0..).zip(Kind::ALL) {
        let ts_ms = NOON_MS + 1_000 * i64::from(n);
        let mut request = record(&id(ts_ms, n).to_string(), "r", kind.name(), ts_ms);
        request.kind = kind;
        if n > 1 {
            "POST".clone_into(&mut request.method);
        }
        request.act = (kind == Kind::Unsubscribe).then(|| "one_click".to_owned());
        assert_eq!(world.ingest(&request), Arrival::Stored);
    }
    world.settle(NOON_MS + 60_000);
    let events = shipped(&mut world, NOON_MS + 60_000);
    let said: Vec<_> = events
        .iter()
        .map(|event| (event["event"].as_str().unwrap(), event["rule"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [("click", "human"), ("open", "human"), ("unsubscribe", "one_click"), ("confirm", "human")]
    );
    let report = serde_json::to_value(world.message().report("m").unwrap()).unwrap();
    assert_eq!(
        (&report["clicks"], &report["recipients"], &report["unsettled"]),
        (&json!(1), &json!(1), &json!(0))
    );
}

/// Nine hundred packs, amendments among them: the report reads a few sums and the packs behind them.
#[test]
fn a_report_reads_sums_and_never_all_packs() {
    let mut world = World::new(full(0));
    let mut delivered = Vec::new();
    for n in 0..600_u32 {
        let ts_ms = NOON_MS + i64::from(n) * 10_000;
        let who = format!("r{n}");
        world.ingest(&Record {
            ip: Some("40.92.1.1".to_owned()),
            ..record(&id(ts_ms, n).to_string(), &who, "l1", ts_ms)
        });
        world.run_until(ts_ms + 9_000);
        if n % 2 == 0 {
            // It was delivered an hour and a half before: the click is late, and amended.
            delivered.push((Key::of(&who), ts_ms - 5_400_000));
            world.deliver(&delivered[delivered.len() - 1..]);
        }
    }
    world.run_until(NOON_MS + 6_600_000);
    world.check();
    let packs = world.rows.packs().len();
    assert!(packs >= 600, "{packs} packs");
    for crash in [false, true] {
        if crash {
            world.crash();
        }
        world.check();
        world.rows.forget_counts();
        let report = world.message().report("m").unwrap();
        assert_eq!((report.clicks, report.recipients, report.unsettled), (600, 600, 0));
        let delayed: i64 = report.delay.iter().map(|step| step.by_type.sum(|_| true)).sum();
        assert_eq!(delayed, 600, "each click has one delay");
        assert_eq!(report.by_vendor.0, [("microsoft".to_owned(), 600)]);
        let read = world.rows.ran("FROM packs WHERE number");
        assert!(read.rows < 16, "{read:?} of {packs} packs");
        assert_eq!(world.rows.ran("SELECT * FROM packs WHERE (last_ms").rows, 0);
        let sums = world.rows.ran("body FROM sums").rows;
        assert!(sums <= 2 * 15 + packs / 256, "{sums} sums of {packs} packs");
    }
}
