//! The table for people: Markdown, padded as the pages' other tables are.

use super::{Event, FIELDS, Field, Presence};

/// The data page's table of fields, a line feed behind its last row.
#[must_use]
pub fn table() -> String {
    let heads = ["field", "type", "in", "what it is"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(heads).chain(FIELDS.iter().map(row)).collect();
    let widths = [0, 1, 2, 3].map(|at| {
        rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    let line = |cells: &[String; 4]| {
        let cells: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut lines = rows.iter().map(line);
    let head = lines.next().unwrap_or_default();
    let rule = line(&widths.map(|width| "-".repeat(width)));
    head + &rule + &lines.collect::<String>()
}

fn row(field: &Field) -> [String; 4] {
    [format!("`{}`", field.name), kind(field), place(field), field.about.to_owned()]
}

fn presences(field: &Field) -> impl Iterator<Item = Presence> {
    Event::ALL.into_iter().filter_map(|event| field.presence(event))
}

fn kind(field: &Field) -> String {
    let more = match presences(field).max() {
        Some(Presence::Optional) => ", may be absent",
        Some(Presence::Nullable) => " or null",
        _ => "",
    };
    format!("{}{more}", field.shape.name())
}

/// The events that have it, the most of them by one word.
fn place(field: &Field) -> String {
    let has = |event: Event| field.presence(event).is_some();
    let is_record = |event: Event| !matches!(event, Event::Verify | Event::Erased | Event::Alert);
    if Event::ALL.into_iter().all(has) {
        return "all".to_owned();
    }
    let all_records = Event::ALL.into_iter().filter(|event| is_record(*event)).all(has);
    let rest = Event::ALL.into_iter().filter(|event| has(*event) && !(all_records && is_record(*event)));
    let words: Vec<_> = all_records
        .then(|| "records".to_owned())
        .into_iter()
        .chain(rest.map(|event| format!("`{}`", event.name())))
        .collect();
    words.join(", ")
}
