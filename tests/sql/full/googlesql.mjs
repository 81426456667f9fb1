// GoogleSQL's reference implementation: BigQuery's language, exactly, and slowly.

import { createRequire } from "node:module";
import { createServer } from "node:net";
import path from "node:path";
import { Failure, start } from "../../../src/dev/run.mjs";
import { COLUMNS } from "../clicks.mjs";
import { ensureGoogleSql } from "./tools.mjs";

const YIELDS = ["event_id", "click_type", "rule", "paired_with", "is_defender_bot"];
const BATCH = 250;
const START_MS = 30_000;

const isInteger = (name) => name.endsWith("_ms");

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
  const simpleCatalog = {
    name: "warehouse",
    builtinFunctionOptions: { languageOptions },
    table: [
      {
        name: "clicks",
        serializationId: 1,
        column: COLUMNS.map((name) => ({
          name,
          type: { typeKind: isInteger(name) ? "TYPE_INT64" : "TYPE_STRING" },
        })),
      },
    ],
  };
  let batches = [];
  return {
    name: `GoogleSQL (zetasql ${version})`,
    // A verdict looks at its own message alone.
    async load(records) {
      batches = [];
      const messages = Map.groupBy(records, ({ message_id }) => message_id);
      for (const message of messages.values()) {
        const last = batches.at(-1);
        if (last && last.length + message.length <= BATCH) last.push(...message);
        else batches.push([...message]);
      }
    },
    async rows(sql) {
      const rows = [];
      for (const batch of batches) {
        const row = batch.map((record) => ({ cell: COLUMNS.map((name) => value(name, record[name])) }));
        const { content } = await call("EvaluateQuery", {
          sql,
          options: { languageOptions },
          simpleCatalog,
          tableContent: { clicks: { tableData: { row } } },
        });
        for (const { cell } of content.tableData.row) {
          const said = cell.map(({ stringValue, boolValue }) => stringValue ?? boolValue ?? null);
          rows.push(Object.fromEntries(YIELDS.map((name, at) => [name, said[at]])));
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

function value(name, given) {
  if (given === undefined || given === null) return {};
  return isInteger(name) ? { int64Value: given } : { stringValue: given };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
