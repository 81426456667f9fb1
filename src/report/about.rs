//! What a sender tells of a message: what it calls it, and to how many it was sent.

use serde::Serialize;

use crate::json::Json;

/// The longest title, characters.
const MAX_TITLE: usize = 200;

/// The most groups that one call may name.
const MAX_GROUPS: usize = 1_000;

/// What is told of a message (`PUT /v1/messages/{message_id}`); nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct About {
    /// What reports call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// To how many recipients it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<i64>,
    /// The same by group, in the order of their names.
    #[serde(serialize_with = "crate::report::about::as_object")]
    pub groups: Vec<(String, i64)>,
}

/// Groups as an object.
fn as_object<S: serde::Serializer>(groups: &[(String, i64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(groups.iter().map(|(name, sent)| (name.as_str(), *sent)))
}

impl About {
    /// Reads a body. What is told replaces all that was told before.
    ///
    /// # Errors
    /// A message that names the first bad field and says what it must be.
    pub fn read(body: &Json, check_group: &dyn Fn(&str) -> Result<(), String>) -> Result<Self, String> {
        body.fields().ok_or("the body: must be a JSON object")?;
        body.only("", &["title", "sent", "groups"])?;
        let title = match body.get("title") {
            Json::Null => None,
            value => {
                let fits = |title: &&str| !title.trim().is_empty() && title.chars().count() <= MAX_TITLE;
                let title = value.text().filter(fits);
                let words = || format!("title: must be a text of 1 to {MAX_TITLE} characters");
                Some(title.ok_or_else(words)?.to_owned())
            }
        };
        let sent = match body.get("sent") {
            Json::Null => None,
            value => Some(count(value).ok_or("sent: must be a whole number, 0 or more")?),
        };
        let mut groups = Vec::new();
        if *body.get("groups") != Json::Null {
            let named = body.get("groups").fields();
            let named = named.ok_or("groups: must be an object of numbers, such as {\"gmail.com\": 1200}")?;
            if named.len() > MAX_GROUPS {
                return Err(format!("groups: at most {MAX_GROUPS}"));
            }
            for (name, value) in named {
                check_group(name).map_err(|error| format!("groups: {error}"))?;
                let sent = count(value)
                    .ok_or_else(|| format!("groups.{name}: must be a whole number, 0 or more"))?;
                let at = groups.binary_search_by(|(known, _): &(String, i64)| known.as_str().cmp(name));
                match at {
                    Ok(_) => return Err(format!("groups.{name}: stands twice")),
                    Err(at) => groups.insert(at, (name.clone().into_owned(), sent)),
                }
            }
        }
        Ok(Self { title, sent, groups })
    }
}

/// A number of recipients: no list is longer than what a float holds exactly.
fn count(value: &Json) -> Option<i64> {
    value.integer::<i64>().filter(|count| (0..=1 << 53).contains(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<About, String> {
        let short = |group: &str| if group.len() < 9 { Ok(()) } else { Err("too long".to_owned()) };
        About::read(&Json::parse(body).unwrap(), &short)
    }

    #[test]
    fn what_is_told_is_read_and_written_again() {
        let full = r#"{"title":"Tea","sent":12,"groups":{"a":1,"b":0}}"#;
        let about = read(full).unwrap();
        assert_eq!(serde_json::to_string(&about).unwrap(), full);
        assert_eq!(about.groups, [("a".to_owned(), 1), ("b".to_owned(), 0)]);
        assert_eq!(read("{}"), Ok(About::default()));
        assert_eq!(read(r#"{"title":null,"sent":null,"groups":null}"#), Ok(About::default()));
    }

    #[test]
    fn what_is_bad_is_named() {
        for (body, words) in [
            ("[]", "the body: must be a JSON object"),
            (r#"{"name":"x"}"#, "name: no such field; there are title, sent, groups"),
            (r#"{"title":" "}"#, "title: must be a text of 1 to 200 characters"),
            (r#"{"title":7}"#, "title: must be a text of 1 to 200 characters"),
            (r#"{"sent":-1}"#, "sent: must be a whole number, 0 or more"),
            (r#"{"sent":1.5}"#, "sent: must be a whole number, 0 or more"),
            (r#"{"groups":[1]}"#, "groups: must be an object of numbers, such as {\"gmail.com\": 1200}"),
            (r#"{"groups":{"a":"1"}}"#, "groups.a: must be a whole number, 0 or more"),
            (r#"{"groups":{"much-too-long":1}}"#, "groups: too long"),
            (r#"{"groups":{"a":1,"a":2}}"#, "groups.a: stands twice"),
            (r#"{"sent":1,"title":"Tea","sent":2}"#, "sent: stands twice; leave one"),
        ] {
            assert_eq!(read(body), Err(words.to_owned()), "{body}");
        }
    }
}
