// `npm run bench`: what Clickproof costs beside peers measured in the same run on plain workerd, and what a million clicks cost
// by what they were counted to take; what a burst, very many small messages and a scanner come to. Prints markdown tables and
// writes them to build/bench.md. `npm run bench -- speed` runs one part: `speed`, `counts`, `burst`, `messages` or `scanner`;
// `npm run bench -- hostile` sends ten million hostile inputs, `npm run bench -- large` brings 300,000 clicks to one message and
// `npm run bench -- scale` plays a send to ten million recipients: all take minutes and are
// run when asked for.

import { writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "../../src/dev/build.mjs";
import { Failure, main, output, root } from "../../src/dev/run.mjs";
import { burst } from "./burst.mjs";
import { counts } from "./counts.mjs";
import { hostile } from "./hostile.mjs";
import { large } from "./large.mjs";
import { clicks } from "./load.mjs";
import { messages } from "./messages.mjs";
import { scale } from "./scale.mjs";
import { scanner } from "./scanner.mjs";
import { speed } from "./speed.mjs";

const PARTS = {
  speed: async () => `${await speed(await minted())}\n${judging()}`,
  counts: async () => counts(await minted()),
  burst: async () => burst(await minted()),
  messages,
  scanner,
  hostile,
  large,
  scale,
};

// Run only where they are asked for.
const LONG = ["hostile", "large", "scale"];

let all;

/** The clicks of one message, which most parts share. */
function minted() {
  if (!all) console.error("Minting");
  return (all ??= clicks());
}

await main(async () => {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((part) => !Object.hasOwn(PARTS, part));
  if (unknown) throw new Failure(`There is no part "${unknown}": ${Object.keys(PARTS).join(", ")}.`);
  await build();
  const tables = [];
  const usual = Object.keys(PARTS).filter((part) => !LONG.includes(part));
  for (const part of wanted.length > 0 ? wanted : usual) tables.push(await PARTS[part]());
  const text = tables.join("\n");
  console.log(`\n${text}`);
  writeFileSync(path.join(root, "build/bench.md"), text);
});

function judging() {
  console.error("What judging costs beside checking a token");
  const cost = output("cargo", ["bench", "--profile=wasm", "--bench=cost", "--quiet"]);
  if (!cost)
    throw new Failure(
      "Judging costs too much, or `cargo bench --profile wasm --bench cost` fails: run it to see why.",
    );
  return `Native, one thread, the best of nine:\n\n${cost}\n`;
}
