//! The sender's side: which links of a mail are tracked, which are left and why, and that nothing else changes. What broke at
//! other senders, each once: most of it in public threads.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, process};

use clickproof::link::Link;
use clickproof::link::copy::MailCopy;
use clickproof::link::keys::Keyring;
use clickproof::link::token;
use clickproof::sender::left::{Left, Part};
use clickproof::sender::options::{Options, Parameter, Pixel};
use clickproof::sender::rewrite::{Rewritten, Track, rewrite_bodies};
use common::command::{KEYS, run};
use common::html::{BASE, Piece, links_of};
use encoding_rs::{Encoding, UTF_8};
use serde_json::{Value, json};

const ALL: Track = Track { clicks: true, opens: true };

fn keys() -> Keyring {
    Keyring::parse(KEYS).0.unwrap()
}

fn copy() -> MailCopy {
    MailCopy {
        message_id: "spring".to_owned(),
        recipient_id: "r1".to_owned(),
        sent_at_ms: 1_795_348_800_000,
        group: None,
        shards: 1,
        sent: None,
    }
}

/// Without a pixel, which has tests of its own.
fn options() -> Options {
    Options { base_url: BASE.to_owned(), pixel: Pixel::None, ..Options::default() }
}

fn rewrite(html: Option<&str>, text: Option<&str>, options: &Options) -> Rewritten {
    let [html, text] = [html, text].map(|body| body.map(|body| (body.as_bytes(), UTF_8)));
    rewrite_bodies(html, text, &copy(), ALL, &keys(), options)
}

/// The pieces of a body that is written with its links in `⟦…⟧`, what goes in `⟪…⟫` and the pixel as `⟨pixel⟩`. The links lead to
/// `urls` in their order; `-` is none, for links that act.
fn pieces(written: &str, urls: &[&str]) -> Vec<Piece> {
    let mut urls = urls.iter();
    let mut pieces = Vec::new();
    let mut rest = written;
    while let Some(at) = rest.find(['⟦', '⟪', '⟨']) {
        let (same, marked) = rest.split_at(at);
        let close = match &marked[..'⟦'.len_utf8()] {
            "⟦" => '⟧',
            "⟪" => '⟫',
            _ => '⟩',
        };
        let (inner, after) = marked['⟦'.len_utf8()..].split_once(close).expect("it is closed");
        pieces.push(Piece::Same(same.into()));
        pieces.push(match close {
            '⟧' => {
                let url = *urls.next().expect("each link has its URL");
                let route = if inner.starts_with("clickproof:") { 'u' } else { 'c' };
                let url = Some(url).filter(|url| *url != "-").map(str::to_owned);
                Piece::Link { raw: inner.into(), route, url }
            }
            '⟫' => Piece::Gone(inner.into()),
            _ => Piece::Pixel,
        });
        rest = after;
    }
    pieces.push(Piece::Same(rest.into()));
    assert_eq!(urls.next(), None, "each URL has its link");
    pieces
}

fn before(pieces: &[Piece]) -> String {
    String::from_utf8(pieces.iter().flat_map(Piece::before).copied().collect()).unwrap()
}

/// Rewrites HTML that is written with its links marked, and holds the copy against that.
fn html_with(options: &Options, written: &str, urls: &[&str]) -> (Vec<Link>, Rewritten) {
    let pieces = pieces(written, urls);
    let rewritten = rewrite(Some(&before(&pieces)), None, options);
    (links_of(rewritten.html.as_deref().unwrap(), &pieces, &keys()), rewritten)
}

fn html(written: &str, urls: &[&str]) -> (Vec<Link>, Rewritten) {
    html_with(&options(), written, urls)
}

/// The same for text, alone.
fn text(written: &str, urls: &[&str]) -> (Vec<Link>, Rewritten) {
    let pieces = pieces(written, urls);
    let rewritten = rewrite(None, Some(&before(&pieces)), &options());
    (links_of(rewritten.text.as_deref().unwrap(), &pieces, &keys()), rewritten)
}

fn reasons(rewritten: &Rewritten) -> Vec<String> {
    rewritten.left.iter().map(|left| left.reason.to_string()).collect()
}

fn ids(links: &[Link]) -> Vec<&str> {
    links.iter().map(|link| link.link_id.as_str()).collect()
}

// Where a value ends, and what it says.

#[test]
fn a_url_is_tracked_whole_whatever_stands_in_it() {
    for (written, url) in [
        (r#"<a href="⟦https://brand.example/Box(EU)_V2.pdf⟧">"#, "https://brand.example/Box(EU)_V2.pdf"),
        (r#"<a href="⟦https://brand.example/l'an/l'an.pdf⟧">"#, "https://brand.example/l'an/l'an.pdf"),
        (
            r#"<a class='x' href="⟦https://maps.example/Joe's+Bar+%26+Grill/@43.7,-79.3⟧">"#,
            "https://maps.example/Joe's+Bar+%26+Grill/@43.7,-79.3",
        ),
        ("<a href='⟦https://brand.example/?q=it&#39;s⟧'>", "https://brand.example/?q=it's"),
        ("<a href=⟦https://brand.example/a?b=c&d⟧>", "https://brand.example/a?b=c&d"),
        (
            r#"<a href="⟦https://brand.example/s?f[0]=a:2&amp;f[1]=a:17⟧">"#,
            "https://brand.example/s?f[0]=a:2&f[1]=a:17",
        ),
        (r#"<A HREF = "⟦HTTPS://brand.example/A⟧" >"#, "https://brand.example/A"),
        (
            r#"<a href="⟦https://social.example/share?app=1&amp;href=http://inner.example/⟧">"#,
            "https://social.example/share?app=1&href=http://inner.example/",
        ),
        (r#"<a href="⟦https://brand.example/a⟧" href="https://brand.example/b">"#, "https://brand.example/a"),
    ] {
        let (links, rewritten) = html(written, &[url]);
        assert_eq!((ids(&links), links[0].links_total, rewritten.left), (vec!["1"], 1, vec![]), "{written}");
    }
}

#[test]
fn character_references_are_decoded_once_as_browsers_do_in_attributes() {
    for (raw, url) in [
        ("https://brand.example/reset?key=1&amp;id=3", "https://brand.example/reset?key=1&id=3"),
        ("https://brand.example/?a=1&b=2", "https://brand.example/?a=1&b=2"),
        ("https://brand.example/?key=7&#038;action=view", "https://brand.example/?key=7&action=view"),
        ("https://brand.example/?key&#x3D;7", "https://brand.example/?key=7"),
        ("https://brand.example/?a=1&amp;amp;b", "https://brand.example/?a=1&amp;b"),
        (
            "https://brand.example/?q=1&region=5&copy=2&lt=3&copya",
            "https://brand.example/?q=1&region=5&copy=2&lt=3&copya",
        ),
        ("https://brand.example/?q=&copy;", "https://brand.example/?q=%C2%A9"),
        (
            "https://portal.example/?payment=F0&key=d0&lang=EN",
            "https://portal.example/?payment=F0&key=d0&lang=EN",
        ),
        ("&#104;ttps&colon;//brand.example&sol;", "https://brand.example/"),
    ] {
        html(&format!(r#"<a href="⟦{raw}⟧">x</a>"#), &[url]);
    }
    let both = r#"<a href="⟦https://brand.example/?foo=1&amp;bar=2⟧">a</a> <a href="⟦https://brand.example/?foo=1&bar=2⟧">b</a>"#;
    html(both, &["https://brand.example/?foo=1&bar=2"; 2]);
}

#[test]
fn what_no_redirect_can_hold_is_mended_as_browsers_mend_it() {
    for (raw, url) in [
        ("https://müller.example/x", "https://xn--mller-kva.example/x"),
        ("\n   https://brand.example/a\n   b?c=1 ", "https://brand.example/a%20%20%20b?c=1"),
        ("\thttps://brand.example/\r\na\tb", "https://brand.example/ab"),
        (
            "https://brand.example/größe?ü=€#ä",
            "https://brand.example/gr%C3%B6%C3%9Fe?%C3%BC=%E2%82%AC#%C3%A4",
        ),
        ("https://brand.example:8443/%2F?x=%zz", "https://brand.example:8443/%2F?x=%zz"),
    ] {
        html(&format!(r#"<a href="⟦{raw}⟧">x</a>"#), &[url]);
    }
}

#[test]
fn of_a_tag_only_the_value_changes() {
    html(
        "<a\n  title=\"a > b\"\n\thref=\"⟦https://brand.example/x⟧\" >x</a\n>",
        &["https://brand.example/x"],
    );
    html(
        r#"<a href="⟦https://brand.example/p⟧"><table><tr><td><img src="https://cdn.example/i.png"></td></tr></table></a>"#,
        &["https://brand.example/p"],
    );
    html(
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">\r\n\
         <html xmlns:v=\"urn:schemas-microsoft-com:vml\"><head><style>a{}</style></head><body>{% for x %}<td>\
         <a href=\"⟦https://brand.example/⟧\">x</a></td>{% endfor %}</body></html>\r\n",
        &["https://brand.example/"],
    );
}

// What is no link to a page.

#[test]
fn what_leads_to_no_page_is_left_and_said() {
    for (written, expected) in [
        (r#"<a name="top"></a><a href="">e</a><a href=" ">b</a><a href>n</a>"#, &["empty"; 3][..]),
        (r#"<a href="mailto:hi@brand.example?subject=Hi">m</a>"#, &["scheme"]),
        (r#"<a href="tel:+49">t</a><a href="sms:1">s</a><a href="brand-app://x">a</a>"#, &["scheme"; 3]),
        ("<a href=\"#part2\">jump</a> <a name=\"part2\"></a><a href=\"#\">LOGIN</a>", &["fragment"; 2]),
        (
            r#"<a href="www.brand.example/a">a</a><a href="//brand.example/b">b</a><a href="/c">c</a>"#,
            &["relative"; 3],
        ),
    ] {
        let (_, rewritten) = html(written, &[]);
        assert_eq!(reasons(&rewritten), expected, "{written}");
        let warns = expected[0] == "relative";
        assert_eq!(rewritten.warnings.len(), if warns { expected.len() } else { 0 }, "{written}");
    }
}

#[test]
fn a_link_without_scheme_does_not_stop_the_next() {
    let (links, rewritten) =
        html(r#"<a href="/s">r</a><a href="⟦https://brand.example/⟧">x</a>"#, &["https://brand.example/"]);
    assert_eq!(
        (ids(&links), reasons(&rewritten)),
        (vec!["2"], vec!["relative".to_owned()]),
        "it is the second link"
    );
}

#[test]
fn what_no_redirect_may_lead_to_is_left_with_the_remedy() {
    let long = format!("https://brand.example/{}", "x".repeat(4_096));
    for (url, words) in [
        ("https://user:pw@brand.example/", "refused: the URL has user info before its host: remove"),
        (long.as_str(), "refused: the URL is 4118 bytes long: shorten it"),
        ("https:///x", "refused: the URL has no host"),
        ("https:brand.example", "refused: the URL has another scheme"),
        ("https://brand.example\\@x/", "refused: the URL has a backslash"),
    ] {
        let (_, rewritten) = html(&format!(r#"<a href="{url}">x</a>"#), &[]);
        let [reason] = &reasons(&rewritten)[..] else { panic!("{rewritten:?}") };
        assert!(reason.starts_with(words), "{url}: {reason}");
        assert!(rewritten.warnings[0].contains(&words[9..]), "{:?}", rewritten.warnings);
    }
}

#[test]
fn templates_that_were_not_rendered_are_left_byte_for_byte() {
    let options = Options { utm: vec![Parameter::utm("source=mail").unwrap()], ..options() };
    for url in [
        "https://{product}.brand.example/signup",
        "{{unsubscribe_url}}",
        "*|UNSUB|*",
        "%unsubscribe_url%",
        "<%= url %>",
        "[link:subscription_unsubscribe_url]",
        "https://brand.example/?mail=###email###",
        "https://brand.example/hi?u=[subscriber:cf_10]",
        "https://brand.example/%7B%7Bid%7D%7D",
        "https://brand.example/${id}",
    ] {
        let (_, rewritten) = html_with(&options, &format!(r#"<a href="{url}">x</a>"#), &[]);
        assert_eq!(reasons(&rewritten), ["placeholder"], "{url}");
    }
    let (_, rewritten) = html(
        r#"<a href="{{ TrackLink "https://brand.example" }}">x</a><a href="⟦https://brand.example/after⟧">y</a>"#,
        &["https://brand.example/after"],
    );
    assert_eq!(rewritten.left[0].url, "{{ TrackLink", "the value ends at its quote");
}

// Which elements are links.

#[test]
fn links_of_a_map_are_links_and_what_is_loaded_is_none() {
    html(
        r#"<map name=m><area shape=rect coords="0,0,9,9" href="⟦https://brand.example/map⟧"></map>"#,
        &["https://brand.example/map"],
    );
    html(
        r#"<base href="https://brand.example/"><img src="https://cdn.example/i.png"><a href="⟦https://brand.example/⟧"><img src="https://cdn.example/a.png" alt="https://brand.example/"></a><link rel=stylesheet href="https://fonts.example/f.css"><form action="https://brand.example/s"></form><td background="https://cdn.example/b.png">"#,
        &["https://brand.example/"],
    );
    let (_, rewritten) = html(
        r#"<svg><a href="⟦https://brand.example/s⟧"><a xlink:href="https://brand.example/old"></a></svg>"#,
        &["https://brand.example/s"],
    );
    assert_eq!((reasons(&rewritten), rewritten.warnings.len()), (vec!["xlink:href".to_owned()], 1));
}

#[test]
fn what_outlook_alone_reads_is_read() {
    html(
        r#"<!--[if mso]><a href="⟦https://brand.example/mso⟧">x</a><![endif]-->"#,
        &["https://brand.example/mso"],
    );
    html(
        r#"<![if !mso]><a href="⟦https://brand.example/a⟧">a</a><![endif]><!--[if !mso]><!--><a href="⟦https://brand.example/b⟧">b</a><!--<![endif]-->"#,
        &["https://brand.example/a", "https://brand.example/b"],
    );
    let (links, _) = html(
        r#"<!-- <a href="https://brand.example/old">old</a> --><a href="⟦https://brand.example/new⟧">new</a><!--[if mso]> no end <a href="https://brand.example/x"> -->"#,
        &["https://brand.example/new"],
    );
    assert_eq!(ids(&links), ["1"], "an ordinary comment is nobody's link");
    html(
        r#"<noscript><p><a href="⟦https://brand.example/n⟧">n</a></noscript>"#,
        &["https://brand.example/n"],
    );
    html(
        r#"<script>'<a href="https://brand.example/">'</script><style>/*<a href="https://brand.example/">*/</style><textarea><a href="https://brand.example/"></textarea>"#,
        &[],
    );
}

#[test]
fn two_renderings_of_one_button_are_one_link() {
    let vml = |url: &str, name: &str| {
        format!(
            r#"<!--[if mso]><v:roundrect xmlns:v="urn:schemas-microsoft-com:vml" href="⟦{url}⟧" style="v-text-anchor:middle"><w:anchorlock/><center>Buy</center></v:roundrect><![endif]--><a {name}href="⟦{url}⟧" style="mso-hide:all">Buy</a>"#
        )
    };
    let (links, rewritten) = html(&vml("https://brand.example/buy", ""), &["https://brand.example/buy"; 2]);
    assert_eq!((&links[0], links[0].links_total, links[0].link_id.as_str()), (&links[1], 1, "1"));
    assert_eq!(rewritten.links.len(), 1);

    let twice = [
        vml("https://brand.example/buy", "⟪data-cp-link=\"top\"⟫ "),
        vml("https://brand.example/buy", "⟪data-cp-link=\"end\"⟫ "),
    ];
    let twice = twice.concat().replace(" ⟪", "⟪ ");
    let (links, _) = html(&twice, &["https://brand.example/buy"; 4]);
    assert_eq!(ids(&links), ["top", "top", "end", "end"], "each takes the nearest");
    let (links, _) = html(
        r#"<!--[if mso]><v:rect href="⟦https://brand.example/a⟧"/><v:rect href="⟦https://brand.example/a⟧"/><![endif]--><a href="⟦https://brand.example/b⟧">b</a>"#,
        &["https://brand.example/a", "https://brand.example/a", "https://brand.example/b"],
    );
    assert_eq!(
        (ids(&links), links[0].links_total),
        (vec!["1", "2", "3"], 3),
        "what has no twin stands for itself"
    );
    let (_, rewritten) = html(
        r#"<!--[if mso]><v:rect href="https://brand.example/a"/><![endif]--><a class="x untracked" href="https://brand.example/a">a</a>"#,
        &[],
    );
    assert_eq!(reasons(&rewritten), ["opted out"; 2], "opting out holds for both");
}

// Who wants what tracked.

#[test]
fn each_senders_word_for_do_not_track_is_heard_and_only_ours_goes() {
    for attribute in [
        r#"clicktracking="off" "#,
        "clicktracking=off ",
        "data-pm-no-track ",
        "ses:no-track ",
        r#"data-msys-clicktrack="0" "#,
        "mc:disable-tracking ",
        r#"data-skip-click="true" "#,
        "mautic:disable-tracking ",
        r#"class="big untracked" "#,
        "⟪data-cp-track='off' ⟫",
        "⟪DATA-CP-TRACK=off ⟫",
    ] {
        let written = format!(r#"<a {attribute}href="https://a.example/?token=SECRET">x</a>"#);
        let written = written.replace(" ⟪", "⟪ ").replace(" ⟫", "⟫ ");
        let (_, rewritten) = html(&written, &[]);
        assert_eq!(
            (reasons(&rewritten), rewritten.links),
            (vec!["opted out".to_owned()], vec![]),
            "{attribute}"
        );
    }
    html(
        r#"<a clicktracking="on" data-msys-clicktrack=1 class="untracked-not" href="⟦https://a.example/⟧">"#,
        &["https://a.example/"],
    );
    let (_, rewritten) =
        html(r#"<a⟪ data-cp-track="no"⟫ href="⟦https://a.example/⟧">"#, &["https://a.example/"]);
    assert_eq!(rewritten.warnings, [r#"html: data-cp-track is "no": it must be on or off"#]);
}

#[test]
fn taking_an_attribute_out_joins_no_others() {
    for written in [
        r#"<a⟪ data-cp-link="x"⟫ href="⟦https://a.example/⟧">"#,
        r#"<a href="⟦https://a.example/⟧"⟪ data-cp-link="x"⟫>"#,
        r#"<a href="⟦https://a.example/⟧"⟪ data-cp-link=x⟫>"#,
        r#"<a id=1 ⟪data-cp-link="x"⟫href="⟦https://a.example/⟧">"#,
        r#"<a href=⟦https://a.example/⟧ ⟪data-cp-link="x"⟫/>"#,
        "<a href=⟦https://a.example/⟧⟪ data-cp-x⟫⟪\tdata-cp-link = 'x'⟫ id=1>",
        r#"<a⟪ data-cp-x=""⟫⟪ data-cp-y=''⟫⟪ data-cp-link="x"⟫ href="⟦https://a.example/⟧">"#,
        "<a⟪ data-cp-link=x⟫ href=⟦https://a.example/⟧⟪ data-cp-x=⟫>",
    ] {
        let (links, _) = html(written, &["https://a.example/"]);
        assert_eq!(ids(&links), ["x"], "{written}");
    }
}

#[test]
fn a_link_that_shows_a_url_is_left_unless_wanted() {
    let visible = |text: &str| format!(r#"<a href="https://www.brand.example/p?x=1">{text}</a>"#);
    for text in [
        "https://www.brand.example/p",
        " <b>HTTPS://</b>www.brand.example/p. ",
        "www.brand.example",
        "&#104;ttp://other.example",
        "&lt;https://brand.example/&gt;",
        "https://brand&shy;.exam&#8203;ple/",
    ] {
        let (_, rewritten) = html(&visible(text), &[]);
        assert_eq!(
            (reasons(&rewritten), rewritten.warnings.len()),
            (vec!["visible url".to_owned()], 1),
            "{text}"
        );
        let written = visible(text).replace("\"https", "\"⟦https").replace("x=1\"", "x=1⟧\"");
        let track = Options { tracks_visible_urls: true, ..options() };
        html_with(&track, &written, &["https://www.brand.example/p?x=1"]);
        let on = written.replace("<a ", "<a⟪ data-cp-track=on⟫ ");
        html(&on, &["https://www.brand.example/p?x=1"]);
    }
    for text in [
        r#"<img alt="https://brand.example/p" src="https://cdn.example/p.png">"#,
        "Read https://brand.example/p now",
        "https://click.brand.example/",
        "Brand",
        "<style>https://brand.example/</style>",
        "<!-- https://brand.example/ -->",
        "</a>https://brand.example/p",
    ] {
        let written = visible(text).replace("\"https://www", "\"⟦https://www").replace("x=1\"", "x=1⟧\"");
        html(&written, &["https://www.brand.example/p?x=1"]);
    }
}

#[test]
fn a_link_that_unsubscribes_is_left_unless_wanted() {
    let (_, rewritten) = html(r#"<a href="https://brand.example/Unsubscribe?u=1">x</a>"#, &[]);
    assert_eq!(reasons(&rewritten), ["unsubscribe"]);
    html(
        r#"<a⟪ data-cp-track="on"⟫ href="⟦https://brand.example/unsubscribe⟧">x</a>"#,
        &["https://brand.example/unsubscribe"],
    );
    let own = Options { unsubscribe_urls: vec![" https://brand.example/u?i=1 ".to_owned()], ..options() };
    let (_, rewritten) = html_with(&own, r#"<a href="https://brand.example/u?i=1">x</a>"#, &[]);
    assert_eq!(reasons(&rewritten), ["unsubscribe"], "the mail's own");
}

#[test]
fn hosts_may_be_left_and_parameters_added() {
    let leave = Options { leave_hosts: vec!["app.brand.example".to_owned()], ..options() };
    let (_, rewritten) = html_with(
        &leave,
        r#"<a href="https://APP.brand.example/x">a</a><a href="⟦https://brand.example/x⟧">b</a>"#,
        &["https://brand.example/x"],
    );
    assert_eq!(reasons(&rewritten), ["opted out"]);
    let utm = |text| Parameter::utm(text).unwrap();
    let utm = Options { utm: vec![utm("source=mail"), utm("utm_campaign=über & 1")], ..options() };
    let added = "utm_source=mail&utm_campaign=%C3%BCber%20%26%201";
    for (url, expected) in [
        ("https://brand.example/p?a=1#part", format!("https://brand.example/p?a=1&{added}#part")),
        ("https://brand.example/v?id=1&amp;b=2", format!("https://brand.example/v?id=1&b=2&{added}")),
        ("https://brand.example", format!("https://brand.example?{added}")),
        ("https://brand.example/?", format!("https://brand.example/?{added}")),
        ("https://brand.example/#a?b", format!("https://brand.example/?{added}#a?b")),
        (
            "https://brand.example/?utm_source=x&utm_campaign",
            "https://brand.example/?utm_source=x&utm_campaign".to_owned(),
        ),
        ("https://brand.example/?xutm_source=x", format!("https://brand.example/?xutm_source=x&{added}")),
    ] {
        html_with(&utm, &format!(r#"<a href="⟦{url}⟧">x</a>"#), &[&expected]);
    }
    for bad in ["source", "=x", "utm_=x", "a b=c", "source="] {
        assert!(Parameter::utm(bad).unwrap_err().contains("such as source=newsletter"), "{bad}");
    }
}

#[test]
fn who_refused_tracking_still_unsubscribes() {
    let body = r#"<a href="https://brand.example/">x</a><a href="⟦clickproof:unsubscribe⟧">u</a><p>⟪<img src="clickproof:open" alt="">⟫"#;
    let pieces = pieces(body, &["-"]);
    let track = Track { clicks: false, opens: false };
    let before = before(&pieces);
    let options = Options { pixel: Pixel::Bottom, ..options() };
    let rewritten = rewrite_bodies(Some((before.as_bytes(), UTF_8)), None, &copy(), track, &keys(), &options);
    links_of(rewritten.html.as_deref().unwrap(), &pieces, &keys());
    assert_eq!(reasons(&rewritten), ["opted out"]);
    let no_marker = before.replace("clickproof:open", "x.png");
    let rewritten =
        rewrite_bodies(Some((no_marker.as_bytes(), UTF_8)), None, &copy(), track, &keys(), &options);
    assert!(!String::from_utf8(rewritten.html.unwrap()).unwrap().contains("/o/"), "no pixel");
}

// Names and markers.

#[test]
fn a_link_goes_by_its_position_or_its_name() {
    let (links, _) = html(
        r#"<a href="⟦https://brand.example/buy⟧"><img></a><a href="⟦https://brand.example/buy⟧">Buy</a>"#,
        &["https://brand.example/buy"; 2],
    );
    assert_eq!((ids(&links), links[0].links_total), (vec!["1", "2"], 2), "one URL twice is two links");
    let copies = ["1", "2"].map(|order| {
        let url = format!("https://brand.example/o/{order}");
        let (links, _) =
            html(&format!(r#"<a href="mailto:a@b.example">m</a><a href="⟦{url}⟧">Order</a>"#), &[&url]);
        links[0].link_id.clone()
    });
    assert_eq!(copies, ["2", "2"], "whatever it leads to");
    html(
        r#"<a href="⟦https://brand.example/a⟧">a</a><a href="⟦https://brand.example/a/b⟧">b</a>"#,
        &["https://brand.example/a", "https://brand.example/a/b"],
    );
    let (links, rewritten) = html(
        r#"<a⟪ data-cp-link=cta⟫ href="⟦https://brand.example/⟧"></a><a⟪ data-cp-link=cta⟫ href="⟦https://brand.example/⟧"></a><a⟪ data-cp-link=cta⟫ href="⟦https://brand.example/x⟧"></a><a⟪ data-cp-link="a b"⟫ href="⟦https://brand.example/y⟧"></a>"#,
        &[
            "https://brand.example/",
            "https://brand.example/",
            "https://brand.example/x",
            "https://brand.example/y",
        ],
    );
    assert_eq!((ids(&links), links[0].links_total), (vec!["cta", "cta", "cta", "4"], 2));
    assert_eq!((rewritten.links.len(), rewritten.warnings.len()), (3, 2), "{:?}", rewritten.warnings);
}

#[test]
fn an_apps_link_has_its_tail() {
    let written = r#"<a⟪ data-cp-path="app"⟫ href="⟦https://brand.example/⟧">"#;
    let pieces = pieces(written, &["https://brand.example/"]);
    let rewritten = rewrite(Some(&before(&pieces)), Some("https://brand.example/"), &options());
    let html = String::from_utf8(rewritten.html.unwrap()).unwrap();
    let href = html.split('"').nth(1).unwrap();
    let link =
        token::open(href.strip_prefix(&format!("{BASE}/c/")).unwrap().strip_suffix("/app").unwrap(), &keys());
    assert_eq!(link.unwrap().url.unwrap().as_str(), "https://brand.example/");
    assert_eq!((rewritten.links[0].href.as_str(), rewritten.text.unwrap()), (href, href.as_bytes().to_vec()));
}

#[test]
fn markers_become_links_that_act() {
    let written = r#"<a href="⟦https://brand.example/⟧">x</a><a href="⟦clickproof:unsubscribe⟧">u</a><a href="⟦clickproof:unsubscribe⟧">u</a><a href="⟦clickproof:confirm?to=https%3A%2F%2Fbrand.example%2Fok%3Fa%3D1⟧">c</a><a href="⟦clickproof:confirm⟧">c</a>"#;
    let (links, rewritten) =
        html(written, &["https://brand.example/", "-", "-", "https://brand.example/ok?a=1", "-"]);
    assert_eq!(ids(&links), ["1", "unsubscribe", "unsubscribe", "confirm", "confirm-5"]);
    assert_eq!(links[0].links_total, 1, "only clicks count");
    let href = &rewritten.links[1].href;
    assert_eq!(rewritten.headers.list_unsubscribe, format!("<{href}>"));
    assert_eq!(rewritten.headers.list_unsubscribe_post, "List-Unsubscribe=One-Click");
    assert_eq!(rewritten.links.len(), 4, "the two that unsubscribe are one");

    let (_, rewritten) = html("no link", &[]);
    let token = rewritten.headers.list_unsubscribe.strip_prefix(&format!("<{BASE}/u/")).unwrap();
    token::open(token.strip_suffix('>').unwrap(), &keys()).unwrap();
    for bad in ["clickproof:stop", "clickproof:open", "clickproof:confirm?to=/x"] {
        let (_, rewritten) = html(&format!(r#"<a href="{bad}">x</a>"#), &[]);
        assert_eq!((rewritten.left.len(), rewritten.warnings.len()), (1, 1), "{bad}");
    }
}

// Twice is once.

#[test]
fn what_is_tracked_already_is_left() {
    for url in [
        "https://click.brand.example/c/AQgC…",
        "http://CLICK.brand.example/u/AQ/app",
        "https://click.brand.example/o/AQ.gif",
    ] {
        let (_, rewritten) = html(&format!(r#"<a href="{url}">x</a>"#), &[]);
        assert_eq!(reasons(&rewritten), ["already tracked"], "{url}");
    }
    html(r#"<a href="⟦https://click.brand.example/⟧">x</a>"#, &["https://click.brand.example/"]);
    html(
        r#"<a href="⟦https://click.brand.example.evil.example/c/AQ⟧">x</a>"#,
        &["https://click.brand.example.evil.example/c/AQ"],
    );
}

#[test]
fn rewriting_a_copy_again_changes_nothing() {
    let options = Options { pixel: Pixel::Bottom, ..options() };
    let body = r#"<body><a href="https://brand.example/">x</a><a data-cp-track="off" href="https://app.example/?secret">s</a></body>"#;
    let words = "https://brand.example/ https://app.example/?secret";
    let first = rewrite(Some(body), Some(words), &options);
    let utf8 = |body: &Option<Vec<u8>>| String::from_utf8(body.clone().unwrap()).unwrap();
    let (html, text) = (utf8(&first.html), utf8(&first.text));
    assert!(html.contains("/?secret") && text.contains("/?secret"), "{html} {text}");
    let second = rewrite(Some(&html), Some(&text), &options);
    assert_eq!((utf8(&second.html), utf8(&second.text), second.links), (html.clone(), text, vec![]));
    assert!(second.warnings[0].contains("rewrite each copy once"), "{:?}", second.warnings);
    let mut other = copy();
    other.recipient_id = "r2".to_owned();
    let forwarded = rewrite_bodies(Some((html.as_bytes(), UTF_8)), None, &other, ALL, &keys(), &options);
    assert_eq!(forwarded.links.len(), 1, "to another recipient it is a mail that has somebody's links in it");
}

// The pixel.

#[test]
fn one_pixel_stands_where_it_is_wanted() {
    let at = |pixel| Options { pixel, ..options() };
    for (pixel, written) in [
        (Pixel::Bottom, "<html><head></head><body><p>Hi</p>⟨pixel⟩</body></html>"),
        (Pixel::Bottom, "<body><p>Hi</p><!-- old </body> --><p>more</p>⟨pixel⟩</body>"),
        (
            Pixel::Bottom,
            "<body title='</body>'><script>'</body>'</script><title></body></title></body><p>⟨pixel⟩</BODY\n>",
        ),
        (Pixel::Bottom, "<p>Hi</p>⟨pixel⟩"),
        (Pixel::Bottom, "<p>Hi</p>⟨pixel⟩</body><a title='</body>"),
        (Pixel::Bottom, "<p>Hi <!-- </body>"),
        (Pixel::Bottom, "<p>Hi <script>'</body>"),
        (Pixel::Bottom, "<p>Hi <a href=\"</body>"),
        (Pixel::Top, "<html><body\n class=x>⟨pixel⟩<p>Hi</p></body></html>"),
        (Pixel::Top, "<p>Hi</p>⟨pixel⟩"),
        (Pixel::None, "<body></body>"),
    ] {
        let (_, rewritten) = html_with(&at(pixel), written, &[]);
        let warns = pixel == Pixel::Bottom && !written.contains('⟨');
        assert_eq!(rewritten.warnings.len(), usize::from(warns), "{written}");
    }
    for pixel in [Pixel::Bottom, Pixel::None] {
        let body = "<body><img alt=x src='clickproof:open'></body>";
        let copy = String::from_utf8(rewrite(Some(body), None, &at(pixel)).html.unwrap()).unwrap();
        assert_eq!(copy.matches(&format!("<img alt=x src='{BASE}/o/")).count(), 1, "{copy}");
        assert_eq!(copy.matches("/o/").count(), 1, "the marker is the only one: {copy}");
    }
    assert!(!rewrite(None, Some("Hi"), &at(Pixel::Bottom)).text.unwrap().contains(&b'<'));
}

#[test]
fn a_pixel_may_have_a_host_of_its_own_and_is_known_there_the_second_time() {
    let pixels = "https://pixel.brand.example";
    let options = Options { pixel: Pixel::Bottom, pixel_url: Some(pixels.to_owned()), ..options() };
    let first = rewrite(Some("<a href='https://brand.example/'>x</a>"), None, &options).html.unwrap();
    let copy = String::from_utf8(first.clone()).unwrap();
    assert!(copy.contains(&format!("{BASE}/c/")) && copy.contains(&format!("{pixels}/o/")), "{copy}");
    assert_eq!(rewrite(Some(&copy), None, &options).html.unwrap(), first);
}

#[test]
fn a_mail_that_gmail_would_cut_is_told() {
    let long = format!("{}<a href=\"https://brand.example/\">x</a>", "x".repeat(102_300));
    let warnings = rewrite(Some(&long), None, &options()).warnings;
    assert!(warnings[0].contains(", 102338 before: Gmail cuts"), "{warnings:?}");
    assert_eq!(rewrite(Some(&long[1_000..]), None, &options()).warnings, [""; 0]);
}

// Text.

#[test]
fn a_url_in_text_ends_where_a_reader_sees_it_end() {
    for (written, urls) in [
        ("Manual: ⟦https://brand.example/Box(EU)_V2.pdf⟧\n", &["https://brand.example/Box(EU)_V2.pdf"][..]),
        (
            "See (⟦https://brand.example/a⟧), <⟦https://brand.example/b⟧> and \"⟦https://brand.example/c⟧\"!\r\n",
            &["https://brand.example/a", "https://brand.example/b", "https://brand.example/c"],
        ),
        ("(see ⟦https://en.wiki.example/wiki/Foo_(bar)⟧).\n", &["https://en.wiki.example/wiki/Foo_(bar)"]),
        (
            "詳細は⟦https://brand.example/a⟧。次へ ⟦https://brand.example/b⟧… »⟦https://brand.example/c⟧«\n",
            &["https://brand.example/a", "https://brand.example/b", "https://brand.example/c"],
        ),
        (
            "⟦https://brand.example/a⟧;\n[⟦https://brand.example/b⟧]; {⟦https://brand.example/c⟧}\n",
            &["https://brand.example/a", "https://brand.example/b", "https://brand.example/c"],
        ),
        (
            "⟦https://brand.example/a⟧\u{a0}x ⟦HTTP://brand.example⟧",
            &["https://brand.example/a", "http://brand.example"],
        ),
        ("⟦https://brand.example/größe⟧.", &["https://brand.example/gr%C3%B6%C3%9Fe"]),
        ("⟦https://brand.example/日本⟧ 。", &["https://brand.example/%E6%97%A5%E6%9C%AC"]),
        ("⟦https://müller.example/⟧", &["https://xn--mller-kva.example/"]),
        ("「⟦https://brand.example/a⟧」を", &["https://brand.example/a"]),
    ] {
        let (links, rewritten) = text(written, urls);
        assert_eq!((reasons(&rewritten), links.len()), (vec![], urls.len()), "{written}");
        assert_eq!(links[0].links_total as usize, urls.len(), "{written}");
    }
}

#[test]
fn a_url_in_text_that_may_be_cut_is_left() {
    for (written, left) in [
        (
            "https://brand.example/*|ID|*/x and https://brand.example/a|b\n",
            &[("https://brand.example/*|ID|*/x", "ends oddly"), ("https://brand.example/a|b", "ends oddly")]
                [..],
        ),
        ("https://brand.example/a)x", &[("https://brand.example/a)x", "ends oddly")]),
        ("https://brand.example/aを見て", &[("https://brand.example/aを見て", "ends oddly")]),
        ("https://[::1]/", &[("https://[::1]/", "ends oddly")]),
        ("https://brand.example/{{id}}", &[("https://brand.example/{{id}}", "placeholder")]),
        ("https://brand.example/unsubscribe", &[("https://brand.example/unsubscribe", "unsubscribe")]),
        ("https://click.brand.example/c/AQ", &[("https://click.brand.example/c/AQ", "already tracked")]),
        ("visit www.brand.example/a or brand.example/b, xhttps://brand.example/c, clickproof: x\n", &[]),
    ] {
        let (_, rewritten) = text(written, &[]);
        let found: Vec<(&str, String)> =
            rewritten.left.iter().map(|left| (left.url.as_str(), left.reason.to_string())).collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(url, reason)| (*url, reason.as_str())).collect();
        assert_eq!(found, left, "{written}");
    }
}

#[test]
fn the_text_has_the_links_of_the_html() {
    let html = r#"<a href="https://brand.example/a?x=1&amp;y=2">a</a><a data-pm-no-track href="https://app.example/magic">m</a><a href="https://brand.example/a?x=1&amp;y=2">b</a><a href="https://brand.example/v">https://brand.example/v</a><a href="clickproof:unsubscribe">u</a><a data-cp-track=on href="https://brand.example/unsubscribe">u</a>"#;
    let written = "⟦https://brand.example/a?x=1&y=2⟧ https://app.example/magic ⟦https://brand.example/new⟧ ⟦https://brand.example/a?x=1&y=2⟧ ⟦https://brand.example/a?x=1&y=2⟧ ⟦https://brand.example/v⟧ ⟦clickproof:unsubscribe⟧ ⟦https://brand.example/unsubscribe⟧";
    let a = "https://brand.example/a?x=1&y=2";
    let pieces = pieces(
        written,
        &[
            a,
            "https://brand.example/new",
            a,
            a,
            "https://brand.example/v",
            "-",
            "https://brand.example/unsubscribe",
        ],
    );
    let utm = Options { utm: vec![], ..options() };
    let rewritten = rewrite(Some(html), Some(&before(&pieces)), &utm);
    let links = links_of(rewritten.text.as_deref().unwrap(), &pieces, &keys());
    assert_eq!(ids(&links), ["1", "t3", "3", "3", "t6", "unsubscribe", "6"]);
    assert!(links.iter().all(|link| link.links_total == 3), "a reader of the HTML has three");
    let copy = String::from_utf8(rewritten.html.unwrap()).unwrap();
    let text = String::from_utf8(rewritten.text.unwrap()).unwrap();
    assert!(copy.contains(&format!("<a href=\"{}\">a</a>", text.split(' ').next().unwrap())), "one token");
    let left: Vec<(Part, &str, String)> = rewritten
        .left
        .iter()
        .map(|Left { part, url, reason }| (*part, url.as_str(), reason.to_string()))
        .collect();
    assert_eq!(
        left,
        [
            (Part::Html, "https://app.example/magic", "opted out".to_owned()),
            (Part::Html, "https://brand.example/v", "visible url".to_owned()),
            (Part::Text, "https://app.example/magic", "opted out".to_owned()),
        ]
    );
    assert_eq!(rewritten.links.iter().filter(|link| link.part == Part::Text).count(), 2, "only its own");

    let off = Options { leaves_text: true, ..options() };
    let rewritten = rewrite(None, Some("https://brand.example/ clickproof:unsubscribe"), &off);
    let text = String::from_utf8(rewritten.text.unwrap()).unwrap();
    assert!(text.starts_with(&format!("https://brand.example/ {BASE}/u/")), "{text}");
    assert_eq!(rewritten.left[0].reason.to_string(), "opted out");
}

// Charsets.

#[test]
fn bodies_stay_in_their_charset() {
    for (name, words) in [
        ("utf-8", "日本 é"),
        ("windows-1252", "é € ß"),
        ("koi8-r", "Привет"),
        ("shift_jis", "日本ソ表能"),
        ("euc-jp", "日本"),
        ("gb18030", "中文 é"),
        ("big5", "中功許"),
        ("euc-kr", "한국"),
        // Two-byte characters whose bytes are those of < and >.
        ("iso-2022-jp", "日本語のメール、縺ョ、ｼ縲"),
    ] {
        let encoding = Encoding::for_label(name.as_bytes()).unwrap();
        let words: String = words.chars().filter(|c| !encoding.encode(&c.to_string()).2).collect();
        for is_html in [true, false] {
            let (open, close) = if is_html { (r#"<a href=""#, r#"">"#) } else { ("", "") };
            let encode = |text: &str| encoding.encode(text).0.into_owned();
            let pieces = [
                Piece::Same(encode(&format!("{words} {open}"))),
                Piece::Link {
                    raw: b"https://brand.example/a?b".to_vec(),
                    route: 'c',
                    url: Some("https://brand.example/a?b".to_owned()),
                },
                Piece::Same(encode(&format!("{close} {words}"))),
            ];
            let body: Vec<u8> = pieces.iter().flat_map(Piece::before).copied().collect();
            let (html, text) = if is_html {
                (Some((&body[..], encoding)), None)
            } else {
                (None, Some((&body[..], encoding)))
            };
            let rewritten = rewrite_bodies(html, text, &copy(), ALL, &keys(), &options());
            let copy = rewritten.html.or(rewritten.text).unwrap();
            assert_eq!(links_of(&copy, &pieces, &keys()).len(), 1, "{name}");
        }
    }
    for name in ["utf-16le", "replacement"] {
        let encoding = Encoding::for_label(name.as_bytes()).unwrap();
        let body = (&b"<a href=\"https://brand.example/\">"[..], encoding);
        let rewritten = rewrite_bodies(Some(body), Some(body), &copy(), ALL, &keys(), &options());
        assert_eq!((rewritten.html.as_deref(), rewritten.warnings.len()), (Some(body.0), 2), "{name}");
    }
    let rewritten = rewrite_bodies(
        Some((b"<a href=\"https://brand.example/\xff\">", UTF_8)),
        None,
        &copy(),
        ALL,
        &keys(),
        &options(),
    );
    assert!(reasons(&rewritten)[0].contains("no characters of the body's charset"), "{rewritten:?}");
}

// The command.

const COMMAND: [&str; 3] = ["rewrite", "--base-url", BASE];

fn line(fields: &Value) -> String {
    let mut line = json!({"message_id": "spring", "recipient_id": "r1", "sent_at_ms": 1_795_348_800_000_u64});
    line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    line.to_string()
}

fn answers(output: &process::Output) -> Vec<Value> {
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// A mail's own word and the line's or the flag's; what the count does not suit is a warning.
#[test]
fn a_copys_shards_are_minted_into_its_links() {
    let mail = |shards: &str| {
        let head = "X-Clickproof-Message: spring\r\nX-Clickproof-Recipient: r1\r\nX-Clickproof-Sent-At: 1795348800000\r\n";
        let body = "Content-Type: text/html\r\n\r\n<a href=\"https://brand.example/\">x</a>";
        format!("{head}{shards}{body}")
    };
    let html = r#"<a href="https://brand.example/">x</a>"#;
    let lines = [
        line(&json!({"html": html, "shards": 16})),
        line(&json!({"html": html, "sent": 10_000_000})),
        line(&json!({"eml": mail("X-Clickproof-Shards: 16\r\n"), "sent": 8_000_000})),
        line(&json!({"eml": mail(""), "shards": 16})),
    ];
    let answers = answers(&run(&COMMAND, &lines.join("\n")));
    let shards = answers.iter().map(|answer| {
        let href = answer["links"][0]["href"].as_str().unwrap();
        token::open(href.rsplit('/').next().unwrap(), &keys()).unwrap().shards
    });
    assert_eq!(shards.collect::<Vec<_>>(), [16, 1, 16, 16]);
    let advice = "shards: 1 are too few for 10000000 recipients; mint all links of the message with 20";
    assert_eq!(answers[1]["warnings"], json!([advice]));
    let told = answers.iter().filter(|answer| answer["warnings"].to_string().contains("shards: "));
    assert_eq!(told.count(), 1, "{answers:?}");

    let filter = [&COMMAND[..], &["--eml"]].concat();
    let refused = run(&filter, &mail("X-Clickproof-Shards: 0\r\n"));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("X-Clickproof-Shards: shards: must be a whole number from 1 to 256"), "{said}");
    for (shards, sent, warns) in [("16", "8000000", false), ("15", "8000000", true)] {
        let output = run(&[&filter[..], &["--shards", shards, "--sent", sent]].concat(), &mail(""));
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8(output.stderr).unwrap().contains("warning: shards: "), warns);
    }
}

#[test]
fn a_line_gets_its_copy_and_a_bad_one_its_remedy() {
    let html = r#"<a href="https://brand.example/">x</a><a href="mailto:a@b.example">m</a>"#;
    let good = line(&json!({"html": html, "text": "https://brand.example/", "group": "de"}));
    let bad = [
        (
            json!({"htm": html}),
            "htm: no such field; there are message_id, recipient_id, sent_at_ms, group, shards, sent, html, text",
        ),
        (json!({}), "html: missing; a line has html, text or eml"),
        (json!({"html": 7}), "html: must be a string"),
        (json!({"html": html, "track": {"clicks": "no"}}), "track.clicks: must be true or false"),
        (json!({"html": html, "track": {"click": false}}), "track.click: no such field"),
        (json!({"html": html, "track": true}), "track: must be a JSON object"),
        (
            json!({"html": html, "sent_at_ms": 1_795_348_800}),
            "`sent_at_ms` is 1795348800, which looks like seconds",
        ),
        (json!({"html": html, "shards": 257}), "shards: must be a whole number from 1 to 256"),
        (json!({"html": html, "recipient_id": "a@b"}), "recipient_id: recipient_id is 1 to 64"),
    ];
    let input: Vec<String> =
        std::iter::once(good).chain(bad.iter().map(|(fields, _)| line(fields))).collect();
    let output = run(&COMMAND, &input.join("\n"));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(said.lines().count(), bad.len(), "{said}");
    for ((number, line), (_, words)) in said.lines().enumerate().zip(&bad) {
        assert!(line.starts_with(&format!("stdin:{}: {words}", number + 2)), "{line}");
    }
    let [answer] = &answers(&output)[..] else { panic!("one answer") };
    let href = answer["links"][0]["href"].as_str().unwrap();
    assert_eq!(
        answer["links"],
        json!([{"link_id": "1", "href": href, "url": "https://brand.example/", "part": "html"}])
    );
    assert_eq!(answer["left"], json!([{"part": "html", "url": "mailto:a@b.example", "reason": "scheme"}]));
    assert_eq!(answer["text"], href);
    assert!(
        answer["html"].as_str().unwrap().starts_with(&format!("<a href=\"{href}\">x</a><a href=\"mailto:"))
    );
    assert!(answer["headers"]["List-Unsubscribe"].as_str().unwrap().starts_with(&format!("<{BASE}/u/")));
    assert_eq!(answer.get("warnings"), None);
    let opened = token::open(href.rsplit('/').next().unwrap(), &keys()).unwrap();
    assert_eq!((opened.group.as_deref(), opened.links_total), (Some("de"), 1));
}

#[test]
fn one_body_serves_all_lines() {
    let path = env::temp_dir().join(format!("clickproof-rewrite-{}.html", process::id()));
    fs::write(&path, r#"<a href="https://brand.example/unsub">x</a><a href="https://app.brand.example/">https://app.brand.example/</a>"#).unwrap();
    let file = path.to_str().unwrap();
    let lines: Vec<String> = ["r1", "r2"].iter().map(|r| line(&json!({"recipient_id": r}))).collect();
    let input = [lines.join("\n"), line(&json!({"html": "x"}))].join("\n");
    let flags = [
        &COMMAND[..],
        &[
            "--html",
            file,
            "--pixel",
            "none",
            "--visible-urls",
            "track",
            "--leave-host",
            "app.brand.example",
            "--utm",
            "source=x",
        ],
    ]
    .concat();
    let output = run(&flags, &input);
    fs::remove_file(&path).unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(said.starts_with("stdin:3: html: --html gives one for all lines"), "{said}");
    let answers = answers(&output);
    for (answer, recipient) in answers.iter().zip(["r1", "r2"]) {
        let href = answer["links"][0]["href"].as_str().unwrap();
        let link = token::open(href.rsplit('/').next().unwrap(), &keys()).unwrap();
        assert_eq!(link.recipient_id, recipient);
        assert_eq!(link.url.unwrap().as_str(), "https://brand.example/unsub?utm_source=x");
        assert_eq!(answer["left"][0]["reason"], "opted out");
        assert!(!answer["html"].as_str().unwrap().contains("/o/"));
    }
    assert_eq!(answers.len(), 2);
    for (flag, value, words) in [
        ("--utm", "source", "must be a name and a value"),
        ("--leave-host", "https://x.example", "must be a host name alone"),
        ("--html", "/nowhere/x.html", "name a file that can be read"),
        ("--pixel", "left", "possible values: bottom, top, none"),
    ] {
        let output = run(&[&COMMAND[..], &[flag, value]].concat(), "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(words), "{said}");
    }
    let output =
        run(&[&COMMAND[..], &["--text", "off"]].concat(), &line(&json!({"text": "https://brand.example/"})));
    assert_eq!(self::answers(&output)[0]["text"], "https://brand.example/");
}

#[test]
fn copies_leave_as_soon_as_the_input_pauses() {
    let mut child = process::Command::new(env!("CARGO_BIN_EXE_clickproof"))
        .args(COMMAND)
        .env("LINK_KEYS", KEYS)
        .stdin(process::Stdio::piped())
        .stdout(process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let (send, got) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut line = String::new();
        while stdout.read_line(&mut line).unwrap() > 0 {
            send.send(line.clone()).unwrap();
            line.clear();
        }
    });
    for _ in 0..2 {
        writeln!(stdin, "{}", line(&json!({"text": "https://brand.example/"}))).unwrap();
        // For what never comes.
        let copy = got.recv_timeout(Duration::from_mins(1)).unwrap();
        assert!(copy.contains(&format!("{BASE}/c/")), "the answer comes while the input is open: {copy}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    reader.join().unwrap();
}
