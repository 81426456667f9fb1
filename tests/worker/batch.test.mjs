// How clicks travel from the edge to their objects together (src/edge/batch.mjs), with stand-ins for the runtime and a
// clock that moves when a test says so. What the real runtime makes of it, outage.test.mjs and spill.test.mjs say.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

const COPY = "../../src/edge/batch.mjs";
let copies = 0;

/** A frame of so many bytes; the first two tell it apart. */
function frame(id, bytes = 100) {
  const made = new Uint8Array(bytes);
  new DataView(made.buffer).setUint16(0, id);
  return made;
}

/** The frames of a body, all of them so long. */
function ids(body, bytes = 100) {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  return Array.from({ length: body.length / bytes }, (_, n) => view.getUint16(n * bytes));
}

/** What a message of the queue holds. */
function opened(message) {
  const length = (message[2] << 8) | message[3];
  const object = new TextDecoder().decode(message.subarray(4, 4 + length));
  return { object, clicks: ids(message.subarray(4 + length)) };
}

/**
 * An isolate with its objects and its queue.
 *
 * - `answer({ object, clicks, calls, signal })`: what an object does with a call; takes it at once without
 * - `send(message)`: what the queue does
 */
async function isolate(t, { answer = () => TAKEN, send = () => {} } = {}) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_800_000_000_000 });
  const logged = t.mock.method(console, "error", () => {});
  t.after(() => mock.timers.reset());
  const { take } = await import(`${COPY}?${++copies}`);
  const calls = [];
  const spilled = [];
  const lost = [];
  const env = {
    MESSAGES: {
      getByName: (object) => ({
        async fetch(url, { method, body, signal }) {
          assert.deepEqual([url, method], ["https://object/arrivals", "POST"]);
          const call = { object, clicks: ids(body), bytes: body.length, at: Date.now() };
          calls.push(call);
          return answer({ ...call, calls, signal });
        },
      }),
    },
    SPILL: {
      async send(message, { contentType }) {
        assert.equal(contentType, "bytes");
        await send(message);
        spilled.push({ ...opened(message), bytes: message.length });
      },
    },
  };
  const settings = {
    unrecorded: (bytes, reason) => lost.push({ click: ids(bytes, bytes.length)[0], reason }),
  };
  const requests = [];
  return {
    env,
    calls,
    spilled,
    lost,
    lines: () => logged.mock.calls.map(({ arguments: [line] }) => JSON.parse(line)),
    /** A request with a click for an object. One whose promises never go on is dead: it has an environment of its own. */
    click(id, { object = "m", bytes, of = env, telling = settings } = {}) {
      const request = { isDone: true };
      requests.push(request);
      const waitUntil = (work) => {
        request.isDone = false;
        work.then(() => (request.isDone = true));
      };
      take({ waitUntil }, of, object, frame(id, bytes), telling);
      return request;
    },
    /** Lets time pass, and what is due in it happen. */
    async pass(ms, step = 10) {
      await settle();
      for (let end = Date.now() + ms; Date.now() < end; await settle()) {
        mock.timers.tick(Math.min(step, end - Date.now()));
      }
    },
    /** How many requests still wait for something. */
    waiting: () => requests.filter(({ isDone }) => !isDone).length,
  };
}

const TAKEN = { status: 204 };
const refusal = (status, text) => ({ status, text: async () => text });
const failure = (flags, message = "it fails") => Object.assign(new Error(message), flags);
const never = () => new Promise(() => {});

/** Everything that waits for no clock goes on. */
const settle = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
};

const after = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));
const clicksOf = (calls) => calls.map(({ clicks }) => clicks);
const range = (from, to) => Array.from({ length: to - from }, (_, n) => from + n);

test("the first click goes at once, and its request ends with the call", async (t) => {
  const at = await isolate(t);
  at.click(1);
  assert.deepEqual(clicksOf(at.calls), [[1]]);
  await settle();
  assert.equal(at.waiting(), 0, "it waits for no timer");
  at.click(2);
  assert.deepEqual(clicksOf(at.calls), [[1], [2]]);
});

test("what comes during a call goes together in the next, in its order", async (t) => {
  const at = await isolate(t, { answer: () => after(1_000, TAKEN) });
  for (const id of range(0, 50)) {
    at.click(id);
    await at.pass(50);
  }
  await at.pass(3_000);
  assert.deepEqual(clicksOf(at.calls).flat(), range(0, 50), "each once, in order");
  assert.ok(at.calls.length <= 5, `${at.calls.length} calls`);
  assert.equal(at.waiting(), 0);
});

test("one object's trouble holds up no other", async (t) => {
  const at = await isolate(t, { answer: ({ object }) => (object === "hung" ? never() : TAKEN) });
  at.click(1, { object: "hung" });
  at.click(2, { object: "hung" });
  at.click(3, { object: "well" });
  at.click(4, { object: "well" });
  await at.pass(300);
  const well = at.calls.filter(({ object }) => object === "well");
  assert.deepEqual(clicksOf(well), [[3], [4]]);
  assert.equal(at.waiting(), 2);
});

test("a click looks once, when it should be taken, at whatever pace its object takes clicks", async (t) => {
  for (const ms of [5, 300, 1_000]) {
    const at = await isolate(t, { answer: () => after(ms, TAKEN) });
    const timers = mock.method(globalThis, "setTimeout");
    let longest = 0;
    for (const id of range(0, 1_000)) {
      at.click(id);
      longest = Math.max(longest, at.waiting());
      await at.pass(10);
    }
    await at.pass(3_000);
    assert.equal(at.waiting(), 0);
    // A call is two timers: its answer's and its time-out's.
    const looks = timers.mock.callCount() - 2 * at.calls.length;
    assert.ok(looks < 1.3 * 1_000, `${looks} looks of 1,000 clicks at ${ms} ms`);
    // A hundred clicks come in a second.
    assert.ok(longest < (2 * ms + 400) / 10, `${longest} requests wait at ${ms} ms`);
    timers.mock.restore();
    mock.timers.reset();
    t.mock.restoreAll();
  }
});

test("a leader that dies takes nothing along: the others send what it had, too", async (t) => {
  const at = await isolate(t);
  // The answer never comes to the request that asked.
  const dead = { ...at.env, MESSAGES: { getByName: () => ({ fetch: never }) } };
  const realm = globalThis.setTimeout;
  const timers = mock.method(globalThis, "setTimeout", () => 0);
  at.click(1, { of: dead });
  timers.mock.restore();
  assert.equal(globalThis.setTimeout, realm);
  at.click(2);
  at.click(3);
  await at.pass(10_000);
  assert.deepEqual(clicksOf(at.calls), [[1, 2, 3]]);
  assert.deepEqual([at.spilled, at.lost], [[], []]);
  assert.equal(at.waiting(), 1, "the dead one");
});

test("what a dead request leaves goes with the object's next click", async (t) => {
  const at = await isolate(t);
  const dead = { ...at.env, MESSAGES: { getByName: () => ({ fetch: never }) } };
  const timers = mock.method(globalThis, "setTimeout", () => 0);
  at.click(1, { of: dead });
  timers.mock.restore();
  await at.pass(7_000);
  at.click(2);
  await settle();
  assert.deepEqual(clicksOf(at.calls), [[1, 2]]);
});

test("a call that hangs is given up, and made again", async (t) => {
  let aborted = 0;
  const hang = (signal) =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        aborted += 1;
        reject(signal.reason);
      }),
    );
  const at = await isolate(t, { answer: ({ calls, signal }) => (calls.length === 1 ? hang(signal) : TAKEN) });
  at.click(1);
  await at.pass(4_100);
  assert.deepEqual(clicksOf(at.calls), [[1], [1]]);
  assert.equal(aborted, 1);
  assert.equal(at.waiting(), 0);
});

test("an object that hangs for good: everything goes to the second queue in time", async (t) => {
  const at = await isolate(t, { answer: never });
  for (const id of range(0, 100)) {
    at.click(id);
    await at.pass(50);
  }
  await at.pass(20_000);
  assert.equal(at.waiting(), 0, "within the 30 s that work after an answer may take");
  assert.deepEqual(
    at.spilled.flatMap(({ clicks }) => clicks).toSorted((a, b) => a - b),
    range(0, 100),
    "each once",
  );
  assert.ok(at.spilled.length <= 10, `${at.spilled.length} messages`);
  assert.deepEqual(at.lost, []);
  for (const { event, object, reason } of at.lines()) {
    assert.deepEqual(
      [event, object, /too slow|no answer/.test(reason)],
      ["click.spilled", "m", true],
      reason,
    );
  }
});

test("an object that takes seconds loses nothing and repeats nothing", async (t) => {
  const at = await isolate(t, { answer: () => after(3_000, TAKEN) });
  for (const id of range(0, 100)) {
    at.click(id);
    await at.pass(100);
  }
  await at.pass(10_000);
  assert.deepEqual(clicksOf(at.calls).flat(), range(0, 100));
  assert.deepEqual([at.spilled, at.lost, at.waiting()], [[], [], 0]);
});

test("an object with too much to do is asked once a second at most, and what it does not take is spilled", async (t) => {
  for (const error of [
    failure({ overloaded: true, retryable: true }),
    failure({}, "Durable Object is overloaded. Too many requests queued."),
    failure({}, "Durable Object is overloaded. Too much data queued."),
    failure({}, "Durable Object is overloaded. Requests queued for too long."),
    failure(
      {},
      "Durable Object is overloaded. Too many requests for the same object within a 10 second window.",
    ),
  ]) {
    const at = await isolate(t, { answer: () => Promise.reject(error) });
    for (const id of range(0, 300)) {
      at.click(id);
      await at.pass(10);
    }
    await at.pass(5_000);
    assert.ok(at.calls.length <= 5, `${at.calls.length} calls`);
    assert.equal(at.spilled.length, at.calls.length);
    assert.deepEqual(
      at.spilled.flatMap(({ clicks }) => clicks),
      range(0, 300),
    );
    const lines = at.lines();
    assert.deepEqual(
      lines.map(({ clicks }) => clicks),
      at.spilled.map(({ clicks }) => clicks.length),
    );
    assert.deepEqual(lines[0], {
      event: "click.spilled",
      object: "m",
      clicks: 1,
      reason: `unreachable: ${error.message}`,
    });
    assert.deepEqual([at.lost, at.waiting()], [[], 0]);
    t.mock.restoreAll();
    mock.timers.reset();
  }
});

test("what the second queue does not take is told of, each click once", async (t) => {
  const at = await isolate(t, {
    answer: async ({ calls }) => {
      if (calls.length > 1) throw failure({ overloaded: true }, "too much");
      return after(100, TAKEN);
    },
    send: () => Promise.reject(new Error("no queue")),
  });
  const told = [];
  for (const id of range(0, 5)) {
    at.click(id, { telling: { unrecorded: (bytes, reason) => told.push([ids(bytes)[0], reason]) } });
  }
  await at.pass(5_000);
  const reason = "unreachable: too much; not spilled: no queue";
  assert.deepEqual(
    told.toSorted(),
    range(1, 5).map((id) => [id, reason]),
  );
  assert.equal(at.waiting(), 0);
});

test("a record that nothing can read any more is told of as its bytes", async (t) => {
  const at = await isolate(t, { answer: () => refusal(400, "no") });
  const unrecorded = () => {
    throw new Error("no wasm");
  };
  at.click(258, { bytes: 3, telling: { unrecorded } });
  await settle();
  assert.deepEqual(at.lines(), [
    { event: "click.unrecorded", reason: "refused with 400: no", object: "m", frame: "AQIA" },
  ]);
});

test("what may pass is tried again by pauses that grow, with nothing sent twice once it is taken", async (t) => {
  for (const passing of [
    () => Promise.reject(failure({ retryable: true })),
    () => refusal(500, "storage"),
    () => refusal(503, "storage"),
  ]) {
    const at = await isolate(t, { answer: (call) => (call.calls.length <= 3 ? passing() : TAKEN) });
    at.click(1);
    at.click(2);
    await at.pass(5_000);
    assert.deepEqual(clicksOf(at.calls), [[1], [1], [1], [1], [2]]);
    const began = at.calls[0].at;
    assert.deepEqual(
      at.calls.slice(0, 4).map(({ at }) => at - began),
      [0, 50, 450, 2_450],
    );
    assert.deepEqual([at.lost, at.spilled, at.waiting()], [[], [], 0]);
    mock.timers.reset();
    t.mock.restoreAll();
  }
});

test("what fails for good is lost, and each request tells of its own", async (t) => {
  for (const [answer, tries, reason] of [
    [() => Promise.reject(failure({}, "no storage")), 1, "unreachable: no storage"],
    [() => Promise.reject(failure({ retryable: true }, "moving")), 4, "unreachable: moving"],
    [() => refusal(500, "no"), 4, "refused with 500: no"],
    [() => refusal(400, "no"), 1, "refused with 400: no"],
    [() => refusal(200, "<html>"), 1, "unreadable: <html>"],
  ]) {
    const at = await isolate(t, { answer });
    at.click(1);
    await at.pass(5_000);
    assert.deepEqual(at.lost, [{ click: 1, reason }]);
    assert.equal(at.calls.length, tries, reason);
    assert.deepEqual([at.spilled, at.waiting()], [[], 0]);
    mock.timers.reset();
    t.mock.restoreAll();
  }
});

test("with nothing bound a click is lost and told of", async (t) => {
  const at = await isolate(t);
  at.click(1, { of: {} });
  await settle();
  assert.equal(at.lost.length, 1);
  assert.equal(at.waiting(), 0);
});

test("one bad record takes no others along", async (t) => {
  const bad = [13, 14, 40];
  const at = await isolate(t, {
    answer: async ({ clicks, calls }) => {
      if (calls.length === 1) return after(500, TAKEN);
      return clicks.some((click) => bad.includes(click)) ? refusal(400, "bad") : TAKEN;
    },
  });
  for (const id of range(0, 64)) at.click(id);
  await at.pass(5_000);
  assert.deepEqual(
    at.lost.map(({ click }) => click).toSorted((a, b) => a - b),
    bad,
  );
  assert.deepEqual([at.spilled, at.waiting()], [[], 0]);
  assert.ok(at.calls.length < 40, `${at.calls.length} calls`);
});

test("an object of the version before does not know the call: its clicks wait in the second queue", async (t) => {
  const messages = [];
  const at = await isolate(t, {
    answer: () => refusal(400, "no such call: /arrivals"),
    send: (message) => messages.push(Buffer.from(message).toString("latin1")),
  });
  at.click(7, { object: "mé#1", bytes: 3 });
  await settle();
  // Frozen: messages of an earlier deploy lie in the queue for days. `src/event/spilled.rs` opens the same bytes.
  assert.deepEqual(messages, ["\xff\x01\x00\x05m\xc3\xa9#1\x00\x07\x00"]);
  assert.deepEqual([at.lost, at.waiting()], [[], 0]);
});

test("a call has so many bytes and a message so many", async (t) => {
  let isBusy = false;
  const at = await isolate(t, {
    answer: async () => {
      if (isBusy) throw failure({ overloaded: true });
      return after(1_000, TAKEN);
    },
  });
  for (const id of range(0, 11_000)) at.click(id);
  await at.pass(1_500);
  assert.deepEqual(
    at.calls.map(({ bytes }) => bytes),
    [100, 1_000_000],
  );
  isBusy = true;
  await at.pass(5_000);
  assert.equal(at.spilled.length, 1);
  for (const id of range(0, 2_100)) at.click(id);
  await at.pass(5_000);
  assert.ok(at.spilled.every(({ bytes }) => bytes <= 120_000));
  assert.deepEqual(
    at.spilled.flatMap(({ clicks }) => clicks),
    [...range(10_001, 11_000), ...range(0, 2_100)],
  );
});

test("two requests look after what waits, and all others end", async (t) => {
  const at = await isolate(t, { answer: () => after(1_000, TAKEN) });
  for (const id of range(0, 500)) at.click(id);
  await at.pass(500);
  assert.equal(at.waiting(), 2);
  await at.pass(3_000);
  assert.deepEqual([clicksOf(at.calls), at.waiting()], [[[0], range(1, 500)], 0]);
});

test("of many lost clicks no request tells: they go to the second queue", async (t) => {
  for (const count of [6, 40]) {
    const at = await isolate(t, {
      answer: () => after(10).then(() => Promise.reject(failure({}, "broken"))),
    });
    for (const id of range(0, count)) at.click(id);
    await at.pass(5_000);
    const told = at.lost.map(({ click }) => click);
    const spilled = at.spilled.flatMap(({ clicks }) => clicks);
    assert.deepEqual(
      [...told, ...spilled].toSorted((a, b) => a - b),
      range(0, count),
    );
    // The first click, and the watcher's, have requests of their own to tell of them.
    assert.equal(spilled.length, count > 10 ? count - 2 : 0);
    mock.timers.reset();
  }
});

test("past 16 MB of waiting clicks a click goes to the second queue at once", async (t) => {
  const at = await isolate(t, { answer: never });
  const bytes = 100_000;
  for (const id of range(0, 170)) at.click(id, { object: `m${id % 7}`, bytes });
  await settle();
  assert.equal(at.spilled.length, 170 - Math.floor((16 << 20) / bytes));
  assert.equal(at.waiting(), 2 * 7, "one leads and one watches for each object");
});

test("an isolate that has had 10,000 objects remembers none", async (t) => {
  const at = await isolate(t);
  const made = mock.method(Map.prototype, "set");
  const gone = mock.method(Map.prototype, "delete");
  for (const id of range(0, 10_000)) at.click(id, { object: `m${id}` });
  await settle();
  const of = ({ mock: { calls } }) => calls.filter(({ arguments: [key] }) => /^m\d+$/.test(key)).length;
  assert.deepEqual([of(made), of(gone)], [10_000, 10_000]);
  made.mock.restore();
  gone.mock.restore();
});

// The fault table: what an object does with its first calls, or with all of them, and the second queue with what it is given. Whatever it
// is, each click is taken, spilled or told of, and no request waits longer than the 30 s that work after an answer may take.
const retryable = () => Promise.reject(failure({ retryable: true }));
const OBJECTS = {
  "fails before": () => retryable(),
  "fails behind": (store) => (store(), retryable()),
  "fails for good": () => Promise.reject(failure({})),
  "is overloaded": () => Promise.reject(failure({ overloaded: true })),
  "answers with an error": () => refusal(500, "no"),
  refuses: () => refusal(400, "no"),
  "answers late": (store) => (store(), after(8_000, TAKEN)),
  "never answers": () => never(),
  "stores and never answers": (store) => (store(), never()),
};
const QUEUES = {
  "takes all": (store) => store(),
  "fails before": () => Promise.reject(new Error("no")),
  "fails behind": (store) => (store(), Promise.reject(new Error("no"))),
  "answers late": (store) => (store(), after(3_000)),
  "takes all after the time": (store) => after(6_000).then(store),
  "never answers": () => never(),
};
for (const [what, object] of Object.entries(OBJECTS)) {
  for (const [how, queue] of Object.entries(QUEUES)) {
    for (const calls of [1, 3, Infinity]) {
      const times = calls === Infinity ? "each time" : `${calls} times`;
      test(`an object that ${what} ${times}, and a queue that ${how}: no click is lost in silence`, async (t) => {
        const [stored, queued] = [[], []];
        const at = await isolate(t, {
          answer({ clicks, calls: { length } }) {
            const store = () => stored.push(...clicks);
            return length <= calls ? object(store) : (store(), TAKEN);
          },
          send: (message) => queue(() => queued.push(...opened(message).clicks)),
        });
        for (const id of range(0, 12)) {
          at.click(id);
          await at.pass(id % 4 === 3 ? 1_500 : 40);
        }
        await at.pass(30_000, 50);
        assert.equal(at.waiting(), 0, "every request has ended");
        const told = at.lost.map(({ click }) => click);
        const known = new Set([...stored, ...queued, ...told]);
        assert.deepEqual(
          [...known].toSorted((a, b) => a - b),
          range(0, 12),
        );
        assert.equal(new Set(told).size, told.length, "none is told of twice");
        // What only fails for a moment is neither lost nor spilled.
        if (calls === 1 && /^(fails before|fails behind|answers with an error)$/.test(what)) {
          assert.deepEqual([told, queued], [[], []]);
        }
      });
    }
  }
}
