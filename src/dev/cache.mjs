// Where downloaded and compiled tools live between runs, and the lock that keeps two set-ups at once apart.

import { mkdirSync, rmSync, rmdirSync, statSync, utimesSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/** Per user, never inside the user's own ~/.cargo/bin. */
export const cacheDir = path.join(
  process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"),
  "clickproof",
);

const HEARTBEAT_MS = 1_000;
const STALE_MS = 10_000;

/**
 * Runs `fn` while holding the lock `name`. The holder touches the lock every second, so one that was killed is
 * known by its age, whatever process has its id by now.
 */
export async function withLock(name, fn) {
  const lock = path.join(cacheDir, `${name}.lock`);
  mkdirSync(cacheDir, { recursive: true });
  for (let told = false; !take(lock);) {
    if (!told) console.error(`Another run is setting up ${name}: waiting for it`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS));
  }
  const heartbeat = setInterval(() => touch(lock), HEARTBEAT_MS);
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.on("exit", release);
  try {
    return await fn();
  } finally {
    clearInterval(heartbeat);
    process.off("exit", release);
    release();
  }
}

function touch(lock) {
  try {
    utimesSync(lock, new Date(), new Date());
  } catch {
    // Lost while the machine slept. Every install is atomic, so the worst is that one is done twice.
  }
}

function take(lock) {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  try {
    if (Date.now() - statSync(lock).mtimeMs > STALE_MS) rmdirSync(lock);
  } catch (error) {
    // Its holder has just let it go.
    if (error.code !== "ENOENT") throw error;
  }
  return false;
}
