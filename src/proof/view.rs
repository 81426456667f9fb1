//! Which click a landing page's view belongs to, and what it shows of whoever clicked.
//!
//! A reference in the query decides alone: whoever brings a bad one gets nothing by the cookie either. Without one the
//! cookie says which clicks this browser made.

use super::cookie::Visitor;
use super::reference::{self, Reference};
use crate::link::keys::Keyring;
use crate::link::{envelope, url};
use crate::record::{Verb, Verified};
use crate::signals::headers;

/// The longest time between a page's load and a touch, milliseconds: a reference is worth no more.
const MAX_SINCE_LOAD_MS: i64 = reference::MAX_AGE_MS;

/// A request to `/verify`, as far as it says whose page view it is.
#[derive(Clone, Debug, Default)]
pub struct View<'a> {
    /// GET: the page was shown. POST: somebody touched it.
    pub verb: Verb,
    /// The URL's query.
    pub query: &'a str,
    /// The visitor asks not to be tracked: nothing is read then.
    pub refuses_tracking: bool,
    /// `Sec-Purpose` or what older browsers send for it: a page that is fetched ahead is not seen yet.
    pub purpose: Option<&'a str>,
    /// The `Cookie` header, where it may be read.
    pub cookies: Option<&'a str>,
    /// The page is another site's, as `Sec-Fetch-Site` says.
    pub is_foreign: bool,
    /// The page's URL or origin: `Referer`, else `Origin`.
    pub page: [Option<&'a str>; 2],
}

/// The click that a view proves something of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The click, and the object that keeps it.
    pub click: Reference,
    /// What is proven.
    pub verified: Verified,
    /// By what: `reference` or `cookie`.
    pub by: &'static str,
}

/// Why a view proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCredit {
    /// Only headers were asked for.
    HeadersOnly,
    /// Under Global Privacy Control nothing is read.
    Private,
    /// The page is fetched ahead.
    Prefetch,
    /// There are no `LINK_KEYS`.
    NoKeys,
    /// There is a reference, and it is not good.
    Reference(envelope::Refusal),
    /// Neither a reference nor a cookie with a click of the last day.
    NoClick,
}

impl NoCredit {
    /// The name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeadersOnly => "head",
            Self::Private => "gpc",
            Self::Prefetch => "prefetch",
            Self::NoKeys => "no_keys",
            Self::Reference(refusal) => refusal.name(),
            Self::NoClick => "no_click",
        }
    }
}

impl View<'_> {
    /// The click that the view proves something of, at a time, Unix milliseconds.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn credit(&self, keys: Option<&Keyring>, now_ms: i64) -> Result<Credit, NoCredit> {
        let verified = match self.verb {
            Verb::Get => Verified::Rendered,
            Verb::Post => Verified::Interacted,
            Verb::Head | Verb::Put | Verb::Delete | Verb::Other => return Err(NoCredit::HeadersOnly),
        };
        if self.refuses_tracking {
            return Err(NoCredit::Private);
        }
        if self.purpose.is_some_and(headers::is_prefetch) {
            return Err(NoCredit::Prefetch);
        }
        let keys = keys.ok_or(NoCredit::NoKeys)?;
        if let Some(text) = self.query.split('&').find_map(|parameter| parameter.strip_prefix("r=")) {
            let click = Reference::open(text, keys, now_ms).map_err(NoCredit::Reference)?;
            return Ok(Credit { click, verified, by: "reference" });
        }
        let host = self.page.iter().flatten().find_map(|page| url::host(page));
        let visitor = self.cookies.and_then(|cookies| Visitor::open(cookies, keys));
        let click =
            visitor.as_ref().and_then(|visitor| visitor.credited(host.as_deref(), self.is_foreign, now_ms));
        let click = click.ok_or(NoCredit::NoClick)?;
        let click = Reference { event_id: click.event_id, object: click.object.clone() };
        Ok(Credit { click, verified, by: "cookie" })
    }
}

/// The time between load and touch that a beacon's body says, milliseconds: whole, and at most a day.
#[must_use]
pub fn since_load_ms(body: &[u8]) -> Option<i64> {
    let digits =
        std::str::from_utf8(body).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().filter(|ms| *ms <= MAX_SINCE_LOAD_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::cookie::{self, ClickRef};
    use crate::record::EventId;

    const NOW: i64 = 1_795_348_800_000;

    fn keys() -> Keyring {
        Keyring::parse(&format!("k1:{}", "A".repeat(43))).0.unwrap()
    }

    fn referred() -> String {
        Reference { event_id: EventId::first_of(NOW), object: "by-reference".to_owned() }.seal(&keys())
    }

    /// Two clicks, to a.example and then to b.example.
    fn cookies() -> String {
        let mut visitor = Visitor::new([7; 16]);
        for host in ["a.example", "b.example"] {
            visitor.clicked(ClickRef::new(EventId::first_of(NOW), host, host.to_owned()));
        }
        format!("{}={}", cookie::NAME, visitor.seal(&keys()))
    }

    #[test]
    fn the_reference_decides_and_else_the_cookie_by_the_pages_host() {
        let (good, cookies) = (referred(), cookies());
        let (one, behind) = (format!("r={good}"), format!("v=1&r={good}&x"));
        let base = View { verb: Verb::Get, cookies: Some(&cookies), ..View::default() };
        let page = |referer, origin| View { page: [referer, origin], ..base.clone() };
        for (words, view, object) in [
            ("a reference", View { query: &one, ..base.clone() }, "by-reference"),
            (
                "among others, without a cookie",
                View { query: &behind, cookies: None, ..base.clone() },
                "by-reference",
            ),
            ("no page named: the newest", base.clone(), "b.example"),
            ("another parameter", View { query: "v=1&xr=2", ..base.clone() }, "b.example"),
            ("by the referer", page(Some("https://a.example/"), None), "a.example"),
            ("whatever case and port", page(Some("https://A.Example:8443/x?y"), None), "a.example"),
            ("by the origin", page(None, Some("https://a.example")), "a.example"),
            (
                "the referer goes first",
                page(Some("https://b.example/"), Some("https://a.example")),
                "b.example",
            ),
            ("a hidden origin", page(None, Some("null")), "b.example"),
            ("a page of nobody's", page(Some("https://c.example/"), None), "b.example"),
        ] {
            let credit = view.credit(Some(&keys()), NOW).unwrap();
            assert_eq!(
                (credit.click.object.as_str(), credit.verified),
                (object, Verified::Rendered),
                "{words}"
            );
            assert_eq!(credit.by, if object == "by-reference" { "reference" } else { "cookie" }, "{words}");
            let touched = View { verb: Verb::Post, ..view }.credit(Some(&keys()), NOW).unwrap();
            assert_eq!(touched, Credit { verified: Verified::Interacted, ..credit }, "{words}");
        }
    }

    #[test]
    fn what_proves_nothing_says_why() {
        let (good, cookies) = (referred(), cookies());
        let query = format!("r={good}");
        let forged = format!("r={}A", &good[..good.len() - 1]);
        let base = View { verb: Verb::Post, query: &query, cookies: Some(&cookies), ..View::default() };
        let without = View { query: "", ..base.clone() };
        for (view, now_ms, reason) in [
            (View { verb: Verb::Head, ..base.clone() }, NOW, "head"),
            (View { refuses_tracking: true, ..base.clone() }, NOW, "gpc"),
            (View { purpose: Some("prefetch;prerender"), ..base.clone() }, NOW, "prefetch"),
            (View { query: &forged, ..base.clone() }, NOW, "forged"),
            (View { query: "r=", ..base.clone() }, NOW, "malformed"),
            (base.clone(), NOW + reference::MAX_AGE_MS + 1, "expired"),
            (without.clone(), NOW + reference::MAX_AGE_MS + 1, "no_click"),
            (View { cookies: Some("a=b"), ..without.clone() }, NOW, "no_click"),
            (View { cookies: None, ..without.clone() }, NOW, "no_click"),
            (View { is_foreign: true, ..without.clone() }, NOW, "no_click"),
            (View { is_foreign: true, page: [Some("https://c.example/"), None], ..without }, NOW, "no_click"),
        ] {
            assert_eq!(view.credit(Some(&keys()), now_ms).unwrap_err().name(), reason, "{view:?}");
        }
        assert_eq!(base.credit(None, NOW).unwrap_err().name(), "no_keys");
        let other = View { purpose: Some("other"), ..base };
        assert!(other.credit(Some(&keys()), NOW).is_ok(), "only a prefetch is none");
    }

    #[test]
    fn the_time_since_load_is_digits_up_to_a_day() {
        for (body, expected) in
            [("0", Some(0)), ("1234", Some(1_234)), ("007", Some(7)), ("86400000", Some(86_400_000))]
        {
            assert_eq!(since_load_ms(body.as_bytes()), expected, "{body}");
        }
        for bad in ["", "86400001", "-1", "+1", "1.5", "1e3", " 1", "1\n", "NaN", "99999999999999999999", "é"]
        {
            assert_eq!(since_load_ms(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(since_load_ms(&[0xff]), None);
    }
}
