// Engines that npm brings, each with a table `clicks` of records and a table of shipped events, as the tests ask them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { PGlite } from "@electric-sql/pglite";
import { COLUMNS, lines } from "./clicks.mjs";

const isInteger = (name) => name.endsWith("_ms");
const columns = (text, integer) => COLUMNS.map((name) => [name, isInteger(name) ? integer : text]);

const folders = [];
process.on("exit", () => folders.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

/** A folder, gone when the process ends. */
export function folder() {
  const dir = mkdtempSync(path.join(os.tmpdir(), "clickproof-sql-"));
  folders.push(dir);
  return dir;
}

/** Shipped events as they lie in a bucket: an object for each few of them. */
export function writeObjects(dir, events) {
  for (let at = 0; at < events.length; at += 500) {
    const file = path.join(dir, "events", "dt=2026-11-22", "hh=12", `${at}.ndjson`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, lines(events.slice(at, at + 500)));
  }
}

/** DuckDB. */
export async function duckdb() {
  const connection = await (await DuckDBInstance.create()).connect();
  const run = (sql) => connection.run(sql);
  return {
    dialect: "duckdb",
    close: () => connection.closeSync(),
    run,
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson(),
    async load(records) {
      const file = path.join(folder(), "clicks.ndjson");
      writeFileSync(file, lines(records));
      const types = columns("VARCHAR", "BIGINT").map(([name, type]) => `'${name}': '${type}'`);
      await run(`CREATE OR REPLACE TABLE clicks AS SELECT *
        FROM read_json('${file}', format = 'newline_delimited', columns = {${types}})`);
    },
    /** The table of events, as `source` has it. */
    async ship(events, source) {
      const dir = folder();
      writeObjects(dir, events);
      await run(source.replaceAll("'events/", `'${dir}/events/`));
    },
  };
}

/** PostgreSQL in WebAssembly, given the text for that dialect. */
export const postgres = (dialect) =>
  async function () {
    const db = await PGlite.create();
    const insert = async (table, types, records) => {
      for (let at = 0; at < records.length; at += 5_000) {
        const json = JSON.stringify(records.slice(at, at + 5_000));
        await db.query(`INSERT INTO ${table} SELECT * FROM JSON_TO_RECORDSET($1) AS cp (${types})`, [json]);
      }
    };
    return {
      dialect,
      close: () => db.close(),
      run: (sql) => db.exec(sql),
      rows: async (sql) => (await db.query(sql)).rows,
      async load(records) {
        const types = columns("TEXT", "BIGINT").map((column) => column.join(" "));
        await db.exec(`DROP TABLE IF EXISTS clicks CASCADE; CREATE TABLE clicks (${types})`);
        await insert("clicks", types, records);
      },
      async ship(events, source) {
        await db.exec(source);
        // As the comment of `source` says.
        for (let at = 0; at < events.length; at += 1_000) {
          const json = JSON.stringify(events.slice(at, at + 1_000));
          await db.query(
            `INSERT INTO clickproof_events
              SELECT (JSONB_POPULATE_RECORD(NULL::clickproof_events, line)).* FROM JSONB_ARRAY_ELEMENTS($1) AS cp (line)
              ON CONFLICT DO NOTHING`,
            [json],
          );
        }
      },
    };
  };
