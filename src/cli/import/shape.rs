//! Where the JSON of a provider keeps what a record needs: a table of paths, and the one reader of all such tables.

use clickproof::json::Json;
use serde_json::Value;

use super::event::{Event, Times, What};
use super::time::Clock;

/// Names from the outside in.
pub(super) type Path = &'static [&'static str];

/// Where a provider's event has what.
pub(super) struct Shape {
    /// When it happened; the first that is there counts, as of all lists here.
    pub(super) time: &'static [Path],
    /// To whom the mail went.
    pub(super) recipient: &'static [Path],
    /// The recipient's copy of the mail.
    pub(super) copy: &'static [Path],
    /// The campaign.
    pub(super) campaign: &'static [Path],
    /// What may stand for it.
    pub(super) mail: &'static [Path],
    /// The event's id.
    pub(super) id: &'static [Path],
    /// When the mail was sent, where every event says so.
    pub(super) sent: &'static [Path],
    /// Fields of the record that are text, null where the event has none: clicks have these.
    pub(super) fields: &'static [(&'static str, Path)],
    /// What the provider says itself, kept under a name of ours where it says anything.
    pub(super) kept: &'static [(&'static str, Path)],
}

impl Shape {
    /// Reads an event.
    ///
    /// # Errors
    /// What is missing, or no time.
    pub(super) fn event(&self, json: &Json, what: What) -> Result<Event, String> {
        let time = |paths: &[Path]| -> Result<Option<i64>, String> {
            let Some((path, text)) = paths.iter().find_map(|path| Some((path, word(at(json, path))?))) else {
                return Ok(None);
            };
            Clock::default().read(&path.join("."), &text).map(Some)
        };
        let missing = |paths: &[Path]| {
            let names: Vec<String> = paths.iter().map(|path| path.join(".")).collect();
            format!("`{}`: missing", names.join("` or `"))
        };
        let mut fields: Vec<(&'static str, Value)> = Vec::new();
        if let What::Request(_) = what {
            for (name, path) in self.fields {
                fields.push((name, word(at(json, path)).map_or(Value::Null, Value::String)));
            }
            for (name, path) in self.kept {
                if let Some(value) = scalar(at(json, path)) {
                    fields.push((name, value));
                }
            }
        }
        Ok(Event {
            what,
            ts_ms: time(self.time)?.ok_or_else(|| missing(self.time))?,
            recipient: first(json, self.recipient).ok_or_else(|| missing(self.recipient))?,
            copy: first(json, self.copy),
            campaign: first(json, self.campaign),
            mail: first(json, self.mail),
            id: first(json, self.id),
            times: Times { sent: time(self.sent)?, ..Times::default() },
            fields,
        })
    }
}

/// What stands at a path; of a list its first. Null where nothing does.
pub(super) fn at<'a>(json: &'a Json<'a>, path: &[&str]) -> &'a Json<'a> {
    path.iter().fold(json, |json, name| {
        json.list().map_or(json, |list| list.first().unwrap_or(&Json::Null)).get(name)
    })
}

/// The first path where something stands.
pub(super) fn first(json: &Json, paths: &[Path]) -> Option<String> {
    paths.iter().find_map(|path| word(at(json, path)))
}

/// A text that is not empty, or a number's digits: exports write ids either way. Of a list its first.
pub(super) fn word(json: &Json) -> Option<String> {
    match json {
        Json::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Json::Number(digits) => Some((*digits).to_owned()),
        Json::List(list) => list.first().and_then(word),
        _ => None,
    }
}

/// A value to keep as it is, where it is a plain one that says something.
fn scalar(json: &Json) -> Option<Value> {
    match json {
        Json::Boolean(boolean) => Some(Value::Bool(*boolean)),
        Json::Number(digits) => serde_json::from_str(digits).ok(),
        _ => word(json).map(Value::String),
    }
}
