//! What the pages that visitors of links may see are made of: the root, links that act, and that there is no such link.
//! `pages/visitor.mjs` and `pages/act.mjs` make them of it, in the visitor's language.

use serde::Serialize;

use super::request::{Header, Incoming};
use crate::event::line;
use crate::record::Kind;

/// What the page of a link that acts says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Press the button.
    Ask,
    /// It is done; with where to go on, for a confirmation that leads somewhere, or with the button that takes it back.
    Done,
    /// It is taken back.
    Undone,
    /// The button was pressed too soon or too late.
    Again,
    /// It could not be stored.
    Unavailable,
}

/// What that page is made of beside what every page is.
#[derive(Serialize)]
pub(super) struct Act<'a> {
    pub(super) state: State,
    /// What the link does.
    pub(super) kind: Kind,
    /// Where the form is sent: the link's own path.
    pub(super) action: &'a str,
    /// The form's one field, and the stamp in it; there is no form without.
    pub(super) field: Option<&'static str>,
    pub(super) stamp: &'a str,
    /// Where a confirmation leads.
    pub(super) url: Option<&'a str>,
}

/// What a page is made of, in JSON.
pub(super) fn facts(incoming: &Incoming, act: Option<&Act>) -> String {
    #[derive(Serialize)]
    struct Facts<'a> {
        accept_language: Option<&'a str>,
        brand: Option<&'a str>,
        color: Option<[u8; 3]>,
        home: Option<&'a str>,
        contact: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        act: Option<&'a Act<'a>>,
    }
    let config = incoming.config;
    line::json(&Facts {
        accept_language: incoming.header(Header::AcceptLanguage),
        brand: config.brand_name.as_deref(),
        color: config.brand_color,
        home: config.home_url.as_deref(),
        contact: config.abuse_contact.as_deref(),
        act,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::{self, Config};

    #[test]
    fn a_page_is_made_of_the_settings_and_of_what_its_visitor_reads() {
        let settings = [
            ("BRAND_NAME", "Käse & \"Co\""),
            ("BRAND_COLOR", "#ffd400"),
            ("HOME_URL", "https://brand.example/"),
            ("ABUSE_CONTACT", "abuse@brand.example"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), config::Value::Text(value.to_owned())));
        let config = Config::read(settings);
        let shown = format!("GET\nhttps://click.example/u/x\n{}", "\n\n\n\nde-AT");
        let incoming = Incoming::of(&shown, &config);
        let act = Act {
            state: State::Unavailable,
            kind: Kind::Confirm,
            action: "/u/x",
            field: Some("stamp"),
            stamp: "AWsx",
            url: None,
        };
        let read = |json: String| serde_json::from_str::<Value>(&json).unwrap();
        let mut expected = json!({
            "accept_language": "de-AT",
            "brand": "Käse & \"Co\"",
            "color": [255, 212, 0],
            "home": "https://brand.example/",
            "contact": "mailto:abuse@brand.example",
        });
        assert_eq!(read(facts(&incoming, None)), expected);
        expected["act"] = json!({
            "state": "unavailable",
            "kind": "confirm",
            "action": "/u/x",
            "field": "stamp",
            "stamp": "AWsx",
            "url": null,
        });
        assert_eq!(read(facts(&incoming, Some(&act))), expected);
    }
}
