//! Agents and browsers on public corpora, which npm installs for the tests: declared bots are found, people are not
//! flagged. `tests/agents/corpora.test.mjs` prints the same rates beside npm's isbot.

use std::collections::BTreeSet;
use std::fs;

use clickproof::signals::agents::{self, AgentClass};
use clickproof::signals::browser::Browser;
use serde_json::Value;

/// 2026-11-22, noon: about when the corpora were made.
const NOON_MS: i64 = 1_795_348_800_000;

fn corpus(path: &str) -> Value {
    let path = format!("{}/node_modules/{path}", env!("CARGO_MANIFEST_DIR"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}: run `npm ci` first"));
    serde_json::from_str(&text).unwrap()
}

fn texts<'a>(values: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    values.into_iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// Crawlers, monitors, previews and HTTP libraries.
fn bots() -> [BTreeSet<String>; 2] {
    let entries = corpus("crawler-user-agents/crawler-user-agents.json");
    let instances =
        entries.as_array().unwrap().iter().flat_map(|entry| entry["instances"].as_array().unwrap());
    [texts(instances), texts(corpus("top-crawler-agents/index.json").as_array().unwrap())]
}

/// Browsers in use. The corpus `user-agents` also holds a fleet that changes versions under the names of four devices which
/// Chrome's developer tools simulate, with version numbers that were never released: that is no person's browser.
fn browsers() -> [BTreeSet<String>; 2] {
    let entries = corpus("user-agents/dist/user-agents.json");
    let mut many = texts(entries.as_array().unwrap().iter().map(|entry| &entry["userAgent"]));
    many.retain(|agent| !is_of_the_fleet(agent));
    [texts(corpus("top-user-agents/src/index.json").as_array().unwrap()), many]
}

fn is_of_the_fleet(agent: &str) -> bool {
    let devices =
        ["SM-G900P Build/LRX21T", "Pixel 2 Build/OPD3", "Nexus 5 Build/MRA58N", "iPhone OS 11_0 like"];
    let old_chrome = (39..=60).any(|major| agent.contains(&format!("Chrome/{major}.")));
    old_chrome && devices.iter().any(|device| agent.contains(device))
}

#[test]
fn declared_bots_are_found() {
    for corpus in bots() {
        assert!(corpus.len() > 300, "{}", corpus.len());
        let missed: Vec<_> = corpus.iter().filter(|agent| agents::declared(agent).is_none()).collect();
        assert!(missed.len() * 100 <= corpus.len() * 3, "{} of {}: {missed:#?}", missed.len(), corpus.len());
    }
}

#[test]
fn real_browsers_are_not_flagged() {
    for corpus in browsers() {
        assert!(corpus.len() >= 100, "{}", corpus.len());
        let flagged: Vec<_> = corpus.iter().filter(|agent| agents::declared(agent).is_some()).collect();
        assert!(flagged.len() * 1_000 <= corpus.len(), "{flagged:#?}");
    }
}

#[test]
fn libraries_are_told_from_crawlers() {
    let entries = corpus("crawler-user-agents/crawler-user-agents.json");
    let libraries = entries.as_array().unwrap().iter().filter(|entry| {
        entry["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == "http-library"))
    });
    let libraries = texts(libraries.flat_map(|entry| entry["instances"].as_array().unwrap()));
    let known = libraries
        .iter()
        .filter(|agent| agents::declared(agent).is_some_and(|found| found.class == AgentClass::Library))
        .count();
    // The rest call themselves crawlers or bots, or have no mark but an address.
    assert!(known * 100 >= libraries.len() * 85, "{known} of {}", libraries.len());
}

#[test]
fn real_browsers_are_possible_and_the_fleet_is_not() {
    for corpus in browsers() {
        let impossible: Vec<_> = corpus.iter().filter(|agent| is_impossible(agent)).collect();
        assert!(impossible.len() * 1_000 <= corpus.len(), "{impossible:#?}");
    }
    let entries = corpus("user-agents/dist/user-agents.json");
    let mut fleet = texts(entries.as_array().unwrap().iter().map(|entry| &entry["userAgent"]));
    fleet.retain(|agent| is_of_the_fleet(agent));
    let found = fleet.iter().filter(|agent| is_impossible(agent)).count();
    assert!(fleet.len() > 100 && found * 100 >= fleet.len() * 95, "{found} of {}", fleet.len());
}

fn is_impossible(agent: &str) -> bool {
    Browser::of(agent).is_some_and(|browser| browser.is_impossible(NOON_MS))
}
