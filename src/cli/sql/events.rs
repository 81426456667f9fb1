//! What is asked of the table of shipped events: each event's last revision, people's clicks, and whether what was shipped
//! is what the table of rules says.

use clickproof::event::schema::FIELDS;
use clickproof::verdict::{ClickType, Thresholds};

use super::core;
use super::dialect::Dialect;
use super::ranges::Ranges;

/// An hour, milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// The order in which revisions of one event stand, the newest first: together with the event's id a revision is the key, so
/// equal ones are the same line.
const NEWEST: &str = "ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY revision DESC)";

/// The highest revision of each event.
pub(super) fn current(dialect: Dialect, table: &str) -> String {
    match dialect {
        Dialect::Postgres => {
            format!("SELECT DISTINCT ON (event_id) *\nFROM {table}\nORDER BY event_id, revision DESC")
        }
        // What there is without a QUALIFY, which PostgreSQL, where this text is tried, has not.
        Dialect::Redshift => {
            let names: Vec<_> = FIELDS.iter().map(|field| dialect.quoted(field.name)).collect();
            let names = wrapped(&names);
            format!(
                "\
SELECT {names}
FROM (
  SELECT cp_event.*, {NEWEST} AS cp_newest
  FROM {table} cp_event
) cp_events
WHERE cp_newest = 1"
            )
        }
        _ => format!("SELECT *\nFROM {table}\nQUALIFY {NEWEST} = 1"),
    }
}

/// Some columns of the highest revisions, as a CTE; more conditions may follow.
fn newest(table: &str, columns: &str) -> String {
    format!(
        "\
cp_current AS (
  SELECT {columns}
  FROM (
    SELECT cp_event.*, {NEWEST} AS cp_newest
    FROM {table} cp_event
  ) cp_revisions
  WHERE cp_newest = 1"
    )
}

/// People's clicks, and all, by message, link, group and hour.
pub(super) fn report(dialect: Dialect, table: &str) -> String {
    let group = dialect.quoted("group");
    let human = ClickType::Human.name();
    let events = newest(
        table,
        &format!(
            "message_id, COALESCE(link_id, url) AS link_key, url AS any_url, {group} AS group_key, recipient_id,\n    \
             click_type, is_defender_bot, ts_ms - MOD(ts_ms, {HOUR_MS}) AS begin_ms"
        ),
    );
    let moment = dialect.moment("begin_ms");
    format!(
        "\
WITH {events} AND kind = 'click'
)
SELECT message_id, link_key AS link_id, MIN(any_url) AS url, group_key AS {group},
  begin_ms AS hour_ms, {moment} AS hour_utc,
  COUNT(*) AS clicks,
  SUM(CASE WHEN click_type = '{human}' THEN 1 ELSE 0 END) AS human_clicks,
  COUNT(DISTINCT CASE WHEN click_type = '{human}' THEN recipient_id END) AS human_recipients,
  SUM(CASE WHEN is_defender_bot THEN 1 ELSE 0 END) AS defender_bot_clicks
FROM cp_current
GROUP BY message_id, link_key, group_key, begin_ms"
    )
}

/// The events that were shipped with a verdict of the ruleset `defender` other than the one that is found now.
pub(super) fn check(dialect: Dialect, table: &str, thresholds: &Thresholds, ranges: &Ranges) -> String {
    let columns = format!(
        "\
{}, revision, ruleset,
    click_type AS shipped_click_type, rule AS shipped_rule, paired_with AS shipped_paired_with,
    is_defender_bot AS shipped_is_defender_bot",
        core::COLUMNS.join(", ")
    );
    let events = newest(table, &columns);
    let ctes = core::ctes(dialect, "cp_current", thresholds, ranges);
    let flag = |column: &str| format!("CASE WHEN {column} THEN 1 ELSE 0 END");
    let (shipped, found) = (flag("shipped_is_defender_bot"), flag("is_defender_bot"));
    format!(
        "\
WITH {events}
),
{ctes}
SELECT cp_current.event_id AS event_id, message_id, revision,
  shipped_click_type, click_type, shipped_rule, rule, shipped_paired_with, paired_with,
  shipped_is_defender_bot, is_defender_bot
FROM cp_current
JOIN cp_judged ON cp_judged.event_id = {event_id}
WHERE ruleset LIKE 'defender@%' AND (
  COALESCE(shipped_click_type, '') <> COALESCE(click_type, '')
  OR COALESCE(shipped_rule, '') <> rule
  OR COALESCE(shipped_paired_with, '') <> COALESCE(paired_with, '')
  OR {shipped} <> {found}
)",
        event_id = dialect.text("cp_current.event_id"),
    )
}

/// Names, as many a line as fit.
pub(super) fn wrapped(names: &[String]) -> String {
    names.chunks(8).map(|line| line.join(", ")).collect::<Vec<_>>().join(",\n  ")
}
