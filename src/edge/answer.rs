//! Answers as data: status, headers and body. [`super::respond`] gives them to the runtime.

use std::borrow::Cow;

use serde::Serialize;

pub(super) const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
pub(super) const JSON: &str = "application/json";

/// What nobody but the visitor may keep.
pub(super) const NO_STORE: &str = "no-store, private";

/// Pages and mails of any site show it or send to it.
const ANY_SITE: Header = ("cross-origin-resource-policy", Cow::Borrowed("cross-origin"));

/// The transparent image of one pixel: a GIF of 43 bytes.
const GIF: &[u8; 43] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// A header's name, in lower case, and its value.
pub(super) type Header = (&'static str, Cow<'static, str>);

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<Header>,
    /// Nothing where there is nothing to say, which is not the same as an empty text.
    pub(super) body: Option<Cow<'static, [u8]>>,
}

impl Answer {
    /// A text of some type.
    pub(super) fn text(status: u16, content_type: &'static str, body: Cow<'static, str>) -> Self {
        let body = match body {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self::bytes(status, content_type, body)
    }

    fn bytes(status: u16, content_type: &'static str, body: Cow<'static, [u8]>) -> Self {
        let headers = vec![
            ("content-type", Cow::Borrowed(content_type)),
            ("cache-control", Cow::Borrowed(NO_STORE)),
            ("x-content-type-options", Cow::Borrowed("nosniff")),
        ];
        Self { status, headers, body: Some(body) }
    }

    /// Whatever serialises, as JSON.
    pub(super) fn json(status: u16, value: &impl Serialize) -> Self {
        // Structs of strings, numbers and lists always do.
        Self::text(status, JSON, serde_json::to_string(value).unwrap_or_default().into())
    }

    /// The open pixel.
    pub(super) fn pixel() -> Self {
        Self::bytes(200, "image/gif", Cow::Borrowed(GIF)).with(ANY_SITE)
    }

    /// Nothing to say, to a page of any site.
    pub(super) fn nothing() -> Self {
        let headers = vec![("cache-control", Cow::Borrowed(NO_STORE)), ANY_SITE];
        Self { status: 204, headers, body: None }
    }

    /// The same with a header, in place of one of that name: the last one counts.
    pub(super) fn with(mut self, header: Header) -> Self {
        self.headers.push(header);
        self
    }

    /// A header's value.
    #[cfg(test)]
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rfind(|(known, _)| *known == name).map(|(_, value)| &**value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_or_guessed_at() {
        for answer in [Answer::text(200, PLAIN_TEXT, "x".into()), Answer::json(202, &7), Answer::pixel()] {
            assert_eq!(answer.header("cache-control"), Some("no-store, private"), "{answer:?}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
            assert!(answer.header("content-type").is_some() && answer.body.is_some(), "{answer:?}");
        }
        let nothing = Answer::nothing();
        assert_eq!((nothing.status, nothing.body.as_ref()), (204, None));
        assert_eq!(nothing.header("cache-control"), Some("no-store, private"));
    }

    #[test]
    fn pages_of_any_site_may_show_the_pixel_and_send_the_beacon() {
        for answer in [Answer::pixel(), Answer::nothing()] {
            assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"), "{answer:?}");
        }
        let text = Answer::text(200, PLAIN_TEXT, "x".into());
        assert_eq!(text.header("cross-origin-resource-policy"), None);
    }

    #[test]
    fn of_two_headers_of_one_name_the_last_counts() {
        let answer = Answer::pixel().with(("content-type", "image/png".into()));
        assert_eq!(answer.header("content-type"), Some("image/png"));
    }

    #[test]
    fn the_pixel_is_a_gif_of_one_transparent_pixel() {
        let pixel = Answer::pixel();
        let body = pixel.body.unwrap();
        assert_eq!(body.len(), 43);
        assert!(body.starts_with(b"GIF89a\x01\0\x01\0") && body.ends_with(b";"));
        assert_eq!(pixel.headers[0].1, "image/gif");
    }
}
