//! Why a click got its verdict: a sentence first, then every rule in order, whether it held, on which facts, and what would
//! have changed it.
//!
//! Nothing is decided here. The rules' own conditions are asked once more and written down.

use serde::{Serialize, Serializer};

use super::case::Case;
use super::rules::{self, Condition, Fact, Rule};
use super::thresholds::SETTINGS;
use super::{ClickType, Confidence, Finding};
use crate::signals::catalogue::Network;

/// A click explained.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// What happened, when and how sure that is, in a sentence for people who send mail.
    pub sentence: String,
    /// Whose clock the times count from.
    pub clock: Clock,
    /// Every reason of the verdict, with its words.
    pub reasons: Vec<Told>,
    /// Name and version of the ruleset.
    pub ruleset: &'static str,
    /// The network that the click came from, where the catalogue knows it and `PRIVACY` lets it be told.
    pub network: Option<Place>,
    /// Every vote on it; their sum.
    pub votes: Vec<Spoken>,
    /// What they say together: positive for a scanner.
    pub votes_sum: i32,
    /// Every rule in order.
    pub rules: Vec<Asked>,
}

/// The moment that times count from.
#[derive(Debug, Serialize)]
pub struct Clock {
    /// `delivery`, where one is known, else `send`.
    of: &'static str,
    /// Unix milliseconds.
    at_ms: i64,
    /// Milliseconds since then; negative where the click came before.
    since_ms: i64,
}

impl Clock {
    fn of(case: &Case) -> Self {
        let click = case.click;
        let of = if click.delivery.delivered_at_ms.is_some() { "delivery" } else { "send" };
        Self { of, at_ms: click.clock_ms, since_ms: click.ts_ms.saturating_sub(click.clock_ms) }
    }

    /// How long after or before what.
    fn words(&self) -> String {
        let ms = self.since_ms.saturating_abs();
        let (number, unit) = match ms / 1_000 {
            _ if ms < 1_000 => (ms, "ms"),
            1 => (1, "second"),
            seconds @ ..120 => (seconds, "seconds"),
            seconds @ ..7_200 => (seconds / 60, "minutes"),
            seconds @ ..172_800 => (seconds / 3_600, "hours"),
            seconds => (seconds / 86_400, "days"),
        };
        let side = if self.since_ms < 0 { "before" } else { "after" };
        let clock = if self.of == "send" { "the send (no delivery time is known)" } else { "the delivery" };
        format!("{number} {unit} {side} {clock}")
    }
}

/// A reason with its words.
#[derive(Debug, Serialize)]
pub struct Told {
    reason: String,
    words: &'static str,
}

/// What happened, when and how sure that is.
fn sentence(finding: &Finding, clock: &Clock) -> String {
    let Some(kind) = finding.click_type else {
        return "This is no click, and the published table judges clicks alone.".to_owned();
    };
    let vendor = finding.vendor.as_deref().filter(|_| !kind.is_defender_bot());
    let vendor = vendor.map_or_else(String::new, |vendor| format!(" ({vendor})"));
    let sure = match (finding.confidence, kind) {
        (Confidence::Certain, _) => "That is certain.",
        (Confidence::Probable, ClickType::Human) => "Nothing that counts speaks for a machine.",
        (Confidence::Probable, _) => "That is probable; what proves a person would overturn it.",
    };
    format!("{}{vendor}, {}. {sure}", kind.words(), clock.words())
}

/// An entry of the catalogue.
#[derive(Debug, Serialize)]
pub struct Place {
    name: &'static str,
    vendor: &'static str,
    class: &'static str,
    source: &'static str,
    date: &'static str,
}

impl Place {
    fn of(network: &Network) -> Self {
        Self {
            name: network.name,
            vendor: network.vendor,
            class: network.class.name(),
            source: network.source,
            date: network.date,
        }
    }
}

/// A vote that was cast.
#[derive(Debug, Serialize)]
pub struct Spoken {
    reason: &'static str,
    weight: i32,
    words: &'static str,
    source: &'static str,
}

/// A rule that was asked.
#[derive(Debug, Serialize)]
pub struct Asked {
    /// The rule.
    pub rule: &'static str,
    /// What it says.
    pub words: &'static str,
    /// Whether all of its conditions hold.
    pub held: bool,
    /// Whether it is the one that decided.
    pub decided: bool,
    /// Its conditions.
    pub facts: Vec<Seen>,
    /// The settings that it obeys, with their values.
    #[serde(serialize_with = "as_object")]
    pub settings: Vec<(&'static str, i64)>,
    /// What would have changed that, in words.
    pub change: String,
}

/// Settings as an object.
fn as_object<S: Serializer>(settings: &[(&'static str, i64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(settings.iter().copied())
}

/// A condition that was looked at.
#[derive(Debug, Serialize)]
pub struct Seen {
    fact: &'static str,
    is: Is,
    needs: String,
    holds: bool,
}

/// What was found where a condition looked.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Is {
    So(bool),
    Named(Option<&'static str>),
    Number(i64),
}

/// Explains the click of a case.
#[must_use]
pub fn explain(case: &Case) -> Explanation {
    // What has no windows is asked no rule.
    let asked_of = if rules::by_kind(case).is_some() { &[] } else { case.ruleset.rules() };
    let decides = |rule: &Rule| rule.holds(case).is_some_and(|found| !rule.is_overturned(found, case));
    let deciding = asked_of.iter().position(decides);
    let (finding, clock) = (rules::decide(case), Clock::of(case));
    let told =
        |reason: &std::borrow::Cow<str>| Told { reason: reason.to_string(), words: rules::words_of(reason) };
    Explanation {
        sentence: sentence(&finding, &clock),
        clock,
        reasons: finding.reasons.iter().map(told).collect(),
        ruleset: case.ruleset.label(),
        network: case.click.signals.place.filter(|_| !case.click.signals.is_withheld).map(Place::of),
        votes: case
            .votes()
            .seen()
            .map(|vote| Spoken {
                reason: vote.reason,
                weight: vote.weight,
                words: vote.words,
                source: vote.source,
            })
            .collect(),
        votes_sum: case.votes().sum(),
        rules: asked_of
            .iter()
            .enumerate()
            .map(|(at, rule)| {
                asked(rule, case, deciding == Some(at), deciding.is_some_and(|first| first < at))
            })
            .collect(),
    }
}

fn asked(rule: &Rule, case: &Case, decided: bool, is_late: bool) -> Asked {
    let view = rule.view(case);
    let facts: Vec<Seen> = rule.needs.iter().map(|condition| seen(condition, &view)).collect();
    let held = facts.iter().all(|fact| fact.holds);
    let lacking: Vec<String> = facts
        .iter()
        .filter(|fact| !fact.holds)
        .map(|fact| format!("{}: {}", fact.fact, fact.needs))
        .collect();
    let change = if !held {
        format!("it would hold with {}", lacking.join("; "))
    } else if decided && rule.needs.is_empty() {
        "any rule above it that holds".to_owned()
    } else if decided {
        let facts: Vec<&str> = facts.iter().map(|fact| fact.fact).collect();
        format!("it would not hold without any one of: {}", facts.join("; "))
    } else if is_late {
        "it would decide if no rule above it did".to_owned()
    } else {
        "it would decide without the proof of a person (a touch of the landing page, or a returning cookie with coherent headers)"
            .to_owned()
    };
    let mut thresholds = case.thresholds.clone();
    let settings = SETTINGS
        .iter()
        .filter(|setting| rule.settings.contains(&setting.name))
        .map(|setting| (setting.name, *(setting.slot)(&mut thresholds)))
        .collect();
    Asked { rule: rule.id, words: rule.words, held, decided, facts, settings, change }
}

fn seen(condition: &Condition, case: &Case) -> Seen {
    let fact = (condition.fact)(case);
    let (is, needs) = match fact {
        Fact::Is(so) => (Is::So(so), "true".to_owned()),
        Fact::Named(name) if case.click.signals.is_withheld => (Is::So(name.is_some()), "true".to_owned()),
        Fact::Named(name) => (Is::Named(name), "any".to_owned()),
        Fact::Below(is, bound) => (Is::Number(is), format!("below {bound}")),
        Fact::Over(is, bound) => (Is::Number(is), format!("over {bound}")),
        Fact::AtLeast(is, bound) => (Is::Number(is), format!("at least {bound}")),
    };
    Seen { fact: condition.words, is, needs, holds: fact.holds() }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::{Value, json};

    use crate::record::{Delivery, Record};
    use crate::verdict::{Click, JudgedHistory, Ruleset, Thresholds};

    /// The explanation of one click a second after the send, as JSON.
    fn explained(ruleset: Ruleset, change: impl FnOnce(&mut Record)) -> Value {
        let mut record = Record {
            event_id: "e".to_owned(),
            method: "GET".to_owned(),
            ip: Some("203.0.113.9".to_owned()),
            ts_ms: 1_000,
            ..Record::default()
        };
        change(&mut record);
        let clicks = [Rc::new(Click::of(&record, Delivery::default()))];
        let thresholds = Thresholds::default();
        let trial = JudgedHistory::of(&clicks, ruleset, &thresholds);
        serde_json::to_value(trial.explain(0)).unwrap()
    }

    fn rule<'a>(explanation: &'a Value, id: &str) -> &'a Value {
        explanation["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == id).unwrap()
    }

    #[test]
    fn every_rule_is_there_in_order_and_one_decides() {
        for ruleset in [Ruleset::Defender, Ruleset::Full] {
            let explanation = explained(ruleset, |_| ());
            let rules = explanation["rules"].as_array().unwrap();
            let ids: Vec<&str> = rules.iter().map(|rule| rule["rule"].as_str().unwrap()).collect();
            let known: Vec<&str> = ruleset.rules().iter().map(|rule| rule.id).collect();
            assert_eq!((ids, &explanation["ruleset"]), (known, &json!(ruleset.label())));
            let decided: Vec<_> = rules.iter().filter(|rule| rule["decided"] == true).collect();
            assert_eq!(decided.len(), 1);
            assert_eq!(decided[0]["rule"], "human");
            assert_eq!(decided[0]["change"], "any rule above it that holds");
        }
    }

    #[test]
    fn it_begins_with_a_sentence_for_people_who_send_mail() {
        let said = |change: fn(&mut Record)| explained(Ruleset::Full, change)["sentence"].clone();
        assert_eq!(
            said(|_| ()),
            "A person opened this link, 1 second after the send (no delivery time is known). Nothing that counts speaks \
             for a machine."
        );
        assert_eq!(
            said(|record| record.ip = Some("209.222.82.5".to_owned())),
            "A mail security service opened this link to check it (barracuda), 1 second after the send (no delivery time is \
             known). That is certain."
        );
        let repeated = said(|record| {
            record.user_agent = Some("curl/8.5.0".to_owned());
            record.delivered_at_ms = Some(301_000);
        });
        assert_eq!(
            repeated,
            "A program opened this link, and says so itself, 5 minutes before the delivery. That is certain."
        );
        let text = serde_json::to_string(&explained(Ruleset::Full, |_| ())).unwrap();
        assert!(text.contains(r#""sentence":"A person"#), "{text}");
    }

    #[test]
    fn every_reason_has_its_words() {
        let explanation = explained(Ruleset::Full, |record| {
            record.asn = Some(24_940);
            record.http_protocol = Some("HTTP/2".to_owned());
        });
        let reasons = explanation["reasons"].as_array().unwrap();
        assert_eq!(reasons[0], json!({"reason": "+no_user_agent", "words": "no User-Agent at all"}));
        assert_eq!(explanation["clock"], json!({"of": "send", "at_ms": 0, "since_ms": 1_000}));
        let names = Ruleset::ALL.into_iter().flat_map(Ruleset::rules).flat_map(|rule| rule.reasons);
        for name in names.map(|reason| reason.name).chain([
            "+image_proxy_agent",
            "+image_proxy_network",
            "-one_click",
        ]) {
            assert!(!crate::verdict::rules::words_of(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_rule_tells_what_it_saw_and_what_it_lacks() {
        let safe_links = |record: &mut Record| {
            record.referer = Some("https://nam02.safelinks.protection.outlook.com/".to_owned());
            record.ts_ms = 5_000;
        };
        let explanation = explained(Ruleset::Full, safe_links);
        assert_eq!(
            *rule(&explanation, "safelinks_delivery"),
            json!({
                "rule": "safelinks_delivery",
                "words": "a Safe Links referer within seconds of the send: the check at delivery",
                "held": false,
                "decided": false,
                "facts": [
                    {"fact": "the referer is Safe Links", "is": true, "needs": "true", "holds": true},
                    {"fact": "milliseconds since the clock", "is": 5_000, "needs": "below 5000", "holds": false},
                ],
                "settings": {"SAFELINKS_DELIVERY_MS": 5_000},
                "change": "it would hold with milliseconds since the clock: below 5000",
            })
        );
        let at_delivery = explained(Ruleset::Full, |record| {
            safe_links(record);
            record.ts_ms = 4_999;
        });
        assert_eq!(
            rule(&at_delivery, "safelinks_delivery")["change"],
            "it would not hold without any one of: the referer is Safe Links; milliseconds since the clock"
        );
    }

    #[test]
    fn a_rule_that_came_too_late_says_so() {
        let filter = explained(Ruleset::Full, |record| {
            record.ip = Some("40.92.1.1".to_owned());
            record.ts_ms = 3_600_001;
        });
        let (first, late) = (rule(&filter, "air_or_mbi"), rule(&filter, "scanner_network"));
        assert_eq!((&first["held"], &first["decided"]), (&json!(true), &json!(true)));
        assert_eq!((&late["held"], &late["decided"]), (&json!(true), &json!(false)));
        assert_eq!(late["change"], "it would decide if no rule above it did");
        assert_eq!(filter["network"]["class"], "scanner-certain");
    }

    #[test]
    fn a_rule_that_gave_way_to_proof_says_so() {
        let proven = explained(Ruleset::Full, |record| {
            let text = |text: &str| Some(text.to_owned());
            record.user_agent = text(
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
            );
            record.referer = text("https://nam02.safelinks.protection.outlook.com/");
            record.cookie = text("returning");
            (record.accept, record.accept_language) = (text("text/html"), text("en"));
            (record.sec_fetch_mode, record.sec_fetch_dest) = (text("navigate"), text("document"));
            record.secure = Some(true);
        });
        let held = rule(&proven, "safelinks_delivery");
        assert_eq!((&held["held"], &held["decided"]), (&json!(true), &json!(false)));
        assert!(held["change"].as_str().unwrap().contains("without the proof of a person"), "{held}");
        assert_eq!(rule(&proven, "human")["decided"], true);
    }

    #[test]
    fn votes_are_listed_with_weight_source_and_sum() {
        let explanation = explained(Ruleset::Full, |record| {
            record.asn = Some(24_940);
            record.http_protocol = Some("HTTP/2".to_owned());
        });
        let votes = explanation["votes"].as_array().unwrap();
        let reasons: Vec<_> = votes.iter().map(|vote| vote["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["+no_user_agent", "+hosting_network", "+first_seconds"]);
        assert_eq!(explanation["votes_sum"], 12);
        assert!(votes.iter().all(|vote| vote["words"].is_string() && vote["source"].is_string()));
        assert_eq!(explanation["network"]["name"], "Hetzner");
    }
}
