//! What sinks ask of a shipped line. A line is read, and not what it was made of: an older version's pack is lines alone.

use crate::json::Json;
use crate::verdict::ClickType;

/// Some of a line's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `event`.
    pub event: String,
    /// `event_id`.
    pub event_id: String,
    /// `revision`.
    pub revision: u32,
    /// `ts_ms`.
    pub ts_ms: i64,
    /// `message_id`.
    pub message_id: String,
    /// `recipient_id`.
    pub recipient_id: String,
    /// `vendor`, empty where there is none.
    pub vendor: String,
    /// `click_type`.
    pub click_type: Option<ClickType>,
    /// `previous_click_type`.
    pub previous: Option<ClickType>,
}

impl Facts {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is no line of an event.
    pub fn of(line: &str) -> Result<Self, String> {
        let mut facts = Self::default();
        let read = Json::each(line, &mut |name, value| {
            let Json::Text(text) = value else {
                match &*name {
                    "revision" => facts.revision = value.integer().unwrap_or_default(),
                    "ts_ms" => facts.ts_ms = value.integer().unwrap_or_default(),
                    _ => {}
                }
                return;
            };
            let place = match &*name {
                "event" => &mut facts.event,
                "event_id" => &mut facts.event_id,
                "message_id" => &mut facts.message_id,
                "recipient_id" => &mut facts.recipient_id,
                "vendor" => &mut facts.vendor,
                "click_type" => return facts.click_type = ClickType::named(&text),
                "previous_click_type" => return facts.previous = ClickType::named(&text),
                _ => return,
            };
            *place = text.into_owned();
        });
        match read {
            Ok(true) if !facts.event.is_empty() && !facts.event_id.is_empty() => Ok(facts),
            Ok(_) => Err("no event".to_owned()),
            Err(problem) => Err(problem.to_string()),
        }
    }

    /// The same of every line of a pack, beside it.
    ///
    /// # Errors
    /// When one is no line of an event.
    pub fn of_all(lines: &str) -> Result<Vec<(&str, Self)>, String> {
        let mut all = Vec::new();
        for line in lines.lines() {
            all.push((line, Self::of(line)?));
        }
        Ok(all)
    }
}
