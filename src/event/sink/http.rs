//! `EVENTS_HTTP_URL` and `EVENTS_HTTP_HEADERS`: a pack's lines as one request, for whatever takes NDJSON: `ClickHouse`, Tinybird,
//! Vector, any collector. `{key}` stands for the key of the pack's object in the bucket, the same whenever it comes again.

use crate::json::Json;

/// What stands for the key.
const KEY: &str = "{key}";

/// Names of what the request has by itself.
const OWN: [&str; 3] = ["host", "content-length", "transfer-encoding"];

/// A URL or a header's value with the key in its place. A key is of letters, digits and `/ = . -`, which stand in URLs as they are.
#[must_use]
pub fn filled(text: &str, key: &str) -> String {
    text.replace(KEY, key)
}

/// Reads the secret `EVENTS_HTTP_HEADERS`: a line `Name: value` for each header, or an object of JSON with their names and values.
///
/// # Errors
/// What it must be. A value is never in the words: it may be a key.
pub fn headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    let mut is_good = true;
    let mut add = |name: &str, value: &str| {
        let (name, value) = (name.trim(), value.trim());
        is_good &= may_be_sent(name, value);
        headers.push((name.to_owned(), value.to_owned()));
    };
    let is_read = if text.trim_start().starts_with('{') {
        // What is no text is the empty one, which no name may be, and a bad name is refused.
        Json::each(text, &mut |name, value| match value.text() {
            Some(value) => add(&name, value),
            None => add("", ""),
        })
        .is_ok()
    } else {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (name, value) = line.split_once(':').unwrap_or_default();
            add(name, value);
        }
        true
    };
    if is_read && is_good { Ok(headers) } else { Err(MUST_BE.to_owned()) }
}

/// What is said of the setting.
const MUST_BE: &str = "must be lines of Name: value, or an object of JSON with strings; names without spaces and not Host or \
                       Content-Length, values of printable ASCII";

fn may_be_sent(name: &str, value: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(is_token)
        && !OWN.iter().any(|own| name.eq_ignore_ascii_case(own))
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn headers_are_lines_or_json() {
        let expected = pairs(&[("Authorization", "Bearer a:b"), ("X-Key", "{key}")]);
        assert_eq!(headers("Authorization: Bearer a:b\nX-Key:{key}\n\n"), Ok(expected.clone()));
        assert_eq!(headers(r#" {"Authorization":"Bearer a:b","X-Key":"{key}"}"#), Ok(expected));
        assert_eq!(headers("X:"), Ok(pairs(&[("X", "")])));
    }

    #[test]
    fn a_bad_header_is_told_without_its_value() {
        for bad in [
            "secretish",
            ": secretish",
            "X Y: secretish",
            "X-Key: secretish\u{1}",
            "host: secretish",
            "X: y\nsecretish",
            r#"{"X":5}"#,
            r#"{"X":"secretish""#,
        ] {
            assert_eq!(headers(bad), Err(MUST_BE.to_owned()), "{bad}");
        }
    }

    #[test]
    fn the_key_stands_wherever_it_is_named() {
        let key = "events/dt=2026-11-22/hh=13/ab-00000007-000.ndjson";
        assert_eq!(
            filled("https://x.example/?a={key}&b={key}", key),
            format!("https://x.example/?a={key}&b={key}")
        );
    }
}
