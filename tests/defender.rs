//! The published table: each rule by a case in which only it fires and by near misses, and the whole table against
//! the naive model, dense around every bound.

#![allow(clippy::cast_possible_wrap, clippy::many_single_char_names, reason = "the tests' numbers are small")]

mod common;

use std::rc::Rc;

use clickproof::record::Delivery;
use clickproof::record::Record;
use clickproof::verdict::thresholds::SETTINGS;
use clickproof::verdict::{Click, Finding, Look, Ruleset, Thresholds, judge};
use common::naive::{self, Said};
use common::{NOON_MS, record};
use proptest::prelude::*;

const EXCHANGE: &str = "40.92.1.1";
const HOME: &str = "203.0.113.9";
const SAFE_LINKS: &str = "https://nam02.safelinks.protection.outlook.com/";

fn engine(history: &[Record], t: &Thresholds, look: Look) -> Vec<Finding> {
    let mut order: Vec<usize> = (0..history.len()).collect();
    order.sort_by_key(|&at| (history[at].ts_ms, &history[at].event_id));
    let click = |at: &usize| Rc::new(Click::of(&history[*at], Delivery::default()));
    let clicks: Vec<Rc<Click>> = order.iter().map(click).collect();
    let mut findings: Vec<Option<Finding>> = vec![None; history.len()];
    for (at, finding) in order.into_iter().zip(judge(&clicks, Ruleset::Defender, t, look)) {
        findings[at] = Some(finding);
    }
    findings.into_iter().map(Option::unwrap).collect()
}

fn said(finding: &Finding) -> Said {
    let rules = Ruleset::Defender.rules();
    Said {
        click_type: finding.click_type.unwrap().name(),
        rule: rules.iter().find(|rule| rule.id == finding.rule).unwrap().id,
        paired_with: finding.paired_with.as_deref().map(str::to_owned),
    }
}

/// The rules that decided, in the order of the history.
fn rules(history: &[Record]) -> Vec<String> {
    let t = Thresholds::default();
    let findings = engine(history, &t, Look::Whole);
    for (x, finding) in history.iter().zip(&findings) {
        assert_eq!(said(finding), naive::judge(x, history, &t), "the naive model agrees on {}", x.event_id);
    }
    findings.into_iter().map(|finding| finding.rule.into_owned()).collect()
}

struct Case(Record);

fn at(id: &str, delta_ms: i64) -> Case {
    Case(record(id, "r", "l", NOON_MS + delta_ms))
}

impl Case {
    fn ip(mut self, ip: &str) -> Self {
        self.0.ip = Some(ip.to_owned());
        self
    }
    fn referer(mut self, referer: &str) -> Self {
        self.0.referer = Some(referer.to_owned());
        self
    }
    fn by(mut self, recipient: &str) -> Self {
        recipient.clone_into(&mut self.0.recipient_id);
        self
    }
    fn on(mut self, link: &str) -> Self {
        self.0.link_id = Some(link.to_owned());
        self.0.url = Some(format!("https://brand.example/{link}"));
        self
    }
}

fn history<const N: usize>(cases: [Case; N]) -> Vec<Record> {
    cases.into_iter().map(|case| case.0).collect()
}

#[test]
fn delivery_check_only_below_its_bound() {
    assert_eq!(rules(&history([at("a", 4_999).referer(SAFE_LINKS)])), ["safelinks_delivery"]);
    assert_eq!(rules(&history([at("a", 5_000).referer(SAFE_LINKS)])), ["human"]);
    assert_eq!(
        rules(&history([at("a", -9_000).referer(SAFE_LINKS)])),
        ["safelinks_delivery"],
        "skew counts as 0"
    );
    assert_eq!(rules(&history([at("a", 10).referer("https://outlook.example/")])), ["human"]);
}

#[test]
fn a_pair_needs_half_a_second_one_link_and_safe_links() {
    let pair = |gap: i64| history([at("a", 90_000).referer(SAFE_LINKS), at("b", 90_000 + gap)]);
    assert_eq!(rules(&pair(500)), ["timeofclick_pair", "timeofclick_pair"]);
    assert_eq!(rules(&pair(501)), ["human", "human"]);
    let t = Thresholds::default();
    let types: Vec<_> =
        engine(&pair(0), &t, Look::Whole).iter().map(|finding| finding.click_type.unwrap().name()).collect();
    assert_eq!(types, ["scanner_timeofclick", "human"], "equal times go by event_id");
    assert_eq!(
        rules(&history([at("a", 90_000).referer(SAFE_LINKS), at("b", 90_001).on("other")])),
        ["human", "human"]
    );
    assert_eq!(rules(&history([at("a", 90_000), at("b", 90_001)])), ["human", "human"]);
}

#[test]
fn pairs_go_forward_and_leave_the_third_alone() {
    let three =
        history([at("a", 90_000).referer(SAFE_LINKS), at("b", 90_100), at("c", 90_200).referer(SAFE_LINKS)]);
    assert_eq!(rules(&three), ["timeofclick_pair", "timeofclick_pair", "human"]);
    // A delivery check keeps its place between two that would otherwise be neighbours.
    let between = history([
        at("a", 4_900).referer(SAFE_LINKS),
        at("b", 4_950).referer(SAFE_LINKS),
        at("c", 5_100).referer(SAFE_LINKS),
    ]);
    assert_eq!(rules(&between), ["safelinks_delivery", "safelinks_delivery", "human"]);
}

#[test]
fn the_sandbox_needs_five_early_clicks_of_one_recipient() {
    let sweep = |count: usize, last_ms: i64| -> Vec<Record> {
        (0..count)
            .map(|n| {
                let ms = if n + 1 == count { last_ms } else { n as i64 };
                at(&format!("e{n}"), ms).on(&format!("l{n}")).ip(EXCHANGE).0
            })
            .collect()
    };
    assert_eq!(rules(&sweep(5, 59_999)), ["safe_attachments"; 5]);
    assert_eq!(rules(&sweep(5, 60_000)), ["human"; 5]);
    assert_eq!(rules(&sweep(4, 4)), ["human"; 4]);
    let mut others = sweep(5, 5);
    for click in &mut others[..4] {
        click.ip = Some(HOME.to_owned());
    }
    assert_eq!(rules(&others)[4], "safe_attachments", "clicks from any network count");
    assert_eq!(rules(&others)[0], "human", "only a click from Microsoft's is one");
}

#[test]
fn a_campaign_needs_thirty_recipients_on_one_url_within_a_minute() {
    let burst = |count: usize, span_ms: i64| -> Vec<Record> {
        (0..count)
            .map(|n| {
                let ms = 120_000 + if n + 1 == count { span_ms } else { 0 };
                at(&format!("e{n:02}"), ms).by(&format!("r{n}")).ip(EXCHANGE).0
            })
            .collect()
    };
    assert_eq!(rules(&burst(30, 60_000)), vec!["campaign_view"; 30]);
    assert_eq!(rules(&burst(30, 60_001)), vec!["human"; 30]);
    assert_eq!(rules(&burst(29, 0)), vec!["human"; 29]);
    let mut people = burst(30, 0);
    for click in &mut people[1..] {
        click.ip = Some(HOME.to_owned());
    }
    assert_eq!(rules(&people)[..2], ["campaign_view", "human"], "people count, and stay people");
    let mut split = burst(30, 0);
    split[0].url = Some("https://brand.example/personal".to_owned());
    assert_eq!(rules(&split), vec!["human"; 30], "the URL counts, not the link_id");
}

#[test]
fn an_investigation_is_late_and_without_referer() {
    assert_eq!(rules(&history([at("a", 3_600_001).ip(EXCHANGE)])), ["air_or_mbi"]);
    assert_eq!(rules(&history([at("a", 3_600_000).ip(EXCHANGE)])), ["human"]);
    assert_eq!(rules(&history([at("a", 3_600_001).ip(EXCHANGE).referer("x")])), ["human"]);
    assert_eq!(rules(&history([at("a", 3_600_001).ip(HOME)])), ["human"]);
    assert_eq!(
        rules(&history([at("a", 3_600_001).ip("::ffff:40.92.1.1")])),
        ["air_or_mbi"],
        "mapped addresses"
    );
}

#[test]
fn the_delivery_is_the_clock_where_it_is_known() {
    let mut late = at("a", 7_000_000).ip(EXCHANGE).0;
    late.delivered_at_ms = Some(NOON_MS + 6_999_000);
    assert_eq!(rules(&[late]), ["human"]);
}

#[test]
fn every_table_ends_with_a_rule_that_always_holds() {
    for name in Ruleset::NAMES {
        assert_eq!(Ruleset::named(name).unwrap().rules().last().unwrap().id, "human");
    }
}

#[test]
fn every_rule_names_settings_that_exist() {
    for rule in Ruleset::Defender.rules() {
        for name in rule.settings {
            assert!(SETTINGS.iter().any(|setting| setting.name == *name), "{}: {name}", rule.id);
        }
    }
    let named = |name| Ruleset::Defender.rules().iter().any(|rule| rule.settings.contains(&name));
    assert!(SETTINGS.iter().all(|setting| named(setting.name)), "no setting is without a rule");
}

/// Times around every bound of the table, in a history small enough that clicks meet.
fn arbitrary_click(small: bool) -> impl Strategy<Value = Record> {
    let bounds: Vec<i64> = if small {
        vec![0, 50, 100, 200, 300, 600, 1_000]
    } else {
        vec![-600, 0, 4_500, 5_000, 5_500, 59_500, 60_000, 60_500, 90_000, 120_000, 3_600_000, 3_660_000]
    };
    (
        0..1_000_u32,
        prop::sample::select(bounds),
        prop_oneof![4 => -2_i64..=2, 2 => 498_i64..=502, 1 => -600_i64..600],
        0..4_usize,
        0..3_usize,
        prop::sample::select(vec![None, Some(SAFE_LINKS), Some(SAFE_LINKS), Some("https://x.example/")]),
        prop::sample::select(vec![
            None,
            Some(EXCHANGE),
            Some(EXCHANGE),
            Some("2a01:111::7"),
            Some(HOME),
            Some("junk"),
        ]),
        prop::option::weighted(0.2, prop::sample::select(vec![-1_000_i64, 0, 4_000, 59_000, 100_000])),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(id, base, jitter, recipient, link, referer, ip, delivered, no_link_id)| {
            let mut click = record(
                &format!("e{id:04}"),
                &format!("r{recipient}"),
                &format!("l{link}"),
                NOON_MS + base + jitter,
            );
            click.referer = referer.map(str::to_owned);
            click.ip = ip.map(str::to_owned);
            click.delivered_at_ms = delivered.map(|ms| NOON_MS + ms);
            if no_link_id {
                click.link_id = None;
            }
            click
        })
}

fn histories(small: bool) -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(arbitrary_click(small), 1..40).prop_map(|mut clicks| {
        let mut seen = std::collections::BTreeSet::new();
        clicks.retain(|click| seen.insert(click.event_id.clone()));
        clicks
    })
}

/// Low counts, so that small histories reach them.
fn low() -> Thresholds {
    Thresholds { sandbox_clicks: 3, campaign_recipients: 3, ..Thresholds::default() }
}

/// Short windows, so that small histories cross them.
fn short() -> Thresholds {
    Thresholds {
        safelinks_delivery_ms: 100,
        pair_ms: 50,
        sandbox_ms: 200,
        sandbox_clicks: 3,
        campaign_ms: 100,
        campaign_recipients: 3,
        late_ms: 600,
    }
}

fn agree(history: &[Record], t: &Thresholds) -> Result<(), TestCaseError> {
    for (x, finding) in history.iter().zip(engine(history, t, Look::Whole)) {
        prop_assert_eq!(said(&finding), naive::judge(x, history, t), "{:?}", x);
    }
    for (x, finding) in history.iter().zip(engine(history, t, Look::Back)) {
        prop_assert_eq!(said(&finding), naive::look_back(x, history, t), "looking back, {:?}", x);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_engine_is_the_table(history in histories(false)) {
        agree(&history, &low())?;
        agree(&history, &Thresholds::default())?;
    }

    #[test]
    fn the_engine_is_the_table_with_other_windows(history in histories(true)) {
        agree(&history, &short())?;
    }
}
