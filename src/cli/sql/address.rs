//! Which addresses are Microsoft's: they are read as `signals::catalogue::parse_ip` reads them, without a type for
//! addresses, which only some warehouses have and each reads in its own way.

use super::dialect::Dialect;
use super::ranges::Ranges;

/// A group of an IPv6 address.
const GROUP: &str = "[0-9a-fA-F][0-9a-fA-F]?[0-9a-fA-F]?[0-9a-fA-F]?";

/// A byte of an IPv4 address: leading zeros make it unreadable.
const BYTE: &str = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

const DIGITS: &str = "'0123456789abcdef'";

/// The CTEs of which the last, `cp_microsoft`, has the column `ip`: the addresses of `table` that are Microsoft's.
pub(super) fn ctes(dialect: Dialect, table: &str, ranges: &Ranges) -> String {
    let dotted = format!("{BYTE}[.]{BYTE}[.]{BYTE}[.]{BYTE}");
    // Colons are counted below.
    let spelling = format!("^(({GROUP}([:]{GROUP})*)?[:][:])?(({GROUP}[:])*({GROUP}|{dotted}))?$");
    let colons = |text: &str| format!("LENGTH({text}) - LENGTH(REPLACE({text}, ':', ''))");
    let ip = dialect.text("cp_source.ip");
    let is_spelt = dialect.matches("ip", &spelling);
    let tail = dialect.part("ip", ':', &format!("{} + 1", colons("ip")));
    let is_dotted = dialect.matches("tail", &format!("^{dotted}$"));
    let colons = colons("words");
    let quad = (1..=4).map(|number| hex(dialect, number)).collect::<Vec<_>>().join("\n      || ");
    let group = |number: u8| format!("LPAD({}, 4, '0')", dialect.part("all_words", ':', &number.to_string()));
    let groups = |numbers: std::ops::RangeInclusive<u8>| numbers.map(group).collect::<Vec<_>>().join(" || ");
    let (upper, middle, lower) = (groups(1..=4), groups(5..=6), groups(7..=8));
    let rows = dialect.rows(["first_key", "last_key"], &ranges.keys);
    format!(
        "\
-- Addresses, each once. What is spelt like none is in no network.
cp_addresses AS (
  SELECT DISTINCT ip, {tail} AS tail
  FROM (SELECT {ip} AS ip FROM {table} cp_source) cp_given
  WHERE {is_spelt}
),
-- An IPv6 address may end in an IPv4 address: two groups, whose numbers `quad` keeps.
cp_spelt AS (
  SELECT ip, COALESCE(dotted, '0.0.0.0') AS quad, CASE WHEN dotted = ip THEN 1 ELSE 0 END AS is_v4,
    CASE WHEN dotted IS NULL THEN 0 ELSE 1 END AS is_dotted,
    LOWER(CASE WHEN dotted IS NULL THEN ip ELSE SUBSTR(ip, 1, LENGTH(ip) - LENGTH(dotted)) || '0:0' END) AS words
  FROM (SELECT ip, CASE WHEN {is_dotted} THEN tail END AS dotted FROM cp_addresses) cp_tails
),
-- How many groups `::` stands for: one at least.
cp_counted AS (
  SELECT ip, quad, is_v4, is_dotted, words, {colons} AS colons,
    CASE WHEN words LIKE '%::%' THEN 8 - ({colons})
      + CASE WHEN words LIKE '::%' THEN 1 ELSE 0 END + CASE WHEN words LIKE '%::' THEN 1 ELSE 0 END
      ELSE 0 END AS missing
  FROM cp_spelt
),
cp_groups AS (
  SELECT ip, is_v4, is_dotted,
    {quad} AS digits,
    SUBSTR(REPLACE(words, '::', ':' || SUBSTR('0:0:0:0:0:0:0:0:', 1, 2 * missing)),
      CASE WHEN words LIKE '::%' THEN 2 ELSE 1 END) AS all_words
  FROM cp_counted
  WHERE is_v4 = 1 OR missing >= 1 OR (words NOT LIKE '%::%' AND colons = 7)
),
cp_halves AS (
  SELECT ip, is_v4, is_dotted, digits, {upper} AS high,
    {middle} AS middle, {lower} AS low
  FROM cp_groups
),
-- An address as hexadecimal digits: all eight of IPv4, an IPv4-mapped address too, of IPv6 the first sixteen.
cp_keys AS (
  SELECT ip, CASE
      WHEN is_v4 = 1 THEN digits
      WHEN high || middle = '00000000000000000000ffff' THEN CASE WHEN is_dotted = 1 THEN digits ELSE low END
      ELSE high END AS address_key
  FROM cp_halves
),
cp_ranges AS (
  SELECT first_key, last_key, SUBSTR(first_key, 1, CASE WHEN LENGTH(first_key) = 8 THEN 4 ELSE 8 END) AS bucket
  FROM {rows}
),
cp_microsoft AS (
  SELECT cp_keyed.ip AS ip
  FROM (
    SELECT ip, address_key, SUBSTR(address_key, 1, CASE WHEN LENGTH(address_key) = 8 THEN 4 ELSE 8 END) AS bucket
    FROM cp_keys
  ) cp_keyed
  JOIN cp_ranges ON cp_ranges.bucket = cp_keyed.bucket
  WHERE cp_keyed.address_key >= cp_ranges.first_key AND cp_keyed.address_key <= cp_ranges.last_key
),"
    )
}

/// The two digits of a byte of `quad`.
fn hex(dialect: Dialect, number: u8) -> String {
    let byte = dialect.place(&dialect.part("quad", '.', &number.to_string()));
    let high = dialect.place(&format!("FLOOR({byte} / 16)"));
    format!("SUBSTR({DIGITS}, {high} + 1, 1) || SUBSTR({DIGITS}, MOD({byte}, 16) + 1, 1)")
}
