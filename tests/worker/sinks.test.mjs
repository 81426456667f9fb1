// Where events go beside the bucket: each sink gets everything, in the end, however it behaves, and holds up nothing else.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { describe, test } from "node:test";
import { Response } from "miniflare";
import { Webhook } from "standardwebhooks";
import { clicksWhen, freshMessage, recordAt, stateDir } from "./clicks.mjs";
import { behind, startWorker, until } from "./harness.mjs";
import { violation } from "./schema.mjs";

const SECRET = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
const LONG_AGO = Date.UTC(2026, 8, 1, 9);
const MINUTE_MS = 60_000;

/** How many events one test ships to a webhook that fails. */
const EVENTS = 10_000;

/** A receiver that keeps what it took. `answer(request, n)` says with what the nth request is answered, 204 without; nothing: never. */
async function startReceiver(t, answer = () => 204) {
  const receiver = { answer, asked: 0, taken: [] };
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { headers, url, method } = request;
    const status = await receiver.answer({ headers, url, method, body }, ++receiver.asked);
    if (status === undefined) return;
    if (status < 300) receiver.taken.push({ headers, url, method, body });
    response.writeHead(status).end();
  });
  receiver.listen = async (port = 0) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    receiver.url = `http://127.0.0.1:${server.address().port}`;
  };
  receiver.down = () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections()));
  await receiver.listen();
  t.after(() => (server.closeAllConnections(), server.close()));
  return receiver;
}

/**
 * The built worker behind a thin module that changes its environment: `environment` is a function's body of JavaScript, from `env` and
 * `tell(call, value)` to what is put over `env`. `calls` gets what it tells; `holds(call)` says what becomes of a call: what it
 * throws is thrown there.
 */
async function start(t, { environment = "return {}", calls = [], holds = () => {}, vars, ...options } = {}) {
  const contents = `
    import Built, { MessageObject } from "./index.js";
    export { MessageObject };
    const environment = (env, tell) => { ${environment} };
    const handler = (name) => async (it, env, ctx) => {
      const told = [];
      const tell = (call, value) => {
        const answer = env.TEST.fetch("http://test/" + call, { method: "POST", body: JSON.stringify(value) }).then((answer) => {
          if (!answer.ok) throw new Error(call + " fails as the test wants it");
        });
        told.push(answer.catch(() => {}));
        return answer;
      };
      const answer = await Built[name](it, { ...env, ...environment(env, tell) }, ctx);
      await Promise.all(told);
      return answer;
    };
    export default { fetch: handler("fetch"), queue: handler("queue") };
  `;
  const worker = await startWorker({
    vars: { SETTLE_MS: 0, WEBHOOK_SECRET: SECRET, LOG: "loss", ...vars },
    ...options,
    worker: {
      ...behind(contents),
      serviceBindings: {
        async TEST(request) {
          const call = new URL(request.url).pathname.slice(1);
          const value = await request.json();
          calls.push({ call, value });
          try {
            await holds(call, value);
            return new Response();
          } catch {
            return new Response(null, { status: 500 });
          }
        },
      },
    },
  });
  t.after(() => worker.close());
  return worker;
}

/** So many records of people's clicks on a message, a minute apart. */
const people = (message_id, count, more = {}) =>
  Array.from({ length: count }, (_, n) =>
    recordAt(
      { message_id, recipient_id: `r${n}`, link_id: "l1", sent_at_ms: LONG_AGO, ...more },
      LONG_AGO + (n + 2) * MINUTE_MS,
    ),
  );

/** Brings records along. */
async function bring(worker, records) {
  for (let at = 0; at < records.length; at += 2_500) {
    const body = records.slice(at, at + 2_500).map((record) => `${JSON.stringify(record)}\n`);
    const response = await worker.api("/v1/records", { method: "POST", body: body.join("") });
    assert.equal(response.status, 202, await response.text());
  }
}

/** The events in the bucket, once there are so many. */
const shipped = (worker, count) =>
  until(
    async () => {
      const events = (await worker.r2Events()).map(({ event }) => event);
      return events.length >= count && events;
    },
    { every: 100, what: `${count} events in the bucket` },
  );

const keys = (events) => events.map(({ event_id, revision }) => `${event_id}.${revision}`).toSorted();

/** Checks a webhook's signature by the specification's own package; what it says. */
function verified({ headers, body }) {
  const payload = new Webhook(SECRET).verify(body, headers);
  assert.equal(headers["content-type"], "application/json");
  assert.match(payload.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  return payload;
}

describe("sinks", { concurrency: 2 }, () => {
  test("each verdict reaches a webhook once that is down, then slow, then refuses every third", async (t) => {
    const receiver = await startReceiver(t, async (_, n) => {
      if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      return n % 3 === 0 ? 500 : 204;
    });
    const { port } = new URL(receiver.url);
    await receiver.down();
    const worker = await start(t, { vars: { EVENTS_WEBHOOK_URL: receiver.url, EVENTS_WEBHOOK_TYPES: "*" } });
    const messages = Array.from({ length: 4 }, () => freshMessage());
    await bring(
      worker,
      messages.flatMap((message_id) => people(message_id, EVENTS / 4)),
    );
    const events = await shipped(worker, EVENTS);
    assert.equal(events.length, EVENTS);
    await worker.waitForLog(({ event }) => event === "feed.unsent");
    assert.equal(receiver.taken.length, 0);
    await receiver.listen(Number(port));
    await until(() => receiver.taken.length >= EVENTS, {
      what: "every webhook",
      every: 50,
      timeout: 240_000,
    });
    const told = receiver.taken.map((request) => [request.headers["webhook-id"], verified(request)]);
    assert.deepEqual(told.map(([id]) => id).toSorted(), keys(events), "each once");
    for (const [id, { type, data }] of told) {
      assert.equal(type, data.revision > 1 ? "click.amended" : "click.settled");
      assert.equal(id, `${data.event_id}.${data.revision}`);
    }
    const byKey = new Map(events.map((event) => [`${event.event_id}.${event.revision}`, event]));
    for (const [id, { data }] of told) assert.deepEqual(data, byKey.get(id), "the shipped line");
  });

  test("a webhook hears of people, and of those who were people's no more", async (t) => {
    const receiver = await startReceiver(t);
    const worker = await start(t, { vars: { EVENTS_WEBHOOK_URL: receiver.url } });
    const message_id = freshMessage();
    const [person, other] = people(message_id, 2);
    const machine = { ...people(message_id, 3)[2], user_agent: "curl/8.5.0" };
    await bring(worker, [person, other, machine]);
    const clicks = await clicksWhen(worker, message_id, 3, ({ revision }) => revision === 1);
    assert.deepEqual(
      clicks.map(({ click_type }) => click_type),
      ["human", "human", "scanner_declared"],
    );
    const bounced = [{ recipient_id: "r1", bounced_at_ms: LONG_AGO + 1 }];
    const path = `/v1/messages/${message_id}/deliveries`;
    assert.equal((await worker.api(path, { method: "POST", body: bounced })).status, 202);
    await until(() => receiver.taken.length >= 3, { what: "three webhooks" });
    await shipped(worker, 4);
    const told = receiver.taken.map((request) => verified(request));
    const said = told.map(({ type, data }) => [
      data.event_id,
      type,
      data.click_type,
      data.previous_click_type,
    ]);
    assert.deepEqual(
      said.toSorted(),
      [
        [person.event_id, "click.settled", "human", undefined],
        [other.event_id, "click.amended", "scanner_gateway", "human"],
        [other.event_id, "click.settled", "human", undefined],
      ].toSorted(),
    );
  });

  test("a collector gets each pack as the bucket has it, with the key wherever it was named", async (t) => {
    const receiver = await startReceiver(t, (_, n) => (n === 1 ? 503 : 200));
    const worker = await start(t, {
      vars: {
        EVENTS_HTTP_URL: `${receiver.url}/in?token={key}`,
        EVENTS_HTTP_HEADERS: "Authorization: Bearer secretish\nX-Key: {key}",
      },
    });
    await bring(worker, people(freshMessage(), 300));
    await shipped(worker, 300);
    const objects = await worker.r2Objects();
    await until(() => receiver.taken.length >= objects.size, { what: "every pack" });
    assert.ok(receiver.asked > objects.size, "one was refused, and came again");
    const got = receiver.taken.map(({ url, headers, body, method }) => {
      const key = headers["x-key"];
      assert.equal(new URL(url, receiver.url).searchParams.get("token"), key);
      assert.deepEqual(
        [method, headers["content-type"], headers.authorization],
        ["POST", "application/x-ndjson", "Bearer secretish"],
      );
      return [key, body];
    });
    const expected = [...objects].map(([key, { text }]) => [key, text]);
    assert.deepEqual(got.toSorted(), expected.toSorted());
    assert.ok(!JSON.stringify(worker.output).includes("secretish"), "a secret is in no log");
  });

  test("counts come by the minute, no more in a run than the platform takes, and each once", async (t) => {
    const calls = [];
    const worker = await start(t, {
      calls,
      environment: `
        const run = crypto.randomUUID();
        return { STATS: { writeDataPoint(point) { tell("point", { ...point, run }) } } };
      `,
    });
    const message_id = freshMessage();
    await bring(worker, people(message_id, 600));
    const events = await shipped(worker, 600);
    const points = () => calls.filter(({ call }) => call === "point").map(({ value }) => value);
    const sum = () => points().reduce((sum, { doubles }) => sum + doubles[0], 0);
    await until(() => sum() >= events.length, { what: "all counts" });
    assert.equal(sum(), events.length);
    for (const { indexes, blobs, doubles } of points()) {
      assert.match(indexes[0], /^[0-9a-f]{24}$/);
      assert.deepEqual(blobs.slice(0, 5), [message_id, "click", "human", "", ""]);
      assert.match(blobs[5], /^2026-09-01T\d\d:\d\dZ$/);
      assert.deepEqual(doubles, [1, 1]);
    }
    const minutes = new Set(points().map(({ blobs }) => blobs[5]));
    assert.equal(minutes.size, 600, "one each");
    const runs = Map.groupBy(points(), ({ run }) => run);
    for (const run of runs.values()) assert.ok(run.length <= 250, `${run.length} points in a run`);
  });

  test("a stream gets every line as a record, again where it did not answer", async (t) => {
    const calls = [];
    let failed = 0;
    const worker = await start(t, {
      calls,
      holds: () => {
        if (++failed <= 2) throw new Error("down");
      },
      environment: `return { STREAM: { send: (records) => tell("send", records) } }`,
    });
    await bring(worker, people(freshMessage(), 20));
    const events = await shipped(worker, 20);
    const records = () => calls.slice(2).flatMap(({ value }) => value);
    await until(() => records().length >= events.length, { what: "all records" });
    const sorted = (all) => all.toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1));
    assert.deepEqual(sorted(records()), sorted(events));
  });

  test("an alert is raised once, lies in the bucket, and says what is in the schema", async (t) => {
    const receiver = await startReceiver(t);
    const options = { persist: stateDir(t), vars: { ALERT_WEBHOOK_URL: receiver.url, RULESET: "defender" } };
    let worker = await start(t, options);
    const [message_id, other] = [freshMessage(), freshMessage()];
    const crawl = (n, message = message_id) => {
      const { event_id: _, ts_ms, ...record } = people(message, n, { ip: "40.94.1.1" })[n - 1];
      return recordAt(record, ts_ms + 5 * 3_600_000, { accept: "*/*" });
    };
    await bring(worker, [crawl(1)]);
    const alerts = async () => (await worker.r2Events()).filter(({ event }) => event.event === "alert");
    const [{ event }] = await until(async () => {
      const found = await alerts();
      return found.length > 0 && found;
    });
    await bring(worker, [crawl(2)]);
    await shipped(worker, 3);
    await until(() => receiver.taken.length > 0);
    // An isolate that has seen nothing yet: the bucket knows what was told.
    await worker.close();
    worker = await start(t, options);
    await bring(worker, [crawl(3)]);
    await shipped(worker, 4);
    await bring(worker, [crawl(1, other)]);
    await until(() => receiver.taken.length > 1);
    assert.deepEqual(
      receiver.taken.map((taken) => verified(taken).data.message_id),
      [message_id, other],
    );
    assert.equal(violation(event), undefined);
    assert.deepEqual([event.code, event.message_id], ["air_or_mbi", message_id]);
    const { type, data } = verified(receiver.taken[0]);
    assert.deepEqual([type, data], ["alert.raised", event]);
    assert.equal(receiver.taken[0].headers["webhook-id"], `${event.event_id}.1`);
    assert.equal((await until(async () => (await alerts()).length > 1 && alerts())).length, 2);
  });

  for (const sink of [
    "EVENTS_WEBHOOK_URL",
    "EVENTS_HTTP_URL",
    "ALERT_WEBHOOK_URL",
    "STATS",
    "STREAM",
    "FEEDS",
  ]) {
    test(`${sink} that hangs or fails holds up neither the bucket nor another sink`, async (t) => {
      const dead = await startReceiver(t, () => new Promise(() => {}));
      const well = await startReceiver(t);
      const other = sink === "EVENTS_HTTP_URL" ? "EVENTS_WEBHOOK_URL" : "EVENTS_HTTP_URL";
      const ills = {
        STATS: `return { STATS: { writeDataPoint() { throw new Error("no") } } }`,
        STREAM: `return { STREAM: { send: () => new Promise(() => {}) } }`,
        FEEDS: `class WorkerQueue { send() { throw new Error("no") } } return { FEEDS: new WorkerQueue() }`,
      };
      const urls = sink.endsWith("_URL") ? { [sink]: dead.url } : {};
      const worker = await start(t, {
        environment: ills[sink],
        vars: { RULESET: "defender", EVENTS_WEBHOOK_TYPES: "*", ...urls, [other]: well.url },
      });
      const late = people(freshMessage(), 10, { ip: "40.94.1.1" });
      await bring(
        worker,
        late.map(({ event_id: _, ts_ms, ...record }) => recordAt(record, ts_ms + 3 * 3_600_000)),
      );
      const events = await until(async () => {
        const found = (await worker.r2Events()).filter(({ event }) => event.event === "click");
        return found.length >= 10 && found;
      });
      assert.equal(new Set(events.map(({ event }) => event.event_id)).size, 10);
      if (sink === "FEEDS") {
        await worker.waitForLog(({ event }) => event === "feed.unqueued");
        assert.equal(well.asked, 0);
      } else {
        await until(() => well.taken.length > 0, { what: "the other sink" });
      }
      if (sink.endsWith("_URL")) await until(() => dead.asked > 0, { what: "a request that hangs" });
      assert.deepEqual(dead.taken, []);
    });
  }

  test("without a sink nothing is sent to the queue that feeds them", async (t) => {
    const calls = [];
    const worker = await start(t, {
      calls,
      environment: `class WorkerQueue { send() { return tell("fed", 1) } } return { FEEDS: new WorkerQueue() }`,
    });
    await bring(worker, people(freshMessage(), 20));
    await shipped(worker, 20);
    assert.deepEqual(calls, []);
  });
});
