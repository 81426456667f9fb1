//! One click explained: its record with its current verdict, and every rule that was asked about it.

use super::settle::Court;
use super::{Message, Store};
use crate::record::{EventId, Record};
use crate::verdict::case::Case;
use crate::verdict::convictions::{self, BACK_MS, FORWARD_MS};
use crate::verdict::explain::explain;
use crate::verdict::{Click, Look};

impl<S: Store> Message<S> {
    /// The click as the API lists it, with `explanation`: what the rules in force see now, looking back only while the
    /// click is unsettled. `None` where there is no such click.
    ///
    /// # Errors
    /// When storage fails.
    pub fn explain(&self, id: EventId) -> Result<Option<String>, S::Error> {
        let mut click = None;
        self.store.clicks_by_id(&[id], &mut |_, json| {
            click = Record::parse(&json).ok().map(|record| Click::of(&record, None));
        })?;
        let Some(mut click) = click else { return Ok(None) };
        self.later().set([(id, &mut click)])?;
        let Some(mut line) = self.page_from(id, 1)?.lines.pop() else { return Ok(None) };

        let is_open = self.unsettled.contains(&id);
        let span = (id.ts_ms().saturating_sub(FORWARD_MS), id.ts_ms().saturating_add(BACK_MS));
        let slice = self.slice([(id, click)].into())?;
        let court = Court::of(&slice, &self.judging, if is_open { Look::Back } else { Look::Whole });
        let mut carried = None;
        if let Some((judgement, at)) = court.full(&self.judging, id)
            && convictions::is_open(judgement.case(at).click.kind, &judgement.alone(at))
        {
            let click = judgement.case(at).click;
            carried = if is_open {
                self.convictions.reaching(click)
            } else {
                self.convictions_between(&[span])?.reaching(click)
            };
        }
        if let Some((judgement, at)) = court.active(id) {
            let case = judgement.case(at);
            let carried = carried.filter(|_| case.ruleset == crate::verdict::Ruleset::Full);
            let explanation = explain(&Case { carried, ..case });
            line.pop();
            line.push_str(",\"explanation\":");
            // Strings, numbers and lists always serialise.
            line.push_str(&serde_json::to_string(&explanation).unwrap_or_default());
            line.push('}');
        }
        Ok(Some(line))
    }
}
