//! What depends on what: the one table of dependencies between clicks.
//!
//! A row says which clicks a click looks at: those that share a key with it, so long before it and so long after it. Read
//! forward, the table gives what a verdict depends on; mirrored, whose verdicts a click changes that comes late. Whoever
//! adds a rule with a window adds a row here: what is fetched, what is judged again, how long memory keeps clicks and what
//! shards exchange (every row with a crowd, [`super::evidence`]) follow from it.
//!
//! Carry-over looks at findings and not at clicks: [`CARRY_BEFORE_MS`] and [`CARRY_AFTER_MS`] are its row.

use super::bursts::{Burst, FANOUT, FANOUT_REACH_MS, SWEEP_REACH_MS};
use super::evidence::CONVICTION;
use super::windows::{self, Around, RETURN_MS};
use super::{Click, Judging, Ruleset, Thresholds, convictions, repeats};
use crate::record::Kind;
use crate::signals::Cookie;

/// What two clicks share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The recipient.
    Recipient,
    /// The link of a copy.
    Link,
    /// The link of a copy, and who asks for it ([`repeats::source`]).
    Requests,
    /// The URL.
    Url,
    /// The address and the agent, where not everybody shares them; where machines are rented, their network and the agent.
    Source,
    /// The network and the agent, likewise: what carry-over goes by.
    Origin,
}

impl By {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Recipient, Self::Link, Self::Requests, Self::Url, Self::Source, Self::Origin];

    /// Whether what is shared is one recipient's.
    #[must_use]
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Recipient | Self::Link | Self::Requests)
    }

    /// The click's key, where it has one.
    #[must_use]
    pub fn key(self, click: &Click) -> Option<u128> {
        match self {
            Self::Recipient => Some(click.recipient.number()),
            // Both are digests, so turned against each other they are as good as one.
            Self::Link => Some(click.recipient.number() ^ click.link.number().rotate_left(1)),
            Self::Requests => {
                let who = u128::from(repeats::source(click)).rotate_left(64);
                Self::Link.key(click).map(|link| link ^ who)
            }
            Self::Url => Some(click.url.number()),
            Self::Source => click.signals.own_source().map(|source| source.group.into()),
            Self::Origin => click.signals.own_source().map(|source| source.origin.into()),
        }
    }
}

/// A test of a click.
pub type Test = fn(&Click, &Thresholds) -> bool;

/// A span that depends on the settings, milliseconds.
pub type Span = fn(&Thresholds) -> i64;

/// One row: what a click that looks may see of clicks that are seen.
pub struct Dependency {
    /// What is looked for.
    pub name: &'static str,
    /// The rulesets that look.
    pub rulesets: &'static [Ruleset],
    /// What both clicks share.
    pub by: By,
    /// How long before the click, [`ALWAYS`] without end.
    pub before_ms: Span,
    /// How long after it.
    pub after_ms: Span,
    /// Whether a click looks.
    pub looks: Test,
    /// Whether a click is seen.
    pub is_seen: Test,
    /// So many on either side, the nearest, say all that there is to see; `None`: everything does.
    pub enough: Option<Enough>,
    /// Of what lies long before the clicks that look, so few say all; `None`: everything does.
    pub ends: Option<Ends>,
    /// Fewer clicks than these that share the key show nothing: then nobody has to look.
    pub fewest: usize,
    /// From each neighbour the reach begins anew.
    pub chains: bool,
    /// The proof of a person takes a click out of sight.
    pub heeds_proof: bool,
}

/// What different recipients' clicks that share a key show together, whichever object keeps them.
#[derive(Clone, Copy)]
pub struct Crowd {
    /// What shards call it where they exchange what crosses recipients. Frozen: deploys overlap.
    pub number: u8,
    /// So many recipients within so many milliseconds.
    pub shapes: fn(&Thresholds) -> Vec<(i64, u32)>,
    /// What it says of a click that counts and lies in one, by the shape's place in the list.
    pub show: fn(&mut Around, usize),
}

impl Crowd {
    /// So many different recipients on either side of a click, the nearest, say all that there is to see.
    #[must_use]
    pub fn enough(&self, thresholds: &Thresholds) -> usize {
        let counts = (self.shapes)(thresholds).into_iter().map(|(_, count)| count as usize);
        counts.max().unwrap_or_default()
    }
}

/// A row of the table, and the crowd that it looks for.
pub type Crowded = (&'static Dependency, &'static Crowd);

/// Of what so many are enough.
#[derive(Clone, Copy)]
pub enum Enough {
    /// Of different recipients, as many as the largest shape of what they show together asks for.
    Recipients(Crowd),
    /// Of clicks.
    Clicks(usize),
}

/// Which clicks of a recipient say all that its older ones do: the first few and the last few of each group. That is so where a
/// look takes in whole groups, or groups from their beginning or to their end.
#[derive(Clone, Copy)]
pub struct Ends {
    /// How many of each end.
    pub count: fn(&Thresholds) -> usize,
    /// What the clicks of a group have in common.
    pub group: fn(&Click) -> u64,
    /// How much time a group takes in, from a multiple of it on, milliseconds; [`ALWAYS`]: all of it, and any so many say all.
    pub span_ms: i64,
    /// To who looks later the last ones say all, and nobody else asks.
    pub are_last: bool,
}

/// Without end.
pub const ALWAYS: i64 = i64::MAX;

/// How long before a click a conviction of its source reaches it.
pub const CARRY_BEFORE_MS: i64 = convictions::FORWARD_MS;

/// How long after it.
pub const CARRY_AFTER_MS: i64 = convictions::BACK_MS;

const BOTH: &[Ruleset] = &[Ruleset::Defender, Ruleset::Full];
const DEFENDER: &[Ruleset] = &[Ruleset::Defender];
const FULL: &[Ruleset] = &[Ruleset::Full];

/// The table.
pub const TABLE: [Dependency; 9] = [
    Dependency {
        name: "pair",
        rulesets: BOTH,
        by: By::Recipient,
        before_ms: |t| t.pair_ms,
        after_ms: |t| t.pair_ms,
        looks: is_click,
        is_seen: is_click,
        enough: None,
        ends: None,
        fewest: 0,
        // Each click joins the first pair that it can: the last of many neighbours goes by the first.
        chains: true,
        heeds_proof: false,
    },
    Dependency {
        name: "early clicks",
        rulesets: BOTH,
        by: By::Recipient,
        before_ms: |_| ALWAYS,
        after_ms: |_| ALWAYS,
        looks: |click, t| is_early(click, t) && click.signals.is_microsoft(),
        is_seen: is_early,
        enough: None,
        // More of them change nothing.
        ends: Some(Ends { count: early_clicks, group: |_| 0, span_ms: ALWAYS, are_last: false }),
        fewest: 0,
        chains: false,
        heeds_proof: false,
    },
    Dependency {
        name: "sweep",
        rulesets: FULL,
        by: By::Recipient,
        before_ms: |_| SWEEP_REACH_MS,
        after_ms: |_| SWEEP_REACH_MS,
        looks: sweeps,
        is_seen: sweeps,
        enough: None,
        ends: None,
        fewest: 0,
        chains: false,
        heeds_proof: false,
    },
    Dependency {
        name: "repetition",
        rulesets: FULL,
        by: By::Requests,
        before_ms: |_| repeats::REACH_MS,
        after_ms: |_| repeats::REACH_MS,
        looks: is_click,
        is_seen: is_click,
        enough: Some(Enough::Clicks(repeats::SURE)),
        // Those that one more may change, and all that these look at.
        ends: Some(Ends { count: |_| 2 * repeats::SURE, group: request, span_ms: ALWAYS, are_last: true }),
        fewest: repeats::FEWEST,
        chains: false,
        heeds_proof: false,
    },
    Dependency {
        name: "fresh cookie",
        rulesets: FULL,
        by: By::Recipient,
        before_ms: |_| windows::FRESH_MS,
        after_ms: |_| 0,
        looks: |click, _| click.kind != Kind::Open && matches!(click.signals.cookie, Cookie::Returning(_)),
        is_seen: |click, t| is_click(click, t) && windows::is_new(click),
        enough: None,
        ends: None,
        fewest: 0,
        chains: false,
        heeds_proof: false,
    },
    Dependency {
        name: "return without the cookie",
        rulesets: FULL,
        by: By::Recipient,
        before_ms: |_| RETURN_MS,
        after_ms: |_| 0,
        looks: |click, t| is_click(click, t) && windows::is_new(click),
        is_seen: |click, t| is_click(click, t) && windows::got_cookie(click),
        enough: None,
        // One is enough. A look takes in nearly a day: it never lies within one group.
        ends: Some(Ends {
            count: |_| 1,
            group: |click| click.signals.browser,
            span_ms: RETURN_MS / 2,
            are_last: false,
        }),
        fewest: 0,
        chains: false,
        heeds_proof: false,
    },
    Dependency {
        name: "campaign",
        rulesets: DEFENDER,
        by: By::Url,
        before_ms: |t| t.campaign_ms,
        after_ms: |t| t.campaign_ms,
        looks: |click, t| is_click(click, t) && click.signals.is_microsoft(),
        is_seen: is_click,
        enough: Some(Enough::Recipients(Crowd { number: 1, shapes: campaign, show: show_campaign })),
        ends: None,
        fewest: 0,
        chains: false,
        heeds_proof: false,
    },
    Dependency {
        name: "campaign",
        rulesets: FULL,
        by: By::Url,
        before_ms: |t| t.campaign_ms,
        after_ms: |t| t.campaign_ms,
        looks: |click, t| is_click(click, t) && click.signals.is_microsoft(),
        is_seen: |click, t| is_click(click, t) && windows::counts_in_campaign(Ruleset::Full, click),
        enough: Some(Enough::Recipients(Crowd { number: 2, shapes: campaign, show: show_campaign })),
        ends: None,
        fewest: 0,
        chains: false,
        heeds_proof: true,
    },
    Dependency {
        name: "fan-out",
        rulesets: FULL,
        by: By::Source,
        before_ms: |_| FANOUT_REACH_MS,
        after_ms: |_| FANOUT_REACH_MS,
        looks: is_click,
        is_seen: is_click,
        enough: Some(Enough::Recipients(Crowd { number: 3, shapes: fanouts, show: show_fanout })),
        ends: None,
        fewest: 0,
        chains: false,
        heeds_proof: false,
    },
];

fn is_click(click: &Click, _: &Thresholds) -> bool {
    click.kind == Kind::Click
}

fn sweeps(click: &Click, _: &Thresholds) -> bool {
    click.sweeps()
}

fn campaign(thresholds: &Thresholds) -> Vec<(i64, u32)> {
    vec![(thresholds.campaign_ms, u32::try_from(thresholds.campaign_recipients).unwrap_or(u32::MAX))]
}

fn show_campaign(around: &mut Around, _: usize) {
    around.in_burst = true;
}

fn fanouts(_: &Thresholds) -> Vec<(i64, u32)> {
    FANOUT.iter().map(|shape| (shape.within_ms, shape.count)).collect()
}

fn show_fanout(around: &mut Around, at: usize) {
    if let Some(shape) = FANOUT.get(at).filter(|shape| around.fanout.points < shape.points) {
        around.fanout = Burst { points: shape.points, shape: Some(*shape), whole_copy: false };
    }
}

fn request(click: &Click) -> u64 {
    click.link.short() ^ repeats::source(click).rotate_left(32)
}

fn early_clicks(thresholds: &Thresholds) -> usize {
    usize::try_from(thresholds.sandbox_clicks).unwrap_or(usize::MAX)
}

fn is_early(click: &Click, thresholds: &Thresholds) -> bool {
    click.kind == Kind::Click && click.delta_ms() < thresholds.sandbox_ms
}

impl Judging {
    /// The rows that the rulesets in force ask for.
    #[must_use]
    pub fn dependencies(&self) -> Vec<&'static Dependency> {
        let asks = |ruleset: &Ruleset| self.ruleset == *ruleset || self.shadow == Some(*ruleset);
        TABLE.iter().filter(|row| row.rulesets.iter().any(asks)).collect()
    }

    /// How far two clicks may lie apart of which one is looked at from the other, milliseconds; what is looked for over half an
    /// hour or longer apart, which is the recipient's own and found by the recipient.
    #[must_use]
    pub fn reach_ms(&self) -> i64 {
        let mut reach_ms = 0;
        for row in self.dependencies().into_iter().filter(|row| row.by != By::Requests) {
            for span in [row.before_ms, row.after_ms] {
                let ms = span(&self.thresholds);
                reach_ms = if ms < RETURN_MS { reach_ms.max(ms) } else { reach_ms };
            }
        }
        reach_ms
    }

    /// The crowds that the rulesets in force ask for.
    #[must_use]
    pub fn crowds(&self) -> Vec<Crowded> {
        let crowd = |row: &'static Dependency| match &row.enough {
            Some(Enough::Recipients(crowd)) => Some((row, crowd)),
            _ => None,
        };
        self.dependencies().into_iter().filter_map(crowd).collect()
    }

    /// The groups that a click stands in ([`super::evidence`]): of those crowds in force that see it, and of its source and origin.
    /// Each with the place of its row among the crowds, the last two behind all of them.
    pub fn groups_of(&self, crowds: &[Crowded], click: &Click, each: &mut dyn FnMut(usize, (u64, u8))) {
        for (at, (row, crowd)) in crowds.iter().enumerate() {
            if (row.is_seen)(click, &self.thresholds)
                && let Some(key) = row.by.key(click)
            {
                let half = (key >> 64 ^ key) & u128::from(u64::MAX);
                each(at, (u64::try_from(half).unwrap_or_default(), crowd.number));
            }
        }
        let source = click.signals.own_source();
        for place in source.map(|source| [source.exact, source.origin]).into_iter().flatten() {
            each(crowds.len(), (place, CONVICTION));
        }
    }

    /// The longest window of a crowd, milliseconds.
    #[must_use]
    pub fn crowd_reach_ms(&self) -> i64 {
        let shapes = self.crowds().into_iter().flat_map(|(_, crowd)| (crowd.shapes)(&self.thresholds));
        shapes.fold(0, |reach_ms, (within_ms, _)| reach_ms.max(within_ms))
    }
}
