// Cloudflare's list prices past what plans include, in dollars, as published on the day below. Logs are priced by the gigabyte from
// 2026-12-01 on.

/** When they were looked up. */
export const PRICED = "2026-11-27";

/** What one costs. */
export const PRICES = {
  workerRequest: 0.3 / 1e6,
  workerCpuMs: 0.02 / 1e6,
  objectRequest: 0.15 / 1e6,
  rowWritten: 1.0 / 1e6,
  // An object is billed as 128 MB whatever it holds.
  objectSecond: (12.5 / 1e6) * 0.125,
  // A chunk of 64 kB of a message is written, read and deleted.
  queueChunk: (3 * 0.4) / 1e6,
  r2Write: 4.5 / 1e6,
  logpushRequest: 0.05 / 1e6,
  // Ingested, and kept for seven days of a month.
  logByte: (0.25 + (0.1 * 7) / 30) / 1e9,
};

/** What the platform itself adds to a line of the log before it is weighed; not published, an estimate. */
export const LOG_ENRICHMENT_BYTES = 1_000;
