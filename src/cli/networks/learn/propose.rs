//! Which networks a history convicts: those that sweep again and again and where nobody was ever shown to be.
//!
//! Clicks are counted by their address block (/24, in IPv6 /48) and by their AS number with the exact agent, for scanners that
//! rotate through a large cloud. What convicts is what rules saw requests do ([`BEHAVIOUR`]). Against it stands whatever shows
//! a person: a landing page that was touched, a cookie that came back, and every click that no rule decided, doubly where its
//! page was shown. A lone fetch by a modern browser is undecided, too: that is why only their share counts, and how many of
//! the undecided are proven people's. Offices, proxies and carriers fail by the one; a gateway that sweeps whatever comes and
//! that few people browse through fails by the other.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::DateTime;
use clickproof::record::{CookieState, Verified};
use clickproof::verdict::Key;
use ipnet::IpNet;

use super::history::{BEHAVIOUR, History, Seen, Was};

/// What a network needs to be proposed.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Bounds {
    /// On how many different sends a network was convicted at least
    #[arg(id = "min_sends", long = "min-sends", value_name = "COUNT", default_value_t = 5)]
    pub(super) sends: usize,
    /// On the copies of how many different recipients
    #[arg(id = "min_recipients", long = "min-recipients", value_name = "COUNT", default_value_t = 10)]
    pub(super) recipients: usize,
    /// On how many different days
    #[arg(id = "min_days", long = "min-days", value_name = "COUNT", default_value_t = 3)]
    pub(super) days: usize,
    /// How many of a hundred clicks were convicted, an undecided one whose page was shown counted twice
    #[arg(id = "min_share", long = "min-share", value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(51..=100))]
    pub(super) share: u8,
}

/// Where nothing shows people, an undecided click may be anybody's: so many of a hundred must be convicted.
const MIN_SHARE_UNSEEN: u8 = 95;

/// A simulated touch, or a person who comes through the same cloud with the same agent, is seldom but does occur: of a network's
/// undecided clicks a share is let pass that is so many times smaller than that of all undecided clicks of this sender.
const PROOFS_BELOW_USUAL: usize = 20;

/// An agent stands for its scanner where it comes from so many blocks; else the blocks say it more exactly.
const MIN_BLOCKS: usize = 5;

/// Rules that look at one request. In rented networks each may be another tenant's: there they teach an agent and no block.
const OF_ONE_REQUEST: [&str; 3] = ["headless", "no_agent", "bounced"];

/// The rule whose burst a class of pupils makes, too: where nothing shows people it convicts nobody's network.
const FANOUT: &str = "fanout";

/// What a network's clicks came to.
#[derive(Default)]
pub(super) struct Tally {
    sends: BTreeSet<u32>,
    recipients: BTreeSet<Key>,
    days: BTreeSet<i64>,
    blocks: BTreeSet<IpNet>,
    systems: BTreeMap<u32, usize>,
    pub(super) rules: [usize; BEHAVIOUR.len()],
    pub(super) clicks: usize,
    pub(super) convicted: usize,
    pub(super) human: usize,
    pub(super) rendered: usize,
    pub(super) touched: usize,
    pub(super) returned: usize,
    /// Clicks that show a person, by either.
    proven: usize,
}

/// How often this sender's undecided clicks show a person.
#[derive(Clone, Copy)]
struct Usual {
    undecided: usize,
    proven: usize,
}

impl Usual {
    /// Whether anything shows people at all.
    const fn is_seen(self) -> bool {
        self.proven > 0
    }

    /// How many proofs among so many undecided clicks are too few to be people's.
    fn let_pass(self, undecided: usize) -> usize {
        let most = u128::try_from(undecided * self.proven).unwrap_or_default();
        let below = u128::try_from(PROOFS_BELOW_USUAL * self.undecided.max(1)).unwrap_or(u128::MAX);
        usize::try_from(most / below).unwrap_or_default()
    }
}

impl Tally {
    /// On how many sends it was convicted.
    pub(super) fn sends(&self) -> usize {
        self.sends.len()
    }

    /// On the copies of how many recipients.
    pub(super) fn recipients(&self) -> usize {
        self.recipients.len()
    }

    /// The first and the last day on which it was convicted, `YYYY-MM-DD`.
    pub(super) fn days(&self) -> Option<(String, String)> {
        Some((day(*self.days.first()?)?, day(*self.days.last()?)?))
    }

    /// The blocks that its clicks came from, ascending.
    pub(super) fn blocks(&self) -> impl Iterator<Item = IpNet> {
        self.blocks.iter().copied()
    }

    /// The AS number of most of its clicks.
    pub(super) fn system(&self) -> Option<u32> {
        self.systems.iter().max_by_key(|(_, clicks)| **clicks).map(|(system, _)| *system)
    }

    fn add(&mut self, seen: &Seen, has_returned: bool, are_people_seen: bool) {
        let is_human = match seen.was {
            Was::Convicted(at) if are_people_seen || BEHAVIOUR[at] != FANOUT => {
                self.rules[at] += 1;
                self.convicted += 1;
                self.sends.insert(seen.message);
                self.recipients.insert(seen.recipient);
                self.days.insert(seen.ts_ms.div_euclid(DAY_MS));
                false
            }
            Was::Convicted(_) | Was::Human => true,
            Was::Other => false,
        };
        self.clicks += 1;
        self.human += usize::from(is_human);
        self.rendered += usize::from(is_human && seen.verified != Verified::None);
        let is_touched = seen.verified == Verified::Interacted;
        self.touched += usize::from(is_touched);
        self.returned += usize::from(has_returned);
        self.proven += usize::from(is_touched || has_returned);
        self.blocks.insert(block(seen.address));
        if let Some(system) = seen.asn {
            *self.systems.entry(system).or_default() += 1;
        }
    }

    fn join(&mut self, other: Self) {
        self.sends.extend(other.sends);
        self.recipients.extend(other.recipients);
        self.days.extend(other.days);
        self.blocks.extend(other.blocks);
        for (system, clicks) in other.systems {
            *self.systems.entry(system).or_default() += clicks;
        }
        for (sum, count) in self.rules.iter_mut().zip(other.rules) {
            *sum += count;
        }
        self.clicks += other.clicks;
        self.convicted += other.convicted;
        self.human += other.human;
        self.rendered += other.rendered;
        self.touched += other.touched;
        self.returned += other.returned;
        self.proven += other.proven;
    }

    /// Whether it is convicted.
    fn is_convicted(&self, bounds: &Bounds, usual: Usual) -> bool {
        let least = if usual.is_seen() { bounds.share } else { bounds.share.max(MIN_SHARE_UNSEEN) };
        let against = self.human + self.rendered;
        self.sends.len() >= bounds.sends
            && self.recipients.len() >= bounds.recipients
            && self.days.len() >= bounds.days
            && self.convicted * 100 >= usize::from(least) * (self.convicted + against)
            && self.proven <= usual.let_pass(self.human)
    }
}

const DAY_MS: i64 = 86_400_000;

/// A day by its number since 1970.
fn day(number: i64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(number.checked_mul(DAY_MS)?)?;
    Some(time.date_naive().to_string())
}

/// A network that history convicts.
pub(super) struct Proposal {
    pub(super) network: Network,
    pub(super) tally: Tally,
}

/// What convicts a click by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Network {
    /// Its address.
    Block(IpNet),
    /// Its AS number and exact agent.
    Agent(u32, String),
}

/// What was found.
pub(super) struct Proposals {
    /// In the order of their networks.
    pub(super) found: Vec<Proposal>,
    /// Whether anything in the whole history shows people: a touched page, a cookie that came back.
    pub(super) are_people_seen: bool,
}

/// Looks at all clicks.
pub(super) fn propose(history: &History, bounds: &Bounds) -> Proposals {
    let got_here: HashSet<(u32, Key)> = history
        .clicks()
        .filter(|seen| seen.cookie == Some(CookieState::New))
        .filter_map(|seen| Some((seen.message, seen.visitor?)))
        .collect();
    // A sandbox that keeps its profile through a sweep brings back what it got there; who has it from elsewhere is somebody.
    let has_returned = |seen: &Seen| {
        let is_new = seen.visitor.is_none_or(|visitor| got_here.contains(&(seen.message, visitor)));
        seen.cookie == Some(CookieState::Returning) && (seen.was == Was::Human || !is_new)
    };
    let mut usual = Usual { undecided: 0, proven: 0 };
    for seen in history.clicks() {
        usual.undecided += usize::from(seen.was == Was::Human);
        usual.proven += usize::from(seen.verified == Verified::Interacted || has_returned(seen));
    }
    let tally = |of: &mut Tally, seen: &Seen| of.add(seen, has_returned(seen), usual.is_seen());

    let mut by_agent: BTreeMap<(u32, u32), Tally> = BTreeMap::new();
    for seen in history.clicks() {
        if let (Some(system), Some(agent)) = (seen.asn, seen.agent) {
            tally(by_agent.entry((system, agent)).or_default(), seen);
        }
    }
    by_agent.retain(|_, of| of.blocks.len() >= MIN_BLOCKS && of.is_convicted(bounds, usual));

    let mut by_block: BTreeMap<IpNet, Tally> = BTreeMap::new();
    for seen in history.clicks() {
        let is_agents = seen.asn.zip(seen.agent).is_some_and(|pair| by_agent.contains_key(&pair));
        let is_anybodys = |at: usize| seen.is_rented && OF_ONE_REQUEST.contains(&BEHAVIOUR[at]);
        if !is_agents && !matches!(seen.was, Was::Convicted(at) if is_anybodys(at)) {
            tally(by_block.entry(block(seen.address)).or_default(), seen);
        }
    }
    by_block.retain(|_, of| of.is_convicted(bounds, usual));

    let agents = by_agent.into_iter().map(|((system, agent), tally)| Proposal {
        network: Network::Agent(system, history.agent(agent).to_owned()),
        tally,
    });
    let mut found: Vec<_> = joined(by_block).chain(agents).collect();
    found.sort_by(|one, other| one.network.cmp(&other.network));
    Proposals { found, are_people_seen: usual.is_seen() }
}

/// Blocks side by side as one, where each is convicted itself.
fn joined(mut by_block: BTreeMap<IpNet, Tally>) -> impl Iterator<Item = Proposal> {
    let blocks: Vec<IpNet> = by_block.keys().copied().collect();
    IpNet::aggregate(&blocks).into_iter().map(move |net| {
        let mut all = Tally::default();
        for block in blocks.iter().filter(|block| net.contains(*block)) {
            all.join(by_block.remove(block).unwrap_or_default());
        }
        Proposal { network: Network::Block(net), tally: all }
    })
}

/// The block that an address is counted in: what one network of machines has at least.
fn block(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V4(v4) => IpNet::new_assert(Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00).into(), 24),
        IpAddr::V6(v6) => IpNet::new_assert(Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80).into(), 48),
    }
}
