//! `--dbt`: the same SQL as models of a dbt project, with the tests of their columns.
//!
//! Names follow what dbt's packages do: `stg_<source>__<table>` for what is read, `<source>__<model>` for what is made.

use std::fs;
use std::path::Path;

use clickproof::verdict::{ClickType, Confidence, Thresholds};

use super::core;
use super::dialect::Dialect;
use super::events;
use super::ranges::Ranges;
use crate::stop::Stop;

/// Stands in the first line of every file; one without it is somebody's own.
const MARK: &str = "clickproof sql --dbt";

/// What the staged events are called in a model.
const STAGED: &str = "{{ ref('stg_clickproof__events') }}";

/// What the table of events is called.
const EVENTS: &str = "{{ source('clickproof', 'clickproof_events') }}";

/// Writes the project, or nothing where it would overwrite what it did not write.
pub(super) fn write(
    folder: &Path,
    dialect: Dialect,
    thresholds: &Thresholds,
    ranges: &Ranges,
) -> Result<(), Stop> {
    let files = files(dialect, thresholds, ranges);
    for (name, _) in &files {
        let path = folder.join(name);
        match fs::read_to_string(&path) {
            Ok(text) if !text.lines().next().unwrap_or_default().contains(MARK) => {
                return Err(refused(&path, &"it is not of this command: move it, or name another folder"));
            }
            Err(error) if path.exists() => return Err(refused(&path, &error)),
            _ => {}
        }
    }
    for (name, text) in &files {
        let path = folder.join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.map_err(|error| refused(&path, &error))?;
    }
    Ok(())
}

fn refused(path: &Path, problem: &dyn std::fmt::Display) -> Stop {
    Stop::Refused(format!("--dbt {}: {problem}", path.display()))
}

/// The names and texts of the files.
fn files(dialect: Dialect, thresholds: &Thresholds, ranges: &Ranges) -> Vec<(&'static str, String)> {
    let model = |text: &str| format!("-- {MARK} --dialect {}\n{text}\n", dialect.name());
    let yaml = |text: &str| format!("# {MARK} --dialect {}\n{text}", dialect.name());
    let defender =
        core::provenance(thresholds, ranges) + &core::defender(dialect, STAGED, thresholds, ranges);
    vec![
        ("dbt_project.yml", yaml(PROJECT)),
        ("models/staging/stg_clickproof__events.sql", model(&events::current(dialect, EVENTS))),
        ("models/clickproof__clicks.sql", model(&clicks(dialect))),
        ("models/clickproof__messages.sql", model(&messages())),
        ("models/clickproof__links.sql", model(&links())),
        ("models/clickproof__defender.sql", model(&defender)),
        ("models/schema.yml", yaml(&schema())),
    ]
}

const PROJECT: &str = "\
name: clickproof
version: '1.0.0'
profile: clickproof
model-paths: [models]
models:
  clickproof:
    +materialized: view
vars:
  # Where the table that `clickproof sql --part source` made is.
  clickproof_schema: clickproof
";

/// Each click by its last verdict.
fn clicks(dialect: Dialect) -> String {
    let moment = dialect.moment("ts_ms");
    let group = dialect.quoted("group");
    format!(
        "\
SELECT event_id, message_id, recipient_id, COALESCE(link_id, url) AS link_id, url, {group} AS list_group,
  ts_ms, {moment} AS clicked_at,
  CASE WHEN ts_ms < COALESCE(delivered_at_ms, sent_at_ms) THEN 0
    ELSE ts_ms - COALESCE(delivered_at_ms, sent_at_ms) END AS delta_ms,
  click_type, is_bot, is_defender_bot, vendor, confidence, rule, paired_with, verified, ruleset, revision
FROM {STAGED}
WHERE event = 'click'"
    )
}

/// The counts that messages and links share.
fn counts() -> String {
    let human = ClickType::Human.name();
    format!(
        "\
COUNT(*) AS clicks,
  COUNT(DISTINCT recipient_id) AS recipients,
  SUM(CASE WHEN click_type = '{human}' THEN 1 ELSE 0 END) AS human_clicks,
  COUNT(DISTINCT CASE WHEN click_type = '{human}' THEN recipient_id END) AS human_recipients,
  SUM(CASE WHEN is_bot THEN 1 ELSE 0 END) AS bot_clicks,
  SUM(CASE WHEN is_defender_bot THEN 1 ELSE 0 END) AS defender_bot_clicks,
  MIN(ts_ms) AS first_ms,
  MAX(ts_ms) AS last_ms"
    )
}

fn messages() -> String {
    format!(
        "SELECT message_id,\n  {}\nFROM {{{{ ref('clickproof__clicks') }}}}\nGROUP BY message_id",
        counts()
    )
}

fn links() -> String {
    format!(
        "SELECT message_id, link_id, MIN(url) AS any_url,\n  {}\nFROM {{{{ ref('clickproof__clicks') }}}}\n\
         GROUP BY message_id, link_id",
        counts()
    )
}

fn schema() -> String {
    let words = |words: &[&str]| words.join(", ");
    let click_types = words(&ClickType::ALL.map(ClickType::name));
    let confidences = words(&Confidence::ALL.map(Confidence::name));
    let scanners: Vec<_> =
        ClickType::ALL.into_iter().filter(|of| of.is_defender_bot()).map(ClickType::name).collect();
    let table = words(&[&[ClickType::Human.name()], scanners.as_slice()].concat());
    format!(
        "\
version: 2
sources:
  - name: clickproof
    schema: \"{{{{ var('clickproof_schema') }}}}\"
    tables:
      - name: clickproof_events
models:
  - name: stg_clickproof__events
    description: Each event's highest revision.
    columns:
      - {{name: event_id, data_tests: [unique, not_null]}}
      - {{name: event, data_tests: [not_null]}}
      - {{name: revision, data_tests: [not_null]}}
  - name: clickproof__clicks
    description: Each click with its last verdict. Judge the event first, deduplicate after.
    columns:
      - {{name: event_id, data_tests: [unique, not_null]}}
      - {{name: message_id, data_tests: [not_null]}}
      - {{name: recipient_id, data_tests: [not_null]}}
      - name: click_type
        data_tests: [not_null, {{accepted_values: {{arguments: {{values: [{click_types}]}}}}}}]
      - name: confidence
        data_tests: [{{accepted_values: {{arguments: {{values: [{confidences}]}}}}}}]
  - name: clickproof__messages
    description: Clicks of each message, people's beside all.
    columns:
      - {{name: message_id, data_tests: [unique, not_null]}}
  - name: clickproof__links
    description: Clicks of each link of each message, people's beside all.
    columns:
      - {{name: message_id, data_tests: [not_null]}}
      - {{name: link_id, data_tests: [not_null]}}
  - name: clickproof__defender
    description: The published table of Defender's click patterns, recomputed; what is no click has no type.
    columns:
      - {{name: event_id, data_tests: [unique, not_null]}}
      - name: click_type
        data_tests: [{{accepted_values: {{arguments: {{values: [{table}]}}}}}}]
      - {{name: rule, data_tests: [not_null]}}
"
    )
}
