//! `simulate`: labelled traffic of one send, or of many over months, seeded; to stdout, played against a running Worker, or brought
//! into one.
//!
//! [`kinds`] is the table of who comes, [`people`] and [`scanners`] say how they click, [`browsers`] and [`networks`]
//! what they send and from where. [`history`] is who comes again over many sends. [`scene`] is what they do it in, [`draw`] their chance,
//! [`groups`] the part of the list that each copy went to.

mod browsers;
mod draw;
mod groups;
mod history;
mod kinds;
mod labelled;
mod load;
mod networks;
mod people;
mod play;
mod scanners;
mod scene;

use std::path::PathBuf;

use clickproof::config::base_url;
use clickproof::link::text_id::check_message_id;
use clickproof::record::EventIds;

use crate::output::Output;
use crate::stop::Stop;
use crate::streams;
use draw::Draw;
use kinds::{KINDS, Kind, RECIPIENTS};
use labelled::{Shape, write};
use scene::{Hit, Scene, Send};

/// 2026-11-22, noon: the seed's companion, so that the same flags write the same bytes.
const NOON_MS: i64 = 1_795_348_800_000;

#[derive(clap::Args)]
#[command(after_help = "\
Each result is a click record with a label, in the order of time: what `classify --evaluate` reads. A label is the type that \
the click should be found to have, a colon and the kind: human:tabs, scanner_sweep:pool_sweep, proxy_open:apple_mpp. The same \
flags write the same bytes. The group of a copy is who keeps the mailbox: m365, gmail, yahoo or other.

--send mints the links of the send with the Worker's keys, with now as the time of the send, and plays each click as a local \
runtime takes it, its address in CF-Connecting-IP and its network in MF-CF-Blob; in production Cloudflare says both. Landing \
pages tell /verify what they showed, by the cookie. The results are then the records as they were sent; where the answer brought \
a cookie, with the Worker's own event_id. --speed-up divides all times, those that the rules look at too.

--records brings the same visits in as records with their own times, a whole send in seconds (POST /v1/records): no keys, no cookies, \
and no landing pages. It waits until they are settled, says how many of the Worker's verdicts fit the labels and where the \
report is; a second time nothing is new. Nothing goes to stdout then.

--sends N is a history instead: scanners that no list names come again and again, and twenty kinds of addresses that people \
share. `simulate --sends 200 | classify --with-record | networks learn` tells them apart.

Environment, for --send and --records:
  LINK_KEYS  The signing keys, as the Worker has them: kid:base64,… (the first signs); --records needs none
  API_TOKEN  One of the Worker's tokens, to tell it of deliveries and bounces as a mail provider would; without it, it is not told, \
and --records is refused")]
pub(crate) struct Args {
    /// List the kinds of visitors, with --sends those of a history, and end
    #[arg(long)]
    list: bool,
    /// Draw other visitors
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = seed)]
    seed: u64,
    /// The size of the send; visitors grow with it
    #[arg(long, value_name = "N", default_value_t = RECIPIENTS, value_parser = recipients)]
    recipients: usize,
    /// Only these kinds, by name or label, and who belongs to them
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', value_parser = kind)]
    only: Vec<&'static Kind>,
    /// When the send is, Unix milliseconds; --send makes it now
    #[arg(long, value_name = "MS", default_value_t = NOON_MS, value_parser = sent_at, conflicts_with = "send")]
    sent_at: i64,
    /// The send's name
    #[arg(long, value_name = "ID", default_value = "simulated", value_parser = message_id)]
    message_id: String,
    /// A history of so many sends over months instead: scanners that no list names, and people who share addresses
    #[arg(long, value_name = "N", value_parser = sends, conflicts_with_all = ["only", "send"])]
    sends: Option<usize>,
    /// How much of each record is written
    #[arg(long, value_enum, default_value = "edge", conflicts_with = "send")]
    shape: Shape,
    /// Play it against the Worker at this address, such as `http://127.0.0.1:8787`
    #[arg(long, value_name = "URL", value_parser = base_url)]
    send: Option<String>,
    /// Bring it, as records, into the Worker at this address, such as `http://127.0.0.1:8787`
    #[arg(long, value_name = "URL", value_parser = base_url, conflicts_with_all = ["send", "shape", "output"])]
    records: Option<String>,
    /// How many times faster than life to play it
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed_up, requires = "send")]
    speed_up: f64,
    /// Write to this file instead of stdout; what it held is lost
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Simulates; says how many results there could not be.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    let mut output = streams::open_output(args.output.as_deref())?;
    if args.list {
        list(args.sends.is_some(), &mut output)?;
        return Ok(0);
    }
    if args.sends.is_some() && args.recipients < history::LEAST_RECIPIENTS {
        let least = history::LEAST_RECIPIENTS;
        return Err(Stop::Refused(format!("--sends needs --recipients of at least {least}")));
    }
    let hits = hits(args);
    if let Some(base_url) = &args.send {
        return play::run(&hits, base_url, args.speed_up, &mut output);
    }
    if let Some(base_url) = &args.records {
        return load::run(&hits, base_url);
    }
    for hit in &hits {
        write(hit, args.shape, &mut output)?;
    }
    output.flush()?;
    Ok(0)
}

/// All visits, in the order of time.
fn hits(args: &Args) -> Vec<Hit> {
    let everyone = Draw::new(args.seed, "recipients").shuffled((1..=args.recipients).collect());
    let send = Send {
        message_id: args.message_id.clone(),
        sent_at_ms: args.sent_at,
        recipients: everyone.into_iter().map(|number| format!("r{number}").into()).collect(),
    };
    let mut hits = match args.sends {
        Some(sends) => history::hits(args.seed, sends, &send),
        None => of_one_send(args, &send),
    };
    hits.sort_by_key(|hit| hit.record.ts_ms);
    let (mut ids, mut draw) = (EventIds::default(), Draw::new(args.seed, "event ids"));
    let mut pages = Draw::new(args.seed, "landing pages");
    for hit in &mut hits {
        hit.land(&mut pages);
        hit.record.event_id = ids.next(hit.record.ts_ms, draw.bytes()).to_string();
    }
    groups::tell(&mut hits);
    hits
}

/// All visits to one send, in no order.
fn of_one_send(args: &Args, send: &Send) -> Vec<Hit> {
    let wanted =
        |kind: &&Kind| args.only.is_empty() || args.only.iter().any(|named| named.label == kind.label);
    let (mut hits, mut next) = (Vec::new(), 0);
    for kind in KINDS.iter().filter(wanted) {
        let mut draw = Draw::new(args.seed, kind.label);
        for _ in 0..(kind.episodes * args.recipients / RECIPIENTS).max(1) {
            (kind.play)(&mut Scene { draw: &mut draw, send, next: &mut next, hits: &mut hits });
        }
    }
    hits
}

fn list(of_history: bool, output: &mut Output) -> Result<(), Stop> {
    let mut line = |label: &str, words: String| {
        output.line(|block| {
            block.extend_from_slice(format!("{label:<44} {words}").as_bytes());
            Ok(())
        })
    };
    if of_history {
        for (label, words) in history::list() {
            line(label, words.to_owned())?;
        }
    } else {
        for kind in KINDS {
            line(kind.label, format!("{} [{}]", kind.words, kind.source))?;
        }
    }
    output.flush()
}

fn kind(name: &str) -> Result<&'static Kind, String> {
    KINDS
        .iter()
        .find(|kind| kind.label == name || kind.name() == name)
        .ok_or_else(|| format!("there is no kind \"{name}\"; --list names them all"))
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("must be a whole number from 0 to {}", u64::MAX))
}

/// The largest burst takes in 45 recipients.
fn recipients(text: &str) -> Result<usize, String> {
    let fits = text.parse().ok().filter(|count| (50..=1_000_000).contains(count));
    fits.ok_or_else(|| "must be a whole number from 50 to 1000000".to_owned())
}

fn sends(text: &str) -> Result<usize, String> {
    let fits = text.parse().ok().filter(|count| (1..=10_000).contains(count));
    fits.ok_or_else(|| "must be a whole number from 1 to 10000".to_owned())
}

fn sent_at(text: &str) -> Result<i64, String> {
    let fits = text.parse().ok().filter(|ms| (0..1 << 47).contains(ms));
    fits.ok_or_else(|| "must be a whole number of Unix milliseconds".to_owned())
}

fn message_id(text: &str) -> Result<String, String> {
    check_message_id(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

fn speed_up(text: &str) -> Result<f64, String> {
    let fits = text.parse().ok().filter(|times| (0.001..=1e9).contains(times));
    fits.ok_or_else(|| "must be a number from 0.001 to 1000000000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let mut names: Vec<&str> = KINDS.iter().map(Kind::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KINDS.len());
    }
}
