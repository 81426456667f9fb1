//! Templates: HTML with slots, two of mustache's spellings.

/// Fills a template: `{{name}}` with a value as text, `{{&name}}` with one that is HTML already. A slot without a value
/// stays empty.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (slot, rest) = part.split_once("}}").unwrap_or_default();
        let name = slot.strip_prefix('&');
        let found = values.iter().find(|(known, _)| *known == name.unwrap_or(slot));
        let value = found.map_or("", |(_, value)| value);
        if name.is_some() {
            filled.push_str(value);
        } else {
            escape(value, &mut filled);
        }
        filled.push_str(rest);
    }
    filled
}

/// Writes text so that it is text, in an element and in a quoted attribute.
fn escape(text: &str, to: &mut String) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_and_only_marked_ones_with_html() {
        let values = [("a", "<b title=\"'&'\">"), ("b", "{{a}}"), ("c", "")];
        for (template, expected) in [
            ("", ""),
            ("no slot } {", "no slot } {"),
            ("<i>{{a}}</i>", "<i>&lt;b title=&quot;&#39;&amp;&#39;&quot;&gt;</i>"),
            ("{{&a}}", "<b title=\"'&'\">"),
            ("{{a}}{{&a}}.", "&lt;b title=&quot;&#39;&amp;&#39;&quot;&gt;<b title=\"'&'\">."),
            ("{{b}}{{&b}}", "{{a}}{{a}}"),
            ("x{{c}}y{{unknown}}z", "xyz"),
        ] {
            assert_eq!(fill(template, &values), expected, "{template}");
        }
    }
}
