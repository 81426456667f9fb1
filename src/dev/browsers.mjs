// The browsers beside Chromium for the tests in tests/browser, of which each can be done without.

import { existsSync } from "node:fs";
import { which } from "./run.mjs";

const MACOS_FIREFOX = "/Applications/Firefox.app/Contents/MacOS/firefox";

/** `find` says where a browser is, or null. */
export const FIREFOX = {
  name: "Firefox",
  packages: ["firefox-esr"],
  find: () => which("firefox-esr", "firefox") ?? (existsSync(MACOS_FIREFOX) ? MACOS_FIREFOX : null),
};

/** WebKit as Debian has it: its driver opens a small browser of its own, on a screen that nobody sees. */
export const WEBKIT = {
  name: "WebKitGTK",
  packages: ["webkit2gtk-driver", "xvfb"],
  find() {
    const [driver, screen] = [which("WebKitWebDriver"), which("Xvfb")];
    return driver && screen ? { driver, screen } : null;
  },
};
