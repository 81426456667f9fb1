// `npm run warehouse`: the SQL of `clickproof sql` at full size, on every engine that can be had here, against `classify` on the
// same records; and what was shipped, asked for its current state. Prints a markdown table and writes it to build/warehouse.md. What
// cannot be had is named. `npm run warehouse -- duckdb postgres` runs some of them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { ensureNpmPackages } from "../../src/dev/npm.mjs";
import { Failure, main, root } from "../../src/dev/run.mjs";
import { ensureRust } from "../../src/dev/rust.mjs";
import { byEvent, clickproof, clicks, differences, judged } from "./clicks.mjs";
import { counted, shipped, told } from "./shipped.mjs";

// The reference implementation of GoogleSQL is none for speed.
const ENGINES = {
  duckdb: { clicks: 1_050_000, file: "duckdb" },
  postgres: { clicks: 210_000, file: "postgres" },
  redshift: { clicks: 210_000, file: "postgres" },
  clickhouse: { clicks: 210_000, file: "clickhouse" },
  bigquery: { clicks: 4_000, file: "googlesql" },
};
const PARSED = ["snowflake", "redshift"];
const SEED = 2026;
const EVENTS = 20_000;

await main(async () => {
  const wanted = process.argv.slice(2);
  const known = [...Object.keys(ENGINES), "parse"];
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown) throw new Failure(`There is no "${unknown}": ${known.join(", ")}.`);
  await ensureRust();
  await ensureNpmPackages();
  console.error("Compiling, and what `classify` says");
  const rows = [];
  const dir = mkdtempSync(path.join(os.tmpdir(), "clickproof-warehouse-"));
  try {
    for (const name of wanted.length > 0 ? wanted : known) {
      console.error(name);
      rows.push(...(name === "parse" ? await parsed(dir) : await tried(name, dir)));
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  const text = table(rows);
  console.log(`\n${text}`);
  mkdirSync(path.join(root, "build"), { recursive: true });
  writeFileSync(path.join(root, "build/warehouse.md"), text);
  if (rows.some(({ differences }) => differences > 0)) process.exitCode = 1;
});

/** The rows of one engine: the published table, and shipped events where the engine has what `source` makes. */
async function tried(dialect, dir) {
  const { clicks: count, file } = ENGINES[dialect];
  const { make } = await import(`./full/${file}.mjs`);
  let engine;
  try {
    engine = await make(dialect, dir);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [{ engine: dialect, asked: `not tested: ${error.message.trim().split("\n").at(-1)}` }];
  }
  try {
    const records = clicks(SEED, count);
    const expected = await judged(records);
    await engine.load(records);
    const sql = await clickproof(["sql", "--dialect", dialect, "--table", "clicks"]);
    const { seconds, result } = await timed(() => engine.rows(sql));
    const { count: different, words } = differences(expected, byEvent(result), records);
    if (different > 0) console.error(words);
    const rows = [
      { engine: engine.name, asked: "defender", clicks: expected.size, differences: different, seconds },
    ];
    return engine.ship ? [...rows, ...(await events(engine, dialect))] : rows;
  } finally {
    await engine.close();
  }
}

/** `current` and `report` against the last of what was shipped, and `check`, which finds nothing. */
async function events(engine, dialect) {
  const part = (name) => clickproof(["sql", "--dialect", dialect, "--part", name]);
  const { events, last } = await shipped(SEED, engine.events ?? EVENTS);
  await engine.ship(events, await part("source"));
  const current = await timed(async () => engine.rows(await part("current")));
  const known = new Map(current.result.map((row) => [row.event_id, row]));
  const isSame = ([id, { revision, click_type = null }]) =>
    Number(known.get(id)?.revision) === revision && (known.get(id).click_type ?? null) === click_type;
  const missed =
    [...last].filter((entry) => !isSame(entry)).length + Math.abs(current.result.length - last.size);
  const report = await timed(async () => engine.rows(await part("report")));
  const miscounted = differences(counted(last), new Map(report.result.map(told)), []).count;
  const check = await timed(async () => engine.rows(await part("check")));
  const row = (asked, { seconds }, differences) => ({
    engine: engine.name,
    asked,
    clicks: last.size,
    differences,
    seconds,
  });
  return [
    row("current", current, missed),
    row("report", report, miscounted),
    row("check", check, check.result.length),
  ];
}

/** The texts that no engine here runs: whether a parser of the dialect takes them. */
async function parsed(dir) {
  const { make } = await import("./full/parser.mjs");
  let parser;
  try {
    parser = await make(dir);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [{ engine: "parser", asked: `not tested: ${error.message.trim().split("\n").at(-1)}` }];
  }
  const rows = [];
  for (const dialect of PARSED) {
    const parts = ["defender", "current", "report", "check", "source"];
    const texts = await Promise.all(
      parts.map((part) => clickproof(["sql", "--dialect", dialect, "--part", part])),
    );
    const { seconds, result } = await timed(() => parser.refused(dialect, texts));
    const asked = `${parts.join(", ")}: parsed, not run`;
    rows.push({ engine: `${dialect} (${parser.name})`, asked, differences: result, seconds });
  }
  return rows;
}

async function timed(work) {
  const began = performance.now();
  const result = await work();
  return { seconds: (performance.now() - began) / 1000, result };
}

function table(rows) {
  const heads = ["engine", "part", "events", "differences", "seconds"];
  const cells = rows.map(({ engine, asked, clicks, differences, seconds }) => [
    engine,
    asked,
    clicks?.toLocaleString("en") ?? "",
    String(differences ?? ""),
    seconds?.toFixed(1) ?? "",
  ]);
  const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((row) => row[at].length)));
  const line = (row) => `| ${row.map((cell, at) => cell.padEnd(widths[at])).join(" | ")} |\n`;
  return line(heads) + line(widths.map((width) => "-".repeat(width))) + cells.map(line).join("");
}
