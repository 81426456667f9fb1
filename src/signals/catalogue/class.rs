//! The words that the catalogue's data files may say: classes, scopes, feeds, and how well a wrapper is known. The build
//! script includes this file too, so what the files may say and what the Worker knows are one list: a new class is one
//! line here.

use crate::record::named::named;

named! {
    /// What a request from a network is worth as evidence.
    pub enum Class {
        /// Only scanners send from there.
        ScannerCertain = "scanner-certain",
        /// Scanners send from there, but so does something that may act for a person.
        ScannerProbable = "scanner-probable",
        /// Crawlers of antivirus and anti-phishing houses: they open links that somebody else reported or mailed, or that a
        /// firewall of theirs saw.
        ThreatIntelligence = "threat-intelligence",
        /// A web gateway, browser isolation or proxy: people browse through it, whatever else its owner does.
        HumanProxy = "human-proxy",
        /// A privacy relay: people, though it looks like a data centre.
        Relay = "relay",
        /// Rented machines, and those of services that fetch previews: people rarely browse from there, but cloud PCs, VPNs
        /// and a service's staff do.
        Hosting = "hosting",
        /// A mail provider's image proxy: it fetches for a person or ahead of one, from its own place.
        ImageProxy = "image-proxy",
    }
}

impl Class {
    /// Whether one tenant's machines stand side by side there, under whichever agents: people have no neighbours in such a
    /// network. Where browser isolation may be, they have.
    #[must_use]
    pub const fn is_machines(self) -> bool {
        matches!(self, Self::Hosting | Self::ScannerCertain | Self::ThreatIntelligence)
    }

    /// Whether scanners send from there.
    #[must_use]
    pub const fn is_scanner(self) -> bool {
        matches!(self, Self::ScannerCertain | Self::ScannerProbable)
    }
}

named! {
    /// Which requests a section of the catalogue speaks of.
    pub enum Scope {
        /// Any.
        All = "all",
        /// Only clicks on links.
        Clicks = "clicks",
        /// Only images that are fetched when a mail is opened.
        Opens = "opens",
    }
}

named! {
    /// The vendors' live lists that sections can be refreshed from.
    pub enum Feed {
        /// Azure's service tags; a section names one tag.
        Azure = "azure",
        /// The Microsoft 365 endpoints; a section names the numbers of its sets.
        Microsoft365 = "microsoft365",
        /// Where iCloud Private Relay comes out.
        Apple = "apple",
        /// Google's fetchers that act for a user.
        Google = "google",
        /// Amazon's ranges; a section names one service.
        Aws = "aws",
    }
}

named! {
    /// How well it is known that a host rewrites links.
    pub enum Status {
        /// The vendor says so.
        Documented = "documented",
        /// Seen in mail, in logs or in code that undoes the rewriting.
        Seen = "seen",
        /// Listed somewhere, neither documented nor seen.
        Believed = "believed",
    }
}
