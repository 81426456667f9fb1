//! `networks lookup`: what the catalogue says of addresses and AS numbers, and what that is worth.

use std::net::IpAddr;

use clickproof::signals::catalogue::{self, Class, Network, Request};
use clickproof::signals::place;
use serde::{Deserialize, Serialize};

use crate::form::Wanted;
use crate::stop::Stop;
use crate::streams::Streams;

#[derive(clap::Args)]
#[command(after_help = "\
Without an address, each line of the input is one: 192.0.2.1, AS64496, or an object such as a click record:
  {\"ip\":\"40.92.0.1\",\"asn\":8075}
Each result says what the network is to a click and to an open, null where the catalogue knows nothing. An address comes \
before its AS number:
  {\"ip\":\"40.92.0.1\",\"asn\":8075,\"click\":{\"section\":\"…\",\"class\":\"scanner-certain\",…},\"open\":{…}}")]
pub(crate) struct Args {
    /// Addresses and AS numbers, such as 192.0.2.1 or AS64496
    #[arg(value_name = "ADDRESS", value_parser = Query::plain, conflicts_with = "input")]
    queries: Vec<Query>,
    #[command(flatten)]
    streams: Streams,
}

/// What is asked for: an address, an AS number, or both of one request.
#[derive(Clone)]
struct Query {
    ip: Option<IpAddr>,
    asn: Option<i64>,
}

#[derive(Serialize)]
struct Answer {
    ip: Option<String>,
    asn: Option<i64>,
    click: Option<Found>,
    open: Option<Found>,
}

/// What the catalogue says to one kind of request.
#[derive(Serialize)]
struct Found {
    section: &'static str,
    class: &'static str,
    vendor: &'static str,
    /// Whether the `address` or the `asn` is known.
    by: &'static str,
    means: &'static str,
    /// Whether the ruleset `defender` counts it as Microsoft's.
    defender: bool,
    source: &'static str,
    date: &'static str,
}

#[derive(Deserialize)]
struct Asked {
    ip: Option<String>,
    asn: Option<i64>,
}

/// Answers; says how many lines were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    let (mut lines, mut output) = args.streams.open(Wanted::Values)?;
    for query in &args.queries {
        output.line(|block| serde_json::to_writer(block, &query.answer()))?;
    }
    while args.queries.is_empty() {
        if lines.may_wait() {
            output.flush()?;
        }
        let Some(line) = lines.next()? else { break };
        match line.and_then(Query::of_line) {
            Ok(query) => output.line(|block| serde_json::to_writer(block, &query.answer()))?,
            Err(problem) => lines.complain(&problem),
        }
    }
    lines.finish();
    output.flush()?;
    Ok(lines.bad())
}

impl Query {
    fn of_line(line: &str) -> Result<Self, String> {
        if !line.starts_with('{') {
            return Self::plain(line.trim_matches('"'));
        }
        let Asked { ip, asn } = serde_json::from_str(line).map_err(|error| {
            // The line has a number of its own already.
            format!("not a query: {}", error.to_string().replace(" at line 1 column ", " at byte "))
        })?;
        let ip = ip.as_deref().filter(|ip| !ip.is_empty()).map(address).transpose()?;
        if ip.is_none() && asn.is_none() {
            return Err("neither `ip` nor `asn` is there: give one of them".to_owned());
        }
        Ok(Self { ip, asn })
    }

    fn plain(text: &str) -> Result<Self, String> {
        let Some(digits) = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")) else {
            return Ok(Self { ip: Some(address(text)?), asn: None });
        };
        match digits.parse::<u32>() {
            Ok(number) => Ok(Self { ip: None, asn: Some(number.into()) }),
            Err(_) => Err(format!("`{text}` is no AS number: write it like AS64496")),
        }
    }

    fn answer(&self) -> Answer {
        Answer {
            ip: self.ip.map(|ip| ip.to_string()),
            asn: self.asn,
            click: self.found(Request::Click),
            open: self.found(Request::Open),
        }
    }

    fn found(&self, request: Request) -> Option<Found> {
        let by_address = self.ip.and_then(|ip| catalogue::lookup(ip, request));
        let by_system = self.asn.and_then(|asn| catalogue::system(asn, request));
        let network = place(by_address, by_system)?;
        let by = if by_address == Some(network) { "address" } else { "asn" };
        Some(Found {
            section: network.name,
            class: network.class.name(),
            vendor: network.vendor,
            by,
            means: meaning(network, request),
            defender: by == "address" && network.is_microsoft(),
            source: network.source,
            date: network.date,
        })
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    let remedy = || {
        format!("`{text}` is no address: write it like 192.0.2.1, 2001:db8::1 or, for an AS number, AS64496")
    };
    catalogue::parse_ip(text).ok_or_else(remedy)
}

/// What a rule makes of a network.
fn meaning(network: &Network, request: Request) -> &'static str {
    match network.class {
        Class::ScannerCertain => "only scanners come from here",
        Class::ScannerProbable if network.is_gateway() => {
            "a mail gateway's network: probably its scanner, never certain by this alone"
        }
        Class::ScannerProbable => "a scanner comes from here, and so may people: probable at most",
        Class::ThreatIntelligence => {
            "a security crawler's network: probably no person, never certain by this alone"
        }
        Class::HumanProxy => "people browse through here: the address is no evidence of a scanner",
        Class::Relay if request == Request::Open => {
            "Mail Privacy Protection fetches from here, for a reader or ahead of one: neither a person nor a scanner"
        }
        Class::Relay => "people behind a privacy relay: the address is no evidence of a scanner",
        Class::Hosting => "machines, rented or a service's own: a vote against a person, never enough alone",
        Class::ImageProxy => {
            "a mail provider's image proxy: neither a person nor a scanner, and its place is not the reader's"
        }
    }
}
