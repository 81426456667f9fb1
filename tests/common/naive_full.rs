//! What ruleset `full` sees around a click, a second time and as plainly as it can be: every click looks at every window
//! of every shape. The numbers are written down again, so that a changed one is noticed.

use std::collections::BTreeSet;
use std::net::IpAddr;

use clickproof::record::Record;
use clickproof::verdict::convictions::Carried;
use clickproof::verdict::{ClickType, Confidence, Finding};

/// Within so many milliseconds, so many different ones: so many points.
type Shape = (i64, usize, i32);

const FAST_SWEEPS: [Shape; 7] =
    [(100, 2, 10), (250, 2, 6), (300, 3, 16), (1_000, 5, 20), (1_000, 3, 12), (1_500, 4, 16), (3_000, 5, 16)];
const SLOW_SWEEPS: [Shape; 5] =
    [(10_000, 8, 18), (10_000, 6, 13), (10_000, 5, 12), (10_000, 4, 6), (60_000, 8, 6)];
const FAN_OUTS: [Shape; 4] = [(10_000, 30, 20), (10_000, 5, 8), (60_000, 20, 15), (60_000, 10, 11)];
const WHOLE_COPY: i32 = 3;
/// A fast sweep of so many points is left out of the slow ones of others.
const CLAIMED: i32 = 12;

fn order(record: &Record) -> (i64, &str) {
    (record.ts_ms, &record.event_id)
}

fn link(record: &Record) -> &str {
    record.link_id.as_deref().or(record.url.as_deref()).unwrap()
}

/// The best shape's points for x, over all windows among these clicks that hold it; looking back, those that end with it.
fn best(
    x: &Record,
    among: &[&Record],
    shapes: &[Shape],
    back: bool,
    what: fn(&Record) -> &str,
    total: Option<i64>,
) -> i32 {
    let mut points = 0;
    for (within_ms, count, worth) in shapes {
        for first in among {
            let inside = |y: &&&Record| {
                (first.ts_ms..=first.ts_ms + within_ms).contains(&y.ts_ms) && (!back || order(y) <= order(x))
            };
            if !inside(&&x) {
                continue;
            }
            let different: BTreeSet<&str> = among.iter().filter(inside).map(|y| what(y)).collect();
            if different.len() >= *count {
                let whole = total
                    .is_some_and(|total| total > 1 && different.len() >= usize::try_from(total).unwrap());
                points = points.max(worth + if whole { WHOLE_COPY } else { 0 });
            }
        }
    }
    points
}

/// The points of x's sweep. Every click of a copy tells the same number of links.
pub fn sweep_points(x: &Record, history: &[Record], back: bool) -> i32 {
    let copy: Vec<&Record> = history.iter().filter(|y| y.recipient_id == x.recipient_id).collect();
    let fast = |y: &Record| best(y, &copy, &FAST_SWEEPS, back, link, y.links_total);
    let left: Vec<&Record> = copy.iter().copied().filter(|y| fast(y) < CLAIMED).collect();
    // Beside a fast sweep nobody is counted with it; inside of it everybody is.
    let among = if fast(x) < CLAIMED { &left } else { &copy };
    let slow = best(x, among, &SLOW_SWEEPS, back, link, x.links_total);
    fast(x).max(slow)
}

/// The points of x's fan-out.
pub fn fanout_points(x: &Record, history: &[Record], back: bool) -> i32 {
    let Some(group) = group(x) else { return 0 };
    let of_it: Vec<&Record> = history.iter().filter(|y| self::group(y).as_ref() == Some(&group)).collect();
    best(x, &of_it, &FAN_OUTS, back, |y| &y.recipient_id, None)
}

fn address(record: &Record) -> Option<IpAddr> {
    let ip = record.ip.as_deref()?.parse::<IpAddr>().ok()?.to_canonical();
    let shared = super::hits::RELAY == ip.to_string() || super::hits::ZSCALER == ip.to_string();
    (!shared).then_some(ip)
}

/// The leading bits of an address.
fn within(ip: IpAddr, v4_bits: u32, v6_bits: u32) -> String {
    match ip {
        IpAddr::V4(v4) => format!("v4 {:b}", v4.to_bits() >> (32 - v4_bits)),
        IpAddr::V6(v6) => format!("v6 {:b}", v6.to_bits() >> (128 - v6_bits)),
    }
}

/// A place and an agent.
type Place = (String, Option<String>);

/// Whether machines are rented there, of those that the tests play.
fn is_rented(record: &Record) -> bool {
    use super::hits::{AZURE, FILTER, HETZNER};
    record.ip.as_deref() == Some(FILTER) || record.asn.is_some_and(|asn| asn == HETZNER || asn == AZURE)
}

/// The address (in IPv6 its /64) and the agent, where it is not everybody's.
pub fn source(record: &Record) -> Option<Place> {
    Some((within(address(record)?, 32, 64), record.user_agent.clone()))
}

/// What a fan-out counts as one: where machines are rented, their network and the agent.
fn group(record: &Record) -> Option<Place> {
    let (v4_bits, v6_bits) = if is_rented(record) { (24, 48) } else { (32, 64) };
    Some((within(address(record)?, v4_bits, v6_bits), record.user_agent.clone()))
}

/// The network (/24, in IPv6 /48) and the agent; where machines are rented the network alone.
pub fn origin(record: &Record) -> Option<Place> {
    let agent = record.user_agent.clone().filter(|_| !is_rented(record));
    Some((within(address(record)?, 24, 48), agent))
}

/// Whether what was found without a look at other convictions convicts its source.
pub fn convicts(alone: &Finding) -> bool {
    let rules = [
        "safe_attachments",
        "campaign_view",
        "gateway",
        "scanner_network",
        "sweep",
        "fanout",
        "headless",
        "no_agent",
        "repeat",
    ];
    let is_certain = alone.confidence == Confidence::Certain;
    rules.contains(&alone.rule.as_ref()) || alone.rule == "declared" && is_certain
}

/// The conviction that reaches x: up to fifteen minutes behind it the latest, else up to a minute before it the first; of
/// the same source, else of the same origin.
pub fn reaching(x: &Record, convictions: &[(&Record, ClickType)]) -> Option<Carried> {
    let near = |place: fn(&Record) -> Option<Place>, same_source| {
        let here = place(x)?;
        let of_it = || convictions.iter().filter(|(y, _)| place(y).as_ref() == Some(&here));
        let behind = of_it().filter(|(y, _)| y.ts_ms <= x.ts_ms && x.ts_ms - y.ts_ms <= 900_000);
        let ahead = of_it().filter(|(y, _)| y.ts_ms > x.ts_ms && y.ts_ms - x.ts_ms <= 60_000);
        // Of two at one time the one that stands later among the click types, and ahead the one that stands first.
        let last = behind.max_by_key(|(y, kind)| (y.ts_ms, *kind));
        let (y, kind) = last.or_else(|| ahead.min_by_key(|(y, kind)| (y.ts_ms, *kind)))?;
        Some(Carried { click_type: *kind, ts_ms: y.ts_ms, same_source })
    };
    near(source, true).or_else(|| near(origin, false))
}
