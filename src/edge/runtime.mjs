// What wasm asks of the runtime: each a function that does one thing from beginning to end, so that it costs one crossing.

/** The words of whatever was thrown. */
export function words(error) {
  return String(error?.message ?? error);
}

/**
 * Posts to an object by its address (link/shard.rs): its name, and where it is one of several their count behind a slash, which it is
 * told as the query. With a stub of its own: after an exception a stub stays broken.
 */
export function postTo(env, address, path, init) {
  const [name, shards] = address.split("/");
  const url = `https://object${path}${shards ? `?${shards}` : ""}`;
  return env.MESSAGES.getByName(name).fetch(url, { method: "POST", ...init });
}

/** Says something to a board. Rejects where it does not answer in some milliseconds. */
export async function exchange(env, board, said, withinMs) {
  const init = { body: said.slice(), signal: AbortSignal.timeout(withinMs) };
  const answer = await postTo(env, board, "/exchange", init);
  if (answer.status !== 200) throw new Error(`refused with ${answer.status}: ${await answer.text()}`);
  return new Uint8Array(await answer.arrayBuffer());
}

// The pauses before further tries, milliseconds: well inside the 30 s that work after an answer may take.
const PAUSES_MS = [50, 400, 2_000];

/**
 * Posts a call to an object by its address, again where that may help: what a call does twice is done once. Never rejects: a status of
 * 0 says that the call or its answer did not arrive.
 */
export async function ask(env, address, path, body) {
  let asked = await askOnce(env, address, path, body);
  for (const pauseMs of PAUSES_MS) {
    if (!asked.mayPass) break;
    await pause(pauseMs);
    asked = await askOnce(env, address, path, body);
  }
  return asked;
}

async function askOnce(env, address, path, body) {
  try {
    const answer = await postTo(env, address, path, { body });
    const { status } = answer;
    // To read a body that is not there costs as much as the rest of the call. Storage may be back soon.
    return { status, text: status === 204 ? "" : await answer.text(), mayPass: status >= 500 };
  } catch (error) {
    // The runtime says `retryable` of what is over soon, and `overloaded` of an object that must not be asked again.
    const mayPass = Boolean(error?.retryable) && !error?.overloaded;
    return { status: 0, text: words(error), mayPass };
  }
}

/**
 * Posts calls, each a list of what `ask` takes, `most` at a time. The texts of all answers, each in the place of its call; or, as soon as
 * one is missing, what there is in its place.
 */
export async function askAll(env, calls, most) {
  const texts = [];
  const left = calls.entries();
  let failed;
  const connection = async () => {
    for (const [at, call] of left) {
      const asked = await ask(env, ...call);
      if (asked.status !== 200 && asked.status !== 204) failed ??= asked;
      if (failed) return;
      texts[at] = asked.text;
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, calls.length) }, connection));
  return failed ?? { status: 200, text: "", texts };
}

/** Waits. */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The name of the class of a binding; empty where nothing is bound. */
export function kind(env, name) {
  const binding = env[name];
  return typeof binding === "object" ? (binding?.constructor?.name ?? "") : "";
}

/** A request's body; undefined where it has more than `most` bytes. */
export async function read(request, most) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > most) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The first text under each of these names in a form, urlencoded or multipart. */
export async function fields(contentType, body, ...names) {
  const form = await new Response(body, { headers: { "content-type": contentType } }).formData();
  return names.map((name) => {
    const value = form.get(name);
    return typeof value === "string" ? value : undefined;
  });
}

/** Bytes that come by and by: `next` resolves to one text after another, then to undefined. */
export function stream(next) {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const text = await next();
      if (text === undefined) controller.close();
      else controller.enqueue(encoder.encode(text));
    },
  });
}

/** Sends a message to a queue, which is to keep it for some seconds. A send that never ends counts as one that fails. */
export async function send(env, binding, body, contentType, delaySeconds, timeoutMs) {
  if (!env[binding]) throw new Error(`${binding} is not bound`);
  const options = delaySeconds > 0 ? { contentType, delaySeconds } : { contentType };
  await inTime(env[binding].send(body, options), "the queue", timeoutMs);
}

/**
 * So long the bucket may take, milliseconds. A batch of the queue ends when all of it is done: an answer that never comes would hold up
 * what was done beside it for the quarter of an hour that the platform lets it run.
 */
const BUCKET_MS = 10_000;

/** What a promise comes to, as long as it comes in time. */
async function inTime(promise, who, timeoutMs) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${who} does not answer`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Has a queue's message delivered again later. */
export function retryAfter(message, delaySeconds) {
  message.retry({ delaySeconds });
}

/** Whether R2 has an object. */
export const exists = async (env, binding, key) =>
  Boolean(await inTime(env[binding].head(key), "the bucket", BUCKET_MS));

// The clocks of the queue and of R2 may be so far apart.
const CLOCKS_MS = 60_000;

/**
 * Writes an object of R2, unless what lies there was sent later than this: the queue may bring an older message after a newer one,
 * and what has been erased since would be there again. What was written before this was sent is older; when what lies there
 * was sent stands beside it, and is looked at where that does not say.
 */
export async function write(env, binding, key, body, contentType, sentMs) {
  const bucket = env[binding];
  if (!bucket) throw new Error(`${binding} is not bound`);
  const put = (onlyIf) =>
    inTime(
      bucket.put(key, body, {
        httpMetadata: { contentType },
        customMetadata: { sent: String(sentMs) },
        ...(onlyIf && { onlyIf }),
      }),
      "the bucket",
      BUCKET_MS,
    );
  if (await put({ uploadedBefore: new Date(sentMs - CLOCKS_MS) })) return;
  const there = await inTime(bucket.head(key), "the bucket", BUCKET_MS);
  if (Number(there?.customMetadata?.sent ?? 0) > sentMs) return;
  if (!(await put(there && { etagMatches: there.etag })))
    throw new Error(`${key} is being written by another`);
}

/** Empties objects of R2 by their keys, a line each. */
export async function blank(env, binding, keys, contentType, sentMs) {
  for (const key of keys.trimEnd().split("\n")) await write(env, binding, key, "", contentType, sentMs);
}

/**
 * Posts requests to one receiver, each a list of its body, then names and values of headers; `most` at a time. What is refused goes
 * out again in another round, twice, as long as something is taken or it is little. Never rejects; answers with two numbers for each: the status,
 * or 0 where nobody was reached, 1 where nobody answered in time, 2 where it was not tried; and the seconds that the receiver
 * wants to be left alone. No further request goes to a receiver that does not answer, that asks for a pause, or once
 * `budgetMs` are over. What the runtime says may hold the address, which may hold a secret: it is not passed on.
 */
export async function post(url, requests, most, timeoutMs, budgetMs) {
  const answers = requests.map(() => [2, 0]);
  const end = Date.now() + budgetMs;
  const isRefused = (at) => answers[at][0] !== GONE && (answers[at][0] < 200 || answers[at][0] > 299);
  let waiting = [...requests.keys()];
  let goesOn = true;
  for (let round = 0; round < 3 && goesOn && waiting.length > 0; round++) {
    const left = waiting.values();
    const connection = async () => {
      for (const at of left) {
        if (!goesOn || Date.now() >= end) return;
        answers[at] = await postOne(url, requests[at], timeoutMs);
        const [status] = answers[at];
        if (status < 100 || status === 429 || status === 503) goesOn = false;
      }
    };
    await Promise.all(Array.from({ length: Math.min(most, waiting.length) }, connection));
    const refused = waiting.filter(isRefused);
    if (refused.length === waiting.length && refused.length > FEW) break;
    waiting = refused;
  }
  return answers.flat();
}

// That so few are refused says little of the receiver.
const FEW = 3;

// The receiver wants no more (Standard Webhooks 1.0.0).
const GONE = 410;

// Larger answers are not read to keep their connection.
const MAX_ANSWER_BYTES = 65_536;

async function postOne(url, [body, ...pairs], timeoutMs) {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const headers = new Headers({ "user-agent": "Clickproof" });
    for (let at = 0; at < pairs.length; at += 2) headers.set(pairs[at], pairs[at + 1]);
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    // What is not read holds one of the few connections that a run of the Worker has.
    const length = answer.headers.get("content-length");
    const isShort = length !== null && Number(length) <= MAX_ANSWER_BYTES;
    await (isShort ? answer.arrayBuffer() : answer.body?.cancel());
    return [answer.status, Number.parseInt(answer.headers.get("retry-after") ?? "", 10) || 0];
  } catch {
    return [signal.aborted ? 1 : 0, 0];
  }
}

/** Writes data points, a list of JSON, to Analytics Engine, which answers nothing. */
export async function count(env, binding, points) {
  for (const point of JSON.parse(points)) env[binding].writeDataPoint(point);
}

// A stream takes five megabytes at once.
const MAX_SENT_CHARACTERS = 2_000_000;

/** Sends a stream the records of lines of JSON. */
export async function sendRecords(env, binding, lines, timeoutMs) {
  let records = [];
  let length = 0;
  for (const line of lines.trimEnd().split("\n")) {
    if (length + line.length > MAX_SENT_CHARACTERS && records.length > 0) {
      await inTime(env[binding].send(records), "the stream", timeoutMs);
      records = [];
      length = 0;
    }
    records.push(JSON.parse(line));
    length += line.length;
  }
  await inTime(env[binding].send(records), "the stream", timeoutMs);
}

/** Runs statements, and gives each row that they find to `each` as a list of values. Returns the number of rows written. */
export function run(sql, statements, values, each) {
  const cursor = sql.exec(statements, ...values);
  for (const row of cursor.raw()) each(row);
  return cursor.rowsWritten;
}
