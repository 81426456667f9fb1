//! The table as JSON Schema: one object for all events, and beside it what each event must have.

use serde::ser::{Serialize, Serializer};

use super::{Event, FIELDS, Field, Presence, Shape, Words};

/// The JSON Schema (2020-12) of a shipped line, as `static/schema/events.json` holds it. It lets fields pass that it does not
/// know: a later version has more.
#[must_use]
pub fn json() -> String {
    let schema = Schema {
        dialect: "https://json-schema.org/draft/2020-12/schema",
        title: "Clickproof events",
        description: "A line of events/dt=YYYY-MM-DD/hh=HH/….ndjson: event_id and revision are the key, fields may be added",
        of: "object",
        required: FIELDS.iter().filter(|field| field.is_everywhere()).map(|field| field.name).collect(),
        properties: Properties,
        additional: true,
        one_of: Event::ALL.map(Branch::of),
    };
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(serde::Serialize)]
struct Schema {
    #[serde(rename = "$schema")]
    dialect: &'static str,
    title: &'static str,
    description: &'static str,
    #[serde(rename = "type")]
    of: &'static str,
    required: Vec<&'static str>,
    properties: Properties,
    #[serde(rename = "additionalProperties")]
    additional: bool,
    #[serde(rename = "oneOf")]
    one_of: [Branch; Event::ALL.len()],
}

/// Every field, by its name, in the table's order.
struct Properties;

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(FIELDS.iter().map(|field| (field.name, Property::of(field))))
    }
}

#[derive(serde::Serialize)]
struct Property {
    description: &'static str,
    #[serde(rename = "type")]
    of: Type,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Items>,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    closed: Option<Vec<&'static str>>,
    #[serde(rename = "examples", skip_serializing_if = "Option::is_none")]
    open: Option<Vec<&'static str>>,
}

#[derive(serde::Serialize)]
struct Items {
    #[serde(rename = "type")]
    of: &'static str,
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Type {
    One(&'static str),
    OrNull([&'static str; 2]),
}

impl Type {
    fn of(shape: Shape, may_be_null: bool) -> Self {
        let word = match shape {
            Shape::Text => "string",
            Shape::Integer => "integer",
            Shape::Boolean => "boolean",
            Shape::Texts => "array",
            Shape::Json => "object",
        };
        if may_be_null { Self::OrNull([word, "null"]) } else { Self::One(word) }
    }
}

impl Property {
    fn of(field: &Field) -> Self {
        let may_be_null = Event::ALL
            .iter()
            .filter_map(|event| field.presence(*event))
            .any(|presence| presence != Presence::Always);
        let (closed, open) = match field.words {
            Words::Any => (None, None),
            Words::Closed(words) => (Some(words()), None),
            Words::Open(words) => (None, Some(words())),
        };
        Self {
            description: field.about,
            of: Type::of(field.shape, may_be_null),
            items: (field.shape == Shape::Texts).then_some(Items { of: "string" }),
            closed,
            open,
        }
    }
}

/// What one event must have beside what all have.
#[derive(serde::Serialize)]
struct Branch {
    title: &'static str,
    required: Vec<&'static str>,
    properties: Narrowed,
}

/// What the fields are in one event where that says more than the table as a whole.
struct Narrowed(Event);

impl Serialize for Narrowed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "lowercase")]
        enum Narrow {
            Const(&'static str),
            Type(Type),
        }
        let narrow = |field: &'static Field| {
            let presence = field.presence(self.0)?;
            let differs =
                Event::ALL.iter().any(|other| field.presence(*other).is_some_and(|other| other != presence));
            match field.name {
                "event" => Some((field.name, Narrow::Const(self.0.name()))),
                name => {
                    differs.then(|| (name, Narrow::Type(Type::of(field.shape, presence != Presence::Always))))
                }
            }
        };
        serializer.collect_map(FIELDS.iter().filter_map(narrow))
    }
}

impl Branch {
    fn of(event: Event) -> Self {
        let is_required = |field: &&Field| {
            !field.is_everywhere()
                && field.presence(event).is_some_and(|presence| presence != Presence::Optional)
        };
        Self {
            title: event.name(),
            required: FIELDS.iter().filter(is_required).map(|field| field.name).collect(),
            properties: Narrowed(event),
        }
    }
}
