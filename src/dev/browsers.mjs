// The browsers beside Chromium for the tests in tests/browser: installed ones, else Debian's packages. Where one cannot be
// had its tests are left out, and a line says so.

import { existsSync } from "node:fs";
import { aptInstall, canApt } from "./apt.mjs";
import { Failure, which } from "./run.mjs";

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

/** Why a browser's tests are left out. */
export const notTested = ({ name, packages }) =>
  `Not tested in ${name}, which is not installed (Debian: sudo apt-get install ${packages.join(" ")}).`;

/** Installs what is missing and may be installed; what then still is missing is told, and fails nothing. */
export async function ensureBrowsers(...browsers) {
  for (const browser of browsers) {
    const { name, packages, find } = browser;
    try {
      if (!find() && canApt()) await aptInstall(`Installing ${name}`, "usually 20 s", packages);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
    if (!find()) console.log(notTested(browser));
  }
}
