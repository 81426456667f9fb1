// The minters for other languages are held to the vectors of the link's form: the same token for each link, and nothing for
// what the Worker would refuse when the mail is out.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { root } from "../../src/dev/run.mjs";
import { LANGUAGES } from "./languages.mjs";

const BASE = "https://click.brand.example";
const ROUTES = { click: "c", open: "o", unsubscribe: "u", confirm: "u" };
const vectors = JSON.parse(readFileSync(path.join(root, "static/vectors/token.json"), "utf8"));
const KEYS = vectors.minted[0].keys;

/** A link of a call as minters are asked for it. */
function asked({ links, ...copy }, { link_id, kind = "click", ...rest }) {
  const links_total = links.filter((link) => (link.kind ?? "click") === "click").length;
  // A click always has its URL's argument: in most languages it cannot be left out.
  return {
    kind,
    copy: { ...copy, links_total },
    link_id,
    ...(kind === "click" ? { url: null } : {}),
    ...rest,
  };
}

const good = asked(
  { message_id: "m", recipient_id: "r", sent_at_ms: 1795348800000, links: [{}] },
  { link_id: "l" },
);
good.url = "https://brand.example/";

// What only a minter is told: of a call, the Worker counts the links itself.
const COPIES = [-1, 1.5, 4294967296, "1"].map((links_total) => ({
  name: `links_total ${JSON.stringify(links_total)}`,
  field: "links_total",
  ask: { ...good, copy: { ...good.copy, links_total } },
}));

const BASES = [
  "",
  "click.brand.example",
  "https://click.brand.example/c",
  "https://click.brand.example/?x",
  "https://click.brand.example#",
  "https://a@click.brand.example",
  "ftp://click.brand.example",
  "https://click.brand.example\n",
].map((base_url) => ({
  name: `base_url ${JSON.stringify(base_url)}`,
  field: "base_url",
  ask: { ...good, base_url },
}));

const refused = [
  ...vectors.unmintable.map(({ name, field, call }) => ({ name, field, ask: asked(call, call.links[0]) })),
  ...vectors.bad_keys.map(({ name, keys }) => ({ name, field: "LINK_KEYS", ask: { ...good, keys } })),
  ...COPIES,
  ...BASES,
];

// Go has no field that is not there: an empty group is none, and no shards are one.
const GO_ALONE = new Set(["an empty group", "no shards"]);

for (const { name: language, skip, mint } of LANGUAGES) {
  test(`${language} mints every token of the vectors`, { skip }, async () => {
    const links = vectors.minted.map(({ keys, link: { kind, link_id, url, shards, ...rest } }) => {
      // One is what is minted where nothing is said.
      const copy = shards === 1 ? rest : { ...rest, shards };
      return { keys, base_url: BASE, kind, copy, link_id, ...(url === undefined ? {} : { url }) };
    });
    const minted = await mint(links);
    assert.equal(minted.length, vectors.minted.length);
    for (const [at, { name, link, token }] of vectors.minted.entries()) {
      assert.equal(minted[at].href ?? minted[at].error, `${BASE}/${ROUTES[link.kind]}/${token}`, name);
    }
  });

  test(`${language} mints the copies of the vectors with their mail headers`, { skip }, async () => {
    for (const { name, keys, base_url, call, answer } of vectors.calls) {
      const minted = await mint(call.links.map((link) => ({ keys, base_url, ...asked(call, link) })));
      assert.deepEqual(
        minted.map(({ href }) => href),
        answer.links.map(({ href }) => href),
        name,
      );
      const first = call.links.findIndex(({ kind }) => kind === "unsubscribe");
      if (first >= 0) assert.deepEqual(minted[first].headers, answer.headers, name);
    }
  });

  test(`${language} refuses what must not be minted, and names the field`, { skip }, async () => {
    const wanted = refused.filter(({ name }) => language !== "Go" || !GO_ALONE.has(name));
    const answers = await mint(wanted.map(({ ask }) => ({ keys: KEYS, base_url: BASE, ...ask })));
    assert.equal(answers.length, wanted.length);
    for (const [at, { name, field }] of wanted.entries()) {
      const { href, error } = answers[at];
      assert.equal(href, undefined, name);
      assert.ok(error.includes(field), `${name}: ${error}`);
    }
  });
}

test("what the minters are asked to refuse differs in one thing from what they mint", async () => {
  for (const { name: language, skip, mint } of LANGUAGES) {
    if (skip) continue;
    const [{ href, error }] = await mint([{ keys: KEYS, base_url: BASE, ...good }]);
    assert.ok(href, `${language}: ${error}`);
  }
});
