// Clicks on their way to an object that fails in every way there is: nothing is lost in silence, nothing counts twice.

import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { Response } from "miniflare";
import { root } from "../../src/dev/run.mjs";
import { clicksWhen, mintCopy, received, recordIn } from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

const BUILD = path.join(root, "build");

// Lets the wasm trap when it next calls out, if a test wants it: what it calls is wrapped before it is made.
const TRAP = `
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (module, imports) {
    const wrap = (it) => typeof it !== "function" ? it : (...args) => {
      if (!globalThis.traps) return it(...args);
      globalThis.traps = false;
      throw new WebAssembly.RuntimeError("unreachable");
    };
    const each = (value, change) => Object.fromEntries(Object.entries(value).map(([k, v]) => [k, change(v)]));
    return new Instance(module, each(imports, (names) => each(names, wrap)));
  };
`;

// The built worker, whose objects ask the test before every call what becomes of it, and whose wasm traps in the requests
// that say so.
const SHAKEN = `
  import "./trap.js";
  import built, { MessageObject as BuiltObject } from "./index.js";

  const failure = (words, flags) => Object.assign(new Error(words), flags);
  const reset = () => failure("Durable Object reset because its code was updated.", { retryable: true });

  export class MessageObject extends BuiltObject {
    constructor(state, env) { super(state, env); this.test = env.TEST }
    async fetch(request) {
      if (!request.url.endsWith("/arrivals")) return super.fetch(request);
      switch (await (await this.test.fetch("http://test/")).text()) {
        case "overload": throw failure("too much", { retryable: true, overloaded: true });
        case "throw": throw failure("no storage");
        case "reset before": throw reset();
        case "reset after": await super.fetch(request); throw reset();
        default: return super.fetch(request);
      }
    }
  }

  export default {
    ...built,
    fetch(request, env, ctx) {
      globalThis.traps = request.headers.has("x-traps");
      return built.fetch(request, env, ctx);
    },
  };
`;

/** A worker whose objects do with a call what \`next(n)\` says, the n-th call being 0, 1, …; in time, or by and by. */
async function start(t, next, { vars, ...options } = {}) {
  let calls = 0;
  const worker = await startWorker({
    vars: { SETTLE_MS: 0, ...vars },
    ...options,
    worker: {
      modulesRoot: BUILD,
      modules: [
        { type: "ESModule", path: path.join(BUILD, "shaken.js"), contents: SHAKEN },
        { type: "ESModule", path: path.join(BUILD, "trap.js"), contents: TRAP },
        { type: "ESModule", path: path.join(BUILD, "index.js") },
        { type: "CompiledWasm", path: path.join(BUILD, "index_bg.wasm") },
      ],
      serviceBindings: { TEST: async () => new Response((await next(calls++)) ?? "pass") },
      ...options.worker,
    },
  });
  t.after(() => worker.close());
  return { ...worker, calls: () => calls };
}

/** Clicks a link so often, all at once. */
async function clickAtOnce(worker, href, times) {
  const answers = await Promise.all(Array.from({ length: times }, () => worker.click(href)));
  for (const { status } of answers) assert.equal(status, 302);
}

/** Clicks so that the wasm traps, which the click does not show: a new instance answers. */
async function clickAndTrap(worker, href) {
  assert.equal((await worker.click(href, { headers: { "x-traps": "1" } })).status, 302);
  assert.equal(lines(worker, "worker.failed").length, 1);
}

const lines = (worker, name) => worker.logs.filter(({ event }) => event === name);
const ids = (clicks) => clicks.map(({ event_id }) => event_id).toSorted();

/** Every click that the edge has seen is in the object, and once in R2. */
async function assertAllShipped(worker, message_id, count) {
  const clicks = await clicksWhen(worker, message_id, count);
  const seen = await received(worker, message_id);
  assert.deepEqual(ids(clicks), ids(seen));
  const events = await until(
    async () => {
      const found = (await worker.r2Events()).map(({ event }) => event);
      return new Set(ids(found)).size >= count && found;
    },
    { what: "events in R2" },
  );
  const keys = events.map(({ event_id, revision }) => `${event_id} ${revision}`);
  assert.equal(new Set(keys).size, keys.length, "each once");
}

describe("on the way to an object", { concurrency: 4 }, () => {
  test("many clicks at once are few calls, and each is recorded once", async (t) => {
    const worker = await start(t, () => {});
    const { message_id, hrefs } = await mintCopy(worker);
    await clickAtOnce(worker, hrefs[0], 60);
    await assertAllShipped(worker, message_id, 60);
    assert.ok(worker.calls() < 60, `${worker.calls()} calls`);
    assert.deepEqual([lines(worker, "click.unrecorded"), lines(worker, "click.spilled")], [[], []]);
  });

  test("an object with too much to do gets its clicks from the second queue when it has time", async (t) => {
    let isBusy = true;
    const worker = await start(t, () => isBusy && "overload");
    const { message_id, hrefs } = await mintCopy(worker);
    await clickAtOnce(worker, hrefs[0], 20);
    const sum = () => lines(worker, "click.spilled").reduce((all, { clicks }) => all + clicks, 0);
    await until(() => sum() === 20, { what: "the spill of 20 clicks" });
    for (const { object, reason } of lines(worker, "click.spilled")) {
      assert.deepEqual([object, /too much/.test(reason)], [message_id, true]);
    }
    const undelivered = await worker.waitForLog(({ event }) => event === "spill.undelivered");
    assert.equal(undelivered.subject, message_id);
    isBusy = false;
    await assertAllShipped(worker, message_id, 20);
    assert.deepEqual(lines(worker, "click.unrecorded"), []);
  });

  test("what neither the object nor the second queue takes is told of, each click with its record", async (t) => {
    const minter = await startWorker();
    t.after(() => minter.close());
    const { message_id, hrefs } = await mintCopy(minter);
    const worker = await start(t, () => "overload", { worker: { queueProducers: {}, queueConsumers: {} } });
    await clickAtOnce(worker, hrefs[0], 10);
    await until(() => lines(worker, "click.unrecorded").length >= 10, { what: "10 losses" });
    const lost = lines(worker, "click.unrecorded").map(({ record }) => record);
    const inOrder = (records) => records.toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1));
    assert.deepEqual(inOrder(lost), inOrder(lines(worker, "click.received").map(recordIn)));
  });

  for (const when of ["before", "after"]) {
    test(`an object that restarts ${when} it has stored a batch is asked again`, async (t) => {
      const worker = await start(t, (call) => call < 2 && `reset ${when}`);
      const { message_id, hrefs } = await mintCopy(worker);
      await clickAtOnce(worker, hrefs[0], 20);
      await assertAllShipped(worker, message_id, 20);
      assert.deepEqual([lines(worker, "click.unrecorded"), lines(worker, "click.spilled")], [[], []]);
    });
  }

  test("an object that takes seconds gets everything", async (t) => {
    const worker = await start(t, () => new Promise((resolve) => setTimeout(resolve, 2_000)));
    const { message_id, hrefs } = await mintCopy(worker);
    await clickAtOnce(worker, hrefs[0], 20);
    await assertAllShipped(worker, message_id, 20);
    assert.ok(worker.calls() <= 3, `${worker.calls()} calls`);
    assert.deepEqual([lines(worker, "click.unrecorded"), lines(worker, "click.spilled")], [[], []]);
  });

  test("an object that hangs: its clicks are spilled in time, and recorded once it is well", async (t) => {
    let isHung = true;
    const held = [];
    const worker = await start(t, () => isHung && new Promise((resolve) => held.push(resolve)));
    const { message_id, hrefs } = await mintCopy(worker);
    await clickAtOnce(worker, hrefs[0], 20);
    const sum = () => lines(worker, "click.spilled").reduce((all, { clicks }) => all + clicks, 0);
    await until(() => sum() === 20, { what: "the spill of 20 clicks" });
    isHung = false;
    for (const resolve of held) resolve();
    await assertAllShipped(worker, message_id, 20);
    assert.deepEqual(lines(worker, "click.unrecorded"), []);
  });

  test("a wasm that traps in the middle of a batch takes no click along", async (t) => {
    let go;
    const gate = new Promise((resolve) => (go = resolve));
    const worker = await start(t, (call) => call === 0 && gate);
    const { message_id, hrefs } = await mintCopy(worker);
    await clickAtOnce(worker, hrefs[0], 10);
    await until(() => worker.calls() === 1, { what: "the first call" });
    await clickAndTrap(worker, hrefs[0]);
    await clickAtOnce(worker, hrefs[0], 9);
    go();
    await assertAllShipped(worker, message_id, 20);
    assert.deepEqual([lines(worker, "click.unrecorded"), lines(worker, "click.spilled")], [[], []]);
  });

  test("after a trap what is lost is told of with its record all the same", async (t) => {
    let go;
    const gate = new Promise((resolve) => (go = resolve));
    const worker = await start(t, async () => {
      await gate;
      return "throw";
    });
    const { message_id, hrefs } = await mintCopy(worker);
    // Of more that are left to it a request tells the second queue.
    await clickAtOnce(worker, hrefs[0], 6);
    await until(() => worker.calls() === 1, { what: "the first call" });
    await clickAndTrap(worker, hrefs[0]);
    go();
    await until(() => lines(worker, "click.unrecorded").length >= 7, { what: "7 losses" });
    const seen = await received(worker, message_id);
    assert.deepEqual(ids(lines(worker, "click.unrecorded").map(({ record }) => record)), ids(seen));
  });
});
