// Every engine behind one small window: Chromium and Firefox by Playwright (which speaks WebDriver BiDi to Firefox as it is
// installed), WebKitGTK by its own driver, over WebDriver's HTTP (https://www.w3.org/TR/webdriver2).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { chromium, firefox } from "playwright-core";
import { FIREFOX, WEBKIT } from "../../src/dev/browsers.mjs";
import { ensureChromium } from "../../src/dev/chromium.mjs";
import { notTested } from "../../src/dev/optional.mjs";
import { until } from "../worker/harness.mjs";

/**
 * The engines: each has a `name`, why it cannot be tested (`skip`, a text or false), and `launch`, which resolves with
 * `{ open, close }`. `open` resolves with a window of somebody's own, whose selectors are CSS:
 *
 * - `goto(url)`, `url()`
 * - `text(selector)`: the text of the first such element, null without one
 * - `click(selector)`: as a hand does
 * - `evaluate(expression)`
 * - `close()`
 */
export const ENGINES = [
  { name: "Chromium", skip: false, launch: async () => playwright(await windowedChromium()) },
  {
    name: FIREFOX.name,
    skip: FIREFOX.find() ? false : notTested(FIREFOX),
    launch: async () =>
      playwright(await firefox.launch({ channel: "moz-firefox", executablePath: FIREFOX.find() })),
  },
  { name: WEBKIT.name, skip: WEBKIT.find() ? false : notTested(WEBKIT), launch: webkit },
];

/** Without a window Chromium names itself a scanner: this one says what it says where it has one. */
export async function windowedChromium() {
  const launch = async (...args) =>
    chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox", ...args] });
  const windowless = await launch();
  const page = await windowless.newPage();
  const agent = (await page.evaluate(() => navigator.userAgent)).replace("HeadlessChrome/", "Chrome/");
  await windowless.close();
  return launch(`--user-agent=${agent}`);
}

function playwright(browser) {
  return {
    close: () => browser.close(),
    async open() {
      const context = await browser.newContext({ locale: "en-GB" });
      const page = await context.newPage();
      return {
        goto: (url) => page.goto(url),
        url: async () => page.url(),
        text: async (selector) => {
          const found = page.locator(selector);
          return (await found.count()) > 0 ? found.first().innerText() : null;
        },
        click: (selector) => page.locator(selector).first().click(),
        evaluate: (expression) => page.evaluate(expression),
        close: () => context.close(),
      };
    },
  };
}

async function webkit() {
  const { driver, screen } = WEBKIT.find();
  const stop = [];
  const close = async () => {
    for (const child of stop.reverse()) {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
  };
  try {
    const display = spawn(screen, ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    stop.push(display);
    const [number] = await once(createInterface({ input: display.stdio[3] }), "line");
    const port = 20_000 + (process.pid % 20_000);
    // Its accessibility bus and its sandbox need services that a test machine does not run.
    const env = {
      ...process.env,
      DISPLAY: `:${number}`,
      GDK_BACKEND: "x11",
      NO_AT_BRIDGE: "1",
      LANG: "en_GB.UTF-8",
    };
    stop.push(spawn(driver, [`--port=${port}`], { env, stdio: "ignore" }));
    const origin = `http://127.0.0.1:${port}`;
    await until(() => fetch(`${origin}/status`).catch(() => null), { what: "WebKit's driver" });
    return { open: () => session(origin), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A window with a profile of its own. */
async function session(origin) {
  const call = async (method, path, body, timeout = 60_000) => {
    const signal = AbortSignal.timeout(timeout);
    const answer = await fetch(origin + path, { method, body: body && JSON.stringify(body), signal }).catch(
      ({ message }) => {
        throw new Error(`${method} ${path}: ${message}`);
      },
    );
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  // One browser after another: where the last is still closing, the driver may leave the next one waiting.
  const start = () => call("POST", "/session", { capabilities: {} }, 15_000).catch(() => null);
  const { sessionId } = await until(start, { what: "a window of WebKit" });
  const at = `/session/${sessionId}`;
  const find = async (selector) => {
    const found = await call("POST", `${at}/elements`, { using: "css selector", value: selector });
    return found.length > 0 ? `${at}/element/${Object.values(found[0])[0]}` : null;
  };
  return {
    goto: (url) => call("POST", `${at}/url`, { url }),
    url: () => call("GET", `${at}/url`),
    text: async (selector) => {
      const element = await find(selector);
      // A page that is left meanwhile takes its elements with it.
      const left = (error) => {
        if (!error.message.includes("stale element reference")) throw error;
        return null;
      };
      return element && call("GET", `${element}/text`).catch(left);
    },
    async click(selector) {
      const element = await until(() => find(selector), { what: selector });
      await call("POST", `${element}/click`, {});
    },
    evaluate: (expression) =>
      call("POST", `${at}/execute/sync`, { script: `return ${expression}`, args: [] }),
    close: () => call("DELETE", at),
  };
}
