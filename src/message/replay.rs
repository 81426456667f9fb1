//! Records that somebody brings along: what an import wrote, or what the log holds of clicks that no object took. They come as
//! text, of many messages; each is checked by itself, and a bad one stops no other.

use serde::Serialize;

use crate::json::{Json, Problem};
use crate::link::text_id;
use crate::link::url::Target;
use crate::record::read::no_json;
use crate::record::{EventId, Record, packed};
use crate::signals::stored;
use crate::verdict::Key;
use crate::verdict::order::arrange;

/// The most messages of one call: each is asked for itself, and before that ends somebody waits for the answer.
pub const MAX_MESSAGES: usize = 500;

/// The most bad records that are told of: a body with more is no body of records.
pub const MAX_BAD: usize = 10_000;

const NO_RECORDS: &str = "the body: must be click records, as NDJSON or as a list; `clickproof import` makes them of a \
                          provider's export";

/// A record that cannot be taken.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// Its line, or its place in the list, from 1 on.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// A message's records.
#[derive(Debug, PartialEq, Eq)]
pub struct Share {
    /// The message.
    pub message_id: String,
    /// How many they are.
    pub count: usize,
    /// One batch of them ([`packed`]).
    pub records: Vec<u8>,
}

/// What a body brings.
#[derive(Debug, PartialEq, Eq)]
pub struct Brought {
    /// The records, message by message.
    pub messages: Vec<Share>,
    /// Those that cannot be taken.
    pub bad: Vec<Bad>,
}

/// Reads a body of records: NDJSON, or a list. `keep` makes of a record what may be kept of it.
///
/// # Errors
/// What is wrong with the body as a whole; nothing is taken then.
pub fn read(body: &str, keep: &dyn Fn(Record) -> Record) -> Result<Brought, String> {
    let body = body.trim_start_matches('\u{feff}');
    let (mut records, mut bad) = (Vec::new(), Vec::new());
    let mut take = |at: usize, read: Result<Json, Problem>| match read.map_err(no_json).and_then(record) {
        Ok((id, record)) => records.push((id, keep(record))),
        Err(message) => bad.push(Bad { line: at + 1, message }),
    };
    match body.trim_ascii_start().bytes().next() {
        Some(b'[') => {
            let list = Json::parse(body);
            let list = list.map_err(|problem| format!("the body is no list of records: {problem}"))?;
            if let Json::List(values) = list {
                for (at, value) in values.into_iter().enumerate() {
                    take(at, Ok(value));
                }
            }
        }
        Some(b'{') => {
            for (at, line) in body.lines().enumerate() {
                if !line.trim_ascii().is_empty() {
                    take(at, Json::parse(line));
                }
            }
        }
        _ => return Err(NO_RECORDS.to_owned()),
    }
    if let Some(Bad { line, message }) = bad.first().filter(|_| bad.len() > MAX_BAD) {
        return Err(format!("the body: more than {MAX_BAD} bad records; the first is {line}: {message}"));
    }
    let messages = shares(&records);
    if messages.len() > MAX_MESSAGES {
        return Err(format!("the body: records of more than {MAX_MESSAGES} messages; send it in parts"));
    }
    Ok(Brought { messages, bad })
}

/// Reads a record.
fn record(json: Json) -> Result<(EventId, Record), String> {
    let mut record = Record::of(json)?;
    // The log may hold clicks on links of before.
    text_id::check_known_message_id(&record.message_id)
        .and_then(|()| text_id::check_recipient_id(&record.recipient_id))
        .and_then(|()| record.link_id.as_deref().map_or(Ok(()), text_id::check_link_id))
        .and_then(|()| record.group.as_deref().map_or(Ok(()), text_id::check_group))
        .map_err(|error| error.to_string())?;
    if record.url.as_ref().is_some_and(|url| url.len() > Target::MAX_LEN) {
        return Err(format!("url: longer than {} bytes; shorten it", Target::MAX_LEN));
    }
    stored::check(&record)?;
    record.cut();
    match EventId::parse(&record.event_id) {
        Some(id) if id.ts_ms() == record.ts_ms => Ok((id, record)),
        _ => Err("event_id: must be a UUIDv7 of ts_ms, in lower case".to_owned()),
    }
}

/// The records message by message, each message's in their order.
fn shares(records: &[(EventId, Record)]) -> Vec<Share> {
    let mut places: Vec<usize> = (0..records.len()).collect();
    let key = |at: usize| records.get(at).map_or(0, |(_, record)| Key::of(&record.message_id).number());
    arrange(&mut places, &|at| (0, key(at)));
    let (mut shares, mut theirs) = (Vec::new(), Vec::new());
    for (id, record) in places.into_iter().filter_map(|at| records.get(at)) {
        if theirs.last().is_some_and(|(_, last): &(EventId, &Record)| last.message_id != record.message_id) {
            shares.extend(share(&theirs));
            theirs.clear();
        }
        theirs.push((*id, record));
    }
    shares.extend(share(&theirs));
    shares
}

fn share(records: &[(EventId, &Record)]) -> Option<Share> {
    let message_id = records.first()?.1.message_id.clone();
    Some(Share { message_id, count: records.len(), records: packed::seal(records) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::signals::Signals;

    const MS: i64 = 1_795_348_800_000;

    fn id(ms: i64, n: u8) -> EventId {
        let mut bytes = EventId::first_of(ms).bytes();
        bytes[6] = 0x70;
        bytes[15] = n;
        EventId::from_bytes(bytes)
    }

    fn click(message_id: &str, n: u8) -> Value {
        let ms = MS + i64::from(n);
        json!({
            "event_id": id(ms, n).to_string(), "message_id": message_id, "recipient_id": "r", "link_id": "l",
            "ts_ms": ms, "sent_at_ms": MS,
        })
    }

    fn with(field: &str, value: Value) -> Value {
        let mut click = click("m", 1);
        click[field] = value;
        click
    }

    /// What a body brings: of each message its records, and the bad ones.
    fn brought(body: &str) -> (Vec<(String, Vec<Record>)>, Vec<Bad>) {
        let Brought { messages, bad } = read(body, &|record| record).unwrap();
        let records = |share: Share| {
            let records: Vec<Record> =
                packed::all(&share.records).unwrap().into_iter().map(|(_, record)| record).collect();
            assert_eq!(share.count, records.len());
            (share.message_id, records)
        };
        (messages.into_iter().map(records).collect(), bad)
    }

    fn parsed(clicks: &[Value]) -> Vec<Record> {
        clicks.iter().map(|click| Record::parse(&click.to_string()).unwrap()).collect()
    }

    #[test]
    fn signals_are_taken_as_the_log_has_them_and_no_others() {
        let record = |signals: Value| {
            let id = id(MS, 1).to_string();
            json!({"event_id": id, "message_id": "m", "recipient_id": "r", "link_id": "l", "ts_ms": MS, "sent_at_ms": MS,
                   "method": null, "signals": signals})
            .to_string()
        };
        let sealed = stored::seal(&Signals::of(&Record::default()), &|number| number);
        let kept = |record: Record| Record { url: Some("https://kept.example/".to_owned()), ..record };
        let Brought { messages, bad } = read(&record(sealed.as_str().into()), &kept).unwrap();
        assert_eq!(bad, []);
        let stored = packed::all(&messages[0].records).unwrap().remove(0).1;
        assert_eq!((stored.signals, stored.method.as_str()), (Some(sealed.clone()), ""));
        assert_eq!(stored.url.as_deref(), Some("https://kept.example/"), "what may be kept is asked");
        for signals in ["00", "xyz", &sealed[2..], &format!("{sealed}{}", "00".repeat(1_024))] {
            let bad = read(&record(signals.into()), &|record| record).unwrap().bad;
            assert!(bad[0].message.starts_with("signals: must be as a line"), "{signals}: {bad:?}");
        }
    }

    #[test]
    fn lines_and_lists_bring_the_same_by_message() {
        let clicks = [click("m", 1), click("n", 2), click("m", 3), click("n", 4), click("m", 5)];
        let of = |places: [usize; 2]| places.map(|at| clicks[at].clone());
        let lines: Vec<String> = clicks.iter().map(Value::to_string).collect();
        let (n, m) =
            (parsed(&of([1, 3])), parsed(&[clicks[0].clone(), clicks[2].clone(), clicks[4].clone()]));
        for body in [
            lines.join("\n"),
            format!("\u{feff}{}\r\n", lines.join("\r\n\n")),
            format!("\n {}", lines.join("\n \n")),
            json!(clicks).to_string(),
            format!("\u{feff} {:#}", json!(clicks)),
        ] {
            let (mut messages, bad) = brought(&body);
            messages.sort_by(|(a, _), (b, _)| a.cmp(b));
            assert_eq!(messages, [("m".to_owned(), m.clone()), ("n".to_owned(), n.clone())], "{body}");
            assert_eq!(bad, []);
        }
        assert_eq!(brought("[]"), (vec![], vec![]));
    }

    #[test]
    fn a_bad_record_is_told_by_its_line_and_stops_no_other() {
        let good = click("m", 1).to_string();
        let body = format!("{good}\n\n{{\n{good}\n{}", with("ts_ms", json!("x")));
        let (messages, bad) = brought(&body);
        assert_eq!(messages[0].1.len(), 2);
        let places: Vec<usize> = bad.iter().map(|bad| bad.line).collect();
        assert_eq!(places, [3, 5]);
        let (messages, bad) = brought(&format!("[{good}, 7, {good}, {{}}]"));
        assert_eq!(messages[0].1.len(), 2);
        let told: Vec<(usize, &str)> = bad.iter().map(|bad| (bad.line, bad.message.as_str())).collect();
        assert_eq!(told, [(2, "a click record is a JSON object"), (4, "ts_ms: missing; a record needs it")]);
    }

    #[test]
    fn what_is_wrong_with_a_record_is_said_by_its_field() {
        let long = "x".repeat(65);
        for (bad, words) in [
            (json!({}), "ts_ms: missing"),
            (with("recipient_id", json!(null)), "recipient_id: missing"),
            (with("link_id", json!(null)), "link_id: missing"),
            (with("sent_at_ms", json!("2026-11-22")), "sent_at_ms: must be a whole number"),
            (with("ts_ms", json!(MS / 1_000)), "`ts_ms` is 1795348800, which looks like seconds"),
            (with("bounced_at_ms", json!(5)), "`bounced_at_ms` is 5, which is before 2000"),
            (with("kind", json!("visit")), "kind: must be click, open, unsubscribe or confirm"),
            (with("message_id", json!("a b")), "message_id is 1 to 128 characters"),
            (with("recipient_id", json!("ann@brand.example")), "recipient_id is 1 to 64 characters"),
            (with("link_id", json!(long)), "link_id is 1 to 64 characters"),
            (with("group", json!("Orange France")), "group is 1 to 64 characters"),
            (with("url", json!("x".repeat(4_097))), "url: longer than 4096 bytes"),
            (with("ts_ms", json!(MS)), "event_id: must be a UUIDv7 of ts_ms"),
            (with("event_id", json!("e1")), "event_id: must be a UUIDv7 of ts_ms"),
            (
                with("event_id", json!(id(MS + 1, 0xab).to_string().to_uppercase())),
                "event_id: must be a UUIDv7 of ts_ms, in lower case",
            ),
        ] {
            let (messages, told) = brought(&bad.to_string());
            assert_eq!((messages.len(), told.len(), told[0].line), (0, 1, 1), "{bad}");
            assert!(told[0].message.starts_with(words), "{bad}: {}", told[0].message);
        }
    }

    #[test]
    fn a_field_that_stands_twice_is_named_wherever_the_record_is() {
        let twice = click("m", 1).to_string().replacen('{', "{\"ip\":\"192.0.2.1\",\"ip\":\"192.0.2.2\",", 1);
        let line = format!("{{\"event\":\"click.unrecorded\",\"record\":{twice}}}");
        for (body, words) in
            [(&twice, "ip: stands twice; leave one"), (&line, "record.ip: stands twice; leave one")]
        {
            assert_eq!(brought(body).1[0].message, words, "{body}");
        }
    }

    #[test]
    fn clicks_on_links_of_before_are_taken_whatever_their_message_is_called() {
        assert_eq!(brought(&click("..", 1).to_string()).0.len(), 1);
        assert_eq!(brought(&click("...", 1).to_string()).0.len(), 1);
    }

    #[test]
    fn a_record_is_kept_as_the_edge_would_have_kept_it() {
        let (long, mut given) = ("x".repeat(2_000), with("url", json!("https://brand.example/?to=a#b")));
        given["referer"] = json!("https://x.example/p?to=ann@brand.example");
        given["user_agent"] = json!(long);
        given["visitor_id"] = json!(long);
        given["label"] = json!("person");
        given["verified"] = json!("interacted");
        given["bounced_at_ms"] = json!(MS + 7);
        given["group"] = json!("g".repeat(64));
        let mut expected = parsed(&[given.clone()]).remove(0);
        expected.referer = Some("https://x.example/p".to_owned());
        expected.user_agent = Some("x".repeat(1_024));
        expected.visitor_id = Some("x".repeat(1_024));
        expected.verified = crate::record::Verified::None;
        assert_eq!(brought(&given.to_string()), (vec![("m".to_owned(), vec![expected])], vec![]));
    }

    #[test]
    fn a_line_of_the_log_brings_the_record_that_it_tells_of() {
        let record = parsed(&[click("m", 1)]).remove(0);
        let line = crate::event::line::unrecorded(&record, "unreachable: \"words\"");
        assert_eq!(brought(&line), (vec![("m".to_owned(), vec![record])], vec![]));
        // Somebody's own field of that name is none.
        let own = json!({"event": "click", "record": click("m", 1)});
        assert!(brought(&own.to_string()).1[0].message.starts_with("ts_ms: missing"));
    }

    #[test]
    fn a_body_that_brings_no_records_is_refused_as_a_whole() {
        let lines: Vec<String> = (0..=MAX_MESSAGES).map(|n| click(&format!("m{n}"), 1).to_string()).collect();
        let many = lines.join("\n");
        for (body, words) in [
            ("event_id,ts_ms\n1,2", "the body: must be click records, as NDJSON or as a list"),
            ("", "the body: must be click records"),
            ("\u{feff} \n", "the body: must be click records"),
            ("[{}", "the body is no list of records: EOF while parsing a list"),
            (
                &"{}\n".repeat(MAX_BAD + 1),
                "the body: more than 10000 bad records; the first is 1: ts_ms: missing",
            ),
            (&many, "the body: records of more than 500 messages; send it in parts"),
        ] {
            let error = read(body, &|record| record).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
        assert_eq!(read(&"{}\n".repeat(MAX_BAD), &|record| record).unwrap().bad.len(), MAX_BAD);
        let most = lines[1..].join("\n");
        assert_eq!(read(&most, &|record| record).unwrap().messages.len(), MAX_MESSAGES);
    }
}
