// What the full size needs beside npm's packages: Python's and npm's own too large for every checkout, once for all in the cache.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cacheDir, withLock } from "../../../src/dev/cache.mjs";
import { Failure, step, which } from "../../../src/dev/run.mjs";

const CHDB = "4.4.0";
const SQLGLOT = "30.30.0";
const ZETASQL = "1.13.0";
const ADVICE = "Check the lines above and the network, then run this again.";

/** A Python that has ClickHouse and the parser. */
export async function ensurePython() {
  const dir = path.join(cacheDir, `warehouse-chdb-${CHDB}-sqlglot-${SQLGLOT}`);
  const python = path.join(dir, "bin/python");
  const done = path.join(dir, "done");
  const own = which("python3");
  if (!own) throw new Failure("Python 3 is missing: install it (Debian: sudo apt-get install python3-venv).");
  await withLock("warehouse-python", async () => {
    if (existsSync(done)) return;
    rmSync(dir, { recursive: true, force: true });
    const options = { advice: ADVICE };
    await step("Making a Python environment", "seconds", own, ["-m", "venv", dir], options);
    const packages = [`chdb==${CHDB}`, `sqlglot==${SQLGLOT}`];
    const args = ["-m", "pip", "install", "--quiet", ...packages];
    await step("Installing ClickHouse (chdb) and sqlglot", "1 min, 900 MB", python, args, options);
    writeFileSync(done, "");
  });
  return { python, chdb: CHDB, sqlglot: SQLGLOT };
}

/** The folder of an npm project that has GoogleSQL's reference implementation. */
export async function ensureGoogleSql() {
  const dir = path.join(cacheDir, `googlesql-${ZETASQL}`);
  await withLock("warehouse-googlesql", async () => {
    if (existsSync(dir)) return;
    const making = `${dir}.making`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    writeFileSync(path.join(making, "package.json"), '{"private":true}\n');
    const name = `@fivetrandevelopers/zetasql@${ZETASQL}`;
    const args = ["install", "--prefix", making, "--ignore-scripts", "--no-audit", "--no-fund", name];
    await step("Installing GoogleSQL", "1 min, 350 MB", "npm", args, { advice: ADVICE });
    renameSync(making, dir);
  });
  return { dir, version: ZETASQL };
}
