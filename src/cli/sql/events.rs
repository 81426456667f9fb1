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
    let (text, integer) = (dialect.text("NULL"), dialect.integer("NULL"));
    format!(
        "\
WITH {events}
),
{ctes},
-- Both beside each other by a sort and not by a join: a planner that takes the steps above for a few rows would loop over them.
cp_sides AS (
  SELECT {event_id} AS event_id, message_id AS of_message, revision AS of_revision, ruleset AS of_ruleset,
    shipped_click_type AS shipped_type, shipped_rule AS shipped_by, shipped_paired_with AS shipped_pair,
    CASE WHEN shipped_is_defender_bot THEN 1 ELSE 0 END AS shipped_bot,
    {text} AS found_type, {text} AS found_by, {text} AS found_pair, 0 AS found_bot
  FROM cp_current
  UNION ALL
  SELECT event_id, {text}, {integer}, {text}, {text}, {text}, {text}, 0,
    click_type, rule, paired_with, CASE WHEN is_defender_bot THEN 1 ELSE 0 END
  FROM cp_judged
),
cp_beside AS (
  SELECT event_id, MAX(of_message) AS message_id, MAX(of_revision) AS revision, MAX(of_ruleset) AS ruleset,
    MAX(shipped_type) AS shipped_click_type, MAX(found_type) AS click_type,
    MAX(shipped_by) AS shipped_rule, MAX(found_by) AS rule,
    MAX(shipped_pair) AS shipped_paired_with, MAX(found_pair) AS paired_with,
    MAX(shipped_bot) AS is_shipped_bot, MAX(found_bot) AS is_found_bot
  FROM cp_sides
  GROUP BY event_id
)
SELECT event_id, message_id, revision, shipped_click_type, click_type, shipped_rule, rule,
  shipped_paired_with, paired_with,
  CASE WHEN is_shipped_bot = 1 THEN TRUE ELSE FALSE END AS shipped_is_defender_bot,
  CASE WHEN is_found_bot = 1 THEN TRUE ELSE FALSE END AS is_defender_bot
FROM cp_beside
WHERE ruleset LIKE 'defender@%' AND rule IS NOT NULL AND (
  COALESCE(shipped_click_type, '') <> COALESCE(click_type, '')
  OR COALESCE(shipped_rule, '') <> rule
  OR COALESCE(shipped_paired_with, '') <> COALESCE(paired_with, '')
  OR is_shipped_bot <> is_found_bot
)",
        event_id = dialect.text("cp_current.event_id"),
    )
}

/// Names, as many a line as fit.
pub(super) fn wrapped(names: &[String]) -> String {
    names.chunks(8).map(|line| line.join(", ")).collect::<Vec<_>>().join(",\n  ")
}
