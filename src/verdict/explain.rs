//! Why a click got its verdict: every rule in order, whether it held, on which facts, and what would have changed it.
//!
//! Nothing is decided here. The rules' own conditions are asked once more and written down.

use serde::Serialize;
use serde_json::{Value, json};

use super::case::Case;
use super::rules::{Condition, Fact, Rule};
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
            class: network.class.as_str(),
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
    pub settings: Value,
    /// What would have changed that, in words.
    pub change: String,
}

/// A condition that was looked at.
#[derive(Debug, Serialize)]
pub struct Seen {
    fact: &'static str,
    is: Value,
    needs: String,
    holds: bool,
}

/// Explains the click of a case.
#[must_use]
pub fn explain(case: &Case) -> Explanation {
    let rules = case.ruleset.rules();
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
    let facts: Vec<Seen> = rule.needs.iter().map(|condition| seen(condition, case)).collect();
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
        "it would decide without the proof of a person (a returning cookie with coherent headers)".to_owned()
    };
    let mut thresholds = case.thresholds.clone();
    let settings: serde_json::Map<String, Value> = SETTINGS
        .iter()
        .filter(|setting| rule.settings.contains(&setting.name))
        .map(|setting| (setting.name.to_owned(), Value::from(*(setting.slot)(&mut thresholds))))
        .collect();
    Asked { rule: rule.id, words: rule.words, held, decided, facts, settings: settings.into(), change }
}

fn seen(condition: &Condition, case: &Case) -> Seen {
    let fact = (condition.fact)(case);
    let (is, needs) = match fact {
        Fact::Is(so) => (json!(so), "true".to_owned()),
        Fact::Named(name) => (json!(name), "any".to_owned()),
        Fact::Below(is, bound) => (json!(is), format!("below {bound}")),
        Fact::Over(is, bound) => (json!(is), format!("over {bound}")),
        Fact::AtLeast(is, bound) => (json!(is), format!("at least {bound}")),
    };
    Seen { fact: condition.words, is, needs, holds: fact.holds() }
}
