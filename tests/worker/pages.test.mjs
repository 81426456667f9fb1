// The report's pages say what the report says, of any report, and nothing that others sent is more than text. They are made from
// data alone, so nothing runs here; how they look is tests/browser's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { csv } from "../../src/edge/pages/csv.mjs";
import { count, encoded, iso, length, percent, time } from "../../src/edge/pages/html.mjs";
import { list } from "../../src/edge/pages/list.mjs";
import { message } from "../../src/edge/pages/message.mjs";
import { axis, bars, roundUp, rowOf } from "../../src/edge/pages/plot.mjs";
import { timelineOf } from "../../src/edge/pages/timeline.mjs";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NOON_MS = Date.UTC(2026, 2, 12, 12);
const NOW_MS = NOON_MS + 10 * DAY_MS;

const NASTY = "=\"><script>alert('x')</script>&amp;,\n";
const NASTY_AS_TEXT = "=&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;,\n";

/** Where the steps since the mail end, seconds, as the report has them. */
const ENDS_S = [
  1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 172_800,
  259_200, 604_800, 1_209_600, 2_592_000,
];

/** Of a campaign's thousand clicks, how many each type has, in which second after the mail they begin, how long they last. */
const CAMPAIGN = {
  human: [131, 40, 780_000],
  scanner_safelinks_delivery: [62, 0, 5],
  scanner_timeofclick: [48, 40, 200_000],
  scanner_safe_attachments: [312, 3, 55],
  scanner_campaign_view: [71, 9_000, 60],
  scanner_air_or_mbi: [9, 30_000, 150_000],
  scanner_declared: [10, 100, 5_000],
  scanner_gateway: [188, 5, 600],
  scanner_sweep: [72, 2, 1_800],
  scanner_fanout: [20, 300, 90],
  scanner_headless: [54, 20, 90_000],
  scanner_repeat: [23, 4_000, 1_800],
};

const WORDS = Object.fromEntries(Object.keys(CAMPAIGN).map((type) => [type, `Words of ${type}`]));

const steps = (byStep) =>
  [0, ...ENDS_S].map((from_s, at) => ({ from_s, until_s: ENDS_S[at] ?? null, by_type: byStep[at] ?? {} }));

/** A message of which nothing is known. */
const unknown = () => ({
  message_id: "spring:2026",
  title: null,
  sent: null,
  known: false,
  first_ms: null,
  last_ms: null,
  clicks: 0,
  by_type: Object.fromEntries(Object.keys(CAMPAIGN).map((type) => [type, 0])),
  human_clicks: 0,
  human_recipients: 0,
  recipients: 0,
  machine_only_recipients: 0,
  safe_links_recipients: 0,
  is_defender_bot: 0,
  unsettled: 0,
  unreadable: 0,
  repeats: 0,
  rates: { clicks_per_sent: null, human_recipients_per_sent: null, machine_share: null },
  by_vendor: {},
  by_confidence: { certain: 0, probable: 0 },
  by_group: {},
  links: [],
  timeline: [],
  delay: steps({}),
  opens: { total: 0, by_type: {} },
  acts: { unsubscribe: 0, confirm: 0, machines: 0 },
  verified: { rendered: 0, interacted: 0 },
  diagnosis: [],
});

/** One click, by a person, seven minutes after the mail. */
const oneClick = () => ({
  ...unknown(),
  known: true,
  first_ms: NOON_MS,
  last_ms: NOON_MS,
  clicks: 1,
  by_type: { ...unknown().by_type, human: 1 },
  human_clicks: 1,
  human_recipients: 1,
  recipients: 1,
  by_confidence: { certain: 0, probable: 1 },
  links: [{ link_id: "hero", url: null, clicks: 1, human_clicks: 1, human_recipients: 1 }],
  timeline: [{ ts_ms: NOON_MS, by_type: { human: 1 } }],
  delay: steps({ 9: { human: 1 } }),
});

const FINDINGS = [
  ["safe_attachments", "warning", "Safe Attachments detonated 31,200 links (31.2 %): clean the HTML."],
  ["timeofclick", "info", "Safe Links checked 4,410 recipients’ clicks: that is normal."],
  [
    "campaign_view",
    "warning",
    "Microsoft fetched one link for many at once (7,100 clicks): watch for blocks.",
  ],
  ["air_or_mbi", "critical", "Microsoft crawled links long after delivery (900 clicks): pause."],
  ["machine_only", "warning", "31,359 recipients have machines’ clicks alone: leave them out."],
  ["of_tomorrow", "info", "What a later version finds"],
].map(([code, severity, text]) => ({ code, severity, text }));

/** A campaign of a hundred thousand clicks, of all kinds. */
function campaign() {
  const report = {
    ...oneClick(),
    title: "Spring: new arrivals & <old> favourites",
    sent: 250_000,
    last_ms: NOON_MS + 780_000_000,
    clicks: 100_000,
    human_clicks: 13_100,
    human_recipients: 9_871,
    recipients: 41_230,
    machine_only_recipients: 31_359,
    safe_links_recipients: 4_410,
    unsettled: 1_204,
    by_vendor: { barracuda: 3_100, microsoft: 50_200, mimecast: 6_020, proofpoint: 9_680 },
    by_confidence: { certain: 71_020, probable: 28_980 },
    opens: { total: 88_000, by_type: { human: 30_000, scanner_gateway: 8_000, proxy_open: 50_000 } },
    acts: { unsubscribe: 212, confirm: 0, machines: 17 },
    verified: { rendered: 2_100, interacted: 5_400 },
    diagnosis: FINDINGS,
    shadow: {
      ruleset: "full@4",
      clicks: 100_000,
      differ: 120,
      human_to_scanner: 80,
      scanner_to_human: 20,
      changes: [],
    },
  };
  const byStep = {};
  const byMinute = {};
  const links = Array.from({ length: 30 }, () => [0, 0]);
  const groups = ["gmail.com", "microsoft", "own-domain", "university", "yahoo"].map((name) => [name, {}]);
  const one = (counts, type) => (counts[type] = (counts[type] ?? 0) + 1);
  for (const [type, [perMille, begin, lasts]] of Object.entries(CAMPAIGN)) {
    const all = perMille * 100;
    for (let at = 0; at < all; at++) {
      // The many come first, and few late.
      const second = Math.floor(begin + (at / all) ** 4 * lasts);
      const step = ENDS_S.findIndex((end) => second < end);
      one((byStep[step] ??= {}), type);
      one((byMinute[Math.floor(second / 60)] ??= {}), type);
      one(groups[Math.floor(((at % 5) * (at % 3)) / 2)][1], type);
      const link = links[at % 30];
      link[0] += 1;
      link[1] += type === "human" ? 1 : 0;
    }
    report.by_type[type] = all;
  }
  report.delay = steps(byStep);
  report.timeline = Object.entries(byMinute).map(([minute, by_type]) => ({
    ts_ms: NOON_MS + minute * MINUTE_MS,
    by_type,
  }));
  report.links = links.map(([clicks, human_clicks], at) => ({
    link_id: `link-${at}`,
    url: `https://shop.example/spring/${at}?utm_source=mail&utm_campaign=spring-2026`,
    clicks,
    human_clicks,
    human_recipients: Math.floor(human_clicks * 0.9),
  }));
  report.by_group = Object.fromEntries(
    groups.map(([name, by_type]) => [
      name,
      {
        // The sender has not told of all.
        sent: name === "university" ? null : 50_000,
        clicks: Object.values(by_type).reduce((sum, number) => sum + number, 0),
        human_clicks: by_type.human,
        human_recipients: Math.floor(by_type.human * 0.75),
        by_type,
      },
    ]),
  );
  return report;
}

const page = (report) => message(report, NOW_MS, WORDS);

/** How often something stands in a text. */
const times = (text, what) => text.split(what).length - 1;

/** What stands between two marks, the first time. */
function between(text, begin, end) {
  assert.ok(text.includes(begin), `${begin} is there`);
  return text.split(begin)[1].split(end)[0];
}

const read = (number) => {
  assert.match(number, /^[\d,]+$/);
  return Number(number.replaceAll(",", ""));
};

/** The sums of a table's columns below a plot. */
function columnSums(html, name) {
  const body = between(html, `aria-label="${name}">`, "</table>").split("<tbody>")[1];
  const rows = body.split("<tr>").slice(1);
  const numbers = rows.map((row) => row.trim().split("<td>").slice(1).map(read));
  return numbers.reduce((sums, row) => sums.map((sum, at) => sum + row[at]));
}

test("numbers and times are for people to read", () => {
  for (const [number, expected] of [
    [0, "0"],
    [999, "999"],
    [1_000, "1,000"],
    [12_345_678, "12,345,678"],
    [-1_200, "−1,200"],
    [null, "–"],
  ]) {
    assert.equal(count(number), expected);
  }
  for (const [part, whole, expected] of [
    [0, 0, "–"],
    [1, null, "–"],
    [0, 7, "0 %"],
    [1, 1_000_000, "&lt; 0.01 %"],
    [4, 10_000, "0.04 %"],
    [99, 10_000, "0.99 %"],
    [1, 100, "1.0 %"],
    [321, 10_000, "3.2 %"],
    [99_994, 100_000, "99.9 %"],
    [1, 1, "100 %"],
    [14, 10, "140 %"],
    [123_456, 10, "1,234,560 %"],
  ]) {
    assert.equal(percent(part, whole), expected.replace(" %", "\u00a0%"), `${part} of ${whole}`);
  }
  assert.equal(time(NOON_MS - 166 * MINUTE_MS), "12 Mar 2026, 09:14");
  assert.equal(iso(NOON_MS), "2026-03-12T12:00Z");
  assert.deepEqual([5, 60, 5_400, 172_800].map(length), ["5 s", "1 min", "1 h", "2 d"]);
  assert.equal(encoded("a-b_c.d~9@+=$!:/?'(*)"), "a-b_c.d~9%40%2B%3D%24%21%3A%2F%3F%27%28%2A%29");
});

test("a timeline of any length has at most 240 bars and every click", () => {
  assert.equal(timelineOf([]), null);
  for (const [spanMin, widthMin] of [
    [0, 1],
    [239, 1],
    [240, 2],
    [3_000, 15],
    [10_000, 60],
    [130_000, 720],
    [240 * 1_440, 2_880],
    [3_000_000, 23_040],
  ]) {
    const minutes = Array.from({ length: 1_001 }, (_, at) => ({
      ts_ms: NOON_MS + Math.floor((at * spanMin) / 1_000) * MINUTE_MS,
      by_type: { human: at % 7, scanner_sweep: at % 3 },
    }));
    const { fromMs, untilMs, widthMs, stacks } = timelineOf(minutes);
    assert.equal(widthMs, widthMin * MINUTE_MS, `${spanMin}`);
    assert.ok(stacks.length >= 30 && stacks.length <= 240, `${spanMin}: ${stacks.length}`);
    const sums = [0, 6].map((kind) => stacks.reduce((sum, stack) => sum + stack[kind], 0));
    assert.deepEqual(sums, [3_003, 1_000], `${spanMin}`);
    assert.ok(fromMs <= NOON_MS && NOON_MS < fromMs + widthMs);
    assert.ok(untilMs > NOON_MS + spanMin * MINUTE_MS);
  }
});

test("a bar is as high as its sum, and one click among many is seen", () => {
  const heights = (highest, stack) =>
    [
      ...bars(rowOf(0, 200, highest), [stack], [0, 8], () => "").matchAll(/class="c(\d)".*?height="(\d+)"/g),
    ].map(([, kind, height]) => [Number(kind), Number(height)]);
  assert.deepEqual(heights(100, [10, 0, 20, 0, 0, 0, 0, 70]), [[0, 20], [2, 40], [7, 140]]); // prettier-ignore
  assert.deepEqual(heights(100_000, [1, 99_999, 0, 0, 0, 0, 0, 0]), [[0, 1], [1, 199]]); // prettier-ignore
  assert.deepEqual(heights(100_000, [0, 0, 0, 1, 0, 0, 0, 0]), [[3, 1]]);
  assert.deepEqual(heights(100, [0, 0, 0, 0, 0, 0, 0, 0]), []);
  assert.deepEqual([0, 1, 3, 5, 11, 4_001, 97_000].map(roundUp), [1, 1, 4, 6, 20, 6_000, 100_000]);
  // Half a click has no line.
  assert.deepEqual(
    [1, 4].map((highest) => times(axis(rowOf(0, 200, highest)), "<line")),
    [2, 3],
  );
});

test("what others sent is only ever text", () => {
  const report = campaign();
  report.message_id = NASTY;
  report.title = NASTY;
  report.by_vendor = { [NASTY]: 1 };
  report.by_type = { ...report.by_type, [NASTY]: 1 };
  report.by_group = { [NASTY]: report.by_group.yahoo };
  report.links[0].link_id = NASTY;
  report.links[0].url = NASTY;
  report.diagnosis = [{ code: NASTY, severity: "info", text: NASTY }];
  report.shadow.ruleset = NASTY;
  const html = page(report);
  // Title, heading and what stands below it; a type's words and its name; vendor, group, a link and its address; a finding twice,
  // its name twice; the ruleset.
  assert.equal(times(html, NASTY_AS_TEXT), 14);
  const path = "/report/%3D%22%3E%3Cscript%3Ealert%28%27x%27%29%3C%2Fscript%3E%26amp%3B%2C%0A";
  assert.ok(html.includes(`<a href="${path}.csv">`));
  const listed = list({ messages: [report], next: NASTY });
  assert.ok(listed.includes(`<a href="${path}">${NASTY_AS_TEXT}</a>`), listed);
  assert.ok(listed.includes('href="/report?after=%3D%22%3E%3Cscript'));
  for (const text of [html, listed, page(unknown()), page(campaign()), list({ messages: [] })]) {
    for (const what of ["<script", "<style", " style=", "<img", " src=", "<form", 'href="http']) {
      assert.equal(times(text, what), 0, what);
    }
    for (const what of ["<h1>", "</h1>", "<header>", "</header>", "<main>", "</main>", "</html>"]) {
      assert.equal(times(text, what), 1, what);
    }
  }
});

test("the two numbers are rates where it is known of what", () => {
  const html = page(campaign());
  const naive = between(html, '<p class="naive">', "<p ");
  assert.ok(naive.includes("<strong>40.0\u00a0%</strong>") && naive.includes("100,000 clicks"), naive);
  const people = between(html, '<p class="people">', "</div>");
  assert.ok(people.includes("<strong>3.9\u00a0%</strong>") && people.includes("9,871 recipients"), people);
  assert.ok(html.includes("Machines made 86.9\u00a0% of all clicks: 86,900 of 100,000. People made 13,100."));
  assert.equal(times(html, "both become rates"), 0);
  for (const sent of [null, 0]) {
    const counted = page({ ...campaign(), sent });
    assert.ok(counted.includes("<strong>100,000</strong>") && counted.includes("<strong>9,871</strong>"));
    assert.ok(counted.includes("both become rates: <code>PUT /v1/messages/spring%3A2026</code>"));
  }
});

test("plots and their tables say what the report says", () => {
  const report = campaign();
  const html = page(report);
  // By class, as some types share one, then all.
  const expected = [13_100, 11_000, 31_200, 7_100, 900, 18_800, 11_500, 6_400, 100_000];
  assert.deepEqual(columnSums(html, "Clicks over time"), expected);
  assert.deepEqual(columnSums(html, "Clicks by the time since the mail"), expected);
  const early = report.timeline.filter(({ ts_ms }) => ts_ms < NOON_MS + DAY_MS);
  const firstDay = early
    .flatMap(({ by_type }) => Object.values(by_type))
    .reduce((sum, number) => sum + number);
  const day = columnSums(html, "Clicks of the first day");
  assert.equal(day[8], firstDay);
  // What the bars themselves say: all clicks over time, and people's once more; each once since the mail.
  for (const [id, all] of [
    ["when", 100_000 + 13_100],
    ["day", firstDay + day[0]],
    ["soon", 100_000],
  ]) {
    const svg = between(html, `aria-labelledby="${id}-t ${id}-d">`, "</svg>");
    const said = [...svg.matchAll(/<g><title>[^<]*?: ([^<]*)<\/title>/g)];
    const numbers = said.flatMap(([, bar]) => bar.split(", ")).map((words) => read(words.split(" ").at(-1)));
    assert.equal(numbers.reduce((sum, number) => sum + number), all, id); // prettier-ignore
    assert.ok(said.length > 10, id);
  }
  const week = report.timeline.filter(({ ts_ms }) => ts_ms < NOON_MS + 7 * DAY_MS);
  assert.equal(
    times(page({ ...report, timeline: week }), "Clicks of the first day"),
    0,
    "one axis is enough",
  );
  for (const [type, number] of Object.entries(report.by_type)) {
    const shown = `</i>Words of ${type}<small>${type}</small><td>${count(number)}<td>`;
    assert.equal(times(html, shown), 1, type);
  }
});

test("a table of many sums up the rest", () => {
  const report = campaign();
  report.links[0].url = `https://shop.example/${"ä".repeat(500)}`;
  for (let at = 0; at < 40; at++) {
    report.by_group[`small-${at}`] = {
      sent: 1,
      clicks: 1,
      human_clicks: 0,
      human_recipients: 0,
      by_type: {},
    };
  }
  const html = page(report);
  const links = between(html, "<h2>Links</h2>", "</table>").split('<tr><th scope="row">').slice(1);
  assert.equal(links.length, 20 + 1);
  assert.ok(links[20].startsWith("10 other links"), links[20]);
  assert.equal(links.reduce((sum, row) => sum + read(between(row, "<td>", "<td")), 0), 100_000); // prettier-ignore
  assert.ok(links[0].includes(`<small class="url">https://shop.example/${"ä".repeat(75)}…</small>`));
  assert.ok(between(html, "25 other groups", "\n").includes("<td>25<td>25<td>0<td>100\u00a0%<td>0"));
});

test("every finding stands once beside a plot, the gravest first, and is led to", () => {
  const html = page(campaign());
  for (const { code, text } of FINDINGS) {
    assert.equal(times(html, `<a href="#${code}">${text.split(": ")[0]}</a>`), 1, code);
    assert.equal(times(html, ` id="${code}">`), 1, code);
    assert.equal(times(html, `</b>${text}\n`), 1, code);
  }
  const order = (mark) => [...html.matchAll(mark)].map(([, code]) => code);
  assert.deepEqual(order(/<a href="#(.*?)"/g), [
    "air_or_mbi",
    "safe_attachments",
    "campaign_view",
    "machine_only",
    "timeofclick",
    "of_tomorrow",
  ]);
  const cards = between(html, "<h2>How soon after the mail</h2>", "</section>");
  assert.ok(cards.indexOf("Act now") < cards.indexOf("Before the next send"));
  const ids = order(/ id="(.*?)"/g);
  assert.equal(new Set(ids).size, ids.length, "an id is one element's");
});

test("a report of little is a page of little", () => {
  const nothing = page(unknown());
  assert.ok(nothing.includes("<h1>spring:2026</h1>") && nothing.includes("Nothing is known of this message"));
  assert.deepEqual([times(nothing, "<section>"), times(nothing, ".csv")], [0, 0]);
  const told = page({ ...unknown(), known: true, sent: 10 });
  assert.ok(
    told.includes("Nobody and nothing has clicked yet") && told.includes("<strong>0\u00a0%</strong>"),
  );
  assert.equal(times(told, "<svg"), 0);
  const one = page(oneClick());
  assert.deepEqual(columnSums(one, "Clicks over time"), [1, 1]);
  assert.deepEqual(columnSums(one, "Clicks by the time since the mail"), [1, 1]);
  assert.equal(times(one, "<small>scanner_"), 0, "types without a click are left out");
  assert.equal(times(one, "provisional.</strong>"), 0);
  const fresh = page({ ...oneClick(), unsettled: 1 });
  assert.ok(fresh.includes("1 of 1 clicks are provisional.</strong>"));
  assert.equal(times(fresh, "could not be read"), 0);
  const damaged = page({ ...oneClick(), unreadable: 2_000 });
  assert.ok(damaged.includes("<strong>2,000 could not be read.</strong>"));
  assert.ok(fresh.includes("as of 22 Mar 2026, 12:00 UTC"));
});

test("the list leads to each message and on", () => {
  const silent = { message_id: "silent" };
  const html = list({ messages: [campaign(), oneClick(), silent], next: "1773316800000.spring:2026" });
  for (const part of [
    '<a href="/report/spring%3A2026">Spring: new arrivals &amp; &lt;old&gt; favourites</a>',
    "<small>12 Mar 2026 · 250,000 sent · 100,000 clicks</small>",
    '<td>40.0\u00a0%<td class="hm">3.9\u00a0%<td>86.9\u00a0%',
    ">spring:2026</a><small>12 Mar 2026 · 1 click</small>",
    '<td>1<small>click</small><td class="hm">1<small>person</small><td>0\u00a0%',
    '<a href="/report/silent">silent</a>',
    '<a rel="next" href="/report?after=1773316800000.spring%3A2026">',
  ]) {
    assert.ok(html.includes(part), `${part} in ${html}`);
  }
  assert.equal(times(list({ messages: [campaign()] }), "?after="), 0);
  assert.ok(list({ messages: [] }).includes("<code>POST /v1/links</code>"));
});

test("the CSV of a click is every number of it", () => {
  const report = { ...oneClick(), title: '-1+"x", y' };
  const zeros = Object.keys(CAMPAIGN).slice(1);
  assert.deepEqual(csv(report).split("\r\n"), [
    "section,name,detail,sent,recipients,human_recipients,clicks,human_clicks",
    'message,spring:2026,"\'-1+""x"", y",,1,1,1,1',
    "time,first,2026-03-12T12:00Z,,,,,",
    "time,last,2026-03-12T12:00Z,,,,,",
    "count,unsettled,,,,,0,",
    "count,unreadable,,,,,0,",
    "count,repeats,,,,,0,",
    "count,is_defender_bot,,,,,0,",
    "count,machine_only_recipients,,,0,,,",
    "count,safe_links_recipients,,,0,,,",
    "type,human,,,,,1,",
    ...zeros.map((type) => `type,${type},,,,,0,`),
    "confidence,certain,,,,,0,",
    "confidence,probable,,,,,1,",
    "link,hero,,,,1,1,1",
    "minute,2026-03-12T12:00Z,human,,,,1,",
    "delay,300,human,,,,1,",
    "open,total,,,,,0,",
    "act,unsubscribe,,,,,0,",
    "act,confirm,,,,,0,",
    "act,machines,,,,,0,",
    "verified,rendered,,,,,0,",
    "verified,interacted,,,,,0,",
    "",
  ]);
});

test("the CSV adds up and holds no formula", () => {
  const report = campaign();
  const begins = ["=", "+", "-", "@", "\t", "\r", "\n"];
  begins.forEach((begin, at) => (report.links[at].link_id = `${begin}HYPERLINK("x")`));
  const text = csv(report);
  // As RFC 4180 has it: a cell is quoted, or without any of what needs it; CRLF ends a line.
  const cells = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy;
  const records = [[]];
  for (const [, cell, end] of text.matchAll(cells)) {
    records.at(-1).push(cell.replace(/^"|"$/g, "").replaceAll('""', '"'));
    if (end !== ",") records.push([]);
  }
  assert.deepEqual(records.pop(), []);
  assert.ok(records.every((record) => record.length === 8));
  const sum = (section, column) =>
    records.filter(([name]) => name === section).reduce((all, record) => all + Number(record[column]), 0);
  for (const section of ["message", "type", "confidence", "link", "group", "group_type", "minute", "delay"]) {
    assert.equal(sum(section, 6), 100_000, section);
  }
  for (const section of ["message", "link", "group"]) assert.equal(sum(section, 7), 13_100, section);
  assert.deepEqual([sum("vendor", 6), sum("message", 3), sum("open", 6)], [69_000, 250_000, 176_000]);
  assert.ok(records.flat().every((cell) => !/^[=+\-@\t\r\n]/.test(cell)));
  assert.equal(records.filter(([, name]) => name.startsWith("'")).length, begins.length);
});
