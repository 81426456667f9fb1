// What the runtime starts: the Worker's handlers and its Durable Object, each a thin layer before wasm.
//
// A request that needs no more than what it shows crosses once into wasm, as one text, and its answer comes back in one call
// (reply.mjs). wasm-bindgen makes a new instance of wasm on the first call after one has panicked.

import * as wasm from "wasm";
import { take } from "./batch.mjs";

const initState = wasm.__worker_init_state();
const HEADERS = wasm.headerNames().split(",");

// What batch.mjs needs of wasm.
const settings = {
  unrecorded(record, reason) {
    wasm.awake();
    wasm.unrecorded(record, reason);
  },
};

// The instance that has read the settings.
let configured;

export default {
  fetch(request, env, context) {
    const shown = show(request);
    const made = answer(shown, env);
    return made ? finish(made, env, context) : serve(shown, request, env, context);
  },

  queue(batch, env) {
    wasm.awake();
    return wasm.queue(batch, env);
  },
};

/** The Durable Object. The part of it that wasm holds ends with wasm's instance, and is made anew from the same state. */
export class MessageObject {
  #state;
  #env;
  #instance;
  #object;

  constructor(state, env) {
    this.#state = state;
    this.#env = env;
  }

  fetch(request) {
    return this.#awake().fetch(request);
  }

  alarm() {
    return this.#awake().alarm();
  }

  #awake() {
    const instance = awake();
    if (this.#instance !== instance) {
      this.#object = new wasm.MessageObject(this.#state, this.#env);
      this.#instance = instance;
    }
    return this.#object;
  }
}

/** The number of wasm's instance, which lives. */
function awake() {
  wasm.awake();
  return initState.instanceId;
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
  const instance = awake();
  if (configured !== instance) {
    wasm.configure(env);
    configured = instance;
  }
  return wasm.answer(shown);
}

async function serve(shown, request, env, context) {
  return finish(await wasm.serve(shown, request, env, context), env, context);
}

/** What follows an answer; returns it. */
function finish({ response, line, object, record }, env, context) {
  if (line) console.log(line);
  if (object) take(context, env, object, record, settings);
  return response;
}
