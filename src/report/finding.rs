//! One thing that a report means: a stable name, how much it matters, and a sentence for people.

use serde::Serialize;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look into it before the next send.
    Warning,
    /// Act now.
    Critical,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Stable name.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen and what to do.
    pub text: String,
}
