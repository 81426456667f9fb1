//! The crate's build script: compiles the network catalogue's data file to constant tables, so that the Worker reads no
//! text and allocates nothing to look an address up. A mistake in the file fails the build with its line.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use tables::{Range, Section};

pub mod class;
#[path = "../agents/compile_agents.rs"]
pub mod compile_agents;
mod tables;

const DATA: &str = "src/signals/catalogue/networks.txt";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={DATA}");
    match compile().and_then(|()| compile_agents::compile()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> Result<(), String> {
    let text = fs::read_to_string(DATA).map_err(|error| format!("{DATA}: {error}"))?;
    let sections =
        tables::parse(&text).map_err(|mistake| format!("{DATA}:{}: {}", mistake.line, mistake.text))?;
    let target = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: cargo runs this script")?;
    let target = Path::new(&target).join("networks.rs");
    fs::write(&target, render(&sections)).map_err(|error| format!("{}: {error}", target.display()))
}

/// The tables as Rust source, for `mod.rs` to include.
fn render(sections: &[Section]) -> String {
    let [v4, v6] = tables::flatten(sections);
    let mut code = format!("static NETWORKS: [Network; {}] = [\n", sections.len());
    for Section { name, vendor, class, source, date, .. } in sections {
        let _ = writeln!(
            code,
            "    Network {{ name: {name:?}, vendor: {vendor:?}, class: Class::{class:?}, source: {source:?}, date: {date:?} }},"
        );
    }
    code.push_str("];\n");
    render_ranges(&mut code, "V4", "u32", 8, &v4);
    render_ranges(&mut code, "V6", "u128", 32, &v6);
    code
}

fn render_ranges(code: &mut String, name: &str, number: &str, digits: usize, ranges: &[Range]) {
    let _ = writeln!(code, "static {name}: [Range<{number}>; {}] = [", ranges.len());
    for Range { first, last, section } in ranges {
        let (first, last) = (hex(*first, digits), hex(*last, digits));
        let _ = writeln!(code, "    Range {{ first: {first}, last: {last}, network: {section} }},");
    }
    code.push_str("];\n");
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
