//! `import`: what mail providers export in, click records out. `clickproof import … | clickproof classify` is a backfill.
//!
//! [`event`] is what all exports tell of, in one form; each provider has a file that says where its JSON keeps what ([`shape`]
//! reads those tables), [`table`] reads CSV. [`gather`] brings a click and the sending of its mail together, [`names`] makes
//! the ids, [`time`] reads times.

mod event;
mod gather;
mod mailgun;
mod names;
mod postmark;
mod sendgrid;
mod ses;
mod shape;
mod sparkpost;
mod table;
mod time;

use chrono::FixedOffset;
use clickproof::json::Json;
use clickproof::link::text_id::check_message_id;

use crate::form::Wanted;
use crate::say::say;
use crate::stop::Stop;
use crate::streams::Streams;
use event::Found;
use gather::{Bad, Gathered, Given};
use names::Recipients;
use table::{Row, Table};
use time::{Clock, Unit};

/// The longest line, bytes: a page of a provider's API may stand on one, with ten thousand events.
const MAX_LINE_BYTES: usize = 1 << 28;

/// Whose export it is.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Origin {
    /// Event Webhook bodies
    Sendgrid,
    /// Pages of the Events API, webhook bodies
    Mailgun,
    /// Webhook bodies, pages of the Messages API
    Postmark,
    /// Event publishing through Firehose or SNS
    Ses,
    /// Webhook bodies, pages of the Events API
    Sparkpost,
    /// A table of any origin
    Csv,
}

#[derive(clap::Args)]
#[command(after_help = "\
The input is an export as it comes: NDJSON, a JSON array, pages of an API or webhook bodies one behind the other; CSV with a \
header. Gzip and a byte order mark are no trouble.

  clickproof import --from sendgrid --input events.json.gz | clickproof classify --with-record > verdicts.ndjson
  clickproof import --from csv --map ts_ms=Time --map recipient_id=Email --map url=URL --map user_agent=Client \\
    --message-id spring --sent-at 2026-11-22T12:00:00Z < clicks.csv

Clicks, opens and unsubscriptions become records, in their order. When a mail was sent is what its processed event says, or \
else its delivered event, wherever they stand; a bounce is told, too. Other events are counted on stderr. A recipient is a \
keyed hash of the address: the same key gives the same names. The same input gives the same bytes.

Environment:
  RECIPIENT_KEY  The key, where it shall not stand on the command line")]
pub(crate) struct Args {
    #[command(flatten)]
    streams: Streams,
    /// Whose export it is
    #[arg(long, value_name = "PROVIDER")]
    from: Origin,
    /// What names recipients: addresses become a hash with this key; keep it, and keep it secret
    #[arg(long, value_name = "KEY", env = "RECIPIENT_KEY", hide_env = true, value_parser = key)]
    recipient_key: Option<String>,
    /// The message of what names no campaign
    #[arg(long, value_name = "NAME", value_parser = message_id)]
    message_id: Option<String>,
    /// When mails were sent of which the export does not say it: Unix milliseconds or ISO 8601
    #[arg(long, value_name = "TIME", value_parser = sent_at)]
    sent_at: Option<i64>,
    /// Which column of a CSV is which field of a record, such as `ip=Address`; a column that has a field's name is that
    /// field. `kind` says what the row tells of: click, open, delivered, … (without it all are clicks)
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = table::mapping)]
    map: Vec<(String, String)>,
    /// How times stand in a CSV; each is looked at where this is not said
    #[arg(long, value_name = "UNIT")]
    time: Option<Unit>,
    /// Whose time a CSV's times without a zone are: Z, or such as +02:00
    #[arg(long, value_name = "ZONE", value_parser = time::zone, allow_hyphen_values = true)]
    zone: Option<FixedOffset>,
}

/// Reads an item of a provider's JSON.
type Read = fn(&Json, &mut Vec<Found>) -> Result<(), String>;

/// Imports; says how many lines were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    match args.from {
        Origin::Sendgrid => of_json(args, "sendgrid", sendgrid::read),
        Origin::Mailgun => of_json(args, "mailgun", mailgun::read),
        Origin::Postmark => of_json(args, "postmark", postmark::read),
        Origin::Ses => of_json(args, "ses", ses::read),
        Origin::Sparkpost => of_json(args, "sparkpost", sparkpost::read),
        Origin::Csv => of_table(args),
    }
}

fn of_json(args: &Args, from: &'static str, read: Read) -> Result<usize, Stop> {
    if !args.map.is_empty() || args.time.is_some() || args.zone.is_some() {
        return Err(Stop::Refused("--map, --time, --zone: only with --from csv".to_owned()));
    }
    if args.recipient_key.is_none() {
        return Err(keyless());
    }
    let mut gathered = Gathered::new(args.given(from));
    let (lines, mut output) = args.streams.open(Wanted::Objects)?;
    let mut lines = lines.up_to(MAX_LINE_BYTES);
    let mut found = Vec::new();
    while let Some(line) = lines.next()? {
        let items = line.and_then(|line| {
            let item = Json::parse(line).map_err(|problem| format!("not a JSON object: {problem}"))?;
            // A line may hold all that one call of a webhook brought.
            item.list()
                .unwrap_or(std::slice::from_ref(&item))
                .iter()
                .try_for_each(|item| read(item, &mut found))
        });
        let number = lines.number();
        if let Err(problem) = items {
            lines.complain(&problem);
        }
        for found in found.drain(..) {
            match gathered.take(number, found) {
                Ok(()) => {}
                Err(Bad::Keyless) => return Err(keyless()),
                Err(Bad::Lacks(problem)) => lines.complain(&problem),
            }
        }
    }
    lines.finish();
    gathered.write(&mut output, lines.complaints())?;
    Ok(lines.bad())
}

fn of_table(args: &Args) -> Result<usize, Stop> {
    let mut gathered = Gathered::new(args.given("csv"));
    let (lines, mut output) = args.streams.open(Wanted::Lines)?;
    let (bytes, mut complaints) = lines.into_bytes();
    let clock = Clock { unit: args.time, zone: args.zone };
    let mut table = Table::open(bytes, complaints.input(), &args.map, clock, args.message_id.is_some())?;
    while let Some(Row { line, found }) = table.next()? {
        match found.map_err(Bad::Lacks).and_then(|found| gathered.take(line, found)) {
            Ok(()) => {}
            Err(Bad::Keyless) => return Err(keyless()),
            Err(Bad::Lacks(problem)) => complaints.add(line, &problem),
        }
    }
    complaints.finish();
    gathered.write(&mut output, &mut complaints)?;
    if !table.left().is_empty() {
        let left = table.left().join(", ").replace(char::is_control, "\u{fffd}");
        say(&format!("columns that are no field and were left out: {left}"));
    }
    Ok(complaints.bad())
}

impl Args {
    fn given(&self, from: &'static str) -> Given {
        Given {
            from,
            recipients: Recipients::new(self.recipient_key.as_deref()),
            message_id: self.message_id.clone(),
            sent_at_ms: self.sent_at,
            counts_alike: self.from == Origin::Csv,
        }
    }
}

fn keyless() -> Stop {
    Stop::Refused(
        "--recipient-key: missing; recipients are e-mail addresses here, and a record never has one: give a long random text \
         to hash them with, the same every time"
            .to_owned(),
    )
}

fn key(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("must not be empty") } else { Ok(text.to_owned()) }
}

fn message_id(text: &str) -> Result<String, String> {
    check_message_id(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

fn sent_at(text: &str) -> Result<i64, String> {
    Clock::default().read("sent-at", text)
}
