//! `classify`: click records in, in any order, their verdicts out.
//!
//! A verdict needs all clicks of its message, and they may stand anywhere: everything is read before anything is
//! judged. What is kept of a record is only what the rules look at, and its text where the results repeat it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use clickproof::record::Delivery;
use clickproof::record::Kind;
use clickproof::record::Record;
use clickproof::signals::catalogue::learned::Table;
use clickproof::signals::stored;
use clickproof::verdict::{Click, JudgedHistory, Key, Ruleset, Thresholds};

use crate::evaluate::Labels;
use crate::form::Wanted;
use crate::learned;
use crate::lines::Lines;
use crate::merge::VerdictNames;
use crate::notes::Notes;
use crate::say::say;
use crate::stop::Stop;
use crate::streams::Streams;
use crate::summary::{Counts, Stopwatch};
use crate::thresholds::Flags;
use crate::verdicts::{Judged, Verdicts};

#[derive(clap::Args)]
#[command(after_help = "\
Each line is a click record, all of a message's in one run; the least of them:
  {\"event_id\":\"…\",\"message_id\":\"spring\",\"recipient_id\":\"r1\",\"link_id\":\"cta\",\"ts_ms\":1795348860000,
   \"sent_at_ms\":1795348800000}
Each result is its event_id and verdict, revision 1 and final:
  {\"event_id\":\"…\",\"click_type\":\"human\",\"rule\":\"human\",…}

A repeated event_id is the same click: the first line counts, each line gets its verdict. Blank lines are skipped; a line \
has at most 1 MiB. A JSON array is read as its items, gzipped input as what it holds. At the end stderr says which signals no \
record carries, and which fields no rule knows.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    #[command(flatten)]
    streams: Streams,
    /// The rules to judge by
    #[arg(long, value_name = "NAME", default_value = "full", value_parser = Ruleset::NAMES)]
    ruleset: String,
    /// Write each record with all its fields, the verdict's laid over them
    #[arg(long)]
    with_record: bool,
    /// Write counts to stderr at the end
    #[arg(long)]
    summary: bool,
    /// Write to stderr at the end how the verdicts fit the records' labels: `human:…`, `scanner:…`, a click type
    #[arg(long)]
    evaluate: bool,
    /// Add to each click's result why: every rule in order, on which facts, and what would have changed it (some 5 kB
    /// each, all kept in memory until the end)
    #[arg(long)]
    explain: bool,
    /// Judge by this file of learned networks, as `networks learn --write` makes it, instead of the built-in one
    #[arg(long, value_name = "FILE")]
    learned: Option<PathBuf>,
    #[command(flatten)]
    thresholds: Flags,
}

/// Judges; says how many lines were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    let stopwatch = Stopwatch::start();
    let ruleset = Ruleset::named(&args.ruleset)
        .ok_or_else(|| Stop::Refused(format!("--ruleset: must be {}", Ruleset::NAMES.join(" or "))))?;
    let learned = args.learned.as_deref().map(learned::load).transpose()?;
    let (mut lines, mut output) = args.streams.open(Wanted::Objects)?;
    let mut notes = Notes::default();
    let labels = args.evaluate.then(Labels::default);
    let mut history = History { labels, learned, ..History::default() };
    history.read(&mut lines, args.with_record, &mut notes)?;
    lines.finish();
    let counts = args.summary.then(|| history.count(lines.bad()));

    let (verdicts, judged) = history.judge(ruleset, &args.thresholds.0, args.explain)?;
    let names = VerdictNames::new()?;
    for (at, &event) in history.told.iter().enumerate() {
        output.line(|block| {
            block.push(b'{');
            if let Some(record) = history.records.get(at) {
                let click_type = verdicts.finding(&judged[event]).click_type;
                names.write_others(record, click_type, block)?;
            } else {
                block.extend_from_slice(b"\"event_id\":");
                serde_json::to_writer(&mut *block, &*history.events[event])?;
                block.push(b',');
            }
            verdicts.write(&judged[event], block)?;
            if let Some(explanation) = &judged[event].explanation {
                block.pop();
                block.extend_from_slice(b",\"explanation\":");
                block.extend_from_slice(explanation.as_bytes());
                block.push(b'}');
            }
            Ok(())
        })?;
    }
    output.flush()?;
    for note in notes.lines(ruleset, lines.bad(), &names) {
        say(&note);
    }
    if let Some(counts) = counts {
        say(&counts.table(&verdicts, ruleset, stopwatch.seconds()));
    }
    if let Some(labels) = &history.labels {
        say(&labels.evaluate(judged.iter().map(|judged| verdicts.finding(judged)), ruleset));
    }
    Ok(lines.bad())
}

/// All that was read.
#[derive(Default)]
struct History {
    /// For each good line, the event that it tells of.
    told: Vec<usize>,
    /// For each good line, its text, where the results repeat it.
    records: Vec<Box<str>>,
    /// The ids of the events, each once.
    events: Vec<Rc<str>>,
    /// The labels of the events, where the verdicts are evaluated.
    labels: Option<Labels>,
    /// What was learned of networks, where it is not the built-in file.
    learned: Option<Table>,
    /// The clicks, opens and acts of each message with their places among the events.
    messages: HashMap<String, Vec<(usize, Rc<Click>)>>,
}

impl History {
    fn read(&mut self, lines: &mut Lines, keep_records: bool, notes: &mut Notes) -> Result<(), Stop> {
        let mut places = HashMap::new();
        while let Some(line) = lines.next()? {
            let added = line.and_then(|line| {
                let known = self.events.len();
                let record = Record::given(line, &mut |name| notes.extra(name))?;
                stored::check(&record)?;
                notes.record(&record);
                self.add(record, &mut places);
                if let Some(labels) = self.labels.as_mut().filter(|_| self.events.len() > known) {
                    labels.take(line);
                }
                if keep_records {
                    self.records.push(line.into());
                }
                Ok(())
            });
            if let Err(problem) = added {
                lines.complain(&problem);
            }
        }
        Ok(())
    }

    fn add(&mut self, record: Record, places: &mut HashMap<Key, usize>) {
        let place = *places.entry(Key::of(&record.event_id)).or_insert(self.events.len());
        self.told.push(place);
        if place < self.events.len() {
            return;
        }
        let mut click = Click::of(&record, Delivery::default());
        if let Some(learned) = &self.learned {
            click.signals = click.signals.taught(&record, learned);
        }
        self.events.push(Rc::clone(&click.event_id));
        self.messages.entry(record.message_id).or_default().push((place, Rc::new(click)));
    }

    fn count(&self, bad: usize) -> Counts {
        let all = || self.messages.values().flatten().map(|(_, click)| click);
        let clicks = || all().filter(|click| click.kind == Kind::Click);
        Counts {
            lines: self.told.len() + bad,
            bad,
            repeated: self.told.len() - self.events.len(),
            others: self.events.len() - clicks().count(),
            messages: self.messages.len(),
            recipients: clicks().map(|click| click.recipient).collect::<HashSet<_>>().len(),
        }
    }

    /// Judges message by message, and lets go of the clicks; the verdicts stand in the order of the events.
    fn judge(
        &mut self,
        ruleset: Ruleset,
        thresholds: &Thresholds,
        explain: bool,
    ) -> serde_json::Result<(Verdicts, Vec<Judged>)> {
        let mut verdicts = Verdicts::new(ruleset)?;
        let mut judged = Vec::new();
        judged.resize_with(self.events.len(), Judged::default);
        for (_, mut message) in self.messages.drain() {
            message.sort_unstable_by(|(_, one), (_, other)| one.order().cmp(&other.order()));
            let (places, clicks): (Vec<_>, Vec<_>) = message.into_iter().unzip();
            let trial = JudgedHistory::of(&clicks, ruleset, thresholds);
            if explain {
                for (at, &place) in places.iter().enumerate() {
                    let text = serde_json::to_string(&trial.explain(at))?;
                    judged[place].explanation = Some(text.into());
                }
            }
            for ((place, click), finding) in places.into_iter().zip(&clicks).zip(trial.into_findings()) {
                verdicts.keep(click, finding, &mut judged[place])?;
            }
        }
        Ok((verdicts, judged))
    }
}
