// `duckdb FILE` for a walk: runs the SQL of stdin on that database and prints the rows of its last statement, as DuckDB's own shell
// would where it is installed.

import { readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";

const connection = await (await DuckDBInstance.create(process.argv[2])).connect();
const reader = await connection.runAndReadAll(readFileSync(0, "utf8"));
for (const row of reader.getRowObjectsJson()) console.log(JSON.stringify(row));
connection.closeSync();
