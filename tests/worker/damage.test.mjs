// Storage that is damaged while nobody looks: the object answers, tells of it, and mends what it can.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { SIX_URLS, mintCopy, report, settledClicks, shippedEvents, stateDir } from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

/** Changes the rows of the one object that has packs. */
function change(persist, statement) {
  const files = readdirSync(persist, { recursive: true }).filter((name) =>
    /[0-9a-f]{64}\.sqlite$/.test(name),
  );
  let changed = 0;
  for (const file of files) {
    const database = new DatabaseSync(path.join(persist, file));
    const packs = database.prepare("SELECT name FROM sqlite_master WHERE name = 'packs'").get();
    if (packs) changed += Number(database.prepare(statement).run().changes);
    database.close();
  }
  assert.equal(changed, 1, statement);
}

test("a broken pack and a record of another type are set aside, told of, and mended by reship", async (t) => {
  const persist = stateDir(t);
  let worker;
  t.after(() => worker?.close());
  const start = async () => (worker = await startWorker({ vars: { SETTLE_MS: 0 }, persist }));
  await start();
  const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS });
  await worker.click(hrefs[0]);
  await settledClicks(worker, message_id, 1);
  const [{ key }] = await shippedEvents(worker, message_id, 1);
  await worker.close();

  change(persist, "UPDATE packs SET body = 'damaged' WHERE number = 1");
  await start();
  let told = await report(worker, message_id);
  assert.deepEqual([told.clicks, told.unreadable], [0, 1]);
  const response = await worker.api(`/v1/messages/${message_id}/reship`, { method: "POST" });
  assert.deepEqual([response.status, await response.json()], [202, { events: 1 }]);
  await until(async () => (told = await report(worker, message_id)).unreadable === 0, { what: "the pack" });
  assert.equal(told.clicks, 1);
  const events = await shippedEvents(worker, message_id, 1);
  assert.deepEqual(
    events.map((event) => [event.key, event.event.revision]),
    [[key, 1]],
    "under its key",
  );
  const lines = worker.logs.filter(({ event }) => event === "message.unreadable");
  assert.ok(
    lines.some(({ error }) => /^pack 1: damaged; made anew/.test(error)),
    JSON.stringify(lines),
  );
  await worker.close();

  change(persist, "UPDATE batches SET first = substr(first, 1, 15)");
  await start();
  await worker.click(hrefs[1]);
  const clicks = await settledClicks(worker, message_id, 1);
  assert.equal(clicks[0].url, SIX_URLS[1]);
  told = await report(worker, message_id);
  assert.deepEqual([told.clicks, told.unreadable], [2, 1]);
});
