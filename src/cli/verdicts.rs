//! Verdicts in store: many clicks, few different findings, so each is kept and written out once.

use std::collections::HashMap;

use clickproof::record::Kind as LinkKind;
use clickproof::record::Verified;
use clickproof::verdict::{Click, Finding, Ruleset, Verdict};

/// The verdict of one record: a place in the store, and what differs from click to click.
#[derive(Default)]
pub(crate) struct Judged {
    at: usize,
    paired_with: Option<Box<str>>,
    /// Why, as JSON, where that was asked.
    pub(crate) explanation: Option<Box<str>>,
}

/// All different verdicts of a run, settled: revision 1 and final.
pub(crate) struct Verdicts {
    ruleset: Ruleset,
    places: HashMap<(Finding, Verified), usize>,
    kinds: Vec<Kind>,
}

struct Kind {
    verdict: Verdict,
    /// Its JSON, the opening brace left out: the fields stand behind others.
    fields: Vec<u8>,
    /// The clicks that have it.
    count: usize,
}

impl Verdicts {
    /// A store that holds one verdict already, in the place that `Judged::default()` names: that of what is no click.
    pub(crate) fn new(ruleset: Ruleset) -> serde_json::Result<Self> {
        let mut verdicts = Self { ruleset, places: HashMap::new(), kinds: Vec::new() };
        verdicts.place(Finding::not_a_click(), Verified::None)?;
        Ok(verdicts)
    }

    /// Keeps what was found of a click, an open or an act; counts are of clicks alone.
    pub(crate) fn keep(
        &mut self,
        click: &Click,
        mut finding: Finding,
        judged: &mut Judged,
    ) -> serde_json::Result<()> {
        judged.paired_with = finding.paired_with.take();
        judged.at = self.place(finding, click.verified)?;
        self.kinds[judged.at].count += usize::from(click.kind == LinkKind::Click);
        Ok(())
    }

    fn place(&mut self, finding: Finding, verified: Verified) -> serde_json::Result<usize> {
        let key = (finding, verified);
        if let Some(&at) = self.places.get(&key) {
            return Ok(at);
        }
        let at = self.kinds.len();
        let verdict = Verdict::new(key.0.clone(), self.ruleset, 1).with_verified(verified);
        self.places.insert(key, at);
        self.kinds.push(Kind { fields: fields(&verdict)?, verdict, count: 0 });
        Ok(at)
    }

    /// Every different finding with how many clicks have it.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&Finding, usize)> {
        self.kinds.iter().map(|kind| (&kind.verdict.finding, kind.count))
    }

    /// What was found of one record; the other click of a pair is not named.
    pub(crate) fn finding(&self, judged: &Judged) -> &Finding {
        &self.kinds[judged.at].verdict.finding
    }

    /// Appends a verdict's fields and the brace that closes their object.
    pub(crate) fn write(&self, judged: &Judged, into: &mut Vec<u8>) -> serde_json::Result<()> {
        let kind = &self.kinds[judged.at];
        if judged.paired_with.is_none() {
            into.extend_from_slice(&kind.fields);
        } else {
            let mut verdict = kind.verdict.clone();
            verdict.finding.paired_with.clone_from(&judged.paired_with);
            into.extend_from_slice(&fields(&verdict)?);
        }
        Ok(())
    }
}

fn fields(verdict: &Verdict) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(verdict).map(|mut json| json.split_off(1))
}
