//! Whether a link is tracked.

use super::clean::{self, Marker, Value};
use super::left::Reason;
use super::options::Options;
use crate::link::token;
use crate::link::url::{Target, host};

/// What an unsubscribe link's URL holds, whoever made it.
const UNSUBSCRIBE: &str = "unsubscribe";

/// What is said of a link beside its URL.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signs {
    /// It asks not to be tracked.
    pub(crate) opts_out: bool,
    /// It asks to be tracked, although it looks as if it should not.
    pub(crate) opts_in: bool,
    /// Its text is a URL on another host than the click domain's.
    pub(crate) shows_url: bool,
}

/// What becomes of a link.
#[derive(Debug)]
pub(crate) enum Decision {
    /// It is tracked.
    Track {
        /// Where it leads.
        target: Target,
        /// The same before parameters were added: what the other body may have, too.
        plain: String,
    },
    /// It becomes a link of ours.
    Marker(Marker),
    /// It stays.
    Leave {
        /// Why.
        reason: Reason,
        /// Where it leads, if to a web page.
        plain: Option<String>,
    },
}

/// Decides of a tidied value.
pub(crate) fn decide(value: &str, signs: Signs, options: &Options) -> Decision {
    let leave = |reason| Decision::Leave { reason, plain: None };
    let target = match clean::read(value) {
        Value::Empty => return leave(Reason::Empty),
        Value::Fragment => return leave(Reason::Fragment),
        Value::Placeholder => return leave(Reason::Placeholder),
        Value::Relative => return leave(Reason::Relative),
        Value::Scheme => return leave(Reason::Scheme),
        Value::Marker(Marker::Refused(error)) => return leave(Reason::Refused(error.to_string())),
        Value::Marker(marker) => return Decision::Marker(marker),
        Value::Refused(_) if signs.opts_out => return leave(Reason::OptedOut),
        Value::Refused(error) => return leave(Reason::Refused(error.to_string())),
        Value::Web(target) => target,
    };
    let plain = target.as_str().to_owned();
    if let Some(reason) = reason_to_leave(&plain, signs, options) {
        return Decision::Leave { reason, plain: Some(plain) };
    }
    if options.utm.is_empty() {
        return Decision::Track { target, plain };
    }
    let with_parameters = options.utm.iter().fold(plain.clone(), |url, parameter| parameter.added_to(&url));
    match Target::parse(&with_parameters) {
        Ok(target) => Decision::Track { target, plain },
        Err(error) => Decision::Leave { reason: Reason::Refused(error.to_string()), plain: Some(plain) },
    }
}

fn reason_to_leave(url: &str, signs: Signs, options: &Options) -> Option<Reason> {
    if own_token(url, &options.base_url).is_some() {
        return Some(Reason::AlreadyTracked);
    }
    if signs.opts_out || (!options.leave_hosts.is_empty() && leaves_host(url, options)) {
        return Some(Reason::OptedOut);
    }
    if signs.opts_in {
        return None;
    }
    let is_unsubscribe = contains_ignoring_case(url, UNSUBSCRIBE)
        || options.unsubscribe_urls.iter().any(|own| match clean::read(&clean::tidy(own)) {
            Value::Web(own) => own.as_str() == url,
            _ => false,
        });
    if is_unsubscribe {
        return Some(Reason::Unsubscribe);
    }
    (signs.shows_url && !options.tracks_visible_urls).then_some(Reason::VisibleUrl)
}

fn leaves_host(url: &str, options: &Options) -> bool {
    host(url).is_some_and(|host| options.leave_hosts.iter().any(|left| *left == host))
}

fn contains_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// The first segment of the path and the token of a link that the click domain answers, by `http` or `https`.
pub(crate) fn own_token<'a>(url: &'a str, base_url: &str) -> Option<(&'a str, &'a str)> {
    let without_scheme = |url: &'a str| url.split_once("://").map(|(_, rest)| rest);
    let base = base_url.split_once("://")?.1;
    let rest = without_scheme(url)?;
    let (host, path) = rest.split_at_checked(base.len())?;
    if !host.eq_ignore_ascii_case(base) {
        return None;
    }
    let (route, tail) = path.strip_prefix('/')?.split_once('/')?;
    let token = token::leading(tail);
    (matches!(route, "c" | "o" | "u") && !token.is_empty()).then_some((route, token))
}

/// Whether the text of a link is a URL that a reader or a filter would take for its destination, and no page of the click
/// domain: `http://…`, `https://…` or `www.…`, alone.
pub(crate) fn shows_url(text: &str, base_url: &str) -> bool {
    // Soft hyphens and characters without width keep mail clients from making a link of their own.
    let is_unseen = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    let text: String = text.chars().filter(|c| !is_unseen(*c)).collect();
    let is_around =
        |c: char| c.is_whitespace() || "<>()[]{}\"'.,;:!?\u{ab}\u{bb}\u{201c}\u{201d}\u{201e}".contains(c);
    let text = text.trim_matches(is_around);
    if text.contains(char::is_whitespace) {
        return false;
    }
    let begins = |begin: &str| {
        text.as_bytes().get(..begin.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(begin.as_bytes()))
    };
    let url = if begins("www.") { format!("http://{text}") } else { text.to_owned() };
    if !begins("www.") && !begins("http://") && !begins("https://") {
        return false;
    }
    let shown = match clean::read(&url) {
        Value::Web(target) => host(target.as_str()).map(std::borrow::Cow::into_owned),
        _ => None,
    };
    shown.is_none() || shown.as_deref() != host(base_url).as_deref()
}
