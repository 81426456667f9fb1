//! A send's page: what a naive tracker counts beside what people did, when, how soon, on what, of which part of the list; what to
//! do next stands beside the plot that proves it.

use super::super::figures::{Group, LinkCount, Report};
use super::super::finding::{Diagnosis, Severity};
use super::class::{CLASSES, NAMES, Stack, add, class, sum};
use super::frame;
use super::html::Html;
use super::plot::{self, Row, WHOLE};
use super::timeline::{MINUTE_MS, Timeline, step_ms};
use crate::verdict::{ClickType, Confidence};

/// The most links or groups that a table lists; what others there are, it sums up. The CSV has all.
const MOST_ROWS: usize = 20;

/// The longest address that a table shows, characters.
const MOST_URL: usize = 96;

/// Labels on the axis of times, at most, but for one more at its end.
const MOST_TICKS: i64 = 5;

/// Where a finding is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// Clicks over time.
    Timeline,
    /// Clicks by the time since the mail.
    Delay,
    /// Clicks by what made them.
    Types,
    /// The further numbers.
    Numbers,
}

/// The place of a finding on the page.
fn proof(code: &str) -> Proof {
    match code {
        "campaign_view" | "fanout" | "repeat" => Proof::Timeline,
        "safe_attachments" | "safelinks_delivery" | "air_or_mbi" | "sweep" => Proof::Delay,
        "machine_only" | "proxy_opens" => Proof::Numbers,
        _ => Proof::Types,
    }
}

/// The page of a message's report, as of a time in Unix milliseconds.
#[must_use]
pub fn message(report: &Report, now_ms: i64) -> String {
    let mut html = frame::begin(report.title.as_deref().unwrap_or(&report.message_id));
    heading(&mut html, report, now_ms);
    if report.known {
        numbers(&mut html, report);
        next(&mut html, report);
        html.raw("</header>\n<main>\n");
        if report.clicks > 0 {
            times(&mut html, report);
            delays(&mut html, report);
            types(&mut html, report);
            links(&mut html, report);
        }
        groups(&mut html, report);
        further(&mut html, report);
        glossary(&mut html);
    } else {
        html.raw(
            "<p>Nothing is known of this message: no link of it was clicked, and its sender has told nothing of it. Clicks \
             show here within moments; where you expect some, look whether this is the <code>message_id</code> with which \
             its links were minted.\n</header>\n<main>\n",
        );
    }
    frame::end(html)
}

fn heading(html: &mut Html, report: &Report, now_ms: i64) {
    html.raw("<nav><a href=\"/report\">All messages</a></nav>\n<h1>");
    html.text(report.title.as_deref().unwrap_or(&report.message_id)).raw("</h1>\n<p class=\"soft\">");
    if report.title.is_some() {
        html.text(&report.message_id).raw(" · ");
    }
    if let (Some(first_ms), Some(last_ms)) = (report.first_ms, report.last_ms) {
        html.raw("first click or open ").time(first_ms).raw(", last ").time(last_ms).raw(" · ");
    }
    html.raw("as of ").time(now_ms).raw(" UTC");
    if report.known {
        html.raw(" · <a href=\"/report/").encoded(&report.message_id).raw(".csv\">Numbers as CSV</a>");
    }
    html.raw("\n");
    if report.unsettled > 0 {
        html.raw("<p><strong>").count(report.unsettled).raw(" of ").count(report.clicks);
        html.raw(
            " clicks are provisional.</strong> What they were may change until the clicks around them are known, about a \
             minute after each; load this page again then.\n",
        );
    }
}

/// One of the two numbers at the top, with its name and what it is a share of.
fn number(html: &mut Html, class: &str, name: &str, count: i64, of: &str, sent: Option<i64>) {
    html.raw("<p class=\"").raw(class).raw("\"><span>").raw(name).raw("</span><strong>");
    let sent = sent.filter(|sent| *sent > 0);
    match sent {
        Some(sent) => html.percent(count, sent),
        None => html.count(count),
    };
    html.raw("</strong><span class=\"soft\">");
    if let Some(sent) = sent {
        html.count(count).raw(" ").raw(of).raw(", ").count(sent).raw(" sent");
    } else {
        html.raw(of);
    }
    html.raw("</span>\n");
}

fn numbers(html: &mut Html, report: &Report) {
    let machines = report.clicks - report.human_clicks;
    html.raw("<div class=\"numbers\">\n");
    number(
        html,
        "naive",
        "As a naive tracker counts",
        report.clicks,
        "clicks, whoever made them",
        report.sent,
    );
    number(
        html,
        "people",
        "People",
        report.human_recipients,
        "recipients who clicked themselves",
        report.sent,
    );
    html.raw("</div>\n");
    if report.clicks > 0 {
        plot::line(html, 10, report.human_clicks, report.clicks, report.clicks);
        html.raw("<p class=\"under\">Machines made ")
            .percent(machines, report.clicks)
            .raw(" of all clicks: ");
        html.count(machines)
            .raw(" of ")
            .count(report.clicks)
            .raw(". People made ")
            .count(report.human_clicks);
        html.raw(".\n");
    } else {
        html.raw("<p>Nobody and nothing has clicked yet.\n");
    }
    if report.sent.is_none_or(|sent| sent <= 0) {
        html.raw("<p class=\"soft\">Tell how many the message was sent to, and both become rates: <code>PUT /v1/messages/");
        html.encoded(&report.message_id).raw("</code> with <code>{\"sent\": …}</code>.\n");
    }
}

/// How a finding's weight is called, and its class.
const fn weight(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Critical => ("Act now", "critical"),
        Severity::Warning => ("Before the next send", "warning"),
        Severity::Info => ("Good to know", "info"),
    }
}

/// All findings in a line each, the gravest first; each leads to the plot that proves it.
fn next(html: &mut Html, report: &Report) {
    if report.diagnosis.is_empty() {
        return;
    }
    html.raw("<nav class=\"next\" aria-labelledby=\"next\">\n<h2 id=\"next\">What to do next</h2>\n<ul>\n");
    for severity in [Severity::Critical, Severity::Warning, Severity::Info] {
        for finding in report.diagnosis.iter().filter(|finding| finding.severity == severity) {
            // What was seen stands before the colon, what to do about it behind.
            let seen = finding.text.split_once(": ").map_or(finding.text.as_str(), |(seen, _)| seen);
            html.raw("<li><b>").raw(weight(severity).0).raw("</b> <a href=\"#").text(finding.code).raw("\">");
            html.text(seen).raw("</a>\n");
        }
    }
    html.raw("</ul>\n</nav>\n");
}

/// Begins what a plot and its findings stand in, side by side where there is room.
fn begin_proof(html: &mut Html, report: &Report, place: Proof) {
    let has_cards = findings(report, place).next().is_some();
    html.raw(if has_cards { "<div class=\"two\">\n<div>\n" } else { "<div>\n<div>\n" });
}

/// Ends it with the findings that it proves.
fn end_proof(html: &mut Html, report: &Report, place: Proof) {
    html.raw("</div>\n");
    let mut begin = "<ul class=\"cards\">\n";
    for finding in findings(report, place) {
        let (words, class) = weight(finding.severity);
        html.raw(begin).raw("<li class=\"").raw(class).raw("\" id=\"").text(finding.code).raw("\"><b>");
        html.raw(words).raw("</b>").text(&finding.text).raw("\n");
        begin = "";
    }
    html.raw(if begin.is_empty() { "</ul>\n</div>\n" } else { "</div>\n" });
}

fn findings(report: &Report, place: Proof) -> impl Iterator<Item = &Diagnosis> {
    report.diagnosis.iter().filter(move |finding| proof(finding.code) == place)
}

/// The table below a plot, folded up. `label` is its name, `begin` what its first column is called.
fn stacks_table(
    html: &mut Html,
    label: &str,
    begin: &str,
    stacks: &[Stack],
    name: &dyn Fn(&mut Html, usize),
) {
    let sums = sum(stacks);
    let shown = |class: &usize| sums.get(*class).is_some_and(|count| *count > 0);
    html.raw("<details><summary>The numbers as a table</summary><div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"");
    html.raw(label).raw("\">");
    let mut columns = vec![begin];
    columns.extend((0..CLASSES).filter(shown).filter_map(|class| NAMES.get(class).copied()));
    columns.push("All");
    html.head(&columns);
    for (at, stack) in stacks.iter().enumerate() {
        let all: i64 = stack.iter().sum();
        if all == 0 {
            continue;
        }
        html.raw("<tr><th scope=\"row\">");
        name(html, at);
        for class in (0..CLASSES).filter(shown) {
            html.cell(stack.get(class).copied().unwrap_or_default());
        }
        html.cell(all).raw("\n");
    }
    html.raw("</table></div></details>\n");
}

/// A length of time, in words: whole days, hours, minutes or seconds.
fn length(html: &mut Html, seconds: i64) {
    let (count, unit) = match seconds {
        86_400.. => (seconds / 86_400, " d"),
        3_600.. => (seconds / 3_600, " h"),
        60.. => (seconds / 60, " min"),
        _ => (seconds, " s"),
    };
    html.count(count).raw(unit);
}

fn times(html: &mut Html, report: &Report) {
    const HEIGHT: i64 = 220;
    let Some(timeline) = Timeline::of(&report.timeline) else { return };
    let bars = &timeline.bars;
    html.raw("<section>\n<h2>When</h2>\n");
    begin_proof(html, report, Proof::Timeline);
    html.raw("<figure>\n<figcaption>Clicks from ")
        .time(timeline.from_ms)
        .raw(" to ")
        .time(timeline.until_ms());
    html.raw(" UTC, ");
    length(html, timeline.width_ms / 1_000);
    html.raw(" a bar. People stand at the bottom, machines on top of them.</figcaption>\n");
    let shows = "Stacked bars of clicks by what made them; the table below has the same numbers.";
    plot::begin(html, "when", HEIGHT + 30, "Clicks over time", shows);
    let row = Row::of(10, HEIGHT, bars.iter().map(|bar| bar.iter().sum()).max().unwrap_or_default());
    plot::axis(html, row);
    let named = |html: &mut Html, at| {
        html.time(timeline.begin_ms(at));
    };
    plot::bars(html, row, bars, 0..CLASSES, &named);
    let span_ms = timeline.until_ms() - timeline.from_ms;
    let tick_ms = step_ms(timeline.from_ms, timeline.until_ms(), MOST_TICKS);
    let mut at_ms = (timeline.from_ms + tick_ms - 1).div_euclid(tick_ms) * tick_ms;
    while at_ms <= timeline.until_ms() {
        plot::text(html, "x", (at_ms - timeline.from_ms) * 1_000 / (span_ms / 100).max(1), HEIGHT + 28);
        let is_midnight = at_ms % (1_440 * MINUTE_MS) == 0;
        if is_midnight {
            html.day(at_ms)
        } else {
            html.clock(at_ms)
        };
        html.raw("</text>");
        at_ms += tick_ms;
    }
    plot::end(html);
    html.raw("</figure>\n");
    plot::legend(html, &sum(bars));
    stacks_table(html, "Clicks over time", "From, UTC", bars, &named);
    end_proof(html, report, Proof::Timeline);
    html.raw("</section>\n");
}

/// Where the published table draws its lines: seconds, and what they part.
const BOUNDS: [(i64, &str); 3] = [
    (5, "5 s: before it, checks on delivery"),
    (60, "1 min: before it, sandboxes"),
    (3_600, "1 h: after it, late crawls"),
];

/// Which of the steps' ends the axis names, seconds.
const NAMED_ENDS: [i64; 7] = [1, 5, 60, 600, 3_600, 86_400, 604_800];

fn delays(html: &mut Html, report: &Report) {
    const TOP: i64 = 78;
    const HEIGHT: i64 = 110;
    const GAP: i64 = 40;
    let steps: Vec<Stack> = report
        .delay
        .iter()
        .map(|step| {
            let mut stack = [0; CLASSES];
            add(&mut stack, &step.by_type);
            stack
        })
        .collect();
    let people = steps.iter().map(|step| step[0]).max().unwrap_or_default();
    let machines = steps.iter().map(|step| step.iter().skip(1).sum::<i64>()).max().unwrap_or_default();
    html.raw("<section>\n<h2>How soon after the mail</h2>\n");
    begin_proof(html, report, Proof::Delay);
    html.raw(
        "<figure>\n<figcaption>Clicks by the time since the mail was delivered, else sent; each step is longer than the one \
         before. People and machines have scales of their own. The dashed lines are the bounds of the published table by \
         which Microsoft’s scanners are told apart.</figcaption>\n",
    );
    let shows = "Two rows of bars on one axis of time that grows by steps, people above and machines below; the table below \
                 has the same numbers.";
    let second = TOP + HEIGHT + GAP;
    let bottom = second + HEIGHT;
    plot::begin(html, "soon", bottom + 20, "Clicks by the time since the mail", shows);
    let places = i64::try_from(steps.len()).unwrap_or_default().max(1);
    let end = |seconds: i64| {
        let at = report.delay.iter().position(|step| step.until_s == Some(seconds));
        at.and_then(|at| i64::try_from(at).ok()).map_or(0, |at| (at + 1) * WHOLE / places)
    };
    let named = |html: &mut Html, at: usize| {
        let Some(step) = report.delay.get(at) else { return };
        length(html, step.from_s);
        if let Some(until_s) = step.until_s {
            html.raw(" to ");
            length(html, until_s);
        } else {
            html.raw(" and more");
        }
    };
    for (row, classes) in
        [(Row::of(TOP, HEIGHT, people), 0..1), (Row::of(second, HEIGHT, machines), 1..CLASSES)]
    {
        plot::axis(html, row);
        plot::bars(html, row, &steps, classes, &named);
    }
    for ((seconds, words), y) in BOUNDS.into_iter().zip([12, 28, 44]) {
        plot::mark(html, end(seconds), y + 4, bottom);
        plot::text(html, "bound", end(seconds), y);
        html.raw(words).raw("</text>");
    }
    for seconds in NAMED_ENDS {
        plot::text(html, "x", end(seconds), bottom + 18);
        length(html, seconds);
        html.raw("</text>");
    }
    for (class, name, y) in [("c0", "People", TOP - 8), ("", "Machines", second - 8)] {
        plot::text(html, class, 0, y);
        html.raw(name).raw("</text>");
    }
    plot::end(html);
    html.raw("</figure>\n");
    plot::legend(html, &sum(&steps));
    stacks_table(html, "Clicks by the time since the mail", "Since the mail", &steps, &named);
    end_proof(html, report, Proof::Delay);
    html.raw("</section>\n");
}

fn types(html: &mut Html, report: &Report) {
    html.raw("<section>\n<h2>What clicked</h2>\n");
    begin_proof(html, report, Proof::Types);
    html.head(&["What it was", "Clicks", "Share"]);
    for (kind, count) in report.by_type.0.iter().filter(|(_, count)| *count > 0) {
        html.raw("<tr><th scope=\"row\"><i class=\"c")
            .number(i64::try_from(class(*kind)).unwrap_or_default());
        html.raw("\"></i>").raw(kind.words()).raw("<small>").raw(kind.name()).raw("</small>");
        html.cell(*count).raw("<td>").percent(*count, report.clicks).raw("\n");
    }
    html.raw("</table>\n");
    if !report.by_vendor.0.is_empty() {
        let mut vendors: Vec<_> = report.by_vendor.0.iter().collect();
        vendors.sort_by_key(|(_, count)| -count);
        let most = vendors.first().map_or(0, |(_, count)| *count);
        html.raw("<h3>Whose scanners</h3>\n").head(&["Vendor", "Clicks", "Share"]);
        for (vendor, count) in vendors {
            html.raw("<tr><th scope=\"row\">").text(vendor);
            plot::line(html, 6, 0, *count, most);
            html.cell(*count).raw("<td>").percent(*count, report.clicks).raw("\n");
        }
        html.raw("</table>\n");
    }
    end_proof(html, report, Proof::Types);
    html.raw("</section>\n");
}

/// Clicks of all and of people, with the line that shows them.
fn compared(html: &mut Html, human: i64, all: i64, most: i64) {
    plot::line(html, 6, human, all, most);
    html.cell(all).raw("<td class=\"hm\">").count(human);
}

fn links(html: &mut Html, report: &Report) {
    html.raw(
        "<section>\n<h2>Links</h2>\n<p class=\"soft\">All clicks, and in blue those that people made.\n",
    );
    html.head(&["Link", "Clicks", "People’s clicks", "People"]);
    let most = report.links.first().map_or(0, |link| link.clicks);
    for LinkCount { link_id, url, clicks, human_clicks, human_recipients } in
        report.links.iter().take(MOST_ROWS)
    {
        html.raw("<tr><th scope=\"row\">");
        if let Some(link_id) = link_id {
            html.text(link_id);
        }
        if let Some(url) = url {
            html.raw("<small>");
            match url.char_indices().nth(MOST_URL) {
                Some((end, _)) => html.text(url.get(..end).unwrap_or(url)).raw("…"),
                None => html.text(url),
            };
            html.raw("</small>");
        }
        compared(html, *human_clicks, *clicks, most);
        html.cell(*human_recipients).raw("\n");
    }
    if let Some(others) = report.links.get(MOST_ROWS..).filter(|others| !others.is_empty()) {
        let clicks = others.iter().map(|link| link.clicks).sum();
        begin_others(html, others.len(), " other links");
        compared(html, others.iter().map(|link| link.human_clicks).sum(), clicks, most.max(clicks));
        // Who clicked two of them would count twice.
        html.raw("<td>–\n");
    }
    html.raw("</table>\n</section>\n");
}

fn begin_others(html: &mut Html, count: usize, what: &str) {
    html.raw("<tr><th scope=\"row\">").count(i64::try_from(count).unwrap_or(i64::MAX)).raw(what);
}

fn groups(html: &mut Html, report: &Report) {
    let mut groups: Vec<(&str, &Group)> =
        report.by_group.0.iter().map(|(name, group)| (name.as_str(), group)).collect();
    if groups.is_empty() {
        return;
    }
    groups.sort_by_key(|(_, group)| -group.clicks);
    html.raw(
        "<section>\n<h2>Parts of the list</h2>\n<p class=\"soft\">By the groups that the sender names.\n",
    );
    html.raw("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Parts of the list\">");
    html.head(&["Group", "Sent", "Clicks", "People’s clicks", "As counted", "People", "Their rate"]);
    let most = groups.first().map_or(0, |(_, group)| group.clicks);
    for (name, group) in groups.iter().take(MOST_ROWS) {
        html.raw("<tr><th scope=\"row\">").text(name);
        group_cells(html, group, most);
    }
    if let Some(others) = groups.get(MOST_ROWS..).filter(|others| !others.is_empty()) {
        let mut all = Group { sent: Some(0), ..Group::default() };
        for (_, group) in others {
            all.sent = all.sent.zip(group.sent).map(|(all, sent)| all + sent);
            all.clicks += group.clicks;
            all.human_clicks += group.human_clicks;
            all.human_recipients += group.human_recipients;
        }
        begin_others(html, others.len(), " other groups");
        group_cells(html, &all, most.max(all.clicks));
    }
    html.raw("</table></div>\n</section>\n");
}

fn group_cells(html: &mut Html, group: &Group, most: i64) {
    let sent = group.sent.unwrap_or_default();
    plot::line(html, 6, group.human_clicks, group.clicks, most);
    html.raw("<td>").known(group.sent).cell(group.clicks).cell(group.human_clicks);
    html.raw("<td>").percent(group.clicks, sent).cell(group.human_recipients);
    html.raw("<td class=\"hm\">").percent(group.human_recipients, sent).raw("\n");
}

/// A number with its name.
fn fact(html: &mut Html, name: &str, count: i64) {
    html.raw("<div><dt>").raw(name).raw("<dd>").count(count).raw("</div>\n");
}

fn further(html: &mut Html, report: &Report) {
    html.raw("<section>\n<h2>How sure, and what else</h2>\n");
    begin_proof(html, report, Proof::Numbers);
    html.raw("<dl class=\"facts\">\n");
    let sure = |confidence: Confidence| {
        report
            .by_confidence
            .0
            .iter()
            .find(|(name, _)| name == confidence.name())
            .map_or(0, |(_, count)| *count)
    };
    let opens = &report.opens;
    for (name, count) in [
        ("Verdicts that are certain", sure(Confidence::Certain)),
        ("Verdicts that are probable", sure(Confidence::Probable)),
        ("Recipients with a click", report.recipients),
        ("of them with machines’ clicks alone", report.machine_only_recipients),
        ("of them on Microsoft 365, by Safe Links", report.safe_links_recipients),
        ("Clicks of Defender’s five types", report.is_defender_bot),
        ("Clicks counted beyond those stored", report.repeats),
        ("Landing pages shown", report.verified.rendered),
        ("Landing pages touched by a person", report.verified.interacted),
        ("Opens", opens.total),
        ("of them by mail providers’ proxies", opens.by_type.of(ClickType::ProxyOpen)),
        ("of them by scanners", opens.by_type.sum(ClickType::is_bot)),
        ("Unsubscriptions", report.acts.unsubscribe),
        ("Confirmations", report.acts.confirm),
        ("of these two by machines", report.acts.machines),
    ] {
        fact(html, name, count);
    }
    html.raw("</dl>\n");
    if let Some(shadow) = &report.shadow {
        html.raw("<p class=\"under\">The shadow ruleset <code>")
            .text(&shadow.ruleset)
            .raw("</code> would call ");
        html.count(shadow.differ).raw(" of ").count(shadow.clicks).raw(" clicks something else: ");
        html.count(shadow.human_to_scanner)
            .raw(" of people’s would be machines’, ")
            .count(shadow.scanner_to_human);
        html.raw(" of machines’ would be people’s.\n");
    }
    end_proof(html, report, Proof::Numbers);
    html.raw("</section>\n");
}

/// Words of this page that may need explaining.
const GLOSSARY: [(&str, &str); 11] = [
    (
        "As a naive tracker counts",
        "Every request of a tracked link is a click, and clicks are divided by mails sent. Scanners click, too, and some \
         click every link: so this may exceed 100 %.",
    ),
    (
        "People",
        "Recipients with at least one click that a person made, divided by mails sent. However often somebody clicks, it is \
         one person.",
    ),
    (
        "Provisional",
        "A verdict needs the clicks before and after. It settles about a minute after its click; late evidence may still \
         amend it.",
    ),
    (
        "Certain, probable",
        "Certain: the evidence cannot come from a person. Probable: it points one way, and a person could have left it. Proof \
         of a person overturns what is probable.",
    ),
    (
        "Safe Links",
        "Microsoft 365 sends links through its own service. It checks some as a mail is delivered, and others in the moment \
         in which somebody clicks: then one click of a person makes two requests.",
    ),
    (
        "Safe Attachments",
        "Microsoft opens a mail in a sandbox before it is delivered, and follows all its links.",
    ),
    (
        "Campaign correlation",
        "Microsoft groups alike mails to many recipients and fetches one link for all of them at once.",
    ),
    (
        "Investigations",
        "After an alarm Microsoft looks into mails that were delivered long ago, and crawls their links (AIR: automated \
         investigation and response; MBI: mailbox intelligence).",
    ),
    ("Mail gateways", "Services that companies put before their mailboxes; they open links to check them."),
    (
        "Sweeps and repeats",
        "Several links of one mail at once, one link of many mails at once, or one link again and again: faster or longer \
         than people do.",
    ),
    ("Other programs", "Programs that say what they are, or whose requests look like no browser’s."),
];

fn glossary(html: &mut Html) {
    html.raw("<section>\n<details><summary>What the words mean</summary>\n<dl class=\"words\">\n");
    for (word, meaning) in GLOSSARY {
        html.raw("<div><dt>").raw(word).raw("<dd>").raw(meaning).raw("</div>\n");
    }
    html.raw("</dl></details>\n</section>\n");
}
