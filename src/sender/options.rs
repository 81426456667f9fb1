//! What a sender may choose for all mails of a run.

use super::clean;
use crate::link::mint::Bases;

/// Where the open pixel goes in HTML that has no `<img src="clickproof:open">`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pixel {
    /// Before the last `</body>`, else at the end: nothing then stands before the words that inboxes show as a preview.
    #[default]
    Bottom,
    /// Behind the `<body>` tag, else as at the bottom: it is loaded even where a long mail is cut.
    Top,
    /// Nowhere.
    None,
}

/// The choices.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What links begin with: scheme and host of the click domain, without a final slash.
    pub base_url: String,
    /// What open pixels begin with, where they have a host of their own.
    pub pixel_url: Option<String>,
    /// Where the open pixel goes.
    pub pixel: Pixel,
    /// Tracks links whose text is a URL. Mail filters compare the host that is shown with the real one, so they are left
    /// otherwise.
    pub tracks_visible_urls: bool,
    /// Leaves the links of text bodies; markers are resolved all the same.
    pub leaves_text: bool,
    /// Hosts whose links are left: those that must open an app directly. In lower case, each for itself alone.
    pub leave_hosts: Vec<String>,
    /// Parameters that tracked URLs get where they lack them.
    pub utm: Vec<Parameter>,
    /// URLs of the mail's own `List-Unsubscribe`: links to them are left.
    pub unsubscribe_urls: Vec<String>,
}

impl Options {
    /// What minted links begin with.
    pub(crate) fn bases(&self) -> Bases<'_> {
        let links = self.base_url.as_str();
        Bases { links, pixels: self.pixel_url.as_deref().unwrap_or(links) }
    }
}

/// A parameter of a URL's query, in characters that stand in one as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    name: String,
    value: String,
}

impl Parameter {
    /// Reads `source=mail` or `utm_source=mail`; what may not stand in a query is percent-encoded in the value.
    ///
    /// # Errors
    /// What it must be.
    pub fn utm(text: &str) -> Result<Self, String> {
        let must_be = || "must be a name and a value, such as source=newsletter".to_owned();
        let (name, value) = text.split_once('=').ok_or_else(must_be)?;
        let name = name.strip_prefix("utm_").unwrap_or(name);
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name || value.is_empty() {
            return Err(must_be());
        }
        Ok(Self { name: format!("utm_{name}"), value: clean::encode_value(value) })
    }

    /// The URL with the parameter before its fragment; as it is where it has one of that name.
    pub(super) fn added_to(&self, url: &str) -> String {
        let (before, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let query = before.split_once('?').map(|(_, query)| query);
        let has = |pair: &str| pair.split('=').next() == Some(&self.name);
        if query.is_some_and(|query| query.split('&').any(has)) {
            return url.to_owned();
        }
        let sign = match query {
            None => "?",
            Some(query) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{before}{sign}{}={}{fragment}", self.name, self.value)
    }
}
