// Links that act: what a scanner does to them does nothing, what a person or a mail provider does is done once, and the
// sender hears of it whatever happens to its webhook.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import {
  BARRACUDA,
  DESTINATION,
  chrome,
  flushLogs,
  freshMessage,
  listClicks,
  mintCopy,
  ownHeaders,
  received,
  recordIn,
  report,
  settledClicks,
  shippedEvents,
} from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

const SECRET = Buffer.alloc(32, 9);
const WEBHOOK_SECRET = `whsec_${SECRET.toString("base64")}`;
const FORM = "application/x-www-form-urlencoded";

/** Where a sender takes webhooks. `answer(request, response)` may be exchanged by a test. */
async function startReceiver() {
  const receiver = { requests: [], answer: (_, response) => response.writeHead(204).end() };
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    receiver.requests.push({ headers: request.headers, body, at: Date.now(), ...JSON.parse(body) });
    receiver.answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  receiver.url = `http://127.0.0.1:${server.address().port}/hooks`;
  receiver.about = (message_id) => receiver.requests.filter(({ data }) => data.message_id === message_id);
  receiver.close = () => (server.closeAllConnections(), server.close());
  return receiver;
}

async function startPair(t, options = {}) {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  const worker = await startWorker({
    ...options,
    vars: { SETTLE_MS: 0, UNSUBSCRIBE_WEBHOOK_URL: receiver.url, WEBHOOK_SECRET, ...options.vars },
  });
  t.after(() => worker.close());
  return { receiver, worker };
}

let receiver, worker;
before(async () => {
  receiver = await startReceiver();
  const vars = { SETTLE_MS: 0, UNSUBSCRIBE_WEBHOOK_URL: receiver.url, WEBHOOK_SECRET };
  worker = await startWorker({ vars: { ...vars, BRAND_NAME: `<b>"Käse" & 'Co'</b>` } });
});
after(async () => {
  await worker?.close();
  receiver?.close();
});

/** A link that acts, minted: `{message_id, href, headers}`. */
async function mintAct(at, kind = "unsubscribe", more = {}) {
  const message_id = freshMessage(kind);
  const { links, headers } = await at.mint({
    message_id,
    recipient_id: "r1",
    sent_at_ms: Date.now() - 3_600_000,
    links: [{ link_id: "act", kind, ...more }],
  });
  return { message_id, href: links[0].href, headers };
}

const stampIn = (html) => /name="stamp" value="([\w-]+)"/.exec(html)?.[1];
const undoIn = (html) => /name="undo" value="([\w-]+)"/.exec(html)?.[1];

/** Sends a form as the page's own button does, from a browser. */
const submit = (at, href, body, { headers, ...init } = {}) =>
  at.click(href, {
    method: "POST",
    body,
    headers: {
      ...chrome(),
      "Sec-Fetch-Site": "same-origin",
      Origin: "null",
      "Content-Type": FORM,
      ...headers,
    },
    ...init,
  });

/** Opens the page and presses its button until that is no longer too soon; returns the answer. */
async function press(at, href, init) {
  const stamp = stampIn(await (await at.click(href, { headers: chrome() })).text());
  return pressOn(at, href, `stamp=${stamp}`, init);
}

/** Sends a form until that is no longer too soon; returns the answer. */
function pressOn(at, href, form, init) {
  return until(
    async () => {
      const response = await submit(at, href, form, init);
      return response.status !== 400 && response;
    },
    { every: 100, what: "a stamp old enough" },
  );
}

/** Checks the signature as Standard Webhooks describe it. */
function assertSigned({ headers, body, at }) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = headers;
  const hmac = createHmac("sha256", SECRET).update(`${id}.${timestamp}.${body}`).digest("base64");
  assert.equal(signature, `v1,${hmac}`);
  // As near as the specification's libraries want it.
  assert.ok(Math.abs(at / 1000 - Number(timestamp)) < 300, timestamp);
  assert.equal(headers["content-type"], "application/json");
}

const told = (at, message_id, count = 1) =>
  until(() => at.about(message_id).length >= count && at.about(message_id), { what: "the webhook" });

function assertPage(response, status) {
  assert.equal(response.status, status);
  const { "content-security-policy": policy, ...headers } = ownHeaders(response);
  assert.match(
    policy,
    /^default-src 'none'; style-src 'nonce-[\w+/]{22}=='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
  );
  const own = {
    "cache-control": "no-store, private",
    "content-type": "text/html; charset=utf-8",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
    ...(status === 503 && { "retry-after": "60" }),
  };
  assert.deepEqual(headers, own, "no cookie, no Location");
}

describe("a link that acts", { concurrency: true }, () => {
  test("a scanner that opens it again and again and submits every form at once does nothing", async () => {
    const TIMES = 30;
    /** Does so with a link; null where a second went by between a page and its form, which then acts. */
    const submitAtOnce = async (kind) => {
      const { message_id, href } = await mintAct(
        worker,
        kind,
        kind === "confirm" ? { url: DESTINATION } : {},
      );
      for (let n = 0; n < TIMES; n++) {
        const head = await worker.click(href, { method: "HEAD" });
        assertPage(head, 200);
        assert.equal(await head.text(), "");
        const page = await worker.click(href, BARRACUDA);
        assertPage(page, 200);
        const answer = await submit(worker, href, `stamp=${stampIn(await page.text())}`, BARRACUDA);
        if (answer.status === 200) {
          const [opened, pressed] = (await received(worker, message_id)).slice(-2);
          assert.ok(pressed.ts_ms - opened.ts_ms >= 1_000, "younger than a second, and it acts");
          return null;
        }
        assertPage(answer, 400);
        assert.ok(stampIn(await answer.text()), "it asks to press once more, with a fresh stamp");
      }
      return message_id;
    };
    for (const kind of ["unsubscribe", "confirm"]) {
      const message_id = await until(() => submitAtOnce(kind), { what: "forms sent inside a second" });
      const lines = await received(worker, message_id);
      assert.equal(lines.length, 3 * TIMES, "each request is logged");
      const ids = new Set(lines.map(({ event_id }) => event_id));
      const refused = worker.logs.filter(
        ({ event, event_id }) => event === "act.refused" && ids.has(event_id),
      );
      assert.deepEqual([...new Set(refused.map(({ reason }) => reason))], ["too_young"]);
      assert.equal(refused.length, TIMES);
      assert.deepEqual(await listClicks(worker, message_id), [], "nothing is stored");
      assert.deepEqual(receiver.about(message_id), []);
    }
  });

  test("a person's press acts once, however often it is repeated", async () => {
    const { message_id, href } = await mintAct(worker);
    const done = await press(worker, href);
    assertPage(done, 200);
    assert.match(await done.text(), /<h1>You are unsubscribed<\/h1>/);
    const [hook] = await told(receiver, message_id);
    assertSigned(hook);

    for (let n = 0; n < 3; n++) assert.equal((await press(worker, href)).status, 200);
    assert.equal((await submit(worker, href, "List-Unsubscribe=One-Click")).status, 200);
    const [act, ...others] = await settledClicks(worker, message_id, 1);
    assert.deepEqual(others, []);
    const [{ event: shipped }] = await shippedEvents(worker, message_id, 1);
    assert.deepEqual([shipped.event, shipped.event_id], ["unsubscribe", act.event_id]);
    assert.deepEqual([shipped.method, shipped.act, shipped.click_type], ["POST", "form", "human"]);
    assert.equal((await report(worker, message_id)).clicks, 0, "the report counts clicks");

    assert.equal(receiver.about(message_id).length, 1);
    assert.equal(hook.headers["webhook-id"], act.event_id);
    assert.equal(hook.timestamp, new Date(act.ts_ms).toISOString());
    const { event, revision, final, ...data } = hook.data;
    assert.deepEqual([hook.type, event, revision, final], ["unsubscribe", "unsubscribe", 0, false]);
    const { revision: _, final: __, ...settled } = act;
    assert.deepEqual(data, settled, "record and verdict, field by field");
    const stored = worker.logs.filter(
      ({ event, event_id }) => event === "act.stored" && event_id === act.event_id,
    );
    assert.deepEqual(stored, [{ event: "act.stored", event_id: act.event_id, act: "form" }]);
  });

  for (const [what, form] of [
    ["urlencoded", { body: "List-Unsubscribe=One-Click", headers: { "Content-Type": FORM } }],
    [
      "multipart",
      {
        body: '--7f3a\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--7f3a--\r\n',
        headers: { "Content-Type": "multipart/form-data; boundary=7f3a" },
      },
    ],
    // The RFC's own example names another boundary than it has (errata 5117 and 8927).
    [
      "multipart, as RFC 8058 prints it",
      {
        body: '---FormBoundaryjWmhtjORrn\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n---FormBoundaryjWmhtjORrn--\r\n',
        headers: { "Content-Type": "multipart/form-data; boundary=---FormBoundaryjWmhtjORrn" },
      },
    ],
    [
      "urlencoded, with a line's end",
      { body: "List-Unsubscribe=One-Click\r\n", headers: { "Content-Type": FORM } },
    ],
  ]) {
    test(`a mail provider's one-click POST acts at once: ${what}`, async () => {
      const { message_id, headers } = await mintAct(worker);
      assert.equal(headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
      const [, href] = /^<(.+)>$/.exec(headers["List-Unsubscribe"]);
      // As it is sent: no browser, no cookie, from the provider's own network.
      const answer = await worker.click(href, { method: "POST", ip: "209.85.238.10", asn: 15169, ...form });
      assertPage(answer, 200);
      const [hook] = await told(receiver, message_id);
      assertSigned(hook);
      assert.deepEqual([hook.type, hook.data.act], ["unsubscribe", "one_click"]);
      const [{ event }] = await shippedEvents(worker, message_id, 1);
      assert.deepEqual([event.event, event.rule, event.is_bot], ["unsubscribe", "one_click", false]);
    });
  }

  test("an unsubscription is taken back by a button of its page, and both are told, the second when it is sure", async () => {
    const { message_id, href } = await mintAct(worker);
    const done = await (await press(worker, href)).text();
    assert.match(done, /<h1>You are unsubscribed<\/h1>/);
    assert.equal(stampIn(done), undefined);
    const undone = await pressOn(worker, href, `undo=${undoIn(done)}`);
    assertPage(undone, 200);
    assert.match(await undone.text(), /<h1>You are subscribed again<\/h1>/);
    const [gone, back] = await told(receiver, message_id, 2);
    assertSigned(back);
    assert.deepEqual([gone.type, gone.data.act], ["unsubscribe", "form"]);
    assert.deepEqual([back.type, back.data.kind, back.data.act], ["confirm", "confirm", "undo"]);
    assert.deepEqual([back.data.link_id, back.data.final, back.data.is_bot], ["act", true, false]);
    const events = (await shippedEvents(worker, message_id, 2)).map(({ event }) => [event.event, event.act]);
    assert.deepEqual(events.toSorted(), [
      ["confirm", "undo"],
      ["unsubscribe", "form"],
    ]);
    // Whoever changes their mind again is heard again, by the mail provider's button, too.
    assert.equal((await submit(worker, href, "List-Unsubscribe=One-Click")).status, 200);
    const hooks = await told(receiver, message_id, 3);
    assert.deepEqual([hooks[2].type, hooks[2].data.act], ["unsubscribe", "one_click"]);
  });

  test("nothing is taken back but by the button that an unsubscription shows", async () => {
    const { message_id, href } = await mintAct(worker);
    const confirm = await mintAct(worker, "confirm");
    const stamp = stampIn(await (await worker.click(href)).text());
    for (const [link, form] of [
      [href, `undo=${stamp}`],
      [href, "undo="],
      [href, "undo=AQJrMQ"],
      [confirm.href, `undo=${stamp}`],
    ]) {
      const answer = await submit(worker, link, form);
      assertPage(answer, 400);
      const html = await answer.text();
      assert.equal(undoIn(html), undefined, form);
      assert.ok(stampIn(html), form);
    }
    assert.deepEqual(await listClicks(worker, message_id), []);
    assert.deepEqual(await listClicks(worker, confirm.message_id), []);
  });

  test("nothing else acts: each refusal has its reason in the log", async () => {
    const { message_id, href } = await mintAct(worker);
    const { href: other } = await mintAct(worker);
    const confirm = await mintAct(worker, "confirm");
    const foreign = stampIn(await (await worker.click(other)).text());
    const plain = { headers: { "Content-Type": "text/plain" } };
    const cases = [
      [href, "", {}, "no_consent"],
      [href, "x=y", {}, "no_consent"],
      [href, "list-unsubscribe=One-Click", {}, "no_consent"],
      [href, "List-Unsubscribe=one-click", {}, "not_one_click"],
      [href, "List-Unsubscribe=", {}, "not_one_click"],
      [href, "List-Unsubscribe=One-Click", plain, "no_form"],
      [href, "{", { headers: { "Content-Type": "application/json" } }, "no_form"],
      [href, "--x", { headers: { "Content-Type": "multipart/form-data; boundary=y" } }, "no_form"],
      [href, "List-Unsubscribe=One-Click", { headers: { "Content-Type": undefined } }, "no_form"],
      [href, "stamp=", {}, "malformed"],
      [href, "stamp=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", {}, "unknown_version"],
      [href, `stamp=${foreign}`, {}, "forged"],
      [confirm.href, "List-Unsubscribe=One-Click", {}, "one_click_elsewhere"],
    ];
    for (const [link, body, init, reason] of cases) {
      const mark = `refused-${reason}-${cases.length}-${body.length}-${Object.keys(init).length}`;
      const headers = { "X-Forwarded-For": mark, ...init.headers };
      const answer = await submit(worker, link, body, { headers });
      assertPage(answer, 400);
      assert.match(await answer.text(), /<h1>Please press once more<\/h1>/);
      const { event_id } = await worker.waitForLog((line) => line.x_forwarded_for === mark);
      const line = await worker.waitForLog(
        (line) => line.event === "act.refused" && line.event_id === event_id,
      );
      assert.equal(line.reason, reason, body);
    }
    const large = await submit(worker, href, `x=${"y".repeat(65_536)}&List-Unsubscribe=One-Click`);
    assert.equal(large.status, 413);
    const fits = await submit(worker, href, `x=${"y".repeat(65_536 - 29)}&List-Unsubscribe=One-Click`);
    assert.equal(fits.status, 200, "64 KiB");
    assert.deepEqual(await listClicks(worker, confirm.message_id), []);
    assert.equal((await listClicks(worker, message_id)).length, 1);
  });

  test("a confirmation is told once its verdict is final, and leads on", async () => {
    const url = `https://shop.example/?a=1&b="'<x>`;
    const { message_id, href } = await mintAct(worker, "confirm", { url });
    const done = await press(worker, href);
    assertPage(done, 200);
    const html = await done.text();
    assert.match(html, /<h1>Thank you<\/h1>/);
    assert.ok(html.includes('href="https://shop.example/?a=1&amp;b=&quot;&#39;&lt;x&gt;"'), html);
    const [hook] = await told(receiver, message_id);
    assertSigned(hook);
    assert.deepEqual([hook.type, hook.data.final, hook.data.revision], ["confirm", true, 1]);
    assert.equal(hook.data.click_type, "human");
    assert.ok(hook.at - hook.data.ts_ms >= 2_000, "not before its windows have closed");
    assert.equal((await press(worker, href)).status, 200);
    await shippedEvents(worker, message_id, 1);
    assert.equal(receiver.about(message_id).length, 1);
  });

  test("the page speaks the visitor's language, and the brand is only ever text", async () => {
    const { href } = await mintAct(worker);
    for (const [header, lang, words] of [
      ["de-AT,de;q=0.9,en;q=0.8", "de", "Abmelden?"],
      ["ja,fr;q=0.3", "fr", "Se désabonner ?"],
      ["*", "en", "Unsubscribe?"],
      [undefined, "en", "Unsubscribe?"],
    ]) {
      const html = await (await worker.click(href, { headers: { "Accept-Language": header } })).text();
      assert.ok(html.includes(`<html lang="${lang}">`) && html.includes(`<h1>${words}</h1>`), html);
      const brand = "&lt;b&gt;&quot;Käse&quot; &amp; &#39;Co&#39;&lt;/b&gt;";
      assert.ok(html.includes(`<p class="brand">${brand}</p>`) && !html.includes("<b>"), html);
      assert.ok(html.includes(`<form method="post" action="${new URL(href).pathname}">`), html);
    }
  });

  test("other methods, other links and forgeries have no page", async () => {
    const { href } = await mintAct(worker);
    for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const answer = await worker.click(href, { method });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD, POST"], method);
    }
    const { hrefs } = await mintCopy(worker);
    const token = (link) => new URL(link).pathname.slice(3);
    const swapped = token(href).replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    for (const bad of [`/u/${token(hrefs[0])}`, `/u/${swapped}`, "/u/", "/u/x"]) {
      for (const method of ["GET", "POST"]) {
        const answer = await worker.click(bad, {
          method,
          body: method === "POST" ? "List-Unsubscribe=One-Click" : undefined,
          headers: { "Content-Type": FORM },
        });
        assert.equal(answer.status, 404, `${method} ${bad}`);
      }
    }
    assert.equal((await worker.click(`/c/${token(href)}`)).status, 404, "it redirects nowhere");
    // What mail clients glue on does not break it, and the form goes to the link itself.
    const glued = await (await worker.click(`/u/${token(href)}.%20&amp;x?y=z`)).text();
    assert.ok(glued.includes(`action="/u/${token(href)}"`), glued);
  });

  test("what acted is explained like a click", async () => {
    const { message_id, href } = await mintAct(worker);
    await press(worker, href, BARRACUDA);
    const [act] = await settledClicks(worker, message_id, 1);
    assert.deepEqual([act.kind, act.is_bot, act.vendor], ["unsubscribe", true, "barracuda"]);
    // It was a scanner's: the person's own press counts.
    assert.equal((await press(worker, href)).status, 200);
    const hooks = await told(receiver, message_id, 2);
    assert.deepEqual(
      hooks.map(({ data }) => data.is_bot),
      [true, false],
    );
    assert.equal(new Set(hooks.map(({ headers }) => headers["webhook-id"])).size, 2);
  });
});

describe("the receiver and the worker fail", { concurrency: true }, () => {
  test("a receiver that is down for a while loses nothing, and holds up nobody's events", async (t) => {
    const { receiver, worker } = await startPair(t);
    const answers = [
      (_, response) => response.writeHead(500).end(),
      (request) => request.socket.destroy(),
      (_, response) => response.writeHead(302, { Location: `${receiver.url}/elsewhere` }).end(),
      (_, response) => response.writeHead(400).end("no"),
    ];
    let down = true;
    receiver.answer = (request, response) => {
      if (!down) return response.writeHead(200).end("ok");
      // A delivery is three requests at most, and its line in the log has the last one's answer: they are alike.
      const { message_id } = receiver.requests.at(-1).data;
      const tries = receiver.about(message_id).length - 1;
      answers[Math.floor(tries / 3) % answers.length](request, response);
    };
    const unsent = () => worker.logs.filter(({ event }) => event === "webhook.unsent");
    const statuses = () => new Set(unsent().map(({ status }) => status ?? "none"));
    const acts = [];
    for (let n = 0; n < 3; n++) {
      const { message_id, href } = await mintAct(worker);
      const answer = await submit(worker, href, "List-Unsubscribe=One-Click");
      assert.equal(answer.status, 200, "the receiver is no visitor's business");
      acts.push(message_id);
    }
    for (const message_id of acts) await shippedEvents(worker, message_id, 1);
    // Past the queue's ten tries: the dead-letter queue goes on.
    await until(
      () =>
        acts.every((message_id) => receiver.about(message_id).length >= 11) &&
        statuses().size === answers.length,
      { what: "eleven tries, and each answer in the log" },
    );
    down = false;
    const sent = () => worker.logs.filter(({ event }) => event === "webhook.sent");
    await until(() => sent().length >= 3, { what: "what the receiver took" });
    for (const message_id of acts) {
      const tries = receiver.about(message_id);
      for (const hook of tries) assertSigned(hook);
      assert.equal(
        new Set(tries.map(({ headers }) => headers["webhook-id"])).size,
        1,
        "one id for all tries",
      );
      assert.equal(new Set(tries.map(({ body }) => body)).size, 1, "one body");
    }
    const ids = acts.map((message_id) => receiver.about(message_id)[0].headers["webhook-id"]);
    assert.deepEqual(
      sent()
        .map(({ id }) => id)
        .toSorted(),
      ids.toSorted(),
      "each is taken once",
    );
    assert.deepEqual([...statuses()].toSorted(), [302, 400, 500, "none"], "redirects are not followed");
    assert.deepEqual([...new Set(unsent().map(({ reason }) => reason))].toSorted(), [
      "the receiver cannot be reached",
      "the receiver did not take it",
    ]);
    for (const { message } of worker.output) {
      assert.ok(!message.includes(WEBHOOK_SECRET) && !message.includes(SECRET.toString("base64")), message);
    }
  });

  test("a slow receiver is given up after ten seconds; packs are written meanwhile", async (t) => {
    const { receiver, worker } = await startPair(t);
    const held = [];
    receiver.answer = (_, response) => held.push(response);
    const { message_id, href } = await mintAct(worker);
    await submit(worker, href, "List-Unsubscribe=One-Click");
    await told(receiver, message_id);
    receiver.answer = (_, response) => response.writeHead(204).end();
    const { reason } = await worker.waitForLog(({ event }) => event === "webhook.unsent");
    assert.equal(reason, "no answer in 10 s");
    assert.equal(held.length, 1);
    assert.equal((await shippedEvents(worker, message_id, 1)).length, 1);
  });

  test("an object that fails: the visitor is asked to come again, and the loss is told", async (t) => {
    const script =
      "export class Broken { async fetch() { throw new Error('no storage') } } export default {}";
    const { receiver, worker: broken } = await startPair(t, {
      worker: { durableObjects: { MESSAGES: { className: "Broken", scriptName: "broken" } } },
      workers: [{ name: "broken", modules: true, script, durableObjects: { SELF: "Broken" } }],
    });
    const { message_id, href } = await mintAct(broken);
    assertPage(await broken.click(href), 200);
    const answer = await submit(broken, href, "List-Unsubscribe=One-Click");
    assertPage(answer, 503);
    const html = await answer.text();
    assert.match(html, /<h1>Please try again in a minute<\/h1>/);
    assert.ok(stampIn(html), "the button is there to try again");
    const lost = await broken.waitForLog(({ event }) => event === "click.unrecorded");
    const line = (await received(broken, message_id)).find(({ method }) => method === "POST");
    assert.deepEqual(lost.record, { ...recordIn(line), act: "one_click" });
    assert.deepEqual(receiver.requests, []);
  });

  test("without a webhook acts are stored and shipped all the same", async (t) => {
    const worker = await startWorker({ vars: { SETTLE_MS: 0 } });
    t.after(() => worker.close());
    await Promise.all(
      ["unsubscribe", "confirm"].map(async (kind) => {
        const { message_id, href } = await mintAct(worker, kind);
        assert.equal((await press(worker, href)).status, 200);
        const [{ event }] = await shippedEvents(worker, message_id, 1);
        assert.equal(event.event, kind);
      }),
    );
    await flushLogs(worker);
    assert.deepEqual(
      worker.logs.filter(({ event }) => /^webhook\.|^message\.untold/.test(event)),
      [],
    );
  });

  test("what earlier versions and this one left in the queue arrives; what nobody can read holds up nothing", async (t) => {
    const { receiver, worker } = await startPair(t);
    const queue = await worker.mf.getQueueProducer("EVENTS");
    const key = (name) => `events/dt=2026-11-22/hh=13/${name}.ndjson`;
    const lines = (name) => `{"event":"click","event_id":"${name}"}\n`;
    const body = (id) => `{"type":"unsubscribe","data":{"event_id":"${id}"}}`;
    for (const text of [
      "webhook 9 x\n{}",
      `{"v":9,"kind":"act","id":"x"}\n{}`,
      `webhook 1 first\n${body("first")}`,
      `{"v":2,"kind":"act","id":"second"}\n${body("second")}`,
      `{"v":1,"key":"${key("first")}","events":1}\n${lines("first")}`,
      `{"v":2,"kind":"pack","key":"${key("second")}","events":1}\n${lines("second")}`,
    ]) {
      await queue.send(text, { contentType: "text" });
    }
    const hooks = await until(() => receiver.requests.length >= 2 && receiver.requests, {
      what: "both acts",
    });
    for (const hook of hooks) assertSigned(hook);
    assert.deepEqual(hooks.map(({ headers, body }) => [headers["webhook-id"], body]).toSorted(), [
      ["first", body("first")],
      ["second", body("second")],
    ]);
    const objects = await until(async () => {
      const found = await worker.r2Objects();
      return found.size >= 2 && found;
    });
    assert.deepEqual([...objects].map(([key, { text }]) => [key, text]).toSorted(), [
      [key("first"), lines("first")],
      [key("second"), lines("second")],
    ]);
    for (const head of ["webhook 9 x\n{}", '{"v":9,']) {
      await worker.waitForLog(({ event, subject }) => event === "events.unwritten" && subject.includes(head));
    }
  });
});
