//! The names of the rulesets. Their rules are in [`super::rules`].

/// A named, versioned, ordered list of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruleset {
    /// The published decision table, exactly (contract §5).
    Defender,
    /// The default (contract §6): the table's core, and the scanners that it does not know.
    Full,
}

impl Ruleset {
    /// The names that settings and flags take.
    pub const NAMES: [&'static str; 2] = ["defender", "full"];

    /// The ruleset of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "defender" => Some(Self::Defender),
            "full" => Some(Self::Full),
            _ => None,
        }
    }

    /// Name and version, as verdicts carry it. A change of a verdict is a change of the version.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Defender => "defender@1",
            Self::Full => "full@2",
        }
    }
}
