//! A file of learned networks, read when a command starts: to try what `networks learn` proposes before it is built in.

use std::fs;
use std::path::Path;

use clickproof::compile::learned::{Section, parse};
use clickproof::signals::catalogue::learned::{Learned, Table};
use ipnet::IpNet;

use crate::stop::Stop;

/// Reads the file.
pub(crate) fn load(path: &Path) -> Result<Table, Stop> {
    let refused = |problem: &dyn std::fmt::Display, remedy: &str| {
        Stop::Refused(format!("--learned {}: {problem}; {remedy}", path.display()))
    };
    let text = fs::read_to_string(path)
        .map_err(|error| refused(&error, "name what `networks learn --write --file …` wrote"))?;
    let sections = parse(&text).map_err(|mistake| refused(&mistake, "mend it first"))?;
    Ok(table(&sections))
}

/// The sections as the built-in table is. It lives as long as the program, as that does.
fn table(sections: &[Section]) -> Table {
    let (mut v4, mut v6, mut systems) = (Vec::new(), Vec::new(), Vec::new());
    for section in sections {
        let learned: &'static Learned = Box::leak(Box::new(Learned {
            name: forever(&section.name),
            vendor: section.vendor.as_deref().map(forever),
            source: forever(&section.source),
            date: forever(&section.date),
            expires_ms: section.expires_ms,
        }));
        for prefix in &section.prefixes {
            match prefix {
                IpNet::V4(net) => v4.push((net.network().into(), net.broadcast().into(), learned)),
                IpNet::V6(net) => v6.push((upper_half(net.network()), upper_half(net.broadcast()), learned)),
            }
        }
        let agent = section.agent.as_deref().map_or("", forever);
        systems.extend(section.systems.iter().map(|number| (*number, agent, learned)));
    }
    v4.sort_unstable_by_key(|(first, ..): &(u32, u32, _)| *first);
    v6.sort_unstable_by_key(|(first, ..)| *first);
    systems.sort_unstable_by_key(|(number, agent, _)| (*number, *agent));
    Table { v4: v4.leak(), v6: v6.leak(), systems: systems.leak() }
}

fn forever(text: &str) -> &'static str {
    Box::leak(text.into())
}

fn upper_half(address: std::net::Ipv6Addr) -> u64 {
    (address.to_bits() >> 64) as u64
}
