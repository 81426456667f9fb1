//! Where a request goes: its URL, taken apart as the edge needs it.

use super::url;

/// The parts of a request's URL. The runtime has normalised it; only the path's escapes are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Scheme and host with its port, such as `https://click.brand.example`.
    pub origin: &'a str,
    /// The host without its port.
    pub host: &'a str,
    /// From the first slash on, as it was sent.
    pub path: &'a str,
    /// Behind the question mark.
    pub query: &'a str,
}

impl<'a> Place<'a> {
    /// The place of an absolute URL.
    #[must_use]
    pub fn of(url: &'a str) -> Self {
        let (url, _fragment) = url.split_once('#').unwrap_or((url, ""));
        let (before, query) = url.split_once('?').unwrap_or((url, ""));
        // The first slash is the scheme's, with one more behind it.
        let start = before.find('/').map_or(0, |at| at + 2);
        let authority = before.get(start..).unwrap_or_default().split('/').next().unwrap_or_default();
        let (origin, path) = before.split_at_checked(start + authority.len()).unwrap_or((before, ""));
        let host = match authority.split_once(']') {
            Some((address, _port)) => authority.get(..=address.len()).unwrap_or(authority),
            None => authority.split(':').next().unwrap_or_default(),
        };
        Self { origin, host, path: if path.is_empty() { "/" } else { path }, query }
    }

    /// Whether browsers treat the origin as secure: https, or this machine.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_local() || self.origin.starts_with("https://")
    }

    /// Whether the host can only be the visitor's own machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        url::is_local(self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> [&str; 4] {
        let Place { origin, host, path, query } = Place::of(url);
        [origin, host, path, query]
    }

    #[test]
    fn a_url_is_taken_apart_and_its_escapes_are_left() {
        for (url, expected) in [
            ("https://c.example/c/x?a=b", ["https://c.example", "c.example", "/c/x", "a=b"]),
            ("https://c.example/", ["https://c.example", "c.example", "/", ""]),
            ("https://c.example", ["https://c.example", "c.example", "/", ""]),
            ("https://c.example?a", ["https://c.example", "c.example", "/", "a"]),
            ("http://C.Example:8080/A%2fb", ["http://C.Example:8080", "C.Example", "/A%2fb", ""]),
            ("http://[::1]:8787/x", ["http://[::1]:8787", "[::1]", "/x", ""]),
            ("http://[2001:db8::1]/", ["http://[2001:db8::1]", "[2001:db8::1]", "/", ""]),
            ("https://c.example//c/x", ["https://c.example", "c.example", "//c/x", ""]),
            ("https://c.example/a://b?c://d/e?f", ["https://c.example", "c.example", "/a://b", "c://d/e?f"]),
            ("https://c.example/a#b?c/d", ["https://c.example", "c.example", "/a", ""]),
            ("https://c.example/a?b#c?d", ["https://c.example", "c.example", "/a", "b"]),
            ("", ["", "", "/", ""]),
        ] {
            assert_eq!(parts(url), expected, "{url}");
        }
    }

    #[test]
    fn browsers_trust_https_and_this_machine() {
        for (url, is_secure, is_local) in [
            ("https://c.example/", true, false),
            ("http://c.example/", false, false),
            ("http://127.0.0.1:8787/", true, true),
            ("http://[::1]:8787/", true, true),
            ("http://LOCALHOST/", true, true),
            ("http://shop.localhost:80/", true, true),
            ("https://localhost.example/", true, false),
            ("http://localhost.example/", false, false),
            ("http://127.0.0.1.example/", false, false),
        ] {
            let place = Place::of(url);
            assert_eq!((place.is_secure(), place.is_local()), (is_secure, is_local), "{url}");
        }
    }
}
