// The pages that visitors of links may see say what they are to say, in each language, and names and addresses are only ever text on
// them. They are made from data alone, so nothing runs here; how they look is tests/browser's.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { act } from "../../src/edge/pages/act.mjs";
import { luminance, onColor } from "../../src/edge/pages/color.mjs";
import { LANGUAGES, negotiate } from "../../src/edge/pages/languages.mjs";
import { security } from "../../src/edge/pages/security.mjs";
import { STYLE_HASH, missing, root } from "../../src/edge/pages/visitor.mjs";

const TAGS = Object.keys(LANGUAGES);
const NASTY = "\"><script>alert('x')</script>&amp;$&";
const NASTY_AS_TEXT = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;$&amp;";

const settings = { accept_language: null, brand: null, color: null, home: null, contact: null };

/** The page of a link that acts. */
const acting = (its, more) =>
  act({
    ...settings,
    ...more,
    act: {
      state: "ask",
      kind: "unsubscribe",
      action: "/u/AQJrMQ",
      field: "stamp",
      stamp: "AWsx",
      url: null,
      ...its,
    },
  });

/** Every page that there is, with its status. */
const pages = (more) => [
  [root({ ...settings, ...more }), 200],
  [missing({ ...settings, ...more }), 404],
  ...["unsubscribe", "confirm"].flatMap((kind) => [
    [acting({ kind }, more), 200],
    [acting({ kind, state: "again" }, more), 400],
    [acting({ kind, state: "unavailable" }, more), 503],
    [acting({ kind, state: "done", field: kind === "confirm" ? null : "undo" }, more), 200],
  ]),
  [acting({ state: "undone", field: null }, more), 200],
  [acting({ state: "again", field: "undo" }, more), 400],
];

const count = (html, what) => html.split(what).length - 1;

test("the visitor's favourite language is spoken", () => {
  for (const [header, expected] of [
    [null, "en"],
    ["", "en"],
    ["*", "en"],
    ["de", "de"],
    ["de-AT", "de"],
    ["DE-at", "de"],
    ["pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", "pt"],
    ["ja,fr;q=0.5,en;q=0.4", "fr"],
    ["en;q=0.4, fr;q=0.5", "fr"],
    ["en;q=0.5,fr;q=0.501", "fr"],
    ["nl;q=0.8,pl;q=0.8", "nl"],
    ["it ; q=0.3 , es ; q=0.9", "es"],
    ["es;Q=0,it;Q=0.1", "it"],
    ["de;q=0", "en"],
    ["ja, zh", "en"],
    ["*, de;q=0.5", "en"],
    ["de;q=0.9, *;q=0.1", "de"],
    ["den, deu, d", "en"],
    ["de;q=2, fr;q=0.1", "fr"],
    ["de;q=1.5, fr;q=0.1", "fr"],
    ["de;q=-1, fr;q=0.0001, es;q=x", "en"],
    ["de;q=.5, fr;q=1.", "fr"],
    [",,;;q=1,pl", "pl"],
    ["constructor, toString;q=0.9, __proto__, it;q=0.1", "it"],
  ]) {
    assert.equal(negotiate(header), expected, header);
  }
});

test("nothing is left untranslated", () => {
  const texts = (words, path = "") =>
    Object.entries(words).flatMap(([name, said]) =>
      typeof said === "string" ? [[path + name, said]] : texts(said, `${name}.`),
    );
  assert.equal(TAGS.length, 8);
  const english = texts(LANGUAGES.en);
  for (const tag of TAGS.slice(1)) {
    const all = texts(LANGUAGES[tag]);
    assert.deepEqual(
      all.map(([name]) => name),
      english.map(([name]) => name),
    );
    for (const [at, [name, said]] of all.entries()) {
      assert.ok(said && said !== english[at][1], `${tag} ${name}`);
      assert.doesNotMatch(said, /[<>&"']/, `${tag} ${name}`);
      assert.equal(said.includes("{brand}"), name === "from_brand", `${tag} ${name}`);
    }
  }
});

test("every page is whole, runs and loads nothing, and lets nothing else in", () => {
  const nonces = new Set();
  for (const tag of TAGS) {
    for (const [{ status, policy, html }, expected] of pages({ accept_language: tag, brand: "Käse & Co" })) {
      assert.equal(status, expected);
      for (const one of ["<h1>", "</h1>", "<main>", "</main>", "<title>", "<style", `<html lang="${tag}">`]) {
        assert.equal(count(html, one), 1, `${one} ${html}`);
      }
      assert.match(html, /^<!doctype html>\n[^]*<\/html>\n$/);
      for (const none of ["<script", " style=", "http", "undefined", ">null<"]) {
        assert.equal(count(html, none), 0, `${none} ${html}`);
      }
      const nonce = /<style nonce="([\w+/]{22}==)">/.exec(html)?.[1];
      if (nonce) nonces.add(nonce);
      const [source, forms] = nonce ? [`nonce-${nonce}`, "'self'"] : [STYLE_HASH, "'none'"];
      assert.equal(
        policy,
        `default-src 'none'; style-src '${source}'; form-action ${forms}; frame-ancestors 'none'; base-uri 'none'`,
      );
      assert.match(html, /<title>[^<]+ – Käse &amp; Co<\/title>/);
      assert.equal(count(html, '<p class="brand">Käse &amp; Co</p>'), 1);
    }
  }
  assert.equal(nonces.size, TAGS.length * (pages().length - 2), "each page with a form has its own");
});

test("the pages without a form are the same each time, and their policy lets their style through", () => {
  for (const make of [root, missing]) {
    const { html, policy } = make(settings);
    assert.deepEqual(make(settings), { status: make === root ? 200 : 404, html, policy });
    const [, style] = /<style>([^]*)<\/style>/.exec(html);
    assert.equal(STYLE_HASH, `sha256-${createHash("sha256").update(style).digest("base64")}`);
  }
});

test("the page of a link says what it is about", () => {
  for (const [its, words] of [
    [{}, "<h1>Abmelden?</h1>"],
    [{ state: "done", field: "undo" }, "<h1>Sie sind abgemeldet</h1>"],
    [{ state: "undone", field: null }, "<h1>Sie sind wieder angemeldet</h1>"],
    [{ kind: "confirm" }, "<h1>Bitte bestätigen</h1>"],
    [{ kind: "confirm", state: "done", field: null }, "<h1>Vielen Dank</h1>"],
    [{ kind: "confirm", state: "again" }, "<h1>Bitte noch einmal drücken</h1>"],
    [{ kind: "confirm", state: "unavailable" }, "in einer Minute"],
  ]) {
    const { html } = acting(its, { accept_language: "de-CH" });
    assert.ok(html.includes(words), html);
  }
});

test("a page has one form or none, and its button says what it does", () => {
  for (const [its, button] of [
    [{}, "Unsubscribe"],
    [{ state: "again" }, "Unsubscribe"],
    [{ state: "unavailable" }, "Unsubscribe"],
    [{ state: "done", field: "undo" }, "Subscribe again"],
    [{ state: "again", field: "undo" }, "Subscribe again"],
    [{ state: "unavailable", field: "undo" }, "Subscribe again"],
    [{ state: "undone", field: null }, null],
    [{ kind: "confirm" }, "Confirm"],
    [{ kind: "confirm", state: "done", field: null }, null],
  ]) {
    const { html } = acting(its);
    const what = JSON.stringify(its);
    assert.equal(/<button[^>]*>([^<]+)<\/button>/.exec(html)?.[1] ?? null, button, what);
    const fields = html.match(/<input [^>]*>/g) ?? [];
    const wanted = `<input type="hidden" name="${its.field ?? "stamp"}" value="AWsx">`;
    assert.deepEqual(fields, button ? [wanted] : [], what);
    assert.equal(count(html, '<form method="post" action="/u/AQJrMQ">'), button ? 1 : 0, what);
  }
});

test("a page leads where the settings or the link say, and nowhere else", () => {
  const home = "https://brand.example/";
  const led = ({ html }) => [...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, href]) => href);
  assert.deepEqual(led(missing({ ...settings, home })), [home]);
  assert.deepEqual(led(missing(settings)), []);
  assert.deepEqual(led(acting({ state: "undone", field: null }, { home })), [home]);
  const url = "https://shop.example/";
  for (const state of ["ask", "again", "unavailable"]) {
    assert.deepEqual(led(acting({ kind: "confirm", state, url }, { home })), [], state);
  }
  assert.deepEqual(led(acting({ kind: "confirm", state: "done", field: null, url }, { home })), [url]);
  const told = (contact) => root({ ...settings, contact });
  assert.deepEqual(led(told("mailto:abuse@brand.example")), ["mailto:abuse@brand.example"]);
  assert.match(told("mailto:abuse@brand.example").html, />abuse@brand\.example<\/a>/);
  assert.match(told("https://brand.example/abuse").html, />https:\/\/brand\.example\/abuse<\/a>/);
  assert.deepEqual(led(root(settings)), []);
});

test("the root says whose links these are", () => {
  const said = (brand) => root({ ...settings, brand }).html;
  assert.match(said("Käse & Co"), /Links in emails from Käse &amp; Co lead through this address/);
  assert.match(said(null), /<p>Links in emails lead through this address/);
});

test("names and addresses are only ever text", () => {
  const url = `https://brand.example/?a=b&c=${NASTY}`;
  for (const tag of TAGS) {
    const more = { accept_language: tag, brand: NASTY, home: url, contact: url };
    for (const { html } of [
      ...pages(more).map(([page]) => page),
      acting({ kind: "confirm", state: "done", field: null, url }, more),
      acting({ action: `/u/${NASTY}`, stamp: NASTY }, more),
    ]) {
      assert.ok(html.includes(` – ${NASTY_AS_TEXT}</title>`), html);
      assert.equal(count(html, "<script"), 0, html);
      assert.equal(count(html, '"><'), 0, html);
    }
  }
});

test("the button's words are readable on every colour", () => {
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const channels = Array.from({ length: 18 }, (_, n) => n * 15);
  for (const red of channels) {
    for (const green of channels) {
      for (const blue of channels) {
        const color = [red, green, blue];
        const words = onColor(color).startsWith("color:#000;") ? 0 : 1;
        assert.ok(contrast(luminance(color), words) >= 4.5, String(color));
      }
    }
  }
  // WCAG's own examples of luminance: white, black, pure red.
  assert.deepEqual([luminance([255, 255, 255]), luminance([0, 0, 0])], [1, 0]);
  assert.ok(Math.abs(luminance([255, 0, 0]) - 0.2126) < 1e-9);
  for (const [color, css] of [
    [null, "color:#fff;background:#1f4fa3"],
    [[0xff, 0xff, 0xff], "color:#000;background:#ffffff"],
    [[0, 0, 0], "color:#fff;background:#000000"],
    [[0xff, 0xd4, 0x00], "color:#000;background:#ffd400"],
    [[0x0a, 0x0b, 0x0c], "color:#fff;background:#0a0b0c"],
  ]) {
    assert.equal(onColor(color), css);
    assert.ok(acting({}, { color }).html.includes(css));
  }
});

test("security.txt holds for half a year from the day on which it is asked for", () => {
  const contact = "mailto:abuse@brand.example";
  const [morning, night] = [Date.UTC(2026, 10, 28), Date.UTC(2026, 10, 28, 23, 59, 59, 999)];
  const file = `Contact: ${contact}\nExpires: 2027-05-27T00:00:00Z\n`;
  assert.equal(security({ contact }, morning), file);
  assert.equal(security({ contact }, night), file);
  assert.match(security({ contact }, night + 1), /Expires: 2027-05-28T00:00:00Z\n$/);
});
