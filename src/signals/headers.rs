//! Whether a request's headers fit the browser that its agent names: each thing that does, or does not, is a vote.
//!
//! Headers count only where they could have been seen. `Sec-` headers go to secure origins alone; a record that knows no
//! headers ([`Record::knows_headers`]) says nothing of what was missing. Proxies strip headers, so a missing one is a vote and
//! no more.

use super::browser::{self, Browser, Family, Header};
use super::votes::{Sign, Votes};
use crate::record::{CookieState, Record};

/// A browser so many versions behind is a sign of its own.
const AGED: i64 = 7;

/// And from here on of another.
const STALE: i64 = 20;

/// What a record's headers vote. Networks and clocks vote elsewhere.
#[must_use]
pub fn votes(record: &Record) -> Votes {
    let mut votes = Votes::default();
    votes.note(Sign::ReturningCookie, record.cookie.as_deref() == Some(CookieState::Returning.name()));
    let mode = record.sec_fetch_mode.as_deref();
    let dest = record.sec_fetch_dest.as_deref();
    let has_metadata = mode.is_some() || dest.is_some() || record.sec_fetch_site.is_some();
    let Some(user_agent) = record.agent() else {
        votes.note(Sign::NoUserAgent, record.has_no_agent());
        return votes;
    };
    let opens_page = mode.is_none_or(|mode| mode == "navigate")
        && dest.is_none_or(|dest| matches!(dest, "document" | "iframe" | "frame"));
    votes.note(Sign::NotANavigation, !opens_page);
    let Some(browser) = Browser::of(user_agent) else { return votes };

    votes.note(Sign::ImpossibleBrowser, browser.is_impossible(record.ts_ms));
    let behind = browser.majors_behind(record.ts_ms).unwrap_or_default();
    votes.note(Sign::AgedBrowser, (AGED..STALE).contains(&behind));
    votes.note(Sign::StaleBrowser, behind >= STALE);
    // A build that nobody released says it already.
    votes.note(Sign::UnreducedVersion, browser.is_unreduced() && !votes.has(Sign::ImpossibleBrowser));

    let known = record.knows_headers();
    let secure = record.secure == Some(true) && known;
    let html = record.accept.as_deref().map(|accept| accept.contains("text/html"));
    // Whoever sends Sec-Fetch headers sends an Accept: where neither stands beside them, the log left them out.
    let seen = record.accept.is_some() || record.accept_language.is_some() || known && !has_metadata;
    votes.note(Sign::NoAcceptLanguage, seen && record.accept_language.is_none());
    // Internet Explorer asked for pictures and anything.
    votes.note(Sign::AcceptNotHtml, seen && html != Some(true) && browser.family != Family::Explorer);

    votes.note(Sign::NoFetchMetadata, secure && !has_metadata && browser.sends(Header::SecFetchMode));
    let hints = record.sec_ch_ua.as_deref();
    let sends_hints = browser.sends(Header::SecChUa);
    votes.note(Sign::NoClientHints, secure && hints.is_none() && sends_hints);
    votes.note(Sign::ForeignClientHints, hints.is_some() && is_not_chromium(browser.family));
    let hinted = hints.and_then(browser::client_hints_major);
    let goes_by_chromium = matches!(browser.family, Family::Chrome | Family::Edge | Family::AndroidWebView);
    votes.note(
        Sign::ClientHintsDisagree,
        goes_by_chromium && hinted.is_some_and(|major| major != browser.major),
    );
    let old_protocol = record.http_protocol.as_deref().is_some_and(|protocol| protocol.starts_with("HTTP/1"));
    votes.note(Sign::OldProtocol, secure && old_protocol && browser.sends(Header::SecFetchMode));

    let has_user = record.sec_fetch_user.as_deref() == Some("?1");
    // What is built on Chromium under another name sends what Chromium sends, or nothing.
    let wants_user = browser.sends(Header::SecFetchUser) || browser.family == Family::OtherChromium;
    let may_navigate = browser.sends(Header::SecFetchMode) || browser.family == Family::OtherChromium;
    let navigates = mode == Some("navigate") && opens_page && may_navigate;
    let is_webkit = is_not_chromium(browser.family) && browser.family != Family::Firefox;
    votes.note(Sign::ForeignFetchUser, has_user && is_webkit);
    votes.note(Sign::NoUserActivation, navigates && wants_user && !has_user);
    // What another browser's headers say speaks for nobody.
    let foreign = [
        Sign::ImpossibleBrowser,
        Sign::ForeignClientHints,
        Sign::ForeignFetchUser,
        Sign::ClientHintsDisagree,
    ];
    let fits = |signs: &[Sign]| signs.iter().all(|sign| !votes.has(*sign));
    let by_person = navigates && (has_user || !wants_user) && fits(&foreign);
    let coherent = by_person
        && (hints.is_some() || !sends_hints)
        && fits(&[Sign::NoClientHints, Sign::NoAcceptLanguage, Sign::AcceptNotHtml]);
    votes.note(Sign::Navigated, by_person);
    votes.note(Sign::CoherentHeaders, coherent);
    votes
}

/// Browsers that never send `Sec-CH-UA`: those that are not built on Chromium.
const fn is_not_chromium(family: Family) -> bool {
    matches!(
        family,
        Family::Firefox
            | Family::Safari
            | Family::SafariIos
            | Family::ChromeIos
            | Family::FirefoxIos
            | Family::IosWebView
    )
}

/// Whether `Sec-Purpose`, or what came before it, says that nobody has asked for the page yet.
#[must_use]
pub fn is_prefetch(purpose: &str) -> bool {
    ["prefetch", "prerender", "preview"].iter().any(|word| purpose.contains(word))
}
