// What a message of 300,000 clicks costs whoever asks about it, beside one of 10,000 of the same density: the report, a click
// explained, and further clicks; once where everybody has clicked once, and once where a third of all clicks are one recipient's.
// A click explained and a further one must cost the same, whatever there is already. The report goes through the sums of all
// recipients each time: what that comes to is told and not judged. `npm run bench -- large` takes some minutes.
//
// Clicks are brought to the object as records, as an import brings them, with times of the last days. What is told is the runtime's
// processor time, which does not depend on what else the machine does; of further clicks until they are settled and shipped.

import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../src/dev/run.mjs";
import { recordAt, recordIn } from "../worker/clicks.mjs";
import { until } from "../worker/harness.mjs";
import { Connection, get } from "../worker/keepalive.mjs";
import { clickproof, startWorkerd } from "../worker/workerd.mjs";
import { table } from "./archive.mjs";
import { DESTINATION, api, redirected } from "./load.mjs";

const MESSAGE = "large";
const SIZES = [10_000, 300_000];
const SHAPES = new Map([
  ["each of another recipient", (n) => `r${n}`],
  ["a third of one recipient", (n) => (n % 3 === 0 ? "one" : `r${n}`)],
]);
const LINKS = 50;
// Between two clicks: what a click looks at, an hour or so, is nearly as full of ten thousand as of all.
const STEP_MS = 1_000;
const SETTLE_MS = 1_000;
// So many records are below the largest body.
const AT_ONCE = 1_000;
// So often each is asked, and as many further clicks are made.
const TIMES = 50;
// Flat: so many times as much at most. Time is told in hundredths of a second, and what the garbage takes comes when it comes: of so
// many calls together that is so many milliseconds for each.
const MAX_RATIO = 1.2;
const NOISE_MS = 1;
const REPORT = "the report";

/** Measures both sizes of both shapes; returns the tables. */
export async function large() {
  const tables = [];
  const steep = [];
  for (const [shape, recipientOf] of SHAPES) {
    const measured = [];
    for (const size of SIZES) {
      console.error(`${size} clicks, ${shape}`);
      measured.push(await measure(size, recipientOf));
    }
    const names = Object.keys(measured[0]);
    const rows = names.map((name) => {
      const [few, many] = measured.map((times) => times[name]);
      const isSteep = many > few * MAX_RATIO && many > few + NOISE_MS;
      if (isSteep && name !== REPORT) steep.push(`${shape}: ${name}`);
      return [name, few.toFixed(1), many.toFixed(1), (many / few).toFixed(2)];
    });
    const sizes = SIZES.map((size) => size.toLocaleString("en"));
    tables.push(table([[`clicks, ${shape}`, ...sizes, "ratio"], ["---", "---:", "---:", "---:"], ...rows]));
    console.error(tables.at(-1));
  }
  if (steep.length > 0) throw new Failure(`What there is already makes dearer: ${steep.join("; ")}.`);
  return `Plain workerd, one object, \`SETTLE_MS=${SETTLE_MS}\`, milliseconds of processor time each:\n\n${tables.join("\n\n")}\n`;
}

/** What is asked of a message with so many clicks, and how long it takes, milliseconds. */
async function measure(size, recipientOf) {
  const seen = { settled: 0, lines: [] };
  const server = await startWorkerd(clickproof({ vars: { SETTLE_MS } }), {
    logs(line) {
      if (line.startsWith('{"event":"click.received"')) seen.lines.push(JSON.parse(line));
      if (line.startsWith('{"event":"message.settled"')) seen.settled += JSON.parse(line).settled;
    },
  });
  try {
    if (server.cpuSeconds() === undefined)
      throw new Failure("This system does not tell what a process takes.");
    const settled = (count) =>
      until(() => seen.settled >= count, { every: 50, timeout: 600_000, what: `${count} clicks to settle` });
    const recipient = recipientOf(0);
    const sent_at_ms = Date.now() - STEP_MS * Math.max(...SIZES) - 3_600_000;
    const links = Array.from({ length: 2 * LINKS }, (_, link) => ({
      link_id: `l${link}`,
      url: `${DESTINATION}/${link}`,
    }));
    const minted = await api(server.origin, "/v1/links", {
      method: "POST",
      body: JSON.stringify({ message_id: MESSAGE, recipient_id: recipient, sent_at_ms, links }),
    });
    const paths = minted.links.map(({ href }) => new URL(href).pathname);
    await follow(server, paths.slice(0, 1));
    await until(() => seen.lines.length === 1, { what: "the first click in the log" });
    const records = brought(recordIn(seen.lines[0]), size, recipientOf);
    for (let from = 0; from < size; from += AT_ONCE) await bring(server, records.slice(from, from + AT_ONCE));
    await settled(size + 1);

    const theirs = records.filter(({ recipient_id }) => recipient_id === recipient);
    const of = theirs.length < TIMES ? records : theirs;
    const asked = Array.from({ length: TIMES }, (_, n) => of[Math.floor((n * of.length) / TIMES)].event_id);
    const { clicks } = await api(server.origin, `/v1/messages/${MESSAGE}`);
    if (clicks !== size + 1) throw new Failure(`Of ${size + 1} clicks ${clicks} are in the report.`);
    await rest(server);
    const each = async (act) => {
      const before = server.cpuSeconds();
      await act();
      return ((server.cpuSeconds() - before) * 1_000) / TIMES;
    };
    const one = (path) => api(server.origin, `/v1/messages/${MESSAGE}${path}`);
    const reported = await each(async () => {
      for (let n = 0; n < TIMES; n += 1) await one("");
    });
    // What the recipients of very many have left behind is looked for once.
    await one(`/clicks/${asked[0]}`);
    const explained = await each(async () => {
      for (const event_id of asked) await one(`/clicks/${event_id}`);
    });
    const further = await each(async () => {
      await follow(server, paths.slice(LINKS, 2 * LINKS));
      await settled(size + 1 + TIMES);
      await rest(server);
    });
    return { [REPORT]: reported, "a click explained": explained, "a further click": further };
  } finally {
    await server.close();
  }
}

/** So many records, the last of them of this moment; each recipient by an address of its own. */
function brought(record, size, recipientOf) {
  const end_ms = Date.now();
  return Array.from({ length: size }, (_, n) => {
    const recipient_id = recipientOf(n);
    const number = Number(recipient_id.slice(1)) || 0;
    const ip = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    const link = n % LINKS;
    const more = {
      recipient_id,
      link_id: `l${link}`,
      url: `${DESTINATION}/${link}`,
      ip,
      visitor_id: `v${n}`,
    };
    return recordAt(record, end_ms - STEP_MS * (size - n), more);
  });
}

async function bring(server, records) {
  const body = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const { stored, bad } = await api(server.origin, "/v1/records", { method: "POST", body });
  if (stored !== records.length)
    throw new Failure(`Of ${records.length} records ${stored} are stored: ${JSON.stringify(bad[0])}`);
}

/** Clicks on links, one after the other, as a browser does. */
async function follow(server, paths) {
  const connection = new Connection(server.port);
  for (const path of paths) await redirected(connection, get(path, HEADERS));
  connection.close();
}

const HEADERS = {
  "Accept-Language": "en-GB,en;q=0.9",
  "CF-Connecting-IP": "10.0.0.0",
  "User-Agent": "Mozilla/5.0 (X11; Linux x64; rv:143.0) Gecko/20100101 Firefox/143.0",
};

/** Waits until the runtime has nothing more to do. */
async function rest(server) {
  for (let before = server.cpuSeconds(); ;) {
    await sleep(1_000);
    const now = server.cpuSeconds();
    if (now - before <= 0.02) return;
    before = now;
  }
}
