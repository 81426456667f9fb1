//! Requests as the tests of ruleset `full` write them: browsers with every header that they send, machines without.
//!
//! Which browser sends which header since which version is MDN's browser-compat-data 8.1.9 (2026-11-12). Unless a test
//! says otherwise, recipient `r` opens link `l` over https from a home, two minutes after the send, when no clock votes.

use std::rc::Rc;

use clickproof::link::keys::Keyring;
use clickproof::record::Delivery;
use clickproof::record::Record;
use clickproof::record::Verified;
use clickproof::signals::catalogue::learned::{LEARNED, Table};
use clickproof::signals::privacy::Privacy;
use clickproof::verdict::{Click, Finding, JudgedHistory, Look, Ruleset, Thresholds, judge};

use super::{NOON_MS, record};

/// Addresses for documentation: in no catalogue.
pub const HOME: &str = "203.0.113.9";
/// Another home.
pub const ELSEWHERE: &str = "198.51.100.7";
/// Microsoft's mail filter, where only scanners come from.
pub const FILTER: &str = "40.92.1.1";
/// One of the published table's wide ranges, where not only scanners come from.
pub const WIDE: &str = "52.110.1.1";
/// Barracuda's gateway, where only scanners come from.
pub const BARRACUDA: &str = "3.24.133.130";
/// iCloud Private Relay.
pub const RELAY: &str = "104.28.28.1";
/// Zscaler's published egress.
pub const ZSCALER: &str = "8.25.203.10";
/// Microsoft's AS: Azure, and so cloud PCs.
pub const AZURE: i64 = 8_075;
/// Proofpoint's AS: its scanners, and browser isolation.
pub const PROOFPOINT: i64 = 22_843;
/// Netcraft's AS.
pub const NETCRAFT: i64 = 210_111;
/// Hetzner's AS: rented machines, and people's VPNs.
pub const HETZNER: i64 = 24_940;
/// What a browser says that Safe Links sent on.
pub const SAFE_LINKS: &str = "https://nam02.safelinks.protection.outlook.com/";

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// One request in the making.
#[derive(Clone, Debug)]
pub struct Hit(pub Record);

fn hit(agent: Option<String>) -> Hit {
    let mut record = record("", "r", "l", NOON_MS + 120_000);
    record.ip = Some(HOME.to_owned());
    record.user_agent = agent;
    record.secure = Some(true);
    record.http_protocol = Some("HTTP/2".to_owned());
    Hit(record)
}

/// The headers of a navigation: since which version a browser sends them, and which this is.
struct Since {
    metadata: bool,
    dest: bool,
    user: bool,
    hints: Option<String>,
}

fn browser(agent: String, sends: Since) -> Hit {
    let text = |so: bool, value: &str| so.then(|| value.to_owned());
    let Hit(record) = hit(Some(agent));
    Hit(Record {
        accept: text(true, HTML),
        accept_language: text(true, "en-GB,en;q=0.9"),
        sec_fetch_site: text(sends.metadata, "none"),
        sec_fetch_mode: text(sends.metadata, "navigate"),
        sec_fetch_dest: text(sends.dest, "document"),
        sec_fetch_user: text(sends.user, "?1"),
        sec_ch_ua: sends.hints,
        http_protocol: text(true, "HTTP/2"),
        cookie: text(true, "new"),
        ..record
    })
}

fn brands(name: &str, version: u32, chromium: u32) -> String {
    format!(r#""{name}";v="{version}", "Not;A=Brand";v="8", "Chromium";v="{chromium}""#)
}

fn windows(products: &str) -> String {
    format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) {products}")
}

/// Chrome on Windows.
pub fn chrome(version: u32) -> Hit {
    let hints = (version >= 89).then(|| brands("Google Chrome", version, version));
    browser(
        windows(&format!("Chrome/{version}.0.0.0 Safari/537.36")),
        Since { metadata: version >= 76, dest: version >= 80, user: version >= 76, hints },
    )
}

/// Edge on Windows, since it is Chromium.
pub fn edge(version: u32) -> Hit {
    let hints = (version >= 89).then(|| brands("Microsoft Edge", version, version));
    browser(
        windows(&format!("Chrome/{version}.0.0.0 Safari/537.36 Edg/{version}.0.0.0")),
        Since { metadata: version >= 79, dest: version >= 80, user: version >= 79, hints },
    )
}

/// Firefox on Windows.
pub fn firefox(version: u32) -> Hit {
    let new = version >= 90;
    browser(
        format!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
        ),
        Since { metadata: new, dest: new, user: new, hints: None },
    )
}

/// Safari on a Mac.
pub fn safari(major: u32, minor: u32) -> Hit {
    let new = (major, minor) >= (16, 4);
    let agent = format!(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{major}.{minor} Safari/605.1.15"
    );
    browser(agent, Since { metadata: new, dest: new, user: false, hints: None })
}

/// What runs on an iPhone with that system: Safari, or other products.
pub fn iphone(major: u32, minor: u32, products: &str) -> Hit {
    let new = (major, minor) >= (16, 4);
    let agent = format!(
        "Mozilla/5.0 (iPhone; CPU iPhone OS {major}_{minor} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) {products}"
    );
    browser(agent, Since { metadata: new, dest: new, user: false, hints: None })
}

/// Samsung Internet, by its own version and Chromium's.
pub fn samsung(version: u32, chromium: u32) -> Hit {
    let agent = format!(
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/{version}.0 Chrome/{chromium}.0.0.0 Mobile Safari/537.36"
    );
    let hints = (version >= 23).then(|| brands("Samsung Internet", version, chromium));
    browser(agent, Since { metadata: version >= 12, dest: version >= 13, user: version >= 12, hints })
}

/// A program that says `agent` and sends what programs send.
pub fn program(agent: &str) -> Hit {
    let Hit(record) = hit(Some(agent.to_owned()));
    Hit(Record {
        accept: Some("*/*".to_owned()),
        http_protocol: Some("HTTP/1.1".to_owned()),
        cookie: Some("new".to_owned()),
        ..record
    })
}

/// A program that says it is an old Chrome, and sends nothing that Chrome sends.
pub fn pretender() -> Hit {
    program(&windows("Chrome/120.0.0.0 Safari/537.36"))
}

/// Somebody who says nothing of themselves.
pub fn nobody() -> Hit {
    hit(None)
}

/// A record that holds a browser's agent and no header, as logs from elsewhere do.
pub fn logged(agent: &str) -> Hit {
    hit(Some(agent.to_owned())).with(no_headers)
}

/// A record that holds neither an agent nor a header.
pub fn unknown() -> Hit {
    hit(None).with(no_headers)
}

fn no_headers(record: &mut Record) {
    (record.secure, record.http_protocol) = (None, None);
}

impl Hit {
    /// Milliseconds after the send.
    pub fn at(self, ms: i64) -> Self {
        self.with(|record| record.ts_ms = NOON_MS + ms)
    }
    pub fn by(self, recipient: &str) -> Self {
        self.with(|record| recipient.clone_into(&mut record.recipient_id))
    }
    pub fn on(self, link: &str) -> Self {
        self.with(|record| {
            record.link_id = Some(link.to_owned());
            record.url = Some(format!("https://brand.example/{link}"));
        })
    }
    pub fn from(self, ip: &str) -> Self {
        self.with(|record| record.ip = Some(ip.to_owned()))
    }
    pub fn asn(self, asn: i64) -> Self {
        self.with(|record| record.asn = Some(asn))
    }
    pub fn referer(self, referer: &str) -> Self {
        self.with(|record| record.referer = Some(referer.to_owned()))
    }
    pub fn method(self, method: &str) -> Self {
        self.with(|record| method.clone_into(&mut record.method))
    }
    /// Our cookie came back.
    pub fn returning(self) -> Self {
        self.with(|record| record.cookie = Some("returning".to_owned()))
    }
    /// Its landing page was shown, or touched.
    pub fn verified(self, verified: Verified) -> Self {
        self.with(|record| record.verified = verified)
    }
    /// In a copy of so many links.
    pub fn of(self, links: i64) -> Self {
        self.with(|record| record.links_total = Some(links))
    }
    pub fn with(mut self, change: impl FnOnce(&mut Record)) -> Self {
        change(&mut self.0);
        self
    }
    /// As a proxy leaves it that strips what it does not know.
    pub fn stripped(self) -> Self {
        self.with(|record| {
            record.sec_fetch_site = None;
            record.sec_fetch_mode = None;
            record.sec_fetch_dest = None;
            record.sec_fetch_user = None;
            record.sec_ch_ua = None;
        })
    }
}

/// The records of a history, each with an id by its place.
pub fn history(hits: impl IntoIterator<Item = Hit>) -> Vec<Record> {
    let records = hits.into_iter().enumerate();
    records.map(|(at, Hit(record))| Record { event_id: format!("e{at:04}"), ..record }).collect()
}

/// What ruleset `full` says of a click.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub finding: Finding,
    /// The rules that held, but for the one that always does.
    pub held: Vec<&'static str>,
}

impl Told {
    /// The rule that decided, `!` behind it where it is certain.
    pub fn verdict(&self) -> String {
        let certain = self.finding.confidence == clickproof::verdict::Confidence::Certain;
        format!("{}{}", self.finding.rule, if certain { "!" } else { "" })
    }

    pub fn click_type(&self) -> &'static str {
        self.finding.click_type.unwrap().name()
    }
}

/// The positions of a history in its order.
pub fn order(history: &[Record]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..history.len()).collect();
    order.sort_by_key(|&at| (history[at].ts_ms, &history[at].event_id));
    order
}

/// What ruleset `full` says of every click of a whole history, in the order of the history: the same however little is kept of it.
pub fn told(history: &[Record]) -> Vec<Told> {
    let told = taught(history, &LEARNED);
    for privacy in [Privacy::Truncated, Privacy::Verdict] {
        assert_eq!(taught(&kept(history, privacy), &LEARNED), told, "{privacy:?}");
    }
    told
}

/// A history as `PRIVACY` keeps it.
pub fn kept(history: &[Record], privacy: Privacy) -> Vec<Record> {
    let keys = Keyring::parse(&format!("k:{}", "A".repeat(43))).0.unwrap();
    history.iter().map(|record| privacy.keep(record.clone(), &keys)).collect()
}

/// The same where that much was learned before.
pub fn taught(history: &[Record], learned: &Table) -> Vec<Told> {
    let thresholds = Thresholds::default();
    let order = order(history);
    let click = |record: &Record| {
        let click = Click::of(record, Delivery::default());
        Rc::new(Click { signals: click.signals.taught(record, learned), ..click })
    };
    let clicks: Vec<Rc<Click>> = order.iter().map(|&at| click(&history[at])).collect();
    let trial = JudgedHistory::of(&clicks, Ruleset::Full, &thresholds);
    let explained: Vec<_> = (0..clicks.len()).map(|at| trial.explain(at)).collect();
    let findings = trial.into_findings();
    assert_eq!(findings, judge(&clicks, Ruleset::Full, &thresholds, Look::Whole));
    let mut all: Vec<Option<Told>> = vec![None; history.len()];
    for ((at, finding), explanation) in order.into_iter().zip(findings).zip(explained) {
        let decided: Vec<_> =
            explanation.rules.iter().filter(|asked| asked.decided).map(|asked| asked.rule).collect();
        // No rule is asked about what stands by itself.
        let named = explanation.rules.is_empty() || decided == [finding.rule.as_ref()];
        assert!(named, "the explanation names the rule that decided: {decided:?}");
        let held = explanation.rules.iter().filter(|asked| asked.held && asked.rule != "human");
        all[at] = Some(Told { held: held.map(|asked| asked.rule).collect(), finding });
    }
    all.into_iter().map(Option::unwrap).collect()
}

/// What is played, the clicks, and the verdicts: one for all or one for each, `!` behind what is certain.
pub type Row = (&'static str, Vec<Hit>, &'static str);

/// Holds each row's verdicts, one for all or one for each of its clicks, and that no other rule holds.
#[track_caller]
pub fn hold(rows: impl IntoIterator<Item = Row>) {
    for (words, hits, expected) in rows {
        let told = told(&history(hits));
        let verdicts: Vec<String> = told.iter().map(Told::verdict).collect();
        let mut expected: Vec<&str> = expected.split(' ').collect();
        if expected.len() == 1 {
            expected.resize(told.len(), expected[0]);
        }
        assert_eq!(verdicts, expected, "{words}: {:?}", told.iter().map(|told| &told.finding.reasons));
        for told in &told {
            let alone: &[&str] =
                if told.finding.rule == "human" { &[] } else { &[told.finding.rule.as_ref()] };
            assert_eq!(told.held, alone, "{words}: no other rule holds");
        }
    }
}

/// Every link of a list by one kind of visitor, `gap_ms` apart, beginning at `start_ms` after the send.
pub fn links(count: i64, start_ms: i64, gap_ms: i64, visitor: impl Fn() -> Hit) -> Vec<Hit> {
    (0..count).map(|n| visitor().on(&format!("l{n}")).at(start_ms + n * gap_ms)).collect()
}

/// One link of so many recipients.
pub fn recipients(count: i64, start_ms: i64, gap_ms: i64, visitor: impl Fn() -> Hit) -> Vec<Hit> {
    (0..count).map(|n| visitor().by(&format!("r{n}")).at(start_ms + n * gap_ms)).collect()
}

/// The same visitors, each from an address of its own: no source, so no fan-out and no conviction reaches another.
pub fn apart(hits: Vec<Hit>, network: &str) -> Vec<Hit> {
    hits.into_iter().enumerate().map(|(n, hit)| hit.from(&format!("{network}.{n}.7"))).collect()
}

pub fn and(mut hits: Vec<Hit>, more: impl IntoIterator<Item = Hit>) -> Vec<Hit> {
    hits.extend(more);
    hits
}
