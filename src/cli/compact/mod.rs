//! `clickproof compact`: shipped events as a warehouse wants them, one Parquet file for each event and day.
//!
//! What is shipped lies in many small objects, an event's revisions in different ones. [`objects`] finds them, [`line`] reads an
//! event, [`file`] writes them. Objects are read twice, first for the days that they tell of, then day by day, so that no more
//! than a day is ever in memory.

mod file;
mod line;
mod objects;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, NaiveDate};
use serde::Serialize;

use crate::form::Wanted;
use crate::say::{said, say};
use crate::stop::Stop;
use crate::streams;
use file::{Rows, Written};
use line::{Columns, Line};
use objects::{Day, Object};

#[derive(clap::Args)]
#[command(after_help = "\
Every file below the directories that ends in .ndjson, .jsonl or .json, gzipped (.gz) or not, is read; of an event's revisions the \
highest is kept, wherever it lies. For each event and day (of its own ts_ms, UTC) there is one file, sorted by message_id, ts_ms, \
event_id: DIR/event=click/dt=2026-11-22/events.parquet. The same events give the same bytes. A day is written from what the input \
holds of it, so give all objects of it; days that the input does not hold stay as they are. Each result is a file:
  {\"path\":\"event=click/dt=2026-11-22/events.parquet\",\"event\":\"click\",\"dt\":\"2026-11-22\",
   \"events\":48113,\"bytes\":901224}
Get the objects with a tool that keeps their times, for --since: rclone copy r2:clickproof-events/events events")]
pub(crate) struct Args {
    /// Directories of shipped events
    #[arg(value_name = "DIR", required = true)]
    directories: Vec<PathBuf>,
    /// The directory of the Parquet files; made where there is none
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Write only days of which an object was uploaded at that time or later, such as 2026-11-22 or 2026-11-22T12:00:00Z: goes by
    /// the time of the file
    #[arg(long, value_name = "WHEN", value_parser = when)]
    since: Option<SystemTime>,
}

fn when(text: &str) -> Result<SystemTime, String> {
    let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()).or_else(day);
    time.map(Into::into).ok_or_else(|| "a time is such as 2026-11-22 or 2026-11-22T12:00:00Z".to_owned())
}

/// A file that was written, as the results tell of it.
#[derive(Serialize)]
struct Told<'a> {
    path: &'a str,
    event: &'a str,
    dt: &'a str,
    #[serde(flatten)]
    written: Written,
}

/// Writes the files; says how many lines were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    let found = objects::below(&args.directories, &args.output)?;
    if found.left > 0 {
        say(&format!(
            "{} files are left: their names end neither in .ndjson, .jsonl nor .json, with or without .gz",
            said(found.left)
        ));
    }
    let mut bad = 0;
    let days = days(&found.objects, args.since, &mut bad)?;
    if days.is_empty() {
        say("there is no event to write");
    }
    let mut output = streams::open_output(None)?;
    let (mut events, mut files, mut superseded) = (0, 0, 0);
    for (day, objects) in &days {
        let kept = kept(*day, objects, &mut bad)?;
        superseded += kept.superseded;
        for (event, lines) in kept.events {
            let dt = objects::date(*day);
            let path = format!("event={event}/dt={dt}/events.parquet");
            let written = file::write(&args.output.join(&path), &lines)?;
            events += written.events;
            files += 1;
            let told = Told { path: &path, event: &event, dt: &dt, written };
            output.line(|block| serde_json::to_writer(block, &told))?;
        }
    }
    output.flush()?;
    say(&format!(
        "{} events in {} files; {} lines were earlier revisions or repetitions",
        said(events),
        said(files),
        said(superseded)
    ));
    Ok(bad)
}

/// The days to write, each with the objects that tell of it.
fn days<'a>(
    objects: &'a [Object],
    since: Option<SystemTime>,
    bad: &mut usize,
) -> Result<BTreeMap<Day, Vec<&'a Path>>, Stop> {
    let mut days = BTreeMap::<Day, Vec<&Path>>::new();
    let is_new = |object: &&Object| since.is_none_or(|since| object.modified >= since);
    let (new, old): (Vec<_>, Vec<_>) = objects.iter().partition(is_new);
    for object in new {
        for day in days_of(&object.path, bad)? {
            days.entry(day).or_default().push(&object.path);
        }
    }
    let Some(first) = days.keys().next().copied() else { return Ok(days) };
    for object in old.into_iter().filter(|object| object.may_tell_of(first)) {
        for day in days_of(&object.path, bad)? {
            if let Some(objects) = days.get_mut(&day) {
                objects.push(&object.path);
            }
        }
    }
    Ok(days)
}

/// The days that an object tells of. Lines that are no event are complained of here.
fn days_of(path: &Path, bad: &mut usize) -> Result<BTreeSet<Day>, Stop> {
    let mut days = BTreeSet::new();
    let mut lines = streams::open_lines(path, Wanted::Objects)?;
    while let Some(text) = lines.next()? {
        match text.and_then(Line::read) {
            Ok(line) => _ = days.insert(line.day()),
            Err(problem) => lines.complain(&problem),
        }
    }
    lines.finish();
    *bad += lines.bad();
    Ok(days)
}

/// What is kept of a day.
struct Kept {
    /// By the event's name.
    events: BTreeMap<String, Rows>,
    superseded: usize,
}

/// The newest revision of an event so far.
struct Newest {
    revision: i64,
    ts_ms: i64,
    message_id: String,
    text: String,
}

/// The events of one name, each once.
struct Events {
    columns: Columns,
    by_id: HashMap<String, Newest>,
}

impl Events {
    fn of(event: &str) -> Self {
        Self { columns: Columns::of(event), by_id: HashMap::new() }
    }

    /// Takes a line; says whether another of that id was there. Where one revision was written twice and differs (an older release
    /// shipped fewer fields) the longer line is kept, then the one that sorts last: whatever the order of the objects.
    fn add(&mut self, event_id: String, line: Newest) -> bool {
        match self.by_id.entry(event_id) {
            Entry::Vacant(place) => {
                place.insert(line);
                false
            }
            Entry::Occupied(mut place) => {
                let rank = |line: &Newest| (line.revision, line.text.len());
                let other = place.get();
                if (rank(&line), &line.text) > (rank(other), &other.text) {
                    place.insert(line);
                }
                true
            }
        }
    }

    fn sorted(self) -> Rows {
        let mut lines: Vec<_> = self.by_id.into_iter().collect();
        lines.sort_unstable_by(|(id, line), (other_id, other)| {
            (&line.message_id, line.ts_ms, id).cmp(&(&other.message_id, other.ts_ms, other_id))
        });
        Rows { columns: self.columns, lines: lines.into_iter().map(|(_, line)| line.text).collect() }
    }
}

/// Reads a day: of each event the line with the highest revision. Lines that are no event were complained of before, those of other
/// days are when it is their turn.
fn kept(day: Day, objects: &[&Path], bad: &mut usize) -> Result<Kept, Stop> {
    let mut events = BTreeMap::<String, Events>::new();
    let mut superseded = 0;
    for path in objects {
        let mut lines = streams::open_lines(path, Wanted::Objects)?;
        while let Some(text) = lines.next()? {
            let Ok(text) = text else { continue };
            let Ok(line) = Line::read(text) else { continue };
            if line.day() != day {
                continue;
            }
            let of_name = match events.get_mut(line.event.as_ref()) {
                Some(events) => events,
                None => events.entry(line.event.to_string()).or_insert_with(|| Events::of(&line.event)),
            };
            if let Err(problem) = of_name.columns.check(&line) {
                lines.complain(&problem);
                continue;
            }
            let newest = Newest {
                revision: line.revision,
                ts_ms: line.ts_ms,
                message_id: line.message_id.into_owned(),
                text: text.to_owned(),
            };
            superseded += usize::from(of_name.add(line.event_id.into_owned(), newest));
        }
        lines.finish();
        *bad += lines.bad();
    }
    let has_lines = |(_, events): &(String, Events)| !events.by_id.is_empty();
    let events = events.into_iter().filter(has_lines).map(|(name, events)| (name, events.sorted()));
    Ok(Kept { events: events.collect(), superseded })
}
