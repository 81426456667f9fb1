// `npm start`: sets up what is missing, builds, and serves the worker on this machine on the real runtime, with the demo
// and a first tracked link to try.

import { createServer } from "node:net";
import { build } from "./build.mjs";
import { bringCampaign } from "./campaign.mjs";
import { devVars } from "./devvars.mjs";
import { Failure, main, start } from "./run.mjs";
import { HOST, wranglerDev, wranglerEnv } from "./wrangler.mjs";

const SAMPLE = "hello";

await main(async () => {
  const port = portFrom(process.env.PORT);
  // Asked first, because the set-up may take minutes, and again after it.
  await assertFree(port);
  await build();
  const vars = devVars();
  await assertFree(port);

  // On, unless the settings say something of it themselves.
  const demo = vars.DEMO === undefined;
  const args = demo ? ["--var", "DEMO:on"] : [];
  const server = start(process.execPath, wranglerDev({ port, args }), { env: wranglerEnv });
  const origin = `http://${HOST}:${port}`;
  const authorization = `Bearer ${vars.API_TOKEN ?? ""}`;
  const shows = demo || vars.DEMO === "on";
  if (await answers(origin, server)) {
    console.log(await welcome(origin, authorization, shows));
    if (shows) console.log(await finishedCampaign(origin, authorization));
  }
  const code = await server.exited;
  if (code !== 0) throw new Failure(`wrangler dev ended (${code}).`);
});

function portFrom(text) {
  if (!text) return 8787;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new Failure(`PORT=${text} is not a port number.`);
  return port;
}

function assertFree(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) =>
      reject(
        new Failure(
          error.code === "EADDRINUSE"
            ? `Port ${port} is taken: stop what listens there, or choose another: PORT=${port + 1} npm start`
            : `Port ${port} cannot be used: ${error.message}`,
        ),
      ),
    );
    probe.listen(port, HOST, () => probe.close(resolve));
  });
}

async function answers(origin, server) {
  while (server.exitCode === null && server.signalCode === null) {
    try {
      await fetch(`${origin}/healthz`);
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return false;
}

async function welcome(origin, authorization, demo) {
  const serving = `\nClickproof serves on ${origin} (Ctrl-C stops it)\n`;
  try {
    const response = await fetch(`${origin}/v1/links`, {
      method: "POST",
      headers: { Authorization: authorization, "Content-Type": "application/json" },
      body: JSON.stringify({
        message_id: SAMPLE,
        recipient_id: "you",
        sent_at_ms: Date.now(),
        links: [{ link_id: "first", url: "https://example.com/?hello=clickproof" }],
      }),
    });
    const text = await response.text();
    const href = response.ok ? firstHref(text) : null;
    if (!href) return `${serving}  It minted no sample link: ${response.status} ${text.trim()}\n`;
    const curl = `curl -H '${`Authorization: ${authorization}`.replaceAll("'", "'\\''")}' ${origin}/v1/messages/${SAMPLE}`;
    return [
      serving,
      ...(demo ? [`  The demo:               ${origin}/demo`] : []),
      `  A tracked link to try:  ${href}`,
      `  Its report:             ${curl}`,
      `  Its clicks:             ${curl}/clicks`,
      "",
    ].join("\n");
  } catch (error) {
    return `${serving}  It minted no sample link: ${error.message}\n`;
  }
}

/** Brings the demo's campaign in, and says where it is. */
async function finishedCampaign(origin, authorization) {
  const ask = (path, { headers, ...init } = {}) =>
    fetch(origin + path, { ...init, headers: { ...headers, Authorization: authorization } });
  try {
    await bringCampaign(ask);
    return `  A finished campaign:    ${origin}/demo/campaign\n`;
  } catch (error) {
    return `  The demo has no finished campaign: ${error.message}\n`;
  }
}

function firstHref(text) {
  try {
    return JSON.parse(text).links[0].href;
  } catch {
    return null;
  }
}
