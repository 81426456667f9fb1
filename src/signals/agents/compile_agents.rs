//! The part of the crate's build script that compiles the agents: `agents.txt` to constant tables, so that the Worker reads
//! no text and allocates nothing to look a word up. A mistake in the file fails the build with its line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use parse::{ANCHORED, BEGINS_PHRASES, LONGEST_STEM, LONGEST_WORD, NO_GROUP, PEOPLE, Tables, parse};

#[path = "class.rs"]
pub mod class;
#[path = "filter.rs"]
mod filter;
#[path = "parse.rs"]
mod parse;

const DATA: &str = "src/signals/agents/agents.txt";

/// Compiles the data file to `agents.rs` in the build's directory.
pub(crate) fn compile() -> Result<(), String> {
    println!("cargo::rerun-if-changed={DATA}");
    let text = fs::read_to_string(DATA).map_err(|error| format!("{DATA}: {error}"))?;
    let tables = parse(&text).map_err(|mistake| format!("{DATA}:{}: {}", mistake.line, mistake.text))?;
    let target = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: cargo runs this script")?;
    let target = Path::new(&target).join("agents.rs");
    fs::write(&target, render(&tables)).map_err(|error| format!("{}: {error}", target.display()))
}

/// The tables as Rust source, for `mod.rs` to include.
fn render(tables: &Tables) -> String {
    let mut code = format!("static GROUPS: [Group; {}] = [\n", tables.groups.len());
    for group in &tables.groups {
        let _ = writeln!(code, "    {group},");
    }
    code.push_str("];\n");
    render_words(&mut code, "WORDS", &tables.words, LONGEST_WORD);
    render_words(&mut code, "BEGINNINGS", &tables.beginnings, LONGEST_STEM);
    render_words(&mut code, "ENDINGS", &tables.endings, LONGEST_STEM);
    for (name, texts) in [("PHRASES", &tables.phrases), ("WHOLE", &tables.whole)] {
        let _ = writeln!(code, "static {name}: [(&str, u8); {}] = [", texts.len());
        for (text, group) in texts {
            let _ = writeln!(code, "    ({text:?}, {group}),");
        }
        code.push_str("];\n");
    }
    for (name, value) in [
        ("PEOPLE", PEOPLE),
        ("NO_GROUP", NO_GROUP),
        ("ANCHORED", ANCHORED),
        ("BEGINS_PHRASES", BEGINS_PHRASES),
    ] {
        let _ = writeln!(code, "const {name}: u8 = {value};");
    }
    render_lengths(&mut code, "LENGTHS_OF_BEGINNINGS", &tables.beginnings, |stem| stem.bytes().next());
    render_lengths(&mut code, "LENGTHS_OF_ENDINGS", &tables.endings, |stem| stem.bytes().last());
    code
}

/// Words of one length stand in one text without gaps, sorted, so that a table needs no offsets.
fn render_words(code: &mut String, name: &str, words: &BTreeMap<String, u8>, longest: usize) {
    let _ = writeln!(code, "static {name}: [Words; {}] = [", longest + 1);
    for length in 0..=longest {
        let of_length: Vec<_> = words.iter().filter(|(word, _)| word.len() == length).collect();
        let text: String = of_length.iter().map(|(word, _)| word.as_str()).collect();
        let groups: Vec<_> = of_length.iter().map(|(_, group)| **group).collect();
        let mut filter = [0_u8; 32];
        for bit in of_length.iter().filter_map(|(word, _)| filter::filter_bit(word.as_bytes())) {
            filter[bit / 8] |= 1 << (bit % 8);
        }
        let _ = writeln!(code, "    Words {{ text: {text:?}, groups: &{groups:?}, filter: {filter:?} }},");
    }
    code.push_str("];\n");
}

/// A bit for each length of the stems that one letter begins or ends.
fn render_lengths(
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
