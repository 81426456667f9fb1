//! `report`: the report of a message as a running Worker has it, as tables for people.

use std::collections::BTreeMap;

use clickproof::verdict::ClickType;
use serde::Deserialize;

use crate::client::Api;
use crate::columns::{Columns, Side, moment};
use crate::man::print;
use crate::say::said;
use crate::stop::Stop;

#[derive(clap::Args)]
#[command(after_help = "\
Environment:
  API_TOKEN  A token of the Worker's API")]
pub(crate) struct Args {
    #[command(flatten)]
    api: Api,
    /// The report as the API gives it, with minutes and delays
    #[arg(long)]
    json: bool,
}

/// What tables show of a report (contract §8). Another Worker's may say more.
#[derive(Deserialize)]
struct Report {
    message_id: String,
    title: Option<String>,
    sent: Option<usize>,
    known: bool,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    clicks: usize,
    by_type: BTreeMap<String, usize>,
    human_clicks: usize,
    human_recipients: usize,
    recipients: usize,
    machine_only_recipients: usize,
    unsettled: usize,
    /// Workers before this version do not say.
    #[serde(default)]
    unreadable: usize,
    by_vendor: BTreeMap<String, usize>,
    by_confidence: BTreeMap<String, usize>,
    by_group: BTreeMap<String, Part>,
    links: Vec<Clicked>,
    opens: Opens,
    acts: Acts,
    diagnosis: Vec<Diagnosis>,
}

#[derive(Deserialize)]
struct Part {
    sent: Option<usize>,
    clicks: usize,
    human_clicks: usize,
    human_recipients: usize,
}

#[derive(Deserialize)]
struct Clicked {
    link_id: Option<String>,
    url: Option<String>,
    clicks: usize,
    human_clicks: usize,
    human_recipients: usize,
}

#[derive(Deserialize)]
struct Opens {
    total: usize,
    by_type: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Acts {
    unsubscribe: usize,
    confirm: usize,
}

#[derive(Deserialize)]
struct Diagnosis {
    code: String,
    severity: String,
    text: String,
}

/// Asks and prints.
pub(crate) fn run(args: &Args) -> Result<(), Stop> {
    let client = args.api.client()?;
    let text = client.text(&format!("/v1/messages/{}", args.api.message_id))?;
    if args.json {
        return print(format!("{}\n", text.trim_end()).as_bytes());
    }
    let report: Report = serde_json::from_str(&text).map_err(|error| {
        Stop::Refused(format!("{} gives no report: {error}; update this command", client.url()))
    })?;
    if !report.known {
        let Report { message_id, .. } = report;
        let words = "has no click of it and was not told of it; look whether that is its message_id";
        return Err(Stop::Refused(format!("{message_id}: {} {words}", client.url())));
    }
    print(report.tables().join("\n").as_bytes())
}

impl Report {
    /// All tables, each with a line end behind it.
    fn tables(&self) -> Vec<String> {
        let human = ClickType::Human.name();
        let mut head = Columns::new(&[(Side::Left, "message"), (Side::Left, &self.message_id)]);
        for (name, cell) in [
            ("title", self.title.clone()),
            ("sent to", self.sent.map(said)),
            ("first", self.first_ms.map(|ms| moment(Some(ms)))),
            ("last", self.last_ms.map(|ms| moment(Some(ms)))),
        ] {
            head.row([name.to_owned(), cell.unwrap_or_else(|| "not known".to_owned())]);
        }

        let mut sums = counted("sum", "count");
        let of_clicks = |count| share(count, self.clicks);
        let of_sent = |count| self.sent.map_or_else(String::new, |sent| share(count, sent));
        for (name, count, share) in [
            ("clicks", self.clicks, String::new()),
            ("  people's", self.human_clicks, of_clicks(self.human_clicks)),
            ("  still provisional", self.unsettled, of_clicks(self.unsettled)),
            ("recipients with a click", self.recipients, of_sent(self.recipients)),
            ("  with a person's", self.human_recipients, of_sent(self.human_recipients)),
            ("  with machines' alone", self.machine_only_recipients, of_sent(self.machine_only_recipients)),
            ("opens", self.opens.total, String::new()),
            ("  people's", self.opens.by_type.get(human).copied().unwrap_or(0), String::new()),
            ("unsubscribed", self.acts.unsubscribe, of_sent(self.acts.unsubscribe)),
            ("confirmed", self.acts.confirm, of_sent(self.acts.confirm)),
        ] {
            sums.row([name.to_owned(), said(count), share]);
        }
        if self.unreadable > 0 {
            sums.row(["could not be read".to_owned(), said(self.unreadable), String::new()]);
        }

        let types = ClickType::CLICKS.map(ClickType::name);
        // In the types' own order; one that this build does not know comes last.
        let others = self.by_type.keys().map(String::as_str).filter(|name| !types.contains(name));
        let by_type = types.into_iter().chain(others).filter_map(|name| self.by_type.get_key_value(name));
        let mut tables = vec![head, sums, self.shares("type", by_type)];
        tables.push(self.shares("vendor", &self.by_vendor));
        tables.push(self.shares("confidence", &self.by_confidence));
        tables.push(self.groups());
        tables.push(self.links());
        tables.push(self.findings());
        let told = tables.iter().map(Columns::lines).filter(|lines| lines.len() > 1);
        told.map(|lines| format!("{}\n", lines.join("\n"))).collect()
    }

    fn shares<'a>(&self, head: &str, counts: impl IntoIterator<Item = (&'a String, &'a usize)>) -> Columns {
        let mut table = counted(head, "clicks");
        for (name, count) in counts.into_iter().filter(|(_, count)| **count > 0) {
            table.row([name.clone(), said(*count), share(*count, self.clicks)]);
        }
        table
    }

    fn groups(&self) -> Columns {
        let mut table = Columns::new(&[
            (Side::Left, "group"),
            (Side::Right, "sent to"),
            (Side::Right, "clicks"),
            (Side::Right, "people's"),
            (Side::Right, "people"),
        ]);
        for (name, Part { sent, clicks, human_clicks, human_recipients }) in &self.by_group {
            let sent = sent.map_or_else(String::new, said);
            table.row([name.clone(), sent, said(*clicks), said(*human_clicks), said(*human_recipients)]);
        }
        table
    }

    fn links(&self) -> Columns {
        let mut table = Columns::new(&[
            (Side::Left, "link"),
            (Side::Right, "clicks"),
            (Side::Right, "people's"),
            (Side::Right, "people"),
            (Side::Left, "leads to"),
        ]);
        for Clicked { link_id, url, clicks, human_clicks, human_recipients } in &self.links {
            let [id, url] = [link_id, url].map(|text| text.clone().unwrap_or_default());
            table.row([id, said(*clicks), said(*human_clicks), said(*human_recipients), url]);
        }
        table
    }

    fn findings(&self) -> Columns {
        let mut table =
            Columns::new(&[(Side::Left, "finding"), (Side::Left, "severity"), (Side::Left, "what to do")]);
        for Diagnosis { code, severity, text } in &self.diagnosis {
            table.row([code.clone(), severity.clone(), text.clone()]);
        }
        table
    }
}

/// A table of numbers, each with a share of something.
fn counted(head: &str, count: &str) -> Columns {
    Columns::new(&[(Side::Left, head), (Side::Right, count), (Side::Right, "share")])
}

/// A share as people read it; nothing of nothing.
fn share(part: usize, whole: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a share needs three digits")]
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    if whole == 0 { String::new() } else { format!("{percent:.1} %") }
}
