//! `classify --evaluate`: what was found beside what the records' labels say, as tables for people.
//!
//! A label is `human` or `person`, `scanner` or `bot`, a `click_type`, or `proxy_open`, each with or without a kind
//! behind a colon or a slash. What says anything else (`ambiguous`, `scanner?`) is counted and not scored.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use clickproof::verdict::{Confidence, Finding, Ruleset};
use serde_json::Value;

const PERSON: &str = "human";
const SCANNER: &str = "scanner";
const PROXY: &str = "proxy_open";

/// What stands for the type of a record that the ruleset does not judge.
const NOT_JUDGED: &str = "not judged";

/// The labels of a run's events, each different one kept once.
#[derive(Default)]
pub(crate) struct Labels {
    texts: Vec<String>,
    places: HashMap<String, usize>,
    of_events: Vec<Option<usize>>,
}

impl Labels {
    /// Takes the label of the next event from its line, which is a JSON object.
    pub(crate) fn take(&mut self, line: &str) {
        let label = serde_json::from_str::<Value>(line).ok().and_then(|mut record| {
            let label = record.get_mut("label")?.take();
            match label {
                Value::Null => None,
                Value::String(text) => Some(text),
                other => Some(other.to_string()),
            }
        });
        let place = label.filter(|text| !text.is_empty()).map(|text| {
            let fresh = self.texts.len();
            let place = *self.places.entry(text.clone()).or_insert(fresh);
            if place == fresh {
                self.texts.push(text);
            }
            place
        });
        self.of_events.push(place);
    }

    /// The tables. `findings` are the events' in their order.
    pub(crate) fn evaluate<'a>(
        &self,
        findings: impl Iterator<Item = &'a Finding>,
        ruleset: Ruleset,
    ) -> String {
        let mut evaluation = Evaluation::default();
        for (place, finding) in self.of_events.iter().zip(findings) {
            let label = place.map(|place| self.texts[place].as_str());
            evaluation.count(label, finding);
        }
        evaluation.tables(ruleset)
    }
}

/// What a label says: the expected type's name, or the words above. Nothing where it is not understood.
fn expected(label: &str) -> Option<String> {
    let head = label.split([':', '/']).next().unwrap_or_default().trim().to_ascii_lowercase();
    let kind = head.strip_prefix("scanner_");
    match head.as_str() {
        "human" | "person" => Some(PERSON.to_owned()),
        "scanner" | "bot" => Some(SCANNER.to_owned()),
        PROXY => Some(head),
        _ if kind.is_some_and(|kind| {
            !kind.is_empty() && kind.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
        }) =>
        {
            Some(head)
        }
        _ => None,
    }
}

/// What was found of the records with one label.
#[derive(Default)]
struct Row {
    expected: String,
    judged: usize,
    /// As a scanner of any type.
    bots: usize,
    /// As just the expected type.
    exact: usize,
    /// As a scanner for certain.
    certain: usize,
}

#[derive(Default)]
struct Evaluation<'a> {
    unlabelled: usize,
    /// Labels that are not understood.
    odd: BTreeMap<&'a str, usize>,
    rows: BTreeMap<&'a str, Row>,
    matrix: BTreeMap<(String, &'static str), usize>,
    not_judged: usize,
}

impl<'a> Evaluation<'a> {
    fn count(&mut self, label: Option<&'a str>, finding: &Finding) {
        let Some(label) = label else {
            self.unlabelled += 1;
            return;
        };
        let Some(expected) = expected(label) else {
            *self.odd.entry(label).or_default() += 1;
            return;
        };
        let found = finding.click_type.map_or(NOT_JUDGED, |click_type| click_type.name());
        let row = self.rows.entry(label).or_default();
        row.expected.clone_from(&expected);
        if let Some(click_type) = finding.click_type {
            let bot = click_type.is_bot();
            row.judged += 1;
            row.bots += usize::from(bot);
            row.exact += usize::from(expected == found);
            row.certain += usize::from(bot && finding.confidence == Confidence::Certain);
        } else {
            self.not_judged += 1;
        }
        *self.matrix.entry((expected, found)).or_default() += 1;
    }

    /// The rows of people, of proxies, or of scanners: everything else.
    fn rows(&self, whose: &str) -> impl Iterator<Item = (&str, &Row)> {
        let side = |expected: &str| match expected {
            PERSON | PROXY => expected.to_owned(),
            _ => SCANNER.to_owned(),
        };
        self.rows
            .iter()
            .filter(move |(_, row)| side(&row.expected) == whose)
            .map(|(label, row)| (*label, row))
    }

    fn sum(&self, whose: &str, of: fn(&Row) -> usize) -> usize {
        self.rows(whose).map(|(_, row)| of(row)).sum()
    }

    /// Writing to a string cannot fail.
    fn tables(&self, ruleset: Ruleset) -> String {
        let mut text = String::new();
        let judged = |row: &Row| row.judged;
        let _ = writeln!(text, "{} beside the labels", ruleset.label());
        for (name, count, of) in [
            ("scanners found", self.sum(SCANNER, |row| row.bots), self.sum(SCANNER, judged)),
            ("people flagged", self.sum(PERSON, |row| row.bots), self.sum(PERSON, judged)),
            ("people flagged as certain", self.sum(PERSON, |row| row.certain), self.sum(PERSON, judged)),
            ("proxies' opens found", self.sum(PROXY, |row| row.exact), self.sum(PROXY, judged)),
        ] {
            let _ = writeln!(text, "{name:<48}{count:>9} of{of:>9}{}", percent(count, of));
        }
        let odd = self.odd.values().sum::<usize>();
        for (name, count) in [
            (NOT_JUDGED, self.not_judged),
            ("without a label", self.unlabelled),
            ("label not understood", odd),
        ] {
            let _ = writeln!(text, "{name:<48}{count:>9}");
        }
        for (label, count) in &self.odd {
            let _ = writeln!(text, "  {:<46}{count:>9}", label.escape_debug().to_string());
        }
        self.write_matrix(&mut text);
        let _ =
            writeln!(text, "{:<48}{:>9}{:>11}{:>11}", "scanners by kind", "clicks", "as a bot", "exactly");
        for (label, row) in self.rows(SCANNER) {
            let exact =
                if row.expected == SCANNER { format!("{:>11}", "-") } else { percent(row.exact, row.judged) };
            let bots = percent(row.bots, row.judged);
            let _ = writeln!(text, "  {label:<46}{:>9}{bots}{exact}", row.judged);
        }
        let _ =
            writeln!(text, "{:<48}{:>9}{:>11}{:>11}", "people by kind", "clicks", "flagged", "as certain");
        for (label, row) in self.rows(PERSON) {
            let bots = percent(row.bots, row.judged);
            let _ = writeln!(text, "  {label:<46}{:>9}{bots}{:>11}", row.judged, row.certain);
        }
        text.pop();
        text
    }

    /// Expected types down, found ones across, by their numbers.
    fn write_matrix(&self, text: &mut String) {
        let mut names: Vec<&str> =
            self.matrix.keys().flat_map(|(expected, found)| [expected.as_str(), found]).collect();
        names.sort_unstable();
        names.dedup();
        let found = |name: &str| self.matrix.keys().any(|(_, found)| *found == name);
        let columns: Vec<(usize, &str)> =
            (1..).zip(names.iter().copied()).filter(|(_, name)| found(name)).collect();
        let _ = write!(text, "{:<32}", "expected down, found across");
        for (number, _) in &columns {
            let _ = write!(text, "{number:>8}");
        }
        text.push('\n');
        for (number, name) in (1..).zip(&names) {
            let _ = write!(text, "{number:>3} {name:<28}");
            for (_, column) in &columns {
                let cell = self.matrix.iter().find(|((row, found), _)| row == name && found == column);
                let count = cell.map_or_else(|| ".".to_owned(), |(_, count)| count.to_string());
                let _ = write!(text, "{count:>8}");
            }
            text.push('\n');
        }
    }
}

/// A share, in eleven characters.
fn percent(count: usize, of: usize) -> String {
    if of == 0 {
        return format!("{:>11}", "-");
    }
    #[expect(clippy::cast_precision_loss, reason = "a share needs four digits")]
    let percent = 100.0 * count as f64 / of as f64;
    format!("{percent:>9.2} %")
}

#[cfg(test)]
mod tests {
    use clickproof::verdict::ClickType;

    use super::*;

    #[test]
    fn labels_of_others_are_understood() {
        for (label, says) in [
            ("human", Some("human")),
            ("human:tabs", Some("human")),
            ("Person/office", Some("human")),
            ("scanner", Some("scanner")),
            ("bot:proofpoint", Some("scanner")),
            ("scanner_sweep", Some("scanner_sweep")),
            ("scanner_sweep:pool/one", Some("scanner_sweep")),
            ("proxy_open:apple_mpp", Some("proxy_open")),
            ("ambiguous", None),
            ("prefetch", None),
            ("scanner?", None),
            ("scanner_", None),
            ("scanner_x?", None),
            ("7", None),
            (":human", None),
        ] {
            assert_eq!(expected(label).as_deref(), says, "{label}");
        }
    }

    #[test]
    fn only_a_scanner_for_certain_is_flagged_for_certain() {
        let found = |click_type, confidence| Finding { click_type, confidence, ..Finding::not_a_click() };
        let mut evaluation = Evaluation::default();
        for finding in [
            found(Some(ClickType::Human), Confidence::Certain),
            found(Some(ClickType::ScannerCampaignView), Confidence::Probable),
            found(Some(ClickType::ScannerCampaignView), Confidence::Certain),
            found(None, Confidence::Certain),
        ] {
            evaluation.count(Some("human:office"), &finding);
        }
        let row = &evaluation.rows["human:office"];
        assert_eq!((row.judged, row.bots, row.exact, row.certain), (3, 2, 1, 1));
        assert_eq!(evaluation.not_judged, 1);
    }
}
