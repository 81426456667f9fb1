// What a million clicks cost: everything that is billed, counted on plain workerd while clicks arrive at a steady rate on one
// message, times the list prices. Nothing is assumed but what only the platform can tell (prices.mjs).
//
// Clicks settle in the run itself, so what is counted is the whole way of a click: recorded, judged, shipped, written. A window
// begins when all of that is under way. What the object wrote is divided by what it settled meanwhile, what came of a click
// at the edge by what was clicked; what was shipped and written is counted to the end, when it must be every click.

import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../worker/harness.mjs";
import { clickproof, startWorkerd } from "../worker/workerd.mjs";
import { openLoop } from "./load.mjs";
import { LOG_ENRICHMENT_BYTES, PRICED, PRICES } from "./prices.mjs";

// Few clicks are counted as they settle by default, since it is then that they wait for company; a window begins when the
// first have. The last rate alone, soon settled: it wants the machine for itself, and fills each tick whatever the settings.
const GROUPS = [
  { rates: [1, 10, 100], SETTLE_MS: 60_000, warmUpMs: 75_000 },
  { rates: [1_000], SETTLE_MS: 2_000, warmUpMs: 12_000 },
];
const CONNECTIONS = 64;
const MEASURED_MS = 20_000;

const EVENTS = "clickproof-events";

// Lines that `LOG=loss` leaves out.
const ROUTINE = new Set(["click.received", "message.settled", "events.written"]);

// Around the built worker: counts the calls of its objects, their alarms, and how long one of either is under way.
const COUNTING = `import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
  import { MessageObject as Inner } from "./index.js";
  export { default } from "./index.js";

  const counts = { calls: 0, alarms: 0, activeMs: 0 };

  export class MessageObject extends DurableObject {
    underWay = 0;
    constructor(context, env) {
      super(context, env);
      this.inner = new Inner(context, env);
    }
    fetch(request) {
      counts.calls += 1;
      return this.during(() => this.inner.fetch(request));
    }
    alarm(info) {
      counts.alarms += 1;
      return this.during(() => this.inner.alarm(info));
    }
    async during(work) {
      if (this.underWay++ === 0) this.since = Date.now();
      try {
        return await work();
      } finally {
        if (--this.underWay === 0) counts.activeMs += Date.now() - this.since;
      }
    }
  }

  export class Counts extends WorkerEntrypoint {
    fetch() {
      return Response.json(counts);
    }
  }`;

const LOGPUSH = "Logpush, a line a click";
const LOGS = "Workers Logs, `LOG=all`";

/** Counts at each rate; returns the tables. */
export async function counts({ clickproof: requests }) {
  const columns = [];
  for (const group of GROUPS) {
    console.error(`Counting at ${group.rates.join(", ")} clicks a second`);
    columns.push(...(await Promise.all(group.rates.map((rate) => measure(rate, group, requests)))));
  }
  return report(columns);
}

async function measure(rate, { SETTLE_MS, warmUpMs }, requests) {
  const log = { bytes: 0, lossBytes: 0, settled: 0, amended: 0, packs: 0, rows: 0, alarmsSet: 0, stored: 0 };
  const worker = clickproof({ vars: { SETTLE_MS } });
  const module = `(name = "counting.js", esModule = ${JSON.stringify(COUNTING)}),`;
  const server = await startWorkerd(
    { ...worker, modules: module + worker.modules, entrypoints: ["Counts"] },
    { logs: (line) => note(log, line) },
  );
  const load = openLoop(server, requests, { rate, connections: CONNECTIONS });
  try {
    const snapshot = async () => {
      const counted = await (await fetch(server.entrypoint("Counts"))).json();
      const cpuMs = server.cpuSeconds() * 1_000;
      return { clicks: load.sent, cpuMs, ...counted, ...log };
    };
    await sleep(warmUpMs);
    const before = await snapshot();
    await sleep(MEASURED_MS);
    const after = await snapshot();
    await load.stop();
    const archive = server.platform.bucket(EVENTS);
    const written = () => [...archive.objects.values()].reduce((sum, bytes) => sum + lines(bytes), 0);
    const all = () => log.settled === load.sent && written() >= load.sent;
    await until(all, { timeout: 120_000, every: 500, what: `the last of ${load.sent} clicks in the bucket` });
    const taken = Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
    const { messages, chunks, bytes } = server.platform.queue(EVENTS);
    const shipped = { messages, chunks, queueBytes: bytes, puts: archive.puts, archiveBytes: archive.bytes };
    return { rate, sent: load.sent, ...taken, ...shipped };
  } finally {
    await load.stop();
    await server.close();
  }
}

function lines(bytes) {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}

/** Adds a line of the worker's log to what has been counted of it. */
function note(log, line) {
  log.bytes += Buffer.byteLength(line);
  const said = line.startsWith("{") ? JSON.parse(line) : {};
  if (!ROUTINE.has(said.event)) log.lossBytes += Buffer.byteLength(line);
  if (said.event !== "message.settled") return;
  log.settled += said.settled;
  log.amended += said.amended;
  log.packs += said.packs_shipped;
  // These are the object's own sums.
  [log.rows, log.alarmsSet, log.stored] = [said.rows_written, said.alarms_set, said.stored_bytes];
}

function report(columns) {
  const each = (what) => columns.map(what);
  const number = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "");
  const row = (name, digits, what) => [name, ...each((column) => number(what(column), digits))];
  const a = (what, per) => (column) => column[what] / column[per];
  const counted = [
    ["a click takes, at so many a second", ...each(({ rate }) => rate.toLocaleString("en"))],
    ["---", ...each(() => "---:")],
    row("clicks counted", 0, ({ clicks }) => clicks),
    row("rows written, settings of the alarm included", 4, rowsWritten),
    row("calls of its object", 3, a("calls", "clicks")),
    row("alarms", 4, a("alarms", "clicks")),
    row("milliseconds that its object is awake", 1, a("activeMs", "clicks")),
    row("queue messages", 4, a("messages", "sent")),
    row("… chunks of 64 kB", 4, a("chunks", "sent")),
    row("… bytes", 0, a("queueBytes", "sent")),
    row("objects in R2", 4, a("puts", "sent")),
    row("… bytes of one", 0, a("archiveBytes", "puts")),
    row("bytes stored in its object", 0, a("stored", "settled")),
    row("amendments", 4, a("amended", "settled")),
    row("bytes of log, `LOG=all`", 0, a("bytes", "clicks")),
    row("bytes of log, `LOG=loss`", 0, a("lossBytes", "clicks")),
    row("CPU, µs", 0, (column) => (column.cpuMs / column.clicks) * 1_000),
  ];
  const [names, ...bills] = [Object.keys(bill(columns[0])), ...each(bill)];
  const million = (dollars) => (dollars * 1e6).toFixed(3);
  const sum = (skipped) => (parts) =>
    names.filter((name) => !skipped.includes(name)).reduce((sum, name) => sum + parts[name], 0);
  const billed = [
    ["dollars a million clicks", ...each(({ rate }) => rate.toLocaleString("en"))],
    ["---", ...each(() => "---:")],
    ...names.map((name) => [name, ...bills.map((parts) => million(parts[name]))]),
    ["**`LOG=loss` and Logpush**", ...bills.map(sum([LOGS])).map(million)],
    ["**`LOG=all`**", ...bills.map(sum([LOGPUSH])).map(million)],
  ];
  const table = (rows) => rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return [
    `Counted on plain workerd for ${MEASURED_MS / 1_000} s each, one message, up to ${CONNECTIONS} connections:`,
    "",
    table(counted),
    "",
    `By list price (${PRICED}), past what plans include:`,
    "",
    table(billed),
    "",
  ].join("\n");
}

function rowsWritten({ rows, alarmsSet, settled }) {
  return (rows + alarmsSet) / settled;
}

/** What one click costs, by what it is for, dollars. */
function bill(column) {
  const { clicks, sent } = column;
  return {
    "Worker requests": PRICES.workerRequest,
    "Worker CPU": PRICES.workerCpuMs * (column.cpuMs / clicks),
    "object requests": PRICES.objectRequest * ((column.calls + column.alarms) / clicks),
    "rows written": PRICES.rowWritten * rowsWritten(column),
    "object duration": PRICES.objectSecond * (column.activeMs / clicks / 1_000),
    "queue operations": PRICES.queueChunk * (column.chunks / sent),
    "R2 writes": PRICES.r2Write * (column.puts / sent),
    [LOGPUSH]: PRICES.logpushRequest,
    [LOGS]: PRICES.logByte * (column.bytes / clicks + LOG_ENRICHMENT_BYTES),
  };
}
