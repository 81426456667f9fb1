//! The names of the rulesets. Their rules are in [`super::rules`].

use crate::record::named::named;

named! {
    /// A named, versioned, ordered list of rules.
    pub enum Ruleset {
        /// The published decision table, exactly (contract §5).
        Defender = "defender",
        /// The default (contract §6): the table's core, and the scanners that it does not know.
        Full = "full",
    }
}

impl Ruleset {
    /// The names that settings and flags take.
    pub const NAMES: [&'static str; Self::ALL.len()] = [Self::Defender.name(), Self::Full.name()];

    /// Name and version, as verdicts carry it. A change of a verdict is a change of the version.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Defender => "defender@1",
            Self::Full => "full@3",
        }
    }
}
