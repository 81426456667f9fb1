// Declared bots and real browsers of public corpora, as `classify --ruleset full` judges them, beside npm's isbot on the
// same agents: each agent is one click, a GET without an address, so nothing but the agent can speak.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import { isbot } from "isbot";
import { root } from "../../src/dev/run.mjs";

const require = createRequire(import.meta.url);
const SENT_MS = Date.UTC(2026, 10, 22, 12);
const HOUR_MS = 3_600_000;

// `user-agents` also holds a fleet that changes Chrome's version under the names of four devices which the developer
// tools simulate, with version numbers that were never released: that is no person's browser.
const FLEET =
  /(SM-G900P Build\/LRX21T|Pixel 2 Build\/OPD3|Nexus 5 Build\/MRA58N|iPhone OS 11_0 like).*Chrome\/(39|[45]\d|60)\./;

const CORPORA = [
  {
    name: "crawler-user-agents",
    machines: true,
    agents: require("crawler-user-agents").flatMap(({ instances }) => instances),
  },
  { name: "top-crawler-agents", machines: true, agents: require("top-crawler-agents") },
  { name: "top-user-agents", machines: false, agents: require("top-user-agents") },
  {
    name: "user-agents",
    machines: false,
    agents: require("../../node_modules/user-agents/dist/user-agents.json")
      .map(({ userAgent }) => userAgent)
      .filter((agent) => !FLEET.test(agent)),
  },
].map((corpus) => ({ ...corpus, agents: [...new Set(corpus.agents)] }));

test("declared bots are found and real browsers are not flagged", () => {
  const flagged = declared(CORPORA.flatMap(({ agents }) => agents));
  const rows = CORPORA.map(({ name, machines, agents }) => {
    const ours = agents.filter((agent) => flagged.has(agent)).length;
    const theirs = agents.filter((agent) => isbot(agent)).length;
    return { corpus: name, machines, agents: agents.length, ours, theirs };
  });
  console.log(table(rows));
  for (const { corpus, machines, agents, ours } of rows) {
    if (machines) assert.ok(ours >= agents * 0.97, `${corpus}: ${ours} of ${agents} found`);
    else assert.ok(ours <= agents * 0.001, `${corpus}: ${ours} of ${agents} flagged`);
  }
});

/** The agents that `classify` calls machines by the rule `declared`. */
function declared(agents) {
  const records = agents.map((user_agent, n) => ({
    event_id: `e${n}`,
    message_id: `m${n}`,
    recipient_id: "r",
    link_id: "l",
    sent_at_ms: SENT_MS,
    ts_ms: SENT_MS + HOUR_MS,
    method: "GET",
    user_agent,
  }));
  const args = ["run", "--quiet", "--bin", "clickproof", "--", "classify", "--ruleset", "full"];
  const input = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const run = spawnSync("cargo", args, { cwd: root, input, encoding: "utf8", maxBuffer: 1e9 });
  assert.equal(run.status, 0, run.stderr);
  const verdicts = run.stdout.trimEnd().split("\n").map(JSON.parse);
  assert.equal(verdicts.length, agents.length);
  return new Set(agents.filter((_, n) => verdicts[n].rule === "declared"));
}

function table(rows) {
  const rate = (count, agents) => `${((count / agents) * 100).toFixed(2)} %`;
  return [
    "| corpus | agents | should be | Clickproof | isbot |",
    "| --- | ---: | --- | ---: | ---: |",
    ...rows.map(({ corpus, machines, agents, ours, theirs }) =>
      [
        "",
        corpus,
        agents,
        machines ? "found" : "left alone",
        rate(ours, agents),
        rate(theirs, agents),
        "",
      ].join(" | "),
    ),
  ]
    .map((line) => line.trim())
    .join("\n");
}
