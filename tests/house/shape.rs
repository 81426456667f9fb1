//! What shape files have: on which floor each is, which arrows run up or in a circle, how many fields a struct has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proc_macro2::{Spacing, TokenTree};

use super::imports::{Arrows, Source, tokens};

/// The directory of `src` that a file is in, or its own name.
pub(crate) fn part(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or(path)
}

/// Which floor a file is on.
fn floor(floors: &[&[&str]], path: &str) -> usize {
    let floor = floors.iter().position(|parts| parts.contains(&part(path)));
    floor.unwrap_or_else(|| {
        panic!("src/{path} is on no floor: give {} one in FLOORS (tests/house)", part(path))
    })
}

/// The arrows that do not run down, the floors from the ground up.
pub(crate) fn upward(floors: &[&[&str]], arrows: &Arrows) -> Vec<String> {
    let is_upward = |from: &str, to: &str| part(from) != part(to) && floor(floors, to) >= floor(floors, from);
    let upward = arrows.iter().filter(|((from, to), _)| is_upward(from, to));
    upward.map(|(arrow, names)| words(arrow, names)).collect()
}

/// The shortest circle through each file that has one, each circle once.
pub(crate) fn circles(arrows: &Arrows) -> Vec<String> {
    let mut circles = BTreeMap::new();
    for file in arrows.keys().map(|(from, _)| from).collect::<BTreeSet<_>>() {
        if let Some(circle) = circle(arrows, file) {
            let files: BTreeSet<&str> = circle.iter().map(|arrow| arrow.0.as_str()).collect();
            let lines: Vec<String> = circle.iter().map(|arrow| words(arrow, &arrows[arrow])).collect();
            circles.entry(files).or_insert(lines.join("\n  "));
        }
    }
    circles.into_values().collect()
}

/// The shortest way from a file back to itself.
fn circle<'a>(arrows: &'a Arrows, file: &'a String) -> Option<Vec<&'a (String, String)>> {
    let mut came_by: BTreeMap<&String, &(String, String)> = BTreeMap::new();
    let mut queue = VecDeque::from([file]);
    while let Some(at) = queue.pop_front() {
        for arrow in arrows.keys().filter(|(from, _)| from == at) {
            if !came_by.contains_key(&arrow.1) {
                came_by.insert(&arrow.1, arrow);
                queue.push_back(&arrow.1);
            }
        }
    }
    let mut circle = vec![*came_by.get(file)?];
    while circle[0].0 != *file {
        circle.insert(0, came_by[&circle[0].0]);
    }
    Some(circle)
}

fn words((from, to): &(String, String), names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("src/{from} → src/{to} ({})", names.join(", "))
}

/// How many fields a struct has.
pub(crate) fn fields(source: &Source, name: &str) -> usize {
    let tokens = tokens(source);
    let is_named = |at: usize, word: &str| matches!(&tokens[at], TokenTree::Ident(ident) if ident == word);
    let at = (1..tokens.len()).find(|at| is_named(*at, name) && is_named(at - 1, "struct"));
    let at = at.unwrap_or_else(|| panic!("src/{} has no struct {name}", source.path));
    let body = tokens[at..].iter().find_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    let body: Vec<TokenTree> = body.into_iter().flatten().collect();
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ':' && sign.spacing() == Spacing::Alone);
    let is_field = |two: &[TokenTree]| matches!(two[0], TokenTree::Ident(_)) && is_colon(&two[1]);
    body.windows(2).filter(|two| is_field(two)).count()
}
