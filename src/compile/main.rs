//! The crate's build script: compiles the data files to constant tables, so that the Worker reads no text and allocates
//! nothing to look something up. A mistake in a file fails the build with its line.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

#[path = "mod.rs"]
pub mod compile;
mod render;

// What the Worker and its tables have in common, under the paths that it has in the crate. All is `pub`, because what only
// the library uses is not dead for that.

/// The enums' macro.
#[path = "../record"]
pub mod record {
    pub mod named;
}

/// The words that the data files may say.
#[path = "../signals"]
pub mod signals {
    /// The agents' share.
    pub mod agents {
        mod class;
        pub mod filter;

        pub use class::AgentClass;
    }

    /// The catalogue's share.
    pub mod catalogue {
        mod class;

        pub use class::{Class, Feed, Scope, Status};
    }
}

use compile::{Mistake, agents, learned, networks, wrappers};

fn main() -> ExitCode {
    let steps = [
        step("src/signals/catalogue/networks.txt", "networks.rs", |text| {
            networks::parse(text).map(|sections| render::networks(&sections))
        }),
        step("src/signals/catalogue/learned.txt", "learned.rs", |text| {
            learned::parse(text).map(|sections| render::learned(&sections))
        }),
        step("src/signals/catalogue/wrappers.txt", "wrappers.rs", |text| {
            wrappers::parse(text).map(|sections| render::wrappers(&sections))
        }),
        step("src/signals/agents/agents.txt", "agents.rs", |text| {
            agents::parse(text).map(|patterns| render::agents(&patterns))
        }),
    ];
    for message in steps.iter().filter_map(|step| step.as_ref().err()) {
        println!("cargo::error={message}");
    }
    if steps.iter().all(Result::is_ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Compiles the data file `from` to the Rust source `to`, for a module to include.
fn step(from: &str, to: &str, compile: fn(&str) -> Result<String, Mistake>) -> Result<(), String> {
    println!("cargo::rerun-if-changed={from}");
    let text = fs::read_to_string(from).map_err(|error| format!("{from}: {error}"))?;
    let code = compile(&text).map_err(|mistake| format!("{from}:{}: {}", mistake.line, mistake.text))?;
    let target = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: cargo runs this script")?;
    let target = Path::new(&target).join(to);
    fs::write(&target, code).map_err(|error| format!("{}: {error}", target.display()))
}
