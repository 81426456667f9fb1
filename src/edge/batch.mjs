// Clicks on their way from the edge to their message's object: many in one call.
//
// The first click of an object goes at once. While its call is under way the isolate gathers what comes for that object,
// then sends all of it together. One request at a time leads: it is the one that calls.
//
// - While clicks wait, two requests look after them: one leads, one watches. Each other request leaves its click to these and
//   ends: a timer for each, and a request that lives for it, cost a click 25 µs of processor time, a fifth of all. To lose a
//   click both must die before a new one comes.
// - Requests share plain data, never a promise or a timer: the runtime ties those to the request that made them, and a dead
//   request's never end. The watcher looks at the data by a timer of its own.
// - Who works on clicks holds them, by the clock. A request that dies or hangs lets go by keeping still; the next that looks
//   takes over. What was under way is sent again: an object knows the clicks that it has.
// - A request tells of the loss of its own click, and of those that were left to it. Of many it does not: the platform keeps
//   only so much of what one request logs. They go to the second queue, whose consumer tells of them.
// - What an object has no time for goes to the second queue (binding SPILL), whose consumer asks the object again later.
//
// It is here and not in the wasm because what waits must outlive an instance of that: after a panic there is a new one.

import { postTo, words } from "./runtime.mjs";

/** How long one try may take, milliseconds. An object that commits its arrivals together keeps a call for a second. */
const TRY_MS = 4_000;

/** How long clicks stay held without a sign of life: longer than a try. */
const HOLD_MS = 6_000;

/**
 * How long a request calls, and how long a click waits for a call that takes it. What is left of the 30 s that work after an
 * answer may take is for the last try and for the second queue.
 */
const LIFE_MS = 10_000;

/** The pauses before further tries, milliseconds. */
const PAUSES_MS = [50, 400, 2_000];

/** How long after a call the next one begins at the soonest, milliseconds: an object that answers at once is not asked for each. */
const PACE_MS = 20;

/** How long an object is left alone that has too much to do, milliseconds. */
const REST_MS = 1_000;

/**
 * Of so many lost clicks, left to it by others, a request tells itself: 1.3 kB each in the 16,384 characters that Logpush keeps of
 * one (Cloudflare's documentation, 2026-11).
 */
const MOST_TOLD = 8;

/** What a look at one's click comes later than the click is expected to be taken, and the latest, milliseconds. */
const LOOK_MS = 200;
const LATEST_LOOK_MS = 2_500;

/** The most bytes of one call: what clicks by the thousand send in the second that an object keeps the call before. */
const CALL_BYTES = 1_000_000;

/** The most bytes of clicks in one message of the queue, which takes 128 KB (Cloudflare Queues limits, 2026-11). */
const MESSAGE_BYTES = 100_000;

/** The most bytes that wait in the isolate, which has 128 MB for everything. */
const WAITING_BYTES = 16 << 20;

const TOO_SLOW = "the object is too slow";
const FULL = "too much waits in the isolate";

/** What waits for each object, by its address. */
const piles = new Map();

let waitingBytes = 0;

/** The clicks that wait for one object, in the order in which they came. */
class Pile {
  clicks = new Set();
  /** The hold of the request that leads, and of the one that watches. */
  leader = null;
  watcher = null;
  /** When the latest call began, and how long it takes an object to take clicks, as far as seen here. */
  calledAt = 0;
  callMs = 0;

  constructor(object) {
    this.object = object;
  }

  /** How long until a click should have been taken: by the call that is under way, or by the next. */
  patience(click) {
    const soFar = this.leader ? Date.now() - this.calledAt : 0;
    const callMs = Math.max(this.callMs, soFar);
    const calls = isLive(click.hold) ? 1 : 2;
    return Math.min(calls * callMs - soFar + LOOK_MS, LATEST_LOOK_MS);
  }

  /** Takes hold of clicks that nobody holds, the first to come first: so many bytes, or what came before a time. */
  claim(hold, { bytes = Infinity, until = Infinity }) {
    const claimed = [];
    for (const click of this.clicks) {
      if (click.since > until) break;
      if (isLive(click.hold) && click.hold !== hold) continue;
      bytes -= click.frame.length;
      if (bytes < 0 && claimed.length > 0) break;
      click.hold = hold;
      claimed.push(click);
    }
    return claimed;
  }

  /** Whether nobody holds something that waits. */
  hasFree() {
    for (const click of this.clicks) if (!isLive(click.hold)) return true;
    return false;
  }

  /** Lets go of clicks that are taken, or lost for that reason. */
  finish(clicks, loss = null) {
    for (const click of clicks) {
      if (!this.clicks.delete(click)) continue;
      waitingBytes -= click.frame.length;
      click.isDone = true;
      click.loss = loss;
      // Requests stay for their look a while: what they carry should not.
      if (loss === null) click.frame = null;
    }
  }

  /** A pile that is gone and has no leader is forgotten. */
  leave() {
    if (this.clicks.size === 0 && !isLive(this.leader) && piles.get(this.object) === this)
      piles.delete(this.object);
  }
}

/**
 * Takes a click for an object: the bytes of its record. Never throws; what it does goes on after the answer.
 *
 * `settings.unrecorded(frame, reason)` logs the record of a click that is lost.
 */
export function take(context, env, object, frame, settings) {
  const since = Date.now();
  let pile = piles.get(object);
  if (!pile) piles.set(object, (pile = new Pile(object)));
  const click = { frame, since, hold: null, isDone: false, isLeft: false, loss: null };
  pile.clicks.add(click);
  waitingBytes += frame.length;
  click.isLeft = isLive(pile.leader) && isLive(pile.watcher) && waitingBytes <= WAITING_BYTES;
  if (!click.isLeft) context.waitUntil(lookAfter({ env, settings, since, pile, click }));
}

/** Sees to it that a request's click is taken, or told of as lost; or leaves that to the two that do. */
async function lookAfter(request) {
  const { pile, click } = request;
  try {
    if (waitingBytes > WAITING_BYTES) await spillAs(request, newHold(), [click], FULL);
    while (!click.isDone) {
      const isLed = isLive(click.hold) || isLive(pile.leader);
      if (isLed && isLive(pile.watcher)) {
        click.isLeft = true;
        return;
      }
      if (isLed) await watch(request);
      else if (isYoung(request)) await lead(request);
      else await spillFree(request, Date.now() - LIFE_MS, TOO_SLOW);
    }
  } catch (error) {
    pile.finish([click], words(error));
  }
  tell(request);
}

/** Sees to all that waits until nothing does, or somebody else watches. */
async function watch(request) {
  const { since, pile, click } = request;
  const hold = newHold();
  pile.watcher = hold;
  while (pile.watcher === hold && pile.clicks.size > 0 && Date.now() - since < 2 * LIFE_MS) {
    if (isLive(pile.leader) || !pile.hasFree()) {
      const ms = pile.patience(click);
      // From half its life on whoever comes watches in its place, so that who takes over has time for it.
      hold.until = Date.now() - since < LIFE_MS / 2 ? Date.now() + ms + LOOK_MS : 0;
      await sleep(ms);
    } else if (isYoung(request)) await lead(request);
    else await spillFree(request, Date.now(), TOO_SLOW);
  }
  if (pile.watcher === hold) pile.watcher = null;
  pile.leave();
}

/** Calls the object as long as something waits for it. */
async function lead(request) {
  const { pile } = request;
  const hold = newHold();
  pile.leader = hold;
  try {
    while (pile.leader === hold && isYoung(request)) {
      const late = pile.claim(hold, { until: Date.now() - LIFE_MS });
      if (late.length > 0) await spill(request, hold, late, TOO_SLOW);
      const restMs = pile.clicks.size > 0 ? pile.calledAt + PACE_MS - Date.now() : 0;
      if (restMs > 0 && hold.calls > 0) await sleep(restMs);
      const batch = pile.claim(hold, { bytes: CALL_BYTES });
      if (batch.length === 0) break;
      hold.calls += 1;
      await deliver(request, hold, batch);
      tell(request);
      if (hold.rests) await sleep(REST_MS);
      hold.rests = false;
    }
  } finally {
    hold.until = 0;
    if (pile.leader === hold) pile.leader = null;
    pile.leave();
  }
}

/** Gives clicks to the object, by as many tries as may help. What this leaves unfinished is for the next that looks. */
async function deliver(request, hold, batch) {
  const { pile } = request;
  for (const pauseMs of [...PAUSES_MS, null]) {
    const failure = await call(request, hold, batch);
    if (!failure) return pile.finish(batch);
    // If that took too long somebody else has them now.
    batch = batch.filter((click) => !click.isDone && click.hold === hold);
    if (batch.length === 0) return;
    if (failure.mayPass && pauseMs !== null) {
      if (!isYoung(request)) return;
      await sleep(pauseMs);
      keep(hold);
    } else if (failure.isForLater) {
      hold.rests = failure.isOverload;
      return spill(request, hold, batch, failure.words);
    } else if (failure.isRefusal && batch.length > 1) {
      // One bad record takes no others along.
      if (!isYoung(request)) return;
      const half = batch.length >> 1;
      await Promise.all(
        [batch.slice(0, half), batch.slice(half)].map((part) => deliver(request, hold, part)),
      );
      return;
    } else {
      return lose(request, hold, batch, failure.words);
    }
  }
}

/** One try. Answers with what failed. */
async function call({ env, pile }, hold, batch) {
  keep(hold);
  const began = (pile.calledAt = Date.now());
  try {
    const refusal = await within(TRY_MS, async (signal) => {
      const answer = await postTo(env, pile.object, "/arrivals", { body: joined(batch), signal });
      return answer.status === 204 ? null : { status: answer.status, text: await answer.text() };
    });
    pile.callMs = Date.now() - began;
    return refusal && refused(refusal);
  } catch (error) {
    return unreachable(error);
  }
}

/** What it means that an object answers with an error. */
function refused({ status, text }) {
  const isRefusal = status >= 400 && status < 500;
  return {
    words: status === 200 ? `unreadable: ${text}` : `refused with ${status}: ${text}`,
    mayPass: status >= 500,
    isRefusal,
    // Deploys overlap: an object of the version before does not know the call yet.
    isForLater: isRefusal && text.startsWith("no such call"),
  };
}

/** What it means that an object is not reached. */
function unreachable(error) {
  // Not every error of an overload that crosses a Worker's border still has its flag (its texts: Cloudflare's
  // documentation of Durable Objects, Troubleshooting, 2026-11).
  const isOverload = Boolean(error?.overloaded) || /Durable Object is overloaded/.test(words(error));
  const isSlow = error instanceof TooLong;
  return {
    words: `unreachable: ${words(error)}`,
    // An object that has too much to do must not be asked again.
    mayPass: !isOverload && (isSlow || Boolean(error?.retryable)),
    isForLater: isOverload || isSlow,
    isOverload,
  };
}

/** Spills what nobody holds and came before a time. */
async function spillFree(request, until, reason) {
  const hold = newHold();
  await spillAs(request, hold, request.pile.claim(hold, { until }), reason);
}

async function spillAs(request, hold, clicks, reason) {
  for (const click of clicks) click.hold = hold;
  await spill(request, hold, clicks, reason);
  hold.until = 0;
  request.pile.leave();
}

/** Gives clicks to the second queue, in as many messages as they need. What it does not take is lost. */
async function spill({ env, settings, pile }, hold, clicks, reason) {
  keep(hold);
  await Promise.all(
    messages(clicks).map(async (part) => {
      try {
        const message = spilled(pile.object, part);
        await within(TRY_MS, () => env.SPILL.send(message, { contentType: "bytes" }));
        pile.finish(part);
        const line = { event: "click.spilled", object: pile.object, clicks: part.length, reason };
        console.error(JSON.stringify(line));
      } catch (error) {
        pile.finish(part, `${reason}; not spilled: ${words(error)}`);
        tellLeft(settings, pile, part);
      }
    }),
  );
}

/** Clicks in parts that a message holds. */
function messages(clicks) {
  const parts = [];
  let room = 0;
  for (const click of clicks) {
    room -= click.frame.length;
    if (room < 0) {
      room = MESSAGE_BYTES - click.frame.length;
      parts.push([]);
    }
    parts.at(-1).push(click);
  }
  return parts;
}

/** A message of the queue, as `event/spilled.rs` has it: what it is, the length of the object's name, the name, the clicks. */
function spilled(object, clicks) {
  const name = new TextEncoder().encode(object);
  const head = Uint8Array.of(0xff, 1, name.length >> 8, name.length & 255, ...name);
  return joined([{ frame: head }, ...clicks]);
}

/** The bytes of clicks, one after the other. */
function joined(clicks) {
  const bytes = new Uint8Array(clicks.reduce((length, { frame }) => length + frame.length, 0));
  let at = 0;
  for (const { frame } of clicks) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}

/** Clicks are lost for that reason: each request tells of its own, and this one of those that were left, where they are few. */
async function lose(request, hold, clicks, reason) {
  const { settings, pile } = request;
  const left = clicks.filter((click) => click.isLeft);
  if (left.length > MOST_TOLD) await spill(request, hold, left, reason);
  pile.finish(clicks, reason);
  tellLeft(settings, pile, left);
}

/** Tells of lost clicks whose requests have ended. */
function tellLeft(settings, pile, clicks) {
  for (const click of clicks) if (click.isLeft) tell({ settings, pile, click });
}

/** Logs the record of a click that is lost, once. */
function tell({ settings, pile, click }) {
  const { loss: reason, frame } = click;
  if (reason === null) return;
  click.loss = null;
  try {
    settings.unrecorded(frame, reason);
  } catch {
    // Without a wasm that reads it, it is told as it is.
    const line = { event: "click.unrecorded", reason, object: pile.object, frame: base64(frame) };
    console.error(JSON.stringify(line));
  }
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

/** A request is old when it should begin nothing that takes long. */
function isYoung({ since }) {
  return Date.now() - since < LIFE_MS;
}

/** A hold on clicks, or on leading. It is over when nobody has kept it. */
function newHold() {
  const hold = { until: 0, rests: false, calls: 0 };
  keep(hold);
  return hold;
}

function keep(hold) {
  hold.until = Date.now() + HOLD_MS;
}

function isLive(hold) {
  return hold !== null && hold.until > Date.now();
}

class TooLong extends Error {}

/** Does something that may take so long and no longer. */
async function within(ms, work) {
  const abort = new AbortController();
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new TooLong(`no answer in ${ms / 1_000} s`));
      abort.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(abort.signal), limit]);
  } finally {
    clearTimeout(timer);
  }
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
