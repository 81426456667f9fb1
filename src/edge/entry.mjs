// What the runtime starts: the Worker's handlers and its Durable Object, each a thin layer before wasm.
//
// A request that needs no more than what it shows crosses once into wasm, as one text, and its answer comes back in one call
// (reply.mjs). wasm-bindgen makes a new instance of wasm on the first call after one has panicked.

import * as wasm from "wasm";
import { take } from "./batch.mjs";
import { render } from "./pages/render.mjs";

const HEADERS = wasm.headerNames().split(",");

// How many instances of wasm there have been, and which of them has read the settings.
let instance = 0;
let configured = 0;

export default {
  fetch(request, env, context) {
    const shown = show(request);
    const made = answer(shown, env);
    return made ? finish(made, env, context) : serve(shown, request, env, context);
  },

  queue(batch, env) {
    awake();
    return wasm.queue(batch, env);
  },
};

/** The Durable Object. The part of it that wasm holds ends with wasm's instance, and is made anew from the same state. */
export class MessageObject {
  #state;
  #env;
  #instance = 0;
  #object;

  constructor(state, env) {
    this.#state = state;
    this.#env = env;
  }

  async fetch(request) {
    if (request.method !== "POST") return new Response("calls are posted", { status: 405 });
    const body = new Uint8Array(await request.arrayBuffer());
    const { pathname, search } = new URL(request.url);
    const [status, text] = await this.#awake().call(pathname, search.slice(1), body);
    return new Response(text || null, { status });
  }

  alarm(info) {
    return this.#awake().alarm(Boolean(info?.isRetry));
  }

  #awake() {
    awake();
    if (this.#instance !== instance) {
      this.#object = new wasm.MessageObject(this.#state, this.#env);
      this.#instance = instance;
    }
    return this.#object;
  }
}

/** Sees to it that wasm's instance lives. */
function awake() {
  if (wasm.wake()) instance += 1;
}

/** Everything that a request shows, as request.rs reads it. What the platform tells oddly counts as not told. */
function show({ method, url, headers, cf }) {
  const { asn, httpProtocol, country } = cf ?? {};
  let text = `${method}\n${url}`;
  for (const name of HEADERS) text += `\n${headers.get(name) ?? ""}`;
  return `${text}\n${only("number", asn)}\n${only("string", httpProtocol)}\n${only("string", country)}`;
}

function only(type, value) {
  return typeof value === type ? value : "";
}

/** What a request comes to that needs no waiting, and undefined for others. After a panic it is tried once more. */
function answer(shown, env) {
  try {
    return answerOnce(shown, env);
  } catch (error) {
    console.error(JSON.stringify({ event: "worker.failed", subject: "answer", error: String(error) }));
    return answerOnce(shown, env);
  }
}

function answerOnce(shown, env) {
  awake();
  if (configured !== instance) {
    wasm.configure(env);
    configured = instance;
  }
  return wasm.answer(shown);
}

async function serve(shown, request, env, context) {
  return finish(await wasm.serve(shown, request, env, context), env, context);
}

/** What becomes of a click that no object took. */
const lost = {
  unrecorded(record, reason) {
    awake();
    wasm.unrecorded(record, reason);
  },
};

/** What types of clicks, rules and signals are in words: by each kind, the words by their names. */
function words() {
  awake();
  const known = { type: {}, rule: {}, reason: {} };
  for (const line of wasm.words().trimEnd().split("\n")) {
    const [, kind, name, its] = line.match(/^(\S+) (\S+) (.*)$/);
    known[kind][name] = its;
  }
  return known;
}

/** What follows an answer; returns it. */
function finish({ response, page, line, object, record }, env, context) {
  if (page) return render(page.form, page.json, words);
  if (line) console.log(line);
  if (object) take(context, env, object, record, lost);
  return response;
}
