//! The running tally: a message's events counted by their current verdicts.
//!
//! It adds and subtracts: an amendment takes out what the revision before had put in. So tallies of parts of a history add up to
//! that of the whole, in whichever order, and a report reads a few sums and never all packs ([`super::stored`] is how sums are
//! kept).

use super::about::About;
use super::counts::{ByName, ByType, Counts, Names, value_of};
use super::diagnosis;
use super::figures::{
    Acts, Delay, Difference, Group, Groups, LinkCount, Minute, Opens, Rates, Report, Verifieds,
};
use crate::event::body::{Entry, Past};
use crate::record::{EventId, Kind, Verified};
use crate::verdict::order::arranged;
use crate::verdict::{ClickType, Confidence, Verdict, delay};

/// The width of the timeline's steps, milliseconds.
const MINUTE_MS: i64 = 60_000;

/// Of whom the clicks were, on what, in which part of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// The first half of the recipient's key.
    pub(super) recipient: u64,
    /// The place of the group in the list of groups.
    pub(super) group: u32,
    /// The place of the link in the list of links.
    pub(super) link: u32,
    pub(super) clicks: i64,
    pub(super) human: i64,
    pub(super) time_of_click: i64,
}

/// Clicks of one link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PerLink {
    pub(super) url: Option<String>,
    pub(super) clicks: i64,
    pub(super) human: i64,
}

/// The plain sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) clicks: i64,
    pub(super) unsettled: i64,
    pub(super) by_type: Counts,
    /// By the confidence's number.
    pub(super) confidence: [i64; Confidence::ALL.len()],
    pub(super) delay: [Counts; delay::STEPS],
    pub(super) opens: i64,
    pub(super) opens_by_type: Counts,
    /// By kind.
    pub(super) acts: [i64; Kind::ALL.len()],
    pub(super) machine_acts: i64,
    /// By level.
    pub(super) verified: [i64; Verified::ALL.len()],
    /// By the active type, then the shadow's.
    pub(super) opinions: [Counts; ClickType::COUNT],
}

const NONE: Counts = [0; ClickType::COUNT];

impl Default for Sums {
    fn default() -> Self {
        Self {
            clicks: 0,
            unsettled: 0,
            by_type: NONE,
            confidence: [0; Confidence::ALL.len()],
            delay: [NONE; delay::STEPS],
            opens: 0,
            opens_by_type: NONE,
            acts: [0; Kind::ALL.len()],
            machine_acts: 0,
            verified: [0; Verified::ALL.len()],
            opinions: [NONE; ClickType::COUNT],
        }
    }
}

impl Sums {
    /// Every number in it, in an order that is the stored form's, too.
    pub(super) fn numbers(&mut self) -> Vec<&mut i64> {
        let mut numbers =
            vec![&mut self.clicks, &mut self.unsettled, &mut self.opens, &mut self.machine_acts];
        numbers.extend(&mut self.by_type);
        numbers.extend(&mut self.confidence);
        numbers.extend(&mut self.opens_by_type);
        numbers.extend(&mut self.acts);
        numbers.extend(&mut self.verified);
        numbers.extend(self.delay.as_flattened_mut());
        numbers.extend(self.opinions.as_flattened_mut());
        numbers
    }
}

/// A tally.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub(super) sums: Sums,
    /// The time of the first event and that of the last, Unix milliseconds.
    pub(super) span_ms: Option<(i64, i64)>,
    /// In the order of their names.
    pub(super) vendors: Vec<(String, i64)>,
    pub(super) groups: Names,
    /// At the groups' places.
    pub(super) per_group: Vec<Counts>,
    pub(super) links: Names,
    /// At the links' places.
    pub(super) per_link: Vec<PerLink>,
    /// In their order.
    pub(super) minutes: Vec<(i64, Counts)>,
    /// In the order of recipient, group and link, each once, up to `sorted`; behind it as they came.
    pub(super) shares: Vec<Share>,
    pub(super) sorted: usize,
    /// The shadow ruleset of the last event that has one.
    pub(super) shadow: String,
    /// Verdicts that cannot be read; 0 unless storage is damaged, or a later version wrote there.
    pub unreadable: i64,
    /// Recipients of whom there are no shares: other objects have counted them, and nobody else's.
    pub(super) counted: People,
}

/// An event to be counted: who, where, and what a revision says of it.
pub struct Counted<'a> {
    /// The event.
    pub id: EventId,
    /// The first half of the recipient's key.
    pub recipient: u64,
    /// `link_id` and `url`.
    pub link: (Option<&'a str>, Option<&'a str>),
    /// What it was found to be.
    pub entry: &'a Entry,
}

/// What one revision puts in, and the next takes out.
struct Said<'a> {
    click_type: Option<ClickType>,
    shadow_type: Option<ClickType>,
    vendor: Option<&'a str>,
    confidence: Confidence,
    verified: Verified,
    delay: Option<u8>,
    is_final: bool,
}

impl<'a> Said<'a> {
    fn by(entry: &'a Entry) -> Self {
        let Verdict { finding, shadow, verified, is_final, .. } = &entry.verdict;
        Self {
            click_type: finding.click_type,
            shadow_type: shadow.as_ref().and_then(|shadow| shadow.finding.click_type),
            vendor: finding.vendor.as_deref(),
            confidence: finding.confidence,
            verified: *verified,
            delay: entry.delay,
            is_final: *is_final,
        }
    }

    /// What the revision before said.
    fn before(entry: &'a Entry, past: &'a Past) -> Self {
        Self {
            click_type: entry.was,
            shadow_type: entry.was_shadow,
            vendor: past.vendor.as_deref(),
            confidence: past.confidence,
            verified: past.verified,
            delay: past.delay,
            is_final: true,
        }
    }
}

impl Tally {
    /// Counts a revision of an event, in place of the revision that it amends.
    pub fn add(&mut self, counted: &Counted) {
        if let Some(past) = counted.entry.past.as_deref() {
            self.count(counted, &Said::before(counted.entry, past), -1);
        }
        self.count(counted, &Said::by(counted.entry), 1);
        if let Some(shadow) = &counted.entry.verdict.shadow {
            shadow.ruleset.as_ref().clone_into(&mut self.shadow);
        }
    }

    fn count(&mut self, counted: &Counted, said: &Said, step: i64) {
        let ms = counted.id.ts_ms();
        self.span_ms = wider(self.span_ms, Some((ms, ms)));
        let sums = &mut self.sums;
        let kind = counted.entry.kind;
        if kind != Kind::Click {
            match said.click_type {
                Some(found) if kind == Kind::Open => sums.opens_by_type[found as usize] += step,
                Some(found) if found.is_bot() => sums.machine_acts += step,
                _ => {}
            }
            if kind == Kind::Open {
                sums.opens += step;
            } else {
                sums.acts[kind as usize] += step;
            }
            return;
        }
        sums.clicks += step;
        sums.unsettled += if said.is_final { 0 } else { step };
        sums.confidence[said.confidence as usize] += step;
        sums.verified[said.verified as usize] += step;
        if let Some(vendor) = said.vendor {
            *value_of(&mut self.vendors, &vendor.to_owned()) += step;
        }
        let group = self.group(counted.entry.group.as_deref());
        let link = self.link(counted.link);
        let mut share =
            Share { recipient: counted.recipient, group, link, clicks: step, human: 0, time_of_click: 0 };
        let per_link = &mut self.per_link[link as usize];
        per_link.clicks += step;
        let sums = &mut self.sums;
        if let Some(active) = said.click_type {
            sums.by_type[active as usize] += step;
            self.per_group[group as usize][active as usize] += step;
            value_of(&mut self.minutes, &(ms.div_euclid(MINUTE_MS) * MINUTE_MS))[active as usize] += step;
            if let Some(at) = said.delay.and_then(|delay| sums.delay.get_mut(usize::from(delay))) {
                at[active as usize] += step;
            }
            if let Some(shadow) = said.shadow_type {
                sums.opinions[active as usize][shadow as usize] += step;
            }
            match active {
                ClickType::Human => {
                    per_link.human += step;
                    share.human = step;
                }
                ClickType::ScannerTimeOfClick => share.time_of_click = step,
                _ => {}
            }
        }
        self.shares.push(share);
        self.sort_some();
    }

    /// Brings the shares into their order once there are twice as many: each is moved a few times, however many there are, and however
    /// many tallies are merged.
    fn sort_some(&mut self) {
        if self.shares.len() > 2 * self.sorted + 4_096 {
            self.sort();
        }
    }

    fn group(&mut self, name: Option<&str>) -> u32 {
        let place = self.groups.place(name);
        if place as usize >= self.per_group.len() {
            self.per_group.push(NONE);
        }
        place
    }

    fn link(&mut self, (link_id, url): (Option<&str>, Option<&str>)) -> u32 {
        let place = self.links.place(link_id.or(url));
        if place as usize >= self.per_link.len() {
            self.per_link.push(PerLink::default());
        }
        let per_link = &mut self.per_link[place as usize];
        if per_link.url.is_none() {
            per_link.url = url.map(str::to_owned);
        }
        place
    }

    /// Adds the tally of another part of the history, a later one.
    pub fn merge(&mut self, mut other: Self) {
        for (sum, more) in self.sums.numbers().into_iter().zip(other.sums.numbers()) {
            *sum += *more;
        }
        self.unreadable += other.unreadable;
        self.span_ms = wider(self.span_ms, other.span_ms);
        for (vendor, count) in &other.vendors {
            *value_of(&mut self.vendors, vendor) += count;
        }
        for (minute, counts) in &other.minutes {
            plus(value_of(&mut self.minutes, minute), counts);
        }
        let mut groups = Vec::with_capacity(other.per_group.len());
        for (name, counts) in other.groups.listed().iter().zip(&other.per_group) {
            let place = self.group(name.as_deref());
            plus(&mut self.per_group[place as usize], counts);
            groups.push(place);
        }
        let mut links = Vec::with_capacity(other.per_link.len());
        for (name, counts) in other.links.listed().iter().zip(&other.per_link) {
            let place = self.link((name.as_deref(), None));
            let per_link = &mut self.per_link[place as usize];
            per_link.clicks += counts.clicks;
            per_link.human += counts.human;
            if per_link.url.is_none() {
                per_link.url.clone_from(&counts.url);
            }
            links.push(place);
        }
        self.counted.merge(&other.counted, &groups, &links);
        self.shares.extend(other.shares.iter().map(|share| Share {
            group: groups[share.group as usize],
            link: links[share.link as usize],
            ..*share
        }));
        self.sort_some();
        if !other.shadow.is_empty() {
            self.shadow = other.shadow;
        }
    }

    /// Counts the recipients once and for all: no two tallies that are merged may have one in common. What an object with half a
    /// million of them tells is some kilobytes then.
    pub(super) fn count_people(&mut self) {
        self.sort();
        self.counted = People::of(self);
        (self.shares, self.sorted) = (Vec::new(), 0);
    }

    /// Brings the shares into their order, each once; what has come to nothing is left out.
    pub(super) fn sort(&mut self) {
        let key = |share: &Share| {
            let place = u128::from(share.group) << 32 | u128::from(share.link);
            (u128::from(share.recipient), place)
        };
        let mut sorted: Vec<Share> = Vec::with_capacity(self.shares.len());
        for share in arranged(&self.shares, &key) {
            match sorted.last_mut() {
                Some(last) if key(last) == key(&share) => {
                    last.clicks += share.clicks;
                    last.human += share.human;
                    last.time_of_click += share.time_of_click;
                }
                _ => sorted.push(share),
            }
        }
        sorted.retain(|share| (share.clicks, share.human, share.time_of_click) != (0, 0, 0));
        self.sorted = sorted.len();
        self.shares = sorted;
    }

    /// The report of what was counted. `about` is what the sender told, `repeats` what was counted on clicks and not stored.
    #[must_use]
    pub fn report(mut self, message_id: &str, about: Option<&About>, repeats: i64) -> Report {
        self.sort();
        let people = People::of(&self);
        let sums = &self.sums;
        let human_clicks = sums.by_type[ClickType::Human as usize];
        let sent = about.and_then(|about| about.sent);
        let mut report = Report {
            message_id: message_id.to_owned(),
            title: about.and_then(|about| about.title.clone()),
            sent,
            known: about.is_some() || self.span_ms.is_some(),
            first_ms: self.span_ms.map(|(first, _)| first),
            last_ms: self.span_ms.map(|(_, last)| last),
            known_from_ms: None,
            clicks: sums.clicks,
            by_type: ByType::all(&sums.by_type),
            human_clicks,
            human_recipients: people.human,
            recipients: people.all,
            machine_only_recipients: people.all - people.human,
            safe_links_recipients: people.time_of_click,
            is_defender_bot: ByType::all(&sums.by_type).sum(ClickType::is_defender_bot),
            unsettled: sums.unsettled,
            unreadable: self.unreadable,
            repeats,
            rates: Rates::of(sums.clicks, human_clicks, people.human, sent),
            by_vendor: ByName(self.vendors.iter().filter(|(_, count)| *count != 0).cloned().collect()),
            by_confidence: ByName(
                Confidence::ALL
                    .into_iter()
                    .map(|sure| (sure.name().to_owned(), sums.confidence[sure as usize]))
                    .collect(),
            ),
            by_group: self.by_group(about, &people),
            links: self.by_link(&people.by_link),
            timeline: self
                .minutes
                .iter()
                .map(|(ts_ms, counts)| Minute { ts_ms: *ts_ms, by_type: ByType::some(counts) })
                .filter(|minute| !minute.by_type.0.is_empty())
                .collect(),
            delay: Delay::all(&sums.delay),
            opens: Opens { total: sums.opens, by_type: ByType::some(&sums.opens_by_type) },
            acts: Acts {
                unsubscribe: sums.acts[Kind::Unsubscribe as usize],
                confirm: sums.acts[Kind::Confirm as usize],
                machines: sums.machine_acts,
            },
            verified: Verifieds {
                rendered: sums.verified[Verified::Rendered as usize],
                interacted: sums.verified[Verified::Interacted as usize],
            },
            diagnosis: Vec::new(),
            shadow: Difference::of(self.shadow.clone(), &sums.opinions),
        };
        diagnosis::compare(&mut report, &[]);
        report
    }

    fn by_group(&self, about: Option<&About>, people: &People) -> Groups {
        let mut groups: Vec<(String, Group)> = Vec::new();
        for (name, sent) in about.map_or(&[][..], |about| &about.groups) {
            value_of(&mut groups, name).sent = Some(*sent);
        }
        let counted = self.groups.listed().into_iter().zip(&self.per_group).zip(&people.by_group);
        for ((name, counts), human_recipients) in counted {
            let Some(name) = name else { continue };
            let group = value_of(&mut groups, &name);
            group.clicks = counts.iter().sum();
            group.human_clicks = counts[ClickType::Human as usize];
            group.human_recipients = *human_recipients;
            group.by_type = ByType::some(counts);
        }
        Groups(groups)
    }

    /// The links, the most clicked first.
    fn by_link(&self, human_recipients: &[i64]) -> Vec<LinkCount> {
        // Of links that are clicked alike the order is their names'.
        let link = |(name, place): (Option<&str>, usize)| {
            let PerLink { url, clicks, human } = self.per_link.get(place)?;
            Some(LinkCount {
                link_id: name.map(str::to_owned),
                url: url.clone(),
                clicks: *clicks,
                human_clicks: *human,
                human_recipients: human_recipients.get(place).copied().unwrap_or_default(),
            })
        };
        let links: Vec<LinkCount> = self.links.by_name().filter_map(link).collect();
        arranged(&links, &|link| (0, u128::from(u64::MAX - link.clicks.cast_unsigned())))
    }
}

/// Distinct recipients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct People {
    pub(super) all: i64,
    pub(super) human: i64,
    pub(super) time_of_click: i64,
    /// With a person's click, at the groups' places.
    pub(super) by_group: Vec<i64>,
    /// The same at the links' places.
    pub(super) by_link: Vec<i64>,
}

impl People {
    /// Counts them in a tally whose shares are in order.
    fn of(tally: &Tally) -> Self {
        let mut people = tally.counted.clone();
        people.by_group.resize(tally.per_group.len(), 0);
        people.by_link.resize(tally.per_link.len(), 0);
        for theirs in tally.shares.chunk_by(|one, other| one.recipient == other.recipient) {
            people.all += i64::from(theirs.iter().any(|share| share.clicks > 0));
            people.human += i64::from(theirs.iter().any(|share| share.human > 0));
            people.time_of_click += i64::from(theirs.iter().any(|share| share.time_of_click > 0));
            for (at, share) in theirs.iter().enumerate().filter(|(_, share)| share.human > 0) {
                let earlier = || theirs[..at].iter().filter(|other| other.human > 0);
                if earlier().all(|other| other.group != share.group) {
                    people.by_group[share.group as usize] += 1;
                }
                if earlier().all(|other| other.link != share.link) {
                    people.by_link[share.link as usize] += 1;
                }
            }
        }
        people
    }

    /// Adds others, whose groups and links have these places here.
    fn merge(&mut self, others: &Self, groups: &[u32], links: &[u32]) {
        self.all += others.all;
        self.human += others.human;
        self.time_of_click += others.time_of_click;
        let lists =
            [(&mut self.by_group, &others.by_group, groups), (&mut self.by_link, &others.by_link, links)];
        for (counts, more, places) in lists {
            for (more, place) in more.iter().zip(places) {
                let place = *place as usize;
                counts.resize(counts.len().max(place + 1), 0);
                counts[place] += more;
            }
        }
    }
}

fn plus(counts: &mut Counts, more: &Counts) {
    for (count, more) in counts.iter_mut().zip(more) {
        *count += more;
    }
}

/// A span of time that holds two.
fn wider(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (one, other) {
        (Some((first, last)), Some((from, until))) => Some((first.min(from), last.max(until))),
        _ => one.or(other),
    }
}
