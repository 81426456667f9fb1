//! What the Worker writes for itself and reads again: records, packs, messages of the queues. Nobody else should write there; whatever
//! stands in them, reading ends.

use clickproof::event::parcel::{self, Letter, Parcel};
use clickproof::event::spilled::Spilled;
use clickproof::event::{body, pack};
use clickproof::record::{EventId, Record, packed};
use fastrand::Rng;

use super::{NOW_MS, Target as Parser, text};

pub(crate) const PARSERS: [Parser; 5] = [
    Parser { name: "packed records", corpus: records, try_one: packed_records },
    Parser { name: "spilled clicks", corpus: spilled, try_one: spilled_clicks },
    Parser { name: "packs' bodies", corpus: bodies, try_one: pack_body },
    Parser { name: "packs' bodies of version 1", corpus: || super::corpus("packs"), try_one: old_body },
    Parser { name: "messages of the queue", corpus: letters, try_one: letter },
];

fn clicks(count: u8) -> Vec<(EventId, Record)> {
    (0..count)
        .map(|n| {
            let ts_ms = NOW_MS + i64::from(n);
            let id = EventId::first_of(ts_ms);
            let record = Record {
                event_id: id.to_string(),
                message_id: "spring".to_owned(),
                recipient_id: format!("r{n}"),
                link_id: Some("cta".to_owned()),
                url: Some(format!("https://shop.example/{n}")),
                ts_ms,
                sent_at_ms: NOW_MS - 1,
                method: "GET".to_owned(),
                ip: Some(format!("192.0.2.{n}")),
                asn: Some(64_496),
                user_agent: Some("Mozilla/5.0 é".to_owned()),
                visitor_id: Some("00ff".repeat(8)),
                group: (n % 2 == 0).then(|| "de".to_owned()),
                ..Record::default()
            };
            (id, record)
        })
        .collect()
}

fn sealed(clicks: &[(EventId, Record)]) -> Vec<u8> {
    packed::seal(&clicks.iter().map(|(id, record)| (*id, record)).collect::<Vec<_>>())
}

fn records() -> Vec<Vec<u8>> {
    [0, 1, 2, 5, 40].iter().map(|count| sealed(&clicks(*count))).collect()
}

fn packed_records(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let Ok(records) = packed::all(input) else { return false };
    assert!(records.len() * 11 <= input.len(), "no more than there is room for");
    for (id, record) in &records {
        assert_eq!((EventId::parse(&record.event_id), id.ts_ms()), (Some(*id), record.ts_ms));
    }
    // Nobody writes an empty text: read once and written, it is none.
    let (count, written) = (records.len(), sealed(&records));
    drop(records);
    let again = packed::all(&written).unwrap();
    assert_eq!(again.len(), count);
    assert_eq!(packed::all(&sealed(&again)), Ok(again));
    true
}

fn spilled() -> Vec<Vec<u8>> {
    let message = |name: &str, records: Vec<u8>| {
        let length = u16::try_from(name.len()).unwrap().to_be_bytes();
        [&[0xff, 1], &length[..], name.as_bytes(), &records].concat()
    };
    records().into_iter().map(|records| message("spring#7", records)).collect()
}

fn spilled_clicks(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let opened = Spilled::open(input);
    if let Ok(Spilled { object, records }) = opened {
        assert!(Spilled::is_one(input) && input.ends_with(records), "{object}");
    }
    opened.is_ok()
}

/// The packs' bodies that some clicks come to, as `tests/formats.rs` has them frozen.
fn bodies() -> Vec<Vec<u8>> {
    super::corpus("packs")
        .iter()
        .filter_map(|json| body::open_json(&text(json)).ok())
        .map(|body| body::seal(&body))
        .collect()
}

fn pack_body(input: &[u8], _: &[Vec<u8>], rng: &mut Rng) -> bool {
    let ids: Vec<EventId> = clicks(rng.u8(..4)).into_iter().map(|(id, _)| id).collect();
    let _ = body::events_in(input);
    let Ok(opened) = body::open(input, &ids) else { return false };
    assert_eq!(opened.entries.len(), ids.len());
    // What nobody writes, an empty word or a link that no entry names, may not be written again; what is, is the same from then on.
    let Ok(again) = body::open(&body::seal(&opened), &ids) else { return true };
    let entries = body::open(&body::seal(&again), &ids).map(|body| body.entries);
    assert_eq!(entries, Ok(again.entries));
    true
}

fn old_body(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let _ = pack::keys(input).count();
    body::open_json(&text(input)).is_ok()
}

fn letters() -> Vec<Vec<u8>> {
    let lines = ["{\"event\":\"click\"}".to_owned(), "{\"event\":\"open\"}".to_owned()];
    let act = Parcel::Act { id: EventId::first_of(NOW_MS).to_string(), body: "{\"type\":\"x\"}" };
    let bytes = |letter: &Letter| match letter {
        Letter::Text(text) => text.clone().into_bytes(),
        Letter::Bytes(bytes) => bytes.clone(),
    };
    let mut letters: Vec<_> = parcel::of_lines("spring", 7, NOW_MS, &lines).iter().map(bytes).collect();
    letters.push(act.seal().into_bytes());
    letters.extend([
        format!("webhook 1 {}\n{{}}", EventId::first_of(NOW_MS)).into_bytes(),
        b"{\"v\":1,\"key\":\"events/x.ndjson\",\"events\":1}\n{}\n".to_vec(),
    ]);
    let bodies = bodies();
    for (count, body) in (1..).zip(&bodies) {
        let mut letter = vec![0xc0, 3, 1, b'k'];
        for part in [&sealed(&clicks(count)), body] {
            let length = u8::try_from(part.len() & 0x7f).unwrap();
            letter.extend([length | 0x80, u8::try_from(part.len() >> 7).unwrap()]);
            letter.extend_from_slice(part);
        }
        letters.push(letter);
    }
    letters
}

fn letter(input: &[u8], _: &[Vec<u8>], _: &mut Rng) -> bool {
    let letter = Letter::Bytes(input.to_vec());
    let is_bytes = letter.open().is_ok();
    assert_eq!(letter.size(), input.len());
    let letter = Letter::Text(text(input));
    let opened = letter.open();
    assert_eq!(letter.key().is_some(), matches!(opened, Ok(Parcel::Pack { .. })));
    // No pack has so many events that they are no number of JSON's.
    let is_writable =
        |parcel: &Parcel| !matches!(parcel, Parcel::Pack { events, .. } if i64::try_from(*events).is_err());
    if let Ok(parcel) = opened.as_ref()
        && is_writable(parcel)
    {
        assert_eq!(Letter::Text(parcel.seal()).open().as_ref(), Ok(parcel));
    }
    is_bytes || opened.is_ok()
}
