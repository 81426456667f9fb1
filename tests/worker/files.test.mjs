// What lies in the bucket, read by a warehouse: DuckDB by the page's own lines, and what `compact` makes of it.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { root } from "../../src/dev/run.mjs";
import {
  clickproof,
  clicksWhen,
  deliver,
  freshMessage,
  listClicks,
  parseLines,
  settledClicks,
  shippedEvents,
  stateDir,
} from "./clicks.mjs";
import { startWorker } from "./harness.mjs";
import { schema, violation } from "./schema.mjs";

const PAGE = readFileSync(path.join(root, "static/docs/data.md"), "utf8");

/** The page's block of code in that language that has that word in it. */
function pageBlock(language, word) {
  const blocks = [...PAGE.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(
    ([, name, text]) => name === language && text.includes(word),
  );
  assert.equal(blocks.length, 1, `${blocks.length} blocks of ${language} with ${word}`);
  return blocks[0][2];
}

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0, CLICK_REF_PARAM: "cp" } })));
after(() => worker.close());

/** A message with every kind of event, one click amended by its landing page: its id and all that was shipped of it. */
async function everyKind() {
  const message_id = freshMessage("kinds");
  const mint = (recipient_id, links) =>
    worker.mint({ message_id, recipient_id, sent_at_ms: Date.now() - 60_000, links });
  const url = "https://shop.example/";
  const { links } = await mint("r1", [
    { link_id: "one", url },
    { link_id: "pixel", kind: "open" },
    { link_id: "out", kind: "unsubscribe" },
    { link_id: "in", kind: "confirm", url },
  ]);
  const { links: others } = await mint("r2", [{ link_id: "one", url }]);
  const [click, open, unsubscribe] = links.map(({ href }) => href);
  const answer = await worker.click(click, { ip: "192.0.2.7", asn: 64496, country: "NL" });
  const reference = new URL(answer.headers.get("location")).searchParams.get("cp");
  await deliver(worker, message_id, [{ recipient_id: "r2", delivered_at_ms: Date.now() - 30_000 }]);
  await worker.click(others[0].href);
  await worker.click(open);
  const body = "List-Unsubscribe=One-Click";
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  assert.equal((await worker.click(unsubscribe, { method: "POST", body, headers })).status, 200);
  await settledClicks(worker, message_id, 4);
  await worker.request(`/verify?r=${reference}`, { method: "POST", body: "700" });
  await clicksWhen(worker, message_id, 4, ({ recipient_id, kind, verified }) =>
    recipient_id === "r1" && kind === "click" ? verified === "interacted" : true,
  );
  return { message_id, events: await shippedEvents(worker, message_id, 6) };
}

/** Writes the bucket's objects below a directory, as a copying tool does. */
async function fetchBucket(dir) {
  for (const [key, { text, uploaded }] of await worker.r2Objects()) {
    const file = path.join(dir, key);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    utimesSync(file, uploaded / 1000, uploaded / 1000);
  }
}

async function duckdb() {
  const connection = await (await DuckDBInstance.create()).connect();
  return {
    run: (sql) => connection.run(sql),
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson(),
  };
}

/** Of each event the highest revision, by id. */
function current(events) {
  const newest = new Map();
  for (const { event } of events) {
    if (!(newest.get(event.event_id)?.revision > event.revision)) newest.set(event.event_id, event);
  }
  return newest;
}

/** A row as the line has it: numbers of 64 bits come as text, and what a line lacks is null. */
function assertRow(row, event) {
  for (const [name, value] of Object.entries(row)) {
    const said = typeof event[name] === "number" ? Number(value) : value;
    if (name in schema.properties) assert.deepEqual(said, event[name] ?? null, `${name} of ${event.event}`);
  }
}

test("a day of events is read by the page's lines and by what compact writes, each in its last revision", async (t) => {
  const { message_id, events } = await everyKind();
  const newest = current(events);
  assert.ok(events.length > newest.size, "a verdict was amended");
  const kinds = new Set(events.map(({ event }) => event.event));
  assert.deepEqual([...kinds].toSorted(), ["click", "open", "unsubscribe", "verify"]);
  const dir = stateDir(t);
  await fetchBucket(dir);

  const db = await duckdb();
  const lines = pageBlock("sql", "read_json(");
  await db.run(lines.replaceAll("'events/", `'${dir}/events/`));
  const rows = await db.rows(`FROM clickproof_events WHERE message_id = '${message_id}'`);
  assert.equal(rows.length, newest.size);
  for (const row of rows) assertRow(row, newest.get(row.event_id));
  const [{ click_event_id }] = rows.filter(({ event }) => event === "verify");
  assert.equal(rows.filter(({ event_id }) => event_id === click_event_id).length, 1, "the click of the page");
  assert.ok(rows.some(({ delivered_at_ms }) => delivered_at_ms !== null));

  const ended = await clickproof([
    "compact",
    path.join(dir, "events"),
    "--output",
    path.join(dir, "compact"),
  ]);
  assert.equal(ended.status, 0, ended.stderr);
  const files = parseLines(ended.stdout);
  assert.equal(
    files.reduce((sum, { events }) => sum + events, 0),
    current(await worker.r2Events()).size,
  );
  const parquet = pageBlock("sql", "read_parquet(");
  await db.run(parquet.replaceAll("'compact/", `'${dir}/compact/`));
  const packed = await db.rows(
    `SELECT *, epoch_ms(ts) AS epoch FROM clickproof_days WHERE message_id = '${message_id}'`,
  );
  assert.equal(packed.length, newest.size);
  for (const row of packed) {
    const event = newest.get(row.event_id);
    assertRow(row, event);
    for (const name of Object.keys(event)) assert.ok(name in row, `${name} has a column`);
    assert.deepEqual([Number(row.epoch), row.extra], [event.ts_ms, null]);
    assert.equal(String(row.dt), new Date(event.ts_ms).toISOString().slice(0, 10));
  }
  const listed = await listClicks(worker, message_id);
  const clicks = packed.filter(({ kind }) => kind !== null);
  assert.deepEqual(
    clicks.map(({ event_id }) => event_id).toSorted(),
    listed.map(({ event_id }) => event_id),
  );
});

const TYPES = {
  string: ["VARCHAR", "String", "pl.String"],
  integer: ["BIGINT", "Int64", "pl.Int64"],
  boolean: ["BOOLEAN", "Bool", "pl.Boolean"],
  array: ["VARCHAR[]", "Array(String)", "pl.List(pl.String)"],
};

test("the page's lines give every column the schema's type", () => {
  for (const [at, [language, word, column]] of [
    ["sql", "read_json(", /"?(\w+)"?: '([^']+)'/g],
    [
      "sql",
      "JSONEachRow",
      /(?<=[\s'`])`?([a-z_]+)`? (?:Nullable\((\w+)\)|(String|Int64|Bool|Array\(String\)))/g,
    ],
    ["python", "scan_ndjson(", /"(\w+)": (pl\.[\w.()]+?)(?=[,\n}])/g],
  ].entries()) {
    const columns = [...pageBlock(language, word).matchAll(column)];
    assert.ok(columns.length >= 15, `${columns.length} columns with ${word}`);
    for (const [, name, ...types] of columns) {
      const { type } = schema.properties[name];
      assert.equal(types.find(Boolean), TYPES[[type].flat()[0]][at], `${name} with ${word}`);
    }
    for (const name of ["delivered_at_ms", "click_event_id", "revision"]) {
      assert.ok(
        columns.some((column) => column[1] === name),
        `${name} with ${word}`,
      );
    }
  }
});

test("an event that is not as the schema says is told so", () => {
  const event = { event: "alert", event_id: "x", revision: 1, ts_ms: 1, message_id: null };
  const right = { ...event, code: "c", severity: "info", text: "t" };
  assert.equal(violation({ ...right, of_a_later_version: [1] }), undefined);
  for (const [change, words] of [
    [{ revision: "1" }, /revision: "1" is no integer/],
    [{ ts_ms: 1.5 }, /ts_ms: 1.5 is no integer/],
    [{ event: "click" }, /0 of the alternatives hold/],
    [{ event: "other" }, /event: "other" is none of click,/],
    [{ is_bot: null }, /is_bot: null is no boolean/],
  ]) {
    assert.match(violation({ ...right, ...change }), words);
  }
  assert.match(violation(event), /code is absent/);
});
