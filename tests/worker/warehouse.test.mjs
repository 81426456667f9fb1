// What the Worker ships, asked in SQL: the parts of `clickproof sql` over the bucket, as DuckDB reads it, against the API.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { clicks } from "../sql/clicks.mjs";
import {
  clickproof,
  deliver,
  freshMessage,
  listClicks,
  recordAt,
  report,
  settledClicks,
  shippedEvents,
  stateDir,
} from "./clicks.mjs";
import { startWorker } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0, RULESET: "defender" } })));
after(() => worker.close());

async function sql(part, ...flags) {
  const args = ["sql", "--dialect", "duckdb", "--part", part, ...flags];
  const { status, stdout, stderr } = await clickproof(args);
  assert.equal(status, 0, stderr);
  return stdout;
}

test("`current` is what the API lists, `report` what it counts, and `check` finds nothing", async (t) => {
  const message_id = freshMessage("warehouse");
  const told = new Map(clicks(9, 500).map((record) => [record.event_id, record]));
  // A look at the page of a link that acts is not stored, nor is a URL taken for a link's id.
  const isStored = ({ kind = "click", link_id }) => /click|open/.test(kind) && !link_id?.includes(":");
  const records = [...told.values()]
    .filter(isStored)
    .map(({ event_id: _event_id, ...record }) =>
      recordAt({ ...record, message_id, group: "de" }, record.ts_ms),
    );
  const body = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const response = await worker.api("/v1/records", { method: "POST", body });
  assert.equal(response.status, 202, await response.clone().text());
  const { stored } = await response.json();
  assert.equal(stored, records.length);
  await settledClicks(worker, message_id, stored);
  // Another clock: verdicts are amended.
  const { recipient_id, sent_at_ms } = records.find(({ delivered_at_ms }) => !delivered_at_ms);
  const { reissued } = await deliver(worker, message_id, [
    { recipient_id, delivered_at_ms: sent_at_ms + 1_000 },
  ]);
  const events = await shippedEvents(worker, message_id, stored + reissued);
  const listed = await listClicks(worker, message_id, "?limit=10000");
  assert.ok(events.length > listed.length, "amended");

  const dir = stateDir(t);
  for (const [key, { text }] of await worker.r2Objects()) {
    const file = path.join(dir, key);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const db = await (await DuckDBInstance.create()).connect();
  const rows = async (text) => (await db.runAndReadAll(text)).getRowObjectsJson();
  await db.run((await sql("source")).replaceAll("'events/", `'${dir}/events/`));
  await db.run(`CREATE VIEW newest AS\n${await sql("current")}`);

  const current = new Map((await rows("SELECT * FROM newest")).map((row) => [row.event_id, row]));
  assert.equal(current.size, listed.length);
  for (const click of listed) {
    const row = current.get(click.event_id);
    for (const [name, value] of Object.entries(click)) {
      // Numbers of 64 bits come as text.
      const said = typeof value === "number" ? Number(row[name]) : row[name];
      assert.deepEqual(said, value, `${name} of ${click.event_id}`);
    }
  }

  assert.deepEqual(await rows(await sql("check")), []);
  const others = await rows(await sql("check", "--sandbox-clicks", "1"));
  assert.ok(others.length > 0, "another count");
  const verdicts = await rows(await sql("defender", "--table", "newest"));
  for (const { event_id, click_type } of verdicts) {
    assert.equal(click_type, current.get(event_id).click_type, event_id);
  }

  const total = await report(worker, message_id);
  const counted = await rows(`SELECT SUM(clicks) AS clicks, SUM(human_clicks) AS people,
    SUM(defender_bot_clicks) AS bots, MIN("group") AS part FROM (${await sql("report")})`);
  const { clicks: all, people, bots, part } = counted[0];
  assert.deepEqual([all, people, bots].map(Number), [
    total.clicks,
    total.human_clicks,
    total.is_defender_bot,
  ]);
  assert.equal(part, "de");
  db.closeSync();
});
