// Cloudflare's list prices past what plans include, in dollars, as published on the day that they name; logs are priced by the gigabyte
// from 2026-12-01 on. They stand in prices.json, a million of each, for tests/bench/scale.rs reads them, too.

import { readFileSync } from "node:fs";

const LIST = JSON.parse(readFileSync(new URL("prices.json", import.meta.url), "utf8"));

/** When they were looked up. */
export const PRICED = LIST.priced;

/** What one costs. */
export const PRICES = {
  workerRequest: LIST.workerRequest / 1e6,
  workerCpuMs: LIST.workerCpuMs / 1e6,
  objectRequest: LIST.objectRequest / 1e6,
  rowWritten: LIST.rowWritten / 1e6,
  // An object is billed as 128 MB whatever it holds.
  objectSecond: (LIST.objectGigabyteSecond / 1e6) * 0.125,
  // A chunk of 64 kB of a message is written, read and deleted.
  queueChunk: (3 * LIST.queueOperation) / 1e6,
  r2Write: LIST.r2Write / 1e6,
  logpushRequest: LIST.logpushRequest / 1e6,
  // Ingested, and kept for seven days of a month.
  logByte: (LIST.logGigabyte + (LIST.logGigabyteMonth * 7) / 30) / 1e9,
};

/** What the platform itself adds to a line of the log before it is weighed; not published, an estimate. */
export const LOG_ENRICHMENT_BYTES = 1_000;
