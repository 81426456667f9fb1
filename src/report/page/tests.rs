//! The pages say what the report says, of any report, and nothing that others sent is more than text.

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use super::frame::STYLE;
use super::*;
use crate::report::finding::{Diagnosis, Severity};
use crate::report::{
    Acts, ByName, ByType, Delay, Difference, Group, Groups, LinkCount, Minute, Opens, Rates, Report,
    Verifieds,
};
use crate::verdict::{ClickType, delay};

const NASTY: &str = "=\"><script>alert('x')</script>&amp;,\n";
const NASTY_AS_TEXT: &str = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;,";

const NOON_MS: i64 = 1_773_316_800_000;
const NOW_MS: i64 = NOON_MS + 5 * 86_400_000;

/// A message of which nothing is known.
fn unknown() -> Report {
    Report {
        message_id: "spring:2026".to_owned(),
        title: None,
        sent: None,
        known: false,
        first_ms: None,
        last_ms: None,
        clicks: 0,
        by_type: ByType::all(&[0; ClickType::COUNT]),
        human_clicks: 0,
        human_recipients: 0,
        recipients: 0,
        machine_only_recipients: 0,
        safe_links_recipients: 0,
        is_defender_bot: 0,
        unsettled: 0,
        repeats: 0,
        rates: Rates { clicks_per_sent: None, human_recipients_per_sent: None, machine_share: None },
        by_vendor: ByName::default(),
        by_confidence: ByName::default(),
        by_group: Groups::default(),
        links: Vec::new(),
        timeline: Vec::new(),
        delay: Delay::all(&[[0; ClickType::COUNT]; delay::STEPS]),
        opens: Opens { total: 0, by_type: ByType::default() },
        acts: Acts { unsubscribe: 0, confirm: 0, machines: 0 },
        verified: Verifieds { rendered: 0, interacted: 0 },
        diagnosis: Vec::new(),
        shadow: None,
    }
}

/// One click, by a person.
fn one_click() -> Report {
    let human = || ByType(vec![(ClickType::Human, 1)]);
    let mut report = Report {
        known: true,
        first_ms: Some(NOON_MS),
        last_ms: Some(NOON_MS),
        clicks: 1,
        by_type: human(),
        human_clicks: 1,
        human_recipients: 1,
        recipients: 1,
        by_confidence: ByName(vec![("probable".to_owned(), 1)]),
        links: vec![LinkCount {
            link_id: Some("hero".to_owned()),
            url: None,
            clicks: 1,
            human_clicks: 1,
            human_recipients: 1,
        }],
        timeline: vec![Minute { ts_ms: NOON_MS, by_type: human() }],
        ..unknown()
    };
    report.delay[9].by_type = human();
    report
}

/// How much of each type a campaign has, of a thousand clicks, and when: the seconds after the mail in which it begins, and how
/// many it lasts.
const CAMPAIGN: [(ClickType, i64, i64, i64); 10] = [
    (ClickType::Human, 131, 40, 260_000),
    (ClickType::ScannerSafelinksDelivery, 62, 0, 5),
    (ClickType::ScannerTimeOfClick, 48, 40, 200_000),
    (ClickType::ScannerSafeAttachments, 312, 3, 55),
    (ClickType::ScannerCampaignView, 71, 9_000, 60),
    (ClickType::ScannerAirOrMbi, 9, 30_000, 150_000),
    (ClickType::ScannerGateway, 188, 5, 600),
    (ClickType::ScannerSweep, 92, 2, 1_800),
    (ClickType::ScannerHeadless, 64, 20, 90_000),
    (ClickType::ScannerRepeat, 23, 4_000, 1_800),
];

/// A campaign of a hundred thousand clicks, of all kinds.
fn campaign() -> Report {
    let mut by_type = [0; ClickType::COUNT];
    let mut steps = [[0; ClickType::COUNT]; delay::STEPS];
    let mut minutes: Vec<[i64; ClickType::COUNT]> = vec![[0; ClickType::COUNT]; 4_400];
    let mut links = [[0; 2]; 30];
    let mut groups = [[0; ClickType::COUNT]; 5];
    for (kind, per_mille, begin_s, lasts_s) in CAMPAIGN {
        for at in 0..per_mille * 100 {
            // The many come first, and few late.
            let early = at * at / (per_mille * 100);
            let delta_s = begin_s + early * early / (per_mille * 100) * lasts_s / (per_mille * 100);
            by_type[kind as usize] += 1;
            steps[usize::from(delay::step(delta_s * 1_000))][kind as usize] += 1;
            minutes[usize::try_from(delta_s / 60).unwrap()][kind as usize] += 1;
            let at = usize::try_from(at).unwrap();
            let link = if kind == ClickType::Human { at % 30 * (at % 7) / 6 } else { at % 30 };
            links[link][0] += 1;
            links[link][1] += i64::from(kind == ClickType::Human);
            groups[at % 5 * (at % 3) / 2][kind as usize] += 1;
        }
    }
    let clicks: i64 = by_type.iter().sum();
    let human_clicks = by_type[ClickType::Human as usize];
    let names = ["gmail.com", "microsoft", "own-domain", "university", "yahoo"];
    let finding = |code, severity, text: &str| Diagnosis { code, severity, text: text.to_owned() };
    let link = |at: usize, [clicks, human_clicks]: [i64; 2]| LinkCount {
        link_id: Some(format!("link-{at}")),
        url: Some(format!("https://shop.example/spring/{at}?utm_source=mail&utm_campaign=spring-2026")),
        clicks,
        human_clicks,
        human_recipients: human_clicks * 9 / 10,
    };
    let mut links: Vec<LinkCount> =
        links.into_iter().enumerate().map(|(at, counts)| link(at, counts)).collect();
    links.sort_by_key(|link| -link.clicks);
    Report {
        message_id: "spring:2026".to_owned(),
        title: Some("Spring: new arrivals & <old> favourites".to_owned()),
        sent: Some(250_000),
        known: true,
        first_ms: Some(NOON_MS),
        last_ms: Some(NOON_MS + 260_000_000),
        clicks,
        by_type: ByType::all(&by_type),
        human_clicks,
        human_recipients: 9_871,
        recipients: 41_230,
        machine_only_recipients: 31_359,
        safe_links_recipients: 4_410,
        is_defender_bot: clicks / 2,
        unsettled: 1_204,
        repeats: 310,
        rates: Rates {
            clicks_per_sent: Some(0.4),
            human_recipients_per_sent: Some(0.039_484),
            machine_share: Some(0.869),
        },
        by_vendor: ByName(
            [("barracuda", 3_100), ("microsoft", 50_200), ("mimecast", 6_020), ("proofpoint", 9_680)]
                .map(|(name, count)| (name.to_owned(), count))
                .into(),
        ),
        by_confidence: ByName(vec![("certain".to_owned(), 71_020), ("probable".to_owned(), 28_980)]),
        by_group: Groups(
            names
                .iter()
                .zip(groups)
                .map(|(name, counts)| {
                    let group = Group {
                        sent: (*name != "university").then_some(50_000),
                        clicks: counts.iter().sum(),
                        human_clicks: counts[0],
                        human_recipients: counts[0] * 3 / 4,
                        by_type: ByType::some(&counts),
                    };
                    ((*name).to_owned(), group)
                })
                .collect(),
        ),
        links,
        timeline: minutes
            .iter()
            .zip(0_i64..)
            .filter(|(counts, _)| counts.iter().any(|count| *count > 0))
            .map(|(counts, at)| Minute { ts_ms: NOON_MS + at * 60_000, by_type: ByType::some(counts) })
            .collect(),
        delay: Delay::all(&steps),
        opens: Opens {
            total: 88_000,
            by_type: ByType(vec![
                (ClickType::Human, 30_000),
                (ClickType::ScannerGateway, 8_000),
                (ClickType::ProxyOpen, 50_000),
            ]),
        },
        acts: Acts { unsubscribe: 212, confirm: 0, machines: 17 },
        verified: Verifieds { rendered: 2_100, interacted: 5_400 },
        diagnosis: vec![
            finding(
                "safe_attachments",
                Severity::Warning,
                "Safe Attachments detonated links with 31,200 of 100,000 clicks (31.2 %): the HTML looks suspicious. Clean \
                 it: fewer heavy images and external resources, plain encoding.",
            ),
            finding(
                "timeofclick",
                Severity::Info,
                "Safe Links checked clicks of 4,410 of 41,230 recipients who clicked (10.7 %): that is normal, and about the \
                 share of the list on Microsoft 365.",
            ),
            finding(
                "campaign_view",
                Severity::Warning,
                "Microsoft fetched one link across many recipients at once (7,100 of 100,000 clicks, 7.1 %): the messages \
                 were grouped, perhaps flagged. Watch for blocks.",
            ),
            finding(
                "air_or_mbi",
                Severity::Critical,
                "Microsoft crawled links long after delivery (900 of 100,000 clicks, 0.9 %): an alert may have fired. Pause, \
                 and run a placement test before the next send.",
            ),
            finding(
                "machine_only",
                Severity::Warning,
                "31,359 of 41,230 recipients with a click (76.1 %) have machines’ clicks alone: nobody read what they seem to \
                 have clicked. Leave them out of segments and flows that take a click for interest.",
            ),
        ],
        shadow: Some(Difference {
            ruleset: "full@4".to_owned(),
            clicks,
            differ: 120,
            human_to_scanner: 80,
            scanner_to_human: 20,
            changes: Vec::new(),
        }),
    }
}

#[test]
fn look() {
    let dir = std::path::PathBuf::from(std::env::var("PAGES").unwrap());
    let put = |name: &str, text: String| std::fs::write(dir.join(name), text).unwrap();
    put("campaign.html", message(&campaign(), NOW_MS));
    put("one.html", message(&one_click(), NOW_MS));
    put("unknown.html", message(&unknown(), NOW_MS));
    put("told.html", message(&Report { known: true, sent: Some(10), ..unknown() }, NOW_MS));
    let rows = [
        row(&campaign()),
        row(&one_click()),
        row(&Report { title: Some("Shoes".into()), ..one_click() }),
        row(&Report { known: true, sent: Some(1000), ..unknown() }),
    ];
    put("list.html", list(&rows, Some("a b")));
    put("empty.html", list(&[], None));
    put("campaign.csv", csv(&campaign()));
    println!("{}", Base64::encode_string(&Sha256::digest(STYLE)));
}
