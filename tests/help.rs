//! What the command says of itself: help that fits a screen, completion and manual pages that know every command.

mod common;

use std::fs;

use common::command::{run, stderr};

/// The widest line of help, characters.
const WIDTH: usize = 100;

fn said(args: &[&str]) -> String {
    let output = run(args, "");
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The commands below one, by its help.
fn below(help: &str) -> Vec<String> {
    let list = help.split_once("Commands:\n").map_or("", |(_, list)| list);
    let names = list.lines().take_while(|line| !line.is_empty());
    // What a name has on its second line stands further right.
    let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Every command with the commands below it: the path of each, the command itself first.
fn commands() -> Vec<Vec<String>> {
    let mut paths = vec![Vec::new()];
    let mut at = 0;
    while let Some(path) = paths.get(at).cloned() {
        let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        paths.extend(below(&said(&args)).into_iter().map(|name| [path.clone(), vec![name]].concat()));
        at += 1;
    }
    paths
}

#[test]
fn every_help_fits_a_screen() {
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    for path in commands {
        for flag in ["--help", "-h"] {
            let args: Vec<&str> = path.iter().map(String::as_str).chain([flag]).collect();
            for line in said(&args).lines() {
                let width = line.chars().count();
                assert!(width <= WIDTH, "{args:?} has a line of {width}: {line}");
            }
        }
    }
}

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&["completions", shell]);
        for path in commands().iter().filter(|path| !path.is_empty()) {
            assert!(script.contains(path.last().unwrap()), "{shell}: {path:?}");
        }
        assert!(script.contains("base-url"), "{shell} knows flags");
    }
    let output = run(&["completions", "cmd"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("bash, zsh, fish"), "{}", stderr(&output));
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let page = said(&["man"]);
    assert!(page.contains(".TH clickproof 1") && page.contains("clickproof\\-mint"), "{page}");
    let directory = std::env::temp_dir().join(format!("clickproof-{}-man/man1", std::process::id()));
    assert_eq!(said(&["man", directory.to_str().unwrap()]), "");
    for path in commands() {
        let name = [vec!["clickproof".to_owned()], path].concat().join("-");
        let page = fs::read_to_string(directory.join(format!("{name}.1"))).expect(&name);
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
    fs::remove_dir_all(directory.parent().unwrap()).unwrap();
    let output = run(&["man", "/dev/null/man1"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("name a directory that can be written"), "{}", stderr(&output));
}
