//! What one request shows by itself: stateless, taken at the edge.
//!
//! [`catalogue`] says whose network it came from, [`agents`] and [`browser`] what its agent says, [`headers`] whether the
//! rest fits, [`votes`] what each of that is worth. [`Signals`] is what the rules read of all that; [`privacy`] says how much of
//! the request is kept, and [`stored`] in which form its signals are where that is less than the rules need.

pub mod agents;
pub mod browser;
pub mod catalogue;
pub mod headers;
pub mod privacy;
mod shape;
pub mod stored;
pub mod votes;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use agents::AgentClass;
use catalogue::learned::{LEARNED, Learned, Table};
use catalogue::{Class, Network, Request};
use votes::Sign;

pub use shape::{Cookie, Signals, Source};

use crate::link::url;
use crate::record::{CookieState, Kind, Record, Way};

/// The domain of Safe Links, whose hosts stand in the referer of a click that it checked.
const SAFELINKS: &str = "safelinks.protection.outlook.com";

impl Cookie {
    fn of(record: &Record) -> Self {
        let visitor = || number_of(record.visitor_id.as_deref());
        match record.cookie.as_deref().and_then(CookieState::named) {
            Some(CookieState::New) => Self::New(visitor()),
            Some(CookieState::Returning) => Self::Returning(visitor()),
            _ => Self::None,
        }
    }
}

/// A number that differs where texts do.
fn number_of(text: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Source {
    fn of(address: IpAddr, user_agent: Option<&str>, is_rented: bool) -> Self {
        let (host, network) = match address {
            IpAddr::V4(v4) => (u64::from(v4.to_bits()), u64::from(v4.to_bits()) & 0xffff_ff00),
            IpAddr::V6(v6) => {
                let high = v6.to_bits() >> 64;
                let high = high as u64;
                (high, high & 0xffff_ffff_ffff_0000)
            }
        };
        let number = |place: u64, is_v4: bool, is_host: bool, user_agent: Option<&str>| {
            let mut hasher = DefaultHasher::new();
            (place, is_v4, is_host, user_agent).hash(&mut hasher);
            hasher.finish()
        };
        let is_v4 = address.is_ipv4();
        let exact = number(host, is_v4, true, user_agent);
        let in_network = number(network, is_v4, false, user_agent);
        Self {
            exact,
            group: if is_rented { in_network } else { exact },
            origin: if is_rented { number(network, is_v4, false, None) } else { in_network },
            has_agent: user_agent.is_some(),
        }
    }
}

impl Signals {
    /// The signals of a record: those that it was kept with, where it was; else what it shows.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let kept = record.signals.as_deref().and_then(stored::open);
        kept.unwrap_or_else(|| Self::shown(record))
    }

    fn shown(record: &Record) -> Self {
        let address = record.ip.as_deref().and_then(catalogue::parse_ip);
        let request = if record.kind == Kind::Open { Request::Open } else { Request::Click };
        let network = address.and_then(|address| catalogue::lookup(address, request));
        let system = record.asn.and_then(|asn| catalogue::system(asn, request));
        let place = place(network, system);
        let user_agent = record.agent();
        let agent = user_agent.and_then(agents::declared);
        let referer = record.referer.as_deref();
        let acts = record.kind.acts();
        let knows_headers = record.knows_headers();
        let mut votes = headers::votes(record);
        votes.note(Sign::AppAgent, agent.is_some_and(|agent| agent.class == AgentClass::App));
        let is_class = |class: Class| place.is_some_and(|network| network.class == class);
        votes.note(Sign::Hosting, is_class(Class::Hosting));
        let is_rented = place.is_some_and(|network| network.class.is_machines());
        votes.note(Sign::PrivateRelay, is_class(Class::Relay));
        votes.note(Sign::HumanProxy, is_class(Class::HumanProxy));
        votes.note(Sign::ForwardedScanner, record.x_forwarded_for.as_deref().is_some_and(names_scanner));
        // Beside the gateway's own network its own link says nothing of a person.
        let wrapper = referer.and_then(catalogue::wrapper_in_referer);
        let is_own = wrapper.zip(place).is_some_and(|(wrapper, network)| wrapper.vendor == network.vendor);
        votes.note(Sign::WrapperReferer, wrapper.is_some() && !is_own);
        Self {
            is_withheld: false,
            safelinks_referer: referer.is_some_and(is_safelinks),
            // Our own pages' forms never have one: their policy is no-referrer.
            has_referer: referer.is_some() || acts,
            lacks_referer: referer.is_none() && !acts && knows_headers,
            knows_headers,
            has_address: address.is_some(),
            network,
            place,
            learned: learned(&LEARNED, record, address, place),
            agent,
            is_office: user_agent.is_some_and(agents::is_office),
            is_get: record.method == "GET" || acts && record.method == "POST",
            is_one_click: record.act.as_deref() == Some(Way::OneClick.name()),
            has_acted: record.act.is_some(),
            is_headless: record.sec_ch_ua.as_deref().is_some_and(browser::is_headless_brand),
            is_prefetch: record.sec_purpose.as_deref().is_some_and(headers::is_prefetch),
            is_microsoft_system: system.is_some_and(Network::is_microsoft),
            votes,
            source: address.map(|address| Source::of(address, user_agent, is_rented)),
            cookie: Cookie::of(record),
            browser: number_of(user_agent),
        }
    }

    /// Whether the address is in a Microsoft network of the catalogue. The AS number alone never says so: people
    /// browse from there (Windows 365, Azure's gateways).
    #[must_use]
    pub fn is_microsoft(&self) -> bool {
        self.network.is_some_and(Network::is_microsoft)
    }

    /// Whether only scanners come from the address's network.
    #[must_use]
    pub fn is_scanner_for_certain(&self) -> bool {
        self.network.is_some_and(|network| network.class == Class::ScannerCertain)
    }

    /// What the request says itself to be other than a person's click, and whether that is certain.
    #[must_use]
    pub fn declares(&self) -> Option<(&'static str, bool)> {
        // An app's library may have resolved a link that somebody tapped: that is a vote.
        if let Some(agent) = self.agent.filter(|agent| agent.class != AgentClass::App) {
            Some((agent.name, agent.certain))
        } else if self.is_headless {
            Some(("a headless browser in Sec-CH-UA", true))
        } else if !self.is_get {
            Some(("a method other than GET", true))
        } else if self.is_prefetch {
            // A browser that fetched ahead may show the page without asking again.
            Some(("a prefetch", false))
        } else {
            None
        }
    }

    /// Whether the request shows what a person's browser that has been here before shows: our cookie, and every header
    /// as it should be. It overturns what is only probable.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        // A person's own browser fetches ahead with the person's cookie, and that is no click.
        self.votes.has(Sign::ReturningCookie)
            && self.looks_like_a_person()
            && self.is_get
            && !self.is_prefetch
    }

    /// Whether every header is as a person's browser sends it.
    #[must_use]
    pub fn looks_like_a_person(&self) -> bool {
        self.votes.has(Sign::Navigated) && self.votes.has(Sign::CoherentHeaders)
    }

    /// How much the request looks like the check that a person's click sets off: 2 for Microsoft's network or Office's
    /// agent, 1 for Microsoft's AS number alone, where cloud PCs are too; else 0.
    #[must_use]
    pub fn check_strength(&self) -> u8 {
        if self.is_microsoft() || self.is_office { 2 } else { u8::from(self.is_microsoft_system) }
    }

    /// Whether the request says that it is something else than a click or its check.
    #[must_use]
    pub fn is_something_else(&self) -> bool {
        self.check_strength() < 2 && self.declares().is_some()
    }

    /// Whether many people share the address: it is no source then.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.votes.has(Sign::PrivateRelay) || self.votes.has(Sign::HumanProxy)
    }

    /// The same with what another table of learned networks says of the record.
    #[must_use]
    pub fn taught(self, record: &Record, table: &Table) -> Self {
        if record.signals.is_some() {
            // Whatever it was learned from is no longer there.
            return self;
        }
        let address = record.ip.as_deref().and_then(catalogue::parse_ip);
        Self { learned: learned(table, record, address, self.place), ..self }
    }

    /// The source, where it is one.
    #[must_use]
    pub fn own_source(&self) -> Option<Source> {
        self.source.filter(|_| !self.is_shared())
    }
}

/// Where a click came from: people's networks go before scanners', and an address before an AS number.
#[must_use]
pub fn place(
    network: Option<&'static Network>,
    system: Option<&'static Network>,
) -> Option<&'static Network> {
    let people = |network: &&Network| matches!(network.class, Class::Relay | Class::HumanProxy);
    network.filter(people).or_else(|| system.filter(people)).or(network).or(system)
}

/// What the sender's own history says of a request. A list goes before, unless it only says that machines are rented there.
fn learned(
    table: &Table,
    record: &Record,
    address: Option<IpAddr>,
    place: Option<&'static Network>,
) -> Option<&'static Learned> {
    let is_open = place.is_none_or(|network| network.class == Class::Hosting);
    is_open.then(|| table.find(address, record.asn, record.agent(), record.ts_ms)).flatten()
}

/// Whether a list of addresses, as `X-Forwarded-For` holds it, names a scanner's network.
fn names_scanner(forwarded_for: &str) -> bool {
    let addresses = forwarded_for.split(',').filter_map(|address| catalogue::parse_ip(address.trim()));
    addresses
        .filter_map(|address| catalogue::lookup(address, Request::Click))
        .any(|network| network.class.is_scanner() || network.class == Class::ThreatIntelligence)
}

/// Whether a referer parses as a URL whose host is Safe Links' domain or lies below it.
fn is_safelinks(referer: &str) -> bool {
    url::host(referer).is_some_and(|host| url::is_host_or_below(&host, SAFELINKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_links_is_a_host_and_not_a_word() {
        for yes in [
            "https://safelinks.protection.outlook.com/",
            "https://NAM02.SafeLinks.Protection.Outlook.com./?url=x",
            "http://eur01.safelinks.protection.outlook.com:8443",
        ] {
            assert!(is_safelinks(yes), "{yes}");
        }
        for no in [
            "nam02.safelinks.protection.outlook.com",
            "https://evilsafelinks.protection.outlook.com/",
            "https://safelinks.protection.outlook.com.evil.example/",
            "https://evil.example/?safelinks.protection.outlook.com",
            "https://nam02.safelinks.protection.outlook.com@evil.example/",
            "https://outlook.com/",
            "https://nam02.safelinks.protection.outlook.com:port/",
        ] {
            assert!(!is_safelinks(no), "{no}");
        }
    }

    const HOME: &str = "203.0.113.9";

    fn from(ip: &str, asn: Option<i64>) -> Signals {
        Signals::of(&Record { ip: Some(ip.to_owned()), asn, ..Record::default() })
    }

    #[test]
    fn people_go_before_scanners_and_an_address_before_an_as_number() {
        let class = |ip: &str, asn| from(ip, asn).place.map(|network| network.class);
        for (words, ip, asn, expected) in [
            ("a home", HOME, None, None),
            ("an AS number alone", HOME, Some(8_075), Some(Class::Hosting)),
            ("the filter, whatever its AS", "40.92.1.1", Some(8_075), Some(Class::ScannerCertain)),
            ("the relay in hosting", "104.28.28.1", Some(16_509), Some(Class::Relay)),
            ("the relay's AS", HOME, Some(36_183), Some(Class::Relay)),
            ("Zscaler's AS before a scanner's address", "40.92.1.1", Some(22_616), Some(Class::HumanProxy)),
            (
                "Zscaler's address before Proofpoint's AS",
                "8.25.203.10",
                Some(22_843),
                Some(Class::HumanProxy),
            ),
            ("Proofpoint's AS", "junk", Some(22_843), Some(Class::ScannerProbable)),
            ("no AS number", HOME, Some(-1), None),
            ("a number too large for one", HOME, Some(i64::MAX), None),
        ] {
            assert_eq!(class(ip, asn), expected, "{words}");
        }
        assert!(!from(HOME, Some(8_075)).is_microsoft(), "an AS number never says so");
        assert_eq!(from(HOME, Some(8_075)).check_strength(), 1);
    }

    #[test]
    fn what_was_learned_goes_behind_what_lists_say() {
        static LEARNED: Learned =
            Learned { name: "everywhere", vendor: None, source: "", date: "", expires_ms: 1_000 };
        static TABLE: Table = Table { v4: &[(0, u32::MAX, &LEARNED)], v6: &[], systems: &[] };
        let found = |ip: &str, asn, ts_ms| {
            let record = Record { ip: Some(ip.to_owned()), asn, ts_ms, ..Record::default() };
            assert_eq!(Signals::of(&record).learned, None, "nothing is learned here");
            Signals::of(&record).taught(&record, &TABLE).learned.is_some()
        };
        for (words, ip, asn, ts_ms, expected) in [
            ("a home", HOME, None, 999, true),
            ("too late", HOME, None, 1_000, false),
            ("rented machines", HOME, Some(16_509), 0, true),
            ("the relay", "104.28.28.1", None, 0, false),
            ("the relay in hosting", "104.28.28.1", Some(16_509), 0, false),
            ("a web proxy", "8.25.203.10", None, 0, false),
            ("a web proxy's AS", HOME, Some(22_616), 0, false),
            ("the mail filter", "40.92.1.1", None, 0, false),
            ("no address", "junk", None, 0, false),
        ] {
            assert_eq!(found(ip, asn, ts_ms), expected, "{words}");
        }
    }

    #[test]
    fn a_source_is_an_address_and_an_agent() {
        let source = |ip: &str, agent: Option<&str>| {
            let user_agent = agent.map(str::to_owned);
            Signals::of(&Record { ip: Some(ip.to_owned()), user_agent, ..Record::default() }).own_source()
        };
        let home = source("203.0.113.9", None).unwrap();
        assert_eq!(source("::ffff:203.0.113.9", None), Some(home), "mapped");
        for other in [source("203.0.113.9", Some("curl/8.5.0")), source("203.0.114.9", None)] {
            let other = other.unwrap();
            assert!(other.exact != home.exact && other.origin != home.origin);
        }
        let neighbour = source("203.0.113.0", None).unwrap();
        assert!(neighbour.exact != home.exact && neighbour.origin == home.origin);
        // An address that ends with zeros is not its network.
        assert_ne!(neighbour.exact, neighbour.origin);
        let v6 = source("2001:db8:1::", None).unwrap();
        assert_ne!(v6.exact, v6.origin);
        assert_eq!(source("104.28.28.1", None), None, "everybody shares a relay's");
        assert_eq!(source("8.25.203.10", None), None, "and a web proxy's");
        assert_eq!(source("junk", None), None);
    }

    #[test]
    fn what_declares_itself_says_how_surely() {
        let base = || Record { method: "GET".to_owned(), ..Record::default() };
        let text = |text: &str| Some(text.to_owned());
        for (record, expected) in [
            (base(), None),
            (Record { method: "HEAD".to_owned(), ..base() }, Some(("a method other than GET", true))),
            (Record { sec_purpose: text("prefetch;prerender"), ..base() }, Some(("a prefetch", false))),
            (Record { sec_purpose: text("preview"), ..base() }, Some(("a prefetch", false))),
            (Record { sec_purpose: text("other"), ..base() }, None),
            (
                Record { sec_ch_ua: text(r#""HeadlessChrome";v="129""#), ..base() },
                Some(("a headless browser in Sec-CH-UA", true)),
            ),
            (Record { user_agent: text("curl/8.5.0"), ..base() }, Some(("curl", true))),
            // A program's prefetch is a program.
            (
                Record { user_agent: text("curl/8.5.0"), sec_purpose: text("prefetch"), ..base() },
                Some(("curl", true)),
            ),
            (Record { user_agent: text("Mozilla/5.0"), ..base() }, Some(("Mozilla/5.0", false))),
        ] {
            assert_eq!(Signals::of(&record).declares(), expected, "{record:?}");
        }
    }

    #[test]
    fn a_list_of_addresses_names_a_scanner_wherever_one_stands() {
        for yes in
            ["40.92.1.1", "10.0.0.1, 203.0.113.9 ,40.92.1.1", "unknown,3.24.133.130", "::ffff:40.92.1.1"]
        {
            assert!(names_scanner(yes), "{yes}");
        }
        for no in ["", "203.0.113.9", "104.28.28.1", "8.25.203.10", "40.92.1.1:80", "x40.92.1.1", ","] {
            assert!(!names_scanner(no), "{no}");
        }
    }
}
