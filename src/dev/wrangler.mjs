// How `wrangler dev` is run here: on this machine alone, without an account, a network, questions or telemetry.

import path from "node:path";
import { root } from "./run.mjs";

export const WRANGLER = path.join(root, "node_modules/wrangler/bin/wrangler.js");

export const HOST = "127.0.0.1";

/** The arguments for node that serve the worker on `port` with its state under `stateDir`. */
export function wranglerDev({ port, stateDir = path.join(root, ".wrangler/state"), args = [] }) {
  return [
    WRANGLER,
    "dev",
    "--local",
    // What stands at the top of wrangler.toml. Not to say so is a warning at each start.
    "--env=",
    `--ip=${HOST}`,
    `--port=${port}`,
    // Any free one: two runs side by side must not meet at the debugger's default port.
    "--inspector-port=0",
    `--persist-to=${stateDir}`,
    "--show-interactive-dev-session=false",
    ...args,
  ];
}

export const wranglerEnv = {
  ...process.env,
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  // Printing the banner is what looks for updates.
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
};
