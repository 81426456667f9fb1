// What PRIVACY keeps: clicks, opens and acts whose every fact is marked, and a search for each mark in all that is stored, queued,
// logged, shipped and answered. In mode `full` the same search finds them all, so that it can fail.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Response } from "miniflare";
import {
  chrome,
  explain,
  mintCopy,
  recordAt,
  report,
  settledClicks,
  stateDir,
  tell,
  teller,
} from "./clicks.mjs";
import { behind, startWorker, until } from "./harness.mjs";
import { violation } from "./schema.mjs";

const SECRET = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;

const IP = "203.0.113.177";
const IP6 = "2001:db8:77:7177:7277:7377:7477:7577";
const MAJOR = Number(/Chrome\/(\d+)/.exec(chrome()["User-Agent"])[1]);

/** What a visitor sends: each fact in words that stand nowhere else. */
const VISITOR = {
  ip: IP,
  asn: 64_496,
  country: "IS",
  headers: {
    ...chrome(),
    "User-Agent": `Mozilla/5.0 (Windows NT 10.0; Win64; agentmark) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${MAJOR}.0.7177.77 Safari/537.36`,
    "Sec-CH-UA": `"Chromium";v="${MAJOR}.0.7177.77", "brandmark";v="8"`,
    "Accept-Language": "is-IS,languagemark;q=0.9",
    "X-Forwarded-For": "198.51.100.177",
    Referer: "https://mail.example/referermark?cut",
    Accept: "text/html,acceptmark/x",
    "Sec-Fetch-Site": "sitemark",
    "Sec-Fetch-Mode": "modemark",
    "Sec-Fetch-Dest": "destmark",
    "Sec-Fetch-User": "?usermark",
    "Sec-Purpose": "purposemark",
  },
};

/** What no mode but `full` keeps. */
const NOT_TRUNCATED = [
  IP,
  IP6,
  Buffer.from(IP.split(".").map(Number)),
  "agentmark",
  "7177.77",
  "languagemark",
  "198.51.100.177",
];

/** What mode `verdict` does not keep beside these. */
const NOT_VERDICT = [
  "203.0.113.",
  Buffer.from([203, 0, 113, 0]),
  "2001:db8:77",
  `Chrome/${MAJOR}`,
  "(Windows)",
  "brandmark",
  "referermark",
  "acceptmark",
  "sitemark",
  "modemark",
  "destmark",
  "usermark",
  "purposemark",
  "Example Library",
];

/** How the catalogue names an agent that came: the rules need it, so it is kept for them and never told. */
const NAME = "curl";

/** The names of the fields that mode `verdict` leaves without a value. */
const FACTS = [
  "method",
  "ip",
  "asn",
  "country",
  "user_agent",
  "referer",
  "accept",
  "accept_language",
  "sec_fetch_site",
  "sec_fetch_mode",
  "sec_fetch_dest",
  "sec_fetch_user",
  "sec_purpose",
  "sec_ch_ua",
  "x_forwarded_for",
  "http_protocol",
  "secure",
  "cookie",
  "visitor_id",
  "network",
  "network_vendor",
  "agent",
  "safelinks_referer",
];

/** A receiver that keeps the bodies that it took. */
async function startReceiver(t) {
  const taken = [];
  const server = http.createServer(async (request, response) => {
    taken.push(Buffer.concat(await request.toArray()));
    response.writeHead(204).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.closeAllConnections(), server.close()));
  return { taken, url: `http://127.0.0.1:${server.address().port}/` };
}

// The built worker, whose objects of messages called `lost…` take no clicks, those of `spilled…` none at first; what it hands to
// queues the test sees.
const WATCHED = `
  import Built, { MessageObject as BuiltObject } from "./index.js";
  const watched = (env) => {
    const tell = (body) => env.TEST.fetch("http://test/", { method: "POST", body });
    const queue = (name) => {
      const calls = {
        __proto__: null,
        send: async (body, options) => (await tell(body), env[name].send(body, options)),
        sendBatch: async (messages, options) => {
          const all = [...messages];
          for (const { body } of all) await tell(body);
          return env[name].sendBatch(all, options);
        },
      };
      return new Proxy(env[name], { get: (it, key) => calls[key] ?? it[key] });
    };
    return { ...env, SPILL: queue("SPILL"), EVENTS: queue("EVENTS"), FEEDS: queue("FEEDS") };
  };
  let refused = 0;
  export class MessageObject extends BuiltObject {
    constructor(state, env) {
      super(state, watched(env));
      this.called = state.id.name ?? "";
    }
    async fetch(request) {
      if (this.called.startsWith("lost")) throw new Error("no storage");
      if (this.called.startsWith("spilled") && refused++ < 4) {
        throw Object.assign(new Error("too much"), { retryable: true, overloaded: true });
      }
      return super.fetch(request);
    }
  }
  export default {
    fetch: (request, env, ctx) => Built.fetch(request, watched(env), ctx),
    queue: (batch, env, ctx) => Built.queue(batch, watched(env), ctx),
  };
`;

/** Everything in a directory's files. */
const filesIn = (directory) =>
  Buffer.concat(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name))),
  );

const visitorIn = (response) => {
  const value = /__Host-cp=([\w-]+)/.exec(response.headers.get("set-cookie"))[1];
  // Version and key id stand before it.
  return { value, id: Buffer.from(value, "base64url").subarray(4, 20) };
};

/** Marked requests of every kind under a mode; `{ places, lines, verdicts, visitor }`: all bytes that there are by where, and what is told. */
async function visited(t, privacy) {
  const persist = stateDir(t);
  const hook = await startReceiver(t);
  const collector = await startReceiver(t);
  const queued = [];
  const worker = await startWorker({
    persist,
    vars: {
      PRIVACY: privacy,
      SETTLE_MS: 0,
      WEBHOOK_SECRET: SECRET,
      EVENTS_WEBHOOK_URL: hook.url,
      EVENTS_WEBHOOK_TYPES: "*",
      UNSUBSCRIBE_WEBHOOK_URL: hook.url,
      EVENTS_HTTP_URL: collector.url,
    },
    workers: [teller],
    worker: {
      ...behind(WATCHED),
      serviceBindings: {
        async TEST(request) {
          queued.push(Buffer.from(await request.arrayBuffer()));
          return new Response();
        },
      },
    },
  });
  let closed = false;
  const close = async () => closed || ((closed = true), await worker.close());
  t.after(close);
  const health = await worker.request("/healthz");
  assert.equal(health.status, 200, await health.text());

  const message_id = `kept-${privacy}`;
  const sent_at_ms = Date.now() - 120_000;
  const mint = (links, more) => worker.mint({ message_id, recipient_id: "r1", sent_at_ms, links, ...more });
  const url = "https://shop.example/";
  const { links } = await mint([
    { link_id: "l1", url },
    { link_id: "l2", url },
    { link_id: "o", kind: "open" },
    { link_id: "u", kind: "unsubscribe" },
  ]);
  const [click, again, open, unsubscribe] = links.map(({ href }) => href);

  const visitor = visitorIn(await worker.click(click, VISITOR));
  const headers = { ...VISITOR.headers, Cookie: `__Host-cp=${visitor.value}` };
  await worker.click(again, { ...VISITOR, ip: IP6, headers });
  await worker.click(click, {
    ...VISITOR,
    headers: { ...VISITOR.headers, "User-Agent": "curl/7.177.77 agentmark" },
  });
  await worker.click(click, { ...VISITOR, method: "HEAD" });
  await worker.click(click, { ip: "40.92.1.1", asn: 8075, headers: { "X-Forwarded-For": "198.51.100.177" } });
  await worker.click(open, VISITOR);
  await worker.click(unsubscribe, VISITOR);
  const form = { ...VISITOR.headers, "Content-Type": "application/x-www-form-urlencoded" };
  const body = "List-Unsubscribe=One-Click";
  assert.equal(
    (await worker.click(unsubscribe, { ...VISITOR, method: "POST", headers: form, body })).status,
    200,
  );
  const at = { "Sec-Fetch-Site": "same-origin", Referer: url, Cookie: `__Host-cp=${visitor.value}` };
  await worker.request("/verify", { headers: { ...VISITOR.headers, ...at } });
  await worker.request("/verify", { method: "POST", headers: { ...VISITOR.headers, ...at }, body: "7177" });

  // What the object has no time for waits in a queue, and what it never takes stands in the log.
  const spilled = await mintCopy(worker, { message_id: `spilled-${privacy}`, sent_at_ms });
  for (let n = 0; n < 3; n++) await worker.click(spilled.hrefs[0], { ...VISITOR, headers });
  const lost = await mintCopy(worker, { message_id: `lost-${privacy}`, sent_at_ms });
  await worker.click(lost.hrefs[0], { ...VISITOR, headers });
  const unrecorded = await worker.waitForLog((line) => line.event === "click.unrecorded");

  // Records that are brought along, and the one from the log as it stands there.
  const full = {
    message_id: `brought-${privacy}`,
    recipient_id: "r1",
    link_id: "l1",
    sent_at_ms,
    ip: IP,
    user_agent: VISITOR.headers["User-Agent"],
    accept_language: "languagemark",
    x_forwarded_for: "198.51.100.177",
    referer: "https://mail.example/referermark",
    visitor_id: visitor.id.toString("hex"),
    cookie: "returning",
  };
  const replayed = { ...unrecorded, record: { ...unrecorded.record, message_id: `brought-${privacy}` } };
  const brought = [recordAt(full, sent_at_ms + 60_000), replayed];
  const answer = await worker.api("/v1/records", { method: "POST", body: brought });
  assert.deepEqual(await answer.json(), { stored: 2, known: 0, bad: [] });

  // So does what an edge of an earlier deploy tells the object.
  const earlier = recordAt({ ...full, message_id: `earlier-${privacy}`, kind: "click" }, sent_at_ms + 60_000);
  assert.deepEqual(await tell(worker, earlier.message_id, [earlier]), [204]);
  const old = await settledClicks(worker, earlier.message_id, 1);

  const clicks = await settledClicks(worker, message_id, 7);
  await settledClicks(worker, `spilled-${privacy}`, 3);
  const others = await settledClicks(worker, `brought-${privacy}`, 2);
  const answered = [];
  for (const { event_id } of clicks) answered.push(await explain(worker, message_id, event_id));
  answered.push(...clicks, ...others, ...old, await report(worker, message_id));
  const csv = await worker.request(`/report/${message_id}.csv`, {
    headers: { Authorization: `Basic ${Buffer.from("x:test-api-token-0001").toString("base64")}` },
  });
  assert.equal(csv.status, 200);
  answered.push(await csv.text());
  await until(async () => (await worker.r2Events()).length >= 13, { what: "events in R2" });
  const events = (await worker.r2Events()).map(({ event }) => event);
  for (const event of events) assert.equal(violation(event), undefined, JSON.stringify(event));
  await until(() => collector.taken.length > 0 && hook.taken.length > 1, { what: "what sinks took" });
  await sleep(500);
  const logged = worker.output.map(({ message }) => message).join("\n");
  await close();
  const json = (value) => Buffer.from(JSON.stringify(value));
  return {
    places: {
      stored: filesIn(persist),
      queued: Buffer.concat(queued),
      logged: Buffer.from(logged),
      shipped: json(events),
      posted: Buffer.concat(collector.taken),
      hooked: Buffer.concat(hook.taken),
      answered: json(answered),
    },
    lines: [
      ...worker.logs.filter(({ event }) => event === "click.received"),
      unrecorded.record,
      ...events.filter(({ event }) => event !== "verify"),
      ...clicks,
      ...others,
      ...old,
    ],
    verdicts: clicks.map(({ kind, click_type, vendor, confidence, rule, reasons, verified }) => ({
      kind,
      click_type,
      vendor,
      confidence,
      rule,
      reasons,
      verified,
    })),
    visitor: [visitor.id, visitor.id.toString("hex")],
  };
}

/** Where a mark stands. */
const found = (places, mark) =>
  Object.entries(places)
    .filter(([, bytes]) => bytes.includes(mark))
    .map(([place]) => place);

describe("privacy", () => {
  let judged;

  test("full keeps every fact, and the search finds it wherever it is", async (t) => {
    const { places, verdicts, visitor } = await visited(t, "full");
    judged = verdicts;
    const places_of = Object.keys(places);
    const seen = new Set();
    const kept = NOT_VERDICT.filter((mark) => !["(Windows)", "Example Library"].includes(mark));
    for (const mark of [...NOT_TRUNCATED, ...kept.filter((mark) => typeof mark === "string"), ...visitor]) {
      const where = found(places, mark);
      assert.ok(where.length > 0, `${mark} is found nowhere`);
      where.forEach((place) => seen.add(place));
    }
    assert.deepEqual([...seen].toSorted(), places_of.toSorted(), "the search looks into each place");
    assert.ok(found(places, NAME).includes("answered"));
    assert.ok(found(places, "languagemark").length >= 6, `${found(places, "languagemark")}`);
  });

  test("truncated keeps no address, full agent, language, visitor or forwarded address", async (t) => {
    const { places, lines, verdicts, visitor } = await visited(t, "truncated");
    for (const mark of [...NOT_TRUNCATED, ...visitor]) assert.deepEqual(found(places, mark), [], `${mark}`);
    for (const line of lines) {
      const { accept_language, visitor_id, x_forwarded_for } = line;
      assert.deepEqual([accept_language, visitor_id, x_forwarded_for], [null, null, null]);
    }
    const [first, second] = lines;
    assert.deepEqual([first.ip, second.ip], ["203.0.113.0", "2001:db8:77::"]);
    assert.equal(first.user_agent, `Mozilla/5.0 (Windows) Chrome/${MAJOR}`);
    assert.deepEqual([first.country, first.asn, first.cookie], ["IS", 64_496, "new"], "the rest is kept");
    assert.ok(found(places, "referermark").length > 0);
    assert.deepEqual(verdicts, judged, "and judged alike");
  });

  test("verdict keeps none of the request's facts", async (t) => {
    const { places, lines, verdicts, visitor } = await visited(t, "verdict");
    const marks = [...NOT_TRUNCATED, ...NOT_VERDICT, ...visitor];
    for (const mark of marks) assert.deepEqual(found(places, mark), [], `${mark}`);
    const kept = found(places, NAME).filter((place) => !["stored", "queued"].includes(place));
    assert.deepEqual(kept, [], NAME);
    assert.ok(lines.length > 20);
    for (const line of lines) {
      for (const name of FACTS) assert.equal(line[name] ?? null, null, `${name} of ${JSON.stringify(line)}`);
    }
    assert.ok(lines.some(({ network_class }) => network_class === "scanner-certain"));
    assert.deepEqual(verdicts, judged, "and judged alike");
  });
});
