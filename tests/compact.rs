//! `clickproof compact` as people run it, what it wrote read back by another part of the library that wrote it; tests/worker has
//! `DuckDB` read it.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Output};
use std::time::{Duration, UNIX_EPOCH};

use clickproof::event::line;
use clickproof::record::{EventId, Record, Sighting, Verified};
use clickproof::verdict::{ClickType, Confidence, Finding, Ruleset, Verdict};
use common::command::{self, stderr};
use common::{NOON_MS, record};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;

/// A directory of a test's own, gone at its end: objects below `events`, files below `out`.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("clickproof-compact-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("events")).unwrap();
        Self(path)
    }

    fn path(&self, below: &str) -> String {
        self.0.join(below).to_str().unwrap().to_owned()
    }

    /// Writes an object, uploaded at that time.
    fn object(&self, key: &str, lines: &[String], uploaded_ms: i64) {
        let path = self.0.join("events").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = lines.iter().fold(String::new(), |text, line| text + line + "\n");
        let bytes = if path.extension().is_some_and(|end| end == "gz") {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(text.as_bytes()).unwrap();
            gzip.finish().unwrap()
        } else {
            text.into_bytes()
        };
        fs::write(&path, bytes).unwrap();
        let uploaded = UNIX_EPOCH + Duration::from_millis(uploaded_ms.try_into().unwrap());
        fs::File::open(&path).unwrap().set_modified(uploaded).unwrap();
    }

    fn compact(&self, more: &[&str]) -> Output {
        command::run(&[&["compact", &self.path("events"), "--output", &self.path("out")], more].concat(), "")
    }

    /// Compacts without a bad line; what was written, by path.
    fn compacted(&self, more: &[&str]) -> Vec<String> {
        let output = self.compact(more);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
        let told = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        told.map(|told| told["path"].as_str().unwrap().to_owned()).collect()
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(&self.0.join("out"), &self.0.join("out"), &mut found);
        found
    }

    fn rows(&self, event: &str, dt: &str) -> Vec<Value> {
        let path = self.0.join(format!("out/event={event}/dt={dt}/events.parquet"));
        let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
        reader.get_row_iter(None).unwrap().map(|row| value(&row.unwrap())).collect()
    }
}

/// A row as JSON, its time told from a number.
fn value(row: &Row) -> Value {
    fn of(field: &Field) -> Value {
        match field {
            Field::Null => Value::Null,
            Field::Bool(value) => (*value).into(),
            Field::Long(number) => (*number).into(),
            Field::Str(text) => text.as_str().into(),
            Field::TimestampMillis(ms) => json!({ "time": ms }),
            Field::ListInternal(list) => list.elements().iter().map(of).collect(),
            other => panic!("{other:?}"),
        }
    }
    row.get_column_iter().map(|(name, field)| (name.clone(), of(field))).collect()
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn collect(below: &Path, directory: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(below, &path, found);
        } else {
            let name = path.strip_prefix(below).unwrap().to_str().unwrap().to_owned();
            found.insert(name, fs::read(&path).unwrap());
        }
    }
}

fn id(ts_ms: i64, place: u32) -> String {
    let time = format!("{ts_ms:012x}");
    format!("{}-{}-7000-8000-{place:012}", &time[..8], &time[8..])
}

/// A click at that time, found to be a person's.
fn click(place: u32, ts_ms: i64) -> Record {
    Record { event_id: id(ts_ms, place), ts_ms, ..record("", &format!("r{place}"), "cta", ts_ms) }
}

fn shipped(record: &Record, click_type: ClickType, revision: u32) -> String {
    let finding = Finding {
        click_type: Some(click_type),
        vendor: None,
        confidence: Confidence::Probable,
        rule: "rule".into(),
        reasons: vec!["+one".into(), "-\"other\"".into()],
        paired_with: None,
    };
    line::shipped(record, &Verdict::new(finding, Ruleset::Full, revision), None)
}

fn human(place: u32, ts_ms: i64) -> String {
    shipped(&click(place, ts_ms), ClickType::Human, 1)
}

#[test]
fn a_row_says_what_the_line_said_by_the_tables_types() {
    let place = Place::new("row");
    let full = Record {
        delivered_at_ms: Some(NOON_MS - 5),
        asn: Some(8075),
        secure: Some(true),
        user_agent: Some("Ünicode \"quoted\" \\ \u{1}".to_owned()),
        ..click(1, NOON_MS)
    };
    let unknown = r#"{"z":1.50,"a":{"b":[null]},"asn":null,"#;
    let lines = [
        shipped(&full, ClickType::ScannerSweep, 3),
        shipped(&click(2, NOON_MS), ClickType::Human, 1)
            .replacen('{', unknown, 1)
            .replace(r#","asn":null,"c"#, r#","c"#),
    ];
    place.object("dt=2026-11-22/hh=12/a.ndjson", &lines, NOON_MS);
    assert_eq!(place.compacted(&[]), ["event=click/dt=2026-11-22/events.parquet"]);

    let [one, other] = place.rows("click", "2026-11-22").try_into().unwrap();
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    for (name, value) in line.as_object().unwrap().iter().filter(|(name, _)| *name != "event") {
        assert_eq!(one[name], *value, "{name}");
    }
    assert_eq!(one["ts"], json!({ "time": NOON_MS }));
    assert_eq!(one["reasons"], json!(["+one", "-\"other\""]));
    assert_eq!((&one["extra"], &one["group"]), (&Value::Null, &Value::Null));
    assert!(one.get("event").is_none() && one.get("since_load_ms").is_none());
    assert_eq!(other["extra"], r#"{"a":{"b":[null]},"z":1.50}"#, "as it was written, by name");
    assert_eq!(other["delivered_at_ms"], Value::Null);
}

#[test]
fn a_reason_may_be_none() {
    let place = Place::new("reasons");
    let none = human(1, NOON_MS).replace(r#"["+one","-\"other\""]"#, "[]");
    place.object(
        "a.ndjson",
        &[none, human(2, NOON_MS), human(3, NOON_MS).replace(r#""-\"other\"""#, r#""-x","-y""#)],
        NOON_MS,
    );
    place.compacted(&[]);
    let reasons: Vec<_> =
        place.rows("click", "2026-11-22").into_iter().map(|row| row["reasons"].clone()).collect();
    assert_eq!(reasons, [json!([]), json!(["+one", "-\"other\""]), json!(["+one", "-x", "-y"])]);
}

#[test]
fn the_highest_revision_is_kept_wherever_it_lies() {
    let place = Place::new("revisions");
    let late = NOON_MS + 11 * 3_600_000;
    let of = |click_type, revision| shipped(&click(1, NOON_MS), click_type, revision);
    place.object("dt=2026-11-22/hh=12/a.ndjson", &[of(ClickType::Human, 1), human(2, late)], NOON_MS);
    place.object("dt=2026-11-22/hh=11/b.ndjson.gz", &[of(ClickType::ScannerFanout, 10)], NOON_MS);
    place.object("dt=2026-11-21/hh=11/c.ndjson", &[of(ClickType::ScannerSweep, 9), human(2, late)], NOON_MS);
    let output = place.compact(&[]);
    assert!(
        stderr(&output).contains("2 events in 1 files; 3 lines were earlier revisions or repetitions"),
        "{}",
        stderr(&output)
    );
    let rows = place.rows("click", "2026-11-22");
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row["revision"].as_i64().unwrap(), row["click_type"].as_str().unwrap()))
        .collect();
    assert_eq!(found, [(10, "scanner_fanout"), (1, "human")]);
}

#[test]
fn each_event_and_day_is_a_file_sorted_by_message_time_and_id() {
    let place = Place::new("sorted");
    let midnight = NOON_MS + DAY_MS / 2;
    let mut lines = vec![human(9, midnight - 1), human(8, midnight), human(7, midnight)];
    let other = Record { message_id: "a message before".to_owned(), ..click(6, midnight + 5) };
    lines.push(shipped(&other, ClickType::Human, 1));
    let sighting = Sighting {
        event_id: EventId::parse(&id(midnight + 9, 0)).unwrap(),
        verified: Verified::Interacted,
        since_load_ms: None,
    };
    lines.push(line::verified(&click(9, midnight - 1), &sighting));
    lines.push(format!(
        r#"{{"event":"a_later_one","event_id":"x","revision":1,"ts_ms":{midnight},"more":[1]}}"#
    ));
    place.object("a.ndjson", &lines, NOON_MS);
    let expected = [
        "event=click/dt=2026-11-22/events.parquet",
        "event=a_later_one/dt=2026-11-23/events.parquet",
        "event=click/dt=2026-11-23/events.parquet",
        "event=verify/dt=2026-11-23/events.parquet",
    ];
    assert_eq!(place.compacted(&[]), expected);
    let ids: Vec<_> = place.rows("click", "2026-11-23").iter().map(|row| row["event_id"].clone()).collect();
    assert_eq!(
        ids,
        [id(midnight + 5, 6), id(midnight, 7), id(midnight, 8)],
        "`a message before` is before `m`"
    );
    let [seen] = place.rows("verify", "2026-11-23").try_into().unwrap();
    assert_eq!(
        (&seen["click_event_id"], &seen["since_load_ms"]),
        (&json!(id(midnight - 1, 9)), &Value::Null)
    );
    let [later] = place.rows("a_later_one", "2026-11-23").try_into().unwrap();
    assert_eq!(later["extra"], r#"{"more":[1]}"#);
}

#[test]
fn the_same_events_give_the_same_bytes_whatever_their_order() {
    let (one, other) = (Place::new("bytes-1"), Place::new("bytes-2"));
    // One revision twice, as two releases shipped it.
    let fewer = human(0, NOON_MS).replace(r#""method":"GET","#, "");
    let mut lines: Vec<_> = (0..500).map(|place| human(place, NOON_MS + i64::from(place % 7))).collect();
    one.object("dt=2026-11-22/hh=12/a.ndjson", &lines[..200], NOON_MS);
    one.object("dt=2026-11-22/hh=13/b.ndjson", &lines[200..], NOON_MS);
    one.object("z.ndjson", std::slice::from_ref(&fewer), NOON_MS);
    lines.reverse();
    other.object("0.ndjson", &[fewer], 0);
    other.object("dt=2026-11-22/hh=12/x.ndjson.gz", &lines, NOON_MS);
    other.object("dt=2026-11-22/hh=12/y.ndjson", &lines[..50], NOON_MS);
    one.compacted(&[]);
    let before = one.files();
    assert_eq!(before.len(), 1);
    one.compacted(&[]);
    assert!(one.files() == before, "twice");
    other.compacted(&[]);
    assert!(other.files() == before, "in another order, in other objects");
}

#[test]
fn since_writes_only_days_that_have_a_new_object_and_all_of_them() {
    let place = Place::new("since");
    let days = [0, 1, 2].map(|day| NOON_MS + day * DAY_MS);
    for (day, name) in days.iter().zip(["22", "23", "24"]) {
        place.object(
            &format!("dt=2026-11-{name}/hh=12/a.ndjson"),
            &[human(1, *day), human(2, *day)],
            day + 60_000,
        );
    }
    place.compacted(&[]);
    let before = place.files();
    assert_eq!(before.len(), 3);

    // A delivery was told late, of one click of the second day.
    let amended = shipped(&click(1, days[1]), ClickType::ScannerSweep, 2);
    place.object("dt=2026-11-23/hh=12/b.ndjson", &[amended], days[2] + DAY_MS);
    assert_eq!(place.compacted(&["--since", "2026-11-25"]), ["event=click/dt=2026-11-23/events.parquet"]);
    let after = place.files();
    let changed: Vec<_> = before.keys().filter(|path| before[*path] != after[*path]).collect();
    assert_eq!(changed, ["event=click/dt=2026-11-23/events.parquet"]);
    let types: Vec<_> =
        place.rows("click", "2026-11-23").iter().map(|row| row["click_type"].clone()).collect();
    assert_eq!(types, ["scanner_sweep", "human"]);
    place.compacted(&[]);
    assert!(place.files() == after, "as all of it does");

    assert!(place.compacted(&["--since", "2026-11-25T12:00:01Z"]).is_empty());
    assert!(place.files() == after);
}

#[test]
fn a_bad_line_is_told_and_stops_no_other() {
    let place = Place::new("bad");
    let asn = human(2, NOON_MS).replace(r#""asn":null"#, r#""asn":"8075""#);
    let superseding =
        shipped(&click(3, NOON_MS), ClickType::ScannerSweep, 2).replace(r#""ip":null"#, r#""ip":7"#);
    let seconds = human(4, NOON_MS).replace(&NOON_MS.to_string(), &(NOON_MS / 1_000).to_string());
    let record = serde_json::to_string(&click(5, NOON_MS)).unwrap();
    let lines = ["{".to_owned(), human(1, NOON_MS), asn, superseding, human(3, NOON_MS), seconds, record];
    place.object("dt=2026-11-22/hh=12/a.ndjson", &lines, NOON_MS);
    let output = place.compact(&[]);
    assert_eq!(output.status.code(), Some(1));
    let file = place.path("events/dt=2026-11-22/hh=12/a.ndjson");
    let mut said: Vec<_> =
        stderr(&output).lines().filter_map(|line| line.strip_prefix(&format!("{file}:"))).collect();
    said.sort_unstable();
    let starts = [
        "1: not a JSON object: EOF",
        "3: asn: must be an integer",
        "4: ip: must be a string",
        "6: `ts_ms` is 1795348800, which looks like seconds",
        "7: event: missing, so this is no shipped event",
    ];
    assert_eq!(said.len(), starts.len(), "{said:?}");
    for (said, start) in said.iter().zip(starts) {
        assert!(said.starts_with(start), "{said}");
    }
    let kept: Vec<_> =
        place.rows("click", "2026-11-22").iter().map(|row| row["recipient_id"].clone()).collect();
    assert_eq!(kept, ["r1", "r3"], "a bad amendment leaves what was");
}

#[test]
fn what_cannot_be_read_or_written_is_said_and_leaves_nothing() {
    let place = Place::new("refused");
    let output = place.compact(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no events lie below it"), "{}", stderr(&output));

    place.object("a.ndjson", &[human(1, NOON_MS)], NOON_MS);
    place.object("notes.txt", &[], NOON_MS);
    let output = place.compact(&["--since", "yesterday"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("a time is such as 2026-11-22"), "{}", stderr(&output));

    let missing = command::run(&["compact", &place.path("nowhere"), "--output", &place.path("out")], "");
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("name directories that can be read"), "{}", stderr(&missing));

    // A file stands where the directory would.
    fs::write(place.0.join("out"), "").unwrap();
    let output = place.compact(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("name a directory that can be written"), "{}", stderr(&output));
    fs::remove_file(place.0.join("out")).unwrap();

    let output = place.compact(&[]);
    assert!(stderr(&output).contains("1 files are left"), "{}", stderr(&output));
    assert_eq!(place.files().into_keys().collect::<Vec<_>>(), ["event=click/dt=2026-11-22/events.parquet"]);
}
