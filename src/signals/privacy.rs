//! How much of a request is kept, logged and shipped: the setting `PRIVACY` (contract §11). A record is reduced before anything is
//! done with it that outlives the request; what the rules need stays beside it as signals ([`stored`](super::stored)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::agents::Agent;
use super::browser::{Browser, Family};
use super::{Signals, agents, catalogue, stored};
use crate::link::keys::{Keyring, Purpose};
use crate::record::Record;
use crate::record::named::named;

named! {
    /// What is kept of a request.
    pub enum Privacy {
        /// Everything that the record has a field for.
        Full = "full",
        /// The network instead of the address, the browser instead of the agent, and nothing that names a person.
        Truncated = "truncated",
        /// Nothing but what it was found to be, and the class of its network.
        Verdict = "verdict",
    }
}

impl Privacy {
    /// A record as it may be kept. Its numbers for who sent it are of the key that signs and of its message: the same over all
    /// requests for that, until another key signs, and never those of another message.
    ///
    /// One that was reduced before keeps the signals that it has, and is reduced further where the setting says so.
    #[must_use]
    pub fn keep(self, mut record: Record, keys: &Keyring) -> Record {
        if self == Self::Full {
            return record;
        }
        let kept = record.signals.as_deref().and_then(stored::open);
        let is_kept = kept.is_some();
        let mut signals = kept.unwrap_or_else(|| Signals::of(&record));
        signals.is_withheld |= self == Self::Verdict;
        let number = |number: u64| {
            if is_kept {
                return number;
            }
            let named = [record.message_id.as_bytes(), &[0], &number.to_le_bytes()].concat();
            let mac = keys.sign(Purpose::Signals, &named);
            mac.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let sealed = stored::seal(&signals, &number);
        if self == Self::Verdict {
            record.forget_request();
        } else {
            truncate(&mut record, &signals);
        }
        record.signals = Some(sealed);
        record
    }
}

fn truncate(record: &mut Record, signals: &Signals) {
    record.ip = record.ip.as_deref().and_then(catalogue::parse_ip).map(network);
    record.user_agent = record.user_agent.take().map(|agent| browser(agent, signals));
    record.sec_ch_ua = record.sec_ch_ua.as_deref().map(majors);
    record.accept_language = None;
    record.x_forwarded_for = None;
    record.visitor_id = None;
}

/// An address's network, by its first address: a /24, or in IPv6 a /48.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from(v4.to_bits() & 0xffff_ff00).to_string(),
        IpAddr::V6(v6) => Ipv6Addr::from(v6.to_bits() & 0xffff_ffff_ffff << 80).to_string(),
    }
}

/// The systems that agents name. Phones' agents name the one that theirs is like as well.
const SYSTEMS: [&str; 9] =
    ["iPhone", "iPad", "iPod", "Android", "Windows", "Macintosh", "CrOS", "Linux", "X11"];

/// The word before a browser's version.
const PRODUCTS: [(Family, &str); 15] = [
    (Family::Chrome, "Chrome"),
    (Family::Edge, "Edg"),
    (Family::Firefox, "Firefox"),
    (Family::Safari, "Safari"),
    (Family::SafariIos, "Safari"),
    (Family::Samsung, "SamsungBrowser"),
    (Family::AndroidWebView, "WebView"),
    (Family::ChromeIos, "CriOS"),
    (Family::FirefoxIos, "FxiOS"),
    (Family::IosWebView, "WebView"),
    (Family::OtherChromium, "Chromium"),
    (Family::Explorer, "MSIE"),
    (Family::OldEdge, "Edg"),
    (Family::OldOpera, "Opera"),
    (Family::Other, OTHER),
];

/// What is written of a browser that is none of those; its version says nothing.
const OTHER: &str = "Browser";

/// What is written of a machine that was known by its agent's form alone.
const BOT: &str = "bot";

/// What agents of browsers begin with.
const HEAD: &str = "Mozilla/5.0 ";

/// An agent's browser, major version and system, in an agent's form so that whoever reads agents reads this one; what a machine
/// calls itself, as the catalogue names it; an empty one stays so.
fn browser(user_agent: String, signals: &Signals) -> String {
    if user_agent.trim_ascii().is_empty() {
        return String::new();
    }
    if let Some(Agent { name, .. }) = signals.agent {
        // A form's name says nothing to whoever reads agents.
        return if agents::declared(name).is_some() { name } else { BOT }.to_owned();
    }
    if is_reduced(&user_agent) {
        return user_agent;
    }
    let browser = Browser::of(&user_agent);
    let family = browser.map_or(Family::Other, |browser| browser.family);
    let product = PRODUCTS.iter().find(|(of, _)| *of == family).map_or(OTHER, |(_, product)| product);
    let mut text = HEAD.to_owned();
    if let Some(system) = SYSTEMS.iter().find(|system| user_agent.contains(**system)) {
        text.push('(');
        text.push_str(system);
        text.push_str(") ");
    }
    text.push_str(product);
    if let Some(browser) = browser.filter(|_| product != OTHER) {
        text.push('/');
        text.push_str(&browser.major.to_string());
    }
    text
}

/// Whether an agent is one that [`browser`] wrote.
fn is_reduced(user_agent: &str) -> bool {
    let Some(rest) = user_agent.strip_prefix(HEAD) else { return false };
    let behind = |system: &&str| rest.strip_prefix('(')?.strip_prefix(*system)?.strip_prefix(") ");
    let rest = SYSTEMS.iter().find_map(behind).unwrap_or(rest);
    let (product, major) = rest.split_once('/').unwrap_or((rest, "0"));
    major.len() <= 5
        && major.bytes().all(|byte| byte.is_ascii_digit())
        && PRODUCTS.iter().any(|(_, known)| *known == product)
}

/// A text whose versions end behind their first number.
fn majors(text: &str) -> String {
    let (mut majors, mut before, mut is_minor) = (String::new(), ' ', false);
    for char in text.chars() {
        is_minor =
            char == '.' && before.is_ascii_digit() || is_minor && (char.is_ascii_digit() || char == '.');
        before = char;
        if !is_minor {
            majors.push(char);
        }
    }
    majors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> Keyring {
        Keyring::parse(&format!("k:{}", secret.repeat(44))).0.unwrap()
    }

    /// Every field that a request can have is marked; ids, times and what the sender says are not.
    fn marked() -> Record {
        let text = |text: &str| Some(text.to_owned());
        Record {
            event_id: "e".to_owned(),
            message_id: "m".to_owned(),
            recipient_id: "r".to_owned(),
            link_id: text("l"),
            url: text("https://shop.example/"),
            ts_ms: 1_795_348_800_000,
            sent_at_ms: 1,
            delivered_at_ms: Some(2),
            bounced_at_ms: Some(3),
            group: text("g"),
            links_total: Some(4),
            repeats: Some(5),
            act: text("form"),
            method: "GET".to_owned(),
            ip: text("203.0.113.77"),
            asn: Some(64_496),
            country: text("IS"),
            user_agent: text(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.7123.45 \
                 Safari/537.36",
            ),
            referer: text("https://mail.example/inbox"),
            accept: text("text/html"),
            accept_language: text("is-IS"),
            sec_fetch_site: text("cross-site"),
            sec_fetch_mode: text("navigate"),
            sec_fetch_dest: text("document"),
            sec_fetch_user: text("?1"),
            sec_purpose: text("prefetch"),
            sec_ch_ua: text("\"Chromium\";v=\"150.0.7123.45\", \"Not A;Brand\";v=\"8.0\""),
            x_forwarded_for: text("198.51.100.7"),
            http_protocol: text("HTTP/3"),
            secure: Some(true),
            cookie: text("returning"),
            visitor_id: text("07070707070707070707070707070707"),
            ..Record::default()
        }
    }

    #[test]
    fn truncated_is_what_the_contract_lists_and_no_less() {
        let full = marked();
        let kept = Privacy::Truncated.keep(full.clone(), &keys("A"));
        let expected = Record {
            ip: Some("203.0.113.0".to_owned()),
            user_agent: Some("Mozilla/5.0 (Windows) Chrome/150".to_owned()),
            sec_ch_ua: Some("\"Chromium\";v=\"150\", \"Not A;Brand\";v=\"8\"".to_owned()),
            accept_language: None,
            x_forwarded_for: None,
            visitor_id: None,
            signals: kept.signals.clone(),
            ..full
        };
        assert_eq!(kept, expected);
    }

    #[test]
    fn verdict_keeps_nothing_of_the_request() {
        let kept = Privacy::Verdict.keep(marked(), &keys("A"));
        let expected = Record {
            method: String::new(),
            ip: None,
            asn: None,
            country: None,
            user_agent: None,
            referer: None,
            accept: None,
            accept_language: None,
            sec_fetch_site: None,
            sec_fetch_mode: None,
            sec_fetch_dest: None,
            sec_fetch_user: None,
            sec_purpose: None,
            sec_ch_ua: None,
            x_forwarded_for: None,
            http_protocol: None,
            secure: None,
            cookie: None,
            visitor_id: None,
            signals: kept.signals.clone(),
            ..marked()
        };
        assert_eq!(kept, expected);
    }

    #[test]
    fn full_is_the_record_as_it_is() {
        assert_eq!(Privacy::Full.keep(marked(), &keys("A")), marked());
        let reduced = Privacy::Truncated.keep(marked(), &keys("A"));
        assert_eq!(Privacy::Full.keep(reduced.clone(), &keys("B")), reduced, "what is gone is gone");
    }

    #[test]
    fn what_is_reduced_again_keeps_its_signals() {
        let (one, other) = (keys("A"), keys("B"));
        let truncated = Privacy::Truncated.keep(marked(), &one);
        assert_eq!(Privacy::Truncated.keep(truncated.clone(), &other), truncated);
        let forged = Record { signals: truncated.signals.clone(), ..marked() };
        assert_eq!(
            Privacy::Truncated.keep(forged, &other),
            truncated,
            "signals beside it make no record reduced"
        );
        let verdict = Privacy::Verdict.keep(marked(), &one);
        assert_eq!(Privacy::Verdict.keep(truncated, &other), verdict);
        assert_eq!(Privacy::Truncated.keep(verdict.clone(), &other), verdict);
    }

    #[test]
    fn who_sent_it_is_a_number_of_the_key_and_the_message() {
        let source = |record: Record, keys: &Keyring| {
            let signals = Signals::of(&Privacy::Truncated.keep(record, keys));
            (signals.source.unwrap(), signals.cookie, signals.browser)
        };
        let first = source(marked(), &keys("A"));
        let elsewhere =
            Record { event_id: "f".to_owned(), ts_ms: 7, recipient_id: "s".to_owned(), ..marked() };
        assert_eq!(source(elsewhere, &keys("A")), first);
        let shown = Signals::of(&marked());
        for (words, other) in [
            ("shown", (shown.source.unwrap(), shown.cookie, shown.browser)),
            ("another key", source(marked(), &keys("B"))),
            ("another message", source(Record { message_id: "n".to_owned(), ..marked() }, &keys("A"))),
        ] {
            assert_ne!(other.0.exact, first.0.exact, "{words}");
            assert_ne!(other.0.origin, first.0.origin, "{words}");
            assert_ne!((other.1, other.2), (first.1, first.2), "{words}");
        }
    }

    #[test]
    fn an_address_is_its_network() {
        for (ip, expected) in [
            ("203.0.113.77", Some("203.0.113.0")),
            ("::ffff:203.0.113.77", Some("203.0.113.0")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1::")),
            ("2001:db8:0:2::6", Some("2001:db8::")),
            ("2001:0:5:2::6", Some("2001:0:5::")),
            ("::1", Some("::")),
            ("203.0.113.77:80", None),
        ] {
            let record = Record { ip: Some(ip.to_owned()), ..marked() };
            assert_eq!(Privacy::Truncated.keep(record, &keys("A")).ip.as_deref(), expected, "{ip}");
        }
    }

    #[test]
    fn an_agent_is_its_browser_major_version_and_system() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Mobile/15E148 Safari/604.1",
                "Mozilla/5.0 (iPhone) Safari/18",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-S928B Build/UP1A.231005.007) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/150.0.7123.45 Mobile Safari/537.36",
                "Mozilla/5.0 (Android) Chrome/150",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Mozilla/5.0 (Linux) Firefox/140",
            ),
            (
                "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; Trident/7.0)",
                "Mozilla/5.0 (Windows) MSIE/11",
            ),
            ("curl/8.5.0 (jo@home.example)", "curl"),
            ("jo's own thing 1.7.3", "bot"),
            ("  ", ""),
        ] {
            let record = Record { user_agent: Some(agent.to_owned()), ..marked() };
            let kept = Privacy::Truncated.keep(record, &keys("A"));
            assert_eq!(kept.user_agent.as_deref(), Some(expected), "{agent}");
        }
    }
}
