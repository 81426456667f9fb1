//! A shipped line as a row: the table's fields by their types, all others as one JSON object.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use clickproof::event::schema::{Event, FIELDS, Field, Shape};
use clickproof::record::moment;
use serde_json::value::RawValue;

use super::objects::{DAY_MS, Day};
use crate::merge::Fields;

/// A shipped event: what each has, and all its fields.
pub(super) struct Line<'a> {
    pub(super) event: Cow<'a, str>,
    pub(super) event_id: Cow<'a, str>,
    pub(super) revision: i64,
    pub(super) ts_ms: i64,
    /// Empty where it is null.
    pub(super) message_id: Cow<'a, str>,
    fields: Fields<'a>,
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(text: &'a str) -> Result<Self, String> {
        let fields: Fields =
            serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))?;
        let [mut event, mut event_id, mut message_id] = [const { Cow::Borrowed("") }; 3];
        let (mut revision, mut ts_ms) = (None, None);
        for (name, value) in fields.iter() {
            let wrong = |words| format!("{name}: {words}");
            let text = || string(value.get()).ok_or_else(|| wrong("must be a string"));
            let integer =
                || value.get().parse().map(Some).map_err(|_| wrong("must be an integer of at most 64 bits"));
            match name {
                "event" => event = text()?,
                "event_id" => event_id = text()?,
                "message_id" if value.get() != "null" => message_id = text()?,
                "revision" => revision = integer()?,
                "ts_ms" => ts_ms = integer()?,
                _ => {}
            }
        }
        let missing = |name: &str| format!("{name}: missing, so this is no shipped event");
        if event.is_empty() {
            return Err(missing("event"));
        }
        // It becomes the name of a directory.
        if !event.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return Err("event: must be a word such as click".to_owned());
        }
        if event_id.is_empty() {
            return Err(missing("event_id"));
        }
        let revision = revision.ok_or_else(|| missing("revision"))?;
        let ts_ms = ts_ms.ok_or_else(|| missing("ts_ms"))?;
        moment::check("ts_ms", ts_ms)?;
        Ok(Self { event, event_id, revision, ts_ms, message_id, fields })
    }

    /// The day on which it happened.
    pub(super) fn day(&self) -> Day {
        self.ts_ms.div_euclid(DAY_MS)
    }
}

/// A value of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Text(Cow<'a, str>),
    Integer(i64),
    Boolean(bool),
    Texts(Vec<Cow<'a, str>>),
}

/// The columns of one event's files.
pub(super) struct Columns {
    pub(super) fields: Vec<&'static Field>,
    places: HashMap<&'static str, usize>,
}

impl Columns {
    /// Those of an event; of one that a later version ships, what all events have.
    pub(super) fn of(event: &str) -> Self {
        let known = Event::named(event);
        let is_column = |field: &&Field| match known {
            Some(event) => field.presence(event).is_some(),
            None => field.is_everywhere(),
        };
        // The path says it.
        let fields: Vec<_> = FIELDS.iter().filter(|field| field.name != "event").filter(is_column).collect();
        let places = fields.iter().enumerate().map(|(at, field)| (field.name, at)).collect();
        Self { fields, places }
    }

    /// Whether the line makes a row.
    ///
    /// # Errors
    /// The first field that is of another type than the table's.
    pub(super) fn check(&self, line: &Line) -> Result<(), String> {
        self.row(line, |_, _| {}).map(|_| ())
    }

    /// Makes a row: hands over each column that the line has, by its place, and returns its further fields, by name, as a JSON
    /// object. Of a name that stands twice, the last counts.
    ///
    /// # Errors
    /// The first field that is of another type than the table's.
    pub(super) fn row<'a>(
        &self,
        line: &Line<'a>,
        mut put: impl FnMut(usize, Value<'a>),
    ) -> Result<Option<String>, String> {
        let (mut extra, mut next) = (BTreeMap::new(), 0);
        for (name, value) in line.fields.iter() {
            match self.place(name, next) {
                Some((at, field)) => {
                    put(at, read(field.shape, value).map_err(|words| format!("{name}: {words}"))?);
                    next = at + 1;
                }
                None if name == "event" => {}
                None => _ = extra.insert(name, value),
            }
        }
        if extra.is_empty() {
            return Ok(None);
        }
        serde_json::to_string(&extra).map(Some).map_err(|error| error.to_string())
    }

    /// The column of that name; `next` is where it most likely is, as lines name fields about as the table does.
    fn place(&self, name: &str, next: usize) -> Option<(usize, &'static Field)> {
        let at = |at: usize| Some((at, *self.fields.get(at)?));
        at(next).filter(|(_, field)| field.name == name).or_else(|| at(*self.places.get(name)?))
    }
}

fn read(shape: Shape, value: &RawValue) -> Result<Value<'_>, &'static str> {
    let text = value.get();
    if text == "null" {
        return Ok(Value::Null);
    }
    match shape {
        Shape::Text => string(text).map(Value::Text).ok_or("must be a string"),
        Shape::Integer => {
            text.parse().map(Value::Integer).map_err(|_| "must be an integer of at most 64 bits")
        }
        Shape::Boolean => text.parse().map(Value::Boolean).map_err(|_| "must be true or false"),
        Shape::Texts => {
            let texts: Vec<&RawValue> =
                serde_json::from_str(text).map_err(|_| "must be a list of strings")?;
            let texts: Option<_> = texts.iter().map(|text| string(text.get())).collect();
            texts.map(Value::Texts).ok_or("must be a list of strings")
        }
        Shape::Json => {
            if text.starts_with('{') {
                Ok(Value::Text(text.into()))
            } else {
                Err("must be an object")
            }
        }
    }
}

/// The string that a JSON text is.
fn string(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(text).ok().map(Cow::Owned) } else { Some(inner.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"event":"verify","event_id":"e","revision":1,"ts_ms":1795348800000,"message_id":"m\u0031","url":null,"since_load_ms":-7}"#;

    /// The columns that a line has, and its further fields.
    fn row(text: &str) -> (Vec<(&'static str, String)>, Option<String>) {
        let columns = Columns::of("verify");
        let mut found = Vec::new();
        let put = |at: usize, value| found.push((columns.fields[at].name, format!("{value:?}")));
        let extra = columns.row(&Line::read(text).unwrap(), put).unwrap();
        (found, extra)
    }

    #[test]
    fn a_lines_fields_are_columns_and_all_others_one_object() {
        let (found, extra) = row(LINE);
        assert_eq!(extra, None);
        let expected = [
            ("event_id", r#"Text("e")"#),
            ("revision", "Integer(1)"),
            ("ts_ms", "Integer(1795348800000)"),
            ("message_id", r#"Text("m1")"#),
            ("url", "Null"),
            ("since_load_ms", "Integer(-7)"),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name, value.to_owned())));

        let more = LINE.replacen(
            '{',
            r#"{"z":1.50,"a":{"b": [1]},"z":2e400,"asn":8075,"\u0065vent_id":"other","#,
            1,
        );
        let (found, extra) = row(&more);
        assert_eq!(extra.unwrap(), r#"{"a":{"b": [1]},"asn":8075,"z":2e400}"#, "every digit stays");
        assert_eq!(found.len(), 7);
    }

    #[test]
    fn an_event_that_a_later_version_ships_has_the_columns_of_all() {
        let names: Vec<_> = Columns::of("of a later version").fields.iter().map(|field| field.name).collect();
        assert_eq!(names, ["event_id", "revision", "ts_ms"]);
    }

    #[test]
    fn a_field_of_another_type_is_named() {
        let columns = Columns::of("click");
        let check = |field: &str| {
            let text = LINE.replace("verify", "click").replacen('{', &format!("{{{field},"), 1);
            columns.check(&Line::read(&text)?)
        };
        for (field, words) in [
            (r#""asn":"8075""#, "asn: must be an integer of at most 64 bits"),
            (r#""asn":1.0"#, "asn: must be an integer of at most 64 bits"),
            (r#""asn":9223372036854775808"#, "asn: must be an integer of at most 64 bits"),
            (r#""secure":1"#, "secure: must be true or false"),
            (r#""ip":7"#, "ip: must be a string"),
            (r#""ip":"\ud800""#, "ip: must be a string"),
            (r#""reasons":"+a""#, "reasons: must be a list of strings"),
            (r#""reasons":["+a",null]"#, "reasons: must be a list of strings"),
            (r#""shadow":[]"#, "shadow: must be an object"),
        ] {
            assert_eq!(check(field), Err(words.to_owned()));
        }
        assert_eq!(check(r#""reasons":["+a","\u002db"],"shadow":{},"secure":true"#), Ok(()));
    }

    #[test]
    fn a_line_that_is_no_shipped_event_says_what_it_lacks() {
        assert_eq!(Line::read(LINE).map(|line| line.day()), Ok(20_779));
        for (from, to, words) in [
            (r#""event":"verify","#, "", "event: missing, so this is no shipped event"),
            (r#""event_id":"e","#, "", "event_id: missing, so this is no shipped event"),
            (r#""revision":1,"#, "", "revision: missing, so this is no shipped event"),
            (r#""ts_ms":1795348800000,"#, "", "ts_ms: missing, so this is no shipped event"),
            ("1795348800000", "1795348800", "`ts_ms` is 1795348800, which looks like seconds"),
            ("1795348800000", "1.5", "ts_ms: must be an integer"),
            ("1795348800000", "null", "ts_ms: must be an integer"),
            (r#""e""#, "null", "event_id: must be a string"),
            (r#""m\u0031""#, "1", "message_id: must be a string"),
            ("verify", "../x", "event: must be a word such as click"),
            (LINE, "[1]", "not a JSON object: "),
            (LINE, "{", "not a JSON object: EOF"),
        ] {
            let said = Line::read(&LINE.replace(from, to)).err().unwrap();
            assert!(said.starts_with(words), "{said}");
        }
    }
}
