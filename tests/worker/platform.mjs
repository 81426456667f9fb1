// What stands around a Worker on plain workerd: its queues and its buckets, played by the test's own process. They outlive a
// runtime that is killed, as the platform's do, and count what would be billed.
//
// workerd reaches them over HTTP by the protocol of its bindings. The producers' side of a queue is a binding; its
// consumers' side is a worker in the runtime that turns a POST into a queue event (`COURIER`).

import { once } from "node:events";
import http from "node:http";

/** The header by which the runtime says which queue or bucket it means; its configuration adds it to every request. */
export const NAME_HEADER = "Platform-Name";

/** The compatibility flags that COURIER needs beside the Worker's; they make workerd ask for `--experimental`. */
export const COURIER_FLAGS = ["experimental", "service_binding_extra_handlers"];

/** Delivers the batches of queues to the Worker, bound as MAIN, and answers with what became of each message. */
export const COURIER = `export default {
  async fetch(request, { MAIN }) {
    const { queue, messages, metrics } = await request.json();
    const read = ({ id, timestamp, attempts, type, body }) => {
      const bytes = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
      const typed = type === "bytes" ? bytes.buffer : new TextDecoder().decode(bytes);
      return { id, timestamp: new Date(timestamp), attempts, body: type === "json" ? JSON.parse(typed) : typed };
    };
    const { outcome, retryBatch, retryMessages } = await MAIN.queue(queue, messages.map(read), { metrics });
    return Response.json({ outcome, retryBatch, retryMessages });
  },
};`;

// An operation is counted for each of these that is written, read or deleted (Queues pricing, 2026-11).
const CHUNK_BYTES = 64_000;

// What the platform refuses (Queues limits, 2026-11).
const MAX_MESSAGE_BYTES = 128_000;
const MAX_BATCH_MESSAGES = 100;
const MAX_BATCH_BYTES = 256_000;

// An answer that comes late.
const LATE_MS = 3_000;

/**
 * Starts queues and buckets that are there until `close`.
 *
 * - `consumers`: of queues, as wrangler.toml has them. What is sent to a queue without one is counted and dropped
 * - `trouble(what, name)`: how it goes with the next `send` to a queue, `batch` of a queue or `put` to a bucket of that name. It fails
 *   `before` it is done or `behind` that, is answered `late` or `never`, or is done `twice`; as it should without
 */
export async function startPlatform({ consumers = [], trouble = () => null } = {}) {
  const queues = new Map();
  const buckets = new Map();
  let courier = null;

  const queueNamed = (name) => {
    if (!queues.has(name)) queues.set(name, newQueue(name));
    return queues.get(name);
  };
  const bucketNamed = (name) => {
    if (!buckets.has(name)) buckets.set(name, { puts: 0, bytes: 0, changes: 0, objects: new Map() });
    return buckets.get(name);
  };

  function newQueue(name) {
    const settings = consumers.find((consumer) => consumer.queue === name);
    return {
      name,
      settings,
      messages: 0,
      bytes: 0,
      chunks: 0,
      batches: 0,
      retries: 0,
      waiting: [],
      flush: null,
    };
  }

  function send(queue, sent) {
    for (const { type, body, delay_s } of sent) {
      queue.messages += 1;
      queue.bytes += body.length;
      queue.chunks += Math.max(1, Math.ceil(body.length / CHUNK_BYTES));
      const message = {
        id: `${queue.name}-${queue.messages}`,
        timestamp: Date.now(),
        attempts: 0,
        type,
        body,
      };
      later(delay_s, () => enqueue(queue, message));
    }
  }

  function enqueue(queue, message) {
    if (!queue.settings) return;
    queue.waiting.push(message);
    arrange(queue);
  }

  // A batch leaves when it is full or its time is over, one at a time.
  function arrange(queue) {
    // It is closed.
    if (!queue.settings) return;
    const { max_batch_size = 10, max_batch_timeout = 5 } = queue.settings;
    const isFull = queue.waiting.length >= max_batch_size;
    if (queue.waiting.length === 0 || queue.flush === "delivering") return;
    if (queue.flush && !isFull) return;
    clearTimeout(queue.flush);
    queue.flush = setTimeout(() => deliver(queue), isFull ? 0 : max_batch_timeout * 1_000).unref();
  }

  async function deliver(queue) {
    queue.flush = "delivering";
    const { max_batch_size = 10, max_retries = 3, retry_delay = 0, dead_letter_queue } = queue.settings;
    const batch = queue.waiting.splice(0, max_batch_size);
    const answer = await tell(queue, batch);
    if (trouble("batch", queue.name) === "twice") await tell(queue, batch);
    const retries = new Map(answer?.retryMessages?.map(({ msgId, delaySeconds }) => [msgId, delaySeconds]));
    const isAll = answer?.outcome !== "ok" || answer.retryBatch.retry;
    for (const message of batch.filter(({ id }) => isAll || retries.has(id))) {
      queue.retries += 1;
      // Nobody there is not the consumer's failure.
      if (answer) message.attempts += 1;
      const delay_s = answer
        ? (retries.get(message.id) ?? answer.retryBatch?.delaySeconds ?? retry_delay)
        : 0.2;
      if (message.attempts <= max_retries) later(delay_s, () => enqueue(queue, message));
      else if (dead_letter_queue) {
        message.attempts = 0;
        enqueue(queueNamed(dead_letter_queue), message);
      }
    }
    queue.flush = null;
    arrange(queue);
  }

  /** What the Worker says to a batch; null where no runtime is there to say anything. */
  async function tell(queue, batch) {
    if (!courier) return null;
    queue.batches += 1;
    const messages = batch.map(({ body, attempts, ...message }) => ({
      ...message,
      attempts: attempts + 1,
      body: body.toString("base64"),
    }));
    const metrics = { backlogCount: queue.waiting.length, backlogBytes: 0 };
    try {
      return JSON.parse(await post(courier, JSON.stringify({ queue: queue.name, messages, metrics })));
    } catch {
      return null;
    }
  }

  // The bindings' protocols, as the runtime speaks them.
  const server = http.createServer(async (request, response) => {
    const name = request.headers[NAME_HEADER.toLowerCase()];
    const isPut = Boolean(request.headers["cf-r2-metadata-size"]);
    const ill = trouble(isPut ? "put" : "send", name);
    const answer = (status, body, headers = {}) => {
      if (ill === "behind") response.writeHead(500).end();
      else later(ill === "late" ? LATE_MS / 1_000 : 0, () => response.writeHead(status, headers).end(body));
    };
    try {
      const body = Buffer.concat(await request.toArray());
      if (ill === "before") return response.writeHead(500).end();
      if (ill === "never") return;
      if (isPut) return put(bucketNamed(name), request, body, answer);
      if (request.method !== "POST") return answer(501);
      const sent = messages(request, body);
      if (!sent) return answer(413);
      send(queueNamed(name), sent);
      answer(200, JSON.stringify({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } }));
    } catch (error) {
      answer(500, String(error));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    /** Where the runtime finds it. */
    address: `127.0.0.1:${server.address().port}`,
    /** A runtime is there, with its courier on that port; none with null. */
    attach(port) {
      courier = port;
    },
    /**
     * What a queue has taken so far: `messages`, their `bytes` and `chunks` of 64 kB; the `batches` that were delivered and
     * the `retries` among their messages. `waiting` are those that are with nobody.
     */
    queue: (name) => {
      const { settings: _, flush: __, waiting, ...counts } = queueNamed(name);
      return { ...counts, waiting: waiting.length };
    },
    /**
     * What a bucket has taken: `puts`, their `bytes`, the `changes` that were made to what it had, and its `objects` by key,
     * each its bytes.
     */
    bucket: bucketNamed,
    async close() {
      for (const { flush } of queues.values()) if (flush !== "delivering") clearTimeout(flush);
      for (const queue of queues.values()) queue.settings = undefined;
      server.close();
      server.closeAllConnections();
    },
  };
}

function later(seconds, act) {
  if (seconds > 0) setTimeout(act, seconds * 1_000).unref();
  else act();
}

/** The messages of a send; null where the platform would refuse them. */
function messages(request, body) {
  if (!request.url.endsWith("/batch")) {
    const delay_s = Number(request.headers["x-msg-delay-secs"] ?? 0);
    return body.length <= MAX_MESSAGE_BYTES ? [{ type: request.headers["x-msg-fmt"], body, delay_s }] : null;
  }
  const sent = JSON.parse(body.toString()).messages.map(({ body, contentType, delaySecs = 0 }) => ({
    type: contentType,
    body: Buffer.from(body, "base64"),
    delay_s: delaySecs,
  }));
  const bytes = sent.reduce((sum, { body }) => sum + body.length, 0);
  const fits = sent.every(({ body }) => body.length <= MAX_MESSAGE_BYTES) && bytes <= MAX_BATCH_BYTES;
  return fits && sent.length <= MAX_BATCH_MESSAGES ? sent : null;
}

function put(bucket, request, body, answer) {
  const size = Number(request.headers["cf-r2-metadata-size"]);
  const { method, object: name } = JSON.parse(body.subarray(0, size).toString());
  if (method !== "put") return answer(501);
  const value = body.subarray(size);
  bucket.puts += 1;
  bucket.bytes += value.length;
  if (bucket.objects.get(name)?.equals(value) === false) bucket.changes += 1;
  bucket.objects.set(name, value);
  const said = JSON.stringify({
    name,
    version: String(bucket.puts),
    size: value.length,
    etag: String(bucket.puts),
    uploaded: Date.now(),
    httpFields: {},
    customFields: [],
    checksums: {},
  });
  answer(200, said, { "cf-r2-metadata-size": Buffer.byteLength(said), "Content-Type": "application/json" });
}

async function post(port, body) {
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
  if (response.status !== 200) throw new Error(`${response.status}`);
  return response.text();
}
