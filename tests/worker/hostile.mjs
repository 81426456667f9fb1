// Hostile requests for a live worker: what strangers send without a key, and what a sender with a token gets wrong. The corpora are
// those of tests/hostile, whose generator this is in JavaScript; here everything goes through the runtime, over bare sockets that
// stay open, as a careless or ill-meaning client's would.

import { readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../../src/dev/run.mjs";
import { measured, wasmMemory } from "../bench/memory.mjs";
import { API_TOKEN, client, until } from "./harness.mjs";
import { clickproof, startWorkerd } from "./workerd.mjs";

const CONNECTIONS = 8;
const TIMEOUT_MS = 60_000;

/** The message whose links and clicks are attacked. */
const VICTIM = "victim";
const DESTINATION = "https://shop.example/offer?a=1";
const REFERENCE = "cp";

// A batch of clicks is stored within a second and settled two seconds later.
const SETTLE_MS = 200;

// What the runtime's parser of HTTP knows: it answers other words by itself.
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "MKCOL"];
// Calls with the token name few messages: each that is asked for is an object in memory, which is no enemy's doing.
const MESSAGES = [
  "hostile",
  "a.b~c@d+e=f$g!h:i-j",
  "%68ostile",
  "..",
  "%2e",
  "hostile%23board",
  "%23messages",
  "%ff",
  "m".repeat(129),
];

// Signs that mean something to a parser, numbers at the end of their types, bytes that are no text.
const WORDS = [
  "\0",
  "%",
  "%00",
  "%0d%0a",
  "%ff%fe",
  "..",
  "/../",
  "//",
  "\\",
  '"',
  "<script>",
  "&",
  "=",
  ";",
  "?",
  "@",
  ":",
  "[[[[[[[[",
  '{"a":{"a":',
  "\\u0000",
  "\\ud800",
  "null",
  "-1",
  "1e999",
  "2147483648",
  "9007199254740993",
  "9223372036854775807",
  "-9223372036854775808",
  "99999999999999999999999999999999",
  "\xc3\xa9",
  "\xe2\x80\xae",
  "\xf0\x9f\x98\x80",
  "\xc0\x80",
  "\xff",
  "__proto__",
  "xn--",
];

/** A small random generator with a seed (Tommy Ettinger's mulberry32, public domain). */
export function seeded(state) {
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (count) => Math.floor(next() * count);
  return { below, pick: (items) => items[below(items.length)] };
}

/** The inputs of a corpus, as text of one character a byte. */
function corpus(name) {
  const text = readFileSync(path.join(root, "tests/hostile/corpora", name), "latin1");
  const escaped = { n: "\n", r: "\r", t: "\t", "\\": "\\" };
  const unescape = (line) =>
    line.replaceAll(/\\(x([0-9a-f]{2})|.)/g, (_, sign, hex) =>
      hex ? String.fromCharCode(parseInt(hex, 16)) : escaped[sign],
    );
  return text
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map(unescape);
}

/** An input with some of what somebody does to it who means harm. */
function mutated(random, text, others) {
  for (let changes = random.below(5); changes > 0; changes -= 1) {
    const at = random.below(text.length + 1);
    const to = Math.min(text.length, at + random.below(9));
    const put = (word, cut = at) => (text = text.slice(0, at) + word + text.slice(cut));
    const byte = () => String.fromCharCode(random.below(256));
    [
      () => put(byte(), at + 1),
      () => put(String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random.below(8))), at + 1),
      () => put("", text.length),
      () => put("", to),
      () => put(random.pick(WORDS)),
      () => put(random.pick(WORDS), to),
      () => put(text.slice(at, to).repeat(1 + random.below(40))),
      () => put(random.pick(others).slice(random.below(40)), text.length),
      () => (text = text.replace(/\d+/, random.pick(WORDS))),
      () => put(`%${(text.charCodeAt(at) || 0).toString(16).padStart(2, "0")}`, at + 1),
    ][random.below(10)]();
  }
  return text;
}

/**
 * Hostile requests, one at a time, each `{ kind, bytes, isHead }`: the same seed makes the same. `known` is what the attacker has:
 * good links, a cookie, a reference and a stamp, none of which is sent as it is.
 */
export function* requests(random, known) {
  const [strangers, senders] = ["requests.txt", "senders.txt"].map(corpus);
  const headers = corpus("clicks.txt").map((fields) =>
    fields.replaceAll("_", "-").replace(/^(ip|asn|method): .*\n?/gm, ""),
  );
  const forms = corpus("forms.txt").map((form) => form.split("\t"));
  const bodies = ["json.txt", "mint.txt", "deliveries.txt", "about.txt", "records.txt"].flatMap(corpus);
  const signed = [...Object.values(known.links), known.cookie, known.reference, known.stamp];
  // Forms have escapes, and the runtime drops some of what is no letter: who sends that has what is known.
  const letters = (text) => text.replaceAll(/[^A-Za-z0-9_-]/g, "");
  const isKnown = (text) =>
    [letters(text), letters(unescape(text))].some((text) => signed.some((one) => text.includes(one)));
  const forged = (text) => {
    for (let made = mutated(random, text, signed); ; made = mutated(random, made, signed)) {
      if (!isKnown(made)) return made;
    }
  };
  const method = () => random.pick(METHODS);
  const kinds = [
    [
      "links",
      () => ({
        line: `${random.below(8) ? random.pick(["GET", "HEAD"]) : method()} /${random.pick("cou")}/${forged(random.pick(signed))}`,
        headers: random.pick(headers),
      }),
    ],
    [
      "links of another kind",
      () => {
        const [route, kind] = random.pick([
          ["c", "open"],
          ["c", "unsubscribe"],
          ["c", "confirm"],
          ["o", "click"],
          ["o", "confirm"],
          ["u", "click"],
          ["u", "open"],
        ]);
        return {
          line: `${random.pick(["GET", "HEAD"])} /${route}/${known.links[kind]}`,
          headers: random.pick(headers),
        };
      },
    ],
    // The page is shown, and nothing is done.
    [
      "views of a link that acts",
      () => ({
        line: `${random.pick(["GET", "HEAD"])} /u/${known.links[random.pick(["unsubscribe", "confirm"])]}${random.pick(["", "?List-Unsubscribe=One-Click", `?stamp=${known.stamp}`, ".", "/x"])}`,
        headers: `${random.pick(headers)}\nCookie: __Host-cp=${forged(known.cookie)}`,
      }),
    ],
    // What is sent to a good link asks for nothing: a forged stamp, another field.
    [
      "forms on a link that acts",
      () => {
        const field = random.pick(["stamp", "undo", "List-Unsubscribe", "list-unsubscribe"]);
        const body = field.startsWith("L") ? "One-Clic" : forged(known.stamp);
        const isParts = random.below(2);
        return {
          line: `POST /u/${known.links[random.pick(["unsubscribe", "confirm"])]}`,
          headers: `Content-Type: ${isParts ? "multipart/form-data; boundary=b" : "application/x-www-form-urlencoded"}`,
          body: isParts
            ? `--b\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${body}\r\n--b--\r\n`
            : `${field}=${body}`,
        };
      },
    ],
    [
      "forms on forged links",
      () => {
        const [type, body] = random.pick(forms);
        return {
          line: `POST /u/${forged(known.links.unsubscribe)}`,
          headers: `Content-Type: ${type}`,
          body: mutated(random, body, bodies),
        };
      },
    ],
    [
      "verifications",
      () => ({
        line: `${random.pick(["GET", "POST", "POST", "HEAD"])} /verify${random.below(2) ? `?r=${forged(random.pick(signed))}` : ""}`,
        headers: `${random.pick(headers)}\nCookie: __Host-cp=${forged(random.pick([known.cookie, known.reference]))}`,
        body: mutated(random, "1234", bodies),
      }),
    ],
    ["anything", () => whole(mutated(random, random.pick(strangers), strangers))],
    [
      "calls without a token",
      () => {
        const call = whole(random.pick(senders));
        const token = random.pick([
          "",
          "x",
          API_TOKEN.slice(1),
          `${API_TOKEN}0`,
          API_TOKEN.toUpperCase(),
          forged(known.cookie),
        ]);
        const scheme = random.pick(["Bearer ", "Bearer", "Basic ", "Bearer  \t"]);
        return {
          ...call,
          headers: `Authorization: ${scheme}${token}`,
          body: mutated(random, call.body, bodies),
        };
      },
    ],
    [
      "calls with a token",
      () => {
        const call = whole(random.pick(senders));
        const at = call.line.replace("hostile", () => random.pick(MESSAGES)).split("?");
        const query = at.length > 1 ? `?${mutated(random, at[1], senders)}` : "";
        const named = random.below(4) ? call.body : random.pick(bodies);
        // Of its own message alone.
        const body = mutated(random, named, bodies).replaceAll(
          /"message_id":"(spring|m|n|victim)"/g,
          '"message_id":"hostile"',
        );
        return { line: at[0] + query, headers: `Authorization: Bearer ${API_TOKEN}`, body };
      },
    ],
    [
      "calls of every method",
      () => ({
        line: `${method()} ${random.pick(["/", "/v1/links", "/v1/messages", "/report", "/healthz", "/verify", "/verify.js", "/v1/messages/hostile/reship"])}`,
        headers: random.pick(headers),
        body: random.pick(bodies),
      }),
    ],
  ];
  for (;;) {
    const [kind, make] = random.pick(kinds);
    const { line, headers: more = "", body = "" } = make();
    yield { kind, ...request(line, more, body) };
  }
}

/** A request of a corpus: its line, its headers, its body. */
function whole(text) {
  const end = text.indexOf("\n\n");
  const [head, body] = end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 2)];
  const at = head.indexOf("\n");
  return at < 0 ? { line: head, body } : { line: head.slice(0, at), headers: head.slice(at + 1), body };
}

/** The bytes of a request that the runtime's own parser takes: what it refuses never comes to the worker. */
function request(line, headers, body) {
  const [, word, target] = /^(\S*) ?([^]*)$/.exec(line);
  const method = METHODS.includes(word) ? word : "GET";
  const path = Buffer.from(target.replaceAll(/[\0-\x20"#<>`\x7f]/g, "") || "/").toString("latin1");
  const fields = headers
    .split("\n")
    .filter(
      (field) =>
        /^[A-Za-z-]+: /.test(field) &&
        !/^(content-length|transfer-encoding|connection|upgrade|host|expect):/i.test(field),
    )
    .map((field) => `${field.replaceAll(/[\0\r]/g, "")}\r\n`);
  const hasBody = body && !["GET", "HEAD", "TRACE"].includes(method);
  const length = hasBody ? `Content-Length: ${body.length}\r\n` : "";
  const text = `${method} ${path.startsWith("/") ? path : `/${path}`} HTTP/1.1\r\nHost: click.example\r\n${fields.join("")}${length}\r\n${hasBody ? body : ""}`;
  return { bytes: Buffer.from(text, "latin1"), isHead: method === "HEAD" };
}

/** One connection: requests go one after another, and each answer is read to its end, however it tells that. */
class Connection {
  #socket;
  #received = "";
  #waiting = null;

  constructor(port) {
    this.#socket = net.connect(port, "127.0.0.1").setNoDelay().setEncoding("latin1");
    this.#socket.setTimeout(TIMEOUT_MS, () => this.#end());
    this.#socket.on("data", (text) => this.#take(text));
    this.#socket.on("error", () => this.#end());
    this.#socket.on("close", () => this.#end());
  }

  /** Resolves with the answer's head; with nothing where the connection ends without one. */
  send({ bytes, isHead }) {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve(null);
      this.#waiting = { resolve, isHead };
      this.#socket.write(bytes);
    });
  }

  get isOpen() {
    return !this.#socket.destroyed;
  }

  close() {
    this.#socket.destroy();
  }

  #take(text) {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n") + 4;
    if (end < 4 || !this.#waiting) return;
    const head = this.#received.slice(0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const isChunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    const hasNone = this.#waiting.isHead || /^HTTP\/1.1 (204|304)/.test(head);
    if (!hasNone && this.#received.length < end + length) return;
    if (!hasNone && isChunked && !this.#received.endsWith("0\r\n\r\n")) return;
    this.#received = "";
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(head);
  }

  #end() {
    this.#waiting?.resolve(null);
    this.#waiting = null;
    this.#socket.destroy();
  }
}

// What the log may say under attack: nothing else happens.
const EXPECTED = new Set([
  "link.refused",
  "click.received",
  "open.received",
  "act.refused",
  "verify.refused",
  "message.settled",
  "message.expired",
  "events.written",
]);

/**
 * Attacks a worker with so many requests. Returns what was counted: `statuses` by kind of request, `bad` answers with what was asked, lines of
 * the log that tell of `trouble`, `memory` at the start and after each tenth, `effects` of the attack, and what the same calls do
 * `afterwards` in earnest.
 */
export async function attack(count, seed) {
  const strange = [];
  const events = new Map();
  const worker = measured(clickproof({ vars: { SETTLE_MS, CLICK_REF_PARAM: REFERENCE } }));
  const server = await startWorkerd(worker, {
    logs(line) {
      // What the runtime says of itself.
      if (line.includes(": warning: NOSENTRY ")) return;
      const event = line.startsWith("{") ? JSON.parse(line).event : "no line of the worker's";
      events.set(event, (events.get(event) ?? 0) + 1);
      if (!EXPECTED.has(event) && strange.length < 10) strange.push(line);
    },
  });
  try {
    const visitor = client(server.origin);
    const { known, event_id } = await honest(visitor);
    const made = requests(seeded(seed), known);
    const [statuses, bad, memory] = [new Map(), [], [await held(server)]];
    let [sent, closed] = [0, 0];
    const began = performance.now();

    async function run() {
      let connection = new Connection(server.port);
      while (sent < count && bad.length < 10) {
        sent += 1;
        if (sent % Math.ceil(count / 10) === 0) memory.push(await held(server));
        const asked = made.next().value;
        const head = await connection.send(asked);
        const status = head ? head.slice(9, 12) : "none";
        const answers = statuses.get(asked.kind) ?? new Map();
        statuses.set(asked.kind, answers.set(status, (answers.get(status) ?? 0) + 1));
        if (!head || /^[35]/.test(status) || /\r\nlocation:/i.test(head)) {
          bad.push(
            `${asked.bytes.toString("latin1").slice(0, 2_000)}\n→ ${head ?? "closed without an answer"}`,
          );
        }
        if (!connection.isOpen || (head && /\r\nconnection: close/i.test(head))) {
          closed += 1;
          connection.close();
          connection = new Connection(server.port);
        }
      }
      connection.close();
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, run));
    const seconds = (performance.now() - began) / 1_000;
    const effects = await changed(visitor, event_id);
    const trouble = strange.splice(0);
    const afterwards = await honestly(visitor, known, event_id);
    return {
      sent,
      closed,
      seconds,
      statuses,
      bad,
      memory,
      effects,
      afterwards,
      lives: server.lives(),
      trouble,
      events,
    };
  } finally {
    await server.stop();
  }
}

/** What the runtime and the worker's wasm hold where no garbage is left, bytes. */
async function held(server) {
  const wasm = await wasmMemory(server);
  return { all: server.memory(), wasm };
}

/** A visitor who clicks, and what of theirs an attacker may get to see. */
async function honest(worker) {
  const { links } = await worker.mint({
    message_id: VICTIM,
    recipient_id: "r1",
    sent_at_ms: Date.now(),
    links: [
      { link_id: "click", url: DESTINATION },
      { link_id: "open", kind: "open" },
      { link_id: "unsubscribe", kind: "unsubscribe" },
      { link_id: "confirm", kind: "confirm", url: DESTINATION },
    ],
  });
  const tokens = Object.fromEntries(
    links.map(({ link_id, href }) => [
      link_id,
      href
        .split("/")
        .at(-1)
        .replace(/\.gif$/, ""),
    ]),
  );
  const clicked = await worker.click(tokens.click);
  const reference = new URL(clicked.headers.get("location")).searchParams.get(REFERENCE);
  const cookie = /__Host-cp=([^;]+)/.exec(clicked.headers.get("set-cookie"))[1];
  const page = await (await worker.request(`/u/${tokens.unsubscribe}`)).text();
  const stamp = /name="stamp" value="([^"]+)"/.exec(page)[1];
  const [{ event_id }] = await until(async () => {
    const clicks = await worker.clicks(VICTIM);
    return clicks.length > 0 && clicks;
  });
  return { known: { links: tokens, reference, cookie, stamp }, event_id };
}

/** What the victim's message holds beside the one click: everything that somebody has made it say. */
async function changed(worker, event_id) {
  // What was to have an effect has it by then: sightings and acts are stored at once, clicks within a second.
  await sleep(1_500);
  const clicks = await worker.clicks(VICTIM);
  return clicks.flatMap((click) => {
    if (click.event_id !== event_id) return [`${click.kind} ${click.event_id}`];
    return click.verified === "none" ? [] : [`verified: ${click.verified}`];
  });
}

/** The same in earnest: it must show where the attack's effects would have shown. */
async function honestly(worker, { links, reference }, event_id) {
  await worker.request(`/verify?r=${reference}`, {
    method: "POST",
    body: "1500",
    headers: { "Content-Type": "text/plain" },
  });
  await worker.request(`/u/${links.unsubscribe}`, {
    method: "POST",
    body: "List-Unsubscribe=One-Click",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  const effects = await until(async () => {
    const shown = await changed(worker, event_id);
    return shown.length >= 2 && shown;
  });
  return effects
    .map((effect) => (effect.split(" ")[0] === "unsubscribe" ? "unsubscribe" : effect))
    .toSorted();
}
