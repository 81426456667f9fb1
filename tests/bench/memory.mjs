// What of a runtime's memory is the Worker's wasm: the part that the platform counts against an isolate's 128 MB, beside V8's heap.
// Wasm's memory never shrinks, so its size is the most that it ever was. And V8 leaves garbage lie as long as it likes: it is
// collected before anything is told.

// Modules are evaluated in order: this one sees every instance that is made.
const INSTANCES = `
  const { Instance } = WebAssembly;
  export const memories = [];
  WebAssembly.Instance = function (module, imports) {
    const instance = new Instance(module, imports);
    memories.push(instance.exports.memory);
    return instance;
  };`;

const MEASURED = (main) => `
  import { memories } from "./instances.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  export * from "./${main}";
  export { default } from "./${main}";

  export class Memory extends WorkerEntrypoint {
    fetch() {
      gc();
      return Response.json(memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0));
    }
  }`;

/** A worker that tells `wasmMemory` its own; `main` is its main module so far. */
export function measured(worker, main = "index.js") {
  const module = (name, source) => `(name = "${name}", esModule = ${JSON.stringify(source)}),`;
  const before = module("measured.js", MEASURED(main)) + module("instances.js", INSTANCES);
  return { ...worker, modules: before + worker.modules, entrypoints: ["Memory"], v8Flags: ["--expose-gc"] };
}

/** The memory of a server's wasm, bytes. After it the server's own has no garbage of V8's. */
export async function wasmMemory(server) {
  return (await fetch(server.entrypoint("Memory"))).json();
}

/** Bytes as megabytes. */
export function mb(bytes) {
  return (bytes / 2 ** 20).toFixed(0);
}
