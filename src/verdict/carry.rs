//! Carry-over: what a convicted source does beside its conviction is the same machine's.
//!
//! A source is an address and an agent, an origin the address's network (/24, in IPv6 /48) and an agent. A click that no
//! other rule decides is held against the convictions of its source and origin within the message: up to
//! [`FORWARD_MS`] after one, and up to [`BACK_MS`] before one, which is as long as clicks wait unsettled by default.
//! Only rules that look at the request itself and its bursts convict: never a carry-over, so it cannot spread.

use std::collections::BTreeMap;

use super::{Click, ClickType, Finding};

/// How long after a conviction its source is held for the same machine, milliseconds (Paminga: fifteen minutes on the
/// same address or agent).
pub const FORWARD_MS: i64 = 900_000;

/// How long before a conviction: the clicks that are unsettled when it comes, milliseconds.
pub const BACK_MS: i64 = 60_000;

/// What a conviction of the same address and agent is worth as evidence.
const SAME_SOURCE: i32 = 15;

/// What one of the same network and agent is worth.
const SAME_ORIGIN: i32 = 10;

/// The rules whose convictions are carried over. Not those that a person's own browser can set off beside the person
/// (prefetches, the pair), and not those that know a network anyway.
const CARRIED: [&str; 7] =
    ["safe_attachments", "campaign_view", "gateway", "scanner_network", "sweep", "fanout", "headless"];

/// What a finding convicts its source of, if it does.
#[must_use]
pub fn conviction(finding: &Finding) -> Option<ClickType> {
    finding.click_type.filter(|kind| kind.is_bot() && CARRIED.contains(&finding.rule.as_ref()))
}

/// Whether the finding would be another one beside a conviction: nothing else has decided.
#[must_use]
pub fn is_open(finding: &Finding) -> bool {
    matches!(finding.rule.as_ref(), "human" | "carry_over")
}

/// A conviction that reaches a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// What its click was.
    pub click_type: ClickType,
    /// When that was, Unix milliseconds.
    pub ts_ms: i64,
    /// Of the same address, not only of the same network.
    pub same_source: bool,
}

impl Carried {
    /// What it is worth as evidence.
    #[must_use]
    pub const fn points(self) -> i32 {
        if self.same_source { SAME_SOURCE } else { SAME_ORIGIN }
    }
}

/// One place: a source or an origin, in one number.
type Place = u64;

/// The convictions of a message, by place and time. It is a multiset, so that one can be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Convictions(BTreeMap<(Place, i64, ClickType), u32>);

impl Convictions {
    /// Adds the conviction of a click.
    pub fn add(&mut self, click: &Click, kind: ClickType) {
        for place in places(click) {
            *self.0.entry((place, click.ts_ms, kind)).or_default() += 1;
        }
    }

    /// Takes a conviction back.
    pub fn remove(&mut self, click: &Click, kind: ClickType) {
        for place in places(click) {
            let key = (place, click.ts_ms, kind);
            if let Some(count) = self.0.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.0.remove(&key);
                }
            }
        }
    }

    /// Adds all of another's.
    pub fn extend(&mut self, others: &Self) {
        for (key, count) in &others.0 {
            *self.0.entry(*key).or_default() += count;
        }
    }

    /// Lets go of convictions before a moment, Unix milliseconds.
    pub fn forget_before(&mut self, ts_ms: i64) {
        self.0.retain(|(_, at_ms, _), _| *at_ms >= ts_ms);
    }

    /// The conviction that reaches a click: its source's before its origin's, the last one before the click before the
    /// first one after it.
    #[must_use]
    pub fn reaching(&self, click: &Click) -> Option<Carried> {
        let near = |place: Place| {
            let ts_ms = click.ts_ms;
            let from = (place, ts_ms.saturating_sub(FORWARD_MS), ClickType::FIRST);
            let here = (place, ts_ms, ClickType::LAST);
            let until = (place, ts_ms.saturating_add(BACK_MS), ClickType::LAST);
            let before = self.0.range(from..=here).next_back();
            before.or_else(|| self.0.range(here..=until).next()).map(|((_, ts_ms, kind), _)| (*ts_ms, *kind))
        };
        let carried = |(ts_ms, click_type), same_source| Carried { click_type, ts_ms, same_source };
        let source = click.signals.own_source()?;
        near(source.exact)
            .map(|found| carried(found, true))
            .or_else(|| near(source.origin).map(|found| carried(found, false)))
    }
}

fn places(click: &Click) -> impl Iterator<Item = Place> {
    click.signals.own_source().into_iter().flat_map(|source| [source.exact, source.origin])
}
