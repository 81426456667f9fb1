//! The house keeps its shape: what `src/lib.rs` says of its floors holds for the imports of all files, and what the operators' page says of
//! the log for the events in the code.

mod imports;
mod log_events;
mod made_up;
mod shape;

use std::fs;
use std::path::Path;

use imports::{Source, arrows};
use shape::{circles, fields, part, upward};

/// The floors, the ground first. A file may import from its own directory and from the floors below, not from what stands
/// beside it or above. `src/lib.rs` says what each is for, from `record` to `config`.
const FLOORS: [&[&str]; 14] = [
    &["json"],
    &["record"],
    &["link"],
    &["sender"],
    &["signals"],
    &["proof"],
    &["verdict"],
    &["event"],
    &["report"],
    &["message"],
    &["act", "demo"],
    &["config"],
    &["edge", "compile"],
    &["cli", "lib"],
];

/// The most lines of a file about a message's life.
const MAX_LINES: usize = 350;

/// The most parts of a message.
const MAX_PARTS: usize = 9;

fn house() -> Vec<Source> {
    files("rs")
}

/// The files below `src` of that ending.
fn files(ending: &str) -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&src, &src, ending, &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn collect(src: &Path, directory: &Path, ending: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(src, &path, ending, sources);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            let below = path.strip_prefix(src).unwrap().to_str().unwrap().replace('\\', "/");
            sources.push(Source { text: fs::read_to_string(&path).unwrap(), path: below });
        }
    }
}

#[test]
fn no_arrow_runs_up() {
    let upward = upward(&FLOORS, &arrows(&house()));
    assert!(
        upward.is_empty(),
        "Imports that do not run down the floors of src/lib.rs. Move the items to the lowest floor that needs them:\n  {}",
        upward.join("\n  ")
    );
}

#[test]
fn the_floors_are_those_of_the_table_in_lib_rs() {
    let house = house();
    let lib = &house.iter().find(|source| source.path == "lib.rs").unwrap().text;
    let rows = lib.lines().filter(|line| line.starts_with("//! |") && line.contains("[`"));
    let links = |row: &str| {
        row.split("[`").skip(1).filter_map(|link| Some(link.split_once("`]")?.0.to_owned())).collect()
    };
    let floors: Vec<Vec<String>> = rows.map(links).collect();
    assert_eq!(floors, FLOORS[1..12], "the table in src/lib.rs, and FLOORS");
}

#[test]
fn no_files_stand_in_a_circle() {
    let circles = circles(&arrows(&house()));
    assert!(
        circles.is_empty(),
        "Files that import each other. Move what one of them gives to a file that all can see; `pub use` keeps its path:\n  {}",
        circles.join("\n\n  ")
    );
}

#[test]
fn the_files_of_a_message_are_short() {
    for Source { path, text } in house().iter().filter(|source| part(&source.path) == "message") {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "src/{path} has {lines} lines, {MAX_LINES} at most: part its subject");
    }
}

#[test]
fn a_message_has_few_parts() {
    let house = house();
    let source = house.iter().find(|source| source.text.contains("pub struct Message<")).unwrap();
    let parts = fields(source, "Message");
    assert!(
        (2..=MAX_PARTS).contains(&parts),
        "Message has {parts} fields, {MAX_PARTS} at most: join what belongs together"
    );
}

#[test]
fn every_file_says_what_it_holds() {
    for Source { path, text } in house() {
        assert!(
            text.starts_with("//! "),
            "src/{path} begins without a //! comment: say what it holds and why"
        );
    }
}

/// The reader is not blind to the real house.
#[test]
fn the_house_has_arrows() {
    let arrows = arrows(&house());
    for (from, to) in [
        ("verdict/windows.rs", "verdict/bursts.rs"),
        ("message/window.rs", "record/event_id.rs"),
        ("edge/object/mod.rs", "config.rs"),
        ("cli/mint.rs", "link/mint.rs"),
    ] {
        assert!(arrows.contains_key(&(from.to_owned(), to.to_owned())), "src/{from} imports from src/{to}");
    }
    assert!(arrows.len() > 500, "{} arrows", arrows.len());
}

/// The page that tells of the log's events.
const PAGE: &str = "static/docs/operators.md";

/// What a row of the operators' table of log events has behind the name: the level, when to alert, and what it says.
const LEVELS: [&str; 3] = ["error", "log", "log, error"];
const ALERTS: [&str; 4] = ["any", "lasting", "many", ""];

#[test]
fn the_operators_page_tells_of_every_event_of_the_log() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let rows = log_events::of_page(&page);
    let mut sources = house();
    sources.append(&mut files("mjs"));
    let events = log_events::of_code(&sources);
    assert!(events.len() >= 25, "{events:?}");
    for (name, named) in &events {
        let row = rows.iter().find(|(row, _)| row == name);
        assert!(
            row.is_some(),
            "{:?} log the event `{name}`: give it a row in {PAGE}, \"What to watch\" (level, when to alert, what it says and \
             what to do). Where it is no event of the log, tests/house/log_events.rs says so in NO_EVENTS",
            named.files
        );
        let level = row.map(|(_, cells)| cells[0].as_str()).unwrap_or_default();
        assert!(
            !named.is_failure || level.contains("error"),
            "{:?} log `{name}` as an error, {PAGE} says {level}",
            named.files
        );
    }
    for (at, (name, cells)) in rows.iter().enumerate() {
        assert!(
            events.contains_key(name),
            "{PAGE} tells of the log event `{name}`, which no code names: take its row out"
        );
        assert!(rows[..at].iter().all(|(other, _)| other != name), "{PAGE} tells of `{name}` twice");
        assert!(
            cells.len() == 3
                && LEVELS.contains(&cells[0].as_str())
                && ALERTS.contains(&cells[1].as_str())
                && !cells[2].is_empty(),
            "the row of `{name}` in {PAGE}: {cells:?}; levels {LEVELS:?}, alerts {ALERTS:?}"
        );
    }
}

/// The reader of events sees what is there and nothing else.
#[test]
fn events_of_the_log_are_read_as_they_are_written() {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let events = log_events::of_code(&[
        source(
            "edge/a.rs",
            r#"/// Not "doc.word".
            const ONE: &str = "one.kept";
            fn f() { log::failure("two.failed", "three.subject x", &e); match x { 1 => "four.arm", _ => "five" } }
            mod part { #[cfg(test)] mod tests { const SIX: &str = "six.test"; } }
            #[cfg(test)] fn g() { "seven.test" }
            fn h() { json("click.settled"); include_str!("ten.css") }"#,
        ),
        source(
            "edge/b.mjs",
            "  console.error({ event: \"eight.error\" });\n  // \"nine.comment\"\n  f(\"./eleven.mjs\");",
        ),
        source("cli/c.rs", r#"const X: &str = "twelve.txt";"#),
        source("edge/tests.rs", r#"const X: &str = "thirteen.tests";"#),
    ]);
    let read: Vec<_> = events.iter().map(|(name, named)| (name.as_str(), named.is_failure)).collect();
    assert_eq!(read, [("eight.error", true), ("four.arm", false), ("one.kept", false), ("two.failed", true)]);
}
