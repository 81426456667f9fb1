//! The words of one-click unsubscription (RFC 8058): what mails announce and mail providers answer with.

/// The form field of a one-click unsubscription (RFC 8058, §3.1).
pub const ONE_CLICK: &str = "List-Unsubscribe";

/// What must stand in it, to the letter.
pub const ONE_CLICK_VALUE: &str = "One-Click";

/// Whether a body asks for one-click in a form of its type that parsers refuse: with other boundaries than it names (as the
/// example of RFC 8058, §8.3, has before its errata), or with unquoted names. A provider's user is waiting behind it.
#[must_use]
pub fn is_one_click(content_type: &str, body: &[u8]) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(kind.as_str(), "multipart/form-data" | "application/x-www-form-urlencoded") {
        return false;
    }
    let Ok(text) = std::str::from_utf8(body) else { return false };
    if text.trim().split_once('=') == Some((ONE_CLICK, ONE_CLICK_VALUE)) {
        return true;
    }
    // A part's headers, an empty line, the value.
    let mut lines = text.lines().map(str::trim);
    let names_it = |line: &str| {
        line.split(';').any(|word| {
            word.trim().strip_prefix("name=").map(|name| name.trim_matches('"')) == Some(ONE_CLICK)
        })
    };
    lines.any(names_it) && lines.any(str::is_empty) && lines.next() == Some(ONE_CLICK_VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_click_is_understood_as_providers_may_write_it() {
        let part = |name: &str, value: &str| {
            format!("---b\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n---b--\r\n")
        };
        for good in [
            "List-Unsubscribe=One-Click".to_owned(),
            "List-Unsubscribe=One-Click\r\n".to_owned(),
            part("name=\"List-Unsubscribe\"", "One-Click"),
            part("name=List-Unsubscribe", "One-Click"),
        ] {
            assert!(is_one_click("Multipart/Form-Data; boundary=c", good.as_bytes()), "{good}");
            assert!(!is_one_click("text/plain", good.as_bytes()), "{good}");
        }
        for bad in [
            String::new(),
            "List-Unsubscribe=One-Click&x=y".to_owned(),
            "list-unsubscribe=one-click".to_owned(),
            "stamp=List-Unsubscribe=One-Click".to_owned(),
            part("name=\"stamp\"", "One-Click"),
            part("name=\"List-Unsubscribe\"", "Two-Clicks"),
            "name=\"List-Unsubscribe\"\r\nOne-Click".to_owned(),
        ] {
            assert!(!is_one_click("application/x-www-form-urlencoded", bad.as_bytes()), "{bad}");
        }
        assert!(!is_one_click("multipart/form-data", &[0xff]));
    }
}
