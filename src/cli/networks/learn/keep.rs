//! What proposals make of the file of learned networks: sections that are new, hold longer, or have expired. What people wrote
//! into it, names, vendors and comments, stays.

use std::fmt::Write as _;

use clickproof::compile::learned::{Section, parse};
use ipnet::IpNet;

use super::propose::{Network, Proposal};

/// What becomes of the file.
pub(super) struct Kept {
    /// Its new text.
    pub(super) text: String,
    /// What changes, a line each: `+` is new, `~` holds longer, `-` has expired.
    pub(super) difference: Vec<String>,
}

/// What a section becomes.
#[derive(Default)]
struct Change {
    has_expired: bool,
    source: Option<String>,
    /// What it holds beside what stands there.
    more: Vec<IpNet>,
}

/// Lays proposals over the file's text, as of `date` and until `expires`, both `YYYY-MM-DD`.
pub(super) fn keep(text: &str, proposals: &[Proposal], date: &str, expires: &str) -> Result<Kept, String> {
    let sections = parse(text).map_err(|mistake| mistake.to_string())?;
    let mut changes: Vec<Change> = sections.iter().map(|_| Change::default()).collect();
    let (mut fresh, mut difference) = (Vec::new(), Vec::new());
    for proposal in proposals {
        let mut uncovered = uncovered(proposal, &sections);
        let mut is_fresh = true;
        let holding = sections.iter().zip(&mut changes);
        for (_, change) in holding.filter(|(section, _)| holds(section, &proposal.network)) {
            change.source.get_or_insert_with(|| source(proposal));
            change.more.append(&mut uncovered);
            is_fresh = false;
        }
        if is_fresh {
            fresh.push(proposal);
        }
    }
    for (section, change) in sections.iter().zip(&mut changes) {
        change.has_expired = change.source.is_none() && section.expires.as_str() <= date;
        let name = &section.name;
        if change.has_expired {
            difference.push(format!("- {name}: expired {}", section.expires));
        } else if change.source.is_some() {
            let more: Vec<_> = change.more.iter().map(|prefix| format!(", and {prefix}")).collect();
            difference.push(format!(
                "~ {name}: holds until {expires} instead of {}{}",
                section.expires,
                more.concat()
            ));
        }
    }
    let mut written = rewrite(text, &sections, &changes, date, expires);
    let mut names: Vec<String> = sections.iter().map(|section| section.name.clone()).collect();
    for proposal in fresh {
        let name = name(&proposal.network, &names);
        difference.push(format!("+ {}: {}", shown(&proposal.network), source(proposal)));
        push_section(&mut written, &name, proposal, date, expires);
        names.push(name);
    }
    parse(&written).map_err(|mistake| mistake.to_string())?;
    Ok(Kept { text: written, difference })
}

/// Whether a section speaks of some of that network.
fn holds(section: &Section, network: &Network) -> bool {
    match network {
        Network::Block(net) => {
            section.prefixes.iter().any(|prefix| prefix.contains(net) || net.contains(prefix))
        }
        Network::Agent(system, agent) => {
            section.systems.contains(system) && section.agent.as_deref() == Some(agent)
        }
    }
}

/// The blocks of a proposal of which no section holds anything: where people wrote a part, they meant that part.
fn uncovered(proposal: &Proposal, sections: &[Section]) -> Vec<IpNet> {
    if let Network::Agent(..) = proposal.network {
        return Vec::new();
    }
    let is_held = |block: &IpNet| sections.iter().any(|section| holds(section, &Network::Block(*block)));
    IpNet::aggregate(&proposal.tally.blocks().filter(|block| !is_held(block)).collect())
}

/// A network as people read it.
pub(super) fn shown(network: &Network) -> String {
    match network {
        Network::Block(net) => net.to_string(),
        Network::Agent(system, agent) => format!("AS{system} {agent}"),
    }
}

/// A name for a section that no other has. An agent may hold what would end a name.
fn name(network: &Network, taken: &[String]) -> String {
    let base = match network {
        Network::Block(net) => net.to_string(),
        Network::Agent(system, _) => format!("AS{system}, an agent"),
    };
    let mut names = std::iter::once(base.clone()).chain((2..).map(|number: u32| format!("{base} {number}")));
    names.find(|name| !taken.contains(name)).unwrap_or(base)
}

/// What was seen, in a line.
fn source(proposal: &Proposal) -> String {
    let tally = &proposal.tally;
    let days = tally.days().map_or_else(String::new, |(first, last)| format!(", {first} to {last}"));
    format!(
        "{} sends, {} recipients, {} of {} clicks convicted{days}; {} undecided, {} touched, {} came back",
        tally.sends(),
        tally.recipients(),
        tally.convicted,
        tally.clicks,
        tally.human,
        tally.touched,
        tally.returned
    )
}

fn push_section(text: &mut String, name: &str, proposal: &Proposal, date: &str, expires: &str) {
    let (agent, entry) = match &proposal.network {
        Network::Block(net) => (String::new(), net.to_string()),
        Network::Agent(system, agent) => (format!("agent   = {agent}\n"), format!("AS{system}")),
    };
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    let source = source(proposal);
    let _ =
        write!(text, "[{name}]\n{agent}source  = {source}\ndate    = {date}\nexpires = {expires}\n{entry}\n");
}

/// The text with what changes of its sections: expired ones go with what stands under them.
fn rewrite(text: &str, sections: &[Section], changes: &[Change], date: &str, expires: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut at, mut written) = (None, false);
    for line in text.split_inclusive('\n') {
        let bare = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = bare.strip_prefix('[').and_then(|header| header.strip_suffix(']')) {
            at = sections.iter().position(|section| section.name == name.trim());
            written = false;
        }
        let Some(change) = at.and_then(|at| changes.get(at)) else {
            out.push_str(line);
            continue;
        };
        if change.has_expired {
            continue;
        }
        let Some(source) = &change.source else {
            out.push_str(line);
            continue;
        };
        let setting = line.split_once('=').map(|(key, _)| (key, key.trim()));
        let value = match setting {
            Some((_, "source")) => Some(source.as_str()),
            Some((_, "date")) => Some(date),
            Some((_, "expires")) => Some(expires),
            _ => None,
        };
        if let (Some((key, _)), Some(value)) = (setting, value) {
            let _ = writeln!(out, "{key}= {value}");
            continue;
        }
        if !written && bare.parse::<IpNet>().is_ok() {
            for prefix in &change.more {
                let _ = writeln!(out, "{prefix}");
            }
            written = true;
        }
        out.push_str(line);
    }
    out
}
