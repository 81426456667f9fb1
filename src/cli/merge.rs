//! `--with-record`: the input's own object with the verdict's fields laid over it.
//!
//! What the record says is passed through as text, never read: a number keeps every digit, a field keeps its place.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use clickproof::verdict::{ClickType, Finding, Ruleset, Verdict};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The names that a verdict has; a record's own fields under them, from an earlier run, give way.
pub(crate) struct VerdictNames(BTreeSet<String>);

impl VerdictNames {
    pub(crate) fn new() -> serde_json::Result<Self> {
        let verdict = serde_json::to_value(Verdict::new(Finding::not_a_click(), Ruleset::Full, 1))?;
        let names = verdict.as_object().into_iter().flat_map(|fields| fields.keys().cloned());
        // What a verdict has at times.
        Ok(Self(names.chain(["shadow".to_owned(), "explanation".to_owned()]).collect()))
    }

    /// Whether a verdict has a field of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Appends the record's fields, each with the comma behind it. Where the request came from a mail provider's proxy
    /// the country is the proxy's: nobody's, so it is null.
    pub(crate) fn write_others(
        &self,
        record: &str,
        click_type: Option<ClickType>,
        into: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let fields: Fields = serde_json::from_str(record)?;
        let is_proxys = click_type == Some(ClickType::ProxyOpen);
        for (name, value) in fields.0.iter().filter(|(name, _)| !self.0.contains(name.0.as_ref())) {
            let value = if is_proxys && name.0 == "country" { "null" } else { value.get() };
            serde_json::to_writer(&mut *into, name)?;
            into.push(b':');
            into.extend_from_slice(value.as_bytes());
            into.push(b',');
        }
        Ok(())
    }
}

/// Room for a shipped event's fields.
const FIELDS: usize = 64;

/// An object's fields, in its order, the values as they stand in the text.
pub(crate) struct Fields<'a>(Vec<(Name<'a>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Each field's name and value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.0.as_ref(), *value))
    }
}

#[derive(Deserialize, Serialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(FIELDS);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
