// The npm packages of package-lock.json: wrangler with its workerd, wasm-opt, esbuild and the test tools.

import { lstatSync, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import path from "node:path";
import { withLock } from "./cache.mjs";
import { Failure, root, step } from "./run.mjs";

/** The installed program of an npm package. */
export function npmBin(name) {
  return path.join(root, "node_modules/.bin", name);
}

/** Runs `npm ci` unless node_modules is already what package-lock.json says. A link in its place is refused. */
export async function ensureNpmPackages() {
  if (isCurrent()) return;
  refuseLink(path.join(root, "node_modules"));
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

// `npm ci` begins with emptying the directory that it finds: through a link that is another checkout's.
export function refuseLink(directory) {
  if (lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Failure(
      `${directory} is a symbolic link, and not what package-lock.json says: npm would empty what it leads to. ` +
        "Remove the link (the packages are then installed here), or install them where it leads to.",
    );
  }
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
