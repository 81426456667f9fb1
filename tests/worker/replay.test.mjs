// A click that is told twice is one click: the edge asks again when an answer was lost, and operators replay what the
// log says was not recorded.

import assert from "node:assert/strict";
import { test } from "node:test";
import { freshMessage, mintCopy, recordIn, stateDir, tell, teller } from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

test("a click told again, before and after settling and a restart, changes nothing", async (t) => {
  const options = { persist: stateDir(t), vars: { SETTLE_MS: 0 }, workers: [teller] };
  const message_id = freshMessage("again");
  let worker;
  t.after(() => worker?.close());
  const lines = async () => (await worker.api(`/v1/messages/${message_id}/clicks`)).text();
  const answers = (...records) => tell(worker, message_id, records);

  worker = await startWorker(options);
  const { hrefs } = await mintCopy(worker, { message_id });
  await worker.click(hrefs[0]);
  const record = recordIn(await worker.waitForLog(({ event }) => event === "click.received"));
  await until(async () => (await lines()) !== "");
  assert.deepEqual(await answers(record, record), [204, 204]);

  const settled = await until(async () => {
    const text = await lines();
    return text.includes('"final":true') && text;
  });
  assert.deepEqual(await answers(record), [204]);
  assert.equal(await lines(), settled);
  await worker.close();

  worker = await startWorker(options);
  assert.deepEqual(await answers(record), [204]);
  assert.equal(await lines(), settled);
  assert.equal(settled.trim().split("\n").length, 1);

  // What is no click of its own time is refused, and the rest of the message stands.
  const bad = [{ ...record, ts_ms: record.ts_ms + 1 }, { event_id: record.event_id }];
  assert.deepEqual(await answers(...bad), [400, 400]);
  assert.equal(await lines(), settled);
});
