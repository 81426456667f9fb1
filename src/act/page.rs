//! The page of a link that acts: one heading, one sentence, one button. It loads nothing, runs nothing, and reads the
//! same without its style.

use std::fmt::Write;

use super::STAMP;
use super::languages::Language;
use crate::record::Kind;

/// The button's colour where the brand has none.
const COLOR: [u8; 3] = [0x1f, 0x4f, 0xa3];

/// Light and dark come from the visitor's own settings, so only the button has colours of ours. Its border has the
/// colour of its text: a pale button stands out from a white page, a dark one from a black page.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;font:1.125rem/1.5 system-ui,sans-serif}\
main{box-sizing:border-box;max-width:34rem;margin:0 auto;padding:12vh 1.5rem 3rem;overflow-wrap:anywhere}\
h1{font-size:1.75rem;line-height:1.25;margin:0 0 1rem}\
p{margin:0 0 1.5rem}\
.brand{font-weight:600}\
button,.button{box-sizing:border-box;display:inline-block;min-height:3rem;padding:.6rem 1.5rem;font:inherit;font-weight:600;\
text-decoration:none;border:2px solid;border-radius:.5rem;cursor:pointer}\
button:focus-visible,a:focus-visible{outline:3px solid CanvasText;outline-offset:3px}\
@media(max-width:30rem){main{padding-top:4rem}button,.button{width:100%;text-align:center}}";

/// The sender, as the settings name it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Brand<'a> {
    /// `BRAND_NAME`.
    pub name: Option<&'a str>,
    /// `BRAND_COLOR`: red, green, blue.
    pub color: Option<[u8; 3]>,
}

/// What the page has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Press the button.
    Ask,
    /// It is done; with where to go on, for a confirmation that leads somewhere.
    Done,
    /// The button was pressed too soon or too late.
    Again,
    /// It could not be stored.
    Unavailable,
}

/// One page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// What it says.
    pub state: State,
    /// What the link does: to unsubscribe, or else to confirm.
    pub kind: Kind,
    /// Where the form is sent: the link's own path.
    pub action: &'a str,
    /// The stamp that the form brings along.
    pub stamp: &'a str,
    /// Where a confirmation leads.
    pub url: Option<&'a str>,
    /// In which words.
    pub language: &'a Language,
    /// Whose page it is.
    pub brand: Brand<'a>,
    /// What lets its style through [`policy`]: base64, new for each page.
    pub nonce: &'a str,
}

/// The Content-Security-Policy of a page: its own style and its own form, nothing else.
#[must_use]
pub fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
}

impl Page<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn html(&self) -> String {
        let Self { state, language, brand, .. } = self;
        let words = if self.kind == Kind::Unsubscribe { &language.unsubscribe } else { &language.confirm };
        let (heading, text) = match state {
            State::Ask => (words.ask, words.ask_text),
            State::Done => (words.done, words.done_text),
            State::Again => (language.again, language.again_text),
            State::Unavailable => (language.unavailable, language.unavailable_text),
        };
        let back = brand.color.unwrap_or(COLOR);
        let front = if wants_black(back) { "#000" } else { "#fff" };
        let [red, green, blue] = back;

        let mut html = String::with_capacity(2_560);
        // Writing to a string never fails.
        let _ = write!(
            html,
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{heading}",
            language.tag,
        );
        if let Some(name) = brand.name {
            html.push_str(" – ");
            escape(name, &mut html);
        }
        let _ = write!(
            html,
            "</title>\n<style nonce=\"{}\">{STYLE}button,.button{{color:{front};background:#{red:02x}{green:02x}{blue:02x}}}\
             </style>\n</head>\n<body>\n<main>\n",
            self.nonce,
        );
        if let Some(name) = brand.name {
            html.push_str("<p class=\"brand\">");
            escape(name, &mut html);
            html.push_str("</p>\n");
        }
        let _ = write!(html, "<h1>{heading}</h1>\n<p>{text}</p>\n");
        if *state == State::Done {
            if let Some(url) = self.url {
                html.push_str("<p><a class=\"button\" href=\"");
                escape(url, &mut html);
                let _ = writeln!(html, "\">{}</a></p>", language.go_on);
            }
        } else {
            html.push_str("<form method=\"post\" action=\"");
            escape(self.action, &mut html);
            let _ = write!(html, "\">\n<input type=\"hidden\" name=\"{STAMP}\" value=\"");
            escape(self.stamp, &mut html);
            let _ = write!(html, "\">\n<button type=\"submit\">{}</button>\n</form>\n", words.button);
        }
        html.push_str("</main>\n</body>\n</html>\n");
        html
    }
}

/// Whether the text on a colour is black: white has less than the 4.5 : 1 that WCAG 2.2 asks for. Black has more then,
/// because the two ratios multiply to 21.
fn wants_black(color: [u8; 3]) -> bool {
    1.05 / (luminance(color) + 0.05) < 4.5
}

/// WCAG 2.2's relative luminance, 0 to 1.
fn luminance(color: [u8; 3]) -> f64 {
    let [red, green, blue] = color.map(|channel| {
        let channel = f64::from(channel) / 255.0;
        if channel <= 0.040_45 {
            channel / 12.92
        } else {
            let base = (channel + 0.055) / 1.055;
            // To the power of 2.4.
            base * base * fifth_root(base * base)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// By Newton's method, for numbers from 0.005 to 1: the standard library's power is 2 kB of wasm.
fn fifth_root(number: f64) -> f64 {
    (0..24).fold(1.0, |root: f64, _| root - (root - number / root.powi(4)) / 5.0)
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
    use super::super::languages::{LANGUAGES, negotiate};
    use super::*;

    fn page(state: State, kind: Kind) -> Page<'static> {
        Page {
            state,
            kind,
            action: "/u/AQJrMQ",
            stamp: "AWsx",
            url: None,
            language: negotiate(None),
            brand: Brand::default(),
            nonce: "bm9uY2U=",
        }
    }

    fn count(html: &str, what: &str) -> usize {
        html.matches(what).count()
    }

    #[test]
    fn every_page_is_whole_and_has_one_of_each() {
        for language in &LANGUAGES {
            for kind in [Kind::Unsubscribe, Kind::Confirm] {
                for state in [State::Ask, State::Done, State::Again, State::Unavailable] {
                    let html = Page { language, ..page(state, kind) }.html();
                    for one in ["<h1>", "</h1>", "<main>", "</main>", "<title>", "<style nonce=\"bm9uY2U=\">"]
                    {
                        assert_eq!(count(&html, one), 1, "{one} {html}");
                    }
                    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
                    assert!(html.contains(&format!("<html lang=\"{}\">", language.tag)));
                    let asks = usize::from(state != State::Done);
                    for once in [
                        "<form method=\"post\" action=\"/u/AQJrMQ\">",
                        "<button ",
                        "<input type=\"hidden\" name=\"stamp\" value=\"AWsx\">",
                    ] {
                        assert_eq!(count(&html, once), asks, "{once} {html}");
                    }
                    assert_eq!(count(&html, "<script"), 0);
                    assert_eq!(count(&html, "http"), 0, "it leads and loads nowhere");
                    assert_eq!(count(&html, " style="), 0, "the policy would drop it");
                }
            }
        }
    }

    #[test]
    fn it_says_what_it_is_about() {
        for (kind, state, words) in [
            (Kind::Unsubscribe, State::Ask, "<h1>Abmelden?</h1>"),
            (Kind::Unsubscribe, State::Done, "<h1>Sie sind abgemeldet</h1>"),
            (Kind::Confirm, State::Ask, "<h1>Bitte bestätigen</h1>"),
            (Kind::Confirm, State::Done, "<h1>Vielen Dank</h1>"),
            (Kind::Confirm, State::Again, "<h1>Bitte noch einmal drücken</h1>"),
            (Kind::Confirm, State::Unavailable, "in einer Minute"),
        ] {
            let html = Page { language: negotiate(Some("de-CH")), ..page(state, kind) }.html();
            assert!(html.contains(words), "{html}");
        }
    }

    #[test]
    fn names_and_addresses_are_only_ever_text() {
        let nasty = "\"><script>alert('x')</script>&amp;";
        let html = Page {
            brand: Brand { name: Some(nasty), color: None },
            url: Some("https://brand.example/?a=b&c=\"'<x>"),
            action: "/u/\"><x>",
            ..page(State::Done, Kind::Confirm)
        }
        .html();
        let text = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;";
        assert!(html.contains(&format!("<title>Thank you – {text}</title>")), "{html}");
        assert!(html.contains(&format!("<p class=\"brand\">{text}</p>")), "{html}");
        assert!(
            html.contains("href=\"https://brand.example/?a=b&amp;c=&quot;&#39;&lt;x&gt;\">Continue</a>"),
            "{html}"
        );
        let asked = Page { action: "/u/\"><x>", stamp: "\"><x>", ..page(State::Ask, Kind::Confirm) }.html();
        assert_eq!(count(&asked, "<x>"), 0, "{asked}");
    }

    #[test]
    fn only_a_confirmation_that_is_done_leads_on() {
        for state in [State::Ask, State::Again, State::Unavailable] {
            let html = Page { url: Some("https://brand.example/"), ..page(state, Kind::Confirm) }.html();
            assert_eq!(count(&html, "<a "), 0, "{html}");
        }
        assert_eq!(count(&page(State::Done, Kind::Confirm).html(), "<a "), 0);
    }

    #[test]
    fn the_buttons_text_is_readable_on_every_colour() {
        let precise = |color: [u8; 3]| {
            let [red, green, blue] = color.map(|channel| {
                let channel = f64::from(channel) / 255.0;
                if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let contrast = |a: f64, b: f64| (a.max(b) + 0.05) / (a.min(b) + 0.05);
        let channel = || (0..=255).step_by(15);
        for (red, green, blue) in
            channel().flat_map(|r| channel().flat_map(move |g| channel().map(move |b| (r, g, b))))
        {
            let color = [red, green, blue];
            let text = if wants_black(color) { 0.0 } else { 1.0 };
            assert!(contrast(precise(color), text) >= 4.5, "{color:?}");
            assert!((luminance(color) - precise(color)).abs() < 1e-9, "{color:?}");
        }
        for (color, text) in [
            (None, "color:#fff;background:#1f4fa3"),
            (Some([0xff, 0xff, 0xff]), "color:#000;background:#ffffff"),
            (Some([0, 0, 0]), "color:#fff;background:#000000"),
            (Some([0xff, 0xd4, 0x00]), "color:#000;background:#ffd400"),
            (Some([0x0a, 0x0b, 0x0c]), "color:#fff;background:#0a0b0c"),
        ] {
            let html = Page { brand: Brand { name: None, color }, ..page(State::Ask, Kind::Confirm) }.html();
            assert!(html.contains(text), "{html}");
        }
    }

    #[test]
    fn the_policy_lets_its_own_style_and_form_through_and_nothing_else() {
        assert_eq!(
            policy("bm9uY2U="),
            "default-src 'none'; style-src 'nonce-bm9uY2U='; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'"
        );
    }
}
