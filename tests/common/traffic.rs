//! The clicks of a large send: people and scanners of every kind that the rules know, by the second, made from a seed. The same seed is
//! the same clicks, so that whoever judges them a second time need not keep them.

use std::collections::BTreeMap;

use clickproof::record::{EventIds, Record, Verified};

use super::hits::{self, Hit};
use super::several::Dice;
use super::{NOON_MS, record};

/// When the first click is: the send began an hour and a half before.
pub const START_MS: i64 = NOON_MS + 5_400_000;

/// URLs that everybody is offered, and those that few are.
const MAIN_URLS: u64 = 5;
const OTHER_URLS: u64 = 3_000;

/// One click in so many comes seconds late: its isolate died, or its object had no time.
const LATE_ONE_IN: u64 = 1_000;

/// On the landing pages of one person's click in so many something is seen.
const SHOWN_ONE_IN: u64 = 100;

/// How large a send is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    pub recipients: u64,
    pub clicks: u64,
    pub clicks_per_second: u64,
    /// One click in so many comes minutes or hours late; 0 for none.
    pub stragglers: u64,
    pub seed: u64,
}

/// A click, and what becomes of it.
pub struct Planned {
    pub record: Record,
    /// When a spilled one comes, Unix milliseconds; the others do at once.
    pub late_ms: Option<i64>,
    /// When its landing page shows something, Unix milliseconds, and what.
    pub shown: Option<(i64, Verified)>,
}

/// Plans the clicks of a visitor who begins now.
type Visit = fn(&mut Traffic);

/// Kinds of visitors, and how many of a thousand that begin are of each.
const VISITORS: [(u64, Visit); 11] = [
    (790, Traffic::person),
    (60, Traffic::pair),
    (12, Traffic::sandbox),
    (3, Traffic::campaign),
    (6, Traffic::fanout),
    (12, Traffic::sweep),
    (40, Traffic::declared),
    (25, Traffic::investigation),
    (30, Traffic::delivery_check),
    (12, Traffic::office),
    (10, Traffic::returning),
];

/// The clicks of a send, in the order of time.
pub struct Traffic {
    send: Sending,
    dice: Dice,
    planned: BTreeMap<(i64, u64), Planned>,
    now_ms: i64,
    begun: u64,
    ids: EventIds,
}

impl Traffic {
    pub fn of(send: Sending) -> Self {
        let (dice, planned, ids) = (Dice(send.seed), BTreeMap::new(), EventIds::default());
        Self { send, dice, planned, now_ms: START_MS, begun: 0, ids }
    }

    /// Begins visits until as many clicks are under way as the time asks for.
    fn begin(&mut self) {
        let elapsed_ms = u64::try_from(self.now_ms - START_MS).unwrap();
        let wanted = (self.send.clicks_per_second * (elapsed_ms + 1)).div_ceil(1_000).min(self.send.clicks);
        while self.begun < wanted {
            let mut place = self.dice.below(1_000);
            for (share, visit) in VISITORS {
                if place < share {
                    visit(self);
                    break;
                }
                place -= share;
            }
        }
    }

    /// Plans a click at a moment after now; whoever is over the count is left out.
    fn click(&mut self, hit: Hit, after_ms: i64) {
        self.shown_click(hit, after_ms, None);
    }

    /// The same of one whose landing page shows something so long after it.
    fn shown_click(&mut self, Hit(hit): Hit, after_ms: i64, shown: Option<(i64, Verified)>) {
        if self.begun >= self.send.clicks {
            return;
        }
        self.begun += 1;
        let ts_ms = self.now_ms + after_ms;
        let late_ms = self.lateness(ts_ms);
        let (record, shown) = (Record { ts_ms, ..hit }, shown.map(|(ms, verified)| (ts_ms + ms, verified)));
        self.planned.insert((ts_ms, self.begun), Planned { record, late_ms, shown });
    }

    /// When a click comes that does not come at once: the second queue's consumer brings many together, later each time that it fails.
    fn lateness(&mut self, ts_ms: i64) -> Option<i64> {
        let is_straggler = self.send.stragglers > 0 && self.dice.one_in(self.send.stragglers);
        let (least_ms, most_ms, step_ms) = match (is_straggler, self.dice.below(3)) {
            (false, _) if !self.dice.one_in(LATE_ONE_IN) => return None,
            (false, _) => (3_000, 50_000, 5_000),
            (true, 0) => (3_600_000, 14_400_000, 600_000),
            (true, _) => (60_000, 600_000, 30_000),
        };
        let late_ms = ts_ms + self.between(least_ms, most_ms);
        Some((late_ms / step_ms + 1) * step_ms)
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.dice.below(u64::try_from(to - from).unwrap()).cast_signed()
    }

    fn recipient(&mut self) -> u64 {
        self.dice.below(self.send.recipients)
    }

    /// Somebody whose mail comes now: once.
    fn newcomer(&self) -> u64 {
        self.send.recipients + self.begun
    }

    /// A URL that everybody clicks, or one of the many that few do.
    fn url(&mut self) -> String {
        if self.dice.one_in(4) {
            format!("main-{}", self.dice.below(MAIN_URLS))
        } else {
            format!("article-{}", self.dice.below(OTHER_URLS))
        }
    }

    /// A recipient's own browser at home, as it is each time.
    fn browser(recipient: u64) -> Hit {
        let of = Dice(recipient ^ 0x5eed).next();
        let hit = match of % 6 {
            0 | 1 => hits::chrome(158),
            2 => hits::edge(157),
            3 => hits::firefox(159),
            4 => hits::safari(26, 1),
            _ => hits::iphone(26, 1, "Version/26.1 Mobile/15E148 Safari/604.1"),
        };
        let address = of >> 8;
        let ip = format!("100.{}.{}.{}", 64 + address % 60, address / 60 % 250, address / 15_000 % 250);
        hit.from(&ip).with(|record| record.visitor_id = Some(format!("v{recipient}")))
    }

    /// When a recipient's mail was sent: some minutes to an hour before the first click.
    fn sent_ms(recipient: u64) -> i64 {
        START_MS - 300_000 - (Dice(recipient ^ 0x5e17).next() % 3_000_000).cast_signed()
    }

    fn of_person(&mut self, recipient: u64) -> Hit {
        let link = self.url();
        request(Self::browser(recipient), recipient, &link, Self::sent_ms(recipient))
    }

    /// Somebody looks at a link or two.
    fn person(&mut self) {
        let recipient = self.recipient();
        let mut after_ms = 0;
        for _ in 0..=self.dice.below(8) / 5 {
            let hit = self.of_person(recipient);
            let shown = self.dice.one_in(SHOWN_ONE_IN).then(|| {
                let all = [Verified::Rendered, Verified::Interacted, Verified::Interacted];
                (self.between(2_000, 90_000), self.dice.one_of(&all))
            });
            self.shown_click(hit, after_ms, shown);
            after_ms += self.between(3_000, 40_000);
        }
    }

    /// Somebody comes back with the cookie.
    fn returning(&mut self) {
        let recipient = self.recipient();
        let hit = self.of_person(recipient);
        let after_ms = self.between(20_000, 240_000);
        self.click(hit.clone(), 0);
        self.click(hit.returning(), after_ms);
    }

    /// Safe Links looks while somebody clicks, one before the other, or both at nearly the bound.
    fn pair(&mut self) {
        let recipient = self.recipient();
        let person = self.of_person(recipient).referer(hits::SAFE_LINKS);
        let scanner = person.clone().from(&format!("52.110.{}.7", recipient % 250));
        let gap_ms = self.dice.one_of(&[40, 180, 330, 499, 500, 501]);
        let first = self.dice.one_of(&[0, gap_ms]);
        self.click(person, first);
        self.click(scanner, gap_ms - first);
    }

    /// Mail that has just come is opened in a sandbox.
    fn sandbox(&mut self) {
        let (recipient, sent_ms) = (self.newcomer(), self.now_ms - self.between(2_000, 40_000));
        for n in 0..3 + self.dice.below(6) {
            let hit = hits::chrome(120).stripped().from(&format!("40.92.{}.{}", recipient % 250, n));
            let after_ms = self.between(0, 25_000);
            self.click(request(hit, recipient, &format!("article-{n}"), sent_ms), after_ms);
        }
    }

    /// One URL in the copies of many, by addresses of Microsoft's.
    fn campaign(&mut self) {
        let link = self.url();
        for _ in 0..15 + self.dice.below(45) {
            let recipient = self.recipient();
            let hit = hits::chrome(120).stripped().from(&format!("40.92.{}.9", recipient % 250));
            let after_ms = self.between(0, 65_000);
            self.click(request(hit, recipient, &link, Self::sent_ms(recipient)), after_ms);
        }
    }

    /// One rented machine, the copies of many.
    fn fanout(&mut self) {
        let (link, machine) = (self.url(), self.dice.below(60_000));
        let all_ms = self.dice.one_of(&[8_000, 12_000, 50_000, 70_000]);
        for _ in 0..4 + self.dice.below(36) {
            let recipient = self.recipient();
            let hit = hits::chrome(110 + u32::try_from(machine % 9).unwrap()).asn(hits::HETZNER);
            let hit = hit.from(&format!("95.216.{}.{}", machine / 250, machine % 250));
            let after_ms = self.between(0, all_ms);
            self.click(request(hit, recipient, &link, Self::sent_ms(recipient)), after_ms);
        }
    }

    /// A gateway takes every link of a copy.
    fn sweep(&mut self) {
        let recipient = self.recipient();
        let is_known = self.dice.one_in(2);
        for n in 0..5 + self.dice.below(4) {
            let hit = if is_known {
                hits::chrome(140).from(hits::BARRACUDA)
            } else {
                hits::chrome(140).from(&format!("95.217.{}.{}", recipient / 250 % 250, recipient % 250))
            };
            let hit = request(hit, recipient, &format!("article-{n}"), Self::sent_ms(recipient));
            self.click(hit, n.cast_signed() * 200);
        }
    }

    /// Programs that say what they are, and requests that no click makes.
    fn declared(&mut self) {
        let recipient = self.recipient();
        let hit = match self.dice.below(3) {
            0 => hits::program("ms-office; MSOffice 16"),
            1 => hits::program("python-requests/2.32"),
            _ => Self::browser(recipient).method("HEAD"),
        };
        let hit = hit.from(&format!("95.218.{}.{}", recipient / 250 % 250, recipient % 250));
        let link = self.url();
        self.click(request(hit, recipient, &link, Self::sent_ms(recipient)), 0);
    }

    /// Microsoft looks again hours later.
    fn investigation(&mut self) {
        let recipient = self.recipient();
        let hit = hits::chrome(120).stripped().from(&format!("52.110.{}.11", recipient % 250));
        let link = self.url();
        self.click(request(hit, recipient, &link, START_MS - 5_000_000), 0);
    }

    /// Safe Links looks when the mail comes.
    fn delivery_check(&mut self) {
        let (recipient, sent_ms) = (self.newcomer(), self.now_ms - self.between(1_000, 6_000));
        let hit = hits::chrome(130).from(&format!("40.92.{}.13", recipient % 250)).referer(hits::SAFE_LINKS);
        let link = self.url();
        self.click(request(hit, recipient, &link, sent_ms), 0);
    }

    /// Colleagues behind one address with one browser: few enough to be people, or nearly too many.
    fn office(&mut self) {
        let office = self.dice.below(60_000);
        let link = self.url();
        for _ in 0..3 + self.dice.below(9) {
            let recipient = self.recipient();
            let hit = hits::edge(157).from(&format!("100.124.{}.{}", office / 250, office % 250));
            let hit = hit.with(|record| record.visitor_id = Some(format!("v{recipient}")));
            let after_ms = self.between(0, 60_000);
            self.click(request(hit, recipient, &link, Self::sent_ms(recipient)), after_ms);
        }
    }
}

/// A request of a recipient, to whom the mail went so long ago.
fn request(hit: Hit, recipient: u64, link: &str, sent_at_ms: i64) -> Hit {
    let of = record("", &format!("r{recipient}"), link, 0);
    hit.of(7).with(|hit| {
        (hit.message_id, hit.recipient_id) = (of.message_id, of.recipient_id);
        (hit.link_id, hit.url, hit.sent_at_ms) = (of.link_id, of.url, sent_at_ms);
    })
}

impl Iterator for Traffic {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        loop {
            self.begin();
            if let Some(first) = self.planned.first_entry().filter(|first| first.key().0 <= self.now_ms) {
                let mut planned = first.remove();
                let mut random = [0; 12];
                random[..8].copy_from_slice(&self.dice.next().to_be_bytes());
                planned.record.event_id = self.ids.next(planned.record.ts_ms, random).to_string();
                return Some(planned);
            }
            if self.planned.is_empty() && self.begun >= self.send.clicks {
                return None;
            }
            self.now_ms += 1;
        }
    }
}
