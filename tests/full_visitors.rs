//! Ruleset `full` on visitors who ask more than once, and on records that do not know everything: what a HEAD, an act, a small
//! copy, repetition, an absent agent, a delivery time and absent headers mean. Each with the case that convicts and the near
//! misses that do not.

mod common;

use clickproof::record::{Kind, Record, Way};
use common::hits::{
    AZURE, ELSEWHERE, FILTER, HETZNER, Hit, PROOFPOINT, SAFE_LINKS, Told, WIDE, and, chrome, hold, iphone,
    links, logged, nobody, pretender, program, recipients, told, unknown,
};

const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36";

/// What a provider's export says of a click: an address, an agent, a time.
fn exported() -> Hit {
    logged(WINDOWS)
}

fn at_neighbour(hit: Hit) -> Hit {
    hit.from("203.0.113.77")
}

#[test]
fn who_sends_a_head_and_then_a_get_is_one_visitor() {
    let head = |ms: i64| pretender().method("HEAD").at(ms);
    let convicted = "declared! carry_over";
    hold([
        (
            "a HEAD, then a GET without a browser's headers",
            vec![head(90_000), pretender().at(90_200)],
            convicted,
        ),
        ("another link, minutes later", vec![head(90_000), pretender().on("l2").at(600_000)], convicted),
        ("the GET first", vec![pretender().at(90_000), head(90_200)], "carry_over declared!"),
        (
            "the same browser's GET with a person's headers",
            vec![chrome(158).method("HEAD").at(90_000), chrome(158).at(90_200)],
            "declared! human",
        ),
        ("another agent", vec![head(90_000), chrome(158).stripped().at(90_200)], "declared! human"),
        ("another address", vec![head(90_000), pretender().from(ELSEWHERE).at(90_200)], "declared! human"),
        ("after a quarter of an hour", vec![head(90_000), pretender().at(990_001)], "declared! human"),
        (
            "a prefetch says nothing of the click that follows",
            vec![
                chrome(158).stripped().with(|it| it.sec_purpose = Some("prefetch".to_owned())).at(90_000),
                chrome(158).stripped().at(91_000),
            ],
            "declared human",
        ),
    ]);
}

/// A link that acts: its page is looked at, or it is told to act.
fn act(kind: Kind, link: &str, ms: i64) -> Hit {
    chrome(158).stripped().on(link).at(ms).with(|record| record.kind = kind)
}

#[test]
fn acts_belong_to_the_sweep() {
    let click = |ms: i64| chrome(158).stripped().at(ms);
    let page = |ms: i64| act(Kind::Unsubscribe, "bye", ms);
    let pressed = |hit: Hit| hit.method("POST").with(|it| it.act = Some(Way::Page.name().to_owned()));
    let by_person = |hit: Hit| {
        Hit(Record { kind: hit.0.kind, link_id: hit.0.link_id, ts_ms: hit.0.ts_ms, ..chrome(158).0 })
    };
    hold([
        ("a click and the page to unsubscribe", vec![click(90_000), page(92_000)], "sweep"),
        ("in whichever order", vec![page(90_000), click(91_500)], "sweep"),
        (
            "accept and decline",
            vec![act(Kind::Confirm, "yes", 90_000), act(Kind::Confirm, "no", 90_000)],
            "sweep",
        ),
        (
            "a browser that leaves every header",
            vec![by_person(click(90_000)), by_person(page(91_000))],
            "sweep",
        ),
        (
            "in an export",
            vec![
                exported().at(90_000),
                exported().on("bye").at(92_000).with(|it| it.kind = Kind::Unsubscribe),
            ],
            "sweep",
        ),
        ("a moment later", vec![click(90_000), page(92_001)], "human"),
        ("another copy's", vec![click(90_000), page(90_000).by("another")], "human"),
        ("its page twice", vec![page(90_000), page(90_500)], "human"),
        ("a page, and the button on it", vec![page(90_000), pressed(page(91_500))], "human"),
        ("a click beside a button that is pressed", vec![click(90_000), pressed(page(91_000))], "sweep"),
        ("a moment before it is", vec![click(90_000), pressed(page(91_001))], "human"),
        (
            "accept and decline are pressed",
            vec![pressed(act(Kind::Confirm, "yes", 90_000)), pressed(act(Kind::Confirm, "no", 91_000))],
            "sweep",
        ),
        (
            "a press that an export tells of twice",
            vec![
                exported().at(90_000),
                pressed(exported().on("bye").at(90_000).with(|it| it.kind = Kind::Unsubscribe)),
            ],
            "human",
        ),
        ("two clicks", vec![click(90_000), click(91_000).on("l2")], "human"),
    ]);
    // Each counts as a link of the sweep.
    let swept = and(links(4, 90_000, 300, || chrome(158)), [act(Kind::Unsubscribe, "bye", 94_000)]);
    hold([("four links and the page four seconds apart", swept, "sweep sweep sweep sweep carry_over")]);
}

#[test]
fn the_links_of_a_small_copy_are_few() {
    // Over plain http, where no browser sends more than this does not.
    let bare = |total: i64| {
        pretender().asn(HETZNER).of(total).with(|record| {
            record.user_agent = Some(WINDOWS.to_owned());
            record.secure = Some(false);
        })
    };
    hold([
        ("two of two", links(2, 90_000, 9_000, || bare(2)), "headless"),
        ("three of three", links(3, 90_000, 5_000, || bare(3)), "headless"),
        ("the only one", vec![bare(1)], "headless"),
        ("two of three", links(2, 90_000, 9_000, || bare(3)), "human"),
        ("three of three, slower", links(3, 90_000, 5_001, || bare(3)), "human"),
        ("one twice", vec![bare(2).at(90_000), bare(2).at(95_000)], "human"),
        ("nobody knows of how many", vec![bare(1).with(|record| record.links_total = None)], "human"),
        ("at home", links(2, 90_000, 9_000, || bare(2).with(|record| record.asn = None)), "human"),
        ("all of four", links(4, 90_000, 3_300, || bare(4)), "sweep"),
        ("a person on a VPN", links(2, 90_000, 9_000, || chrome(158).asn(HETZNER).of(2)), "human"),
    ]);
}

#[test]
fn one_link_again_and_again_is_a_programs() {
    let again = |count: i64, gap_ms: i64, visitor: fn() -> Hit| -> Vec<Hit> {
        (0..count).map(|n| visitor().at(90_000 + n * gap_ms + (n % 3) * gap_ms / 5)).collect()
    };
    let person = || chrome(158);
    hold([
        ("ten in ten seconds, with a person's headers", again(10, 1_000, person), "repeat"),
        ("and our cookie", again(10, 1_000, || chrome(158).returning()), "repeat"),
        ("in an export", again(10, 1_000, exported), "repeat"),
        ("for half an hour", again(15, 120_000, person), "repeat"),
        (
            "every 439 ms",
            (0..12).map(|n| unknown().with(|it| it.ip = None).at(90_000 + n * 439)).collect(),
            "repeat",
        ),
        ("at one beat", (0..8).map(|n| person().at(90_000 + n * 60_000)).collect(), "repeat"),
        ("a double click", vec![person().at(90_000), person().at(90_200)], "human"),
        ("somebody impatient", again(9, 1_000, person), "human"),
        ("who comes back all day", again(14, 120_000, person), "human"),
        ("seven at one beat", (0..7).map(|n| person().at(90_000 + n * 60_000)).collect(), "human"),
        (
            "a copy that went to a whole company",
            (0..30).map(|n| person().from(&format!("198.51.100.{n}")).at(90_000 + n * 300)).collect(),
            "human",
        ),
        (
            "ten links in turn",
            (0..20).map(|n| person().on(&format!("l{}", n % 10)).at(90_000 + n * 20_000)).collect(),
            "human",
        ),
    ]);
}

#[test]
fn no_agent_is_no_browser_where_headers_are_known() {
    let empty = || unknown().with(|record| record.user_agent = Some(String::new()));
    hold([
        ("no agent", vec![nobody()], "no_agent"),
        ("in a rented machine", vec![nobody().asn(HETZNER)], "no_agent"),
        ("said to be empty", vec![empty()], "no_agent"),
        ("nothing but blanks", vec![logged("   ")], "no_agent"),
        ("a record without that column", vec![unknown()], "human"),
        ("and its referer", vec![unknown().referer("https://mail.example/")], "human"),
    ]);
}

#[test]
fn before_the_delivery_is_a_vote() {
    let delivered = |hit: Hit, ms: i64| hit.with(|it| it.delivered_at_ms = Some(it.ts_ms + ms));
    let reasons = |hit: Hit| told(&common::hits::history([hit])).remove(0).finding.reasons;
    assert!(reasons(delivered(chrome(158), 1)).iter().any(|reason| reason == "+before_delivery"));
    for no in [delivered(chrome(158), 0), chrome(158).at(-5_000)] {
        assert!(reasons(no).iter().all(|reason| reason != "+before_delivery"));
    }
    hold([
        ("a person whose provider's clock lags", vec![delivered(chrome(158), 3_000)], "human"),
        ("in an export", vec![delivered(exported(), 3_000)], "human"),
        (
            "from a rented machine with half a browser's headers",
            vec![delivered(program(WINDOWS).asn(HETZNER).with(|it| it.secure = Some(false)), 3_000)],
            "headless",
        ),
    ]);
}

#[test]
fn in_an_export_more_must_speak_than_a_network_or_a_few_fast_clicks() {
    let isolated = |ms: i64| exported().asn(PROOFPOINT).at(ms);
    let old = |hit: Hit| hit.with(|it| it.user_agent = Some(WINDOWS.replace("158", "120")));
    hold([
        ("browser isolation, an hour later", vec![isolated(3_600_000)], "human"),
        ("some minutes later", vec![isolated(300_000)], "human"),
        ("a gateway in the first minute", vec![isolated(60_000)], "gateway"),
        ("with an old browser within ten", vec![old(isolated(600_000))], "gateway"),
        ("and later", vec![old(isolated(600_001))], "human"),
        ("three tabs at once", links(3, 90_000, 500, exported), "human"),
        ("seven in ten seconds", links(7, 90_000, 1_600, exported), "human"),
        ("in an old browser, in the first seconds", links(7, 2_000, 1_300, || old(exported())), "human"),
        ("a dozen people of an office at once", recipients(12, 20_000, 900, || old(exported())), "human"),
        ("eight links in ten seconds", links(8, 90_000, 1_400, exported), "sweep"),
        ("five within a second, which certain is nowhere", links(5, 90_000, 200, exported), "sweep"),
        ("where headers are known", links(5, 90_000, 200, pretender), "sweep!"),
        ("a mail filter's address", vec![exported().from(FILTER)], "scanner_network!"),
        ("Microsoft's wide ranges, hours later", vec![exported().from(WIDE).at(7_200_000)], "human"),
        (
            "where headers say that there was no referer",
            vec![chrome(158).from(WIDE).at(7_200_000)],
            "air_or_mbi",
        ),
    ]);
    let check = exported().from(WIDE).at(90_000);
    let person = || exported().from(ELSEWHERE).at(90_300);
    let types: Vec<_> =
        told(&common::hits::history([check, person()])).iter().map(Told::click_type).collect();
    assert_eq!(types, ["scanner_timeofclick", "human"], "Microsoft's network beside somebody");
}

#[test]
fn one_render_comes_from_several_addresses_of_a_network() {
    let rented = |n: i64| pretender().asn(HETZNER).from(&format!("203.0.113.{n}"));
    let fan = |visitor: &dyn Fn(i64) -> Hit| -> Vec<Hit> {
        (0..20).map(|n| visitor(n).by(&format!("r{n}")).at(90_000 + n * 2_000)).collect()
    };
    let fresh = |n: i64| chrome(158).asn(HETZNER).from(&format!("203.0.113.{n}"));
    hold([("twenty recipients from twenty addresses of a rented network", fan(&fresh), "fanout")]);
    hold([("at homes side by side", fan(&|n| fresh(n).with(|it| it.asn = None)), "human")]);
    let other = |hit: Hit| hit.by("another").on("another").at(300_000);
    let head = || rented(8).method("HEAD").at(90_000);
    let verdicts = |hits: [Hit; 2]| told(&common::hits::history(hits))[1].verdict();
    let neighbour = exported().asn(AZURE).from("203.0.113.31");
    assert_eq!(
        verdicts([head().asn(AZURE), other(neighbour.clone())]),
        "carry_over",
        "another agent beside it"
    );
    assert_eq!(verdicts([head().asn(AZURE), other(neighbour.from(ELSEWHERE))]), "human");
    let person =
        || other(iphone(18, 7, "Version/26.1 Mobile/15E148 Safari/604.1").asn(AZURE).from("203.0.113.31"));
    assert_eq!(verdicts([head().asn(AZURE), person()]), "human", "a person's headers");
    assert_eq!(
        verdicts([at_neighbour(head().with(|it| it.asn = None)), other(exported())]),
        "human",
        "at home"
    );
}

#[test]
fn safe_links_pairs_stay_pairs_beside_acts() {
    let through = |hit: Hit| hit.referer(SAFE_LINKS);
    let act = through(act(Kind::Confirm, "l", 90_050));
    let hits = [through(program("ms-office").from(ELSEWHERE)).at(90_000), act, chrome(158).at(90_100)];
    let types: Vec<_> = told(&common::hits::history(hits)).iter().map(Told::click_type).collect();
    assert_eq!((types[0], types[2]), ("scanner_timeofclick", "human"));
}
