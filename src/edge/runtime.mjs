// What wasm asks of the runtime: each a function that does one thing from beginning to end, so that it costs one crossing.

/** The words of whatever was thrown. */
export function words(error) {
  return String(error?.message ?? error);
}

/** Posts a call to an object. Never rejects: a status of 0 says that the call or its answer did not arrive. */
export async function ask(env, object, path, body) {
  try {
    // With a stub of its own: after an exception a stub stays broken.
    const stub = env.MESSAGES.getByName(object);
    const answer = await stub.fetch(`https://object${path}`, { method: "POST", body });
    const { status } = answer;
    // To read a body that is not there costs as much as the rest of the call.
    return { status, text: status === 204 ? "" : await answer.text(), mayPass: false };
  } catch (error) {
    // The runtime says `retryable` of what is over soon, and `overloaded` of an object that must not be asked again.
    const mayPass = Boolean(error?.retryable) && !error?.overloaded;
    return { status: 0, text: words(error), mayPass };
  }
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

/** Sends a message to a queue. A send that never ends counts as one that fails. */
export async function send(env, binding, body, contentType, timeoutMs) {
  if (!env[binding]) throw new Error(`${binding} is not bound`);
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the queue does not answer")), timeoutMs);
  });
  try {
    await Promise.race([env[binding].send(body, { contentType }), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Has a queue's message delivered again later. */
export function retryAfter(message, delaySeconds) {
  message.retry({ delaySeconds });
}

/** Writes an object of R2. */
export async function write(env, binding, key, body, contentType) {
  if (!env[binding]) throw new Error(`${binding} is not bound`);
  await env[binding].put(key, body, { httpMetadata: { contentType } });
}

/**
 * Posts a webhook. Never rejects; answers with the status, with 0 where nobody was reached, and with 1 where nobody answered
 * in time. What the runtime says may hold the address, which may hold a secret: it is not passed on.
 */
export async function post(url, id, timestamp, signature, body, timeoutMs) {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const headers = {
      "content-type": "application/json",
      "user-agent": "Clickproof",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signature,
    };
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    return answer.status;
  } catch {
    return signal.aborted ? 1 : 0;
  }
}

/** Runs statements, and gives each row that they find to `each` as a list of values. Returns the number of rows written. */
export function run(sql, statements, values, each) {
  const cursor = sql.exec(statements, ...values);
  for (const row of cursor.raw()) each(row);
  return cursor.rowsWritten;
}
