// The open pixel: an image at once whatever happens, an open with a verdict of its own, and nothing of it in what is said
// of clicks.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  asListed,
  DESTINATION,
  MICROSOFT,
  chrome,
  classified,
  clicksWhen,
  findingOf,
  flushLogs,
  freshMessage,
  listClicks,
  ownHeaders,
  recordIn,
  recordOf,
  report,
  settledClicks,
  shippedEvents,
} from "./clicks.mjs";
import { startWorker } from "./harness.mjs";

const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==", "base64");

// By ruleset and by key another house than the worker.
const FOREIGN_KEYS = `k1:${Buffer.alloc(32, 8).toString("base64")}`;

let worker, defender;
before(async () => {
  worker = await startWorker({ vars: { SETTLE_MS: 0 } });
  defender = await startWorker({ vars: { SETTLE_MS: 0, RULESET: "defender", LINK_KEYS: FOREIGN_KEYS } });
});
after(() => Promise.all([worker?.close(), defender?.close()]));

const agent = (name, rest = {}) => ({ ...rest, headers: { "User-Agent": name } });

/** Who loads a pixel, and what that is. */
const VISITORS = {
  "Gmail's image proxy": {
    by: agent("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", {
      ip: "66.249.84.1",
      asn: 15169,
      country: "US",
    }),
    is: ["proxy_open", "google", "certain", "image_proxy", null],
  },
  "Apple's prefetch": {
    by: agent("Mozilla/5.0", { ip: "104.28.28.1", asn: 13335, country: "DE" }),
    is: ["proxy_open", "apple", "probable", "image_proxy", null],
  },
  "Microsoft's filter": {
    by: { ...MICROSOFT, headers: { "User-Agent": chrome()["User-Agent"] } },
    is: ["scanner_gateway", "microsoft", "certain", "scanner_network", "US"],
  },
  "a library": {
    by: agent("python-requests/2.32.3", { ip: "203.0.113.8", country: "NL" }),
    is: ["scanner_declared", null, "certain", "declared", "NL"],
  },
  "a person's mail program": {
    by: agent(
      "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Microsoft Outlook 16.0.17928; ms-office)",
      { ip: "203.0.113.9", country: "CH" },
    ),
    is: ["human", null, "probable", "human", "CH"],
  },
};

/** A copy with one link and one pixel: `{message_id, href, pixel}`, the latter two as paths. */
async function copy(at = worker) {
  const message_id = freshMessage("open");
  const { links } = await at.mint({
    message_id,
    recipient_id: "r1",
    sent_at_ms: Date.now() - 120_000,
    links: [
      { link_id: "cta", url: DESTINATION },
      { link_id: "pixel", kind: "open" },
    ],
  });
  const [href, pixel] = links.map(({ href }) => new URL(href).pathname);
  return { message_id, href, pixel };
}

async function assertGif(response) {
  assert.equal(response.status, 200);
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), GIF);
}

/** One open by each visitor, in their order. */
async function openByAll(at, pixel) {
  for (const { by } of Object.values(VISITORS)) await assertGif(await at.click(`${pixel}.gif`, by));
}

describe("the answer", { concurrency: true }, () => {
  test("it is the image of one pixel, with and without .gif, that nobody keeps and any page may show", async () => {
    const { message_id, pixel } = await copy();
    for (const path of [pixel, `${pixel}.gif`, `${pixel}.gif?width=600`]) {
      const response = await worker.click(path);
      assert.deepEqual(ownHeaders(response), {
        "content-type": "image/gif",
        "cache-control": "no-store, private",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "cross-origin",
      });
      await assertGif(response);
    }
    const opens = await clicksWhen(worker, message_id, 3);
    for (const { kind, link_id, url, cookie, visitor_id, method } of opens) {
      assert.deepEqual([kind, link_id, url ?? null, method], ["open", "pixel", null, "GET"]);
      assert.deepEqual([cookie ?? null, visitor_id ?? null], [null, null], "no cookie is set or read");
    }
  });

  test("HEAD has the headers alone: it is logged, and no open", async () => {
    const { message_id, pixel } = await copy();
    const head = await worker.click(`${pixel}.gif`, { method: "HEAD" });
    const get = await worker.click(`${pixel}.gif`);
    assert.deepEqual([head.status, ownHeaders(head)], [200, ownHeaders(get)]);
    assert.equal(await head.text(), "");
    await settledClicks(worker, message_id, 1);
    await flushLogs(worker);
    const methods = worker.logs
      .filter((line) => line.event === "click.received" && line.message_id === message_id)
      .map(({ method, kind }) => [method, kind]);
    assert.deepEqual(methods, [
      ["HEAD", "open"],
      ["GET", "open"],
    ]);
    assert.deepEqual(
      (await listClicks(worker, message_id)).map(({ method }) => method),
      ["GET"],
    );
  });

  test("another method is refused and records nothing", async () => {
    const { message_id, pixel } = await copy();
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const response = await worker.click(pixel, { method });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"], method);
    }
    await worker.click(pixel);
    await settledClicks(worker, message_id, 1);
    assert.equal((await listClicks(worker, message_id)).length, 1);
  });

  test("a token that is bad, another house's or a click's is a page that says so", async () => {
    const [own, foreign] = [await copy(), await copy(defender)];
    const spoilt = own.pixel.slice(0, -4) + (own.pixel.endsWith("AAAA") ? "BBBB" : "AAAA");
    const asOpen = own.href.replace("/c/", "/o/");
    for (const path of ["/o/", "/o/.gif", "/o/x", spoilt, `${spoilt}.gif`, foreign.pixel, asOpen]) {
      for (const method of ["GET", "HEAD"]) {
        const response = await worker.click(path, { method });
        assert.equal(response.status, 404, path);
        assert.match(response.headers.get("content-type"), /^text\/html/, path);
        if (method === "GET") assert.match(await response.text(), /This link does not work/);
      }
    }
    const asClick = await worker.click(own.pixel.replace("/o/", "/c/"));
    assert.deepEqual([asClick.status, asClick.headers.get("location")], [404, null]);
    await worker.click(own.pixel);
    assert.equal((await settledClicks(worker, own.message_id, 1)).length, 1, "none of them was recorded");
  });
});

describe("the open", { concurrency: true }, () => {
  test("each has the opens' verdict, and a proxy's place is not its reader's", async () => {
    const { message_id, pixel } = await copy();
    await openByAll(worker, pixel);
    const opens = await settledClicks(worker, message_id, 5);
    for (const [at, [who, { is }]] of Object.entries(VISITORS).entries()) {
      const { kind, click_type, vendor, confidence, rule, country, is_bot, is_defender_bot } = opens[at];
      assert.deepEqual([click_type, vendor, confidence, rule, country ?? null], is, who);
      assert.equal(kind, "open");
      assert.deepEqual([is_bot, is_defender_bot], [click_type.startsWith("scanner_"), false], who);
    }
    await flushLogs(worker);
    const lines = worker.logs.filter((line) => line.message_id === message_id);
    for (const line of lines.filter((line) => line.user_agent.includes("GoogleImageProxy"))) {
      assert.equal(line.country ?? null, null, "nor is it logged");
    }
    assert.equal(lines.length, 5);
  });

  test("it is shipped as an open, with what the API lists", async () => {
    const { message_id, pixel } = await copy();
    await openByAll(worker, pixel);
    const events = (await shippedEvents(worker, message_id, 5)).map(({ event }) => event);
    const listed = await settledClicks(worker, message_id, 5);
    events.sort((a, b) => (a.event_id < b.event_id ? -1 : 1));
    assert.ok(events.every(({ event }) => event === "open"));
    assert.deepEqual(events.map(asListed), listed);
  });

  test("the command line says the same of the same records", async () => {
    const { message_id, href, pixel } = await copy();
    await openByAll(worker, pixel);
    await worker.click(href, { headers: chrome() });
    const listed = await settledClicks(worker, message_id, 6);
    assert.deepEqual(listed.map(findingOf), (await classified(listed)).map(findingOf));
  });

  test("under the published table it is no click", async () => {
    const { message_id, pixel } = await copy(defender);
    await openByAll(defender, pixel);
    const opens = await settledClicks(defender, message_id, 5);
    for (const { kind, click_type, rule, is_bot, reasons, ruleset } of opens) {
      assert.deepEqual([kind, click_type, rule, is_bot], ["open", null, "not_a_click", false]);
      assert.deepEqual([reasons, ruleset], [[], "defender@1"]);
    }
    const batch = await classified(opens, "--ruleset", "defender");
    assert.deepEqual(opens.map(findingOf), batch.map(findingOf));
  });

  test("it counts as no click, however often", async () => {
    const { message_id, pixel } = await copy();
    await openByAll(worker, pixel);
    // More than a hundred a minute are counted on one of them.
    for (let n = 0; n < 100; n++) await worker.click(pixel, VISITORS["a person's mail program"].by);
    const counted = await clicksWhen(worker, message_id, 100, (open) => open.final);
    assert.ok(counted.some(({ repeats }) => repeats > 0));
    const nobody = await report(worker, freshMessage("nobody"));
    const { opens, ...found } = await report(worker, message_id);
    assert.equal(opens.total, counted.length);
    const { opens: none, first_ms, last_ms, known, ...expected } = { ...nobody, message_id };
    delete found.first_ms;
    delete found.last_ms;
    assert.deepEqual([none.total, first_ms, last_ms, known], [0, null, null, false]);
    assert.deepEqual(found, { ...expected, known: true });
  });

  test("it changes nothing that is said of clicks", async () => {
    const { message_id, href, pixel } = await copy();
    // From one source: opens enough for a sandbox's burst and a convicted source, before and after the click.
    for (const from of [MICROSOFT, { ip: "203.0.113.8" }]) {
      const opener = { ...from, headers: { "User-Agent": "python-requests/2.32.3" } };
      for (let n = 0; n < 6; n++) await worker.click(pixel, opener);
      await worker.click(href, { ...from, headers: chrome() });
      for (let n = 0; n < 6; n++) await worker.click(pixel, opener);
    }
    const listed = await settledClicks(worker, message_id, 26);
    const clicks = listed.filter(({ kind }) => kind === "click");
    const alone = await classified(clicks);
    assert.deepEqual(clicks.map(findingOf), alone.map(findingOf), "as without any open");
    assert.equal(clicks[1].click_type, "human");
    const { totals, clicks: count } = await report(worker, message_id);
    assert.equal(count, 2, JSON.stringify(totals));
  });
});

for (const [what, bindings] of [
  ["without a Durable Object", { durableObjects: {} }],
  [
    "with nothing bound at all",
    { durableObjects: {}, queueProducers: {}, queueConsumers: {}, r2Buckets: {} },
  ],
]) {
  test(`${what} the image comes, and the loss is told`, async (t) => {
    const broken = await startWorker({ worker: bindings });
    t.after(() => broken.close());
    const { pixel } = await copy();
    await assertGif(await broken.click(`${pixel}.gif`, VISITORS["Gmail's image proxy"].by));
    const lost = await broken.waitForLog(({ event }) => event === "click.unrecorded");
    const line = broken.logs.find(({ event }) => event === "click.received");
    assert.deepEqual(lost.record, recordIn(line));
    assert.equal(recordOf(lost.record).kind, "open");
  });
}
