// A message's minutes as bars: as many as a screen has room for, whatever the message's age.

import { add, emptyStack } from "./classes.mjs";

/** The most bars, and the fewest places for them: one bar alone is no wall. */
const MOST_BARS = 240;
const FEWEST_PLACES = 30;

const MINUTE_MS = 60_000;
export const DAY_MS = 1_440 * MINUTE_MS;

/** Steps of time that people count in, minutes. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440];

/** The shortest step of which at most so many, on the clock, hold both times, milliseconds. */
export function stepMs(firstMs, lastMs, most) {
  const holds = (ms) => Math.floor(lastMs / ms) - Math.floor(firstMs / ms) < most;
  const step = STEPS.map((minutes) => minutes * MINUTE_MS).find(holds);
  if (step) return step;
  let ms = 2 * DAY_MS;
  while (!holds(ms)) ms *= 2;
  return ms;
}

/** The timeline of a report's minutes: where its first bar begins, how long each is, and the bars; null without a click. */
export function timelineOf(minutes) {
  if (minutes.length === 0) return null;
  const [firstMs, lastMs] = [minutes[0].ts_ms, minutes.at(-1).ts_ms];
  const widthMs = stepMs(firstMs, lastMs, MOST_BARS);
  const from = Math.floor(firstMs / widthMs);
  const places = Math.max(Math.floor(lastMs / widthMs) - from + 1, FEWEST_PLACES);
  const stacks = Array.from({ length: places }, emptyStack);
  for (const { ts_ms, by_type } of minutes) add(stacks[Math.floor(ts_ms / widthMs) - from], by_type);
  return { fromMs: from * widthMs, widthMs, stacks, untilMs: (from + places) * widthMs };
}
