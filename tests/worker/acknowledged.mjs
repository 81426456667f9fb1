// What the edge has been told of its calls: a module around the built worker that logs each call which an object has
// acknowledged, and what reads those lines. So a test sees from outside which clicks are safe, and when they became it.

const EVENT = "test.acknowledged";

// The default export alone is changed, and that for clicks alone. The Worker knows bindings by the name of their class.
const SOURCE = `
  import built from "./index.js";
  export * from "./index.js";

  class DurableObjectNamespace {
    constructor(real) { this.real = real }
    getByName(name) {
      const stub = this.real.getByName(name);
      return { fetch: (url, init) => told(stub, url, init) };
    }
  }

  async function told(stub, url, init) {
    const answer = await stub.fetch(url, init);
    if (answer.status === 204) {
      let bytes = "";
      for (const byte of init.body) bytes += String.fromCharCode(byte);
      console.log(JSON.stringify({ event: ${JSON.stringify(EVENT)}, at_ms: Date.now(), clicks: btoa(bytes) }));
    }
    return answer;
  }

  let telling;

  export default {
    ...built,
    fetch(request, env, context) {
      if (!new URL(request.url).pathname.startsWith("/c/")) return built.fetch(request, env, context);
      telling ??= { ...env, MESSAGES: new DurableObjectNamespace(env.MESSAGES) };
      return built.fetch(request, telling, context);
    },
  };`;

/** A worker as `clickproof` makes it, that logs what is acknowledged. */
export function telling(worker) {
  return {
    ...worker,
    modules: `(name = "telling.js", esModule = ${JSON.stringify(SOURCE)}),${worker.modules}`,
  };
}

/** The clicks of a logged line that tells of an acknowledged call, each `{ event_id, ts_ms, at_ms }`; none of another line. */
export function acknowledged({ event, at_ms, clicks }) {
  if (event !== EVENT) return [];
  return [...frames(Buffer.from(clicks, "base64"))].map((click) => ({ ...click, at_ms }));
}

/** The ids in batches of one record each, as src/record/packed.rs has them. */
function* frames(bytes) {
  for (let at = 0; at < bytes.length;) {
    const [length, body] = number(bytes, at + 2);
    const [, step] = number(bytes, body);
    const [zigzag, rest] = number(bytes, step);
    const ts_ms = Math.floor(zigzag / 2);
    const hex = ts_ms.toString(16).padStart(12, "0") + bytes.toString("hex", rest, rest + 10);
    yield { event_id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"), ts_ms };
    at = body + length;
  }
}

/** A number and where it ends. Beyond 32 bits JavaScript's shifts would cut it. */
function number(bytes, at) {
  let value = 0;
  for (let weight = 1; ; weight *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * weight;
    if (byte < 128) return [value, at];
  }
}
