//! Pages: HTML with slots, two of mustache's spellings. What others said is only ever text on them.

use crate::json::Json;

/// Writes text so that it is text, in an element and in a quoted attribute.
pub(crate) fn escape(text: &str, to: &mut String) {
    for character in text.chars() {
        match character {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            other => to.push(other),
        }
    }
}

/// Fills a template: `{{name}}` with a value as text, `{{&name}}` with one that is HTML already. What stands in none of
/// the values is asked of `listed`; a slot for which there is no text there either stays empty.
pub(crate) fn fill(template: &str, values: &[(&str, &str)], listed: &Json) -> String {
    let (before, mut rest) = cut(template, "{{");
    let mut filled = before.to_owned();
    while !rest.is_empty() {
        let (slot, behind) = cut(rest, "}}");
        let (name, is_html) = slot.strip_prefix('&').map_or((slot, false), |name| (name, true));
        let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        match value {
            Some(html) if is_html => filled.push_str(html),
            _ => escape(value.unwrap_or_else(|| text(listed, name)), &mut filled),
        }
        let (between, next) = cut(behind, "{{");
        filled.push_str(between);
        rest = next;
    }
    filled
}

/// What stands before a mark, and what behind it.
fn cut<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    text.split_once(mark).unwrap_or((text, ""))
}

/// A text of a listed record, empty where there is none.
pub(crate) fn text<'a>(listed: &'a Json, name: &str) -> &'a str {
    listed.get(name).text().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_and_only_marked_ones_with_html() {
        let values = [("a", "<b title=\"'&'\">"), ("b", "{{a}}"), ("c", "")];
        let listed = Json::parse(r#"{"a": "another", "d": "<d>", "e": 7}"#).unwrap();
        for (template, expected) in [
            ("", ""),
            ("no slot } {", "no slot } {"),
            ("<i>{{a}}</i>", "<i>&lt;b title=&quot;&#39;&amp;&#39;&quot;&gt;</i>"),
            ("{{&a}}", "<b title=\"'&'\">"),
            ("{{a}}{{&a}}.", "&lt;b title=&quot;&#39;&amp;&#39;&quot;&gt;<b title=\"'&'\">."),
            ("{{b}}{{&b}}", "{{a}}{{a}}"),
            ("x{{c}}y{{e}}{{unknown}}z", "xyz"),
            ("{{d}} {{&d}}", "&lt;d&gt; &lt;d&gt;"),
        ] {
            assert_eq!(fill(template, &values, &listed), expected, "{template}");
        }
    }
}
