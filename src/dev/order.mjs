// The order of the functions in the wasm: those that resemble each other stand side by side, where gzip finds them. It takes a fiftieth
// off what is uploaded and compiled, and nothing else changes.
//
// binaryen orders functions by their names and has no pass for this, so here is only what names them: "f" and their place.

/** How many bytes of a function are looked at together, and how many hashes stand for all of them. */
const SHINGLE = 5;
const HASHES = 48;

/** The wasm with a name for each function, in the order in which they are to stand. */
export function named(wasm) {
  const { imports, types, bodies } = functions(wasm);
  const names = [];
  order(types, bodies).forEach((at, place) => (names[at] = `f${String(place).padStart(6, "0")}`));
  const entries = names.flatMap((name, at) => [
    ...leb(imports + at),
    ...leb(name.length),
    ...Buffer.from(name),
  ]);
  const list = [...leb(names.length), ...entries];
  const section = [...leb(4), ...Buffer.from("name"), 1, ...leb(list.length), ...list];
  return Buffer.concat([wasm, Buffer.from([0, ...leb(section.length)]), Buffer.from(section)]);
}

/** Goes from each function to the one that resembles it most, of one signature after the other. */
function order(types, bodies) {
  const signatures = bodies.map(signature);
  const groups = new Map();
  types.forEach((type, at) => groups.set(type, [...(groups.get(type) ?? []), at]));
  const ordered = [];
  for (const group of groups.values()) {
    const left = new Set(group);
    while (left.size > 0) {
      const last = signatures[ordered.at(-1) ?? group[0]];
      let best = -1;
      let most = -1;
      for (const at of left) {
        let same = 0;
        for (let n = 0; n < HASHES; n += 1) same += last[n] === signatures[at][n];
        if (same > most) [best, most] = [at, same];
      }
      ordered.push(best);
      left.delete(best);
    }
  }
  return ordered;
}

/** The smallest of each of some hashes over a function's bytes (Broder's MinHash): how many two have in common says how alike they are. */
function signature(body) {
  const least = new Uint32Array(HASHES).fill(0xffff_ffff);
  for (let at = 0; at + SHINGLE <= body.length; at += 1) {
    let hash = 0x811c_9dc5;
    for (let n = 0; n < SHINGLE; n += 1) hash = Math.imul(hash ^ body[at + n], 0x0100_0193);
    for (let n = 0; n < HASHES; n += 1) {
      let mixed = Math.imul(hash ^ Math.imul(n, 0x9e37_79b1), 0x85eb_ca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35) >>> 0;
      if (mixed < least[n]) least[n] = mixed;
    }
  }
  return least;
}

/** How many functions are imported; of the others their types and their code (WebAssembly 2.0, binary format). */
function functions(wasm) {
  let at = 8;
  const number = () => {
    let [value, shift, byte] = [0, 1, 0];
    do {
      byte = wasm[at++];
      value += (byte & 127) * shift;
      shift *= 128;
    } while (byte & 128);
    return value;
  };
  const skip = (bytes) => (at += bytes);
  const limits = () => {
    const flags = number();
    number();
    if (flags & 1) number();
  };
  // What an import of each kind says of itself: a function its type, a table, a memory, a global, a tag.
  const kinds = [number, () => (skip(1), limits()), limits, () => skip(2), () => (skip(1), number())];
  const list = (each) => Array.from({ length: number() }, each);
  let imports = 0;
  let types = [];
  let bodies = [];
  while (at < wasm.length) {
    const section = wasm[at++];
    const end = number() + at;
    if (section === 2) {
      list(() => {
        skip(number());
        skip(number());
        const kind = wasm[at++];
        imports += kind === 0;
        kinds[kind]();
      });
    }
    if (section === 3) types = list(number);
    if (section === 10) {
      bodies = list(() => {
        const length = number();
        return wasm.subarray(at, skip(length));
      });
    }
    at = end;
  }
  return { imports, types, bodies };
}

function leb(number) {
  const bytes = [];
  do {
    bytes.push((number & 127) | (number > 127 ? 128 : 0));
    number >>>= 7;
  } while (number > 0);
  return bytes;
}
