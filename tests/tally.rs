//! The running tally against a count over everything: three thousand random histories of events, amended and amended again,
//! packed, added up in spans of any width, written as bytes and read again.

mod common;

use std::borrow::Cow;

use clickproof::event::body::Past;
use clickproof::event::pack::{self, Draft, PackRow};
use clickproof::record::{Delivery, EventId, Kind, Record, Verified};
use clickproof::report::tally::Counted;
use clickproof::report::{About, Part, Report, Tally};
use clickproof::verdict::{ClickType, Confidence, Finding, Ruleset, Verdict};
use common::NOON_MS;
use proptest::prelude::*;

/// What one revision of one of the events says, by numbers.
#[derive(Clone, Debug)]
struct Said {
    /// Which event.
    event: usize,
    click_type: usize,
    shadow_type: Option<usize>,
    vendor: Option<usize>,
    is_certain: bool,
    verified: usize,
    delivered_ms: Option<i64>,
}

/// An event as it came.
#[derive(Clone, Debug)]
struct Came {
    recipient: u8,
    link: u8,
    group: Option<u8>,
    kind: usize,
    after_ms: i64,
}

fn said(events: usize) -> impl Strategy<Value = Said> {
    let numbers = (0..events, 0..ClickType::COUNT, proptest::option::of(0..ClickType::COUNT));
    let others = (proptest::option::of(0..3_usize), any::<bool>(), 0..Verified::ALL.len());
    let delivered = proptest::option::of(-10_000..10_000_i64);
    (numbers, others, delivered).prop_map(|((event, click_type, shadow_type), others, delivered_ms)| {
        let (vendor, is_certain, verified) = others;
        Said { event, click_type, shadow_type, vendor, is_certain, verified, delivered_ms }
    })
}

fn came() -> impl Strategy<Value = Came> {
    let kind = prop_oneof![4 => Just(0_usize), 1 => 1..Kind::ALL.len()];
    (0..6_u8, 0..4_u8, proptest::option::of(0..3_u8), kind, 0..4_000_000_i64)
        .prop_map(|(recipient, link, group, kind, after_ms)| Came { recipient, link, group, kind, after_ms })
}

/// A history: what came, what was said of it, how many revisions a pack holds, how many packs a sum.
type History = (Vec<Came>, Vec<Said>, Vec<usize>, Vec<usize>);

fn history() -> impl Strategy<Value = History> {
    proptest::collection::vec(came(), 1..24).prop_flat_map(|events| {
        let count = events.len();
        (
            Just(events),
            proptest::collection::vec(said(count), 1..80),
            proptest::collection::vec(1..9_usize, 80),
            proptest::collection::vec(1..7_usize, 80),
        )
    })
}

fn record(at: usize, came: &Came) -> (EventId, Record) {
    let id = EventId::first_of(NOON_MS + came.after_ms);
    let id = (0..at).fold(id, |id, _| id.successor());
    let kind = Kind::ALL[came.kind];
    let record = Record {
        event_id: id.to_string(),
        message_id: "m".to_owned(),
        recipient_id: format!("r{}", came.recipient),
        // Links without an id go by their URL.
        link_id: (came.link > 0).then(|| format!("l{}", came.link)),
        url: Some(format!("https://shop.example/{}", came.link)),
        group: came.group.map(|group| format!("g{group}")),
        kind,
        ts_ms: id.ts_ms(),
        sent_at_ms: NOON_MS,
        method: "GET".to_owned(),
        ..Record::default()
    };
    (id, record)
}

fn finding(click_type: usize, said: &Said) -> Finding {
    Finding {
        click_type: Some(ClickType::ALL[click_type]),
        vendor: said.vendor.map(|vendor| Cow::Borrowed(["microsoft", "mimecast", "proofpoint"][vendor])),
        confidence: if said.is_certain { Confidence::Certain } else { Confidence::Probable },
        rule: "human".into(),
        ..Finding::not_a_click()
    }
}

/// The packs of a history, and the last draft of each event in the order in which events first came.
fn packed((events, revisions, sizes, _): &History) -> (Vec<PackRow>, Vec<Draft>) {
    let mut latest: Vec<Option<(u32, Said)>> = vec![None; events.len()];
    let (mut order, mut packs, mut rest) = (Vec::new(), Vec::new(), &revisions[..]);
    let mut sizes = sizes.iter();
    let draft = |said: &Said, revision: u32| {
        let (id, record) = record(said.event, &events[said.event]);
        let shadow = said.shadow_type.map(|shadow| (finding(shadow, said), Ruleset::Defender));
        let verdict = Verdict::new(finding(said.click_type, said), Ruleset::Full, revision)
            .with_verified(Verified::ALL[said.verified])
            .with_shadow(shadow);
        let delivered_at_ms = said.delivered_ms.map(|ms| NOON_MS + ms);
        Draft::new(id, &record, verdict, Delivery { delivered_at_ms, bounced_at_ms: None })
    };
    while !rest.is_empty() {
        let (these, others) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        rest = others;
        let mut drafts = Vec::new();
        let mut seen = Vec::new();
        for said in these {
            // A pack speaks of an event once.
            if seen.contains(&said.event) {
                continue;
            }
            seen.push(said.event);
            let old = latest[said.event].take();
            if old.is_none() {
                order.push(said.event);
            }
            let revision = old.as_ref().map_or(1, |(revision, _)| revision + 1);
            let mut new = draft(said, revision);
            if let Some((revision, old)) = old {
                let entry = draft(&old, revision).entry;
                new.entry.was = entry.verdict.finding.click_type;
                new.entry.was_shadow = entry.verdict.shadow.and_then(|shadow| shadow.finding.click_type);
                new.entry.past = Some(Box::new(Past {
                    vendor: entry.verdict.finding.vendor,
                    confidence: entry.verdict.finding.confidence,
                    verified: entry.verdict.verified,
                    delay: entry.delay,
                }));
            }
            latest[said.event] = Some((revision, said.clone()));
            drafts.push(new);
        }
        packs.push(pack::pack(packs.len() as u64 + 1, 0, drafts));
    }
    let last = order.into_iter().map(|event| {
        let (revision, said) = latest[event].as_ref().unwrap();
        draft(said, *revision)
    });
    (packs, last.collect())
}

fn count(row: &PackRow, tally: &mut Tally) {
    let body = row.open().unwrap();
    for ((id, recipient), entry) in pack::keys(&row.keys).zip(&body.entries) {
        let (link_id, url) = &body.links[entry.link];
        tally.add(&Counted { id, recipient, link: (link_id.as_deref(), url.as_deref()), entry });
    }
}

fn report(tally: Tally) -> Report {
    let about = About { sent: Some(100), groups: vec![("g1".to_owned(), 7)], ..About::default() };
    tally.report("m", Some(&about), 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn the_tally_is_what_a_count_over_everything_says(history in history()) {
        let (packs, last) = packed(&history);
        let mut whole = Tally::default();
        for Draft { id, recipient, link_id, url, entry } in &last {
            let recipient = if entry.kind == Kind::Open { 0 } else { recipient.short() };
            whole.add(&Counted { id: *id, recipient, link: (link_id.as_deref(), url.as_deref()), entry });
        }
        let whole = report(whole);

        let mut running = Tally::default();
        for row in &packs {
            count(row, &mut running);
        }
        prop_assert_eq!(&report(running), &whole, "pack by pack");

        let (mut sums, mut rest) = (Vec::new(), &packs[..]);
        for width in &history.3 {
            let (these, others) = rest.split_at(rest.len().min(*width));
            rest = others;
            let mut sum = Tally::default();
            for row in these {
                count(row, &mut sum);
            }
            sums.push(sum.seal());
        }
        let mut added = Tally::default();
        for sum in sums {
            added.merge(Tally::open(&sum).unwrap());
        }
        let again = Tally::open(&added.clone().seal()).unwrap();
        prop_assert_eq!(&report(added), &whole, "sum by sum");
        prop_assert_eq!(&report(again), &whole, "written and read");
    }

    /// However many objects share a message: what each says of its own recipients adds up to what one would say of all.
    #[test]
    fn the_parts_of_a_message_add_up_to_the_whole(history in history(), shards in 1..9_u64, repeats in 0..9_i64) {
        let (packs, _) = packed(&history);
        let about = About { sent: Some(100), groups: vec![("g1".to_owned(), 7)], ..About::default() };
        let part = |shard: Option<u64>| {
            let mut part = Part { repeats, ..Part::default() };
            if shard.is_none_or(|shard| shard == 0) {
                part.about = Some(about.clone());
            }
            for row in &packs {
                let body = row.open().unwrap();
                for ((id, recipient), entry) in pack::keys(&row.keys).zip(&body.entries) {
                    let (link_id, url) = &body.links[entry.link];
                    let link = (link_id.as_deref(), url.as_deref());
                    if shard.is_none_or(|shard| shard == recipient % shards) {
                        part.tally.add(&Counted { id, recipient, link, entry });
                    }
                }
            }
            part
        };
        let mut whole = part(None);
        whole.repeats *= i64::try_from(shards).unwrap();
        let mut added = Part::default();
        for shard in (0..shards).rev() {
            let part = part(Some(shard));
            let sent = part.clone().encode();
            let came = Part::decode(&sent).unwrap();
            prop_assert_eq!(&came.clone().encode(), &sent, "none is counted twice");
            prop_assert_eq!(came.report("m"), part.report("m"), "each by itself");
            added.merge(Part::decode(&sent).unwrap());
        }
        prop_assert_eq!(added.report("m"), whole.report("m"));
    }

    /// It comes over the wire, perhaps from another version: whatever it is, nothing breaks.
    #[test]
    fn texts_that_are_no_part_are_refused(text in "[A-Za-z0-9_-]{0,300}", at in 0..300_usize) {
        let _ = Part::decode(&text);
        let mut damaged = Part::default().encode();
        if at < damaged.len() {
            let other = if damaged.as_bytes()[at] == b'A' { "B" } else { "A" };
            damaged.replace_range(at..=at, other);
            let _ = Part::decode(&damaged);
            damaged.truncate(at);
            prop_assert!(Part::decode(&damaged).is_err());
        }
    }

    /// A sum is read from a row: whatever stands there, nothing breaks.
    #[test]
    fn bytes_that_are_no_sum_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0..300_usize) {
        let _ = Tally::open(&bytes);
        let mut damaged = Tally::default().seal();
        if let Some(byte) = damaged.get_mut(at) {
            *byte = byte.wrapping_add(1);
            prop_assert!(at > 0 || Tally::open(&damaged).is_err());
            let _ = Tally::open(&damaged);
        }
    }
}

/// A damaged count that says that millions of recipients follow is refused before memory is taken for them.
#[test]
fn a_count_of_more_than_there_are_bytes_for_is_refused() {
    let sealed = Tally::default().seal();
    // Behind the count of recipients, none here, stand its six columns and that of the shadow: a byte each.
    let at = sealed.len() - 8;
    assert_eq!(sealed[at], 0, "{sealed:?}");
    // Columns without a number are as short for millions.
    let millions = [&sealed[..at], &[0x80, 0x80, 0x80, 0x08], &sealed[at + 1..]].concat();
    assert!(Tally::open(&millions).is_err());
    assert!(Tally::open(&sealed).is_ok());
}
