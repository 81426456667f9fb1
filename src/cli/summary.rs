//! `--summary`: what was read and found, as a table for people.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Instant;

use clickproof::verdict::{ClickType, Confidence, Finding, Ruleset};

use crate::verdicts::Verdicts;

/// What was read.
pub(crate) struct Counts {
    /// Lines that were not blank.
    pub(crate) lines: usize,
    /// Lines that got no result.
    pub(crate) bad: usize,
    /// Lines that tell of an event once more.
    pub(crate) repeated: usize,
    /// Events that are no clicks.
    pub(crate) others: usize,
    /// Messages with clicks.
    pub(crate) messages: usize,
    /// Recipients with clicks.
    pub(crate) recipients: usize,
}

/// Measures how long a run takes.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the ban is the Worker's; a command may read the clock")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

impl Counts {
    /// The table: what was read, then the clicks by type, vendor, confidence and rule, each with its share.
    pub(crate) fn table(&self, verdicts: &Verdicts, ruleset: Ruleset, seconds: f64) -> String {
        let count = |test: &dyn Fn(&Finding) -> bool| -> usize {
            verdicts.counts().filter(|(finding, _)| test(finding)).map(|(_, count)| count).sum()
        };
        let clicks = count(&|finding| finding.click_type.is_some());
        let people = count(&|finding| finding.click_type == Some(ClickType::Human));
        let mut table = Table { text: String::new(), whole: clicks };
        table.row("lines", self.lines);
        table.row("  bad", self.bad);
        table.row("  repeated", self.repeated);
        table.row("not clicks", self.others);
        table.row("clicks", clicks);
        table.row("messages", self.messages);
        table.row("recipients", self.recipients);
        table.share("people's clicks", people);
        table.heading("by type");
        for kind in ClickType::CLICKS {
            table.share(&format!("  {}", kind.name()), count(&|finding| finding.click_type == Some(kind)));
        }
        table.heading("by vendor");
        let vendors: BTreeSet<&str> =
            verdicts.counts().filter_map(|(finding, _)| finding.vendor.as_deref()).collect();
        for vendor in vendors {
            let theirs = |finding: &Finding| finding.vendor.as_deref() == Some(vendor);
            table.share(&format!("  {vendor}"), count(&theirs));
        }
        table.heading("by confidence");
        for sure in Confidence::ALL {
            table.share(
                &format!("  {}", sure.name()),
                count(&|finding| finding.confidence == sure && finding.click_type.is_some()),
            );
        }
        table.heading(&format!("by rule of {}", ruleset.label()));
        for rule in ruleset.rules() {
            table.share(&format!("  {}", rule.id), count(&|finding| finding.rule == rule.id));
        }
        table.heading(&format!("{seconds:.1} seconds"));
        table.text.pop();
        table.text
    }
}

/// Rows of a name, a number and its share of all clicks. Writing to a string cannot fail.
struct Table {
    text: String,
    whole: usize,
}

impl Table {
    fn heading(&mut self, words: &str) {
        let _ = writeln!(self.text, "{words}");
    }

    fn row(&mut self, name: &str, count: usize) {
        let _ = writeln!(self.text, "{name:<32}{count:>14}");
    }

    fn share(&mut self, name: &str, count: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a share needs three digits")]
        let percent = 100.0 * count as f64 / self.whole.max(1) as f64;
        let _ = writeln!(self.text, "{name:<32}{count:>14}{percent:>7.1} %");
    }
}
