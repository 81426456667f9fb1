// What fails behind a link is the visitor's business never, and nothing is lost in silence.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Response } from "miniflare";
import {
  DESTINATION,
  SIX_URLS,
  clickAndRecord,
  clicksWhen,
  listClicks,
  mintCopy,
  recordAt,
  recordIn,
  report,
  settledClicks,
  stateDir,
} from "./clicks.mjs";
import { behind, startWorker, until } from "./harness.mjs";

async function start(t, options) {
  const worker = await startWorker(options);
  t.after(() => worker.close());
  return worker;
}

/** Clicks, checks that it redirects, and that the loss is logged with the whole record. */
async function assertRedirectsAndTells(worker) {
  const { hrefs } = await mintCopy(await helper(), {});
  const { response, record: line } = await clickAndRecord(worker, hrefs[0], { ip: "40.92.1.1" });
  assert.equal(response.headers.get("location"), DESTINATION);
  assert.match(response.headers.get("set-cookie"), /^__Host-cp=/);
  const lost = await worker.waitForLog(({ event }) => event === "click.unrecorded");
  assert.deepEqual(lost.record, recordIn(line));
  assert.match(lost.reason, /./);
  const told = worker.logs.filter(({ event }) => event === "click.unrecorded");
  assert.equal(told.length, 1, "once");
}

// A whole worker that mints links for those that refuse to.
let minter;
const helper = () => (minter ??= startWorker());
after(async () => (await minter)?.close());

/**
 * A worker whose bucket and queue pass every call by the test first: `calls` says what was asked, `fails(call)`
 * whether it fails. It is the built worker with a thin module around it.
 */
async function startShaken(t, { fails, calls, ...options }) {
  const contents = `
    import Built, { MessageObject as BuiltObject } from "./index.js";
    // The Worker knows bindings by the name of their class.
    class R2Bucket {
      constructor(real, ask) { this.real = real; this.ask = ask }
      async put(key, ...rest) { await this.ask("put", key); return this.real.put(key, ...rest) }
    }
    class WorkerQueue {
      constructor(real, ask) { this.real = real; this.ask = ask }
      async send(...args) { await this.ask("send", ""); return this.real.send(...args) }
    }
    const shaken = (env) => {
      const ask = async (call, key) => {
        const answer = await env.TEST.fetch("http://test/" + call + "/" + key);
        if (!answer.ok) throw new Error(call + " fails as the test wants it");
      };
      return {
        ...env,
        ARCHIVE: new R2Bucket(env.ARCHIVE, ask),
        EVENTS: new WorkerQueue(env.EVENTS, ask),
      };
    };
    export class MessageObject extends BuiltObject {
      constructor(state, env) { super(state, shaken(env)) }
    }
    const handler = (name) => (it, env, ctx) => Built[name](it, shaken(env), ctx);
    export default { fetch: handler("fetch"), queue: handler("queue") };
  `;
  return start(t, {
    vars: { SETTLE_MS: 0 },
    ...options,
    worker: {
      ...behind(contents),
      serviceBindings: {
        async TEST(request) {
          const [, call, ...key] = new URL(request.url).pathname.split("/");
          calls.push({ call, key: key.join("/"), at: Date.now() });
          return new Response(null, { status: fails(call) ? 500 : 200 });
        },
      },
    },
  });
}

async function sixClicks(worker) {
  const copy = await mintCopy(worker, { urls: SIX_URLS });
  for (const href of copy.hrefs) await worker.click(href);
  return { ...copy, clicks: await settledClicks(worker, copy.message_id, 6) };
}

const ids = (events) => events.map(({ event_id, revision }) => `${event_id} ${revision}`).toSorted();

describe("what fails", { concurrency: 4 }, () => {
  test("without a Durable Object a link redirects, and the loss is told", async (t) => {
    await assertRedirectsAndTells(await start(t, { worker: { durableObjects: {} } }));
  });

  test("with nothing bound at all a link redirects, and the loss is told", async (t) => {
    const worker = { durableObjects: {}, queueProducers: {}, queueConsumers: {}, r2Buckets: {} };
    await assertRedirectsAndTells(await start(t, { worker }));
  });

  for (const [what, body] of [
    ["throws", "async fetch() { throw new Error('no storage') }"],
    ["cannot be made", "constructor() { throw new Error('no object') } async fetch() {}"],
    ["answers nonsense", "async fetch() { return new Response('<html>') }"],
    ["refuses", "async fetch() { return new Response('not now', { status: 400 }) }"],
  ]) {
    test(`when the object ${what}, a link redirects, and the loss is told`, async (t) => {
      const script = `export class Broken { ${body} } export default {}`;
      const worker = await start(t, {
        worker: { durableObjects: { MESSAGES: { className: "Broken", scriptName: "broken" } } },
        workers: [{ name: "broken", modules: true, script, durableObjects: { SELF: "Broken" } }],
      });
      await assertRedirectsAndTells(worker);
    });
  }

  test("a link redirects while its message's object has not answered, and the loss is told in the end", async (t) => {
    // It fails once the test lets it.
    const script = `export class Held {
    constructor(state, env) { this.env = env }
    async fetch() { await this.env.GATE.fetch("http://gate/"); throw new Error("after all") }
  } export default {}`;
    let asked = 0;
    let open;
    const gate = new Promise((resolve) => (open = resolve));
    const worker = await start(t, {
      worker: { durableObjects: { MESSAGES: { className: "Held", scriptName: "held" } } },
      workers: [
        {
          name: "held",
          modules: true,
          script,
          durableObjects: { SELF: "Held" },
          serviceBindings: {
            async GATE() {
              asked += 1;
              await gate;
              return new Response();
            },
          },
        },
      ],
    });
    const { message_id, hrefs } = await mintCopy(worker);
    const { links } = await worker.mint({
      message_id,
      recipient_id: "r1",
      sent_at_ms: Date.now(),
      links: [{ link_id: "pixel", kind: "open" }],
    });
    assert.equal((await worker.click(hrefs[0])).headers.get("location"), DESTINATION);
    assert.equal((await worker.click(links[0].href)).headers.get("content-type"), "image/gif");
    await until(() => asked === 1, { what: "the call to the object" });
    const lost = () => worker.logs.filter(({ event }) => event === "click.unrecorded");
    assert.deepEqual(lost(), [], "the object has them still");
    open();
    await until(() => lost().length === 2, { what: "both losses" });
  });

  test("an object that fails for a moment is asked again: nothing is lost", async (t) => {
    // It fails once for every call, then hands over to an object that counts what arrives.
    const script = `export class Shaky {
    async fetch(request) {
      const body = Array.from(new Uint8Array(await request.arrayBuffer()), (byte) => byte.toString(16).padStart(2, "0"));
      if (!this.failed) { this.failed = true; throw Object.assign(new Error("moving"), { retryable: true }) }
      this.failed = false;
      console.log(JSON.stringify({ event: "arrived", body: body.join("") }));
      return new Response(null, { status: 204 });
    }
  } export default {}`;
    const worker = await start(t, {
      worker: { durableObjects: { MESSAGES: { className: "Shaky", scriptName: "shaky" } } },
      workers: [{ name: "shaky", modules: true, script, durableObjects: { SELF: "Shaky" } }],
    });
    const { hrefs } = await mintCopy(worker);
    const { record } = await clickAndRecord(worker, hrefs[0]);
    await worker.waitForLog(({ event }) => event === "arrived" || event === "click.unrecorded");
    const arrived = worker.logs.filter(({ event }) => event === "arrived");
    const lost = worker.logs.filter(({ event }) => event === "click.unrecorded");
    assert.deepEqual(lost, []);
    assert.equal(arrived.length, 1);
    // All of an id that is not its time.
    const id = record.event_id.replaceAll("-", "").slice(12);
    assert.equal(arrived[0].body.split(id).length, 2, "the click is in it once");
  });

  test("an API that cannot reach the object says so, and when to come again", async (t) => {
    const script = "export class Broken { async fetch() { throw new Error('no') } } export default {}";
    const worker = await start(t, {
      worker: { durableObjects: { MESSAGES: { className: "Broken", scriptName: "broken" } } },
      workers: [{ name: "broken", modules: true, script, durableObjects: { SELF: "Broken" } }],
    });
    const sent_at_ms = Date.now();
    for (const [method, rest, body] of [
      ["GET", ""],
      ["GET", "/clicks"],
      ["GET", "/clicks/019a0000-0000-7000-8000-000000000000"],
      ["POST", "/reship"],
      ["POST", "/deliveries", [{ recipient_id: "r", delivered_at_ms: Date.now() }]],
      ["POST", "/deliveries", [{ recipient_id: "r", bounced_at_ms: Date.now() }]],
      [
        "POST",
        "/v1/records",
        [recordAt({ message_id: "m", recipient_id: "r", link_id: "l", sent_at_ms }, sent_at_ms)],
      ],
    ]) {
      const path = rest.startsWith("/v1/") ? rest : `/v1/messages/m${rest}`;
      const response = await worker.api(path, { method, body });
      assert.equal(response.status, 503, rest);
      assert.match(response.headers.get("retry-after"), /^\d+$/);
      assert.equal((await response.json()).error.code, "unavailable");
    }
  });

  test("without a queue clicks settle, and are shipped by a worker that has one", async (t) => {
    const persist = stateDir(t);
    const { message_id, hrefs } = await mintCopy(await helper());

    const without = await startWorker({
      persist,
      vars: { SETTLE_MS: 0 },
      worker: { queueProducers: {}, queueConsumers: {} },
    });
    await without.click(hrefs[0]);
    const failure = await without.waitForLog(({ event }) => event === "message.unshipped");
    assert.equal(failure.subject, message_id);
    await without.close();

    const whole = await start(t, { persist, vars: { SETTLE_MS: 0 } });
    const [click] = await settledClicks(whole, message_id, 1);
    const [{ event }] = await until(async () => (await whole.r2Events()).length > 0 && whole.r2Events());
    assert.equal(event.event_id, click.event_id);
  });

  test("R2 fails for a while: the consumer tries again, and nothing is lost", async (t) => {
    const calls = [];
    const puts = () => calls.filter(({ call }) => call === "put").length;
    const worker = await startShaken(t, { calls, fails: (call) => call === "put" && puts() <= 4 });
    const { clicks } = await sixClicks(worker);
    const events = await until(async () => {
      const found = await worker.r2Events();
      return found.length >= 6 && found;
    });
    assert.deepEqual(ids(events.map(({ event }) => event)), ids(clicks));
    assert.ok(puts() >= 5, `${puts()} tries`);
    const unwritten = worker.logs.filter(({ event }) => event === "events.unwritten");
    assert.equal(unwritten.length, 4, "each failure is logged");
    assert.match(unwritten[0].subject, /^clickproof-events: /);
  });

  test("what fails for good waits in the dead-letter queue and is written when R2 is back", async (t) => {
    const calls = [];
    let back = false;
    const worker = await startShaken(t, { calls, fails: (call) => call === "put" && !back });
    const { clicks } = await sixClicks(worker);
    await worker.waitForLog(
      ({ event, subject }) => event === "events.unwritten" && subject.startsWith("clickproof-events-dead: "),
    );
    assert.deepEqual(await worker.r2Events(), []);
    back = true;
    const events = await until(async () => {
      const found = await worker.r2Events();
      return found.length >= 6 && found;
    });
    assert.deepEqual(ids(events.map(({ event }) => event)), ids(clicks));
  });

  test("the queue refuses for a while: the object keeps the events and sends them later", async (t) => {
    const calls = [];
    const sends = () => calls.filter(({ call }) => call === "send").length;
    const worker = await startShaken(t, { calls, fails: (call) => call === "send" && sends() <= 2 });
    const { message_id, clicks } = await sixClicks(worker);
    const events = await until(async () => {
      const found = await worker.r2Events();
      return found.length >= 6 && found;
    });
    assert.deepEqual(ids(events.map(({ event }) => event)), ids(clicks));
    const failures = worker.logs.filter(({ event }) => event === "message.unshipped");
    assert.deepEqual(
      failures.map(({ subject }) => subject),
      [message_id, message_id],
    );
    const [first, second, third] = calls.filter(({ call }) => call === "send").map(({ at }) => at);
    // An alarm may come late, and never early but for the grain of the clocks.
    assert.ok(second - first > 900 && third - second > 1_900, "the pauses grow");
    assert.equal((await report(worker, message_id)).clicks, 6);
  });

  test("with queue and R2 failing all the time, links redirect, verdicts settle and the API reads", async (t) => {
    const calls = [];
    const worker = await startShaken(t, { calls, fails: () => true });
    const { message_id, clicks } = await sixClicks(worker);
    assert.equal(clicks.length, 6);
    const { hrefs } = await mintCopy(worker, { message_id });
    assert.equal((await worker.click(hrefs[0])).status, 302);
    await clicksWhen(worker, message_id, 7);
    assert.equal((await listClicks(worker, message_id)).length, 7);
    assert.ok(calls.some(({ call }) => call === "send"));
  });
});
