// What the live tests share: messages of their own, their links, and what became of the clicks.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { start } from "../../src/dev/run.mjs";
import { until } from "./harness.mjs";
import { violation } from "./schema.mjs";

export const MICROSOFT = { ip: "40.92.1.1", asn: 8075, country: "US" };
export const SAFE_LINKS = "https://nam02.safelinks.protection.outlook.com/";

/** A mail gateway's network, and one that everybody rents from. */
export const BARRACUDA = { ip: "209.222.82.5", country: "US" };
export const AMAZON = { ip: "198.51.100.7", asn: 16509, country: "US" };

/**
 * The headers of a person's click on a link, from the Chrome of today: a version ages, and tests go on living. The pace
 * is the slowest that is taken for granted, so that it is never ahead of its time either.
 */
export function chrome() {
  const major = 158 + Math.floor((Date.now() - Date.UTC(2026, 10, 17)) / (28 * 86_400_000));
  return {
    "User-Agent": `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.0.0 Safari/537.36`,
    "Sec-CH-UA": `"Chromium";v="${major}", "Google Chrome";v="${major}", "Not.A/Brand";v="24"`,
    Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.9",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-User": "?1",
  };
}

let made = 0;

/** A directory for a worker's state, gone when the test is over. */
export function stateDir(t, parent = os.tmpdir()) {
  const dir = mkdtempSync(path.join(parent, "clickproof-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A message id that no other test uses. */
export const freshMessage = (word = "m") => `${word}-${process.pid}-${++made}`;

/**
 * Mints one recipient's copy of a message, a link for each URL: `{message_id, hrefs}`.
 */
export async function mintCopy(
  worker,
  {
    message_id = freshMessage(),
    recipient_id = "r1",
    sent_at_ms = Date.now(),
    group,
    shards,
    urls = [DESTINATION],
  } = {},
) {
  const links = urls.map((url, at) => ({ link_id: `l${at + 1}`, url }));
  const answer = await worker.mint({ message_id, recipient_id, sent_at_ms, group, shards, links });
  return { message_id, hrefs: answer.links.map(({ href }) => href) };
}

export const DESTINATION = "https://shop.example/spring?utm_source=mail";

/** The name of the object that keeps a recipient's clicks where so many share its message. */
export function objectOf(message_id, recipient_id, shards) {
  const shard = createHash("sha256").update(recipient_id).digest().readUInt32BE() % shards;
  return shard === 0 ? message_id : `${message_id}#${shard}`;
}

/** Six links, as a copy under attack by a sandbox has them. */
export const SIX_URLS = [1, 2, 3, 4, 5, 6].map((n) => `https://shop.example/${n}`);

/** Clicks, and the record that the edge logged of it. */
export async function clickAndRecord(worker, link, init = {}) {
  const mark = `mark-${++made}`;
  const headers = { "X-Forwarded-For": mark, ...init.headers };
  const response = await worker.click(link, { ...init, headers });
  assert.equal(response.status, 302);
  const record = await worker.waitForLog(
    (line) => line.event === "click.received" && line.x_forwarded_for === mark,
  );
  return { response, record };
}

/**
 * Two visitors click one link after another, on one copy after another until that was fast enough for a pair; returns
 * that copy.
 */
export function clickAsPair(worker, visitors) {
  return until(
    async () => {
      const minted = await mintCopy(worker, { sent_at_ms: Date.now() - 10_000 });
      for (const visitor of visitors) await worker.click(minted.hrefs[0], visitor);
      const [first, second] = await received(worker, minted.message_id);
      return second.ts_ms - first.ts_ms <= 500 && minted;
    },
    { what: "two clicks in half a second" },
  );
}

const TELLER = "teller.test";
const TELLER_SCRIPT = `export default {
  async fetch(request, { MESSAGES }) {
    const { object, records } = await request.json();
    const stub = MESSAGES.get(MESSAGES.idFromName(object));
    const tell = async (record) => {
      const answer = await stub.fetch("http://object/arrive", { method: "POST", body: JSON.stringify(record) });
      return answer.status;
    };
    return Response.json(await Promise.all(records.map(tell)));
  },
}`;

/**
 * A worker beside the built one, for `startWorker`'s `workers`: it tells objects what the edge has recorded, once more or
 * at a time of the test's choosing.
 */
export const teller = {
  name: TELLER,
  modules: true,
  script: TELLER_SCRIPT,
  routes: [`${TELLER}/*`],
  durableObjects: {
    MESSAGES: { className: "MessageObject", scriptName: "clickproof", useSQLite: true },
  },
};

/** Tells an object records by the teller; the statuses of its answers. */
export async function tell(worker, object, records) {
  const headers = { "MF-Original-URL": `http://${TELLER}/` };
  const body = JSON.stringify({ object, records });
  const response = await worker.request("/", { method: "POST", headers, body });
  assert.equal(response.status, 200);
  return response.json();
}

/** A record as if its click had come at that time, under an id of its own. */
export function recordAt(record, ts_ms, more = {}) {
  const hex = ts_ms.toString(16).padStart(12, "0");
  const rest = (++made).toString(16).padStart(12, "0");
  return { ...record, event_id: `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${rest}`, ts_ms, ...more };
}

/** The page of clicks that the API lists, parsed. */
export async function listClicks(worker, message_id, query = "") {
  const response = await worker.api(`/v1/messages/${encodeURIComponent(message_id)}/clicks${query}`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/x-ndjson");
  return parseLines(await response.text());
}

export const parseLines = (text) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** The message's clicks, once there are so many and all satisfy the test. */
export function clicksWhen(worker, message_id, count, holds = () => true) {
  return until(
    async () => {
      const clicks = await listClicks(worker, message_id);
      return clicks.length >= count && clicks.every(holds) && clicks;
    },
    { every: 50, what: `${count} such clicks on ${message_id}` },
  );
}

/** The message's clicks, once there are so many and all are settled. */
export const settledClicks = (worker, message_id, count) =>
  clicksWhen(worker, message_id, count, (click) => click.final);

/** The answer on one click. */
export const askWhy = (worker, message_id, event_id, init) =>
  worker.api(`/v1/messages/${encodeURIComponent(message_id)}/clicks/${event_id}`, init);

/** One click explained. */
export async function explain(worker, message_id, event_id) {
  const response = await askWhy(worker, message_id, event_id);
  assert.equal(response.status, 200);
  return response.json();
}

/** Tells delivery times: `{recipients, reissued}`. */
export async function deliver(worker, message_id, times) {
  const path = `/v1/messages/${message_id}/deliveries`;
  const response = await worker.api(path, { method: "POST", body: times });
  assert.equal(response.status, 202);
  return response.json();
}

/** The message's events in the bucket, once there are so many. Each obeys the schema, whatever a test asks for. */
export async function shippedEvents(worker, message_id, count) {
  const found = await until(
    async () => {
      const events = (await worker.r2Events()).filter(({ event }) => event.message_id === message_id);
      return events.length >= count && events;
    },
    { every: 50, what: `${count} events of ${message_id} in the bucket` },
  );
  for (const { event } of found) assert.equal(violation(event), undefined, JSON.stringify(event));
  return found;
}

/** A shipped event as the API lists it: without what only leaves. */
export const asListed = ({
  event,
  network,
  network_vendor,
  network_class,
  safelinks_referer,
  previous_click_type,
  ...listed
}) => listed;

export async function report(worker, message_id) {
  const response = await worker.api(`/v1/messages/${encodeURIComponent(message_id)}`);
  assert.equal(response.status, 200);
  return response.json();
}

/** Returns when every line that the worker has logged so far is in `worker.logs`. */
export async function flushLogs(worker) {
  const { message_id, hrefs } = await mintCopy(worker, { message_id: freshMessage("flush") });
  await worker.click(hrefs[0]);
  await worker.waitForLog((line) => line.event === "click.received" && line.message_id === message_id);
}

/** The edge's lines on a message, after everything logged so far has come. */
export async function received(worker, message_id) {
  await flushLogs(worker);
  return worker.logs.filter((line) => line.event === "click.received" && line.message_id === message_id);
}

/** The time of a UUIDv7, which it must be. */
export function uuidTime(id) {
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
}

/** The headers that an answer's author chose, without those of the connection. */
export function ownHeaders(response) {
  const transport = ["connection", "content-length", "date", "keep-alive", "transfer-encoding"];
  return Object.fromEntries([...response.headers].filter(([name]) => !transport.includes(name)));
}

// What the edge's line holds beside the record.
const SIGNALS = [
  "event",
  "network",
  "network_vendor",
  "network_class",
  "agent",
  "safelinks_referer",
  "votes",
];

/** The fields of a verdict, without its place in their succession and the shadow's. */
export const FINDING = [
  "click_type",
  "is_bot",
  "is_defender_bot",
  "vendor",
  "confidence",
  "rule",
  "reasons",
  "paired_with",
  "verified",
  "ruleset",
];

const pick = (object, wanted) => Object.fromEntries(Object.entries(object).filter(([name]) => wanted(name)));

/** The record in a line of the edge. */
export const recordIn = (line) => pick(line, (name) => !SIGNALS.includes(name));

/** A listed or shipped click without its verdict. */
export const recordOf = (click) =>
  pick(click, (name) => ![...FINDING, "revision", "final", "shadow", "explanation"].includes(name));

/** What was found of a click, with its id. */
export const findingOf = (click) => pick(click, (name) => name === "event_id" || FINDING.includes(name));

/** Runs the command line beside a worker, whose log this process must go on reading. */
export async function clickproof(args, { input = "", env = {} } = {}) {
  const child = start("cargo", ["run", "--quiet", "--bin", "clickproof", "--", ...args], {
    env: { ...process.env, ...env },
    stdio: "pipe",
  });
  const texts = [child.stdout, child.stderr].map((stream) => stream.setEncoding("utf8").toArray());
  child.stdin.end(input);
  const [status] = await once(child, "close");
  const [stdout, stderr] = (await Promise.all(texts)).map((chunks) => chunks.join(""));
  return { status, stdout, stderr };
}

/** What `classify` says of listed clicks, given what their landing pages showed, in their order. */
export async function classified(clicks, ...flags) {
  const records = clicks.map((click) => ({ ...recordOf(click), verified: click.verified }));
  const input = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const { status, stdout, stderr } = await clickproof(["classify", ...flags], { input });
  // It may also say which signals no record carries.
  assert.equal(status, 0, stderr);
  return parseLines(stdout);
}
