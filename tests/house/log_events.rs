//! Which events the log has: literals like "click.received" in the code, and the rows of the operators' table of them.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenTree;

use super::imports::{Source, is_of_tests, tokens, without_tests};

/// What has the form of an event's name and is none: types of webhooks.
const NO_EVENTS: [&str; 4] = ["click.settled", "click.amended", "recipient.erased", "alert.raised"];

/// What runs where no log is the Worker's.
const ELSEWHERE: [&str; 3] = ["cli/", "compile/", "dev/"];

/// How the names of scripts end; the other files are Rust.
const SCRIPT: &str = ".mjs";

/// What holds the operators' table.
const BEGIN: &str = "<!-- log events:";
const END: &str = "<!-- /log events -->";

/// An event as the code has it.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// The files that name it.
    pub files: BTreeSet<String>,
    /// Whether one of them gives it to `log::failure`, or to `console.error` in the same line.
    pub is_failure: bool,
}

/// The events that the code names. Tests' own are left out.
pub(crate) fn of_code(sources: &[Source]) -> BTreeMap<String, Named> {
    let mut events = BTreeMap::new();
    let is_ours = |path: &str| !is_of_tests(path) && !ELSEWHERE.iter().any(|part| path.starts_with(part));
    for source in sources.iter().filter(|source| is_ours(&source.path)) {
        let mut note = |name: &str, is_failure: bool| {
            let named: &mut Named = events.entry(name.to_owned()).or_default();
            named.files.insert(source.path.clone());
            named.is_failure |= is_failure;
        };
        if source.path.ends_with(SCRIPT) {
            of_script(&source.text, &mut note);
        } else {
            of_tokens(&without_tests(&tokens(source)), false, &mut note);
        }
    }
    events
}

/// The events in tokens, which may be all that a call of `failure` is given.
fn of_tokens(tokens: &[TokenTree], is_failure: bool, note: &mut impl FnMut(&str, bool)) {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Some(name) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'))
                    && is_event(name)
                {
                    note(name, is_failure && at == 0);
                }
            }
            TokenTree::Group(group) => {
                let before: Vec<_> =
                    tokens[at.saturating_sub(2)..at].iter().map(ToString::to_string).collect();
                let before: Vec<_> = before.iter().map(String::as_str).collect();
                // That names a file.
                if before != ["include_str", "!"] {
                    let inside: Vec<_> = group.stream().into_iter().collect();
                    of_tokens(&without_tests(&inside), before.last() == Some(&"failure"), note);
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The events in a script: what stands between two quotation marks of a line that is no comment.
fn of_script(text: &str, note: &mut impl FnMut(&str, bool)) {
    let is_comment = |line: &&str| ["//", "/*", "*"].iter().any(|sign| line.trim_start().starts_with(sign));
    for line in text.lines().filter(|line| !is_comment(line)) {
        for name in line.split('"').skip(1).step_by(2).filter(|name| is_event(name)) {
            note(name, line.contains("console.error"));
        }
    }
}

fn is_event(name: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    name.split_once('.').is_some_and(|(of, what)| is_word(of) && is_word(what)) && !NO_EVENTS.contains(&name)
}

/// The rows of the operators' table: an event's name, then its other cells.
///
/// # Panics
/// When there is no such table.
pub(crate) fn of_page(page: &str) -> Vec<(String, Vec<String>)> {
    let (_, rest) = page.split_once(BEGIN).expect("the page has the table's first comment");
    let (table, _) = rest.split_once(END).expect("the page has the table's last comment");
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let rows = table.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|mut cells| (cells.remove(0).trim_matches('`').to_owned(), cells)).collect()
}
