//! Why a click got its verdict: every rule in order, whether it held, on which facts, and what would have changed it.
//!
//! Nothing is decided here. The rules' own conditions are asked once more and written down.

use std::collections::BTreeMap;

use serde::Serialize;

use super::case::Case;
use super::rules::{self, Condition, Fact, Rule};
use super::thresholds::SETTINGS;
use crate::signals::catalogue::Network;

/// A click explained.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// Name and version of the ruleset.
    pub ruleset: &'static str,
    /// The network that the click came from, where the catalogue knows it.
    pub network: Option<Place>,
    /// Every vote on it; their sum.
    pub votes: Vec<Spoken>,
    /// What they say together: positive for a scanner.
    pub votes_sum: i32,
    /// Every rule in order.
    pub rules: Vec<Asked>,
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
    pub settings: BTreeMap<&'static str, i64>,
    /// What would have changed that, in words.
    pub change: String,
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
    let rules = if rules::by_kind(case).is_some() { &[] } else { case.ruleset.rules() };
    let decides = |rule: &Rule| rule.holds(case).is_some_and(|found| !rule.is_overturned(found, case));
    let deciding = rules.iter().position(decides);
    Explanation {
        ruleset: case.ruleset.label(),
        network: case.click.signals.place.map(Place::of),
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
        rules: rules
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
        Fact::Named(name) => (Is::Named(name), "any".to_owned()),
        Fact::Below(is, bound) => (Is::Number(is), format!("below {bound}")),
        Fact::Over(is, bound) => (Is::Number(is), format!("over {bound}")),
        Fact::AtLeast(is, bound) => (Is::Number(is), format!("at least {bound}")),
    };
    Seen { fact: condition.words, is, needs, holds: fact.holds() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::record::Record;
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
        let clicks = [Click::of(&record, None)];
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
