//! Templates that were not rendered: a URL that still holds a variable is nobody's yet, and tracked it would lead all
//! recipients to one place.
//!
//! The signs are those of the template languages of mail senders: Mustache, Liquid, Jinja, ERB, Mailchimp, shell and Ruby
//! variables, `Adobe`'s `%%`, TYPO3's `###`, Keap's `[[`, `[group:name]`, `%name%` and `{name}`.

/// What no URL has that was rendered.
const SIGNS: [&str; 8] = ["{{", "*|", "|*", "${", "#{", "%%", "###", "[["];

/// The same, unless what follows makes it a character in braces or brackets that is percent-encoded: `{%22`.
const SIGNS_WITH_PERCENT: [&str; 2] = ["{%", "<%"];

/// The same as editors leave it that percent-encode the values of attributes.
const ENCODED: [(&str, &str); 4] = [("%7b", "{"), ("%7d", "}"), ("%7c", "|"), ("%3c", "<")];

/// Whether a URL, or what stands in its place, holds a placeholder.
pub(crate) fn has_placeholder(value: &str) -> bool {
    // Most URLs have none of these bytes, and this is asked of every link.
    if !value.bytes().any(|byte| matches!(byte, b'{' | b'<' | b'|' | b'#' | b'%' | b'[')) {
        return false;
    }
    holds(value) || decoded(value).is_some_and(|value| holds(&value))
}

fn holds(value: &str) -> bool {
    let is_sign = |at: usize| {
        let rest = &value[at + 1..];
        !is_escape(rest) || rest.starts_with("%25")
    };
    SIGNS.iter().any(|sign| value.contains(sign))
        || SIGNS_WITH_PERCENT.iter().any(|sign| value.match_indices(sign).any(|(at, _)| is_sign(at)))
        || in_brackets(value)
        || in_percents(value)
        || in_braces(value)
}

/// The value with its braces, bars and angle brackets as they are, where one is percent-encoded.
fn decoded(value: &str) -> Option<String> {
    let mut decoded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('%') {
        let (before, escaped) = rest.split_at(at);
        decoded.push_str(before);
        let known = ENCODED.iter().find(|(code, _)| {
            escaped.as_bytes().get(..3).is_some_and(|bytes| bytes.eq_ignore_ascii_case(code.as_bytes()))
        });
        let (shown, length) = known.map_or(("%", 1), |(_, shown)| (*shown, 3));
        decoded.push_str(shown);
        rest = &escaped[length..];
    }
    decoded.push_str(rest);
    (decoded.len() < value.len()).then_some(decoded)
}

/// What stands between a character and the next `close` behind it, for each `open`.
fn between(value: &str, open: char, close: char) -> impl Iterator<Item = (usize, &str)> {
    value.match_indices(open).filter_map(move |(at, _)| {
        let inner = &value[at + 1..];
        Some((at, &inner[..inner.find([open, close]).filter(|end| inner[*end..].starts_with(close))?]))
    })
}

/// `[subscriber:name]`, `[link:url]`; not `[2001:db8::1]`, which is a host, nor `f[0]` of a query.
fn in_brackets(value: &str) -> bool {
    between(value, '[', ']').any(|(at, inner)| {
        let is_host = value[..at].ends_with("//");
        let is_named = inner.split_once(':').is_some_and(|(group, name)| is_name(group) && !name.is_empty());
        !is_host && is_named
    })
}

/// `%unsubscribe_url%`. What stands between two percent-encoded bytes is none: `%C3%A9`.
fn in_percents(value: &str) -> bool {
    between(value, '%', '%').any(|(at, name)| {
        let are_escapes = is_escape(&value[at..]) && is_escape(&value[at + 1 + name.len()..]);
        is_name(name) && !are_escapes
    })
}

/// `{product}`, `{0}`, `{$url}`; not `{"a":1}`, which is JSON, nor a GUID in braces, as some shops have them.
fn in_braces(value: &str) -> bool {
    between(value, '{', '}').any(|(_, inner)| {
        let is_guid = inner.len() == 36 && inner.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let is_json = inner.contains(['"', ',']);
        let begins = inner
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_$@#/!=".contains(&byte));
        begins && !is_json && !is_guid
    })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn is_escape(text: &str) -> bool {
    text.as_bytes().get(1..3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::has_placeholder;

    #[test]
    fn what_template_languages_leave_is_seen() {
        for value in [
            "{{ url }}",
            "https://brand.example/{{id}}",
            "https://brand.example/{% url %}",
            "<%= url %>",
            "*|UNSUB|*",
            "${url}",
            "https://brand.example/#{id}",
            "%%unsubscribe%%",
            "https://brand.example/?mail=###email###",
            "[[unsubscribe]]",
            "[link:url]",
            "https://brand.example/?u=[subscriber:first name | default:reader]",
            "%unsubscribe_url%",
            "%address%",
            "https://brand.example/?m=%email%&x=%20",
            "https://{product}.brand.example/",
            "https://brand.example/{0}",
            "{$url}",
            "https://brand.example/%7B%7Bid%7D%7D",
            "%7b%25 url %25%7d",
            "https://brand.example/?n=%7Bfirst_name%7D",
            "*%7CUNSUB%7C*",
            "%3C%= url %%3E",
        ] {
            assert!(has_placeholder(value), "{value}");
        }
    }

    #[test]
    fn urls_that_only_look_odd_are_urls() {
        for value in [
            "https://brand.example/search?f[0]=themes:2&f[1]=themes:17",
            "https://[2001:db8::1]/",
            "https://[2001:db8::a]:8443/x",
            "https://brand.example/%C3%A9t%C3%A9?q=%20a%20",
            "https://brand.example/%C3dress%20",
            "https://brand.example/?q=100%25%20off",
            "https://brand.example/?filter={\"a\":1}",
            "https://brand.example/?filter=%7B%22a%22%3A1%7D",
            "https://brand.example/?id={3F2504E0-4F89-11D3-9A0C-0305E82C3301}",
            "https://brand.example/a|b",
            "https://brand.example/#part",
            "https://brand.example/?points=%5B%5B1,2%5D%5D",
            "https://brand.example/{}",
        ] {
            assert!(!has_placeholder(value), "{value}");
        }
    }
}
