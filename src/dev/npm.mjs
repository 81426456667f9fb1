// The npm packages of package-lock.json: wrangler with its workerd, wasm-opt, esbuild and the test tools.

import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import path from "node:path";
import { withLock } from "./cache.mjs";
import { root, step } from "./run.mjs";

/** The installed program of an npm package. */
export function npmBin(name) {
  return path.join(root, "node_modules/.bin", name);
}

/** Runs `npm ci` unless node_modules is already what package-lock.json says. */
export async function ensureNpmPackages() {
  if (isCurrent()) return;
  const checkout = createHash("sha256").update(root).digest("hex").slice(0, 12);
  await withLock(`npm-${checkout}`, async () => {
    if (isCurrent()) return;
    await step(
      "Installing the npm packages",
      "usually 10 to 60 s",
      "npm",
      ["ci", "--no-audit", "--no-fund"],
      {
        advice: "Check the lines above and the network, then run this again.",
      },
    );
  });
}

// npm writes node_modules/.package-lock.json last, so an interrupted install has none. It leaves out the optional
// packages of other platforms.
function isCurrent() {
  const wanted = lockedPackages("package-lock.json");
  const installed = lockedPackages("node_modules/.package-lock.json");
  if (!wanted || !installed) return false;
  return (
    Object.keys(installed).every((name) => name in wanted) &&
    Object.entries(wanted).every(
      ([name, { version, optional }]) =>
        name === "" || (name in installed ? installed[name].version === version : optional),
    )
  );
}

function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(path.join(root, file), "utf8")).packages;
  } catch {
    return null;
  }
}
