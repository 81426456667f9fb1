// A click that is told twice is one click: the edge asks again when an answer was lost, and operators replay what the
// log says was not recorded.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { recordIn } from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

test("a click told again, before and after settling and a restart, changes nothing", async () => {
  const persist = mkdtempSync(path.join(os.tmpdir(), "clickproof-"));
  const options = { persist, vars: { SETTLE_MS: 0 } };
  const lines = async (worker) => (await worker.api("/v1/messages/again/clicks")).text();
  const tell = async (worker, record) => {
    const messages = await worker.mf.getDurableObjectNamespace("MESSAGES");
    const object = messages.get(messages.idFromName("again"));
    return object.fetch("https://object/arrive", { method: "POST", body: JSON.stringify(record) });
  };
  try {
    let worker = await startWorker(options);
    const { links } = await worker.mint({
      message_id: "again",
      recipient_id: "r",
      sent_at_ms: Date.now(),
      links: [{ link_id: "l", url: "https://brand.example/" }],
    });
    await worker.click(links[0].href);
    const record = recordIn(await worker.waitForLog(({ event }) => event === "click.received"));
    await until(async () => (await lines(worker)) !== "");
    assert.equal((await tell(worker, record)).status, 204);

    const settled = await until(async () => {
      const text = await lines(worker);
      return text.includes('"final":true') && text;
    });
    assert.equal((await tell(worker, record)).status, 204);
    assert.equal(await lines(worker), settled);
    await worker.close();

    worker = await startWorker(options);
    assert.equal((await tell(worker, record)).status, 204);
    assert.equal(await lines(worker), settled);
    assert.equal(settled.trim().split("\n").length, 1);

    // What is no click of its own time is refused, and the rest of the message stands.
    assert.equal((await tell(worker, { ...record, ts_ms: record.ts_ms + 1 })).status, 400);
    assert.equal((await tell(worker, { event_id: record.event_id })).status, 400);
    assert.equal(await lines(worker), settled);
    await worker.close();
  } finally {
    rmSync(persist, { recursive: true, force: true });
  }
});
