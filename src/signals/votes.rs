//! The votes: what single signals say for a scanner or for a person, each with its weight and where that is known from.
//!
//! One table. A positive weight speaks for a scanner, a negative one for a person; no vote decides alone, because each
//! of them is also left by somebody of the other kind. A rule of ruleset `full` puts its own evidence beside their sum
//! and holds from [`ENOUGH`] on. The weights are ours, chosen on the shares that the sources publish; a change of one is
//! a new version of the ruleset.

/// A rule's evidence and the votes together convict from here on.
pub const ENOUGH: i32 = 10;

/// The first minute after the clock, milliseconds, its end included.
pub const FIRST_MINUTE_MS: i64 = 60_000;

/// Ten minutes, in which most of what gateways look at after the first one falls, milliseconds (Warmbly's window for networks
/// that are probably a scanner's).
pub const TEN_MINUTES_MS: i64 = 600_000;

/// What unknown headers are worth beside evidence that is no header: a person's would have said 6 for the person. So in a
/// provider's export tabs, browser isolation and a busy office stay people until more speaks than a network or a few fast
/// clicks.
pub const UNKNOWN_HEADERS: i32 = -5;

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Vote {
    /// The name under which reasons carry it: `+` for a scanner, `-` for a person.
    pub reason: &'static str,
    /// How much it says.
    pub weight: i32,
    /// What was seen, in words.
    pub words: &'static str,
    /// Where that is known from.
    pub source: &'static str,
}

macro_rules! votes {
    ($($sign:ident $weight:literal $reason:literal $words:literal $source:literal;)+) => {
        /// A signal that votes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Sign { $(#[doc = $words] $sign),+ }

        impl Sign {
            /// Every sign, in the order in which reasons list them.
            pub const ALL: &[Self] = &[$(Self::$sign),+];
        }

        /// The rows, in the order of [`Sign::ALL`].
        pub const TABLE: &[Vote] =
            &[$(Vote { reason: $reason, weight: $weight, words: $words, source: $source }),+];
    };
}

votes! {
    NoUserAgent 6 "+no_user_agent"
        "no User-Agent at all" "Defender's published traces: campaign bursts come with an empty agent";
    AppAgent 3 "+app_agent"
        "an app's HTTP library" "okhttp, CFNetwork and their like: an app that resolves a link that somebody tapped, or a script";
    ImpossibleBrowser 5 "+impossible_browser"
        "a browser version that did not exist at that time" "PostHog #2921: invented Chrome build numbers";
    AgedBrowser 1 "+aged_browser"
        "a browser 7 to 19 versions behind its time" "11 % of people are; 6 of 8 dated scanner agents were";
    StaleBrowser 3 "+stale_browser"
        "a browser 20 or more versions behind its time" "1 % of people are; 3 of 8 dated scanner agents were";
    UnreducedVersion 6 "+unreduced_version"
        "Chrome on a desktop with a build number, which Chrome no longer tells"
        "Chromium's User-Agent reduction: phase 4 (Chrome 101, 2022-04) to 6 (113 at 100 %, 2023-05); no policy undoes it since 145";
    NoFetchMetadata 6 "+no_fetch_metadata"
        "no Sec-Fetch header on a secure host from a browser that sends them"
        "MDN browser-compat-data 8.1.9; some proxies strip them";
    NoClientHints 1 "+no_client_hints"
        "no Sec-CH-UA on a secure host from a browser that sends it" "MDN browser-compat-data 8.1.9; some proxies strip it";
    ForeignClientHints 6 "+foreign_client_hints"
        "Sec-CH-UA from a browser that never sends it" "MDN browser-compat-data 8.1.9";
    ForeignFetchUser 4 "+foreign_fetch_user"
        "Sec-Fetch-User from a browser that never sends it" "MDN browser-compat-data 8.1.9";
    ClientHintsDisagree 6 "+client_hints_disagree"
        "Sec-CH-UA names another version than the User-Agent" "WICG UA-CH: both come from one version";
    NotANavigation 6 "+not_a_navigation"
        "Sec-Fetch-Mode or -Dest say that no page was opened" "W3C Fetch Metadata";
    NoUserActivation 1 "+no_user_activation"
        "a navigation that no person's gesture began" "W3C Fetch Metadata: Sec-Fetch-User";
    NoAcceptLanguage 3 "+no_accept_language"
        "no Accept-Language from a browser" "every browser sends it; headless Chrome long did not";
    AcceptNotHtml 2 "+accept_not_html"
        "an Accept without text/html from a browser" "WHATWG Fetch: a navigation asks for text/html";
    OldProtocol 1 "+old_protocol"
        "HTTP/1 on a secure host from a browser of HTTP/2's time" "gophish #2938; company proxies do it too";
    Hosting 4 "+hosting_network"
        "a hosting network" "scanners rent there; so do people's VPNs and cloud PCs";
    ForwardedScanner 3 "+forwarded_for_scanner"
        "X-Forwarded-For names a scanner's network" "the originating address sits proxies deep; it can be forged";
    BeforeDelivery 3 "+before_delivery"
        "before the mail was delivered" "MillionSend; Value Builder: providers' clocks lag, so it is a vote and no rule";
    FirstSeconds 2 "+first_seconds"
        "within ten seconds of the clock" "0.5 % of sweeps, and few people: half of those who click within an hour";
    FirstMinute 1 "+first_minute"
        "ten seconds to a minute after the clock" "66 % of sweeps begin then, and 11 % of people click";
    Navigated -4 "-navigated"
        "Sec-Fetch headers as a person's click on a link leaves them" "W3C Fetch Metadata";
    CoherentHeaders -2 "-coherent_headers"
        "every header that this browser sends is there and fits" "MDN browser-compat-data 8.1.9";
    ReturnWithoutCookie 2 "+return_without_cookie"
        "a return by the same agent without the cookie that it got"
        "published advice: almost always a bot; people own two devices, and some clear their cookies";
    Interacted -4 "-interacted"
        "somebody touched the landing page" "our beacon; sandboxes simulate it, few of them";
    Rendered -1 "-rendered"
        "the landing page was shown" "our beacon; a scanner usually does not render, but some run JavaScript";
    ReturningCookie -4 "-returning_cookie"
        "our cookie came back" "a return without it is almost always a bot; sandboxes begin afresh";
    WrapperReferer -4 "-wrapper_referer"
        "came through a mail gateway's rewritten link" "Safe Links and its like redirect the person's own browser";
    PrivateRelay -8 "-private_relay"
        "iCloud Private Relay" "Apple's published egress list: people alone use it";
    HumanProxy -5 "-human_proxy"
        "a web proxy that people browse through" "Zscaler's and others' published egress";
}

/// The votes of one click: a set of signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Votes(u32);

const _: () = assert!(Sign::ALL.len() <= 32, "a sign is a bit");

impl Votes {
    /// Adds a sign where it was seen.
    pub const fn note(&mut self, sign: Sign, seen: bool) {
        if seen {
            self.0 |= 1 << sign as u32;
        }
    }

    /// Whether the sign was seen.
    #[must_use]
    pub const fn has(self, sign: Sign) -> bool {
        self.0 & 1 << sign as u32 != 0
    }

    /// The votes without a sign.
    #[must_use]
    pub const fn without(self, sign: Sign) -> Self {
        Self(self.0 & !(1 << sign as u32))
    }

    /// The rows of the signs that were seen, in the order of the table.
    pub fn seen(self) -> impl Iterator<Item = &'static Vote> {
        Sign::ALL.iter().zip(TABLE).filter(move |(sign, _)| self.has(**sign)).map(|(_, vote)| vote)
    }

    /// What they say together.
    #[must_use]
    pub fn sum(self) -> i32 {
        self.seen().map(|vote| vote.weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_way_it_speaks() {
        for vote in TABLE {
            assert!(vote.reason.starts_with(if vote.weight > 0 { '+' } else { '-' }), "{}", vote.reason);
        }
    }

    #[test]
    fn no_vote_decides_alone() {
        assert!(TABLE.iter().all(|vote| vote.weight.abs() < ENOUGH));
    }

    #[test]
    fn a_sum_is_of_what_was_seen() {
        let mut votes = Votes::default();
        votes.note(Sign::Hosting, true);
        votes.note(Sign::Navigated, true);
        votes.note(Sign::NoUserAgent, false);
        let names: Vec<&str> = votes.seen().map(|vote| vote.reason).collect();
        assert_eq!((votes.sum(), names), (0, vec!["+hosting_network", "-navigated"]));
    }
}
