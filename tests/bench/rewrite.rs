//! How many recipients a second and core get their copy of a mail of 55 kB with 180 links: `cargo bench --bench rewrite`. Once with
//! one HTML for all, planned once; once with HTML of their own, planned each time; both with the NDJSON around them and without.
//! Prints a markdown table; fails below what the sender's side promises.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use clickproof::json::Json;
use clickproof::link::copy::MailCopy;
use clickproof::link::keys::Keyring;
use clickproof::sender::line::Lines;
use clickproof::sender::options::Options;
use clickproof::sender::rewrite::{Plan, Track};
use encoding_rs::UTF_8;

/// The fewest recipients a second where the HTML is one for all, and where each has its own.
const PROMISED: [f64; 2] = [3_000.0, 1_000.0];

/// Each measurement is the best of so many: the machine does other things too.
const ROUNDS: usize = 7;

/// Recipients of a round.
const RECIPIENTS: usize = 300;

const LINKS: usize = 180;
const BYTES: usize = 55_000;

const TRACK: Track = Track { clicks: true, opens: true };

/// A newsletter as builders write them: tables with styles in their tags, a link and its image in each cell.
fn newsletter() -> String {
    let mut html = String::from(
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\"><head><meta charset=\"utf-8\"><style>a { color: #1155cc }</style></head>\n\
         <body style=\"margin:0\"><p>Hello name,</p><table width=\"600\">\n",
    );
    for n in 0..LINKS {
        let _ = writeln!(
            html,
            "<tr><td style=\"padding:4px\"><a class=\"btn\" href=\"https://shop.brand.example/products/spring/{n:04}?ref=mail&amp;position={n}\" \
             style=\"color:#1155cc\"><img src=\"https://cdn.brand.example/images/{n:04}.png\" alt=\"\"> Product &ndash; {n}</a></td></tr>"
        );
    }
    let end = "</table></body></html>\n";
    let filler = "<p>Terms apply, and prices hold while there is stock.</p>\n";
    while html.len() + filler.len() + end.len() < BYTES {
        html += filler;
    }
    html + end
}

fn copy(recipient: usize) -> MailCopy {
    MailCopy {
        message_id: "spring".to_owned(),
        recipient_id: format!("r{recipient}"),
        sent_at_ms: 1_795_348_800_000,
        group: None,
        shards: 1,
        sent: None,
    }
}

/// How long this thread has run, in nanoseconds: on a machine that does other things, too, a clock on the wall says little. Where
/// the kernel does not tell (Linux does), the clock does.
fn ran(since: &Instant) -> u128 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|told| told.split(' ').next()?.parse().ok());
    told.unwrap_or_else(|| since.elapsed().as_nanos())
}

/// Recipients a second of the thread's own time, the best of the rounds.
#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn speed(mut work: impl FnMut(usize)) -> f64 {
    let clock = Instant::now();
    let round = |_| {
        let start = ran(&clock);
        (0..RECIPIENTS).for_each(&mut work);
        RECIPIENTS as f64 / ((ran(&clock) - start) as f64 / 1e9)
    };
    (0..ROUNDS).map(round).fold(0.0, f64::max)
}

fn main() -> ExitCode {
    let keys = Keyring::parse(&format!("k1:{}", "A".repeat(43))).0.expect("a key");
    let options = Options { base_url: "https://click.brand.example".to_owned(), ..Options::default() };
    let html = newsletter();
    let own: Vec<String> = (0..RECIPIENTS).map(|n| html.replacen("name", &format!("n{n}"), 1)).collect();
    let line = |recipient: usize, html: Option<&str>| {
        let html = html.map_or(String::new(), |html| {
            format!(",\"html\":{}", serde_json::to_string(html).expect("text is JSON"))
        });
        format!(
            "{{\"message_id\":\"spring\",\"recipient_id\":\"r{recipient}\",\"sent_at_ms\":1795348800000{html}}}"
        )
    };
    let short: Vec<String> = (0..RECIPIENTS).map(|n| line(n, None)).collect();
    let whole: Vec<String> = own.iter().enumerate().map(|(n, html)| line(n, Some(html))).collect();

    let plan = Plan::new(Some((html.as_bytes(), UTF_8)), None, &options);
    assert_eq!(plan.rewrite(&copy(0), TRACK, &keys, &options).links.len(), LINKS);
    let planned = speed(|n| {
        black_box(plan.rewrite(&copy(n), TRACK, &keys, &options));
    });
    let personal = speed(|n| {
        let plan = Plan::new(Some((own[n].as_bytes(), UTF_8)), None, &options);
        black_box(plan.rewrite(&copy(n), TRACK, &keys, &options));
    });
    let ndjson = |lines: &[String], html: Option<&str>| {
        let mut rewriting = Lines::new(&keys, &options, html, None);
        let mut block = Vec::new();
        speed(|n| {
            block.clear();
            let answer = Json::parse(&lines[n]).map_err(|problem| problem.to_string());
            let answer = answer.and_then(|line| rewriting.answer(&line)).expect("the lines are good");
            serde_json::to_writer(&mut block, &answer).expect("an answer is JSON");
            black_box(&block);
        })
    };
    let [planned_lines, personal_lines] = [ndjson(&short, Some(&html)), ndjson(&whole, None)];

    println!("A mail of {} bytes with {LINKS} links, recipients a second on one core:\n", html.len());
    println!("| HTML | promised | copies | as NDJSON lines |");
    println!("| --- | ---: | ---: | ---: |");
    println!("| one for all, planned once | {:.0} | {planned:.0} | {planned_lines:.0} |", PROMISED[0]);
    println!(
        "| each its own, planned each time | {:.0} | {personal:.0} | {personal_lines:.0} |",
        PROMISED[1]
    );
    let measured = [planned.min(planned_lines), personal.min(personal_lines)];
    if measured.iter().zip(PROMISED).any(|(measured, promised)| *measured < promised) {
        println!("\nToo slow.");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
