// What happens when wasm panics: the request is answered by a new instance of it, and so are all that follow.

import assert from "node:assert/strict";
import { test } from "node:test";
import { clicksWhen, mintCopy, received } from "./clicks.mjs";
import { behind, startWorker } from "./harness.mjs";

// The built worker, whose answers fail to be made as often as a request's header says. Wasm does not expect that, so its
// instance ends there, as by a panic.
const contents = `
  import Built, { MessageObject } from "./index.js";
  let failures = 0;
  globalThis.Response = new Proxy(Response, {
    construct(...call) {
      if (failures === 0) return Reflect.construct(...call);
      failures -= 1;
      throw new Error("no answer can be made");
    },
  });
  export { MessageObject };
  export default {
    fetch(request, env, context) {
      failures = Number(request.headers.get("x-failures"));
      return Built.fetch(request, env, context);
    },
    queue: Built.queue,
  };
`;

async function start(t) {
  const worker = await startWorker({
    worker: {
      ...behind(contents),
    },
  });
  t.after(() => worker.close());
  return worker;
}

const failing = (failures) => ({ headers: { "X-Failures": String(failures) } });
const failed = ({ event }) => event === "worker.failed";

test("a click on which wasm panics redirects all the same, and is recorded once", async (t) => {
  const worker = await start(t);
  const { message_id, hrefs } = await mintCopy(worker);
  // The first makes the object, whose part in wasm ends with the second's panic.
  for (const failures of [0, 1, 0, 1]) {
    assert.equal((await worker.click(hrefs[0], failing(failures))).status, 302);
  }
  const clicks = await clicksWhen(worker, message_id, 4);
  assert.equal(clicks.length, 4);
  assert.equal((await received(worker, message_id)).length, 4);
  assert.equal(worker.logs.filter(failed).length, 2, "each panic is told");
});

test("a click on which it panics again and again is an error, and the next one redirects", async (t) => {
  const worker = await start(t);
  const { message_id, hrefs } = await mintCopy(worker);
  assert.equal((await worker.click(hrefs[0], failing(2))).status, 500);
  assert.equal((await worker.click(hrefs[0])).status, 302);
  assert.equal((await clicksWhen(worker, message_id, 1)).length, 1);
  assert.equal((await worker.request("/healthz")).status, 200);
});
