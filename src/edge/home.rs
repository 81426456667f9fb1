//! `/`: what the host is, for whoever cuts a link down to it. An operator's own page, in `static/site/`, comes before it.

use super::answer::{Answer, NO_STORE};
use crate::config::Config;

/// The page.
const PAGE: &str = include_str!("../../static/home.html");

/// What it may load and do: nothing.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Leads to the operator's home page, or says what this is.
pub(super) fn answer(config: &Config) -> Answer {
    match &config.home_url {
        None => Answer::page(200, PAGE.into(), POLICY.into()),
        Some(url) => {
            let headers = vec![("location", url.clone().into()), ("cache-control", NO_STORE.into())];
            Answer { status: 302, headers, body: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    #[test]
    fn it_is_a_page_that_loads_nothing_or_leads_home() {
        let page = answer(&Config::read([]));
        assert_eq!((page.status, page.header("content-security-policy")), (200, Some(POLICY)));
        assert!(page.body.unwrap().starts_with(b"<!doctype html>"));
        let home = Value::Text("https://brand.example/".to_owned());
        let away = answer(&Config::read([("HOME_URL".to_owned(), home)]));
        assert_eq!((away.status, away.header("location")), (302, Some("https://brand.example/")));
        assert_eq!(away.header("cache-control"), Some("no-store, private"));
    }
}
