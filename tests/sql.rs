//! `clickproof sql` as people run it: what it prints in six dialects, what it refuses, and the rules that keep a text that
//! cannot be tried here (Snowflake's, Redshift's) within what those warehouses document. That the texts say what `classify` says is
//! shown on real engines, in tests/sql.

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Output;
use std::{env, fs, process};

use common::command::{self, stderr};

const DIALECTS: [&str; 6] = ["duckdb", "clickhouse", "postgres", "bigquery", "snowflake", "redshift"];
const SELECTS: [&str; 4] = ["current", "defender", "report", "check"];

fn run(args: &[&str]) -> Output {
    command::run(&[&["sql"], args].concat(), "")
}

fn print(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The text without its comments and what stands in quotes.
fn bare(text: &str) -> String {
    let text: String = text.lines().map(|line| line.split("--").next().unwrap().to_owned() + "\n").collect();
    text.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

/// What stands in single quotes.
fn quoted(text: &str) -> Vec<String> {
    let text: String =
        text.lines().filter(|line| !line.starts_with("--")).map(|line| line.to_owned() + "\n").collect();
    text.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The names that stand before a bracket, in capitals, but for words of the language.
fn functions(bare: &str) -> BTreeSet<String> {
    const WORDS: [&str; 17] = [
        "AND", "AS", "BY", "CASE", "COLLATE", "ELSE", "EXISTS", "FROM", "IN", "JOIN", "ON", "OR", "OVER",
        "SELECT", "THEN", "VALUES", "WHEN",
    ];
    let mut names = BTreeSet::new();
    for (at, _) in bare.match_indices('(') {
        let before = bare[..at].trim_end();
        let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        let name = before[start..].to_ascii_uppercase();
        // A CTE or a subquery with names for its columns.
        if !name.is_empty() && !name.starts_with("CP_") && !WORDS.contains(&name.as_str()) {
            names.insert(name);
        }
    }
    names
}

#[test]
fn every_part_is_printed_alike_twice_and_says_what_it_is() {
    for dialect in DIALECTS {
        for part in ["source", "current", "defender", "report", "compact", "check"] {
            let args = ["--dialect", dialect, "--part", part, "--table", "lake.events"];
            let text = print(&args);
            assert_eq!(text, print(&args), "{args:?}");
            assert!(
                text.starts_with(&format!("-- clickproof {}: {part}, for ", env!("CARGO_PKG_VERSION"))),
                "{text}"
            );
            assert!(text.contains("lake.events"), "{args:?}");
            assert_eq!(
                text.contains(';'),
                !SELECTS.contains(&part),
                "a SELECT stands behind CREATE VIEW, or in brackets"
            );
        }
        assert_eq!(print(&["--dialect", dialect]), print(&["--dialect", dialect, "--part", "defender"]));
    }
}

#[test]
fn the_windows_and_counts_of_classify_stand_in_the_text() {
    let text = print(&[
        "--dialect",
        "postgres",
        "--pair-ms",
        "777",
        "--sandbox-ms",
        "12345",
        "--sandbox-clicks",
        "6",
        "--campaign-ms",
        "54321",
        "--campaign-recipients",
        "17",
        "--late-ms",
        "7654321",
        "--safelinks-delivery-ms",
        "4321",
    ]);
    let settings = "SAFELINKS_DELIVERY_MS=4321 PAIR_MS=777 SANDBOX_MS=12345 SANDBOX_CLICKS=6 CAMPAIGN_MS=54321 \
                    CAMPAIGN_RECIPIENTS=17 LATE_MS=7654321";
    assert!(text.contains(settings), "{text}");
    let bare = bare(&text);
    for number in ["<= 777 ", "< 12345 ", ">= 6 ", "> 54321)", ">= 17 ", "> 7654321 ", "< 4321 "] {
        assert!(bare.contains(number), "{number}");
    }
    for default in ["500", "60000", "5000", "3600000", ">= 30", ">= 5"] {
        assert!(!bare.contains(&format!("{default} ")), "{default}");
    }
}

#[test]
fn every_window_has_a_total_order_and_a_frame_of_rows() {
    for dialect in DIALECTS {
        for part in SELECTS {
            let text = bare(&print(&["--dialect", dialect, "--part", part]));
            assert!(!text.contains("RANGE "), "{dialect} {part}");
            for (at, _) in text.match_indices("OVER (") {
                let window = text[at..].split_once("PARTITION BY").unwrap().1;
                // Up to the bracket that closes it.
                let mut open = 1;
                let end = window.find(|c| {
                    open += match c {
                        '(' => 1,
                        ')' => -1,
                        _ => 0,
                    };
                    open == 0
                });
                let window = window[..end.unwrap()].split(" ROWS ").next().unwrap();
                let (by, order) = window.split_once("ORDER BY").unwrap();
                let is_total = order.ends_with("event_id")
                    // Of one event a revision is there once; or all that it is judged by is the same.
                    || by.trim() == "event_id" && (order.ends_with("revision DESC") || order.contains("referer"));
                assert!(is_total, "{dialect} {part}: {window}");
                let function = text[..at].trim_end().rsplit_once('(').map_or("", |(before, _)| before);
                let function =
                    function.rsplit(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty());
                let frame =
                    text[at..].split_once(')').unwrap().0.contains(" ROWS BETWEEN UNBOUNDED PRECEDING AND ");
                let has_none = matches!(function, Some("LAG" | "LEAD" | "NUMBER"));
                assert_eq!(frame, !has_none, "{dialect} {part}: {function:?} {window}");
            }
        }
    }
}

#[test]
fn patterns_are_read_alike_everywhere() {
    for dialect in DIALECTS {
        for part in ["defender", "check"] {
            for pattern in quoted(&print(&["--dialect", dialect, "--part", part]))
                .iter()
                .filter(|it| it.starts_with('^'))
            {
                // Snowflake and Redshift take backslashes out of a literal; counts in braces are not everybody's.
                let odd = ["\\", "(?", "{1", "[[:", "'"].iter().find(|odd| pattern.contains(**odd));
                assert_eq!(odd, None, "{dialect}: {pattern}");
                // Clients take these for parameters.
                let is_parameter = |at: usize| {
                    pattern[at + 1..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                };
                assert!(!pattern.match_indices(':').any(|(at, _)| is_parameter(at)), "{dialect}: {pattern}");
            }
        }
    }
}

/// What each warehouse documents, read on 2026-11-28.
#[test]
fn only_functions_that_a_warehouse_has_are_called() {
    let common = [
        "CAST",
        "COALESCE",
        "COUNT",
        "FLOOR",
        "LAG",
        "LEAD",
        "LENGTH",
        "LOWER",
        "LPAD",
        "MAX",
        "MIN",
        "MOD",
        "NULLIF",
        "REPLACE",
        "ROW_NUMBER",
        "SUBSTR",
        "SUM",
    ];
    for (dialect, own) in [
        ("redshift", &["CHR", "SPLIT_PART", "VARCHAR"][..]),
        ("snowflake", &["CHR", "SPLIT_PART", "REGEXP_INSTR", "TO_TIMESTAMP_NTZ"]),
        ("bigquery", &["CHR", "SPLIT", "REGEXP_CONTAINS", "TIMESTAMP_MILLIS", "UNNEST", "SAFE_OFFSET"]),
        ("postgres", &["CHR", "SPLIT_PART", "TO_TIMESTAMP"]),
        ("duckdb", &["CHR", "SPLIT_PART", "REGEXP_MATCHES", "EPOCH_MS"]),
        ("clickhouse", &["CHAR", "SPLITBYCHAR", "MATCH", "NULLABLE", "FROMUNIXTIMESTAMP64MILLI"]),
    ] {
        for part in SELECTS {
            let text = bare(&print(&["--dialect", dialect, "--part", part]));
            let strange: Vec<_> = functions(&text)
                .into_iter()
                .filter(|name| !common.contains(&name.as_str()) && !own.contains(&name.as_str()))
                // The names of the columns of rows.
                .filter(|name| name != "DISTINCT")
                .collect();
            assert_eq!(strange, Vec::<String>::new(), "{dialect} {part}");
            let has_qualify = text.contains("QUALIFY");
            assert_eq!(
                has_qualify,
                part == "current" && !matches!(dialect, "postgres" | "redshift"),
                "{dialect} {part}"
            );
            if dialect == "redshift" {
                assert!(!text.contains("VALUES") && !text.contains("COLLATE"), "{part}");
            }
        }
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_the_remedy() {
    for (args, words) in [
        (&["--part", "current"][..], "--dialect"),
        (&["--dialect", "oracle"], "bigquery"),
        (&["--dialect", "duckdb", "--part", "all"], "defender"),
        (&["--dialect", "duckdb", "--table", " "], "name the table"),
        (&["--dialect", "duckdb", "--table", "a; DROP TABLE b"], "without `;`"),
        (&["--dialect", "duckdb", "--table", "a --"], "without `;`"),
        (&["--dialect", "duckdb", "--pair-ms", "-1"], "from 0 to 60000"),
        (&["--dialect", "duckdb", "--dbt", "x", "--part", "check"], "--part"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
}

/// A folder of this test's own, gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn of(name: &str) -> Self {
        Self(env::temp_dir().join(format!("clickproof-{}-{name}", process::id())))
    }

    fn texts(&self) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for below in ["", "models", "models/staging"] {
            for entry in fs::read_dir(self.0.join(below)).unwrap().map(Result::unwrap) {
                if entry.path().is_file() {
                    let name = entry.path().strip_prefix(&self.0).unwrap().display().to_string();
                    texts.push((name, fs::read_to_string(entry.path()).unwrap()));
                }
            }
        }
        texts.sort();
        texts
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_dbt_project_has_its_models_and_their_tests() {
    let folder = Folder::of("dbt");
    let args = ["--dialect", "snowflake", "--dbt", folder.0.to_str().unwrap()];
    assert_eq!(print(&args), "");
    let texts = folder.texts();
    let names: Vec<_> = texts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "dbt_project.yml",
            "models/clickproof__clicks.sql",
            "models/clickproof__defender.sql",
            "models/clickproof__links.sql",
            "models/clickproof__messages.sql",
            "models/schema.yml",
            "models/staging/stg_clickproof__events.sql",
        ]
    );
    for (name, text) in &texts {
        assert!(text.lines().next().unwrap().contains("clickproof sql --dbt"), "{name}");
        assert!(name.contains(".yml") || !text.contains(';'), "{name}: dbt wraps a model");
    }
    let schema = &texts[5].1;
    for words in ["unique, not_null", "accepted_values", "scanner_campaign_view", "human"] {
        assert!(schema.contains(words), "{words}");
    }

    // Its own files are written anew; what somebody else wrote stands, and so does all beside it.
    fs::write(folder.0.join("dbt_project.yml"), "# clickproof sql --dbt\nold").unwrap();
    print(&args);
    assert_eq!(folder.texts(), texts);
    fs::write(folder.0.join("models/schema.yml"), "version: 2\n").unwrap();
    fs::remove_file(folder.0.join("dbt_project.yml")).unwrap();
    let output = run(&args);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("schema.yml: it is not of this command"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(folder.0.join("models/schema.yml")).unwrap(), "version: 2\n");
    assert!(!folder.0.join("dbt_project.yml").exists(), "nothing is written");
}
