// PostgreSQL as it is installed, or can be: a server of this run's own, reached by a socket in a folder of its own.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { aptInstall, canApt } from "../../../src/dev/apt.mjs";
import { Failure, start, which } from "../../../src/dev/run.mjs";
import { COLUMNS, lines } from "../clicks.mjs";

const DEBIAN = "/usr/lib/postgresql";
const MEMORY = ["-c", "work_mem=256MB", "-c", "shared_buffers=512MB", "-c", "fsync=off"];

/** The folder of its programs. */
async function programs() {
  const find = () => {
    const own = which("initdb");
    if (own) return path.dirname(realpathSync(own));
    const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
    const dirs = versions.map((version) => path.join(DEBIAN, version, "bin"));
    return dirs.toReversed().find((dir) => existsSync(path.join(dir, "initdb")));
  };
  if (!find() && canApt()) await aptInstall("Installing PostgreSQL", "1 min", ["postgresql"]);
  const found = find();
  if (!found)
    throw new Failure("PostgreSQL is missing: install it (Debian: sudo apt-get install postgresql).");
  return found;
}

/** The engine; the text for Redshift runs on it too. */
export async function make(dialect, dir) {
  const bin = await programs();
  // It refuses to run as root.
  const isRoot = process.getuid() === 0;
  const as = (program, args) =>
    isRoot
      ? [
          "setpriv",
          ["--reuid=postgres", "--regid=postgres", "--clear-groups", path.join(bin, program), ...args],
        ]
      : [path.join(bin, program), args];
  const home = mkdtempSync(path.join(os.tmpdir(), "clickproof-postgres-"));
  chmodSync(home, 0o777);
  const data = path.join(home, "data");
  const made = spawnSync(
    ...as("initdb", ["--pgdata", data, "--encoding", "UTF8", "--locale", "C.UTF-8", "--auth", "trust"]),
    {
      encoding: "utf8",
    },
  );
  if (made.status !== 0) throw new Failure(`initdb fails: ${made.stderr}`);
  const server = start(...as("postgres", ["-D", data, "-k", home, "-c", "listen_addresses=", ...MEMORY]), {
    stdio: "ignore",
  });
  const user = isRoot ? "postgres" : os.userInfo().username;
  const psql = (sql) => {
    const args = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"];
    const done = spawnSync(path.join(bin, "psql"), [...args, "-h", home, "-U", user, "-d", "postgres"], {
      input: sql,
      encoding: "utf8",
      maxBuffer: 2 ** 31,
    });
    if (done.status !== 0) throw new Error(done.stderr);
    return done.stdout;
  };
  const close = async () => {
    server.kill("SIGINT");
    await server.exited;
    rmSync(home, { recursive: true, force: true });
  };
  await ready(psql, close);

  /** The lines of a file as a table of JSON, as the comment of `source` has it. */
  const copy = (records) => {
    const file = path.join(dir, "postgres.ndjson");
    writeFileSync(file, lines(records));
    return `DROP TABLE IF EXISTS cp_lines; CREATE TABLE cp_lines (line JSONB);
\\copy cp_lines FROM '${file}' WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')\n`;
  };
  const version = psql("SHOW server_version").trim().split(" ")[0];
  return {
    name: dialect === "postgres" ? `PostgreSQL ${version}` : `Redshift's text on PostgreSQL ${version}`,
    rows: async (sql) =>
      psql(`SELECT ROW_TO_JSON(cp) FROM (\n${sql}\n) cp;`)
        .split("\n")
        .flatMap((line) => (line ? [JSON.parse(line)] : [])),
    async load(records) {
      const types = COLUMNS.map((name) => `${name} ${name.endsWith("_ms") ? "BIGINT" : "TEXT"}`);
      psql(`${copy(records)} CREATE TABLE clicks (${types});
        INSERT INTO clicks SELECT (JSONB_POPULATE_RECORD(NULL::clicks, line)).* FROM cp_lines; ANALYZE clicks;`);
    },
    // Redshift's table has keys of its own, which PostgreSQL does not know.
    ship:
      dialect === "postgres" &&
      (async (events, source) => {
        psql(`${source}\n${copy(events)} INSERT INTO clickproof_events
          SELECT (JSONB_POPULATE_RECORD(NULL::clickproof_events, line)).* FROM cp_lines ON CONFLICT DO NOTHING;`);
      }),
    close,
  };
}

/** Waits until it answers. */
async function ready(psql, close) {
  for (let tries = 100; ; tries -= 1) {
    try {
      psql("SELECT 1");
      return;
    } catch (error) {
      if (tries === 0) {
        await close();
        throw new Failure(`PostgreSQL does not start: ${error.message}`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
