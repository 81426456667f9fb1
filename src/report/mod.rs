//! Counts of a message's clicks by their current verdicts, and what they mean for the sender ([`diagnosis`]).

pub mod diagnosis;

use std::collections::HashMap;

use serde::{Serialize, Serializer};

use crate::event::body::Entry;
use crate::record::EventId;
use crate::record::Kind;
use crate::verdict::ClickType;
use crate::verdict::order::arranged;

pub use diagnosis::Diagnosis;

/// The width of the timeline's steps.
const MINUTE_MS: i64 = 60_000;

/// Clicks by their type: the type is the place.
type Counts = [i64; ClickType::COUNT];

/// Clicks by their type's name, in its order.
#[derive(Debug, PartialEq, Eq)]
pub struct ByType(Vec<(&'static str, i64)>);

impl ByType {
    fn of(counts: impl Iterator<Item = (ClickType, i64)>) -> Self {
        let mut by_type = Vec::with_capacity(ClickType::COUNT);
        for (kind, count) in counts {
            *value_of(&mut by_type, &kind.name()) = count;
        }
        Self(by_type)
    }
}

impl Serialize for ByType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// The value of a key in a list that stands in their order; a new one where there is none. Lists grow by one link or one
/// minute now and then, and a tree for each kind of them would be eight kilobytes of wasm.
fn value_of<'a, K: Ord + Clone, V: Default>(list: &'a mut Vec<(K, V)>, key: &K) -> &'a mut V {
    let place = list.binary_search_by(|(known, _)| known.cmp(key)).unwrap_or_else(|place| {
        list.insert(place, (key.clone(), V::default()));
        place
    });
    &mut list[place].1
}

/// The report of a message (contract §8).
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The message.
    pub message_id: String,
    /// Clicks stored.
    pub clicks: i64,
    /// Clicks of each type, those without any included.
    pub by_type: ByType,
    /// Clicks that people made.
    pub human_clicks: i64,
    /// Distinct recipients with such a click.
    pub human_recipients: usize,
    /// Distinct recipients with any click.
    pub recipients: usize,
    /// Clicks of the published table's five scanner types.
    pub is_defender_bot: i64,
    /// Clicks whose verdict is still provisional.
    pub unsettled: i64,
    /// Clicks counted and not stored.
    pub repeats: i64,
    /// By link, the most clicked first.
    pub links: Vec<LinkCount>,
    /// By minute, those without a click left out.
    pub timeline: Vec<Minute>,
    /// What to do next.
    pub diagnosis: Vec<Diagnosis>,
    /// Where the shadow ruleset differs, once it has judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Difference>,
}

/// What would change if the shadow ruleset were the active one.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The shadow ruleset that judged last.
    pub ruleset: String,
    /// Clicks that both rulesets have judged.
    pub clicks: i64,
    /// Those to which they give different types.
    pub differ: i64,
    /// People's by the active ruleset that the shadow calls scanners'.
    pub human_to_scanner: i64,
    /// Scanners' by the active ruleset that the shadow calls people's.
    pub scanner_to_human: i64,
    /// Every change of type, in the order of the types.
    pub changes: Vec<Change>,
}

/// Clicks that change from one type to another.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What the active ruleset says.
    pub active: &'static str,
    /// What the shadow says.
    pub shadow: &'static str,
    /// How many.
    pub clicks: i64,
}

/// Clicks of one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkCount {
    /// The link.
    pub link_id: Option<String>,
    /// Where it leads: the first URL seen, where they differ by recipient.
    pub url: Option<String>,
    /// Clicks stored.
    pub clicks: i64,
    /// Clicks that people made.
    pub human_clicks: i64,
}

/// Clicks of one minute.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// Its beginning, Unix milliseconds.
    pub ts_ms: i64,
    /// Clicks by type; types without one are left out.
    pub by_type: ByType,
}

/// Adds up entries: first verdicts count a click, amendments move it from one type to another.
#[derive(Default)]
pub struct Tally {
    clicks: i64,
    unsettled: i64,
    by_type: Counts,
    /// For each recipient the clicks of each kind that the report and the diagnosis tell apart.
    recipients: HashMap<u64, PerRecipient>,
    /// In the order of their names.
    links: Vec<(Option<String>, PerLink)>,
    /// In their order.
    minutes: Vec<(i64, Counts)>,
    /// By the active type, then the shadow's.
    opinions: [Counts; ClickType::COUNT],
    /// The shadow ruleset of the last entry that has one.
    shadow: String,
}

#[derive(Clone, Copy, Default)]
struct PerRecipient {
    human: i32,
    time_of_click: i32,
}

#[derive(Default)]
struct PerLink {
    url: Option<String>,
    clicks: i64,
    human: i64,
}

impl Tally {
    /// Adds a revision of a click (what is no click is not counted) of a recipient, by the first half of its key, on a link: `link_id` and `url`.
    pub fn add(
        &mut self,
        id: EventId,
        recipient: u64,
        link: &(Option<String>, Option<String>),
        entry: &Entry,
    ) {
        if entry.kind != Kind::Click {
            return;
        }
        let first = entry.verdict.revision <= 1;
        self.clicks += i64::from(first);
        self.unsettled += i64::from(!entry.verdict.is_final);
        let person = self.recipients.entry(recipient).or_default();
        let name = link.0.clone().or_else(|| link.1.clone());
        let per_link = value_of(&mut self.links, &name);
        per_link.clicks += i64::from(first);
        if per_link.url.is_none() {
            per_link.url.clone_from(&link.1);
        }
        let minute = value_of(&mut self.minutes, &(id.ts_ms().div_euclid(MINUTE_MS) * MINUTE_MS));
        let was = entry.was.filter(|_| !first).map(|kind| (kind, -1));
        let is = entry.verdict.finding.click_type.map(|kind| (kind, 1));
        if let Some(shadow) = &entry.verdict.shadow {
            shadow.ruleset.as_ref().clone_into(&mut self.shadow);
        }
        let second = entry.verdict.shadow.as_ref().and_then(|shadow| shadow.finding.click_type);
        let gone = entry.was.zip(entry.was_shadow).filter(|_| !first).map(|pair| (pair, -1));
        let come = entry.verdict.finding.click_type.zip(second).map(|pair| (pair, 1));
        for ((active, shadow), step) in gone.into_iter().chain(come) {
            self.opinions[active as usize][shadow as usize] += step;
        }
        for (kind, step) in was.into_iter().chain(is) {
            self.by_type[kind as usize] += i64::from(step);
            minute[kind as usize] += i64::from(step);
            match kind {
                ClickType::Human => {
                    person.human += step;
                    per_link.human += i64::from(step);
                }
                ClickType::ScannerTimeOfClick => person.time_of_click += step,
                _ => {}
            }
        }
    }

    /// The report of what was added.
    #[must_use]
    pub fn report(self, message_id: &str, repeats: i64) -> Report {
        let count = |kind: ClickType| self.by_type[kind as usize];
        let with =
            |test: fn(&PerRecipient) -> bool| self.recipients.values().filter(|person| test(person)).count();
        let facts = diagnosis::Facts {
            clicks: self.clicks,
            recipients: self.recipients.len(),
            safe_links_recipients: with(|person| person.time_of_click > 0),
            sandboxed: count(ClickType::ScannerSafeAttachments),
            correlated: count(ClickType::ScannerCampaignView),
            investigated: count(ClickType::ScannerAirOrMbi),
        };
        let shadow = Difference::of(self.shadow, &self.opinions);
        let links: Vec<LinkCount> = self
            .links
            .into_iter()
            .map(|(link_id, PerLink { url, clicks, human })| LinkCount {
                link_id,
                url,
                clicks,
                human_clicks: human,
            })
            .collect();
        let links = arranged(&links, &|link| (0, u128::from(u64::MAX - link.clicks.cast_unsigned())));
        let named = |counts: Counts| {
            let kinds = ClickType::CLICKS.into_iter().map(|kind| (kind, counts[kind as usize]));
            ByType::of(kinds.filter(|(_, n)| *n != 0))
        };
        Report {
            message_id: message_id.to_owned(),
            clicks: self.clicks,
            by_type: ByType::of(ClickType::CLICKS.into_iter().map(|kind| (kind, count(kind)))),
            human_clicks: count(ClickType::Human),
            human_recipients: with(|person| person.human > 0),
            recipients: self.recipients.len(),
            is_defender_bot: ClickType::CLICKS
                .into_iter()
                .filter(|kind| kind.is_defender_bot())
                .map(count)
                .sum(),
            unsettled: self.unsettled,
            repeats,
            links,
            timeline: self
                .minutes
                .into_iter()
                .map(|(ts_ms, counts)| Minute { ts_ms, by_type: named(counts) })
                .collect(),
            diagnosis: diagnosis::of(&facts),
            shadow,
        }
    }
}

impl Difference {
    fn of(ruleset: String, opinions: &[Counts; ClickType::COUNT]) -> Option<Self> {
        let (mut clicks, mut differ, mut human_to_scanner, mut scanner_to_human) = (0, 0, 0, 0);
        let mut changes = Vec::new();
        for active in ClickType::CLICKS {
            for shadow in ClickType::CLICKS {
                let count = opinions[active as usize][shadow as usize];
                clicks += count;
                if active == shadow || count == 0 {
                    continue;
                }
                differ += count;
                human_to_scanner += if active == ClickType::Human { count } else { 0 };
                scanner_to_human += if shadow == ClickType::Human { count } else { 0 };
                changes.push(Change { active: active.name(), shadow: shadow.name(), clicks: count });
            }
        }
        (clicks > 0).then_some(Self { ruleset, clicks, differ, human_to_scanner, scanner_to_human, changes })
    }
}
