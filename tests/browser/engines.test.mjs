// What a browser is the user of, in every engine that is here: the demo, a sender's landing page, a button that acts. WebKit
// keeps no `Secure` cookie over plain http, not even on this machine: what is proven there is proven by the reference.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { bringCampaign } from "../../src/dev/campaign.mjs";
import { clicksWhen, freshMessage, listClicks, mintCopy, settledClicks } from "../worker/clicks.mjs";
import { startWorker, until } from "../worker/harness.mjs";
import { ENGINES } from "./engines.mjs";

/** The demo's worker; a sender's, whose links lead to a shop on another site. */
let worker, sender, shop;
before(async () => {
  shop = http.createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    const script = `<script async src="${elsewhere(sender.origin)}/verify.js"></script>`;
    response.end(`<!doctype html><title>Shop</title>${script}<button>Buy</button>`);
  });
  shop.listen(0, "127.0.0.1");
  await once(shop, "listening");
  [worker, sender] = await Promise.all([
    startWorker({ vars: { SETTLE_MS: 0, DEMO: "on" } }),
    startWorker({ vars: { SETTLE_MS: 0, CLICK_REF_PARAM: "cp" } }),
  ]);
  await bringCampaign(worker.api);
});
after(async () => {
  await worker?.close();
  await sender?.close();
  shop?.close();
});

/** The same server on another site. */
const elsewhere = (origin) => origin.replace("127.0.0.1", "localhost");

describe("in every engine", { concurrency: true }, () => {
  for (const engine of ENGINES) inEngine(engine);
});

function inEngine({ name, skip, launch }) {
  describe(name, { skip, concurrency: 1 }, () => {
    let engine;
    before(async () => (engine = await launch()));
    after(() => engine?.close());

    /** A window, closed with the test. */
    async function visitor(t) {
      const page = await engine.open();
      t.after(() => page.close());
      return page;
    }

    /** Waits until an element's text is as wanted. */
    const says = (page, selector, words) =>
      until(async () => words.test((await page.text(selector)) ?? ""), { what: `"${words}" in ${selector}` });

    /** The mail of the demo, opened: the message. */
    async function openMail(page) {
      await page.goto(`${worker.origin}/demo`);
      const story = await page.evaluate(`document.querySelector("main a[href*='story']").href`);
      return { message: new URL(story).searchParams.get("message"), story };
    }

    const clickOf = async (message, verified) => {
      const holds = (click) => click.kind !== "click" || (click.final && click.verified === verified);
      const clicks = await clicksWhen(worker, message, 2, holds);
      return clicks.find(({ kind }) => kind === "click");
    };

    test("the demo's story: a click, its page shown, its page touched", async (t) => {
      const page = await visitor(t);
      const { message, story } = await openMail(page);
      await page.click(".mail a.button");
      await says(page, "[role=status]", /not touched yet/);
      assert.equal((await clickOf(message, "rendered")).click_type, "human");
      const { pathname, searchParams } = new URL(await page.url());
      assert.deepEqual([pathname, [...searchParams.keys()]], ["/demo/landing", ["message", "page"]]);
      await page.click("h1");
      await says(page, "[role=status]", /Somebody touched this page/);
      assert.equal((await clickOf(message, "interacted")).click_type, "human");
      await page.click("main a.button");
      await says(page, "main", /Somebody touched the page behind it/);
      assert.equal(await page.url(), story);
      assert.match(await page.text(".counts"), /People’s\s+1\s+Scanners’\s+0\s+Opens\s+1/);
    });

    test("the demo's buttons play scanners, which are found", async (t) => {
      const page = await visitor(t);
      const played = [];
      for (const scanner of ["sandbox", "gateway", "pool"]) {
        const mail = await openMail(page);
        await page.click(`[data-scanner=${scanner}]`);
        await says(page, "[data-played]", /followed 3 links/);
        played.push({ scanner, ...mail });
      }
      for (const { scanner, message, story } of played) {
        const clicks = (await settledClicks(worker, message, 4)).filter(({ kind }) => kind === "click");
        assert.deepEqual(
          clicks.map(({ is_bot }) => is_bot),
          [true, true, true],
          scanner,
        );
        await page.goto(story);
        assert.match(await page.text(".counts"), /People’s\s+0\s+Scanners’\s+3/);
      }
    });

    test("a finished campaign's report, with plots, is two clicks away", async (t) => {
      const page = await visitor(t);
      await page.goto(`${worker.origin}/demo`);
      await page.click("a[href='/demo/campaign']");
      await page.click("a[href='/demo/report']");
      await says(page, "h1", /The spring harvest is here/);
      const drawn = `[...document.querySelectorAll("svg")].filter((plot) => {
        const { width, height } = plot.getBoundingClientRect();
        return width > 200 && height > 50;
      }).length`;
      assert.ok((await page.evaluate(drawn)) >= 2, "plots are seen");
      assert.equal(
        await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
        true,
        "nothing sticks out",
      );
    });

    test("a sender's own landing page, on another site, is shown and touched", async (t) => {
      const page = await visitor(t);
      const url = `http://127.0.0.1:${shop.address().port}/spring?a=1`;
      const { message_id, hrefs } = await mintCopy(sender, { urls: [url] });
      await page.goto(elsewhere(hrefs[0]));
      const settledAs = (verified) =>
        clicksWhen(sender, message_id, 1, (click) => click.final && click.verified === verified);
      await settledAs("rendered");
      assert.equal(await page.url(), url, "the script takes the reference out of the address bar");
      await page.click("button");
      const [{ click_type }] = await settledAs("interacted");
      assert.equal(click_type, "human");
    });

    test("a button that acts is pressed, and acts once", async (t) => {
      const page = await visitor(t);
      const message_id = freshMessage("act");
      const links = [{ link_id: "off", kind: "unsubscribe" }];
      const minted = await worker.mint({
        message_id,
        recipient_id: "r",
        sent_at_ms: Date.now() - 60_000,
        links,
      });
      await page.goto(minted.links[0].href);
      const asked = await page.text("h1");
      const button = await page.text("button");
      // Whoever presses at once is a machine.
      await sleep(1_100);
      assert.deepEqual(await listClicks(worker, message_id), []);
      await page.click("button");
      await until(async () => ![asked, null].includes(await page.text("h1")), { what: "the answer" });
      assert.notEqual(await page.text("button"), button, "the one that is there takes it back");
      const acts = await settledClicks(worker, message_id, 1);
      assert.deepEqual(
        acts.map(({ kind, act, click_type }) => [kind, act, click_type]),
        [["unsubscribe", "form", "human"]],
      );
    });
  });
}
