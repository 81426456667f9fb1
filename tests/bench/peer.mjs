// The peer in JavaScript (javascript.mjs), ready for plain workerd: bundled with npm's packages and the networks that Clickproof
// itself knows, and with links that it opens.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { root } from "../../src/dev/run.mjs";
import { jsWorker } from "../worker/workerd.mjs";

const CATALOGUE = path.join(root, "src/signals/catalogue/networks.txt");
const SECRET = "a secret of the benchmark's, 32 B";

/** The peer; `withRow` binds the object that keeps a row a click. */
export async function javascriptPeer({ withRow }) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(root, "tests/bench/javascript.mjs")],
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
    external: ["cloudflare:workers"],
    define: { NETWORKS: JSON.stringify(scannerNetworks()) },
  });
  const classes = withRow ? ["Clicks"] : [];
  return {
    ...jsWorker(outputFiles[0].text),
    classes,
    bindings: [
      `(name = "SECRET", text = ${JSON.stringify(SECRET)})`,
      ...(withRow ? ['(name = "CLICKS", durableObjectNamespace = "Clicks")'] : []),
    ],
  };
}

/** The path of a link as the peer opens it. */
export function peerPath({ message_id, recipient_id, link_id, sent_at_ms, url }) {
  const payload = Buffer.from(JSON.stringify([message_id, recipient_id, link_id, sent_at_ms, url])).toString(
    "base64url",
  );
  return `/c/${payload}.${createHmac("sha256", SECRET).update(payload).digest("base64url")}`;
}

/** Microsoft's mail networks and those of gateways and other scanners from the catalogue, as disjoint ranges in ascending order. */
function scannerNetworks() {
  const found = { v4: [], v6: [] };
  let section = {};
  for (const line of readFileSync(CATALOGUE, "utf8").split("\n")) {
    if (line.startsWith("[")) section = {};
    const setting = /^(\w+)\s*=\s*(.*)$/.exec(line);
    if (setting) section[setting[1]] = setting[2];
    const prefix = /^([0-9a-f.:]+)\/(\d+)/i.exec(line);
    const isScanner = section.vendor?.startsWith("microsoft") || section.class?.startsWith("scanner");
    if (!prefix || !isScanner) continue;
    const [, address, length] = prefix;
    const bits = address.includes(":") ? 128n : 32n;
    const size = 1n << (bits - BigInt(length));
    const first = number(address);
    found[bits === 128n ? "v6" : "v4"].push([first, first + size - 1n, section.vendor]);
  }
  const told = (ranges, as) => disjoint(ranges).map(([first, last, vendor]) => [as(first), as(last), vendor]);
  return { v4: told(found.v4, Number), v6: told(found.v6, String) };
}

function disjoint(ranges) {
  ranges.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  const all = [];
  for (const [first, last, vendor] of ranges) {
    const before = all.at(-1);
    if (!before || first > before[1]) all.push([first, last, vendor]);
    // What a wider network holds is in it; prefixes overlap in no other way.
  }
  return all;
}

function number(address) {
  if (!address.includes(":")) return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [first, last] = address.split("::").map((text) => text.split(":").filter(Boolean));
  const missing = 8 - first.length - (last?.length ?? 0);
  const groups = [...first, ...Array(missing).fill("0"), ...(last ?? [])];
  return BigInt(`0x${groups.map((group) => group.padStart(4, "0")).join("")}`);
}
