// A message's clicks as they are listed: page by page, so that neither an object nor the edge holds ten thousand at once. Where several
// objects have them, pages of each are merged by the ids and so by the time.

import { ask, askAll, stream } from "./runtime.mjs";

/** The status by which the first of several objects says how many they are (message/call.rs). */
const SEVERAL = 421;

/** The most clicks of one page, and the least: of many objects each is asked for less. */
const MAX_PAGE = 1_000;
const MIN_PAGE = 16;

/** What precedes a click's id in its line: nothing that a visitor wrote stands before it. */
const ID = '"event_id":"';
const ID_CHARS = 36;

/**
 * Lists the clicks behind `after`, an id or nothing, of the message whose first object has that address: at most `limit` of those that
 * `filter` wants, four lines or nothing (message/wanted.rs), `most` objects asked at a time. Never rejects: `lines` are bytes that come by
 * and by; without them `status` and `text` are what an object answered in place of its first page.
 */
export async function list(env, address, after, limit, filter, most) {
  const call = (address, after, limit) => [
    address,
    filter ? "/filter" : "/page",
    `${limit} ${after}${filter ? `\n${filter}` : ""}`,
  ];
  let addresses = [address];
  let first = await ask(env, ...call(address, after, pageOf(1, limit)));
  let texts = [first.text];
  if (first.status === SEVERAL) {
    addresses = await addressesOf(address, Number(first.text), filter.split("\n")[2]);
    const page = pageOf(addresses.length, limit);
    first = await askAll(
      env,
      addresses.map((address) => call(address, after, page)),
      most,
    );
    texts = first.texts;
  }
  if (first.status !== 200) return first;
  const merged = new Merged(texts);
  const next = async () => {
    while (limit > 0 && !merged.isDone) {
      const lines = merged.take(limit);
      limit -= lines.length;
      if (lines.length > 0) return `${lines.join("\n")}\n`;
      const wanting = merged.wanting();
      const page = pageOf(addresses.length, limit);
      const calls = wanting.map(([at, after]) => call(addresses[at], after, page));
      const { texts, text } = await askAll(env, calls, most);
      if (!texts) throw new Error(text);
      for (const [at, text] of texts.entries()) merged.give(wanting[at][0], text);
    }
  };
  // Once the answer has begun, a failure can but break it off.
  return { status: 200, text: "", lines: stream(next) };
}

const pageOf = (objects, limit) =>
  Math.min(limit, MAX_PAGE, Math.max(MIN_PAGE, Math.floor((2 * MAX_PAGE) / objects)));

/** The addresses of a message's objects (link/shard.rs): all, or of one recipient's clicks those that may have some. */
async function addressesOf(id, shards, recipient) {
  const addressOf = (shard) => `${id}${shard > 0 ? `#${shard}` : ""}/${shards}`;
  if (!recipient) return Array.from({ length: shards }, (_, shard) => addressOf(shard));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(recipient));
  const theirs = new DataView(digest).getUint32(0) % shards;
  // The first has what came before it was known how many there are.
  return [...new Set([0, theirs])].map(addressOf);
}

/** The pages of several objects as one listing, oldest first: a page of each is held at a time. */
export class Merged {
  #sources = [];

  /** Begins with the first page of each. */
  constructor(pages) {
    for (const [at, page] of pages.entries()) this.give(at, page);
  }

  /** Takes an object's page (message/call.rs): where to go on, then the lines. */
  give(object, page) {
    const [after, ...lines] = page.split("\n");
    this.#sources[object] = { after, lines, at: 0, id: idOf(lines[0]) };
  }

  /** Which objects are to be asked next, and behind which click: without their pages it is not known what comes next. */
  wanting() {
    const wanting = [];
    for (const [object, { id, after }] of this.#sources.entries()) {
      if (id === undefined && after) wanting.push([object, after]);
    }
    return wanting;
  }

  /** The next lines, up to so many: as far as it is known what comes next. */
  take(limit) {
    const lines = [];
    while (lines.length < limit) {
      let first;
      for (const source of this.#sources) {
        if (source.id === undefined && source.after) return lines;
        // In lower case ids stand in the order of their texts.
        if (source.id !== undefined && !(first?.id < source.id)) first = source;
      }
      if (!first) break;
      lines.push(first.lines[first.at++]);
      first.id = idOf(first.lines[first.at]);
    }
    return lines;
  }

  /** Whether everything is listed. */
  get isDone() {
    return this.#sources.every(({ id, after }) => id === undefined && !after);
  }
}

/** The id of the click that a line tells of; undefined where there is no line. */
function idOf(line) {
  if (line === undefined) return undefined;
  const begin = line.indexOf(ID) + ID.length;
  return line.slice(begin, begin + ID_CHARS);
}
