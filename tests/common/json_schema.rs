//! JSON Schema as far as our own schema goes: enough to hold an event to it. A word of a schema that it does not know is refused, so
//! that nothing is taken for checked that is not.

use serde_json::Value;

/// Words of a schema that demand nothing.
const NOTES: [&str; 4] = ["$schema", "title", "description", "examples"];

/// The first thing about a value that the schema forbids.
pub fn violation(schema: &Value, value: &Value) -> Option<String> {
    let rules = schema.as_object().expect("a schema is an object");
    rules.iter().find_map(|(word, rule)| match word.as_str() {
        "type" => {
            let is = |word: &Value| is_of(word.as_str().unwrap(), value);
            let holds = rule.as_array().map_or_else(|| is(rule), |words| words.iter().any(is));
            (!holds).then(|| format!("{value} is not of type {rule}"))
        }
        "const" => (rule != value).then(|| format!("{value} is not {rule}")),
        "enum" => (!rule.as_array().unwrap().contains(value)).then(|| format!("{value} is none of {rule}")),
        "required" => {
            let absent = |name: &&Value| value.get(name.as_str().unwrap()).is_none();
            rule.as_array().unwrap().iter().find(absent).map(|name| format!("{name} is absent"))
        }
        "properties" => rule.as_object().unwrap().iter().find_map(|(name, schema)| {
            violation(schema, value.get(name)?).map(|words| format!("{name}: {words}"))
        }),
        "items" => value.as_array().into_iter().flatten().find_map(|item| violation(rule, item)),
        "oneOf" => {
            let broken: Vec<_> = rule.as_array().unwrap().iter().map(|rule| violation(rule, value)).collect();
            let held = broken.iter().filter(|words| words.is_none()).count();
            (held != 1).then(|| format!("{held} of the alternatives hold: {broken:?}"))
        }
        "additionalProperties" => (rule != true).then(|| format!("additionalProperties is {rule}")),
        note if NOTES.contains(&note) => None,
        unknown => panic!("the schema says `{unknown}`, which is not checked"),
    })
}

fn is_of(word: &str, value: &Value) -> bool {
    match word {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("there is no type `{other}`"),
    }
}
