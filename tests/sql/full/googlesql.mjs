// GoogleSQL's reference implementation: BigQuery's language, exactly, and slowly.

import { createRequire } from "node:module";
import { createServer } from "node:net";
import path from "node:path";
import { Failure, start } from "../../../src/dev/run.mjs";
import { COLUMNS } from "../clicks.mjs";
import { ensureGoogleSql } from "./tools.mjs";

const BATCH = 250;
const EVENTS = 150;
const START_MS = 30_000;

const CLICKS = COLUMNS.map((name) => [name, name.endsWith("_ms") ? "INT64" : "STRING"]);

/** The engine. It takes a table with each query, so records stay here. */
export async function make() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Failure("GoogleSQL's server is built for Linux on x64 alone.");
  }
  const { dir, version } = await ensureGoogleSql();
  const require = createRequire(path.join(dir, "package.json"));
  const grpc = require("@grpc/grpc-js");
  const lib = path.join(dir, "node_modules/@fivetrandevelopers/zetasql/lib/zetasql");
  const definition = require("@grpc/proto-loader").loadSync("local_service.proto", {
    longs: Number,
    oneofs: true,
    includeDirs: [path.join(lib, "protos")],
  });
  const port = await freePort();
  const server = start(path.join(lib, "remote_server.so"), ["localhost", String(port)], { stdio: "ignore" });
  const { ZetaSqlLocalService } = grpc.loadPackageDefinition(definition).zetasql.local_service;
  const api = new ZetaSqlLocalService(`localhost:${port}`, grpc.credentials.createInsecure(), {
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": -1,
  });
  const promised = (call) =>
    new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
  const call = (name, request) => promised((done) => api[name](request, done));
  await promised((done) => api.waitForReady(Date.now() + START_MS, done));
  const known = { maximumFeatures: true, languageVersion: "LANGUAGE_VERSION_CURRENT" };
  // As BigQuery has it, without the types of its makers' own databases.
  const languageOptions = { ...(await call("GetLanguageOptions", known)), productMode: "PRODUCT_EXTERNAL" };
  const builtinFunctionOptions = { languageOptions };
  // Each with the table that a query reads, and its rows.
  let batches = [];
  const batch = (name, columns, records) => ({
    simpleCatalog: {
      name: "warehouse",
      builtinFunctionOptions,
      table: [
        {
          name,
          serializationId: 1,
          column: columns.map(([name, type]) => ({ name, type: TYPES[type].type })),
        },
      ],
    },
    tableContent: {
      [name]: {
        tableData: {
          row: records.map((record) => ({ cell: columns.map(([name, type]) => cell(type, record[name])) })),
        },
      },
    },
  });
  return {
    name: `GoogleSQL (zetasql ${version})`,
    events: EVENTS,
    // A verdict looks at its own message alone.
    async load(records) {
      const parts = [];
      for (const message of Map.groupBy(records, ({ message_id }) => message_id).values()) {
        const last = parts.at(-1);
        if (last && last.length + message.length <= BATCH) last.push(...message);
        else parts.push([...message]);
      }
      batches = parts.map((part) => batch("clicks", CLICKS, part));
    },
    async ship(events, source) {
      const columns = [...source.matchAll(/^ {2}`(\w+)` (\S+?)(?: NOT NULL)?,?$/gm)].map(
        ([, ...column]) => column,
      );
      batches = [batch("clickproof_events", columns, events)];
    },
    async rows(sql) {
      const rows = [];
      for (const batch of batches) {
        const options = { languageOptions };
        const { content, prepared } = await call("EvaluateQuery", { sql, options, ...batch });
        const names = prepared.columns.map(({ name }) => name);
        for (const { cell } of content.tableData.row ?? []) {
          rows.push(Object.fromEntries(names.map((name, at) => [name, said(cell[at])])));
        }
      }
      return rows;
    },
    async close() {
      api.close();
      server.kill();
      await server.exited;
    },
  };
}

const TYPES = {
  STRING: { type: { typeKind: "TYPE_STRING" }, value: (given) => ({ stringValue: given }) },
  INT64: { type: { typeKind: "TYPE_INT64" }, value: (given) => ({ int64Value: given }) },
  BOOL: { type: { typeKind: "TYPE_BOOL" }, value: (given) => ({ boolValue: given }) },
  JSON: { type: { typeKind: "TYPE_JSON" }, value: (given) => ({ jsonValue: JSON.stringify(given) }) },
  "ARRAY<STRING>": {
    type: { typeKind: "TYPE_ARRAY", arrayType: { elementType: { typeKind: "TYPE_STRING" } } },
    value: (given) => ({ arrayValue: { element: given.map((stringValue) => ({ stringValue })) } }),
  },
};

/** A value as the server takes it. */
const cell = (type, given) => (given === undefined || given === null ? {} : TYPES[type].value(given));

/** A value as it answers. */
const said = ({ stringValue, boolValue, int64Value }) => stringValue ?? boolValue ?? int64Value ?? null;

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
