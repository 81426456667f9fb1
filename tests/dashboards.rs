//! The dashboards of `static/grafana` ask for what is there: columns of the table of events, of Analytics Engine's points, and types
//! that clicks have.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clickproof::event::schema::{Event, FIELDS};
use clickproof::verdict::ClickType;
use serde_json::Value;

const ANALYTICS_ENGINE: &str = "analytics-engine.json";
const CLICKHOUSE: &str = "clickhouse.json";

/// What a point of Analytics Engine has: the message's digest, its id, the event, the type, the vendor, the type before (empty for a
/// first verdict), clicks, recipients; beside what the platform adds.
const POINT: [&str; 10] = [
    "timestamp",
    "_sample_interval",
    "index1",
    "blob1",
    "blob2",
    "blob3",
    "blob4",
    "blob5",
    "double1",
    "double2",
];

const KEYWORDS: [&str; 18] = [
    "SELECT", "FROM", "FINAL", "WHERE", "GROUP", "BY", "HAVING", "ORDER", "LIMIT", "AND", "IN", "IS", "NOT",
    "NULL", "AS", "DESC", "INTERVAL", "DAY",
];

/// What both of the dashboards' engines are asked to compute. Analytics Engine knows few functions; these it does (its SQL
/// reference, 2026-11).
const FUNCTIONS: [&str; 4] = ["sumIf", "SUM", "MAX", "NOW"];

/// What `ClickHouse` alone is asked for.
const CLICKHOUSE_FUNCTIONS: [&str; 8] =
    ["count", "countIf", "uniqExactIf", "nullIf", "coalesce", "intDiv", "fromUnixTimestamp64Milli", "max"];

/// What Grafana and its plugins put in themselves.
const BUILT_IN: [&str; 7] =
    ["__from", "__to", "__interval_ms", "__conditionalAll", "conditionalTest", "timeFilter", "timeSeries"];

fn dashboard(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/grafana").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The queries of panels by the panels' titles, and those of variables by the variables' names.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let of_panels = list(&dashboard["panels"]).iter().flat_map(|panel| {
        let query = |target: &Value| text(&target["query"]).or_else(|| text(&target["rawSql"])).unwrap();
        list(&panel["targets"]).iter().map(move |target| (text(&panel["title"]).unwrap(), query(target)))
    });
    let of_variables = list(&dashboard["templating"]["list"]).iter().filter(|one| one["type"] == "query");
    let query = |one: &Value| (text(&one["name"]).unwrap(), text(&one["query"]).unwrap());
    of_panels.chain(of_variables.map(query)).collect()
}

/// A query in pieces.
#[derive(Debug, PartialEq)]
enum Piece {
    Word(String),
    Literal(String),
    Variable(String),
    Sign(char),
}

fn pieces(query: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = query.trim_start();
    let is_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    while let Some(first) = rest.chars().next() {
        let behind = &rest[first.len_utf8()..];
        let (piece, length) = if let Some((literal, _)) = behind.split_once('\'').filter(|_| first == '\'') {
            (Piece::Literal(literal.to_owned()), literal.len() + 2)
        } else if let Some((name, _)) = behind.split_once('`').filter(|_| first == '`') {
            (Piece::Word(name.to_owned()), name.len() + 2)
        } else if let Some(inside) = rest.strip_prefix("${") {
            let inside = inside.split_once('}').expect("a variable ends").0;
            (Piece::Variable(inside.split(':').next().unwrap().to_owned()), inside.len() + 3)
        } else {
            let length = behind.find(|sign| !is_name(sign)).unwrap_or(behind.len());
            match first {
                '$' => (Piece::Variable(behind[..length].to_owned()), length + 1),
                _ if is_name(first) => (Piece::Word(rest[..=length].to_owned()), length + 1),
                _ => (Piece::Sign(first), first.len_utf8()),
            }
        };
        pieces.push(piece);
        rest = rest[length..].trim_start();
    }
    pieces
}

/// What a query names that is not there.
fn unknown(query: &str, columns: &[&str], functions: &[&str], variables: &[&str]) -> Vec<String> {
    let pieces = pieces(query);
    let aliases: BTreeSet<&str> = pieces
        .windows(2)
        .filter_map(|pair| match pair {
            [Piece::Word(word), Piece::Word(alias)] if word == "AS" => Some(alias.as_str()),
            _ => None,
        })
        .collect();
    let is_type = |name: &str| ClickType::ALL.into_iter().any(|kind| kind.name() == name);
    let is_known = |at: usize, piece: &Piece| match piece {
        Piece::Word(word) if word.starts_with(|sign: char| sign.is_ascii_digit()) => true,
        Piece::Word(word) if KEYWORDS.contains(&word.as_str()) => true,
        Piece::Word(word) if pieces.get(at + 1) == Some(&Piece::Sign('(')) => {
            functions.contains(&word.as_str())
        }
        Piece::Word(word) => columns.contains(&word.as_str()) || aliases.contains(word.as_str()),
        Piece::Variable(name) => variables.contains(&name.as_str()),
        Piece::Literal(text) => !text.starts_with("scanner_") || is_type(text),
        Piece::Sign(_) => true,
    };
    let unknown = pieces.iter().enumerate().filter(|(at, piece)| !is_known(*at, piece));
    unknown.map(|(_, piece)| format!("{piece:?}")).collect()
}

/// What is there for a dashboard's queries: columns, functions, variables.
fn there<'a>(name: &str, dashboard: &'a Value) -> (Vec<&'a str>, Vec<&'a str>, Vec<&'a str>) {
    let of_clicks = FIELDS.iter().filter(|field| field.presence(Event::Click).is_some());
    let (columns, functions) = match name {
        ANALYTICS_ENGINE => (POINT.to_vec(), FUNCTIONS.to_vec()),
        _ => (of_clicks.map(|field| field.name).collect(), CLICKHOUSE_FUNCTIONS.to_vec()),
    };
    let own = list(&dashboard["templating"]["list"]).iter().filter_map(|one| one["name"].as_str());
    (columns, functions, own.chain(BUILT_IN).collect())
}

#[test]
fn a_dashboard_names_only_columns_functions_types_and_variables_that_there_are() {
    for name in [ANALYTICS_ENGINE, CLICKHOUSE] {
        let dashboard = dashboard(name);
        let (columns, functions, variables) = there(name, &dashboard);
        let queries = queries(&dashboard);
        assert!(queries.len() >= 12, "{name}");
        for (title, query) in queries {
            let unknown = unknown(&query, &columns, &functions, &variables);
            assert!(unknown.is_empty(), "{name}, {title}: {unknown:?} in\n{query}");
        }
    }
}

#[test]
fn what_is_not_there_is_told() {
    let dashboard = dashboard(CLICKHOUSE);
    let (columns, functions, variables) = there(CLICKHOUSE, &dashboard);
    for (query, expected) in [
        ("SELECT count() AS n FROM ${table} WHERE `group` IN (${message:singlequote}) ORDER BY n", vec![]),
        ("SELECT clicktype", vec![r#"Word("clicktype")"#]),
        ("SELECT sumIf(1, click_type = 'human')", vec![r#"Word("sumIf")"#]),
        ("SELECT countIf(click_type = 'scanner_air')", vec![r#"Literal("scanner_air")"#]),
        ("SELECT $tables", vec![r#"Variable("tables")"#]),
        // A verification's field is none of a click's.
        ("SELECT click_event_id", vec![r#"Word("click_event_id")"#]),
    ] {
        assert_eq!(unknown(query, &columns, &functions, &variables), expected, "{query}");
    }
}

#[test]
fn every_type_of_click_is_counted_and_taken_back_in_analytics_engine() {
    let queries = queries(&dashboard(ANALYTICS_ENGINE));
    let (_, query) = queries.iter().find(|(title, _)| title == "Clicks by type").unwrap();
    for kind in ClickType::CLICKS {
        let name = kind.name();
        let column = format!(
            "sumIf(_sample_interval * double1, blob3 = '{name}') - sumIf(_sample_interval * double1, blob5 = '{name}') AS {name}"
        );
        assert!(query.contains(&column), "{name}: {query}");
    }
}

#[test]
fn what_an_operator_looks_for_has_a_panel() {
    let both = [
        "Clicks by type",
        "Machine share",
        "Machine share over time",
        "People's clicks",
        "Scanners by vendor",
        "Safe Attachments",
        "Campaign bursts",
        "Late crawls",
        "Messages",
    ];
    for (name, more) in [(ANALYTICS_ENGINE, [].as_slice()), (CLICKHOUSE, &["Verified share", "Groups"])] {
        let titles: Vec<_> = queries(&dashboard(name)).into_iter().map(|(title, _)| title).collect();
        for wanted in both.iter().chain(more) {
            assert!(titles.iter().any(|title| title == wanted), "{name} has no panel {wanted}");
        }
        assert!(titles.iter().any(|title| title == "message"), "{name} lets nobody choose messages");
    }
}

#[test]
fn panels_stand_beside_each_other_and_ask_the_source_that_was_chosen() {
    for name in [ANALYTICS_ENGINE, CLICKHOUSE] {
        let dashboard = dashboard(name);
        let mut taken = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for panel in list(&dashboard["panels"]) {
            assert!(ids.insert(panel["id"].as_i64()), "{name}: {} has another's id", panel["title"]);
            let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
            for x in place("x")..place("x") + place("w") {
                assert!(x < 24, "{name}: {} is cut off", panel["title"]);
                for y in place("y")..place("y") + place("h") {
                    assert!(taken.insert((x, y)), "{name}: {} covers another", panel["title"]);
                }
            }
            let targets = list(&panel["targets"]).iter();
            for source in targets.map(|target| &target["datasource"]).chain([&panel["datasource"]]) {
                assert_eq!(source["uid"], "${source}", "{name}: {}", panel["title"]);
            }
        }
    }
}
