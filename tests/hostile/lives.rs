//! Messages that are told what no honest sender would: records of other centuries, counts at the end of their type, every kind on
//! every link, deliveries before the send. A message lives through it: it settles, ships, answers and holds what it promises.

use clickproof::event::line;
use clickproof::message::replay;
use clickproof::record::{Delivery, EventIds, Kind, Record, Sighting, Verified, packed};
use clickproof::verdict::{Judging, Key, Ruleset, Thresholds};
use fastrand::Rng;

use super::common::world::World;
use super::generate::{corpus, input, pick};
use super::{NOW_MS, text};

/// The first and last moments that are taken, Unix milliseconds, and some between.
const MOMENTS: [i64; 8] = [
    946_684_800_000,
    946_684_800_001,
    NOW_MS - 3_600_000,
    NOW_MS - 60_000,
    NOW_MS,
    NOW_MS + 500,
    4_133_980_799_998,
    4_133_980_799_999,
];

const NUMBERS: [Option<i64>; 7] = [None, Some(0), Some(1), Some(-1), Some(3), Some(i64::MAX), Some(i64::MIN)];

/// A record as nobody's import would write it, that is taken all the same.
fn record(rng: &mut Rng, headers: &[Vec<u8>]) -> Record {
    let ts_ms = *pick(rng, &MOMENTS) + if rng.bool() { 0 } else { rng.i64(0..2) };
    let mut random = [0; 12];
    rng.fill(&mut random);
    let ts_ms = ts_ms.min(4_133_980_799_999);
    let id = EventIds::default().next(ts_ms, random);
    let mut word = |length: usize| {
        let word = text(&input(rng, headers));
        clickproof::record::cut(word.chars().take(length).collect())
    };
    let (ip, user_agent, referer, forwarded) = (word(40), word(1_024), word(200), word(300));
    Record {
        event_id: id.to_string(),
        message_id: "m".to_owned(),
        recipient_id: format!("r{}", rng.u8(..3)),
        link_id: rng.bool().then(|| format!("l{}", rng.u8(..3))),
        url: Some(format!("https://shop.example/{}", rng.u8(..3))),
        kind: *pick(rng, &Kind::ALL),
        ts_ms,
        sent_at_ms: *pick(rng, &MOMENTS),
        delivered_at_ms: rng.bool().then(|| *pick(rng, &MOMENTS)),
        bounced_at_ms: rng.bool().then(|| *pick(rng, &MOMENTS)),
        links_total: *pick(rng, &NUMBERS),
        asn: *pick(rng, &NUMBERS),
        repeats: *pick(rng, &NUMBERS),
        ip: if rng.bool() { ip } else { Some("40.92.1.1".to_owned()) },
        method: (*pick(rng, &["GET", "POST", "HEAD", "", "\u{202e}"])).to_owned(),
        user_agent,
        referer,
        x_forwarded_for: forwarded,
        http_protocol: rng.bool().then(|| "HTTP/2".to_owned()),
        act: rng.bool().then(|| (*pick(rng, &["form", "one_click", "undo", "x"])).to_owned()),
        group: rng.bool().then(|| "g".to_owned()),
        ..Record::default()
    }
}

/// Lives one life.
pub(crate) fn live(rng: &mut Rng) {
    let headers = corpus("clicks");
    let judging = Judging {
        ruleset: *pick(rng, &[Ruleset::Full, Ruleset::Defender]),
        shadow: None,
        thresholds: Thresholds::default(),
        settle_ms: *pick(rng, &[0, 500, 60_000]),
    };
    let mut world = World::new(judging);
    let (mut stored, mut now_ms) = (0, NOW_MS);
    for _ in 0..rng.usize(1..12) {
        let records: Vec<Record> = (0..rng.usize(1..6)).map(|_| record(rng, &headers)).collect();
        // They come as the API brings them.
        let body: String = records.iter().map(|record| line::record(record) + "\n").collect();
        let brought = replay::read(&body, &|record| record).unwrap();
        assert_eq!(brought.bad, []);
        for share in brought.messages {
            let records: Vec<Record> =
                packed::all(&share.records).unwrap().into_iter().map(|(_, record)| record).collect();
            stored += records.len();
            world.replay(records);
        }
        if rng.bool() {
            let told = Delivery {
                delivered_at_ms: rng.bool().then(|| *pick(rng, &MOMENTS)),
                bounced_at_ms: Some(*pick(rng, &MOMENTS)),
            };
            world.tell(&[(Key::of("r1"), told)]);
        }
        // References and cookies name clicks alone.
        if let Some(record) = records.iter().find(|record| record.kind == Kind::Click && rng.bool()) {
            let id = clickproof::record::EventId::parse(&record.event_id).unwrap();
            let seen = EventIds::default().next(*pick(rng, &MOMENTS), [7; 12]);
            let since_load_ms = *pick(rng, &NUMBERS);
            world.verify(id, &Sighting { event_id: seen, verified: Verified::Interacted, since_load_ms });
        }
        if rng.bool() {
            world.crash();
        }
        now_ms += rng.i64(0..200_000);
        world.settle(now_ms);
        world.ship(now_ms);
    }
    // To the end of all clicks.
    world.settle(4_134_000_000_000);
    world.ship(4_134_000_000_000);
    world.check();
    let listed = world.listed();
    assert_eq!(listed.len(), stored);
    for click in &listed {
        assert_eq!(click["final"], true, "{click}");
        let id = clickproof::record::EventId::parse(click["event_id"].as_str().unwrap()).unwrap();
        assert!(world.message().explain(id).unwrap().is_some(), "{click}");
    }
    let report = world.message().report("m").unwrap();
    let clicks = listed.iter().filter(|click| click["kind"] == "click").count();
    assert_eq!(usize::try_from(report.clicks).unwrap(), clicks);
}
