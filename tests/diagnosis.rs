//! What a report means: each line of the table speaks for itself alone, by a bound that grows with the send, and what has changed
//! since the sends before is told where it is more than chance.

use clickproof::report::{Acts, ByType, Past, Report, Severity, Tally, diagnosis};
use clickproof::verdict::ClickType;

/// A send with people's clicks alone.
fn quiet(clicks: i64) -> Report {
    let mut report = Tally::default().report("m", None, 0);
    (report.clicks, report.human_clicks) = (clicks, clicks);
    (report.recipients, report.human_recipients) = (clicks / 2, clicks / 2);
    report
}

/// The same with so many of its clicks a scanner's.
fn with(clicks: i64, kind: ClickType, count: i64) -> Report {
    let mut report = quiet(clicks);
    report.human_clicks -= count;
    report.by_type = ByType(vec![(ClickType::Human, clicks - count), (kind, count)]);
    report
}

/// Codes and severities.
fn spoken(report: &Report, past: &[Past]) -> Vec<(&'static str, Severity)> {
    diagnosis::of(report, past).into_iter().map(|found| (found.code, found.severity)).collect()
}

#[test]
fn people_alone_are_nothing_to_speak_of() {
    for clicks in [0, 1, 1_000_000] {
        assert_eq!(spoken(&quiet(clicks), &[]), []);
    }
}

#[test]
fn each_line_speaks_for_itself_alone_and_by_its_bound() {
    use ClickType as Kind;
    use Severity::{Critical, Info, Warning};
    for (kind, code, clicks, count, severity) in [
        (Kind::ScannerSafeAttachments, "safe_attachments", 100, 10, Some(Warning)),
        (Kind::ScannerSafeAttachments, "safe_attachments", 100, 9, Some(Info)),
        (Kind::ScannerCampaignView, "campaign_view", 1_000, 1, Some(Warning)),
        (Kind::ScannerCampaignView, "campaign_view", 1_001, 1, Some(Info)),
        (Kind::ScannerAirOrMbi, "air_or_mbi", 6, 1, Some(Critical)),
        (Kind::ScannerAirOrMbi, "air_or_mbi", 1_000_000, 1_000, Some(Critical)),
        (Kind::ScannerAirOrMbi, "air_or_mbi", 1_000_000, 999, Some(Info)),
        (Kind::ScannerAirOrMbi, "air_or_mbi", 1_000_000, 1, Some(Info)),
        (Kind::ScannerSafelinksDelivery, "safelinks_delivery", 300, 3, Some(Info)),
        (Kind::ScannerSafelinksDelivery, "safelinks_delivery", 301, 3, None),
        (Kind::ScannerGateway, "gateway", 300, 3, Some(Info)),
        (Kind::ScannerGateway, "gateway", 301, 3, None),
        (Kind::ScannerDeclared, "declared", 300, 3, Some(Info)),
        (Kind::ScannerDeclared, "declared", 301, 3, None),
        (Kind::ScannerSweep, "sweep", 300, 3, Some(Info)),
        (Kind::ScannerSweep, "sweep", 301, 3, None),
        (Kind::ScannerFanout, "fanout", 300, 3, Some(Info)),
        (Kind::ScannerFanout, "fanout", 301, 3, None),
        (Kind::ScannerHeadless, "headless", 300, 3, Some(Info)),
        (Kind::ScannerHeadless, "headless", 301, 3, None),
        (Kind::ScannerRepeat, "repeat", 300, 3, Some(Info)),
        (Kind::ScannerRepeat, "repeat", 301, 3, None),
    ] {
        let expected: Vec<_> = severity.map(|severity| (code, severity)).into_iter().collect();
        assert_eq!(spoken(&with(clicks, kind, count), &[]), expected, "{count} of {clicks}");
    }
}

#[test]
fn recipients_opens_and_repeats_have_denominators_of_their_own() {
    let safe_links = |count| Report { safe_links_recipients: count, ..quiet(100) };
    assert_eq!(spoken(&safe_links(0), &[]), []);
    assert_eq!(spoken(&safe_links(1), &[]), [("timeofclick", Severity::Info)]);
    assert!(diagnosis::of(&safe_links(20), &[])[0].text.contains("20 of 50 recipients who clicked (40 %)"));

    let machines = |count| Report { machine_only_recipients: count, ..quiet(400) };
    assert_eq!(spoken(&machines(20), &[]), [("machine_only", Severity::Warning)]);
    assert_eq!(spoken(&machines(19), &[]), []);
    assert_eq!(spoken(&Report { machine_only_recipients: 20, ..quiet(402) }, &[]), []);

    let opens = |total, count| {
        let mut report = quiet(100);
        report.opens.total = total;
        report.opens.by_type = ByType(vec![(ClickType::ProxyOpen, count)]);
        report
    };
    assert_eq!(spoken(&opens(30, 10), &[]), [("proxy_opens", Severity::Info)]);
    assert_eq!(spoken(&opens(31, 10), &[]), []);
    assert_eq!(spoken(&opens(29, 29), &[]), []);

    let acts =
        |unsubscribe, machines| Report { acts: Acts { unsubscribe, confirm: 10, machines }, ..quiet(100) };
    assert_eq!(spoken(&acts(20, 0), &[]), []);
    assert_eq!(spoken(&acts(20, 3), &[]), [("machine_acts", Severity::Warning)]);
    assert_eq!(spoken(&acts(21, 3), &[]), [("machine_acts", Severity::Info)]);
    assert_eq!(spoken(&acts(0, 2), &[]), [("machine_acts", Severity::Info)], "two may be chance");
    assert!(
        diagnosis::of(&acts(20, 3), &[])[0].text.contains("3 of 30 unsubscriptions and confirmations (10 %)")
    );

    assert_eq!(spoken(&Report { repeats: 2, ..quiet(198) }, &[]), [("repeat", Severity::Info)]);
    assert_eq!(spoken(&Report { repeats: 2, ..quiet(199) }, &[]), []);
}

#[test]
fn shares_are_told_to_a_tenth_and_gateways_by_name() {
    let mut report = with(800, ClickType::ScannerGateway, 100);
    report.by_vendor.0 =
        [("microsoft", 5), ("mimecast", 60), ("proofpoint", 40)].map(|(v, n)| (v.to_owned(), n)).to_vec();
    let text = &diagnosis::of(&report, &[])[0].text;
    assert!(text.contains("100 of 800 clicks (12.5 %)"), "{text}");
    assert!(text.ends_with(" Seen on this send: mimecast 60, proofpoint 40."), "{text}");
    let rare = &diagnosis::of(&with(1_000_000, ClickType::ScannerAirOrMbi, 1), &[])[0].text;
    assert!(rare.contains("1 of 1,000,000 clicks (less than 0.1 %)"), "{rare}");
}

/// A send before, of 1,000 mails: so many clicks by people and by a scanner.
fn before(people: i64, kind: ClickType, count: i64) -> Past {
    let mut report = with(people + count, kind, count);
    report.sent = Some(1_000);
    report.human_recipients = people;
    Past::of(&report)
}

#[test]
fn a_send_is_compared_with_those_before_it() {
    use ClickType::{ScannerAirOrMbi, ScannerDeclared, ScannerGateway};
    let usual = vec![before(300, ScannerDeclared, 30); 3];
    let codes = |report: &Report, past: &[Past]| -> Vec<&str> {
        spoken(report, past).into_iter().map(|(code, _)| code).collect()
    };
    let same = Report { sent: Some(1_000), human_recipients: 300, ..with(330, ScannerDeclared, 30) };
    assert_eq!(codes(&same, &usual), ["declared"]);

    let more = Report { sent: Some(1_000), human_recipients: 300, ..with(400, ScannerGateway, 100) };
    assert_eq!(codes(&more, &usual), ["gateway", "machine_share", "more_gateways"]);
    assert_eq!(codes(&more, &usual[..2]), ["gateway"], "two sends are no custom");
    let small = vec![before(40, ScannerDeclared, 4); 5];
    assert_eq!(codes(&more, &small), ["gateway"], "small sends say nothing");
    let had = [usual.clone(), vec![before(300, ScannerGateway, 110)]].concat();
    assert_eq!(codes(&more, &had), ["gateway"], "one of the sends before had more");
    let few = Report { sent: Some(1_000), human_recipients: 30, ..with(40, ScannerGateway, 10) };
    assert_eq!(codes(&few, &usual), ["gateway"], "nor does a small one now");

    let crawled = Report { sent: Some(1_000), human_recipients: 300, ..with(330, ScannerAirOrMbi, 20) };
    assert_eq!(codes(&crawled, &usual), ["air_or_mbi", "more_investigated"]);
    let one = Report { sent: Some(1_000), human_recipients: 300, ..with(330, ScannerAirOrMbi, 1) };
    assert_eq!(codes(&one, &usual), ["air_or_mbi"], "one may be chance");

    let fewer = Report { sent: Some(1_000), human_recipients: 120, ..with(132, ScannerDeclared, 12) };
    assert_eq!(codes(&fewer, &usual), ["declared", "fewer_people"]);
    let told = Report { sent: None, ..fewer.clone() };
    assert_eq!(codes(&told, &usual), ["declared"], "of how many is not known");
    let poor = [usual.clone(), vec![before(110, ScannerDeclared, 11)]].concat();
    assert_eq!(codes(&fewer, &poor), ["declared"], "one of the sends before had fewer");
    let text = &diagnosis::of(&fewer, &usual)[1].text;
    assert!(text.contains("12 % of the recipients") && text.contains("3 sends before 30 %"), "{text}");
}
