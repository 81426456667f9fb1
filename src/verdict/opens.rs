//! Opens: judged by their own signals alone (contract §6), because most of them are nobody's.
//!
//! A mail provider's image proxy, or a privacy prefetch, fetches the pixel for its user, often before or without any
//! reading: that is a `proxy_open`, which is neither a person nor a scanner, and the place that it comes from is the
//! proxy's. What is left is a scanner by its own word or network, or a mail program.

use std::borrow::Cow;

use super::{ClickType, Confidence, Finding};
use crate::signals::agents::AgentClass;
use crate::signals::catalogue::Class;
use crate::signals::{Record, Signals};

/// Judges an open.
#[must_use]
pub fn judge(record: &Record) -> Finding {
    let signals = Signals::of(record);
    let class = signals.place.map(|network| network.class);
    let agent = signals.agent.map(|agent| agent.class);
    let by_agent = matches!(agent, Some(AgentClass::ImageProxy | AgentClass::Prefetch));
    let vendor = signals.agent.and_then(|agent| agent.vendor);
    let network_vendor = signals.place.map(|network| network.vendor);
    let (click_type, rule, vendor, confidence) = if by_agent {
        (ClickType::ProxyOpen, "image_proxy", vendor.or(network_vendor), Confidence::Certain)
    } else if class == Some(Class::ImageProxy) {
        (ClickType::ProxyOpen, "image_proxy", network_vendor, Confidence::Probable)
    } else if let Some((_, certainly)) = signals.declares() {
        let confidence = if certainly { Confidence::Certain } else { Confidence::Probable };
        (ClickType::ScannerDeclared, "declared", vendor, confidence)
    } else if class.is_some_and(Class::is_scanner) {
        let confidence =
            if class == Some(Class::ScannerCertain) { Confidence::Certain } else { Confidence::Probable };
        (ClickType::ScannerGateway, "scanner_network", network_vendor, confidence)
    } else {
        (ClickType::Human, "human", None, Confidence::Probable)
    };
    let spoken = [
        (by_agent, "+image_proxy_agent"),
        (class == Some(Class::ImageProxy), "+image_proxy_network"),
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
