//! What stands around every page of the report: its head with the one style, its foot, and the policy that lets that style
//! through.

use super::html::Html;

/// The style of all pages.
pub(super) const STYLE: &str = include_str!("style.css");

/// The Content-Security-Policy of the report's pages: their own style, known by its hash, and nothing else.
pub const POLICY: &str = "default-src 'none'; style-src 'sha256-HASH'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// A page's begin, up to its heading: `title` is text.
pub(super) fn begin(title: &str) -> Html {
    let mut html = Html(String::with_capacity(48 * 1_024));
    html.raw(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
    );
    html.text(title)
        .raw(" – Clickproof</title>\n<style>")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n<header>\n");
    html
}

/// A page's end.
pub(super) fn end(mut html: Html) -> String {
    html.raw("</main>\n</body>\n</html>\n");
    html.0
}
