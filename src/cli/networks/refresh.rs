//! `networks refresh`: the vendors' live feeds against the catalogue's file: a difference to read, and to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use clickproof::compile::networks::{FeedPart, Section, parse};
use clickproof::signals::catalogue::{Feed, Scope};
use ipnet::IpNet;

use super::edit::rewrite;
use super::feeds::{self, Fetched};
use crate::say::say;
use crate::stop::Stop;

#[derive(clap::Args)]
#[command(after_help = "\
Feeds: azure, microsoft365, apple, google, aws. A section of the file names the feed it comes from. Shows what each section \
gains (+) and loses (-). A feed that cannot be fetched or read, that holds nothing for a section or less than half of what \
stands there is refused, and then nothing is written. After --write, build again: the catalogue is compiled in.")]
pub(crate) struct Args {
    /// The feeds to fetch; without a name, every one that a section comes from
    #[arg(value_name = "FEED", value_parser = feed)]
    feeds: Vec<Feed>,
    /// Fetch a feed from another place: a URL or a file, such as `azure=tags.json`
    #[arg(long = "feed", value_name = "FEED=PLACE", value_parser = feed_and_place)]
    places: Vec<(Feed, String)>,
    /// The catalogue's file
    #[arg(long, value_name = "FILE", default_value = "src/signals/catalogue/networks.txt")]
    file: PathBuf,
    /// Write what changed into the file
    #[arg(long)]
    write: bool,
}

fn feed(text: &str) -> Result<Feed, String> {
    Feed::named(text).ok_or_else(|| {
        format!("there is no feed `{text}`: name one of {}", Feed::ALL.map(Feed::name).join(", "))
    })
}

fn feed_and_place(text: &str) -> Result<(Feed, String), String> {
    let (name, place) = text.split_once('=').ok_or("write it as FEED=URL or FEED=FILE")?;
    if place.is_empty() {
        return Err("the place is empty: write it as FEED=URL or FEED=FILE".to_owned());
    }
    Ok((feed(name)?, place.to_owned()))
}

/// A section whose feed was asked for.
struct Wanted<'a> {
    section: &'a Section,
    part: &'a FeedPart,
}

/// What a section becomes.
struct Refreshed<'a> {
    section: &'a Section,
    part: &'a FeedPart,
    date: String,
    prefixes: Vec<IpNet>,
}

pub(crate) fn run(args: &Args) -> Result<(), Stop> {
    let file = args.file.display();
    let text = fs::read_to_string(&args.file).map_err(|error| {
        Stop::Refused(format!("--file {file}: {error}; name the catalogue's networks.txt"))
    })?;
    let sections =
        parse(&text).map_err(|mistake| Stop::Refused(format!("--file {file}: {mistake}; mend it first")))?;
    let wanted = args.wanted(&sections)?;

    let mut fetched = BTreeMap::new();
    for Wanted { part, .. } in &wanted {
        let name = part.feed.name();
        fetched.entry(name).or_insert_with(|| feeds::fetch(part.feed, args.place(part.feed)));
    }
    let mut problems = Vec::new();
    for (name, outcome) in &fetched {
        if let Err(problem) = outcome {
            problems.push(format!("feed {name}: {problem}"));
        }
    }
    // What other sections hold is theirs: no prefix may stand twice in one scope.
    let refreshing: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.section.name.as_str()).collect();
    let others = sections.iter().filter(|section| !refreshing.contains(section.name.as_str()));
    let mut taken: BTreeSet<(&str, IpNet)> = others
        .flat_map(|section| section.prefixes.iter().map(|prefix| (section.scope.name(), *prefix)))
        .collect();
    let mut refreshed = Vec::new();
    for wanted in &wanted {
        let Some(Ok(feed)) = fetched.get(wanted.part.feed.name()) else { continue };
        match wanted.refresh(feed, &mut taken) {
            Ok(section) => refreshed.push(section),
            Err(problem) => problems.push(problem),
        }
    }
    print(&refreshed)?;
    if !problems.is_empty() {
        return Err(Stop::Refused(format!("{}; nothing is written", problems.join("\nerror: "))));
    }
    if !args.write {
        say("nothing is written: add --write to keep this");
        return Ok(());
    }
    let written = refreshed.iter().fold(text, |text, Refreshed { section, part, date, prefixes }| {
        rewrite(&text, &section.name, prefixes, &feeds::source(part), date)
    });
    parse(&written).map_err(|mistake| {
        Stop::Refused(format!("the feeds do not fit the file: {mistake}; nothing is written"))
    })?;
    fs::write(&args.file, written)
        .map_err(|error| Stop::Refused(format!("--file {file}: {error}; nothing else was changed")))?;
    say(&format!("written: {file}; build again to use it"));
    Ok(())
}

impl Args {
    /// The sections to refresh, in the file's order.
    fn wanted<'a>(&self, sections: &'a [Section]) -> Result<Vec<Wanted<'a>>, Stop> {
        let with_feed = || {
            sections.iter().filter_map(|section| section.feed.as_ref().map(|part| Wanted { section, part }))
        };
        let named = self.feeds.iter().chain(self.places.iter().map(|(feed, _)| feed));
        for feed in named {
            if !with_feed().any(|wanted| wanted.part.feed == *feed) {
                let (file, feed) = (self.file.display(), feed.name());
                return Err(Stop::Refused(format!(
                    "no section of {file} comes from the feed {feed}: leave it out, or give a section `feed = {feed}`"
                )));
            }
        }
        let is_asked = |wanted: &Wanted| self.feeds.is_empty() || self.feeds.contains(&wanted.part.feed);
        let wanted: Vec<_> = with_feed().filter(is_asked).collect();
        if wanted.is_empty() {
            let file = self.file.display();
            return Err(Stop::Refused(format!(
                "no section of {file} has a `feed = …`: there is nothing to fetch"
            )));
        }
        Ok(wanted)
    }

    /// Where to fetch a feed; of several places named the last.
    fn place(&self, feed: Feed) -> &str {
        let named = self.places.iter().rev().find(|(named, _)| *named == feed);
        named.map_or(feeds::home(feed), |(_, place)| place)
    }
}

impl<'a> Wanted<'a> {
    fn refresh(
        &self,
        fetched: &Fetched,
        taken: &mut BTreeSet<(&'a str, IpNet)>,
    ) -> Result<Refreshed<'a>, String> {
        let Section { name, scope, prefixes: old, .. } = self.section;
        let refused = |problem: &str| format!("feed {}, section `{name}`: {problem}", self.part);
        let mut prefixes = fetched.prefixes(self.part).map_err(|problem| refused(&problem))?;
        let scope: &Scope = scope;
        prefixes.retain(|prefix| taken.insert((scope.name(), *prefix)));
        if prefixes.len() * 2 < old.len() {
            return Err(refused(&format!(
                "only {} of {} prefixes are left: if that is right, take the others out of the file by hand",
                prefixes.len(),
                old.len()
            )));
        }
        if prefixes.len() > MAX_GROWTH * old.len() {
            return Err(refused(&format!(
                "{} prefixes where there were {}: if that is right, put them into the file by hand",
                prefixes.len(),
                old.len()
            )));
        }
        if self.section.class.is_scanner()
            && let Some(wide) = prefixes.iter().find(|prefix| !old.contains(prefix) && is_wide(prefix))
        {
            return Err(refused(&format!(
                "{wide} is new and too wide for a scanner's network: if that is right, put it into the file by hand"
            )));
        }
        let date = fetched.date.clone().map_or_else(today, Ok)?;
        Ok(Refreshed { section: self.section, part: self.part, date, prefixes })
    }
}

/// A section that grows by more than this at once is not what it was.
const MAX_GROWTH: usize = 4;

/// Whether a prefix is wider than any single scanner's network known today.
fn is_wide(prefix: &IpNet) -> bool {
    prefix.prefix_len() < if prefix.addr().is_ipv4() { 12 } else { 28 }
}

/// Today's date, UTC.
fn today() -> Result<String, String> {
    #[expect(clippy::disallowed_methods, reason = "the ban is the Worker's; a command has a clock")]
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map(|time| time.date_naive().to_string()).ok_or_else(|| "this machine's clock is wrong".to_owned())
}

/// Shows what each section gains and loses.
fn print(refreshed: &[Refreshed]) -> Result<(), Stop> {
    let mut text = String::new();
    for Refreshed { section, part, date, prefixes } in refreshed {
        let (old, new): (BTreeSet<_>, BTreeSet<_>) =
            (section.prefixes.iter().collect(), prefixes.iter().collect());
        let (added, removed) = (new.difference(&old), old.difference(&new));
        let _ = writeln!(
            text,
            "{} (feed {part}, {} to {date}): {} prefixes, {} added, {} removed",
            section.name,
            section.date,
            new.len(),
            added.clone().count(),
            removed.clone().count()
        );
        for prefix in added {
            let _ = writeln!(text, "+ {prefix}");
        }
        for prefix in removed {
            let _ = writeln!(text, "- {prefix}");
        }
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Stop::Closed,
        _ => Stop::Refused(format!("stdout cannot be written: {error}; make room and start again")),
    })
}
