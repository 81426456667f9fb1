//! The tables as Rust source, for the Worker's modules to include: the build script's last step.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ipnet::IpNet;

use crate::compile::agents::{
    ANCHORED, BEGINS_PHRASES, Group, LONGEST_STEM, LONGEST_WORD, NO_GROUP, PHONE, Patterns, SYSTEM,
};
use crate::compile::ranges::{flatten, stretches};
use crate::compile::{learned, networks, wrappers};
use crate::signals::agents::filter::filter_bit;
use crate::signals::catalogue::Scope;

/// For `catalogue/mod.rs`: whose the stretches of addresses and AS numbers are.
pub(crate) fn networks(sections: &[networks::Section]) -> String {
    let mut code = format!("static NETWORKS: [Network; {}] = [\n", sections.len());
    for networks::Section { name, vendor, class, scope, people, source, date, .. } in sections {
        let has_people = people.is_some();
        let _ = writeln!(
            code,
            "    Network {{ name: {name:?}, vendor: {vendor:?}, class: Class::{class:?}, scope: Scope::{scope:?}, \
             has_people: {has_people}, source: {source:?}, date: {date:?} }},"
        );
    }
    code.push_str("];\n");
    for scope in Scope::ALL {
        let ranges = flatten(sections, scope);
        let _ = writeln!(code, "static {}: Tables = Tables {{", scope.name().to_ascii_uppercase());
        push_table(&mut code, "v4", 8, &stretches(&ranges.v4));
        // Whole halves only: no prefix is longer than one.
        let halves: Vec<_> =
            stretches(&ranges.v6).into_iter().map(|(start, owner)| (start >> 64, owner)).collect();
        push_table(&mut code, "v6", 16, &halves);
        push_table(&mut code, "systems", 8, &stretches(&ranges.systems));
        code.push_str("};\n");
    }
    code
}

fn push_table(code: &mut String, name: &str, digits: usize, stretches: &[(u128, usize)]) {
    let starts: Vec<_> = stretches.iter().map(|(start, _)| hex(*start, digits)).collect();
    let owners: Vec<_> = stretches.iter().map(|(_, owner)| owner.to_string()).collect();
    let (starts, owners) = (starts.join(", "), owners.join(", "));
    let _ = writeln!(code, "    {name}: Table {{ starts: &[{starts}], owners: &[{owners}] }},");
}

/// A literal with a break after every fourth digit, which Clippy asks of long ones.
fn hex(number: u128, digits: usize) -> String {
    let plain = format!("{number:0digits$x}");
    let mut literal = "0x".to_owned();
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            literal.push('_');
        }
        literal.push(digit);
    }
    literal
}

/// For `catalogue/learned.rs`: what was learned, by address and by AS number with an agent.
pub(crate) fn learned(sections: &[learned::Section]) -> String {
    let mut code = String::new();
    // Where nothing was learned nobody would use it.
    if !sections.is_empty() {
        let _ = writeln!(code, "static SECTIONS: [Learned; {}] = [", sections.len());
    }
    let (mut v4, mut v6, mut systems) = (Vec::new(), Vec::new(), Vec::new());
    for (at, section) in sections.iter().enumerate() {
        let learned::Section { name, vendor, source, date, expires_ms, .. } = section;
        let _ = writeln!(
            code,
            "    Learned {{ name: {name:?}, vendor: {vendor:?}, source: {source:?}, date: {date:?}, \
             expires_ms: {expires_ms} }},"
        );
        for prefix in &section.prefixes {
            match prefix {
                IpNet::V4(net) => {
                    v4.push((u128::from(u32::from(net.network())), u32::from(net.broadcast()).into(), at));
                }
                // Whole halves only: no prefix is longer than one.
                IpNet::V6(net) => {
                    v6.push((u128::from(net.network()) >> 64, u128::from(net.broadcast()) >> 64, at));
                }
            }
        }
        systems.extend(
            section.systems.iter().map(|number| (*number, section.agent.as_deref().unwrap_or_default(), at)),
        );
    }
    if !sections.is_empty() {
        code.push_str("];\n");
    }
    code.push_str("/// What the data file holds.\npub static LEARNED: Table = Table {\n");
    for (name, digits, mut ranges) in [("v4", 8, v4), ("v6", 16, v6)] {
        ranges.sort_unstable();
        let _ = writeln!(code, "    {name}: &[");
        for (first, last, at) in ranges {
            let _ =
                writeln!(code, "        ({}, {}, &SECTIONS[{at}]),", hex(first, digits), hex(last, digits));
        }
        code.push_str("    ],\n");
    }
    systems.sort_unstable();
    code.push_str("    systems: &[\n");
    for (number, agent, at) in systems {
        let _ = writeln!(code, "        ({}, {agent:?}, &SECTIONS[{at}]),", hex(number.into(), 8));
    }
    code.push_str("    ],\n};\n");
    code
}

/// For `catalogue/wrapper.rs`: the hosts of each gateway.
pub(crate) fn wrappers(sections: &[wrappers::Section]) -> String {
    let mut code = format!("static WRAPPERS: [Wrapper; {}] = [\n", sections.len());
    for wrappers::Section { name, vendor, status, source, date, hosts } in sections {
        let _ = writeln!(
            code,
            "    Wrapper {{ name: {name:?}, vendor: {vendor:?}, status: Status::{status:?}, source: {source:?}, \
             date: {date:?}, hosts: &["
        );
        for wrappers::Host { name, below, path } in hosts {
            let _ = writeln!(code, "        Host {{ name: {name:?}, below: {below}, path: {path:?} }},");
        }
        code.push_str("    ] },\n");
    }
    code.push_str("];\n");
    code
}

/// For `agents/mod.rs`: the patterns by their kind, and what the bits of their bytes mean.
pub(crate) fn agents(patterns: &Patterns) -> String {
    let mut code = format!("static GROUPS: [Group; {}] = [\n", patterns.groups.len());
    for Group { class, vendor, certain, source, date } in &patterns.groups {
        let _ = writeln!(
            code,
            "    Group {{ class: AgentClass::{class:?}, vendor: {vendor:?}, certain: {certain}, source: {source:?}, \
             date: {date:?} }},"
        );
    }
    code.push_str("];\n");
    push_words(&mut code, "WORDS", &patterns.words, LONGEST_WORD);
    push_words(&mut code, "BEGINNINGS", &patterns.beginnings, LONGEST_STEM);
    push_words(&mut code, "ENDINGS", &patterns.endings, LONGEST_STEM);
    push_phrases(&mut code, &patterns.phrases);
    let whole: Vec<_> = patterns.whole.iter().collect();
    let _ = writeln!(code, "static WHOLE: [(&str, u8); {}] = {whole:?};", whole.len());
    for (name, value) in [
        ("SYSTEM", SYSTEM),
        ("PHONE", PHONE),
        ("NO_GROUP", NO_GROUP),
        ("ANCHORED", ANCHORED),
        ("BEGINS_PHRASES", BEGINS_PHRASES),
    ] {
        let _ = writeln!(code, "const {name}: u8 = {value};");
    }
    push_lengths(&mut code, "LENGTHS_OF_BEGINNINGS", &patterns.beginnings, |stem| stem.bytes().next());
    push_lengths(&mut code, "LENGTHS_OF_ENDINGS", &patterns.endings, |stem| stem.bytes().last());
    code
}

/// Words of one length stand in one text without gaps, sorted, so that a table needs no offsets.
fn push_words(code: &mut String, name: &str, words: &BTreeMap<String, u8>, longest: usize) {
    let _ = writeln!(code, "static {name}: [Words; {}] = [", longest + 1);
    for length in 0..=longest {
        let of_length: Vec<_> = words.iter().filter(|(word, _)| word.len() == length).collect();
        let text: String = of_length.iter().map(|(word, _)| word.as_str()).collect();
        let groups: Vec<_> = of_length.iter().map(|(_, group)| **group).collect();
        let mut filter = [0_u8; 32];
        for bit in of_length.iter().filter_map(|(word, _)| filter_bit(word.as_bytes())) {
            filter[bit / 8] |= 1 << (bit % 8);
        }
        let _ = writeln!(code, "    Words {{ text: {text:?}, groups: &{groups:?}, filter: {filter:?} }},");
    }
    code.push_str("];\n");
}

/// Phrases stand in one text without gaps, sorted, each with its end: an offset takes a fifth of a text's place.
fn push_phrases(code: &mut String, phrases: &BTreeMap<String, u8>) {
    let text: String = phrases.keys().map(String::as_str).collect();
    let groups: Vec<_> = phrases.values().collect();
    let mut end = 0;
    let ends = phrases.keys().map(|phrase| {
        end += phrase.len();
        end
    });
    let ends: Vec<_> = ends.collect();
    let _ = writeln!(
        code,
        "static PHRASES: Phrases = Phrases {{ text: {text:?}, ends: &{ends:?}, groups: &{groups:?} }};"
    );
}

/// A bit for each length of the stems that one letter begins or ends.
fn push_lengths(
    code: &mut String,
    name: &str,
    stems: &BTreeMap<String, u8>,
    letter: impl Fn(&str) -> Option<u8>,
) {
    let mut lengths = [0_u16; 32];
    for stem in stems.keys() {
        if let Some(letter) = letter(stem) {
            lengths[usize::from(letter & 31)] |= 1 << stem.len();
        }
    }
    let _ = writeln!(code, "static {name}: [u16; 32] = {lengths:?};");
}
