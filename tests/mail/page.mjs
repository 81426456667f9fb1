// The page that senders read, and the command that it speaks of.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { Failure, output, root } from "../../src/dev/run.mjs";

/** Keys for what mints. */
export const KEYS = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/** The blocks of code under a heading of the page, in order. */
export function blocks(heading) {
  const page = readFileSync(path.join(root, "static/docs/sending.md"), "utf8");
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  return [...section.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, text]) => text);
}

/** Builds the command: where it is. */
export function buildClickproof() {
  const build = spawnSync("cargo", ["build", "--bin", "clickproof"], { cwd: root, encoding: "utf8" });
  if (build.status !== 0) throw new Failure(`cargo build fails: ${build.stderr}`);
  const about = JSON.parse(output("cargo", ["metadata", "--format-version", "1", "--no-deps"]));
  return path.join(about.target_directory, "debug", "clickproof");
}
