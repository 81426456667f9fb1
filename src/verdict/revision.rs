//! A finding as the world receives it: with its flags, its ruleset and its place in time.

use std::borrow::Cow;

use serde::Serialize;

use super::{ClickType, Finding, Ruleset};
use crate::record::Verified;

/// A finding as the world receives it (contract §6): with its flags, its ruleset and its place in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// `click_type` begins with `scanner_`.
    pub is_bot: bool,
    /// One of the published table's five scanner types.
    pub is_defender_bot: bool,
    /// What the landing page showed.
    pub verified: Verified,
    /// Name and version of the ruleset, such as `full@3`.
    pub ruleset: Cow<'static, str>,
    /// 0 is provisional, 1 the settled verdict, higher ones amend it.
    pub revision: u32,
    /// Whether the click's look-ahead windows have closed.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// What the shadow ruleset says of the click, where one is set: a second opinion that decides nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Box<Self>>,
}

impl Verdict {
    /// Gives a finding its place: revision 0 is provisional, every later one final.
    #[must_use]
    pub fn new(finding: Finding, ruleset: Ruleset, revision: u32) -> Self {
        Self::of(finding, Cow::Borrowed(ruleset.label()), revision)
    }

    /// The same by a ruleset's label, which may be another version's.
    #[must_use]
    pub fn of(finding: Finding, ruleset: Cow<'static, str>, revision: u32) -> Self {
        let kind = finding.click_type;
        Self {
            is_bot: kind.is_some_and(ClickType::is_bot),
            is_defender_bot: kind.is_some_and(ClickType::is_defender_bot),
            finding,
            verified: Verified::None,
            ruleset,
            revision,
            is_final: revision > 0,
            shadow: None,
        }
    }

    /// Adds what the landing page showed.
    #[must_use]
    pub fn with_verified(mut self, verified: Verified) -> Self {
        self.verified = verified;
        self
    }

    /// Adds what the shadow ruleset found.
    #[must_use]
    pub fn with_shadow(mut self, shadow: Option<(Finding, Ruleset)>) -> Self {
        let verdict = |(finding, ruleset)| {
            Box::new(Self::new(finding, ruleset, self.revision).with_verified(self.verified))
        };
        self.shadow = shadow.map(verdict);
        self
    }
}
