//! What the value of an `href` is, and the URL that it leads to: byte for byte, and mended only where a redirect could not
//! take it. Browsers mend the same (URL Standard, "basic URL parser"): white space around it and line breaks in it do not
//! count, a space is `%20`, what is not ASCII is percent-encoded UTF-8 or, in a host, Punycode.

use std::borrow::Cow;
use std::fmt::Write;

use idna::AsciiDenyList;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::placeholder::has_placeholder;
use crate::link::url::{Target, TargetError};

/// The scheme of markers: where the mail wants a link of ours.
const MARKER: &str = "clickproof:";

/// What need not be encoded in the value of a parameter.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a value is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing, or white space.
    Empty,
    /// A place in the mail.
    Fragment,
    /// A template that was not rendered.
    Placeholder,
    /// It has no scheme.
    Relative,
    /// It has one, and leads to no web page.
    Scheme,
    /// A marker.
    Marker(Marker),
    /// A web page.
    Web(Target),
    /// A web page that no redirect may lead to.
    Refused(TargetError),
}

/// Where the mail wants a link of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    /// `clickproof:unsubscribe`.
    Unsubscribe,
    /// `clickproof:confirm`, and where the person goes then: `?to=…`.
    Confirm(Option<Target>),
    /// `clickproof:open`: the pixel.
    Open,
    /// No marker that there is.
    Unknown,
    /// A `?to=` that is no place to go.
    Refused(TargetError),
}

/// The value without what browsers do not count: control characters and spaces around it, tabs and line breaks in it.
pub(crate) fn tidy(value: &str) -> Cow<'_, str> {
    let value = value.trim_matches(|c: char| c <= ' ');
    if value.contains(['\t', '\n', '\r']) {
        return Cow::Owned(value.replace(['\t', '\n', '\r'], ""));
    }
    Cow::Borrowed(value)
}

/// What a tidied value is.
pub(crate) fn read(value: &str) -> Value {
    if value.is_empty() {
        return Value::Empty;
    }
    if has_placeholder(value) {
        return Value::Placeholder;
    }
    if value.starts_with('#') {
        return Value::Fragment;
    }
    let Some((scheme, rest)) = value.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return Value::Relative;
    };
    for known in ["https", "http"] {
        if scheme.eq_ignore_ascii_case(known) {
            return web(known, rest).map_or_else(Value::Refused, Value::Web);
        }
    }
    if value.len() >= MARKER.len() && scheme.eq_ignore_ascii_case(&MARKER[..MARKER.len() - 1]) {
        return Value::Marker(marker(rest));
    }
    Value::Scheme
}

/// Whether a value is a marker, seen by its scheme alone.
pub(crate) fn is_marker(value: &str) -> bool {
    value.as_bytes().get(..MARKER.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(MARKER.as_bytes()))
}

/// The value of a parameter as it stands in a query.
pub(crate) fn encode_value(value: &str) -> String {
    utf8_percent_encode(value, VALUE).to_string()
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn marker(rest: &str) -> Marker {
    let (name, query) = rest.split_once('?').map_or((rest, None), |(name, query)| (name, Some(query)));
    match (name, query) {
        ("unsubscribe", None) => Marker::Unsubscribe,
        ("open", None) => Marker::Open,
        ("confirm", None) => Marker::Confirm(None),
        ("confirm", Some(query)) => {
            query.strip_prefix("to=").map_or(Marker::Unknown, |to| match destination(to) {
                Ok(target) => Marker::Confirm(Some(target)),
                Err(error) => Marker::Refused(error),
            })
        }
        _ => Marker::Unknown,
    }
}

/// Where a confirmation leads: a URL as it is, or percent-encoded as a parameter's value is.
fn destination(to: &str) -> Result<Target, TargetError> {
    let decoded =
        if to.contains("://") { Cow::Borrowed(to) } else { percent_decode_str(to).decode_utf8_lossy() };
    match read(&tidy(&decoded)) {
        Value::Web(target) => Ok(target),
        Value::Refused(error) => Err(error),
        _ => Err(TargetError::Scheme),
    }
}

/// The URL of that scheme and what stands behind the colon.
fn web(scheme: &str, rest: &str) -> Result<Target, TargetError> {
    let after = rest.strip_prefix("//").ok_or(TargetError::Scheme)?;
    let (authority, tail) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    let mut url = String::with_capacity(scheme.len() + rest.len() + 1);
    url.push_str(scheme);
    url.push_str("://");
    if authority.is_ascii() {
        url.push_str(authority);
    } else {
        // A port is digits; any other colon is for the check of the host to refuse.
        let is_port = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
        let (host, port) = authority
            .rsplit_once(':')
            .filter(|(_, port)| is_port(port))
            .map_or((authority, None), |(host, port)| (host, Some(port)));
        if host.contains('@') {
            return Err(TargetError::UserInfo);
        }
        let host =
            idna::domain_to_ascii_cow(host.as_bytes(), AsciiDenyList::URL).map_err(|_| TargetError::Host)?;
        url.push_str(&host);
        if let Some(port) = port {
            url.push(':');
            url.push_str(port);
        }
    }
    for c in tail.chars() {
        match c {
            ' ' => url.push_str("%20"),
            c if c.is_ascii() => url.push(c),
            c => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a string cannot fail.
                    let _ = write!(url, "%{byte:02X}");
                }
            }
        }
    }
    Target::parse(&url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web_of(value: &str) -> String {
        match read(&tidy(value)) {
            Value::Web(target) => target.as_str().to_owned(),
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn what_a_redirect_can_take_stays_byte_for_byte() {
        for url in [
            "https://brand.example",
            "http://Brand.Example:8080/a/../b//c?x=%2f&y=[1]|{}^`\\'()*#a?b",
            "https://brand.example/%zz?%&&=",
        ] {
            assert_eq!(web_of(url), url);
        }
    }

    #[test]
    fn what_it_cannot_take_is_mended_as_browsers_mend_it() {
        for (value, url) in [
            (" \u{1}https://brand.example/a\t\r\nb c \n", "https://brand.example/ab%20c"),
            ("HTTPS://brand.example/A", "https://brand.example/A"),
            (
                "https://b\u{fc}cher.example:8443/\u{fc}?q=\u{20ac}#\u{fc}",
                "https://xn--bcher-kva.example:8443/%C3%BC?q=%E2%82%AC#%C3%BC",
            ),
            ("https://b\u{fc}cher.example?a", "https://xn--bcher-kva.example?a"),
        ] {
            assert_eq!(web_of(value), url);
        }
    }

    #[test]
    fn what_leads_to_no_page_is_called_by_its_name() {
        for (value, is) in [
            ("  ", Value::Empty),
            ("#", Value::Fragment),
            ("/a:b", Value::Relative),
            ("//brand.example/", Value::Relative),
            ("www.brand.example", Value::Relative),
            ("mailto:a@brand.example", Value::Scheme),
            ("javascript:void(0)", Value::Scheme),
            ("{{url}}", Value::Placeholder),
            ("https:brand.example", Value::Refused(TargetError::Scheme)),
            ("https://a@b\u{fc}cher.example/", Value::Refused(TargetError::UserInfo)),
            ("https://a@brand.example/", Value::Refused(TargetError::UserInfo)),
            ("https://a b.example/", Value::Refused(TargetError::NotPrintableAscii { at: 9 })),
            ("https://\u{fc} .example/", Value::Refused(TargetError::Host)),
            ("https://", Value::Refused(TargetError::Host)),
        ] {
            assert_eq!(read(&tidy(value)), is, "{value}");
        }
    }

    #[test]
    fn markers_are_read_with_their_destination() {
        let to = |url| Marker::Confirm(Some(Target::parse(url).unwrap()));
        for (value, marker) in [
            ("clickproof:unsubscribe", Marker::Unsubscribe),
            ("ClickProof:open", Marker::Open),
            ("clickproof:confirm", Marker::Confirm(None)),
            (
                "clickproof:confirm?to=https%3A%2F%2Fbrand.example%2F%3Fa%3D1%26b%3D%2520",
                to("https://brand.example/?a=1&b=%20"),
            ),
            (
                "clickproof:confirm?to=https://brand.example/?a=1&b=%20",
                to("https://brand.example/?a=1&b=%20"),
            ),
            ("clickproof:confirm?to=/thanks", Marker::Refused(TargetError::Scheme)),
            ("clickproof:confirm?url=x", Marker::Unknown),
            ("clickproof:stop", Marker::Unknown),
        ] {
            assert!(is_marker(value));
            assert_eq!(read(value), Value::Marker(marker), "{value}");
        }
        assert!(!is_marker("clickproo"));
    }
}
