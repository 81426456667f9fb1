// The harness and the worker at their simplest: both ways of running it answer, and leave nothing behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startWorker, startWrangler } from "./harness.mjs";

test("the worker answers under Miniflare", async (t) => {
  const worker = await startWorker();
  t.after(() => worker.close());
  const response = await worker.request("/healthz");
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "ok");
});

test("the worker answers under wrangler dev, and a kill leaves no process", async () => {
  const wrangler = await startWrangler();
  const response = await wrangler.request("/healthz");
  assert.equal(await response.text(), "ok");
  // Resolves only when the whole process group is gone.
  await wrangler.kill();
  await assert.rejects(wrangler.request("/healthz"), { code: "ECONNREFUSED" });
});
