//! Opens: judged by their own signals alone (contract §6), because most of them are nobody's.
//!
//! A mail provider's image proxy, or a privacy prefetch, fetches the pixel for its user, often before or without any
//! reading: that is a `proxy_open`, which is neither a person nor a scanner, and the place that it comes from is the
//! proxy's. What is left is a scanner by its own word or network, or a mail program.

use std::borrow::Cow;

use super::{ClickType, Confidence, Finding};
use crate::record::Record;
use crate::signals::Signals;
use crate::signals::agents::AgentClass;
use crate::signals::catalogue::{Class, Network};
use crate::signals::votes::TEN_MINUTES_MS;

/// Reasons that no rule for clicks has, each with its words.
pub(super) const BY_AGENT: (&str, &str) = ("+image_proxy_agent", "an image proxy's own agent");
pub(super) const BY_NETWORK: (&str, &str) = ("+image_proxy_network", "an image proxy's network");

/// Judges an open so long after the clock, milliseconds.
#[must_use]
pub fn judge(signals: &Signals, delta_ms: i64) -> Finding {
    // Who reads a mail through browser isolation reads it later than a gateway looks at it.
    let may_be_isolated = !signals.knows_headers && delta_ms > TEN_MINUTES_MS;
    let is_scanners =
        |network: &&Network| network.class.is_scanner() && !(network.has_people && may_be_isolated);
    let class = signals.place.map(|network| network.class);
    let agent = signals.agent.map(|agent| agent.class);
    let by_agent = matches!(agent, Some(AgentClass::ImageProxy | AgentClass::Prefetch));
    let vendor = signals.agent.and_then(|agent| agent.vendor);
    let network_vendor = signals.place.map(|network| network.vendor);
    let (click_type, rule, vendor, confidence) = if by_agent {
        let certainly = signals.agent.is_some_and(|agent| agent.certain);
        let confidence = if certainly { Confidence::Certain } else { Confidence::Probable };
        (ClickType::ProxyOpen, "image_proxy", vendor.or(network_vendor), confidence)
    } else if class == Some(Class::ImageProxy) {
        (ClickType::ProxyOpen, "image_proxy", network_vendor, Confidence::Probable)
    } else if let Some((_, certainly)) = signals.declares() {
        let confidence = if certainly { Confidence::Certain } else { Confidence::Probable };
        (ClickType::ScannerDeclared, "declared", vendor, confidence)
    } else if signals.place.as_ref().is_some_and(is_scanners) {
        let confidence =
            if class == Some(Class::ScannerCertain) { Confidence::Certain } else { Confidence::Probable };
        (ClickType::ScannerGateway, "scanner_network", network_vendor, confidence)
    } else {
        (ClickType::Human, "human", None, Confidence::Probable)
    };
    let spoken = [
        (by_agent, BY_AGENT.0),
        (class == Some(Class::ImageProxy), BY_NETWORK.0),
        (!by_agent && signals.declares().is_some(), "+declared"),
        (class.is_some_and(Class::is_scanner), "+scanner_network"),
        (class == Some(Class::Relay), "-private_relay"),
        (class == Some(Class::HumanProxy), "-human_proxy"),
    ];
    Finding {
        click_type: Some(click_type),
        vendor: vendor.map(Cow::Borrowed),
        confidence,
        rule: Cow::Borrowed(rule),
        reasons: spoken.into_iter().filter(|(so, _)| *so).map(|(_, name)| Cow::Borrowed(name)).collect(),
        paired_with: None,
    }
}

/// An open's record as it is logged and stored: where a proxy made it, the place is the proxy's and says nothing.
#[must_use]
pub fn without_proxys_place(mut record: Record, signals: &Signals) -> Record {
    // That needs no clock.
    if judge(signals, 0).click_type == Some(ClickType::ProxyOpen) {
        record.country = None;
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36";
    const OUTLOOK: &str =
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Microsoft Outlook 16.0.17928; ms-office)";
    const GOOGLE: &str =
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
    const GMAIL: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 \
                         Safari/537.36 Edge/12.246 Mozilla/5.0";
    const YAHOO: &str = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html";

    fn open(agent: &str, ip: &str, asn: i64) -> Record {
        Record {
            kind: Kind::Open,
            method: "GET".to_owned(),
            user_agent: Some(agent.to_owned()).filter(|agent| !agent.is_empty()),
            ip: Some(ip.to_owned()),
            asn: Some(asn),
            ..Record::default()
        }
    }

    #[test]
    fn an_open_is_a_proxys_a_scanners_or_a_mail_programs() {
        const HOME: &str = "203.0.113.9";
        let nobody = 64_500;
        for (words, agent, ip, asn, expected) in [
            (
                "Google's proxy by its agent",
                GOOGLE,
                HOME,
                nobody,
                ("proxy_open", Some("google"), "image_proxy!"),
            ),
            ("and from Google", GOOGLE, HOME, 15_169, ("proxy_open", Some("google"), "image_proxy!")),
            (
                "Google by its network alone",
                CHROME,
                HOME,
                15_169,
                ("proxy_open", Some("google"), "image_proxy"),
            ),
            ("Gmail's prefetch", GMAIL, HOME, nobody, ("proxy_open", Some("google"), "image_proxy!")),
            ("Yahoo's proxy", YAHOO, HOME, nobody, ("proxy_open", Some("yahoo"), "image_proxy!")),
            ("Yahoo by its network", CHROME, HOME, 36_647, ("proxy_open", Some("yahoo"), "image_proxy")),
            (
                "Apple's prefetch through the relay",
                "Mozilla/5.0",
                "104.28.28.1",
                13_335,
                ("proxy_open", Some("apple"), "image_proxy"),
            ),
            ("a bare agent from anywhere", "Mozilla/5.0", HOME, nobody, ("proxy_open", None, "image_proxy")),
            (
                "Outlook on the web, from Exchange Online",
                CHROME,
                "52.97.1.1",
                8_075,
                ("proxy_open", Some("microsoft"), "image_proxy"),
            ),
            (
                "Microsoft's filter",
                CHROME,
                "40.92.1.1",
                8_075,
                ("scanner_gateway", Some("microsoft"), "scanner_network!"),
            ),
            (
                "a wide range of Microsoft's",
                CHROME,
                "52.110.1.1",
                8_075,
                ("scanner_gateway", Some("microsoft"), "scanner_network"),
            ),
            ("Proofpoint", CHROME, HOME, 22_843, ("scanner_gateway", Some("proofpoint"), "scanner_network")),
            ("a library", "python-requests/2.32.3", HOME, nobody, ("scanner_declared", None, "declared!")),
            (
                "a scanner's own name",
                "Barracuda Sentinel (EE)",
                HOME,
                nobody,
                ("scanner_declared", Some("barracuda"), "declared!"),
            ),
            ("Outlook at a desk", OUTLOOK, HOME, nobody, ("human", None, "human")),
            ("a webmail's browser", CHROME, HOME, nobody, ("human", None, "human")),
            ("the same in Azure", CHROME, HOME, 8_075, ("human", None, "human")),
            ("the same through Zscaler", CHROME, "8.25.203.10", 22_616, ("human", None, "human")),
            ("Apple Mail through the relay", CHROME, "104.28.28.1", 13_335, ("human", None, "human")),
            ("no agent", "", HOME, nobody, ("human", None, "human")),
        ] {
            let found = judge(&Signals::of(&open(agent, ip, asn)), 0);
            let mark = if found.confidence == Confidence::Certain { "!" } else { "" };
            let rule = format!("{}{mark}", found.rule);
            let kind = found.click_type.unwrap();
            assert_eq!((kind.name(), found.vendor.as_deref(), rule.as_str()), expected, "{words}");
            // Of what clicks have windows for, opens have nothing.
            assert!(!kind.is_defender_bot() && found.paired_with.is_none(), "{words}");
            assert_eq!(kind.is_bot(), expected.0.starts_with("scanner_"), "{words}");
        }
    }

    #[test]
    fn opens_have_no_neighbours() {
        let record = open(CHROME, "40.92.1.1", 8_075);
        let late =
            Record { ts_ms: 90_000_000, referer: Some("https://x.example/".to_owned()), ..record.clone() };
        assert_eq!(judge(&Signals::of(&record), 0), judge(&Signals::of(&late), 90_000_000));
    }

    #[test]
    fn an_exports_open_through_isolation_is_a_persons_after_ten_minutes() {
        let said =
            |record: &Record, delta_ms| judge(&Signals::of(record), delta_ms).click_type.unwrap().name();
        let proofpoint = open(CHROME, "203.0.113.9", 22_843);
        assert_eq!(said(&proofpoint, 600_000), "scanner_gateway");
        assert_eq!(said(&proofpoint, 600_001), "human");
        let known = Record { http_protocol: Some("HTTP/2".to_owned()), ..proofpoint };
        assert_eq!(said(&known, 600_001), "scanner_gateway", "where headers are known");
        let barracuda = open(CHROME, "203.0.113.9", 15_324);
        assert_eq!(said(&barracuda, 600_001), "scanner_gateway", "where nobody is isolated");
    }

    #[test]
    fn who_spoke_is_told() {
        let reasons = |record: &Record| judge(&Signals::of(record), 0).reasons;
        assert_eq!(
            reasons(&open(GOOGLE, "203.0.113.9", 15_169)),
            ["+image_proxy_agent", "+image_proxy_network"]
        );
        assert_eq!(reasons(&open("curl/8.5.0", "40.92.1.1", 8_075)), ["+declared", "+scanner_network"]);
        assert_eq!(
            reasons(&open("Mozilla/5.0", "104.28.28.1", 13_335)),
            ["+image_proxy_agent", "-private_relay"]
        );
    }
}
