//! What was found about a click, and what memory keeps of it once it stands: enough to see whether a later finding changes
//! it, and what that retracts.

use std::borrow::Cow;
use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::event::body::Past;
use crate::event::pack::{self, PackRow};
use crate::record::{EventId, Kind, Verified};
use crate::verdict::{ClickType, Confidence, Finding, Judging, Ruleset, Verdict, rules};

/// What the active ruleset found about a click, and the shadow where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Findings {
    /// What kind of link it was.
    pub kind: Kind,
    pub active: Finding,
    pub shadow: Option<Finding>,
    /// What the landing page showed.
    pub verified: Verified,
}

impl Findings {
    /// What ruleset `full` found, where it was asked.
    pub(super) fn full(&mut self, judging: &Judging) -> Option<&mut Finding> {
        if judging.ruleset == Ruleset::Full {
            Some(&mut self.active)
        } else {
            self.shadow.as_mut().filter(|_| judging.shadow == Some(Ruleset::Full))
        }
    }

    /// The verdict that is stored and shipped.
    pub(super) fn verdict(&self, judging: &Judging, revision: u32) -> Verdict {
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

/// The verdict that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// A digest of all that was found; `None` where a later version of this code wrote it in words that are not known
    /// here: such a verdict stands until that version is back.
    digest: Option<u64>,
    pub click_type: Option<ClickType>,
    pub shadow_type: Option<ClickType>,
    /// What ruleset `full` convicted its source of.
    pub conviction: Option<ClickType>,
    /// Nothing decided it: a conviction of its source may change it.
    pub is_undecided: bool,
    pub verified: Verified,
    pub revision: u32,
    repeats: i64,
    vendor: Option<&'static str>,
    confidence: Confidence,
    /// The step of the time since its clock.
    delay: Option<u8>,
}

thread_local! {
    /// Vendors that rows name: a dozen at most, kept for good.
    static VENDORS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// A vendor's name as one that lasts.
fn lasting(vendor: Cow<'static, str>) -> &'static str {
    let name = match vendor {
        Cow::Borrowed(name) => return name,
        Cow::Owned(name) => name,
    };
    VENDORS.with_borrow_mut(|known| {
        known.iter().copied().find(|known| *known == name).unwrap_or_else(|| {
            let name: &'static str = name.leak();
            known.push(name);
            name
        })
    })
}

impl Settled {
    /// The state of a click of which nothing is known but that it is settled.
    const UNKNOWN: Self = Self {
        digest: None,
        click_type: None,
        shadow_type: None,
        conviction: None,
        is_undecided: false,
        verified: Verified::None,
        revision: 0,
        repeats: 0,
        vendor: None,
        confidence: Confidence::Certain,
        delay: None,
    };

    pub(super) fn new(
        mut findings: Findings,
        judging: &Judging,
        revision: u32,
        repeats: i64,
        delay: Option<u8>,
    ) -> Self {
        let digest = Some(findings.digest());
        let click_type = findings.active.click_type;
        let shadow_type = findings.shadow.as_ref().and_then(|shadow| shadow.click_type);
        let (kind, verified) = (findings.kind, findings.verified);
        let (conviction, is_undecided) = carried(kind, findings.full(judging).as_deref());
        let Finding { vendor, confidence, .. } = findings.active;
        Self {
            digest,
            click_type,
            shadow_type,
            conviction,
            is_undecided,
            verified,
            revision,
            repeats,
            vendor: vendor.map(lasting),
            confidence,
            delay,
        }
    }

    /// What it says beside its types, for the revision that amends it; nothing where it could not be read.
    pub(super) fn past(&self) -> Option<Box<Past>> {
        self.digest.map(|_| {
            Box::new(Past {
                vendor: self.vendor.map(Cow::Borrowed),
                confidence: self.confidence,
                verified: self.verified,
                delay: self.delay,
            })
        })
    }

    /// Every verdict in a pack.
    pub(super) fn all_in(row: &PackRow, judging: &Judging) -> impl Iterator<Item = (EventId, Self)> {
        let mut entries = row.open().map(|body| body.entries).unwrap_or_default().into_iter();
        pack::keys(&row.keys).map(move |(id, _)| match entries.next() {
            None => (id, Self::UNKNOWN),
            Some(entry) => {
                let Verdict { finding, shadow, verified, revision, ruleset, .. } = entry.verdict;
                let kind = entry.kind;
                // Another deploy may have had the rulesets the other way round, or an earlier version of them.
                let is_full = |ruleset: &str| ruleset == Ruleset::Full.label();
                let shadows = shadow.as_ref().filter(|shadow| is_full(&shadow.ruleset));
                let full =
                    if is_full(&ruleset) { Some(&finding) } else { shadows.map(|shadow| &shadow.finding) };
                let (conviction, is_undecided) = carried(kind, full);
                let shadow = shadow.map(|shadow| shadow.finding);
                let findings = Findings { kind, active: finding, shadow, verified };
                let repeats = entry.repeats.unwrap_or_default();
                let settled = Self::new(findings, judging, revision, repeats, entry.delay);
                (id, Self { conviction, is_undecided, ..settled })
            }
        })
    }

    /// Whether more of the click is known by now.
    pub(super) fn is_behind(&self, verified: Verified, repeats: i64) -> bool {
        self.repeats != repeats || self.verified < verified
    }

    /// Whether it is of a version that is not known here.
    pub(super) fn is_foreign(&self) -> bool {
        self.digest.is_none()
    }

    /// Whether these findings say something else.
    pub(super) fn differs_from(&self, findings: &Findings, repeats: i64) -> bool {
        self.digest.is_some_and(|digest| digest != findings.digest() || self.repeats != repeats)
    }
}

/// What ruleset `full`'s finding means for the source's other clicks: what it convicts of, and whether it decided nothing.
fn carried(kind: Kind, full: Option<&Finding>) -> (Option<ClickType>, bool) {
    let conviction = full.and_then(|finding| rules::conviction(kind, finding));
    (conviction, full.is_some_and(|finding| rules::is_undecided(kind, finding)))
}
