//! The crate's build script: compiles the catalogue's data files to constant tables, so that the Worker reads no text and
//! allocates nothing to look something up. A mistake in a file fails the build with its line.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

#[path = "../agents/compile_agents.rs"]
pub mod compile_agents;

pub mod class;
pub mod hosts;
pub mod sections;
pub mod tables;

use class::Scope;
use sections::Mistake;

fn main() -> ExitCode {
    let steps = [
        compile("src/signals/catalogue/networks.txt", "networks.rs", networks),
        compile("src/signals/catalogue/wrappers.txt", "wrappers.rs", wrappers),
        compile_agents::compile(),
    ];
    for message in steps.iter().filter_map(|step| step.as_ref().err()) {
        println!("cargo::error={message}");
    }
    if steps.iter().all(Result::is_ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Compiles the data file `from` to the Rust source `to`, for a module to include.
fn compile(from: &str, to: &str, render: fn(&str) -> Result<String, Mistake>) -> Result<(), String> {
    println!("cargo::rerun-if-changed={from}");
    let text = fs::read_to_string(from).map_err(|error| format!("{from}: {error}"))?;
    let code = render(&text).map_err(|mistake| format!("{from}:{}: {}", mistake.line, mistake.text))?;
    let target = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: cargo runs this script")?;
    let target = Path::new(&target).join(to);
    fs::write(&target, code).map_err(|error| format!("{}: {error}", target.display()))
}

fn networks(text: &str) -> Result<String, Mistake> {
    let sections = tables::parse(text)?;
    if sections.len() > usize::from(u8::MAX) {
        let text = format!("{} sections: an index is a byte, so merge some down to 255", sections.len());
        return Err(Mistake { line: 1, text });
    }
    let mut code = format!("static NETWORKS: [Network; {}] = [\n", sections.len());
    for tables::Section { name, vendor, class, scope, source, date, .. } in &sections {
        let _ = writeln!(
            code,
            "    Network {{ name: {name:?}, vendor: {vendor:?}, class: Class::{class:?}, scope: Scope::{scope:?}, \
             source: {source:?}, date: {date:?} }},"
        );
    }
    code.push_str("];\n");
    for &scope in Scope::ALL {
        let ranges = tables::flatten(&sections, scope);
        let _ = writeln!(code, "static {}: Tables = Tables {{", scope.as_str().to_ascii_uppercase());
        render_table(&mut code, "v4", 8, &tables::stretches(&ranges.v4));
        // Whole halves only: no prefix is longer than one.
        let halves: Vec<_> = tables::stretches(&ranges.v6);
        let halves: Vec<_> = halves.iter().map(|(start, owner)| (start >> 64, *owner)).collect();
        render_table(&mut code, "v6", 16, &halves);
        render_table(&mut code, "systems", 8, &tables::stretches(&ranges.systems));
        code.push_str("};\n");
    }
    Ok(code)
}

fn render_table(code: &mut String, name: &str, digits: usize, stretches: &[(u128, usize)]) {
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

fn wrappers(text: &str) -> Result<String, Mistake> {
    let sections = hosts::parse(text)?;
    let mut code = format!("static WRAPPERS: [Wrapper; {}] = [\n", sections.len());
    for hosts::Section { name, vendor, status, source, date, hosts } in &sections {
        let _ = writeln!(
            code,
            "    Wrapper {{ name: {name:?}, vendor: {vendor:?}, status: Status::{status:?}, source: {source:?}, \
             date: {date:?}, hosts: &["
        );
        for hosts::Host { name, below, path } in hosts {
            let _ = writeln!(code, "        Host {{ name: {name:?}, below: {below}, path: {path:?} }},");
        }
        code.push_str("    ] },\n");
    }
    code.push_str("];\n");
    Ok(code)
}
