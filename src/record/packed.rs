//! Records as bytes: how the edge hands them to an object, how objects keep them, and what the queue carries.
//!
//! Many records are one batch of [`columns`](super::columns), so that what they share (the message, links, agents, all that is
//! absent) is written once: some 100 bytes a click where JSON takes 1,200. Batches tell their own length: one after the
//! other they are read as one. Version 1, which is written wherever it can say all there is, so that an object of an earlier
//! deploy reads it:
//!
//! | bytes | what |
//! | --- | --- |
//! | 2 | `c1 01`: the first is in no text, the second is the version |
//! | number | how many bytes follow |
//! | number | how many records |
//! | for each record | a whole number, the step of its time in milliseconds from the one before; the last ten bytes of its id |
//! | columns | the kind by name, [`TEXTS`] in their order, then [`INTEGERS`] |
//!
//! Version 2, `c1 02`, is the same with further columns behind those: for each, its place among [`FURTHER`], and its bytes
//! behind their length. A column that is not known here, which a later deploy wrote, is passed over: its rows keep it.
//!
//! A record's `ts_ms` is its id's. What a landing page showed is no part of a record here.

use super::columns::{Damaged, NONE, Reader, Writer};
use super::fields::{FURTHER, Further, INTEGERS, TEXTS};
use super::{EventId, Kind, Record};

/// What a batch begins with.
pub const MAGIC: u8 = 0xc1;

/// What has no further columns.
const PLAIN: u8 = 1;

/// What has.
const EXTENDED: u8 = 2;

/// What of an id is its time.
const TIME_BYTES: usize = 6;

/// No record is shorter: a step of one byte and the rest of its id.
const LEAST: usize = 1 + 16 - TIME_BYTES;

/// Writes records as one batch, each under its id. Those that follow each other in time take the least.
#[must_use]
pub fn seal(records: &[(EventId, &Record)]) -> Vec<u8> {
    let count = records.len();
    let field = |at: usize| records.get(at).map(|(_, record)| *record);
    let mut body = Writer::default();
    body.number(count as u64);
    let mut last_ms = 0;
    for (id, _) in records {
        body.step(last_ms, id.ts_ms());
        last_ms = id.ts_ms();
        body.0.extend_from_slice(&id.bytes()[TIME_BYTES..]);
    }
    body.texts(count, &|at| field(at).map(|record| record.kind.name()));
    for (_, get, _) in TEXTS {
        body.texts(count, &|at| field(at).and_then(get));
    }
    for (_, get, _) in INTEGERS {
        body.integers(count, &|at| field(at).and_then(get));
    }
    let mut version = PLAIN;
    let mut column = Writer::default();
    for (number, further) in (0..).zip(FURTHER) {
        column.0.clear();
        match further {
            Further::Integer((_, get, _)) => column.integers(count, &|at| field(at).and_then(get)),
            Further::Text((_, get, _)) => column.texts(count, &|at| field(at).and_then(get)),
        }
        if column.0 != [NONE] {
            version = EXTENDED;
            body.number(number);
            body.bytes(&column.0);
        }
    }
    let mut batch = Writer(Vec::with_capacity(body.0.len() + 5));
    batch.0.extend_from_slice(&[MAGIC, version]);
    batch.bytes(&body.0);
    batch.0
}

/// How many bytes of text a record holds.
#[must_use]
pub fn text_bytes(record: &Record) -> usize {
    let further = record.group.as_deref().into_iter().chain(record.signals.as_deref());
    TEXTS.iter().filter_map(|(_, get, _)| get(record)).chain(further).map(str::len).sum()
}

/// Reads batches that stand one after the other: hands over the records of the ids that are wanted, in their order.
///
/// # Errors
/// What cannot be read; records may have been handed over before that.
pub fn open(
    batches: &[u8],
    wanted: &dyn Fn(EventId) -> bool,
    each: &mut dyn FnMut(EventId, Record),
) -> Result<(), String> {
    let mut reader = Reader(batches);
    while !reader.0.is_empty() {
        let head = (reader.byte(), reader.byte());
        let is_extended = match head {
            (Ok(MAGIC), Ok(version @ (PLAIN | EXTENDED))) => version == EXTENDED,
            (Ok(MAGIC), Ok(version)) => return Err(format!("records: version {version} is not known here")),
            _ => return Err("records: not a batch of them".to_owned()),
        };
        let body = reader.bytes().and_then(|body| batch(body, is_extended, wanted, each));
        body.map_err(|Damaged| "records: a damaged batch".to_owned())?;
    }
    Ok(())
}

/// Hands over the ids of one recipient's records in batches: no more is read of each than whose it is.
///
/// # Errors
/// As [`open`].
pub fn ids_of(batches: &[u8], recipient_id: &str, each: &mut dyn FnMut(EventId)) -> Result<(), String> {
    let mut reader = Reader(batches);
    while !reader.0.is_empty() {
        let body = match (reader.byte(), reader.byte()) {
            (Ok(MAGIC), Ok(PLAIN | EXTENDED)) => reader.bytes(),
            _ => Err(Damaged),
        };
        let found = body.and_then(|body| recipients(body, recipient_id, each));
        found.map_err(|Damaged| "records: a damaged batch".to_owned())?;
    }
    Ok(())
}

fn recipients(body: &[u8], recipient_id: &str, each: &mut dyn FnMut(EventId)) -> Result<(), Damaged> {
    let (mut reader, mut last_ms) = (Reader(body), 0);
    let count = reader.count()?;
    if count > body.len() / LEAST {
        return Err(Damaged);
    }
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        last_ms = reader.step(last_ms)?;
        ids.push(id(last_ms, reader.take(LEAST - 1)?)?);
    }
    // The kind, then the texts up to the recipient.
    reader.texts(count, &|_| false, &mut |_, _| {})?;
    for (name, ..) in TEXTS {
        let is_recipient = name == "recipient_id";
        reader.texts(count, &|_| is_recipient, &mut |at, text| {
            if text == recipient_id
                && let Some(id) = ids.get(at)
            {
                each(*id);
            }
        })?;
        if is_recipient {
            break;
        }
    }
    Ok(())
}

/// All records of batches.
///
/// # Errors
/// As [`open`].
pub fn all(batches: &[u8]) -> Result<Vec<(EventId, Record)>, String> {
    let mut records = Vec::new();
    open(batches, &|_| true, &mut |id, record| records.push((id, record)))?;
    Ok(records)
}

fn batch(
    body: &[u8],
    is_extended: bool,
    wanted: &dyn Fn(EventId) -> bool,
    each: &mut dyn FnMut(EventId, Record),
) -> Result<(), Damaged> {
    let mut reader = Reader(body);
    let count = reader.count()?;
    if count > body.len() / LEAST {
        return Err(Damaged);
    }
    let mut last_ms = 0;
    let mut records: Vec<(EventId, Option<Record>)> = Vec::with_capacity(count);
    for _ in 0..count {
        last_ms = reader.step(last_ms)?;
        let id = id(last_ms, reader.take(LEAST - 1)?)?;
        let record =
            wanted(id).then(|| Record { event_id: id.to_string(), ts_ms: last_ms, ..Record::default() });
        records.push((id, record));
    }
    if records.iter().all(|(_, record)| record.is_none()) {
        return Ok(());
    }
    let is_wanted: Vec<bool> = records.iter().map(|(_, record)| record.is_some()).collect();
    let is_wanted = |at: usize| is_wanted.get(at) == Some(&true);
    let mut kinds = Vec::new();
    reader.texts(count, &is_wanted, &mut |at, name| kinds.push((at, Kind::named(&name))))?;
    for (at, kind) in kinds {
        // A kind of a later version means what nobody here can say.
        set(&mut records, at, kind.ok_or(Damaged)?, |record, kind| record.kind = kind);
    }
    for (.., put) in TEXTS {
        reader.texts(count, &is_wanted, &mut |at, text| set(&mut records, at, Some(text), put))?;
    }
    for (.., put) in INTEGERS {
        reader.integers(count, &mut |at, number| set(&mut records, at, Some(number), put))?;
    }
    while is_extended && !reader.0.is_empty() {
        let (number, mut column) = (reader.count()?, Reader(reader.bytes()?));
        match FURTHER.get(number) {
            Some(Further::Integer((.., put))) => {
                column.integers(count, &mut |at, number| set(&mut records, at, Some(number), *put))?;
            }
            Some(Further::Text((.., put))) => {
                column.texts(count, &is_wanted, &mut |at, text| set(&mut records, at, Some(text), *put))?;
            }
            None => {}
        }
    }
    if !reader.0.is_empty() {
        return Err(Damaged);
    }
    for (id, record) in records {
        if let Some(record) = record {
            each(id, record);
        }
    }
    Ok(())
}

fn set<T>(records: &mut [(EventId, Option<Record>)], at: usize, value: T, put: fn(&mut Record, T)) {
    if let Some((_, Some(record))) = records.get_mut(at) {
        put(record, value);
    }
}

fn id(ts_ms: i64, rest: &[u8]) -> Result<EventId, Damaged> {
    let mut bytes = EventId::first_of(ts_ms).bytes();
    bytes.get_mut(TIME_BYTES..).ok_or(Damaged)?.copy_from_slice(rest);
    let id = EventId::from_bytes(bytes);
    if id.ts_ms() == ts_ms { Ok(id) } else { Err(Damaged) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEAST_JSON: &str = r#"{"event_id":"01a20320-a200-7000-8000-000000000000","message_id":"m","recipient_id":"r","link_id":"l","ts_ms":1795348800000,"sent_at_ms":1795348799000}"#;

    fn id(ms: i64, n: u8) -> EventId {
        let mut bytes = EventId::first_of(ms).bytes();
        bytes[15] = n;
        EventId::from_bytes(bytes)
    }

    /// Every field of its own, so that none can stand for another.
    fn full(id: EventId) -> Record {
        let text = |word: &str| Some(word.to_owned());
        Record {
            event_id: id.to_string(),
            message_id: "message".to_owned(),
            recipient_id: "recipient".to_owned(),
            link_id: text("link"),
            url: text("https://shop.example/"),
            kind: Kind::Confirm,
            ts_ms: id.ts_ms(),
            sent_at_ms: 1,
            delivered_at_ms: Some(2),
            bounced_at_ms: Some(6),
            group: text("group"),
            links_total: Some(3),
            method: "POST".to_owned(),
            ip: text("192.0.2.1"),
            asn: Some(4),
            country: text("IE"),
            user_agent: text("Agent/1.0"),
            referer: text("https://referer.example/"),
            accept: text("accept"),
            accept_language: text("en"),
            sec_fetch_site: text("site"),
            sec_fetch_mode: text("mode"),
            sec_fetch_dest: text("dest"),
            sec_fetch_user: text("?1"),
            sec_purpose: text("prefetch"),
            sec_ch_ua: text("brands"),
            x_forwarded_for: text("198.51.100.1"),
            http_protocol: text("HTTP/2"),
            secure: Some(false),
            cookie: text("new"),
            visitor_id: text("07070707070707070707070707070707"),
            repeats: Some(5),
            act: text("form"),
            signals: text("01ff"),
            ..Record::default()
        }
    }

    fn sealed(records: &[Record]) -> Vec<u8> {
        let ids: Vec<(EventId, &Record)> =
            records.iter().map(|record| (EventId::parse(&record.event_id).unwrap(), record)).collect();
        seal(&ids)
    }

    fn opened(batches: &[u8]) -> Vec<Record> {
        all(batches).unwrap().into_iter().map(|(_, record)| record).collect()
    }

    #[test]
    fn every_field_comes_back_alone_and_among_others() {
        let (first, second) = (full(id(1_795_348_800_000, 1)), full(id(1_795_348_799_999, 2)));
        let least = Record::parse(LEAST_JSON).unwrap();
        for records in [vec![first.clone()], vec![least.clone()], vec![first, least, second], vec![]] {
            assert_eq!(opened(&sealed(&records)), records);
        }
    }

    /// Frozen: rows of years hold these bytes, and the queue holds them for days.
    #[test]
    fn the_bytes_are_frozen() {
        let least = Record::parse(LEAST_JSON).unwrap();
        let hex = |bytes: Vec<u8>| bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let columns = "01808885b2c06870008000000000000000010128636c69636b0101086d010108720101086c00010118474554\
                       000000000000000000000000000000000001b0f884b2c0680000000000";
        assert_eq!(hex(sealed(std::slice::from_ref(&least))), format!("c10149{columns}"));
        // What version 1 cannot say follows.
        let bounced = Record { bounced_at_ms: Some(1_795_348_800_001), ..least.clone() };
        assert_eq!(hex(sealed(&[bounced])), format!("c10252{columns}000701828885b2c068"));
        let unknown = Record { user_agent: Some(String::new()), ..least.clone() };
        assert_eq!(hex(sealed(&[unknown])), format!("c1024d{columns}01020102"));
        let grouped = Record { group: Some("m365".to_owned()), ..least.clone() };
        assert_eq!(hex(sealed(&[grouped])), format!("c10252{columns}02070101206d333635"));
        let reduced = Record { signals: Some("01ff".to_owned()), ..least };
        assert_eq!(hex(sealed(&[reduced])), format!("c10250{columns}030501011101ff"));
    }

    #[test]
    fn an_agent_that_is_known_to_be_none_stays_so() {
        let known = Record { user_agent: Some(String::new()), ..full(id(7, 1)) };
        for records in
            [vec![known.clone()], vec![full(id(6, 2)), known, Record { user_agent: None, ..full(id(8, 3)) }]]
        {
            assert_eq!(opened(&sealed(&records)), records);
        }
    }

    #[test]
    fn a_column_that_a_later_deploy_adds_is_passed_over() {
        let bounced = [full(id(7, 1)), Record { bounced_at_ms: None, ..full(id(8, 2)) }];
        let mut batch = sealed(&bounced);
        assert_eq!((batch[1], opened(&batch)), (2, bounced.to_vec()));
        // A number that is not known here, with three bytes behind it.
        batch.extend_from_slice(&[99, 3, 1, 2, 3]);
        let length = Reader(&batch[2..]).number().unwrap() + 5;
        let mut head = Writer(vec![MAGIC, EXTENDED]);
        head.number(length);
        let later = [&head.0[..], &batch[4..]].concat();
        assert_eq!(opened(&later), bounced);
    }

    #[test]
    fn batches_one_after_the_other_are_read_as_one_and_only_what_is_wanted() {
        let records: Vec<Record> = (0..9).map(|n| full(id(1_795_348_800_000 + i64::from(n), n))).collect();
        let batches = [sealed(&records[..4]), sealed(&records[4..5]), sealed(&records[5..])].concat();
        assert_eq!(opened(&batches), records);
        let mut found = Vec::new();
        let wanted = |id: EventId| id.ts_ms() % 3 == 0;
        open(&batches, &wanted, &mut |_, record| found.push(record)).unwrap();
        let expected: Vec<Record> = records.into_iter().filter(|record| record.ts_ms % 3 == 0).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_hundred_clicks_of_a_second_take_little() {
        let records: Vec<Record> = (0..100_u8)
            .map(|n| Record {
                recipient_id: format!("recipient-{:05}", u32::from(n) * 977),
                ip: Some(format!("203.0.113.{n}")),
                visitor_id: Some(format!("{:032x}", u128::from(n) * 0x1234_5678_9abc_def0_1357_9bdf)),
                user_agent: Some(format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/1{}.0.0.0",
                    n % 30
                )),
                ..full(id(1_795_348_800_000 + i64::from(n) * 10, n))
            })
            .collect();
        let bytes = sealed(&records).len() / 100;
        assert!(bytes < 60, "{bytes}");
    }

    #[test]
    fn what_is_no_batch_says_so_and_a_later_version_too() {
        let mut later = sealed(&[full(id(7, 1))]);
        later[1] = 3;
        assert_eq!(all(&later).unwrap_err(), "records: version 3 is not known here");
        assert!(all(b"{\"event_id\"").unwrap_err().contains("not a batch"));
        assert!(all(&[MAGIC]).unwrap_err().contains("not a batch"));
        let whole = sealed(&[full(id(7, 1)), full(id(8, 2))]);
        for end in 2..whole.len() {
            assert!(all(&whole[..end]).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_reading_ends(at in 0_usize..400, byte in any::<u8>()) {
            let mut bytes = sealed(&[full(id(7, 1)), full(id(8, 2)), full(id(9, 3))]);
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = all(&bytes);
        }
    }
}
