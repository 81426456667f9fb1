//! What one request shows by itself: stateless, taken at the edge.
//!
//! [`record`] is the request as the world stores it, [`event_id`] its name, [`cookie`] what the browser brought back,
//! [`catalogue`] whose network it came from. [`Signals`] is what the rules read of all that.

pub mod catalogue;
pub mod cookie;
pub mod event_id;
pub mod record;

use catalogue::{Class, Network};

use crate::link::url;

pub use event_id::EventId;
pub use record::Record;

/// The domain of Safe Links, whose hosts stand in the referer of a click that it checked.
const SAFELINKS: &str = "safelinks.protection.outlook.com";

/// The signals of one click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    /// The referer is a URL of Safe Links.
    pub safelinks_referer: bool,
    /// There is a referer at all.
    pub has_referer: bool,
    /// The address could be read.
    pub has_address: bool,
    /// The catalogue's entry for the address.
    pub network: Option<&'static Network>,
}

impl Signals {
    /// The signals of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let address = record.ip.as_deref().and_then(catalogue::parse_ip);
        Self {
            safelinks_referer: record.referer.as_deref().is_some_and(is_safelinks),
            has_referer: record.referer.is_some(),
            has_address: address.is_some(),
            network: address.and_then(|ip| catalogue::lookup(ip, catalogue::Request::Click)),
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
}
