//! `networks learn`: what the sender's own history knows of scanners that no list names: proposals with their counts, what they
//! change in the file of learned networks, and, with `--write`, that file.
//!
//! [`history`] reads events, [`propose`] finds networks, [`keep`] lays them over the file.

mod history;
mod keep;
mod propose;

use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::{DateTime, Days, NaiveDate};
use serde::Serialize;

use crate::form::Wanted;
use crate::lines::Lines;
use crate::output::Output;
use crate::say::say;
use crate::stop::Stop;
use crate::streams::{self, Streams};
use history::{BEHAVIOUR, History};
use keep::keep;
use propose::{Bounds, Network, Proposal, propose};

#[derive(clap::Args)]
#[command(after_help = "\
Each line of the input is a shipped event (events/dt=…/hh=….ndjson), or what `classify --with-record` wrote; of several \
revisions the highest counts. Each result is a network that was convicted by what its clicks did, again and again, and in which \
nobody touched a landing page or came back with a cookie: an address block, or an AS number with one exact agent:
  {\"network\":\"203.0.113.0/24\",\"asn\":64496,\"agent\":null,\"sends\":133,\"recipients\":512,
   \"clicks\":4812,\"convicted\":4790,…}
What that changes in the file stands on stderr: + is new, ~ holds longer, - has expired. `classify --learned FILE` judges by \
such a file at once; the Worker does once it is built again.")]
pub(crate) struct Args {
    /// Files of events, one after the other
    #[arg(value_name = "EVENTS", conflicts_with = "input")]
    events: Vec<PathBuf>,
    #[command(flatten)]
    streams: Streams,
    /// The file of learned networks; where there is none, one is made
    #[arg(long, value_name = "FILE", default_value = "src/signals/catalogue/learned.txt")]
    file: PathBuf,
    /// Write what changed into the file
    #[arg(long)]
    write: bool,
    /// The day of the proposals, YYYY-MM-DD; without it, that of the newest click
    #[arg(long, value_name = "DAY", value_parser = date)]
    date: Option<NaiveDate>,
    /// How long they hold
    #[arg(long, value_name = "COUNT", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
    #[command(flatten)]
    bounds: Bounds,
}

fn date(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| "a day is YYYY-MM-DD".to_owned())
}

/// Learns; says how many lines were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    let file = args.file.display();
    let text = match fs::read_to_string(&args.file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|error| {
            Stop::Refused(format!("--file {file}: {error}; name the file of learned networks"))
        })?,
    };
    let (lines, mut output) = args.streams.open(Wanted::Objects)?;
    let mut history = History::default();
    let mut bad = 0;
    if args.events.is_empty() {
        bad += read(lines, &mut history)?;
    }
    for path in &args.events {
        bad += read(streams::open_lines(path, Wanted::Objects)?, &mut history)?;
    }
    history.finish();

    let newest = history.newest_ms.and_then(DateTime::from_timestamp_millis).map(|time| time.date_naive());
    let Some(date) = args.date.or(newest) else {
        say("no click was read: nothing to learn from");
        return Ok(bad);
    };
    let expires = date.checked_add_days(Days::new(args.days.into())).unwrap_or(NaiveDate::MAX);
    let (date, expires) = (date.to_string(), expires.to_string());
    let proposals = propose(&history, &args.bounds);
    if !proposals.are_people_seen {
        say(
            "no click here touched a landing page or came back with a cookie: people cannot be seen, so bursts must be nearly all that \
             a network does",
        );
    }
    for proposal in &proposals.found {
        write(proposal, &date, &expires, &mut output)?;
    }
    output.flush()?;

    let kept = keep(&text, &proposals.found, &date, &expires)
        .map_err(|mistake| Stop::Refused(format!("--file {file}: {mistake}; mend it first")))?;
    for line in &kept.difference {
        say(line);
    }
    if kept.difference.is_empty() {
        say("nothing to learn: no network was convicted that the lists do not know");
    } else if !args.write {
        say("nothing is written: add --write to keep this");
    } else if bad > 0 {
        return Err(Stop::Refused(format!(
            "{bad} lines were bad, and one of them may tell of a person; mend them, then --write; nothing is written"
        )));
    } else {
        save(&args.file, &kept.text)?;
        say(&format!("written: {file}; build again to use it, or try it with `classify --learned {file}`"));
    }
    Ok(bad)
}

fn save(path: &Path, text: &str) -> Result<(), Stop> {
    fs::write(path, text).map_err(|error| {
        Stop::Refused(format!("--file {}: {error}; name a file that can be written", path.display()))
    })
}

/// Takes in all lines; says how many were bad.
fn read(mut lines: Lines, history: &mut History) -> Result<usize, Stop> {
    while let Some(line) = lines.next()? {
        if let Err(problem) = line.and_then(|line| history.take(line)) {
            lines.complain(&problem);
        }
    }
    lines.finish();
    Ok(lines.bad())
}

/// A proposal as a line.
#[derive(Serialize)]
struct Told<'a> {
    network: String,
    /// The AS number of most of its clicks.
    asn: Option<u32>,
    agent: Option<&'a str>,
    /// For somebody to fill in, who knows whose it is.
    vendor: Option<&'a str>,
    sends: usize,
    recipients: usize,
    clicks: usize,
    convicted: usize,
    by_rule: std::collections::BTreeMap<&'static str, usize>,
    undecided: usize,
    rendered: usize,
    touched: usize,
    returned: usize,
    blocks: usize,
    first: Option<String>,
    last: Option<String>,
    date: &'a str,
    expires: &'a str,
}

fn write(proposal: &Proposal, date: &str, expires: &str, output: &mut Output) -> Result<(), Stop> {
    let Proposal { network, tally } = proposal;
    let (name, asn, agent) = match network {
        Network::Block(net) => (net.to_string(), tally.system(), None),
        Network::Agent(system, agent) => (format!("AS{system}"), Some(*system), Some(agent.as_str())),
    };
    let by_rule = BEHAVIOUR.into_iter().zip(tally.rules).filter(|(_, clicks)| *clicks > 0).collect();
    let (first, last) = tally.days().unzip();
    let told = Told {
        network: name,
        asn,
        agent,
        vendor: None,
        sends: tally.sends(),
        recipients: tally.recipients(),
        clicks: tally.clicks,
        convicted: tally.convicted,
        by_rule,
        undecided: tally.human,
        rendered: tally.rendered,
        touched: tally.touched,
        returned: tally.returned,
        blocks: tally.blocks().count(),
        first,
        last,
        date,
        expires,
    };
    output.line(|block| serde_json::to_writer(block, &told))
}
