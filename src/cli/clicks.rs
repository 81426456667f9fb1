//! `clicks`: the clicks of a message as a running Worker lists them, page by page to the end.

use std::fmt::Write;

use clickproof::link::text_id;
use clickproof::record::{EventId, Kind};
use clickproof::verdict::ClickType;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{Api, Client};
use crate::columns::{Columns, Side, moment};
use crate::man::print;
use crate::stop::Stop;
use crate::streams::open_output;

/// How many clicks a call asks for: the most that the API gives.
const PAGE: usize = 10_000;

#[derive(clap::Args)]
#[command(after_help = "\
Each line is a click with its current verdict, the oldest first, as the API lists it: classify and
others read it on.

Environment:
  API_TOKEN  A token of the Worker's API")]
pub(crate) struct Args {
    #[command(flatten)]
    api: Api,
    /// Only links of this kind: click, open, unsubscribe or confirm
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// Only what is of this type, such as `human`
    #[arg(long, value_name = "TYPE", value_parser = click_type)]
    click_type: Option<ClickType>,
    /// Only this recipient's
    #[arg(long, value_name = "ID", value_parser = recipient_id)]
    recipient_id: Option<String>,
    /// Only this link's
    #[arg(long, value_name = "ID", value_parser = link_id)]
    link_id: Option<String>,
    /// Only those behind the click of this `event_id`
    #[arg(long, value_name = "ID", value_parser = event_id)]
    after: Option<EventId>,
    /// At most so many
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// A table for people instead
    #[arg(long)]
    table: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::named(text).ok_or_else(|| Kind::MUST_BE.to_owned())
}

fn click_type(text: &str) -> Result<ClickType, String> {
    let names = || ClickType::ALL.map(ClickType::name).join(", ");
    ClickType::named(text).ok_or_else(|| format!("must be one of {}", names()))
}

fn recipient_id(text: &str) -> Result<String, String> {
    text_id::check_recipient_id(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

fn link_id(text: &str) -> Result<String, String> {
    text_id::check_link_id(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

fn event_id(text: &str) -> Result<EventId, String> {
    EventId::parse(text).ok_or_else(|| "must be the event_id of a click".to_owned())
}

/// What a click's line says of it. Another Worker's may say more.
#[derive(Deserialize)]
struct Listed {
    event_id: String,
    ts_ms: i64,
    recipient_id: String,
    link_id: Option<String>,
    kind: String,
    click_type: Option<String>,
    confidence: Option<String>,
    rule: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
}

/// Lists them.
pub(crate) fn run(args: &Args) -> Result<(), Stop> {
    let client = args.api.client()?;
    if args.table {
        let mut table = Columns::new(&[
            (Side::Left, "time"),
            (Side::Left, "type"),
            (Side::Left, "confidence"),
            (Side::Left, "rule"),
            (Side::Left, "kind"),
            (Side::Left, "recipient"),
            (Side::Left, "link"),
            (Side::Left, "address"),
            (Side::Left, "agent"),
        ]);
        args.pages(&client, |_, click| {
            let cells = [click.click_type, click.confidence, click.rule].map(Option::unwrap_or_default);
            let ids = [click.kind, click.recipient_id, click.link_id.unwrap_or_default()];
            let from = [click.ip, click.user_agent].map(Option::unwrap_or_default);
            table.row([moment(Some(click.ts_ms))].into_iter().chain(cells).chain(ids).chain(from));
            Ok(())
        })?;
        return print(format!("{}\n", table.lines().join("\n")).as_bytes());
    }
    let mut output = open_output(None)?;
    let ended = args.pages(&client, |line, _| {
        let line = RawValue::from_string(line)?;
        output.line(|block| serde_json::to_writer(block, &line))
    });
    // What came before it broke off is good.
    output.flush()?;
    ended
}

impl Args {
    /// Goes through all pages, each click with its line.
    fn pages(
        &self,
        client: &Client,
        mut each: impl FnMut(String, Listed) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut after = self.after.map(|id| id.to_string());
        let mut left = self.limit.unwrap_or(usize::MAX);
        while left > 0 {
            let wanted = left.min(PAGE);
            let mut count = 0;
            for line in client.lines(&self.path(wanted, after.as_deref()))? {
                let line = line.map_err(|stop| said_from(stop, after.as_deref()))?;
                let click: Listed = serde_json::from_str(&line).map_err(|error| {
                    Stop::Refused(format!(
                        "{} lists what is no click: {error}; update this command",
                        client.url()
                    ))
                })?;
                count += 1;
                after = Some(click.event_id.clone());
                each(line, click)?;
            }
            if count < wanted {
                return Ok(());
            }
            left -= count;
        }
        Ok(())
    }

    /// The call for a page. None of its values needs an escape.
    fn path(&self, limit: usize, after: Option<&str>) -> String {
        let values = [
            ("after", after),
            ("kind", self.kind.map(Kind::name)),
            ("click_type", self.click_type.map(ClickType::name)),
            ("recipient_id", self.recipient_id.as_deref()),
            ("link_id", self.link_id.as_deref()),
        ];
        let mut path = format!("/v1/messages/{}/clicks?limit={limit}", self.api.message_id);
        for (name, value) in values {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = write!(path, "&{name}={value}");
            }
        }
        path
    }
}

/// Says from where to go on after what broke off.
fn said_from(stop: Stop, after: Option<&str>) -> Stop {
    match (stop, after) {
        (Stop::Refused(words), Some(after)) => Stop::Refused(format!("{words} with --after {after}")),
        (stop, _) => stop,
    }
}
