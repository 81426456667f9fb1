//! A message's life: clicks arrive, settle when their windows have closed, are amended by late evidence, and leave.
//!
//! Pure and synchronous: rows come from a [`Store`], time is an argument, nothing waits. The Durable Object is a thin
//! shell around it, the tests run it with any order of arrival, any crash and any clock.
//!
//! What holds between calls, and makes every row's loss or repetition harmless:
//!
//! - A click row is the fact that a link was requested; it is written once. Opens and acts are rows like clicks and settle
//!   with them, but only clicks have windows, convict and are counted in the report.
//! - A verification is the fact that a click's landing page was shown, or touched: a row, written again only for more.
//! - A press row is an event that may stand for an act, and whether its sender is told (see [`act`]).
//! - A pack row is the one commit point of a verdict: a click is settled when it stands in a pack, its current verdict
//!   is the one of the highest revision. Packs are numbered without gaps.
//! - `open_from_ms` of the last pack, or `late_from_ms` where that is earlier: every click before it is settled. So a
//!   restart reads the open windows and not the message.
//! - What is in memory is a copy of rows. After an error it is thrown away and loaded again.

mod act;
mod amend;
mod arrive;
pub mod call;
mod convict;
pub mod deliveries;
mod elders;
mod explain;
mod history;
mod outbox;
mod read;
mod settle;
pub mod store;
mod verify;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::event::pack::{self, PackRow};
use elders::Elders;

use crate::record::Kind;
use crate::record::Verified;
use crate::record::{EventId, Record};
use crate::verdict::convictions::{self, Convictions};
use crate::verdict::{Click, ClickType, Finding, Judging, Key, Ruleset, Verdict};

pub use act::{Acted, Telling, Word};
pub use arrive::Arrival;
pub use outbox::Shipment;
pub use read::Page;
pub use settle::Settlement;
pub use store::{Meta, Store};
pub use verify::Seen;

/// The shortest time between two wakes. It bounds what alarms cost: one row for all the clicks of a second.
pub const TICK_MS: i64 = 1_000;

/// Past so many clicks a minute on one link by one recipient, further ones are counted and not stored.
pub const FLOOD_CLICKS: usize = 100;

/// The minute of [`FLOOD_CLICKS`].
pub const FLOOD_MS: i64 = 60_000;

/// A click in memory.
struct Recent {
    click: Click,
    /// It may change clicks that were settled before it came.
    late: bool,
    /// Clicks counted on it.
    repeats: i64,
    settled: Option<Settled>,
}

/// What the active ruleset found about a click, and the shadow where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Findings {
    /// What kind of link it was.
    kind: Kind,
    active: Finding,
    shadow: Option<Finding>,
    /// What the landing page showed.
    verified: Verified,
}

impl Findings {
    /// What ruleset `full` found, where it was asked.
    fn full(&mut self, judging: &Judging) -> Option<&mut Finding> {
        if judging.ruleset == Ruleset::Full {
            Some(&mut self.active)
        } else {
            self.shadow.as_mut().filter(|_| judging.shadow == Some(Ruleset::Full))
        }
    }

    /// The verdict that is stored and shipped.
    fn verdict(&self, judging: &Judging, revision: u32) -> Verdict {
        let shadow = self.shadow.clone().zip(judging.shadow);
        let verdict = Verdict::new(self.active.clone(), judging.ruleset, revision);
        verdict.with_verified(self.verified).with_shadow(shadow)
    }

    /// Compares findings within one life of the message; it is never stored.
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// The current verdict of a settled click: what is needed to see whether another one changes it.
#[derive(Clone, Copy)]
struct Settled {
    /// A digest of all that was found; `None` where a later version of this code wrote it in words that are not known
    /// here: such a verdict stands until that version is back.
    said: Option<u64>,
    click_type: Option<ClickType>,
    shadow_type: Option<ClickType>,
    /// What ruleset `full` convicted its source of.
    conviction: Option<ClickType>,
    /// A conviction of its source may change it.
    is_open: bool,
    verified: Verified,
    revision: u32,
    repeats: i64,
}

impl Settled {
    /// The state of a click of which nothing is known but that it is settled.
    const UNKNOWN: Self = Self {
        said: None,
        click_type: None,
        shadow_type: None,
        conviction: None,
        is_open: false,
        verified: Verified::None,
        revision: 0,
        repeats: 0,
    };

    fn new(mut findings: Findings, judging: &Judging, revision: u32, repeats: i64) -> Self {
        let said = Some(findings.digest());
        let click_type = findings.active.click_type;
        let shadow_type = findings.shadow.as_ref().and_then(|shadow| shadow.click_type);
        let (kind, verified) = (findings.kind, findings.verified);
        let full = findings.full(judging);
        Self {
            said,
            click_type,
            shadow_type,
            conviction: full.as_deref().and_then(|finding| convictions::conviction(kind, finding)),
            is_open: full.is_some_and(|finding| convictions::is_open(kind, finding)),
            verified,
            revision,
            repeats,
        }
    }

    /// Every verdict in a pack.
    fn all_in(row: &PackRow, judging: &Judging) -> impl Iterator<Item = (EventId, Self)> {
        let mut entries = row.open().map(|body| body.entries).unwrap_or_default().into_iter();
        pack::keys(&row.keys).map(move |(id, _)| match entries.next() {
            None => (id, Self::UNKNOWN),
            Some(entry) => {
                let Verdict { finding, shadow, verified, revision, ruleset, .. } = entry.verdict;
                let kind = entry.kind;
                // Another deploy may have had the rulesets the other way round, or an earlier version of them.
                let is_full = |ruleset: &str| ruleset == Ruleset::Full.label();
                let full =
                    shadow.as_ref().filter(|shadow| is_full(&shadow.ruleset)).map(|shadow| &shadow.finding);
                let full = if is_full(&ruleset) { Some(&finding) } else { full };
                let conviction = full.and_then(|finding| convictions::conviction(kind, finding));
                let is_open = full.is_some_and(|finding| convictions::is_open(kind, finding));
                let shadow = shadow.map(|shadow| shadow.finding);
                let findings = Findings { kind, active: finding, shadow, verified };
                let settled = Self::new(findings, judging, revision, entry.repeats.unwrap_or_default());
                (id, Self { conviction, is_open, ..settled })
            }
        })
    }

    /// Whether something of a click has grown that no window waits for.
    fn lags_behind(&self, recent: &Recent) -> bool {
        self.repeats != recent.repeats || self.verified < recent.click.verified
    }

    fn is_overtaken_by(&self, findings: &Findings, repeats: i64) -> bool {
        self.said.is_some_and(|said| said != findings.digest() || self.repeats != repeats)
    }
}

/// One message, or one shard of it, with its open windows in memory.
pub struct Message<S> {
    store: S,
    judging: Judging,
    meta: Meta,
    /// Every click from `covered_from_ms` on.
    recent: BTreeMap<EventId, Recent>,
    covered_from_ms: i64,
    unsettled: BTreeSet<EventId>,
    /// Settled clicks whose counted repeats have grown since, or whose landing page showed more, with the moment at which
    /// that is told.
    grown: BTreeMap<EventId, i64>,
    /// The stored clicks of the last minutes by recipient, link and kind, in the order of arrival.
    floods: HashMap<(Key, Key, Kind), VecDeque<EventId>>,
    /// Clicks of the last minutes that were counted and not stored: a replay of one is not counted again.
    counted: BTreeSet<EventId>,
    last_pack: u64,
    open_from_ms: i64,
    /// The earliest click in a pack.
    oldest_ms: i64,
    /// No click later than this is settled.
    settled_to_ms: i64,
    has_deliveries: bool,
    has_verifications: bool,
    /// What is known of clicks in the reach of memory that have not come yet: a few, and most of the time none.
    early: Vec<(EventId, Verified)>,
    /// The verification that is being told before its row is written.
    unstored: Option<(EventId, crate::record::Sighting)>,
    last_tick_ms: i64,
    /// Stored clicks that could not be read: 0 unless rows are damaged.
    unreadable: usize,
    /// Acts that the queue has not taken, in the order in which they came; `None` while there is nobody to tell them to.
    untold: Option<Vec<act::Untold>>,
    /// Who has clicks that memory has let go of; `None` until somebody asks.
    elders: Option<Elders>,
    /// The convictions of settled clicks from `convicted_from_ms` on (ruleset `full`).
    convictions: Convictions,
    convicted_from_ms: i64,
}

/// Puts items into a set or a map one by one. To `collect` them would sort them first, and every type would bring a
/// sort of its own into the wasm.
fn tree<T: Default + Extend<I>, I>(items: impl IntoIterator<Item = I>) -> T {
    let mut tree = T::default();
    tree.extend(items);
    tree
}

impl<S: Store> Message<S> {
    /// Loads a message's open windows; `None`, and nothing created, when there is no such message.
    ///
    /// # Errors
    /// When storage fails.
    pub fn load(store: S, judging: Judging) -> Result<Option<Self>, S::Error> {
        let Some(meta) = store.meta()? else { return Ok(None) };
        let mut message = Self::new(store, judging, meta);
        message.has_deliveries = message.store.has_deliveries()?;
        if let Some((last_pack, open_from_ms, oldest_ms)) = message.store.pack_bounds()? {
            message.last_pack = last_pack;
            message.open_from_ms = open_from_ms;
            message.oldest_ms = oldest_ms;
            message.settled_to_ms = open_from_ms - 1;
        }
        let open_from_ms = message.open_from_ms.min(message.meta.late_from_ms);
        message.covered_from_ms = message.warm_from_ms(open_from_ms);
        let (from, until) = (EventId::first_of(message.covered_from_ms), EventId::first_of(i64::MAX));
        let mut recent = BTreeMap::new();
        message.store.clicks(from, until, usize::MAX, &mut |id, json| match Record::parse(&json) {
            Ok(record) => {
                let click = Click::of(&record, None);
                recent.insert(id, Recent { click, late: true, repeats: 0, settled: None });
            }
            Err(_) => message.unreadable += 1,
        })?;
        message.later().set(recent.iter_mut().map(|(id, recent)| (*id, &mut recent.click)))?;
        message.has_verifications = message.store.has_verifications()?;
        let mut early = Vec::new();
        message.store.verifications_from(from, &mut |id, sighting| match recent.get_mut(&id) {
            Some(recent) => recent.click.verified = sighting.verified,
            None => early.push((id, sighting.verified)),
        })?;
        message.early = early;
        for (id, recent) in &recent {
            let link = (recent.click.recipient, recent.click.link, recent.click.kind);
            message.floods.entry(link).or_default().push_back(*id);
        }
        message.recent = recent;
        for (id, repeats) in message.store.repeats(from, until)? {
            if let Some(recent) = message.recent.get_mut(&id) {
                recent.repeats = repeats;
            }
        }
        for (id, settled) in message.settled_between(message.covered_from_ms, i64::MAX)? {
            message.settled_to_ms = message.settled_to_ms.max(id.ts_ms());
            if let Some(recent) = message.recent.get_mut(&id) {
                recent.settled = Some(settled);
            }
        }
        for (id, recent) in &message.recent {
            match &recent.settled {
                None => _ = message.unsettled.insert(*id),
                Some(settled) if settled.said.is_some() && settled.lags_behind(recent) => {
                    message.grown.insert(*id, message.judging.due_ms(id.ts_ms()));
                }
                Some(_) => {}
            }
        }
        if message.unsettled.first().is_none_or(|id| id.ts_ms() >= message.open_from_ms) {
            // What came late has settled since; the row follows when it is written next.
            message.meta.late_from_ms = i64::MAX;
        }
        message.load_convictions()?;
        Ok(Some(message))
    }

    /// Begins a message: its first click or its first delivery time has come.
    ///
    /// # Errors
    /// When storage fails.
    pub fn create(store: S, judging: Judging, name: &str) -> Result<Self, S::Error> {
        let meta = Meta { name: name.to_owned(), late_from_ms: i64::MAX, ..Meta::default() };
        store.create(&meta)?;
        Ok(Self::new(store, judging, meta))
    }

    fn new(store: S, judging: Judging, meta: Meta) -> Self {
        Self {
            store,
            judging,
            meta,
            recent: BTreeMap::new(),
            covered_from_ms: 0,
            unsettled: BTreeSet::new(),
            grown: BTreeMap::new(),
            floods: HashMap::new(),
            counted: BTreeSet::new(),
            last_pack: 0,
            open_from_ms: 0,
            oldest_ms: i64::MAX,
            settled_to_ms: i64::MIN,
            has_deliveries: false,
            has_verifications: false,
            early: Vec::new(),
            unstored: None,
            last_tick_ms: i64::MIN,
            unreadable: 0,
            untold: None,
            elders: None,
            convictions: Convictions::default(),
            convicted_from_ms: 0,
        }
    }

    /// When the message wants to be woken, if at all: the next click is due, or something waits to be shipped. Not
    /// before a [`TICK_MS`] has passed since the last time.
    #[must_use]
    pub fn wake_ms(&self, now_ms: i64) -> Option<i64> {
        let settle = self.unsettled.first().map(|id| self.judging.due_ms(id.ts_ms()));
        let grown = self.grown.values().min().copied();
        let ship = (self.last_pack > self.meta.sent_pack || self.due_press().is_some())
            .then_some(self.meta.retry_at_ms.max(now_ms));
        let due = settle.into_iter().chain(grown).chain(ship).min()?;
        Some(due.max(self.last_tick_ms.saturating_add(TICK_MS)))
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.meta.name
    }

    /// Where its rows are.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Clicks that wait for their windows to close.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.unsettled.len()
    }

    /// Stored clicks that could not be read and so are never judged; 0 unless rows are damaged.
    #[must_use]
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// How many clicks are held in memory.
    #[must_use]
    pub fn in_memory(&self) -> usize {
        self.recent.len()
    }

    /// From where clicks are kept in memory when those before `open_from_ms` are settled: a late one looks back one
    /// reach at clicks that look back one reach themselves.
    fn warm_from_ms(&self, open_from_ms: i64) -> i64 {
        open_from_ms.saturating_sub(2 * self.judging.reach_ms().max(FLOOD_MS)).max(0)
    }

    /// The current verdicts of the settled clicks between two moments (both included).
    fn settled_between(&self, from_ms: i64, until_ms: i64) -> Result<BTreeMap<EventId, Settled>, S::Error> {
        let mut settled = BTreeMap::new();
        self.store.packs(from_ms, until_ms, &mut |row| {
            // Packs come in the order of their number: the last revision stays. A click beside the span is left out:
            // a pack that does not touch the span may have a later revision of it.
            let inside = |(id, _): &(EventId, Settled)| (from_ms..=until_ms).contains(&id.ts_ms());
            settled.extend(Settled::all_in(&row, &self.judging).filter(inside));
        })?;
        Ok(settled)
    }
}
