// The visitor cookie: who it recognises, what it holds, and who is left alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { clickAndRecord, freshMessage, mintCopy } from "./clicks.mjs";
import { startWorker } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker()));
after(() => worker.close());

/** The cookie that an answer sets, taken apart: `{ name, value, attributes }`; null where it sets none. */
function cookieOf(response) {
  const set = response.headers.getSetCookie();
  assert.ok(set.length <= 1, "never more than one cookie");
  if (set.length === 0) return null;
  const [pair, ...attributes] = set[0].split("; ");
  const [name, value] = pair.split(/=(.*)/s);
  return { name, value, attributes };
}

const sent = (value) => ({ headers: { Cookie: `__Host-cp=${value}` } });

test("a first click sets the cookie with the contract's attributes", async () => {
  const { hrefs } = await mintCopy(worker);
  const { response, record } = await clickAndRecord(worker, hrefs[0]);
  const { name, value, attributes } = cookieOf(response);
  assert.equal(name, "__Host-cp");
  assert.match(value, /^[A-Za-z0-9_-]+$/);
  assert.deepEqual(attributes.sort(), ["HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Lax", "Secure"]);
  assert.equal(record.cookie, "new");
  assert.match(record.visitor_id, /^[0-9a-f]{32}$/);
});

test("two browsers are two visitors", async () => {
  const { hrefs } = await mintCopy(worker);
  const { record: one } = await clickAndRecord(worker, hrefs[0]);
  const { record: other } = await clickAndRecord(worker, hrefs[0]);
  assert.notEqual(one.visitor_id, other.visitor_id);
});

test("a returning visitor keeps the id, across messages and among other cookies", async () => {
  const { hrefs } = await mintCopy(worker);
  const first = await clickAndRecord(worker, hrefs[0]);
  let { value } = cookieOf(first.response);
  for (const Cookie of [`__Host-cp=${value}`, `a=b; __Host-cp=${value}; c=d`, `a=b;__Host-cp=${value}`]) {
    const { hrefs } = await mintCopy(worker);
    const { response, record } = await clickAndRecord(worker, hrefs[0], { headers: { Cookie } });
    assert.equal(record.cookie, "returning", Cookie);
    assert.equal(record.visitor_id, first.record.visitor_id);
    assert.ok(cookieOf(response), "and the year begins anew");
  }
});

test("it remembers the last three clicks, newest first, and grows no further", async () => {
  const lengths = [];
  let value = "none";
  const ids = [];
  for (let n = 0; n < 6; n++) {
    // The longest message id there may be.
    const { hrefs } = await mintCopy(worker, { message_id: freshMessage("long").padEnd(128, "x") });
    const { response, record } = await clickAndRecord(worker, hrefs[0], sent(value));
    ({ value } = cookieOf(response));
    assert.equal(record.cookie, n === 0 ? "new" : "returning");
    ids.push(record.event_id.replaceAll("-", ""));
    lengths.push(value.length);
    const hex = Buffer.from(value, "base64url").toString("hex");
    const found = ids.filter((id) => hex.includes(id));
    assert.deepEqual(found, ids.slice(-3));
    const places = found.map((id) => hex.indexOf(id));
    assert.deepEqual(
      places,
      places.toSorted((a, b) => b - a),
      "newest first",
    );
  }
  assert.equal(lengths[2], lengths[5]);
  assert.ok(lengths[5] <= 1024, `${lengths[5]} characters`);
});

test("with Sec-GPC it is neither read nor set", async () => {
  const { hrefs } = await mintCopy(worker);
  const { value } = cookieOf((await clickAndRecord(worker, hrefs[0])).response);
  for (const Cookie of [undefined, `__Host-cp=${value}`]) {
    const { response, record } = await clickAndRecord(worker, hrefs[0], {
      headers: { "Sec-GPC": "1", Cookie },
    });
    assert.equal(cookieOf(response), null);
    assert.deepEqual([record.cookie, record.visitor_id], ["none", null]);
  }
  const { record } = await clickAndRecord(worker, hrefs[0], { headers: { "Sec-GPC": "0" } });
  assert.equal(record.cookie, "new", "only 1 says no");
});

test("on HEAD it is read and not set", async () => {
  const { hrefs } = await mintCopy(worker);
  const { response: get, record: first } = await clickAndRecord(worker, hrefs[0]);
  const { value } = cookieOf(get);
  const { response, record } = await clickAndRecord(worker, hrefs[0], { method: "HEAD", ...sent(value) });
  assert.equal(cookieOf(response), null);
  assert.deepEqual([record.cookie, record.visitor_id], ["returning", first.visitor_id]);
  const stranger = await clickAndRecord(worker, hrefs[0], { method: "HEAD" });
  assert.deepEqual([stranger.record.cookie, stranger.record.visitor_id], ["none", null]);
});

test("a forged, cut, overlong or foreign cookie counts as none: the visitor is new", async () => {
  const { hrefs } = await mintCopy(worker);
  const { response, record: first } = await clickAndRecord(worker, hrefs[0]);
  const { value } = cookieOf(response);
  const at = Math.floor(value.length / 2);
  const altered = value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1);
  const token = hrefs[0].slice(hrefs[0].lastIndexOf("/") + 1);
  for (const bad of [altered, value.slice(0, -4), `${value}AAAA`, "A".repeat(3000), token, "", "%", "é"]) {
    const { response, record } = await clickAndRecord(worker, hrefs[0], sent(bad));
    assert.equal(record.cookie, "new", bad);
    assert.notEqual(record.visitor_id, first.visitor_id);
    assert.ok(cookieOf(response), "it is replaced");
  }
});

test("another cookie whose name ends alike is not taken for it", async () => {
  const { hrefs } = await mintCopy(worker);
  const { value } = cookieOf((await clickAndRecord(worker, hrefs[0])).response);
  for (const name of ["x__Host-cp", "__Host-cpx", "__host-cp"]) {
    const { record } = await clickAndRecord(worker, hrefs[0], { headers: { Cookie: `${name}=${value}` } });
    assert.equal(record.cookie, "new", name);
  }
});

test("COOKIE=off: it is neither set nor read", async (t) => {
  const off = await startWorker({ vars: { COOKIE: "off" } });
  t.after(() => off.close());
  assert.equal((await off.request("/healthz")).status, 200);
  const { hrefs } = await mintCopy(worker);
  const { value } = cookieOf((await clickAndRecord(worker, hrefs[0])).response);
  const { response, record } = await clickAndRecord(off, hrefs[0], sent(value));
  assert.equal(cookieOf(response), null);
  assert.deepEqual([record.cookie, record.visitor_id], ["none", null]);
});

test("COOKIE_SAMESITE is the attribute's value, however it is spelt", async (t) => {
  for (const [setting, attribute] of [
    ["none", "SameSite=None"],
    ["Strict", "SameSite=Strict"],
  ]) {
    const other = await startWorker({ vars: { COOKIE_SAMESITE: setting } });
    t.after(() => other.close());
    const { hrefs } = await mintCopy(other);
    const { response } = await clickAndRecord(other, hrefs[0]);
    assert.deepEqual(
      cookieOf(response).attributes.filter((name) => name.startsWith("SameSite")),
      [attribute],
    );
  }
});
