//! The published decision table (contract §5) as one `SELECT` of window functions. Every window has a total order, frames go
//! by rows, times are whole milliseconds, and nothing is joined with itself: all of it is sorting, in any warehouse.
//!
//! Each step reads the one before it once, because `ClickHouse` computes a CTE anew wherever it is named. No column gets the name
//! of another that its step reads: some dialects would take the one for the other.

use clickproof::verdict::thresholds::SETTINGS;
use clickproof::verdict::{ClickType, Ruleset, Thresholds};

use super::address;
use super::dialect::Dialect;
use super::ranges::Ranges;
use super::referer::is_safelinks;

/// The columns of a record that the table is judged by.
pub(super) const COLUMNS: [&str; 11] = [
    "event_id",
    "message_id",
    "recipient_id",
    "link_id",
    "url",
    "kind",
    "ts_ms",
    "sent_at_ms",
    "delivered_at_ms",
    "ip",
    "referer",
];

const ALL: &str = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";
const SO_FAR: &str = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";

/// Neighbours: the clicks of one recipient on one link.
const LINK: &str = "PARTITION BY is_click, message_id, recipient_id, link ORDER BY ts_ms, event_id";
/// The clicks of one recipient.
const COPY: &str = "PARTITION BY is_click, message_id, recipient_id ORDER BY ts_ms, event_id";
/// The clicks of one recipient on one URL.
const VISITOR: &str = "PARTITION BY is_click, message_id, url, recipient_id ORDER BY ts_ms, event_id";
/// All that happens on one URL; at one time what begins or ends before what is judged.
const URL: &str = "PARTITION BY is_click, message_id, url ORDER BY at_ms, part, event_id";

/// The verdict of every record of `table`: `event_id, click_type, rule, paired_with, is_defender_bot`.
pub(super) fn defender(dialect: Dialect, table: &str, thresholds: &Thresholds, ranges: &Ranges) -> String {
    format!(
        "\
WITH
{}
SELECT event_id, click_type, rule, paired_with, is_defender_bot
FROM cp_judged",
        ctes(dialect, table, thresholds, ranges)
    )
}

/// The rules and what they are set to, as lines of comment.
pub(super) fn provenance(thresholds: &Thresholds, ranges: &Ranges) -> String {
    let mut thresholds = thresholds.clone();
    let settings: Vec<_> = SETTINGS
        .iter()
        .map(|setting| format!("{}={}", setting.name, (setting.slot)(&mut thresholds)))
        .collect();
    format!(
        "-- Ruleset {}: {}\n-- Microsoft's networks: {} ranges of the catalogue as of {}\n",
        Ruleset::Defender.label(),
        settings.join(" "),
        ranges.keys.len(),
        ranges.date,
    )
}

/// The CTEs of which the last, `cp_judged`, has those columns.
pub(super) fn ctes(dialect: Dialect, table: &str, thresholds: &Thresholds, ranges: &Ranges) -> String {
    let addresses = address::ctes(dialect, table, ranges);
    let records = records(dialect, table, thresholds);
    let pairs = pairs(thresholds);
    let bursts = bursts(thresholds);
    let rules = rules(thresholds);
    format!("{addresses}\n{records}\n{pairs}\n{bursts}\n{rules}")
}

/// `cp_clicks`: each record once, and what it shows by itself.
fn records(dialect: Dialect, table: &str, thresholds: &Thresholds) -> String {
    let text = |name: &str| dialect.text(&format!("cp_record.{name}"));
    let integer = |name: &str| dialect.integer(&format!("cp_record.{name}"));
    let [event_id, message_id, recipient_id] = ["event_id", "message_id", "recipient_id"].map(text);
    let [link_id, url, kind, ip, referer] =
        ["link_id", "url", "kind", "ip", "referer"].map(|name| format!("NULLIF({}, '')", text(name)));
    let [ts_ms, sent_at_ms, delivered_at_ms] = ["ts_ms", "sent_at_ms", "delivered_at_ms"].map(integer);
    let is_safelinks = is_safelinks(dialect, "referer");
    let delivery_ms = thresholds.safelinks_delivery_ms;
    format!(
        "\
-- Empty and absent text mean the same.
cp_told AS (
  SELECT {event_id} AS event_id, {message_id} AS message_id,
    {recipient_id} AS recipient_id, {link_id} AS link_id,
    {url} AS url_given, COALESCE({kind}, 'click') AS kind,
    {ts_ms} AS ts_ms, {sent_at_ms} AS sent_at_ms,
    {delivered_at_ms} AS delivered_at_ms,
    {ip} AS ip, {referer} AS referer
  FROM {table} cp_record
),
-- A record that lacks what it needs is no record. A repeated event_id is the same click: what knows the delivery counts.
cp_numbered AS (
  SELECT cp_told.*, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY
      CASE WHEN delivered_at_ms IS NULL THEN 1 ELSE 0 END, delivered_at_ms, ts_ms, sent_at_ms, message_id, recipient_id,
      COALESCE(link_id, ''), COALESCE(url_given, ''), kind, COALESCE(ip, ''), COALESCE(referer, '')) AS telling
  FROM cp_told
  WHERE event_id <> '' AND message_id <> '' AND recipient_id <> '' AND ts_ms IS NOT NULL AND sent_at_ms IS NOT NULL
    AND COALESCE(link_id, url_given) IS NOT NULL
),
-- A click before its clock counts as one at it.
cp_seen AS (
  SELECT event_id, message_id, recipient_id, COALESCE(link_id, url_given) AS link, COALESCE(url_given, link_id) AS url,
    CASE WHEN kind = 'click' THEN 1 ELSE 0 END AS is_click, ts_ms,
    CASE WHEN ts_ms < COALESCE(delivered_at_ms, sent_at_ms) THEN 0
      ELSE ts_ms - COALESCE(delivered_at_ms, sent_at_ms) END AS delta_ms,
    CASE WHEN ip IN (SELECT cp_microsoft.ip FROM cp_microsoft) THEN 1 ELSE 0 END AS is_microsoft,
    CASE WHEN referer IS NULL THEN 0 ELSE 1 END AS has_referer,
    {is_safelinks} AS is_safelinks
  FROM cp_numbered
  WHERE telling = 1
),
cp_clicks AS (
  SELECT cp_seen.*, CASE WHEN is_safelinks = 1 AND delta_ms < {delivery_ms} THEN 1 ELSE 0 END AS is_delivery
  FROM cp_seen
),"
    )
}

/// `cp_pairs`: the neighbours on a link in pairs, going forward, each click in the first that it can join. Of several in a
/// row of which each could join the one before it, every second does.
fn pairs(thresholds: &Thresholds) -> String {
    let Thresholds { sandbox_ms, pair_ms, .. } = thresholds;
    format!(
        "\
cp_near AS (
  SELECT cp_clicks.*,
    ROW_NUMBER() OVER ({LINK}) AS place,
    LAG(ts_ms) OVER ({LINK}) AS before_ms,
    LAG(is_safelinks) OVER ({LINK}) AS before_is_safelinks,
    LAG(is_delivery) OVER ({LINK}) AS before_is_delivery,
    LAG(event_id) OVER ({LINK}) AS event_before,
    LEAD(event_id) OVER ({LINK}) AS event_after,
    SUM(CASE WHEN delta_ms < {sandbox_ms} THEN 1 ELSE 0 END) OVER ({COPY} {ALL}) AS early_clicks,
    LAG(ts_ms) OVER ({VISITOR}) AS visit_before_ms,
    LEAD(ts_ms) OVER ({VISITOR}) AS visit_after_ms
  FROM cp_clicks
),
cp_joining AS (
  SELECT cp_near.*, CASE WHEN ts_ms - before_ms <= {pair_ms} AND is_delivery = 0 AND before_is_delivery = 0
      AND is_safelinks + before_is_safelinks > 0 THEN 1 ELSE 0 END AS joins
  FROM cp_near
),
cp_runs AS (
  SELECT cp_joining.*,
    MOD(place - MAX(CASE WHEN joins = 0 THEN place ELSE 0 END) OVER ({LINK} {SO_FAR}), 2) AS is_second
  FROM cp_joining
),
cp_pairs AS (
  SELECT cp_runs.*, LEAD(is_second) OVER ({LINK}) AS is_first
  FROM cp_runs
),"
    )
}

/// `cp_bursts`: when the last window began, at each click or before it, in which enough recipients clicked its URL. It is
/// enough to look at windows that begin at a click. A recipient is in those that begin within the window's length before one of
/// theirs; times so near that these overlap count once.
fn bursts(thresholds: &Thresholds) -> String {
    let Thresholds { campaign_ms, campaign_recipients, .. } = thresholds;
    format!(
        "\
cp_marks AS (
  SELECT cp_pairs.*, cp_parts.part AS part,
    CASE cp_parts.part WHEN 0 THEN ts_ms - {campaign_ms} WHEN 1 THEN ts_ms + 1 ELSE ts_ms END AS at_ms,
    CASE cp_parts.part WHEN 0 THEN 1 WHEN 1 THEN -1 ELSE 0 END AS step
  FROM cp_pairs
  CROSS JOIN (SELECT 0 AS part UNION ALL SELECT 1 AS part UNION ALL SELECT 2 AS part) cp_parts
  WHERE cp_parts.part = 2
    OR (cp_parts.part = 0 AND (visit_before_ms IS NULL OR ts_ms - visit_before_ms > {campaign_ms}))
    OR (cp_parts.part = 1 AND (visit_after_ms IS NULL OR visit_after_ms - ts_ms > {campaign_ms}))
),
cp_swept AS (
  SELECT cp_marks.*, SUM(step) OVER ({URL} {SO_FAR}) AS recipients
  FROM cp_marks
),
cp_bursts AS (
  SELECT cp_swept.*,
    MAX(CASE WHEN part = 2 AND recipients >= {campaign_recipients} THEN at_ms END) OVER ({URL} {SO_FAR}) AS burst_ms
  FROM cp_swept
),"
    )
}

/// The table itself.
fn rules(thresholds: &Thresholds) -> String {
    let Thresholds { sandbox_ms, sandbox_clicks, campaign_ms, late_ms, .. } = thresholds;
    let human = ClickType::Human.name();
    let delivery = ClickType::ScannerSafelinksDelivery.name();
    let pair = ClickType::ScannerTimeOfClick.name();
    let sandbox = ClickType::ScannerSafeAttachments.name();
    let campaign = ClickType::ScannerCampaignView.name();
    let late = ClickType::ScannerAirOrMbi.name();
    format!(
        "\
cp_ruled AS (
  SELECT event_id, event_before, event_after, is_first, is_second, CASE
      WHEN is_click = 0 THEN 'not_a_click'
      WHEN is_delivery = 1 THEN 'safelinks_delivery'
      WHEN is_first = 1 OR is_second = 1 THEN 'timeofclick_pair'
      WHEN is_microsoft = 1 AND delta_ms < {sandbox_ms} AND early_clicks >= {sandbox_clicks} THEN 'safe_attachments'
      WHEN is_microsoft = 1 AND burst_ms >= ts_ms - {campaign_ms} THEN 'campaign_view'
      WHEN is_microsoft = 1 AND delta_ms > {late_ms} AND has_referer = 0 THEN 'air_or_mbi'
      ELSE 'human' END AS rule
  FROM cp_bursts
  WHERE part = 2
),
cp_typed AS (
  SELECT event_id, rule, CASE rule
      WHEN 'not_a_click' THEN NULL
      WHEN 'safelinks_delivery' THEN '{delivery}'
      WHEN 'timeofclick_pair' THEN CASE WHEN is_second = 1 THEN '{human}' ELSE '{pair}' END
      WHEN 'safe_attachments' THEN '{sandbox}'
      WHEN 'campaign_view' THEN '{campaign}'
      WHEN 'air_or_mbi' THEN '{late}'
      ELSE '{human}' END AS click_type,
    CASE WHEN rule = 'timeofclick_pair' THEN CASE WHEN is_second = 1 THEN event_before ELSE event_after END END
      AS paired_with
  FROM cp_ruled
),
cp_judged AS (
  SELECT cp_typed.*, CASE WHEN click_type <> '{human}' THEN TRUE ELSE FALSE END AS is_defender_bot
  FROM cp_typed
)"
    )
}
