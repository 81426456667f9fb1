// A send's page: what a naive tracker counts beside what people did, when, how soon, on what, of which part of the list; what to
// do next stands beside the plot that proves it.

import { NAMES, add, classOf, emptyStack, sumOf, total } from "./classes.mjs";
import { cell, clock, count, day, encoded, head, length, page, percent, text, time } from "./html.mjs";
import { axis, bars, label, legend, line, mark, picture, rowOf, table } from "./plot.mjs";
import { DAY_MS, stepMs, timelineOf } from "./timeline.mjs";
import { GLOSSARY, WEIGHTS } from "./words.mjs";

/** The most links or groups that a table lists; what others there are, it sums up. The CSV has all. */
const MOST_ROWS = 20;

/** The longest address that a table shows, characters. */
const MOST_URL = 96;

/** From so many days on the first one has a plot of its own. */
const MANY_DAYS = 7;

/** The most labels on an axis of times. */
const MOST_TICKS = 5;

/** Where findings are proved: by the section, their codes; what is named nowhere stands with the types. */
const PROOFS = {
  when: ["campaign_view", "fanout", "repeat", "more_correlated"],
  soon: [
    "safe_attachments",
    "safelinks_delivery",
    "air_or_mbi",
    "sweep",
    "more_sandboxed",
    "more_investigated",
  ],
  numbers: ["machine_only", "proxy_opens", "fewer_people"],
};

const sum = (items, field) => items.reduce((all, item) => all + item[field], 0);

/** What a page of /report leads to; its CSV lies beside it. */
const AMONG_ALL = { up: "/report", words: "All messages" };

/**
 * The page of a message's report, as of a time in Unix milliseconds. `words` says of each type of click what it was, `around` what the
 * page leads to.
 */
export function message(report, nowMs, words, around = AMONG_ALL) {
  let html = `<header>\n${heading(report, nowMs, around)}`;
  if (report.known) {
    html += `${numbers(report)}${next(report)}</header>\n<main>\n`;
    if (report.clicks > 0) html += times(report) + delays(report) + types(report, words) + links(report);
    html += groups(report) + further(report) + glossary();
  } else {
    html +=
      "<p>Nothing is known of this message: no link of it was clicked, and its sender has told nothing of it. Clicks show here " +
      "within moments; where you expect some, look whether this is the <code>message_id</code> with which its links were " +
      "minted.\n</header>\n<main>\n";
  }
  return page(report.title ?? report.message_id, html);
}

function heading(report, nowMs, around) {
  const { title, message_id, first_ms, last_ms, known_from_ms, known, unsettled, unreadable, clicks } =
    report;
  const facts = [
    ...(title === null ? [] : [text(message_id)]),
    ...(first_ms === null ? [] : [`first click or open ${time(first_ms)}, last ${time(last_ms)}`]),
    ...(known_from_ms ? [`what was before ${time(known_from_ms)} is not kept`] : []),
    `as of ${time(nowMs)} UTC`,
    ...(known ? [`<a href="${around.csv ?? `/report/${encoded(message_id)}.csv`}">Numbers as CSV</a>`] : []),
  ];
  const provisional =
    `<p><strong>${count(unsettled)} of ${count(clicks)} clicks are provisional.</strong> What they were may change until the ` +
    "clicks around them are known, about a minute after each; load this page again then.\n";
  const lost =
    `<p><strong>${count(unreadable)} could not be read.</strong> Storage of this message is damaged, or a later version wrote ` +
    "there: what these clicks were is in no number below. The log's <code>message.unreadable</code> says more, and " +
    "<code>reship</code> makes anew what can be.\n";
  return (
    `<nav><a href="${around.up}">${around.words}</a></nav>\n<h1>${text(title ?? message_id)}</h1>\n` +
    `<p class="soft">${facts.join(" · ")}\n${unsettled > 0 ? provisional : ""}${unreadable > 0 ? lost : ""}`
  );
}

function numbers(report) {
  const { sent, clicks, human_clicks, human_recipients, message_id } = report;
  const machines = clicks - human_clicks;
  const number = (kind, name, value, of) =>
    `<p class="${kind}"><span>${name}</span><strong>${sent > 0 ? percent(value, sent) : count(value)}</strong>` +
    `<span class="soft">${sent > 0 ? `${count(value)} ${of}, ${count(sent)} sent` : of}</span>\n`;
  let html =
    '<div class="numbers">\n' +
    number("naive", "As a naive tracker counts", clicks, "clicks, whoever made them") +
    number("people", "People", human_recipients, "recipients who clicked themselves") +
    "</div>\n";
  html +=
    clicks > 0
      ? `${line(10, human_clicks, clicks, clicks)}<p class="under">Machines made ${percent(machines, clicks)} of all clicks: ` +
        `${count(machines)} of ${count(clicks)}. People made ${count(human_clicks)}.\n`
      : "<p>Nobody and nothing has clicked yet.\n";
  if (!(sent > 0)) {
    html +=
      '<p class="soft">Tell how many the message was sent to, and both become rates: <code>PUT /v1/messages/' +
      `${encoded(message_id)}</code> with <code>{"sent": …}</code>.\n`;
  }
  return html;
}

/** All findings in a line each, the gravest first; each leads to the plot that proves it. */
function next({ diagnosis }) {
  if (diagnosis.length === 0) return "";
  // What was seen stands before the colon, what to do about it behind.
  const item = ({ code, severity, text: words }) =>
    `<li><b>${WEIGHTS[severity]}</b> <a href="#${text(code)}">${text(words.split(": ")[0])}</a>\n`;
  const items = gravestFirst(diagnosis).map(item);
  return `<nav class="next" aria-labelledby="next">\n<h2 id="next">What to do next</h2>\n<ul>\n${items.join("")}</ul>\n</nav>\n`;
}

const gravestFirst = (diagnosis) =>
  Object.keys(WEIGHTS).flatMap((weight) => diagnosis.filter(({ severity }) => severity === weight));

/** A section with its findings beside it, where there is room. */
function proved({ diagnosis }, place, title, content) {
  const named = Object.values(PROOFS).flat();
  const isHere = ({ code }) => (place === "types" ? !named.includes(code) : PROOFS[place].includes(code));
  const cards = gravestFirst(diagnosis)
    .filter(isHere)
    .map(
      ({ code, severity, text: words }) =>
        `<li class="${text(severity)}" id="${text(code)}"><b>${WEIGHTS[severity]}</b>${text(words)}\n`,
    );
  const beside = cards.length > 0 ? `<ul class="cards">\n${cards.join("")}</ul>\n` : "";
  const kind = beside ? ' class="two"' : "";
  return `<section>\n<h2>${title}</h2>\n<div${kind}>\n<div>\n${content}</div>\n${beside}</div>\n</section>\n`;
}

function times(report) {
  const minutes = report.timeline;
  if (minutes.length === 0) return "";
  const [firstMs, lastMs] = [minutes[0].ts_ms, minutes.at(-1).ts_ms];
  let plots = timePlot(minutes, "when", "Clicks over time");
  // On an axis of weeks the day on which most happens is a bar or two.
  if (lastMs - firstMs > MANY_DAYS * DAY_MS) {
    const firstDay = minutes.filter(({ ts_ms }) => ts_ms < firstMs + DAY_MS);
    plots = timePlot(firstDay, "day", "Clicks of the first day") + plots;
  }
  return proved(report, "when", "When", plots);
}

/** Some minutes as bars, with people's alone below them. `id` is the plot's own. */
function timePlot(minutes, id, title) {
  const [top, height, gap, below] = [28, 200, 36, 70];
  const { fromMs, untilMs, widthMs, stacks } = timelineOf(minutes);
  const all = rowOf(top, height, Math.max(...stacks.map(total)));
  const people = rowOf(top + height + gap, below, Math.max(...stacks.map(([human]) => human)));
  const bottom = people.top + below;
  const nameOf = (at) => time(fromMs + at * widthMs);
  const tickMs = stepMs(fromMs, untilMs, MOST_TICKS);
  let ticks = "";
  for (let ms = Math.ceil(fromMs / tickMs) * tickMs; ms <= untilMs; ms += tickMs) {
    const words = ms % DAY_MS === 0 ? day(ms) : clock(ms);
    ticks += label("x", ((ms - fromMs) / (untilMs - fromMs)) * 100, bottom + 18, words);
  }
  const shows =
    "Stacked bars of clicks by what made them, and below them people’s alone; the table has the same numbers.";
  const content =
    axis(all) +
    bars(all, stacks, [0, NAMES.length], nameOf) +
    label("", 0, all.top - 10, "All clicks") +
    axis(people) +
    bars(people, stacks, [0, 1], nameOf) +
    label("c0", 0, people.top - 10, "People alone") +
    ticks;
  return (
    `<figure>\n<figcaption><b>${title}</b>, ${time(fromMs)} to ${time(untilMs)} UTC, ${length(widthMs / 1_000)} a bar. People ` +
    "stand at the bottom, machines on top of them; below, people alone on a scale of their own.</figcaption>\n" +
    `${picture(id, bottom + 20, title, shows, content)}</figure>\n${legend(sumOf(stacks))}` +
    table(title, "From, UTC", stacks, nameOf)
  );
}

/** Where the published table draws its lines: seconds, and what they part. */
const BOUNDS = [
  [5, "5 s: before it, checks on delivery"],
  [60, "1 min: before it, sandboxes"],
  [3_600, "1 h: after it, late crawls"],
];

/** Which of the steps' ends the axis names, seconds; a phone has no room for the minor ones. */
const NAMED_ENDS = [
  [1, "x minor"],
  [5, "x"],
  [60, "x"],
  [600, "x minor"],
  [3_600, "x"],
  [86_400, "x"],
  [604_800, "x"],
];

function delays(report) {
  const [top, height, gap] = [78, 110, 40];
  const [second, bottom] = [top + height + gap, top + 2 * height + gap];
  const steps = report.delay;
  const stacks = steps.map(({ by_type }) => add(emptyStack(), by_type));
  const end = (seconds) => ((steps.findIndex(({ until_s }) => until_s === seconds) + 1) / steps.length) * 100;
  const nameOf = (at) => {
    const { from_s, until_s } = steps[at];
    return until_s === null ? `${length(from_s)} and more` : `${length(from_s)} to ${length(until_s)}`;
  };
  const people = rowOf(top, height, Math.max(...stacks.map(([human]) => human)));
  const machines = rowOf(second, height, Math.max(...stacks.map((stack) => total(stack) - stack[0])));
  const content = [
    axis(people),
    bars(people, stacks, [0, 1], nameOf),
    axis(machines),
    bars(machines, stacks, [1, NAMES.length], nameOf),
    ...BOUNDS.map(([seconds, words], at) => {
      const y = 12 + 16 * at;
      return mark(end(seconds), y + 4, bottom) + label("bound", end(seconds), y, words);
    }),
    ...NAMED_ENDS.map(([seconds, kind]) => label(kind, end(seconds), bottom + 18, length(seconds))),
    label("c0", 0, top - 8, "People"),
    label("", 0, second - 8, "Machines"),
  ].join("");
  const shows =
    "Two rows of bars on one axis of time that grows by steps, people above and machines below; the table below has the same " +
    "numbers.";
  return proved(
    report,
    "soon",
    "How soon after the mail",
    "<figure>\n<figcaption>Clicks by the time since the mail was delivered, else sent; each step is longer than the one before. " +
      "People and machines have scales of their own. The dashed lines are the bounds of the published table by which " +
      "Microsoft’s scanners are told apart.</figcaption>\n" +
      `${picture("soon", bottom + 20, "Clicks by the time since the mail", shows, content)}</figure>\n${legend(sumOf(stacks))}` +
      table("Clicks by the time since the mail", "Since the mail", stacks, nameOf),
  );
}

function types(report, words) {
  const { by_type, by_vendor, clicks } = report;
  const share = (number) => `${cell(number)}<td>${percent(number, clicks)}\n`;
  const rows = Object.entries(by_type)
    .filter(([, number]) => number > 0)
    .map(
      ([type, number]) =>
        `<tr><th scope="row"><i class="c${classOf(type)}"></i>${text(words[type] ?? type)}<small>${text(type)}</small>${share(number)}`,
    );
  let html = `${head(["What it was", "Clicks", "Share"])}${rows.join("")}</table>\n`;
  const vendors = Object.entries(by_vendor).toSorted(([, one], [, other]) => other - one);
  if (vendors.length > 0) {
    const row = ([vendor, number]) =>
      `<tr><th scope="row">${text(vendor)}${line(6, 0, number, vendors[0][1])}${share(number)}`;
    html += `<h3>Whose scanners</h3>\n${head(["Vendor", "Clicks", "Share"])}${vendors.map(row).join("")}</table>\n`;
  }
  return proved(report, "types", "What clicked", html);
}

/** Clicks of all and of people, with the line that shows them. */
const compared = (human, all, most) =>
  `${line(6, human, all, most)}${cell(all)}<td class="hm">${count(human)}`;

function links({ links }) {
  const most = links[0]?.clicks ?? 0;
  const row = ({ link_id, url, clicks, human_clicks, human_recipients }) => {
    const shown = url?.length > MOST_URL ? `${url.slice(0, MOST_URL)}…` : url;
    const address = url === null ? "" : `<small class="url">${text(shown)}</small>`;
    return `<tr><th scope="row">${text(link_id ?? "")}${address}${compared(human_clicks, clicks, most)}${cell(human_recipients)}\n`;
  };
  const others = links.slice(MOST_ROWS);
  const rest = sum(others, "clicks");
  return (
    '<section>\n<h2>Links</h2>\n<p class="soft">All clicks, and in blue those that people made.\n' +
    head(["Link", "Clicks", "People’s clicks", "People"]) +
    links.slice(0, MOST_ROWS).map(row).join("") +
    // Who clicked two of them would count twice.
    (others.length > 0
      ? `<tr><th scope="row">${count(others.length)} other links${compared(sum(others, "human_clicks"), rest, Math.max(most, rest))}<td>–\n`
      : "") +
    "</table>\n</section>\n"
  );
}

function groups({ by_group }) {
  const all = Object.entries(by_group).toSorted(([, one], [, other]) => other.clicks - one.clicks);
  if (all.length === 0) return "";
  const most = all[0][1].clicks;
  const row = ([name, { sent, clicks, human_clicks, human_recipients }]) =>
    `<tr><th scope="row">${text(name)}${line(6, human_clicks, clicks, Math.max(most, clicks))}${cell(sent)}${cell(clicks)}` +
    `${cell(human_clicks)}<td>${percent(clicks, sent)}${cell(human_recipients)}` +
    `<td class="hm">${percent(human_recipients, sent)}\n`;
  const others = all.slice(MOST_ROWS).map(([, group]) => group);
  const rest = {
    sent: others.some(({ sent }) => sent === null) ? null : sum(others, "sent"),
    clicks: sum(others, "clicks"),
    human_clicks: sum(others, "human_clicks"),
    human_recipients: sum(others, "human_recipients"),
  };
  return (
    '<section>\n<h2>Parts of the list</h2>\n<p class="soft">By the groups that the sender names.\n' +
    '<div class="wide" role="region" tabindex="0" aria-label="Parts of the list">' +
    head(["Group", "Sent", "Clicks", "People’s clicks", "As counted", "People", "Their rate"]) +
    all.slice(0, MOST_ROWS).map(row).join("") +
    (others.length > 0 ? row([`${count(others.length)} other groups`, rest]) : "") +
    "</table></div>\n</section>\n"
  );
}

function further(report) {
  const { by_confidence, opens, acts, verified, shadow } = report;
  const scanners = Object.entries(opens.by_type)
    .filter(([type]) => type.startsWith("scanner_"))
    .reduce((all, [, number]) => all + number, 0);
  const facts = [
    ["Verdicts that are certain", by_confidence.certain],
    ["Verdicts that are probable", by_confidence.probable],
    ["Recipients with a click", report.recipients],
    ["Recipients with machines’ clicks alone", report.machine_only_recipients],
    ["Recipients on Microsoft 365, by Safe Links", report.safe_links_recipients],
    ["Clicks of Defender’s five types", report.is_defender_bot],
    ["Clicks counted beyond those stored", report.repeats],
    ["Landing pages shown", verified.rendered],
    ["Landing pages touched by a person", verified.interacted],
    ["Opens", opens.total],
    ["Opens by mail providers’ proxies", opens.by_type.proxy_open ?? 0],
    ["Opens by scanners", scanners],
    ["Unsubscriptions", acts.unsubscribe],
    ["Confirmations", acts.confirm],
    ["Both of these, by machines", acts.machines],
  ];
  const list = facts.map(([name, number]) => `<div><dt>${name}<dd>${count(number)}</div>\n`).join("");
  const other = shadow
    ? `<p class="under">The shadow ruleset <code>${text(shadow.ruleset)}</code> would call ${count(shadow.differ)} of ` +
      `${count(shadow.clicks)} clicks something else: ${count(shadow.human_to_scanner)} of people’s would be machines’, ` +
      `${count(shadow.scanner_to_human)} of machines’ would be people’s.\n`
    : "";
  return proved(report, "numbers", "How sure, and what else", `<dl class="facts">\n${list}</dl>\n${other}`);
}

function glossary() {
  const words = GLOSSARY.map(([word, meaning]) => `<div><dt>${word}<dd>${meaning}</div>\n`).join("");
  return `<section>\n<details><summary>What the words mean</summary>\n<dl class="words">\n${words}</dl></details>\n</section>\n`;
}
