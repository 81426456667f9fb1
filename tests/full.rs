//! Ruleset `full`, rule by rule: a case in which that rule alone holds, near misses just outside each of its bounds, and
//! the people whom it must not hit. The published table's own bounds stand in `tests/defender.rs`.

mod common;

use std::rc::Rc;

use clickproof::record::{Delivery, Kind, Record, Verified};
use clickproof::signals::catalogue::learned::{Learned, Table};
use clickproof::signals::votes;
use clickproof::verdict::bursts::SWEEP_REACH_MS as REACH_MS;
use clickproof::verdict::thresholds::SETTINGS;
use clickproof::verdict::{Click, Look, Ruleset, Thresholds, judge};
use common::NOON_MS;
use common::hits::{
    AZURE, BARRACUDA, ELSEWHERE, FILTER, HETZNER, HOME, Hit, NETCRAFT, PROOFPOINT, RELAY, SAFE_LINKS, Told,
    WIDE, ZSCALER, and, apart, chrome, edge, firefox, history, hold, iphone, links, logged, nobody,
    pretender, program, recipients, safari, samsung, taught, told, unknown,
};

#[test]
fn nobody_is_a_scanner_for_nothing() {
    hold([
        ("Chrome at home", vec![chrome(158)], "human"),
        ("a second after the send", vec![chrome(158).at(1_000)], "human"),
        ("before the send, by a clock that is off", vec![chrome(158).at(-60_000)], "human"),
        ("Edge", vec![edge(158)], "human"),
        ("Firefox", vec![firefox(160)], "human"),
        ("Safari", vec![safari(26, 1)], "human"),
        ("Safari on an iPhone", vec![iphone(18, 7, "Version/26.1 Mobile/15E148 Safari/604.1")], "human"),
        ("an app's page on an iPhone", vec![iphone(18, 6, "Mobile/15E148 [LinkedInApp]/9.30.2215")], "human"),
        ("Samsung's browser", vec![samsung(28, 130)], "human"),
        ("an old browser", vec![chrome(70)], "human"),
        ("an old browser in the first seconds", vec![firefox(78).at(2_000)], "human"),
        ("behind a proxy that strips headers", vec![chrome(158).stripped()], "human"),
        ("a record with an agent and no headers", vec![logged("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36")], "human"),
        ("a record with nothing at all", vec![unknown().with(|record| record.ip = None)], "human"),
        ("an address that cannot be read", vec![chrome(158).from("junk")], "human"),
        ("a Cubot phone", vec![chrome(158).with(|record| {
            record.user_agent = Some("Mozilla/5.0 (Linux; Android 14; CUBOT_NOTE_20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Mobile Safari/537.36".to_owned());
        })], "human"),
    ]);
}

#[test]
fn people_click_twice_and_open_tabs() {
    let person = || chrome(158);
    hold([
        ("a double click", vec![person().at(90_000), person().at(90_180)], "human"),
        (
            "the same through Safe Links",
            vec![person().at(90_000).referer(SAFE_LINKS), person().at(90_180).referer(SAFE_LINKS)],
            "human",
        ),
        ("two tabs at once", links(2, 90_000, 0, person), "human"),
        ("two tabs at once, which are all links", links(2, 90_000, 400, || chrome(158).of(2)), "human"),
        ("three tabs, seconds apart", links(3, 30_000, 2_500, person), "human"),
        ("three tabs within a second", links(3, 90_000, 500, person), "human"),
        ("four tabs within ten seconds", links(4, 90_000, 3_000, person), "human"),
        (
            "five tabs within ten seconds, of seven links",
            links(5, 90_000, 2_500, || chrome(158).of(7)),
            "human",
        ),
        ("ten links in a minute", links(10, 90_000, 6_000, person), "human"),
        ("three tabs in an old browser", links(3, 90_000, 2_500, || chrome(70)), "human"),
        (
            "three tabs, all of a copy, through a Zscaler that strips headers",
            links(3, 90_000, 3_000, || chrome(158).stripped().from(ZSCALER).of(3)),
            "human",
        ),
        (
            "five tabs at once through the private relay",
            links(5, 90_000, 100, || safari(26, 1).from(RELAY)),
            "human",
        ),
    ]);
}

#[test]
fn people_sit_behind_scanners_and_data_centres() {
    hold([
        ("a cloud PC in Azure", vec![chrome(158).asn(AZURE)], "human"),
        ("a cloud PC in the first minute", vec![edge(158).asn(AZURE).at(20_000)], "human"),
        ("a cloud PC, hours later", vec![edge(158).asn(AZURE).at(7_200_000)], "human"),
        (
            "a double click on a cloud PC",
            vec![edge(158).asn(AZURE), edge(158).asn(AZURE).at(120_150)],
            "human",
        ),
        ("Proofpoint's browser isolation", vec![chrome(158).asn(PROOFPOINT)], "human"),
        ("isolation in the first seconds", vec![chrome(158).asn(PROOFPOINT).at(5_000)], "human"),
        (
            "isolation, through a rewritten link",
            vec![chrome(158).asn(PROOFPOINT).referer("https://urldefense.com/")],
            "human",
        ),
        ("Zscaler by its address", vec![chrome(158).from(ZSCALER)], "human"),
        ("Zscaler by its AS, headers stripped", vec![chrome(158).stripped().asn(22_616)], "human"),
        ("Zscaler in a rented machine", vec![chrome(158).stripped().from(ZSCALER).asn(HETZNER)], "human"),
        ("the private relay", vec![safari(26, 1).from(RELAY)], "human"),
        ("the relay where its prefix lies in hosting", vec![safari(26, 1).from(RELAY).asn(16_509)], "human"),
        (
            "the relay in hosting, headers stripped",
            vec![chrome(158).stripped().from(RELAY).asn(16_509)],
            "human",
        ),
        ("a VPN in hosting", vec![chrome(158).asn(HETZNER)], "human"),
        ("an old browser on a VPN in hosting", vec![chrome(70).asn(HETZNER).at(30_000)], "human"),
        ("an investigator's own browser", vec![firefox(160).asn(NETCRAFT)], "human"),
        ("a person in Microsoft's wide ranges", vec![edge(158).from(WIDE)], "human"),
    ]);
}

#[test]
fn safelinks_delivery_holds_within_five_seconds() {
    let check = |ms: i64| vec![chrome(158).referer(SAFE_LINKS).at(ms)];
    hold([
        ("the check at delivery", check(4_999), "safelinks_delivery"),
        ("somebody who came through Safe Links", check(5_000), "human"),
        ("before the send, by a clock that is off", check(-2_000), "safelinks_delivery"),
        ("another wrapper", vec![chrome(158).referer("https://urldefense.com/").at(1_000)], "human"),
    ]);
}

#[test]
fn bounced_holds_where_nobody_has_the_mail() {
    let mail = |delivered: Option<i64>, bounced: i64| {
        let told = move |record: &mut Record| {
            record.delivered_at_ms = delivered.map(|ms| record.sent_at_ms + ms);
            record.bounced_at_ms = Some(record.sent_at_ms + bounced);
        };
        vec![chrome(158).with(told)]
    };
    hold([
        ("the mail came back", mail(None, 2_000), "bounced"),
        ("it came back after the click", mail(None, 86_400_000), "bounced"),
        ("it came back after it was taken", mail(Some(1_000), 2_000), "bounced"),
        ("a later try went through", mail(Some(2_001), 2_000), "human"),
    ]);
}

#[test]
fn pairs_come_both_ways_round() {
    let prefetch = |hit: Hit| hit.with(|record| record.sec_purpose = Some("prefetch".to_owned()));
    let office = |ms: i64| program("ms-office").from(ELSEWHERE).referer(SAFE_LINKS).at(ms);
    let microsoft = |ms: i64| edge(158).from(WIDE).at(ms);
    let person = |ms: i64| chrome(158).at(ms);
    let through = |hit: Hit| hit.referer(SAFE_LINKS);
    let types = |hits: Vec<Hit>| -> Vec<_> { told(&history(hits)).iter().map(Told::click_type).collect() };
    let pair = "timeofclick_pair";
    for (words, hits, kinds) in [
        ("Office checks first", vec![office(90_000), person(90_500)], ["scanner_timeofclick", "human"]),
        ("Office checks second", vec![person(90_000), office(90_500)], ["human", "scanner_timeofclick"]),
        (
            "at the same time, whatever the ids",
            vec![person(90_000), office(90_000)],
            ["human", "scanner_timeofclick"],
        ),
        (
            "Microsoft's network beside a person, no referer",
            vec![microsoft(90_000), person(90_499)],
            ["scanner_timeofclick", "human"],
        ),
        ("and behind", vec![person(90_000), microsoft(90_500)], ["human", "scanner_timeofclick"]),
        (
            "of two from nowhere known the person is the one who looks like one",
            vec![through(person(90_000)), pretender().from(ELSEWHERE).at(90_300)],
            ["human", "scanner_timeofclick"],
        ),
        (
            "in whichever order",
            vec![pretender().from(ELSEWHERE).at(90_000), through(person(90_300))],
            ["scanner_timeofclick", "human"],
        ),
        (
            "neither looks like one: the published table's order",
            vec![through(person(90_000).stripped()), firefox(160).stripped().from(ELSEWHERE).at(90_300)],
            ["scanner_timeofclick", "human"],
        ),
    ] {
        assert_eq!(types(hits.clone()), kinds, "{words}");
        hold([(words, hits, pair)]);
    }
    let human = "human";
    hold([
        ("half a second and a little", vec![office(90_000), person(90_501)], human),
        ("another link", vec![office(90_000).on("other"), person(90_100)], human),
        ("another recipient", vec![office(90_000).by("other"), person(90_100)], human),
        (
            "Office without a referer, from nowhere known",
            vec![office(90_000).with(|record| record.referer = None), person(90_100)],
            human,
        ),
        (
            "Microsoft's AS alone beside a person, no referer",
            vec![edge(158).asn(AZURE).from(ELSEWHERE).at(90_000), person(90_100)],
            human,
        ),
        (
            "Microsoft's network beside a machine of no browser",
            vec![microsoft(90_000), nobody().at(90_100)],
            "human no_agent",
        ),
        (
            "and beside a browser whose headers were stripped",
            vec![microsoft(90_000), person(90_100).stripped()],
            human,
        ),
        ("two of Microsoft's own", vec![microsoft(90_000), microsoft(90_100)], human),
        (
            "two of Microsoft's own through Safe Links",
            vec![through(microsoft(90_000)), through(microsoft(90_100).from("52.111.1.1"))],
            human,
        ),
        (
            "two people through Safe Links",
            vec![through(person(90_000)), through(firefox(160).from(ELSEWHERE).at(90_300))],
            human,
        ),
        (
            "one who came twice, headers stripped",
            vec![through(person(90_000).stripped()), through(person(90_300).stripped())],
            human,
        ),
        (
            "a preview of a chat, as another link's click is judged",
            vec![
                through(person(90_000)),
                through(program("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)").at(90_300)),
            ],
            "human declared!",
        ),
        (
            "a prefetch of the person's own browser",
            vec![through(prefetch(person(90_000))), through(person(90_300))],
            "declared human",
        ),
        (
            "the third is alone",
            vec![office(90_000), person(90_100), person(90_200)],
            "timeofclick_pair timeofclick_pair human",
        ),
    ]);
}

#[test]
fn a_cloud_pc_is_no_check_beside_itself() {
    let cloud_pc = |ms: i64| edge(158).asn(AZURE).referer(SAFE_LINKS).at(ms);
    let azure = |ms: i64| program("ms-office").from(ELSEWHERE).asn(AZURE).referer(SAFE_LINKS).at(ms);
    hold([(
        "a double click on a cloud PC through Safe Links",
        vec![cloud_pc(90_000), cloud_pc(90_200)],
        "human",
    )]);
    for (words, hits, kinds) in [
        ("the check first", vec![azure(90_000), cloud_pc(90_200)], ["scanner_timeofclick", "human"]),
        ("the check second", vec![cloud_pc(90_000), azure(90_200)], ["human", "scanner_timeofclick"]),
        (
            "two checks from two addresses: the published table's order",
            vec![azure(90_000), azure(90_200).from("198.51.100.8")],
            ["scanner_timeofclick", "human"],
        ),
        ("two checks from one address", vec![azure(90_000), azure(90_200)], ["human", "human"]),
    ] {
        let told = told(&history(hits));
        assert_eq!(told.iter().map(Told::click_type).collect::<Vec<_>>(), kinds, "{words}");
    }
}

#[test]
fn a_pair_names_the_other_and_stands_against_proof() {
    let told = told(&history([
        program("ms-office").from(ELSEWHERE).referer(SAFE_LINKS).at(90_000),
        chrome(158).returning().referer(SAFE_LINKS).at(90_100),
    ]));
    let paired: Vec<_> = told.iter().map(|told| told.finding.paired_with.as_deref()).collect();
    assert_eq!(paired, [Some("e0001"), Some("e0000")]);
    let vendors: Vec<_> = told.iter().map(|told| told.finding.vendor.as_deref()).collect();
    assert_eq!(vendors, [Some("microsoft"), None]);
}

#[test]
fn safe_attachments_are_five_early_clicks() {
    // On one link, seconds apart, with a browser's headers: no sweep, and no votes that convict a single hit.
    let clicks = |count: i64, last_ms: i64, ip: &'static str| -> Vec<Hit> {
        let at = |n: i64| if n + 1 == count { last_ms } else { 20_000 + 2_000 * n };
        (0..count).map(|n| edge(158).from(ip).at(at(n))).collect()
    };
    hold([
        ("five before the minute is over", clicks(5, 59_999, WIDE), "safe_attachments"),
        ("the last one too late", clicks(5, 60_000, WIDE), "human"),
        ("four", clicks(4, 59_999, WIDE), "human"),
        ("five at home", clicks(5, 59_999, HOME), "human"),
        (
            "five on a cloud PC",
            clicks(5, 59_999, HOME).into_iter().map(|hit| hit.asn(AZURE)).collect(),
            "human",
        ),
    ]);
    let found = told(&history(clicks(5, 59_999, FILTER)));
    assert!(
        found.iter().all(|told| told.verdict() == "safe_attachments!"),
        "only scanners come from there: {found:?}"
    );
}

#[test]
fn a_campaign_burst_is_thirty_of_microsofts_own() {
    let burst = |count: i64, last_ms: i64| -> Vec<Hit> {
        let mut hits =
            apart(recipients(count, 3_000_000, 0, || edge(158).referer("https://x.example/")), "52.110");
        let last = hits.pop().unwrap();
        and(hits, [last.at(last_ms)])
    };
    let but_one = |change: fn(Hit) -> Hit| -> Vec<Hit> {
        let mut hits = burst(30, 3_000_000);
        let last = hits.pop().unwrap();
        and(hits, [change(last)])
    };
    let human = "human";
    hold([
        ("thirty within a minute", burst(30, 3_060_000), "campaign_view"),
        ("the last one too late", burst(30, 3_060_001), human),
        ("twenty-nine", burst(29, 3_000_000), human),
        ("one of them at home", but_one(|hit| hit.from(HOME)), human),
        ("one by Microsoft's AS alone", but_one(|hit| hit.from(HOME).asn(AZURE)), human),
        ("one proven a person", but_one(Hit::returning), human),
        ("one on another link", but_one(|hit| hit.on("other")), human),
        ("one recipient twice", but_one(|hit| hit.by("r0")), human),
        (
            "sixty people on one link in a minute",
            apart(recipients(60, 3_000_000, 1_000, || chrome(158)), "203.0"),
            human,
        ),
    ]);
}

#[test]
fn an_investigation_comes_late_from_microsoft_without_a_referer() {
    let crawl = |ms: i64| edge(158).from(WIDE).at(ms);
    let human = "human";
    hold([
        ("an hour and a little", vec![crawl(3_600_001)], "air_or_mbi"),
        ("an hour", vec![crawl(3_600_000)], human),
        ("with a referer", vec![crawl(7_200_000).referer("https://mail.example/")], human),
        ("from elsewhere", vec![crawl(7_200_000).from(HOME)], human),
        ("by the AS alone", vec![crawl(7_200_000).from(HOME).asn(AZURE)], human),
        (
            "soon after the delivery",
            vec![crawl(7_200_000).with(|record| record.delivered_at_ms = Some(record.ts_ms - 3_600_000))],
            human,
        ),
    ]);
}

#[test]
fn declared_is_what_it_says_itself() {
    let prefetch =
        |purpose: &'static str| chrome(158).with(|record| record.sec_purpose = Some(purpose.to_owned()));
    let named = |name: &'static str| {
        chrome(158).with(|record| {
            record.user_agent = record.user_agent.take().map(|agent| format!("{agent} {name}"));
        })
    };
    let hints = |brand: &'static str| {
        chrome(129).with(|record| {
            record.sec_ch_ua = Some(format!(r#""{brand}";v="129", "Not=A?Brand";v="8", "Chromium";v="129""#));
        })
    };
    let human = "human";
    hold([
        ("a library", vec![program("python-requests/2.32.3")], "declared!"),
        (
            "a preview",
            vec![program("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)")],
            "declared!",
        ),
        ("a HEAD with a browser's headers", vec![chrome(158).method("HEAD")], "declared!"),
        ("an OPTIONS", vec![chrome(158).method("OPTIONS")], "declared!"),
        ("a browser without a window", vec![hints("HeadlessChrome")], "declared!"),
        ("a browser with one", vec![hints("Google Chrome")], human),
        ("a prefetch: the person may follow", vec![prefetch("prefetch")], "declared"),
        ("a prerender", vec![prefetch("prefetch;prerender")], "declared"),
        ("no purpose of that kind", vec![prefetch("navigate")], human),
        ("a name that ends like a machine's", vec![named("Acmebot/1.0")], "declared"),
        ("and an address beside it", vec![named("Acmebot/1.0 (+https://acme.example)")], "declared!"),
        ("an address alone", vec![named("Acme/1.0 (+https://acme.example)")], "declared"),
        ("an agent that somebody cut short", vec![program("Mozilla/5.0")], "declared"),
    ]);
}

#[test]
fn a_gateway_is_its_network_without_a_person_behind_it() {
    // Four votes against, four for: at home and elsewhere not enough for anything.
    let half = || {
        chrome(158).with(|record| {
            record.sec_fetch_mode = None;
            record.accept = None;
        })
    };
    hold([
        ("a browser's agent and nothing else", vec![pretender().asn(PROOFPOINT)], "gateway"),
        ("nothing speaks for a person", vec![half().asn(PROOFPOINT)], "gateway"),
        ("the same at home", vec![half()], "human"),
        (
            "something does: another gateway's rewritten link",
            vec![half().asn(PROOFPOINT).referer("https://linkprotect.cudasvc.com/")],
            "human",
        ),
        (
            "its own rewritten link says nothing",
            vec![half().asn(PROOFPOINT).referer("https://urldefense.com/")],
            "gateway",
        ),
        ("an address that is the gateway's alone", vec![pretender().from(BARRACUDA)], "gateway!"),
        (
            "and a browser's headers: nobody else comes from there",
            vec![chrome(158).from(BARRACUDA)],
            "gateway!",
        ),
        (
            "and through another's rewritten link",
            vec![chrome(158).from(BARRACUDA).referer("https://urldefense.com/")],
            "gateway!",
        ),
        ("and our cookie back", vec![chrome(158).from(BARRACUDA).returning()], "gateway!"),
        (
            "all of that together",
            vec![chrome(158).from(BARRACUDA).returning().referer("https://urldefense.com/")],
            "human",
        ),
    ]);
}

#[test]
fn a_scanner_network_is_microsofts_filter_or_threat_intelligence() {
    hold([
        ("one hit from the filter", vec![pretender().from(FILTER)], "scanner_network!"),
        ("with a headless Chrome's own headers", vec![chrome(151).from(FILTER)], "scanner_network!"),
        (
            "with a person's headers and our cookie back",
            vec![edge(158).from(FILTER).returning()],
            "scanner_network!",
        ),
        (
            "through Safe Links, which is its own, and our cookie back",
            vec![edge(158).from(FILTER).returning().referer(SAFE_LINKS)],
            "scanner_network!",
        ),
        (
            "through another's rewritten link",
            vec![edge(158).from(FILTER).referer("https://urldefense.com/")],
            "scanner_network!",
        ),
        (
            "through another's, and our cookie back",
            vec![edge(158).from(FILTER).returning().referer("https://urldefense.com/")],
            "human",
        ),
        ("the wide ranges with a person's headers", vec![edge(158).from(WIDE)], "human"),
        ("the wide ranges without a person's headers", vec![pretender().from(WIDE)], "scanner_network"),
        ("threat intelligence", vec![pretender().asn(NETCRAFT)], "scanner_network"),
        ("Azure is no scanner's network", vec![chrome(75).asn(AZURE)], "human"),
    ]);
}

#[test]
fn a_sweep_is_many_links_of_one_copy_at_once() {
    // Each from another address, so that nothing else holds.
    let sweep = |count: i64, gap_ms: i64, visitor: &dyn Fn() -> Hit| {
        apart(links(count, 90_000, gap_ms, visitor), "203.0")
    };
    let logs = || {
        logged(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36",
        )
    };
    let of = |total: i64| move || pretender().of(total);
    let wrapped = || pretender().referer("https://urldefense.com/");
    let (found, human) = ("sweep", "human");
    hold([
        ("five within a second", sweep(5, 250, &pretender), "sweep!"),
        ("five within a second, a browser's headers", sweep(5, 250, &|| chrome(151)), found),
        ("five within a second, and one thing that speaks for a person", sweep(5, 250, &wrapped), found),
        ("five within a second through Zscaler", links(5, 90_000, 250, || pretender().from(ZSCALER)), found),
        ("five a little slower, a browser's headers", sweep(5, 251, &|| chrome(151)), found),
        ("five a little slower, contradictory headers", sweep(5, 251, &pretender), found),
        ("three within a second", sweep(3, 500, &pretender), found),
        ("three a little slower", sweep(3, 501, &pretender), human),
        ("two within a tenth of a second, contradictory headers", sweep(2, 100, &pretender), found),
        ("two at once, in a log without headers that counts seconds", sweep(2, 0, &logs), human),
        ("two at once with a browser's headers", sweep(2, 0, &|| chrome(158).of(2)), human),
        (
            "two that are all within a quarter of a second, contradictory headers",
            sweep(2, 250, &of(2)),
            found,
        ),
        ("two of three", sweep(2, 250, &of(3)), human),
        ("two that are all, a little slower", sweep(2, 251, &of(2)), human),
        (
            "all three of a copy within a second, an old browser's headers",
            sweep(3, 500, &|| chrome(151).of(3)),
            found,
        ),
        ("the same with a new browser's", sweep(3, 500, &|| chrome(158).of(3)), human),
        ("three of four", sweep(3, 500, &|| chrome(151).of(4)), human),
        ("three of an unknown number", sweep(3, 500, &|| chrome(151)), human),
        ("all three of a copy within a second: votes make no sweep certain", sweep(3, 500, &of(3)), found),
        ("five within ten seconds, contradictory headers", sweep(5, 2_500, &pretender), found),
        ("five a little slower still", sweep(5, 2_501, &pretender), human),
        ("all four of a copy within ten seconds, contradictory headers", sweep(4, 3_333, &of(4)), found),
        ("four of five", sweep(4, 3_333, &of(5)), human),
        ("all four, a little slower", sweep(4, 3_334, &of(4)), human),
        ("all eight of a copy within a minute, contradictory headers", sweep(8, 8_571, &of(8)), found),
        ("eight of nine", sweep(8, 8_571, &of(9)), human),
        ("all eight, a little slower", sweep(8, 8_572, &of(8)), human),
        (
            "one link eight times",
            sweep(8, 50, &pretender).into_iter().map(|hit| hit.on("l")).collect(),
            "human",
        ),
        ("five links of five copies", apart(recipients(5, 90_000, 50, pretender), "203.0"), "human"),
    ]);
}

#[test]
fn a_person_beside_a_sweep_is_not_swept() {
    let sweep = || apart(links(5, 40_000, 100, || pretender().of(6)), "198.51");
    let and_then = |ms: i64| {
        and(sweep(), [chrome(158).on("l5").of(6).at(ms), chrome(158).on("l0").of(6).at(ms + 3_000)])
    };
    let expected = "sweep! sweep! sweep! sweep! sweep! human human";
    hold([
        ("three seconds behind all of it but one", and_then(43_101), expected),
        ("some seconds before it", and_then(33_000), expected),
        ("an hour later", and_then(3_640_000), expected),
    ]);
    // The first click of a burst is judged again when the burst shows.
    let sweep = history(sweep());
    assert_eq!(told(&sweep[..1])[0].verdict(), "human");
    assert_eq!(told(&sweep)[0].verdict(), "sweep!");
}

#[test]
fn a_fan_out_is_many_recipients_from_one_source() {
    let human = "human";
    let found = "fanout";
    let logs = || {
        logged(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36",
        )
    };
    // Two votes against, as a company with its own updates and proxy has them, and six for a person.
    let old = || chrome(151).with(|record| record.http_protocol = Some("HTTP/1.1".to_owned()));
    hold([
        (
            "thirty within ten seconds, whatever the headers",
            recipients(30, 90_000, 344, || chrome(158)),
            found,
        ),
        ("thirty, a little slower", recipients(30, 90_000, 345, || chrome(158)), human),
        ("twenty-nine", recipients(29, 90_000, 344, || chrome(158)), human),
        ("ten within ten seconds, contradictory headers", recipients(10, 90_000, 1_111, pretender), found),
        (
            "ten within ten seconds, a log without headers: a busy office",
            recipients(10, 90_000, 1_111, logs),
            human,
        ),
        ("thirty", recipients(30, 90_000, 344, logs), found),
        ("five within ten seconds, contradictory headers", recipients(5, 90_000, 2_500, pretender), found),
        ("five, a little slower", recipients(5, 90_000, 2_501, pretender), human),
        ("five, a log without headers", recipients(5, 90_000, 2_500, logs), human),
        ("four", recipients(4, 90_000, 2_500, pretender), human),
        ("ten within a minute, contradictory headers", recipients(10, 90_000, 6_666, pretender), found),
        ("ten, a little slower", recipients(10, 90_000, 6_667, pretender), human),
        ("twenty within a minute, a log without headers", recipients(20, 90_000, 3_157, logs), found),
        ("nineteen", recipients(19, 90_000, 3_157, logs), human),
        ("nine", recipients(9, 90_000, 6_666, pretender), human),
        ("twenty within a minute, an older browser's headers", recipients(20, 90_000, 3_157, old), found),
        ("nineteen", recipients(19, 90_000, 3_157, old), human),
        ("an office of five within ten seconds", recipients(5, 90_000, 2_000, || chrome(158)), human),
        ("an office of ten within a minute", recipients(10, 90_000, 6_000, || chrome(158)), human),
        ("an office of twenty within a minute", recipients(20, 90_000, 3_000, || chrome(158)), human),
        (
            "two offices of nine",
            and(
                recipients(9, 90_000, 100, || chrome(158)),
                (0..9).map(|n| chrome(158).from(ELSEWHERE).by(&format!("s{n}")).at(90_000)),
            ),
            human,
        ),
        (
            "ten browsers at one address",
            (0..10).map(|n| chrome(149 + n).by(&format!("r{n}")).at(90_000)).collect(),
            human,
        ),
        (
            "one recipient nine times",
            recipients(9, 90_000, 600, pretender)
                .into_iter()
                .enumerate()
                .map(|(n, hit)| hit.by("r").on(&format!("l{}", n % 2)))
                .collect(),
            human,
        ),
        (
            "ten through Zscaler, headers stripped",
            recipients(10, 90_000, 100, || chrome(158).stripped().from(ZSCALER)),
            human,
        ),
        ("ten through the private relay", recipients(10, 90_000, 100, || safari(26, 1).from(RELAY)), human),
        (
            "ten without an address",
            recipients(10, 90_000, 100, || chrome(158).with(|record| record.ip = None)),
            human,
        ),
    ]);
}

#[test]
fn headless_is_a_contradiction_in_a_hosting_network() {
    let human = "human";
    let hinted_safari = || chrome(158).with(|record| record.user_agent = safari(17, 6).0.user_agent);
    hold([
        ("a browser's agent and nothing else", vec![pretender().asn(HETZNER)], "headless"),
        ("the same in Azure", vec![pretender().asn(AZURE)], "headless"),
        ("the same at home", vec![pretender()], human),
        ("the same where people browse", vec![pretender().from(ZSCALER).asn(HETZNER)], human),
        ("a Safari with client hints", vec![hinted_safari().asn(HETZNER)], "headless"),
        (
            "an old browser with what it sends: no contradiction",
            vec![chrome(75).asn(HETZNER).at(1_000).with(|record| {
                record.http_protocol = Some("HTTP/1.1".to_owned());
                record.x_forwarded_for = Some(FILTER.to_owned());
            })],
            human,
        ),
        (
            "a browser whose language alone is missing",
            vec![chrome(158).asn(HETZNER).with(|record| record.accept_language = None)],
            human,
        ),
    ]);
}

/// The verdict of one more click beside a sweep from `HOME`'s own pretender, which ends 90 s after the send.
fn beside_a_conviction(hit: Hit) -> Told {
    let sweep = links(5, 89_600, 100, pretender);
    let all = told(&history(and(sweep, [hit.by("another").on("another")])));
    for told in &all[..5] {
        assert_eq!(
            (told.verdict().as_str(), told.held.as_slice()),
            ("sweep!", &["sweep"][..]),
            "no carry-over here"
        );
    }
    all.into_iter().next_back().unwrap()
}

#[test]
fn carry_over_is_the_same_source_for_a_while() {
    let person_of_it = || pretender().with(|record| record.accept_language = Some("en".to_owned()));
    for (words, hit, expected) in [
        ("fifteen minutes later", pretender().at(990_000), "carry_over"),
        ("a little later still", pretender().at(990_001), "human"),
        ("a minute before", pretender().at(29_600), "carry_over"),
        ("a little earlier still", pretender().at(29_599), "human"),
        ("the same network", pretender().from("203.0.113.77").at(990_000), "carry_over"),
        ("the same network, later still", pretender().from("203.0.113.77").at(990_001), "human"),
        ("the network beside it", pretender().from("203.0.114.9").at(120_000), "human"),
        ("another agent", edge(120).stripped().at(120_000), "human"),
        ("the same agent and a person's headers", chrome(120).returning().at(120_000), "human"),
        ("the same agent, its language told", person_of_it().at(120_000), "carry_over"),
        ("without an address", pretender().with(|record| record.ip = None).at(120_000), "human"),
    ] {
        let told = beside_a_conviction(hit);
        let alone: &[&str] = if expected == "human" { &[] } else { &["carry_over"] };
        assert_eq!((told.verdict().as_str(), told.held.as_slice()), (expected, alone), "{words}");
        if expected == "carry_over" {
            assert_eq!(told.click_type(), "scanner_sweep", "{words}");
        }
    }
}

/// Somebody with the agent of an appliance, whose sweep ended 90 s after the send.
#[test]
fn carry_over_weighs_a_colleagues_headers() {
    let appliance = || chrome(151).stripped();
    let old_protocol = |hit: Hit| hit.with(|record| record.http_protocol = Some("HTTP/1.1".to_owned()));
    let colleague = |ms: i64| chrome(151).by("another").on("another").at(ms);
    let at_clock = |hit: Hit| hit.with(|record| record.sent_at_ms = record.ts_ms - 30_000);
    let beside = |hit: Hit| told(&history(and(links(5, 89_600, 100, appliance), [hit])))[5].verdict();
    for (words, hit, expected) in [
        ("one vote against", colleague(120_000), "human"),
        ("two", old_protocol(colleague(120_000)), "human"),
        ("three", at_clock(old_protocol(colleague(120_000))), "carry_over"),
        (
            "three at a neighbouring address",
            at_clock(old_protocol(colleague(120_000))).from("203.0.113.77"),
            "human",
        ),
        ("three, and our cookie back", at_clock(old_protocol(colleague(120_000))).returning(), "human"),
        (
            "headers stripped at a neighbouring address",
            appliance().by("another").on("another").at(120_000).from("203.0.113.77"),
            "carry_over",
        ),
    ] {
        assert_eq!(beside(hit), expected, "{words}");
    }
    // A cloud PC, and a machine of its own network in Azure.
    let rented = || edge(158).stripped().from(ELSEWHERE).asn(AZURE);
    let cloud_pc = || edge(158).asn(AZURE).from("198.51.100.8").by("another").on("another").at(120_000);
    let told = told(&history(and(links(5, 89_600, 100, rented), [cloud_pc()])));
    assert_eq!(told[5].verdict(), "human");
}

/// The published table's types are Microsoft's own: a neighbour outside its networks is somebody's scanner.
#[test]
fn carry_over_gives_the_tables_types_to_microsoft_alone() {
    // The catalogue holds this single address of a /24.
    let sandbox = (0..5).map(|n| pretender().from("40.64.64.110").at(20_000 + 2_000 * n)).collect::<Vec<_>>();
    let beside = |ip: &str| {
        let hit = pretender().from(ip).by("another").on("another").at(120_000);
        let all = told(&history(and(sandbox.clone(), [hit])));
        assert_eq!(all[0].click_type(), "scanner_safe_attachments");
        (all[5].verdict(), all[5].click_type(), all[5].finding.vendor.as_deref().map(str::to_owned))
    };
    assert_eq!(beside("40.64.64.111"), ("carry_over".to_owned(), "scanner_gateway", None));
    assert_eq!(
        beside("40.64.64.110"),
        ("scanner_network".to_owned(), "scanner_gateway", Some("microsoft".to_owned())),
        "its own network says so before"
    );
    // Where its network alone is not enough, the conviction is.
    let half = |ms: i64| edge(138).from(WIDE).at(ms);
    let mut early: Vec<Hit> = (0..5).map(|n| half(20_000 + 2_000 * n)).collect();
    early.push(half(120_000).by("another").on("another"));
    let all = told(&history(early));
    assert_eq!((all[5].verdict().as_str(), all[5].click_type()), ("carry_over", "scanner_safe_attachments"));
    assert_eq!(all[5].finding.vendor.as_deref(), Some("microsoft"));
}

#[test]
fn every_signal_that_a_rule_looked_at_is_told() {
    let reasons = |hit: Hit| told(&history([hit]))[0].finding.reasons.clone();
    for (reason, yes, no) in [
        (
            "+safelinks_referer",
            chrome(158).referer(SAFE_LINKS),
            chrome(158).referer("https://urldefense.com/"),
        ),
        ("+microsoft_as", edge(158).asn(AZURE), edge(158).asn(HETZNER)),
        ("+microsoft_as", edge(158).asn(AZURE), edge(158).from(FILTER).asn(AZURE)),
        ("+office_agent", program("ms-office"), program("Microsoft Outlook 16")),
        ("+scanner_network", edge(158).from(FILTER), edge(158).asn(AZURE)),
        ("+scanner_network", edge(158).from(WIDE), edge(158).from(BARRACUDA)),
        ("+scanner_network", edge(158).asn(NETCRAFT), edge(158)),
        ("+gateway_network", edge(158).from(BARRACUDA), edge(158).from(FILTER)),
        ("+no_client_hints", chrome(158).stripped(), firefox(160).stripped()),
        ("+no_user_agent", nobody(), unknown()),
    ] {
        assert!(reasons(yes).iter().any(|told| told == reason), "{reason}");
        assert!(!reasons(no).iter().any(|told| told == reason), "no {reason}");
    }
}

#[test]
fn carry_over_does_not_spread() {
    // Its own verdict convicts nobody: twenty minutes after the sweep the source is free, whatever it did in between.
    let sweep = links(5, 89_600, 100, pretender);
    let between = pretender().by("a").on("x").at(900_000);
    let later = pretender().by("b").on("x").at(1_200_000);
    let verdicts: Vec<_> = told(&history(and(sweep, [between, later]))).iter().map(Told::verdict).collect();
    assert_eq!(verdicts[5..], ["carry_over", "human"]);
}

#[test]
fn what_a_persons_own_browser_sets_off_convicts_nobody() {
    let prefetch = || chrome(158).with(|record| record.sec_purpose = Some("prefetch".to_owned()));
    let human_later = || chrome(158).stripped().on("other").at(150_000);
    hold([
        ("a prefetch", vec![prefetch(), human_later()], "declared human"),
        (
            "a check at delivery",
            vec![chrome(158).referer(SAFE_LINKS).at(4_000), human_later()],
            "safelinks_delivery human",
        ),
        (
            "a pair",
            vec![
                chrome(158).stripped().referer(SAFE_LINKS).at(90_000),
                firefox(160).from(ELSEWHERE).at(90_100),
                human_later(),
            ],
            "timeofclick_pair timeofclick_pair human",
        ),
    ]);
}

#[test]
fn proof_overturns_what_is_probable() {
    let both = |hits: Vec<Hit>, held: &str| {
        let history = history(hits);
        let told = told(&history);
        let last = told.last().unwrap();
        assert_eq!(last.held, [held], "the rule holds");
        (last.verdict(), last.finding.reasons.iter().any(|reason| reason == "-proof_of_person"))
    };
    let overturned = ("human".to_owned(), true);
    let proven = |hit: Hit| hit.returning();
    for (held, hits) in [
        ("safelinks_delivery", vec![proven(chrome(158).referer(SAFE_LINKS).at(1_000))]),
        ("air_or_mbi", vec![proven(edge(158).from(WIDE).at(3_600_001))]),
        ("safe_attachments", (0..5).map(|n| proven(edge(158).from(WIDE).at(20_000 + 2_000 * n))).collect()),
    ] {
        assert_eq!(both(hits, held), overturned, "{held}");
    }
    // Weighed rules count the cookie among the votes; what still holds gives way too.
    let fan_out = recipients(30, 90_000, 300, || chrome(158).returning());
    assert_eq!(both(fan_out, "fanout"), overturned);
    // An app of a person may end like a machine.
    let named = |name: &str| {
        let agent = format!("{} {name}", chrome(158).0.user_agent.unwrap());
        vec![proven(chrome(158)).with(|record| record.user_agent = Some(agent))]
    };
    assert_eq!(both(named("Acmebot/1.0"), "declared"), overturned);
    let said = both(named("Acmebot/1.0 (+https://acme.example)"), "declared");
    assert_eq!(said.0, "declared!", "with an address it is certain");
    // Five votes for a scanner that others share, ten for a person, beside a conviction of the same address.
    let convicted = links(5, 89_600, 100, || chrome(138).stripped().asn(HETZNER));
    let beside = proven(chrome(138).asn(HETZNER)).on("other").by("another").at(120_000);
    let held = both(and(convicted, [beside]), "carry_over");
    assert_eq!(held, overturned);
}

#[test]
fn proof_never_overturns_what_is_certain_nor_a_sweep() {
    let says = |hits: Vec<Hit>| told(&history(hits)).last().unwrap().verdict();
    let sandbox = (0..5).map(|n| edge(158).from(FILTER).returning().at(20_000 + 2_000 * n)).collect();
    assert_eq!(says(sandbox), "safe_attachments!");
    assert_eq!(says(vec![chrome(158).returning().method("HEAD")]), "declared!");
    // In a sweep it weighs as a vote, and five links a second are no person's.
    assert_eq!(says(links(5, 90_000, 100, || chrome(158).returning())), "sweep");
    assert_eq!(says(links(5, 90_000, 251, || chrome(158).returning())), "human");
    assert_eq!(says(links(3, 90_000, 400, || chrome(158).of(3).returning())), "human");
    // The person's own browser fetches ahead with the person's cookie.
    let ahead = chrome(158).returning().with(|record| record.sec_purpose = Some("prefetch".to_owned()));
    assert_eq!(says(vec![ahead]), "declared");
    assert_eq!(says(vec![edge(158).from(FILTER).returning()]), "scanner_network!");
    // A cookie without coherent headers proves nothing.
    let air = edge(158).from(WIDE).at(3_600_001).returning().with(|record| record.sec_ch_ua = None);
    assert_eq!(says(vec![air]), "air_or_mbi");
}

/// Every rule gives way to a touch where it is only probable; that the page was shown is one vote.
#[test]
fn a_touch_of_the_landing_page_overturns_what_is_probable() {
    let app = |name: &str| {
        let agent = format!("{} {name}", chrome(158).0.user_agent.unwrap());
        chrome(158).with(|record| record.user_agent = Some(agent))
    };
    let convicted = || links(5, 89_600, 100, || chrome(138).stripped().asn(HETZNER));
    let campaign: Vec<Hit> =
        recipients(31, 90_000, 100, || edge(158).from(WIDE).referer("https://x.example/"));
    let rows: Vec<(&str, Vec<Hit>, &str)> = vec![
        ("safelinks_delivery", vec![chrome(158).referer(SAFE_LINKS).at(1_000)], "human"),
        (
            "timeofclick_pair",
            vec![chrome(158), program("ms-office").referer(SAFE_LINKS).at(120_100)],
            "human",
        ),
        ("safe_attachments", (0..5).map(|n| edge(158).from(WIDE).at(20_000 + 2_000 * n)).collect(), "human"),
        (
            "safe_attachments",
            (0..5).map(|n| edge(158).from(FILTER).at(20_000 + 2_000 * n)).collect(),
            "safe_attachments!",
        ),
        ("campaign_view", campaign, "human"),
        ("campaign_view", recipients(30, 90_000, 100, || edge(158).from(FILTER)), "scanner_network!"),
        ("air_or_mbi", vec![edge(158).from(WIDE).at(3_600_001)], "human"),
        ("declared", vec![app("Acmebot/1.0")], "human"),
        ("declared", vec![app("Acmebot/1.0 (+https://acme.example)")], "declared!"),
        (
            "declared",
            vec![chrome(158).with(|record| record.sec_purpose = Some("prefetch".to_owned()))],
            "human",
        ),
        ("gateway", vec![nobody().asn(PROOFPOINT)], "human"),
        ("gateway", vec![pretender().from(BARRACUDA)], "gateway!"),
        ("sweep", links(5, 90_000, 100, || chrome(158)), "human"),
        ("sweep", links(5, 90_000, 100, pretender), "sweep!"),
        ("fanout", recipients(30, 90_000, 300, || chrome(158)), "human"),
        ("scanner_network", vec![nobody().asn(NETCRAFT)], "human"),
        ("scanner_network", vec![edge(158).from(FILTER)], "scanner_network!"),
        (
            "headless",
            vec![chrome(158).stripped().asn(HETZNER).with(|record| record.accept_language = None)],
            "human",
        ),
        (
            "carry_over",
            and(convicted(), [chrome(138).stripped().on("other").by("another").at(120_000)]),
            "human",
        ),
    ];
    for (rule, hits, touched) in rows {
        let last = |verified: Verified| {
            let mut hits = hits.clone();
            let hit = hits.pop().unwrap();
            told(&history(and(hits, [hit.verified(verified)]))).pop().unwrap()
        };
        let (before, shown, after) =
            (last(Verified::None), last(Verified::Rendered), last(Verified::Interacted));
        assert_eq!(before.finding.rule, rule, "{touched}");
        assert_eq!((shown.verdict(), after.verdict()), (before.verdict(), touched.to_owned()), "{rule}");
        let says = |told: &Told, name: &str| told.finding.reasons.iter().any(|reason| reason == name);
        assert!(says(&shown, "-rendered") && !says(&shown, "-proof_of_person"), "{rule}");
        assert!(says(&after, "-interacted") && says(&after, "-proof_of_person"), "{rule}");
    }
}

#[test]
fn the_published_table_hears_of_landing_pages_and_decides_without_them() {
    let touched = edge(158).from(WIDE).at(3_600_001).verified(Verified::Interacted);
    let record = &history([touched])[0];
    let clicks = [Rc::new(Click::of(record, Delivery::default()))];
    let thresholds = Thresholds::default();
    let table = judge(&clicks, Ruleset::Defender, &thresholds, Look::Whole);
    assert_eq!(table[0].rule, "air_or_mbi");
}

/// Four people's votes for a person and six for a scanner are one short of a verdict on a scanner's network: the vote tells.
#[test]
fn a_return_without_the_cookie_is_a_vote_by_the_same_agent_alone() {
    let votes = |hits: Vec<Hit>| {
        let told = told(&history(hits));
        told.last().unwrap().finding.reasons.iter().any(|reason| reason == "+return_without_cookie")
    };
    let day_ms = 86_400_000;
    let no_cookie = |hit: Hit| hit.with(|record| record.cookie = Some("none".to_owned()));
    let later = |ms: i64| chrome(158).at(120_000 + ms);
    for (words, first, again, expected) in [
        ("the same agent, minutes later", chrome(158), later(REACH_MS + 1), true),
        ("a day later", chrome(158), later(day_ms), true),
        ("longer ago than a day", chrome(158), later(day_ms + 1), false),
        ("tabs opened together", chrome(158), later(REACH_MS), false),
        ("the second device", chrome(158), safari(26, 1).at(400_000), false),
        ("the cookie came back", chrome(158), later(300_000).returning(), false),
        ("no cookie is wanted", chrome(158), no_cookie(later(300_000)), false),
        ("none was given", no_cookie(chrome(158)), later(300_000), false),
        ("another's copy", chrome(158).by("other"), later(300_000), false),
        ("what came first was no browser", pretender(), pretender().at(500_000), false),
        ("it had come back before", chrome(158).returning(), later(300_000), true),
    ] {
        assert_eq!(votes(vec![first, again]), expected, "{words}");
    }
    // It weighs two: behind browser isolation a person's headers leave room for no more.
    let isolated = |hit: Hit| hit.asn(PROOFPOINT).with(|record| record.sec_fetch_user = None);
    let says = |hits: Vec<Hit>| told(&history(hits)).last().unwrap().verdict();
    assert_eq!(says(vec![isolated(later(300_000))]), "gateway");
}

/// Opens and acts stand by themselves, and a scanner's conviction reaches who presses the button in its name.
#[test]
fn acts_are_judged_by_the_request_and_its_source() {
    let act = |hit: Hit, how: &str| {
        hit.method("POST").with(|record| {
            record.kind = Kind::Unsubscribe;
            record.act = Some(how.to_owned());
        })
    };
    let last = |hits: Vec<Hit>| {
        let told = told(&history(hits));
        (told.last().unwrap().verdict(), told[0].verdict())
    };
    let human = ("human".to_owned(), "human".to_owned());
    assert_eq!(last(vec![act(chrome(158), "form")]), human);
    assert_eq!(last(vec![act(pretender().from(BARRACUDA), "form")]).0, "gateway!");
    assert_eq!(last(vec![act(program("curl/8.5.0"), "form")]).0, "declared!");
    // Our page's form has no referer, which is held against clicks from there.
    assert_eq!(last(vec![edge(158).from(WIDE).at(7_200_000)]).0, "air_or_mbi");
    assert_eq!(last(vec![act(edge(158).from(WIDE).at(7_200_000), "form")]), human);
    // The provider's machine asks for its user, whatever it looks like.
    assert_eq!(last(vec![act(nobody().asn(HETZNER), "one_click")]).0, "one_click");
    // Presses of many people's buttons are no burst, and convict nobody.
    let buttons: Vec<Hit> = recipients(6, 90_000, 100, || act(chrome(158), "form"));
    assert_eq!(last(and(buttons, [chrome(158).by("r9").at(90_700)])), human);
    // A cookie that was got on the way proves nothing there either.
    let pressed = |id: &str| {
        let convicted = links(5, 89_600, 100, || chrome(138).stripped().asn(HETZNER));
        let got = chrome(138)
            .asn(HETZNER)
            .on("l9")
            .at(91_000)
            .with(|record| record.visitor_id = Some("v".to_owned()));
        let press = act(chrome(138).asn(HETZNER), "form").on("stop").at(93_001).returning();
        last(and(convicted, [got, press.with(|record| record.visitor_id = Some(id.to_owned()))])).0
    };
    assert_eq!((pressed("v").as_str(), pressed("w").as_str()), ("carry_over", "human"));
    let swept = links(5, 90_000, 100, pretender);
    assert_eq!(last(and(swept, [act(pretender().on("stop").at(94_000), "form")])).0, "carry_over");
}

/// A sandbox that keeps its browser brings back the cookie that it got itself.
#[test]
fn a_cookie_that_was_just_set_on_the_same_copy_proves_nothing() {
    let visitor = |hit: Hit, id: &str| hit.with(|record| record.visitor_id = Some(id.to_owned()));
    let late = |ms: i64| edge(158).from(WIDE).at(7_200_000 + ms);
    let first = |id: &str| visitor(late(0), id);
    let again = |ms: i64| visitor(late(ms).returning(), "v");
    let says = |hits: Vec<Hit>| told(&history(hits)).last().unwrap().verdict();
    assert_eq!(says(vec![again(0)]), "human", "from another day");
    assert_eq!(says(vec![first("v"), again(REACH_MS)]), "air_or_mbi");
    assert_eq!(says(vec![first("v"), again(REACH_MS + 1)]), "human", "a person who reads on");
    assert_eq!(says(vec![first("w"), again(1_000)]), "human", "another's cookie");
    assert_eq!(says(vec![first("v").by("other"), again(1_000)]), "human", "another copy's");
    // Nor does it weigh: all three links of a copy within a third of a second.
    let mut sweep = links(3, 90_000, 150, || visitor(chrome(158).of(3).returning(), "v"));
    assert_eq!(says(sweep.clone()), "human", "from another day");
    sweep[0] = sweep[0].clone().with(|record| record.cookie = Some("new".to_owned()));
    assert_eq!(says(sweep), "sweep");
}

#[test]
fn what_is_faster_than_hands_is_a_sweep_whatever_its_headers() {
    let sweep = |count: i64, gap_ms: i64| apart(links(count, 90_000, gap_ms, || chrome(158)), "203.0");
    hold([
        ("three within a third of a second", sweep(3, 150), "sweep"),
        ("three a little slower", sweep(3, 151), "human"),
        ("four within a second", sweep(4, 300), "sweep"),
        ("four within a second and a half", sweep(4, 500), "sweep"),
        ("four a little slower", sweep(4, 501), "human"),
        ("five within three seconds", sweep(5, 750), "sweep"),
        ("five a little slower", sweep(5, 751), "human"),
        ("eight within ten seconds", sweep(8, 1_428), "sweep"),
        ("eight a little slower", sweep(8, 1_429), "human"),
        // All of a copy in ten seconds is the sandbox's published trace: six of six, and not five of five.
        ("six of six within ten seconds", links(6, 90_000, 2_000, || chrome(158).of(6)), "sweep"),
        ("six of six a little slower", links(6, 90_000, 2_001, || chrome(158).of(6)), "human"),
        ("six of seven", links(6, 90_000, 2_000, || chrome(158).of(7)), "human"),
    ]);
}

/// People who come close to a burst, each with what their headers leave: no vote of the clock, ninety seconds after the
/// send.
#[test]
fn people_click_fast_and_many_share_an_address() {
    let human = "human";
    let returning = || chrome(158).returning().of(12);
    let ios15 = || iphone(15, 6, "Version/15.6 Mobile/15E148 Safari/604.1");
    let ios26 = || iphone(18, 7, "Version/26.1 Mobile/15E148 Safari/604.1");
    let proxied =
        || chrome(158).stripped().of(3).with(|record| record.http_protocol = Some("HTTP/1.1".to_owned()));
    hold([
        ("an office of eleven within ten seconds", recipients(11, 90_000, 1_000, || chrome(158)), human),
        ("a school of thirty-one within a minute", recipients(31, 90_000, 2_000, || chrome(158)), human),
        ("iPhones behind a carrier's NAT", recipients(25, 90_000, 2_500, ios26), human),
        ("nine old ones within a minute", recipients(9, 90_000, 6_600, ios15), human),
        ("five old ones within ten seconds", recipients(5, 90_000, 2_400, ios15), human),
        ("six links of twelve, one each 1.9 s, our cookie back", links(6, 90_000, 1_900, returning), human),
        ("five links, one a second", links(5, 90_000, 1_000, || chrome(158)), human),
        ("five of five in nine seconds", links(5, 90_000, 2_250, || chrome(158).of(5)), human),
        ("three of three in eight seconds, behind a proxy", links(3, 90_000, 4_000, proxied), human),
        ("four of four in nine seconds on an old iPhone", links(4, 90_000, 3_000, || ios15().of(4)), human),
        ("five mailboxes of one person in nine seconds", recipients(5, 90_000, 2_250, || chrome(158)), human),
        ("and on an old iPhone", recipients(5, 90_000, 2_250, ios15), human),
    ]);
}

/// One vote more than people usually have: the bounds of the cases above.
#[test]
fn what_is_one_vote_from_a_burst_is_told_by_that_vote() {
    let minute =
        |hits: Vec<Hit>| hits.into_iter().map(|hit| hit.with(|record| record.sent_at_ms += 60_000)).collect();
    let five = |visitor: fn() -> Hit| links(5, 90_000, 2_250, move || visitor().of(5));
    let four = || links(4, 90_000, 3_000, || iphone(15, 6, "Version/15.6 Mobile/15E148 Safari/604.1").of(4));
    hold([
        ("five of five in nine seconds in the first minute", minute(five(|| chrome(158))), "sweep"),
        ("the same in an older browser", five(|| chrome(151)), "sweep"),
        ("the same in the first minute, our cookie back", minute(five(|| chrome(158).returning())), "human"),
        ("four of four without headers in the first minute", minute(four()), "sweep"),
    ]);
}

#[test]
fn a_person_beside_a_slow_sweep_is_not_swept() {
    // A link each 760 ms is no fast shape: the person's own link lies in the same ten seconds as six of them.
    let sweep = |total: i64| -> Vec<Hit> {
        links(8, 90_000, 760, || pretender().asn(16_509).from(ELSEWHERE).of(total))
    };
    let person = |ms: i64| chrome(158).of(9).on("mine").at(ms);
    let verdicts = |hits: Vec<Hit>| -> Vec<_> { told(&history(hits)).iter().map(Told::click_type).collect() };
    let mut expected = vec!["scanner_sweep"; 8];
    expected.push("human");
    assert_eq!(verdicts(and(sweep(9), [person(95_320 + 5_700)])), expected);
    assert_eq!(verdicts(and(sweep(9), [person(90_000 - 5_700)])), expected);
}

#[test]
fn a_pair_needs_no_known_network() {
    let through = |hit: Hit, ms: i64| hit.referer(SAFE_LINKS).at(ms);
    let sandbox = || pretender().asn(16_509).from(ELSEWHERE);
    let types = |hits: Vec<Hit>| -> Vec<_> { told(&history(hits)).iter().map(Told::click_type).collect() };
    let pair = |person: Hit| types(vec![through(person, 90_000), sandbox().at(90_300)]);
    assert_eq!(pair(chrome(158)), ["human", "scanner_timeofclick"]);
    assert_eq!(pair(chrome(158).returning()), ["human", "scanner_timeofclick"]);
    assert_eq!(
        types(vec![through(chrome(158), 90_000), through(chrome(158).from(ELSEWHERE), 90_200)]),
        ["human", "human"],
        "a double click from two addresses"
    );
    let filter = |n: i64| through(edge(158).from(&format!("40.92.1.{}", n + 1)), 90_000 + 80 * n);
    hold([
        ("four of Microsoft's own at once", (0..4).map(filter).collect(), "scanner_network!"),
        (
            "with a person's headers and our cookie back",
            vec![edge(158).from(FILTER).returning()],
            "scanner_network!",
        ),
        ("three links at once of a copy of any size", links(3, 90_000, 150, || chrome(158)), "sweep"),
        (
            "a chat's preview beside a click",
            vec![
                through(chrome(158), 90_000),
                program("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)")
                    .from(ELSEWHERE)
                    .at(90_300),
            ],
            "human declared!",
        ),
    ]);
}

/// Every network that also carries people, and everything that may come from there.
#[test]
fn a_network_that_carries_people_is_never_enough_for_certain() {
    let places: [fn(Hit) -> Hit; 8] = [
        |hit| hit.asn(AZURE),
        |hit| hit.asn(PROOFPOINT),
        |hit| hit.asn(30_031),
        |hit| hit.asn(NETCRAFT),
        |hit| hit.asn(HETZNER),
        |hit| hit.from(WIDE),
        |hit| hit.from(ZSCALER),
        |hit| hit.from(RELAY),
    ];
    let visitors: [fn() -> Hit; 5] =
        [|| chrome(158), || chrome(70), || chrome(158).stripped(), pretender, nobody];
    for (number, place) in places.into_iter().enumerate() {
        for visitor in visitors {
            for at in [1_000, 30_000, 90_000, 7_200_000] {
                // One hit, and five clicks on one link: whatever holds, it is the network that says so.
                let single = vec![place(visitor()).at(at)];
                let five = (0..5).map(|n| place(visitor()).at(at + 2_000 * n)).collect();
                for hits in [single, five] {
                    for told in told(&history(hits)) {
                        assert!(!told.verdict().ends_with('!'), "place {number} at {at}: {told:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_vendor_is_whose_scanner_it_was() {
    for (vendor, hits) in [
        (Some("microsoft"), vec![chrome(158).referer(SAFE_LINKS).at(1_000)]),
        (Some("microsoft"), vec![edge(158).from(WIDE).at(3_600_001)]),
        (Some("microsoft"), vec![pretender().from(FILTER)]),
        (Some("barracuda"), vec![pretender().from(BARRACUDA)]),
        (Some("barracuda"), vec![program("Barracuda Sentinel (EE)")]),
        (Some("proofpoint"), vec![pretender().asn(PROOFPOINT)]),
        (Some("proofpoint"), vec![chrome(158).asn(PROOFPOINT).method("HEAD")]),
        (Some("netcraft"), vec![pretender().asn(NETCRAFT)]),
        (None, links(5, 90_000, 100, || pretender().asn(HETZNER))),
        (None, vec![pretender().asn(HETZNER)]),
        (None, vec![chrome(158).asn(PROOFPOINT)]),
        (None, vec![program("python-requests/2.32.3")]),
    ] {
        let told = told(&history(hits));
        let last = told.last().unwrap();
        assert_eq!(last.finding.vendor.as_deref(), vendor, "{last:?}");
    }
}

#[test]
fn the_tables_five_types_are_defenders_bots_and_no_other() {
    let mut seen = std::collections::BTreeMap::new();
    let mut see = |hits: Vec<Hit>| {
        for told in told(&history(hits)) {
            let kind = told.finding.click_type.unwrap();
            seen.insert(kind.name(), (kind.is_bot(), kind.is_defender_bot()));
        }
    };
    see(vec![chrome(158).referer(SAFE_LINKS).at(1_000)]);
    see(vec![program("ms-office").referer(SAFE_LINKS), chrome(158)]);
    see((0..5).map(|n| edge(158).from(WIDE).at(20_000 + 2_000 * n)).collect());
    see(apart(recipients(30, 90_000, 0, || edge(158)), "52.110"));
    see(vec![edge(158).from(WIDE).at(3_600_001)]);
    see(vec![chrome(158).method("HEAD")]);
    see(vec![pretender().from(FILTER)]);
    see(links(5, 90_000, 100, pretender));
    see(recipients(10, 90_000, 100, pretender));
    see(vec![pretender().asn(HETZNER)]);
    see(recipients(10, 90_000, 100, pretender).into_iter().map(|hit| hit.by("r")).collect());
    let bots = [
        ("human", (false, false)),
        ("scanner_air_or_mbi", (true, true)),
        ("scanner_campaign_view", (true, true)),
        ("scanner_declared", (true, false)),
        ("scanner_fanout", (true, false)),
        ("scanner_gateway", (true, false)),
        ("scanner_headless", (true, false)),
        ("scanner_repeat", (true, false)),
        ("scanner_safe_attachments", (true, true)),
        ("scanner_safelinks_delivery", (true, true)),
        ("scanner_sweep", (true, false)),
        ("scanner_timeofclick", (true, true)),
    ];
    assert_eq!(seen, bots.into_iter().collect());
}

/// The shapes of bursts are held by the naive model, the rules' own points by the cases above.
#[test]
fn the_weights_of_this_version_are_these() {
    let weights: Vec<(&str, i32)> = votes::TABLE.iter().map(|vote| (vote.reason, vote.weight)).collect();
    assert_eq!(Ruleset::Full.label(), "full@3", "with another weight comes another version");
    assert_eq!(votes::ENOUGH, 10);
    assert_eq!(
        weights,
        [
            ("+no_user_agent", 6),
            ("+app_agent", 3),
            ("+impossible_browser", 5),
            ("+aged_browser", 1),
            ("+stale_browser", 3),
            ("+unreduced_version", 6),
            ("+no_fetch_metadata", 6),
            ("+no_client_hints", 1),
            ("+foreign_client_hints", 6),
            ("+foreign_fetch_user", 4),
            ("+client_hints_disagree", 6),
            ("+not_a_navigation", 6),
            ("+no_user_activation", 1),
            ("+no_accept_language", 3),
            ("+accept_not_html", 2),
            ("+old_protocol", 1),
            ("+hosting_network", 4),
            ("+forwarded_for_scanner", 3),
            ("+before_delivery", 3),
            ("+first_seconds", 2),
            ("+first_minute", 1),
            ("-navigated", -4),
            ("-coherent_headers", -2),
            ("+return_without_cookie", 2),
            ("-interacted", -4),
            ("-rendered", -1),
            ("-returning_cookie", -4),
            ("-wrapper_referer", -4),
            ("-private_relay", -8),
            ("-human_proxy", -5),
        ]
    );
}

/// A block and a cloud's agent that history convicts until an hour after the send.
static BLOCK: Learned = Learned {
    name: "203.0.113.0/24",
    vendor: Some("ours"),
    source: "12 sends",
    date: "2026-11-22",
    expires_ms: NOON_MS + 3_600_000,
};
static AGENT: Learned = Learned { name: "a cloud's agent", vendor: None, ..BLOCK };
static HISTORY: Table = Table {
    v4: &[(0xcb00_7100, 0xcb00_71ff, &BLOCK)],
    v6: &[],
    systems: &[(
        24_940,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36",
        &AGENT,
    )],
};

#[test]
fn what_history_convicts_is_a_scanner_unless_a_person_is_proven() {
    let cloud = || chrome(158).from(ELSEWHERE).asn(HETZNER);
    for (words, hits, expected) in [
        ("a modern browser's lone fetch", vec![chrome(158)], "learned"),
        ("that shows the page", vec![chrome(158).verified(Verified::Rendered)], "learned"),
        ("that touches it", vec![chrome(158).verified(Verified::Interacted)], "human"),
        ("that has been here before", vec![chrome(158).returning()], "human"),
        ("through a gateway's link", vec![chrome(158).referer("https://urldefense.com/")], "human"),
        ("beside the block", vec![chrome(158).from("203.0.114.1")], "human"),
        ("the last moment before it expires", vec![chrome(158).at(3_599_999)], "learned"),
        ("expired", vec![chrome(158).at(3_600_000)], "human"),
        ("the cloud's agent", vec![cloud()], "learned"),
        ("another agent there", vec![chrome(157).from(ELSEWHERE).asn(HETZNER)], "human"),
        ("that agent elsewhere", vec![chrome(158).from(ELSEWHERE)], "human"),
        ("the relay, whatever history says", vec![safari(26, 1).from(RELAY)], "human"),
        ("what behaviour shows goes before", vec![pretender().asn(HETZNER)], "headless"),
    ] {
        let told = taught(&history(hits), &HISTORY);
        assert_eq!(told[0].verdict(), expected, "{words}: {:?}", told[0].finding.reasons);
    }
    let told = taught(&history([chrome(158)]), &HISTORY);
    assert_eq!((told[0].click_type(), told[0].finding.vendor.as_deref()), ("scanner_gateway", Some("ours")));
    assert_eq!(told[0].held, ["learned"], "no other rule holds");
    assert!(told[0].finding.reasons.contains(&"+learned_network".into()));
    let told = taught(&history([chrome(158), chrome(158).at(180_000).by("other").from(ELSEWHERE)]), &HISTORY);
    assert_eq!(told[1].verdict(), "human", "it convicts no source beyond its network");
}

#[test]
fn every_rule_has_its_case_here_and_settings_that_exist() {
    let ids: Vec<_> = Ruleset::Full.rules().iter().map(|rule| rule.id).collect();
    assert_eq!(
        ids,
        [
            "safelinks_delivery",
            "timeofclick_pair",
            "safe_attachments",
            "campaign_view",
            "air_or_mbi",
            "declared",
            "bounced",
            "repeat",
            "gateway",
            "sweep",
            "fanout",
            "headless",
            "scanner_network",
            "no_agent",
            "learned",
            "carry_over",
            "human",
        ],
        "a new rule needs a case in which it alone holds"
    );
    for rule in Ruleset::Full.rules() {
        for name in rule.settings {
            assert!(SETTINGS.iter().any(|setting| setting.name == *name), "{}: {name}", rule.id);
        }
    }
}
