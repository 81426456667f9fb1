//! One click explained: its record with its current verdict, and every rule that was asked about it.

use super::Message;
use super::slice::Panel;
use super::sql::Database;
use super::wanted::Filter;
use crate::record::EventId;
use crate::verdict::case::Case;
use crate::verdict::convictions::{Convictions, places};
use crate::verdict::explain::explain;
use crate::verdict::reach::{CARRY_AFTER_MS, CARRY_BEFORE_MS};
use crate::verdict::{Look, Ruleset, rules};

impl<D: Database> Message<D> {
    /// The click as the API lists it, with `explanation`: what the rules in force see now, looking back only while the
    /// click is unsettled. `None` where there is no such click.
    ///
    /// # Errors
    /// When storage fails.
    pub fn explain(&mut self, id: EventId) -> Result<Option<String>, D::Error> {
        let clicks = self.stored(&[id])?;
        let Some(mut line) =
            self.page_from(id, 1, &Filter::default())?.lines.pop().filter(|_| !clicks.is_empty())
        else {
            return Ok(None);
        };
        self.know_people()?;
        let is_open = self.timers.unsettled.contains(&id);
        let slice = self.slice(clicks, true)?;
        let panel = Panel::of(&slice, &self.judging, if is_open { Look::Back } else { Look::Whole });
        let mut carried = None;
        if let Some((judgement, at)) = panel.full(&self.judging, id)
            && rules::is_undecided(judgement.case(at).click.kind, &judgement.base(at))
        {
            let click = judgement.case(at).click;
            if is_open {
                carried = self.reaching(&Convictions::default(), click);
            } else {
                let from_ms = id.ts_ms().saturating_sub(CARRY_BEFORE_MS);
                let until_ms = id.ts_ms().saturating_add(CARRY_AFTER_MS);
                let at: Vec<u64> = places(click).collect();
                carried = self.convictions_at(&at, &[(from_ms, until_ms)])?.reaching(click);
            }
        }
        if let Some((judgement, at)) = panel.active(id) {
            let case = judgement.case(at);
            let carried = carried.filter(|_| case.ruleset == Ruleset::Full);
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
