// The browser for the tests in tests/browser: an installed Chromium or Chrome, else Debian's package.

import { existsSync } from "node:fs";
import { aptInstall, canApt } from "./apt.mjs";
import { Failure, which } from "./run.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** The path of a Chromium; the tests find it in the environment's CHROMIUM_BIN. */
export async function ensureChromium() {
  const chosen = process.env.CHROMIUM_BIN;
  if (chosen) {
    if (!existsSync(chosen)) throw new Failure(`CHROMIUM_BIN is ${chosen}, which does not exist.`);
    return chosen;
  }
  const installed = which(...NAMES) ?? (existsSync(MACOS) ? MACOS : null);
  if (installed) return installed;
  if (canApt()) await aptInstall("Installing Chromium", "usually 1 min", ["chromium"]);
  const found = which(...NAMES);
  if (found) return found;
  throw new Failure(
    "The browser tests need Chromium: install it (Debian: sudo apt-get install chromium) " +
      "or set CHROMIUM_BIN to one, then run this again.",
  );
}
