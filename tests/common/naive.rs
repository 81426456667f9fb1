//! The published table (contract §5) as a naive model: every click looks at every other click, in words that follow
//! the contract's.

use clickproof::record::Record;
use clickproof::verdict::Thresholds;

/// What the model says: click type, rule, and the other half of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub click_type: &'static str,
    pub rule: &'static str,
    pub paired_with: Option<String>,
}

fn safe_links(record: &Record) -> bool {
    let Some(host) = record.referer.as_deref().and_then(|referer| url::Url::parse(referer).ok()) else {
        return false;
    };
    let Some(host) = host.host_str() else { return false };
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    host == "safelinks.protection.outlook.com" || host.ends_with(".safelinks.protection.outlook.com")
}

/// The three networks that the contract names; the tests keep to addresses that no other entry of the catalogue holds.
fn microsoft(record: &Record) -> bool {
    let Some(ip) = record.ip.as_deref().and_then(|ip| ip.parse::<std::net::IpAddr>().ok()) else {
        return false;
    };
    let ip = ip.to_canonical();
    ["40.92.0.0/16", "52.96.0.0/12", "2a01:111::/32"]
        .iter()
        .any(|net| net.parse::<ipnet::IpNet>().unwrap().contains(&ip))
}

fn delta(record: &Record) -> i64 {
    (record.ts_ms - record.delivered_at_ms.unwrap_or(record.sent_at_ms)).max(0)
}

fn link(record: &Record) -> &str {
    record.link_id.as_deref().or(record.url.as_deref()).unwrap()
}

fn url(record: &Record) -> &str {
    record.url.as_deref().or(record.link_id.as_deref()).unwrap()
}

fn order(record: &Record) -> (i64, &str) {
    (record.ts_ms, &record.event_id)
}

fn rule_1(record: &Record, t: &Thresholds) -> bool {
    safe_links(record) && delta(record) < t.safelinks_delivery_ms
}

/// The pairs of x's (recipient, link), going forward.
fn pair<'a>(x: &Record, history: &'a [Record], t: &Thresholds) -> Option<(&'a Record, bool)> {
    let mut all: Vec<&Record> =
        history.iter().filter(|y| y.recipient_id == x.recipient_id && link(y) == link(x)).collect();
    all.sort_by_key(|y| order(y));
    let mut taken = vec![false; all.len()];
    let mut found = None;
    for at in 1..all.len() {
        let (a, b) = (all[at - 1], all[at]);
        let joins = !taken[at - 1]
            && b.ts_ms - a.ts_ms <= t.pair_ms
            && !rule_1(a, t)
            && !rule_1(b, t)
            && (safe_links(a) || safe_links(b));
        if joins {
            taken[at - 1] = true;
            taken[at] = true;
            if a.event_id == x.event_id {
                found = Some((b, true));
            }
            if b.event_id == x.event_id {
                found = Some((a, false));
            }
        }
    }
    found
}

/// Judges x on the whole history of its message, which holds x.
pub fn judge(x: &Record, history: &[Record], t: &Thresholds) -> Said {
    let said = |click_type, rule| Said { click_type, rule, paired_with: None };
    if rule_1(x, t) {
        return said("scanner_safelinks_delivery", "safelinks_delivery");
    }
    if let Some((other, earlier)) = pair(x, history, t) {
        let click_type = if earlier { "scanner_timeofclick" } else { "human" };
        return Said { click_type, rule: "timeofclick_pair", paired_with: Some(other.event_id.clone()) };
    }
    let early = |y: &&Record| y.recipient_id == x.recipient_id && delta(y) < t.sandbox_ms;
    if microsoft(x)
        && delta(x) < t.sandbox_ms
        && history.iter().filter(early).count() as i64 >= t.sandbox_clicks
    {
        return said("scanner_safe_attachments", "safe_attachments");
    }
    let burst = |first: &Record| {
        let end = first.ts_ms + t.campaign_ms;
        let recipients: std::collections::BTreeSet<&str> = history
            .iter()
            .filter(|y| url(y) == url(x) && (first.ts_ms..=end).contains(&y.ts_ms))
            .map(|y| y.recipient_id.as_str())
            .collect();
        url(first) == url(x)
            && (first.ts_ms..=end).contains(&x.ts_ms)
            && recipients.len() as i64 >= t.campaign_recipients
    };
    if microsoft(x) && history.iter().any(burst) {
        return said("scanner_campaign_view", "campaign_view");
    }
    if microsoft(x) && delta(x) > t.late_ms && x.referer.is_none() {
        return said("scanner_air_or_mbi", "air_or_mbi");
    }
    said("human", "human")
}

/// Judges x on what came up to it.
pub fn look_back(x: &Record, history: &[Record], t: &Thresholds) -> Said {
    let past: Vec<Record> = history.iter().filter(|y| order(y) <= order(x)).cloned().collect();
    judge(x, &past, t)
}
