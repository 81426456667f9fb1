// ClickHouse, by the package that brings it into a Python process.

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { start } from "../../../src/dev/run.mjs";
import { COLUMNS, lines } from "../clicks.mjs";
import { ensurePython } from "./tools.mjs";

const SCRIPT = path.join(import.meta.dirname, "clickhouse.py");
const REQUIRED = ["event_id", "message_id", "recipient_id", "ts_ms", "sent_at_ms"];

/** The engine, with files in `dir`. */
export async function make(_dialect, dir) {
  const { python } = await ensurePython();
  const child = start(python, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"], cwd: dir });
  const answers = createInterface({ input: child.stdout });
  const file = path.join(dir, "clickhouse.ndjson");
  const ask = async (request) => {
    const answer = once(answers, "line");
    child.stdin.write(`${JSON.stringify({ file, ...request })}\n`);
    const { problem } = JSON.parse((await answer)[0]);
    if (problem) throw new Error(problem);
  };
  const rows = async (sql) => {
    await ask({ run: [], rows: sql });
    const text = readFileSync(file, "utf8");
    return text.split("\n").flatMap((line) => (line ? [JSON.parse(line)] : []));
  };
  const input = path.join(dir, "input.ndjson");
  const from = (columns) => `file('${input}', 'JSONEachRow'${columns})`;
  const [{ version }] = await rows("SELECT version() AS version");
  return {
    name: `ClickHouse ${version}`,
    rows,
    async load(records) {
      writeFileSync(input, lines(records));
      const type = (name) => (name.endsWith("_ms") ? "Int64" : "String");
      const columns = COLUMNS.map(
        (name) => `${name} ${REQUIRED.includes(name) ? type(name) : `Nullable(${type(name)})`}`,
      );
      await ask({
        run: [
          `CREATE TABLE clicks (${columns}) ENGINE = MergeTree ORDER BY event_id`,
          `INSERT INTO clicks SELECT * FROM ${from(`, '${columns}'`)}`,
        ],
      });
    },
    async ship(events, source) {
      writeFileSync(input, lines(events));
      const settings = "input_format_skip_unknown_fields = 1, input_format_null_as_default = 1";
      const create = source.replaceAll(/^--.*$/gm, "").replace(";", "");
      const columns = create.slice(create.indexOf("(") + 1, create.lastIndexOf(") ENGINE"));
      // Merges would leave `current` nothing to do.
      const stop = "SYSTEM STOP MERGES";
      const insert = `INSERT INTO clickproof_events SELECT * FROM ${from(`, '${columns}'`)} SETTINGS ${settings}`;
      await ask({ run: [create, stop, insert] });
    },
    async close() {
      child.stdin.end();
      await child.exited;
    },
  };
}
