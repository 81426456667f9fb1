//! Which request goes where.

use super::methods::Methods;
use super::problem::Problem;
use crate::config::Config;
use crate::link::place::Place;
use crate::record::Verb;

/// What answers a request. Where a token follows, it stands at the start of the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `/c/{token}`: the redirect.
    Click(&'a str),
    /// `/o/{token}`: the open pixel.
    Open(&'a str),
    /// `/u/{token}`: the page of a link that acts.
    Act(&'a str),
    /// `/verify`: what landing pages say.
    Verify,
    /// `/`, where an operator has put no page.
    Home,
    /// `/.well-known/security.txt`, likewise, and where the settings say who is told.
    Security,
    /// `/v1`: what senders ask. Its own routes and their methods are told to none but those who have a token.
    Api,
    /// `/report` and what stands behind it: pages of what messages' clicks come to.
    Report(&'a str),
    /// `/demo`, on this machine alone and only where the settings ask for it.
    Demo,
    /// `/healthz`.
    Health,
}

/// The route of a request.
///
/// # Errors
/// There is no such page, or it takes other methods.
pub(super) fn route<'a>(verb: Verb, place: &Place<'a>, config: &Config) -> Result<Route<'a>, Problem> {
    let (route, methods) = find(place.path).ok_or(Problem::NoSuchPage)?;
    let is_there = match route {
        Route::Api => is_api_host(place, config),
        Route::Report(_) => config.report && is_api_host(place, config),
        Route::Security => config.abuse_contact.is_some(),
        Route::Demo => config.demo && place.is_local(),
        _ => true,
    };
    match methods {
        _ if !is_there => Err(Problem::NoSuchPage),
        Some(methods) if !methods.take(verb) => Err(Problem::Method(methods)),
        _ => Ok(route),
    }
}

/// Whether a place is on the host that the API and the pages have to themselves, where the settings name one.
fn is_api_host(place: &Place, config: &Config) -> bool {
    config.api_host.as_deref().is_none_or(|host| place.host.eq_ignore_ascii_case(host))
}

/// What a path names, and the methods that it takes.
fn find(path: &str) -> Option<(Route<'_>, Option<Methods>)> {
    // Clicks come first: nothing waits for them, and nothing is asked more often.
    if let Some(tail) = path.strip_prefix("/c/") {
        return Some((Route::Click(tail), Some(Methods::Read)));
    }
    if let Some(tail) = path.strip_prefix("/o/") {
        return Some((Route::Open(tail), Some(Methods::Read)));
    }
    if let Some(tail) = path.strip_prefix("/u/") {
        return Some((Route::Act(tail), Some(Methods::ReadOrPost)));
    }
    let is_below =
        |top: &str| path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    Some(match path {
        "/verify" => (Route::Verify, Some(Methods::ReadOrPost)),
        "/" => (Route::Home, Some(Methods::Read)),
        "/.well-known/security.txt" => (Route::Security, Some(Methods::Read)),
        "/healthz" => (Route::Health, Some(Methods::Read)),
        _ if is_below("/v1") => (Route::Api, None),
        _ if is_below("/report") => {
            (Route::Report(path.strip_prefix("/report").unwrap_or_default()), Some(Methods::Read))
        }
        _ if is_below("/demo") => (Route::Demo, Some(Methods::Read)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    const HOST: &str = "https://click.example";

    fn config(settings: &[(&str, &str)]) -> Config {
        Config::read(
            settings.iter().map(|(name, value)| ((*name).to_owned(), Value::Text((*value).to_owned()))),
        )
    }

    /// The route in words, or the problem.
    fn at(verb: Verb, url: &str, config: &Config) -> String {
        match route(verb, &Place::of(url), config) {
            Ok(route) => format!("{route:?}"),
            Err(problem) => format!("{problem:?}"),
        }
    }

    #[test]
    fn every_path_has_its_route_and_nothing_else_has_one() {
        let config = config(&[]);
        for (path, expected) in [
            ("/c/token.", "Click(\"token.\")"),
            ("/c/", "Click(\"\")"),
            ("/c//x", "Click(\"/x\")"),
            ("/o/token.gif", "Open(\"token.gif\")"),
            ("/u/token", "Act(\"token\")"),
            ("/verify", "Verify"),
            ("/verify?r=x", "Verify"),
            ("/", "Home"),
            ("", "Home"),
            ("/healthz", "Health"),
            ("/v1", "Api"),
            ("/v1/", "Api"),
            ("/v1/messages/m", "Api"),
            ("/report", "Report(\"\")"),
            ("/report?after=x", "Report(\"\")"),
            ("/report/m.csv", "Report(\"/m.csv\")"),
        ] {
            assert_eq!(at(Verb::Get, &format!("{HOST}{path}"), &config), expected, "{path}");
        }
        for path in [
            "/c",
            "/C/x",
            "//c/x",
            "/u",
            "/verify/",
            "/verify.gif",
            "/verify.js",
            "/favicon.ico",
            "/healthz/",
            "/v10",
            "/v2",
            "/reports",
            "/demo",
            "/.well-known/security.txt",
            "/.well-known/assetlinks.json",
            "/security.txt",
        ] {
            for verb in [Verb::Get, Verb::Head, Verb::Post, Verb::Other] {
                assert_eq!(at(verb, &format!("{HOST}{path}"), &config), "NoSuchPage", "{path}");
            }
        }
    }

    #[test]
    fn another_method_is_refused_with_what_the_route_takes() {
        let config = config(&[]);
        for (path, posts) in [
            ("/c/x", false),
            ("/o/x", false),
            ("/u/x", true),
            ("/verify", true),
            ("/", false),
            ("/healthz", false),
        ] {
            let url = format!("{HOST}{path}");
            for verb in [Verb::Get, Verb::Head] {
                assert!(route(verb, &Place::of(&url), &config).is_ok(), "{path}");
            }
            let refused = if posts { "Method(ReadOrPost)" } else { "Method(Read)" };
            assert_eq!(at(Verb::Other, &url, &config), refused, "{path}");
            assert_eq!(at(Verb::Post, &url, &config) == refused, !posts, "{path}");
        }
        // Which methods a call takes is said behind the token.
        for verb in [Verb::Get, Verb::Post, Verb::Other] {
            assert_eq!(at(verb, &format!("{HOST}/v1/links"), &config), "Api");
        }
    }

    #[test]
    fn the_api_has_its_host_to_itself_where_the_settings_name_one() {
        let config = config(&[("API_HOST", "API.Brand.example")]);
        for (origin, expected) in [
            ("https://api.brand.example", "Api"),
            ("http://API.brand.example:8080", "Api"),
            ("https://click.brand.example", "NoSuchPage"),
            ("https://api.brand.example.evil.example", "NoSuchPage"),
        ] {
            for verb in [Verb::Get, Verb::Post, Verb::Other] {
                assert_eq!(at(verb, &format!("{origin}/v1/links"), &config), expected, "{origin}");
            }
            let report = if expected == "Api" { "Report(\"\")" } else { expected };
            assert_eq!(at(Verb::Get, &format!("{origin}/report"), &config), report, "{origin}");
            assert_eq!(at(Verb::Get, &format!("{origin}/healthz"), &config), "Health");
            assert_eq!(at(Verb::Get, &format!("{origin}/c/x"), &config), "Click(\"x\")");
        }
    }

    #[test]
    fn the_file_of_who_is_told_is_there_where_the_settings_say_who() {
        let config = config(&[("ABUSE_CONTACT", "abuse@brand.example")]);
        let url = format!("{HOST}/.well-known/security.txt");
        assert_eq!(at(Verb::Get, &url, &config), "Security");
        assert_eq!(at(Verb::Post, &url, &config), "Method(Read)");
    }

    #[test]
    fn the_pages_can_be_switched_off() {
        let config = config(&[("REPORT", "off")]);
        for path in ["/report", "/report/m"] {
            assert_eq!(at(Verb::Get, &format!("{HOST}{path}"), &config), "NoSuchPage");
        }
    }

    #[test]
    fn the_demo_is_there_on_this_machine_alone_and_only_if_it_is_asked_for() {
        for (demo, origin, expected) in [
            ("on", "http://127.0.0.1:8787", "Demo"),
            ("on", "http://shop.localhost", "Demo"),
            ("on", HOST, "NoSuchPage"),
            ("off", "http://127.0.0.1:8787", "NoSuchPage"),
        ] {
            let config = config(&[("DEMO", demo)]);
            for path in ["/demo", "/demo/", "/demo/landing?page=tea"] {
                assert_eq!(at(Verb::Get, &format!("{origin}{path}"), &config), expected, "{demo} {origin}");
            }
            assert_eq!(at(Verb::Get, &format!("{origin}/demos"), &config), "NoSuchPage");
            let posted = if expected == "Demo" { "Method(Read)" } else { expected };
            assert_eq!(at(Verb::Post, &format!("{origin}/demo"), &config), posted);
        }
    }
}
