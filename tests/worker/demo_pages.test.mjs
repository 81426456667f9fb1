// The story says only what the clicks show. Pages are made from data and templates alone, so nothing runs here.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { campaign, fill, landing, mail, seconds, story, tenths } from "../../src/edge/pages/demo.mjs";

const FILES = Object.fromEntries(
  ["campaign", "landing", "mail", "record", "story"].map((name) => [
    name,
    readFileSync(new URL(`../../static/demo/${name}.html`, import.meta.url), "utf8"),
  ]),
);

const WORDS = {
  type: {},
  rule: { "full/human": "no rule for a scanner holds", "defender/human": "the table's last row" },
  reason: { "+first_seconds": "within ten seconds of the clock", "-navigated": "as a person's click" },
};

const listed = (changes) => ({
  kind: "click",
  ts_ms: 1_795_348_804_567,
  sent_at_ms: 1_795_348_800_000,
  link_id: "tea",
  method: "GET",
  ip: "192.0.2.1",
  user_agent: "Mozilla/5.0",
  click_type: "human",
  confidence: "probable",
  vendor: null,
  rule: "human",
  ruleset: "full@3",
  reasons: ["+first_seconds", "-navigated"],
  verified: "none",
  revision: 0,
  final: false,
  ...changes,
});

/** The story of some records; white space as a reader sees it. */
const told = (records, more = false) =>
  story(FILES, { message: "demo-x", final_after_ms: 1_500, more, records }, WORDS).replace(/\s+/g, " ");

test("slots are filled, and only marked ones with HTML", () => {
  const values = { a: `<b title="'&'">`, b: "{{a}}", c: "", d: null };
  for (const [template, expected] of [
    ["", ""],
    ["no slot } {", "no slot } {"],
    ["<i>{{a}}</i>", "<i>&lt;b title=&quot;&#39;&amp;&#39;&quot;&gt;</i>"],
    ["{{&a}}", `<b title="'&'">`],
    ["{{b}}{{&b}}", "{{a}}{{a}}"],
    ["x{{c}}y{{d}}{{unknown}}z", "xyz"],
  ]) {
    assert.equal(fill(template, values), expected, template);
  }
});

test("a mail has its links, a landing page leads to its story or back to a mail", () => {
  const links = ["tea", "cups", "shop", "pixel", "confirm", "unsubscribe"];
  const hrefs = Object.fromEntries(links.map((link) => [link, `https://x.example/${link}`]));
  const html = mail(FILES, { message: "demo-x", final_after_ms: 60_000, ...hrefs });
  for (const link of links) assert.match(html, new RegExp(`="https://x.example/${link}(\\.gif)?"`));
  assert.ok(html.includes('href="/demo/story?message=demo-x"') && !html.includes("{{"));
  assert.match(html, /the final one 60 s later/);
  assert.ok(landing(FILES, { message: "demo-x" }).includes('href="/demo/story?message=demo-x"'));
  assert.ok(landing(FILES, { message: "" }).includes('class="button" href="/demo"'));
});

test("a story says who it was, how sure and why", () => {
  for (const [changes, expected] of [
    [
      {},
      [
        '<b class="person">A person</b>',
        "<code>human</code>",
        "probable, provisional, revision 0",
        "final 1.5 s after its request",
        "click of <code>tea</code> at 12:00:04 UTC, 4.5 s after the send",
        "Nothing is known of the page behind it yet.",
        "Rule <code>human</code>: no rule for a scanner holds.",
        '<b class="scanner">for a scanner</b> within ten seconds of the clock',
        '<b class="person">for a person</b> as a person&#39;s click',
        "GET from 192.0.2.1 by Mozilla/5.0",
      ],
    ],
    [
      { verified: "rendered", final: true, revision: 2 },
      ["probable, final, revision 2", "was shown; nobody has touched it yet"],
    ],
    [{ verified: "interacted" }, ["Somebody touched the page behind it."]],
    [{ ruleset: "defender@1" }, ["Rule <code>human</code>: the table&#39;s last row."]],
    [
      { click_type: "scanner_safe_attachments", vendor: "microsoft", reasons: ["+sandbox_burst"] },
      [
        '<b class="scanner">A scanner</b> <code>scanner_safe_attachments</code> microsoft',
        '<b class="scanner">for a scanner</b> sandbox burst',
      ],
    ],
    [
      { kind: "open", click_type: "proxy_open", vendor: "google", rule: "image_proxy" },
      [
        '<b class="nobody">An image proxy, for somebody or for nobody</b>',
        "Rule <code>image_proxy</code>: an image proxy, or a privacy prefetch",
      ],
    ],
    [
      { click_type: null, rule: "not_a_click", reasons: [] },
      ['<b class="nobody">Not judged</b>', "judges clicks alone"],
    ],
  ]) {
    const html = told([listed(changes)]);
    for (const words of expected) assert.ok(html.includes(words), `${words}: ${html}`);
  }
  assert.ok(!told([listed({ kind: "open" })]).includes("the page behind it"), "an open leads nowhere");
});

test("a story tells every request in order, its totals, and when there are none", () => {
  const records = [
    listed({ link_id: "first" }),
    listed({ click_type: "scanner_sweep" }),
    listed({ click_type: "scanner_gateway" }),
    listed({ kind: "open" }),
    listed({ kind: "unsubscribe" }),
    listed({ kind: "confirm", click_type: "scanner_sweep", link_id: "last" }),
  ];
  const html = told(records);
  assert.equal(html.split('<li class="record">').length, 7);
  assert.ok(html.indexOf("first") < html.indexOf("last"));
  for (const [term, number] of [
    ["Clicks, as a naive tracker counts", 3],
    ["People’s", 1],
    ["Scanners’", 2],
    ["Opens", 1],
    ["Buttons pressed", 2],
  ]) {
    assert.ok(html.includes(`${term}</dt> <dd>${number}</dd>`), `${term}: ${html}`);
  }
  assert.match(told(records, true), /The first hundred requests/);
  assert.match(told([]), /Nothing has come yet.*/);
});

test("what is only this machine's speaks against nobody", () => {
  const html = told([listed({ reasons: ["+old_protocol", "-navigated"] })]);
  assert.ok(!html.includes(">for a scanner<") && html.includes(">for a person<"), html);
});

test("a campaign is told as a naive tracker counts, and as people clicked", () => {
  const report = {
    message_id: "demo-campaign",
    sent: 8_000,
    clicks: 3_839,
    recipients: 1_583,
    human_clicks: 1_237,
    human_recipients: 1_038,
    unsettled: 0,
  };
  const page = campaign(FILES, report);
  for (const words of [
    "8,000 people got",
    ">48.0 %<",
    ">13.0 %<",
    ">3,839<",
    ">1,237<",
    ">1,583<",
    ">1,038<",
    "2,602 clicks were machines’",
    'href="/demo/report"',
    'href="/demo/story?message=demo-campaign"',
  ]) {
    assert.ok(page.includes(words), `${words}: ${page}`);
  }
  for (const words of ["provisional", "no campaign here", "{{"]) assert.ok(!page.includes(words), words);
  assert.match(campaign(FILES, { ...report, unsettled: 1_500 }), /1,500 verdicts are provisional still\./);
  const nothing = campaign(FILES, { ...report, clicks: 0, sent: null });
  assert.match(nothing, /There is no campaign here yet/);
  assert.match(nothing, /not known/);
});

test("shares have tenths, times are a clock's", () => {
  for (const [part, whole, expected] of [
    [0, 7, "0.0 %"],
    [1, 3, "33.3 %"],
    [3, 3, "100.0 %"],
    [9, 3, "300.0 %"],
    [1, 0, "not known"],
    [1, null, "not known"],
  ]) {
    assert.equal(tenths(part, whole), expected);
  }
  for (const [ms, expected] of [
    [0, "0 s"],
    [60_000, "60 s"],
    [4_567, "4.5 s"],
    [99, "0 s"],
    [-1_500, "-1.5 s"],
  ]) {
    assert.equal(seconds(ms), expected);
  }
});

test("what visitors sent is text", () => {
  const evil = `<script>alert('"{{&records}}"')</script>`;
  for (const name of ["ip", "user_agent", "method", "link_id", "kind", "vendor", "rule", "click_type"]) {
    const html = told([listed({ click_type: "scanner_gateway", reasons: [evil], [name]: evil })]);
    assert.ok(!html.includes("<script>"), `${name}: ${html}`);
    assert.ok(html.includes("alert("), name);
  }
});
