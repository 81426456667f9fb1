// Settings, secrets and bindings: what is bad is named, and stops no redirect.

import assert from "node:assert/strict";
import path from "node:path";
import { before, test } from "node:test";
import { unstable_readConfig as readConfig } from "wrangler";
import { root } from "../../src/dev/run.mjs";
import {
  DESTINATION,
  clickAndRecord,
  clicksWhen,
  freshMessage,
  mintCopy,
  settledClicks,
  stateDir,
} from "./clicks.mjs";
import { LINK_KEYS, WELL, startWorker, until } from "./harness.mjs";

const key = (kid, fill, bytes = 32) => `${kid}:${Buffer.alloc(bytes, fill).toString("base64")}`;

const MINTED = JSON.stringify({
  message_id: "m",
  recipient_id: "r",
  sent_at_ms: 1_790_000_000_000,
  links: [{ link_id: "l", url: DESTINATION }],
});

async function start(t, options) {
  const worker = await startWorker(options);
  t.after(() => worker.close());
  return worker;
}

/** A link that any worker with the usual keys opens. */
let href;
before(async () => {
  const worker = await startWorker();
  href = (await mintCopy(worker)).hrefs[0];
  await worker.close();
});

/** Checks that /healthz and the log name exactly these, that /v1 says so, and that a link redirects all the same. */
async function assertNamed(worker, names) {
  const response = await worker.click(href);
  assert.equal(response.status, 302);
  assert.equal(response.headers.get("location"), DESTINATION);

  const sorted = names.toSorted();
  const health = await worker.request("/healthz");
  assert.equal(health.status, 500);
  const lines = (await health.text()).trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => line.split(":")[0]).toSorted(), sorted);

  // A call is refused where it needs what is bad; any other says how much there is.
  for (const [call, init, needs] of [
    ["/v1/messages/m", {}, ["MESSAGES"]],
    ["/v1/links", { method: "POST", body: MINTED }, ["LINK_KEYS", "PUBLIC_URL", "PIXEL_URL"]],
  ]) {
    const api = await worker.api(call, init);
    const bad = lines.filter((line) => needs.includes(line.split(":")[0]));
    assert.equal(api.status, bad.length > 0 ? 500 : 200, call);
    if (bad.length > 0) {
      const { error } = await api.json();
      assert.equal(error.code, "misconfigured");
      assert.equal(error.message, bad.join("; "));
    } else {
      assert.equal(api.headers.get("x-clickproof-problems"), String(names.length));
    }
  }

  const logged = () => worker.logs.filter(({ event }) => event === "config.problem");
  await worker.waitForLog(() => logged().length >= names.length);
  assert.deepEqual(new Set(logged().map(({ subject }) => subject)), new Set(sorted));
  return lines;
}

test("a typo in every setting at once: each is named, links redirect and the defaults hold", async (t) => {
  const typos = {
    PUBLIC_URL: "click.brand.example",
    PIXEL_URL: "//img.brand.example",
    API_HOST: "https://api.brand.example",
    HOME_URL: "brand.example",
    ABUSE_CONTACT: "brand.example",
    RULESET: "defnder",
    SHADOW_RULESET: "fulll",
    SETTLE_MS: "6OOOO",
    SAFELINKS_DELIVERY_MS: "5s",
    PAIR_MS: -1,
    SANDBOX_MS: 0.5,
    SANDBOX_CLICKS: 0,
    CAMPAIGN_MS: "1e3",
    CAMPAIGN_RECIPIENTS: "many",
    LATE_MS: "3600000ms",
    RETENTION_DAYS: "forever",
    PRIVACY: "none",
    LOG: "none",
    COOKIE: "yes",
    COOKIE_SAMESITE: "Loose",
    CLICK_REF_PARAM: "a b",
    BRAND_NAME: 5,
    BRAND_COLOR: "red",
    EVENTS_WEBHOOK_URL: "hooks.example",
    EVENTS_WEBHOOK_TYPES: "humans",
    EVENTS_HTTP_URL: "hooks.example/{key}",
    EVENTS_HTTP_HEADERS: "no header",
    ALERT_WEBHOOK_URL: "hooks.example",
    UNSUBSCRIBE_WEBHOOK_URL: "hooks.example",
    WEBHOOK_SECRET: "short",
    PAIRS_MS: 500,
    cookie: "on",
  };
  const worker = await start(t, { vars: typos });
  await assertNamed(worker, Object.keys(typos));
  const { response } = await clickAndRecord(worker, href);
  assert.match(response.headers.get("set-cookie"), /SameSite=Lax/);
});

test("the platform is told to log no whole requests: they hold what our own lines leave out", () => {
  const { observability } = readConfig({ config: path.join(root, "wrangler.toml") }, { hideWarnings: true });
  assert.deepEqual({ ...observability.logs }, { enabled: true, invocation_logs: false });
});

test("a webhook without its secret is named, and the secret is not shown", async (t) => {
  const url = { UNSUBSCRIBE_WEBHOOK_URL: "https://hooks.example/" };
  await assertNamed(await start(t, { vars: url }), ["WEBHOOK_SECRET"]);
  const good = { ...url, WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 3).toString("base64")}` };
  const others = { CLICK_REF_PARAM: "cp", BRAND_NAME: "Käse & Co", BRAND_COLOR: "#336699" };
  const worker = await start(t, { vars: { ...good, ...others } });
  assert.equal(await (await worker.request("/healthz")).text(), WELL);
});

test("numbers are taken as numbers and as strings, and obeyed", async (t) => {
  const obeyed = async (text) => {
    const worker = await start(t, {
      vars: {
        SETTLE_MS: text(0),
        SAFELINKS_DELIVERY_MS: text(5000),
        PAIR_MS: text(500),
        SANDBOX_MS: text(60000),
        SANDBOX_CLICKS: text(2),
        CAMPAIGN_MS: text(60000),
        CAMPAIGN_RECIPIENTS: text(30),
        LATE_MS: text(3600000),
      },
    });
    assert.equal(await (await worker.request("/healthz")).text(), WELL);
    const { message_id, hrefs } = await mintCopy(worker, { urls: [DESTINATION, `${DESTINATION}&2`] });
    for (const href of hrefs) await worker.click(href, { ip: "40.92.1.1" });
    const clicks = await settledClicks(worker, message_id, 2);
    assert.deepEqual(
      clicks.map(({ click_type }) => click_type),
      ["scanner_safe_attachments", "scanner_safe_attachments"],
      "two clicks are a sandbox, two seconds after them",
    );
  };
  await Promise.all([(number) => number, String].map(obeyed));
});

test("an empty setting is an absent one", async (t) => {
  const worker = await start(t, {
    vars: { PUBLIC_URL: "", SETTLE_MS: "", CLICK_REF_PARAM: "", RULESET: "" },
  });
  assert.equal(await (await worker.request("/healthz")).text(), WELL);
});

test("RULESET decides, and every verdict says which it was", async (t) => {
  for (const [RULESET, label] of [
    ["defender", /^defender/],
    ["full", /^full@/],
  ]) {
    const worker = await start(t, { vars: { RULESET } });
    const { message_id, hrefs } = await mintCopy(worker);
    await worker.click(hrefs[0]);
    const [{ ruleset }] = await clicksWhen(worker, message_id, 1);
    assert.match(ruleset, label);
  }
});

test("a SHADOW_RULESET that is none, or the one that judges anyway, is named, and links redirect", async () => {
  for (const [RULESET, SHADOW_RULESET, words] of [
    [
      undefined,
      "full",
      /^SHADOW_RULESET: is the ruleset that judges anyway; name the other one or remove it$/,
    ],
    ["defender", "defender", /judges anyway/],
    ["full", "fulll", /^SHADOW_RULESET: must be one of defender, full; no shadow judges$/],
    ["full", "full@3", /must be one of/],
    ["full", 1, /must be a string/],
  ]) {
    const worker = await startWorker({ vars: { RULESET, SHADOW_RULESET } });
    const [line] = await assertNamed(worker, ["SHADOW_RULESET"]);
    assert.match(line, words);
    await worker.close();
  }
});

test("one bad key among LINK_KEYS is named; links of the good ones still open", async () => {
  const short = Buffer.alloc(31, 9).toString("base64");
  for (const bad of [`k2:${short}`, "k2", "k2:no base64!", `:${Buffer.alloc(32).toString("base64")}`]) {
    for (const LINK_KEYS_ of [`${LINK_KEYS},${bad}`, `${bad},${LINK_KEYS}`]) {
      const worker = await startWorker({ vars: { LINK_KEYS: LINK_KEYS_ } });
      const lines = await assertNamed(worker, ["LINK_KEYS"]);
      assert.ok(!lines.join().includes(short), "a key is never shown");
      await worker.close();
    }
  }
});

test("without LINK_KEYS a link is neither opened nor called wrong: 503, and later again", async () => {
  for (const LINK_KEYS of [undefined, "", "k1:short"]) {
    const worker = await startWorker({ vars: { LINK_KEYS } });
    for (const method of ["GET", "HEAD"]) {
      const response = await worker.click(href, { method });
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("location"), null);
      assert.match(response.headers.get("retry-after"), /^\d+$/);
      assert.equal(response.headers.get("set-cookie"), null);
    }
    const health = await worker.request("/healthz");
    assert.equal(health.status, 500);
    assert.match(await health.text(), /^LINK_KEYS: /);
    assert.equal((await worker.api("/v1/links", { method: "POST", body: MINTED })).status, 500);
    await worker.close();
  }
});

test("missing bindings are named, and links redirect", async (t) => {
  const all = { durableObjects: {}, queueProducers: {}, queueConsumers: {}, r2Buckets: {} };
  const none = await start(t, { worker: all });
  await assertNamed(none, ["MESSAGES", "EVENTS", "SPILL", "ARCHIVE"]);
  for (const [option, ...names] of [
    ["durableObjects", "MESSAGES"],
    ["queueProducers", "EVENTS", "SPILL"],
    ["r2Buckets", "ARCHIVE"],
  ]) {
    const worker = await start(t, { worker: { [option]: {} } });
    await assertNamed(worker, names);
  }
});

test("a binding of another kind than it must be is named", async (t) => {
  const worker = await start(t, { worker: { r2Buckets: {}, kvNamespaces: ["ARCHIVE"] } });
  await assertNamed(worker, ["ARCHIVE"]);
});

test("minted links begin with PUBLIC_URL, else with the request's own origin", async (t) => {
  const own = await start(t);
  const { hrefs } = await mintCopy(own);
  assert.ok(hrefs[0].startsWith(`${own.origin.replace(/\/$/, "")}/c/`), hrefs[0]);

  for (const PUBLIC_URL of ["https://click.brand.example", "https://click.brand.example/"]) {
    const worker = await start(t, { vars: { PUBLIC_URL } });
    const { hrefs } = await mintCopy(worker);
    assert.ok(hrefs[0].startsWith("https://click.brand.example/c/"), hrefs[0]);
    assert.equal((await worker.click(hrefs[0])).status, 302);
  }
});

test("open pixels begin with PIXEL_URL, else with what links begin with", async (t) => {
  const message = freshMessage("pixels");
  const links = [
    { link_id: "pixel", kind: "open" },
    { link_id: "cta", url: DESTINATION },
    { link_id: "bye", kind: "unsubscribe" },
  ];
  const body = { message_id: message, recipient_id: "r1", sent_at_ms: Date.now(), links };
  const PUBLIC_URL = "https://click.brand.example";
  for (const [PIXEL_URL, host] of [
    ["https://img.brand.example/", "https://img.brand.example"],
    [undefined, PUBLIC_URL],
  ]) {
    const worker = await start(t, { vars: { PUBLIC_URL, PIXEL_URL } });
    const { links: minted } = await worker.mint(body);
    assert.deepEqual(
      minted.map(({ href }) => href.replace(/[^/]+$/, "")),
      [`${host}/o/`, `${PUBLIC_URL}/c/`, `${PUBLIC_URL}/u/`],
    );
    const { pathname } = new URL(minted[0].href);
    assert.equal((await worker.request(pathname)).headers.get("content-type"), "image/gif");
  }
});

test("with API_HOST the API answers on that host alone, links and health on every host", async (t) => {
  const worker = await start(t, { vars: { API_HOST: "API.brand.example" } });
  const on = (origin, path) =>
    worker.api(path, { headers: { "MF-Original-URL": `${origin}${path}`, "CF-Connecting-IP": "192.0.2.1" } });

  for (const origin of ["https://api.brand.example", "http://api.brand.example:8080"]) {
    assert.equal((await on(origin, "/v1/messages/m")).status, 200, origin);
  }
  const elsewhere = ["https://click.brand.example", "https://api.brand.example.evil.example", worker.origin];
  for (const origin of elsewhere) {
    for (const path of ["/v1/messages/m", "/v1/links", "/v1"]) {
      assert.equal((await on(origin.replace(/\/$/, ""), path)).status, 404, `${origin} ${path}`);
    }
    assert.equal((await on(origin.replace(/\/$/, ""), "/healthz")).status, 200);
  }
});

test("keys rotate: old links open, new ones carry the new key, a retired key's links do not open", async (t) => {
  const [old, fresh] = [key("k1", 7), key("k2", 8, 48)];
  const run = (LINK_KEYS) => start(t, { vars: { LINK_KEYS } });
  const cookie = (response) => response.headers.get("set-cookie").split(";")[0];

  const before = await run(old);
  const { hrefs: oldLinks } = await mintCopy(before);
  const { response, record } = await clickAndRecord(before, oldLinks[0]);

  const during = await run(`${fresh},${old}`);
  const { hrefs: newLinks } = await mintCopy(during);
  for (const href of [...oldLinks, ...newLinks]) {
    const again = await clickAndRecord(during, href, { headers: { Cookie: cookie(response) } });
    assert.equal(again.response.headers.get("location"), DESTINATION);
    assert.equal(again.record.visitor_id, record.visitor_id, "the visitor is still known");
  }

  const later = await run(fresh);
  assert.equal((await later.click(newLinks[0])).status, 302, "signed by the first key");
  assert.equal((await later.click(oldLinks[0])).status, 404);
  await later.waitForLog(({ event, reason }) => event === "link.refused" && reason === "unknown_key");
  assert.equal((await before.click(newLinks[0])).status, 404);

  const swapped = await run(key("k1", 99));
  assert.equal((await swapped.click(oldLinks[0])).status, 404, "another key under the old name");
  await swapped.waitForLog(({ event, reason }) => event === "link.refused" && reason === "forged");
});

test("a key may be base64 or base64url, with or without padding, and spaces do no harm", async () => {
  const bytes = Buffer.alloc(32, 0xfb);
  const href = await (async () => {
    const worker = await startWorker({ vars: { LINK_KEYS: `k1:${bytes.toString("base64")}` } });
    const { hrefs } = await mintCopy(worker);
    await worker.close();
    return hrefs[0];
  })();
  for (const text of [bytes.toString("base64url"), bytes.toString("base64").replace(/=+$/, "")]) {
    const worker = await startWorker({ vars: { LINK_KEYS: ` k1:${text} ` } });
    assert.equal((await worker.click(href)).status, 302, text);
    assert.equal((await worker.request("/healthz")).status, 200);
    await worker.close();
  }
});

test("a deploy with other settings goes on with the messages that it finds", async (t) => {
  const persist = stateDir(t);
  const before = await startWorker({ persist });
  const { message_id, hrefs } = await mintCopy(before);
  await before.click(hrefs[0]);
  await clicksWhen(before, message_id, 1);
  await before.close();
  const after = await start(t, { persist, vars: { SETTLE_MS: 0, RULESET: "defender" } });
  const [click] = await settledClicks(after, message_id, 1);
  assert.equal(click.click_type, "human");
  assert.match(click.ruleset, /^defender/);
});

test("LOG=loss: no request has a line, and what no object took has its own", async (t) => {
  const vars = { LOG: "loss", SETTLE_MS: 0 };
  const worker = await start(t, { vars });
  const { message_id, hrefs } = await mintCopy(worker);
  const links = [
    { link_id: "pixel", kind: "open" },
    { link_id: "out", kind: "unsubscribe" },
  ];
  const copy = { message_id, recipient_id: "r2", sent_at_ms: Date.now(), links };
  const [pixel, out] = (await worker.mint(copy)).links.map(({ href }) => href);
  const cookie = (await worker.click(hrefs[0])).headers.get("set-cookie").split(";")[0];
  assert.equal((await worker.click(pixel)).status, 200);
  assert.equal((await worker.click("forged")).status, 404);
  assert.equal((await worker.click("/verify", { headers: { Cookie: cookie } })).status, 200);
  assert.equal((await worker.click("/verify")).status, 200);
  const act = (body) =>
    worker.click(out, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body,
    });
  assert.equal((await act("List-Unsubscribe=One-Click")).status, 200);
  assert.equal((await act("nothing")).status, 400);
  // By then the object has settled them, and the consumer has written them.
  await until(async () => {
    const kinds = new Set((await worker.r2Events()).map(({ event }) => event.event));
    return ["click", "open", "unsubscribe", "verify"].every((kind) => kinds.has(kind));
  });
  assert.deepEqual(worker.logs, []);

  const lost = await start(t, { vars, worker: { durableObjects: {} } });
  assert.equal((await lost.click(hrefs[0])).status, 302);
  assert.equal((await lost.click(pixel)).status, 200);
  const told = () => lost.logs.filter(({ event }) => event === "click.unrecorded");
  await lost.waitForLog(() => told().length === 2);
  assert.deepEqual(
    told()
      .map(({ record }) => record.kind)
      .toSorted(),
    ["click", "open"],
  );
  assert.deepEqual(
    new Set(lost.logs.map(({ event }) => event)),
    new Set(["config.problem", "click.unrecorded"]),
  );
});
