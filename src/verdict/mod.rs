//! What a click was: the step from signals to a typed, explained, revisable verdict.
//!
//! [`click`] is the little of a click that the rules look at, [`windows`], [`bursts`] and [`repeats`] what they see around it,
//! all of which makes a [`case`]; [`rules`] are the tables that decide a [`finding`], [`convictions`] holds what a source's
//! convictions mean for its other clicks, [`explain`] says why. [`reach`] says what depends on what, [`evidence`] what of it the
//! shards of a message exchange. A finding with a place
//! in time is a verdict ([`revision`]).
//!
//! One engine ([`judgement`]) serves the Durable Object, the CLI and the tests: the object hands it a slice of the
//! message's history that holds everything its clicks depend on, the CLI the whole history.

pub mod bursts;
pub mod case;
pub mod click;
pub mod convictions;
pub mod delay;
pub mod evidence;
pub mod explain;
pub mod finding;
pub mod judgement;
pub mod judging;
mod key;
pub mod order;
pub mod reach;
pub mod repeats;
pub mod revision;
pub mod rules;
pub mod ruleset;
pub mod thresholds;
pub mod windows;

pub use click::Click;
pub use finding::{ClickType, Confidence, Finding};
pub use judgement::{JudgedHistory, Judgement, judge};
pub use judging::Judging;
pub use key::Key;
pub use revision::Verdict;
pub use rules::Rule;
pub use ruleset::Ruleset;
pub use thresholds::Thresholds;
pub use windows::{Look, Windows};
