//! How a send differs from those before it: what a rate by itself does not show.
//!
//! A share is compared with that of the sends before it taken together. It has changed where the difference is one that people
//! would see (some points, or half and double) and more than chance: three standard deviations of a share of so many, which one
//! send in some four hundred passes by chance. Clicks are no coin tosses, though: one gateway makes many, and who writes to companies
//! today writes to consumers tomorrow. So a share must pass that of each of the sends before, too.

use super::figures::Report;
use super::finding::{Diagnosis, Severity};
use super::past::Past;
use super::share::percent;
use crate::verdict::ClickType;

/// With fewer sends before it nothing is compared.
const LEAST_SENDS: usize = 3;

/// A send with fewer clicks says nothing of the next.
const LEAST_CLICKS: i64 = 50;

/// By so many points machines' share must differ, per cent.
const POINTS: i64 = 10;

/// Groups of scanners whose share is compared, by their code and in words.
const GROUPS: [(&str, ClickType, &str); 4] = [
    ("more_sandboxed", ClickType::ScannerSafeAttachments, "Safe Attachments"),
    ("more_correlated", ClickType::ScannerCampaignView, "Microsoft's campaign correlation"),
    ("more_investigated", ClickType::ScannerAirOrMbi, "Microsoft's late crawls"),
    ("more_gateways", ClickType::ScannerGateway, "mail gateways"),
];

/// A part of a whole.
#[derive(Clone, Copy)]
struct Share {
    part: i64,
    whole: i64,
}

impl Share {
    /// Whether it differs from another by more than chance.
    #[expect(clippy::cast_precision_loss, reason = "a bound needs no more digits")]
    fn differs(self, from: Self) -> bool {
        if self.whole <= 0 || from.whole <= 0 {
            return false;
        }
        let (n, m) = (self.whole as f64, from.whole as f64);
        let both = (self.part + from.part) as f64 / (n + m);
        let deviation = (both * (1.0 - both) * (1.0 / n + 1.0 / m)).sqrt();
        (self.part as f64 / n - from.part as f64 / m).abs() > 3.0 * deviation
    }

    const fn is_more(self, than: Self) -> bool {
        !than.is_times(self, 1)
    }

    /// How many times as great it is, at least.
    const fn is_times(self, from: Self, times: i64) -> bool {
        self.part.saturating_mul(from.whole) >= times.saturating_mul(from.part.saturating_mul(self.whole))
    }

    fn percent(self) -> String {
        percent(self.part, self.whole)
    }
}

/// A share of the sends before.
struct Before {
    each: Vec<Share>,
    all: Share,
}

impl Before {
    fn of(sends: &[&Past], part: impl Fn(&Past) -> i64, whole: impl Fn(&Past) -> i64) -> Self {
        let each: Vec<_> = sends.iter().map(|past| Share { part: part(past), whole: whole(past) }).collect();
        let sum = |number: fn(&Share) -> i64| each.iter().map(number).sum();
        let all = Share { part: sum(|share| share.part), whole: sum(|share| share.whole) };
        Self { each, all }
    }

    /// Whether a share is more than in any of them, and by more than chance.
    fn is_passed_by(&self, now: Share) -> bool {
        self.each.iter().all(|then| now.is_more(*then)) && now.differs(self.all)
    }

    /// Whether a share is less than in any of them, and by more than chance.
    fn is_missed_by(&self, now: Share) -> bool {
        self.each.iter().all(|then| then.is_more(now)) && now.differs(self.all)
    }
}

/// What has changed; nothing where there is too little to compare.
pub(super) fn of(report: &Report, past: &[Past]) -> Vec<Diagnosis> {
    let mut changes = Vec::new();
    let usual: Vec<&Past> = past.iter().filter(|past| past.clicks() >= LEAST_CLICKS).collect();
    if usual.len() < LEAST_SENDS || report.clicks < LEAST_CLICKS {
        return changes;
    }
    let sends = usual.len();
    let mut change = |code, severity, text| changes.push(Diagnosis { code, severity, text });

    let now = Share { part: report.clicks - report.human_clicks, whole: report.clicks };
    let machines = |past: &Past| past.clicks() - past.by_type[ClickType::Human as usize];
    let before = Before::of(&usual, machines, Past::clicks);
    let points = now.part * 100 / now.whole - before.all.part * 100 / before.all.whole;
    let next = if points >= POINTS && before.is_passed_by(now) {
        Some((Severity::Warning, "See whose they are before you compare click rates."))
    } else if points <= -POINTS && before.is_missed_by(now) {
        Some((Severity::Info, "Fewer mails may have reached business mailboxes: look at bounces."))
    } else {
        None
    };
    if let Some((severity, next)) = next {
        let (now, before) = (now.percent(), before.all.percent());
        let text = format!("Machines made {now} of clicks; in the {sends} sends before {before}. {next}");
        change("machine_share", severity, text);
    }
    for (code, kind, who) in GROUPS {
        let now = Share { part: report.by_type.of(kind), whole: report.clicks };
        let before = Before::of(&usual, |past| past.by_type[kind as usize], Past::clicks);
        if now.is_times(before.all, 2) && before.is_passed_by(now) {
            let (now, before) = (now.percent(), before.all.percent());
            let text = format!(
                "{now} of clicks came from {who}; in the {sends} sends before {before}. Something about this send is new to \
                 them: its links, its HTML, its sender."
            );
            change(code, Severity::Warning, text);
        }
    }
    let told: Vec<&Past> = usual.into_iter().filter(|past| past.sent.is_some_and(|sent| sent > 0)).collect();
    if let Some(sent) = report.sent.filter(|sent| *sent > 0)
        && told.len() >= LEAST_SENDS
    {
        let now = Share { part: report.human_recipients, whole: sent };
        let before = Before::of(&told, |past| past.human_recipients, |past| past.sent.unwrap_or_default());
        if before.all.is_times(now, 2) && before.is_missed_by(now) {
            let (now, before) = (now.percent(), before.all.percent());
            let text = format!(
                "People of {now} of the recipients clicked; of the {} sends before {before}. Where the content is not the \
                 cause, the mails lie in spam folders: run a placement test.",
                told.len()
            );
            change("fewer_people", Severity::Warning, text);
        }
    }
    changes
}
