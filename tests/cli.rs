//! The commands as people run them: the real binary, its streams and its exit status.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use clickproof::event::pack::Draft;
use clickproof::event::parcel::{self, Letter};
use clickproof::link::keys::Keyring;
use clickproof::link::token;
use clickproof::record::{Delivery, EventId, EventIds, Kind, Record, packed};
use clickproof::verdict::thresholds::SETTINGS;
use clickproof::verdict::{Finding, Ruleset, Thresholds, Verdict};
use common::command::File;
use common::{NOON_MS, naive, record};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const BASE: [&str; 3] = ["mint", "--base-url", "https://click.brand.example"];
const EXCHANGE: &str = "40.92.1.1";
const SAFE_LINKS: &str = "https://nam02.safelinks.protection.outlook.com/";

fn start(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_clickproof"))
        .args(args)
        .env("LINK_KEYS", KEYS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn run(args: &[&str], input: &[u8]) -> Output {
    finish(start(args), input)
}

fn finish(mut child: Child, input: &[u8]) -> Output {
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that refuses its flags does not read.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// What stderr says beside what `classify` could not use: the records of these tests have little that it could.
fn complaints(output: &Output) -> Vec<&str> {
    let is_note = |line: &&str| line.starts_with("0 of ") || line.contains(" that no rule looks at: ");
    stderr(output).lines().filter(|line| !is_note(line)).collect()
}

fn results(output: &Output) -> Vec<Value> {
    output
        .stdout
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// Runs without a bad line.
fn classify(flags: &[&str], lines: &str) -> Vec<Value> {
    let output = run(&[&["classify"], flags].concat(), lines.as_bytes());
    assert_eq!((output.status.code(), complaints(&output)), (Some(0), vec![]));
    results(&output)
}

fn ndjson(records: &[Record]) -> String {
    records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n").collect()
}

/// A file that goes when the test ends.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("clickproof-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

fn pick<'a>(values: &'a [Value], field: &str) -> Vec<&'a str> {
    values.iter().map(|value| value[field].as_str().unwrap_or("null")).collect()
}

// What all commands share

#[test]
fn what_is_not_built_or_not_known_is_refused_with_a_remedy() {
    for (args, words) in [
        (&["rewrite"][..], "--base-url <URL>"),
        (&["sql"], "--dialect <DIALECT>"),
        (&["networks"], "Usage: clickproof networks <COMMAND>"),
        (&[], "Usage: clickproof <COMMAND>"),
        (&["classify", "--explain=yes"], "unexpected value 'yes' for '--explain'"),
        (&["classify", "spare.ndjson"], "unexpected argument 'spare.ndjson'"),
        (&["classify", "--ruleset", "Full"], "possible values: defender, full"),
        (&["classify", "--ruleset", "full@1"], "possible values: defender, full"),
        (&["mint"], "--base-url <URL>"),
        (&["mint", "--base-url", "click.brand.example"], "begin it with http:// or https://"),
        (&["mint", "--base-url", "https://click.brand.example?x"], "scheme and host alone"),
        (&["mint", "--base-url", "https://click.brand.example#x"], "scheme and host alone"),
        (&["mint", "--base-url", "https://a@click.brand.example"], "remove everything up to the @"),
        (&["mint", "--base-url", "https://"], "put a valid name or address"),
        (
            &["mint", "--base-url", "https://x.example", "--link-keys", KEYS],
            "unexpected argument '--link-keys'",
        ),
    ] {
        let output = run(args, b"");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
        assert!(stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_file_that_cannot_be_used_is_refused_and_keeps_what_it_holds() {
    let file = Temporary::new("kept", "{}\n");
    let directory = std::env::temp_dir();
    let directory = directory.to_str().unwrap();
    for (flags, words) in [
        (["--input", "no/such/file"], "--input no/such/file: "),
        (["--input", directory], "it is a directory; name a file"),
        (["--output", "no/such/file"], "name a file that can be written"),
    ] {
        for command in [&["classify"][..], &BASE] {
            let output = run(
                &[command, &flags, &["--input", file.path()][..if flags[0] == "--output" { 2 } else { 0 }]]
                    .concat(),
                b"",
            );
            assert_eq!(output.status.code(), Some(2), "{flags:?}");
            assert!(stderr(&output).contains(words), "{flags:?}: {}", stderr(&output));
        }
    }
    let same = run(&["classify", "--input", file.path(), "--output", file.path()], b"");
    assert_eq!(same.status.code(), Some(2));
    assert!(stderr(&same).contains("it is the input; name another file"), "{}", stderr(&same));
    let unreadable = run(&["classify", "--input", "no/such/file", "--output", file.path()], b"");
    assert_eq!(unreadable.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "{}\n");
}

#[test]
fn files_stand_for_streams() {
    let records = [record("a", "r", "l", NOON_MS), record("b", "r", "l", NOON_MS + 1)];
    let (input, output) =
        (Temporary::new("in", &ndjson(&records)), Temporary::new("out", "what it held before"));
    let done = run(&["classify", "--input", input.path(), "--output", output.path()], b"not read");
    assert_eq!((done.status.code(), complaints(&done), done.stdout.len()), (Some(0), vec![], 0));
    let written = std::fs::read_to_string(output.path()).unwrap();
    assert_eq!(written, String::from_utf8(run(&["classify"], ndjson(&records).as_bytes()).stdout).unwrap());
    assert_eq!(written.lines().count(), 2);
}

#[test]
fn a_bad_line_is_told_and_the_rest_goes_on() {
    let good = |id: &str| serde_json::to_string(&record(id, "r", "l", NOON_MS)).unwrap();
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20));
    let lines = [
        good("a").into_bytes(),
        b"".to_vec(),
        b"{\"event_id\":".to_vec(),
        b" \t\r".to_vec(),
        b"[]".to_vec(),
        br#"{"event_id":"c"}"#.to_vec(),
        b"{\"event_id\":\"\xff\"}".to_vec(),
        long.into_bytes(),
        good("b").replace(&NOON_MS.to_string(), "\"noon\"").into_bytes(),
        good("b").replace("\"kind\":\"click\"", "\"kind\":\"\\u001b[31mx\\nx\"").into_bytes(),
        // The last line has no end.
        good("z").into_bytes(),
    ];
    let input = lines.join(&b'\n');
    let file = Temporary::new("bad", "");
    std::fs::write(&file.0, &input).unwrap();
    let piped = run(&["classify"], &input);
    let named = run(&["classify", "--input", file.path()], b"");
    for (output, source) in [(piped, "stdin"), (named, file.path())] {
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(pick(&results(&output), "event_id"), ["a", "z"]);
        let said = complaints(&output);
        let expected = [
            (3, "not a JSON object: EOF while parsing a value at byte 12"),
            (5, "a JSON object"),
            (6, "missing"),
            (7, "not UTF-8 at byte 14"),
            (8, "longer than 1048576 bytes"),
            (9, "ts_ms: must be a whole number"),
            (10, "kind: must be"),
        ];
        assert_eq!(said.len(), expected.len(), "{said:?}");
        for (line, (number, words)) in said.into_iter().zip(expected) {
            assert!(line.starts_with(&format!("{source}:{number}: ")) && line.contains(words), "{line}");
        }
    }
}

#[test]
fn what_the_input_holds_does_not_steer_the_terminal() {
    let output = run(&BASE, br#"{"\u001b[31m\nred":1}"#);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).starts_with("stdin:1: \u{fffd}[31m\u{fffd}red: no such field"),
        "{}",
        stderr(&output)
    );
    assert_eq!(stderr(&output).lines().count(), 1);
}

#[test]
fn nothing_in_is_nothing_out() {
    for args in [&["classify"][..], &["classify", "--with-record"], &BASE] {
        for input in ["", "\n", "\r\n \n"] {
            let output = run(args, input.as_bytes());
            assert_eq!(
                (output.status.code(), output.stdout.len(), stderr(&output)),
                (Some(0), 0, ""),
                "{args:?}"
            );
        }
    }
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let records: Vec<Record> = (0..20_000).map(|n| record(&format!("e{n}"), "r", "l", NOON_MS)).collect();
    let bodies: String = (0..20_000).map(|n| body(&format!("r{n}")) + "\n").collect();
    for (args, input) in [(&["classify"][..], ndjson(&records)), (&BASE, bodies)] {
        let mut child = start(args);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stdin = child.stdin.take().unwrap();
        let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        drop(stdout);
        feeder.join().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(first.starts_with('{'), "{first}");
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""), "{args:?}");
    }
}

// What all commands that read JSON share

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn the_same_records_are_read_in_every_form() {
    let records =
        [record("a", "r", "l", NOON_MS), record("b", "r", "l", NOON_MS + 1), record("c", "s", "l", NOON_MS)];
    let lines = ndjson(&records);
    let expected = run(&["classify", "--with-record"], lines.as_bytes());
    let marked = format!("\u{feff}{lines}");
    let array = serde_json::to_string(&records).unwrap();
    let spread = serde_json::to_string_pretty(&records).unwrap();
    let objects: String =
        records.iter().map(|record| serde_json::to_string_pretty(record).unwrap() + "\n").collect();
    let arrays: String =
        records.iter().map(|record| serde_json::to_string(&[record]).unwrap() + "\n").collect();
    for (form, input) in [
        ("gzip", gzipped(lines.as_bytes())),
        ("two gzip members", [gzipped(&lines.as_bytes()[..200]), gzipped(&lines.as_bytes()[200..])].concat()),
        ("byte order mark", marked.clone().into_bytes()),
        ("both", gzipped(marked.as_bytes())),
        ("array", array.clone().into_bytes()),
        ("gzipped array", gzipped(array.as_bytes())),
        ("array on many lines", spread.into_bytes()),
        ("array behind blank lines and a mark", format!("\u{feff}\n \n{array}").into_bytes()),
        ("objects on many lines", objects.into_bytes()),
        ("an array on each line", arrays.into_bytes()),
        ("lines with CRLF", lines.replace('\n', "\r\n").into_bytes()),
    ] {
        let output = run(&["classify", "--with-record"], &input);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), stderr(&expected)), "{form}");
        assert_eq!(results(&output), results(&expected), "{form}");
        assert_eq!(output.stdout.split(|byte| *byte == b'\n').count(), 3 + 1, "{form}: a line each");
    }
    // What records hold besides may lie on many lines, and comes back on one.
    let mut deep = serde_json::to_value(&records[0]).unwrap();
    deep["deep"] = json!({"a": [1, {"b": "x\ny"}]});
    let spread = serde_json::to_string_pretty(&[&deep]).unwrap();
    let answers = results(&run(&["classify", "--with-record"], spread.as_bytes()));
    assert_eq!((answers.len(), &answers[0]["deep"]), (1, &deep["deep"]));
    let bodies = format!("[{}, {}]", body("r1"), body("r2"));
    let answers = results(&run(&BASE, &gzipped(bodies.as_bytes())));
    assert_eq!(answers.iter().map(minted_for).collect::<Vec<_>>(), ["r1", "r2"]);
    let asked = run(&["networks", "lookup"], br#"["40.92.0.1", {"asn":8075}, "junk"]"#);
    assert_eq!((asked.status.code(), results(&asked).len()), (Some(1), 2));
}

#[test]
fn a_bad_item_is_told_by_its_line_and_the_rest_goes_on() {
    let good = |id: &str| serde_json::to_string(&record(id, "r", "l", NOON_MS)).unwrap();
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20));
    let array = format!(
        "[\n{},\n{{}},\n7, \"a]\\\"]\",\n{{\"event_id\": nope\n}},\n{long},\n{} {}\n,[], {}",
        good("a"),
        good("b"),
        good("lost"),
        good("z"),
    );
    let output = run(&["classify"], array.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(pick(&results(&output), "event_id"), ["a", "b", "z"]);
    let said = complaints(&output);
    let expected = [
        (3, "ts_ms: missing"),
        (4, "a click record is a JSON object"),
        (4, "a click record is a JSON object"),
        (5, "not a JSON object: expected value"),
        (7, "longer than 1048576 bytes"),
        (8, "no comma before it"),
        (9, "a click record is a JSON object"),
        (9, "the array does not end: get the whole of it"),
    ];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (line, (number, words)) in said.into_iter().zip(expected) {
        assert!(line.starts_with(&format!("stdin:{number}: ")) && line.contains(words), "{line}");
    }
    let half = run(&["classify"], &array.as_bytes()[..array.len() - 5]);
    assert!(
        stderr(&half).contains("stdin:9: a value does not end: get the whole of it"),
        "{}",
        stderr(&half)
    );
}

#[test]
fn what_is_neither_lines_nor_an_array_is_said_once() {
    let table = "email,event,timestamp\n".to_owned() + &"ann@example.com,click,1795348860\n".repeat(100);
    for command in [&["classify"][..], &BASE, &["import", "--from", "ses", "--recipient-key", "k"]] {
        for (input, words) in [
            (table.clone().into_bytes(), "stdin: this is CSV: see `import`"),
            (gzipped(table.as_bytes()), "stdin: this is CSV: see `import`"),
            (b"a line\nanother\n".repeat(50), "stdin: this is neither NDJSON nor a JSON array"),
            (b"\xff\xfe{\0\"\0".to_vec(), "stdin: this is UTF-16: write it as UTF-8"),
            (gzipped(table.as_bytes())[..40].to_vec(), "stdin cannot be read after line 0: "),
        ] {
            let output = run(command, &input);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{command:?}");
            assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
            assert!(stderr(&output).contains(words), "{}", stderr(&output));
        }
    }
    let pretty = "{\n  \"event_id\": \"a\"\n}\n";
    assert_eq!(
        complaints(&run(&["classify"], pretty.as_bytes())),
        ["stdin:1: ts_ms: missing; a record needs it"]
    );
}

#[test]
fn a_time_in_seconds_is_refused_by_name() {
    let line = |name: &str| {
        let mut record = serde_json::to_value(record("a", "r", "l", NOON_MS)).unwrap();
        record[name] = json!(NOON_MS / 1_000);
        record.to_string()
    };
    let input = ["ts_ms", "sent_at_ms", "delivered_at_ms"].map(line).join("\n");
    let output = run(&["classify"], input.as_bytes());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    for (at, (name, said)) in
        ["ts_ms", "sent_at_ms", "delivered_at_ms"].iter().zip(complaints(&output)).enumerate()
    {
        let words = format!(
            "stdin:{}: `{name}` is 1795348800, which looks like seconds: give Unix milliseconds",
            at + 1
        );
        assert_eq!(said, words);
    }
    let century = NOON_MS.to_string().replacen("17", "97", 1);
    let late = serde_json::to_string(&record("a", "r", "l", NOON_MS))
        .unwrap()
        .replace(&NOON_MS.to_string(), &century);
    assert!(stderr(&run(&["classify"], late.as_bytes())).contains("is before 2000 or after 2100"));
}

// mint

fn body(recipient: &str) -> String {
    let links = json!([{"link_id": "cta", "url": "https://brand.example/"}]);
    json!({"message_id": "spring", "recipient_id": recipient, "sent_at_ms": NOON_MS, "links": links})
        .to_string()
}

fn minted_for(answer: &Value) -> String {
    let href = answer["links"][0]["href"].as_str().unwrap();
    let token = href.strip_prefix("https://click.brand.example/c/").unwrap();
    token::open(token, &Keyring::parse(KEYS).0.unwrap()).unwrap().recipient_id
}

#[test]
fn links_are_minted_in_order() {
    let input = [body("r1"), body("r 2"), body("r3"), "{".to_owned()].join("\n");
    for base in
        ["https://click.brand.example", "https://click.brand.example/", "https://click.brand.example//"]
    {
        let output = run(&["mint", "--base-url", base], input.as_bytes());
        assert_eq!(output.status.code(), Some(1));
        let said: Vec<&str> = stderr(&output).lines().collect();
        assert!(said[0].starts_with("stdin:2: recipient_id: "), "{said:?}");
        assert_eq!(said[1..], ["stdin:4: not a JSON object: EOF while parsing an object at byte 1"]);
        let answers = results(&output);
        assert_eq!(answers.iter().map(minted_for).collect::<Vec<_>>(), ["r1", "r3"]);
    }
}

#[test]
fn open_pixels_are_minted_on_a_host_of_their_own() {
    let body = body("r1").replacen("\"links\":[", r#""links":[{"link_id":"pixel","kind":"open"},"#, 1);
    let output = run(&[&BASE[..], &["--pixel-url", "https://img.brand.example/"]].concat(), body.as_bytes());
    let [pixel, click] =
        [0, 1].map(|at| results(&output)[0]["links"][at]["href"].as_str().unwrap().to_owned());
    assert!(pixel.starts_with("https://img.brand.example/o/"), "{pixel}");
    assert!(click.starts_with("https://click.brand.example/c/"), "{click}");
    let output = run(&[&BASE[..], &["--pixel-url", "img.brand.example"]].concat(), b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--pixel-url"), "{}", stderr(&output));
}

#[test]
fn a_copys_group_is_minted_into_its_links() {
    let plain = body("r1");
    let grouped = plain.replacen('{', r#"{"group":"gmail.com","#, 1);
    let input = [plain.clone(), grouped, plain.replacen('{', r#"{"group":"Orange France","#, 1)].join("\n");
    let output = run(&BASE, input.as_bytes());
    let words = "stdin:3: group: group is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -";
    assert!(stderr(&output).starts_with(words), "{}", stderr(&output));
    let keys = Keyring::parse(KEYS).0.unwrap();
    let groups = results(&output).into_iter().map(|answer| {
        let href = answer["links"][0]["href"].as_str().unwrap().to_owned();
        token::open(href.rsplit('/').next().unwrap(), &keys).unwrap().group
    });
    assert_eq!(groups.collect::<Vec<_>>(), [None, Some("gmail.com".to_owned())]);
}

/// A line that tells how many the message goes to is told what does not fit; the flag says it for a whole run.
#[test]
fn a_copys_shards_are_minted_into_its_links_and_advised() {
    let plain = body("r1");
    let with = |fields: &str| plain.replacen('{', &format!("{{{fields},"), 1);
    let input = [
        with(r#""shards":16,"sent":8000000"#),
        with(r#""sent":8000000"#),
        with(r#""shards":0"#),
        with(r#""sent":1.5"#),
    ];
    let output = run(&[&BASE[..], &["--sent", "8000000"]].concat(), input.join("\n").as_bytes());
    let said: Vec<&str> = stderr(&output).lines().collect();
    assert_eq!(said[0], "advice: 8000000 recipients: mint all links of the message with \"shards\":16");
    assert_eq!(said[1], "stdin:3: shards: must be a whole number from 1 to 256");
    assert_eq!(said[2..], ["stdin:4: sent: must be a whole number, 0 or more"]);
    let keys = Keyring::parse(KEYS).0.unwrap();
    let answers = results(&output);
    let shards = answers.iter().map(|answer| {
        let href = answer["links"][0]["href"].as_str().unwrap().to_owned();
        token::open(href.rsplit('/').next().unwrap(), &keys).unwrap().shards
    });
    assert_eq!(shards.collect::<Vec<_>>(), [16, 1]);
    assert!(answers[0]["advice"].is_null(), "{}", answers[0]);
    let advice = "shards: 1 are too few for 8000000 recipients; mint all links of the message with 16";
    assert_eq!(answers[1]["advice"], advice);
}

/// Who waits for each line's answer gets one, and stderr tells of it as ever.
#[test]
fn a_bad_line_is_answered_where_that_is_asked() {
    let input = [body("r1"), body("r 2"), body("r3")].join("\n");
    let output = run(&[&BASE[..], &["--answer-errors"]].concat(), input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let answers = results(&output);
    let error = answers[1]["error"].as_str().unwrap();
    assert!(error.starts_with("recipient_id: "), "{error}");
    assert_eq!(stderr(&output), format!("stdin:2: {error}\n"));
    assert_eq!([minted_for(&answers[0]), minted_for(&answers[2])], ["r1", "r3"]);
}

#[test]
fn keys_come_from_a_file_of_variables_where_it_is_named() {
    let other = KEYS.replace("k1:AA", "k2:BB");
    let file = File::of("mint.vars", &format!("API_TOKEN=x\nLINK_KEYS=\"{other}\" # of a local Worker\n"));
    let output = run(&[&BASE[..], &["--dev-vars", file.path()]].concat(), body("r1").as_bytes());
    let href = results(&output)[0]["links"][0]["href"].as_str().unwrap().to_owned();
    let token = href.rsplit('/').next().unwrap();
    assert!(
        token::open(token, &Keyring::parse(&other).0.unwrap()).is_ok(),
        "the environment's are not taken"
    );
    let empty = File::of("empty.vars", "API_TOKEN=x\n");
    for (path, words) in [
        (empty.path(), format!("LINK_KEYS is missing from {}: set it to", empty.path())),
        ("/nowhere", "--dev-vars /nowhere: ".to_owned()),
    ] {
        let output = run(&[&BASE[..], &["--dev-vars", path]].concat(), b"");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(&words), "{}", stderr(&output));
    }
}

#[test]
fn minting_streams() {
    let mut child = start(&BASE);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let (send, answers) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut line = String::new();
        while stdout.read_line(&mut line).unwrap() > 0 {
            send.send(minted_for(&serde_json::from_str(&line).unwrap())).unwrap();
            line.clear();
        }
    });
    // For what never comes.
    let wait = Duration::from_mins(1);
    writeln!(stdin, "{}", body("r1")).unwrap();
    assert_eq!(answers.recv_timeout(wait).unwrap(), "r1", "the answer comes while the input is open");
    // The beginning of a line holds back nothing that stands before it.
    write!(stdin, "{}\n{}\n{{\"message", body("r2"), body("r3")).unwrap();
    stdin.flush().unwrap();
    assert_eq!(answers.recv_timeout(wait).unwrap(), "r2");
    assert_eq!(answers.recv_timeout(wait).unwrap(), "r3");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(1), "half a line is a bad one");
    reader.join().unwrap();
}

#[test]
fn unusable_keys_are_refused_by_name_and_never_shown() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=";
    for (keys, words) in [
        (None, "LINK_KEYS is missing"),
        (Some(String::new()), "LINK_KEYS is missing"),
        (Some("k1:c2VjcmV0".to_owned()), "entry 1: key k1 has 6 bytes; it needs at least 32"),
        (Some(secret.to_owned()), "entry 1: must be a key id, a colon"),
        (Some(format!("{secret}:k1")), "entry 1: the key id must be"),
        (Some(format!("k1:{secret},k2:*{secret}")), "entry 2: key k2 is not base64"),
        (Some(format!("k1:{secret},k1:{secret}")), "entry 2: key id k1 stands twice"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clickproof"));
        command.args(BASE).stdin(Stdio::null()).env_remove("LINK_KEYS");
        if let Some(keys) = &keys {
            command.env("LINK_KEYS", keys);
        }
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{keys:?}");
        let said = stderr(&output);
        assert!(said.contains(words) && said.contains("key id, colon, at least 32 random bytes"), "{said}");
        assert!(!said.contains("c2VjcmV0"), "{said}");
    }
}

// classify

#[test]
fn results_stand_in_the_order_of_the_input() {
    // The later click of the pair comes first, and between the two stands another message's.
    let mut other = record("x", "r", "l", NOON_MS + 90_000);
    other.message_id = "other".to_owned();
    let checked = Record { referer: Some(SAFE_LINKS.to_owned()), ..record("a", "r", "l", NOON_MS + 90_000) };
    let answers = classify(&[], &ndjson(&[record("b", "r", "l", NOON_MS + 90_400), other, checked]));
    assert_eq!(pick(&answers, "event_id"), ["b", "x", "a"]);
    assert_eq!(pick(&answers, "rule"), ["timeofclick_pair", "human", "timeofclick_pair"]);
    assert_eq!(pick(&answers, "click_type"), ["human", "human", "scanner_timeofclick"]);
    assert_eq!(pick(&answers, "paired_with"), ["a", "null", "b"]);
}

#[test]
fn a_result_has_every_field_of_a_verdict() {
    let line = ndjson(&[Record { ip: Some("203.0.113.9".to_owned()), ..record("a", "r", "l", NOON_MS) }]);
    let expected = |ruleset: &str, reasons: &[&str]| {
        json!({
            "event_id": "a", "click_type": "human", "is_bot": false, "is_defender_bot": false, "vendor": null,
            "confidence": "probable", "rule": "human", "reasons": reasons, "paired_with": null,
            "verified": "none", "ruleset": ruleset, "revision": 1, "final": true,
        })
    };
    let full = expected("full@3", &["+first_seconds"]);
    assert_eq!(classify(&[], &line), std::slice::from_ref(&full), "the default");
    assert_eq!(classify(&["--ruleset", "full"], &line), [full]);
    let defender = expected("defender@1", &["-other_network"]);
    assert_eq!(classify(&["--ruleset", "defender"], &line), [defender]);
}

#[test]
fn only_clicks_are_judged_and_only_clicks_count() {
    let burst = |kind: &str| -> String {
        let lines: Vec<String> = (0..5)
            .map(|n| {
                let click = Record {
                    ip: Some(EXCHANGE.to_owned()),
                    ..record(&format!("e{n}"), "r", "l", NOON_MS + n)
                };
                let line = serde_json::to_string(&click).unwrap();
                if n == 4 {
                    line.replace("\"kind\":\"click\"", &format!("\"kind\":\"{kind}\""))
                } else {
                    line
                }
            })
            .collect();
        lines.join("\n")
    };
    // Four clicks from Microsoft's filter are no sandbox: to the table people's, to `full` single hits of the filter.
    for (flags, alone, is_table) in
        [(&["--ruleset", "defender"][..], "human", true), (&[], "scanner_network", false)]
    {
        assert_eq!(pick(&classify(flags, &burst("click")), "rule"), ["safe_attachments"; 5]);
        for kind in ["open", "unsubscribe", "confirm"] {
            let answers = classify(flags, &burst(kind));
            if !is_table {
                // What is no click is judged by itself, and makes no burst of clicks.
                assert_eq!(pick(&answers, "rule"), [alone; 5], "{kind}");
                continue;
            }
            assert_eq!(pick(&answers, "rule"), [alone, alone, alone, alone, "not_a_click"], "{kind}");
            assert_eq!((&answers[4]["click_type"], &answers[4]["is_bot"]), (&Value::Null, &json!(false)));
            assert_eq!((&answers[4]["confidence"], &answers[4]["reasons"]), (&json!("certain"), &json!([])));
            assert_eq!((&answers[4]["revision"], &answers[4]["final"]), (&json!(1), &json!(true)));
        }
    }
}

#[test]
fn what_the_landing_page_showed_is_evidence() {
    let late = Record {
        ip: Some("52.110.1.1".to_owned()),
        user_agent: Some("Mozilla/4.0".to_owned()),
        http_protocol: Some("HTTP/2".to_owned()),
        ..record("e", "r", "l", NOON_MS + 4_000_000)
    };
    let line = serde_json::to_string(&late).unwrap();
    let said = |verified: &str| {
        let shown = line.replacen('{', &format!("{{\"verified\":{verified},"), 1);
        let answer = classify(&["--with-record"], &shown).pop().unwrap();
        (answer["rule"].as_str().unwrap().to_owned(), answer["verified"].as_str().unwrap().to_owned())
    };
    for (verified, rule, shown) in [
        ("null", "air_or_mbi", "none"),
        ("\"rendered\"", "air_or_mbi", "rendered"),
        ("\"interacted\"", "human", "interacted"),
    ] {
        assert_eq!(said(verified), (rule.to_owned(), shown.to_owned()));
    }
    let bad = line.replacen('{', "{\"verified\":\"maybe\",", 1);
    let output = run(&["classify"], bad.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("verified: must be none, rendered or interacted"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn opens_are_judged_by_their_own_signals() {
    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                          Chrome/141.0.0.0 Safari/537.36";
    const GMAIL: &str =
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
    const YAHOO: &str = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html";
    // Who asked, from where: what it is, who decided, whose it is, how sure.
    for (user_agent, ip, expected) in [
        (GMAIL, "203.0.113.9", ["proxy_open", "image_proxy", "google", "certain"]),
        (YAHOO, "203.0.113.9", ["proxy_open", "image_proxy", "yahoo", "certain"]),
        // Apple's prefetch hides its agent behind its relay; either may be a person's without the other.
        ("Mozilla/5.0", "104.28.28.1", ["proxy_open", "image_proxy", "apple", "probable"]),
        // An image proxy's agent says more than the filter's network beside it.
        (GMAIL, EXCHANGE, ["proxy_open", "image_proxy", "google", "certain"]),
        (CHROME, EXCHANGE, ["scanner_gateway", "scanner_network", "microsoft", "certain"]),
        ("curl/8.5.0", "203.0.113.9", ["scanner_declared", "declared", "null", "certain"]),
        (CHROME, "104.28.28.1", ["human", "human", "null", "probable"]),
        (CHROME, "203.0.113.9", ["human", "human", "null", "probable"]),
    ] {
        let open = Record {
            kind: Kind::Open,
            user_agent: Some(user_agent.to_owned()),
            ip: Some(ip.to_owned()),
            ..record("o", "r", "l", NOON_MS)
        };
        let answers = classify(&[], &ndjson(std::slice::from_ref(&open)));
        let said = ["click_type", "rule", "vendor", "confidence"].map(|field| pick(&answers, field)[0]);
        assert_eq!(said, expected, "{user_agent} from {ip}");
        assert_eq!(answers[0]["is_bot"], expected[0].starts_with("scanner_"));
        assert_eq!(answers[0]["is_defender_bot"], false);
        assert_eq!(answers[0]["ruleset"], "full@3");

        let table = classify(&["--ruleset", "defender"], &ndjson(&[open]));
        assert_eq!((pick(&table, "click_type")[0], pick(&table, "rule")[0]), ("null", "not_a_click"));
        assert_eq!(table[0]["is_bot"], false);
    }
}

#[test]
fn a_repeated_id_is_the_same_click() {
    let four: Vec<Record> = (0..4)
        .map(|n| Record { ip: Some(EXCHANGE.to_owned()), ..record(&format!("e{n}"), "r", "l", NOON_MS + n) })
        .collect();
    // Another time, recipient and message: the first line counts, whatever the others say.
    let again =
        Record { message_id: "other".to_owned(), ..record("e0", "somebody", "else", NOON_MS + 9_999_999) };
    let lines = ndjson(&four) + &ndjson(&[again.clone(), again, four[0].clone()]);
    let answers = classify(&[], &lines);
    assert_eq!(pick(&answers, "event_id"), ["e0", "e1", "e2", "e3", "e0", "e0", "e0"]);
    assert_eq!(pick(&answers, "rule"), ["scanner_network"; 7], "four clicks are no sandbox");
    for same in [4, 5, 6] {
        assert_eq!(answers[same], answers[0]);
    }
    let fifth = Record { ip: Some(EXCHANGE.to_owned()), ..record("e4", "r", "l", NOON_MS + 4) };
    assert_eq!(pick(&classify(&[], &(lines + &ndjson(&[fifth]))), "rule"), ["safe_attachments"; 8]);
}

#[test]
fn records_come_back_whole_under_their_verdict() {
    let line = r#"{ "event_id":"a","label":"person", "message_id":"m","recipient_id":"r","link_id":"l","ts_ms":1795348800000,"sent_at_ms":1795348800000,"big":123456789012345678901234567890,"small":1.10e-7,"deep":{"b":[1,  {"a":null}]},"text":"\u00e9\t\"<","rule":"old","revision":7,"final":false,"click_type":{"x":1},"r\u0075leset":"x"}"#;
    let output = run(&["classify", "--with-record"], line.as_bytes());
    assert_eq!((output.status.code(), complaints(&output)), (Some(0), vec![]));
    let text = std::str::from_utf8(&output.stdout).unwrap();
    for kept in [
        r#""label":"person""#,
        r#""big":123456789012345678901234567890,"#,
        r#""small":1.10e-7,"#,
        r#""deep":{"b":[1,  {"a":null}]}"#,
        r#""text":"\u00e9\t\"<""#,
        r#""ts_ms":1795348800000,"#,
    ] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    for (name, value) in
        [("rule", "\"human\""), ("revision", "1"), ("final", "true"), ("click_type", "\"human\"")]
    {
        assert_eq!(text.matches(&format!("\"{name}\":")).count(), 1, "{name} stands once in {text}");
        assert!(text.contains(&format!("\"{name}\":{value}")), "{name} in {text}");
    }
    assert!(text.contains("\"ruleset\":\"full@3\"") && !text.contains("\"x\""), "{text}");
    assert!(text.starts_with("{\"event_id\":\"a\",") && text.ends_with("}\n"), "{text}");

    // Its own output is input as well, and says the same.
    assert_eq!(run(&["classify", "--with-record"], text.as_bytes()).stdout, output.stdout);
    let plain = classify(&[], line);
    let full: Value = serde_json::from_str(text).unwrap();
    for (name, value) in plain[0].as_object().unwrap() {
        assert_eq!(&full[name], value, "{name}");
    }
}

#[test]
fn a_repeated_record_comes_back_as_its_own_line_says() {
    let first = Record { referer: Some(SAFE_LINKS.to_owned()), ..record("a", "r", "l", NOON_MS) };
    let second = record("a", "somebody", "l", NOON_MS + 5);
    let answers = classify(&["--with-record"], &ndjson(&[first, second]));
    assert_eq!(pick(&answers, "recipient_id"), ["r", "somebody"]);
    assert_eq!(pick(&answers, "rule"), ["safelinks_delivery"; 2]);
}

/// Clicks whose first verdict turns with a threshold: which rule decides at one value, and that it does not at the next.
struct Turn {
    flag: &'static str,
    clicks: Vec<Record>,
    holds_at: i64,
    rule: &'static str,
    fails_at: i64,
}

fn turns() -> [Turn; 7] {
    let checked = |id: &str, ms: i64| Record {
        referer: Some(SAFE_LINKS.to_owned()),
        ..record(id, "r", "l", NOON_MS + ms)
    };
    // From Exchange Online, one after the other.
    let burst = |count: i64, recipient: fn(i64) -> String, first_ms: i64, step_ms: i64| -> Vec<Record> {
        let click = |n| Record {
            ip: Some(EXCHANGE.to_owned()),
            ..record(&format!("e{n:02}"), &recipient(n), "l", NOON_MS + first_ms + n * step_ms)
        };
        (0..count).map(click).collect()
    };
    let one: fn(i64) -> String = |_| "r".to_owned();
    let many: fn(i64) -> String = |n| format!("r{n}");
    let turn = |flag, clicks, holds_at, rule, fails_at| Turn { flag, clicks, holds_at, rule, fails_at };
    [
        turn("--safelinks-delivery-ms", vec![checked("a", 70)], 71, "safelinks_delivery", 70),
        turn("--pair-ms", vec![checked("a", 90_000), checked("b", 90_700)], 700, "timeofclick_pair", 699),
        turn("--sandbox-ms", burst(5, one, 100, 0), 101, "safe_attachments", 100),
        turn("--sandbox-clicks", burst(3, one, 100, 0), 3, "safe_attachments", 4),
        turn("--campaign-ms", burst(30, many, 0, 100), 2_900, "campaign_view", 2_899),
        turn("--campaign-recipients", burst(4, many, 0, 100), 4, "campaign_view", 5),
        turn("--late-ms", burst(1, one, 70_000, 0), 69_999, "air_or_mbi", 70_000),
    ]
}

#[test]
fn each_threshold_is_a_flag() {
    assert_eq!(turns().len(), SETTINGS.len());
    for (setting, Turn { flag, clicks, holds_at, rule, fails_at }) in SETTINGS.iter().zip(turns()) {
        assert_eq!(flag, format!("--{}", setting.name.to_lowercase().replace('_', "-")));
        let lines = ndjson(&clicks);
        let first = |ruleset: &str, value: i64| {
            let answers = classify(&["--ruleset", ruleset, flag, &value.to_string()], &lines);
            answers[0]["rule"].as_str().unwrap().to_owned()
        };
        assert_eq!(first("defender", holds_at), rule, "{flag} {holds_at}");
        assert_eq!(first("defender", fails_at), "human", "{flag} {fails_at}");
        // `full` has other rules behind those: Microsoft's filter is a scanner without any window.
        assert_eq!(first("full", holds_at), rule, "{flag} {holds_at}");
        assert_ne!(first("full", fails_at), rule, "{flag} {fails_at}");
        assert_eq!(
            classify(&[flag, &setting.default.to_string()], &lines),
            classify(&[], &lines),
            "{flag} has its published value where it is not given"
        );
    }
}

#[test]
fn thresholds_keep_their_bounds() {
    for setting in SETTINGS {
        let flag = format!("--{}", setting.name.to_lowercase().replace('_', "-"));
        for good in [setting.min, setting.max] {
            classify(&[&flag, &good.to_string()], "");
        }
        let (below, above) = ((setting.min - 1).to_string(), (setting.max + 1).to_string());
        for bad in [&below, &above, "1.5", "1e3", "soon", "", "99999999999999999999"] {
            let output = run(&["classify", &flag, bad], b"");
            assert_eq!(output.status.code(), Some(2), "{flag} {bad}");
            let bounds = format!("must be a whole number from {} to {}", setting.min, setting.max);
            let said = stderr(&output);
            assert!(said.contains(&flag) && said.contains(&bounds), "{flag} {bad}: {said}");
        }
    }
}

#[test]
fn the_summary_counts() {
    let checked =
        |id: &str, ts_ms| Record { referer: Some(SAFE_LINKS.to_owned()), ..record(id, "r", "l", ts_ms) };
    let mut other = record("d", "s", "l", NOON_MS);
    other.message_id = "other".to_owned();
    let open = ndjson(&[record("o", "t", "l", NOON_MS)]).replace("\"kind\":\"click\"", "\"kind\":\"open\"");
    let clicks = [
        checked("a", NOON_MS),
        checked("b", NOON_MS + 90_000),
        record("c", "r", "l", NOON_MS + 90_001),
        other,
    ];
    let input = ndjson(&clicks) + &open + "\nbad\n" + &ndjson(&clicks[..1]);
    let output = run(&["classify", "--summary"], input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(results(&output).len(), 6, "the results are as without it");
    let rows: Vec<Vec<&str>> =
        stderr(&output).lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    for expected in [
        "lines 7",
        "bad 1",
        "repeated 1",
        "not clicks 1",
        "clicks 4",
        "messages 2",
        "recipients 2",
        "people's clicks 2 50.0 %",
        "human 2 50.0 %",
        "scanner_safelinks_delivery 1 25.0 %",
        "scanner_timeofclick 1 25.0 %",
        "scanner_campaign_view 0 0.0 %",
        "by rule of full@3",
        "safelinks_delivery 1 25.0 %",
        "timeofclick_pair 2 50.0 %",
        "human 1 25.0 %",
    ] {
        let wanted: Vec<&str> = expected.split(' ').collect();
        assert!(rows.contains(&wanted), "{expected} in {}", stderr(&output));
    }
    assert_eq!(rows.last().unwrap()[1], "seconds");
    let none = run(&["classify", "--summary"], b"");
    assert!(
        stderr(&none).contains("people's clicks") && stderr(&none).contains("0.0 %"),
        "{}",
        stderr(&none)
    );
}

#[test]
fn what_could_not_be_used_is_said_at_the_end() {
    let line = |n: i64, more: Value| {
        let ids = json!({"event_id": format!("e{n}"), "message_id": "m", "recipient_id": "r", "url": "https://brand.example/"});
        let mut line = ids.as_object().unwrap().clone();
        line.extend([("ts_ms".to_owned(), json!(NOON_MS + n)), ("sent_at_ms".to_owned(), json!(NOON_MS))]);
        line.extend(more.as_object().unwrap().clone());
        Value::from(line).to_string() + "\n"
    };
    let told = |flags: &[&str], lines: &str| {
        let output = run(&[&["classify"], flags].concat(), lines.as_bytes());
        stderr(&output).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    // An export under its provider's names.
    let export: String = (0..1_200)
        .map(|n| line(n, json!({"useragent": "curl/8.5.0", "ip_address": "203.0.113.9", "email": "", "label": "human", "note": n})))
        .collect();
    assert_eq!(
        told(&[], &export),
        [
            "`ip_address` in 1,200 records: no rule knows it; did you mean `ip`?",
            "`useragent` in 1,200 records: no rule knows it; did you mean `user_agent`?",
            // All records have a `recipient_id`: `email` is nobody's mistake.
            "2 fields that no rule looks at: `email`, `note`",
            "0 of 1,200 records have `ip`: networks and sources were not judged",
            "0 of 1,200 records have `user_agent`: agents and headers were not judged",
            "0 of 1,200 records have `links_total`: whether all links of a mail were clicked was not judged",
            "0 of 1,200 records have `cookie`: who came back was not judged",
        ]
    );
    assert_eq!(
        told(&["--ruleset", "defender"], &export)[3..],
        [
            "0 of 1,200 records have `ip`: networks were not judged",
            "0 of 1,200 records have `referer`: Safe Links was not judged"
        ]
    );
    // One record that carries a signal is enough.
    let agent =
        line(0, json!({"user_agent": "curl/8.5.0", "ip": "203.0.113.9", "cookie": "none", "links_total": 2}));
    assert_eq!(
        told(&[], &(agent.clone() + &line(1, json!({})))),
        [
            "0 of 2 records have `asn`: networks were judged by the address alone",
            "0 of 2 records have headers such as `accept` and `sec_fetch_mode`: headers were not judged",
        ]
    );
    // The edge's own lines: what is not there is known not to be, and nothing is to be said.
    let edge = json!({
        "event": "click.received", "ip": "203.0.113.9", "asn": 64_496, "user_agent": null, "http_protocol": "HTTP/2", "secure": true,
        "cookie": "new", "links_total": 1, "group": "m365", "network": null, "network_vendor": null, "network_class": null, "agent": null,
        "safelinks_referer": false, "votes": [],
    });
    assert_eq!(told(&[], &line(0, edge)), [""; 0]);
    // A bad line may be one for its name.
    let seconds = line(0, json!({"ts_ms": null, "timestamp": NOON_MS}));
    assert_eq!(
        told(&[], &seconds),
        [
            "stdin:1: ts_ms: missing; a record needs it",
            "`timestamp` in 1 record: no rule knows it; did you mean `ts_ms`?",
        ]
    );
    let output = run(&["classify", "--with-record"], agent.as_bytes());
    let again = run(&["classify", "--with-record"], &output.stdout);
    assert_eq!(stderr(&again), stderr(&output), "its own output is all known");
}

#[test]
fn an_explanation_asks_every_rule_in_order_and_says_which_decided() {
    let person = Record {
        ip: Some("203.0.113.9".to_owned()),
        cookie: Some("returning".to_owned()),
        ..record("person", "s", "l", NOON_MS + 500_000)
    };
    let sandbox = |n: i64| Record {
        ip: Some(EXCHANGE.to_owned()),
        ..record(&format!("e{n}"), "r", &format!("l{n}"), NOON_MS + 20_000 + n)
    };
    let records: Vec<Record> = (0..5).map(sandbox).chain([person]).collect();
    let lines = ndjson(&records);
    for ruleset in [Ruleset::Full, Ruleset::Defender] {
        let name = ruleset.label().split('@').next().unwrap();
        let plain = classify(&["--ruleset", name], &lines);
        let explained = classify(&["--ruleset", name, "--explain"], &lines);
        for (answer, plain) in explained.iter().zip(&plain) {
            let mut bare = answer.clone();
            let explanation = bare.as_object_mut().unwrap().remove("explanation").unwrap();
            assert_eq!(&bare, plain, "the verdict is the same");
            assert_eq!(explanation["ruleset"], ruleset.label());

            let rules = explanation["rules"].as_array().unwrap();
            let ids: Vec<&str> = ruleset.rules().iter().map(|rule| rule.id).collect();
            assert_eq!(pick(rules, "rule"), ids);
            let decided: Vec<&Value> = rules.iter().filter(|rule| rule["decided"] == true).collect();
            assert_eq!((decided.len(), &decided[0]["rule"]), (1, &answer["rule"]));
            let first = rules.iter().find(|rule| rule["held"] == true).unwrap();
            assert_eq!(first, decided[0], "nobody is proven here: the first that held decided");
            for rule in rules {
                let facts = rule["facts"].as_array().unwrap();
                assert_eq!(rule["held"] == true, facts.iter().all(|fact| fact["holds"] == true), "{rule}");
                for fact in facts {
                    let words = ["fact", "needs"].map(|field| fact[field].as_str().unwrap());
                    assert!(
                        words.iter().all(|words| !words.is_empty()) && fact.get("is").is_some(),
                        "{fact}"
                    );
                }
                let settings = rule["settings"].as_object().unwrap();
                for (setting, value) in settings {
                    let known = SETTINGS.iter().find(|known| known.name == setting).unwrap();
                    assert_eq!(value.as_i64(), Some(known.default), "{setting}");
                }
                assert!(!rule["words"].as_str().unwrap().is_empty(), "{rule}");
                assert!(!rule["change"].as_str().unwrap().is_empty(), "{rule}");
            }

            let votes = explanation["votes"].as_array().unwrap();
            let sum: i64 = votes.iter().map(|vote| vote["weight"].as_i64().unwrap()).sum();
            assert_eq!(explanation["votes_sum"], sum);
            for vote in votes {
                assert!(vote["reason"].as_str().unwrap().starts_with(['+', '-']), "{vote}");
                assert!(vote["words"].is_string() && vote["source"].is_string(), "{vote}");
                if ruleset == Ruleset::Full {
                    assert!(answer["reasons"].as_array().unwrap().contains(&vote["reason"]), "{vote}");
                }
            }
        }
    }
}

#[test]
fn an_explanation_holds_the_facts_and_what_would_change_them() {
    let sandbox = |n: i64| Record {
        ip: Some(EXCHANGE.to_owned()),
        // Where the log holds what the request had, no agent is a sign of its own.
        secure: Some(true),
        ..record(&format!("e{n}"), "r", "l", NOON_MS + 20_000 + n)
    };
    let four = ndjson(&(0..4).map(sandbox).collect::<Vec<_>>());
    let answers = classify(&["--explain", "--sandbox-ms", "30000"], &four);
    let explanation = &answers[0]["explanation"];
    let rule = |id: &str| {
        let rules = explanation["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["rule"] == id).unwrap().clone()
    };
    let sandbox = rule("safe_attachments");
    assert_eq!((&sandbox["held"], &sandbox["decided"]), (&json!(false), &json!(false)));
    assert_eq!(
        sandbox["facts"],
        json!([
            {"fact": "the address is in a Microsoft network", "is": "Defender table: mail filter", "needs": "any",
             "holds": true},
            {"fact": "milliseconds since the clock", "is": 20_000, "needs": "below 30000", "holds": true},
            {"fact": "the recipient's clicks that early", "is": 4, "needs": "at least 5", "holds": false},
        ])
    );
    assert_eq!(sandbox["settings"], json!({"SANDBOX_MS": 30_000, "SANDBOX_CLICKS": 5}));
    assert_eq!(sandbox["change"], "it would hold with the recipient's clicks that early: at least 5");

    let decided = rule("scanner_network");
    assert_eq!((&decided["held"], &decided["decided"]), (&json!(true), &json!(true)));
    assert!(decided["change"].as_str().unwrap().starts_with("it would not hold without any one of: "));
    let human = rule("human");
    assert_eq!((&human["held"], &human["decided"]), (&json!(true), &json!(false)));
    assert_eq!(human["change"], "it would decide if no rule above it did");

    let place = &explanation["network"];
    assert_eq!(
        (&place["name"], &place["vendor"]),
        (&json!("Defender table: mail filter"), &json!("microsoft"))
    );
    assert!(["class", "source", "date"].iter().all(|field| place[field].is_string()), "{place}");
    assert_eq!(pick(explanation["votes"].as_array().unwrap(), "reason"), ["+first_minute"]);
    assert_eq!(explanation["votes_sum"], 1);
}

#[test]
fn an_explanation_stands_beside_the_record_and_is_taken_back_as_input() {
    let lines = ndjson(&[record("a", "r", "l", NOON_MS), record("a", "r", "l", NOON_MS)]);
    let output = run(&["classify", "--explain", "--with-record"], lines.as_bytes());
    assert_eq!((output.status.code(), complaints(&output)), (Some(0), vec![]));
    let answers = results(&output);
    assert_eq!(answers[0], answers[1], "each line gets it");
    assert_eq!((&answers[0]["link_id"], &answers[0]["rule"]), (&json!("l"), &json!("human")));
    assert!(answers[0]["explanation"]["rules"].is_array());
    // An open is judged by itself, by none of those rules.
    let open = Record { kind: Kind::Open, ..record("o", "r", "l", NOON_MS) };
    assert_eq!(classify(&["--explain"], &ndjson(&[open]))[0]["explanation"]["rules"], json!([]));
}

/// Clicks around every bound, few enough recipients and links that they meet.
fn arbitrary_click() -> impl Strategy<Value = Record> {
    let bases =
        vec![-600_i64, 0, 4_500, 5_000, 5_500, 59_500, 60_000, 60_500, 90_000, 120_000, 3_600_000, 3_660_000];
    (
        prop::sample::select(bases),
        prop_oneof![4 => -2_i64..=2, 2 => 498_i64..=502, 1 => -600_i64..600],
        (0..40_usize, 0..6_usize, 0..3_usize),
        prop::sample::select(vec![None, Some(SAFE_LINKS), Some("https://mail.example/")]),
        prop::sample::select(vec![
            None,
            Some(EXCHANGE),
            Some(EXCHANGE),
            Some("2a01:111::7"),
            Some("203.0.113.9"),
            Some("junk"),
        ]),
        prop::option::weighted(0.2, prop::sample::select(vec![-1_000_i64, 0, 4_000, 59_000, 100_000])),
        prop::bool::weighted(0.1),
        any::<u64>(),
    )
        .prop_map(
            |(base, jitter, (message, recipient, link), referer, ip, delivered, no_link_id, id)| {
                let ts_ms = NOON_MS + base + jitter;
                let mut click =
                    record(&format!("{id:016x}"), &format!("r{recipient}"), &format!("l{link}"), ts_ms);
                click.message_id = format!("m{message}");
                click.referer = referer.map(str::to_owned);
                click.ip = ip.map(str::to_owned);
                click.delivered_at_ms = delivered.map(|ms| NOON_MS + ms);
                if no_link_id {
                    click.link_id = None;
                }
                click
            },
        )
}

/// The command against the naive model: thousands of records of many messages, in no order at all.
#[test]
fn the_command_is_the_published_table() {
    let mut runner = TestRunner::deterministic();
    let histories = prop::collection::vec(arbitrary_click(), 3_000);
    for (flags, thresholds) in [
        (vec![], Thresholds::default()),
        (
            vec![
                "--sandbox-clicks",
                "2",
                "--campaign-recipients",
                "3",
                "--campaign-ms",
                "700",
                "--pair-ms",
                "600",
            ],
            Thresholds {
                sandbox_clicks: 2,
                campaign_recipients: 3,
                campaign_ms: 700,
                pair_ms: 600,
                ..Thresholds::default()
            },
        ),
    ] {
        let mut rules = std::collections::BTreeSet::new();
        let records = histories.new_tree(&mut runner).unwrap().current();
        let answers = classify(&[&["--ruleset", "defender"], &flags[..]].concat(), &ndjson(&records));
        assert_eq!(answers.len(), records.len());
        for (x, answer) in records.iter().zip(answers) {
            let message: Vec<Record> =
                records.iter().filter(|other| other.message_id == x.message_id).cloned().collect();
            let said = naive::judge(x, &message, &thresholds);
            let got = (answer["event_id"].as_str(), answer["click_type"].as_str(), answer["rule"].as_str());
            assert_eq!(got, (Some(&*x.event_id), Some(said.click_type), Some(said.rule)), "{x:?}");
            assert_eq!(answer["paired_with"].as_str(), said.paired_with.as_deref(), "{x:?}");
            rules.insert(said.rule);
        }
        assert!(rules.len() >= 4 + usize::from(!flags.is_empty()) * 2, "the rules are met: {rules:?}");
    }
}

/// What an object keeps as bytes is read by the commands: rows of clicks, packs on their way, clicks that were spilled.
#[test]
fn bytes_of_rows_and_queues_are_unpacked() {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"));
    let mut ids = EventIds::default();
    let clicks: Vec<(EventId, Record)> = (0..3_u8)
        .map(|n| {
            let ts_ms = NOON_MS + i64::from(n);
            let id = ids.next(ts_ms, [n; 12]);
            (id, record(&id.to_string(), &format!("r{n}"), "l", ts_ms))
        })
        .collect();
    let rows: Vec<(EventId, &Record)> = clicks.iter().map(|(id, record)| (*id, record)).collect();
    let row = packed::seal(&rows);
    let spilled = [b"\xff\x01\x00\x01m".as_slice(), &row].concat();
    let finding = Finding { rule: "human".into(), ..Finding::not_a_click() };
    let events: Vec<_> = clicks
        .iter()
        .map(|(id, record)| {
            let verdict = Verdict::new(finding.clone(), Ruleset::Full, 1);
            (*id, record.clone(), Draft::new(*id, record, verdict, Delivery::default()).entry)
        })
        .collect();
    let letters = parcel::of_pack("m", 1, NOON_MS, &events);
    let [Letter::Bytes(pack)] = &letters[..] else { panic!("{letters:?}") };

    let input = format!("{}\n{}\n{}\nzz\n{}\n", hex(&row), hex(&spilled), hex(pack), hex(&row[..9]));
    let output = run(&["unpack"], input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.contains("stdin:4: not hexadecimal digits")
            && told.contains("stdin:5: records: a damaged batch"),
        "{told}"
    );
    let lines = results(&output);
    let records: Vec<Value> =
        clicks.iter().map(|(_, record)| serde_json::to_value(record).unwrap()).collect();
    assert_eq!(lines[..6], [records.clone(), records].concat());
    assert_eq!(lines.len(), 9);
    assert!(lines[6..].iter().all(|line| line["event"] == "click" && line["rule"] == "human"));
    // What comes out goes into the next command.
    let judged = run(&["classify"], &run(&["unpack"], hex(&row).as_bytes()).stdout);
    assert_eq!((judged.status.code(), results(&judged).len()), (Some(0), 3));
}
