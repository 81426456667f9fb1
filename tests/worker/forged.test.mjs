// Twenty thousand altered and random tokens on plain workerd: none redirects, none is an error, none panics.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { Connection, get, status } from "./keepalive.mjs";
import { API_TOKEN } from "./harness.mjs";
import { clickproof, startWorkerd } from "./workerd.mjs";

const TOKENS = 20_000;
const CONNECTIONS = 8;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DESTINATION = "https://shop.example/path?a=1&b=%20#end";

test("no altered or random token redirects, fails or panics", async (t) => {
  const output = [];
  const server = await startWorkerd(clickproof(), { logs: (line) => output.push(line) });
  t.after(() => server.close());
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const { valid, others } = await mint(server.origin);
  const forged = tokens(seed, valid, others);
  const bad = [];
  let sent = 0;

  async function run() {
    const connection = new Connection(server.port);
    for (let token = forged.next(); !token.done && bad.length < 10; token = forged.next()) {
      const head = await connection.send(get(`/c/${token.value}`));
      if (status(head) !== 404 || /\r\nlocation:/i.test(head)) bad.push([token.value, head]);
      sent += 1;
    }
    connection.close();
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
  assert.deepEqual(bad, []);
  assert.equal(sent, TOKENS);

  const connection = new Connection(server.port);
  for (const token of valid) {
    const head = await connection.send(get(`/c/${token}`));
    assert.equal(status(head), 302);
    assert.ok(head.includes(`\r\nLocation: ${DESTINATION}\r\n`), head);
  }
  connection.close();

  assert.ok(server.lives());
  await server.stop();
  const events = output.map((line) => {
    assert.ok(line.startsWith("{"), `not a line of the worker's log: ${line}`);
    return JSON.parse(line).event;
  });
  const count = (name) => events.filter((event) => event === name).length;
  assert.equal(count("link.refused"), TOKENS);
  assert.equal(count("click.received"), valid.length);
  assert.equal(events.length, TOKENS + valid.length);
});

/** Valid click tokens of several shapes, and good tokens of the other kinds. */
async function mint(origin) {
  const links = async (message_id, recipient_id, wanted) => {
    const response = await fetch(`${origin}/v1/links`, {
      method: "POST",
      headers: { Authorization: `Bearer ${API_TOKEN}` },
      body: JSON.stringify({ message_id, recipient_id, sent_at_ms: Date.now(), links: wanted }),
    });
    assert.equal(response.status, 200);
    return (await response.json()).links.map(({ href }) => href.split("/").at(-1));
  };
  const url = DESTINATION;
  const uuid = "0190163d-8694-739b-aea5-966c26f8ad91";
  return {
    valid: [
      ...(await links("m", "r", [{ link_id: "l", url }])),
      ...(await links(uuid, uuid, [{ link_id: "offer-1", url }])),
      ...(await links("m".repeat(128), "r".repeat(64), [{ link_id: "l".repeat(64), url }])),
    ],
    others: await links("m", "r", [
      { link_id: "o", kind: "open" },
      { link_id: "u", kind: "unsubscribe" },
      { link_id: "c", kind: "confirm", url },
    ]),
  };
}

/** The forgeries, one at a time. The same seed makes the same kinds in the same order. */
function* tokens(seed, valid, others) {
  const random = mulberry32(seed);
  const below = (n) => Math.floor(random() * n);
  const pick = (items) => items[below(items.length)];
  const text = (length) => Array.from({ length }, () => pick(ALPHABET)).join("");
  // Any character of two bytes at most that the runtime takes in a request line: the others it refuses by itself.
  const printed = Array.from({ length: 0x800 - 0x21 }, (_, n) => String.fromCharCode(0x21 + n)).filter(
    (character) => !'"<>`\x7f'.includes(character),
  );
  const bytes = (length) => Array.from({ length }, () => pick(printed)).join("");
  const splice = (token, put, cut = put.length) => {
    const at = below(token.length + 1 - cut);
    return token.slice(0, at) + put + token.slice(at + cut);
  };
  const forgers = [
    (token) => splice(token, text(1)),
    (token) => splice(token, text(1 + below(8))),
    (token) => splice(token, text(1 + below(4)), 0),
    (token) => splice(token, "", 1 + below(4)),
    (token) => token.slice(0, below(token.length)),
    (token) => token + text(1 + below(40)),
    (token) => splice(token, bytes(1 + below(4))),
    // Another spelling of the same bytes.
    (token) => splice(token, pick(["%41", "+", "=", "/"]), 1),
    (token) => token.slice(0, -1) + pick(ALPHABET),
    // One token's front with another's end.
    (token) => token.slice(0, below(token.length)) + pick(valid).slice(-1 - below(30)),
    // A good beginning: version, kind and key id.
    (token) => token.slice(0, 6) + text(22 + below(120)),
    () => text(below(400)),
    () => text(4_000 + below(4_000)),
    () => bytes(1 + below(200)),
    () => pick(others),
    () => splice(pick(others), text(2)),
  ];
  // What is glued on behind a token does not break it.
  const leading = (token) => /^[A-Za-z0-9_-]*/.exec(token)[0];
  // The runtime resolves `..` before the worker sees the path.
  const hasDots = (token) => /(^|[/\\])(\.|%2e){1,2}($|[/\\?#])/i.test(token);
  for (let made = 0; made < TOKENS;) {
    const token = pick(forgers)(pick(valid));
    if (valid.includes(leading(token)) || hasDots(token)) continue;
    made += 1;
    yield token;
  }
}

/** A small random generator with a seed (Tommy Ettinger's, public domain). */
function mulberry32(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
