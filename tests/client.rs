//! `report` and `clicks` against a server that answers as the Worker does: what they ask, what they make of the answers, and what
//! they say where there is none. tests/worker asks the real one.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use common::command::{File, stderr};
use serde_json::{Value, json};

const TOKEN: &str = "sixteen-letters!";

/// An answer: status, type and body; `Cut` promises more than it holds.
#[derive(Clone)]
enum Answer {
    Whole(u16, &'static str, String),
    Cut(&'static str, String),
}

use Answer::{Cut, Whole};

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// Answers one request after the other; what it was asked: the target and the authorization.
fn serve(answers: Vec<Answer>) -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, requests) = channel();
    thread::spawn(move || {
        for (answer, stream) in answers.into_iter().zip(listener.incoming()) {
            let stream = stream.unwrap();
            // Not every test looks at what was asked.
            let _ = asked.send(request(&stream));
            let (status, media_type, length, body) = match answer {
                Whole(status, media_type, body) => (status, media_type, body.len(), body),
                Cut(media_type, body) => (200, media_type, body.len() + 1, body),
            };
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\nlocation: /\r\nconnection: close\r\n\r\n"
            );
            // Who refuses an answer by its head may be gone before its body.
            let _ = (&stream).write_all((head + &body).as_bytes());
        }
    });
    (url, requests)
}

fn request(stream: &TcpStream) -> (String, String) {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let authorization = head.iter().find_map(|line| line.strip_prefix("authorization: "));
    (target, authorization.unwrap_or_default().to_owned())
}

fn run(args: &[&str], token: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clickproof"));
    command.args(args).env_remove("API_TOKEN");
    if !token.is_empty() {
        command.env("API_TOKEN", token);
    }
    command.output().unwrap()
}

fn stdout(output: &Output) -> &str {
    assert!(output.status.success(), "{}", stderr(output));
    std::str::from_utf8(&output.stdout).unwrap()
}

fn refused(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    stderr(output)
}

fn report() -> Value {
    json!({
        "message_id": "spring", "title": "Spring\u{1b}[31m", "sent": 2_000, "known": true,
        "first_ms": 1_795_348_800_000_i64, "last_ms": 1_795_348_900_000_i64,
        "clicks": 1_200, "by_type": {"human": 300, "scanner_sweep": 900, "scanner_gateway": 0, "from_the_future": 1},
        "human_clicks": 300, "human_recipients": 250, "recipients": 1_000, "machine_only_recipients": 750,
        "unsettled": 12, "by_vendor": {"microsoft": 900}, "by_confidence": {"certain": 1_100, "probable": 100},
        "by_group": {"gmail.com": {"sent": 500, "clicks": 90, "human_clicks": 80, "human_recipients": 70, "by_type": {}}},
        "links": [{"link_id": "cta", "url": "https://brand.example/", "clicks": 1_200, "human_clicks": 300, "human_recipients": 250}],
        "opens": {"total": 40, "by_type": {"human": 4}}, "acts": {"unsubscribe": 3, "confirm": 0, "machines": 0},
        "diagnosis": [{"code": "scanned_at_delivery", "severity": "info", "text": "Most links were scanned."}],
        "news": {},
    })
}

#[test]
fn a_report_is_shown_as_tables() {
    let (url, requests) = serve(vec![Whole(200, JSON, report().to_string())]);
    let output = run(&["report", "spring", "--url", &url], TOKEN);
    let text = stdout(&output);
    assert_eq!(requests.recv().unwrap(), ("/v1/messages/spring".to_owned(), format!("Bearer {TOKEN}")));
    for line in [
        "title    Spring\u{fffd}[31m",
        "sent to  2,000",
        "first    2026-11-22T12:00:00Z",
        "clicks                   1,200",
        "  people's                 300  25.0 %",
        "  with a person's          250  12.5 %",
        "opens                       40",
        "human               300  25.0 %",
        "microsoft     900  75.0 %",
        "gmail.com      500      90        80      70",
        "cta    1,200       300     250  https://brand.example/",
        "scanned_at_delivery  info      Most links were scanned.",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} in\n{text}");
    }
    assert!(!text.contains("scanner_gateway"), "types without a click are left out:\n{text}");
    let order =
        ["human  ", "scanner_sweep  ", "from_the_future  "].map(|name| text.find(&format!("\n{name}")));
    assert!(order.is_sorted() && order[0].is_some(), "the types' own order: {order:?}\n{text}");
}

#[test]
fn a_report_is_given_as_it_came() {
    let body = report().to_string();
    let (url, _) = serve(vec![Whole(200, "application/json; charset=utf-8", body.clone())]);
    let output = run(&["report", "spring", "--url", &url, "--json"], TOKEN);
    assert_eq!(stdout(&output), format!("{body}\n"));
}

#[test]
fn the_token_comes_from_where_it_is_said() {
    let file = File::of("token", "from-a-file-12345\n");
    let vars = File::of("dev.vars", "LINK_KEYS=k1:x\nAPI_TOKEN=\"from-dev-vars-123, other\"\n");
    for (more, token, expected) in [
        (vec![], "first-of-several, second", "first-of-several"),
        (vec!["--token-file", file.path()], TOKEN, "from-a-file-12345"),
        (vec!["--dev-vars", vars.path()], TOKEN, "from-dev-vars-123"),
    ] {
        let (url, requests) = serve(vec![Whole(200, NDJSON, String::new())]);
        let output = run(&[vec!["clicks", "spring", "--url", &url], more].concat(), token);
        assert_eq!(stdout(&output), "");
        assert_eq!(requests.recv().unwrap().1, format!("Bearer {expected}"));
    }
    let output = run(&["clicks", "spring", "--url", "http://127.0.0.1:1"], "");
    assert!(refused(&output).contains("API_TOKEN is missing from the environment: set it to one of"));
    let empty = File::of("empty", "LINK_KEYS=k1:x\n");
    let output = run(&["clicks", "m", "--url", "http://127.0.0.1:1", "--dev-vars", empty.path()], TOKEN);
    assert!(refused(&output).contains(&format!("API_TOKEN is missing from {}", empty.path())));
    let output = run(&["clicks", "m", "--url", "http://127.0.0.1:1", "--token-file", "/nowhere"], TOKEN);
    assert!(refused(&output).contains("--token-file /nowhere: "));
}

#[test]
fn what_refuses_is_told_with_what_to_do() {
    let api = |code: &str, words: &str| json!({"error": {"code": code, "message": words}}).to_string();
    for (answer, words) in [
        (
            Whole(401, JSON, api("unauthorized", "send it")),
            "refuses the token: give one of those in its API_TOKEN",
        ),
        (Whole(503, JSON, api("unavailable", "try\u{1b} again")), "answers 503: try\u{fffd} again"),
        (Whole(404, "text/html", "<h1>".to_owned()), "answers 404 Not Found: name by --url where the API is"),
        (Whole(302, "text/html", String::new()), "answers 302 Found: name by --url where the API is"),
        (Whole(200, "text/html", "<h1>".to_owned()), "answers with text/html, which no Clickproof does"),
        (Whole(200, JSON, "{}".to_owned()), "gives no report: missing field"),
        (Cut(JSON, "{".to_owned()), "broke off: "),
        (
            Whole(200, JSON, {
                let mut report = report();
                report["known"] = json!(false);
                report.to_string()
            }),
            "has no click of it and was not told of it",
        ),
    ] {
        let (url, requests) = serve(vec![answer]);
        let output = run(&["report", "spring", "--url", &url], TOKEN);
        let error = refused(&output);
        assert!(error.contains(&url) && error.contains(words), "{words}: {error}");
        assert!(output.stdout.is_empty());
        assert_eq!(requests.iter().count(), 1, "nothing is followed or asked again");
    }
    let output = run(&["report", "spring", "--url", "http://127.0.0.1:1"], TOKEN);
    assert!(refused(&output).contains("cannot be asked: "), "{}", stderr(&output));
}

#[test]
fn flags_are_checked_before_anything_is_asked() {
    for (args, words) in [
        (vec!["report", "a/b"], "message_id is 1 to 128 characters"),
        (vec!["clicks", "m", "--kind", "visit"], "must be click, open, unsubscribe or confirm"),
        (vec!["clicks", "m", "--click-type", "robot"], "must be one of human, "),
        (vec!["clicks", "m", "--recipient-id", "a@b"], "recipient_id is 1 to 64"),
        (vec!["clicks", "m", "--link-id", "a&b"], "link_id is 1 to 64"),
        (vec!["clicks", "m", "--after", "1"], "must be the event_id of a click"),
        (vec!["clicks", "m", "--url", "https://a/b"], "must be scheme and host alone"),
    ] {
        let url = ["--url", "http://127.0.0.1:1"];
        let args = if args.contains(&"--url") { args } else { [args, url.to_vec()].concat() };
        let output = run(&args, TOKEN);
        assert!(refused(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
}

fn click(number: usize) -> String {
    json!({
        "event_id": format!("01a20320-a200-7000-8000-{number:012}"), "ts_ms": 1_795_348_800_000_u64, "message_id": "spring",
        "recipient_id": "r1", "link_id": "cta", "kind": "click", "click_type": "human", "confidence": "probable", "rule": "person",
        "ip": "192.0.2.1", "user_agent": "UA\t1", "visitor_id": null,
    })
    .to_string()
}

fn page(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| click(number) + "\n").collect()
}

#[test]
fn clicks_are_listed_page_by_page_to_the_end() {
    let (url, requests) =
        serve(vec![Whole(200, NDJSON, page(0..10_000)), Whole(200, NDJSON, page(10_000..10_003))]);
    let filters = ["--kind", "click", "--click-type", "human", "--recipient-id", "r1", "--link-id", "cta"];
    let output = run(&[&["clicks", "spring", "--url", &url][..], &filters].concat(), TOKEN);
    assert!(stdout(&output) == page(0..10_003), "every line as it came");
    let filter = "&kind=click&click_type=human&recipient_id=r1&link_id=cta";
    let asked: Vec<String> = requests.iter().map(|(target, _)| target).collect();
    assert_eq!(
        asked,
        [
            format!("/v1/messages/spring/clicks?limit=10000{filter}"),
            format!(
                "/v1/messages/spring/clicks?limit=10000&after=01a20320-a200-7000-8000-000000009999{filter}"
            ),
        ]
    );
}

#[test]
fn no_more_clicks_are_asked_for_than_are_wanted() {
    let after = "01a20320-a200-7000-8000-000000000001";
    let (url, requests) = serve(vec![Whole(200, NDJSON, page(2..4))]);
    let output = run(&["clicks", "spring", "--url", &url, "--limit", "2", "--after", after], TOKEN);
    assert_eq!(stdout(&output), page(2..4));
    let asked: Vec<String> = requests.iter().map(|(target, _)| target).collect();
    assert_eq!(asked, [format!("/v1/messages/spring/clicks?limit=2&after={after}")]);
}

#[test]
fn clicks_are_shown_as_a_table() {
    let (url, _) = serve(vec![Whole(200, NDJSON, page(0..1))]);
    let output = run(&["clicks", "spring", "--url", &url, "--table"], TOKEN);
    assert_eq!(
        stdout(&output),
        "time                  type   confidence  rule    kind   recipient  link  address    agent\n\
         2026-11-22T12:00:00Z  human  probable    person  click  r1         cta   192.0.2.1  UA\u{fffd}1\n"
    );
}

#[test]
fn a_listing_that_breaks_off_says_where_to_go_on() {
    let (url, _) = serve(vec![Cut(NDJSON, page(0..3))]);
    let output = run(&["clicks", "spring", "--url", &url], TOKEN);
    assert!(refused(&output).contains("broke off: "));
    assert!(
        refused(&output).contains("ask again with --after 01a20320-a200-7000-8000-000000000002"),
        "{}",
        stderr(&output)
    );
    assert_eq!(output.stdout, page(0..3).into_bytes(), "what came is kept");
}
