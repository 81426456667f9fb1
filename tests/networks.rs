//! `clickproof networks` as people run it, the vendors' feeds served by a server of the test's own.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;

use clickproof::compile::networks::parse;
use common::command::{self, File, stderr};
use serde_json::{Value, json};

const NETWORKS_TEXT: &str = include_str!("../src/signals/catalogue/networks.txt");

fn run(args: &[&str], input: &str) -> Output {
    command::run(&[&["networks"], args].concat(), input)
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn objects(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_list_counts_what_the_file_holds() {
    let sections = parse(NETWORKS_TEXT).unwrap();
    let output = run(&["list", "--json"], "");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let listed = objects(&output);
    assert_eq!(listed.len(), sections.len());
    for (listed, section) in listed.iter().zip(&sections) {
        assert_eq!(listed["section"], section.name);
        assert_eq!(listed["class"], section.class.name());
        assert_eq!(listed["vendor"], section.vendor);
        assert_eq!(listed["scope"], section.scope.name());
        assert_eq!(listed["prefixes"], section.prefixes.len());
        assert_eq!(listed["systems"], section.systems.len());
        assert_eq!(listed["date"], section.date);
        assert_eq!(listed["source"], section.source);
        assert_eq!(listed["feed"].is_null(), section.feed.is_none());
    }

    let output = run(&["list"], "");
    assert_eq!(stdout(&output).lines().count(), sections.len() + 1);
    let line = stdout(&output).lines().find(|line| line.starts_with("Netskope ")).unwrap();
    let cells: Vec<_> = line.split_whitespace().take(7).collect();
    assert_eq!(cells, ["Netskope", "human-proxy", "netskope", "all", "11", "1", "2026-06-17"]);
}

#[test]
fn the_export_has_every_prefix_and_as_number_as_a_row() {
    let sections = parse(NETWORKS_TEXT).unwrap();
    let output = run(&["export", "--format", "ndjson"], "");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let rows = objects(&output);
    let entries = sections.iter().flat_map(|section| {
        let prefixes = section.prefixes.iter().map(|prefix| (json!(prefix.to_string()), Value::Null));
        let systems = section.systems.iter().map(|number| (Value::Null, json!(number)));
        prefixes.chain(systems).map(move |(cidr, asn)| (section, cidr, asn))
    });
    let mut count = 0;
    for (row, (section, cidr, asn)) in rows.iter().zip(entries.clone()) {
        count += 1;
        assert_eq!((&row["cidr"], &row["asn"]), (&cidr, &asn));
        assert_eq!((&row["network"], &row["vendor"]), (&json!(section.name), &json!(section.vendor)));
        assert_eq!(
            (&row["class"], &row["scope"]),
            (&json!(section.class.name()), &json!(section.scope.name()))
        );
        assert_eq!((&row["people"], &row["date"]), (&json!(section.people), &json!(section.date)));
        assert_eq!((&row["source"], &row["agent"]), (&json!(section.source), &Value::Null));
    }
    assert!(count > 1_000 && count == entries.count(), "{count} rows");
    let of = |network: &str| rows.iter().find(|row| row["network"] == network).unwrap();
    assert_eq!(of("Netskope")["carries_people"], true, "by its class");
    for row in rows.iter().filter(|row| !row["people"].is_null()) {
        assert_eq!(row["carries_people"], true, "by what is said of it");
    }
    assert!(rows.iter().any(|row| row["carries_people"] == false));

    let path = File::of("export.csv", "");
    let output = run(&["export", "--output", path.path()], "");
    assert_eq!((output.status.code(), stdout(&output), stderr(&output)), (Some(0), "", ""));
    let text = path.text();
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let heads = table.headers().unwrap().clone();
    let expected = "network vendor class scope carries_people people cidr asn agent date expires source";
    assert_eq!(heads.iter().collect::<Vec<_>>(), expected.split(' ').collect::<Vec<_>>());
    let mut read = 0;
    for (cells, row) in table.records().zip(&rows) {
        for (head, cell) in heads.iter().zip(&cells.unwrap()) {
            let value = match &row[head] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(cell, value, "{head}");
        }
        read += 1;
    }
    assert_eq!(read, rows.len());
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
}

#[test]
fn a_lookup_tells_whose_it_is_to_a_click_and_to_an_open() {
    let output = run(&["lookup", "52.96.0.1", "AS8075", "192.0.2.1"], "");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let [outlook, azure, nobody] = objects(&output).try_into().unwrap();
    assert_eq!(outlook["ip"], "52.96.0.1");
    assert_eq!(outlook["click"]["class"], "scanner-probable");
    assert_eq!(outlook["click"]["defender"], true);
    assert_eq!(outlook["open"]["class"], "image-proxy");
    assert_eq!(azure["asn"], 8075);
    assert_eq!(azure["click"]["vendor"], "microsoft");
    assert_eq!(azure["click"]["by"], "asn");
    // Never by its AS number.
    assert_eq!(azure["click"]["defender"], false);
    assert_eq!(nobody, json!({"ip": "192.0.2.1", "asn": null, "click": null, "open": null}));
}

#[test]
fn lookups_come_as_lines_and_as_records() {
    let input = concat!(
        "::ffff:40.92.0.1\n",
        "\"AS22843\"\n",
        "not an address\n",
        "\n",
        r#"{"event_id":"e","ip":"52.100.0.1","asn":16276,"user_agent":"x"}"#,
        "\n",
        r#"{"ip":"192.0.2.1","asn":16276}"#,
        "\n",
        r#"{"ip":null}"#,
        "\n",
    );
    let output = run(&["lookup"], input);
    assert_eq!(output.status.code(), Some(1));
    let classes: Vec<_> = objects(&output).iter().map(|found| found["click"]["class"].clone()).collect();
    assert_eq!(classes, ["scanner-certain", "scanner-probable", "scanner-certain", "hosting"]);
    assert_eq!(
        stderr(&output),
        "stdin:3: `not an address` is no address: write it like 192.0.2.1, 2001:db8::1 or, for an AS number, AS64496\n\
         stdin:7: neither `ip` nor `asn` is there: give one of them\n"
    );

    let output = run(&["lookup", "AS"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`AS` is no AS number: write it like AS64496"), "{}", stderr(&output));
}

/// Serves bodies by their paths until the test ends; `/broken…` breaks off in the middle, what is not there is a 404.
struct Server {
    base: String,
}

impl Server {
    fn start(bodies: impl FnOnce(&str) -> BTreeMap<&'static str, String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let bodies = bodies(&base);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.unwrap(), &bodies);
            }
        });
        Self { base }
    }

    fn at(&self, feed: &str, path: &str) -> String {
        format!("{feed}={}{path}", self.base)
    }
}

fn answer(mut stream: &TcpStream, bodies: &BTreeMap<&'static str, String>) {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let request = lines.next().unwrap();
    lines.find(String::is_empty);
    let path = request.split(' ').nth(1).unwrap();
    let (status, body) = bodies.get(path).map_or(("404 Not Found", ""), |body| ("200 OK", body));
    let sent = if path.starts_with("/broken") { &body[..body.len() / 2] } else { body };
    let length = body.len();
    // The client may have had enough of it already.
    let _ =
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{sent}");
}

/// A catalogue in which each feed has its section, with what people write around it.
const FILE: &str = "\
# A catalogue.
[Relay]
vendor = apple
class  = relay
scope  = all
source = an older list
date   = 2025
feed   = apple
blocks = 24 40
198.51.100.0/24
2001:db8:100::/40

[Filter]
vendor = microsoft
class  = scanner-certain
scope  = all
source = an older list
date   = 2025
feed   = azure FilterTag
# The filter.
192.0.2.0/26 # the first
192.0.2.64/26
192.0.2.128/26

# What the tag does not have.
[Endpoints]
vendor = microsoft
class  = scanner-probable
scope  = clicks
source = an older list
date   = 2025
feed   = microsoft365 1 9
203.0.113.0/25

[Fetchers]
vendor = google
class  = image-proxy
scope  = opens
source = an older list
date   = 2025
feed   = google
203.0.113.128/25
AS64496

[Towards origins]
vendor = amazon
class  = human-proxy
scope  = all
source = an older list
date   = 2025
feed   = aws SOME_SERVICE
198.18.0.0/24

[By hand]
vendor = acme
class  = hosting
scope  = all
source = somebody
date   = 2024
198.18.9.0/24
";

fn tags(prefixes: &[&str]) -> String {
    json!({"changeNumber": 7, "cloud": "Public", "values": [
        {"name": "Other\u{e9}Tag", "properties": {"addressPrefixes": ["10.0.0.0/8"]}},
        {"name": "FilterTag", "id": "FilterTag", "properties": {"region": "", "addressPrefixes": prefixes}},
    ]})
    .to_string()
}

fn feeds(base: &str) -> BTreeMap<&'static str, String> {
    let page = format!(
        "<html><a href=\"{base}/other.json\">x</a> <a href=\"{base}/ServiceTags_Public_20261116.json\">Download</a>"
    );
    let google = json!({"creationTime": "2026-11-20T14:46:25.000000", "prefixes": [
        {"ipv6Prefix": "2001:db8:7::/64"}, {"ipv4Prefix": "203.0.113.128/27"},
    ]});
    let aws = json!({"syncToken": "1", "createDate": "2026-11-21-01-02-03",
        "prefixes": [
            {"ip_prefix": "198.18.0.0/24", "region": "GLOBAL", "service": "SOME_SERVICE"},
            {"ip_prefix": "198.18.9.0/24", "region": "GLOBAL", "service": "SOME_SERVICE"},
            {"ip_prefix": "10.0.0.0/8", "region": "GLOBAL", "service": "AMAZON"},
        ],
        "ipv6_prefixes": [{"ipv6_prefix": "2001:db8:9::/48", "region": "GLOBAL", "service": "SOME_SERVICE"}],
    });
    let endpoints = json!([
        {"id": 1, "serviceArea": "Exchange", "ips": ["203.0.113.0/25", "2001:db8:8::1/128"]},
        {"id": 2, "serviceArea": "Exchange", "ips": ["10.0.0.0/8"]},
        {"id": 9, "serviceArea": "Exchange", "ips": ["192.0.2.240/28"]},
        {"id": 11, "serviceArea": "Skype", "urls": ["a.example"]},
    ]);
    let relay = "198.51.100.7/32,GB,GB-EN,London,\n198.51.101.0/31,DE,DE-BE,Berlin,\n2001:db8:1ff:1::/64,US,US-CA,,\n";
    BTreeMap::from([
        ("/page", page),
        ("/ServiceTags_Public_20261116.json", tags(&["192.0.2.0/26", "192.0.2.64/26", "192.0.2.192/26"])),
        ("/same.json", tags(&["192.0.2.128/26", "192.0.2.0/26", "192.0.2.64/26"])),
        ("/shrunken.json", tags(&["192.0.2.0/26"])),
        ("/empty.json", tags(&[])),
        ("/wide.json", tags(&["192.0.2.0/26", "192.0.2.64/26", "0.0.0.0/0"])),
        ("/words.json", tags(&["192.0.2.0/26", "192.0.2.64/26", "many"])),
        ("/untagged.json", json!({"values": []}).to_string()),
        ("/broken.json", tags(&["192.0.2.0/26", "192.0.2.64/26"])),
        ("/html", "<html>Sign in</html>".to_owned()),
        ("/nothing", String::new()),
        ("/relay.csv", relay.to_owned()),
        ("/google.json", google.to_string()),
        ("/aws.json", aws.to_string()),
        ("/endpoints.json", endpoints.to_string()),
    ])
}

fn refresh(server: &Server, file: &File, places: &[(&str, &str)], more: &[&str]) -> Output {
    let places: Vec<_> = places.iter().map(|(feed, path)| server.at(feed, path)).collect();
    let mut args = vec!["refresh", "--file", file.path()];
    for place in &places {
        args.extend(["--feed", place]);
    }
    args.extend(more);
    run(&args, "")
}

const ALL: [(&str, &str); 5] = [
    ("azure", "/page"),
    ("microsoft365", "/endpoints.json"),
    ("apple", "/relay.csv"),
    ("google", "/google.json"),
    ("aws", "/aws.json"),
];

#[test]
fn a_refresh_shows_what_changed_and_writes_when_told() {
    let server = Server::start(feeds);
    let file = File::of("good", FILE);
    let output = refresh(&server, &file, &ALL, &[]);
    assert_eq!(
        (output.status.code(), stderr(&output)),
        (Some(0), "nothing is written: add --write to keep this\n")
    );
    let today = stdout(&output).lines().next().unwrap().split(" to ").nth(1).unwrap()[..10].to_owned();
    let mut expected = format!("Relay (feed apple, 2025 to {today}): 2 prefixes, 1 added, 1 removed\n");
    expected += "+ 198.51.100.0/23\n- 198.51.100.0/24\n";
    expected += "Filter (feed azure FilterTag, 2025 to 2026-11-16): 3 prefixes, 1 added, 1 removed\n";
    expected += "+ 192.0.2.192/26\n- 192.0.2.128/26\n";
    let _ = writeln!(
        expected,
        "Endpoints (feed microsoft365 1 9, 2025 to {today}): 3 prefixes, 2 added, 0 removed"
    );
    expected += "+ 192.0.2.240/28\n+ 2001:db8:8::/64\n";
    expected += "Fetchers (feed google, 2025 to 2026-11-20): 2 prefixes, 2 added, 1 removed\n";
    expected += "+ 203.0.113.128/27\n+ 2001:db8:7::/64\n- 203.0.113.128/25\n";
    // What stands in a section by hand stays there.
    expected +=
        "Towards origins (feed aws SOME_SERVICE, 2025 to 2026-11-21): 2 prefixes, 1 added, 0 removed\n";
    expected += "+ 2001:db8:9::/48\n";
    assert_eq!(stdout(&output), expected);
    assert_eq!(file.text(), FILE, "without --write");

    let output = refresh(&server, &file, &ALL, &["--write"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), expected);
    let date = |date: &str| format!("date   = {date}\n");
    let changes = [
        (
            "source = an older list\ndate   = 2025\nfeed   = apple",
            format!("source = Apple egress-ip-ranges.csv\n{}feed   = apple", date(&today)),
        ),
        ("198.51.100.0/24\n", "198.51.100.0/23\n".to_owned()),
        (
            "source = an older list\ndate   = 2025\nfeed   = azure",
            format!("source = Azure service tags, tag FilterTag\n{}feed   = azure", date("2026-11-16")),
        ),
        (
            "192.0.2.0/26 # the first\n192.0.2.64/26\n192.0.2.128/26\n",
            "192.0.2.0/26\n192.0.2.64/26\n192.0.2.192/26\n".to_owned(),
        ),
        (
            "source = an older list\ndate   = 2025\nfeed   = microsoft365",
            format!(
                "source = Microsoft 365 endpoints, worldwide, set 1, 9\n{}feed   = microsoft365",
                date(&today)
            ),
        ),
        ("203.0.113.0/25\n", "192.0.2.240/28\n203.0.113.0/25\n2001:db8:8::/64\n".to_owned()),
        (
            "source = an older list\ndate   = 2025\nfeed   = google",
            format!(
                "source = Google user-triggered-fetchers-google.json\n{}feed   = google",
                date("2026-11-20")
            ),
        ),
        ("203.0.113.128/25\n", "203.0.113.128/27\n2001:db8:7::/64\n".to_owned()),
        (
            "source = an older list\ndate   = 2025\nfeed   = aws",
            format!("source = AWS ip-ranges.json, service SOME_SERVICE\n{}feed   = aws", date("2026-11-21")),
        ),
        ("198.18.0.0/24\n", "198.18.0.0/24\n2001:db8:9::/48\n".to_owned()),
    ];
    let rewritten = changes.iter().fold(FILE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    assert_eq!(file.text(), rewritten);

    // Once it is written, there is nothing more to do.
    let output = refresh(&server, &file, &ALL, &["--write"]);
    assert_eq!(stdout(&output).matches(" 0 added, 0 removed").count(), 5, "{}", stdout(&output));
    assert_eq!(file.text(), rewritten);
}

#[test]
fn a_feed_that_cannot_be_right_is_refused_and_nothing_is_written() {
    let server = Server::start(feeds);
    let cases = [
        ("/shrunken.json", "feed azure FilterTag, section `Filter`: only 1 of 3 prefixes are left"),
        ("/empty.json", "section `Filter`: nothing in it for this section"),
        ("/untagged.json", "section `Filter`: nothing in it for this section"),
        ("/wide.json", "section `Filter`: 0.0.0.0/0 in it is wider than /8"),
        ("/words.json", "section `Filter`: `many` in it is no prefix"),
        ("/broken.json", "/broken.json cannot be fetched"),
        ("/missing.json", "/missing.json cannot be fetched: http status: 404"),
        ("/html", "/html is neither the service tags nor a page that links to them: download"),
        ("/nothing", "/nothing is neither the service tags nor a page"),
        ("/google.json", "section `Filter`: not the JSON that was expected"),
    ];
    for (path, problem) in cases {
        let file = File::of("refused", FILE);
        // A good feed beside it is shown, and not written either.
        let places = [("azure", path), ("aws", "/aws.json")];
        let output = refresh(&server, &file, &places, &["azure", "aws", "--write"]);
        assert_eq!(output.status.code(), Some(2), "{path}");
        assert!(stderr(&output).contains(problem), "{path}: {}", stderr(&output));
        assert!(stderr(&output).contains("nothing is written"), "{path}: {}", stderr(&output));
        assert!(stdout(&output).starts_with("Towards origins (feed aws"), "{path}: {}", stdout(&output));
        assert_eq!(file.text(), FILE, "{path}");
    }
    for (feed, path, problem) in [
        ("aws", "/relay.csv", "feed aws: not the JSON that was expected"),
        ("google", "/same.json", "section `Fetchers`: not the JSON that was expected"),
        ("apple", "/nothing", "section `Relay`: nothing in it for this section"),
        (
            "apple",
            "/aws.json",
            "section `Relay`: `{\"createDate\":\"2026-11-21-01-02-03\"` in it is no prefix",
        ),
        ("microsoft365", "/page", "section `Endpoints`: not the JSON that was expected"),
    ] {
        let file = File::of("refused-too", FILE);
        let output = refresh(&server, &file, &[(feed, path)], &[feed, "--write"]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""), "{feed} {path}");
        assert!(stderr(&output).contains(problem), "{feed} {path}: {}", stderr(&output));
        assert_eq!(file.text(), FILE, "{feed} {path}");
    }
}

#[test]
fn a_feed_may_be_a_file_and_stand_as_it_is() {
    let file = File::of("alone", FILE);
    let downloaded = File::of("ServiceTags_Public_20261109.json", &tags(&["192.0.2.64/26", "192.0.2.0/26"]));
    let place = format!("azure={}", downloaded.path());
    let output = run(&["refresh", "azure", "--feed", &place, "--file", file.path()], "");
    assert_eq!(
        stdout(&output),
        "Filter (feed azure FilterTag, 2025 to 2026-11-09): 2 prefixes, 0 added, 1 removed\n- 192.0.2.128/26\n",
        "{}",
        stderr(&output)
    );
    let server = Server::start(feeds);
    let output = refresh(&server, &file, &[("azure", "/same.json")], &["azure"]);
    assert!(stdout(&output).ends_with(": 3 prefixes, 0 added, 0 removed\n"), "{}", stdout(&output));
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let bare = FILE.replace("feed   = ", "# feed ").replace("blocks = ", "# blocks ");
    let (file, bare) = (File::of("asked", FILE), File::of("bare", &bare));
    let only_aws = File::of("only", &FILE[FILE.find("[Towards").unwrap()..]);
    let damaged = File::of("damaged", "[A]\nvendor = a\n");
    let cases = [
        (
            vec!["refresh", "bing", "--file", file.path()],
            "there is no feed `bing`: name one of azure, microsoft365",
        ),
        (vec!["refresh", "--feed", "bing=x", "--file", file.path()], "there is no feed `bing`"),
        (vec!["refresh", "--feed", "azure", "--file", file.path()], "write it as FEED=URL or FEED=FILE"),
        (vec!["refresh", "--feed", "azure=", "--file", file.path()], "the place is empty"),
        (
            vec!["refresh", "azure", "--feed", "azure=/no/such/file", "--file", file.path()],
            "/no/such/file cannot be read",
        ),
        (vec!["refresh", "azure", "--file", only_aws.path()], "comes from the feed azure: leave it out"),
        (
            vec!["refresh", "--feed", "azure=x", "--file", only_aws.path()],
            "comes from the feed azure: leave it out",
        ),
        (vec!["refresh", "--file", bare.path()], "has a `feed = …`: there is nothing to fetch"),
        (vec!["refresh", "--file", damaged.path()], "line 1: section `A` has no `scope = …`; mend it first"),
        (vec!["refresh", "--file", "/no/such/file"], "name the catalogue's networks.txt"),
    ];
    for (args, problem) in cases {
        let output = run(&args, "");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(problem), "{args:?}: {}", stderr(&output));
    }
}
